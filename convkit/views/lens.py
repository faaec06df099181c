"""The arithmetic of a sliding window, as HTML and CSS alone.

Point at an output cell, or choose it by a click, a tap or the arrow keys: the kernel slides over
its window in the input and the sum is written out. Each output cell is a radio button, and
``:has()`` rules do the rest, so it works without a kernel or a script.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from convkit import formatting, ops
from convkit.comparison import mismatch_mask, rounding_bound
from convkit.errors import ConvkitError
from convkit.ops import Pair, WindowGeometry
from convkit.views.html import (
    LENS_LIMIT,
    STYLE,
    Rows,
    cell_size,
    cells,
    figure,
    fitting_font,
    frame,
    grey_classes,
    longest,
    signed_classes,
    table,
)

RADIO_BUTTON = '<input type="radio" name="cell" data-lm-suppress-shortcuts="true"'
"""Of an output cell; its keys do not reach JupyterLab, in which "d d" deletes a notebook's cell."""
CHIP_HEIGHT = 11
"""The height of the weight above a number in the window, in pixels."""
ZOOM = 9
"""The most input rows or columns that a zoomed lens shows, if the window itself has no more."""


@dataclass(frozen=True)
class Lens:
    """A lens on one operation: HTML where it can be shown, text elsewhere.

    Attributes
    ----------
    text : str
        The sizes and the sum of one output cell.
    input, kernel, output : str
        The three tables, as HTML, for a panel that lays them out itself in an element of class
        ``ck-lens``.
    sum_space : str
        The sum of the cell that `lens` was given, as HTML as tall as the longest sum, to be placed
        below the tables: where another cell is pointed at or chosen, its sum appears there.
    """

    text: str
    input: str
    kernel: str
    output: str
    sum_space: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        parts = self.input + self.kernel + self.output + self.sum_space
        # JupyterLab shows the first line in place of a collapsed output.
        return f'<!-- a lens -->\n<div class="ck-lens"><style>{STYLE}</style>{parts}</div>'


def lens(  # noqa: PLR0913
    X: Tensor,
    K: Tensor,
    *,
    flip: bool = False,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
    padding_mode: str = "zeros",
    bias: float | None = None,
    candidate: Tensor | None = None,
    at: tuple[int, int] = (0, 0),
    limit: float | None = None,
    zoom: bool = False,
) -> Lens:
    """Return a lens on ``corr2d(X, K)``, or on ``convolve2d(X, K)`` where `flip` is true.

    Parameters
    ----------
    X, K : Tensor
        Input (H, W), up to 16 x 16 with its padding, and kernel (kH, kW).
    flip : bool
        Whether to flip the kernel in both axes.
    padding, stride, dilation, padding_mode
        As in `corr2d`.
    bias : float, optional
        Added to every sum.
    candidate : Tensor, optional
        What another implementation gives, (H_out, W_out): cells that differ by more than rounding
        are marked.
    at : (i, j)
        The output cell whose sum is shown while none is pointed at, counted from 0.
    limit : float, optional
        The value of the darkest output colour; fitted to the output unless given.
    zoom : bool
        Show only the neighbourhood of `at`: for an input of any size.

    Raises
    ------
    ConvkitError
        As `corr2d` does; if the input is too large to show whole; if there is no output cell `at`;
        if `candidate` has another shape than the output.

    Examples
    --------
    >>> lens(torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2))
    lens: input 3 × 3, window 2 × 2, output 2 × 2
    Y[0, 0] = 0×0 + 1×1 + 3×2 + 4×3 = 19
    """
    X, K = ops.check_array("X", X).detach(), ops.check_array("K", K).detach()
    geometry = WindowGeometry(X.shape, K.shape, padding, stride, dilation)
    if not zoom:
        _check_size(geometry)
    at = ops.to_pair("at", at)
    options: dict[str, Any] = {"padding": padding, "stride": stride, "dilation": dilation}
    ops.window(X, K, *at, padding_mode=padding_mode, **options)  # raises if there is no such cell
    renderer = _LensRenderer(
        ops.pad2d(X, geometry.padding, padding_mode),
        K.flip(0, 1) if flip else K,
        geometry,
        padding_text=_padding_text(geometry, padding_mode),
        bias=bias,
        at=at,
        zoom=zoom,
    )
    if candidate is not None:
        renderer.compare(candidate)
    return Lens(
        text=renderer.text(),
        input=renderer.input_figure(),
        kernel=renderer.kernel_figure(K),
        output=renderer.output_figure(limit),
        sum_space=renderer.sum_space(),
    )


def _check_size(geometry: WindowGeometry) -> None:
    if max(geometry.padded_size) > LENS_LIMIT:
        raise ConvkitError(
            f"X is {formatting.size(geometry.padded_size)} with its padding",
            f"at most {LENS_LIMIT} rows and columns for a lens",
            "Show a part of it, such as X[:8, :8], or show the whole as a picture.",
        )


def _padding_text(geometry: WindowGeometry, padding_mode: str) -> str:
    """Return " with padding 1 × 1", and the mode unless it is "zeros"."""
    if not any(geometry.padding):
        return ""
    mode = "" if padding_mode == "zeros" else f" ({padding_mode})"
    return f" with padding {formatting.size(geometry.padding)}{mode}"


@dataclass(frozen=True)
class _Axis:
    """Along one axis: which output cells are shown, and which input cells.

    Attributes
    ----------
    outputs : range
        The output rows or columns on show.
    inputs : range
        The input rows or columns on show: negative, or beyond the last, in the padding.
    at : int
        Which of `outputs` is chosen, counted from the first of them.
    dilation : int
        Input cells on show from weight to weight.
    """

    outputs: range
    inputs: range
    at: int
    dilation: int


def _whole_axis(geometry: WindowGeometry, axis: int, at: int) -> _Axis:
    """Return axis 0 or 1 of a lens that shows the whole input."""
    padding = geometry.padding[axis]
    return _Axis(
        outputs=range(geometry.output_size[axis]),
        inputs=range(-padding, geometry.input_size[axis] + padding),
        at=at,
        dilation=geometry.dilation[axis],
    )


def _zoomed_axis(geometry: WindowGeometry, axis: int, at: int) -> _Axis:
    """Return axis 0 or 1 of a lens that shows the neighbourhood of output `at`.

    Of a window that is itself too large only the cells that it reads are shown.
    """
    span, dilation = geometry.window_size[axis], geometry.dilation[axis]
    step = dilation if span > LENS_LIMIT else 1
    outputs = geometry.output_size[axis]
    count = max(1, min(outputs, (ZOOM - span) // geometry.stride[axis] + 1))
    first = min(max(at - count // 2, 0), outputs - count)
    reads = (geometry.rows, geometry.columns)[axis]
    return _Axis(
        outputs=range(first, first + count),
        inputs=range(reads(first)[0], reads(first + count - 1)[-1] + 1, step),
        at=at - first,
        dilation=dilation // step,
    )


class _LensRenderer:
    """Computes all that a lens shows, and writes it as HTML.

    Parameters
    ----------
    padded : Tensor
        The padded input.
    weights : Tensor
        The kernel that slides over it, flipped for a convolution.
    geometry : WindowGeometry
        Of the whole operation.
    padding_text : str
        What the titles say of the padding.
    bias, at, zoom
        As in `lens`.
    """

    def __init__(
        self,
        padded: Tensor,
        weights: Tensor,
        geometry: WindowGeometry,
        *,
        padding_text: str,
        bias: float | None,
        at: tuple[int, int],
        zoom: bool,
    ) -> None:
        self.padded, self.weights, self.geometry = padded, weights, geometry
        self.padding_text, self.bias, self.at, self.zoom = padding_text, bias, at, zoom
        axis = _zoomed_axis if zoom else _whole_axis
        self.rows, self.columns = axis(geometry, 0, at[0]), axis(geometry, 1, at[1])
        self.shown = padded[self._slice(0), self._slice(1)]
        self.dilation = (self.rows.dilation, self.columns.dilation)
        self.output = self._correlate(self.shown, self.dilation)
        self._check_finite()
        self.sums = self._sums()
        self.chosen_sum = self.sums[self.rows.at][self.columns.at]
        self.cell_texts = self._texts(self.shown), self._texts(self.output)
        self.weight_texts = self._weight_texts()
        self.mismatch = torch.zeros_like(self.output, dtype=torch.bool)

    def _slice(self, axis: int) -> slice:
        """Return which rows or columns of the padded input are shown."""
        inputs, padding = (self.rows, self.columns)[axis].inputs, self.geometry.padding[axis]
        return slice(inputs.start + padding, inputs.stop + padding, inputs.step)

    def _correlate(self, padded: Tensor, dilation: Pair) -> Tensor:
        stride = self.geometry.stride
        Y = ops.corr2d(padded, self.weights, stride=stride, dilation=dilation)
        return Y if self.bias is None else Y + self.bias

    def _check_finite(self) -> None:
        extremes = torch.stack((*self.padded.aminmax(), *self.output.aminmax()))
        if not extremes.isfinite().all():
            raise ConvkitError("inf or nan in X, K or the output", "numbers", "Replace them.")

    def _sums(self) -> list[list[str]]:
        """Return the arithmetic of each output cell on show."""
        size = tuple(self.weights.shape)
        stride = self.geometry.stride
        patches = ops.patches(self.shown, size, stride=stride, dilation=self.dilation)
        sums = iter(formatting.window_sums(patches, self.weights, self.bias))
        return [
            [f"Y[{i}, {j}] = {next(sums)}" for j in self.columns.outputs] for i in self.rows.outputs
        ]

    def _width(self) -> int:
        """Return how many columns of cells stand side by side."""
        tables = self.shown.shape[1] + self.output.shape[1]
        return tables if self.zoom else tables + self.weights.shape[1]

    def _texts(self, values: Tensor) -> list[list[str]]:
        """Return the numbers of cells, of fewer digits where many stand side by side."""
        if self.zoom:
            return formatting.shorts(values)
        width = self._width()
        if width > 26:
            return formatting.numbers(values, 2)
        return formatting.numbers(values, 3 if width > 16 else 4)

    def _weight_texts(self) -> list[list[str]]:
        """Return the weights as the window shows them: the narrower its cells, the shorter."""
        if self.zoom or self._width() > 16:
            return formatting.shorts(self.weights)
        return formatting.numbers(self.weights, 2)

    def _cell_size(self) -> str:
        """Return the size of a cell, with room for a weight above the number in its middle."""
        chars = longest(*self.cell_texts, self.weight_texts)
        font = fitting_font(chars, self._width())
        return cell_size(chars, font, font + 2 * CHIP_HEIGHT - 2)

    def compare(self, candidate: Tensor) -> None:
        """Mark the cells in which another implementation's output, (H_out, W_out), differs."""
        shape, expected = tuple(candidate.shape), self.geometry.output_size
        if shape != expected:
            raise ConvkitError(
                f"candidate has shape {shape}",
                f"the output's shape {expected}",
                "Compute it with the same padding, stride and dilation.",
            )
        rows, columns = self.rows.outputs, self.columns.outputs
        shown = candidate.detach()[rows.start : rows.stop, columns.start : columns.stop]
        options: dict[str, Any] = {"stride": self.geometry.stride, "dilation": self.dilation}
        bound = rounding_bound(self.shown, self.weights, bias=self.bias, **options)
        self.mismatch = mismatch_mask(shown, self.output, bound)
        for i, j in self.mismatch.nonzero().tolist():
            given = formatting.number(shown[i, j].item())
            self.sums[i][j] += f", but yours gives {given}"

    def text(self) -> str:
        """Return the sizes and the sum of the chosen cell."""
        X, Y = (formatting.size(s) for s in (self.geometry.input_size, self.geometry.output_size))
        window = formatting.size(self.weights.shape)
        return f"lens: input {X}{self.padding_text}, window {window}, output {Y}\n{self.chosen_sum}"

    def sum_space(self) -> str:
        """Return the chosen cell's sum, as tall as the longest, of 110 characters a line."""
        height = 20 * (longest(self.sums) // 110 + 1) + 4
        said = f'<span class="ck-sum">{self.chosen_sum}</span>'
        return f'<div class="ck-sum-space" style="height:{height}px">{said}</div>'

    def _title(self, name: str, size: tuple[int, int]) -> str:
        if self.zoom:
            return f"{name} around Y[{self.at[0]}, {self.at[1]}]"
        return f"{name} {formatting.size(size)}"

    def input_figure(self) -> str:
        """Return the input's table, the window on it."""
        title = self._title("input", self.geometry.input_size)
        if not self.zoom:
            title += self.padding_text
        if self.dilation != self.geometry.dilation:
            title += ", without the cells between"
        body = table(cells(self.cell_texts[0], self._input_classes())) + self._window()
        return figure("X", title, frame(body, self._cell_size()))

    def kernel_figure(self, K: Tensor) -> str:
        """Return the table of the kernel as it is given, not flipped."""
        texts = self._texts(K)
        chars = longest(texts)
        body = table(cells(texts, signed_classes(K, formatting.colour_limit(K))))
        size = cell_size(chars, fitting_font(chars, self._width()))
        return figure("K", f"kernel {formatting.size(K.shape)}", frame(body, size))

    def _input_classes(self) -> Rows:
        low, high = (bound.item() for bound in self.padded.aminmax())
        classes = grey_classes(self.shown, min(0.0, low), max(1.0, high))
        height, width = self.geometry.input_size
        for i, row in zip(self.rows.inputs, classes, strict=True):
            for k, j in enumerate(self.columns.inputs):
                if not (0 <= i < height and 0 <= j < width):
                    row[k] = "pad"
        return classes

    def _window(self) -> str:
        """Return the window that slides over the input, a weight in each of its cells."""
        down, right = self.dilation
        spans = [
            f'<span style="left:calc({b * right}*var(--ck-w));top:calc({a * down}*var(--ck-h))"'
            f' data-weight="{weight}"></span>'
            for a, row in enumerate(self.weight_texts)
            for b, weight in enumerate(row)
        ]
        si, sj = self.geometry.stride
        place = f"--i0:{self.rows.at};--j0:{self.columns.at};--si:{si};--sj:{sj}"
        return f'<div class="ck-slide" aria-hidden="true" style="{place}">{"".join(spans)}</div>'

    def output_figure(self, limit: float | None) -> str:
        """Return the output's table, each cell named by its sum; `limit` is that of `lens`."""
        if limit is None:
            limit = formatting.colour_limit(self._whole_output())
        texts = [
            [
                f'<label>{RADIO_BUTTON} aria-label="{said}">{text}</label>'
                for text, said in zip(*row, strict=True)
            ]
            for row in zip(self.cell_texts[1], self.sums, strict=True)
        ]
        row, column = self.rows.at, self.columns.at
        texts[row][column] = texts[row][column].replace(" name=", " checked name=")
        classes = signed_classes(self.output, limit)
        classes[row][column] += " at"
        for i, j in self.mismatch.nonzero().tolist():
            classes[i][j] += " bad"
        title = self._title("output", self.geometry.output_size)
        # The form keeps the radio buttons of two lenses on a page apart; Enter sends it nowhere.
        form = f'<form method="dialog" style="{self._cell_size()}">{table(cells(texts, classes))}'
        return figure("Y", title, f"{form}</form>")

    def _whole_output(self) -> Tensor:
        """Return the output (H_out, W_out), also where only a part of it is shown."""
        if not self.zoom:
            return self.output
        return self._correlate(self.padded, self.geometry.dilation)
