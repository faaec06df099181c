"""The exercises of notebook 07: sizes, mirrored borders, and what strides above and below 1 do."""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit.exercises import Case, Exercise, Question, forbid, random_numbers
from convkit.ops import corr2d, output_size, pad2d

Function = Callable[..., Any]
Size = tuple[int, int]


def my_output_size(size, kernel_size, padding, stride):
    """Count the places where the kernel fits, and take one of every stride."""
    rows = (size[0] + 2 * padding[0] - kernel_size[0]) // stride[0] + 1
    columns = (size[1] + 2 * padding[1] - kernel_size[1]) // stride[1] + 1
    return rows, columns


def _size(size: Size, kernel_size: Size, padding: Size, stride: Size) -> Any:
    return output_size(size, kernel_size, padding=padding, stride=stride)


def _per_axis(rule: Callable[..., float]) -> Function:
    """Return a function of sizes that applies `rule` to rows and to columns."""
    return lambda *sizes: [rule(*axis) for axis in zip(*sizes, strict=True)]


def mirror_pad(X, p):
    """Rows 1 to p stand above row 0, in turned order; likewise below, and for the columns."""
    tall = torch.cat([X[1 : p + 1].flip(0), X, X[-p - 1 : -1].flip(0)])
    left, right = tall[:, 1 : p + 1].flip(1), tall[:, -p - 1 : -1].flip(1)
    return torch.cat([left, tall, right], dim=1)


def _reflected(X: Tensor, p: int) -> Tensor:
    return pad2d(X, p, "reflect")


def _with_edge(X: Tensor, p: int) -> Tensor:
    """Mirror at the outside of the border, so that border pixels come twice."""
    tall = torch.cat([X[:p].flip(0), X, X[-p:].flip(0)])
    return torch.cat([tall[:, :p].flip(1), tall, tall[:, -p:].flip(1)], dim=1)


def _unturned(X: Tensor, p: int) -> Tensor:
    """Copy the rows and columns next to the border without turning their order."""
    tall = torch.cat([X[1 : p + 1], X, X[-p - 1 : -1]])
    return torch.cat([tall[:, 1 : p + 1], tall, tall[:, -p - 1 : -1]], dim=1)


def _without_pad(function: Function, *args: object) -> None:
    for name in ("pad", "pad2d", "ReflectionPad2d"):
        forbid(name, "Use slices, flip and torch.cat.")(function)


def multiplications(size, kernel_size, stride):
    """Each output cell takes as many as the kernel has weights."""
    rows = (size[0] - kernel_size[0]) // stride[0] + 1
    columns = (size[1] - kernel_size[1]) // stride[1] + 1
    return rows * columns * kernel_size[0] * kernel_size[1]


def _products(size: Size, kernel_size: Size, stride: Size) -> int:
    weights = torch.ones(kernel_size)
    return int(corr2d(torch.ones(size), weights, stride=stride).sum())


def _windows(size: Size, kernel_size: Size, stride: Size) -> int:
    return corr2d(torch.ones(size), torch.ones(kernel_size), stride=stride).numel()


def _divided(divisor: Callable[[Size], float]) -> Function:
    """Return a count that divides the one at stride 1."""
    return lambda size, kernel_size, stride: (
        multiplications(size, kernel_size, (1, 1)) / divisor(stride)
    )


def half_stride(X, K):
    """Put a zero between neighbours, in both directions; the window then moves by one cell."""
    spread = torch.zeros(2 * X.shape[0] - 1, 2 * X.shape[1] - 1)
    spread[::2, ::2] = X
    return corr2d(spread, K)


def _transposed(X: Tensor, K: Tensor) -> Tensor:
    """Return the same by PyTorch's transposed convolution."""
    padding = (K.shape[0] - 1, K.shape[1] - 1)
    turned = K.flip(0, 1)[None, None]
    return F.conv_transpose2d(X[None, None], turned, stride=2, padding=padding)[0, 0]


def _spread(X: Tensor, rows: bool = True, columns: bool = True, extra: int = 0) -> Tensor:
    """Return X with zeros between its rows, its columns or both, and `extra` ones at the end."""
    down, right = 1 + rows, 1 + columns
    spread = torch.zeros(down * (X.shape[0] - 1) + 1, right * (X.shape[1] - 1) + 1)
    spread[::down, ::right] = X
    return F.pad(spread, (0, extra, 0, extra))


def _repeated(X: Tensor) -> Tensor:
    return X.repeat_interleave(2, 0).repeat_interleave(2, 1)[:-1, :-1]


SIZES = (
    Case((8, 8), (3, 3), (1, 1), (1, 1)),
    Case((8, 8), (5, 3), (2, 1), (1, 1)),
    Case((8, 8), (3, 3), (1, 1), (2, 2)),
    Case((8, 8), (3, 5), (0, 1), (3, 4)),
    Case((9, 14), (2, 5), (1, 0), (3, 2)),
    Case((5, 6), (5, 1), (0, 2), (2, 4)),
)
PADDED = tuple(
    Case(random_numbers(*shape, seed=seed), p)
    for seed, (shape, p) in enumerate([((3, 4), 1), ((4, 3), 2), ((5, 7), 3)])
)
COUNTED = (
    Case((8, 8), (3, 3), (1, 1)),
    Case((8, 8), (3, 3), (2, 2)),
    Case((9, 14), (2, 5), (3, 2)),
    Case((30, 20), (5, 3), (1, 4)),
)
ENLARGED = tuple(
    Case(random_numbers(*shape, seed=1), random_numbers(*kernel_size, seed=2))
    for shape, kernel_size in [((3, 4), (2, 2)), ((4, 3), (3, 2)), ((2, 3), (1, 3))]
)

EXERCISES = {
    "7.1": Exercise(
        hint="Padding lengthens an axis by 2 p, so windows start at n + 2 p - k at most.\n"
        "How many of the numbers 0, s, 2 s, ... are no larger than that?",
        success="The book's four examples, and two with sizes that do not divide evenly.",
        solution=my_output_size,
        correct=_size,
        misconceptions={
            "Off by one: the first place counts too, so add 1.": _per_axis(
                lambda n, k, p, s: (n + 2 * p - k) // s
            ),
            "A part of a window does not count: round down, with //.": _per_axis(
                lambda n, k, p, s: (n + 2 * p - k) / s + 1
            ),
            "You round up: a last window that sticks out is left away.": _per_axis(
                lambda n, k, p, s: math.ceil((n + 2 * p - k) / s) + 1
            ),
            "Padding is counted per side here, so it comes twice.": _per_axis(
                lambda n, k, p, s: (n + p - k) // s + 1
            ),
            "Add the 1 after the division: the window at the start needs no stride.": _per_axis(
                lambda n, k, p, s: (n + 2 * p - k + 1) // s
            ),
            "The stride plays no part yet.": _per_axis(lambda n, k, p, s: n + 2 * p - k + 1),
            "Rows and columns are swapped: rows come first.": (
                lambda *sizes: my_output_size(*sizes)[::-1]
            ),
        },
        name="The size",
        cases=SIZES,
    ),
    "7.3": Exercise(
        hint="Above row 0 stand rows p, ..., 2, 1: that is X[1 : p + 1].flip(0).\n"
        "Do the same below with X[-p - 1 : -1]; then go on with the columns of the result.",
        success="It agrees with padding_mode='reflect' on three shapes.",
        solution=mirror_pad,
        correct=_reflected,
        misconceptions={
            "The border comes twice: the mirror stands on the border pixels, not beside them.": (
                _with_edge
            ),
            "That repeats the border pixels: it is 'replicate'.": (
                lambda X, p: pad2d(X, p, "replicate")
            ),
            "That goes on at the other side: it is 'circular'.": (
                lambda X, p: pad2d(X, p, "circular")
            ),
            "The border is still zeros.": pad2d,
            "The copies are not turned round: a mirror reverses their order.": _unturned,
            "Only the rows are mirrored: mirror the columns of the result too.": (
                lambda X, p: pad2d(X, (p, 0), "reflect")
            ),
            "Only the columns are mirrored: mirror the rows of the result too.": (
                lambda X, p: pad2d(X, (0, p), "reflect")
            ),
        },
        name="The padded X",
        cases=PADDED,
        require=_without_pad,
    ),
    "7.4": Exercise(
        hint="How many output cells are there? Each of them takes one multiplication for each "
        "weight.",
        success="Four layers. A stride of 2 in both directions saves about three quarters.",
        solution=multiplications,
        correct=_products,
        misconceptions={
            "These are the output cells: each takes one multiplication for each weight.": _windows,
            "The stride plays no part yet.": (
                lambda size, kernel_size, stride: multiplications(size, kernel_size, (1, 1))
            ),
            "Both strides count: rows and columns become fewer.": _divided(lambda s: s[0]),
            "Count windows, and round down: dividing the count at stride 1 is not exact.": (
                _divided(math.prod)
            ),
            "The kernel does not stick out: it fits in n - k + 1 places, not in n.": (
                lambda size, kernel_size, stride: math.prod(
                    n // s * k for n, k, s in zip(size, kernel_size, stride, strict=True)
                )
            ),
            "Windows and weights multiply; you added them.": (
                lambda size, kernel_size, stride: (
                    _windows(size, kernel_size, stride) + math.prod(kernel_size)
                )
            ),
        },
        name="The number",
        cases=COUNTED,
    ),
    "7.6": Exercise(
        hint="Make zeros of 2 H - 1 rows and 2 W - 1 columns.\n"
        "spread[::2, ::2] = X sets every other cell of every other row.",
        success="It agrees with F.conv_transpose2d with stride=2, which turns the kernel. "
        "Networks that return pictures, such as for segmentation, enlarge small maps by it.",
        solution=half_stride,
        correct=_transposed,
        misconceptions={
            "That is stride 2: the output shrinks. Half a stride enlarges it.": (
                lambda X, K: corr2d(X, K, stride=2)
            ),
            "You repeat each pixel: between two pixels stand zeros.": (
                lambda X, K: corr2d(_repeated(X), K)
            ),
            "Only the rows are spread: spread the columns too.": (
                lambda X, K: corr2d(_spread(X, columns=False), K)
            ),
            "Only the columns are spread: spread the rows too.": (
                lambda X, K: corr2d(_spread(X, rows=False), K)
            ),
            "Zeros stand between pixels, not after the last one: 2 H - 1 rows, not 2 H.": (
                lambda X, K: corr2d(_spread(X, extra=1), K)
            ),
            "The kernel is turned: F.conv_transpose2d wants it flipped before.": (
                lambda X, K: _transposed(X, K.flip(0, 1))
            ),
            "The pixels do not move apart yet.": corr2d,
        },
        name="Y",
        cases=ENLARGED,
    ),
}

RIGHT_7_2 = "It leaves 4,000 samples a second, and a tone of 3,000 Hz comes out as another one"
QUESTIONS = {
    "7.2": Question(
        "A recording has 8,000 samples a second. What does a convolution with stride 2 do to it?",
        {
            "It plays twice as fast": (
                "Only for a player that still believes in 8,000 samples a second. The samples that "
                "are left lie twice as far apart, and last as long as before."
            ),
            RIGHT_7_2: (
                "4,000 samples a second can hold tones up to 2,000 Hz. A higher one is not lost: "
                "it comes out as a lower one, 1,000 Hz here, unless the kernel removes it before."
            ),
            "It removes all tones above 2,000 Hz, and leaves the others": (
                "A kernel that blurs can remove them. The stride itself leaves samples out, and "
                "what was a high tone looks like a low one."
            ),
            "It leaves out the second half of the recording": (
                "Every second sample is left out, all along the recording."
            ),
        },
        right=RIGHT_7_2,
    ),
    "7.5": Question(
        "Beside the time saved: what can a stride above 1 do for how well a network learns?",
        {
            "The layer has fewer weights to learn": (
                "It has as many: the weights are those of the kernel. Only the output is smaller."
            ),
            "The next layers see more of the picture with as few weights": (
                "One step of the next layer is two pixels then. So few weights, which few examples "
                "suffice for, see far, and a shift by a pixel changes less. What is too fine for "
                "the stride is lost, or worse, comes out as something coarser."
            ),
            "The pixels that are left out hold nothing new, so that nothing is lost": (
                "Stripes one pixel wide are lost entirely, as you saw above."
            ),
            "Each picture counts as several training examples": (
                "Each picture gives fewer windows, not more."
            ),
        },
        right="The next layers see more of the picture with as few weights",
    ),
}
