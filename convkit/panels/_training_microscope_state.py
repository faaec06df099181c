"""What a training microscope is set to, checked; and what a pen does to its digit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import Tensor

from convkit import formatting, networks, ops, ui
from convkit.errors import ConvkitError, brief_repr
from convkit.inputs import as_array
from convkit.ui import Cell, Edit, fields
from convkit.ui.store import Fields

LAYERS, MAPS, SIDES = networks.CONVOLUTIONS, {1: 6, 2: 16}, {1: networks.SIDE, 2: 10}
"""Of each convolution its place in the network, how many maps it makes, and their rows."""
STEPS, EVERY = 440, 11
"""Twenty epochs, and the steps from one snapshot to the next: 41 snapshots."""
PENS = {"ink": 1.0, "grey": 0.5, "erase": 0.0}
RUNS = ("first run", "fork")


def _square(side: int, name: str, given: Any) -> Tensor:
    values = ops.check_finite(name, as_array(name, given))
    if values.shape != (side, side):
        size = formatting.size(values.shape)
        raise ConvkitError(f"{name} is {size}", f"{side} × {side}", f"Cut it to {side} × {side}.")
    return values.float()


_rate = fields.real(0, 0, 1, above=0).metadata["check"]


def _read(read: Callable[[str, Any], Any], example: str, name: str, given: Any) -> Any:
    """Return what is read of an argument; where it is of another kind, say how to write it."""
    try:
        return read(name, given)
    except ConvkitError:
        raise
    except (TypeError, ValueError) as error:
        hint = f"Write {name} = {example}."
        raise ConvkitError(f"{name} is {brief_repr(given)}", f"such as {example}", hint) from error


def _fork(name: str, given: Any) -> tuple[int, float]:
    at, lr = given
    return ops.to_whole(f"the snapshot of {name}", at, 0, STEPS // EVERY), _rate("its rate", lr)


def _kernels(name: str, given: Any) -> tuple[tuple[int, Tensor], ...]:
    by_map = {ops.to_whole(f"a map of {name}", m, 0, 5): K for m, K in dict(given).items()}
    return tuple((m, _square(5, f"{name}[{m}]", by_map[m])) for m in sorted(by_map))


def _place(k: int, name: str, given: Any) -> tuple[int, ...]:
    sizes = SIDES[k], SIDES[k], MAPS[k]
    return tuple(ops.to_whole(name, n, 0, size - 1) for n, size in zip(given, sizes, strict=True))


def _off(name: str, given: Any) -> tuple[Cell, ...]:
    whole = partial(ops.to_whole, f"a number in {name}")
    pairs = {(whole(k, 1, 2), m) for k, m in given}
    return tuple(sorted({(k, whole(m, 0, MAPS[k] - 1)) for k, m in pairs}))


class TrainingMicroscopeState(ui.State):
    """Which training is on show, at which snapshot, and what the network looks at."""

    X: Tensor = fields.checked(partial(_square, 8))
    modern: bool = fields.flag(True)
    lr: float = fields.real(2e-3, 0, 1, above=0)
    seed: int = fields.whole(0, 0, 999)
    steps: int = fields.whole(STEPS, 1, STEPS)
    fork: tuple[int, float] | None = fields.checked(
        partial(_read, _fork, "(8, 0.01)"), None, optional=True
    )
    digit: int = fields.whole(0, 0, networks.HELD_OUT - 1)
    kernels: tuple[tuple[int, Tensor], ...] = fields.checked(partial(_read, _kernels, "{0: K}"), ())
    off: tuple[Cell, ...] = fields.checked(partial(_read, _off, "[(1, 0)]"), ())
    tries: int = fields.whole(0, view=True)
    n: int = fields.whole(0, view=True)
    shows: str = fields.choice(*RUNS, view=True)
    rate: float = fields.real(2e-2, 0, 1, above=0, view=True)
    pen: str = fields.choice(*PENS, view=True)
    conv1_at: Cell = fields.cell((12, 12), view=True)
    conv2_at: Cell = fields.cell((4, 4), view=True)
    conv1_over: tuple[int, ...] | None = fields.checked(
        partial(_read, partial(_place, 1), "(12, 12, 0)"), None, optional=True, view=True
    )
    conv2_over: tuple[int, ...] | None = fields.checked(
        partial(_read, partial(_place, 2), "(4, 4, 0)"), None, optional=True, view=True
    )
    conv1_map: int = fields.whole(0, 0, 5, view=True)
    conv2_map: int = fields.whole(0, 0, 15, view=True)

    @property
    def settings(self) -> tuple[Any, ...]:
        """What the first run depends on."""
        return self.modern, self.seed, self.lr, self.steps


def paint(level: float, cells: Sequence[Cell]) -> Edit:
    """Return the edit that draws over cells of the digit with a pen of a level."""

    def change(state: TrainingMicroscopeState) -> Fields:
        X = state.X.clone()
        X[tuple(zip(*cells, strict=True))] = level
        return {"X": X}

    return Edit(change, "paint")
