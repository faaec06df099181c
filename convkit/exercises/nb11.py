"""The exercises of notebook 11: LeNet, counted, modernised and looked into; and D2L 7.1's."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from convkit.exercises import Case, Exercise, Question, Wrong, random_numbers, run
from convkit.exercises._exercise import Function, Observations
from convkit.networks import activations, begin, lenet, training

RATE, STEPS, ENOUGH = 2e-3, 110, 0.8
"""The learner's network is trained for five epochs; the original learns next to nothing in them."""


def modern_lenet():
    """Put ReLU in place of each sigmoid, and maximum in place of average pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def _network(function: Function) -> Any:
    """Return a copy of a learner's network, of any kind, after it has seen a picture."""
    given = function if isinstance(function, nn.Module) else run(function)
    if isinstance(given, type) and issubclass(given, nn.Module):
        raise Wrong(f"It is the class {given.__name__}. Return a network: {given.__name__}().")
    if not isinstance(given, nn.Module):
        kind = type(given).__name__
        raise Wrong(f"It is of type {kind}; expected a network, such as an nn.Sequential.")
    net = deepcopy(given).float()
    Y = run(net, random_numbers(2, 1, 28, 28, seed=1).float())  # lazy layers have weights now
    shape = tuple(Y.shape) if isinstance(Y, Tensor) else type(Y).__name__
    if shape != (2, 10):
        raise Wrong(f"Two pictures give {shape}; expected (2, 10), ten numbers for each.")
    return net


def _observe_network(function: Function) -> Observations:
    """Return the sizes of a network, and how it differs from LeNet with the same weights."""
    net = _network(function)
    layers = [layer for layer in net.modules() if [*layer.parameters(recurse=False)]]
    counts = sorted(float(sum(p.numel() for p in layer.parameters())) for layer in layers)
    observed = {"The layers' parameters": torch.tensor(counts)}
    by_shape = {p.shape: p for p in lenet().parameters()}  # no two are equal
    mine = [*net.parameters()]
    if len(mine) == len(by_shape) and {p.shape for p in mine} == by_shape.keys():
        for weights in mine:
            weights.data.copy_(by_shape[weights.shape])
        net = net.double().eval()  # without dropout
        observed["The output"] = run(net, random_numbers(2, 1, 28, 28, seed=1).double())
    return observed


def _require_learning(function: Function) -> None:
    """Raise Wrong unless a network learns in five epochs."""
    torch.manual_seed(0)
    net = _network(function)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
    *_, last = training(begin(net), RATE, STEPS, every=STEPS)
    if last.accuracy < ENOUGH:
        raise Wrong("It has the right layers, and yet does not learn to read in five epochs.")


def _as_in(changes: dict[int, nn.Module]) -> Function:
    """Return a function that makes the modern network with other layers at some places."""

    def made() -> nn.Sequential:
        layers = list(lenet(modern=True))
        for place, layer in changes.items():
            layers[place] = layer
        return nn.Sequential(*layers)

    return made


def second_maps(net, X):
    """Go through the layers up to the second activation."""
    for layer in net[:5]:
        X = layer(X)
    return X


def _after(k: int) -> Function:
    return lambda net, X: activations(net, X[None])[k][0]


EXERCISES = {
    "11.1": Exercise(
        hint="A convolution has a kernel for each pair of output and input channel, and a bias\n"
        "for each output. A dense layer has a weight for each pair of numbers, and biases too.\n"
        "The first dense layer gets 16 maps of 5 × 5.",
        success="Together 61,706, most of them in the first dense layer.",
        solution="counts = [(25 * 1 + 1) * 6, (25 * 6 + 1) * 16, 401 * 120, 121 * 84, 85 * 10]",
        correct=[156, 2_416, 48_120, 10_164, 850],
        misconceptions={
            "The biases are missing: one for each output.": [150, 2_400, 48_000, 10_080, 840],
            "The second convolution has a kernel for each of its six input channels too.": [
                156,
                416,
                48_120,
                10_164,
                850,
            ],
            "The first dense layer gets the maps after the second pooling, 16 × 5 × 5.": [
                156,
                2_416,
                192_120,
                10_164,
                850,
            ],
            "There is one bias for each output, not for each weight.": [
                300,
                4_800,
                96_000,
                20_160,
                1_680,
            ],
            "These are the sizes of the outputs; parameters do not depend on the picture.": [
                4_704,
                1_600,
                120,
                84,
                10,
            ],
            "Those are weights and biases apart. Add the two of each layer.": [
                *(150, 6, 2_400, 16, 48_000, 120, 10_080, 84, 840, 10),
            ],
            "That is one for each of the twelve layers. Leave out those without parameters.": [
                *(156, 0, 0, 2_416, 0, 0, 0, 48_120, 0, 10_164, 0, 850),
            ],
            "That is how many there are in all. Write one number for each of the five layers.": (
                61_706
            ),
            "A kernel is shared by all places of the picture: count it once.": [
                122_304,
                241_600,
                48_120,
                10_164,
                850,
            ],
        },
        name="The list",
        reveals=False,
    ),
    "11.2": Exercise(
        hint="Copy the twelve layers from above. Two kinds of them change; no size does.",
        success="The same parameters, and it learns to read in five epochs; the original does not.",
        solution=modern_lenet,
        correct=_as_in({}),
        observe=_observe_network,
        require=_require_learning,
        misconceptions={
            "That is the original: its sigmoids and average poolings are still there.": lenet,
            "All activations are still sigmoids.": _as_in(
                {1: nn.Sigmoid(), 4: nn.Sigmoid(), 8: nn.Sigmoid(), 10: nn.Sigmoid()}
            ),
            "Both poolings still average.": _as_in({2: nn.AvgPool2d(2), 5: nn.AvgPool2d(2)}),
            "The first pooling still averages.": _as_in({2: nn.AvgPool2d(2)}),
            "The second pooling still averages.": _as_in({5: nn.AvgPool2d(2)}),
            "The dense layers still have sigmoids.": _as_in({8: nn.Sigmoid(), 10: nn.Sigmoid()}),
            "The convolutions still have sigmoids.": _as_in({1: nn.Sigmoid(), 4: nn.Sigmoid()}),
            "It ends in a softmax. The loss has one of its own, so leave the last numbers as "
            "they are.": lambda: nn.Sequential(*modern_lenet(), nn.Softmax(1)),
            "There is a ReLU after the last layer, which makes 0 of every negative number.": (
                lambda: nn.Sequential(*modern_lenet(), nn.ReLU())
            ),
            "tanh is no ReLU: it is flat on both sides.": _as_in(
                {1: nn.Tanh(), 4: nn.Tanh(), 8: nn.Tanh(), 10: nn.Tanh()}
            ),
        },
        name="The network",
    ),
    "11.3": Exercise(
        hint="net[:5] holds the layers up to the second activation: convolution, activation,\n"
        "pooling, convolution, activation. Give X to the first, and what it returns to the next.",
        success="Two networks: sixteen maps of 10 × 10.",
        solution=second_maps,
        correct=_after(4),
        misconceptions={
            "Those are sums: the activation comes after them.": _after(3),
            "Those are the maps after the second pooling: it halves their sides.": _after(5),
            "Those are the maps of the first layer.": _after(1),
            "Those are the maps of the first layer after its pooling.": _after(2),
            "The activation is applied twice.": lambda net, X: net[4](_after(4)(net, X)),
        },
        name="The maps",
        cases=(
            Case(lenet(seed=1), random_numbers(1, 28, 28, seed=2), tried="the original LeNet"),
            Case(lenet(True, 2), random_numbers(1, 28, 28, seed=3), tried="the modernised LeNet"),
        ),
    ),
}

QUESTIONS = {
    "11.4": Question(
        "You double the channels of both convolutions, 6 to 12 and 16 to 32, and change nothing "
        "else. Which layer gains the most parameters? (D2L 7.6.2)",
        {
            "The second convolution: its parameters quadruple.": "They do, from 2,416 to 9,632: "
            "7,216 more. The dense layer that follows gains more.",
            "The first dense layer: it now gets 800 numbers.": "Right. It goes from 48,120 to "
            "96,120 parameters: 48,000 more. What a layer hands on is paid for in the next one.",
            "None: kernels are shared, so channels are free.": "Kernels are shared by places, not "
            "by channels: each pair of channels has its own.",
        },
        right="The first dense layer: it now gets 800 numbers.",
    ),
    "11.5": Question(
        "MNIST has 60,000 digits of 28 × 28, not 1,347 that were enlarged from 8 × 8. What do you "
        "expect of the same network, trained for the same number of epochs? (D2L 7.6.3)",
        {
            "Worse: there is more to remember.": "It need not remember them. More pictures make "
            "remembering harder, and what is left is to learn what digits have in common.",
            "The same: the network is the same.": "An epoch has 45 times as many steps there, "
            "and more hands wrote them.",
            "Better: more steps, and more different digits.": "Right. Few of its "
            "mistakes are left there.",
        },
        right="Better: more steps, and more different digits.",
    ),
    "11.6": Question(
        "The trained network is shown pure noise. What does it answer? (D2L 7.6.5)",
        {
            "About 0.1 for each digit, because it is none.": "Nothing taught it to. It was trained "
            "to tell ten digits apart, never to say that a picture is none.",
            "Some digit, often with a high probability.": "Right. The probabilities add up to 1 "
            "whatever the picture is, and far from the digits they are not to be trusted.",
            "An error: noise is no digit.": "Any 784 numbers are a picture to it.",
        },
        right="Some digit, often with a high probability.",
    ),
    "11.7": Question(
        "A convolution whose kernels are 1 × 1: what is it? (D2L 7.1.1)",
        {
            "A dense layer on the whole picture.": "It never sees two pixels at once.",
            "A dense layer on the channels of each pixel, the same at every pixel.": "Right. "
            "Several of them with activations are an MLP that runs at each pixel by itself.",
            "A layer that only scales the picture.": "With one channel, yes. With several, it "
            "mixes them.",
        },
        right="A dense layer on the channels of each pixel, the same at every pixel.",
    ),
    "11.8": Question(
        "Sound as a spectrogram, time across and pitch up. Along which axis do shared weights "
        "fit best? (D2L 7.1.2)",
        {
            "Along time: the same sound may come at any moment.": "Right. Along pitch it holds "
            "in part: a tune may be sung higher, but a hiss is no hum.",
            "Along pitch: each tone has the same loudness.": "It has not; and a vowel is told by "
            "the pitches at which its parts lie.",
            "Along neither: sound is no picture.": "A spectrogram is one. Locality and sharing "
            "are claims about it that one can check.",
        },
        right="Along time: the same sound may come at any moment.",
    ),
    "11.9": Question(
        "Where is it bad that a layer treats all places alike? (D2L 7.1.3)",
        {
            "Where objects have many sizes.": "That is another matter: the layer treats places "
            "alike, not sizes.",
            "Where pictures are in colour.": "Colours are channels, which have weights of their "
            "own.",
            "Where the place says what something is, as in passport photos.": "Right. There eyes "
            "are above a mouth, always at the same height; weights of one's own for each place "
            "can use that.",
        },
        right="Where the place says what something is, as in passport photos.",
    ),
    "11.10": Question(
        "Convolutions along the words of a text. What is hard for them? (D2L 7.1.4)",
        {
            "Words are no numbers.": "They become some, by an embedding; that is no problem of "
            "convolutions.",
            "A word may depend on one far away.": "Right. A window of five sees five words; it "
            "takes many layers, or wide windows, until the first and the last meet.",
            "A text has only one dimension.": "So has a signal. Notebook 10 did it.",
        },
        right="A word may depend on one far away.",
    ),
    "11.11": Question(
        "An object lies half outside the picture. What does a convolution do there? (D2L 7.1.5)",
        {
            "The same sums, with the padding in place of what is missing.": "Right. So its output "
            "is weaker or another one at the border, and sharing between places ends there.",
            "It finds the object as well as elsewhere.": "Part of its window holds padding, "
            "zeros, not the object.",
            "It sees no window there at all.": "With padding it does, and without it the windows "
            "stop before the border, but each pixel is in at least one.",
        },
        right="The same sums, with the padding in place of what is missing.",
    ),
    "11.12": Question(
        "Is f * g = g * f for the convolution of two functions? And for cross-correlation? "
        "(D2L 7.1.6)",
        {
            "Yes, for both.": "Cross-correlation of g with f gives that of f with g turned by half "
            "a turn.",
            "Yes for convolution; cross-correlation comes out flipped.": "Right. Put z = x - y in "
            "the integral of f(y) g(x - y) over y: it becomes that of g(z) f(x - z) over z. "
            "Without the flip the sign does not cancel.",
            "No, for neither.": "For convolution it holds: substitute z = x - y.",
        },
        right="Yes for convolution; cross-correlation comes out flipped.",
    ),
}
