"""What is stored of a descent: a picture of the path so far, the kernel and the outputs."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from convkit import formatting
from convkit.panels._descent_stepper_state import DescentStepperResult
from convkit.panels._loss_plots import (
    CURVE_SIZE,
    SURFACE_COLOUR,
    SURFACE_SIZE,
    LossSurface,
    Mark,
    star,
)
from convkit.panels._sheet import Shapes, Sheet
from convkit.ui.theme import COLOURS, Scale

WIDTH, HEIGHT = 880, 444
"""CSS pixels of the picture."""
SURFACE_BOX = (62, 32, *SURFACE_SIZE)
CURVE_BOX = (460, 32, *CURVE_SIZE)
"""What lies within the axes: (left, top, width, height) in CSS pixels."""
ARRAYS_TOP, ARRAY_SIZE = 300, (155, 138)
"""Where the arrays are below the plots, and the most width and height of one, in CSS pixels."""
KERNELS, OUTPUTS = ("kernel", "best kernel"), ("prediction", "target", "residual")
"""What is drawn there; those of one line share their colours."""
OTHERS = {"kept": "output", "own": "difference"}
"""Of runs beside the descent, what has the same colour."""
GRID = "#88888840"
CORNERS = 240
"""Of the polygon that stands for a ring."""
SUPERSCRIPTS = str.maketrans("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def descent_sheet(result: DescentStepperResult) -> Sheet:
    """Draw a descent at the step on show.

    It has the loss surface, the loss curve, the kernel, the target, prediction and residual. What
    lies after the step only decides what the curve's axes show.
    """
    sheet = Sheet(WIDTH, HEIGHT)
    _draw_surface(sheet, result)
    _draw_losses(sheet, result)
    _draw_arrays(sheet, result.arrays)
    return sheet


def _draw_surface(sheet: Sheet, result: DescentStepperResult) -> None:
    """Draw the loss surface, and on it the kernels up to the step on show."""
    surface = LossSurface(result.quadratic, *[run.start for run in reversed(result.runs)])
    *shares, outside = surface.shares
    shapes = Shapes(*SURFACE_SIZE, _in_white(outside))
    for ring, share in zip(reversed(surface.rings), reversed(shares), strict=True):
        points = _ellipse(ring.half_axes, surface.angle)
        shapes.polygon(points, _in_white(share))
        shapes.line([*points, points[0]], SURFACE_COLOUR, 1.2 if ring.is_thick else 0.5)
    for other in result.others:
        path = surface.to_pixels(other.kernels[: result.n + 1])
        _draw_steps(shapes, path, COLOURS[OTHERS[other.css]])
    _draw_steps(shapes, surface.to_pixels(result.descent.kernels[: result.n + 1]))
    shapes.polygon(star(SURFACE_SIZE[0] / 2, SURFACE_SIZE[1] / 2), COLOURS["target"])
    sheet.paste(SURFACE_BOX, shapes)
    _write_axes(
        sheet, SURFACE_BOX, "loss surface, best kernel ★", surface.marks, surface.axis_names
    )


def _ellipse(half_axes: tuple[float, float], angle: float) -> list[tuple[float, float]]:
    """Return points of an ellipse around the middle of the surface."""
    (minor, major), turn = half_axes, cmath.rect(1, angle)
    points = [
        turn * complex(major * math.cos(t), minor * math.sin(t))
        for t in (2 * math.pi * k / CORNERS for k in range(CORNERS))
    ]
    return [(SURFACE_SIZE[0] / 2 + p.real, SURFACE_SIZE[1] / 2 - p.imag) for p in points]


def _in_white(share: float) -> str:
    """Return the colour of large losses, so many percent of it, in white."""
    channels = bytes.fromhex(SURFACE_COLOUR[1:])
    return "#" + bytes(round(255 - share / 100 * (255 - channel)) for channel in channels).hex()


def _draw_losses(sheet: Sheet, result: DescentStepperResult) -> None:
    """Draw the loss after each step up to the one on show, on axes for all of them."""
    curve, (width, height) = replace(result, axes=None).curve, CURVE_SIZE
    shapes, (across, up) = Shapes(width, height, f"{GRID[:7]}00"), curve.marks
    for share, _ in across:
        shapes.line([(width * share / 100, 0), (width * share / 100, height)], GRID, 0.5)
    for share, _ in up:
        shapes.line([(0, height * share / 100), (width, height * share / 100)], GRID, 0.5)
    for other in result.others:
        path = curve.to_pixels(other.losses)[: result.n + 1]
        _draw_steps(shapes, path, COLOURS[OTHERS[other.css]])
    _draw_steps(shapes, curve.to_pixels(result.descent.path[1])[: result.n + 1])
    sheet.paste(CURVE_BOX, shapes)
    powers = [(share, f"10{text[2:].translate(SUPERSCRIPTS)}") for share, text in up]
    _write_axes(sheet, CURVE_BOX, "loss after each step", (across, powers), ("step", ""))
    right, top = CURVE_BOX[0] + width - 6, CURVE_BOX[1]
    for n, other in enumerate(result.others, 1):
        fill = COLOURS[OTHERS[other.css]]
        sheet.write(right, top + 16 * n, other.said(result.n), 12, "rs", fill)


def _draw_steps(shapes: Shapes, points: Any, colour: str = COLOURS["path"]) -> None:
    """Draw a path, a dot at each step, and a larger one at its end."""
    if len(points) > 1:
        shapes.line(points, colour, 2.2)
    for point in points:
        shapes.dot(point, colour, 2.5)
    shapes.dot(points[-1], "#ffffff", 6.5)
    shapes.dot(points[-1], colour, 5)


def _write_axes(
    sheet: Sheet,
    box: tuple[float, float, float, float],
    title: str,
    marks: tuple[Iterable[Mark], Iterable[Mark]],
    names: tuple[str, str],
) -> None:
    """Write the title above a plot, numbers along its axes, and their names."""
    (left, top, width, height), (across, up) = box, marks
    sheet.write(left, top - 8, title)
    for share, text in across:
        sheet.write(left + width * share / 100, top + height + 6, text, 11, "mt")
    for share, text in up:
        sheet.write(left - 6, top + height * share / 100, text, 11, "rm")
    sheet.write(left + width / 2, top + height + 34, names[0], 12.5, "ms")
    sheet.write_upwards(left - 48, top + height / 2, names[1], 12.5)


def _draw_arrays(sheet: Sheet, arrays: Mapping[str, Tensor]) -> None:
    """Draw arrays side by side."""
    limits = [
        max(formatting.colour_limit(arrays[name]) for name in names) for names in (KERNELS, OUTPUTS)
    ]
    for k, (title, values) in enumerate(arrays.items()):
        left, limit, (rows, columns) = 12 + 175 * k, limits[title in OUTPUTS], values.shape
        cell = min(ARRAY_SIZE[0] / columns, ARRAY_SIZE[1] / rows)
        sheet.write(left, ARRAYS_TOP - 6, title)
        box = left, ARRAYS_TOP, cell * columns, cell * rows
        sheet.draw(box, values, Scale("signed", -limit, limit), 5 if columns <= 4 else 4)
