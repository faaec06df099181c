"""Controls that walk a window over the output's cells, in reading order."""

from __future__ import annotations

import ipywidgets as widgets
import traitlets

from convkit.widgets._base import button, row


class Walk(widgets.HBox):
    """Buttons, a player and two boxes that choose one output cell.

    Attributes
    ----------
    at : (i, j)
        The chosen cell, counted from 0.
    """

    at = traitlets.Tuple((0, 0))

    def __init__(self) -> None:
        self._columns, self._showing = 1, False
        self._play = widgets.Play(
            interval=500, show_repeat=False, layout={"width": "80px"}, tooltip="play the window"
        )
        place = {"layout": {"width": "105px"}, "style": {"description_width": "initial"}}
        self._row = widgets.BoundedIntText(description="Y row", **place)
        self._column = widgets.BoundedIntText(description="column", **place)
        line = row(
            widgets.Label("window"),
            button("step-backward", "first window", lambda: self._go(0)),
            button("chevron-left", "previous window", lambda: self._go(self._play.value - 1)),
            self._play,
            button("chevron-right", "next window", lambda: self._go(self._play.value + 1)),
            button("step-forward", "last window", lambda: self._go(self._play.max)),
            self._row,
            self._column,
        )
        super().__init__([line])
        self._play.observe(lambda change: self._go(change["new"]), "value")
        for box in (self._row, self._column):
            box.observe(lambda _: self._enter(), "value")

    def reshape(self, shape: tuple[int, int]) -> None:
        """Walk over an output of another shape, from the same cell if it has that one."""
        i, j = min(self.at[0], shape[0] - 1), min(self.at[1], shape[1] - 1)
        self._columns = shape[1]
        self._show(i, j, shape)

    def _enter(self) -> None:
        self._go(self._row.value * self._columns + self._column.value)

    def _go(self, index: int) -> None:
        if self._showing:
            return
        shape = self._row.max + 1, self._column.max + 1
        self._show(*divmod(min(max(index, 0), self._play.max), self._columns), shape)

    def _show(self, i: int, j: int, shape: tuple[int, int]) -> None:
        """Set the controls, which rest meanwhile, and then the cell, once."""
        self._showing = True
        for control, value, most in (
            (self._row, i, shape[0] - 1),
            (self._column, j, shape[1] - 1),
            (self._play, i * shape[1] + j, shape[0] * shape[1] - 1),
        ):
            with control.hold_sync():
                control.max, control.value = most, value
        self._showing = False
        self.at = i, j
