"""A kernel restarts while a panel is on screen."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page_objects import box, opened, said, type_in
from tools.lab import run_cell

PANELS = {
    "K[0, 0]": "panel = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))",
    "start[0, 0]": "panel = DescentStepper(stripes(), torch.ones(6, 7), torch.zeros(1, 2))",
}
NOTICE = "e => getComputedStyle(e, '::before').content"


def restart(page: Page) -> None:
    """Restart the kernel by JupyterLab's menu, and wait until it is idle again."""
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).click()
    page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    expect(page.locator(".ck-panel.jupyter-widgets-disconnected")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\| Idle$"))).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_without_its_kernel_says_so_until_its_cell_runs_again(chromium, lab, name):
    with opened(chromium, lab, f"restarted_{name[0]}") as notebook:
        output = notebook.show(f"{PANELS[name]}\npanel")
        panel, page = output.locator(".ck-panel"), notebook.page
        status = said(output).first.inner_text()
        assert panel.evaluate(NOTICE) == "none"
        restart(page)
        assert "Run the cells from the top" in panel.evaluate(NOTICE)
        parts = panel.locator(".jupyter-widgets-disconnected")
        assert set(parts.evaluate_all(f"all => all.map({NOTICE})")) <= {"none"}
        type_in(box(output, name), "3")  # no kernel answers, and nothing breaks
        expect(said(output).first).to_have_text(status)
        run_cell(page, 1)
        panel = run_cell(page, 2).locator(".ck-panel")
        assert panel.evaluate(NOTICE) == "none"
        type_in(box(panel, name), "x")
        expect(said(panel, "alert")).to_contain_text(f"{name} is 'x'")
