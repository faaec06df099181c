"""What is measured in processes of their own: the first panel, and the checks of the notebooks."""

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

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
from convkit.widgets import KernelEditor
shell.display_formatter.format(KernelEditor())"""
NBCLIENT = """
import sys
from pathlib import Path
import nbformat
from tools.notebooks import run
for path in map(Path, sys.argv[1:]):
    run(nbformat.read(path, as_version=4), path.parent)"""
NOTEBOOKS = sorted(str(path) for path in (PROJECT / "notebooks").glob("*.ipynb"))


def in_processes() -> dict[str, tuple[float, float]]:
    """Return seconds and MiB of the bare imports, a first panel, nbclient and nbval, medians.

    Those of the notebooks' runs are without MiB.
    """
    panels = taking_turns(
        {"imports": inside(BARE_IMPORTS), "first panel": inside(FIRST_PANEL)}, PROCESSES
    )
    checked = ["-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", *NOTEBOOKS]
    runs = {"nbclient": outside(["-c", NBCLIENT, *NOTEBOOKS]), "nbval": outside(checked)}
    return panels | taking_turns(runs, RUNS)


def taking_turns(
    ways: dict[str, Callable[[], list[float]]], rounds: int
) -> dict[str, tuple[float, float]]:
    """Return the medians of what each way measures; a first turn fills the disk's cache."""
    taken: dict[str, list[list[float]]] = {name: [] for name in ways}
    for turn in range(1 + rounds):
        for name, measure in ways.items():
            measured = measure()
            if turn:
                taken[name].append(measured)
    return {name: tuple(map(median, zip(*runs, strict=True))) for name, runs in taken.items()}


def inside(work: str) -> Callable[[], list[float]]:
    """Return a function that measures `work` in a process: seconds and MiB."""

    def measure() -> list[float]:
        command = [sys.executable, "-c", PROCESS.format(work=work)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return [float(word) for word in told.split()]

    return measure


def outside(arguments: list[str]) -> Callable[[], list[float]]:
    """Return a function that measures a whole process of Python: seconds, and no memory."""

    def measure() -> list[float]:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=PROJECT, check=True, capture_output=True)
        return [time.perf_counter() - start, 0.0]

    return measure
