"""Each named kernel by the property that its name promises, and by scipy where it has one."""

import numpy as np
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


def test_every_kernel_sums_to_0_or_to_1():
    assert sorted(KERNELS) == sorted(SUM_0 + SUM_1)
    for name in KERNELS:
        total = torch.tensor(1.0 if name in SUM_1 else 0.0)
        assert_close(kernel(name).sum(), total)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", KERNELS)
def test_each_call_makes_a_new_tensor_that_is_recognised_by_its_values(name, dtype):
    assert kernel(name).dtype == torch.float32
    K = kernel(name).to(dtype)
    assert named_like(K) == name
    K[0, 0] += 0.125
    assert named_like(K) is None
    assert named_like(kernel(name)) == name


@pytest.mark.parametrize(
    ("family", "smoothing"), [("Prewitt", [1, 1, 1]), ("Sobel", [1, 2, 1]), ("Scharr", [3, 10, 3])]
)
def test_edge_kernel_is_smoothing_times_difference(family, smoothing):
    x, y = kernel(f"{family} x"), kernel(f"{family} y")
    smoothing, difference = torch.tensor(smoothing).float(), torch.tensor([-1.0, 0, 1])
    assert torch.equal(x, torch.outer(smoothing, difference))
    assert torch.equal(y, x.T)
    slope = 2 * smoothing.sum()
    for picture, responses in ((RIGHT, (slope, 0)), (DOWN, (0, slope))):
        for K, response in zip((x, y), responses, strict=True):
            assert (corr2d(picture, K) == response).all()


def test_laplacian_is_scipys():
    expected = torch.tensor(scipy.ndimage.laplace(NOISE.numpy()))[1:-1, 1:-1]
    assert_close(corr2d(NOISE, kernel("Laplacian")), expected)


def test_sharpen_is_the_identity_less_the_laplacian():
    assert torch.equal(kernel("sharpen"), kernel("identity") - kernel("Laplacian"))


def test_emboss_adds_the_slope_towards_the_lower_right():
    relief = kernel("emboss") - kernel("identity")
    assert torch.equal(relief, -relief.rot90(2))
    assert torch.equal(relief, relief.T)
    assert (corr2d(RIGHT, relief) == 6).all()


def test_diagonal_kernels_find_the_edge_along_their_own_diagonal():
    upper = torch.ones(6, 6).triu()  # its edge runs along the main diagonal
    other = upper.fliplr()
    assert corr2d(upper, kernel("diagonal")).max() == 3
    assert corr2d(other, kernel("anti-diagonal")).max() == 3
    assert corr2d(other, kernel("diagonal")).abs().max() < 3
    assert torch.equal(kernel("diagonal"), -kernel("diagonal").T)
    assert torch.equal(kernel("anti-diagonal"), kernel("diagonal").fliplr())


@pytest.mark.parametrize("size", SIZES)
def test_kernels_that_come_in_every_size(size):
    assert_close(kernel("box blur", size), torch.ones(size) / torch.ones(size).sum())
    identity = kernel("identity", size)
    assert identity[(size[0] - 1) // 2, (size[1] - 1) // 2] == identity.sum() == 1
    columns, rows = (np.poly1d([0.5, 0.5]) ** (n - 1) for n in size)
    binomial = np.outer(columns.coeffs, rows.coeffs)
    assert_close(kernel("Gaussian blur", size), torch.tensor(binomial).float())


def test_one_number_is_a_square_and_3_is_the_default():
    assert kernel("box blur", np.int64(5)).shape == (5, 5)
    assert kernel("box blur").shape == (3, 3)
    assert torch.equal(kernel("Sobel x", 3), kernel("Sobel x"))
    assert torch.equal(kernel("book's [1, -1]", (1, 2)), torch.tensor([[1.0, -1]]))


@pytest.mark.parametrize(
    ("name", "size", "given", "expected"),
    [
        ("sobel", None, "kernel is 'sobel'", "one of identity, box blur, Gaussian blur, sharpen"),
        (["identity"], None, "kernel is ['identity']", "one of identity"),
        ("Sobel x", 5, "size 5 for 'Sobel x'", "its only size, (3, 3)"),
        ("book's [1, -1]", (2, 1), 'size (2, 1) for "book\'s [1, -1]"', "its only size, (1, 2)"),
        ("box blur", 0, "size is 0", "a whole number from 1 to 500"),
        ("Sobel x", 501, "size is 501", "a whole number from 1 to 500"),
    ],
)
def test_errors(name, size, given, expected):
    with pytest.raises(ConvkitError) as error:
        kernel(name, size)
    assert error.value.given == given
    assert expected in error.value.expected
    if size == 5:
        assert error.value.hint.endswith("every size: identity, box blur, Gaussian blur.")


@pytest.mark.parametrize("name", EVERY_SIZE)
def test_blur_and_identity_are_recognised_and_resized_in_every_size(name):
    wide = kernel(name, (5, 4)).double()
    assert named_like(wide) == name
    assert_close(resized(wide, 3), kernel(name).double(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3, 2), [[1.0, 2], [4, 5], [0, 0]]),
        ((1, 4), [[1.0, 2, 3, 0]]),
        ((3, 3), [[1.0, 2, 3], [4, 5, 6], [0, 0, 0]]),
    ],
)
def test_resizing_keeps_cells_in_their_row_and_column(size, expected):
    K = torch.arange(1.0, 7).reshape(2, 3).double()
    new = resized(K, size)
    assert torch.equal(new, torch.tensor(expected).double())
    new.zero_()
    assert K.sum() == 21


def test_resizing_needs_at_least_one_cell():
    with pytest.raises(ConvkitError, match=r"size is \(0, 3\); expected a whole number from 1"):
        resized(kernel("Sobel x"), (0, 3))
