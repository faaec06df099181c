"""Each named kernel by the property that earns it its name, and by scipy where it has one."""

import pytest
import scipy.ndimage
import torch
from torch.testing import assert_close

from convkit import KERNELS, ConvkitError, corr2d, kernel
from convkit.kernels import named_like, resized

EVERY_SIZE = ["identity", "box blur", "Gaussian blur"]
EDGES = ["Prewitt x", "Prewitt y", "Sobel x", "Sobel y", "Scharr x", "Scharr y"]
SUM_0 = [*EDGES, "Laplacian", "book's [1, -1]", "diagonal", "anti-diagonal"]
SUM_1 = [*EVERY_SIZE, "sharpen", "emboss"]
SIZES = [(1, 1), (1, 2), (3, 3), (4, 2), (7, 7)]
NOISE = torch.rand(9, 11, generator=torch.Generator().manual_seed(0))
RIGHT = torch.arange(7.0).repeat(6, 1)  # rises by 1 from column to column
DOWN = torch.arange(6.0)[:, None].repeat(1, 7)


def test_every_kernel_is_in_one_of_the_two_families():
    assert sorted(KERNELS) == sorted(SUM_0 + SUM_1)


@pytest.mark.parametrize("name", SUM_1)
def test_a_constant_stays(name):
    assert_close(corr2d(torch.full((5, 5), 0.4), kernel(name)), torch.full((3, 3), 0.4))


@pytest.mark.parametrize("name", SUM_0)
def test_a_constant_vanishes(name):
    assert kernel(name).sum() == 0
    Y = corr2d(torch.full((5, 5), 4.0), kernel(name))
    assert_close(Y, torch.zeros_like(Y), rtol=0, atol=0)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_float32_and_fresh_at_each_call(name):
    K = kernel(name)
    assert K.dtype == torch.float32
    before = K.clone()
    K.fill_(9)
    assert torch.equal(kernel(name), before)


@pytest.mark.parametrize("family", ["Prewitt", "Sobel", "Scharr"])
def test_y_is_x_transposed(family):
    assert torch.equal(kernel(f"{family} y"), kernel(f"{family} x").T)


@pytest.mark.parametrize(
    ("family", "smoothing"), [("Prewitt", [1, 1, 1]), ("Sobel", [1, 2, 1]), ("Scharr", [3, 10, 3])]
)
def test_an_edge_kernel_is_smoothing_times_difference(family, smoothing):
    smoothing, difference = torch.tensor(smoothing).float(), torch.tensor([-1.0, 0, 1])
    assert torch.equal(kernel(f"{family} x"), torch.outer(smoothing, difference))
    # "x" answers to a rise from left to right, by twice the slope times the smoothing's sum.
    assert (corr2d(RIGHT, kernel(f"{family} x")) == 2 * smoothing.sum()).all()
    assert (corr2d(RIGHT, kernel(f"{family} y")) == 0).all()
    assert (corr2d(DOWN, kernel(f"{family} y")) == 2 * smoothing.sum()).all()
    assert (corr2d(DOWN, kernel(f"{family} x")) == 0).all()


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("Prewitt x", lambda X: scipy.ndimage.prewitt(X, axis=1)),
        ("Prewitt y", lambda X: scipy.ndimage.prewitt(X, axis=0)),
        ("Sobel x", lambda X: scipy.ndimage.sobel(X, axis=1)),
        ("Sobel y", lambda X: scipy.ndimage.sobel(X, axis=0)),
        ("Laplacian", scipy.ndimage.laplace),
        ("box blur", lambda X: scipy.ndimage.uniform_filter(X, 3)),
        ("identity", lambda X: X),
    ],
)
def test_a_kernel_is_scipys_of_that_name(name, oracle):
    Y, expected = corr2d(NOISE, kernel(name)), torch.tensor(oracle(NOISE.numpy()))[1:-1, 1:-1]
    assert Y.shape == expected.shape
    assert_close(Y, expected)


def test_the_laplacian_kills_ramps_and_feels_a_bowl():
    for flat in (RIGHT, DOWN, 2 * RIGHT - 3 * DOWN):
        assert (corr2d(flat, kernel("Laplacian")) == 0).all()
    assert (corr2d(RIGHT**2 + DOWN**2, kernel("Laplacian")) == 4).all()


def test_sharpen_is_the_identity_less_the_laplacian():
    assert torch.equal(kernel("sharpen"), kernel("identity") - kernel("Laplacian"))


def test_emboss_lights_the_lower_right():
    relief = kernel("emboss") - kernel("identity")
    assert torch.equal(relief, -relief.rot90(2))
    assert (corr2d(RIGHT + DOWN, kernel("emboss")) > corr2d(RIGHT + DOWN, kernel("identity"))).all()


def test_the_diagonals_feel_their_own_edge_only():
    upper = torch.ones(6, 6).triu()  # its edge runs along the main diagonal
    assert corr2d(upper, kernel("diagonal")).max() == 3
    assert torch.equal(kernel("diagonal"), -kernel("diagonal").T)
    assert torch.equal(kernel("anti-diagonal"), kernel("diagonal").fliplr())
    along_other = upper.fliplr()
    assert corr2d(along_other, kernel("anti-diagonal")).max() == 3
    assert corr2d(along_other, kernel("diagonal")).abs().max() < 3


def test_the_books_kernel():
    assert torch.equal(kernel("book's [1, -1]"), torch.tensor([[1.0, -1]]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", EVERY_SIZE)
def test_kernels_of_every_size_sum_to_1(name, size):
    K = kernel(name, size)
    assert K.shape == size
    assert_close(K.sum(), torch.tensor(1.0))
    assert (K >= 0).all()


def test_one_number_means_a_square():
    assert kernel("box blur", 5).shape == (5, 5)
    assert kernel("box blur").shape == (3, 3)
    assert kernel("Sobel x", 3).shape == (3, 3)


@pytest.mark.parametrize("size", SIZES)
def test_the_gaussian_is_separable_and_symmetric(size):
    K = kernel("Gaussian blur", size)
    assert_close(K, torch.outer(K.sum(1), K.sum(0)))
    assert torch.equal(K, K.flip(0, 1))


def test_the_gaussian_is_repeated_averaging_of_neighbours():
    K, pair = torch.ones(1, 1), torch.full((2, 2), 0.25)
    for n in range(1, 7):
        assert_close(kernel("Gaussian blur", n), K)
        K = corr2d(K, pair, padding=1)


@pytest.mark.parametrize("size", SIZES)
def test_the_identity_has_its_one_in_the_middle(size):
    K = kernel("identity", size)
    assert K.sum() == 1
    assert K[(size[0] - 1) // 2, (size[1] - 1) // 2] == 1


@pytest.mark.parametrize(
    ("name", "size", "texts"),
    [
        ("sobel", None, ["kernel 'sobel'", "Sobel x", "Gaussian blur", "Check the name"]),
        ("Sobel x", 5, ["size 5 for 'Sobel x'", "its only size, (3, 3)", "box blur"]),
        ("book's [1, -1]", (2, 1), ["size (2, 1)", "(1, 2)", "Leave the size out"]),
        ("box blur", 0, ["size is 0", "at least 1"]),
        ("identity", (3, -1), ["size is (3, -1)", "at least 1"]),
    ],
)
def test_errors(name, size, texts):
    with pytest.raises(ConvkitError) as error:
        kernel(name, size)
    for text in texts:
        assert text in str(error.value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_recognised_by_its_values(name, dtype):
    K = kernel(name).to(dtype)
    assert named_like(K) == name
    K[0, 0] += 0.125
    assert named_like(K) is None


@pytest.mark.parametrize("name", EVERY_SIZE)
def test_kernels_of_every_size_are_recognised_in_every_size(name):
    assert named_like(kernel(name, (5, 4))) == name
    assert torch.equal(resized(kernel(name), (5, 4)), kernel(name, (5, 4)))
    assert torch.equal(resized(kernel(name, (5, 4)), (3, 3)), kernel(name))


def test_resizing_keeps_cells_in_their_row_and_column():
    K = torch.arange(1.0, 7).reshape(2, 3)
    assert torch.equal(resized(K, (3, 2)), torch.tensor([[1.0, 2], [4, 5], [0, 0]]))
    assert torch.equal(resized(K, (1, 4)), torch.tensor([[1.0, 2, 3, 0]]))
    assert torch.equal(resized(K, (2, 3)), K)


def test_resizing_keeps_the_dtype_and_copies():
    K = torch.arange(1.0, 7).reshape(2, 3).double()
    new = resized(K, (2, 3))
    assert new.dtype == torch.float64
    new.zero_()
    assert K.sum() == 21
