"""A view in words: the text/plain of a panel, which nbval compares."""

from __future__ import annotations

from convkit import formatting
from convkit.ui.html import writable
from convkit.ui.nodes import Node
from convkit.ui.series import node_at

VALUES = ("select", "choice", "check", "slider", "entry")


def words(tree: Node) -> str:
    """Return what a view says, a line for each node; arrays by size, range and digest.

    Examples
    --------
    >>> import torch
    >>> from convkit.ui import nodes
    >>> print(words(nodes.row(nodes.check("flip", True, "flip"), nodes.array("X", torch.eye(2)))))
    flip: True
    X: 2 × 2, from 0 to 1, digest 22536681
    """
    lines = [_line(node) for node in tree]
    return writable("\n".join([line for line in lines if line]))


def _line(node: Node) -> str:
    match node.kind:
        case "status" | "text" | "markup" | "description":
            return str(node.words)
        case "question":
            return "\n- ".join([node.name, *node.choices])
        case kind if kind in VALUES:
            return f"{node.name}: {node.props.get('value_text') or node.value}"
        case "numbers":
            return formatting.describe(node.name, node.values)
        case "table" | "picture" | "colour picture":
            return formatting.describe(node.aria_label, node.values)
        case "series":
            return words(node_at(node))
        case "plot":
            return str(node.name)
    return ""
