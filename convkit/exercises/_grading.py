"""What the checkers share: reading an answer, running it, comparing it, naming the slip."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from convkit import formatting
from convkit.layers import Conv2D


class Exercise(NamedTuple):
    """One exercise.

    Attributes
    ----------
    checker : callable
        Takes the answer, returns what was checked, raises `Wrong` or `NotStarted`.
    solution : callable
        Its source is what `solution` prints. A function without parameters returns the answer;
        one with parameters is the answer.
    hint : str
        A push in the right direction.
    """

    checker: Callable[[Any], str]
    solution: Callable[..., Any]
    hint: str

    @property
    def answer(self) -> object:
        """The solution as `check` would get it."""
        return self.solution if inspect.signature(self.solution).parameters else self.solution()


class NotStarted(Exception):
    """The stub is still as it came."""


class Wrong(Exception):
    """The answer is wrong; the message says how, in numbers, and names the misconception."""


TORCH_ERRORS = {
    "grad can be implicitly created only for scalar": (
        "backward() starts from one number, and you called it on a whole map. "
        "Add the squares up first: .sum()."
    ),
    "does not require grad": (
        "The loss is cut off from the weight. Something on the way, such as .item(), .data, "
        ".detach() or no_grad, made plain numbers of it."
    ),
    "a leaf Variable that requires grad": (
        "torch refuses to change a parameter while it records. "
        "Update inside `with torch.no_grad():`."
    ),
    "cannot assign": (
        "A parameter cannot be replaced by a plain tensor. Change it in place, with -= or copy_, "
        "inside `with torch.no_grad():`."
    ),
}
"""What torch's messages mean for a beginner."""


def _items(answer: object) -> Iterable[object] | None:
    if isinstance(answer, dict):
        return answer.values()
    return answer if isinstance(answer, tuple | list) else None


def blank(answer: object) -> bool:
    """Return whether nothing has been filled in: None, `...`, or a collection of such."""
    items = _items(answer)
    return answer is None or answer is ... if items is None else all(map(blank, items))


def _unfinished(answer: object) -> bool:
    items = _items(answer)
    return answer is ... if items is None else any(map(_unfinished, items))


def numbers(answer: object, what: str) -> Tensor:
    """Return `answer`, a tensor, a number or nested lists, as a float64 tensor."""
    if _unfinished(answer):
        raise Wrong(f"A part of {what} is still `...`.")
    try:
        return torch.as_tensor(answer, dtype=torch.float64).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        wanted = "numbers, such as [[1, 2], [3, 4]]"
        raise Wrong(f"For {what} you gave {answer!r}; wanted {wanted}.") from error


def run(function: object, *arguments: object) -> Any:
    """Call the learner's function and return its result.

    Raises
    ------
    NotStarted
        If it returns nothing yet.
    Wrong
        If it is no function, or raises.
    """
    if not callable(function):
        raise Wrong(
            f"You passed {function!r}; wanted the function itself: its name, without brackets."
        )
    try:
        result = function(*arguments)
    except Exception as error:
        for fragment, meaning in TORCH_ERRORS.items():
            if fragment in str(error):
                raise Wrong(f"torch stopped. {meaning}") from error
        raise Wrong(f"Your function raised {type(error).__name__}: {error}") from error
    if blank(result):
        raise NotStarted
    return result


def alike(a: Tensor, b: Tensor) -> bool:
    """Return whether shapes are equal and values close."""
    return a.shape == b.shape and torch.allclose(a, b.double(), rtol=1e-4, atol=1e-6)


def compare(
    answer: object, right: Tensor, what: str, slips: Iterable[tuple[Tensor, str]] = ()
) -> None:
    """Raise `Wrong` unless `answer` is `right`.

    Parameters
    ----------
    answer : object
        What `numbers` can read.
    right : Tensor
        The one right answer.
    what : str
        What to call it, such as "Y".
    slips : pairs of (Tensor, str)
        Known wrong answers, and what to say to each.
    """
    given = numbers(answer, what)
    if alike(given, right):
        return
    for slip, meaning in slips:
        if alike(given, slip):
            raise Wrong(meaning)
    if given.shape != right.shape:
        shapes = [formatting.size(t.shape) or "a single number" for t in (given, right)]
        raise Wrong(f"The shape of {what} is {shapes[0]}; it should be {shapes[1]}.")
    differs = ~torch.isclose(given, right.double(), rtol=1e-4, atol=1e-6)
    cell = tuple(differs.nonzero()[0].tolist())
    place = f"{what}[{', '.join(map(str, cell))}]" if cell else what
    mine, yours = formatting.number(right[cell].item()), formatting.number(given[cell].item())
    raise Wrong(f"{place} is {yours}; it should be {mine}.")


def random(*shape: int, seed: int = 0) -> Tensor:
    """Return small whole numbers in random order, as floats, without touching torch's own seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 5, shape, generator=generator).float()


def layer_with(weight: Tensor) -> Conv2D:
    """Return a layer that starts from `weight`, without touching torch's own seed."""
    with torch.random.fork_rng(), torch.no_grad():
        layer = Conv2D(tuple(weight.shape))
        layer.weight.copy_(weight)
    return layer
