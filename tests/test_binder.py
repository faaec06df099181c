"""Binder's image, as near as one comes without Docker and conda.

repo2docker itself reads the files; then the environment file's packages are installed by pip, at
the pinned versions that it stands for, and postBuild runs there as Binder runs it. That takes more
than a gigabyte and the network, so it is for CI, where nothing is skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.test_setup import PINS, VERSIONS
from tools.lab import browser, jupyterlab, open_notebook, run_all

ROOT = Path(__file__).parents[1]
NOTEBOOK = "notebooks/00_start_here.ipynb"
IN_CI = pytest.mark.skipif(
    os.environ.get("CI") != "true", reason="makes an environment of a gigabyte: CI=true does"
)


def test_repo2docker_reads_the_files():
    options = ["--Repo2Docker.default_buildpack=None", "--no-build", "--debug"]
    told = subprocess.run(
        [sys.executable, "-m", "repo2docker", *options, ROOT], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    said = told.stdout + told.stderr
    assert "binder/environment.yml" in said
    assert "binder/postBuild" in said


def test_repo2docker_refuses_a_project_without_an_environment(tmp_path):
    (tmp_path / "binder").mkdir()
    options = ["--Repo2Docker.default_buildpack=None", "--no-build"]
    command = [sys.executable, "-m", "repo2docker", *options, tmp_path]
    assert subprocess.run(command, capture_output=True).returncode != 0


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Give a copy of what git would hand to Binder."""
    made = tmp_path_factory.mktemp("binder") / "home"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, made / name)
    return made


@pytest.fixture(scope="module")
def environment(tmp_path_factory, home) -> Path:
    """Give an environment of the file's packages in which postBuild has run."""
    made = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", made], check=True)
    pip = [made / "bin" / "pip", "install", "--quiet", "--no-compile"]
    pip += ["--constraint", ROOT / "requirements.txt"]
    pins = [f"{name}=={PINS[name]}" for name in VERSIONS]
    subprocess.run([*pip, "setuptools>=77", *pins], check=True)
    path = f"{made / 'bin'}{os.pathsep}{os.environ['PATH']}"
    inside = os.environ | {"PATH": path, "HOME": str(home)}
    subprocess.run([home / "binder" / "postBuild"], cwd=home, env=inside, check=True)
    return made


@IN_CI
def test_post_build_has_set_jupyter_up(environment):
    for name in ("jupyter_server_config.json", "labconfig/default_setting_overrides.json"):
        source = ROOT / "tools" / Path(name).name
        assert (environment / "etc" / "jupyter" / name).read_bytes() == source.read_bytes()


@IN_CI
def test_a_notebook_opens_and_runs(environment, home):
    with jupyterlab(home, environment / "bin" / "python") as lab, browser() as chromium:
        page = chromium.new_page()
        open_notebook(page, lab, NOTEBOOK)
        expect(page.get_by_text("Run this cell to make the panel live.").first).to_be_visible()
        run_all(page)
        expect(page.locator(".ck-panel").first).to_be_visible()
