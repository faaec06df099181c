"""Each rule of the notebook lint finds what it is there to find, and nothing in a good notebook."""

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from tests.notebooks.notebook_lint import lint, lint_export
from tools.notebooks import WIDGET_VIEW, clean, metadata_of

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LINKS = "[next](01_next.ipynb)"
OWN_STYLE = """<style>/* body { } */ .ck-a:has(td, th), .ck-b td { content: "p {" }
@media (width < 600px) { .ck-a { color: red } } @container (width < 9em) { .ck-b { top: 0 } }
</style><details><summary>more</summary><form><input type="radio"></form></details>"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "01_next.ipynb").touch()
    (tmp_path / "00_first.ipynb").touch()
    return tmp_path / "00_first.ipynb"


@pytest.fixture
def notebook() -> NotebookNode:
    """Give a notebook without a problem."""
    data = {"text/plain": "a picture", "text/html": OWN_STYLE, "image/png": "iVBO"}
    made = new_notebook(
        cells=[
            new_markdown_cell(LINKS),
            new_code_cell("import torch", execution_count=1),
            new_code_cell("panel", execution_count=2, outputs=[new_output("display_data", data)]),
            new_markdown_cell(LINKS),
        ],
    )
    made.nbformat_minor = 5
    made.metadata = metadata_of(made)
    return made


def code(notebook: NotebookNode) -> NotebookNode:
    return notebook.cells[2]


def set_data(**formats: str):
    """Return a change of the notebook: its output in the given formats ("html", "png")."""
    names = {"plain": "text/plain", "html": "text/html", "svg": "image/svg+xml"}
    names |= {"javascript": "application/javascript", "view": WIDGET_VIEW}
    return lambda nb: code(nb).outputs[0].data.update({names[k]: v for k, v in formats.items()})


def add_output(*arguments: object, **options: object):
    return lambda nb: code(nb).outputs.append(new_output(*arguments, **options))


def set_markdown(source: str):
    return lambda nb: nb.cells[0].update(source=f"{LINKS} {source}")


def set_source(source: str):
    return lambda nb: code(nb).update(source=source)


def collapse(notebook: NotebookNode, output: NotebookNode) -> None:
    """Store an output as `make notebooks` stores the answer to a question."""
    set_markdown("**Predict first:** what?")(notebook)
    code(notebook).update(outputs=[output])
    clean(notebook)


PROBLEMS = {
    "execution counts": lambda nb: code(nb).update(execution_count=None),
    "another execution count": add_output("execute_result", {"text/plain": "1"}, execution_count=9),
    "nbformat_minor is 4": lambda nb: nb.update(nbformat_minor=4),
    "metadata.widgets": lambda nb: nb.metadata.update(widgets={}),
    "metadata.kernelspec": lambda nb: nb.metadata.kernelspec.update(name="julia"),
    "metadata.convkit": lambda nb: nb.metadata.convkit.ran.append("deleted"),
    "cell 1 has metadata.jp-collapsed": lambda nb: nb.cells[0].metadata.update(
        {"jp-collapsed": True}
    ),
    "cell 4 is not stored with its output collapsed": lambda nb: nb.cells.insert(
        2, new_markdown_cell("**Predict first:** what?")
    ),
    "is no heading": lambda nb: collapse(nb, new_output("stream", text="19\nis the sum:")),
    "nothing else": lambda nb: nb.cells[1].update(source="import torch\nx = 1"),
    "13 lines": set_source("x = 1\n" * 13),
    "cell 2 is raw or blank": lambda nb: nb.cells.insert(1, new_raw_cell("<b>Out: 42</b>")),
    "cell 4 is raw or blank": lambda nb: nb.cells.insert(3, new_code_cell("")),
    "installs": set_source("!pip install x"),
    "set_next_input": set_source("get_ipython().set_next_input('x')"),
    "the tag remove_input": lambda nb: code(nb).metadata.update(tags=["remove_input"]),
    "an error": add_output("error", ename="E", evalue=""),
    "stderr": add_output("stream", name="stderr", text="w"),
    "live widget view": set_data(view="1"),
    "image/svg+xml": set_data(svg="<svg/>"),
    "application/javascript": set_data(javascript="alert(1)"),
    "stores an address": set_data(plain="<object at 0x7f00aa11bb22>"),
    "a path of": set_data(html="see /home/me/x"),
    "prints": add_output("stream", text="in /tmp/x.py"),
    "bare widget": set_data(plain="VBox(children=())"),
    "without text": set_data(plain=""),
    "<script>": set_data(html="<b><SCRIPT>alert(1)</SCRIPT></b>"),
    "attribute onclick": set_data(html="<b onclick='alert(1)'>a</b>"),
    "attribute href": set_data(html="<a href=' JavaScript:alert(1)'>a</a>"),
    "cell 1 has an HTML element <iframe>": set_markdown("<iframe src='x'></iframe>"),
    "javascript: link": set_markdown("[a](javascript:x)"),
    "page-wide style for 'td'": set_data(html="<style>.ck-a, td { color: red }</style>"),
    "page-wide style for 'body'": set_data(html="<style>@media print { body { top: 0 } }</style>"),
    "page-wide style @import": set_markdown("<style>@import 'x.css'; .ck-a { top: 0 }</style>"),
    "last cell has no link": lambda nb: nb.cells[3].update(source="the end"),
    "does not exist": set_markdown("[x](99_gone.ipynb)"),
}


def test_a_notebook_without_a_problem(notebook, path):
    assert lint(notebook, path) == list(lint_export(notebook, path)) == []


@pytest.mark.parametrize("words", PROBLEMS)
def test_each_problem_is_found(words, notebook, path):
    PROBLEMS[words](notebook)
    (problem,) = lint(nbformat.from_dict(notebook), path)
    assert words in problem


def test_a_collapsed_output_may_begin_with_a_heading_or_a_picture(notebook, path):
    for output in (
        new_output("stream", text="the sum:\n19"),
        new_output("display_data", {"text/plain": "19", "image/png": "iVBO"}),
    ):
        collapse(notebook, output)
        assert lint(nbformat.from_dict(notebook), path) == []


def test_code_that_is_the_lesson_may_be_long(notebook, path):
    code(notebook).update(source="x = 1\n" * 30, metadata={"tags": ["from-scratch"]})
    assert lint(nbformat.from_dict(notebook), path) == []


def test_an_output_that_an_exported_page_does_not_show(notebook, path):
    data = code(notebook).outputs[0].data
    del data["text/html"]
    data.update({"image/png": "unseen", "text/latex": "$x$"})  # the exporter prefers LaTeX
    assert list(lint_export(notebook, path)) == [
        "an exported page does not show the output of cell 3"
    ]


def test_notebooks_are_numbered_without_a_gap():
    numbers = [int(path.name[:2]) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    assert numbers == list(range(len(numbers))) != []
