"""Whatever torch's default dtype and device, and the device of tensors: the same is shown."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils._pytree import tree_map_only

import convkit
from convkit import codegen, images, kernels
from convkit.comparison import mismatch_mask, rounding_bound
from convkit.figures import show
from convkit.formatting import cell_texts, colour_limit, convergence_summary, describe, number
from convkit.inputs import as_array
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


def inputs_of_every_kind():
    arrays = [[[1, 0.5]], np.array([[1.0, 0.5]]), np.array([[[0.5, 0.5, 0.5]], [[1, 1, 1]]])]
    arrays += [np.full((2, 1, 3), 255, np.uint8), Image.new("I;16", (2, 1), 65535)]
    return [as_array("X", value) for value in arrays]


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
        *loss.descent(start, [0.01, 0.02], 0.9),
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
    inputs_of_every_kind,
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


# Tensors on an accelerator


class OnAccelerator(torch.Tensor):
    """A tensor that says it is on a GPU, and does not mix with those on the CPU."""

    @staticmethod
    def __new__(cls, held):
        return cls._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            dtype=held.dtype,
            device="meta",
            requires_grad=held.requires_grad,
        )

    def __init__(self, held):
        self.held = held

    @property
    def device(self):
        return torch.device("cuda")

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        options = dict(kwargs or {})
        device = options.pop("device", None)
        given = [A for A in (*args, *options.values()) if isinstance(A, torch.Tensor)]
        if any(A.ndim and not isinstance(A, cls) for A in given):
            raise RuntimeError("Expected all tensors to be on the same device")
        args, options = tree_map_only(cls, lambda A: A.held, (args, options))
        made = function(*args, **options)
        if str(device) == "cpu":
            return made
        return tree_map_only(torch.Tensor, cls, made)


X, K = convkit.stripes(), convkit.kernel("box blur", 2)
XA, KA = OnAccelerator(X), OnAccelerator(K)


@pytest.mark.parametrize(
    "operation",
    [
        convkit.corr2d,
        convkit.convolve2d,
        lambda X, K: convkit.corr2d(X, K, padding=1, padding_mode="circular"),
        lambda X, K: convkit.window(X, K, 1, 2),
        lambda X, K: convkit.pool2d(X, 2),
        lambda X, K: kernels.resized(2 * K, 3),
        lambda X, K: convkit.KernelDescent(X, convkit.corr2d(X, K), 0 * K).jump(3).kernel,
        lambda X, K: convkit.KernelDescent(X, convkit.corr2d(X, K), 0 * K).step().grad,
    ],
)
def test_results_come_back_on_the_inputs_device(operation):
    made = operation(XA, KA)
    assert made.device == XA.device
    assert_same(made.cpu(), operation(X, K))


@pytest.mark.parametrize(
    "show_",
    [
        lambda X, K: as_array("X", X),
        lambda X, K: lens(X, K)._repr_html_(),
        lambda X, K: pooling_lens(X, 2)._repr_html_(),
        lambda X, K: show({"X": X, "K": K}).png,
        lambda X, K: panel_texts(KernelEditor(X, K)),
        lambda X, K: panel_texts(DescentStepper(X, target=K)),
        lambda X, K: panel_texts(explore(lambda n: X * n, n=(1, 3))),
        lambda X, K: convkit.QuadraticLoss(X, 2, convkit.corr2d(X, K)).descent(K, [0.01]),
        lambda X, K: convkit.QuadraticLoss(X, 2, convkit.corr2d(X, K)).projection_axes(K),
        rounding_bound,
        lambda X, K: mismatch_mask(X, X + 1, X),
        lambda X, K: [images.named_like(X), kernels.named_like(K), codegen.literal(K)],
        lambda X, K: [describe("X", X), cell_texts(K), colour_limit(X), number(K[0, 0])],
    ],
)
def test_what_is_shown_or_analysed_is_brought_to_the_cpu(show_):
    assert_same(show_(XA, KA), show_(X, K))


def test_tensors_on_two_devices_are_refused():
    with pytest.raises(
        convkit.ConvkitError, match=r"X has device cuda and K has cpu.*K\.to\(X.device"
    ):
        convkit.corr2d(XA, K)


# Other defaults


USUAL = {make: make() for make in MAKERS}


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_what_is_made_under_other_defaults_is_the_same(make, default):
    assert_same(make(), USUAL[make])


def test_a_layer_starts_as_under_torchs_defaults(default):
    weights = convkit.Conv2D((3, 4)).weight
    assert_same([weights], [weights.float().cpu()])
    assert 0 <= weights.min() < weights.max() < 1
