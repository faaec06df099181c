"""Cross-correlation as a matrix product (D2L 7.2, exercise 4)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit.errors import ConvkitError
from convkit.ops import Pair, WindowGeometry, check_array, to_pair

MAX_NUMBERS = 2**24
"""The most numbers in a matrix: 64 MiB as float32, as of a picture of 64 × 64."""


def as_matrix(
    K: Tensor,
    size: Pair,
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
) -> Tensor:
    """Return the matrix that correlates pictures of a size with a kernel.

    ``as_matrix(K, X.shape) @ X.flatten() == corr2d(X, K).flatten()``, up to rounding. Its transpose
    takes a gradient of the output to that of the input, and is the transposed convolution.

    Parameters
    ----------
    K : Tensor
        Kernel (kH, kW).
    size : int or (H, W)
        Size of the pictures.
    padding, stride, dilation : int or (h, w)
        As in `corr2d`, with zeros around the pictures.

    Returns
    -------
    Tensor
        Shape (H_out * W_out, H * W): a row for each output cell and a column for each pixel, both
        in reading order. Each row has the weights where its window lies, and zeros elsewhere.

    Raises
    ------
    ConvkitError
        If a shape, dtype or size cannot work, or the matrix would be too large.

    Examples
    --------
    >>> as_matrix(torch.tensor([[1.0, 0.0, -1.0]]), (1, 6))
    tensor([[ 1.,  0., -1.,  0.,  0.,  0.],
            [ 0.,  1.,  0., -1.,  0.,  0.],
            [ 0.,  0.,  1.,  0., -1.,  0.],
            [ 0.,  0.,  0.,  1.,  0., -1.]])
    """
    check_array("K", K)
    g = WindowGeometry(to_pair("size", size, 1), K.shape, padding, stride, dilation)
    pixels, cells = math.prod(g.input_size), math.prod(g.output_size)
    if pixels * max(pixels, cells) > MAX_NUMBERS:
        given = f"size is {g.input_size}, which makes a matrix of {cells} × {pixels}"
        hint = "Take a smaller picture: corr2d does the same without the zeros."
        raise ConvkitError(given, f"at most {MAX_NUMBERS} numbers", hint)
    # Which pixel lies under each weight of each window; the padding counts as one more.
    (up, aside), numbers = g.padding, torch.arange(pixels, dtype=torch.float64, device=K.device)
    padded = F.pad(numbers.reshape(1, 1, *g.input_size), (aside, aside, up, up), value=pixels)
    read = F.unfold(padded, g.kernel_size, g.dilation, stride=g.stride)[0].T.long()
    W = K.new_zeros(cells, pixels + 1).scatter_add_(1, read, K.flatten().expand(cells, -1))
    return W[:, :-1]
