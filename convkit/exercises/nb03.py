"""The exercises of notebook 03: a diagonal, an edge of any direction, derivatives, blur."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from convkit import formatting
from convkit.errors import brief_repr
from convkit.exercises import Case, Difference, Exercise, Question, Wrong, numbers, run, shape_text
from convkit.kernels import kernel
from convkit.ops import corr2d

Function = Callable[..., Any]
Observations = dict[str, Tensor]
Direction = tuple[float, float]

WORDS = ("same", "transposed", "zeros")
TOLERANCE = 1 / 512
"""Half of one of 256 grey levels: what rounding in 16-bit floats may change, and no eye sees."""

DIAGONAL = torch.eye(4)
BOOK = torch.tensor([[1.0, -1.0]])
EDGES = corr2d(DIAGONAL, BOOK)


def _diagonal_answer(output: Tensor) -> dict[str, object]:
    return {"output": output, "X transposed": "same", "K transposed": "transposed"}


def _observe_diagonal(answer: object) -> Observations:
    parts = ("output", "X transposed", "K transposed")
    if not isinstance(answer, dict) or set(answer) != set(parts):
        raise Wrong(f"Your answer should be a dictionary with the keys {', '.join(parts)}.")
    return {"The output": numbers(answer["output"], "The output")}


def _require_words(answer: dict[str, object]) -> None:
    if _word(answer, "X transposed") != "same":
        raise Wrong(
            f"X transposed gives {answer['X transposed']!r}? Look at X: a diagonal line is "
            "its own transpose. It is not like the stripes, where all became zero."
        )
    if _word(answer, "K transposed") != "transposed":
        raise Wrong(
            f"K transposed gives {answer['K transposed']!r}? The kernel now takes a cell minus "
            "the one below, and on this picture rows and columns play the same part."
        )


def _word(answer: dict[str, object], part: str) -> str:
    if answer[part] is ...:
        raise Wrong(f"The output is right; {part!r} is still `...`.")
    word = str(answer[part]).strip().lower()
    if word not in WORDS:
        words = ", ".join(f'"{each}"' for each in WORDS)
        raise Wrong(f"{part!r} is {brief_repr(answer[part])}; expected one of {words}.")
    return word


def _explain_diagonal(difference: Difference) -> str:
    if difference.is_shape:
        return "K fits at 4 × 3 places of X: four rows with three numbers each."
    i, j = difference.cell
    return f"Take X[{i}, {j}] minus its right neighbour, X[{i}, {j + 1}], counted from 0."


def edge_kernel(v):
    """Weigh the change to the right by v_x and the change downwards by v_y."""
    v_x, v_y = v
    return v_x * kernel("Sobel x") + v_y * kernel("Sobel y")


def _mixed(rule: Callable[[float, float], Direction]) -> Callable[[Direction], Tensor]:
    """Return an edge kernel that turns the direction into another one first."""

    def mixed_kernel(v: Direction) -> Tensor:
        right, down = rule(*v)
        return right * kernel("Prewitt x") + down * kernel("Prewitt y")

    return mixed_kernel


def _places(K: Tensor) -> tuple[Tensor, Tensor]:
    """Return the column and the row of each weight, both (kH, kW)."""
    rows, columns = torch.meshgrid(*map(torch.arange, K.shape), indexing="ij")
    return columns.double(), rows.double()


def _snap(values: Tensor, target: float | Direction) -> Tensor:
    """Return `values`, or `target` where no difference could be seen."""
    goal = torch.tensor(target, dtype=torch.float64)
    return torch.where((values - goal).abs() <= TOLERANCE * goal.abs().max(), goal, values)


def _kernel_of(function: Function, argument: object) -> Tensor:
    K = numbers(run(function, argument), "The kernel").double()
    if K.ndim != 2:
        raise Wrong(f"The kernel is {shape_text(K)}; it should have rows and columns.")
    return K


def _observe_edge(function: Function, v: Direction) -> Observations:
    """Return in which direction the response rises, as long as v, because scale is free."""
    K = _kernel_of(function, v)
    total, largest = K.sum().item(), K.abs().sum().item()
    if abs(total) > TOLERANCE * largest:
        raise Wrong(
            f"The weights add up to {formatting.number(total)}. Unless they add up to 0, "
            "a flat picture looks like an edge."
        )
    rise = torch.stack([(K * place).sum() for place in _places(K)])
    if rise.norm() <= TOLERANCE * largest:
        raise Wrong("The response is 0 where brightness rises evenly along v.")
    direction = rise / rise.norm() * math.hypot(*v)
    return {"The direction (right, down) of your kernel": _snap(direction, v)}


def _require_edge(function: Function, v: Direction) -> None:
    """Raise `Wrong` unless steps along v give no negative, and steps across it no response."""
    K = _kernel_of(function, v)
    allowed = TOLERANCE * K.abs().sum().item()
    columns, rows = _places(K)
    lowest = min(_responses_to_steps(K, columns * v[0] + rows * v[1]))
    if lowest < -allowed:
        raise Wrong(
            f"Where brightness jumps from 0 to 1 along v, the response is "
            f"{formatting.number(lowest)} at one place; it should not be negative."
        )
    if 0 not in v:
        return  # on a grid, no small kernel ignores every slanted picture
    across = _responses_to_steps(K, columns * v[1] + rows * v[0])
    largest = max(across, key=abs, default=0.0)
    if abs(largest) > allowed:
        raise Wrong(
            f"Where brightness jumps at right angles to v only, the response is "
            f"{formatting.number(largest)} at one place; it should be 0."
        )


def _responses_to_steps(K: Tensor, heights: Tensor) -> list[float]:
    """Return K's response to each picture that is 1 above some height, and 0 up to it."""
    return [(K * (heights > height)).sum().item() for height in heights.unique()[:-1]]


def derivative_kernel(d):
    """Take differences of differences, d times over."""
    weights = [1]
    for _ in range(d):
        weights = [a - b for a, b in zip([0, *weights], [*weights, 0], strict=True)]
    return torch.tensor([weights], dtype=torch.float32)


def _derivative_by_binomials(d: int) -> Tensor:
    return torch.tensor([[(-1.0) ** (d - k) * math.comb(d, k) for k in range(d + 1)]])


def _central_difference(d: int) -> Tensor:
    """Return [-1, 0, 1] for d = 1, and so on: every other weight is 0."""
    K = torch.zeros(1, 2 * d + 1)
    K[:, ::2] = _derivative_by_binomials(d)
    return K


def _explain_derivative(difference: Difference) -> str:
    K, cells = difference.given.double(), difference.right.shape[1]
    if K.ndim != 2 or len(K) != 1:
        return "One row is written [[-1, 1]], with two pairs of brackets."
    if K.shape[1] < cells:
        return "That is too few cells for so many differences of differences."
    if K.shape[1] > cells:
        return "That is not the smallest: fewer cells are enough."
    return _explain_response(K, cells - 1)


def _explain_response(K: Tensor, d: int) -> str:
    """Return the first power of x whose d-th derivative the kernel gets wrong."""
    x = torch.arange(d + 1.0, dtype=torch.float64)
    responses = [(K * x**power).sum().item() for power in range(d + 1)]
    rights = [0] * d + [math.factorial(d)]
    power = next(n for n in range(d + 1) if not math.isclose(responses[n], rights[n], abs_tol=1e-6))
    row = ", ".join(formatting.number(value) for value in x**power)
    given = formatting.number(responses[power], 9)
    return (
        f"On the pixels {row} it gives {given}; their derivative of order {d} is {rights[power]}."
    )


def _observe_blur(answer: object) -> Observations:
    K = numbers(answer, "The kernel")
    if tuple(K.shape) != (5, 5):
        raise Wrong(f"The kernel is {shape_text(K)}; it should be 5 × 5.")
    weights = K.double()
    total = weights.sum()
    balance = torch.stack([(weights * place).sum() / total for place in _places(K)])
    return {
        "The sum of the weights": _snap(total, 1),
        "The balance point (column, row)": _snap(balance, (2, 2)),
    }


def _require_blur(answer: object) -> None:
    K = numbers(answer, "The kernel").double()
    if K.min() < -TOLERANCE * K.max():
        raise Wrong(f"A weight is {formatting.number(K.min())}: a negative weight sharpens.")
    if K[2, 2] > 0.5 + TOLERANCE:
        share = formatting.number(K[2, 2])
        raise Wrong(f"The weight in the centre is {share}: the picture hardly changes.")
    if K.max() > K[2, 2] * (1 + TOLERANCE):
        raise Wrong(
            "A weight beside the centre is larger than the one in the centre: "
            "that moves or doubles the picture."
        )


def _explain_blur(difference: Difference) -> str:
    if difference.name == "The sum of the weights":
        return "They should add up to 1; otherwise the picture becomes brighter or darker."
    return "It should be the centre, (2, 2); otherwise the blurred picture moves."


EXERCISES = {
    "3.1": Exercise(
        hint="Row 1 of X is 0 1 0 0. Take each cell minus its right neighbour: "
        "0 - 1, 1 - 0, 0 - 0.\n"
        "Compare X with its transpose before you answer the second part.",
        success="+1 on the diagonal, -1 left of it; both transpositions are right too.",
        solution="""\
diagonal_edges = {
    "output": [[1, 0, 0], [-1, 1, 0], [0, -1, 1], [0, 0, -1]],
    "X transposed": "same",
    "K transposed": "transposed",
}
""",
        correct=_diagonal_answer(EDGES),
        misconceptions={
            "Not all zeros: beside the diagonal the brightness changes, up and down.": (
                _diagonal_answer(0 * EDGES)
            ),
            "The +1 are there, but left of the diagonal black turns white: 0 - 1.": (
                _diagonal_answer(EDGES.clamp(min=0))
            ),
            "Every sign is wrong: you flipped the kernel, and took right minus left.": (
                _diagonal_answer(-EDGES)
            ),
            "You swapped rows and columns: the kernel is 1 × 2, so a column is lost.": (
                _diagonal_answer(EDGES.T)
            ),
            "The signs are lost: a change from black to white gives 0 - 1.": (
                _diagonal_answer(EDGES.abs())
            ),
        },
        reveals=False,
        observe=_observe_diagonal,
        require=_require_words,
        explain=_explain_diagonal,
    ),
    "3.2": Exercise(
        hint="Sobel x responds to a rise to the right, Sobel y to a rise downwards. Which mixture\n"
        "responds to a rise along (1, 0)? Which to one along (0, 1)? So along (v_x, v_y)?",
        success="Nine directions: silent on flat pictures and along the edge, positive across it.",
        solution=edge_kernel,
        correct=_mixed(lambda x, y: (x, y)),
        misconceptions={
            "It responds to falling brightness: change all signs.": _mixed(lambda x, y: (-x, -y)),
            "x and y are swapped: columns run along x, rows along y.": _mixed(lambda x, y: (y, x)),
            "Your y points up: rows are counted downwards.": _mixed(lambda x, y: (x, -y)),
            "Your x points left: columns are counted to the right.": _mixed(lambda x, y: (-x, y)),
            "That is along the edge: v points across it, from dark to bright.": (
                _mixed(lambda x, y: (y, -x))
            ),
            "That is along the edge, the other way: v points across it, from dark to bright.": (
                _mixed(lambda x, y: (-y, x))
            ),
            "The sign of v_x is lost.": _mixed(lambda x, y: (abs(x), y)),
            "The sign of v_y is lost.": _mixed(lambda x, y: (x, abs(y))),
            "The signs of v_x and v_y are lost.": _mixed(lambda x, y: (abs(x), abs(y))),
        },
        observe=_observe_edge,
        require=_require_edge,
        cases=tuple(
            Case(v)
            for v in (
                (3, 4),
                (2, -1),
                (-2, 3),
                (1, 0),
                (0, 1),
                (1, -1),
                (-0.5, -1.75),
                (-1, 0),
                (0, -2.5),
            )
        ),
    ),
    "3.3": Exercise(
        hint="The first derivative is [-1, 1]: right minus left. The second is a difference of\n"
        "two neighbouring differences: (c - b) - (b - a). Which weights do a, b and c get?",
        success="Five orders, up to the sixth derivative in 7 cells.",
        solution=derivative_kernel,
        correct=_derivative_by_binomials,
        misconceptions={
            "Every sign is wrong.": lambda d: -_derivative_by_binomials(d),
            "The weights are in reverse order: for odd d that changes the sign.": (
                lambda d: _derivative_by_binomials(d).flip(1)
            ),
            "All weights are positive: that is a blur, not a difference.": (
                lambda d: _derivative_by_binomials(d).abs()
            ),
            "That is the derivative divided by d!, as in a Taylor series.": (
                lambda d: _derivative_by_binomials(d) / math.factorial(d)
            ),
            "The kernel is a column; from left to right it has one row.": (
                lambda d: _derivative_by_binomials(d).T
            ),
            "It skips every other cell: without gaps it is smaller.": _central_difference,
            "It is the same for every d.": lambda d: _derivative_by_binomials(1),
        },
        name="The kernel",
        reveals=False,
        explain=_explain_derivative,
        cases=tuple(Case(d) for d in (1, 2, 3, 4, 6)),
    ),
    "3.4": Exercise(
        hint="A mean of 25 numbers: what is the weight of each?",
        success="No weight is negative, they add up to 1, and they balance around the centre.",
        solution="my_blur = torch.full((5, 5), 1 / 25)",
        correct=kernel("Gaussian blur", 5),
        misconceptions={
            "That is a sum, not a mean: the picture becomes 25 times as bright.": torch.ones(5, 5),
            "One fifth is the weight for 5 cells; here there are 25.": torch.full((5, 5), 1 / 5),
            "One ninth is the weight for 3 × 3 cells; here there are 25.": (
                torch.full((5, 5), 1 / 9)
            ),
        },
        reveals=False,
        observe=_observe_blur,
        require=_require_blur,
        explain=_explain_blur,
    ),
}

QUESTIONS = {
    "3a": Question(
        "What does the same kernel, [[1, -1]], find in the transposed picture?",
        {
            "the same edges, now lying": "It compares each pixel with the one to its right. To "
            "find lying edges it would have to compare with the one below.",
            "nothing": "Along each row the brightness stays the same, and all differences are 0.",
            "only the ends of the edges": "The stripes run through the whole picture: they have "
            "no ends.",
        },
        right="nothing",
    ),
}
