"""The toolkit of panels: state -> compute -> result -> view -> a tree of nodes.

A panel is a state whose fields check themselves, a function that computes a result from it, and a
function that returns what to show of it. CONTRIBUTING shows a whole one.
"""

from convkit.ui import fields
from convkit.ui.controls import Painted, Pair
from convkit.ui.cursors import Cell, Cursor, Frame, Part
from convkit.ui.equations import equation, term
from convkit.ui.explore import explore
from convkit.ui.html import tag
from convkit.ui.jobs import Work
from convkit.ui.nodes import (
    Node,
    array,
    box,
    button,
    caption,
    cells,
    check,
    choice,
    code,
    colour_key,
    column,
    description,
    entry,
    file,
    header,
    heading,
    history,
    labelled,
    markup,
    number_entry,
    numbers,
    pair_entry,
    picture,
    pictures,
    question,
    row,
    section,
    select,
    slider,
    status,
    table,
    text,
    titled,
    together,
)
from convkit.ui.panel import Panel
from convkit.ui.plots import plot, trail
from convkit.ui.series import Series, player, series
from convkit.ui.store import Edit, State, Store
from convkit.ui.theme import Scale
from convkit.ui.views import View

__all__ = [
    "Cell",
    "Cursor",
    "Edit",
    "Frame",
    "Node",
    "Painted",
    "Pair",
    "Part",
    "Panel",
    "Scale",
    "Series",
    "State",
    "Store",
    "View",
    "Work",
    "array",
    "box",
    "button",
    "caption",
    "cells",
    "check",
    "choice",
    "code",
    "colour_key",
    "column",
    "description",
    "entry",
    "equation",
    "explore",
    "fields",
    "file",
    "header",
    "heading",
    "history",
    "markup",
    "labelled",
    "number_entry",
    "numbers",
    "pair_entry",
    "picture",
    "pictures",
    "player",
    "plot",
    "question",
    "row",
    "section",
    "select",
    "series",
    "slider",
    "status",
    "table",
    "tag",
    "term",
    "text",
    "titled",
    "together",
    "trail",
]
