"""The tools themselves: JupyterLab starts, a notebook runs, a slider and its box are linked."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect

from tools.lab import DARK, open_notebook, run_all, run_cell

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}

LINKED = """\
slider = widgets.IntSlider(value=3, description="step")
box = widgets.IntText(description="step number")
widgets.jslink((slider, "value"), (box, "value"))
widgets.VBox([slider, box])"""


@pytest.fixture(scope="module")
def path(lab):
    cells = [new_markdown_cell("# Tried"), new_code_cell("import ipywidgets as widgets")]
    cells += [new_code_cell(LINKED), new_code_cell("box.value")]
    cells += [new_code_cell("x"), new_code_cell("")]
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), lab.root / "tried.ipynb")
    return "tried.ipynb"


def test_a_linked_box_follows_its_slider_and_the_kernel_knows(page, lab, path):
    open_notebook(page, lab, path)
    with pytest.raises(RuntimeError, match="NameError"):
        run_all(page)
    slider = page.get_by_role("slider")
    expect(slider).to_be_visible()
    slider.press("ArrowRight")
    expect(page.get_by_role("spinbutton", name="step number")).to_have_value("4")
    expect(run_cell(page, 3).locator(".jp-OutputArea")).to_contain_text("4")


def test_dark_theme_and_no_news(page, lab, path):
    open_notebook(page, lab, path, theme=DARK)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    run_cell(page, 1)
    expect(page.get_by_text("Jupyter news")).to_have_count(0)
