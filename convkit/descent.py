"""Gradient descent on one kernel, as a record of steps."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit.errors import ConvkitError, brief_repr, check_choice, check_type
from convkit.least_squares import REDUCTIONS, QuadraticLoss, check_target, checked_momentum
from convkit.ops import as_real, check_array, check_same_kind, to_list, to_whole, validated_copy

MAX_STEPS = 1_000_000
"""The most updates that `jump` makes and records."""

DIVERGENCE_FACTOR = 1e6
"""A loss this many times the scale of the problem has diverged, long before it overflows."""


@dataclass(frozen=True, eq=False)
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
    velocity : Tensor
        What the update that led here was made with, (kH, kW), times its learning rate: momentum
        times the velocity before, plus the gradient before; zeros at the start.
    lr : float or None
        The learning rate of the update that led here; None at the start.

    Examples
    --------
    >>> step = KernelDescent(torch.eye(2), torch.eye(2), torch.zeros(1, 1)).step()
    >>> step.n, step.lr
    (1, 0.03)
    """

    n: int
    kernel: Tensor
    grad: Tensor
    loss: float
    velocity: Tensor
    lr: float | None

    def copy(self) -> Step:
        """Return a step with tensors of its own.

        Examples
        --------
        >>> step = record(torch.eye(2), torch.eye(2), torch.zeros(1, 1), rates=[])[0]
        >>> step.copy().kernel.add_(1), step.kernel
        (tensor([[1.]]), tensor([[0.]]))
        """
        tensors = {name: getattr(self, name).clone() for name in ("kernel", "grad", "velocity")}
        return replace(self, **tensors)


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is learned, and how: input, target, reduction of the squared errors, momentum."""

    X: Tensor
    Y: Tensor
    reduction: str
    momentum: float

    def first(self, start: Tensor) -> Step:
        step = self._measured(0, start, torch.zeros_like(start), None)
        slope = step.grad.abs().max().item()
        if not (math.isfinite(step.loss) and math.isfinite(slope)):
            raise ConvkitError(
                f"the loss at the start is {step.loss:.4g} and its gradient up to {slope:.4g}",
                f"numbers that {self.X.dtype} can hold",
                "Use smaller numbers in X, Y and start, or X.double().",
            )
        return step

    def next(self, step: Step, lr: float) -> Step:
        velocity = step.velocity * self.momentum + step.grad
        kernel = torch.add(step.kernel, velocity, alpha=-lr)
        return self._measured(step.n + 1, kernel, velocity, lr)

    def _measured(self, n: int, kernel: Tensor, velocity: Tensor, lr: float | None) -> Step:
        # The same operations as a layer of torch's, so that every bit is the same. Callers may have
        # switched gradients off.
        with torch.inference_mode(False), torch.enable_grad():
            leaf = kernel.clone().requires_grad_()
            squares = (F.conv2d(self.X[None, None], leaf[None, None])[0, 0] - self.Y) ** 2
            loss = squares.sum() if self.reduction == "sum" else squares.mean()
            (grad,) = torch.autograd.grad(loss, leaf)
        return Step(n, leaf.detach(), grad, loss.item(), velocity, lr)


def _checked_problem(
    X: Tensor, Y: Tensor, start: Tensor, reduction: str, momentum: float
) -> tuple[_Problem, Tensor]:
    check_choice("reduction", reduction, REDUCTIONS)
    X, Y, start = (
        validated_copy(name, values) for name, values in (("X", X), ("Y", Y), ("start", start))
    )
    check_same_kind(X=X, Y=Y, start=start)
    check_target(X, Y, tuple(start.shape))
    return _Problem(X, Y, reduction, checked_momentum(momentum)), start


def _checked_lr(lr: Any, dtype: torch.dtype, hint: str) -> float:
    value, largest = as_real(lr), torch.finfo(dtype).max
    if value is None or not 0 < value <= largest:
        expected = f"a number above 0 and at most {largest:.4g}"
        raise ConvkitError(f"lr is {brief_repr(lr)}", expected, hint)
    return value


def divergence_limit(loss: QuadraticLoss, start: Tensor) -> float:
    """Return the loss above which a descent from `start` (kH, kW) has diverged.

    Examples
    --------
    >>> loss = QuadraticLoss(torch.ones(1, 1), 1, 2 * torch.ones(1, 1))
    >>> divergence_limit(loss, torch.zeros(1, 1))
    4000000.0
    """
    check_type("loss", loss, QuadraticLoss, "Write QuadraticLoss(X, kernel_size, Y).")
    check_array("start", start)
    scale = max(loss.scale, loss.loss(start), sys.float_info.min)
    return min(DIVERGENCE_FACTOR * scale, sys.float_info.max)


def record(
    X: Tensor,
    Y: Tensor,
    start: Tensor,
    rates: Sequence[float],
    *,
    momentum: float = 0.0,
    reduction: str = "sum",
    limit: float = math.inf,
) -> tuple[Step, ...]:
    """Return the steps of gradient descent on the squared error, the start first.

    Parameters
    ----------
    X, Y : Tensor
        Input (H, W) and target, of the shape of ``corr2d(X, start)``.
    start : Tensor
        The first kernel, (kH, kW).
    rates : sequence of float
        The learning rate of each update.
    momentum : float
        The share of the velocity that each update keeps, from 0 to below 1.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.
    limit : float
        The record stops before the first step whose loss is above this, or not finite.

    Returns
    -------
    tuple of Step
        At most ``len(rates) + 1`` steps: the same, to the bit, as those of `KernelDescent`.

    Raises
    ------
    ConvkitError
        If shapes, dtypes, a learning rate or `momentum` do not fit, or the loss at the start is
        not finite.

    Examples
    --------
    >>> X, Y = torch.ones(1, 1), torch.ones(1, 1)
    >>> [step.loss for step in record(X, Y, torch.zeros(1, 1), [0.25, 0.25])]
    [1.0, 0.25, 0.0625]
    """
    problem, start = _checked_problem(X, Y, start, reduction, momentum)
    hint = "Choose one such as 0.03."
    checked = [_checked_lr(lr, X.dtype, hint) for lr in to_list("rates", rates)]
    if as_real(limit) is None:
        given = f"limit is {brief_repr(limit)}"
        raise ConvkitError(given, "a number", "Leave it out for a record without a limit.")
    steps = [problem.first(start)]
    for lr in checked:
        step = problem.next(steps[-1], lr)
        if not step.loss <= limit or math.isinf(step.loss):
            break
        steps.append(step)
    return tuple(steps)


class KernelDescent:
    """Learn a kernel that turns `X` into `Y`, by gradient descent on the squared error.

    Step for step the same as ``torch.optim.SGD``, its momentum included, on an ``nn.Conv2d``
    without bias (D2L 7.2.4). Every step taken is recorded, so going back and forth gives the same
    bits. All tensors that it hands out are copies.

    Parameters
    ----------
    X, Y : Tensor
        Input (H, W) and target, of the shape of ``corr2d(X, start)``.
    start : Tensor
        The kernel to begin from, (kH, kW).
    lr : float
        Learning rate; a new one drops all recorded steps ahead, unless all were taken with it.
    momentum : float
        The share of the velocity that each update keeps, from 0 to below 1.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.

    Attributes
    ----------
    quadratic : QuadraticLoss
        The loss as a function of the kernel.
    reduction : str
        As given.

    Raises
    ------
    ConvkitError
        If shapes or dtypes do not fit, values or the loss at the start are not finite, `lr` is not
        a positive number that the dtype can hold, or `momentum` not a number from 0 to below 1.

    Examples
    --------
    >>> X = torch.eye(6)
    >>> Y = torch.nn.functional.conv2d(X[None, None], torch.tensor([[[[1.0, -1.0]]]]))[0, 0]
    >>> descent = KernelDescent(X, Y, torch.zeros(1, 2), lr=0.05)
    >>> descent.step().n
    1
    >>> descent.jump(40).kernel.round(decimals=2)
    tensor([[ 1., -1.]])
    """

    def __init__(
        self,
        X: Tensor,
        Y: Tensor,
        start: Tensor,
        *,
        lr: float = 3e-2,
        momentum: float = 0.0,
        reduction: str = "sum",
    ) -> None:
        self._problem, start = _checked_problem(X, Y, start, reduction, momentum)
        size = tuple(start.shape)
        self.quadratic = QuadraticLoss(X, size, Y, reduction=reduction)
        self.reduction = reduction
        self._n = 0
        self._steps: list[Step] = []
        self.lr = lr
        self._steps.append(self._problem.first(start))
        self._limit = divergence_limit(self.quadratic, start)

    @property
    def X(self) -> Tensor:
        """The input, (H, W)."""
        return self._problem.X.clone()

    @property
    def Y(self) -> Tensor:
        """The target, (H_out, W_out)."""
        return self._problem.Y.clone()

    @property
    def momentum(self) -> float:
        """The share of the velocity that each update keeps."""
        return self._problem.momentum

    @property
    def max_stable_lr(self) -> float:
        """The learning rate above which this descent, with its momentum, diverges."""
        return self.quadratic.stable_lr(self.momentum)

    @property
    def lr(self) -> float:
        """The learning rate of new updates; recorded ones are replayed with their own."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        limit = self.max_stable_lr
        hint = f"On this picture any below {limit:.4g} converges."
        if math.isinf(limit):
            hint = "Choose one such as 0.03."
        self._lr = _checked_lr(value, self._problem.X.dtype, hint)
        if any(ahead.lr != self._lr for ahead in self._steps[self._n + 1 :]):
            del self._steps[self._n + 1 :]

    @property
    def n(self) -> int:
        """The number of updates between the start and here."""
        return self._n

    @property
    def kernel(self) -> Tensor:
        """The kernel here, (kH, kW)."""
        return self._here.kernel.clone()

    @property
    def grad(self) -> Tensor:
        """The gradient of the loss here, (kH, kW)."""
        return self._here.grad.clone()

    @property
    def loss(self) -> float:
        """The squared error here."""
        return self._here.loss

    @property
    def trajectory(self) -> tuple[Step, ...]:
        """All recorded steps, from the start on, those ahead of here included."""
        return tuple(step.copy() for step in self._steps)

    @property
    def _here(self) -> Step:
        return self._steps[self._n]

    def step(self) -> Step:
        """Go one update forward, replaying it where it is recorded.

        Raises
        ------
        ConvkitError
            If the update would make the loss diverge; the descent stays where it is.

        Examples
        --------
        >>> descent = KernelDescent(torch.ones(1, 1), torch.ones(1, 1), torch.zeros(1, 1), lr=0.25)
        >>> descent.loss, descent.step().loss, descent.step().loss
        (1.0, 0.25, 0.0625)
        """
        self._advance()
        return self._here.copy()

    def back(self) -> Step:
        """Go one update back; at the start, stay there.

        Examples
        --------
        >>> descent = KernelDescent(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> descent.step().n, descent.back().n, descent.back().n
        (1, 0, 0)
        """
        return self.jump(max(0, self._n - 1))

    def jump(self, n: int) -> Step:
        """Go to the state after `n` updates, making those that are not recorded yet.

        Raises
        ------
        ConvkitError
            If `n` is not a whole number from 0 to a million, or the loss diverges before.

        Examples
        --------
        >>> descent = KernelDescent(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> descent.jump(5).n, descent.jump(2).n, len(descent.trajectory)
        (5, 2, 6)
        """
        target = to_whole("n", n, 0, MAX_STEPS)
        self._n = min(target, len(self._steps) - 1)
        while self._n < target:
            self._advance()
        return self._here.copy()

    def reset(self) -> Step:
        """Go back to the start and forget all later steps.

        Examples
        --------
        >>> descent = KernelDescent(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> descent.jump(5).n, descent.reset().n, len(descent.trajectory)
        (5, 0, 1)
        """
        del self._steps[1:]
        return self.jump(0)

    def _advance(self) -> None:
        if self._n + 1 == len(self._steps):
            self._steps.append(self._new_step())
        self._n += 1

    def _new_step(self) -> Step:
        new = self._problem.next(self._here, self._lr)
        if not new.loss <= self._limit:
            momentum = f" with momentum {self.momentum:.4g}" if self.momentum else ""
            raise ConvkitError(
                f"after step {new.n} with lr {self._lr:.4g} the loss would be {new.loss:.4g}",
                f"a learning rate below {self.max_stable_lr:.4g}, the limit for this picture"
                + momentum,
                "Set a smaller lr and go on, or reset.",
            )
        return new
