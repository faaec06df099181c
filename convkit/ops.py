"""Cross-correlation and its relatives on one picture: torch's own operations, checked and named.

Conventions are PyTorch's: `padding` counts zeros per side, and `padding`, `stride` and `dilation`
take an int or an (h, w) pair. Every function keeps gradients and accepts any float dtype.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit.errors import ConvkitError

Pair = int | tuple[int, int]


def pair(name: str, value: Pair, least: int = 0) -> tuple[int, int]:
    """Return an int or an (h, w) pair as a pair of ints, each at least `least`.

    Raises
    ------
    ConvkitError
        If `value` is anything else; the message calls it `name`.
    """
    both = tuple(value) if isinstance(value, tuple | list | torch.Size) else (value, value)
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in both)
    if len(both) != 2 or not whole or min(both) < least:
        raise ConvkitError(
            f"{name} is {value!r}",
            f"a whole number of at least {least}, or a pair (h, w) of them",
            f"For the same {name} both ways write one number.",
        )
    return both


def check_array(name: str, value: Tensor) -> Tensor:
    """Return `value` if it is a non-empty float tensor of shape (H, W).

    Raises
    ------
    ConvkitError
        If it is not; the message names the argument, its value and the remedy.
    """
    wanted = "a float tensor of shape (H, W)"
    if not isinstance(value, Tensor):
        raise ConvkitError(
            f"{name} is a {type(value).__name__}", wanted, f"Write torch.tensor({name})."
        )
    given = f"{name} has shape {tuple(value.shape)}"
    if value.ndim != 2:
        mend = f"Take one picture, such as {name}[{', '.join('0' * (value.ndim - 2))}]."
        raise ConvkitError(given, wanted, mend if value.ndim > 2 else "Reshape it to two axes.")
    if value.numel() == 0:
        raise ConvkitError(given, wanted, "It has no values: give it at least one row and column.")
    if not value.is_floating_point():
        raise ConvkitError(f"{name} has dtype {value.dtype}", wanted, f"Write {name}.float().")
    return value


def _check_two(X: Tensor, K: Tensor) -> None:
    check_array("X", X), check_array("K", K)
    if X.dtype != K.dtype:
        raise ConvkitError(
            f"X has dtype {X.dtype} and K has {K.dtype}",
            "one dtype for both",
            "Write K.to(X.dtype).",
        )


def output_size(
    input_size: Pair,
    kernel_size: Pair,
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
) -> Pair:
    """Return the size of the output, in cells: an int if all is ints, else a pair (H_out, W_out).

    Along each axis it is ``floor((n + 2 p - d (k - 1) - 1) / s) + 1`` (Dumoulin & Visin, 2016).

    Raises
    ------
    ConvkitError
        If a size, padding, stride or dilation is impossible, or the kernel is larger than the
        padded input.
    """
    given = input_size, kernel_size, padding, stride, dilation
    axes = zip(
        pair("input_size", input_size, 1),
        pair("kernel_size", kernel_size, 1),
        pair("padding", padding),
        pair("stride", stride, 1),
        pair("dilation", dilation, 1),
        strict=True,
    )
    sizes = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, p, s, d in axes)
    if min(sizes) < 1:
        raise ConvkitError(
            f"kernel_size {kernel_size} with dilation {dilation} on input_size {input_size} "
            f"with padding {padding}",
            "a kernel no larger than the padded input",
            "Use a smaller kernel, less dilation, more padding or a larger input.",
        )
    return sizes[0] if all(isinstance(value, int) for value in given) else sizes


def corr2d(
    X: Tensor, K: Tensor, *, padding: Pair = 0, stride: Pair = 1, dilation: Pair = 1
) -> Tensor:
    """Cross-correlate picture `X` with kernel `K`: what deep learning calls convolution (D2L 7.2).

    Shapes: X (H, W), K (kH, kW) -> (H_out, W_out), as `output_size` says.

    Raises
    ------
    ConvkitError
        If a shape, dtype or size cannot work.
    """
    _check_two(X, K)
    sizes = tuple(X.shape), tuple(K.shape)
    output_size(*sizes, padding=padding, stride=stride, dilation=dilation)
    Y = F.conv2d(X[None, None], K[None, None], padding=padding, stride=stride, dilation=dilation)
    return Y[0, 0]


def convolve2d(
    X: Tensor, K: Tensor, *, padding: Pair = 0, stride: Pair = 1, dilation: Pair = 1
) -> Tensor:
    """Convolve `X` with `K` in the mathematician's sense: `corr2d` with `K` flipped in both axes.

    Shapes and errors are those of `corr2d`.
    """
    _check_two(X, K)
    return corr2d(X, K.flip(0, 1), padding=padding, stride=stride, dilation=dilation)


def window(
    X: Tensor,
    K: Tensor,
    i: int,
    j: int,
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
) -> Tensor:
    """Return the (kH, kW) patch of the zero-padded `X` that output cell (i, j) sees.

    ``(window(X, K, i, j) * K).sum() == corr2d(X, K)[i, j]``, with the same keywords in both.

    Raises
    ------
    ConvkitError
        As `corr2d` does, and if the output has no cell (i, j), counted from 0.
    """
    _check_two(X, K)
    rows, columns = output_size(
        tuple(X.shape), tuple(K.shape), padding=padding, stride=stride, dilation=dilation
    )
    if not (0 <= i < rows and 0 <= j < columns):
        raise ConvkitError(
            f"output cell ({i}, {j})",
            f"i from 0 to {rows - 1} and j from 0 to {columns - 1}",
            "Rows and columns count from 0.",
        )
    (ph, pw), (sh, sw) = pair("padding", padding), pair("stride", stride, 1)
    (dh, dw), (kh, kw) = pair("dilation", dilation, 1), K.shape
    padded, top, left = F.pad(X, (pw, pw, ph, ph)), i * sh, j * sw
    return padded[top : top + dh * (kh - 1) + 1 : dh, left : left + dw * (kw - 1) + 1 : dw]


def pool2d(
    X: Tensor, pool_size: Pair, mode: str = "max", *, padding: Pair = 0, stride: Pair = 1
) -> Tensor:
    """Slide a window over `X` and keep its maximum or its average (D2L 7.5).

    Shapes: X (H, W) -> (H_out, W_out). The stride is 1 unless told otherwise, as in D2L's function;
    padding never wins a maximum and counts as zeros in an average, as in PyTorch.

    Raises
    ------
    ConvkitError
        If `mode` is neither "max" nor "avg", a size cannot work, or `padding` is more than half of
        `pool_size`.
    """
    check_array("X", X)
    if mode not in ("max", "avg"):
        raise ConvkitError(f"mode is {mode!r}", '"max" or "avg"', "Choose one of the two.")
    size, pad = pair("pool_size", pool_size, 1), pair("padding", padding)
    output_size(tuple(X.shape), size, padding=pad, stride=stride)
    if any(2 * p > k for p, k in zip(pad, size, strict=True)):
        raise ConvkitError(
            f"padding is {padding} for pool_size {pool_size}",
            "at most half of pool_size",
            "Pad less, or enlarge the window.",
        )
    pool = F.max_pool2d if mode == "max" else F.avg_pool2d
    return pool(X[None, None], size, stride, pad)[0, 0]
