"""Measure what docs/benchmarks.md states, in a real JupyterLab, and write it there.

    python -m benchmarks.run

The ways to draw take turns, so that a busy moment of the machine hits all alike.
"""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from statistics import median

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import ElementHandle, Page, expect

from benchmarks.processes import BARE_IMPORTS, PROCESSES, RUNS, in_processes
from tools.lab import (
    PROJECT,
    Lab,
    browser,
    cell,
    jupyterlab,
    notebooks_copy,
    open_notebook,
    run_cell,
)

PAGE = PROJECT / "docs" / "benchmarks.md"
WARM_UP, ROUNDS = 3, 20
EDITOR = "KernelEditor(P, K)"
# Each shows a way to edit one weight of Sobel x: what to type into, and the picture that answers.
WAYS = {
    "photo": (EDITOR, ".ck-K input", ".ck-Y .ck-picture img"),
    "full photo": (EDITOR.replace("P", "photo()"), ".ck-K input", ".ck-Y .ck-picture img"),
    "interact": (
        """\
def draw(weight):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3))
    axes[0].imshow(P, cmap="gray")
    axes[1].imshow(corr2d(P, edited(weight)), cmap="RdBu_r", vmin=-5, vmax=5)
    plt.show()
widgets.interact(draw, weight=widgets.FloatText(-1));""",
        "input",
        ".jp-RenderedImage img",
    ),
    "bare": (
        """\
text, image = widgets.Text("-1"), widgets.Image()
def paint(change):
    levels = corr2d(P, edited(float(change["new"]))).add(5).mul(25).clamp(0, 255).byte()
    file = BytesIO()
    Image.fromarray(levels.numpy()).save(file, "PNG", compress_level=1)
    image.value = file.getvalue()
paint({"new": -1})
text.observe(paint, "value")
widgets.VBox([text, image])""",
        "input",
        "img",
    ),
}
IMPORTS = """\
import time
from io import BytesIO
from pathlib import Path
import ipywidgets as widgets
import matplotlib.pyplot as plt
import torch
from PIL import Image
from convkit import corr2d, kernel, photo, stripes
from convkit.widgets import DescentStepper, KernelEditor
P, K = photo(128), kernel("Sobel x")
def edited(weight):
    new = K.clone()
    new[0, 0] = weight
    return new"""
STEPPER = """\
Y = corr2d(stripes(), torch.tensor([[1.0, -1.0]]))
DescentStepper(stripes(), Y, torch.tensor([[0.5, 0.5]]), steps=100)"""
BUSY = "while not Path('go_on').exists():\n    time.sleep(0.01)"
# Both end in the frame after the one that paints: the second after the image is decoded.
EDIT = """([output, box, picture, text]) => new Promise(done => {
    const before = output.querySelector(picture).src;
    const painted = () => requestAnimationFrame(() => requestAnimationFrame(
        () => done(performance.now() - start)));
    const watcher = new MutationObserver(() => {
        const image = output.querySelector(picture);
        if (!image || image.src === before) return;
        watcher.disconnect();
        image.decode().then(painted);
    });
    watcher.observe(output, {subtree: true, childList: true, attributeFilter: ["src"]});
    output.querySelector(box).value = text;
    const start = performance.now();
    for (const type of ["input", "change"])
        output.querySelector(box).dispatchEvent(new Event(type, {bubbles: true}));
})"""
SCRUB = """panel => new Promise(done => {
    const handle = panel.querySelector(".ck-scrub [role=slider]");
    const next = panel.querySelector(".ck-chart .ck-step.s" +
        (parseInt(handle.getAttribute("aria-valuenow")) + 1));
    const look = () => {
        if (!next.checkVisibility()) requestAnimationFrame(look);
        else requestAnimationFrame(() => done(performance.now() - start));
    };
    const start = performance.now();
    handle.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
    requestAnimationFrame(look);
})"""


@contextmanager
def notebook(lab: Lab, page: Page) -> Iterator[dict[str, ElementHandle]]:
    """Give the outputs of each way, of the stepper, and of a cell that is not run yet."""
    sources = [IMPORTS, *(source for source, *_ in WAYS.values()), STEPPER, BUSY]
    cells = [new_code_cell(source) for source in sources]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    nbformat.write(new_notebook(cells=cells, metadata=spec), lab.root / "bench.ipynb")
    open_notebook(page, lab, "bench.ipynb")
    for n in range(1, len(sources)):
        run_cell(page, n)
    yield {
        name: cell(page, n).locator(".jp-OutputArea").first.element_handle()
        for n, name in enumerate((*WAYS, "stepper"), start=2)
    }


def idle(page: Page) -> None:
    """Wait until the kernel has done all that the last edit asked for."""
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()


def edit_to_paint(page: Page, outputs: dict[str, ElementHandle]) -> dict[str, float]:
    """Return the milliseconds from edit to paint of each way, medians."""
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    for turn in range(WARM_UP + ROUNDS):
        for name, (_, box, picture) in WAYS.items():
            outputs[name].scroll_into_view_if_needed()
            idle(page)
            weight = f"{-2 + turn / 8:.3f}"
            taken[name].append(page.evaluate(EDIT, [outputs[name], box, picture, weight]))
    return {name: median(times[WARM_UP:]) for name, times in taken.items()}


def scrub_to_paint(page: Page, stepper: ElementHandle) -> float:
    """Return the milliseconds from a key on the slider to the step, median."""
    stepper.scroll_into_view_if_needed()
    return median([page.evaluate(SCRUB, stepper) for _ in range(WARM_UP + ROUNDS)][WARM_UP:])


def in_the_browser() -> dict[str, tuple[float, ...]]:
    """Measure all that needs a page."""
    with notebooks_copy() as root, jupyterlab(root) as lab, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        with notebook(lab, page) as outputs:
            measured = {name: (ms,) for name, ms in edit_to_paint(page, outputs).items()}
            measured["scrub"] = (scrub_to_paint(page, outputs["stepper"]),)
            busy = cell(page, len(WAYS) + 3)
            busy.locator(".cm-content").press("Shift+Enter")
            expect(busy.locator(".jp-InputPrompt")).to_have_text("[*]:")
            measured["scrub, kernel busy"] = (scrub_to_paint(page, outputs["stepper"]),)
            expect(busy.locator(".jp-InputPrompt")).to_have_text("[*]:")
            (root / "go_on").touch()
            expect(busy.locator(".jp-InputPrompt")).not_to_have_text("[*]:")
        return measured


def report(m: dict[str, tuple[float, ...]]) -> str:
    """Return the page."""
    photo, full, interact, bare = (m[name][0] for name in WAYS)
    (seconds, size), (bare_seconds, bare_size) = m["first panel"], m["imports"]
    (guard, _), (plain, _) = m["guard"], m["nbclient"]
    packages = ("torch", "jupyterlab", "ipywidgets", "ipykernel", "matplotlib")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    speed = f"{interact / photo:.1f} times as fast as `interact` (wanted: 2)"
    rows = [
        ("`interact`, a new pyplot figure, 128 × 128", f"{interact:.0f} ms", ""),
        ("bare round trip, 128 × 128", f"{bare:.0f} ms", ""),
        ("KernelEditor, 128 × 128", f"{photo:.0f} ms", f"{speed}; {photo / bare:.2f} × bare (1.5)"),
        ("KernelEditor, 600 × 512", f"{full:.0f} ms", f"{full / photo:.2f} × 128 × 128 (2)"),
    ]
    for name, (ms,) in ((name, m[name]) for name in ("scrub", "scrub, kernel busy")):
        rows.append((f"DescentStepper, {name}", f"{ms:.0f} ms", f"{ms * 60 / 1000:.1f} frames (3)"))
    ratios = f"{seconds / bare_seconds:.2f} × the time (1.2), {size / bare_size:.2f} × the memory"
    rows += [
        ("bare imports", f"{bare_seconds:.2f} s, {bare_size:.0f} MiB", ""),
        ("first KernelEditor", f"{seconds:.2f} s, {size:.0f} MiB", f"{ratios} (1.15)"),
        ("all notebooks by nbclient", f"{plain:.1f} s", ""),
        ("all notebooks by the guard", f"{guard:.1f} s", f"{guard / plain:.2f} × nbclient (2)"),
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""# Benchmarks

Written by `make bench` on {date.today()}: {os.cpu_count()} cores ({platform.machine()}), load
{os.getloadavg()[0]:.1f} at its end, Python {platform.python_version()}, {versions}.
Medians of {ROUNDS} edits, of {PROCESSES} processes and of {RUNS} runs of all notebooks, at one
time, the ways taking turns.

| what | median | beside it (wanted) |
| --- | --- | --- |
{table}

- **The first four rows**: edit to paint in JupyterLab, from a box's `input` event to the frame
  after the one that paints the new output picture. All four edit one weight of the Sobel x kernel.
  `interact` draws input and output anew, inline; the bare round trip sends a small PNG, straight
  from the output array, into `widgets.Image`, and nothing else.
- **Scrub**: from a key on the slider of a DescentStepper of 100 steps to the next step on show, in
  milliseconds and in frames of 1/60 s; then the same while a cell keeps the kernel busy.
- **Bare imports**: `{BARE_IMPORTS}`
  in a fresh process that has IPython's shell. **First KernelEditor**: import it, make one of the
  128 × 128 photo, and format it for display.
- **All notebooks**, one after the other: run by nbclient in one process, and checked by
  `make test-notebooks` in another.
"""


def main() -> None:
    """Measure, show and write."""
    text = report(in_the_browser() | in_processes())
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
