"""The grader: runs an answer on cases and compares it with right and with known wrong answers.

An exercise is a table: cases, a correct answer, and wrong answers with what to say about each.
The tests check every wrong answer and expect its own words.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from convkit import formatting, user_function
from convkit.errors import brief_repr
from convkit.exercises._answers import NotStarted, Wrong, is_blank, numbers, run
from convkit.exercises._result import CheckResult, Outcome
from convkit.layers import Conv2D

Function = Callable[..., Any]
Size = tuple[int, int]
Observations = dict[str, Tensor]
"""What an answer gives in one case, by name, such as "Y" or "The loss"."""

RELATIVE_TOLERANCE = 1e-4


class Difference(NamedTuple):
    """Where an answer differs from what is right.

    Attributes
    ----------
    name : str
        The name of the observation.
    given, right : Tensor
        What the answer gave, and what it should have given.
    cell : tuple of int
        The first cell that differs; empty where the shape differs, and for one or two numbers,
        which are shown together.
    """

    name: str
    given: Tensor
    right: Tensor
    cell: tuple[int, ...]

    @property
    def is_shape(self) -> bool:
        """Whether the shape differs, not only the numbers."""
        return self.given.shape != self.right.shape


class Case(NamedTuple):
    """What an answer is tried on.

    Attributes
    ----------
    args : tuple
        What `observe` and `require` get after the answer.
    intro : str
        A sentence that says what was tried; may be empty.
    """

    args: tuple[Any, ...] = ()
    intro: str = ""


def size_case(input_size: Size, kernel_size: Size, *args: Tensor) -> Case:
    """Return a case about two sizes, which are its arguments unless `args` gives others."""
    sizes = formatting.size(input_size), formatting.size(kernel_size)
    intro = f"Tried on a {sizes[0]} input and a {sizes[1]} kernel."
    return Case(args or (input_size, kernel_size), intro)


def what_is_right(difference: Difference) -> str:
    """Return an explanation that says what is right."""
    if difference.is_shape:
        return f"It should be {shape_text(difference.right)}."
    return f"It should be {_texts(difference)[1]}."


def _nothing(*_: object) -> None:
    """Require nothing."""


class Exercise(NamedTuple):
    """One exercise.

    Attributes
    ----------
    hint : str
        A push in the right direction.
    success : str
        The message for a correct answer.
    solution : callable or str
        The function that the exercise asks for, or the lines that make the value it asks for.
    correct : object
        A right answer, found in another way than `solution`.
    misconceptions : mapping of str to object
        Known wrong answers, and what to say about each.
    observe : callable
        Takes the answer and a case's arguments; returns what is compared, in this order.
    require : callable
        Takes the same, once all observations are right; raises `Wrong`.
    explain : callable
        Takes a `Difference` that no misconception explains; returns what follows "Y[0, 0] is 5.".
    cases : tuple of Case
        What the answer is tried on.
    """

    hint: str
    success: str
    solution: Function | str
    correct: object
    misconceptions: Mapping[str, object]
    observe: Callable[..., Observations]
    require: Callable[..., None] = _nothing
    explain: Callable[[Difference], str] = what_is_right
    cases: tuple[Case, ...] = (Case(),)

    @property
    def asks_for_function(self) -> bool:
        """Whether the answer is a function rather than a value."""
        return callable(self.solution)

    @property
    def solution_source(self) -> str:
        """The solution as Python code."""
        return self.solution if isinstance(self.solution, str) else inspect.getsource(self.solution)

    def observations(self, answer: object) -> list[Observations]:
        """Return what an answer gives, case by case; raises `Wrong` or `NotStarted`."""
        return [_in_case(case, self.observe, answer) for case in self.cases]


def check_answer(name: str, exercise: Exercise, answer: object) -> CheckResult:
    """Return the verdict on an answer; whatever the answer does, nothing is raised or changed."""
    with user_function.restored_settings():
        torch.manual_seed(0)
        torch.set_default_dtype(torch.float32)
        try:
            _grade(exercise, answer)
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
    right = exercise.observations(exercise.correct)
    names = list(right[0])
    for count in range(1, len(names) + 1):
        _compare(exercise, names[:count], given, right)
    for case in exercise.cases:
        _in_case(case, exercise.require, answer)


def _in_case(case: Case, function: Function, answer: object) -> Any:
    """Call `function` on an answer and a case; a `Wrong` then says which case it was."""
    try:
        return function(answer, *case.args)
    except Wrong as wrong:
        raise Wrong(f"{case.intro} {wrong.message}".strip()) from wrong


def _compare(
    exercise: Exercise, names: list[str], given: list[Observations], right: list[Observations]
) -> None:
    """Raise `Wrong` if an answer goes wrong at the last of `names`, in any case.

    The message names the first misconception that gives the same up to there.
    """
    agreements = _agreements(names, given, right)
    if all(agreements):
        return
    first = agreements.index(False)
    difference = _first_difference(names[-1], given[first], right[first])
    tried = f"{exercise.cases[first].intro} {_statement(difference)}".strip()
    for text, answer in exercise.misconceptions.items():
        wrong = exercise.observations(answer)
        if all(_agreements(names, given, wrong)):
            is_short = difference.given.numel() <= 2
            raise Wrong(f"{tried} {text}" if is_short else text, text)
    raise Wrong(f"{tried} {exercise.explain(difference)}")


def _agreements(
    names: list[str], given: list[Observations], right: list[Observations]
) -> list[bool]:
    """Return in which cases all observations called `names` agree."""
    cases = zip(given, right, strict=True)
    return [all(_agree(a[name], b[name]) for name in names) for a, b in cases]


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


def shape_text(values: Tensor) -> str:
    """Return "a single number", "a row of 2 numbers" or "an array of 3 × 3"."""
    if values.ndim == 0:
        return "a single number"
    if values.ndim == 1:
        return "a row of 1 number" if len(values) == 1 else f"a row of {len(values)} numbers"
    return f"an array of {formatting.size(values.shape)}"


def returned(name: str) -> Callable[..., Observations]:
    """Return an `observe` for exercises whose function returns numbers, called `name`."""
    return lambda function, *args: {name: numbers(run(function, *args), name)}


def given_value(name: str) -> Callable[..., Observations]:
    """Return an `observe` for exercises whose answer is numbers, called `name`."""
    return lambda answer: {name: numbers(answer, name)}


def random_integers(*shape: int, seed: int) -> Tensor:
    """Return whole numbers from -4 to 4, none of them 0, as floats."""
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(1, 5, shape, generator=generator)
    signs = 2 * torch.randint(0, 2, shape, generator=generator) - 1
    return (sizes * signs).float()


def layer_with(weight: Tensor) -> Conv2D:
    """Return a layer that starts from `weight` and a bias of 0."""
    layer = Conv2D(tuple(weight.shape))
    with torch.no_grad():
        layer.weight.copy_(weight)
    return layer
