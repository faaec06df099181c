"""The operations against torch, scipy, and the plain double loop that specifies them."""

import math

import pytest
import scipy.signal
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck
from torch.testing import assert_close

from convkit import ConvkitError, convolve2d, corr2d, output_size, pool2d, window

X33 = torch.arange(9.0).reshape(3, 3)
K22 = torch.arange(4.0).reshape(2, 2)
STRIPES = torch.tensor([[1.0, 1, 0, 0, 0, 0, 1, 1]] * 6)
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def same(actual, expected):
    """Equal in shape, then in every value and in dtype."""
    assert actual.shape == expected.shape
    assert_close(actual, expected, rtol=0, atol=0)


def both(value):
    return value if isinstance(value, tuple) else (value, value)


def one_or_pair(least, most):
    number = st.integers(least, most)
    return st.one_of(number, st.tuples(number, number))


def whole_numbers(seed, *shape):
    """Small whole numbers: their sums of products are exact in every dtype tested here."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-3, 4, shape, generator=generator)


@st.composite
def problems(draw, dtypes=DTYPES):
    """Draw X, K and the keywords of a correlation that has at least one output cell."""
    options = {
        "padding": draw(one_or_pair(0, 3)),
        "stride": draw(one_or_pair(1, 3)),
        "dilation": draw(one_or_pair(1, 3)),
    }
    kernel_size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    shape = [
        draw(st.integers(max(1, d * (k - 1) + 1 - 2 * p), d * (k - 1) + 6))
        for k, p, d in zip(
            kernel_size, both(options["padding"]), both(options["dilation"]), strict=True
        )
    ]
    dtype, seed = draw(st.sampled_from(dtypes)), draw(st.integers(0, 10**6))
    X, K = whole_numbers(seed, *shape), whole_numbers(seed + 1, *kernel_size)
    return X.to(dtype), K.to(dtype), options


def padded(X, padding, value=0.0):
    (ph, pw), (h, w) = both(padding), X.shape
    wide = torch.full((h + 2 * ph, w + 2 * pw), value, dtype=X.dtype)
    wide[ph : ph + h, pw : pw + w] = X
    return wide


def dilated(K, dilation):
    """Put zeros between the cells of K."""
    (dh, dw), (kh, kw) = both(dilation), K.shape
    wide = torch.zeros(dh * (kh - 1) + 1, dw * (kw - 1) + 1, dtype=K.dtype)
    wide[::dh, ::dw] = K
    return wide


def double_loop(X, K, *, padding=0, stride=1, dilation=1):
    """The specification: the book's loop over output cells, on padded and dilated arrays."""
    X, K, (sh, sw) = padded(X, padding), dilated(K, dilation), both(stride)
    rows = range(0, X.shape[0] - K.shape[0] + 1, sh)
    columns = range(0, X.shape[1] - K.shape[1] + 1, sw)
    Y = torch.zeros(len(rows), len(columns), dtype=X.dtype)
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            Y[i, j] = (X[top : top + K.shape[0], left : left + K.shape[1]] * K).sum()
    return Y


def by_scipy(operation, X, K, *, padding=0, stride=1, dilation=1):
    X, K = padded(X.double(), padding), dilated(K.double(), dilation)
    (sh, sw) = both(stride)
    return torch.tensor(operation(X.numpy(), K.numpy(), mode="valid")[::sh, ::sw])


# Cross-correlation and convolution


@given(problems())
def test_corr2d_is_the_double_loop(problem):
    X, K, options = problem
    same(corr2d(X, K, **options), double_loop(X, K, **options))


@given(problems())
def test_conv2d_is_the_double_loop_with_the_kernel_turned_by_180_degrees(problem):
    X, K, options = problem
    turned = K.rot90().rot90()
    same(convolve2d(X, K, **options), double_loop(X, turned, **options))


@given(problems())
def test_corr2d_is_torchs_conv2d(problem):
    X, K, options = problem
    same(corr2d(X, K, **options), F.conv2d(X[None, None], K[None, None], **options)[0, 0])


@given(problems())
def test_corr2d_is_torchs_layer(problem):
    X, K, options = problem
    layer = nn.Conv2d(1, 1, tuple(K.shape), bias=False, dtype=X.dtype, **options)
    layer.weight.data[:] = K
    same(corr2d(X, K, **options), layer(X[None, None])[0, 0].detach())


@given(problems())
def test_corr2d_is_scipys_correlate2d(problem):
    X, K, options = problem
    expected = by_scipy(scipy.signal.correlate2d, X, K, **options)
    same(corr2d(X, K, **options), expected.to(X.dtype))


@given(problems())
def test_conv2d_is_scipys_convolve2d(problem):
    X, K, options = problem
    expected = by_scipy(scipy.signal.convolve2d, X, K, **options)
    same(convolve2d(X, K, **options), expected.to(X.dtype))


@given(problems([torch.float64]))
def test_padding_by_all_but_one_is_scipys_full_mode(problem):
    X, K, _ = problem
    padding = (K.shape[0] - 1, K.shape[1] - 1)
    X_numpy, K_numpy = X.numpy(), K.numpy()
    full = torch.tensor(scipy.signal.correlate2d(X_numpy, K_numpy, mode="full"))
    same(corr2d(X, K, padding=padding), full)
    full = torch.tensor(scipy.signal.convolve2d(X_numpy, K_numpy, mode="full"))
    same(convolve2d(X, K, padding=padding), full)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_corr2d_of_values_that_are_not_whole(dtype):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(40, 50, generator=generator, dtype=dtype)
    K = torch.randn(7, 5, generator=generator, dtype=dtype)
    options = {"padding": (2, 3), "stride": (1, 2), "dilation": (2, 1)}
    expected = by_scipy(scipy.signal.correlate2d, X, K, **options).to(dtype)
    assert corr2d(X, K, **options).shape == expected.shape
    assert_close(corr2d(X, K, **options), expected)


@given(problems())
def test_no_operation_edits_what_it_is_given(problem):
    X, K, options = problem
    X_before, K_before = X.clone(), K.clone()
    corr2d(X, K, **options), convolve2d(X, K, **options), window(X, K, 0, 0, **options).zero_()
    same(K, K_before)
    if both(options["padding"]) != (0, 0):  # without padding the window is a view, as in torch
        same(X, X_before)


@pytest.mark.parametrize("operation", [corr2d, convolve2d])
@pytest.mark.parametrize(
    "options",
    [{}, {"padding": 1}, {"stride": (2, 1)}, {"padding": (0, 2), "stride": 2, "dilation": (2, 1)}],
    ids=str,
)
def test_gradients(operation, options):
    generator = torch.Generator().manual_seed(1)
    X = torch.randn(5, 6, generator=generator).double().requires_grad_()
    K = torch.randn(3, 2, generator=generator).double().requires_grad_()
    assert gradcheck(lambda X, K: operation(X, K, **options), (X, K))


@settings(max_examples=12)
@given(problems([torch.float64]))
def test_gradients_everywhere(problem):
    X, K, options = problem
    leaves = X.requires_grad_(), K.requires_grad_()
    assert gradcheck(lambda X, K: corr2d(X, K, **options), leaves)
    assert gradcheck(lambda X, K: convolve2d(X, K, **options), leaves)


# The book's numbers


def test_the_books_first_example():
    same(corr2d(X33, K22), torch.tensor([[19.0, 25], [37, 43]]))


def test_the_same_with_the_kernel_flipped():
    same(convolve2d(X33, K22), torch.tensor([[5.0, 11], [23, 29]]))


def test_the_same_with_padding():
    expected = [[0, 3, 8, 4], [9, 19, 25, 10], [21, 37, 43, 16], [6, 7, 8, 0]]
    same(corr2d(X33, K22, padding=1), torch.tensor(expected).float())


def test_the_same_with_padding_and_stride():
    expected = torch.tensor([[0.0, 8], [6, 8]])
    same(corr2d(X33, K22, padding=1, stride=(3, 2)), expected)


def test_the_books_stripes():
    K = torch.tensor([[1.0, -1]])
    same(corr2d(STRIPES, K), torch.tensor([[0.0, 1, 0, 0, 0, -1, 0]] * 6))
    same(corr2d(STRIPES.T, K), torch.zeros(8, 5))


# Sizes


@given(problems([torch.float32]))
def test_output_size_is_the_size_of_the_output(problem):
    X, K, options = problem
    assert output_size(tuple(X.shape), tuple(K.shape), **options) == corr2d(X, K, **options).shape


@pytest.mark.parametrize(
    ("n", "k", "s", "p", "out"),
    [
        (4, 3, 1, 0, 2),
        (5, 4, 1, 2, 6),
        (5, 3, 1, 1, 5),
        (5, 3, 1, 2, 7),
        (5, 3, 2, 0, 2),
        (5, 3, 2, 1, 3),
        (6, 3, 2, 1, 3),
    ],
)
def test_output_size_is_dumoulin_and_visins_table(n, k, s, p, out):
    assert output_size(n, k, stride=s, padding=p) == out


def test_output_size_with_dilation_is_dumoulin_and_visins():
    assert output_size(7, 3, dilation=2) == 3


@pytest.mark.parametrize(
    ("kernel_size", "options", "out"),
    [
        (3, {"padding": 1}, (8, 8)),
        ((5, 3), {"padding": (2, 1)}, (8, 8)),
        (3, {"padding": 1, "stride": 2}, (4, 4)),
        ((3, 5), {"padding": (0, 1), "stride": (3, 4)}, (2, 2)),
    ],
)
def test_output_size_is_the_books_four_examples(kernel_size, options, out):
    assert output_size((8, 8), kernel_size, **options) == out


def test_ten_5x5_layers_take_240_pixels_to_200():
    size = 240
    for _ in range(10):
        size = output_size(size, 5)
    assert size == 200


@pytest.mark.parametrize(
    ("sizes", "options", "out"),
    [
        ((5, 3), {}, 3),
        ((5, (3, 2)), {}, (3, 4)),
        (((5, 5), 3), {}, (3, 3)),
        ((5, 3), {"padding": (0, 1)}, (3, 5)),
        ((5, 3), {"stride": (1, 2)}, (3, 2)),
        ((5, 3), {"dilation": (1, 2)}, (3, 1)),
        ((torch.Size([5, 6]), [3, 3]), {}, (3, 4)),
    ],
    ids=str,
)
def test_output_size_is_an_int_only_where_all_is_ints(sizes, options, out):
    assert output_size(*sizes, **options) == out


# Windows


@given(problems(), st.data())
def test_a_window_is_what_the_output_cell_sees(problem, data):
    X, K, options = problem
    Y = corr2d(X, K, **options)
    i = data.draw(st.integers(0, Y.shape[0] - 1))
    j = data.draw(st.integers(0, Y.shape[1] - 1))
    patch = window(X, K, i, j, **options)
    same((patch * K).sum(), Y[i, j])
    (sh, sw), (dh, dw) = both(options["stride"]), both(options["dilation"])
    wide, (kh, kw) = padded(X, options["padding"]), K.shape
    cells = [[wide[i * sh + a * dh, j * sw + b * dw] for b in range(kw)] for a in range(kh)]
    same(patch, torch.stack([torch.stack(row) for row in cells]))


def test_the_books_first_window():
    same(window(X33, K22, 0, 0), torch.tensor([[0.0, 1], [3, 4]]))
    same(window(X33, K22, 1, 1), torch.tensor([[4.0, 5], [7, 8]]))
    same(window(X33, K22, 0, 0, padding=1), torch.tensor([[0.0, 0], [0, 0]]))


# Pooling


@st.composite
def poolings(draw):
    size = draw(one_or_pair(1, 4))
    most = [k // 2 for k in both(size)]
    padding = draw(
        st.one_of(
            st.integers(0, min(most)),
            st.tuples(st.integers(0, most[0]), st.integers(0, most[1])),
        )
    )
    shape = [
        draw(st.integers(max(1, k - 2 * p), k + 5))
        for k, p in zip(both(size), both(padding), strict=True)
    ]
    X = whole_numbers(draw(st.integers(0, 10**6)), *shape) - 5  # all below 0: padding may not win
    return X.to(draw(st.sampled_from(DTYPES))), size, padding, draw(one_or_pair(1, 3))


def pool_loop(X, size, reduce, *, padding, stride, fill):
    X, (kh, kw), (sh, sw) = padded(X, padding, fill), both(size), both(stride)
    rows, columns = range(0, X.shape[0] - kh + 1, sh), range(0, X.shape[1] - kw + 1, sw)
    return torch.stack(
        [torch.stack([reduce(X[i : i + kh, j : j + kw]) for j in columns]) for i in rows]
    )


@given(poolings())
def test_pool2d_is_a_loop(pooling):
    X, size, padding, stride = pooling
    options = {"padding": padding, "stride": stride}
    expected = pool_loop(X, size, torch.max, fill=-math.inf, **options)
    same(pool2d(X, size, **options), expected)
    expected = pool_loop(X.double(), size, torch.mean, fill=0.0, **options).to(X.dtype)
    assert pool2d(X, size, "avg", **options).shape == expected.shape
    assert_close(pool2d(X, size, "avg", **options), expected)


@given(poolings())
def test_pool2d_is_torchs_layer(pooling):
    X, size, padding, stride = pooling
    options = {"padding": padding, "stride": stride}
    same(pool2d(X, size, **options), nn.MaxPool2d(size, **options)(X[None])[0])
    same(pool2d(X, size, "avg", **options), nn.AvgPool2d(size, **options)(X[None])[0])


def test_pool2d_is_the_books():
    same(pool2d(X33, 2), torch.tensor([[4.0, 5], [7, 8]]))
    same(pool2d(X33, (2, 2), "avg"), torch.tensor([[2.0, 3], [5, 6]]))
    X44 = torch.arange(16.0).reshape(4, 4)
    same(pool2d(X44, 3, stride=3), torch.tensor([[10.0]]))
    same(pool2d(X44, 3, padding=1, stride=2), torch.tensor([[5.0, 7], [13, 15]]))


@pytest.mark.parametrize("padding", [0, 1])
def test_gradients_of_pooling(padding):
    X = torch.randn(5, 6, generator=torch.Generator().manual_seed(2)).double().requires_grad_()
    assert gradcheck(lambda X: pool2d(X, (2, 3), "avg", padding=padding, stride=2), (X,))
    assert gradcheck(lambda X: pool2d(X, (2, 3), "max", padding=padding), (X,))


# Errors: each names the argument, its value and the remedy


CORRELATIONS = [corr2d, convolve2d, lambda X, K, **options: window(X, K, 0, 0, **options)]


@pytest.mark.parametrize("operation", CORRELATIONS, ids=["corr2d", "convolve2d", "window"])
@pytest.mark.parametrize(
    ("X", "K", "options", "texts"),
    [
        ([[1.0]], K22, {}, ["X is a list", "(H, W)", "torch.tensor(X)"]),
        (X33, None, {}, ["K is a NoneType", "(H, W)", "torch.tensor(K)"]),
        (X33[0], K22, {}, ["X has shape (3,)", "(H, W)", "Reshape"]),
        (torch.tensor(1.0), K22, {}, ["X has shape ()", "(H, W)", "Reshape"]),
        (X33[None], K22, {}, ["X has shape (1, 3, 3)", "one picture, such as X[0]."]),
        (X33, K22[None, None], {}, ["K has shape (1, 1, 2, 2)", "such as K[0, 0]."]),
        (X33[:0], K22, {}, ["X has shape (0, 3)", "no values", "at least one row"]),
        (X33, K22[:, :0], {}, ["K has shape (2, 0)", "no values", "at least one row"]),
        (X33.long(), K22, {}, ["X has dtype torch.int64", "float tensor", "X.float()"]),
        (X33, K22.bool(), {}, ["K has dtype torch.bool", "float tensor", "K.float()"]),
        (
            X33,
            K22.double(),
            {},
            ["X has dtype torch.float32 and K has torch.float64", "one dtype", "K.to(X.dtype)"],
        ),
        (K22, X33, {}, ["kernel_size (3, 3)", "input_size (2, 2)", "no larger", "smaller kernel"]),
        (X33, K22, {"dilation": 3}, ["kernel_size (2, 2) with dilation 3", "less dilation"]),
        (X33, K22, {"stride": 0}, ["stride is 0", "at least 1", "write one number"]),
        (X33, K22, {"stride": (1, -2)}, ["stride is (1, -2)", "at least 1"]),
        (X33, K22, {"dilation": (0, 1)}, ["dilation is (0, 1)", "at least 1"]),
        (X33, K22, {"padding": -1}, ["padding is -1", "at least 0"]),
        (X33, K22, {"padding": "same"}, ["padding is 'same'", "a pair (h, w)"]),
        (X33, K22, {"padding": 0.5}, ["padding is 0.5", "a whole number"]),
        (X33, K22, {"padding": (1, 2, 3)}, ["padding is (1, 2, 3)", "a pair (h, w)"]),
        (X33, K22, {"stride": True}, ["stride is True", "a whole number"]),
        (X33, K22, {"stride": None}, ["stride is None", "a whole number"]),
    ],
)
def test_errors_name_the_argument_its_value_and_the_remedy(operation, X, K, options, texts):
    with pytest.raises(ConvkitError) as error:
        operation(X, K, **options)
    for text in texts:
        assert text in str(error.value)


@pytest.mark.parametrize(("i", "j"), [(2, 0), (0, 2), (-1, 0), (0, -1)])
def test_errors_of_window(i, j):
    with pytest.raises(ConvkitError) as error:
        window(X33, K22, i, j)
    assert f"output cell ({i}, {j}); wanted i from 0 to 1 and j from 0 to 1" in str(error.value)
    assert "count from 0" in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "options", "texts"),
    [
        ((0, 1), {}, ["input_size is 0", "at least 1"]),
        ((5, (3, 0)), {}, ["kernel_size is (3, 0)", "at least 1"]),
        ((5, 3), {"stride": 0}, ["stride is 0", "at least 1"]),
        ((5, 3), {"padding": (0, -1)}, ["padding is (0, -1)", "at least 0"]),
        ((3, 5), {"padding": 0}, ["kernel_size 5", "input_size 3", "padding 0", "more padding"]),
        (((9, 2), 3), {}, ["kernel_size 3", "input_size (9, 2)", "larger input"]),
    ],
)
def test_errors_of_output_size(arguments, options, texts):
    with pytest.raises(ConvkitError) as error:
        output_size(*arguments, **options)
    for text in texts:
        assert text in str(error.value)


@pytest.mark.parametrize(
    ("X", "size", "options", "texts"),
    [
        (X33, 2, {"mode": "mean"}, ["mode is 'mean'", '"max" or "avg"', "Choose"]),
        (X33, 0, {}, ["pool_size is 0", "at least 1"]),
        (X33, 4, {}, ["kernel_size (4, 4)", "input_size (3, 3)", "larger input"]),
        (X33, 2, {"stride": 0}, ["stride is 0", "at least 1"]),
        (X33, (2, 3), {"padding": 2}, ["padding is 2 for pool_size (2, 3)", "half", "Pad less"]),
        (X33[None], 2, {}, ["X has shape (1, 3, 3)", "X[0]"]),
        (X33.int(), 2, {}, ["X has dtype torch.int32", "X.float()"]),
    ],
)
def test_errors_of_pool2d(X, size, options, texts):
    with pytest.raises(ConvkitError) as error:
        pool2d(X, size, **options)
    for text in texts:
        assert text in str(error.value)
