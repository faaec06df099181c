"""Check the pins and the notebooks with other versions than those that are installed.

    python -m tools.matrix [pins] [notebooks]

`pins`: `tools.pins` asks pip for each Python and system. `notebooks`: they run with the oldest and
the newest numpy and matplotlib that pyproject allows. Each pair is installed, with what is built on
numpy, into a folder that comes before the environment's packages; torch and Jupyter stay as they
are. Text must be as it is stored; pictures may differ, as fonts do.
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

from tools import pins
from tools.notebooks import check, clean, code_cells, run

ROOT = Path(__file__).parents[1]
VARIED = ("numpy", "matplotlib")
BUILT_ON_NUMPY = ("pandas", "scipy")


def ranges(names: tuple[str, ...]) -> list[str]:
    """Return pyproject's requirements of packages that the notebooks need: ["numpy>=1.26"]."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["notebooks"]
    return [line for name in names for line in needed if re.match(rf"{name}\b", line)]


def oldest(requirement: str) -> str:
    """Return the requirement that only the oldest allowed version meets."""
    return re.sub(r">=([\w.]+).*", r"==\1", requirement)


def texts(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield the text of each output, with the id of its cell."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            yield cell.id, output.get("text", "") + data.get("text/plain", "")
            yield cell.id, data.get("text/html", "")


def changed_cells(path: Path) -> list[str]:
    """Run a notebook; return the ids of cells whose text is not what is stored."""
    stored, made = nbformat.read(path, as_version=4), nbformat.read(path, as_version=4)
    run(made, path.parent)
    check(made)
    clean(made)
    pairs = zip(texts(stored), texts(made), strict=True)
    return sorted({old[0] for old, new in pairs if old != new})


def imported(name: str) -> str:
    """Return the version of a package that a new process imports: "numpy 2.4.6"."""
    ask = f"import {name}; print({name}.__name__, {name}.__version__)"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def check_notebooks(requirements: list[str]) -> bool:
    """Run all notebooks with other packages; return whether their text is as stored."""
    same = True
    with tempfile.TemporaryDirectory(prefix="convkit-matrix-") as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder]
        subprocess.run([*pip, *requirements, *ranges(BUILT_ON_NUMPY)], check=True)
        os.environ["PYTHONPATH"] = folder
        print(", ".join(map(imported, VARIED + BUILT_ON_NUMPY)), flush=True)
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            cells = changed_cells(path)
            same = same and not cells
            print(f"  {path.name}: {cells or 'the same'}", flush=True)
    return same


def main(parts: list[str]) -> int:
    """Check the parts named, or all; 1 where a pin is missing or a text differs."""
    newest = ranges(VARIED)
    failures = 0
    if "pins" in parts or not parts:
        failures += pins.main()
    if "notebooks" in parts or not parts:
        for requirements in ([oldest(line) for line in newest], newest):
            failures += not check_notebooks(requirements)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
