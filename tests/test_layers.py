import pytest
import torch
from torch import nn
from torch.testing import assert_close

from convkit import Conv2D, ConvkitError

X = torch.arange(30.0).reshape(5, 6) / 10


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [1, 3, (1, 2), (4, 3)])
def test_the_layer_is_torchs_layer_forward_and_backward(size, bias):
    ours = Conv2D(size, bias=bias)
    theirs = nn.Conv2d(1, 1, size, bias=bias)
    theirs.weight.data[0, 0] = ours.weight.data
    if bias:
        ours.bias.data[:] = 0.7
        theirs.bias.data[:] = 0.7
    Y, expected = ours(X), theirs(X[None, None])[0, 0]
    assert Y.shape == expected.shape
    assert_close(Y, expected)
    (Y**2).sum().backward()
    (expected**2).sum().backward()
    assert_close(ours.weight.grad, theirs.weight.grad[0, 0])
    if bias:
        assert_close(ours.bias.grad, theirs.bias.grad)


def test_the_bias_prints_as_in_the_book():
    text = repr(Conv2D(2).bias)
    assert text == "Parameter containing:\ntensor([0.], requires_grad=True)"


def test_the_weight_starts_as_torch_rand_does():
    torch.manual_seed(3)
    expected = torch.rand(2, 3)
    torch.manual_seed(3)
    assert torch.equal(Conv2D((2, 3)).weight, expected)


def test_the_parameters_are_those_to_learn():
    assert [name for name, _ in Conv2D(3).named_parameters()] == ["weight", "bias"]
    assert [name for name, _ in Conv2D(3, bias=False).named_parameters()] == ["weight"]
    assert Conv2D((2, 3)).weight.shape == (2, 3)
    assert Conv2D(3, bias=False).bias is None


def test_the_state_can_be_saved_and_loaded():
    one, other = Conv2D(3), Conv2D(3)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(X), other(X))


def test_the_dtype_can_be_changed():
    assert Conv2D(2).double()(X.double()).dtype == torch.float64


@pytest.mark.parametrize(
    ("size", "given", "texts"),
    [
        (0, X, ["kernel_size is 0", "at least 1", "write one number"]),
        ((2, 3, 4), X, ["kernel_size is (2, 3, 4)", "a pair (h, w)"]),
        (6, X, ["kernel_size (6, 6)", "input_size (5, 6)", "smaller kernel"]),
        (2, X[None, None], ["X has shape (1, 1, 5, 6)", "X[0, 0]"]),
        (2, X.double(), ["X has dtype torch.float64", "one dtype"]),
    ],
)
def test_errors(size, given, texts):
    with pytest.raises(ConvkitError) as error:
        Conv2D(size)(given)
    for text in texts:
        assert text in str(error.value)
