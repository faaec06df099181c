"""Copy the project's settings of JupyterLab, nbconvert and IPython into this Python's environment.

    python -m tools.install_settings

A file that is there already, and is another one, is kept beside it under another name.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

SETTINGS = Path(__file__).with_name("settings")


def install(target: Path) -> Iterator[str]:
    """Copy the settings into a folder; yield a line on each file that had to make room."""
    for source in sorted([*SETTINGS.rglob("*.json"), *SETTINGS.rglob("*.py")]):
        place = target / source.relative_to(SETTINGS)
        if place.is_file() and place.read_bytes() == source.read_bytes():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(place):
            kept = free_name(place)
            place.rename(kept)
            yield f"{place} was there already: it is kept as {kept.name}."
        shutil.copyfile(source, place)


def free_name(path: Path) -> Path:
    """Return a name beside `path` that nothing has: a.json.1, a.json.2 ..."""
    number = 1
    while os.path.lexists(path.with_name(f"{path.name}.{number}")):
        number += 1
    return path.with_name(f"{path.name}.{number}")


if __name__ == "__main__":
    for line in install(Path(sys.prefix) / "etc"):
        print(line)
