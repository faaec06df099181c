"""The exercises of notebook 10: a kernel's matrix, its transpose, two kernels as one."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit.exercises import Case, Difference, Exercise, Question, random_numbers
from convkit.matrices import as_matrix
from convkit.ops import corr2d, patches


def my_matrix(K, size):
    """Lay the kernel on each window of an empty picture; each such picture is a row."""
    (H, W), (kH, kW) = size, K.shape
    rows = []
    for i in range(H - kH + 1):
        for j in range(W - kW + 1):
            picture = torch.zeros(H, W)
            picture[i : i + kH, j : j + kW] = K
            rows.append(picture.flatten())
    return torch.stack(rows)


def _gap_of_one(K: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a matrix whose rows are each the one above, moved by one: right in 1-D alone."""
    first, count = as_matrix(K, size)[0], len(as_matrix(K, size))
    return torch.stack([first.roll(n) for n in range(count)])


def _without_gaps(K: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a matrix in which the kernel's rows stand next to each other."""
    rows, starts = [], as_matrix(torch.ones(K.shape), size).argmax(1)
    for start in starts.tolist():
        row = torch.zeros(size[0] * size[1])
        row[start : start + K.numel()] = K.flatten()[: len(row) - start]
        rows.append(row)
    return torch.stack(rows)


def input_gradient(G, K):
    """Correlate G, with zeros around it, with the kernel turned by half a turn."""
    kH, kW = K.shape
    return corr2d(G, K.flip(0, 1), padding=(kH - 1, kW - 1))


def _gradient_by_transpose(G: Tensor, K: Tensor) -> Tensor:
    size = G.shape[0] + K.shape[0] - 1, G.shape[1] + K.shape[1] - 1
    return (as_matrix(K, size).T @ G.flatten()).reshape(size)


def one_kernel(K1, K2):
    """Each weight of K1 lays a copy of K2, times itself; the copies add up."""
    (a, b), (c, d) = K1.shape, K2.shape
    K = torch.zeros(a + c - 1, b + d - 1)
    for i in range(a):
        for j in range(b):
            K[i : i + c, j : j + d] += K1[i, j] * K2
    return K


def _by_correlation(K1: Tensor, K2: Tensor) -> Tensor:
    h, w = K2.shape
    return corr2d(K1, K2.flip(0, 1), padding=(h - 1, w - 1))


def _unflipped(K1: Tensor, K2: Tensor) -> Tensor:
    h, w = K2.shape
    return corr2d(K1, K2, padding=(h - 1, w - 1))


def conv_by_matrix(X, K):
    """Put the windows of all channels side by side, and each output's weights in one column."""
    outputs, channels, kH, kW = K.shape
    windows = torch.cat([patches(channel, (kH, kW)) for channel in X], dim=1)
    Y = windows @ K.reshape(outputs, -1).T
    H, W = X.shape[1] - kH + 1, X.shape[2] - kW + 1
    return Y.T.reshape(outputs, H, W)


def _conv(X: Tensor, K: Tensor) -> Tensor:
    return F.conv2d(X[None], K)[0]


def _channels_apart(X: Tensor, K: Tensor) -> Tensor:
    """Return the sums without those over the channels."""
    return torch.cat([F.conv2d(X[c][None, None], K[:, c : c + 1])[0] for c in range(len(X))])


def _explain_gradient(difference: Difference) -> str:
    if difference.is_shape:
        return "It has the size of X: kH - 1 rows and kW - 1 columns more than G, by padding."
    return "Which windows read this pixel, and with which weight each?"


def _explain_kernel(difference: Difference) -> str:
    if difference.is_shape:
        return "A kernel of b rows after one of a rows spans a + b - 1 rows; so do columns."
    return "Each weight of K1 lays a copy of K2, times itself, and the copies add up."


PAIRS = (
    Case(random_numbers(2, 3, seed=1), random_numbers(2, 2, seed=2)),
    Case(random_numbers(3, 2, seed=3), random_numbers(1, 3, seed=4)),
    Case(random_numbers(1, 4, seed=5), random_numbers(3, 2, seed=6)),
)

EXERCISES = {
    "10.1": Exercise(
        hint="Row r of the matrix is an empty picture with the kernel laid on its r-th window,\n"
        "read row by row: picture.flatten(). torch.stack makes a matrix of a list of rows.",
        success="Three sizes, with gaps where the picture's rows end.",
        solution=my_matrix,
        correct=as_matrix,
        misconceptions={
            "It is the transpose: a row belongs to an output number, a column to a pixel.": (
                lambda K, size: as_matrix(K, size).T
            ),
            "The kernel is turned: correlation leaves it as it is.": (
                lambda K, size: as_matrix(K.flip(0, 1), size)
            ),
            "Each row is the one above moved by one, also where a window begins a new line: "
            "there it moves by the kernel's width.": _gap_of_one,
            "The kernel's rows stand next to each other; in the picture they are a row apart.": (
                _without_gaps
            ),
            "Kernel and picture are transposed: read them row by row.": (
                lambda K, size: as_matrix(K.T, size[::-1])
            ),
            "Those are windows as rows, of ones; it should hold the weights.": (
                lambda K, size: (as_matrix(K, size) != 0).float()
            ),
        },
        name="The matrix",
        cases=(
            Case(random_numbers(2, 2, seed=7), (3, 3)),
            Case(random_numbers(1, 3, seed=8), (2, 5)),
            Case(random_numbers(3, 2, seed=9), (4, 3)),
        ),
    ),
    "10.2": Exercise(
        hint="Which output numbers does the top left pixel take part in, and which weight lies on\n"
        "it there? Ask the same of the pixel beside it: the kernel appears turned by half a turn.\n"
        "The result has the size of X, which is larger than G: how much padding does that take?",
        success="Three pairs of sizes, equal to what autograd gives.",
        solution=input_gradient,
        correct=_gradient_by_transpose,
        misconceptions={
            "Turn the kernel by half a turn: K.flip(0, 1).": (
                lambda G, K: corr2d(G, K, padding=(K.shape[0] - 1, K.shape[1] - 1))
            ),
            "The kernel is flipped in one direction alone; it takes both.": (
                lambda G, K: corr2d(G, K.flip(1), padding=(K.shape[0] - 1, K.shape[1] - 1))
            ),
            "The kernel is transposed; it should be turned by half a turn.": (
                lambda G, K: corr2d(G, K.T, padding=(K.shape[1] - 1, K.shape[0] - 1))
            ),
            "The padding is the kernel's size; one less makes the size of X.": (
                lambda G, K: corr2d(G, K.flip(0, 1), padding=tuple(K.shape))
            ),
            "Every sign is wrong: the gradient points uphill.": (
                lambda G, K: -_gradient_by_transpose(G, K)
            ),
        },
        name="The gradient",
        explain=_explain_gradient,
        cases=PAIRS,
    ),
    "10.3": Exercise(
        hint="Correlate a picture with a single 1 in it, once by K1 and then by K2, on paper.\n"
        "Each weight of K1 then lays a copy of K2: where, and times what?",
        success="Three pairs of sizes; the one kernel is their full convolution.",
        solution=one_kernel,
        correct=_by_correlation,
        misconceptions={
            "That is their full correlation: one of the two has to be turned first.": _unflipped,
            "The result is turned by half a turn.": lambda a, b: _by_correlation(a, b).flip(0, 1),
            "The kernels only overlap in part at the border, and that counts too: the result is "
            "larger than either.": lambda a, b: F.pad(_by_correlation(a, b), (-1, 0)),
            "Every sign is wrong.": lambda a, b: -_by_correlation(a, b),
            "It is transposed.": lambda a, b: _by_correlation(a, b).T,
        },
        name="The kernel",
        explain=_explain_kernel,
        cases=PAIRS,
    ),
    "10.5": Exercise(
        hint="patches(X[c], (kH, kW)) has kH * kW columns for channel c. Side by side they\n"
        "have as many columns as one output has weights: K[o].numel(). Multiply, then reshape:\n"
        "what comes out has a row for each window and a column for each output.",
        success="Two layers, equal to F.conv2d.",
        solution=conv_by_matrix,
        correct=_conv,
        misconceptions={
            "Outputs are mixed up with pixels: the product has a column for each output, so "
            "transpose it before you reshape.": (
                lambda X, K: _conv(X, K).flatten(1).T.reshape(_conv(X, K).shape)
            ),
            "The channels stay apart; one sum runs over all of them.": _channels_apart,
            "The kernels are turned; F.conv2d leaves them as they are.": (
                lambda X, K: _conv(X, K.flip(2, 3))
            ),
            "The weights of the channels are in another order than the windows of the channels.": (
                lambda X, K: _conv(X, K.flip(1))
            ),
            "It is the mean over the channels; it should be the sum.": (
                lambda X, K: _conv(X, K) / len(X)
            ),
        },
        name="Y",
        cases=(
            Case(random_numbers(2, 4, 3, seed=10), random_numbers(3, 2, 2, 2, seed=11)),
            Case(random_numbers(3, 3, 5, seed=12), random_numbers(2, 3, 1, 3, seed=13)),
        ),
    ),
}

QUESTIONS = {
    "10.4": Question(
        "Can every 3 × 3 kernel be written as two 2 × 2 kernels in a row?",
        {
            "Yes: a 2 × 2 window of 2 × 2 windows spans 3 × 3 pixels.": "It spans them. But the "
            "nine weights then follow from eight numbers, and one factor between the two is free: "
            "seven choices cannot reach all kernels of nine.",
            "Yes, if the first one has a bias.": "A bias adds the same number everywhere. It "
            "changes no weight.",
            "No: two kernels have eight weights, and nine are asked for.": "Right. Seven of the "
            "eight even count, since a factor can move from one kernel to the other. Most 3 × 3 "
            "kernels are not two in a row.",
            "No: two kernels in a row are never one kernel.": "They always are one, as long as "
            "nothing bends the numbers between. The question is the converse.",
        },
        right="No: two kernels have eight weights, and nine are asked for.",
    ),
}
