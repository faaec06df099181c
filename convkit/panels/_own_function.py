"""A learner's own function: what it gives, and where that is not what the library gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from convkit import formatting, ops, user_function
from convkit.comparison import mismatch_mask, rounding_bound
from convkit.errors import ConvkitError
from convkit.formatting import minus
from convkit.ui import Cell
from convkit.user_function import UserFunctionError, name_of


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a learner's function gave, beside the library's output.

    Attributes
    ----------
    name : str
        What the function is called.
    output : Tensor or None
        What it returned, (H_out, W_out), unless it failed.
    mismatch : Tensor or None
        Where that differs from the library's output beyond rounding, of bool.
    failure : str
        Why it could not be compared; empty where it could.
    printed : str
        What it printed.
    """

    name: str
    output: Tensor | None = None
    mismatch: Tensor | None = None
    failure: str = ""
    printed: str = ""

    @cached_property
    def count(self) -> int:
        """How many cells differ."""
        return 0 if self.mismatch is None else int(self.mismatch.sum())

    def difference_after(self, cell: Cell = (0, -1)) -> Cell:
        """Return the next cell that differs, in reading order; after the last one, the first."""
        assert self.mismatch is not None
        columns = self.mismatch.shape[1]
        places = self.mismatch.flatten().nonzero().flatten()
        later = places[places > cell[0] * columns + cell[1]]
        i, j = divmod(int((later if len(later) else places)[0]), columns)
        return i, j

    def words(self, expected: Tensor, is_marked: bool) -> str:
        """Return what came out, given the library's output, and whether differences are marked."""
        if self.failure:
            return f"{self.failure} What you see is convkit's own output."
        assert self.mismatch is not None and self.output is not None
        if not self.count:
            return f"{self.name} agrees with convkit in all {expected.numel()} cells."
        i, j = self.difference_after()
        ours, theirs = formatting.distinct_numbers(expected[i, j], self.output[i, j])
        where = (", marked ≠" if is_marked else "") + _pattern(self.mismatch)
        return (
            f"{self.name} differs from convkit in {self.count} of {expected.numel()} cells{where}. "
            f"The first, Y[{i}, {j}], is {minus(theirs)}, not {minus(ours)}."
        )


def compare(
    function: Callable[..., Any], X: Tensor, K: Tensor, expected: Tensor, options: Mapping[str, Any]
) -> Comparison:
    """Run a learner's function and compare; its failure is part of what is returned.

    Parameters
    ----------
    function : callable
        Takes X, K and the options.
    X, K, options
        As in `corr2d`; of the options those that are not as they are by default.
    expected : Tensor
        The library's output.

    Examples
    --------
    >>> X, K = torch.eye(2), torch.ones(1, 1)
    >>> compare(lambda X, K: X + 1, X, K, X, {}).mismatch.all()
    tensor(True)
    """
    made = Comparison(name_of(function))
    try:
        call = user_function.call(function, X, K, **options)
    except UserFunctionError as error:
        return replace(made, failure=str(error), printed=error.printed)
    made = replace(made, printed=call.printed)
    try:
        if call.changed:
            given = f"{made.name} changed its input in place"
            raise ConvkitError(given, "X and K unchanged", "Work on a copy, such as X.clone().")
        hint = "Along each axis there are n - k + 1 windows."
        output = checked_tensor(made.name, call.value, expected, hint)
    except ConvkitError as error:
        return replace(made, failure=str(error))
    mismatch = mismatch_mask(output, expected, rounding_bound(X, K, **options))
    return replace(made, output=output, mismatch=mismatch)


def checked_tensor(name: str, given: Any, expected: Tensor, hint: str) -> Tensor:
    """Return what a learner's function returned, if it can be compared with what is expected.

    Raises
    ------
    ConvkitError
        If it is no ordinary tensor of that shape, with the hint, or not finite.
    """
    wanted = f"a float tensor of {formatting.size(expected.shape)}"
    _check_ordinary(name, given, wanted)
    if given.shape != expected.shape:
        is_grid = given.ndim > 1
        size = (
            formatting.size(given.shape) if is_grid else f"a tensor of shape {tuple(given.shape)}"
        )
        raise ConvkitError(f"{name} returned {size}", wanted, hint)
    value: Tensor = given.detach().cpu().to(expected.dtype)
    if not ops.all_finite(value):
        raise ConvkitError(f"{name} returned inf or nan", wanted, "Look for a division by 0.")
    return value


def _check_ordinary(name: str, value: object, wanted: str) -> None:
    """Raise ConvkitError unless a learner's function returned a plain, dense, real tensor."""
    if not isinstance(value, Tensor):
        hint = "Is there a return?" if value is None else "Write torch.tensor(...) around it."
        raise ConvkitError(f"{name} returned {type(value).__name__}, no tensor", wanted, hint)
    if type(value) not in (Tensor, nn.Parameter) or value.is_nested or value.is_quantized:
        given = f"{name} returned an unusual kind of tensor, {type(value).__name__}"
        raise ConvkitError(given, wanted, "Return an ordinary tensor.")
    if value.layout != torch.strided or value.device.type == "meta":
        given = f"{name} returned a tensor of layout {value.layout} on device {value.device}"
        raise ConvkitError(given, wanted, "Return a dense tensor with values.")
    if value.is_complex():
        raise ConvkitError(f"{name} returned complex numbers", wanted, "Return real numbers.")


def _pattern(mismatch: Tensor) -> str:
    """Return ", all in row 5, the last" where all marked cells are in one of several rows."""
    for axis, name in enumerate(("row", "column")):
        lines = mismatch.any(1 - axis).nonzero().flatten().tolist()
        size = mismatch.shape[axis]
        if len(lines) == 1 < size and mismatch.sum() > 1:
            last = ", the last" if lines[0] == size - 1 else ""
            return f", all in {name} {lines[0]}{last}"
    return ""
