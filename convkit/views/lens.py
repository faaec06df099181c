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
    longest,
    table,
)
from convkit.views.scales import Scale

RADIO_BUTTON = '<input type="radio" name="cell" data-lm-suppress-shortcuts="true"'
"""Of an output cell; its keys do not reach JupyterLab, in which "d d" deletes a notebook's cell."""
CHIP_HEIGHT = 14
"""The height of the weight above a number in the window, in pixels."""


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
    scale: Scale | None = None,
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
    scale : Scale, optional
        How the output's numbers become colours; signed, fitted to the output, unless given.

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
    )
    if candidate is not None:
        renderer.compare(ops.check_array("candidate", candidate))
    return Lens(
        text=renderer.text(),
        input=renderer.input_figure(),
        kernel=renderer.kernel_figure(K),
        output=renderer.output_figure(scale),
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
    bias, at
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
    ) -> None:
        self.padded, self.weights, self.geometry = padded, weights, geometry
        self.padding_text, self.bias, self.at = padding_text, bias, at
        options: dict[str, Any] = {"stride": geometry.stride, "dilation": geometry.dilation}
        self.options = options
        Y = ops.corr2d(padded, weights, **options)
        self.output = Y if bias is None else Y + bias
        self._check_finite()
        self.sums = self._sums()
        self.chosen_sum = self.sums[at[0]][at[1]]
        self.cell_texts = self._texts(padded), self._texts(self.output)
        self.weight_texts = self._weight_texts()
        self.mismatch = torch.zeros_like(self.output, dtype=torch.bool)

    def _check_finite(self) -> None:
        extremes = torch.stack((*self.padded.aminmax(), *self.output.aminmax()))
        if not extremes.isfinite().all():
            raise ConvkitError("inf or nan in X, K or the output", "numbers", "Replace them.")

    def _sums(self) -> list[list[str]]:
        """Return the arithmetic of each output cell on show."""
        patches = ops.patches(self.padded, tuple(self.weights.shape), **self.options)
        sums = iter(formatting.window_sums(patches, self.weights, self.output.flatten(), self.bias))
        rows, columns = self.output.shape
        return [[f"Y[{i}, {j}] = {next(sums)}" for j in range(columns)] for i in range(rows)]

    def _width(self) -> int:
        """Return how many columns of cells stand side by side."""
        tables = self.padded, self.output, self.weights
        return sum([values.shape[1] for values in tables])

    def _texts(self, values: Tensor) -> list[list[str]]:
        """Return the numbers of cells, of fewer digits where many stand side by side."""
        width = self._width()
        digits = 2 if width > 26 else 3 if width > 16 else 4
        return formatting.with_minus(formatting.numbers(values, digits))

    def _weight_texts(self) -> list[list[str]]:
        """Return the weights as the window shows them: the narrower its cells, the shorter."""
        if self._width() > 16:
            return formatting.with_minus(formatting.shorts(self.weights))
        return formatting.with_minus(formatting.numbers(self.weights, 2))

    def _cell_size(self) -> str:
        """Return the size of a cell, with space for a weight above the number in its middle."""
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
        shown = candidate.detach()
        bound = rounding_bound(self.padded, self.weights, bias=self.bias, **self.options)
        self.mismatch = mismatch_mask(shown, self.output, bound)
        for i, j in self.mismatch.nonzero().tolist():
            given = formatting.minus(formatting.number(shown[i, j].item()))
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

    def input_figure(self) -> str:
        """Return the input's table, the window on it."""
        size = f"{formatting.size(self.geometry.input_size)}{self.padding_text}"
        body = table(cells(self.cell_texts[0], self._input_classes())) + self._window()
        return figure("X", "input", size, frame(body, self._cell_size()) + self._input_scale.key())

    def kernel_figure(self, K: Tensor) -> str:
        """Return the table of the kernel as it is given, not flipped."""
        texts = self._texts(K)
        chars = longest(texts)
        limit = formatting.colour_limit(K)
        scale = Scale("signed", -limit, limit)
        size = cell_size(chars, fitting_font(chars, self._width()))
        body = frame(table(cells(texts, scale.classes(K))), size) + scale.key()
        return figure("K", "kernel", formatting.size(K.shape), body)

    @property
    def _input_scale(self) -> Scale:
        low, high = (bound.item() for bound in self.padded.aminmax())
        return Scale("grey", min(0.0, low), max(1.0, high))

    def _input_classes(self) -> Rows:
        classes = self._input_scale.classes(self.padded)
        (top, left), (height, width) = self.geometry.padding, self.geometry.input_size
        for i, row in enumerate(classes):
            for j in range(len(row)):
                if not (0 <= i - top < height and 0 <= j - left < width):
                    row[j] = "pad"
        return classes

    def _window(self) -> str:
        """Return the window that slides over the input, a weight in each of its cells."""
        down, right = self.geometry.dilation
        spans = [
            f'<span style="left:calc({b * right}*var(--ck-w));top:calc({a * down}*var(--ck-h))"'
            f' data-weight="{weight}"></span>'
            for a, row in enumerate(self.weight_texts)
            for b, weight in enumerate(row)
        ]
        si, sj = self.geometry.stride
        place = f"--i0:{self.at[0]};--j0:{self.at[1]};--si:{si};--sj:{sj}"
        return f'<div class="ck-slide" aria-hidden="true" style="{place}">{"".join(spans)}</div>'

    def output_figure(self, scale: Scale | None) -> str:
        """Return the output's table, each cell named by its sum; `scale` is that of `lens`."""
        if scale is None:
            limit = formatting.colour_limit(self.output)
            scale = Scale("signed", -limit, limit)
        texts = [
            [
                f'<label>{RADIO_BUTTON} aria-label="{said}">{text}</label>'
                for text, said in zip(*row, strict=True)
            ]
            for row in zip(self.cell_texts[1], self.sums, strict=True)
        ]
        row, column = self.at
        texts[row][column] = texts[row][column].replace(" name=", " checked name=")
        classes = scale.classes(self.output)
        classes[row][column] += " at"
        for i, j in self.mismatch.nonzero().tolist():
            classes[i][j] += " bad"
        size = formatting.size(self.geometry.output_size)
        # The form keeps the radio buttons of two lenses on a page apart; Enter sends it nowhere.
        form = f'<form method="dialog" style="{self._cell_size()}">{table(cells(texts, classes))}'
        return figure("Y", "output", size, f"{form}</form>{scale.key()}")
