"""Stored text is the same however and wherever the notebooks run.

Everything at once differs from nbval's run: two threads, the processor's basic instruction set,
another working directory, no network, and the notebooks in reverse order.
"""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks.nbval_plugin import text_parts
from tools.notebooks import check, clean, code_cells, run

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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_run_gives_the_same_text(path, folder):
    stored, fresh = (nbformat.read(path, as_version=4) for _ in range(2))
    run(fresh, folder)
    check(fresh)
    clean(fresh)
    for old, new in zip(code_cells(stored), code_cells(fresh), strict=True):
        assert list(map(text_parts, new.outputs)) == list(map(text_parts, old.outputs))
    assert list(folder.iterdir()) == []


def test_the_kernel_differs(folder):
    notebook = new_notebook(cells=[new_code_cell(REPORT)])
    run(notebook, folder)
    assert notebook.cells[0].outputs[0].text == "2 DEFAULT\nthere is no network\n"
