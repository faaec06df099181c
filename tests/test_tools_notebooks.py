"""Storing notebooks: the same file every time, and nothing stored that failed."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.notebooks import WIDGET_VIEW, main, store

PANEL = """\
class Panel(widgets.IntSlider):
    def _repr_mimebundle_(self, **kwargs):
        live = super()._repr_mimebundle_(**kwargs)
        return live | {"text/plain": f"at {self.value}", "text/html": f"<b>{self.value}</b>"}


Panel(value=3)"""
SPLIT_STREAM = """\
import sys, time
print(1)
sys.stdout.flush()
time.sleep(0.3)
print(2)"""


@pytest.fixture
def write(tmp_path):
    """Give a function that writes a notebook of these sources and returns its path."""

    def write(*sources):
        cells = [new_markdown_cell("# Title"), *map(new_code_cell, sources)]
        path = tmp_path / "a.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata={"widgets": {}}), path)
        return path

    return write


def test_a_stored_notebook_is_equal_after_another_run(write):
    path = write("import ipywidgets as widgets", PANEL, "", SPLIT_STREAM)
    store(path)
    first = path.read_bytes()
    store(path)
    assert path.read_bytes() == first
    assert list(path.parent.iterdir()) == [path]
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    assert [c.get("execution_count") for c in notebook.cells] == [None, 1, 2, None, 3]
    (panel,) = notebook.cells[2].outputs
    assert panel.data == {"text/plain": "at 3", "text/html": "<b>3</b>"}
    assert panel.metadata == {"live": True}
    assert WIDGET_VIEW not in first.decode()
    assert notebook.cells[2].metadata == {}
    assert [output.text for output in notebook.cells[4].outputs] == ["1\n2\n"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings\nwarnings.warn('look')", "code cell 2 wrote to stderr"),
        ("import logging\nlogging.error('handler failed')", "handler failed"),
    ],
)
def test_a_failure_names_its_cell_and_leaves_the_file(write, source, words, capsys):
    path = write("x = 1", source)
    before = path.read_bytes()
    assert main([str(path)]) == 1
    assert path.read_bytes() == before
    message = capsys.readouterr().err
    assert "a.ipynb" in message
    assert words in message
