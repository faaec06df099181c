"""The files that set a machine up agree with each other."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import convkit
from convkit.d2l_compat import D2L_PIN
from tools.pins import read_pins

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
PINS = {
    name.lower().replace("_", "-"): Version(version)
    for name, version in (pin.split("==") for pin in read_pins() if pin != D2L_PIN)
}
CONDA = yaml.safe_load(read("environment.yml"))
STATED = dict(re.match(r"([\w-]+)=?([\d.]*)", line).groups() for line in CONDA["dependencies"])
VERSIONS = {CONDA_NAMES.get(n, n): v.strip(".") for n, v in STATED.items() if n not in CONDA_ONLY}


def test_each_range_has_its_pin_and_each_pin_is_in_range():
    assert [n for n, r in RANGES.items() if n not in PINS or PINS[n] not in r.specifier] == []


def test_requirements_hold_exact_pins_without_local_builds_and_nothing_else():
    lines = [x for x in read("requirements.txt").splitlines() if x and not x.startswith("#")]
    assert len(lines) == len(PINS)
    assert [n for n, version in PINS.items() if version.local] == []


def test_what_a_pin_requires_is_pinned_too():
    """Leave out torch, whose CUDA packages pip adds on Linux, and setuptools."""
    required = {
        r.name.lower().replace("_", "-")
        for name in PINS.keys() - {"torch"}
        for r in map(Requirement, importlib.metadata.requires(name) or [])
        if r.marker is None or r.marker.evaluate({"extra": ""})
    }
    assert required - PINS.keys() - {"setuptools"} == set()


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


@pytest.mark.parametrize("file", ["requirements.txt", "binder/postBuild", "pyproject.toml"])
def test_d2l_has_the_same_pin_everywhere(file):
    assert set(re.findall(r"d2l==[\d.]+", read(file))) == {D2L_PIN}


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_make_targets_that_are_named_exist(file):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", read(file), re.MULTILINE))
    assert named
    assert named - targets == set()


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make without doing what it would do, as if these tests were not run by make."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["make", "-n", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env)


def test_make_installs_d2l_without_its_dependencies():
    assert f"--no-deps {D2L_PIN}" in make("-B", "install").stdout


@pytest.mark.parametrize("path", ["my venv", ""])
def test_make_refuses_a_venv_with_blanks_in_one_line(path):
    refused = make(f"VENV={path}", "lab")
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert f'VENV="{path}" must be one path without blanks' in refused.stderr
