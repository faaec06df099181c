"""Two thousand edits of a panel leave no widget and no tensor behind, and hold hardly a byte.

Held bytes are those of Python's own allocator; the process's memory is told, not judged.
"""

import gc
import tracemalloc

import ipywidgets
import psutil
import pytest
import torch
from matplotlib.axes import Axes

from convkit import stripes
from convkit.images import PICTURES
from convkit.kernels import KERNELS
from convkit.widgets import DescentStepper, KernelEditor, descent_stepper

SETTLED, TRACED, EDITS = 500, 1600, 2000
SLACK = 100_000
"""Bytes between two rounds of the same edits, 400 edits apart: to trace more takes minutes."""


def edit_kernel(panel):
    """Yield for ever, after each of 20 different edits."""
    controls = panel._controls
    small = [name for name in PICTURES if "photo" not in name]
    n = 0
    while True:
        n += 1
        controls.picture.value = small[n % len(small)]
        yield
        controls.preset.value = KERNELS[n % len(KERNELS)]
        yield
        for rows, columns in ((2, 3), (5, 1), (3, 3)):
            controls.rows.value, controls.columns.value = rows, columns
            yield
        for k in range(5):
            controls.grid._boxes[0, k % 3].value = f"{n}.{k}"
            yield
        controls.drag.value = 7 if controls.drag.value != 7 else 8
        yield
        controls.numbers["padding"].value = str(n % 2)
        yield
        controls.numbers["stride"].value = ""
        yield
        controls.flip.value = not controls.flip.value
        yield
        controls.pixels.selected_index = 0
        yield
        controls.pixel_grid._boxes[0, 0].value = str(n)
        yield
        controls.pixels.selected_index = None
        yield
        for move in ("undo", "undo", "redo"):
            controls.moves[move].click()
            yield


def edit_descent(panel):
    """Yield for ever, after each of 20 different edits."""
    controls, n = panel._controls, 0
    while True:
        n += 1
        for k in range(8):
            controls.scrub.value = k % 4
            yield
            controls.rate.value = f"0.0{n % 7 + 1}{k}"
            yield
        controls.count.value = 4 + n % 3
        yield
        controls.start._boxes[0, 0].value = str(n)
        yield
        panel.Y = panel.Y + (1 if n % 2 else -1)
        yield
        controls.reset.click()
        yield


def kept():
    """Return how many widgets and tensors are alive."""
    gc.collect()
    tensors = sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())
    return len(ipywidgets.widgets.widget._instances), tensors


def rss():
    return psutil.Process().memory_info().rss // 2**20


def take(edits, n):
    for _ in range(n):
        next(edits)
    gc.collect()


def grown(edits):
    """Return how many widgets and tensors 1,500 edits leave, and how many bytes the last 400 do.

    The fourth number is by how many MiB the process has grown over 1,000 of them.
    """
    take(edits, SETTLED)
    before, resident = kept(), rss()
    take(edits, TRACED - SETTLED - 100)
    resident = rss() - resident
    tracemalloc.start()
    try:
        take(edits, 100)
        held = tracemalloc.get_traced_memory()[0]
        take(edits, EDITS - TRACED)
        held = tracemalloc.get_traced_memory()[0] - held
    finally:
        tracemalloc.stop()
    widgets, tensors = kept()
    return widgets - before[0], tensors - before[1], held, resident


def panel_of(kind, monkeypatch):
    if kind == "KernelEditor":
        return edit_kernel(KernelEditor(stripes(), torch.ones(3, 3)))
    # Drawings take nine tenths of the time, and are kept nowhere: see test_draw.
    monkeypatch.setattr(descent_stepper, "save", lambda *_, **__: b"a drawing")
    for name in ("contour", "contourf"):
        monkeypatch.setattr(Axes, name, lambda *_, **__: None)
    return edit_descent(DescentStepper(stripes(), torch.ones(6, 7), torch.ones(1, 2), steps=4))


@pytest.mark.parametrize("kind", ["KernelEditor", "DescentStepper"])
def test_edits_leave_nothing_behind(kind, monkeypatch, record_property):
    widgets, tensors, held, resident = grown(panel_of(kind, monkeypatch))
    row = {"panel": kind, "widgets": widgets, "tensors": tensors, "bytes": held, "MiB": resident}
    record_property(f"table kept of edits {SETTLED} to {EDITS}", row)
    assert widgets == 0
    assert abs(tensors) < 50
    assert held < SLACK


@pytest.mark.parametrize(
    "leak", [lambda: ipywidgets.HTML(), lambda: torch.ones(1), lambda: bytes(999)]
)
def test_a_leak_is_seen(leak):
    kept_for_ever = []

    def edits():
        while True:
            kept_for_ever.append(leak())
            yield

    widgets, tensors, held, _ = grown(edits())
    assert widgets > 0 or tensors > 50 or held > SLACK
