"""The grader: runs an answer on cases and compares it with right and with known wrong answers.

The tests check every wrong answer of an exercise and expect its own words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from convkit import formatting, user_function
from convkit.errors import brief_repr
from convkit.exercises._answers import NotStarted, Wrong, is_blank
from convkit.exercises._exercise import Case, Difference, Exercise, Observations, shape_text
from convkit.exercises._result import CheckResult, Outcome

RELATIVE_TOLERANCE = 1e-4
T = TypeVar("T")
Seen = Observations | Wrong
"""What an answer gives in a case, or why it gives nothing."""


def with_defaults(run: Callable[[], T]) -> T:
    """Return what `run` returns under torch's own defaults and seed 0; restore all afterwards."""

    def run_with_defaults() -> T:
        torch.manual_seed(0)
        torch.set_default_dtype(torch.float32)
        if torch.empty(0).device.type == "cpu":
            return run()
        with torch.device("cpu"):
            return run()

    return user_function.settings_restored(run_with_defaults)


def check_answer(name: str, exercise: Exercise, answer: object) -> CheckResult:
    """Return the verdict on an answer; whatever the answer does, nothing is raised or changed."""
    try:
        with_defaults(lambda: _grade(exercise, answer))
    except NotStarted:
        help_line = f'from convkit.exercises import hint; hint("{name}")'
        message = f"Replace the ... above. Stuck? Run\n{help_line}"
        return CheckResult(name, Outcome.NOT_STARTED, "", message)
    except Wrong as wrong:
        return CheckResult(name, Outcome.INCORRECT, wrong.misconception, wrong.message)
    except user_function.FAILURES as error:
        message = f"This answer cannot be checked: {user_function.describe_error(error)}"
        return CheckResult(name, Outcome.INCORRECT, "", message)
    return CheckResult(name, Outcome.CORRECT, "", exercise.success)


def _grade(exercise: Exercise, answer: object) -> None:
    if is_blank(answer):
        raise NotStarted
    if exercise.asks_for_function and not callable(answer):
        passed = brief_repr(answer)
        raise Wrong(f"You passed {passed}; expected the function itself: its name, without ().")
    given = exercise.observations(answer)
    right = [_seen(each) for each in exercise.observations(exercise.correct)]
    names = list(right[0])
    for count in range(1, len(names) + 1):
        _compare(exercise, names[:count], given, right)
    if exercise.require is not None:
        for case in exercise.cases:
            _seen(exercise.in_case(case, exercise.require, answer))


def _seen(seen: T | Wrong) -> T:
    if isinstance(seen, Wrong):
        raise seen
    return seen


def _compare(
    exercise: Exercise, names: list[str], given: list[Seen], right: list[Observations]
) -> None:
    """Raise `Wrong` if an answer goes wrong at the last of `names`, in any case.

    The message names the first misconception that gives the same up to there.
    """
    for case, a, b in zip(exercise.cases, given, right, strict=True):
        if not _agree_on(names, _seen(a), b):
            difference = _first_difference(names[-1], _seen(a), b)
            misconception = _misconception(exercise, names, given, case)
            message = _message(exercise, difference, misconception)
            raise Wrong(f"{message}{exercise.tried(case)}", misconception)


def _message(exercise: Exercise, difference: Difference, misconception: str) -> str:
    right = _right_statement(difference) if exercise.reveals else ""
    why = misconception or _explanation(exercise, difference)
    return " ".join(filter(None, [_statement(difference), right, why]))


def _misconception(exercise: Exercise, names: list[str], given: list[Seen], case: Case) -> str:
    """Return the first known mistake that gives the same wherever it gives anything, or no text.

    It must give something in `case`, where the answer went wrong. Where a mistake fails, or the
    answer does, the one may be written so that it fails and the other not.
    """
    index = exercise.cases.index(case)
    for text, answer in exercise.misconceptions.items():
        wrong = exercise.observations(answer)
        pairs = zip(given, wrong, strict=True)
        if not isinstance(wrong[index], Wrong) and all(_agree_on(names, *each) for each in pairs):
            return text
    return ""


def _explanation(exercise: Exercise, difference: Difference) -> str:
    given, right = difference.given.flatten(), difference.right.flatten()
    words = exercise.explain(difference) if exercise.explain else ""
    if difference.is_shape and _agree(given, right):
        return f"The numbers are right, but not the brackets around them. {words}".rstrip()
    return words


def _agree_on(names: list[str], a: Seen, b: Seen) -> bool:
    """Return whether all observations called `names` agree; a failure agrees with anything."""
    if isinstance(a, Wrong) or isinstance(b, Wrong):
        return True
    return all(_agree(a[name], b[name]) for name in names)


def _agree(given: Tensor, right: Tensor) -> bool:
    return given.shape == right.shape and bool(_close(given, right).all())


def _close(given: Tensor, right: Tensor) -> Tensor:
    """Return which numbers agree: to four digits, or to the answer's precision if that is lower.

    A number near zero may be off by a hundredth of that, relative to the largest.
    """
    rtol = max(RELATIVE_TOLERANCE, 2 * torch.finfo(given.dtype).eps)
    a, b = given.double(), right.double()
    return (a - b).abs() <= rtol * b.abs() + rtol / 100 * b.abs().max()


def _first_difference(name: str, given_all: Observations, right_all: Observations) -> Difference:
    given, right = given_all[name], right_all[name]
    if given.shape != right.shape or given.numel() <= 2:
        return Difference(name, given, right, ())
    cell = (~_close(given, right)).nonzero()[0].tolist()
    return Difference(name, given, right, tuple(cell))


def _statement(difference: Difference) -> str:
    """Return "Y[0, 1] is 5." or "Y is an array of 3 × 3."."""
    if difference.is_shape:
        return f"{difference.name} is {shape_text(difference.given)}."
    place = f"[{', '.join(map(str, difference.cell))}]" if difference.cell else ""
    return f"{difference.name}{place} is {_texts(difference)[0]}."


def _right_statement(difference: Difference) -> str:
    right = shape_text(difference.right) if difference.is_shape else _texts(difference)[1]
    return f"It should be {right}."


def _texts(difference: Difference) -> tuple[str, str]:
    """Return the number given and the right one, with enough digits to tell them apart."""
    given = difference.given[difference.cell].flatten().tolist()
    right = difference.right[difference.cell].flatten().tolist()
    for digits in range(4, 18):
        texts = _number_text(given, digits), _number_text(right, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _number_text(values: list[float], digits: int) -> str:
    """Return one number as "13", two as "(6, 7)"; whole ones get nine digits at least."""
    whole_digits = max(digits, 9)
    texts = [
        formatting.number(value, whole_digits if value.is_integer() else digits) for value in values
    ]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
