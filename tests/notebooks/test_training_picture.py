"""The figures under the picture that one paints in notebook 06, against recorded descents."""

import re

import nbformat
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from convkit import QuadraticLoss, corr2d, dot, stripes
from convkit.descent import record
from tools.lab import PROJECT

KERNEL = torch.tensor([[1.0, -1.0], [0.5, 2.0]], dtype=torch.float64)


@pytest.fixture(scope="module")
def teaches():
    """Return the notebook's own function, with what its cells before it define."""
    path = PROJECT / "notebooks" / "06_when_learning_fails.ipynb"
    code = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    (source,) = [each for each in code if "def teaches" in each]
    names = {}
    exec(code[0], names)
    exec(source, names)
    return names["teaches"]


def figures(teaches, picture):
    """Return rank, condition number and steps, as far as they are said of a picture."""
    lines = teaches(picture)["this picture"].splitlines()
    return [float(re.search(r"[\d.]+", line)[0]) for line in lines]


def test_stripes_show_too_little_and_a_dot_teaches_in_one_step(teaches):
    assert figures(teaches, stripes()) == [2]
    assert figures(teaches, dot((6, 8))) == [4, 1, 1]


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


def test_the_best_picture_stays_on_show(teaches):
    assert figures(teaches, dot((6, 8))) == [4, 1, 1]
    title, best = list(teaches(stripes()).items())[-1]
    assert title == "your best: 1 steps" and torch.equal(best, dot((6, 8)))
