"""The panel in which one steps through the gradient descent that learns a kernel."""

from __future__ import annotations

import ipywidgets as widgets
import traitlets
from torch import Tensor

from convkit import formatting
from convkit.views.chart import Chart, describe, still
from convkit.descent import KernelDescent
from convkit.views.plots import save
from convkit.errors import ConvkitError
from convkit.ops import pair
from convkit.state.setting import KEYWORDS, identical, own
from convkit.state.training import Training
from convkit.widgets.descent_controls import DescentControls
from convkit.views.frames import frames, stepwise
from convkit.widgets.kernel_editor import KernelEditor
from convkit.widgets._base import RUN_ME, Handed, Panel, code_drawer, code_html, guarded, html
from convkit.widgets.typed import read_number


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

    Y = Handed()
    kernel = Handed(read_only=True)

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
        X, Y, start = own("X", X), own("Y", Y), own("start", start)
        self._training = Training(KernelDescent(X, Y, start, lr=lr, reduction=reduction), steps)
        self._controls = DescentControls(self._training)
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

    descent = property(lambda self: self._training.descent, doc="The descent itself.")
    X = property(lambda self: self.descent.X.clone(), doc="The input, (H, W).")
    loss = property(lambda self: self.descent.loss, doc="The squared error at the step on show.")

    @property
    def n(self) -> int:
        """The number of updates behind the kernel on show."""
        return self.descent.n

    @n.setter
    def n(self, value: int) -> None:
        last = self._training.last
        if value not in range(last + 1):
            raise ConvkitError(f"n is {value!r}", f"a recorded step, 0 to {last}", "Record more.")
        self._controls.scrub.value = value

    @property
    def lr(self) -> float:
        """The learning rate, of the whole descent or, if so chosen, of the steps still ahead."""
        return self.descent.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._training.change_lr(value, only_ahead=self._controls.only_ahead.value)
        self._show_trajectory()

    @property
    def start(self) -> Tensor:
        """The kernel that the descent begins from."""
        return self._training.start

    @start.setter
    def start(self, value: Tensor) -> None:
        self._training.restart(start=own("start", value))
        self._show_problem()

    @property
    def code(self) -> str:
        """Torch code that descends to the kernel on show."""
        return self._training.code(self.n)

    def reset(self) -> None:
        """Go back to the first start and learning rate, at step 0."""
        self._training.reset()
        self._show_problem()

    def follow(self, editor: KernelEditor) -> None:
        """Learn what `editor` does: its input and output become ours, now and after each edit."""
        editor.observe(self._on_followed, "output")
        self._on_followed({"owner": editor})

    @traitlets.validate("Y")
    def _target_proposed(self, proposal: dict) -> Tensor:
        if proposal["value"] is not self.descent.Y:
            self._training.pose(self.X, proposal["value"])
        return self.descent.Y

    @traitlets.observe("Y")
    def _target_set(self, _: dict) -> None:
        if self._painted is not self.descent:
            self._show_problem()

    def _show_problem(self) -> None:
        self._chart = Chart(self.descent)
        self._bowl.value = save(self._chart.bowl_figure, 2, level=1)
        self._show_trajectory()

    def _show_trajectory(self) -> None:
        training = self._training
        self._painted = training.descent
        self._chart.scale(self.descent.trajectory)
        self._curve.value = save(self._chart.curve_figure, 2, level=1)
        self._frames.value = frames(self._chart, self.descent)
        self._code.value = stepwise(map(code_html, training.codes()))
        self.show_controls()
        self._say_verdict()
        if self.Y is None or not identical(self.Y, self.descent.Y):
            self.Y = self.descent.Y
        self.set_trait("kernel", self.descent.kernel)

    def _say_verdict(self) -> None:
        words = self._training.verdict()
        self.say(words, "error" if words.startswith("Diverging") else "note")

    def _show_state(self) -> None:
        self._controls.show()

    # Handlers: each reads one control and changes one thing.

    @guarded
    def _on_scrub(self, change: dict) -> None:
        self.descent.jump(change["new"])
        self.set_trait("kernel", self.descent.kernel)

    @guarded
    def _on_count(self, change: dict) -> None:
        self._training.change_steps(change["new"])
        self._show_trajectory()

    @guarded
    def _on_rate(self, change: dict) -> None:
        try:
            asked = change["new"], self.X.dtype, self.lr
            self.lr = read_number("the learning rate", *asked, "0.03 or 1/36")
        except ConvkitError as error:  # the text stays as it is: 0 may become 0.05
            self.say(str(error), "error")

    @guarded
    def _on_rate_slider(self, _: dict) -> None:
        if self._controls.dragged_rate() != self.lr:
            self.lr = self._controls.dragged_rate()

    @guarded
    def _on_start(self, change: dict) -> None:
        self.start = change["new"]

    @guarded
    def _on_followed(self, change: dict) -> None:
        editor = change["owner"]
        numbers = (pair(name, getattr(editor, name)) for name in KEYWORDS)
        if tuple(numbers) != ((0, 0), (1, 1), (1, 1)):
            raise ConvkitError(
                "the kernel editor pads, strides or dilates",
                "padding 0, stride 1 and dilation 1",
                "Set them so to learn from it; until then this descent stays as it was.",
            )
        self._training.pose(editor.X, editor.output)
        self._show_problem()

    @guarded
    def _on_reset(self, _: object) -> None:
        self.reset()

    @guarded
    def _on_complaint(self, change: dict) -> None:
        self.say(change["new"], "error") if change["new"] else self._say_verdict()

    # What is left of the panel where nothing runs it.

    def summary(self) -> str:
        """Return the panel's state in words, the same on every run."""
        lr = formatting.number(self.lr)
        words = describe(self.descent)
        return f"DescentStepper: learning rate {lr}\n{words}\n{self._training.verdict()}"

    def fallback(self) -> tuple[dict, dict]:
        """Return the chart with the path so far, the kernel and the outputs, as PNG."""
        return still(self.descent, RUN_ME)._repr_mimebundle_()
