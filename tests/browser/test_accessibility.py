"""What axe says of every panel, part and lens, in both themes; and what one does by keys alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from tests.browser.page_objects import box, button, number_box, opened, slider, table
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


@pytest.fixture
def editor(notebook) -> Locator:
    """Give an editor of the stripes, the focus on its first button."""
    panel = notebook.show("panel = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))\npanel")
    button(panel, "undo").focus()
    return panel


def tab_to(target: Locator) -> Locator:
    """Press Tab until a control has the focus."""
    for _ in range(100):
        if target.evaluate("e => e === document.activeElement"):
            return target
        target.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {target}")


def type_over(target: Locator, text: str) -> None:
    """Type in place of what is in a box."""
    target.page.keyboard.press("ControlOrMeta+a")
    target.page.keyboard.type(text)


def test_picture_kernel_and_look_are_chosen_by_keys_alone(editor):
    press = editor.page.keyboard.press
    picture = tab_to(editor.get_by_role("combobox", name="picture"))
    press("ArrowDown")
    expect(picture).to_have_value("diagonal 8 × 8")
    weight = tab_to(box(editor, "K[0, 1]"))
    type_over(weight, "0.5")
    expect(editor.get_by_text("sum of weights 1.5")).to_be_visible()
    tab_to(slider(editor, "weight"))
    press("ArrowRight")
    expect(weight).not_to_have_value("0.5")
    button(editor, "undo").focus()
    press("Enter")
    expect(weight).to_have_value("−1")
    tab_to(editor.get_by_role("radio", name="auto"))
    press("ArrowRight")
    press("ArrowRight")
    expect(editor.get_by_role("radio", name="signed")).to_be_checked()


def test_the_window_is_moved_by_keys_alone(editor):
    press = editor.page.keyboard.press
    tab_to(editor.locator("td[tabindex='0']"))
    press("ArrowDown")
    press("ArrowRight")
    expect(editor.locator(".ck-sum")).to_contain_text("= Y[1, 1]")
    tab_to(button(editor, "next window"))
    press("Enter")
    expect(editor.locator(".ck-sum")).to_contain_text("= Y[1, 2]")
    type_over(tab_to(number_box(editor, "Y row")), "4")
    press("Tab")
    expect(editor.locator(".ck-sum")).to_contain_text("= Y[4, 2]")
    assert editor.page.locator(".jp-NotebookPanel:visible .jp-Cell").count() == 4


def test_pixels_and_padding_are_edited_by_keys_alone(editor):
    press = editor.page.keyboard.press
    tab_to(button(editor, "edit pixels"))
    press("Space")
    tab_to(button(editor, "padding, stride, flip"))
    press("Enter")
    type_over(tab_to(box(editor, "X[0, 0]")), "7")
    expect(table(editor, "input").locator("td").first).to_have_text("7")
    type_over(tab_to(box(editor, "padding")), "1")
    expect(table(editor, "output 8 × 9")).to_be_visible()
