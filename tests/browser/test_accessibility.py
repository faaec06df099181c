"""What axe says of every panel, part and lens, in both themes; and what one does by keys alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.page_objects import opened, table
from tests.browser.test_look import PANELS
from tools.lab import DARK, LIGHT

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
SHOWN = PANELS | {
    "differing": "KernelEditor(stripes(), operation=lambda X, K: corr2d(X, K) + 1)",
    "lens": "lens(stripes(), torch.tensor([[1.0, -1.0]]))",
    "lens that differs": "lens(stripes(), torch.ones(1, 2), candidate=torch.zeros(6, 7))",
}


@pytest.fixture(scope="module", params=[LIGHT, DARK])
def notebook(request, chromium, lab):
    name = f"axe_{request.param.split()[-1].lower()}"
    with opened(chromium, lab, name, theme=request.param) as notebook:
        yield notebook


@pytest.mark.parametrize("name", SHOWN)
def test_axe_finds_no_violation(notebook, name):
    output = notebook.show(f"shown = {SHOWN[name]}\nshown")
    for fold in output.locator(".ck-fold:visible").all():
        fold.click()
    page = output.page
    page.evaluate(
        "document.querySelectorAll('[data-axe]').forEach(e => e.removeAttribute('data-axe'))"
    )
    output.evaluate("node => node.setAttribute('data-axe', '')")
    found = Axe().run(page, context="[data-axe]", options=RULES).response["violations"]
    told = [(v["id"], node["html"][:300]) for v in found for node in v["nodes"]]
    assert told == []
    passed = Axe().run(page, context="[data-axe]", options=RULES).response["passes"]
    assert len(passed) > 5  # it looked at something


def test_axe_would_see_a_violation(notebook):
    output = notebook.show("panel = KernelEditor(stripes())\npanel")
    output.evaluate("node => node.setAttribute('data-axe', '')")
    output.locator("input[aria-label='K[0, 0]']").evaluate("e => e.removeAttribute('aria-label')")
    output.page.evaluate("document.body.append(document.createElement('img'))")
    found = Axe().run(output.page, context="[data-axe]", options=RULES).response["violations"]
    assert [v["id"] for v in found] == ["label"]


def test_the_kernel_editor_by_keys_alone(notebook):
    panel = notebook.show("panel = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))\npanel")
    press = panel.page.keyboard.press

    def tab_to(role, name):
        target = panel.get_by_role(role, name=name, exact=True)
        for _ in range(40):
            if target.evaluate("e => e === document.activeElement"):
                return target
            press("Tab")
        raise AssertionError(f"Tab does not reach the {role} {name}")

    panel.get_by_role("button", name="undo", exact=True).focus()
    tab_to("combobox", "picture")
    press("ArrowDown")
    expect(panel.get_by_role("combobox", name="picture")).to_have_value("diagonal 8 × 8")
    weight = tab_to("textbox", "K[0, 1]")
    press("ControlOrMeta+a")
    panel.page.keyboard.type("0.5")
    expect(panel.get_by_text("sum of weights 1.5")).to_be_visible()
    tab_to("slider", "weight")
    press("ArrowRight")
    expect(weight).not_to_have_value("0.5")
    tab_to("radio", "auto")
    press("ArrowRight")
    press("ArrowRight")
    expect(panel.get_by_role("radio", name="signed")).to_be_checked()
    tab_to("gridcell", panel.locator("td[tabindex='0']").get_attribute("aria-label"))
    press("ArrowDown")
    press("ArrowRight")
    expect(panel.locator(".ck-sum")).to_contain_text("= Y[1, 1]")
    tab_to("button", "next window")
    press("Enter")
    expect(panel.locator(".ck-sum")).to_contain_text("= Y[1, 2]")
    tab_to("button", "edit pixels")
    press("Space")
    tab_to("button", "padding, stride, flip")
    press("Enter")
    tab_to("textbox", "X[0, 0]")
    press("ControlOrMeta+a")
    panel.page.keyboard.type("7")
    expect(table(panel, "input").locator("td").first).to_have_text("7")
    tab_to("textbox", "padding")
    press("ControlOrMeta+a")
    panel.page.keyboard.type("1")
    expect(table(panel, "output 10 × 9")).to_be_visible()
    press("Shift+Tab")
    panel.get_by_role("button", name="undo", exact=True).focus()
    press("Enter")
    expect(table(panel, "output 8 × 7")).to_be_visible()
    assert panel.page.locator(".jp-NotebookPanel:visible .jp-Cell").count() == 4
