"""The exercises of notebook 01: cross-correlation by hand, by shape, by weight, and flipped."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from convkit.exercises import Case, Difference, Exercise, Question, random_numbers
from convkit.ops import convolve2d, corr2d, output_size

Size = tuple[int, int]

X = torch.tensor([[1.0, 2, 0], [0, 1, 3], [2, 1, 1]])
K = torch.tensor([[1.0, -1], [0, 2]])


def _explain_by_hand(difference: Difference) -> str:
    if difference.is_shape:
        return "K fits at 2 × 2 places of X: two rows with two numbers each."
    i, j = difference.cell
    return (
        f"Lay K on rows {i} and {i + 1} and columns {j} and {j + 1} of X, counted from 0, "
        "multiply cell by cell, and add the four products."
    )


def my_output_shape(input_shape, kernel_shape):
    """Count the places where the kernel fits, along each axis."""
    (H, W), (kH, kW) = input_shape, kernel_shape
    return H - kH + 1, W - kW + 1


def _per_axis(rule: Callable[[int, int], int]) -> Callable[[Size, Size], Size]:
    """Return a shape function that applies `rule` to rows and to columns."""
    return lambda big, small: (rule(big[0], small[0]), rule(big[1], small[1]))


def corr2d_by_weight(X, K):
    """Add up shifted pictures, one for each weight."""
    kH, kW = K.shape
    H, W = X.shape[0] - kH + 1, X.shape[1] - kW + 1
    Y = torch.zeros(H, W)
    for a in range(kH):
        for b in range(kW):
            Y += K[a, b] * X[a : a + H, b : b + W]
    return Y


def _only_weight(a: int, b: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a corr2d that uses the weight (a, b) alone."""

    def corr2d_of_one_weight(X: Tensor, K: Tensor) -> Tensor:
        one = torch.zeros_like(K)
        one[a, b] = K[a, b]
        return corr2d(X, one)

    return corr2d_of_one_weight


def my_convolve2d(X, K):
    """Turn the kernel by half a turn, then cross-correlate."""
    return corr2d(X, K.flip(0, 1))


def _unshifted(X: Tensor, K: Tensor) -> Tensor:
    H, W = corr2d(X, K).shape
    return K.sum() * X[:H, :W]


PICTURES = tuple(
    Case(random_numbers(*shape, seed=0), random_numbers(*kernel_size, seed=6))
    for shape, kernel_size in [
        ((3, 4), (2, 2)),
        ((4, 6), (2, 3)),
        ((6, 4), (3, 1)),
        ((1, 5), (1, 2)),
        ((3, 2), (3, 2)),
    ]
)


EXERCISES = {
    "1.1": Exercise(
        hint="Lay K on the top left corner of X. Four products; add them: "
        "1×1 + 2×(-1) + 0×0 + 1×2.",
        success="All four window sums agree.",
        solution="""\
Y_by_hand = [
    [1 * 1 + 2 * (-1) + 0 * 0 + 1 * 2, 2 * 1 + 0 * (-1) + 1 * 0 + 3 * 2],
    [0 * 1 + 1 * (-1) + 2 * 0 + 1 * 2, 1 * 1 + 3 * (-1) + 1 * 0 + 1 * 2],
]
""",
        correct=corr2d(X, K),
        misconceptions={
            "You flipped the kernel. Cross-correlation lays it on as it is.": convolve2d(X, K),
            "You swapped the kernel's rows and columns.": corr2d(X, K.T),
            "You swapped the output's rows and columns.": corr2d(X, K).T,
            "You dropped the minus sign of the weight -1.": corr2d(X, K.abs()),
            "These are the products of the first window: add them up; they make one cell.": (
                X[:2, :2] * K
            ),
        },
        name="Y",
        reveals=False,
        explain=_explain_by_hand,
    ),
    "1.2": Exercise(
        hint="Along 8 cells a window of 2 starts at 0, 1, ... up to 6. How many places are these?",
        success="Four pairs of shapes, oblong ones too.",
        solution=my_output_shape,
        correct=output_size,
        misconceptions={
            "Off by one: the first place counts too, so add 1.": _per_axis(lambda n, k: n - k),
            "That is the input's shape: the kernel may not stick out, so places are lost.": (
                _per_axis(lambda n, k: n)
            ),
            "Rows and columns are swapped: rows come first.": (
                lambda big, small: my_output_shape(big, small)[::-1]
            ),
            "The kernel's rows were subtracted from the input's columns.": (
                lambda big, small: output_size(big, small[::-1])
            ),
            "That is larger than the input: subtract, because the kernel must fit.": (
                _per_axis(lambda n, k: n + k - 1)
            ),
            "These windows lie side by side: they overlap, moving one cell at a time.": (
                _per_axis(lambda n, k: n // k)
            ),
        },
        name="The shape",
        cases=(
            Case((6, 8), (1, 2)),
            Case((3, 3), (2, 2)),
            Case((32, 48), (5, 3)),
            Case((4, 7), (4, 7)),
        ),
    ),
    "1.3": Exercise(
        hint="Weight K[a, b] meets X[i + a, j + b] for every (i, j) at once: that is the slice\n"
        "X[a : a + H, b : b + W], where H and W are the output's rows and columns.",
        success="It agrees with PyTorch on five shapes, also with fractions. "
        "Whether it loops over the weights, only you can see.",
        solution=corr2d_by_weight,
        correct=corr2d,
        misconceptions={
            "You flip the kernel: weight (a, b) meets cell (i + a, j + b).": convolve2d,
            "Your output has rows and columns swapped.": lambda X, K: corr2d(X, K).T,
            "The kernel's rows and columns are swapped.": lambda X, K: corr2d(X, K.T),
            "The last row and column are missing: there are H - kH + 1 and W - kW + 1.": (
                lambda X, K: corr2d(X, K)[:-1, :-1]
            ),
            "Only the first weight is used: return after the loops, not inside them.": (
                _only_weight(0, 0)
            ),
            "Only the last weight is left: add each shifted picture with +=.": _only_weight(-1, -1),
            "The last weight is left out: range(kH) reaches kH - 1 by itself.": (
                lambda X, K: corr2d(X, K) - _only_weight(-1, -1)(X, K)
            ),
            "The weights play no part: multiply each shifted picture by its weight.": (
                lambda X, K: corr2d(X, K**0)
            ),
            "Your output is still all zeros.": lambda X, K: 0 * corr2d(X, K),
            "Your output is cut to whole numbers: make it with torch.zeros(H, W), no dtype.": (
                lambda X, K: corr2d(X, K).trunc()
            ),
            "The slices never move: weight (a, b) meets X[a : a + H, b : b + W].": (_unshifted),
        },
        name="Y",
        cases=PICTURES,
    ),
    "1.4": Exercise(
        hint="K.flip(0) turns it upside down, K.flip(1) swaps left and right. You need both.",
        success="It agrees with a convolution on five shapes, also with fractions.",
        solution=my_convolve2d,
        correct=convolve2d,
        misconceptions={
            "This is still cross-correlation: the kernel is not flipped.": corr2d,
            "Only up and down are flipped: flip left and right too.": (
                lambda X, K: corr2d(X, K.flip(0))
            ),
            "Only left and right are flipped: flip up and down too.": (
                lambda X, K: corr2d(X, K.flip(1))
            ),
            "You flipped the picture or the output, not only the kernel.": (
                lambda X, K: corr2d(X, K.flip(0, 1)).flip(0, 1)
            ),
            "You changed the signs: a flip moves the weights, and leaves their signs.": (
                lambda X, K: corr2d(X, -K)
            ),
            "You transposed the kernel: that mirrors it along its diagonal.": (
                lambda X, K: corr2d(X, K.T)
            ),
            "You gave the kernel a quarter turn; a convolution takes half a turn.": (
                lambda X, K: corr2d(X, K.rot90(1))
            ),
            "You gave the kernel a quarter turn clockwise; a convolution takes half a turn.": (
                lambda X, K: corr2d(X, K.rot90(-1))
            ),
            "That is a full convolution: here the kernel may not stick out of the picture.": (
                lambda X, K: convolve2d(X, K, padding=(K.shape[0] - 1, K.shape[1] - 1))
            ),
        },
        name="Y",
        cases=PICTURES,
    ),
}

QUESTIONS = {
    "1a": Question(
        "Which input pixel is part of all four windows?",
        {
            "the top left one, 0": "A corner lies in one window only, the one in its own corner.",
            "the one in the middle, 4": "Each window is 2 × 2, and each touches the middle.",
            "none: the windows lie side by side": "The kernel moves by one pixel, not by its own "
            "width, so windows overlap.",
        },
        right="the one in the middle, 4",
    ),
}
