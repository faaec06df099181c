"""The panels: standard ipywidgets, glued."""

from convkit.widgets.array_editor import ArrayEditor
from convkit.widgets.kernel_editor import KernelEditor

__all__ = ["ArrayEditor", "KernelEditor"]
