"""Make a notebook from a template, with everything that belongs to it.

    python -m tools.new_notebook 05_learning_rates

Its file, its exercises (convkit/exercises/nb05.py), its row in the README, its neighbours' links
to it, and its row in the first notebook's map. Then it is run and stored: what is left is to
write what it teaches.
"""

import re
import sys
from pathlib import Path

from tools import series
from tools.notebooks import NotebookError, store

TEMPLATES = Path(__file__).with_name("templates")
NAME = re.compile(r"(\d\d)_([a-z0-9]+(?:_[a-z0-9]+)*)")
PURPOSE = "say here what one can do afterwards"


def make(root: Path, name: str) -> Path:
    """Write the files of a notebook, and its row in the README; return its path."""
    number, topic = read_name(root, name)
    title = topic.replace("_", " ").capitalize()
    words = {"NUMBER": str(int(number)), "LABEL": f"{number} {title}", "TITLE": title}
    path = root / "notebooks" / f"{number}_{topic}.ipynb"
    fill("notebook.ipynb", path, words)
    fill("exercises.py", root / "convkit" / "exercises" / f"nb{number}.py", words)
    add_row(root / "README.md", f"| [{number} {title}](notebooks/{path.name}) | {PURPOSE} |")
    return path


def read_name(root: Path, name: str) -> tuple[str, str]:
    """Return the number and the topic in a name; raise NotebookError where there are none."""
    match = NAME.fullmatch(name.rpartition("/")[2].removesuffix(".ipynb"))
    if match is None:
        raise NotebookError(
            f'NB="{name}" is no name for a notebook: write a number of two digits and a topic, '
            "such as NB=05_learning_rates."
        )
    taken = [path.name for path in (root / "notebooks").glob(f"{match[1]}_*.ipynb")]
    if taken:
        raise NotebookError(f'NB="{name}": {taken[0]} has this number already.')
    return match[1], match[2]


def fill(template: str, path: Path, words: dict[str, str]) -> None:
    """Write a template to a path, with words in place of their names."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for name, word in words.items():
        text = text.replace(name, word)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)


def add_row(readme: Path, row: str) -> None:
    """Add a row to the README's table, in the order of the numbers."""
    text = readme.read_text(encoding="utf-8")
    rows = [match[0] for match in series.ROW.finditer(text)]
    after = max(old for old in rows if old < row)
    readme.write_text(text.replace(after, f"{after}\n{row}"), encoding="utf-8")


def main(name: str, root: Path = series.ROOT) -> int:
    """Make a notebook, and store it; return 1 where that fails, having said why in a line."""
    try:
        path = make(root, name)
        series.main(root)
        store(path)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path.relative_to(root)} is ready, with convkit/exercises/nb{path.name[:2]}.py.")
    print("Write what it teaches, and its row in the README; then run make notebooks.")
    print("Its picture in the map is drawn by tools/map_pictures.py.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
