"""What a browser shows at each place of a cursor by itself: series, and players.

A series holds a node for each place. Their HTML is sent once, as words that the texts share and
codes of two bytes; the page puts the text of a place together, and patches it in as it does any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain, groupby
from typing import Any

import numpy as np
from markupsafe import Markup

from convkit.ui.cursors import Cursor
from convkit.ui.html import icon, join, render, shell, tag
from convkit.ui.nodes import Node, markup

PIECES = re.compile(r'("[^"]*"|>[^<]*<)')
"""What differs between two writings of one kind of node: attributes and texts."""
MAX_WORDS = 2**16 - 1
"""The most nodes, texts and columns that codes of 16 bits can count."""
INTERVAL = 400
"""Milliseconds from one step to the next while playing."""
PLAYER_ICONS = {
    "first": "M3 3h2v10H3zM13 3v10L6 8z",
    "previous": "M11 3v10L5 8z",
    "play": "M4 2.5v11L13 8z",
    "next": "M5 3v10l6-5z",
    "last": "M11 3h2v10h-2zM3 3v10l7-5z",
}
PAUSE = "M4 3h3v10H4zM9 3h3v10H9z"


@dataclass(frozen=True)
class Series:
    """A node for each place of a cursor, in reading order; they take no input.

    Raises
    ------
    ValueError
        If a node edits something.

    Examples
    --------
    >>> Series(tuple(markup(Markup(f"<b>{n}</b> steps")) for n in range(3))).data[0]
    ['<div><b', '>0<', '>1<', '>2<', '/b> steps</div>']
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if any(part.edits for node in self.nodes for part in node):
            raise ValueError("what a series shows cannot be edited in it")

    @cached_property
    def data(self) -> tuple[list[str], bytes, bytes]:
        """Words, codes and pixels: what a page needs to show any of the nodes.

        Codes are little-endian numbers of 16 bits: the number of nodes and of columns, the source
        of each column, and for each source its word at each node. What is the same at all nodes
        is one word, and equal columns have one source.
        """
        starts: dict[bytes, int] = {}
        sources: dict[tuple[str, ...], int] = {}
        count, columns = len(self.nodes), []
        for is_same, run in groupby(_columns(self.nodes, starts), _is_same):
            found = [*run]
            if is_same:
                found = [("".join([column[0] for column in found]),) * count]
            columns += [sources.setdefault(column, len(sources)) for column in found]
        words: dict[str, int] = {}
        codes = [words.setdefault(word, len(words)) for column in sources for word in column]
        most = max(len(words), count, len(columns))
        if most > MAX_WORDS:
            raise ValueError(f"a series of {most} nodes or different texts; at most {MAX_WORDS}")
        packed = np.array([count, len(columns), *columns, *codes], "<u2").tobytes()
        return [*words], packed, b"".join(starts)


def _columns(nodes: Sequence[Node], starts: dict[bytes, int]) -> list[tuple[str, ...]]:
    """Return the pieces of nodes' HTML, each with its text at every node.

    Pictures say where their pixels start in all pixels; equal ones are kept once.
    """
    first = nodes[0]
    if all(node is first for node in nodes):
        nodes = nodes[:1]
    if first.kind == "box" and all(_alike(node, first) for node in nodes):
        head, tail = shell(first, [Markup("\0")]).split("\0")
        below = [_columns(line, starts) for line in zip(*(n.children for n in nodes), strict=True)]
        found = [(str(head),), *chain(*below), (str(tail),)]
    elif first.kind == "picture":
        found = _picture_pieces(nodes, starts)
    else:
        found = _pieces(nodes)
    return found


def _picture_pieces(nodes: Sequence[Node], starts: dict[bytes, int]) -> list[tuple[str, ...]]:
    """Return the pieces of pictures; where nothing but pixels differs, only one is written."""
    froms = [_start(node.pixels, starts) for node in nodes]
    if not all(_same_but_pixels(node, nodes[0]) for node in nodes):
        return _pieces([*map(_starting, nodes, froms)])
    texts = [f'data-from="{start}"' for start in froms]
    head, tail = str(render(_starting(nodes[0], froms[0]))).split(texts[0])
    return [(head,), tuple(texts), (tail,)]


def _same_but_pixels(a: Node, b: Node) -> bool:
    own = ("values", "pixels")
    return a.name == b.name and all(a.props[k] == b.props[k] for k in a.props if k not in own)


def _pieces(nodes: Sequence[Node]) -> list[tuple[str, ...]]:
    texts = [str(render(node)) for node in nodes]
    rows = [PIECES.split(text) for text in texts]
    is_even = len({len(row) for row in rows}) == 1
    return [*zip(*rows, strict=True)] if is_even else [tuple(texts)]


def _is_same(column: tuple[str, ...]) -> bool:
    return column.count(column[0]) == len(column)


def _start(pixels: bytes, starts: dict[bytes, int]) -> int:
    """Return where pixels start in all pixels; new ones come after those that there are."""
    if pixels not in starts:
        last = next(reversed(starts), b"")
        starts[pixels] = starts.get(last, 0) + len(last)
    return starts[pixels]


def _starting(node: Node, start: int) -> Node:
    """Return a picture that says where its pixels start."""
    return replace(node, props={**node.props, "pixels_from": start})


def _alike(a: Node, b: Node) -> bool:
    return a.kind == b.kind and a.props == b.props and len(a.children) == len(b.children)


def series(
    name: str, cursor: Cursor, nodes: Series | Iterable[Node], *, late: bool = False
) -> Node:
    """Return a node that shows one of `nodes`: the one of the cursor's place.

    Parameters
    ----------
    name : str
        Which series of the panel it is.
    cursor : Cursor
        What it follows.
    nodes : Series, or nodes
        A node for each place, in reading order; a `Series` that is kept is coded only once. After
        the last one, it stays.
    late : bool
        Whether it is for screen readers alone, and changes once the cursor rests.

    Examples
    --------
    >>> from convkit.ui import nodes
    >>> step = Cursor("step", 3, 1, "n")
    >>> node_at(series("loss", step, [nodes.text(f"loss {n}") for n in range(3)])).words
    'loss 1'
    """
    kept = nodes if isinstance(nodes, Series) else Series(tuple(nodes))
    props = {"follows": cursor, "series": kept, "late": late, "sample": kept.nodes[0]}
    return Node("series", name, props)


def node_at(node: Node) -> Node:
    """Return the node that a series shows now."""
    nodes: tuple[Node, ...] = node.series.nodes
    return nodes[min(node.follows.index, len(nodes) - 1)]


# Players


def player(name: str, cursor: Cursor, *, symbol: str = "") -> Node:
    """Return buttons and boxes that choose a place.

    Parameters
    ----------
    name : str
        What it chooses, such as "step".
    cursor : Cursor
        A cursor of steps, or of cells, which are then gone through in reading order.
    symbol : str
        What cells are cells of, such as "Y" in Y[0, 1]; without it, they have no boxes.

    Examples
    --------
    >>> player("step", Cursor("step", 26, 0, "n")).follows.count
    26
    """
    if len(cursor.sizes) == 2:
        inside = _among_cells(name, cursor, symbol)
    else:
        buttons = _positions(name, cursor.name, cursor.count)
        inside = series(f"{name} player", cursor, buttons)
    return Node("player", f"{name} choice", {"follows": cursor}, (inside,))


def _among_cells(name: str, cursor: Cursor, symbol: str) -> Node:
    """Return the player at a cell: of many cells, one for each would be too much."""
    n, last = cursor.index, cursor.count - 1
    buttons = [_player_button(key, name, cursor.name, n, last) for key in PLAYER_ICONS]
    return markup(join([*buttons, _cell_boxes(cursor, symbol)]), css="player")


def _cell_boxes(cursor: Cursor, symbol: str) -> Markup:
    """Return "Y[0, 1]" with a box for each of the two numbers."""
    if not symbol:
        return Markup()
    (i, j), (rows, columns) = cursor.place, cursor.sizes
    row = _box("number", cursor.name, f"{symbol} row", i, rows, data_axis=0)
    column = _box("number", cursor.name, f"{symbol} column", j, columns, data_axis=1)
    return tag("span", f"{symbol}[", row, ",", column, "]", class_="ck-cell-boxes")


def _box(kind: str, cursor: str, name: str, n: int, count: int, **more: Any) -> Markup:
    """Return a box or a slider that leads to a place along one axis."""
    ends = {"min": 0, "max": count - 1, "value": n}
    return tag("input", type=kind, **ends, data_go=cursor, **more, aria_label=name)


@lru_cache(maxsize=32)
def _positions(name: str, cursor: str, count: int) -> Series:
    """Return the player at each step, in which each control knows where it leads."""
    last = count - 1
    return Series(
        tuple(markup(_position(name, cursor, n, last), css="player") for n in range(count))
    )


def _position(name: str, cursor: str, n: int, last: int) -> Markup:
    buttons = [_player_button(key, name, cursor, n, last) for key in PLAYER_ICONS]
    number = _box("number", cursor, name, n, last + 1)
    thumb = _box("range", cursor, name, n, last + 1, aria_valuetext=f"{name} {n}")
    return join([*buttons, tag("span", name, aria_hidden="true"), number, thumb])


def _player_button(key: str, name: str, cursor: str, n: int, last: int) -> Markup:
    to = {"first": 0, "previous": n - 1, "play": n, "next": n + 1, "last": last}[key]
    by = {"previous": -1, "next": 1}.get(key)
    is_play = key == "play"
    leads_elsewhere = is_play or (to != n and 0 <= to <= last)
    return tag(
        "button",
        icon(PAUSE if is_play else "", PLAYER_ICONS[key]),
        type="button",
        aria_label=f"{key} {name}",
        title=f"{key} {name}",
        value=to,
        data_by=by,
        data_go=cursor,
        data_play=INTERVAL if is_play else None,
        aria_disabled=str(not leads_elsewhere).lower(),
    )
