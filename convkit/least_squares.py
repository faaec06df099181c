"""The squared loss of a kernel, which is exactly a quadratic function of its weights.

The prediction is linear in the kernel: with ``A = patches(X, kernel_size)``, the weights ``k`` and
the target's cells ``y`` in reading order, the loss is ``|A k - y|^2``, divided by the number of
cells for reduction "mean". Everything here follows from that line, in float64 (Nocedal & Wright,
"Numerical Optimization", 2006, chapters 3 and 10).
"""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor

from convkit.errors import ConvkitError, brief_repr
from convkit.ops import Pair, check_array, output_size, patches, to_pair

REDUCTIONS = ("sum", "mean")
RANK_TOLERANCE = 1e-10
"""Curvatures below this share of the largest one are zero, up to rounding."""


class QuadraticLoss:
    """The loss of predicting `Y` from `X` with a kernel: ``k @ G @ k - 2 * b @ k + c``.

    Its shape (Hessian, curvatures, limits of the learning rate, rank) depends on the input alone,
    so a target is needed only for the best kernel and for values of the loss.

    Parameters
    ----------
    X : Tensor
        Input (H, W).
    kernel_size : int or (kH, kW)
        Shape of the kernel.
    Y : Tensor, optional
        Target, of the shape of ``corr2d(X, kernel)``.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.

    Raises
    ------
    ConvkitError
        If shapes do not fit, a value is not finite, or a sum of squares overflows float64.

    Examples
    --------
    >>> from convkit import corr2d, stripes
    >>> X = stripes()
    >>> problem = QuadraticLoss(X, (1, 2), corr2d(X, torch.tensor([[1.0, -1.0]])))
    >>> problem.hessian
    tensor([[36., 24.],
            [24., 36.]], dtype=torch.float64)
    >>> problem.best_kernel.round(decimals=6)
    tensor([[ 1., -1.]], dtype=torch.float64)
    """

    def __init__(
        self, X: Tensor, kernel_size: Pair, Y: Tensor | None = None, *, reduction: str = "sum"
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ConvkitError(
                f"reduction is {brief_repr(reduction)}", '"sum" or "mean"', "Choose one of the two."
            )
        _check_finite("X", X)
        self.kernel_size = to_pair("kernel_size", kernel_size, 1)
        A = patches(X.detach().double(), self.kernel_size)
        self._divisor = len(A) if reduction == "mean" else 1
        self._G = A.T @ A / self._divisor
        self._b: Tensor | None = None
        self._c = 0.0
        if Y is not None:
            self._take_target(A, X, Y)
        self._check_overflow()

    def _take_target(self, A: Tensor, X: Tensor, Y: Tensor) -> None:
        expected = output_size(tuple(X.shape), self.kernel_size)
        _check_finite("Y", Y)
        if tuple(Y.shape) != expected:
            raise ConvkitError(
                f"Y has shape {tuple(Y.shape)}",
                f"the output's shape {expected} for X {tuple(X.shape)} and a kernel "
                f"{self.kernel_size}",
                "Compute the target with corr2d(X, kernel).",
            )
        y = Y.detach().double().flatten()
        self._b = A.T @ y / self._divisor
        self._c = (y @ y / self._divisor).item()

    def _check_overflow(self) -> None:
        linear = self._G if self._b is None else self._b
        if self._G.isfinite().all() and linear.isfinite().all() and math.isfinite(self._c):
            return
        raise ConvkitError(
            "the squares of X or Y add up to more than float64 holds",
            "values of ordinary size",
            "Scale the picture, for example to values from 0 to 1.",
        )

    # What the input alone decides.

    @property
    def hessian(self) -> Tensor:
        """The matrix of second derivatives, (kH * kW, kH * kW)."""
        return 2 * self._G

    @cached_property
    def _eigen(self) -> tuple[Tensor, Tensor]:
        """Eigenvalues of the Hessian, largest first, and its eigenvectors as columns."""
        values, vectors = torch.linalg.eigh(self.hessian)
        largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
        return values.flip(0), (vectors * largest.sign()).flip(1)

    @property
    def eigenvalues(self) -> Tensor:
        """The Hessian's eigenvalues, largest first, (kH * kW,): how much the loss curves."""
        return self._eigen[0]

    @property
    def directions(self) -> Tensor:
        """The kernels along which the loss curves so, (kH * kW, kH, kW).

        Each has norm 1, and its weight of largest magnitude is positive.
        """
        return self._eigen[1].T.reshape(-1, *self.kernel_size)

    @property
    def rank(self) -> int:
        """The number of directions that `X` can tell apart.

        Examples
        --------
        >>> from convkit import stripes
        >>> QuadraticLoss(stripes(), (2, 2)).rank
        2
        """
        steepest = self.eigenvalues[0].clamp(min=torch.finfo(torch.float64).tiny)
        return int((self.eigenvalues > RANK_TOLERANCE * steepest).sum())

    @property
    def identifiable_directions(self) -> Tensor:
        """Orthonormal kernels, (rank, kH, kW), that span all that `X` can tell apart.

        A kernel's part outside their span changes no output cell, so no training on `X` finds it.
        """
        return self.directions[: self.rank]

    @property
    def max_stable_lr(self) -> float:
        """The learning rate above which gradient descent diverges: 2 / the largest eigenvalue.

        Infinite where the loss is flat (Goodfellow et al., "Deep Learning", 2016, section 4.3).

        Examples
        --------
        >>> from convkit import stripes
        >>> round(QuadraticLoss(stripes(), (1, 2)).max_stable_lr, 6)
        0.033333
        """
        if self.rank == 0:
            return math.inf
        return 2 / self.eigenvalues[0].item()

    @property
    def fastest_lr(self) -> float:
        """The learning rate at which the slowest direction shrinks fastest.

        It is 2 / (largest + smallest eigenvalue) of the directions that `X` can tell apart
        (Nocedal & Wright, section 3.3); infinite where the loss is flat.
        """
        if self.rank == 0:
            return math.inf
        return 2 / (self.eigenvalues[0] + self.eigenvalues[self.rank - 1]).item()

    @property
    def projection_axes(self) -> tuple[Tensor, Tensor]:
        """Two unit kernels (kH, kW) along which to draw the loss.

        These are the two weights where there are two, otherwise the steepest direction and the
        flattest that `X` can tell apart. An axis that does not exist is zeros.
        """
        if math.prod(self.kernel_size) == 2:
            first, second = torch.eye(2, dtype=torch.float64).reshape(2, *self.kernel_size)
            return first, second
        seen = self.identifiable_directions
        blank = torch.zeros(self.kernel_size, dtype=torch.float64)
        return seen[0] if self.rank > 0 else blank, seen[-1] if self.rank > 1 else blank

    # What needs a target.

    @property
    def _linear(self) -> Tensor:
        if self._b is None:
            raise ConvkitError(
                "this QuadraticLoss has no target",
                "a target Y for values of the loss and the best kernel",
                "Write QuadraticLoss(X, kernel_size, Y).",
            )
        return self._b

    @property
    def scale(self) -> float:
        """The loss of the zero kernel."""
        self._linear  # noqa: B018  raises where there is no target
        return self._c

    @cached_property
    def best_kernel(self) -> Tensor:
        """The kernel (kH, kW) of least loss; of all such, the one of least norm."""
        inverse = torch.linalg.pinv(self._G, rtol=RANK_TOLERANCE, hermitian=True)
        return _without_noise((inverse @ self._linear).reshape(self.kernel_size))

    def loss(self, K: Tensor) -> float:
        """Return the loss of a kernel (kH, kW).

        Examples
        --------
        >>> QuadraticLoss(torch.ones(1, 2), 1, torch.zeros(1, 2)).loss(torch.tensor([[3.0]]))
        18.0
        """
        k = self._weights(K)
        value = k @ self._G @ k - 2 * self._linear @ k + self._c
        return max(value.item(), 0.0)

    def gradient(self, K: Tensor) -> Tensor:
        """Return the gradient of the loss at a kernel, both (kH, kW), in float64.

        Examples
        --------
        >>> QuadraticLoss(torch.ones(1, 2), 1, torch.zeros(1, 2)).gradient(torch.tensor([[3.0]]))
        tensor([[12.]], dtype=torch.float64)
        """
        return 2 * (self._G @ self._weights(K) - self._linear).reshape(self.kernel_size)

    def surface(self, centre: Tensor, u: Tensor, v: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """Return the loss at ``centre + a u + b v`` for all of `a` and `b`: (len(b), len(a)).

        Parameters
        ----------
        centre, u, v : Tensor
            Kernels (kH, kW): a point, and the two directions of a plane.
        a, b : Tensor
            Coordinates along `u` and `v`, each of one axis.

        Examples
        --------
        >>> problem = QuadraticLoss(torch.eye(2), (1, 2), torch.zeros(2, 1))
        >>> zero, (u, v) = torch.zeros(1, 2), problem.projection_axes
        >>> problem.surface(zero, u, v, torch.tensor([0.0, 1.0]), torch.tensor([2.0]))
        tensor([[4., 5.]], dtype=torch.float64)
        """
        k = self._weights(centre) + (
            a.double()[None, :, None] * self._weights(u)
            + b.double()[:, None, None] * self._weights(v)
        )
        values = (k @ self._G * k).sum(-1) - 2 * k @ self._linear + self._c
        return values.clamp(min=0)

    def _weights(self, K: Tensor) -> Tensor:
        if tuple(check_array("K", K).shape) != self.kernel_size:
            raise ConvkitError(
                f"K has shape {tuple(K.shape)}",
                f"a kernel of shape {self.kernel_size}",
                "Build another QuadraticLoss for another kernel size.",
            )
        return K.detach().double().flatten()


def _check_finite(name: str, values: Tensor) -> None:
    finite = check_array(name, values).isfinite()
    if not finite.all():
        i, j = (~finite).nonzero()[0].tolist()
        given = f"{name}[{i}, {j}] is {values[i, j].item()}"
        raise ConvkitError(given, "finite numbers", "Replace it by a number.")


def _without_noise(kernel: Tensor) -> Tensor:
    """Return a kernel whose weights that are zero up to rounding are zero."""
    noise = 1e-9 * kernel.abs().max()
    return torch.where(kernel.abs() <= noise, torch.zeros_like(kernel), kernel)
