"""The nbval plugin fails a stored notebook for each change that a run can reveal, and for no other.

One small notebook prints, draws, and shows a live widget. Each mutation of its file breaks one
rule of `nbval_plugin.py`; `test_notebook_lint.py` has the rules that need no run. To save time one
run tries a mutation of each cell.
"""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.notebooks import code_cells, store

ROOT = Path(__file__).parents[2]
IMPORTS = """\
from base64 import b64encode
from io import BytesIO
import ipywidgets as widgets
from IPython.display import clear_output, display, update_display
from PIL import Image"""
DRAW = """\
buffer = BytesIO()
Image.new("L", (9, 9), 200).save(buffer, "PNG")
png = b64encode(buffer.getvalue()).decode()
print("a square")
display({"text/plain": "grey 200", "image/png": png}, raw=True)"""
PANEL = """\
class Panel(widgets.IntSlider):
    def _repr_mimebundle_(self, **kwargs):
        live = super()._repr_mimebundle_(**kwargs)
        return live | {"text/plain": f"at {self.value}", "text/html": f"<b>{self.value}</b>"}


panel = Panel(value=3)
panel"""
NOT_LIVE = 'display({"text/plain": "at 3", "text/html": "<b>3</b>"}, raw=True)'
PRINT, DRAWING, SHOW, AFTER = 1, 2, 3, 4  # places among the code cells; 0 is the imports


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> NotebookNode:
    """Give the notebook as `make notebooks` stores it."""
    sources = [IMPORTS, 'print("one", 1)', DRAW, PANEL, "panel.value"]
    path = tmp_path_factory.mktemp("stored") / "00_small.ipynb"
    title = new_markdown_cell("# Small\n\n**Time:** 5 minutes.")
    cells = [title, *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)
    store(path)
    return nbformat.read(path, as_version=4)


def run_nbval(notebook: NotebookNode, folder: Path) -> list[str]:
    """Run nbval on a stored notebook; return what failed."""
    reports = []

    class Recorder:
        def pytest_runtest_logreport(self, report):
            reports.extend([report] if report.when == "call" or report.failed else [])

    path = folder / "00_small.ipynb"
    nbformat.write(notebook, path)
    options = ["-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", "-q", "--nbval"]
    pytest.main([*options, "--color=no", str(path)], plugins=[Recorder()])
    assert reports
    failures = [f"{r.nodeid.rpartition('::')[2]}: {r.longreprtext}" for r in reports if r.failed]
    assert "plugin exception" not in "".join(failures)
    return failures


def data(notebook: NotebookNode, place: int) -> NotebookNode:
    return code_cells(notebook)[place].outputs[-1].data


def set_text(place: int, old: str, new: str, part: str = "text/plain") -> Callable:
    def change(notebook):
        formats = data(notebook, place)
        formats[part] = formats[part].replace(old, new)

    return change


def add_source(place: int, line: str) -> Callable:
    def change(notebook):
        cell = code_cells(notebook)[place]
        cell.source = f"{line}\n{cell.source}"

    return change


def change_print(notebook):
    code_cells(notebook)[PRINT].outputs[0].text = "one 2\n"


def change_pixels(notebook):
    """Store the picture that another grey gives."""
    names: dict = {}
    exec(f"{IMPORTS}\n{DRAW}".replace("200).save", "190).save"), names)
    data(notebook, DRAWING)["image/png"] = names["png"]


def reverse_outputs(notebook):
    code_cells(notebook)[DRAWING].outputs.reverse()


def remove_outputs(notebook):
    code_cells(notebook)[DRAWING].outputs = []


def repeat_output(notebook):
    outputs = code_cells(notebook)[PRINT].outputs
    code_cells(notebook)[PRINT].outputs = [*outputs, *outputs]


def replace_panel(notebook):
    cell = code_cells(notebook)[SHOW]
    cell.source = cell.source.removesuffix("panel") + NOT_LIVE
    cell.outputs[0].output_type = "display_data"
    del cell.outputs[0]["execution_count"]


def remove_live_mark(notebook):
    del code_cells(notebook)[SHOW].outputs[0].metadata["live"]


def change_metadata(notebook):
    code_cells(notebook)[DRAWING].outputs[-1].metadata["image/png"] = {"width": 1}


MUTATIONS = {
    PRINT: [
        (change_print, "Cell outputs differ"),
        (repeat_output, "Cell outputs differ"),
        (add_source(PRINT, "print(0)"), "Cell outputs differ"),
        (add_source(PRINT, "clear_output()"), ": clear_output"),
        (add_source(PRINT, "update_display('other', display_id='x')"), ": update_display_data"),
        (add_source(PRINT, "# NBVAL_IGNORE_OUTPUT"), "a marker"),
    ],
    DRAWING: [
        (change_pixels, "a pixel .* differs from a run's by 10 of 255"),
        (set_text(DRAWING, "200", "201"), "Cell outputs differ"),
        (change_metadata, "metadata is"),
        (reverse_outputs, "stored outputs: display_data .*, stream"),
        (remove_outputs, "Unexpected output fields"),
        (add_source(DRAWING, "1 / 0"), "caused an exception"),
    ],
    SHOW: [
        (set_text(SHOW, "3", "4", "text/html"), "Cell outputs differ"),
        (replace_panel, r"\(live\); a run gives"),
        (remove_live_mark, r"; a run gives: .*\(live\)"),
    ],
    AFTER: [
        (add_source(AFTER, "panel.close()"), ": comm_close"),
    ],
}


def test_the_notebook_itself_passes(stored, tmp_path):
    assert run_nbval(stored, tmp_path) == []


@pytest.mark.parametrize("number", range(max(map(len, MUTATIONS.values()))))
def test_each_mutation_is_found_in_its_cell(number, stored, tmp_path):
    notebook = nbformat.from_dict(stored)
    expected = []
    for place, mutations in MUTATIONS.items():
        for mutate, words in mutations[number : number + 1]:
            mutate(notebook)
            expected.append(f"Cell {place}: .*{words}")
    failures = run_nbval(notebook, tmp_path)
    assert len(failures) == len(expected)
    for words, failure in zip(expected, failures, strict=True):
        assert re.search(words, failure, re.DOTALL)


def test_the_file_is_checked_too(stored, tmp_path):
    notebook = nbformat.from_dict(stored)
    notebook.cells.remove(code_cells(notebook)[AFTER])
    (failure,) = run_nbval(notebook, tmp_path)
    assert "lint: metadata.convkit differs" in failure
