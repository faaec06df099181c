"""Stacks of layers with sliding windows: what a cell of the last one sees of the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from convkit import ops
from convkit.errors import ConvkitError, brief_repr
from convkit.ops import Pair, WindowGeometry

MAX_LAYERS = 100
"""The most layers of a stack."""
MAX_SIDE = 2**15
"""The most cells from the first that a cell sees to the last."""


@dataclass(frozen=True, init=False)
class Layer:
    """Where the windows of a layer lie, convolution and pooling alike.

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int or (h, w)
        As in `torch.nn.Conv2d`; kept as pairs.

    Raises
    ------
    ConvkitError
        If a number is impossible.

    Examples
    --------
    >>> Layer(3, padding=1).on((6, 8)).output_size
    (6, 8)
    """

    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    def __init__(
        self, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
    ) -> None:
        self._keep("kernel_size", kernel_size, 1)
        self._keep("stride", stride, 1)
        self._keep("padding", padding, 0)
        self._keep("dilation", dilation, 1)

    def _keep(self, name: str, value: Pair, minimum: int) -> None:
        object.__setattr__(self, name, ops.to_pair(name, value, minimum))  # as frozen classes must

    def on(self, input_size: Pair) -> WindowGeometry:
        """Return where its windows lie on an input of a size."""
        return WindowGeometry(
            input_size, self.kernel_size, self.padding, self.stride, self.dilation
        )


class ReceptiveField(NamedTuple):
    """Which cells of the input the cells of a layer see; see `receptive_field`.

    Attributes
    ----------
    size : int or (h, w)
        Cells from the first that a cell sees to the last.
    stride : int or (h, w)
        How many cells of the input its neighbour's first cell lies further on.
    start : int or (row, column)
        The first cell that cell (0, 0) sees; negative in the padding.

    Examples
    --------
    >>> field = receptive_field([3, (2, 2)])
    >>> field.size, field.stride, field.start
    (4, 2, 0)
    """

    size: Pair
    stride: Pair
    start: Pair


def receptive_field(layers: Sequence[Any]) -> ReceptiveField:
    """Return what a cell of the last layer of a stack sees of the input.

    Cell i sees the `size` cells from ``start + stride * i`` on.

    Parameters
    ----------
    layers : sequence of Layer, int, tuple or torch.nn.Module
        From the input upwards. A number is a kernel size; a tuple is (kernel_size, stride,
        padding, dilation), of which the last ones may be missing; a module is one such as
        `torch.nn.Conv2d` or `torch.nn.MaxPool2d`.

    Returns
    -------
    ReceptiveField
        Of ints where rows and columns have the same numbers, else of pairs.

    Raises
    ------
    ConvkitError
        If something is no layer, or a number is impossible or too large.

    Notes
    -----
    A layer of kernel size k, stride s, padding p and dilation d makes of (size, stride, start):
    ``(size + (k - 1) * d * stride, stride * s, start - p * stride)`` (Araujo, Norris and Sim,
    "Computing receptive fields of convolutional neural networks", Distill 2019).

    Examples
    --------
    >>> receptive_field([3, (2, 2), 3])
    ReceptiveField(size=8, stride=2, start=0)
    >>> receptive_field([torch.nn.Conv2d(1, 6, (3, 1), padding=(1, 0))])
    ReceptiveField(size=(3, 1), stride=(1, 1), start=(-1, 0))
    """
    stack = as_layers(layers)
    rows, columns = (_along(stack, axis) for axis in (0, 1))
    if rows == columns:
        return ReceptiveField(*rows)
    size, stride, start = zip(rows, columns, strict=True)
    return ReceptiveField(size, stride, start)


def _along(layers: Sequence[Layer], axis: int) -> tuple[int, int, int]:
    """Return size, stride and start along an axis."""
    size, stride, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel_size[axis] - 1) * layer.dilation[axis] * stride
        start -= layer.padding[axis] * stride
        stride *= layer.stride[axis]
        if max(size, stride, -start) > MAX_SIDE:
            given = f"a cell sees {size} cells, and its neighbour those {stride} further on"
            hint = "Use fewer layers, or smaller kernels, strides and padding."
            raise ConvkitError(given, f"at most {MAX_SIDE} cells", hint)
    return size, stride, start


def as_layers(layers: Sequence[Any]) -> tuple[Layer, ...]:
    """Return layers that were given in any form that `receptive_field` takes.

    Raises
    ------
    ConvkitError
        If something is no layer.

    Examples
    --------
    >>> as_layers([(3, 2)])
    (Layer(kernel_size=(3, 3), stride=(2, 2), padding=(0, 0), dilation=(1, 1)),)
    """
    try:
        stack = list(layers)
    except TypeError as error:
        given = f"layers is {brief_repr(layers)}"
        raise ConvkitError(given, "a list of layers", "Write for example [3, (2, 2)].") from error
    if not 1 <= len(stack) <= MAX_LAYERS:
        given, hint = f"{len(stack)} layers", "Write for example [3, (2, 2)]."
        raise ConvkitError(given, f"from 1 to {MAX_LAYERS}", hint)
    return tuple(_as_layer(n, layer) for n, layer in enumerate(stack))


def _as_layer(n: int, given: Any) -> Layer:
    if isinstance(given, Layer):
        return given
    if hasattr(given, "kernel_size") and not isinstance(getattr(given, "padding", 0), str):
        names = ("kernel_size", "stride", "padding", "dilation")
        return Layer(**{name: getattr(given, name) for name in names if hasattr(given, name)})
    if ops.as_integer(given) is not None:
        return Layer(given)
    if isinstance(given, tuple | list) and 1 <= len(given) <= 4:
        return Layer(*given)
    raise ConvkitError(
        f"layers[{n}] is {brief_repr(given)}",
        "a kernel size, a tuple (kernel_size, stride, padding, dilation) or a layer with windows",
        'Leave out others, such as activations; write numbers in place of padding="same".',
    )


def geometries(layers: Sequence[Layer], input_size: Pair) -> list[WindowGeometry]:
    """Return where the windows of each layer of a stack lie on what it gets.

    Raises
    ------
    ConvkitError
        If a window does not fit.

    Examples
    --------
    >>> [each.output_size for each in geometries(as_layers([3, (2, 2)]), 12)]
    [(10, 10), (5, 5)]
    """
    found: list[WindowGeometry] = []
    for layer in layers:
        found.append(layer.on(found[-1].output_size if found else input_size))
    return found


def lines_seen(stack: Sequence[WindowGeometry], axis: int) -> list[set[int]]:
    """Return which rows (axis 0) or columns of the input each one of the last layer sees.

    Padding does not count.

    Examples
    --------
    >>> lines_seen(geometries(as_layers([(3, 2, 1)]), 5), 0)
    [{0, 1}, {1, 2, 3}, {3, 4}]
    """
    seen = [{n} for n in range(stack[0].input_size[axis])]
    for each in stack:
        reads = (each.rows, each.columns)[axis]
        lines = [[k for k in reads(n) if 0 <= k < len(seen)] for n in range(each.output_size[axis])]
        seen = [set().union(*(seen[k] for k in line)) for line in lines]
    return seen


def lines_seeing(stack: Sequence[WindowGeometry], axis: int) -> list[set[int]]:
    """Return which rows (axis 0) or columns of the last layer see each one of the input.

    Examples
    --------
    >>> lines_seeing(geometries(as_layers([(3, 2, 1)]), 5), 0)
    [{0}, {0, 1}, {1}, {1, 2}, {2}]
    """
    seen = lines_seen(stack, axis)
    lines = range(stack[0].input_size[axis])
    return [{n for n, read in enumerate(seen) if line in read} for line in lines]


def path_counts(
    layers: Sequence[Layer], input_size: Pair, n: int, at: Sequence[int]
) -> list[Tensor]:
    """Return in how many ways a cell is connected with the cells of each grid of a stack.

    Below it that is how often it reads each cell: its gradient, if all weights are 1. Above it,
    how often each cell reads it. Only cells with a number above 0 see it or are seen.

    Parameters
    ----------
    layers : sequence of Layer
        The stack.
    input_size : int or (h, w)
        Of the input, which is grid 0.
    n : int
        Which grid the cell is in: layer n makes grid n.
    at : (i, j)
        The cell.

    Examples
    --------
    >>> path_counts([Layer((1, 2)), Layer((1, 2))], (1, 4), 2, (0, 1))[0].tolist()
    [[0.0, 1.0, 2.0, 1.0]]
    """
    stack = geometries(layers, input_size)
    sizes = [ops.to_pair("input_size", input_size, 1), *(each.output_size for each in stack)]
    with torch.inference_mode(False), torch.enable_grad():
        below = [torch.zeros(sizes[0], **ops.FLOAT64, requires_grad=True)]
        for layer in layers[:n]:
            below.append(_summed(below[-1], layer))
        read = torch.autograd.grad(below[n][*at], below[:n]) if n else ()
    above = [torch.zeros(sizes[n], **ops.FLOAT64)]
    above[0][*at] = 1
    for layer in layers[n:]:
        above.append(_summed(above[-1], layer))
    return [*read, *above]


def _summed(X: Tensor, layer: Layer) -> Tensor:
    """Return the sum of each window of a layer."""
    ones = torch.ones(layer.kernel_size, **ops.FLOAT64)
    return ops.corr2d(X, ones, padding=layer.padding, stride=layer.stride, dilation=layer.dilation)
