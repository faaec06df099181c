"""as_matrix, against torch, SciPy and autograd."""

import pytest
import scipy.linalg
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from convkit import ConvkitError, as_matrix, corr2d, patches

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADDINGS = st.tuples(st.integers(0, 2), st.integers(0, 2))
FLOAT64 = {"dtype": torch.float64, "device": "cpu"}


@given(st.integers(7, 9), st.integers(7, 8), PAIRS, PADDINGS, PAIRS, PAIRS, st.integers(0, 99))
def test_the_product_is_the_correlation_and_the_transpose_its_gradient(
    h, w, kernel_size, padding, stride, dilation, seed
):
    torch.manual_seed(seed)
    options = {"padding": padding, "stride": stride, "dilation": dilation}
    K, X = torch.randn(kernel_size, **FLOAT64), torch.randn(h, w, **FLOAT64).requires_grad_()
    W, Y = as_matrix(K, (h, w), **options), F.conv2d(X[None, None], K[None, None], **options)
    torch.testing.assert_close(W @ X.flatten(), Y.flatten())
    G = torch.randn_like(Y)
    Y.backward(G)
    torch.testing.assert_close((W.T @ G.flatten()).reshape(h, w), X.grad)
    columns = patches(X.detach(), kernel_size, **options)
    torch.testing.assert_close(columns @ K.flatten(), Y.detach().flatten())


def test_a_signal_has_a_band_of_equal_weights():
    kernel = [1.0, 0.0, -1.0]
    band = scipy.linalg.convolution_matrix(kernel[::-1], 6, mode="valid")
    W = as_matrix(torch.tensor([kernel]), (1, 6))
    assert W.tolist() == band.tolist()
    assert (W @ torch.arange(1.0, 7.0)).tolist() == [-2, -2, -2, -2]


def test_the_transpose_is_the_transposed_convolution():
    K, Y = torch.randn(3, 2, **FLOAT64), torch.randn(4, 5, **FLOAT64)
    upsampled = F.conv_transpose2d(Y[None, None], K[None, None], stride=2)[0, 0]
    W = as_matrix(K, upsampled.shape, stride=2)
    torch.testing.assert_close((W.T @ Y.flatten()).reshape(upsampled.shape), upsampled)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.ones(3), 4), "K"),
        ((torch.ones(2, 2), 1), "kernel"),
        ((torch.ones(2, 2), "4"), "size"),
        ((torch.ones(2, 2), (4, 4, 4)), "size"),
        ((torch.ones(2, 2), 100), "at most 16777216 numbers"),
        (([[1, 2]], 4), "K"),
    ],
)
def test_what_cannot_work_is_refused_in_words(arguments, message):
    with pytest.raises(ConvkitError, match=message):
        as_matrix(*arguments)


def test_the_largest_matrix_can_be_made():
    X = torch.rand(64, 64)
    W = as_matrix(torch.ones(2, 2), X.shape)
    torch.testing.assert_close((W @ X.flatten()).reshape(63, 63), corr2d(X, torch.ones(2, 2)))
