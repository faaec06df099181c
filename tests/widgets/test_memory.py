"""Hundreds of edits of a panel leave no widget and no tensor behind, and hold hardly a byte.

Held bytes are those of Python's own allocator; the size of the process is printed, not judged.
"""

import gc
import tracemalloc

import ipywidgets
import psutil
import pytest
import torch

from convkit import corr2d, stripes
from convkit.kernels import KERNELS
from convkit.widgets import DescentStepper, KernelEditor
from tests.widgets.panel_driver import PanelDriver

EDITS = 600
MAX_HELD = 150_000
"""Bytes that the second half of the edits may leave: the log keeps the numbers that were set."""


def edit_kernel(driver, n):
    driver.type("K[0, 0]", str(n % 7))
    if n % 10 == 0:
        driver.choose("named kernel", KERNELS[n // 10 % len(KERNELS)])
        driver.choose("window", n % 5)
    if n % 25 == 0:
        driver.press("undo")


def edit_descent(driver, n):
    driver.choose("step", n % 3)
    if n % 20 == 0:
        driver.type("learning rate", f"0.0{1 + n % 3}")
        driver.type("start[0, 0]", str(n % 4))
    if n % 25 == 0:
        driver.press("undo")


def panels():
    edge = torch.tensor([[1.0, -1.0]])
    descent = DescentStepper(stripes(), corr2d(stripes(), edge), torch.zeros(1, 2), steps=3)
    return {"KernelEditor": (KernelEditor(stripes()), edit_kernel),
            "DescentStepper": (descent, edit_descent)}  # fmt: skip


def live():
    gc.collect()
    kinds = [type(thing) for thing in gc.get_objects()]
    return sum(issubclass(kind, ipywidgets.Widget) for kind in kinds)


@pytest.mark.parametrize("name", ["KernelEditor", "DescentStepper"])
def test_edits_leave_nothing_behind(name):
    panel, edit = panels()[name]
    driver = PanelDriver(panel)
    tracemalloc.start()
    for n in range(EDITS // 2):
        edit(driver, n)
    widgets, process = live(), psutil.Process().memory_info().rss
    before, _ = tracemalloc.get_traced_memory()
    for n in range(EDITS // 2, EDITS):
        edit(driver, n)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    grown = (psutil.Process().memory_info().rss - process) / 2**20
    print(f"{name}: {held} bytes held, the process grew by {grown:.0f} MiB")
    assert live() == widgets
    assert held < MAX_HELD
