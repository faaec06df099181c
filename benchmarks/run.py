"""Measure what docs/benchmarks.md states, and write it there.

    python -m benchmarks.run

The ways to draw take turns, so that a busy moment of the machine hits all of them alike.
"""

import os
import platform
from datetime import date
from importlib.metadata import version

from benchmarks.calls import calls_of_edits
from benchmarks.page import ROUNDS, SLOWDOWN, Summary, in_the_browser, on_a_weak_machine
from benchmarks.processes import BARE_IMPORTS, PROCESSES, RUNS, in_processes
from tools.lab import PROJECT

PAGE = PROJECT / "docs" / "benchmarks.md"
Rows = list[tuple[str, str, str]]


def milliseconds(times: Summary) -> str:
    """Return "47 ms (p95 60)"."""
    return f"{times[0]:.0f} ms (p95 {times[1]:.0f})"


def frames(times: Summary) -> str:
    """Return a median in frames of 1/60 s, "1.1 frames"."""
    return f"{times[0] * 60 / 1000:.1f} frames"


def edit_rows(m: dict[str, Summary]) -> Rows:
    """Return the rows of edits, each beside the bare round trip."""
    names = {
        "interact": "`interact`, a new pyplot figure, 128 × 128",
        "bare": "bare round trip, 128 × 128",
        "photo": "KernelEditor, 128 × 128",
        "full photo": "KernelEditor, 600 × 512",
        "large": "KernelEditor, 1024 × 1024",
        "lens": "KernelEditor, 6 × 8, as numbers",
    }
    beside = {"photo": ("bare", "1.1"), "lens": ("bare", "1.1"), "interact": ("bare", "")}
    beside |= {name: ("photo", "1.15") for name in ("full photo", "large")}
    rows = []
    for name, words in names.items():
        (median, late), (messages, work) = m[name], m[f"work of {name}"]
        ratio = f"p95 {late / median:.2f} × the median (at most 1.6)"
        if name in beside:
            other, most = beside[name]
            wanted = f" (at most {most})" if most else ""
            of = {"bare": "bare", "photo": "the 128 × 128 one"}[other]
            ratio = f"{median / m[other][0]:.2f} × {of}{wanted}; {ratio}"
        rows.append((words, milliseconds(m[name]), ratio))
        of_bare = f"{work / m['work of bare'][1]:.1f} × bare (at most 3), at most 3 messages"
        rows.append(
            (f"{words}: messages, style and layout", f"{messages:.0f}, {work:.1f} ms", of_bare)
        )
    return rows


def move_rows(m: dict[str, Summary]) -> Rows:
    """Return the rows of scrubbing, pointing and dragging, and of the weak machine."""
    (sums, _), (paints, late) = m["sums a second"], m["drag"]
    return [
        ("DescentStepper, scrub", milliseconds(m["scrub"]), f"{frames(m['scrub'])} (at most 1.5)"),
        (
            "DescentStepper, scrub, kernel busy",
            milliseconds(m["scrub, kernel busy"]),
            frames(m["scrub, kernel busy"]),
        ),
        (
            "KernelEditor, 128 × 128, pointing",
            milliseconds(m["pointing"]),
            f"{frames(m['pointing'])} (at most 1); {sums:.0f} sums a second (at least 20)",
        ),
        (
            "DescentStepper, dragging the rate",
            f"{paints:.0f} paints a second (at least 12)",
            f"the last {late:.0f} ms after the hand (at most 150)",
        ),
        ("weak machine: KernelEditor, 128 × 128", milliseconds(m["photo, weak"]), "at most 150 ms"),
        (
            "weak machine: DescentStepper, scrub",
            milliseconds(m["scrub, weak"]),
            f"{frames(m['scrub, weak'])} (at most 3)",
        ),
    ]


def process_rows(m: dict[str, Summary]) -> Rows:
    """Return the rows of what is measured in processes of their own."""
    (seconds, size), (bare_seconds, bare_size) = m["first panel"], m["imports"]
    (checked, _), (plain, _) = m["nbval"], m["nbclient"]
    ratios = f"{seconds / bare_seconds:.2f} × the time (at most 1.15), "
    ratios += f"{size / bare_size:.2f} × the memory (at most 1.12)"
    return [
        ("bare imports", f"{bare_seconds:.2f} s, {bare_size:.0f} MiB", ""),
        ("first KernelEditor", f"{seconds:.2f} s, {size:.0f} MiB", ratios),
        ("all notebooks by nbclient", f"{plain:.1f} s", ""),
        ("all notebooks by nbval and its plugin", f"{checked:.1f} s", f"{checked / plain:.2f} ×"),
    ]


def report(m: dict[str, Summary], calls: dict[str, int]) -> str:
    """Return the page."""
    packages = ("torch", "jupyterlab", "ipywidgets", "anywidget", "ipykernel", "matplotlib")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    rows = [*edit_rows(m), *move_rows(m)]
    rows += [(f"calls into convkit, {name}", str(count), "") for name, count in calls.items()]
    rows += process_rows(m)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""# Benchmarks

Written by `make bench` on {date.today()}: {os.cpu_count()} cores ({platform.machine()}), load
{os.getloadavg()[0]:.1f} at its end, Python {platform.python_version()}, {versions}.
Medians and 95th percentiles of {ROUNDS} edits, medians of {PROCESSES} processes and of {RUNS} runs
of all notebooks; the ways take turns. Times differ between machines; compare the ratios.

| what | median | beside it (wanted) |
| --- | --- | --- |
{table}

- **Edits**: from a box's `input` event in JupyterLab to the animation frame that shows the new
  output. All edit one weight of the Sobel x kernel. `interact` draws input and output anew, inline;
  the bare round trip sends a small PNG, straight from the output array, into `widgets.Image`, and
  nothing else.
- **Messages, style and layout** of an edit: those of widgets in both directions, until the page
  rests; the page's own times for recalculating style and layout.
- **Scrub**: from a DescentStepper's slider, at 100 recorded steps, to the next step's text on
  show, in milliseconds and in frames of 1/60 s; then the same while a cell keeps the kernel busy.
- **Pointing**: from a move over the photo to the frame in which the window has followed; and how
  often the kernel answers with the products and the sum. **Dragging**: the learning rate's slider
  for two seconds, at each frame.
- **Weak machine**: server and kernel on one core, the browser slowed down {SLOWDOWN} times.
- **Calls**: function calls into convkit for one typed edit, counted with `sys.setprofile`.
- **Bare imports**: `{BARE_IMPORTS}`
  in a fresh process that has IPython's shell. **First KernelEditor**: import it, make one of the
  128 × 128 photo, and format it for display.
- **All notebooks**, one after the other: run by nbclient in one process, and checked by
  `make test-notebooks` in another.
"""


def main() -> None:
    """Measure, show and write."""
    text = report(in_the_browser() | on_a_weak_machine() | in_processes(), calls_of_edits())
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
