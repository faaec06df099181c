"""Gradient descent on one kernel, as a trajectory that can be walked both ways."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from convkit.least_squares import bowl, max_stable_lr
from convkit.errors import ConvkitError
from convkit.ops import corr2d

MOMENTUM = {"sgd": 0.0, "momentum": 0.9}
RUNAWAY = 1e6
"""A loss this many times the scale of the problem has diverged, long before it overflows."""


@dataclass(frozen=True)
class Step:
    """One point of a trajectory.

    Attributes
    ----------
    n : int
        Number of updates since the start.
    kernel, grad : Tensor
        The kernel and the loss's gradient there, (kH, kW).
    loss : float
        The squared error there.
    lr : float or None
        The learning rate of the update that led here; None at the start.
    velocity : Tensor
        What that update added up from gradients, (kH, kW): the gradient itself for "sgd".
    """

    n: int
    kernel: Tensor
    grad: Tensor
    loss: float
    lr: float | None
    velocity: Tensor


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
    optimizer : "sgd" or "momentum"
        Plain descent, or descent with momentum 0.9.

    Raises
    ------
    ConvkitError
        If shapes or dtypes do not fit, or `lr` is not a positive number that fits the dtype.
    """

    def __init__(
        self,
        X: Tensor,
        Y: Tensor,
        start: Tensor,
        *,
        lr: float = 3e-2,
        reduction: str = "sum",
        optimizer: str = "sgd",
    ) -> None:
        if optimizer not in MOMENTUM:
            raise ConvkitError(
                f"optimizer is {optimizer!r}", f"one of {', '.join(MOMENTUM)}", "Choose one."
            )
        corr2d(X, start)
        size = tuple(start.shape)
        target_scale = bowl(X, Y, size, reduction=reduction).c.item()
        self.X, self.Y = X.detach().clone(), Y.detach().clone()
        self.reduction, self.optimizer = reduction, optimizer
        self.max_stable_lr = max_stable_lr(
            X, size, reduction=reduction, momentum=MOMENTUM[optimizer]
        )
        self._steps, self._n = [], 0
        self.lr = lr
        kernel = start.detach().clone()
        self._steps.append(self._measure(0, kernel, None, torch.zeros_like(kernel)))
        self._runaway = RUNAWAY * max(target_scale, self.loss, 1e-12)

    @property
    def lr(self) -> float:
        """The learning rate of new updates; recorded ones are replayed with their own."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        most = torch.finfo(self.X.dtype).max
        if not isinstance(value, int | float) or not 0 < value <= most:
            raise ConvkitError(
                f"lr is {value!r}",
                f"a number above 0 and at most {most:.4g}",
                "Choose one such as 0.03."
                if self.max_stable_lr == float("inf")
                else f"On this picture any below {self.max_stable_lr:.4g} converges.",
            )
        self._lr = float(value)
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
        """All recorded steps, from the start on, those ahead of here included."""
        return tuple(self._steps)

    def step(self) -> Step:
        """Go one update forward, replaying it where it is recorded.

        Raises
        ------
        ConvkitError
            If the update would make the loss run away; the descent stays where it is.
        """
        if self._n + 1 == len(self._steps):
            self._steps.append(self._update(self._steps[self._n]))
        self._n += 1
        return self._steps[self._n]

    def back(self) -> Step:
        """Go one update back; at the start, stay there."""
        return self.jump(max(0, self._n - 1))

    def jump(self, n: int) -> Step:
        """Go to the state after `n` updates, walking on where they are not recorded yet.

        Raises
        ------
        ConvkitError
            If `n` is not a whole number from 0, or the loss runs away before.
        """
        if not isinstance(n, int) or n < 0:
            raise ConvkitError(f"n is {n!r}", "a whole number from 0", "Step 0 is the start.")
        if n < len(self._steps):
            self._n = n
        while self._n < n:
            self.step()
        return self._steps[self._n]

    def reset(self) -> Step:
        """Go back to the start and forget all later steps."""
        del self._steps[1:]
        return self.jump(0)

    def fork(self) -> KernelDescent:
        """Return a descent that shares the past up to here and goes its own way from here on."""
        twin = copy.copy(self)
        twin._steps = self._steps[: self._n + 1]
        return twin

    def _measure(self, n: int, kernel: Tensor, lr: float | None, velocity: Tensor) -> Step:
        leaf = kernel.clone().requires_grad_()
        squares = (corr2d(self.X, leaf) - self.Y) ** 2
        loss = squares.sum() if self.reduction == "sum" else squares.mean()
        (grad,) = torch.autograd.grad(loss, leaf)
        return Step(n, kernel, grad, loss.item(), lr, velocity)

    def _update(self, here: Step) -> Step:
        velocity = MOMENTUM[self.optimizer] * here.velocity + here.grad
        kernel = torch.add(here.kernel, velocity, alpha=-self.lr)
        new = self._measure(here.n + 1, kernel, self.lr, velocity)
        if not new.loss <= self._runaway:
            raise ConvkitError(
                f"after step {new.n} with lr {self.lr:.4g} the loss would be {new.loss:.4g}",
                f"a learning rate below {self.max_stable_lr:.4g}, the limit for this picture",
                "Set a smaller lr and go on, or reset.",
            )
        return new
