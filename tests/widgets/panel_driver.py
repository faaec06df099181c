"""Drive a panel as a learner does: find a control by its accessible name, and use it.

    driver = PanelDriver(KernelEditor())
    driver.type("K[0, 0]", "5")
    driver.press("undo")

Values take the path that they take from a browser: the state of a widget's model, or a message.
"""

from collections.abc import Iterator

import ipywidgets as widgets

from convkit.widgets import (
    ArrayEditor,
    Choice,
    FileButton,
    History,
    NumberTable,
    Panel,
    Picture,
    Player,
    Slider,
    Status,
)
from tests.widgets.driver import receive_state, send

NAMED = (widgets.Dropdown, widgets.Text, widgets.Checkbox, widgets.BoundedIntText)
PRESSED = (widgets.Button, widgets.ToggleButton)
LABELLED = (Slider, Player, Picture, NumberTable, Choice, FileButton)


class PanelDriver:
    """The controls of one panel, by the names that a screen reader says."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    def parts(self, kind: type = widgets.Widget) -> Iterator[widgets.Widget]:
        """Yield all parts of a kind, in order."""
        pending = list(self.panel.children)
        while pending:
            part = pending.pop(0)
            if isinstance(part, kind):
                yield part
            pending = [*getattr(part, "children", ()), *pending]

    def find(self, name: str) -> widgets.Widget:
        """Return the one control or part that has this accessible name."""
        found = [part for part in self.parts() if name in _names(part)]
        assert len(found) == 1, f"{len(found)} controls are named {name!r}: {self.names()}"
        return found[0]

    def names(self) -> list[str]:
        """Return the names of all controls and parts, in order."""
        return [name for part in self.parts() for name in _names(part)]

    def type(self, name: str, text: str) -> None:
        """Type a text into a box."""
        part = self.find(name)
        if isinstance(part, ArrayEditor):
            self.focus(name)
            send(part, {"cell": list(self._cell(part, name)), "text": text})
        else:
            receive_state(part, value=text)

    def focus(self, name: str) -> None:
        """Move the focus to a box of a grid."""
        grid = self.find(name)
        receive_state(grid, cell=list(self._cell(grid, name)))

    def point(self, name: str, cell: tuple[int, int] | None) -> None:
        """Move the pointer to a cell of a picture or table, or away."""
        receive_state(self.find(name), pointed=list(cell or ()))

    def paint(self, name: str, *cells: tuple[int, int], stroke: int = 1) -> None:
        """Drag over cells of a table."""
        for cell in cells:
            send(self.find(name), {"paint": [list(cell)], "stroke": stroke})

    def paste(self, name: str, text: str) -> None:
        """Paste a block of numbers into a box of a grid."""
        grid = self.find(name)
        send(grid, {"cell": list(self._cell(grid, name)), "paste": text})

    def choose(self, name: str, value: object) -> None:
        """Choose an entry of a list, a number, a position of a slider or a player, or a cell."""
        part = self.find(name)
        if isinstance(part, widgets.Dropdown):
            receive_state(part, index=part.options.index(value))
        elif isinstance(part, Picture | NumberTable):
            receive_state(part, cell=list(value))
        else:
            receive_state(part, value=value)

    def press(self, name: str) -> None:
        """Press a button."""
        part = self.find(name)
        send(part, {"press": name} if isinstance(part, History) else {"event": "click"})

    def can_press(self, name: str) -> bool:
        """Return whether undo or redo has something to do."""
        return getattr(self.find(name), f"can_{name}")

    def toggle(self, name: str) -> None:
        """Tick or clear a box, or open or close a section."""
        part = self.find(name)
        receive_state(part, value=not part.value)

    def upload(self, name: str, file_name: str, data: bytes) -> None:
        """Choose a file."""
        send(self.find(name), {"name": file_name}, data)

    def text(self, name: str) -> str:
        """Return the text in a box, or of a chosen entry."""
        part = self.find(name)
        if isinstance(part, ArrayEditor):
            return part.texts[part.names.index(name)]
        return part.label if isinstance(part, widgets.Dropdown) else str(part.value)

    def is_refused(self, name: str) -> bool:
        """Return whether a text box is marked because its text cannot be read."""
        return "ck-refused" in self.find(name).get_state("_dom_classes")["_dom_classes"]

    def number(self, name: str) -> float:
        """Return the number in a box of a grid; where it is rounded, the tooltip's."""
        grid = self.find(name)
        texts = grid.titles or grid.texts
        return float(texts[grid.names.index(name)].replace("−", "-"))

    @property
    def status(self) -> str:
        """What the status line says."""
        return next(self.parts(Status)).text

    @property
    def kind(self) -> str:
        """The kind of the status line: "note", "error" or "busy"."""
        return next(self.parts(Status)).kind

    def html(self) -> str:
        """Return everything that the panel shows as HTML, in order."""
        return "\n".join(part.value for part in self.parts(widgets.HTML) if _is_shown(part))

    @staticmethod
    def _cell(grid: ArrayEditor, name: str) -> tuple[int, int]:
        return divmod(grid.names.index(name), grid.shape[1])


def _is_shown(part: widgets.Widget) -> bool:
    return part.layout.display != "none"


def _names(part: widgets.Widget) -> list[str]:
    if isinstance(part, ArrayEditor):
        return part.names
    if isinstance(part, History):
        return ["undo", "redo", "reset"]
    if isinstance(part, LABELLED):
        return [part.label] if _is_shown(part) else []
    if isinstance(part, NAMED + PRESSED):
        return [part.description]
    return []
