"""The quadratic loss, against autograd, scipy, numpy and closed forms."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from convkit import ConvkitError, QuadraticLoss, corr2d, stripes
from convkit.descent import record
from convkit.ops import to_pair

X = stripes()
BOOKS = torch.tensor([[1.0, -1]])
Y = corr2d(X, BOOKS)
BLACK = torch.zeros(4, 4)


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def target(picture, size, seed=1):
    return noise(picture.shape[0] - size[0] + 1, picture.shape[1] - size[1] + 1, seed=seed)


def squared_error(picture, Y, reduction, K):
    squares = (corr2d(picture, K) - Y) ** 2
    return squares.sum() if reduction == "sum" else squares.mean()


def windows(picture, size):
    """numpy's windows, one a row."""
    view = np.lib.stride_tricks.sliding_window_view(picture.double().numpy(), size)
    return view.reshape(-1, size[0] * size[1])


# The loss


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (3, 2)])
def test_loss_gradient_and_hessian_are_autograds(size, reduction):
    picture, K = noise(5, 6), noise(*size, seed=2)
    Y = target(picture, size)
    quadratic = QuadraticLoss(picture, size, Y, reduction=reduction)

    def loss(K):
        return squared_error(picture, Y, reduction, K)

    expected = torch.autograd.functional.hessian(loss, K).reshape(K.numel(), -1)
    assert quadratic.hessian.shape == expected.shape
    assert_close(quadratic.hessian, expected)
    assert quadratic.loss(K) == pytest.approx(loss(K).item())
    assert quadratic.scale == pytest.approx(loss(0 * K).item())
    gradient = quadratic.gradient(K.clone().requires_grad_())
    assert gradient.shape == K.shape
    assert_close(gradient, torch.autograd.functional.jacobian(loss, K))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("picture", [noise(5, 6), X])
def test_descent_takes_each_step_against_the_gradient(picture, reduction):
    size = (2, 3)
    Y, K = target(picture, size), noise(*size, seed=2)
    quadratic = QuadraticLoss(picture, size, Y, reduction=reduction)
    rates = [share * quadratic.max_stable_lr for share in (0.3, 0.9, 1.2, 0.5)]
    kernels, losses = quadratic.descent(K, rates)
    assert kernels.shape == (5, *size)
    assert_close(kernels[0], K.double())
    for n, lr in enumerate(rates):
        assert_close(kernels[n + 1], kernels[n] - lr * quadratic.gradient(kernels[n]))
    expected = [quadratic.loss(kernel) for kernel in kernels]
    assert_close(losses, torch.tensor(expected, dtype=torch.float64))


@settings(max_examples=40)
@given(
    size=st.sampled_from([(1, 1), (1, 2), (2, 2), (3, 3)]),
    seed=st.integers(0, 999),
    share=st.floats(0.05, 1.02),
    momentum=st.floats(0, 0.99),
    reduction=st.sampled_from(["sum", "mean"]),
    rises=st.booleans(),
)
def test_descent_is_the_recorded_one_to_4_digits_for_100_steps(
    size, seed, share, momentum, reduction, rises
):
    picture, K = noise(7, 8, seed=seed), noise(*size, seed=seed + 1)
    Y = target(picture, size, seed=seed + 2)
    quadratic = QuadraticLoss(picture, size, Y, reduction=reduction)
    rates = [share * quadratic.stable_lr(momentum)] * 100
    if rises:
        rates[50:] = [lr / 2 for lr in rates[50:]]
    kernels, losses = quadratic.descent(K, rates, momentum)
    steps = record(picture, Y, K, rates, momentum=momentum, reduction=reduction)
    expected = torch.tensor([step.loss for step in steps], dtype=torch.float64)
    assert_close(losses, expected, rtol=1e-4, atol=0)
    assert_close(kernels, torch.stack([step.kernel for step in steps]), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("momentum", [0, 0.1459, 0.9])
def test_descent_of_the_stripes_is_a_power_of_a_matrix(momentum):
    """Slope and velocity along (1, 1) and (1, -1), of curvature 60 and 12, at lr 0.03."""
    quadratic = QuadraticLoss(X, (1, 2), Y)
    kernels, _ = quadratic.descent(torch.tensor([[0.5, 0.25]]), [0.03] * 100, momentum)
    for along, curvature, error in (([1, 1], 60, 0.75), ([1, -1], 12, -1.75)):
        step = np.array([[momentum, curvature], [-0.03 * momentum, 1 - 0.03 * curvature]])
        expected = [(np.linalg.matrix_power(step, n) @ [0, error])[1] for n in range(101)]
        errors = (kernels - BOOKS) @ torch.tensor(along).double()
        assert_close(errors.flatten().numpy(), np.array(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("share", [0.3, 3.0])
@pytest.mark.parametrize("noise_level", [1e-3, 1e-5, 1e-7, 0])
def test_descent_is_right_where_the_input_is_almost_flat(noise_level, share):
    """Directions that the rank leaves out have a slope too."""
    picture, size = 1 + noise_level * noise(9, 9), (3, 3)
    Y, K = target(picture, size), 100 * noise(*size, seed=2)
    quadratic = QuadraticLoss(picture, size, Y)
    rates = [share * quadratic.max_stable_lr] * 50
    kernels, losses = quadratic.descent(K, rates)
    steps = record(picture, Y, K, rates)
    assert_close(kernels[-1], steps[-1].kernel, rtol=1e-9, atol=1e-9)
    expected = torch.tensor([step.loss for step in steps], dtype=torch.float64)
    assert_close(losses, expected, rtol=1e-8, atol=0)


def test_loss_is_never_below_zero():
    quadratic, tiny = QuadraticLoss(X, (1, 2), Y), torch.linspace(-1e-9, 1e-9, 9)
    losses = [quadratic.loss(BOOKS + a) for a in tiny]
    assert min(losses) == 0
    assert max(losses) < 1e-12


# Curvature, rank and learning rates


def test_stripes():
    quadratic = QuadraticLoss(X, (1, 2))
    assert torch.equal(quadratic.hessian, torch.tensor([[36.0, 24], [24, 36]]).double())
    assert_close(quadratic.eigenvalues, torch.tensor([60.0, 12]).double())
    assert_close(quadratic.directions[0], torch.tensor([[0.5, 0.5]]).double().sqrt())
    assert quadratic.max_stable_lr == pytest.approx(1 / 30)
    assert quadratic.fastest_lr == pytest.approx(1 / 36)
    mean = QuadraticLoss(X, (1, 2), reduction="mean")
    assert mean.max_stable_lr == pytest.approx(42 / 30)
    assert mean.fastest_lr == pytest.approx(42 / 36)
    assert quadratic.stable_lr(0) == quadratic.max_stable_lr
    assert quadratic.stable_lr(0.9) == pytest.approx(3.8 / 60)
    assert quadratic.fastest_momentum == pytest.approx((0.03183, 0.1459), rel=5e-4)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3)])
def test_no_rate_and_momentum_near_the_fastest_converge_faster(size):
    """The spectral radius of the step's matrix, over the steepest and flattest directions."""
    quadratic = QuadraticLoss(noise(9, 8), size)
    curvatures = quadratic.eigenvalues.numpy()

    def radius(lr, momentum):
        steps = [np.array([[momentum, c], [-lr * momentum, 1 - lr * c]]) for c in curvatures]
        return max(abs(np.linalg.eigvals(step)).max() for step in steps)

    lr, momentum = quadratic.fastest_momentum
    fastest = radius(lr, momentum)
    assert fastest == pytest.approx(momentum**0.5, abs=1e-6)
    for rate_factor in (0.97, 1, 1.03):
        for step in (-0.02, 0, 0.02):
            assert radius(rate_factor * lr, max(momentum + step, 0)) > fastest - 1e-6


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_eigenvalues_are_scipys_and_directions_their_eigenvectors(reduction):
    quadratic = QuadraticLoss(noise(6, 7), (3, 2), reduction=reduction)
    values, H = quadratic.eigenvalues, quadratic.hessian
    assert_close(values, torch.tensor(scipy.linalg.eigvalsh(H.numpy())[::-1].copy()))
    assert quadratic.directions.shape == (6, 3, 2)
    flat = quadratic.directions.flatten(1)
    assert_close(flat @ flat.T, torch.eye(6).double())
    assert_close(H @ flat.T, flat.T * values)
    largest = flat.gather(1, flat.abs().argmax(1, keepdim=True))
    assert (largest > 0).all()


@pytest.mark.parametrize(("size", "rank"), [((1, 2), 2), ((2, 2), 2), ((3, 3), 3)])
def test_stripes_tell_few_kernels_apart(size, rank):
    quadratic = QuadraticLoss(X, size)
    seen = quadratic.identifiable_directions
    assert quadratic.rank == rank == np.linalg.matrix_rank(windows(X, size))
    assert seen.shape == (rank, *size)
    unseen = torch.tensor(scipy.linalg.null_space(windows(X, size)))
    assert_close(seen.flatten(1) @ unseen, torch.zeros(rank, unseen.shape[1]).double())


@pytest.mark.parametrize(("small", "rank"), [(1.01e-5, 2), (0.99e-5, 1)])
def test_rank_counts_eigenvalues_above_the_tolerance(small, rank):
    picture = torch.tensor([[1.0, 0], [0, small]]).double()  # the windows are its two rows
    assert QuadraticLoss(picture, (1, 2)).rank == rank
    assert QuadraticLoss(1e-30 * picture, (1, 2)).rank == rank


def test_nothing_can_be_learned_from_a_black_picture():
    quadratic = QuadraticLoss(BLACK, 2, torch.ones(3, 3))
    assert quadratic.rank == 0
    assert quadratic.identifiable_directions.shape == (0, 2, 2)
    assert quadratic.max_stable_lr == quadratic.fastest_lr == math.inf
    assert torch.equal(quadratic.best_kernel, torch.zeros(2, 2).double())


def test_no_learning_rate_beats_the_fastest():
    quadratic = QuadraticLoss(X, (2, 2))  # of rank 2: two directions cannot be learned at all
    rates = [quadratic.fastest_lr * factor for factor in (1, 0.9, 0.99, 1.01, 1.1)]
    slowest = [(1 - lr * quadratic.eigenvalues[:2]).abs().max().item() for lr in rates]
    assert slowest.index(min(slowest)) == 0


# The best kernel


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("size", [(1, 2), (2, 2), (3, 3)])
@pytest.mark.parametrize("picture", [X, noise(9, 8)], ids=["stripes", "noise"])
def test_best_kernel_is_scipys_least_squares(picture, size, reduction):
    Y = target(picture, size)
    expected, *_ = scipy.linalg.lstsq(windows(picture, size), Y.flatten().numpy())
    K = QuadraticLoss(picture, size, Y, reduction=reduction).best_kernel
    assert K.shape == size
    assert_close(K, torch.tensor(expected).reshape(size))


@pytest.mark.parametrize(("small", "expected"), [(2e-6, 2e-6), (5e-7, 0.0)])
def test_weights_that_are_numerically_zero_are_zero(small, expected):
    picture = noise(6, 7)
    K = torch.tensor([[-1.0, small]]).double()
    best = QuadraticLoss(picture, (1, 2), corr2d(picture, K)).best_kernel
    assert best[0, 1].item() == pytest.approx(expected, rel=1e-6, abs=0)


# Axes of the surface


def test_axes_of_two_weights_are_the_weights():
    for size in ((1, 2), (2, 1)):
        axes = torch.stack(QuadraticLoss(X, size).projection_axes(torch.ones(size)))
        assert torch.equal(axes, torch.eye(2).double().reshape(2, *size))


@pytest.mark.parametrize(
    ("picture", "size", "count"),
    [(noise(4, 4), 1, 1), (BLACK, 2, 0), (torch.eye(1, 3), (1, 3), 1)],
    ids=["one weight", "black", "one direction"],
)
def test_axes_that_do_not_exist_are_zeros(picture, size, count):
    quadratic = QuadraticLoss(
        picture, size, corr2d(picture, picture.new_ones(to_pair("size", size)))
    )
    axes = torch.stack(quadratic.projection_axes(torch.zeros(to_pair("size", size))))
    assert axes.flatten(1).norm(dim=1).tolist() == pytest.approx(
        [1.0] * count + [0.0] * (2 - count)
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [(2, 2), (1, 3), (3, 3), (5, 4)])
def test_other_axes_are_the_steepest_direction_and_the_way_to_the_start(seed, size):
    torch.manual_seed(seed)
    picture, best, start = torch.randn(9, 9).double(), *torch.randn(2, *size).double()
    quadratic = QuadraticLoss(picture, size, corr2d(picture, best))
    u, v = quadratic.projection_axes(start)
    assert torch.equal(u, quadratic.directions[0])
    assert_close(torch.stack([(u * v).sum(), (v * v).sum()]), torch.tensor([0.0, 1.0]).double())
    error = start - best
    assert_close((error * u).sum() * u + (error * v).sum() * v, error)
    along = best + 2 * u  # no way is left: the flattest
    assert torch.equal(quadratic.projection_axes(along)[1], quadratic.directions[-1])


# Modes and errors


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_everything_works_without_gradients(mode):
    with mode():
        quadratic = QuadraticLoss(X.clone(), (1, 2), Y.clone())
        assert_close(quadratic.best_kernel, BOOKS.double())
        assert quadratic.loss(torch.zeros(1, 2)) == pytest.approx(12)


@pytest.mark.parametrize(
    ("arguments", "given", "text"),
    [
        ((X, 7), "kernel_size (7, 7)", "smaller kernel"),
        ((X, 0), "kernel_size is 0", "a whole number from 1"),
        ((X, (1, 2), Y.T), "Y has shape (7, 6)", "shape (6, 7) for X (6, 8) and kernel (1, 2)"),
        ((X / 0, (1, 2)), "X[0, 0] is inf", "finite numbers"),
        ((X, (1, 2), Y / 0), "Y[0, 0] is nan", "finite numbers"),
        ((1e200 * X.double(), 2), "X has values up to 1e+200", "X / X.abs().max()"),
        ((X, (1, 2), 1e200 * Y.double()), "Y has values up to 1e+200", "Y / Y.abs().max()"),
        ((1e150 * X.double(), (1, 2), 1e160 * Y.double()), "Y has values up to 1e+160", "1.8e308"),
    ],
    ids=str,
)
def test_errors_name_the_argument_its_value_and_a_remedy(arguments, given, text):
    with pytest.raises(ConvkitError) as error:
        QuadraticLoss(*arguments)
    assert given in error.value.given
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("loss", [BOOKS]),
        ("gradient", [BOOKS]),
        ("descent", [BOOKS, [0.1]]),
        ("scale", []),
        ("best_kernel", []),
    ],
)
def test_what_needs_a_target_says_so(name, arguments):
    with pytest.raises(ConvkitError, match="QuadraticLoss was built without Y"):
        getattr(QuadraticLoss(X, (1, 2)), name)(*arguments)
