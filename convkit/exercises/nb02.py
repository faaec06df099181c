"""The exercises of notebook 02: count parameters, get a gradient, set a layer by hand."""

from __future__ import annotations

import torch
from torch import nn

from convkit import formatting
from convkit.exercises._grading import Exercise, Wrong, compare, layer_with, numbers, random, run
from convkit.layers import Conv2D
from convkit.ops import corr2d


def count_parameters(input_size, kernel_size):
    """Count the weights and the bias; the input's size plays no part."""
    kH, kW = kernel_size
    return kH * kW + 1


def check_count_parameters(function: object) -> str:
    """Check a count for three pairs of sizes."""
    for (H, W), (kH, kW) in (((6, 8), (3, 4)), ((28, 28), (5, 5)), ((600, 512), (5, 5))):
        given = numbers(run(function, (H, W), (kH, kW)), "the count")
        said = f"For a {H} × {W} input and a {kH} × {kW} kernel you count {formatting.number(given, 9)}"
        slips = {
            kH * kW: "you left out the bias.",
            kH * kW * 2: "there is one bias for the layer, not one for each weight.",
            kH + kW + 1: "a kernel has kH × kW weights, not kH + kW.",
            H * W: "that is the number of pixels; the layer has one small kernel.",
            kH * kW + (H - kH + 1) * (W - kW + 1): "every output cell shares the one bias.",
            (kH * kW + 1) * (H - kH + 1) * (W - kW + 1): "all windows share the same weights.",
            H * W * kH * kW: "the input's size plays no part: every window shares the weights.",
        }
        known = [(torch.tensor(n), f"{said}: {why}") for n, why in slips.items()]
        known.append((given, f"{said}; it should be {kH * kW + 1}."))
        compare(given, torch.tensor(kH * kW + 1), "the count", known)
    return "Three layers; the same kernel on a larger picture has no more parameters."


def gradient(layer, X, Y):
    """Forget old gradients, make one number of the error, ask for its gradient."""
    layer.zero_grad()
    loss = ((layer(X) - Y) ** 2).sum()
    loss.backward()
    return layer.weight.grad


def check_gradient(function: object) -> str:
    """Check the gradient of the summed squared error, asked for twice on the same layer."""
    layer, X, Y = layer_with(random(2, 3, seed=2)), random(5, 6), random(4, 4, seed=1)
    residual = (layer(X) - Y).detach()
    right = corr2d(X, 2 * residual)
    slips = [
        (-right, "The sign is wrong: the residual is prediction minus target."),
        (right / 2, "Half of it: the derivative of a square brings a factor 2."),
        (right / residual.numel(), "You averaged the squares; the exercise adds them up."),
        (corr2d(X, torch.ones_like(residual)), "You added up the output; add up squared errors."),
        ((2 * residual).sum()[None], "This is the bias's gradient; wanted the weight's."),
    ]
    compare(torch.as_tensor(run(function, layer, X, Y)).clone(), right, "The gradient", slips)
    again = "Right once. Asked again it doubles: gradients add up until you call zero_grad()."
    second = torch.as_tensor(run(function, layer, X, Y)).clone()
    compare(second, right, "The second gradient", [(2 * right, again)])
    return "It agrees with the gradient by hand, also when asked twice."


def brighten():
    """Take one weight, 2, and a bias of -1."""
    layer = Conv2D((1, 1))
    with torch.no_grad():
        layer.weight.fill_(2)
        layer.bias.fill_(-1)
    return layer


def check_brighten(layer: object) -> str:
    """Check a layer that computes 2 X - 1."""
    if not isinstance(layer, nn.Module):
        raise Wrong(f"You passed a {type(layer).__name__}; wanted a layer, such as Conv2D((1, 1)).")
    X = random(4, 5)
    given = numbers(run(layer, X), "The output")
    if given.shape != X.shape:
        raise Wrong(
            f"Your output is {formatting.size(given.shape)} for an input of {formatting.size(X.shape)}. "
            "A kernel larger than 1 × 1 loses cells at the border."
        )
    slips = [
        (2 * X, "The weight is right, but the bias is still 0."),
        (X - 1, "The bias is right, but the weight is 1."),
        (2 * X + 1, "The bias has the wrong sign: it is added."),
        (2 * (X - 1), "You subtract before you double: 2 (X - 1). The bias comes after the sum."),
    ]
    compare(given, 2 * X - 1, "The output", slips)
    if not list(layer.parameters()):
        raise Wrong(
            "The output is right, but the layer has no parameters: nothing could be learned."
        )
    return "The output is 2 X - 1, cell by cell, and the layer still has its parameters."


EXERCISES = {
    "2.1": Exercise(
        check_count_parameters,
        count_parameters,
        "Ask the layer: sum(p.numel() for p in Conv2D((5, 5)).parameters()).\n"
        "Does the answer change with the picture you give it?",
    ),
    "2.2": Exercise(
        check_gradient,
        gradient,
        "Four lines: layer.zero_grad(); the loss, one number; loss.backward(); layer.weight.grad.",
    ),
    "2.3": Exercise(
        check_brighten,
        brighten,
        "Each output cell depends on one input cell: how large is the kernel then?\n"
        "Set numbers inside `with torch.no_grad():`, with layer.weight.fill_(...).",
    ),
}
