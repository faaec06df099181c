"""The exercises of notebook 04: one update by hand, a training step, the largest learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from convkit.exercises._answers import numbers, run
from convkit.exercises._grading import (
    Case,
    Difference,
    Exercise,
    Function,
    Observations,
    layer_with,
    random_integers,
    returned,
    shape_text,
)
from convkit.images import stripes
from convkit.layers import Conv2D
from convkit.least_squares import QuadraticLoss
from convkit.ops import corr2d

START = torch.tensor([[0, 1]], dtype=torch.float32)
STRIPES = stripes().float()
LR = 0.03


TARGET = torch.tensor([[1, -1]], dtype=torch.float32)
GRADIENT = corr2d(STRIPES, 2 * corr2d(STRIPES, START - TARGET))
CHANGE = -LR * GRADIENT


def _observe_update(answer: object) -> Observations:
    K = numbers(answer, "The kernel")
    if K.ndim == 1:
        K = K[None]
    return {"The kernel": K}


def _explain_update(difference: Difference) -> str:
    if difference.is_shape:
        return f"It should be like the old one, {shape_text(START)}."
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


def _step(
    sign: float = 1,
    *,
    bias: bool = True,
    returns: Callable[[float, float, int], float] = lambda before, after, cells: before,
) -> Function:
    """Return a training step by hand, which may go wrong.

    It moves by `sign` times the right step, the bias only if `bias`, and returns what `returns`
    makes of the losses before and after the step and the number of cells.
    """

    def step(layer: Conv2D, X: Tensor, Y: Tensor, lr: float) -> float:
        with torch.no_grad():
            residual = layer(X) - Y
            gradients = corr2d(X, 2 * residual), (2 * residual).sum()
            for parameter, gradient in zip(layer.parameters(), gradients, strict=True):
                if bias or parameter is layer.weight:
                    parameter.sub_(sign * lr * gradient)
            after = ((layer(X) - Y) ** 2).sum().item()
        return returns((residual**2).sum().item(), after, Y.numel())

    return step


def _accumulating_step(layer: Conv2D, X: Tensor, Y: Tensor, lr: float) -> Tensor:
    loss = ((layer(X) - Y) ** 2).sum()
    loss.backward()
    torch.optim.SGD(layer.parameters(), lr=lr).step()
    return loss


def _observe_step(
    function: Function, weight: Tensor, X: Tensor, Y: Tensor, lr: float
) -> Observations:
    """Return what two training steps in a row make of a layer."""
    layer = layer_with(weight)
    loss = run(function, layer, X, Y, lr, if_none="Return the loss.")
    observed = {
        "After one step the weight": numbers(layer.weight, "After one step the weight"),
        "After one step the bias": numbers(layer.bias, "After one step the bias"),
        "The loss that you return": numbers(loss, "The loss that you return"),
    }
    run(function, layer, X, Y, lr, if_none="Return the loss.")
    name = "After two steps the weight"
    return observed | {name: numbers(layer.weight, name)}


def _step_case() -> Case:
    X, weight = random_integers(5, 6, seed=0), random_integers(2, 2, seed=2)
    Y = corr2d(X, random_integers(2, 2, seed=1))
    return Case((weight, X, Y, 0.001))


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
            "This is only the change: add it to the old kernel, 0 and 1.": CHANGE,
            "This is the gradient: multiply it by 0.03 and subtract it from the old kernel.": (
                GRADIENT
            ),
            "You forgot the learning rate: multiply the gradient by 0.03.": START - GRADIENT,
            "The two weights have changed places.": (START + CHANGE).flip(1),
            "The kernel is a column: it has one row.": (START + CHANGE).T,
        },
        observe=_observe_update,
        explain=_explain_update,
    ),
    "4.2": Exercise(
        hint="Five moves: zero_grad, loss, backward, update each parameter inside "
        "torch.no_grad(),\nreturn the loss.",
        success="Two steps: weight, bias and loss agree with the gradient by hand.",
        solution=train_step,
        correct=_step(),
        misconceptions={
            "The weight did not move: no update was made.": _step(0),
            "You went uphill: subtract the gradient, do not add it.": _step(-1),
            "You averaged over all cells; the exercise adds the squares up.": (
                lambda layer, X, Y, lr: _step()(layer, X, Y, lr / Y.numel())
            ),
            "The step is half of what it should be: a square's derivative has a factor 2.": (
                _step(1 / 2)
            ),
            "You forgot the learning rate.": lambda layer, X, Y, lr: _step()(layer, X, Y, 1.0),
            "The weight learned, but the bias did not: update every parameter.": _step(bias=False),
            "That is the loss after the step; return the one before it.": (
                _step(returns=lambda before, after, cells: after)
            ),
            "That is the mean of the squares; return their sum.": (
                _step(returns=lambda before, after, cells: before / cells)
            ),
            "The first step is right, but the second uses both gradients, because they add up: "
            "call zero_grad() before backward().": _accumulating_step,
        },
        observe=_observe_step,
        cases=(_step_case(),),
    ),
    "4.3": Exercise(
        hint="QuadraticLoss(X, kernel_size).hessian has the curvatures as its "
        "eigenvalues:\ntorch.linalg.eigvalsh gives them, smallest first.",
        success="Three pictures; one twice as bright allows a quarter of the learning rate.",
        solution=largest_lr,
        correct=lambda X, kernel_size: QuadraticLoss(X, kernel_size).max_stable_lr,
        misconceptions={
            "That is half the limit: a step may overshoot by as much as it was off.": (
                _of_curvatures(lambda e: 1 / e[0])
            ),
            "That is for the flattest direction; the steepest one diverges first.": (
                _of_curvatures(lambda e: 2 / e[-1])
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
        observe=returned("Your limit"),
        cases=(
            Case((STRIPES, (1, 2)), "Tried on the stripes."),
            Case((2 * STRIPES, (1, 2)), "Tried on stripes twice as bright."),
            Case(
                (random_integers(5, 6, seed=0), (2, 2)),
                "Tried on a picture of whole numbers with a 2 × 2 kernel.",
            ),
        ),
    ),
}
