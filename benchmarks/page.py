"""What is measured in a real JupyterLab: the panels of now, and those of `BEFORE` beside them."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import expect

from benchmarks.cells import EDITS, FOLLOWED, IMPORTS, ON_SCREEN, OTHERS, PANELS
from benchmarks.notebook import Notebook, opened
from benchmarks.turns import Measured, taking_turns
from tools.lab import PROJECT, browser, jupyterlab, run_cell

BEFORE = "fbd9004"
"""The commit whose panels are measured in the same run."""
MODULE, MODULE_BEFORE = "convkit.panels", "convkit.widgets"
WARM_UP, ROUNDS = 3, 20
FEW_ROUNDS = 8
SLOWDOWN = 4
"""By how much the browser is throttled on the weak machine."""
REST = 500
"""Milliseconds in which a page does all that an edit asks of it."""
TYPED = "0.125"
WEIGHTS = (f"{-2 + n % 40 / 8:.3f}" for n in count())
KERNEL_SIZES = cycle("435")
Figures = Mapping[str, float]


def edit(notebook: Notebook, name: str) -> Figures:
    """Type a weight, up to the frame that shows the new output."""
    notebook.output(name)
    notebook.idle()
    time, counted = notebook.clock("edit", name, [*EDITS[name], next(WEIGHTS)], rest=REST)
    return {"time": time, **counted}


def paint(notebook: Notebook) -> Figures:
    """Paint a pixel of the training picture, or take it back, up to the frame with its figures."""
    notebook.output("training picture")
    notebook.idle()
    time, counted = notebook.clock("paint", "training picture", [1, 1], rest=REST)
    return {"time": time, **counted}


def target(notebook: Notebook) -> Figures:
    """Type a weight of a stepper's target, at its fifth step."""
    notebook.clock("scrub", "stepper", 4)
    notebook.clock("scrub", "stepper", 5)
    notebook.idle()
    (path, tables), _ = notebook.clock("target", "stepper", next(WEIGHTS))
    return {"path": path, "tables": tables}


def scrub(notebook: Notebook, name: str = "long stepper") -> Figures:
    """Move a stepper's slider by one step."""
    return {"time": notebook.clock("scrub", name, None, rest=100)[0]}


def point(notebook: Notebook) -> Figures:
    """Move a pointer over the photo, away from the real one, whose place counts too."""
    notebook.output("photo")
    notebook.page.mouse.move(0, 0)
    notebook.idle()
    (time, sums), _ = notebook.clock("point", "photo", None, rest=REST)
    return {"time": time, "sums": sums}


def follow(notebook: Notebook, name: str) -> Figures:
    """Point at cells of a panel, or choose those of a lens."""
    notebook.output(name)
    notebook.page.mouse.move(0, 0)
    notebook.idle()
    told = [FOLLOWED[name], "lens" in name]
    return {"time": notebook.clock("follow", name, told, rest=REST)[0]}


def layer(notebook: Notebook) -> Figures:
    """Edit the first layer of the explorer, up to the frame in which all grids are others."""
    notebook.output("explorer")
    notebook.idle()
    told = ["kernel_size of layer 1", next(KERNEL_SIZES)]
    return {"time": notebook.clock("layer", "explorer", told, rest=REST)[0]}


def drag(notebook: Notebook) -> Figures:
    """Drag a stepper's learning rate for two seconds."""
    (paints, late), counted = notebook.clock("drag", "long stepper", None)
    return {"paints": paints, "late": late, **counted}


def show(notebook: Notebook, name: str) -> Figures:
    """Run a cell, up to the frame that shows all of its panel."""
    chosen = notebook.cell(name)
    notebook.output(name)
    chosen.locator(".cm-content").first.click()
    notebook.idle()
    before = notebook.meter.read()
    start = "([cell, parts]) => { window.shown = clocks.run(cell, parts); }"
    notebook.page.evaluate(start, [chosen.element_handle(), ON_SCREEN[name]])
    notebook.page.keyboard.press("Control+Enter")
    time = notebook.page.evaluate("window.shown")
    notebook.idle()
    return {"time": time, **notebook.since(before)}


def type_five(notebook: Notebook) -> Figures:
    """Type some characters in a panel of a learner's slow function; count how often it runs."""

    def runs() -> int:
        run_cell(notebook.page, 1 + notebook.names.index("runs"))
        return int(notebook.cell("runs").locator(".jp-OutputArea").first.inner_text())

    notebook.output("loop")
    before = runs()
    box = notebook.cell("loop").get_by_role("textbox", name="K[0, 0]", exact=True)
    box.press("ControlOrMeta+a")
    box.press_sequentially(TYPED, delay=100)
    notebook.page.wait_for_timeout(6 * REST)
    notebook.idle()
    return {"count": runs() - before}


@contextmanager
def kernels_busy(folder: Path, *notebooks: Notebook) -> Iterator[None]:
    """Keep the kernels of some notebooks busy by a cell, until the end of the context."""
    prompts = [notebook.cell("busy").locator(".jp-InputPrompt") for notebook in notebooks]
    for notebook, prompt in zip(notebooks, prompts, strict=True):
        notebook.page.bring_to_front()
        notebook.cell("busy").locator(".cm-content").press("Shift+Enter")
        expect(prompt).to_have_text("[*]:")
    yield
    for prompt in prompts:
        expect(prompt).to_have_text("[*]:")
    (folder / "go_on").touch()
    for prompt in prompts:
        expect(prompt).not_to_have_text("[*]:")


@contextmanager
def one_core() -> Iterator[None]:
    """Let processes that are started inside the context share one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def both(
    panels: Mapping[str, str], cores: Callable[[], AbstractContextManager] = nullcontext
) -> Iterator[tuple[Notebook, Notebook, Path]]:
    """Give a notebook with the panels of now, one with those of `BEFORE`, and their folder."""
    with ExitStack() as stack:
        root, old = (Path(stack.enter_context(TemporaryDirectory())) for _ in range(2))
        archive = ["git", "archive", BEFORE, "convkit"]
        packed = subprocess.run(archive, cwd=PROJECT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "x", "-C", old], input=packed, check=True)
        with cores():
            lab = stack.enter_context(jupyterlab(root))
        chromium = stack.enter_context(browser())
        imports = {"imports": IMPORTS.format(folders=[], module=MODULE)}
        imports_before = {"imports": IMPORTS.format(folders=[str(old)], module=MODULE_BEFORE)}
        now = opened(lab, chromium, "now.ipynb", imports | OTHERS | panels)
        before = opened(lab, chromium, "before.ipynb", imports_before | panels)
        yield stack.enter_context(now), stack.enter_context(before), root


def in_the_browser() -> Measured:
    """Measure all that needs a page."""
    with both(PANELS) as (now, before, root):
        pair = partial(beside, now, before)
        edits = {name: partial(edit, now, name) for name in EDITS}
        edits |= pair(edit, "photo") | pair(edit, "small") | {"paint": partial(paint, now)}
        measured = taking_turns(edits, ROUNDS, WARM_UP)
        measured |= taking_turns(pair(target), ROUNDS, WARM_UP)
        measured |= taking_turns(pair(point), FEW_ROUNDS)
        follows = {f"follow {name}": partial(follow, now, name) for name in FOLLOWED}
        measured |= taking_turns(follows | {"layer": partial(layer, now)}, FEW_ROUNDS)
        scrubs = pair(scrub) | {"scrub kept run": partial(scrub, now, "kept run")}
        measured |= taking_turns(scrubs, ROUNDS, WARM_UP)
        with kernels_busy(root, now, before):
            busy = taking_turns(pair(scrub), ROUNDS, WARM_UP)
        measured |= {f"busy {name}": figures for name, figures in busy.items()}
        measured |= taking_turns(pair(show, "photo") | pair(show, "stepper"), FEW_ROUNDS)
        measured |= taking_turns(pair(type_five), 2)
        # Last: it leaves a rate that diverges, with fewer steps to scrub.
        return measured | taking_turns(pair(drag), FEW_ROUNDS)


def on_a_weak_machine() -> Measured:
    """Measure with server and kernels on one core, and the browser throttled."""
    panels = {name: PANELS[name] for name in ("photo", "long stepper")}
    with both(panels, one_core) as (now, before, _):
        for notebook in (now, before):
            notebook.meter.slow_down(SLOWDOWN)
        pair = partial(beside, now, before)
        measured = taking_turns(pair(edit, "photo"), FEW_ROUNDS, WARM_UP)
        measured |= taking_turns(pair(scrub), FEW_ROUNDS, WARM_UP)
    return {f"weak {name}": figures for name, figures in measured.items()}


def beside(now: Notebook, before: Notebook, measure: Callable, *told: str) -> dict[str, Callable]:
    """Return a measure of the panels of now, and the same of those before, by name."""
    name = " ".join([measure.__name__, *told]).removeprefix("edit ")
    return {name: partial(measure, now, *told), f"{name} before": partial(measure, before, *told)}
