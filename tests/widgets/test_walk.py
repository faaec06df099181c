"""The walk over the output's cells."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convkit.widgets.walk import Walk


def walk(shape=(3, 4), at=(0, 0)):
    made = Walk()
    made.at = at
    made.reshape(shape)
    return made


def press(made, name):
    line = made.children[0]
    next(b for b in line.children if getattr(b, "tooltip", "") == name).click()


def agrees(made):
    i, j = made.at
    assert (made._row.value, made._column.value) == (i, j)
    assert made._play.value == i * (made._column.max + 1) + j


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("first window", (0, 0)),
        ("previous window", (0, 3)),
        ("next window", (1, 1)),
        ("last window", (2, 3)),
    ],
)
def test_buttons(name, at):
    made = walk(at=(1, 0))
    press(made, name)
    assert made.at == at
    agrees(made)


def test_buttons_stay_within():
    made = walk()
    press(made, "previous window")
    assert made.at == (0, 0)
    press(made, "last window")
    seen = []
    made.observe(lambda change: seen.append(change["new"]), "at")
    press(made, "next window")
    assert made.at == (2, 3) and seen == []
    agrees(made)


def test_player_and_boxes():
    made = walk()
    made._play.value = 6
    assert made.at == (1, 2)
    made._row.value = 2
    made._column.value = 99
    assert made.at == (2, 3)
    agrees(made)


SHAPES = st.tuples(st.integers(1, 600), st.integers(1, 600))


@settings(max_examples=30)
@given(SHAPES, SHAPES, st.data())
def test_another_shape_keeps_the_cell_where_it_exists(old, new, data):
    at = tuple(data.draw(st.integers(0, n - 1)) for n in old)
    made = walk(old, at)
    assert made.at == at
    made.reshape(new)
    assert made.at == tuple(min(k, n - 1) for k, n in zip(at, new, strict=True))
    agrees(made)
    assert (made._row.max, made._column.max) == (new[0] - 1, new[1] - 1)


def test_one_move_notifies_once():
    made, seen = walk(), []
    made.observe(lambda change: seen.append(change["new"]), "at")
    press(made, "next window")
    assert seen == [(0, 1)]
