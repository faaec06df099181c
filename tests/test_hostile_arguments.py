"""Every function that learners call, given arguments of every kind: results, or errors in words."""

import numpy as np
import pytest
import torch

import convkit
from convkit import (
    comparison,
    descent,
    exercises,
    figures,
    images,
    inputs,
    kernels,
    least_squares,
    lenses,
    ops,
    panels,
    ui,
)
from tests.untrusted_images import PNG

X, K = convkit.stripes(), convkit.kernel("box blur", 2)
Y = convkit.corr2d(X, K)
LOSS = convkit.QuadraticLoss(X, 2, Y)
WIDE = convkit.QuadraticLoss(X, (1, 3), X[:, 2:])
WINDOWS = {"padding": 1, "stride": 1, "dilation": 1}
OPERATION = {"X": X, "K": K, **WINDOWS, "padding_mode": "zeros"}
LENS = {**OPERATION, "flip": False, "bias": 1, "candidate": None, "at": (0, 0), "scale": None}
POOLING = {"X": X, "pool_size": 2, "mode": "max", "stride": 1}


class NoRepr:
    def __repr__(self):
        raise RuntimeError("no repr")


def hostile():
    """Return new values, since generators are used up and arrays may be changed."""
    yield from (None, True, -1, 0, 3, 2**70, 10**400, 0.5, 1e308, float("nan"), float("inf"), 1j)
    yield from ("", "cat", "no/such.png", "a" * 1000, b"", b"x", [], [[]], [[1, "a"]], [[[1]]])
    yield from ((), (1,), (1, 2, 3), (None, None), {}, {1: 2}, {"X": None}, set(), range(3), ...)
    yield from (object(), NoRepr(), lambda: 1 / 0, int, slice(1), ValueError("x"), iter([1]))
    yield (n for n in "ab")
    yield from (np.zeros(3), np.zeros((0, 2)), np.array("a"), np.array([[1j]]), np.array([None]))
    yield from (torch.tensor(2.0), torch.tensor(True), torch.zeros(3), torch.zeros(0, 3))
    yield from (torch.zeros(2, 2, dtype=dtype) for dtype in (torch.complex64, torch.int64))
    yield from (torch.zeros(2, 2, 2), torch.zeros(2, 2, dtype=torch.float8_e4m3fn))
    yield from (torch.full((2, 2), n, dtype=torch.float64) for n in (torch.nan, 1e300))
    yield from (torch.eye(2).to_sparse(), torch.zeros(2, 2, device="meta"), torch.eye(600, 2))


def closed(make):
    return lambda **given: make(**given).close()


def explored(**given):
    ui.explore(given["function"], n=given["n"]).close()


def set_rate(**given):
    convkit.KernelDescent(X, Y, K).lr = given["lr"]


CALLS = [
    (convkit.corr2d, OPERATION),
    (convkit.convolve2d, OPERATION),
    (convkit.window, {**OPERATION, "i": 0, "j": 0}),
    (convkit.pool2d, {**POOLING, "padding": 0}),
    (convkit.output_size, {"input_size": 5, "kernel_size": 3, **WINDOWS}),
    (convkit.patches, {"X": X, "kernel_size": 2, **WINDOWS}),
    (ops.pad2d, {"X": X, "padding": 1, "mode": "zeros"}),
    (convkit.kernel, {"name": "box blur", "size": 3}),
    (kernels.resized, {"K": K, "size": 3}),
    (kernels.named_like, {"K": K}),
    (images.named_like, {"X": X}),
    (images.picture, {"name": "ramp 6 × 9"}),
    (convkit.diagonal, {"size": 4}),
    (convkit.checkerboard, {"size": 4}),
    (convkit.dot, {"size": 4}),
    (convkit.ramp, {"size": 4}),
    (convkit.photo, {"size": 4}),
    (images.colour_photo, {"size": 4}),
    (convkit.open_image, {"source": PNG, "max_side": 3}),
    (images.open_colours, {"source": PNG, "max_side": 3}),
    (lambda value: inputs.as_array("X", value), {"value": X}),
    (lambda value: inputs.as_colours("X", value), {"value": X}),
    (convkit.as_matrix, {"K": K, "size": (4, 5), **WINDOWS}),
    (convkit.Layer, {"kernel_size": 3, **WINDOWS}),
    (convkit.receptive_field, {"layers": [3, (2, 2)]}),
    (convkit.Conv2D, {"kernel_size": 2, "bias": True}),
    (convkit.Conv2D(2).forward, {"X": X}),
    (convkit.QuadraticLoss, {"X": X, "kernel_size": 2, "Y": Y, "reduction": "sum"}),
    (LOSS.loss, {"K": K}),
    (LOSS.gradient, {"K": K}),
    (LOSS.projection_axes, {"start": K}),
    (WIDE.projection_axes, {"start": torch.ones(1, 3)}),
    (LOSS.descent, {"start": K, "rates": [0.1]}),
    (least_squares.check_target, {"X": X, "Y": Y, "kernel_size": (2, 2)}),
    (descent.record, {"X": X, "Y": Y, "start": K, "rates": [0.1], "reduction": "sum", "limit": 9}),
    (descent.divergence_limit, {"loss": LOSS, "start": K}),
    (convkit.KernelDescent, {"X": X, "Y": Y, "start": K, "lr": 0.1, "reduction": "sum"}),
    (convkit.KernelDescent(X, Y, K).jump, {"n": 1}),
    (set_rate, {"lr": 0.1}),
    (comparison.rounding_bound, {"X": X, "K": K, "bias": 1}),
    (comparison.mismatch_mask, {"candidate": X, "reference": X, "bound": X}),
    (
        lenses.lens,
        {
            **OPERATION,
            "flip": False,
            "bias": 1,
            "candidate": convkit.corr2d(X, K, padding=1),
            "at": (0, 0),
            "scale": None,
        },
    ),
    (
        lenses.pooling_gradient_lens,
        {**POOLING, "gradient": None, "at": (0, 0)},
    ),
    (lenses.matrix_lens, {"X": X[:4, :4], "K": K, "stride": 1, "dilation": 1, "at": (0, 0)}),
    (lenses.channels_lens, {"X": X[None], "K": K[None], "padding": 1, "stride": 1, "at": (0, 0)}),
    (lenses.pooling_lens, {**POOLING, "padding": 0, "at": (0, 0)}),
    (figures.show, {"pictures": {"X": X}, "signed": None, "scales": None, "note": ""}),
    (lambda value: figures.show({"X": value}), {"value": X}),
    (lambda value: figures.show({"X": X}, scales={"X": value}), {"value": ui.Scale("grey", 0, 1)}),
    (explored, {"function": lambda n: n, "n": (1, 3)}),
    (exercises.check, {"name": "0.1", "answer": 2}),
    (exercises.predict, {"name": next(iter(exercises.QUESTIONS))}),
    (exercises.hint, {"name": "0.1"}),
    (exercises.solution, {"name": "0.1"}),
    (
        closed(panels.KernelEditor),
        {**WINDOWS, "X": X, "K": K, "operation": torch.add},
    ),
    (closed(panels.DescentStepper), {"X": X, "start": K, "target": K, "steps": 3}),
    (closed(panels.DescentStepper), {"X": X, "Y": Y, "lr": 0.1, "reduction": "sum"}),
]


def test_every_function_of_the_library_is_called():
    made = {"KERNELS", "ConvkitError", "Step", "ReceptiveField", "stripes"}
    called = {getattr(function, "__name__", "") for function, _ in CALLS}
    assert set(convkit.__all__) - made - called == set()


@pytest.mark.parametrize(("function", "arguments"), CALLS)
def test_hostile_arguments_give_results_or_errors_in_words(function, arguments):
    function(**arguments)
    for name in arguments:
        for value in hostile():
            try:
                function(**{**arguments, name: value})
            except convkit.ConvkitError as error:
                assert len(str(error)) < 600
            except Exception as error:
                raise AssertionError(f"{name} of type {type(value).__name__}") from error
