"""The figures of notebook 06: of its weights by hand, and under the picture that one paints."""

import itertools
import re

import nbformat
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from convkit import KernelDescent, QuadraticLoss, corr2d, dot, stripes
from convkit.descent import record
from tools.lab import PROJECT

NOTEBOOK = PROJECT / "notebooks" / "06_when_learning_fails.ipynb"
KERNEL = torch.tensor([[1.0, -1.0], [0.5, 2.0]], dtype=torch.float64)


def defined_beside(function):
    """Return what the notebook's cell with this function defines, and its imports."""
    code = [cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    (source,) = [each for each in code if f"def {function}(" in each]
    names = {"best": {}}
    exec(code[0], names)
    exec(source, names)
    return names


@pytest.fixture(scope="module")
def teaches():
    return defined_beside("teaches")["teaches"]


def test_twelve_weights_set_to_their_best_reach_what_four_steps_reach():
    names = defined_beside("loss_of")
    X, Y = names["P"], names["P_target"]
    windows = torch.nn.functional.unfold(X[None, None], 2)[0].T
    weights, losses = torch.zeros(4), []
    for n in itertools.islice(itertools.cycle(range(4)), 12):
        column = windows[:, n]
        weights[n] += column @ (Y.flatten() - windows @ weights) / (column @ column)
        losses.append((windows @ weights - Y.flatten()).square().sum().item())
    assert losses == sorted(losses, reverse=True)
    assert f"reaches {losses[-1]:.2f} after twelve changes" in NOTEBOOK.read_text("utf-8")
    lr = QuadraticLoss(X, 2, Y).fastest_lr
    descent = KernelDescent(X, Y, torch.zeros(2, 2), lr=lr)
    assert descent.jump(3).loss > losses[-1] > descent.jump(4).loss


def test_the_best_kernel_stays_on_show():
    loss_of = defined_beside("loss_of")["loss_of"]
    goal = torch.tensor([[0.2, 1.3], [-1.3, -0.8]])
    for kernel, best in ((0 * goal, 0 * goal), (goal, goal), (2 * goal, goal)):
        assert torch.equal(list(loss_of(kernel).values())[-1], best)
    assert list(loss_of(goal).items())[0] == ("loss", "0.00")


def figures(teaches, picture):
    """Return rank, condition number and steps, as far as they are said of a picture."""
    lines = teaches(picture)["this picture"].splitlines()
    return [float(re.search(r"[\d.]+", line)[0]) for line in lines]


def test_stripes_show_too_little_until_one_pixel_turns(teaches):
    one_off = stripes()
    one_off[1, 1] = 0
    assert figures(teaches, stripes()) == [2]
    assert figures(teaches, one_off) == [4, 45, 78]


@given(st.integers(0, 999), st.floats(0.03, 0.97))
def test_the_steps_are_those_of_the_descent_that_takes_longest(teaches, seed, share):
    """Its error lies in the steepest and in the flattest direction."""
    generator = torch.Generator().manual_seed(seed)
    picture = (torch.rand(6, 8, generator=generator) < share).float()
    problem = QuadraticLoss(picture, 2)
    assume(problem.rank == 4)
    _, condition, steps = figures(teaches, picture)
    windows = torch.nn.functional.unfold(picture[None, None].double(), 2)[0]
    assert condition == pytest.approx(torch.linalg.cond(windows).item() ** 2, abs=0.051)
    start = KERNEL + problem.directions[0] + problem.directions[-1]
    X, rates = picture.double(), [problem.fastest_lr] * int(steps)
    *before, last = [step.loss for step in record(X, corr2d(X, KERNEL), start, rates)]
    assert last <= before[0] / 1000 < before[-1]


def test_the_best_picture_stays_on_show_once_there_is_one():
    teaches = defined_beside("teaches")["teaches"]
    assert list(teaches(stripes())) == ["this picture"]
    assert figures(teaches, dot((6, 8))) == [4, 1, 1]
    title, best = list(teaches(stripes()).items())[-1]
    assert title == "your best, steps: 1" and torch.equal(best, dot((6, 8)))
