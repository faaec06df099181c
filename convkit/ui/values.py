"""A node for any value, such as what a function returned."""

from __future__ import annotations

import io
import sys
from base64 import b64encode
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from convkit.ui import nodes
from convkit.ui.html import tag
from convkit.ui.keys import cursors_of, keyed
from convkit.ui.nodes import Node
from convkit.ui.saved import saved
from convkit.ui.text import words


def nodes_of(value: Any, taken: Iterable[str] = ()) -> tuple[Node, ...]:
    """Return a node for a value, or a titled one for each of a dict.

    Parameters
    ----------
    value : object
        As `node_of` shows it, or a dict of such.
    taken : iterable of str
        Names that others have in the panel. What has one of them too, such as a second lens, is
        shown as it is saved.

    Examples
    --------
    >>> [node.children[0].words for node in nodes_of({"X": "1", "Y": "2"})]
    ['X', 'Y']
    """
    parts = value if isinstance(value, dict) else {"result": value}
    names, made = {"status line", "undo and redo", *taken}, []
    for title, part in parts.items():
        node = node_of(str(title), part)
        own = [each.name for each in node if each.name]
        own += [f"{cursor.name} cursor" for cursor in cursors_of([node])]
        if names.intersection(own):
            node = nodes.markup(saved(keyed(node)), words=words(node))
        names.update(own)
        made.append(nodes.titled(str(title), node) if parts is value else node)
    return tuple(made)


def node_of(name: str, value: Any) -> Node:
    """Return a node that shows a value.

    Parameters
    ----------
    name : str
        What it is called.
    value : object
        A node; a view, such as a lens; numbers (H, W); a figure of matplotlib, which is closed; any
        object that IPython shows as HTML or PNG, or as text. None shows nothing.

    Examples
    --------
    >>> import torch
    >>> node_of("Y", torch.eye(2)).kind, node_of("n", 3).words
    ('table', '3')
    """
    if isinstance(value, Node):
        return value
    if isinstance(tree := getattr(value, "tree", None), Node):
        return tree
    if (numbers := _numbers(value)) is not None:
        return nodes.array(f"result {name}", numbers, aria_label=name)
    if hasattr(value, "savefig"):
        return _png(name, _drawn(value))
    if hasattr(value, "png"):
        return _png(repr(value), value.png)
    html = value._repr_html_() if hasattr(value, "_repr_html_") else None
    if html is not None:
        return nodes.markup(Markup(html), words=repr(value))
    return nodes.text("" if value is None else str(value))


def _numbers(value: Any) -> Tensor | None:
    """Return real numbers (H, W) as floats on the CPU, or None if the value is none such."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        value = torch.from_numpy(value.astype(np.float64))
    if not isinstance(value, Tensor) or value.dim() != 2 or not value.numel():
        return None
    if value.is_complex():
        return None
    values = value.detach().cpu()
    return values if values.is_floating_point() else values.double()


def _drawn(figure: Any) -> bytes:
    """Return a figure as PNG; pyplot, which would keep and show it too, forgets it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
    return buffer.getvalue()


def _png(words: str, png: bytes) -> Node:
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return nodes.markup(tag("img", src=source, alt=words), words=words)
