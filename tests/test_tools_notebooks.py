"""Storing notebooks: the same file every time, and nothing stored that failed."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.notebooks import WIDGET_VIEW, NotebookFailed, main, store

PANEL = """\
class Panel(widgets.IntSlider):
    def __repr__(self):
        return f"Panel at {self.value}"

    def _repr_mimebundle_(self, **kwargs):
        live = super()._repr_mimebundle_(**kwargs)
        return live | {"text/plain": repr(self), "text/html": f"<b>{self.value}</b>"}


Panel(value=3)"""


def written(path, *sources):
    cells = [new_markdown_cell("# Title"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells, metadata={"widgets": {}}), path)
    return path


def test_a_panel_is_stored_as_its_picture_and_runs_are_equal(tmp_path):
    path = written(
        tmp_path / "a.ipynb", "import sys\n\nimport ipywidgets as widgets", PANEL, "", "1 + 1"
    )
    store(path)
    first = path.read_bytes()
    store(path)
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["a.ipynb"]
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    assert [c.get("execution_count") for c in notebook.cells] == [None, 1, 2, None, 3]
    assert notebook.cells[2].outputs[0].data == {
        "text/plain": "Panel at 3",
        "text/html": "<b>3</b>",
    }
    assert WIDGET_VIEW not in first.decode()
    assert notebook.cells[2].metadata == {}


def test_split_streams_are_joined(tmp_path):
    path = written(
        tmp_path / "a.ipynb",
        "import sys, time\nprint(1)\nsys.stdout.flush()\ntime.sleep(0.3)\nprint(2)",
    )
    store(path)
    assert [o.text for o in nbformat.read(path, as_version=4).cells[1].outputs] == ["1\n2\n"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings\nwarnings.warn('look')", "code cell 2 wrote to stderr"),
        ("import logging\nlogging.error('handler failed')", "handler failed"),
    ],
)
def test_a_failure_names_its_cell_and_leaves_the_file(tmp_path, source, told, capsys):
    path = written(tmp_path / "a.ipynb", "x = 1", source)
    before = path.read_bytes()
    with pytest.raises(NotebookFailed, match=told):
        store(path)
    assert path.read_bytes() == before
    assert main([str(path)]) == 1
    assert "a.ipynb" in capsys.readouterr().err
