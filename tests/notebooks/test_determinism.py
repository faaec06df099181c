"""Stored text is the same however and wherever the notebooks run, and panels bear any order.

Everything at once differs from nbval's run: two threads, the processor's basic instruction set,
another working directory, no network, and the notebooks in reverse order.
"""

import random
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks.nbval_plugin import text_parts
from tools.notebooks import KERNELSPEC, as_stored, code_cells, is_live

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"), reverse=True)

# A kernel runs this first.
NO_NETWORK = """\
import socket


def refuse(*args, **kwargs):
    raise OSError("there is no network")


socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""
# Shows that a kernel did so, and runs as intended.
REPORT = """\
import socket, torch
print(torch.get_num_threads(), torch.backends.cpu.get_cpu_capability())
try:
    socket.create_connection(("127.0.0.1", 1))
except OSError as error:
    print(error)"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Give an empty working directory, and make kernels start with all those differences."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "no_network.py").write_text(NO_NETWORK)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    made = tmp_path / "elsewhere"
    made.mkdir()
    return made


@contextmanager
def kernel(folder):
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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_run_gives_the_same_text_and_cells_run_again(path, folder):
    """In order, the cell of a panel three times; then all but the imports in another order."""
    cells = code_cells(nbformat.read(path, as_version=4))
    with kernel(folder) as run:
        for cell in cells:
            for _ in range(3 if is_live(cell) else 1):
                shown = run(cell.source)
                assert failures(shown) == []
                assert list(map(text_parts, as_stored(shown))) == list(
                    map(text_parts, cell.outputs)
                )
        for cell in random.Random(path.stem).sample(cells[1:], len(cells) - 1):
            assert failures(run(cell.source)) == [], cell.source
    assert list(folder.iterdir()) == []


def test_the_kernel_differs_and_failures_are_seen(folder):
    with kernel(folder) as run:
        assert run(REPORT)[0].text == "2 DEFAULT\nthere is no network\n"
        assert failures(run("1 / 0")) == ["ZeroDivisionError"]
        assert failures(run("import logging; logging.error('in a handler')")) == [
            "ERROR:root:in a handler\n"
        ]
