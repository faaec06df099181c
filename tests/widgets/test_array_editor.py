"""The grid of boxes: a typed text becomes a number, or a message in words."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convkit import ConvkitError
from convkit.views.html import tint
from convkit.widgets import ArrayEditor
from tests.widgets.driver import receive_state, send, sent_by

START = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


class Typist:
    """An ArrayEditor in which a learner types, and the edits that its handler was told."""

    def __init__(self, values=START, **options):
        self.editor = ArrayEditor(torch.tensor(values), "kernel", symbol="K", **options)
        self.edits = []
        self.editor.on_edit(lambda value, cell: self.edits.append((value.tolist(), cell)))
        self.stamp = 0.0

    def type(self, i, j, text):
        self.stamp += 1
        send(self.editor, {"cell": [i, j], "text": text, "stamp": self.stamp})

    def paste(self, i, j, text):
        send(self.editor, {"cell": [i, j], "paste": text})


@pytest.fixture
def typist():
    return Typist()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 3), (16, 16)])
def test_every_box_is_named_by_its_index(shape):
    editor = ArrayEditor(torch.zeros(shape), "kernel", symbol="K")
    assert editor.label == "kernel" and editor.shape == list(shape)
    assert editor.names == [f"K[{i}, {j}]" for i in range(shape[0]) for j in range(shape[1])]


def test_boxes_are_named_after_the_array_without_a_symbol():
    assert ArrayEditor(torch.zeros(1, 2), "start").names == ["start[0, 0]", "start[0, 1]"]


@given(st.integers(0, 1), st.integers(0, 2), st.floats(-(2.0**99), 2.0**99, width=32))
def test_an_edit_changes_its_cell_and_no_other(i, j, number):
    typist = Typist()
    before = typist.editor.value
    typist.type(i, j, repr(number))
    expected = before.clone()
    expected[i, j] = number
    assert torch.equal(typist.editor.value, expected) and before.tolist() == START
    assert typist.edits == [(expected.tolist(), (i, j))] or number == before[i, j]


@pytest.mark.parametrize(
    ("text", "number"), [("-1", -1), ("−1", -1), (" 2.5 ", 2.5), ("1e-3", 1e-3), ("1/9", 1 / 9)]
)
def test_ways_to_write_a_number(typist, text, number):
    typist.type(0, 0, text)
    assert typist.editor.value[0, 0].item() == pytest.approx(number)
    assert typist.editor.texts[0] == text  # as typed, so that nothing changes under the caret


@pytest.mark.parametrize(
    "text", ["", "  ", "-", "1e400", "nan", "inf", "-inf", "1/0", "a<b>", "1 2", "0x1", "1e39"]
)
def test_what_is_no_number_is_refused_in_words(typist, text):
    typist.type(1, 2, text)
    editor = typist.editor
    assert editor.value.tolist() == START and typist.edits == []
    assert editor.error.startswith("K[1, 2] is ")
    assert editor.error.endswith("Until then it keeps 6.")
    assert editor.invalid == [5] and editor.texts[5] == text  # to be finished
    typist.type(1, 2, "7")
    assert editor.value[1, 2] == 7 and editor.error == "" and editor.invalid == []


def test_other_boxes_stay_editable_beside_a_refused_text(typist):
    typist.type(0, 0, "x")
    typist.type(0, 1, "y")
    typist.type(1, 1, "9")
    assert typist.editor.invalid == [0, 1] and typist.editor.value[1, 1] == 9
    typist.type(0, 1, "2")
    assert typist.editor.error.startswith("K[0, 0] is 'x'")


def test_typing_the_number_that_was_there_is_no_edit_and_keeps_its_digits():
    typist = Typist([[1 / 3]])
    typist.type(0, 0, "")
    typist.type(0, 0, "0.3333")
    assert typist.editor.value == torch.tensor([[1 / 3]]) and typist.edits == []
    assert typist.editor.error == ""


def test_going_back_to_an_earlier_number_is_an_edit(typist):
    typist.type(0, 0, "7")
    typist.type(0, 0, "1")
    assert [value[0][0] for value, _ in typist.edits] == [7, 1]


def test_show_keeps_the_texts_of_numbers_that_stay(typist):
    typist.type(0, 0, "1e0")
    typist.type(0, 1, "")
    typist.editor.show(torch.tensor([[1.0, 2.0, 8.0], [4.0, 5.0, 6.0]]))
    assert typist.editor.texts == ["1e0", "", "8", "4", "5", "6"]
    assert typist.editor.invalid == [1]
    typist.editor.show(torch.tensor([[1.0, 3.0, 8.0], [4.0, 5.0, 6.0]]))
    assert typist.editor.texts[1] == "3" and typist.editor.error == ""


def test_show_by_force_replaces_every_text(typist):
    typist.type(0, 0, "1e0")
    typist.type(0, 1, "")
    typist.editor.show(typist.editor.value, force=True)
    assert typist.editor.texts == ["1", "2", "3", "4", "5", "6"]
    assert typist.editor.error == "" and typist.editor.invalid == []


def test_show_calls_no_handler_and_takes_another_shape(typist):
    typist.type(1, 2, "x")
    typist.editor.show(torch.zeros(3, 1))
    assert typist.edits == [] and typist.editor.names == ["K[0, 0]", "K[1, 0]", "K[2, 0]"]
    assert typist.editor.texts == ["0", "0", "0"] and typist.editor.error == ""


def test_value_is_a_copy(typist):
    typist.editor.value[0, 0] = 99
    shown = torch.ones(1, 1)
    typist.editor.show(shown)
    shown[0, 0] = 99
    assert typist.editor.value.tolist() == [[1]]


def test_a_block_pasted_in_the_first_box_is_the_new_array(typist):
    typist.paste(0, 0, "1 0\n0 1\n2 2")
    assert typist.edits == [([[1, 0], [0, 1], [2, 2]], (0, 0))]
    assert typist.editor.shape == [3, 2] and typist.editor.texts == ["1", "0", "0", "1", "2", "2"]


def test_a_block_pasted_elsewhere_stays_within_the_array(typist):
    typist.paste(0, 2, "7 8\n9 10\n11 12")
    assert typist.edits == [([[1, 2, 7], [4, 5, 9]], (0, 2))]


def test_a_block_that_is_refused_changes_nothing(typist):
    typist.paste(0, 0, "1 2\n3")
    assert typist.edits == [] and typist.editor.value.tolist() == START
    assert "rows of 1 and 2 numbers" in typist.editor.error
    typist.type(0, 0, "8")
    assert typist.editor.error == ""


@pytest.mark.parametrize(
    "message",
    [
        {"cell": [9, 0], "text": "1"},  # of an array that was larger
        {"cell": [-1, 0], "text": "1"},
        {"cell": [0], "text": "1"},
        {"cell": "00", "text": "1"},
        {"cell": [0, 0], "text": 1},
        {"cell": [0, 0]},
        {},
    ],
)
def test_messages_that_mean_nothing_are_ignored(typist, message):
    send(typist.editor, message)
    assert typist.edits == [] and typist.editor.value.tolist() == START


def test_an_edit_is_answered_by_one_message(typist):
    editor = typist.editor
    editor.on_edit(lambda value, cell: editor.show(value))
    editor.on_edit(lambda value, cell: editor.show(value, limit=50.0))
    with sent_by(editor) as messages:
        typist.type(0, 0, "9")
    assert [message["method"] for message in messages] == ["update"]
    assert messages[0]["state"]["answered"] == 1.0
    with sent_by(editor) as messages:
        receive_state(editor, cell=[1, 1])
    assert messages == [] and editor.cell == [1, 1]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "kernel is a NoneType"),
        (torch.ones(2), "kernel has shape"),
        (torch.ones(2, 2).int(), "kernel has dtype"),
        (torch.ones(0, 2), "kernel has shape"),
        (torch.tensor([[float("nan")]]), "kernel"),
        (torch.tensor([[float("inf")]]), "kernel"),
        (torch.ones(17, 16), "272 cells; expected at most 256 cells"),
    ],
)
def test_what_is_no_small_finite_array_is_refused(typist, value, message):
    with pytest.raises(ConvkitError, match=message):
        typist.editor.show(value)
    with pytest.raises(ConvkitError, match=message):
        ArrayEditor(value, "kernel")
    assert typist.editor.value.tolist() == START


def test_each_box_has_the_colour_of_its_value():
    signed = Typist([[-1.0, 0.0, 1.0]]).editor
    assert [background for background, _ in signed.colours] == [tint(-0.5), tint(0), tint(0.5)]
    signed.show(signed.value, limit=2.0)
    assert signed.colours[0][0] == tint(-0.5)
    grey = Typist([[0.0, 0.5, 1.0]], signed=False).editor
    assert [background for background, _ in grey.colours] == ["#000000", "#808080", "#ffffff"]


@pytest.mark.parametrize("signed", [True, False])
def test_ink_contrasts_with_every_colour(signed):
    values = torch.linspace(-1 if signed else 0, 1, 41)[None]
    for background, ink in ArrayEditor(values, signed=signed).colours:
        light, dark = sorted((_luminance(background), _luminance(ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_chosen_cell_stays_inside_a_smaller_array():
    editor = ArrayEditor(torch.ones(7, 7))
    receive_state(editor, cell=[6, 2])
    editor.show(torch.ones(5, 5))
    assert editor.cell == [4, 2]


def test_large_arrays_show_two_digits_and_keep_all():
    value = torch.full((5, 5), -0.123456)
    typist = Typist(value.tolist())
    assert set(typist.editor.texts) == {"−.12"} and set(typist.editor.titles) == {"−0.1235"}
    typist.type(0, 0, "")
    typist.type(0, 0, "-.12")
    typist.type(0, 1, "1")
    expected = value.clone()
    expected[0, 1] = 1
    assert torch.equal(typist.editor.value, expected)
    assert [cell for _, cell in typist.edits] == [(0, 1)]


def test_its_text_is_a_summary():
    assert repr(Typist().editor).startswith("ArrayEditor: kernel: 2 × 3, from 1 to 6, digest ")
