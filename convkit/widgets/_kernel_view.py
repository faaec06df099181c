"""What a KernelEditor shows: input, kernel and output, as numbers or as pictures with a zoom."""

from __future__ import annotations

import ipywidgets as widgets
from ipywidgets import Widget

from convkit import formatting
from convkit.state.kernel_editor import KernelEditorResult
from convkit.views.html import colour_key, figure
from convkit.views.lens import Lens, lens
from convkit.views.plots import GREY_PALETTE, SIGNED_PALETTE, palette_indices, sampled
from convkit.widgets._base import html
from convkit.widgets.picture import Picture

PICTURE_SIDE = 270
"""The width of a picture on the screen, in CSS pixels."""
MAX_PAINTED_SIDE = 300
"""A larger picture is sent to the screen by every second pixel, every third, and so on."""


class KernelView(widgets.VBox):
    """Shows a result as one lens where it is small, else as pictures above a zoomed neighbourhood.

    Parameters
    ----------
    kernel : Widget
        What edits the kernel; it stands between input and output.

    Attributes
    ----------
    input_picture, output_picture : Picture
        What one points at to choose a window.
    """

    def __init__(self, kernel: Widget) -> None:
        self.input_picture = Picture("input", width=PICTURE_SIDE)
        self.output_picture = Picture("output", width=PICTURE_SIDE)
        for picture in (self.input_picture, self.output_picture):
            picture.pointable = True
        self._tables = html(), html()
        self._zoomed = html(), html()
        self._titles = html(), html()
        self._key = html()
        self._sides = (
            widgets.VBox([self._tables[0], self._titles[0], self.input_picture]),
            widgets.VBox([self._tables[1], self._titles[1], self.output_picture, self._key]),
        )
        for side, name in zip(self._sides, ("ck-X", "ck-Y"), strict=True):
            side.add_class(name)
        self._whole = _LensBox(self._sides[0], kernel, self._sides[1])
        self._zoom = _LensBox(*self._zoomed)
        self._painted_input: object = None
        super().__init__([self._whole, self._zoom])

    def paint_output(self, result: KernelEditorResult) -> None:
        """Show the output, which is what an edit changes; of a lens, nothing yet."""
        if result.state.fits_lens:
            return
        shown = sampled(result.output, MAX_PAINTED_SIDE)
        mark = result.mismatch
        if mark is not None:
            mark = sampled(mark, MAX_PAINTED_SIDE)
        with self.output_picture.hold_sync():
            self.output_picture.shape = list(shown.shape)
            self.output_picture.pixels = palette_indices(shown, result.limit, mark)
            self.output_picture.palette = SIGNED_PALETTE

    def paint(self, result: KernelEditorResult) -> None:
        """Show everything else: the input, the window, the titles and the colour key."""
        self._arrange(result.state.fits_lens)
        self._key.value = colour_key(result.limit)
        if result.state.fits_lens:
            self._show_lens(result, self._whole, self._tables)
            return
        self._paint_input(result)
        self._paint_frames(result)
        self._show_lens(result, self._zoom, self._zoomed)

    def _show_lens(
        self, result: KernelEditorResult, box: _LensBox, tables: tuple[widgets.HTML, ...]
    ) -> None:
        view = lens_of(result)
        box.sum_space.value = view.sum_space
        for table, content in zip(tables, (view.input, view.output), strict=True):
            table.value = content

    def _paint_input(self, result: KernelEditorResult) -> None:
        X = result.state.X
        sizes = [formatting.size(values.shape) for values in (X, result.output)]
        self._titles[0].value = figure("X", f"input {sizes[0]}", "")
        self._titles[1].value = figure("Y", f"output {sizes[1]}", "")
        if self._painted_input is X:
            return
        shown = sampled(X, MAX_PAINTED_SIDE)
        with self.input_picture.hold_sync():
            self.input_picture.shape = list(shown.shape)
            self.input_picture.pixels = palette_indices(shown)
            self.input_picture.palette = GREY_PALETTE
        self._painted_input = X

    def _paint_frames(self, result: KernelEditorResult) -> None:
        """Frame the window in the input and its cell in the output."""
        state = result.state
        geometry = state.geometry
        source, target = self.input_picture, self.output_picture
        with source.hold_sync(), target.hold_sync():
            for picture, values in ((source, state.X), (target, result.output)):
                picture.full_shape = list(values.shape)
                picture.cells = list(geometry.output_size)
                picture.cell = list(result.at)
            source.start = list(geometry.start(0, 0))
            source.stride = list(geometry.stride)
            source.window = list(geometry.window_size)
            source.frame_role, target.frame_role = "kernel", "output"
            source.label = f"input {formatting.size(state.X.shape)}, {state.picture}"
            target.label = f"output {formatting.size(result.output.shape)}"

    def _arrange(self, is_lens: bool) -> None:
        """Show tables, or pictures and the zoom below them."""
        for table in self._tables:
            table.layout.display = None if is_lens else "none"
        pictures = self.input_picture, self.output_picture
        for part in (*self._titles, *pictures, self._zoom):
            part.layout.display = "none" if is_lens else None
        if not is_lens:
            self._whole.sum_space.value = ""


def lens_of(result: KernelEditorResult) -> Lens:
    """Return the lens on a result, or on the neighbourhood of its window where it is large."""
    state = result.state
    return lens(
        state.X,
        state.K,
        flip=state.flip,
        **state.options,
        at=result.at,
        candidate=result.candidate,
        limit=result.limit,
        zoom=not state.fits_lens,
    )


class _LensBox(widgets.VBox):
    """A line of tables in which pointing at an output cell shows its window."""

    def __init__(self, *tables: Widget) -> None:
        self.sum_space = html()
        super().__init__([widgets.HBox(tables), self.sum_space])
        self.add_class("ck-lens")
