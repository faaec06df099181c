"""The exercises of notebook 06: a loop that corrects its rate, faults, what a picture teaches."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from convkit import images, ops
from convkit.errors import brief_repr
from convkit.exercises import (
    Case,
    Difference,
    Exercise,
    Question,
    Wrong,
    numbers,
    random_numbers,
    run,
    shape_text,
)
from convkit.faults import FAULTS, ORDER, against
from convkit.least_squares import QuadraticLoss
from convkit.ops import corr2d
from convkit.user_function import name_of

Observations = dict[str, Tensor]

STEPS = 6
STRIPES = images.stripes()
EDGE = torch.tensor([[1.0, -1.0]])
FAR = torch.tensor([[2.0625, -1.9375]])
"""From here the loss first falls, then rises, at rates just above the limit."""
MADE_WITH = torch.tensor([[1.0, -1.0], [0.0, 0.0]])
PICTURE_SIZE = (6, 8)


def careful_loop(kernel, X, Y, lr):
    """Take a step where it lowers the loss; where it does not, stay and halve the rate."""
    loss = ((corr2d(X, kernel) - Y) ** 2).sum()
    while True:
        gradient = corr2d(X, 2 * (corr2d(X, kernel) - Y))
        tried = kernel - lr * gradient
        tried_loss = ((corr2d(X, tried) - Y) ** 2).sum()
        if tried_loss > loss:
            lr = lr / 2
        else:
            kernel, loss = tried, tried_loss
        yield kernel


def _loop(
    *,
    is_taken: Callable[[float, float], bool] = lambda new, old: new <= old,
    is_halved: Callable[[float, float], bool] = lambda new, old: new > old,
    factor: Callable[[int], float] = lambda outputs: 1.0,
    keeps_rate: bool = True,
    keeps_first_loss: bool = False,
    tries_again: bool = False,
) -> Callable[..., Tensor]:
    """Return a loop that may go wrong; it returns the kernels of its first steps, (n, kH, kW)."""

    def loop(kernel: Tensor, X: Tensor, Y: Tensor, lr: float) -> Tensor:
        quadratic, rate = QuadraticLoss(X, tuple(kernel.shape), Y), lr
        kernels: list[Tensor] = []
        kernel = kernel.double()
        old = quadratic.loss(kernel)
        while len(kernels) < STEPS:
            tried = kernel - factor(Y.numel()) * rate * quadratic.gradient(kernel)
            new = quadratic.loss(tried)
            rate = rate / 2 if is_halved(new, old) else rate if keeps_rate else lr
            taken = is_taken(new, old)
            if taken:
                kernel, old = tried, old if keeps_first_loss else new
            if taken or not tries_again:
                kernels.append(kernel)
        return torch.stack(kernels)

    return loop


def _observe_loop(
    function: Callable[..., Any], kernel: Tensor, X: Tensor, Y: Tensor, lr: float
) -> Observations:
    """Return the kernel after each of the first steps."""
    if_none = "It needs a yield: yield kernel."

    def first_steps(kernel: Tensor, X: Tensor, Y: Tensor, lr: float) -> Any:
        made = function(kernel, X, Y, lr)
        if made is None or made is ...:
            return made
        if not (isinstance(made, Iterator) or (isinstance(made, Tensor) and made.ndim == 3)):
            return f"a {type(made).__name__}"
        return [each if each is ... else torch.clone(each) for each in islice(made, STEPS)]

    first_steps.__name__ = name_of(function)
    kernels = run(first_steps, kernel, X, Y, lr, if_none=if_none)
    if isinstance(kernels, str):
        raise Wrong(f"Your function returned {kernels}. Write a loop with `yield kernel` in it.")
    if len(kernels) < STEPS:
        raise Wrong(f"Your loop ends after {len(kernels)} steps. Let it go on: `while True:`.")
    return {"kernels": numbers(kernels, "kernels")}


def _loop_case(kernel: Tensor, target: Tensor, X: Tensor, lr: float) -> Case:
    return Case(kernel, X, corr2d(X, target), lr)


# The fault lab


def _observe_names(letters: str) -> Callable[[object], Observations]:
    """Return an `observe` for a dictionary that names the faults with these letters."""

    def observe(answer: object) -> Observations:
        if not isinstance(answer, dict):
            example = '{"A": "mean for sum"}'
            raise Wrong(f"The names are {brief_repr(answer)}; expected names by letter: {example}.")
        named = {letter: answer.get(letter, ...) for letter in letters}
        right = [letter for letter, name in named.items() if _is_named(letter, name)]
        if len(right) < len(letters):
            left = ", ".join(letter for letter in letters if letter not in right)
            raise Wrong("\n\n".join([*map(_corrected, right), f"Still to name: {left}."]))
        return {"The names": torch.ones(1)}

    return observe


def _is_named(letter: str, name: object) -> bool:
    """Return whether a fault has its name, or False where it has none; raise `Wrong` for others."""
    if name is ...:
        return False
    if not isinstance(name, str) or name not in FAULTS:
        choices = ", ".join(map(repr, FAULTS))
        raise Wrong(f"{letter} is {brief_repr(name)}; expected one of {choices}.")
    if name != ORDER[letter]:
        raise Wrong(f"{letter} is another fault. {against(letter, name)}")
    return True


def _corrected(letter: str) -> str:
    """Return what is shown of a fault that was named: its source, and what should stand there."""
    each = FAULTS[ORDER[letter]]
    lines = each.source.replace(each.wrong, each.right).splitlines()
    (right,) = (line.strip() for line in lines if line not in each.source.splitlines())
    return f"{letter} is {ORDER[letter]!r}:\n{each.source}\nCorrected: {right}"


def _naming(letters: str) -> Exercise:
    names = {letter: ORDER[letter] for letter in letters}
    return Exercise(
        hint="Look at both updates in the first step that differs: is one a multiple of the other, "
        "its\nopposite, its mirror image? Then change the rate: does the run change, does it "
        "arrive, and where?",
        success="\n\n".join(map(_corrected, letters)),
        solution=f"names = {names}",
        correct=names,
        observe=_observe_names(letters),
    )


# What a picture teaches


def _observe_kernel(answer: object) -> Observations:
    K = numbers(answer, "The kernel")
    if K.shape != MADE_WITH.shape:
        raise Wrong(f"The kernel is {shape_text(K)}; expected an array of 2 × 2.")
    return {"The upper left weight": K[0, 0], "The output": corr2d(STRIPES.double(), K)}


def _explain_kernel(difference: Difference) -> str:
    if difference.name == "The output":
        return "Each column of the kernel has to keep its sum: 1 on the left, -1 on the right."
    return ""


def where_it_ends(X, made_with, start):
    """Add what the picture shows of the goal to what it does not show of the start."""
    end = start.double()
    for direction in QuadraticLoss(X, start.shape).identifiable_directions:
        end = end + ((made_with - start) * direction).sum() * direction
    return end


def _visible(X: Tensor, K: Tensor) -> Tensor:
    """Return the part of a kernel that a picture shows, by its pseudo-inverse."""
    A = ops.patches(X, tuple(K.shape)).double()
    return (torch.linalg.pinv(A) @ (A @ K.double().flatten())).reshape(K.shape)


def _observe_picture(answer: object) -> Observations:
    X = numbers(answer, "The picture")
    if X.shape != PICTURE_SIZE:
        raise Wrong(f"The picture is {shape_text(X)}; expected an array of 6 × 8.")
    if not ((X == 0) | (X == 1)).all():
        raise Wrong(f"The picture has pixels up to {X.abs().max():.4g}; expected 0s and 1s alone.")
    quadratic = QuadraticLoss(X, 2)
    rank = quadratic.rank
    curvatures = quadratic.eigenvalues[: max(rank, 1)].clamp(min=1e-9)
    return {
        "The number of directions that it shows": torch.tensor(float(rank)),
        "The condition number": curvatures[0] / curvatures[-1],
    }


def _explain_picture(difference: Difference) -> str:
    if difference.name == "The condition number":
        return (
            "All directions are shown, but not equally: white pixels are met together, "
            "or some weights meet more of them than others."
        )
    return ""


def _white(*pixels: tuple[int, int]) -> Tensor:
    """Return a black picture with these white pixels."""
    X = torch.zeros(PICTURE_SIZE)
    for i, j in pixels:
        X[i, j] = 1
    return X


EXERCISES = {
    "6.1": Exercise(
        hint="Keep the loss of the present kernel in a variable. In each pass, compute the kernel "
        "that the step\nwould lead to, and its loss. Only then decide; yield the kernel at the end "
        "of the pass.",
        success="Three descents: two rates that are far too high are corrected, one stays.",
        solution=careful_loop,
        correct=_loop(),
        misconceptions={
            "You halve the rate, but take the step all the same: stay where you are.": (
                _loop(is_taken=lambda new, old: True)
            ),
            "The rate is halved in every step: halve it only where the loss would rise.": (
                _loop(is_halved=lambda new, old: True)
            ),
            "A step that raises the loss is not taken, but the rate stays as it is: halve it.": (
                _loop(is_halved=lambda new, old: False)
            ),
            "The rate is halved where the loss falls: it is the other way round.": (
                _loop(is_halved=lambda new, old: new <= old)
            ),
            "The halved rate is forgotten: the step after the next begins with the first again.": (
                _loop(keeps_rate=False)
            ),
            "You try again within a pass: make one try in each, and yield also where it stays.": (
                _loop(tries_again=True)
            ),
            "You compare with the loss at the start: compare with that of the present kernel.": (
                _loop(keeps_first_loss=True)
            ),
            "You went uphill: subtract the gradient, do not add it.": (
                _loop(factor=lambda outputs: -1.0)
            ),
            "The step is half of what it should be: a square's derivative has a factor 2.": (
                _loop(factor=lambda outputs: 0.5)
            ),
            "You averaged over the outputs; the loop adds the squares up.": (
                _loop(factor=lambda outputs: 1 / outputs)
            ),
            "That is plain gradient descent: it takes each step, and keeps the rate.": (
                _loop(is_taken=lambda new, old: True, is_halved=lambda new, old: False)
            ),
        },
        observe=_observe_loop,
        cases=(
            Case(
                *(FAR, STRIPES, corr2d(STRIPES, EDGE), 0.05),
                tried=f"kernel = {FAR.tolist()} and lr = 0.05 on the stripes",
            ),
            _loop_case(random_numbers(2, 2, seed=1), MADE_WITH, random_numbers(4, 5, seed=0), 0.3),
            _loop_case(torch.tensor([[0.0, 1.0]]), EDGE, random_numbers(3, 4, seed=2), 0.01),
        ),
    ),
    "6.2": _naming("A"),
    "6.3": _naming("B"),
    "6.4": _naming("C"),
    "6.5": Exercise(
        hint="All rows of the stripes are alike. So the two weights of a column see the same "
        "pixels,\nand only their sum matters.",
        success="The stripes cannot tell it from [[1, -1], [0, 0]]: the loss is zero for both.",
        solution="other_kernel = [[3, -1], [-2, 0]]",
        correct=[[3, 2], [-2, -3]],
        misconceptions={
            "That is the kernel that made the target; find another one.": MADE_WITH,
            "That is the one that gradient descent found; find another one.": [
                [0.5, -0.5],
                [0.5, -0.5],
            ],
            "The sums of the columns are 3 times as large, and so is the output.": 3 * MADE_WITH,
            "One weight changed, and so did the output: the weight below has to make up for it.": [
                [3, -1],
                [0, 0],
            ],
            "The weight below has the wrong sign: it has to take back what was added.": [
                [3, -1],
                [2, 0],
            ],
        },
        observe=_observe_kernel,
        explain=_explain_kernel,
    ),
    "6.6": Exercise(
        hint="Each weight has to be seen, and none together with another: then all curvatures are "
        "equal.\nHow few white pixels can do that?",
        success="All four directions have one curvature: one step at the fastest rate is enough.",
        solution="picture = torch.zeros(6, 8)\npicture[2, 3] = 1\n",
        correct=_white((2, 3)),
        misconceptions={
            "A black picture teaches nothing: every gradient is 0.": _white(),
            "That is one direction. In a white picture all weights see the same; a pixel in the "
            "corner is met by one weight alone.": torch.ones(PICTURE_SIZE),
            "Those are two directions. Rows that are all alike show two, a checkerboard with its "
            "two kinds of windows, and a pixel on the edge, which two weights meet.": STRIPES,
            "A diagonal shows three directions: two weights always see the same.": (
                images.diagonal(PICTURE_SIZE)
            ),
            "All four are shown, but two pixels side by side are met together.": (
                _white((2, 3), (2, 4))
            ),
        },
        observe=_observe_picture,
        explain=_explain_picture,
    ),
    "6.7": _naming("DEF"),
    "6.8": Exercise(
        hint="What changes is what the picture shows: the visible part of made_with - start.\n"
        "Add it to the start.",
        success="Four pictures: what they do not show stays as it was at the start.",
        solution=where_it_ends,
        correct=lambda X, made_with, start: start + _visible(X, made_with - start),
        misconceptions={
            "That is so for a start of zeros; the start's invisible part stays.": (
                lambda X, made_with, start: _visible(X, made_with)
            ),
            "That is the kernel that made the target; the picture does not show all of it.": (
                lambda X, made_with, start: made_with
            ),
            "That is the start: what the picture shows of the goal is learned.": (
                lambda X, made_with, start: start
            ),
            "The visible part of the start does not stay: it is learned anew.": (
                lambda X, made_with, start: start + _visible(X, made_with)
            ),
            "The two are swapped: visible of made_with, invisible of the start.": (
                lambda X, made_with, start: made_with + _visible(X, start - made_with)
            ),
            "That is the invisible part alone.": (
                lambda X, made_with, start: start - _visible(X, start)
            ),
        },
        name="The kernel",
        cases=(
            Case(STRIPES, MADE_WITH, random_numbers(2, 2, seed=0), tried="the stripes, 2 × 2"),
            Case(images.diagonal(4), random_numbers(2, 2, seed=1), random_numbers(2, 2, seed=2)),
            Case(STRIPES, random_numbers(2, 3, seed=3), random_numbers(2, 3, seed=4)),
            Case(random_numbers(4, 5, seed=5), random_numbers(1, 3, seed=6), torch.zeros(1, 3)),
        ),
    ),
}

QUESTIONS = {
    "6a": Question(
        "The loss reaches zero. Is the learned kernel the one that made the target?",
        {
            "Yes: a loss of zero says that every number is right.": "Every number of the output "
            "is right. Another kernel may give the same output on this picture.",
            "Not necessarily.": "What the picture does not show, no loss can tell. Here many "
            "kernels give the same output.",
            "No: gradient descent never arrives exactly.": "Rounding aside, it arrives. The "
            "question is at which kernel.",
        },
        right="Not necessarily.",
    ),
    "6b": Question(
        "The target is a little wrong everywhere. Which kernel has the smaller loss on it?",
        {
            "The one that made the target.": "It makes the target without the noise. Its loss is "
            "the noise itself, and another kernel may come closer.",
            "The learned one.": "It has the smallest loss of all kernels, so it also fits a part "
            "of the noise. That is why a small loss does not prove that it is right.",
            "Both have the same.": "Only if the noise were zero: the learned kernel moves to where "
            "the loss is smallest.",
        },
        right="The learned one.",
    ),
}
