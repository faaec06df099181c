"""What a DescentStepper is set to, and the descent that follows from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from convkit import codegen, formatting, ops
from convkit.descent import Step, divergence_limit, record
from convkit.errors import ConvkitError, brief_repr
from convkit.formatting import ConvergenceSummary
from convkit.least_squares import REDUCTIONS, QuadraticLoss, checked_momentum
from convkit.panels._loss_plots import LossCurve, LossSurface, curve_of, holding
from convkit.panels._own_step import OwnRun, run_own
from convkit.ui import State, Work, fields
from convkit.ui.store import Fields, changed_fields, equal
from convkit.user_function import name_of

MAX_KERNEL_SIDE = 7
MAX_STEPS = 300
MAX_LOSS = 1e38
"""The largest loss at the start, as in float32: plots show nothing beyond it."""
LAST_POSITION = 150
"""The last position of the learning rate's slider, in percent of the limit; the first is 1."""
SAME_SHARE = 1e-3
"""How much two learning rates' shares of their limits differ by rounding, as a share."""


def _rates(name: str, value: Any) -> tuple[float, ...]:
    """Return learning rates as a tuple of floats."""
    numbers = [ops.as_real(rate) for rate in value]
    if not all(rate is not None and 0 < rate < math.inf for rate in numbers):
        raise ConvkitError(f"{name} is {brief_repr(value)}", "numbers above 0", "Correct it.")
    return tuple(map(float, numbers))  # type: ignore[arg-type]


def _kept_run(name: str, value: Any) -> DescentStepperState:
    if not isinstance(value, DescentStepperState):
        raise ConvkitError(f"{name} is {brief_repr(value)}", "a run", "Call keep() instead.")
    return value.replace(kept=None)


class DescentStepperState(State):
    """A problem, where its descent starts, the learning rates, and what is looked at.

    `Y`, `target` and `start` are kept in the dtype of `X`.

    Attributes
    ----------
    X : Tensor
        Input (H, W).
    Y, target : Tensor or None
        Either the target, of the shape of ``corr2d(X, start)``, or the kernel that makes it.
    start : Tensor
        The first kernel, (kH, kW), up to 7 x 7; zeros if None is given.
    lr : float or None
        The learning rate of all steps after those of `first_rates`; None for the problem's fastest.
    steps : int
        How many steps are recorded, 1 to 300.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.
    momentum : float
        The share of the velocity that each step keeps, from 0 to below 1.
    first_rates : tuple of float
        The learning rates of the first steps, where they are others than `lr`.
    kept : DescentStepperState or None
        The state of another run of the same problem, which is shown beside this one.
    n : int
        The step to show, counted from 0, the start; the last one where fewer are recorded.
    show_ahead : bool
        Whether plots show the steps after the one on show.
    only_ahead : bool
        Whether a new learning rate is that of the steps after the one on show alone.

    Raises
    ------
    ConvkitError
        If the fields do not fit together.

    Examples
    --------
    >>> state = DescentStepperState(torch.eye(4), target=torch.ones(1, 2), lr=0.1, steps=3)
    >>> state.start, state.rates(0.1)
    (tensor([[0., 0.]]), (0.1, 0.1, 0.1))
    """

    X: Tensor = fields.array()
    Y: Tensor | None = fields.array(None, optional=True)
    target: Tensor | None = fields.array(None, optional=True)
    start: Tensor = fields.array(None, optional=True)
    lr: float | None = fields.real(None, above=0, optional=True)
    steps: int = fields.whole(25, 1, MAX_STEPS)
    reduction: str = fields.choice(*REDUCTIONS)
    momentum: float = fields.checked(lambda name, value: checked_momentum(value), 0.0)
    first_rates: tuple[float, ...] = fields.checked(_rates, ())
    kept: DescentStepperState | None = fields.checked(_kept_run, None, optional=True)
    n: int = fields.whole(0, view=True)
    show_ahead: bool = fields.flag(view=True)
    only_ahead: bool = fields.flag(view=True)

    def validate(self) -> None:
        """Check that the parts fit together."""
        self._check_target()
        size = self.kernel_size
        if self.start is not None and tuple(self.start.shape) != size:
            expected = f"{size}, the size of the kernel that makes the target"
            hint = "Change the size of the target first."
            raise ConvkitError(f"start has shape {tuple(self.start.shape)}", expected, hint)

    def converted(self) -> Fields:
        """Return the tensors in the dtype of the input; where no start is given, it is zeros."""
        start = self.X.new_zeros(self.kernel_size) if self.start is None else self.start
        given = {"Y": self.Y, "target": self.target, "start": start}
        return {
            name: ops.check_finite(name, values.to(self.X.dtype))
            for name, values in given.items()
            if values is not None
        }

    def _check_target(self) -> None:
        if (self.Y is None) == (self.target is None):
            given = "neither Y nor target" if self.Y is None else "both Y and target"
            hint = "Pass DescentStepper(X, Y) or DescentStepper(X, target=kernel)."
            raise ConvkitError(f"{given} is given", "one of them", hint)
        sides = zip(self.kernel_size, self.X.shape, strict=True)
        if not all(1 <= k <= min(n, MAX_KERNEL_SIDE) for k, n in sides):
            name = "target" if self.Y is None else "Y"
            sizes = tuple(getattr(self, name).shape), tuple(self.X.shape)
            raise ConvkitError(
                f"{name} has shape {sizes[0]} for X of shape {sizes[1]}",
                "a shape that goes with a kernel of up to 7 × 7, no larger than X",
                "Compute Y with corr2d(X, kernel)." if name == "Y" else "Use a smaller kernel.",
            )

    @property
    def kernel_size(self) -> tuple[int, int]:
        """The size of the kernels, (kH, kW), as the target implies it."""
        if self.Y is None:
            h, w = self.target.shape  # type: ignore[union-attr]
        else:
            h, w = (n - m + 1 for n, m in zip(self.X.shape, self.Y.shape, strict=True))
        return h, w

    def rates(self, lr: float) -> tuple[float, ...]:
        """Return the learning rate of each step, given that of all after the first ones."""
        return (self.first_rates + (lr,) * self.steps)[: self.steps]


@dataclass(frozen=True, eq=False)
class Descent:
    """A problem, and how it is learned; what follows from them is computed when needed.

    Attributes
    ----------
    X, Y, start : Tensor
        Input, target and first kernel.
    rates : tuple of float
        The learning rate of each step.
    momentum : float
        The share of the velocity that each step keeps.
    reduction : str
        Whether squared errors are added up or averaged.
    quadratic : QuadraticLoss
        The loss as a function of the kernel.
    """

    X: Tensor
    Y: Tensor
    start: Tensor
    rates: tuple[float, ...]
    momentum: float
    reduction: str
    quadratic: QuadraticLoss

    @property
    def given(self) -> tuple[Any, ...]:
        """All that the steps depend on."""
        return self.X, self.Y, self.start, self.rates, self.momentum, self.reduction

    @property
    def words(self) -> str:
        """Its last learning rate, and its momentum where there is one."""
        rate = f"rate {formatting.number(self.rates[-1])}"
        return rate + f", momentum {formatting.number(self.momentum)}" * (self.momentum > 0)

    @cached_property
    def divergence_loss(self) -> float:
        """The loss above which the descent has diverged."""
        return divergence_limit(self.quadratic, self.start)

    @cached_property
    def outline(self) -> tuple[Tensor, Tensor]:
        """Kernels (n, kH, kW) and losses (n,) in closed form: soon there, and good for drawing.

        No loss is smaller than rounding lets a recorded one be.
        """
        kernels, losses = self.quadratic.descent(self.start, self.rates, self.momentum)
        losses = losses.clamp(min=torch.finfo(self.X.dtype).eps ** 2 * losses[0].item())
        diverged = (~(losses <= self.divergence_loss)).nonzero()
        end = int(diverged[0]) if len(diverged) else len(losses)
        return kernels[:end], losses[:end]

    @cached_property
    def trajectory(self) -> tuple[Step, ...]:
        """The recorded steps; fewer than asked for where the loss diverged."""
        return self._record(self.divergence_loss)

    @property
    def path(self) -> tuple[Tensor, Tensor]:
        """Kernels and losses of all steps: in closed form as long as they are not recorded."""
        if "trajectory" not in vars(self):
            return self.outline
        losses = [step.loss for step in self.trajectory]
        return self.kernels, torch.tensor(losses, **ops.FLOAT64)

    @cached_property
    def kernels(self) -> Tensor:
        """The kernels of the recorded steps, (n, kH, kW)."""
        return torch.stack([step.kernel for step in self.trajectory])

    def colour_limits(self, arrays: Tensor, *others: Tensor) -> tuple[float, ...]:
        """Return where the colours of an array of each step, (n, H, W), end.

        They hold it, `others`, and the arrays of all steps whose loss is not above the first: they
        change only where a descent diverges.
        """
        losses = [step.loss for step in self.trajectory]
        calm = torch.tensor([loss <= losses[0] for loss in losses], device="cpu")
        sizes = arrays.abs().flatten(1).amax(1).double()
        least = torch.stack([sizes[calm].max(), *(other.abs().max().double() for other in others)])
        held = sizes.clamp(min=least.max().item()).tolist()
        ends = {
            size: formatting.colour_limit(torch.tensor(size, **ops.FLOAT32)) for size in set(held)
        }
        return tuple(ends[size] for size in held)

    def check(self) -> None:
        """Raise ConvkitError if this cannot be recorded: one step tells."""
        loss = max(self.quadratic.loss(self.start), self.quadratic.scale)
        if not loss <= MAX_LOSS:
            given = f"the loss at the start, or of a kernel of zeros, is {loss:.4g}"
            expected = f"at most {MAX_LOSS:.4g}, which plots can show"
            raise ConvkitError(given, expected, "Use smaller numbers in X, the target and start.")
        self._record(-1)

    def _record(self, limit: float) -> tuple[Step, ...]:
        how = {"momentum": self.momentum, "reduction": self.reduction, "limit": limit}
        return record(self.X, self.Y, self.start, self.rates, **how)  # type: ignore[arg-type]


class Other(NamedTuple):
    """A run beside the descent: its look and name, kernels, losses, and which step to mark."""

    css: str
    name: str
    kernels: Tensor
    losses: Tensor
    mark: int | None = None

    def said(self, n: int) -> str:
        """Return its name, and its loss at step `n` or at its end."""
        loss = self.losses[min(n, len(self.losses) - 1)]
        return formatting.minus(f"{self.name}, loss {formatting.number(loss)}")


@dataclass(frozen=True, eq=False)
class DescentStepperResult:
    """The descent that follows from a state.

    Attributes
    ----------
    state : DescentStepperState
        The state.
    runs : tuple of Descent
        Its descent, and the one that is kept beside it, if there is one.
    surface : LossSurface
        The loss around the best kernel, as far as it is drawn.
    step_function : callable or None
        A learner's own step.
    own : OwnRun or None
        What it gave, once it has run.
    axes : LossCurve or None
        What the curve's axes held before, which they still hold beside that run.
    note : str
        What happened to the learning rate when the problem became another, or nothing.
    """

    state: DescentStepperState
    runs: tuple[Descent, ...]
    surface: LossSurface
    step_function: Callable[..., Any] | None = None
    own: OwnRun | None = None
    axes: LossCurve | None = None
    note: str = ""

    @property
    def descent(self) -> Descent:
        """The descent of the state."""
        return self.runs[0]

    @property
    def lr(self) -> float:
        """The learning rate of all steps after those of `first_rates`."""
        return _lr(self.state, self.quadratic)

    @property
    def limit(self) -> float:
        """The learning rate above which a descent with this momentum diverges."""
        return self.quadratic.stable_lr(self.state.momentum)

    @property
    def curve(self) -> LossCurve:
        """The axes of the losses of all runs."""
        runs = [self.descent.path[1], *(other.losses for other in self.others)]
        curves = [curve_of(losses) for losses in runs]
        return holding(*curves, *([] if self.axes is None else [self.axes]))

    @property
    def Y(self) -> Tensor:
        """The target."""
        return self.descent.Y

    @property
    def quadratic(self) -> QuadraticLoss:
        """The loss as a function of the kernel."""
        return self.descent.quadratic

    @property
    def trajectory(self) -> tuple[Step, ...]:
        """The recorded steps."""
        return self.descent.trajectory

    @property
    def recorded(self) -> int:
        """The number of the descent's last step: fewer than asked for where the loss diverged."""
        return len(self.descent.path[1]) - 1

    @property
    def last(self) -> int:
        """The number of the last step, which a learner's own may reach alone."""
        return self.recorded if self.own is None else max(self.recorded, len(self.own.expected))

    @property
    def n(self) -> int:
        """The number of the step on show."""
        return min(self.state.n, self.last)

    @property
    def step(self) -> Step:
        """The step on show."""
        return self.trajectory[min(self.n, self.recorded)]

    @cached_property
    def kernel_limits(self) -> tuple[float, ...]:
        """Where the colours of all kernels end that are shown with each step.

        These are the step's and the next one, the best one, and the one that makes the target.
        """
        target, kernels = self.state.target, self.descent.kernels
        goals = [self.quadratic.best_kernel, *([] if target is None else [target])]
        following = torch.cat((kernels[1:], kernels[-1:]))
        return self.descent.colour_limits(torch.cat((kernels, following), dim=2), *goals)

    @property
    def arrays(self) -> dict[str, Tensor]:
        """What is stored of the step on show."""
        prediction = ops.corr2d(self.state.X, self.step.kernel)
        return {
            "kernel": self.step.kernel,
            "best kernel": self.quadratic.best_kernel,
            "prediction": prediction,
            "target": self.Y,
            "residual": prediction - self.Y,
        }

    @cached_property
    def convergence(self) -> ConvergenceSummary:
        """What the learning rate does from the first step on that has it, and why."""
        kernels, _ = self.descent.outline
        start = kernels[min(self._first_new, len(kernels) - 1)]
        return formatting.convergence_summary(self.quadratic, start, self.lr, self.state.momentum)

    @property
    def _first_new(self) -> int:
        """The number of the first step that leads on with the present learning rate."""
        return min(len(self.state.first_rates), self.state.steps)

    @property
    def verdict(self) -> str:
        """What the learning rate does, in words."""
        text = self.convergence.text
        if self.step_function is not None and self.own is None:
            return f"{name_of(self.step_function)} was stopped: this is convkit's own descent."
        if self.own is not None:
            return self.own.words if self.own.failed else f"{self.own.words} {text}"
        if self._first_new:
            text = f"From step {self._first_new} on: {text[0].lower()}{text[1:]}"
        return f"{self.note} {text}".lstrip()

    @property
    def summary(self) -> str:
        """The step on show in words, the same on every run."""
        loss = formatting.number(self.step.loss)
        lines = [f"learning {self.descent.words}"]
        lines.append(f"step {self.step.n} of {self.recorded} recorded: loss {loss}")
        beside = "beside it" if self.n == self.step.n else f"beside it at step {self.n}"
        lines += [f"{beside}: {other.said(self.n)}" for other in self.others]
        lines += [formatting.describe(*item) for item in self.arrays.items()]
        return "\n".join([*lines, f"{self.verdict} {self.end}".rstrip()])

    @property
    def end(self) -> str:
        """Where the descent's record stops, if that is before the steps asked for."""
        if self.recorded == self.state.steps:
            return ""
        whose = "The" if self.own is None else "convkit's"
        return f"{whose} record stops after step {self.recorded}."

    @property
    def others(self) -> list[Other]:
        """The runs that are shown beside the descent: one that is kept, and a learner's own."""
        found = [Other("kept", f"kept, {run.words}", *run.path) for run in self.runs[1:]]
        if self.own is not None:
            mark = next(iter(self.own.differs), None)
            found.append(Other("own", self.own.name, self.own.kernels, self.own.losses, mark))
        return found

    def code(self) -> str:
        """Return torch code that takes the steps up to the one on show."""
        X, Y = (
            codegen.array_code(values, f"panel.{name}  # write your variable's name for `panel`")
            for name, values in (("X", self.descent.X), ("Y", self.descent.Y))
        )
        rates, s = self.descent.rates[: self.step.n], self.state
        how = {"reduction": s.reduction, "momentum": s.momentum}
        return codegen.descent_code(X, Y, self.descent.start, rates, **how)  # type: ignore[arg-type]


def compute(
    state: DescentStepperState,
    previous: DescentStepperResult | None = None,
    step: Callable[..., Any] | None = None,
) -> DescentStepperResult:
    """Return the descent that follows from a state; parts that did not change are kept.

    The surface on show stays as long as the start can be seen on it. A learner's `step` has not
    run yet, unless it has for the same descent.

    Raises
    ------
    ConvkitError
        If numbers are too large, or a learning rate cannot work.

    Examples
    --------
    >>> K = torch.tensor([[1.0, -1.0]])
    >>> result = compute(DescentStepperState(torch.eye(4), target=K, lr=0.1, steps=50))
    >>> result.trajectory[50].kernel.round(decimals=2)
    tensor([[ 1., -1.]])
    """
    Y, quadratic = _problem(state, previous)
    old = () if previous is None else previous.runs

    def run(of: DescentStepperState) -> Descent:
        rates = of.rates(_lr(of, quadratic))
        made = Descent(state.X, Y, of.start, rates, of.momentum, state.reduction, quadratic)
        return next((each for each in old if equal(each.given, made.given)), made)

    runs = tuple(run(each) for each in (state, state.kept) if each is not None)
    if runs[0] not in old:
        runs[0].check()
    surface = _surface(runs, previous)
    if previous is None:
        return DescentStepperResult(state, runs, surface, step)
    own = previous.own if runs[0] is previous.descent else None
    note = "" if runs[0] is previous.descent else _rate_note(state, quadratic, previous)
    axes = previous.curve if runs[1:] and runs[1] in old else None
    return DescentStepperResult(state, runs, surface, step, own, axes, note)


def work(result: DescentStepperResult) -> Work | None:
    """Return the work that runs a learner's step, where that is to be done.

    Examples
    --------
    >>> state = DescentStepperState(torch.eye(4), target=torch.ones(1, 2))
    >>> work(compute(state)) is None
    True
    >>> run = work(compute(state, step=lambda kernel, X, Y, lr: 0 * kernel))
    >>> run.complete(compute(state)).own.differs[0]
    1
    """
    step, descent = result.step_function, result.descent
    if step is None or result.own is not None:
        return None
    words = f"running your {name_of(step)} for {len(descent.rates)} steps"

    def finish(result: DescentStepperResult, own: OwnRun) -> DescentStepperResult:
        return replace(result, own=own)

    return Work(partial(run_own, step, descent), finish, words, descent.given)


def _lr(state: DescentStepperState, quadratic: QuadraticLoss) -> float:
    """Return a state's learning rate: unless it has one, the fastest, to 3 digits."""
    return fastest_rate(quadratic, state.momentum) if state.lr is None else state.lr


def fastest_rate(quadratic: QuadraticLoss, momentum: float) -> float:
    """Return the learning rate that converges fastest, to 3 digits, and 1 where there is no limit.

    With momentum m it is 1 + m times that without: where both suit each other, that of Goh 2017.

    Examples
    --------
    >>> fastest_rate(QuadraticLoss(torch.eye(4), (1, 2)), 0.5)
    0.25
    """
    limit, fastest = quadratic.stable_lr(momentum), quadratic.fastest_lr * (1 + momentum)
    if math.isinf(limit):
        return 1.0
    rate = float(formatting.number(fastest, 3))
    return rate if rate < limit else fastest


def _problem(
    state: DescentStepperState, previous: DescentStepperResult | None
) -> tuple[Tensor, QuadraticLoss]:
    """Return the target, and the loss as a function of the kernel."""
    if previous is not None:
        changed = changed_fields(previous.state, state)
        is_same = state.start.shape == previous.state.start.shape
        if is_same and not {"X", "Y", "target", "reduction"} & {*changed}:
            return previous.Y, previous.quadratic
    Y = state.Y if state.target is None else ops.corr2d(state.X, state.target)
    assert Y is not None
    return Y, QuadraticLoss(state.X, state.kernel_size, Y, reduction=state.reduction)


def _surface(runs: Sequence[Descent], previous: DescentStepperResult | None) -> LossSurface:
    """Return the surface on show as long as all runs can be seen on it to start."""
    quadratic, starts = runs[0].quadratic, [run.start for run in reversed(runs)]
    if previous is not None and all(previous.surface.fits(quadratic, each) for each in starts):
        return previous.surface
    return LossSurface(quadratic, *starts)


def _rate_note(
    state: DescentStepperState, quadratic: QuadraticLoss, previous: DescentStepperResult
) -> str:
    """Say that the learning rate followed the limit of another problem, where it did."""
    limit, old = quadratic.max_stable_lr, previous.quadratic.max_stable_lr
    if state.lr is None or previous.state.lr is None or state.lr == previous.state.lr:
        return ""
    if limit == old or not math.isclose(
        state.lr / limit, previous.state.lr / old, rel_tol=SAME_SHARE
    ):
        return ""
    rate = formatting.number(state.lr)
    return f"The learning rate is now {rate}, the same share of this problem's limit as before."


def adjust(result: DescentStepperResult, changes: Fields) -> Fields:
    """Return all that an edit of some fields changes.

    Another input or target that another kernel size suits starts from zeros; learning rates keep
    their share of the limit. A learning rate is set for all steps, or for those after the one on
    show.

    Raises
    ------
    ConvkitError
        If a step is to be shown that is not asked for.

    Examples
    --------
    >>> result = compute(DescentStepperState(torch.ones(2, 2), target=torch.ones(1, 1), lr=0.2))
    >>> made = adjust(result, {"X": 2 * torch.ones(2, 2), "target": torch.ones(1, 1)})
    >>> made["lr"], made["Y"]
    (0.05, None)
    """
    made = dict(changes)
    if changes.keys() & {"X", "Y", "target"}:
        made = {"kept": None} | _problem_fields(result, changes)
    elif "reduction" in changes:
        made["kept"] = None
    elif "lr" in changes and "first_rates" not in changes:
        made["first_rates"] = _kept_rates(result, changes["lr"])
    steps = made.get("steps", result.state.steps)
    if changes.get("n", 0) > steps:
        given = f"n is {brief_repr(changes['n'])}"
        raise ConvkitError(given, f"a step from 0 to {steps}", "Set steps to record more of them.")
    return made


def _kept_rates(result: DescentStepperResult, lr: float | None) -> tuple[float, ...]:
    """Return the rates of the steps that a new rate is not for, up to the last that differs."""
    is_ahead = result.state.only_ahead and result.step_function is None
    rates = result.descent.rates[: result.n] if is_ahead else ()
    lr = lr or fastest_rate(result.quadratic, result.state.momentum)
    differs = [n for n, rate in enumerate(rates) if rate != lr]
    return rates[: differs[-1] + 1] if differs else ()


def _problem_fields(result: DescentStepperResult, changes: Fields) -> dict[str, Any]:
    """Return the fields of another input or target, with a start and rates that suit it."""
    goal: dict[str, Any] = {}
    if changes.get("target") is not None:
        goal = {"Y": None}
    elif changes.keys() & {"Y", "target"}:
        goal = {"Y": result.Y, "target": None}
    state, made = result.state, goal | dict(changes)
    new = state.replace(**{**made, "start": None})
    if new.kernel_size == state.kernel_size:
        new = new.replace(start=state.start)
    rates = {"first_rates": ()} if "lr" in made else _rescaled_rates(result, new)
    return {"start": new.start, **rates, **made}


def _rescaled_rates(result: DescentStepperResult, new: DescentStepperState) -> dict[str, Any]:
    """Return learning rates that have the same share of another problem's limit."""
    state, old = result.state, result.quadratic.max_stable_lr
    if new.kernel_size == state.kernel_size and equal(new.X, state.X):
        return {}
    limit = QuadraticLoss(new.X, new.kernel_size, reduction=new.reduction).max_stable_lr
    if math.isinf(limit) or math.isinf(old):
        return {}
    first = tuple(_to_4_digits(rate / old * limit) for rate in state.first_rates)
    lr = {} if state.lr is None else {"lr": _to_4_digits(state.lr / old * limit)}
    return {**lr, "first_rates": first}


def _to_4_digits(rate: float) -> float:
    return float(formatting.number(rate))


# The learning rate's slider


def rate_of_position(position: int, limit: float) -> float:
    """Return the learning rate at a slider's position, in percent of the limit.

    Where there is no limit, 1 takes its place.

    Examples
    --------
    >>> rate_of_position(90, 1 / 30)
    0.03
    """
    return _to_4_digits(_finite(limit) * position / 100)


def slider_position(lr: float, limit: float) -> int:
    """Return the slider's position, 1 to `LAST_POSITION`, that is closest to a learning rate.

    Examples
    --------
    >>> slider_position(1 / 30, 1 / 30)
    100
    """
    return round(min(max(100 * lr / _finite(limit), 1), LAST_POSITION))


def _finite(limit: float) -> float:
    return limit if math.isfinite(limit) else 1.0
