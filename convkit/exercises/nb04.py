"""The exercises of notebook 04: one update by hand, a training step, the largest learning rate."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from convkit import formatting
from convkit.least_squares import hessian, max_stable_lr
from convkit.exercises._grading import (
    Exercise,
    NotStarted,
    Wrong,
    compare,
    layer_with,
    numbers,
    random,
    run,
)
from convkit.images import checkerboard, stripes
from convkit.layers import Conv2D
from convkit.ops import corr2d


def one_update():
    """Find the residual, then the gradient, then go a small way against it."""
    X, K = stripes(), torch.tensor([[0.0, 1.0]])
    residual = corr2d(X, K) - corr2d(X, torch.tensor([[1.0, -1]]))
    return K - 0.03 * corr2d(X, 2 * residual)


def check_one_update(answer: object) -> str:
    """Check one update of the kernel (0, 1) on the stripes, with learning rate 0.03."""
    X, K = stripes(), torch.tensor([[0.0, 1.0]])
    right = one_update()
    move, cells = right - K, corr2d(X, K).numel()
    slips = [
        (K - move, "You went uphill: subtract the gradient, do not add it."),
        (K + move / 2, "The gradient is half of what it should be: a square brings a factor 2."),
        (K + move / cells, f"You averaged over the {cells} cells; here squares are added up."),
        (move, "This is only the change: add it to the old kernel, 0 and 1."),
        (move / -0.03, "This is the gradient: multiply by 0.03 and subtract it from the kernel."),
        (K + move / 0.03, "You forgot the learning rate: multiply the gradient by 0.03."),
    ]
    known = [(slip.reshape(-1), meaning) for slip, meaning in slips]
    compare(numbers(answer, "the kernel").reshape(-1), right.reshape(-1), "The kernel", known)
    return "Both weights are right."


def train_step(layer, X, Y, lr):
    """Predict, measure, ask for gradients, go downhill; return the loss before the step."""
    layer.zero_grad()
    loss = ((layer(X) - Y) ** 2).sum()
    loss.backward()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter -= lr * parameter.grad
    return loss


def _by_hand(layer: Conv2D, X: Tensor, Y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss and its gradients in weight and bias."""
    residual = (layer(X) - Y).detach()
    return (residual**2).sum(), corr2d(X, 2 * residual), (2 * residual).sum()[None]


def check_train_step(function: object) -> str:
    """Check two steps in a row: the weights, the bias and the loss that is returned."""
    X, lr, layer = random(5, 6), 0.001, layer_with(random(2, 2, seed=2))
    Y = corr2d(X, random(2, 2, seed=1))
    first, second = copy.deepcopy(layer), copy.deepcopy(layer)
    loss, grad, slope = _by_hand(first, X, Y)
    try:
        given = run(function, layer, X, Y, lr)
    except NotStarted as nothing:
        if torch.equal(layer.weight, first.weight):
            raise
        raise Wrong("The weight moved, but you return nothing: return the loss.") from nothing
    weight, w, n = layer.weight.detach().clone(), first.weight.detach(), Y.numel()
    slips = [
        (w, "The weight did not move: no update was made."),
        (w + lr * grad, "You went uphill: subtract the gradient, do not add it."),
        (w - lr * grad / n, f"You averaged over {n} cells; add the squares up."),
        (w - grad, "You forgot the learning rate."),
    ]
    compare(weight, w - lr * grad, "After one step the weight", slips)
    still = "The weight learned, but the bias stayed at 0: update every parameter."
    compare(layer.bias, first.bias - lr * slope, "After one step the bias", [(first.bias, still)])
    after, _, _ = _by_hand(layer, X, Y)
    late = f"You returned the loss after the step, {formatting.number(after)}; wanted the one before it."
    mean = "You returned the mean of the squares; wanted their sum."
    compare(given, loss, "the loss", [(after, late), (loss / n, mean)])
    with torch.no_grad():
        second.weight.copy_(weight), second.bias.copy_(layer.bias)
    _, new_grad, _ = _by_hand(second, X, Y)
    run(function, layer, X, Y, lr)
    piled = (
        "The first step is right; the second uses both gradients, for they pile up. "
        "Call zero_grad() before backward()."
    )
    compare(
        layer.weight,
        weight - lr * new_grad,
        "After two steps the weight",
        [(weight - lr * (grad + new_grad), piled)],
    )
    return "Two steps: weight, bias and loss agree with the gradient by hand."


def largest_lr(X, kernel_size):
    """Divide 2 by the largest curvature of the loss."""
    return 2 / torch.linalg.eigvalsh(hessian(X, kernel_size)).max()


def check_largest_lr(function: object) -> str:
    """Check the limit on three pictures."""
    pictures = {
        "the stripes": (stripes(), (1, 2)),
        "stripes twice as bright": (2 * stripes(), (1, 2)),
        "the checkerboard": (checkerboard(6), (2, 1)),
    }
    for name, (X, size) in pictures.items():
        right = max_stable_lr(X, size)
        values = torch.linalg.eigvalsh(hessian(X, size))
        given = numbers(run(function, X.clone(), size), "the limit")
        said = (
            f"On {name} you say {formatting.number(given)}" if given.ndim == 0 else "Return one number"
        )
        slips = [
            (1 / values[-1], f"{said}: half the limit. A step may overshoot as far as it came."),
            (
                2 / values[0],
                f"{said}: that is the flattest direction; the steepest one breaks first.",
            ),
            (4 / values[-1], f"{said}: twice the limit. The square brings a factor 2."),
            (values[-1], f"{said}: that is the curvature; the limit is 2 divided by it."),
            (
                torch.tensor(1 / 30),
                f"{said}: that is the limit of the stripes, not of this picture.",
            ),
        ]
        slips = [(slip.double(), why) for slip, why in slips if slip.isfinite()]
        slips.append((given, f"{said}; it should be {formatting.number(right)}."))
        compare(given, torch.tensor(right, dtype=torch.float64), "the limit", slips)
    return "Three pictures; one twice as bright allows a quarter of the learning rate."


EXERCISES = {
    "4.1": Exercise(
        check_one_update,
        one_update,
        "The gradient is corr2d(X, 2 * residual), and the residual is prediction minus target.\n"
        "Then: new kernel = old kernel - 0.03 × gradient.",
    ),
    "4.2": Exercise(
        check_train_step,
        train_step,
        "Five moves: zero_grad, loss, backward, update each parameter inside torch.no_grad(),\n"
        "return the loss.",
    ),
    "4.3": Exercise(
        check_largest_lr,
        largest_lr,
        "convkit.hessian(X, kernel_size) has the curvatures as its eigenvalues:\n"
        "torch.linalg.eigvalsh gives them, smallest first.",
    ),
}
