"""A new notebook comes with all that belongs to it; what names every notebook is written once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from tests.notebooks.notebook_lint import lint
from tools import map_pictures, series
from tools.new_notebook import main, read_name
from tools.notebooks import NotebookError

ROOT = Path(__file__).parents[1]
NAME = "90_new_topic"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Give a copy of the project's files."""
    folder = tmp_path_factory.mktemp("project")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def run(project: Path, *command: str) -> str:
    """Run a Python module in the copy, which is the convkit that it and its kernels import."""
    env = os.environ | {"PYTHONPATH": str(project)}
    command = [sys.executable, "-m", *command]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_links_and_map_are_those_of_the_readme_and_its_minutes_those_of_the_titles():
    assert [path.name for path, _ in series.outdated(ROOT)] == []
    assert (ROOT / "README.md").read_text(encoding="utf-8") == series.readme(ROOT)


def test_the_readme_has_a_row_for_each_notebook():
    names = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert [entry.file for entry in series.entries(ROOT)] == names


def test_a_new_notebook_passes_every_check(project):
    assert f"notebooks/{NAME}.ipynb is ready" in run(project, "tools.new_notebook", NAME)
    paths = sorted((project / "notebooks").glob("*.ipynb"))
    assert paths[-1].stem == NAME
    for path in paths:
        problems = lint(nbformat.read(path, as_version=4), path)
        assert [problem for problem in problems if " link" in problem] == []
    run(project, "pytest", "-q", "--nbval", f"notebooks/{NAME}.ipynb")
    run(project, "ruff", "check", "convkit/exercises", "notebooks")
    assert "90.1" in run(project, "convkit.exercises", f"notebooks/{NAME}.ipynb")
    assert f"[90 New topic](notebooks/{NAME}.ipynb)" in (project / "README.md").read_text()
    first = nbformat.read(paths[0], as_version=4)
    row = f"| | [90 New topic]({NAME}.ipynb) | say here what one can do afterwards | 10 | 7.2 |"
    assert row in "\n".join(cell.source for cell in first.cells)
    assert list(series.outdated(project)) == []
    assert "what one can do afterwards | 10 |\n" in (project / "README.md").read_text()


@pytest.mark.parametrize(
    ("words", "cells", "exercises", "expected"),
    [(300, 0, 0, 5), (750, 0, 0, 5), (751, 0, 0, 10), (0, 20, 0, 10), (150, 3, 2, 10)],
)
def test_minutes_are_those_of_reading_running_and_solving(words, cells, exercises, expected):
    solve = [f"**Exercise 4.{n}.**" for n in range(exercises)]
    text = " ".join(["word"] * (words - 2 * exercises) + ["| - ="] + solve)
    made = [new_markdown_cell(text), *(new_code_cell("1 + 1") for _ in range(cells))]
    assert series.minutes(new_notebook(cells=made)) == expected


def test_each_notebook_has_a_picture_in_the_map_as_it_is_drawn(tmp_path):
    map_pictures.main(tmp_path)
    stored = sorted((ROOT / "notebooks" / series.PICTURES).iterdir())
    assert [f"{entry.file[:2]}.png" for entry in series.entries(ROOT)] == [p.name for p in stored]
    for path in stored:
        old, new = (np.asarray(Image.open(p), float) for p in (path, tmp_path / path.name))
        np.testing.assert_allclose(old.mean((0, 1)), new.mean((0, 1)), atol=3)


@pytest.mark.parametrize("name", ["", "topic", "5_topic", "05 topic", "05_", "05_Topic", "05_a'b"])
def test_a_name_that_is_none_is_refused_in_one_line(name, tmp_path, capsys):
    assert main(name, tmp_path) == 1
    told = capsys.readouterr().err
    assert told.startswith(f'NB="{name}" is no name for a notebook') and told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_number_that_is_taken_is_refused():
    with pytest.raises(NotebookError, match="00_start_here.ipynb has this number already"):
        read_name(ROOT, "notebooks/00_another.ipynb")
