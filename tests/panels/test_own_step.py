"""A learner's own training step beside the true descent, as values and as a learner drives it."""

import time
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

from convkit import ConvkitError, corr2d, kernel, photo, stripes
from convkit.formatting import minus, number
from convkit.panels import DescentStepper
from convkit.ui.series import node_at
from tests.panels.driver import PanelDriver
from tests.panels.test_descent_stepper import expect_consistent, floats, tables, trails
from tests.ui.driver import until

EDGE, HALF = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.5, 0.5]])
PROBLEMS = {
    "stripes": {"X": stripes(), "target": EDGE, "start": HALF, "lr": 0.02},
    "photo": {"X": photo(24), "target": kernel("Sobel x"), "steps": 40},
    "double": {"X": photo(12).double(), "target": torch.ones(2, 3), "momentum": 0.4},
    "diverging": {"X": stripes(), "target": EDGE, "start": HALF, "lr": 0.04},
    "mean": {"X": stripes(), "target": torch.ones(3, 2), "reduction": "mean"},
}


def stepper(step, problem="stripes", **options):
    return DescentStepper(**{**PROBLEMS[problem], **options}, step=step)


def driven(step, **options):
    panel = stepper(step, **options)
    return panel, PanelDriver(panel)


def slope(K, X, Y):
    """Return the gradient of the sum of squares."""
    return corr2d(X, 2 * (corr2d(X, K) - Y))


# Right steps of ten kinds; those with a loop go on from what they have


def by_hand(K, X, Y, lr):
    return K - lr * slope(K, X, Y)


def by_autograd(K, X, Y, lr):
    K = K.requires_grad_()
    (grad,) = torch.autograd.grad(((corr2d(X, K) - Y) ** 2).sum(), K)
    return K.sub(grad, alpha=lr)


def by_optimizer(K, X, Y, lr):
    K = nn.Parameter(K)
    sgd = torch.optim.SGD([K], lr)
    ((corr2d(X, K) - Y) ** 2).sum().backward()
    sgd.step()
    return K


def in_place(K, X, Y, lr):
    K -= lr * slope(K, X, Y)
    return K


def by_layer(K, X, Y, lr):
    layer = nn.Conv2d(1, 1, tuple(K.shape), bias=False).to(K.dtype)
    layer.weight.data = K[None, None]
    nn.functional.mse_loss(layer(X[None, None])[0, 0], Y, reduction="sum").backward()
    return (layer.weight - lr * layer.weight.grad)[0, 0]


def by_windows(K, X, Y, lr):
    A = nn.functional.unfold(X[None, None], tuple(K.shape))[0]
    residual = K.flatten() @ A - Y.flatten()
    return K - lr * 2 * (A @ residual).reshape(K.shape)


def by_normal_equations(K, X, Y, lr):
    A = nn.functional.unfold(X[None, None], tuple(K.shape))[0]
    return K - lr * 2 * (A @ A.T @ K.flatten() - A @ Y.flatten()).reshape(K.shape)


def in_double(K, X, Y, lr):
    return by_hand(K.double(), X.double(), Y.double(), lr)


def weight_by_weight(K, X, Y, lr):
    R, new = corr2d(X, K) - Y, K.clone()
    h, w = R.shape
    for i in range(K.shape[0]):
        for j in range(K.shape[1]):
            new[i, j] -= lr * 2 * (X[i : i + h, j : j + w] * R).sum()
    return new


def whole_loop(K, X, Y, lr):
    K = K.requires_grad_()
    while True:
        ((corr2d(X, K) - Y) ** 2).sum().backward()
        with torch.no_grad():
            K -= lr * K.grad
        K.grad = None
        yield K


def momentum_loop(K, X, Y, lr):
    K = nn.Parameter(K)
    sgd = torch.optim.SGD([K], lr, momentum=0.4)
    while True:
        sgd.zero_grad()
        ((corr2d(X, K) - Y) ** 2).sum().backward()
        sgd.step()
        yield K.detach()


def mean_loop(K, X, Y, lr):
    while True:
        K = K - lr * slope(K, X, Y) / Y.numel()
        yield K


RIGHT = [by_hand, by_autograd, by_optimizer, in_place, by_layer, by_windows, by_normal_equations]
RIGHT += [in_double, weight_by_weight, whole_loop]


@pytest.mark.parametrize(
    ("step", "problem"),
    [(step, problem) for step in RIGHT for problem in ("stripes", "photo", "diverging")]
    + [(momentum_loop, "double"), (mean_loop, "mean")],
)
def test_right_steps_agree_however_they_are_written(step, problem):
    panel = stepper(step, problem)
    count = len(panel.trajectory) - 1
    assert panel.first_difference is None
    assert panel.status.startswith(f"{step.__name__} agrees with convkit in all {count} steps. ")
    expect_consistent(panel, PanelDriver(panel))


# Wrong ones


def never_cleared(K, X, Y, lr):
    K = K.requires_grad_()
    while True:
        ((corr2d(X, K) - Y) ** 2).sum().backward()
        with torch.no_grad():
            K -= lr * K.grad
        yield K


def with_bias(K, X, Y, lr):
    bias = torch.zeros(())
    while True:
        residual = corr2d(X, K) + bias - Y
        K, bias = K - lr * corr2d(X, 2 * residual), bias - lr * 2 * residual.sum()
        yield K


def decaying(K, X, Y, lr):
    rate = lr
    while True:
        K = K - rate * slope(K, X, Y)
        rate *= 0.9
        yield K


def with_momentum(K, X, Y, lr):
    V = 0
    while True:
        V = 0.1 * V + slope(K, X, Y)
        K = K - lr * V
        yield K


def stale(K, X, Y, lr):
    G = slope(K, X, Y)
    while True:
        K = K - lr * G
        yield K


def starting_with_the_start(K, X, Y, lr):
    while True:
        yield K
        K = by_hand(K, X, Y, lr)


def skipping(K, X, Y, lr):
    for n in range(99):
        K = K if n in (4, 9) else by_hand(K, X, Y, lr)
        yield K


def accumulating_every_second(K, X, Y, lr):
    while True:
        K = by_hand(K, X, Y, lr)
        yield K
        K = by_hand(by_hand(K, X, Y, lr), X, Y, lr)
        yield K


WRONG = {
    **dict.fromkeys((never_cleared, with_bias, decaying, with_momentum, stale), 2),
    starting_with_the_start: 1,
    skipping: 5,
    accumulating_every_second: 2,
    **dict.fromkeys(
        (
            lambda K, X, Y, lr: K + lr * slope(K, X, Y),
            lambda K, X, Y, lr: K - lr / 2 * slope(K, X, Y),
            lambda K, X, Y, lr: K - lr * slope(K, X, Y) / Y.numel(),
            lambda K, X, Y, lr: K - lr * slope(K, X, Y).flip(0, 1),
            lambda K, X, Y, lr: K - lr * slope(K, X, Y).sign(),
            lambda K, X, Y, lr: K - 0.03 * slope(K, X, Y),
            lambda K, X, Y, lr: K - lr * slope(K, X, Y[:, :1]),
            lambda K, X, Y, lr: K - lr * slope(K, X, 2 * Y),
            lambda K, X, Y, lr: K - lr * corr2d(X, 2 * (corr2d(X, K) - Y).abs()),
            lambda K, X, Y, lr: K - lr * (slope(K, X, Y) + K),
            lambda K, X, Y, lr: K - lr * slope(by_hand(K, X, Y, lr), X, Y),
            lambda K, X, Y, lr: (K - lr * slope(K, X, Y)).round(decimals=1),
            lambda K, X, Y, lr: K - lr * slope(K, X, Y).clamp(-1, 1),
        ),
        1,
    ),
}


@pytest.mark.parametrize(("step", "first"), WRONG.items())
@pytest.mark.parametrize("problem", ["stripes", "photo"])
def test_wrong_steps_are_marked_at_the_first(step, first, problem):
    panel = stepper(step, problem, start=0.5 * torch.ones_like(PROBLEMS[problem]["target"]))
    assert panel.first_difference == first
    assert f"from the kernel of step {first - 1} it makes K[" in panel.status


def test_next_difference_leads_to_the_step_and_writes_both_updates_out():
    panel, page = driven(skipping)
    assert (
        "skipping differs from convkit in 2 of 25 steps: from the kernel of step 4" in page.status
    )
    assert page.has_error and page.status in repr(panel)
    own = [HALF, *islice(skipping(HALF, panel.X, panel.Y, 0.02), 25)]
    for n in (5, 10, 5):
        page.press("next difference")
        assert panel.n == n
        kernel, yours, ours, difference = tables(page.panel.tree, "own update", n).values()
        torch.testing.assert_close(floats(kernel), own[n], atol=6e-4, rtol=0)
        assert not floats(yours).any()
        expected = -0.02 * slope(own[n - 1], panel.X, panel.Y)
        torch.testing.assert_close(floats(ours), expected, atol=6e-4, rtol=0)
        torch.testing.assert_close(floats(difference), -expected, atol=6e-4, rtol=0)
    assert not floats([*tables(page.panel.tree, "own update", 3).values()][3]).any()
    assert len(tables(page.panel.tree, "own update", 0)) == 1  # the start has no update


def test_the_first_difference_is_marked_on_surface_and_curve():
    panel, page = driven(skipping)
    own = [HALF, *islice(skipping(HALF, panel.X, panel.Y, 0.02), 25)]
    losses = [((corr2d(panel.X, K) - panel.Y) ** 2).sum().item() for K in own]
    surface, curve = panel.store.result.surface, panel.store.result.curve
    points = surface.to_pixels(own), curve.to_pixels(losses)
    for name, expected, width in zip(("surface", "curve"), points, (328, 400), strict=True):
        path = trails(page, f"loss {name}")[f"own {width} path"]
        assert np.abs(np.array(path) - expected).max() < 0.2
        contents = [str(node.props.get("content")) for node in page.find(f"loss {name}")]
        (mark,) = [content for content in contents if "ck-mark" in content]
        x, y = path[5]
        assert f"--x:{100 * x / width:.2f}%;--y:{100 * y / 196:.2f}%" in mark
    panel.n = 5
    assert node_at(page.node("own run")).words == f"skipping, loss {losses[5]:.4g}"
    assert "skipping differs" in panel.saved_html()


def careful(K, X, Y, lr):
    """Halve the rate where a step would lead uphill."""
    loss = squares(K, X, Y)
    while True:
        there = K - lr * slope(K, X, Y)
        if squares(there, X, Y) < loss:
            K, loss = there, squares(there, X, Y)
        else:
            lr = lr / 2
        yield K


def squares(K, X, Y):
    return ((corr2d(X, K) - Y) ** 2).sum()


def test_a_step_runs_on_where_the_true_descent_diverges():
    panel, page = driven(careful)
    page.type("learning rate", "0.1")
    until(lambda: "convkit's record stops after step" in page.status)
    own = [HALF, *islice(careful(HALF, panel.X, panel.Y, 0.1), 25)]
    page.choose("step", 25)
    assert panel.n == 25 and len(panel.trajectory) < 8
    loss = squares(own[25], panel.X, panel.Y).item()
    assert node_at(page.node("own run")).words == minus(f"careful, loss {number(loss)}")
    assert node_at(page.node("said")).words == minus(f"step 25: careful, loss {number(loss)}")
    (kernel, *_) = tables(page.panel.tree, "own update", 25).values()
    torch.testing.assert_close(floats(kernel), own[25], atol=6e-4, rtol=0)
    assert minus(f"beside it at step 25: careful, loss {number(loss)}") in repr(panel)
    panel.show_ahead, panel.n = True, 1
    trail = page.node("own 400 path")
    assert trail.ahead and len(trail.points) == 26
    assert page.shows_the_tree()


def test_an_edit_runs_it_again_and_undo_too():
    panel, page = driven(never_cleared)
    page.type("momentum", "0.9")
    until(lambda: "never_cleared differs" in page.status)
    page.type("learning rate", "0.001")
    until(lambda: "= 0.5" in page.status or "K[0, 0]" in page.status)
    page.press("undo")
    page.press("undo")
    until(lambda: panel.first_difference == 2)
    page.press("keep this run")
    panel.lr = 0.01
    assert {name.split()[0] for name in trails(page, "loss curve")} == {"own", "kept", "loss"}
    assert not page.has("new rate for later steps only")
    panel.only_ahead, panel.n = True, 5
    panel.lr = 0.02
    assert {step.lr for step in panel.trajectory[1:]} == {0.02}  # a loop is told one rate
    assert page.shows_the_tree()


# What cannot be compared


def at_7(raised):
    def step(K, X, Y, lr):
        step.count += 1
        print("pass", step.count)
        if step.count == 7:
            raise raised
        return by_hand(K, X, Y, lr)

    step.count = 0
    return step


def ending(K, X, Y, lr):
    for _ in range(10):
        K = by_hand(K, X, Y, lr)
        yield K


def spoiling(K, X, Y, lr):
    X *= 2
    return by_hand(K, X, Y, lr)


def spoiling_later(K, X, Y, lr):
    yield by_hand(K, X, Y, lr)
    Y -= 1
    yield K


@pytest.mark.parametrize(
    ("step", "agreeing", "words"),
    [
        (
            lambda K, X, Y, lr: None,
            0,
            "Step 1: <lambda> returned NoneType, no tensor; expected a float",
        ),
        (
            lambda K, X, Y, lr: K.numpy(),
            0,
            "Step 1: <lambda> returned ndarray, no tensor; expected a float",
        ),
        (lambda K, X, Y, lr: K[None], 0, "Step 1: <lambda> returned 1 × 1 × 2; expected a float "),
        (lambda K, X, Y, lr: K / 0, 0, "Step 1: <lambda> returned inf or nan"),
        (lambda K, X, Y, lr: K + 1j, 0, "Step 1: <lambda> returned complex numbers"),
        (lambda K, X, Y: K, 0, "Step 1: <lambda> raised TypeError: "),
        (lambda K, X, Y, lr: 1e30 * K, 0, "Step 1: <lambda> makes a kernel whose loss is "),
        (spoiling, 0, "Step 1: spoiling changed X or Y in place; expected both unchanged"),
        (spoiling_later, 1, "Step 2: spoiling_later changed X or Y in place"),
        (at_7(ValueError("no more")), 6, "Step 7: step raised ValueError: no more"),
        (at_7(SystemExit(3)), 6, "Step 7: step raised SystemExit: 3"),
        (ending, 10, "Step 11: ending ended; expected another kernel. Yield one after each pass."),
    ],
)
def test_a_step_that_fails_is_told_in_words_and_what_it_did_before_stays(step, agreeing, words):
    panel, page = driven(step)
    before = f"{step.__name__} agrees with convkit in all {agreeing} steps. " if agreeing else ""
    assert page.status.startswith(before + words) and page.has_error
    assert len(set(trails(page, "loss surface")["own 328 path"])) == agreeing + 1
    assert panel.first_difference is None
    expect_consistent(panel, page)


def test_what_it_prints_is_shown_also_where_it_fails(capsys):
    _, page = driven(at_7(ValueError("no more")))
    assert "printed: pass 1 pass 2 pass 3 pass 4 pass 5 pass 6 pass 7" in page.text
    assert capsys.readouterr().out == ""


def test_what_is_no_function_is_refused():
    with pytest.raises(ConvkitError, match="3 is not a function"):
        stepper(3)


class Slow:
    """A step that takes a while."""

    __name__ = "slow"
    seconds = 0.0

    def __call__(self, K, X, Y, lr):
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            time.sleep(0.005)
        return by_hand(K, X, Y, lr)


def test_a_slow_step_runs_beside_the_page_and_can_be_stopped():
    slow = Slow()
    panel, page = driven(slow)
    slow.seconds = 0.3
    page.type("learning rate", "0.01")
    assert panel.lr == 0.01 and "running your slow for 25 steps" in page.status
    assert len(trails(page, "loss surface")) == 1
    page.choose("step", 3)
    assert panel.n == 3 and page.has("update")
    until(lambda: "% , " in page.status or "s left" in page.status)
    page.press("stop")
    assert page.status == "slow was stopped: this is convkit's own descent."
    slow.seconds = 0
    page.type("learning rate", "0.02")
    until(lambda: "slow agrees with convkit in all 25 steps" in page.status)
    until(page.shows_the_tree)
