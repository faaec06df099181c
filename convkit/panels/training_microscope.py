"""The panel in which one sees LeNet learn to read digits, step by step and both ways in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.resources import files
from typing import Any

import torch
from torch import Tensor

from convkit import formatting, networks, ui
from convkit.networks import DENSE, SIDE, Run, Snapshot, Weights, digits
from convkit.ops import WindowGeometry
from convkit.panels import _training_plots as plots
from convkit.panels._training_microscope_state import (
    EVERY,
    LAYERS,
    MAPS,
    PENS,
    RUNS,
    SIDES,
    STEPS,
    TrainingMicroscopeState,
    paint,
)
from convkit.ui import Cell, Cursor, Edit, Frame, Node, Scale, Work, caption
from convkit.ui.store import Fields, equal

CONV1, POOL1 = WindowGeometry(SIDE, 5, padding=2), WindowGeometry(SIDE, 2, stride=2)
CONV2 = WindowGeometry(14, 5)
"""Where the windows of LeNet's layers lie."""
GREYS, BLANK = Scale("grey", 0, 1), [[""] * 8] * 8
_output = partial(Frame, hue="output")


@dataclass(frozen=True, eq=False)
class History:
    """What snapshots are, whatever they look at; made when it is asked for, and kept."""

    shown: tuple[Snapshot, ...]

    @cached_property
    def weights(self) -> Weights:
        """Those of all snapshots' convolutions; copies of all weights would take ten megabytes."""
        return networks.weights_of([each.net[:DENSE] for each in self.shown])

    @cached_property
    def told(self) -> ui.Series:
        """How good the network is, in words."""
        return ui.Series(tuple(ui.text(plots.told(each)) for each in self.shown))

    @cached_property
    def counts(self) -> ui.Series:
        """What it takes for what."""
        return ui.Series(tuple(plots.confusion(each.confusion) for each in self.shown))


@dataclass(frozen=True, eq=False)
class Look:
    """What the networks make of a digit, after changes of theirs; made when asked for, and kept."""

    history: History
    X: Tensor
    kernels: tuple[tuple[int, Tensor], ...]
    off: tuple[Cell, ...]

    @cached_property
    def weights(self) -> Weights:
        """Those of all snapshots, with the changes."""
        return networks.changed(self.history.weights, dict(self.kernels), self.off)

    @cached_property
    def layers(self) -> list[Tensor]:
        """What each layer up to the dense ones makes of the digit, (snapshots, 1, ...)."""
        net, X = self.history.shown[0].net[:DENSE], networks.enlarged(self.X[None])
        return networks.activations_with(net, self.weights, X)

    @cached_property
    @torch.no_grad()
    def probabilities(self) -> Tensor:
        """What the digit is taken for, (snapshots, 10)."""
        pairs = zip(self.history.shown, self.layers[-1], strict=True)
        return torch.cat([each.net[DENSE:](Y).softmax(1) for each, Y in pairs]).nan_to_num()

    @cached_property
    def scales(self) -> dict[str, Scale]:
        """The colours of each layer, the same at all snapshots."""
        limit = formatting.colour_limit(self.history.weights["0.weight"])
        greys = {f"conv{k} map": plots.greys(self.layers[LAYERS[k] + 1]) for k in LAYERS}
        return {"kernel": Scale.centred(limit), **greys}

    @cached_property
    def all_drawn(self) -> dict[str, ui.Series]:
        """All snapshots, as `drawn` returns them."""
        return self.drawn(range(len(self.history.shown)))

    def drawn(self, places: Sequence[int]) -> dict[str, ui.Series]:
        """Return kernels, maps and probabilities at some of the snapshots."""
        conv1, conv2 = _cursors(TrainingMicroscopeState(self.X)).values()
        below = [Frame(conv1), _output(conv2).through(CONV2).through(POOL1)]
        made = {}
        for name, stack, width, frames in (
            ("kernel", self.weights["0.weight"][:, :, 0], 84, ()),
            ("conv1 map", self.layers[1][:, 0], 84, below),
            ("conv2 map", self.layers[4][:, 0], 60, [_output(conv2)]),
        ):
            options: dict[str, Any] = {"width": width, "frames": frames}
            rows = [ui.pictures(name, stack[n], self.scales[name], **options) for n in places]
            made[f"{name}s"] = ui.Series(tuple(ui.box(*row, css="maps") for row in rows))
        made["probabilities"] = ui.Series(tuple(map(plots.bars, self.probabilities[[*places]])))
        return made

    def accuracy(self, n: int) -> float:
        """Return the share of the test digits that snapshot n takes for what they are."""
        own = {name: values[n : n + 1] for name, values in self.weights.items()}
        return networks.accuracy_with(self.history.shown[n].net, own)


@dataclass(frozen=True, eq=False)
class TrainingMicroscopeResult:
    """The runs, and what the snapshots of the one on show make of the digit."""

    state: TrainingMicroscopeState
    runs: tuple[Run, ...]
    look: Look

    @property
    def shown(self) -> tuple[Snapshot, ...]:
        """The snapshots of the run on show."""
        return self.look.history.shown

    @property
    def n(self) -> int:
        """The number of the snapshot on show: the newest, where there is none of the number yet."""
        return min(self.state.n, len(self.shown) - 1)


def compute(state: TrainingMicroscopeState, previous: Any = None) -> TrainingMicroscopeResult:
    """Return what a state shows; what it shares with the previous result is kept."""
    runs = _runs(state, previous)
    shown = runs[-1 if state.shows == RUNS[1] else 0].snapshots
    is_known = previous is not None and previous.shown == shown
    history = previous.look.history if is_known else History(shown)
    inputs = state.X, state.kernels, state.off
    look = Look(history, *inputs)
    if is_known and equal(inputs, (previous.state.X, previous.state.kernels, previous.state.off)):
        look = previous.look
    return TrainingMicroscopeResult(state, runs, look)


def _runs(state: TrainingMicroscopeState, previous: Any) -> tuple[Run, ...]:
    """Return the first run and the fork, if there is one, as far as they have come."""
    if previous and previous.state.settings == state.settings:
        main = previous.runs[0]
    else:
        previous = None
        start = networks.begin(networks.lenet(state.modern, state.seed), state.seed)
        main = Run(state.lr, state.steps, (start,))
    if state.fork is None:
        return (main,)
    if previous and previous.state.fork == state.fork:
        return main, previous.runs[1]
    return main, main.fork(*state.fork)


def adjust(result: TrainingMicroscopeResult, edited: Fields) -> Fields:
    """Return fields of the state with what else they change: another digit is another picture."""
    changes = dict(edited)
    if "digit" in changes:
        changes = {"X": digits().test_small[changes["digit"]], **changes}
    if {"modern", "lr", "seed", "steps"} & changes.keys():
        changes = {"fork": None, "shows": RUNS[0], "kernels": (), "off": (), **changes}
    return changes


def work(result: TrainingMicroscopeResult) -> Work | None:
    """Return the training that is left to do; a stopped one leaves the snapshots so far."""
    if not any(run.steps_left for run in result.runs):
        return None
    s = result.state
    return Work(
        partial(_train, result.runs, s.fork),
        lambda now, runs: compute(now.state, replace(now, runs=runs)),
        "training",
        inputs=(s.settings, s.fork, s.tries),
    )


def _train(runs: Sequence[Run], fork: Any, report: Callable[..., None]) -> tuple[Run, ...]:
    """Train each run to its last step."""
    made, total = [*runs], sum(run.steps_left for run in runs)
    for k, run in enumerate(runs):
        if k and len(run.snapshots) <= fork[0]:
            made[k] = made[0].fork(*fork)  # which had not come so far yet
        for longer in made[k].go_on(EVERY):
            made[k] = longer
            report(total - sum(each.steps_left for each in made), total, tuple(made))
    return tuple(made)


def _step(result: TrainingMicroscopeResult) -> Cursor:
    return Cursor("snapshot", len(result.shown), result.state.n, "n", quiet=True)


def _cursors(state: TrainingMicroscopeState) -> dict[int, Cursor]:
    """Return the chosen cells of the two convolutions, and of which maps; others are pointed at."""

    def cursor(k: int, name: str) -> Cursor:
        def choose(at: Sequence[int]) -> Fields:
            return {f"conv{k}_at": at[:2], f"conv{k}_map": at[2], f"conv{k}_over": None}

        at = *getattr(state, f"conv{k}_at"), getattr(state, f"conv{k}_map")
        return Cursor(name, (SIDES[k], SIDES[k], MAPS[k]), at, choose, f"conv{k}_over")

    return {1: cursor(1, "conv-one"), 2: cursor(2, "conv-two")}


def view(result: TrainingMicroscopeResult) -> Node:
    """Return the player, the digit, both layers, the probabilities, and how the run went."""
    s, step, history = result.state, _step(result), result.look.history
    drawn, sums, large = _seen(result, result.look.all_drawn, range(len(result.shown)))
    kernels, conv1, conv2, probabilities = drawn
    return ui.box(
        ui.header(_status(result)),
        ui.row(ui.player("snapshot", step), _go_on(result)),
        ui.series("told", step, history.told),
        ui.box(
            ui.column(_drawing(s), _kernel(result)),
            ui.column(
                _title(result, 1, "conv1: kernels, and maps after the activation", "kernel"),
                *(kernels, conv1, _map_choice(s, 1), sums[0]),
                _title(result, 2, "conv2: maps after the activation", "output"),
                *(conv2, _map_choice(s, 2), sums[1]),
            ),
            ui.column(
                ui.titled("probability", probabilities),
                ui.titled("input, 28 × 28", large, hue="input"),
            ),
            css="look",
        ),
        ui.box(
            *(_curve(result, name) for name in plots.TOPS),
            ui.titled("confusion", ui.series("counts", step, history.counts), caption(plots.ROWS)),
            css="charts",
        ),
        _forks(result),
        css="training-microscope",
    )


def awaited(result: TrainingMicroscopeResult) -> list[Node]:
    """Return what drawing and pointing change; what is new, at the snapshot on show alone."""
    look, n = result.look, result.n
    drawn = look.all_drawn if "all_drawn" in vars(look) else look.drawn([n])
    drawn_nodes, sums, large = _seen(result, drawn, [n])
    return [*drawn_nodes, *sums, large]


def _seen(
    result: TrainingMicroscopeResult, drawn: Mapping[str, ui.Series], places: Sequence[int]
) -> tuple[list[Node], list[Node], Node]:
    """Return what the networks see in the digit at some snapshots."""
    step = _step(result)
    said = {f"sum {k}": [ui.text(_sum(result, k, n), "mono caption") for n in places] for k in MAPS}
    sums = [ui.series(name, step, nodes) for name, nodes in said.items()]
    # The input last, because its cursors are those of this state.
    return [ui.series(name, step, each) for name, each in drawn.items()], sums, _input(result)


def _sum(result: TrainingMicroscopeResult, k: int, n: int) -> str:
    """Return the sum of the pointed cell of convolution k at snapshot n, in words."""
    s, look, layer = result.state, result.look, LAYERS[k]
    i, j, m = getattr(s, f"conv{k}_over") or _cursors(s)[k].place
    if (k, m) in s.off:
        return f"conv{k}, map {m} is switched off."
    before, after = (look.layers[layer + d][n, 0, m, i, j].item() for d in (0, 1))
    bias = look.weights[f"{layer}.bias"][n, m].item()
    numbers = [formatting.number(x, 3) for x in (before - bias, bias, before, after)]
    total, bias_text, sum_text, made = map(formatting.minus, numbers)
    count = look.weights[f"{layer}.weight"][n, m].numel()
    activation = "ReLU" if s.modern else "sigmoid"
    return (
        f"conv{k}, map {m}, cell [{i}, {j}]: {count} products add up to {total}; "
        f"with the bias {bias_text} it is {sum_text}, after {activation} {made}"
    )


def _title(result: TrainingMicroscopeResult, k: int, words: str, hue: str) -> Node:
    """Return the title of a convolution, with the colours of its maps."""
    return ui.row(ui.heading(words, hue), ui.colour_key(result.look.scales[f"conv{k} map"]))


def _map_choice(s: TrainingMicroscopeState, k: int) -> Node:
    """Return which map of a convolution is summed up, and whether it is on."""
    name = f"conv{k}_map"
    m = getattr(s, name)

    def switch(is_on: bool) -> Edit:
        return Edit(lambda now: {"off": {*now.off} - {(k, m)} if is_on else {*now.off, (k, m)}})

    return ui.row(
        caption("sums of map"),
        ui.select(f"sums of conv{k} map", range(MAPS[k]), m, name),
        ui.check(f"conv{k} map {m} on", (k, m) not in s.off, switch),
    )


def _drawing(s: TrainingMicroscopeState) -> Node:
    """Return the digit to draw on."""
    is_drawn = not equal(s.X, digits().test_small[s.digit])
    options: dict[str, Any] = {"headers": False, "pick": "none", "cell": 22}
    return ui.column(
        ui.heading("a digit: draw on it", "input"),
        ui.choice("pen", tuple(PENS), s.pen, "pen"),
        ui.table("drawing", s.X, GREYS, texts=BLANK, paint=partial(paint, PENS[s.pen]), **options),
        ui.labelled(ui.slider("test digit", 0, networks.HELD_OUT - 1, s.digit, "digit")),
        caption("drawn by you" if is_drawn else f"it is a {digits().test_labels[s.digit]}"),
        ui.section("type its pixels", ui.numbers("pixels", s.X, "X", symbol="X", scale=GREYS)),
    )


def _kernel(result: TrainingMicroscopeResult) -> Node:
    """Return the weights of the kernel whose map is summed up, to be changed."""
    s, look, m = result.state, result.look, result.state.conv1_map

    def change(K: Tensor) -> Fields:
        return {"kernels": {**dict(s.kernels), m: K}}

    K, scale = look.weights["0.weight"][result.n, m, 0], look.scales["kernel"]
    return ui.column(
        ui.heading(f"kernel {m}: change it", "kernel"),
        ui.numbers("kernel", K, change, symbol="K", scale=scale),
        ui.colour_key(scale),
        ui.button("as trained", lambda: {"kernels": (), "off": ()}),
    )


def _input(result: TrainingMicroscopeResult) -> Node:
    """Return the digit as the network gets it, and on it what the pointed cells see."""
    conv1, conv2 = _cursors(result.state).values()
    field = _output(conv2).through(CONV2).through(POOL1).through(CONV1)
    large = networks.enlarged(result.look.X[None])[0, 0]
    frames = [Frame(conv1).through(CONV1), field]
    return ui.picture("network input", large, GREYS, width=140, frames=frames)


def _curve(result: TrainingMicroscopeResult, name: str) -> Node:
    """Return a curve of the run on show, and those of others in grey."""
    others = [run.snapshots for run in result.runs if run.snapshots != result.shown]
    return plots.curve(name, [result.shown, *others], _step(result), result.state.steps)


def _status(result: TrainingMicroscopeResult) -> str:
    s, snapshot, last = result.state, result.shown[result.n], result.shown[-1].step
    if s.kernels or s.off:
        now = f"{result.look.accuracy(result.n):.1%} of the test digits right"
        return f"Changed by you: {now} at step {snapshot.step}, {snapshot.accuracy:.1%} as trained."
    run = s.shows if s.fork else "run"
    end = "" if last >= s.steps else f", stopped at {last} of {s.steps}"
    kind = "ReLU and maximum pooling" if s.modern else "sigmoid and average pooling"
    return f"LeNet with {kind}: {len(result.shown)} snapshots of the {run}{end}."


def _go_on(result: TrainingMicroscopeResult) -> Node | None:
    if not any(run.steps_left for run in result.runs):
        return None
    return ui.button("train on", lambda: Edit(lambda state: {"tries": state.tries + 1}))


def _forks(result: TrainingMicroscopeResult) -> Node:
    """Return what starts another run, which is followed as it trains, and chooses one to show."""
    s, newest = result.state, STEPS // EVERY

    def fork(now: TrainingMicroscopeState) -> Fields:
        at = min(now.n, len(result.shown) - 1)
        return {"fork": (at, now.rate), "shows": RUNS[1], "n": newest}

    return ui.row(
        ui.number_entry("rate", s.rate, "rate"),
        ui.button("fork here", lambda: Edit(fork)) if s.shows == RUNS[0] else None,
        ui.button("train from the start", lambda: {"lr": s.rate, "fork": None, "n": newest}),
        ui.choice("show", RUNS, s.shows, "shows") if s.fork else None,
        caption(f"first run: rate {s.lr:g}" + (f"; fork: rate {s.fork[1]:g}" if s.fork else "")),
    )


class TrainingMicroscope(ui.Panel):
    """Train LeNet on handwritten digits, and see its layers at each of some forty snapshots.

    Parameters
    ----------
    modern : bool
        Whether it has ReLU and maximum pooling, not sigmoid and average pooling.
    lr : float
        Learning rate of Adam, above 0, up to 1.
    seed : int
        Which first weights, and which order of the pictures.
    steps : int
        How many steps to train, at most 440.

    Attributes
    ----------
    modern, lr, seed, steps, fork, digit, X, kernels, off, n, shows, rate, pen, conv1_at, conv2_at
        What the panel is set to; each may be set. `fork` is None, or a snapshot and the rate with
        which a second run leaves the first one there; `shows` is "first run" or "fork". `X` is
        the digit, (8, 8), which test picture number `digit` is unless it was drawn on. `kernels`
        are those, (5, 5), that replace some of the first convolution, by map; `off` are pairs of
        a convolution, 1 or 2, and a map of it that is 0 whatever comes. `n` beyond the last
        snapshot shows the newest, also while more are made.
    snapshots : tuple of Snapshot
        Those on show.

    Raises
    ------
    ConvkitError
        If what is given or set cannot work; the panel keeps its last good state.

    Examples
    --------
    >>> panel = TrainingMicroscope(steps=22)
    >>> panel.fork = 1, 0.01
    >>> panel
    TrainingMicroscope: 3 snapshots of LeNet from step 0 to 22, and a fork from step 11
    """

    style = files("convkit.panels").joinpath("training_microscope.css").read_text("utf-8")

    def __init__(
        self, *, modern: bool = True, lr: float = 2e-3, seed: int = 0, steps: int = STEPS
    ) -> None:
        start = TrainingMicroscopeState(digits().test_small[0], modern, lr, seed, steps)
        more: Any = {"work": work, "adjust": adjust}
        super().__init__(start, compute, view, first=awaited, rest_waits=True, **more)

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """Those of the run on show."""
        return self.store.result.shown

    def __repr__(self) -> str:
        # No number that another processor would round in another way.
        result = self.store.result
        steps = [each.step for each in result.runs[0].snapshots]
        fork = result.state.fork
        said = f", and a fork from step {steps[min(fork[0], len(steps) - 1)]}" if fork else ""
        count = f"{len(steps)} snapshots of LeNet from step 0 to {steps[-1]}"
        return f"{type(self).__name__}: {count}{said}"

    def fallback(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the first, an early and the last snapshot as one PNG."""
        data, metadata = plots.training_sheet(self.store.result).data(repr(self))
        metadata["image/png"]["varies"] = True  # as the training does, from machine to machine
        return data, metadata
