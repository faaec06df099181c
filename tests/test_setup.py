"""The files that set a machine up agree with each other."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import convkit
from convkit import ramp
from convkit.d2l_compat import D2L_PIN
from convkit.exercises import EXERCISES
from convkit.panels import DescentStepper

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}
CONDA_ONLY = {"pip", "python", "setuptools"}  # conda packages that pyproject has no range for


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def requirements(*parts: list[str]) -> dict[str, Requirement]:
    return {r.name: r for part in parts for r in map(Requirement, part)}


PROJECT = tomllib.loads(read("pyproject.toml"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUNTIME = requirements(PROJECT["dependencies"], EXTRAS["notebooks"])
RANGES = RUNTIME | requirements(EXTRAS["dev"])
LINES = [line for line in read("requirements.txt").splitlines() if not line.startswith("#")]
PINNED = [Requirement(line) for line in LINES]
PINS = {r.name: Version(str(r.specifier).removeprefix("==")) for r in PINNED}
CONDA = yaml.safe_load(read("environment.yml"))
STATED = dict(re.match(r"([\w-]+)=?([\d.]*)", line).groups() for line in CONDA["dependencies"])
VERSIONS = {CONDA_NAMES.get(n, n): v.strip(".") for n, v in STATED.items() if n not in CONDA_ONLY}


def test_each_range_has_its_pin_and_each_pin_is_in_range():
    assert [n for n, r in RANGES.items() if n not in PINS or PINS[n] not in r.specifier] == []


def test_requirements_hold_one_exact_pin_a_package_without_local_builds():
    assert len(PINS) == len(PINNED)
    assert [n for n, version in PINS.items() if version.local] == []


def test_what_a_pin_requires_is_pinned_too():
    """Leave out torch, whose CUDA packages pip adds on Linux."""
    required = {
        canonicalize_name(r.name)
        for pin in PINNED
        if pin.name != "torch" and (pin.marker is None or pin.marker.evaluate())
        for r in map(Requirement, importlib.metadata.requires(pin.name) or [])
        if r.marker is None or r.marker.evaluate({"extra": ""})
    }
    assert required - PINS.keys() == set()


def test_environment_is_for_conda_forge_and_the_same_for_binder():
    assert read("environment.yml") == read("binder/environment.yml")
    assert CONDA["channels"] == ["conda-forge"]
    assert STATED["python"] == "3.11"  # repo2docker does not read `python>=3.11`
    assert STATED["python"] in Requirement(f"python{PROJECT['requires-python']}").specifier


def test_environment_holds_what_the_notebooks_need_as_the_pins_say():
    assert {n: f"{PINS[n].major}.{PINS[n].minor}" for n in RUNTIME} == VERSIONS


def test_contributing_says_what_each_dependency_is_for():
    table = read("CONTRIBUTING.md").partition("## What each dependency is for")[2]
    told = re.findall(r"^\| ([\w-]+) \| [^|]+ \|$", table, re.MULTILINE)[2:]  # below its head
    assert sorted(told) == sorted({*RANGES, "d2l"})


def test_pip_reports_nothing_but_the_pins_of_d2l():
    check = [sys.executable, "-m", "pip", "check"]
    lines = subprocess.run(check, capture_output=True, text=True).stdout.splitlines()
    assert lines
    assert [line for line in lines if not line.startswith(D2L_PIN.replace("==", " "))] == []


def test_the_version_stands_in_the_package_alone():
    assert "version" not in PROJECT
    assert importlib.metadata.version("convkit") == convkit.__version__


def test_styles_scripts_and_types_are_package_data():
    data = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["package-data"]["*"]
    packages = [path.parent for path in (ROOT / "convkit").rglob("__init__.py")]
    shipped = {path for package in packages for pattern in data for path in package.glob(pattern)}
    others = {p for p in (ROOT / "convkit").rglob("*.*") if p.suffix not in (".py", ".pyc")}
    assert shipped == others


def test_post_build_is_strict_executable_and_resolves_nothing():
    lines = read("binder/postBuild").splitlines()
    assert os.access(ROOT / "binder" / "postBuild", os.X_OK)
    assert lines[0] == "#!/usr/bin/env bash"
    assert next(x for x in lines if not x.startswith("#")) == "set -euo pipefail"
    assert all("--no-deps" in x for x in lines if "pip install" in x)


@pytest.mark.parametrize(
    "file",
    ["Makefile", "README.md", "binder/postBuild", "docs/teachers.md", "noxfile.py"],
)
def test_d2l_has_the_same_pin_everywhere(file):
    assert set(re.findall(r"d2l==[\d.]+", read(file))) == {D2L_PIN}


def test_the_matrix_leaves_out_the_pins_of_this_d2l():
    metadata = tomllib.loads(read("pyproject.toml"))["tool"]["uv"]["dependency-metadata"]
    assert [f"{m['name']}=={m['version']}" for m in metadata] == [D2L_PIN]


@pytest.mark.parametrize(
    "file", ["README.md", "CONTRIBUTING.md", ".ci/run", ".github/workflows/ci.yml"]
)
def test_make_targets_that_are_named_exist(file):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`|run: )make ([a-z-]+)", read(file), re.MULTILINE))
    assert named
    assert named - targets == set()


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make without doing what it would do, as if these tests were not run by make."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["make", "-n", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env | variables)


def refusal(*arguments: str) -> str:
    """Return the one line with which make refuses."""
    refused = make(*arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    return line


def test_make_installs_d2l_without_its_dependencies():
    assert f"--no-deps {D2L_PIN}" in make("-B", "install").stdout


@pytest.mark.parametrize("target", ["lab", "test"])
def test_pytorchs_index_of_cpu_wheels_is_asked_where_one_wants_it(target):
    index = "--extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt"
    assert index in make("-B", target, "TORCH=cpu").stdout
    assert index not in make("-B", target, TORCH="cpu").stdout
    assert refusal("lab", "TORCH=gpu").endswith("write TORCH=cpu, or leave it out.  Stop.")


@pytest.mark.parametrize("file", ["README.md", "docs/teachers.md"])
def test_the_code_of_a_page_runs(file, monkeypatch):
    """All but that for marimo, which is not installed here."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("convkit.exercises.EXERCISES", {**EXERCISES})
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```$", read(file), re.MULTILINE | re.DOTALL)
    assert blocks
    names = {"stepper": DescentStepper(ramp(), target=[[1, -1]])}
    for _, code in blocks:
        if "marimo" not in code:
            exec(textwrap.dedent(code), names)
    if "stepper.n" in read(file):
        assert names["stepper"].n == 25
        assert names["check"]("A.1", names["count_pixels"])


def test_the_citation_and_the_container_can_be_read():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    container = json.loads(read(".devcontainer/devcontainer.json"))
    assert "make trust TORCH=cpu" in container["postCreateCommand"]
    assert container["image"] == f"python:{STATED['python']}"


@pytest.mark.parametrize("path", ["my venv", ""])
def test_make_refuses_a_venv_with_blanks(path):
    assert f'VENV="{path}" must be one path without blanks' in refusal(f"VENV={path}", "lab")


@pytest.mark.parametrize("kind", ["folder", "with pip", "file"])
def test_make_changes_nothing_in_a_folder_that_is_no_environment(tmp_path, kind):
    """Not even where a pip is, as in /usr."""
    place = tmp_path / "bin" / "pip" if kind != "file" else tmp_path / "venv"
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine")
    folder = tmp_path if kind != "file" else place
    assert "is no Python environment and not empty" in refusal(f"VENV={folder}", "lab")
    assert place.read_text() == "mine"


def test_make_takes_a_new_folder_an_empty_one_or_an_environment_and_empties_none(tmp_path):
    for folder in (tmp_path / "new", tmp_path):
        made = make(f"VENV={folder}", "lab")
        assert f'"$python" -m venv {folder}\n' in made.stdout
    (tmp_path / "pyvenv.cfg").touch()
    assert make(f"VENV={tmp_path}", "lab").returncode == 0
    assert "--clear" not in read("Makefile")


def test_make_takes_its_variables_from_its_command_alone(tmp_path):
    (tmp_path / "mine").touch()
    variables = {"VENV": str(tmp_path), "NB": "typo", "ARGS": "--no-such-option", "TORCH": "gpu"}
    assert make("-B", "test", **variables).stdout == make("-B", "test").stdout


@pytest.mark.parametrize("name", ["typo", "00_start_here 01_cross_correlation", "*", "%"])
@pytest.mark.parametrize("target", ["notebooks", "export", "test-notebooks", "lab"])
def test_a_notebook_that_is_not_there_is_named(target, name):
    assert f'NB="{name}" is none of the notebooks: 00_start_here ' in refusal(target, f"NB={name}")


@pytest.mark.parametrize("name", ["00_start_here", "00_start_here.ipynb", "a/00_start_here.ipynb"])
def test_a_notebook_may_be_named_in_any_way(name):
    assert (
        "tools.notebooks 'notebooks/00_start_here.ipynb'" in make("notebooks", f"NB={name}").stdout
    )
