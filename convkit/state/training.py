"""A descent recorded ahead of the step on show: what a DescentStepper is set to."""

from __future__ import annotations

import math

from torch import Tensor

from convkit import formatting, least_squares
from convkit.descent import MOMENTUM, KernelDescent
from convkit.errors import ConvkitError
from convkit.state.setting import code_of, own

LARGEST_KERNEL = 7
MOST_STEPS = 100


class Training:
    """A KernelDescent with up to `steps` updates on record, whatever is changed about it.

    Parameters
    ----------
    descent : KernelDescent
        What to begin with; it is walked ahead and back.
    steps : int
        How many updates to record, 1 to 100; fewer where the loss runs away.

    Attributes
    ----------
    descent : KernelDescent
        The present descent, at the step on show.
    stopped : str
        Why fewer steps are on record; empty where all are.

    Raises
    ------
    ConvkitError
        If `steps` is out of range.
    """

    def __init__(self, descent: KernelDescent, steps: int) -> None:
        self.descent, self.steps, self.stopped = _finite(descent), _countable(steps), ""
        self._first = {"start": self.start, "lr": descent.lr}
        self.record()

    @property
    def start(self) -> Tensor:
        """The kernel that the descent begins from."""
        return self.descent.trajectory[0].kernel.clone()

    @property
    def last(self) -> int:
        """The number of the last step on record."""
        return len(self.descent.trajectory) - 1

    def record(self) -> None:
        """Walk ahead as far as wanted and possible, and come back."""
        here, self.stopped = self.descent.n, ""
        try:
            self.descent.jump(self.steps)
        except ConvkitError as error:
            self.stopped = f" Stopped: {error}"
        self.descent.jump(here)

    def restart(self, **change: object) -> None:
        """Begin again with another X, Y, start or lr, and go to the step on show.

        Raises
        ------
        ConvkitError
            If the change cannot work; all stays as it was.
        """
        old = self.descent
        kept = {name: getattr(old, name) for name in ("X", "Y", "lr", "reduction", "optimizer")}
        self.descent = _finite(KernelDescent(**(kept | {"start": self.start} | change)))
        self.record()
        self.descent.jump(min(old.n, self.last))

    def pose(self, X: Tensor, Y: Tensor) -> None:
        """Pose another problem; a target of another size begins from a kernel of zeros.

        Raises
        ------
        ConvkitError
            If no kernel of up to 7 x 7 makes an output of `Y`'s shape from `X`.
        """
        X, Y = own("X", X), own("Y", Y)
        size = tuple(n - m + 1 for n, m in zip(X.shape, Y.shape, strict=True))
        if not all(1 <= k <= LARGEST_KERNEL for k in size):
            raise ConvkitError(
                f"the target has shape {tuple(Y.shape)} for an input of shape {tuple(X.shape)}",
                f"a target that a kernel of up to {LARGEST_KERNEL} × {LARGEST_KERNEL} can make",
                "Compute the target with corr2d(X, kernel).",
            )
        fits = size == tuple(self.start.shape) and X.dtype == self.start.dtype
        self.restart(X=X, Y=Y, start=self.start if fits else X.new_zeros(size))

    def change_lr(self, lr: float, *, only_ahead: bool) -> None:
        """Descend at another learning rate: all the way, or from the step on show."""
        if only_ahead:
            self.descent.lr = lr
            self.record()
        else:
            self.restart(lr=lr)

    def change_steps(self, steps: int) -> None:
        """Record more updates or fewer; those that stay keep their learning rates."""
        self.steps = _countable(steps)
        here = min(self.descent.n, steps)
        if self.last > steps:
            self.descent.jump(steps)
            self.descent = self.descent.fork()
        self.descent.jump(here)
        self.record()

    def reset(self) -> None:
        """Go back to the first learning rate and, if it fits, the first start, at step 0."""
        same_size = self._first["start"].shape == self.start.shape
        start = self._first["start"].to(self.start) if same_size else self.start.zero_()
        self.restart(start=start, lr=self._first["lr"])
        self.descent.jump(0)

    def verdict(self) -> str:
        """Return in words what this learning rate does."""
        now = self.descent
        if MOMENTUM[now.optimizer]:
            return f"With momentum; stable below {formatting.number(now.max_stable_lr)}.{self.stopped}"
        words = least_squares.outlook(now.X, now.Y, self.start, now.lr, reduction=now.reduction)
        return words + self.stopped

    def codes(self) -> list[str]:
        """Return torch code that takes the first n recorded steps, for each n from 0."""
        now = self.descent
        X = code_of(now.X, "panel.X  # write your variable's name for `panel`")
        Y = code_of(now.Y, "panel.Y  # write your variable's name for `panel`")
        rates = [step.lr for step in now.trajectory[1:]]
        options = {"reduction": now.reduction, "momentum": MOMENTUM[now.optimizer]}
        return [
            formatting.descent_code(X, Y, self.start, rates[:n], **options) for n in range(self.last + 1)
        ]

    def code(self, n: int) -> str:
        """Return torch code that takes the first `n` recorded steps."""
        return self.codes()[n]


def _countable(steps: int) -> int:
    """Return `steps` if a panel can show as many."""
    if not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
        raise ConvkitError(f"steps is {steps!r}", f"1 to {MOST_STEPS}", "Record fewer.")
    return steps


def _finite(descent: KernelDescent) -> KernelDescent:
    """Return `descent` if its loss can be worked out."""
    if not math.isfinite(descent.loss):
        raise ConvkitError(
            f"the loss at the start is {descent.loss}",
            f"one that {descent.X.dtype} can hold",
            "Use finite, smaller numbers.",
        )
    return descent
