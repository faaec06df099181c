"""Rules for stored notebooks that need no kernel: the file, outputs, HTML and links.

`nbval_plugin.py` checks them for each notebook, besides running it.
"""

import ast
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from urllib.parse import unquote

import ipywidgets
import nbformat
from justhtml import JustHTML
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from tools.allowed_html import MARKDOWN, VIEW, Allowed, examine, read, strange_styles
from tools.notebooks import WIDGET_VIEW, clean, code_cells
from tools.series import minutes, stated_minutes

MAX_CELL_LINES = 12
COLLAPSED = {"collapsed", "jupyter"}
FROM_SCRATCH = "from-scratch"  # the tag of a cell whose code is itself the lesson
OUTPUT_FORMATS = {"text/plain", "text/html", "image/png"}
MACHINE_PATH = re.compile(r"\b0x[0-9a-fA-F]{6,}|(?<![\w/:.])/(?:home|root|tmp|usr|work|Users)/\w")
BARE_WIDGET = re.compile(rf"\b({'|'.join(n for n in dir(ipywidgets) if n[0].isupper())})\(")
INSTALLS = re.compile(r"^\s*[!%]\s*(pip|conda)\b", re.MULTILINE)
CHECKS = re.compile(r"^check\(", re.MULTILINE)
FIRST_LINE = re.compile(r"<!-- [^-\n]+ -->\n")
"""What JupyterLab shows of a collapsed view."""


def lint(notebook: NotebookNode, path: Path) -> list[str]:
    """Return all problems of a stored notebook, in words."""
    errors = nbformat.validator.iter_validate(notebook)
    problems = [f"is no valid notebook: {error.message}" for error in errors]
    if problems:
        return problems
    problems = [*_metadata_problems(notebook), *_order_problems(code_cells(notebook))]
    problems += _time_problems(notebook)
    if any(map(_is_hidden, "".join(_texts(notebook)))):
        problems.append("has an invisible character")
    for number, cell in enumerate(notebook.cells, start=1):
        problems += [f"cell {number} {problem}" for problem in _cell_problems(cell)]
    return problems + list(_link_problems(_pages(notebook), path))


def _texts(part: object) -> Iterator[str]:
    """Return all texts in what a JSON file holds."""
    if isinstance(part, str):
        yield part
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        for inside in part:
            yield from _texts(inside)


def _is_hidden(character: str) -> bool:
    """Return whether a character, such as one that turns the writing's direction, is not seen."""
    return not character.isprintable() and character not in "\n\xa0"


def _metadata_problems(notebook: NotebookNode) -> Iterator[str]:
    """Find what `make notebooks` would remove or put in."""
    expected = deepcopy(notebook)
    clean(expected)
    for key in ("nbformat", "nbformat_minor"):
        if notebook[key] != expected[key]:
            yield f"{key} is {notebook[key]}; expected {expected[key]}"
    for key in sorted(expected.metadata.keys() | notebook.metadata.keys()):
        if notebook.metadata.get(key) != expected.metadata.get(key):
            yield f"metadata.{key} differs; expected {expected.metadata.get(key)}"
    cells = zip(notebook.cells, expected.cells, strict=True)
    for number, (cell, kept) in enumerate(cells, start=1):
        for key in cell.metadata.keys() - kept.metadata.keys() - COLLAPSED:
            yield f"cell {number} has metadata.{key}"
        if any(cell.metadata.get(key) != kept.metadata.get(key) for key in COLLAPSED):
            yield f"cell {number} is not stored with its output collapsed, or wrongly so"


def _time_problems(notebook: NotebookNode) -> Iterator[str]:
    stated, expected = stated_minutes(notebook), minutes(notebook)
    if stated != str(expected):
        yield f"states {stated or 'no'} minutes; its words, cells and exercises take {expected}"


def _order_problems(cells: list[NotebookNode]) -> Iterator[str]:
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        yield "execution counts are not 1, 2, 3, ...: run `make notebooks`"
    if not cells or not _only_imports(cells[0].source):
        yield "the first code cell does not hold the imports and nothing else"


def _only_imports(source: str) -> bool:
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    return bool(body) and all(isinstance(node, ast.Import | ast.ImportFrom) for node in body)


def _cell_problems(cell: NotebookNode) -> Iterator[str]:
    if cell.cell_type == "raw" or not cell.source.strip():
        yield "is raw or blank"
    # Any other tag may hide the cell from an export, or its outputs from nbval.
    for tag in set(cell.metadata.get("tags", [])) - {FROM_SCRATCH}:
        yield f"has the tag {tag}"
    if cell.cell_type == "markdown":
        yield from _html_problems(_html(cell), MARKDOWN)
    if cell.cell_type == "code":
        yield from _source_problems(cell)
        yield from _outputs_problems(cell)
        if cell.metadata.get("collapsed") and not _first_line(cell).endswith(":"):
            yield "has a collapsed output whose first line, which JupyterLab shows, is no heading"


def _first_line(cell: NotebookNode) -> str:
    """Return the first line that a cell printed before all else; ":" where it shows nothing."""
    if not cell.outputs:
        return ":"
    return cell.outputs[0].get("text", "").partition("\n")[0]


def _source_problems(cell: NotebookNode) -> Iterator[str]:
    lines = [line.strip() for line in cell.source.splitlines()]
    n_code = sum(1 for line in lines if line and not line.startswith("#"))
    if n_code > MAX_CELL_LINES and FROM_SCRATCH not in cell.metadata.get("tags", []):
        yield f"has {n_code} lines of code; more than {MAX_CELL_LINES} need the tag {FROM_SCRATCH}"
    if INSTALLS.search(cell.source):
        yield "installs something"
    if "set_next_input" in cell.source:
        yield "writes another cell (set_next_input)"


def _outputs_problems(cell: NotebookNode) -> Iterator[str]:
    if CHECKS.search(cell.source) and "not started" not in str(cell.outputs):
        yield "stores no exercise that waits for an answer: not started"
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"stores an error: {output.ename}"
        if output.output_type == "stream":
            yield from _stream_problems(output)
        if "data" in output:
            yield from _data_problems(output.data)
            if output.metadata.get("live") and not {"text/html", "image/png"} & output.data.keys():
                yield "stores a live panel that shows nothing without a kernel"
        if output.get("execution_count", cell.execution_count) != cell.execution_count:
            yield "stores a result of another execution count than its own"


def _stream_problems(output: NotebookNode) -> Iterator[str]:
    if output.name == "stderr":
        yield "stores text of stderr"
    if MACHINE_PATH.search(output.text):
        yield "prints an address or a path of this machine"


def _data_problems(data: NotebookNode) -> Iterator[str]:
    if WIDGET_VIEW in data:
        yield "stores a live widget view"
    for kind in sorted(data.keys() - OUTPUT_FORMATS - {WIDGET_VIEW}):
        yield f"stores an output of type {kind}"
    text, html = data.get("text/plain", ""), data.get("text/html", "")
    if MACHINE_PATH.search(text) or MACHINE_PATH.search(html):
        yield "stores an address or a path of this machine"
    if BARE_WIDGET.search(text):
        yield "stores a bare widget, which shows nothing without a kernel"
    if not text:
        yield "stores a picture without text"
    yield from _html_problems(FIRST_LINE.sub("", html, count=1), VIEW)


def _html_problems(html: str, allowed: Allowed) -> Iterator[str]:
    """Find HTML that our writers do not make."""
    page = read(html)
    for error in page.errors:
        yield f"has HTML that is not well formed: {error.code}"
    yield from examine(page, allowed)
    if page.to_html(pretty=False).count("</") > html.count("</"):
        yield "has an HTML element without its end"
    yield from strange_styles(page)
    if any(map(_is_hidden, page.to_html(pretty=False))):
        yield "has an invisible character in HTML"


def _html(cell: NotebookNode) -> str:
    """Return a cell's markdown as HTML; an attachment, which stops nbconvert, is as a file."""
    source = cell.source if cell.cell_type == "markdown" else ""
    return markdown2html(source.replace("attachment:", ""))


def _pages(notebook: NotebookNode) -> list[JustHTML]:
    """Return each cell's markdown as it is read, without what is no markdown."""
    pages = [read(_html(cell)) for cell in notebook.cells]
    for page in pages:
        examine(page, MARKDOWN)
    return pages


def _link_problems(pages: list[JustHTML], path: Path) -> Iterator[str]:
    """Find missing links to the previous and the next notebook, and broken links."""
    names = sorted(file.name for file in path.parent.glob("*.ipynb"))
    here = names.index(path.name)
    neighbours = set(names[max(here - 1, 0) : here] + names[here + 1 : here + 2])
    for end, page in (("first", pages[0]), ("last", pages[-1])):
        for name in neighbours - {link.attrs.get("href") for link in page.query("a")}:
            yield f"the {end} cell has no link to {name}"
    for page in pages:
        for link in page.query("[href], [src]"):
            target = unquote(link.attrs.get("href") or link.attrs.get("src") or "")
            if "://" not in target and not _leads_somewhere(target, pages, path):
                yield f"a link leads to {target}, which does not exist"
        for code in page.query("code, pre"):
            code.parent.remove_child(code)
        if re.search(r"\][\[(]", page.to_text()):
            yield "a link leads nowhere, and is shown as it was typed"


def _leads_somewhere(target: str, pages: list[JustHTML], path: Path) -> bool:
    name, _, anchor = target.partition("#")
    file = path.parent / (name or path.name)
    if not anchor or not file.is_file():
        return bool(name) and file.exists()
    if name:
        pages = _pages(nbformat.read(file, as_version=4))
    return any(
        unquote(heading.attrs["id"]) == anchor for page in pages for heading in page.query("[id]")
    )
