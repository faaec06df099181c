"""DescentStepperState and its compute(): the recorded descent, its code, what is refused."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convkit import ConvkitError, corr2d, diagonal, stripes
from convkit.formatting import Outcome
from convkit.state.descent_stepper import (
    LAST_POSITION,
    MAX_STEPS,
    DescentStepperState,
    check_step_count,
    compute,
    first_problem,
    problem_fields,
    rate_fields,
    rate_of_position,
    slider_position,
    step_count_fields,
)

EDGE = torch.tensor([[1.0, -1.0]])


def state(X=None, K=EDGE, start=None, lr=0.03, steps=10, **fields):
    X = stripes() if X is None else X
    start = torch.zeros_like(K) if start is None else start
    return DescentStepperState(X, corr2d(X, K), start, lr, (lr,) * steps, **fields)


def test_the_losses_are_those_of_the_closed_form():
    losses = [step.loss for step in compute(state()).trajectory]
    assert losses == pytest.approx([12 * 0.4096**n for n in range(11)], rel=1e-4)


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
    made = state(X, K, lr=rates[0], steps=8, reduction=reduction)
    for k, lr in enumerate(rates[1:], 1):
        shown = compute(replace(made, n=2 * k))
        made = replace(made, **rate_fields(shown, lr, only_ahead=True))
    result = compute(made)
    names = {"print": lambda *_: None}
    exec(result.code(n), names)
    assert torch.equal(names["K"].detach(), result.trajectory[n].kernel)


def test_only_what_changed_is_computed_again():
    first = compute(state())
    moved = compute(replace(first.state, n=4), first)
    assert moved.trajectory is first.trajectory and moved.step.n == 4
    faster = compute(replace(moved.state, **rate_fields(moved, 0.02, only_ahead=False)), moved)
    assert faster.quadratic is first.quadratic and faster.n == 4
    other = compute(replace(faster.state, Y=2 * faster.state.Y), faster)
    assert other.quadratic is not first.quadratic
    torch.testing.assert_close(other.trajectory[0].loss, compute(other.state).trajectory[0].loss)


def test_rates_only_ahead_and_step_counts_keep_the_rates_of_steps_taken():
    made = state(n=4)
    made = replace(made, **rate_fields(compute(made), 0.001, only_ahead=True))
    for count in (12, 5, 9):
        made = replace(made, **step_count_fields(made, count))
        assert made.rates == (0.03,) * 4 + (0.001,) * (count - 4)


@pytest.mark.parametrize("count", [0, MAX_STEPS + 1, 2.5, "10", None])
def test_step_counts_out_of_range_are_refused(count):
    with pytest.raises(ConvkitError, match="1 to 100"):
        check_step_count(count)


@pytest.mark.parametrize("lr", [0.05, 1e3])
def test_a_record_stops_before_the_loss_runs_away(lr):
    result = compute(state(start=torch.tensor([[0.5, 0.2]]), lr=lr, steps=100, n=80))
    assert result.last < 100 and result.n == result.last == result.step.n
    assert all(math.isfinite(step.loss) for step in result.trajectory)
    assert result.convergence.outcome is Outcome.DIVERGING
    assert f"stops after step {result.last}" in result.verdict
    assert "of the limit 0.03333" in result.verdict or "times the limit" in result.verdict


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (2, 5), (7, 7)])
def test_the_target_implies_the_size_of_the_kernel(size):
    X, K = diagonal(8), torch.ones(size)
    fields = problem_fields(compute(state()), X, corr2d(X, K))
    assert torch.equal(fields["start"], torch.zeros(size))


def test_a_problem_of_the_same_size_keeps_the_start():
    made = state(start=torch.tensor([[0.5, 0.25]]))
    result = compute(made)
    assert torch.equal(problem_fields(result, made.X, 2 * made.Y)["start"], made.start)
    doubled = problem_fields(result, made.X.double(), made.Y.double())
    assert doubled["start"].tolist() == [[0, 0]] and doubled["start"].dtype == torch.float64


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Y": torch.ones(3, 3)}, "Y has shape"),
        ({"start": torch.zeros(2, 2)}, "Y has shape"),
        ({"start": torch.full((1, 2), 1e30)}, "loss"),
        ({"start": torch.zeros(1, 2).double()}, "dtype"),
        ({"start": torch.tensor([[0, math.inf]])}, r"start\[0, 1\] is inf"),
        ({"start": torch.zeros(9, 9)}, "a kernel of up to 7 × 7"),
        ({"X": torch.ones(1, 1)}, "larger than|no larger"),
        ({"reduction": "max"}, "reduction is 'max'"),
        ({"n": -3}, "n is -3"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"lr": "a"}, "lr is 'a'"),
        ({"rates": ()}, "1 to 100"),
        ({"rates": (0.1, math.inf)}, "lr is inf"),
        ({"n": 1.0}, "n is 1.0"),
        ({"Y": torch.full((6, 7), 1e38)}, "loss"),
    ],
)
def test_what_cannot_work_is_refused_in_words(change, words):
    with pytest.raises(ConvkitError, match=words):
        compute(replace(state(), **change))


def test_numbers_that_plots_cannot_show_are_refused_in_float64_too():
    made = state(stripes().double(), EDGE.double())
    with pytest.raises(ConvkitError, match="which plots can show"):
        compute(replace(made, start=torch.full((1, 2), 1e100, dtype=torch.float64)))
    with pytest.raises(ConvkitError, match="which plots can show"):
        compute(replace(made, Y=1e100 * made.Y))


def test_a_target_kernel_makes_the_target():
    made = DescentStepperState(
        stripes(), torch.zeros(1, 1), torch.zeros(1, 2), 0.03, (0.03,), target=EDGE
    )
    assert torch.equal(made.Y, corr2d(stripes(), EDGE))
    doubled = replace(made, target=2 * EDGE)
    assert torch.equal(doubled.Y, 2 * made.Y)
    other = replace(doubled, **problem_fields(compute(doubled), made.X, target=torch.ones(2, 1)))
    assert other.start.tolist() == [[0], [0]] and torch.equal(other.target, torch.ones(2, 1))
    bare = replace(made, **problem_fields(compute(made), made.X, 3 * made.Y))
    assert bare.target is None and bare.Y.max() == 3


@pytest.mark.parametrize(
    ("Y", "target", "words"),
    [(None, None, "neither Y nor target"), (torch.ones(6, 7), EDGE, "both Y and target")],
)
def test_a_problem_has_a_target_or_the_kernel_that_makes_it(Y, target, words):
    with pytest.raises(ConvkitError, match=words):
        first_problem(stripes(), Y, None, target)


@pytest.mark.parametrize("X", [10 * stripes(), stripes() / 7, torch.rand(9, 9)])
def test_learning_rates_keep_their_share_of_another_problems_limit(X):
    before = compute(replace(state(steps=3), rates=(0.03, 0.01, 0.03)))
    after = compute(
        replace(before.state, **problem_fields(before, X, target=torch.ones(2, 2))), before
    )
    for old, new in zip(before.state.rates, after.state.rates, strict=True):
        share = old / before.quadratic.max_stable_lr
        assert new / after.quadratic.max_stable_lr == pytest.approx(share, rel=1e-3)
    assert f"The learning rate is now {after.state.lr:.4g}" in after.note
    same = replace(after.state, **problem_fields(after, X, target=torch.zeros(2, 2)))
    assert same.lr == after.state.lr and compute(same, after).note == ""


def test_problems_without_a_limit_keep_the_rate():
    made = compute(state())
    assert "lr" not in problem_fields(made, torch.zeros(6, 8), made.state.Y)


@pytest.mark.parametrize("lr", [0.003, 0.03, 0.04])
@pytest.mark.parametrize("K", [EDGE, torch.tensor([[0.5, -1.0], [2.0, 0.25]])])
def test_the_outline_is_the_recorded_descent_but_for_rounding(K, lr):
    descent = compute(state(K=K, start=torch.full_like(K, 0.5), lr=lr, steps=20)).descent
    kernels, losses = descent.outline
    recorded = torch.stack([step.kernel for step in descent.trajectory]).double()
    torch.testing.assert_close(kernels, recorded, rtol=1e-3, atol=1e-4)
    expected = torch.tensor([step.loss for step in descent.trajectory]).double()
    torch.testing.assert_close(losses, expected, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("position", [1, 37, 100, LAST_POSITION])
@pytest.mark.parametrize("limit", [1 / 30, 4e-6, math.inf])
def test_a_slider_position_and_its_rate_agree(position, limit):
    rate = rate_of_position(position, limit)
    assert slider_position(rate, limit) == position
    assert math.isinf(limit) or rate / limit == pytest.approx(position / 100, rel=1e-3)


def test_rates_beyond_the_slider_stand_at_its_ends():
    assert rate_of_position(10**6, 1.0) == rate_of_position(LAST_POSITION, 1.0)
    assert slider_position(1e-320, 1 / 30) == 1
    assert slider_position(1e30, 1 / 30) == LAST_POSITION
