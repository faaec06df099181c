"""Written code is executed, and gives back the same bits."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import convkit
from convkit import convolve2d, corr2d
from convkit.codegen import (
    array_code,
    correlation_code,
    descent_code,
    literal,
    picture_code,
)
from convkit.descent import record
from convkit.ops import PADDING_MODES

X = convkit.stripes()
BOOKS = torch.tensor([[1.0, -1]])
BITS = {
    torch.float16: (16, torch.int16),
    torch.bfloat16: (16, torch.int16),
    torch.float32: (32, torch.int32),
    torch.float64: (64, torch.int64),
}


def execute(code):
    """Run code in an empty namespace, as after pasting it into a new session."""
    namespace = {}
    exec(code, namespace)
    return namespace


# Arrays


@pytest.mark.parametrize("dtype", BITS)
@given(data=st.data())
def test_literal_gives_back_the_same_bits(dtype, data):
    width, whole = BITS[dtype]
    patterns = st.integers(-(2 ** (width - 1)), 2 ** (width - 1) - 1)
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    count = shape[0] * shape[1]
    bits = data.draw(st.lists(patterns, min_size=count, max_size=count))
    values = torch.tensor(bits, dtype=whole).view(dtype).reshape(shape)
    values = torch.where(values.isfinite(), values, torch.zeros_like(values))
    back = eval(literal(values), {"torch": torch})
    assert back.dtype == dtype
    assert back.shape == values.shape
    assert torch.equal(back.view(whole), values.view(whole))  # bits: -0.0 is not 0.0


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (1 / 3, torch.float32, "0.33333334"),
        (11.16642951965332, torch.float32, "11.1664295"),  # needs all 9 digits
        (1 / 3, torch.bfloat16, "0.334"),
        (0.1 + 0.2, torch.float64, "0.30000000000000004"),
    ],
)
def test_literal_has_as_few_digits_as_its_dtype_allows(value, dtype, text):
    suffix = "" if dtype == torch.float32 else f", dtype={dtype}"
    assert literal(torch.tensor([[value]], dtype=dtype)) == f"torch.tensor([[{text}]]{suffix})"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", convkit.images.PICTURES)
def test_picture_code_makes_the_picture(name, dtype):
    code = picture_code(name, dtype)
    assert (".to(" in code) == (dtype != torch.float32)
    picture = execute(f"import convkit, torch\nX = {code}")["X"]
    assert_close(picture, convkit.images.picture(name).to(dtype), rtol=0, atol=0)
    assert array_code(picture, "fallback") == code


def test_arrays_without_a_name_are_written_out_if_they_are_small():
    values = torch.arange(256.0).reshape(16, 16)
    assert array_code(values, "fallback") == literal(values)
    assert array_code(torch.arange(257.0).reshape(1, 257), "fallback") == "fallback"


# Correlations


PAIRS = st.integers(0, 2) | st.tuples(st.integers(0, 2), st.integers(0, 2))
FROM_1 = st.integers(1, 2) | st.tuples(st.integers(1, 2), st.integers(1, 2))


@given(
    K=st.lists(st.floats(-9, 9, width=32), min_size=6, max_size=6),
    shape=st.sampled_from([(1, 6), (2, 3), (3, 2), (6, 1), (1, 2)]),
    options=st.fixed_dictionaries(
        {
            "padding": PAIRS,
            "stride": FROM_1,
            "dilation": FROM_1,
            "padding_mode": st.sampled_from(PADDING_MODES),
        }
    ),
    flip=st.booleans(),
    picture=st.sampled_from(["convkit.checkerboard(12)", "torch.ones(12, 12)"]),
)
def test_correlation_code_gives_the_same_bits(K, shape, options, flip, picture):
    K = torch.tensor(K)[: shape[0] * shape[1]].reshape(shape)
    namespace = execute(correlation_code(picture, K, **options, flip=flip))
    operation = convolve2d if flip else corr2d
    assert torch.equal(namespace["K"], K)
    assert torch.equal(namespace["Y"], operation(eval(picture), K, **options))


def test_correlation_code_says_no_more_than_it_needs():
    options = {"padding": (2, 2), "stride": (1, 2), "dilation": (1, 1), "flip": True}
    assert correlation_code("convkit.stripes()", BOOKS, **options) == (
        "import convkit\nimport torch\nimport torch.nn.functional as F\n\n"
        "X = convkit.stripes()\nK = torch.tensor([[1.0, -1.0]])\n"
        "Y = F.conv2d(X[None, None], K.flip(0, 1)[None, None], padding=2, stride=(1, 2))[0, 0]"
    )


# Descents


PROBLEM = ("convkit.stripes()", "convkit.corr2d(X, torch.tensor([[1.0, -1.0]]))")


@settings(max_examples=40)
@given(
    start=st.lists(st.floats(-2, 2, width=32), min_size=2, max_size=2),
    rates=st.lists(st.sampled_from([0.03, 0.01, 1 / 36, 1e-05]), max_size=12),
    options=st.fixed_dictionaries(
        {"reduction": st.sampled_from(["sum", "mean"]), "momentum": st.sampled_from([0, 0.9, 0.1])}
    ),
)
def test_descent_code_gives_the_same_bits(start, rates, options):
    start, Y = torch.tensor([start]), corr2d(X, BOOKS)
    namespace = execute(descent_code(*PROBLEM, start, rates, **options))
    last = record(X, Y, start, rates, **options)[-1]
    assert torch.equal(namespace["K"].detach(), last.kernel)
    assert torch.equal(namespace["Y"], Y)


def test_descent_code_prints_the_kernel_and_joins_equal_rates(capsys):
    picture, start = "torch.ones(2, 2)", torch.zeros(1, 1)
    code = descent_code(picture, picture, start, [0.03, 0.03, 0.01, 0.03], reduction="sum")
    assert "for lr in [0.03] * 2 + [0.01] * 1 + [0.03] * 1:\n" in code
    assert not code.startswith("import convkit")
    namespace = execute(code)
    assert capsys.readouterr().out == f"{namespace['K']}\n"
    assert namespace["K"].item() == pytest.approx(1 - 0.76**3 * 0.92)


def test_descent_code_without_steps_has_no_loop():
    assert descent_code("X0", "convkit.photo()", BOOKS, [], reduction="sum") == (
        "import convkit\nimport torch\nimport torch.nn.functional as F\n\n"
        "X = X0\nY = convkit.photo()\nK = torch.tensor([[1.0, -1.0]]).requires_grad_()\nprint(K)"
    )
