"""The exercises of notebook 02: count parameters, get a gradient, set a layer by hand."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from convkit.errors import brief_repr
from convkit.exercises import (
    Case,
    Difference,
    Exercise,
    Question,
    Wrong,
    layer_with,
    numbers,
    random_numbers,
    run,
)
from convkit.layers import Conv2D
from convkit.ops import corr2d

Size = tuple[int, int]
Observations = dict[str, Tensor]


def count_parameters(input_size, kernel_size):
    """Count the weights and the bias; the input's size plays no part."""
    kH, kW = kernel_size
    return kH * kW + 1


def _count(rule: Callable[[int, int, int], int]) -> Callable[[Size, Size], int]:
    """Return a count made of a rule in pixels, output cells and weights."""

    def count(input_size: Size, kernel_size: Size) -> int:
        (H, W), (kH, kW) = input_size, kernel_size
        return rule(H * W, (H - kH + 1) * (W - kW + 1), kH * kW)

    return count


def weight_gradient(layer, X, Y):
    """Forget old gradients, make one number of the loss, ask for its gradient."""
    layer.zero_grad()
    loss = ((layer(X) - Y) ** 2).sum()
    loss.backward()
    return layer.weight.grad


def _gradient_by_hand(layer: Conv2D, X: Tensor, Y: Tensor) -> Tensor:
    return corr2d(X, 2 * (layer(X) - Y).detach())


def _gradient_of(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """Return a function for the weight's gradient of another loss, made of prediction and Y."""

    def gradient(layer: Conv2D, X: Tensor, Y: Tensor) -> Tensor:
        return torch.autograd.grad(loss(layer(X), Y), layer.weight)[0]

    return gradient


def _accumulated_gradient(layer: Conv2D, X: Tensor, Y: Tensor) -> Tensor | None:
    ((layer(X) - Y) ** 2).sum().backward()
    return layer.weight.grad


def _observe_gradient(
    function: Callable[..., Any], layer: Any, X: Tensor, Y: Tensor
) -> Observations:
    layer = layer_with(layer.weight, layer.bias.item())
    names = "The gradient", "The gradient of a second call"
    if_none = (
        "Is there a return? backward() itself returns None, and weight.grad is None until then."
    )
    return {name: numbers(run(function, layer, X, Y, if_none=if_none), name) for name in names}


def _gradient_case(size: Size, kernel_size: Size, bias: float) -> Case:
    X, weight = random_numbers(*size, seed=0), random_numbers(*kernel_size, seed=2)
    Y = random_numbers(size[0] - kernel_size[0] + 1, size[1] - kernel_size[1] + 1, seed=1)
    return Case(layer_with(weight, bias), X, Y)


class _Affine(nn.Module):
    """What a 1 × 1 layer computes: weight × X + bias."""

    def __init__(self, weight: float, bias: float) -> None:
        super().__init__()
        self.weight, self.bias = (nn.Parameter(torch.tensor(float(x))) for x in (weight, bias))

    def forward(self, X: Tensor) -> Tensor:
        return self.weight * X + self.bias


def _output(layer: nn.Module, X: Tensor) -> Any:
    """Return a layer's output on a picture; nn.Conv2d wants axes for batch and channel too."""
    if not any(isinstance(part, nn.Conv2d) for part in layer.modules()):
        return run(layer, X)
    try:
        return run(layer, X)
    except Wrong:
        Y = run(layer, X[None, None])
    if isinstance(Y, Tensor) and Y.shape[:2] == (1, 1):
        return Y[0, 0]
    return Y


def _observe_layer(layer: object, X: Tensor) -> Observations:
    if not isinstance(layer, nn.Module):
        raise Wrong(f"You passed {brief_repr(layer)}; expected a layer, such as Conv2D((1, 1)).")
    layer = copy.deepcopy(layer).float()  # running it may change its buffers
    return {"The output": numbers(_output(layer, X), "The output")}


def _require_parameters(layer: nn.Module, X: Tensor) -> None:
    """Raise `Wrong` unless there are parameters, and each takes part in the output."""
    layer = copy.deepcopy(layer).float().requires_grad_()
    parameters = dict(layer.named_parameters())
    if not parameters:
        raise Wrong("The output is right, but the layer has no parameters to learn.")
    Y = _output(layer, X)
    if not Y.requires_grad:
        raise Wrong("The output is right, but it does not depend on the layer's parameters.")
    gradients = torch.autograd.grad(Y.sum(), list(parameters.values()), allow_unused=True)
    for name, gradient in zip(parameters, gradients, strict=True):
        if gradient is None:
            raise Wrong(f"The output is right, but the parameter {name} plays no part in it.")


def _explain_output(difference: Difference) -> str:
    if difference.is_shape:
        return "It should have the input's shape; a kernel larger than 1 × 1 loses cells."
    return ""


EXERCISES = {
    "2.1": Exercise(
        hint="Ask the layer: sum(p.numel() for p in Conv2D((5, 5)).parameters()).\n"
        "Does the answer change with the picture you give it?",
        success="Four layers; the same kernel on a larger picture has no more parameters.",
        solution=count_parameters,
        correct=lambda input_size, kernel_size: sum(
            parameter.numel() for parameter in Conv2D(kernel_size).parameters()
        ),
        misconceptions={
            "You left out the bias.": _count(lambda pixels, cells, weights: weights),
            "There is one bias for the layer, not one for each weight.": (
                _count(lambda pixels, cells, weights: 2 * weights)
            ),
            "A kernel has kH × kW weights: its columns play no part in yours.": (
                lambda input_size, kernel_size: kernel_size[0] ** 2 + 1
            ),
            "A kernel has kH × kW weights: its rows play no part in yours.": (
                lambda input_size, kernel_size: kernel_size[1] ** 2 + 1
            ),
            "A kernel has kH × kW weights, not kH + kW.": (
                lambda input_size, kernel_size: sum(kernel_size) + 1
            ),
            "That is the number of pixels; the layer has one small kernel.": (
                _count(lambda pixels, cells, weights: pixels)
            ),
            "Every output cell shares the one bias.": (
                _count(lambda pixels, cells, weights: weights + cells)
            ),
            "All windows share the same weights.": (
                _count(lambda pixels, cells, weights: (weights + 1) * cells)
            ),
            "The input's size plays no part: pixels have no weights of their own.": (
                _count(lambda pixels, cells, weights: pixels * weights + 1)
            ),
            "All windows share the same weights: count them once, with the one bias.": (
                _count(lambda pixels, cells, weights: cells * weights + 1)
            ),
            "The input's size plays no part, because every window shares the weights.": (
                _count(lambda pixels, cells, weights: pixels * weights)
            ),
        },
        name="Your count",
        cases=(
            Case((6, 8), (3, 4)),
            Case((28, 28), (5, 5)),
            Case((600, 512), (5, 5)),
            Case((9, 9), (1, 1)),
        ),
    ),
    "2.2": Exercise(
        hint="Four lines: layer.zero_grad(); the loss, one number; loss.backward(); "
        "layer.weight.grad.",
        success="It agrees with the gradient by hand on two layers, also when asked twice.",
        solution=weight_gradient,
        correct=_gradient_by_hand,
        misconceptions={
            "The sign is wrong: the residual is prediction minus target.": (
                lambda *args: -_gradient_by_hand(*args)
            ),
            "This is half of it: the derivative of a square has a factor 2.": (
                lambda *args: _gradient_by_hand(*args) / 2
            ),
            "You averaged the squares; the exercise adds them up.": (
                lambda layer, X, Y: _gradient_by_hand(layer, X, Y) / Y.numel()
            ),
            "You added up the differences as they are, or the output; square each first.": (
                _gradient_of(lambda output, Y: (output - Y).sum())
            ),
            "That is the square of the sum; square each difference first, then add up.": (
                _gradient_of(lambda output, Y: (output - Y).sum() ** 2)
            ),
            "You added up the differences without their signs; square each instead.": (
                _gradient_of(lambda output, Y: (output - Y).abs().sum())
            ),
            "The target Y plays no part: the difference is layer(X) - Y.": (
                _gradient_of(lambda output, Y: (output**2).sum())
            ),
            "The bias plays no part in your prediction: call layer(X).": (
                lambda layer, X, Y: corr2d(X, 2 * (corr2d(X, layer.weight) - Y).detach())
            ),
            "This is the bias's gradient; the exercise asks for the weight's.": (
                lambda layer, X, Y: (2 * (layer(X) - Y)).sum()[None]
            ),
            "That is the gradient of an earlier step: clear it and call backward().": (
                lambda layer, X, Y: torch.ones_like(layer.weight)
            ),
            "An older gradient is still in it: gradients add up until you call zero_grad().": (
                _accumulated_gradient
            ),
            "autograd.grad returns a tuple, with one gradient for each tensor: take its first.": (
                lambda layer, X, Y: _gradient_by_hand(layer, X, Y)[None]
            ),
        },
        observe=_observe_gradient,
        cases=(
            _gradient_case((2, 4), (1, 2), bias=0.5),
            _gradient_case((4, 5), (2, 3), bias=-1.25),
        ),
    ),
    "2.3": Exercise(
        hint="Each output cell depends on one input cell: how large is the kernel then?\n"
        "Set numbers inside `with torch.no_grad():`, with layer.weight.fill_(...).",
        success="The output is 2 X - 1, cell by cell, and the layer still has its parameters.",
        solution="""\
brighten = Conv2D((1, 1))
with torch.no_grad():
    brighten.weight.fill_(2)
    brighten.bias.fill_(-1)
""",
        correct=_Affine(2, -1),
        misconceptions={
            "The weight is right, but the bias is still 0.": _Affine(2, 0),
            "The bias is right, but the weight is 1.": _Affine(1, -1),
            "The bias has the wrong sign: it is added.": _Affine(2, 1),
            "This is 2 (X - 1): you subtract before you double. The bias is added afterwards.": (
                _Affine(2, -2)
            ),
            "The weight and the bias have changed places.": _Affine(-1, 2),
        },
        observe=_observe_layer,
        require=_require_parameters,
        explain=_explain_output,
        cases=(Case(random_numbers(2, 3, seed=0)), Case(random_numbers(5, 4, seed=1))),
    ),
}

QUESTIONS = {
    "2a": Question(
        "How many rows and columns of the input does one number see through both layers?",
        {
            "2 × 2, as through one": "Each number of the first layer already sees 2 × 2, and the "
            "second layer sees four of them.",
            "3 × 3": "Two windows of 2 that overlap in one: 2 + 2 − 1 = 3 along each axis.",
            "4 × 4": "That would be so if the windows of the first layer lay side by side. They "
            "overlap.",
        },
        right="3 × 3",
    ),
}
