"""The stored words come out the same however and wherever the notebooks run.

Everything at once differs from the guard's run: two threads, the processor's plainest
instructions, another working directory, no network, and the notebooks in reverse order. Were a
difference found, one would have to ask which of them made it.
"""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks.nbval_plugin import words
from tools.notebooks import check, clean, code_cells, run

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

# What a kernel runs first: from then on Python reaches this machine alone.
NO_NETWORK = """\
import socket


def refuse(*args, **kwargs):
    raise OSError("there is no network")


socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """Give an empty folder to work in, and make kernels start with all that may differ."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "no_network.py").write_text(NO_NETWORK)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("path", NOTEBOOKS[::-1], ids=lambda path: path.stem)
def test_every_run_gives_the_same_words(path, elsewhere):
    stored = nbformat.read(path, as_version=4)
    made = nbformat.read(path, as_version=4)
    run(made, elsewhere)
    check(made)
    clean(made)
    for old, new in zip(code_cells(stored), code_cells(made), strict=True):
        assert list(map(words, new.outputs)) == list(map(words, old.outputs))
    assert list(elsewhere.iterdir()) == []


WHERE = """\
import os, socket, torch
print(torch.get_num_threads(), torch.backends.cpu.get_cpu_capability())
try:
    socket.create_connection(("127.0.0.1", 1))
except OSError as error:
    print(error)"""


def test_the_kernel_is_another_one(elsewhere):
    notebook = new_notebook(cells=[new_code_cell(WHERE)])
    run(notebook, elsewhere)
    assert notebook.cells[0].outputs[0].text == "2 DEFAULT\nthere is no network\n"
