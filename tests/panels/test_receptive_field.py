"""The receptive-field explorer, against gradients of torch's own layers."""

import io
import re
from contextlib import redirect_stdout
from itertools import product

import pytest
import torch
from hypothesis import given, reject
from hypothesis import strategies as st
from torch import nn

from convkit import ConvkitError, receptive_field
from convkit.panels import ReceptiveFieldExplorer
from tests.panels.driver import PanelDriver

LAYERS = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(0, 1), st.integers(1, 2))
TITLES = ("input", "layer 1", "layer 2", "layer 3", "layer 4", "layer 5")


@pytest.fixture
def driver():
    return PanelDriver(ReceptiveFieldExplorer())


def grids_of(panel):
    return [panel_node(panel, f"{title} grid") for title in TITLES[: len(panel.layers) + 1]]


def panel_node(panel, name):
    (node,) = [node for node in panel.tree if node.name == name]
    return node


def activations(layers, size):
    """Return what layers of torch, all weights 1, make of an input."""
    grids = [torch.zeros(1, 1, size, size, requires_grad=True)]
    for kernel_size, stride, padding, dilation in layers:
        conv = nn.Conv2d(1, 1, kernel_size, stride, padding, dilation, bias=False)
        nn.init.ones_(conv.weight)
        grids.append(conv(grids[-1]))
    return grids


def read(grids, high, cell, low):
    (gradient,) = torch.autograd.grad(grids[high][0, 0][cell], grids[low], retain_graph=True)
    return gradient[0, 0]


def lines(sentence, verb, name):
    """Return the numbers of the rows or columns that a sentence names."""
    said = re.search(rf"{verb} (.*?) of ", sentence)[1]
    found = re.search(rf"{name}s? ([\d, ]+?)(?: to (\d+))?(?:, column|$)", said)
    if found is None:
        return []
    numbers = [int(n) for n in found[1].split(", ")]
    return [*range(numbers[0], int(found[2]) + 1)] if found[2] else numbers


@st.composite
def explorers(draw):
    """Return an explorer with a chosen cell, and what torch's layers make of its input."""
    layers = draw(st.lists(LAYERS, min_size=1, max_size=3))
    try:
        panel = ReceptiveFieldExplorer(layers, size=9)
    except ConvkitError:
        reject()
    grids = activations(layers, 9)
    panel.n = n = draw(st.integers(0, len(layers)))
    panel.at = tuple(draw(st.integers(0, side - 1)) for side in grids[n].shape[2:])
    return panel, grids


def ways_to(panel, grids, m):
    """Return in how many ways the chosen cell is connected with each cell of grid m."""
    n, cell, (rows, columns) = panel.n, panel.at, grids[m].shape[2:]
    if m <= n:
        return read(grids, n, cell, m)
    places = product(range(rows), range(columns))
    return torch.stack([read(grids, m, place, n)[cell] for place in places]).reshape(rows, columns)


@given(explorers())
def test_numbers_are_gradients_of_torchs_layers_and_frames_hold_all_of_them(shown):
    panel, grids = shown
    chosen = grids_of(panel)[panel.n].frames[0].cursor.name
    for m, table in enumerate(grids_of(panel)):
        expected = ways_to(panel, grids, m)
        torch.testing.assert_close(table.values.float(), expected)
        (frame,) = [each for each in table.frames if each.cursor.name == chosen]
        rows, columns = frame.cells(*panel.at)
        assert all(i in rows and j in columns for i, j in expected.nonzero().tolist())


@given(explorers())
def test_sentences_name_the_very_cells(shown):
    panel, grids = shown
    i, j = panel.at
    sentence = grids_of(panel)[panel.n].descriptions[i][j]
    assert sentence in repr(panel)
    ends = [(m, verb) for m, verb in ((0, "sees"), (len(grids) - 1, "is seen by")) if m != panel.n]
    for m, verb in ends:
        ways = ways_to(panel, grids, m)
        if not ways.any():
            assert f"{verb} no cell" in sentence
            continue
        for axis, name in enumerate(("row", "column")):
            assert lines(sentence, verb, name) == ways.sum(1 - axis).nonzero().flatten().tolist()


def test_it_says_what_the_last_layer_sees(driver):
    assert driver.status == (
        "Each cell of layer 3 sees 8 × 8 cells of the input, its neighbour as many, 2 further on."
    )
    assert "2 × 2 cells, each sees 8 = 4 + 2 × 1 × 2, 2 apart, from 0" in driver.text


@given(explorers())
def test_its_code_makes_torchs_layers(shown):
    panel, grids = shown
    names = {}
    with redirect_stdout(io.StringIO()):
        exec(panel_node(panel, "torch code").source, names)
    assert names["net"](names["X"]).shape == grids[-1].shape
    assert receptive_field(names["net"]) == receptive_field(panel.layers)


def test_layers_are_typed_added_and_removed(driver):
    driver.type("padding of layer 1", "1, 0")
    assert driver.panel.layers[0].padding == (1, 0)
    driver.leave()
    driver.press("add a layer")
    assert driver.has_error and len(driver.panel.layers) == 3  # 2 cells have no room for 3
    driver.type("kernel_size of layer 3", "1")
    driver.press("add a layer")
    assert [layer.kernel_size for layer in driver.panel.layers] == [(3, 3), (2, 2), (1, 1), (3, 3)]
    driver.press("remove the last layer")
    driver.press("undo")
    assert len(driver.panel.layers) == 4 and driver.shows_the_tree()


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        (
            "kernel_size of layer 1",
            "0",
            "kernel_size is '0'; expected a whole number of at least 1",
        ),
        ("kernel_size of layer 1", "12", "expected a kernel no larger than the padded input"),
        (
            "padding of layer 3",
            "9",
            "the grids have 11 × 11, 9 × 9, 4 × 4, 20 × 20 cells; expected",
        ),
        ("size", "17", "size is 17; expected"),
        ("stride of layer 2", "a", "stride is 'a'"),
    ],
)
def test_what_cannot_work_is_refused_in_words_and_the_last_good_state_stays(
    driver, name, typed, said
):
    before = driver.panel.layers
    driver.type(name, typed)
    assert driver.has_error and said in driver.status
    assert driver.panel.layers == before and len(grids_of(driver.panel)) == 4


def test_more_layers_than_it_shows_are_refused():
    with pytest.raises(ConvkitError, match="layers has 6 of them; expected at most 5"):
        ReceptiveFieldExplorer([1] * 6)


def test_a_cell_of_any_grid_can_be_chosen_and_one_of_all_is(driver):
    driver.choose("second", (3, 0))
    assert (driver.panel.n, driver.panel.at) == (2, (3, 0))
    (chosen,) = driver.html.find_all(attrs={"data-chosen": True})
    assert (chosen["data-key"], chosen["data-at"]) == ("second cursor", "3,0")
    assert repr(driver.panel).endswith(
        "layer 2 [3, 0] sees rows 6 to 9, columns 0 to 3 of the input, "
        "and is seen by row 1, column 0 of layer 3"
    )


def test_grids_come_first_and_sentences_only_where_they_changed(driver):
    driver.messages.clear()
    driver.type("kernel_size of layer 1", "4")
    grids, rest = ({*message["patches"]} for message in driver.messages)
    assert {f"{title} grid" for title in TITLES[:4]} <= grids
    assert {"input sentences", "third sentences"} <= rest
    assert not any(key.endswith("sentences") for key in grids)
    assert not any(key.endswith("grid") for key in rest)
    driver.messages.clear()
    driver.choose("input", (3, 4))
    shown = [key for message in driver.messages for key in message["patches"]]
    assert "input grid" in shown and not any(key.endswith("sentences") for key in shown)
    assert driver.shows_the_tree()


def test_saved_it_moves_frames_for_each_grid_without_script(driver):
    saved = driver.panel.saved_html()
    assert "<script" not in saved and saved.count('type="radio"') == 11 * 11 + 9 * 9 + 4 * 4 + 2 * 2
    for name in ("input", "first", "second", "third"):
        assert (
            f":has(.ck-choose[data-pick={name}] td:hover) [data-rule][data-cursor={name}]" in saved
        )
