"""A choice that is opened answers, and shows the right one: by pointer, by keys, not in print."""

import pytest
from playwright.sync_api import expect

from convkit.exercises import Question
from tests.browser.page_objects import watched

QUESTION = Question("2 × 2?", {"22": "No product.", "4": "Twice two.", "0": "A difference."}, "4")
MARKS = """all => all.map(e => getComputedStyle(e, "::before").content[1])"""


@pytest.fixture
def page(chromium):
    with watched(chromium, java_script_enabled=False) as page:
        page.set_content(QUESTION.view()._repr_html_())
        yield page


def marks(page):
    return "".join(page.locator("summary").evaluate_all(MARKS))


def test_a_choice_answers_by_pointer_and_the_right_one_is_marked(page):
    assert marks(page) == "○○○"
    assert page.locator("body").inner_text().split() == ["2", "×", "2?", "22", "4", "0"]
    page.get_by_text("0", exact=True).click()
    expect(page.get_by_text("A difference.")).to_be_visible()
    expect(page.get_by_text("Right is: 4")).to_have_count(2)
    expect(page.get_by_text("Twice two.")).to_be_hidden()
    assert marks(page) == "○✓✗"


def test_any_choice_is_reached_by_keys_and_none_is_opened_on_the_way(page):
    for _ in range(3):
        page.keyboard.press("Tab")
    assert marks(page) == "○○○"
    page.keyboard.press("Enter")
    expect(page.get_by_text("A difference.")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.get_by_text("Twice two.")).to_be_visible()
    assert marks(page) == "○✓✗"


def test_what_was_chosen_is_not_printed(page):
    page.get_by_text("0", exact=True).click()
    page.emulate_media(media="print")
    expect(page.get_by_text("A difference.")).to_be_hidden()
    expect(page.locator("summary", has_text="4")).to_be_visible()
    assert marks(page) == "○○○"
