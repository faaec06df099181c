"""convkit: edit a convolution kernel, see what it does, and learn one by gradient descent.

Importing convkit loads torch and Pillow only. All else is imported by name:
``from convkit.panels import KernelEditor``, ``from convkit.lenses import lens``,
``from convkit.figures import show`` and ``from convkit.ui import explore``.
"""

from convkit.descent import KernelDescent, Step
from convkit.errors import ConvkitError
from convkit.images import checkerboard, diagonal, dot, open_image, photo, ramp, stripes
from convkit.kernels import KERNELS, kernel
from convkit.layers import Conv2D
from convkit.least_squares import QuadraticLoss
from convkit.matrices import as_matrix
from convkit.ops import convolve2d, corr2d, output_size, patches, pool2d, window
from convkit.stacks import Layer, ReceptiveField, receptive_field

__all__ = [
    "KERNELS",
    "Conv2D",
    "ConvkitError",
    "KernelDescent",
    "Layer",
    "QuadraticLoss",
    "ReceptiveField",
    "Step",
    "as_matrix",
    "checkerboard",
    "convolve2d",
    "corr2d",
    "diagonal",
    "dot",
    "kernel",
    "open_image",
    "output_size",
    "patches",
    "photo",
    "pool2d",
    "ramp",
    "receptive_field",
    "stripes",
    "window",
]
__version__ = "0.1.0"
