"""The lens says what the operation does: its tables and sums are read back from the HTML."""

import re
from html.parser import HTMLParser

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from convkit import ConvkitError, convolve2d, corr2d, photo, pool2d, stripes
from convkit.views.lens import LIMIT, STYLE, lens, pool_lens
from convkit.ops import output_size

VOID = {"br", "img", "meta"}


class Reader(HTMLParser):
    """Collects tables by figure (X, K, Y), each cell as {text, classes, sum, focus}."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.titles, self.slides, self._open = {}, {}, [], []
        self._figure = None
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in VOID:
            self._open.append((tag, attributes))
        if tag == "figure":
            self._figure = attributes["class"].removeprefix("ck-")
            self.tables[self._figure], self.titles[self._figure] = [], ""
        elif tag == "tr":
            assert attributes["class"] == f"r{len(self.tables[self._figure])}"
            self.tables[self._figure].append([])
        elif tag == "td":
            row = self.tables[self._figure][-1]
            classes = attributes["class"].split()
            assert f"c{len(row)}" in classes
            row.append(
                {"text": "", "sum": "", "classes": classes, "focus": "tabindex" in attributes}
            )
        elif tag == "span" and "left:calc" in attributes.get("style", ""):
            self.slides.append(attributes["style"])

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        names = [tag for tag, _ in self._open]
        if "td" in names:
            part = "sum" if any(a.get("class") == "ck-sum" for _, a in self._open) else "text"
            self.tables[self._figure][-1][-1][part] += data
        elif "figcaption" in names:
            self.titles[self._figure] += data

    def numbers(self, figure):
        rows = [[float(cell["text"]) for cell in row] for row in self.tables[figure]]
        return torch.tensor(rows, dtype=torch.float64)

    def cells(self, figure):
        return [cell for row in self.tables[figure] for cell in row]


def value_of(said):
    """Return what a sum's arithmetic comes to, and what it says it comes to."""
    terms, total = said.split(" = ")[1:]
    names = {"max": lambda *values: max(values), "inf": float("inf")}
    return eval(terms.replace("×", "*"), names), float(total)


def close(actual, wanted):
    wanted = wanted.double()
    assert actual.shape == wanted.shape
    assert_close(actual, wanted, rtol=6e-3, atol=1e-6)


@st.composite
def problems(draw, largest=7):
    """Draw a small picture, a kernel, and options that work; weights of few digits."""
    small = st.integers(-20, 20).map(lambda n: n / 4)

    def array(shape):
        rows = draw(st.lists(st.lists(small, min_size=shape[1], max_size=shape[1]),
                             min_size=shape[0], max_size=shape[0]))  # fmt: skip
        return torch.tensor(rows)

    sides, pairs = st.integers(1, largest), st.tuples(st.integers(1, 3), st.integers(1, 3))
    X, K = (draw(sides), draw(sides)), draw(pairs)
    options = {
        "padding": draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
        "stride": draw(pairs),
        "dilation": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
    }
    try:
        output_size(X, K, **options)
    except ConvkitError:
        assume(False)
    return array(X), array(K), options


@settings(max_examples=40)
@given(problems(), st.booleans(), st.none() | st.integers(-8, 8).map(lambda n: n / 4))
def test_tables_and_sums_are_those_of_the_operation(problem, flip, bias):
    X, K, options = problem
    Y = (convolve2d if flip else corr2d)(X, K, **options) + (bias or 0)
    view = lens(X, K, flip=flip, bias=bias, **options)
    page = Reader(view._repr_html_())
    ph, pw = options["padding"]
    close(page.numbers("X"), F.pad(X, (pw, pw, ph, ph)))
    close(page.numbers("K"), K)
    close(page.numbers("Y"), Y)
    for k, cell in enumerate(page.cells("Y")):
        i, j = divmod(k, Y.shape[1])
        assert cell["focus"] and cell["sum"].startswith(f"Y[{i}, {j}] = ")
        worked_out, said = value_of(cell["sum"])
        assert worked_out == pytest.approx(Y[i, j].item(), rel=1e-5, abs=1e-5)
        assert said == pytest.approx(Y[i, j].item(), rel=6e-4, abs=1e-5)
    assert repr(view).splitlines()[1] == page.cells("Y")[0]["sum"]


@settings(max_examples=30)
@given(problems())
def test_padding_cells_are_marked_and_no_others(problem):
    X, K, options = problem
    ph, pw = options["padding"]
    cells = Reader(lens(X, K, **options)._repr_html_()).tables["X"]
    marked = [["pad" in cell["classes"] for cell in row] for row in cells]
    assert torch.equal(torch.tensor(marked), ~F.pad(torch.ones_like(X).bool(), (pw, pw, ph, ph)))


@settings(max_examples=40)
@given(problems(), st.sampled_from(["max", "avg"]))
def test_pooling_tables_and_sums(problem, mode):
    X, K, options = problem
    size, stride = tuple(K.shape), options["stride"]
    padding = tuple(min(p, k // 2) for p, k in zip(options["padding"], size, strict=True))
    try:
        Y = pool2d(X, size, mode, padding=padding, stride=stride)
    except ConvkitError:
        assume(False)
    page = Reader(pool_lens(X, size, mode, padding=padding, stride=stride)._repr_html_())
    close(page.numbers("Y"), Y)
    assert "K" not in page.tables and len(page.slides) == K.numel()
    for cell, wanted in zip(page.cells("Y"), Y.flatten().tolist(), strict=True):
        worked_out, said = value_of(cell["sum"])
        assert worked_out == pytest.approx(wanted, abs=1e-5)
        assert said == pytest.approx(wanted, rel=6e-4, abs=1e-5)


def test_padding_never_wins_a_maximum_in_the_table_either():
    page = Reader(pool_lens(-torch.ones(3, 3), 2, padding=1)._repr_html_())
    assert {c["text"] for c in page.cells("X") if "pad" in c["classes"]} == {"-inf"}


@settings(max_examples=30)
@given(problems(), st.data())
def test_yours_marks_exactly_the_cells_that_differ(problem, data):
    X, K, options = problem
    Y = corr2d(X, K, **options)
    wrong = data.draw(st.sets(st.integers(0, Y.numel() - 1)))
    yours = Y.clone().flatten()
    for k in wrong:
        yours[k] += 1 + k
    page = Reader(lens(X, K, yours=yours.reshape(Y.shape), **options)._repr_html_())
    for k, cell in enumerate(page.cells("Y")):
        assert ("bad" in cell["classes"]) == (k in wrong)
        ours, _, theirs = cell["sum"].partition(", but yours gives ")
        assert bool(theirs) == (k in wrong)
        assert value_of(ours)[1] == pytest.approx(Y.flatten()[k].item(), rel=6e-4, abs=1e-5)
        if theirs:
            assert float(theirs) == pytest.approx(yours[k].item(), rel=6e-4)


def test_rounding_is_not_a_difference():
    X, K = stripes(), torch.tensor([[0.1, 0.2]])
    page = Reader(lens(X, K, yours=corr2d(X, K) * (1 + 1e-6))._repr_html_())
    assert not any("bad" in cell["classes"] for cell in page.cells("Y"))


@settings(max_examples=40)
@given(st.data())
def test_the_loupe_shows_the_neighbourhood_of_any_cell(data):
    X = torch.arange(40 * 30).reshape(40, 30).float() % 97  # whole and below 1000: exact in a loupe
    K = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]])
    options = {
        "padding": data.draw(st.integers(0, 3)),
        "stride": data.draw(st.integers(1, 4)),
        "dilation": data.draw(st.integers(1, 3)),
    }
    Y = corr2d(X, K, **options)
    at = tuple(data.draw(st.integers(0, n - 1)) for n in Y.shape)
    page = Reader(lens(X, K, at=at, loupe=True, **options)._repr_html_())
    (chosen,) = (c for c in page.cells("Y") if "at" in c["classes"])
    assert chosen["sum"].startswith(f"Y[{at[0]}, {at[1]}] = ")
    assert page.titles["Y"].endswith(f"around Y[{at[0]}, {at[1]}]")
    named = [
        tuple(map(int, re.match(r"Y\[(\d+), (\d+)\]", c["sum"]).groups())) for c in page.cells("Y")
    ]
    assert_close(
        page.numbers("Y").flatten(),
        torch.stack([Y[c] for c in named]).double(),
        rtol=0,
        atol=0,
    )
    # The input that is shown gives just these outputs.
    del options["padding"]
    close(corr2d(page.numbers("X"), K.double(), **options), page.numbers("Y"))


def test_the_loupe_leaves_out_what_a_wide_window_steps_over():
    X, K = torch.rand(200, 200).mul(100).round(), torch.ones(3, 2)
    page = Reader(lens(X, K, dilation=(60, 1), at=(7, 8), loupe=True)._repr_html_())
    assert "without the cells between" in page.titles["X"]
    shown = page.numbers("X")
    places = X[7:128:60].double().unfold(1, shown.shape[1], 1)
    assert shown.shape[0] == 3 and (places == shown[:, None]).all(2).all(0).any()


def test_the_window_stands_where_the_cell_looks():
    X, K = torch.zeros(9, 9), torch.ones(2, 2)
    view = lens(X, K, stride=(2, 3), dilation=(3, 2), at=(1, 1))
    assert "--i0:1;--j0:1;--si:2;--sj:3" in view.input
    places = [tuple(map(int, re.findall(r"calc\((\d)", s))) for s in Reader(view.input).slides]
    assert places == [(0, 0), (2, 0), (0, 3), (2, 3)]  # left, top


def test_the_window_shows_the_flipped_weights_of_a_convolution():
    view = lens(torch.ones(2, 2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), flip=True)
    assert re.findall("<b>(.*?)</b>", view.input) == ["4", "3", "2", "1"]


def test_every_row_and_column_has_its_rule():
    for axis, name, child in (("r", "i", ">"), ("c", "j", "")):
        for n in range(LIMIT):
            assert f".ck-lens:has(.ck-Y .{axis}{n}{child}:hover){{--{name}:{n}}}" in STYLE
            focus = f".ck-lens:not(:has(.ck-Y td:hover)):has(.ck-Y .{axis}{n}{child}:focus)"
            assert f"{focus}{{--{name}:{n}}}" in STYLE


def test_the_html_is_the_same_on_every_run_and_has_no_ids():
    made = [lens(stripes(), torch.ones(2, 2), padding=1)._repr_html_() for _ in range(2)]
    assert made[0] == made[1] and not re.search(r"\bid=", made[0])


def test_the_limit_of_size_counts_padding():
    lens(torch.ones(14, 16), torch.ones(1, 1), padding=(1, 0))
    with pytest.raises(ConvkitError, match="17 × 16.* padding; wanted at most 16.*X\\[:8, :8\\]"):
        lens(torch.ones(15, 16), torch.ones(1, 1), padding=(1, 0))
    with pytest.raises(ConvkitError, match="128 × 128"):
        pool_lens(photo(128), 2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(bad):
    X = torch.ones(3, 3)
    X[2, 2] = bad
    for both in ((X, torch.ones(1, 1)), (torch.ones(3, 3), X)):
        with pytest.raises(ConvkitError, match="inf or nan"):
            lens(*both)


def test_a_cell_that_does_not_exist_is_refused():
    with pytest.raises(ConvkitError, match=r"cell \(9, 0\)"):
        lens(stripes(), torch.ones(1, 1), at=(9, 0))


def test_a_layers_own_weight_can_be_shown():
    layer = torch.nn.Parameter(torch.ones(2, 2))
    assert lens(stripes(), layer).text == lens(stripes(), torch.ones(2, 2)).text


def test_numbers_of_many_digits_keep_their_room():
    view = lens(torch.full((16, 16), -1 / 3e7), torch.ones(1, 1))
    assert re.search("height:24px", view.room)
    view = lens(torch.full((7, 7), -1 / 3e7), torch.ones(7, 7))
    assert int(re.search(r"height:(\d+)px", view.room)[1]) >= 140
