"""Record the README's animations in a real JupyterLab: docs/kernel-editor.gif, descent-stepper.gif.

python -m tools.screenshots
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from playwright.sync_api import Locator

from convkit.ui.theme import COLOURS
from tools.lab import PROJECT, browser, cell, jupyterlab, notebooks_copy, open_notebook, run_all

IMPORTS = """\
import torch
from convkit import stripes
from convkit.panels import DescentStepper, KernelEditor"""
PANELS = {
    "kernel-editor": "KernelEditor()",
    "descent-stepper": """\
K, start = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.5, 0.5]])
DescentStepper(stripes(), target=K, start=start, lr=0.02)""",
}
WIDTH = 860
SETTLE = 150
"""Milliseconds after an action until the panel shows all that follows from it."""
MAX_BYTES = 1_500_000
MAX_COLOURS = 230
ACCENTS = ("#1976d2", "#f6c15c", "#ffffff", "#000000", "#053061", "#67001f", "#4393c3", "#d6604d")
"""JupyterLab's blue, the weights of a window, and shades of the colour key."""


def use_kernel_editor(panel: Locator) -> Iterator[int]:
    """Point at the photo, sharpen it, and drag a weight; yield how long each frame is shown."""
    page = panel.page
    picture = panel.locator("canvas[aria-label^='input']").first
    size = picture.bounding_box()["width"]
    for k in range(6):
        picture.hover(position={"x": size * (0.35 + 0.06 * k), "y": size * (0.35 + 0.08 * k)})
        yield 200
    picture.click(position={"x": size * 0.67, "y": size * 0.75})
    yield 800
    panel.get_by_label("named kernel").select_option("sharpen")
    yield 1200
    panel.get_by_label("named kernel").select_option("Gaussian blur")
    yield 1200
    panel.get_by_label("named kernel").select_option("Sobel y")
    yield 800
    panel.get_by_label("K[1, 0]", exact=True).focus()
    for _ in range(5):
        panel.get_by_role("slider", name="weight").focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        yield 300
    yield 1200


def use_descent_stepper(panel: Locator) -> Iterator[int]:
    """Step, raise the learning rate, and start elsewhere; yield how long each frame is shown."""
    page = panel.page
    yield 800
    for _ in range(7):
        panel.get_by_role("button", name="next step").click()
        yield 350
    for rate in ("0.025", "0.03"):
        panel.get_by_role("textbox", name="learning rate").fill(rate)
        yield 700
    surface = panel.get_by_role("img", name="loss surface").first
    box = surface.bounding_box()
    for x, y in ((0.7, 0.3), (0.75, 0.4), (0.75, 0.55)):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        yield 500
    panel.get_by_role("button", name="last step").click()
    yield 1500


USES = {"kernel-editor": use_kernel_editor, "descent-stepper": use_descent_stepper}


def record(
    panel: Locator, use: Callable[[Locator], Iterator[int]]
) -> tuple[list[Image.Image], list[int]]:
    """Return frames of a panel in use, all of one height, and their milliseconds."""
    panel.scroll_into_view_if_needed()
    frames, durations = [], []
    for duration in use(panel):
        panel.page.wait_for_timeout(SETTLE)
        shot = panel.screenshot(animations="disabled")
        frames.append(Image.open(io.BytesIO(shot)).convert("RGB"))
        durations.append(duration)
    height = min(frame.height for frame in frames)
    return [frame.crop((0, 0, WIDTH, height)) for frame in frames], durations


def common_palette(frames: list[Image.Image]) -> Image.Image:
    """Return one palette for all frames, so that nothing flickers; small accents are in it too."""
    width, height = frames[0].size
    everything = Image.new("RGB", (width, height * len(frames)))
    for k, frame in enumerate(frames):
        everything.paste(frame, (0, k * height))
    colours = everything.quantize(MAX_COLOURS).getpalette()[: 3 * MAX_COLOURS]
    for accent in (*COLOURS.values(), *ACCENTS):
        colours += bytes.fromhex(accent[1:])
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    return palette


def save(frames: list[Image.Image], durations: list[int], path: Path) -> None:
    """Save an animation; raise if it is too large for the README."""
    palette = common_palette(frames)
    first, *rest = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        raise RuntimeError(f"{path} has {path.stat().st_size} bytes; at most {MAX_BYTES}")


def main() -> None:
    """Use each panel, and store what it looked like."""
    cells = [new_code_cell(source) for source in (IMPORTS, *PANELS.values())]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    with notebooks_copy() as root, jupyterlab(root) as lab, browser() as chromium:
        nbformat.write(new_notebook(cells=cells, metadata=spec), root / "panels.ipynb")
        page = chromium.new_page(viewport={"width": 1200, "height": 1400})
        open_notebook(page, lab, "panels.ipynb")
        run_all(page)
        page.add_style_tag(content=f".ck-view {{ width: {WIDTH}px !important; }}")
        for n, name in enumerate(PANELS, start=2):
            frames, durations = record(cell(page, n).locator(".ck-view"), USES[name])
            path = PROJECT / "docs" / f"{name}.gif"
            save(frames, durations, path)
            print(f"{path.relative_to(PROJECT)}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
