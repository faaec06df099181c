"""convkit: helpers for notebooks in which one edits a convolution kernel and learns one.

Importing it loads torch and Pillow only. The views and panels are imported by name:
``from convkit.views.lens import lens``, ``from convkit.views.plots import show``,
``from convkit.widgets import KernelEditor``.
"""

from convkit.least_squares import (
    best_kernel,
    curvatures,
    fastest_lr,
    hessian,
    identifiable_directions,
    loss_surface,
    max_stable_lr,
)
from convkit.descent import KernelDescent, Step
from convkit.errors import ConvkitError
from convkit.images import checkerboard, diagonal, dot, open_image, photo, ramp, stripes
from convkit.kernels import KERNELS, kernel
from convkit.layers import Conv2D
from convkit.ops import convolve2d, corr2d, output_size, pool2d, window

__all__ = [
    "KERNELS",
    "Conv2D",
    "ConvkitError",
    "KernelDescent",
    "Step",
    "best_kernel",
    "checkerboard",
    "convolve2d",
    "corr2d",
    "curvatures",
    "diagonal",
    "dot",
    "fastest_lr",
    "hessian",
    "identifiable_directions",
    "kernel",
    "loss_surface",
    "max_stable_lr",
    "open_image",
    "output_size",
    "photo",
    "pool2d",
    "ramp",
    "stripes",
    "window",
]
__version__ = "0.1.0"
