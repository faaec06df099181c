"""LeNet on handwritten digits, and its training as snapshots from which it can go on.

The digits are scikit-learn's, 8 x 8, enlarged to the 28 x 28 of the book (D2L 7.6). Which pictures
a step sees follows from the seed and its number alone, so that a training that goes on from a
snapshot is, bit for bit, the one that it left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, vmap

from convkit import ops
from convkit.errors import ConvkitError

BATCH = 64
"""Pictures in a step; the last step of an epoch has fewer."""
KEPT = 4
"""Of so many snapshots one has its optimizer."""
HELD_OUT = 450
"""How many of the 1,797 pictures no step sees."""
SIDE = 28
"""Rows and columns of LeNet's input."""
CONVOLUTIONS, DENSE = {1: 0, 2: 3}, 7
"""Which layers of LeNet its convolutions are, and which is the first of the dense ones."""


class Digits(NamedTuple):
    """Handwritten digits: what is trained on, and what is held out to test.

    Attributes
    ----------
    train, test : Tensor
        Pictures (1347, 1, 28, 28) and (450, 1, 28, 28), from 0 to 1.
    train_labels, test_labels : Tensor
        What they show, from 0 to 9.
    test_small : Tensor
        The test pictures as they were, (450, 8, 8), from 0 to 1.
    """

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    test_small: Tensor


@lru_cache(maxsize=1)
def digits() -> Digits:
    """Return scikit-learn's 1,797 handwritten digits, always split in the same way.

    Each call returns the same tensors: change copies of them.

    Raises
    ------
    ConvkitError
        If scikit-learn is not installed.

    Examples
    --------
    >>> digits().train.shape, digits().test.shape
    (torch.Size([1347, 1, 28, 28]), torch.Size([450, 1, 28, 28]))
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        hint = "Run this in a terminal, then restart the kernel: pip install scikit-learn"
        raise ConvkitError("scikit-learn is not installed", "it, for its digits", hint) from error
    loaded = load_digits()
    small, labels = torch.tensor(loaded.images / 16).float(), torch.tensor(loaded.target)
    order = torch.randperm(len(small), generator=torch.Generator().manual_seed(0))
    test, train = order[:HELD_OUT], order[HELD_OUT:]
    return Digits(
        enlarged(small[train]), labels[train], enlarged(small[test]), labels[test], small[test]
    )


def enlarged(small: Tensor) -> Tensor:
    """Return pictures (n, H, W) as LeNet takes them, (n, 1, 28, 28).

    Examples
    --------
    >>> enlarged(torch.zeros(5, 8, 8)).shape
    torch.Size([5, 1, 28, 28])
    """
    return F.interpolate(small[:, None], size=(SIDE, SIDE), mode="bilinear", align_corners=False)


def lenet(modern: bool = False, seed: int = 0) -> nn.Sequential:
    """Return LeNet with the layers of D2L 7.6 and Xavier's first weights.

    Parameters
    ----------
    modern : bool
        Whether it has ReLU and maximum pooling, not sigmoid and average pooling.
    seed : int
        Which first weights; torch's own generator is left alone.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in lenet().parameters())
    61706
    """
    act, pool = (nn.ReLU, nn.MaxPool2d) if modern else (nn.Sigmoid, nn.AvgPool2d)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(
            *(nn.Conv2d(1, 6, kernel_size=5, padding=2), act(), pool(2)),
            *(nn.Conv2d(6, 16, kernel_size=5), act(), pool(2)),
            *(nn.Flatten(), nn.Linear(400, 120), act()),
            *(nn.Linear(120, 84), act(), nn.Linear(84, 10)),
        )
        for layer in net:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
    return net


@torch.no_grad()
def activations(net: nn.Sequential, X: Tensor) -> list[Tensor]:
    """Return what each layer makes of pictures (n, 1, 28, 28), in order.

    Examples
    --------
    >>> [tuple(Y.shape[1:]) for Y in activations(lenet(), torch.zeros(1, 1, 28, 28))][:3]
    [(6, 28, 28), (6, 28, 28), (6, 14, 14)]
    """
    made = []
    for layer in net:
        X = layer(X)
        made.append(X)
    return made


Weights = dict[str, Tensor]
"""The parameters of many networks with the same layers, by name, the networks along the first axis.
"""


def weights_of(nets: Iterable[nn.Module]) -> Weights:
    """Return copies of the parameters of networks with the same layers.

    Examples
    --------
    >>> weights_of([lenet(), lenet(seed=1)])["0.weight"].shape
    torch.Size([2, 6, 1, 5, 5])
    """
    named = [dict(net.named_parameters()) for net in nets]
    return {k: torch.stack([each[k].detach() for each in named]) for k in named[0]}


def changed(
    weights: Weights, kernels: Mapping[int, Tensor], off: Iterable[tuple[int, int]]
) -> Weights:
    """Return the weights of LeNets in which kernels are others, and maps are off.

    Parameters
    ----------
    weights : mapping
        See `weights_of`.
    kernels : mapping
        Kernels (5, 5) of the first convolution, by the number of their map.
    off : pairs
        Convolution, 1 or 2, and number of a map that is 0 after its activation, whatever comes:
        its kernel is 0 and its bias minus infinity, of which ReLU and sigmoid make 0.

    Examples
    --------
    >>> without = changed(weights_of([lenet()]), {}, [(1, 3)])
    >>> activations_with(lenet(), without, torch.rand(1, 1, 28, 28))[1][0, 0, 3].max()
    tensor(0.)
    """
    made = {name: values.clone() for name, values in weights.items() if name[0] in "03"}
    for m, K in kernels.items():
        made["0.weight"][:, m, 0] = K
    for k, m in off:
        layer = CONVOLUTIONS[k]
        made[f"{layer}.weight"][:, m] = 0
        made[f"{layer}.bias"][:, m] = -torch.inf
    return {**weights, **made}


@torch.no_grad()
def activations_with(net: nn.Module, weights: Weights, X: Tensor) -> list[Tensor]:
    """Return what each layer makes of pictures (n, 1, 28, 28) with each of many sets of weights.

    All are computed together, with the sets along the first axis.

    Examples
    --------
    >>> net, others = lenet(), weights_of([lenet(), lenet(seed=1)])
    >>> activations_with(net, others, torch.zeros(3, 1, 28, 28))[-1].shape
    torch.Size([2, 3, 10])
    """
    layers = deepcopy(net)  # whose parameters are others for a moment

    def made(own: Weights) -> list[Tensor]:
        Y, found = X, []
        for k, layer in enumerate(layers.children()):
            names = [name for name, _ in layer.named_parameters()]
            Y = functional_call(layer, {name: own[f"{k}.{name}"] for name in names}, (Y,))
            found.append(Y)
        return found

    several: list[Tensor] = vmap(made)(weights)
    return several


@torch.no_grad()
def accuracy_with(net: nn.Sequential, weights: Weights) -> float:
    """Return the share of the test digits that a LeNet with other convolutions is right about.

    Examples
    --------
    >>> accuracy_with(lenet(), weights_of([lenet()[:DENSE]])) < 0.3
    True
    """
    Y = net[DENSE:](activations_with(net[:DENSE], weights, digits().test)[-1][0])
    return (Y.argmax(1) == digits().test_labels).double().mean().item()


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A network in training, at one step; see `begin` and `training`.

    Attributes
    ----------
    step : int
        How many steps it has made.
    net : torch.nn.Sequential
        The network.
    origin : torch.optim.Optimizer or (Snapshot, float)
        What has become of the optimizer; or an earlier snapshot, and the rate with which this one
        was reached from there. An optimizer takes twice the memory of its network, so every
        fourth snapshot has one.
    seed : int
        Which pictures its steps see.
    loss : float
        The mean cross-entropy of the test pictures.
    predicted : Tensor
        Which digit it takes each of the test pictures for.
    """

    step: int
    net: nn.Sequential
    origin: torch.optim.Optimizer | tuple[Snapshot, float]
    seed: int
    loss: float
    predicted: Tensor

    def resumed(self) -> tuple[nn.Sequential, torch.optim.Optimizer]:
        """Return copies of the network and of its optimizer, bit for bit as they were.

        Examples
        --------
        >>> net, optimizer = begin(lenet()).resumed()
        >>> type(optimizer).__name__
        'Adam'
        """
        if isinstance(self.origin, torch.optim.Optimizer):
            return deepcopy((self.net, self.origin))
        before, lr = self.origin
        net, optimizer = before.resumed()
        _set_rate(optimizer, lr)
        for step in range(before.step, self.step):
            _take_step(net, optimizer, _batch(self.seed, step))
        return net, optimizer

    @property
    def accuracy(self) -> float:
        """The share of the test pictures that it takes for what they are."""
        return (self.predicted == digits().test_labels).double().mean().item()

    @property
    def confusion(self) -> Tensor:
        """How often it takes what is a digit (row) for a digit (column), (10, 10)."""
        pairs = 10 * digits().test_labels + self.predicted
        return pairs.bincount(minlength=100).reshape(10, 10)


@dataclass(frozen=True, eq=False)
class Run:
    """A training so far.

    Attributes
    ----------
    lr : float
        Learning rate.
    last : int
        The last step that it is to make.
    snapshots : tuple of Snapshot
        From the first one on; other runs may share some.
    """

    lr: float
    last: int
    snapshots: tuple[Snapshot, ...]

    @property
    def steps_left(self) -> int:
        """How many steps are still to be made."""
        return self.last - self.snapshots[-1].step

    def go_on(self, every: int) -> Iterator[Run]:
        """Train to the last step; yield the run with each further snapshot.

        Examples
        --------
        >>> run = Run(2e-3, 4, (begin(lenet()),))
        >>> [len(longer.snapshots) for longer in run.go_on(every=2)], len(run.snapshots)
        ([2, 3], 1)
        """
        run = self
        for snapshot in training(self.snapshots[-1], self.lr, self.last, every):
            run = replace(run, snapshots=(*run.snapshots, snapshot))
            yield run

    def fork(self, at: int, lr: float) -> Run:
        """Return the run that leaves this one at a snapshot, with another rate.

        Examples
        --------
        >>> Run(2e-3, 4, (begin(lenet()),)).fork(0, lr=0.1).steps_left
        4
        """
        return replace(self, lr=lr, snapshots=self.snapshots[: at + 1])


def begin(net: nn.Sequential, seed: int = 0) -> Snapshot:
    """Return a network before its first step, with Adam as its optimizer.

    Parameters
    ----------
    net : torch.nn.Sequential
        Takes pictures (n, 1, 28, 28), returns ten numbers of each; no step changes it.
    seed : int
        In which order the training pictures are seen.

    Examples
    --------
    >>> begin(lenet()).step
    0
    """
    return _snapshot(0, net, torch.optim.Adam(net.parameters()), seed)


def training(start: Snapshot, lr: float, until: int, every: int = 8) -> Iterator[Snapshot]:
    """Train on from a snapshot, which stays as it is; yield one after every few steps.

    Parameters
    ----------
    start : Snapshot
        Where it goes on from.
    lr : float
        Learning rate.
    until : int
        The last step.
    every : int
        Steps from one snapshot to the next; the last step has one too.

    Examples
    --------
    >>> [snapshot.step for snapshot in training(begin(lenet()), 2e-3, until=5, every=2)]
    [2, 4, 5]
    """
    net, optimizer = start.resumed()
    _set_rate(optimizer, lr)
    kept: Any = None  # the last snapshot with its optimizer
    for step in range(start.step, until):
        _take_step(net, optimizer, _batch(start.seed, step))
        if (step + 1) % every and step + 1 != until:
            continue
        if kept is None or step + 1 >= kept.step + KEPT * every:
            made = kept = _snapshot(step + 1, *deepcopy((net, optimizer)), start.seed)
        else:
            made = _snapshot(step + 1, deepcopy(net), (kept, lr), start.seed)
        yield made


def _set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr


def steps_per_epoch() -> int:
    """Return how many steps see each training picture once.

    Examples
    --------
    >>> steps_per_epoch()
    22
    """
    return -(-len(digits().train) // BATCH)


def _batch(seed: int, step: int) -> Tensor:
    """Return the numbers of the pictures that a step sees."""
    epoch, n = divmod(step, steps_per_epoch())
    generator = torch.Generator().manual_seed(1000 * seed + epoch)
    return torch.randperm(len(digits().train), generator=generator)[BATCH * n : BATCH * (n + 1)]


def _take_step(net: nn.Sequential, optimizer: torch.optim.Optimizer, rows: Tensor) -> None:
    X, y = digits().train[rows], digits().train_labels[rows]
    with ops.one_thread(), torch.enable_grad():  # more threads would add up in another order
        optimizer.zero_grad()
        F.cross_entropy(net(X), y).backward()
        optimizer.step()


@torch.no_grad()
def _snapshot(step: int, net: nn.Sequential, origin: Any, seed: int) -> Snapshot:
    with ops.one_thread():
        Y = net(digits().test)
        loss = F.cross_entropy(Y, digits().test_labels).item()
    return Snapshot(step, net, origin, seed, loss, Y.argmax(1))
