"""Every exercise accepts right answers, names known mistakes, and survives any answer."""

import ast
import random

import numpy as np
import pytest
import torch
from torch import nn

import convkit
from convkit import Conv2D, ConvkitError, corr2d, kernel
from convkit.exercises import EXERCISES, CheckResult, Outcome, check, hint, solution

MISCONCEPTIONS = [(name, text) for name, e in EXERCISES.items() for text in e.misconceptions]
ROWS = [[1, 0, 0], [-1, 1, 0], [0, -1, 1], [0, 0, -1]]  # the output of exercise 3.1
SECOND_DERIVATIVE = torch.tensor([[0.0, 0, 0], [1, -2, 1], [0, 0, 0]])


def diagonal(output=ROWS, X="same", K="transposed"):
    return {"output": output, "X transposed": X, "K transposed": K}


def torch_layer(*sizes):
    layer = nn.Conv2d(*sizes)
    nn.init.constant_(layer.weight, 2), nn.init.constant_(layer.bias, -1)
    return layer


class Doubling(nn.Module):
    """2 X - 1, with parameters that may take part or not."""

    def __init__(self, **parameters):
        super().__init__()
        self.offset = torch.tensor(-1.0)
        for name, value in parameters.items():
            setattr(self, name, nn.Parameter(torch.tensor(value)))

    def forward(self, X):
        return getattr(self, "weight", 2) * X + self.offset


class Normalised(Doubling):
    """A layer whose buffers change when it runs."""

    def __init__(self):
        super().__init__(weight=2.0)
        self.register_buffer("runs", torch.zeros(1))

    def forward(self, X):
        self.runs += 1
        return super().forward(X)


def sobel(v):
    return v[0] * kernel("Sobel x") + v[1] * kernel("Sobel y")


def blur(cells, weight, rest=0.0):
    """Return a 5 × 5 kernel with `weight` at some cells, and `rest` elsewhere."""
    K = torch.full((5, 5), rest)
    K[cells] = weight
    return K


CENTRE = (2, 2)
CORNERS = ([0, 4], [0, 4])


def step_with(update):
    """Return a training step without a return, which ends with `update(layer, lr)`."""

    def step(layer, X, Y, lr):
        ((layer(X) - Y) ** 2).sum().backward()
        update(layer, lr)

    return step


def change_in_place(X, K):
    X.zero_(), K.zero_()
    return corr2d(X, K)


def error_of(layer, X, Y):
    return (layer(X) - Y) ** 2


ACCEPTED = [
    ("0.1", torch.tensor(2)),
    ("1.1", [torch.tensor([1.0, 8.0]), torch.tensor([1, 0])]),
    ("1.1", np.array([[0, 1], [8, 1]])[::-1, ::-1]),
    ("1.2", lambda big, small: [big[0] - small[0] + 1.0, np.int64(big[1] - small[1] + 1)]),
    ("1.3", lambda X, K: list(corr2d(X, K))),
    ("1.3", lambda X, K: corr2d(X, K).to_sparse()),
    ("2.3", nn.Sequential(torch_layer(1, 1, 1))),
    ("2.3", Normalised()),
    ("3.1", diagonal(X="Same", K=" Transposed ")),
    ("3.2", lambda v: [[-v[0] - v[1], v[0]], [v[1], 0]]),
    ("3.2", lambda v: 1e-6 * sobel(v)),
    ("3.2", lambda v: v[0] * kernel("Scharr x") + v[1] * kernel("Scharr y")),
    ("3.4", kernel("Gaussian blur", 5)),
    ("3.4", torch.full((5, 5), 1 / 25, dtype=torch.float16)),
    ("3.4", blur(2, 0.2)),
    ("3.4", blur(CENTRE, 0.5, 0.5 / 24)),
    ("4.1", [-0.36, -0.44]),
    ("4.1", torch.tensor([[-0.3605, -0.44]], dtype=torch.float16)),
]
"""Right answers of other kinds than the solution's."""

REJECTED = [
    ("0.1", 7, "The sum is 7. Multiply each pixel"),
    ("0.1", 2.0003, "The sum is 2.0003. "),
    ("1.1", [[1, 8], [1, 2]], "Y[1, 1] is 2. Lay K on rows 1 and 2 and columns 1 and 2 of X"),
    ("1.1", [[1, 8], [1, ...]], "Y still holds `...`."),
    ("1.1", [["1", "8"], ["1", "0"]], "expected numbers."),
    ("1.1", [[1, 8], [1]], "Y is [[1, 8], [1]]; expected numbers."),
    ("1.1", torch.tensor([[1, 8], [1, 0]]) + 0j, "Y holds complex numbers; expected real ones."),
    ("1.1", torch.zeros(0, 2), "Y is empty."),
    ("1.1", [], "Y is []; expected numbers."),
    ("1.1", [[1, torch.inf], [torch.nan, 0]], "Y holds inf; expected finite numbers."),
    (
        "1.2",
        lambda big, small: (big[0] - small[0] + 1.4, big[1] - small[1] + 1),
        "Tried on a 6 × 8 input and a 1 × 2 kernel. The shape is (6.4, 7). It should be (6, 7).",
    ),
    ("1.2", lambda big, small: 6, "The shape is a single number. It should be a row of 2 numbers."),
    ("1.2", (6, 7), "You passed (6, 7); expected the function itself: its name, without ()."),
    ("1.3", lambda X, K: corr2d(X, K) * 1.0002, "Y[0, 0] is 21.004. It should be 21."),
    ("1.3", lambda X, K: print(end=""), "Your function returned None. Is there a return?"),
    ("1.3", change_in_place, "Your function changes X in place. Work on a copy: X.clone()."),
    ("1.3", lambda X, K: corr2d(X), "missing 1 required positional argument: 'K'."),
    ("2.1", lambda size, k: [k[0] * k[1] + 1], "is a row of 1 number. It should be a single"),
    ("2.2", lambda layer, X, Y: layer.weight.grad, "weight.grad is None until backward() has run."),
    ("2.2", lambda *a: error_of(*a).backward(), "PyTorch stopped. backward() starts from one"),
    ("2.2", lambda *a: error_of(*a).data.sum().backward(), "The loss is cut off from the weight."),
    ("2.3", torch.zeros(1), "You passed tensor([0.]); expected a layer, such as Conv2D((1, 1))."),
    ("2.3", Conv2D((2, 2)), "The output is an array of 3 × 4. It should have the input's shape"),
    ("2.3", torch_layer(1, 2, 1), "The output is an array of 1 × 2 × 4 × 5."),
    ("2.3", Doubling(), "the layer has no parameters to learn."),
    ("2.3", Doubling(unused=1.0), "it does not depend on the layer's parameters."),
    ("2.3", Doubling(weight=2.0, unused=1.0), "the parameter unused plays no part in it."),
    ("3.1", ROWS, "a dictionary with the keys output, X transposed, K transposed."),
    ("3.1", diagonal([*ROWS[:3], [0, 0, 0]], X=...), "The output[3, 2] is 0. Take X[3, 2] minus"),
    ("3.1", diagonal([[1, 0, 0]]), "is an array of 1 × 3. It should be an array of 4 × 3."),
    ("3.1", diagonal(X="zeros"), "X transposed gives 'zeros'? Look at X"),
    ("3.1", diagonal(K="same"), "K transposed gives 'same'? The kernel now takes a cell minus"),
    ("3.1", diagonal(K=...), "'K transposed' is still `...`."),
    ("3.1", diagonal(X="equal"), 'is \'equal\'; expected one of "same", "transposed", "zeros".'),
    ("3.2", lambda v: [[0, 1e-6 * v[0]], [1e-6 * v[1], 0]], "The weights add up to 7e-06."),
    ("3.2", lambda v: torch.zeros(3), "The kernel is a row of 3 numbers; it should have rows"),
    ("3.2", lambda v: v[0] * kernel("Sobel x"), "Tried with v = (0, 1). The response is 0 where"),
    ("3.2", lambda v: sobel((v[0], 2 * v[1])), "is (1.756, 4.682). It should be (3, 4)."),
    ("3.2", lambda v: sobel(v) + 1000 * SECOND_DERIVATIVE, "it should not be negative."),
    ("3.2", lambda v: sobel(v) + SECOND_DERIVATIVE, "v = (0, 1). Where brightness jumps at right"),
    ("3.3", lambda d: 3, "The kernel is a single number. One row is written [[-1, 1]]"),
    (
        "3.3",
        lambda d: [[-1, 1]] if d == 1 else [[1, 1]],
        "d = 2. The kernel is an array of 1 × 2.",
    ),
    ("3.3", lambda d: [[-1, 0, 0, 1]], "That is not the smallest"),
    ("3.3", lambda d: [[-1, 1]] if d == 1 else [[1, 0, 1]], "On the pixels 1, 1, 1 it gives 2;"),
    ("3.3", lambda d: [[-1, 1]] if d == 1 else [[1, 0, -1]], "On the pixels 0, 1, 2 it gives -2;"),
    ("3.4", torch.full((5, 5), 0.0402), "The sum of the weights is 1.005. They should add up to 1"),
    ("3.4", torch.full((3, 3), 1 / 9), "The kernel is an array of 3 × 3; it should be 5 × 5."),
    ("3.4", blur(CENTRE, 2 - 1 / 25, -1 / 25), "A weight is -0.04: a negative weight sharpens."),
    ("3.4", blur(CENTRE, 0.985, 0.015 / 24), "The weight in the centre is 0.985"),
    ("3.4", blur(CORNERS, 0.5), "that moves or doubles the picture."),
    ("3.4", blur((slice(None), 4), 0.0, 0.05), "is (1.5, 2). It should"),
    ("4.1", [[-0.36, 0.44]], "The kernel is (-0.36, 0.44). Each weight's gradient is"),
    ("4.1", torch.tensor([-0.3609, -0.44]).half(), "The kernel is (-0.36"),
    ("4.1", -0.36, "The kernel is a single number. It should be like the old one"),
    ("4.2", step_with(lambda layer, lr: None), "Your function returned None. Return the loss."),
    (
        "4.2",
        step_with(lambda layer, lr: setattr(layer, "weight", layer.weight - lr)),
        "A parameter cannot be replaced by a plain tensor.",
    ),
    (
        "4.2",
        step_with(lambda layer, lr: layer.weight.sub_(lr)),
        "PyTorch refuses to change a parameter while it records.",
    ),
    ("4.3", lambda X, size: 0.5, "Tried on the stripes. Your limit is 0.5. It should be 0.03333."),
]
"""Wrong answers that are no known misconception, and what they are told."""


class Hostile:
    """Raises whatever one does with it."""

    def __repr__(self):
        raise RuntimeError("repr")

    __eq__ = __bool__ = __iter__ = __float__ = __array__ = __repr__
    __hash__ = None


def nested(depth):
    answer = []
    for _ in range(depth):
        answer = [answer]
    return answer


def self_holding():
    answer = []
    answer.append(answer)
    return answer


STRANGE = {
    "text": "2",
    "generator": (x for x in [1]),
    "huge": 10**400,
    "unprintably huge": 10**5000,
    "nan": float("nan"),
    "a list that holds itself": self_holding(),
    "a deep list": nested(10_000),
    "hostile": Hostile(),
    "a hostile dictionary": diagonal(K=Hostile()),
    "text array": np.array(["a"]),
    "integers too large": np.array([10**400], dtype=object),
    "meta tensor": torch.empty(5, 5, device="meta"),
    "a layer": nn.Linear(2, 2),
    "returns a tuple": lambda *args: (1, (2, 3)),
    "returns hostile": lambda *args: Hostile(),
    "returns nan": lambda *args: float("nan"),
    "recurses": lambda *args: nested(10_000),
}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_printed_solution_is_accepted(capsys, name):
    solution(name)
    code = capsys.readouterr().out
    namespace = {"torch": torch, **vars(convkit)}
    exec(code, namespace)
    statement = ast.parse(code).body[-1]
    if isinstance(statement, ast.With):  # 2.3 fills a layer
        statement = ast.parse(code).body[0]
    target = statement.name if EXERCISES[name].asks_for_function else statement.targets[0].id
    result = check(name, namespace[target])
    assert result == CheckResult(name, Outcome.CORRECT, "", EXERCISES[name].success)


@pytest.mark.parametrize(("name", "text"), MISCONCEPTIONS)
def test_a_known_mistake_is_named(name, text):
    result = check(name, EXERCISES[name].misconceptions[text])
    assert (result.outcome, result.misconception) == (Outcome.INCORRECT, text)
    assert result.message.endswith(text)


@pytest.mark.parametrize(("name", "answer"), ACCEPTED)
def test_another_right_answer_is_accepted(name, answer):
    assert check(name, answer)


@pytest.mark.parametrize(("name", "answer", "message"), REJECTED)
def test_a_wrong_answer_is_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert (result.outcome, result.misconception) == (Outcome.INCORRECT, "")
    assert message in result.message


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("1.1", [[5, 8], [3, 6]], "You dropped the minus sign"),
        ("1.2", lambda big, small: big, "kernel. The shape is (6, 8). That is the input's shape"),
        ("1.3", lambda X, K: corr2d(X, K)[:-1, :-1], "kernel. Y is an array of 1 × 1. The"),
    ],
)
def test_one_or_two_numbers_are_shown_before_the_known_mistake(name, answer, message):
    assert message in check(name, answer).message


def test_three_numbers_are_not_shown_before_the_known_mistake():
    text = "That is the derivative divided by d!, as in a Taylor series."
    assert check("3.3", EXERCISES["3.3"].misconceptions[text]).message == text


@pytest.mark.parametrize("stub", [..., [[..., ...], [...]], {"output": ..., "K": (...,)}], ids=repr)
def test_a_stub_is_not_started(stub):
    results = [check(name, stub) for name in EXERCISES]
    assert all(result.outcome is Outcome.NOT_STARTED for result in results)
    assert str(results[0]) == (
        "0.1 not started. Replace the ... above. Stuck? Run\n"
        'from convkit.exercises import hint; hint("0.1")'
    )


def test_a_function_that_returns_the_blank_is_not_started():
    assert check("1.2", lambda *args: (..., ...)).outcome is Outcome.NOT_STARTED


@pytest.mark.parametrize("kind", STRANGE)
def test_no_answer_raises(kind):
    for name in EXERCISES:
        result = check(name, STRANGE[kind])
        assert result.outcome is Outcome.INCORRECT
        assert len(str(result)) < 500


def test_an_answer_that_cannot_be_read_is_told_so():
    assert check("3.1", diagonal(K=Hostile())).message == (
        "This answer cannot be checked: RuntimeError: repr"
    )


def meddling(layer, X, Y):
    torch.manual_seed(random.randrange(99)), random.seed(1)
    torch.set_default_dtype(torch.float64)


def test_checking_changes_no_setting():
    torch.manual_seed(0), random.seed(0)
    before = torch.get_rng_state(), random.getstate()
    first = check("2.2", meddling)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert torch.get_default_dtype() == torch.float32
    assert check("2.2", meddling) == first


def test_checking_changes_no_answer():
    layer, K = Normalised(), torch.full((5, 5), 1 / 25)
    assert check("2.3", layer) and check("3.4", K)
    assert layer.runs.item() == 0
    assert layer.weight.grad is None
    torch.testing.assert_close(K, torch.full((5, 5), 1 / 25))


@pytest.mark.parametrize("name", EXERCISES)
def test_settings_of_the_notebook_play_no_part(name):
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            assert check(name, EXERCISES[name].correct)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_result_is_true_only_if_correct():
    results = [CheckResult("1.1", outcome, "", "Why.") for outcome in Outcome]
    assert [bool(result) for result in results] == [True, False, False]
    assert str(results) == "[1.1 correct. Why., 1.1 not started. Why., 1.1 not yet. Why.]"


def test_a_result_in_html_is_escaped_and_tells_outcomes_apart():
    results = [CheckResult("1.1", outcome, "", "<b> & \n...")._repr_html_() for outcome in Outcome]
    assert all("</b> &lt;b&gt; &amp; <br>...</div>" in html for html in results)
    assert len({html.split("border-left: ")[1].split(";")[0] for html in results}) == 3
    assert not any(word in html for html in results for word in ("<script", "<style", "class="))


@pytest.mark.parametrize("function", [hint, solution, lambda name: check(name, 1)])
def test_an_unknown_exercise_is_named(function):
    with pytest.raises(ConvkitError, match="exercise is '9.9'; expected one of 0.1, 1.1"):
        function("9.9")
