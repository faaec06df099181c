"""A table of numbers in colour, with a window on it that follows the pointer in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets
from torch import Tensor

from convkit import formatting
from convkit.formatting import minus
from convkit.views.scales import Scale
from convkit.widgets._part import module, stylesheet
from convkit.widgets._pointable import Pointable, pair

Cell = tuple[int, int]
PaintHandler = Callable[[list[Cell], str], None]


class NumberTable(Pointable):
    """A table of numbers, of which one can choose a cell, or paint cells.

    Rows and columns count from 0 at the first cell of the whole array, of which the table may show
    a part. As in `Picture`, a window is the cells that one output cell reads: that of output (i, j)
    starts at ``start + (i, j) * stride``, and its kernel's weights are `dilation` cells apart.

    Parameters
    ----------
    label : str
        What the table shows, for screen readers.
    symbol : str
        Cells are named "Y[0, 0]" if it is "Y".
    role : {"input", "output"}
        Whether the frame shows the window of a cell, or the cell itself.

    Attributes
    ----------
    first : [row, column]
        The place of the first cell on show; negative in the padding.
    start, stride, dilation, window, cells : [rows, columns]
        The geometry of windows; `window` is the size of the kernel, `cells` that of the output.
    weights : list of str
        What is written above the numbers of the window, in reading order.
    cell, pointed : [i, j]
        The chosen output cell, and the one under the pointer; empty if there is none.
    pick : {"none", "click", "hover", "paint"}
        What the pointer does: nothing; choose a cell; the same, and the window follows it before;
        or paint cells, which is told to the handlers of `on_paint`.
    headers : bool
        Whether rows and columns are numbered.
    columns_in_line : int
        How many columns share the panel's width, for the style sheet; 0 unless it asks for that.
    padded, marked : list of int
        The cells, in reading order, that lie in the padding, and those marked as different.

    Examples
    --------
    >>> import torch
    >>> table = NumberTable("output", "Y", "output")
    >>> table.show(torch.tensor([[1.0, -1.0]]), Scale("signed", -1, 1))
    >>> table
    NumberTable: output: 1 × 2
    """

    _esm = module("pointing", "number_table")
    _css = stylesheet("number_table")

    label = traitlets.Unicode("").tag(sync=True)
    symbol = traitlets.Unicode("").tag(sync=True)
    role = traitlets.Enum(("input", "output"), "input").tag(sync=True)
    shape = pair(0, 0)
    first = pair(0, 0)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    levels = traitlets.Bytes(b"").tag(sync=True)
    palette = traitlets.Bytes(b"").tag(sync=True)
    inks = traitlets.Bytes(b"").tag(sync=True)
    padded = traitlets.List(traitlets.Int()).tag(sync=True)
    marked = traitlets.List(traitlets.Int()).tag(sync=True)
    dilation = pair(1, 1)
    weights = traitlets.List(traitlets.Unicode()).tag(sync=True)
    pick = traitlets.Enum(("none", "click", "hover", "paint"), "none").tag(sync=True)
    columns_in_line = traitlets.Int(0).tag(sync=True)
    headers = traitlets.Bool(False).tag(sync=True)

    def __init__(self, label: str, symbol: str, role: str = "input") -> None:
        super().__init__(label=label, symbol=symbol, role=role)
        self._handlers: list[PaintHandler] = []
        self.on_msg(self._on_message)

    def show(
        self,
        values: Tensor,
        scale: Scale,
        *,
        texts: Sequence[Sequence[str]] | None = None,
        first: Cell = (0, 0),
        mark: Tensor | None = None,
    ) -> None:
        """Show a (H, W) tensor, the colours of its cells as `scale` has them.

        Parameters
        ----------
        values : Tensor
            Shape (H, W).
        scale : Scale
            The colour of each number.
        texts : rows of str, optional
            What to write in the cells; short numbers unless given.
        first : (row, column)
            The place of ``values[0, 0]`` in the whole array.
        mark : Tensor, optional
            A bool tensor (H, W): cells to mark as different.

        Examples
        --------
        >>> import torch
        >>> table = NumberTable("output", "Y", "output")
        >>> table.show(torch.eye(2), Scale("grey", 0, 1), first=(4, 4))
        >>> table.texts
        ['1', '0', '0', '1']
        """
        if texts is None:
            texts = formatting.shorts(values)
        with self.hold_sync():
            self.shape, self.first = list(values.shape), list(first)
            self.texts = [minus(text) for row in texts for text in row]
            self.levels, self.palette, self.inks = scale.indices(values), scale.palette, scale.inks
            self.marked = [] if mark is None else mark.flatten().nonzero().flatten().tolist()

    def on_paint(self, handler: PaintHandler) -> None:
        """Call `handler` with painted cells, and a name that all of one stroke share.

        Examples
        --------
        >>> NumberTable("input", "X").on_paint(lambda cells, stroke: print(cells))
        """
        self._handlers.append(handler)

    def summary(self) -> str:
        """Return the label and the shape on show.

        Examples
        --------
        >>> NumberTable("input", "X").summary()
        'NumberTable: input: 0 × 0'
        """
        return f"NumberTable: {self.label}: {formatting.size(self.shape)}"

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        """Take painted cells, sent by the browser as {paint: [[row, column], ...], stroke}."""
        match content:
            case {"paint": [*places], "stroke": int(stroke)}:
                cells = [(i, j) for place in places for i, j in [self._cell(place)] if i >= 0]
                for handler in self._handlers:
                    handler(cells, f"stroke {stroke}")

    def _cell(self, place: object) -> Cell:
        """Return a cell that is on show, or (-1, -1) for what is none."""
        match place:
            case [int(i), int(j)] if (
                0 <= i - self.first[0] < self.shape[0] and 0 <= j - self.first[1] < self.shape[1]
            ):
                return i, j
        return -1, -1
