"""Cells that run in any order, and again, break no panel, in a real kernel."""

import random
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tools.notebooks import KERNELSPEC, WIDGET_VIEW, code_cells

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
IMPORTS = """\
import torch
from convkit import corr2d, stripes
from convkit.panels import DescentStepper, KernelEditor
X, K = stripes(), torch.tensor([[1.0, -1.0]])"""


@contextmanager
def kernel(folder=ROOT):
    """Give a function that runs a source in a new kernel and returns its outputs."""
    notebook = new_notebook(metadata={"kernelspec": KERNELSPEC})
    client = NotebookClient(
        notebook,
        timeout=120,
        allow_errors=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )

    def run(source):
        notebook.cells.append(new_code_cell(source))
        return client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1).outputs

    with client.setup_kernel():
        yield run


def failures(outputs):
    """Return the names of errors, and what went to stderr: exceptions in handlers end there."""
    errors = [output.ename for output in outputs if output.output_type == "error"]
    return errors + [output.text for output in outputs if output.get("name") == "stderr"]


def shown(outputs):
    """Return what a cell shows, without the live view, which has another id each time."""
    data = [dict(output.data) for output in outputs if "data" in output]
    return [{kind: value for kind, value in d.items() if kind != WIDGET_VIEW} for d in data]


def is_panel(cell):
    return any(output.get("metadata", {}).get("live") for output in cell.outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_run_in_any_order(path):
    imports, *cells = code_cells(nbformat.read(path, as_version=4))
    shuffled = random.Random(path.stem).sample(cells, len(cells))
    with kernel(path.parent) as run:
        assert failures(run(imports.source)) == []
        for cell in shuffled:
            assert set(failures(run(cell.source))) <= {"NameError"}, cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cell_of_a_panel_runs_three_times(path):
    with kernel(path.parent) as run:
        for cell in code_cells(nbformat.read(path, as_version=4)):
            outputs = run(cell.source)
            assert failures(outputs) == []
            for _ in range(2 if is_panel(cell) else 0):
                again = run(cell.source)
                assert failures(again) == []
                assert shown(again) == shown(outputs)


CASES = {
    "two panels with the same tensors": (
        "one, two = KernelEditor(X, K), KernelEditor(X, K)",
        "one.kernel = 3 * K; X.zero_(); K.zero_()",
        "(one.kernel[0, 0].item(), two.kernel[0, 0].item(), two.X.sum().item())",
        "(3.0, 1.0, 24.0)",
    ),
    "one panel shown twice": (
        "from IPython.display import display; one = KernelEditor(X, K); display(one, one)",
        "one.kernel = torch.ones(2, 2); display(one)",
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
    "a stepper whose cell runs again follows again": (
        "one = KernelEditor(X, K)\n"
        "for _ in range(3): two = DescentStepper(X, one.output, 0 * K); two.follow(one)",
        "one.kernel = 2 * K",
        "two.Y.max().item()",
        "2.0",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_panels_that_share_state(name):
    make, act, ask, expected = CASES[name]
    with kernel() as run:
        for source in (IMPORTS, make, act):
            assert failures(run(source)) == []
        assert run(ask)[-1].data["text/plain"] == expected


def test_failures_are_seen():
    with kernel() as run:
        assert failures(run("1 / 0")) == ["ZeroDivisionError"]
        assert failures(run("import logging; logging.error('in a handler')")) == [
            "ERROR:root:in a handler\n"
        ]
