"""Cells run in any order, and again: no panel breaks, in a real kernel."""

import random
from contextlib import contextmanager

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tools.lab import PROJECT
from tools.notebooks import code_cells

NOTEBOOKS = sorted(path for path in PROJECT.glob("notebooks/*.ipynb"))
IMPORTS = """\
import torch
from convkit import corr2d, stripes
from convkit.widgets import DescentStepper, KernelEditor
X, K = stripes(), torch.tensor([[1.0, -1.0]])"""


@contextmanager
def kernel(folder=PROJECT):
    """Give a function that runs a source in a new kernel and returns its outputs."""
    notebook = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "3"}})
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        allow_errors=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )

    def run(source):
        notebook.cells.append(new_code_cell(source))
        return client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1).outputs

    with client.setup_kernel():
        yield run


def errors(outputs):
    return [(o.ename, o.evalue) for o in outputs if o.output_type == "error"]


def stderr(outputs):
    return [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"]


def shown(outputs):
    """Return what a cell shows, without the live view, which has another number each time."""
    view = "application/vnd.jupyter.widget-view+json"
    data = [dict(o.data) for o in outputs if "data" in o]
    return [{kind: value for kind, value in d.items() if kind != view} for d in data]


def panels(cells):
    """Return the cells that show a live panel."""
    return [c for c in cells if any(o.get("metadata", {}).get("live") for o in c.outputs)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_run_in_any_order(path):
    imports, *cells = code_cells(nbformat.read(path, as_version=4))
    mixed = random.Random(path.stem).sample(cells, len(cells))
    with kernel(path.parent) as run:
        assert errors(run(imports.source)) == []
        for cell in mixed:
            outputs = run(cell.source)
            assert {name for name, _ in errors(outputs)} <= {"NameError"}, cell.source
            assert stderr(outputs) == [], cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_panels_cell_runs_ten_times(path):
    cells = code_cells(nbformat.read(path, as_version=4))
    again = panels(cells)
    with kernel(path.parent) as run:
        for cell in cells:
            outputs = run(cell.source)
            assert errors(outputs) == [] and stderr(outputs) == []
            if cell in again:
                for _ in range(9):
                    more = run(cell.source)
                    assert shown(more) == shown(outputs) and stderr(more) == errors(more) == []


TWO = {
    "one input and one kernel for two panels": (
        "one, two = KernelEditor(X, K), KernelEditor(X, K)",
        "one._controls.grid._boxes[0, 0].value = '3'; X.zero_(); K.zero_()",
        "(one.kernel[0, 0].item(), two.kernel[0, 0].item(), two.X.sum().item())",
        "(3.0, 1.0, 24.0)",
    ),
    "one panel shown twice": (
        "from IPython.display import display; one = KernelEditor(X, K); display(one, one)",
        "one._controls.rows.value = 2; display(one)",
        "(tuple(one.kernel.shape), tuple(one.output.shape))",
        "((2, 2), (5, 7))",
    ),
    "two steppers that follow one editor": (
        "one = KernelEditor(X, K); two = [DescentStepper(X, one.output, 0 * K) for _ in range(2)]\n"
        "for stepper in two: stepper.follow(one)",
        "two[0].n = 3; one.kernel = 2 * K",
        "[(s.n, torch.equal(s.Y, one.output), s.Y.max().item()) for s in two]",
        "[(3, True, 2.0), (0, True, 2.0)]",
    ),
    "a stepper's cell that runs again follows again": (
        "one = KernelEditor(X, K)\n"
        "for _ in range(10): two = DescentStepper(X, one.output, 0 * K); two.follow(one)",
        "one.kernel = 2 * K",
        "(two.Y.max().item(), 'status' in two.status)",
        "(2.0, True)",
    ),
}


@pytest.mark.parametrize("case", TWO)
def test_two_panels_on_one_state(case):
    make, act, ask, wanted = TWO[case]
    with kernel() as run:
        for source in (IMPORTS, make, act):
            outputs = run(source)
            assert errors(outputs) == [] and stderr(outputs) == []
        assert run(ask)[-1].data["text/plain"] == wanted


def test_what_breaks_is_seen():
    with kernel() as run:
        assert errors(run("1 / 0")) == [("ZeroDivisionError", "division by zero")]
        broken = IMPORTS + "\npanel = KernelEditor(X, K)\npanel._trial.adopt = None\n"
        assert "_on_control failed" in "".join(
            stderr(run(broken + "panel._controls.flip.value = 1"))
        )
