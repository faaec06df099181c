"""What an edit costs, in calls into convkit."""

import pytest
import torch

from benchmarks.calls import count_calls
from convkit import corr2d, photo, stripes
from convkit.widgets import DescentStepper, KernelEditor
from tests.widgets.panel_driver import PanelDriver


@pytest.mark.parametrize("X", [photo(128), stripes()], ids=["photo", "stripes"])
def test_a_typed_weight_makes_fewer_than_a_thousand_calls(X):
    driver = PanelDriver(KernelEditor(X))
    calls = count_calls(lambda: driver.type("K[0, 0]", "-5"))
    assert 50 < calls.total() < 1000, calls.most_common(10)


def test_another_learning_rate_at_100_steps_makes_fewer_than_ten_thousand_calls():
    Y = corr2d(stripes(), torch.tensor([[1.0, -1.0]]))
    driver = PanelDriver(DescentStepper(stripes(), Y, torch.tensor([[0.5, 0.5]]), steps=100))
    calls = count_calls(lambda: driver.type("learning rate", "0.02"))
    assert 200 < calls.total() < 10_000, calls.most_common(10)
