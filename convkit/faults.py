"""Six faults of training, to be found by what they do.

Each is a training step, or a whole training loop, of the form that `panels.DescentStepper` runs
with ``step=fault("A")``: it takes a kernel (kH, kW), an input X, a target Y and a learning rate.
What is right is gradient descent on the sum of the squared residuals of ``corr2d(X, kernel)``.
"""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from convkit.errors import check_choice
from convkit.formatting import number
from convkit.images import stripes
from convkit.ops import convolve2d, corr2d

RATE = 0.02
"""The learning rate of the lab, 60% of what is possible there."""


def _never_cleared(kernel, X, Y, lr):
    kernel = kernel.clone().requires_grad_()
    while True:
        loss = ((corr2d(X, kernel) - Y) ** 2).sum()
        loss.backward()
        with torch.no_grad():
            kernel -= lr * kernel.grad
        yield kernel.detach()


def _mean_for_sum(kernel, X, Y, lr):
    kernel = kernel.clone().requires_grad_()
    loss = ((corr2d(X, kernel) - Y) ** 2).mean()
    loss.backward()
    return kernel.detach() - lr * kernel.grad


def _sign_reversed(kernel, X, Y, lr):
    residual = corr2d(X, kernel) - Y
    return kernel + lr * corr2d(X, 2 * residual)


def _flipped(kernel, X, Y, lr):
    kernel = kernel.clone().requires_grad_()
    residual = convolve2d(X, kernel) - Y
    (residual**2).sum().backward()
    return kernel.detach() - lr * kernel.grad


def _other_shape(kernel, X, Y, lr):
    kernel = kernel.clone().requires_grad_()
    outputs = corr2d(X, kernel).reshape(-1, 1)
    ((outputs - Y.flatten()) ** 2).sum().backward()
    return kernel.detach() - lr * kernel.grad


def _beyond_the_limit(kernel, X, Y, lr):
    kernel = kernel.clone().requires_grad_()
    sgd = torch.optim.SGD([kernel], lr=0.05)
    ((corr2d(X, kernel) - Y) ** 2).sum().backward()
    sgd.step()
    return kernel.detach()


class Fault(NamedTuple):
    """A fault of training.

    Attributes
    ----------
    step : callable
        The step, or the loop, that has it.
    wrong, right : str
        The part of its source that is wrong, and what should stand there.
    symptom : str
        How it shows.

    Examples
    --------
    >>> FAULTS["sign reversed"].right
    'kernel - lr'
    """

    step: Callable[..., Any]
    wrong: str
    right: str
    symptom: str

    @property
    def source(self) -> str:
        """The source of its step, without a name that tells."""
        return inspect.getsource(self.step).replace(self.step.__name__, "step").rstrip()


FAULTS = {
    "gradients never cleared": Fault(
        _never_cleared,
        "yield kernel.detach()",
        "yield kernel.detach()\n        kernel.grad = None  # once the step is taken",
        "the first step is right, then older gradients come along: the kernel swings for ever",
    ),
    "mean for sum": Fault(
        _mean_for_sum,
        ".mean()",
        ".sum()",
        "each update is a 42nd of the right one (42 outputs): 42 times the rate cures it",
    ),
    "sign reversed": Fault(
        _sign_reversed,
        "kernel + lr",
        "kernel - lr",
        "each update is the opposite of the right one: no rate leads downhill",
    ),
    "kernel flipped between data and model": Fault(
        _flipped,
        "convolve2d(X, kernel)",
        "corr2d(X, kernel)",
        "it arrives, and at the mirror image of the kernel that made the target",
    ),
    "target of another shape": Fault(
        _other_shape,
        "Y.flatten()",
        "Y.reshape(-1, 1)",
        "each output is compared with each target: a rate 42 times smaller leads to their mean",
    ),
    "rate beyond the limit": Fault(
        _beyond_the_limit,
        "lr=0.05",
        "lr=lr",
        "the update is in the right direction and too long, and the rate you set plays no part",
    ),
}
"""The faults by name."""


_chance = random.Random(2)  # its numbers are the same everywhere; its shuffle may not be
ORDER = dict(zip("ABCDEF", sorted(FAULTS, key=lambda _: _chance.random()), strict=True))
"""The names by letter."""


def fault(letter: str) -> Callable[..., Any]:
    """Return a training step with a fault, "A" to "F": see what it does, then name it.

    It takes a kernel (kH, kW), X (H, W), Y (H_out, W_out) and a learning rate, and returns the next
    kernel; where it is a generator function, it yields the kernel after each step.

    Raises
    ------
    ConvkitError
        If there is no such letter.

    Examples
    --------
    >>> fault("A").__name__
    'fault A'
    """
    check_choice("fault", letter, ORDER)
    step = FAULTS[ORDER[letter]].step
    hidden = FunctionType(step.__code__, step.__globals__, f"fault {letter}")
    hidden.__qualname__ = hidden.__name__
    return hidden


def run(step: Callable[..., Any], kernel: Tensor, X: Tensor, Y: Tensor, lr: float) -> Iterator[Any]:
    """Yield the kernel after each step of a function, or of a loop that yields it.

    Examples
    --------
    >>> halves = run(lambda kernel, X, Y, lr: kernel / 2, torch.ones(1, 1), None, None, 0.1)
    >>> next(halves), next(halves)
    (tensor([[0.5000]]), tensor([[0.2500]]))
    """
    if inspect.isgeneratorfunction(step):
        yield from map(torch.clone, step(kernel, X, Y, lr))
    while True:
        kernel = step(kernel, X, Y, lr)
        yield kernel


def against(letter: str, name: str) -> str:
    """Return what speaks against a name for a fault: what that one does, and what this one did.

    Examples
    --------
    >>> wrong = next(name for name in FAULTS if name != ORDER["A"])
    >>> against("A", wrong).startswith(f"With {wrong!r} ")
    True
    """
    X, start = stripes(), torch.tensor([[0.5, 0.5]])
    Y = corr2d(X, torch.tensor([[1.0, -1.0]]))
    runs = [run(step, start, X, Y, RATE) for step in (FAULTS[name].step, fault(letter))]
    steps = enumerate(zip(*runs, strict=True), start=1)
    n, kernels = next(step for step in steps if not torch.allclose(*step[1]))
    texts = [", ".join(map(number, kernel.flatten().tolist())) for kernel in kernels]
    return (
        f"With {name!r} {FAULTS[name].symptom}. On the stripes, from (0.5, 0.5) at rate {RATE}, "
        f"step {n} would give ({texts[0]}); fault {letter} gives ({texts[1]})."
    )
