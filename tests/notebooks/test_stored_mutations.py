"""The nbval plugin fails a stored notebook for each change that a run can reveal, and for no other.

One small notebook prints, draws, and shows a live widget. Each mutation of its file breaks one
rule of `nbval_plugin.py`; `test_notebook_lint.py` has the rules that need no run.
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
    cells = [new_markdown_cell("# Small"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)
    store(path)
    return nbformat.read(path, as_version=4)


def run_nbval(notebook: NotebookNode, folder: Path) -> list[str]:
    """Run nbval on a stored notebook up to its first failure; return what failed."""
    reports = []

    class Recorder:
        def pytest_runtest_logreport(self, report):
            reports.extend([report] if report.when == "call" or report.failed else [])

    path = folder / "00_small.ipynb"
    nbformat.write(notebook, path)
    options = ["-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", "-x", "-q", "--nbval"]
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


def delete_cell(notebook):
    notebook.cells.remove(code_cells(notebook)[PRINT])
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = number
        for output in cell.outputs:
            output.update({"execution_count": number} if "execution_count" in output else {})


MUTATIONS = {
    "printed text": (change_print, "Cell 1: .*Cell outputs differ"),
    "pixels": (change_pixels, "Cell 2: .*a pixel .* differs from a run's by 10 of 255"),
    "a picture's text": (set_text(DRAWING, "200", "201"), "Cell 2: .*Cell outputs differ"),
    "a panel's HTML": (set_text(SHOW, "3", "4", "text/html"), "Cell 3: .*Cell outputs differ"),
    "output metadata": (change_metadata, "Cell 2: .*metadata is"),
    "order of outputs": (reverse_outputs, "Cell 2: .*stored outputs: display_data .*, stream"),
    "outputs removed": (remove_outputs, "Cell 2: .*Unexpected output fields"),
    "an output repeated": (repeat_output, "Cell 1: "),
    "a panel no longer live": (replace_panel, r"Cell 3: .*\(live\); a run gives"),
    "live mark removed": (remove_live_mark, r"Cell 3: .*; a run gives: .*\(live\)"),
    "a panel closed later": (add_source(AFTER, "panel.close()"), "Cell 4: .*: comm_close"),
    "a source that prints another text": (add_source(PRINT, "print(0)"), "Cell 1: "),
    "a source that raises": (add_source(DRAWING, "1 / 0"), "Cell 2: .*caused an exception"),
    "an output taken back": (add_source(PRINT, "clear_output()"), "Cell 1: .*: clear_output"),
    "an output updated": (
        add_source(PRINT, "update_display('other', display_id='x')"),
        "Cell 1: .*: update_display_data",
    ),
    "a marker for nbval": (add_source(PRINT, "# NBVAL_IGNORE_OUTPUT"), "Cell 1: .*a marker"),
    "a cell deleted": (delete_cell, "lint: metadata.convkit differs"),
}


def test_the_notebook_itself_passes(stored, tmp_path):
    assert run_nbval(stored, tmp_path) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_found(name, stored, tmp_path):
    mutate, words = MUTATIONS[name]
    notebook = nbformat.from_dict(stored)
    mutate(notebook)
    assert notebook != stored
    (failure,) = run_nbval(notebook, tmp_path)
    assert re.search(words, failure, re.DOTALL)
