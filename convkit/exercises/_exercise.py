"""What an exercise is: a table of cases, a right answer, and wrong answers with words for each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from convkit import formatting
from convkit.exercises._answers import Wrong, numbers, run
from convkit.layers import Conv2D

Function = Callable[..., Any]
Size = tuple[int, int]
Observations = dict[str, Tensor]
"""What an answer gives in one case, by name, such as "Y" or "The loss"."""

MAX_SHOWN = 40
"""The most numbers of an array that a verdict writes out."""
MAX_LINE = 80
"""The most characters of arguments that a verdict writes on one line."""


@dataclass(frozen=True)
class Difference:
    """Where an answer differs from what is right.

    Parameters
    ----------
    name : str
        The name of the observation.
    given, right : Tensor
        What the answer gave, and what it should have given.
    cell : tuple of int
        The first cell that differs; empty where the shape differs, and for one or two numbers,
        which are shown together.

    Examples
    --------
    >>> Difference("Y", torch.zeros(2, 2), torch.zeros(2, 3), ()).is_shape
    True
    """

    name: str
    given: Tensor
    right: Tensor
    cell: tuple[int, ...]

    @property
    def is_shape(self) -> bool:
        """Whether the shape differs, not only the numbers."""
        return self.given.shape != self.right.shape


class Case:
    """What an answer is tried on.

    Parameters
    ----------
    *args
        What the learner's function is called with.
    tried : str
        How a verdict writes the arguments. By default they are written as code.

    Examples
    --------
    >>> Case(torch.eye(2), (1, 2)).text(["X", "kernel_size"])
    'X = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), kernel_size = (1, 2)'
    >>> Case(torch.zeros(6, 8), tried="black").text(["X"])
    'black'
    """

    def __init__(self, *args: Any, tried: str = "") -> None:
        self.args = args
        self._tried = tried

    def text(self, names: list[str]) -> str:
        """Return the arguments with their `names` in words, on one line or on several."""
        if self._tried:
            return self._tried
        values = zip(names, self.args, strict=False)
        parts = [f"{name} = {_code(value)}" for name, value in values]
        line = ", ".join(parts)
        return line if len(line) <= MAX_LINE else "\n".join(parts)


def _code(value: object) -> str:
    """Return an argument as a learner can type it, or in words."""
    if isinstance(value, nn.Module):
        weights = [f"{name} {each.tolist()}" for name, each in value.named_parameters()]
        return f"a layer with {' and '.join(weights)}, and gradients of an earlier step"
    if not isinstance(value, Tensor):
        return repr(value)
    if value.numel() > MAX_SHOWN:
        return f"an array of {formatting.size(value.shape)}"
    return f"torch.tensor({value.tolist()})"


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise: `check`, `hint` and `solution` know it once it is in `EXERCISES`.

    Parameters
    ----------
    hint : str
        A push in the right direction.
    success : str
        The message for a correct answer.
    solution : callable or str
        The function that the exercise asks for, or the lines that make the value it asks for.
    correct : object
        A right answer, best found in another way than `solution`.
    misconceptions : mapping of str to object
        Known wrong answers, and what to say about each.
    cases : sequence of Case
        What the answer is tried on, if it is a function. Choose them so that each known mistake
        gives something else than the right answer in one of them at least.
    name : str
        What a verdict calls the numbers, such as "Y".
    observe : callable, optional
        Takes the answer and a case's arguments; returns tensors by name, which are compared in
        this order. By default these are the numbers that the answer holds, or returns.
    require : callable, optional
        Takes the same, once all observations are right; raises `Wrong`.
    explain : callable, optional
        Takes a `Difference` that no misconception explains; returns what to say about it.
    reveals : bool
        Whether a verdict says what is right, as it may where that does not give the answer away.

    Examples
    --------
    A teacher's own exercise, with its stub and its check in a notebook:

    >>> from convkit.exercises import EXERCISES, Case, Exercise, check
    >>> def count_pixels(height, width):
    ...     return height * width
    >>> EXERCISES["A.1"] = Exercise(
    ...     hint="Count one row. How many rows are there?",
    ...     success="Three pictures.",
    ...     solution=count_pixels,
    ...     correct=lambda height, width: torch.zeros(height, width).numel(),
    ...     misconceptions={"That is half of the outline.": lambda height, width: height + width},
    ...     cases=(Case(2, 3), Case(1, 4), Case(5, 5)),
    ...     name="The number",
    ... )
    >>> check("A.1", lambda height, width: ...)
    A.1 not started. Replace the ... above. Stuck? Run
    from convkit.exercises import hint; hint("A.1")
    >>> check("A.1", lambda height, width: height + width)
    A.1 not yet. The number is 5. It should be 6. That is half of the outline.
    Tried with height = 2, width = 3.
    >>> check("A.1", count_pixels)
    A.1 correct. Three pictures.
    >>> del EXERCISES["A.1"]
    """

    hint: str
    success: str
    solution: Function | str
    correct: object
    misconceptions: Mapping[str, object] = field(default_factory=dict)
    cases: tuple[Case, ...] = (Case(),)
    name: str = "The result"
    observe: Callable[..., Observations] | None = None
    require: Callable[..., None] | None = None
    explain: Callable[[Difference], str] | None = None
    reveals: bool = True

    @property
    def asks_for_function(self) -> bool:
        """Whether the answer is a function rather than a value."""
        return callable(self.solution)

    @property
    def solution_source(self) -> str:
        """The solution as Python code."""
        return self.solution if isinstance(self.solution, str) else inspect.getsource(self.solution)

    def tried(self, case: Case) -> str:
        r"""Return a line that says what an answer was tried on, or nothing.

        Examples
        --------
        >>> double = Exercise(hint="", success="", solution=lambda x: 2 * x, correct=None)
        >>> double.tried(Case(3))
        '\nTried with x = 3.'
        """
        if not case.args:
            return ""
        names = ["X"]
        if callable(self.solution):
            names = list(inspect.signature(self.solution).parameters)
        text = case.text(names)
        return f"\nTried with\n{text}" if "\n" in text else f"\nTried with {text}."

    def observations(self, answer: Any) -> list[Observations | Wrong]:
        """Return what an answer gives in each case, or why it gives nothing there.

        Examples
        --------
        >>> cases = Case(3), Case(0.5)
        >>> double = Exercise(hint="", success="", solution=abs, correct=None, cases=cases)
        >>> [each["The result"].item() for each in double.observations(lambda x: 2 * x)]
        [6.0, 1.0]
        """
        return [self.in_case(case, self.observe or self._numbers, answer) for case in self.cases]

    def in_case(self, case: Case, function: Function, answer: object) -> Any:
        """Call `function` on an answer and a case; return a `Wrong` that says which case it was.

        Examples
        --------
        >>> def refuse(answer, x):
        ...     raise Wrong("It is odd.")
        >>> double = Exercise(hint="", success="", solution=lambda x: 2 * x, correct=None)
        >>> print(double.in_case(Case(3), refuse, None).message)
        It is odd.
        Tried with x = 3.
        """
        try:
            return function(answer, *case.args)
        except Wrong as wrong:
            return Wrong(f"{wrong.message}{self.tried(case)}", wrong.misconception)

    def _numbers(self, answer: Any, *args: object) -> Observations:
        value = run(answer, *args) if self.asks_for_function else answer
        return {self.name: numbers(value, self.name)}


def forbid(names: str, instead: str) -> Callable[..., None]:
    """Return a `require` for exercises that ask not to use `names`; `instead` is the advice.

    Several names are separated by spaces. It reads the names in the learner's function, not in
    functions that this one calls.

    Examples
    --------
    >>> require = forbid("max", "Write a loop.")
    >>> require(lambda X: max(X))
    Traceback (most recent call last):
    convkit.exercises._answers.Wrong: The result is right, but max is not to be used. Write a loop.
    """

    def require(function: Function, *_: object) -> None:
        used = set(_names_in(getattr(function, "__code__", None)))
        if forbidden := [name for name in names.split() if name in used]:
            raise Wrong(f"The result is right, but {forbidden[0]} is not to be used. {instead}")

    return require


def ask_for(*names: str, instead: str) -> Callable[..., None]:
    """Return a `require` for exercises that ask to use one of `names`; `instead` is the advice.

    It reads the learner's function, and functions of theirs that this one names. Of what is no
    function, such as a `functools.partial`, it asks nothing.

    Examples
    --------
    >>> require = ask_for("max", instead="Call max once.")
    >>> require(lambda X: max(X))
    >>> require(lambda X: sorted(X)[-1])
    Traceback (most recent call last):
    convkit.exercises._answers.Wrong: The result is right, but without max. Call max once.
    """

    def require(function: Function, *_: object) -> None:
        if hasattr(function, "__code__") and not set(names).intersection(_names_below(function)):
            raise Wrong(f"The result is right, but without {names[0]}. {instead}")

    return require


def _names_below(function: Function) -> set[str]:
    """Return the names that a function uses, and those that functions of its module use for it."""
    names, waiting = set[str](), [function]
    while waiting:
        now = waiting.pop()
        names.add(now.__name__)
        own = set(_names_in(now.__code__)) - names
        names |= own
        named = [now.__globals__.get(name) for name in own]
        functions = [each for each in named if isinstance(each, FunctionType)]
        waiting += [each for each in functions if each.__module__ == function.__module__]
    return names


def _names_in(body: object) -> Iterator[str]:
    """Yield the names that a function's code uses, and those of functions inside it."""
    if isinstance(body, CodeType):
        yield from body.co_names
        for constant in body.co_consts:
            yield from _names_in(constant)


def random_numbers(*shape: int, seed: int) -> Tensor:
    """Return quarters from -2 to 2, none of them 0: fractions and numbers of both signs.

    Examples
    --------
    >>> random_numbers(1, 3, seed=0)
    tensor([[-1.2500,  2.0000,  1.5000]])
    """
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(1, 9, shape, generator=generator)
    signs = 2 * torch.randint(0, 2, shape, generator=generator) - 1
    return (sizes * signs) / 4


def layer_with(weight: Tensor, bias: float = 0.5) -> Conv2D:
    """Return a layer with these parameters, and with gradients as an earlier step leaves them.

    Examples
    --------
    >>> layer_with(torch.eye(2)).weight.grad
    tensor([[1., 1.],
            [1., 1.]])
    """
    layer = Conv2D(tuple(weight.shape))
    layer.load_state_dict({"weight": weight, "bias": torch.tensor([bias])})
    for parameter in layer.parameters():
        parameter.grad = torch.ones_like(parameter)
    return layer


def shape_text(values: Tensor) -> str:
    """Return "a single number", "a row of 2 numbers" or "an array of 3 × 3".

    Examples
    --------
    >>> shape_text(torch.zeros(3, 3))
    'an array of 3 × 3'
    """
    if values.ndim == 0:
        return "a single number"
    if values.ndim == 1:
        return "a row of 1 number" if len(values) == 1 else f"a row of {len(values)} numbers"
    return f"an array of {formatting.size(values.shape)}"
