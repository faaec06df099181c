"""Plots: axes with a path on them that ends, with a marker and a note, at a cursor's step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import atan2
from typing import Any

from markupsafe import Markup

from convkit.ui.cursors import Cursor, Edits
from convkit.ui.html import SAVED_WRITERS, WRITERS, join, saved_places, tag
from convkit.ui.nodes import Node, markup
from convkit.ui.series import Series, series

Point = tuple[float, float]
"""Units from the left and from the top."""
Size = tuple[int, int]
"""Units: width and height."""
JOINS = {"halo": "L", "walked": "L", "rims": "h0M", "dots": "h0M"}
"""The lines of a path, and what stands between its points: a line, or a dot at each."""
CHARACTER = 7
"""The width of a note's character, in units."""


def plot(  # noqa: PLR0913
    name: str,
    size: Size,
    cursor: Cursor,
    path: Sequence[Point],
    *,
    shapes: Markup = Markup(),  # noqa: B008
    words: Markup = Markup(),  # noqa: B008
    notes: Sequence[str],
    outside: Sequence[str] = (),
    start: str = "",
    ahead: bool = False,
    stretch: bool = False,
    edits: Edits | None = None,
) -> Node:
    """Return axes with a path that ends at the cursor's step.

    Parameters
    ----------
    name : str
        Its accessible name.
    size : (width, height)
        In units, which are CSS pixels unless it is stretched.
    cursor : Cursor
        A cursor of steps.
    path : sequence of (x, y)
        A point for each step, in units from the top left.
    shapes, words : Markup
        The axes: what is drawn, as SVG, and what is written, as HTML.
    notes : sequence of str
        What stands at the marker at each step.
    outside : sequence of str, optional
        What to say of points that lie outside.
    start : str
        What stands at the first point.
    ahead : bool
        Whether the rest of the path is shown too.
    stretch : bool
        Whether it is as wide as there is space.
    edits : callable, optional
        What a click, a drag or an arrow key edits; it takes x and y. Without it, they choose the
        step whose point is nearest along x.

    Examples
    --------
    >>> step = Cursor("step", 2, 0, "n")
    >>> plot("loss", (100, 50), step, [(0, 0), (100, 50)], notes=["2", "1"]).children[1].points
    '0,0 100,50'
    """
    points = " ".join([f"{x:g},{y:g}" for x, y in path])
    told = tuple(zip(map(tuple, path), notes, outside or ("",) * len(notes), strict=True))
    parts = (
        Node("axes", f"{name} axes", {"size": size, "shapes": shapes, "written": words}),
        Node(
            "path",
            f"{name} path",
            {"size": size, "follows": cursor, "points": points, "ahead": ahead},
        ),
        markup(_start(path[0], start, size)),
        series(f"{name} marker", cursor, _markers(told, size, is_guided=edits is None)),
    )
    return Node("plot", name, {"size": size, "follows": cursor, "stretch": stretch}, parts, edits)


def _start(point: Point, words: str, size: Size) -> Markup:
    if not words or _is_outside(point, size):
        return Markup()
    ring = tag("span", class_="ck-start")
    return _spot(point, size, ring, _note(words, is_left=point[0] > size[0] / 5))


@lru_cache(maxsize=32)
def _markers(told: Any, size: Size, *, is_guided: bool) -> Series:
    return Series(
        tuple(markup(_marker(p, size, *texts, is_guided=is_guided)) for p, *texts in told)
    )


def _marker(point: Point, size: Size, note: str, far: str, *, is_guided: bool) -> Markup:
    if _is_outside(point, size):
        return _arrow(point, size, far)
    is_left = point[0] + CHARACTER * len(note) + 24 > size[0]
    guide = tag("span", class_="ck-guide") if is_guided else ""
    marker = tag("span", class_="ck-marker")
    return _spot(point, size, guide, marker, _note(note, is_left=is_left, css=" ck-marker-note"))


def _arrow(point: Point, size: Size, words: str) -> Markup:
    """Return an arrow at the edge, on the way to a point outside, and words in the far corner."""
    (x, y), (width, height) = point, size
    right, down = x - width / 2, y - height / 2
    reach = max(abs(2 * right) / width, abs(2 * down) / height)
    at = width / 2 + right / reach, height / 2 + down / reach
    turn = f"rotate:{atan2(down, right):.3f}rad"
    arrow = tag("span", class_="ck-marker ck-outside", style=turn)
    is_left = 2 * at[0] < width
    corner = width if is_left else 0, height
    said = _spot(corner, size, _note(words, is_left=is_left, css=" ck-outside-note"))
    return _spot(at, size, arrow) + said


def _spot(point: Point, size: Size, *inside: str) -> Markup:
    """Return what stands at a point of a plot."""
    x, y = (100 * n / length for n, length in zip(point, size, strict=True))
    return tag("div", *inside, style=f"--x:{x:.2f}%;--y:{y:.2f}%")


def _note(words: str, *, is_left: bool, css: str = "") -> Markup:
    side = " ck-on-left" if is_left else ""
    return tag("span", words, class_=f"ck-note{css}{side}")


def _is_outside(point: Point, size: Size) -> bool:
    return not (0 <= point[0] <= size[0] and 0 <= point[1] <= size[1])


# As HTML


def _plot(node: Node, inside: Sequence[Markup], a: Mapping[str, Any]) -> Markup:
    width, height = node.size
    style = f"height:{height}px" + ("" if node.stretch else f";width:{width}px")
    taken = {}
    if a:
        chooses = None if node.edits else node.follows.name
        taken = {"data_size": f"{width},{height}", "data_chooses": chooses, "tabindex": 0}
    return tag(
        "div",
        *inside,
        class_="ck-plot",
        style=style,
        role="img",
        aria_label=node.name,
        **taken,
        **a,
    )


def _svg(size: Size, body: Markup, **a: Any) -> Markup:
    box = f"0 0 {size[0]} {size[1]}"
    return tag("svg", body, viewBox=box, preserveAspectRatio="none", aria_hidden="true", **a)


def _axes(node: Node, inside: Sequence[Markup], a: Mapping[str, Any]) -> Markup:
    return tag("div", _svg(node.size, node.shapes), node.written, class_="ck-axes", **a)


def _path(node: Node, inside: Sequence[Markup], a: Mapping[str, Any]) -> Markup:
    ahead = tag("polyline", class_="ck-ahead", points=node.points) if node.ahead else ""
    lines = [tag("path", class_=f"ck-{name}", data_join=join) for name, join in JOINS.items()]
    follows = {"data_points": node.points, "data_cursor": node.follows.name}
    return _svg(node.size, join([ahead, *lines]), **follows, **a)


def _saved_path(node: Node) -> Markup:
    points, name = node.points.split(" "), node.follows.name
    lines = [
        tag(
            "path",
            class_=f"ck-{line} ck-place ck-place-{name}-{n}",
            d=f"M{between.join(points[: n + 1])}h0",
        )
        for n in saved_places(node.follows)
        for line, between in JOINS.items()
    ]
    return _svg(node.size, join(lines))


WRITERS |= {"plot": _plot, "axes": _axes, "path": _path}
SAVED_WRITERS["path"] = _saved_path
