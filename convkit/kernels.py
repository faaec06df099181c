"""Kernels that have names. Each call makes a new tensor, so that editing one changes no other."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import torch
from torch import Tensor

from convkit.errors import ConvkitError, check_choice
from convkit.ops import FLOAT32, MAX_KERNEL_SIDE, Pair, check_array, to_pair


def _identity(rows: int, columns: int) -> Tensor:
    K = torch.zeros(rows, columns, **FLOAT32)
    K[(rows - 1) // 2, (columns - 1) // 2] = 1
    return K


def _box(rows: int, columns: int) -> Tensor:
    return torch.full((rows, columns), 1 / (rows * columns), **FLOAT32)


def _gaussian(rows: int, columns: int) -> Tensor:
    """Return binomial weights, which approximate a Gaussian (Burt & Adelson, 1983)."""

    def binomial(n: int) -> Tensor:
        return torch.tensor([comb(n - 1, k) / 2 ** (n - 1) for k in range(n)], **FLOAT32)

    return torch.outer(binomial(rows), binomial(columns))


_SIZED: dict[str, Callable[[int, int], Tensor]] = {
    "identity": _identity,
    "box blur": _box,
    "Gaussian blur": _gaussian,
}
_FIXED: dict[str, list[list[float]]] = {
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "book's [1, -1]": [[1, -1]],
    "Prewitt x": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "Prewitt y": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "Sobel x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "Sobel y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "Scharr x": [[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]],
    "Scharr y": [[-3, -10, -3], [0, 0, 0], [3, 10, 3]],
    "Laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
    "diagonal": [[0, 1, 1], [-1, 0, 1], [-1, -1, 0]],
    "anti-diagonal": [[1, 1, 0], [1, 0, -1], [0, -1, -1]],
}
KERNELS = (*_SIZED, *_FIXED)
"""The names that `kernel` accepts."""


def kernel(name: str, size: Pair | None = None) -> Tensor:
    """Return a named kernel as a new float32 tensor of shape (kH, kW).

    Parameters
    ----------
    name : str
        One of `KERNELS`. Weights are written for `corr2d`: the output of an "x" kernel is positive
        where `X` rises from left to right, that of a "y" kernel where it rises from top to bottom.
    size : int or (kH, kW), optional
        For "identity", "box blur" and "Gaussian blur", which come in every size; 3 by default.

    Raises
    ------
    ConvkitError
        If there is no such kernel, or it does not come in that size.

    Examples
    --------
    >>> kernel("Sobel x")
    tensor([[-1.,  0.,  1.],
            [-2.,  0.,  2.],
            [-1.,  0.,  1.]])
    """
    check_choice("kernel", name, KERNELS)
    shape = None if size is None else to_pair("size", size, 1, MAX_KERNEL_SIDE)
    if name in _SIZED:
        return _SIZED[name](*(shape or (3, 3)))
    K = torch.tensor(_FIXED[name], **FLOAT32)
    if shape not in (None, tuple(K.shape)):
        raise ConvkitError(
            f"size {size} for {name!r}",
            f"its only size, {tuple(K.shape)}",
            f"Leave the size out; these come in every size: {', '.join(_SIZED)}.",
        )
    return K


def named_like(K: Tensor) -> str | None:
    """Return the name of the kernel that has exactly the values of `K`, (kH, kW), or None.

    Where two kernels have the same values it is the first in `KERNELS`.

    Examples
    --------
    >>> named_like(torch.tensor([[1.0, -1.0]]))
    "book's [1, -1]"
    """
    if max(check_array("K", K).shape) > MAX_KERNEL_SIDE:
        return None
    for name in KERNELS:
        candidate = kernel(name, tuple(K.shape) if name in _SIZED else None)
        if torch.equal(candidate.to(K.dtype), K.cpu()):
            return name
    return None


def resized(K: Tensor, size: Pair) -> Tensor:
    """Return `K` in another size (kH, kW), in its dtype.

    A blur or an identity becomes the one of that size. Of other kernels cells are cut off, or zeros
    are added, at the bottom and at the right.

    Examples
    --------
    >>> resized(torch.tensor([[1.0, -1.0]]), (2, 1))
    tensor([[1.],
            [0.]])
    """
    height, width = to_pair("size", size, 1, MAX_KERNEL_SIDE)
    name = named_like(K)
    if name in _SIZED:
        return kernel(name, (height, width)).to(K)
    new = K.new_zeros(height, width)
    kept = K[:height, :width]
    new[: kept.shape[0], : kept.shape[1]] = kept
    return new
