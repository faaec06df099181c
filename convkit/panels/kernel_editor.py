"""The panel in which one edits a kernel and sees at once what it does to a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.resources import files
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from convkit import formatting, images, kernels, ops, ui
from convkit.formatting import minus
from convkit.inputs import as_array
from convkit.ops import Pair, WindowGeometry
from convkit.panels._kernel_editor_state import (
    BRUSHES,
    CHANNELS,
    LOOKS,
    MAX_KERNEL_SIDE,
    MAX_SHOWN_SIDE,
    OPTIONS,
    KernelEditorResult,
    KernelEditorState,
    compute,
    inside,
    opened,
    read,
    work,
)
from convkit.panels._products import short_texts, tiles
from convkit.panels._sheet import pictures
from convkit.ui import Cell, Cursor, Edit, Frame, Node, Part, Scale, box, caption, text
from convkit.ui.store import Fields

OWN_KERNEL = "custom"
SIZES = tuple(range(1, MAX_KERNEL_SIDE + 1))
POSITIONS = 40
"""Positions of the weight's slider on either side of zero."""
ZOOM = 7
"""The most rows and columns of a picture that are shown as numbers."""
MAX_WRITTEN_SIDE = 4
"""The most rows or columns of a kernel whose weights are written in its window."""
MAX_EDITABLE_PIXELS = 144
MAX_COARSE = 150
"""The most rows or columns of pictures whose pixels one can see: of others they are blended."""
MAX_COLUMNS_BESIDE_KERNEL = 15
"""The most columns of input and output together that leave space for the kernel between them."""


class KernelEditor(ui.Panel):
    """Edit a kernel and see what it does to a picture.

    Parameters
    ----------
    X : Tensor, optional
        Input (H, W), or whatever `convkit.inputs.as_colours` takes; the 128 x 128 photo unless
        given. Of a picture in colour each channel can be the input, or its grey.
    K : Tensor, optional
        Kernel, up to (7, 7); Sobel x unless given.
    operation : callable, optional
        A function of (X, K), and of options of `corr2d` if it takes them, that is compared with
        `corr2d`. Cells that differ are marked.
    padding, stride, dilation : int or (h, w)
        As in `corr2d`.
    flip : bool
        Whether to convolve, which is to flip the kernel in both axes.
    padding_mode : str
        As in `corr2d`.

    Attributes
    ----------
    X, kernel, padding, stride, dilation, flip, padding_mode, channel
        What the panel is set to; each may be set. Tensors are copies.

    Raises
    ------
    ConvkitError
        If what is given or set cannot work; the panel keeps its last good state.

    Examples
    --------
    >>> panel = KernelEditor(torch.eye(3), torch.ones(2, 2))
    >>> panel.kernel = torch.tensor([[1.0, -1.0]])
    >>> panel.output
    tensor([[ 1.,  0.],
            [-1.,  1.],
            [ 0., -1.]])
    >>> panel.undo()
    >>> panel.kernel
    tensor([[1., 1.],
            [1., 1.]])
    """

    style = files("convkit.panels").joinpath("kernel_editor.css").read_text("utf-8")

    def __init__(
        self,
        X: Any = None,
        K: Any = None,
        *,
        operation: Callable[..., Tensor] = ops.corr2d,
        padding: Pair = 0,
        stride: Pair = 1,
        dilation: Pair = 1,
        flip: bool = False,
        padding_mode: str = "zeros",
    ) -> None:
        X, origin = read(images.photo(128) if X is None else X)
        K = kernels.kernel("Sobel x") if K is None else as_array("K", K)
        start = KernelEditorState(X, K, padding, stride, dilation, flip, padding_mode, origin)
        compared = partial(compute, operation=operation)
        super().__init__(start, compared, view, first=lambda result: [_output(result)], work=work)

    @property
    def output(self) -> Tensor:
        """The library's output, (H_out, W_out)."""
        return self.store.result.output.clone()

    @property
    def code(self) -> str:
        """Torch code that computes `output` exactly."""
        return self.store.result.code

    def trait_of(self, result: KernelEditorResult, name: str) -> Any:
        """Return the field of the state; of `at` the cell that is shown."""
        return result.at if name == "at" else super().trait_of(result, name)

    def __repr__(self) -> str:
        return f"KernelEditor: {self.store.result.summary}"

    def fallback(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the panel as HTML where the input is small, else the pictures as PNG."""
        result = self.store.result
        if result.state.fits_tables:
            return super().fallback()
        K = result.state.kernel
        X, Y, colours = result.state.X, result.output, result.colours
        if colours is not None:
            X, Y = colours, result.correlation.on_each(colours)
        arrays = {
            "input": (X, result.input_scale),
            "kernel": (K, Scale.signed(K)),
            "output": (Y, result.scale),
        }
        lines = [formatting.describe(name, values) for name, (values, _) in arrays.items()]
        return pictures(arrays).data("\n".join(lines))


def view(result: KernelEditorResult) -> Node:
    """Return input, kernel and output as an equation, and below it one window in numbers.

    Examples
    --------
    >>> result = compute(KernelEditorState(torch.eye(3), torch.ones(2, 2)))
    >>> [node.name for node in view(result) if node.kind == "table"]
    ['input', 'output']
    """
    state, printed = result.state, result.comparison and result.comparison.printed
    return box(
        ui.header(result.verdict, _next_difference(result), is_error=not result.agrees),
        _stage(result),
        ui.row(caption("printed:"), text(printed, "mono")) if printed else None,
        box(
            ui.player("window", _window(result), symbol="Y"),
            caption(f"of {formatting.size(state.geometry.output_size)}"),
            ui.file("open a picture", ".png,.jpg,.jpeg,.webp,.bmp,.gif", opened),
            _pixels(state) if state.X.numel() <= MAX_EDITABLE_PIXELS else None,
            ui.section("padding, stride, flip", ui.row(*_options(result))),
            ui.section("torch code", ui.code("torch code", result.code)),
            css="foot",
        ),
        css="kernel-editor column",
    )


def _stage(result: KernelEditorResult) -> Node:
    """Return what is above the foot; its numbers say how large the arrays are."""
    state, is_small = result.state, result.state.fits_tables
    names = tuple(dict.fromkeys((*images.PICTURES, result.picture)))
    kernel_name = kernels.named_like(state.kernel) or OWN_KERNEL
    looks = ui.choice("look of the output", LOOKS, state.look, "look")
    size = state.geometry.padded_size if is_small else tuple(state.X.shape)
    (height, width), (rows, columns) = size, state.geometry.output_size
    extent, across = max(height, width, rows, columns), width + columns
    is_wide = is_small and across > MAX_COLUMNS_BESIDE_KERNEL
    sizes = {"wide": width, "across": across, "down": max(height, rows), "extent": extent}
    return box(
        box(
            ui.heading("input X", "input"),
            _picture_list(names, result.picture),
            _channel_list(state),
            css="xh",
        ),
        box(ui.heading("kernel K", "kernel"), _kernel_list(kernel_name), css="kh"),
        box(ui.heading("output Y", "output"), looks, css="yh"),
        *(_tables(result) if is_small else _pictures(result)),
        box(*_kernel(result), css="kp"),
        box(*_products(result), css="sm"),
        css=f"stage{' tables' * is_small}{' wide' * is_wide}{' fine' * (extent > MAX_COARSE)}",
        variables=sizes,
    )


def _window(result: KernelEditorResult) -> Cursor:
    return Cursor("window", result.state.geometry.output_size, result.at, _choose, "pointed")


def _choose(cell: Cell) -> Fields:
    return {"at": cell, "pointed": None}


def _next_difference(result: KernelEditorResult) -> Node | None:
    made = result.comparison
    if made is None or not made.count:
        return None
    return ui.button("next difference", lambda: _choose(made.difference_after(result.at)))


# Controls.


def _picture_list(names: Sequence[str], name: str) -> Node:
    def choose(name: str) -> Fields:
        return {"X": images.picture(name)} if name in images.PICTURES else {}

    return ui.select("picture", names, name, choose)


def _channel_list(state: KernelEditorState) -> Node | None:
    """Return a list of the channels of a picture in colour."""
    if state.origin is None or not state.origin.channels:
        return None
    return ui.select("channel", tuple(CHANNELS), state.channel, "channel")


def _kernel_list(name: str) -> Node:
    def choose(name: str) -> Fields:
        return {} if name == OWN_KERNEL else {"kernel": kernels.kernel(name)}

    return ui.select("named kernel", (*kernels.KERNELS, OWN_KERNEL), name, choose)


def _kernel(result: KernelEditorResult) -> list[Node]:
    """Return the kernel's boxes, and what changes its size and one weight."""
    K, cell = result.state.kernel, result.weight
    total = minus(result.correlation.sum_of_weights)
    sizes = "\n".join(formatting.size_sums(result.state.geometry))
    name, weight = f"K[{cell[0]}, {cell[1]}]", K[cell].item()
    position = round(weight / result.reach * POSITIONS)
    ends = minus(f"{formatting.number(-result.reach)} … {formatting.number(result.reach)}")
    drag, said = partial(_drag, cell, result.reach, position), f"weight {formatting.number(weight)}"
    return [
        box(ui.numbers("kernel", K, "kernel", symbol="K", at=cell, focus="weight"), css="signs"),
        ui.row(
            caption("size"),
            ui.select("rows", SIZES, K.shape[0], partial(_resized, 0)),
            text("×"),
            ui.select("columns", SIZES, K.shape[1], partial(_resized, 1)),
            caption(f"sum of weights {total}"),
        ),
        ui.row(
            text(name, "caption mono"),
            ui.slider("weight", -POSITIONS, POSITIONS, position, drag, said),
            text(ends, "caption mono"),
        ),
        text(sizes, "caption mono sizes"),
    ]


def _resized(axis: int, n: int) -> Edit:
    def change(state: KernelEditorState) -> Fields:
        size = [n if a == axis else size for a, size in enumerate(state.kernel.shape)]
        return {"kernel": kernels.resized(state.kernel, tuple(size))}

    return Edit(change)


def _drag(cell: Cell, reach: float, shown: int, position: int) -> Edit:
    """Return the edit of a weight; where the slider stands already, the exact weight stays."""

    def change(state: KernelEditorState) -> Fields:
        K = state.kernel.clone()
        if position == shown or inside(cell, K.shape) != cell:
            return {}
        K[cell] = torch.tensor(position * reach / POSITIONS, dtype=K.dtype, device="cpu")
        return {"kernel": K, "dragged": K}

    return Edit(change, "weight")


def _options(result: KernelEditorResult) -> list[Node | None]:
    state, missing = result.state, result.missing
    why = f"your function takes no {' or '.join(missing)}" if missing else ""
    boxes = [
        ui.pair_entry(name, getattr(state, name), low, why if name in missing else "")
        for name, low in OPTIONS.items()
    ]
    modes = ui.select("padding_mode", ops.PADDING_MODES, state.padding_mode, "padding_mode")
    if "padding_mode" not in missing:
        boxes.insert(1, ui.labelled(modes))
    flip = ui.check("flip the kernel: convolution", state.flip, "flip")
    return [*boxes, flip, caption(why) if why else None]


def _pixels(state: KernelEditorState) -> Node:
    """Return the section in which a small input is painted, or typed into."""
    if not state.edits_pixels:
        return ui.section("edit pixels", edits="edits_pixels")
    value = ui.number_entry("brush value", state.brush_value, "brush_value", state.X.dtype)
    return ui.section(
        "edit pixels",
        ui.row(
            ui.choice("brush", BRUSHES, state.brush, "brush"),
            value if state.brush == "value" else None,
            caption("Drag over the cells of the input to paint them."),
        ),
        ui.numbers("pixels", state.X, "X", symbol="X", scale=Scale("grey", 0, 1)),
        edits="edits_pixels",
        is_open=True,
    )


def _paint(value: float, cells: Sequence[Cell]) -> Edit:
    def change(state: KernelEditorState) -> Fields:
        X = state.X.clone()
        for cell in cells:
            if inside(cell, X.shape) == cell:
                X[cell] = value
        return {"X": X}

    return Edit(change, "paint")


# Arrays.


def _on_input(result: KernelEditorResult, cursor: Cursor) -> Frame:
    """Return the window on the input, its weights written in it where there is space."""
    K, geometry = result.state.weights, result.state.geometry
    if max(K.shape) > MAX_WRITTEN_SIDE:
        return Frame.window(cursor, geometry)
    return Frame.window(cursor, geometry, [*chain(*formatting.cell_texts(K))])


def _output(result: KernelEditorResult) -> Node:
    """Return the output, as a table where it is small, else as a picture."""
    size, mark = result.state.geometry.output_size, result.marked
    told: dict[str, Any] = {
        "aria_label": f"output {formatting.size(size)}",
        "frames": [Frame(_window(result), hue="output")],
    }
    if result.state.fits_tables:
        told |= {"mark": mark, "descriptions": result.all_sentences}
        return ui.table("output", result.shown, result.scale, **told)
    told |= {"mark": None if mark is None else images.sampled(mark, MAX_SHOWN_SIDE), "full": size}
    colours = result.colours
    values = result.sample if colours is None else result.correlation.on_each(colours)
    return ui.picture("output picture", values, result.scale, **told)


def _tables(result: KernelEditorResult) -> list[Node]:
    """Return small arrays whole, as numbers."""
    state, padding = result.state, result.state.geometry.padding
    sizes = [formatting.size(shape) for shape in (state.X.shape, state.geometry.output_size)]
    shown = ui.table(
        "input",
        result.correlation.padded,
        result.input_scale,
        frames=[_on_input(result, _window(result))],
        part=Part.padded(state.X.shape, padding),
        tooltips=_sources(result),
        aria_label=f"input {sizes[0]}, {result.picture}",
        paint=partial(_paint, state.painted) if state.edits_pixels else None,
    )
    padded = f", padding {formatting.size(padding)}" if any(padding) else ""
    if padded and state.padding_mode != "zeros":
        padded += f" ({state.padding_mode})"
    return [
        box(shown, _caption(sizes[0] + padded, result.input_scale), css="xp"),
        box(_output(result), _caption(sizes[1], result.scale, _refit(result)), css="yp"),
    ]


def _pictures(result: KernelEditorResult) -> list[Node]:
    """Return large arrays as pictures, and around the window or the cell as numbers."""
    state, on_input = result.state, _on_input(result, _window(result))
    near = Cursor("near", state.geometry.output_size, result.cell, _choose)
    whole = ui.picture(
        "input picture",
        images.sampled(state.X if result.colours is None else result.colours, MAX_SHOWN_SIDE),
        result.input_scale,
        frames=[Frame(on_input.cursor, on_input.top, on_input.left, state.geometry.window_size)],
        full=state.geometry.input_size,
        aria_label=f"input {formatting.size(state.X.shape)}, {result.picture}",
    )
    return [
        box(whole, css="xp"),
        box(_output(result), css="yp"),
        box(*_input_zoom(result, near), css="xl"),
        box(*_output_zoom(result, near), css="yl"),
    ]


def _input_zoom(result: KernelEditorResult, near: Cursor) -> list[Node]:
    """Return the input around the window; of a very wide window what it reads alone."""
    geometry, frame = result.state.geometry, _on_input(result, near)
    lines = rows, columns = [_around_window(geometry, k, n) for k, n in enumerate(result.cell)]
    values = _lines_of(result.correlation.padded, lines, geometry.padding)
    is_whole = rows.step == columns.step == 1
    if not is_whole:  # its cells stand side by side
        top, left = geometry.start(*result.cell)
        steps = [1 if r.step > 1 else d for r, d in zip(lines, frame.dilation, strict=True)]
        frame = replace(frame, top=(top, 0, 0), left=(left, 0, 0), dilation=(steps[0], steps[1]))
    zoom = ui.table(
        "input around the window",
        values,
        result.input_scale,
        texts=short_texts(values),
        tooltips=_sources(result, (rows, columns)),
        frames=[frame],
        part=Part(rows, columns, geometry.input_size),
        headers=False,
        pick="click" if is_whole else "none",
    )
    return [_caption(_part("X", rows, columns), result.input_scale), zoom]


def _output_zoom(result: KernelEditorResult, near: Cursor) -> list[Node]:
    """Return the output around the cell."""
    size, made = result.state.geometry.output_size, result.comparison
    rows, columns = (_around(n, n + 1, 0, end) for n, end in zip(result.cell, size, strict=True))
    part = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
    zoom = ui.table(
        "output around the cell",
        result.shown[part],
        result.scale,
        texts=short_texts(result.shown[part]),
        frames=[Frame(near, hue="output")],
        part=Part(rows, columns, size),
        mark=None if made is None or made.mismatch is None else made.mismatch[part],
        headers=False,
        pick="click",
    )
    return [_caption(_part("Y", rows, columns), result.scale, _refit(result)), zoom]


def _sources(
    result: KernelEditorResult, lines: tuple[range, range] | None = None
) -> list[list[str]]:
    """Return where the padding has its values from, unless they are zeros."""
    state = result.state
    if state.padding_mode == "zeros":
        return []
    return formatting.padding_sources(state.geometry, state.padding_mode, lines)


def _lines_of(padded: Tensor, lines: Sequence[range], padding: Cell) -> Tensor:
    """Return some rows and columns, counted without the padding, of an array that has it."""
    pairs = zip(lines, padding, strict=True)
    up, aside = (slice(r.start + p, r.stop + p, r.step) for r, p in pairs)
    return padded[up, aside]


def _around_window(geometry: WindowGeometry, axis: int, n: int) -> range:
    """Return the input rows (axis 0) or columns to show around the window of output n."""
    reads = (geometry.rows, geometry.columns)[axis](n)
    if geometry.window_size[axis] > ZOOM:
        return reads
    padding = geometry.padding[axis]
    return _around(reads[0], reads[-1] + 1, -padding, geometry.input_size[axis] + padding)


def _around(start: int, stop: int, low: int, high: int) -> range:
    """Return `ZOOM` indices around those from start to stop, of those from low to high."""
    count = min(ZOOM, high - low)
    first = min(max(start - (count - (stop - start)) // 2, low), high - count)
    return range(first, first + count)


def _part(symbol: str, *lines: range) -> str:
    """Return "X[92:99, 76:83]", as one would write it in Python."""
    texts = [f"{r.start}:{r.stop}" + (f":{r.step}" if r.step > 1 else "") for r in lines]
    return f"{symbol}[{', '.join(texts)}]"


def _caption(words: str, scale: Scale, button: Node | None = None) -> Node:
    return box(text(words, "caption mono"), button, ui.colour_key(scale), css="caption-line")


def _refit(result: KernelEditorResult) -> Node | None:
    """Return a button that fits the output's colour key anew, where that changes it."""
    if result.look == "grey" or result.colour_limit == result.fitted_limit:
        return None
    return ui.button("refit", lambda: Edit(lambda state: {"refits": state.refits + 1}))


def _products(result: KernelEditorResult) -> list[Node]:
    """Return the products of the window pointed at, or else the chosen one, and their sum."""
    state, cell, limit = result.state, result.cell, result.product_limit
    patch = ops.window(state.X, state.kernel, *cell, **state.options)
    if state.fits_tables:
        said = ui.description(_window(result), result.all_sentences[result.at[0]][result.at[1]])
    else:
        said = text(result.sentences(patch[None], [cell])[0], "mono")
    return [
        _caption("pixel × weight", Scale.centred(limit)),
        box(tiles(patch, state.weights, limit), variables={"rows": patch.shape[0]}),
        box(said, css="sum"),
    ]
