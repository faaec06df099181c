"""The loss surface and curve: points lie where matplotlib puts them, words follow the descent."""

import math

import pytest
import torch

from convkit import KernelDescent, corr2d, diagonal, stripes
from convkit.views import chart
from convkit.views.chart import BOXES, FLOOR, Chart

EDGE = torch.tensor([[1.0, -1.0]])


def descent(size=(1, 2), n=20, lr=3e-2, X=None, start=None):
    X = stripes() if X is None else X
    K = EDGE if size == (1, 2) else torch.ones(size) / 3
    made = KernelDescent(X, corr2d(X, K), torch.zeros(size) if start is None else start, lr=lr)
    made.jump(n)
    return made


def numbers(points):
    return [tuple(map(float, point.split(","))) for point in points]


@pytest.mark.parametrize("whole", [False, True])
def test_points_are_matplotlibs_in_pixels_from_the_top_left(whole):
    trained = descent()
    drawn = Chart(trained, whole=whole)
    drawn.scale(trained.trajectory)
    path, curve = (numbers(points) for points in drawn.points(trained.trajectory))
    bowl_axes, curve_axes = drawn._bowl_axes, drawn._curve_axes
    shift = 0 if whole else chart.WIDTH / 2
    for step, on_bowl, on_curve in zip(trained.trajectory, path, curve, strict=True):
        pairs = (
            (bowl_axes, step.kernel.flatten().tolist(), on_bowl, 0),
            (curve_axes, (step.n, step.loss), on_curve, shift),
        )
        for axes, data, point, right in pairs:
            x, y = axes.transData.transform(data) * 100 / axes.figure.dpi
            tall = axes.figure.get_figheight() * 100
            assert point == pytest.approx((x + right, tall - y), abs=0.06)


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (1, 1), (2, 2), (3, 3), (7, 7)])
@pytest.mark.parametrize("far", [0.0, 5.0, -40.0])
def test_the_surface_holds_start_and_best(size, far):
    start = torch.full(size, far)
    trained = descent(size, n=0, X=diagonal(), start=start)
    drawn = Chart(trained)
    drawn.scale(trained.trajectory)
    x, y, width, height = BOXES[0]
    ((px, py),) = numbers(drawn.points(trained.trajectory)[0])
    best = drawn._bowl_axes.transData.transform(drawn._place(drawn.best))
    tall = drawn.bowl_figure.get_figheight() * 100
    bx, by = best[0], tall - best[1]
    for left, top in ((px, py), (bx, by)):
        assert x <= left <= x + width and y <= top <= y + height


def test_the_curve_falls_within_its_box_and_zero_loss_stays_on_it():
    K = EDGE
    exact = KernelDescent(stripes(), corr2d(stripes(), K), K)
    drawn = Chart(exact)
    drawn.scale(exact.trajectory)
    x, y, width, height = BOXES[1]
    ((px, py),) = numbers(drawn.points(exact.trajectory)[1])
    assert exact.loss < FLOOR and x <= px <= x + width and y <= py <= y + height + 0.06


def test_the_axes_are_the_two_weights_where_there_are_two():
    axes = Chart(descent())._bowl_axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("K[0, 0]", "K[0, 1]")
    assert axes.lines[-1].get_xydata()[0] == pytest.approx([1, -1], abs=1e-6)
    tall = Chart(descent((2, 1), X=diagonal()))._bowl_axes
    assert (tall.get_xlabel(), tall.get_ylabel()) == ("K[0, 0]", "K[1, 0]")


@pytest.mark.parametrize("X", [torch.zeros(6, 8), torch.ones(6, 8)], ids=["zeros", "ones"])
@pytest.mark.parametrize("Y", [torch.zeros(6, 7), torch.ones(6, 7)], ids=["zeros", "ones"])
def test_flat_problems_can_be_drawn(X, Y):
    trained = KernelDescent(X, Y, torch.zeros(1, 2), lr=1e-3)
    trained.jump(3)
    assert chart.still(trained).png.startswith(b"\x89PNG")


def test_describe_tells_where_the_descent_stands():
    trained = descent(n=7)
    trained.back()
    lines = chart.describe(trained).splitlines()
    assert lines[0].startswith("step 6 of 7 recorded: loss ")
    assert float(lines[0].split()[-1]) == pytest.approx(12 * 0.4096**6, rel=1e-3)
    names = [line.split(":")[0] for line in lines[1:]]
    assert names == ["kernel", "best kernel", "target", "prediction", "residual"]


def test_a_still_shows_the_step_and_is_the_same_twice():
    first, again = chart.still(descent(n=5)), chart.still(descent(n=5))
    assert first == again
    assert first.text == chart.describe(descent(n=5))
    walked = descent(n=5)
    walked.back()
    other = chart.still(walked)
    assert other.png != first.png and other.text != first.text


def test_marking_the_path_keeps_the_axes():
    trained = descent()
    drawn = Chart(trained)
    drawn.scale(trained.trajectory)
    before = drawn._bowl_axes.get_xlim(), drawn._curve_axes.get_ylim()
    drawn.mark(trained.trajectory, 5)
    assert (drawn._bowl_axes.get_xlim(), drawn._curve_axes.get_ylim()) == before


def test_the_scale_spans_whole_decades():
    trained = descent(n=10)
    drawn = Chart(trained)
    drawn.scale(trained.trajectory)
    low, high = drawn._curve_axes.get_ylim()
    losses = [step.loss for step in trained.trajectory]
    assert low <= min(losses) and max(losses) <= high
    assert math.log10(low) == round(math.log10(low)) and math.log10(high) == round(math.log10(high))
    assert drawn._curve_axes.get_xlim() == pytest.approx((-0.3, 10.3))  # no dot is cut
