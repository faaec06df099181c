"""The controls of a DescentStepper, and how they show a descent."""

from __future__ import annotations

import math

import ipywidgets as widgets

from convkit import formatting, least_squares
from convkit.descent import KernelDescent
from convkit.state.training import MOST_STEPS, Training
from convkit.widgets.array_editor import ArrayEditor
from convkit.widgets._base import button, html, row, text_box
from convkit.widgets.typed import HalfTyped, read_number

LEAST, PER_DECADE, LAST_POSITION = -2, 50, 125
"""The rate's slider: from 10^-2 of the limit, in steps of a 50th of a decade, to 10^0.5 of it."""


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
        small = {"layout": {"width": "95px"}, "style": wide}
        self._play = widgets.Play(
            interval=400, show_repeat=False, tooltip="play", layout={"width": "80px"}
        )
        self._step = widgets.BoundedIntText(description="step", **small)
        self.count = widgets.BoundedIntText(min=1, max=MOST_STEPS, description="of", **small)
        self._followers = self._play, self._step
        self._links = [widgets.jslink((self.scrub, "value"), (f, "value")) for f in self._followers]
        self.rate = text_box("learning rate", "", "170px")
        # Whole positions: the browser would round others, and send them back as if dragged.
        self.rate_slider = widgets.IntSlider(
            max=LAST_POSITION, readout=False, tooltip="learning rate", layout={"width": "160px"}
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
        self.lines[0].add_class("ck-scrub")

    def _seek(self, n: int) -> None:
        self.scrub.value = min(max(n, 0), self.scrub.max)

    def _unit(self) -> float:
        limit = self._training.descent.max_stable_lr
        return limit if math.isfinite(limit) else 1.0

    def _position(self) -> int:
        decades = math.log10(self._training.descent.lr) - math.log10(self._unit()) - LEAST
        return min(max(round(PER_DECADE * decades), 0), LAST_POSITION)

    def dragged_rate(self) -> float:
        """Return the slider's learning rate; the present one where that is its place already."""
        if self.rate_slider.value == self._position():
            return self._training.descent.lr
        ratio = 10 ** (self.rate_slider.value / PER_DECADE + LEAST)
        return float(formatting.number(self._unit() * ratio, 3))

    def show(self) -> None:
        """Set every control to the present descent."""
        training, descent = self._training, self._training.descent
        for control in (self.scrub, *self._followers):
            with control.hold_sync():
                control.max, control.value = training.last, descent.n
        self.count.value, limit = training.steps, descent.max_stable_lr
        if not _says(self.rate.value, descent):
            self.rate.value = formatting.number(descent.lr)
        self.rate_slider.value = self._position()
        share = least_squares.share_of_limit(descent.lr, limit)
        self._share.value = share if math.isfinite(limit) else "no limit on this input"
        self.start.show(training.start)


def _says(text: str, descent: KernelDescent) -> bool:
    try:
        return read_number("", text, descent.X.dtype, 0) == descent.lr
    except HalfTyped:
        return False
