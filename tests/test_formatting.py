"""Text about numbers is true: sums are evaluated, verdicts are compared with descents."""

import math
import re
import timeit
from decimal import Decimal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import convkit
from convkit import ConvkitError, KernelDescent, QuadraticLoss, corr2d
from convkit.formatting import (
    ConvergenceSummary,
    Outcome,
    add_up,
    cell_texts,
    colour_limit,
    convergence_summary,
    describe,
    digest,
    distinct_numbers,
    number,
    numbers,
    round_limit,
    series_texts,
    share_of_limit,
    size_sums,
    window_sums,
)
from convkit.ops import WindowGeometry, patches

X = convkit.stripes()
BOOKS = torch.tensor([[1.0, -1]])
Y = corr2d(X, BOOKS)
HALF = torch.tensor([[0.5, 0.5]])
BLACK = torch.zeros(3, 3)
SHORT = st.integers(-999, 999).map(lambda n: n / 100)  # at most 3 significant digits


def evaluate(text):
    """Return both sides of a written equation as numbers."""
    left, right = text.replace("×", "*").replace("−", "-").split(" = ")
    return eval(left, {"floor": math.floor}), float(right)


# Numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0, "0"),
        (-2 / 3, "-0.6667"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (torch.tensor(0.5, requires_grad=True), "0.5"),
    ],
)
def test_number_has_at_most_four_digits_and_no_negative_zero(value, text):
    assert number(value) == text


@given(st.floats(-1e300, 1e300), st.integers(1, 6))
def test_number_is_right_to_its_digits(value, digits):
    assert float(number(value, digits)) == pytest.approx(value, rel=5.001 * 10**-digits, abs=1e-320)


def test_whole_arrays_are_formatted_row_by_row():
    values = torch.tensor([[-0.0, 2 / 3, -1], [20, 1e-7, 12345.6]], requires_grad=True)
    assert numbers(values) == [["0", "0.6667", "-1"], ["20", "1e-07", "1.235e+04"]]
    assert numbers(values, 2) == [["0", "0.67", "-1"], ["20", "1e-07", "1.2e+04"]]


# Cells

CHARS = st.integers(3, 12)
EDGES = st.builds(
    lambda nines, power, ulps: math.nextafter(nines * 10.0**power, ulps * math.inf),
    st.sampled_from([1.0, 9.5, 9.95, 9.995, 9.9995, 99.5, 999.5]),
    st.integers(-12, 11),
    st.sampled_from([-1, 1]),
)
DECIMALS = st.builds(
    lambda n, places: n / 10**places, st.integers(-99999, 99999), st.integers(0, 6)
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
CELLS = st.lists(DECIMALS | EDGES | EDGES.map(lambda x: -x) | FINITE, min_size=1, max_size=6)


def row_texts(values, chars):
    """Return the texts of one row of cells, with hyphens in place of minus signs."""
    texts = cell_texts(torch.tensor([values], dtype=torch.float64), chars)[0]
    assert "-" not in "".join(texts)
    return [text.replace("−", "-") for text in texts]


def exponent_of(x, digits=17):
    """Return "e-5" for 0.000012, or for 0.0000099 rounded to one digit."""
    return f"e{int(f'{x:.{digits - 1}e}'.split('e')[1])}"


@given(CELLS, CHARS)
def test_cells_are_right_to_half_a_unit_of_their_last_digit(values, chars):
    for x, text in zip(values, row_texts(values, chars), strict=True):
        written = Decimal(text)
        unit = Decimal(1).scaleb(written.as_tuple().exponent)
        assert abs(written - Decimal(x)) <= unit / 2


@given(CELLS, CHARS)
def test_cells_are_no_longer_than_they_must_be(values, chars):
    for x, text in zip(values, row_texts(values, chars), strict=True):
        power = ("-" if x < 0 else "") + "1" + exponent_of(x, digits=1)
        shortest = min(len(power), len(f"{x:.0f}"))
        assert len(text) <= max(chars, shortest)


@given(CELLS, CHARS)
def test_cells_keep_the_sign_and_only_zero_is_0(values, chars):
    room = chars - any(x < 0 for x in values)
    for x, text in zip(values, row_texts(values, chars), strict=True):
        assert text.startswith("-") == (x < 0)
        assert (text in ("0", "-0")) == (x == 0)
        if x != 0 and len(exponent_of(x)) < room:
            assert float(text) != 0


@given(CELLS, CHARS)
def test_cells_have_at_most_four_digits_and_none_that_says_nothing(values, chars):
    for x, text in zip(values, row_texts(values, chars), strict=True):
        factor, *exponent = text.lstrip("-").split("e")
        assert len(factor.replace(".", "").strip("0")) <= 4
        assert not any(power.lstrip("-").startswith("0") or "+" in power for power in exponent)
        if x.is_integer() and abs(x) < 1000:
            assert text == str(int(x))
        if exponent:
            assert not factor.endswith((".", "0"))


@given(CELLS, CHARS)
def test_cells_have_a_zero_before_the_point_where_two_decimals_fit_behind_it(values, chars):
    room = chars - any(x < 0 for x in values)
    for text in row_texts(values, chars):
        if text.lstrip("-").startswith("."):
            assert room < 4


@given(CELLS, CHARS)
def test_smaller_numbers_of_a_table_have_as_many_decimals_as_larger_ones_or_more(values, chars):
    pairs = sorted(
        zip(values, row_texts(values, chars), strict=True), key=lambda pair: abs(pair[0])
    )
    shown = [text for x, text in pairs if "e" not in text and not x.is_integer()]
    decimals = [len(text.partition(".")[2]) for text in shown]
    assert decimals == sorted(decimals, reverse=True)


@pytest.mark.parametrize(
    ("values", "chars", "texts"),
    [
        ([1, 0.5, -0.25, -0.0], 5, "1 0.50 -0.25 0"),
        ([0.5, 1], 5, "0.5 1"),
        ([1 / 9, 1 / 3], 5, "0.111 0.333"),
        ([1 / 9, -1 / 3], 5, "0.11 -0.33"),
        ([0.0982, 0.0039, 0.0002, 0, -0.1], 5, "0.10 4e-3 2e-4 0 -0.10"),
        ([0.0039, -0.0002], 5, "4e-3 -2e-4"),
        ([225, -166.4, 12, 9998], 5, "225 -166 12 9998"),
        ([-1.5e12, 1e5, 123456], 5, "-2e12 1e5 1e5"),
        ([-1e100, 3e-17, -3e-17, 1 / 3], 5, "-1e100 0.00 -0.00 0.33"),
        ([9.995, -9.995, 99.95, 9999.5], 5, "10.0 -10.0 100 1e4"),
        ([9.99, 99.94, -9.99, 9999.4], 5, "9.99 99.9 -9.99 9999"),
        ([0.9996, -0.9994], 5, "1.00 -1.00"),
        ([-1.5, 0.5, 0.04, 123], 3, "-2 .5 .0 123"),
        ([2.9999999, 3], 5, "3.0 3"),
        ([12345, 0.00012345, 0.5], 12, "1.234e4 0.0001234 0.5000"),
        ([5e-324, 1.7e308], 12, "4.941e-324 1.7e308"),
        ([5e-9, 9e-10, 0.5], 4, "5e-9 0.0 0.5"),
        ([math.nan, math.inf, -math.inf, 0.5], 4, "nan inf -inf 0.5"),
        ([-1 / 3, -1234.5678, 1.2e-7], 8, "-0.3333 -1235 1.2e-7"),
    ],
)
def test_cells_of_a_table(values, chars, texts):
    assert row_texts([float(x) for x in values], chars) == texts.split()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64])
def test_cells_of_any_type_row_by_row(dtype):
    values = torch.tensor([[1, 0.5, -2], [0, 100, 1.25]]).to(dtype)
    texts = [["1", "0.50", "−2"], ["0", "100", "1.25"]]
    if dtype is torch.int64:
        texts = [["1", "0", "−2"], ["0", "100", "1"]]
    assert cell_texts(values) == texts


def test_tables_of_a_series_have_the_same_decimals_and_their_own_powers():
    steps = torch.tensor([[[0.5], [-1]], [[1 / 3], [2]], [[1e-3], [0]]], requires_grad=True)
    expected = [[["0.50"], ["−1"]], [["0.33"], ["2"]], [["1e−3"], ["0"]]]
    assert series_texts(steps) == expected
    assert cell_texts(steps.flatten(0, 1)) == [*expected[0], *expected[1], ["1e−3"], ["0"]]


def test_ten_thousand_cells_take_about_as_long_as_their_numbers_do():
    steps = torch.randn(100, 10, 10, generator=torch.Generator().manual_seed(0))
    texts = timeit.repeat(lambda: series_texts(steps), number=1, repeat=9)
    full = timeit.repeat(lambda: numbers(steps.flatten(1)), number=1, repeat=9)
    assert min(texts) < 4 * min(full)


# Arrays


def test_a_round_limit_of_a_round_number_is_the_number_and_of_nothing_1():
    for value in (1, 2, 5, 10, 1000, 0.05, 0.001):
        assert round_limit(value) == pytest.approx(value)
    for value in (0.0, math.inf, math.nan, 5e-324):
        assert round_limit(value) == colour_limit(torch.tensor([value]).double()) == 1


@given(st.floats(3e-308, 5e307))
def test_limits_hold_all_and_waste_little(largest):
    limit = round_limit(largest)
    assert largest <= limit * (1 + 1e-6) <= 2.5 * largest * (1 + 2e-6)
    assert f"{limit:.6e}"[:8] in ("1.000000", "2.000000", "5.000000")
    limit = colour_limit(torch.tensor([[largest, -largest / 2]], dtype=torch.float64))
    space = min(1.2, 5e307 / largest)
    assert space * largest <= limit * (1 + 1e-6) <= 1.2 * 2 * largest * (1 + 2e-6)
    assert f"{limit:.1e}"[0] in "12357"


def test_descriptions_are_those_of_the_stored_notebooks():
    values = X.clone().requires_grad_()
    assert describe("input", values) == "input: 6 × 8, from 0 to 1, digest dabc64d8"
    assert digest(X.T) == "49059cec"


def test_digest_changes_with_the_shape_and_with_any_value():
    seen = {digest(X), digest(X.T), digest(X.reshape(8, 6)), digest(X.flatten()), digest(X - 1)}
    for cell in range(48):
        change = (torch.arange(48) == cell).reshape(6, 8)
        assert digest(X + 0.01 * change) != digest(X)
        seen.add(digest(X + change))
    assert len(seen) == 5 + 48


@pytest.mark.parametrize("shape", [(2, 2), (6, 8), (128, 128)])
def test_digest_does_not_depend_on_the_last_bits(shape):
    for seed in range(100):
        values, bits = torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed))
        assert digest(values * (1 + 1e-7 * bits)) == digest(values)
    assert digest(-(X - X)) == digest(X - X)


# Sums


@given(st.data())
def test_window_sums_evaluated_are_the_output_cells(data):
    options = {
        "padding": data.draw(st.integers(0, 2)),
        "stride": data.draw(st.integers(1, 2)),
        "dilation": data.draw(st.integers(1, 2)),
    }
    cells = st.lists(SHORT, min_size=36, max_size=36)
    picture = torch.tensor(data.draw(cells), dtype=torch.float64).reshape(6, 6)
    rows, columns = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    weights = torch.tensor(data.draw(cells), dtype=torch.float64)
    K = weights[: rows * columns].reshape(rows, columns)
    Y = corr2d(picture, K, **options).flatten()
    bias = data.draw(st.none() | SHORT)
    Y = Y + (bias or 0)
    sums = window_sums(patches(picture, (rows, columns), **options), K, Y, bias)
    assert len(sums) == len(Y)
    for text, exact in zip(sums, Y.tolist(), strict=True):
        left, right = evaluate(text.replace("≈", "="))
        assert ("≈" in text) == (abs(left - right) > 1e-7)
        assert left == pytest.approx(exact, abs=1e-5)
        assert right == pytest.approx(exact, rel=5.1e-4, abs=1e-5)


@pytest.mark.parametrize(("bias", "end"), [(None, "= 0.5"), (-2.0, "+ (−2) = −1.5")])
def test_negative_weights_and_biases_stand_in_parentheses(bias, end):
    total = torch.tensor([0.5 + (bias or 0)])
    said = window_sums(torch.tensor([[1.0, 0.5]]), BOOKS, total, bias)
    assert said == [f"1×1 + 0.5×(−1) {end}"]


@pytest.mark.parametrize(
    ("terms", "total", "expected"),
    [
        ([0.1, 0.2], 0.3, True),
        ([0.33, 0.33], 0.67, False),
        ([-6.4e-12, 7.4e-12], 1.1e-12, False),  # far below 1, too
        ([1e308, 1e307], 1.1e308, True),
        ([0.0], 0.0, True),
    ],
)
def test_whether_written_terms_add_up(terms, total, expected):
    written = torch.tensor([*terms, total], dtype=torch.float64)
    assert add_up(written[None, :-1], written[-1:]) == [expected]


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_two_numbers_are_written_until_they_differ(a, b):
    texts = distinct_numbers(a, b)
    assert (texts[0] == texts[1]) == (a == b)
    written = abs(float(texts[0]) - float(texts[1]))
    assert written == pytest.approx(abs(a - b), rel=0.06)


PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(st.tuples(st.integers(13, 40), st.integers(13, 40)), PAIR, PAIR, PAIR, PAIR)
def test_size_sums_evaluated_are_the_output_size(size, kernel_size, padding, stride, dilation):
    geometry = WindowGeometry(size, kernel_size, tuple(p - 1 for p in padding), stride, dilation)
    texts = size_sums(geometry)
    for axis, text in enumerate(texts):
        name, sums = text.split(": ")
        left, right = evaluate(sums)
        assert name == ("rows", "columns")[axis]
        assert left == right == geometry.output_size[axis]
        is_plain = stride[axis] == dilation[axis] == 1
        assert ("floor" in text) != is_plain


def summary(lr, start=HALF, X=X, Y=Y, **options):
    return convergence_summary(QuadraticLoss(X, tuple(start.shape), Y, **options), start, lr)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@settings(max_examples=30)
@given(
    start=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    share=st.floats(0.05, 0.9) | st.floats(1.1, 3),
)
def test_summary_comes_true(start, share, reduction):
    picture, start = X.double(), torch.tensor([start]).double()
    error = start - BOOKS.double()
    steep, flat = (error[0, 0] + error[0, 1]).abs(), (error[0, 0] - error[0, 1]).abs()
    if max(steep, flat) < 1e-5 or 0 < steep < 1e-5:  # too close to call
        return
    lr = share * QuadraticLoss(X, (1, 2), reduction=reduction).max_stable_lr
    target = corr2d(picture, BOOKS.double())
    said = summary(lr, start, picture, target, reduction=reduction)
    descent = KernelDescent(picture, target, start, lr=lr, reduction=reduction)
    if share > 1 and (steep > 1e-5 or abs(1 - 0.4 * share) > 1):
        assert said.outcome is Outcome.DIVERGING
        with pytest.raises(ConvkitError):
            descent.jump(200)
    else:
        assert said.outcome is Outcome.CONVERGING
        assert descent.jump(20).loss < descent.trajectory[0].loss
    if share < 1:
        assert ("to and fro" in said.text) == (share > 0.5 and steep > 1e-5)


def test_summary_is_that_of_the_stored_notebooks():
    assert summary(0.03).text == (
        "Converging, swinging to and fro: at 90% of the limit 0.03333, a step multiplies the "
        "remaining distance by −0.8 (steepest) and 0.64 (flattest); a tenth is left after 11 steps."
    )
    assert summary(0.034).text == (
        "Diverging: at 102% of the limit 0.03333, a step multiplies the remaining "
        "distance by −1.04 (steepest)."
    )


@pytest.mark.parametrize(
    ("lr", "start", "share", "factors"),
    [
        (0.01, "Converging: at", "30% of", "0.4 (steepest) and 0.88"),
        (
            0.0333333,
            "Converging slowly, swinging to and fro: at",
            "just below",
            "−1 + 2e−06 (steepest",
        ),
        (
            1 / 30 - 1e-14,
            "Oscillating without end: at",
            "100% of",
            "−1 (steepest",
        ),
        (
            0.0333334,
            "Diverging: at",
            "just above",
            "−1 − 4e−06 (steepest",
        ),
        (
            1e-9,
            "Converging, but very slowly: at",
            "less than 0.01% of",
            "1 − 6e−08 (steepest) and 1 −",
        ),
        (
            100.0,
            "Diverging: at",
            "3,000 times",
            "−5999 (steepest",
        ),
    ],
)
def test_summary_says_why(lr, start, share, factors):
    said = summary(lr)
    assert said.outcome.value == start.split()[0].lower().rstrip(",:")
    assert said.text.startswith(start)
    assert f"at {share} the limit 0.03333, a step" in said.text
    assert f"multiplies the remaining distance by {factors}" in said.text


FACTORS = re.compile(r"by (\S+) \(steepest\) and (\S+) \(flattest\)")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.8, 0.99])
@pytest.mark.parametrize("momentum", [0.3, 0.6, 0.9])
def test_summary_with_momentum_has_the_eigenvalues_of_its_matrix(share, momentum):
    quadratic = QuadraticLoss(X, (1, 2), Y)
    lr = share * 2 * (1 + momentum) / 60
    said = convergence_summary(quadratic, HALF, lr, momentum).text
    shown = [float(text) for text in FACTORS.search(said).groups()]
    for curvature, factor in zip((60, 12), shown, strict=True):
        matrix = [[momentum, curvature], [-lr * momentum, 1 - lr * curvature]]  # Goh 2017
        assert factor == pytest.approx(np.abs(np.linalg.eigvals(matrix)).max(), rel=1e-3)
    assert convergence_summary(quadratic, HALF, 1.02 * lr / share, momentum).outcome is (
        Outcome.DIVERGING
    )


@pytest.mark.parametrize("lr", [3e-3, 2e-4, 1.5e-2])
def test_summary_says_after_how_many_steps_a_tenth_is_left(lr):
    start = BOOKS + torch.tensor([[1.0, -1.0]])  # wrong in the flattest direction alone
    steps = int(
        re.search(r"left after ([\d,]+) steps", summary(lr, start).text)[1].replace(",", "")
    )
    descent = KernelDescent(X.double(), Y.double(), start.double(), lr=lr)
    left = [(descent.jump(n).kernel - BOOKS).norm() / 2**0.5 for n in (steps - 1, steps)]
    assert left[0] > 0.1 >= left[1]


def test_summary_says_why_a_picture_teaches_slowly():
    picture, sobel = convkit.photo(32), convkit.kernel("Sobel x")
    A = np.lib.stride_tricks.sliding_window_view(picture.double().numpy(), (3, 3)).reshape(-1, 9)
    curvatures = np.linalg.eigvalsh(2 * A.T @ A)
    times = f"the steepest curves {curvatures[-1] / curvatures[0]:.0f} times as much."
    quadratic = QuadraticLoss(picture, 3, corr2d(picture, sobel))
    said = convergence_summary(quadratic, 0 * sobel, quadratic.fastest_lr).text
    assert said.startswith("Converging slowly") and said.endswith(f"No rate suits both: {times}")
    said = convergence_summary(quadratic, 0 * sobel, *quadratic.fastest_momentum).text
    assert said.endswith(
        f"a tenth is left after 25 steps, without momentum after 517 at best: {times}"
    )


def test_summary_of_a_start_without_an_error_that_grows():
    start = torch.tensor([[0.5, -0.5]])  # wrong along (1, -1) only
    said = summary(0.05, start)
    assert said.outcome is Outcome.CONVERGING
    assert said.text.startswith("Converging, but only because the start is right in the direction")
    assert summary(0.0333, start).text.startswith("Converging: at")
    assert summary(0.2, start).outcome is Outcome.DIVERGING


@pytest.mark.parametrize(("lr", "slowly"), [(0.99e-3, True), (1.01e-3, False)])
def test_summary_of_one_direction_says_slowly_below_a_thousandth_a_step(lr, slowly):
    """The curvature is 2 here: a step multiplies the distance by 1 - 2 lr."""
    said = summary(lr / 2, torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1))
    assert ("very slowly" in said.text) == slowly
    assert "flattest" not in said.text


def test_summary_where_there_is_nothing_to_learn():
    assert summary(0.03, torch.ones(1, 1), BLACK, BLACK) == ConvergenceSummary(
        Outcome.NOTHING_TO_LEARN,
        "Nothing to learn: this input is zero everywhere, and so is every gradient.",
    )


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_summary_of_a_start_that_fits_already(scale):
    picture, target, K = X.double(), (scale * Y).double(), (scale * BOOKS).double()
    said = summary(0.03, K, picture, target)
    assert said.outcome is Outcome.ALREADY_LEARNED
    assert said.text == "Nothing left to learn: the start fits already."
    for other in (1.00001 * K, 0 * K):
        assert summary(0.03, other, picture, target).outcome is Outcome.CONVERGING


def test_summary_says_how_much_of_the_kernel_the_input_shows():
    target = corr2d(X, torch.tensor([[1.0, -1], [0, 0]]))
    said = summary(0.01, torch.zeros(2, 2), Y=target)
    assert said.text.endswith(" This input shows 2 of the kernel's 4 directions.")
    assert "shows" not in summary(0.01).text


def test_summary_of_a_start_that_is_wrong_only_where_the_input_cannot_tell():
    target = corr2d(X, torch.tensor([[1.0, -1], [0, 0]]))
    assert summary(0.01, torch.tensor([[0.5, -0.5], [0.5, -0.5]]), Y=target).outcome is (
        Outcome.ALREADY_LEARNED
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.99e-4, "less than 0.01% of"),
        (1.01e-4, "0.0101% of"),
        (0.9994, "99.9% of"),
        (0.9998, "just below"),
        (1.0, "100% of"),
        (1.0002, "just above"),
        (9.996, "10 times"),
        (12.34, "12.3 times"),
        (1e6, "1,000,000 times"),
        (1.01e6, "more than a million times"),
    ],
)
def test_share_of_the_limit(share, text):
    assert share_of_limit(share * 0.25, 0.25) == f"{text} the limit 0.25"
    assert share_of_limit(share, math.inf) == "less than 0.01% of the limit inf"
