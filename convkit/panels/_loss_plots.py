"""The loss surface and the loss curve of a descent: where things lie, and the axes as SVG and HTML.

Both axes of the surface have one scale, so that the steps of gradient descent leave its rings at
right angles.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from markupsafe import Markup
from numpy.typing import NDArray
from torch import Tensor

from convkit.formatting import minus
from convkit.least_squares import START_TOLERANCE, QuadraticLoss
from convkit.ops import FLOAT64
from convkit.ui import tag

SURFACE_SIZE = (328, 196)
"""CSS pixels (width, height) of the loss surface, without the words around it."""
CURVE_SIZE = (400, 196)
"""Units (width, height) of the loss curve, which is stretched to the width there is."""
MARGIN = 1.25
"""How much farther than the start a surface reaches from the best kernel."""
ALONE = 0.4
"""How far it reaches where the start is the best kernel, as a share of the largest weight."""
SNAP = 3
"""Pointing so many CSS pixels from the best kernel, or less, means that kernel itself."""
LEAST_DISTANCE = 2 * SNAP / SURFACE_SIZE[0]
"""The closest that a start is to the best kernel, as a share of the surface, until it is zoomed."""
PLANE_TOLERANCE = 1e-3
"""How much shorter a start's distance may be on the plane, as a share of it."""
LEAST_RING = 4
"""The half width of the least ring that is drawn, in CSS pixels."""
LABEL_SHIFT = 24
"""How far beside the shorter axis of a ring its loss is written, in CSS pixels."""
LABEL_SIZE = (7, 14)
"""The width of a character of that label, and its height, in CSS pixels."""
LONGEST_AXIS = 1e4
"""The longest half axis of a ring, in CSS pixels: where the loss is flat, a ring is two lines."""
SURFACE_COLOUR, DARKEST = "#607d94", 62
"""The colour of large losses, and the percentage of it in the page's colour for the largest."""
STAR_RADII = (8, 3.4)
"""CSS pixels from the middle of the star to its points, and to the corners between them."""
LEAST_SHARE = 1e-14
"""The least loss that the curve shows, as a share of the largest: what rounding leaves of 0."""
OUTSIDE = 9e3
"""The farthest from a plot, in CSS pixels, that a point is placed."""
DIGITS = 1
"""To how many decimals places are rounded, so that rounding errors draw no other path."""
LEAST_TICKS = (44, 26)
"""The least distance between two numbers at the axes x and y, in CSS pixels."""
MOST_DECIMALS = 4
"""The most decimals of a number at an axis; a smaller one is written with a power of ten."""

Points = NDArray[np.float64]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""
Mark = tuple[float, str | Markup]
"""The place of a number at an axis, in percent, and its text."""


@dataclass(frozen=True)
class Ring:
    """All kernels of one loss on a surface: an ellipse around the best kernel.

    Attributes
    ----------
    loss : float
        The loss above that of the best kernel.
    half_axes : (float, float)
        CSS pixels, the shorter first.
    is_thick : bool
        Whether `loss` is a power of ten.
    """

    loss: float
    half_axes: tuple[float, float]
    is_thick: bool


@dataclass(frozen=True, eq=False)
class LossSurface:
    """The loss of kernels (kH, kW) around the best one, as far as a start.

    Of more than two weights the plane through the best kernel and the start is shown that has the
    steepest direction in it.

    Parameters
    ----------
    quadratic : QuadraticLoss
        The problem.
    start : Tensor
        The kernel from which a descent begins.
    other : Tensor, optional
        That of another descent, which has to be on the surface too.

    Examples
    --------
    >>> quadratic = QuadraticLoss(torch.eye(2), (1, 2), torch.zeros(2, 1))  # a² + b²
    >>> surface = LossSurface(quadratic, torch.tensor([[0.0, 1.0]]))
    >>> [ring.loss for ring in surface.rings]
    [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
    >>> surface.to_pixels([quadratic.best_kernel]).tolist()
    [[164.0, 98.0]]
    """

    quadratic: QuadraticLoss
    start: Tensor
    other: Tensor | None = None

    @cached_property
    def _plane(self) -> tuple[Tensor, Tensor]:
        """Return the kernel at (0, 0), flat, and the unit kernels of both axes (2, n)."""
        best = self.quadratic.best_kernel.flatten()
        axes = torch.stack(self.quadratic.projection_axes(self.start)).flatten(1)
        return (torch.zeros_like(best) if len(best) <= 2 else best), axes

    @cached_property
    def centre(self) -> tuple[float, float]:
        """The coordinates of the best kernel."""
        (point,) = self.to_coordinates([self.quadratic.best_kernel]).tolist()
        return point[0], point[1]

    @cached_property
    def _largest_weight(self) -> float:
        best = self.quadratic.best_kernel.abs().max().item()
        return max(best, self.start.abs().max().item()) or 1.0

    @cached_property
    def scale(self) -> float:
        """CSS pixels for each unit of a weight."""
        starts = [self.start, self.start if self.other is None else self.other]
        away = abs(self.to_coordinates(starts) - self.centre).max(0)
        reach = max(away[0] * SURFACE_SIZE[1] / SURFACE_SIZE[0], away[1])
        if reach <= START_TOLERANCE * self._largest_weight:
            reach = ALONE * self._largest_weight
        return float(SURFACE_SIZE[1] / 2 / (MARGIN * reach))

    @property
    def limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """What the axes show: from and to along x, and along y."""
        (x, y), (width, height) = self.centre, SURFACE_SIZE
        right, up = width / 2 / self.scale, height / 2 / self.scale
        return (x - right, x + right), (y - up, y + up)

    @cached_property
    def _curvature(self) -> tuple[list[float], float]:
        """Return the curvatures of the surface, largest first, and the angle of the second."""
        _, axes = self._plane
        values, vectors = torch.linalg.eigh(axes @ self.quadratic.hessian @ axes.T)
        flattest, steepest = values.clamp(min=0).tolist()
        return [steepest, flattest], math.atan2(*vectors[:, 0].flip(0).tolist())

    @property
    def angle(self) -> float:
        """The direction of the rings' longer axis, in radians, counted from x to y."""
        return self._curvature[1]

    @cached_property
    def rings(self) -> list[Ring]:
        """The rings at 0.1, 0.3, 1, 3, 10 ... that fit the surface, the least first."""
        steepest, _ = self._curvature[0]
        if steepest <= 0:
            return []
        farthest = math.hypot(*SURFACE_SIZE) / 2
        ends = LEAST_RING, farthest
        least, largest = (steepest / 2 * (pixels / self.scale) ** 2 for pixels in ends)
        decades = range(math.floor(math.log10(least)), math.floor(math.log10(largest)) + 1)
        losses = [(float(f"{factor}e{k}"), factor == 1) for k in decades for factor in (1, 3)]
        return [self._ring(*loss) for loss in losses if least <= loss[0] <= largest]

    def _ring(self, loss: float, is_thick: bool) -> Ring:
        steepest, flattest = (
            min(LONGEST_AXIS, math.sqrt(2 * loss / value) * self.scale) if value else LONGEST_AXIS
            for value in self._curvature[0]
        )
        return Ring(loss, (steepest, flattest), is_thick)

    def fits(self, quadratic: QuadraticLoss, start: Tensor) -> bool:
        """Return whether this shows a problem, and a start on it that is not too close."""
        if quadratic is not self.quadratic or not self._is_on_plane(start):
            return False
        (x, y), (width, height) = self.to_pixels([start])[0].tolist(), SURFACE_SIZE
        share = max(abs(2 * x / width - 1), abs(2 * y / height - 1))
        return LEAST_DISTANCE <= share <= 1 or self._is_best(start)

    def _is_best(self, start: Tensor) -> bool:
        (away,) = abs(self.to_coordinates([start]) - self.centre)
        return bool(max(away) <= START_TOLERANCE * self._largest_weight)

    def _is_on_plane(self, start: Tensor) -> bool:
        """Return whether a start lies on the plane, ignoring what the input cannot tell apart."""
        (point,) = self.to_coordinates([start]) - self.centre
        seen = self.quadratic.identifiable_directions.flatten(1)
        error = (start.double() - self.quadratic.best_kernel).flatten()
        distance = (seen @ error).norm().item()
        return distance - math.hypot(*point) <= PLANE_TOLERANCE * distance

    def to_coordinates(self, kernels: Sequence[Tensor] | Tensor) -> Points:
        """Return where the points of the plane nearest to kernels (n, kH, kW) are: (n, 2)."""
        origin, axes = self._plane
        away = torch.stack(tuple(kernels)).double().flatten(1) - origin
        return (away @ axes.T).numpy()

    def to_pixels(self, kernels: Sequence[Tensor] | Tensor) -> Points:
        """Return where kernels (n, kH, kW) lie: (n, 2), CSS pixels from the top left."""
        away = (self.to_coordinates(kernels) - self.centre) * (self.scale, -self.scale)
        points = away + np.array(SURFACE_SIZE) / 2
        return points.clip(-OUTSIDE, OUTSIDE).round(DIGITS)

    def contains(self, points: Points) -> list[bool]:
        """Return which points (n, 2) in CSS pixels lie on the surface."""
        width, height = SURFACE_SIZE
        return [0 <= x <= width and 0 <= y <= height for x, y in points.tolist()]

    def to_kernel(self, x: float, y: float) -> Tensor:
        """Return the kernel (kH, kW) at a place in CSS pixels, of the start's dtype.

        Its coordinates are rounded to what one can tell apart.
        """
        right, down = x - SURFACE_SIZE[0] / 2, y - SURFACE_SIZE[1] / 2
        if math.hypot(right, down) <= SNAP:
            return self.quadratic.best_kernel.to(self.start.dtype)
        digits = math.ceil(math.log10(self.scale))
        a = round(self.centre[0] + right / self.scale, digits)
        b = round(self.centre[1] - down / self.scale, digits)
        origin, axes = self._plane
        weights = origin + torch.tensor([a, b], **FLOAT64) @ axes
        return weights.reshape(self.start.shape).to(self.start.dtype)

    @cached_property
    def axis_names(self) -> tuple[str, str]:
        """What x and y are; empty for an axis along which no kernel differs from the best one."""
        if self.start.numel() <= 2:
            weights = [f"K[{i}, {j}]" for i, j in np.ndindex(*self.start.shape)]
            return weights[0], weights[-1] if len(weights) == 2 else ""
        (right, up), names = self._plane[1], ["steepest direction", "flattest direction"]
        error = (self.start.double() - self.quadratic.best_kernel).flatten()
        if (error @ up).abs() > START_TOLERANCE * self._largest_weight:
            names[1] = "towards the start"
        x, y = (name if axis.any() else "" for name, axis in zip(names, (right, up), strict=True))
        return x, y

    # As SVG and HTML

    @cached_property
    def shapes(self) -> Markup:
        """The rings and the best kernel as SVG, in the pixels of the surface."""
        (width, height), shares = SURFACE_SIZE, self.shares
        place = f"translate({width / 2} {height / 2}) rotate({-math.degrees(self.angle):.2f})"
        parts = [tag("rect", width=width, height=height, style=_shade(shares[-1]))]
        for ring, share in zip(reversed(self.rings), shares[-2::-1], strict=True):
            minor, major = (f"{half:.1f}" for half in ring.half_axes)
            line = f"stroke:{SURFACE_COLOUR};stroke-width:{1.2 if ring.is_thick else 0.5}"
            style = f"{_shade(share)};{line}"
            parts.append(tag("ellipse", rx=major, ry=minor, transform=place, style=style))
        corners = " ".join([f"{x:.1f},{y:.1f}" for x, y in star(width / 2, height / 2)])
        return Markup("").join([*parts, tag("polygon", class_="ck-best", points=corners)])

    @property
    def shares(self) -> list[float]:
        """How much of `SURFACE_COLOUR` is inside each ring, the least first, and outside of all."""
        count = len(self.rings)
        return [DARKEST * ((k + 1) / (count + 1)) ** 1.3 for k in range(count + 1)]

    @cached_property
    def ring_labels(self) -> list[tuple[str, float, float]]:
        """The text and the place of each thick ring's loss, where there is space for it.

        It lies beside the shorter axis, along which descents swing, and away from the start.
        """
        (width, height), labels = SURFACE_SIZE, []
        longer = cmath.rect(1, self.angle)
        shorter = 1j * longer
        shorter *= 1 if shorter.real >= 0 else -1  # to the right
        (start,) = self.to_coordinates([self.start]) - self.centre
        away = -longer if (complex(*start) / longer).real > 0 else longer
        for ring in self.rings:
            across, along = ring.half_axes
            turn = math.asin(min(0.5, LABEL_SHIFT / along))
            place = across * math.cos(turn) * shorter + along * math.sin(turn) * away
            x, y = width / 2 + place.real, height / 2 - place.imag
            is_inside = 24 < x < width - 24 and 10 < y < height - 10
            if ring.is_thick and is_inside and across > 24:
                labels.append((minus(_power_of_ten(ring.loss)), x, y))
        return labels

    @cached_property
    def boxes(self) -> list[Box]:
        """What the labels of rings cover, and the star: no note should lie there."""
        (width, height), (character, tall) = SURFACE_SIZE, LABEL_SIZE
        labels = [(x, y, character * len(text), tall) for text, x, y in self.ring_labels]
        star = 2 * STAR_RADII[0]
        covered = [*labels, (width / 2, height / 2, star, star)]
        return [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for x, y, w, h in covered]

    @property
    def marks(self) -> tuple[list[Mark], list[Mark]]:
        """The places of numbers along x and y, with their texts; none at an axis without a name."""
        (x_low, x_high), (y_low, y_high) = self.limits
        x_name, y_name = self.axis_names
        most = [pixels // least for pixels, least in zip(SURFACE_SIZE, LEAST_TICKS, strict=True)]
        across, up = _ticks(x_low, x_high, most[0]), _ticks(y_low, y_high, most[1])
        x = [(100 * (tick - x_low) / (x_high - x_low), text) for tick, text in across]
        y = [(100 * (y_high - tick) / (y_high - y_low), text) for tick, text in up]
        return x if x_name else [], y if y_name else []

    @cached_property
    def words(self) -> Markup:
        """Numbers and names of the axes, and losses of rings, as HTML placed in percent."""
        width, height = SURFACE_SIZE
        places = [(text, _at(100 * x / width, 100 * y / height)) for text, x, y in self.ring_labels]
        labels = [tag("span", text, class_="ck-ring-loss", style=at) for text, at in places]
        axes = _axis_words(*self.marks, *self.axis_names)
        return Markup("").join([axes, *labels])


@dataclass(frozen=True)
class LossCurve:
    """Logarithmic axes for the loss after each step.

    Attributes
    ----------
    last : int
        The number of the last step.
    low, high : int
        Losses from 10^low to 10^high are shown.

    Examples
    --------
    >>> curve_of([250.0, 30.0, 4.0])
    LossCurve(last=2, low=0, high=3)
    """

    last: int
    low: int
    high: int

    @property
    def limits(self) -> tuple[float, float]:
        """The steps at both ends, so that no dot is cut off."""
        return -0.02 * self.last, 1.02 * self.last

    @property
    def decades(self) -> range:
        """The powers of ten that are written at the axis."""
        return range(self.low, self.high + 1, max(1, math.ceil((self.high - self.low) / 8)))

    def to_pixels(self, losses: Sequence[float] | Tensor) -> Points:
        """Return where the losses of steps 0, 1, 2 ... lie: (n, 2), units from the top left."""
        (width, height), (first, last) = CURVE_SIZE, self.limits
        exponents = np.log10(visible(losses))
        x = (np.arange(len(exponents)) - first) / (last - first) * width
        y = (self.high - exponents) / (self.high - self.low) * height
        return np.stack((x, y), axis=1).round(DIGITS)

    @property
    def marks(self) -> tuple[list[Mark], list[Mark]]:
        """The places of some steps, and of some powers of ten, with their texts."""
        first, last = self.limits
        steps = range(0, self.last + 1, round(max(1.0, _round_step(self.last, 6))))
        across: list[Mark] = [(100 * (n - first) / (last - first), str(n)) for n in steps]
        share = 100 / (self.high - self.low)
        return across, [(share * (self.high - k), minus(f"10{k}")) for k in self.decades]

    @property
    def shapes(self) -> Markup:
        """The grid as SVG, in the units of the curve."""
        width, height = CURVE_SIZE
        across, up = self.marks
        lines = [f"M0 {height * share / 100:.2f}H{width}" for share, _ in up]
        lines += [f"M{width * share / 100:.2f} 0V{height}" for share, _ in across]
        return tag("path", class_="ck-grid", d="".join(lines))

    @property
    def words(self) -> Markup:
        """The numbers of the axes as HTML, placed in percent."""
        across, up = self.marks
        powers = [(share, Markup("10") + tag("sup", text[2:])) for share, text in up]
        return _axis_words(across, powers, "step", "")


def curve_of(losses: Sequence[float] | Tensor) -> LossCurve:
    """Return axes of whole decades for the losses of steps 0, 1, 2 ...

    Losses below 1e-14 of the largest are shown as that.

    Examples
    --------
    >>> curve_of([0.0])
    LossCurve(last=1, low=-14, high=-13)
    """
    shown = np.log10(visible(losses))
    low, high = math.floor(shown.min()), math.ceil(shown.max() + 1e-9)
    return LossCurve(max(1, len(shown) - 1), low, max(high, low + 1))


def holding(*curves: LossCurve) -> LossCurve:
    """Return axes that hold what all of some axes do.

    Examples
    --------
    >>> holding(LossCurve(last=9, low=0, high=3), LossCurve(last=4, low=-2, high=1))
    LossCurve(last=9, low=-2, high=3)
    """
    last, high = (max(getattr(curve, name) for curve in curves) for name in ("last", "high"))
    return LossCurve(last, min(curve.low for curve in curves), high)


def visible(losses: Sequence[float] | Tensor) -> NDArray[np.float64]:
    """Return losses as a logarithmic curve shows them: none is below `LEAST_SHARE` of the largest.

    Examples
    --------
    >>> visible([2.0, 0.0]).tolist()
    [2.0, 2e-14]
    """
    values = np.asarray(losses, dtype=np.float64)
    return np.maximum(values, LEAST_SHARE * (values.max() or 1.0))


# Numbers at axes


def _round_step(length: float, most: int) -> float:
    """Return the least of 1, 2, 5, 10 ... times a power of ten that divides into `most` parts."""
    exponent = math.floor(math.log10(length / most))
    steps = [float(f"{factor}e{exponent + k}") for k in (0, 1) for factor in (1, 2, 5)]
    return next(step for step in steps if step * most >= length)


def _ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return round numbers of an axis, and their texts, which all have the same decimals."""
    step = _round_step(high - low, most)
    ticks = [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    decimals = max(0, -math.floor(math.log10(step)))
    if decimals > MOST_DECIMALS or step >= 10**MOST_DECIMALS:
        return [(tick, minus(_with_power(tick))) for tick in ticks]
    return [(tick, minus(f"{tick:.{decimals}f}")) for tick in ticks]


def _with_power(value: float) -> str:
    """Return a number with a power of ten and as few digits as tell it apart: "5e-7"."""
    digits, power = f"{value:.2e}".split("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}" if value else "0"


def _power_of_ten(value: float) -> str:
    """Return a power of ten in full, or as "1e5" where that is long."""
    return f"{value:g}" if 1e-3 <= value <= 1e4 else f"1e{round(math.log10(value))}"


def _axis_words(across: Sequence[Mark], up: Sequence[Mark], x_name: str, y_name: str) -> Markup:
    chars = max((len(Markup(text).striptags()) for _, text in up), default=0)
    size = f"--chars:{chars}"
    words = [tag("span", text, class_="ck-x", style=f"left:{at:.2f}%") for at, text in across]
    words += [tag("span", text, class_="ck-y", style=f"top:{at:.2f}%;{size}") for at, text in up]
    words.append(tag("span", x_name, class_="ck-x-name"))
    words.append(tag("span", y_name, class_="ck-y-name", style=size))
    return Markup("").join(words)


def _at(x: float, y: float) -> str:
    return f"left:{x:.2f}%;top:{y:.2f}%"


def _shade(share: float) -> str:
    return f"fill:color-mix(in srgb,var(--ck-paper),{SURFACE_COLOUR} {share:.0f}%)"


def star(x: float, y: float) -> list[tuple[float, float]]:
    """Return the corners of a five-pointed star, the best kernel."""
    turns = [math.pi * (k / 5 - 0.5) for k in range(10)]
    radii = STAR_RADII * 5
    return [
        (x + r * math.cos(turn), y + r * math.sin(turn))
        for r, turn in zip(radii, turns, strict=True)
    ]
