"""The operations against torch, and the loop that specifies them."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.signal import correlate2d
from torch import nn
from torch.autograd import gradcheck
from torch.masked import MaskedTensor
from torch.nested import nested_tensor
from torch.testing import assert_close

import convkit
from convkit import ConvkitError, convolve2d, corr2d, ops, output_size, pool2d, window
from convkit.ops import (
    PADDING_MODES,
    WindowGeometry,
    as_integer,
    as_real,
    channel_axis,
    check_array,
    pad2d,
    patches,
    to_pair,
    validated_copy,
)

X33 = torch.arange(9.0).reshape(3, 3)
K22 = torch.arange(4.0).reshape(2, 2)
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


# Cross-correlation and convolution


@given(problems(), st.data())
def test_operations_are_sums_over_the_windows(problem, data):
    X, K, options = problem
    seen = windows(X, K.shape, **options)
    correlation, convolution = ((seen.double() * A).sum((2, 3)) for A in (K, K.flip(0, 1)))
    assert_same(corr2d(X, K, **options), correlation.to(X.dtype))
    assert_same(convolve2d(X, K, **options), convolution.to(X.dtype))
    assert_same(patches(X, tuple(K.shape), **options), seen.flatten(0, 1).flatten(1))
    i, j = (data.draw(st.integers(0, n - 1)) for n in seen.shape[:2])
    assert_same(window(X, K, i, j, **options), seen[i, j])


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


@pytest.mark.parametrize("operation", [corr2d, convolve2d])
@pytest.mark.parametrize("padding_mode", ["zeros", "reflect"])
def test_gradients(operation, padding_mode):
    options = {"padding": 1, "stride": (2, 1), "dilation": (1, 2), "padding_mode": padding_mode}
    X, K = noise(5, 6).requires_grad_(), noise(3, 2, seed=1).requires_grad_()
    assert gradcheck(lambda X, K: operation(X, K, **options), (X, K))


@pytest.mark.parametrize("mode", PADDING_MODES)
def test_tensors_made_in_inference_mode_can_be_learned_from(mode):
    X, K = noise(4, 4), noise(2, 2, seed=1)
    with torch.inference_mode():
        X_made, K_made = X.clone(), K.clone()
        assert_same(corr2d(X_made, K_made), corr2d(X, K))
    for made in ((X_made, K.clone().requires_grad_()), (X.clone().requires_grad_(), K_made)):
        Y = corr2d(*made, padding=1, padding_mode=mode)
        assert_close(Y, corr2d(X, K, padding=1, padding_mode=mode))
        Y.sum().backward()


def test_books_examples():
    assert_same(corr2d(X33, K22), torch.tensor([[19.0, 25], [37, 43]]))
    padded = [[0.0, 3, 8, 4], [9, 19, 25, 10], [21, 37, 43, 16], [6, 7, 8, 0]]
    assert_same(corr2d(X33, K22, padding=1), torch.tensor(padded))
    assert_same(corr2d(X33, K22, padding=1, stride=(3, 2)), torch.tensor([[0.0, 8], [6, 8]]))
    assert_same(pool2d(X33, 2), torch.tensor([[4.0, 5], [7, 8]]))
    assert_same(pool2d(X33, (2, 2), "avg"), torch.tensor([[2.0, 3], [5, 6]]))


# Windows


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


@pytest.mark.parametrize(
    ("sizes", "options", "out"),
    [
        ((np.int64(5), torch.tensor(3)), {}, 3),
        ((5, (3, 2)), {}, (3, 4)),
        (((5, 5), 3), {}, (3, 3)),
        ((5, 3), {"padding": (0, 1), "stride": (1, 2), "dilation": 1}, (3, 3)),
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


# Padding


@pytest.mark.parametrize("mode", PADDING_MODES)
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (2, 1, 3, 4)])
def test_pad2d_is_numpys_pad(shape, mode):
    X = noise(*shape)
    names = {"zeros": "constant", "replicate": "edge", "circular": "wrap"}
    amounts = [(0, 0)] * (len(shape) - 2) + [(2, 2), (1, 1)]
    expected = np.pad(X.numpy(), amounts, mode=names.get(mode, mode))
    assert_same(pad2d(X, (2, 1), mode), torch.tensor(expected))


@pytest.mark.parametrize(("mode", "limit"), [("reflect", (2, 3)), ("circular", (3, 4))])
@pytest.mark.parametrize("more", [(1, 0), (0, 1)])
def test_pad2d_refuses_more_than_its_mode_can_fill(mode, limit, more):
    padding = tuple(np.add(limit, more).tolist())
    X = noise(3, 4)
    pad2d(X, limit, mode)
    with pytest.raises(ConvkitError) as error:
        pad2d(X, padding, mode)
    assert error.value.given == f"padding is {padding} for an input of shape (3, 4)"
    assert error.value.expected == f"at most {limit} in mode {mode!r}"


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


# Numbers of any kind


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), torch.tensor(3)], ids=repr)
def test_integers_of_any_kind_are_taken(value):
    assert as_integer(value) == 3
    assert type(as_integer(value)) is int
    assert to_pair("stride", value) == to_pair("stride", [value, 3]) == (3, 3)
    assert_same(corr2d(X33, K22, padding=value), corr2d(X33, K22, padding=3))
    assert_same(window(X33, torch.ones(0 * value + 1, 1), 0, value - 1), X33[:1, 2:])


@pytest.mark.parametrize(
    "value",
    [True, np.bool_(True), torch.tensor(True), 3.0, torch.tensor(3.0), "3", None, [3]],
    ids=repr,
)
def test_other_values_are_no_integers(value):
    assert as_integer(value) is None


def test_real_numbers_of_any_kind_are_taken():
    bfloat = torch.tensor(0.5, dtype=torch.bfloat16, requires_grad=True)
    assert [as_real(value) for value in (np.array(0.5), Fraction(1, 2), bfloat)] == [0.5] * 3
    assert (as_real(10**400), as_real(-(10**400))) == (math.inf, -math.inf)
    others = ("0.5", True, torch.tensor(True), torch.tensor([0.5, 0.5]), 1j, X33.to("meta")[0, 0])
    assert [as_real(value) for value in others] == [None] * 6


@pytest.mark.parametrize(
    "value", [0, (1, -2), 0.5, 10, 2**70, (1, 2, 3), (1,), (), "same", "11", True, None, {1, 2}]
)
def test_to_pair_refuses_other_values(value):
    assert to_pair("stride", (1, 9), 1, 9) == (1, 9)
    with pytest.raises(ConvkitError) as error:
        to_pair("stride", value, 1, 9)
    assert str(error.value) == (
        f"stride is {value!r}; expected a whole number from 1 to 9, or a pair (h, w) of them. "
        "Write for example stride=1 or stride=(1, 1)."
    )


@pytest.mark.parametrize(
    ("word", "sizes"),
    [
        ("same", {"padding=1": (3, 3), "padding=(0, 2)": (1, 5)}),
        ("valid", {"padding=0": (3, 3)}),
        ("full", {"padding=2": (3, 3), "padding=(0, 4)": (1, 5)}),
    ],
)
def test_the_names_of_paddings_are_told_in_numbers(word, sizes):
    X = noise(6, 7)
    for code, size in sizes.items():
        with pytest.raises(ConvkitError, match=f"padding is '{word}'; expected a whole") as error:
            corr2d(X, noise(*size), padding=word)
        assert code in error.value.hint
        Y = corr2d(X, noise(*size), **eval(f"dict({code})"))
        assert tuple(Y.shape) == correlate2d(X, noise(*size), mode=word).shape


def test_least_and_largest_arguments():
    for arguments in ((0, 1), (1, 0)):
        with pytest.raises(ConvkitError, match="_size is 0; expected a whole number from 1"):
            output_size(*arguments)
    for name, limit in (("padding", 0), ("stride", 1), ("dilation", 1)):
        assert output_size(1, 1, **{name: limit}) == 1
        with pytest.raises(ConvkitError, match=f"{name} is .*number from {limit} to 2147483647"):
            output_size(1, 1, **{name: limit - 1})


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
        ([[1.0]], K22, {}, "X is a list: [[1.0]]", "Write torch.tensor(X, dtype=torch.float32)."),
        (X33, None, {}, "K is a NoneType", "Write for example torch.zeros(6, 8)."),
        (X33[0], K22, {}, "X has shape (3,)", "For one row write X.reshape(1, -1)."),
        (X33[None], K22, {}, "X has shape (1, 3, 3)", "Take one picture, such as X[0]."),
        (X33, K22[None, None], {}, "K has shape (1, 1, 2, 2)", "such as K[0, 0]."),
        (X33[:0], K22, {}, "X has shape (0, 3)", "It has no values"),
        (X33, K22.bool(), {}, "K has dtype torch.bool", "Write K.float()."),
        (X33.to(torch.complex64), K22, {}, "X has dtype torch.complex64", "X.real.float()."),
        (X33.to_sparse(), K22, {}, "X is a sparse, nested or masked tensor", "X.to_dense()"),
        (nested_tensor([X33], layout=torch.jagged), K22, {}, "X is a sparse, nested", "Write"),
        (X33, K22, {"padding_mode": "mirror"}, "padding_mode is 'mirror'", "Check the name."),
        (X33, K22, {"padding_mode": np.array(["zeros"] * 2)}, "padding_mode is array", "name."),
        (X33.to("meta"), K22, {}, "X is on device meta", 'on the CPU, with device="cpu"'),
        (X33, K22.double(), {}, "X has dtype torch.float32 and K has torch.f", "K.to(X.dtype)"),
        (K22, X33, {}, "kernel of shape (3, 3) with dilation 1 on X of shape (2, 2)", "smaller"),
        (X33, K22, {"dilation": 3}, "kernel of shape (2, 2) with dilation 3", "less dilation"),
        (X33, K22, {"padding": 10**5}, "with padding 100000 has 200003 × 200003", "less padding"),
    ],
)
def test_errors_name_the_argument_its_value_and_a_remedy(operation, X, K, options, given, hint):
    with pytest.raises(ConvkitError) as error:
        operation(X, K, **options)
    assert given in error.value.given
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("value", "given", "code"),
    [
        ([[1, 2]], "X is a list: [[1, 2]]", "torch.tensor(X, dtype=torch.float32)"),
        (None, "X is a NoneType: None", "torch.zeros(6, 8)"),
        ("Sobel x", "X is a str: 'Sobel x'", "convkit.kernel(X)"),
        ("photo.png", "X is a str: 'photo.png'", "convkit.open_image(X)"),
        (Path("photo"), f"Path: {Path('photo')!r}", "convkit.open_image(X)"),
        (Image.new("RGB", (3, 2)), "X is a PIL picture of mode RGB", "convkit.open_image(X)"),
        (np.ones((2, 3), ">u2"), "X is a numpy array of sh", 'torch.tensor(X.astype("float32"))'),
        (np.ones((2, 3))[::-1], "and dtype float64", 'torch.tensor(X.astype("float32"))'),
        (np.ones((2, 3)) * 1j, "dtype complex128", 'torch.tensor(X.real.astype("float32"))'),
        (torch.tensor(1.0), "X has shape ()", "X.reshape(1, -1)"),
        (torch.ones(3), "X has shape (3,)", "X.reshape(1, -1)"),
        (torch.ones(2, 3).int(), "X has dtype torch.int32", "X.float()"),
        (torch.ones(2, 3) * 1j, "X has dtype torch.complex64", "X.real.float()"),
        (torch.ones(5, 3, 3), "X has shape (5, 3, 3)", "X[0]"),
        (torch.ones(2, 6, 8), "X has shape (2, 6, 8)", "X[0]"),
        (torch.ones(4, 2, 6, 8), "X has shape (4, 2, 6, 8)", "X[0, 0]"),
        (torch.ones(4, 6, 8, 3), "X has shape (4, 6, 8, 3)", "X[0, :, :, 0]"),
        (torch.ones(6, 8, 1), "X has shape (6, 8, 1)", "X[:, :, 0]"),
        (torch.ones(6, 8, 3), "X has shape (6, 8, 3)", "X[:, :, 0]"),
        (torch.ones(6, 8, 4).byte(), "X has shape (6, 8, 4)", "X[:, :, :3].float().mean(2)"),
        (torch.ones(3, 6, 8), "X has shape (3, 6, 8)", "X[0]"),
        (torch.ones(3, 6, 8).byte(), "X has shape (3, 6, 8)", "X.float().mean(0)"),
        (X33.to_sparse(), "X is a sparse", "X.to_dense()"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_the_hints_of_check_array_can_be_followed(value, given, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photo.png", "photo"):
        Image.new("L", (3, 2)).save(name, "PNG")
    assert_hint_works(value, given, code)


def assert_hint_works(X, given, code):
    with pytest.raises(ConvkitError) as error:
        check_array("X", X)
    assert given in error.value.given
    assert code in error.value.hint
    followed = eval(code, {"torch": torch, "convkit": convkit, "X": X})
    assert check_array("X", followed) is followed


@pytest.mark.filterwarnings("ignore:The PyTorch API of")
@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: nested_tensor([X33, X33[:2]], layout=torch.jagged), "X.to_padded_tensor(0)[0]"),
        (lambda: nested_tensor([X33, K22]), "X.to_padded_tensor(0)[0]"),
        (lambda: MaskedTensor(X33, X33 > 1), "X.to_tensor(0)"),
    ],
)
def test_nested_and_masked_tensors_are_refused(make, code):
    assert_hint_works(make(), "X is a sparse, nested or masked tensor", code)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((6, 8, 3), 2),
        ((6, 8, 4), 2),
        ((2, 8, 3), 2),
        ((3, 6, 8), 0),
        ((3, 8, 3), 0),
        ((1, 8, 3), None),
        ((5, 3, 3), None),
        ((5, 4, 4), None),
        ((6, 8, 2), None),
        ((6, 8), None),
        ((2, 6, 8, 3), None),
    ],
)
def test_where_a_picture_has_its_colours(shape, axis):
    assert channel_axis(shape) == axis


def test_inputs_and_windows_are_limited_to_what_fits_the_memory(monkeypatch):
    monkeypatch.setattr(ops, "MAX_CELLS", 25)
    assert corr2d(X33, K22, padding=1).shape == (4, 4)
    assert patches(torch.ones(1, 9), 1).shape == (9, 1)
    with pytest.raises(ConvkitError, match=r"with padding \(2, 1\) has 7 × 5 .* at most 25 cells"):
        corr2d(X33, K22, padding=(2, 1))
    assert patches(torch.ones(1, 9), (1, 5)).shape == (5, 5)
    for length, size in ((7, 6), (12, 3)):
        with pytest.raises(ConvkitError, match="Use a smaller kernel or picture"):
            patches(torch.ones(1, length), (1, size))


@pytest.mark.parametrize(
    ("size", "padding", "given", "code"),
    [
        (5, 0, "pool_size is 5 for X of shape (3, 3) with padding 0", "pool_size=(3, 3)"),
        ((5, 1), 0, "pool_size is (5, 1) for X", "pool_size=(3, 1)"),
        ((2, 7), (0, 1), "with padding (0, 1)", "pool_size=(2, 5)"),
        ((2, 3), 2, "padding is 2 for pool_size (2, 3)", "padding=(1, 1)"),
        ((9, 3), (0, 2), "padding is (0, 2) for pool_size (9, 3)", "padding=(4, 1)"),
    ],
)
def test_a_pool_size_that_does_not_fit(size, padding, given, code):
    with pytest.raises(ConvkitError) as error:
        pool2d(X33, size, padding=padding)
    assert given in error.value.given
    assert error.value.hint == f"Write {code}, or less."
    arguments = {"pool_size": size, "padding": padding} | eval(f"dict({code})")
    assert pool2d(X33, **arguments).numel() > 0


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
    assert not copy.is_inference()  # which autograd would refuse


def test_validated_copy_refuses_values_that_are_not_finite():
    for value in (math.nan, -math.inf):
        X = X33.clone()
        X[1, 2] = value
        with pytest.raises(ConvkitError, match=rf"X\[1, 2\] is {value}; expected finite numbers"):
            validated_copy("X", X)
