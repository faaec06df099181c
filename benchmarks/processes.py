"""What is measured in processes of their own: the first panel, and the checks of the notebooks."""

import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.turns import Measured, taking_turns
from tools.lab import PROJECT

PROCESSES, RUNS = 7, 1
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
NBCLIENT = """
import sys
from pathlib import Path
import nbformat
from tools.notebooks import run
for path in map(Path, sys.argv[1:]):
    run(nbformat.read(path, as_version=4), path.parent)"""
NOTEBOOKS = sorted(str(path) for path in (PROJECT / "notebooks").glob("*.ipynb"))


def in_processes() -> Measured:
    """Return seconds and MiB of the bare imports and a first panel, seconds of the notebooks."""
    panels = {"imports": inside(BARE_IMPORTS), "first panel": inside(FIRST_PANEL)}
    checked = ["-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", *NOTEBOOKS]
    runs = {"nbclient": outside(["-c", NBCLIENT, *NOTEBOOKS]), "nbval": outside(checked)}
    return taking_turns(panels, PROCESSES) | taking_turns(runs, RUNS)


def inside(work: str) -> Callable[[], dict[str, float]]:
    """Return a function that measures `work` in a process: seconds and MiB."""

    def measure() -> dict[str, float]:
        command = [sys.executable, "-c", PROCESS.format(work=work)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return dict(zip(("s", "MiB"), map(float, told.split()), strict=True))

    return measure


def outside(arguments: list[str]) -> Callable[[], dict[str, float]]:
    """Return a function that measures a whole process of Python: seconds."""

    def measure() -> dict[str, float]:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=PROJECT, check=True, capture_output=True)
        return {"s": time.perf_counter() - start}

    return measure
