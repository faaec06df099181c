"""Take the README's pictures from a real JupyterLab: docs/kernel-editor.png, descent-stepper.png.

python -m tools.screenshots
"""

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tools.lab import PROJECT, browser, cell, jupyterlab, notebooks_copy, open_notebook, run_all

IMPORTS = """\
import torch
from convkit import stripes
from convkit.widgets import DescentStepper, KernelEditor"""
PANELS = {
    "kernel-editor": "KernelEditor()",
    "descent-stepper": """\
K, start = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.5, 0.5]])
panel = DescentStepper(stripes(), target=K, start=start, lr=0.03)
panel.n = 6
panel""",
}
# Room around a panel, which itself ends where its last line does.
MARGIN = ".ck-panel { padding: 12px !important; box-sizing: content-box; }"


def main() -> None:
    """Show each panel, and store what it looks like."""
    cells = [new_code_cell(source) for source in (IMPORTS, *PANELS.values())]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    with notebooks_copy() as root, jupyterlab(root) as lab, browser() as chromium:
        nbformat.write(new_notebook(cells=cells, metadata=spec), root / "panels.ipynb")
        size = {"width": 1200, "height": 1400}
        page = chromium.new_page(viewport=size, device_scale_factor=1.5)
        open_notebook(page, lab, "panels.ipynb")
        run_all(page)
        page.add_style_tag(content=MARGIN)
        for n, name in enumerate(PANELS, start=2):
            panel = cell(page, n).locator(".ck-panel")
            for image in panel.locator("img").all():
                image.evaluate("image => image.decode()")
            page.mouse.move(0, 0)
            path = PROJECT / "docs" / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            panel.screenshot(path=path, animations="disabled")
            print(f"{path.relative_to(PROJECT)}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
