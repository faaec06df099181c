"""Pooling: which numbers of an input a sliding window keeps."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from convkit import formatting, ops, ui
from convkit.ui import Cell, Cursor, Frame, Node, Scale, fields


class PoolingState(ui.State):
    """What the panel is set to."""

    X: Tensor = fields.array(max_side=12)
    size: int = fields.whole(2, 1, 4)
    stride: int = fields.whole(2, 1, 4)
    mode: str = fields.choice("max", "avg")
    at: Cell = fields.cell(view=True)


@dataclass(frozen=True)
class PoolingResult:
    """What is computed from a state: the output, how each number came about, and what won."""

    state: PoolingState
    output: Tensor
    sums: list[list[str]]
    winners: tuple[int, ...]


def compute(state: PoolingState, previous: PoolingResult | None = None) -> PoolingResult:
    """Return the result of a state."""
    Y = ops.pool2d(state.X, state.size, state.mode, stride=state.stride)
    windows = ops.patches(state.X, state.size, stride=state.stride)
    said = formatting.maxima if state.mode == "max" else formatting.averages
    sums = said(windows, Y.flatten())
    rows = [sums[k : k + Y.shape[1]] for k in range(0, len(sums), Y.shape[1])]
    winners = tuple(windows.argmax(1).tolist()) if state.mode == "max" else ()
    return PoolingResult(state, Y, rows, winners)


def view(result: PoolingResult) -> Node:
    """Return what the panel shows of a result."""
    s, Y = result.state, result.output
    window = Cursor("window", Y.shape, s.at, choose="at")
    (i, j), size = window.place, (s.size, s.size)
    reads = Frame(window, (0, s.stride, 0), (0, 0, s.stride), size, picks=result.winners)
    chosen, scale = Frame(window, hue="output"), Scale.fitted(s.X)
    X = ui.table("input", s.X, scale, frames=[reads])
    output = ui.table("output", Y, scale, frames=[chosen], descriptions=result.sums)
    return ui.column(
        ui.header(f"{s.mode} pooling keeps {Y.numel()} of {s.X.numel()} numbers."),
        ui.row(
            ui.choice("mode", ("max", "avg"), s.mode, edits="mode"),
            ui.labelled(ui.slider("size", 1, 4, s.size, "size", f"{s.size} × {s.size}")),
            ui.labelled(ui.slider("stride", 1, 4, s.stride, "stride", str(s.stride))),
        ),
        ui.equation(
            ui.term("input X", X, hue="input", scale=scale),
            ui.term("output Y", output, sign="→", hue="output", scale=scale),
        ),
        ui.description(window, result.sums[i][j]),
        ui.section("edit the input", ui.numbers("pixels", s.X, edits="X", symbol="X")),
    )


class Pooling(ui.Panel):
    """Pool an input X, up to (12, 12), that can be edited, and see what each window keeps.

    Examples
    --------
    >>> Pooling([[1, 2], [3, 4]]).store.result.sums
    [['max(1, 2, 3, 4) = 4']]
    """

    def __init__(self, X: Any) -> None:
        super().__init__(PoolingState(X), compute, view)
