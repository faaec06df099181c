"""Which cells of two outputs differ by more than rounding explains."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from convkit.errors import ConvkitError
from convkit.ops import check_dense, check_same_kind, corr2d, to_real


def rounding_bound(X: Tensor, K: Tensor, *, bias: float | None = None, **options: Any) -> Tensor:
    """Return by how much two right results of ``corr2d(X, K)`` can differ, cell by cell.

    A sum of n products, rounded after each operation and added in any order, is wrong by at most
    ``n * eps / 2 * (|X| * |K|).sum()`` (Jeannerod & Rump, 2013), so two of them differ by at most
    twice that. Products below the dtype's smallest normal number are rounded more coarsely.

    Parameters
    ----------
    X, K : Tensor
        Input (H, W) and kernel (kH, kW) of one dtype, whose precision counts. For a convolution
        flip the kernel first.
    bias : float, optional
        A number added to every cell.
    **options
        Padding, stride, dilation and padding mode, as in `corr2d`.

    Returns
    -------
    Tensor
        float64, (H_out, W_out).

    Raises
    ------
    ConvkitError
        As `corr2d` does.

    Examples
    --------
    >>> X, K = torch.ones(2, 2, dtype=torch.float64), torch.ones(2, 2, dtype=torch.float64)
    >>> rounding_bound(X, K).item() == 4 * 4 * torch.finfo(torch.float64).eps
    True
    """
    check_same_kind(X=X, K=K)
    magnitudes = corr2d(_exact(X).abs(), _exact(K).abs(), **options)
    terms = K.numel()
    if bias is not None:
        terms += 1
        magnitudes = magnitudes + abs(to_real("bias", bias))
    precision = torch.finfo(X.dtype)
    return terms * precision.eps * (magnitudes + precision.tiny)


def mismatch_mask(candidate: Tensor, reference: Tensor, bound: Tensor) -> Tensor:
    """Return in which cells `candidate` is not `reference`, a bool tensor (H, W).

    Parameters
    ----------
    candidate, reference : Tensor
        Two outputs (H, W), of any dtypes.
    bound : Tensor
        The largest difference that rounding explains, (H, W): see `rounding_bound`. Cells that are
        both nan, or the same infinity, agree; otherwise what is not finite differs.

    Raises
    ------
    ConvkitError
        If the shapes are not equal.

    Examples
    --------
    >>> reference, bound = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.1, 0.1]])
    >>> mismatch_mask(torch.tensor([[1.05, 3.0]]), reference, bound)
    tensor([[False,  True]])
    """
    check_dense("reference", reference)
    for name, value in (("candidate", candidate), ("bound", bound)):
        check_dense(name, value)
        if value.shape != reference.shape:
            raise ConvkitError(
                f"{name} has shape {tuple(value.shape)}",
                f"the output's shape {tuple(reference.shape)}",
                "Check the limits of its loops and its padding.",
            )
    a, b = _exact(candidate), _exact(reference)
    agrees = ((a - b).abs() <= _exact(bound)) | (a == b) | (a.isnan() & b.isnan())
    return ~agrees


def _exact(values: Tensor) -> Tensor:
    return values.detach().cpu().double()
