"""Series: what a page decodes at each place is the HTML of its node, and its pixels."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convkit import ui
from convkit.ui.html import render
from convkit.ui.keys import keyed
from convkit.ui.saved import saved
from convkit.ui.series import node_at

TEXTS = st.text(max_size=4) | st.sampled_from(["", '"', "<b>", "x", "−1", "&lt;"])


def decoded(data, n):
    """Return the HTML of place n: written from the description of `Series.data` alone."""
    words, codes, _ = data
    numbers = np.frombuffer(codes, "<u2").astype(int)
    count, columns = numbers[:2]
    sources, table = numbers[2 : 2 + columns], numbers[2 + columns :].reshape(-1, count)
    return "".join(words[table[source, n]] for source in sources)


@st.composite
def shown(draw, depth=2):
    """Return a function that makes nodes of one form, with other contents each time."""
    kind = draw(st.sampled_from(["text", "cells", "table", "picture", "box", "mixed"]))
    if kind == "box" and depth:
        parts = draw(st.lists(shown(depth - 1), min_size=1, max_size=3))
        return lambda draw: ui.row(*(part(draw) for part in parts))
    if kind == "mixed":
        return lambda draw: ui.text(draw(TEXTS), draw(st.sampled_from(["", "caption"])))
    if kind == "picture":
        return lambda draw: ui.picture(
            "p", torch.full((2, 3), draw(st.sampled_from([0.0, 0.5, 1.0]))), ui.Scale("grey", 0, 1)
        )
    if kind == "table":
        return lambda draw: ui.array("t", torch.tensor([[float(draw(st.integers(-2, 2)))]]))
    if kind == "cells":
        return lambda draw: ui.cells("c", draw(st.lists(TEXTS, min_size=2, max_size=2)), "ab", 2)
    return lambda draw: ui.text(draw(TEXTS))


@given(st.data())
def test_each_place_is_decoded_to_the_html_of_its_node(data):
    make = data.draw(shown())
    nodes = [make(data.draw) for _ in range(data.draw(st.integers(1, 5)))]
    series = ui.Series(tuple(nodes))
    for n, node in enumerate(nodes):
        html = decoded(series.data, n)
        starts = re.findall(r' data-from="(\d+)"', html)
        assert re.sub(r' data-from="\d+"', "", html) == render(node)
        pictures = [part for part in node if part.kind == "picture"]
        pixels = [series.data[2][int(start) :][: 2 * 3] for start in starts]
        assert pixels == [picture.pixels for picture in pictures]


def test_what_all_places_share_is_sent_once():
    long = "word " * 200
    nodes = [ui.row(ui.text(long), ui.text(str(n))) for n in range(100)]
    words, codes, _ = ui.Series(tuple(nodes)).data
    assert sum(map(len, words)) < len(long) + 1000 and len(codes) < 1000


def test_after_its_last_node_a_series_stays_there():
    step = ui.Cursor("step", 5, 4, "n")
    assert node_at(ui.series("s", step, [ui.text("a"), ui.text("b")])).words == "b"


def test_what_can_be_edited_or_is_too_much_is_refused():
    with pytest.raises(ValueError, match="cannot be edited"):
        ui.Series((ui.check("flip", True, "flip"),))
    same = ui.text("same")
    with pytest.raises(ValueError, match="at most"):
        _ = ui.Series((same,) * 70_000).data
    with pytest.raises(ValueError, match="at most"):
        _ = ui.Series(tuple(ui.text(str(n)) for n in range(66_000))).data


def test_a_player_leads_where_it_says_and_its_saved_form_shows_some_steps():
    step = ui.Cursor("step", 101, 30, "n")
    tree = keyed(
        ui.row(
            ui.player("step", step), ui.series("s", step, [ui.text(f"<{n}>") for n in range(101)])
        )
    )
    positions = next(node for node in tree if node.name == "step player").series
    html = decoded(positions.data, 30)
    assert re.findall(r'aria-label="(\w+) step" .*? value="(\d+)"', html) == [
        ("first", "0"),
        ("previous", "29"),
        ("play", "30"),
        ("next", "31"),
        ("last", "100"),
    ]
    kept = str(saved(tree))
    assert re.findall(r"&lt;(\d+)&gt;", kept) == ["0", "20", "30", "40", "60", "80", "100"]
    assert "<script" not in kept and len(re.findall("<input[^>]* checked>", kept)) == 1
