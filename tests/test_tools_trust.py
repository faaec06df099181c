"""Only the project's own notebooks are signed, and only as they were committed."""

import subprocess

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_notebook

from tools.trust import main

IDENTITY = ["-c", "user.name=tester", "-c", "user.email=tester@example.invalid"]
REASONS = {"no commit": "fatal: ", "no git": "git is not installed"}


def write(folder, name, source="1 + 1"):
    (folder / "notebooks").mkdir(exist_ok=True)
    cell = new_code_cell(source, id="cell")
    nbformat.write(new_notebook(cells=[cell]), folder / "notebooks" / f"{name}.ipynb")


def git(folder, *arguments):
    subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True)


def trusted(folder, notary):
    paths = (folder / "notebooks").glob("*.ipynb")
    return {p.stem for p in paths if notary.check_signature(nbformat.read(p, as_version=4))}


@pytest.fixture
def notary(tmp_path):
    """Give a store of signatures of its own, which knows none yet."""
    (tmp_path / "data").mkdir()
    notary = NotebookNotary(data_dir=str(tmp_path / "data"))
    yield notary
    notary.store.close()


@pytest.fixture
def project(tmp_path):
    """Give a repository with two committed notebooks, `kept` and `edited`."""
    folder = tmp_path / "a project"
    folder.mkdir()
    git(folder, "init")
    for number, name in enumerate(("kept", "edited")):
        write(folder, name, f"{number}")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "Add notebooks")
    return folder


def test_committed_notebooks_are_signed(project, notary):
    assert trusted(project, notary) == set()
    assert main(project, notary) == 0
    assert trusted(project, notary) == {"kept", "edited"}


def test_edited_and_foreign_notebooks_are_not_signed(project, notary, capsys):
    write(project, "edited", "'edited'")
    write(project, "untracked", "'untracked'")
    write(project, "staged", "'staged'")
    git(project, "add", "notebooks/staged.ipynb")
    (project / "notebooks" / "link.ipynb").symlink_to("untracked.ipynb")
    assert main(project, notary) == 0
    assert trusted(project, notary) == {"kept"}
    names = [line.partition(" ")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["edited.ipynb", "link.ipynb", "staged.ipynb", "untracked.ipynb"]


@pytest.mark.parametrize("case", REASONS)
def test_without_git_nothing_is_signed(tmp_path, notary, capsys, monkeypatch, case):
    write(tmp_path, "downloaded")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if case == "no git":
        monkeypatch.setenv("PATH", "")
    assert main(tmp_path, notary) == 0
    assert trusted(tmp_path, notary) == set()
    assert REASONS[case] in capsys.readouterr().out
