"""Each rule of the notebook lint finds what it is there to find, and nothing in a good notebook."""

from pathlib import Path

import nbformat
import pytest
import torch
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from convkit import exercises, lenses
from convkit.panels import DescentStepper, KernelEditor
from tests.notebooks.notebook_lint import lint
from tools.notebooks import WIDGET_VIEW, clean, metadata_of

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LINKS = "# Start ×\n**Time:** 5 minutes.\n[next](01_next.ipynb)"
GOOD_LINKS = """[a](01_next.ipynb "title") [b](01_next.ipynb#Next-one) <https://d2l.ai>
[here](#Start-×) [c][d] `W[0][1]`
<details><summary><b>more</b></summary>

*yes*
</details>

[d]: 01_next.ipynb"""
X = torch.eye(3)
VIEWS = [
    lenses.lens(X, torch.ones(2, 2))._repr_html_(),
    KernelEditor(X).saved_html(),
    DescentStepper(X, X, torch.zeros(1, 1)).saved_html(),
    lenses.matrix_lens(X, torch.ones(2, 2))._repr_html_(),
    exercises.check("0.1", ...)._repr_html_(),
    exercises.predict("0a")._repr_html_(),
]
"""HTML from each of our writers."""


@pytest.fixture
def path(tmp_path):
    nbformat.write(
        new_notebook(cells=[new_markdown_cell("# Next one")]), tmp_path / "01_next.ipynb"
    )
    (tmp_path / "00_first.ipynb").touch()
    return tmp_path / "00_first.ipynb"


@pytest.fixture
def notebook() -> NotebookNode:
    """Give a notebook without a problem."""
    data = {"text/plain": "a lens", "text/html": VIEWS[0], "image/png": "iVBO"}
    made = new_notebook(
        cells=[
            new_markdown_cell(f"{LINKS} {GOOD_LINKS}"),
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


def set_data(text: str, format: str = "text/html"):
    """Return a change of the notebook: what its output is in a format."""
    return lambda nb: code(nb).outputs[0].data.update({format: text})


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
    "nbformat_minor is 6": lambda nb: nb.update(nbformat_minor=6),
    "metadata.widgets": lambda nb: nb.metadata.update(widgets={}),
    "metadata.kernelspec": lambda nb: nb.metadata.kernelspec.update(name="julia"),
    "metadata.convkit": lambda nb: nb.metadata.convkit.ran.append("deleted"),
    "cell 1 has metadata.hidden": lambda nb: nb.cells[0].metadata.update(hidden=True),
    "cell 4 is not stored": lambda nb: nb.cells.insert(2, new_markdown_cell("**Predict first:**")),
    "is no heading": lambda nb: collapse(nb, new_output("stream", text="19\nis the sum:")),
    "states 5 minutes; its words": set_markdown("word " * 750),
    "states no minutes": lambda nb: nb.cells[0].update(source="[next](01_next.ipynb)"),
    "nothing else": lambda nb: nb.cells[1].update(source="import torch\nx = 1"),
    "13 lines": set_source("x = 1\n" * 13),
    "cell 2 is raw or blank": lambda nb: nb.cells.insert(1, new_raw_cell("<b>Out: 42</b>")),
    "cell 4 is raw or blank": lambda nb: nb.cells.insert(3, new_code_cell("")),
    "installs": set_source("!pip install x"),
    "set_next_input": set_source("get_ipython().set_next_input('x')"),
    "the tag remove_input": lambda nb: code(nb).metadata.update(tags=["remove_input"]),
    "an error": add_output("error", ename="E", evalue=""),
    "stderr": add_output("stream", name="stderr", text="w"),
    "live widget view": set_data("1", WIDGET_VIEW),
    "image/svg+xml": set_data("<svg/>", "image/svg+xml"),
    "application/javascript": set_data("alert(1)", "application/javascript"),
    "stores an address": set_data("<object at 0x7f00aa11bb22>", "text/plain"),
    "a path of": set_data("see /home/me/x"),
    "prints": add_output("stream", text="in /tmp/x.py"),
    "bare widget": set_data("VBox(children=())", "text/plain"),
    "without text": set_data("", "text/plain"),
    "is no valid notebook": lambda nb: code(nb).outputs[0].update(metadata=[]),
    "live panel": add_output("display_data", {"text/plain": "it"}, metadata={"live": True}),
    "no exercise that waits": set_source('check("0.1", 7)'),
    "last cell has no link": lambda nb: nb.cells[3].update(source="the end"),
}
HTML = [
    ("element <script>", "<b><SCRIPT>alert(1)</SCRIPT></b>"),
    ("element <iframe>", "<iframe src='x'></iframe>"),
    ("element <meta>", "<meta http-equiv='refresh' content='0'>"),
    ("element <template>", "<template shadowrootmode='open'></template>"),
    ("element <style>", "<svg><style>.ck-1 {}</style></svg>"),
    ("attribute onclick", "<b onclick='alert(1)'>a</b>"),
    ("attribute action", "<form method='dialog' action='https://a.b'></form>"),
    ("attribute type", "<input type='submit'>"),
    ("attribute class", "<b class='jp-Dialog'>a</b>"),
    ("attribute data-commandlinker-command", "<b data-commandlinker-command='x'>a</b>"),
    ("attribute src", "<img src='https://a.b/c.png'>"),
    ("not well formed: eof-in-comment", "<!-- a\n<b>b</b>"),
    ("not well formed: unexpected-end-tag", "a</div>"),
    ("an HTML comment", "<!-- a\n-->"),
    ("without its end", "<details>a"),
    ("invisible character in HTML", "a&#x202e;b"),
    ("position:fixed", "<b style='position:fixed'>a</b>"),
    ("--hue:url", "<b style='--hue:url(a)'>a</b>"),
    ("qualified-rule td", "<style>td { color: red }</style>"),
    ("qualified-rule .ck-1,td", "<style>.ck-1,td { color: red }</style>"),
    ("qualified-rule .ck-1~td", "<style>.ck-1~td { color: red }</style>"),
    ("qualified-rule .ck-1 b", "<style>.ck-1 b { position: fixed }</style>"),
    ("qualified-rule .ck-1 i", "<style>.ck-1 i { --hue: u\\72l(a) }</style>"),
    ("qualified-rule body", "<style>.ck-1{content:'\\'}'}body{color:red}</style>"),
    ("error", "<style>}</style>"),
    ("at-rule", "<style>@import 'x.css';</style>"),
    ("element <script>", "<!--><script>a</script>-->"),
    ("element <script>", "<!-- a --!><script>a</script>"),
    ("element <script>", "<![CDATA[><script>a</script>]]>"),
]
"""What no writer of ours makes."""
MARKDOWN = [
    ("attribute href", "<a href='java&#9;script:x'>a</a>"),
    ("attribute href of", "[a](javascript:x)"),
    ("to 99_gone.ipynb,", "[a](99_gone.ipynb)"),
    ("to 98_gone.ipynb,", "[a](<98_gone.ipynb> 'title')"),
    ("to 97_gone.ipynb,", "<a href='97_gone.ipynb'>a</a>"),
    ("to gone.png,", "![a](gone.png)"),
    ("to figure.png,", "![a](attachment:figure.png)"),
    ("to 96_gone.ipynb,", "[a][b]\n\n[b]: 96_gone.ipynb"),
    ("to #Gone,", "[a](#Gone)"),
    ("to 01_next.ipynb#Gone,", "[a](01_next.ipynb#Gone)"),
    ("shown as it was typed", "[a][nowhere]"),
    ("element <script>", "a <script>b</script>"),
    ("eof-in-comment", "\n\n<!-- a"),
]
CHANGES = [
    *PROBLEMS.items(),
    *((words, set_data(html)) for words, html in HTML),
    *((words, set_markdown(text)) for words, text in MARKDOWN),
    *(("invisible character", set_data(f"a{mark}b", "text/plain")) for mark in "\0\u200b\u202e"),
]


def test_a_notebook_without_a_problem(notebook, path):
    assert lint(notebook, path) == []


@pytest.mark.parametrize("html", VIEWS)
def test_what_our_writers_make_is_no_problem(html, notebook, path):
    set_data(html)(notebook)
    assert lint(notebook, path) == []


@pytest.mark.parametrize(("words", "change"), CHANGES)
def test_each_problem_is_found(words, change, notebook, path):
    change(notebook)
    assert words in "; ".join(lint(nbformat.from_dict(notebook), path))


def test_a_collapsed_output_begins_with_a_heading(notebook, path):
    collapse(notebook, new_output("stream", text="the sum:\n19"))
    assert lint(nbformat.from_dict(notebook), path) == []


@pytest.mark.parametrize("data", [{"text/html": "<b>19</b>"}, {"image/png": "iVBO"}, {}])
def test_a_collapsed_output_does_not_begin_with_a_view_or_a_picture(data, notebook, path):
    collapse(notebook, new_output("display_data", {"text/plain": "the sum:"} | data))
    assert "is no heading" in "; ".join(lint(nbformat.from_dict(notebook), path))


def test_code_that_is_the_lesson_may_be_long(notebook, path):
    code(notebook).update(source="x = 1\n" * 30, metadata={"tags": ["from-scratch"]})
    assert lint(nbformat.from_dict(notebook), path) == []


def test_each_notebook_has_a_number_of_its_own_from_0_on():
    numbers = [int(path.name[:2]) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    assert numbers[0] == 0 and len(set(numbers)) == len(numbers)
