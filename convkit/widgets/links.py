"""Links between parts that hold in the browser alone."""

from __future__ import annotations

import traitlets
from ipywidgets import Widget

from convkit.widgets._part import Part, module

Trait = tuple[Widget, str]


class Links(Part):
    """Makes traits of widgets follow traits of others in the browser; it shows nothing itself.

    Unlike `ipywidgets.jsdlink` it does not tell Python what the followers are set to, so that one
    move of a player is one message, however many parts follow it.

    Attributes
    ----------
    connections : list of [source id, source trait, target id, target trait, is_told]
        The links; Python is told of those followers alone that it asked for.

    Examples
    --------
    >>> import ipywidgets
    >>> slider, box = ipywidgets.IntSlider(), ipywidgets.IntText()
    >>> links = Links()
    >>> links.connect((slider, "value"), (box, "value"))
    >>> len(links.connections)
    1
    """

    _esm = module("links")

    connections = traitlets.List().tag(sync=True)

    def connect(self, source: Trait, *targets: Trait, is_told: bool = False) -> None:
        """Make traits follow another one; Python must not set what follows.

        Parameters
        ----------
        source, targets : (widget, name of a trait)
            What is followed, and what follows.
        is_told : bool
            Whether Python hears of the followers' values.

        Examples
        --------
        >>> import ipywidgets
        >>> Links().connect((ipywidgets.IntSlider(), "value"), (ipywidgets.IntText(), "value"))
        """
        leader = [source[0].model_id, source[1]]
        added = [[*leader, part.model_id, name, is_told] for part, name in targets]
        self.connections = [*self.connections, *added]
