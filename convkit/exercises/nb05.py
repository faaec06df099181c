"""The exercises of notebook 05: rates that work, momentum, steps needed."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from convkit.exercises import (
    Case,
    Difference,
    Exercise,
    Question,
    Wrong,
    forbid,
    numbers,
    random_numbers,
    run,
)
from convkit.images import stripes
from convkit.least_squares import QuadraticLoss

Function = Callable[..., Any]
Observations = dict[str, Tensor]

STRIPES = stripes()
PICTURES = (
    Case(STRIPES, (1, 2), tried="X = stripes(), kernel_size = (1, 2)"),
    Case(2 * STRIPES, (1, 2), tried="X = 2 * stripes(), kernel_size = (1, 2)"),
    Case(random_numbers(4, 5, seed=0), (2, 2)),
    Case(random_numbers(6, 5, seed=1), (2, 3)),
)


def largest_lr(X, kernel_size):
    """Divide 2 by the largest curvature of the loss."""
    H = QuadraticLoss(X, kernel_size).hessian
    return 2 / torch.linalg.eigvalsh(H).max()


def _of_curvatures(rule: Callable[[Tensor], Any]) -> Function:
    """Return a rate made of the Hessian's eigenvalues, largest first."""
    return lambda X, kernel_size: rule(QuadraticLoss(X, kernel_size).eigenvalues)


def momentum_step(kernel, velocity, gradient, lr, momentum):
    """Add the gradient to what is left of the velocity, and go against that."""
    velocity = momentum * velocity + gradient
    kernel = kernel - lr * velocity
    return kernel, velocity


def _by_optimizer(
    kernel: Tensor, velocity: Tensor, gradient: Tensor, lr: float, momentum: float
) -> Tensor:
    leaf = kernel.clone().requires_grad_()
    optimizer = torch.optim.SGD([leaf], lr=lr, momentum=momentum)
    optimizer.state[leaf]["momentum_buffer"] = velocity.clone()
    leaf.grad = gradient
    optimizer.step()
    return torch.stack((leaf.detach(), optimizer.state[leaf]["momentum_buffer"]))


def _momentum(rule: Callable[..., tuple[Tensor, Tensor]]) -> Function:
    """Return a step of `rule`, which gets k, v, g, lr and m."""
    return lambda *args: torch.stack(rule(*args))


def _observe_momentum(answer: Function, *args: object) -> Observations:
    """Return the new velocity and the new kernel, which the answer gives in the other order."""
    pair = numbers(run(answer, *args), "The pair")
    if pair.ndim < 1 or len(pair) != 2:  # noqa: PLR2004
        raise Wrong("Return two arrays: return kernel, velocity.")
    return {"The velocity": pair[1], "The kernel": pair[0]}


def _explain_momentum(difference: Difference) -> str:
    if difference.is_shape:
        return "It should be like the one that was passed."
    return ""


def _momentum_case(size: tuple[int, int], lr: float, momentum: float) -> Case:
    arrays = [random_numbers(*size, seed=seed) for seed in range(3)]
    return Case(*arrays, lr, momentum)


def steps_needed(curvatures, lr, share):
    """Multiply by the slowest factor until no more than the share is left."""
    slowest = max(abs(1 - lr * curvature) for curvature in curvatures)
    steps, left = 0, 1.0
    while left > share:
        left = left * slowest
        steps = steps + 1
    return steps


def _by_logarithm(
    *,
    rounded: Callable[[float], float] = math.ceil,
    chosen: Callable[[list[float]], float] = max,
    power: int = 1,
) -> Function:
    """Return a count of steps by logarithms; `chosen` is which of the factors decides."""

    def count(curvatures: list[float], lr: float, share: float) -> float:
        factors = [abs(1 - lr * curvature) for curvature in curvatures]
        return rounded(math.log(share) / math.log(chosen(factors) ** power))

    return count


EXERCISES = {
    "5.1": Exercise(
        hint="QuadraticLoss(X, kernel_size).hessian has the curvatures as its "
        "eigenvalues:\ntorch.linalg.eigvalsh gives them, smallest first.",
        success="Four pictures, and kernels of three sizes.",
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
        require=forbid(
            "max_stable_lr stable_lr", "Take the hessian's largest eigenvalue yourself."
        ),
        cases=PICTURES,
    ),
    "5.2": Exercise(
        hint="Two lines. The new velocity is momentum × velocity + gradient;\n"
        "the kernel goes against the new one, times lr.",
        success="Three steps agree with torch.optim.SGD.",
        solution=momentum_step,
        correct=_by_optimizer,
        misconceptions={
            "The velocity is forgotten: that is a step without momentum.": (
                _momentum(lambda k, v, g, lr, m: (k - lr * g, g))
            ),
            "The old velocity is kept whole: multiply it by momentum.": (
                _momentum(lambda k, v, g, lr, m: (k - lr * (v + g), v + g))
            ),
            "The gradient is multiplied by 1 - momentum too; here it is added whole.": (
                _momentum(
                    lambda k, v, g, lr, m: (
                        k - lr * (m * v + (1 - m) * g),
                        m * v + (1 - m) * g,
                    )
                )
            ),
            "lr and momentum have changed places.": (
                _momentum(lambda k, v, g, lr, m: (k - m * (lr * v + g), lr * v + g))
            ),
            "The velocity has lr in it. Other books write it so; here lr comes in the kernel's "
            "line.": _momentum(lambda k, v, g, lr, m: (k - (m * v + lr * g), m * v + lr * g)),
            "The velocity has lr in it, with the other sign; here lr comes in the kernel's line.": (
                _momentum(lambda k, v, g, lr, m: (k + m * v - lr * g, m * v - lr * g))
            ),
            "The velocity points the other way: add the gradient, and subtract the velocity.": (
                _momentum(lambda k, v, g, lr, m: (k + lr * (m * v - g), m * v - g))
            ),
            "The kernel took the old velocity: compute the new one first.": (
                _momentum(lambda k, v, g, lr, m: (k - lr * v, m * v + g))
            ),
            "The kernel went uphill: subtract lr × velocity.": (
                _momentum(lambda k, v, g, lr, m: (k + lr * (m * v + g), m * v + g))
            ),
            "You forgot the learning rate.": (
                _momentum(lambda k, v, g, lr, m: (k - (m * v + g), m * v + g))
            ),
            "The gradient is in the kernel's line twice: the velocity holds it already.": (
                _momentum(lambda k, v, g, lr, m: (k - lr * (m * v + g) - lr * g, m * v + g))
            ),
            "That is Nesterov's form, which looks one step ahead; here lr × velocity is all.": (
                _momentum(lambda k, v, g, lr, m: (k - lr * (g + m * (m * v + g)), m * v + g))
            ),
            "They come in the other order: return kernel, velocity.": (
                _momentum(lambda k, v, g, lr, m: (m * v + g, k - lr * (m * v + g)))
            ),
        },
        observe=_observe_momentum,
        explain=_explain_momentum,
        cases=(
            _momentum_case((1, 2), lr=0.1, momentum=0.9),
            _momentum_case((2, 3), lr=0.03, momentum=0.5),
            _momentum_case((3, 1), lr=0.25, momentum=0.2),
        ),
    ),
    "5.4": Exercise(
        hint="One direction is the slowest: the one whose factor is farthest from 0, whatever its "
        "sign.\nMultiply 1 by it until no more than the share is left, and count.",
        success="Six descents, of 2 to 228 steps.",
        solution=steps_needed,
        correct=_by_logarithm(),
        misconceptions={
            "That is one step too few: after it more than the share is left.": (
                _by_logarithm(rounded=math.floor)
            ),
            "That is one step too many: the share is reached before.": (
                _by_logarithm(rounded=lambda steps: math.ceil(steps) + 1)
            ),
            "At most the share: where exactly that is left, it is enough.": (
                _by_logarithm(rounded=lambda steps: math.floor(steps) + 1)
            ),
            "A number of steps is whole: round it up.": _by_logarithm(rounded=lambda steps: steps),
            "That is for the loss, the square of the distance; the share is of the distance.": (
                _by_logarithm(power=2)
            ),
            "That is for the fastest direction; the slowest decides.": _by_logarithm(chosen=min),
            "That is for the largest curvature; the slowest direction may be the flattest.": (
                _by_logarithm(chosen=lambda factors: factors[0])
            ),
            "That is for the smallest curvature; near the limit the steepest is the slowest.": (
                _by_logarithm(chosen=lambda factors: factors[-1])
            ),
            "That multiplies the factors of all directions; each distance has its own.": (
                _by_logarithm(chosen=math.prod)
            ),
        },
        name="Your count",
        cases=(
            Case([60.0, 12.0], 0.03, 0.01),
            Case([60.0, 12.0], 0.003, 0.01),
            Case([60.0, 12.0], 0.033, 0.01),
            Case([8.0], 0.12, 0.01),
            Case([8.0], 0.0625, 0.25),
            Case([9.0, 6.5, 2.0], 0.15, 0.003),
        ),
    ),
}

QUESTIONS = {
    "5a": Question(
        "The curvature is 8. Which learning rate arrives in a single step?",
        {
            "0.1": "Its factor is 1 - 0.1 × 8 = 0.2: a fifth of the distance is left.",
            "0.125": "Its factor is 1 - 0.125 × 8 = 0. One divided by the curvature ends a single "
            "weight's descent at once.",
            "0.25": "Its factor is 1 - 0.25 × 8 = -1: as far away on the other side, for ever.",
        },
        right="0.125",
    ),
    "5b": Question(
        "Both starts are equally far from the goal, and the rate is 0.03. Which jumps over it?",
        {
            "the one along (1, 1)": "Its factor is 1 - 0.03 × 60 = -0.8: over the goal, to 80% of "
            "the distance on the other side.",
            "the one along (1, -1)": "Its factor is 1 - 0.03 × 12 = 0.64: it stays on its side.",
            "both": "Only a factor below 0 jumps over. 1 - 0.03 × 12 is 0.64.",
        },
        right="the one along (1, 1)",
    ),
    "5c": Question(
        "0.033 is just below the limit, 0.003 far below it. Which has the smaller loss after 20 "
        "steps?",
        {
            "0.033: longer steps get farther.": "They do along (1, -1). Along (1, 1) its factor is "
            "-0.98: it jumps to and fro, and hardly comes closer.",
            "0.003: short steps are safe.": "Its factors are 0.82 and 0.964. The other rate has "
            "-0.98 along (1, 1), and its start lies in that direction too.",
            "They are alike: both are below the limit.": "Both arrive in the end, but the factor "
            "farthest from 0 decides how soon.",
        },
        right="0.003: short steps are safe.",
    ),
    "5d": Question(
        "Without momentum the limit is 2 divided by the largest curvature. With momentum 0.9?",
        {
            "It is smaller: what is carried over comes on top.": "It comes on top where gradients "
            "agree. In a steep direction they change sign at each step, and what is carried over "
            "works against the next jump.",
            "It is the same: the curvature decides.": "The curvature decides, but momentum has "
            "its part: the limit is 2 × (1 + momentum) / curvature.",
            "It is larger.": "In a steep direction gradients change sign at each step, so what is "
            "carried over shortens the jump: 2 × (1 + 0.9) / curvature.",
        },
        right="It is larger.",
    ),
    "5.3": Question(
        "The picture becomes twice as bright: all pixels times 2. What happens to the limit?",
        {
            "It doubles.": "Larger pixels make larger gradients: a step has to be shorter.",
            "It stays.": "The Hessian holds products of two pixels, so it changes.",
            "It is halved.": "A curvature holds products of two pixels: each is twice as large.",
            "It is a quarter.": "A curvature adds up products of two pixels, each twice as large: "
            "four times the curvature, a quarter of the limit. That is why networks scale their "
            "inputs.",
        },
        right="It is a quarter.",
    ),
}
