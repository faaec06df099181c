"""What a DescentStepper is set to, and the descent that follows from it: frozen, no widgets."""

from __future__ import annotations

import math
from dataclasses import dataclass
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
LAST_POSITION = 150
"""The last position of the learning rate's slider, in percent of the limit; the first is 1."""


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
        The step to show, counted from 0, the start; the last one where fewer are recorded.
    target : Tensor, optional
        The kernel (kH, kW) that makes the target, where it is known: `Y` is then ``corr2d(X,
        target)``, whatever is given for it.

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
    target: Tensor | None = None

    def __post_init__(self) -> None:
        if self.target is not None:
            target = ops.check_finite("target", self.target)
            object.__setattr__(self, "Y", ops.corr2d(self.X, target))
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
class Descent:
    """A problem, a start and the learning rates; what follows from them is computed when needed.

    Attributes
    ----------
    state : DescentStepperState
        The first state that this is the descent of.
    quadratic : QuadraticLoss
        The loss as a function of the kernel.
    """

    state: DescentStepperState
    quadratic: QuadraticLoss

    @cached_property
    def limit(self) -> float:
        """The loss above which the descent has diverged."""
        return divergence_limit(self.quadratic, self.state.start)

    @cached_property
    def outline(self) -> tuple[Tensor, Tensor]:
        """Kernels (n, kH, kW) and losses (n,) in closed form: soon there, and good for drawing."""
        kernels, losses = self.quadratic.descent(self.state.start, self.state.rates)
        diverged = (~(losses <= self.limit)).nonzero()
        end = int(diverged[0]) if len(diverged) else len(losses)
        return kernels[:end], losses[:end]

    @cached_property
    def trajectory(self) -> tuple[Step, ...]:
        """The recorded steps; fewer than asked for where the loss diverged."""
        return self._record(self.limit)

    def check(self) -> None:
        """Raise ConvkitError if this cannot be recorded: one step tells."""
        self._record(-1)

    def _record(self, limit: float) -> tuple[Step, ...]:
        state = self.state
        return record(
            state.X, state.Y, state.start, state.rates, reduction=state.reduction, limit=limit
        )


@dataclass(frozen=True, eq=False)
class DescentStepperResult:
    """The descent that follows from a state.

    Attributes
    ----------
    state : DescentStepperState
        The state.
    descent : Descent
        Its descent.
    note : str
        What happened to the learning rate when the problem became another, or nothing.
    """

    state: DescentStepperState
    descent: Descent
    note: str = ""

    @property
    def quadratic(self) -> QuadraticLoss:
        """The loss as a function of the kernel."""
        return self.descent.quadratic

    @property
    def trajectory(self) -> tuple[Step, ...]:
        """The recorded steps."""
        return self.descent.trajectory

    @property
    def last(self) -> int:
        """The number of the last recorded step."""
        return len(self.trajectory) - 1

    @property
    def n(self) -> int:
        """The number of the step on show."""
        return min(self.state.n, self.last)

    @property
    def step(self) -> Step:
        """The step on show."""
        return self.trajectory[self.n]

    @cached_property
    def convergence(self) -> ConvergenceSummary:
        """What this learning rate does, and why."""
        return formatting.convergence_summary(self.quadratic, self.state.start, self.state.lr)

    @property
    def verdict(self) -> str:
        """What this learning rate does, in words, and where the record stops."""
        if self.last == self.state.steps:
            return self.convergence.text
        return f"{self.convergence.text} The record stops after step {self.last}."

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
    if previous is not None and _same_descent(state, previous.state):
        return DescentStepperResult(state, previous.descent)
    quadratic = _quadratic(state, previous)
    _check_size(quadratic, state.start)
    descent = Descent(state, quadratic)
    descent.check()
    return DescentStepperResult(state, descent, _rate_note(descent, previous))


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


def rate_fields(result: DescentStepperResult, lr: float, *, only_ahead: bool) -> dict[str, Any]:
    """Return the fields of another learning rate, for all steps or for those after the one shown.

    Examples
    --------
    >>> import torch
    >>> state = DescentStepperState(torch.ones(2, 2), torch.ones(2, 2), torch.ones(1, 1),
    ...                             lr=0.1, rates=(0.1, 0.1), n=1)
    >>> rate_fields(compute(state), 0.2, only_ahead=True)["rates"]
    (0.1, 0.2)
    """
    state = result.state
    kept = state.rates[: result.n] if only_ahead else ()
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


def start_fields(state: DescentStepperState, start: Tensor) -> dict[str, Any]:
    """Return the fields of another first kernel, (kH, kW), of the size of the present one.

    Raises
    ------
    ConvkitError
        If it has another size, which the target would not fit.

    Examples
    --------
    >>> import torch
    >>> X = torch.ones(2, 2)
    >>> state = DescentStepperState(X, X, X[:1, :1], lr=0.2, rates=(0.1,))
    >>> start_fields(state, 3 * state.start)
    {'start': tensor([[3.]])}
    """
    start = ops.validated_copy("start", start)
    if start.shape != state.start.shape:
        given, expected = (formatting.size(K.shape) for K in (start, state.start))
        hint = "Change the size of the target first."
        raise ConvkitError(f"the start is {given}", f"{expected}, as the target needs", hint)
    return {"start": start}


def first_problem(
    X: Tensor, Y: Tensor | None, start: Tensor | None, target: Tensor | None
) -> dict[str, Any]:
    """Return the fields of a first problem, of which either `Y` or `target` is given.

    Raises
    ------
    ConvkitError
        If both or none of them is given.

    Examples
    --------
    >>> import torch
    >>> first_problem(torch.eye(2), None, None, torch.ones(1, 2))["start"]
    tensor([[0., 0.]])
    """
    if (Y is None) == (target is None):
        given = "neither Y nor target" if Y is None else "both Y and target"
        hint = "Pass DescentStepper(X, Y) or DescentStepper(X, target=kernel)."
        raise ConvkitError(f"{given} is given", "one of them", hint)
    fields = _checked_problem(X, Y, target)
    if start is None:
        return fields
    return fields | {"start": ops.validated_copy("start", start)}


def _checked_problem(X: Tensor, Y: Tensor | None, target: Tensor | None) -> dict[str, Any]:
    """Return the fields of a problem that starts from zeros."""
    X = ops.validated_copy("X", X)
    if target is not None:
        target = ops.validated_copy("target", target)
        Y = ops.corr2d(X, target)
    Y = ops.validated_copy("Y", Y)  # type: ignore[arg-type]
    size = tuple(n - m + 1 for n, m in zip(X.shape, Y.shape, strict=True))
    _check_kernel_size(size, X, Y)
    return {"X": X, "Y": Y, "target": target, "start": X.new_zeros(size)}


def problem_fields(
    result: DescentStepperResult, X: Tensor, Y: Tensor | None = None, target: Tensor | None = None
) -> dict[str, Any]:
    """Return the fields of another problem: an input, and its target or the kernel that makes it.

    A kernel of another size starts from zeros. Learning rates keep their share of the limit.

    Raises
    ------
    ConvkitError
        If no kernel of up to 7 x 7 makes an output of `Y`'s shape from `X`.

    Examples
    --------
    >>> import torch
    >>> X = torch.ones(2, 2)
    >>> result = compute(DescentStepperState(X, X, 0 * X[:1, :1], lr=0.2, rates=(0.2,)))
    >>> fields = problem_fields(result, 2 * X, Y=X[:, :1])
    >>> fields["start"], fields["rates"]
    (tensor([[0., 0.]]), (0.05,))
    """
    fields = _checked_problem(X, Y, target)
    new, old = fields["start"], result.state.start
    if new.shape == old.shape and new.dtype == old.dtype:
        fields["start"] = old
    return fields | _rescaled_rates(result, fields["X"], tuple(new.shape))


def _rescaled_rates(
    result: DescentStepperResult, X: Tensor, size: tuple[int, ...]
) -> dict[str, Any]:
    """Return the fields of learning rates that have the same share of another problem's limit."""
    state, limit = result.state, result.quadratic.max_stable_lr
    if equal(X, state.X) and size == tuple(state.start.shape):
        return {}
    new = QuadraticLoss(X, size, reduction=state.reduction).max_stable_lr
    if math.isinf(limit) or math.isinf(new):
        return {}
    lr, *rates = (float(formatting.number(rate / limit * new)) for rate in (state.lr, *state.rates))
    return {"lr": lr, "rates": tuple(rates)}


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


def _rate_note(descent: Descent, previous: DescentStepperResult | None) -> str:
    """Say that the learning rate followed the limit of another problem, where it did."""
    if previous is None or descent.state.lr == previous.state.lr:
        return ""
    limit, old = descent.quadratic.max_stable_lr, previous.quadratic.max_stable_lr
    shares = descent.state.lr / limit, previous.state.lr / old
    if limit == old or not math.isclose(*shares, rel_tol=1e-3):
        return ""
    return (
        f"The learning rate is now {formatting.number(descent.state.lr)}, "
        "the same share of this problem's limit as before."
    )


def _same_descent(a: DescentStepperState, b: DescentStepperState) -> bool:
    names = ("X", "Y", "start", "rates", "reduction")
    return all(equal(getattr(a, name), getattr(b, name)) for name in names)


def rate_of_position(position: int, limit: float) -> float:
    """Return the learning rate at a slider's position, 1 to `LAST_POSITION` percent of the limit.

    Where there is no limit, 1 takes its place.

    Examples
    --------
    >>> rate_of_position(90, 1 / 30)
    0.03
    """
    position = min(max(position, 1), LAST_POSITION)
    return float(formatting.number(_finite_limit(limit) * position / 100))


def slider_position(lr: float, limit: float) -> int:
    """Return the slider's position that is closest to a learning rate.

    Examples
    --------
    >>> slider_position(1 / 30, 1 / 30)
    100
    """
    return round(min(max(100 * lr / _finite_limit(limit), 1), LAST_POSITION))


def _finite_limit(limit: float) -> float:
    return limit if math.isfinite(limit) else 1.0
