"""Gradient descent on one kernel, as a record of steps that can be walked both ways."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit.errors import ConvkitError, brief_repr
from convkit.least_squares import QuadraticLoss
from convkit.ops import as_integer, as_real, check_same_dtype, validated_copy

DIVERGENCE_FACTOR = 1e6
"""A loss this many times the scale of the problem has diverged, long before it overflows."""


@dataclass(frozen=True)
class Step:
    """One point of a descent.

    Attributes
    ----------
    n : int
        Number of updates since the start.
    kernel, grad : Tensor
        The kernel and the gradient of the loss there, (kH, kW).
    loss : float
        The squared error there.
    lr : float or None
        The learning rate of the update that led here; None at the start.
    """

    n: int
    kernel: Tensor
    grad: Tensor
    loss: float
    lr: float | None

    def copy(self) -> Step:
        """Return a step with tensors of its own."""
        return replace(self, kernel=self.kernel.clone(), grad=self.grad.clone())


def learning_rate(value: float, dtype: torch.dtype) -> float:
    """Return a learning rate, a real number of any kind, as a float.

    Raises
    ------
    ConvkitError
        If it is no number, not above 0, or more than `dtype` holds.

    Examples
    --------
    >>> learning_rate(torch.tensor(0.5), torch.float32)
    0.5
    """
    number, largest = as_real(value), torch.finfo(dtype).max
    if number is None or not 0 < number <= largest:
        raise ConvkitError(
            f"lr is {brief_repr(value)}",
            f"a number above 0 and at most {largest:.4g}",
            "Choose one such as 0.03.",
        )
    return number


def divergence_limit(quadratic: QuadraticLoss, start: Tensor) -> float:
    """Return the loss above which a descent from `start` (kH, kW) has diverged."""
    scale = max(quadratic.scale, quadratic.loss(start), 1e-12)
    return DIVERGENCE_FACTOR * scale


def record(
    X: Tensor,
    Y: Tensor,
    start: Tensor,
    rates: Sequence[float],
    *,
    limit: float,
    reduction: str = "sum",
) -> tuple[Step, ...]:
    """Return the steps of a gradient descent, from the start on.

    Step for step the same as ``torch.optim.SGD`` on an ``nn.Conv2d`` without bias (D2L 7.2.4).

    Parameters
    ----------
    X, Y : Tensor
        Input (H, W) and target (H_out, W_out).
    start : Tensor
        The first kernel, (kH, kW).
    rates : sequence of float
        The learning rate of each update.
    limit : float
        The record ends before the first loss above it; see `divergence_limit`.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.

    Raises
    ------
    ConvkitError
        If the loss at the start is not finite in the dtype.

    Examples
    --------
    >>> X = torch.eye(3)
    >>> steps = record(X, 2 * X, torch.zeros(1, 1), [0.1, 0.1], limit=1e6)
    >>> [round(step.kernel.item(), 2) for step in steps]
    [0.0, 1.2, 1.68]
    """
    with torch.inference_mode(False), torch.enable_grad():
        X, Y, start = X.clone(), Y.clone(), start.clone()  # not made in inference mode
        steps = [_measured(X, Y, start, 0, None, reduction)]
        for lr in rates:
            step = _updated(X, Y, steps[-1], lr, reduction)
            if not step.loss <= limit:
                break
            steps.append(step)
    _check_start(steps[0], X.dtype)
    return tuple(steps)


def _measured(
    X: Tensor, Y: Tensor, kernel: Tensor, n: int, lr: float | None, reduction: str
) -> Step:
    leaf = kernel.detach().requires_grad_()
    squares = (F.conv2d(X[None, None], leaf[None, None])[0, 0] - Y) ** 2
    loss = squares.sum() if reduction == "sum" else squares.mean()
    (grad,) = torch.autograd.grad(loss, leaf)
    return Step(n, kernel.detach(), grad, loss.item(), lr)


def _updated(X: Tensor, Y: Tensor, here: Step, lr: float, reduction: str) -> Step:
    kernel = torch.add(here.kernel, here.grad, alpha=-lr)
    return _measured(X, Y, kernel, here.n + 1, lr, reduction)


def _check_start(step: Step, dtype: torch.dtype) -> None:
    if not math.isfinite(step.loss):
        raise ConvkitError(
            f"the loss at the start is {step.loss}",
            f"one that {dtype} can hold",
            "Use smaller numbers in X, Y and start.",
        )


class KernelDescent:
    """Learn a kernel that turns `X` into `Y`, by gradient descent on the squared error.

    Step for step the same as ``torch.optim.SGD`` on an ``nn.Conv2d`` without bias (D2L 7.2.4).
    Every step taken is recorded, so going back and forth gives the same bits.

    Parameters
    ----------
    X, Y : Tensor
        Input (H, W) and target, of the shape of ``corr2d(X, start)``; copied.
    start : Tensor
        The kernel to begin from, (kH, kW).
    lr : float
        Learning rate; setting it on the way drops the steps recorded ahead with another.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.

    Attributes
    ----------
    quadratic : QuadraticLoss
        The loss as a function of the kernel.

    Raises
    ------
    ConvkitError
        If shapes or dtypes do not fit, a value is not finite, or `lr` is no positive number that
        the dtype holds.

    Examples
    --------
    >>> from convkit import corr2d, stripes
    >>> X = stripes()
    >>> descent = KernelDescent(X, corr2d(X, torch.tensor([[1.0, -1.0]])), torch.zeros(1, 2))
    >>> descent.jump(20).kernel.round(decimals=2)
    tensor([[ 1., -1.]])
    """

    def __init__(
        self, X: Tensor, Y: Tensor, start: Tensor, *, lr: float = 3e-2, reduction: str = "sum"
    ) -> None:
        self.X, self.Y = validated_copy("X", X), validated_copy("Y", Y)
        start = validated_copy("start", start)
        check_same_dtype(X=X, Y=Y, start=start)
        self.quadratic = QuadraticLoss(X, tuple(start.shape), Y, reduction=reduction)
        self.reduction = reduction
        self._limit = divergence_limit(self.quadratic, start)
        self._n = 0
        self._steps = list(self._record(start, []))
        self.lr = lr

    def _record(self, start: Tensor, rates: Sequence[float]) -> tuple[Step, ...]:
        return record(
            self.X, self.Y, start, rates, limit=self._limit, reduction=self.reduction
        )

    @property
    def lr(self) -> float:
        """The learning rate of new updates; recorded ones are replayed with their own."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._lr = learning_rate(value, self.X.dtype)
        if any(ahead.lr != self._lr for ahead in self._steps[self._n + 1 :]):
            del self._steps[self._n + 1 :]

    @property
    def n(self) -> int:
        """The number of updates between the start and here."""
        return self._n

    @property
    def kernel(self) -> Tensor:
        """The kernel here, (kH, kW); a copy."""
        return self._steps[self._n].kernel.clone()

    @property
    def grad(self) -> Tensor:
        """The gradient of the loss here, (kH, kW); a copy."""
        return self._steps[self._n].grad.clone()

    @property
    def loss(self) -> float:
        """The squared error here."""
        return self._steps[self._n].loss

    @property
    def trajectory(self) -> tuple[Step, ...]:
        """All recorded steps, from the start on, those ahead of here included; copies."""
        return tuple(step.copy() for step in self._steps)

    def step(self) -> Step:
        """Go one update forward, replaying it where it is recorded.

        Raises
        ------
        ConvkitError
            If the update would make the loss run away; the descent stays where it is.
        """
        if self._n + 1 == len(self._steps):
            self._steps.append(self._next())
        self._n += 1
        return self._steps[self._n].copy()

    def back(self) -> Step:
        """Go one update back; at the start, stay there."""
        return self.jump(max(0, self._n - 1))

    def jump(self, n: int) -> Step:
        """Go to the state after `n` updates, computing those that are not recorded yet.

        Raises
        ------
        ConvkitError
            If `n` is not a whole number from 0, or the loss runs away before.
        """
        target = as_integer(n)
        if target is None or target < 0:
            raise ConvkitError(f"n is {brief_repr(n)}", "a whole number from 0", "0 is the start.")
        self._n = min(target, len(self._steps) - 1)
        while self._n < target:
            self.step()
        return self._steps[self._n].copy()

    def reset(self) -> Step:
        """Go back to the start and forget all later steps."""
        del self._steps[1:]
        return self.jump(0)

    def fork(self) -> KernelDescent:
        """Return a descent that shares the past up to here and is independent from here on.

        Examples
        --------
        >>> descent = KernelDescent(torch.eye(2), torch.eye(2), torch.zeros(1, 1), lr=0.1)
        >>> twin = descent.fork()
        >>> twin.step().n, descent.n
        (1, 0)
        """
        twin = copy.copy(self)
        twin._steps = self._steps[: self._n + 1]
        return twin

    def _next(self) -> Step:
        """Return the update that follows the last recorded step."""
        here = self._steps[-1]
        with torch.inference_mode(False), torch.enable_grad():
            step = _updated(self.X, self.Y, here, self._lr, self.reduction)
        if step.loss <= self._limit:
            return step
        raise ConvkitError(
            f"after step {step.n} with lr {self._lr:.4g} the loss would be {step.loss:.4g}",
            f"a learning rate below {self.quadratic.max_stable_lr:.4g}, the limit for this picture",
            "Set a smaller lr and go on, or reset.",
        )
