"""Rules for stored notebooks that need no kernel: metadata, outputs, HTML, links and exports.

`nbval_plugin.py` checks them for each notebook, besides running it.
"""

import ast
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from tools.notebooks import WIDGET_VIEW, clean, code_cells

MAX_CELL_LINES = 12
COLLAPSED = {"collapsed", "jupyter"}
FROM_SCRATCH = "from-scratch"  # the tag of a cell whose code is itself the lesson
OUTPUT_FORMATS = {"text/plain", "text/html", "image/png"}
FORBIDDEN_ELEMENTS = {"script", "iframe", "object", "embed", "link", "meta", "base"}
MACHINE_PATH = re.compile(r"\b0x[0-9a-fA-F]{6,}|(?<![\w/:.])/(?:home|root|tmp|usr|work|Users)/\w")
BARE_WIDGET = re.compile(r"\b(model_id|VBox\(|HBox\(|Output\()")
INSTALLS = re.compile(r"^\s*[!%]\s*(pip|conda)\b", re.MULTILINE)
MARKDOWN_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
CSS_COMMENT_OR_STRING = re.compile(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", re.DOTALL)
CSS_PARENTHESES = re.compile(r"\([^()]*\)")
CSS_BLOCK_START = re.compile(r"([^{};]+)\{")
CSS_AT_RULE = re.compile(r"@[\w-]+")
CSS_CONDITIONS = {"@media", "@container", "@supports"}


def lint(notebook: NotebookNode, path: Path) -> list[str]:
    """Return all problems of a stored notebook, in words."""
    problems = [*_metadata_problems(notebook), *_order_problems(code_cells(notebook))]
    for number, cell in enumerate(notebook.cells, start=1):
        problems += [f"cell {number} {problem}" for problem in _cell_problems(cell)]
    return problems + list(_link_problems(notebook, path))


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
        yield from _html_problems(cell.source)
        if re.search(r"javascript:", cell.source, re.IGNORECASE):
            yield "has a javascript: link"
    if cell.cell_type == "code":
        yield from _source_problems(cell)
        yield from _outputs_problems(cell)
        if cell.metadata.get("collapsed") and not _first_line(cell).endswith(":"):
            yield "has a collapsed output whose first line, which JupyterLab shows, is no heading"


def _first_line(cell: NotebookNode) -> str:
    """Return the first line of a cell's text; ":" where none, a picture or HTML comes first."""
    output = cell.outputs[0] if cell.outputs else NotebookNode()
    data = output.get("data", {})
    if {"text/html", "image/png"} & data.keys():
        return ":"
    return output.get("text", data.get("text/plain", ":")).partition("\n")[0]


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
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"stores an error: {output.ename}"
        if output.output_type == "stream":
            yield from _stream_problems(output)
        if "data" in output:
            yield from _data_problems(output.data)
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
    yield from _html_problems(html)


def _html_problems(html: str) -> Iterator[str]:
    """Find scripts, and styles that would change the rest of the page."""
    for element in BeautifulSoup(html, "html.parser").find_all():
        if element.name in FORBIDDEN_ELEMENTS:
            yield f"has an HTML element <{element.name}>"
        if element.name == "style":
            yield from _style_problems(element.get_text())
        for name, value in element.attrs.items():
            if name.startswith("on") or str(value).lower().lstrip().startswith("javascript:"):
                yield f"has a script in the HTML attribute {name}"


def _style_problems(css: str) -> Iterator[str]:
    """Find style rules outside of `.ck-...`, convkit's own classes."""
    css = CSS_COMMENT_OR_STRING.sub("", css)
    while CSS_PARENTHESES.search(css):  # :has(a, b) is one selector
        css = CSS_PARENTHESES.sub("", css)
    for rule in sorted(set(CSS_AT_RULE.findall(css)) - CSS_CONDITIONS):
        yield f"has a page-wide style {rule}"
    for start in CSS_BLOCK_START.findall(css):
        for selector in start.split(","):
            if not selector.strip().startswith((".ck-", "@")):
                yield f"has a page-wide style for {selector.strip()!r}"


def _link_problems(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Find missing links to the previous and the next notebook, and broken links."""
    names = sorted(file.name for file in path.parent.glob("*.ipynb"))
    here = names.index(path.name)
    neighbours = names[max(here - 1, 0) : here] + names[here + 1 : here + 2]
    for end, cell in (("first", notebook.cells[0]), ("last", notebook.cells[-1])):
        for name in neighbours:
            if cell.cell_type != "markdown" or f"({name})" not in cell.source:
                yield f"the {end} cell has no link to {name}"
    for cell in notebook.cells:
        targets = MARKDOWN_LINK.findall(cell.source) if cell.cell_type == "markdown" else []
        for target in targets:
            if not (path.parent / target).exists():
                yield f"a link leads to {target}, which does not exist"


def lint_export(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Find stored pictures and HTML that a page exported by nbconvert does not show."""
    page, _ = HTMLExporter().from_notebook_node(notebook)
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if _shown_part(output.get("data", {})) not in page:
                yield f"an exported page does not show the output of cell {number}"


def _shown_part(data: NotebookNode) -> str:
    if "text/html" in data:  # as the exporter writes it, which parses the page
        return str(BeautifulSoup(data["text/html"].strip(), features="html.parser"))
    return data.get("image/png", "").strip()[:400]
