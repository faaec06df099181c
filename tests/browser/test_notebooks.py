"""The notebooks in a real JupyterLab: as stored, run from top to bottom, saved and reloaded."""

import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.page_objects import box, opened, said, type_in, watched
from tools.lab import PROJECT, cell, open_notebook, run_all

NOTEBOOKS = [f"notebooks/{path.name}" for path in sorted(PROJECT.glob("notebooks/*.ipynb"))]
# What a broken output looks like to its reader.
BROKEN = "Error displaying widget|Loading widget|Traceback|model not found"


def panels(path: str) -> list[int]:
    """Return the numbers (from 1) of the code cells that end in a stored panel."""
    code = [c for c in nbformat.read(PROJECT / path, 4).cells if c.cell_type == "code"]
    said = ["".join(o.get("data", {}).get("text/plain", "") for o in c.outputs) for c in code]
    kinds = ("KernelEditor:", "DescentStepper:")
    return [n for n, text in enumerate(said, start=1) if text.startswith(kinds)]


def expect_sound(page, path: str, *, live: bool) -> None:
    """Wait until each panel is there, live or as its stored picture, and nothing is broken."""
    for n in panels(path):
        output = cell(page, n).locator(".jp-OutputArea-output").last
        if live:
            expect(output.locator(".ck-panel")).to_be_visible()
            expect(output.get_by_role("status").or_(output.get_by_role("alert"))).to_be_visible()
        else:
            expect(output.locator(".ck-lens, img").first).to_be_visible()
            expect(output.locator(".ck-panel")).to_have_count(0)
    outputs = page.locator(".jp-NotebookPanel:visible .jp-OutputArea-output")
    assert outputs.filter(has_text=re.compile(BROKEN)).count() == 0
    empty = outputs.evaluate_all("all => all.filter(o => o.getBoundingClientRect().height < 5)")
    assert empty == []


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_it_is_whole_as_stored_and_runs_from_top_to_bottom(chromium, lab, path):
    assert panels(path) or "02" in path
    with watched(chromium) as page:
        notebook = open_notebook(page, lab, path)
        expect_sound(page, path, live=False)
        for picture in notebook.locator(".jp-RenderedImage img").all():
            assert picture.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 50
        run_all(page)
        expect_sound(page, path, live=True)


def test_a_panel_of_the_first_notebook_responds(chromium, lab):
    with watched(chromium) as page:
        open_notebook(page, lab, "notebooks/00_start_here.ipynb")
        run_all(page)
        panel = page.locator(".ck-panel")
        panel.get_by_label("picture").select_option("photo 128 × 128")
        expect(said(panel)).to_contain_text("Output 128 × 127")
        picture = panel.locator(".ck-Y .ck-picture img")
        before = picture.get_attribute("src")
        type_in(box(panel, "kernel row 1 column 1"), "3")
        expect(picture).not_to_have_attribute("src", before)


@pytest.mark.parametrize("kernel", ["running", "shut down"])
def test_a_saved_notebook_shows_its_panel_again(chromium, lab, kernel):
    with opened(chromium, lab, f"saved_{kernel[:3]}") as notebook:
        page = notebook.page
        notebook.show("panel = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))\npanel")
        page.keyboard.press("ControlOrMeta+s")
        expect(page.get_by_text("Saving completed")).to_be_visible()
        if kernel == "shut down":
            page.get_by_role("menuitem", name="Kernel", exact=True).click()
            page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
            expect(page.get_by_text("No Kernel", exact=True)).to_be_visible()
        page.reload()
        output = cell(page, 2).locator(".jp-OutputArea-output").last
        expect(output.locator(".ck-Y figcaption:visible")).to_be_visible(timeout=60_000)
        expect(output.get_by_text("Error displaying widget")).to_have_count(0)
