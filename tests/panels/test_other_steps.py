"""More steps in the DescentStepper: wrong ones that look right at first, right ones in disguise."""

import pytest
import torch
from torch import nn

from convkit import QuadraticLoss, corr2d, photo, stripes
from convkit.faults import FAULTS, ORDER, fault
from convkit.panels import DescentStepper

RATE = 0.02
HALF = torch.tensor([[0.5, 0.5]])
EDGE = torch.tensor([[1.0, -1.0]])


def gradient_at(kernel, X, Y):
    return corr2d(X, 2 * (corr2d(X, kernel) - Y))


def by_gradient(change):
    """Return a step along a changed gradient: ``change(gradient, kernel, X, Y)``."""
    return lambda kernel, X, Y, lr: kernel - lr * change(gradient_at(kernel, X, Y), kernel, X, Y)


def by_loss(loss):
    """Return a step that goes down another loss of the residuals."""

    def step(kernel, X, Y, lr):
        kernel.requires_grad_()
        loss(corr2d(X, kernel) - Y).backward()
        return kernel.detach() - lr * kernel.grad

    return step


def by_optimiser(make, **options):
    """Return a loop with one of torch's optimisers."""

    def loop(kernel, X, Y, lr):
        weights = nn.Parameter(kernel.clone())
        optimiser = make([weights], lr=lr, **options)
        while True:
            optimiser.zero_grad()
            ((corr2d(X, weights) - Y) ** 2).sum().backward()
            optimiser.step()
            yield weights

    return loop


def with_rate(rate):
    """Return a loop whose nth step, from 1 on, has the rate ``rate(n, lr)``."""

    def loop(kernel, X, Y, lr):
        n = 0
        while True:
            n += 1
            kernel = kernel - rate(n, lr) * gradient_at(kernel, X, Y)
            yield kernel

    return loop


# Wrong, each with the first step that differs


def one_weight_after_the_other(kernel, X, Y, lr):
    kernel = kernel.clone()
    for b in range(kernel.shape[1]):
        kernel[0, b] -= lr * gradient_at(kernel, X, Y)[0, b]
    return kernel


def early_stopping(kernel, X, Y, lr):
    if ((corr2d(X, kernel) - Y) ** 2).sum() < 4:
        return kernel
    return kernel - lr * gradient_at(kernel, X, Y)


def two_steps_in_one(kernel, X, Y, lr):
    kernel = kernel - lr * gradient_at(kernel, X, Y)
    return kernel - lr * gradient_at(kernel, X, Y)


def average_of_the_path(kernel, X, Y, lr):
    mean, n = kernel, 1
    while True:
        kernel, n = kernel - lr * gradient_at(kernel, X, Y), n + 1
        mean = mean + (kernel - mean) / n
        yield mean


WRONG = {
    "only the first weight moves": (by_gradient(lambda g, *_: g * torch.tensor([[1.0, 0]])), 1),
    "the target plays no part": (by_gradient(lambda g, K, X, Y: gradient_at(K, X, 0 * Y)), 1),
    "the square of the sum": (by_loss(lambda residual: residual.sum() ** 2), 1),
    "a mean over the columns": (by_loss(lambda residual: (residual**2).mean(1).sum()), 1),
    "a gradient of length 1": (by_gradient(lambda g, *_: g / g.norm()), 1),
    "a target that is off by 0.001": (
        by_gradient(lambda g, K, X, Y: gradient_at(K, X, Y + 1e-3)),
        1,
    ),
    "the last column is left out": (
        by_gradient(lambda g, K, X, Y: gradient_at(K, X[:, :-1], Y[:, :-1])),
        1,
    ),
    "one weight after the other": (one_weight_after_the_other, 1),
    "two steps in one": (two_steps_in_one, 1),
    "Adam": (by_optimiser(torch.optim.Adam), 1),
    "the mean of all kernels so far": (average_of_the_path, 1),
    "a rate that is halved after five steps": (with_rate(lambda n, lr: lr / (1 + (n > 5))), 6),
    "early stopping": (early_stopping, 4),
}


# Right, made in other ways


def by_hessian(kernel, X, Y, lr):
    problem = QuadraticLoss(X, kernel.shape, Y)
    error = (kernel - problem.best_kernel).flatten()
    return kernel - lr * (problem.hessian @ error).reshape(kernel.shape)


def by_finite_differences(kernel, X, Y, lr):
    moved, double = kernel.clone(), kernel.double()
    for nudge in torch.eye(kernel.numel()).double().reshape(-1, *kernel.shape) / 1024:
        losses = [
            ((corr2d(X.double(), at) - Y) ** 2).sum() for at in (double + nudge, double - nudge)
        ]
        moved -= lr * (1024 * nudge * (losses[0] - losses[1]) * 512).float()
    return moved


def momentum_as_a_heavy_ball(kernel, X, Y, lr):
    before = kernel
    while True:
        after = kernel - lr * gradient_at(kernel, X, Y) + 0.9 * (kernel - before)
        before, kernel = kernel, after
        yield kernel


def momentum_with_the_rate_inside(kernel, X, Y, lr):
    update = torch.zeros_like(kernel)
    while True:
        update = 0.9 * update - lr * gradient_at(kernel, X, Y)
        kernel = kernel + update
        yield kernel


RIGHT = {
    "the Hessian, in float64": (by_hessian, 0),
    "finite differences, in float64": (by_finite_differences, 0),
    "torch.optim.SGD with momentum": (by_optimiser(torch.optim.SGD, momentum=0.9), 0.9),
    "momentum as a heavy ball": (momentum_as_a_heavy_ball, 0.9),
    "momentum with the rate inside": (momentum_with_the_rate_inside, 0.9),
}


@pytest.fixture
def stepper(request):
    """Make panels, and close them afterwards."""

    def make(*args, **options):
        panel = DescentStepper(*args, **options)
        request.addfinalizer(panel.close)
        return panel

    return make


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_step_is_marked_at_its_first_difference(stepper, name):
    step, first = WRONG[name]
    panel = stepper(stripes(), corr2d(stripes(), EDGE), HALF, lr=RATE, step=step)
    assert panel.first_difference == first


@pytest.mark.parametrize("share", [0.6, 0.99, 1.05])
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_step_of_another_construction_is_not_marked(stepper, name, share):
    step, momentum = RIGHT[name]
    for picture, target in ((stripes(), EDGE), (photo(16), torch.tensor([[0.0, 1], [-2, 0.5]]))):
        lr = share * QuadraticLoss(picture, target.shape).stable_lr(momentum)
        start = torch.full(target.shape, 0.5)
        options = {"lr": lr, "momentum": momentum, "steps": 60}
        panel = stepper(picture, corr2d(picture, target), start, step=step, **options)
        assert panel.first_difference is None


def test_each_fault_of_the_lab_is_marked_where_it_begins(stepper):
    for letter, name in ORDER.items():
        step = fault(letter)
        panel = stepper(stripes(), corr2d(stripes(), EDGE), HALF, lr=RATE, step=step)
        assert panel.first_difference == (2 if name == "gradients never cleared" else 1)
        shown = repr(panel) + panel.saved_html()
        assert not any(each in shown for each in (name, FAULTS[name].step.__name__))
