"""Arrays that read as an equation, such as X ⋆ K = Y, in cells of one size that fills the page."""

from __future__ import annotations

from collections.abc import Sequence

from convkit.ui import nodes
from convkit.ui.nodes import Node
from convkit.ui.theme import Scale

SIGN_WIDTH = 36
"""CSS pixels of the place of a sign."""
CHAR_WIDTH = 7.4
"""About the CSS pixels of a character of a title."""
SQUARE_WIDTH, HINT_WIDTH = 16, 180
"""CSS pixels of the square before a title, and of the hint after the last one."""


def term(
    title: str,
    array: Node,
    *,
    sign: str = "",
    note: str = "",
    hue: str = "",
    scale: Scale | None = None,
) -> Node:
    """Return an array of an equation: a title above it, its colour key below it.

    Parameters
    ----------
    title : str
        Such as "input X".
    array : Node
        A `table`.
    sign : str
        What stands before it, such as "=".
    note : str
        What follows the title, such as its size.
    hue : str
        The square before the title: one of `theme.COLOURS`.
    scale : Scale, optional
        The colours of the array, for a key.

    Examples
    --------
    >>> import torch
    >>> Y = nodes.table("Y", torch.eye(2), Scale("grey", 0, 1))
    >>> term("output Y", Y, sign="=", note="2 × 2", hue="output").sign
    '='
    """
    words = Node("label", props={"words": f" {note}", "of": "table"}) if note else None
    said = nodes.box(nodes.heading(title, hue), words, css="title")
    width = SQUARE_WIDTH + round(CHAR_WIDTH * len(f"{title} {note}"))
    key = nodes.colour_key(scale) if scale else nodes.box()
    props = {"sign": sign, "array": array, "title_width": width}
    return Node("term", props=props, children=(said, array, key))


def equation(*terms: Node) -> Node:
    """Return arrays that read as an equation.

    Their cells are squares of one size, as large as lets all stand in one line, if that is legible.

    Examples
    --------
    >>> import torch
    >>> scale = Scale("grey", 0, 1)
    >>> X, Y = (nodes.table(name, torch.eye(2), scale) for name in "XY")
    >>> equation(term("input X", X, scale=scale), term("output Y", Y, sign="=", scale=scale)).rows
    2
    """
    tables = [each.array for each in terms]
    sides = [table.values.shape for table in tables]
    weights = [text for table in tables for frame in table.frames for text in frame.texts]
    props = {
        "rows": max(rows for rows, _ in sides),
        "columns": max(columns for _, columns in sides),
        "longest": max(len(text) for table in tables for line in table.texts for text in line),
        "longest_weight": max(map(len, weights), default=0),
        "fit": _fit(terms),
        "hinted": _fit(terms, HINT_WIDTH if tables[-1].descriptions else 0),
    }
    return Node("equation", props=props, children=terms)


def _fit(terms: Sequence[Node], hint_width: int = 0) -> str:
    """Return, in CSS, the largest cells with which the terms stand in one line.

    A term is as wide as its array, or as its title where that is wider: the sum of such widths is
    the page's where the least of these quotients is the size of a cell.
    """
    sizes = [(each.title_width, each.array.values.shape[1]) for each in terms]
    sizes[-1] = (sizes[-1][0] + hint_width, sizes[-1][1])
    sizes.sort(key=lambda size: size[0] / size[1])
    signs = SIGN_WIDTH * len([each for each in terms if each.sign])
    quotients = []
    for k in range(1, len(sizes) + 1):
        titles = sum([title for title, _ in sizes[k:]])
        columns = sum([count for _, count in sizes[:k]])
        quotients.append(f"(100cqw - {signs + titles + 1}px)/{columns}")
    return f"min({','.join(quotients)})"
