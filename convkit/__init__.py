"""convkit: helpers for notebooks in which one edits a convolution kernel and learns one.

Importing it loads torch and Pillow only. The views and panels are imported by name:
``from convkit.views.lens import lens``, ``from convkit.views.plots import show``,
``from convkit.widgets import KernelEditor``.
"""

from convkit.errors import ConvkitError
from convkit.kernels import KERNELS, kernel
from convkit.layers import Conv2D
from convkit.ops import convolve2d, corr2d, output_size, pool2d, window

__version__ = "0.1.0"
