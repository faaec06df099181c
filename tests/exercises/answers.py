"""Answers to the exercises of other kinds than the solutions: right ones, and wrong ones."""

import math

import numpy as np
import torch
from torch import nn

from convkit import Conv2D, QuadraticLoss, corr2d, kernel, patches, pool2d
from convkit.faults import ORDER
from convkit.ops import pad2d

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


def fft_blur():
    """Return a blur whose zeros are rounded to less than 0, as a Fourier transform leaves them."""
    K = blur((slice(1, 4), slice(1, 4)), 1 / 9)
    K[0, 0] = -1.25e-17
    return K


def multiplications_of_a_layer(c_in, c_out, size, kernel_size, padding, stride):
    """Multiply each weight by the cells of the output map that it takes part in."""
    layer = nn.Conv2d(c_in, c_out, kernel_size, stride, padding, bias=False)
    return layer.weight.numel() * layer(torch.zeros(c_in, *size))[0].numel()


def careful_by_autograd(kernel, X, Y, lr):
    """Decide before the step: keep it in an optimiser's hands, and take it back if it is bad."""
    leaf = kernel.clone().requires_grad_()
    sgd = torch.optim.SGD([leaf], lr=lr)
    while True:
        before, loss = leaf.detach().clone(), ((corr2d(X, leaf) - Y) ** 2).sum()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        with torch.no_grad():
            if ((corr2d(X, leaf) - Y) ** 2).sum() > loss:
                leaf.copy_(before)
                sgd.param_groups[0]["lr"] /= 2
        yield leaf


def careful_by_recursion(kernel, X, Y, lr):
    problem = QuadraticLoss(X, kernel.shape, Y)
    tried = kernel - lr * problem.gradient(kernel)
    rises = problem.loss(tried) > problem.loss(kernel)
    kernel, lr = (kernel, lr / 2) if rises else (tried, lr)
    yield kernel
    yield from careful_by_recursion(kernel, X, Y, lr)


def yields_three(kernel, X, Y, lr):
    yield from [kernel] * 3


def in_place_loop(kernel, X, Y, lr):
    while True:
        kernel -= lr * corr2d(X, 2 * (corr2d(X, kernel) - Y))
        yield kernel


def descend_for_long(X, made_with, start):
    quadratic = QuadraticLoss(X, start.shape, corr2d(X, made_with))
    return quadratic.descent(start, [quadratic.fastest_lr] * 2000)[0][-1]


def with_pixels(*pixels):
    X = torch.zeros(6, 8)
    for i, j in pixels:
        X[i, j] = 1
    return X


CENTRE = (2, 2)
CORNERS = ([0, 4], [0, 4])


def step_with(update):
    """Return a training step without a return, which ends with `update(layer, lr)`."""

    def step(layer, X, Y, lr):
        ((layer(X) - Y) ** 2).sum().backward()
        update(layer, lr)

    return step


def clear_late(layer, lr):
    layer.zero_grad()
    layer.weight.data -= lr * layer.weight.grad


def fixed_rate(layer, X, Y, lr):
    layer.zero_grad()
    loss = error_of(layer, X, Y).sum()
    loss.backward()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter -= 0.03 * parameter.grad
    return loss.item()


def optimizer_step(layer, X, Y, lr):
    optimizer = torch.optim.SGD(layer.parameters(), lr=lr)
    optimizer.zero_grad()
    loss = error_of(layer, X, Y).sum()
    loss.backward()
    optimizer.step()
    return loss.item()


def functional_step(layer, X, Y, lr):
    loss = error_of(layer, X, Y).sum()
    parameters = list(layer.parameters())
    for parameter, grad in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.data.sub_(lr * grad)
    return loss


def gradient_by_weight(X, Y, K):
    R, gradient = corr2d(X, K) - Y, torch.zeros_like(K)
    for a, b in np.ndindex(*K.shape):
        gradient[a, b] = 2 * (R * X[a : a + R.shape[0], b : b + R.shape[1]]).sum()
    return gradient


def learn_with_a_layer(X, Y, K, lr, steps):
    layer = nn.Conv2d(1, 1, K.shape, bias=False)
    layer.weight.data = K.clone()[None, None]
    optimizer = torch.optim.SGD(layer.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(layer(X[None, None])[0, 0], Y).backward()
        optimizer.step()
    return layer.weight[0, 0]


def learn_in_place(X, Y, K, lr, steps):
    for _ in range(steps):
        K -= lr * gradient_by_weight(X, Y, K) / Y.numel()
    return K


def singular_values(X, kernel_size):
    return torch.linalg.svdvals(patches(X, kernel_size).double())


def steps_by_distances(curvatures, lr, share):
    left, steps = torch.ones(len(curvatures)), 0
    while left.abs().max() > share:
        left, steps = left - lr * torch.tensor(curvatures) * left, steps + 1
    return steps


def into_whole_numbers(X, K):
    Y = torch.zeros(corr2d(X, K).shape, dtype=torch.int64)
    Y += corr2d(X, K)
    return Y


def change_in_place(X, K):
    X.zero_(), K.zero_()
    return corr2d(X, K)


def error_of(layer, X, Y):
    return (layer(X) - Y) ** 2


def mean_of_windows(X, pool_size):
    return torch.nn.functional.avg_pool2d(X[None], pool_size, stride=1)[0]


def average_by_axis(X, pool_size):
    h, w = pool_size
    return corr2d(corr2d(X, torch.full((h, 1), 1 / h)), torch.full((1, w), 1 / w))


def max_by_three_channels(X):
    for step in (torch.tensor([[-1.0, 1.0]]), torch.tensor([[-1.0], [1.0]])):
        here = (step < 0).float()
        channels = [corr2d(X, K).relu() for K in (step, here, -here)]
        X = channels[0] + channels[1] - channels[2]
    return X


def comparisons_by_formula(shape, pool_size, padding, stride):
    axes = zip(shape[1:], pool_size, padding, stride, strict=True)
    rows, columns = ((n + 2 * p - k) // s + 1 for n, k, p, s in axes)
    return shape[0] * rows * columns * (pool_size[0] * pool_size[1] - 1)


def places(n, k, p, s):
    """Return where windows start along an axis."""
    return range(-p, n + p - k + 1, s)


def mirrored(n, p):
    """Return which lines stand where p lines are mirrored on either side."""
    return [*range(p, 0, -1), *range(n), *range(n - 2, n - 2 - p, -1)]


def spread_by_kron(X, K):
    """Lay the pixels out by a product, with zeros between them."""
    spread = torch.kron(X, torch.tensor([[1.0, 0], [0, 0]]))
    return corr2d(spread[:-1, :-1], K)


ACCEPTED = [
    ("7.1", lambda *sizes: [len(places(*axis)) for axis in zip(*sizes, strict=True)]),
    ("7.3", lambda X, p: X[mirrored(X.shape[0], p)][:, mirrored(X.shape[1], p)]),
    ("7.4", lambda n, k, s: patches(torch.ones(n), k, stride=s).numel()),
    ("7.6", spread_by_kron),
    ("8.4", multiplications_of_a_layer),
    ("8.6", (4, 1.129)),
    ("8.7", lambda k, delta: 1 + (k - 1) / (delta + 1)),
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
    ("3.4", fft_blur()),
    ("3.4", kernel("Gaussian blur", 5).numpy()),
    ("3.4", [[1 / 25] * 5] * 5),
    ("3.4", blur(CENTRE, 0.5, 0.5 / 24)),
    ("4.1", [-0.36, -0.44]),
    ("4.1", torch.tensor([[-0.3605, -0.44]], dtype=torch.float16)),
    ("4.2", optimizer_step),
    ("4.2", functional_step),
    ("4.3", gradient_by_weight),
    (
        "4.3",
        lambda X, Y, K: 2 * (patches(X, K.shape).T @ (corr2d(X, K) - Y).flatten()).reshape(K.shape),
    ),
    ("4.4", learn_with_a_layer),
    (
        "4.4",
        lambda X, Y, K, lr, steps: QuadraticLoss(X, K.shape, Y, reduction="mean").descent(
            K, [lr] * steps
        )[0][-1],
    ),
    ("5.1", lambda X, size: 1 / singular_values(X, size)[0] ** 2),
    ("5.1", lambda X, size: 2 / QuadraticLoss(X, size).eigenvalues[0].item()),
    ("5.2", lambda k, v, g, lr, m: [k - lr * g - lr * m * v, g + m * v]),
    ("5.2", lambda k, v, g, lr, m: (k.sub(v.mul(m).add(g), alpha=lr), torch.add(g, v, alpha=m))),
    ("5.4", steps_by_distances),
    (
        "5.4",
        lambda curvatures, lr, share: next(
            n
            for n in range(1000)
            if max(abs((1 - lr * curvature) ** n) for curvature in curvatures) <= share
        ),
    ),
    ("6.1", careful_by_autograd),
    ("6.1", careful_by_recursion),
    ("6.2", ORDER),
    ("6.4", {"C": ORDER["C"]}),
    ("6.7", {letter: ORDER[letter] for letter in "FED"}),
    ("6.5", np.array([[3, -0.5], [-2, -0.5]])),
    ("6.8", descend_for_long),
    (
        "6.8",
        lambda X, K, start: QuadraticLoss(X, K.shape, corr2d(X, K - start)).best_kernel + start,
    ),
    ("6.6", with_pixels((1, 1), (1, 4), (4, 2), (4, 6))),
    ("6.6", with_pixels((3, 5)).bool().numpy()),
    ("9.1", average_by_axis),
    ("9.1", lambda X, size: average_by_axis(X, size)),
    ("9.2", [[1, 0], [0, 1]]),
    ("9.2", np.array([[[0.25, 5]], [[-7, -8]]])),
    ("9.3", max_by_three_channels),
    ("9.4", comparisons_by_formula),
    ("9.6", lambda X, size: 1 - pool2d(1 - X, size)),
]
"""Right answers of other kinds than the solution's."""

REJECTED = [
    ("0.1", 7, "The sum is 7. Multiply each pixel"),
    ("0.1", 2.0003, "The sum is 2.0003. "),
    ("1.1", [[1, 8], [1, 2]], "Y[1, 1] is 2. Lay K on rows 1 and 2 and columns 1 and 2 of X"),
    ("1.1", [[1, 8], [1, ...]], "Y still holds `...`."),
    ("1.1", [["1", "8"], ["1", "0"]], "expected numbers."),
    ("1.1", [[1, 8], [1]], "Y has rows of different lengths: 2, 1."),
    ("0.1", [2], "The sum is a row of 1 number. The numbers are right, but not the brackets"),
    ("1.1", [1, 8, 1, 0], "but not the brackets around them. K fits at 2 × 2 places"),
    ("1.1", [[1, 8, 1]], "Y is an array of 1 × 3. K fits at 2 × 2 places of X"),
    ("1.1", torch.tensor([[1, 8], [1, 0]]) + 0j, "Y holds complex numbers; expected real ones."),
    ("1.1", torch.zeros(0, 2), "Y is empty."),
    ("1.1", [], "Y is []; expected numbers."),
    ("1.1", [[1, torch.inf], [torch.nan, 0]], "Y holds inf; expected finite numbers."),
    (
        "1.2",
        lambda big, small: (big[0] - small[0] + 1.4, big[1] - small[1] + 1),
        "The shape is (6.4, 7). It should be (6, 7).\n"
        "Tried with input_shape = (6, 8), kernel_shape = (1, 2).",
    ),
    ("1.2", lambda big, small: 6, "The shape is a single number. It should be a row of 2 numbers."),
    ("1.2", lambda big, small: big - small + 1, "Pairs cannot be subtracted, their parts can"),
    ("1.2", (6, 7), "You passed (6, 7); expected the function itself: its name, without ()."),
    ("1.3", lambda X, K: corr2d(X, K) * 1.0002, "Y[0, 0] is 2.1879. It should be 2.1875."),
    ("1.3", lambda X, K: corr2d(X, K) * 1.0002, "\nTried with\nX = torch.tensor([[-1.25, 2.0, "),
    ("1.3", lambda X, K: corr2d(X, K[::-1]), "Write K.flip(0, 1)."),
    ("1.3", into_whole_numbers, "Make it with torch.zeros(H, W), without a dtype."),
    ("1.3", lambda X, K: X[:2, :2] + X[1:, 1:], "Two arrays of different shapes meet."),
    ("1.3", lambda X, K: print(end=""), "Your function returned None. Is there a return?"),
    ("1.3", change_in_place, "Your function changes X in place. Work on a copy: X.clone()."),
    ("1.3", lambda X, K: corr2d(X), "missing 1 required positional argument: 'K'."),
    ("2.1", lambda size, k: [k[0] * k[1] + 1], "is a row of 1 number. It should be a single"),
    ("2.2", lambda layer, X, Y: layer.zero_grad() or layer.weight.grad, "is None until then."),
    ("2.2", lambda *a: error_of(*a).backward(), "scalar outputs. backward() starts from one"),
    ("2.2", lambda *a: error_of(*a).sum().backward(), "backward() itself returns None"),
    ("2.2", lambda *a: error_of(*a).sum().item().backward(), ".item() made a plain number of the"),
    ("2.2", lambda layer, X, Y: 2 * layer.weight.grad.zero_(), "It should be"),
    ("2.2", lambda *a: error_of(*a).data.sum().backward(), "The loss is cut off from the weight."),
    ("2.2", lambda layer, X, Y: layer.grad, "each of its parameters has one: layer.weight.grad."),
    ("2.3", torch.zeros(1), "You passed tensor([0.]); expected a layer, such as Conv2D((1, 1))."),
    (
        "2.3",
        Conv2D((2, 2)),
        "The output is an array of 1 × 2. It should be an array of 2 × 3. It should have",
    ),
    ("2.3", torch_layer(1, 2, 1), "The output is an array of 1 × 2 × 2 × 3."),
    ("2.3", Doubling(), "the layer has no parameters to learn."),
    ("2.3", Doubling(unused=1.0), "it does not depend on the layer's parameters."),
    ("2.3", Doubling(weight=2.0, unused=1.0), "the parameter unused plays no part in it."),
    ("3.1", ROWS, "a dictionary with the keys output, X transposed, K transposed."),
    ("3.1", diagonal([*ROWS[:3], [0, 0, 0]], X=...), "The output[3, 2] is 0. Take X[3, 2] minus"),
    ("3.1", diagonal([[1, 0, 0]]), "is an array of 1 × 3. K fits at 4 × 3 places of X"),
    ("3.1", diagonal(X="zeros"), "X transposed gives 'zeros'? Look at X"),
    ("3.1", diagonal(K="same"), "K transposed gives 'same'? The kernel now takes a cell minus"),
    ("3.1", diagonal(K=...), "'K transposed' is still `...`."),
    ("3.1", diagonal(X="equal"), 'is \'equal\'; expected one of "same", "transposed", "zeros".'),
    ("3.2", lambda v: [[0, 1e-6 * v[0]], [1e-6 * v[1], 0]], "The weights add up to 7e-06."),
    ("3.2", lambda v: torch.zeros(3), "The kernel is a row of 3 numbers; it should have rows"),
    ("3.2", lambda v: v[0] * kernel("Sobel x"), "of your kernel is (5, 0). It should be (3, 4)."),
    (
        "3.2",
        lambda v: SECOND_DERIVATIVE,
        "The response is 0 where brightness rises evenly along v.",
    ),
    ("3.2", lambda v: sobel((v[0], 2 * v[1])), "is (1.756, 4.682). It should be (3, 4)."),
    ("3.2", lambda v: sobel(v) + 1000 * SECOND_DERIVATIVE, "it should not be negative."),
    ("3.2", lambda v: sobel(v) + SECOND_DERIVATIVE, "at right angles to v only, the response is"),
    ("3.2", lambda v: sobel(v) / (v[0] + v[1]), "expected finite numbers. Was something divided"),
    ("3.3", lambda d: 3, "The kernel is a single number. One row is written [[-1, 1]]"),
    (
        "3.3",
        lambda d: [[-1, 1]] if d == 1 else [[1, 1]],
        "The kernel is an array of 1 × 2. That is too few cells for so many differences of "
        "differences.\nTried with d = 2.",
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
    ("4.2", step_with(clear_late), "The order is zero_grad(), backward(), update."),
    ("4.2", fixed_rate, "lr plays no part: multiply each gradient by the lr that is passed."),
    (
        "4.3",
        lambda X, Y, K: torch.func.grad(lambda k: ((corr2d(X, k) - Y) ** 2).sum())(K),
        "The result is right, but grad is not to be used. Use corr2d, and the residual.",
    ),
    ("4.3", lambda X, Y, K: corr2d(X, K) - Y, "The gradient is an array of 2 × 2. It should be"),
    ("4.4", learn_in_place, "Your function changes K in place. Work on a copy: K.clone()."),
    ("4.4", lambda X, Y, K, lr, steps: 0.5 * K, "The kernel is ("),
    (
        "5.1",
        lambda X, size: 0.5,
        "Your limit is 0.5. It should be 0.03333.\nTried with X = stripes(), kernel_size = (1, 2).",
    ),
    (
        "5.1",
        lambda X, size: QuadraticLoss(X, size).max_stable_lr,
        "max_stable_lr is not to be used.",
    ),
    ("5.1", lambda X, size: QuadraticLoss(X, size).stable_lr(0), "stable_lr is not to be used."),
    (
        "5.1",
        lambda X, size: 2 / torch.linalg.eigvals(QuadraticLoss(X, size).hessian).max(),
        "A Hessian is symmetric: torch.linalg.eigvalsh gives real ones.",
    ),
    ("5.2", lambda k, v, g, lr, m: k - lr * g, "Return two arrays: return kernel, velocity."),
    (
        "5.2",
        lambda k, v, g, lr, m: (k.sum() + g, v.sum() + k),
        "The velocity is (-1.25, -4.5). It should be (-1.1, -2.9).",
    ),
    (
        "5.2",
        lambda k, v, g, lr, m: (k.flatten(), v.flatten()),
        "The velocity is a row of 2 numbers. It should be an array of 1 × 2. It should be like",
    ),
    ("9.1", lambda X, size: pool2d(X, size, "avg"), "The result is right, but without corr2d. "),
    ("9.1", lambda X, size: mean_of_windows(X, size), "The result is right, but without corr2d. "),
    ("8.7", lambda k, delta: 7.5, "The number of reads is 7.5. Count the pixels in a row"),
    ("9.2", [[1, 0]], "Pass two windows of one shape: [A, B]."),
    ("9.2", [[[1, 0]], [[0]]], "The pair has rows of different lengths: 2, 1."),
    ("9.3", lambda X: pool2d(X, 2), "pool2d is not to be used. Use corr2d and torch.relu."),
    ("9.4", lambda *args: 0, "Your count is 0. It should be 12."),
    ("9.6", lambda X, size: X, "The output is an array of 3 × 4. It should be an array of 2 × 3."),
    ("5.4", lambda curvatures, lr, share: 7, "Your count is 7. It should be 21."),
    (
        "5.4",
        lambda curvatures, lr, share: math.log(share) / math.log(1 - lr * max(curvatures)),
        "Take the factor without its sign: abs(factor).",
    ),
    ("6.1", lambda kernel, X, Y, lr: kernel, "returned a Tensor. Write a loop with `yield kernel`"),
    ("6.1", yields_three, "Your loop ends after 3 steps. Let it go on: `while True:`."),
    ("6.1", in_place_loop, "changes kernel in place. Work on a copy: kernel.clone()."),
    ("6.1", lambda *args: print(end=""), "Your function returned None. It needs a yield"),
    ("6.1", lambda k, X, Y, lr: (k @ Y for _ in X), "raised RuntimeError: mat1 and mat2 shapes"),
    ("6.2", "mean for sum", "The names are 'mean for sum'; expected names by letter"),
    ("6.2", {"A": "minus"}, "A is 'minus'; expected one of 'gradients never cleared', "),
    ("6.3", {"B": ORDER["A"]}, "B is another fault. With 'sign reversed' each"),
    ("6.7", {"D": ORDER["D"], "E": ...}, "Corrected: ((outputs - Y.reshape(-1, 1)) ** 2).sum()"),
    ("6.7", {"D": ORDER["D"], "E": ...}, "Still to name: E, F."),
    ("6.7", {"D": ORDER["E"]}, "fault D gives (-24.7, -24.7)."),
    ("6.5", [[2, -1], [-1, 0]], "The upper left weight is 2. It should be 3."),
    ("6.5", [[3, -1], [-2, 0.5]], "Each column of the kernel has to keep its sum: 1 on the left"),
    ("6.5", [3, -1, -2, 0], "The kernel is a row of 4 numbers; expected an array of 2 × 2."),
    ("6.6", torch.eye(5), "The picture is an array of 5 × 5; expected an array of 6 × 8."),
    (
        "6.6",
        with_pixels((2, 2), (0, 5)),
        "The condition number is 2. It should be 1. All directions",
    ),
    ("6.6", with_pixels((2, 3)) / 2, "The picture has pixels up to 0.5; expected 0s and 1s"),
    ("7.3", lambda X, p: pad2d(X, p, "reflect"), "pad2d is not to be used."),
    ("7.3", lambda X, p: X, "The padded X is an array of 3 × 4. It should be an array of 5 × 6."),
    ("8.5", lambda *args: 7, "Return two numbers: return forward, backward."),
    ("8.5", lambda *args: (7, 7), "First the forward pass: input, weights, output."),
    ("8.6", [4, 1.2], "For the padding count the output's rows: 32 with padding 1"),
    ("8.6", 4, "Write two numbers: [channels, padding]."),
]
"""Wrong answers that are no known misconception, and what they are told."""
