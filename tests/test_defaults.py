"""Whatever torch's default dtype and device are, convkit makes and shows the same."""


import numpy as np
import pytest
import torch

import convkit
from convkit import codegen, images, kernels
from convkit.comparison import mismatch_mask, rounding_bound
from convkit.figures import show
from convkit.formatting import convergence_summary
from convkit.lenses import lens, pooling_lens
from convkit.panels import DescentStepper, KernelEditor
from convkit.ui import explore


@pytest.fixture(params=["float64", "bfloat16", "meta"])
def default(request):
    """Set another default; "meta" stands for any accelerator, since it computes no values."""
    if request.param == "meta":
        torch.set_default_device("meta")
    else:
        torch.set_default_dtype(getattr(torch, request.param))
    yield
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


def pictures_and_kernels():
    return [images.picture(name) for name in images.PICTURES], list(
        map(convkit.kernel, kernels.KERNELS)
    )


def a_layer():
    layer = convkit.Conv2D((1, 2))
    layer.weight.data.fill_(1)
    return layer.weight, layer.bias, layer(convkit.stripes())


def operations():
    X, K = convkit.stripes(), convkit.kernel("Gaussian blur", 2)
    Y = convkit.corr2d(X, K, padding=1, padding_mode="reflect")
    bound = rounding_bound(X, K)
    return (
        *(Y, convkit.convolve2d(X, K), convkit.pool2d(X, 2, "avg"), convkit.window(X, K, 0, 1)),
        *(bound, mismatch_mask(convkit.corr2d(X, K), 0 * bound, bound)),
        kernels.resized(K, 3),
    )


def a_loss():
    X = convkit.stripes()
    loss = convkit.QuadraticLoss(X, 2, convkit.pool2d(X, 2, "avg"))
    start = convkit.dot(2)
    assert loss.fastest_lr < loss.max_stable_lr
    return (
        *(loss.hessian, loss.eigenvalues, loss.directions, loss.best_kernel, loss.gradient(start)),
        *loss.projection_axes(start),
        *loss.descent(start, [0.01, 0.02]),
        convergence_summary(loss, start, 0.01).text,
    )


def a_descent():
    X = convkit.stripes()
    descent = convkit.KernelDescent(X, convkit.corr2d(X, convkit.kernel("Sobel x")), convkit.dot(3))
    return descent.jump(3).kernel, descent.grad, descent.loss


def lenses_and_figures():
    X, K = convkit.ramp((5, 6)), [[1, -1]]
    return (
        lens(X, K, padding=1, bias=0.5, candidate=np.ones((7, 7)))._repr_html_(),
        pooling_lens(X, 2, "avg")._repr_html_(),
        pooling_lens(X, 2, padding=1)._repr_html_(),
        show({"X": X, "K": K}, signed="K").png,
    )


def panel_texts(panel):
    try:
        return panel.saved_html().split("torch code")[0], repr(panel), panel.status
    finally:
        panel.close()


def a_kernel_editor():
    panel = KernelEditor(convkit.photo(128), operation=lambda X, K: convkit.corr2d(X, K) + 1)
    panel.padding, panel.flip = 1, True
    panel.undo()
    return panel_texts(panel)


def a_descent_stepper():
    panel = DescentStepper(convkit.stripes(), target=convkit.kernel("Sobel x"))
    panel.lr = 0.01
    panel.n = 5
    return panel_texts(panel)


def an_explored_function():
    return panel_texts(explore(lambda K, n: convkit.resized(K, n), K=np.ones((1, 2)), n=(1, 3)))


MAKERS = [
    pictures_and_kernels,
    a_layer,
    operations,
    a_loss,
    a_descent,
    lenses_and_figures,
    a_kernel_editor,
    a_descent_stepper,
    an_explored_function,
]


def test_generated_code_says_what_the_defaults_do_not(default):
    X, K = convkit.stripes(), torch.tensor([[1, -0.3]], dtype=torch.float32, device="cpu")
    options = {"padding": 0, "stride": 1, "dilation": 1, "flip": False}
    made = {}
    exec(codegen.correlation_code(codegen.array_code(X, "X"), K, **options), made)
    assert_same(made["Y"], convkit.corr2d(X, K))


USUAL = {make: make() for make in MAKERS}


def assert_same(made, usual):
    if isinstance(usual, list | tuple):
        assert len(made) == len(usual)
        for pair in zip(made, usual, strict=True):
            assert_same(*pair)
    elif isinstance(usual, torch.Tensor):
        assert made.dtype == usual.dtype
        assert made.device.type == "cpu"
        assert torch.equal(made, usual)
    else:
        assert made == usual


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_what_is_made_under_other_defaults_is_the_same(make, default):
    assert_same(make(), USUAL[make])


def test_a_layer_starts_as_under_torchs_defaults(default):
    weights = convkit.Conv2D((3, 4)).weight
    assert_same([weights], [weights.float().cpu()])
    assert 0 <= weights.min() < weights.max() < 1
