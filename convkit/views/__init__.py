"""What is shown: `lens` for the arithmetic of a window, `show` for pictures."""

from convkit.views.lens import lens
from convkit.views.plots import show

__all__ = ["lens", "show"]
