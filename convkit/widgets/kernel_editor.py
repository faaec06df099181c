"""The panel in which one edits a kernel and sees at once what it does to a picture."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import traitlets
from torch import Tensor

from convkit import images, kernels, ops
from convkit.views import plots as draw
from convkit.errors import ConvkitError
from convkit.state.experiment import Experiment, takes
from convkit.views.lens import lens
from convkit.ops import Pair
from convkit.state.setting import Setting, own
from convkit.state.training import LARGEST_KERNEL
from convkit.widgets.controls import Controls
from convkit.widgets._base import RUN_ME, Handed, Panel, code_drawer, code_html, guarded, html
from convkit.widgets.stage import Stage, fits_lens
from convkit.widgets.typed import HalfTyped
from convkit.widgets.walk import Walk


def _settable(name: str, doc: str) -> property:
    """Return a property of the panel's setting; an edit, refused if it cannot work."""

    def get(panel: KernelEditor) -> object:
        return deepcopy(getattr(panel._trial.now, name))

    def change(panel: KernelEditor, value: object) -> None:
        now = panel._trial.now
        panel._go(now.with_input(value) if name == "X" else replace(now, **{name: value}))

    return property(get, change, doc=doc)


class KernelEditor(Panel):
    """Edit a kernel, see what it does to a picture.

    Parameters
    ----------
    X : Tensor, optional
        Input (H, W); the 128 x 128 photo unless given.
    K : Tensor, optional
        Kernel, up to (7, 7); Sobel x unless given.
    operation : callable, optional
        A function of (X, K), and of padding, stride or dilation if it takes them, to run in place
        of `corr2d`. Cells that differ from the library's are marked.
    padding, stride, dilation : int or (h, w)
        As in `corr2d`.
    flip : bool
        Whether to convolve: to flip the kernel in both axes.

    Attributes
    ----------
    X, kernel, padding, stride, dilation, flip
        The setting; each may be set, and `kernel` linked with `traitlets.dlink`.
    output : Tensor
        The output (H_out, W_out), read-only; it may be linked likewise.
    code : str
        Torch code that computes `output`.

    Raises
    ------
    ConvkitError
        If what is given or set cannot work; the panel keeps its last good state.
    """

    kernel = Handed()
    output = Handed(read_only=True)

    def __init__(
        self,
        X: Tensor | None = None,
        K: Tensor | None = None,
        *,
        operation: Callable[..., Tensor] = ops.corr2d,
        padding: Pair = 0,
        stride: Pair = 1,
        dilation: Pair = 1,
        flip: bool = False,
    ) -> None:
        X = images.photo(128) if X is None else X
        K = kernels.kernel("Sobel x") if K is None else K
        options = {"padding": padding, "stride": stride, "dilation": dilation, "flip": flip}
        self._trial = Experiment(Setting.of(X, _editable(K), **options), operation)
        self._controls = Controls(self._trial.history, takes(operation))
        self._stage, self._walk = Stage(self._controls.kernel), Walk()
        self._sizes, self._code = html("", "ck-small"), html()
        drawers = code_drawer(self._code), self._controls.pixels
        parts = *self._controls.lines, self._stage, self._walk, self._sizes
        super().__init__(*parts, drawers=drawers)
        self._connect()
        self._painted = self._trial.now
        if not fits_lens(self._painted):
            self._walk.at = self._middle()
        self._paint()

    def _connect(self) -> None:
        controls = self._controls
        for control in controls.proposals:
            control.observe(self._on_control, "value")
        for grid in (controls.grid, controls.pixel_grid):
            grid.observe(self._on_complaint, "complaint")
        controls.cell.observe(self._on_cell, "value")
        controls.pixels.observe(self._on_pixels_opened, "selected_index")
        for move, press in controls.moves.items():
            press.on_click(lambda _, move=move: self._on_move(move))
        self._walk.observe(self._on_walk, "at")

    # What the panel is set to, readable and settable.

    X = _settable("X", "The input, (H, W).")
    padding = _settable("padding", "Zeros per side, an int or (h, w).")
    stride = _settable("stride", "Input cells from window to window, an int or (h, w).")
    dilation = _settable("dilation", "Input cells from weight to weight, an int or (h, w).")
    flip = _settable("flip", "Whether the kernel is flipped: convolution.")

    @property
    def code(self) -> str:
        """Torch code that computes `output` exactly."""
        return self._trial.now.code()

    def undo(self) -> None:
        """Go back to the setting before the last edit."""
        self._revisit("undo")

    def redo(self) -> None:
        """Go forward again to the setting that `undo` left."""
        self._revisit("redo")

    def reset(self) -> None:
        """Go back to the setting the panel began with; `undo` leads here again."""
        self._revisit("reset")

    def _revisit(self, move: str) -> None:
        self._trial.revisit(move)
        self._paint()

    def _go(self, setting: Setting, key: object = None) -> None:
        self._trial.adopt(setting, key)
        self._paint()

    @traitlets.validate("kernel")
    def _kernel_proposed(self, proposal: dict) -> Tensor:
        now = self._trial.now
        if proposal["value"] is not now.K:
            self._trial.adopt(replace(now, K=_editable(proposal["value"]).to(now.X.dtype)))
        return self._trial.now.K

    @traitlets.observe("kernel")
    def _kernel_set(self, _: dict) -> None:
        if self._painted is not self._trial.now:
            self._paint()

    def _paint(self) -> None:
        trial = self._trial
        now = trial.now
        if now.X.shape != self._painted.X.shape and not fits_lens(now):
            self._walk.at = self._middle()
        self._painted = now
        self._stage.paint(now, trial.Y, self._cell(), trial.yours)
        self.show_controls()
        self._sizes.value = "<br>".join(now.size_sums())
        self._code.value = code_html(now.code())
        self._say_verdict()
        try:
            self.kernel = now.K
        finally:  # a panel linked to the kernel may refuse it
            self.set_trait("output", trial.Y)

    def _say_verdict(self) -> None:
        self.say(self._trial.verdict(), "note" if self._trial.agrees else "error")

    def _middle(self) -> tuple[int, int]:
        rows, columns = self._trial.Y.shape
        return rows // 2, columns // 2

    def _cell(self) -> tuple[int, int]:
        rows, columns = self._trial.Y.shape
        return min(self._walk.at[0], rows - 1), min(self._walk.at[1], columns - 1)

    def _show_state(self) -> None:
        self._controls.show()
        self._walk.reshape(tuple(self._trial.Y.shape))

    # Handlers: each reads one control and proposes one setting.

    @guarded
    def _on_control(self, change: dict) -> None:
        propose = self._controls.proposals[change["owner"]]
        try:
            setting, key = propose(self._trial.now, change["new"])
        except HalfTyped as error:  # the text stays as it is, to be finished
            self.say(str(error), "error")
        else:
            self._go(setting, key)

    @guarded
    def _on_move(self, move: str) -> None:
        self._revisit(move)

    @guarded
    def _on_cell(self, _: dict) -> None:
        self._controls.show_drag()

    @guarded
    def _on_pixels_opened(self, _: dict) -> None:
        self.show_controls()
        self._say_verdict()

    @guarded
    def _on_complaint(self, change: dict) -> None:
        self.say(change["new"], "error") if change["new"] else self._say_verdict()

    @guarded
    def _on_walk(self, _: dict) -> None:
        trial = self._trial
        self._stage.point(trial.now, trial.Y, self._cell(), trial.yours)

    # What is left of the panel where nothing runs it.

    def summary(self) -> str:
        """Return the panel's state in words, the same on every run."""
        return f"KernelEditor: {self._trial.summary()}"

    def fallback(self) -> tuple[dict, dict]:
        """Return the lens as HTML where the input is small, else the pictures as PNG."""
        now = self._trial.now
        if not fits_lens(now):
            pictures = {"input": now.X, "kernel": now.K, "output": self._trial.Y}
            signed = ("kernel", "output")
            return draw.show(pictures, signed=signed, note=RUN_ME)._repr_mimebundle_()
        shown = {"flip": now.flip, "yours": self._trial.yours, "at": self._cell()}
        view = lens(now.X, now.K, **now.options, **shown)._repr_html_()
        sums = "<br>".join((*now.size_sums(), f"<em>{RUN_ME}</em>"))
        return {"text/html": f"{view}<small>{sums}</small>"}, {}


def _editable(K: Tensor) -> Tensor:
    """Return a copy of `K` if the panel has boxes for all of it."""
    if max(ops.check_array("kernel", K).shape) > LARGEST_KERNEL:
        raise ConvkitError(
            f"the kernel has shape {tuple(K.shape)}",
            f"at most {LARGEST_KERNEL} rows and columns",
            "Use corr2d for larger kernels.",
        )
    return own("kernel", K)
