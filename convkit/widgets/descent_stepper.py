"""The panel in which one steps through the gradient descent that learns a kernel."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from convkit import formatting, images, ops
from convkit.descent import Step
from convkit.errors import ConvkitError
from convkit.formatting import Outcome
from convkit.least_squares import QuadraticLoss
from convkit.state import descent_stepper
from convkit.state.descent_stepper import (
    LAST_POSITION,
    MAX_STEPS,
    DescentStepperResult,
    DescentStepperState,
    check_step_count,
    first_problem,
    learning_rate,
    problem_fields,
    rate_fields,
    rate_of_position,
    slider_position,
    start_fields,
    step_count_fields,
)
from convkit.state.kernel_editor import OPTIONS, KernelEditorResult
from convkit.state.store import Store
from convkit.views.frames import (
    STAR,
    StepFrames,
    fits_table,
    kernel_limits,
    output_frames,
    update_frames,
)
from convkit.views.loss_plots import CURVE_SIZE, SURFACE_SIZE, LossCurve, LossSurface, curve_of
from convkit.views.plots import (
    descent_text,
    static_figure,
)
from convkit.views.scales import Scale
from convkit.widgets._base import STATIC_NOTE, Panel, Section, foot, html, row, text_box
from convkit.widgets._typed import InvalidInput, read_number
from convkit.widgets.array_editor import ArrayEditor
from convkit.widgets.code import Code
from convkit.widgets.frames import Frames
from convkit.widgets.picture import Picture
from convkit.widgets.player import Player
from convkit.widgets.plot import Plot
from convkit.widgets.slider import Slider

PICTURE_SIDE = 128
"""The width of a large prediction, target or residual on the screen, in CSS pixels."""
PICTURES = {
    "prediction": ("Y", f"prediction X {STAR} K"),
    "target": ("T", "target Y"),
    "residual": ("R", "residual R"),
}
"""Of each large array the kind that colours its title, and the title."""


class DescentStepper(Panel):
    """Step through the gradient descent that learns the kernel which turns `X` into `Y`.

    Parameters
    ----------
    X : Tensor
        Input (H, W).
    Y : Tensor, optional
        Target, of the shape of ``corr2d(X, start)``.
    start : Tensor, optional
        The kernel to begin from, (kH, kW), up to 7 x 7; zeros unless given.
    target : Tensor, optional
        In place of `Y`, the kernel that makes it: ``Y = corr2d(X, target)``. The panel then has
        boxes to edit it.
    lr : float
        Learning rate.
    steps : int
        How many steps to record, 1 to 100.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.

    Attributes
    ----------
    X, Y, target, start, lr, n
        The input, the target, the kernel that makes it or None, the first kernel, the learning
        rate, the step on show; each may be set. Tensors are copies.
    kernel, loss
        The kernel and the loss at the step on show; read-only.
    trajectory : tuple of Step
        All recorded steps.
    code : str
        Torch code that descends to the kernel on show.

    Raises
    ------
    ConvkitError
        If what is given or set cannot work; the panel keeps its last good state.

    Examples
    --------
    >>> import torch
    >>> panel = DescentStepper(torch.eye(4), target=torch.tensor([[1.0, -1.0]]), lr=0.1, steps=30)
    >>> panel.n = 30
    >>> panel.kernel.round(decimals=2)
    tensor([[ 1., -1.]])
    >>> panel.target = torch.ones(2, 2)
    >>> panel.start.shape
    torch.Size([2, 2])
    """

    paint_delay = 0.12  # seconds, so that recording steps does not hinder a drag
    _loss_surface: LossSurface | None = None  # nothing is drawn before the first paint
    _loss_curve: LossCurve | None = None
    _painted: DescentStepperResult | None = None

    def __init__(
        self,
        X: Tensor,
        Y: Tensor | None = None,
        start: Tensor | None = None,
        *,
        target: Tensor | None = None,
        lr: float = 3e-2,
        steps: int = 25,
        reduction: str = "sum",
    ) -> None:
        check_step_count(steps)
        problem = first_problem(X, Y, start, target)
        lr = learning_rate(lr)
        first = DescentStepperState(**problem, lr=lr, rates=(lr,) * steps, reduction=reduction)
        store = Store(first, descent_stepper.compute, view_fields=["n"])
        self._first = store.result
        self._followed: Panel | None = None
        self._make_controls()
        self._make_views(store.result)
        super().__init__(store, self._lines())
        self.add_class("ck-descent")
        self._bind()

    @property
    def X(self) -> Tensor:
        """The input, (H, W)."""
        return self.store.state.X.clone()

    @X.setter
    def X(self, value: Tensor) -> None:
        state = self.store.state
        Y = state.Y if state.target is None else None
        self.set_problem(value, Y, target=state.target)

    @property
    def Y(self) -> Tensor:
        """The target, (H_out, W_out); another kernel size starts from zeros."""
        return self.store.state.Y.clone()

    @Y.setter
    def Y(self, value: Tensor) -> None:
        self.set_problem(self.store.state.X, value)

    @property
    def target(self) -> Tensor | None:
        """The kernel (kH, kW) that makes the target, or None where that is not known."""
        target = self.store.state.target
        return None if target is None else target.clone()

    @target.setter
    def target(self, value: Tensor) -> None:
        self.set_problem(self.store.state.X, target=value)

    def set_problem(
        self, X: Tensor, Y: Tensor | None = None, *, target: Tensor | None = None
    ) -> None:
        """Learn another input and target; another kernel size starts from zeros.

        Learning rates keep their share of the limit.

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
        self.store.set(**problem_fields(self.store.result, X, Y, target))

    @property
    def start(self) -> Tensor:
        """The kernel that the descent begins from."""
        return self.store.state.start.clone()

    @start.setter
    def start(self, value: Tensor) -> None:
        self.store.set(**start_fields(self.store.state, value))

    @property
    def lr(self) -> float:
        """The learning rate, of all steps or, if so chosen, of those after the one on show."""
        return self.store.state.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self.store.set(**self._rate_fields(learning_rate(value)))

    @property
    def n(self) -> int:
        """The step on show: the number of updates behind the kernel."""
        return self.store.result.n

    @n.setter
    def n(self, value: int) -> None:
        step, last = ops.as_integer(value), self.store.result.last
        if step is None or not 0 <= step <= last:
            stopped = last < self.store.state.steps
            hint = "It diverged there: lower the rate." if stopped else "Record more steps."
            raise ConvkitError(f"n is {value!r}", f"a recorded step, 0 to {last}", hint)
        self.store.set("step", n=step)

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
    def code(self) -> str:
        """Torch code that descends to the kernel on show."""
        return self.store.result.code(self.n)

    def reset(self) -> None:
        """Return to the first state, at step 0; where a panel is followed, its problem stays.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> panel.lr, panel.n = 0.2, 9
        >>> panel.reset()
        >>> panel.lr, panel.n
        (0.03, 0)
        """
        self._only_ahead.value = self._show_ahead.value = False
        self._loss_surface = None
        first = self._first.state
        fields = {field.name: getattr(first, field.name) for field in dataclasses.fields(first)}
        if self._followed is not None:
            state = self.store.state
            fields |= problem_fields(self._first, state.X, state.Y)
        self.store.set("", **fields)

    def follow(self, other: Panel, select: Any = None) -> None:
        """Learn what a KernelEditor does: its input and output become the problem.

        Raises
        ------
        ConvkitError
            If `other` is no KernelEditor, or pads, strides or dilates.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> editor = KernelEditor(torch.eye(4), torch.ones(2, 2))
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> panel.follow(editor)
        >>> torch.equal(panel.Y, editor.output)
        True
        """
        super().follow(other, select or self._followed_problem)
        self._followed = other

    def unfollow(self) -> None:
        """Stop following; the state stays as it is."""
        super().unfollow()
        self._followed = None

    def _followed_problem(self, result: KernelEditorResult) -> dict[str, Any]:
        if not isinstance(result, KernelEditorResult):
            given = "a panel that is no KernelEditor"
            raise ConvkitError(given, "a KernelEditor to learn from", "Pass the editor itself.")
        if result.state.options != OPTIONS:
            raise ConvkitError(
                "the kernel editor pads, strides or dilates",
                "padding 0, stride 1 and dilation 1",
                "Set them so to learn from it; until then this descent stays as it was.",
            )
        return problem_fields(self.store.result, result.state.X, result.output)

    # Parts and controls.

    def _make_controls(self) -> None:
        self._player = Player("step")
        self._count = widgets.BoundedIntText(
            min=1, max=MAX_STEPS, description="of", style={"description_width": "initial"}
        )
        self._rate = text_box("learning rate", "", "auto")
        self._rate_slider = Slider("learning rate, share of the limit", 1, LAST_POSITION, 1)
        self._share = html("", "ck-share")
        self._fastest = widgets.Button(layout={"display": "none"}, tooltip="the fastest rate")
        self._fastest.add_class("ck-go")
        self._only_ahead = _checkbox("new rate for later steps only")
        self._show_ahead = _checkbox("show what lies ahead")
        self._code = Code("torch code")
        self._code_section = Section("torch code", self._code)

    def _make_views(self, result: DescentStepperResult) -> None:
        self._start = ArrayEditor(result.state.start, "start")
        self._target = ArrayEditor(result.state.start, "target")
        self._target_column = _column("T", "target kernel", self._target)
        self._surface = Plot("loss surface", SURFACE_SIZE)
        self._curve = Plot("loss curve", CURVE_SIZE, stretch=True, pick="index")
        self._surface.start_text = "start"
        self._curve_title = _plot_title("loss", "")
        self._update, self._outputs = Frames(), Frames()
        self._pictures = {name: Picture(name, width=PICTURE_SIDE) for name in PICTURES}
        self._key = html()
        self._picture_row = _line("ck-pictures", *self._picture_columns())

    def _lines(self) -> list[widgets.Widget]:
        controls = [
            row(self._player, self._count),
            row(self._rate, self._rate_slider, self._share),
        ]
        start = _column("K", "start, step 0", self._start)
        rings = "thick rings: ten times the loss"
        plots = [
            widgets.VBox([_plot_title("loss surface", rings), self._surface]),
            widgets.VBox([self._curve_title, self._curve]),
        ]
        help_line = html("Click the surface to start there, the curve for a step.", "ck-cap")
        return [
            self.header(self._fastest),
            _line("ck-descent-controls", *controls),
            _line("ck-charts", *plots),
            _line("ck-update-line", self._update, _line("ck-kernels", start, self._target_column)),
            self._outputs,
            self._picture_row,
            *foot(help_line, self._show_ahead, self._only_ahead, sections=[self._code_section]),
        ]

    def _picture_columns(self) -> list[widgets.Widget]:
        columns = [_column(*PICTURES[name], self._pictures[name]) for name in PICTURES]
        return [columns[0], _sign("−"), columns[1], _sign("="), columns[2], self._key]

    def _bind(self) -> None:
        self._surface.clickable = self._curve.clickable = True
        self._surface.on_point(self._on_surface)
        self.links.connect((self._curve, "index"), (self._player, "value"), is_told=True)
        followers = self._surface, self._curve, self._update, self._outputs
        self.links.connect((self._player, "value"), *((part, "index") for part in followers))
        plots = self._surface, self._curve
        self.links.connect((self._show_ahead, "value"), *((plot, "show_ahead") for plot in plots))
        self.bind(self._player, "step", lambda n: {"n": n})
        self.bind(self._count, "", lambda steps: step_count_fields(self.store.state, steps))
        self.bind(self._rate, "lr", self._typed_rate_fields)
        self.bind(self._rate_slider, "lr", self._dragged_rate_fields)
        self._fastest.on_click(self._use_fastest)
        for editor, handler in ((self._start, self._on_start), (self._target, self._on_target)):
            editor.on_edit(handler)
            editor.observe(self._on_typing_error, "error")
        self._code_section.toggle.observe(self.repaint, "value")

    def _rate_fields(self, lr: float) -> dict[str, Any]:
        return rate_fields(self.store.result, lr, only_ahead=self._only_ahead.value)

    def _typed_rate_fields(self, text: str) -> dict[str, Any]:
        state = self.store.state
        value = read_number("the learning rate", text, state.X.dtype, state.lr, "0.03 or 1/36")
        if value <= 0:
            raise InvalidInput(
                f"the learning rate is {formatting.number(value)}",
                "a number above 0, such as 0.03",
                f"Until then it keeps {formatting.number(state.lr)}.",
            )
        return self._rate_fields(value)

    def _dragged_rate_fields(self, position: int) -> dict[str, Any]:
        state, limit = self.store.state, self.store.result.quadratic.max_stable_lr
        if position == slider_position(state.lr, limit):
            return {}
        return self._rate_fields(rate_of_position(position, limit))

    def _use_fastest(self, _: widgets.Button) -> None:
        fastest = self.store.result.quadratic.fastest_lr
        self._rate.focus()  # the button is about to go
        self.edit("", lambda: self._rate_fields(float(formatting.number(fastest, 3))))

    def _on_surface(self, x: float, y: float) -> None:
        """Start where the loss surface is pointed at; a drag is one step of undo."""
        surface = self._loss_surface
        if surface is not None:
            self.edit("surface", lambda: {"start": surface.to_kernel(x, y)})

    def _on_start(self, start: Tensor, cell: tuple[int, int]) -> None:
        self.edit(f"start{cell}", lambda: start_fields(self.store.state, start))

    def _on_target(self, target: Tensor, cell: tuple[int, int]) -> None:
        result = self.store.result
        fields = lambda: problem_fields(result, result.state.X, target=target)  # noqa: E731
        self.edit(f"target{cell}", fields)

    # Painting.

    def paint_first(self, result: DescentStepperResult) -> None:
        """Show the path and the curve, from the closed form.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> panel.set_status("working", "busy")
        >>> panel.paint_first(panel.store.result)
        >>> panel.status
        'working'
        """
        if self._is_painted(result):
            return
        kernels, losses = result.descent.outline
        self._paint_path(result, kernels, losses)
        self._show_step(len(losses) - 1, result)
        self._paint_rate(result)

    def paint(self, result: DescentStepperResult) -> None:
        """Show everything else, from the recorded steps.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> panel.set_status("working", "busy")
        >>> panel.paint(panel.store.result)
        >>> panel.status
        'Converging: at 6% of the limit 0.5, a step multiplies the error by 0.88.'
        """
        before = self.status
        is_new = not self._is_painted(result)
        if is_new:
            kernels = torch.stack([step.kernel for step in result.trajectory])
            losses = torch.tensor([step.loss for step in result.trajectory], dtype=torch.float64)
            self._paint_path(result, kernels, losses)
            self._paint_frames(result)
            self._painted = result
        self._show_step(result.last, result)
        self._paint_pictures(result)
        self._paint_controls(result)
        self._paint_verdict(result)
        if is_new and self.status == before:  # the edit is heard of by its loss
            self._update.announcement = _step_text(result.step)

    def _is_painted(self, result: DescentStepperResult) -> bool:
        return self._painted is not None and self._painted.descent is result.descent

    def _paint_path(self, result: DescentStepperResult, kernels: Tensor, losses: Tensor) -> None:
        """Draw a path on the loss surface, and its losses on the curve."""
        surface = self._fitting_surface(result)
        points, steps = surface.to_pixels(kernels), range(len(kernels))
        with self._surface.hold_sync():
            if surface is not self._loss_surface:
                self._loss_surface = surface
                self._surface.shapes, self._surface.words = surface.svg(), surface.words()
            self._surface.path = points.tobytes()
            self._surface.marker_texts = [f"step {n}" for n in steps]
            self._surface.outside_texts = [
                "" if inside else f"step {n} lies outside{_kernel_text(kernels[n])}"
                for n, inside in zip(steps, surface.contains(points), strict=True)
            ]
        curve = curve_of(losses)
        with self._curve.hold_sync():
            if curve != self._loss_curve:
                self._loss_curve = curve
                self._curve.shapes, self._curve.words = curve.svg(), curve.words()
            self._curve.path = curve.to_pixels(losses).tobytes()
            self._curve.marker_texts = [f"loss {formatting.number(loss)}" for loss in losses]

    def _fitting_surface(self, result: DescentStepperResult) -> LossSurface:
        """Return the surface on show, or a new one where it does not fit any more."""
        surface, start = self._loss_surface, result.state.start
        if surface is not None and surface.fits(result.quadratic, start):
            return surface
        return LossSurface(result.quadratic, start)

    def _paint_frames(self, result: DescentStepperResult) -> None:
        state, steps = result.state, result.trajectory
        said = [_step_text(step) for step in steps]
        updates = update_frames(steps, _goals(result), _gradient_text(state))
        _show_frames(self._update, updates, said)
        is_small = fits_table(state.Y.shape)
        self._outputs.layout.display = None if is_small else "none"
        if is_small:
            _show_frames(self._outputs, output_frames(steps, state.X, state.Y))

    def _show_step(self, last: int, result: DescentStepperResult) -> None:
        """Show the chosen step; plots and frames follow the player in the browser."""
        with self._player.hold_sync():
            self._player.max, self._player.value = last, min(result.state.n, last)

    def _paint_pictures(self, result: DescentStepperResult) -> None:
        """Show a large prediction, target and residual as pictures; small ones are frames."""
        state = result.state
        self._picture_row.layout.display = "none" if fits_table(state.Y.shape) else None
        if fits_table(state.Y.shape):
            return
        prediction = ops.corr2d(state.X, result.step.kernel)
        values = {"prediction": prediction, "target": state.Y, "residual": prediction - state.Y}
        first = ops.corr2d(state.X, state.start) - state.Y
        limit = formatting.colour_limit(torch.stack((first, *values.values())))
        scale = Scale("signed", -limit, limit)
        for name, picture in self._pictures.items():
            shown = images.sampled(values[name], PICTURE_SIDE)
            with picture.hold_sync():
                picture.shape, picture.palette = list(shown.shape), scale.palette
                picture.pixels = scale.indices(shown)
                picture.label = f"{name}, {formatting.size(state.Y.shape)}"
        self._key.value = scale.key()

    def _paint_controls(self, result: DescentStepperResult) -> None:
        state, limits = result.state, kernel_limits(result.trajectory, _goals(result))
        limit = limits[result.n]
        self._count.value = state.steps
        self._start.show(state.start, limit=limit)
        self._target_column.layout.display = "none" if state.target is None else None
        if state.target is not None:
            self._target.show(state.target, limit=limit)
        if self._code_section.is_open:
            self._code.code = result.code(result.n)
        self._code_section.refresh()

    def _paint_rate(self, result: DescentStepperResult) -> None:
        lr, limit = result.state.lr, result.quadratic.max_stable_lr
        share, has_limit = formatting.share_of_limit(lr, limit), math.isfinite(limit)
        if not self._says_rate(self._rate.value):
            self._rate.value = formatting.number(lr)
        slider = self._rate_slider
        with slider.hold_sync():
            slider.value, slider.mark = slider_position(lr, limit), 100 if has_limit else None
            slider.valuetext = f"learning rate {formatting.number(lr)}"
        number, words = formatting.minus(share).replace(" the ", " ").split(" ", 1)
        self._share.value = f"<b>{number}</b> {words}" if has_limit else "no limit on this input"

    def _paint_verdict(self, result: DescentStepperResult) -> None:
        is_diverging = result.convergence.outcome is Outcome.DIVERGING
        self._fastest.layout.display = None if is_diverging else "none"
        fastest = formatting.number(result.quadratic.fastest_lr, 3)
        self._fastest.description = f"use {formatting.minus(fastest)}"
        is_whole = result.last == result.state.steps
        end = "per step" if is_whole else f"to step {result.last}"
        said = f"{result.state.reduction} of residual² {end}"
        self._curve_title.value = _title_html("loss", said)
        text = f"{result.note} {result.convergence.text}".lstrip()
        self.set_status(text, "error" if is_diverging else "note")

    def _says_rate(self, text: str) -> bool:
        state = self.store.state
        try:
            return read_number("", text, state.X.dtype, state.lr) == state.lr
        except InvalidInput:
            return False

    # What is shown where nothing runs.

    def summary(self) -> str:
        """Return the panel's state in words, the same on every run.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> print(panel.summary())
        DescentStepper: learning rate 0.03
        step 0 of 25 recorded: loss 2...
        """
        result, lr = self.store.result, formatting.number(self.lr)
        text = descent_text(*self._descent())
        return f"DescentStepper: learning rate {lr}\n{text}\n{result.verdict}"

    def fallback(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the path so far, the kernel and the outputs, as one PNG.

        Examples
        --------
        >>> data, _ = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1)).fallback()
        >>> sorted(data)
        ['image/png', 'text/plain']
        """
        return static_figure(*self._descent(), note=STATIC_NOTE)._repr_mimebundle_()

    def _descent(self) -> tuple[tuple[Step, ...], int, QuadraticLoss, Tensor, Tensor]:
        result = self.store.result
        state = result.state
        return result.trajectory, result.n, result.quadratic, state.X, state.Y


def _step_text(step: Step) -> str:
    return f"step {step.n}: loss {formatting.number(step.loss)}"


def _goals(result: DescentStepperResult) -> Tensor:
    """Return the best kernel, and the target kernel where that is known: (1 or 2, kH, kW)."""
    target, best = result.state.target, result.quadratic.best_kernel
    return best[None] if target is None else torch.stack((best, target.double()))


def _gradient_text(state: DescentStepperState) -> str:
    """Return what the gradient is: a correlation with the residual R."""
    factor = "2" if state.reduction == "sum" else f"2/{state.Y.numel()}"
    return f"{factor} X {STAR} R"


def _kernel_text(kernel: Tensor) -> str:
    """Return a line with a kernel of a few weights, or nothing."""
    if kernel.numel() > 2:
        return ""
    weights = ", ".join(row[0] for row in formatting.numbers(kernel.reshape(-1, 1), 3))
    return f":\nK = [{formatting.minus(weights)}]"


def _show_frames(part: Frames, frames: StepFrames, announcements: list[str] | None = None) -> None:
    part.show(frames.texts, frames.classes, html=frames.html, announcements=announcements or ())


def _checkbox(description: str) -> widgets.Checkbox:
    return widgets.Checkbox(description=description, indent=False, layout={"width": "auto"})


def _line(name: str, *children: widgets.Widget) -> widgets.HBox:
    line = widgets.HBox(children)
    line.add_class(name)
    return line


def _sign(text: str) -> widgets.HTML:
    return html(text, "ck-sign")


def _column(kind: str, title: str, part: widgets.Widget) -> widgets.VBox:
    """Return a part under a title of a `kind`, which gives it its colour."""
    column = widgets.VBox([html(title, "ck-name"), part])
    column.add_class(f"ck-{kind}")
    return column


def _plot_title(title: str, beside: str) -> widgets.HTML:
    return html(_title_html(title, beside), "ck-plot-title")


def _title_html(title: str, beside: str) -> str:
    return f'<b>{title}</b> <span class="ck-cap">{beside}</span>'
