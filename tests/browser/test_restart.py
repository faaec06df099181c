"""A kernel restarts while a panel is on screen."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.page_objects import box, opened, said, type_in
from tools.lab import run_cell

PANELS = {
    "editor": "panel = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))",
    "stepper": "panel = DescentStepper(stripes(), torch.ones(6, 7), torch.zeros(1, 2), steps=3)",
}
BOX = {"editor": "kernel row 1 column 1", "stepper": "start row 1 column 1"}
SIGN = "e => getComputedStyle(e, '::before').content"


def restart(page):
    """Restart the kernel by JupyterLab's menu, and wait until it is idle again."""
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).click()
    page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    expect(page.locator(".ck-panel.jupyter-widgets-disconnected")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\| Idle$"))).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("kind", PANELS)
def test_a_panel_without_its_kernel_says_so_and_lives_again_when_its_cell_runs(chromium, lab, kind):
    with opened(chromium, lab, f"restarted_{kind}") as notebook:
        output = notebook.show(f"{PANELS[kind]}\npanel")
        panel, page = output.locator(".ck-panel"), notebook.page
        words = said(output).inner_text()
        assert panel.evaluate(SIGN) == "none"
        restart(page)
        assert "Run the cells from the top" in panel.evaluate(SIGN)
        inside = panel.locator(".jupyter-widgets-disconnected")
        assert set(inside.evaluate_all(f"all => all.map({SIGN})")) == {"none"}
        type_in(box(output, BOX[kind]), "3")  # nobody answers, and nothing breaks
        expect(said(output)).to_have_text(words)
        run_cell(page, 1)
        panel = run_cell(page, 2).locator(".ck-panel")
        assert panel.evaluate(SIGN) == "none"
        type_in(box(panel, BOX[kind]), "x")
        expect(said(panel, "alert")).to_contain_text(f"{BOX[kind]} is 'x'")
