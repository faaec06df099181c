"""Style sheets: of live panels, and of saved views, which carry the rules that they need.

A sheet that comes again, with another output, must not undo what a later sheet says. So all live
panels have one sheet; saved views with different ones have roots of different classes; and what a
panel adds of its own weighs more than any rule of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from convkit.ui.nodes import Node
from convkit.ui.theme import level_rules, theme_rules

ROOT = ".ck-view"
"""With this class every rule of the sheets starts: the root of a live panel."""
CONTROLS = frozenset({"status", "history", "code", "choice", "player"})
PLOTS = frozenset({"plot"})
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SPACE = re.compile(r"\s*([{};])\s*|\s+")
LEVEL = re.compile(r'(?<=[" ])[tg]-?\d+(?=[" ])')
"""A class of `Scale.classes` in an attribute."""


@cache
def stylesheet() -> str:
    """Return the style sheet that all live panels share."""
    sheets = [_sheet(name) for name in ("view", "panel", "arrays", "plots")]
    return "".join([theme_rules(), *sheets, level_rules()])


def own_rules(style: str) -> str:
    """Return rules of a panel of its own, so that they win over those of all views.

    They may contain no ``@keyframes``.

    Examples
    --------
    >>> own_rules(".ck-mine .ck-row { gap: 0; }")
    '.ck-view.ck-view{.ck-mine .ck-row { gap: 0; }}'
    """
    return f"{ROOT}{ROOT}{{{style}}}" if style else ""


def saved_rules(tree: Node, body: str, style: str = "") -> tuple[str, str]:
    """Return the class of a saved view's root, and the rules that it needs.

    Parameters
    ----------
    tree : Node
        The view.
    body : str
        Its HTML, which says what shades are on show.
    style : str
        Rules of its own.

    Examples
    --------
    >>> import torch
    >>> from convkit.ui import nodes
    >>> root, rules = saved_rules(nodes.array("X", torch.zeros(2, 2)), '<td class="g0">')
    >>> root, ".g0{" in rules, ".g1{" in rules, ".ck-choice" in rules
    ('ck-saved-a', True, False, False)
    """
    kinds = _kinds(tree)
    names = ["view", "arrays"]
    names += ["panel"] if kinds & CONTROLS else []
    names += ["plots"] if kinds & PLOTS else []
    root = "ck-saved-" + "".join([name[0] for name in names[1:]])
    sheets = [_sheet(name) for name in (*names, "saved")]
    rules = [theme_rules(), *sheets, level_rules(set(LEVEL.findall(body))), own_rules(style)]
    return root, "".join(rules).replace(ROOT, f".{root}")


def _kinds(tree: Iterable[Node]) -> set[str]:
    """Return the kinds of nodes in a tree, also of those in its series."""
    nodes = list(tree)
    samples = [part for node in nodes for part in node.props.get("sample", ())]
    return {node.kind for node in nodes + samples}


@cache
def _sheet(name: str) -> str:
    """Return a style sheet without comments, and without spaces that mean nothing."""
    text = files("convkit.ui").joinpath("static", f"{name}.css").read_text("utf-8")
    return SPACE.sub(lambda space: space[1] or " ", COMMENT.sub("", text)).strip()
