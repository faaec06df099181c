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
SHEETS: dict[str, set[str] | None] = {
    "view": None,
    "panel": {"status", "history", "section", "code", "choice", "player"},
    "arrays": {"table", "picture", "colour picture", "numbers", "cells"},
    "pictures": {"picture", "colour picture"},
    "equations": {"equation"},
    "plots": {"plot"},
    "questions": {"question"},
    "live": set(),
    "together": {"together"},
}
"""For which kinds of nodes a saved view needs a sheet; None for all."""
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SPACE = re.compile(r'("[^"]*")|\s*([{};])\s*|(?<=[:,])\s+|\s+')
"""Spaces, and texts in quotes, which keep theirs."""
LEVEL = re.compile(r'(?<=[" ])[tg]-?\d+(?=[" ])')
"""A class of `Scale.classes` in an attribute."""


@cache
def stylesheet() -> str:
    """Return the style sheet that all live panels share."""
    return "".join([theme_rules(), *map(_sheet, SHEETS), level_rules()])


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
    ('ck-02', True, False, False)
    """
    kinds = _kinds(tree)
    names = [name for name, needing in SHEETS.items() if needing is None or needing & kinds]
    root = "ck-" + "".join([str(n) for n, name in enumerate(SHEETS) if name in names])
    sheets = "".join([_sheet(name) for name in (*names, "saved")]) + own_rules(style)
    rules = theme_rules(sheets + body) + sheets + level_rules(set(LEVEL.findall(body)))
    return root, rules.replace(ROOT, f".{root}")


def _kinds(tree: Iterable[Node]) -> set[str]:
    """Return the kinds of nodes in a tree, also of those in its series."""
    nodes = list(tree)
    samples = [part for node in nodes for part in node.props.get("sample", ())]
    return {node.kind for node in nodes + samples}


@cache
def _sheet(name: str) -> str:
    """Return a style sheet without comments, and without spaces that mean nothing."""
    text = files("convkit.ui").joinpath("static", f"{name}.css").read_text("utf-8")
    return SPACE.sub(_shorter, COMMENT.sub("", text)).strip()


def _shorter(found: re.Match[str]) -> str:
    is_needed = found.string[found.start() - 1] not in ":,"
    return found[1] or found[2] or (" " if is_needed else "")
