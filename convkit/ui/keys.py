"""Keys, by which elements of a page and nodes of a tree are matched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from convkit.ui.cursors import Cursor
from convkit.ui.nodes import Node

ROOT = "whole panel"
"""The key of a whole tree."""
Complete = Callable[[Node], Mapping[str, Any]]
"""Returns a node's properties, with those that the panel alone knows."""


def keyed(tree: Node, complete: Complete = lambda node: node.props) -> Node:
    """Return a tree in which each node has a key.

    At its end stand the cursors that it follows, and what its tables say of their cells.

    A named node's key is its name, so that it is found again wherever it stands; any other's is
    its place.

    Raises
    ------
    ValueError
        If two nodes have one name.

    Examples
    --------
    >>> from convkit.ui import nodes
    >>> [node.key for node in keyed(nodes.row(nodes.text("a"), nodes.check("flip", True, "flip")))]
    ['whole panel', 'whole panel.0', 'flip']
    """
    return _Keys(complete).copy(tree, ROOT, [*_cursor_nodes([tree]), *_sentence_nodes(tree)])


def keyed_parts(parts: Sequence[Node], complete: Complete) -> list[Node]:
    """Return named parts of a tree, and the cursors that they follow, as they are in it."""
    keys = _Keys(complete)
    return [keys.copy(node, node.name) for node in (*parts, *_cursor_nodes(parts))]


def with_parts(tree: Node, parts: Sequence[Node]) -> Node:
    """Return a keyed tree with each of `parts` in place of the node that has its key."""
    return _with_parts(tree, {part.key: part for part in parts})


def _with_parts(tree: Node, parts: Mapping[str, Node]) -> Node:
    if tree.key in parts:
        return parts[tree.key]
    below = tuple(_with_parts(child, parts) for child in tree.children)
    if all(a is b for a, b in zip(below, tree.children, strict=True)):
        return tree
    return replace(tree, children=below)


def find(tree: Node, key: str) -> Node | None:
    """Return the node that has a key, if there is one."""
    return next((node for node in tree if node.key == key), None)


def cursors_of(trees: Sequence[Node]) -> list[Cursor]:
    """Return each cursor that something in some trees follows."""
    nodes = [node for tree in trees for node in tree]
    # First: a series may be kept from another place of a cursor, so that any other node wins.
    nodes = [node for each in nodes for node in each.props.get("sample", ())] + nodes
    found = [frame.cursor for node in nodes for frame in node.props.get("frames", ())]
    found += [node.follows for node in nodes if "follows" in node.props]
    return list({cursor.name: cursor for cursor in found}.values())


def _cursor_nodes(trees: Sequence[Node]) -> list[Node]:
    return [Node("cursor", f"{c.name} cursor", {"cursor": c}) for c in cursors_of(trees)]


def _sentence_nodes(tree: Node) -> list[Node]:
    """Return what tables say of each cell: apart, as it stays while their numbers change."""
    tables = [node for node in tree if node.props.get("descriptions") and node.frames]
    said = {table.frames[0].cursor.name: table.descriptions for table in tables}
    nodes = [(f"{name} sentences", {"descriptions": each}) for name, each in said.items()]
    return [Node("sentences", name, props) for name, props in nodes]


class _Keys:
    def __init__(self, complete: Complete) -> None:
        self._complete, self._taken = complete, set[str]()

    def copy(self, node: Node, key: str, added: Sequence[Node] = ()) -> Node:
        if key in self._taken:
            raise ValueError(f"two nodes have the name {key!r}")
        self._taken.add(key)
        children = enumerate((*node.children, *added))
        below = tuple(self.copy(c, c.name or f"{key}.{k}") for k, c in children)
        return Node(node.kind, node.name, self._complete(node), below, node.edits, key)
