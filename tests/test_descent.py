"""KernelDescent against torch's optimiser, closed forms, and itself walked back and forth."""

import functools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from convkit import ConvkitError, KernelDescent, corr2d, fastest_lr, kernel, photo, stripes
from convkit.descent import MOMENTUM, RUNAWAY

X = stripes()
BOOKS = torch.tensor([[1.0, -1]])
Y = corr2d(X, BOOKS)
ZERO = torch.zeros(1, 2)
REDUCTIONS = ["sum", "mean"]


def noise(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def stepper(start=ZERO, **options):
    return KernelDescent(X, Y, start, **options)


def state(step):
    """Everything a step holds, in comparable form."""
    tensors = (step.kernel, step.grad, step.velocity)
    return step.n, step.loss, step.lr, [t.tolist() for t in tensors]


# Torch's optimiser, bit for bit


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("optimizer", MOMENTUM)
@pytest.mark.parametrize("size", [(1, 2), (3, 3)])
def test_each_step_is_torchs_to_the_bit(size, optimizer, reduction, dtype):
    picture = noise(9, 10, dtype=dtype)
    target = corr2d(picture, noise(*size, seed=1, dtype=dtype))
    start = noise(*size, seed=2, dtype=dtype)
    layer = nn.Conv2d(1, 1, size, bias=False, dtype=dtype)
    layer.weight.data[0, 0] = start
    rates = [2e-3] * 12 + [1e-3] * 6 + [5e-4] * 3
    sgd = torch.optim.SGD(layer.parameters(), lr=rates[0], momentum=MOMENTUM[optimizer])
    descent = KernelDescent(picture, target, start, reduction=reduction, optimizer=optimizer)
    for lr in rates:
        descent.lr = sgd.param_groups[0]["lr"] = lr
        squares = (layer(picture[None, None]) - target[None, None]) ** 2
        loss = squares.sum() if reduction == "sum" else squares.mean()
        layer.zero_grad()
        loss.backward()
        assert descent.loss == loss.item()
        assert torch.equal(descent.grad, layer.weight.grad[0, 0])
        sgd.step()
        assert torch.equal(descent.step().kernel, layer.weight.data[0, 0])
    assert descent.n == len(rates)
    assert descent.loss < descent.trajectory[0].loss


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_short_floats_descend_too(dtype):
    descent = KernelDescent(X.to(dtype), Y.to(dtype), ZERO.to(dtype))
    assert descent.jump(20).kernel.dtype == dtype
    assert_close(descent.kernel.float(), BOOKS, rtol=0, atol=0.05)


def test_mean_is_torchs_mean_squared_error():
    descent = stepper(torch.tensor([[0.5, 0.5]]), reduction="mean")
    assert descent.loss == nn.functional.mse_loss(corr2d(X, descent.kernel), Y).item()
    total = stepper(torch.tensor([[0.5, 0.5]]))
    assert descent.loss == pytest.approx(total.loss / 42)
    assert_close(descent.grad, total.grad / 42)


def test_mean_with_a_learning_rate_as_many_times_larger_goes_the_same_way():
    total, mean = stepper(lr=0.03), stepper(lr=0.03 * 42, reduction="mean")
    assert_close(total.jump(20).kernel, mean.jump(20).kernel)


# Closed forms


def test_from_zero_the_closed_form():
    descent = stepper()
    for n in range(30):
        assert descent.n == n
        assert_close(descent.kernel, (1 - 0.64**n) * BOOKS, rtol=0, atol=2e-6)
        assert descent.loss == pytest.approx(12 * 0.4096**n, rel=1e-3, abs=1e-9)
        descent.step()


def test_from_zero_the_first_losses():
    descent = stepper()
    losses = [descent.jump(n).loss for n in range(4)]
    assert losses == pytest.approx([12, 4.9152, 2.013266, 0.824634], abs=1e-6)


def test_from_one_half_the_first_losses():
    descent = KernelDescent(X.double(), Y.double(), torch.tensor([[0.5, 0.5]]).double())
    losses = [descent.jump(n).loss for n in range(4)]
    assert losses == pytest.approx([27, 14.5152, 8.157266, 4.756794], abs=1e-6)


def test_the_factors_per_step_are_the_hessians():
    """Along (1, 1), of curvature 60, the error is multiplied by -0.8; along (1, -1) by 0.64."""
    for direction, factor in ([1.0, 1.0], -0.8), ([1.0, -1.0], 0.64):
        away = torch.tensor([direction]).double()
        descent = KernelDescent(X.double(), Y.double(), BOOKS.double() + away)
        for n in range(10):
            assert_close(descent.jump(n).kernel - BOOKS.double(), factor**n * away)


def test_the_books_training_finds_the_books_kernel():
    descent = stepper(torch.rand(1, 2, generator=torch.Generator().manual_seed(0)))
    assert_close(descent.jump(20).kernel, BOOKS, rtol=0, atol=0.05)


def test_on_the_photo_sobel_is_found():
    picture = photo(64)
    sobel = kernel("Sobel x")
    lr = fastest_lr(picture, 3)
    descent = KernelDescent(picture, corr2d(picture, sobel), torch.zeros(3, 3), lr=lr)
    losses = [descent.jump(n).loss for n in (0, 30, 300)]
    assert losses[2] < 0.1 * losses[1] < 0.1 * losses[0]


# The gradient, three ways


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("size", [(1, 2), (2, 2), (3, 1)])
def test_the_gradient_three_ways(size, reduction):
    picture = noise(6, 7, dtype=torch.float64)
    target = noise(7 - size[0], 8 - size[1], seed=1, dtype=torch.float64)
    K = noise(*size, seed=2, dtype=torch.float64)
    grad = KernelDescent(picture, target, K, reduction=reduction).grad
    cells = target.numel() if reduction == "mean" else 1

    def loss(K):
        return ((corr2d(picture, K) - target) ** 2).sum() / cells

    residual = corr2d(picture, K) - target
    by_hand = corr2d(picture, 2 * residual) / cells
    by_autograd = torch.autograd.functional.jacobian(loss, K)
    by_difference, small = torch.zeros_like(K), 1e-5
    for i in range(size[0]):
        for j in range(size[1]):
            nudge = torch.zeros_like(K)
            nudge[i, j] = small
            by_difference[i, j] = (loss(K + nudge) - loss(K - nudge)) / (2 * small)
    assert grad.shape == by_hand.shape
    assert_close(grad, by_hand)
    assert_close(grad, by_autograd)
    assert_close(grad, by_difference, rtol=1e-6, atol=1e-6)


# Walking


WALKS = st.lists(
    st.one_of(st.sampled_from(["step", "back"]), st.tuples(st.just("jump"), st.integers(0, 15))),
    max_size=30,
)


@functools.cache
def straight_walk(optimizer):
    descent = stepper(optimizer=optimizer)
    descent.jump(45)  # no walk goes farther: 15 by a jump, and at most 30 single steps
    return descent.trajectory


@pytest.mark.parametrize("optimizer", MOMENTUM)
@settings(max_examples=60)
@given(walk=WALKS)
def test_any_walk_gives_the_bits_of_a_straight_one(optimizer, walk):
    straight = straight_walk(optimizer)
    descent, n = stepper(optimizer=optimizer), 0
    for move in walk:
        if move == "step":
            n, here = n + 1, descent.step()
        elif move == "back":
            n, here = max(0, n - 1), descent.back()
        else:
            n, here = move[1], descent.jump(move[1])
        assert descent.n == here.n == n
        assert state(here) == state(straight[n])
        assert torch.equal(descent.kernel, here.kernel)
        assert torch.equal(descent.grad, here.grad)
        assert descent.loss == here.loss


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from([0.01, 0.02, 0.03]), st.integers(1, 4)), max_size=5),
    st.lists(st.integers(0, 24), max_size=10),
)
def test_a_walk_with_changed_rates_is_replayed_as_it_was(schedule, jumps):
    descent, rates = stepper(optimizer="momentum"), []
    for lr, count in schedule:
        descent.lr = lr
        for _ in range(count):
            descent.step()
        rates += [lr] * count
    recorded = [state(step) for step in descent.trajectory]
    assert [step.lr for step in descent.trajectory] == [None, *rates]
    for n in jumps:
        descent.jump(min(n, len(rates)))
        descent.back()
        descent.step()
    assert [state(step) for step in descent.trajectory[: len(recorded)]] == recorded


def test_back_stays_at_the_start():
    descent = stepper()
    assert descent.back().n == descent.n == 0
    assert len(descent.trajectory) == 1


def test_going_back_keeps_what_was_recorded():
    descent = stepper()
    descent.jump(5)
    descent.jump(2)
    assert [step.n for step in descent.trajectory] == list(range(6))
    assert descent.n == 2


def test_another_learning_rate_drops_the_steps_ahead():
    descent = stepper(lr=0.03)
    descent.jump(6)
    descent.jump(3)
    descent.lr = 0.01
    assert [step.n for step in descent.trajectory] == [0, 1, 2, 3]
    assert descent.n == 3
    descent.jump(6)
    assert [step.lr for step in descent.trajectory] == [None] + [0.03] * 3 + [0.01] * 3
    fresh = stepper(lr=0.03)
    fresh.jump(3)
    fresh.lr = 0.01
    assert state(descent.trajectory[6]) == state(fresh.jump(6))


def test_the_same_learning_rate_keeps_the_steps_ahead():
    descent = stepper(lr=0.03)
    descent.jump(6)
    descent.jump(3)
    descent.lr = 0.03
    assert len(descent.trajectory) == 7


def test_a_learning_rate_refused_changes_nothing():
    descent = stepper(lr=0.03)
    descent.jump(6)
    descent.jump(3)
    with pytest.raises(ConvkitError):
        descent.lr = -1
    assert descent.lr == 0.03
    assert len(descent.trajectory) == 7


def test_reset_forgets_all_but_the_start():
    descent = stepper(torch.tensor([[0.5, 0.5]]))
    first = state(descent.trajectory[0])
    descent.jump(7)
    assert state(descent.reset()) == first
    assert descent.n == 0
    assert len(descent.trajectory) == 1


@pytest.mark.parametrize("optimizer", MOMENTUM)
def test_a_fork_shares_the_past_and_nothing_else(optimizer):
    descent = stepper(lr=0.03, optimizer=optimizer)
    descent.jump(8)
    descent.jump(4)
    before = [state(step) for step in descent.trajectory]
    twin = descent.fork()
    assert twin.n == 4
    assert [state(step) for step in twin.trajectory] == before[:5]
    assert state(twin.jump(8)) == before[8]  # the same way, to the bit
    twin.jump(4)
    twin.lr = 0.01
    twin.jump(12)
    assert descent.lr == 0.03
    assert descent.n == 4
    assert [state(step) for step in descent.trajectory] == before
    descent.reset()
    assert len(twin.trajectory) == 13


def test_what_one_edits_outside_changes_nothing_inside():
    start, picture, target = torch.tensor([[0.5, 0.5]]), X.clone(), Y.clone()
    descent = KernelDescent(picture, target, start)
    for outside in (start, picture, target, descent.kernel, descent.grad):
        outside.fill_(9)
    assert torch.equal(descent.kernel, torch.tensor([[0.5, 0.5]]))
    assert state(descent.step()) == state(stepper(torch.tensor([[0.5, 0.5]])).step())


def test_a_start_that_learns_elsewhere_is_left_alone():
    start = nn.Parameter(torch.tensor([[0.5, 0.5]]))
    descent = stepper(start)
    descent.jump(3)
    assert start.grad is None
    assert not descent.kernel.requires_grad
    assert torch.equal(start, torch.tensor([[0.5, 0.5]]))


# Divergence


@pytest.mark.parametrize("optimizer", MOMENTUM)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("lr", [0.07, 0.5, 1e5, 1e30])
def test_divergence_stops_before_overflow_and_names_the_limit(lr, dtype, optimizer):
    start = torch.tensor([[0.5, 0.5]])
    descent = KernelDescent(X.to(dtype), Y.to(dtype), start.to(dtype), lr=lr, optimizer=optimizer)
    limit = {"sgd": "0.03333", "momentum": "0.06333"}[optimizer]
    with pytest.raises(ConvkitError) as error:
        descent.jump(1000)
    for text in (
        f"after step {descent.n + 1} with lr {lr:.4g} the loss would be ",
        f"a learning rate below {limit}, the limit for this picture",
        "Set a smaller lr and go on, or reset.",
    ):
        assert text in str(error.value)
    assert math.isfinite(descent.loss)
    assert descent.kernel.isfinite().all()
    assert descent.loss <= RUNAWAY * 27
    assert len(descent.trajectory) == descent.n + 1  # it stays at the last good state


def test_after_divergence_a_smaller_learning_rate_converges():
    descent = stepper(torch.tensor([[0.5, 0.5]]), lr=0.05)
    with pytest.raises(ConvkitError):
        descent.jump(1000)
    assert descent.n > 5
    descent.lr = 0.03
    assert descent.jump(descent.n + 200).loss < 1e-6


def test_a_start_far_off_has_not_diverged():
    assert stepper(torch.tensor([[3e4, -3e4]])).jump(60).loss < 1e-3


def test_a_target_already_met_stays_met():
    assert stepper(BOOKS).jump(5).loss == 0
    black = torch.zeros(3, 3)
    assert KernelDescent(black, black, torch.ones(1, 1), lr=1e9).jump(5).loss == 0


# Errors


@pytest.mark.parametrize(
    "lr", [0, 0.0, -0.03, math.nan, math.inf, -math.inf, 1e39, 1e300, "0.03", None]
)
def test_errors_of_the_learning_rate(lr):
    descent = stepper()
    for attempt in (lambda: stepper(lr=lr), lambda: setattr(descent, "lr", lr)):
        with pytest.raises(ConvkitError) as error:
            attempt()
        assert f"lr is {lr!r}; wanted a number above 0 and at most 3.403e+38" in str(error.value)
        assert "any below 0.03333 converges" in str(error.value)


@pytest.mark.parametrize(
    ("X", "Y", "start", "options", "texts"),
    [
        (X.long(), Y, ZERO, {}, ["X has dtype torch.int64", "X.float()"]),
        (X, [[1.0]], ZERO, {}, ["Y is a list", "torch.tensor(Y)"]),
        (X, Y.long(), ZERO, {}, ["Y has dtype torch.int64", "Y.float()"]),
        (X, Y, ZERO.long(), {}, ["K has dtype torch.int64", "K.float()"]),
        (X.double(), Y, ZERO, {}, ["X has dtype torch.float64 and K has torch.float32"]),
        (X[None], Y, ZERO, {}, ["X has shape (1, 6, 8)", "such as X[0]"]),
        (X, Y[None], ZERO, {}, ["Y has shape (1, 6, 7)", "such as Y[0]"]),
        (X, Y.T, ZERO, {}, ["Y has shape (7, 6)", "(6, 7)", "corr2d(X, kernel)"]),
        (X, Y, ZERO[0], {}, ["K has shape (2,)", "(H, W)"]),
        (X, Y, torch.zeros(7, 9), {}, ["kernel_size (7, 9)", "smaller kernel"]),
        (X, Y, ZERO, {"reduction": "none"}, ["reduction is 'none'", '"sum" or "mean"']),
        (X, Y, ZERO, {"optimizer": "adam"}, ["optimizer is 'adam'", "one of sgd, momentum"]),
    ],
)
def test_errors_name_the_argument_its_value_and_the_remedy(X, Y, start, options, texts):
    with pytest.raises(ConvkitError) as error:
        KernelDescent(X, Y, start, **options)
    for text in texts:
        assert text in str(error.value)


@pytest.mark.parametrize("n", [-1, 1.5, "3", None])
def test_errors_of_jump(n):
    descent = stepper()
    with pytest.raises(ConvkitError) as error:
        descent.jump(n)
    assert f"n is {n!r}; wanted a whole number from 0" in str(error.value)
    assert descent.n == 0
