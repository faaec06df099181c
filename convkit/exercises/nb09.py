"""The exercises of notebook 09: pooling as cross-correlation, by ReLU, its cost, its minimum."""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit import formatting
from convkit.exercises import (
    Case,
    Exercise,
    Question,
    Wrong,
    ask_for,
    forbid,
    numbers,
    random_numbers,
)
from convkit.ops import corr2d, output_size, patches, pool2d

Function = Callable[..., Any]
Observations = dict[str, Tensor]
Size = tuple[int, int]


def average_by_corr2d(X, pool_size):
    """Each of the h × w inputs has the same weight, and the weights add up to 1."""
    h, w = pool_size
    return corr2d(X, torch.full((h, w), 1 / (h * w)))


def _average(X: Tensor, pool_size: Size) -> Tensor:
    return F.avg_pool2d(X[None], pool_size, stride=1)[0]


def _weighted(weight: Callable[[int, int], float]) -> Function:
    """Return a cross-correlation whose weights are all the same number, made of h and w."""
    return lambda X, size: corr2d(X, torch.full(size, weight(*size)))


SAME_PLACE = (
    "One cell holds the largest of A and the largest of B, so that it is that of A + B too."
)
CONSTANT = "One number on every cell raises the maximum by itself: let the numbers of B differ."
MULTIPLE = "B is A times a number that is not negative, so that both have the same largest cell."
ONE_CELL = "A window of one cell is its own maximum: take two cells at least."
BLACK = "Where A is 0 everywhere, nothing is added: let some numbers differ from 0."


def _observe_pair(answer: object) -> Observations:
    """Return how far the maximum of A + B falls short of the sum of both maxima: 1 if at all."""
    pair = numbers(answer, "The pair")
    if pair.ndim < 2 or len(pair) != 2:
        raise Wrong("Pass two windows of one shape: [A, B].")
    A, B = pair.flatten(1)
    together, apart = (A + B).max(), A.max() + B.max()
    if together == apart:
        why = _why_equal(A, B)
        both = f"max(A + B) is {formatting.number(together)}, and so is max(A) + max(B)."
        raise Wrong(f"{both} {why}", why)
    return {"Whether the two differ": torch.ones(())}


def _why_equal(A: Tensor, B: Tensor) -> str:
    """Return why two windows are no counter-example."""
    if len(A) == 1:
        return ONE_CELL
    if not A.any() or not B.any():
        return BLACK
    if len(A.unique()) == 1 or len(B.unique()) == 1:
        return CONSTANT
    if torch.equal(A * B.norm(), B * A.norm()):
        return MULTIPLE
    return SAME_PLACE


def max_by_relu(X):
    """max(a, b) = a + relu(b - a): along rows first, then along columns."""
    here, step = torch.tensor([[1.0, 0.0]]), torch.tensor([[-1.0, 1.0]])
    rows = corr2d(X, here) + torch.relu(corr2d(X, step))
    return corr2d(rows, here.T) + torch.relu(corr2d(rows, step.T))


def _largest(X: Tensor) -> Tensor:
    return pool2d(X, 2)


def _pairwise(pair: Callable[[Tensor, Tensor], Tensor]) -> Function:
    """Return what a rule for two neighbours gives along rows, then along columns."""

    def pooled(X: Tensor) -> Tensor:
        rows = pair(X[:, :-1], X[:, 1:])
        return pair(rows[:-1], rows[1:])

    return pooled


MAXIMA = ("max", "amax", "maximum", "max_pool2d", "MaxPool2d", "pool2d", "topk", "sort", "where")


def _without_maximum(function: Function, *args: object) -> None:
    for name in MAXIMA:
        forbid(name, "Use corr2d and torch.relu.")(function)


def comparisons(shape, pool_size, padding, stride):
    """Each window of k inputs takes k - 1 comparisons; the channels are pooled one by one."""
    channels, height, width = shape
    rows, columns = output_size((height, width), pool_size, padding=padding, stride=stride)
    return channels * rows * columns * (pool_size[0] * pool_size[1] - 1)


def _counted(rule: Callable[[int, int, int], int], **fixed: Any) -> Function:
    """Return a count made of a rule in channels, windows and inputs of a window."""

    def count(shape: tuple[int, int, int], pool_size: Size, padding: Size, stride: Size) -> int:
        options = {"padding": padding, "stride": stride} | fixed
        X = torch.zeros(shape[1:])
        windows = patches(X, pool_size, **options)
        return rule(shape[0], *windows.shape)

    return count


def _of_pixels(shape: tuple[int, int, int], pool_size: Size, padding: Size, stride: Size) -> int:
    channels, height, width = shape
    return channels * height * width * (pool_size[0] * pool_size[1] - 1)


def min_pool2d(X, pool_size):
    """Turn all signs, take the maximum, and turn them back."""
    return -pool2d(-X, pool_size)


def _least(X: Tensor, pool_size: Size) -> Tensor:
    windows = patches(X, pool_size).amin(1)
    return windows.reshape(output_size(tuple(X.shape), pool_size))


def _least_in_size(X: Tensor, pool_size: Size) -> Tensor:
    """Return the number closest to 0 of each window."""
    windows = patches(X, pool_size)
    places = windows.abs().argmin(1, keepdim=True)
    return windows.gather(1, places).reshape(output_size(tuple(X.shape), pool_size))


WINDOWS = (
    Case(random_numbers(3, 4, seed=0), (2, 2)),
    Case(random_numbers(4, 5, seed=1), (2, 3)),
    Case(random_numbers(5, 3, seed=2) + 2.5, (4, 1)),
)
PICTURES = (
    Case(random_numbers(2, 2, seed=0)),
    Case(random_numbers(3, 5, seed=1)),
    Case(random_numbers(4, 3, seed=2) - 2.5),
)
BRIGHT = [[1.0, 0.0], [0.0, 0.0]]

EXERCISES = {
    "9.1": Exercise(
        hint="Write the mean of four numbers as a sum of products: which weight has each?\n"
        "For a window of h × w there are h * w weights.",
        success="Three pictures, three windows: an average is a cross-correlation.",
        solution=average_by_corr2d,
        correct=_average,
        misconceptions={
            "That is the sum of each window: the weights of a mean add up to 1.": (
                _weighted(lambda h, w: 1.0)
            ),
            "You divide by the rows of the window alone; it has h × w inputs.": (
                _weighted(lambda h, w: 1 / h)
            ),
            "You divide by the columns of the window alone; it has h × w inputs.": (
                _weighted(lambda h, w: 1 / w)
            ),
            "You divide by h + w; the window has h × w inputs.": (
                _weighted(lambda h, w: 1 / (h + w))
            ),
            "One quarter is the weight for 2 × 2 inputs.": _weighted(lambda h, w: 1 / 4),
            "The window's rows and columns are swapped.": lambda X, size: _average(X, size[::-1]),
            "That is the largest input of each window, not their mean.": pool2d,
            "The window moves by its own size; here it moves by 1.": (
                lambda X, size: F.avg_pool2d(X[None], size)[0]
            ),
        },
        name="The output",
        require=ask_for(
            "corr2d",
            "conv2d",
            "convolve2d",
            instead="Which kernel makes corr2d give the mean of each window?",
        ),
        cases=WINDOWS,
    ),
    "9.2": Exercise(
        hint="Where is the largest number of A, and where is that of B? What if these are two\n"
        "places? Two cells are enough, with a 1 and a 0.",
        success="No cross-correlation does that: its sum for A + B is that for A plus that for B.",
        solution="""\
A = [[1, 0], [0, 0]]
B = [[0, 0], [0, 1]]
""",
        correct=torch.tensor([BRIGHT, [[0.0, 0.0], [0.0, 1.0]]]),
        misconceptions={
            SAME_PLACE: [[[1, 0], [0, 0]], [[3, 1], [2, 0]]],
            CONSTANT: [[[1, 2], [3, 4]], [[1, 1], [1, 1]]],
            MULTIPLE: [[[1, 2], [3, 4]], [[2, 4], [6, 8]]],
            ONE_CELL: [[[1]], [[2]]],
            BLACK: [[[0, 0], [0, 0]], [[1, 2], [3, 4]]],
        },
        reveals=False,
        observe=_observe_pair,
    ),
    "9.3": Exercise(
        hint="Of two neighbours a and b the larger is a + relu(b - a). A kernel of two weights\n"
        "gives b - a. Of four numbers take the larger along rows, then along columns.",
        success="Three pictures, negative numbers among them: the same as maximum pooling.",
        solution=max_by_relu,
        correct=_largest,
        misconceptions={
            "That is the smallest of each window: the difference has the wrong sign.": (
                _pairwise(lambda a, b: a - torch.relu(a - b))
            ),
            "The difference is turned round, and gives 2a - b where a is larger.": (
                _pairwise(lambda a, b: a + torch.relu(a - b))
            ),
            "That adds b where it is positive: compare first, and add relu(b - a).": (
                _pairwise(lambda a, b: a + torch.relu(b))
            ),
            "That is how much larger b is than a; a itself is missing.": (
                _pairwise(lambda a, b: torch.relu(b - a))
            ),
            "Negative maxima have become 0: a stands outside of the ReLU.": (
                lambda X: torch.relu(_largest(X))
            ),
            "That compares along rows only.": lambda X: pool2d(X, (1, 2)),
            "That compares along columns only.": lambda X: pool2d(X, (2, 1)),
            "That compares the top left with the bottom right; there are four inputs.": (
                lambda X: torch.maximum(X[:-1, :-1], X[1:, 1:])
            ),
            "That is the average.": lambda X: pool2d(X, 2, "avg"),
        },
        name="The output",
        require=_without_maximum,
        cases=PICTURES,
    ),
    "9.4": Exercise(
        hint="How many comparisons find the largest of two numbers, of three, of k?\n"
        "How many windows are there? output_size counts them.",
        success="Four layers; a maximum over k inputs takes k - 1 comparisons.",
        solution=comparisons,
        correct=_counted(lambda channels, windows, k: channels * windows * (k - 1)),
        misconceptions={
            "The first input of a window is compared with nothing: k - 1 for k inputs.": (
                _counted(lambda channels, windows, k: channels * windows * k)
            ),
            "Each channel is pooled: multiply by their number.": (
                _counted(lambda channels, windows, k: windows * (k - 1))
            ),
            "That is for one window; multiply by their number.": (
                _counted(lambda channels, windows, k: channels * (k - 1))
            ),
            "That is one for each window; a window of k inputs takes k - 1.": (
                _counted(lambda channels, windows, k: channels * windows)
            ),
            "There are as many windows as outputs, not as pixels.": _of_pixels,
            "The stride plays no part in your count; it leaves windows out.": (
                _counted(lambda channels, windows, k: channels * windows * (k - 1), stride=1)
            ),
            "The padding plays no part in your count; it makes room for more windows.": (
                _counted(lambda channels, windows, k: channels * windows * (k - 1), padding=0)
            ),
            "The windows move by their own size in your count; the stride is given.": (
                lambda shape, pool_size, padding, stride: comparisons(
                    shape, pool_size, padding, pool_size
                )
            ),
        },
        name="Your count",
        cases=(
            Case((1, 3, 3), (2, 2), (0, 0), (1, 1)),
            Case((3, 6, 8), (2, 3), (0, 1), (2, 2)),
            Case((16, 7, 5), (3, 3), (1, 1), (2, 1)),
            Case((2, 9, 4), (1, 4), (0, 0), (3, 1)),
        ),
    ),
    "9.6": Exercise(
        hint="Which of -3 and -5 is larger, and which of 3 and 5 is smaller?",
        success="Three pictures: the smallest is minus the largest of -X. No layer of its own.",
        solution=min_pool2d,
        correct=_least,
        misconceptions={
            "That is minus the largest: the signs of X are to be turned first.": (
                lambda X, size: -pool2d(X, size)
            ),
            "That is the largest of -X: turn the sign of the output too.": (
                lambda X, size: pool2d(-X, size)
            ),
            "That is the largest of 1 - X: take the output from 1 again.": (
                lambda X, size: pool2d(1 - X, size)
            ),
            "That is the largest.": pool2d,
            "That is the number closest to 0: of -3 and 1 the smaller is -3.": _least_in_size,
            "That is the average.": lambda X, size: pool2d(X, size, "avg"),
            "Numbers above 0 have become 0: leave the ReLU out.": (
                lambda X, size: -pool2d(torch.relu(-X), size)
            ),
            "The window's rows and columns are swapped.": lambda X, size: _least(X, size[::-1]),
        },
        name="The output",
        cases=WINDOWS,
    ),
}

QUESTIONS = {
    "9a": Question(
        "The 4 in the middle lies in all four windows. In how many of them is it the maximum?",
        {
            "none": "In the top left window it meets 0, 1 and 3, and is the largest.",
            "one": "Only the top left window, 0 1 / 3 4, has nothing larger. 5, 7 and 8 win the "
            "others.",
            "all four": "It lies in all four, but three of them hold a larger number: 5, 7 or 8.",
        },
        right="one",
    ),
    "9b": Question(
        "Maximum pooling has given 4 5 / 7 8, and the loss is their sum. Which inputs get a "
        "gradient?",
        {
            "all nine": "That is so for an average. If 0 grows a little, no maximum changes: its "
            "gradient is 0.",
            "4, 5, 7 and 8": "Each output is one of the inputs. If that grows by a little, the "
            "output grows by as much: gradient 1. The others could change without notice.",
            "8 alone": "8 is the largest of all, but each window has a maximum of its own.",
        },
        right="4, 5, 7 and 8",
    ),
    "9c": Question(
        "A dot moves to the right by one column. The windows are 2 × 2, with stride 2. What does "
        "the output of maximum pooling do?",
        {
            "It stays as it is.": "It does if the dot stays in its window. From column 1 to 2 it "
            "enters the next one.",
            "It moves by one cell.": "It moves only when the dot enters another window, which is "
            "every other time.",
            "It stays or moves, depending on the column.": "From an even column the dot stays in "
            "its window; from an odd one it enters the next.",
        },
        right="It stays or moves, depending on the column.",
    ),
    "9d": Question(
        "White stripes of one column, and black ones of one column between them. What is left "
        "after maximum pooling, 2 × 2 with stride 2?",
        {
            "the same stripes, half as many": "Stripes of that kind would need windows without "
            "white, and each window has a white column.",
            "an even white": "Each window holds one white and one black column, and white wins. "
            "The pattern is gone.",
            "an even grey": "That is left after average pooling: half of each window is white.",
        },
        right="an even white",
    ),
    "9.3": Question(
        "max_by_relu has two rounds of ReLU for windows of 2 × 2. How many does it take, with "
        "kernels of two weights, for windows of 3 × 3?",
        {
            "2": "A round compares two numbers. Two along a row reach three columns, and the rows "
            "need as many again.",
            "4": "Two along rows: the larger of the larger of a, b and the larger of b, c. Then "
            "two along columns. As a layer each round has three channels, for b - a, a and -a, "
            "because ReLU alone would cut a negative a.",
            "9": "Nine inputs do not need nine rounds: a round compares at all places at once.",
        },
        right="4",
    ),
    "9.5": Question(
        "One window is black but for a single white dot. In another the same light is spread "
        "evenly. Which pooling tells them apart?",
        {
            "the maximum alone": "It says whether something is there: 1 or 0.25. The average says "
            "how much there is, 0.25 in both.",
            "the average alone": "The sums are equal, and so the averages are.",
            "both": "The average is 0.25 in both: it does not see how the light is spread.",
            "neither": "The maximum is 1 in one and 0.25 in the other.",
        },
        right="the maximum alone",
    ),
    "9.7": Question(
        "Softmax pooling is a mean in which each input is weighted by the softmax of its window. "
        "Why is it rare?",
        {
            "It has no gradient.": "It has one for every input: it is smooth, which the maximum is "
            "not.",
            "It has weights to learn.": "They are computed from the window; there is nothing to "
            "learn.",
            "It may exceed the largest input.": "Its weights are positive and add up to 1, so it "
            "is at most as large.",
            "It costs an exponential for each input, for something between average and maximum.": (
                "Small inputs give nearly the average, large ones nearly the maximum, and a layer "
                "before it can scale its outputs. The price stays."
            ),
        },
        right="It costs an exponential for each input, for something between average and maximum.",
    ),
}
