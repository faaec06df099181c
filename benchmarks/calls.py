"""How many calls into convkit an edit makes: a count that no other load on the machine changes."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

import convkit
from convkit import corr2d, stripes
from convkit.widgets import DescentStepper, KernelEditor
from tests.widgets.panel_driver import PanelDriver

PACKAGE = str(Path(convkit.__file__).parent)
CALLS = {
    "a weight of the photo": ("editor", "K[0, 0]", "-5"),
    "a learning rate at 100 steps": ("stepper", "learning rate", "0.02"),
}


def count_calls(action: Callable[[], object]) -> Counter[str]:
    """Return how often each function of convkit is called while `action` runs."""
    calls: Counter[str] = Counter()

    def profile(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            calls[frame.f_code.co_qualname] += 1

    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(None)
    return calls


def calls_of_edits() -> dict[str, int]:
    """Return how many calls into convkit each edit of `CALLS` makes."""
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
