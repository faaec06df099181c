"""Wrong answers made of right ones by a machine: rounded, transposed, one number changed ..."""

import torch
from torch import Tensor, nn

from convkit.exercises import EXERCISES


def changed(index):
    """Return a function that changes one number."""

    def change(values):
        changed_values = values.clone()
        changed_values.view(-1)[index] += 0.5 + values.abs().max()
        return changed_values

    return change


TRANSFORMS = {
    "rounded": torch.round,
    "truncated": torch.trunc,
    "without signs": torch.abs,
    "with other signs": torch.neg,
    "doubled": lambda values: 2 * values,
    "scaled by 1.01": lambda values: 1.01 * values,
    "plus 1": lambda values: values + 1,
    "minus 1": lambda values: values - 1,
    "all zeros": lambda values: 0 * values,
    "all the mean": lambda values: torch.full_like(values, values.mean().item()),
    "first number changed": changed(0),
    "last number changed": changed(-1),
}
OF_ARRAYS = {
    "flipped": lambda values: values.flip(tuple(range(values.ndim))),
    "shifted by one": lambda values: values.roll(1, -1),
    "without the last": lambda values: values[..., :-1],
    "in one row": lambda values: values.reshape(-1),
}
OF_MATRICES = {
    "transposed": lambda values: values.T,
    "flipped up and down": lambda values: values.flip(0),
    "flipped left and right": lambda values: values.flip(1),
    "shifted down by one": lambda values: values.roll(1, 0),
    "without the last row": lambda values: values[:-1],
}

WHOLE = {"rounded", "truncated"}
NOT_NEGATIVE = {"without signs"}
ONE_NUMBER = {"all the mean"}
ONE_ROW = {"flipped up and down", "shifted down by one"}
SYMMETRIC = {"flipped", "flipped up and down", "flipped left and right", "transposed"}
STILL_APART = {"doubled", "scaled by 1.01", "plus 1", "minus 1", "flipped", "shifted by one"}
STILL_APART |= {"first number changed", "last number changed"}
EQUAL_ON_PAPER = {
    "0.1": (WHOLE | NOT_NEGATIVE | ONE_NUMBER, "the answer is one whole number, 2"),
    "1.1": (WHOLE | NOT_NEGATIVE, "the four sums are whole and not negative"),
    "1.2": (WHOLE | NOT_NEGATIVE | {"in one row"}, "a shape is a row of whole numbers"),
    "2.1": (WHOLE | NOT_NEGATIVE | ONE_NUMBER, "a count is one whole number"),
    "3.1": ({f"output {how}" for how in WHOLE}, "differences of 0 and 1 are whole"),
    "3.2": ({"doubled", "scaled by 1.01"}, "any scale will do"),
    "3.3": (WHOLE | ONE_ROW, "binomial coefficients are whole, and in one row"),
    "3.4": (NOT_NEGATIVE | SYMMETRIC | {"all the mean"}, "any symmetric mean is a blur"),
    "4.1": (ONE_ROW | {"in one row"}, "the kernel has one row; its outer brackets may be left out"),
    "4.2": (
        {"the bias all the mean", "the loss all the mean", "the loss without signs"},
        "bias and loss are one number each, and squares are not negative",
    ),
    "5.1": (NOT_NEGATIVE | ONE_NUMBER, "a limit is one positive number"),
    "5.4": (WHOLE | NOT_NEGATIVE | ONE_NUMBER, "a count is one whole number"),
    "6.5": (WHOLE, "the weights are whole"),
    "6.6": (
        WHOLE
        | NOT_NEGATIVE
        | SYMMETRIC - {"transposed"}
        | {"shifted by one", "shifted down by one"},
        "a white pixel may stand anywhere but on the edge",
    ),
    "7.1": (WHOLE | NOT_NEGATIVE | {"in one row"}, "a size is a row of whole numbers"),
    "7.4": (WHOLE | NOT_NEGATIVE | ONE_NUMBER, "a count is one whole number"),
    "8.4": (WHOLE | NOT_NEGATIVE | ONE_NUMBER, "a count is one whole number"),
    "8.5": (WHOLE | NOT_NEGATIVE | {"in one row"}, "two counts are whole, and in one row"),
    "8.6": (NOT_NEGATIVE | {"in one row"}, "two factors are positive, and in one row"),
    "8.7": (NOT_NEGATIVE | ONE_NUMBER, "a share is one positive number"),
    "9.2": (
        WHOLE | NOT_NEGATIVE | STILL_APART,
        "any two windows will do if their largest numbers lie in different cells",
    ),
    "9.4": (WHOLE | NOT_NEGATIVE | ONE_NUMBER, "a count is one whole number"),
    "11.1": (WHOLE | NOT_NEGATIVE | {"in one row"}, "five counts are whole, and in one row"),
    "11.3": (NOT_NEGATIVE, "neither activation makes a negative number"),
}
"""Which derived answers are right all the same, and why."""


def transforms(values):
    """Return the transforms that apply to numbers of this shape, by name."""
    found = dict(TRANSFORMS)
    if values.ndim > 0:
        found |= OF_ARRAYS
    if values.ndim == 2:
        found |= OF_MATRICES
    return found


def as_tensor(values):
    return torch.as_tensor(values, dtype=torch.float64).detach()


class Transformed(nn.Module):
    """A layer whose output is changed."""

    def __init__(self, layer, transform):
        super().__init__()
        self.layer, self.transform = layer, transform

    def forward(self, X):
        return self.transform(self.layer(X))


def derived_answers(name):
    """Return pairs of (how it was derived, answer) of one exercise's right answer."""
    exercise = EXERCISES[name]
    if getattr(exercise.solution, "__name__", "") == "train_step":
        return derived_steps(exercise.correct)
    if exercise.asks_for_function:
        return derived_functions(exercise)
    if isinstance(exercise.correct, nn.Module):
        return derived_layers(exercise)
    return derived_values(exercise.correct)


def derived_values(right):
    """Yield changed numbers, or a dictionary of which one value is changed."""
    if not isinstance(right, dict):
        values = as_tensor(right)
        for how, transform in transforms(values).items():
            yield how, transform(values)
        return
    numeric = [part for part, value in right.items() if not isinstance(value, str)]
    for part in numeric:
        for how, values in derived_values(right[part]):
            yield f"{part} {how}", {**right, part: values}


def derived_layers(exercise):
    """Yield layers whose output is changed, in each case or in one alone."""
    for how, transform in transforms(torch.zeros(2, 2)).items():
        yield how, Transformed(exercise.correct, transform)
    for k in range(len(exercise.cases)):
        yield f"wrong in case {k} alone", Transformed(exercise.correct, wrong_in_call(k, exercise))


def without_layer(net, k):
    """Return a network of all layers but one."""
    return nn.Sequential(*net[:k], *net[k + 1 :])


def derived_functions(exercise):
    """Yield functions whose result is changed: in each case, in one alone, in all but the first."""
    right, cases = exercise.correct, exercise.cases
    first = right(*cases[0].args)
    if isinstance(first, nn.Module):
        for k in range(len(first)):
            yield f"without layer {k}", lambda k=k: without_layer(right(), k)
        return
    values = as_tensor(first)
    for how, transform in transforms(values).items():
        yield how, lambda *args, transform=transform: transform(as_tensor(right(*args)))
    keys = [key(case.args) for case in cases]
    for k in range(len(cases)):
        yield f"wrong in case {k} alone", wrong_where(right, keys[k : k + 1])
    if len(cases) > 1:
        yield "right in the first case alone", wrong_where(right, keys[1:])


def key(args):
    """Return what tells the arguments of one case from those of another."""
    plain = [arg for arg in args if not isinstance(arg, nn.Module)]
    return [repr(arg.tolist() if isinstance(arg, Tensor) else arg) for arg in plain]


def wrong_where(right, keys):
    """Return a function that is wrong for the arguments with these keys, and right elsewhere."""

    def function(*args):
        result = as_tensor(right(*args))
        return changed(-1)(result) if key(args) in keys else result

    return function


def wrong_in_call(k, exercise):
    """Return a transform of a layer's output that is wrong for the output of one case."""
    goal = exercise.correct(*exercise.cases[k].args).detach()
    return lambda Y: Y + 1 if Y.shape == goal.shape else Y


def derived_steps(right):
    """Yield training steps that leave another weight or bias, or return another loss."""
    for how, transform in transforms(torch.zeros(2, 2)).items():
        if "without the last" not in how and how != "in one row":  # a parameter keeps its shape
            yield f"the weight {how}", step_with("weight", right, transform)
    for how, transform in TRANSFORMS.items():
        yield f"the bias {how}", step_with("bias", right, transform)
        yield f"the loss {how}", lambda *args, f=transform: f(as_tensor(right(*args)))
    for parameter in ("weight", "bias"):
        yield f"the {parameter} wrong in the second step", second_step_wrong(right, parameter)


def step_with(name, right, transform):
    def step(layer, X, Y, lr):
        loss = right(layer, X, Y, lr)
        if lr != 0:
            parameter = layer.get_parameter(name).data
            parameter.copy_(transform(parameter).reshape(parameter.shape))
        return loss

    return step


def second_step_wrong(right, name):
    """Return a step that is wrong where the layer has been trained before."""
    trained = set()

    def step(layer, X, Y, lr):
        loss = right(layer, X, Y, lr)
        if id(layer) in trained:
            layer.get_parameter(name).data += 0.5
        trained.add(id(layer))
        return loss

    return step
