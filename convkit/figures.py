"""Figures of matplotlib, as PNG and text: `show`, and what else draws arrays.

Every figure carries a text with shapes, ranges and digests, so that a text comparison sees when it
shows other data. Nothing here touches pyplot, or matplotlib's settings.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from torch import Tensor

from convkit import formatting
from convkit.errors import ConvkitError, brief_repr, check_type
from convkit.inputs import as_colours
from convkit.ui.theme import Scale, ink

__all__ = ["StaticFigure", "show"]
COLOUR_MAPS = {"signed": "RdBu_r", "grey": "gray", "magnitude": "gray"}
"""matplotlib's colour map of each look of a `Scale`."""
INK, FRAME = "#767676", "#aaaaaa"
"""Greys that read on white and on black: figures are transparent."""
MAX_NUMBERS = 8
"""The most rows and columns whose numbers are written on the cells, in place of a key."""
GAP, KEY_GAP = 24, 66
"""CSS pixels to the right of a picture, without and with a key."""
TOP, MARGIN, NOTE_HEIGHT = 24, 8, 28
"""CSS pixels above the pictures, for their titles, and below them, without and with a note."""
MAX_WIDTH, MAX_HEIGHT, MIN_WIDTH = 880, 270, 40
"""CSS pixels of all pictures of `show` together, and of one; many pictures are wider together."""

Box = tuple[float, float, float, float]
"""Left, top, width and height, in CSS pixels."""


@dataclass(frozen=True)
class StaticFigure:
    """A drawn figure: a PNG, and a text that says the same.

    Attributes
    ----------
    png : bytes
        The picture.
    text : str
        Its text/plain and alternative text.
    width : int
        CSS pixels at which it is shown, whatever number of pixels the PNG has.
    varies : bool
        Whether its pixels are others on another machine.

    Examples
    --------
    >>> import torch
    >>> show({"X": torch.eye(2)}).png[1:4]
    b'PNG'
    """

    png: bytes
    text: str
    width: int
    varies: bool = False

    @classmethod
    def of(cls, figure: Figure, text: str) -> StaticFigure:
        """Return a figure of `new_figure` as PNG, of 1.5 pixels for each CSS pixel.

        Examples
        --------
        >>> StaticFigure.of(new_figure(200, 100), "nothing").width
        200
        """
        buffer = io.BytesIO()
        # Neither date nor version: the same figure has the same bytes.
        figure.savefig(buffer, format="png", dpi=150, transparent=True, metadata={"Software": None})
        return cls(buffer.getvalue(), text, round(100 * figure.get_figwidth()))

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, Any], dict[str, Any]]:
        data = {"image/png": b64encode(self.png).decode(), "text/plain": self.text}
        told = {"alt": self.text, "width": self.width}
        return data, {"image/png": told | ({"varies": True} if self.varies else {})}


def show(
    pictures: Mapping[str, Any],
    *,
    signed: Collection[str] | str | None = None,
    scales: Mapping[str, Scale] | None = None,
    note: str = "",
    varies: bool = False,
) -> StaticFigure:
    """Draw arrays of shape (H, W) side by side, each under its title; pictures in colour as such.

    Parameters
    ----------
    pictures : mapping of title to array
        What to draw, from left to right: tensors, or what `convkit.inputs.as_array` takes.
    signed : titles, or one title, optional
        Which to draw in the diverging colours, with a key or their numbers; those with negative
        values unless given.
    scales : mapping of title to Scale, optional
        The colours of some pictures, in place of those fitted to their values.
    note : str
        A line below.
    varies : bool
        Whether numbers are others on another machine, as after a training: its text then says
        sizes alone.

    Raises
    ------
    ConvkitError
        If there is nothing to draw, something is no array, or `signed` or
        `scales` has a title that is not among those of `pictures`.

    Examples
    --------
    >>> import torch
    >>> show({"X": torch.eye(2)})
    X: 2 × 2, from 0 to 1, digest 22536681
    """
    arrays = _arrays(pictures)
    given = {} if scales is None else scales
    check_type("scales", given, Mapping, 'Write scales={"X": Scale.signed(X)}.')
    check_type("note", note, str, 'Write note="a line below".')
    _check_titles("scales", given, arrays)
    for title, scale in given.items():
        hint = f"Write scales={{{title!r}: Scale.signed(X)}}."
        check_type(f"scales[{title!r}]", scale, Scale, hint)
    signed_titles = _signed_titles(arrays, signed)
    fitted = {title: _fitted(values, title in signed_titles) for title, values in arrays.items()}
    keyed = [title for title in arrays if title in {*signed_titles, *given}]
    keyed = [title for title in keyed if max(arrays[title].shape) > MAX_NUMBERS]
    describe = _sized if varies else formatting.describe
    text = "\n".join([describe(*item) for item in arrays.items()])
    drawn = StaticFigure.of(_drawn(arrays, {**fitted, **given}, keyed, note), text)
    return replace(drawn, varies=varies)


def _sized(title: str, values: Tensor) -> str:
    return f"{title}: {formatting.size(values.shape)}"


def _drawn(
    arrays: Mapping[str, Tensor], scales: Mapping[str, Scale], keyed: Collection[str], note: str
) -> Figure:
    """Return arrays of one height, each in its colours, those that are keyed with a key."""
    gaps = {title: KEY_GAP if title in keyed else GAP for title in arrays}
    ratios = {title: values.shape[-1] / values.shape[-2] for title, values in arrays.items()}
    total = sum(ratios.values())
    height = min(MAX_HEIGHT, max(MAX_WIDTH - sum(gaps.values()), MIN_WIDTH * len(arrays)) / total)
    below = NOTE_HEIGHT if note else MARGIN
    figure = new_figure(height * total + sum(gaps.values()), TOP + height + 4 + below)
    left = 2.0
    for title, values in arrays.items():
        width = height * ratios[title]
        axes = axes_at(figure, (left, TOP, width, height))
        image = draw_array(axes, title, values, scales[title])
        if title in keyed:
            draw_key(axes_at(figure, (left + width + 8, TOP, 9, height)), image)
        left += width + gaps[title]
    write_note(figure, note)
    return figure


def _arrays(pictures: Mapping[str, Any]) -> dict[str, Tensor]:
    if not isinstance(pictures, Mapping) or not pictures:
        kind = "an empty" if isinstance(pictures, Mapping) else "a"
        given = f"pictures is {kind} {type(pictures).__name__}"
        raise ConvkitError(given, "a dict of titles and arrays", 'Write show({"X": X}).')
    return {str(title): as_colours(str(title), values) for title, values in pictures.items()}


def _signed_titles(
    arrays: Mapping[str, Tensor], signed: Collection[str] | str | None
) -> Collection[str]:
    """Return the titles of what is drawn in the diverging colours."""
    if signed is None:
        return [title for title, values in arrays.items() if values.min() < 0]
    titles = [signed] if isinstance(signed, str) else signed
    _check_titles("signed", titles, arrays)
    return titles


def _check_titles(name: str, titles: Any, arrays: Mapping[str, Tensor]) -> None:
    known = ", ".join([repr(title) for title in arrays])
    expected = f"titles of pictures: {known}"
    if not isinstance(titles, list | tuple | set | frozenset | Mapping):
        raise ConvkitError(f"{name} is {brief_repr(titles)}", expected, f"Write {name}=[{known}].")
    for title in titles:
        if not isinstance(title, str) or title not in arrays:
            raise ConvkitError(f"{name} has {brief_repr(title)}", expected, "Check it.")


def _fitted(values: Tensor, signed: bool) -> Scale:
    """Return the colours that suit some values.

    Grey runs from 0, or the least value, to 1, or the greatest.
    """
    if signed:
        return Scale.signed(values)
    numbers = [0.0, 1.0, *values[values.isfinite()].tolist()]
    return Scale("grey", min(numbers), max(numbers))


# What figures are made of


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in CSS pixels.

    Examples
    --------
    >>> new_figure(200, 100)
    <Figure size 200x100 with 0 Axes>
    """
    return Figure(figsize=(width / 100, height / 100), dpi=100)


def axes_at(figure: Figure, box: Box) -> Axes:
    """Add axes to a figure at a place in CSS pixels.

    Examples
    --------
    >>> float(axes_at(new_figure(200, 100), (50, 0, 100, 50)).get_position().x0)
    0.25
    """
    left, top, width, height = box
    wide, tall = figure.get_size_inches() * 100
    return figure.add_axes((left / wide, 1 - (top + height) / tall, width / wide, height / tall))


def style_axes(axes: Axes, title: str) -> None:
    """Give axes the look of all of ours: grey ink, a light frame, a title on the left.

    Examples
    --------
    >>> axes = axes_at(new_figure(200, 100), (0, 24, 100, 70))
    >>> style_axes(axes, "costs $5")
    >>> axes.get_title(loc="left")
    'costs $5'
    """
    axes.set_title(title, color=INK, fontsize=10, loc="left", parse_math=False)
    axes.tick_params(which="both", colors=INK, labelsize=8, length=2)
    axes.spines[:].set_color(FRAME)
    axes.xaxis.label.set(color=INK, fontsize=9)
    axes.yaxis.label.set(color=INK, fontsize=9)


def draw_array(axes: Axes, title: str, values: Tensor, scale: Scale) -> AxesImage:
    """Draw a (H, W) tensor as cells, with numbers where there is space; (3, H, W) as colours.

    Examples
    --------
    >>> import torch
    >>> axes = axes_at(new_figure(200, 100), (0, 24, 70, 70))
    >>> draw_array(axes, "X", torch.eye(2), Scale("grey", 0, 1)).get_clim()
    (0.0, 1.0)
    """
    values = values.detach().double()
    shown = values.abs() if scale.look == "magnitude" else values
    image = axes.imshow(
        shown.movedim(0, -1).numpy() if shown.ndim == 3 else shown.numpy(),
        interpolation="nearest",
        cmap=COLOUR_MAPS[scale.look],
        vmin=scale.low,
        vmax=scale.high,
    )
    style_axes(axes, title)
    axes.set(xticks=[], yticks=[])
    if values.ndim == 2 and max(values.shape) <= MAX_NUMBERS:
        _write_numbers(axes, values, image)
    return image


def _write_numbers(axes: Axes, values: Tensor, image: AxesImage) -> None:
    """Write each cell's value on it, as large as fits, or not at all."""
    texts = formatting.cell_texts(values)
    longest = max([len(text) for row in texts for text in row])
    cell = 72 * axes.bbox.width / axes.figure.dpi / values.shape[1]
    size = min(8.0, cell / (0.68 * longest))
    if size < 4:
        return
    for (i, j), value in np.ndenumerate(np.asarray(image.get_array())):
        colour = ink(to_hex(image.to_rgba(value)))
        axes.text(j, i, texts[i][j], ha="center", va="center", color=colour, fontsize=size)


def draw_key(axes: Axes, image: AxesImage) -> None:
    """Draw the key of a picture: its two ends, and zero where it lies between them.

    Examples
    --------
    >>> import torch
    >>> figure = new_figure(200, 100)
    >>> image = draw_array(axes_at(figure, (0, 24, 70, 70)), "X", torch.eye(2), Scale("grey", 0, 1))
    >>> key = axes_at(figure, (90, 24, 9, 70))
    >>> draw_key(key, image)
    >>> [label.get_text() for label in key.get_yticklabels()]
    ['0', '1']
    """
    low, high = image.get_clim()
    ticks = [low, 0, high] if low < 0 < high else [low, high]
    bar = axes.figure.colorbar(image, cax=axes, ticks=ticks)
    bar.ax.set_yticklabels([formatting.minus(formatting.number(x)) for x in ticks])
    bar.ax.tick_params(colors=INK, labelsize=8, length=2)
    bar.outline.set_visible(False)


def write_note(figure: Figure, note: str) -> None:
    """Write a line at the bottom of a figure.

    Examples
    --------
    >>> figure = new_figure(200, 100)
    >>> write_note(figure, "a note")
    >>> figure.texts[0].get_text()
    'a note'
    """
    bottom = 4 / (100 * figure.get_figheight())
    figure.text(0.5, bottom, note, fontsize=8, color=INK, ha="center", parse_math=False)
