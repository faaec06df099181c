"""The panels in Notebook 7: they show, answer pointer and keys, and keep their keys."""

import re

from playwright.sync_api import Page, expect

from tests.browser.page_objects import box, number_box, picture, slider
from tools.lab import cell, open_in_notebook7, run_all


def chosen_cell(page: Page) -> str:
    """Return the id of the notebook's active cell, which arrow keys outside of a panel change."""
    return page.locator(".jp-Cell.jp-mod-active").get_attribute("data-cell-id") or ""


def test_the_photo_panel_is_pointed_at_and_keeps_its_keys(page, lab):
    notebook = open_in_notebook7(page, lab, "notebooks/03_edges_and_filters.ipynb")
    run_all(page)
    panel = cell(page, 10).locator(".ck-view")
    source = picture(panel, "input 128")
    pixel = source.bounding_box()["width"] / 128
    source.hover(position={"x": 40.5 * pixel, "y": 20.5 * pixel})
    for frame in panel.locator(".ck-picture [data-rule]").all():
        expect(frame).to_have_attribute("style", re.compile(r"--i: ?19;.*--j: ?39;"))
    expect(panel.get_by_text("= Y[19, 39]")).to_be_visible()
    source.click(position={"x": 40.5 * pixel, "y": 20.5 * pixel})
    count, active = notebook.locator(".jp-Cell").count(), chosen_cell(page)
    for key in ("ArrowDown", "ArrowRight", "d", "d", "a"):
        page.keyboard.press(key)
    expect(panel.get_by_text("= Y[20, 40]")).to_be_visible()
    assert (notebook.locator(".jp-Cell").count(), chosen_cell(page)) == (count, active)


def test_the_stepper_is_pointed_at_and_scrubbed(page, lab):
    notebook = open_in_notebook7(page, lab, "notebooks/04_learning_a_kernel.ipynb")
    run_all(page)
    panel = cell(page, 15).locator(".ck-view")
    place = picture(panel, "loss curve").bounding_box()
    picture(panel, "loss curve").click(position={"x": place["width"] * 0.55, "y": 40})
    expect(number_box(panel, "step")).not_to_have_value("0")
    count, active = notebook.locator(".jp-Cell").count(), chosen_cell(page)
    slider(panel, "step").press("Home")
    slider(panel, "step").press("ArrowRight")
    expect(number_box(panel, "step")).to_have_value("1")
    expect(panel.locator(".ck-plot .ck-walked").first).to_have_attribute(
        "d", re.compile(r"^M[^L]*L[^L]*$")
    )
    place = picture(panel, "loss surface").bounding_box()
    picture(panel, "loss surface").click(position={"x": place["width"] / 2, "y": 90})
    expect(box(panel, "start[0, 0]")).not_to_have_value("0.5")
    page.keyboard.press("ArrowDown")
    assert (notebook.locator(".jp-Cell").count(), chosen_cell(page)) == (count, active)
