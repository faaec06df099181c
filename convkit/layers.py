"""The convolutional layer from scratch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convkit.errors import check_type
from convkit.ops import FLOAT32, MAX_KERNEL_SIDE, Pair, check_same_kind, corr2d, to_pair


class Conv2D(nn.Module):
    """A convolutional layer for one picture: cross-correlate, then add the bias (D2L 7.2).

    Its parameters are float32 and on the CPU, as convkit's pictures are, until `to` moves them.

    Parameters
    ----------
    kernel_size : int or (kH, kW)
        Shape of `weight`, which starts uniform on [0, 1) as in D2L.
    bias : bool
        Whether to add a learned number, `bias` of shape (1,), which starts at zero.

    Raises
    ------
    ConvkitError
        If a side of `kernel_size` is not 1 to 500, or `forward` is given what `corr2d` refuses.

    Examples
    --------
    >>> layer = Conv2D(kernel_size=(1, 2))
    >>> layer(torch.ones(6, 8)).shape
    torch.Size([6, 7])
    """

    def __init__(self, kernel_size: Pair, bias: bool = True) -> None:
        super().__init__()
        check_type("bias", bias, bool, "Write bias=True or bias=False.")
        size = to_pair("kernel_size", kernel_size, 1, MAX_KERNEL_SIDE)
        self.weight = nn.Parameter(torch.rand(size, **FLOAT32))
        self.bias = nn.Parameter(torch.zeros(1, **FLOAT32)) if bias else None

    def forward(self, X: Tensor) -> Tensor:
        """Return the feature map of `X`: (H, W) -> (H_out, W_out).

        Examples
        --------
        >>> layer = Conv2D((1, 2), bias=False)
        >>> layer.weight.data = torch.tensor([[1.0, -1.0]])
        >>> layer(torch.tensor([[0.0, 1.0, 1.0]])).tolist()  # calling a layer calls forward
        [[-1.0, 0.0]]
        """
        check_same_kind(**{"layer.weight": self.weight, "X": X})
        Y = corr2d(X, self.weight)
        if self.bias is None:
            return Y
        return Y + self.bias
