"""A learner's own training step beside the true descent: where its kernels begin to differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from convkit import formatting, ops, user_function
from convkit.comparison import mismatch_mask
from convkit.errors import ConvkitError
from convkit.formatting import minus
from convkit.panels._own_function import checked_tensor
from convkit.ui.jobs import Report
from convkit.ui.store import equal

if TYPE_CHECKING:
    from convkit.panels._descent_stepper_state import Descent

ENDED = object()
"""What a generator gives that has ended."""


@dataclass(frozen=True, eq=False)
class OwnRun:
    """What a learner's step gave, beside what gradient descent makes of the same kernels.

    Attributes
    ----------
    name : str
        What the step is called.
    kernels : Tensor
        Its kernels, (n + 1, kH, kW), the start first.
    losses : Tensor
        Their losses, (n + 1,).
    expected : Tensor
        What gradient descent makes of each kernel but the last, (n, kH, kW).
    mismatch : Tensor
        Where its next kernel differs from that beyond rounding, bool, (n, kH, kW).
    failure : str
        Why it has no more steps, if that is so.
    printed : str
        What it printed.
    """

    name: str
    kernels: Tensor
    losses: Tensor
    expected: Tensor
    mismatch: Tensor
    failure: str
    printed: str

    @property
    def failed(self) -> bool:
        """Whether it differs somewhere, or has no more steps."""
        return bool(self.differs or self.failure)

    @property
    def differs(self) -> list[int]:
        """The numbers of the steps that differ."""
        return [n + 1 for n in self.mismatch.flatten(1).any(1).nonzero().flatten().tolist()]

    def difference_after(self, n: int) -> int:
        """Return the next step after `n` that differs; after the last one, the first."""
        return next((k for k in self.differs if k > n), self.differs[0])

    @property
    def words(self) -> str:
        """What came out."""
        count, steps = len(self.expected), self.differs
        if not steps:
            agrees = f"{self.name} agrees with convkit in all {count} steps." if count else ""
            return f"{agrees} {self.failure}".strip()
        k = steps[0] - 1
        i, j = self.mismatch[k].nonzero()[0].tolist()
        ours, theirs = formatting.distinct_numbers(
            self.expected[k, i, j], self.kernels[k + 1, i, j]
        )
        is_rest = len(steps) == count - k
        where = f"from step {steps[0]} on" if is_rest else f"in {len(steps)} of {count} steps"
        return (
            f"{self.name} differs from convkit {where}: from the kernel of step {k} it makes "
            f"K[{i}, {j}] = {minus(theirs)}, not {minus(ours)}. {self.failure}"
        ).rstrip()


def run_own(step: Callable[..., Any], descent: Descent, report: Report) -> OwnRun:
    """Run a learner's step, or loop, to the last step asked for, wherever the descent diverges.

    Its failure is part of the result.
    """
    name, count = user_function.name_of(step), len(descent.rates)
    kernels, printed, failure = [descent.start], "", ""
    X, Y = descent.X.clone(), descent.Y.clone()
    advance = _advancing(step, kernels, X, Y, descent.rates)
    while len(kernels) <= count and not failure:
        report(len(kernels) - 1, count)
        try:
            call = user_function.call(advance)
            printed += call.printed
            kernels.append(_checked_kernel(name, call.value, (X, Y), descent))
        except ConvkitError as error:
            failure = f"Step {len(kernels)}: {error}"
            printed += getattr(error, "printed", "")
    made = torch.stack(kernels)
    losses = torch.tensor([descent.quadratic.loss(kernel) for kernel in made], **ops.FLOAT64)
    expected, bound = _expected(descent, made.double())
    mismatch = mismatch_mask(made[1:], expected, bound)
    return OwnRun(name, made, losses, expected, mismatch, failure, printed)


def _checked_kernel(name: str, given: Any, data: tuple[Tensor, ...], descent: Descent) -> Tensor:
    """Return a copy of what a learner's step made, if it is a kernel that can be shown."""
    if not equal(data, (descent.X, descent.Y)):
        changed = f"{name} changed X or Y in place"
        raise ConvkitError(changed, "both unchanged", "Work on a copy, such as X.clone().")
    if given is ENDED:
        raise ConvkitError(f"{name} ended", "another kernel", "Yield one after each pass.")
    kernel = checked_tensor(name, given, descent.start, "Return the next kernel.")
    loss = descent.quadratic.loss(kernel)
    if not loss <= descent.divergence_loss:
        shown = f"{name} makes a kernel whose loss is {formatting.number(loss)}"
        raise ConvkitError(shown, "a loss that can be shown", "Look for what makes it grow.")
    return kernel.clone()


def _advancing(
    step: Callable[..., Any], kernels: list[Tensor], X: Tensor, Y: Tensor, rates: Sequence[float]
) -> Callable[[], Any]:
    """Return a function, called as the learner's is, that gives what comes after the last kernel.

    A generator function is called once, and then asked for one kernel after the other.
    """
    loop: Iterator[Any] | None = None

    def advance() -> Any:
        nonlocal loop
        if loop is None:
            made = step(kernels[-1].clone(), X, Y, rates[len(kernels) - 1])
            if not isinstance(made, Iterator):
                return made
            loop = made
        return next(loop, ENDED)

    advance.__name__ = user_function.name_of(step)
    return advance


def _expected(descent: Descent, kernels: Tensor) -> tuple[Tensor, Tensor]:
    """Return what gradient descent makes of each kernel but the last, and how exactly.

    The velocity of a kernel follows from the one before. Whatever the order of its operations, a
    sum of n products is wrong by at most n times the rounding of the sum of their sizes.
    """
    before, after = kernels[:-1], kernels[1:]
    lr = torch.tensor(descent.rates[: len(before)], **ops.FLOAT64)[:, None, None]
    moved = torch.cat((torch.zeros_like(kernels[:1]), before[1:] - before[:-1]))[: len(before)]
    moved = descent.momentum * lr / lr.roll(1, 0) * moved
    slope = descent.quadratic.gradient(torch.zeros_like(kernels[0])).flatten()
    gradients = (before.flatten(1) @ descent.quadratic.hessian + slope).reshape(before.shape)
    expected = before + moved - lr * gradients
    A = ops.patches(descent.X.double(), descent.quadratic.kernel_size).abs()
    cells = len(A) if descent.reduction == "mean" else 1
    sizes = (before.flatten(1).abs() @ A.T + descent.Y.double().abs().flatten()) @ A / cells
    terms = 2 * (len(A) + A.shape[1] + 2)
    weights = 4 * (before.abs() + after.abs() + moved.abs())
    precision = torch.finfo(descent.X.dtype)
    bound = precision.eps * (terms * lr * sizes.reshape(before.shape) + weights)
    return expected, bound + precision.tiny
