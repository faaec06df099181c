"""The convolutional layer from scratch."""

import torch
from torch import Tensor, nn

from convkit.ops import Pair, corr2d, pair


class Conv2D(nn.Module):
    """A convolutional layer for one picture: cross-correlate, then add the bias (D2L 7.2).

    Parameters
    ----------
    kernel_size : int or (kH, kW)
        Shape of `weight`, which starts uniform on [0, 1) as in D2L.
    bias : bool
        Whether to add a learned number, `bias` of shape (1,), which starts at zero.

    Raises
    ------
    ConvkitError
        If `kernel_size` is not a positive size, or `forward` gets what `corr2d` refuses.
    """

    def __init__(self, kernel_size: Pair, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(pair("kernel_size", kernel_size, 1)))
        self.register_parameter("bias", nn.Parameter(torch.zeros(1)) if bias else None)

    def forward(self, X: Tensor) -> Tensor:
        """Return the feature map of `X`: (H, W) -> (H_out, W_out)."""
        Y = corr2d(X, self.weight)
        return Y if self.bias is None else Y + self.bias
