"""Fields of a state that check, convert and copy what they are given.

Each function returns the default of a dataclass field whose check runs whenever the field is set:

    class PoolingState(State):
        X: Tensor = fields.array(max_side=12)
        mode: str = fields.choice("max", "avg")
        at: tuple[int, int] = fields.cell(view=True)

With ``view=True`` a field only chooses what is looked at; see `Store`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from torch import Tensor

from convkit import ops
from convkit.errors import ConvkitError, brief_repr, check_choice
from convkit.inputs import as_array

__all__ = ["array", "cell", "checked", "choice", "flag", "pair", "real", "whole"]
REQUIRED: Any = dataclasses.MISSING
"""The default of a field that must be given."""


def checked(
    check: Callable[[str, Any], Any],
    default: Any = REQUIRED,
    *,
    optional: bool = False,
    view: bool = False,
) -> Any:
    """Return a field with a check of its own.

    Parameters
    ----------
    check : callable
        ``check(name, value)`` returns the value that is kept, or raises ConvkitError.
    default : object
        The value unless one is given; without it, one must be given.
    optional : bool
        Whether it may be None.
    view : bool
        Whether the field only chooses what is looked at.

    Examples
    --------
    >>> from convkit.ui import State
    >>> class Named(State):
    ...     name: str = checked(lambda name, value: value.strip(), "")
    >>> Named("  edge ").name
    'edge'
    """

    def check_given(name: str, value: Any) -> Any:
        return None if optional and value is None else check(name, value)

    metadata = {"check": check_given, "view": view}
    if type(default).__hash__ is None:  # dataclasses take no such default, which could be changed
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def array(
    default: Any = REQUIRED,
    *,
    max_side: int | None = None,
    optional: bool = False,
    view: bool = False,
) -> Any:
    """Return a field for finite numbers of shape (H, W), kept as a float tensor on the CPU.

    It takes whatever `convkit.inputs.as_array` does, and keeps a copy.

    Parameters
    ----------
    default : object
        As in `checked`.
    max_side : int, optional
        The most rows or columns.
    optional, view : bool
        As in `checked`.

    Examples
    --------
    >>> from convkit.ui import State
    >>> class Picture(State):
    ...     X: Tensor = array(max_side=4)
    >>> Picture([[1, 2]]).X
    tensor([[1., 2.]])
    """

    def check(name: str, value: Any) -> Tensor:
        values = ops.check_finite(name, as_array(name, value))
        if max_side is not None and max(values.shape) > max_side:
            given = f"{name} has shape {tuple(values.shape)}"
            hint = f"Take a part of it, such as {name}[:{max_side}, :{max_side}]."
            raise ConvkitError(given, f"at most {max_side} rows and columns", hint)
        return values

    return checked(check, default, optional=optional, view=view)


def whole(
    default: Any = REQUIRED,
    low: int = 0,
    high: int = ops.MAX_INTEGER,
    *,
    view: bool = False,
) -> Any:
    """Return a field for a whole number from `low` to `high`, of any kind, kept as an int.

    Examples
    --------
    >>> from convkit.ui import State
    >>> class Window(State):
    ...     size: int = whole(2, 1, 4)
    >>> Window(9)
    Traceback (most recent call last):
    convkit.errors.ConvkitError: size is 9; expected a whole number from 1 to 4. Choose one of them.
    """

    def check(name: str, value: Any) -> int:
        return ops.to_whole(name, value, low, high)

    return checked(check, default, view=view)


def real(
    default: Any = REQUIRED,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: float | None = None,
    optional: bool = False,
    view: bool = False,
) -> Any:
    """Return a field for a finite number from `low` to `high`, of any kind, kept as a float.

    With `above` it has to be greater than that; `optional` and `view` are as in `checked`.

    Examples
    --------
    >>> from convkit.ui import State
    >>> class Rate(State):
    ...     lr: float = real(0.03, above=0)
    >>> Rate(0)
    Traceback (most recent call last):
    convkit.errors.ConvkitError: lr is 0; expected a number above 0. Choose another number.
    """

    def check(name: str, value: Any) -> float:
        number = ops.as_real(value)
        inside = number is not None and math.isfinite(number) and low <= number <= high
        if not inside or (above is not None and number <= above):  # type: ignore[operator]
            expected = f"a number {_range(low, high, above)}"
            raise ConvkitError(f"{name} is {brief_repr(value)}", expected, "Choose another number.")
        return number  # type: ignore[return-value]

    return checked(check, default, optional=optional, view=view)


def _range(low: float, high: float, above: float | None) -> str:
    if above is not None:
        return f"above {above:g}" + ("" if math.isinf(high) else f", up to {high:g}")
    if math.isinf(low) and math.isinf(high):
        return "that is finite"
    return f"from {low:g} to {high:g}"


def pair(
    default: Any = REQUIRED, low: int = 0, high: int = ops.MAX_INTEGER, *, view: bool = False
) -> Any:
    """Return a field for a whole number or a pair (h, w) of them; equal ones become one number.

    Examples
    --------
    >>> from convkit.ui import State
    >>> class Window(State):
    ...     stride: int = pair(1, 1)
    >>> Window((2, 2)).stride, Window((1, 2)).stride
    (2, (1, 2))
    """

    def check(name: str, value: Any) -> int | tuple[int, int]:
        h, w = ops.to_pair(name, value, low, high)
        return h if h == w else (h, w)

    return checked(check, default, view=view)


def cell(default: Any = (0, 0), *, optional: bool = False, view: bool = False) -> Any:
    """Return a field for a cell (i, j) of an array, counted from 0.

    Examples
    --------
    >>> from convkit.ui import State
    >>> class Chosen(State):
    ...     at: tuple[int, int] = cell(view=True)
    >>> Chosen([1, 2]).at
    (1, 2)
    """
    return checked(ops.to_pair, default, optional=optional, view=view)


def choice(*words: str, view: bool = False) -> Any:
    """Return a field for one of some words, by default the first.

    Examples
    --------
    >>> from convkit.ui import State
    >>> class Pooling(State):
    ...     mode: str = choice("max", "avg")
    >>> Pooling("median")
    Traceback (most recent call last):
    convkit.errors.ConvkitError: mode is 'median'; expected one of max, avg. Check the name.
    """

    def check(name: str, value: Any) -> str:
        check_choice(name, value, words)
        return str(value)

    return checked(check, words[0], view=view)


def flag(default: bool = False, *, view: bool = False) -> Any:
    """Return a field for True or False.

    Examples
    --------
    >>> from convkit.ui import State
    >>> class Kernel(State):
    ...     flip: bool = flag()
    >>> Kernel(1)
    Traceback (most recent call last):
    convkit.errors.ConvkitError: flip is 1; expected True or False. Choose one.
    """

    def check(name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ConvkitError(f"{name} is {brief_repr(value)}", "True or False", "Choose one.")
        return value

    return checked(check, default, view=view)
