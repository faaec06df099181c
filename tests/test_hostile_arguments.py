"""Every function that learners call, given arguments of every kind: results, or errors in words."""

import ast
import re
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

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
LAYER, LOSS = convkit.Conv2D(2), convkit.QuadraticLoss(X, 2, Y)
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
    yield from (
        Image.new("RGB", (8, 6)),
        np.zeros((6, 8, 3), np.uint8),
        Path("ramp.png"),
        "ramp.png",
    )
    yield from (np.eye(2), [[1, 2], [3, 4]], torch.zeros(3, 6, 8), torch.zeros(2, 3, 6, 8))
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
    (lambda X: inputs.as_array("X", X), {"X": X}),
    (lambda X: inputs.as_colours("X", X), {"X": X}),
    (convkit.as_matrix, {"K": K, "size": (4, 5), **WINDOWS}),
    (convkit.Layer, {"kernel_size": 3, **WINDOWS}),
    (convkit.receptive_field, {"layers": [3, (2, 2)]}),
    (convkit.Conv2D, {"kernel_size": 2, "bias": True}),
    (LAYER.forward, {"X": X}),
    (convkit.QuadraticLoss, {"X": X, "kernel_size": 2, "Y": Y, "reduction": "sum"}),
    (LOSS.loss, {"K": K}),
    (LOSS.gradient, {"K": K}),
    (LOSS.projection_axes, {"start": K}),
    (WIDE.projection_axes, {"start": torch.ones(1, 3)}),
    (LOSS.descent, {"start": K, "rates": [0.1], "momentum": 0.9}),
    (least_squares.check_target, {"X": X, "Y": Y, "kernel_size": (2, 2)}),
    (descent.record, {"X": X, "Y": Y, "start": K, "rates": [0.1], "momentum": 0.9, "limit": 9}),
    (descent.divergence_limit, {"loss": LOSS, "start": K}),
    (convkit.KernelDescent, {"X": X, "Y": Y, "start": K, "momentum": 0.5, "reduction": "sum"}),
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
    (
        figures.show,
        {"pictures": {"X": torch.ones(9, 9)}, "signed": None, "scales": None, "note": ""},
    ),
    (lambda X: figures.show({"X": X}), {"X": X}),
    (
        lambda value: figures.show({"X": torch.ones(9, 9)}, scales={"X": value}),
        {"value": ui.Scale("grey", 0, 1)},
    ),
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


def code_in(hint):
    """Return the code that a hint says to write: a value, or name=value."""
    written = re.search(r"(?:^|[:,.] )[Ww]rite (?:for example )?(.*[=.(\[].*)", hint)
    words = written[1].rstrip(".").split(" ") if written else []
    for end in range(len(words), 0, -1):
        code = " ".join(words[:end]).rstrip(",;:")
        try:
            call = ast.parse(f"call({code})", mode="eval").body
        except SyntaxError:
            continue
        if call.keywords or not isinstance(call.args[0], ast.Name):
            return code
    return None


NAMES = {"torch": torch, "np": np, "convkit": convkit, "Scale": ui.Scale, "show": figures.show}
NAMES |= {"QuadraticLoss": convkit.QuadraticLoss, "kernel_size": 2, "low": 0, "high": 1, "start": 0}
NAMES |= {"X": X, "Y": Y, "kernel": K, "layer": LAYER}


def followed(hint, arguments, name):
    """Return the arguments with which a hint says to try again; `name` is the one in question."""
    code = code_in(hint)
    if code is None or code.startswith("show("):
        return None
    keyword = re.match(r"(\w+)=", code)
    mentioned = [word for word in re.findall(r"\w+", code) if word in arguments]
    name = keyword[1] if keyword else (mentioned or [name])[0]
    if name not in arguments:
        return None  # a keyword of what is in a list, such as a layer
    try:
        value = eval(code.removeprefix(f"{name}="), NAMES | arguments)
    except convkit.ConvkitError:
        return None  # such as of a missing file
    except Exception:
        assert hint.startswith(("If ", "Of ")), hint
        return None
    return {**arguments, name: value}


def follow_hints(function, arguments, name):
    """Call a function, do what the hints of its errors say, and call it again."""
    said = set()
    while arguments is not None:
        try:
            return function(**arguments)
        except convkit.ConvkitError as error:
            assert len(str(error)) < 600
            assert str(error) not in said, f"followed in vain: {error}"
            said.add(str(error))
            arguments = followed(error.hint, arguments, name)
    return None


@pytest.fixture(scope="module", autouse=True)
def folder_with_a_picture(tmp_path_factory):
    """Work in a folder that has the file ramp.png."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "ramp.png").write_bytes(PNG)
    with chdir(folder):
        yield


@pytest.mark.parametrize(("function", "arguments"), CALLS)
def test_hostile_arguments_give_results_or_errors_in_words(function, arguments):
    function(**arguments)
    for name in arguments:
        for value in hostile():
            try:
                follow_hints(function, {**arguments, name: value}, name)
            except Exception as error:
                raise AssertionError(f"{name} of type {type(value).__name__}") from error
