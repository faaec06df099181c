"""Questions with choices: what is said, and what only a fold that is opened says."""

import pytest
from bs4 import BeautifulSoup

from convkit import ui
from convkit.errors import ConvkitError
from convkit.ui.html import render
from convkit.ui.keys import keyed
from convkit.ui.saved import saved
from convkit.ui.text import words
from tests.stripped import stripped_lines

CHOICES = {"<4>": "Twice & twice.", "22": "That is no product.", "0": "That is a difference."}
NODE = keyed(ui.question("2 × 2?", CHOICES, right="<4>"))


@pytest.mark.parametrize("html", [render(NODE), saved(NODE)], ids=["live", "saved"])
def test_each_choice_answers_with_its_reason_and_the_right_one_in_a_closed_fold(html):
    folds = BeautifulSoup(html, "html.parser").find_all("details")
    assert [fold.summary.text for fold in folds] == list(CHOICES)
    assert not any(fold.has_attr("open") for fold in folds)
    assert [fold.div.text for fold in folds] == [
        "Right. Twice & twice.",
        "Not so. That is no product.Right is: <4>",
        "Not so. That is a difference.Right is: <4>",
    ]


def test_nothing_is_given_away_in_words_or_where_styles_are_dropped():
    assert words(NODE).splitlines() == ["2 × 2?", "- <4>", "- 22", "- 0"]
    assert stripped_lines(str(saved(NODE))) == ["2 × 2?", "<4>", "22", "0"]


def test_a_question_whose_right_choice_is_missing_is_refused():
    with pytest.raises(ConvkitError, match="right is '5'; expected one of <4>, 22, 0"):
        ui.question("2 × 2?", CHOICES, right="5")
