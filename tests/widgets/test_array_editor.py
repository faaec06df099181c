"""The grid of boxes: a typed text becomes a number, or a complaint in words."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convkit import ConvkitError
from convkit.views.html import tint
from convkit.widgets import ArrayEditor


def editor(value=((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), **options):
    return ArrayEditor(torch.tensor(value), "kernel", **options)


def texts(made):
    return [box.value for box in made._grid.children]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 3), (7, 7)])
def test_every_box_has_a_name_counted_from_one(shape):
    made = ArrayEditor(torch.zeros(shape), "kernel")
    names = [box.description for box in made._grid.children]
    cells = [(i, j) for i in range(1, shape[0] + 1) for j in range(1, shape[1] + 1)]
    assert names == [f"kernel row {i} column {j}" for i, j in cells]
    assert f"repeat({shape[1]}," in made._grid.layout.grid_template_columns


@given(st.integers(0, 1), st.integers(0, 2), st.floats(-(2.0**99), 2.0**99, width=32))
def test_an_edit_changes_its_cell_and_no_other(i, j, number):
    made = editor()
    before = made.value
    made._boxes[i, j].value = repr(number)
    wanted = before.clone()
    wanted[i, j] = number
    assert torch.equal(made.value, wanted) and before.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert made.edited == (i, j) or number == before[i, j]


@pytest.mark.parametrize(
    ("text", "number"), [("-1", -1), ("−1", -1), (" 2.5 ", 2.5), ("1e-3", 1e-3), ("1/9", 1 / 9)]
)
def test_ways_to_write_a_number(text, number):
    made = editor()
    made._boxes[0, 0].value = text
    assert made.value[0, 0].item() == pytest.approx(number) and made._boxes[0, 0].value == text


BAD = ["", "  ", "-", "1e400", "nan", "inf", "-inf", "1/0", "a<b>", "1 2", "0x1", "1e39"]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_number_keeps_the_last_and_says_so(text):
    made = editor()
    made._boxes[1, 2].value = text
    assert made.value.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert made.complaint.startswith("kernel row 2 column 3 is ")
    assert made.complaint.endswith("Until then it keeps 6.")
    assert made._boxes[1, 2].value == text  # to be finished
    made._boxes[1, 2].value = "7"
    assert made.value[1, 2] == 7 and made.complaint == ""


def test_typing_the_old_number_again_ends_the_complaint():
    made = editor()
    made._boxes[0, 0].value = "x"
    made._boxes[0, 0].value = "1"
    assert made.complaint == ""


def test_another_edit_restores_a_box_left_blank():
    made = editor()
    made._boxes[0, 0].value = ""
    made._boxes[0, 1].value = "9"
    assert texts(made) == ["1", "9", "3", "4", "5", "6"]
    made._boxes[0, 0].value = ""
    made.show(made.value)
    assert texts(made)[0] == "1"


def test_another_size_reuses_the_boxes_it_has():
    made = editor()
    first = made._boxes[0, 0]
    made.value = torch.zeros(3, 1)
    assert len(made._grid.children) == 3 and made._grid.children[0] is first
    made._boxes[0, 2].value = "8"  # gone from the grid
    assert torch.equal(made.value, torch.zeros(3, 1))


def test_one_edit_notifies_once():
    made, seen = editor(), []
    made.observe(lambda change: seen.append(change["new"]), "value")
    made._boxes[0, 0].value = "9"
    assert len(seen) == 1


@pytest.mark.parametrize(
    "value", [None, 3, torch.ones(2), torch.ones(2, 2).int(), torch.ones(0, 2)]
)
def test_what_is_no_array_is_refused(value):
    made = editor()
    with pytest.raises(ConvkitError, match="^kernel (is|has) "):
        made.value = value
    assert made.value.shape == (2, 3)


def test_each_box_has_the_colour_of_its_value():
    made = editor(((-1.0, 0.0, 1.0),))
    rule = r"\.(ck-array-\w+) \.widget-text:nth-child\((\d)\) input\{background:(#\w+)"
    rules = re.findall(rule, made._colours.value)
    assert [(n, colour) for _, n, colour in rules] == [
        ("1", tint(-1)),
        ("2", tint(0)),
        ("3", tint(1)),
    ]
    assert {scope for scope, *_ in rules} <= set(made._dom_classes)
    grey = editor(((0.0, 0.5, 1.0),), signed=False)
    assert re.findall("background:(#......)", grey._colours.value) == [
        "#000000",
        "#808080",
        "#ffffff",
    ]


def test_two_editors_do_not_share_their_colours():
    assert editor()._scope != editor()._scope
