"""Pictures and plots: figures drawn by matplotlib, and pixels for a canvas.

Every figure carries a text with shapes, ranges and digests, so that a text comparison sees when it
shows other data. Nothing here touches pyplot's global state.
"""

from __future__ import annotations

import io
import math
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray
from torch import Tensor

from convkit import formatting
from convkit.descent import Step
from convkit.errors import ConvkitError
from convkit.least_squares import QuadraticLoss
from convkit.ops import check_array, corr2d
from convkit.views.html import COLOURS, tint

SIGNED = "RdBu_r"
"""matplotlib's colour map whose stops are `SIGNED_STOPS`."""
INK = "#767676"
"""A grey that reads on white and on black: figures are transparent."""
FRAME, CONTOUR, GRID = "#aaaaaa", "#555555", "#888888"
MAX_NUMBERS = 8
"""The most rows and columns whose numbers are written on the cells, in place of a key."""
GAP, KEY_GAP = 24, 66
"""Pixels to the right of a picture, without and with a key."""
MARKED = 255
"""The palette index of a marked pixel."""

Box = tuple[float, float, float, float]
Points = NDArray[np.float32]


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


# Pixels for a canvas.


def _signed_palette() -> bytes:
    shades = [tint((k - 127) / 127) for k in range(MARKED)]
    return b"".join(
        [bytes.fromhex(f"{colour[1:]}ff") for colour in (*shades, COLOURS["difference"])]
    )


GREY_PALETTE = b"".join([bytes((k, k, k, 255)) for k in range(256)])
"""RGBA bytes of 256 shades from black to white."""
SIGNED_PALETTE = _signed_palette()
"""RGBA bytes from blue (0) over white (127) to red (254), then the colour of a difference (255)."""


def palette_indices(
    values: Tensor, limit: float | None = None, mark: Tensor | None = None
) -> bytes:
    """Return a picture as one byte per pixel, in reading order: an index into a palette.

    Parameters
    ----------
    values : Tensor
        Shape (H, W). Without `limit` a brightness from 0 (black, index 0) to 1 (white, 255), into
        `GREY_PALETTE`; what lies outside is clipped.
    limit : float, optional
        Show signed values: -limit has index 0, 0 has 127 and limit has 254 of `SIGNED_PALETTE`.
    mark : Tensor, optional
        A bool tensor (H, W): pixels to show in the colour of a difference.

    Examples
    --------
    >>> list(palette_indices(torch.tensor([[0.0, 0.2, 9.0]])))
    [0, 51, 255]
    >>> list(palette_indices(torch.tensor([[-2.0, 0.0, 2.0]]), limit=2))
    [0, 127, 254]
    """
    values = values.detach()
    if values.dtype.itemsize < 4:  # half precision cannot tell 256 shades apart
        values = values.float()
    if limit is None:
        levels = values.clamp(0, 1) * 255
    else:
        levels = (values / limit + 1).mul(127).clamp(0, 254)
    indices = levels.round().to(torch.uint8)
    if mark is not None:
        indices.masked_fill_(mark, MARKED)
    return indices.numpy().tobytes()


def sampled(values: Tensor, max_side: int) -> Tensor:
    """Return every k-th row and column, so that neither side has more than `max_side` of them.

    Examples
    --------
    >>> sampled(torch.zeros(600, 512), 270).shape
    torch.Size([200, 171])
    """
    step = -(-max(values.shape) // max_side)
    return values[::step, ::step]


# Figures of matplotlib.


def _save(figure: Figure, scale: float = 1.5, level: int = 6) -> bytes:
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


def _draw_array(axes: Axes, title: str, values: Tensor, *, signed: bool) -> AxesImage:
    """Draw a (H, W) tensor as cells, grey or diverging, with numbers where there is room.

    Grey runs from 0, or the least value, to 1, or the greatest.
    """
    values = values.detach().double()
    if signed:
        limit = formatting.colour_limit(values)
        colours: dict[str, Any] = {"cmap": SIGNED, "vmin": -limit, "vmax": limit}
    else:
        low, high = min(0.0, values.min().item()), max(1.0, values.max().item())
        colours = {"cmap": "gray", "vmin": low, "vmax": high}
    image = axes.imshow(values.numpy(), interpolation="nearest", **colours)
    _style(axes, title)
    axes.set(xticks=[], yticks=[])
    if max(values.shape) <= MAX_NUMBERS:
        _write_numbers(axes, values, image, signed)
    return image


def _write_numbers(axes: Axes, values: Tensor, image: AxesImage, signed: bool) -> None:
    """Write each cell's value on it, as large as fits, or not at all."""
    texts = formatting.numbers(values, 3)
    longest = max([len(text) for row in texts for text in row])
    cell = 72 * axes.bbox.width / axes.figure.dpi / values.shape[1]
    size = min(8.0, cell / (0.68 * longest))
    if size < 4:
        return
    levels = np.asarray(image.norm(values.numpy()), dtype=float)
    dark = abs(levels - 0.5) > 0.34 if signed else levels < 0.45
    for (i, j), is_dark in np.ndenumerate(dark):
        ink = "white" if is_dark else "black"
        axes.text(j, i, texts[i][j], ha="center", va="center", color=ink, fontsize=size)


def show(
    pictures: Mapping[str, Tensor],
    *,
    signed: Collection[str] | str | None = None,
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
    note : str
        A line below.

    Raises
    ------
    ConvkitError
        If there is nothing to draw, something is not a real (H, W) tensor, or `signed` has a title
        that is not among those of `pictures`.

    Examples
    --------
    >>> show({"X": torch.eye(2)})
    X: 2 × 2, from 0 to 1, digest 22536681
    """
    _check_pictures(pictures)
    titles = _signed_titles(pictures, signed)
    keyed = [title for title in titles if max(pictures[title].shape) > MAX_NUMBERS]
    gaps = [KEY_GAP if title in keyed else GAP for title in pictures]
    ratios = [values.shape[1] / values.shape[0] for values in pictures.values()]
    height = min(270.0, (880 - sum(gaps)) / sum(ratios))
    width = height * sum(ratios) + sum(gaps)
    figure = _new_figure(width, height + 28 + (28 if note else 8))
    left = 2.0
    for (title, values), gap, ratio in zip(pictures.items(), gaps, ratios, strict=True):
        axes = _axes_at(figure, (left, 24, height * ratio, height))
        image = _draw_array(axes, title, values, signed=title in titles)
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
    """Draw the key of a diverging picture: its two ends and zero."""
    _, limit = image.get_clim()
    bar = axes.figure.colorbar(image, cax=axes, ticks=[-limit, 0, limit])
    bar.ax.set_yticklabels([formatting.number(x) for x in (-limit, 0, limit)])
    bar.ax.tick_params(colors=INK, labelsize=8, length=2)
    bar.outline.set_visible(False)


def _write_note(figure: Figure, note: str, bottom: float) -> None:
    figure.text(0.5, bottom, note, fontsize=8, color=INK, ha="center", parse_math=False)


# The plots of a descent.

PLOT_SIZE = (440, 300)
"""CSS pixels (width, height) of the loss surface, and of the loss curve."""
SURFACE_AREA: Box = (62, 32, 362, 222)
CURVE_AREA: Box = (68, 32, 357, 222)
"""What lies within the axes: (left, top, width, height) in CSS pixels."""
ARRAYS_HEIGHT = 190
"""CSS pixels below the plots of a static figure, for the kernel and the outputs."""
SURFACE_POINTS = 81
MIN_LOSS = 1e-14
"""The least loss that the logarithmic curve shows."""
OUTSIDE = 9e3
"""The farthest from a plot, in CSS pixels, that a point is placed."""


@dataclass(frozen=True)
class _Plane:
    """The plane of kernels that a loss surface shows: origin + a u + b v."""

    origin: Tensor
    u: Tensor
    v: Tensor

    def coordinates(self, kernels: Sequence[Tensor]) -> NDArray[np.float64]:
        """Return a and b of the points of the plane nearest to kernels: shape (n, 2)."""
        away = (torch.stack(tuple(kernels)).detach().double() - self.origin).flatten(1)
        axes = torch.stack((self.u, self.v)).flatten(1)
        return (away @ axes.T).numpy()

    def kernel(self, a: float, b: float) -> Tensor:
        """Return the kernel (kH, kW) at a point of the plane."""
        return self.origin + a * self.u + b * self.v


@dataclass(frozen=True)
class _Range:
    """What the axes of a plot show: from and to, along x and along y."""

    x: tuple[float, float]
    y: tuple[float, float]

    def to_pixels(self, points: NDArray[np.float64], area: Box) -> Points:
        """Return points (n, 2) in CSS pixels from the top left of the plot."""
        left, top, width, height = area
        x = left + (points[:, 0] - self.x[0]) / (self.x[1] - self.x[0]) * width
        y = top + (self.y[1] - points[:, 1]) / (self.y[1] - self.y[0]) * height
        return np.stack((x, y), axis=1).clip(-OUTSIDE, OUTSIDE).astype(np.float32)

    def to_point(self, x: float, y: float, area: Box) -> tuple[float, float]:
        """Return the point at a place in CSS pixels from the top left of the plot."""
        left, top, width, height = area
        right, up = (x - left) / width, (top + height - y) / height
        a = self.x[0] + right * (self.x[1] - self.x[0])
        return a, self.y[0] + up * (self.y[1] - self.y[0])


@dataclass(frozen=True, eq=False)
class SurfaceView:
    """The loss surface of a problem, drawn, and where kernels lie on it.

    Attributes
    ----------
    png : bytes
        The surface with its axes and the best kernel, at twice the size.
    size : (width, height)
        CSS pixels of the whole plot.
    area : (left, top, width, height)
        CSS pixels of what lies within the axes.
    """

    png: bytes
    size: tuple[int, int]
    area: Box
    _plane: _Plane = field(repr=False)
    _range: _Range = field(repr=False)
    _problem: tuple[QuadraticLoss, Tensor] = field(repr=False)

    def fits(self, quadratic: QuadraticLoss, start: Tensor) -> bool:
        """Return whether this is the surface of a problem and a start, so that it can be kept."""
        drawn, drawn_start = self._problem
        return drawn is quadratic and torch.equal(drawn_start, start)

    def to_pixels(self, kernels: Sequence[Tensor]) -> Points:
        """Return where kernels (kH, kW) lie: float32 (n, 2), x and y in CSS pixels from top left.

        A kernel outside the plane lies where the nearest point of the plane does.
        """
        return self._range.to_pixels(self._plane.coordinates(kernels), self.area)

    def to_kernel(self, x: float, y: float) -> Tensor:
        """Return the kernel (kH, kW) at a place in CSS pixels, of the start's dtype."""
        a, b = self._range.to_point(x, y, self.area)
        return self._plane.kernel(a, b).to(self._problem[1].dtype)


def surface_background(quadratic: QuadraticLoss, start: Tensor) -> SurfaceView:
    """Draw the loss of kernels (kH, kW) around the best one, as far as `start`.

    Of more than two weights the plane through the best kernel is shown, along the steepest
    direction and the flattest that the input can tell apart.

    Parameters
    ----------
    quadratic : QuadraticLoss
        The problem.
    start : Tensor
        The kernel (kH, kW) from which a descent begins.
    """
    plane, ranges = _surface_plane(quadratic, start)
    figure = _new_figure(*PLOT_SIZE)
    _draw_surface(_axes_at(figure, SURFACE_AREA), quadratic, plane, ranges)
    problem = (quadratic, start.detach().clone())
    return SurfaceView(_save(figure, 2, level=1), PLOT_SIZE, SURFACE_AREA, plane, ranges, problem)


def _surface_plane(quadratic: QuadraticLoss, start: Tensor) -> tuple[_Plane, _Range]:
    """Return the plane that a surface shows, and how much of it."""
    best = quadratic.best_kernel
    u, v = quadratic.projection_axes
    origin = torch.zeros_like(best) if best.numel() == 2 else best
    plane = _Plane(origin, u, v)
    (x, y), (start_x, start_y) = plane.coordinates([best, start.detach()]).tolist()
    reach = 1.35 * max(0.5, abs(start_x - x), abs(start_y - y))
    wide = reach * SURFACE_AREA[2] / SURFACE_AREA[3]
    return plane, _Range((x - wide, x + wide), (y - reach, y + reach))


def _draw_surface(axes: Axes, quadratic: QuadraticLoss, plane: _Plane, ranges: _Range) -> None:
    a, b = (torch.linspace(*ends, SURFACE_POINTS).double() for ends in (ranges.x, ranges.y))
    losses = quadratic.surface(plane.origin, plane.u, plane.v, a, b)
    highest = losses.max().item() or 1.0
    levels = [highest * (k / 16) ** 2 for k in range(17)]
    grid = a.numpy(), b.numpy(), losses.numpy()
    axes.contourf(*grid, levels=levels, cmap="bone_r", alpha=0.8)
    axes.contour(*grid, levels=levels, colors=CONTOUR, linewidths=0.4)
    ((x, y),) = plane.coordinates([quadratic.best_kernel]).tolist()
    target = COLOURS["target"]
    axes.plot(x, y, marker="*", ms=11, color=target, mec="white", mew=0.7)
    _style(axes, "loss surface and best kernel ★")
    names = _axis_names(tuple(plane.u.shape))
    axes.set(xlabel=names[0], ylabel=names[1], xlim=ranges.x, ylim=ranges.y)


def _axis_names(kernel_size: tuple[int, ...]) -> tuple[str, str]:
    if kernel_size == (1, 2):
        return "K[0, 0]", "K[0, 1]"
    if kernel_size == (2, 1):
        return "K[0, 0]", "K[1, 0]"
    return "steepest direction", "flattest direction seen"


@dataclass(frozen=True, eq=False)
class CurveView:
    """Axes for the loss after each step, drawn without the curve, and where losses lie on them.

    Attributes
    ----------
    png, size, area
        As in `SurfaceView`.
    limits : (last step, low, high)
        The range on show: steps from 0, losses from 10^low to 10^high.
    """

    png: bytes
    size: tuple[int, int]
    area: Box
    limits: tuple[int, int, int]

    def fits(self, losses: Sequence[float]) -> bool:
        """Return whether losses have the limits of this view, so that it can be kept."""
        return self.limits == _curve_limits(losses)

    def to_pixels(self, losses: Sequence[float]) -> Points:
        """Return where the losses of steps 0, 1, 2 ... lie, as `SurfaceView.to_pixels` does."""
        exponents = np.log10(np.maximum(losses, MIN_LOSS))
        points = np.stack((np.arange(len(exponents)), exponents), axis=1)
        return _curve_range(self.limits).to_pixels(points, self.area)


def curve_background(losses: Sequence[float]) -> CurveView:
    """Draw axes for the losses of steps 0, 1, 2 ...: a logarithmic scale of whole decades.

    Losses under 1e-14 are shown as 1e-14. The picture depends only on the number of steps and the
    decades, so it serves other losses too where `CurveView.fits` says so.

    Examples
    --------
    >>> curve_background([250.0, 30.0, 4.0]).limits
    (2, 0, 3)
    """
    limits = _curve_limits(losses)
    figure = _new_figure(*PLOT_SIZE)
    _draw_curve_axes(_axes_at(figure, CURVE_AREA), limits)
    return CurveView(_save(figure, 2, level=1), PLOT_SIZE, CURVE_AREA, limits)


def _curve_limits(losses: Sequence[float]) -> tuple[int, int, int]:
    shown = np.log10(np.maximum(losses, MIN_LOSS))
    low, high = math.floor(shown.min()), math.ceil(shown.max() + 1e-9)
    return max(1, len(losses) - 1), low, max(high, low + 1)


def _curve_range(limits: tuple[int, int, int]) -> _Range:
    """Return what the curve's axes show, so that no dot is cut off at their ends."""
    last, low, high = limits
    return _Range((-0.03 * last, 1.03 * last), (low, high))


def _draw_curve_axes(axes: Axes, limits: tuple[int, int, int]) -> None:
    ranges = _curve_range(limits)
    axes.set_yscale("log")
    axes.set(xlabel="step", xlim=ranges.x, ylim=(10.0 ** ranges.y[0], 10.0 ** ranges.y[1]))
    _style(axes, "loss after each step")
    axes.grid(color=GRID, alpha=0.25, lw=0.5)


# What is stored of a descent.


def static_figure(
    steps: Sequence[Step], n: int, quadratic: QuadraticLoss, X: Tensor, Y: Tensor, note: str = ""
) -> StaticFigure:
    """Draw a descent at step `n`: surface, curve, kernel, target, prediction and residual.

    Parameters
    ----------
    steps : sequence of Step
        The whole descent.
    n : int
        The step on show.
    quadratic : QuadraticLoss
        The problem.
    X, Y : Tensor
        Input and target.
    note : str
        A line below.
    """
    width, height = 2 * PLOT_SIZE[0], PLOT_SIZE[1]
    figure = _new_figure(width, height + ARRAYS_HEIGHT)
    _draw_path(figure, steps, n, quadratic)
    _draw_losses(figure, steps, n)
    arrays = _descent_arrays(steps[n], quadratic, X, Y)
    for k, (title, values) in enumerate(arrays.items()):
        box = (12 + 175 * k, height + 22, 155, ARRAYS_HEIGHT - 52)
        _draw_array(_axes_at(figure, box), title, values, signed=True)
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


def _descent_arrays(
    step: Step, quadratic: QuadraticLoss, X: Tensor, Y: Tensor
) -> dict[str, Tensor]:
    prediction = corr2d(X, step.kernel)
    return {
        "kernel": step.kernel,
        "best kernel": quadratic.best_kernel,
        "target": Y,
        "prediction": prediction,
        "residual": prediction - Y,
    }


def _draw_path(figure: Figure, steps: Sequence[Step], n: int, quadratic: QuadraticLoss) -> None:
    """Draw the loss surface, and on it the kernels of a descent."""
    axes = _axes_at(figure, SURFACE_AREA)
    plane, ranges = _surface_plane(quadratic, steps[0].kernel)
    _draw_surface(axes, quadratic, plane, ranges)
    a, b = plane.coordinates([step.kernel for step in steps]).T
    _draw_steps(axes, a, b, n)


def _draw_losses(figure: Figure, steps: Sequence[Step], n: int) -> None:
    """Draw the loss after each step, to the right of the surface."""
    left, top, width, height = CURVE_AREA
    axes = _axes_at(figure, (PLOT_SIZE[0] + left, top, width, height))
    losses = [step.loss for step in steps]
    _draw_curve_axes(axes, _curve_limits(losses))
    _draw_steps(axes, np.arange(len(losses)), np.maximum(losses, MIN_LOSS), n)


def _draw_steps(axes: Axes, x: NDArray[Any], y: NDArray[Any], n: int) -> None:
    """Draw a path up to step `n`, the rest of it faint, and a dot at its end."""
    limits = axes.get_xlim(), axes.get_ylim()
    colour = COLOURS["path"]
    axes.plot(x, y, color=colour, alpha=0.5, lw=1)
    axes.plot(x[: n + 1], y[: n + 1], color=colour, lw=1.6, marker=".", ms=4)
    axes.plot(x[n], y[n], color=colour, marker="o", ms=8, mec="white")
    axes.set(xlim=limits[0], ylim=limits[1])
