"""Sign the project's notebooks, so that JupyterLab trusts them and shows their stored panels.

    python -m tools.trust

Signed is what the last commit holds, read from git itself and not from the folder. JupyterLab
trusts a notebook whose content has been signed. So one that somebody put into the folder, or
changed, is not trusted: what it stores could run a script as soon as it is opened. Where there is
no git, such as in a downloaded archive, nothing tells the two apart, so nothing is signed.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary

ROOT = Path(__file__).parents[1]


def git(root: Path, *command: str) -> bytes:
    """Return what git prints of the repository around `root`, whatever the environment names."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = ("git", "--no-replace-objects", *command)
    run = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=True)
    return run.stdout


def committed_notebooks(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each notebook that the last commit holds, but no links."""
    listed = git(root, "ls-tree", "-z", "HEAD", "--", "notebooks/")
    for line in filter(None, listed.split(b"\0")):
        about, _, path = line.partition(b"\t")
        mode, _, blob = about.decode().split()
        name = os.fsdecode(path).rpartition("/")[2]
        if mode.startswith("100") and name.endswith(".ipynb"):
            yield name, git(root, "cat-file", "blob", blob)


def read(content: bytes) -> NotebookNode | str:
    """Return a notebook, or in one line why there is none in these bytes."""
    try:
        return nbformat.reads(content.decode(), as_version=4)
    except Exception as error:  # nbformat lets through whatever a broken file makes it raise
        return f"{type(error).__name__}: {error}".splitlines()[0][:100]


def sign(root: Path, notary: NotebookNotary) -> None:
    """Record that the notebooks of the last commit are trusted on this computer."""
    for _, content in committed_notebooks(root):
        notebook = read(content)
        if not isinstance(notebook, str):
            notary.sign(notebook)


def doubts(root: Path, notary: NotebookNotary) -> Iterator[str]:
    """Yield a line on each notebook of the folder that is not trusted."""
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        notebook = read(path.read_bytes()) if path.is_file() else "it is no file"
        if isinstance(notebook, str):
            yield f"{path.name} cannot be read, so it is left out ({notebook})."
        elif not notary.check_signature(notebook):
            yield f"{path.name} differs from the last commit, so it is not trusted."


def main(root: Path = ROOT, notary: NotebookNotary | None = None) -> int:
    """Sign each committed notebook; say which of the folder's notebooks are not trusted."""
    notary = notary or NotebookNotary()
    try:
        sign(root, notary)
    except FileNotFoundError:
        print("No notebook is trusted: git is not installed.")
    except subprocess.CalledProcessError as error:
        print(f"No notebook is trusted: {error.stderr.decode(errors='replace').splitlines()[0]}")
    else:
        for line in doubts(root, notary):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
