"""Where the notes of a plot stand: beside their points, and beside what else is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""Units: left, top, right and bottom."""
Floats = NDArray[np.float64]

CHARACTER, PADDING, LINE = 7, 8, 14
"""Units: the width of a note's character, of what is around its text, and its height."""
GAP, NEAR, FAR = 11, 5, 21
"""Units from a point to its note: at a side, and up or down where that is at a corner."""
SIDES = {
    "e": (GAP, 0),
    "w": (-GAP, 0),
    "ne": (GAP, -NEAR),
    "se": (GAP, NEAR),
    "nw": (-GAP, -NEAR),
    "sw": (-GAP, NEAR),
    "n": (0, -GAP),
    "s": (0, GAP),
    "nne": (GAP, -FAR),
    "sse": (GAP, FAR),
    "nnw": (-GAP, -FAR),
    "ssw": (-GAP, FAR),
}
"""How far a note can stand to the right of its point, and below it, the best side first."""
PER_LINE, PER_PATH = 4, 400
"""So many places of each line of a path, and of a long path, are kept free of notes if possible."""
COVERING, CUT = 1e3, 1e6
"""How bad it is to cover a box, or to be cut off, where covering a place of the path is 1."""
STAY = 2
"""How many places a note covers rather than change sides from one step to the next."""


def sides_of(
    points: Floats,
    notes: Sequence[str],
    size: tuple[int, int],
    *,
    path: Floats,
    drawn: Sequence[int],
    taken: Sequence[Box] = (),
) -> list[str]:
    """Return on which side of its point each note covers least: one of `SIDES`.

    Parameters
    ----------
    points : array
        Where the notes belong, (n, 2) from the top left.
    notes : sequence of str
        What they say.
    size : (width, height)
        The plot, in which they have to lie.
    path : array
        What lines are drawn between, (m, 2).
    drawn : sequence of int
        How many points of the path are drawn together with each note.
    taken : sequence of (left, top, right, bottom)
        What they should not cover.

    Examples
    --------
    >>> falling = np.array([[10.0, 10.0], [50.0, 40.0], [90.0, 50.0]])
    >>> sides_of(falling, ["a", "b", "c"], (100, 100), path=falling, drawn=[1, 2, 3])
    ['e', 'e', 'nw']
    """
    boxes = note_boxes(points, notes)
    per_line = max(1, min(PER_LINE, PER_PATH // len(path)))
    places = _along(path, per_line)
    is_drawn = np.arange(len(places)) <= per_line * (np.asarray(drawn)[:, None] - 1)
    starts, ends = boxes[..., :2], boxes[..., 2:]
    held = (starts[:, :, None] < places) & (places < ends[:, :, None])
    costs = (held.all(3) & is_drawn[:, None]).sum(2) + CUT * ((starts < 0) | (ends > size)).any(2)
    for box in taken:
        costs = costs + COVERING * ((starts < box[2:]) & (box[:2] < ends)).all(2)
    return [list(SIDES)[k] for k in _steady(costs)]


def _steady(costs: Floats) -> list[int]:
    """Return the best column of each row; the one before it stays where it is nearly as good."""
    found = [int(costs[0].argmin())]
    for row in costs[1:]:
        best = int(row.argmin())
        found.append(best if row[best] + STAY < row[found[-1]] else found[-1])
    return found


def note_boxes(points: Floats, notes: Sequence[str]) -> Floats:
    """Return what each note covers on each of the sides: (n, 12, 4), from left to bottom.

    Examples
    --------
    >>> note_boxes(np.array([[50.0, 50.0]]), ["abc"])[0, 0].tolist()
    [61.0, 43.0, 90.0, 57.0]
    """
    widths = [CHARACTER * len(note) + PADDING for note in notes]
    extents = np.array([[w, LINE] for w in widths], dtype=np.float64)[:, None]
    ways = np.array(list(SIDES.values()), dtype=np.float64)
    starts = points[:, None] + ways - extents * (1 - np.sign(ways)) / 2
    return np.concatenate((starts, starts + extents), axis=2)


def _along(path: Floats, per_line: int) -> Floats:
    """Return places on the lines of a path, so many on each and its end."""
    ends = np.arange(len(path), dtype=np.float64)
    at = np.arange(per_line * (len(path) - 1) + 1) / per_line
    return np.stack([np.interp(at, ends, path[:, axis]) for axis in (0, 1)], axis=1)
