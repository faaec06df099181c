"""Each question for `predict`."""

import re
from pathlib import Path

import pytest

from convkit.errors import ConvkitError
from convkit.exercises import EXERCISES, QUESTIONS, predict

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
NUMBER = re.compile(r"\d+\.\d+")


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_a_right_choice_and_a_reason_for_each(name):
    question = QUESTIONS[name]
    assert predict(name).text.splitlines()[0] == question.words
    assert len(question.choices) >= 3
    assert all(reason.endswith((".", "?")) for reason in question.choices.values())
    assert question.right in question.choices


def test_a_question_that_does_not_exist_is_refused():
    with pytest.raises(ConvkitError, match=r"question is '77.1'; expected one of"):
        predict("77.1")


def test_each_question_stands_in_a_notebook_once():
    texts = [path.read_text("utf-8") for path in NOTEBOOKS.glob("*.ipynb")]
    asked = re.findall(r'predict\(\\"(.+?)\\"\)', "".join(texts))
    assert sorted(asked) == sorted(QUESTIONS)


def test_the_index_of_the_books_exercises_names_ours():
    index = (ROOT / "docs" / "d2l_exercises.md").read_text(encoding="utf-8")
    rows = "".join([line.split("|")[3] for line in index.splitlines() if line[:4] == "| 7."])
    asked = NUMBER.findall(" ".join(re.findall(r"\*.+?\*", rows)))
    checked = NUMBER.findall(re.sub(r"\*.+?\*", "", rows))
    assert set(asked) <= QUESTIONS.keys() and set(checked) <= EXERCISES.keys()
    assert len(asked) >= 15 and len(checked) > 20
