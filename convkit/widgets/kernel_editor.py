"""The panel in which one edits a kernel and sees at once what it does to a picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from convkit import formatting, images, kernels, ops
from convkit.formatting import minus
from convkit.ops import Pair
from convkit.state import kernel_editor
from convkit.state.kernel_editor import (
    MAX_KERNEL_SIDE,
    OPTIONS,
    KernelEditorResult,
    KernelEditorState,
    file_fields,
    input_fields,
)
from convkit.state.store import LOCK, Store, equal
from convkit.user_function import accepted_keywords, name_of
from convkit.views.lens import lens
from convkit.views.plots import show
from convkit.views.scales import Scale
from convkit.widgets._base import (
    STATIC_NOTE,
    Panel,
    Section,
    dropdown,
    foot,
    html,
    row,
    text_box,
)
from convkit.widgets._kernel_view import KernelView
from convkit.widgets._typed import read_number, read_pair, says_pair, write_pair
from convkit.widgets.array_editor import ArrayEditor
from convkit.widgets.choice import Choice
from convkit.widgets.code import Code
from convkit.widgets.file_button import FileButton
from convkit.widgets.player import Player
from convkit.widgets.slider import Slider

OWN_KERNEL = "custom"
LOOK_CHOICES = {
    "auto": "grey where the kernel keeps brightness, signed where it takes differences",
    "grey": "black to white",
    "signed": "blue below 0, red above",
    "magnitude": "the absolute value: edges of either sign alike",
}
"""The looks of the output, and what their tooltips say."""
DRAG_REACH = 40
"""Positions of the weight's slider on either side of zero."""
MAX_EDITABLE_PIXELS = 144


def _field(name: str, doc: str) -> property:
    """Return a property of the panel's state; setting it is an edit that may be refused."""

    def read(panel: KernelEditor) -> object:
        value = getattr(panel.store.state, name)
        return value.clone() if isinstance(value, Tensor) else value

    def write(panel: KernelEditor, value: object) -> None:
        fields: dict[str, Any] = {name: value}
        panel.store.set(**fields)

    return property(read, write, doc=doc)


class KernelEditor(Panel):
    """Edit a kernel and see what it does to a picture.

    Parameters
    ----------
    X : Tensor, optional
        Input (H, W); the 128 x 128 photo unless given.
    K : Tensor, optional
        Kernel, up to (7, 7); Sobel x unless given.
    operation : callable, optional
        A function of (X, K), and of padding, stride or dilation if it takes them, that is compared
        with `corr2d`. Cells that differ are marked.
    padding, stride, dilation : int or (h, w)
        As in `corr2d`.
    flip : bool
        Whether to convolve, which is to flip the kernel in both axes.

    Attributes
    ----------
    X, kernel, padding, stride, dilation, flip
        What the panel is set to; each may be set. Tensors are copies.
    output : Tensor
        The output, (H_out, W_out); read-only.
    code : str
        Torch code that computes `output`.
    status : str
        What the status line says.

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

    def __init__(
        self,
        X: Tensor | None = None,
        K: Tensor | None = None,
        *,
        operation: Callable[..., Tensor] = ops.corr2d,
        padding: Pair = 0,
        stride: Pair = 1,
        dilation: Pair = 1,
        flip: bool = False,
    ) -> None:
        X = images.photo(128) if X is None else X
        K = kernels.kernel("Sobel x") if K is None else ops.validated_copy("kernel", K)
        options: dict[str, Any] = {
            "padding": padding,
            "stride": stride,
            "dilation": dilation,
            "flip": flip,
        }
        start = KernelEditorState(K=K, **input_fields(X), **options)
        compute = partial(kernel_editor.compute, operation=operation)
        store = Store(start, compute, view_fields=["at", "look"])
        self._make_parts(store.result)
        super().__init__(store, self._lines())
        self._bind_input()
        self._bind_kernel()
        self._bind_window()

    X = property(
        lambda panel: panel.store.state.X.clone(),
        lambda panel, X: panel.store.set(**input_fields(X), at=None, limit=None),
        doc="The input, (H, W).",
    )
    kernel = _field("K", "The kernel, (kH, kW).")
    padding = _field("padding", "Zeros per side, an int or (h, w).")
    stride = _field("stride", "Input cells from window to window, an int or (h, w).")
    dilation = _field("dilation", "Input cells from weight to weight, an int or (h, w).")
    flip = _field("flip", "Whether the kernel is flipped: convolution.")

    @property
    def output(self) -> Tensor:
        """The output, (H_out, W_out)."""
        return self.store.result.output.clone()

    @property
    def code(self) -> str:
        """Torch code that computes `output` exactly."""
        return self.store.state.code

    # Parts and controls.

    def _make_parts(self, result: KernelEditorResult) -> None:
        self._make_input_parts(result.state)
        self._make_kernel_parts(result)
        self._look = Choice("look of the output", LOOK_CHOICES, {"magnitude": "|Y|"})
        self._view = KernelView(
            row(_name("X", "input"), html("", "ck-push"), self._picture),
            row(_name("K", "kernel"), html("", "ck-push"), self._preset),
            row(_name("Y", "output"), html("", "ck-push"), self._look),
            self._kernel_column(),
        )
        self._make_window_parts()
        self._code = Code("torch code")
        self._code_section = Section("torch code", self._code)

    def _make_input_parts(self, state: KernelEditorState) -> None:
        self._picture = dropdown("picture", tuple(images.PICTURES), "166px")
        self._file = FileButton("open a picture", ".png,.jpg,.jpeg,.webp,.bmp,.gif")
        self._pixels = ArrayEditor(state.X[:1, :1], "input", symbol="X", signed=False)
        self._brush = Choice("brush", {"black": "0", "white": "1", "value": "the number beside it"})
        self._brush_value = text_box("brush value", "0.5", "60px")
        paint = html("Drag over the cells of the input to paint them.", "ck-cap")
        self._paint_row = row(self._brush, self._brush_value, paint)
        self._pixel_section = Section("edit pixels", self._paint_row, self._pixels)

    def _make_kernel_parts(self, result: KernelEditorResult) -> None:
        sizes = tuple(range(1, MAX_KERNEL_SIDE + 1))
        self._preset = dropdown("named kernel", (*kernels.KERNELS, OWN_KERNEL), "150px")
        self._rows, self._columns = (
            dropdown("rows", sizes, "46px"),
            dropdown("columns", sizes, "46px"),
        )
        self._flip = widgets.Checkbox(description="flip the kernel: convolution", indent=False)
        self._options = {name: text_box(name, "", "110px") for name in OPTIONS}
        self._note = html(self._disable_missing_options(result), "ck-cap")
        options = row(*self._options.values(), self._flip, self._note)
        self._option_section = Section("padding, stride, flip", options)
        self._grid = ArrayEditor(result.state.K, "kernel", symbol="K")
        self._grid.show_cell = True
        self._weight_sum, self._cell_name = html("", "ck-cap"), html("", "ck-cap", "ck-mono")
        self._drag = Slider("weight", -DRAG_REACH, DRAG_REACH, 0)
        self._drag_scale = 0.0
        self._dragged: Tensor | None = None
        self._drag_ends = html("", "ck-cap", "ck-mono")
        self._sizes = html("", "ck-cap", "ck-mono", "ck-sizes")

    def _make_window_parts(self) -> None:
        self._player = Player("window", show_slider=False, show_number=False, interval=500)
        place = {"layout": {"width": "46px"}, "style": {"description_width": "initial"}}
        self._row = widgets.BoundedIntText(description="Y row", **place)
        self._column = widgets.BoundedIntText(description="Y column", **place)
        self._of = html("", "ck-cap")
        self._place = row(html("Y["), self._row, html(","), self._column, html("]"), self._of)
        self._place.add_class("ck-place")

    def _kernel_column(self) -> widgets.VBox:
        size = row(
            html("size", "ck-cap"),
            self._rows,
            html("×"),
            self._columns,
            html("", "ck-push"),
            self._weight_sum,
        )
        drag = row(self._cell_name, self._drag, self._drag_ends)
        drag.add_class("ck-drag")
        return widgets.VBox([self._grid, size, drag, self._sizes])

    def _disable_missing_options(self, result: KernelEditorResult) -> str:
        """Disable what a learner's function does not take, and return a line that says so."""
        accepted = accepted_keywords(result.operation, OPTIONS)
        missing = [name for name in OPTIONS if name not in accepted]
        for name in missing:
            self._options[name].disabled = True
        return f"your function takes no {' or '.join(missing)}" if missing else ""

    def _lines(self) -> list[widgets.Widget]:
        sections = [self._pixel_section, self._option_section, self._code_section]
        return [
            self.header(self._view.next_difference),
            self._view,
            *foot(self._player, self._place, self._file, sections=sections),
        ]

    # What each control edits.

    def _bind_input(self) -> None:
        self.bind(self._picture, "", self._picture_fields)
        self._file.on_file(lambda *file: self.edit("", _upload_fields, *file))
        self._pixels.on_edit(self._on_pixel)
        self._pixels.observe(self._on_typing_error, "error")
        for section in (self._pixel_section, self._option_section, self._code_section):
            section.toggle.observe(self.repaint, "value")
        self._view.input_table.on_paint(self._on_paint)
        self._brush.observe(self.repaint, "value")

    def _bind_kernel(self) -> None:
        self.bind(self._preset, "", self._preset_fields)
        self.bind(self._rows, "", lambda rows: self._size_fields(rows=rows))
        self.bind(self._columns, "", lambda columns: self._size_fields(columns=columns))
        self.bind(self._flip, "", lambda flip: {"flip": flip})
        for name, box in self._options.items():
            self.bind(box, name, partial(self._option_fields, name))
        self._grid.on_edit(self._on_weight)
        self._grid.observe(self._on_typing_error, "error")
        self._grid.observe(self.repaint, "cell")
        self._drag.observe(self._on_drag, "value")

    def _bind_window(self) -> None:
        self.bind(self._player, "window", self._window_fields)
        self.bind(self._row, "window", lambda i: {"at": (i, self.store.result.at[1])})
        self.bind(self._column, "window", lambda j: {"at": (self.store.result.at[0], j)})
        view = self._view
        for one, other in (
            (view.input_picture, view.output_picture),
            (view.input_table, view.output_table),
        ):
            for source, target in ((one, other), (other, one)):
                self.links.connect((source, "pointed"), (target, "pointed"))
                source.observe(self._on_pointed, "pointed")
        for part in (*view.whole_parts, view.input_zoom, view.output_zoom):
            self.bind(part, "window", self._chosen_fields, "cell")
        self.bind(self._look, "", lambda look: {"look": look})
        view.refit.on_click(lambda _: self.edit("", lambda: {"limit": None}))
        view.next_difference.on_click(lambda _: self.edit("window", self._next_difference_fields))

    def _picture_fields(self, name: str) -> dict[str, Any]:
        if name not in images.PICTURES:
            return {}
        return {**input_fields(images.picture(name)), "at": None, "limit": None}

    def _preset_fields(self, name: str) -> dict[str, Any]:
        return {} if name == OWN_KERNEL else {"K": kernels.kernel(name)}

    def _size_fields(
        self, *, rows: int | None = None, columns: int | None = None
    ) -> dict[str, Any]:
        K = self.store.state.K
        return {"K": kernels.resized(K, (rows or K.shape[0], columns or K.shape[1]))}

    def _option_fields(self, name: str, text: str) -> dict[str, Any]:
        return {name: read_pair(name, text, OPTIONS[name], getattr(self.store.state, name))}

    def _drag_fields(self, position: int) -> dict[str, Any]:
        K, cell = self.store.state.K.clone(), self._chosen_cell()
        if position != self._drag_position(K[cell].item()):
            K[cell] = torch.tensor(position * self._drag_scale / DRAG_REACH, dtype=K.dtype)
        self._dragged = K
        return {"K": K}

    def _window_fields(self, index: int) -> dict[str, Any]:
        return {"at": divmod(index, self.store.result.output.shape[1])}

    def _next_difference_fields(self) -> dict[str, Any]:
        """Return the next cell, after the one on show, in which a learner's function differs."""
        result = self.store.result
        assert result.mismatch is not None
        columns = result.output.shape[1]
        places = result.mismatch.flatten().nonzero().flatten().tolist()
        now = result.at[0] * columns + result.at[1]
        return self._window_fields(next((k for k in places if k > now), places[0]))

    def _chosen_fields(self, cell: list[int]) -> dict[str, Any]:
        self._view.pointed = []  # a choice ends the pointing, as in the browser
        return {"at": tuple(cell)}

    def _on_pointed(self, change: dict[str, Any]) -> None:
        """Show the window under the pointer in numbers; the state keeps the chosen one."""
        with LOCK, self.show_errors():
            if self._is_painting:
                return
            self._view.pointed = change["new"]
            with self._painting_together():
                self._view.paint_window(self.store.result)

    def _on_reload(self) -> None:
        """End the pointing of a page that is gone."""
        for part in self._view.whole_parts:
            part.pointed = []
        self._view.pointed = []
        self.repaint()

    def _on_paint(self, cells: list[tuple[int, int]], stroke: str) -> None:
        self.edit(stroke, self._painted_fields, cells)

    def _painted_fields(self, cells: list[tuple[int, int]]) -> dict[str, Any]:
        """Return the input with some cells painted; those in the padding are left alone."""
        X = self.store.state.X.clone()
        values = {"black": 0.0, "white": 1.0}
        value = values.get(self._brush.value)
        if value is None:
            value = read_number("brush value", self._brush_value.value, X.dtype, 0.5)
        for i, j in cells:
            if 0 <= i < X.shape[0] and 0 <= j < X.shape[1]:
                X[i, j] = value
        return input_fields(X)

    def _on_weight(self, K: Tensor, cell: tuple[int, int]) -> None:
        self.edit(f"K{cell}", lambda: {"K": K})

    def _on_drag(self, change: dict[str, Any]) -> None:
        self.edit(f"K{self._chosen_cell()}", self._drag_fields, change["new"])

    def _on_pixel(self, X: Tensor, cell: tuple[int, int]) -> None:
        self.edit(f"X{cell}", lambda: input_fields(X))

    def _chosen_cell(self) -> tuple[int, int]:
        """Return the cell whose weight the slider drags."""
        i, j = self._grid.cell
        rows, columns = self.store.state.K.shape
        return min(i, rows - 1), min(j, columns - 1)

    def _drag_position(self, weight: float) -> int:
        return round(weight / self._drag_scale * DRAG_REACH)

    # Painting.

    def paint_first(self, result: KernelEditorResult) -> None:
        """Show the output picture, and the options, of which a box may be typed into later.

        Examples
        --------
        >>> panel = KernelEditor(torch.eye(3), torch.ones(1, 1))
        >>> panel.set_status("working", "busy")
        >>> panel.paint_first(panel.store.result)
        >>> panel.status
        'working'
        """
        self._view.paint_output(result)
        for name, box in self._options.items():
            value = getattr(result.state, name)
            if not says_pair(box.value, value):
                box.value = write_pair(value)

    def paint(self, result: KernelEditorResult) -> None:
        """Show everything else.

        Examples
        --------
        >>> panel = KernelEditor(torch.eye(3), torch.ones(1, 1))
        >>> panel.set_status("working", "busy")
        >>> panel.paint(panel.store.result)
        >>> panel.status
        'Output 3 × 3, 0 to 1. Weights sum to 1: it keeps brightness, shown in grey.'
        """
        self._view.paint(result)
        self._paint_input_controls(result.state)
        self._paint_kernel_controls(result.state)
        self._paint_window_controls(result)
        self._paint_sections(result.state)
        self.set_status(result.verdict, "note" if result.agrees else "error")

    def _paint_input_controls(self, state: KernelEditorState) -> None:
        names = tuple(images.PICTURES)
        if state.picture not in names:
            names += (state.picture,)
        if self._picture.options != names:
            self._picture.options = names
        self._picture.value = state.picture
        self._flip.value = state.flip
        self._look.value = state.look

    def _paint_kernel_controls(self, state: KernelEditorState) -> None:
        K = state.K
        self._grid.show(K)
        self._sizes.value = "<br>".join(formatting.size_sums(state.geometry))
        self._weight_sum.value = f"sum of weights {minus(formatting.number(K.double().sum()))}"
        self._preset.value = kernels.named_like(K) or OWN_KERNEL
        self._rows.value, self._columns.value = K.shape
        self._paint_drag(K)

    def _paint_drag(self, K: Tensor) -> None:
        """Set the slider to the chosen weight, on a scale that suits the kernel.

        It stays while one drags, so that a weight that becomes small does not move under the hand.
        """
        cell = self._chosen_cell()
        weight = K[cell].item()
        limit = 2 * formatting.round_limit(K.abs().max().item())
        self._cell_name.value = f"K[{cell[0]}, {cell[1]}]"
        suits = 0.3 * limit <= self._drag_scale <= 3 * limit or equal(K, self._dragged)
        if abs(weight) > self._drag_scale or not suits:
            self._drag_scale = limit
            ends = formatting.number(-limit), formatting.number(limit)
            self._drag_ends.value = minus(" … ".join(ends))
        self._drag.value = self._drag_position(weight)
        self._drag.valuetext = f"weight {formatting.number(weight)}"

    def _paint_window_controls(self, result: KernelEditorResult) -> None:
        rows, columns = result.output.shape
        size = formatting.size(result.output.shape)
        self._of.value = "" if result.state.fits_tables else f"of {size}"
        i, j = result.at
        for control, value, most in (
            (self._row, i, rows - 1),
            (self._column, j, columns - 1),
            (self._player, i * columns + j, rows * columns - 1),
        ):
            with control.hold_sync():
                control.max, control.value = most, value

    def _paint_sections(self, state: KernelEditorState) -> None:
        """Fill the sections that are open; the others wait."""
        few = state.X.numel() <= MAX_EDITABLE_PIXELS
        self._pixel_section.toggle.layout.display = None if few else "none"
        can_paint = few and self._pixel_section.is_open
        if can_paint:
            self._pixels.show(state.X)
            has_value = self._brush.value == "value"
            self._brush_value.layout.visibility = "visible" if has_value else "hidden"
        self._view.input_table.pick = "paint" if can_paint and state.fits_tables else "hover"
        if self._code_section.is_open:
            self._code.code = state.code
        for section in (self._pixel_section, self._option_section, self._code_section):
            section.refresh()
        if not few:
            self._pixel_section.body.layout.display = "none"

    def busy_text(self) -> str:
        """Return that the learner's function is running, where there is one.

        Examples
        --------
        >>> def mine(X, K):
        ...     return ops.corr2d(X, K)
        >>> KernelEditor(torch.eye(3), torch.ones(1, 1), operation=mine).busy_text()
        'running your mine on 3 × 3 ...'
        """
        result = self.store.result
        if result.operation is ops.corr2d:
            return ""
        name, size = name_of(result.operation), formatting.size(result.state.X.shape)
        return f"running your {name} on {size} ..."

    # What is shown where nothing runs.

    def summary(self) -> str:
        """Return the panel's state in words, the same on every run.

        Examples
        --------
        >>> print(KernelEditor(torch.eye(3), torch.ones(1, 1), padding=1).summary())
        KernelEditor: cross-correlation, padding 1, stride 1, dilation 1...
        """
        return f"KernelEditor: {self.store.result.summary}"

    def fallback(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the lens as HTML where the input is small, else the pictures as PNG.

        Examples
        --------
        >>> small, large = KernelEditor(torch.eye(3), torch.ones(1, 1)), KernelEditor()
        >>> sorted(small.fallback()[0]), sorted(large.fallback()[0])
        (['text/html'], ['image/png', 'text/plain'])
        """
        result = self.store.result
        state, scale = result.state, Scale(result.look, *result.colour_range)
        if not state.fits_lens:
            pictures = {"input": state.X, "kernel": state.K, "output": result.output}
            drawn = show(pictures, signed="kernel", scales={"output": scale}, note=STATIC_NOTE)
            return drawn._repr_mimebundle_()
        view = lens(
            state.X,
            state.K,
            flip=state.flip,
            **state.options,
            at=result.at,
            candidate=result.candidate,
            scale=scale,
        )
        notes = "<br>".join((*formatting.size_sums(state.geometry), f"<em>{STATIC_NOTE}</em>"))
        return {"text/html": f"{view._repr_html_()}<small>{notes}</small>"}, {}


def _name(symbol: str, name: str) -> widgets.HTML:
    """Return the name of the input, the kernel or the output, in its colour."""
    return html(f'<span class="ck-name ck-{symbol}">{name} <code>{symbol}</code></span>')


def _upload_fields(name: str, data: bytes) -> dict[str, Any]:
    return {**file_fields(name, data), "at": None, "limit": None}
