"""Draw the small pictures of the map in the first notebook: notebooks/pictures/NN.png.

    python -m tools.map_pictures

Each shows what its notebook is about. They are transparent, in colours that read on white and on
black. A notebook that is not listed here has no picture in the map.
"""

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor
from torch.nn.functional import pad

from convkit import QuadraticLoss, as_matrix, corr2d, kernel, photo, pool2d, stripes
from convkit.networks import activations, digits, lenet
from tools.series import PICTURES, ROOT

WIDTH, HEIGHT, DPI = 144, 64, 100
BLUE, GREEN, ORANGE, RED, GREY = "#3b9ad9", "#009e73", "#e69f00", "#d6604d", "#8a8a8a"
X, K = torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)
EDGE, SOBEL, FACE = kernel("book's [1, -1]"), kernel("Sobel x"), photo(64)


def draw_arrays(figure: Figure, *arrays: Tensor, scale: float = 1.0) -> list[Axes]:
    """Draw arrays side by side; one with negative numbers in blue and red, with white for 0."""
    axes = figure.subplots(1, len(arrays), squeeze=False)[0]
    for each, values in zip(axes, arrays, strict=True):
        largest = values.abs().max().item()
        looks = {"cmap": "gray", "vmin": 0.0} if values.min() >= 0 else {"cmap": "RdBu_r"}
        each.imshow(values.numpy(), **{"vmin": -largest, "vmax": largest} | looks)
        outline(each, GREY, 0, 0, values.shape[0], values.shape[1], width=1)
    return list(axes)


def outline(
    axes: Axes, colour: str, row: int, column: int, rows: int, columns: int, width: int = 2
) -> None:
    """Draw a line around cells."""
    corner = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(corner, columns, rows, fill=False, ec=colour, lw=width, clip_on=False))


def cross_correlation(figure: Figure) -> None:
    """Draw a window, and the number that it gives."""
    left, right = draw_arrays(figure, X, corr2d(X, K))
    outline(left, ORANGE, 0, 1, 2, 2)
    outline(right, GREEN, 0, 1, 1, 1)


def learning(figure: Figure) -> None:
    """Draw the loss of a descent, and the kernel that it learns."""
    left, right = figure.subplots(1, 2)
    loss = QuadraticLoss(photo(32), (3, 3), corr2d(photo(32), SOBEL))
    _, losses = loss.descent(torch.zeros(3, 3), [0.6 * loss.max_stable_lr] * 12)
    left.plot(losses.numpy(), color=BLUE, marker="o", markersize=2.5, linewidth=1)
    left.margins(0.1)
    right.imshow(SOBEL.numpy(), cmap="RdBu_r")


def rates(figure: Figure) -> None:
    """Draw a bowl, and a descent that crosses its floor again and again."""
    axes = figure.subplots()
    x, y = np.meshgrid(np.linspace(-4, 4, 80), np.linspace(-2, 2, 60))
    axes.contour(x, y, x**2 + 8 * y**2, levels=[0.7, 3, 8, 16, 28], colors=GREY, linewidths=0.8)
    steps = np.arange(14)
    path = -3.6 * 0.8**steps, 1.5 * (-0.75) ** steps
    axes.plot(*path, color=BLUE, marker="o", markersize=2.5, linewidth=1)


def failures(figure: Figure) -> None:
    """Draw three losses: one that grows, one that stalls, one that falls."""
    axes = figure.subplots()
    steps = np.arange(16)
    for factor, colour in ((1.1, RED), (0.98, ORANGE), (0.7, BLUE)):
        axes.plot(1.5 * factor**steps, color=colour, linewidth=2)
    axes.set_ylim(-0.2, 4)


def padding(figure: Figure) -> None:
    """Draw the nine pixels that a dilated kernel reads, some of them padding."""
    (axes,) = draw_arrays(figure, pad(1 - 0.5 * stripes(), (1, 1, 1, 1)))
    for row in (0, 2, 4):
        for column in (0, 2, 4):
            outline(axes, ORANGE, row, column, 1, 1)


def channels(figure: Figure) -> None:
    """Draw one picture in three colours."""
    for n, axes in enumerate(figure.subplots(1, 3)):
        tinted = torch.zeros(64, 64, 3)
        tinted[:, :, n] = FACE
        axes.imshow(tinted.numpy())


def network(figure: Figure) -> None:
    """Draw a digit, and two maps that a first layer makes of it."""
    digit = digits().train[:1]
    maps = activations(lenet(), digit)[0][0]
    draw_arrays(figure, digit[0, 0], maps[0], maps[3])


DRAWINGS = {
    "00": lambda figure: draw_arrays(figure, stripes(), EDGE, corr2d(stripes(), EDGE)),
    "01": cross_correlation,
    "02": lambda figure: draw_arrays(figure, K, torch.tensor([[-30.0]]), corr2d(X, K) - 30),
    "03": lambda figure: draw_arrays(figure, FACE, corr2d(FACE, SOBEL, padding=1)),
    "04": learning,
    "05": rates,
    "06": failures,
    "07": padding,
    "08": channels,
    "09": lambda figure: draw_arrays(figure, FACE, pool2d(FACE, 8, stride=8)),
    "10": lambda figure: draw_arrays(figure, as_matrix(SOBEL, (5, 7))),
    "11": network,
}


def main(folder: Path = ROOT / "notebooks" / PICTURES) -> None:
    """Write a picture for each notebook."""
    folder.mkdir(exist_ok=True)
    for number, draw in DRAWINGS.items():
        figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
        draw(figure)
        for axes in figure.axes:
            axes.set_axis_off()
        figure.subplots_adjust(left=0.02, right=0.98, bottom=0.04, top=0.96, wspace=0.1)
        figure.savefig(folder / f"{number}.png", transparent=True, metadata={"Software": None})


if __name__ == "__main__":
    main()
