"""What the squared loss of a learned kernel looks like: a quadratic bowl, exactly known.

The prediction is linear in the kernel, so with ``A = patches(X, kernel_size)``, ``k`` the kernel's
weights and ``y`` the target's cells, loss(k) = |A k - y|^2 (divided by the number of cells for
reduction "mean"). Everything here follows from that one line, in float64.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit.errors import ConvkitError
from convkit.ops import Pair, check_array, output_size, pair
from convkit.formatting import number


class Bowl(NamedTuple):
    """The loss as ``k @ G @ k - 2 * b @ k + c``, for weights k in reading order."""

    G: Tensor
    b: Tensor
    c: Tensor


def patches(X: Tensor, kernel_size: Pair) -> Tensor:
    """Return the matrix A whose row r holds the window of output cell r: (cells, kH * kW)."""
    size = pair("kernel_size", kernel_size, 1)
    output_size(tuple(check_array("X", X).shape), size)
    return F.unfold(X[None, None].double(), size)[0].T


def bowl(X: Tensor, Y: Tensor, kernel_size: Pair, *, reduction: str = "sum") -> Bowl:
    """Return the quadratic that the loss of predicting `Y` from `X` is.

    Raises
    ------
    ConvkitError
        If `Y` is not of the output's shape, or `reduction` is neither "sum" nor "mean".
    """
    A = patches(X, kernel_size)
    wanted = output_size(tuple(X.shape), pair("kernel_size", kernel_size))
    if tuple(check_array("Y", Y).shape) != wanted:
        raise ConvkitError(
            f"Y has shape {tuple(Y.shape)}",
            f"the output's shape {wanted} for X {tuple(X.shape)} and kernel {kernel_size}",
            "Compute the target with corr2d(X, kernel).",
        )
    if reduction not in ("sum", "mean"):
        raise ConvkitError(f"reduction is {reduction!r}", '"sum" or "mean"', "Choose one.")
    y = Y.double().flatten()
    n = len(y) if reduction == "mean" else 1
    return Bowl(A.T @ A / n, A.T @ y / n, y @ y / n)


def hessian(X: Tensor, kernel_size: Pair, *, reduction: str = "sum") -> Tensor:
    """Return the loss's matrix of second derivatives, (kH * kW, kH * kW): it needs no target."""
    shape = tuple(check_array("X", X).shape)
    Y = X.new_zeros(output_size(shape, pair("kernel_size", kernel_size, 1)))
    return 2 * bowl(X, Y, kernel_size, reduction=reduction).G


def curvatures(X: Tensor, kernel_size: Pair, *, reduction: str = "sum") -> tuple[Tensor, Tensor]:
    """Return the Hessian's eigenvalues, largest first, and its directions (kH * kW, kH, kW).

    Each direction has norm 1 and its largest weight positive.
    """
    values, vectors = torch.linalg.eigh(hessian(X, kernel_size, reduction=reduction))
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    directions = (vectors * largest.sign()).T.flip(0)
    return values.flip(0), directions.reshape(-1, *pair("kernel_size", kernel_size))


def identifiable_directions(X: Tensor, kernel_size: Pair) -> Tensor:
    """Return orthonormal kernels, (rank, kH, kW), that span all that `X` can tell apart.

    A kernel's part outside their span changes no output cell, so no training on `X` can find it.
    """
    values, directions = curvatures(X, kernel_size)
    return directions[values > values[0].clamp(min=1e-30) * 1e-10]


def max_stable_lr(
    X: Tensor, kernel_size: Pair, *, reduction: str = "sum", momentum: float = 0.0
) -> float:
    """Return the learning rate above which gradient descent diverges: 2 (1 + momentum) / largest.

    "Largest" is the largest eigenvalue of the Hessian; infinite where the loss is flat.
    """
    steepest = curvatures(X, kernel_size, reduction=reduction)[0][0].item()
    return 2 * (1 + momentum) / steepest if steepest > 0 else float("inf")


def fastest_lr(X: Tensor, kernel_size: Pair, *, reduction: str = "sum") -> float:
    """Return the plain-descent learning rate whose slowest direction shrinks fastest.

    It is 2 / (largest + smallest), over the eigenvalues of the directions that `X` can tell apart.
    """
    values, _ = curvatures(X, kernel_size, reduction=reduction)
    seen = values[: max(1, len(identifiable_directions(X, kernel_size)))]
    return (2 / (seen[0] + seen[-1])).item()


def share_of_limit(lr: float, limit: float) -> str:
    """Return "90% of the limit 0.03333", or how many times the limit a rate far above it is."""
    if lr < 10 * limit:
        return f"{number(100 * lr / limit, 3)}% of the limit {number(limit)}"
    return f"{number(lr / limit, 3)} times the limit {number(limit)}"


def outlook(X: Tensor, Y: Tensor, start: Tensor, lr: float, *, reduction: str = "sum") -> str:
    """Return in words what plain gradient descent from `start` does at a learning rate, and why."""
    size = tuple(start.shape)
    values, directions = curvatures(X, size, reduction=reduction)
    rank = len(identifiable_directions(X, size))
    if values[0] <= 0:
        return "Nothing to learn: this input is zero everywhere, and so is every gradient."
    limit, best = 2 / values[0].item(), fastest_lr(X, size, reduction=reduction)
    factors = 1 - lr * values[:rank]
    error = start.double() - best_kernel(X, Y, size)
    parts = (directions[:rank] * error).sum((1, 2)).abs()
    if parts.max() < 1e-6:
        return "Nothing left to learn: the start fits already."
    taken = factors[parts > 1e-6 * parts.max()]
    said = (
        f"learning rate {number(lr)} is {share_of_limit(lr, limit)}: each step multiplies the "
        f"error along the steepest direction by {number(factors[0])}"
    )
    if taken.abs().max() > 1 - 1e-9:
        fate = "Diverging" if taken.abs().max() > 1 + 1e-9 else "Oscillating without end"
        return (
            f"{fate}, since {said}. Any learning rate below {number(limit)} would have worked; "
            f"{number(best)} is the fastest."
        )
    if rank > 1:
        said += f" and along the flattest by {number(factors[-1])}"
    if lr > limit:
        return f"Converging, but only as this start has no error that would grow, since {said}."
    way = ", while the kernel oscillates" if taken.min() < 0 else ""
    return f"Converging{way}, since {said}."


def best_kernel(X: Tensor, Y: Tensor, kernel_size: Pair) -> Tensor:
    """Return the kernel (kH, kW) of least loss; of all such, the one of least norm."""
    quadratic = bowl(X, Y, kernel_size)
    weights = torch.linalg.pinv(quadratic.G, rtol=1e-10, hermitian=True) @ quadratic.b
    return weights.reshape(pair("kernel_size", kernel_size))


def plane(X: Tensor, kernel_size: Pair) -> tuple[Tensor, Tensor]:
    """Return two unit kernels (kH, kW) along which to picture the loss.

    The two weights themselves where there are two; otherwise the steepest direction and the
    flattest that `X` can tell apart. A second direction that does not exist is zeros.
    """
    size = pair("kernel_size", kernel_size, 1)
    if size[0] * size[1] == 2:
        u, v = torch.eye(2).double().reshape(2, *size)
        return u, v
    directions = identifiable_directions(X, size)
    u = directions[0] if len(directions) else torch.zeros(size).double()
    return u, directions[-1] if len(directions) > 1 else torch.zeros_like(u)


def loss_surface(
    quadratic: Bowl, centre: Tensor, u: Tensor, v: Tensor, a: Tensor, b: Tensor
) -> Tensor:
    """Return the loss at ``centre + a u + b v`` for all of `a` and `b`: (len(b), len(a)).

    `centre`, `u` and `v` are kernels (kH, kW); `quadratic` comes from `bowl`.
    """
    k = centre.double().flatten() + (
        a.double()[None, :, None] * u.double().flatten()
        + b.double()[:, None, None] * v.double().flatten()
    )
    G, linear, constant = quadratic
    return ((k @ G * k).sum(-1) - 2 * k @ linear + constant).clamp(min=0)
