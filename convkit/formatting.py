"""Numbers, sums, sizes and verdicts as text, never as HTML.

Text is deterministic and survives rounding, because notebooks store it and nbval compares it.
"""

from __future__ import annotations

import enum
import hashlib
import math
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convkit.least_squares import QuadraticLoss
from convkit.ops import FLOAT64, WindowGeometry, pad2d

Floats = NDArray[np.float64]

LARGEST_LIMIT = 5e307
"""The largest end of a colour key: the distance between both ends is a float too."""
HEADROOM = 1.2
"""How far a colour key reaches, in largest values: its darkest colours are hard to tell apart."""
MANY_STEPS = 100
"""More steps than this to a tenth of an error are called slow."""
ILL_CONDITIONED = 20
"""From this condition number on, a summary says that no learning rate suits all directions."""
MOST_DECIMALS = 7
"""The most decimals in a cell: 0.0001234 has four digits, smaller numbers are powers of ten."""
SHORTER_POWERS = (
    ("e+", "e"),
    ("e0", "e"),
    ("e−0", "e−"),
    ("00e", "e"),
    ("0e", "e"),
    (".e", "e"),
)
"""What is replaced, in this order, to make 1.2e4 of 1.20e+04."""

# Numbers


def number(value: float | Tensor, digits: int = 4) -> str:
    """Return a number with at most `digits` significant digits, and no negative zero.

    Examples
    --------
    >>> number(1 / 3), number(-0.0), number(12345.6)
    ('0.3333', '0', '1.235e+04')
    """
    x = value.item() if isinstance(value, Tensor) else value
    return _number_texts([x], digits)[0]


def numbers(values: Tensor, digits: int = 4) -> list[list[str]]:
    """Return `number` of each value of a (H, W) tensor, row by row.

    Examples
    --------
    >>> numbers(torch.tensor([[1.0, 0.5]]))
    [['1', '0.5']]
    """
    return _in_rows(_number_texts(values.flatten().tolist(), digits), values.shape[1])


def cell_texts(values: Tensor, chars: int = 5) -> list[list[str]]:
    """Return each value of a (H, W) tensor for a cell of `chars` characters, row by row.

    They have at most four digits and one number of decimals: as many as these values need and as
    fit. Integers have none, so "0" is exactly zero. There is no zero before the point where it
    would leave fewer than two decimals. Numbers that decimals would not show are powers of ten,
    and if all are small, all are. What is too small even for that is "0.00".

    Parameters
    ----------
    values : Tensor
        The numbers, (H, W).
    chars : int
        The most characters of a text, at least 3, its minus sign (not a hyphen) included. Only
        numbers that no form can shorten, such as -1e100 for 5 characters, are longer.

    Examples
    --------
    >>> cell_texts(torch.tensor([[3.0, 0.5], [-12.34, 98765.4]]))
    [['3', '0.50'], ['−12.3', '1e5']]
    >>> cell_texts(torch.tensor([[0.0982, 0.0039, 0.0002, -1.0]]))
    [['0.10', '4e−3', '2e−4', '−1']]
    >>> cell_texts(torch.tensor([[0.0982, 0.0039, 0.0002, -1.0]]), chars=7)
    [['0.0982', '0.0039', '0.0002', '−1']]
    """
    return series_texts(values[None], chars)[0]


def series_texts(tables: Tensor, chars: int = 5) -> list[list[list[str]]]:
    """Return `cell_texts` of n tables (n, H, W), with one number of decimals in all of them.

    Examples
    --------
    >>> series_texts(torch.tensor([[[0.5, 1.0]], [[0.25, -1.0]]]))
    [[['0.50', '1']], [['0.25', '−1']]]
    """
    # numpy, since torch may split even such small arrays among threads, which is slow.
    values = tables.detach().cpu().double().numpy() + 0.0  # removes the sign of -0.0
    room = chars - 1 if (values < 0).any() else chars
    most = min(room - 1, max(room - 2, 2), MOST_DECIMALS)
    decimals = _decimals(values, most)
    bounds, formats = _cell_formats(room, decimals)
    places = _format_places(values, bounds, small=10.0 ** -max(1, room - 2))
    pairs = zip(values.ravel().tolist(), places.ravel().tolist(), strict=True)
    texts = _short_forms([f"{x:{formats[place]}}" for x, place in pairs], decimals < room - 1)
    height, width = values.shape[1:]
    rows = _in_rows(texts, width)
    return [rows[k : k + height] for k in range(0, len(rows), height)]


def distinct_numbers(a: float | Tensor, b: float | Tensor) -> tuple[str, str]:
    """Return two numbers with so many digits, at least 4, that one sees by how much they differ.

    Examples
    --------
    >>> distinct_numbers(15.34, 15.3405)
    ('15.34', '15.3405')
    """
    a, b = float(a), float(b)
    ratio = max(abs(a), abs(b)) / abs(a - b) if a != b else 1
    digits = min(17, max(4, 2 + math.floor(math.log10(ratio))))
    return number(a, digits), number(b, digits)


def minus(text: str) -> str:
    """Return a text with minus signs in place of hyphens, as numbers are shown outside of code.

    Examples
    --------
    >>> minus("2 - -1.5")
    '2 − −1.5'
    """
    return text.replace("-", "−")


def _number_texts(values: list[float], digits: int = 4) -> list[str]:
    return [f"{x + 0.0:.{digits}g}" for x in values]  # adding 0.0 removes the sign of -0.0


def _decimals(values: Floats, most: int) -> int:
    """Return how many decimals show four digits of each value, or all it has; 1 to `most`."""
    sizes = np.abs(values)
    # Smaller numbers are powers of ten, and larger ones have four digits without decimals.
    sizes = sizes[(sizes >= 0.1**most) & (sizes < 1000)]
    scaled = sizes * 10.0 ** np.arange(most)[:, None]
    need_more = (np.abs(scaled - scaled.round()) > 1e-6 * scaled) & (scaled < 1000)
    return max(1, int(need_more.any(1).sum()))


def _cell_formats(room: int, decimals: int) -> tuple[list[float], list[str]]:
    """Return formats for numbers of up to `room` characters beside the sign, at least 2.

    The k-th is for sizes from the (k - 1)-th bound to the k-th, and the last one for integers.
    """
    least = max(-decimals, 3 - MOST_DECIMALS)
    digits = min(4, max(3, room))  # no power of ten is shorter than 3
    bounds = [1e-99, 1e-9, 10.0**least]
    formats = [_power_format(room, end) or f".{decimals}f" for end in ("e-100", "e-10", "e-9")]
    for place in range(least + 1, digits + 1):  # 2: two digits before the point
        shown = max(0, min(decimals, 4 - place, room - 1 - max(0, place)))
        # Where rounding writes a digit more: from 9.995 on, ".2f" gives 10.00.
        bounds.append((10 ** (place + shown + 1) - 5) / 10 ** (shown + 1))
        formats.append(f".{shown}f")
    formats += [_power_format(room, end) or ".0e" for end in ("e9", "e10", "e100")]
    return [*bounds, 1e10, 1e100], [*formats, ".0f"]


def _power_format(room: int, exponent: str) -> str:
    """Return the format of a power of ten that fits into `room`, or nothing if none does."""
    factor_room = room - len(exponent)
    if factor_room < 1:
        return ""
    return f".{max(0, min(3, factor_room - 2))}e"


def _format_places(values: Floats, bounds: list[float], small: float) -> NDArray[np.intp]:
    """Return which of `_cell_formats` each value of n tables (n, H, W) has.

    All of a table below `small` are powers of ten, if those fit.
    """
    sizes = np.abs(values)
    places = np.searchsorted(bounds, sizes, side="right")
    is_small = sizes.max((1, 2), keepdims=True) < small
    places = np.where(is_small, places.clip(max=2), places)
    is_integer = (sizes < bounds[-3]) & (sizes == sizes.round())
    return np.where(is_integer, len(bounds) + 1, places)


def _short_forms(texts: list[str], has_leading_zeros: bool) -> list[str]:
    """Return texts with minus signs, short exponents and, unless wanted, no zero before a point."""
    # One text with a line for each is changed faster than many short ones.
    text = minus("\n".join(["", *texts]))
    if not has_leading_zeros:
        text = text.replace("\n0.", "\n.").replace("\n−0.", "\n−.")
    for longer, shorter in SHORTER_POWERS:
        text = text.replace(longer, shorter)
    return text.split("\n")[1:]


def _in_rows(texts: list[str], columns: int) -> list[list[str]]:
    return [texts[k : k + columns] for k in range(0, len(texts), columns)]


def _in_parentheses(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


# Arrays


def size(shape: Iterable[int]) -> str:
    """Return a shape in words.

    Examples
    --------
    >>> size((6, 8))
    '6 × 8'
    """
    return " × ".join(str(n) for n in shape)


def lines(name: str, numbers: Collection[int]) -> str:
    """Return which rows or columns are meant, in words.

    Examples
    --------
    >>> lines("row", {4, 5, 6}), lines("row", [0, 2, 4]), lines("column", [3])
    ('rows 4 to 6', 'rows 0, 2, 4', 'column 3')
    """
    first, last = min(numbers), max(numbers)
    if first == last:
        return f"{name} {first}"
    if last - first == len(numbers) - 1:
        return f"{name}s {first} to {last}"
    return f"{name}s {', '.join(map(str, sorted(numbers)))}"


def padding_sources(
    geometry: WindowGeometry, padding_mode: str, lines: tuple[range, range] | None = None
) -> list[list[str]]:
    """Return where each cell of the padding has its value from, in rows; "" for other cells.

    Of some rows and columns alone, counted without the padding, if they are given as `lines`.

    Examples
    --------
    >>> padding_sources(WindowGeometry((1, 3), 1, padding=(0, 1)), "reflect")
    [['X[0, −1] = X[0, 1]', '', '', '', 'X[0, 3] = X[0, 1]']]
    """
    (h, w), (up, aside) = geometry.input_size, geometry.padding
    counted = torch.arange(1, h * w + 1, **FLOAT64).reshape(h, w)
    numbers = pad2d(counted, geometry.padding, padding_mode).int()
    rows, columns = lines or (range(-up, h + up), range(-aside, w + aside))
    shown = numbers[[i + up for i in rows]][:, [j + aside for j in columns]].tolist()

    def source(row: int, column: int, number: int) -> str:
        if 0 <= row < h and 0 <= column < w:
            return ""
        value = f"X[{(number - 1) // w}, {(number - 1) % w}]" if number else "0"
        return minus(f"X[{row}, {column}] = {value}")

    pairs = zip(rows, shown, strict=True)
    return [[source(i, j, n) for j, n in zip(columns, line, strict=True)] for i, line in pairs]


def digest(values: Tensor) -> str:
    """Return 8 hex digits that change with the shape and the values, but not with their rounding.

    What is hashed is the norm, and the sums of the values weighted by a cosine and a sine, to a
    thousandth of the norm: a smaller change may not show. If each value were hashed, the one that
    is closest to half a digit would decide.

    Examples
    --------
    >>> X = torch.tensor([[1.0, 2.0, 4.0]])
    >>> digest(X) == digest(X * (1 + 1e-7)), digest(X) == digest(X.flip(1))
    (True, False)
    """
    flat = values.detach().cpu().double().flatten()
    norm, phase = flat.norm(), torch.arange(1, flat.numel() + 1, **FLOAT64)
    sums = torch.stack([(flat * wave).sum() for wave in (phase.cos(), phase.sin())])
    thousandths = (sums / norm.clamp(min=1e-300) * 1000).round() + 0.0  # removes signs of zeros
    text = f"{tuple(values.shape)} {norm:.4g} {thousandths.tolist()}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def describe(title: str, values: Tensor) -> str:
    """Return a tensor's title, shape, range and digest.

    Examples
    --------
    >>> describe("kernel", torch.tensor([[1.0, -1.0]]))
    'kernel: 1 × 2, from -1 to 1, digest be6f09fb'
    """
    low, high = number(values.min()), number(values.max())
    return f"{title}: {size(values.shape)}, from {low} to {high}, digest {digest(values)}"


def round_limit(largest: float, factors: Sequence[float] = (1, 2, 5)) -> float:
    """Return the least round number that is not below `largest`: a factor times a power of ten.

    It is 1 for 0 and what is not finite, and at most 5e307.

    Examples
    --------
    >>> round_limit(0.3), round_limit(2.0)
    (0.5, 2.0)
    """
    if not sys.float_info.min <= largest < math.inf:  # with full precision, and so divisible
        return 1.0
    if largest > LARGEST_LIMIT:
        return LARGEST_LIMIT
    power = 10.0 ** math.floor(math.log10(largest))
    candidates = [factor * power for factor in factors]
    return next((limit for limit in candidates if largest <= limit * (1 + 1e-6)), 10 * power)


def colour_limit(values: Tensor) -> float:
    """Return the end of a colour key that holds all `values`, with some space beyond them.

    Examples
    --------
    >>> colour_limit(torch.tensor([[-1.0, 0.1]]))
    2.0
    """
    largest = values.detach().abs().max().item()
    with_space = min(HEADROOM * largest, LARGEST_LIMIT) if math.isfinite(largest) else largest
    return round_limit(with_space, (1, 2, 3, 5, 7))


# Sums


def window_sums(patches: Tensor, K: Tensor, totals: Tensor, bias: float | None = None) -> list[str]:
    """Return the arithmetic of output cells; "≈" where the rounded numbers do not add up.

    Parameters
    ----------
    patches, K : Tensor
        The windows, (n, kH * kW), and the weights that lie on them, (kH, kW).
    totals : Tensor
        The output cells, (n,).
    bias : float, optional
        What is added to each sum.

    Examples
    --------
    >>> patches, K = torch.tensor([[0.0, 1.0], [1.0, 2.0]]), torch.tensor([[1.0, -1.0]])
    >>> window_sums(patches, K, torch.tensor([-1.0, -1.0]))
    ['0×1 + 1×(−1) = −1', '1×1 + 2×(−1) = −1']
    """
    pixels, weights = (_number_texts(A.flatten().tolist()) for A in (patches, K))
    results, added = _number_texts(totals.tolist()), [] if bias is None else [number(bias)]
    products = _floats(pixels).reshape(patches.shape) * _floats(weights)
    whole = _floats(results) - _floats(added).sum()
    factors = [_in_parentheses(text) for text in weights]
    extra = "".join([f" + {_in_parentheses(text)}" for text in added])
    rows = zip(_in_rows(pixels, K.numel()), add_up(products, whole), results, strict=True)
    sums = []
    for row, is_exact, result in rows:
        terms = " + ".join([f"{x}×{k}" for x, k in zip(row, factors, strict=True)])
        sums.append(f"{terms}{extra} {'=' if is_exact else '≈'} {result}".replace("-", "−"))
    return sums


def _floats(texts: Sequence[str]) -> Tensor:
    return torch.tensor([float(text) for text in texts], **FLOAT64)


def add_up(terms: Tensor, totals: Tensor) -> list[bool]:
    """Return whether terms (n, k) sum to the totals (n,), up to the rounding of float64.

    Examples
    --------
    >>> add_up(torch.tensor([[1.5, 2.5], [0.33, 0.33]]), torch.tensor([4.0, 0.67]))
    [True, False]
    """
    tolerance = 1e-9 * torch.maximum(terms.abs().amax(1), totals.abs())
    return ((terms.sum(1) - totals).abs() <= tolerance).tolist()


def additions(parts: Tensor, totals: Tensor, divisor: int = 1) -> list[str]:
    """Return how parts (n, k) were added up, and divided; "≈" where that is rounded.

    Examples
    --------
    >>> additions(torch.tensor([[1.0, -2.0]]), torch.tensor([-1.0]))
    ['1 + (−2) = −1']
    """
    rows, results = numbers(parts), [number(total) for total in totals]
    terms = torch.stack([_floats(row) for row in rows])
    signs = ["=" if is_exact else "≈" for is_exact in add_up(terms, divisor * _floats(results))]
    sums = [" + ".join([f"({text})" if text.startswith("-") else text for text in r]) for r in rows]
    if divisor != 1:
        sums = [f"({sum_}) / {divisor}" for sum_ in sums]
    return [minus(" ".join(each)) for each in zip(sums, signs, results, strict=True)]


def averages(patches: Tensor, totals: Tensor) -> list[str]:
    """Return how each average came about, of windows (n, k).

    Examples
    --------
    >>> averages(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([1 / 3]))
    ['(1 + 0 + 0) / 3 ≈ 0.3333']
    """
    return additions(patches, totals, patches.shape[1])


def maxima(patches: Tensor, totals: Tensor) -> list[str]:
    """Return how each maximum came about, of windows (n, k).

    Examples
    --------
    >>> maxima(torch.tensor([[1.0, -3.0]]), torch.tensor([1.0]))
    ['max(1, −3) = 1']
    """
    pairs = zip(numbers(patches), totals, strict=True)
    said = [f"max({', '.join(row)}) = {number(total)}" for row, total in pairs]
    return [minus(text).replace("inf", "∞") for text in said]


def size_sums(geometry: WindowGeometry) -> tuple[str, str]:
    """Return the arithmetic of the number of rows of the output, and of its number of columns.

    Examples
    --------
    >>> size_sums(WindowGeometry((6, 8), (1, 2)))
    ('rows: 6 − 1 + 1 = 6', 'columns: 8 − 2 + 1 = 7')
    """
    g = geometry
    sizes = (g.output_size, g.input_size, g.kernel_size, g.padding, g.stride, g.dilation)
    rows, columns = zip(*sizes, strict=True)
    return f"rows: {_size_sum(*rows)}", f"columns: {_size_sum(*columns)}"


def _size_sum(out: int, n: int, k: int, p: int, s: int, d: int) -> str:
    if (p, s, d) == (0, 1, 1):
        return f"{n} − {k} + 1 = {out}"
    if (s, d) == (1, 1):
        return f"{n} + 2×{p} − {k} + 1 = {out}"
    return f"floor(({n} + 2×{p} − {d}×({k} − 1) − 1) / {s}) + 1 = {out}"


# Verdicts on a learning rate


class Outcome(enum.Enum):
    """What gradient descent does at one learning rate."""

    CONVERGING = "converging"
    OSCILLATING = "oscillating"
    DIVERGING = "diverging"
    NOTHING_TO_LEARN = "nothing to learn"
    ALREADY_LEARNED = "already learned"


@dataclass(frozen=True)
class ConvergenceSummary:
    """What gradient descent does at one learning rate, and why.

    Attributes
    ----------
    outcome : Outcome
        OSCILLATING is the case between converging and diverging, exactly at the limit.
    text : str
        The same in one or two sentences, with numbers.
    """

    outcome: Outcome
    text: str


def share_of_limit(lr: float, limit: float) -> str:
    """Return how large a learning rate is beside the largest stable one.

    Examples
    --------
    >>> share_of_limit(0.03, 1 / 30), share_of_limit(100.0, 1 / 30)
    ('90% of the limit 0.03333', '3,000 times the limit 0.03333')
    """
    ratio, end = lr / limit, f"the limit {number(limit)}"
    if ratio < 1e-4:
        return f"less than 0.01% of {end}"
    if ratio > 1e6:
        return f"more than a million times {end}"
    if ratio >= 9.995:
        return f"{float(number(ratio, 3)):,.10g} times {end}"
    percent = number(100 * ratio, 3)
    if percent == "100" and abs(ratio - 1) > 1e-9:
        return f"just {'below' if ratio < 1 else 'above'} {end}"
    return f"{percent}% of {end}"


def convergence_summary(
    quadratic: QuadraticLoss, start: Tensor, lr: float, momentum: float = 0.0
) -> ConvergenceSummary:
    """Return what gradient descent from `start` does at a learning rate, why, and how fast.

    Each step multiplies the error along a direction of eigenvalue e by ``1 - lr * e``; with
    momentum, in the long run, by the largest absolute eigenvalue of its 2 x 2 matrix (Goh, "Why
    momentum really works", Distill 2017). The error along directions that the input cannot tell
    apart never changes, and does not count.

    Parameters
    ----------
    quadratic : QuadraticLoss
        The problem, with its target.
    start : Tensor
        The first kernel, (kH, kW).
    lr, momentum : float
        The learning rate of every step, and the share of the velocity that each keeps.

    Raises
    ------
    ConvkitError
        If `quadratic` has no target.

    Examples
    --------
    >>> quadratic = QuadraticLoss(torch.ones(1, 1), 1, torch.ones(1, 1))
    >>> convergence_summary(quadratic, torch.zeros(1, 1), lr=0.25).outcome
    <Outcome.CONVERGING: 'converging'>
    """
    if quadratic.rank == 0:
        text = "Nothing to learn: this input is zero everywhere, and so is every gradient."
        return ConvergenceSummary(Outcome.NOTHING_TO_LEARN, text)
    parts = _error_along_directions(quadratic, start)
    if parts is None:
        text = "Nothing left to learn: the start fits already."
        return ConvergenceSummary(Outcome.ALREADY_LEARNED, text)
    products = lr * quadratic.eigenvalues[: quadratic.rank]
    return _descent_summary(quadratic, lr, momentum, products.tolist(), products[parts].tolist())


def _error_along_directions(quadratic: QuadraticLoss, start: Tensor) -> Tensor | None:
    """Return along which directions `start` is wrong, (rank,) of bool, or None if along none."""
    start, best = start.detach().double(), quadratic.best_kernel
    errors = (quadratic.identifiable_directions * (start - best)).sum((1, 2)).abs()
    largest = errors.max()
    if largest <= 1e-6 * max(start.abs().max(), best.abs().max()):
        return None
    return errors > 1e-6 * largest


def _descent_summary(
    quadratic: QuadraticLoss,
    lr: float,
    momentum: float,
    products: Sequence[float],
    active: Sequence[float],
) -> ConvergenceSummary:
    """Describe a descent, given the learning rate times the eigenvalues, largest first.

    `active` holds those of the directions along which there is an error.
    """
    limit, steepest = quadratic.stable_lr(momentum), max(active)
    reason = f"at {share_of_limit(lr, limit)}, a step multiplies the remaining distance"
    reason += f" by {_factor(products[0], momentum)}"
    if len(products) > 1:
        reason += " (steepest)"
    end = 2 * (1 + momentum)
    if steepest >= end * (1 - 1e-9):
        grows = steepest > end * (1 + 1e-9)
        outcome = Outcome.DIVERGING if grows else Outcome.OSCILLATING
        start = "Diverging" if grows else "Oscillating without end"
        return ConvergenceSummary(outcome, minus(f"{start}: {reason}."))
    if len(products) > 1:
        reason += f" and {_factor(products[-1], momentum)} (flattest)"
    steps = _steps_to_a_tenth(max(_growth(p, momentum) for p in active))
    swings = steepest > (1 - math.sqrt(momentum)) ** 2
    way = _way(lr > limit, steepest < 1e-3, steps > MANY_STEPS, swings)
    text = f"{way}: {reason}{_pace(steps, active, momentum)}"
    shown, count = quadratic.rank, len(quadratic.hessian)
    if shown < count:
        text += f" This input shows {shown} of the kernel's {count} directions."
    return ConvergenceSummary(Outcome.CONVERGING, minus(text))


def _growth(product: float, momentum: float) -> float:
    """Return by what each step multiplies an error in the long run, without its sign."""
    half = (1 + momentum - product) / 2
    root = half**2 - momentum
    return abs(half) + math.sqrt(root) if root >= 0 else math.sqrt(momentum)


def _steps_to_a_tenth(growth: float) -> float:
    """Return after how many steps a tenth of an error is left."""
    if growth == 0:
        return 1
    return math.inf if growth >= 1 else math.ceil(-1 / math.log10(growth))


def _pace(steps: float, products: Sequence[float], momentum: float) -> str:
    """Return how many steps a descent takes, and why these are many where they are."""
    text = f"; a tenth is left after {steps:,} steps" if 1 < steps < 1e7 else ""
    condition = products[0] / products[-1]
    if condition < ILL_CONDITIONED:
        return f"{text}."
    times = f"the steepest curves {float(number(condition, 3)):,.10g} times as much"
    if momentum:
        fastest = _steps_to_a_tenth((condition - 1) / (condition + 1))
        return f"{text}, without momentum after {fastest:,} at best: {times}."
    return f"{text}. No rate suits both: {times}."


def _way(is_beyond: bool, is_hardly: bool, is_slow: bool, swings: bool) -> str:
    """Return in which way a descent converges."""
    if is_beyond:
        return "Converging, but only because the start is right in the direction that would grow"
    if is_hardly:
        return "Converging, but very slowly"
    slowly = " slowly" if is_slow else ""
    return f"Converging{slowly}, swinging to and fro" if swings else f"Converging{slowly}"


def _factor(product: float, momentum: float) -> str:
    """Return by what a step multiplies an error, in a way that tells it from 1 and -1."""
    if momentum:
        return number(_growth(product, momentum))
    text = number(1 - product)
    if text == "1":
        return f"1 - {number(product)}"
    beyond = product - 2
    if text == "-1" and abs(beyond) > 1e-9:
        return f"-1 {'-' if beyond > 0 else '+'} {number(abs(beyond))}"
    return text
