"""The buttons that undo, redo and reset."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import traitlets

from convkit.widgets._part import Part, module, stylesheet

PRESSES = ("undo", "redo", "reset")


class History(Part):
    """Three buttons named undo, redo and reset.

    Parameters
    ----------
    actions : mapping of str to callable
        What each of "undo", "redo" and "reset" calls when it is pressed.

    Attributes
    ----------
    can_undo, can_redo : bool
        Whether there is something to undo or redo; a button without work is greyed.

    Examples
    --------
    >>> history = History({name: lambda: None for name in ("undo", "redo", "reset")})
    >>> history.can_undo = True
    >>> history
    History: undo, reset
    """

    _esm = module("history")
    _css = stylesheet("history")

    can_undo = traitlets.Bool(False).tag(sync=True)
    can_redo = traitlets.Bool(False).tag(sync=True)

    def __init__(self, actions: Mapping[str, Callable[[], None]]) -> None:
        super().__init__()
        self._actions = dict(actions)
        self.on_msg(self._on_message)

    def summary(self) -> str:
        """Return the names of the buttons that have work.

        Examples
        --------
        >>> History({}).summary()
        'History: reset'
        """
        can = {"undo": self.can_undo, "redo": self.can_redo, "reset": True}
        return f"History: {', '.join(name for name in PRESSES if can[name])}"

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        if isinstance(content, dict) and content.get("press") in PRESSES:
            self._actions[content["press"]]()
