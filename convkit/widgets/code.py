"""Code that one click copies."""

from __future__ import annotations

import traitlets

from convkit.widgets._part import Part, module, stylesheet


class Code(Part):
    """Code, and a button that copies all of it, or selects it where the page may not copy.

    Parameters
    ----------
    label : str
        What the code is; the button is named "copy the" label.
    code : str
        The code.

    Examples
    --------
    >>> Code("torch code", "import torch")
    Code: torch code, 1 line
    """

    _esm = module("code")
    _css = stylesheet("code")

    label = traitlets.Unicode("").tag(sync=True)
    code = traitlets.Unicode("").tag(sync=True)

    def __init__(self, label: str, code: str = "") -> None:
        super().__init__(label=label, code=code)

    def summary(self) -> str:
        """Return the label and the number of lines.

        Examples
        --------
        >>> Code("torch code", "import torch").summary()
        'Code: torch code, 1 line'
        """
        count = len(self.code.splitlines())
        return f"Code: {self.label}, {count} line{'' if count == 1 else 's'}"
