"""The exercises of notebook 08: what layers with channels cost, and what groups and strips save."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit.exercises import Case, Difference, Exercise, Question, numbers

Size = tuple[int, int]
Rule = Callable[[int, int, int, int], int]


def my_multiplications(c_in, c_out, size, kernel_size, padding, stride):
    """Count the output cells, and the products in each: one for each weight of its map."""
    rows, columns = (
        (n + 2 * p - k) // s + 1
        for n, k, p, s in zip(size, kernel_size, padding, stride, strict=True)
    )
    return c_out * rows * columns * c_in * kernel_size[0] * kernel_size[1]


def _count(
    places: Rule, per_cell: Callable[[int, int, Size], int] = lambda i, o, k: i * o * k[0] * k[1]
) -> Callable[..., int]:
    """Return a count with a rule for the places along an axis, and one for the products of each."""

    def count(c_in: int, c_out: int, size: Size, kernel: Size, padding: Size, stride: Size) -> int:
        rows, columns = map(places, size, kernel, padding, stride)
        return rows * columns * per_cell(c_in, c_out, kernel)

    return count


def _places(n: int, k: int, p: int, s: int) -> int:
    return (n + 2 * p - k) // s + 1


def _multiplications_by_torch(
    c_in: int, c_out: int, size: Size, kernel: Size, padding: Size, stride: Size
) -> int:
    """Let each product be 1, so that the sum of the output counts them."""
    X = F.pad(torch.ones(1, c_in, *size), (padding[1], padding[1], padding[0], padding[0]), value=1)
    return int(F.conv2d(X, torch.ones(c_out, c_in, *kernel), stride=stride).sum().item())


def my_numbers_kept(c_in, c_out, size, kernel_size, output_size):
    """Count input, weights and output; then the values and the gradients of the backward pass."""
    X = c_in * size[0] * size[1]
    K = c_out * c_in * kernel_size[0] * kernel_size[1]
    Y = c_out * output_size[0] * output_size[1]
    return X + K + Y, X + K + X + K + Y


def _kept(rule: Callable[[int, int, int], tuple[int, int]]) -> Callable[..., tuple[int, int]]:
    """Return a count of numbers kept, given a rule of the numbers in X, K and Y."""

    def count(c_in: int, c_out: int, size: Size, kernel: Size, output: Size) -> tuple[int, int]:
        shapes = (c_in, *size), (c_out, c_in, *kernel), (c_out, *output)
        X, K, Y = (torch.empty(shape).numel() for shape in shapes)
        return rule(X, K, Y)

    return count


def _explain_kept(difference: Difference) -> str:
    if difference.is_shape:
        return "Return two numbers: return forward, backward."
    return "First the forward pass: input, weights, output. Then values, and gradients."


def _observe_factors(answer: object) -> dict[str, Tensor]:
    """Return the factors, to the three digits after the point that one types."""
    factors = numbers(answer, "The pair of factors").double()
    return {"The pair of factors": (factors * 1000).round() / 1000}


def _explain_factors(difference: Difference) -> str:
    if difference.is_shape:
        return "Write two numbers: [channels, padding]."
    return (
        "Each of twice as many maps is a sum over twice as many channels. For the padding count "
        "the output's rows: 32 with padding 1, and how many with 2?"
    )


def my_reads_per_output(k, delta):
    """Divide the pixels that a step reads by the output numbers that it gives."""
    return (k + delta) / (delta + 1)


def _reads_by_counting(k: int, delta: int) -> float:
    """Count windows in a row of the strip."""
    width = k + delta
    return width / len([start for start in range(width) if start + k <= width])


def _explain_reads(difference: Difference) -> str:
    if difference.is_shape:
        return "Return one number: reads for each output number."
    return "Count the pixels in a row of the strip, and the windows of k pixels that fit into it."


SHAPES = tuple(
    Case(*case)
    for case in [
        (2, 3, (5, 7), (3, 2), (0, 0), (1, 1)),
        (3, 8, (32, 32), (3, 3), (1, 1), (1, 1)),
        (1, 4, (8, 9), (3, 5), (0, 1), (3, 4)),
        (4, 1, (6, 6), (1, 1), (0, 0), (2, 2)),
        (5, 2, (7, 6), (2, 3), (1, 0), (2, 1)),
    ]
)
KEPT = tuple(
    Case(*case)
    for case in [
        (2, 3, (3, 4), (2, 2), (2, 3)),
        (3, 8, (32, 32), (3, 3), (32, 32)),
        (1, 2, (6, 8), (1, 2), (6, 7)),
        (4, 1, (5, 5), (3, 2), (2, 2)),
    ]
)
STRIPS = tuple(Case(k, delta) for k, delta in [(3, 0), (3, 1), (3, 6), (5, 3), (7, 9), (1, 4)])

QUESTIONS = {
    "8.1": Question(
        "The loops and the matrix product compute the same sums of the same products. Are the two "
        "results equal, bit for bit?",
        {
            "Yes, always: mathematics says they are equal.": (
                "On paper they are. A computer rounds after each addition, so the order counts: "
                "the next cell shows three numbers whose sum depends on it."
            ),
            "Not always: rounding depends on the order of the additions.": (
                "A float32 has about 7 digits, and each addition rounds to them. Compare with "
                "torch.allclose, which allows for that."
            ),
            "No, never: the matrix product is less exact.": (
                "Neither is more exact. Both round after each addition, in another order, and "
                "often they agree to the last bit."
            ),
        },
        right="Not always: rounding depends on the order of the additions.",
    ),
    "8.2": Question(
        "The backward pass computes the gradients of the weights and of the input. How many "
        "multiplications does it take, compared with the forward pass?",
        {
            "Half as many": "Two gradients are computed, and neither has fewer products.",
            "As many": (
                "That is true of each gradient: every product X × K of the forward pass becomes "
                "one product for K's gradient, and one more for X's. How many in all?"
            ),
            "Twice as many": (
                "Each product X × K has two factors. For the gradient of K, X is multiplied by the "
                "output's gradient; for that of X, K is."
            ),
            "As many as there are weights": (
                "Each weight lies on every window, so it meets as many products as there are "
                "output cells."
            ),
        },
        right="Twice as many",
    ),
    "8.3": Question(
        "With g groups a layer takes 1/g of the multiplications. What is lost, and what brings "
        "part of it back?",
        {
            "Nothing is lost: the weights that are gone were 0 anyway.": (
                "In a full layer they are learned, and need not be 0. Leaving them out decides "
                "beforehand that these channels have nothing to say to each other."
            ),
            "Sharp edges are lost; larger kernels bring them back.": (
                "Groups concern channels, not neighbouring pixels: each map still has whole "
                "windows."
            ),
            "Channels of different groups never meet; mix them between the layers.": (
                "Shuffle the channels between two layers, as the next cell does, or follow with a "
                "1 × 1 layer."
            ),
            "Channels of different groups never meet; a second layer with the same groups "
            "mixes them.": (
                "A block-diagonal matrix times another one of the same blocks is block-diagonal "
                "again, as the next cell shows."
            ),
        },
        right="Channels of different groups never meet; mix them between the layers.",
    ),
    "8.8": Question(
        "The larger delta is, the fewer reads. What keeps delta small in practice?",
        {
            "The picture: delta must be smaller than k.": (
                "Nothing of the kind is needed: a strip may be as wide as the picture."
            ),
            "Rounding: more sums at once are less exact.": (
                "Each output number is the same sum of k × k products, however many are made "
                "at once."
            ),
            "The fast memory: k rows of the strip must fit into it.": (
                "Pixels are read once only if they are still at hand when the next rows come. "
                "Registers and caches hold few of them; beyond that, everything is read again."
            ),
            "The multiplications: a wider strip takes more of them for each output number.": (
                "Each output number takes k × k multiplications in any strip; only the reading "
                "becomes less."
            ),
        },
        right="The fast memory: k rows of the strip must fit into it.",
    ),
}

EXERCISES = {
    "8.4": Exercise(
        hint="How many cells has one output map? How many weights are multiplied for one cell,\n"
        "which stands on all input channels? Then count the maps.",
        success="Five layers: padding, stride, oblong pictures and kernels.",
        solution=my_multiplications,
        correct=_multiplications_by_torch,
        misconceptions={
            "That is one output map only: multiply by c_out.": (
                _count(_places, lambda i, o, k: i * k[0] * k[1])
            ),
            "That reads one input channel only: each output cell stands on all c_in.": (
                _count(_places, lambda i, o, k: o * k[0] * k[1])
            ),
            "Padding is added on both sides: 2 * padding.": (
                _count(lambda n, k, p, s: (n + p - k) // s + 1)
            ),
            "The padding is missing.": _count(lambda n, k, p, s: (n - k) // s + 1),
            "The stride is missing: the window skips places.": (
                _count(lambda n, k, p, s: n + 2 * p - k + 1)
            ),
            "Off by one: the first place counts too.": (
                _count(lambda n, k, p, s: (n + 2 * p - k) // s)
            ),
            "Divide without a remainder, //: a window that does not fit is left out.": (
                _count(lambda n, k, p, s: -(-(n + 2 * p - k) // s) + 1)
            ),
            "The kernel has rows and columns: multiply both.": (
                _count(_places, lambda i, o, k: i * o * k[0])
            ),
            "That counts the kernel's rows twice: it need not be square.": (
                _count(_places, lambda i, o, k: i * o * k[0] ** 2)
            ),
            "Those are additions too: count the multiplications alone.": (
                _count(_places, lambda i, o, k: 2 * i * o * k[0] * k[1])
            ),
        },
        cases=SHAPES,
        name="The number",
    ),
    "8.5": Exercise(
        hint="Count the numbers in X, in K and in Y. dL/dK needs X and dL/dY; dL/dX needs K and\n"
        "dL/dY. Does either need Y itself? A gradient has as many numbers as what it belongs to.",
        success="Four layers. The values of Y are not needed: the backward pass starts at dL/dY.",
        solution=my_numbers_kept,
        correct=_kept(lambda X, K, Y: (X + K + Y, 2 * (X + K + Y) - Y)),
        misconceptions={
            "Y's values are not needed on the way back, only its gradient.": (
                _kept(lambda X, K, Y: (X + K + Y, 2 * (X + K + Y)))
            ),
            "The gradients alone are not enough: dL/dK takes X, and dL/dX takes K.": (
                _kept(lambda X, K, Y: (X + K + Y, X + K + Y))
            ),
            "X counts twice: dL/dK takes its values, and the layer before takes its gradient.": (
                _kept(lambda X, K, Y: (X + K + Y, X + 2 * K + Y))
            ),
            "The backward pass starts from the output's gradient: count that too.": (
                _kept(lambda X, K, Y: (X + K + Y, 2 * (X + K)))
            ),
            "The forward pass keeps the output too.": (
                _kept(lambda X, K, Y: (X + K, 2 * (X + K) + Y))
            ),
            "The forward pass needs the input too.": (
                _kept(lambda X, K, Y: (K + Y, 2 * (X + K) + Y))
            ),
            "The forward pass needs the weights too.": (
                _kept(lambda X, K, Y: (X + Y, 2 * (X + K) + Y))
            ),
        },
        cases=KEPT,
        name="The pair (forward, backward)",
        explain=_explain_kept,
    ),
    "8.6": Exercise(
        hint="Multiplications are output cells times products in each cell.\n"
        "Which of the two does each change touch? How many rows has the output with padding 2?",
        success="Channels count twice, once in and once out. Padding only adds a border.",
        solution="factors = [2 * 2, (34 / 32) ** 2]",
        correct=(4, 1.12890625),
        misconceptions={
            "Both counts double, the inputs and the outputs: 2 × 2.": (2, (34 / 32) ** 2),
            "Twice the padding is no more than one more pixel on each side.": (4, 2),
            "Padding adds rows and columns: square the factor of the rows.": (4, 34 / 32),
            "One more on each side is two more rows: 34.": (4, (33 / 32) ** 2),
            "The padded input grows to 36, but what counts is the output: 34.": (
                (4, (36 / 34) ** 2)
            ),
            "The output was 32 × 32 before, not 30 × 30: it had padding 1 already.": (
                (4, (34 / 30) ** 2)
            ),
            "More padding is a larger output, and that takes more multiplications.": (4, 1),
            "The second is rounded: write it as a product of two fractions.": (4, 1.13),
            "They are swapped: first the channels, then the padding.": ((34 / 32) ** 2, 4),
        },
        reveals=False,
        observe=_observe_factors,
        explain=_explain_factors,
    ),
    "8.7": Exercise(
        hint="For k = 3 and delta = 1 a row of the strip has 4 pixels. How many windows of 3 fit\n"
        "side by side?",
        success="Six strips. From k reads for each output number it falls towards 1.",
        solution=my_reads_per_output,
        correct=_reads_by_counting,
        misconceptions={
            "Off by one: in k + delta pixels, delta + 1 windows fit.": (
                lambda k, delta: (k + delta) / max(delta, 1)
            ),
            "That is what a step reads; divide by the numbers that it gives.": (
                lambda k, delta: k + delta
            ),
            "The strip is wider than k: a step reads k + delta pixels.": (
                lambda k, delta: k / (delta + 1)
            ),
            "A step gives one row of delta + 1 numbers, not k of them.": (
                lambda k, delta: (k + delta) / k
            ),
            "Upside down: that is the number of outputs for each pixel read.": (
                lambda k, delta: (delta + 1) / (k + delta)
            ),
            "Of the k rows only the last is new: the others were read before.": (
                lambda k, delta: k * (k + delta) / (delta + 1)
            ),
            "That is a window by itself: side by side, windows share what they read.": (
                lambda k, delta: k
            ),
            "Divide by /: reads for each number need not be whole.": (
                lambda k, delta: (k + delta) // (delta + 1)
            ),
            "Off by one: delta more pixels make room for delta more windows, beside the first.": (
                lambda k, delta: (k + delta) / (delta + 2)
            ),
        },
        cases=STRIPS,
        name="The number of reads",
        explain=_explain_reads,
        reveals=False,
    ),
}
