"""The notebooks in a real JupyterLab: as stored, run from top to bottom, saved and reloaded."""

import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.page_objects import box, opened, picture, type_in
from tools.lab import PROJECT, cell, open_notebook, run_all
from tools.notebooks import code_cells

NOTEBOOKS = [f"notebooks/{path.name}" for path in sorted(PROJECT.glob("notebooks/*.ipynb"))]
# What a reader sees where an output is broken.
BROKEN = re.compile("Error displaying widget|Loading widget|Traceback|model not found")


def panel_cells(path: str) -> list[int]:
    """Return the numbers (from 1) of the code cells that store a live panel."""
    cells = code_cells(nbformat.read(PROJECT / path, as_version=4))
    live = [any(o.get("metadata", {}).get("live") for o in c.outputs) for c in cells]
    return [number for number, is_live in enumerate(live, start=1) if is_live]


def expect_outputs(page, path: str, *, live: bool) -> None:
    """Wait until each panel is there, live or as its stored picture, and nothing is broken."""
    for number in panel_cells(path):
        output = cell(page, number).locator(".jp-OutputArea-output").last
        if live:
            expect(output.locator(".ck-view")).to_be_visible()
            expect(
                output.get_by_role("status").or_(output.get_by_role("alert")).first
            ).to_be_visible()
        else:
            expect(output.locator(".ck-saved, img").first).to_be_visible()
            expect(output.locator(".ck-view")).to_have_count(0)
    outputs = page.locator(".jp-NotebookPanel:visible .jp-OutputArea-output")
    assert outputs.filter(has_text=BROKEN).count() == 0
    flat = outputs.evaluate_all("all => all.filter(o => o.getBoundingClientRect().height < 5)")
    assert flat == []


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_a_notebook_shows_what_it_stores_and_runs(page, lab, path):
    notebook = open_notebook(page, lab, path)
    expect_outputs(page, path, live=False)
    for image in notebook.locator(".jp-RenderedImage img").all():
        assert image.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 50
    run_all(page)
    expect_outputs(page, path, live=True)


def test_a_panel_of_the_first_notebook_responds(page, lab):
    open_notebook(page, lab, "notebooks/00_start_here.ipynb")
    run_all(page)
    panel = page.locator(".ck-view")
    panel.get_by_label("picture", exact=True).select_option("photo 128 × 128")
    canvas = picture(panel, "output 128 × 127")
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    type_in(box(panel, "K[0, 0]"), "3")
    page.wait_for_function(
        "([canvas, before]) => canvas.toDataURL() !== before",
        arg=[canvas.element_handle(), before],
    )


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
        expect(output.locator(".ck-view, .ck-saved").first).to_be_visible(timeout=60_000)
        expect(output.get_by_text("Error displaying widget")).to_have_count(0)
