"""The exercises of notebook 04: an update, a training step, a gradient, and a whole training."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from convkit.descent import KernelDescent
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
from convkit.ops import convolve2d, corr2d

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


def kernel_gradient(X, Y, K):
    """Correlate the input with the doubled residual."""
    residual = corr2d(X, K) - Y
    return corr2d(X, 2 * residual)


def _autograd(X: Tensor, Y: Tensor, K: Tensor) -> Tensor:
    leaf = K.clone().requires_grad_()
    ((corr2d(X, leaf) - Y) ** 2).sum().backward()
    return leaf.grad  # type: ignore[return-value]


def _gradient_case(size: tuple[int, int], kernel_size: tuple[int, int], seed: int) -> Case:
    X, K, wanted = (
        random_numbers(*shape, seed=seed + n)
        for n, shape in enumerate((size, kernel_size, kernel_size))
    )
    return Case(X, corr2d(X, wanted), K)


def learn(X, Y, K, lr, steps):
    """Predict, measure, go downhill, again and again; the loss is the mean of the squares."""
    for _ in range(steps):
        residual = corr2d(X, K) - Y
        K = K - lr * corr2d(X, 2 * residual) / Y.numel()
    return K


def _descend(X: Tensor, Y: Tensor, K: Tensor, lr: float, steps: int) -> Tensor:
    return KernelDescent(X, Y, K, lr=lr, reduction="mean").jump(steps).kernel


def _learn(
    *,
    rate: Callable[[float], float] = lambda lr: lr,
    cells: Callable[[Tensor, Tensor], float] = lambda X, Y: Y.numel(),
    start: Callable[[Tensor], Tensor] = lambda K: K,
    longer: int = 0,
    kept: float = 0.0,
    is_renewed: bool = True,
) -> Function:
    """Return a training that may go wrong; `kept` is the share of the last gradient it keeps."""

    def train(X: Tensor, Y: Tensor, K: Tensor, lr: float, steps: int) -> Tensor:
        K = start(K)
        gradient = first = torch.zeros_like(K)
        for n in range(steps + longer):
            here = kernel_gradient(X, Y, K) / cells(X, Y)
            if n == 0:
                first = here
            gradient = kept * gradient + (here if is_renewed else first)
            K = K - rate(lr) * gradient
        return K

    return train


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
        hint="The lens showed it: the residual plays the kernel's part.\n"
        "Which operation slides one array over the other?",
        success="Three inputs of other sizes, other kernels: it agrees with autograd.",
        solution=kernel_gradient,
        correct=_autograd,
        misconceptions={
            "The gradient is half of what it should be: a square's derivative has a factor 2.": (
                lambda X, Y, K: corr2d(X, corr2d(X, K) - Y)
            ),
            "It points the other way: the residual is prediction minus target.": (
                lambda X, Y, K: corr2d(X, 2 * (Y - corr2d(X, K)))
            ),
            "The target plays no part: the residual is prediction minus target.": (
                lambda X, Y, K: corr2d(X, 2 * corr2d(X, K))
            ),
            "The residual has been turned by half a turn; corr2d turns nothing.": (
                lambda X, Y, K: convolve2d(X, 2 * (corr2d(X, K) - Y))
            ),
            "You averaged over the outputs; here squares are added up.": (
                lambda X, Y, K: kernel_gradient(X, Y, K) / Y.numel()
            ),
            "The residuals were squared first: the squares are gone in the gradient.": (
                lambda X, Y, K: corr2d(X, 2 * (corr2d(X, K) - Y) ** 2)
            ),
            "Each weight sees the pixels of its own place, X[a : a + H_out, b : b + W_out]; yours "
            "all see the same.": (
                lambda X, Y, K: torch.full_like(K, kernel_gradient(X, Y, K)[0, 0].item())
            ),
        },
        name="The gradient",
        require=forbid("backward grad autograd", "Use corr2d, and the residual."),
        cases=(
            _gradient_case((2, 3), (1, 2), seed=0),
            _gradient_case((4, 5), (2, 3), seed=3),
            _gradient_case((5, 3), (3, 1), seed=6),
        ),
    ),
    "4.4": Exercise(
        hint="Three lines in a loop: the residual, the gradient, the update.\n"
        "The mean divides by the number of outputs, Y.numel(), and so does its gradient.",
        success="Three trainings, up to 20 steps: the kernels are those of torch.optim.SGD.",
        solution=learn,
        correct=_descend,
        misconceptions={
            "You added the squares up; here their mean is the loss: divide by Y.numel().": (
                _learn(cells=lambda X, Y: 1)
            ),
            "You divided by the number of pixels; there is a residual for each output.": (
                _learn(cells=lambda X, Y: X.numel())
            ),
            "You went uphill: subtract the gradient, do not add it.": _learn(rate=lambda lr: -lr),
            "The steps are half of what they should be: a square's derivative has a factor 2.": (
                _learn(rate=lambda lr: lr / 2)
            ),
            "You forgot the learning rate.": _learn(rate=lambda lr: 1.0),
            "It begins at zeros; begin at the K that is passed.": _learn(start=torch.zeros_like),
            "That is one step too few.": _learn(longer=-1),
            "That is one step too many.": _learn(longer=1),
            "That is a single step: the loop has to go on from the new kernel.": (
                lambda X, Y, K, lr, steps: learn(X, Y, K, lr, 1)
            ),
            "The gradient is always that of the start: compute it anew in each step.": (
                _learn(is_renewed=False)
            ),
            "Older gradients are still in it, because they add up: clear them in each step.": (
                _learn(kept=1.0)
            ),
            "That is the kernel you were given: return the one that is learned.": (
                lambda X, Y, K, lr, steps: K.clone()
            ),
        },
        name="The kernel",
        cases=(
            Case(*_gradient_case((2, 3), (1, 2), seed=0).args, 0.05, 3),
            Case(*_gradient_case((4, 5), (2, 3), seed=3).args, 0.02, 20),
            Case(*_gradient_case((5, 3), (3, 1), seed=6).args, 0.1, 7),
        ),
    ),
}

QUESTIONS = {
    "4a": Question(
        "The largest doubled residual is 3, where black turns white. Which weight learns from it?",
        {
            "the first": "It lies on the left pixel, which is black there. Black pixels are 0, and "
            "add nothing to a gradient.",
            "the second": "It lies on the right pixel, which is white there. The first one lies on "
            "a black pixel: 0 × 3 adds nothing.",
            "both": "Each multiplies the residual by its own pixel, and one of the two is black.",
        },
        right="the second",
    ),
    "4b": Question(
        "The start is [[0.5, 0.5]], its gradient (18, 42), the goal [[1, -1]]. Where does the "
        "first step take the first weight?",
        {
            "up, towards 1": "A step goes against the gradient. It is 18, above 0: the loss grows "
            "with this weight, so the weight falls.",
            "down, away from 1": "0.5 - 0.03 × 18 = -0.04. While the second weight is far off, the "
            "loss falls with the first one too. Later it comes back.",
            "nowhere": "It stays only where its gradient is 0.",
        },
        right="down, away from 1",
    ),
    "4c": Question(
        "The target kernel becomes [[0.5, 2]]. Does the same learning rate still work?",
        {
            "Yes.": "Which rates work depends on the input alone. The target says where to go, not "
            "how large a step may be. The next notebook shows why.",
            "No: a larger kernel needs a smaller rate.": "Larger residuals make larger gradients, "
            "but the way to go is longer by the same factor.",
            "No: each target has a rate of its own.": "It seems so, but the pixels alone decide "
            "how fast a gradient grows when a weight moves.",
        },
        right="Yes.",
    ),
    "4d": Question(
        "With 0.03 the stripes gave their kernel. What does the same rate do on the photo?",
        {
            "It works as well.": "A gradient is a sum over all outputs, and here are 900 in place "
            "of 42. The same rate makes far longer steps.",
            "It learns, but more slowly.": "The steps are longer, not shorter: the gradient is a "
            "sum over 900 outputs in place of 42.",
            "The loss grows.": "The gradient is a sum over 900 outputs in place of 42. A step then "
            "goes far beyond the goal, and the next one farther still.",
        },
        right="The loss grows.",
    ),
}
