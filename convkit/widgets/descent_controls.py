"""The controls of a DescentStepper, and how they show a descent."""

from __future__ import annotations

import math

import ipywidgets as widgets

from convkit import spell
from convkit.descent import KernelDescent
from convkit.training import MOST_STEPS, Training
from convkit.widgets.array_editor import ArrayEditor
from convkit.widgets.parts import button, html, row, text_box
from convkit.widgets.typed import HalfTyped, read_number


class DescentControls:
    """All controls of one panel.

    Player, step box and frames follow the scrub slider in the browser, without the kernel.

    Parameters
    ----------
    training : Training
        What they show.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        wide = {"description_width": "initial"}
        self.scrub = widgets.IntSlider(readout=False, tooltip="step", layout={"width": "210px"})
        self.scrub.add_class("ck-scrub")
        small = {"layout": {"width": "95px"}, "style": wide}
        self._play = widgets.Play(
            interval=400, show_repeat=False, tooltip="play", layout={"width": "80px"}
        )
        self._step = widgets.BoundedIntText(description="step", **small)
        self.count = widgets.BoundedIntText(min=1, max=MOST_STEPS, description="of", **small)
        self._followers = self._play, self._step
        self._links = [widgets.jslink((self.scrub, "value"), (f, "value")) for f in self._followers]
        self.rate = text_box("learning rate", "", "170px")
        self.rate_slider = widgets.FloatLogSlider(
            readout=False, step=0.02, tooltip="learning rate", layout={"width": "160px"}
        )
        self._share = html("", "ck-small")
        self.only_ahead = widgets.Checkbox(
            description="change only the steps ahead", indent=False, layout={"width": "210px"}
        )
        self.reset = widgets.Button(
            description="reset", icon="refresh", layout={"width": "78px"}, tooltip="start anew"
        )
        self.start = ArrayEditor(training.start, "start")
        self.lines = (
            row(
                button("step-backward", "start", lambda: self._seek(0)),
                button("chevron-left", "one step back", lambda: self._seek(self.scrub.value - 1)),
                self._play,
                button("chevron-right", "one step on", lambda: self._seek(self.scrub.value + 1)),
                button("step-forward", "last step", lambda: self._seek(self.scrub.max)),
                self.scrub,
                self._step,
                self.count,
                self.reset,
            ),
            row(self.rate, self.rate_slider, self._share, self.only_ahead),
            row(widgets.Label("start kernel"), self.start),
        )

    def _seek(self, n: int) -> None:
        self.scrub.value = min(max(n, 0), self.scrub.max)

    def dragged_rate(self) -> float:
        """Return the slider's learning rate, or the present one where it has only snapped to it."""
        present, dragged = self._training.descent.lr, self.rate_slider.value
        snapped = abs(math.log10(dragged / present)) <= self.rate_slider.step / 2
        return present if snapped else float(spell.number(dragged, 3))

    def show(self) -> None:
        """Set every control to the present descent."""
        training, descent = self._training, self._training.descent
        for control in (self.scrub, *self._followers):
            with control.hold_sync():
                control.max, control.value = training.last, descent.n
        self.count.value, limit = training.steps, descent.max_stable_lr
        unit = limit if math.isfinite(limit) else 1.0
        if not _says(self.rate.value, descent):
            self.rate.value = spell.number(descent.lr)
        with self.rate_slider.hold_sync():  # one message, or the browser clamps the old value
            self.rate_slider.min, self.rate_slider.max = -99, math.log10(unit) + 0.5
            self.rate_slider.min = math.log10(unit) - 2
            self.rate_slider.value = descent.lr
        share = f"{100 * descent.lr / unit:.3g}% of the limit {spell.number(limit)}"
        self._share.value = share if math.isfinite(limit) else "no limit on this input"
        self.start.show(training.start)


def _says(text: str, descent: KernelDescent) -> bool:
    try:
        return read_number("", text, descent.X.dtype, 0) == descent.lr
    except HalfTyped:
        return False
