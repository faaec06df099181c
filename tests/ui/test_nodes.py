"""Trees of nodes: keys, parts, what changes between two, and the words of a view."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convkit import ui
from convkit.ui.html import render
from convkit.ui.keys import find, keyed, keyed_parts, with_parts
from convkit.ui.messages import changes
from convkit.ui.text import words
from tests.ui import sample

CELL = ui.Cursor("cell", (2, 2), (0, 1), "at")
STEP = ui.Cursor("step", 3, 1, "n")


@st.composite
def trees(draw, depth=3):
    """Return a random tree; named nodes stand anywhere, at most once."""
    free = iter(draw(st.permutations("abcdefgh")))

    def tree(depth):
        kind = draw(st.sampled_from(["text", "check", "box", "box"] if depth else ["text"]))
        if kind == "box":
            return ui.row(*(tree(depth - 1) for _ in range(draw(st.integers(0, 3)))))
        name = next(free, None) if kind == "check" else None
        if name is None:
            return ui.text(draw(st.sampled_from("xyz")))
        return ui.check(name, draw(st.booleans()), name)

    return ui.column(tree(depth))


def html_after(old, patches):
    """Return a tree's HTML after patches: each is put in place of the node that has its key."""
    if old.key in patches:
        return str(render(patches[old.key]))
    text = str(render(old))
    for child in old.children:
        text = text.replace(str(render(child)), html_after(child, patches), 1)
    return text


@given(trees(), trees())
def test_the_changes_between_two_trees_lead_from_one_to_the_other(one, other):
    old, new = keyed(one), keyed(other)
    patches = dict(changes(old, new))
    assert html_after(old, patches) == render(new)
    assert (not patches) == (render(old) == render(new))
    assert all(find(old, key) is not None for key in patches)


@given(trees())
def test_keys_are_unique_and_a_name_is_a_key(tree):
    made = keyed(tree)
    keys = [node.key for node in made]
    assert len(set(keys)) == len(keys)
    assert all(node.key == node.name for node in made if node.name)
    assert [node.kind for node in made] == [node.kind for node in tree]


def test_cursors_stand_once_at_the_end():
    frames = [ui.Frame(CELL)]
    tables = [ui.table(name, torch.eye(2), ui.Scale("grey", 0, 1), frames=frames) for name in "ab"]
    inside = ui.series("s", STEP, [ui.row(*tables)] * 3)
    made = keyed(ui.row(inside))
    assert [node.key for node in made.children] == ["s", "cell cursor", "step cursor"]
    parts = keyed_parts(tables[:1], lambda node: node.props)
    assert [part.key for part in parts] == ["a", "cell cursor"]


def test_two_nodes_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two nodes have the name 'flip'"):
        keyed(ui.row(ui.check("flip", True, "flip"), ui.row(ui.check("flip", True, "flip"))))


def test_a_part_is_put_in_place_of_the_node_with_its_key_and_others_stay():
    tree = keyed(ui.row(ui.row(ui.check("a", True, "a")), ui.row(ui.text("x"))))
    (part,) = keyed_parts([ui.check("a", False, "a")], lambda node: node.props)
    changed = with_parts(tree, [part])
    assert find(changed, "a").value is False
    assert changed.children[1] is tree.children[1]
    (unknown,) = keyed_parts([ui.check("b", False, "b")], lambda node: node.props)
    assert with_parts(tree, [unknown]) is tree


def test_properties_are_attributes():
    node = ui.slider("size", 1, 4, 2, "size")
    assert (node.low, node.value, node.mark) == (1, 2, None)
    with pytest.raises(AttributeError, match="a slider has no colour"):
        _ = node.colour


@pytest.mark.parametrize("text", ["<b>", "", None])
def test_html_of_others_has_to_be_marked_as_such(text):
    with pytest.raises(TypeError, match=r"expected markupsafe\.Markup"):
        ui.markup(text)


def test_the_words_of_a_view():
    """What nbval compares: by the series' place, arrays by digest, nothing of buttons."""
    state = sample.SampleState(n=2, at=(1, 1), flip=True)
    lines = words(sample.view(sample.compute(state))).splitlines()
    assert lines == [
        "max pooling: 3 × 4.",
        "mode: max",
        "size: 2 cells",
        "rows: 3",
        "flip: True",
        "word: a",
        "kernel: 1 × 2, from -1 to 1, digest be6f09fb",
        "input: 6 × 8, from 0 to 47, digest f5154be2",
        "output: 3 × 4, from 9 to 47, digest 6a0e0e96",
        "Y[1, 1] = 29",
        "photo: 6 × 8, from 0 to 47, digest f5154be2",
        "loss 4",
        "curve",
        "surface",
    ]
    assert words(ui.text("\ud800")) == "?"


def test_a_table_that_can_be_painted_on_differs_from_one_that_cannot():
    X, grey = torch.eye(2), ui.Scale("grey", 0, 1)
    before, after = (
        keyed(ui.row(ui.table("X", X, grey, paint=paint))) for paint in (None, lambda cells: {})
    )
    assert [key for key, _ in changes(before, after)] == ["X"]
    assert [key for key, _ in changes(after, before)] == ["X"]
    again = keyed(ui.row(ui.table("X", X, grey, paint=lambda cells: {})))
    assert list(changes(after, again)) == []


def test_a_cursor_that_a_description_alone_follows_is_on_the_page():
    tree = keyed(ui.row(ui.description(CELL, "Y[0, 1] = 3")))
    assert find(tree, "cell cursor").cursor == CELL
