"""What a stored notebook must hold, and must not, as far as its file alone can tell.

`guard.py` asks this of each notebook, beside running it.
"""

import ast
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

from tools.notebooks import WIDGET_VIEW, clean, code_cells

LONGEST_CELL = 12  # lines of code
FROM_SCRATCH = "from-scratch"  # tag of a cell whose code is itself the lesson
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}|(?<![\w/:.])/(?:home|root|tmp|usr|work|Users)/\w")


def faults(notebook: nbformat.NotebookNode, path: Path) -> list[str]:
    """Say, in words, all that is wrong with a stored notebook."""
    found = []
    cells = code_cells(notebook)
    found += _metadata_faults(notebook)
    if [c.execution_count for c in cells] != list(range(1, len(cells) + 1)):
        found.append("execution counts are not 1, 2, 3, ...: run `make notebooks`")
    if not cells or not _only_imports(cells[0].source):
        found.append("the first code cell is not the imports, and nothing else")
    for number, cell in enumerate(cells, start=1):
        found += [f"code cell {number} {fault}" for fault in _cell_faults(cell)]
    return found + list(_link_faults(notebook, path))


def _metadata_faults(notebook):
    """Find what `make notebooks` would drop or put in."""
    wanted = deepcopy(notebook)
    clean(wanted)
    for key in sorted(wanted.metadata.keys() | notebook.metadata.keys()):
        if notebook.metadata.get(key) != wanted.metadata.get(key):
            yield f"metadata.{key} is not what is stored: {wanted.metadata.get(key)}"
    for number, (cell, kept) in enumerate(zip(notebook.cells, wanted.cells, strict=True), start=1):
        for key in cell.metadata.keys() - kept.metadata.keys():
            yield f"cell {number} has metadata.{key}"
        if cell.cell_type == "raw" or not cell.source.strip():
            yield f"cell {number} is raw or blank"


def _only_imports(source: str) -> bool:
    """Whether the source imports, and does nothing else."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    return bool(body) and all(isinstance(node, ast.Import | ast.ImportFrom) for node in body)


def _cell_faults(cell):
    tags = cell.metadata.get("tags", [])
    lines = [x for x in cell.source.splitlines() if x.strip() and not x.strip().startswith("#")]
    if len(lines) > LONGEST_CELL and FROM_SCRATCH not in tags:
        yield f"has {len(lines)} lines of code; more than {LONGEST_CELL} need tag {FROM_SCRATCH}"
    if re.search(r"^\s*[!%]\s*(pip|conda)\b", cell.source, re.MULTILINE):
        yield "installs something"
    for output in cell.outputs:
        yield from _output_faults(output)
        if output.get("execution_count", cell.execution_count) != cell.execution_count:
            yield "stores a result of another execution count than its own"


def _output_faults(output):
    if output.output_type == "error":
        yield f"stores an error: {output.ename}"
    if output.get("name") == "stderr":
        yield "stores what went to stderr"
    data = output.get("data", {})
    if WIDGET_VIEW in data:
        yield "stores a live widget view"
    if "image/svg+xml" in data:
        yield "stores an SVG picture, which differs from run to run"
    for kind in ("text/plain", "text/html"):
        if ADDRESS.search(data.get(kind, "")):
            yield f"stores an address or a path of this machine in {kind}"
    if ADDRESS.search(output.get("text", "")):
        yield "prints an address or a path of this machine"
    if re.search(r"\b(model_id|VBox\(|HBox\(|Output\()", data.get("text/plain", "")):
        yield "stores a bare widget, with no picture for those who have no kernel"
    if data and not data.get("text/plain"):
        yield "stores a picture without text"


def _link_faults(notebook, path: Path):
    """Find the first and last cells' links to the notebooks before and after this one."""
    names = sorted(p.name for p in path.parent.glob("*.ipynb"))
    here = names.index(path.name)
    neighbours = names[max(here - 1, 0) : here] + names[here + 1 : here + 2]
    for end, cell in (("first", notebook.cells[0]), ("last", notebook.cells[-1])):
        for name in neighbours:
            if cell.cell_type != "markdown" or f"({name})" not in cell.source:
                yield f"the {end} cell has no link to {name}"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", cell.source):
                if not (path.parent / target).exists():
                    yield f"a link leads to {target}, which is not there"


def page_faults(notebook: nbformat.NotebookNode, path: Path) -> Iterator[str]:
    """Say which stored pictures and HTML a plain HTML export leaves out: it needs no kernel."""
    page, _ = HTMLExporter().from_notebook_node(notebook)
    for number, cell in enumerate(code_cells(notebook), start=1):
        for output in cell.outputs:
            data = output.get("data", {})
            if "text/html" in data:
                shown = _as_exported(data["text/html"])
            else:
                shown = data.get("image/png", "").strip()[:400]
            if shown not in page:
                yield f"an exported page does not show the output of code cell {number}"


def _as_exported(html: str) -> str:
    """Spell HTML as the exporter does, which parses the whole page and writes it out again."""
    return str(BeautifulSoup(html.strip(), features="html.parser"))
