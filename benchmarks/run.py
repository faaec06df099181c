"""Measure what docs/benchmarks.md states, and write it there.

    python -m benchmarks.run

The ways to do a thing take turns, so that a busy moment of the machine hits all of them alike.
Each row in `template.md` says what was measured, how it is written, and what is wanted of it:
a figure, or its ratio to another figure, to another row's or to that of the panels before.
"""

import json
import os
import platform
import re
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles

import torch

from benchmarks import page
from benchmarks.processes import BARE_IMPORTS, PROCESSES, in_processes
from benchmarks.turns import Measured
from convkit import stripes
from convkit.panels import DescentStepper
from tools.lab import PROJECT

TEMPLATE = Path(__file__).with_name("template.md")
PAGE = PROJECT / "docs" / "benchmarks.md"
ROW = r"\|.*\{\w+:\.\df\}"
FRAME = 1000 / 60
"""Milliseconds."""
PACKAGES = ("torch", "jupyterlab", "ipywidgets", "anywidget", "ipykernel", "matplotlib")


def figures(measured: Measured, name: str) -> dict[str, float]:
    """Return the medians of what was measured, and what follows from it."""
    taken = measured[name]
    found = {figure: median(values) for figure, values in taken.items()}
    if "time" in taken:
        found["frames"] = found["time"] / FRAME
        found["p95"] = quantiles(taken["time"], n=20)[-1]
    return found


def judged(measured: Measured, name: str, wanted: str) -> str:
    """Return a figure and what is wanted of it, in bold type where that is missed.

    `wanted` is such as "time ≤ 80", "p95 / time ≤ 1.6", "time / bare ≤ 1" or "time / before ≤ 1".
    """
    ratio, sign, limit = re.split(" ([≤≥]) ", wanted)
    figure, *others = ratio.split(" / ")
    own = figures(measured, name)
    value = own[figure]
    for other in others:
        row = f"{name} before" if other == "before" else other
        value /= own[other] if other in own else figures(measured, row)[figure]
    value = round(value, 2)
    is_met = value <= float(limit) if sign == "≤" else value >= float(limit)
    told = f"{ratio.replace('before', page.BEFORE)} {value:g} {sign} {limit}"
    return told if is_met else f"**{told}**"


def filled(row: str, measured: Measured) -> str:
    """Return a row of the table with what was measured, now and before."""
    what, name, form, wanted = (cell.strip() for cell in row.split("|")[1:-1])
    shown = [
        form.format(**figures(measured, each)) if each in measured else ""
        for each in (name, f"{name} before")
    ]
    told = [judged(measured, name, each) for each in wanted.split(", ") if each]
    return f"| {' | '.join([what, *shown, ', '.join(told)])} |\n"


def report(measured: Measured, load: str) -> str:
    """Return the page."""
    facts = {
        "date": date.today(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "load": load,
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "rounds": page.ROUNDS,
        "few": page.FEW_ROUNDS,
        "processes": PROCESSES,
        "before": page.BEFORE,
        "slowdown": page.SLOWDOWN,
        "imports": BARE_IMPORTS,
    }
    lines = TEMPLATE.read_text().splitlines(keepends=True)
    return "".join(
        filled(line, measured) if re.match(ROW, line) else line.format(**facts) for line in lines
    )


def recorded_steps() -> Measured:
    """Return the KiB that a page gets to show each of 25 recorded steps by itself."""
    start, target = torch.tensor([[0.5, 0.5]]), torch.tensor([[1.0, -1.0]])
    panel = DescentStepper(stripes(), target=target, start=start, steps=25)
    sizes = [
        len(json.dumps(words, ensure_ascii=False).encode()) + len(codes) + len(pixels)
        for words, codes, pixels in panel.get_state("page")["page"]["series"].values()
    ]
    return {"recorded": {"KiB": [sum(sizes) / 1024]}}


def main() -> None:
    """Measure, show and write."""
    load = f"{os.getloadavg()[0]:.1f}"
    measured = page.in_the_browser() | page.on_a_weak_machine() | in_processes()
    text = report(
        measured | recorded_steps(), f"{load} at its start, {os.getloadavg()[0]:.1f} at its end"
    )
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
