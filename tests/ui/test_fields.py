"""Fields: each checks, converts and copies; what it refuses is said in words."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from convkit import ConvkitError
from convkit.ui import State, fields


class Every(State):
    X: torch.Tensor = fields.array(torch.tensor([[1.0, 2.0]]), max_side=3)
    other: torch.Tensor = fields.array(None, optional=True)
    n: int = fields.whole(1, 0, 9)
    rate: float = fields.real(0.5, above=0)
    share: float = fields.real(0.5, 0, 1)
    stride: int = fields.pair(1, 1)
    at: tuple = fields.cell(view=True)
    spot: tuple = fields.cell(None, optional=True)
    mode: str = fields.choice("max", "avg")
    flip: bool = fields.flag()


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("X", [[1, 2], [3, 4]], torch.tensor([[1.0, 2.0], [3.0, 4.0]])),
        ("X", np.eye(2, dtype=np.float16), torch.eye(2)),
        ("X", torch.eye(2).double(), torch.eye(2).double()),
        ("X", torch.ones(1, 1, dtype=torch.int64), torch.ones(1, 1)),
        ("X", Image.new("L", (1, 2), 255), torch.ones(2, 1)),
        ("other", None, None),
        ("n", np.int64(9), 9),
        ("n", torch.tensor(3), 3),
        ("rate", 1, 1.0),
        ("share", np.float32(0.5), 0.5),
        ("stride", (2, 2), 2),
        ("stride", [1, 2], (1, 2)),
        ("at", [3, 4], (3, 4)),
        ("spot", None, None),
        ("mode", "avg", "avg"),
        ("flip", True, True),
    ],
)
def test_what_is_kept(name, given, kept):
    value = getattr(Every(**{name: given}), name)
    assert type(value) is type(kept)
    if isinstance(kept, torch.Tensor):
        assert value.dtype == kept.dtype and torch.equal(value, kept)
    else:
        assert value == kept


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("X", [[math.nan]], "X"),
        ("X", torch.zeros(0, 2), "X"),
        ("X", torch.zeros(4, 1), "X has shape (4, 1); expected at most 3 rows and columns"),
        ("n", 10, "n is 10; expected a whole number from 0 to 9"),
        ("n", 1.5, "n is 1.5"),
        ("n", None, "n is None"),
        ("n", True, "n is True"),
        ("rate", 0, "rate is 0; expected a number above 0"),
        ("rate", math.inf, "rate is inf"),
        ("share", 1.01, "expected a number from 0 to 1"),
        ("share", "0.5", "share is '0.5'"),
        ("stride", 0, "stride"),
        ("stride", (1, 2, 3), "stride"),
        ("at", (-1, 0), "at"),
        ("mode", "mean", "mode is 'mean'; expected one of max, avg"),
        ("mode", ["max"], "mode is ['max']"),
        ("flip", 1, "flip is 1; expected True or False"),
    ],
)
def test_what_is_refused_whether_made_or_replaced(name, given, message):
    for make in (Every, Every().replace):
        with pytest.raises(ConvkitError) as caught:
            make(**{name: given})
        assert message in str(caught.value)


def test_an_array_is_a_copy_without_gradients():
    X = torch.ones(1, 2, requires_grad=True)
    state = Every(X=X)
    with torch.no_grad():
        X.zero_()
    assert state.X.tolist() == [[1, 1]] and not state.X.requires_grad
    assert state.replace(n=2).X is state.X


def test_fields_that_do_not_fit_together_are_refused_after_each_is_checked():
    class Both(State):
        low: int = fields.whole(1)
        high: int = fields.whole(2)

        def validate(self):
            if self.low > self.high:
                raise ConvkitError("low is above high", "low to high", "Swap them.")

    assert Both(1, 5).replace(low=4).low == 4
    with pytest.raises(ConvkitError, match="low is above high"):
        Both().replace(low=3)
