"""Pictures and plots: figures drawn by matplotlib, and pixels for a canvas.

Every figure carries a text with shapes, ranges and digests, so that a text comparison sees when it
shows other data. Nothing here touches pyplot's global state.
"""

from __future__ import annotations

import io
import math
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Ellipse
from numpy.typing import NDArray
from torch import Tensor

from convkit import formatting
from convkit.descent import Step
from convkit.errors import ConvkitError
from convkit.least_squares import QuadraticLoss
from convkit.ops import check_array, corr2d
from convkit.views.html import COLOURS, ink
from convkit.views.loss_plots import (
    MIN_LOSS,
    SURFACE_COLOUR,
    SURFACE_SIZE,
    LossSurface,
    curve_of,
)
from convkit.views.scales import Scale

COLOUR_MAPS = {"signed": "RdBu_r", "grey": "gray", "magnitude": "gray_r"}
"""matplotlib's colour map of each look; the stops of the first are `SIGNED_STOPS`."""
INK = "#767676"
"""A grey that reads on white and on black: figures are transparent."""
FRAME, GRID = "#aaaaaa", "#888888"
MAX_NUMBERS = 8
"""The most rows and columns whose numbers are written on the cells, in place of a key."""
GAP, KEY_GAP = 24, 66
"""Pixels to the right of a picture, without and with a key."""

Box = tuple[float, float, float, float]


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
    """

    png: bytes
    text: str
    width: int

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, Any], dict[str, Any]]:
        data = {"image/png": b64encode(self.png).decode(), "text/plain": self.text}
        return data, {"image/png": {"alt": self.text, "width": self.width}}


# Figures of matplotlib.


def _save(figure: Figure) -> bytes:
    """Return a figure as PNG: 1.5 pixels for each pixel of 1/100 inch, no date, no version."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, transparent=True, metadata={"Software": None})
    return buffer.getvalue()


def _new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in CSS pixels."""
    return Figure(figsize=(width / 100, height / 100))


def _axes_at(figure: Figure, box: Box) -> Axes:
    """Add axes to a figure at (left, top, width, height) in CSS pixels."""
    left, top, width, height = box
    wide, tall = figure.get_size_inches() * 100
    return figure.add_axes((left / wide, 1 - (top + height) / tall, width / wide, height / tall))


def _style(axes: Axes, title: str) -> None:
    """Give axes the look of all of ours: grey ink, a light frame, a title on the left."""
    axes.set_title(title, color=INK, fontsize=10, loc="left", parse_math=False)
    axes.tick_params(which="both", colors=INK, labelsize=8, length=2)
    axes.spines[:].set_color(FRAME)
    axes.xaxis.label.set(color=INK, fontsize=9)
    axes.yaxis.label.set(color=INK, fontsize=9)


def _fitted(values: Tensor, signed: bool) -> Scale:
    """Return the colours that suit some values.

    Grey runs from 0, or the least value, to 1, or the greatest.
    """
    if signed:
        limit = formatting.colour_limit(values)
        return Scale("signed", -limit, limit)
    return Scale("grey", min(0.0, values.min().item()), max(1.0, values.max().item()))


def _draw_array(axes: Axes, title: str, values: Tensor, scale: Scale) -> AxesImage:
    """Draw a (H, W) tensor as cells, with numbers where there is space."""
    values = values.detach().double()
    shown = values.abs() if scale.look == "magnitude" else values
    image = axes.imshow(
        shown.numpy(),
        interpolation="nearest",
        cmap=COLOUR_MAPS[scale.look],
        vmin=scale.low,
        vmax=scale.high,
    )
    _style(axes, title)
    axes.set(xticks=[], yticks=[])
    if max(values.shape) <= MAX_NUMBERS:
        _write_numbers(axes, values, image)
    return image


def _write_numbers(axes: Axes, values: Tensor, image: AxesImage) -> None:
    """Write each cell's value on it, as large as fits, or not at all."""
    texts = formatting.numbers(values, 3)
    longest = max([len(text) for row in texts for text in row])
    cell = 72 * axes.bbox.width / axes.figure.dpi / values.shape[1]
    size = min(8.0, cell / (0.68 * longest))
    if size < 4:
        return
    for (i, j), value in np.ndenumerate(np.asarray(image.get_array())):
        colour = ink(to_hex(image.to_rgba(value)))
        axes.text(j, i, texts[i][j], ha="center", va="center", color=colour, fontsize=size)


def show(
    pictures: Mapping[str, Tensor],
    *,
    signed: Collection[str] | str | None = None,
    scales: Mapping[str, Scale] | None = None,
    note: str = "",
) -> StaticFigure:
    """Draw tensors of shape (H, W) side by side, each under its title.

    Parameters
    ----------
    pictures : mapping of title to Tensor
        What to draw, from left to right.
    signed : titles, or one title, optional
        Which to draw in the diverging colours, with a key or their numbers; those with negative
        values unless given.
    scales : mapping of title to Scale, optional
        The colours of some pictures, in place of those fitted to their values.
    note : str
        A line below.

    Raises
    ------
    ConvkitError
        If there is nothing to draw, something is not a real (H, W) tensor, or `signed` has a title
        that is not among those of `pictures`.

    Examples
    --------
    >>> import torch
    >>> show({"X": torch.eye(2)})
    X: 2 × 2, from 0 to 1, digest 22536681
    """
    _check_pictures(pictures)
    titles, scales = _signed_titles(pictures, signed), scales or {}
    keyed = [t for t in {*titles, *scales} if max(pictures[t].shape) > MAX_NUMBERS]
    gaps = [KEY_GAP if title in keyed else GAP for title in pictures]
    ratios = [values.shape[1] / values.shape[0] for values in pictures.values()]
    height = min(270.0, (880 - sum(gaps)) / sum(ratios))
    width = height * sum(ratios) + sum(gaps)
    figure = _new_figure(width, height + 28 + (28 if note else 8))
    left = 2.0
    for (title, values), gap, ratio in zip(pictures.items(), gaps, ratios, strict=True):
        axes = _axes_at(figure, (left, 24, height * ratio, height))
        scale = scales.get(title) or _fitted(values, title in titles)
        image = _draw_array(axes, title, values, scale)
        if title in keyed:
            _draw_key(_axes_at(figure, (left + height * ratio + 8, 24, 9, height)), image)
        left += height * ratio + gap
    _write_note(figure, note, 4 / (100 * figure.get_figheight()))
    text = "\n".join([formatting.describe(*item) for item in pictures.items()])
    return StaticFigure(_save(figure), text, round(width))


def _check_pictures(pictures: Mapping[str, Tensor]) -> None:
    if not isinstance(pictures, Mapping) or not pictures:
        kind = "an empty" if isinstance(pictures, Mapping) else "a"
        given = f"pictures is {kind} {type(pictures).__name__}"
        raise ConvkitError(given, "a dict of titles and tensors", 'Write show({"X": X}).')
    for title, values in pictures.items():
        is_whole = isinstance(values, Tensor) and not (
            values.is_floating_point() or values.is_complex()
        )
        check_array(title, values.double() if is_whole else values)


def _signed_titles(
    pictures: Mapping[str, Tensor], signed: Collection[str] | str | None
) -> list[str]:
    """Return the titles of what is drawn in the diverging colours."""
    if signed is None:
        return [title for title, values in pictures.items() if values.min() < 0]
    titles = [signed] if isinstance(signed, str) else list(signed)
    for title in titles:
        if title not in pictures:
            known = ", ".join([repr(name) for name in pictures])
            raise ConvkitError(f"signed has {title!r}", f"titles of pictures: {known}", "Check it.")
    return titles


def _draw_key(axes: Axes, image: AxesImage) -> None:
    """Draw the key of a picture: its two ends, and zero where it lies between them."""
    low, high = image.get_clim()
    ticks = [low, 0, high] if low < 0 < high else [low, high]
    bar = axes.figure.colorbar(image, cax=axes, ticks=ticks)
    bar.ax.set_yticklabels([formatting.number(x) for x in ticks])
    bar.ax.tick_params(colors=INK, labelsize=8, length=2)
    bar.outline.set_visible(False)


def _write_note(figure: Figure, note: str, bottom: float) -> None:
    figure.text(0.5, bottom, note, fontsize=8, color=INK, ha="center", parse_math=False)


# What is stored of a descent.

SURFACE_BOX: Box = (62, 32, *SURFACE_SIZE)
CURVE_BOX: Box = (470, 32, 390, SURFACE_SIZE[1])
"""What lies within the axes: (left, top, width, height) in CSS pixels."""
KERNELS, OUTPUTS = ("kernel", "best kernel"), ("prediction", "target", "residual")
"""What is drawn below the plots; those of one line share their colours."""
PLOTS_HEIGHT, ARRAYS_HEIGHT = 274, 190
"""CSS pixels of the plots, and below them of the kernel and the outputs."""


def static_figure(
    steps: Sequence[Step], n: int, quadratic: QuadraticLoss, X: Tensor, Y: Tensor, note: str = ""
) -> StaticFigure:
    """Draw a descent at step `n`: surface, curve, kernel, target, prediction and residual.

    Parameters
    ----------
    steps : sequence of Step
        The whole descent; what lies after step `n` only decides what the curve's axes show.
    n : int
        The step on show.
    quadratic : QuadraticLoss
        The problem.
    X, Y : Tensor
        Input and target.
    note : str
        A line below.
    """
    width = 880
    figure = _new_figure(width, PLOTS_HEIGHT + ARRAYS_HEIGHT)
    _draw_path(figure, steps[: n + 1], LossSurface(quadratic, steps[0].kernel))
    _draw_losses(figure, steps, n)
    arrays = _descent_arrays(steps[n], quadratic, X, Y)
    limits = [_common_limit(arrays, names) for names in (KERNELS, OUTPUTS)]
    for k, (title, values) in enumerate(arrays.items()):
        box = (12 + 175 * k, PLOTS_HEIGHT + 22, 155, ARRAYS_HEIGHT - 52)
        limit = limits[title in OUTPUTS]
        _draw_array(_axes_at(figure, box), title, values, Scale("signed", -limit, limit))
    _write_note(figure, note, 0.012)
    return StaticFigure(_save(figure), descent_text(steps, n, quadratic, X, Y), width)


def descent_text(
    steps: Sequence[Step], n: int, quadratic: QuadraticLoss, X: Tensor, Y: Tensor
) -> str:
    """Return a descent at step `n` in words, the same on every run; parameters as above."""
    arrays = _descent_arrays(steps[n], quadratic, X, Y)
    lines = [formatting.describe(title, values) for title, values in arrays.items()]
    loss = formatting.number(steps[n].loss)
    return "\n".join([f"step {n} of {len(steps) - 1} recorded: loss {loss}", *lines])


def _common_limit(arrays: Mapping[str, Tensor], names: Sequence[str]) -> float:
    """Return the end of the colour key that arrays share."""
    return max(formatting.colour_limit(arrays[name]) for name in names)


def _descent_arrays(
    step: Step, quadratic: QuadraticLoss, X: Tensor, Y: Tensor
) -> dict[str, Tensor]:
    prediction = corr2d(X, step.kernel)
    return {
        "kernel": step.kernel,
        "best kernel": quadratic.best_kernel,
        "prediction": prediction,
        "target": Y,
        "residual": prediction - Y,
    }


def _draw_path(figure: Figure, steps: Sequence[Step], surface: LossSurface) -> None:
    """Draw the loss surface, and on it the kernels of some steps."""
    axes = _axes_at(figure, SURFACE_BOX)
    _draw_rings(axes, surface)
    a, b = surface.to_coordinates([step.kernel for step in steps]).T
    _draw_steps(axes, a, b)
    _style(axes, "loss surface, best kernel ★")
    names = surface.axis_names
    axes.set(xlabel=names[0], ylabel=names[1], xlim=surface.limits[0], ylim=surface.limits[1])


def _draw_rings(axes: Axes, surface: LossSurface) -> None:
    """Draw the rings of equal loss, the largest first, and the best kernel."""
    *shares, outside = surface.shares
    axes.axvspan(*surface.limits[0], color=_mixed_with_white(outside), lw=0)
    for ring, share in zip(reversed(surface.rings), reversed(shares), strict=True):
        minor, major = (2 * half / surface.scale for half in ring.half_axes)
        ellipse = Ellipse(surface.centre, major, minor, angle=math.degrees(surface.angle))
        ellipse.set(fc=_mixed_with_white(share), ec=SURFACE_COLOUR)
        ellipse.set_linewidth(1.2 if ring.is_thick else 0.5)
        axes.add_patch(ellipse)
    target = COLOURS["target"]
    axes.plot(*surface.centre, marker="*", ms=11, color=target, mec="white", mew=0.7)


def _mixed_with_white(share: float) -> tuple[float, ...]:
    """Return the colour of large losses, so many percent of it, in white."""
    return tuple(1 - share / 100 * (1 - channel) for channel in to_rgb(SURFACE_COLOUR))


def _draw_losses(figure: Figure, steps: Sequence[Step], n: int) -> None:
    """Draw the loss after each step up to `n`, on axes for all of them."""
    axes = _axes_at(figure, CURVE_BOX)
    losses = [step.loss for step in steps]
    curve = curve_of(losses)
    axes.set_yscale("log")
    _draw_steps(axes, np.arange(n + 1), np.maximum(losses[: n + 1], MIN_LOSS))
    axes.set(xlabel="step", xlim=curve.limits, ylim=(10.0**curve.low, 10.0**curve.high))
    _style(axes, "loss after each step")
    axes.grid(color=GRID, alpha=0.25, lw=0.5)


def _draw_steps(axes: Axes, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Draw a path, and a dot at its end."""
    colour = COLOURS["path"]
    axes.plot(x, y, color=colour, lw=1.6, marker=".", ms=5)
    axes.plot(x[-1], y[-1], color=colour, marker="o", ms=8, mec="white")
