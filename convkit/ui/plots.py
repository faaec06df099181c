"""Plots: axes with a path on them that ends, with a marker and a note, at a cursor's step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import atan2
from typing import Any

import numpy as np
from markupsafe import Markup

from convkit.ui.cursors import Cursor, Edits
from convkit.ui.html import Point, Size, join, place_style, tag
from convkit.ui.nodes import Node, box, markup
from convkit.ui.notes import SIDES, Box, note_boxes, sides_of
from convkit.ui.series import Series, series

START_RADIUS = 7
"""Units that the ring at the first point covers to each side."""


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
    taken: Sequence[Box] = (),
    ahead: bool = False,
    stretch: bool = False,
    others: Sequence[Node] = (),
    edits: Edits | None = None,
) -> Node:
    """Return axes with a path that ends at the cursor's step.

    Parameters
    ----------
    name : str
        Its accessible name.
    size : (width, height)
        In units: CSS pixels, of which there are fewer for each unit where there is less space.
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
    taken : sequence of (left, top, right, bottom)
        Where notes should not lie, in units.
    ahead : bool
        Whether the rest of the path is shown too.
    stretch : bool
        Whether it is as wide as there is space, and of one height.
    others : sequence of Node
        Other paths, below this one: see `trail`.
    edits : callable, optional
        What a click, a drag or an arrow key edits; it takes x and y. Without it, they choose the
        step whose point is nearest along x.

    Examples
    --------
    >>> step = Cursor("step", 2, 0, "n")
    >>> plot("loss", (100, 50), step, [(0, 0), (100, 50)], notes=["2", "1"]).children[1].points
    ((0, 0), (100, 50))
    """
    side, covered = _start_side(path, start, size, taken)
    drawn = [len(path)] * len(path) if ahead else range(1, len(path) + 1)
    places = np.array(path)
    told = {
        "size": size,
        "follows": cursor,
        "points": tuple((x, y) for x, y in path),
        "sides": sides_of(places, notes, size, path=places, drawn=drawn, taken=covered),
        "ahead": ahead,
    }
    markers = _markers(path, notes, outside, size, is_guided=edits is None)
    parts = (
        Node("axes", f"{name} axes", {"size": size, "shapes": shapes, "written": words}),
        *others,
        Node("path", f"{name} path", told),
        markup(_start(path[0], start, size, side)),
        Node("markers", f"{name} markers", told, (series(f"{name} marker", cursor, markers),)),
    )
    return Node("plot", name, {"size": size, "follows": cursor, "stretch": stretch}, parts, edits)


def trail(  # noqa: PLR0913
    name: str,
    size: Size,
    cursor: Cursor,
    path: Sequence[Point],
    css: str,
    mark: int | None = None,
    ahead: bool = False,
) -> Node:
    """Return another path for a plot, with a marker that follows the same cursor; no notes.

    Where it is shorter than the plot's own path, its marker stays at its end.

    Parameters
    ----------
    name, size, cursor, path
        As in `plot`; each path of a plot has a name of its own.
    css : str
        A word of its classes, which says how it looks.
    mark : int, optional
        The step at which a sign says that it is no longer the plot's own path.
    ahead : bool
        Whether the rest of the path is shown too.

    Examples
    --------
    >>> step = Cursor("step", 3, 0, "n")
    >>> trail("kept", (100, 50), step, [(0, 0), (100, 50)], "kept").children[0].points
    ((0, 0), (100, 50), (100, 50))
    """
    points = tuple((x, y) for x, y in path)
    points += points[-1:] * (cursor.count - len(points))
    told = {"size": size, "follows": cursor, "points": points, "ahead": ahead}
    told["sides"] = ["e"] * len(points)
    markers = _markers(points, [""] * len(points), [], size, is_guided=False)
    series_of_markers = series(f"{name} marker", cursor, markers)
    return box(
        Node("path", f"{name} path", told),
        Node("markers", f"{name} markers", told, (series_of_markers,)),
        None if mark is None else markup(_mark(points[mark], size)),
        css=f"trail {css}",
    )


def _mark(point: Point, size: Size) -> Markup:
    """Return a sign at a point, or at the edge of the plot that is nearest."""
    x, y = (min(max(n, 0), end) for n, end in zip(point, size, strict=True))
    return _spot((x, y), size, tag("span", "≠", class_="ck-mark"))


def _start_side(
    path: Sequence[Point], words: str, size: Size, taken: Sequence[Box]
) -> tuple[str, list[Box]]:
    """Return on which side of the first point its note stands, and all that is covered then."""
    if not words or _is_outside(path[0], size):
        return "", [*taken]
    first, all_points = np.array(path[:1]), np.array(path)
    (side,) = sides_of(first, [words], size, path=all_points, drawn=[len(path)], taken=taken)
    beside: Any = tuple(note_boxes(first, [words])[0, [*SIDES].index(side)].tolist())
    (x, y), r = path[0], START_RADIUS
    return side, [*taken, beside, (x - r, y - r, x + r, y + r)]


def _start(point: Point, words: str, size: Size, side: str) -> Markup:
    if not side:
        return Markup()
    ring = tag("span", class_="ck-start")
    return _spot(point, size, ring, _note(words, side))


def _markers(
    path: Sequence[Point],
    notes: Sequence[str],
    outside: Sequence[str],
    size: Size,
    *,
    is_guided: bool,
) -> Series:
    """Return the marker at each step; where it is, and on which side its note, the path says."""
    return Series(
        tuple(
            _far_marker(path[n], size, outside[n] if outside else "")
            if _is_outside(path[n], size)
            else _marker(notes[n], is_guided)
            for n in range(len(path))
        )
    )


@lru_cache(maxsize=4096)
def _marker(words: str, is_guided: bool) -> Node:
    guide = tag("span", class_="ck-guide") if is_guided else ""
    note = _note(words) if words else ""
    return markup(join([guide, tag("span", class_="ck-marker"), note]))


def _far_marker(point: Point, size: Size, words: str) -> Node:
    """Return an arrow at the edge, on the way to a point outside, and words in the far corner."""
    (x, y), (width, height) = point, size
    right, down = x - width / 2, y - height / 2
    reach = max(abs(2 * right) / width, abs(2 * down) / height)
    at = width / 2 + right / reach, height / 2 + down / reach
    turn = f"rotate:{atan2(down, right):.3f}rad"
    arrow = tag("span", class_="ck-marker ck-outside", style=turn)
    is_left = 2 * at[0] < width
    corner = width if is_left else 0, height
    note = _note(words, "nw" if is_left else "ne", css=" ck-outside-note")
    return markup(_spot(at, size, arrow) + (_spot(corner, size, note) if words else ""))


def _spot(point: Point, size: Size, *inside: str) -> Markup:
    """Return what stands at a point of a plot."""
    return tag("div", *inside, style=place_style(point, size))


def _note(words: str, side: str | None = None, css: str = "") -> Markup:
    return tag("span", words, class_=f"ck-note{css}", data_side=side)


def _is_outside(point: Point, size: Size) -> bool:
    return not (0 <= point[0] <= size[0] and 0 <= point[1] <= size[1])
