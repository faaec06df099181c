"""A training: what it records, what it refuses, and code that repeats it bit for bit."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convkit import ConvkitError, KernelDescent, corr2d, diagonal, stripes
from convkit.state.training import MOST_STEPS, Training

EDGE = torch.tensor([[1.0, -1.0]])
LIMIT = 1 / 30


def training(steps=10, lr=3e-2, X=None, K=EDGE, start=None, **options):
    X = stripes() if X is None else X
    start = torch.zeros_like(K) if start is None else start
    return Training(KernelDescent(X, corr2d(X, K), start, lr=lr, **options), steps)


def state(made):
    now = made.descent
    return now, now.n, now.lr, now.loss, made.last, made.stopped, made.verdict()


def test_it_records_ahead_and_stays():
    made = training()
    assert (made.last, made.descent.n, made.stopped) == (10, 0, "")
    losses = [step.loss for step in made.descent.trajectory]
    assert losses == pytest.approx([12 * 0.4096**n for n in range(11)], rel=1e-4)


@pytest.mark.parametrize("steps", [0, -1, MOST_STEPS + 1, 25.0, "10", None])
def test_steps_out_of_range_are_refused(steps):
    with pytest.raises(ConvkitError, match=f"steps is {steps!r}; wanted 1 to {MOST_STEPS}"):
        training(steps=steps)


@settings(max_examples=20)
@given(
    st.sampled_from([torch.float32, torch.float64]),
    st.sampled_from(["sum", "mean"]),
    st.sampled_from(["sgd", "momentum"]),
    st.lists(st.floats(1e-4, 0.03), min_size=1, max_size=4),
    st.integers(0, 8),
    st.booleans(),
)
def test_the_code_of_a_step_gives_its_kernel_bit_for_bit(
    dtype, reduction, optimizer, rates, n, named
):
    X = (
        stripes().to(dtype)
        if named
        else torch.rand(5, 6, generator=torch.Generator().manual_seed(n)).to(dtype)
    )
    K = torch.tensor([[0.7, -1 / 3], [0.1, 2.0]], dtype=dtype)
    made = training(8, rates[0], X=X, K=K, reduction=reduction, optimizer=optimizer)
    for k, lr in enumerate(rates[1:], 1):
        made.descent.jump(min(2 * k, made.last))
        made.change_lr(lr, only_ahead=True)
    n = min(n, made.last)
    world = {"print": lambda *_: None}
    exec(made.code(n), world)
    assert torch.equal(world["K"].detach(), made.descent.trajectory[n].kernel)


def test_another_rate_begins_again_and_stays_at_the_step_on_show():
    made = training()
    made.descent.jump(4)
    made.change_lr(0.01, only_ahead=False)
    assert made.descent.n == 4 and {step.lr for step in made.descent.trajectory[1:]} == {0.01}


def test_another_rate_only_ahead_keeps_the_past():
    made = training()
    past = made.descent.jump(4)
    made.change_lr(0.01, only_ahead=True)
    assert made.descent.trajectory[4] is past and made.last == 10 and made.descent.n == 4
    assert [step.lr for step in made.descent.trajectory[1:]] == [0.03] * 4 + [0.01] * 6


@pytest.mark.parametrize("lr", [0, -0.1, float("nan"), float("inf"), 1e39, "fast", None])
@pytest.mark.parametrize("only_ahead", [False, True])
def test_an_impossible_rate_leaves_all_as_it_was(lr, only_ahead):
    made = training()
    made.descent.jump(3)
    before = state(made)
    with pytest.raises(ConvkitError, match="lr is .*0.0333"):
        made.change_lr(lr, only_ahead=only_ahead)
    assert state(made) == before


@pytest.mark.parametrize("lr", [0.05, 0.3, 1e3, 1e30])
def test_a_runaway_stops_and_names_the_rate_that_would_have_worked(lr):
    start = torch.tensor([[0.5, 0.2]])
    made = training(100, lr, start=start)
    assert made.last < 100 and made.descent.n == 0
    assert made.verdict().startswith("Diverging, since") and made.stopped in made.verdict()
    named = float(re.search(r"learning rate below (\S+), the limit", made.stopped)[1])
    assert named == pytest.approx(LIMIT, rel=1e-3)
    mended = training(100, named * 0.99, start=start)
    assert mended.stopped == "" and mended.descent.trajectory[-1].loss < 0.1 * 12


def test_a_mended_rate_is_recorded_in_full_again():
    made = training(10, 1e3)
    assert made.last == 0
    made.change_lr(0.01, only_ahead=False)
    assert (made.last, made.stopped) == (10, "")


CHANGES = {
    "X too small": {"X": torch.ones(1, 1)},
    "Y of another shape": {"Y": torch.ones(3, 3)},
    "start of another shape": {"start": torch.zeros(2, 2)},
    "start of another dtype": {"start": torch.zeros(1, 2).double()},
    "start of infinite loss": {"start": torch.full((1, 2), 1e30)},
    "lr of zero": {"lr": 0.0},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_restart_that_cannot_work_leaves_all_as_it_was(change):
    made = training()
    made.descent.jump(3)
    before = state(made)
    with pytest.raises(ConvkitError):
        made.restart(**change)
    assert state(made) == before


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 1), (2, 5), (7, 7)])
def test_a_pose_infers_the_size_of_the_kernel(size):
    made, K = training(), torch.ones(size)
    X = diagonal(8)
    made.pose(X, corr2d(X, K))
    assert made.start.shape == size and torch.equal(made.start, torch.zeros(size))
    assert torch.equal(made.descent.X, X) and torch.equal(made.descent.Y, corr2d(X, K))


def test_a_pose_of_the_same_size_keeps_the_start_and_the_step():
    made = training(start=torch.tensor([[0.5, 0.25]]))
    made.descent.jump(4)
    made.pose(stripes(), corr2d(stripes(), 2 * EDGE))
    assert made.start.tolist() == [[0.5, 0.25]] and made.descent.n == 4


@pytest.mark.parametrize(
    ("Y", "message"),
    [
        (torch.ones(7, 8), "target has shape \\(7, 8\\)"),
        (torch.ones(6, 9), "target has shape"),
        (torch.ones(6, 7).int(), "Y has dtype"),
        (torch.ones(6), "Y has shape"),
        (torch.full((6, 7), float("nan")), r"Y\[0, 0\] is nan"),
        (torch.full((6, 7), 1e38), "loss at the start is inf"),
        ("edges", "Y is a str"),
    ],
)
def test_a_pose_that_cannot_work_leaves_all_as_it_was(Y, message):
    made = training()
    before = state(made)
    with pytest.raises(ConvkitError, match=message):
        made.pose(stripes(), Y)
    assert state(made) == before


def test_a_pose_needs_a_kernel_of_at_most_seven():
    made, X = training(), torch.ones(12, 12)
    with pytest.raises(ConvkitError, match="up to 7 × 7"):
        made.pose(X, torch.ones(5, 5))


def test_what_is_posed_is_copied():
    made, Y = training(), corr2d(stripes(), EDGE)
    made.pose(stripes(), Y)
    Y.zero_()
    assert made.descent.Y.abs().max() == 1


def test_reset_returns_to_the_first_start_and_rate():
    made = training(start=torch.tensor([[0.5, 0.5]]))
    made.restart(start=torch.ones(1, 2), lr=0.01)
    made.descent.jump(5)
    made.reset()
    assert made.start.tolist() == [[0.5, 0.5]]
    assert (made.descent.lr, made.descent.n, made.last) == (0.03, 0, 10)


@pytest.mark.parametrize(("K", "start"), [(torch.ones(2, 2), 0.0), (EDGE, 0.5)])
def test_reset_after_another_problem(K, start):
    made, X = training(start=torch.tensor([[0.5, 0.5]])), stripes().double()
    made.pose(X, corr2d(X, K.double()))
    made.restart(start=torch.ones_like(K).double())
    made.reset()
    assert torch.equal(made.start, torch.full(K.shape, start).double())
    assert torch.equal(made.descent.X, X)


def test_the_start_is_a_copy():
    made = training()
    made.start.fill_(9)
    assert made.start.abs().max() == 0


# More steps or fewer


def test_a_change_of_the_steps_keeps_the_learning_rates():
    made = training(steps=10)
    made.descent.jump(4)
    made.change_lr(0.01, only_ahead=True)
    kernels = [step.kernel for step in made.descent.trajectory]
    made.change_steps(7)
    assert made.descent.n == 4 and made.last == made.steps == 7
    made.change_steps(12)
    assert [step.lr for step in made.descent.trajectory[1:]] == [0.03] * 4 + [0.01] * 8
    assert all(map(torch.equal, kernels, [step.kernel for step in made.descent.trajectory]))
    made.change_steps(2)
    assert made.descent.n == made.last == 2 and made.descent.lr == 0.01


@pytest.mark.parametrize("steps", [0, MOST_STEPS + 1, 2.5, None])
def test_a_number_of_steps_that_is_refused_changes_nothing(steps):
    made = training(steps=10)
    before = made.descent.trajectory
    with pytest.raises(ConvkitError, match="steps is"):
        made.change_steps(steps)
    assert made.steps == 10 and made.descent.trajectory == before


def test_fewer_steps_than_a_diverging_descent_takes():
    made = training(steps=100, lr=0.2)
    assert 5 < made.last < 100 and "Stopped" in made.stopped
    made.change_steps(5)
    assert made.last == 5 and made.stopped == ""
    made.change_steps(100)
    assert 5 < made.last < 100 and "Stopped" in made.stopped
