"""What parts with a window on them share: its geometry, the chosen cell and the one pointed at."""

from __future__ import annotations

from typing import Any

import traitlets

from convkit.widgets._part import Part


def pair(rows: int, columns: int) -> traitlets.List:
    """Return a trait of two integers, [rows, columns], which the browser shows."""
    return traitlets.List(traitlets.Int(), [rows, columns], minlen=2, maxlen=2).tag(sync=True)


def _cell() -> traitlets.List:
    return traitlets.List(traitlets.Int(), [], maxlen=2).tag(sync=True, echo_update=False)


class Pointable(Part):
    """Base class of parts on which a window follows the pointer.

    The window of output cell (i, j) starts at ``start + (i, j) * stride``.

    Attributes
    ----------
    start, stride, window, cells : [rows, columns]
        Where the window of cell (0, 0) starts, how far windows are apart, how large one is, and how
        many there are.
    cell, pointed : [i, j]
        The chosen cell, and the one under the pointer; empty if there is none.
    """

    start = pair(0, 0)
    stride = pair(1, 1)
    window = pair(1, 1)
    cells = pair(1, 1)
    cell = _cell()
    pointed = _cell()

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._on_pointer)

    def _on_pointer(self, _: object, content: object, buffers: object) -> None:
        """Take the cell under the pointer, sent by the browser as {pointed: [i, j] or []}.

        Not as a trait of the model, of which it sends the next only when all is done that the last
        one asked for.
        """
        match content:
            case {"pointed": [*cell]} if len(cell) in (0, 2) and all(type(n) is int for n in cell):
                self.set_state({"pointed": cell})  # which is not sent back
