"""The bowl of the loss, against autograd, scipy, and descents that run at its limits."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from convkit import (
    ConvkitError,
    KernelDescent,
    best_kernel,
    corr2d,
    curvatures,
    fastest_lr,
    hessian,
    identifiable_directions,
    loss_surface,
    max_stable_lr,
    photo,
    stripes,
)
from convkit.least_squares import bowl, outlook, patches, plane

X = stripes()
BOOKS = torch.tensor([[1.0, -1]])
Y = corr2d(X, BOOKS)
SIZES = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2)]


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def squared_error(X, Y, reduction):
    def loss(weights, size):
        squares = (corr2d(X, weights.reshape(size)) - Y) ** 2
        return squares.sum() if reduction == "sum" else squares.mean()

    return loss


def windows(X, size):
    """numpy's windows, one a row."""
    return np.lib.stride_tricks.sliding_window_view(X.double().numpy(), size).reshape(
        -1, size[0] * size[1]
    )


@pytest.mark.parametrize("size", SIZES)
def test_patches_are_the_windows(size):
    A = patches(noise(5, 6), size)
    assert torch.equal(A, torch.tensor(windows(noise(5, 6), size)))


# Curvature


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("size", SIZES)
def test_the_hessian_is_autograds(size, reduction):
    picture, target = noise(5, 6), noise(6 - size[0], 7 - size[1], seed=1)
    loss, k = squared_error(picture, target, reduction), noise(size[0] * size[1], seed=2)
    expected = torch.autograd.functional.hessian(lambda w: loss(w, size), k)
    H = hessian(picture, size, reduction=reduction)
    assert H.shape == expected.shape
    assert_close(H, expected)


def test_the_hessian_of_the_stripes():
    assert torch.equal(hessian(X, (1, 2)), torch.tensor([[36.0, 24], [24, 36]]).double())
    assert_close(hessian(X, (1, 2), reduction="mean") * 42, hessian(X, (1, 2)))


def test_the_curvatures_of_the_stripes():
    values, directions = curvatures(X, (1, 2))
    assert_close(values, torch.tensor([60.0, 12]).double())
    expected = torch.tensor([[[1, 1]], [[1, -1]]]).double() / math.sqrt(2)
    assert directions.shape == expected.shape
    assert_close((directions * expected).sum((1, 2)).abs(), torch.ones(2).double())


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_curvatures_are_the_eigenvalues_largest_first(reduction):
    picture = noise(6, 7)
    values, directions = curvatures(picture, (3, 2), reduction=reduction)
    H = hessian(picture, (3, 2), reduction=reduction)
    assert_close(values, torch.tensor(scipy.linalg.eigvalsh(H.numpy())[::-1].copy()))
    assert directions.shape == (6, 3, 2)
    flat = directions.reshape(6, 6)
    assert_close(flat @ flat.T, torch.eye(6).double())
    assert_close(H @ flat.T, flat.T * values)


# Learning rates


def test_the_learning_rates_of_the_stripes():
    assert max_stable_lr(X, (1, 2)) == pytest.approx(1 / 30)
    assert max_stable_lr(X, (1, 2), momentum=0.9) == pytest.approx(1.9 / 30)
    assert max_stable_lr(X, (1, 2), reduction="mean") == pytest.approx(42 / 30)
    assert fastest_lr(X, (1, 2)) == pytest.approx(1 / 36)
    assert fastest_lr(X, (1, 2), reduction="mean") == pytest.approx(42 / 36)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("picture", [X.double(), noise(7, 8)], ids=["stripes", "noise"])
def test_descents_converge_just_below_the_limit_and_run_away_just_above(
    picture, reduction, optimizer
):
    size = (1, 2)
    momentum = 0.9 if optimizer == "momentum" else 0.0
    limit = max_stable_lr(picture, size, reduction=reduction, momentum=momentum)
    target = corr2d(picture, BOOKS.double())
    options = {"reduction": reduction, "optimizer": optimizer}
    start = torch.tensor([[0.7, 0.4]]).double()
    below = KernelDescent(picture, target, start, lr=0.98 * limit, **options)
    assert below.max_stable_lr == limit
    assert below.jump(300).loss < 1e-6 * below.trajectory[0].loss
    above = KernelDescent(picture, target, start, lr=1.02 * limit, **options)
    with pytest.raises(ConvkitError, match="the limit for this picture"):
        above.jump(400)


def losses_after(lr, picture, size, n=40):
    """The largest loss left after n steps from each direction of the bowl, by its factors."""
    values, _ = curvatures(picture, size)
    return max((1 - lr * value.item()) ** (2 * n) for value in values)


def test_no_learning_rate_beats_the_fastest():
    picture = noise(7, 8)
    fastest = fastest_lr(picture, (2, 2))
    best = losses_after(fastest, picture, (2, 2))
    assert all(best < losses_after(fastest * f, picture, (2, 2)) for f in (0.9, 0.99, 1.01, 1.1))


def test_the_fastest_learning_rate_passes_over_what_cannot_be_learned():
    values, _ = curvatures(X, (2, 2))
    assert fastest_lr(X, (2, 2)) == pytest.approx(2 / (values[0] + values[1]).item())


def test_on_a_black_picture_every_learning_rate_is_stable():
    black = torch.zeros(4, 4)
    assert max_stable_lr(black, 2) == math.inf
    assert fastest_lr(black, 2) == math.inf


# The outlook


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@settings(max_examples=30)
@given(
    start=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    share=st.floats(0.05, 0.9) | st.floats(1.1, 3),
)
def test_the_outlook_comes_true(start, share, reduction):
    picture, start = X.double(), torch.tensor([start]).double()
    target, limit = corr2d(picture, BOOKS.double()), max_stable_lr(X, (1, 2), reduction=reduction)
    descent = KernelDescent(picture, target, start, lr=share * limit, reduction=reduction)
    text = outlook(picture, target, start, share * limit, reduction=reduction)
    error = start - BOOKS.double()
    steep, flat = (error[0, 0] + error[0, 1]).abs(), (error[0, 0] - error[0, 1]).abs()
    if max(steep, flat) < 1e-5 or 0 < steep < 1e-5:  # too close to call
        return
    if share > 1 and (steep > 1e-5 or abs(1 - 0.4 * share) > 1):
        assert text.startswith("Diverging, since")
        with pytest.raises(ConvkitError):
            descent.jump(200)
    else:
        assert text.startswith("Converging")
        assert descent.jump(20).loss < descent.trajectory[0].loss
    if share < 1:
        assert ("oscillates" in text) == (share > 0.5 and steep > 1e-5)


def test_the_outlook_says_why_and_what_would_work():
    start = torch.tensor([[0.5, 0.5]])
    assert outlook(X, Y, start, 0.03) == (
        "Converging, while the kernel oscillates, since learning rate 0.03 is 90% of the limit "
        "0.03333: each step multiplies the error along the steepest direction by -0.8 and along "
        "the flattest by 0.64."
    )
    assert outlook(X, Y, start, 0.04) == (
        "Diverging, since learning rate 0.04 is 120% of the limit 0.03333: each step multiplies "
        "the error along the steepest direction by -1.4. Any learning rate below 0.03333 would "
        "have worked; 0.02778 is the fastest."
    )


def test_the_outlook_at_the_limit_is_neither():
    text = outlook(X, Y, torch.tensor([[0.5, 0.5]]), max_stable_lr(X, (1, 2)))
    assert text.startswith("Oscillating without end, since learning rate 0.03333 is 100% of")


def test_the_outlook_where_there_is_nothing_to_learn():
    black = torch.zeros(3, 3)
    assert outlook(black, black, torch.ones(1, 1), 0.03).startswith("Nothing to learn")
    assert outlook(X, Y, BOOKS, 0.03).startswith("Nothing left to learn")


# What can be learned


@pytest.mark.parametrize(("size", "rank"), [((1, 2), 2), ((2, 2), 2), ((3, 3), 3)])
def test_the_stripes_tell_few_kernels_apart(size, rank):
    directions = identifiable_directions(X, size)
    assert directions.shape == (rank, *size)
    assert np.linalg.matrix_rank(windows(X, size)) == rank
    flat = directions.flatten(1)
    assert_close(flat @ flat.T, torch.eye(rank).double())
    blind = torch.tensor(scipy.linalg.null_space(windows(X, size)))
    assert blind.shape[1] == size[0] * size[1] - rank
    assert_close(flat @ blind, torch.zeros(rank, blind.shape[1]).double())


def test_noise_tells_all_kernels_apart_and_black_none():
    assert identifiable_directions(noise(9, 9), 3).shape == (9, 3, 3)
    assert identifiable_directions(torch.zeros(4, 4), 2).shape == (0, 2, 2)


def test_what_is_not_identifiable_changes_no_output():
    K = noise(2, 2)
    directions = identifiable_directions(X, (2, 2))
    seen = ((directions * K).sum((1, 2))[:, None, None] * directions).sum(0)
    assert not torch.allclose(seen, K)
    assert_close(corr2d(X.double(), seen), corr2d(X.double(), K))


@pytest.mark.parametrize("size", [(1, 2), (2, 2), (3, 3)])
@pytest.mark.parametrize("picture", [X, noise(9, 8)], ids=["stripes", "noise"])
def test_the_best_kernel_is_scipys_least_squares(picture, size):
    target = noise(picture.shape[0] - size[0] + 1, picture.shape[1] - size[1] + 1, seed=5)
    expected, *_ = scipy.linalg.lstsq(windows(picture, size), target.flatten().numpy())
    K = best_kernel(picture, target, size)
    assert K.shape == size
    assert_close(K, torch.tensor(expected).reshape(size))


def test_the_best_kernel_is_the_one_that_made_the_target():
    assert_close(best_kernel(X, Y, (1, 2)), BOOKS.double())
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    picture = photo(64)
    assert_close(best_kernel(picture, corr2d(picture, sobel), 3), sobel.double(), atol=1e-3, rtol=0)


# The surface


@given(st.integers(0, 10**6), st.sampled_from(SIZES), st.sampled_from(["sum", "mean"]))
def test_the_bowl_is_the_loss(seed, size, reduction):
    picture, target = noise(5, 6, seed=seed), noise(6 - size[0], 7 - size[1], seed=seed + 1)
    k = noise(size[0] * size[1], seed=seed + 2)
    G, b, c = bowl(picture, target, size, reduction=reduction)
    assert_close(k @ G @ k - 2 * b @ k + c, squared_error(picture, target, reduction)(k, size))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_loss_surface_is_the_loss_at_each_point(reduction):
    picture, target, size = noise(5, 6), noise(4, 4, seed=1), (2, 3)
    centre, u, v = noise(*size, seed=2), noise(*size, seed=3), noise(*size, seed=4)
    a, b = torch.linspace(-2, 2, 5), torch.linspace(-1, 3, 4)
    surface = loss_surface(bowl(picture, target, size, reduction=reduction), centre, u, v, a, b)
    loss = squared_error(picture, target, reduction)
    expected = torch.stack(
        [torch.stack([loss(centre + s * u + t * v, size) for s in a.double()]) for t in b.double()]
    )
    assert surface.shape == (4, 5)
    assert_close(surface, expected)


def test_the_loss_surface_is_nowhere_below_zero():
    ends = torch.linspace(-1e-9, 1e-9, 7)
    centre, u, v = BOOKS, *plane(X, (1, 2))
    surface = loss_surface(bowl(X, Y, (1, 2)), centre, u, v, ends, ends)
    assert (surface >= 0).all()
    assert surface.max() < 1e-12


@pytest.mark.parametrize("size", [(1, 2), (2, 1)])
def test_the_plane_of_two_weights_is_the_weights(size):
    u, v = plane(X, size)
    assert torch.equal(u, torch.tensor([1.0, 0]).double().reshape(size))
    assert torch.equal(v, torch.tensor([0.0, 1]).double().reshape(size))


def test_the_plane_of_more_weights_is_the_steepest_and_the_flattest_that_show():
    u, v = plane(X, 3)
    values, directions = curvatures(X, 3)
    assert torch.equal(u, directions[0])
    assert torch.equal(v, directions[2])
    H = hessian(X, 3)
    assert_close(u.flatten() @ H @ u.flatten(), values[0])
    assert_close(v.flatten() @ H @ v.flatten(), values[2])
    assert values[2] > 1
    assert values[3] < 1e-9


def test_a_direction_that_does_not_exist_is_zeros():
    u, v = plane(noise(4, 4), 1)
    assert_close(u.abs(), torch.ones(1, 1).double())
    assert torch.equal(v, torch.zeros(1, 1).double())
    u, v = plane(torch.zeros(4, 4), 2)
    assert torch.equal(u, torch.zeros(2, 2).double())
    assert torch.equal(v, torch.zeros(2, 2).double())


# Errors


@pytest.mark.parametrize("analyse", [hessian, curvatures, max_stable_lr, fastest_lr, plane])
@pytest.mark.parametrize(
    ("picture", "size", "texts"),
    [
        ([[1.0]], 1, ["X is a list", "torch.tensor(X)"]),
        (X[None], 2, ["X has shape (1, 6, 8)", "such as X[0]"]),
        (X.long(), 2, ["X has dtype torch.int64", "X.float()"]),
        (X, 7, ["kernel_size (7, 7)", "input_size (6, 8)", "smaller kernel"]),
        (X, 0, ["kernel_size is 0", "at least 1"]),
    ],
)
def test_errors_name_the_argument_its_value_and_the_remedy(analyse, picture, size, texts):
    with pytest.raises(ConvkitError) as error:
        analyse(picture, size)
    for text in texts:
        assert text in str(error.value)


def test_errors_of_the_target():
    with pytest.raises(ConvkitError) as error:
        best_kernel(X, Y.T, (1, 2))
    for text in ("Y has shape (7, 6)", "shape (6, 7)", "X (6, 8)", "(1, 2)", "corr2d(X, kernel)"):
        assert text in str(error.value)
    with pytest.raises(ConvkitError, match=r"Y has dtype torch.int64; .*Write Y.float\(\)"):
        bowl(X, Y.long(), (1, 2))


def test_errors_of_the_reduction():
    with pytest.raises(ConvkitError, match='reduction is \'total\'; wanted "sum" or "mean"'):
        hessian(X, (1, 2), reduction="total")
