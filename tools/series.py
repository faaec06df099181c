"""Write what names all notebooks: links between neighbours, the map in the first one, minutes.

    python -m tools.series

The README's table is the one list of the notebooks, with what each is called and what one can do
after it. The sections of the book come from each notebook's own "Follows", the minutes from
`minutes`, and the pictures from `tools.map_pictures`.
"""

import math
import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.notebooks import code_cells

ROOT = Path(__file__).parents[1]
ROW = re.compile(
    r"^\| \[(.+?)\]\(notebooks/(\w+\.ipynb)\) \| ([^|\n]+) \|(?: \d+ \|)?$", re.MULTILINE
)
LINKS = re.compile(r"\[← [^]]+\]\([^)]+\)( · \[[^]]+ →\]\([^)]+\))?|\[[^]]+ →\]\([^)]+\)")
MAP_HEAD = "| | notebook | what you can do afterwards | minutes | D2L |\n" + "| --- " * 5 + "|\n"
MAP = re.compile(re.escape(MAP_HEAD) + r"(\|.*\|\n?)*")
SECTION = re.compile(r"\[(?:D2L )?(\d+\.\d+)\]")
EXERCISE = re.compile(r"\*\*Exercise \d+\.\d+")
TIME = re.compile(r"(?<=\*\*Time:\*\* )\d+(?= minutes\.)")
PICTURES = Path("pictures")
WORDS_A_MINUTE, MINUTES_A_CELL, MINUTES_AN_EXERCISE, MINUTES_ROUNDED_TO = 150, 0.5, 3, 5
"""How long one reads, runs a cell of code and solves an exercise."""


@dataclass(frozen=True)
class Entry:
    """A row of the README's table: what a notebook is called, its file, what it is good for."""

    label: str
    file: str
    purpose: str


def entries(root: Path) -> list[Entry]:
    """Return the rows of the README's table, in order of the files' names."""
    rows = ROW.findall((root / "README.md").read_text(encoding="utf-8"))
    return sorted((Entry(*row) for row in rows), key=lambda entry: entry.file)


def minutes(notebook: NotebookNode) -> int:
    """Return the minutes that a notebook takes, the rule for all: rounded up to the next five.

    Words are what has a letter or a digit in it, outside of code cells; exercises are what the
    text calls so.
    """
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    words = sum(any(map(str.isalnum, word)) for word in text.split())
    reading = words / WORDS_A_MINUTE + len(code_cells(notebook)) * MINUTES_A_CELL
    total = reading + len(set(EXERCISE.findall(text))) * MINUTES_AN_EXERCISE
    return math.ceil(total / MINUTES_ROUNDED_TO) * MINUTES_ROUNDED_TO


def stated_minutes(notebook: NotebookNode) -> str:
    """Return the minutes that a notebook's title states, "" where it states none."""
    stated = TIME.search(notebook.cells[0].source)
    return stated[0] if stated else ""


def neighbour_links(series: list[Entry], n: int) -> str:
    """Return the links of the nth notebook: "[← 00 Start here](...) · [02 ... →](...)"."""
    before = [f"[← {entry.label}]({entry.file})" for entry in series[max(n - 1, 0) : n]]
    after = [f"[{entry.label} →]({entry.file})" for entry in series[n + 1 : n + 2]]
    return " · ".join(before + after)


def sections(notebook: NotebookNode) -> str:
    """Return the sections that a notebook says it follows: "7.1, 7.2"."""
    lines = notebook.cells[0].source.splitlines()
    return ", ".join(SECTION.findall(next((x for x in lines if "**Follows:**" in x), "")))


def map_of(series: list[Entry], notebooks: list[NotebookNode], folder: Path) -> str:
    """Return the table of all notebooks that the first one shows; it does not link to itself."""
    rows = ""
    for entry, notebook in zip(series, notebooks, strict=True):
        name = f"[{entry.label}]({entry.file})" if rows else f"**{entry.label}**"
        picture, follows = picture_of(entry, folder), sections(notebook)
        cells = [picture, name, entry.purpose, stated_minutes(notebook), follows]
        rows += f"| {' | '.join(cells)} |\n".replace("|  |", "| |")
    return MAP_HEAD + rows


def picture_of(entry: Entry, folder: Path) -> str:
    """Return a notebook's picture in markdown, "" where it has none."""
    picture = PICTURES / f"{entry.file[:2]}.png"
    return f"![]({picture.as_posix()})" if (folder / picture).is_file() else ""


def outdated(root: Path) -> Iterator[tuple[Path, NotebookNode]]:
    """Yield each notebook whose links, minutes or map are outdated, brought up to date."""
    series = entries(root)
    paths = [root / "notebooks" / entry.file for entry in series]
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    before = deepcopy(notebooks)
    for n, notebook in enumerate(notebooks):
        for cell in (notebook.cells[0], notebook.cells[-1]):
            cell.source = LINKS.sub(lambda _, n=n: neighbour_links(series, n), cell.source)
    for _ in range(2):  # the map states the minutes, and is itself words to read
        state_minutes(notebooks)
        update_map(notebooks[0], map_of(series, notebooks, root / "notebooks"))
    for path, notebook, old in zip(paths, notebooks, before, strict=True):
        if notebook != old:
            yield path, notebook


def state_minutes(notebooks: list[NotebookNode]) -> None:
    """Write into each title how many minutes the notebook takes."""
    for notebook in notebooks:
        title = notebook.cells[0]
        title.source = TIME.sub(str(minutes(notebook)), title.source)


def update_map(first: NotebookNode, table: str) -> None:
    """Write the map into the notebook that shows it."""
    for cell in first.cells:
        if MAP_HEAD in cell.source:
            cell.source = MAP.sub(lambda _: table, cell.source + "\n").rstrip("\n")


def readme(root: Path) -> str:
    """Return the README with the minutes that the notebooks' titles state."""

    def timed(row: re.Match[str]) -> str:
        label, file, purpose = row.groups()
        stated = stated_minutes(nbformat.read(root / "notebooks" / file, as_version=4))
        return f"| [{label}](notebooks/{file}) | {purpose} | {stated} |"

    return ROW.sub(timed, (root / "README.md").read_text(encoding="utf-8"))


def main(root: Path = ROOT) -> int:
    """Write the notebooks that are outdated, and the minutes in the README."""
    for path, notebook in list(outdated(root)):
        nbformat.write(notebook, path)
        print(f"{path.name}: links, minutes or map")
    (root / "README.md").write_text(readme(root), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
