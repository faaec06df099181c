"""A lens says what an operation does: its tables, frames and sums are read from its nodes."""

import re
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from bs4 import BeautifulSoup
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from convkit import ConvkitError, corr2d, stripes
from convkit.inputs import as_array
from convkit.lenses import (
    MAX_SIDE,
    Operand,
    channels_lens,
    equation_lens,
    lens,
    matrix_lens,
    pooling_gradient_lens,
    pooling_lens,
    weight_lens,
)
from convkit.ops import WindowGeometry
from convkit.ui import Cursor, Frame, Scale
from tests.stripped import stripped_lines
from tests.untrusted_images import MARKUP

MODES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "replicate",
    "circular": "circular",
}
SOBEL = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])


class Read:
    """What a lens shows: the table of each title, and each output cell's sum, read as numbers."""

    def __init__(self, view):
        self.terms = {node.array.name: node for node in view.tree if node.kind == "term"}
        self.tables = {node.name: node for node in view.tree if node.kind == "table"}
        *_, self.output = self.tables.values()
        self.sums = [[text.replace("−", "-") for text in row] for row in self.output.descriptions]
        (self.sentence,) = [node for node in view.tree if node.kind == "description"]

    def shown(self, title):
        texts = [[t.replace("−", "-") for t in row] for row in self.tables[title].texts]
        return torch.tensor([[float(t) for t in row] for row in texts], dtype=torch.float64)

    def framed(self, title, at):
        """Return the cells of a table that its frame marks for an output cell, rows of values."""
        table = self.tables[title]
        (frame,) = table.frames
        (top, left), (h, w), (down, right) = frame.start(*at), frame.size, frame.dilation
        rows = slice(top, top + (h - 1) * down + 1, down)
        return table.values[rows, left : left + (w - 1) * right + 1 : right]

    def cells(self):
        return [(i, j) for i, row in enumerate(self.sums) for j, _ in enumerate(row)]


def worked_out(said):
    """Return the cell that a sum names, what its arithmetic comes to, and what it says."""
    name, terms, total = said.partition("\n")[0].replace(" ≈ ", " = ").split(" = ")
    cell = tuple(int(n) for n in re.fullmatch(r"[\w.]+\[(\d+), (\d+)\]", name).groups())
    return cell, eval(terms.replace("×", "*")), float(total)


def torch_correlation(X, K, *, padding=0, padding_mode="zeros", **options):
    ph, pw = padding
    padded = F.pad(X[None, None], (pw, pw, ph, ph), mode=MODES[padding_mode])
    return padded[0, 0], F.conv2d(padded, K[None, None], **options)[0, 0]


@st.composite
def problems(draw):
    """Draw a small picture, a kernel, and options that work; values of few digits."""
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    X_size, K_size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7))), draw(pairs)
    options = {
        "padding": draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
        "stride": draw(pairs),
        "dilation": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "padding_mode": draw(st.sampled_from(sorted(MODES))),
    }
    sides = list(zip(X_size, K_size, options["padding"], options["dilation"], strict=True))
    assume(all(n + 2 * p > d * (k - 1) for n, k, p, d in sides))
    assume(options["padding_mode"] == "zeros" or all(p < n for n, _, p, _ in sides))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    X, K = (torch.randint(-20, 21, size, generator=generator) / 4 for size in (X_size, K_size))
    return X, K, options


# lens


@settings(max_examples=40)
@given(problems(), st.booleans(), st.none() | st.integers(-8, 8).map(lambda n: n / 4))
def test_tables_and_sums_are_those_of_the_operation(problem, flip, bias):
    X, K, options = problem
    padded, Y = torch_correlation(X, K.flip(0, 1) if flip else K, **options)
    Y = Y + (bias or 0)
    view = lens(X, K, flip=flip, bias=bias, **options)
    read = Read(view)
    for title, expected in (("input X", padded), ("kernel K", K), ("output Y", Y)):
        assert_close(read.tables[title].values, expected)
        assert_close(read.shown(title), expected.double(), rtol=6e-3, atol=6e-3)
    for i, j in read.cells():
        cell, value, total = worked_out(read.sums[i][j])
        assert cell == (i, j)
        assert value == pytest.approx(Y[i, j].item(), rel=1e-5, abs=1e-5)
        assert total == pytest.approx(Y[i, j].item(), rel=6e-4, abs=1e-5)
    assert "\n".join(repr(view).replace("−", "-").splitlines()[1:]) == read.sums[0][0]
    assert read.sentence.words == read.output.descriptions[0][0]
    assert ("bias b" in read.tables) == (bias is not None)
    assert bias is None or read.tables["bias b"].values.item() == bias


SOURCE = re.compile(r"X\[(-?\d+), (-?\d+)\] = X\[(\d+), (\d+)\]")


@settings(max_examples=40)
@given(problems())
def test_each_cell_of_the_border_says_where_its_value_comes_from(problem):
    X, K, options = problem
    X = torch.arange(1.0, X.numel() + 1).reshape(X.shape)  # no two alike
    padded, _ = torch_correlation(X, K, **options)
    (up, aside), (rows, columns) = options["padding"], X.shape
    read = Read(lens(X, K, **options))
    table = read.tables["input X"]
    outside = {(i, j) for i in range(-up, rows + up) for j in range(-aside, columns + aside)}
    outside -= {(i, j) for i in range(rows) for j in range(columns)}
    told = {}
    for line in table.tooltips:
        found = [SOURCE.fullmatch(text.replace("−", "-")) for text in line if text]
        told |= {(int(i), int(j)): (int(a), int(b)) for i, j, a, b in (f.groups() for f in found)}
    assert told.keys() == (set() if options["padding_mode"] == "zeros" else outside)
    assert all(padded[i + up, j + aside] == X[cell] for (i, j), cell in told.items())
    (frame,) = table.frames
    for i, j in read.cells():
        said = {tuple(map(int, f)) for f in SOURCE.findall(read.sums[i][j])}
        # The table's frame counts from its first cell, which is in the padding.
        in_window = {(a - up, b - aside) for a, b in product(*frame.cells(i, j))} & told.keys()
        assert said == {(*cell, *told[cell]) for cell in in_window}


@settings(max_examples=40)
@given(problems(), st.booleans())
def test_the_window_holds_what_an_output_cell_is_made_of(problem, flip):
    X, K, options = problem
    weights = K.flip(0, 1) if flip else K
    read = Read(lens(X, K, flip=flip, **options))
    (window,) = read.tables["input X"].frames
    written = torch.tensor([float(text.replace("−", "-")) for text in window.texts])
    assert_close(written, weights.flatten(), rtol=6e-3, atol=6e-3)
    for cell in read.cells():
        total = (read.framed("input X", cell) * weights).sum()
        assert_close(total, read.output.values[cell], rtol=1e-4, atol=1e-4)


@settings(max_examples=30)
@given(problems(), st.data())
def test_exactly_the_cells_of_a_candidate_that_differ_are_marked(problem, data):
    X, K, options = problem
    _, Y = torch_correlation(X, K, **options)
    wrong = data.draw(st.sets(st.integers(0, Y.numel() - 1)))
    candidate = Y.clone()
    for k in wrong:
        candidate.view(-1)[k] += 1 + k
    read = Read(lens(X, K, candidate=candidate, **options))
    assert read.output.marked == {divmod(k, Y.shape[1]) for k in wrong}
    for cell in read.cells():
        ours, _, theirs = read.sums[cell[0]][cell[1]].partition(", but yours gives ")
        assert worked_out(ours)[2] == pytest.approx(Y[cell].item(), rel=6e-4, abs=1e-5)
        assert bool(theirs) == (cell in read.output.marked)
        assert not theirs or float(theirs) == pytest.approx(candidate[cell].item(), rel=6e-4)


def test_signs_say_which_operation_it_is():
    def signs(**options):
        view = lens(stripes(), torch.ones(2, 2), **options)
        return [term.sign for term in Read(view).terms.values()]

    assert signs() == ["", "⋆", "="]
    assert signs(flip=True) == ["", "∗", "="]
    assert signs(bias=1.0) == ["", "⋆", "+", "="]


def test_titles_have_colours_and_say_padding_and_sizes():
    view = lens(stripes(), torch.ones(3, 3), padding=(1, 0), padding_mode="reflect", bias=2)
    said = [
        (title.words, title.hue, *[note.words for note in notes])
        for title, *notes in (
            node.children for node in view.tree if node.props.get("css") == "title"
        )
    ]
    assert said == [
        ("input X", "input", " 6 × 8 with padding 1 × 0 (reflect)"),
        ("kernel K", "kernel", " 3 × 3"),
        ("bias b", "kernel"),
        ("output Y", "output", " 6 × 6"),
    ]
    assert view.text.startswith(
        "lens: input 6 × 8 with padding 1 × 0 (reflect), window 3 × 3, output 6 × 6\nY[0, 0] = "
    )


def test_cells_of_the_padding_look_otherwise():
    page = BeautifulSoup(
        lens(stripes(), torch.ones(1, 1), padding=(1, 2))._repr_html_(), "html.parser"
    )
    shown = [["ck-pad" in cell["class"] for cell in row("td")] for row in page.table("tr")]
    inside = torch.ones(6, 8, dtype=torch.bool)
    assert shown == (~F.pad(inside, (2, 2, 1, 1))).tolist()


def test_each_table_but_of_a_single_number_has_its_key():
    view = lens(stripes(), torch.tensor([[2.0, -1.0]]), bias=1, scale=Scale("grey", -1, 3))
    keys = BeautifulSoup(view._repr_html_(), "html.parser").select(".ck-key")
    assert [key.text for key in keys] == ["0 to 1", "−3 to 3", "−1 to 3"]


def test_another_cell_may_be_chosen_first():
    view = lens(stripes(), torch.ones(2, 2), at=(3, 2))
    assert view.text.splitlines()[1] == "Y[3, 2] = 0×1 + 0×1 + 0×1 + 0×1 = 0"
    page = BeautifulSoup(view._repr_html_(), "html.parser")
    (chosen,) = page("input", checked=True)
    assert chosen["aria-label"].startswith("Y[3, 2]")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"at": (9, 0)}, r"output cell \(9, 0\)"),
        ({"at": (0, -1)}, "at is"),
        ({"at": "corner"}, "at is 'corner'"),
        ({"padding": (6, 4)}, r"18 × 16 with its padding; expected at most 16.*X\[:8, :8\]"),
        ({"padding": 2, "padding_mode": "mirror"}, "padding_mode is 'mirror'"),
        ({"stride": 0}, "stride is 0"),
        ({"bias": "x"}, "bias is 'x'; expected a finite number"),
        ({"bias": torch.inf}, "bias is inf"),
        ({"bias": torch.ones(2)}, "bias is tensor"),
        ({"candidate": [[1.0]]}, r"candidate has shape \(1, 1\); expected the output's shape"),
        ({"candidate": "yours"}, "candidate"),
        ({"candidate": torch.zeros(6, 7, 1)}, r"candidate has shape \(6, 7, 1\)"),
    ],
)
def test_options_that_cannot_work_are_refused(options, words):
    with pytest.raises(ConvkitError, match=words):
        lens(stripes(), torch.ones(1, 1), **options)


# channels_lens


@settings(max_examples=40)
@given(problems(), st.integers(1, 4))
def test_channels_are_correlated_and_added_up(problem, count):
    X, K, options = problem
    options = {name: options[name] for name in ("padding", "stride", "padding_mode")}
    X = torch.stack([(c + 1) * X.roll(c, 1) - c for c in range(count)])
    K = torch.stack([K - 2 * c for c in range(count)])
    pairs = [torch_correlation(x, k, **options) for x, k in zip(X, K, strict=True)]
    padded = torch.stack([channel for channel, _ in pairs])
    Y = F.conv2d(padded[None], K[None], stride=options["stride"])[0, 0]
    read = Read(channels_lens(X, K, **options))
    assert_close(read.output.values, Y)
    for i, j in read.cells():
        *lines, total = read.sums[i][j].splitlines()
        cell, value, whole = worked_out(total)
        assert cell == (i, j) and len(lines) == count
        assert whole == pytest.approx(Y[i, j].item(), rel=6e-4, abs=1e-5)
        most = sum(map_[i, j].abs().item() for _, map_ in pairs)
        assert value == pytest.approx(Y[i, j].item(), abs=6e-4 * most + 1e-5)
        for c, (line, (_, map_)) in enumerate(zip(lines, pairs, strict=True)):
            name, terms = line.split(": ")
            assert name == f"channel {c}"
            assert worked_out(f"Y[0, 0] = {terms}")[2] == pytest.approx(
                map_[i, j].item(), rel=6e-4, abs=1e-5
            )
            products = read.framed(f"X[{c}]", (i, j)) * read.tables[f"K[{c}]"].values
            assert_close(products.sum(), map_[i, j], rtol=1e-4, atol=1e-4)


def test_the_books_two_channels_are_spelled_out():
    X, K = torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)
    X, K = torch.stack([X, X + 1]), torch.stack([K, K + 1])
    sums = [[56, 72], [104, 120]], [[76, 100], [148, 172]], [[96, 128], [192, 224]]
    for n, expected in enumerate(sums):
        assert Read(channels_lens(X, K + n)).output.values.tolist() == expected
    read = Read(channels_lens(X, K, at=(1, 0)))
    assert [term.sign for term in read.terms.values()] == ["", "⋆", "+", "⋆", "="]
    assert read.sentence.words == (
        "channel 0: 3×0 + 4×1 + 6×2 + 7×3 = 37\nchannel 1: 4×1 + 5×2 + 7×3 + 8×4 = 67\n"
        "Y[1, 0] = 37 + 67 = 104"
    )


@pytest.mark.parametrize(
    ("X", "K", "options", "words"),
    [
        (torch.ones(3, 3), torch.ones(1, 2, 2), {}, r"X has shape \(3, 3\); .* write X\[None\]"),
        (torch.ones(2, 3, 3), torch.ones(5, 2, 2, 2), {}, r"K has shape .* take one: K\[0\]"),
        (torch.ones(5, 3, 3), torch.ones(5, 2, 2), {}, "expected a tensor .* of 1 to 4 channels"),
        (torch.ones(2, 3, 3), torch.ones(3, 2, 2), {}, r"Take X\[:2\], K\[:2\]"),
        ([[1]], torch.ones(1, 1, 1), {}, r"X is a list: \[\[1\]\]"),
        (torch.ones(1, 3, 3), torch.ones(1, 4, 1), {}, r"kernel of shape \(4, 1\)"),
        (torch.ones(1, 3, 3), torch.ones(1, 1, 1), {"at": (3, 0)}, r"output cell \(3, 0\)"),
        (torch.ones(1, 17, 3), torch.ones(1, 1, 1), {}, "at most 16 rows"),
    ],
)
def test_channels_that_cannot_be_shown_are_refused(X, K, options, words):
    with pytest.raises(ConvkitError, match=words):
        channels_lens(X, K, **options)


# pooling_lens


@settings(max_examples=40)
@given(problems())
def test_the_cell_that_is_the_maximum_is_marked(problem):
    X, K, options = problem
    size, stride = tuple(K.shape), options["stride"]
    padding = tuple(min(p, k // 2) for p, k in zip(options["padding"], size, strict=True))
    read = Read(pooling_lens(X, size, padding=padding, stride=stride))
    for at in read.cells():
        leaf = X.clone().requires_grad_()
        F.max_pool2d(leaf[None, None], size, stride, padding)[0, 0][at].backward()
        (winner,) = leaf.grad.nonzero().tolist()  # the one cell that the gradient reaches
        (frame,) = read.tables["input X"].frames
        top, left = frame.start(*at)
        a, b = divmod(frame.picks[at[0] * len(read.sums[0]) + at[1]], size[1])
        assert [top + a - padding[0], left + b - padding[1]] == winner
        name, rest = read.sums[at[0]][at[1]].split(" = ", 1)
        terms, total = re.fullmatch(r"max\((.*)\) = (.*)", rest).groups()
        values = [float(text.replace("∞", "inf")) for text in terms.split(", ")]
        assert name == f"Y[{at[0]}, {at[1]}]" and len(values) == K.numel()
        assert max(values) == float(total) == pytest.approx(X[tuple(winner)].item())


@settings(max_examples=40)
@given(problems())
def test_an_average_is_spelled_out(problem):
    X, K, options = problem
    size, stride = tuple(K.shape), options["stride"]
    padding = tuple(min(p, k // 2) for p, k in zip(options["padding"], size, strict=True))
    read = Read(pooling_lens(X, size, "avg", padding=padding, stride=stride))
    Y = F.avg_pool2d(X[None, None], size, stride, padding)[0, 0]
    for i, j in read.cells():
        cell, value, total = worked_out(read.sums[i][j])
        assert cell == (i, j)
        assert value == pytest.approx(Y[i, j].item(), rel=1e-5, abs=1e-5)
        assert total == pytest.approx(Y[i, j].item(), rel=6e-4, abs=1e-5)
        assert (" = " in read.sums[i][j][8:]) == (abs(value - total) < 1e-9)
        mean = read.framed("input X", cell).mean()
        assert mean.item() == pytest.approx(Y[cell].item(), abs=1e-5)


def test_padding_never_wins_a_maximum_and_says_so():
    read = Read(pooling_lens(-torch.ones(2, 2), 2, padding=1, stride=2))
    assert read.sums[0][0] == "Y[0, 0] = max(-∞, -∞, -∞, -1) = -1"
    assert read.tables["input X"].texts[0] == ["−∞"] * 4
    assert read.output.values.tolist() == [[-1.0, -1.0], [-1.0, -1.0]]


# pooling_gradient_lens


@settings(max_examples=30)
@given(problems(), st.sampled_from(["max", "avg"]), st.booleans())
def test_the_gradient_of_a_pooling_is_that_of_torch(problem, mode, is_given):
    X, K, options = problem
    size, stride = tuple(K.shape), options["stride"]
    assume(X.shape[0] >= size[0] and X.shape[1] >= size[1])
    leaf = X.clone().requires_grad_()
    pool = {"max": F.max_pool2d, "avg": F.avg_pool2d}[mode]
    Y = pool(leaf[None, None], size, stride)[0, 0]
    dY = torch.arange(1.0, Y.numel() + 1).reshape(Y.shape) if is_given else torch.ones_like(Y)
    Y.backward(dY)
    view = pooling_gradient_lens(X, size, mode, gradient=dY if is_given else None, stride=stride)
    read = Read(view)
    assert_close(read.tables["gradient of X"].values, leaf.grad)
    assert_close(read.output.values, dY)
    handed = torch.zeros_like(X)  # what the frames and their texts say, added up
    for at in read.cells():
        (frame,) = read.tables["gradient of X"].frames
        top, left = frame.start(*at)
        pick = frame.picks[at[0] * len(read.sums[0]) + at[1]] if frame.picks else None
        for k, text in enumerate(frame.texts):
            if pick in (None, k):
                a, b = divmod(k, size[1])
                handed[top + a, left + b] += dY[at] * eval(text[1:])
    assert_close(handed, leaf.grad)


def test_where_the_gradient_of_a_window_goes_is_said():
    X = torch.arange(12.0).reshape(3, 4)
    sums = Read(pooling_gradient_lens(X, 2, stride=(1, 2))).sums
    assert sums[1][1] == "Y[1, 1] = max(6, 7, 10, 11) = 11: X[2, 3] gets all of its gradient"
    sums = Read(pooling_gradient_lens(X, (1, 2), "avg", stride=2)).sums
    assert sums[1][0] == "Y[1, 0] = (8 + 9) / 2 = 8.5: each input gets ×1/2"


def test_a_gradient_of_another_shape_than_the_output_is_refused():
    with pytest.raises(ConvkitError, match=r"gradient has shape \(3, 3\).*shape \(2, 2\)"):
        pooling_gradient_lens(torch.eye(3), 2, gradient=torch.eye(3))


# weight_lens


def squared_error(X, K, Y):
    return (F.conv2d(X[None, None], K[None, None])[0, 0] - Y).square().sum()


def central_difference(X, K, Y, at, nudge=0.25):
    """Return a gradient by trying; the step may be large, as the loss is quadratic."""
    X, K, Y = X.double(), K.double(), Y.double()
    step = torch.zeros_like(K)
    step[at] = nudge
    return (squared_error(X, K + step, Y) - squared_error(X, K - step, Y)).item() / (2 * nudge)


@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
@settings(max_examples=40)
@given(problem=problems(), seed=st.integers(0, 999))
def test_a_gradient_is_that_of_autograd_and_of_a_difference(dtype, close, problem, seed):
    generator = torch.Generator().manual_seed(seed)
    X, K, _ = problem
    assume(all(n >= k for n, k in zip(X.shape, K.shape, strict=True)))
    sizes = X.shape, K.shape, corr2d(X, K).shape
    X, K, Y = (torch.rand(*size, generator=generator, dtype=dtype) for size in sizes)
    leaf = K.clone().requires_grad_()
    squared_error(X, leaf, Y).backward()
    read = Read(weight_lens(X, K, Y))
    scale = leaf.grad.abs().max().item()
    for at in read.cells():
        gradient = read.output.values[at].item()
        assert gradient == pytest.approx(leaf.grad[at].item(), rel=close, abs=close * scale)
        assert abs(gradient - central_difference(X, K, Y, at)) <= 1e-9 * scale
        products = read.framed("input X", at) * read.tables["doubled residual 2R"].values
        assert products.sum().item() == pytest.approx(gradient, rel=1e-9, abs=1e-9 * scale)
        by_hand, *others = read.sums[at[0]][at[1]].splitlines()
        cell, value, total = worked_out(by_hand)
        ways = dict(line.split(": ") for line in others)
        assert cell == at and [*ways] == ["autograd", f"finite difference, {K[at]:.4g} ± 1/1024"]
        assert value == pytest.approx(gradient, abs=2e-3 * products.abs().sum().item())
        for number in (total, *map(float, ways.values())):
            assert number == pytest.approx(gradient, rel=6e-4, abs=1e-9 * scale)


def test_what_is_zero_is_left_out_of_a_gradients_sum():
    X, K = stripes()[:1], torch.tensor([[0.5, 0.5]])
    with torch.inference_mode():
        view = weight_lens(X, K, corr2d(X, torch.tensor([[1.0, -1.0]])), at=(0, 1))
    assert repr(view) == (
        "lens: gradient of 1 × 2 weights, input 1 × 8, residual 1 × 7\n"
        "K.grad[0, 1] = 1×2 + 1×3 + 1×2 = 7\nautograd: 7\nfinite difference, 0.5 ± 1/1024: 7"
    )
    nothing = Read(weight_lens(torch.zeros(2, 2), [[1.0]], torch.ones(2, 2)))
    assert nothing.sums[0][0].startswith("K.grad[0, 0] = 0×(-2) = 0\nautograd: 0\n")
    assert [term.sign for term in Read(view).terms.values()] == ["", "⋆", "="]


@pytest.mark.parametrize(
    ("Y", "options", "words"),
    [
        (torch.ones(6, 8), {}, r"Y has shape \(6, 8\); expected the output's shape \(6, 7\)"),
        (torch.ones(6, 7), {"at": (0, 2)}, r"cell \(0, 2\)"),
        (torch.full((6, 7), torch.nan), {}, "inf or nan"),
    ],
)
def test_gradients_that_cannot_be_shown_are_refused(Y, options, words):
    with pytest.raises(ConvkitError, match=words):
        weight_lens(stripes(), [[1.0, -1.0]], Y, **options)


# Relations of other kinds, as a course would write them


def two_layer_lens(X, K1, K2):
    """What one number of the second layer sees of the first, and of the input."""
    A = corr2d(X, K1)
    B = corr2d(A, K2)
    cell = Cursor("cell", tuple(B.shape), (0, 0))
    on_A = Frame.window(cell, WindowGeometry(A.shape, K2.shape))
    on_X = on_A.through(WindowGeometry(X.shape, K1.shape))
    operands = [Operand("input X", X, frame=on_X), Operand("layer A", A, "→", frame=on_A)]
    sums = [[f"B[{i}, {j}] = {b:g}" for j, b in enumerate(row)] for i, row in enumerate(B.tolist())]
    return equation_lens(cell, operands, Operand("layer B", B, "→"), sums)


X, K = torch.arange(20.0).reshape(4, 5), torch.tensor([[1.0, -2.0], [3.0, 0.5]])


def test_a_lens_of_two_layers_frames_what_a_number_sees():
    K2 = torch.tensor([[1.0, 1.0, 1.0]])
    read = Read(two_layer_lens(X, K, K2))
    for at in read.cells():
        seen = torch.zeros_like(X).requires_grad_()
        F.conv2d(F.conv2d(seen[None, None], K[None, None].abs() + 1), K2[None, None])[0, 0][
            at
        ].backward()
        framed = read.framed("input X", at)
        assert framed.shape == (2, 4)
        assert_close(framed, X[seen.grad != 0].reshape(2, 4))
        assert_close(corr2d(read.framed("layer A", at), K2), read.output.values[at].reshape(1, 1))


def test_a_lens_refuses_what_it_cannot_show():
    Y = torch.ones(2, 2)
    cell = Cursor("cell", (2, 2), (0, 0))
    sums = [["a", "b"], ["c", "d"]]
    with pytest.raises(ConvkitError, match=r"picture is 17 × 1; expected at most 16"):
        equation_lens(cell, [Operand("picture", torch.ones(17, 1))], Operand("Y", Y), sums)
    with pytest.raises(ConvkitError, match="inf or nan in picture"):
        equation_lens(cell, [Operand("picture", Y / 0)], Operand("Y", Y), sums)
    for bad in ([["a", "b"]], [["a"], ["b"]], [["a", "b"], ["c"]]):
        with pytest.raises(ConvkitError, match="rows of sums"):
            equation_lens(cell, [], Operand("Y", Y), bad)
    with pytest.raises(ConvkitError, match=r"a cursor of \(3, 3\) cells"):
        equation_lens(Cursor("cell", (3, 3), (0, 0)), [], Operand("Y", Y), sums)


# What is stored


def test_the_html_is_the_same_on_every_run_and_has_no_ids():
    first, again = (lens(stripes(), torch.ones(2, 2), padding=1)._repr_html_() for _ in range(2))
    assert first == again and not re.search(r"\bid=", first)


def test_a_page_that_drops_styles_keeps_a_readable_table_and_one_sum():
    lines = stripped_lines(lens(stripes(), torch.tensor([[1.0, -1.0]]), at=(2, 1))._repr_html_())
    assert lines == [
        "input X 6 × 8",
        *["1 1 0 0 0 0 1 1"] * 6,
        "0 to 1",
        "kernel K 1 × 2",
        "1 −1",
        "−2 to 2",
        "output Y 6 × 7",
        *["0 1 0 0 0 −1 0"] * 6,
        "−2 to 2",
        "Y[2, 1] = 1×1 + 0×(−1) = 1",
    ]


def test_a_lens_in_a_form_is_sent_nowhere():
    page = BeautifulSoup(lens(stripes(), torch.ones(2, 2))._repr_html_(), "html.parser")
    assert {form["method"] for form in page("form")} == {"dialog"}


def test_words_of_others_are_text():
    cell = Cursor("cell", (1, 1), (0, 0))
    view = equation_lens(cell, [], Operand(MARKUP, torch.ones(1, 1), MARKUP), [[MARKUP]], MARKUP)
    page = BeautifulSoup(view._repr_html_(), "html.parser")
    plain = BeautifulSoup(
        equation_lens(cell, [], Operand("Y", torch.ones(1, 1), "="), [["a"]])._repr_html_(),
        "html.parser",
    )
    assert [tag.name for tag in page.find_all()] == [tag.name for tag in plain.find_all()]
    assert page.select_one(".ck-heading").text == page.select_one(".ck-description").text == MARKUP


def test_the_largest_lens_takes_less_than_60_kb():
    largest = torch.ones(MAX_SIDE, MAX_SIDE)
    assert len(lens(largest, torch.ones(1, 1))._repr_html_()) < 60_000
    small = torch.arange(9.0).reshape(3, 3)
    assert len(lens(small, small[:2, :2])._repr_html_()) < 14_500


def test_arrays_are_copied():
    X = stripes()
    view = lens(X, torch.ones(1, 1))
    before = view._repr_html_()
    X[:] = 9
    assert view._repr_html_() == before
    assert as_array("X", X) is not X


# Matrices


@pytest.mark.parametrize(
    "options", [{}, {"stride": 2}, {"dilation": (1, 2)}, {"stride": (1, 2), "dilation": (2, 1)}]
)
def test_a_matrix_lens_frames_rows_windows_and_the_entries_of_a_weight(options):
    X, K = torch.rand(3, 5), torch.arange(1.0, 5.0).reshape(2, 2)
    tree = matrix_lens(X, K, **options).tree
    weights, matrix, picture, output = (n for n in tree if n.kind == "table")
    (row, *entries), window = matrix.frames, picture.frames[0]
    W, columns = matrix.values, output.values.shape[1]
    for i, j in np.ndindex(*output.values.shape):
        assert row.start(i, j) == (i * columns + j, 0) and row.size == (1, 15)
        read = torch.zeros(3, 5)
        top, left = window.start(i, j)
        read[top :: window.dilation[0], left :: window.dilation[1]][:2, :2] = K
        torch.testing.assert_close(W[i * columns + j], read.flatten())
    for a, b in np.ndindex(2, 2):
        marked = [entry.start(a, b) for entry in entries]
        assert (K[a, b] == W).nonzero().tolist() == [list(place) for place in marked]
        assert weights.descriptions[a][b].startswith(f"K[{a}, {b}] = {K[a, b]:.0f}")


def test_a_matrix_that_is_too_large_is_refused():
    with pytest.raises(ConvkitError, match="at most 16 rows and columns"):
        matrix_lens(torch.zeros(5, 5), torch.ones(2, 2))
