"""What a KernelEditor shows: input, kernel and output in a line, and one window in numbers."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
from ipywidgets import Widget
from torch import Tensor

from convkit import formatting, images, ops
from convkit.formatting import minus
from convkit.ops import WindowGeometry
from convkit.state.kernel_editor import MAX_SHOWN_SIDE, KernelEditorResult
from convkit.user_function import name_of
from convkit.views.products import compared_sums, product_tiles, sum_line
from convkit.views.scales import Scale
from convkit.widgets._base import html
from convkit.widgets.number_table import NumberTable
from convkit.widgets.picture import Picture

ZOOM = 7
"""The most rows and columns of a picture that are shown as numbers."""

COLUMNS_BESIDE_KERNEL = 15
"""The most columns of input and output together that leave space for the kernel between them."""

Cell = tuple[int, int]


class KernelView(widgets.Box):
    """Shows a result: small arrays as tables of numbers, large ones as pictures with a zoom.

    Parameters
    ----------
    input_controls, kernel_controls, output_controls, kernel : Widget
        What stands above the three, and what edits the kernel.

    Attributes
    ----------
    input_table, output_table : NumberTable
        The whole of small arrays.
    input_picture, output_picture : Picture
        Those of large ones.
    refit : Button
        Fits the output's colour key anew; shown where that would change it.
    pointed : [i, j]
        The output cell under the pointer, on whichever part that is; empty if there is none.
    next_difference : Button
        Goes to the next cell in which a learner's function differs; shown where there is one.
    """

    _painted_input: Tensor | None = None
    _window_shown: tuple[KernelEditorResult, Cell] | None = None

    def __init__(
        self,
        input_controls: Widget,
        kernel_controls: Widget,
        output_controls: Widget,
        kernel: Widget,
    ) -> None:
        self._make_arrays()
        self._make_words()
        self.pointed: list[int] = []
        output_line = self._captions[1], self.refit, self._keys[2]
        super().__init__(
            [
                _area("xh", input_controls),
                _area("kh", kernel_controls),
                _area("yh", output_controls),
                _area("xp", self.input_table, self.input_picture),
                _area("kp", kernel),
                _area("yp", self.output_table, self.output_picture),
                _area("xl", _line(self._captions[0], self._keys[0]), self.input_zoom),
                _area("sm", _line(html("pixel × weight", "ck-cap"), self._keys[1]), self._products),
                _area("yl", _line(*output_line), self.output_zoom),
            ]
        )
        self.add_class("ck-stage")

    def _make_arrays(self) -> None:
        self.input_table = NumberTable("input", "X")
        self.output_table = NumberTable("output", "Y", "output")
        self.input_picture = Picture("input", width=MAX_SHOWN_SIDE)
        self.output_picture = Picture("output", width=MAX_SHOWN_SIDE)
        self.output_picture.frame_role = "output"
        for picture in (self.input_picture, self.output_picture):
            picture.pointable = picture.zoomed = True
        self.input_zoom = NumberTable("input around the window", "X")
        self.output_zoom = NumberTable("output around the cell", "Y", "output")
        self.output_table.headers = self.input_table.headers = True
        self.input_table.pick = self.output_table.pick = "hover"
        self.input_zoom.pick = self.output_zoom.pick = "click"

    def _make_words(self) -> None:
        self._keys = html(), html(), html()
        self._captions = html("", "ck-cap"), html("", "ck-cap")
        self._products = html("", "ck-products")
        self.refit = widgets.Button(description="refit", tooltip="fit the colour key to the output")
        self.next_difference = widgets.Button(description="next difference")
        for button in (self.refit, self.next_difference):
            button.add_class("ck-link")

    @property
    def whole_parts(self) -> tuple[NumberTable | Picture, ...]:
        """The parts that show a whole array."""
        return self.input_table, self.output_table, self.input_picture, self.output_picture

    def paint_output(self, result: KernelEditorResult) -> None:
        """Show the output, which is what an edit changes."""
        scale, mark = Scale(result.look, *result.colour_range), result.marked
        if result.state.fits_tables:
            self.output_table.show(result.shown, scale, mark=mark)
            return
        is_own = result.candidate is not None
        shown = _sampled(result.shown) if is_own else result.correlation.shown
        mark = None if mark is None else _sampled(mark)
        with self.output_picture.hold_sync():
            _set_size(self.output_picture, shown.shape)
            self.output_picture.pixels = scale.indices(shown, mark)
            self.output_picture.palette = scale.palette

    def paint(self, result: KernelEditorResult) -> None:
        """Show everything else: the input, the window, the captions and the colour keys."""
        self._arrange(result.state.fits_tables)
        self._paint_input(result)
        self._paint_geometry(result)
        self._paint_keys(result)
        differences = 0 if result.mismatch is None else int(result.mismatch.sum())
        self.next_difference.layout.display = None if differences else "none"
        self._window_shown = None
        self.paint_window(result)

    def paint_window(self, result: KernelEditorResult) -> None:
        """Show the window pointed at, or else the chosen one, in numbers and what is around it."""
        cell = self._pointed(result) or result.at
        if self._window_shown == (result, cell):
            return
        self._window_shown = result, cell
        state = result.state
        patch = ops.window(state.X, state.K, *cell, **state.options)
        K = state.K.flip(0, 1) if state.flip else state.K
        tiles = product_tiles(patch, K, result.product_limit)
        if result.mismatch is not None and result.mismatch[cell]:
            assert result.candidate is not None
            texts = formatting.distinct_numbers(result.output[cell], result.candidate[cell])
            line = sum_line(patch, K, result.output[cell], cell, texts[0])
            line = compared_sums(line, name_of(result.operation), texts[1], cell)
        else:
            line = sum_line(patch, K, result.output[cell], cell)
        self._products.value = f'{tiles}<div class="ck-sum">{line}</div>'
        if not state.fits_tables:
            self._paint_input_zoom(result, cell)
            self._paint_output_zoom(result, cell)

    def _pointed(self, result: KernelEditorResult) -> Cell | None:
        """Return the output cell that is pointed at; after an edit it may be gone."""
        i, j = self.pointed or (-1, -1)
        rows, columns = result.output.shape
        return (i, j) if 0 <= i < rows and 0 <= j < columns else None

    def _paint_input(self, result: KernelEditorResult) -> None:
        X = result.state.X
        scale = Scale("grey", *result.state.input_range)
        if result.state.fits_tables:
            self._paint_small_input(result, scale)
        elif self._painted_input is not X:
            shown = _sampled(X)
            with self.input_picture.hold_sync():
                _set_size(self.input_picture, shown.shape)
                self.input_picture.pixels = scale.indices(shown)
                self.input_picture.palette = scale.palette
        self._painted_input = X

    def _paint_small_input(self, result: KernelEditorResult, scale: Scale) -> None:
        geometry = result.state.geometry
        (top, left), (rows, columns) = geometry.padding, geometry.input_size
        shown = ops.pad2d(result.state.X, geometry.padding)
        self.input_table.show(shown, scale, first=(-top, -left))
        columns_in_line = shown.shape[1] + result.output.shape[1]
        self.input_table.columns_in_line = self.output_table.columns_in_line = columns_in_line
        is_wide = columns_in_line > COLUMNS_BESIDE_KERNEL
        (self.add_class if is_wide else self.remove_class)("ck-wide-arrays")
        self.input_table.padded = _outside(
            range(-top, rows + top), range(-left, columns + left), geometry
        )

    def _paint_geometry(self, result: KernelEditorResult) -> None:
        """Tell every part where windows lie, so that frames can move in the browser."""
        state, geometry = result.state, result.state.geometry
        K = state.K.flip(0, 1) if state.flip else state.K
        texts = [text for row in formatting.numbers(K, 3) for text in row]
        weights = [minus(text) for text in formatting.without_zero(texts)]
        for part in (self.input_table, self.input_zoom, self.input_picture):
            with part.hold_sync():
                part.start, part.stride = list(geometry.start(0, 0)), list(geometry.stride)
                part.window = list(geometry.window_size)
                if isinstance(part, NumberTable):
                    part.window, part.dilation = list(K.shape), list(geometry.dilation)
                    part.weights = weights if max(K.shape) <= 4 else []
        sizes = [formatting.size(values.shape) for values in (state.X, result.output)]
        for part in self.whole_parts:
            with part.hold_sync():
                part.cells, part.cell = list(geometry.output_size), list(result.at)
                is_input = part in (self.input_table, self.input_picture)
                name = f"input {sizes[0]}, {state.picture}" if is_input else f"output {sizes[1]}"
                part.label = name
        for picture, values in (
            (self.input_picture, state.X),
            (self.output_picture, result.output),
        ):
            picture.full_shape = list(values.shape)
        for zoom in (self.input_zoom, self.output_zoom):
            zoom.cells = list(geometry.output_size)

    def _paint_keys(self, result: KernelEditorResult) -> None:
        can_refit = result.look != "grey" and result.state.limit != result.fitted_limit
        self.refit.layout.display = None if can_refit else "none"
        self._keys[0].value = Scale("grey", *result.state.input_range).key()
        self._keys[1].value = Scale("signed", -result.product_limit, result.product_limit).key()
        self._keys[2].value = Scale(result.look, *result.colour_range).key()
        if result.state.fits_tables:
            for caption, values in zip(
                self._captions, (result.state.X, result.output), strict=True
            ):
                caption.value = formatting.size(values.shape)
            if any(result.state.geometry.padding):
                padding = formatting.size(result.state.geometry.padding)
                self._captions[0].value += f", padding {padding}"

    def _paint_input_zoom(self, result: KernelEditorResult, cell: Cell) -> None:
        """Show the input around a window."""
        state, geometry, zoom = result.state, result.state.geometry, self.input_zoom
        rows, columns = (_zoomed_inputs(geometry, axis, cell[axis]) for axis in (0, 1))
        shown = _values_at(state.X, geometry, rows, columns)
        with zoom.hold_sync():
            zoom.show(shown, Scale("grey", *state.input_range), first=(rows[0], columns[0]))
            zoom.padded = _outside(rows, columns, geometry)
            zoom.cell = list(cell)
            # Where only the cells that the window reads are shown, they are side by side.
            zoom.pick = "click" if rows.step == columns.step == 1 else "none"
            zoom.dilation = [
                1 if r.step > 1 else d
                for r, d in zip((rows, columns), geometry.dilation, strict=True)
            ]
        self._captions[0].value = _slice_text("X", rows, columns)

    def _paint_output_zoom(self, result: KernelEditorResult, cell: Cell) -> None:
        """Show the output around a cell."""
        rows, columns = (
            _around(n, size) for n, size in zip(cell, result.output.shape, strict=True)
        )
        part = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
        mark = None if result.mismatch is None else result.mismatch[part]
        scale = Scale(result.look, *result.colour_range)
        with self.output_zoom.hold_sync():
            first = rows.start, columns.start
            self.output_zoom.show(result.shown[part], scale, first=first, mark=mark)
            self.output_zoom.cell = list(cell)
        self._captions[1].value = _slice_text("Y", rows, columns)

    def _arrange(self, is_small: bool) -> None:
        """Show tables, or pictures and the zoom below them."""
        for part in (self.input_table, self.output_table):
            part.layout.display = None if is_small else "none"
        for part in (self.input_picture, self.output_picture, self.input_zoom, self.output_zoom):
            part.layout.display = "none" if is_small else None
        (self.add_class if is_small else self.remove_class)("ck-small-arrays")


def _area(name: str, *children: Widget) -> widgets.VBox:
    """Return a box for an area of the stage, which its style sheet places."""
    box = widgets.VBox(children)
    box.add_class(f"ck-{name}")
    return box


def _line(*children: Widget) -> widgets.HBox:
    line = widgets.HBox(children)
    line.add_class("ck-caption")
    return line


def _sampled(values: Tensor) -> Tensor:
    """Return the rows and columns that a picture shows."""
    return images.sampled(values, MAX_SHOWN_SIDE)


def _set_size(picture: Picture, shape: Sequence[int]) -> None:
    """Give a picture its shape, and a width of a whole number of pixels for each of its own."""
    height, width = shape
    picture.shape = [height, width]
    picture.width = width * max(1, MAX_SHOWN_SIDE // max(height, width))


def _zoomed_inputs(geometry: WindowGeometry, axis: int, n: int) -> range:
    """Return the input rows (axis 0) or columns to show around the window of output n."""
    reads = (geometry.rows, geometry.columns)[axis](n)
    span = geometry.window_size[axis]
    if span > ZOOM:
        return reads
    padding, size = geometry.padding[axis], geometry.input_size[axis]
    count = min(ZOOM, size + 2 * padding)
    first = min(max(reads[0] - (count - span) // 2, -padding), size + padding - count)
    return range(first, first + count)


def _around(n: int, size: int) -> range:
    """Return the indices to show around n, of `size`."""
    count = min(ZOOM, size)
    first = min(max(n - count // 2, 0), size - count)
    return range(first, first + count)


def _values_at(X: Tensor, geometry: WindowGeometry, rows: range, columns: range) -> Tensor:
    """Return the values of the padded input in some rows and columns, counted without padding."""
    top, left = geometry.padding
    padded = ops.pad2d(X, geometry.padding)
    return padded[
        rows.start + top : rows.stop + top : rows.step,
        columns.start + left : columns.stop + left : columns.step,
    ]


def _outside(rows: range, columns: range, geometry: WindowGeometry) -> list[int]:
    """Return which cells of a table, in reading order, lie in the padding."""
    height, width = geometry.input_size
    inside = [0 <= i < height and 0 <= j < width for i in rows for j in columns]
    return [k for k, is_inside in enumerate(inside) if not is_inside]


def _slice_text(symbol: str, *ranges: range) -> str:
    """Return "X[92:99, 76:83]", as one would write it in Python."""
    texts = [f"{r.start}:{r.stop}" + (f":{r.step}" if r.step > 1 else "") for r in ranges]
    return f"{symbol}[{', '.join(texts)}]"
