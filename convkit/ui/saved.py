"""A view as HTML for a saved notebook that is read without a kernel.

It is the markup of the live page, so that a saved panel looks as the live one did. No script runs:
controls become words, pixels a PNG, and radio buttons with ``:has()`` rules move the frames.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from markupsafe import Markup
from PIL import Image

from convkit.ui.cursors import Cursor, Frame
from convkit.ui.html import (
    JOINS,
    WRITERS,
    box_texts,
    cell_classes,
    cell_texts,
    join,
    picks_text,
    picture_around,
    place_style,
    png_source,
    svg,
    table_of,
    tag,
)
from convkit.ui.nodes import Node
from convkit.ui.styles import saved_rules
from convkit.ui.theme import Scale

MAX_SAVED_CELLS = 36
"""The most cells of a cursor whose every place a saved view shows."""
TOGETHER = ".ck-together .ck-choose"
"""The selector of the tables among which one cell is chosen."""
SUPPRESS = {"data_lm_suppress_shortcuts": "true"}
"""Of an element that takes keys: with the focus on it, they do not reach JupyterLab."""
MAX_SAVED_STEPS = 5
"""The most steps, beside the first, that a saved view offers of a cursor."""


def render_saved(node: Node) -> Markup:
    """Return a node as HTML that needs no script and has no controls."""
    if node.kind in SAVED_WRITERS:
        return SAVED_WRITERS[node.kind](node)
    inside = [render_saved(child) for child in node.children]
    if node.kind == "box":  # a site that drops styles shows what stands side by side as one text
        inside = [Markup(" ").join([part for part in inside if part])]
    return WRITERS[node.kind](node, inside, {})


def saved(tree: Node, note: str = "", style: str = "", title: str = "") -> Markup:
    """Return a keyed view as HTML for a saved notebook: no script, no request, no control.

    Parameters
    ----------
    tree : Node
        The view, with keys.
    note : str
        A line below it.
    style : str
        Further rules of a style sheet.
    title : str
        What JupyterLab shows in place of a collapsed output: the first line of its HTML.
    """
    body = render_saved(tree)
    lines = [_description_line(node, tree) for node in tree if node.kind == "description"]
    small = tag("div", tag("small", note)) if note else ""
    root, rules = saved_rules(tree, body, style)
    rules = Markup(f"<style>{rules}{_cursor_rules(tree, root)}</style>")
    page = tag("div", rules, body, *lines, small, class_=f"ck-saved {root}")
    return _comment(title) + page if title else page


def _comment(words: str) -> Markup:
    """Return a line that is no part of the page; no text can end it early."""
    plain = " ".join(words.replace("-", "‐").split())
    return Markup(f"<!-- {plain} -->\n")


def _description_line(node: Node, tree: Node) -> Markup:
    """Return what a table says of its chosen cell, and how long the longest of it is.

    It stands below the view, where the sentence of any other cell takes its place.
    """
    tables = _chosen_in(tree, node.follows)
    said = [text for table in tables for text in chain(*table.descriptions)]
    words = tag("span", node.words)
    longest = max(said, key=len, default=node.words)
    return tag("output", words, class_="ck-description", data_longest=longest)


def _chosen_in(tree: Node, cursor: Cursor) -> list[Node]:
    """Return the tables in which a cursor's cell can be chosen, or that of one together with it."""
    tables = [node for node in tree if node.kind == "table" and node.descriptions and node.frames]
    cursors = [(table, table.frames[0].cursor) for table in tables]
    if _is_together(cursor):
        return [table for table, other in cursors if _is_together(other)]
    return [table for table, other in cursors if other.name == cursor.name]


def _is_together(cursor: Cursor) -> bool:
    return cursor.is_chosen is not None


def saved_places(cursor: Cursor) -> list[int]:
    """Return the numbers of the places, its own among them, that a saved view shows of a cursor.

    Examples
    --------
    >>> saved_places(Cursor("step", 101, 30, "n"))
    [0, 20, 30, 40, 60, 80, 100]
    """
    last = cursor.count - 1
    if len(cursor.sizes) == 2:
        return list(range(last + 1)) if last < MAX_SAVED_CELLS else [cursor.index]
    steps = {round(last * k / MAX_SAVED_STEPS) for k in range(MAX_SAVED_STEPS + 1)}
    return sorted({cursor.index, *steps})


def _cursor_rules(tree: Node, root: str) -> str:
    """Return the rules that lead each cursor to the place chosen or pointed at."""
    cursors = [node.cursor for node in tree if node.kind == "cursor"]
    followed = {node.follows.name for node in tree if node.kind in ("series", "path")}
    described = [node.follows for node in tree if node.kind == "description"]
    rules = [_cell_rules(c, root) for c in cursors if len(c.sizes) == 2]
    rules += [_place_rules(c, root) for c in cursors if c.name in followed]
    rules += [_sentence_rules(cursor, n, root) for n, cursor in enumerate(described)]
    rules += [_together_rules(c, root) for c in cursors if _is_together(c)]
    frames = {f.picks: f for node in tree for f in node.props.get("frames", ()) if f.picks}
    rules += [_pick_rules(frame, root) for frame in frames.values()]
    return "".join(rules)


def _choosing(cursor: str) -> str:
    """Return the selector of the table in which a cursor's cell is chosen."""
    return f".ck-choose[data-pick={cursor}]"


def _cell_rules(c: Cursor, root: str) -> str:
    """Return the rules that move the frames of a cursor of cells; the pointer's win.

    What the frames alone are told does not make a browser style all cells anew.
    """
    table, frames = _choosing(c.name), f"[data-cursor={c.name}]"
    return "".join(
        f".{root}:has({table} .{kind}{n}{state}) {frames}{{--{c.name}-{axis}:{n}}}"
        for state in (" :checked", ":hover")
        for kind, axis, count in zip("rc", "ij", c.sizes, strict=False)
        for n in range(count)
    )


def _place_rules(c: Cursor, root: str) -> str:
    """Return the rules that show what a series has for the place chosen, or pointed at."""
    return "".join(
        f"{','.join(_place_selectors(c, n, root))}{{display:revert}}" for n in saved_places(c)
    )


def _place_selectors(c: Cursor, n: int, root: str) -> list[str]:
    shown = f".ck-place-{c.name}-{n}"
    if len(c.sizes) == 1:
        return [f".{root}:has([name={c.name}][value='{n}']:checked) {shown}"]
    table = _choosing(c.name)
    cell = f"{table} .r{n // c.sizes[1]} .c{n % c.sizes[1]}"
    chosen = f".{root}:not(:has({table} td:hover)):has({cell} :checked) {shown}"
    return [f".{root}:has({cell}:hover) {shown}", chosen]


def _pick_rules(frame: Frame, root: str) -> str:
    """Return the rules that say which cell of a frame is marked; the pointer's win."""
    table, columns = _choosing(frame.cursor.name), frame.cursor.sizes[-1]
    places: dict[int, list[str]] = {}
    for n, pick in enumerate(frame.picks):
        places.setdefault(pick, []).append(f".r{n // columns} .c{n % columns}")
    return "".join(
        f".{root}:has({table} :is({','.join(cells)}){state}) [data-picks='{picks_text(frame)}']"
        f"{{--pick:{pick}}}"
        for state in (" :checked", ":hover")
        for pick, cells in places.items()
    )


def _together_rules(c: Cursor, root: str) -> str:
    """Return the rules that show a cursor's frames while it is the one pointed at, or chosen."""
    table, frames = _choosing(c.name), f"[data-rule][data-cursor={c.name}]"
    return (
        f".{root} {frames}{{visibility:hidden}}"
        f".{root}:has({table} td:hover) {frames},"
        f".{root}:not(:has({TOGETHER} td:hover)):has({table} :checked) {frames}"
        "{visibility:visible}"
    )


def _sentence_rules(cursor: Cursor, n: int, root: str) -> str:
    """Return the rules that show the sentence of a cell in the n-th line below the view."""
    table = TOGETHER if _is_together(cursor) else _choosing(cursor.name)
    line = f".ck-description:nth-of-type({n + 1})"
    other = "td:not(.ck-at) :checked"
    return (
        f".{root} {line},.{root} {table} input::after{{grid-area:{n + 2}/1/{n + 3}/2}}"
        f".{root} {table} td:hover input::after,.{root} {table} {other}::after"
        "{visibility:visible}"
        f".{root}:has({table} td:hover) {table} td:not(:hover) input::after{{visibility:hidden}}"
        f".{root}:has({table} td:hover) {line} span,.{root}:has({table} {other}) {line} span"
        "{visibility:hidden}"
    )


def _saved_value(node: Node) -> Markup:
    value = node.props.get("value_text") or str(node.value)
    name = f"{node.name} " if node.props.get("shows_name", True) else ""
    return tag("span", name, tag("b", value), class_="ck-value")


def _saved_label(node: Node) -> Markup:
    """Return a label, unless what it stands beside says its name itself."""
    has_name = SAVED_WRITERS.get(node.props.get("of", "")) is _saved_value
    return Markup() if has_name else WRITERS["label"](node, (), {})


def _saved_check(node: Node) -> Markup:
    return tag("span", node.name, class_="ck-value") if node.value else Markup()


def _saved_numbers(node: Node) -> Markup:
    texts = [t for line in box_texts(node.values, node.is_compact) for t in line]
    classes = node.scale.classes(node.values)
    props = {"texts": texts, "classes": classes, "columns": node.values.shape[1]}
    return WRITERS["cells"](Node("cells", node.name, props), (), {})


def _saved_table(node: Node) -> Markup:
    """Return a table in which a cell that says something can be chosen: by a radio button on it."""
    classes, insides = cell_classes(node), cell_texts(node)
    if not (node.descriptions and node.frames):
        return table_of(node, classes, insides, {})
    cursor, columns = node.frames[0].cursor, node.values.shape[1]
    chosen = -1 if cursor.is_chosen is False else cursor.index
    said = [*chain(*node.descriptions)]
    for k, text in enumerate(insides):
        insides[k] = tag("label", _radio(said[k], k == chosen), Markup(text))
        classes[k] += f" c{k % columns}" + (" ck-at" if k == chosen else "")
    return table_of(node, classes, insides, {})


def _radio(name: str, is_chosen: bool) -> Markup:
    told = {"checked": is_chosen, "aria_label": name, **SUPPRESS}
    return tag("input", type="radio", name="cell", **told)


def _saved_picture(node: Node) -> Markup:
    rows, columns = node.shape
    image = Image.frombytes("P", (columns, rows), node.pixels)
    image.putpalette(Scale(node.look, 0, 1).palette, "RGBA")
    return picture_around(node, tag("img", src=png_source(image), alt=node.aria_label), {})


def _saved_code(node: Node) -> Markup:
    return tag("pre", node.source, class_="ck-code")


def _saved_status(node: Node) -> Markup:
    return tag("div", node.words, class_="ck-status")


def _saved_section(node: Node) -> Markup:
    """Return a section, unless it held nothing but what one can press."""
    inside = Markup().join([render_saved(child) for child in node.children])
    if not inside.striptags() and "<img" not in inside:
        return Markup()
    return WRITERS["section"](node, [inside], {})


def _saved_series(node: Node) -> Markup:
    if node.late:
        return Markup()
    nodes, name = node.series.nodes, node.follows.name
    shown = {n: nodes[min(n, len(nodes) - 1)] for n in saved_places(node.follows)}
    return join([tag("div", render_saved(each), class_=_at(name, n)) for n, each in shown.items()])


def _at(cursor: str, n: int) -> str:
    """Return the classes of what is shown at one place of a cursor alone."""
    return f"ck-place ck-place-{cursor}-{n}"


def _saved_player(node: Node) -> Markup:
    """Return radio buttons for some of a cursor's steps; its cells are chosen in their table."""
    cursor = node.follows
    if len(cursor.sizes) == 2:
        return Markup()
    name, places = cursor.name, saved_places(cursor)
    radios = [
        tag("input", type="radio", name=name, value=n, checked=n == cursor.index) for n in places
    ]
    buttons = [tag("label", r, str(n)) for r, n in zip(radios, places, strict=True)]
    label = tag("span", name, class_="ck-value")
    named = {"class_": "ck-choice", "role": "radiogroup", "aria_label": name}
    # Enter sends the form nowhere.
    return tag("form", label, *buttons, method="dialog", **named)


def _saved_path(node: Node) -> Markup:
    points, name = [f"{x:g},{y:g}" for x, y in node.points], node.follows.name
    ahead = [tag("path", class_="ck-ahead", d=f"M{'L'.join(points)}")] if node.ahead else []
    lines = [
        tag("path", class_=f"ck-{line} {_at(name, n)}", d=f"M{between.join(points[: n + 1])}h0")
        for n in saved_places(node.follows)
        for line, between in JOINS.items()
    ]
    return svg(node.size, join([*ahead, *lines]))


def _saved_markers(node: Node) -> Markup:
    """Return the markers of some steps, each in its place."""
    (shown,) = node.children
    return join(
        [
            tag(
                "div",
                render_saved(shown.series.nodes[n]),
                class_=_at(shown.follows.name, n),
                style=place_style(node.points[n], node.size),
                data_side=node.sides[n],
            )
            for n in saved_places(shown.follows)
        ]
    )


def _nothing(node: Node) -> Markup:
    return Markup()


SAVED_WRITERS: dict[str, Callable[[Node], Markup]] = {
    "status": _saved_status,
    "history": _nothing,
    "section": _saved_section,
    "label": _saved_label,
    "code": _saved_code,
    "button": _nothing,
    "file": _nothing,
    "select": _saved_value,
    "choice": _saved_value,
    "check": _saved_check,
    "slider": _saved_value,
    "entry": _saved_value,
    "numbers": _saved_numbers,
    "table": _saved_table,
    "picture": _saved_picture,
    "description": _nothing,
    "cursor": _nothing,
    "sentences": _nothing,
    "series": _saved_series,
    "player": _saved_player,
    "path": _saved_path,
    "markers": _saved_markers,
}
"""How a node is written where no script runs, if that is another way."""
