"""The exercises of notebook 01: cross-correlation by hand, by shape, by fewer steps, flipped."""

from __future__ import annotations

import torch
from torch import Tensor

from convkit import formatting
from convkit.exercises._grading import Exercise, alike, compare, numbers, random, run
from convkit.ops import convolve2d, corr2d, window

X = torch.tensor([[1.0, 2, 0], [0, 1, 3], [2, 1, 1]])
K = torch.tensor([[1.0, -1], [0, 2]])


def by_hand():
    """Each entry is one window's sum."""
    return [
        [1 * 1 + 2 * (-1) + 0 * 0 + 1 * 2, 2 * 1 + 0 * (-1) + 1 * 0 + 3 * 2],
        [0 * 1 + 1 * (-1) + 2 * 0 + 1 * 2, 1 * 1 + 3 * (-1) + 1 * 0 + 1 * 2],
    ]


def check_by_hand(answer: object) -> str:
    """Check the 2 x 2 output of a 3 x 3 input and a 2 x 2 kernel."""
    given, right = numbers(answer, "Y"), corr2d(X, K)
    slips = [
        (convolve2d(X, K), "You flipped the kernel. Cross-correlation lays it on as it is."),
        (corr2d(X, K.T), "You swapped the kernel's rows and columns."),
        (corr2d(X, K.abs()), "You dropped the minus sign of the weight -1."),
        (X[:2, :2] * K, "These are the four products of the first window: add them up, to 1."),
    ]
    wrong = (given != right).nonzero() if given.shape == right.shape else ()
    if len(wrong):
        i, j = wrong[0].tolist()
        total = formatting.window_sum(window(X, K, i, j), K)
        slips.append((given, f"Y[{i}, {j}] is {formatting.number(given[i, j])}, but {total}."))
    if tuple(given.shape) == (3, 3):
        slips.append(
            (given, "Your Y is 3 × 3. A 2 × 2 window fits on 3 cells only twice per axis.")
        )
    compare(given, right, "Y", slips)
    return "All four window sums agree."


def output_shape(input_shape, kernel_shape):
    """Count the places where the kernel fits, along each axis."""
    (H, W), (kH, kW) = input_shape, kernel_shape
    return H - kH + 1, W - kW + 1


def check_output_shape(function: object) -> str:
    """Check a function of two shapes on square and oblong sizes."""
    for (H, W), (kH, kW) in (((6, 8), (1, 2)), ((3, 3), (2, 2)), ((32, 48), (5, 3))):
        given = numbers(run(function, (H, W), (kH, kW)), "the shape")
        if given.ndim == 1 and len(given) == 2:
            said = (
                f"For {H} × {W} and a {kH} × {kW} kernel you say {formatting.size(given.int().tolist())}"
            )
        else:
            said = "You should return two whole numbers, rows and columns"
        slips = {
            (H - kH, W - kW): "off by one: the first place counts too, so add 1.",
            (H, W): "the input's own shape: the kernel may not stick out, so places are lost.",
            (W - kW + 1, H - kH + 1): "rows and columns swapped: rows come first.",
            (H - kW + 1, W - kH + 1): "the kernel's rows were taken from the input's columns.",
            (H + kH - 1, W + kW - 1): "larger than the input: subtract, for the kernel must fit.",
            (H // kH, W // kW): "windows side by side: they overlap, moving one cell at a time.",
        }
        right = (H - kH + 1, W - kW + 1)
        known = [(torch.tensor(slip), f"{said}: {meaning}") for slip, meaning in slips.items()]
        known.append((given, f"{said}; it should be {formatting.size(right)}."))
        compare(given, torch.tensor(right), "the shape", known)
    return "Three pairs of shapes, oblong ones too."


def corr2d_by_weight(X, K):
    """Add up shifted pictures, one for each weight."""
    kH, kW = K.shape
    H, W = X.shape[0] - kH + 1, X.shape[1] - kW + 1
    Y = torch.zeros(H, W)
    for a in range(kH):
        for b in range(kW):
            Y += K[a, b] * X[a : a + H, b : b + W]
    return Y


def check_corr2d_by_weight(function: object) -> str:
    """Check a cross-correlation against torch's on three shapes."""
    for shape, size in (((3, 3), (2, 2)), ((5, 7), (2, 3)), ((6, 4), (3, 1))):
        A, B = random(*shape), random(*size, seed=1)
        right = corr2d(A, B)
        said = f"On a {formatting.size(shape)} input and a {formatting.size(size)} kernel"
        slips: list[tuple[Tensor, str]] = [
            (convolve2d(A, B), f"{said} you flip the kernel: weight (a, b) meets cell (i + a, j + b)."),
            (right.T, f"{said} your output has rows and columns swapped."),
            (right[:-1, :-1], f"{said} the last row and column are missing: H - kH + 1 of them."),
            (B[0, 0] * A[: right.shape[0], : right.shape[1]], f"{said} only one weight is used."),
        ]
        if size[0] == size[1]:
            slips.append((corr2d(A, B.T), f"{said} the kernel's rows and columns are swapped."))
        given = numbers(run(function, A.clone(), B.clone()), "Y")
        if not alike(given, right) and alike(
            given, right - B[-1, -1] * A[size[0] - 1 :, size[1] - 1 :]
        ):
            slips.append((given, f"{said} the last weight is left out: range(kH) reaches kH - 1."))
        compare(given, right, f"{said} Y", slips)
    return "It agrees with torch on three shapes. Whether it loops over the weights, only you see."


def convolve(X, K):
    """Turn the kernel by half a turn, then cross-correlate."""
    return corr2d(X, K.flip(0, 1))


def check_convolve(function: object) -> str:
    """Check a convolution against a flipped cross-correlation."""
    for shape, size in (((3, 3), (2, 2)), ((5, 7), (3, 2))):
        A, B = random(*shape), random(*size, seed=1)
        slips = [
            (corr2d(A, B), "This is cross-correlation still: the kernel is not flipped."),
            (corr2d(A, B.flip(0)), "Only up and down are flipped: flip left and right too."),
            (corr2d(A, B.flip(1)), "Only left and right are flipped: flip up and down too."),
            (corr2d(A, B.flip(0, 1)).flip(0, 1), "You turned the picture or the output."),
        ]
        if size[0] == size[1]:
            slips.append((corr2d(A, B.T), "You transposed: that mirrors at the diagonal."))
            quarter = "A quarter turn; a convolution turns the kernel by half."
            slips += [(corr2d(A, torch.rot90(B, n)), quarter) for n in (1, 3)]
        compare(run(function, A.clone(), B.clone()), convolve2d(A, B), "Y", slips)
    return "It agrees with a convolution on two shapes."


EXERCISES = {
    "1.1": Exercise(
        check_by_hand,
        by_hand,
        "Lay K on the top left corner of X. Four products; add them: 1×1 + 2×(-1) + 0×0 + 1×2.",
    ),
    "1.2": Exercise(
        check_output_shape,
        output_shape,
        "Along 8 cells a window of 2 starts at 0, 1, ... up to 6. How many places are these?",
    ),
    "1.3": Exercise(
        check_corr2d_by_weight,
        corr2d_by_weight,
        "Weight K[a, b] meets X[i + a, j + b] for every (i, j) at once: that is the slice\n"
        "X[a : a + H, b : b + W], where H and W are the output's rows and columns.",
    ),
    "1.4": Exercise(
        check_convolve,
        convolve,
        "K.flip(0) turns it upside down, K.flip(1) swaps left and right. You need both.",
    ),
}
