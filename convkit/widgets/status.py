"""The status line: a live region, which also keeps the keys of a panel from the notebook."""

from __future__ import annotations

import traitlets

from convkit.widgets._part import Part, module, stylesheet


class Status(Part):
    """One line of text that screen readers announce when it changes.

    Inside an element of class ``ck-panel`` it also keeps every key pressed in that panel from the
    notebook, where arrows leave the output and "d d" deletes the cell.

    Parameters
    ----------
    text : str
        What to say. The same text again is not announced again.
    kind : {"note", "error", "busy"}
        An error is announced at once, the others when the screen reader is idle.

    Examples
    --------
    >>> status = Status("Output 6 × 7.")
    >>> status.text, status.kind = "running your corr2d", "busy"
    >>> status
    Status (busy): running your corr2d
    """

    _esm = module("status")
    _css = stylesheet("status")

    text = traitlets.Unicode("").tag(sync=True)
    kind = traitlets.Enum(("note", "error", "busy"), "note").tag(sync=True)

    def __init__(self, text: str = "", kind: str = "note") -> None:
        super().__init__(text=text, kind=kind)

    def summary(self) -> str:
        """Return the kind and the text.

        Examples
        --------
        >>> Status("lr is 0", "error").summary()
        'Status (error): lr is 0'
        """
        return f"Status ({self.kind}): {self.text}"
