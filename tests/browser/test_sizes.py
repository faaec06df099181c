"""Where a panel fits: output widths, small screens, forced colours, no motion."""

from io import BytesIO
from itertools import combinations

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.page_objects import Notebook, button, opened
from tests.browser.test_look import OVERFLOWS

PANELS = {
    "photo": "KernelEditor()",
    "stripes": "KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))",
    "padded": "KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]), padding=1)",
    "large kernel": "KernelEditor(photo(128), torch.linspace(-1, 1, 49).reshape(7, 7))",
    "stepper": "DescentStepper(stripes(), target=torch.tensor([[1.0, -1.0]]), "
    "start=torch.tensor([[0.5, 0.5]]), lr=0.03, steps=25)",
    "diverging": "DescentStepper(stripes(), target=torch.tensor([[1.0, -1.0]]), "
    "start=torch.tensor([[0.5, 0.5]]), lr=0.034, steps=25)",
    "receptive field": "ReceptiveFieldExplorer([(3, 1, 1), (3, 2, 1), (3, 1, 0, 2)])",
    "training": "TrainingMicroscope(steps=22)",
}
HEIGHTS = {"photo": 610, "large kernel": 625, "stepper": 620}  # of an output 850 pixels wide
# What reaches beyond the panel's left or right edge; frames are cut off at small tables.
CUT = """panel => {
    const {left, right} = panel.getBoundingClientRect();
    return [...panel.querySelectorAll("*")].filter(e => e.checkVisibility()
        && !e.closest("svg, .ck-unseen, .ck-small [data-rule]")
        && (e.getBoundingClientRect().right > right + 0.5
            || e.getBoundingClientRect().left < left - 0.5)).map(e => e.outerHTML.slice(0, 90));
}"""
AREAS = """panel => [...panel.querySelectorAll(
        ".ck-header, .ck-stage > *, .ck-plot, .ck-foot")]
    .filter(e => e.checkVisibility() && e.getBoundingClientRect().height > 0)
    .map(e => [e.className, e.getBoundingClientRect().toJSON()])"""


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "sizes") as notebook:
        yield notebook


def shown(notebook: Notebook, name: str) -> Locator:
    return notebook.show(f"panel = {PANELS[name]}\npanel").locator(".ck-view")


def overlaps(areas: list) -> list[tuple[str, str]]:
    """Return which boxes share more than a pixel of each axis."""
    return [
        (one, other)
        for (one, a), (other, b) in combinations(areas, 2)
        if min(a["right"], b["right"]) - max(a["left"], b["left"]) > 1
        and min(a["bottom"], b["bottom"]) - max(a["top"], b["top"]) > 1
    ]


@pytest.mark.parametrize("name", PANELS)
def test_nothing_is_cut_scrolls_or_overlaps_from_640_to_1100_pixels(notebook, name):
    panel = shown(notebook, name)
    for width in (640, 760, 850, 1100):
        panel.evaluate("(panel, width) => panel.style.maxWidth = `${width}px`", min(width, 960))
        assert panel.bounding_box()["width"] == min(width, 960)
        assert (width, panel.evaluate(CUT)) == (width, [])
        assert (width, panel.evaluate(OVERFLOWS)) == (width, [])
        assert (width, overlaps(panel.evaluate(AREAS))) == (width, [])
        if width == 850 and name in HEIGHTS:
            assert panel.bounding_box()["height"] <= HEIGHTS[name]
        if width == 640 and name in ("stepper", "diverging"):
            status = panel.locator(".ck-status")
            assert status.bounding_box()["height"] <= 3 * 20 + 8  # three lines


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("photo", {"width": 1366, "height": 768}),
        ("stepper", {"width": 1300, "height": 900}),
    ],
)
def test_a_whole_panel_is_in_sight_beside_the_side_bar(notebook, name, size):
    page = notebook.page
    before = page.viewport_size
    page.set_viewport_size(size)
    page.keyboard.press("Escape")
    files = page.locator(".jp-DirListing-content")
    if not files.is_visible():
        page.get_by_role("menuitem", name="View", exact=True).click()
        page.get_by_text("File Browser", exact=True).first.click()
    expect(files).to_be_visible()
    panel = shown(notebook, name)
    panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
    place = panel.bounding_box()
    sheet = page.locator(".jp-NotebookPanel:visible .jp-WindowedPanel-outer").bounding_box()
    assert place["width"] < 960 and sheet["x"] > 200  # the side bar does take width
    assert place["y"] >= sheet["y"] - 1
    assert place["y"] + place["height"] <= sheet["y"] + sheet["height"] + 1
    page.set_viewport_size(before)


COLOURS = """panel => [...panel.querySelectorAll("td, .ck-key i, .ck-walked")]
    .filter(e => e.checkVisibility()).map(e => {
        const s = getComputedStyle(e);
        return [s.backgroundColor, s.backgroundImage, s.stroke, s.borderColor].join();
    })"""


def colours_across(slider: Locator) -> int:
    """Return how many colours stand above each other near a slider's right end."""
    with Image.open(BytesIO(slider.screenshot())) as image:
        x = round(0.92 * image.width)
        return len({image.getpixel((x, y)) for y in range(image.height)})


@pytest.mark.parametrize("name", ["photo", "stripes", "stepper", "training"])
def test_colours_survive_forced_colours_and_nothing_moves_by_itself(notebook, name):
    page, panel = notebook.page, shown(notebook, name)
    usual = panel.evaluate(COLOURS)
    assert len(set(usual)) > 5
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    assert panel.evaluate(COLOURS) == usual
    for slider in panel.get_by_role("slider").all():
        assert colours_across(slider) > 1  # the track, before the background
    ahead = {"stepper": "next step", "training": "next snapshot"}
    button(panel, ahead.get(name, "next window")).click()
    moving = "panel => panel.getAnimations({subtree: true}).map(a => a.animationName)"
    assert panel.evaluate(moving) == []
    page.emulate_media(forced_colors="none", reduced_motion="no-preference")
