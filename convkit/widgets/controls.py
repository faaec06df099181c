"""The controls of a KernelEditor: how they show a Setting, and which Setting each proposes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from convkit import images, kernels, formatting
from convkit.views.html import figure
from convkit.errors import ConvkitError
from convkit.state.experiment import History
from convkit.ops import Pair
from convkit.state.setting import KEYWORDS, YOURS, Setting
from convkit.state.training import LARGEST_KERNEL
from convkit.widgets.array_editor import ArrayEditor
from convkit.widgets._base import html, row, text_box
from convkit.widgets.typed import read_pair, write_pair

Proposal = tuple[Setting, object]
"""A setting to go on to, and the key under which edits in a row are one."""
OWN_KERNEL = "custom"
REACH = 40
"""Positions of the weight's slider on either side of zero."""
EDITABLE_PIXELS = 144


def _choice(description: str, options: tuple, width: str) -> widgets.Dropdown:
    style = {"description_width": "initial"}
    return widgets.Dropdown(
        options=options, description=description, layout={"width": width}, style=style
    )


def _says(text: str, name: str, value: Pair) -> bool:
    try:
        return read_pair(name, text, 0, value) == value
    except ConvkitError:
        return False


class Controls:
    """All controls of one panel.

    Parameters
    ----------
    history : History
        What they show.
    enabled : set of str
        Which of padding, stride and dilation can be changed.
    """

    def __init__(self, history: History, enabled: set[str]) -> None:
        self._history, self._shown = history, history.now.K
        sizes = tuple(range(1, LARGEST_KERNEL + 1))
        self.picture = _choice("picture", tuple(images.PICTURES), "215px")
        self.file = widgets.FileUpload(
            accept=".png,.jpg,.jpeg,.webp,.bmp,.gif",
            description="your file",
            tooltip="open a picture file of your own",
            layout={"width": "125px"},
        )
        self.preset = _choice("kernel", (*kernels.KERNELS, OWN_KERNEL), "190px")
        self.rows = _choice("rows", sizes, "85px")
        self.columns = _choice("columns", sizes, "110px")
        self.flip = widgets.Checkbox(
            description="flip (convolution)", indent=False, layout={"width": "150px"}
        )
        self.numbers = {name: text_box(name, "", "115px") for name in KEYWORDS}
        for name, box in self.numbers.items():
            box.disabled = name not in enabled
        missing = " or ".join(name for name in KEYWORDS if name not in enabled)
        without = html(f"your function takes no {missing}" if missing else "", "ck-small")
        self.grid = ArrayEditor(history.now.K, "kernel")
        self.cell = _choice("drag", ("K[0, 0]",), "125px")
        # Whole positions: the browser would round others, and send them back as if dragged.
        self.drag = widgets.IntSlider(
            min=-REACH,
            max=REACH,
            readout=False,
            tooltip="the weight chosen above",
            layout={"width": "180px"},
        )
        self._scale, self._ends = 0.0, html("", "ck-small")
        self.moves = {
            name: widgets.Button(icon=icon, description=name, layout={"width": "78px"})
            for name, icon in (("undo", "undo"), ("redo", "repeat"), ("reset", "refresh"))
        }
        self.pixel_grid = ArrayEditor(history.now.X[:1, :1], "input", signed=False)
        self._too_many = html()
        self.pixels = widgets.Accordion(
            [widgets.VBox()], titles=["edit the pixels of the input"], selected_index=None
        )
        self._title = html()
        self.kernel = widgets.VBox([self._title, self.grid, self.cell, self.drag, self._ends])
        self.kernel.add_class("ck-K")
        self.proposals: dict[widgets.Widget, Callable[[Setting, Any], Proposal]] = {
            self.picture: lambda now, name: (now.with_input(images.picture(name)), None),
            self.file: self._propose_file,
            self.preset: self._propose_preset,
            self.rows: self._propose_size,
            self.columns: self._propose_size,
            self.flip: lambda now, flip: (replace(now, flip=flip), None),
            self.grid: lambda now, K: (replace(now, K=K), ("K", self.grid.edited)),
            self.drag: self._propose_weight,
            self.pixel_grid: self._propose_pixels,
        }
        for name, box in self.numbers.items():
            self.proposals[box] = partial(self._propose_number, name)
        self.lines = (
            row(self.picture, self.file, self.preset, self.rows, self.columns),
            row(*self.numbers.values(), self.flip, *self.moves.values(), without),
        )

    def show(self) -> None:
        """Set every control to the current state."""
        now = self._history.now
        names = tuple(images.PICTURES)
        names += () if now.picture in names else (now.picture,)
        if self.picture.options != names:
            self.picture.options = names
        self.picture.value = now.picture
        self.file.value = ()  # so that the same file can be chosen again
        self.preset.value = kernels.named_like(now.K) or OWN_KERNEL
        self.rows.value, self.columns.value = now.K.shape
        self.flip.value = now.flip
        for name, box in self.numbers.items():
            if not _says(box.value, name, getattr(now, name)):
                box.value = write_pair(getattr(now, name))
        if self.grid.value is now.K is not self._shown:  # edited in its boxes
            i, j = self.grid.edited
            self.cell.index = i * now.K.shape[1] + j
        self._shown = now.K
        self.grid.show(now.K)
        self._title.value = figure("K", f"kernel {formatting.size(now.K.shape)}", "")
        self.show_drag()
        self.moves["undo"].disabled = not self._history.can_undo
        self.moves["redo"].disabled = not self._history.can_redo
        if self.pixels.selected_index is not None:
            self._show_pixels()

    def chosen(self) -> tuple[int, int]:
        """Return the cell that the slider drags."""
        return divmod(self.cell.index, self._history.now.K.shape[1])

    def _propose_file(self, now: Setting, files: tuple) -> Proposal:
        if not files:
            return now, None
        return now.with_file(files[-1]["name"], bytes(files[-1]["content"])), None

    def _propose_preset(self, now: Setting, name: str) -> Proposal:
        K = now.K if name == OWN_KERNEL else kernels.kernel(name).to(now.X.dtype)
        return replace(now, K=K), None

    def _propose_pixels(self, now: Setting, X: Tensor) -> Proposal:
        return replace(now, X=X, picture=YOURS, source=None), ("X", self.pixel_grid.edited)

    def _propose_size(self, now: Setting, _: int) -> Proposal:
        return replace(now, K=kernels.resized(now.K, (self.rows.value, self.columns.value))), None

    def _propose_number(self, name: str, now: Setting, text: str) -> Proposal:
        least = 0 if name == "padding" else 1
        return replace(now, **{name: read_pair(name, text, least, getattr(now, name))}), None

    def _propose_weight(self, now: Setting, position: int) -> Proposal:
        K, cell = now.K.clone(), self.chosen()
        if position != self._position(K[cell].item()):
            K[cell] = torch.tensor(position * self._scale / REACH, dtype=K.dtype)
        return replace(now, K=K), ("K", cell)

    def _position(self, weight: float) -> int:
        return round(REACH * weight / self._scale)

    def show_drag(self) -> None:
        """Set the slider to the weight chosen above it, on a scale that suits the kernel."""
        K = self._history.now.K
        cells = tuple(f"K[{i}, {j}]" for i in range(K.shape[0]) for j in range(K.shape[1]))
        if self.cell.options != cells:
            self.cell.options = cells
        weight, limit = K[self.chosen()].item(), 2 * formatting.colour_limit(K)
        if abs(weight) > self._scale or not 0.3 * limit <= self._scale <= 8 * limit:
            self._scale = limit
            self._ends.value = f"{formatting.number(-limit)} to {formatting.number(limit)}"
        self.drag.value = self._position(weight)

    def _show_pixels(self) -> None:
        """Fill the drawer of pixels, which is open."""
        X = self._history.now.X
        few = X.numel() <= EDITABLE_PIXELS
        if few:
            self.pixel_grid.show(X)
        said = f"{formatting.size(X.shape)} are too many pixels for boxes: choose a small picture."
        self._too_many.value = "" if few else said
        self.pixels.children = [self.pixel_grid if few else self._too_many]
