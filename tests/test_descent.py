"""Gradient descent against torch's optimiser, closed forms, and itself walked back and forth."""

import math
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from convkit import ConvkitError, KernelDescent, QuadraticLoss, corr2d, stripes
from convkit.descent import DIVERGENCE_FACTOR, divergence_limit, record

X = stripes()
BOOKS = torch.tensor([[1.0, -1]])
Y = corr2d(X, BOOKS)
ZERO = torch.zeros(1, 2)
HALF = torch.tensor([[0.5, 0.5]])
BLACK = torch.zeros(3, 3)
RATES = [0.03] * 3
REDUCTIONS = ["sum", "mean"]
MODES = [torch.enable_grad, torch.no_grad, torch.inference_mode]


def noise(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def descend(start=ZERO, **options):
    return KernelDescent(X, Y, start, **options)


def contents(steps):
    """Everything that steps hold, in comparable form."""
    tensors = ("kernel", "grad", "velocity")
    return [(s.n, s.loss, s.lr, *(getattr(s, name).tolist() for name in tensors)) for s in steps]


# Torch's optimiser, bit for bit


def steps_of_torch(X, Y, start, rates, reduction, momentum):
    """Loss, gradient and kernel before each update that torch's optimiser makes."""
    layer = nn.Conv2d(1, 1, tuple(start.shape), bias=False, dtype=X.dtype)
    layer.weight.data[0, 0] = start
    sgd = torch.optim.SGD(layer.parameters(), lr=1, momentum=momentum)
    for lr in rates:
        sgd.param_groups[0]["lr"] = lr
        squares = (layer(X[None, None]) - Y[None, None]) ** 2
        loss = squares.sum() if reduction == "sum" else squares.mean()
        sgd.zero_grad()
        loss.backward()
        yield loss.item(), layer.weight.grad[0, 0].tolist(), layer.weight.data[0, 0].tolist()
        sgd.step()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("size", [(1, 2), (3, 3)])
@pytest.mark.parametrize("momentum", [0, 0.3, 0.9])
def test_each_step_is_torchs_to_the_bit(momentum, size, reduction, dtype):
    picture, start = noise(9, 10, dtype=dtype), noise(*size, seed=2, dtype=dtype)
    target = corr2d(picture, noise(*size, seed=1, dtype=dtype))
    rates = [2e-3] * 12 + [1e-3] * 6 + [5e-4] * 3
    options = {"reduction": reduction, "momentum": momentum}
    descent = KernelDescent(picture, target, start, **options)
    for loss, grad, weights in steps_of_torch(picture, target, start, rates, **options):
        assert (descent.loss, descent.grad.tolist(), descent.kernel.tolist()) == (
            loss,
            grad,
            weights,
        )
        descent.lr = rates[descent.n]
        descent.step()
    steps = record(picture, target, start, rates, **options)
    assert contents(steps) == contents(descent.trajectory)
    assert [step.n for step in steps] == list(range(22))
    assert [step.lr for step in steps] == [None, *rates]


# Closed forms


@pytest.mark.parametrize(("direction", "factor"), [([1.0, 1], -0.8), ([1.0, -1], 0.64)])
def test_each_step_multiplies_the_error_by_the_hessians_factor(direction, factor):
    """Along (1, 1), of curvature 60, it is -0.8; along (1, -1), of curvature 12, 0.64."""
    error = torch.tensor([direction]).double()
    descent = KernelDescent(X.double(), Y.double(), BOOKS.double() + error)
    for n in range(10):
        assert_close(descent.jump(n).kernel - BOOKS.double(), factor**n * error)


@pytest.mark.parametrize("momentum", [0, 0.5, 0.9])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_descent_converges_below_the_limit_and_diverges_above(reduction, momentum):
    options = {"reduction": reduction, "momentum": momentum}
    limit = QuadraticLoss(X, (1, 2), reduction=reduction).stable_lr(momentum)
    below = descend(HALF, lr=0.98 * limit, **options)
    assert below.max_stable_lr == limit
    assert below.jump(300).loss < 1e-6 * below.trajectory[0].loss
    above = descend(HALF, lr=1.02 * limit, **options)
    with pytest.raises(ConvkitError, match="the limit for this picture"):
        above.jump(900)


@pytest.mark.parametrize(("share", "loss"), [(0.999, 1e-3), (1.001, 1e3)])
def test_momentum_moves_the_limit_of_the_stripes_to_3_8_over_60(share, loss):
    """Just under the limit the loss shrinks, just over it grows; without momentum it is 2 / 60."""
    steps = record(X.double(), Y.double(), HALF.double(), [share * 3.8 / 60] * 9000, momentum=0.9)
    assert (steps[-1].loss < loss * 27) == (share < 1)


def test_velocity_is_momentum_times_the_one_before_plus_the_gradient():
    steps = record(X, Y, HALF, RATES, momentum=0.75)
    assert torch.equal(steps[0].velocity, ZERO)
    for before, after in zip(steps, steps[1:], strict=False):
        assert_close(after.velocity, 0.75 * before.velocity + before.grad)
        assert_close(after.kernel, before.kernel - 0.03 * after.velocity)


def test_losses_of_the_stripes():
    """The factors of 7.2's descent are 0.64 and -0.8 a step: from zero only the first counts."""
    from_zero = [step.loss for step in record(X, Y, ZERO, [0.03] * 100)]
    assert from_zero[:4] == pytest.approx([12, 4.9152, 2.013266, 0.824634], rel=1e-4)
    assert from_zero[:12] == pytest.approx([12 * 0.4096**n for n in range(12)], rel=1e-4)
    from_half = [step.loss for step in record(X, Y, HALF, [0.03] * 3)]
    assert from_half == pytest.approx([27, 14.5152, 8.157266, 4.756794], rel=1e-4)


# Walking


MOVES = st.lists(
    st.one_of(st.sampled_from(["step", "back"]), st.integers(0, 15)),
    max_size=30,
)


@settings(max_examples=60)
@given(moves=MOVES, momentum=st.sampled_from([0, 0.9]))
def test_walking_back_and_forth_gives_the_bits_of_a_record(moves, momentum):
    # 15 by a jump, and at most 30 single steps
    expected = record(X, Y, ZERO, [0.03] * 45, momentum=momentum)
    descent, n = descend(momentum=momentum), 0
    for move in moves:
        if move == "step":
            n, here = n + 1, descent.step()
        elif move == "back":
            n, here = max(0, n - 1), descent.back()
        else:
            n, here = move, descent.jump(move)
        assert descent.n == here.n == n
        assert contents([here]) == contents([expected[n]])
        assert torch.equal(descent.kernel, here.kernel)
        assert torch.equal(descent.grad, here.grad)
        assert descent.loss == here.loss


def test_another_learning_rate_drops_the_steps_ahead():
    descent = descend(lr=0.03)
    descent.jump(6)
    descent.jump(3)
    descent.lr = 0.03
    assert len(descent.trajectory) == 7
    descent.lr = 0.01
    assert len(descent.trajectory) == 4
    descent.jump(5)
    assert contents(descent.trajectory) == contents(record(X, Y, ZERO, [0.03] * 3 + [0.01] * 2))
    descent.jump(3)
    descent.lr = 0.01
    assert len(descent.trajectory) == 6
    descent.jump(2)
    descent.lr = 0.01  # a step ahead was taken with 0.03
    assert len(descent.trajectory) == 3


def test_editing_tensors_outside_changes_nothing_inside():
    start, picture, target = HALF.clone(), X.clone(), Y.clone()
    descent = KernelDescent(picture, target, start, momentum=0.5)
    handed_out = [start, picture, target, descent.X, descent.Y, descent.kernel, descent.grad]
    moves = [descent.step, descent.back, descent.step, lambda: descent.jump(1)]
    for step in (*(move() for move in moves), *descent.trajectory):
        handed_out += [step.kernel, step.grad, step.velocity]
    for tensor in handed_out:
        tensor.zero_()
    descent.jump(3)
    assert contents(descent.trajectory) == contents(record(X, Y, HALF, RATES, momentum=0.5))
    assert torch.equal(descent.X, X)
    assert torch.equal(descent.Y, Y)


@pytest.mark.parametrize("made_in", MODES)
@pytest.mark.parametrize("stepped_in", MODES)
def test_gradient_modes_do_not_matter(made_in, stepped_in):
    with made_in():
        descent = KernelDescent(X.clone(), Y.clone(), HALF.clone())
    with stepped_in():
        descent.jump(3)
        steps = record(X.clone(), Y.clone(), HALF.clone(), RATES)
    assert contents(descent.trajectory) == contents(steps) == contents(record(X, Y, HALF, RATES))
    assert not descent.kernel.requires_grad
    assert not steps[3].kernel.requires_grad


# Divergence


def test_divergence_stops_the_descent_before_its_numbers_overflow():
    descent = descend(HALF, lr=0.05)
    with pytest.raises(ConvkitError) as error:
        descent.jump(1000)
    assert str(error.value) == (
        "after step 11 with lr 0.05 the loss would be 6.291e+07; expected a learning rate below "
        "0.03333, the limit for this picture. Set a smaller lr and go on, or reset."
    )
    assert descent.n == len(descent.trajectory) - 1 == 10
    descent.lr = 0.03
    assert descent.jump(200).loss < 1e-6


def test_record_stops_where_a_descent_raises():
    limit = divergence_limit(QuadraticLoss(X, (1, 2), Y), HALF)
    assert len(record(X, Y, HALF, [0.05] * 100, limit=limit)) == 11
    assert len(record(X, Y, HALF, [0.03] * 100, limit=limit)) == 101
    assert len(record(X, Y, HALF, [0.03, 1e9, 0.03], limit=limit)) == 2  # nothing comes after it
    losses = [step.loss for step in record(X, Y, HALF, [0.05] * 3)]
    assert len(record(X, Y, HALF, [0.05] * 3, limit=losses[3])) == 4
    assert len(record(X, Y, HALF, [0.05] * 3, limit=math.nextafter(losses[3], 0))) == 3


def test_record_stops_before_a_loss_that_is_not_finite():
    losses = [step.loss for step in record(X, Y, HALF, [1.0] * 100)]
    assert 10 < len(losses) < 100
    assert math.isfinite(losses[-1])


def test_divergence_limit_is_a_multiple_of_the_larger_of_two_losses():
    quadratic = QuadraticLoss(X, (1, 2), Y)
    assert divergence_limit(quadratic, ZERO) == DIVERGENCE_FACTOR * 12
    assert divergence_limit(quadratic, BOOKS) == DIVERGENCE_FACTOR * 12
    assert divergence_limit(quadratic, HALF) == pytest.approx(DIVERGENCE_FACTOR * 27)
    huge = QuadraticLoss(X.double(), (1, 2), 1e152 * Y.double())
    assert divergence_limit(huge, ZERO) == sys.float_info.max
    black = QuadraticLoss(BLACK, 1, BLACK)
    assert divergence_limit(black, torch.ones(1, 1)) == DIVERGENCE_FACTOR * sys.float_info.min


def test_a_large_error_and_none_have_not_diverged():
    assert descend(torch.tensor([[3e4, -3e4]])).jump(60).loss < 1e-3
    assert descend(BOOKS).jump(5).loss == 0
    assert KernelDescent(BLACK, BLACK, torch.ones(1, 1), lr=1e9).jump(5).loss == 0


# Errors


@pytest.mark.parametrize(
    "lr", [0, -0.03, math.nan, 3.5e38, "0.03", None, True, torch.tensor([0.1, 0.1])]
)
def test_errors_of_the_learning_rate(lr):
    descent = descend()
    descent.jump(2)
    descent.back()
    for attempt in (lambda: descend(lr=lr), lambda: setattr(descent, "lr", lr)):
        with pytest.raises(ConvkitError) as error:
            attempt()
        assert str(error.value) == (
            f"lr is {lr!r}; expected a number above 0 and at most 3.403e+38. "
            "On this picture any below 0.03333 converges."
        )
    assert descent.lr == 0.03
    assert len(descent.trajectory) == 3
    with pytest.raises(ConvkitError, match="Choose one such as 0.03"):
        record(X, Y, ZERO, [0.03, lr])


@pytest.mark.parametrize("momentum", [1, -0.1, math.nan, "0.9", None, True])
def test_errors_of_momentum(momentum):
    quadratic = QuadraticLoss(X, (1, 2), Y)
    for attempt in (
        lambda: descend(momentum=momentum),
        lambda: record(X, Y, ZERO, [0.03], momentum=momentum),
        lambda: quadratic.descent(ZERO, [0.03], momentum=momentum),
        lambda: quadratic.stable_lr(momentum),
    ):
        with pytest.raises(ConvkitError) as error:
            attempt()
        assert str(error.value) == (
            f"momentum is {momentum!r}; expected a number from 0 to below 1. "
            "Choose one such as 0.9."
        )


def test_errors_of_the_learning_rate_know_of_momentum():
    with pytest.raises(ConvkitError, match=r"On this picture any below 0\.06333 converges"):
        descend(momentum=0.9, lr=0)
    with pytest.raises(ConvkitError, match=r"0\.06333, the limit for this picture with momentum"):
        descend(HALF, momentum=0.9, lr=0.1).jump(900)


@pytest.mark.parametrize(
    ("X", "Y", "start", "given", "text"),
    [
        (X, Y, ZERO.long(), "start has dtype torch.int64", "start.float()"),
        (X.double(), Y, ZERO, "X has dtype torch.float64 and Y has torch.float32", "Y.to(X.dtype)"),
        (X, Y.T, ZERO, "Y has shape (7, 6)", "shape (6, 7) for X (6, 8) and kernel (1, 2)"),
        (X, Y, torch.zeros(7, 9), "kernel_size (7, 9)", "smaller kernel"),
        (X / 0, Y, ZERO, "X[0, 0] is inf", "finite numbers"),
        (X, Y, ZERO / 0, "start[0, 0] is nan", "finite numbers"),
        (X * 1e30, Y, HALF, "the loss at the start is inf and", "that torch.float32 can hold"),
        (X * 1e22, Y, HALF * 1e-5, "is 1.5e+35 and its gradient up to inf", "that torch"),
    ],
)
def test_errors_name_the_argument_its_value_and_a_remedy(X, Y, start, given, text):
    for attempt in (lambda: KernelDescent(X, Y, start), lambda: record(X, Y, start, [0.03])):
        with pytest.raises(ConvkitError) as error:
            attempt()
        assert given in error.value.given
        assert text in str(error.value)
