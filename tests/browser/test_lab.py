"""The tools for browser tests: JupyterLab starts, notebooks run, and failures are seen."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect

from tests.browser.page_objects import METADATA, watched
from tools.lab import DARK, open_notebook, run_all, run_cell

LINKED = """\
slider = widgets.IntSlider(value=3, description="step")
box = widgets.IntText(description="step number")
widgets.jslink((slider, "value"), (box, "value"))
widgets.VBox([slider, box])"""


@pytest.fixture(scope="module")
def path(lab):
    sources = ["import ipywidgets as widgets", LINKED, "box.value", "unknown_name", ""]
    cells = [new_markdown_cell("# Lab"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), lab.root / "lab.ipynb")
    return "lab.ipynb"


def test_cells_run_and_widgets_reach_the_kernel(page, lab, path):
    open_notebook(page, lab, path)
    with pytest.raises(RuntimeError, match="NameError"):
        run_all(page)
    page.get_by_role("slider").press("ArrowRight")
    expect(page.get_by_role("spinbutton", name="step number")).to_have_value("4")
    expect(run_cell(page, 3).locator(".jp-OutputArea")).to_contain_text("4")


def test_the_dark_theme_and_no_news(page, lab, path):
    open_notebook(page, lab, path, theme=DARK)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    run_cell(page, 1)
    expect(page.get_by_text("Jupyter news")).to_have_count(0)


def test_a_watched_page_fails_for_an_error_on_its_console(chromium):
    with pytest.raises(AssertionError), watched(chromium) as page:
        page.evaluate("console.error('seen')")
