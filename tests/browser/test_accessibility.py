"""What axe says of every panel and lens, in both themes; and what one does by keys alone."""

import inspect

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from tests.browser.page_objects import box, button, number_box, opened, slider, table
from tests.browser.test_look import PANELS
from tests.ui import sample
from tools.lab import DARK, LIGHT

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
EDITOR = "KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))"
SHOWN = PANELS | {
    "differing": "KernelEditor(stripes(), operation=lambda X, K: corr2d(X, K) + 1)",
    "lens": "lens(stripes(), torch.tensor([[1.0, -1.0]]))",
    "lens that differs": "lens(stripes(), torch.ones(1, 2), candidate=torch.zeros(6, 7))",
    "explore": "ui.explore(lambda X, n, word, P: {'Y': X * n, 'words': word}, X=torch.eye(5), "
    "n=(1, 9), word='a', P=ui.Painted(torch.eye(3)))",
    "receptive field": "ReceptiveFieldExplorer([(3, 1, 1), (3, 2, 1), (3, 1, 0, 2)])",
    "every control": f"{inspect.getsource(sample)}\nshown = panel()\nshown",
}


@pytest.fixture(scope="module", params=[LIGHT, DARK])
def notebook(request, chromium, lab):
    name = f"axe_{request.param.split()[-1].lower()}"
    with opened(chromium, lab, name, theme=request.param) as notebook:
        yield notebook


def violations(output: Locator) -> list[tuple[str, str]]:
    """Return which rules are broken in an output, and where; it must look at something."""
    page = output.page
    page.evaluate(
        "document.querySelectorAll('[data-axe]').forEach(e => e.removeAttribute('data-axe'))"
    )
    output.evaluate("node => node.setAttribute('data-axe', '')")
    told = Axe().run(page, context="[data-axe]", options=RULES).response
    assert len(told["passes"]) > 5
    return [(v["id"], node["html"][:300]) for v in told["violations"] for node in v["nodes"]]


@pytest.mark.parametrize("name", SHOWN)
def test_axe_finds_no_violation(notebook, name):
    source = SHOWN[name]
    output = notebook.show(source if "shown =" in source else f"shown = {source}\nshown")
    output.locator("details").evaluate_all("all => all.forEach(e => e.open = true)")
    assert violations(output) == []


def test_axe_would_see_a_violation(notebook):
    output = notebook.show(f"shown = {EDITOR}\nshown")
    output.locator("input[aria-label='K[0, 0]']").evaluate("e => e.removeAttribute('aria-label')")
    output.page.evaluate("document.body.append(document.createElement('img'))")
    assert [rule for rule, _ in violations(output)] == ["label"]


def surroundings(page, area):
    """Return the pixels of a control and of what lies around it."""
    x, y = area["x"] - 6, area["y"] - 6
    clip = {"x": x, "y": y, "width": area["width"] + 12, "height": area["height"] + 12}
    return page.screenshot(clip=clip, animations="disabled", caret="hide")


@pytest.mark.parametrize("name", ["stripes", "descent"])
def test_every_control_is_large_enough_and_shows_its_focus(notebook, name):
    panel = notebook.show(f"shown = {PANELS[name]}\nshown").locator(".ck-view")
    page, seen = notebook.page, 0
    controls = panel.locator("button, input, select, summary, [tabindex='0']")
    for control in controls.all():
        if not control.is_visible():
            continue
        control.scroll_into_view_if_needed()
        # What is chosen or opened, not the transparent input on it.
        spot = control.locator("xpath=(ancestor-or-self::label|self::*)[1]")
        area = spot.bounding_box()
        assert min(area["width"], area["height"]) >= 23.5, control.evaluate("e => e.outerHTML")
        page.evaluate("document.activeElement.blur()")
        before = surroundings(page, area)
        control.focus()
        page.keyboard.press("Shift")  # as if it had been reached by the keyboard
        assert surroundings(page, area) != before, control.evaluate("e => e.outerHTML")
        seen += 1
    assert seen > 15


@pytest.fixture(scope="module")
def by_keys(chromium, lab):
    with opened(chromium, lab, "by_keys") as notebook:
        yield notebook


@pytest.fixture
def editor(by_keys) -> Locator:
    """Give an editor of the stripes, the focus on its first button."""
    panel = by_keys.show(f"panel = {EDITOR}\npanel")
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
    expect(picture.locator("option:checked")).to_have_text("diagonal 8 × 8")
    weight = tab_to(box(editor, "K[0, 1]"))
    type_over(weight, "0.5")
    expect(editor.get_by_text("sum to 1.5")).to_be_visible()
    tab_to(slider(editor, "weight"))
    press("ArrowRight")
    expect(weight).not_to_have_value("0.5")
    button(editor, "undo").focus()
    press("Enter")
    expect(weight).to_have_value("0.5")
    press("Enter")
    expect(weight).to_have_value("−1")
    tab_to(editor.get_by_role("radio", name="auto"))
    press("ArrowRight")
    press("ArrowRight")
    expect(editor.get_by_role("radio", name="signed")).to_be_checked()


def test_the_window_is_moved_by_keys_alone(editor):
    press, said = editor.page.keyboard.press, editor.locator(".ck-sum")
    tab_to(table(editor, "output").get_by_role("gridcell", selected=True))
    press("ArrowDown")
    press("ArrowRight")
    expect(said).to_contain_text("Y[1, 1]")
    tab_to(button(editor, "next window"))
    press("Enter")
    expect(said).to_contain_text("Y[1, 2]")
    type_over(tab_to(number_box(editor, "Y row")), "4")
    press("Tab")
    expect(said).to_contain_text("Y[4, 2]")
    assert editor.page.locator(".jp-NotebookPanel:visible .jp-Cell").count() == 4


def test_pixels_and_padding_are_edited_by_keys_alone(editor):
    press = editor.page.keyboard.press
    tab_to(editor.locator("summary", has_text="edit pixels"))
    press("Space")
    tab_to(editor.locator("summary", has_text="padding, stride, flip"))
    press("Enter")
    type_over(tab_to(box(editor, "X[0, 0]")), "7")
    expect(box(editor, "X[0, 0]")).to_have_value("7")
    type_over(tab_to(box(editor, "padding")), "1")
    expect(table(editor, "output 8 × 9")).to_be_visible()
