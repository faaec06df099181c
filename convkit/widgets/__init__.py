"""Panels, and the parts that they are made of."""

from convkit.widgets._base import Panel
from convkit.widgets.array_editor import ArrayEditor
from convkit.widgets.choice import Choice
from convkit.widgets.code import Code
from convkit.widgets.descent_stepper import DescentStepper
from convkit.widgets.file_button import FileButton
from convkit.widgets.frames import Frames
from convkit.widgets.history import History
from convkit.widgets.kernel_editor import KernelEditor
from convkit.widgets.links import Links
from convkit.widgets.number_table import NumberTable
from convkit.widgets.picture import Picture
from convkit.widgets.player import Player
from convkit.widgets.plot import Plot
from convkit.widgets.slider import Slider
from convkit.widgets.status import Status

__all__ = [
    "ArrayEditor",
    "Choice",
    "Code",
    "DescentStepper",
    "FileButton",
    "Frames",
    "History",
    "KernelEditor",
    "Links",
    "NumberTable",
    "Panel",
    "Picture",
    "Player",
    "Plot",
    "Slider",
    "Status",
]
