"""The panels: standard ipywidgets, glued."""

from convkit.widgets.array_editor import ArrayEditor
from convkit.widgets.descent_stepper import DescentStepper
from convkit.widgets.kernel_editor import KernelEditor

__all__ = ["ArrayEditor", "DescentStepper", "KernelEditor"]
