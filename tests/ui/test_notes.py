"""Notes of plots: they lie inside, on nothing that is taken, and beside the path if that can be."""

import itertools

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from convkit.ui import Cursor, plot
from convkit.ui.html import render
from convkit.ui.keys import keyed
from convkit.ui.notes import SIDES, note_boxes, sides_of
from convkit.ui.saved import saved

SIZE = (328, 196)


def box_of(point, note, side):
    return note_boxes(np.array([point]), [note])[0, list(SIDES).index(side)]


def meet(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def is_inside(box):
    return box[0] >= 0 and box[1] >= 0 and box[2] <= SIZE[0] and box[3] <= SIZE[1]


POINTS = st.lists(st.tuples(st.floats(0, SIZE[0]), st.floats(0, SIZE[1])), min_size=1, max_size=6)


@given(POINTS, POINTS)
def test_a_note_is_cut_or_covers_something_only_where_every_side_does(points, corners):
    taken = [(x, y, x + 40, y + 14) for x, y in corners]
    path = np.array(points)
    notes = [f"step {n}" for n in range(len(points))]
    sides = sides_of(path, notes, SIZE, path=path, drawn=range(1, len(points) + 1), taken=taken)
    for point, note, side in zip(points, notes, sides, strict=True):
        boxes = {name: box_of(point, note, name) for name in SIDES}
        good = [n for n, box in boxes.items() if is_inside(box)]
        free = [n for n in good if not any(meet(boxes[n], other) for other in taken)]
        assert not good or side in good
        assert not free or side in free


def test_the_note_of_a_falling_curve_is_not_on_it():
    curve = np.array([[20.0 + 30 * n, 10 + 160 * (1 - 0.5**n)] for n in range(9)])
    notes = [f"loss {n}" for n in range(9)]
    sides = sides_of(curve, notes, SIZE, path=curve, drawn=range(1, 10))
    for n, (a, b) in itertools.product(range(9), enumerate(itertools.pairwise(curve))):
        line = np.linspace(*b, 30)
        left, top, right, bottom = box_of(curve[n], notes[n], sides[n])
        inside = (left < line[:, 0]) & (line[:, 0] < right) & (top < line[:, 1])
        assert a >= n or not (inside & (line[:, 1] < bottom)).any()


@pytest.mark.parametrize("first", [(4, 90), (324, 90), (164, 4), (164, 192), (4, 4)])
def test_the_first_step_and_the_start_have_notes_apart(first):
    step = Cursor("step", 3, 0, "n")
    path = [first, (150.0, 80.0), (160.0, 95.0)]
    notes = [f"step {n}" for n in range(3)]
    tree = keyed(plot("surface", SIZE, step, path, notes=notes, start="start"))
    html = BeautifulSoup(render(tree), "html.parser")
    start = html.find(class_="ck-note")
    side = html.find(attrs={"data-sides": True})["data-sides"].split(" ")[0]
    boxes = box_of(first, "start", start["data-side"]), box_of(first, "step 0", side)
    assert not meet(*boxes) and all(is_inside(box) for box in boxes)


def test_a_note_keeps_its_side_from_step_to_step_where_that_is_as_good():
    path = np.array([[100.0 + n % 2, 100] for n in range(20)])
    sides = sides_of(path, ["step"] * 20, SIZE, path=path, drawn=range(1, 21))
    assert len(set(sides)) == 1


def test_a_saved_plot_has_its_marker_where_the_step_is():
    step = Cursor("step", 2, 1, "n")
    tree = keyed(plot("loss", (100, 50), step, [(0, 0), (50, 40)], notes=["2", "1"], ahead=True))
    html = BeautifulSoup(saved(tree), "html.parser")
    (last,) = html.find_all("div", class_="ck-place-step-1")
    assert last["style"] == "--x:50.00%;--y:80.00%" and last["data-side"] == "e"
    assert last.find(class_="ck-marker") and last.get_text() == "1"
    assert html.find(class_="ck-ahead")["d"] == "M0,0L50,40"


def test_a_live_plot_says_its_points_as_ways_in_tenths():
    step = Cursor("step", 3, 1, "n")
    path = [(0.5, 0), (50, 40.1), (50, 40.1)]
    html = BeautifulSoup(
        render(keyed(plot("loss", (100, 50), step, path, notes="abc"))), "html.parser"
    )
    assert html.find(attrs={"data-points": True})["data-points"] == "5,0 495,401 0,0"
