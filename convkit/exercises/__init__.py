"""The notebooks' exercises: check an answer, ask for a hint, read a solution.

``check("1.1", answer)`` returns one of three verdicts: not started, correct and what was checked,
or not yet and what is wrong. It never stops the notebook. ``predict("9.3")`` shows a question with
choices. `Exercise` and `Question` make one's own. ``python -m convkit.exercises FILES`` prints who
solved what.
"""

import importlib
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING

from convkit.errors import check_choice
from convkit.exercises._answers import Wrong, numbers, run
from convkit.exercises._exercise import (
    Case,
    Difference,
    Exercise,
    ask_for,
    forbid,
    layer_with,
    random_numbers,
    shape_text,
)
from convkit.exercises._grading import check_answer, with_defaults
from convkit.exercises._question import Question
from convkit.exercises._result import CheckResult, Outcome

if TYPE_CHECKING:
    from convkit.ui import View

__all__ = [
    "EXERCISES",
    "QUESTIONS",
    "Case",
    "CheckResult",
    "Difference",
    "Exercise",
    "Outcome",
    "Question",
    "Wrong",
    "check",
    "ask_for",
    "forbid",
    "hint",
    "layer_with",
    "numbers",
    "predict",
    "random_numbers",
    "run",
    "shape_text",
    "solution",
]


def _load() -> list[ModuleType]:
    """Return the modules of this package that are called nbNN."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}") for name in names if name[:2] == "nb"]


_MODULES = with_defaults(_load)
EXERCISES: dict[str, Exercise] = {
    name: each for module in _MODULES for name, each in module.EXERCISES.items()
}
"""Every exercise by its name, such as "1.1". Add your own here."""
QUESTIONS: dict[str, Question] = {
    name: each for module in _MODULES for name, each in getattr(module, "QUESTIONS", {}).items()
}
"""Every question for `predict` by its name, such as "9.3". Add your own here."""


def _find(name: str) -> Exercise:
    check_choice("exercise", name, EXERCISES)
    return EXERCISES[name]


def check(name: str, answer: object) -> CheckResult:
    """Return whether `answer` solves the exercise, and if not, what is wrong with it.

    Parameters
    ----------
    name : str
        The exercise, such as "1.1".
    answer : object
        What the exercise asks for: numbers, a layer, or a function, passed without calling it.

    Returns
    -------
    CheckResult
        True only if the answer is correct; a notebook shows its message.

    Raises
    ------
    ConvkitError
        If there is no such exercise. No answer raises anything.

    Examples
    --------
    >>> check("0.1", 5 * 1 + 3 * (-1))
    0.1 correct. 5×1 + 3×(-1) = 2: multiply cell by cell, then add.
    >>> bool(check("0.1", 8))
    False
    """
    return check_answer(name, _find(name), answer)


def hint(name: str) -> None:
    """Print a hint for the exercise.

    Raises
    ------
    ConvkitError
        If there is no such exercise.

    Examples
    --------
    >>> hint("0.1")
    Two products, then one addition: 5 times 1, 3 times -1.
    """
    print(_find(name).hint)


def solution(name: str) -> None:
    """Print one solution, ready to paste into the notebook.

    Raises
    ------
    ConvkitError
        If there is no such exercise.

    Examples
    --------
    >>> solution("0.1")
    answer = 5 * 1 + 3 * (-1)
    """
    print(_find(name).solution_source.rstrip())


def predict(name: str) -> "View":
    """Return a question with choices, each of which answers when it is opened.

    Parameters
    ----------
    name : str
        The question, such as "9.3".

    Raises
    ------
    ConvkitError
        If there is no such question.

    Examples
    --------
    >>> QUESTIONS["A.1"] = Question("2 × 2?", {"4": "Twice two.", "22": "No product."}, right="4")
    >>> predict("A.1")
    2 × 2?
    - 4
    - 22
    >>> del QUESTIONS["A.1"]
    """
    check_choice("question", name, QUESTIONS)
    return QUESTIONS[name].view()
