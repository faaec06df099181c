"""Cursors and frames: one affine rule, against torch's unfold and a double loop."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import unfold

from convkit import ConvkitError
from convkit.ops import WindowGeometry
from convkit.ui import Cursor, Frame

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def geometries(draw):
    """Return the geometry of some windows that fit their input."""
    kernel, stride, dilation = draw(PAIRS), draw(PAIRS), draw(PAIRS)
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = [
        max(1, r - 2 * p) + draw(st.integers(0, 4)) for r, p in zip(reach, padding, strict=True)
    ]
    return WindowGeometry(tuple(size), kernel, padding=padding, stride=stride, dilation=dilation)


def cells_of(frame, i, j):
    """Return the cells that a frame covers at a place, by its own rule."""
    top, left = frame.start(i, j)
    (h, w), (down, right) = frame.size, frame.dilation
    return {(top + down * a, left + right * b) for a in range(h) for b in range(w)}


@given(geometries())
def test_a_window_covers_the_cells_that_unfold_reads(geometry):
    (H, W), (rows, columns) = geometry.input_size, geometry.output_size
    numbered = torch.arange(1.0, H * W + 1).reshape(1, 1, H, W)
    read = unfold(
        numbered,
        geometry.kernel_size,
        dilation=geometry.dilation,
        padding=geometry.padding,
        stride=geometry.stride,
    )
    frame = Frame.window(Cursor("window", (rows, columns), (0, 0), "at"), geometry)
    assert read.shape[2] == rows * columns
    for n, (i, j) in enumerate(product(range(rows), range(columns))):
        inside = {(a, b) for a, b in cells_of(frame, i, j) if 0 <= a < H and 0 <= b < W}
        assert {a * W + b + 1 for a, b in inside} == set(read[0, :, n].int().tolist()) - {0}


def reads(geometry, cells):
    """Return the cells that windows read, padding included, by a loop over their weights."""
    (s, t), (d, e), (p, q) = geometry.stride, geometry.dilation, geometry.padding
    taps = list(product(*map(range, geometry.kernel_size)))
    return {(s * i - p + d * a, t * j - q + e * b) for i, j in cells for a, b in taps}


@given(geometries(), st.lists(geometries(), min_size=1, max_size=3))
def test_through_layers_it_reaches_from_the_first_cell_read_to_the_last(first, others):
    frame = Frame.window(Cursor("window", (9, 9), (0, 0), "at"), first)
    for layer in others:
        frame = frame.through(layer)
    for i, j in product(range(3), range(3)):
        cells = reads(first, {(i, j)})
        for layer in others:
            cells = reads(layer, cells)
        covered = cells_of(frame, i, j)
        for axis in (0, 1):
            assert [f(cell[axis] for cell in cells) for f in (min, max)] == [
                f(cell[axis] for cell in covered) for f in (min, max)
            ]


def test_through_layers_whose_gaps_are_alike_it_has_these_gaps():
    frame = Frame(Cursor("cell", (9, 9), (0, 0)))
    dilated = frame.through(WindowGeometry(9, 3, dilation=2)).through(
        WindowGeometry(13, 3, 0, 1, 2)
    )
    assert dilated.cells(1, 0) == (range(1, 10, 2), range(0, 9, 2))
    every_other = frame.through(WindowGeometry(9, 3)).through(WindowGeometry(17, 1, stride=2))
    assert every_other.cells(1, 0) == (range(2, 8, 2), range(0, 6, 2))
    uneven = frame.through(WindowGeometry(9, 2)).through(WindowGeometry(29, 2, stride=3))
    assert uneven.cells(0, 0) == (range(5), range(5))


@given(geometries())
def test_it_turns_round_to_the_windows_that_hold_a_cell(geometry):
    (H, W), (rows, columns) = geometry.input_size, geometry.output_size
    window, cell = Cursor("window", (rows, columns), (0, 0)), Cursor("cell", (H, W), (0, 0))
    holding = Frame.window(window, geometry).holding(cell)
    stride, dilation = geometry.stride, geometry.dilation
    for axis, (count, size) in enumerate(((rows, H), (columns, W))):
        span = dilation[axis] * (geometry.kernel_size[axis] - 1) + 1
        has_gaps = stride != (1, 1) and dilation != (1, 1)  # which then count as read
        step = 1 if has_gaps else dilation[axis]
        for n in range(size):
            starts = [m * stride[axis] - geometry.padding[axis] for m in range(count)]
            expected = [
                m for m, first in enumerate(starts) if n in range(first, first + span, step)
            ]
            found = holding.cells(n, n)[axis]
            assert [m for m in found if 0 <= m < count] == expected


@given(geometries(), st.tuples(st.integers(-3, 3), st.integers(-3, 3)))
def test_on_a_part_of_the_array_it_lies_on_the_same_cells(geometry, first):
    frame = Frame.window(Cursor("window", (9, 9), (0, 0), "at"), geometry)
    for i, j in product(range(3), range(3)):
        moved = {(a + first[0], b + first[1]) for a, b in cells_of(frame.moved(first), i, j)}
        assert moved == cells_of(frame, i, j)


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_places_are_numbered_in_reading_order_and_read_back(rows, columns, data):
    at = (data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1)))
    cursor = Cursor("cell", (rows, columns), at, "at")
    places = list(product(range(rows), range(columns)))
    assert places[cursor.index] == at and cursor.count == len(places)
    assert cursor.read(list(at)) == at
    told = data.draw(st.lists(st.integers(-1, 6) | st.booleans() | st.text(), max_size=3))
    fits = len(told) == 2 and all(type(n) is int for n in told) and tuple(told) in places
    assert cursor.read(told) == (tuple(told) if fits else None)
    beyond = data.draw(st.tuples(st.integers(-9, 9), st.integers(-9, 9)))
    clamped = torch.tensor(beyond).clamp(torch.tensor([0, 0]), torch.tensor([rows, columns]) - 1)
    assert Cursor("cell", (rows, columns), beyond).at == tuple(clamped.tolist())
    assert Cursor("step", rows, rows + 3).at == rows - 1
    step = Cursor("step", rows, 0, "n")
    assert step.read([rows - 1]) == rows - 1 and step.read([rows]) is None


@pytest.mark.parametrize("name", ["", "Window", "a b", "a-", "a}", "window1", "a\n"])
def test_a_name_that_a_style_sheet_cannot_hold_is_refused(name):
    with pytest.raises(ConvkitError, match="letters a to z"):
        Cursor(name, 3, 0, "n")
