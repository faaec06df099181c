"""The DescentStepper: its state and view as values, and driven as a learner drives it."""

import io
import json
import math
import random
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convkit import ConvkitError, QuadraticLoss, corr2d, diagonal, kernel, photo, stripes
from convkit.formatting import Outcome, colour_limit
from convkit.panels import DescentStepper, KernelEditor
from convkit.panels._descent_stepper_state import (
    LAST_POSITION,
    DescentStepperState,
    adjust,
    compute,
    fastest_rate,
    rate_of_position,
    slider_position,
)
from convkit.panels.descent_stepper import LAST_STEP, view
from convkit.ui import Scale, explore
from convkit.ui.html import render
from convkit.ui.keys import keyed
from convkit.ui.messages import series_of
from convkit.ui.series import node_at
from tests.panels.driver import PanelDriver

EDGE = torch.tensor([[1.0, -1.0]])
HALF = torch.tensor([[0.5, 0.5]])
RATE = "learning rate, share of the limit"
FEWER = "new rate for later steps only"


def state(X=None, K=EDGE, **fields):
    return DescentStepperState(stripes() if X is None else X, target=K, **{"lr": 0.03, **fields})


def result(*arguments, **fields):
    return compute(state(*arguments, **fields))


def edited(before, **changes):
    """Return the result of an edit, as a store has it."""
    changes = adjust(before, before.state.checked(changes))
    return compute(before.state.replace(**changes), before)


def stepper(X=None, K=EDGE, start=None, **options):
    X = stripes() if X is None else X
    return DescentStepper(X, corr2d(X, K), start, **{"lr": 0.03, **options})


def driven(*arguments, **options):
    panel = stepper(*arguments, **options)
    return panel, PanelDriver(panel)


def at_step(tree, name, n):
    """Return what a series shows at step `n`."""
    (node,) = [node for node in tree if node.name == name]
    return node.series.nodes[n]


def tables(tree, name, n):
    """Return title and numbers of each table that a series shows at step `n`."""
    shown = {}
    for figure in at_step(tree, name, n):
        if figure.kind == "box" and figure.css.startswith("figure"):
            title = next(part.words for part in figure if part.kind == "heading")
            (cells,) = (part for part in figure if part.kind == "cells")
            shown[title] = cells
    return shown


def floats(cells):
    values = [float(text.replace("−", "-")) for text in cells.texts if text]
    return torch.tensor(values).reshape(-1, cells.columns)


def expect_consistent(panel, page):
    """Controls, plots, tables and code tell of one step of one descent, and so does the page."""
    trajectory = panel.trajectory
    cursor = page.find("step cursor").cursor
    assert (cursor.at, cursor.count) == (panel.n, len(trajectory))
    assert page.value("learning rate") == pytest.approx(panel.lr, rel=1e-3)
    assert page.value("number of steps") == panel.steps
    for (i, j), weight in np.ndenumerate(panel.start.numpy()):
        assert page.value(f"start[{i}, {j}]") == pytest.approx(weight, rel=1e-2, abs=1e-3)
    assert torch.equal(panel.kernel, trajectory[panel.n].kernel)
    for name in ("loss surface path", "loss curve path"):
        assert len(page.find(name).points) == len(trajectory)
    assert len(page.node("update").series.nodes) == len(trajectory)
    step = trajectory[panel.n]
    said = node_at(page.node("said")).words.replace("−", "-")
    assert said == f"step {panel.n}: loss {step.loss:.4g}"
    names = {"print": lambda *_: None, "panel": panel}
    exec(panel.code, names)
    assert torch.equal(names["K"].detach(), panel.kernel)
    assert page.shows_the_tree()


# The state, and what follows from it


def test_the_losses_are_those_of_the_closed_form():
    losses = [step.loss for step in result(steps=10).trajectory]
    assert losses == pytest.approx([12 * 0.4096**n for n in range(11)], rel=1e-4)


def test_the_steps_are_those_of_torchs_own_optimizer():
    X, K = photo(12), kernel("Sobel x")
    layer = torch.nn.Conv2d(1, 1, 3, bias=False)
    torch.nn.init.zeros_(layer.weight)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1e-3)
    for step in result(X, K, lr=1e-3, steps=6).trajectory:
        assert torch.equal(step.kernel, layer.weight[0, 0])
        optimizer.zero_grad()
        loss = ((layer(X[None, None])[0, 0] - corr2d(X, K)) ** 2).sum()
        loss.backward()
        assert step.loss == loss.item()
        optimizer.step()


@settings(max_examples=20)
@given(
    st.sampled_from([torch.float32, torch.float64]),
    st.sampled_from(["sum", "mean"]),
    st.lists(st.floats(1e-4, 0.03), min_size=1, max_size=4),
    st.integers(0, 8),
)
def test_the_code_of_a_step_gives_its_kernel_bit_for_bit(dtype, reduction, rates, n):
    X = torch.rand(5, 6, generator=torch.Generator().manual_seed(n)).to(dtype)
    K = torch.tensor([[0.7, -1 / 3], [0.1, 2.0]], dtype=dtype)
    made = result(X, K, lr=rates[0], steps=8, reduction=reduction, only_ahead=True)
    for k, lr in enumerate(rates[1:], 1):
        made = edited(edited(made, n=2 * k), lr=lr)
    made = edited(made, n=n)
    names = {"print": lambda *_: None}
    exec(made.code(), names)
    assert torch.equal(names["K"].detach(), made.trajectory[n].kernel)


def test_only_what_changed_is_computed_again():
    first = result()
    moved = edited(first, n=4)
    assert moved.trajectory is first.trajectory and moved.step.n == 4
    faster = edited(moved, lr=0.02)
    assert faster.quadratic is first.quadratic and faster.surface is first.surface
    assert faster.trajectory is not first.trajectory and faster.n == 4
    other = edited(faster, target=2 * EDGE)
    assert other.quadratic is not first.quadratic
    assert other.trajectory[0].loss == compute(other.state).trajectory[0].loss


def test_a_rate_of_later_steps_keeps_those_of_the_steps_taken():
    made = edited(result(n=4, steps=10, only_ahead=True), lr=0.001)
    assert made.descent.rates == (0.03,) * 4 + (0.001,) * 6
    assert [step.lr for step in made.trajectory[1:]] == [*made.descent.rates]
    for count in (12, 3, 9):
        made = edited(made, steps=count)
        assert made.descent.rates == ((0.03,) * 4 + (0.001,) * count)[:count]
    assert edited(made, lr=0.03).descent.rates == (0.03,) * 9
    assert edited(edited(made, only_ahead=False), lr=0.02).descent.rates == (0.02,) * 9


def test_a_rate_of_later_steps_is_judged_by_where_it_begins():
    made = edited(result(start=HALF, n=4, steps=10, only_ahead=True), lr=0.04)
    assert made.convergence.outcome is Outcome.DIVERGING
    assert made.verdict.startswith("From step 4 on: diverging: at 120% of the limit 0.03333, a")
    # A step at 1/60, the inverse of the largest curvature, ends all error in that direction.
    straight = edited(result(start=HALF, lr=1 / 60, n=1, only_ahead=True), lr=0.04)
    assert straight.verdict.startswith("From step 1 on: converging, but only because the start")


@pytest.mark.parametrize("lr", [0.05, 1e3])
def test_a_record_stops_before_the_loss_runs_away(lr):
    made = result(start=torch.tensor([[0.5, 0.2]]), lr=lr, steps=100, n=80)
    assert made.last < 100 and made.n == made.last == made.step.n
    assert all(math.isfinite(step.loss) for step in made.trajectory)
    assert made.convergence.outcome is Outcome.DIVERGING
    assert made.summary.endswith(f"The record stops after step {made.last}.")
    assert "of the limit 0.03333" in made.verdict or "times the limit" in made.verdict


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (2, 5), (7, 7)])
def test_the_target_implies_the_size_of_the_kernel(size):
    X, K = diagonal(8), torch.ones(size)
    assert torch.equal(DescentStepperState(X, corr2d(X, K)).start, torch.zeros(size))
    assert torch.equal(edited(result(), X=X, target=K).state.start, torch.zeros(size))


def test_a_problem_of_the_same_size_keeps_the_start():
    made = result(start=HALF)
    assert torch.equal(edited(made, Y=2 * made.Y).state.start, HALF)
    doubled = edited(made, X=stripes().double()).state
    assert {v.dtype for v in (doubled.X, doubled.target, doubled.start)} == {torch.float64}
    assert doubled.start.tolist() == HALF.tolist()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": torch.zeros(2, 2)}, r"start has shape \(2, 2\); expected \(1, 2\)"),
        ({"start": torch.full((1, 2), 1e30)}, "loss"),
        ({"start": torch.tensor([[0, math.inf]])}, r"start\[0, 1\] is inf"),
        ({"target": torch.zeros(9, 9)}, r"target has shape \(9, 9\).* up to 7 × 7.* Use a smaller"),
        ({"Y": torch.ones(7, 8)}, r"Y has shape \(7, 8\) for X of shape \(6, 8\)"),
        ({"X": torch.ones(1, 1)}, r"target has shape \(1, 2\).* no larger than X"),
        ({"reduction": "max"}, "reduction is 'max'"),
        ({"n": -3}, "n is -3"),
        ({"n": 1.0}, "n is 1.0"),
        ({"n": 26}, "n is 26; expected a step from 0 to 25. Set steps to record more"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"lr": "a"}, "lr is 'a'"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": 1e39}, "lr is 1e"),
        ({"steps": 0}, "steps is 0; expected a whole number from 1 to 300"),
        ({"steps": 301}, "steps is 301"),
        ({"steps": 2.5}, "steps is 2.5"),
        ({"steps": "10"}, "steps is '10'"),
        ({"first_rates": (0.1, math.inf)}, "first_rates is"),
        ({"Y": torch.full((6, 7), 1e38)}, "loss"),
        ({"Y": torch.ones(6, 7), "target": EDGE}, "both Y and target"),
        ({"X": torch.ones(3)}, "X"),
        ({"Y": 3}, "Y is 3"),
    ],
)
def test_what_cannot_work_is_refused_in_words(change, words):
    with pytest.raises(ConvkitError, match=words):
        edited(result(), **change)


def test_numbers_that_plots_cannot_show_are_refused_in_float64_too():
    made = result(stripes().double())
    with pytest.raises(ConvkitError, match="which plots can show"):
        edited(made, start=torch.full((1, 2), 1e100, dtype=torch.float64))
    with pytest.raises(ConvkitError, match="which plots can show"):
        edited(made, Y=1e100 * made.Y)


@pytest.mark.parametrize("X", [10 * stripes(), stripes() / 7, torch.rand(9, 9)])
def test_learning_rates_keep_their_share_of_another_problems_limit(X):
    before = edited(result(steps=3, n=2, only_ahead=True), lr=0.01)
    after = edited(before, X=X, target=torch.ones(2, 2))
    for old, new in zip(before.descent.rates, after.descent.rates, strict=True):
        share = old / before.quadratic.max_stable_lr
        assert new / after.quadratic.max_stable_lr == pytest.approx(share, rel=1e-3)
    assert f"The learning rate is now {after.state.lr:.4g}" in after.note
    same = edited(after, target=torch.zeros(2, 2))
    assert same.state.lr == after.state.lr and same.note == ""


@pytest.mark.parametrize("lr", [0.003, 0.03, 0.04])
@pytest.mark.parametrize("K", [EDGE, torch.tensor([[0.5, -1.0], [2.0, 0.25]])])
def test_the_outline_is_the_recorded_descent_but_for_rounding(K, lr):
    descent = result(K=K, start=torch.full_like(K, 0.5), lr=lr, steps=20).descent
    kernels, losses = descent.path  # nothing is recorded yet
    recorded = torch.stack([step.kernel for step in descent.trajectory]).double()
    torch.testing.assert_close(kernels, recorded, rtol=1e-3, atol=1e-4)
    assert not torch.equal(kernels, recorded)
    torch.testing.assert_close(losses, descent.path[1], rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("position", [1, 37, 100, LAST_POSITION])
@pytest.mark.parametrize("limit", [1 / 30, 4e-6, math.inf])
def test_a_slider_position_and_its_rate_agree(position, limit):
    rate = rate_of_position(position, limit)
    assert slider_position(rate, limit) == position
    assert math.isinf(limit) or rate / limit == pytest.approx(position / 100, rel=1e-3)


def test_rates_beyond_the_slider_stand_at_its_ends():
    assert slider_position(1e-320, 1 / 30) == 1
    assert slider_position(1e30, 1 / 30) == LAST_POSITION


# The steps in tables


def test_each_step_writes_its_update_out():
    made = result(start=HALF, steps=5)
    tree, steps = view(made), made.trajectory
    for step, following in zip(steps, steps[1:], strict=False):
        shown = tables(tree, "update", step.n)
        for title, values in (
            (f"kernel, step {step.n}", step.kernel),
            ("gradient", step.grad),
            (f"kernel, step {step.n + 1}", following.kernel),
        ):
            torch.testing.assert_close(floats(shown[title]), values, rtol=1e-3, atol=1e-3)
        words = [part.words for part in at_step(tree, "update", step.n) if part.kind == "text"]
        assert words == ["−", "rate", "0.03", "×", "="]


def test_the_last_step_has_no_next_one():
    shown = tables(view(result(steps=5)), "update", 5)
    assert shown[LAST_STEP].texts == ("", "") and floats(shown["kernel, step 5"]).numel() == 2


@pytest.mark.parametrize("lr", [0.03, 0.04])
def test_prediction_minus_target_is_the_residual(lr):
    made = result(start=HALF, lr=lr, steps=12)
    for step in made.trajectory:
        shown = tables(view(made), "outputs", step.n)
        prediction = corr2d(stripes(), step.kernel)
        for name, values in (
            ("prediction", prediction),
            ("target Y", made.Y),
            ("residual R", prediction - made.Y),
        ):
            torch.testing.assert_close(floats(shown[name]), values, rtol=5e-2, atol=6e-3)


@pytest.mark.parametrize("lr", [0.03, 0.05])
def test_all_arrays_of_a_step_share_their_colours(lr):
    made = result(start=HALF, lr=lr, steps=8)
    tree, steps, limits = view(made), made.trajectory, made.kernel_limits
    calm = [s.kernel for s in steps if s.loss <= steps[0].loss]
    for step, following in zip(steps, steps[1:], strict=False):
        limit = colour_limit(torch.stack([EDGE, step.kernel, following.kernel, *calm]))
        assert limits[step.n] == limit
        shown = tables(tree, "update", step.n)
        for k in (step, following):
            expected = Scale("signed", -limit, limit).classes(k.kernel)
            assert shown[f"kernel, step {k.n}"].classes == tuple(expected)
        outputs = at_step(tree, "outputs", step.n)
        (key,) = [n.content for n in outputs if n.kind == "markup" and "to" in n.content]
        end = float(re.findall(r">([^<>]+)</span></div>", key)[0])
        shown, scale = tables(tree, "outputs", step.n), Scale("signed", -end, end)
        residual = corr2d(stripes(), step.kernel) - made.Y
        for title, values in (("target Y", made.Y), ("residual R", residual)):
            assert shown[title].classes == tuple(scale.classes(values))
    if lr == 0.03:
        assert len(set(limits)) == 1  # colours change only where a descent diverges


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (7, 7)])
@pytest.mark.parametrize("lr", [0.9, 1e-3])
def test_numbers_fit_their_cells(size, lr):
    tree = view(result(diagonal(12), torch.ones(size), lr=lr, steps=10))
    most = {1: (7, 7), 3: (5, 7), 7: (4, 4)}[size[1]]
    for node in next(n for n in tree if n.name == "update").series.nodes:
        for cells in (part for part in node if part.kind == "cells"):
            longest = max(map(len, cells.texts))
            assert longest <= most[cells.name == "gradient"]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_gradients_of_any_size_are_shown(scale):
    made = result(scale * photo(12), torch.ones(3, 3), lr=1e-3 / scale**2, steps=3)
    for step in made.trajectory:
        shown = floats(tables(view(made), "update", step.n)["gradient"])
        digits = 0.5 if scale < 1 else 0.05
        torch.testing.assert_close(shown, step.grad, rtol=digits, atol=1e-3 * scale**2)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_gradient_is_what_its_caption_says(reduction):
    made = result(reduction=reduction)
    captions = [n.content for n in at_step(view(made), "update", 0) if n.kind == "markup"]
    factor = re.match(r"([\d/]+) X <i[^>]*>⋆</i> R", captions[0])[1]
    step = made.trajectory[0]
    residual = corr2d(stripes(), step.kernel) - made.Y
    torch.testing.assert_close(step.grad, eval(factor) * corr2d(stripes(), residual))


def test_recorded_steps_and_a_panel_are_small():
    for K in (EDGE, torch.ones(7, 7) / 49):
        panel = DescentStepper(diagonal(12) if len(K) > 1 else stripes(), target=K, start=0.5 * K)
        sent = [each.data for each in series_of(panel.tree).values()]
        size = sum(len(json.dumps(words)) + len(a) + len(b) for words, a, b in sent)
        assert size < 30 * 1024
    state = DescentStepper(stripes(), target=EDGE, start=HALF).get_state()
    page = state.pop("page")
    series = page.pop("series").values()
    buffers = [part for each in series for part in each[1:]]
    buffers += [*page.pop("palettes").values(), *page.pop("pixels").values()]
    texts = json.dumps([state, page, [each[0] for each in series]], default=str, ensure_ascii=False)
    assert len(texts.encode()) + sum(map(len, buffers)) < 100_000


# The learning rate that suits a problem, and momentum


def curvatures(X, size):
    """Return the curvatures of the loss in numpy's way, the least first."""
    windows = np.lib.stride_tricks.sliding_window_view(X.double().numpy(), size)
    A = windows.reshape(-1, size[0] * size[1])
    return np.linalg.eigvalsh(2 * A.T @ A)


def test_without_a_rate_the_fastest_is_taken_and_sobel_opens_converging():
    panel = DescentStepper(photo(32), target=kernel("Sobel x"))
    low, *_, high = curvatures(photo(32), (3, 3))
    assert panel.lr == float(f"{2 / (low + high):.3g}") == 0.000828
    assert panel.status.startswith("Converging slowly") and panel.trajectory[25].loss < 10
    panel.target = torch.ones(2, 5)
    low, *_, high = curvatures(photo(32), (2, 5))
    assert panel.lr == pytest.approx(2 / (low + high), rel=5e-3)
    panel.lr = 1e-4
    panel.target = kernel("Sobel x")
    assert panel.status.startswith("The learning rate is now ")
    panel.lr = None
    assert panel.lr == 0.000828
    page = PanelDriver(panel)
    page.press("undo")
    assert panel.lr not in (1e-4, 0.000828)


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize(("spread", "size"), [(1e-4, (1, 2)), (1.0, (3, 3)), (0.0, (2, 2))])
def test_the_fastest_rate_is_below_the_limit_however_it_is_rounded(momentum, spread, size):
    X = 1 + spread * torch.rand(9, 9, generator=torch.Generator().manual_seed(1)).double()
    rate = fastest_rate(QuadraticLoss(X, size), momentum)
    assert rate < 2 * (1 + momentum) / curvatures(X, size)[-1]
    assert rate > 0.99 * (1 + momentum) / curvatures(X, size)[-1]


@pytest.mark.parametrize(
    ("name", "share", "said"),
    [
        ("a tenth of the limit", 0.1, "Converging"),
        ("the fastest rate", 5 / 6, "Converging, swinging"),
        ("just under the limit", 0.99, "Converging slowly, swinging"),
        ("just over the limit", 1.01, "Diverging"),
    ],
)
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_rates_to_choose_from(name, share, said, momentum):
    panel, page = driven(start=HALF, momentum=momentum)
    assert page.chosen("rate") == "another rate"
    page.choose("rate", name)
    assert page.chosen("rate") == name
    assert panel.lr == pytest.approx(share * (1 + momentum) / 30, rel=2e-3)
    assert page.status.startswith(said.replace(" slowly", "") if momentum else said)
    expect_consistent(panel, page)
    page.press("undo")
    assert panel.lr == 0.03


def test_momentum_is_that_of_torchs_own_optimizer():
    panel, page = driven(photo(12), kernel("Sobel x"), lr=1e-3, steps=12)
    page.type("momentum", "0.8")
    K = torch.zeros(3, 3, requires_grad=True)
    sgd = torch.optim.SGD([K], lr=1e-3, momentum=0.8)
    for step in panel.trajectory:
        assert torch.equal(step.kernel, K.detach())
        sgd.zero_grad()
        ((corr2d(photo(12), K) - panel.Y) ** 2).sum().backward()
        sgd.step()
    assert repr(panel).startswith("DescentStepper: learning rate 0.001, momentum 0.8\n")
    panel.n = 7
    expect_consistent(panel, page)
    assert "momentum=0.8" in panel.code
    page.press("undo")
    assert panel.momentum == 0 and "momentum" not in panel.code


def test_the_update_has_a_velocity_where_there_is_momentum():
    made = result(start=HALF, momentum=0.5, steps=6)
    for step, following in zip(made.trajectory, made.trajectory[1:], strict=False):
        shown = tables(view(made), "update", step.n)
        gradient, velocity = floats(shown["gradient"]), floats(shown["velocity"])
        moved = 0.03 * (gradient + 0.5 * velocity)
        assert torch.allclose(step.kernel - moved, following.kernel, atol=2e-3)
        words = [
            part.words for part in at_step(view(made), "update", step.n) if part.kind == "text"
        ]
        assert words == ["−", "rate", "0.03", "×", "(", "+", "momentum", "0.5", "×", ")", "="]
        assert velocity.any() == (step.n > 0)


def test_the_fastest_momentum_learns_sobel_in_fifty_steps():
    panel = DescentStepper(photo(32), target=kernel("Sobel x"), steps=300)
    page = PanelDriver(panel)
    panel.n = 300
    assert 0.01 < (panel.kernel - panel.target).abs().max() < 0.05
    page.choose("rate", "fastest rate and momentum")
    assert (panel.momentum, panel.lr) == (0.828, 0.00151)
    assert page.chosen("rate") == "fastest rate and momentum"
    panel.n = 50
    assert (panel.kernel - panel.target).abs().max() < 0.05


@pytest.mark.parametrize("text", ["1", "-0.1", "nan", "a"])
def test_an_impossible_momentum(text):
    panel, page = driven()
    page.type("momentum", text)
    assert page.has_error and panel.momentum == 0


# Two runs


def trails(page, plot):
    """Return the points of the paths of a plot by name."""
    return {n.name: n.points for n in page.find(plot) if n.kind == "path"}


def test_a_run_is_kept_beside_the_next_one_on_the_same_axes():
    panel, page = driven(start=HALF, lr=0.003, steps=12)
    before = [trails(page, name) for name in ("loss surface", "loss curve")]
    words = [page.find(f"{name} axes").written for name in ("loss surface", "loss curve")]
    page.press("keep this run")
    page.choose("rate", "a tenth of the limit")
    panel.lr = 0.004
    for n in (0, 5, 12):
        page.choose("step", n)
        for plot, old in zip(("loss surface", "loss curve"), before, strict=True):
            shown = trails(page, plot)
            assert shown.pop(f"{plot} path") != old[f"{plot} path"]
            assert list(shown.values()) == [old[f"{plot} path"]]
        loss = loss_of(0.003, n)
        assert node_at(page.node("kept run")).words == f"kept, rate 0.003, loss {loss:.4g}"
        expect_consistent(panel, page)
    assert words == [page.find(f"{name} axes").written for name in ("loss surface", "loss curve")]
    assert repr(panel).splitlines()[2] == f"beside it: kept, rate 0.003, loss {loss:.4g}"
    assert "kept, rate 0.003, loss" in panel.saved_html()


def loss_of(lr, n):
    """Return the loss of the stripes after n steps from HALF, in closed form."""
    return 15 * (1 - 60 * lr) ** (2 * n) + 12 * (1 - 12 * lr) ** (2 * n)


def test_axes_hold_both_runs_and_stay():
    panel, page = driven(start=HALF, lr=0.003)
    page.press("keep this run")
    low = panel.store.result.curve.low
    panel.lr = None
    grown = panel.store.result.curve
    assert grown.low < low
    panel.lr, panel.steps = 0.004, 10
    assert panel.store.result.curve == grown  # the kept run has 25 steps
    for name in ("loss surface", "loss curve"):
        width, height = page.find(name).size
        for points in trails(page, name).values():
            assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
    page.type("start[0, 0]", "7")
    for points in trails(page, "loss surface").values():
        assert 0 <= points[0][0] <= 328 and 0 <= points[0][1] <= 196
    page.press("forget it")
    assert panel.kept is None and len(trails(page, "loss curve")) == 1
    assert panel.store.result.curve.last == 10


def test_keeping_a_run_is_undone_and_done_again():
    panel, page = driven(lr=0.003, momentum=0.5)
    page.press("keep this run")
    panel.lr = 0.02
    page.press("undo")
    page.press("undo")
    assert not page.has("kept run") and panel.lr == 0.003
    page.press("redo")
    page.press("redo")
    assert node_at(page.node("kept run")).words.startswith("kept, rate 0.003, momentum 0.5, loss")
    page.press("keep this run")
    assert node_at(page.node("kept run")).words.startswith("kept, rate 0.02, momentum 0.5, loss")
    page.press("reset")
    assert not page.has("kept run")


@pytest.mark.parametrize(
    "change",
    [{"target": HALF}, {"X": 2 * stripes()}, {"Y": torch.zeros(6, 7)}, {"reduction": "mean"}],
)
def test_a_kept_run_goes_with_its_problem(change):
    panel = DescentStepper(stripes(), target=EDGE)
    panel.keep()
    panel.store.set(**change)
    assert panel.kept is None
    panel.undo()
    assert panel.kept is not None
    with pytest.raises(ConvkitError, match="kept is 3; expected a run"):
        panel.kept = 3


def test_a_kept_run_is_in_the_picture():
    panel = stepper(lr=0.003)
    panel.keep()
    panel.lr, panel.n = 0.02, 6
    both = panel.fallback()[0]["image/png"]
    panel.forget()
    assert panel.fallback()[0]["image/png"] != both


# Each control


def test_scrubbing_to_and_fro_gives_the_same_bits():
    panel, page = driven()
    seen = {}
    for n in (0, 7, 25, 7, 3, 25, 0):
        page.choose("step", n)
        assert torch.equal(panel.kernel, seen.setdefault(n, panel.kernel))
        assert panel.kernel[0, 0].item() == pytest.approx(1 - 0.64**n, abs=1e-4)
        expect_consistent(panel, page)
    assert not page.can_press("undo")  # looking is no edit


def test_the_number_of_steps():
    panel, page = driven()
    panel.n = 20
    for count in ("40", "10", "1", "100"):
        page.type("number of steps", count)
        assert panel.steps == int(count) and panel.n == min(20, int(count))
        expect_consistent(panel, page)


def test_dragging_the_learning_rate():
    panel, page = driven()
    slider = page.find(RATE)
    assert (slider.value, slider.mark, slider.value_text) == (90, 100, "learning rate 0.03")
    page.choose(RATE, 10)
    assert panel.lr == 0.003333 and page.box("learning rate") == "0.003333"
    assert page.find(RATE).value_text == "learning rate 0.003333"
    assert "10% of limit 0.03333" in page.text
    expect_consistent(panel, page)
    page.choose(RATE, 10)  # a position means the rate that it shows
    assert panel.lr == 0.003333


def test_while_a_hand_drags_the_path_is_drawn_and_steps_are_recorded_when_it_rests():
    panel, page = driven(start=HALF, steps=100)
    curves = set()
    for position in range(80, 20, -10):
        answer = page.choose(RATE, position, moving=True)
        assert answer["partial"] and "update" not in answer["series"]
        curves.add(page.find("loss curve path").points)
        assert len(json.dumps(answer, ensure_ascii=False)) < 8000
    assert len(curves) == 6 and "trajectory" not in vars(panel.store.result.descent)
    page.post({"rest": True})
    assert "update" in page.messages[-1]["series"]
    expect_consistent(panel, page)
    page.press("undo")
    assert panel.lr == 0.03  # the whole drag is one step


def test_a_new_rate_for_later_steps_only():
    panel, page = driven()
    panel.n = 4
    before = panel.kernel
    page.choose(FEWER, True)
    page.type("learning rate", "0.001")
    assert torch.equal(panel.kernel, before) and panel.n == 4
    assert [step.lr for step in panel.trajectory[1:]] == [0.03] * 4 + [0.001] * 21
    panel.n = 9
    expect_consistent(panel, page)


def test_at_the_last_step_a_rate_for_later_ones_shows_everywhere():
    panel, page = driven(start=HALF)
    panel.n = 25
    page.choose(FEWER, True)
    page.choose(RATE, 150)
    assert panel.lr == 0.05 and page.box("learning rate") == "0.05"
    assert page.find(RATE).value == 150
    assert page.status.startswith("From step 25 on: diverging: at 150% of the limit")
    assert len(panel.trajectory) == 26
    expect_consistent(panel, page)


def test_editing_the_start_and_undoing_it():
    panel, page = driven()
    panel.n = 3
    for text in ("0", "0.", "0.75"):
        page.type("start[0, 1]", text)
    assert panel.start.tolist() == [[0, 0.75]] and panel.n == 3
    expect_consistent(panel, page)
    page.press("undo")
    assert panel.start.tolist() == [[0, 0]] and panel.n == 3
    page.press("redo")
    assert panel.start.tolist() == [[0, 0.75]]
    expect_consistent(panel, page)


def test_pointing_at_the_surface_sets_the_start():
    panel, page = driven(start=HALF)
    for x in (40, 60, 80):
        page.point("loss surface", (x, 50))
    dragged = panel.start
    (point,) = panel.store.result.surface.to_pixels([dragged]).tolist()
    assert point == pytest.approx([80, 50], abs=1)
    assert page.value("start[0, 0]") == 0.5  # the boxes wait until the hand rests
    page.post({"rest": True})
    expect_consistent(panel, page)
    page.press("undo")
    assert torch.equal(panel.start, HALF)
    page.point("loss surface", (165, 99))  # close to the star, which is the best kernel
    assert torch.equal(panel.start, EDGE)


@pytest.mark.parametrize("K", [EDGE, torch.ones(1, 1), kernel("Sobel x")])
def test_arrow_keys_lead_the_start_away_from_the_best_kernel(K):
    panel, page = driven(photo(12), K, start=K, lr=1e-4)
    x, y = page.find("loss surface path").points[0]
    page.point("loss surface", (x + 4, y))
    assert not torch.equal(panel.start, K)


def test_the_step_is_chosen_on_the_curve():
    panel, page = driven()
    curve = page.find("loss curve")
    assert curve.edits is None and curve.follows.name == "step"  # the page finds the nearest point
    x = [point[0] for point in page.find("loss curve path").points]
    assert np.ptp(np.diff(x)) < 0.2 and x == sorted(x)


def test_what_lies_ahead_is_shown_on_demand():
    panel, page = driven()
    assert page.html.find(class_="ck-ahead") is None
    page.choose("show what lies ahead", True)
    assert len(page.html.find_all(class_="ck-ahead")) == 2 and panel.show_ahead
    page.press("reset")
    assert page.html.find(class_="ck-ahead") is None and not panel.show_ahead


def test_reset_returns_to_the_first_state():
    panel, page = driven(start=torch.tensor([[0.5, 0.2]]))
    first, html = repr(panel), str(page.html)
    panel.lr, panel.n, panel.start = 0.01, 9, 40 * torch.ones(1, 2)
    panel.Y = 2 * panel.Y
    page.type("number of steps", "7")
    for name in ("show what lies ahead", FEWER):
        page.choose(name, True)
    page.press("reset")
    assert repr(panel) == first
    page.press("undo")
    assert panel.Y.max() == 2 and panel.lr == 0.01 and panel.steps == 7
    page.press("reset")
    page.load()
    (old, new) = (
        re.sub("aria-disabled=.(true|false).", "", html) for html in (html, str(page.html))
    )
    assert old == new


def test_reset_keeps_the_problem_that_is_followed():
    editor, (panel, page) = KernelEditor(stripes(), 3 * EDGE), driven()
    panel.follow(editor)
    panel.lr, panel.n = 0.01, 5
    page.press("reset")
    assert panel.Y.max() == 3 and (panel.lr, panel.n) == (0.03, 0)
    page.press("undo")
    assert panel.lr == 0.01
    panel.unfollow()
    page.press("reset")
    assert panel.Y.max() == 1


# The target


def test_a_target_is_edited_in_the_panel_and_undone():
    panel = DescentStepper(stripes(), target=EDGE, start=HALF)
    page = PanelDriver(panel)
    page.type("target[0, 1]", "3")
    assert panel.target.tolist() == [[1, 3]]
    assert torch.equal(panel.Y, corr2d(stripes(), panel.target))
    panel.n = 25
    torch.testing.assert_close(panel.kernel, panel.target, atol=0.05, rtol=0)
    expect_consistent(panel, page)
    page.press("undo")
    assert panel.target.tolist() == [[1, -1]] and page.value("target[0, 1]") == -1
    page.type("target[0, 0]", "x")
    assert page.has_error and panel.target.tolist() == [[1, -1]]


def test_another_target_with_the_same_output_changes_the_colours_of_the_update():
    first, other = torch.tensor([[1.0, -1], [0, 0]]), torch.tensor([[90.0, -90], [-89, 89]])
    assert torch.equal(corr2d(stripes(), first), corr2d(stripes(), other))
    panel = DescentStepper(stripes(), target=first)
    descent = panel.store.result.descent
    panel.target = other
    assert panel.store.result.descent is descent
    fresh = DescentStepper(stripes(), target=other)
    shown, expected = (tables(p.tree, "update", 1)["kernel, step 1"] for p in (panel, fresh))
    assert shown.classes == expected.classes
    assert (
        shown.classes
        != tables(DescentStepper(stripes(), target=first).tree, "update", 1)[
            "kernel, step 1"
        ].classes
    )


def test_a_pasted_target_of_another_size_starts_from_zeros():
    panel = DescentStepper(diagonal(6), target=torch.ones(1, 2))
    page = PanelDriver(panel)
    page.type("target[0, 0]", "1 0 -1\n2 0 -2", "paste")
    assert panel.start.tolist() == [[0, 0, 0], [0, 0, 0]] and panel.Y.shape == (5, 4)
    expect_consistent(panel, page)


# What is refused: words, the last good state, and the next good edit works


@pytest.mark.parametrize("text", ["", "0", "-0.1", "nan", "1e400", "1e39", "fast", "<b>"])
def test_an_impossible_learning_rate(text):
    panel, page = driven()
    before = repr(panel)
    page.type("learning rate", text)
    assert page.has_error and "expected a" in page.status
    assert repr(panel) == before
    page.type("learning rate", "0.02")
    assert panel.lr == 0.02 and not page.has_error
    expect_consistent(panel, page)


@pytest.mark.parametrize("text", ["0.05", "1e30"])
def test_divergence_is_named_with_the_rate_that_works(text):
    panel, page = driven(start=torch.tensor([[0.5, 0.2]]), steps=100)
    page.type("learning rate", text)
    assert page.status.startswith("Diverging: at ") and page.has_error
    assert "limit 0.03333" in page.status
    last = page.find("step cursor").cursor.count - 1
    assert last < 100 and f"sum of residual² to step {last}" in page.text
    expect_consistent(panel, page)
    assert page.find("use 0.0278").focus == "learning rate"  # the button is about to go
    page.press("use 0.0278")
    assert panel.lr == 0.0278 and page.status.startswith("Converging")
    page.type("learning rate", "0.033")
    assert not page.has_error and len(panel.trajectory) == 101
    expect_consistent(panel, page)


def test_a_step_outside_of_the_surface_is_told():
    panel, page = driven(start=HALF, lr=0.05)
    last = len(panel.trajectory) - 1
    text = render(keyed(at_step(panel.tree, "loss surface marker", last)))
    weights = [f"{w:.3g}".replace("-", "−") for w in panel.trajectory[last].kernel[0].tolist()]
    assert f"step {last} lies outside:\nK = [{', '.join(weights)}]" in text
    assert "ck-outside" in text


# What people have


def test_arrays_pictures_and_paths_are_taken(tmp_path):
    values = (255 * torch.rand(6, 8)).to(torch.uint8)
    picture, path = Image.fromarray(values.numpy()), tmp_path / "X.png"
    picture.save(path)
    expected = DescentStepper(values.float() / 255, target=EDGE)
    for X in (picture, path, str(path), (values / 255).numpy(), (values / 255).tolist()):
        panel = DescentStepper(X, target=[[1, -1]], start=np.zeros((1, 2)))
        torch.testing.assert_close(panel.X, expected.X)
        torch.testing.assert_close(panel.kernel, expected.kernel)
        assert panel.X.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_all_are_kept_in_the_dtype_of_the_input(dtype):
    panel = DescentStepper(stripes().to(dtype), target=EDGE, start=HALF.double())
    assert {t.dtype for t in (panel.X, panel.Y, panel.target, panel.start)} == {dtype}
    assert panel.kernel.dtype == dtype
    panel.Y = 2 * corr2d(stripes(), EDGE)
    assert panel.Y.dtype == dtype


def test_it_works_inside_no_grad_and_inference_mode():
    with torch.no_grad():
        expected = stepper(steps=3).trajectory[3].kernel
    with torch.inference_mode():
        panel = stepper(steps=3)
    assert torch.equal(panel.trajectory[3].kernel, expected)
    panel.lr = 0.02


# Problems


def test_inputs_that_teach_nothing():
    panel = DescentStepper(torch.zeros(6, 8), torch.ones(6, 7), torch.zeros(1, 2))
    page = PanelDriver(panel)
    assert "Nothing to learn" in page.status and "no limit on this input" in page.text
    page.choose(RATE, 40)
    expect_consistent(panel, page)
    assert "already" in stepper(start=EDGE).status


def test_a_large_problem_shows_pictures_at_the_step_on_show():
    X, K = photo(64), kernel("Sobel x")
    panel, page = driven(X, K, lr=1e-4, steps=3)
    for n in (0, 3):
        page.choose("step", n)
        assert f"prediction, step {n}" in page.text
        prediction = corr2d(X, panel.kernel)
        for name, values in (
            ("input, 64 × 64", X),
            ("prediction, 62 × 62", prediction),
            ("target, 62 × 62", panel.Y),
            ("residual, 62 × 62", prediction - panel.Y),
        ):
            torch.testing.assert_close(page.node(name).values, values)
    sizes = [page.node(name).width / 64 for name in ("input, 64 × 64",)]
    assert page.node("target, 62 × 62").width / 62 == sizes[0]  # on one scale
    panel.set_problem(stripes(), corr2d(stripes(), EDGE))
    expect_consistent(panel, page)


def test_following_an_editor():
    editor, (panel, page) = KernelEditor(photo(32), kernel("Sobel x")), driven(steps=2)
    panel.follow(editor)
    assert panel.start.shape == (3, 3) and torch.equal(panel.X, editor.X)
    editor.kernel = EDGE
    editor.X = stripes()
    assert torch.equal(panel.Y, editor.output) and panel.start.shape == (1, 2)
    expect_consistent(panel, page)
    editor.padding = 1
    assert "pads, strides or dilates" in page.status and page.has_error
    assert not PanelDriver(editor).has_error
    editor.padding = 0
    assert not page.has_error
    panel.unfollow()
    editor.kernel = 2 * EDGE
    assert panel.Y.max() == 1


def test_one_editor_is_followed_at_a_time_and_a_refusal_raises():
    one, two = KernelEditor(stripes(), EDGE), KernelEditor(stripes(), 3 * EDGE)
    panel = stepper(steps=2)
    panel.follow(one)
    panel.follow(two)
    one.kernel = 2 * EDGE
    assert panel.Y.max() == 3
    others = [None, panel, explore(lambda n: n, n=3), KernelEditor(stripes(), EDGE, padding=1)]
    for other in others:
        with pytest.raises(ConvkitError, match="KernelEditor|padding 0"):
            panel.follow(other)


# Observed and linked


def test_a_linked_panel_that_has_diverged_waits_at_its_last_step():
    panel, other = stepper(start=HALF), stepper(start=HALF, lr=0.5)
    last = len(other.trajectory) - 1
    traitlets.link((panel, "n"), (other, "n"))
    panel.n = 20
    assert (panel.n, other.n) == (20, last) and last < 20
    assert not PanelDriver(panel).has_error


# Pages: what they show is what Python has, whatever happens and in whatever order


EDITS = [
    lambda page, r: page.choose("step", r.randrange(page.find("step cursor").cursor.count)),
    lambda page, r: page.choose("step", r.randrange(page.find("step cursor").cursor.count)),
    lambda page, r: page.type("number of steps", str(r.randint(0, 12))),
    lambda page, r: page.type("learning rate", r.choice(["0.01", "0.03", "0.05", "x", "1/36"])),
    lambda page, r: page.choose(RATE, r.randint(1, 150), moving=r.random() < 0.5),
    lambda page, r: page.type("start[0, 0]", r.choice(["0.5", "1e30", "-1", "a", "2"])),
    lambda page, r: page.point("loss surface", (r.uniform(0, 328), r.uniform(0, 196))),
    lambda page, r: page.choose(FEWER, r.random() < 0.5),
    lambda page, r: page.choose("show what lies ahead", r.random() < 0.5),
    lambda page, r: page.post({"rest": True}),
    lambda page, r: page.press(r.choice(["undo", "redo", "undo", "redo", "reset"])),
    lambda page, r: setattr(page.panel, "target", torch.randint(-2, 3, (1, 2)).float()),
    lambda page, r: setattr(page.panel, "Y", torch.randint(-2, 3, (6, 7)).float()),
    lambda page, r: setattr(page.panel, "X", r.choice([1.0, 3.0]) * stripes()),
]


@pytest.mark.parametrize("seed", range(1))
def test_whatever_was_done_the_page_shows_what_the_state_says(seed):
    """Nothing stale: all but the surface, which is kept, is as a new panel in this state has it."""
    panel, page = driven(steps=8)
    choose = random.Random(seed)
    for _ in range(80):
        choose.choice(EDITS)(page, choose)
        if len(page.find("loss curve path").points) == panel.store.result.last + 1:
            page.post({"rest": True})
            expect_consistent(panel, page)
            fresh = view(compute(panel.store.state))
            for name in ("update", "outputs", "said", "rate and momentum", "loss curve", "start"):
                new, old = (
                    next(n for n in tree if n.name == name) for tree in (fresh, page.panel.tree)
                )
                assert render(keyed(new)) == render(keyed(old)), name


@pytest.mark.parametrize("seed", range(2))
def test_the_same_edits_give_the_same_states(seed):
    """What depends on the path is no part of the state: it follows from the edits alone."""
    panels = [stepper(steps=8) for _ in range(2)]
    for panel in panels:
        page, choose = PanelDriver(panel), random.Random(seed)
        torch.manual_seed(seed)
        for _ in range(60):
            choose.choice(EDITS)(page, choose)
            if panel is panels[1]:
                page.post({"rest": True})  # this hand rests after each move
    assert panels[0].store.state == panels[1].store.state


# Words


WORDS = [
    *({"start": HALF}, {"start": HALF, "lr": 0.05}, {"K": torch.ones(2, 2)}),
    *({"X": torch.zeros(6, 8)}, {"start": EDGE}, {"K": torch.ones(1, 1)}),
]


@pytest.mark.parametrize("options", WORDS)
def test_the_status_has_no_word_of_another_meaning(options):
    """ "error" is the loss in one notebook, noise in another; "refit" is no word of a learner's."""
    page = PanelDriver(stepper(**options))
    assert not re.search(r"\berrors?\b|refit", page.text, re.IGNORECASE)
    assert "thick rings: 10 × the loss of the one inside" in page.text


def test_every_rule_of_its_style_is_confined_to_it():
    rules = re.sub(r"/\*.*?\*/|@(container|media)[^{]*{", "", DescentStepper.style, flags=re.DOTALL)
    selectors = re.findall(r"([^{}]+){[^}]*}", rules)
    assert len(selectors) > 20
    assert [s for s in selectors if not s.strip().startswith(".ck-descent-stepper")] == []


# What is shown, and stored


def test_the_summary_is_true_and_the_same_twice():
    panels = [stepper(), stepper()]
    for panel in panels:
        panel.n = 5
    assert repr(panels[0]) == repr(panels[1])
    lines = repr(panels[0]).splitlines()
    assert lines[0] == "DescentStepper: learning rate 0.03"
    assert lines[1] == f"step 5 of 25 recorded: loss {12 * 0.4096**5:.4g}"
    names = [line.split(":")[0] for line in lines[2:-1]]
    assert names == ["kernel", "best kernel", "prediction", "target", "residual"]
    assert lines[-1].startswith("Converging: at 90% of the limit 0.03333, a step multiplies")
    assert "digest" in lines[2]
    stopped = stepper(start=HALF, lr=0.5)
    assert repr(stopped).endswith(f"The record stops after step {len(stopped.trajectory) - 1}.")


def test_it_is_stored_as_a_picture_and_text():
    panel = stepper()
    first, metadata = panel._repr_mimebundle_()
    stored = {kind for kind in first if "widget" not in kind}
    assert stored == {"image/png", "text/plain"} and first["text/plain"] == repr(panel)
    assert metadata["image/png"] == {"alt": repr(panel), "width": 880}
    with Image.open(io.BytesIO(b64decode(first["image/png"]))) as image:
        assert image.format == "PNG" and image.width == 1.5 * 880
    assert stepper()._repr_mimebundle_()[0]["image/png"] == first["image/png"]
    panel.n = 6
    assert panel._repr_mimebundle_()[0]["image/png"] != first["image/png"]


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (1, 2)])
def test_any_problem_is_stored(size):
    for X in (stripes(), torch.zeros(6, 8), photo(20)):
        panel = DescentStepper(X, target=torch.ones(size), lr=1e-3)
        assert panel.fallback()[0]["image/png"]
