"""Lenses: arrays that read as an equation, in which each output cell shows what it is made of.

Point at an output cell, or choose it by a click, a tap or the arrow keys: frames show the cells
that it is made of, and its arithmetic is written out. A lens needs no kernel and no script.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convkit import formatting, ops, ui
from convkit.comparison import mismatch_mask, rounding_bound
from convkit.errors import ConvkitError, brief_repr, check_type
from convkit.inputs import as_array
from convkit.least_squares import check_target
from convkit.matrices import as_matrix
from convkit.ops import Pair, WindowGeometry
from convkit.ui import Cell, Cursor, Frame, Part, Scale

__all__ = [
    "Operand",
    "channels_lens",
    "equation_lens",
    "lens",
    "matrix_lens",
    "pooling_gradient_lens",
    "pooling_lens",
    "weight_lens",
]
MAX_CHANNELS = 4
"""The most channels of a lens."""
MAX_SIDE = 16
"""The most rows or columns, padding included, of an array of a lens."""
CHARS = {7: 10, 6: 14, 5: 24, 4: 9999}
"""How many characters a number has, by the most columns of cells in a lens."""
NUDGE = 1 / 1024
"""By how much a finite difference moves a weight up and down; exact where the weight is."""
Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Operand:
    """An array of a lens.

    Parameters
    ----------
    title : str
        What it is, such as "input X".
    values : Tensor
        Its numbers, (H, W), padding included.
    sign : str
        What stands before it, such as "⋆".
    hue : str
        Its colour: one of `convkit.ui.theme.COLOURS`.
    frame : Frame, optional
        Which of its cells an output cell is made of.
    padding : (h, w)
        How many rows and columns on either side are padding, which the frame counts as negative.
    note : str
        What follows the title; its size unless given, or nothing for a single number.
    scale : Scale, optional
        Its colours; fitted to its values unless given.
    mark : Tensor, optional
        Which cells are marked with ≠, (H, W) of bool.
    also : sequence of Frame
        Further frames, which may follow other cursors.
    says : rows of str
        A sentence for each cell, where the frame has a cursor of its own that chooses them.
    tooltips : rows of str
        What is said of each cell while the pointer rests on it, if anything.

    Examples
    --------
    >>> Operand("bias b", torch.tensor([[-30.0]]), sign="+").term(chars=5).sign
    '+'
    """

    title: str
    values: Tensor
    sign: str = ""
    hue: str = ""
    frame: Frame | None = None
    padding: Cell = (0, 0)
    note: str = ""
    scale: Scale | None = None
    mark: Tensor | None = None
    also: Sequence[Frame] = ()
    says: Rows = ()
    tooltips: Rows = ()

    def term(self, chars: int) -> ui.Node:
        """Return it as a term of a `ui.equation`, its numbers in so many characters at most."""
        note = self.note or formatting.size(self.values.shape)
        scale = self.scale or Scale.fitted(self.values)
        (h, w), (up, aside) = self.values.shape, self.padding
        table = ui.table(
            self.title,
            self.values,
            scale,
            frames=[frame for frame in (self.frame, *self.also) if frame],
            descriptions=self.says,
            part=Part(range(-up, h - up), range(-aside, w - aside), (h - 2 * up, w - 2 * aside)),
            mark=self.mark,
            texts=_texts(self.values, chars),
            tooltips=self.tooltips,
            aria_label=f"{self.title} {note}",
            headers=False,
        )
        if self.values.numel() == 1:
            return ui.term(self.title, table, sign=self.sign, hue=self.hue)
        return ui.term(self.title, table, sign=self.sign, note=note, hue=self.hue, scale=scale)


def equation_lens(
    cell: Cursor, operands: Sequence[Operand], output: Operand, sums: Rows, summary: str = "lens"
) -> ui.View:
    """Return a lens on any relation between the cells of arrays.

    Parameters
    ----------
    cell : Cursor
        The output cell that is shown first; the frames of the operands follow it.
    operands : sequence of Operand
        What the output is made of, from left to right.
    output : Operand
        Whose cells can be chosen.
    sums : rows of str
        How each output cell came about, in words or arithmetic.
    summary : str
        The first line of what it says as text.

    Raises
    ------
    ConvkitError
        If an array is too large to show whole, or has numbers that are not finite.

    Examples
    --------
    Rows that are multiplied by columns:

    >>> A, B = torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> cell = Cursor("cell", (2, 2), (1, 0))
    >>> row = Frame(cell, left=(0, 0, 0), size=(1, 2))
    >>> column = Frame(cell, top=(0, 0, 0), size=(2, 1))
    >>> sums = [[f"C[{i}, {j}] = A[{i}, :] @ B[:, {j}]" for j in range(2)] for i in range(2)]
    >>> equation_lens(
    ...     cell,
    ...     [Operand("A", A, frame=row), Operand("B", B, sign="@", frame=column)],
    ...     Operand("C", A @ B, sign="="),
    ...     sums,
    ... )
    lens
    C[1, 0] = A[1, :] @ B[:, 0]
    """
    frame, hue = Frame(cell, hue="output"), output.hue or "output"
    terms = [*operands, replace(output, frame=frame, hue=hue, says=sums)]
    _check(cell, terms, sums)
    columns = sum([term.values.shape[1] for term in terms])
    chars = next(chars for chars, most in CHARS.items() if columns <= most)
    cursors = [(term.frame.cursor, term.says) for term in terms if term.frame and term.says]
    said = [(cursor, says[cursor.place[0]][cursor.place[1]]) for cursor, says in cursors]
    tree = ui.column(
        ui.equation(*(term.term(chars) for term in terms)),
        *(ui.description(cursor, words) for cursor, words in reversed(said)),
    )
    return ui.View(tree, "\n".join([summary, *(words for _, words in reversed(said))]))


def _check(cell: Cursor, operands: Sequence[Operand], sums: Rows) -> None:
    """Raise ConvkitError for arrays that a lens cannot show."""
    for operand in operands:
        title, size = operand.title, tuple(operand.values.shape)
        if max(size) > MAX_SIDE:
            expected = f"at most {MAX_SIDE} rows and columns for a lens"
            hint = "Take a part of it, or show the whole as a picture."
            raise ConvkitError(f"{title} is {formatting.size(size)}", expected, hint)
        up, aside = operand.padding  # of a maximum, it is not finite
        if not ops.all_finite(operand.values[up : size[0] - up, aside : size[1] - aside]):
            raise ConvkitError(f"inf or nan in {title}", "numbers", "Replace them.")
    if {size} != {cell.sizes, (len(sums), *{len(row) for row in sums})}:
        given = f"a cursor of {cell.sizes} cells and {len(sums)} rows of sums"
        raise ConvkitError(given, f"{size}, as the output has", "Make one for each of its cells.")


def lens(  # noqa: PLR0913
    X: Any,
    K: Any,
    *,
    flip: bool = False,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
    padding_mode: str = "zeros",
    bias: float | None = None,
    candidate: Any = None,
    at: Cell = (0, 0),
    scale: Scale | None = None,
) -> ui.View:
    """Return a lens on ``corr2d(X, K)``, or on ``convolve2d(X, K)`` where `flip` is true.

    Parameters
    ----------
    X, K : array
        Input (H, W), up to 16 x 16 with its padding, and kernel (kH, kW): tensors, or what
        `convkit.inputs.as_array` takes.
    flip : bool
        Whether to flip the kernel in both axes.
    padding, stride, dilation, padding_mode
        As in `corr2d`.
    bias : float, optional
        Added to every sum.
    candidate : array, optional
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
    X, K = _of_one_dtype(as_array("X", X), as_array("K", K))
    check_type("flip", flip, bool, "Write flip=True or flip=False.")
    b = None if bias is None else _number("bias", bias)
    at = ops.to_pair("at", at)
    steps: dict[str, Any] = {"stride": stride, "dilation": dilation}
    ops.window(X, K, *at, padding=padding, padding_mode=padding_mode, **steps)  # raises if any does
    geometry = WindowGeometry(X.shape, K.shape, padding, **steps)
    padded = ops.pad2d(X, geometry.padding, padding_mode)
    weights = K.flip(0, 1) if flip else K
    Y = ops.corr2d(padded, weights, **steps) + (b or 0)
    windows = ops.patches(padded, geometry.kernel_size, **steps)
    sums = _named(formatting.window_sums(windows, weights, Y.flatten(), b), geometry, padding_mode)
    output = Operand("output Y", Y, sign="=", scale=_output_scale(scale, Y))
    if candidate is not None:
        bound = rounding_bound(padded, weights, bias=b, **steps)
        output, sums = _compared(output, as_array("candidate", candidate), bound, sums)
    cell = Cursor("cell", geometry.output_size, at)
    frame = Frame.window(cell, geometry, [*chain(*formatting.cell_texts(weights))])
    operands = [
        _input(padded, geometry, frame, padding_mode),
        Operand("kernel K", K, "∗" if flip else "⋆", "kernel", scale=Scale.signed(K)),
        *([] if b is None else [_bias(b)]),
    ]
    return equation_lens(cell, operands, output, sums, _summary(geometry, padding_mode))


def pooling_lens(
    X: Any,
    pool_size: Pair,
    mode: str = "max",
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    at: Cell = (0, 0),
) -> ui.View:
    """Return a lens on ``pool2d(X, pool_size, mode)``, which marks the cell that is the maximum.

    Parameters
    ----------
    X : array
        Input (H, W), up to 16 x 16 with its padding: a tensor, or what `convkit.inputs.as_array`
        takes.
    pool_size, mode, padding, stride
        As in `pool2d`.
    at : (i, j)
        The output cell that is shown while none is pointed at, counted from 0.

    Raises
    ------
    ConvkitError
        As `pool2d` does; if the input is too large to show whole; if there is no output cell `at`.

    Examples
    --------
    >>> pooling_lens(torch.arange(9.0).reshape(3, 3), 2)
    lens: input 3 × 3, window 2 × 2, output 2 × 2
    Y[0, 0] = max(0, 1, 3, 4) = 4
    """
    X = as_array("X", X)
    Y = ops.pool2d(X, pool_size, mode, padding=padding, stride=stride)
    geometry = WindowGeometry(X.shape, pool_size, padding, stride)
    is_max = mode == "max"
    (up, aside), nothing = geometry.padding, -torch.inf if is_max else 0.0
    padded = F.pad(X, (aside, aside, up, up), value=nothing)
    patches = ops.patches(padded, geometry.kernel_size, stride=stride)
    frame = _pooling_frame(patches, is_max, geometry, at)
    sums = (formatting.maxima if is_max else formatting.averages)(patches, Y.flatten())
    operand = _input(padded, geometry, frame)
    output = Operand("output Y", Y, sign="→", scale=operand.scale)
    named, summary = _named(sums, geometry), _summary(geometry)
    return equation_lens(frame.cursor, [operand], output, named, summary)


def pooling_gradient_lens(
    X: Any,
    pool_size: Pair,
    mode: str = "max",
    *,
    gradient: Any = None,
    stride: Pair = 1,
    at: Cell = (0, 0),
) -> ui.View:
    """Return a lens on where the gradient goes in ``pool2d(X, pool_size, mode)``.

    A maximum hands it to the input that won, an average to all inputs alike. Of equal inputs the
    first wins, as in PyTorch.

    Parameters
    ----------
    X : array
        Input (H, W), up to 16 x 16: a tensor, or what `convkit.inputs.as_array` takes.
    pool_size, mode, stride
        As in `pool2d`.
    gradient : array, optional
        The loss's gradient by the output, (H_out, W_out); ones unless given, as of ``Y.sum()``.
    at : (i, j)
        The output cell that is shown while none is pointed at, counted from 0.

    Raises
    ------
    ConvkitError
        As `pooling_lens` does; if `gradient` has another shape than the output.

    Examples
    --------
    >>> pooling_gradient_lens(torch.arange(9.0).reshape(3, 3), 2, gradient=3 * torch.eye(2))
    lens: gradient, input 3 × 3, window 2 × 2, output 2 × 2
    Y[0, 0] = max(0, 1, 3, 4) = 4: X[1, 1] gets all of its gradient
    """
    X = as_array("X", X)
    Y = ops.pool2d(X, pool_size, mode, stride=stride)
    dY = torch.ones_like(Y) if gradient is None else as_array("gradient", gradient)
    _check_shape("gradient", dY, Y)
    with torch.inference_mode(False), torch.enable_grad():
        leaf = X.clone().requires_grad_()
        pooled = ops.pool2d(leaf, pool_size, mode, stride=stride)
        (dX,) = torch.autograd.grad(pooled, leaf, dY.to(Y.dtype).clone())
    geometry, is_max = WindowGeometry(X.shape, pool_size, 0, stride), mode == "max"
    patches = ops.patches(X, geometry.kernel_size, stride=stride)
    frame = _pooling_frame(patches, is_max, geometry, at)
    share = f"×1/{patches.shape[1]}"
    texts = ("×1" if is_max else share,) * patches.shape[1]
    sums = (formatting.maxima if is_max else formatting.averages)(patches, Y.flatten())
    gets = _winners(frame) if is_max else [f"each input gets {share}"] * len(sums)
    said = [f"{sum_}: {get}" for sum_, get in zip(sums, gets, strict=True)]
    operands = [
        _input(X, geometry, frame),
        Operand("gradient of X", dX, " ", "gradient", replace(frame, texts=texts)),
    ]
    output = Operand("gradient of Y", dY, "←", "gradient")
    summary = _summary(geometry).replace("lens:", "lens: gradient,")
    return equation_lens(frame.cursor, operands, output, _named(said, geometry), summary)


def channels_lens(
    X: Tensor,
    K: Tensor,
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    padding_mode: str = "zeros",
    at: Cell = (0, 0),
) -> ui.View:
    """Return a lens on an output map of many input channels: ``corr2d`` of each, added up.

    Parameters
    ----------
    X, K : Tensor
        Input (C, H, W), of up to 4 channels, and one kernel for each, (C, kH, kW).
    padding, stride, padding_mode
        As in `corr2d`, for every channel.
    at : (i, j)
        The output cell that is shown while none is pointed at, counted from 0.

    Raises
    ------
    ConvkitError
        As `corr2d` does; if there are no such channels, or not one kernel for each; if the input is
        too large to show whole; if there is no output cell `at`.

    Examples
    --------
    >>> X, K = torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)
    >>> channels_lens(torch.stack([X, X + 1]), torch.stack([K, K + 1]))
    lens: 2 channels, input 3 × 3, window 2 × 2, output 2 × 2
    channel 0: 0×0 + 1×1 + 3×2 + 4×3 = 19
    channel 1: 1×1 + 2×2 + 4×3 + 5×4 = 37
    Y[0, 0] = 19 + 37 = 56
    """
    X, K = _of_one_dtype(*_channels(X, K))
    at = ops.to_pair("at", at)
    ops.window(X[0], K[0], *at, padding=padding, stride=stride, padding_mode=padding_mode)
    geometry = WindowGeometry(X.shape[1:], K.shape[1:], padding, stride)
    cell = Cursor("cell", geometry.output_size, at)
    operands, maps, sums = [], [], []
    for c, (channel, kernel) in enumerate(zip(X, K, strict=True)):
        padded = ops.pad2d(channel, geometry.padding, padding_mode)
        frame = Frame.window(cell, geometry, [*chain(*formatting.cell_texts(kernel))])
        shown = _input(padded, geometry, frame, padding_mode, "+" if c else "")
        weights = Operand(f"K[{c}]", kernel, "⋆", "kernel", scale=Scale.signed(K))
        operands += [replace(shown, title=f"X[{c}]", scale=_grey(X)), weights]
        maps.append(ops.corr2d(padded, kernel, stride=stride))
        windows = ops.patches(padded, geometry.kernel_size, stride=stride)
        sums.append(formatting.window_sums(windows, kernel, maps[-1].flatten()))
    Y = torch.stack(maps).sum(0)
    output = Operand("output Y", Y, "=", scale=Scale.signed(Y))
    said = _split(sums, torch.stack(maps), geometry)
    summary = _summary(geometry, padding_mode).replace(":", f": {len(X)} channels,", 1)
    return equation_lens(cell, operands, output, said, summary)


def matrix_lens(
    X: Any, K: Any, *, stride: Pair = 1, dilation: Pair = 1, at: Cell = (0, 0)
) -> ui.View:
    """Return a lens on ``as_matrix(K, X.shape) @ X.flatten()``, whose rows are windows.

    Point at an output cell to see its row of the matrix and its window of the input; point at a
    weight to see which entries of the matrix it is.

    Parameters
    ----------
    X, K : array
        Input (H, W) of up to 16 cells, and kernel (kH, kW): tensors, or what
        `convkit.inputs.as_array` takes.
    stride, dilation
        As in `corr2d`.
    at : (i, j)
        The output cell that is shown while none is pointed at, counted from 0.

    Raises
    ------
    ConvkitError
        As `corr2d` does; if the matrix is too large to show whole; if there is no output cell `at`.

    Examples
    --------
    >>> matrix_lens(torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2))
    lens: matrix 4 × 9, input 3 × 3, output 2 × 2
    Y[0, 0] = row 0 of W times X = 0×0 + 1×1 + 3×2 + 4×3 = 19
    K[0, 0] = 0 stands once in each row of W
    """
    X, K = _of_one_dtype(as_array("X", X), as_array("K", K))
    at, steps = ops.to_pair("at", at), dict[str, Any](stride=stride, dilation=dilation)
    ops.window(X, K, *at, **steps)  # raises if there is no such cell
    W, Y = as_matrix(K, X.shape, **steps), ops.corr2d(X, K, **steps)
    geometry = WindowGeometry(X.shape, K.shape, 0, stride, dilation)
    sums = formatting.window_sums(ops.patches(X, K.shape, **steps), K, Y.flatten())
    said = [f"row {r} of W times X = {each}" for r, each in enumerate(sums)]
    cell = Cursor("cell", geometry.output_size, at)
    weight, scale = Cursor("weight", geometry.kernel_size, (0, 0)), Scale.signed(K)
    row = Frame(cell, (0, geometry.output_size[1], 1), (0, 0, 0), (1, W.shape[1]), hue="output")
    shared = _entries_of(weight, geometry)
    operands = [
        Operand("kernel K", K, "", "kernel", Frame(weight), scale=scale, says=_weights_said(K)),
        Operand("matrix W", W, "→", "kernel", row, scale=scale, also=shared),
        _input(X, geometry, Frame.window(cell, geometry), sign="·"),
    ]
    output = Operand("output Y", Y, "=", scale=Scale.signed(Y))
    summary = f"lens: matrix {formatting.size(W.shape)}, input {formatting.size(X.shape)}"
    summary += f", output {formatting.size(Y.shape)}"
    return equation_lens(cell, operands, output, _named(said, geometry), summary)


def _entries_of(weight: Cursor, geometry: WindowGeometry) -> list[Frame]:
    """Return a frame for each row of a matrix: on the entry that is the cursor's weight."""
    (rows, columns), width = geometry.output_size, geometry.input_size[1]
    down, right = geometry.dilation
    starts = [geometry.start(i, j) for i in range(rows) for j in range(columns)]
    return [
        Frame(weight, (r, 0, 0), (i * width + j, down * width, right))
        for r, (i, j) in enumerate(starts)
    ]


def _weights_said(K: Tensor) -> Rows:
    return [
        [f"K[{a}, {b}] = {text} stands once in each row of W" for b, text in enumerate(line)]
        for a, line in enumerate(formatting.cell_texts(K))
    ]


@torch.inference_mode(False)  # autograd refuses what was made in that mode
def weight_lens(X: Any, K: Any, Y: Any, *, at: Cell = (0, 0)) -> ui.View:
    """Return a lens on the gradient of each weight of the loss ``((corr2d(X, K) - Y) ** 2).sum()``.

    Each pixel that a weight has met is multiplied by the doubled residual, 2R, of its output cell;
    the gradient is their sum. Beside it stands what autograd and a finite difference give. All is
    computed in float64.

    Parameters
    ----------
    X, K, Y : array
        Input (H, W), up to 16 x 16, kernel (kH, kW) and target (H_out, W_out): tensors, or what
        `convkit.inputs.as_array` takes.
    at : (i, j)
        The weight that is shown while none is pointed at, counted from 0.

    Raises
    ------
    ConvkitError
        As `corr2d` does; if `Y` has another shape than the output; if the input is too large to
        show whole; if there is no weight `at`.

    Examples
    --------
    >>> weight_lens(torch.eye(2), [[2.0, 1.0]], torch.zeros(2, 1))
    lens: gradient of 1 × 2 weights, input 2 × 2, residual 2 × 1
    K.grad[0, 0] = 1×4 = 4
    autograd: 4
    finite difference, 2 ± 1/1024: 4
    """
    X, K, Y = (as_array(name, v).double() for name, v in (("X", X), ("K", K), ("Y", Y)))
    check_target(X, Y, tuple(K.shape))
    doubled, at = 2 * (ops.corr2d(X, K) - Y), ops.to_pair("at", at)
    ops.window(X, doubled, *at)  # raises if there is no such weight
    geometry, gradient = WindowGeometry(X.shape, doubled.shape), ops.corr2d(X, doubled)
    cell = Cursor("cell", geometry.output_size, at)
    met = Frame.window(cell, geometry, [*chain(*formatting.cell_texts(doubled))])
    operands = [
        _input(X, geometry, met),
        Operand("doubled residual 2R", doubled, "⋆", "residual", scale=Scale.signed(doubled)),
    ]
    output = Operand("gradient K.grad", gradient, "=", "gradient", scale=Scale.signed(gradient))
    summary = f"lens: gradient of {formatting.size(K.shape)} weights"
    summary += f", input {formatting.size(X.shape)}, residual {formatting.size(Y.shape)}"
    said = _named(_gradients(X, K, Y), geometry, name="K.grad")
    return equation_lens(cell, operands, output, said, summary)


def _gradients(X: Tensor, K: Tensor, Y: Tensor) -> list[str]:
    """Return each weight's gradient by hand, by autograd and by a finite difference."""

    def loss(K: Tensor) -> Tensor:
        return ((ops.corr2d(X, K) - Y) ** 2).sum()

    with torch.enable_grad():
        leaf = K.clone().requires_grad_()
        (autograd,) = torch.autograd.grad(loss(leaf), leaf)
    nudges = NUDGE * torch.eye(K.numel(), **ops.FLOAT64).reshape(-1, *K.shape)
    slopes = [(loss(K + nudge) - loss(K - nudge)) / (2 * NUDGE) for nudge in nudges]
    doubled, said = (2 * (ops.corr2d(X, K) - Y)).flatten(), []
    ways = (K.flatten(), autograd.flatten(), slopes)
    for pixels, *numbers in zip(ops.patches(X, Y.shape), *ways, strict=True):
        counts = pixels * doubled != 0
        counts[0] |= not counts.any()  # of a sum of zeros one stays
        total = (pixels @ doubled)[None]
        sums = formatting.window_sums(pixels[None, counts], doubled[None, counts], total)
        weight, traced, tried = (formatting.minus(formatting.number(n)) for n in numbers)
        lines = [f"autograd: {traced}", f"finite difference, {weight} ± 1/1024: {tried}"]
        said.append("\n".join([*sums, *lines]))
    return said


def _pooling_frame(patches: Tensor, is_max: bool, geometry: WindowGeometry, at: Any) -> Frame:
    """Return the frame of the windows (n, k) on the input; of a maximum it marks the winner."""
    at, ones = ops.to_pair("at", at), torch.ones(geometry.kernel_size, device="cpu")
    ops.window(torch.ones(geometry.padded_size, device="cpu"), ones, *at, stride=geometry.stride)
    cell = Cursor("cell", geometry.output_size, at)
    if not is_max:
        return Frame.window(cell, geometry)
    frame = Frame.window(cell, geometry, ["max"] * ones.numel())
    return replace(frame, picks=tuple(patches.argmax(1).tolist()))


# What a lens says


def _winners(frame: Frame) -> list[str]:
    """Return which input each maximum hands its gradient to."""
    rows, columns = frame.cursor.sizes
    starts = [frame.start(i, j) for i in range(rows) for j in range(columns)]
    said = []
    for (top, left), pick in zip(starts, frame.picks, strict=True):
        a, b = divmod(pick, frame.size[1])
        said.append(f"X[{top + a}, {left + b}] gets all of its gradient")
    return said


def _named(
    sums: Sequence[str], geometry: WindowGeometry, padding_mode: str = "zeros", name: str = "Y"
) -> list[list[str]]:
    """Return sums as rows, each with the name of its cell, and the sources of its padding."""
    rows, columns = geometry.output_size
    names = [f"{name}[{i}, {j}] = " for i in range(rows) for j in range(columns)]
    said = [name + sum_ for name, sum_ in zip(names, sums, strict=True)]
    if sources := _sources(geometry, padding_mode):
        told = [_told(sources, geometry, divmod(n, columns)) for n in range(len(said))]
        said = ["\n".join(filter(None, lines)) for lines in zip(said, told, strict=True)]
    return [said[k : k + columns] for k in range(0, len(said), columns)]


def _sources(geometry: WindowGeometry, padding_mode: str) -> list[list[str]]:
    """Return where the padding has its values from, unless they are zeros."""
    if padding_mode == "zeros":
        return []
    return formatting.padding_sources(geometry, padding_mode)


def _told(sources: Sequence[Sequence[str]], geometry: WindowGeometry, at: Cell) -> str:
    """Return where the padding in a window has its values from."""
    up, aside = geometry.padding
    cells = product(geometry.rows(at[0]), geometry.columns(at[1]))
    return ", ".join(filter(None, [sources[i + up][j + aside] for i, j in cells]))


def _split(sums: Sequence[Sequence[str]], maps: Tensor, geometry: WindowGeometry) -> Rows:
    """Return how each output cell came about: in each channel, given its sums, and from these."""
    lines = [[f"channel {c}: {text}" for text in texts] for c, texts in enumerate(sums)]
    parts = maps.flatten(1).T
    totals = chain(*_named(formatting.additions(parts, parts.sum(1)), geometry))
    said = ["\n".join(each) for each in zip(*lines, totals, strict=True)]
    columns = geometry.output_size[1]
    return [said[k : k + columns] for k in range(0, len(said), columns)]


def _padding_words(geometry: WindowGeometry, padding_mode: str) -> str:
    """Return " with padding 1 × 1", and the mode unless it is "zeros"."""
    if not any(geometry.padding):
        return ""
    mode = "" if padding_mode == "zeros" else f" ({padding_mode})"
    return f" with padding {formatting.size(geometry.padding)}{mode}"


def _summary(geometry: WindowGeometry, padding_mode: str = "zeros") -> str:
    g = geometry
    X, window, Y = (formatting.size(s) for s in (g.input_size, g.kernel_size, g.output_size))
    padding = _padding_words(geometry, padding_mode)
    return f"lens: input {X}{padding}, window {window}, output {Y}"


# What a lens shows


def _texts(values: Tensor, chars: int) -> Rows:
    rows = formatting.cell_texts(values, chars)
    return [[text.replace("inf", "∞") for text in row] for row in rows]


def _input(
    padded: Tensor,
    geometry: WindowGeometry,
    frame: Frame,
    padding_mode: str = "zeros",
    sign: str = "",
) -> Operand:
    """Return the operand of a padded input, in grey, with the window on it."""
    size = geometry.padded_size
    if max(size) > MAX_SIDE:
        given = f"X is {formatting.size(size)} with its padding"
        expected = f"at most {MAX_SIDE} rows and columns for a lens"
        hint = "Show a part of it, such as X[:8, :8], or show the whole as a picture."
        raise ConvkitError(given, expected, hint)
    return Operand(
        "input X",
        padded,
        sign,
        hue="input",
        frame=frame,
        padding=geometry.padding,
        note=f"{formatting.size(geometry.input_size)}{_padding_words(geometry, padding_mode)}",
        scale=_grey(padded),
        tooltips=_sources(geometry, padding_mode),
    )


def _grey(values: Tensor) -> Scale:
    """Return the grey scale of inputs, whose padding may be infinite, as that of a maximum."""
    numbers = values.nan_to_num(0, 0, 0)
    return Scale("grey", min(0.0, numbers.min().item()), max(1.0, numbers.max().item()))


def _output_scale(scale: Scale | None, Y: Tensor) -> Scale:
    if scale is None:
        return Scale.signed(Y)
    check_type("scale", scale, Scale, "Write scale=Scale.signed(X).")
    return scale


def _bias(b: float) -> Operand:
    values = torch.tensor([[b]], **ops.FLOAT64)
    return Operand("bias b", values, "+", "kernel", scale=Scale.signed(values))


def _check_shape(name: str, array: Tensor, Y: Tensor) -> None:
    """Raise ConvkitError unless an array has the output's shape."""
    if array.shape != Y.shape:
        given = f"{name} has shape {tuple(array.shape)}"
        expected = f"the output's shape {tuple(Y.shape)}"
        hint = "Compute it with the same padding, stride and dilation."
        raise ConvkitError(given, expected, hint)


def _compared(
    output: Operand, candidate: Tensor, bound: Tensor, sums: Rows
) -> tuple[Operand, list[list[str]]]:
    """Return an output in which cells that a candidate has otherwise are marked, and its sums."""
    _check_shape("candidate", candidate, output.values)
    mark, said = mismatch_mask(candidate, output.values, bound), [list(row) for row in sums]
    for i, j in mark.nonzero().tolist():
        said[i][j] += f", but yours gives {formatting.minus(formatting.number(candidate[i, j]))}"
    return replace(output, mark=mark), said


# What a lens is given


def _channels(X: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
    """Return an input and its kernels, (C, H, W) and (C, kH, kW), checked."""
    checked = []
    for name, value in (("X", X), ("K", K)):
        shape = tuple(ops.check_dense(name, value).shape)
        if len(shape) != 3 or not 1 <= shape[0] <= MAX_CHANNELS:
            given = f"{name} has shape {shape}"
            expected = f"a tensor (C, H, W) of 1 to {MAX_CHANNELS} channels"
            hint = f"Of one channel write {name}[None], of several outputs take one: {name}[0]."
            raise ConvkitError(given, expected, hint)
        checked.append(torch.stack([as_array(f"{name}[{c}]", v) for c, v in enumerate(value)]))
    if len(X) != len(K):
        given = f"X has {len(X)} channels and K {len(K)} kernels"
        least = min(len(X), len(K))
        raise ConvkitError(given, "one kernel for each channel", f"Take X[:{least}], K[:{least}].")
    return checked[0], checked[1]


def _of_one_dtype(X: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
    """Return two arrays in the dtype that holds both, as of a tensor and a list."""
    dtype = torch.promote_types(X.dtype, K.dtype)
    return X.to(dtype), K.to(dtype)


def _number(name: str, value: Any) -> float:
    """Return a finite number, which may be a tensor of one value, such as a layer's bias."""
    is_single = isinstance(value, Tensor) and value.numel() == 1
    number = ops.as_real(value.detach().reshape(()) if is_single else value)
    if number is None or not math.isfinite(number):
        given = f"{name} is {brief_repr(value)}"
        raise ConvkitError(given, "a finite number", f"Write for example {name}=0.5.")
    return number
