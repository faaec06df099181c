"""DescentStepper under fire: thousands of random actions, each against a model of our own.

The model is a list of learning rates and a place in it; its kernels come from torch's F.conv2d and
autograd, its limit from numpy. Matplotlib's drawing, tested elsewhere, rests meanwhile: it would
take nine tenths of the time.
"""

import re
from collections import Counter
from contextlib import nullcontext, suppress

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets
from hypothesis import strategies as st
from hypothesis.stateful import initialize
from matplotlib.axes import Axes

from convkit import ConvkitError
from convkit.widgets import DescentStepper, KernelEditor, descent_stepper
from tests.widgets.stateful import (
    HALF_TYPED,
    SEEDS,
    Machine,
    action,
    close,
    drive,
    number,
    said,
    tell,
    tensor,
)

SIDES = st.tuples(st.integers(1, 3), st.integers(1, 3))
RATES = ["0.01", "1/36", "0.003", "1e-3", "0.05", "0.2", "3", "1e20", "1e-45", "1e-320"]
BAD_RATES = ["0", "-0.1", "1e39"]
WRONG = [
    ("n", -1),
    ("n", 101),
    ("n", "a"),
    ("n", None),
    ("lr", 0),
    ("lr", float("nan")),
    ("lr", "fast"),
    ("lr", float("inf")),
    ("start", None),
    ("start", torch.zeros(7, 1)),
    ("start", torch.full((2, 2), torch.inf)),
    ("Y", None),
    ("Y", torch.zeros(9, 9)),
    ("Y", torch.zeros(3)),
    ("Y", torch.full((2, 2), torch.nan)),
]


class Model:
    """A descent as its learning rates and the number of the step on show."""

    def __init__(self, X, Y, start, lr, steps):
        self.X, self.Y, self.start, self.lr, self.steps, self.n = X, Y, start, lr, steps, 0
        self.first = start, lr
        self.descend([lr] * steps)

    def loss(self, K, X=None, Y=None):
        X, Y = (self.X, self.Y) if X is None else (X, Y)
        return ((F.conv2d(X[None, None], K[None, None])[0, 0] - Y) ** 2).sum()

    def descend(self, rates):
        """Take steps as long as the loss stays below a million times the problem's scale."""
        K, self.kernels, self.losses, self.rates = self.start, [], [], []
        for lr in [*rates, None]:
            leaf = K.clone().requires_grad_()
            loss = self.loss(leaf)
            first = self.losses[0] if self.losses else loss.item()
            scale = max((self.Y.double() ** 2).sum().item(), first, 1e-12)
            if self.losses and not loss.item() <= 1e6 * scale:
                self.rates.pop()
                break
            self.kernels.append(K)
            self.losses.append(loss.item())
            if lr is not None:
                loss.backward()
                K = K.add(leaf.grad, alpha=-lr)
                self.rates.append(lr)
        self.n = min(self.n, self.last)

    @property
    def last(self):
        return len(self.kernels) - 1

    def afresh(self):
        self.descend([self.lr] * self.steps)

    def change_lr(self, lr, only_ahead):
        self.lr = lr
        kept = self.rates[: self.n] if only_ahead else []
        self.descend(kept + [lr] * (self.steps - len(kept)))

    def change_steps(self, steps):
        self.steps = steps
        kept = self.rates[:steps]
        self.descend(kept + [self.lr] * (steps - len(kept)))

    def fault(self, X, Y):
        """Return words of the refusal of another problem, or None where it is taken."""
        size = tuple(n - m + 1 for n, m in zip(X.shape, Y.shape, strict=True))
        if not all(1 <= k <= 7 for k in size):
            return "a target that a kernel of"
        finite = self.loss(self.start_on(X, size), X, Y).isfinite()
        return None if finite else "the loss at the start is"

    def start_on(self, X, size):
        keep = size == tuple(self.start.shape) and X.dtype == self.start.dtype
        return self.start if keep else X.new_zeros(size)

    def pose(self, X, Y):
        """Take another problem, where it can be; return whether."""
        if self.fault(X, Y):
            return False
        size = tuple(n - m + 1 for n, m in zip(X.shape, Y.shape, strict=True))
        self.X, self.Y, self.start = X, Y, self.start_on(X, size)
        self.afresh()
        return True

    def reset(self):
        self.n = 0
        start, self.lr = self.first
        same = start.shape == self.start.shape
        self.start = start.to(self.start.dtype) if same else torch.zeros_like(self.start)
        self.afresh()

    def limit(self):
        """Return the learning rate above which a descent diverges."""
        X = self.X.double().numpy()
        windows = np.lib.stride_tricks.sliding_window_view(X, tuple(self.start.shape))
        A = windows.reshape(-1, self.start.numel())
        steepest = np.linalg.eigvalsh(2 * A.T @ A)[-1]
        return 2 / steepest if steepest > 0 else np.inf


class StepperMachine(Machine):
    """A panel, and an editor that it may follow or whose output may be linked to its target."""

    @initialize(seed=SEEDS, sides=SIDES, size=SIDES, steps=st.integers(1, 5))
    def open(self, seed, sides, size, steps):
        X = tensor(seed, sides[0] + size[0], sides[1] + size[1])
        Y, start = tensor(seed + 1, sides[0] + 1, sides[1] + 1), tensor(seed + 2, *size)
        self.model = Model(X, Y, start, 0.01, steps)
        self.panel = DescentStepper(X, Y, start, lr=0.01, steps=steps)
        self.controls = self.panel._controls
        self.editor = KernelEditor(tensor(seed, 4, 5), tensor(seed, 2, 2))
        self.tie, self.half_typed, self.expected = None, {}, None

    # What the panel must show.

    def check(self):
        panel, model, controls = self.panel, self.model, self.controls
        for mine, theirs in (
            (panel.X, model.X),
            (panel.Y, model.Y),
            (panel.start, model.start),
            (panel.kernel, model.kernels[model.n]),
        ):
            assert mine.dtype == theirs.dtype
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
        assert (panel.n, panel.lr) == (model.n, model.lr)
        assert panel.loss == pytest.approx(model.losses[model.n], rel=1e-3, abs=1e-6)
        assert [step.lr for step in panel.descent.trajectory[1:]] == model.rates
        for control in (controls.scrub, controls._play, controls._step):
            assert control.max == model.last
        assert controls.scrub.value == model.n and controls.count.value == model.steps
        for box, text in self.half_typed.items():
            assert box.value == text
        if controls.rate not in self.half_typed:
            assert close(controls.rate.value, model.lr)
        self.check_slider()
        cells = controls.start._grid.children
        for box, weight in zip(cells, model.start.flatten().tolist(), strict=True):
            assert box in self.half_typed or close(box.value, weight)
        self.check_frames()
        self.check_status()
        if self.acts % 10 == 0:
            self.check_code()

    def check_slider(self):
        limit = self.model.limit()
        share = self.controls._share.value
        if np.isinf(limit):
            assert "no limit" in share
        else:
            assert close(share.split("limit ")[1], limit)
        unit = 1 if np.isinf(limit) else limit
        exact = 50 * (np.log10(self.model.lr) - np.log10(unit) + 2)
        assert abs(self.controls.rate_slider.value - min(max(exact, 0), 125)) < 0.51

    def check_frames(self):
        model, shown = self.model, self.panel._frames.value
        steps = re.findall(r"<p><b>step (\d+)</b> loss ([^<]+)</p>", shown)
        assert [int(n) for n, _ in steps] == list(range(model.last + 1))
        for (_, text), loss in zip(steps, model.losses, strict=True):
            assert float(text) == pytest.approx(loss, rel=1e-3, abs=1e-6)
        for part in (shown, self.panel._code.value):
            assert part.count('class="ck-step s') == model.last + 1

    def check_status(self):
        role, words = said(self.panel)
        if self.expected:
            assert role == "alert" and self.expected in words
            return
        assert ("Stopped: " in words) == (self.model.last < self.model.steps)
        assert role == ("alert" if words.startswith("Diverging") else "status")
        rate = re.search(r"learning rate (\S+) is", words)
        assert rate is None or close(rate[1], self.model.lr)
        if words.startswith("Diverging"):
            assert self.model.lr > 0.999 * self.model.limit()
        if words.startswith("Converging, s") or words.startswith("Converging, w"):
            assert self.model.lr < 1.001 * self.model.limit()

    def check_code(self):
        world = {"print": lambda *_: None}
        exec(self.panel.code, world)
        torch.testing.assert_close(
            world["K"].detach(), self.model.kernels[self.model.n], rtol=1e-4, atol=1e-5
        )

    # What comes of an action.

    def taken(self, kind, change=True):
        self.half_typed, self.expected = {}, None
        self.count(kind, "taken" if change else "nothing")

    def refused(self, kind, words):
        self.half_typed, self.expected = {}, words
        self.count(kind, "refused")

    def half(self, kind, box, text, words):
        self.half_typed[box], self.expected = text, words
        self.count(kind, "refused")

    # Steps.

    @action(n=st.integers(0, 7))
    def scrub(self, n):
        self.controls.scrub.value = n = min(n, self.model.last)
        self.count("scrub", "nothing" if n == self.model.n else "taken")
        self.model.n = n

    @action(n=st.integers(0, 7))
    def set_n(self, n):
        if n > self.model.last:
            self.set_what_is_wrong(("n", n))
        else:
            self.panel.n = self.model.n = n
            self.count("set n", "taken")

    @action(name=st.sampled_from(["start", "one step back", "one step on", "last step"]))
    def press(self, name):
        buttons = self.controls.lines[0].children
        next(b for b in buttons if getattr(b, "description", "") == name).click()
        n, last = self.model.n, self.model.last
        there = {"start": 0, "one step back": max(n - 1, 0), "one step on": min(n + 1, last)}
        self.model.n = there.get(name, last)
        self.count("step buttons", "nothing" if self.model.n == n else "taken")

    @action(steps=st.integers(1, 7))
    def count_steps(self, steps):
        if steps == self.model.steps:
            return self.count("number of steps", "nothing")
        self.controls.count.value = steps
        self.model.change_steps(steps)
        return self.taken("number of steps")

    # The learning rate.

    @action(text=st.sampled_from(RATES))
    def type_rate(self, text):
        if self.controls.rate.value == text:
            return self.count("type a rate", "nothing")
        self.controls.rate.value = text
        self.model.change_lr(number(text), self.controls.only_ahead.value)
        return self.taken("type a rate")

    @action(text=st.one_of(HALF_TYPED, st.sampled_from(BAD_RATES)))
    def type_bad_rate(self, text):
        if text == "1e39" and self.model.X.dtype == torch.float64:
            text = "1e309"
        if self.controls.rate.value == text:
            return self.count("type a rate", "nothing")
        self.controls.rate.value = text
        words = "lr is " if text in ("0", "-0.1") else "the learning rate is "
        return self.half("type a rate", self.controls.rate, text, words)

    @action(position=st.integers(0, 125))
    def drag_rate(self, position):
        slider, limit = self.controls.rate_slider, self.model.limit()
        if slider.value == position:
            return self.count("drag the rate", "nothing")
        slider.value = position
        unit = 1 if np.isinf(limit) else limit
        rate = float(f"{10 ** (position / 50 - 2) * unit:.3g}")
        assert self.panel.lr == pytest.approx(rate, rel=1.1e-2)  # rounded, at a tie either way
        self.model.change_lr(self.panel.lr, self.controls.only_ahead.value)
        return self.taken("drag the rate")

    @action(lr=st.sampled_from([0.01, 0.1, 1, 1e-3, 1e30]))
    def set_lr(self, lr):
        self.panel.lr = lr
        self.model.change_lr(lr, self.controls.only_ahead.value)
        self.taken("set lr")

    @action()
    def only_ahead(self):
        self.controls.only_ahead.value = not self.controls.only_ahead.value
        self.count("only the steps ahead", "taken")

    # The problem.

    @action(
        cell=SEEDS, text=st.sampled_from(["0.5", "-1", "1/3", "2", "0", "1e30", "nan", "", "x"])
    )
    def type_start(self, cell, text):
        start = self.model.start
        i, j = divmod(cell % start.numel(), start.shape[1])
        box = self.controls.start._boxes[i, j]
        if box.value == text:
            return self.count("type in the start", "nothing")
        box.value = text
        if text in ("nan", "", "x"):
            return self.half("type in the start", box, text, f"start row {i + 1} column {j + 1} is")
        new = start.clone()
        new[i, j] = number(text)
        if torch.equal(new, start):
            self.half_typed.pop(box, None)
            if 'role="status"' in self.panel.status or "Diverging" in self.panel.status:
                self.expected = None
            return self.count("type in the start", "nothing")
        if not self.model.loss(new).isfinite():
            return self.refused("type in the start", "the loss at the start is inf; wanted")
        self.model.start = new
        self.model.afresh()
        return self.taken("type in the start")

    @action(seed=SEEDS, double=st.booleans())
    def set_start(self, seed, double):
        dtype = torch.float64 if double else torch.float32
        start = tensor(seed, *self.model.start.shape, dtype=dtype)
        if dtype != self.model.X.dtype:
            return self.set_what_is_wrong(("start", start))
        self.panel.start = start
        self.model.start = start.clone()
        self.model.afresh()
        start.fill_(77)
        return self.taken("set start")

    @action(seed=SEEDS, sides=SIDES)
    def set_Y(self, seed, sides):
        Y = tensor(seed, *sides)
        if self.model.fault(self.model.X, Y):
            return self.set_what_is_wrong(("Y", Y))
        self.panel.Y = Y
        self.model.pose(self.model.X, Y.clone())
        Y.fill_(77)
        return self.taken("set Y")

    @action(wrong=st.sampled_from(WRONG))
    def set_what_is_wrong(self, wrong):
        before = self.panel.status, self.panel._frames.value
        with pytest.raises(ConvkitError, match="; wanted "):
            setattr(self.panel, *wrong)
        assert before == (self.panel.status, self.panel._frames.value)
        self.count("set what is wrong", "refused")

    @action(name=st.sampled_from(["X", "Y", "kernel", "start"]))
    def spoil_what_was_read(self, name):
        getattr(self.panel, name).fill_(77)
        self.count("change in place what was read", "taken")

    @action(click=st.booleans())
    def reset(self, click):
        self.controls.reset.click() if click else self.panel.reset()
        self.model.reset()
        self.taken("reset")

    # An editor to follow.

    @action(when=lambda self: self.tie is None)
    def follow(self):
        self.tie = "follow"
        self.panel.follow(self.editor)
        self.follows("follow an editor")

    @action(when=lambda self: self.tie is None)
    def link(self):
        self.tie = "link"
        fits = self.model.pose(self.model.X, self.editor.output)
        with pytest.raises(ConvkitError) if not fits else nullcontext():
            traitlets.dlink((self.editor, "output"), (self.panel, "Y"))
        if fits:
            self.taken("link an editor's output")
        else:
            self.count("link an editor's output", "refused")

    def follows(self, kind):
        """Let the model take what the editor now does."""
        editor = self.editor
        if self.tie == "follow":
            plain = (editor.padding, editor.stride, editor.dilation) == (0, 1, 1)
            words = "pads, strides or dilates"
            if plain:
                words = self.model.fault(editor.X, editor.output)
            if words:
                self.refused(kind, words)
            else:
                self.model.pose(editor.X, editor.output)
                self.taken(kind)
        elif self.tie == "link" and self.model.pose(self.model.X, editor.output):
            self.taken(kind)
        else:
            if self.tie:
                assert said(editor)[0] == "alert"
            self.count(kind, "refused" if self.tie else "nothing")

    @action(name=st.sampled_from(["padding", "stride", "dilation"]), n=st.sampled_from("112"))
    def edit_the_editors_numbers(self, name, n):
        box = self.editor._controls.numbers[name]
        n = str(int(n) - 1) if name == "padding" else n
        if box.value == n:
            return self.count("edit the editor", "nothing")
        before = self.editor.padding, self.editor.stride, self.editor.dilation
        box.value = n
        if before != (self.editor.padding, self.editor.stride, self.editor.dilation):
            return self.follows("edit the editor")
        return self.count("edit the editor", "nothing")

    @action(seed=SEEDS)
    def edit_the_editors_kernel(self, seed):
        weight = tensor(seed, 1, 1).item() + 5
        before = self.editor.kernel
        self.editor._controls.grid._boxes[0, 0].value = str(weight)
        if not torch.equal(before, self.editor.kernel):
            self.follows("edit the editor")

    @action(seed=SEEDS, sides=SIDES, double=st.booleans())
    def edit_the_editors_input(self, seed, sides, double):
        X = tensor(seed, *(n + 1 for n in sides), dtype=torch.float64 if double else torch.float32)
        before = self.editor.summary(), self.editor.X.dtype
        with suppress(ConvkitError):  # the panel's, where it is linked; or the editor's own
            self.editor.X = X
        if before != (self.editor.summary(), self.editor.X.dtype):
            self.follows_in_code()

    def follows_in_code(self):
        if self.tie == "link" and self.model.fault(self.model.X, self.editor.output):
            return self.count("edit the editor", "refused")
        return self.follows("edit the editor")


LEAST = 5  # a panel follows an editor, or is linked to one, but once


def test_thousands_of_actions(record_property, monkeypatch):
    monkeypatch.setattr(descent_stepper, "save", lambda *_, **__: b"a drawing")
    for name in ("contour", "contourf"):
        monkeypatch.setattr(Axes, name, lambda *_, **__: None)
    done = drive(StepperMachine, examples=40, steps=75)
    tell(done, "DescentStepper", record_property)
    by_kind, by_outcome = Counter(), Counter()
    for (kind, outcome), n in done.items():
        by_kind[kind] += n
        by_outcome[outcome] += n
    assert done.total() > 2500 and len(by_kind) == 17
    assert {kind: n for kind, n in by_kind.items() if n < LEAST} == {}
    assert min(by_outcome["taken"], by_outcome["refused"]) > 500
