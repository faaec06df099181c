"""A JupyterLab that serves a copy of the notebooks, a browser, and a watched page.

Without a browser these tests are skipped; with CI=true they fail, so that none goes unseen.
"""

import os

import pytest
from playwright.sync_api import expect

from tests.browser.page_objects import watched
from tools.lab import browser, find_browser, jupyterlab, notebooks_copy

# How long to wait for what must appear: two cores may also be running notebooks.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def lab():
    """Give a running JupyterLab on a copy of the notebooks; saving changes only the copy."""
    _require_browser()
    with notebooks_copy() as root, jupyterlab(root) as running:
        yield running


# Per module: while playwright is open, its event loop hinders that of other tests.
@pytest.fixture(scope="module")
def chromium():
    """Give a running browser."""
    _require_browser()
    with browser() as running:
        yield running


@pytest.fixture
def page(chromium):
    """Give a new page; the test fails if its console shows an error, or a script raises."""
    with watched(chromium) as new:
        yield new


def _require_browser():
    if find_browser() is not None:
        return
    reason = "no browser found: install Chromium (apt-get install chromium)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
