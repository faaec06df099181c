"""The panel in which one stacks layers, and sees what a cell of any of them sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor

from convkit import codegen, formatting, ops, stacks, ui
from convkit.errors import ConvkitError
from convkit.ops import Pair, WindowGeometry
from convkit.stacks import Layer, ReceptiveField
from convkit.ui import Cell, Cursor, Edit, Frame, Node, Scale, caption, fields, text
from convkit.ui.typed import read_pair, write_pair

GRIDS = ("input", "first", "second", "third", "fourth", "fifth")
"""The cursors of the grids: of the input, and of what each layer makes."""
MAX_SIDE = 16
"""The most rows or columns of a grid."""
CELL, MAX_WIDTH = 24, 384
"""CSS pixels of a cell of the input, and of a grid whose cells are larger than that."""
LEAST = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
"""What a layer is made of, and the least that each may be."""


def _layers(name: str, given: Any) -> tuple[Layer, ...]:
    layers = stacks.as_layers(given)
    if len(layers) >= len(GRIDS):
        hint = "Leave some out; receptive_field takes any number."
        raise ConvkitError(f"{name} has {len(layers)} of them", f"at most {len(GRIDS) - 1}", hint)
    return layers


class ReceptiveFieldState(ui.State):
    """A stack of layers on an input, and the cell that is looked at: cell `at` of grid `n`."""

    layers: tuple[Layer, ...] = fields.checked(_layers, (Layer(3), Layer(2, 2), Layer(3)))
    size: Pair = fields.pair(11, 1, MAX_SIDE)
    n: int = fields.whole(len(GRIDS) - 1, 0, len(GRIDS) - 1, view=True)
    at: Cell = fields.cell(view=True)


@dataclass(frozen=True)
class ReceptiveFieldResult:
    """Where the windows of each layer lie, and how the chosen cell is connected with the others.

    Attributes
    ----------
    state : ReceptiveFieldState
        The state.
    stack : list of WindowGeometry
        The layers.
    cursors : list of Cursor
        One for each grid.
    chosen : int
        The grid of the chosen cell.
    counts : list of Tensor
        As `stacks.path_counts` returns them.
    sentences : list of rows of str
        What is said of each cell of each grid.
    """

    state: ReceptiveFieldState
    stack: list[WindowGeometry]
    cursors: list[Cursor]
    chosen: int
    counts: list[Tensor]
    sentences: list[list[list[str]]]


class ReceptiveFieldExplorer(ui.Panel):
    """Stack up to five layers, and see which cells a cell of any of them sees, and which see it.

    The numbers say in how many ways the chosen cell is connected with another one.

    Parameters
    ----------
    layers : sequence
        As `convkit.receptive_field` takes them.
    size : int or (h, w)
        Cells of the input, at most 16 x 16.

    Attributes
    ----------
    layers, size, n, at
        What the panel is set to; each may be set. The chosen cell is cell `at` of what layer `n`
        makes, or of the input where `n` is 0.

    Raises
    ------
    ConvkitError
        If what is given or set cannot work; the panel keeps its last good state.

    Examples
    --------
    >>> panel = ReceptiveFieldExplorer([3, 3], size=8)
    >>> panel.at = 2, 3
    >>> panel
    ReceptiveFieldExplorer: Each cell of layer 2 sees 5 × 5 cells of the input, its neighbour as ...
    layer 1: 6 × 6 cells, each sees 3 = 1 + 2 × 1 × 1, 1 apart, from 0
    layer 2: 4 × 4 cells, each sees 5 = 3 + 2 × 1 × 1, 1 apart, from 0
    layer 2 [2, 3] sees rows 2 to 6, columns 3 to 7 of the input
    """

    def __init__(self, layers: Any = (3, (2, 2), 3), size: Pair = 11) -> None:
        super().__init__(ReceptiveFieldState(layers, size), compute, view, first=first)

    def __repr__(self) -> str:
        result = self.store.result
        layers = [f"{_title(m)}: {_numbers(result, m)}" for m in range(1, len(result.cursors))]
        return "\n".join([f"ReceptiveFieldExplorer: {_status(result)}", *layers, _sentence(result)])


def compute(state: ReceptiveFieldState, previous: Any = None) -> ReceptiveFieldResult:
    """Return what follows from a stack."""
    stack = stacks.geometries(state.layers, state.size)
    sizes = [stack[0].input_size, *(each.output_size for each in stack)]
    if max(map(max, sizes)) > MAX_SIDE:
        given = f"the grids have {', '.join(map(formatting.size, sizes))} cells"
        raise ConvkitError(given, f"at most {MAX_SIDE} rows and columns", "Use less padding.")
    n = min(state.n, len(stack))
    cursors = [
        Cursor(name, size, state.at, lambda at, m=m: {"n": m, "at": at}, is_chosen=m == n)
        for m, (name, size) in enumerate(zip(GRIDS, sizes, strict=False))
    ]
    counts = stacks.path_counts(state.layers, state.size, n, cursors[n].place)
    sentences = [_sentences(stack, m) for m in range(len(cursors))]
    return ReceptiveFieldResult(state, stack, cursors, n, counts, sentences)


def view(result: ReceptiveFieldResult) -> Node:
    """Return the grids side by side, and below them the layers."""
    count = len(result.stack)
    code = codegen.stack_code(result.state.layers, result.state.size)
    return ui.column(
        ui.header(_status(result)),
        ui.together(*(_grid(result, m) for m in range(count + 1))),
        ui.description(result.cursors[result.chosen], _sentence(result)),
        text("Point at a cell of any grid; a click keeps it. Numbers count ways.", "caption hint"),
        *(_layer(result, m) for m in range(1, count + 1)),
        ui.row(
            ui.pair_entry("size", result.state.size, 1),
            ui.button("add a layer", _added) if count + 1 < len(GRIDS) else None,
            ui.button("remove the last layer", _removed) if count > 1 else None,
        ),
        ui.section("torch code", ui.code("torch code", code)),
    )


def first(result: ReceptiveFieldResult) -> list[Node]:
    """Return what a learner waits for: the status line and the grids."""
    grids = [part for m in range(len(result.cursors)) for part in _grid(result, m)]
    return [ui.status(_status(result)), *(part for part in grids if part.name)]


def _field(result: ReceptiveFieldResult, m: int) -> ReceptiveField:
    """Return what the cells of grid m see."""
    return stacks.receptive_field(result.state.layers[:m]) if m else ReceptiveField(1, 1, 0)


def _title(m: int) -> str:
    return f"layer {m}" if m else "input"


def _status(result: ReceptiveFieldResult) -> str:
    field = _field(result, len(result.stack))
    size, stride = formatting.size(ops.to_pair("size", field.size)), write_pair(field.stride)
    last = f"Each cell of layer {len(result.stack)} sees {size} cells of the input"
    return f"{last}, its neighbour as many, {stride} further on."


def _grid(result: ReceptiveFieldResult, m: int) -> Node:
    """Return a grid; frames show the cells that others see, or that see them."""
    counts = result.counts[m]
    size, step = formatting.size(counts.shape), min(ops.to_pair("", _field(result, m).stride))
    grids = sorted(range(len(result.cursors)), key=lambda k: k != m)
    table = ui.table(
        f"{_title(m)} grid",
        counts,
        Scale.centred(2 * max(1.0, counts.max().item())),
        frames=[_frame(result, k, m) for k in grids],
        descriptions=result.sentences[m],
        texts=[[f"{n:.0f}" if 0 < n < 1000 else "" for n in row] for row in counts.tolist()],
        aria_label=f"{_title(m)} {size}",
        headers=False,
        cell=min(CELL * step, max(CELL, MAX_WIDTH // max(counts.shape))),
    )
    return ui.titled(_title(m), caption(size), table, hue="kernel" if m else "input")


def _frame(result: ReceptiveFieldResult, k: int, m: int) -> Frame:
    """Return which cells of grid m the cell of grid k sees, or which see it."""
    low, high = sorted((k, m))
    frame = Frame(result.cursors[high], hue="output")
    for windows in reversed(result.stack[low:high]):
        frame = replace(frame.through(windows), hue="kernel" if m else "input")
    return replace(frame.holding(result.cursors[k]), hue="gradient") if k < m else frame


def _sentence(result: ReceptiveFieldResult) -> str:
    i, j = result.cursors[result.chosen].place
    return result.sentences[result.chosen][i][j]


def _sentences(stack: list[WindowGeometry], m: int) -> list[list[str]]:
    """Return what each cell of grid m sees of the input, and what of the last layer sees it."""
    parts = []
    if below := stack[:m]:
        parts.append(_said("sees", below, stacks.lines_seen, "the input"))
    if above := stack[m:]:
        parts.append(_said("is seen by", above, stacks.lines_seeing, _title(len(stack))))
    rows = [[", and ".join(e) for e in zip(*row, strict=True)] for row in zip(*parts, strict=True)]
    return [[f"{_title(m)} [{i}, {j}] {e}" for j, e in enumerate(r)] for i, r in enumerate(rows)]


def _said(verb: str, stack: list[WindowGeometry], lines: Any, of: str) -> list[list[str]]:
    """Return for each cell of one end of a stack which cells of the other it is connected with."""
    seen = zip(("row", "column"), (lines(stack, 0), lines(stack, 1)), strict=True)
    rows, columns = ([e and formatting.lines(name, e) for e in axis] for name, axis in seen)
    cells = [[f"{i}, {j}" if i and j else "no cell" for j in columns] for i in rows]
    return [[f"{verb} {each} of {of}" for each in row] for row in cells]


def _layer(result: ReceptiveFieldResult, m: int) -> Node:
    """Return the boxes of layer m, and what its cells see, in numbers."""
    boxes = []
    for name in LEAST:
        value = getattr(result.state.layers[m - 1], name)
        edits = partial(_typed, m, name, value)
        written = write_pair(value[0] if value[0] == value[1] else value)
        box = ui.entry(f"{name} of layer {m}", written, edits, width=44, shows_name=False)
        boxes += [caption(name.partition("_")[0]), box]
    said = text(_numbers(result, m), "mono caption")
    return ui.row(ui.heading(_title(m), "kernel"), *boxes, said)


def _numbers(result: ReceptiveFieldResult, m: int) -> str:
    """Return how many cells layer m has, and the receptive field of each."""
    (size, step, start), below = _field(result, m), _field(result, m - 1)
    told = f"{formatting.size(result.cursors[m].sizes)} cells, each sees {write_pair(size)}"
    if isinstance(size, int):
        (k, _), (d, _) = result.stack[m - 1].kernel_size, result.stack[m - 1].dilation
        told += f" = {below.size} + {k - 1} × {d} × {below.stride}"
    return formatting.minus(f"{told}, {write_pair(step)} apart, from {write_pair(start)}")


def _typed(m: int, name: str, kept: Cell, typed: str) -> Edit:
    """Return the edit of a number of layer m."""
    value = read_pair(name, typed, LEAST[name], kept)

    def change(state: ReceptiveFieldState) -> dict[str, Any]:
        layers = list(state.layers)
        layers[m - 1 : m] = [Layer(**{**vars(each), name: value}) for each in layers[m - 1 : m]]
        return {"layers": layers}

    return Edit(change)


def _added() -> Edit:
    return Edit(lambda state: {"layers": [*state.layers, 3]})


def _removed() -> Edit:
    return Edit(lambda state: {"layers": state.layers[:-1]})
