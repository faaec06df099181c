"""The training microscope, against networks run anew, and against itself back in time."""

import re
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F

from convkit import ConvkitError, networks
from convkit.panels import TrainingMicroscope
from convkit.ui.series import node_at
from tests.panels.driver import PanelDriver
from tests.ui.driver import until

STEPS = 44  # five snapshots


@pytest.fixture(scope="module")
def kept():
    return TrainingMicroscope(steps=STEPS)


@pytest.fixture(scope="module")
def full():
    return TrainingMicroscope()


@pytest.fixture
def driver(kept):
    kept.reset()
    return PanelDriver(kept)


def series_of(panel, name):
    (node,) = [n for n in panel.tree if n.kind == "series" and n.name == name]
    return node


def arrays(panel, name):
    """Return what a series of pictures shows now, (channels, H, W)."""
    return torch.stack([p.values for p in node_at(series_of(panel, name)) if p.kind == "picture"])


@pytest.mark.parametrize("n", [0, 2, 4])
def test_it_shows_what_the_network_of_the_snapshot_makes_of_the_digit(driver, n):
    panel = driver.panel
    panel.n, panel.digit = n, 7
    net = panel.snapshots[n].net
    first = F.relu(F.conv2d(networks.digits().test[7:8], net[0].weight, net[0].bias, padding=2))
    pooled = F.max_pool2d(first, 2)
    second = F.relu(F.conv2d(pooled, net[3].weight, net[3].bias))
    torch.testing.assert_close(arrays(panel, "conv1 maps"), first[0])
    torch.testing.assert_close(arrays(panel, "conv2 maps"), second[0])
    assert torch.equal(arrays(panel, "kernels"), net[0].weight[:, 0])
    probability, best = net(networks.digits().test[7:8]).softmax(1).max(1)
    words = node_at(series_of(panel, "probabilities")).words
    assert words == f"most likely {best.item()}, probability {probability.item():.2f}"
    assert f"Step {11 * n}: loss" in node_at(series_of(panel, "told")).words


@pytest.mark.parametrize("name", ["conv1 maps", "conv2 maps"])
def test_colours_stay_the_same_in_time(driver, name):
    nodes = series_of(driver.panel, name).series.nodes
    pictures = [p for node in nodes for p in node if p.kind == "picture"]
    values = torch.stack([p.values for p in pictures])
    shades = torch.tensor([list(p.pixels) for p in pictures]).reshape(values.shape)
    torch.testing.assert_close(shades.float(), 254 * values / values.max(), atol=0.51, rtol=0)


def test_there_and_back_again_is_bit_equal(driver):
    before = driver.panel.get_state("page")["page"]["series"]
    driver.choose("snapshot", 4)
    assert "Step 44" in node_at(series_of(driver.panel, "told")).words
    driver.choose("snapshot", 0)
    assert driver.panel.get_state("page")["page"]["series"] == before


@pytest.mark.parametrize(("k", "at", "m"), [(1, (0, 5), 3), (2, (9, 2), 11)])
def test_the_sum_of_a_pointed_cell_and_what_it_sees(driver, k, at, m):
    panel = driver.panel
    panel.n = 3
    name = {1: "conv-one", 2: "conv-two"}[k]
    driver.point(name, (1, 1, 0))
    assert driver.find(f"{name} cursor").cursor.at[2] == 0  # what is chosen stays
    driver.choose(name, (*at, m), moving=True)
    assert driver.find(f"{name} cursor").cursor.at == (*at, m)  # from which the arrow keys go on
    driver.point(name, None)
    layer, X = panel.snapshots[3].net[3 * k - 3], networks.digits().test[:1]
    for each in panel.snapshots[3].net[: 3 * k - 3]:
        X = each(X)
    X = F.pad(X, (2, 2, 2, 2)) if k == 1 else X
    (i, j), products = at, 0.0
    products = (X[0, :, i : i + 5, j : j + 5] * layer.weight[m]).double().sum().item()
    said = node_at(series_of(panel, f"sum {k}")).words.replace("−", "-")
    numbers = [float(x) for x in re.findall(r"(?:to|bias|is|ReLU) (-?[\d.e-]+?)[;,]?(?= |$)", said)]
    expected = [products, layer.bias[m].item()]
    expected += [sum(expected), max(0.0, sum(expected))]
    assert numbers == pytest.approx(expected, rel=5e-3, abs=2e-3)
    assert f"map {m}, cell [{i}, {j}]: {(25, 150)[k - 1]} products" in said


def test_frames_are_the_gradients_of_the_pointed_cell(driver):
    panel = driver.panel
    X = torch.rand(1, 1, 28, 28, requires_grad=True)
    net = networks.lenet()  # with average pooling, every cell that is seen has a gradient
    grids = [X]
    for layer in net[:4]:
        grids.append(layer(grids[-1]))
    picture = next(node for node in panel.tree if node.name == "network input")
    for frame, grid, at in zip(
        picture.frames, (grids[1], grids[4]), ((13, 9), (4, 6)), strict=True
    ):
        (seen,) = torch.autograd.grad(grid[0, 0][at], X, retain_graph=True)
        rows, columns = frame.cells(*at)
        places = seen[0, 0].nonzero()
        assert (rows[0], columns[0]) == tuple(places.min(0).values.tolist())
        assert (rows[-1], columns[-1]) == tuple(places.max(0).values.tolist())


def test_a_drawn_pixel_changes_what_the_network_sees(driver):
    panel = driver.panel
    panel.n = 4
    driver.choose("pen", "ink")
    before = arrays(panel, "conv1 maps")
    driver.paint("drawing", (0, 0), (0, 1))
    assert panel.X[0, :2].tolist() == [1, 1] and "drawn by you" in driver.text
    expected = panel.snapshots[4].net[:2](networks.enlarged(panel.X[None]))[0]
    torch.testing.assert_close(arrays(panel, "conv1 maps"), expected)
    assert not torch.equal(before, expected)
    panel.digit = 3
    assert torch.equal(panel.X, networks.digits().test_small[3])
    driver.type("X[7, 7]", "0.5")
    assert panel.X[7, 7] == 0.5 and torch.equal(panel.X[:7], networks.digits().test_small[3, :7])


def test_while_a_hand_draws_the_step_on_show_is_sent_alone_and_the_rest_when_it_rests(driver):
    panel = driver.panel
    panel.n = 2
    table = driver.find("drawing").key
    answer = driver.send(table, "paint", [[3, 3]], moving=True)
    assert answer["partial"] and not answer["patches"] and len(answer["series"]) >= 4
    key = series_of(panel, "conv1 maps").key
    assert driver.series[key][1][:2] == b"\1\0"  # of one place
    net, X = panel.snapshots[2].net, networks.enlarged(panel.X[None])
    torch.testing.assert_close(arrays(panel, "conv1 maps"), net[:2](X)[0])
    assert "drawn by you" not in driver.text
    driver.post({"rest": True})
    assert driver.shows_the_tree() and "drawn by you" in driver.text
    assert driver.series[key][1][:2] == b"\5\0"
    answer = driver.point("conv-two", (3, 3, 5))
    assert answer["partial"] and key not in answer["series"]  # drawn already
    said = node_at(series_of(panel, "sum 2")).words
    assert said.startswith("conv2, map 5, cell [3, 3]: 150 products")


@pytest.mark.parametrize("modern", [True, False])
def test_weights_are_changed_and_maps_switched_off(modern):
    driver = PanelDriver(TrainingMicroscope(modern=modern, steps=22))
    panel = driver.panel
    panel.n, panel.conv1_map, panel.conv2_map = 1, 2, 7
    driver.type("K[1, 3]", "-4")
    driver.choose("conv2 map 7 on", False)
    net = deepcopy(panel.snapshots[1].net)
    net[0].weight.data[2, 0, 1, 3] = -4
    net[3].register_forward_hook(lambda layer, X, Y: Y.index_fill(1, torch.tensor(7), -1e9))
    maps = net[:5](networks.enlarged(panel.X[None]))[0]
    torch.testing.assert_close(arrays(panel, "conv2 maps"), maps)
    assert maps[7].max() == 0 and torch.equal(arrays(panel, "kernels")[2], net[0].weight[2, 0])
    right = net(networks.digits().test).argmax(1) == networks.digits().test_labels
    said = f"{100 * right.double().mean():.1f}% of the test digits right at step 11"
    assert said in driver.status


def test_changes_are_taken_back(driver):
    panel = driver.panel
    trained = arrays(panel, "kernels")
    panel.kernels, sum_line = {0: torch.zeros(5, 5)}, "conv1, map 0 is switched off."
    driver.choose("conv1 map 0 on", False)
    assert node_at(series_of(panel, "sum 1")).words == sum_line
    assert not arrays(panel, "conv1 maps")[0].any()
    driver.press("undo")
    assert panel.off == () and node_at(series_of(panel, "sum 1")).words != sum_line
    driver.press("as trained")
    assert panel.kernels == () and "Changed by you" not in driver.status
    assert torch.equal(arrays(panel, "kernels"), trained)
    panel.off = [(2, 15)]
    panel.seed = 1  # another network
    assert panel.off == ()
    panel.undo()
    assert panel.off == ((2, 15),)


def test_a_fork_leaves_the_run_where_it_is_and_both_curves_are_shown(driver):
    panel = driver.panel
    first = panel.snapshots
    driver.choose("snapshot", 2)
    driver.type("rate", "0.05")
    driver.press("fork here")
    until(lambda: len(panel.snapshots) == 5 and panel.snapshots[3] is not first[3])
    assert panel.fork == (2, 0.05) and panel.snapshots[:3] == first[:3]
    (expected,) = networks.training(first[2], 0.05, 33, every=11)
    assert torch.equal(panel.snapshots[3].net[0].weight, expected.net[0].weight)
    axes = next(node for node in panel.tree if node.name == "loss axes")
    assert axes.shapes.count("ck-other") == 2
    driver.choose("show", "first run")
    assert panel.snapshots == first
    panel.fork = 2, panel.lr
    panel.shows = "fork"
    same = zip(panel.snapshots[-1].net.parameters(), first[-1].net.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)


@pytest.fixture
def watched():
    """Give a panel in which a training from the start has just begun."""
    driver = PanelDriver(TrainingMicroscope(steps=5))
    driver.panel.steps = 440
    driver.type("rate", "0.003")
    driver.press("train from the start")
    yield driver
    driver.panel.close()


def test_a_training_is_watched_as_it_goes(watched):
    panel, results = watched.panel, []
    panel.store.observe(lambda change: results.append(change["new"]), "result")
    told = "Step 0:"
    until(lambda: told not in node_at(series_of(panel, "told")).words)  # it follows the newest
    until(lambda: re.search(r"training: \d+%, \d+ s left", watched.status))
    until(lambda: len(panel.snapshots) == 41)
    counts = [len(result.shown) for result in results]
    assert len(counts) > 2 and counts == sorted(counts)  # none was changed afterwards
    assert watched.shows_the_tree()


def test_a_stopped_training_is_kept_and_goes_on(watched):
    panel = watched.panel
    until(lambda: len(panel.snapshots) > 3)
    watched.press("stop")
    at, count = panel.store.result, len(panel.snapshots)
    assert 3 < count < 41 and f"stopped at {11 * (count - 1)} of 440" in watched.status
    assert watched.shows_the_tree() and f"Step {11 * (count - 1)}" in panel.saved_html()
    assert f"to {11 * (count - 1)}" in panel.fallback()[1]["image/png"]["alt"]
    watched.press("train on")
    until(lambda: len(panel.snapshots) == 41)
    assert panel.snapshots[:count] == at.shown and len(at.shown) == count
    start = networks.begin(networks.lenet(modern=True))
    *_, last = networks.training(start, 0.003, 440, every=440)
    assert torch.equal(panel.snapshots[-1].net[0].weight, last.net[0].weight)


def test_a_training_again_is_bit_equal(full):
    again = TrainingMicroscope(steps=66)
    pairs = zip(again.snapshots, full.snapshots, strict=False)
    assert all(torch.equal(a.net[0].weight, b.net[0].weight) for a, b in pairs)


def test_what_is_sent_for_forty_snapshots_is_small(full):
    page = full.get_state("page")["page"]
    sizes = [
        sum(map(len, words)) + len(codes) + len(pixels)
        for words, codes, pixels in page["series"].values()
    ]
    assert len(full.snapshots) == 41 and len(page["html"]) + sum(sizes) < 1.5e6


def test_what_is_stored_needs_no_script_and_no_number_that_rounding_decides(driver):
    data, metadata = driver.panel.fallback()
    assert [*data] == ["image/png"] and metadata["image/png"]["varies"] is True
    assert repr(driver.panel) == "TrainingMicroscope: 5 snapshots of LeNet from step 0 to 44"
    assert "<script" not in driver.panel.saved_html()
    assert "Step 44" in driver.panel.saved_html()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lr": 0}, "lr is 0"),
        ({"fork": (3,)}, "fork is"),
        ({"fork": (1, 7)}, "its rate is 7; expected a number above 0, up to 1"),
        ({"fork": (41, 0.1)}, "the snapshot of fork is 41"),
        ({"X": torch.zeros(3, 8)}, "8 × 8"),
        ({"digit": 450}, "digit is 450"),
        ({"kernels": {6: torch.zeros(5, 5)}}, "a map of kernels is 6"),
        ({"kernels": {0: torch.zeros(3, 3)}}, "3 × 3; expected 5 × 5"),
        ({"kernels": 3}, "kernels is 3"),
        ({"off": [(1, 6)]}, "is 6"),
        ({"off": [(3, 0)]}, "is 3"),
        ({"off": 7}, "off is 7"),
        ({"conv2_over": (0, 10, 0)}, "conv2_over is 10"),
        ({"conv2_over": (0, 0)}, "such as"),
    ],
)
def test_what_cannot_work_is_refused(driver, change, words):
    with pytest.raises(ConvkitError, match=words):
        driver.panel.store.set(**change)
