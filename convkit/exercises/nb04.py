"""The exercises of notebook 04: one update by hand, a training step, the largest learning rate."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from convkit.exercises import (
    Case,
    Difference,
    Exercise,
    Question,
    forbid,
    layer_with,
    numbers,
    random_numbers,
    run,
)
from convkit.images import stripes
from convkit.least_squares import QuadraticLoss
from convkit.ops import corr2d

Function = Callable[..., Any]
Observations = dict[str, Tensor]

START, TARGET = torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, -1.0]])
STRIPES = stripes()
LR = 0.03
GRADIENT = corr2d(STRIPES, 2 * corr2d(STRIPES, START - TARGET))
CHANGE = -LR * GRADIENT


def _observe_update(answer: object) -> Observations:
    K = numbers(answer, "The kernel")
    if K.ndim == 1:
        K = K[None]
    return {"The kernel": K}


def _explain_update(difference: Difference) -> str:
    if difference.is_shape:
        return "It should be like the old one: one row with two weights."
    return (
        "Each weight's gradient is the sum, over all 42 outputs, of 2 × residual × the pixel under "
        "that weight. Subtract 0.03 times the gradient from the old weight."
    )


def train_step(layer, X, Y, lr):
    """Predict, measure, ask for gradients, go downhill; return the loss before the step."""
    layer.zero_grad()
    loss = ((layer(X) - Y) ** 2).sum()
    loss.backward()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter -= lr * parameter.grad
    return loss


def _step_by_hand(layer: Any, X: Tensor, Y: Tensor, lr: float) -> float:
    with torch.no_grad():
        residual = layer(X) - Y
        layer.weight.sub_(lr * corr2d(X, 2 * residual))
        layer.bias.sub_(lr * (2 * residual).sum())
    return (residual**2).sum().item()


def _sum_of_squares(errors: Tensor) -> Tensor:
    return (errors**2).sum()


def _step(
    *,
    loss: Callable[[Tensor], Tensor] = _sum_of_squares,
    rate: Callable[[float], float] = lambda lr: lr,
    clears: tuple[str, ...] = ("weight", "bias"),
    moves: tuple[str, ...] = ("weight", "bias"),
    times: int = 1,
    returns: Callable[[Tensor, Tensor], Tensor] = lambda before, after: _sum_of_squares(before),
) -> Function:
    """Return a training step that may go wrong; `returns` gets the errors before and after it."""

    def step(layer: Any, X: Tensor, Y: Tensor, lr: float) -> Tensor:
        before = layer(X) - Y
        for _ in range(times):
            for name in clears:
                layer.get_parameter(name).grad = None
            loss(layer(X) - Y).backward()
            with torch.no_grad():
                for name in moves:
                    parameter = layer.get_parameter(name)
                    parameter -= rate(lr) * parameter.grad
        return returns(before, layer(X) - Y)

    return step


def _observe_step(function: Function, layer: Any, X: Tensor, Y: Tensor, lr: float) -> Observations:
    """Return what a step with lr = 0, and then two steps in a row, make of a layer."""
    if_none = "Return the loss. backward() itself returns None."
    weight, bias = layer.weight, layer.bias.item()
    layer = layer_with(weight, bias)
    run(function, layer, X, Y, 0.0, if_none=if_none)
    observed = {STILL: numbers(layer.weight, STILL)}
    layer = layer_with(weight, bias)
    for steps in ("one step", "two steps"):
        loss = run(function, layer, X, Y, lr, if_none=if_none)
        names = [f"After {steps} the {name}" for name in ("weight", "bias", "loss you return")]
        values = layer.weight, layer.bias, loss
        observed |= {name: numbers(value, name) for name, value in zip(names, values, strict=True)}
    return observed


STILL = "After a step with lr = 0 the weight"


def _explain_step(difference: Difference) -> str:
    if difference.name == STILL:
        return "lr plays no part: multiply each gradient by the lr that is passed."
    return ""


def _step_case(size: tuple[int, int], kernel: Tensor, bias: float, lr: float) -> Case:
    X = random_numbers(*size, seed=0)
    weight = random_numbers(*kernel.shape, seed=2)
    return Case(layer_with(weight, bias), X, corr2d(X, kernel), lr)


def largest_lr(X, kernel_size):
    """Divide 2 by the largest curvature of the loss."""
    H = QuadraticLoss(X, kernel_size).hessian
    return 2 / torch.linalg.eigvalsh(H).max()


def _of_curvatures(rule: Callable[[Tensor], Any]) -> Function:
    """Return a limit made of the Hessian's eigenvalues, largest first."""
    return lambda X, kernel_size: rule(QuadraticLoss(X, kernel_size).eigenvalues)


EXERCISES = {
    "4.1": Exercise(
        hint="The gradient is corr2d(X, 2 * residual), and the residual is prediction minus "
        "target.\nThen: new kernel = old kernel - 0.03 × gradient.",
        success="Both weights are right.",
        solution="""\
X, K = stripes(), torch.tensor([[0.0, 1.0]])
residual = corr2d(X, K) - corr2d(X, torch.tensor([[1.0, -1.0]]))
new_kernel = K - 0.03 * corr2d(X, 2 * residual)
""",
        correct=START + CHANGE,
        misconceptions={
            "You went uphill: subtract the gradient, do not add it.": START - CHANGE,
            "The gradient is half of what it should be: a square's derivative has a factor 2.": (
                START + CHANGE / 2
            ),
            "You averaged over the 42 outputs; here squares are added up.": START + CHANGE / 42,
            "That is the gradient of one row; there are six rows.": START + CHANGE / 6,
            "The target plays no part: the residual is prediction minus target.": (
                START - LR * corr2d(STRIPES, 2 * corr2d(STRIPES, START))
            ),
            "This is only the change: add it to the old kernel, 0 and 1.": CHANGE,
            "This is the gradient: multiply it by 0.03 and subtract it from the old kernel.": (
                GRADIENT
            ),
            "You forgot the learning rate: multiply the gradient by 0.03.": START - GRADIENT,
            "The two weights have changed places.": (START + CHANGE).flip(1),
            "The kernel is a column: it has one row.": (START + CHANGE).T,
        },
        reveals=False,
        observe=_observe_update,
        explain=_explain_update,
    ),
    "4.2": Exercise(
        hint="Five moves: zero_grad, loss, backward, update each parameter inside "
        "torch.no_grad(),\nreturn the loss.",
        success="Two layers, two steps each: weight, bias and loss agree with a step by hand.",
        solution=train_step,
        correct=_step_by_hand,
        misconceptions={
            "It did not move: there is no update, or it made new tensors (p = p - ...), or the "
            "gradients were cleared just before.": (_step(moves=())),
            "You went uphill: subtract the gradient, do not add it.": _step(rate=lambda lr: -lr),
            "You averaged over all cells; the exercise adds the squares up.": (
                _step(loss=lambda errors: (errors**2).mean())
            ),
            "The step is half of what it should be: a square's derivative has a factor 2.": (
                _step(rate=lambda lr: lr / 2)
            ),
            "That is the square of the sum; square each error first, then add up.": (
                _step(loss=lambda errors: errors.sum() ** 2)
            ),
            "You added up the errors without their signs; square each instead.": (
                _step(loss=lambda errors: errors.abs().sum())
            ),
            "You forgot the learning rate.": _step(rate=lambda lr: 1.0),
            "You took two steps in one call: one backward(), one update.": _step(times=2),
            "An older gradient is still in it, because gradients add up: call zero_grad() before "
            "backward().": _step(clears=()),
            "The weight learned, but the bias did not: update every parameter.": (
                _step(moves=("weight",))
            ),
            "An older gradient of the bias is still in it: clear those of all parameters.": (
                _step(clears=("weight",))
            ),
            "That is the loss after the step; return the one before it.": (
                _step(returns=lambda before, after: _sum_of_squares(after))
            ),
            "That is the mean of the squares; return their sum.": (
                _step(returns=lambda before, after: (before**2).mean())
            ),
        },
        observe=_observe_step,
        explain=_explain_step,
        cases=(
            _step_case((2, 4), torch.tensor([[1.0, -1.0]]), bias=0.5, lr=0.01),
            _step_case((4, 5), random_numbers(2, 3, seed=1), bias=-1.25, lr=0.003),
        ),
    ),
    "4.3": Exercise(
        hint="QuadraticLoss(X, kernel_size).hessian has the curvatures as its "
        "eigenvalues:\ntorch.linalg.eigvalsh gives them, smallest first.",
        success="Four pictures; one twice as bright allows a quarter of the learning rate.",
        solution=largest_lr,
        correct=lambda X, kernel_size: QuadraticLoss(X, kernel_size).max_stable_lr,
        misconceptions={
            "That is half the limit: a step may overshoot by as much as it was off.": (
                _of_curvatures(lambda e: 1 / e[0])
            ),
            "That is for the flattest direction; the steepest one diverges first.": (
                _of_curvatures(lambda e: 2 / e[-1])
            ),
            "The limit is right for a kernel whose rows and columns are swapped.": (
                lambda X, kernel_size: QuadraticLoss(X, kernel_size[::-1]).max_stable_lr
            ),
            "That is twice the limit: the Hessian has the square's factor 2 in it already.": (
                _of_curvatures(lambda e: 4 / e[0])
            ),
            "That is the curvature; the limit is 2 divided by it.": _of_curvatures(lambda e: e[0]),
            "That is the fastest learning rate, not the largest that works.": (
                _of_curvatures(lambda e: 2 / (e[0] + e[-1]))
            ),
            "That is for the sum of all curvatures; only the largest counts.": (
                _of_curvatures(lambda e: 2 / e.sum())
            ),
            "That takes the Hessian's largest entry; take its largest eigenvalue.": (
                lambda X, kernel_size: 2 / QuadraticLoss(X, kernel_size).hessian.max()
            ),
            "That is the limit of the stripes, not of every picture.": (
                lambda X, kernel_size: 1 / 30
            ),
        },
        name="Your limit",
        require=forbid("max_stable_lr", "Take the hessian's largest eigenvalue yourself."),
        cases=(
            Case(STRIPES, (1, 2), tried="X = stripes(), kernel_size = (1, 2)"),
            Case(2 * STRIPES, (1, 2), tried="X = 2 * stripes(), kernel_size = (1, 2)"),
            Case(random_numbers(4, 5, seed=0), (2, 2)),
            Case(random_numbers(5, 4, seed=1), (2, 3)),
        ),
    ),
}

QUESTIONS = {
    "4a": Question(
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
}
