"""KernelEditor under fire: thousands of random actions, each against a model of our own.

The model is a list of states and a place in it; its outputs are torch's. After each action all
that the panel shows, says and hands out must tell the model's state.
"""

import io
import re
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets
from hypothesis import strategies as st
from hypothesis.stateful import initialize
from PIL import Image
from torch import Tensor

from convkit import ConvkitError, corr2d
from convkit.images import PICTURES, picture
from convkit.kernels import KERNELS, kernel
from convkit.widgets import KernelEditor
from convkit.widgets.controls import REACH
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

SMALL = ["stripes 6 × 8", "dot 7 × 7", "ramp 6 × 9"]
BLURS = ["identity", "box blur", "Gaussian blur"]
MOODS = ["right", "raises", "exits", "none", "shape", "nan", "wrong"]
SIZES = st.tuples(st.integers(1, 5), st.integers(1, 5))
CELLS = st.integers(0, 48)
NUMBERS = ("padding", "stride", "dilation")


@dataclass(frozen=True, eq=False)
class State:
    """What a KernelEditor is set to."""

    X: Tensor
    K: Tensor
    padding: tuple = (0, 0)
    stride: tuple = (1, 1)
    dilation: tuple = (1, 1)
    flip: bool = False
    picture: str = "your own"

    def output(self):
        K = self.K.flip(0, 1) if self.flip else self.K
        options = {name: getattr(self, name) for name in NUMBERS}
        return F.conv2d(self.X[None, None], K[None, None], **options)[0, 0]

    def is_like(self, other):
        tensors = ((self.X, other.X), (self.K, other.K))
        return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in tensors) and all(
            getattr(self, name) == getattr(other, name) for name in (*NUMBERS, "flip", "picture")
        )

    def on(self, X, name=None):
        """Return the state on another input, in whose dtype the kernel then is."""
        same = (n for n in PICTURES if n.endswith(f" {X.shape[0]} × {X.shape[1]}"))
        name = name or next((n for n in same if torch.equal(picture(n), X)), "your own")
        return replace(self, X=X, K=self.K.to(X.dtype), picture=name)

    def fault(self):
        """Return words of the refusal of a state that cannot be, else None."""
        if max(*self.padding, *self.stride, *self.dilation) > 600:
            return "at most 600"
        sizes = zip(self.X.shape, self.K.shape, self.padding, self.dilation, strict=True)
        if any(d * (k - 1) + 1 > n + 2 * p for n, k, p, d in sizes):
            return "wanted a kernel no larger than the padded input"
        return None if self.output().isfinite().all() else "overflows"


class Learner:
    """A learner's operation, of which kernels of an even number of weights bring out a fault."""

    def __init__(self):
        self.mood = "right"

    def fault(self, state):
        return "right" if state.K.numel() % 2 else self.mood

    def __call__(self, X, K, padding=0, stride=1, dilation=1):
        mood = self.fault(State(X, K))
        if mood == "raises":
            raise ValueError("on purpose")
        if mood == "exits":
            raise SystemExit("on purpose")
        if mood == "none":
            return None
        options = {"padding": padding, "stride": stride, "dilation": dilation}
        Y = F.conv2d(X[None, None], K[None, None], **options)[0, 0]
        X.zero_(), K.zero_()  # in-place work on what was given is the learner's own affair
        if mood == "shape":
            return Y[None]
        if mood == "nan":
            return Y * torch.nan
        if mood == "wrong":
            Y[-1, -1] += 1 + Y[-1, -1].abs()
        return Y

    def verdict(self, state):
        """Return how the status line answers a state: a role, and words."""
        Y, mood = state.output(), self.fault(state)
        words = {
            "right": f"Learner agrees with convkit in all {Y.numel()} cells.",
            "raises": "Learner raised ValueError: on purpose; wanted",
            "exits": "Learner raised SystemExit: on purpose; wanted",
            "none": "Learner returned a NoneType",
            "shape": f"Learner returned 1 × {Y.shape[0]} × {Y.shape[1]}; wanted",
            "nan": "Learner returned nan at Y[0, 0]",
            "wrong": f"Learner differs from convkit in 1 of {Y.numel()} cells",
        }
        return ("status" if mood == "right" else "alert"), words[mood]


class Ours:
    """The library's own operation: no second opinion."""

    def fault(self, state):
        return "right"

    def verdict(self, state):
        rows, columns = state.output().shape
        return "status", f"Output {rows} × {columns}, values from"


class Twin:
    """A panel and its model, which are acted upon together."""

    def __init__(self, state, mind):
        operation = corr2d if isinstance(mind, Ours) else mind
        options = {name: getattr(state, name) for name in (*NUMBERS, "flip")}
        self.panel = KernelEditor(state.X, state.K, operation=operation, **options)
        self.controls, self.mind = self.panel._controls, mind
        self.states, self.keys, self.place, self.first = [state], [None], 0, state
        self.half_typed, self.cell, self.at = {}, (0, 0), (0, 0)
        self.followers, self.shape = [], state.X.shape
        self.paint()

    @property
    def now(self):
        return self.states[self.place]

    # The model.

    def paint(self):
        """All controls are set to the state; the status line judges it."""
        self.half_typed = {}
        self.verdict = self.mind.verdict(self.now)
        self.expected = self.verdict
        self.show()

    def show(self):
        Y = self.now.output().shape
        padded = [n + 2 * p for n, p in zip(self.now.X.shape, self.now.padding, strict=True)]
        if self.now.X.shape != self.shape and max(padded) > 16:
            self.at = Y[0] // 2, Y[1] // 2
        self.shape = self.now.X.shape
        self.at = min(self.at[0], Y[0] - 1), min(self.at[1], Y[1] - 1)

    def answers(self, state):
        """Return the words of the refusal of a state, or None where it is taken."""
        mood = self.mind.fault(state)
        if state.fault() or mood in ("right", "wrong"):
            return state.fault()
        return self.mind.verdict(state)[1]

    def go(self, state, key=None):
        """Take a new state on."""
        merges = key is not None and key == self.keys[self.place]
        if not (merges and self.place == len(self.states) - 1):
            self.place += 1
        self.states[self.place :], self.keys[self.place :] = [state], [key]
        if len(self.states) > 100:
            del self.states[0], self.keys[0]
            self.place -= 1

    def arrive(self, old):
        """Say the state that was gone to, and tell those that follow."""
        self.paint()
        if self.now.K.shape != old.K.shape:
            self.cell = (0, 0)
        refusals = []
        if self.now.K is not old.K:
            for other in self.followers:
                refusals.append(other.told(self.now.K))
        return next(filter(None, refusals), None)

    def told(self, K):
        """Follow another panel's kernel, where that can be; return why it cannot."""
        here = self.now
        state = replace(here, K=K.to(here.X.dtype))
        if state.is_like(here):
            return None
        if self.answers(state):
            return self.answers(state)
        self.go(state)
        return self.arrive(here)

    # Actions: on the panel and on the model.

    def edit(self, act, state, key=None, cell=None):
        """Edit by a control; return what came of it."""
        here = self.now
        act()
        if state.is_like(here):
            kept = self.verdict
            self.paint()
            self.verdict = self.expected = kept  # nothing ran anew
            return "nothing"
        words = self.answers(state)
        if words:
            self.half_typed, self.expected = {}, ("alert", words)
            return "refused"
        self.go(state, key)
        words = self.arrive(here)
        self.cell = cell or self.cell
        if words:
            self.expected = "alert", words
        return "taken"

    def assign(self, name, value, state):
        """Set an attribute in code; what cannot be raises, and nothing changes."""
        here, before = self.now, self.panel.status
        if name == "kernel" and state.is_like(here):
            setattr(self.panel, name, value)
            assert self.panel.status == before
            return "nothing"
        words = self.answers(state)
        if state.is_like(here) or not words:
            try:
                outcome = self.edit(lambda: setattr(self.panel, name, value), state)
                assert self.expected == self.verdict
            except ConvkitError as error:  # from a panel that follows this one
                self.go(state)
                assert self.arrive(here) in str(error)
                return "taken"
            return outcome
        self.refuses(name, value, words)
        return "refused"

    def refuses(self, name, value, words=""):
        before = self.panel.status
        try:
            setattr(self.panel, name, value)
        except ConvkitError as error:
            assert words in str(error) and "; wanted " in str(error)
        else:
            raise AssertionError(f"{name} took {value!r}")
        assert self.panel.status == before

    def revisit(self, move, press):
        here = self.now
        if move == "undo":
            self.place = max(0, self.place - 1)
        elif move == "redo":
            self.place = min(len(self.states) - 1, self.place + 1)
        elif here is not self.first:
            self.go(self.first)
        try:
            press()
            raised = ""
        except ConvkitError as error:  # from a panel that follows, in code
            raised = str(error)
        words = self.arrive(here)
        if raised:
            assert words in raised
        elif words:
            self.expected = "alert", words
        return "nothing" if self.now is here else "taken"

    def half(self, box, text, words):
        """Type what is no value: the text stays, and the status line complains."""
        box.value = text
        self.half_typed[box] = text
        self.expected = "alert", words
        return "refused"

    # What the panel must show.

    def check(self):
        """Compare all that the panel shows, says and hands out with the model."""
        panel, now, Y = self.panel, self.now, self.now.output()
        for mine, theirs in ((panel.X, now.X), (panel.kernel, now.K), (panel.output, Y)):
            assert mine.dtype == theirs.dtype and torch.equal(mine, theirs)
        for name in NUMBERS:
            value = getattr(panel, name)
            assert (value if isinstance(value, tuple) else (value,) * 2) == getattr(now, name)
        assert panel.flip is now.flip
        role, words = said(panel)
        assert role == self.expected[0] and self.expected[1] in words, (self.expected, words)
        self.check_controls()
        self.check_views(Y)

    def check_controls(self):
        controls, now = self.controls, self.now
        for box, text in self.half_typed.items():
            assert box.value == text
        assert controls.picture.value == now.picture in controls.picture.options
        assert controls.file.value == () and controls.flip.value is now.flip
        assert (controls.rows.value, controls.columns.value) == tuple(now.K.shape)
        names = [n for n in KERNELS if is_named(n, now.K)]
        assert controls.preset.value == (names[0] if names else "custom")
        for name, box in controls.numbers.items():
            if box not in self.half_typed:
                numbers = tuple(int(part) for part in box.value.split(","))
                assert (numbers * 2 if len(numbers) == 1 else numbers) == getattr(now, name)
        self.check_grid(controls.grid, "kernel", now.K)
        assert controls.cell.value == f"K[{self.cell[0]}, {self.cell[1]}]"
        away = controls.drag.value * self.scale() / REACH - now.K[self.cell].item()
        assert abs(away) <= self.scale() / REACH * 0.5001
        undo, redo, reset = (controls.moves[move] for move in ("undo", "redo", "reset"))
        assert undo.disabled == (self.place == 0) and not reset.disabled
        assert redo.disabled == (self.place == len(self.states) - 1)
        if controls.pixels.selected_index == 0:
            if now.X.numel() <= 144:
                self.check_grid(controls.pixels.children[0], "input", now.X)
            else:
                assert "are too many pixels" in controls.pixels.children[0].value

    def check_grid(self, grid, name, values):
        shown = grid._grid.children
        assert f"repeat({values.shape[1]}," in grid._grid.layout.grid_template_columns
        cells = [(i, j) for i in range(values.shape[0]) for j in range(values.shape[1])]
        for (i, j), box in zip(cells, shown, strict=True):
            assert box.description == f"{name} row {i + 1} column {j + 1}"
            if box not in self.half_typed:
                assert close(box.value, values[i, j].item())

    def check_views(self, Y):
        panel, now = self.panel, self.now
        ends = [int(line.rpartition("= ")[2]) for line in panel._sizes.value.split("<br>")]
        assert ends == list(Y.shape)
        walk = panel._walk
        assert walk.at == self.at == (walk._row.value, walk._column.value)
        assert (walk._row.max + 1, walk._column.max + 1) == tuple(Y.shape)
        assert walk._play.value == self.at[0] * Y.shape[1] + self.at[1]
        sides = [n + 2 * p for n, p in zip(now.X.shape, now.padding, strict=True)]
        if max(sides) <= 16:
            shown = panel._stage._tables[1].value
            sums = map(float, re.findall(r"= ([^ =]+?)(?:, but yours gives [^<]+)?</span>", shown))
            scale = Y.abs().max().item() + 1e-30
            for total, y in zip(sums, Y.flatten().tolist(), strict=True):
                assert abs(total - y) <= 6e-4 * abs(y) + 1e-6 * scale
            bad = self.verdict[1].startswith("Learner differs")
            assert len(re.findall(r'<td class="[^"]*\bbad\b', shown)) == bad
            assert re.findall(r"at [^>]*>[^<]*<span[^>]*>Y\[(\d+), (\d+)\]", shown) == [
                tuple(map(str, self.at))
            ]
        else:
            assert f"Y[{self.at[0]}, {self.at[1]}]" in panel._stage._patches[0].value

    def check_code(self):
        if self.now.X.numel() <= 256 and not self.now.picture.startswith("file"):
            world = {}
            exec(self.panel.code, world)
            assert torch.equal(world["Y"], self.panel.output)

    def scale(self):
        return float(self.controls._ends.value.rpartition(" ")[2])


def is_named(name, K):
    if name in BLURS:
        return torch.equal(kernel(name, tuple(K.shape)).to(K.dtype), K)
    return torch.equal(kernel(name).to(K.dtype), K)


def resized(K, size):
    """Return a kernel in another size: a blur stays one, others are cut or filled with zeros."""
    for name in BLURS:
        if is_named(name, K):
            return kernel(name, size).to(K.dtype)
    whole = F.pad(K, (0, 7, 0, 7))
    return whole[: size[0], : size[1]].clone()


def upload(controls, data, name):
    content = {"name": name, "type": "image/png", "size": len(data), "content": memoryview(data)}
    controls.file.value = ({**content, "last_modified": datetime(2026, 1, 1, tzinfo=UTC)},)


def png(seed, rows, columns):
    levels = (tensor(seed, rows, columns) * 60 + 128).byte().numpy()
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    return buffer.getvalue(), torch.tensor(levels.astype(np.float32)) / 255


class EditorMachine(Machine):
    """Two panels; the first may be followed by the second."""

    @initialize(learner=st.booleans(), seed=SEEDS, flip=st.booleans(), p=st.integers(0, 1))
    def open(self, learner, seed, flip, p):
        start = State(tensor(seed, 4, 5), tensor(seed + 1, 2, 3), (p, p), flip=flip)
        self.one = Twin(start, Learner() if learner else Ours())
        self.two = Twin(State(tensor(seed, 3, 3), tensor(seed, 2, 2)), Ours())
        self.panels = [self.one, self.two]

    def pick(self, which):
        return self.panels[which]

    # Weights.

    @action(which=st.integers(0, 1), cell=CELLS, quarters=st.integers(-12, 12), unit=st.booleans())
    def type_weight(self, which, cell, quarters, unit):
        twin = self.pick(which)
        self.type_cell(twin, "K", cell, f"{quarters}/4" if unit else str(quarters / 4))

    @action(cell=CELLS, text=st.sampled_from(["1e30", "-3e38", "1e-30", "0.12345678", "−1"]))
    def type_extreme_weight(self, cell, text):
        self.type_cell(self.one, "K", cell, text)

    @action(which=st.integers(0, 1), cell=CELLS, text=HALF_TYPED)
    def type_half_a_weight(self, which, cell, text):
        self.type_cell(self.pick(which), "K", cell, text)

    def type_cell(self, twin, name, cell, text):
        grid = twin.controls.grid if name == "K" else twin.controls.pixels.children[0]
        values = getattr(twin.now, name)
        i, j = divmod(cell % values.numel(), values.shape[1])
        box = grid._boxes[i, j]
        if box.value == text:
            return self.count(f"type in {name}", "nothing")
        try:
            value = torch.tensor(number(text), dtype=values.dtype)
        except (ValueError, ZeroDivisionError):
            value = torch.tensor(torch.nan)
        if not value.isfinite():
            words = f" row {i + 1} column {j + 1} is {text.strip()!r}"
            words = words if text.strip() else words.replace("''", "blank")
            return self.count(f"type in {name}", twin.half(box, text, words))
        same = value == values[i, j] or close_to_box(text, values[i, j].item())
        if same:
            twin.half_typed.pop(box, None)
            box.value = text
            role, words = said(twin.panel)
            if (role, twin.verdict[1] in words) == (twin.verdict[0], True):
                twin.expected = twin.verdict
            return self.count(f"type in {name}", "nothing")
        new = values.clone()
        new[i, j] = value
        state = replace(twin.now, **{name: new})
        if name == "X":
            state = replace(state, picture="your own")
        outcome = twin.edit(
            lambda: setattr(box, "value", text),
            state,
            (name, i, j),
            (i, j) if name == "K" else None,
        )
        assert outcome == "refused" or box.value == text
        return self.count(f"type in {name}", outcome)

    @action(which=st.integers(0, 1), position=st.integers(-REACH, REACH))
    def drag(self, which, position):
        twin = self.pick(which)
        slider = twin.controls.drag
        if slider.value == position:
            return self.count("drag", "nothing")
        K = twin.now.K.clone()
        K[twin.cell] = torch.tensor(position * twin.scale() / REACH, dtype=K.dtype)
        act = lambda: setattr(slider, "value", position)  # noqa: E731
        outcome = twin.edit(act, replace(twin.now, K=K), ("K", *twin.cell))
        self.count("drag", outcome)

    @action(cell=CELLS)
    def choose_cell(self, cell):
        twin, kept = self.one, self.one.verdict
        cell = divmod(cell % twin.now.K.numel(), twin.now.K.shape[1])
        moved, before = cell != twin.cell, (twin.controls.drag.value, twin.half_typed)
        twin.cell = cell
        twin.controls.cell.value = f"K[{cell[0]}, {cell[1]}]"
        if twin.controls.drag.value != before[0]:
            twin.paint()
            twin.verdict = twin.expected = kept
        self.count("choose a weight", "taken" if moved else "nothing")

    # The other controls.

    @action(which=st.integers(0, 1), rows=st.booleans(), n=st.integers(1, 7))
    def resize(self, which, rows, n):
        twin = self.pick(which)
        box = twin.controls.rows if rows else twin.controls.columns
        if box.value == n:
            return self.count("size", "nothing")
        shape = twin.now.K.shape
        K = resized(twin.now.K, (n, shape[1]) if rows else (shape[0], n))
        self.count("size", twin.edit(lambda: setattr(box, "value", n), replace(twin.now, K=K)))

    @action(which=st.integers(0, 1), name=st.sampled_from([*KERNELS, "custom"]))
    def preset(self, which, name):
        twin = self.pick(which)
        if twin.controls.preset.value == name:
            return self.count("preset", "nothing")
        K = twin.now.K if name == "custom" else kernel(name).to(twin.now.X.dtype)
        act = lambda: setattr(twin.controls.preset, "value", name)  # noqa: E731
        self.count("preset", twin.edit(act, replace(twin.now, K=K)))

    @action(name=st.sampled_from([*SMALL, *SMALL, "photo 128 × 128"]))
    def choose_picture(self, name):
        twin = self.one
        if twin.controls.picture.value == name:
            return self.count("picture", "nothing")
        act = lambda: setattr(twin.controls.picture, "value", name)  # noqa: E731
        self.count("picture", twin.edit(act, twin.now.on(picture(name), name)))

    @action()
    def flip(self):
        box, state = self.one.controls.flip, replace(self.one.now, flip=not self.one.now.flip)
        self.count("flip", self.one.edit(lambda: setattr(box, "value", state.flip), state))

    @action(
        name=st.sampled_from(NUMBERS), h=st.integers(0, 3), w=st.integers(0, 3), one=st.booleans()
    )
    def type_number(self, name, h, w, one):
        self.type_in(name, f"{h}" if one else f"{h}, {w}")

    @action(
        name=st.sampled_from(NUMBERS),
        text=st.sampled_from(["", "-1", "1.5", "1,", "1, 2, 3", "two", "601", "1, 99999"]),
    )
    def type_bad_number(self, name, text):
        self.type_in(name, text)

    def type_in(self, name, text):
        twin, least = self.one, 0 if name == "padding" else 1
        box = twin.controls.numbers[name]
        if box.value == text:
            return self.count("type a number", "nothing")
        parts = text.split(",")
        good = len(parts) < 3 and all(p.strip().isdigit() and int(p) >= least for p in parts)
        if not good:
            words = f"{name} is {text.strip()!r}" if text else f"{name} is blank"
            return self.count("type a number", twin.half(box, text, words))
        value = tuple(map(int, parts * 2 if len(parts) == 1 else parts))
        act = lambda: setattr(box, "value", text)  # noqa: E731
        self.count("type a number", twin.edit(act, replace(twin.now, **{name: value})))

    # The input.

    @action(seed=SEEDS, shape=SIZES, name=st.sampled_from(["a.png", "<b>.png"]))
    def upload(self, seed, shape, name):
        data, X = png(seed, shape[0] + 1, shape[1] + 1)
        state = self.one.now.on(X, f"file {name}")
        act = lambda: upload(self.one.controls, data, name)  # noqa: E731
        self.count("open a file", self.one.edit(act, state))

    @action(cut=st.integers(0, 60), seed=SEEDS)
    def upload_a_bad_file(self, cut, seed):
        here, twin = self.one.now, self.one
        upload(twin.controls, png(seed, 9, 9)[0][:cut], "cut.png")
        twin.half_typed, twin.expected = {}, ("alert", "cannot be read as a picture; wanted")
        assert twin.now is here
        self.count("open a file", "refused")

    @action()
    def drawer(self):
        pixels, twin = self.one.controls.pixels, self.one
        kept = twin.verdict
        pixels.selected_index = None if pixels.selected_index == 0 else 0
        twin.paint()
        twin.verdict = twin.expected = kept
        self.count("open or close the drawer", "taken")

    @action(
        when=lambda self: self.one.now.X.numel() <= 144,
        cell=st.integers(0, 143),
        text=st.sampled_from(["0.5", "1", "-2", "1/3", "", "x", "0"]),
    )
    def type_pixel(self, cell, text):
        if self.one.controls.pixels.selected_index is None:
            self.drawer()
        self.type_cell(self.one, "X", cell, text)

    # Back and forth.

    @action(
        which=st.integers(0, 1),
        undos=st.integers(0, 4),
        redos=st.integers(0, 3),
        click=st.booleans(),
    )
    def undo_and_redo(self, which, undos, redos, click):
        for move in ["undo"] * undos + ["redo"] * redos:
            self.revisit(which, move, click)

    @action(which=st.integers(0, 1), click=st.booleans())
    def reset(self, which, click):
        self.revisit(which, "reset", click)

    def revisit(self, which, move, click):
        twin = self.pick(which)
        press = twin.controls.moves[move].click if click else getattr(twin.panel, move)
        self.count(move, twin.revisit(move, press))

    @action()
    def undo_then_redo(self):
        twin = self.two
        before = twin.panel.summary(), twin.panel.code, twin.panel.output
        if twin.place:
            twin.revisit("undo", twin.panel.undo)
            twin.check()
            twin.revisit("redo", twin.panel.redo)
            after = twin.panel.summary(), twin.panel.code, twin.panel.output
            assert before[:2] == after[:2] and torch.equal(before[2], after[2])
        self.count("undo, then redo", "taken" if twin.place else "nothing")

    # In code.

    @action(which=st.integers(0, 1), seed=SEEDS, shape=SIZES, double=st.booleans())
    def set_kernel(self, which, seed, shape, double):
        twin = self.pick(which)
        K = tensor(seed, *shape, dtype=torch.float64 if double else torch.float32)
        state = replace(twin.now, K=K.clone().to(twin.now.X.dtype))
        self.count("set the kernel", twin.assign("kernel", K, state))
        K.zero_()

    @action(seed=SEEDS, shape=SIZES, double=st.booleans())
    def set_X(self, seed, shape, double):
        X = tensor(seed, *shape, dtype=torch.float64 if double else torch.float32)
        self.count("set X", self.one.assign("X", X, self.one.now.on(X.clone())))
        X.zero_()

    @action(double=st.booleans())
    def set_the_dtype(self, double):
        X = self.one.now.X.to(torch.float64 if double else torch.float32)
        self.count("set X in a dtype", self.one.assign("X", X, self.one.now.on(X.clone())))

    @action(name=st.sampled_from(SMALL), double=st.booleans())
    def set_named_X(self, name, double):
        X = picture(name).double() if double else picture(name)
        self.count("set X", self.one.assign("X", X, self.one.now.on(X)))

    @action(name=st.sampled_from(NUMBERS), h=st.integers(0, 2), w=st.integers(1, 3), kind=SEEDS)
    def set_number(self, name, h, w, kind):
        value = (h, [h, w], (h, w))[kind % 3]
        if h == 0 and name != "padding":
            self.one.refuses(name, value, f"{name} is")
            return self.count("set a number", "refused")
        state = replace(self.one.now, **{name: (h, h) if kind % 3 == 0 else (h, w)})
        self.count("set a number", self.one.assign(name, value, state))
        if isinstance(value, list):
            value[0] = 9

    @action(flip=st.booleans())
    def set_flip(self, flip):
        state = replace(self.one.now, flip=flip)
        self.count("set flip", self.one.assign("flip", flip, state))

    @action(
        wrong=st.sampled_from(
            [("X", None), ("X", torch.ones(3)), ("X", torch.ones(3, 3).int())]
            + [("X", torch.full((5, 5), torch.nan)), ("X", torch.ones(0, 4)), ("kernel", "K")]
            + [("kernel", None), ("kernel", torch.ones(8, 1)), ("kernel", torch.ones(1, 2, 2))]
            + [("kernel", torch.full((1, 1), torch.inf)), ("padding", -1), ("padding", None)]
            + [("padding", "1"), ("padding", 601), ("stride", 0), ("stride", (1, 2, 3))]
            + [("stride", 1.5), ("dilation", 0), ("dilation", [1, True]), ("flip", 1)]
            + [("flip", None)]
        )
    )
    def set_what_is_wrong(self, wrong):
        self.one.refuses(*wrong)
        self.count("set what is wrong", "refused")

    @action(name=st.sampled_from(["X", "kernel", "output"]))
    def spoil_what_was_read(self, name):
        getattr(self.one.panel, name).fill_(77)
        self.count("change in place what was read", "taken")

    # Around the panel.

    @action(when=lambda self: not self.one.followers)
    def link(self):
        one, two = self.one, self.two
        refusal = two.told(one.now.K)
        with pytest.raises(ConvkitError) if refusal else nullcontext():
            traitlets.dlink((one.panel, "kernel"), (two.panel, "kernel"))
        one.followers.append(two)
        self.count("link", "taken")

    @action(when=lambda self: isinstance(self.one.mind, Learner), mood=st.sampled_from(MOODS))
    def rewrite_the_operation(self, mood):
        self.one.mind.mood = mood
        self.count("operation goes wrong", "taken")

    @action(index=st.integers(0, 200), name=st.sampled_from(["first", "next", "last", "row"]))
    def walk(self, index, name):
        twin = self.one
        walk, Y = twin.panel._walk, twin.now.output()
        columns = Y.shape[1]
        here = twin.at[0] * columns + twin.at[1]
        if name == "row":
            walk._row.value = index % Y.shape[0]
            twin.at = index % Y.shape[0], twin.at[1]
        else:
            buttons = walk.children[0].children
            next(b for b in buttons if b.description.startswith(name)).click()
            last = Y.numel() - 1
            there = {"first": 0, "next": min(here + 1, last), "last": last}[name]
            twin.at = divmod(there, columns)
        self.count("walk", "taken")

    def check(self):
        for twin in self.panels:
            twin.check()
        if self.acts % 8 == 0:
            self.one.check_code()


def close_to_box(text, kept):
    """Return whether a text is just what the box of `kept` says."""
    return text == f"{kept:.4g}"


LEAST = 30


def test_thousands_of_actions(record_property):
    done = drive(EditorMachine, examples=58, steps=80)
    tell(done, "KernelEditor", record_property)
    by_kind, by_outcome = Counter(), Counter()
    for (kind, outcome), n in done.items():
        by_kind[kind] += n
        by_outcome[outcome] += n
    assert done.total() > 3500 and len(by_kind) == 25
    assert {kind: n for kind, n in by_kind.items() if n < LEAST} == {}
    assert min(by_outcome["taken"], by_outcome["refused"]) > 800
