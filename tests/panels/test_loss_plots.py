"""The loss surface and the loss curve: where things lie, rings that are of one loss, the axes."""

import itertools
import math
import re

import numpy as np
import pytest
import torch
from markupsafe import Markup

from convkit import QuadraticLoss, corr2d, diagonal, photo, stripes
from convkit.descent import record
from convkit.kernels import kernel
from convkit.panels._loss_plots import (
    CURVE_SIZE,
    SNAP,
    SURFACE_SIZE,
    LossSurface,
    curve_of,
    visible,
)

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
    shapes, words = view.shapes, view.words
    assert shapes.count("<ellipse") == len(view.rings) and shapes.count("ck-best") == 1
    assert re.findall(r"ck-ring-loss[^>]*>(.*?)<", words) == ["10", "100"]
    places = dict(re.findall(r'ck-x" style="left:([\d.]+)%">(.*?)<', words))
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
    for text, x, y in view.ring_labels:
        loss = view.quadratic.loss(exact_kernel(view, x, y))
        assert loss == pytest.approx(float(text), rel=1e-3)
        assert np.linalg.norm(walked - (x, y), axis=1).min() > 12


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 1)])
def test_kernels_of_any_size_have_a_surface(size):
    view = surface(torch.ones(size), torch.zeros(size), diagonal(8))
    assert view.to_kernel(100.0, 100.0).shape == size
    assert np.isfinite(view.to_pixels([torch.ones(size), torch.zeros(size)])).all()
    assert len(view.rings) > 3 and "nan" not in view.shapes + view.words


def test_an_input_of_zeros_has_no_rings():
    view = surface(X=torch.zeros(6, 8))
    assert view.rings == [] and view.shapes.count("<rect") == 1


def test_a_surface_is_kept_as_long_as_the_start_can_be_seen_on_it():
    view = surface()
    quadratic = view.quadratic
    assert view.fits(quadratic, HALF.clone()) and view.fits(quadratic, HALF + 0.2)
    assert not view.fits(surface().quadratic, HALF)
    assert not view.fits(quadratic, 5 * HALF) and not view.fits(quadratic, 1.001 * EDGE)
    assert view.fits(quadratic, EDGE)  # which a hand may have led it to


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
    words = str(curve.words)
    across = [int(text) for text in re.findall(r'ck-x"[^>]*>(\d+)<', words)]
    assert across[0] == 0 and 2 <= len(across) <= 7 and across[-1] <= max(steps, 1)
    assert 2 <= words.count("<sup>") <= 9
    assert np.isfinite(curve.to_pixels(list(losses))).all()


# Scales that follow the data


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e5])
@pytest.mark.parametrize("K", [EDGE, torch.ones(3, 3), torch.ones(1, 1)])
def test_a_surface_looks_the_same_at_any_scale_of_the_weights(scale, K):
    X, start = photo(16), 0 * K
    plain, scaled = surface(K, start, X), surface(scale * K, start, X)
    ratio = np.abs(plain.to_pixels([start]) - scaled.to_pixels([start])).max()
    assert ratio <= 1
    away = np.abs(scaled.to_pixels([start]) - np.array(SURFACE_SIZE) / 2).max()
    assert away > 0.3 * SURFACE_SIZE[1]
    assert len(scaled.rings) >= 3
    for words in (scaled.words, plain.words):
        texts = re.findall(r'ck-x" style[^>]*>(.*?)<', words)
        assert len(texts) == len(set(texts)) >= 3


@pytest.mark.parametrize("K", [1e-3 * EDGE, 40 * EDGE, torch.zeros(1, 2), torch.zeros(3, 3)])
def test_a_start_that_is_the_best_kernel_has_a_surface_around_it(K):
    view = surface(K, K)
    largest = K.abs().max().item() or 1
    (low, high), _ = view.limits
    assert 0.4 * largest < high - low < 4 * largest
    assert view.fits(view.quadratic, K.clone())


@pytest.mark.parametrize("distance", [1e-5, 1e-3, 0.1])
def test_numbers_at_axes_tell_weights_apart_however_near_they_are(distance):
    view = surface(1000 * EDGE.double(), 1000 * EDGE.double() + distance, stripes().double())
    for axis in "xy":
        texts = re.findall(rf'ck-{axis}" style[^>]*>(.*?)<', view.words)
        assert len(texts) == len(set(texts)) >= 2


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 1.0, 1e20])
def test_a_curve_looks_the_same_at_any_scale_of_the_losses(scale):
    losses = [12 * 0.4096**n for n in range(26)]
    plain, scaled = (curve_of(values) for values in (losses, [scale * x for x in losses]))
    assert scaled.high - scaled.low == plain.high - plain.low
    points = scaled.to_pixels([scale * x for x in losses])
    np.testing.assert_allclose(points, plain.to_pixels(losses), atol=0.11)


def test_what_rounding_leaves_of_a_loss_is_not_followed_down():
    assert visible([2.0, 1e-30, 0.0]).tolist() == [2.0, 2e-14, 2e-14]
    assert curve_of([2.0, 1e-30]).low == -14


# What axes are called


@pytest.mark.parametrize(
    ("K", "start", "X", "names"),
    [
        (EDGE, HALF, stripes(), ("K[0, 0]", "K[0, 1]")),
        (EDGE.T, HALF.T, diagonal(8), ("K[0, 0]", "K[1, 0]")),
        (torch.ones(1, 1), torch.zeros(1, 1), diagonal(8), ("K[0, 0]", "")),
        (
            torch.ones(3, 3),
            torch.zeros(3, 3),
            photo(9),
            ("steepest direction", "towards the start"),
        ),
        (
            torch.ones(3, 3),
            torch.ones(3, 3),
            photo(9),
            ("steepest direction", "flattest direction"),
        ),
        (torch.ones(2, 2), torch.zeros(2, 2), torch.ones(6, 8), ("steepest direction", "")),
        (torch.ones(2, 2), torch.zeros(2, 2), torch.zeros(6, 8), ("", "")),
    ],
)
def test_axes_have_true_names(K, start, X, names):
    view = surface(K, start, X)
    assert view.axis_names == names
    words = view.words
    for axis, name in zip("xy", names, strict=True):
        assert f'ck-{axis}-name"' in words
        assert bool(re.search(f'"ck-{axis}"', words)) == bool(name)  # no numbers without a name


@pytest.mark.parametrize("K", [torch.ones(3, 3), kernel("Sobel x")])
def test_the_axis_towards_the_start_leads_to_it(K):
    view = surface(K, torch.full((3, 3), 0.3), photo(9))
    (x, y), (best_x, best_y) = view.to_coordinates([view.start, K])
    seen = view.quadratic.identifiable_directions
    error = (seen * (view.start.double() - K)).sum((1, 2)).norm().item()
    assert math.hypot(x - best_x, y - best_y) == pytest.approx(error, rel=1e-6) and y > best_y
    flattest = surface(K, K, photo(9)).quadratic.projection_axes(K)[1]
    torch.testing.assert_close(flattest.abs(), seen[-1].abs())


def test_pointing_at_the_star_means_the_best_kernel():
    view = surface()
    x, y = np.array(SURFACE_SIZE) / 2
    for away in (-SNAP, 0, SNAP - 0.1):
        torch.testing.assert_close(view.to_kernel(x + away, y), EDGE)
    assert not torch.allclose(view.to_kernel(x + SNAP + 1, y), EDGE)


def test_the_boxes_hold_labels_and_star():
    view = surface()
    *labels, star = view.boxes
    assert len(labels) == len(view.ring_labels)
    for (_, x, y), (left, top, right, bottom) in zip(view.ring_labels, labels, strict=True):
        assert left < x < right and top < y < bottom
    assert star == (156, 90, 172, 106)


def test_words_on_plots_are_escaped():
    curve, view = curve_of([3.0, 1.0]), surface()
    for words in (curve.words, view.words, curve.shapes, view.shapes):
        assert isinstance(words, Markup) and "&amp;" not in words
