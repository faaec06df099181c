"""The lens says what the operation does: its tables and sums are read back from the HTML."""

import re

import pytest
import torch
import torch.nn.functional as F
from bs4 import BeautifulSoup
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from benchmarks.calls import count_calls
from convkit import stripes
from convkit.errors import ConvkitError
from convkit.views import lens
from convkit.views.html import LENS_LIMIT
from tests.stripped import stripped_lines

NAMES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "replicate",
    "circular": "circular",
}
SOBEL = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])


class Page:
    """What a lens shows: of each table its numbers, classes, title, and of each output its sum."""

    def __init__(self, view):
        self.soup = BeautifulSoup(view._repr_html_().replace("−", "-"), "html.parser")
        self.buttons = [row("input", type="radio") for row in self.rows("Y")]
        self.sums = [[button["aria-label"] for button in row] for row in self.buttons]

    def rows(self, kind):
        return self.soup.select(f".ck-{kind} tr")

    def numbers(self, kind):
        rows = [[float(cell.text) for cell in row("td")] for row in self.rows(kind)]
        return torch.tensor(rows, dtype=torch.float64)

    def has_class(self, kind, name):
        return [[name in cell["class"] for cell in row("td")] for row in self.rows(kind)]

    def title(self, kind):
        return self.soup.select_one(f".ck-{kind} figcaption").text


def worked_out(said):
    """Return the cell that a sum names, what its arithmetic comes to, and what it says."""
    name, terms, total = said.replace(" ≈ ", " = ").split(" = ")
    cell = tuple(int(n) for n in re.fullmatch(r"Y\[(\d+), (\d+)\]", name).groups())
    return cell, eval(terms.replace("×", "*")), float(total)


def torch_correlation(X, K, *, padding=0, padding_mode="zeros", **options):
    ph, pw = padding
    padded = F.pad(X[None, None], (pw, pw, ph, ph), mode=NAMES[padding_mode])
    return padded[0, 0], F.conv2d(padded, K[None, None], **options)[0, 0]


def assert_shown(actual, expected):
    assert_close(actual, expected.double(), rtol=6e-3, atol=1e-6)


@st.composite
def problems(draw):
    """Draw a small picture, a kernel, and options that work; values of few digits."""
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    X_size, K_size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7))), draw(pairs)
    options = {
        "padding": draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
        "stride": draw(pairs),
        "dilation": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "padding_mode": draw(st.sampled_from(sorted(NAMES))),
    }
    sides = list(zip(X_size, K_size, options["padding"], options["dilation"], strict=True))
    assume(all(n + 2 * p > d * (k - 1) for n, k, p, d in sides))
    assume(options["padding_mode"] == "zeros" or all(p < n for n, _, p, _ in sides))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    X, K = (torch.randint(-20, 21, size, generator=generator) / 4 for size in (X_size, K_size))
    return X, K, options


@settings(max_examples=40)
@given(problems(), st.booleans(), st.none() | st.integers(-8, 8).map(lambda n: n / 4))
def test_tables_and_sums_are_those_of_the_operation(problem, flip, bias):
    X, K, options = problem
    padded, Y = torch_correlation(X, K.flip(0, 1) if flip else K, **options)
    Y = Y + (bias or 0)
    view = lens(X, K, flip=flip, bias=bias, **options)
    page = Page(view)
    for kind, expected in (("X", padded), ("K", K), ("Y", Y)):
        assert_shown(page.numbers(kind), expected)
    for i, row in enumerate(page.sums):
        for j, said in enumerate(row):
            cell, value, total = worked_out(said)
            assert cell == (i, j)
            assert value == pytest.approx(Y[i, j].item(), rel=1e-5, abs=1e-5)
            assert total == pytest.approx(Y[i, j].item(), rel=6e-4, abs=1e-5)
    said = repr(view).replace("−", "-").splitlines()[1]
    assert said == page.sums[0][0] == page.soup.select_one(".ck-sum").text
    ph, pw = options["padding"]
    in_padding = ~F.pad(torch.ones_like(X).bool(), (pw, pw, ph, ph))
    assert page.has_class("X", "pad") == in_padding.tolist()
    (chosen,) = page.soup("input", checked=True)
    assert chosen is page.buttons[0][0]
    assert {len(cell("input")) for row in page.rows("Y") for cell in row("td")} == {1}


@settings(max_examples=30)
@given(problems(), st.data())
def test_exactly_the_cells_of_a_candidate_that_differ_are_marked(problem, data):
    X, K, options = problem
    _, Y = torch_correlation(X, K, **options)
    wrong = data.draw(st.sets(st.integers(0, Y.numel() - 1)))
    candidate = Y.clone()
    for k in wrong:
        candidate.view(-1)[k] += 1 + k
    page = Page(lens(X, K, candidate=candidate, **options))
    assert page.has_class("Y", "bad") == (candidate != Y).tolist()
    for said, value, other in zip(
        sum(page.sums, []), Y.flatten(), candidate.flatten(), strict=True
    ):
        ours, _, theirs = said.partition(", but yours gives ")
        assert worked_out(ours)[2] == pytest.approx(value.item(), rel=6e-4, abs=1e-5)
        assert bool(theirs) == (value != other)
        assert not theirs or float(theirs) == pytest.approx(other.item(), rel=6e-4)


@pytest.mark.parametrize("shape", [(5, 7), (7, 7)])
def test_a_candidate_of_another_shape_is_refused(shape):
    with pytest.raises(ConvkitError, match=r"candidate has shape .*the output's shape \(6, 7\)"):
        lens(stripes(), torch.ones(1, 2), candidate=torch.zeros(shape))


def test_the_window_stands_where_the_cell_looks():
    view = lens(torch.zeros(9, 9), torch.ones(2, 2), stride=(2, 3), dilation=(3, 2), at=(1, 1))
    assert "--i0:1;--j0:1;--si:2;--sj:3" in view.input
    corners = re.findall(r"left:calc\((\d)\*.*?top:calc\((\d)\*", view.input)
    assert corners == [("0", "0"), ("2", "0"), ("0", "3"), ("2", "3")]


def test_the_window_shows_the_flipped_weights_of_a_convolution():
    view = lens(torch.ones(2, 2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), flip=True)
    assert re.findall('data-weight="(.*?)"', view.input) == ["4", "3", "2", "1"]


def test_every_row_and_column_of_the_largest_lens_has_its_rules():
    html = lens(torch.ones(LENS_LIMIT, LENS_LIMIT), torch.ones(1, 1))._repr_html_()
    rules = re.findall(r":has\(\.ck-Y \.([rc]\d+) ?:(hover|checked)\)\{--[ij]:(\d+)\}", html)
    named = {(name, state) for name, state, n in rules if name[1:] == n}
    assert len(rules) == len(named) == 4 * LENS_LIMIT
    assert {name for name, _ in named} == set(re.findall(r'[" ]([rc]\d+)"', html))


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
    page = Page(lens(stripes(), torch.ones(2, 2)))
    assert [form["method"] for form in page.soup("form")] == ["dialog"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(bad):
    X = torch.ones(3, 3)
    X[2, 2] = bad
    for both in ((X, torch.ones(1, 1)), (torch.ones(3, 3), X)):
        with pytest.raises(ConvkitError, match="inf or nan"):
            lens(*both)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"at": (9, 0)}, r"output cell \(9, 0\)"),
        ({"at": (0, -1)}, "at is"),
        ({"at": "corner"}, "at is 'corner'"),
        ({"padding": (6, 4)}, r"18 × 16 with its padding; expected at most 16.*X\[:8, :8\]"),
        ({"padding": 2, "padding_mode": "mirror"}, "padding_mode is 'mirror'"),
        ({"stride": 0}, "stride is 0"),
        ({"candidate": [[1.0]]}, "candidate is a list"),
        ({"candidate": torch.zeros(6, 7, 1)}, r"candidate has shape \(6, 7, 1\)"),
    ],
)
def test_options_that_cannot_work_are_refused(options, words):
    with pytest.raises(ConvkitError, match=words):
        lens(stripes(), torch.ones(1, 1), **options)


def test_a_layers_own_weight_can_be_shown():
    layer = torch.nn.Parameter(torch.ones(2, 2))
    assert lens(stripes(), layer).text == lens(stripes(), torch.ones(2, 2)).text


def test_long_sums_have_room():
    short = lens(torch.full((16, 16), -1 / 3e7), torch.ones(1, 1))
    long = lens(torch.full((7, 7), -1 / 3e7), torch.ones(7, 7))
    heights = [int(re.search(r"height:(\d+)px", view.sum_space)[1]) for view in (short, long)]
    assert heights[0] == 24 and heights[1] >= 140


def test_a_lens_takes_few_calls():
    calls = count_calls(lambda: lens(stripes(), SOBEL, padding=1))
    named = {name: n for name, n in calls.items() if not name.endswith(">")}  # no comprehensions
    assert sum(named.values()) < 250, calls.most_common(5)
