"""The squared error as a function of the kernel: a quadratic, known exactly.

The prediction is linear in the kernel. With ``A = patches(X, kernel_size)``, k the kernel's weights
in reading order and y the target's cells, ``loss(k) = |A k - y|^2`` (divided by the number of cells
for reduction "mean"): linear least squares (Nocedal & Wright, *Numerical Optimization*, 10.2). Its
gradient, curvature and minimum follow in closed form; everything is computed in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from convkit.errors import ConvkitError, brief_repr, check_choice
from convkit.ops import (
    FLOAT64,
    Pair,
    WindowGeometry,
    as_real,
    check_array,
    patches,
    to_list,
    to_pair,
    to_real,
    validated_copy,
)

REDUCTIONS = ("sum", "mean")
"""Whether squared errors are added up or averaged."""

RANK_TOLERANCE = 1e-10
"""An eigenvalue this many times smaller than the largest counts as zero."""

WEIGHT_TOLERANCE = 1e-6
"""A best weight this many times smaller than the largest is what rounding left of zero."""

START_TOLERANCE = 1e-5
"""A start this many times closer to the best kernel than their largest weight is that kernel."""

MIN_CURVATURE = 1e-290
"""A smaller eigenvalue is zero: no learning rate could be written that makes up for it."""


class QuadraticLoss:
    """The loss of predicting `Y` by ``corr2d(X, kernel)``, for every kernel of one size.

    All tensors are float64, on the CPU, and computed once; copy one before you edit it.

    Parameters
    ----------
    X : Tensor
        Input (H, W), finite.
    kernel_size : int or (kH, kW)
        Size of the kernels.
    Y : Tensor, optional
        Target, of the output's shape (H_out, W_out). Curvature, rank and learning rates do not
        depend on it; what does raises ConvkitError without it.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.

    Attributes
    ----------
    kernel_size : (int, int)
        Size of the kernels, (kH, kW).
    hessian : Tensor
        Second derivatives of the loss, (n, n) with n = kH * kW: the same everywhere.

    Raises
    ------
    ConvkitError
        If a size, shape, dtype or `reduction` cannot work, or a value is not finite or so large
        that its square overflows.

    Examples
    --------
    >>> from convkit import corr2d, stripes
    >>> X = stripes()
    >>> quadratic = QuadraticLoss(X, (1, 2), corr2d(X, torch.tensor([[1.0, -1.0]])))
    >>> quadratic.hessian
    tensor([[36., 24.],
            [24., 36.]], dtype=torch.float64)
    >>> print(f"{quadratic.max_stable_lr:.4f} {quadratic.fastest_lr:.4f}")
    0.0333 0.0278
    """

    def __init__(
        self, X: Tensor, kernel_size: Pair, Y: Tensor | None = None, *, reduction: str = "sum"
    ) -> None:
        check_choice("reduction", reduction, REDUCTIONS)
        self.kernel_size = to_pair("kernel_size", kernel_size, 1)
        A = patches(validated_copy("X", X).cpu().double(), self.kernel_size)
        cells = len(A) if reduction == "mean" else 1
        self.hessian = 2 * (A.T @ A / cells)
        _check_no_overflow("X", X, self.hessian)
        self._products: tuple[Tensor, float] | None = None
        if Y is not None:
            check_target(X, Y, self.kernel_size)
            y = validated_copy("Y", Y).cpu().double().flatten()
            products = A.T @ y / cells, y @ y / cells
            _check_no_overflow("Y", Y, *products)
            self._products = products[0], products[1].item()

    # What depends on the input only

    @cached_property
    def _spectrum(self) -> tuple[Tensor, Tensor]:
        values, vectors = torch.linalg.eigh(self.hessian)
        largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
        directions = (vectors * largest.sign()).T
        return values.flip(0), directions.flip(0).reshape(-1, *self.kernel_size)

    @property
    def eigenvalues(self) -> Tensor:
        """The curvatures of the loss, (n,), largest first."""
        return self._spectrum[0]

    @property
    def directions(self) -> Tensor:
        """The kernels along which the curvatures are those of `eigenvalues`, (n, kH, kW).

        They are orthonormal; each has its largest weight positive.
        """
        return self._spectrum[1]

    @cached_property
    def rank(self) -> int:
        """How many directions of the kernel the input can tell apart, 0 to n."""
        smallest = max(self.eigenvalues[0].item() * RANK_TOLERANCE, MIN_CURVATURE)
        return int((self.eigenvalues > smallest).sum())

    @property
    def identifiable_directions(self) -> Tensor:
        """Orthonormal kernels, (rank, kH, kW), that span all that the input can tell apart.

        A kernel's part outside their span changes no output cell, so no training can find it.
        """
        return self.directions[: self.rank]

    @property
    def max_stable_lr(self) -> float:
        """The learning rate above which gradient descent diverges: 2 / the largest eigenvalue.

        Infinite where the loss is flat.
        """
        return self.stable_lr(0)

    def stable_lr(self, momentum: float) -> float:
        """Return the learning rate above which gradient descent with `momentum` diverges.

        It is 2 (1 + momentum) / the largest eigenvalue (Goh, "Why momentum really works", Distill
        2017); infinite where the loss is flat.

        Raises
        ------
        ConvkitError
            If `momentum` is not a number from 0 to below 1.

        Examples
        --------
        >>> from convkit import stripes
        >>> print(f"{QuadraticLoss(stripes(), (1, 2)).stable_lr(0.9):.4f}")
        0.0633
        """
        momentum = checked_momentum(momentum)
        if self.rank == 0:
            return float("inf")
        return 2 * (1 + momentum) / self.eigenvalues[0].item()

    @property
    def fastest_lr(self) -> float:
        """The learning rate whose slowest direction converges fastest.

        It is 2 / (largest + smallest), over the eigenvalues of the identifiable directions (Goh,
        "Why momentum really works", Distill 2017); infinite where the loss is flat.
        """
        if self.rank == 0:
            return float("inf")
        return 2 / (self.eigenvalues[0] + self.eigenvalues[self.rank - 1]).item()

    @property
    def fastest_momentum(self) -> tuple[float, float]:
        """The learning rate and the momentum that together converge fastest.

        With a and b the roots of the largest and the smallest eigenvalue of the identifiable
        directions, they are (2 / (a + b))^2 and ((a - b) / (a + b))^2 (Goh 2017); infinity and 0
        where the loss is flat.
        """
        if self.rank == 0:
            return float("inf"), 0.0
        largest, smallest = self.eigenvalues[[0, self.rank - 1]].sqrt().tolist()
        both = largest + smallest
        return (2 / both) ** 2, ((largest - smallest) / both) ** 2

    # What depends on the target too

    def _with_target(self) -> tuple[Tensor, float]:
        """Return A'y (n,) and y'y, both divided by the number of cells for reduction "mean"."""
        if self._products is None:
            given = "QuadraticLoss was built without Y"
            raise ConvkitError(given, "a target", "Write QuadraticLoss(X, kernel_size, Y).")
        return self._products

    @property
    def scale(self) -> float:
        """The loss of the kernel of zeros."""
        return self._with_target()[1]

    @cached_property
    def best_kernel(self) -> Tensor:
        """The kernel (kH, kW) of least loss; of all such, the one of least norm.

        Weights below `WEIGHT_TOLERANCE` of the largest are zero.
        """
        seen = self.identifiable_directions.flatten(1)
        linear, _ = self._with_target()
        weights = seen.T @ (2 * (seen @ linear) / self.eigenvalues[: self.rank])
        weights[weights.abs() < WEIGHT_TOLERANCE * weights.abs().max()] = 0
        return weights.reshape(self.kernel_size)

    def projection_axes(self, start: Tensor) -> tuple[Tensor, Tensor]:
        """Return two unit kernels (kH, kW) along which to picture a descent from `start`.

        The two weights themselves where there are two. Otherwise the steepest direction, and the
        one at right angles to it that leads from the best kernel to `start`, so that the start lies
        on the plane; if there is none, the flattest of the identifiable directions. A direction
        that does not exist is zeros.

        Examples
        --------
        >>> quadratic = QuadraticLoss(torch.ones(1, 1), 1, torch.ones(1, 1))
        >>> quadratic.projection_axes(torch.zeros(1, 1))
        (tensor([[1.]], dtype=torch.float64), tensor([[0.]], dtype=torch.float64))
        """
        weights = self._weights("start", start).reshape(self.kernel_size)
        if len(self.hessian) == 2:
            first, second = torch.eye(2, **FLOAT64).reshape(2, *self.kernel_size)
            return first, second
        if self.rank < 2:
            none = torch.zeros(self.kernel_size, **FLOAT64)
            return self.directions[0] if self.rank else none, none
        steepest, *others = self.identifiable_directions
        error = weights - self.best_kernel
        towards = sum((error * other).sum() * other for other in others)
        largest = max(weights.abs().max(), self.best_kernel.abs().max())
        nothing = max(WEIGHT_TOLERANCE * error.norm(), START_TOLERANCE * largest)
        return steepest, towards / towards.norm() if towards.norm() > nothing else others[-1]

    def loss(self, K: Tensor) -> float:
        """Return the loss of a kernel (kH, kW).

        Examples
        --------
        >>> QuadraticLoss(torch.ones(1, 1), 1, 2 * torch.ones(1, 1)).loss(torch.zeros(1, 1))
        4.0
        """
        return self._losses(self._weights("K", K)).item()

    def gradient(self, K: Tensor) -> Tensor:
        """Return the gradient of the loss at a kernel: (kH, kW) -> (kH, kW).

        Examples
        --------
        >>> QuadraticLoss(torch.ones(1, 1), 1, 2 * torch.ones(1, 1)).gradient(torch.zeros(1, 1))
        tensor([[-4.]], dtype=torch.float64)
        """
        linear, _ = self._with_target()
        gradient = self.hessian @ self._weights("K", K) - 2 * linear
        return gradient.reshape(self.kernel_size)

    def descent(
        self, start: Tensor, rates: Sequence[float], momentum: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Return the kernels and losses of gradient descent in closed form, the start first.

        Along a direction of eigenvalue e each step multiplies the slope by ``1 - lr * e``; with
        momentum, slope and velocity together by a 2 x 2 matrix. Rounding apart they are those of
        `descent.record`; where they diverge beyond what float64 holds, they are not finite.

        Parameters
        ----------
        start : Tensor
            The first kernel, (kH, kW).
        rates : sequence of float
            The learning rate of each step.
        momentum : float
            The share of the velocity that each step keeps, from 0 to below 1, as in
            ``torch.optim.SGD``.

        Returns
        -------
        kernels, losses : Tensor
            Shapes (n + 1, kH, kW) and (n + 1,), for n rates.

        Examples
        --------
        >>> quadratic = QuadraticLoss(torch.ones(1, 1), 1, torch.ones(1, 1))
        >>> kernels, losses = quadratic.descent(torch.zeros(1, 1), [0.25, 0.25])
        >>> kernels.flatten()
        tensor([0.0000, 0.5000, 0.7500], dtype=torch.float64)
        >>> losses
        tensor([1.0000, 0.2500, 0.0625], dtype=torch.float64)
        >>> quadratic.descent(torch.zeros(1, 1), [0.25, 0.25], momentum=0.5)[0].flatten()
        tensor([0.0000, 0.5000, 1.0000], dtype=torch.float64)
        """
        directions, curvatures = self.directions.flatten(1), self.eigenvalues
        first = self._weights("start", start)
        slopes = directions @ self.gradient(start).flatten()
        checked = [to_real(f"rates[{n}]", lr) for n, lr in enumerate(to_list("rates", rates))]
        remaining, moved = _follow(curvatures, checked, checked_momentum(momentum))
        kernels = first - (moved * slopes) @ directions
        # The loss at the end of the directions that are seen; along others it hardly changes.
        seen = slice(self.rank)
        end = first - (slopes[seen] / curvatures[seen]) @ directions[seen]
        above = (slopes[seen] * remaining[:, seen]) ** 2 / (2 * curvatures[seen])
        losses = self._losses(end) + above.sum(1)
        return kernels.reshape(-1, *self.kernel_size), losses

    def _losses(self, weights: Tensor) -> Tensor:
        """Return the loss for weights (..., n); rounding is kept from making it negative."""
        linear, scale = self._with_target()
        curved = (weights @ self.hessian * weights).sum(-1) / 2
        return (curved - 2 * weights @ linear + scale).clamp(min=0)

    def _weights(self, name: str, K: Tensor) -> Tensor:
        if tuple(check_array(name, K).shape) != self.kernel_size:
            given = f"{name} has shape {tuple(K.shape)}"
            raise ConvkitError(given, f"the kernel's shape {self.kernel_size}", "Reshape it.")
        return K.detach().cpu().double().flatten()


def _follow(curvatures: Tensor, rates: list[float], momentum: float) -> tuple[Tensor, Tensor]:
    """Return, for slopes of 1, what remains of them and how far the weights moved: (steps, n)."""
    remaining = torch.ones_like(curvatures)
    velocity = moved = torch.zeros_like(curvatures)
    steps = [torch.stack((remaining, moved))]
    for lr in rates:
        velocity = momentum * velocity + remaining
        moved = moved + lr * velocity
        remaining = remaining - lr * curvatures * velocity
        steps.append(torch.stack((remaining, moved)))
    remaining, moved = torch.stack(steps, dim=1)
    return remaining, moved


def checked_momentum(momentum: Any) -> float:
    """Return a momentum as a float; raise ConvkitError unless it is from 0 to below 1.

    Examples
    --------
    >>> checked_momentum(0.9)
    0.9
    """
    value = as_real(momentum)
    if value is None or not 0 <= value < 1:
        given = f"momentum is {brief_repr(momentum)}"
        raise ConvkitError(given, "a number from 0 to below 1", "Choose one such as 0.9.")
    return value


def check_target(X: Tensor, Y: Tensor, kernel_size: Pair) -> None:
    """Raise ConvkitError unless `Y` has the shape of the output of `X` and a kernel.

    Examples
    --------
    >>> check_target(torch.zeros(6, 8), torch.zeros(6, 7), kernel_size=(1, 2))
    """
    size = WindowGeometry(tuple(check_array("X", X).shape), kernel_size).output_size
    if tuple(check_array("Y", Y).shape) != size:
        raise ConvkitError(
            f"Y has shape {tuple(Y.shape)}",
            f"the output's shape {size} for X {tuple(X.shape)} and kernel {kernel_size}",
            "Compute the target with corr2d(X, kernel).",
        )


def _check_no_overflow(name: str, values: Tensor, *products: Tensor) -> None:
    if not all(product.isfinite().all() for product in products):
        largest = values.abs().max().item()
        raise ConvkitError(
            f"{name} has values up to {largest:.4g}",
            "values whose squares add up to less than 1.8e308",
            f"Scale it down, for example to {name} / {name}.abs().max().",
        )
