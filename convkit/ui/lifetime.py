"""A cell that is run again closes the panels that it made and showed before."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from IPython.core.getipython import get_ipython

_MADE_IN: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""The id of the cell that made each panel."""
_SHOWN: dict[str, set[Any]] = {}
"""The panels that each cell made and showed, by the cell's id."""


def made(panel: Any) -> None:
    """Note that the running cell makes a panel."""
    _listen()
    _MADE_IN[panel] = running_cell()


def shown(panel: Any) -> None:
    """Note that the running cell shows a panel."""
    cell = running_cell()
    if cell and _MADE_IN.get(panel) == cell:
        _SHOWN.setdefault(cell, set()).add(panel)


def running_cell() -> str:
    """Return the id of the cell that is running; outside of notebooks it is empty."""
    shell = get_ipython()
    header: dict[str, Any] = getattr(shell, "get_parent", dict)()
    return str(header.get("metadata", {}).get("cellId", ""))


def _listen() -> None:
    """Have IPython tell before it runs a cell."""
    shell = get_ipython()
    if shell is not None and _before_cell not in shell.events.callbacks["pre_run_cell"]:
        shell.events.register("pre_run_cell", _before_cell)


def _before_cell(info: object) -> None:
    for panel in _SHOWN.pop(running_cell(), set()):
        panel.close()
