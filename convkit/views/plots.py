"""Drawings by matplotlib, as PNG with a summary in words that a text comparison can check."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image
from torch import Tensor

from convkit import formatting
from convkit.errors import ConvkitError
from convkit.ops import check_array

SIGNED = "RdBu_r"
INK = "#767676"
"""A grey that reads on white and on black: figures are transparent."""
MARK = 255
MOST_NUMBERS = 8
"""The most rows and columns whose numbers are written on the cells, in place of a key."""
GAP, KEY_GAP = 24, 66
"""Pixels to the right of a picture, without and with a key."""
_PALETTE = colormaps[SIGNED](np.linspace(0, 1, 255), bytes=True)[:, :3].flatten().tolist()
_PALETTE += [213, 0, 143]


@dataclass(frozen=True)
class Picture:
    """A drawn picture: PNG for the eye, `text` for the ear and for comparison.

    It is shown `width` pixels wide, whatever number of pixels the PNG has.
    """

    png: bytes
    text: str
    width: int

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        data = {"image/png": b64encode(self.png).decode(), "text/plain": self.text}
        return data, {"image/png": {"alt": self.text, "width": self.width}}


def png(values: Tensor, limit: float | None = None, mark: Tensor | None = None) -> bytes:
    """Return a (H, W) tensor as a PNG of as many pixels, quickly.

    Parameters
    ----------
    values : Tensor
        Without `limit`, brightness from 0 (black) to 1 (white); what is outside is clipped.
    limit : float, optional
        Show signed values: blue at -limit, white at 0, red at limit.
    mark : Tensor of bool, optional
        Cells to show in magenta instead.
    """
    if limit is None:
        levels = values.detach().clamp(0, 1) * 255
    else:
        levels = (values.detach() / limit + 1).mul(127).clamp(0, 254)
    levels = levels.round().to(torch.uint8)
    if mark is not None:
        levels[mark] = MARK
    height, width = levels.shape
    image = Image.frombytes(
        "L" if limit is None else "P", (width, height), levels.numpy().tobytes()
    )
    if limit is not None:
        image.putpalette(_PALETTE)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def save(figure: Figure, scale: float = 1.5, level: int = 6) -> bytes:
    """Return a figure as PNG: `scale` pixels for each pixel of 1/100 inch, no date, no version.

    A lower compression `level` is quicker and larger.
    """
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=100 * scale,
        transparent=True,
        metadata={"Software": None},
        pil_kwargs={"compress_level": level},
    )
    return buffer.getvalue()


def style(axes: Axes, title: str) -> None:
    """Give axes the look of all of ours: grey ink, a light frame, a title on the left."""
    axes.set_title(title, color=INK, fontsize=10, loc="left", parse_math=False)
    axes.tick_params(which="both", colors=INK, labelsize=8, length=2)
    axes.spines[:].set_color("#aaaaaa")
    axes.xaxis.label.set(color=INK, fontsize=9)
    axes.yaxis.label.set(color=INK, fontsize=9)


def axes_at(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes to a figure at a box in pixels from its top left."""
    wide, tall = figure.get_size_inches() * 100
    return figure.add_axes((left / wide, 1 - (top + height) / tall, width / wide, height / tall))


def heat(axes: Axes, title: str, values: Tensor, *, signed: bool) -> AxesImage:
    """Draw a (H, W) tensor as cells, grey or diverging, with numbers where there is room.

    Grey runs from 0, or the least value, to 1, or the greatest.
    """
    values = values.detach().double()
    if signed:
        limit = formatting.colour_limit(values)
        look = {"cmap": SIGNED, "vmin": -limit, "vmax": limit}
    else:
        low, high = min(0.0, values.min().item()), max(1.0, values.max().item())
        look = {"cmap": "gray", "vmin": low, "vmax": high}
    shown = axes.imshow(values.numpy(), interpolation="nearest", **look)
    style(axes, title)
    axes.set(xticks=[], yticks=[])
    if max(values.shape) <= MOST_NUMBERS:
        _write_numbers(axes, values, shown.norm, signed)
    return shown


def _write_numbers(axes: Axes, values: Tensor, norm: Normalize, signed: bool) -> None:
    """Write each cell's value on it, as large as fits, or not at all."""
    texts = [[formatting.number(x, 3) for x in row] for row in values.tolist()]
    longest = max(len(text) for row in texts for text in row)
    cell = 72 * axes.figure.get_figwidth() * axes.get_position().width / values.shape[1]
    size = min(8.0, cell / (0.68 * longest))
    if size < 4:
        return
    for i, row in enumerate(values.tolist()):
        for j, x in enumerate(row):
            dark = abs(norm(x) - 0.5) > 0.34 if signed else norm(x) < 0.45
            ink = "white" if dark else "black"
            axes.text(j, i, texts[i][j], ha="center", va="center", color=ink, fontsize=size)


def show(
    pictures: Mapping[str, Tensor], *, signed: Collection[str] | None = None, note: str = ""
) -> Picture:
    """Draw tensors of shape (H, W) side by side, each under its title.

    Parameters
    ----------
    pictures : mapping of title to Tensor
        What to draw, from left to right.
    signed : titles, optional
        Which to draw in the diverging colours, with a key or their numbers; those with negative
        values unless given.
    note : str
        A line below.

    Raises
    ------
    ConvkitError
        If there is nothing to draw, or something else than (H, W) tensors.
    """
    if not isinstance(pictures, Mapping) or not pictures:
        kind = "an empty" if isinstance(pictures, Mapping) else "a"
        given = f"pictures is {kind} {type(pictures).__name__}"
        raise ConvkitError(given, "a dict of titles and tensors", 'Write show({"X": X}).')
    for title, values in pictures.items():
        check_array(title, values.double() if isinstance(values, Tensor) else values)
    if signed is None:
        signed = [title for title, values in pictures.items() if values.min() < 0]
    keyed = [title for title in signed if max(pictures[title].shape) > MOST_NUMBERS]
    gaps = [KEY_GAP if title in keyed else GAP for title in pictures]
    shapes = [values.shape[1] / values.shape[0] for values in pictures.values()]
    height = min(270.0, (880 - sum(gaps)) / sum(shapes))
    width = height * sum(shapes) + sum(gaps)
    figure = Figure(figsize=(width / 100, (height + 28 + (28 if note else 8)) / 100))
    left = 2.0
    for (title, values), gap, shape in zip(pictures.items(), gaps, shapes, strict=True):
        axes = axes_at(figure, left, 24, height * shape, height)
        shown = heat(axes, title, values, signed=title in signed)
        if title in keyed:
            _key(axes_at(figure, left + height * shape + 8, 24, 9, height), shown)
        left += height * shape + gap
    low = 4 / (100 * figure.get_figheight())
    figure.text(0.5, low, note, fontsize=8, color=INK, ha="center", parse_math=False)
    text = "\n".join(formatting.describe(*item) for item in pictures.items())
    return Picture(save(figure), text, round(width))


def _key(axes: Axes, shown: AxesImage) -> None:
    """Draw the key of a diverging picture: its two ends and zero."""
    limit = shown.norm.vmax
    bar = axes.figure.colorbar(shown, cax=axes, ticks=[-limit, 0, limit])
    bar.ax.set_yticklabels([formatting.number(x) for x in (-limit, 0, limit)])
    bar.ax.tick_params(colors=INK, labelsize=8, length=2)
    bar.outline.set_visible(False)
