"""The three things a KernelEditor shows: the input, the kernel, the output."""

from __future__ import annotations

import ipywidgets as widgets
from torch import Tensor

from convkit import formatting
from convkit.views.html import colour_key, figure
from convkit.views.plots import png
from convkit.state.experiment import differing
from convkit.views.lens import LIMIT, lens
from convkit.ops import pair
from convkit.state.setting import Setting
from convkit.widgets._base import html


def fits_lens(setting: Setting) -> bool:
    """Return whether the padded input is small enough to show as numbers."""
    padding = pair("padding", setting.padding)
    return all(n + 2 * p <= LIMIT for n, p in zip(setting.X.shape, padding, strict=True))


class Framed(widgets.Box):
    """A picture with a ring around part of it."""

    def __init__(self) -> None:
        self.image, self.ring = widgets.Image(format="png"), html()
        super().__init__([self.image, self.ring])
        self.add_class("ck-picture")

    def mark(self, shape: tuple[int, int], top: int, left: int, height: int, width: int) -> None:
        """Ring the cells from (top, left), `height` x `width` of them, of a picture of `shape`."""
        places = zip(
            ("top", "left", "height", "width"), (top, left, height, width), shape * 2, strict=True
        )
        css = ";".join(f"{name}:{100 * cells / n:.3f}%" for name, cells, n in places)
        self.ring.value = f'<div class="ck-ring" style="{css}"></div>'


class LensBox(widgets.VBox):
    """A line of tables in which pointing at an output cell lights its window."""

    def __init__(self, *tables: widgets.Widget) -> None:
        self.room = html()
        super().__init__([widgets.HBox(tables), self.room])
        self.add_class("ck-lens")


class Stage(widgets.VBox):
    """Shows a Setting and its output: as a lens where it is small, else as pictures and a loupe.

    Parameters
    ----------
    kernel : widget
        What edits the kernel; it stands between input and output.
    """

    def __init__(self, kernel: widgets.Widget) -> None:
        self._tables = html(), html()
        self._pictures = Framed(), Framed()
        self._titles = html(), html()
        self._key = html()
        self._sides = widgets.VBox(), widgets.VBox()
        for side, name in zip(self._sides, ("ck-X", "ck-Y"), strict=True):
            side.add_class(name)
        self._patches = html(), html()
        self._whole = LensBox(self._sides[0], kernel, self._sides[1])
        self._loupe = LensBox(*self._patches)
        self._painted: Tensor | None = None
        super().__init__([self._whole, self._loupe])

    def paint(self, setting: Setting, Y: Tensor, at: tuple[int, int], yours: Tensor | None) -> None:
        """Show `setting`, its output `Y`, the window of cell `at`, and where `yours` differs.

        The output's picture goes out first: it is what the learner waits for.
        """
        limit = formatting.colour_limit(Y)
        if not fits_lens(setting):
            mark = None if yours is None else differing(yours, Y)
            self._pictures[1].image.value = png(Y, limit, mark)
            if self._painted is not setting.X:
                self._pictures[0].image.value = png(setting.X)
                self._painted = setting.X
            self._titles[0].value = figure("X", f"input {formatting.size(setting.X.shape)}", "")
            self._titles[1].value = figure("Y", f"output {formatting.size(Y.shape)}", "")
        self._arrange(fits_lens(setting))
        self.point(setting, Y, at, yours)
        self._key.value = colour_key(limit)

    def point(self, setting: Setting, Y: Tensor, at: tuple[int, int], yours: Tensor | None) -> None:
        """Show the window of output cell `at`, of what is painted already."""
        small = fits_lens(setting)
        view = lens(
            setting.X,
            setting.K,
            flip=setting.flip,
            **setting.options,
            at=at,
            yours=yours,
            limit=formatting.colour_limit(Y),
            loupe=not small,
        )
        box, (left, right) = (self._whole, self._tables) if small else (self._loupe, self._patches)
        left.value, right.value, box.room.value = view.input, view.output, view.room
        if not small:
            self._ring(setting, Y, at)

    def _ring(self, setting: Setting, Y: Tensor, at: tuple[int, int]) -> None:
        corner, spans = [], []
        for axis in (0, 1):
            padding, stride, dilation = (pair(k, v)[axis] for k, v in setting.options.items())
            corner.append(at[axis] * stride - padding)
            spans.append(dilation * (setting.K.shape[axis] - 1) + 1)
        self._pictures[0].mark(tuple(setting.X.shape), *corner, *spans)
        self._pictures[1].mark(tuple(Y.shape), *at, 1, 1)

    def _arrange(self, small: bool) -> None:
        for side in (0, 1):
            key = (self._key,) if side else ()
            picture = (self._titles[side], self._pictures[side])
            self._sides[side].children = (self._tables[side],) + key if small else picture + key
        if not small:
            self._whole.room.value = ""
        self._loupe.layout.display = "none" if small else None
