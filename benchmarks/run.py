"""Measure what docs/benchmarks.md states, in a real JupyterLab, and write it there.

    python -m benchmarks.run

The ways to draw take turns, so that a busy moment of the machine hits all of them alike.
"""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from statistics import median, quantiles

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import ElementHandle, Page, expect

from benchmarks.calls import count_calls
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
EDITOR = "KernelEditor({}, K)"
# Each shows a way to edit one weight of Sobel x: what to type into, and what answers: a canvas
# that is painted, or an element whose source or text changes.
BOX, CANVAS, TABLE = ".ck-kp .ck-array input", ".ck-yp canvas", ".ck-yp table"
WAYS = {
    "photo": (EDITOR.format("P"), BOX, CANVAS),
    "full photo": (EDITOR.format("photo()"), BOX, CANVAS),
    "large": (EDITOR.format("photo((1024, 1024))"), BOX, CANVAS),
    "lens": (EDITOR.format("stripes()"), BOX, TABLE),
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
# The clock runs from the box's input event to the frame that shows the new picture: the first
# animation frame after a canvas was painted, a text has changed or an image was decoded.
EDIT = """([output, box, picture, text]) => new Promise(done => {
    const find = () => output.querySelector(picture);
    const content = () => find() && (find().src ?? find().textContent);
    const paint = CanvasRenderingContext2D.prototype.putImageData;
    const before = content();
    const end = () => {
        watcher.disconnect();
        CanvasRenderingContext2D.prototype.putImageData = paint;
        requestAnimationFrame(() => done(performance.now() - start));
    };
    CanvasRenderingContext2D.prototype.putImageData = function (...painted) {
        paint.apply(this, painted);
        if (this.canvas === find()) end();
    };
    const watcher = new MutationObserver(() => {
        if (!content() || content() === before) return;
        if (find().decode) find().decode().then(end);
        else end();
    });
    const watched = {subtree: true, childList: true, characterData: true, attributeFilter: ["src"]};
    if (!find().getContext) watcher.observe(output, watched);
    output.querySelector(box).value = text;
    const start = performance.now();
    for (const type of ["input", "change"])
        output.querySelector(box).dispatchEvent(new Event(type, {bubbles: true}));
})"""
SCRUB = """panel => new Promise(done => {
    const slider = panel.querySelector(".ck-player input[type=range]");
    const shown = panel.querySelector(".ck-frames [data-slot='0']");
    const before = shown.textContent;
    const look = () => {
        if (shown.textContent === before) requestAnimationFrame(look);
        else done(performance.now() - start);
    };
    const start = performance.now();
    slider.value = Number(slider.value) + 1;
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    requestAnimationFrame(look);
})"""
# Moves the pointer over the photo, frame by frame: how long the window's frame takes to follow, and
# how often in a second the sum below it does.
POINT = """editor => new Promise(done => {
    const canvas = editor.querySelector(".ck-xp canvas");
    const ring = editor.querySelector(".ck-xp .ck-frame-ring");
    const area = canvas.getBoundingClientRect();
    const cell = area.width / 128;
    const lags = [];
    let sums = 0;
    const watcher = new MutationObserver(() => sums++);
    watcher.observe(editor.querySelector(".ck-products"), {subtree: true, childList: true});
    const begun = performance.now();
    const move = () => {
        if (lags.length === 100) {
            watcher.disconnect();
            return done([lags, 1000 * sums / (performance.now() - begun)]);
        }
        const [before, sent] = [ring.dataset.cell, performance.now()];
        const place = (10.5 + lags.length) * cell;
        const at = {bubbles: true, clientX: area.left + place, clientY: area.top + place};
        canvas.dispatchEvent(new PointerEvent("pointermove", at));
        const look = () => {
            if (ring.dataset.cell === before) return requestAnimationFrame(look);
            lags.push(performance.now() - sent);
            requestAnimationFrame(move);
        };
        requestAnimationFrame(look);
    };
    move();
})"""
# Drags the learning rate for two seconds: how often in a second the path is drawn anew, and how
# long after the last move it is drawn for the last time.
DRAG = """stepper => new Promise(done => {
    const slider = stepper.querySelector("input[type=range][aria-label^='learning rate']");
    const path = stepper.querySelector(".ck-plot .ck-walked");
    const paints = [];
    const watcher = new MutationObserver(() => paints.push(performance.now()));
    watcher.observe(path, {attributeFilter: ["d"]});
    const begun = performance.now();
    let last = begun;
    const move = () => {
        if (performance.now() - begun > 2000) return setTimeout(end, 1500);
        last = performance.now();
        slider.value = 20 + Math.round((last - begun) / 40);
        slider.dispatchEvent(new Event("input", {bubbles: true}));
        requestAnimationFrame(move);
    };
    const end = () => {
        watcher.disconnect();
        const during = paints.filter(time => time <= last).length;
        done([during / (last - begun) * 1000, Math.max(0, paints.at(-1) - last)]);
    };
    move();
})"""
CALLS = {
    "a weight of the photo": ("editor", "K[0, 0]", "-5"),
    "a learning rate at 100 steps": ("stepper", "learning rate", "0.02"),
}


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


def summed_up(times: list[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile of all but the warm-up."""
    counted = times[WARM_UP:]
    return median(counted), quantiles(counted, n=20)[-1]


def edit_to_paint(page: Page, outputs: dict[str, ElementHandle]) -> dict[str, tuple[float, float]]:
    """Return the milliseconds from edit to paint of each way."""
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    for turn in range(WARM_UP + ROUNDS):
        for name, (_, box, picture) in WAYS.items():
            outputs[name].scroll_into_view_if_needed()
            idle(page)
            page.wait_for_timeout(150)  # what an edit leaves for later is done by then
            weight = f"{-2 + turn / 8:.3f}"
            taken[name].append(page.evaluate(EDIT, [outputs[name], box, picture, weight]))
    return {name: summed_up(times) for name, times in taken.items()}


def scrub_to_paint(page: Page, stepper: ElementHandle) -> tuple[float, float]:
    """Return the milliseconds from an input of the slider to the step."""
    stepper.scroll_into_view_if_needed()
    return summed_up([page.evaluate(SCRUB, stepper) for _ in range(WARM_UP + ROUNDS)])


def pointing(page: Page, editor: ElementHandle) -> dict[str, tuple[float, float]]:
    """Return the milliseconds until the frame follows the pointer, and the sums in a second."""
    editor.scroll_into_view_if_needed()
    idle(page)
    lags, sums = page.evaluate(POINT, editor)
    return {"pointing": summed_up(lags), "sums a second": (sums, sums)}


def dragging(page: Page, stepper: ElementHandle) -> dict[str, tuple[float, float]]:
    """Return the paintings in a second of a dragged rate, and how late the last one was."""
    stepper.scroll_into_view_if_needed()
    idle(page)
    runs = [page.evaluate(DRAG, stepper) for _ in range(3)]
    paints, late = (median(values) for values in zip(*runs, strict=True))
    return {"drag": (paints, late)}


def in_the_browser() -> dict[str, tuple[float, float]]:
    """Measure all that needs a page."""
    with notebooks_copy() as root, jupyterlab(root) as lab, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        with notebook(lab, page) as outputs:
            measured = edit_to_paint(page, outputs)
            measured |= pointing(page, outputs["photo"])
            measured["scrub"] = scrub_to_paint(page, outputs["stepper"])
            measured |= dragging(page, outputs["stepper"])
            busy = cell(page, len(WAYS) + 3)
            busy.locator(".cm-content").press("Shift+Enter")
            expect(busy.locator(".jp-InputPrompt")).to_have_text("[*]:")
            measured["scrub, kernel busy"] = scrub_to_paint(page, outputs["stepper"])
            expect(busy.locator(".jp-InputPrompt")).to_have_text("[*]:")
            (root / "go_on").touch()
            expect(busy.locator(".jp-InputPrompt")).not_to_have_text("[*]:")
        return measured


def calls_of_edits() -> dict[str, int]:
    """Return how many calls into convkit each edit of `CALLS` makes."""
    import torch

    from convkit import corr2d, stripes
    from convkit.widgets import DescentStepper, KernelEditor
    from tests.widgets.panel_driver import PanelDriver

    Y = corr2d(stripes(), torch.tensor([[1.0, -1.0]]))
    panels = {
        "editor": KernelEditor(),
        "stepper": DescentStepper(stripes(), Y, torch.tensor([[0.5, 0.5]]), steps=100),
    }
    drivers = {name: PanelDriver(panel) for name, panel in panels.items()}
    return {
        name: count_calls(lambda: drivers[panel].type(box, text)).total()  # noqa: B023
        for name, (panel, box, text) in CALLS.items()
    }


def milliseconds(times: tuple[float, float]) -> str:
    """Return "47 ms (p95 60)"."""
    return f"{times[0]:.0f} ms (p95 {times[1]:.0f})"


def edit_rows(m: dict[str, tuple[float, float]]) -> list[tuple[str, str, str]]:
    """Return the rows of edits, each beside the bare round trip."""
    names = {
        "interact": "`interact`, a new pyplot figure, 128 × 128",
        "bare": "bare round trip, 128 × 128",
        "photo": "KernelEditor, 128 × 128",
        "full photo": "KernelEditor, 600 × 512",
        "large": "KernelEditor, 1024 × 1024",
        "lens": "KernelEditor, 6 × 8, as numbers",
    }
    rows = []
    for name, words in names.items():
        ratio = f"{m[name][0] / m['bare'][0]:.2f} × bare" if name != "bare" else ""
        wanted = {"photo": " (at most 1.1)", "lens": " (at most 1.1)"}.get(name, "")
        rows.append((words, milliseconds(m[name]), ratio + wanted))
    return rows


def scrub_rows(m: dict[str, tuple[float, float]]) -> list[tuple[str, str, str]]:
    """Return the rows of scrubbing, in frames of 1/60 s."""
    return [
        (f"DescentStepper, {name}", milliseconds(m[name]), f"{m[name][0] * 60 / 1000:.1f} frames")
        for name in ("scrub", "scrub, kernel busy")
    ]


def pointer_rows(m: dict[str, tuple[float, float]]) -> list[tuple[str, str, str]]:
    """Return the rows of pointing and dragging."""
    frames, (paints, late) = m["pointing"][0] * 60 / 1000, m["drag"]
    sums = f"{m['sums a second'][0]:.0f} sums a second (at least 20)"
    return [
        ("KernelEditor, 128 × 128, pointing", milliseconds(m["pointing"]), f"{frames:.1f} frames"),
        ("KernelEditor, 128 × 128, pointing", sums, ""),
        (
            "DescentStepper, dragging the rate",
            f"{paints:.0f} paints a second (at least 12)",
            f"the last {late:.0f} ms after the hand (at most 150)",
        ),
    ]


def process_rows(m: dict[str, tuple[float, float]]) -> list[tuple[str, str, str]]:
    """Return the rows of what is measured in processes of their own."""
    (seconds, size), (bare_seconds, bare_size) = m["first panel"], m["imports"]
    (checked, _), (plain, _) = m["nbval"], m["nbclient"]
    ratios = f"{seconds / bare_seconds:.2f} × the time (at most 1.15), "
    ratios += f"{size / bare_size:.2f} × the memory (at most 1.12)"
    return [
        ("bare imports", f"{bare_seconds:.2f} s, {bare_size:.0f} MiB", ""),
        ("first KernelEditor", f"{seconds:.2f} s, {size:.0f} MiB", ratios),
        ("all notebooks by nbclient", f"{plain:.1f} s", ""),
        ("all notebooks by nbval and its plugin", f"{checked:.1f} s", f"{checked / plain:.2f} ×"),
    ]


def report(m: dict[str, tuple[float, float]], calls: dict[str, int]) -> str:
    """Return the page."""
    packages = ("torch", "jupyterlab", "ipywidgets", "anywidget", "ipykernel", "matplotlib")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    rows = [*edit_rows(m), *scrub_rows(m), *pointer_rows(m)]
    rows += [(f"calls into convkit, {name}", str(count), "") for name, count in calls.items()]
    rows += process_rows(m)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""# Benchmarks

Written by `make bench` on {date.today()}: {os.cpu_count()} cores ({platform.machine()}), load
{os.getloadavg()[0]:.1f} at its end, Python {platform.python_version()}, {versions}.
Medians and 95th percentiles of {ROUNDS} edits, medians of {PROCESSES} processes and of {RUNS} runs
of all notebooks; the ways take turns. Times differ between machines; compare the ratios.

| what | median | beside it (wanted) |
| --- | --- | --- |
{table}

- **Edits**: from a box's `input` event in JupyterLab to the animation frame that shows the new
  output. All edit one weight of the Sobel x kernel. `interact` draws input and output anew, inline;
  the bare round trip sends a small PNG, straight from the output array, into `widgets.Image`, and
  nothing else.
- **Scrub**: from a DescentStepper's slider, at 100 recorded steps, to the next step's text on
  show, in milliseconds and in frames of 1/60 s; then the same while a cell keeps the kernel busy.
- **Pointing**: from a move over the photo to the frame in which the window has followed; and how
  often the kernel answers with the products and the sum. **Dragging**: the learning rate's slider
  for two seconds, at each frame.
- **Calls**: function calls into convkit for one typed edit, counted with `sys.setprofile`.
- **Bare imports**: `{BARE_IMPORTS}`
  in a fresh process that has IPython's shell. **First KernelEditor**: import it, make one of the
  128 × 128 photo, and format it for display.
- **All notebooks**, one after the other: run by nbclient in one process, and checked by
  `make test-notebooks` in another.
"""


def main() -> None:
    """Measure, show and write."""
    text = report(in_the_browser() | in_processes(), calls_of_edits())
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
