"""Events: what each control may send, and that nothing else edits or raises."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ui import sample
from tests.ui.driver import Page

SMALL = st.none() | st.booleans() | st.integers(-3, 9) | st.text(max_size=3)
NUMBERS = st.floats() | st.integers(-(10**400), 10**400)
ANYTHING = st.recursive(
    SMALL | NUMBERS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside),
    max_leaves=6,
)
CELLS = st.fixed_dictionaries(
    {"cell": st.lists(SMALL, min_size=2, max_size=2)},
    optional={"text": SMALL, "by": SMALL, "other": SMALL},
)
EVENTS = ("set", "press", "file", "point", "choose", "paint", "focus", "paste", "edit", "step")
KEYS = sorted({node.key for node in sample.panel().tree})


@pytest.fixture
def page():
    return Page(sample.panel())


def test_good_events_of_each_kind(page):
    panel = page.panel
    page.choose("mode", "avg")
    page.choose("size", 3)
    page.choose("rows", 9)
    page.choose("flip", True)
    page.type("word", "b")
    page.upload("open", "a.txt", b"12345")
    page.point("surface", (33.4, 60))
    page.choose("window", (1, 1))
    page.point("window", (0, 1))
    page.choose("step", 4)
    assert (panel.mode, panel.size, panel.rows, panel.flip, panel.word) == ("avg", 3, 9, True, "b")
    assert (panel.opened, panel.spot, panel.at) == ("a.txt: 5", (33, 60), (1, 1))
    assert (panel.pointed, panel.n) == ((0, 1), 4)
    page.point("window", None)
    assert panel.pointed is None and page.shows_the_tree()


def test_painting_edits_the_cells_inside_and_a_button_takes_no_value(page):
    page.paint("input", (0, 0), (5, 7), (6, 0), (-1, 2))
    changed = (page.panel.X != sample.SampleState().X).nonzero().tolist()
    assert changed == [[0, 0], [5, 7]]
    page.press("zero")
    assert page.panel.K.tolist() == [[0, 0]]


def test_good_events_of_number_boxes(page):
    panel = page.panel
    page.type("K[0, 1]", "1/4")
    assert panel.K.tolist() == [[1, 0.25]]
    page.step("K[0, 0]", 1)
    page.step("K[0, 1]", -1)
    assert torch.equal(panel.K, torch.tensor([[2, 0.15]]))
    page.type("K[0, 0]", "1 2\n3 4", "paste")
    assert panel.K.tolist() == [[1, 2], [3, 4]]
    page.type("K[1, 0]", "7 8 9", "paste")
    assert panel.K.tolist() == [[1, 2], [7, 8]]
    panel.K = torch.tensor([[1 / 3, 0]])
    page.type("K[0, 0]", page.texts("kernel")[0][0])  # as it is shown, so rounded
    assert torch.equal(panel.K, torch.tensor([[1 / 3, 0]]))


def test_an_edit_of_a_cell_leaves_what_others_have_done_since(page):
    """Finding 60: it says which cell becomes what, and not what the whole is."""
    old = page.panel.tree
    page.type("K[0, 0]", "2")
    page.panel.tree = old  # as if the next event had been sent before the answer
    page.type("K[0, 1]", "3")
    assert page.panel.K.tolist() == [[2, 3]]


@pytest.mark.parametrize("text", ["", "-", "1-1", "nan", "1e39", "x" * 10_000, "\ud800"])
def test_a_text_that_is_not_finished_is_marked_and_changes_nothing(page, text):
    before = page.panel.store.result
    answer = page.type("K[0, 0]", text)
    assert "K[0, 0] is" in answer["refused"] == page.status and page.has_error
    assert page.panel.store.result is before
    page.type("K[0, 0]", "1")
    assert not page.has_error and "refused" not in page.messages[-1]


def test_late_events_do_nothing(page):
    """Finding 71: of what is no more there, or smaller than it was."""
    page.type("K[0, 0]", "1 2\n3 4", "paste")
    grid, window = page.find("kernel").key, page.find("window cursor").key
    page.panel.K, page.panel.size = torch.ones(1, 1), 4
    before = page.panel.store.result
    for event in ("edit", "paste", "step", "restore"):
        page.send(grid, event, {"cell": [1, 1], "text": "5", "by": 1})
    page.send(window, "choose", [2, 3])
    page.send("a node that was", "set", 1)
    page.send("status line", "press", "stop")
    assert page.panel.store.result is before and not page.has_error


SHARED = Page(sample.panel())  # for events that should change little


@settings(max_examples=400)
@given(
    st.sampled_from([*KEYS, "x"]),
    st.sampled_from([*EVENTS, "restore", "x"]),
    ANYTHING | CELLS | st.lists(st.lists(SMALL, max_size=3), max_size=3),
    st.lists(st.binary(max_size=3), max_size=2),
)
def test_any_event_gets_an_answer_and_is_no_fault(key, event, value, buffers):
    SHARED.send(key, event, value, buffers=tuple(buffers))  # raises unless there is one answer
    assert "fault" not in SHARED.status


@given(
    ANYTHING
    | st.fixed_dictionaries(
        {},
        optional={
            "page": SMALL,
            "ref": SMALL,
            "key": st.sampled_from(KEYS) | SMALL,
            "event": st.sampled_from(EVENTS) | SMALL,
            "stroke": st.none() | st.text(max_size=1),
            "value": SMALL,
            "refresh": SMALL.filter(lambda value: value is not True),
        },
    )
)
def test_what_is_no_event_changes_nothing(content):
    before, heard = SHARED.panel.store.result, len(SHARED.messages)
    SHARED.post(content)
    assert SHARED.panel.store.result is before and len(SHARED.messages) == heard
