"""What a DescentStepper is set to, and the descent that follows from it: frozen, no widgets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from torch import Tensor

from convkit import codegen, formatting, ops
from convkit.descent import Step, divergence_limit, record
from convkit.errors import ConvkitError, brief_repr
from convkit.formatting import ConvergenceSummary
from convkit.least_squares import QuadraticLoss
from convkit.state.store import State, equal

MAX_KERNEL_SIDE = 7
MAX_STEPS = 100
MAX_LOSS = 1e38
"""The largest loss at the start, as in float32: plots show nothing beyond it."""
LAST_POSITION = 125
"""The last position of the learning rate's slider."""
_LEAST_DECADE, _PER_DECADE = -2, 50


@dataclass(frozen=True, eq=False)
class DescentStepperState(State):
    """A problem, where its descent starts, and the learning rate of each step.

    Attributes
    ----------
    X, Y : Tensor
        Input (H, W) and target, of the shape of ``corr2d(X, start)``.
    start : Tensor
        The first kernel, (kH, kW), up to 7 x 7.
    lr : float
        The learning rate that was set last.
    rates : tuple of float
        The learning rate of each step, 1 to 100 of them.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.
    n : int
        The step on show, counted from 0, the start; `compute` limits it to what is recorded.

    Raises
    ------
    ConvkitError
        If a field cannot work.

    Examples
    --------
    >>> import torch
    >>> X, K = torch.eye(4), torch.ones(1, 2)
    >>> DescentStepperState(X, ops.corr2d(X, K), 0 * K, lr=0.1, rates=(0.1, 0.1)).steps
    2
    """

    X: Tensor
    Y: Tensor
    start: Tensor
    lr: float
    rates: tuple[float, ...]
    reduction: str = "sum"
    n: int = 0

    def __post_init__(self) -> None:
        for name in ("X", "Y", "start"):
            ops.check_finite(name, getattr(self, name))
        object.__setattr__(self, "lr", _positive(self.lr))
        object.__setattr__(self, "rates", tuple(_positive(rate) for rate in self.rates))
        check_step_count(len(self.rates))
        step = ops.as_integer(self.n)
        if step is None or step < 0:
            raise ConvkitError(
                f"n is {brief_repr(self.n)}", "a step from 0", "Step 0 is the start."
            )
        object.__setattr__(self, "n", step)
        _check_kernel_size(tuple(self.start.shape), self.X, self.Y)

    @property
    def steps(self) -> int:
        """How many steps are to be recorded."""
        return len(self.rates)


@dataclass(frozen=True, eq=False)
class DescentStepperResult:
    """The descent that follows from a state.

    Attributes
    ----------
    state : DescentStepperState
        The state, with `n` inside the recorded steps.
    quadratic : QuadraticLoss
        The loss as a function of the kernel.
    trajectory : tuple of Step
        The recorded steps; fewer than asked for where the loss diverged.
    """

    state: DescentStepperState
    quadratic: QuadraticLoss
    trajectory: tuple[Step, ...]

    @property
    def step(self) -> Step:
        """The step on show."""
        return self.trajectory[self.state.n]

    @property
    def last(self) -> int:
        """The number of the last recorded step."""
        return len(self.trajectory) - 1

    @cached_property
    def convergence(self) -> ConvergenceSummary:
        """What this learning rate does, and why."""
        return formatting.convergence_summary(self.quadratic, self.state.start, self.state.lr)

    @property
    def verdict(self) -> str:
        """What this learning rate does, in words, and where the record stops."""
        if self.last == self.state.steps:
            return self.convergence.text
        return (
            f"{self.convergence.text} The record stops after step {self.last}, because the loss "
            "would diverge in the next one."
        )

    def code(self, n: int) -> str:
        """Return torch code that takes the first `n` recorded steps."""
        state = self.state
        X, Y = (
            codegen.array_code(values, f"panel.{name}  # write your variable's name for `panel`")
            for name, values in (("X", state.X), ("Y", state.Y))
        )
        rates = state.rates[:n]
        return codegen.descent_code(X, Y, state.start, rates, reduction=state.reduction)


def compute(
    state: DescentStepperState, previous: DescentStepperResult | None = None
) -> DescentStepperResult:
    """Return the descent that follows from a state; parts that did not change are kept.

    Raises
    ------
    ConvkitError
        If X, Y and start do not fit together, or a learning rate cannot work.

    Examples
    --------
    >>> import torch
    >>> X, K = torch.eye(4), torch.tensor([[1.0, -1.0]])
    >>> state = DescentStepperState(X, ops.corr2d(X, K), 0 * K, lr=0.1, rates=(0.1,) * 50)
    >>> compute(state).trajectory[50].kernel.round(decimals=2)
    tensor([[ 1., -1.]])
    """
    quadratic = _quadratic(state, previous)
    if previous is not None and _same_descent(state, previous.state):
        trajectory = previous.trajectory
    else:
        _check_size(quadratic, state.start)
        limit = divergence_limit(quadratic, state.start)
        trajectory = record(
            state.X, state.Y, state.start, state.rates, reduction=state.reduction, limit=limit
        )
    n = min(state.n, len(trajectory) - 1)
    return DescentStepperResult(replace(state, n=n), quadratic, trajectory)


def learning_rate(value: Any) -> float:
    """Return a learning rate, a real number of any kind, as a float; `compute` checks its range.

    Raises
    ------
    ConvkitError
        If it is not a number.

    Examples
    --------
    >>> import torch
    >>> learning_rate(torch.tensor(0.5))
    0.5
    """
    number = ops.as_real(value)
    if number is None:
        raise ConvkitError(f"lr is {brief_repr(value)}", "a number above 0", "Choose 0.03, say.")
    return number


def rate_fields(state: DescentStepperState, lr: float, *, only_ahead: bool) -> dict[str, Any]:
    """Return the fields of another learning rate, for all steps or for those after the one shown.

    Examples
    --------
    >>> import torch
    >>> state = DescentStepperState(torch.ones(2, 2), torch.ones(2, 2), torch.ones(1, 1),
    ...                             lr=0.1, rates=(0.1, 0.1), n=1)
    >>> rate_fields(state, 0.2, only_ahead=True)["rates"]
    (0.1, 0.2)
    """
    kept = state.rates[: state.n] if only_ahead else ()
    return {"lr": lr, "rates": kept + (lr,) * (state.steps - len(kept))}


def step_count_fields(state: DescentStepperState, steps: int) -> dict[str, Any]:
    """Return the fields of another number of steps; those that stay keep their learning rates.

    Raises
    ------
    ConvkitError
        If `steps` is not from 1 to 100.

    Examples
    --------
    >>> import torch
    >>> state = DescentStepperState(torch.ones(2, 2), torch.ones(2, 2), torch.ones(1, 1),
    ...                             lr=0.2, rates=(0.1,))
    >>> step_count_fields(state, 3)
    {'rates': (0.1, 0.2, 0.2)}
    """
    check_step_count(steps)
    return {"rates": (state.rates + (state.lr,) * steps)[:steps]}


def problem_fields(state: DescentStepperState, X: Tensor, Y: Tensor) -> dict[str, Any]:
    """Return the fields of another problem; one of another kernel size starts from zeros.

    Raises
    ------
    ConvkitError
        If no kernel of up to 7 x 7 makes an output of `Y`'s shape from `X`.

    Examples
    --------
    >>> import torch
    >>> state = DescentStepperState(torch.ones(2, 2), torch.ones(2, 2), torch.ones(1, 1),
    ...                             lr=0.2, rates=(0.1,))
    >>> problem_fields(state, torch.ones(4, 4), torch.ones(3, 2))["start"]
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    X, Y = ops.validated_copy("X", X), ops.validated_copy("Y", Y)
    size = tuple(n - m + 1 for n, m in zip(X.shape, Y.shape, strict=True))
    _check_kernel_size(size, X, Y)
    fits = size == tuple(state.start.shape) and X.dtype == state.start.dtype
    start = state.start if fits else X.new_zeros(size)
    return {"X": X, "Y": Y, "start": start}


def restart_fields(state: DescentStepperState, first: DescentStepperState) -> dict[str, Any]:
    """Return the fields that lead back to the first start and learning rate, at step 0.

    The problem stays; where the first start does not fit it any more, zeros take its place.
    """
    fits = first.start.shape == state.start.shape
    start = first.start.to(state.X.dtype) if fits else state.start.new_zeros(state.start.shape)
    return {"start": start, "lr": first.lr, "rates": (first.lr,) * state.steps, "n": 0}


def check_step_count(steps: int) -> None:
    """Raise ConvkitError if a panel cannot record as many steps."""
    count = ops.as_integer(steps)
    if count is None or not 1 <= count <= MAX_STEPS:
        raise ConvkitError(f"steps is {steps!r}", f"1 to {MAX_STEPS}", "Record fewer.")


def _check_kernel_size(size: tuple[int, ...], X: Tensor, Y: Tensor) -> None:
    if all(1 <= k <= MAX_KERNEL_SIDE for k in size):
        return
    raise ConvkitError(
        f"the target has shape {tuple(Y.shape)} for an input of shape {tuple(X.shape)}",
        f"a target that a kernel of up to {MAX_KERNEL_SIDE} × {MAX_KERNEL_SIDE} can make",
        "Compute the target with corr2d(X, kernel).",
    )


def _check_size(quadratic: QuadraticLoss, start: Tensor) -> None:
    loss = max(quadratic.loss(start), quadratic.scale)
    if not loss <= MAX_LOSS:
        raise ConvkitError(
            f"the loss at the start, or of a kernel of zeros, is {loss:.4g}",
            f"at most {MAX_LOSS:.4g}, which plots can show",
            "Use smaller numbers in X, Y and start.",
        )


def _positive(lr: float) -> float:
    number = learning_rate(lr)
    if not 0 < number < math.inf:
        raise ConvkitError(f"lr is {brief_repr(lr)}", "a number above 0", "Choose 0.03, say.")
    return number


def _quadratic(state: DescentStepperState, previous: DescentStepperResult | None) -> QuadraticLoss:
    size = tuple(state.start.shape)
    if previous is not None:
        old = previous.state
        same = all(equal(getattr(state, name), getattr(old, name)) for name in ("X", "Y"))
        if same and size == tuple(old.start.shape) and state.reduction == old.reduction:
            return previous.quadratic
    return QuadraticLoss(state.X, size, state.Y, reduction=state.reduction)


def _same_descent(a: DescentStepperState, b: DescentStepperState) -> bool:
    names = ("X", "Y", "start", "rates", "reduction")
    return all(equal(getattr(a, name), getattr(b, name)) for name in names)


def rate_of_position(position: int, limit: float) -> float:
    """Return the learning rate at a slider's position, 0 to `LAST_POSITION`, to 3 digits.

    The slider reaches from 10^-2 to 10^0.5 of the limit, in steps of a 50th of a decade; where
    there is no limit, 1 takes its place.

    Examples
    --------
    >>> rate_of_position(100, 1 / 30)
    0.0333
    """
    position = min(max(position, 0), LAST_POSITION)
    ratio = 10 ** (position / _PER_DECADE + _LEAST_DECADE)
    return float(formatting.number(_finite_limit(limit) * ratio, 3))


def slider_position(lr: float, limit: float) -> int:
    """Return the slider's position that is closest to a learning rate.

    Examples
    --------
    >>> slider_position(1 / 30, 1 / 30)
    100
    """
    decades = math.log10(lr) - math.log10(_finite_limit(limit)) - _LEAST_DECADE
    return min(max(round(_PER_DECADE * decades), 0), LAST_POSITION)


def _finite_limit(limit: float) -> float:
    return limit if math.isfinite(limit) else 1.0
