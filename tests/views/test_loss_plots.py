"""The loss surface and the loss curve: where things lie, rings that are of one loss, the axes."""

import itertools
import math
import re

import numpy as np
import pytest
import torch

from convkit import QuadraticLoss, corr2d, diagonal, photo, stripes
from convkit.descent import record
from convkit.kernels import kernel
from convkit.views.loss_plots import CURVE_SIZE, SURFACE_SIZE, LossSurface, curve_of

EDGE, HALF = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.5, 0.5]])


def surface(K=EDGE, start=HALF, X=None):
    X = stripes() if X is None else X
    return LossSurface(QuadraticLoss(X, tuple(K.shape), corr2d(X, K)), start)


def test_kernels_lie_on_the_surface_where_their_weights_say():
    view = surface()
    best, first = view.to_pixels([EDGE, HALF])
    np.testing.assert_allclose(best, np.array(SURFACE_SIZE) / 2, atol=0.01)
    # One unit is as long across as it is up.
    np.testing.assert_allclose(first - best, view.scale * np.array([-0.5, -1.5]), atol=0.1)
    for weights, place in ((EDGE, best), (HALF, first)):
        torch.testing.assert_close(view.to_kernel(*map(float, place)), weights)
    assert view.contains(view.to_pixels([EDGE, HALF, 9 * EDGE])) == [True, True, False]


@pytest.mark.parametrize(
    ("K", "X"),
    [
        (EDGE, stripes()),
        (EDGE.T, diagonal(8)),
        (kernel("Sobel x"), photo(16)),
        (torch.ones(2, 2), stripes()),
    ],
)
def test_the_loss_is_the_same_all_around_a_ring(K, X):
    view = surface(K, 0 * K + 0.3, X)
    quadratic, (x, y) = view.quadratic, np.array(SURFACE_SIZE) / 2
    assert len(view.rings) >= 4
    for ring in view.rings:
        minor, major = ring.half_axes
        for turn in np.linspace(0, 2 * math.pi, 7):
            right, up = major * math.cos(turn), minor * math.sin(turn)
            cos, sin = math.cos(view.angle), math.sin(view.angle)
            place = x + right * cos - up * sin, y - right * sin - up * cos
            loss = quadratic.loss(exact_kernel(view, *place)) - quadratic.loss(
                quadratic.best_kernel
            )
            if major < 1e4:
                assert loss == pytest.approx(ring.loss, rel=1e-4)


def exact_kernel(view, x, y):
    """Return the kernel at a place, not rounded."""
    u, v = view.quadratic.projection_axes(view.start)
    a, b = (x - SURFACE_SIZE[0] / 2) / view.scale, (SURFACE_SIZE[1] / 2 - y) / view.scale
    return view.quadratic.best_kernel + a * u + b * v


def test_thick_rings_are_ten_times_apart():
    rings = surface().rings
    thick = [ring.loss for ring in rings if ring.is_thick]
    assert thick == [1, 10, 100]
    for small, large in itertools.pairwise(rings):
        assert large.loss / small.loss == pytest.approx(3 if small.is_thick else 10 / 3)


def test_steps_leave_rings_at_right_angles():
    """Gradient descent goes against the gradient, which is at right angles to a ring."""
    view = surface()
    steps = record(stripes(), corr2d(stripes(), EDGE), HALF, [0.01])
    step = np.diff(view.to_pixels([s.kernel for s in steps]), axis=0)[0]
    along = torch.tensor([[-steps[0].grad[0, 1], steps[0].grad[0, 0]]])
    ring = np.diff(view.to_pixels([HALF, HALF + 1e-2 * along]), axis=0)[0]
    assert abs(step @ ring) < 2e-2 * np.linalg.norm(step) * np.linalg.norm(ring)


def test_the_picture_has_a_ring_for_each_and_the_best_kernel():
    view = surface()
    svg = view.svg()
    assert svg.count("<ellipse") == len(view.rings) and svg.count("ck-best") == 1
    assert re.findall(r"ck-ring[^>]*>(.*?)<", svg) == [text for text, *_ in view.ring_labels()]
    assert [text for text, *_ in view.ring_labels()] == ["10", "100"]
    places = dict(re.findall(r'left:([\d.]+)%">(.*?)<', view.words()))
    (low, high), _ = view.limits
    for share, text in places.items():
        assert low + float(share) / 100 * (high - low) == pytest.approx(
            float(text.replace("−", "-")), abs=0.01
        )
    assert len(places) >= 4


def test_rings_are_labelled_on_their_lines_and_beside_the_path():
    view, X = surface(), stripes()
    kernels = [step.kernel for step in record(X, corr2d(X, EDGE), HALF, [0.03] * 9)]
    path = view.to_pixels(kernels)
    walked = np.concatenate([np.linspace(a, b, 50) for a, b in itertools.pairwise(path)])
    for text, x, y in view.ring_labels():
        loss = view.quadratic.loss(exact_kernel(view, x, y))
        assert loss == pytest.approx(float(text), rel=1e-3)
        assert np.linalg.norm(walked - (x, y), axis=1).min() > 12


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 1)])
def test_kernels_of_any_size_have_a_surface(size):
    view = surface(torch.ones(size), torch.zeros(size), diagonal(8))
    assert view.to_kernel(100.0, 100.0).shape == size
    assert np.isfinite(view.to_pixels([torch.ones(size), torch.zeros(size)])).all()
    assert len(view.rings) > 3 and "nan" not in view.svg()


def test_an_input_of_zeros_has_no_rings():
    view = surface(X=torch.zeros(6, 8))
    assert view.rings == [] and view.svg().count("<rect") == 1


def test_a_surface_is_kept_as_long_as_the_start_can_be_seen_on_it():
    view = surface()
    quadratic = view.quadratic
    assert view.fits(quadratic, HALF.clone()) and view.fits(quadratic, HALF + 0.2)
    assert not view.fits(surface().quadratic, HALF)
    assert not view.fits(quadratic, 5 * HALF) and not view.fits(quadratic, 1.001 * EDGE)


def test_losses_lie_on_a_logarithmic_curve():
    curve = curve_of([100.0, 10.0, 1.0])
    points = curve.to_pixels([100.0, 10.0, 1.0])
    width, height = CURVE_SIZE
    decades = np.array([2, 1, 0])
    expected = height * (curve.high - decades) / (curve.high - curve.low)
    np.testing.assert_allclose(points[:, 1], expected, atol=0.1)
    assert np.ptp(np.diff(points[:, 0])) < 0.1
    assert points[0, 0] > 0 and points[-1, 0] < width


@pytest.mark.parametrize("steps", [1, 7, 25, 100])
@pytest.mark.parametrize("losses", [(0.0, 0.0), (1e38, 1.0), (5.0, 4.0), (1e4, 1e-12)])
def test_any_losses_have_a_curve_with_a_few_numbers(losses, steps):
    curve = curve_of(np.geomspace(max(losses[0], 1e-20), max(losses[1], 1e-20), steps + 1))
    words = curve.words()
    across = [int(text) for text in re.findall(r'ck-x"[^>]*>(\d+)<', words)]
    assert across[0] == 0 and 2 <= len(across) <= 7 and across[-1] <= max(steps, 1)
    assert 2 <= words.count("<sup>") <= 9
    assert np.isfinite(curve.to_pixels(list(losses))).all()
