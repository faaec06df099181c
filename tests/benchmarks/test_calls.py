"""What an edit costs, in calls into convkit: counts that no other load on the machine changes."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import convkit
from convkit import photo, stripes
from convkit.panels import DescentStepper, KernelEditor
from tests.ui.driver import Page

PACKAGE = str(Path(convkit.__file__).parent)


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


@pytest.mark.parametrize("X", [photo(128), stripes()], ids=["photo", "stripes"])
def test_a_typed_weight_makes_fewer_than_9_000_calls(X):
    page = Page(KernelEditor(X))
    calls = count_calls(lambda: page.type("K[0, 0]", "-5"))
    assert 500 < calls.total() < 9_000, calls.most_common(10)


def test_another_learning_rate_at_100_steps_makes_fewer_than_65_000_calls():
    target, start = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.5, 0.5]])
    page = Page(DescentStepper(stripes(), target=target, start=start, steps=100))
    calls = count_calls(lambda: page.type("learning rate", "0.02"))
    assert 5000 < calls.total() < 65_000, calls.most_common(10)
