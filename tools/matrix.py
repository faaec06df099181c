"""Run the notebooks with the oldest and the newest numpy and matplotlib that pyproject admits.

    python -m tools.matrix

Each pair is installed, with what is built upon numpy, into a folder that comes before the
environment's packages; torch and Jupyter stay as they are. What text shows must be what is stored;
pictures may differ, as fonts do.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.notebooks import check, clean, code_cells, run

ROOT = Path(__file__).parents[1]
VARIED = ("numpy", "matplotlib")
UPON_NUMPY = ("pandas", "scipy")


def ranges(names: tuple[str, ...]) -> list[str]:
    """Return what pyproject says of packages that the notebooks need: ["numpy>=1.26"]."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["notebooks"]
    return [line for name in names for line in needed if re.match(rf"{name}\b", line)]


def oldest(requirement: str) -> str:
    """Return the requirement that only the least version meets."""
    return re.sub(r">=([\w.]+).*", r"==\1", requirement)


def told(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield what text shows of each output, with the id of its cell."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            yield cell.id, output.get("text", "") + data.get("text/plain", "")
            yield cell.id, data.get("text/html", "")


def differing(path: Path) -> list[str]:
    """Run a notebook; return the ids of cells whose text is not what is stored."""
    stored, made = nbformat.read(path, as_version=4), nbformat.read(path, as_version=4)
    run(made, path.parent)
    check(made)
    clean(made)
    pairs = zip(told(stored), told(made), strict=True)
    return sorted({old[0] for old, new in pairs if old != new})


def imported(name: str) -> str:
    """Return the version of a package that a new process imports: "numpy 2.4.6"."""
    ask = f"import {name}; print({name}.__name__, {name}.__version__)"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return told.stdout.strip()


def main() -> int:
    """Try both ends of the ranges; 1 where a text differs."""
    newest = ranges(VARIED)
    ends = {"oldest": [oldest(line) for line in newest], "newest": newest}
    failed = False
    for end, wanted in ends.items():
        with tempfile.TemporaryDirectory(prefix="convkit-matrix-") as folder:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder]
            subprocess.run([*pip, *wanted, *ranges(UPON_NUMPY)], check=True)
            os.environ["PYTHONPATH"] = folder
            print(f"{end}:", ", ".join(map(imported, VARIED + UPON_NUMPY)), flush=True)
            for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
                cells = differing(path)
                failed |= bool(cells)
                print(f"  {path.name}: {cells or 'the same'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
