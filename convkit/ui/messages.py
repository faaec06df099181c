"""What a page tells the kernel, and what the kernel tells pages: trees, and what is new in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from convkit.ui import html
from convkit.ui.cursors import Cursor, Frame
from convkit.ui.nodes import Node
from convkit.ui.series import Series
from convkit.ui.store import equal
from convkit.ui.theme import Scale

Message = tuple[dict[str, Any], list[bytes]]
"""What is sent: its content, and the buffers of pixels and series."""
COMPARED = (str, int, bytes, frozenset, range, Tensor, Cursor, Frame, Scale)
"""Types of properties that are compared, and not only what is written of them."""


@dataclass(frozen=True)
class Event:
    """What a page sends when a control is used.

    Attributes
    ----------
    page, ref : number
        Which page sent it, and which of its events it is; the answer repeats both.
    key : str
        The node that it comes from.
    name : str
        What happened, such as "set".
    value : object
        The new value.
    stroke : int
        Edits of one control within one stroke, such as a drag or typing without leaving the box,
        are one step of undo.
    is_moving : bool
        Whether a hand is still moving.
    buffers : sequence of memoryview
        Bytes, such as those of a file.
    """

    page: float
    ref: int
    key: str
    name: str
    value: Any
    stroke: int
    is_moving: bool
    buffers: Sequence[Any] = ()

    @classmethod
    def read(cls, content: object, buffers: Sequence[Any]) -> Event | None:
        """Return the event of a message, or None if it is none."""
        match content:
            case {
                "page": int() | float() as page,
                "ref": int(ref),
                "key": str(key),
                "event": str(name),
                "stroke": int(stroke),
                **rest,
            }:
                is_moving = rest.get("moving") is True
                return cls(page, ref, key, name, rest.get("value"), stroke, is_moving, buffers)
        return None


def difference(old: Node, new: Node) -> Message:
    """Return the message with what is new in a keyed tree.

    Its content has ``patches``, HTML by key; ``pixels``, the keys of pictures; and ``series``,
    words by key.
    """
    patches = {key: str(html.render(node)) for key, node in changes(old, new)}
    before, pixels = pixels_of(old), pixels_of(new)
    changed = {key: data for key, data in pixels.items() if data != before.get(key)}
    known = series_of(old)
    series = {k: each for k, each in series_of(new).items() if not _same_series(each, known.get(k))}
    return _message(patches, changed, series)


def whole(tree: Node) -> Message:
    """Return the message with all of a keyed tree."""
    return _message({tree.key: str(html.render(tree))}, pixels_of(tree), series_of(tree))


def _message(
    patches: Mapping[str, str], pixels: Mapping[str, bytes], series: Mapping[str, Series]
) -> Message:
    words = {key: each.data[0] for key, each in series.items()}
    buffers = [buffer for each in series.values() for buffer in each.data[1:]]
    content = {"patches": dict(patches), "pixels": [*pixels], "series": words}
    return content, [*pixels.values(), *buffers]


def pixels_of(tree: Node) -> dict[str, bytes]:
    """Return the pixels of each picture, by its key."""
    return {node.key: node.pixels for node in tree if node.kind == "picture"}


def series_of(tree: Node) -> dict[str, Series]:
    """Return each series, by its key."""
    return {node.key: node.series for node in tree if node.kind == "series"}


def _same_series(a: Series, b: Series | None) -> bool:
    """Return whether two series look the same at each place."""
    return a is b or (b is not None and a.data == b.data)


def changes(old: Node, new: Node) -> Iterator[tuple[str, Node]]:
    """Yield key and node of the smallest nodes that differ between two keyed trees.

    Most nodes stay as they are, and equal properties are found sooner than equal HTML.
    """
    is_same = old is new or _has_same_properties(old, new)
    if is_same and not new.children:
        html.reuse(old, new)
    elif is_same or (new.children and _shell(old) == _shell(new)):
        for before, after in zip(old.children, new.children, strict=True):
            yield from changes(before, after)
    elif html.render(new) != html.render(old):
        yield new.key, new


def _has_same_properties(a: Node, b: Node) -> bool:
    is_alike = a.kind == b.kind and [c.key for c in a.children] == [c.key for c in b.children]
    is_alike = is_alike and (a.edits is None) == (b.edits is None)  # which is written too
    return is_alike and _are_same(a.props, b.props)


def _are_same(a: Any, b: Any) -> bool:
    """Return whether two values are surely the same; those that are seldom compared may not be."""
    if isinstance(a, dict) and isinstance(b, dict):
        return _are_same([*a.items()], [*b.items()])
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(_are_same, a, b))
    return a is b or (isinstance(a, COMPARED) and equal(a, b))


def _shell(node: Node) -> tuple[Any, ...]:
    """Return what a node is without what is in its children."""
    return node.kind, html.shell(node), [child.key for child in node.children]
