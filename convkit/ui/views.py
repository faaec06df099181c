"""A view that stands by itself, such as a lens: HTML without script, and text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from convkit.ui.keys import keyed
from convkit.ui.nodes import Node
from convkit.ui.saved import saved


@dataclass(frozen=True)
class View:
    """A tree of nodes that a notebook shows as saved HTML.

    Attributes
    ----------
    tree : Node
        The view, which a panel can show too.
    text : str
        What it says in words.

    Examples
    --------
    >>> from convkit.ui import nodes
    >>> View(nodes.text("Y = 3"), "Y = 3")
    Y = 3
    """

    tree: Node
    text: str

    def __repr__(self) -> str:
        return self.text

    @cached_property
    def _html(self) -> str:
        return str(saved(keyed(self.tree), title=self.text.partition("\n")[0]))

    def _repr_html_(self) -> str:
        return self._html
