"""The arithmetic of a sliding window, as HTML and CSS alone.

Point at an output cell, or move the keyboard focus to it: the kernel slides over its window in the
input and the sum is spelled out. ``:has()`` rules do it, so it works with no kernel and no script.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit import ops, formatting
from convkit.views.html import (
    cell_size,
    colour_rules,
    figure,
    fitting_font,
    grey_class,
    signed_table,
    table,
    tint_class,
)
from convkit.errors import ConvkitError
from convkit.state.experiment import differing
from convkit.ops import Pair, pair

LIMIT = 16
"""The most rows or columns, padding included, that a lens shows."""
DIFFERS = ", but yours gives "


def _rules() -> str:
    """Return the rules that say where the window is, for up to LIMIT rows and columns."""
    rules = []
    for axis, name in (("r", "i"), ("c", "j")):
        for n in range(LIMIT):
            at = f".ck-Y .{axis}{n}" + (">" if axis == "r" else "")
            rules += [
                f".ck-lens:has({at}:hover){{--{name}:{n}}}",
                f".ck-lens:not(:has(.ck-Y td:hover)):has({at}:focus){{--{name}:{n}}}",
            ]
    return "".join(rules)


STYLE = files("convkit.views").joinpath("lens.css").read_text() + _rules() + colour_rules()
"""Everything a lens or a table needs; a page may hold it more than once."""


@dataclass(frozen=True)
class Lens:
    """A lens on one operation: shown as HTML, spelled as text.

    `input`, `kernel` and `output` are its three tables, for panels that lay them out themselves
    inside an element of class ``ck-lens``; `room` is the space the sums need below them.
    """

    text: str
    input: str
    kernel: str
    output: str
    room: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        tables = self.input + self.kernel + self.output + self.room
        return f'<div class="ck-lens"><style>{STYLE}</style>{tables}</div>'


def lens(
    X: Tensor,
    K: Tensor,
    *,
    flip: bool = False,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
    bias: float | None = None,
    yours: Tensor | None = None,
    at: tuple[int, int] = (0, 0),
    limit: float | None = None,
    loupe: bool = False,
) -> Lens:
    """Return a lens on ``corr2d(X, K)``, or on ``convolve2d(X, K)`` where `flip` is true.

    Parameters
    ----------
    X, K : Tensor
        Input (H, W), up to 16 x 16 with its padding, and kernel (kH, kW).
    bias : float, optional
        Added to every sum.
    yours : Tensor, optional
        What another implementation gives, (H_out, W_out): cells that differ are marked.
    at : (i, j)
        The output cell shown while none is pointed at, counted from 0.
    limit : float, optional
        Value of the darkest output colour; fitted to the output unless given.
    loupe : bool
        Show only the neighbourhood of `at`: for an input of any size.

    Raises
    ------
    ConvkitError
        As `corr2d` does, and if the input is too large to show whole.
    """
    options = {"padding": padding, "stride": stride, "dilation": dilation}
    Y = (ops.convolve2d if flip else ops.corr2d)(X, K, **options) + (bias or 0)
    W = K.flip(0, 1) if flip else K
    ops.window(X, K, *at, **options)  # refuses a cell that does not exist
    scene = _Scene(X, Y, W, lambda patch: formatting.window_sum(patch, W, bias), **options)
    scene.kernel = figure("K", f"kernel {formatting.size(K.shape)}", signed_table(K))
    return scene.lens(at, limit or formatting.colour_limit(Y), yours, loupe)


def pool_lens(
    X: Tensor, pool_size: Pair, mode: str = "max", *, padding: Pair = 0, stride: Pair = 1
) -> Lens:
    """Return a lens on ``pool2d(X, pool_size, mode)``; see `lens` and `pool2d`."""
    Y = ops.pool2d(X, pool_size, mode, padding=padding, stride=stride)
    no_weights = torch.full(pair("pool_size", pool_size, 1), float("nan"))
    options = {"padding": padding, "stride": stride, "dilation": 1}
    scene = _Scene(X, Y, no_weights, lambda patch: formatting.pool_sum(patch, mode), **options)
    if mode == "max":
        scene.padded[~scene.real] = float("-inf")
    return scene.lens((0, 0), formatting.colour_limit(Y), None, False)


class _Axis:
    """Along one axis: which outputs are shown, and which padded input cells they see."""

    def __init__(self, outputs, at, stride, dilation, size, loupe) -> None:
        span = dilation * (size - 1) + 1
        skip = dilation if loupe and span > LIMIT else 1  # else the window itself is too large
        count = max(1, min(outputs, (9 - span) // stride + 1)) if loupe else outputs
        start = min(max(at - count // 2, 0), outputs - count)
        stop = (start + count - 1) * stride + span
        self.outputs = range(start, start + count)
        self.cells = slice(start * stride, stop, skip) if loupe else slice(None)
        self.at, self.dilation = at - start, dilation // skip


class _Scene:
    """What a lens shows: input X, output Y, the weights W that slide, how a patch is spelled."""

    def __init__(self, X, Y, W, spelled, *, padding, stride, dilation) -> None:
        if not (X.isfinite().all() and Y.isfinite().all()):
            raise ConvkitError("inf or nan in X, K or the output", "numbers", "Replace them.")
        self.X, self.Y, self.W, self.spelled, self.kernel = X, Y, W, spelled, ""
        (ph, pw), self.stride = pair("padding", padding), pair("stride", stride, 1)
        self.dilation = pair("dilation", dilation, 1)
        self.padded = F.pad(X, (pw, pw, ph, ph))
        self.real = F.pad(torch.ones_like(X, dtype=torch.bool), (pw, pw, ph, ph))
        self.padding = f" with padding {formatting.size((ph, pw))}" if ph or pw else ""

    def lens(self, at: tuple[int, int], limit: float, yours: Tensor | None, loupe: bool) -> Lens:
        if not loupe and max(self.padded.shape) > LIMIT:
            raise ConvkitError(
                f"X is {formatting.size(self.padded.shape)} with its padding",
                f"at most {LIMIT} rows and columns for a lens",
                "Show a part of it, such as X[:8, :8], or show the whole as a picture.",
            )
        numbers = self.Y.shape, at, self.stride, self.dilation, self.W.shape
        rows, columns = (_Axis(*along, loupe) for along in zip(*numbers, strict=True))
        shown = self.padded[rows.cells, columns.cells]
        width = shown.shape[1] + len(columns.outputs) + (0 if loupe else self.W.shape[1])
        digits = 2 if width > 26 else 3 if width > 16 else 4
        Y = self.Y[list(rows.outputs)][:, list(columns.outputs)]
        write = formatting.short if loupe else partial(formatting.number, digits=digits)
        chars = max(len(write(x)) for x in (*shown.flatten().tolist(), *Y.flatten().tolist()))
        size = cell_size(chars, fitting_font(chars, width))
        where = f" around Y[{at[0]}, {at[1]}]"
        whole = (rows.dilation, columns.dilation) == self.dilation
        gaps = "" if whole else ", without the cells between"
        sums = [[self._sum(i, j, yours) for j in columns.outputs] for i in rows.outputs]
        lines = max(len(said) for row in sums for said in row) // 110 + 1
        return Lens(
            text=f"lens: input {formatting.size(self.X.shape)}{self.padding}, "
            f"window {formatting.size(self.W.shape)}, output {formatting.size(self.Y.shape)}\n"
            f"Y[{at[0]}, {at[1]}] = {self._spell(*at)}",
            input=figure(
                "X",
                f"input{where}{gaps}"
                if loupe
                else f"input {formatting.size(self.X.shape)}{self.padding}",
                f'<div class="ck-frame" style="{size}">{self._input(rows, columns, write)}'
                f"{self._window(rows, columns)}</div>",
            ),
            kernel=self.kernel,
            output=figure(
                "Y",
                f"output{where}" if loupe else f"output {formatting.size(self.Y.shape)}",
                f'<div class="ck-cells" style="{size}">'
                f"{self._output(Y, sums, (rows.at, columns.at), limit, write)}</div>",
            ),
            room=f'<div class="ck-room" style="height:{lines * 20 + 4}px"></div>',
        )

    def _spell(self, i: int, j: int) -> str:
        (h, w), (sh, sw), (dh, dw) = self.W.shape, self.stride, self.dilation
        rows = slice(i * sh, i * sh + dh * (h - 1) + 1, dh)
        columns = slice(j * sw, j * sw + dw * (w - 1) + 1, dw)
        return self.spelled(self.padded[rows, columns])

    def _sum(self, i: int, j: int, yours: Tensor | None) -> str:
        said = f"Y[{i}, {j}] = {self._spell(i, j)}"
        if yours is None or not differing(yours[i, j], self.Y[i, j]):
            return said
        return f"{said}{DIFFERS}{formatting.number(yours[i, j])}"

    def _input(self, rows: _Axis, columns: _Axis, write: Callable[[float], str]) -> str:
        low, high = min(0.0, self.X.min().item()), max(1.0, self.X.max().item())
        shown, real = (part[rows.cells, columns.cells] for part in (self.padded, self.real))
        classes = [
            [
                grey_class(x, low, high) if is_real else "pad"
                for x, is_real in zip(*both, strict=True)
            ]
            for both in zip(shown.tolist(), real.tolist(), strict=True)
        ]
        return table(shown, classes, write=write)

    def _window(self, rows: _Axis, columns: _Axis) -> str:
        dh, dw = rows.dilation, columns.dilation
        cells = "".join(
            f'<span style="left:calc({b * dw}*var(--ck-w));top:calc({a * dh}*var(--ck-h))">'
            + (f"<b>{formatting.number(weight, 2)}</b>" if weight == weight else "")
            + "</span>"
            for a, row in enumerate(self.W.tolist())
            for b, weight in enumerate(row)
        )
        place = f"--i0:{rows.at};--j0:{columns.at};--si:{self.stride[0]};--sj:{self.stride[1]}"
        return f'<div class="ck-slide" aria-hidden="true" style="{place}">{cells}</div>'

    def _output(self, Y: Tensor, sums, at: tuple[int, int], limit: float, write) -> str:
        classes = [[tint_class(y, limit) for y in row] for row in Y.tolist()]
        classes[at[0]][at[1]] += " at"
        for row, said in zip(classes, sums, strict=True):
            row[:] = [c + " bad" if DIFFERS in s else c for c, s in zip(row, said, strict=True)]
        inside = [[f'<span class="ck-sum">{said}</span>' for said in row] for row in sums]
        return table(Y, classes, write=write, inside=inside, attributes=' tabindex="0"')
