"""Only the project's own notebooks are signed, and only as they were committed."""

import subprocess

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_notebook

from tools.trust import main

IDENTITY = ["-c", "user.name=tester", "-c", "user.email=tester@example.invalid"]
REASONS = {"no repository": "fatal: ", "no commit": "fatal: ", "no git": "git is not installed"}
BROKEN = {
    "empty": b"",
    "conflicting": b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n",
    "latin": b'{"cells": [], "metadata": {"title": "\xe9"}, "nbformat": 4, "nbformat_minor": 5}',
    "list": b"[]",
    "number": b'{"nbformat": "four"}',
}


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


def hide_by_filter(project):
    """Let git see the committed content, whatever the file holds, as nbstripout does."""
    git(project, "config", "filter.strip.clean", "git show HEAD:%f")
    (project / ".gitattributes").write_text("*.ipynb filter=strip\n")


def hide_by_flag(flag):
    return lambda project: git(project, "update-index", flag, "notebooks/edited.ipynb")


HIDING = {
    "filter": hide_by_filter,
    "skip-worktree": hide_by_flag("--skip-worktree"),
    "assume-unchanged": hide_by_flag("--assume-unchanged"),
}


@pytest.mark.parametrize("way", HIDING)
def test_what_git_is_told_to_overlook_is_not_signed(project, notary, capsys, way):
    HIDING[way](project)
    write(project, "edited", "'edited'")
    git(project, "diff", "--exit-code", "--", "notebooks")
    assert main(project, notary) == 0
    assert trusted(project, notary) == {"kept"}
    told = "edited.ipynb differs from the last commit, so it is not trusted.\n"
    assert capsys.readouterr().out == told


def test_what_a_committed_link_leads_to_is_not_signed(project, notary):
    write(project, "target", "'target'")
    (project / "notebooks" / "link.ipynb").symlink_to("target.ipynb")
    git(project, "add", "notebooks/link.ipynb")
    git(project, "commit", "-m", "Add a link")
    main(project, notary)
    assert trusted(project, notary) == {"kept", "edited"}


def test_another_repository_that_the_environment_names_is_not_asked(
    project, notary, tmp_path, monkeypatch
):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init")
    write(other, "foreign", "'foreign'")
    git(other, "add", ".")
    git(other, "commit", "-m", "Add a notebook")
    write(project, "foreign", "'foreign'")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    main(project, notary)
    assert trusted(project, notary) == {"kept", "edited"}


@pytest.mark.parametrize("is_committed", [False, True])
def test_broken_notebooks_are_named_in_a_line_each_and_the_rest_is_signed(
    project, notary, capsys, is_committed
):
    for name, content in BROKEN.items():
        (project / "notebooks" / f"{name}.ipynb").write_bytes(content)
    (project / "notebooks" / "folder.ipynb").mkdir()
    if is_committed:
        git(project, "add", ".")
        git(project, "commit", "-m", "Add broken notebooks")
    assert main(project, notary) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.partition(".ipynb cannot be read, so it is left out (")[0] for line in lines]
    assert names == sorted([*BROKEN, "folder"])
    for name in BROKEN:
        (project / "notebooks" / f"{name}.ipynb").unlink()
    (project / "notebooks" / "folder.ipynb").rmdir()
    assert trusted(project, notary) == {"kept", "edited"}


@pytest.mark.parametrize("case", REASONS)
def test_without_a_commit_nothing_is_signed(tmp_path, notary, capsys, monkeypatch, case):
    write(tmp_path, "downloaded")
    if case == "no commit":
        git(tmp_path, "init")
    if case == "no git":
        monkeypatch.setenv("PATH", "")
    assert main(tmp_path, notary) == 0
    assert trusted(tmp_path, notary) == set()
    assert REASONS[case] in capsys.readouterr().out
