"""Read a learner's answer: is it filled in, does it run, which numbers does it hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convkit import user_function
from convkit.errors import brief_repr

MEANINGS = {
    "grad can be implicitly created only for scalar": (
        "backward() starts from one number, and you called it on a whole map. "
        "Add up the squares first: .sum()."
    ),
    "does not require grad": (
        "The loss is cut off from the weight. Something on the way, such as .item(), .data, "
        ".detach() or no_grad, turned it into plain numbers."
    ),
    "'float' object has no attribute 'backward'": (
        ".item() made a plain number of the loss, and that has no gradient. "
        "Call backward() on the tensor, and .item() afterwards."
    ),
    "a leaf Variable that requires grad": (
        "PyTorch refuses to change a parameter while it records. "
        "Update inside `with torch.no_grad():`."
    ),
    "cannot assign": (
        "A parameter cannot be replaced by a plain tensor. Change it in place, with -= or copy_, "
        "inside `with torch.no_grad():`."
    ),
    "object has no attribute 'grad'": (
        "A layer has no gradient of its own; each of its parameters has one: layer.weight.grad."
    ),
    "unsupported operand type(s) for -: 'tuple' and 'tuple'": (
        "Pairs cannot be subtracted, their parts can: H, W = pair gives you both."
    ),
    "'NoneType'": (
        "Something is None. If it is a gradient: there is none before backward(), and zero_grad() "
        "throws it away. The order is zero_grad(), backward(), update."
    ),
    "backward through the graph a second time": (
        "A loss can be used for backward() once. Compute it anew in each step."
    ),
    "step must be greater than zero": (
        "PyTorch cannot step backwards through a tensor as lists can. Write K.flip(0, 1)."
    ),
    "can't be cast to the desired output type": (
        "Your output holds whole numbers only. Make it with torch.zeros(H, W), without a dtype."
    ),
    "mat1 and mat2 shapes cannot be multiplied": (
        "A dense layer gets another count of numbers than it was made for. "
        "Print the shape after each layer before it."
    ),
    "math domain error": (
        "There is no logarithm of 0, nor of a negative number. Take the factor without its sign: "
        "abs(factor)."
    ),
    "ComplexDouble": (
        "torch.linalg.eigvals gives complex numbers. A Hessian is symmetric: torch.linalg.eigvalsh "
        "gives real ones."
    ),
    "The size of tensor a": (
        "Two arrays of different shapes meet. Print their shapes; a slice that starts at i and "
        "has n cells is written i : i + n."
    ),
}
"""What common messages of torch and Python mean for a beginner."""


MAX_LENGTH = 1000
"""The longest list that is read, several times what any exercise asks for."""


class NotStarted(Exception):
    """The answer is still the blank that the notebook came with."""


class Wrong(Exception):
    """The answer is wrong; an exercise's `observe` and `require` raise it.

    Parameters
    ----------
    message : str
        Why, in words.
    misconception : str
        Which known mistake it is, if it is one.

    Examples
    --------
    >>> raise Wrong("The kernel has no rows.")
    Traceback (most recent call last):
    convkit.exercises._answers.Wrong: The kernel has no rows.
    """

    def __init__(self, message: str, misconception: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.misconception = misconception


def _leaves(answer: object, seen: set[int]) -> Iterator[object]:
    """Yield what nested lists, tuples and dictionaries hold; a list may hold itself."""
    if isinstance(answer, dict):
        parts = list(answer.values())
    elif isinstance(answer, list | tuple):
        parts = list(answer)
    else:
        yield answer
        return
    if id(answer) not in seen:
        seen.add(id(answer))
        for part in parts:
            yield from _leaves(part, seen)


def is_blank(answer: object) -> bool:
    """Return whether nothing has been filled in: `...`, or a collection of nothing else."""
    leaves = list(_leaves(answer, set()))
    return bool(leaves) and all(leaf is ... for leaf in leaves)


def numbers(answer: object, name: str) -> Tensor:
    """Return an answer's numbers as float64, or as the 16-bit floats that they are.

    Parameters
    ----------
    answer : object
        A number, a tensor, an array, or nested lists of these.
    name : str
        What to call it at the start of a sentence.

    Raises
    ------
    Wrong
        If these are not real, finite numbers.

    Examples
    --------
    >>> numbers([[1, 2]], "The kernel")
    tensor([[1., 2.]], dtype=torch.float64)
    """
    if any(leaf is ... for leaf in _leaves(answer, set())):
        raise Wrong(f"{name} still holds `...`.")
    try:
        values = _tensor(answer, name).detach().cpu().to_dense()
        not_finite = values[~values.isfinite()].tolist()
    except Wrong:
        raise
    except user_function.FAILURES as error:
        raise Wrong(f"{name} is {brief_repr(answer)}; expected numbers.") from error
    if values.is_complex():
        raise Wrong(f"{name} holds complex numbers; expected real ones.")
    if values.numel() == 0:
        raise Wrong(f"{name} is empty.")
    if not_finite:
        advice = "Was something divided by 0?"
        raise Wrong(f"{name} holds {not_finite[0]}; expected finite numbers. {advice}")
    is_low_precision = values.dtype in (torch.float16, torch.bfloat16)
    return values.clone() if is_low_precision else values.double().clone()


def _stacked(parts: list[Tensor], name: str) -> Tensor:
    sizes = [part.numel() for part in parts]
    if len(set(sizes)) > 1:
        raise Wrong(f"{name} has rows of different lengths: {', '.join(map(str, sizes))}.")
    return torch.stack(parts)


def _tensor(answer: Any, name: str) -> Tensor:
    if isinstance(answer, Tensor):
        return answer
    if isinstance(answer, list | tuple):
        if len(answer) > MAX_LENGTH:
            raise ValueError(f"a list of {len(answer)} parts")
        return _stacked([_tensor(part, name) for part in answer], name)
    if isinstance(answer, str | bytes):
        raise TypeError("text is not a number")
    if hasattr(answer, "__array__"):
        return torch.as_tensor(np.array(answer, order="C"))
    return torch.tensor(float(answer), dtype=torch.float64)


def run(function: Callable[..., Any], *args: object, if_none: str = "Is there a return?") -> Any:
    """Call the learner's function and return its result.

    Parameters
    ----------
    function : callable
        The learner's function.
    *args
        What it is called with; tensors are copied.
    if_none : str
        What to say if it returns None.

    Raises
    ------
    NotStarted
        If it returns `...`.
    Wrong
        If it raises, returns None, or changes a tensor that it is given.

    Examples
    --------
    >>> run(lambda X: X + 1, torch.zeros(2))
    tensor([1., 1.])
    """
    try:
        call = user_function.call(function, *args)
    except user_function.UserFunctionError as error:
        raise Wrong(_explain_failure(error)) from error
    if call.value is None:
        raise Wrong(f"Your function returned None. {if_none}")
    if is_blank(call.value):
        raise NotStarted
    if call.changed:
        name = call.changed[0]
        raise Wrong(f"Your function changes {name} in place. Work on a copy: {name}.clone().")
    return call.value


def _explain_failure(error: user_function.UserFunctionError) -> str:
    """Return what was raised, and what it means if that is known."""
    meanings = (meaning for fragment, meaning in MEANINGS.items() if fragment in error.given)
    return f"{error.given.rstrip('.')}. {next(meanings, '')}".strip()
