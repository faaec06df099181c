"""LeNet and its training, against the book's numbers, finite differences, and itself replayed."""

import time

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convkit import ConvkitError
from convkit.networks import (
    activations,
    begin,
    digits,
    enlarged,
    lenet,
    steps_per_epoch,
    training,
)

PARAMETERS = [156, 2_416, 48_120, 10_164, 850]
SHAPES = [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (400,), (120,), (84,), (10,)]
RATE, STEPS = 2e-3, 440


def started_with(seed):
    return begin(lenet(modern=True, seed=seed), seed)


def equal_bits(a, b):
    """Return whether two snapshots have the same step, weights, optimizer and predictions."""
    states = [list(each.resumed()[1].state_dict()["state"].values()) for each in (a, b)]
    pairs = zip(a.net.parameters(), b.net.parameters(), strict=True)
    moments = zip(*states, strict=True)
    return (
        (a.step, a.loss) == (b.step, b.loss)
        and torch.equal(a.predicted, b.predicted)
        and all(torch.equal(x, y) for x, y in pairs)
        and all(torch.equal(x[k], y[k]) for x, y in moments for k in x)
    )


@pytest.mark.parametrize("modern", [False, True])
def test_shapes_and_parameters_are_the_books(modern):
    net = lenet(modern)
    layers = [layer for layer in net if isinstance(layer, nn.Conv2d | nn.Linear)]
    counts = [sum(p.numel() for p in layer.parameters()) for layer in layers]
    assert counts == PARAMETERS and sum(counts) == 61_706
    shapes = [tuple(Y.shape[1:]) for Y in activations(net, torch.zeros(3, 1, 28, 28))]
    assert [s for s, after in zip(shapes, [None, *shapes], strict=False) if s != after] == SHAPES
    X = torch.rand(3, 1, 28, 28)
    assert torch.equal(activations(net, X)[-1], net(X))


def test_kinds_of_layers():
    kinds = [{type(layer).__name__ for layer in lenet(modern)} for modern in (False, True)]
    assert {"Sigmoid", "AvgPool2d"} <= kinds[0] and {"ReLU", "MaxPool2d"} <= kinds[1]
    assert not kinds[0] & {"ReLU", "MaxPool2d"}


def test_the_first_weights_follow_from_the_seed_and_leave_torchs_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, same, other = lenet(seed=1), lenet(seed=1), lenet(seed=2)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first[0].weight, same[0].weight)
    assert not torch.equal(first[0].weight, other[0].weight)
    assert first[0].weight.abs().max() <= (6 / (25 + 150)) ** 0.5  # Glorot and Bengio 2010


@pytest.mark.parametrize("modern", [False, True])
def test_gradients_in_each_layer_are_finite_differences(modern):
    net, X, y = lenet(modern).double(), digits().train[:8].double(), digits().train_labels[:8]
    F.cross_entropy(net(X), y).backward()
    for layer in net:
        for parameter in layer.parameters():
            place = int(parameter.grad.abs().argmax())
            with torch.no_grad():
                flat, losses = parameter.view(-1), []
                for step in (1e-6, -2e-6):
                    flat[place] += step
                    losses.append(F.cross_entropy(net(X), y))
                flat[place] += 1e-6
            expected = (losses[0] - losses[1]) / 2e-6
            assert parameter.grad.view(-1)[place].item() == pytest.approx(expected.item(), abs=1e-6)


def test_no_test_picture_is_trained_on_and_each_digit_is_there():
    data = digits()
    train = {bytes(picture.numpy()) for picture in data.train}
    shared = sum(bytes(picture.numpy()) in train for picture in data.test)
    assert shared == 0 and len(data.train) + len(data.test) == 1797
    assert data.test_labels.unique().tolist() == [*range(10)] == data.train_labels.unique().tolist()
    assert torch.equal(enlarged(data.test_small), data.test)


@pytest.mark.parametrize(("seed", "least"), [(0, 0.97), (1, 0.95), (2, 0.95), (3, 0.95), (4, 0.95)])
def test_it_reads_held_out_digits(seed, least):
    """Seed 0 is the notebook's."""
    started = time.thread_time()
    *_, last = training(started_with(seed), RATE, STEPS, every=STEPS)
    assert last.accuracy >= least
    assert time.thread_time() - started < 5


def test_the_original_learns_more_slowly():
    *_, first, last = training(begin(lenet()), 3e-3, 440, every=110)
    assert first.accuracy < last.accuracy and last.accuracy >= 0.8


def test_a_replay_and_a_fork_with_the_same_rate_are_bit_equal():
    start = started_with(3)
    run = list(training(start, RATE, 40, every=8))
    assert all(map(equal_bits, run, training(started_with(3), RATE, 40, every=8)))
    fork = list(training(run[1], RATE, 40, every=8))
    assert all(map(equal_bits, fork, run[2:]))
    for each in run:  # those that have no optimizer of their own too
        pairs = zip(each.resumed()[0].parameters(), each.net.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
    other = list(training(run[1], 10 * RATE, 40, every=8))
    assert not equal_bits(other[-1], run[-1])
    assert equal_bits(start, started_with(3))  # and the snapshots stay as they were


def test_the_number_of_threads_does_not_change_a_bit():
    (one,) = training(started_with(0), RATE, 3, every=3)
    count = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (two,) = training(started_with(0), RATE, 3, every=3)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(count)
    assert equal_bits(one, two)


def test_each_epoch_sees_each_picture_once(monkeypatch):
    seen = []
    monkeypatch.setattr(
        F, "cross_entropy", lambda Y, y, real=F.cross_entropy: seen.append(y) or real(Y, y)
    )
    list(training(started_with(0), RATE, 2 * steps_per_epoch(), every=2 * steps_per_epoch()))
    labels = torch.cat(seen[1:-1])  # without the evaluations of the two snapshots
    first, second = labels.chunk(2)
    expected = digits().train_labels.bincount()
    assert torch.equal(first.bincount(), expected) and torch.equal(second.bincount(), expected)
    assert not torch.equal(first, second)


def test_counts_of_mistakes():
    snapshot = started_with(0)
    for i, j in ((3, 5), (8, 1)):
        of = digits().test_labels == i
        assert snapshot.confusion[i, j] == (snapshot.predicted[of] == j).sum()
    share = snapshot.confusion.diag().sum() / snapshot.confusion.sum()
    assert snapshot.accuracy == pytest.approx(share.item())


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    digits.cache_clear()
    with pytest.raises(ConvkitError, match="pip install scikit-learn"):
        digits()
