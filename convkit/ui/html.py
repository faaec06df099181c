"""A view as HTML for the live panel, escaped by construction.

`tag` escapes each text that is not `markupsafe.Markup`; nothing else writes HTML.
"""

from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape
from itertools import chain, product, repeat
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image
from torch import Tensor

from convkit import formatting
from convkit.formatting import minus
from convkit.ui.cursors import Frame
from convkit.ui.nodes import Node
from convkit.ui.store import equal

VOID = frozenset({"input", "img"})
"""Elements without an end tag."""
ICONS = {
    "undo": ("M4 6h5.5a3.5 3.5 0 0 1 0 7H6", "M6.5 2.5v7L2 6z"),
    "redo": ("M12 6H6.5a3.5 3.5 0 0 0 0 7H10", "M9.5 2.5v7L14 6z"),
    "reset": ("M4.2 4.8A5 5 0 1 1 3 8.4", "M2.2 1.8v5.4h5z"),
}
"""A line and an arrow head of each, in a square of 16."""

Point = tuple[float, float]
"""Units from the left and from the top."""
Size = tuple[int, int]
"""Units: width and height."""
JOINS = {"halo": "L", "walked": "L", "rims": "h0M", "dots": "h0M"}
"""The lines of a path, and what stands between its points: a line, or a dot at each."""
Attributes = Mapping[str, Any]
"""Of a live page: the key and the kind of a node; there are none in a saved one."""


def tag(name: str, /, *inside: str, **attributes: Any) -> Markup:
    """Return an element; text in it and in its attributes is escaped unless it is Markup.

    An attribute that is None or False is left out; ``class_`` and ``aria_label`` stand for "class"
    and "aria-label".

    Examples
    --------
    >>> tag("p", "a < b", title='"', hidden=True, lang=None)
    Markup('<p title="&quot;" hidden>a &lt; b</p>')
    """
    written = "".join([_attribute(k, v) for k, v in attributes.items() if v is not None])
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{''.join([escaped(part) for part in inside])}</{name}>")


def _attribute(name: str, value: Any) -> str:
    if value is False:
        return ""
    return _html_name(name) if value is True else f'{_html_name(name)}="{_escape(str(value))}"'


@cache
def _html_name(name: str) -> str:
    return " " + name.strip("_").replace("_", "-")


def escaped(text: str) -> str:
    """Return a text as HTML; Markup is HTML already.

    `html.escape` is three times as fast on short texts as markupsafe's.

    Examples
    --------
    >>> escaped("a < b"), escaped(Markup("<b>"))
    ('a &lt; b', Markup('<b>'))
    """
    return text if isinstance(text, Markup) else _escape(text)


def _escape(text: str) -> str:
    return escape(writable(text))


def writable(text: str) -> str:
    r"""Return a text with a question mark for each half of a pair, which UTF-8 cannot hold.

    Examples
    --------
    >>> writable("\ud800 \u2212")
    '? −'
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def join(parts: Sequence[str]) -> Markup:
    """Return texts, each escaped unless it is Markup, after each other."""
    return Markup("".join([escaped(part) for part in parts]))


def render(node: Node) -> Markup:
    """Return a keyed node as HTML for the live page."""
    cached = vars(node).get("_html")
    if cached is None:
        inside = [render(child) for child in node.children]
        cached = vars(node)["_html"] = shell(node, inside)  # a node never changes
    return cached


def reuse(old: Node, new: Node) -> None:
    """Let a node have the HTML, if it is written already, of one that says the same."""
    if "_html" in vars(old):
        vars(new)["_html"] = vars(old)["_html"]


def shell(node: Node, inside: Sequence[Markup] = ()) -> Markup:
    """Return a node as HTML for the live page, around what is given of its children."""
    attributes = {"data_key": node.key, "data_kind": node.kind} if node.key else {}
    return WRITERS[node.kind](node, inside, attributes)


# Layout and words


def _box(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    classes = " ".join([f"ck-{name}" for name in node.css.split()])
    style = "".join([f"--{name}:{number:g};" for name, number in node.variables.items()])
    return tag("div", *inside, class_=classes or None, style=style or None, **live)


def _together(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    return tag("form", *inside, method="dialog", class_="ck-row ck-together", **live)


def _heading(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    hue = f"--hue:var(--ck-{node.hue})" if node.hue else None
    return tag("span", node.words, class_="ck-heading", style=hue, **live)


def _section(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    is_told = bool(live) and node.edits is not None
    told = {"open": node.is_open, "data_told": str(node.is_open).lower() if is_told else None}
    return tag("details", tag("summary", node.title), *inside, class_="ck-section", **told, **live)


def _status(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    state = " ck-error" if node.is_error else " ck-busy" if node.is_busy else ""
    role = "alert" if node.is_error else "status"
    # With a tabindex it can take the focus from the stop button, which goes.
    words = tag("span", node.words, aria_atomic="true", class_="ck-words", tabindex=-1, role=role)
    stop = tag("button", "stop", type="button", value="stop") if node.is_busy else ""
    return tag("div", words, stop, class_=f"ck-status{state}", **live)


def _history(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    can = {"undo": node.can_undo, "redo": node.can_redo, "reset": True}
    buttons = [
        tag(
            "button",
            icon(*ICONS[name]),
            type="button",
            aria_label=name,
            title=name,
            value=name,
            aria_disabled=str(not can[name]).lower(),
        )
        for name in ICONS
    ]
    return tag("div", *buttons, class_="ck-history", **live)


def icon(line: str, shape: str) -> Markup:
    """Return an icon of a line and a filled shape, both SVG paths in a square of 16."""
    paths = tag("path", class_="ck-line", d=line) + tag("path", d=shape)
    return tag("svg", paths, viewBox="0 0 16 16", aria_hidden="true")


def _text(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    classes = " ".join([f"ck-{name}" for name in ("text", *node.css.split())])
    return tag("span", node.words, class_=classes, **live)


def _label(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    return tag("span", node.words, class_="ck-label", **live)


def _markup(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    content = Markup(writable(node.content))
    return tag("div", content, class_=f"ck-{node.css}" if node.css else None, **live)


def _code(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    copy = tag("button", f"copy the {node.name}", type="button", value="copy")
    said = tag("span", role="status")
    pre = tag("pre", node.source, tabindex="0", role="region", aria_label=node.name)
    return tag("div", copy, said, pre, class_="ck-code", **live)


def _question(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    folds = [_fold(choice, reason, node.right) for choice, reason in node.choices.items()]
    words = tag("div", node.name, class_="ck-heading")
    return tag(
        "div", words, *folds, class_="ck-question", role="group", aria_label=node.name, **live
    )


def _fold(choice: str, reason: str, right: str) -> Markup:
    is_right = choice == right
    verdict = tag("b", "Right." if is_right else "Not so.")
    then = "" if is_right else tag("div", "Right is: ", tag("b", right))
    answer = tag("div", verdict, f" {reason}", then, class_="ck-answer")
    css = "ck-right" if is_right else None
    return tag("details", tag("summary", choice), answer, class_=css)


# Controls


def _select(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    options = [
        tag("option", str(option), value=k, selected=equal(option, node.value))
        for k, option in enumerate(node.options)
    ]
    return tag("select", *options, aria_label=node.name, **live)


def _choice(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    labels = [
        tag(
            "label",
            tag("input", type="radio", name=node.name, value=option, checked=option == node.value),
            option,
            title=tooltip or None,
        )
        for option, tooltip in node.options.items()
    ]
    return tag("form", *labels, class_="ck-choice", role="radiogroup", aria_label=node.name, **live)


def _check(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    ticked = tag("input", type="checkbox", checked=node.value)
    return tag("label", ticked, node.name, class_="ck-check", **live)


def _slider(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    ends = {"min": node.low, "max": node.high, "value": node.value, "aria_label": node.name}
    thumb = tag("input", type="range", aria_valuetext=node.value_text or None, **ends)
    scale = ""
    if node.mark is not None:
        share = 100 * (node.mark - node.low) / (node.high - node.low)
        scale = tag("i", class_="ck-scale", style=f"--mark:{share:.2f}%")
    return tag("span", thumb, scale, class_="ck-slider", **live)


def _entry(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    typed = tag(
        "input",
        type="text",
        value=node.value,
        autocomplete="off",
        aria_label=node.name,
        style=f"width:{node.width}px",
        disabled=bool(node.disabled),
        title=node.disabled or None,
    )
    return tag("label", node.name if node.shows_name else "", typed, class_="ck-entry", **live)


def _button(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    then = {"data_then": node.focus or None}
    return tag("button", node.name, type="button", class_="ck-button", **then, **live)


def _file(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    chosen = tag("input", type="file", accept=node.accept, aria_label=node.name)
    return tag("label", node.name, chosen, class_="ck-file", **live)


def box_texts(values: Tensor, is_compact: bool) -> list[list[str]]:
    """Return what the boxes of a grid of numbers say.

    Examples
    --------
    >>> import torch
    >>> box_texts(torch.tensor([[1.0, -0.25]]), is_compact=False)
    [['1', '−0.25']]
    """
    return formatting.cell_texts(values, 5 if is_compact else 7)


def _numbers(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    values, columns = node.values, node.values.shape[1]
    texts = [t for line in box_texts(values, node.is_compact) for t in line]
    exact = [t for line in formatting.numbers(values) for t in line]
    classes = node.scale.classes(values)
    chosen, tab_stop = node.at, node.at or (0, 0)
    boxes = []
    for k, text in enumerate(texts):
        cell = divmod(k, columns)
        boxes.append(
            tag(
                "input",
                type="text",
                autocomplete="off",
                value=text,
                class_=classes[k] + (" ck-chosen" if cell == chosen else ""),
                aria_label=f"{node.symbol}[{cell[0]}, {cell[1]}]",
                title=minus(exact[k]) if node.is_compact else None,
                data_cell=f"{cell[0]},{cell[1]}",
                tabindex="-1" if node.is_compact and cell != tab_stop else None,
            )
        )
    style = f"--columns:{columns};--chars:{max(4, *map(len, texts))}"
    css = "ck-boxes ck-compact" if node.is_compact else "ck-boxes"
    focus = {"data_focus": node.focus is not None}
    return tag(
        "div", *boxes, class_=css, role="group", aria_label=node.name, style=style, **focus, **live
    )


# Arrays


def _cells(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    pairs = zip(node.classes, _all_escaped(node.texts), strict=True)
    tds = [f'<td class="{css}">{text}</td>' for css, text in pairs]
    rows = [Markup(f"<tr>{''.join(line)}</tr>") for line in _in_lines(tds, node.columns)]
    body = tag("table", tag("tbody", *rows), role="table", aria_label=node.name)
    return tag("div", body, class_="ck-bare", style=f"--n:{node.columns}", **live)


def _all_escaped(texts: Sequence[str]) -> list[str]:
    """Return texts as HTML, sooner than each by itself."""
    return _escape("\0".join([text.replace("\0", " ") for text in texts])).split("\0")


def _in_lines(tds: Sequence[str], columns: int) -> list[Sequence[str]]:
    return [tds[k : k + columns] for k in range(0, len(tds), columns)]


def _frames(frames: Sequence[Frame]) -> Markup:
    return Markup("".join([_frame(frame) for frame in frames]))


def _frame(frame: Frame) -> Markup:
    """Return an element that lies where the cursor's place puts it, by a rule in its style."""
    names = ("t0", "ti", "tj", "l0", "li", "lj", "h", "w")
    rule = dict(zip(names, (*frame.top, *frame.left, *frame.span), strict=True))
    place = zip("ij", (*frame.cursor.place, 0), strict=False)
    style = "".join([f"--{name}:{n};" for name, n in rule.items()])
    style += "".join([f"--{axis}:var(--{frame.cursor.name}-{axis},{n});" for axis, n in place])
    has_parts = bool(frame.texts or frame.picks) or frame.dilation != (1, 1)
    css = "ck-weights" if has_parts else "ck-ring"
    if frame.per != (1, 1):
        css += " ck-per"
        style += f"--down:{frame.per[0]};--across:{frame.per[1]};"
    picks = {}
    if frame.picks:
        css += " ck-picks"
        style += f"--first-pick:{frame.picks[frame.cursor.index]};"
        picks = {"data_picks": picks_text(frame)}
    return tag(
        "div",
        *(_frame_parts(frame) if has_parts else ()),
        class_=css,
        aria_hidden="true",
        data_cursor=frame.cursor.name,
        data_rule=",".join(map(str, rule.values())),
        style=f"{style}--hue:var(--ck-{frame.hue})",
        **picks,
    )


def picks_text(frame: Frame) -> str:
    """Return which cell of a frame is marked at each place, as the module reads it."""
    return ",".join(map(str, frame.picks))


def _frame_parts(frame: Frame) -> list[Markup]:
    (h, w), (down, right) = frame.size, frame.dilation
    texts = frame.texts or ("",) * (h * w)
    return [
        tag("b", style=f"--k:{k};--a:{k // w * down};--b:{k % w * right}", data_text=text or None)
        for k, text in enumerate(texts)
    ]


def _table(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    return table_of(node, cell_classes(node), cell_texts(node), live)


def table_of(
    node: Node, classes: Sequence[str], insides: Sequence[str], live: Attributes
) -> Markup:
    """Return a table with its frames, given class and HTML of each cell, in reading order.

    Its form keeps the radio buttons of two saved tables apart; Enter sends it nowhere.
    """
    cursor = node.frames[0].cursor if node.frames else None
    body = tag("tbody", *_head(node), *_lines(node, classes, insides))
    role = "grid" if live and node.descriptions else "table"
    whole = tag("table", body, role=role, aria_label=node.aria_label)
    css = "ck-table"
    css += " ck-choose" if node.descriptions else ""
    css += " ck-weighted" if node.frames and node.frames[0].texts else ""
    css += " ck-headed" if node.headers else ""
    chars = max(3, *(len(text) for line in node.texts for text in line))
    is_alone = cursor is None or cursor.is_chosen is None
    rows, columns = node.values.shape
    size = f"--m:{rows};--cw:{node.cell}px;--ch:{node.cell}px" if node.cell else ""
    css += " ck-small" if node.cell else ""
    return tag(
        "form" if is_alone else "div",
        tag("div", whole, _frames(node.frames), class_="ck-layers"),
        method="dialog" if is_alone else None,
        class_=css,
        style=f"--chars:{chars};--n:{columns};{size}",
        data_pick=cursor.name if cursor and node.pick != "none" else None,
        data_still=node.pick == "click",
        data_paint=",".join(map(str, node.part.start)) if node.edits else None,
        tabindex="-1" if node.edits else None,
        **live,
    )


def _head(node: Node) -> list[Markup]:
    if not node.headers:
        return []
    _, inside = node.part.inside
    numbers = [n if n in inside else "" for n in node.part.columns]
    names = [tag("th", str(n), scope="col") for n in numbers]
    return [tag("tr", tag("td", class_="ck-corner"), *names)]


def _lines(node: Node, classes: Sequence[str], insides: Sequence[str]) -> list[Markup]:
    rows, _ = node.part.inside
    heads = [""] * len(node.part.rows)
    if node.headers:
        names = [str(row) if row in rows else "" for row in node.part.rows]
        heads = [tag("th", name, scope="row") for name in names]
    titles = [f' title="{_escape(words)}"' if words else "" for words in chain(*node.tooltips)]
    cells = zip(classes, titles or repeat(""), insides, strict=False)
    tds = [f'<td class="{css}"{title}>{inside}</td>' for css, title, inside in cells]
    lines = zip(heads, _in_lines(tds, len(node.part.columns)), strict=True)
    return [
        Markup(f'<tr class="r{i}">{head}{"".join(line)}</tr>')
        for i, (head, line) in enumerate(lines)
    ]


def cell_texts(node: Node) -> list[str]:
    """Return the texts of a table's cells as HTML, in reading order."""
    return _all_escaped([*chain(*node.texts)])


def cell_classes(node: Node) -> list[str]:
    """Return the classes of a table's cells, in reading order: of colour, padding, difference."""
    (rows, columns), part, classes = node.part.inside, node.part, list(node.classes)
    if len(rows) * len(columns) < len(classes):
        places = enumerate(product(part.rows, part.columns))
        for k in [k for k, (i, j) in places if i not in rows or j not in columns]:
            classes[k] = "ck-pad"
    for i, j in node.marked:
        classes[i * len(part.columns) + j] += " ck-different"
    return classes


def _picture(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    rows, columns = node.shape
    canvas = tag(
        "canvas",
        role="img",
        aria_label=node.aria_label,
        width=columns,
        height=rows,
        data_look=node.look,
        data_from=node.props.get("pixels_from"),
        tabindex="0" if node.frames else None,
    )
    return picture_around(node, canvas, live)


def _colour_picture(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    rows, columns = node.shape
    source = png_source(Image.frombytes("RGB", (columns, rows), node.channels))
    behaviour: Attributes = {}
    if live:
        behaviour = {"draggable": "false", "tabindex": "0" if node.frames else None}
    shown = tag("img", src=source, alt=node.aria_label, **behaviour)
    return picture_around(node, shown, live)


def png_source(image: Image.Image) -> str:
    """Return a picture as the address of an element that shows it."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"


def picture_around(node: Node, shown: Markup, live: Attributes) -> Markup:
    """Return a picture's frames around an element that shows its pixels."""
    (rows, columns), full = node.shape, node.full
    zoom = node.width / max(rows, columns)
    whole = int(zoom) if zoom >= 2 else zoom
    style = f"--width:{columns * whole:g}px;aspect-ratio:{columns}/{rows};"
    style += f"--rows:{full[0]};--columns:{full[1]}"
    picks = {}
    if node.frames:
        picks = {"data_pick": node.frames[0].cursor.name, "data_full": f"{full[0]},{full[1]}"}
        picks["data_layer"] = node.props.get("layer")
    return tag(
        "div", shown, _frames(node.frames), class_="ck-picture", style=style, **picks, **live
    )


def _description(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    return tag("output", node.words, class_="ck-description", data_cursor=node.follows.name, **live)


def _cursor(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    c = node.cursor
    sizes, place = (",".join(map(str, numbers)) for numbers in (c.sizes, c.place))
    told = {"data_point": c.point is not None, "data_quiet": c.quiet, "data_chosen": c.is_chosen}
    return tag("i", hidden=True, data_cells=sizes, data_at=place, **told, **live)


def _sentences(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    """Return what a table says of each cell: the module names the chosen one, and no other."""
    said = json.dumps(node.descriptions, ensure_ascii=False)
    return tag("i", hidden=True, data_said=said, **live)


# What follows a cursor: series, players and plots


def _series(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    kind = {"class_": "ck-series"}
    if node.late:
        kind = {"class_": "ck-unseen", "role": "status"}
    return tag("div", data_cursor=node.follows.name, **kind, **live)


def _player(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    return tag("div", *inside, class_="ck-series", **live)


def _plot(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    width, height = node.size
    taken = {}
    if live:
        chooses = None if node.edits else node.follows.name
        taken = {"data_size": f"{width},{height}", "data_chooses": chooses, "tabindex": 0}
    return tag(
        "div",
        *inside,
        class_="ck-plot ck-stretch" if node.stretch else "ck-plot",
        style=f"--w:{width};--h:{height}",
        role="img",
        aria_label=node.name,
        **taken,
        **live,
    )


def svg(size: Size, body: Markup, **attributes: Any) -> Markup:
    """Return SVG in the units of a plot, stretched over it."""
    box = f"0 0 {size[0]} {size[1]}"
    told = {"viewBox": box, "preserveAspectRatio": "none", "aria_hidden": "true"}
    return tag("svg", body, **told, **attributes)


def _axes(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    return tag("div", svg(node.size, node.shapes), node.written, class_="ck-axes", **live)


def _path(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    ahead = tag("path", class_="ck-ahead", data_join="L", data_whole=True) if node.ahead else ""
    lines = [tag("path", class_=f"ck-{name}", data_join=join) for name, join in JOINS.items()]
    told = {"data_points": _coded(node.points), "data_sides": " ".join(node.sides)}
    return svg(node.size, join([ahead, *lines]), data_cursor=node.follows.name, **told, **live)


def _coded(points: Sequence[Point]) -> str:
    """Return points as the page reads them: from each to the next, in tenths of a unit."""
    tenths = np.rint(10 * np.array(points)).astype(int)
    ways = np.diff(tenths, axis=0, prepend=0).tolist()
    return " ".join([f"{x},{y}" for x, y in ways])


def _marker_box(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    return tag("div", *inside, **live)


def place_style(point: Point, size: Size) -> str:
    """Return where a point of a plot is, as CSS in percent."""
    x, y = (100 * n / length for n, length in zip(point, size, strict=True))
    return f"--x:{x:.2f}%;--y:{y:.2f}%"


# Equations


def _equation(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    names = ("rows", "columns", "longest", "longest_weight", "fit", "hinted")
    style = "".join([f"--{name.replace('_', '-')}:{node.props[name]};" for name in names])
    return tag("div", *inside, class_="ck-equation", style=style, **live)


def _term(node: Node, inside: Sequence[Markup], live: Attributes) -> Markup:
    return tag("div", *inside, class_="ck-term", data_sign=node.sign or None, **live)


WRITERS: dict[str, Callable[[Node, Sequence[Markup], Attributes], Markup]] = {
    "box": _box,
    "together": _together,
    "heading": _heading,
    "section": _section,
    "status": _status,
    "history": _history,
    "text": _text,
    "label": _label,
    "markup": _markup,
    "code": _code,
    "question": _question,
    "select": _select,
    "choice": _choice,
    "check": _check,
    "slider": _slider,
    "entry": _entry,
    "button": _button,
    "file": _file,
    "numbers": _numbers,
    "cells": _cells,
    "table": _table,
    "picture": _picture,
    "colour picture": _colour_picture,
    "description": _description,
    "cursor": _cursor,
    "sentences": _sentences,
    "series": _series,
    "player": _player,
    "plot": _plot,
    "axes": _axes,
    "path": _path,
    "markers": _marker_box,
    "equation": _equation,
    "term": _term,
}
"""How each kind of node is written for the live page."""
