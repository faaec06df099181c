"""What is stored of a descent: one PNG, drawn by matplotlib."""

from __future__ import annotations

import io
import math
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle
from torch import Tensor

from convkit import formatting
from convkit.panels._descent_stepper_state import DescentStepperResult
from convkit.panels._loss_plots import (
    SURFACE_COLOUR,
    SURFACE_SIZE,
    LossSurface,
    curve_of,
    visible,
)
from convkit.ui.panel import STATIC_NOTE
from convkit.ui.theme import COLOURS, ink

WIDTH, HEIGHT = 880, 464
"""CSS pixels of the picture."""
SURFACE_BOX = (62, 32, *SURFACE_SIZE)
CURVE_BOX = (470, 32, 390, SURFACE_SIZE[1])
"""What lies within the axes: (left, top, width, height) in CSS pixels."""
ARRAYS_TOP, ARRAY_SIZE = 300, (155, 138)
"""Where the arrays are below the plots, and the most width and height of one, in CSS pixels."""
KERNELS, OUTPUTS = ("kernel", "best kernel"), ("prediction", "target", "residual")
"""What is drawn there; those of one line share their colours."""
MAX_NUMBERS = 8
"""The most rows and columns whose numbers are written on the cells."""
INK, FRAME, GRID = "#767676", "#aaaaaa", "#888888"
"""Greys that read on white and on black: the picture is transparent."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Box = tuple[float, float, float, float]


def descent_figure(result: DescentStepperResult) -> tuple[str, int]:
    """Draw a descent at the step on show; return a PNG in base64, and its width in CSS pixels.

    It has the loss surface, the loss curve, the kernel, the target, prediction and residual. What
    lies after the step only decides what the curve's axes show.
    """
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100))
    _draw_path(figure, result)
    _draw_losses(figure, result)
    _draw_arrays(figure, result.arrays)
    _write(figure, (WIDTH / 2, HEIGHT - 8), STATIC_NOTE, ha="center", fontsize=8)
    buffer = io.BytesIO()  # 1.5 pixels for each of CSS; no date, no version
    figure.savefig(buffer, format="png", dpi=150, transparent=True, metadata={"Software": None})
    return b64encode(buffer.getvalue()).decode(), WIDTH


def _common_limit(arrays: Mapping[str, Tensor], names: tuple[str, ...]) -> float:
    """Return the end of the colours that arrays share."""
    return max(formatting.colour_limit(arrays[name]) for name in names)


def _write(figure: Figure, place: tuple[float, float], words: str, **style: Any) -> None:
    """Write words at a place in CSS pixels from the top left."""
    x, y = place[0] / WIDTH, 1 - place[1] / HEIGHT
    figure.text(x, y, words, **{"color": INK, "fontsize": 10, "parse_math": False, **style})


# Arrays


def _draw_arrays(figure: Figure, arrays: Mapping[str, Tensor]) -> None:
    """Draw arrays side by side, in one axes of CSS pixels: each of its own would take longer."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    limits = [_common_limit(arrays, names) for names in (KERNELS, OUTPUTS)]
    for k, (title, values) in enumerate(arrays.items()):
        left = 12 + 175 * k
        _write(figure, (left, ARRAYS_TOP - 6), title)
        _draw_array(figure, axes, left, values.detach().double(), limits[title in OUTPUTS])
    axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))


def _draw_array(figure: Figure, axes: Axes, left: float, values: Tensor, limit: float) -> None:
    """Draw numbers (H, W) as cells from blue over white to red, and write them if they fit.

    Words on the figure, and patches as mere artists, are quicker drawn than those of axes.
    """
    rows, columns = values.shape
    cell = min(ARRAY_SIZE[0] / columns, ARRAY_SIZE[1] / rows)
    place = (left, left + cell * columns, ARRAYS_TOP + cell * rows, ARRAYS_TOP)
    look: Any = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, "interpolation": "nearest"}
    image = axes.imshow(values.numpy(), extent=place, aspect="auto", **look)
    frame: Any = {"fill": False, "ec": FRAME, "lw": 0.8}
    axes.add_artist(Rectangle((left, ARRAYS_TOP), cell * columns, cell * rows, **frame))
    texts = formatting.cell_texts(values, 5 if columns <= 4 else 4)
    size = min(8.0, cell * 0.72 / (0.68 * max(len(text) for row in texts for text in row)))
    if max(values.shape) > MAX_NUMBERS or size < 4:
        return
    style: Any = {"ha": "center", "va": "center", "fontsize": size}
    shades = image.to_rgba(values.numpy())
    for i, j in np.ndindex(rows, columns):
        centre = left + cell * (j + 0.5), ARRAYS_TOP + cell * (i + 0.5)
        _write(figure, centre, texts[i][j], color=ink(to_hex(shades[i, j])), **style)


# Plots


def _axes_at(figure: Figure, box: Box) -> Axes:
    """Add axes with grey ink and a light frame at (left, top, width, height) in CSS pixels."""
    left, top, width, height = box
    place = (left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT)
    axes = figure.add_axes(place)
    axes.tick_params(which="both", colors=INK, labelsize=8, length=2)
    axes.spines[:].set_color(FRAME)
    axes.xaxis.label.set(color=INK, fontsize=9)
    axes.yaxis.label.set(color=INK, fontsize=9)
    return axes


def _draw_path(figure: Figure, result: DescentStepperResult) -> None:
    """Draw the loss surface, and on it the kernels up to the step on show."""
    surface = LossSurface(result.quadratic, result.state.start)
    axes = _axes_at(figure, SURFACE_BOX)
    _draw_rings(axes, surface)
    a, b = surface.to_coordinates(result.descent.kernels[: result.n + 1]).T
    _draw_steps(axes, a, b)
    _write(figure, (SURFACE_BOX[0], SURFACE_BOX[1] - 8), "loss surface, best kernel ★")
    (x_name, y_name), (x_limits, y_limits) = surface.axis_names, surface.limits
    axes.set(xlabel=x_name, ylabel=y_name, xlim=x_limits, ylim=y_limits)
    if not y_name:
        axes.set(yticks=[])


def _draw_rings(axes: Axes, surface: LossSurface) -> None:
    """Draw the rings of equal loss, the largest first, and the best kernel."""
    *shares, outside = surface.shares
    axes.axvspan(*surface.limits[0], color=_mixed_with_white(outside), lw=0)
    for ring, share in zip(reversed(surface.rings), reversed(shares), strict=True):
        minor, major = (2 * half / surface.scale for half in ring.half_axes)
        ellipse = Ellipse(surface.centre, major, minor, angle=math.degrees(surface.angle))
        ellipse.set(fc=_mixed_with_white(share), ec=SURFACE_COLOUR)
        ellipse.set_linewidth(1.2 if ring.is_thick else 0.5)
        axes.add_artist(ellipse)
    target = COLOURS["target"]
    axes.plot(*surface.centre, marker="*", ms=11, color=target, mec="white", mew=0.7)


def _mixed_with_white(share: float) -> tuple[float, ...]:
    """Return the colour of large losses, so many percent of it, in white."""
    return tuple(1 - share / 100 * (1 - channel) for channel in to_rgb(SURFACE_COLOUR))


def _draw_losses(figure: Figure, result: DescentStepperResult) -> None:
    """Draw the loss after each step up to the one on show, on axes for all of them."""
    axes, (_, losses) = _axes_at(figure, CURVE_BOX), result.descent.path
    curve, count = curve_of(losses), result.n + 1
    _draw_steps(axes, np.arange(count), np.log10(visible(losses)[:count]))
    axes.set(xlabel="step", xlim=curve.limits, ylim=(curve.low, curve.high))
    decades = [*curve.decades]
    axes.set_yticks(decades, [f"10{str(k).translate(SUPERSCRIPTS)}" for k in decades])
    _write(figure, (CURVE_BOX[0], CURVE_BOX[1] - 8), "loss after each step")
    axes.grid(color=GRID, alpha=0.25, lw=0.5)


def _draw_steps(axes: Axes, x: Any, y: Any) -> None:
    """Draw a path, and a dot at its end."""
    colour = COLOURS["path"]
    axes.plot(x, y, color=colour, lw=1.6, marker=".", ms=5)
    axes.plot(x[-1], y[-1], color=colour, marker="o", ms=8, mec="white")
