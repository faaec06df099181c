"""Print who solved what, from the verdicts that notebooks show.

    python -m convkit.exercises [--csv] FILES

FILES are notebooks, or folders in which they are looked for. Nothing in them is run, so a verdict
is what the learner's own run of `check` has stored, or what somebody has typed into the file. Run
a notebook again (`jupyter execute --inplace FILE`) to be sure of it.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from convkit.exercises import EXERCISES, Outcome

BEST_FIRST = [outcome.value for outcome in (Outcome.CORRECT, Outcome.INCORRECT)]
BEST_FIRST.append(Outcome.NOT_STARTED.value)
VERDICT = re.compile(rf"^([\w.-]{{1,20}}) ({'|'.join(BEST_FIRST)})\.", re.MULTILINE)
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
"""A spreadsheet takes a cell that begins so for a formula, and may run it."""
NOT_A_NOTEBOOK = (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What reading a file that is no notebook raises."""


def verdicts(notebook: str) -> dict[str, str]:
    r"""Return the best verdict that a notebook, given as its file's text, shows on each exercise.

    What is no notebook raises one of `NOT_A_NOTEBOOK`.

    Examples
    --------
    >>> output = {"output_type": "stream", "text": ["1.1 not yet. Why.", "\n1.1 correct. Yes."]}
    >>> verdicts(json.dumps({"cells": [{"cell_type": "code", "outputs": [output]}]}))
    {'1.1': 'correct'}
    """
    found: dict[str, str] = {}
    for text in _output_texts(json.loads(notebook)):
        for name, verdict in VERDICT.findall(text):
            found[name] = min(verdict, found.get(name, verdict), key=BEST_FIRST.index)
    return found


def _output_texts(notebook: Any) -> Iterator[str]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            yield "".join(output.get("text", []))
            yield "".join(output.get("data", {}).get("text/plain", []))


def as_text(found: dict[str, dict[str, str]]) -> str:
    """Return a table: for each notebook, the exercises with each verdict.

    Examples
    --------
    >>> print(as_text({"anna.ipynb": {"1.1": "correct", "1.2": "not yet", "1.3": "correct"}}))
    notebook    correct  not yet  not started
    anna.ipynb  1.1 1.3  1.2
    """
    rows = [["notebook", *BEST_FIRST]]
    for file, verdict_of in found.items():
        columns = [" ".join(n for n in verdict_of if verdict_of[n] == each) for each in BEST_FIRST]
        rows.append([_printable(file), *columns])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def as_csv(found: dict[str, dict[str, str]]) -> str:
    """Return CSV with a column for each exercise, and how many each notebook has right.

    No spreadsheet finds a formula in it: an apostrophe stands before what begins like one.

    Examples
    --------
    >>> print(as_csv({"=1+1.ipynb": {"A.1": "not yet", "0.1": "correct"}}))
    notebook,0.1,A.1,solved
    '=1+1.ipynb,correct,not yet,1
    """
    seen = {name for verdict_of in found.values() for name in verdict_of}
    names = [name for name in EXERCISES if name in seen]
    names += sorted(seen.difference(EXERCISES))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["notebook", *map(_no_formula, names), "solved"])
    for file, verdict_of in found.items():
        solved = list(verdict_of.values()).count(Outcome.CORRECT.value)
        verdicts_by_name = [verdict_of.get(name, "") for name in names]
        writer.writerow([_no_formula(_printable(file)), *verdicts_by_name, solved])
    return text.getvalue().rstrip("\n")


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(tuple(FORMULA_STARTS)) else cell


def _printable(text: str) -> str:
    """Return a file's name without what a terminal obeys or no encoding can write."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def notebooks(paths: Iterable[str]) -> Iterator[Path]:
    """Yield the notebooks named, and those in the folders named."""
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        inside = sorted(path.rglob("*.ipynb"))
        yield from (file for file in inside if ".ipynb_checkpoints" not in file.parts)


def main(arguments: list[str]) -> int:
    """Print the table; return 1 if there was a file that is no notebook, which is left out."""
    parser = argparse.ArgumentParser("python -m convkit.exercises", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("files", nargs="+", metavar="FILES")
    parser.add_argument("--csv", action="store_true", help="print CSV, safe for spreadsheets")
    options = parser.parse_args(arguments)
    found, is_left_out = {}, False
    for path in notebooks(options.files):
        try:
            found[str(path)] = verdicts(path.read_text(encoding="utf-8"))
        except NOT_A_NOTEBOOK as error:
            is_left_out = True
            print(f"{_printable(str(path))} left out: {type(error).__name__}", file=sys.stderr)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    print(as_csv(found) if options.csv else as_text(found))
    return int(is_left_out)
