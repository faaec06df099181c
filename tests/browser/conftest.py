"""A real JupyterLab serving a copy of the notebooks, a real browser, and a page that tells.

Without a browser these tests are skipped; with CI=true they fail, so that none goes unseen.
"""

import os

import pytest
from playwright.sync_api import expect

from tools.lab import browser, find_browser, jupyterlab, notebooks_copy

# What JupyterLab itself writes to the console as an error or warning, by its exact text.
JUPYTERLABS_OWN: frozenset[str] = frozenset()

# How long to wait for what must appear: two cores may also be running notebooks.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def lab():
    """Give a running JupyterLab on a copy of the notebooks; saving changes only the copy."""
    _require_browser()
    with notebooks_copy() as root, jupyterlab(root) as running:
        yield running


# Per module: while playwright is open, its event loop stands in the way of other tests'.
@pytest.fixture(scope="module")
def chromium():
    """Give a running browser."""
    _require_browser()
    with browser() as running:
        yield running


@pytest.fixture
def page(chromium):
    """Give a new page; the test fails if its console shows an error, or a script raises."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    new = context.new_page()
    told = []
    new.on("console", lambda m: told.append(m.text) if m.type == "error" else None)
    new.on("pageerror", lambda error: told.append(str(error)))
    yield new
    context.close()
    assert [text for text in told if text not in JUPYTERLABS_OWN] == []


def _require_browser():
    if find_browser() is None:
        reason = "no browser found: install Chromium (apt-get install chromium)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
