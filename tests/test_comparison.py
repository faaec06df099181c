"""A right result in any precision agrees with the library's; a wrong one does not."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate2d

from convkit import ConvkitError, convolve2d, corr2d
from convkit.comparison import mismatch_mask, rounding_bound

DTYPES = [torch.bfloat16, torch.float16, torch.float32, torch.float64]


def loop(X, K):
    """Correlate as a learner does, rounding after each operation, from the last weight on."""
    height, width = X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1
    Y = torch.zeros(height, width, dtype=X.dtype)
    for a in reversed(range(K.shape[0])):
        for b in reversed(range(K.shape[1])):
            Y += X[a : a + height, b : b + width] * K[a, b]
    return Y


def random(shape, dtype, scale=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@given(scale=st.sampled_from([1e-6, 1.0, 500.0]), side=st.integers(1, 7), seed=st.integers(0, 99))
def test_another_order_of_the_sum_agrees(dtype, scale, side, seed):
    X, K = random((10, 12), dtype, seed=seed), random((side, side), dtype, scale, seed + 1)
    bound = rounding_bound(X, K)
    assert not mismatch_mask(loop(X, K), corr2d(X, K), bound).any()
    assert not mismatch_mask(loop(X.double(), K.double()), corr2d(X, K), bound).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1e-6, 500.0])
def test_wrong_operations_differ_at_every_scale(dtype, scale):
    X, K = random((10, 12), dtype).abs() + 1, random((3, 3), dtype, scale).abs()
    Y, bound = corr2d(X, K), rounding_bound(X, K)
    assert mismatch_mask(1.5 * Y, Y, bound).all()
    assert mismatch_mask(convolve2d(X, K), Y, bound).any()


def test_the_bound_is_that_of_the_absolute_values():
    X, K = random((6, 7), torch.float32), random((2, 3), torch.float32)
    magnitudes = correlate2d(abs(X.double().numpy()), abs(K.double().numpy()), "valid")
    eps = np.finfo(np.float32).eps
    np.testing.assert_allclose(rounding_bound(X, K), 6 * eps * magnitudes, rtol=1e-12)
    np.testing.assert_allclose(rounding_bound(X, K, bias=-3), 7 * eps * (magnitudes + 3))


@pytest.mark.parametrize(
    "options",
    [{"padding": 1, "stride": 2}, {"dilation": 2}, {"padding": 1, "padding_mode": "reflect"}],
)
def test_the_bound_has_the_outputs_shape_and_modes(options):
    X, K = torch.ones(6, 7), torch.ones(3, 3)
    of_one_product = torch.finfo(torch.float32).eps * 9
    expected = of_one_product * corr2d(X, K, **options).double()
    torch.testing.assert_close(rounding_bound(X, K, **options), expected)


def test_only_what_is_equally_not_finite_agrees():
    inf, nan = float("inf"), float("nan")
    candidate = torch.tensor([[inf, inf, nan, nan, 0.0, 1.0]])
    reference = torch.tensor([[inf, -inf, nan, 0.0, inf, 1.0]])
    mask = mismatch_mask(candidate, reference, torch.ones(1, 6))
    assert mask.tolist() == [[False, True, False, True, True, False]]


@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (2,)])
def test_another_shape_is_refused(shape):
    with pytest.raises(ConvkitError, match=r"candidate has shape .* the output's shape \(2, 3\)"):
        mismatch_mask(torch.zeros(shape), torch.zeros(2, 3), torch.zeros(2, 3))
