"""What is measured in a real JupyterLab: edits, scrubbing, pointing and dragging."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import ElementHandle, Page, WebSocket, expect

from benchmarks.clocks import DRAG, EDIT, POINT, SCRUB
from tools.lab import Lab, browser, cell, jupyterlab, notebooks_copy, open_notebook, run_cell

WARM_UP, ROUNDS = 3, 20
WEAK_ROUNDS = 8
SLOWDOWN = 4
"""By how much the browser is throttled on the weak machine."""
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
import gc
import time
from io import BytesIO
from pathlib import Path
import ipywidgets as widgets
import matplotlib.pyplot as plt
import torch
from PIL import Image
from convkit import corr2d, kernel, photo, stripes
from convkit.widgets import DescentStepper, KernelEditor
gc.disable()  # else one way pays for the garbage of another
P, K = photo(128), kernel("Sobel x")
def edited(weight):
    new = K.clone()
    new[0, 0] = weight
    return new"""
STEPPER = """\
Y = corr2d(stripes(), torch.tensor([[1.0, -1.0]]))
DescentStepper(stripes(), Y, torch.tensor([[0.5, 0.5]]), steps=100)"""
BUSY = "while not Path('go_on').exists():\n    time.sleep(0.01)"


Summary = tuple[float, float]
"""A median and a 95th percentile, or two figures that belong together."""


class Meter:
    """Counts the messages of a page's widgets, and the page's work on style and layout."""

    def __init__(self, page: Page) -> None:
        self._messages = 0
        self._page = page.context.new_cdp_session(page)
        self._page.send("Performance.enable")
        page.on("websocket", self._listen)

    def read(self) -> tuple[float, float]:
        """Return the messages, and the milliseconds of style and layout, so far."""
        metrics = {
            m["name"]: m["value"] for m in self._page.send("Performance.getMetrics")["metrics"]
        }
        return self._messages, 1000 * (metrics["RecalcStyleDuration"] + metrics["LayoutDuration"])

    def slow_down(self, factor: int) -> None:
        """Throttle the page's processor."""
        self._page.send("Emulation.setCPUThrottlingRate", {"rate": factor})

    def _listen(self, socket: WebSocket) -> None:
        for event in ("framesent", "framereceived"):
            socket.on(event, self._count)

    def _count(self, frame: str | bytes) -> None:
        data = frame if isinstance(frame, bytes) else frame.encode()
        self._messages += b'"method"' in data  # no other message of a kernel has one


@contextmanager
def notebook(
    lab: Lab, page: Page, ways: Mapping[str, tuple[str, str, str]]
) -> Iterator[dict[str, ElementHandle]]:
    """Give the outputs of each way and of the stepper; the last cell is not run yet."""
    sources = [IMPORTS, *(source for source, *_ in ways.values()), STEPPER, BUSY]
    cells = [new_code_cell(source) for source in sources]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    nbformat.write(new_notebook(cells=cells, metadata=spec), lab.root / "bench.ipynb")
    open_notebook(page, lab, "bench.ipynb")
    for n in range(1, len(sources)):
        run_cell(page, n)
    yield {
        name: cell(page, n).locator(".jp-OutputArea").first.element_handle()
        for n, name in enumerate((*ways, "stepper"), start=2)
    }


def idle(page: Page) -> None:
    """Wait until the kernel has done all that the last edit asked for."""
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    page.wait_for_timeout(200)  # what an edit leaves for later is done by then


def summed_up(times: list[float]) -> Summary:
    """Return the median and the 95th percentile of all but the warm-up."""
    counted = times[WARM_UP:]
    return median(counted), quantiles(counted, n=20)[-1]


def edit_to_paint(
    page: Page,
    meter: Meter,
    outputs: Mapping[str, ElementHandle],
    ways: Mapping[str, tuple[str, str, str]],
    rounds: int,
) -> dict[str, Summary]:
    """Return the milliseconds from edit to paint of each way, its messages, style and layout."""
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for turn in range(WARM_UP + rounds):
        for name, (_, box, picture) in ways.items():
            outputs[name].scroll_into_view_if_needed()
            idle(page)
            messages, work = meter.read()
            weight = f"{-2 + turn / 8:.3f}"
            time = page.evaluate(EDIT, [outputs[name], box, picture, weight])
            idle(page)
            after = meter.read()
            taken[name].append((time, after[0] - messages, after[1] - work))
    measured: dict[str, Summary] = {}
    for name, rows in taken.items():
        times, counts, works = (list(column) for column in zip(*rows, strict=True))
        measured[name] = summed_up(times)
        measured[f"work of {name}"] = summed_up(counts)[0], summed_up(works)[0]
    return measured


def scrub_to_paint(page: Page, stepper: ElementHandle) -> Summary:
    """Return the milliseconds from an input of the slider to the step."""
    stepper.scroll_into_view_if_needed()
    return summed_up([page.evaluate(SCRUB, stepper) for _ in range(WARM_UP + ROUNDS)])


def pointing(page: Page, editor: ElementHandle) -> dict[str, Summary]:
    """Return the milliseconds until the frame follows the pointer, and the sums in a second."""
    editor.scroll_into_view_if_needed()
    idle(page)
    lags, sums = page.evaluate(POINT, editor)
    return {"pointing": summed_up(lags), "sums a second": (sums, sums)}


def dragging(page: Page, stepper: ElementHandle) -> Summary:
    """Return the paintings in a second of a dragged rate, and how late the last one was."""
    stepper.scroll_into_view_if_needed()
    idle(page)
    runs = [page.evaluate(DRAG, stepper) for _ in range(3)]
    paints, late = (median(values) for values in zip(*runs, strict=True))
    return paints, late


def while_busy(page: Page, lab: Lab, n: int, stepper: ElementHandle) -> Summary:
    """Return what `scrub_to_paint` does, while cell `n` keeps the kernel busy."""
    busy = cell(page, n)
    prompt = busy.locator(".jp-InputPrompt")
    busy.locator(".cm-content").press("Shift+Enter")
    expect(prompt).to_have_text("[*]:")
    measured = scrub_to_paint(page, stepper)
    expect(prompt).to_have_text("[*]:")
    (lab.root / "go_on").touch()
    expect(prompt).not_to_have_text("[*]:")
    return measured


def in_the_browser() -> dict[str, Summary]:
    """Measure all that needs a page."""
    with notebooks_copy() as root, jupyterlab(root) as lab, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        meter = Meter(page)
        with notebook(lab, page, WAYS) as outputs:
            measured = edit_to_paint(page, meter, outputs, WAYS, ROUNDS)
            measured |= pointing(page, outputs["photo"])
            measured["scrub"] = scrub_to_paint(page, outputs["stepper"])
            measured["scrub, kernel busy"] = while_busy(
                page, lab, len(WAYS) + 3, outputs["stepper"]
            )
            # Last: it leaves a rate that diverges, with fewer steps to scrub.
            measured["drag"] = dragging(page, outputs["stepper"])
        return measured


@contextmanager
def one_core() -> Iterator[None]:
    """Let processes that are started inside the context share one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def on_a_weak_machine() -> dict[str, Summary]:
    """Measure with server and kernel on one core, and the browser throttled."""
    ways = {"photo": WAYS["photo"]}
    with ExitStack() as stack:
        root = stack.enter_context(notebooks_copy())
        with one_core():
            lab = stack.enter_context(jupyterlab(root))
        page = stack.enter_context(browser()).new_page(viewport={"width": 1400, "height": 1000})
        meter = Meter(page)
        with notebook(lab, page, ways) as outputs:
            meter.slow_down(SLOWDOWN)
            edits = edit_to_paint(page, meter, outputs, ways, WEAK_ROUNDS)
            scrub = scrub_to_paint(page, outputs["stepper"])
    return {"photo, weak": edits["photo"], "scrub, weak": scrub}
