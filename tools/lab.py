"""A real JupyterLab and a real browser, for browser tests, benchmarks and screenshots.

    with notebooks_copy() as root, jupyterlab(root) as lab, browser() as chromium:
        page = chromium.new_page()
        open_notebook(page, lab, "notebooks/00_start_here.ipynb")
        run_all(page)

Nothing here sleeps: each function waits for what a person would see.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tools.install_settings import SETTINGS

PROJECT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
START_SECONDS = 60
RUN_SECONDS = 120


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: where it answers, its token, and the folder that it serves."""

    url: str
    token: str
    root: Path
    settings: Path


@contextmanager
def notebooks_copy() -> Iterator[Path]:
    """Give a temporary folder holding a copy of ``notebooks/``, safe to save into."""
    with tempfile.TemporaryDirectory(prefix="convkit-") as folder:
        shutil.copytree(
            PROJECT / "notebooks",
            Path(folder) / "notebooks",
            ignore=shutil.ignore_patterns(".ipynb_checkpoints"),
        )
        yield Path(folder)


@contextmanager
def jupyterlab(
    root: Path, python: str | Path = sys.executable, address: str = "127.0.0.1"
) -> Iterator[Lab]:
    """Run a JupyterLab that serves ``root``, with settings of its own and its token on.

    The notebooks under ``root`` are trusted. The server, and with it its kernels, ends with
    the ``with`` block. ``python`` is that of the environment to run it in. At an ``address``
    that is not the machine's own, browsers take its pages for insecure.
    """
    with tempfile.TemporaryDirectory(prefix="convkit-lab-") as folder:
        home = Path(folder)
        environment = _environment(home)
        _write_settings(home)
        _trust(root, python, environment)
        token, log = secrets.token_hex(16), home / "lab.log"
        with log.open("w") as output:
            server = subprocess.Popen(
                _command(root, python, token, address),
                cwd=root,
                env=environment,
                stdout=output,
                stderr=output,
            )
        try:
            url = _wait_until_it_answers(server, home / "runtime", token, log)
            yield Lab(url, token, Path(root), home / "config" / "lab" / "user-settings")
        finally:
            _stop(server)


def _write_settings(home: Path) -> None:
    shutil.copytree(SETTINGS / "jupyter", home / "config")
    shutil.copytree(SETTINGS / "ipython", home / "ipython" / "profile_default")


def _trust(root: Path, python: str | Path, environment: dict[str, str]) -> None:
    found = [str(path) for path in sorted(Path(root).rglob("*.ipynb"))]
    if found:
        trust = [python, "-m", "jupyter", "trust", *found]
        subprocess.run(trust, env=environment, check=True, capture_output=True)


def _command(root: Path, python: str | Path, token: str, address: str) -> list[str]:
    command = [str(python), "-m", "jupyterlab", "--no-browser", f"--ServerApp.ip={address}"]
    command += ["--ServerApp.port=0", f"--ServerApp.root_dir={root}"]
    command += [f"--IdentityProvider.token={token}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def _stop(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _environment(home: Path) -> dict[str, str]:
    places = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "config" / "lab" / "user-settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "config" / "lab" / "workspaces",
        "IPYTHONDIR": home / "ipython",
        "XDG_CONFIG_HOME": home / "xdg",
        # Caches are shared: a new one makes matplotlib list all fonts again, for seconds.
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"),
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "PYTEST"))}
    return kept | {name: str(place) for name, place in places.items()}


def _wait_until_it_answers(server, runtime: Path, token: str, log: Path) -> str:
    """Return the address, once the server has written it down and answers there."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            told = json.loads((runtime / f"jpserver-{server.pid}.json").read_text())
            url = told["url"].rstrip("/")
            with urllib.request.urlopen(f"{url}/api/status?token={token}", timeout=5):
                return url
        except (OSError, ValueError):
            time.sleep(0.05)  # between two questions; nothing to be notified by
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")


def find_browser() -> str | None:
    """Return the path of an installed Chromium or Chrome, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """Run the system's Chromium, without a window."""
    path = find_browser()
    if path is None:
        raise RuntimeError("no browser found: install Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(BROWSER_ARGS))
        try:
            yield chromium
        finally:
            chromium.close()


def open_notebook(page: Page, lab: Lab, path: str, theme: str = LIGHT) -> Locator:
    """Open the notebook ``path`` (relative to the lab's root) alone, its kernel idle.

    Returns the notebook's locator. A dark theme is set on the server before the page loads.
    """
    notebook = _open(page, lab, path, f"doc/tree/{quote(path)}?reset&", theme)
    # The words in the status bar: they come only once the kernel itself has answered.
    expect(page.get_by_text(re.compile(r"\| Idle$"))).to_be_visible(timeout=60_000)
    return notebook


def open_in_notebook7(page: Page, lab: Lab, path: str) -> Locator:
    """Open a notebook as above in Notebook 7, whose pages the server of JupyterLab has too.

    The environment must have the package ``notebook``.
    """
    notebook = _open(page, lab, path, f"notebooks/{quote(path)}?", LIGHT)
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    expect(idle).to_be_visible(timeout=60_000)
    return notebook


def _open(page: Page, lab: Lab, path: str, address: str, theme: str) -> Locator:
    """Go to an address of the server, and wait until all cells are in the page."""
    _set(lab, "apputils-extension/themes", theme=theme)
    # All cells are in the page, also those out of sight, so that locators find them.
    _set(lab, "notebook-extension/tracker", windowingMode="none")
    page.goto(f"{lab.url}/{address}token={lab.token}")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme, timeout=60_000)
    notebook = page.locator(".jp-NotebookPanel:visible")
    cells = json.loads((lab.root / path).read_text())["cells"]
    expect(notebook.locator(".jp-Notebook .jp-Cell")).to_have_count(len(cells), timeout=60_000)
    return notebook


def _set(lab: Lab, plugin: str, **settings: str) -> None:
    file = lab.settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings))


def cell(page: Page, n: int) -> Locator:
    """Return the ``n``-th code cell, counted from 1."""
    return page.locator(".jp-NotebookPanel:visible .jp-CodeCell").nth(n - 1)


def run_all(page: Page) -> None:
    """Run all cells, by the menu's Run > Run All Cells, and wait until all are done.

    Raises
    ------
    RuntimeError
        Where a cell raised, or wrote to stderr; holds the cell as shown.
    """
    _blank_prompts(page, cell_numbers(page))
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    _wait_for_prompts(page)


def run_cell(page: Page, n: int) -> Locator:
    """Run the ``n``-th code cell (from 1) by Shift+Enter; return it when it is done."""
    chosen = cell(page, n)
    _blank_prompts(page, [n])
    chosen.locator(".cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    _wait_for_prompts(page)
    return chosen


def cell_numbers(page: Page) -> list[int]:
    """Return the numbers (from 1) of the code cells that hold code."""
    sources = page.locator(".jp-NotebookPanel:visible .jp-CodeCell .cm-content").all_inner_texts()
    return [n for n, source in enumerate(sources, start=1) if source.strip()]


def _blank_prompts(page: Page, numbers: list[int]) -> None:
    """Mark the prompts in the page, so that a count that comes back is seen as new."""
    for n in numbers:
        prompt = cell(page, n).locator(".jp-InputPrompt")
        prompt.evaluate("p => { p.textContent = 'to run'; p.dataset.awaited = 'yes' }")


def _wait_for_prompts(page: Page) -> None:
    """Wait until each awaited cell has its new count; raise where one shows stderr or an error.

    What ipykernel says of a panel that is closed, whose subshell ends before its task, is no error.
    """
    told = page.wait_for_function(
        """() => {
            const stderr = "[data-mime-type='application/vnd.jupyter.stderr']";
            const ofSubshell = /_async_in_context|Kernel\\.shell_main|UnknownSubshellError/;
            const isFailed = c => [...c.querySelectorAll(stderr)].some(
                e => !ofSubshell.test(e.textContent));
            const prompts = [...document.querySelectorAll("[data-awaited]")];
            const cells = prompts.map(p => p.closest(".jp-CodeCell"));
            const failed = cells.find((c, i) => /^\\[\\d+\\]:$/.test(prompts[i].textContent)
                && isFailed(c));
            if (failed) return failed.innerText;
            return prompts.every(p => /^\\[\\d+\\]:$/.test(p.textContent)) && "done";
        }""",
        timeout=RUN_SECONDS * 1000,
    ).json_value()
    page.evaluate(
        "document.querySelectorAll('[data-awaited]').forEach(p => delete p.dataset.awaited)"
    )
    if told != "done":
        raise RuntimeError(f"a cell raised, or wrote to stderr:\n{told}")
