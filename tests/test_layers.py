import pytest
import torch
from torch import nn
from torch.testing import assert_close

from convkit import Conv2D, ConvkitError

X = torch.arange(30.0).reshape(5, 6) / 10


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [1, 3, (1, 2), (4, 3)])
def test_layer_is_torchs_layer_forward_and_backward(size, bias):
    ours, theirs = Conv2D(size, bias=bias), nn.Conv2d(1, 1, size, bias=bias)
    theirs.weight.data[0, 0] = ours.weight.data
    if bias:
        ours.bias.data[:] = theirs.bias.data[:] = 0.7
    Y, expected = ours(X), theirs(X[None, None])[0, 0]
    assert Y.shape == expected.shape
    assert_close(Y, expected)
    (Y**2).sum().backward()
    (expected**2).sum().backward()
    assert_close(ours.weight.grad, theirs.weight.grad[0, 0])
    if bias:
        assert_close(ours.bias.grad, theirs.bias.grad)


def test_parameters_start_as_in_the_book():
    torch.manual_seed(3)
    expected = torch.rand(2, 3)
    torch.manual_seed(3)
    layer = Conv2D((2, 3))
    assert torch.equal(layer.weight, expected)
    assert repr(layer.bias) == "Parameter containing:\ntensor([0.], requires_grad=True)"


def test_a_layer_without_bias_has_one_parameter():
    assert [name for name, _ in Conv2D(3, bias=False).named_parameters()] == ["weight"]


@pytest.mark.parametrize(
    ("size", "X", "given"),
    [
        (0, X, "kernel_size is 0"),
        (501, X, "kernel_size is 501"),
        ((2, 3, 4), X, "kernel_size is (2, 3, 4)"),
        (6, X, "the kernel of shape (6, 6) with dilation 1 on X of shape (5, 6)"),
        (2, X.double(), "layer.weight has dtype torch.float32 and X has torch.float64"),
    ],
)
def test_errors(size, X, given):
    with pytest.raises(ConvkitError) as error:
        Conv2D(size)(X)
    assert given in error.value.given
