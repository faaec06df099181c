"""What is written out is true: sums are evaluated, code is executed."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import convkit
from convkit import KernelDescent, convolve2d, corr2d, output_size, pool2d, window
from convkit.descent import MOMENTUM
from convkit.formatting import (
    colour_limit,
    correlation_code,
    descent_code,
    describe,
    digest,
    literal,
    number,
    pool_sum,
    short,
    size,
    size_sum,
    update_sum,
    window_sum,
)

SHORT = st.integers(-999, 999).map(lambda n: n / 100)  # at most 3 significant digits


def evaluate(text):
    """Return both sides of a written equation as numbers."""
    left, right = text.replace("×", "*").split(" = ")
    return eval(left, {"floor": math.floor, "max": max}), float(right)


def execute(code):
    """Run code in an empty world, as one who pastes it does."""
    world = {}
    exec(code, world)
    return world


# Numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (19.0, "19"),
        (-1.0, "-1"),
        (1 / 3, "0.3333"),
        (-2 / 3, "-0.6667"),
        (12345.6, "1.235e+04"),
        (1e-7, "1e-07"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (7, "7"),
        (torch.tensor(0.5), "0.5"),
    ],
)
def test_a_number_has_four_digits_at_most_and_no_negative_zero(value, text):
    assert number(value) == text


def test_the_digits_can_be_fewer():
    assert number(1 / 3, 2) == "0.33"


@given(st.floats(-1e300, 1e300))
def test_a_number_is_right_to_four_digits(value):
    assert float(number(value)) == pytest.approx(value, rel=5.001e-4, abs=1e-320)


def test_a_shape():
    assert size((6, 8)) == "6 × 8"
    assert size(torch.Size([1])) == "1"


@pytest.mark.parametrize(
    ("largest", "limit"),
    [
        (0, 1),
        (1, 1),
        (1.01, 2),
        (2, 2),
        (2.5, 5),
        (5.01, 10),
        (10, 10),
        (1000, 1000),
        (0.03, 0.05),
        (0.001, 0.001),
        (math.inf, 1),
        (math.nan, 1),
    ],
)
def test_the_end_of_the_colour_key(largest, limit):
    for sign in (1, -1):
        values = torch.tensor([[0.0, sign * largest]])
        assert colour_limit(values) == pytest.approx(limit)


@given(st.floats(1e-30, 1e30))
def test_the_colour_key_holds_all_and_wastes_little(largest):
    limit = colour_limit(torch.tensor([[largest, -largest / 2]]).double())
    assert largest <= limit * (1 + 1e-6)
    assert limit <= 2.5 * largest * (1 + 1e-6)
    assert f"{limit:.6e}"[:8] in ("1.000000", "2.000000", "5.000000")


def test_a_description():
    X = convkit.stripes()
    assert describe("input", X) == f"input: 6 × 8, from 0 to 1, digest {digest(X)}"


def test_a_digest_changes_with_the_shape_and_with_any_value():
    X = convkit.stripes()
    seen = {digest(X), digest(X.T), digest(X.reshape(8, 6)), digest(X.flatten()), digest(X - 1)}
    for i in range(6):
        for j in range(8):
            other = X.clone()
            other[i, j] += 0.01
            assert digest(other) != digest(X)
            other[i, j] += 1
            seen.add(digest(other))
    assert len(seen) == 5 + 48
    assert all(len(text) == 8 and int(text, 16) >= 0 for text in seen)


def test_a_digest_does_not_change_with_rounding_or_the_sign_of_zero():
    X = convkit.stripes()
    assert digest(X * (1 + 1e-6)) == digest(X)
    assert digest(-(X - X)) == digest(X - X)
    assert digest(X.double()) == digest(X)


@pytest.mark.parametrize("shape", [(2, 2), (6, 8), (128, 128)])
def test_a_digest_does_not_hang_on_the_last_bit_of_any_value(shape):
    for seed in range(100):
        X, bits = torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed))
        assert digest(X * (1 + 1e-7 * bits)) == digest(X)


# Sums


def test_the_books_first_sum():
    patch, K = torch.tensor([[0.0, 1], [3, 4]]), torch.tensor([[0.0, 1], [2, 3]])
    assert window_sum(patch, K) == "0×0 + 1×1 + 3×2 + 4×3 = 19"


def test_negative_weights_and_the_bias():
    patch, K = torch.tensor([[1.0, 0.5]]), torch.tensor([[1.0, -1]])
    assert window_sum(patch, K) == "1×1 + 0.5×(-1) = 0.5"
    assert window_sum(patch, K, 2.0) == "1×1 + 0.5×(-1) + 2 = 2.5"
    assert window_sum(patch, K, -2.0) == "1×1 + 0.5×(-1) + (-2) = -1.5"
    assert window_sum(patch, K, 0.0) == "1×1 + 0.5×(-1) + 0 = 0.5"


@given(st.data())
def test_a_window_sum_evaluated_is_the_output_cell(data):
    options = {
        "padding": data.draw(st.integers(0, 2)),
        "stride": data.draw(st.integers(1, 2)),
        "dilation": data.draw(st.integers(1, 2)),
    }
    cells = st.lists(SHORT, min_size=36, max_size=36)
    X = torch.tensor(data.draw(cells)).double().reshape(6, 6)
    rows, columns = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    K = torch.tensor(data.draw(cells)[: rows * columns]).double().reshape(rows, columns)
    Y = corr2d(X, K, **options)
    i = data.draw(st.integers(0, Y.shape[0] - 1))
    j = data.draw(st.integers(0, Y.shape[1] - 1))
    bias = data.draw(st.none() | SHORT)
    left, right = evaluate(window_sum(window(X, K, i, j, **options), K, bias))
    assert left == pytest.approx(Y[i, j].item() + (bias or 0), abs=1e-5)
    assert right == pytest.approx(Y[i, j].item() + (bias or 0), rel=5.1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("mode", "text"),
    [("max", "max(0, 1, 3, -4) = 3"), ("avg", "(0 + 1 + 3 + (-4)) / 4 = 0")],
)
def test_a_pooled_cell(mode, text):
    assert pool_sum(torch.tensor([[0.0, 1], [3, -4]]), mode) == text


@given(st.lists(SHORT, min_size=12, max_size=12), st.sampled_from(["max", "avg"]))
def test_a_pooled_cell_evaluated_is_pool2d(cells, mode):
    X = torch.tensor(cells).double().reshape(3, 4)
    left, right = evaluate(pool_sum(X[1:, 1:], mode))
    expected = pool2d(X[1:, 1:], (2, 3), mode).item()
    assert left == pytest.approx(expected, abs=1e-5)
    assert right == pytest.approx(expected, rel=5.1e-4, abs=1e-5)


def test_the_sum_of_a_size():
    assert size_sum("columns", 8, 2, 0, 1, 1) == "columns: 8 - 2 + 1 = 7"
    text = "rows: floor((6 + 2×1 - 1×(3 - 1) - 1) / 2) + 1 = 3"
    assert size_sum("rows", 6, 3, 1, 2, 1) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1e-9, "0.00"),
        (-0.004, "0.00"),
        (-0.005, "-0.01"),
        (0.5, "0.50"),
        (12.34, "12.3"),
        (-999, "-999"),
        (123.4, "1e2"),
        (-98765.4, "-1e5"),
        (1e30, "1e30"),
    ],
)
def test_a_short_number(value, text):
    assert short(value) == text


@given(
    st.integers(13, 40), st.integers(1, 5), st.integers(0, 3), st.integers(1, 4), st.integers(1, 3)
)
def test_the_sum_of_a_size_evaluated_is_output_size(n, k, p, s, d):
    axis, text = size_sum("rows", n, k, p, s, d).split(": ")
    left, right = evaluate(text)
    assert axis == "rows"
    assert left == right == output_size(n, k, padding=p, stride=s, dilation=d)


def test_an_update():
    text = "K[0, 0]: 1.2 - 0.03×14.4 = 0.768"
    assert update_sum("K[0, 0]", 1.2, 0.03, 14.4, 0.768) == text
    text = "K[0, 1]: -1 - 0.03×(-12) = -0.64"
    assert update_sum("K[0, 1]", -1.0, 0.03, -12.0, -0.64) == text


def test_the_updates_of_a_descent_are_true():
    X = convkit.stripes().double()
    start = torch.tensor([[1.2, -0.5]]).double()
    descent = KernelDescent(X, corr2d(X, torch.tensor([[1.0, -1]]).double()), start)
    before, after = descent.trajectory[0], descent.step()
    for j in range(2):
        weight, grad, new = (t[0, j].item() for t in (before.kernel, before.grad, after.kernel))
        left, right = evaluate(update_sum(f"K[0, {j}]", weight, 0.03, grad, new).split(": ")[1])
        assert left == pytest.approx(right, abs=1e-3)
        assert right == pytest.approx(new, rel=5.1e-4)


# Code


BITS = {
    torch.float16: (16, torch.int16),
    torch.bfloat16: (16, torch.int16),
    torch.float32: (32, torch.int32),
    torch.float64: (64, torch.int64),
}


@pytest.mark.parametrize("dtype", BITS)
@given(data=st.data())
def test_a_literal_gives_back_the_same_bits(dtype, data):
    width, whole = BITS[dtype]
    least, most = -(2 ** (width - 1)), 2 ** (width - 1) - 1
    pattern = st.integers(least, most)
    rows, columns = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    patterns = data.draw(st.lists(pattern, min_size=rows * columns, max_size=rows * columns))
    values = torch.tensor(patterns, dtype=whole).view(dtype).reshape(rows, columns)
    values = torch.where(values.isfinite(), values, torch.zeros_like(values))
    back = eval(literal(values), {"torch": torch})
    assert back.dtype == dtype
    assert back.shape == values.shape
    assert torch.equal(back.view(whole), values.view(whole))  # bits: -0.0 is not 0.0


def test_a_literal_is_short():
    text = literal(torch.tensor([[0.1, -1], [1 / 3, 0]]))
    assert text == "torch.tensor([[0.1, -1.0],\n                  [0.33333334, 0.0]])"
    assert literal(torch.tensor([[0.5]]).double()) == "torch.tensor([[0.5]], dtype=torch.float64)"


PAIRS = st.integers(0, 2) | st.tuples(st.integers(0, 2), st.integers(0, 2))
FROM_1 = st.integers(1, 2) | st.tuples(st.integers(1, 2), st.integers(1, 2))


@given(
    K=st.lists(st.floats(-9, 9, width=32), min_size=6, max_size=6),
    shape=st.sampled_from([(1, 6), (2, 3), (3, 2), (6, 1), (1, 2)]),
    padding=PAIRS,
    stride=FROM_1,
    dilation=FROM_1,
    flip=st.booleans(),
    name=st.sampled_from(["convkit.checkerboard(12)", "convkit.photo(32)", "torch.ones(12, 12)"]),
)
def test_correlation_code_gives_the_same_bits(K, shape, padding, stride, dilation, flip, name):
    K = torch.tensor(K)[: shape[0] * shape[1]].reshape(shape)
    options = {"padding": padding, "stride": stride, "dilation": dilation}
    X = eval(name)
    world = execute(correlation_code(name, K, **options, flip=flip))
    operation = convolve2d if flip else corr2d
    assert torch.equal(world["X"], X)
    assert torch.equal(world["K"], K)
    assert torch.equal(world["Y"], operation(X, K, **options))


def test_correlation_code_says_no_more_than_it_needs():
    K = torch.tensor([[1.0, -1]])
    plain = {"padding": 0, "stride": (1, 1), "dilation": 1, "flip": False}
    code = correlation_code("convkit.stripes()", K, **plain)
    assert code == (
        "import convkit\nimport torch\nimport torch.nn.functional as F\n\n"
        "X = convkit.stripes()\nK = torch.tensor([[1.0, -1.0]])\n"
        "Y = F.conv2d(X[None, None], K[None, None])[0, 0]"
    )
    options = {"padding": (2, 2), "stride": (1, 2), "dilation": 3, "flip": True}
    code = correlation_code("torch.ones(9, 9)", K, **options)
    assert "convkit" not in code
    assert code.endswith(
        "F.conv2d(X[None, None], K.flip(0, 1)[None, None], padding=2, stride=(1, 2), dilation=3)"
        "[0, 0]"
    )


@settings(max_examples=40)
@given(
    start=st.lists(st.floats(-2, 2, width=32), min_size=2, max_size=2),
    rates=st.lists(st.sampled_from([0.03, 0.01, 1 / 36, 1e-05]), max_size=12),
    reduction=st.sampled_from(["sum", "mean"]),
    optimizer=st.sampled_from(list(MOMENTUM)),
)
def test_descent_code_gives_the_same_bits(start, rates, reduction, optimizer):
    start, X = torch.tensor([start]), convkit.stripes()
    Y = corr2d(X, torch.tensor([[1.0, -1]]))
    descent = KernelDescent(X, Y, start, reduction=reduction, optimizer=optimizer)
    for lr in rates:
        descent.lr = lr
        descent.step()
    code = descent_code(
        "convkit.stripes()",
        "convkit.corr2d(X, torch.tensor([[1.0, -1.0]]))",
        start,
        rates,
        reduction=reduction,
        momentum=MOMENTUM[optimizer],
    )
    world = execute(code)
    assert torch.equal(world["K"].detach(), descent.kernel)
    assert torch.equal(world["Y"], Y)


def test_descent_code_prints_the_kernel_and_gathers_equal_rates(capsys):
    rates = [0.03, 0.03, 0.01]
    options = {"reduction": "sum", "momentum": 0.0}
    code = descent_code("torch.ones(2, 2)", "torch.ones(2, 2)", torch.zeros(1, 1), rates, **options)
    assert "[0.03] * 2 + [0.01] * 1" in code
    assert "momentum" not in code
    world = execute(code)
    assert capsys.readouterr().out == f"{world['K']}\n"
    assert_close(world["K"].item(), 1 - 0.76**2 * 0.92)
