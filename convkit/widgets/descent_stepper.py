"""The panel in which one steps through the gradient descent that learns a kernel."""

from __future__ import annotations

import ipywidgets as widgets
import traitlets
from torch import Tensor

from convkit import analysis, spell
from convkit.chart import Chart, describe, still
from convkit.descent import KernelDescent
from convkit.draw import save
from convkit.errors import ConvkitError
from convkit.ops import check_array
from convkit.setting import descent_code
from convkit.widgets.controls import LARGEST_KERNEL
from convkit.widgets.descent_controls import DescentControls
from convkit.widgets.frames import MOST_STEPS, frames, stepwise
from convkit.widgets.kernel_editor import KernelEditor
from convkit.widgets.parts import (
    RUN_ME,
    Panel,
    code_drawer,
    code_html,
    guarded,
    html,
    png_data,
)
from convkit.widgets.typed import HalfTyped, read_number


class DescentStepper(Panel):
    """Step through the gradient descent that learns the kernel which turns `X` into `Y`.

    Parameters
    ----------
    X, Y : Tensor
        Input (H, W) and target, of the shape of ``corr2d(X, start)``.
    start : Tensor
        The kernel to begin from, (kH, kW).
    lr : float
        Learning rate.
    steps : int
        How many updates to record, up to 100.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.

    Attributes
    ----------
    Y : Tensor
        The target; set it, or link it with `traitlets.dlink`. To take the input too, see `follow`.
    kernel : Tensor
        The kernel at the step on show; read-only.
    descent : KernelDescent
        The descent itself.
    n, lr, start
        The step on show, the learning rate from here on, the first kernel; each may be set.

    Raises
    ------
    ConvkitError
        If what is given or set cannot work; the panel keeps its last good state.
    """

    Y = traitlets.Any()
    kernel = traitlets.Any(read_only=True)

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
        if steps not in range(1, MOST_STEPS + 1):
            raise ConvkitError(f"steps is {steps!r}", f"1 to {MOST_STEPS}", "Record fewer.")
        self.descent = KernelDescent(X, Y, start, lr=lr, reduction=reduction)
        self._first, self._steps, self._stopped = {"start": start, "lr": lr}, steps, ""
        self._controls = DescentControls(self.descent, MOST_STEPS)
        self._frames, self._code = html(), html()
        self._bowl, self._curve = widgets.Image(format="png"), widgets.Image(format="png")
        chart = widgets.Box([widgets.HBox([self._bowl, self._curve]), self._frames])
        chart.add_class("ck-chart")
        super().__init__(*self._controls.lines, chart, drawers=[code_drawer(self._code)])
        self.add_class("ck-descent")
        self._connect()
        self._show_problem()

    def _connect(self) -> None:
        controls = self._controls
        controls.scrub.observe(self._on_scrub, "value")
        controls.count.observe(self._on_count, "value")
        controls.rate.observe(self._on_rate, "value")
        controls.rate_slider.observe(self._on_rate_slider, "value")
        controls.start.observe(self._on_start, "value")
        controls.start.observe(self._on_complaint, "complaint")
        controls.reset.on_click(self._on_reset)

    # What the panel is set to, readable and settable.

    @property
    def n(self) -> int:
        """The number of updates behind the kernel on show."""
        return self.descent.n

    @n.setter
    def n(self, value: int) -> None:
        last = len(self.descent.trajectory) - 1
        if value not in range(last + 1):
            raise ConvkitError(f"n is {value!r}", f"a recorded step, 0 to {last}", "Record more.")
        self._controls.scrub.value = value

    @property
    def lr(self) -> float:
        """The learning rate, of the whole descent or, if so chosen, of the steps still ahead."""
        return self.descent.lr

    @lr.setter
    def lr(self, value: float) -> None:
        if self._controls.from_here.value:
            self.descent.lr = value
        else:
            self._restart(lr=value)
        self._show_trajectory()

    @property
    def start(self) -> Tensor:
        """The kernel that the descent begins from."""
        return self.descent.trajectory[0].kernel.clone()

    @start.setter
    def start(self, value: Tensor) -> None:
        self._restart(start=value)
        self._show_problem()

    X = property(lambda self: self.descent.X, doc="The input.")
    loss = property(lambda self: self.descent.loss, doc="The squared error at the step on show.")

    @property
    def code(self) -> str:
        """Torch code that descends to the kernel on show."""
        return descent_code(self.descent, self.n)

    def reset(self) -> None:
        """Go back to the first start and learning rate, at step 0."""
        self._restart(**self._first)
        self.descent.jump(0)
        self._show_problem()

    def follow(self, editor: KernelEditor) -> None:
        """Learn what `editor` does: its input and output become ours, now and after each edit."""
        editor.observe(lambda _: self._on_followed(editor), "output")
        self.pose(editor.X, editor.output)

    def pose(self, X: Tensor, Y: Tensor) -> None:
        """Pose another problem; a target of another size begins from a kernel of zeros.

        Raises
        ------
        ConvkitError
            If no kernel of up to 7 x 7 makes an output of `Y`'s shape from `X`.
        """
        size = tuple(n - m + 1 for n, m in zip(X.shape, Y.shape, strict=True))
        if not all(1 <= k <= LARGEST_KERNEL for k in size):
            raise ConvkitError(
                f"the target has shape {tuple(Y.shape)} for an input {tuple(X.shape)}",
                f"a target that a kernel of up to {LARGEST_KERNEL} × {LARGEST_KERNEL} can make",
                "Set padding to 0, stride and dilation to 1.",
            )
        fits = size == tuple(self.start.shape) and X.dtype == self.start.dtype
        self._restart(X=X, Y=Y, start=self.start if fits else X.new_zeros(size))
        self._show_problem()

    @traitlets.validate("Y")
    def _target_proposed(self, proposal: dict) -> Tensor:
        if proposal["value"] is not self.descent.Y:
            self.pose(self.X, check_array("Y", proposal["value"]))
        return self.descent.Y

    def _restart(self, **change: object) -> None:
        """Begin again with another problem, start or learning rate, at the step on show."""
        old = self.descent
        kept = {name: getattr(old, name) for name in ("X", "Y", "lr", "reduction")}
        new = KernelDescent(**(kept | {"start": self.start} | change))
        self.descent, n = new, old.n
        self._record()
        new.jump(min(n, len(new.trajectory) - 1))

    def _record(self) -> None:
        here, self._stopped = self.n, ""
        try:
            self.descent.jump(self._steps)
        except ConvkitError as error:
            self._stopped = f" Stopped: {error}"
        self.descent.jump(here)

    def _show_problem(self) -> None:
        self._chart = Chart(self.descent)
        self._bowl.value = save(self._chart.bowl_figure, 2)
        self._show_trajectory()

    def _show_trajectory(self) -> None:
        self._record()
        steps = self.descent.trajectory
        self._chart.scale(steps)
        self._curve.value = save(self._chart.curve_figure, 2)
        self._frames.value = frames(self._chart, self.descent)
        self._code.value = stepwise(code_html(descent_code(self.descent, step.n)) for step in steps)
        self.show_controls()
        self.say(self._verdict(), "error" if self._stopped else "note")
        self.set_trait("kernel", self.descent.kernel)
        self.Y = self.descent.Y

    def _show_state(self) -> None:
        self._controls.show(self.descent, self._steps)

    def _verdict(self) -> str:
        now = self.descent
        words = analysis.outlook(now.X, now.Y, self.start, now.lr, reduction=now.reduction)
        return words + self._stopped

    # Handlers: each reads one control and changes one thing.

    @guarded
    def _on_scrub(self, change: dict) -> None:
        self.descent.jump(change["new"])
        self.set_trait("kernel", self.descent.kernel)

    @guarded
    def _on_count(self, change: dict) -> None:
        self._steps = change["new"]
        self._restart()
        self._show_trajectory()

    @guarded
    def _on_rate(self, change: dict) -> None:
        try:
            lr = read_number("the learning rate", change["new"], self.X.dtype, self.lr)
        except HalfTyped as error:  # the text stays as it is, to be finished
            self.say(str(error), "error")
            return
        self.lr = lr

    @guarded
    def _on_rate_slider(self, change: dict) -> None:
        lr = spell.number(change["new"], 3)
        if lr != spell.number(self.lr, 3):  # else the browser's slider has only snapped to its grid
            self.lr = float(lr)

    @guarded
    def _on_start(self, change: dict) -> None:
        self.start = change["new"]

    @guarded
    def _on_followed(self, editor: KernelEditor) -> None:
        self.pose(editor.X, editor.output)

    @guarded
    def _on_reset(self, _: object) -> None:
        self.reset()

    @guarded
    def _on_complaint(self, change: dict) -> None:
        if change["new"]:
            self.say(change["new"], "error")

    # What is left of the panel where nothing runs it.

    def summary(self) -> str:
        """Return the panel's state in words, the same on every run."""
        lr = spell.number(self.lr)
        words = describe(self.descent)
        return f"DescentStepper: learning rate {lr}\n{words}\n{self._verdict()}"

    def fallback(self) -> dict[str, str]:
        """Return the chart with the path so far, the kernel and the outputs, as PNG."""
        return {"image/png": png_data(still(self.descent, RUN_ME).png)}
