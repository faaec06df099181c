"""What is measured in processes of their own: the first panel."""

import os
import subprocess
import sys
from collections.abc import Callable

from benchmarks.turns import Measured, taking_turns

PROCESSES = 7
# In a fresh process with IPython's shell, as a kernel has it: the work, then seconds and MiB.
PROCESS = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
start = time.perf_counter()
{work}
seconds = time.perf_counter() - start
print(seconds, int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0]) / 1024)"""
BARE_IMPORTS = "import torch, matplotlib.pyplot, ipywidgets"
FIRST_PANEL = """
from convkit.panels import KernelEditor
shell.display_formatter.format(KernelEditor())"""


def in_processes() -> Measured:
    """Return seconds and MiB of the bare imports and of a first panel."""
    panels = {"imports": inside(BARE_IMPORTS), "first panel": inside(FIRST_PANEL)}
    return taking_turns(panels, PROCESSES)


def inside(work: str) -> Callable[[], dict[str, float]]:
    """Return a function that measures `work` in a process: seconds and MiB."""

    def measure() -> dict[str, float]:
        command = [sys.executable, "-c", PROCESS.format(work=work)]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}  # else all is compiled each time
        told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return dict(zip(("s", "MiB"), map(float, told.stdout.split()), strict=True))

    return measure
