"""`python -m convkit.exercises` prints who solved what, from what notebooks show."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from convkit.exercises import EXERCISES, check


def notebook(*results, stream=()):
    """Return a notebook that shows results of `check`, and prints others."""
    outputs = [
        {"output_type": "execute_result", "data": {"text/plain": str(each).splitlines(True)}}
        for each in results
    ]
    outputs += [{"output_type": "stream", "text": f"{each}\n"} for each in stream]
    cells = [{"cell_type": "code", "outputs": [output]} for output in outputs]
    return json.dumps({"cells": [{"cell_type": "markdown"}, *cells]})


def report(*arguments, cwd):
    command = [sys.executable, "-m", "convkit.exercises", *map(os.fspath, arguments)]
    env = {**os.environ, "PYTHONPATH": os.fspath(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, cwd=cwd, env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def handed_in(tmp_path):
    blank, wrong, right = check("0.1", ...), check("0.1", 8), check("0.1", 2)
    own = check("1.2", EXERCISES["1.2"].correct)
    files = {
        "anna/01.ipynb": notebook(right, wrong, own),
        "ben/01.ipynb": notebook(blank, stream=[wrong]),
        "ben/.ipynb_checkpoints/01.ipynb": notebook(right),
        "=cmd|'calc'!A0.ipynb": notebook("A.1 correct. Made by a teacher."),
        "@bold\x1b[1m.ipynb": notebook(),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_table_lists_the_best_verdict_on_each_exercise(handed_in):
    code, text, errors = report("anna", "ben/01.ipynb", cwd=handed_in)
    assert (code, errors) == (0, "")
    assert [line.split() for line in text.splitlines()] == [
        ["notebook", "correct", "not", "yet", "not", "started"],
        [os.path.join("anna", "01.ipynb"), "0.1", "1.2"],
        ["ben/01.ipynb", "0.1"],
    ]
    assert text.splitlines()[2].index("0.1") == text.splitlines()[0].index("not yet")


def test_csv_has_no_formula_and_a_column_for_each_exercise(handed_in):
    code, text, _ = report("--csv", *sorted(handed_in.rglob("[=@a]*.ipynb")), "anna", cwd=handed_in)
    assert code == 0
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["notebook", "0.1", "1.2", "A.1", "solved"]
    assert rows[-1] == [os.path.join("anna", "01.ipynb"), "correct", "correct", "", "2"]


@pytest.mark.parametrize("start", list("=+-@\t\r"))
def test_no_cell_begins_as_a_formula_does(tmp_path, start):
    name = f"{start}1+1.ipynb"
    (tmp_path / name).write_text(notebook(check("0.1", 2), "-1.2 correct. Forged."))
    code, text, _ = report("--csv", "--", name, cwd=tmp_path)
    assert code == 0
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "1+1.ipynb" in text
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r"))]


@pytest.mark.parametrize("text", ["", "[]", "3", '{"cells": [1]}', "[" * 100_000, "\udcff"])
def test_what_is_no_notebook_is_named_and_left_out(handed_in, text):
    (handed_in / "bad\udcff.ipynb").write_bytes(text.encode(errors="surrogateescape"))
    code, table, errors = report("bad\udcff.ipynb", "anna", "missing.ipynb", cwd=handed_in)
    assert code == 1
    assert len(table.splitlines()) == 2
    lines = errors.splitlines()
    assert [line.split(" left out: ")[0] for line in lines] == ["bad?.ipynb", "missing.ipynb"]
