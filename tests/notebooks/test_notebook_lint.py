"""The checks of a stored notebook's form find what they are there to find."""

import copy
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from tests.notebooks.notebook_lint import faults, page_faults
from tools.notebooks import metadata_of

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LINKS = "[next](01_next.ipynb)"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "01_next.ipynb").touch()
    (tmp_path / "00_first.ipynb").touch()
    return tmp_path / "00_first.ipynb"


def sound() -> NotebookNode:
    """Build a notebook without a fault."""
    panel = new_output(
        "display_data", {"text/plain": "a picture", "text/html": "<b>a</b>", "image/png": "iVBO"}
    )
    notebook = new_notebook(
        cells=[
            new_markdown_cell(LINKS),
            new_code_cell("import torch", execution_count=1),
            new_code_cell("panel", execution_count=2, outputs=[panel]),
            new_markdown_cell(LINKS),
        ],
    )
    notebook.metadata = metadata_of(notebook)
    return notebook


def test_a_sound_notebook_has_no_fault(path):
    assert faults(sound(), path) == []


def last(notebook) -> NotebookNode:
    return notebook.cells[2]


def data(notebook) -> NotebookNode:
    return last(notebook).outputs[0].data


SPOILS = {
    "execution counts": lambda nb: last(nb).update(execution_count=None),
    "another execution count": lambda nb: last(nb).outputs.append(
        new_output("execute_result", {"text/plain": "1"}, execution_count=9)
    ),
    "metadata.widgets": lambda nb: nb.metadata.update(widgets={}),
    "kernelspec": lambda nb: nb.metadata.kernelspec.update(name="julia"),
    "language_info": lambda nb: nb.metadata.language_info.update(name="julia"),
    "metadata.convkit": lambda nb: nb.metadata.convkit.ran.reverse(),
    "not the imports": lambda nb: nb.cells[1].update(source="import torch\nx = 1"),
    "13 lines": lambda nb: last(nb).update(source="x = 1\n" * 13),
    "metadata.jp-collapsed": lambda nb: nb.cells[0].metadata.update({"jp-collapsed": True}),
    "raw or blank": lambda nb: nb.cells.insert(1, new_raw_cell("<b>Out: 42</b>")),
    "cell 2 is raw or blank": lambda nb: nb.cells.insert(1, new_code_cell("")),
    "installs": lambda nb: last(nb).update(source="!pip install x"),
    "metadata.execution": lambda nb: last(nb).metadata.update(execution={}),
    "an error": lambda nb: last(nb).outputs.append(new_output("error", ename="E", evalue="")),
    "stderr": lambda nb: last(nb).outputs.append(new_output("stream", name="stderr", text="w")),
    "live widget view": lambda nb: data(nb).update({"application/vnd.jupyter.widget-view+json": 1}),
    "SVG": lambda nb: data(nb).update({"image/svg+xml": "<svg/>"}),
    "an address": lambda nb: data(nb).update({"text/plain": "<object at 0x7f00aa11bb22>"}),
    "a path of": lambda nb: data(nb).update({"text/html": "see /home/me/x"}),
    "prints": lambda nb: last(nb).outputs.append(new_output("stream", text="in /tmp/x.py")),
    "bare widget": lambda nb: data(nb).update({"text/plain": "VBox(children=())"}),
    "without text": lambda nb: data(nb).pop("text/plain"),
    "last cell has no link": lambda nb: nb.cells[3].update(source="the end"),
    "is not there": lambda nb: nb.cells[0].update(source=LINKS + "[x](99_gone.ipynb)"),
}


@pytest.mark.parametrize("fault", SPOILS)
def test_each_fault_is_found(fault, path):
    notebook = copy.deepcopy(sound())
    SPOILS[fault](notebook)
    found = faults(nbformat.from_dict(notebook), path)
    assert len(found) == 1
    assert fault in found[0]


def test_code_that_is_the_lesson_may_be_long(path):
    notebook = sound()
    last(notebook).update(source="x = 1\n" * 30, metadata={"tags": ["from-scratch"]})
    assert faults(nbformat.from_dict(notebook), path) == []


def test_what_an_exported_page_would_not_show_is_found(path):
    notebook = sound()
    assert list(page_faults(notebook, path)) == []
    del data(notebook)["text/html"]
    data(notebook).update(
        {"image/png": "unseen", "text/latex": "$x$"}
    )  # the exporter prefers LaTeX
    assert "code cell 2" in "".join(page_faults(notebook, path))


def test_notebooks_are_numbered_without_a_gap():
    numbers = [int(path.name[:2]) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    assert numbers == list(range(len(numbers))) != []
