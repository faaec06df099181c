"""Cursors, which the browser moves by itself, and frames that follow them by an affine rule."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from convkit.errors import ConvkitError
from convkit.ui.store import Edit

Cell = tuple[int, int]
"""Row and column, counted from 0."""
Edits = str | Callable[..., Edit | Mapping[str, Any]]
"""What a control edits: the name of a field, or a function of the new value that returns fields."""


class Windows(Protocol):
    """Where windows lie on an input, as `convkit.ops.WindowGeometry` says it."""

    @property
    def kernel_size(self) -> Cell:
        """Cells of a window."""

    @property
    def stride(self) -> Cell:
        """Cells from window to window."""

    @property
    def dilation(self) -> Cell:
        """Cells from one cell of a window to the next."""

    def start(self, i: int, j: int) -> Cell:
        """Return the first cell of window (i, j)."""


@dataclass(frozen=True)
class Cursor:
    """A place that parts of a view follow in the browser, without the kernel.

    Parameters
    ----------
    name : str
        Its name, a word of letters and hyphens, unique in the panel.
    shape : (rows, columns), (rows, columns, layers) or int
        Of the array that it is a cell of, of one or of several layers; or the number of steps
        that it is one of.
    at : (i, j), (i, j, layer) or int
        The chosen place; the nearest one where there is no such.
    choose : field or callable, optional
        What a choice edits, by a click, a tap or the arrow keys; nothing in a lens.
    point : field or callable, optional
        What pointing at a place edits; None is told when the pointer leaves.
    quiet : bool
        Whether nobody waits for Python's answer, as where all that follows is a `series`.
    is_chosen : bool, optional
        Of cursors whose tables stand in `together`: whether a cell of this one is the chosen one.
        The frames are shown of that cursor alone, or else of the one that is pointed at.

    Raises
    ------
    ConvkitError
        If the name cannot be part of a style sheet.

    Examples
    --------
    >>> Cursor("window", (6, 7), (1, 2), "at").index
    9
    """

    name: str
    shape: Sequence[int] | int
    at: Sequence[int] | int
    choose: Edits | None = None
    point: Edits | None = None
    quiet: bool = False
    is_chosen: bool | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z]+(-[a-z]+)*", self.name):
            expected = "letters a to z and hyphens, because style sheets use it"
            raise ConvkitError(f"a cursor's name is {self.name!r}", expected, "Choose another.")
        pairs = zip(self.place, self.sizes, strict=True)
        object.__setattr__(self, "at", self._at([min(max(n, 0), size - 1) for n, size in pairs]))

    def _at(self, place: Sequence[int]) -> tuple[int, ...] | int:
        return place[0] if isinstance(self.shape, int) else tuple(place)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many places there are along each axis."""
        return (self.shape,) if isinstance(self.shape, int) else tuple(self.shape)

    @property
    def place(self) -> tuple[int, ...]:
        """The chosen place along each axis."""
        return (self.at,) if isinstance(self.at, int) else tuple(self.at)

    @property
    def count(self) -> int:
        """The number of places."""
        return math.prod(self.sizes)

    @property
    def index(self) -> int:
        """The number of the chosen place, counted in reading order."""
        index = 0
        for n, size in zip(self.place, self.sizes, strict=True):
            index = index * size + n
        return index

    def read(self, told: Sequence[Any]) -> tuple[int, ...] | int | None:
        """Return a place that a browser told, as `at` has it; None if there is no such one.

        Examples
        --------
        >>> Cursor("step", 5, 0, "n").read([7]) is None
        True
        """
        fits = len(told) == len(self.sizes) and all(type(n) is int for n in told)
        if not fits or not all(0 <= n < size for n, size in zip(told, self.sizes, strict=True)):
            return None
        return self._at(told)


class Part(NamedTuple):
    """The part of an array that a table shows; what lies outside the array is its padding.

    Attributes
    ----------
    rows, columns : range
        Which lines, counted from the array's first.
    of : (int, int)
        The shape of the array.

    Examples
    --------
    >>> Part(range(-1, 2), range(4, 9, 2), of=(6, 7)).inside
    ([0, 1], [4, 6])
    """

    rows: range
    columns: range
    of: Cell

    @classmethod
    def padded(cls, shape: Sequence[int], padding: Cell = (0, 0)) -> Part:
        """Return an array of a shape as a whole, with so many lines of padding on either side.

        Examples
        --------
        >>> Part.padded((6, 7), (1, 0)).rows
        range(-1, 7)
        """
        (h, w), (up, aside) = shape, padding
        return cls(range(-up, h + up), range(-aside, w + aside), (h, w))

    @property
    def start(self) -> Cell:
        """Row and column of the first cell."""
        return self.rows.start, self.columns.start

    @property
    def inside(self) -> tuple[list[int], list[int]]:
        """The rows and the columns that are no padding."""
        rows, columns = (
            [n for n in lines if 0 <= n < size]
            for lines, size in zip((self.rows, self.columns), self.of, strict=True)
        )
        return rows, columns


def _sums(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    """Return how many different sums two rows of (count, step) from 0 on have, and their step.

    Of sums that are not evenly spaced, it is all numbers from the first to the last.
    """
    (n, by), (k, d) = first, second
    sums = sorted({by * a + d * b for a in range(n) for b in range(k)})
    steps = {b - a for a, b in pairwise(sums)}
    if len(steps) > 1:
        return sums[-1] + 1, 1
    return len(sums), max(steps, default=1)


@dataclass(frozen=True)
class Frame:
    """Which cells of an array belong to the cursor's place (i, j): an affine rule.

    The frame's first cell is in row ``top[0] + top[1] * i + top[2] * j``, and its column follows
    from `left` in the same way. Python, the module and the style sheet all evaluate this one rule.
    For a cursor of steps, i is the step and j is 0.

    Parameters
    ----------
    cursor : Cursor
        What it follows.
    top, left : (int, int, int)
        The rule.
    size : (h, w)
        Cells of the frame.
    dilation : (h, w)
        Cells from one cell of the frame to the next.
    texts : sequence of str
        What is written in each cell of the frame, in reading order, such as weights.
    hue : str
        One of `theme.COLOURS`.
    picks : sequence of int
        For each place of the cursor, in reading order, which cell of the frame is marked, such as
        the largest; its text alone is shown.
    per : (down, right)
        By what the rule counts: cell n is in the frame if n times `per` is one of the h numbers
        from the rule's on. So there may be none.

    Examples
    --------
    >>> cell = Cursor("cell", (6, 7), (0, 0), "at")
    >>> Frame(cell, top=(0, 7, 1), left=(0, 0, 0), size=(1, 4)).start(1, 2)
    (9, 0)
    """

    cursor: Cursor
    top: tuple[int, int, int] = (0, 1, 0)
    left: tuple[int, int, int] = (0, 0, 1)
    size: Cell = (1, 1)
    dilation: Cell = (1, 1)
    texts: tuple[str, ...] = ()
    hue: str = "kernel"
    picks: tuple[int, ...] = ()
    per: Cell = (1, 1)

    @classmethod
    def window(cls, cursor: Cursor, windows: Windows, texts: Sequence[str] = ()) -> Frame:
        """Return the frame of a sliding window on its input, for a cursor over the windows.

        Examples
        --------
        >>> from convkit.ops import WindowGeometry
        >>> window = Cursor("window", (3, 4), (0, 0), "at")
        >>> Frame.window(window, WindowGeometry((6, 8), 3, padding=1, stride=2)).start(1, 2)
        (1, 3)
        """
        (top, left), (down, right) = windows.start(0, 0), windows.stride
        rows, columns = (top, down, 0), (left, 0, right)
        return cls(cursor, rows, columns, windows.kernel_size, windows.dilation, tuple(texts))

    def through(self, windows: Windows) -> Frame:
        """Return what the cells of this frame read, on the input of the layer that made them.

        Where these have gaps of several widths, it is the rectangle from the first to the last.

        Examples
        --------
        >>> from convkit.ops import WindowGeometry
        >>> cell = Frame(Cursor("cell", (2, 2), (0, 0), "at"))
        >>> frame = cell.through(WindowGeometry(4, 3)).through(WindowGeometry(6, 3))
        >>> frame.size, frame.start(1, 1)
        ((5, 5), (1, 1))
        """
        (a, *down), (b, *right) = self.top, self.left
        (p, q), (s, t) = windows.start(0, 0), windows.stride
        steps = zip(self.dilation, windows.stride, strict=True)
        own = zip(self.size, (d * step for d, step in steps), strict=True)
        read = zip(windows.kernel_size, windows.dilation, strict=True)
        (h, down_by), (w, right_by) = (_sums(*each) for each in zip(own, read, strict=True))
        return replace(
            self,
            top=(p + s * a, s * down[0], s * down[1]),
            left=(q + t * b, t * right[0], t * right[1]),
            size=(h, w),
            dilation=(down_by, right_by),
            texts=(),
            picks=(),
        )

    def holding(self, cursor: Cursor) -> Frame:
        """Return which places of this window's cursor read the cell of another cursor.

        Where windows lie more than one cell apart, their gaps count as read.

        Examples
        --------
        >>> from convkit.ops import WindowGeometry
        >>> window, cell = Cursor("window", (3, 3), (0, 0)), Cursor("cell", (7, 7), (0, 0))
        >>> frame = Frame.window(window, WindowGeometry(7, 3, stride=2)).holding(cell)
        >>> frame.cells(2, 3)
        (range(0, 2), range(1, 2))
        """
        (h, w), per = self.span, (self.top[1], self.left[2])
        size, dilation = (self.size, self.dilation) if per == (1, 1) else (self.span, (1, 1))
        top, left = (1 - h - self.top[0], 1, 0), (1 - w - self.left[0], 0, 1)
        return Frame(cursor, top, left, size, dilation, hue=self.hue, per=per)

    def cells(self, i: int, j: int = 0) -> tuple[range, range]:
        """Return rows and columns of the frame's cells.

        Examples
        --------
        >>> Frame(Cursor("cell", (9, 9), (0, 0)), size=(2, 3), dilation=(1, 2)).cells(4, 5)
        (range(4, 6), range(5, 10, 2))
        """
        ends = zip(self.start(i, j), self.span, self.per, self.dilation, strict=True)
        rows, columns = (
            range(-(-first // per), (first + span - 1) // per + 1, d)
            for first, span, per, d in ends
        )
        return rows, columns

    @property
    def span(self) -> Cell:
        """Rows and columns from the frame's first cell to its last."""
        h, w = (d * (n - 1) + 1 for d, n in zip(self.dilation, self.size, strict=True))
        return h, w

    def start(self, i: int, j: int = 0) -> Cell:
        """Return row and column of the frame's first cell."""
        (a, b, c), (d, e, f) = self.top, self.left
        return a + b * i + c * j, d + e * i + f * j

    def moved(self, start: Cell) -> Frame:
        """Return the same frame on a part of the array that starts at the cell `start`.

        Examples
        --------
        >>> Frame(Cursor("cell", (9, 9), (0, 0))).moved((2, 3)).start(4, 4)
        (2, 1)
        """
        (a, *down), (d, *right) = self.top, self.left
        return replace(
            self, top=(a - start[0], down[0], down[1]), left=(d - start[1], right[0], right[1])
        )
