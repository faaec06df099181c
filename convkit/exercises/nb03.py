"""The exercises of notebook 03: a diagonal, an edge of any direction, derivatives, blur."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from convkit import formatting
from convkit.exercises._grading import Exercise, Wrong, compare, numbers, run
from convkit.kernels import kernel
from convkit.ops import convolve2d, corr2d


def diagonal_edges():
    """Work out each row: a cell minus its right neighbour."""
    return {
        "output": [[1, 0, 0], [-1, 1, 0], [0, -1, 1], [0, 0, -1]],
        "X transposed": "same",
        "K transposed": "transposed",
    }


def check_diagonal_edges(answer: object) -> str:
    """Check the output on a diagonal line, and what transposing X or K does to it."""
    parts = ("output", "X transposed", "K transposed")
    if not isinstance(answer, dict) or set(answer) != set(parts):
        raise Wrong(f"Wanted a dictionary with the keys {', '.join(map(repr, parts))}.")
    X, K = torch.eye(4), torch.tensor([[1.0, -1]])
    right = corr2d(X, K)
    slips = [
        (0 * right, "Not all zeros: beside the diagonal the brightness changes, up and down."),
        (torch.eye(4, 3), "The +1 are there, but left of the diagonal black turns white: 0 - 1."),
        (
            convolve2d(X, K),
            "Every sign is turned: you flipped the kernel, and took right minus left.",
        ),
        (right.T, "You have rows and columns swapped: the kernel is 1 × 2, so a column is lost."),
    ]
    compare(answer["output"], right, "The output", slips)
    for part in parts[1:]:
        if answer[part] is ...:
            raise Wrong(f"The output is right; {part!r} is still `...`.")
    if answer["X transposed"] != "same":
        raise Wrong(
            f"X transposed gives {answer['X transposed']!r}? Look at X itself: a diagonal line is "
            "its own transpose. It is not like the stripes, where all became zero."
        )
    if answer["K transposed"] != "transposed":
        raise Wrong(
            f"K transposed gives {answer['K transposed']!r}? The kernel now takes a cell minus the "
            "one below, and on this picture rows and columns play the same part."
        )
    return "+1 on the diagonal, -1 left of it; both transpositions are right too."


def edge_kernel(v):
    """Weigh the change to the right by v_x and the change downwards by v_y."""
    v_x, v_y = v
    return v_x * kernel("Sobel x") + v_y * kernel("Sobel y")


def _rise(K: Tensor) -> tuple[float, float]:
    """Return the response to brightness that rises by 1 per cell, to the right and downwards."""
    rows, columns = K.shape
    right = (K * torch.arange(columns)).sum().item()
    return right, (K * torch.arange(rows)[:, None]).sum().item()


def check_edge_kernel(function: object) -> str:
    """Check the response to flat pictures and to ramps along and across four directions."""
    for v in ((3.0, 4.0), (2.0, -1.0), (1.0, 0.0), (0.0, 1.0)):
        K = numbers(run(function, v), "the kernel")
        if K.ndim != 2:
            raise Wrong(f"For v = {v} the kernel has {K.ndim} axes; wanted rows and columns.")
        if abs(K.sum().item()) > 1e-4:
            raise Wrong(
                f"For v = {v} the weights add up to {formatting.number(K.sum())}. Unless they add "
                "up to 0, a flat picture looks like an edge."
            )
        _judge_direction(v, _rise(K))
    return "Four directions: silent on flat pictures and along the edge, positive across it."


def _judge_direction(v: tuple[float, float], rise: tuple[float, float]) -> None:
    (x, y), (gx, gy) = v, rise
    said = f"For v = {v} it answers {formatting.number(gx)} to the right and {formatting.number(gy)} down"
    meanings = [
        ((-x, -y), "it answers to falling brightness: turn all signs."),
        ((y, x), "x and y are swapped: columns run along x, rows along y."),
        ((x, -y), "your y points up: rows are counted downwards."),
        ((-x, y), "your x points left: columns are counted to the right."),
        ((y, -x), "that is along the edge: v points across it, from dark to bright."),
        ((-y, x), "that is along the edge, upwards: v points across it, from dark to bright."),
    ]
    if _same_way((x, y), rise):
        return
    for way, meaning in meanings:
        if _same_way(way, rise):
            raise Wrong(f"{said}: {meaning}")
    raise Wrong(f"{said}; wanted the ratio {formatting.number(x)} to {formatting.number(y)}.")


def _same_way(a: tuple[float, float], b: tuple[float, float]) -> bool:
    along, size = a[0] * b[0] + a[1] * b[1], math.hypot(*a) * math.hypot(*b)
    return size > 0 and along > (1 - 1e-6) * size


def derivative_kernel(d):
    """Take differences of differences, d times over."""
    weights = [1]
    for _ in range(d):
        weights = [a - b for a, b in zip([0, *weights], [*weights, 0], strict=True)]
    return torch.tensor([weights], dtype=torch.float32)


def _derivative_weights(d: int) -> Tensor:
    signs = [[(-1.0) ** (d - k) * math.comb(d, k) for k in range(d + 1)]]
    return torch.tensor(signs, dtype=torch.float64)


def check_derivative_kernel(function: object) -> str:
    """Check the smallest kernels of the first three derivatives; each is the only one."""
    for d in (1, 2, 3):
        given, right = numbers(run(function, d), "the kernel"), _derivative_weights(d)
        said = f"For d = {d}"
        if given.ndim == 2 and tuple(given.shape) == (d + 1, 1):
            raise Wrong(f"{said} the kernel stands upright; from left to right it has one row.")
        if given.ndim != 2 or len(given) != 1:
            raise Wrong(f"{said} the shape is {formatting.size(given.shape)}; wanted one row.")
        cells = given.shape[1]
        if cells <= d:
            raise Wrong(f"{said} you use {cells} cells: too few, {d} differences need {d + 1}.")
        if cells > d + 1:
            raise Wrong(f"{said} you use {cells} cells: not the smallest, {d + 1} will do.")
        turned = f"{said} every sign is turned: on x to the power {d} it must be positive."
        slips = [
            (-right, turned),
            (right.abs(), f"{said} all weights are positive: that is a blur, not a difference."),
            (right / math.factorial(d), f"{said} on x to the power {d} it gives 1; wanted {d}!."),
        ]
        if abs(given.sum().item()) > 1e-6:
            total = formatting.number(given.sum())
            slips.append((given, f"{said} a flat picture gives {total}; a derivative of it is 0."))
        compare(given, right, f"{said} K", slips)
    return "First, second and third derivative, in 2, 3 and 4 cells."


def blur():
    """Give each of the 25 cells the same weight, and let the weights add up to 1."""
    return torch.full((5, 5), 1 / 25)


def check_blur(answer: object) -> str:
    """Check that a 5 x 5 kernel blurs: an average that keeps brightness and place."""
    K = numbers(answer, "the kernel")
    if tuple(K.shape) != (5, 5):
        raise Wrong(f"The kernel is {formatting.size(K.shape) or 'one number'}; wanted 5 × 5.")
    if K.min() < 0:
        raise Wrong(f"A weight is {formatting.number(K.min())}: a negative weight sharpens.")
    if abs(K.sum().item() - 1) > 1e-4:
        raise Wrong(
            f"The weights add up to {formatting.number(K.sum())}, so the picture would become "
            f"{formatting.number(K.sum())} times as bright. They must add up to 1."
        )
    if K.max() > 0.99:
        raise Wrong(
            "One weight is 1 and the rest are 0: each output is a single pixel, not a mean."
        )
    if abs(_rise(K)[0] - 2) > 1e-4 or abs(_rise(K)[1] - 2) > 1e-4:
        raise Wrong("The weights lean to one side: the blurred picture would move.")
    return "No weight is negative, they add up to 1, and they balance around the centre."


EXERCISES = {
    "3.1": Exercise(
        check_diagonal_edges,
        diagonal_edges,
        "Row 1 of X is 0 1 0 0. Take each cell minus its right neighbour: 0 - 1, 1 - 0, 0 - 0.\n"
        "Compare X with its transpose before you answer the second part.",
    ),
    "3.2": Exercise(
        check_edge_kernel,
        edge_kernel,
        "Sobel x answers to a rise to the right, Sobel y to a rise downwards. Which mixture\n"
        "answers to a rise along (1, 0)? Which to one along (0, 1)? So along (v_x, v_y)?",
    ),
    "3.3": Exercise(
        check_derivative_kernel,
        derivative_kernel,
        "The first derivative is [-1, 1]: right minus left. The second is a difference of two\n"
        "neighbouring differences: (c - b) - (b - a). Which weights do a, b and c get?",
    ),
    "3.4": Exercise(
        check_blur,
        blur,
        "A mean of 25 numbers: what is the weight of each?",
    ),
}
