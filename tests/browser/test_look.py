"""Every panel in both themes: contrast of text, no scroll bars, names, a visible focus."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page_objects import box, open_section, opened, type_in
from tools.lab import DARK, LIGHT

PANELS = {
    "photo": "KernelEditor()",
    "stripes": "KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]), padding=1)",
    "large kernel": "KernelEditor(photo(), torch.rand(7, 7) - 0.5)",
    "widest lens": "KernelEditor(torch.rand(16, 16).neg(), torch.rand(7, 7) / 300)",
    "descent": "DescentStepper(stripes(), corr2d(stripes(), torch.tensor([[1.0, -1.0]])), "
    "torch.tensor([[0.5, 0.5]]))",
    "large descent": "DescentStepper(photo(128), corr2d(photo(128), kernel('Sobel x')), "
    "torch.zeros(3, 3), lr=1e-4)",
}
# Of all text that can be seen: its colour on the colour behind it, as WCAG counts contrast.
CONTRASTS = """panel => {
    // A mixed colour reads "color(srgb 0.9 0.8 0.5)", any other "rgb(242, 205, 122)".
    const rgba = css => {
        const numbers = [...css.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
        return css.startsWith("color(") ? numbers.map((v, k) => k < 3 ? 255 * v : v) : numbers;
    };
    const over = (top, below) =>
        below.map((b, k) => k == 3 ? 1 : top[3] * top[k] + (1 - top[3]) * b);
    const light = c => {
        const [r, g, b] = c.slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = e => {
        const colours = [];
        for (; e; e = e.parentElement) colours.unshift(rgba(getComputedStyle(e).backgroundColor));
        return colours.reduce((below, top) => over(top, below), [255, 255, 255, 1]);
    };
    const seen = e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length
        && !e.closest("svg, .ck-unseen");
    const texts = [...panel.querySelectorAll("*")].filter(e => seen(e) && !e.disabled
        && e.getAttribute("aria-disabled") != "true"
        && (e.matches("input[type=text], input[type=number], select")
            || [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim())));
    return texts.map(e => {
        const below = behind(e);
        const style = getComputedStyle(e);
        const [a, b] = [light(over(rgba(style.color), below)), light(below)].sort((x, y) => y - x);
        return [(a + 0.05) / (b + 0.05), e.tagName + "." + e.className + " " +
            (e.value || e.textContent).slice(0, 30) + " " + style.color + " on " + below];
    });
}"""
# What would show a scroll bar, or is cut off at the panel's right edge.
OVERFLOWS = """panel => [panel, ...panel.querySelectorAll("*")]
    .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && (e == panel
        || ["auto", "scroll"].includes(getComputedStyle(e).overflowX)))
    .map(e => `${e.tagName}.${e.className}: ${e.scrollWidth} in ${e.clientWidth}`)"""
UPRIGHT = """panel => [panel, ...panel.querySelectorAll("*")]
    .filter(e => e.checkVisibility() && e.scrollHeight > e.clientHeight + 1
        && ["auto", "scroll"].includes(getComputedStyle(e).overflowY))
    .map(e => `${e.tagName}.${e.className}: ${e.scrollHeight} in ${e.clientHeight}`)"""


@pytest.fixture(scope="module", params=[LIGHT, DARK])
def notebook(request, chromium, lab):
    name = f"look_{request.param.split()[-1].lower()}"
    with opened(chromium, lab, name, theme=request.param) as notebook:
        yield notebook


@pytest.fixture(params=PANELS)
def panel(request, notebook) -> Locator:
    """Give each panel, its code on show and its status line in trouble."""
    shown = notebook.show(f"panel = {PANELS[request.param]}\npanel").locator(".ck-view")
    open_section(shown, "torch code")
    expect(shown.locator("pre:visible")).to_be_visible()
    return shown


def test_text_is_legible_nothing_scrolls_and_everything_has_a_name(panel):
    assert panel.evaluate(OVERFLOWS) == [] and panel.evaluate(UPRIGHT) == []
    first = panel.locator(".ck-boxes input").first
    type_in(first, "nan")
    expect(panel.get_by_role("alert")).to_be_visible()
    for ratio, text in panel.evaluate(CONTRASTS):
        assert ratio >= 4.5, text
    roles = r"^ *- (button|textbox|spinbutton|combobox|checkbox|slider|img)( \".+?\")?"
    found = re.findall(roles, panel.aria_snapshot(), flags=re.MULTILINE)
    assert len(found) > 10
    assert [role for role, name in found if not re.search(r"\w", name)] == []


def test_a_lens_by_itself_is_legible(notebook):
    view = notebook.show("lens(stripes(), torch.ones(3, 3), padding=1)").locator(".ck-saved")
    contrasts = view.evaluate(CONTRASTS)
    assert len(contrasts) > 80
    for ratio, text in contrasts:
        assert ratio >= 4.5, text


def test_the_focus_is_seen(notebook):
    panel = notebook.show("panel = KernelEditor(stripes())\npanel")
    corner = box(panel, "K[0, 0]")
    place = corner.bounding_box()
    clip = {"x": place["x"] - 4, "y": place["y"] - 4, "width": place["width"] + 8, "height": 4}
    without = panel.page.screenshot(clip=clip)  # the strip above the box
    corner.focus()
    assert panel.page.screenshot(clip=clip) != without
