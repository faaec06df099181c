"""What Binder builds, without Docker and conda.

repo2docker reads the files; then postBuild runs as on Binder, in an environment of the packages
that the environment file names: those that are installed here, at the pinned versions that it
stands for. That takes the network, so only CI does it, where nothing is skipped.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from playwright.sync_api import expect

from tests.test_setup import VERSIONS
from tools.install_settings import SETTINGS
from tools.lab import browser, jupyterlab, open_notebook, run_all

ROOT = Path(__file__).parents[1]
NOTEBOOK = "notebooks/00_start_here.ipynb"
IN_CI = pytest.mark.skipif(
    os.environ.get("CI") != "true", reason="postBuild installs d2l: CI=true does"
)


def repo2docker(folder: Path) -> subprocess.CompletedProcess[str]:
    """Let repo2docker read a folder with Binder's options, without building an image."""
    options = ["--Repo2Docker.default_buildpack=None", "--no-build", "--debug"]
    command = [sys.executable, "-m", "repo2docker", *options, folder]
    return subprocess.run(command, capture_output=True, text=True)


def test_repo2docker_reads_the_files():
    run = repo2docker(ROOT)
    assert run.returncode == 0, run.stderr
    assert "binder/environment.yml" in run.stdout + run.stderr
    assert "binder/postBuild" in run.stdout + run.stderr


def test_repo2docker_refuses_a_project_without_an_environment(tmp_path):
    (tmp_path / "binder").mkdir()
    assert repo2docker(tmp_path).returncode != 0


def git(folder: Path, *arguments: str) -> str:
    """Run git; return what it printed."""
    command = ["git", "-c", "user.name=tester", "-c", "user.email=tester@example.invalid"]
    command += arguments
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Give a clone of the project as it would be if everything here were committed."""
    folder = tmp_path_factory.mktemp("binder") / "home"
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "Copy the project")
    return folder


def with_requirements(names: Iterable[str]) -> dict[str, importlib.metadata.Distribution]:
    """Return packages that are installed here, and all that they require."""
    found, missing = {}, [*names]
    while missing:
        name = canonicalize_name(missing.pop())
        if name not in found:
            found[name] = importlib.metadata.distribution(name)
            required = map(Requirement, found[name].requires or [])
            missing += [r.name for r in required if not r.marker or r.marker.evaluate()]
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory, home) -> Path:
    """Give an environment of the file's packages, copied from here, in which postBuild has run."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    is_one_device = folder.stat().st_dev == Path(sys.prefix).stat().st_dev
    place = os.link if is_one_device else shutil.copy2
    for package in with_requirements([*VERSIONS, "pip", "setuptools"]).values():
        for file in package.files:
            source = Path(os.path.normpath(package.locate_file(file)))
            target = folder / source.relative_to(sys.prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.parent == folder / "bin":  # a script names the Python that it runs
                target.write_text(source.read_text().replace(sys.prefix, str(folder)))
                target.chmod(0o755)
            else:
                place(source, target)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    inside = os.environ | {"PATH": path, "HOME": str(home)}
    subprocess.run([home / "binder" / "postBuild"], cwd=home, env=inside, check=True)
    return folder


@IN_CI
def test_post_build_copies_the_settings_of_jupyterlab(environment):
    sources = [path for path in SETTINGS.rglob("*") if path.suffix in (".json", ".py")]
    assert sources
    for source in sources:
        copy = environment / "etc" / source.relative_to(SETTINGS)
        assert copy.read_bytes() == source.read_bytes()


@IN_CI
def test_post_build_signs_the_notebooks(environment, home):
    notary = NotebookNotary(data_dir=str(home / ".local" / "share" / "jupyter"))
    notebooks = [nbformat.read(p, as_version=4) for p in (home / "notebooks").glob("*.ipynb")]
    assert notebooks
    assert all(map(notary.check_signature, notebooks))
    notary.store.close()


@IN_CI
def test_a_notebook_opens_and_runs(environment, home):
    with jupyterlab(home, environment / "bin" / "python") as lab, browser() as chromium:
        page = chromium.new_page()
        open_notebook(page, lab, NOTEBOOK)
        expect(page.get_by_text("Run this cell to make the panel live.").first).to_be_visible()
        run_all(page)
        expect(page.locator(".ck-view").first).to_be_visible()
