"""A node for any value, such as what a function returned."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any

from markupsafe import Markup
from torch import Tensor

from convkit.ui import nodes
from convkit.ui.html import tag
from convkit.ui.nodes import Node


def node_of(name: str, value: Any) -> Node:
    """Return a node that shows a value.

    Parameters
    ----------
    name : str
        What it is called.
    value : object
        A node; a view, such as a lens; a tensor (H, W); a figure of matplotlib; any object that
        IPython shows as HTML or PNG, or as text. None shows nothing.

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
    if isinstance(value, Tensor) and value.dim() == 2 and value.numel():
        return nodes.array(name, _plain(value))
    if hasattr(value, "savefig"):
        return _png(name, _drawn(value))
    if hasattr(value, "png"):
        return _png(repr(value), value.png)
    if hasattr(value, "_repr_html_"):
        return nodes.markup(Markup(value._repr_html_()), words=repr(value))
    return nodes.text("" if value is None else str(value))


def _plain(values: Tensor) -> Tensor:
    return (
        values.detach().cpu().double() if not values.is_floating_point() else values.detach().cpu()
    )


def _drawn(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _png(words: str, png: bytes) -> Node:
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return nodes.markup(tag("img", src=source, alt=words), words=words)
