"""A grid of number boxes that edits a small array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any

import torch
import traitlets
from torch import Tensor

from convkit import formatting
from convkit.errors import ConvkitError
from convkit.ops import validated_copy
from convkit.views.html import LEVELS, ink, tint
from convkit.widgets._part import Part, module, stylesheet
from convkit.widgets._typed import InvalidInput, read_block, read_number

MAX_CELLS = 256
"""The most cells that a grid of boxes has."""
COMPACT_SIDE = 5
"""From this many rows or columns on, boxes are narrow and show two digits."""

PASTE = -1
"""Stands for a pasted block where errors are kept by the index of their box."""

Cell = tuple[int, int]
EditHandler = Callable[[Tensor, Cell], None]


class ArrayEditor(Part):
    """A grid of number boxes on one small array.

    A text that is no number is refused: its box is marked as invalid and keeps the text, `error`
    says why, and the array keeps its value. Boxes show few digits; a value stays exact until its
    own box is edited.

    Parameters
    ----------
    value : Tensor
        Float array of shape (H, W), finite, of at most 256 cells.
    name : str
        What the array is: the accessible name of the grid, and the name in messages.
    symbol : str, optional
        Boxes are named "K[0, 0]" if it is "K"; `name` unless given.
    signed : bool
        Colour the boxes blue to red around 0; otherwise from black at 0 to white at 1.

    Attributes
    ----------
    error : str
        Why the text that was typed last was not taken; empty if all boxes hold numbers.
    cell : [int, int]
        The box that had the focus last.
    show_cell : bool
        Draw a ring around the box `cell`.

    Raises
    ------
    ConvkitError
        If `value` is no such array.

    Examples
    --------
    >>> editor = ArrayEditor(torch.tensor([[1.0, -1.0]]), "kernel", symbol="K")
    >>> editor.on_edit(lambda value, cell: print(value.tolist(), cell))
    >>> editor.names, editor.texts
    (['K[0, 0]', 'K[0, 1]'], ['1', '−1'])
    >>> editor.show(torch.tensor([[2.0]]))
    >>> editor.value
    tensor([[2.]])
    """

    _esm = module("array_editor")
    _css = stylesheet("array_editor")

    label = traitlets.Unicode("").tag(sync=True)
    shape = traitlets.List([1, 1]).tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    titles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colours = traitlets.List().tag(sync=True)
    compact = traitlets.Bool(False).tag(sync=True)
    invalid = traitlets.List(traitlets.Int()).tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    cell = traitlets.List(traitlets.Int(min=0), [0, 0], minlen=2, maxlen=2).tag(
        sync=True, echo_update=False
    )
    show_cell = traitlets.Bool(False).tag(sync=True)
    answered = traitlets.Float(0).tag(sync=True)

    def __init__(
        self,
        value: Tensor,
        name: str = "array",
        *,
        symbol: str | None = None,
        signed: bool = True,
    ) -> None:
        self._name = name
        self._symbol = symbol if symbol is not None else name
        self._signed = signed
        self._handlers: list[EditHandler] = []
        self._errors: dict[int, str] = {}  # by box; that of a paste is at PASTE
        self._valid_texts: list[str] = []  # what each box said when it was last valid
        self._value = torch.empty(0, 0)
        self._limit: float | None = None
        _check(name, value)
        super().__init__(label=name)
        self.show(value)
        self.on_msg(self._on_message)

    @property
    def value(self) -> Tensor:
        """The array, (H, W), as a copy."""
        return self._value.clone()

    def on_edit(self, handler: EditHandler) -> None:
        """Call `handler` with the new array and the cell (i, j) at each edit in the browser.

        The cell counts from 0. An array that was pasted into the first box may have another shape.

        Examples
        --------
        >>> editor = ArrayEditor(torch.eye(2))
        >>> editor.on_edit(lambda value, cell: print(f"{cell} is now {value[cell]}"))
        """
        self._handlers.append(handler)

    def show(self, value: Tensor, *, force: bool = False, limit: float | None = None) -> None:
        """Show another array, of any small shape; no handler is called.

        A box whose number is the same as before keeps its text, also one that is being typed.

        Parameters
        ----------
        value : Tensor
            Float array of shape (H, W), finite, of at most 256 cells.
        force : bool
            Replace all texts, those that were refused too.
        limit : float, optional
            The value of the darkest colour; fitted to the values unless given.

        Raises
        ------
        ConvkitError
            If `value` is no such array.

        Examples
        --------
        >>> editor = ArrayEditor(torch.eye(2))
        >>> editor.show(torch.tensor([[1 / 3]]))
        >>> editor.texts
        ['0.3333']
        """
        new = _check(self._name, value)
        kept = [False] * new.numel()
        if new.shape == self._value.shape and not force:
            kept = (new.double() == self._value.double()).flatten().tolist()
        self._value, self._limit = new, limit
        still_typed = {k for k, is_kept in enumerate(kept) if is_kept}
        self._errors = {k: text for k, text in self._errors.items() if k in still_typed}
        with self.hold_sync():
            self._show_texts(kept)
            self._show_colours()
            self._show_errors()

    def summary(self) -> str:
        """Return name, shape, range and digest of the array.

        Examples
        --------
        >>> ArrayEditor(torch.eye(2), "kernel").summary()
        'ArrayEditor: kernel: 2 × 2, from 0 to 1, digest 22536681'
        """
        return f"ArrayEditor: {formatting.describe(self._name, self._value)}"

    def _show_texts(self, kept: Sequence[bool]) -> None:
        rows, columns = self._value.shape
        exact = _flat(formatting.numbers(self._value))
        self.compact = max(rows, columns) >= COMPACT_SIDE
        shown = exact
        if self.compact:
            shown = _flat(formatting.narrow(self._value))
        if [rows, columns] != self.shape or not self.names:
            self.names = [f"{self._symbol}[{i}, {j}]" for i in range(rows) for j in range(columns)]
            self.shape = [rows, columns]
            self.cell = [min(self.cell[0], rows - 1), min(self.cell[1], columns - 1)]
        if any(kept):
            self._valid_texts = _merge(self._valid_texts, shown, kept)
            self.texts = _merge(self.texts, shown, kept)
        else:
            self._valid_texts = self.texts = shown
        self.titles = exact if self.compact else []

    def _show_colours(self) -> None:
        values = self._value.double()
        if self._signed:
            limit = self._limit or formatting.colour_limit(values)
            levels = (values / limit).clamp(-1, 1)
        else:
            low, high = min(0.0, values.min().item()), max(1.0, values.max().item())
            levels = (values - low) / (high - low)
        palette = _palette(self._signed)
        self.colours = [palette[n] for n in (levels * LEVELS).round().int().flatten().tolist()]

    def _show_errors(self) -> None:
        self.invalid = sorted(k for k in self._errors if k != PASTE)
        self.error = list(self._errors.values())[-1] if self._errors else ""

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        """Take an edit or a paste, sent by the browser as {cell, text or paste, stamp}."""
        if not isinstance(content, dict):
            return
        stamp = content.get("stamp")
        with self.hold_sync():  # one answer to one message, whatever the handlers show
            if isinstance(stamp, int | float):
                self.answered = float(stamp)
            self._take(content)

    def _take(self, content: dict[str, Any]) -> None:
        cell = self._cell_of(content.get("cell"))
        if cell is None:
            return
        if isinstance(content.get("text"), str):
            self._type(cell, content["text"])
        elif isinstance(content.get("paste"), str):
            self._paste(cell, content["paste"])

    def _cell_of(self, cell: object) -> Cell | None:
        """Return a cell of the array as it is now; an older message may name one that is gone."""
        match cell:
            case [int(i), int(j)] if 0 <= i < self.shape[0] and 0 <= j < self.shape[1]:
                return i, j
        return None

    def _type(self, cell: Cell, text: str) -> None:
        index = cell[0] * self.shape[1] + cell[1]
        self.texts = _replaced(self.texts, index, text)
        self._errors.pop(index, None)
        self._errors.pop(PASTE, None)
        if formatting.minus(text) == formatting.minus(
            self._valid_texts[index]
        ):  # rounded: the value behind it is exact
            self._show_errors()
            return
        new = self.value
        kept = new[cell].item()
        try:
            new[cell] = read_number(self.names[index], text, new.dtype, kept)
            self._valid_texts = _replaced(self._valid_texts, index, text)
        except InvalidInput as error:
            self._errors[index] = str(error)
        self._show_errors()
        if new[cell].item() != kept:
            self._edit(new, cell)

    def _paste(self, cell: Cell, text: str) -> None:
        """Fill the array from `cell` on; a block in the first box replaces the whole array."""
        self._errors.pop(PASTE, None)
        try:
            block = read_block(self._name, text, self._value.dtype, MAX_CELLS)
        except InvalidInput as error:
            self._errors[PASTE] = str(error)
            self._show_errors()
            return
        if cell == (0, 0):
            self._edit(block, cell, force=True)
            return
        new = self.value
        part = new[cell[0] :, cell[1] :]
        rows, columns = (min(pair) for pair in zip(part.shape, block.shape, strict=True))
        part[:rows, :columns] = block[:rows, :columns]
        self._edit(new, cell, force=True)

    def _edit(self, new: Tensor, cell: Cell, *, force: bool = False) -> None:
        """Show what was typed or pasted, and tell the handlers."""
        if force:
            self.show(new, force=True, limit=self._limit)
        else:
            self._value = new
            self._show_colours()
        for handler in self._handlers:
            handler(new.clone(), cell)


def _check(name: str, value: Tensor) -> Tensor:
    """Return a detached copy of an array that boxes can show."""
    new = validated_copy(name, value)
    if new.numel() > MAX_CELLS:
        raise ConvkitError(
            f"{name} has shape {tuple(new.shape)}, {new.numel()} cells",
            f"at most {MAX_CELLS} cells",
            "Edit a part of it, or show it as a picture.",
        )
    return new


def _replaced(texts: list[str], index: int, text: str) -> list[str]:
    return [*texts[:index], text, *texts[index + 1 :]]


def _merge(old: list[str], new: list[str], kept: Sequence[bool]) -> list[str]:
    return [old[k] if kept[k] else text for k, text in enumerate(new)]


def _flat(rows: list[list[str]]) -> list[str]:
    """Return the numbers of all rows, with minus signs."""
    return list(chain.from_iterable(formatting.with_minus(rows)))


@cache
def _palette(signed: bool) -> dict[int, list[str]]:
    """Return background and ink of each level from -LEVELS, or else 0, to LEVELS."""
    if signed:
        colours = {n: tint(n / LEVELS) for n in range(-LEVELS, LEVELS + 1)}
    else:
        greys = {n: round(255 * n / LEVELS) for n in range(LEVELS + 1)}
        colours = {n: "#" + 3 * f"{grey:02x}" for n, grey in greys.items()}
    return {n: [colour, ink(colour)] for n, colour in colours.items()}
