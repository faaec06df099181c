"""A grid of labelled number boxes that edits a small array."""

from __future__ import annotations

import ipywidgets as widgets
import torch
import traitlets
from ipywidgets.widgets.widget_string import TextStyle
from torch import Tensor

from convkit import formatting
from convkit.views.html import colours, grey_class, tint_class
from convkit.ops import check_array
from convkit.widgets._base import Checked, html
from convkit.widgets.typed import HalfTyped, read_number


class ArrayEditor(widgets.VBox):
    """A grid of number boxes on one small array.

    Parameters
    ----------
    value : Tensor
        Float array (H, W).
    name : str
        What the array is: boxes are called "kernel row 1 column 2", counted from 1.
    signed : bool
        Colours: diverging around 0, or else grey from 0 to 1 as for a picture.

    Attributes
    ----------
    value : Tensor
        The array; a new tensor after each edit. Set it to show another one.
    edited : (i, j)
        The cell that was edited last, counted from 0.
    complaint : str
        Why the last text typed was not taken; empty where it was.
    """

    value = Checked()
    edited = traitlets.Tuple((0, 0))
    complaint = traitlets.Unicode()

    def __init__(self, value: Tensor, name: str = "array", *, signed: bool = True) -> None:
        self._name, self._signed = name, signed
        self._boxes: dict[tuple[int, int], widgets.Text] = {}
        self._style = TextStyle(description_width="0px")
        self._layout = widgets.Layout(width="58px")
        self._grid = widgets.GridBox()
        self._colours = html()
        self._colours.layout.display = "none"
        super().__init__([self._grid, self._colours], value=value)
        self._scope = f"ck-array-{self.model_id[:12]}"
        self.add_class("ck-array").add_class(self._scope)
        self._show()

    @traitlets.validate("value")
    def _check(self, proposal: dict) -> Tensor:
        return check_array(self._name, proposal["value"])

    @traitlets.observe("value")
    def _changed(self, _: dict) -> None:
        if hasattr(self, "_scope"):
            self._show()

    def show(self, value: Tensor) -> None:
        """Show `value`, in place of a half-typed text too."""
        self.value = value
        self._show()

    def __repr__(self) -> str:
        return f"ArrayEditor: {formatting.describe(self._name, self.value)}"

    def _box(self, cell: tuple[int, int]) -> widgets.Text:
        if cell not in self._boxes:
            name = f"{self._name} row {cell[0] + 1} column {cell[1] + 1}"
            box = widgets.Text(description=name, style=self._style, layout=self._layout)
            box.observe(lambda change: self._typed(cell, change["new"]), "value")
            self._boxes[cell] = box
        return self._boxes[cell]

    def _typed(self, cell: tuple[int, int], text: str) -> None:
        if not self._holds(cell):
            return
        kept, self.complaint = self.value[cell].item(), ""
        if text == formatting.number(kept):
            return
        new = self.value.detach().clone()
        try:
            new[cell] = read_number(self._boxes[cell].description, text, new.dtype, kept)
        except HalfTyped as error:
            self.complaint = str(error)
            return
        if new[cell].item() != kept:
            self.edited, self.value = cell, new

    def _holds(self, cell: tuple[int, int]) -> bool:
        return cell[0] < self.value.shape[0] and cell[1] < self.value.shape[1]

    def _show(self) -> None:
        rows, columns = self.value.shape
        cells = [(i, j) for i in range(rows) for j in range(columns)]
        boxes = tuple(self._box(cell) for cell in cells)
        numbers = self.value.flatten().tolist()
        for box, number in zip(boxes, numbers, strict=True):
            if not self._says(box.value, number):
                box.value = formatting.number(number)
        self._colours.value = self._rules(numbers)
        if boxes != self._grid.children:
            self._layout.width = "58px" if columns <= 4 else "42px"
            self._grid.layout.grid_template_columns = f"repeat({columns}, max-content)"
            self._grid.children = boxes

    def _says(self, text: str, number: float) -> bool:
        try:
            said = read_number("", text, self.value.dtype, number)
        except HalfTyped:
            return False
        return torch.tensor(said, dtype=self.value.dtype).item() == number

    def _rules(self, numbers: list[float]) -> str:
        limit = formatting.colour_limit(self.value)
        low, high = min(0.0, *numbers), max(1.0, *numbers)
        rules = []
        for n, x in enumerate(numbers, 1):
            name = tint_class(x, limit) if self._signed else grey_class(x, low, high)
            rules.append(f".{self._scope} .widget-text:nth-child({n}) input{{{colours(name)}}}")
        return f"<style>{''.join(rules)}</style>"
