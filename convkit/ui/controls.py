"""The control that suits an argument of a function, for `explore`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from convkit import formatting, ops
from convkit.errors import ConvkitError, brief_repr
from convkit.formatting import minus
from convkit.inputs import as_array
from convkit.ui import fields, nodes
from convkit.ui.cursors import Cell, Cursor, Frame
from convkit.ui.nodes import Node
from convkit.ui.store import Edit, Fields, equal
from convkit.ui.theme import Scale

POSITIONS = 100
"""Positions of a slider of numbers that are not whole."""
MAX_BOXES = 12
"""The most rows or columns of an array that is typed into; a larger one is shown as it is."""
EXPECTED = "a pair (low, high), a list or dict of values, a bool, a number, a text or an array"


@dataclass(frozen=True)
class Pair:
    """An argument that is one whole number or two of them, such as a stride: "2" or "1, 2".

    Attributes
    ----------
    value : int or (h, w)
        The first value.
    low : int
        The least that either number may be.

    Examples
    --------
    >>> from convkit import output_size
    >>> from convkit.ui import explore
    >>> panel = explore(lambda stride: output_size(9, 3, stride=stride), stride=Pair(2, low=1))
    >>> panel.stride = 1, 2
    >>> panel.store.result.value
    (7, 4)
    """

    value: int | tuple[int, int] = 1
    low: int = 0


@dataclass(frozen=True)
class Painted:
    """An argument that is a picture (H, W) of 0s and 1s, up to 12 x 12, to paint.

    A pixel that is pressed turns from 0 to 1, or back, and all that a drag crosses become the same.
    With keys, arrows lead to a pixel and Space turns it. A stroke is one step of undo.

    Attributes
    ----------
    X : array
        The first picture.

    Examples
    --------
    >>> import torch
    >>> from convkit.ui import explore
    >>> panel = explore(lambda X: f"{int(X.sum())} white pixels", X=Painted(torch.zeros(6, 8)))
    >>> panel.X = torch.ones(6, 8)
    >>> panel.store.result.value
    '48 white pixels'
    """

    X: Any


@dataclass(frozen=True)
class Control:
    """How an argument is kept in the state, shown, and passed on.

    Attributes
    ----------
    field : object
        Its field, with its check and its first value.
    node : callable
        ``node(kept)`` returns the node that shows and edits it.
    argument : callable
        ``argument(kept)`` returns what the function gets.
    """

    field: Any
    node: Callable[[Any], Node]
    argument: Callable[[Any], Any] = lambda kept: kept


def control_of(name: str, given: Any) -> Control:
    """Return the control that suits what was given for an argument; see `explore`.

    Raises
    ------
    ConvkitError
        If nothing suits it.

    Examples
    --------
    >>> control_of("n", (1, 9)).node(3).kind, control_of("n", 3).node(3).kind
    ('slider', 'entry')
    """
    for kind, make in MAKERS.items():
        if isinstance(given, kind):
            return make(name, given)
    number = ops.as_real(given)
    return _array(name, given) if number is None else _number(name, number)


def _flag(name: str, given: bool) -> Control:
    return Control(fields.flag(given), lambda is_on: nodes.check(name, is_on, name))


def _text(name: str, given: str) -> Control:
    field = fields.checked(lambda name, value: str(value), given)
    return Control(field, lambda text: nodes.entry(name, text, name))


def _pair(name: str, given: Pair) -> Control:
    field = fields.pair(given.value, given.low)
    return Control(field, lambda kept: nodes.pair_entry(name, kept, given.low))


def _number(name: str, given: float) -> Control:
    return Control(fields.real(given), lambda kept: nodes.number_entry(name, kept, name))


def _options(name: str, given: list[Any] | Mapping[str, Any]) -> Control:
    """Return a list to choose from; of a dict the state keeps the key."""
    if not given:
        raise ConvkitError(f"{name} is empty", "values to choose from", "Give it one or more.")
    options = list(given)

    def check(name: str, value: Any) -> Any:
        for option in options:
            if equal(option, value):
                return option
        expected = f"one of {', '.join(map(brief_repr, options))}"
        raise ConvkitError(f"{name} is {brief_repr(value)}", expected, "Choose one of them.")

    def argument(kept: Any) -> Any:
        return given[kept] if isinstance(given, Mapping) else kept

    field = fields.checked(check, options[0])
    return Control(field, lambda kept: nodes.select(name, options, kept, name), argument)


def _slider(name: str, given: tuple[Any, ...]) -> Control:
    low, high, start = _ends(name, given)
    if all(ops.as_integer(n) is not None for n in given):
        first, last = int(low), int(high)
        field = fields.whole(int(start), first, last)
        return Control(field, lambda n: nodes.slider(name, first, last, n, name, minus(str(n))))

    def edits(position: int) -> dict[str, float]:
        if position == POSITIONS:
            return {name: high}
        between = formatting.number(low + (high - low) * position / POSITIONS)
        return {name: max(low, float(between))}

    def node(kept: float) -> Node:
        position = round((kept - low) / (high - low) * POSITIONS)
        words = minus(formatting.number(kept))
        return nodes.slider(name, 0, POSITIONS, position, edits, words)

    return Control(fields.real(start, low, high), node)


def _ends(name: str, given: tuple[Any, ...]) -> list[float]:
    """Return the low end of a slider, the high end and the start."""
    numbers = [number for value in given if (number := ops.as_real(value)) is not None]
    is_right = len(numbers) == len(given) in (2, 3) and numbers[0] < numbers[1]
    if not is_right:
        hint = "Write (low, high) or (low, high, start), with low below high."
        raise ConvkitError(f"{name} is {brief_repr(given)}", "two or three numbers", hint)
    return numbers if len(given) == 3 else [*numbers, numbers[0]]


def _array(name: str, given: Any) -> Control:
    """Return a grid of number boxes; a large array is only shown."""
    try:
        values = as_array(name, given)
    except ConvkitError as error:
        hint = "See the documentation of explore."
        raise ConvkitError(f"{name} is a {type(given).__name__}", EXPECTED, hint) from error
    if max(values.shape) > MAX_BOXES:
        return Control(fields.array(values), lambda kept: nodes.array(name, kept))
    return Control(fields.array(values), lambda kept: nodes.numbers(name, kept, name))


def _painted(name: str, given: Painted) -> Control:
    hexadecimal = name.encode().hex()  # another name for each argument, in letters alone
    letters = "".join([chr(ord("a") + int(digit, 16)) for digit in hexadecimal])

    def node(X: Tensor) -> Node:
        pixel = Cursor(f"pixel-{letters}", tuple(X.shape), (0, 0))
        said = [
            [f"{name}[{i}, {j}] = {text}" for j, text in enumerate(line)]
            for i, line in enumerate(formatting.cell_texts(X))
        ]
        return nodes.table(
            name,
            X,
            Scale("grey", 0, 1),
            frames=[Frame(pixel, hue="input")],
            descriptions=said,
            headers=False,
            paint=partial(_turned, name),
        )

    return Control(fields.array(given.X, max_side=MAX_BOXES), node)


def _turned(name: str, cells: Sequence[Cell]) -> Edit:
    """Return the edit of a stroke: its first pixel turns, and those that follow become the same."""

    def change(state: Any) -> Fields:
        X = getattr(state, name).clone()
        first, *others = cells
        if not others:
            X[first] = float(X[first] < 0.5)
        for cell in others:
            X[cell] = X[first]
        return {name: X}

    return Edit(change, name)


MAKERS: dict[type, Callable[[str, Any], Control]] = {
    bool: _flag,
    str: _text,
    Pair: _pair,
    Painted: _painted,
    list: _options,
    dict: _options,
    tuple: _slider,
}
"""How the control of each type of argument is made."""
