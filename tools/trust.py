"""Sign the project's notebooks, so that JupyterLab trusts them and shows their stored panels.

    python -m tools.trust

Signed is what the last commit holds, unchanged. A notebook that somebody put into the folder, or
changed, is not signed: what it stores could run a script as soon as it is opened. Where there is
no git, such as in a downloaded archive, nothing tells the two apart, so nothing is signed.
"""

import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

ROOT = Path(__file__).parents[1]


def git_paths(root: Path, *command: str) -> set[Path]:
    """Return the paths under `notebooks` that a git command lists."""
    listed = subprocess.run(
        ["git", *command, "-z", "HEAD", "--", "notebooks"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return {root / name for name in listed.stdout.split("\0") if name}


def committed_notebooks(root: Path) -> list[Path]:
    """Return the notebooks that are as the last commit holds them, in order of their names."""
    committed = git_paths(root, "ls-tree", "-r", "--name-only")
    changed = git_paths(root, "diff", "--name-only", "--relative", "--no-renames")
    return sorted(path for path in committed - changed if path.suffix == ".ipynb")


def sign(path: Path, notary: NotebookNotary | None = None) -> None:
    """Record that a notebook, as it is now, is trusted on this computer."""
    notary = notary or NotebookNotary()
    notary.sign(nbformat.read(path, as_version=4))


def main(root: Path = ROOT, notary: NotebookNotary | None = None) -> int:
    """Sign each committed notebook; say which of the folder's notebooks are not signed."""
    try:
        committed = committed_notebooks(root)
    except FileNotFoundError:
        print("No notebook is trusted: git is not installed.")
        return 0
    except subprocess.CalledProcessError as error:
        print(f"No notebook is trusted: {error.stderr.splitlines()[0]}")
        return 0
    for path in committed:
        sign(path, notary)
    for path in sorted(set((root / "notebooks").glob("*.ipynb")) - set(committed)):
        print(f"{path.name} differs from the last commit, so it is not trusted.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
