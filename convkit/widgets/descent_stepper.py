"""The panel in which one steps through the gradient descent that learns a kernel."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from convkit import formatting, ops
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
    learning_rate,
    problem_fields,
    rate_fields,
    rate_of_position,
    restart_fields,
    slider_position,
    step_count_fields,
)
from convkit.state.kernel_editor import OPTIONS, KernelEditorResult
from convkit.state.store import Store
from convkit.views.frames import fits_table, step_frames
from convkit.views.html import colour_key, figure
from convkit.views.plots import (
    SIGNED_PALETTE,
    CurveView,
    Points,
    SurfaceView,
    curve_background,
    descent_text,
    palette_indices,
    sampled,
    static_figure,
    surface_background,
)
from convkit.widgets._base import (
    STATIC_NOTE,
    Panel,
    Section,
    foot,
    html,
    row,
    text_box,
)
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
PICTURES = {"target": "T", "prediction": "Y", "residual": "R"}
"""Each large array, and the kind of `figure` that colours its title."""


class DescentStepper(Panel):
    """Step through the gradient descent that learns the kernel which turns `X` into `Y`.

    Parameters
    ----------
    X, Y : Tensor
        Input (H, W) and target, of the shape of ``corr2d(X, start)``.
    start : Tensor
        The kernel to begin from, (kH, kW), up to 7 x 7.
    lr : float
        Learning rate.
    steps : int
        How many steps to record, 1 to 100.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.

    Attributes
    ----------
    X, Y, start, lr, n
        The input, the target, the first kernel, the learning rate, the step on show; each may be
        set. Tensors are copies.
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
    >>> X, K = torch.eye(4), torch.tensor([[1.0, -1.0]])
    >>> panel = DescentStepper(X, ops.corr2d(X, K), 0 * K, lr=0.1, steps=30)
    >>> panel.n = 30
    >>> panel.kernel.round(decimals=2)
    tensor([[ 1., -1.]])
    >>> panel.set_problem(X, ops.corr2d(X, torch.ones(2, 2)))
    >>> panel.start.shape
    torch.Size([2, 2])
    """

    def __init__(
        self,
        X: Tensor,
        Y: Tensor,
        start: Tensor,
        *,
        lr: float = 3e-2,
        steps: int = 25,
        reduction: str = "sum",
    ) -> None:
        check_step_count(steps)
        X, Y, start = (
            ops.validated_copy(name, values)
            for name, values in (("X", X), ("Y", Y), ("start", start))
        )
        lr = learning_rate(lr)
        first = DescentStepperState(X, Y, start, lr, (lr,) * steps, reduction)
        store = Store(first, descent_stepper.compute, view_fields=["n"])
        self._first = store.state
        self._make_parts(store.result)
        super().__init__(store, self._lines())
        self.add_class("ck-descent")
        self._bind()

    X = property(
        lambda panel: panel.store.state.X.clone(),
        lambda panel, X: panel.set_problem(X, panel.store.state.Y),
        doc="The input, (H, W).",
    )
    Y = property(
        lambda panel: panel.store.state.Y.clone(),
        lambda panel, Y: panel.set_problem(panel.store.state.X, Y),
        doc="The target, (H_out, W_out); one of another size starts from zeros.",
    )

    def set_problem(self, X: Tensor, Y: Tensor) -> None:
        """Learn another input and target; a target of another size starts from zeros.

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
        self.store.set(**problem_fields(self.store.state, X, Y))

    @property
    def start(self) -> Tensor:
        """The kernel that the descent begins from."""
        return self.store.state.start.clone()

    @start.setter
    def start(self, value: Tensor) -> None:
        self.store.set(start=ops.validated_copy("start", value))

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
        return self.store.state.n

    @n.setter
    def n(self, value: int) -> None:
        step, last = ops.as_integer(value), self.store.result.last
        if step is None or not 0 <= step <= last:
            hint = "Record more steps, or choose one of these."
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
        """Return to the first start and learning rate, at step 0; the problem stays.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> panel.lr, panel.n = 0.2, 9
        >>> panel.reset()
        >>> panel.lr, panel.n
        (0.03, 0)
        """
        self.store.set("", **restart_fields(self.store.state, self._first))

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
        return problem_fields(self.store.state, result.state.X, result.output)

    # Parts and controls.

    def _make_parts(self, result: DescentStepperResult) -> None:
        self._player = Player("step")
        self._count = widgets.BoundedIntText(
            min=1,
            max=MAX_STEPS,
            description="of",
            layout={"width": "95px"},
            style={"description_width": "initial"},
        )
        self._rate = text_box("learning rate", "", "170px")
        self._rate_slider = Slider("share of the limit", 0, LAST_POSITION, 0)
        self._share = html("", "ck-small")
        self._only_ahead = widgets.Checkbox(
            description="change only the steps ahead", indent=False, layout={"width": "210px"}
        )
        self._start = ArrayEditor(result.state.start, "start")
        # Their backgrounds, and with them the sizes, come with the first paint.
        self._surface, self._curve = (
            Plot(name, [1, 1], [0, 0, 1, 1]) for name in ("loss surface", "loss curve")
        )
        self._frames = Frames()
        self._pictures = {name: Picture(name, width=PICTURE_SIDE) for name in PICTURES}
        self._picture_row = widgets.HBox([self._titled(name) for name in PICTURES])
        self._key = html()
        self._code = Code("torch code")
        self._code_section = Section("torch code", self._code)
        self._surface_view: SurfaceView | None = None
        self._curve_view: CurveView | None = None
        self._painted: DescentStepperResult | None = None

    def _lines(self) -> list[widgets.Widget]:
        plots = widgets.HBox([self._surface, self._curve])
        plots.add_class("ck-plots")
        self._picture_row.add_class("ck-lens")
        return [
            self.header(),
            row(self._player, self._count),
            row(self._rate, self._rate_slider, self._share, self._only_ahead),
            row(widgets.Label("start kernel"), self._start),
            plots,
            self._frames,
            self._picture_row,
            self._key,
            *foot(sections=[self._code_section]),
        ]

    def _bind(self) -> None:
        self._surface.clickable = self._curve.clickable = True
        self._surface.on_point(self._on_surface)
        self._curve.pick = "index"
        self.link_in_browser((self._curve, "index"), (self._player, "value"))
        parts = self._surface, self._curve, self._frames
        self.link_in_browser((self._player, "value"), *((part, "index") for part in parts))
        self.bind(self._player, "step", lambda n: {"n": n})
        self.bind(self._count, "", lambda steps: step_count_fields(self.store.state, steps))
        self.bind(self._rate, "lr", self._typed_rate_fields)
        self.bind(self._rate_slider, "lr", self._dragged_rate_fields)
        self._start.on_edit(self._on_start)
        self._start.observe(self._on_start_error, "error")
        self._code_section.toggle.observe(self.repaint, "value")

    def _rate_fields(self, lr: float) -> dict[str, Any]:
        return rate_fields(self.store.state, lr, only_ahead=self._only_ahead.value)

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

    def _on_surface(self, x: float, y: float) -> None:
        """Start where the loss surface is pointed at; a drag is one step of undo."""
        view = self._surface_view
        if view is not None:
            self.edit("surface", lambda: {"start": view.to_kernel(x, y)})

    def _on_start(self, start: Tensor, cell: tuple[int, int]) -> None:
        self.edit(f"start{cell}", lambda: {"start": start})

    def _on_start_error(self, change: dict[str, Any]) -> None:
        """Show why a text was not taken; the box keeps it, to be finished."""
        if change["new"]:
            self.set_status(change["new"], "error")
        else:
            self.repaint()

    # Painting.

    def paint_first(self, result: DescentStepperResult) -> None:
        """Show the path and the curve.

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
        self._paint_surface(result)
        self._paint_curve(result)
        self._show_step(result)

    def paint(self, result: DescentStepperResult) -> None:
        """Show everything else.

        Examples
        --------
        >>> panel = DescentStepper(torch.eye(2), torch.eye(2), torch.zeros(1, 1))
        >>> panel.set_status("working", "busy")
        >>> panel.paint(panel.store.result)
        >>> panel.status
        'Converging, because learning rate 0.03 is ...'
        """
        if not self._is_painted(result):
            self._paint_frames(result)
            self._painted = result
        self._show_step(result)
        self._paint_pictures(result)
        self._paint_controls(result)
        if self._code_section.is_open:
            self._code.code = result.code(result.state.n)
        self._code_section.refresh()
        is_diverging = result.convergence.outcome is Outcome.DIVERGING
        self.set_status(result.verdict, "error" if is_diverging else "note")

    def _is_painted(self, result: DescentStepperResult) -> bool:
        return self._painted is not None and self._painted.trajectory is result.trajectory

    def _paint_surface(self, result: DescentStepperResult) -> None:
        """Draw the path on the loss surface, which is drawn anew only for another problem."""
        start, view = result.state.start, self._surface_view
        if view is None or not view.fits(result.quadratic, start):
            view = self._surface_view = surface_background(result.quadratic, start)
        points = view.to_pixels([step.kernel for step in result.trajectory])
        self._show_plot(self._surface, view, points)

    def _paint_curve(self, result: DescentStepperResult) -> None:
        losses = [step.loss for step in result.trajectory]
        view = self._curve_view
        if view is None or not view.fits(losses):
            view = self._curve_view = curve_background(losses)
        self._show_plot(self._curve, view, view.to_pixels(losses))

    def _show_plot(self, plot: Plot, view: SurfaceView | CurveView, points: Points) -> None:
        with plot.hold_sync():
            plot.background, plot.path = view.png, points.tobytes()
            plot.size, plot.area = list(view.size), list(view.area)

    def _paint_frames(self, result: DescentStepperResult) -> None:
        state = result.state
        data = step_frames(result.quadratic, result.trajectory, state.X, state.Y)
        self._frames.show(data.texts, data.classes, html=data.html)

    def _show_step(self, result: DescentStepperResult) -> None:
        """Show the chosen step; plots and frames follow the player in the browser."""
        with self._player.hold_sync():
            self._player.max, self._player.value = result.last, result.state.n

    def _paint_pictures(self, result: DescentStepperResult) -> None:
        """Show a large prediction, target and residual as pictures; small ones are frames."""
        state = result.state
        small = fits_table(state.Y.shape)
        self._picture_row.layout.display = self._key.layout.display = "none" if small else None
        if small:
            return
        prediction = ops.corr2d(state.X, result.step.kernel)
        values = {"target": state.Y, "prediction": prediction, "residual": prediction - state.Y}
        first = ops.corr2d(state.X, state.start) - state.Y
        limit = formatting.colour_limit(torch.stack((state.Y, first)))
        for name, picture in self._pictures.items():
            shown = sampled(values[name], PICTURE_SIDE)
            with picture.hold_sync():
                picture.shape, picture.palette = list(shown.shape), SIGNED_PALETTE
                picture.pixels = palette_indices(shown, limit)
                picture.label = f"{name}, {formatting.size(state.Y.shape)}"
        self._key.value = colour_key(limit)

    def _titled(self, name: str) -> widgets.VBox:
        return widgets.VBox([html(figure(PICTURES[name], name, "")), self._pictures[name]])

    def _paint_controls(self, result: DescentStepperResult) -> None:
        state, limit = result.state, result.quadratic.max_stable_lr
        self._count.value = state.steps
        if not self._says_rate(self._rate.value):
            self._rate.value = formatting.number(state.lr)
        with self._rate_slider.hold_sync():
            self._rate_slider.value = slider_position(state.lr, limit)
            self._rate_slider.valuetext = f"learning rate {formatting.number(state.lr)}"
        share = formatting.share_of_limit(state.lr, limit)
        self._share.value = share if math.isfinite(limit) else "no limit on this input"
        self._start.show(state.start)

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
        return result.trajectory, state.n, result.quadratic, state.X, state.Y
