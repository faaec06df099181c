"""Write what names all notebooks: the links between neighbours, and the map in the first one.

    python -m tools.series

The README's table is the one list of the notebooks, with what each is called and what one can do
after it. The sections of the book come from each notebook's own "Follows".
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| \[(.+?)\]\(notebooks/(\w+\.ipynb)\) \| (.+) \|$", re.MULTILINE)
LINKS = re.compile(r"\[← [^]]+\]\([^)]+\)( · \[[^]]+ →\]\([^)]+\))?|\[[^]]+ →\]\([^)]+\)")
MAP_HEAD = "| notebook | what you can do afterwards | D2L |\n| --- | --- | --- |\n"
MAP = re.compile(re.escape(MAP_HEAD) + r"(\|.*\|\n?)*")
SECTION = re.compile(r"\[(?:D2L )?(\d+\.\d+)\]")


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


def neighbour_links(series: list[Entry], n: int) -> str:
    """Return the links of the nth notebook: "[← 00 Start here](...) · [02 ... →](...)"."""
    before = [f"[← {entry.label}]({entry.file})" for entry in series[max(n - 1, 0) : n]]
    after = [f"[{entry.label} →]({entry.file})" for entry in series[n + 1 : n + 2]]
    return " · ".join(before + after)


def sections(notebook: NotebookNode) -> str:
    """Return the sections that a notebook says it follows: "7.1, 7.2"."""
    lines = notebook.cells[0].source.splitlines()
    return ", ".join(SECTION.findall(next((x for x in lines if "**Follows:**" in x), "")))


def map_of(series: list[Entry], notebooks: list[NotebookNode]) -> str:
    """Return the table of all notebooks that the first one shows; it does not link to itself."""
    names = [f"[{entry.label}]({entry.file})" for entry in series]
    names[0] = f"**{series[0].label}**"
    rows = [
        f"| {name} | {entry.purpose} | {sections(notebook)} |\n".replace("|  |", "| |")
        for name, entry, notebook in zip(names, series, notebooks, strict=True)
    ]
    return MAP_HEAD + "".join(rows)


def outdated(root: Path) -> Iterator[tuple[Path, NotebookNode]]:
    """Yield each notebook whose links or map are not those of the README, brought up to date."""
    series = entries(root)
    paths = [root / "notebooks" / entry.file for entry in series]
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    table = map_of(series, notebooks)
    for n, (path, notebook) in enumerate(zip(paths, notebooks, strict=True)):
        before = [cell.source for cell in notebook.cells]
        for cell in (notebook.cells[0], notebook.cells[-1]):
            cell.source = LINKS.sub(lambda _, n=n: neighbour_links(series, n), cell.source)
        for cell in notebook.cells:
            if MAP_HEAD in cell.source:
                cell.source = MAP.sub(lambda _: table, cell.source + "\n").rstrip("\n")
        if before != [cell.source for cell in notebook.cells]:
            yield path, notebook


def main(root: Path = ROOT) -> int:
    """Write the notebooks that are outdated."""
    for path, notebook in list(outdated(root)):
        nbformat.write(notebook, path)
        print(f"{path.name}: links")
    return 0


if __name__ == "__main__":
    sys.exit(main())
