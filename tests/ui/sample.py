"""A panel with every kind of control, for tests; browser tests run this file's text in a cell."""

import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from convkit import formatting, ui
from convkit.errors import ConvkitError
from convkit.ui import fields

STEPS = 7


class SampleState(ui.State):
    X: Tensor = fields.array(torch.arange(48.0).reshape(6, 8), max_side=12)
    K: Tensor = fields.array(torch.tensor([[1.0, -1.0]]), max_side=7)
    size: int = fields.whole(2, 1, 4)
    mode: str = fields.choice("max", "avg")
    rows: int = fields.whole(3)
    flip: bool = fields.flag()
    word: str = fields.checked(lambda name, value: str(value), "a")
    opened: str = fields.checked(lambda name, value: str(value), "")
    spot: tuple = fields.checked(lambda name, value: tuple(value), (10.0, 10.0))
    at: ui.Cell = fields.cell(view=True)
    pointed: tuple = fields.cell(None, optional=True, view=True)
    n: int = fields.whole(0, 0, STEPS - 1, view=True)


@dataclass(frozen=True)
class SampleResult:
    state: SampleState
    output: Tensor
    total: float | None = None
    """What the slow work returns; None until it has."""


def compute(state, previous=None):
    if state.size > min(state.X.shape):
        raise ConvkitError(f"size is {state.size}", "a size that fits", "Use a larger input.")
    pool = {"max": functional.max_pool2d, "avg": functional.avg_pool2d}[state.mode]
    values = state.X.flip(1) if state.flip else state.X
    return SampleResult(state, pool(values[None], state.size)[0] + state.K.sum())


def slow(seconds):
    """Return work that sums the kernel, and takes its time."""

    def work(result):
        if result.total is not None:
            return None

        def run(report):
            for k in range(10):
                report(k, 10)
                time.sleep(seconds / 10)
            return result.state.K.sum().item()

        def finish(result, total):
            return replace(result, total=total)

        return ui.Work(run, finish, "summing the kernel", (result.state.K,))

    return work


def view(result):
    state, output = result.state, result.output
    window = ui.Cursor("window", output.shape, state.at, "at", point="pointed")
    step = ui.Cursor("step", STEPS, state.n, "n", quiet=True)
    size = state.size
    reads = ui.Frame(window, (0, size, 0), (0, 0, size), (size, size))
    says = [
        [f"Y[{i}, {j}] = {formatting.number(y)}" for j, y in enumerate(line)]
        for i, line in enumerate(output.tolist())
    ]
    signed = ui.Scale.signed(output)
    losses = [f"loss {formatting.number(state.K.abs().sum().item() * n)}" for n in range(STEPS)]
    total = "" if result.total is None else f" Total {formatting.number(result.total)}."
    return ui.column(
        ui.header(f"{state.mode} pooling: {formatting.size(output.shape)}.{total}"),
        ui.row(
            ui.choice("mode", {"max": "the largest", "avg": "the mean"}, state.mode, "mode"),
            ui.labelled(ui.slider("size", 1, 4, size, "size", f"{size} cells")),
            ui.labelled(ui.select("rows", (3, 6, 9), state.rows, "rows")),
            ui.check("flip", state.flip, "flip"),
            ui.entry("word", state.word, "word"),
            ui.button("zero", lambda: {"K": torch.zeros(1, 2)}),
            ui.file("open", ".txt", lambda name, data: {"opened": f"{name}: {len(data)}"}),
            ui.text(state.opened),
        ),
        ui.box(
            ui.titled("kernel", ui.numbers("kernel", state.K, "K", symbol="K"), hue="kernel"),
            ui.titled(
                "input",
                ui.table(
                    "input",
                    state.X,
                    ui.Scale.fitted(state.X),
                    frames=[reads],
                    paint=lambda cells: ui.Edit(lambda now: {"X": painted(now.X, cells)}, "paint"),
                ),
            ),
            ui.titled(
                "output",
                ui.table("output", output, signed, frames=[ui.Frame(window)], descriptions=says),
                ui.description(window, says[window.at[0]][window.at[1]]),
            ),
            ui.picture("photo", state.X, ui.Scale.fitted(state.X), frames=[reads], width=160),
            css="arrays",
        ),
        ui.row(ui.player("step", step), ui.series("loss", step, map(ui.text, losses))),
        ui.row(
            ui.plot(
                "curve", (140, 60), step, [(20 * n, 8 * n) for n in range(STEPS)], notes=losses
            ),
            ui.plot(
                "surface",
                (80, 60),
                step,
                [state.spot] * STEPS,
                notes=losses,
                edits=lambda x, y: {"spot": (round(x), round(y))},
            ),
        ),
        ui.section("torch code", ui.code("torch code", f"K = {state.K.tolist()}  # 1 < 2 & 3")),
    )


def painted(X, cells):
    new = X.clone()
    for i, j in cells:
        if i < X.shape[0] and j < X.shape[1]:
            new[i, j] = 99.0
    return new


def panel(**options):
    return ui.Panel(SampleState(), compute, view, **options)
