"""A row of buttons of which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping

import traitlets

from convkit.errors import ConvkitError
from convkit.widgets._part import Part, module, stylesheet


class Choice(Part):
    """A row of radio buttons: one Tab stop, chosen by pointer, tap or arrow keys.

    Parameters
    ----------
    label : str
        What is chosen, for screen readers.
    options : mapping of str to str
        The values to choose from, and what the tooltip says of each.
    texts : mapping of str to str, optional
        What is shown for a value, where that is not the value itself.

    Attributes
    ----------
    value : str
        The chosen option; the first one at the start.

    Raises
    ------
    ConvkitError
        If there are no options.

    Examples
    --------
    >>> look = Choice("look", {"grey": "black to white", "signed": "blue to red"})
    >>> look.value = "signed"
    >>> look
    Choice: look is signed
    """

    _esm = module("choice")
    _css = stylesheet("choice")

    label = traitlets.Unicode("").tag(sync=True)
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    titles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    value = traitlets.Unicode("").tag(sync=True, echo_update=False)

    def __init__(
        self, label: str, options: Mapping[str, str], texts: Mapping[str, str] | None = None
    ) -> None:
        if not options:
            raise ConvkitError("no options", "at least one option", "Pass a dict of them.")
        names = list(options)
        super().__init__(
            label=label,
            options=names,
            texts=[(texts or {}).get(name, name) for name in names],
            titles=list(options.values()),
            value=names[0],
        )

    def summary(self) -> str:
        """Return the label and the chosen option.

        Examples
        --------
        >>> Choice("look", {"grey": ""}).summary()
        'Choice: look is grey'
        """
        return f"Choice: {self.label} is {self.value}"
