"""The panel in which one steps through the gradient descent that learns a kernel."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any

import torch
from markupsafe import Markup
from torch import Tensor

from convkit import formatting, images, ops, ui, user_function
from convkit.descent import Step
from convkit.errors import ConvkitError
from convkit.formatting import Outcome, minus, number, series_texts
from convkit.panels._descent_figure import descent_sheet
from convkit.panels._descent_stepper_state import (
    LAST_POSITION,
    MAX_STEPS,
    Descent,
    DescentStepperResult,
    DescentStepperState,
    adjust,
    compute,
    fastest_rate,
    rate_of_position,
    slider_position,
    work,
)
from convkit.panels._loss_plots import CURVE_SIZE, SURFACE_SIZE
from convkit.ui.store import Edit, Fields
from convkit.ui.theme import Scale
from convkit.ui.typed import InvalidInput

MAX_TABLE_SIDE = 8
"""The most rows and columns of an output that is shown as numbers; a larger one is a picture."""
PICTURE_SIDE = 128
"""The width of the input as such a picture, in CSS pixels; the others have its scale."""
LAST_STEP = "no further step"
OWN_RATE = "another rate"
PRESETS = {"a tenth of the limit": 10, "just under the limit": 99, "just over the limit": 101}
"""Learning rates to choose from, in percent of the limit, beside the fastest."""
KEEP = Edit(lambda state: {"kept": state})
MINUS, TIMES, EQUALS = (ui.text(sign, "sign") for sign in "−×=")
STAR = ui.tag("i", "⋆", class_="ck-star")
"""The sign of cross-correlation in small print."""


class DescentStepper(ui.Panel):
    """Step through the gradient descent that learns the kernel which turns `X` into `Y`.

    `X`, `Y`, `start` and `target` are tensors, numpy arrays, pictures or paths of pictures; all
    are kept in the dtype of `X`.

    Parameters
    ----------
    X : array
        Input (H, W).
    Y : array, optional
        Target, of the shape of ``corr2d(X, start)``.
    start : array, optional
        The kernel to begin from, (kH, kW), up to 7 x 7; zeros unless given.
    target : array, optional
        In place of `Y`, the kernel that makes it: ``Y = corr2d(X, target)``. The panel then has
        boxes to edit it.
    lr : float, optional
        Learning rate; unless given, the problem's fastest, to 3 digits, also of the next problem.
    momentum : float
        The share of the velocity that each step keeps, from 0 to below 1.
    steps : int
        How many steps to record, 1 to 300.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.
    step : callable, optional
        A training step of one's own, ``step(kernel, X, Y, lr)``, that returns the next kernel; or
        a generator function of these four, a whole training loop, that yields the kernel after
        each pass. It is compared with the descent, and its first step that differs is marked.

    Attributes
    ----------
    X, Y, target, start, lr, momentum, steps, reduction, n, show_ahead, only_ahead
        The input, the target, the kernel that makes it or None, the first kernel, the learning
        rate (None sets the fastest), the momentum, how many steps are recorded, the reduction, the
        step on show, whether the steps after it are shown, and whether a new rate is for those
        alone. Each may be set, observed and linked. Tensors are copies.
    kernel, loss
        The kernel and the loss at the step on show; read-only.
    trajectory : tuple of Step
        All recorded steps.
    first_difference : int or None
        The number of the first step that `step` makes otherwise, if there is one.
    code : str
        Torch code that descends to the kernel on show.

    Raises
    ------
    ConvkitError
        If what is given or set cannot work; the panel keeps its last good state.

    Examples
    --------
    >>> panel = DescentStepper(torch.eye(4), target=torch.tensor([[1.0, -1.0]]), lr=0.1, steps=30)
    >>> panel.n = 30
    >>> panel.kernel.round(decimals=2)
    tensor([[ 1., -1.]])
    >>> panel.target = torch.ones(2, 2)
    >>> panel.start.shape
    torch.Size([2, 2])
    """

    style = files("convkit.panels").joinpath("descent_stepper.css").read_text("utf-8")

    def __init__(  # noqa: PLR0913
        self,
        X: Any,
        Y: Any = None,
        start: Any = None,
        *,
        target: Any = None,
        lr: float | None = None,
        momentum: float = 0.0,
        steps: int = 25,
        reduction: str = "sum",
        step: Callable[..., Any] | None = None,
    ) -> None:
        if step is not None:
            user_function.accepted_keywords(step, ())  # refuses what is no function
        first = DescentStepperState(X, Y, target, start, lr, steps, reduction, momentum)
        how: dict[str, Any] = {"first": plots_and_rate, "rest_waits": True, "adjust": adjust}
        super().__init__(first, partial(compute, step=step), view, work=work, **how)
        self._first_result = self.store.result

    def trait_of(self, result: DescentStepperResult, name: str) -> Any:
        """Return what the trait of a field says.

        `n` is a recorded step, `Y` what `target` makes, `lr` the fastest unless one is given.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), target=torch.ones(1, 1))
        >>> panel.trait_of(panel.store.result, "Y")
        tensor([[1., 0.],
                [0., 1.]])
        """
        return getattr(result if name in ("n", "Y", "lr") else result.state, name)

    def set_problem(self, X: Any, Y: Any = None, *, target: Any = None) -> None:
        """Learn another input and target; another kernel size starts from zeros.

        Learning rates that are given keep their share of the limit.

        Raises
        ------
        ConvkitError
            If no kernel of up to 7 x 7 makes an output of `Y`'s shape from `X`.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.ones(1, 1))
        >>> panel.set_problem(torch.eye(4), torch.zeros(4, 3))
        >>> panel.start
        tensor([[0., 0.]])
        """
        self.store.set(X=X, Y=Y, target=target)

    @property
    def kernel(self) -> Tensor:
        """The kernel at the step on show."""
        return self.store.result.step.kernel.clone()

    @property
    def loss(self) -> float:
        """The squared error at the step on show."""
        return self.store.result.step.loss

    @property
    def trajectory(self) -> tuple[Step, ...]:
        """All recorded steps, from the start on."""
        return tuple(step.copy() for step in self.store.result.trajectory)

    @property
    def first_difference(self) -> int | None:
        """The number of the first step that one's own makes otherwise, or None.

        Examples
        --------
        >>> def step(kernel, X, Y, lr):
        ...     return kernel + lr
        >>> DescentStepper(torch.eye(2), torch.eye(2), [[0.0]], step=step).first_difference
        1
        """
        own = self.store.result.own
        return next(iter(own.differs), None) if own is not None else None

    @property
    def code(self) -> str:
        """Torch code that descends to the kernel on show."""
        return self.store.result.code()

    def keep(self) -> None:
        """Show this run beside those that follow, on the same axes; `undo` takes this back.

        It goes when the problem becomes another, and with `forget`.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(4), target=torch.ones(1, 2), lr=0.1)
        >>> panel.keep()
        >>> panel.lr = 0.2
        >>> print(repr(panel).splitlines()[2])
        beside it: kept, rate 0.1, loss 6
        """
        self.store.apply(KEEP)

    def forget(self) -> None:
        """Show no other run beside this one.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(4), target=torch.ones(1, 2))
        >>> panel.keep(), panel.forget(), panel.kept
        (None, None, None)
        """
        self.store.set(kept=None)

    def reset(self) -> None:
        """Return to the first state, at step 0; where a panel is followed, its problem stays.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> panel.lr, panel.n = 0.2, 9
        >>> panel.reset()
        >>> panel.lr, panel.n
        (0.25, 0)
        """
        if not self.is_following:
            super().reset()
            return
        first = self._first_result
        problem = adjust(first, {"X": self.X, "Y": self.Y})
        self.store.apply(Edit({**vars(first.state), **problem}))

    def follow(self, other: ui.Panel, select: Callable[[Any], Fields] | None = None) -> None:
        """Learn what a KernelEditor does: its input and output become the problem.

        Raises
        ------
        ConvkitError
            If `other` is no KernelEditor, or pads, strides or dilates.

        Examples
        --------
        >>> from convkit.panels import KernelEditor
        >>> editor = KernelEditor(torch.eye(4), torch.ones(2, 2))
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> panel.follow(editor)
        >>> torch.equal(panel.Y, editor.output)
        True
        """
        super().follow(other, select or followed_problem)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.store.result.summary}"

    def fallback(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the path so far, the kernel and the outputs, as one PNG.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> [*panel.fallback()[0]]
        ['image/png']
        """
        return descent_sheet(self.store.result).data(repr(self))


def followed_problem(result: Any) -> Fields:
    """Return the problem of learning what a KernelEditor does, given its result.

    Raises
    ------
    ConvkitError
        If it is the result of another panel, or the editor pads, strides or dilates.
    """
    if not {"X", "padding", "stride", "dilation"} <= vars(result.state).keys():
        given = f"a {type(result.state).__name__} to learn from"
        raise ConvkitError(given, "a KernelEditor", "Pass the editor itself.")
    state = result.state
    if (state.padding, state.stride, state.dilation) != (0, 1, 1):
        raise ConvkitError(
            "the kernel editor pads, strides or dilates",
            "padding 0, stride 1 and dilation 1",
            "Set them so to learn from it; until then this descent stays as it was.",
        )
    return {"X": state.X, "Y": result.output}


def view(result: DescentStepperResult) -> ui.Node:
    """Return the steps and the rate, both plots, the update as an equation, and the outputs.

    Examples
    --------
    >>> K = torch.tensor([[1.0, -1.0]])
    >>> tree = view(compute(DescentStepperState(torch.eye(4), target=K, n=3)))
    >>> [node.name for node in tree if node.kind == "plot"]
    ['loss surface', 'loss curve']
    """
    state, _ = result.state, result.trajectory  # recorded before anything is drawn
    step = _cursor(result)
    plots, rate = plots_and_rate(result)
    player = ui.row(ui.player("step", step), *_count(state))
    printed = result.own and result.own.printed
    return ui.box(
        _header(result),
        ui.box(ui.caption("printed:"), ui.text(printed, "mono"), css="printed")
        if printed
        else None,
        ui.box(ui.box(player, _looks(state)), rate, css="controls"),
        plots,
        *_lines(result),
        ui.series("said", step, _sayings(result), late=True),
        ui.box(
            ui.caption("Click the surface to start there, the curve for a step."),
            *_more(result),
            ui.section("torch code", ui.code("torch code", result.code())),
            css="foot",
        ),
        css="descent-stepper",
    )


def _lines(result: DescentStepperResult) -> list[ui.Node]:
    """Return the update, and below it the outputs, or the update of a learner's own step alone."""
    update, kernels = _update(result), _kernels(result)
    if result.step_function is not None:
        return [ui.box(_own_update(result), kernels, css="update-line")]
    if max(result.Y.shape) <= MAX_TABLE_SIDE:
        return [ui.box(update, kernels, css="update-line"), _shown_outputs(result)]
    return [ui.box(update, css="update-line"), _shown_outputs(result, kernels)]


def _update(result: DescentStepperResult) -> ui.Node:
    updates = _updates(result.descent, result.kernel_limits)
    return ui.series("update", _cursor(result), updates)


def _shown_outputs(result: DescentStepperResult, *beside: ui.Node) -> ui.Node:
    if max(result.Y.shape) > MAX_TABLE_SIDE:
        return _pictures(result, *beside)
    outputs = ui.series("outputs", _cursor(result), _outputs(result.descent))
    return ui.box(_input(result), outputs, css="output-line")


def _more(result: DescentStepperResult) -> list[ui.Node]:
    """Return what is below: beside a learner's own step, convkit's."""
    if result.step_function is None:
        only_ahead = result.state.only_ahead
        return [ui.check("new rate for later steps only", only_ahead, "only_ahead")]
    update = ui.box(_update(result), css="update-line")
    return [ui.section("convkit's own step", ui.box(update, _shown_outputs(result)))]


def _cursor(result: DescentStepperResult) -> ui.Cursor:
    return ui.Cursor("step", result.last + 1, result.state.n, "n", quiet=True)


def _header(result: DescentStepperResult) -> ui.Node:
    own = result.own
    if own is not None and own.failed:
        following = ui.button("next difference", lambda: {"n": own.difference_after(result.n)})
        verdict = f"{result.verdict} {result.end}".rstrip()
        return ui.header(verdict, following if own.differs else None, is_error=True)
    is_diverging = result.convergence.outcome is Outcome.DIVERGING
    fastest = number(fastest_rate(result.quadratic, result.state.momentum))
    use = ui.button(f"use {minus(fastest)}", lambda: {"lr": None}, focus="learning rate")
    return ui.header(minus(result.verdict), use if is_diverging else None, is_error=is_diverging)


def _count(state: DescentStepperState) -> list[ui.Node]:
    """Return the box for the number of steps."""

    def edits(text: str) -> Fields:
        if re.fullmatch(r"\s*\d{1,3}\s*", text) and 1 <= int(text) <= MAX_STEPS:
            return {"steps": int(text)}
        expected, kept = f"1 to {MAX_STEPS}", f"Until then there are {state.steps}."
        raise InvalidInput(f"the number of steps is {text[:40]!r}", expected, kept)

    box = ui.entry("number of steps", str(state.steps), edits, width=40, shows_name=False)
    return [ui.text("of"), box]


def _looks(state: DescentStepperState) -> ui.Node:
    """Return what says which paths are shown."""
    return ui.row(
        ui.check("show what lies ahead", state.show_ahead, "show_ahead"),
        ui.button("keep this run", lambda: KEEP),
        ui.button("forget it", lambda: {"kept": None}) if state.kept else None,
    )


# What is shown first, also while a hand drags the rate or the start: it needs no recorded step.


def plots_and_rate(result: DescentStepperResult) -> list[ui.Node]:
    """Return the path on the surface and the losses on the curve, and the learning rate."""
    kernels, losses = result.descent.path
    step = _cursor(result)
    is_whole = result.recorded == result.state.steps
    end = "per step" if is_whole else f"to step {result.recorded}"
    surface, curve = _on_surface(result, kernels, step), _on_curve(result, losses, step)
    named = [
        ui.series(
            f"{other.css} run",
            step,
            [ui.text(other.said(n), f"key {other.css}") for n in range(step.count)],
        )
        for other in result.others
    ]
    plots = ui.box(
        _plot(surface, "loss surface", ui.caption("thick rings: 10 × the loss of the one inside")),
        _plot(curve, "loss", ui.caption(f"{result.state.reduction} of residual² {end}"), *named),
        css="charts",
        name="plots",
    )
    return [plots, _rate(result)]


def _plot(plot: ui.Node, title: str, *beside: ui.Node | None) -> ui.Node:
    return ui.box(ui.box(ui.heading(title), *beside, css="plot-title"), plot)


def _on_surface(result: DescentStepperResult, kernels: Tensor, step: ui.Cursor) -> ui.Node:
    surface = result.surface
    points = surface.to_pixels(kernels)
    outside = [
        "" if is_inside else f"step {n} lies outside{_kernel_text(kernels[n])}"
        for n, is_inside in enumerate(surface.contains(points))
    ]
    return ui.plot(
        "loss surface",
        SURFACE_SIZE,
        step,
        points.tolist(),
        shapes=surface.shapes,
        words=surface.words,
        notes=[f"step {n}" for n in range(len(kernels))],
        outside=outside,
        start="start",
        taken=surface.boxes,
        others=_trails(result, step, SURFACE_SIZE),
        ahead=result.state.show_ahead,
        edits=lambda x, y: {"start": surface.to_kernel(x, y)},
    )


def _kernel_text(kernel: Tensor) -> str:
    """Return a line with a kernel of a few weights, or nothing."""
    if kernel.numel() > 2:
        return ""
    weights = [number(weight, 3) for weight in kernel.flatten()]
    return minus(f":\nK = [{', '.join(weights)}]")


def _on_curve(result: DescentStepperResult, losses: Tensor, step: ui.Cursor) -> ui.Node:
    curve = result.curve
    return ui.plot(
        "loss curve",
        CURVE_SIZE,
        step,
        curve.to_pixels(losses).tolist(),
        shapes=curve.shapes,
        words=curve.words,
        notes=[minus(f"loss {number(loss)}") for loss in losses.tolist()],
        ahead=result.state.show_ahead,
        others=_trails(result, step, CURVE_SIZE),
        stretch=True,
    )


def _trails(result: DescentStepperResult, step: ui.Cursor, size: tuple[int, int]) -> list[ui.Node]:
    """Return the paths of other runs, on the surface or on the curve."""
    trails = []
    for other in result.others:
        on_surface = result.surface.to_pixels(other.kernels)
        points = on_surface if size == SURFACE_SIZE else result.curve.to_pixels(other.losses)
        name, ahead = f"{other.css} {size[0]}", result.state.show_ahead
        trails.append(ui.trail(name, size, step, points.tolist(), other.css, other.mark, ahead))
    return trails


def _rate(result: DescentStepperResult) -> ui.Node:
    """Return the learning rate, and below it some that suit the problem, and the momentum."""
    lr, limit, state = result.lr, result.limit, result.state
    position, rate = slider_position(lr, limit), number(lr)
    slider = ui.slider(
        "learning rate, share of the limit",
        1,
        LAST_POSITION,
        position,
        lambda to: {} if to == position else {"lr": rate_of_position(to, limit)},
        f"learning rate {rate}",
        mark=100 if math.isfinite(limit) else None,
    )
    entry = ui.number_entry("learning rate", lr, "lr", state.X.dtype, width=80)
    rates = _rates(result)
    chosen = next((name for name, each in rates.items() if _has(state, each)), OWN_RATE)
    return ui.box(
        ui.row(entry, slider, *_share(lr, limit)),
        ui.row(
            ui.select("rate", (*rates, OWN_RATE), chosen, lambda to: rates.get(to, {})),
            ui.number_entry("momentum", state.momentum, "momentum"),
        ),
        name="rate and momentum",
    )


def _rates(result: DescentStepperResult) -> dict[str, Fields]:
    """Return fields with learning rates that suit the problem."""
    if math.isinf(result.limit):
        return {}
    momentum = float(number(result.quadratic.fastest_momentum[1], 3))
    rates = {name: {"lr": rate_of_position(to, result.limit)} for name, to in PRESETS.items()}
    both = {"lr": None, "momentum": momentum}
    return {"fastest rate and momentum": both, "the fastest rate": {"lr": None}, **rates}


def _has(state: DescentStepperState, fields: Fields) -> bool:
    """Return whether the state has the numbers of fields, as far as they are shown."""
    given = [getattr(state, name) for name in fields]
    pairs = zip(given, fields.values(), strict=True)
    return all(a is b or (None not in (a, b) and number(a) == number(b)) for a, b in pairs)


def _share(lr: float, limit: float) -> list[ui.Node]:
    """Return how large a rate is beside the limit, with the number in bold."""
    if math.isinf(limit):
        return [ui.caption("no limit on this input")]
    words = minus(formatting.share_of_limit(lr, limit)).replace(" the ", " ")
    share, rest = re.fullmatch(r"(\d\S*)? ?(.*)", words).groups("")  # type: ignore[union-attr]
    return [ui.text(share, "share"), ui.caption(rest)]


# The steps, as recorded: a node for each, of which what is the same in all is made once.


@lru_cache(maxsize=8)
def _updates(descent: Descent, limits: tuple[float, ...]) -> ui.Series:
    """Return of each step the kernel - learning rate × gradient = next kernel."""
    kernels = descent.kernels
    count, _, columns = kernels.shape
    chars = _chars(columns, 2, 5)
    titles = [ui.heading(f"kernel, step {n}", "kernel") for n in range(count)]
    next_titles = [*titles[1:], ui.heading(LAST_STEP, "kernel")]
    # The next kernel has the colours of the step that it is shown with; the last step has none.
    following = _figures("next kernel", next_titles, kernels.roll(-1, 0), limits, chars)
    blank = [""] * kernels[0].numel()
    following[-1] = _figure(next_titles[-1], ui.cells("next kernel", blank, blank, columns))
    return _in_steps(
        f"update columns-{min(columns, 5)}",
        _figures("kernel", titles, kernels, limits, chars),
        [MINUS] * count,
        # The last step has the rate that led to it.
        [_rate_figure(number(descent.rates[max(0, min(n, count - 2))])) for n in range(count)],
        [TIMES] * count,
        *_directions(descent),
        [EQUALS] * count,
        following,
    )


@lru_cache(maxsize=64)
def _rate_figure(number: str, name: str = "rate") -> ui.Node:
    return ui.box(ui.caption(name), ui.text(number, "mono"), css="rate")


def _directions(descent: Descent) -> list[list[ui.Node]]:
    """Return what the rate multiplies at each step: the gradient, and a share of the velocity."""
    gradients, velocities = (
        torch.stack([getattr(step, name) for step in descent.trajectory])
        for name in ("grad", "velocity")
    )
    factor = "2" if descent.reduction == "sum" else f"2/{descent.Y.numel()}"
    title = _title("gradient", "gradient", Markup(f"{factor} X {STAR} R"))
    limits = descent.colour_limits(torch.cat((gradients, velocities), dim=2))
    count, chars = len(gradients), _chars(gradients.shape[2], 4, 5)
    shown = _figures("gradient", [title] * count, gradients, limits, chars, "figure slope")
    if not descent.momentum:
        return [shown]
    titles = [ui.heading("velocity", "path")] * count
    share = _rate_figure(number(descent.momentum), "momentum")
    kept = _figures("velocity", titles, velocities, limits, chars, "figure slope")
    opened, plus, closed = ([ui.text(sign, "sign")] * count for sign in "(+)")
    return [opened, shown, plus, [share] * count, [TIMES] * count, kept, closed]


def _own_update(result: DescentStepperResult) -> ui.Node | None:
    """Return a learner's kernel, and what led to it: the update - gradient descent's = difference.

    Both begin at the learner's kernel of the step before; the start has none.
    """
    own = result.own
    if own is None or not len(own.expected):
        return None
    before, zeros = own.kernels[:-1].double(), torch.zeros(1, *own.kernels.shape[1:])
    yours, ours = own.kernels[1:] - before, own.expected - before
    differences = torch.where(own.mismatch, yours - ours, 0)
    arrays = torch.stack([torch.cat((zeros, each)) for each in (yours, ours, differences)])
    limits = [formatting.colour_limit(each) for each in arrays.unbind(1)]
    ends = [max(result.kernel_limits[0], formatting.colour_limit(each)) for each in own.kernels]
    steps, columns = range(len(limits)), zeros.shape[2]
    titles = [
        [ui.heading(f"update {n - 1} → {n}", "difference") for n in steps],
        [ui.heading("convkit's, from there", "path") for _ in steps],
        [ui.heading(f"difference{' ≠' * (n in own.differs)}") for n in steps],
    ]
    reached = [ui.heading(f"{own.name}, step {n}", "difference") for n in steps]
    kernels = _figures("own kernel", reached, own.kernels, ends, _chars(columns, 2, 5))
    figures = [
        _figures(f"update {k}", titles[k], arrays[k], limits, _chars(columns, 4, 5), "figure slope")
        for k in range(3)
    ]
    css = f"update columns-{min(columns, 5)}"
    first = ui.box(kernels[0], css=css)
    parts = zip(kernels[1:], *(each[1:] for each in figures), strict=True)
    later = [ui.box(K, own_, MINUS, true, EQUALS, off, css=css) for K, own_, true, off in parts]
    return ui.series("own update", _cursor(result), [first, *later])


@lru_cache(maxsize=8)
def _outputs(descent: Descent) -> ui.Series:
    """Return of each step prediction - target = residual, as tables."""
    windows = ops.patches(descent.X, tuple(descent.start.shape))
    predictions = (descent.kernels.flatten(1) @ windows.T).reshape(-1, *descent.Y.shape)
    residuals = predictions - descent.Y
    limits = descent.colour_limits(torch.cat((predictions, residuals), dim=2), descent.Y)
    count, _, columns = predictions.shape
    chars = _chars(columns, 0, 7)
    title = _title("prediction", "output", Markup(f"X {STAR} K"))
    # The target and the key are the same at all steps that share their colours.
    keys = {limit: _residual_title(limit) for limit in set(limits)}
    heading, Y = [ui.heading("target Y", "target")], descent.Y[None]
    targets = {limit: _figures("target", heading, Y, [limit], chars)[0] for limit in keys}
    return _in_steps(
        "outputs" if columns <= 7 else "outputs wide",
        _figures("prediction", [title] * count, predictions, limits, chars),
        [MINUS] * count,
        [targets[limit] for limit in limits],
        [EQUALS] * count,
        _figures("residual", [keys[limit] for limit in limits], residuals, limits, chars),
    )


def _sayings(result: DescentStepperResult) -> ui.Series:
    """Return what screen readers say of each step."""
    said = _recorded_sayings(result.descent)
    if result.own is None:
        return said
    own, beyond = result.others[-1], range(result.recorded + 1, result.last + 1)
    return ui.Series(said.nodes + tuple(ui.text(f"step {n}: {own.said(n)}") for n in beyond))


@lru_cache(maxsize=8)
def _recorded_sayings(descent: Descent) -> ui.Series:
    said = [minus(f"step {s.n}: loss {number(s.loss)}") for s in descent.trajectory]
    return ui.Series(tuple(map(ui.text, said)))


def _in_steps(css: str, *columns: Sequence[ui.Node]) -> ui.Series:
    """Return a line for each step, given its parts, each as a list with one for each step."""
    return ui.Series(tuple(ui.box(*line, css=css) for line in zip(*columns, strict=True)))


def _figures(
    name: str,
    titles: Sequence[ui.Node],
    arrays: Tensor,
    limits: Sequence[float],
    chars: int,
    css: str = "figure",
) -> list[ui.Node]:
    """Return tables of arrays (n, H, W) below `titles`, in colours that end at `limits`."""
    size, columns = arrays[0].numel(), arrays.shape[2]
    ends = torch.tensor(limits, **ops.FLOAT64)[:, None, None]
    classes = Scale.centred(1).classes(arrays / ends)
    texts = [[text for row in rows for text in row] for rows in series_texts(arrays, chars)]
    return [
        _figure(title, ui.cells(name, texts[k], classes[k * size : (k + 1) * size], columns), css)
        for k, title in enumerate(titles)
    ]


def _figure(title: ui.Node, body: ui.Node, css: str = "figure") -> ui.Node:
    return ui.box(title, body, css=css)


def _title(words: str, hue: str, beside: Markup) -> ui.Node:
    return ui.box(ui.heading(words, hue), ui.markup(beside, css="caption"), css="title")


def _residual_title(limit: float) -> ui.Node:
    return _title("residual R", "residual", Scale.centred(limit).colour_key())


def _chars(columns: int, long: int, short: int) -> int:
    """Return how many characters a number has in a table of so many columns."""
    if columns <= long:
        return 7
    return 5 if columns <= short else 4


# What Python shows of the step: large arrays, and the kernels to edit.


def _pictures(result: DescentStepperResult, *beside: ui.Node) -> ui.Node:
    """Return input, prediction - target = residual as pictures of one scale."""
    shown = result.arrays
    first = ops.corr2d(result.state.X, result.state.start) - result.Y
    outputs = {name: shown[name] for name in ("prediction", "target", "residual")}
    limit = formatting.colour_limit(torch.stack((*outputs.values(), first)))
    heading = ui.heading(f"prediction, step {result.step.n}", "output")
    titles = heading, ui.heading("target Y", "target"), _residual_title(limit)
    prediction, target, residual = (
        _picture(result, name, title, values, Scale.centred(limit))
        for (name, values), title in zip(outputs.items(), titles, strict=True)
    )
    equation = prediction, MINUS, target, EQUALS, residual
    return ui.box(_input(result), *equation, *beside, css="pictures")


def _input(result: DescentStepperResult) -> ui.Node:
    X = result.state.X
    return _picture(result, "input", ui.heading("input X", "input"), X, Scale.fitted(X))


def _picture(
    result: DescentStepperResult, name: str, title: ui.Node, values: Tensor, scale: Scale
) -> ui.Node:
    zoom = PICTURE_SIDE / max(result.state.X.shape)
    zoom = int(zoom) if zoom >= 2 else zoom
    sample, width = images.sampled(values, PICTURE_SIDE), round(zoom * max(values.shape))
    said, name = f"{name}, {formatting.size(values.shape)}", f"{name} picture"
    return _figure(title, ui.picture(name, sample, scale, width=width, aria_label=said))


def _kernels(result: DescentStepperResult) -> ui.Node:
    """Return the start, and the target kernel where it is known, to edit."""
    state, scale = result.state, Scale.centred(result.kernel_limits[result.step.n])
    start = ui.numbers("start", state.start, "start", scale=scale)
    columns = [_figure(ui.heading("start, step 0", "kernel"), start)]
    if state.target is not None:
        target = ui.numbers("target", state.target, "target", scale=scale)
        columns.append(_figure(ui.heading("target kernel", "target"), target))
    return ui.box(*columns, css="kernels")
