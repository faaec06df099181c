"""The panels: each is a state, a `compute` and a `view` on the toolkit `convkit.ui`."""

from convkit.panels.descent_stepper import DescentStepper
from convkit.panels.kernel_editor import KernelEditor
from convkit.panels.pooling import Pooling
from convkit.panels.receptive_field import ReceptiveFieldExplorer
from convkit.panels.training_microscope import TrainingMicroscope

__all__ = [
    "DescentStepper",
    "KernelEditor",
    "Pooling",
    "ReceptiveFieldExplorer",
    "TrainingMicroscope",
]
