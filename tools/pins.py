"""Ask pip whether each pin can be installed on each Python and system that convkit supports.

    python -m tools.pins

pip looks for wheels for another Python and system in a dry run: nothing is installed.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "requirements.txt"
PYTHONS = ("3.11.0", "3.12.0", "3.13.0", "3.14.0")
SYSTEMS = {
    "Linux": [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)]
    + ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"],
    "macOS": ["macosx_14_0_arm64"],
    "Windows": ["win_amd64"],
}
# A dry run downloads what it finds, up to a gigabyte for these: the index is asked instead.
LARGE = ("torch", "torchvision")
NOT_CHECKED = """\
Not checked: whether the packages run there; packages that pip adds on one system only, which have
no pin (colorama and pywinpty on Windows, CUDA on Linux); Linux and Windows on ARM; macOS on Intel,
where torch offers no wheel. The wheel of torch on Linux is the CUDA build of the same version."""


def read_pins() -> list[str]:
    """Return each pin, such as "numpy==2.4.6", d2l's too."""
    text = REQUIREMENTS.read_text(encoding="utf-8")
    return re.findall(r"^(?:#no-deps: *)?([\w.-]+==\S+)$", text, re.MULTILINE)


def target_options(python: str, system: str) -> list[str]:
    """Return the options of pip that name another Python and system."""
    platforms = [f"--platform={tag}" for tag in SYSTEMS[system]]
    return [f"--python-version={python}", *platforms]


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pip; return what it printed."""
    command = [sys.executable, "-m", "pip", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def is_listed(pin: str, target: list[str]) -> bool:
    """Return whether the index has a wheel of this version for the target."""
    name, _, version = pin.partition("==")
    listed = pip("index", "versions", "--only-binary=:all:", *target, name)
    return re.search(rf"[ ,]{re.escape(version)}(,|$)", listed.stdout, re.MULTILINE) is not None


def resolve(pins: list[str], target: list[str]) -> tuple[list[str], list[str]]:
    """Return the pins that cannot be installed, and the names that pip would build from source."""
    missing: list[str] = []
    with tempfile.TemporaryDirectory(prefix="convkit-pins-") as folder:
        report = Path(folder) / "report.json"
        options = ["--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
        options += [f"--target={folder}/target", f"--report={report}", *target]
        while True:
            run = pip("install", *options, *(pin for pin in pins if pin not in missing))
            if run.returncode == 0:
                return missing, built_from_source(json.loads(report.read_text(encoding="utf-8")))
            found = re.search(r"No matching distribution found for (\S+)", run.stderr)
            if found is None:
                raise RuntimeError(run.stderr)
            missing.append(found[1])


def built_from_source(report: dict) -> list[str]:
    """Return the names in pip's report that come without a wheel."""
    return [
        package["metadata"]["name"]
        for package in report["install"]
        if not package["download_info"]["url"].endswith(".whl")
    ]


def main() -> int:
    """Print a line for each Python and system; 1 where a pin cannot be installed."""
    pins = read_pins()
    large = [pin for pin in pins if pin.partition("==")[0] in LARGE]
    failed = False
    for python in PYTHONS:
        for system in SYSTEMS:
            target = target_options(python, system)
            missing, source = resolve([pin for pin in pins if pin not in large], target)
            missing += [pin for pin in large if not is_listed(pin, target)]
            failed |= bool(missing)
            verdict = f"missing: {', '.join(missing)}" if missing else f"all {len(pins)} pins"
            note = f"; from source: {', '.join(source)}" if source else ""
            print(f"Python {python:7} {system:8} {verdict}{note}", flush=True)
    print(NOT_CHECKED)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
