"""The operations against torch, scipy, and the double loop that specifies them."""

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck
from torch.testing import assert_close

from convkit import ConvkitError, convolve2d, corr2d, ops, output_size, pool2d, window
from convkit.ops import (
    PADDING_MODES,
    WindowGeometry,
    as_integer,
    as_real,
    check_same_dtype,
    pad2d,
    patches,
    to_pair,
    validated_copy,
)

X33 = torch.arange(9.0).reshape(3, 3)
K22 = torch.arange(4.0).reshape(2, 2)
STRIPES = torch.tensor([[1.0, 1, 0, 0, 0, 0, 1, 1]] * 6)
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def assert_same(actual, expected):
    """Equal in shape, then in every value and in dtype."""
    assert actual.shape == expected.shape
    assert_close(actual, expected, rtol=0, atol=0)


def both(value):
    return value if isinstance(value, tuple) else (value, value)


def one_or_pair(low, high):
    number = st.integers(low, high)
    return st.one_of(number, st.tuples(number, number))


def integers(seed, *shape):
    """Small integers: their sums of products are exact in every dtype tested here."""
    return torch.randint(-3, 4, shape, generator=torch.Generator().manual_seed(seed))


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@st.composite
def problems(draw, dtypes=DTYPES):
    """Draw X, K and the keywords of a correlation that has at least one output cell."""
    options = {
        "padding": draw(one_or_pair(0, 3)),
        "stride": draw(one_or_pair(1, 3)),
        "dilation": draw(one_or_pair(1, 3)),
    }
    kernel_size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    axes = zip(kernel_size, both(options["padding"]), both(options["dilation"]), strict=True)
    spans = [(d * (k - 1) + 1, p) for k, p, d in axes]
    shape = [draw(st.integers(max(1, span - 2 * p), span + 5)) for span, p in spans]
    dtype, seed = draw(st.sampled_from(dtypes)), draw(st.integers(0, 10**6))
    X, K = integers(seed, *shape), integers(seed + 1, *kernel_size)
    return X.to(dtype), K.to(dtype), options


def windows(X, kernel_size, *, padding=0, stride=1, dilation=1, fill=0.0):
    """The specification: every window, cell by cell, from an input padded by hand."""
    (ph, pw), (sh, sw), (dh, dw), (kh, kw) = map(both, (padding, stride, dilation, kernel_size))
    height, width = X.shape
    padded = torch.full((height + 2 * ph, width + 2 * pw), fill, dtype=X.dtype)
    padded[ph : ph + height, pw : pw + width] = X
    tops = range(0, padded.shape[0] - dh * (kh - 1), sh)
    lefts = range(0, padded.shape[1] - dw * (kw - 1), sw)
    cells = [
        padded[top + a * dh, left + b * dw]
        for top in tops
        for left in lefts
        for a in range(kh)
        for b in range(kw)
    ]
    return torch.stack(cells).reshape(len(tops), len(lefts), kh, kw)


def dilated(K, dilation):
    """Put zeros between the cells of K."""
    (dh, dw), (kh, kw) = both(dilation), K.shape
    wide = torch.zeros(dh * (kh - 1) + 1, dw * (kw - 1) + 1, dtype=K.dtype)
    wide[::dh, ::dw] = K
    return wide


# Cross-correlation and convolution


@pytest.mark.parametrize(
    ("operation", "oracle"),
    [(corr2d, scipy.signal.correlate2d), (convolve2d, scipy.signal.convolve2d)],
)
@given(problem=problems())
def test_operation_is_scipys(operation, oracle, problem):
    X, K, options = problem
    (ph, pw), (sh, sw) = both(options["padding"]), both(options["stride"])
    padded = np.pad(X.double().numpy(), ((ph, ph), (pw, pw)))
    expected = oracle(padded, dilated(K.double(), options["dilation"]).numpy(), mode="valid")
    assert_same(operation(X, K, **options), torch.tensor(expected[::sh, ::sw]).to(X.dtype))


@pytest.mark.parametrize("operation", [corr2d, convolve2d])
@pytest.mark.parametrize("mode", PADDING_MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_padding_modes_are_those_of_torchs_layer(operation, mode, dtype):
    X, K, options = integers(0, 5, 6).to(dtype), integers(1, 2, 3).to(dtype), {"stride": (1, 2)}
    layer = nn.Conv2d(1, 1, (2, 3), padding=(2, 1), padding_mode=mode, bias=False, **options)
    layer.to(dtype).weight.data[:] = K if operation is corr2d else K.flip(0, 1)
    expected = layer(X[None, None])[0, 0].detach()
    actual = operation(X, K, padding=(2, 1), padding_mode=mode, **options)
    assert_same(actual, expected)
    patch = window(X, K, 1, 2, padding=(2, 1), padding_mode=mode, **options)
    assert_same((patch * layer.weight.data[0, 0]).sum(), expected[1, 2])


OPTIONS = [
    {},
    {"padding": (0, 2), "stride": 2, "dilation": (2, 1)},
    {"padding": 1, "padding_mode": "reflect"},
]


@pytest.mark.parametrize("operation", [corr2d, convolve2d])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients(operation, options):
    X, K = noise(5, 6).requires_grad_(), noise(3, 2, seed=1).requires_grad_()
    assert gradcheck(lambda X, K: operation(X, K, **options), (X, K))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize(
    "operation",
    [lambda X: corr2d(X, X[:2]), lambda X: patches(X, 2), lambda X: pool2d(X, 2)],
    ids=["corr2d", "patches", "pool2d"],
)
def test_operations_work_without_gradients(operation, mode):
    X = noise(5, 6).requires_grad_()
    with mode():
        actual = operation(X)
    assert_same(actual, operation(X).detach())


def test_books_examples():
    assert_same(corr2d(X33, K22), torch.tensor([[19.0, 25], [37, 43]]))
    assert_same(convolve2d(X33, K22), torch.tensor([[5.0, 11], [23, 29]]))
    padded = [[0.0, 3, 8, 4], [9, 19, 25, 10], [21, 37, 43, 16], [6, 7, 8, 0]]
    assert_same(corr2d(X33, K22, padding=1), torch.tensor(padded))
    assert_same(corr2d(X33, K22, padding=1, stride=(3, 2)), torch.tensor([[0.0, 8], [6, 8]]))
    edges = torch.tensor([[0.0, 1, 0, 0, 0, -1, 0]] * 6)
    assert_same(corr2d(STRIPES, torch.tensor([[1.0, -1]])), edges)


# Windows


@given(problems(), st.data())
def test_window_is_what_the_output_cell_sees(problem, data):
    X, K, options = problem
    expected = windows(X, K.shape, **options)
    i = data.draw(st.integers(0, expected.shape[0] - 1))
    j = data.draw(st.integers(0, expected.shape[1] - 1))
    assert_same(window(X, K, i, j, **options), expected[i, j])


@given(problems())
def test_patches_are_the_windows_in_reading_order(problem):
    X, K, options = problem
    expected = windows(X, K.shape, **options).flatten(0, 1).flatten(1)
    assert_same(patches(X, tuple(K.shape), **options), expected)
    assert_same(patches(X, 1), X.reshape(-1, 1))


@pytest.mark.parametrize(
    "index", [1, np.int64(1), torch.tensor(1), np.array(1, dtype=np.uint8)], ids=repr
)
def test_window_takes_integers_of_any_kind(index):
    assert_same(window(X33, K22, index, index), X33[1:, 1:])


@pytest.mark.parametrize(
    ("i", "j"), [(2, 0), (0, 2), (-1, 0), (0, -1), (1.0, 0), (0, True), (None, 0), (0, "1")]
)
def test_window_refuses_cells_that_the_output_does_not_have(i, j):
    with pytest.raises(ConvkitError) as error:
        window(X33, K22, i, j)
    assert str(error.value) == (
        f"output cell ({i!r}, {j!r}); expected whole numbers, i from 0 to 1 and j from 0 to 1. "
        "Rows and columns count from 0."
    )


# Geometry


DUMOULIN_AND_VISIN = """
    n k s p d out
    4 3 1 0 1 2
    5 4 1 2 1 6
    5 3 1 1 1 5
    5 3 1 2 1 7
    5 3 2 0 1 2
    5 3 2 1 1 3
    6 3 2 1 1 3
    7 3 1 0 2 3
"""


@pytest.mark.parametrize("line", DUMOULIN_AND_VISIN.strip().splitlines()[1:])
def test_output_size_is_dumoulin_and_visins_table(line):
    n, k, s, p, d, out = map(int, line.split())
    assert output_size(n, k, stride=s, padding=p, dilation=d) == out


@pytest.mark.parametrize(
    ("sizes", "options", "out"),
    [
        ((5, 3), {}, 3),
        ((np.int64(5), torch.tensor(3)), {}, 3),
        ((5, (3, 2)), {}, (3, 4)),
        (((5, 5), 3), {}, (3, 3)),
        ((5, 3), {"padding": (0, 1), "stride": (1, 2), "dilation": 1}, (3, 3)),
        ((torch.Size([5, 6]), [3, 3]), {}, (3, 4)),
    ],
    ids=str,
)
def test_output_size_is_an_int_only_if_all_arguments_are(sizes, options, out):
    actual = output_size(*sizes, **options)
    assert actual == out
    assert type(actual) is type(out)


@given(problems([torch.float32]))
def test_geometry_agrees_with_a_correlation_of_cell_numbers(problem):
    """Where X holds each cell's own number, a window is a list of the cells that it reads."""
    X, K, options = problem
    g = WindowGeometry(tuple(X.shape), tuple(K.shape), **options)
    numbers = torch.arange(1.0, X.numel() + 1).reshape(X.shape)
    seen = windows(numbers, K.shape, **options)
    readers = {}
    assert g.output_size == tuple(seen.shape[:2])
    for i in range(g.output_size[0]):
        for j in range(g.output_size[1]):
            cells = [[(a, b) for b in g.columns(j)] for a in g.rows(i)]
            assert g.start(i, j) == cells[0][0]
            assert cells[-1][-1] == tuple(
                first + size - 1 for first, size in zip(g.start(i, j), g.window_size, strict=True)
            )
            for row, line in zip(cells, seen[i, j].tolist(), strict=True):
                for (a, b), number in zip(row, line, strict=True):
                    inside = 0 <= a < X.shape[0] and 0 <= b < X.shape[1]
                    assert number == (numbers[a, b] if inside else 0)
                    readers.setdefault((a, b), []).append((i, j))
    for a in range(-4, X.shape[0] + 4):
        for b in range(-4, X.shape[1] + 4):
            rows, columns = g.outputs_reading(a, b)
            assert [(i, j) for i in rows for j in columns] == readers.get((a, b), [])


@given(problems([torch.float32]), st.integers(-9, 20), st.integers(-9, 20))
def test_nearest_output_has_the_nearest_centre(problem, row, column):
    X, K, options = problem
    g = WindowGeometry(tuple(X.shape), tuple(K.shape), **options)

    def distance(cells, cell):
        return abs(Fraction(cells[0] + cells[-1], 2) - cell)

    i = min(range(g.output_size[0]), key=lambda n: (distance(g.rows(n), row), -n))
    j = min(range(g.output_size[1]), key=lambda n: (distance(g.columns(n), column), -n))
    assert g.nearest_output(row, column) == (i, j)


def test_geometries_are_equal_by_value_and_frozen():
    geometry = WindowGeometry(5, 3, padding=np.int64(1))
    assert geometry == WindowGeometry((5, 5), [3, 3], padding=(1, 1))
    assert geometry.padded_size == (7, 7)
    assert hash(geometry) == hash(WindowGeometry(5, 3, 1))
    with pytest.raises(AttributeError):
        geometry.padding = (2, 2)


# Padding


@pytest.mark.parametrize("mode", PADDING_MODES)
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (2, 1, 3, 4)])
def test_pad2d_is_numpys_pad(shape, mode):
    X = noise(*shape)
    names = {"zeros": "constant", "replicate": "edge", "circular": "wrap"}
    amounts = [(0, 0)] * (len(shape) - 2) + [(2, 2), (1, 1)]
    expected = np.pad(X.numpy(), amounts, mode=names.get(mode, mode))
    assert_same(pad2d(X, (2, 1), mode), torch.tensor(expected))


@pytest.mark.parametrize(
    ("mode", "padding", "limit"),
    [
        ("reflect", (3, 0), (2, 3)),
        ("reflect", (0, 4), (2, 3)),
        ("circular", 4, (3, 4)),
        ("circular", (0, 5), (3, 4)),
    ],
)
def test_pad2d_refuses_more_than_its_mode_can_fill(mode, padding, limit):
    X = noise(3, 4)
    pad2d(X, limit, mode)
    with pytest.raises(ConvkitError) as error:
        pad2d(X, padding, mode)
    assert error.value.given == f"padding is {padding} for an input of shape (3, 4)"
    assert error.value.expected == f"at most {limit} in mode {mode!r}"


def test_padding_mode_must_exist():
    with pytest.raises(ConvkitError) as error:
        corr2d(X33, K22, padding_mode="mirror")
    assert error.value.given == "padding_mode is 'mirror'"
    assert error.value.expected == "one of zeros, reflect, replicate, circular"


# Pooling


@st.composite
def poolings(draw):
    size = draw(one_or_pair(1, 4))
    padding = tuple(draw(st.integers(0, k // 2)) for k in both(size))
    axes = zip(both(size), padding, strict=True)
    shape = [draw(st.integers(max(1, k - 2 * p), k + 5)) for k, p in axes]
    X = integers(draw(st.integers(0, 10**6)), *shape) - 5  # all below 0: padding may not win
    options = {"padding": padding, "stride": draw(one_or_pair(1, 3))}
    return X.to(draw(st.sampled_from(DTYPES))), size, options


@given(poolings())
def test_pool2d_is_the_maximum_or_average_of_each_window(pooling):
    X, size, options = pooling
    expected = windows(X, size, fill=-math.inf, **options).amax((2, 3))
    assert_same(pool2d(X, size, **options), expected)
    expected = windows(X.double(), size, **options).mean((2, 3)).to(X.dtype)
    average = pool2d(X, size, "avg", **options)
    assert average.shape == expected.shape
    assert_close(average, expected)


def test_pool2d_is_the_books():
    assert_same(pool2d(X33, 2), torch.tensor([[4.0, 5], [7, 8]]))
    assert_same(pool2d(X33, (2, 2), "avg"), torch.tensor([[2.0, 3], [5, 6]]))
    X44 = torch.arange(16.0).reshape(4, 4)
    assert_same(pool2d(X44, 3, stride=3), torch.tensor([[10.0]]))
    assert_same(pool2d(X44, 3, padding=1, stride=2), torch.tensor([[5.0, 7], [13, 15]]))


@pytest.mark.parametrize("mode", ["max", "avg"])
def test_gradients_of_pooling(mode):
    X = noise(5, 6).requires_grad_()
    assert gradcheck(lambda X: pool2d(X, (2, 3), mode, padding=1, stride=2), (X,))


# Numbers of any kind


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), torch.tensor(3)], ids=repr)
def test_integers_of_any_kind_are_taken(value):
    assert as_integer(value) == 3
    assert type(as_integer(value)) is int
    assert to_pair("stride", value) == to_pair("stride", [value, 3]) == (3, 3)
    assert_same(corr2d(X33, K22, padding=value), corr2d(X33, K22, padding=3))


@pytest.mark.parametrize(
    "value",
    [True, np.bool_(True), torch.tensor(True), 3.0, torch.tensor(3.0), "3", None, [3]],
    ids=repr,
)
def test_other_values_are_no_integers(value):
    assert as_integer(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, 0.5),
        (2, 2.0),
        (np.float32(0.5), 0.5),
        (np.array(0.5), 0.5),
        (torch.tensor(0.5, dtype=torch.bfloat16, requires_grad=True), 0.5),
        (Fraction(1, 2), 0.5),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        ("0.5", None),
        (True, None),
        (torch.tensor(True), None),
        (torch.tensor([0.5, 0.5]), None),
        (1j, None),
        (None, None),
    ],
    ids=repr,
)
def test_real_numbers_of_any_kind_are_taken(value, expected):
    assert as_real(value) == expected


@pytest.mark.parametrize(
    "value",
    [-1, (1, -2), 0.5, 2**31, 10**12, 2**70, (1, 2, 3), (1,), (), "same", "11", True, None, {1, 2}],
)
def test_to_pair_refuses_other_values(value):
    with pytest.raises(ConvkitError) as error:
        to_pair("stride", value)
    assert str(error.value) == (
        f"stride is {value!r}; expected a whole number from 0 to 2147483647, or a pair (h, w) of "
        "them. For the same stride along both axes write one number."
    )


def test_to_pair_takes_its_limits():
    assert to_pair("stride", (1, 2**31 - 1), 1) == (1, 2**31 - 1)
    with pytest.raises(ConvkitError, match=r"stride is 0; expected a whole number from 1 to"):
        to_pair("stride", 0, 1)


# Tensors that are refused


OPERATIONS = {
    "corr2d": corr2d,
    "convolve2d": convolve2d,
    "window": lambda X, K, **options: window(X, K, 0, 0, **options),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize(
    ("X", "K", "options", "given", "hint"),
    [
        ([[1.0]], K22, {}, "X is a list", "Write torch.tensor(X)."),
        (X33, None, {}, "K is a NoneType", "Write torch.tensor(K)."),
        (X33[0], K22, {}, "X has shape (3,)", "Reshape it to two axes."),
        (X33[None], K22, {}, "X has shape (1, 3, 3)", "Take one picture, such as X[0]."),
        (X33, K22[None, None], {}, "K has shape (1, 1, 2, 2)", "such as K[0, 0]."),
        (X33[:0], K22, {}, "X has shape (0, 3)", "It has no values"),
        (X33, K22.bool(), {}, "K has dtype torch.bool", "Write K.float()."),
        (X33.to(torch.complex64), K22, {}, "X has dtype torch.complex64", "X.real.float()."),
        (X33.to(torch.float8_e4m3fn), K22, {}, "X has dtype torch.float8", "X.float()."),
        (X33.to_sparse(), K22, {}, "X has layout torch.sparse_coo", "Write X.to_dense()."),
        (X33.to("meta"), K22, {}, "X is on device meta", "on the CPU"),
        (
            X33,
            K22.double(),
            {},
            "X has dtype torch.float32 and K has torch.float64",
            "K.to(X.dtype)",
        ),
        (
            K22,
            X33,
            {},
            "kernel_size (3, 3) with dilation 1 on input_size (2, 2) with padding 0",
            "Use a smaller kernel",
        ),
        (X33, K22, {"dilation": 3}, "kernel_size (2, 2) with dilation 3", "less dilation"),
        (X33, K22, {"stride": 2**70}, "stride is 1180591620717411303424", "write one number"),
        (X33, K22, {"dilation": (0, 1)}, "dilation is (0, 1)", "write one number"),
        (X33, K22, {"padding": 10**12}, "padding is 1000000000000", "write one number"),
        (X33, K22, {"padding": 10**5}, "with padding 100000 has 200003 × 200003", "less padding"),
    ],
)
def test_errors_name_the_argument_its_value_and_a_remedy(operation, X, K, options, given, hint):
    with pytest.raises(ConvkitError) as error:
        operation(X, K, **options)
    assert given in error.value.given
    assert hint in error.value.hint


def test_inputs_are_limited_to_what_fits_the_memory(monkeypatch):
    monkeypatch.setattr(ops, "MAX_CELLS", 25)
    assert corr2d(X33, K22, padding=1).shape == (4, 4)
    with pytest.raises(ConvkitError) as error:
        corr2d(X33, K22, padding=(2, 1))
    assert error.value.given == "X of shape (3, 3) with padding (2, 1) has 7 × 5 cells"
    assert error.value.expected == "at most 25 cells, padding included"


def test_errors_of_output_size():
    with pytest.raises(ConvkitError, match="input_size is 0; expected a whole number from 1"):
        output_size(0, 1)
    with pytest.raises(ConvkitError, match="kernel_size 5 with dilation 1 on input_size 3 with"):
        output_size(3, 5)


@pytest.mark.parametrize(
    ("X", "size", "options", "given", "expected"),
    [
        (X33, 2, {"mode": "mean"}, "mode is 'mean'", '"max" or "avg"'),
        (X33, 0, {}, "pool_size is 0", "a whole number from 1"),
        (X33, 2, {"stride": 0}, "stride is 0", "a whole number from 1"),
        (X33, (2, 3), {"padding": 2}, "padding is 2 for pool_size (2, 3)", "half of pool_size"),
    ],
)
def test_errors_of_pool2d(X, size, options, given, expected):
    with pytest.raises(ConvkitError) as error:
        pool2d(X, size, **options)
    assert given in error.value.given
    assert expected in error.value.expected


def test_check_same_dtype_names_the_first_that_differs():
    with pytest.raises(ConvkitError, match=r"X has dtype torch.float32 and Y has torch.float64"):
        check_same_dtype(X=X33, K=K22, Y=X33.double())


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_validated_copy_is_detached_contiguous_and_independent(mode):
    with mode():
        X = X33.clone().T
        copy = validated_copy("X", X.requires_grad_() if mode is torch.enable_grad else X)
    assert_same(copy, X33.T)
    assert copy.is_contiguous()
    assert not copy.requires_grad
    copy[0, 0] = 9
    assert X[0, 0] == 0
    weight = torch.ones(3, 3, requires_grad=True)
    (weight * copy).sum().backward()  # autograd refuses tensors made in inference mode
    assert weight.grad is not None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_validated_copy_refuses_values_that_are_not_finite(value):
    X = X33.clone()
    X[1, 2] = value
    with pytest.raises(ConvkitError) as error:
        validated_copy("X", X)
    assert str(error.value) == (
        f"X[1, 2] is {value}; expected finite numbers. Replace it by a number."
    )
    with pytest.raises(ConvkitError, match="X is a list"):
        validated_copy("X", [[1.0]])
