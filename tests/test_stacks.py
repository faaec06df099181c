"""Receptive fields and stacks of layers, against gradients of torch's layers."""

import pytest
import torch
from hypothesis import given, reject
from hypothesis import strategies as st
from torch import nn

from convkit import ConvkitError, Layer, receptive_field
from convkit.stacks import as_layers, geometries, lines_seeing, lines_seen, path_counts

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADDINGS = st.tuples(st.integers(0, 2), st.integers(0, 2))
STACKS = st.lists(st.tuples(PAIRS, PAIRS, PADDINGS, PAIRS), min_size=1, max_size=3)


def convolutions(stack):
    """Return torch's own layers, of weights that let no gradient cancel."""
    net = nn.Sequential(
        *(nn.Conv2d(1, 1, k, s, p, d, bias=False, dtype=torch.float64) for k, s, p, d in stack)
    )
    for weight in net.parameters():
        nn.init.uniform_(weight, 0.5, 1.5)
    return net


def large_enough(stack):
    """Return an input, an output cell whose windows meet no border, and the input's gradient."""
    field = receptive_field(stack)
    pairs = (n if isinstance(n, tuple) else (n, n) for n in field)
    lengths = [
        (size, step, start, -start // step + 2) for size, step, start in zip(*pairs, strict=True)
    ]
    at = tuple(cell for *_, cell in lengths)
    shape = [start + step * cell + 2 * size + 2 * step for size, step, start, cell in lengths]
    X = torch.zeros(1, 1, *shape, dtype=torch.float64, requires_grad=True)
    convolutions(stack)(X)[0, 0][at].backward()
    return lengths, X.grad[0, 0]


@given(STACKS)
def test_the_gradient_of_a_cell_reaches_from_the_first_cell_it_sees_to_the_last(stack):
    lengths, gradient = large_enough(stack)
    for axis, (size, step, start, cell) in enumerate(lengths):
        seen = gradient.sum(1 - axis).nonzero().flatten().tolist()
        first = start + step * cell
        assert (seen[0], seen[-1]) == (first, first + size - 1)


def test_numbers_of_the_book():
    net = [nn.Conv2d(1, 6, 5, padding=2), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2)]
    fields = [receptive_field(net[:n]) for n in (1, 2, 3, 4)]
    assert [field.size for field in fields] == [5, 6, 14, 16]
    assert [field.stride for field in fields] == [1, 2, 2, 4]
    sizes = [each.output_size for each in geometries(as_layers(net), 28)]
    assert sizes == [(28, 28), (14, 14), (10, 10), (5, 5)]
    assert geometries(as_layers([5] * 10), 240)[-1].output_size == (200, 200)
    assert receptive_field([5] * 10) == (41, 1, 0)


@st.composite
def shown(draw):
    """Return a stack, an input size that it fits, a grid and a cell of it, and torch's grids."""
    stack, size = draw(STACKS), draw(st.tuples(st.integers(9, 14), st.integers(9, 14)))
    net = convolutions(stack)
    for weight in net.parameters():
        nn.init.ones_(weight)
    grids = [torch.zeros(1, 1, *size, dtype=torch.float64, requires_grad=True)]
    try:
        geometries(as_layers(stack), size)
    except ConvkitError:
        reject()
    for layer in net:
        grids.append(layer(grids[-1]))
    n = draw(st.integers(0, len(stack)))
    return as_layers(stack), size, grids, n, cell_of(draw, grids[n])


def cell_of(draw, grid):
    return tuple(draw(st.integers(0, side - 1)) for side in grid.shape[2:])


def gradient(grids, high, cell, low):
    (read,) = torch.autograd.grad(grids[high][0, 0][cell], grids[low], retain_graph=True)
    return read[0, 0]


@given(shown(), st.data())
def test_paths_are_gradients_of_layers_whose_weights_are_one(shown, data):
    layers, size, grids, n, at = shown
    counts = path_counts(layers, size, n, at)
    assert [count.shape for count in counts] == [grid.shape[2:] for grid in grids]
    for m, count in enumerate(counts[: n + 1]):
        torch.testing.assert_close(count, gradient(grids, n, at, m))
    for m in range(n + 1, len(grids)):
        cell = cell_of(data.draw, grids[m])
        assert counts[m][cell] == gradient(grids, m, cell, n)[at]


@given(shown())
def test_the_lines_that_a_cell_sees_are_those_that_its_gradient_reaches(shown):
    layers, size, grids, n, at = shown
    read = gradient(grids, n, at, 0)
    if n == 0 or not read.any():
        return
    for axis in (0, 1):
        stack = geometries(layers, size)[:n]
        reached = set(read.sum(1 - axis).nonzero().flatten().tolist())
        assert lines_seen(stack, axis)[at[axis]] == reached
        seeing = lines_seeing(stack, axis)
        assert {line for line, by in enumerate(seeing) if at[axis] in by} == reached


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (3, "layers is 3; expected a list of layers. Write for example"),
        ([], "0 layers; expected from 1 to 100."),
        ([nn.ReLU()], "layers[0] is ReLU(); expected a kernel size, a tuple"),
        ([3, nn.Conv2d(1, 1, 3, padding="same")], "layers[1] is Conv2d("),
        ([3, "3"], "layers[1] is '3'"),
        ([(3, 1, 0, 1, 1)], "layers[0] is (3, 1, 0, 1, 1)"),
        ([(3, 0)], "stride is 0"),
        ([(0,)], "kernel_size is 0"),
        ([2.5], "layers[0] is 2.5"),
        ([(3, 3)] * 20, "a cell sees"),
    ],
)
def test_what_is_no_stack_is_refused_in_words(layers, said):
    with pytest.raises(ConvkitError) as error:
        receptive_field(layers)
    assert str(error.value).startswith(said)


def test_a_window_that_does_not_fit_is_refused():
    with pytest.raises(ConvkitError, match="a kernel no larger than the padded input"):
        geometries([Layer(3), Layer((1, 4))], (5, 5))
