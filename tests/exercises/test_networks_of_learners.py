"""Networks that learners write in other ways: lazy, nested, as classes, wrong in other ways."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convkit.exercises import check
from convkit.networks import lenet


class ByFunctions(nn.Module):
    """LeNet whose activations and poolings are functions, with its layers in another order."""

    def __init__(self):
        super().__init__()
        self.dense = nn.ModuleList([nn.Linear(84, 10), nn.Linear(400, 120), nn.Linear(120, 84)])
        self.second, self.first = nn.Conv2d(6, 16, 5), nn.Conv2d(1, 6, 5, padding=2)

    def forward(self, X):
        for layer in (self.first, self.second):
            X = F.max_pool2d(F.relu(layer(X)), 2)
        return self.dense[0](F.relu(self.dense[2](F.relu(self.dense[1](X.flatten(1))))))


class Pair(ByFunctions):
    def forward(self, X):
        return X, super().forward(X)


def block(*sizes):
    return nn.Sequential(nn.LazyConv2d(*sizes), nn.ReLU(inplace=True), nn.MaxPool2d(2))


def lazy():
    head = [nn.LazyLinear(120), nn.ReLU(), nn.LazyLinear(84), nn.ReLU(), nn.LazyLinear(10)]
    return nn.Sequential(block(6, 5, 1, 2), block(16, 5), nn.Sequential(nn.Flatten(), *head))


def with_dropout():
    layers = [*lenet(modern=True)]
    return nn.Sequential(*layers[:9], nn.Dropout(0.1), *layers[9:])


@pytest.mark.parametrize("answer", [ByFunctions, ByFunctions(), lazy, lazy(), with_dropout])
def test_what_computes_the_same_is_right(answer):
    assert check("11.2", answer)


def test_a_network_that_is_checked_stays_as_it_is():
    net = lenet(modern=True)
    before = [p.clone() for p in net.parameters()]
    assert check("11.2", lambda: net)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: ByFunctions, "Return a network: ByFunctions()"),
        (lambda: 3, "of type int; expected a network"),
        (Pair, "Two pictures give tuple"),
        (nn.Sequential, "expected (2, 10)"),
        (lambda: lenet(True)[:-1], "expected (2, 10)"),
        (lambda: nn.Sequential(*lenet(True)[:6]), "expected (2, 10)"),
        (lambda: nn.Sequential(*lenet(True)[3:]), "RuntimeError"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), "The layers' parameters"),
    ],
)
def test_what_is_no_such_network_is_told(answer, words):
    result = check("11.2", answer)
    assert not result and words in repr(result)
