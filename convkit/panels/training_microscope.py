"""The panel in which one sees LeNet learn to read digits, step by step and both ways in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from convkit import formatting, networks, ops, ui
from convkit.errors import ConvkitError, brief_repr
from convkit.networks import SIDE, Snapshot, digits
from convkit.ops import WindowGeometry
from convkit.panels._training_plots import bars, confusion, curve, greys, training_sheet
from convkit.ui import Cell, Cursor, Edit, Frame, Node, Scale, Work, caption, fields
from convkit.ui.store import Fields, equal

CONV1, POOL1 = WindowGeometry(SIDE, 5, padding=2), WindowGeometry(SIDE, 2, stride=2)
CONV2 = WindowGeometry(14, 5)
"""Where the windows of LeNet's layers lie."""
STEPS, EVERY = 440, 11
"""Twenty epochs, and the steps from one snapshot to the next: 41 snapshots."""
PENS = {"ink": 1.0, "grey": 0.5, "erase": 0.0}
GREYS = Scale("grey", 0, 1)
RUNS = ("first run", "fork")


def _fork(name: str, given: Any) -> tuple[int, float]:
    try:
        at, lr = given
    except (TypeError, ValueError) as error:
        hint = f"Write {name} = (8, 0.01), or None."
        raise ConvkitError(
            f"{name} is {brief_repr(given)}", "a snapshot and a rate", hint
        ) from error
    number = ops.as_real(lr)
    if number is None or not 0 < number <= 1:
        raise ConvkitError(f"its rate is {brief_repr(lr)}", "one above 0, up to 1", "Lower it.")
    return ops.to_whole(name, at, 0, STEPS // EVERY), number


class TrainingMicroscopeState(ui.State):
    """Which training is on show, at which snapshot, and what the network looks at."""

    X: Tensor = fields.array(max_side=8)
    modern: bool = fields.flag(True)
    lr: float = fields.real(2e-3, 0, 1, above=0)
    seed: int = fields.whole(0, 0, 999)
    steps: int = fields.whole(STEPS, 1, STEPS)
    fork: tuple[int, float] | None = fields.checked(_fork, None, optional=True)
    tries: int = fields.whole(0)
    digit: int = fields.whole(0, 0, networks.HELD_OUT - 1)
    n: int = fields.whole(0, view=True)
    shows: str = fields.choice(*RUNS, view=True)
    rate: float = fields.real(2e-2, 0, 1, above=0, view=True)
    pen: str = fields.choice(*PENS, view=True)
    conv1_at: Cell = fields.cell((12, 12), view=True)
    conv2_at: Cell = fields.cell((4, 4), view=True)
    conv1_map: int = fields.whole(0, 0, 5, view=True)
    conv2_map: int = fields.whole(0, 0, 15, view=True)


class Run:
    """A training: its settings, and the snapshots so far, to which `go_on` adds.

    Other runs may share its first snapshots, which never change.
    """

    def __init__(self, settings: tuple[Any, ...], lr: float, last: int) -> None:
        self.settings, self.lr, self.last = settings, lr, last
        self.snapshots: list[Snapshot] = []
        self._lock = Lock()  # a stopped thread may still be at its last step

    @property
    def is_complete(self) -> bool:
        """Whether the last step has been made."""
        return bool(self.snapshots) and self.snapshots[-1].step >= self.last

    def go_on(self, shared: Callable[[], Sequence[Snapshot]]) -> Iterator[int]:
        """Train to the last step; yield the number of each that has a snapshot."""
        with self._lock:
            if not self.snapshots:
                self.snapshots += shared()
            for snapshot in networks.training(self.snapshots[-1], self.lr, self.last, EVERY):
                self.snapshots.append(snapshot)
                yield snapshot.step


@dataclass(frozen=True, eq=False)
class TrainingMicroscopeResult:
    """The runs, and what each snapshot of the one on show makes of the digit."""

    state: TrainingMicroscopeState
    runs: tuple[Run, ...]
    shown: tuple[Snapshot, ...]
    seen: tuple[list[Tensor], ...]
    series: dict[str, ui.Series]

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot on show."""
        return self.shown[min(self.state.n, len(self.shown) - 1)]


def compute(state: TrainingMicroscopeState, previous: Any = None) -> TrainingMicroscopeResult:
    """Return what a state shows; runs that it shares with the previous result are kept."""
    kept = {run.settings: run for run in (previous.runs if previous else ())}
    main = Run((state.modern, state.seed, state.lr, state.steps), state.lr, state.steps)
    runs = [kept.get(main.settings, main)]
    if not runs[0].snapshots:
        net = networks.lenet(state.modern, state.seed)
        runs[0].snapshots.append(networks.begin(net, state.seed))
    if state.fork is not None:
        fork = Run((*main.settings, *state.fork), state.fork[1], state.steps)
        runs.append(kept.get(fork.settings, fork))
    shown = tuple(runs[-1].snapshots if state.shows == "fork" else ()) or tuple(runs[0].snapshots)
    if previous and shown == previous.shown and equal(state.X, previous.state.X):
        drawn = previous.seen, previous.series
    else:
        drawn = _drawn(shown, state.X)
    return TrainingMicroscopeResult(state, tuple(runs), shown, *drawn)


def _drawn(shown: Sequence[Snapshot], X: Tensor) -> Any:
    """Return what the snapshots make of a digit, as numbers and as pictures of each layer.

    A layer's colours are the same at all snapshots.
    """
    seen = tuple(networks.activations(each.net, networks.enlarged(X[None])) for each in shown)
    weights = torch.stack([next(each.net.parameters()).detach()[:, 0] for each in shown])
    limit = formatting.colour_limit(weights)
    conv1, conv2 = _cursors(TrainingMicroscopeState(X))
    regions = [Frame(conv1), _output(conv2).through(CONV2).through(POOL1)]
    first, second = (torch.stack([layers[k][0] for layers in seen]) for k in (1, 4))
    return seen, {
        "kernels": _pictures("kernel", weights, Scale.centred(limit), 84, ()),
        "conv1 maps": _pictures("conv1 map", first, greys(first), 84, regions),
        "conv2 maps": _pictures("conv2 map", second, greys(second), 60, [_output(conv2)]),
        "probabilities": ui.Series(tuple(bars(layers[-1][0].softmax(0)) for layers in seen)),
    }


def _output(cursor: Cursor) -> Frame:
    return Frame(cursor, hue="output")


def _pictures(
    name: str, maps: Tensor, scale: Scale, width: int, frames: Sequence[Frame]
) -> ui.Series:
    """Return a picture of each channel at each snapshot, given maps (snapshots, channels, H, W)."""

    def line(channels: Tensor) -> Node:
        shown = enumerate(channels)
        pictures = [
            ui.picture(f"{name} {k}", c, scale, width=width, frames=frames) for k, c in shown
        ]
        return ui.box(*pictures, css="maps")

    return ui.Series(tuple(map(line, maps)))


def adjust(result: TrainingMicroscopeResult, edited: Fields) -> Fields:
    """Return fields of the state with what else they change: another digit is another picture."""
    changes = dict(edited)
    if "digit" in changes and "X" not in changes:
        changes["X"] = digits().test_small[changes["digit"]]
    if {"modern", "lr", "seed", "steps"} & changes.keys() and "fork" not in changes:
        changes |= {"fork": None, "shows": RUNS[0]}
    if changes.get("X") is not None and changes["X"].shape != (8, 8):
        given = f"X is {formatting.size(changes['X'].shape)}"
        raise ConvkitError(given, "8 × 8", "Draw on the digit, or set digit.")
    return changes


def work(result: TrainingMicroscopeResult) -> Work | None:
    """Return the training that is left to do; a stopped one has the snapshots so far."""
    if all(run.is_complete for run in result.runs):
        return None
    inputs = (*(run.settings for run in result.runs), result.state.tries)
    return Work(partial(_train, result), lambda now, _: compute(now.state, now), "training", inputs)


def _train(result: TrainingMicroscopeResult, report: Callable[[float, float], None]) -> None:
    main, total = result.runs[0], sum(run.last for run in result.runs)
    for k, run in enumerate(result.runs):
        at = result.state.fork[0] if result.state.fork else 0
        for step in run.go_on(lambda: main.snapshots[: at + 1]):  # noqa: B023
            report(k * main.last + step, total)


def _step(result: TrainingMicroscopeResult) -> Cursor:
    return Cursor("snapshot", len(result.shown), result.state.n, "n", quiet=True)


def _cursors(state: TrainingMicroscopeState) -> tuple[Cursor, Cursor]:
    """Return the cells of the two convolutions that are pointed at."""

    def cursor(name: str, field: str, side: int) -> Cursor:
        return Cursor(
            name, (side, side), getattr(state, field), field, lambda at: {field: at} if at else {}
        )

    return cursor("conv-one", "conv1_at", SIDE), cursor("conv-two", "conv2_at", 10)


def view(result: TrainingMicroscopeResult) -> Node:
    """Return the player, the digit, both layers, the probabilities, and how the run went."""
    s, shown = result.state, result.shown
    step = _step(result)
    kernels = ui.series("kernels", step, result.series["kernels"])
    conv1, conv2, probabilities, sum1, sum2, large = awaited(result)
    layers = ui.column(
        _title(s, 1, "conv1: kernels, and maps after the activation", "kernel"),
        kernels,
        conv1,
        sum1,
        _title(s, 2, "conv2: maps after the activation", "output"),
        conv2,
        sum2,
    )
    return ui.box(
        ui.header(_status(result)),
        ui.row(ui.player("snapshot", step), _go_on(result)),
        ui.series("told", step, [ui.text(_told(each)) for each in shown]),
        ui.box(
            _drawing(s),
            layers,
            ui.column(
                ui.titled("probability", probabilities),
                ui.titled("input, 28 × 28", large, hue="input"),
            ),
            css="look",
        ),
        ui.box(
            *(_curve(result, name) for name in ("loss", "accuracy")),
            ui.titled(
                "confusion",
                ui.series("counts", step, [confusion(each.confusion) for each in shown]),
                caption("rows: what it is"),
            ),
            css="charts",
        ),
        _forks(result),
        css="training-microscope",
    )


def _curve(result: TrainingMicroscopeResult, name: str) -> Node:
    """Return a curve of the run on show, and those of others in grey."""
    runs = [run.snapshots for run in result.runs if tuple(run.snapshots) != result.shown]
    shown, *others = ([getattr(each, name) for each in run] for run in (result.shown, *runs) if run)
    return curve(name, shown, _step(result), others, result.shown[-1].step)


def _title(s: TrainingMicroscopeState, k: int, words: str, hue: str) -> Node:
    """Return the title of a convolution, and which of its maps the sums are of."""
    name, count = f"conv{k}_map", (6, 16)[k - 1]
    chosen = ui.select(f"sums of conv{k} map", range(count), getattr(s, name), name)
    return ui.row(ui.heading(words, hue), caption("sums of map"), chosen)


def _drawing(s: TrainingMicroscopeState) -> Node:
    """Return the digit to draw on."""
    label = digits().test_labels[s.digit].item()
    is_drawn = not equal(s.X, digits().test_small[s.digit])
    blank = [[""] * 8] * 8
    options: dict[str, Any] = {"texts": blank, "headers": False, "pick": "none", "cell": 22}
    return ui.column(
        ui.heading("a digit: draw on it", "input"),
        ui.choice("pen", tuple(PENS), s.pen, "pen"),
        ui.table("drawing", s.X, GREYS, paint=partial(_paint, PENS[s.pen]), **options),
        ui.labelled(ui.slider("test digit", 0, networks.HELD_OUT - 1, s.digit, "digit")),
        caption("drawn by you" if is_drawn else f"it is a {label}"),
    )


def _input(s: TrainingMicroscopeState) -> Node:
    """Return the digit as the network gets it, and on it what the pointed cells see."""
    conv1, conv2 = _cursors(s)
    field = _output(conv2).through(CONV2).through(POOL1).through(CONV1)
    large = networks.enlarged(s.X[None])[0, 0]
    frames = [Frame(conv1).through(CONV1), field]
    return ui.picture("network input", large, GREYS, width=140, frames=frames)


def _paint(level: float, cells: Sequence[Cell]) -> Edit:
    def change(state: TrainingMicroscopeState) -> Fields:
        X = state.X.clone()
        X[tuple(zip(*cells, strict=True))] = level
        return {"X": X}

    return Edit(change, "paint")


def awaited(result: TrainingMicroscopeResult) -> list[Node]:
    """Return what drawing and pointing change: maps, probabilities and sums at each snapshot."""
    s, step = result.state, _step(result)
    places = {1: (s.conv1_map, _cursors(s)[0].place), 2: (s.conv2_map, _cursors(s)[1].place)}
    runs = [*zip(result.shown, result.seen, strict=True)]
    names = ("conv1 maps", "conv2 maps", "probabilities")
    series = [ui.series(name, step, result.series[name]) for name in names]
    for k, place in places.items():
        said = [ui.text(_sum(k, *place, *run), "mono caption") for run in runs]
        series.append(ui.series(f"sum {k}", step, said))
    return [*series, _input(s)]  # last, because its cursors are those of this state


def _sum(k: int, m: int, at: Sequence[int], snapshot: Snapshot, layers: list[Tensor]) -> str:
    """Return the sum of a cell of map m of convolution k, in words."""
    layer: Any = snapshot.net[3 * k - 3]
    i, j = at
    before, after = (layers[3 * k - 3 + n][0, m, i, j].item() for n in (0, 1))
    bias, count = layer.bias[m].item(), layer.weight[m].numel()
    numbers = [formatting.number(x, 3) for x in (before - bias, bias, before, after)]
    total, bias_text, sum_text, made = map(formatting.minus, numbers)
    activation = type(snapshot.net[1]).__name__
    return (
        f"conv{k}, map {m}, cell [{i}, {j}]: {count} products add up to {total}; "
        f"with the bias {bias_text} it is {sum_text}, after {activation} {made}"
    )


def _told(snapshot: Snapshot) -> str:
    """Return how good the network is at a snapshot, and what it confuses most."""
    mistakes = snapshot.confusion.clone().fill_diagonal_(0)
    worst = mistakes.max().item()
    i, j = divmod(int(mistakes.argmax()), 10)
    said = f" It takes a {i} for a {j} most often, {worst} times." if worst else ""
    share = f"{100 * snapshot.accuracy:.1f}%"
    loss = formatting.number(snapshot.loss, 3)
    count = len(snapshot.predicted)
    return f"Step {snapshot.step}: loss {loss}, {share} of {count} test digits right.{said}"


def _status(result: TrainingMicroscopeResult) -> str:
    s, last = result.state, result.shown[-1].step
    run = s.shows if s.fork else "run"
    end = "" if last >= s.steps else f", stopped at {last} of {s.steps}"
    kind = "ReLU and maximum pooling" if s.modern else "sigmoid and average pooling"
    return f"LeNet with {kind}: {len(result.shown)} snapshots of the {run}{end}."


def _go_on(result: TrainingMicroscopeResult) -> Node | None:
    if all(run.is_complete for run in result.runs):
        return None
    return ui.button("train on", lambda: Edit(lambda state: {"tries": state.tries + 1}))


def _forks(result: TrainingMicroscopeResult) -> Node:
    """Return what starts another run, and chooses the one on show."""
    s = result.state
    fork = ui.button(
        "fork here",
        lambda: Edit(
            lambda now: {"fork": (min(now.n, len(result.shown) - 1), now.rate), "shows": RUNS[1]}
        ),
    )
    anew = ui.button(
        "train from the start", lambda: Edit(lambda now: {"lr": now.rate, "fork": None, "n": 0})
    )
    return ui.row(
        ui.number_entry("rate", s.rate, "rate"),
        fork if s.shows == RUNS[0] else None,
        anew,
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
    modern, lr, seed, steps, fork, digit, X, n, shows, rate, pen, conv1_at, conv2_at, conv1_map
        What the panel is set to; each may be set. `fork` is None, or a snapshot and the rate with
        which a second run leaves the first one there; `shows` is "first run" or "fork". `X` is
        the digit, (8, 8), which test picture number `digit` is unless it was drawn on.
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
        super().__init__(
            start, compute, view, first=awaited, rest_waits=True, work=work, adjust=adjust
        )

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
        data, metadata = training_sheet(self.store.result).data(repr(self))
        metadata["image/png"]["varies"] = True  # as the training does, from machine to machine
        return data, metadata
