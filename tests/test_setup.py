"""The files that set a machine up agree with each other."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from convkit.d2l_compat import D2L_PIN

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}
NOT_OURS = {"python", "pip", "setuptools"}  # conda packages that pyproject has no range for


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


PROJECT = tomllib.loads(read("pyproject.toml"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
RANGES = {
    r.name: r.specifier
    for r in map(Requirement, [*PROJECT["dependencies"], *EXTRAS["notebooks"], *EXTRAS["dev"]])
}
PINS = {
    name.lower().replace("_", "-"): Version(version)
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", read("requirements.txt"), re.MULTILINE)
}
CONDA = yaml.safe_load(read("environment.yml"))
STATED = dict(re.match(r"([\w-]+)=?([\d.]*)", line).groups() for line in CONDA["dependencies"])
VERSIONS = {CONDA_NAMES.get(n, n): v.strip(".") for n, v in STATED.items() if n not in NOT_OURS}


def test_each_range_has_its_pin_and_each_pin_is_in_range():
    outside = [n for n, allowed in RANGES.items() if n not in PINS or PINS[n] not in allowed]
    assert outside == []


def test_requirements_hold_exact_pins_without_local_builds_and_nothing_else():
    lines = [x for x in read("requirements.txt").splitlines() if x and not x.startswith("#")]
    assert len(lines) == len(PINS)
    assert [n for n, version in PINS.items() if version.local] == []


def test_the_two_environment_files_are_equal():
    root, binder = ((ROOT / f / "environment.yml").read_bytes() for f in (".", "binder"))
    assert root == binder


def test_environment_is_conda_forge_alone_with_python_spelled_so():
    assert CONDA["channels"] == ["conda-forge"]
    assert "python=3.11" in CONDA["dependencies"]
    assert all(isinstance(d, str) for d in CONDA["dependencies"]), "no pip section"


def test_environment_agrees_with_the_pins():
    assert {n: f"{PINS[n].major}.{PINS[n].minor}" for n in VERSIONS} == VERSIONS


def test_environment_agrees_with_the_ranges():
    assert [n for n, version in VERSIONS.items() if version not in RANGES[n]] == []
    assert STATED["python"] in SpecifierSet(PROJECT["requires-python"])


def test_environment_holds_all_that_the_notebooks_need():
    needed = map(Requirement, [*PROJECT["dependencies"], *EXTRAS["notebooks"]])
    assert {r.name for r in needed} - VERSIONS.keys() == set()


def test_contributing_says_what_each_dependency_is_for():
    table = read("CONTRIBUTING.md").partition("## What each dependency is for")[2]
    told = re.findall(r"^\| ([\w-]+) \| [^|]+ \|$", table, re.MULTILINE)[2:]  # below its head
    assert sorted(told) == sorted({*RANGES, "d2l"})


def test_pip_complains_of_nothing_but_the_books_own_pins():
    book = D2L_PIN.replace("==", " ")
    check = [sys.executable, "-m", "pip", "check"]
    told = subprocess.run(check, capture_output=True, text=True).stdout.splitlines()
    assert [line for line in told if not line.startswith(f"{book} ")] == []
    assert told


def test_post_build_is_strict_and_executable():
    post_build = ROOT / "binder" / "postBuild"
    assert os.access(post_build, os.X_OK)
    lines = post_build.read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert next(x for x in lines[1:] if not x.startswith("#")) == "set -euo pipefail"
    assert all("--no-deps" in x for x in lines if "pip install" in x)


@pytest.mark.parametrize("file", ["requirements.txt", "binder/postBuild", "pyproject.toml"])
def test_d2l_has_the_same_pin_everywhere(file):
    assert set(re.findall(r"d2l==[\d.]+", read(file))) == {D2L_PIN}


@pytest.mark.parametrize("script", ["binder/postBuild", ".ci/run"])
def test_scripts_are_sound_bash(script):
    subprocess.run(["bash", "-n", ROOT / script], check=True)


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_make_targets_that_are_spoken_of_exist(file):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    spoken = set(re.findall(r"(?:^|`)make ([a-z-]+)", read(file), re.MULTILINE))
    assert spoken
    assert spoken - targets == set()


def test_make_finds_the_d2l_pin():
    told = subprocess.run(
        ["make", "-n", "-B", "install"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"--no-deps {D2L_PIN}" in told.stdout
