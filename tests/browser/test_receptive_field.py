"""The explorer, live and saved, by pointer and by keys: one cell of several tables is chosen."""

import re

import pytest
from playwright.sync_api import Locator, expect

from convkit.panels import ReceptiveFieldExplorer
from tests.browser.page_objects import opened

SOURCE = "explorer = ReceptiveFieldExplorer([(3, 1, 1), (3, 2, 1), 3], size=8)\nexplorer"
NAMES = {"input": "input", "first": "layer 1", "second": "layer 2", "third": "layer 3"}


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "receptive_field") as notebook:
        yield notebook


def cell(view: Locator, name: str, i: int, j: int) -> Locator:
    return view.locator(f"[data-pick={name}] .r{i} td").nth(j)


def expect_followed(view: Locator, name: str, spans: dict[str, tuple[int, int, int, int]]) -> None:
    """Expect that the frames of one cursor alone show, each over these rows and columns."""
    for other in NAMES:
        frames = view.locator(f"[data-rule][data-cursor={other}]")
        assert frames.count() == len(NAMES)
        for frame in frames.all():
            expect(frame).to_have_css("visibility", "visible" if other == name else "hidden")
    for table, (top, left, bottom, right) in spans.items():
        frame = view.locator(f"[data-pick={table}] [data-rule][data-cursor={name}]")
        first, last = (
            cell(view, table, *place).bounding_box() for place in ((top, left), (bottom, right))
        )
        expected = [first["x"], first["y"], last["x"] + last["width"], last["y"] + last["height"]]
        frame.evaluate("e => Promise.all(e.getAnimations().map(a => a.finished))")
        box = frame.bounding_box()
        found = [box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]]
        assert found == pytest.approx(expected, abs=1), table


def walk_through(view: Locator) -> None:
    """Point at cells below and above, choose one, and go on by keys."""
    sentence = view.locator("output.ck-description")
    cell(view, "input", 4, 5).hover()
    seen_by = {"input": (4, 5, 4, 5), "first": (3, 4, 5, 6), "second": (1, 2, 3, 3)}
    expect_followed(view, "input", seen_by)
    cell(view, "third", 0, 1).hover()
    expect_followed(view, "third", {"second": (0, 1, 2, 3), "third": (0, 1, 0, 1)})
    cell(view, "second", 2, 1).click()
    view.page.mouse.move(2, 2)
    expect_followed(view, "second", {"input": (2, 0, 6, 4), "second": (2, 1, 2, 1)})
    view.page.keyboard.press("ArrowRight")
    expect_followed(view, "second", {"input": (2, 2, 6, 6), "second": (2, 2, 2, 2)})
    assert view.locator(":checked, [aria-selected=true]").count() == 1
    expect(sentence).to_have_count(1)


def test_it_follows_the_pointer_and_keys_and_tells_python(notebook):
    view = notebook.show(SOURCE).locator(".ck-view")
    walk_through(view)
    words = "layer 2 [2, 2] sees rows 2 to 6, columns 2 to 6 of the input"
    expect(view.locator("output.ck-description")).to_contain_text(words)
    assert notebook.ask("print(explorer.n, explorer.at)").strip() == "2 (2, 2)"
    chosen = view.get_by_role("gridcell", selected=True)
    expect(chosen).to_have_accessible_name(re.compile(re.escape(words)))
    chosen.focus()
    view.page.keyboard.press("Tab")  # to the next grid, whose cell one can choose too
    view.page.keyboard.press("Enter")
    expect_followed(view, "third", {"second": (1, 1, 3, 3), "third": (1, 1, 1, 1)})
    assert notebook.ask("print(explorer.n, explorer.at)").strip() == "3 (1, 1)"


def test_saved_it_follows_without_script(chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(ReceptiveFieldExplorer([(3, 1, 1), (3, 2, 1), 3], size=8).saved_html())
    walk_through(page.locator(".ck-saved"))
    context.close()
