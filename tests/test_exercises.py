"""Every checker accepts its solution, knows its stub, and tells apart the ways to be wrong."""

import ast

import pytest
import torch
from torch import nn

from convkit import Conv2D, ConvkitError, convolve2d, corr2d, hessian, kernel
from convkit.exercises import EXERCISES, check, hint, solution

X1 = torch.tensor([[1.0, 2, 0], [0, 1, 3], [2, 1, 1]])
K1 = torch.tensor([[1.0, -1], [0, 2]])


def shapes(rows, columns):
    """Return a wrong output_shape from two formulas in H, W, h, w."""
    return lambda big, small: tuple(
        eval(rule, dict(zip("HWhw", (*big, *small), strict=True))) for rule in (rows, columns)
    )


def by_weight(X, K, *, drop_last=False, one=False, size=(1, 1)):
    """Add up shifted pictures, with a mistake."""
    (kH, kW), Y = K.shape, 0
    H, W = X.shape[0] - kH + size[0], X.shape[1] - kW + size[1]
    cells = [(a, b) for a in range(kH) for b in range(kW)]
    for a, b in cells[:1] if one else cells[:-1] if drop_last else cells:
        Y = Y + K[a, b] * X[a : a + H, b : b + W]
    return Y


def gradient(layer, X, Y, *, zero=True, error=lambda r: (r**2).sum(), of="weight"):
    """Ask for a gradient, with a mistake."""
    if zero:
        layer.zero_grad()
    error(layer(X) - Y).backward()
    return getattr(layer, of).grad


def made(size=(1, 1), weight=1.0, bias=0.0):
    """Return a layer with one weight everywhere."""
    layer = Conv2D(size)
    nn.init.constant_(layer.weight, weight), nn.init.constant_(layer.bias, bias)
    return layer


def diagonal(output=None, X="same", K="transposed"):
    """Return an answer to 3.1."""
    right = [[1, 0, 0], [-1, 1, 0], [0, -1, 1], [0, 0, -1]]
    return {"output": output or right, "X transposed": X, "K transposed": K}


def mixed(right, down):
    """Return an edge kernel for what two rules in x and y say."""
    return lambda v: (
        eval(right, {"x": v[0], "y": v[1]}) * kernel("Prewitt x")
        + eval(down, {"x": v[0], "y": v[1]}) * kernel("Prewitt y")
    )


def rows(*kernels):
    """Return a derivative_kernel that looks its answer up."""
    return lambda d: [kernels[min(d, len(kernels)) - 1]]


def step(layer, X, Y, lr, *, zero=True, sign=1, mean=False, bias=True, late=False, back=True):
    """Take a training step, with a mistake."""
    if zero:
        layer.zero_grad()
    squares = (layer(X) - Y) ** 2
    loss = squares.mean() if mean else squares.sum()
    loss.backward()
    with torch.no_grad():
        for parameter in list(layer.parameters())[: 2 if bias else 1]:
            parameter -= sign * lr * parameter.grad
    if late:
        return ((layer(X) - Y) ** 2).sum()
    return loss if back else None


def recorded_step(layer, X, Y, lr):
    """Update a parameter while torch records."""
    ((layer(X) - Y) ** 2).sum().backward()
    layer.weight -= lr * layer.weight.grad


def replaced_step(layer, X, Y, lr):
    """Put a tensor in a parameter's place."""
    ((layer(X) - Y) ** 2).sum().backward()
    layer.weight = layer.weight - lr * layer.weight.grad


def limit(rule):
    """Return a wrong largest_lr from a rule in the curvatures e, smallest first."""
    return lambda X, size: eval(rule, {"e": torch.linalg.eigvalsh(hessian(X, size))})


WRONG = {
    "0.1": [(8, "forgot"), (-15, "add the two"), (-2, "first weight"), (7, "it should be 2")],
    "1.1": [
        (convolve2d(X1, K1), "flipped the kernel"),
        (corr2d(X1, K1.T), "swapped the kernel's rows"),
        ([[5, 8], [3, 6]], "dropped the minus"),
        ([[1, -2], [0, 2]], "add them up"),
        ([[1, 8], [1, 2]], "Y[1, 1] is 2, but 1×1 + 3×(-1) + 1×0 + 1×2 = 0"),
        (torch.zeros(3, 3), "3 × 3"),
        ([1, 8, 1, 0], "shape of Y is 4; it should be 2 × 2"),
        ([[1, 8], [1, ...]], "still `...`"),
        ("1 8 1 0", "you gave '1 8 1 0'"),
        ([[1, 8], [1]], "wanted numbers"),
    ],
    "1.2": [
        (shapes("H - h", "W - w"), "For 6 × 8 and a 1 × 2 kernel you say 5 × 6: off by one"),
        (shapes("H", "W"), "input's own shape"),
        (shapes("W - w + 1", "H - h + 1"), "rows and columns swapped"),
        (shapes("H - w + 1", "W - h + 1"), "taken from the input's columns"),
        (shapes("H + h - 1", "W + w - 1"), "larger than the input"),
        (shapes("H // h", "W // w"), "side by side"),
        (shapes("H - h + 2", "W - w + 2"), "it should be 6 × 7"),
        (lambda big, small: 6, "two whole numbers"),
        ((6, 7), "wanted the function itself"),
        (lambda big, small: big - small, "raised TypeError"),
    ],
    "1.3": [
        (convolve2d, "flip the kernel"),
        (lambda X, K: corr2d(X, K).T, "rows and columns swapped"),
        (lambda X, K: by_weight(X, K, size=(0, 0)), "last row and column are missing"),
        (lambda X, K: by_weight(X, K, one=True), "only one weight"),
        (lambda X, K: by_weight(X, K, drop_last=True), "last weight is left out"),
        (lambda X, K: corr2d(X, K) + 1, "Y[0, 0] is"),
        (lambda X, K: corr2d(X, K.T), "kernel's rows and columns"),
    ],
    "1.4": [
        (corr2d, "not flipped"),
        (lambda X, K: corr2d(X, K.flip(0)), "flip left and right too"),
        (lambda X, K: corr2d(X, K.flip(1)), "flip up and down too"),
        (lambda X, K: corr2d(X, K.flip(0, 1)).flip(0, 1), "turned the picture or"),
        (
            lambda X, K: torch.conv_transpose2d(X[None, None], K[None, None])[0, 0],
            "shape of Y is 4",
        ),
        (lambda X, K: corr2d(X, K.T), "transposed"),
        (lambda X, K: corr2d(X, torch.rot90(K)), "quarter turn"),
    ],
    "2.1": [
        (lambda size, k: k[0] * k[1], "left out the bias"),
        (lambda size, k: 2 * k[0] * k[1], "not one for each weight"),
        (lambda size, k: k[0] + k[1] + 1, "not kH + kW"),
        (lambda size, k: k[0] * k[1] + 3, "it should be 13"),
        (lambda size, k: size[0] * size[1], "number of pixels"),
        (lambda size, k: 12 + 4 * 5, "shares the one bias"),
        (lambda size, k: 13 * 4 * 5, "share the same weights"),
        (lambda size, k: size[0] * size[1] * k[0] * k[1], "plays no part"),
    ],
    "2.2": [
        (lambda *a: -gradient(*a), "sign is wrong"),
        (lambda *a: gradient(*a) / 2, "factor 2"),
        (lambda *a: gradient(*a, error=lambda r: (r**2).mean()), "averaged"),
        (lambda *a: gradient(*a, error=torch.sum), "added up the output"),
        (lambda *a: gradient(*a, of="bias"), "bias's gradient"),
        (lambda *a: gradient(*a, zero=False), "it doubles"),
        (lambda *a: gradient(*a, error=lambda r: r**2), "starts from one number"),
        (lambda *a: gradient(*a, error=lambda r: (r.data**2).sum()), "cut off from the weight"),
    ],
    "2.3": [
        (made((2, 2)), "loses cells at the border"),
        (made(weight=2.0), "bias is still 0"),
        (made(bias=-1.0), "the weight is 1"),
        (made(weight=2.0, bias=1.0), "wrong sign"),
        (made(weight=2.0, bias=-2.0), "before you double"),
        (made(weight=3.0), "The output[0, 0] is"),
        (torch.zeros(1), "wanted a layer"),
        (Conv2D, "wanted a layer, such"),
    ],
    "3.1": [
        (diagonal([[0] * 3] * 4), "Not all zeros"),
        (diagonal([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]), "black turns white"),
        (diagonal([[-1, 0, 0], [1, -1, 0], [0, 1, -1], [0, 0, 1]]), "flipped the kernel"),
        (diagonal([[1, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]]), "so a column is lost"),
        (diagonal([[1, 0, 0], [-1, 1, 0], [0, -1, 1], [0, 0, 0]]), "output[3, 2] is 0"),
        (diagonal(X="zeros"), "its own transpose"),
        (diagonal(K="zeros"), "the one below"),
        (diagonal(K=...), "'K transposed' is still `...`"),
        ([[1, 0, 0]], "a dictionary"),
    ],
    "3.2": [
        (mixed("-x", "-y"), "turn all signs"),
        (mixed("y", "x"), "x and y are swapped"),
        (mixed("x", "-y"), "rows are counted downwards"),
        (mixed("-x", "y"), "your x points left"),
        (mixed("y", "-x"), "that is along the edge: v points"),
        (mixed("-y", "x"), "along the edge, upwards"),
        (mixed("x", "2 * y"), "wanted the ratio 3 to 4"),
        (lambda v: torch.ones(3, 3), "add up to 9"),
        (lambda v: torch.zeros(3), "rows and columns"),
    ],
    "3.3": [
        (rows([1, -1]), "For d = 1 every sign is turned"),
        (rows([-1, 1], [-1, 1]), "you use 2 cells: too few, 2 differences need 3"),
        (rows([-1, 1], [1, 2, 1]), "that is a blur"),
        (rows([-1, 1], [0.5, -1, 0.5]), "wanted 2!"),
        (rows([-1, 1], [1, 0, 1]), "a flat picture gives 2"),
        (rows([-1, 1], [1, 0, -1]), "K[0, 1] is 0; it should be -2"),
        (rows([-1, 0, 1]), "not the smallest, 2 will do"),
        (lambda d: [[-1], [1]], "stands upright"),
        (lambda d: kernel("Laplacian"), "wanted one row"),
    ],
    "3.4": [
        (torch.ones(5, 5), "25 times as bright"),
        (torch.full((3, 3), 1 / 9), "wanted 5 × 5"),
        (kernel("identity", 5), "a single pixel"),
        (kernel("identity", 5) * 2 - 1 / 25, "negative weight sharpens"),
        (torch.cat([torch.full((5, 4), 0.05), torch.zeros(5, 1)], 1), "would move"),
    ],
    "4.1": [
        ([0.36, 2.44], "uphill"),
        ([-0.18, 0.28], "half of what it should be"),
        ([-0.36 / 42, 1 - 1.44 / 42], "averaged over the 42 cells"),
        ([-0.36, -1.44], "only the change"),
        ([12, 48], "this is the gradient"),
        ([-12, -47], "forgot the learning rate"),
        ([-0.36, 0.44], "The kernel[1] is 0.44; it should be -0.44"),
    ],
    "4.2": [
        (lambda *a: step(*a, zero=False), "they pile up"),
        (lambda *a: step(*a, sign=-1), "uphill"),
        (lambda *a: step(*a, sign=0), "did not move"),
        (lambda *a: step(*a, sign=1000), "forgot the learning rate"),
        (lambda *a: step(*a, mean=True), "averaged over 20 cells"),
        (lambda *a: step(*a, bias=False), "update every parameter"),
        (lambda *a: step(*a, late=True), "loss after the step"),
        (lambda *a: step(*a) / 20, "mean of the squares"),
        (lambda *a: step(*a, back=False), "return nothing"),
        (recorded_step, "while it records"),
        (replaced_step, "cannot be replaced"),
    ],
    "4.3": [
        (limit("1 / e[-1]"), "half the limit"),
        (limit("2 / e[0]"), "flattest direction"),
        (limit("4 / e[-1]"), "twice the limit"),
        (limit("e[-1]"), "2 divided by it"),
        (lambda X, size: 1 / 30, "the limit of the stripes, not of this picture"),
        (limit("3 / e[-1]"), "it should be 0.03333"),
        (limit("2 / e"), "Return one number"),
    ],
}
CASES = [(name, *case) for name, cases in WRONG.items() for case in cases]


@pytest.fixture
def says(capsys):
    """Return a function that checks an answer and returns what was printed."""

    def said(name, answer):
        check(name, answer)
        return capsys.readouterr().out

    return said


@pytest.mark.parametrize("name", EXERCISES)
def test_its_own_solution_is_accepted(says, name):
    assert says(name, EXERCISES[name].answer).startswith(f"{name} correct. ")


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("stub", [..., None, {"a": ...}, [[...], ...]], ids=repr)
def test_a_stub_is_not_started(says, name, stub):
    assert says(name, stub).startswith(f"{name} not started. ")


@pytest.mark.parametrize("name", [n for n, e in EXERCISES.items() if e.answer is e.solution])
def test_a_function_without_a_body_is_not_started(says, name):
    assert says(name, lambda *arguments: ...).startswith(f"{name} not started. ")


@pytest.mark.parametrize(("name", "answer", "feedback"), CASES)
def test_a_wrong_answer_is_told_what_is_wrong(says, name, answer, feedback):
    said = says(name, answer)
    assert said.startswith(f"{name} not yet. ")
    assert feedback.lower() in said.lower()


@pytest.mark.parametrize("name", EXERCISES)
def test_each_mistake_has_its_own_feedback(says, name):
    said = [says(name, answer) for answer, _ in WRONG[name]]
    assert len(said) >= 4
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_printed_is_the_one_tested(capsys, name):
    solution(name)
    printed = ast.parse(capsys.readouterr().out).body[0]
    assert printed.name == EXERCISES[name].solution.__name__
    assert ast.get_docstring(printed)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_hint_helps_and_does_not_give_the_solution(capsys, name):
    hint(name)
    printed = capsys.readouterr().out
    assert len(printed.split()) >= 6
    assert all(len(line) <= 100 for line in printed.splitlines())


def test_checking_leaves_torchs_seed_alone(says):
    torch.manual_seed(0)
    wanted = torch.rand(1)
    torch.manual_seed(0)
    for name, exercise in EXERCISES.items():
        if name != "2.3":  # its answer is a new layer, which is random
            says(name, exercise.answer)
    assert torch.equal(torch.rand(1), wanted)


@pytest.mark.parametrize("function", [hint, solution, lambda name: check(name, 1)])
def test_an_unknown_exercise_is_named(function):
    with pytest.raises(ConvkitError, match="exercise '9.9'; wanted one of 0.1, 1.1"):
        function("9.9")


def test_a_kernel_scaled_is_an_edge_kernel_still(says):
    assert "correct" in says("3.2", lambda v: [[-v[0] - v[1], v[0]], [v[1], 0]])
    assert "correct" in says("3.4", kernel("Gaussian blur", 5))
    assert "correct" in says("4.1", torch.tensor([[-0.36, -0.44]]))
