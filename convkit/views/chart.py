"""The loss of a kernel as a surface, and its descent as a path and a curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from convkit import formatting, least_squares
from convkit.descent import KernelDescent, Step
from convkit.views.plots import INK, Picture, axes_at, heat, save, style
from convkit.ops import corr2d

WIDTH, HEIGHT = 880, 300
"""Pixels of the live chart."""
BELOW = 190
"""Pixels that a still adds below it, for the kernel and the outputs."""
PATH, TARGET = "#d98200", "#c0589c"
GRID = 81
FLOOR = 1e-14
"""The least loss that the logarithmic curve shows."""

Box = tuple[float, float, float, float]
BOXES: tuple[Box, Box] = ((62, 32, 362, 222), (508, 32, 357, 222))
"""Surface and curve: (left, top, width, height), in pixels."""


class Chart:
    """A loss surface beside a loss curve, drawn once; `points` says where a path lies on them.

    Parameters
    ----------
    descent : KernelDescent
        Gives the problem; the part of the surface that is shown holds its start and its best.
    whole : bool
        Draw both on one figure, with room below, and not on a figure each.

    Attributes
    ----------
    bowl_figure, curve_figure : Figure
        What is drawn; after `scale` only the second has changed.
    """

    def __init__(self, descent: KernelDescent, whole: bool = False) -> None:
        X, Y, start = descent.X, descent.Y, descent.trajectory[0].kernel
        size = tuple(start.shape)
        self.best = least_squares.best_kernel(X, Y, size)
        self.u, self.v = least_squares.plane(X, size)
        self._two_weights = start.numel() == 2
        self._origin = torch.zeros(size).double() if self._two_weights else self.best
        half, tall = (WIDTH / 200, HEIGHT / 100), (WIDTH / 100, (HEIGHT + BELOW) / 100)
        self.bowl_figure = Figure(figsize=tall if whole else half)
        self.curve_figure = self.bowl_figure if whole else Figure(figsize=half)
        self._bowl_axes = axes_at(self.bowl_figure, *BOXES[0])
        left, *rest = BOXES[1]
        self._shift = 0 if whole else WIDTH / 2
        self._curve_axes = axes_at(self.curve_figure, left - self._shift, *rest)
        self._draw_bowl(start, least_squares.bowl(X, Y, size, reduction=descent.reduction))
        (self._curve,) = self._curve_axes.semilogy([], [], color=PATH, alpha=0.5, lw=1.2)
        style(self._curve_axes, "loss after each step")
        self._curve_axes.set(xlabel="step")
        self._curve_axes.grid(color="#888888", alpha=0.25, lw=0.5)

    def _place(self, kernel: Tensor) -> tuple[float, float]:
        away = kernel.double() - self._origin
        return (away * self.u).sum().item(), (away * self.v).sum().item()

    def _draw_bowl(self, start: Tensor, bowl: least_squares.Bowl) -> None:
        axes, centre = self._bowl_axes, self._place(self.best)
        away = (abs(s - c) for s, c in zip(self._place(start), centre, strict=True))
        reach = 1.35 * max(0.5, *away)
        reaches = reach * BOXES[0][2] / BOXES[0][3], reach
        a, b = (torch.linspace(c - r, c + r, GRID) for c, r in zip(centre, reaches, strict=True))
        surface = least_squares.loss_surface(bowl, self._origin, self.u, self.v, a, b)
        top = surface.max().item() or 1.0
        levels = [top * (k / 16) ** 2 for k in range(17)]
        grid = a.numpy(), b.numpy(), surface.numpy()
        axes.contourf(*grid, levels=levels, cmap="bone_r", alpha=0.8)
        axes.contour(*grid, levels=levels, colors="#555555", linewidths=0.4)
        axes.plot(*centre, marker="*", ms=11, color=TARGET, mec="white", mew=0.7)
        style(axes, "loss surface and best kernel ★")
        rows, columns = self.u.shape
        cells = [f"K[{i}, {j}]" for i in range(rows) for j in range(columns)]
        names = cells if self._two_weights else ["steepest direction", "flattest direction seen"]
        axes.set(xlabel=names[0], ylabel=names[1])

    def scale(self, trajectory: Sequence[Step]) -> None:
        """Fit the curve's axes to a trajectory, and draw all of it, faint."""
        losses = [max(step.loss, FLOOR) for step in trajectory]
        self._curve.set_data(range(len(losses)), losses)
        low, high = math.floor(math.log10(min(losses))), math.ceil(math.log10(max(losses)) + 1e-9)
        last = max(1, len(losses) - 1)
        self._curve_axes.set_xlim(-0.03 * last, 1.03 * last)
        self._curve_axes.set_ylim(10.0**low, 10.0 ** max(high, low + 1))

    def points(self, trajectory: Sequence[Step]) -> tuple[list[str], list[str]]:
        """Return where each step lies on the surface and on the curve: "x,y" in pixels.

        Pixels count from the top left; the curve's follow the last `scale`.
        """
        path = [self._place(step.kernel) for step in trajectory]
        curve = [(step.n, max(step.loss, FLOOR)) for step in trajectory]
        return _pixels(self._bowl_axes, path, 0), _pixels(self._curve_axes, curve, self._shift)

    def mark(self, trajectory: Sequence[Step], n: int) -> None:
        """Draw a path up to step `n`, and the rest of it faint, on the surface and on the curve."""
        path = [self._place(step.kernel) for step in trajectory]
        curve = [(step.n, max(step.loss, FLOOR)) for step in trajectory]
        for axes, points in ((self._bowl_axes, path), (self._curve_axes, curve)):
            limits = axes.get_xlim(), axes.get_ylim()
            x, y = zip(*points, strict=True)
            axes.plot(x, y, color=PATH, alpha=0.5, lw=1)
            axes.plot(x[: n + 1], y[: n + 1], color=PATH, lw=1.6, marker=".", ms=4)
            axes.plot(x[n], y[n], color=PATH, marker="o", ms=8, mec="white")
            axes.set(xlim=limits[0], ylim=limits[1])


def _pixels(axes: Axes, points: Sequence[tuple[float, float]], shift: float) -> list[str]:
    tall = axes.figure.get_figheight() * 100
    dots = (axes.transData.transform(points) * 100 / axes.figure.dpi).clip(-9e3, 9e3)
    return [f"{x + shift:.1f},{tall - y:.1f}" for x, y in dots]


def _parts(descent: KernelDescent) -> dict[str, Tensor]:
    prediction = corr2d(descent.X, descent.kernel)
    size = tuple(descent.kernel.shape)
    return {
        "kernel": descent.kernel,
        "best kernel": least_squares.best_kernel(descent.X, descent.Y, size),
        "target": descent.Y,
        "prediction": prediction,
        "residual": prediction - descent.Y,
    }


def describe(descent: KernelDescent) -> str:
    """Return in words where a descent stands, the same on every run."""
    steps, loss = len(descent.trajectory) - 1, formatting.number(descent.loss)
    words = [formatting.describe(title, values) for title, values in _parts(descent).items()]
    return "\n".join([f"step {descent.n} of {steps} recorded: loss {loss}", *words])


def still(descent: KernelDescent, note: str = "") -> Picture:
    """Draw where a descent stands: surface, curve, kernel, target, prediction and residual."""
    chart = Chart(descent, whole=True)
    chart.scale(descent.trajectory)
    chart.mark(descent.trajectory, descent.n)
    for k, (title, values) in enumerate(_parts(descent).items()):
        axes = axes_at(chart.bowl_figure, 12 + 175 * k, HEIGHT + 22, 155, BELOW - 52)
        heat(axes, title, values, signed=True)
    chart.bowl_figure.text(0.5, 0.012, note, fontsize=8, color=INK, ha="center")
    return Picture(save(chart.bowl_figure), describe(descent), WIDTH)
