"""explore: every control, everything that a function may return, and how it may fail."""

import io
import sys
import threading

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from markupsafe import Markup
from PIL import Image

from convkit import ConvkitError, pool2d, ui, user_function
from convkit.lenses import lens
from convkit.ui import Painted, Pair, explore
from tests.ui import sample
from tests.ui.driver import Page, until

EDGE = torch.tensor([[1.0, -1.0]])


def shown(function, /, **controls):
    """Return a page on which a function is explored."""
    return Page(explore(function, **controls))


def text_of(page):
    """Return all that stands below the status line."""
    return page.html.get_text(" ", strip=True)


@pytest.mark.parametrize(
    ("given", "kind", "first", "use", "then"),
    [
        ((1, 9), "slider", 1, lambda p: p.choose("a", 5), 5),
        ((1, 9, 3), "slider", 3, lambda p: p.choose("a", 9), 9),
        ((-1, 0.5, 0), "slider", 0.0, lambda p: p.choose("a", 100), 0.5),
        ((0.0, 1.0, 1 / 3), "slider", 1 / 3, lambda p: p.choose("a", 50), 0.5),
        ((0, 3.14159, 1), "slider", 1.0, lambda p: p.choose("a", 100), 3.14159),
        ((1.0, 4 / 3), "slider", 1.0, lambda p: p.choose("a", 100), 4 / 3),
        ((0.0, 1.0), "slider", 0.0, lambda p: p.choose("a", 50), 0.5),
        ([1, True, 1.0], "select", 1, lambda p: p.choose("a", True), True),
        (["x", "y"], "select", "x", lambda p: p.choose("a", "y"), "y"),
        ({"one": 1, "two": [2]}, "select", 1, lambda p: p.choose("a", "two"), [2]),
        (True, "check", True, lambda p: p.choose("a", False), False),
        (3, "entry", 3.0, lambda p: p.type("a", "1/4"), 0.25),
        (np.float32(0.5), "entry", 0.5, lambda p: p.type("a", "-2"), -2.0),
        ("x", "entry", "x", lambda p: p.type("a", "<b>"), "<b>"),
        (Pair(2, 1), "entry", 2, lambda p: p.type("a", "1, 3"), (1, 3)),
    ],
)
def test_each_control_gives_the_function_its_value(given, kind, first, use, then):
    told = []
    page = shown(lambda a: told.append(a), a=given)
    assert page.find("a").kind == kind
    assert told == [first] and type(told[0]) is type(first)
    use(page)
    until(lambda: told[1:])
    assert told[-1] == then and type(told[-1]) is type(then) and page.shows_the_tree()
    page.press("undo")
    until(lambda: told[2:])
    assert told[-1] == first and "is_error" not in page.status


@pytest.mark.parametrize(
    "given", [EDGE, np.array([[1, -1]]), Image.new("L", (2, 1)), torch.ones(1, 2).half()]
)
def test_an_array_is_typed_into(given):
    page = shown(lambda X: 2 * X, X=given)
    page.type("X[0, 1]", "4")
    until(lambda: page.texts("result result")[0][1] == "8")
    page.type("X[0, 0]", "1 2\n3 4", "paste")
    until(lambda: page.texts("result result") == [["2", "4"], ["6", "8"]])


def test_a_stroke_turns_its_first_pixel_and_makes_the_others_like_it():
    told = []
    page = shown(lambda X: told.append(X), X=Painted([[0, 1, 0.4], [0, 0, 1]]))
    page.paint("X", (1, 1))
    page.paint("X", (1, 1), (0, 1), (0, 0))
    page.paint("X", (0, 0), (0, 1), (0, 2))  # back over pixels that it has crossed
    until(lambda: told[-1].tolist() == [[1, 1, 1], [0, 1, 1]])
    assert page.texts("X") == [["1", "1", "1"], ["0", "1", "1"]] and page.shows_the_tree()
    page.leave()
    page.paint("X", (0, 2))
    page.paint("X", (0, 2), (1, 2))
    assert page.panel.X.tolist() == [[1, 1, 0], [0, 1, 0]]
    page.press("undo")
    assert page.panel.X.tolist() == [[1, 1, 1], [0, 1, 1]]
    page.press("undo")
    assert (
        page.texts("X") == [["0", "1", "0.4"], ["0", "0", "1"]]
        and not page.find("undo and redo").can_undo
    )


def test_what_is_painted_outside_of_the_picture_is_left_out():
    page = shown(lambda X: X.sum(), X=Painted(torch.zeros(2, 2)))
    page.paint("X", (2, 2))
    page.paint("X", (1, 1), (1, 2))
    assert page.panel.X.tolist() == [[0, 0], [0, 1]] and not page.has_error


@pytest.mark.parametrize("value", [Painted(torch.eye(3)), EDGE])
def test_a_cell_that_is_chosen_stays_chosen(value):
    page = shown(lambda X: lens(torch.eye(3), EDGE), X=value)
    for node in [node for node in page.panel.tree if node.kind == "cursor"]:
        assert page.send(node.key, "choose", [1, 1])["patches"] == {}


def test_each_painted_picture_has_a_cursor_of_its_own_and_sentences():
    panel = explore(lambda X, x_1: X.sum(), X=Painted([[0, 1]]), x_1=Painted([[1], [0]]))
    tables = {node.name: node for node in panel.tree if node.kind == "table"}
    assert len({table.frames[0].cursor.name for table in tables.values()}) == 2
    assert tables["x_1"].descriptions == [["x_1[0, 0] = 1"], ["x_1[1, 0] = 0"]]
    assert repr(panel).splitlines()[0] == "Panel: X = 1 × 2, x_1 = 2 × 1."
    saved = BeautifulSoup(panel.saved_html(), "html.parser")
    assert [cell.get_text() for cell in saved.find(attrs={"aria-label": "X"})("td")] == ["0", "1"]


def test_a_large_array_or_picture_is_shown_as_it_is_and_can_be_set_by_code():
    page = shown(lambda X: float(X.sum()), X=Image.new("L", (40, 30), 255))
    assert page.find("X").kind == "picture" and "1200.0" in text_of(page)
    page.panel.X = torch.zeros(13, 13)
    assert "0.0" in text_of(page) and page.shows_the_tree()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "a is a NoneType; expected a pair (low, high)"),
        ([], "a is empty"),
        ((2, 1), "a is (2, 1); expected two or three numbers"),
        ((1, 2, 3), "a is 3; expected a whole number from 1 to 2"),
        ((1, 2, 3, 4), "low below high"),
        (("a", "b"), "a is ('a', 'b')"),
        (Painted(torch.ones(13, 2)), "at most 12 rows and columns"),
        (print, "a is a builtin_function_or_method"),
        (torch.ones(2, 2, 2, 2), "a is a Tensor"),
        (float("nan"), "a is nan"),
    ],
)
def test_what_makes_no_control_is_refused_in_words(given, message):
    with pytest.raises(ConvkitError) as caught:
        explore(lambda a: a, a=given)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["replace", "validate"])
def test_a_name_that_no_control_can_have_is_said(name):
    with pytest.raises(ConvkitError, match=f"a field is called {name}"):
        explore(lambda **values: values, **{name: 1})


@pytest.mark.parametrize("name", ["page", "layout", "style", "status", "store", "tree", "undo"])
def test_a_name_that_a_panel_has_for_itself_is_said_and_the_hint_works(name):
    with pytest.raises(ConvkitError, match=f"called {name}, as a part of every panel.*{name}_"):
        explore(lambda **values: values, **{name: 1})
    panel = explore(lambda **values: str(values), **{f"{name}_": (1, 5)})
    setattr(panel, f"{name}_", 4)
    assert panel.store.result.value == f"{{'{name}_': 4}}"


@pytest.mark.parametrize("name", ["history", "panel", "label", "function"])
def test_any_other_name_can(name):
    page = shown(lambda **values: str(values), **{name: (1, 5)})
    page.choose(name, 4)
    until(lambda: f"{{'{name}': 4}}" in text_of(page))
    page.panel.store.set(**{name: 2})
    assert f"{{'{name}': 2}}" in text_of(page) and page.shows_the_tree()


class Html:
    def __init__(self, html):
        self.html = html

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return "<Html>"


def figure():
    drawn, axes = plt.subplots()
    axes.plot([1, 2])
    return drawn


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (torch.eye(2), "<table"),
        (torch.eye(40), "<canvas"),
        (np.eye(2) > 0, "<table"),
        (np.eye(2, dtype=np.uint16), "<table"),
        (torch.eye(2, device="meta").shape, "torch.Size([2, 2])"),
        (torch.ones(1, requires_grad=True), "tensor([1.], requires_grad=True)"),
        (torch.eye(2) / 0, "nan"),
        (torch.zeros(0, 2), "tensor([], size=(0, 2))"),
        (torch.eye(2, dtype=torch.complex64), "0.j"),
        (2.5, "2.5"),
        ("a <b> \ud800", "a &lt;b&gt; ?"),
        (["<i>"], "['&lt;i&gt;']"),
        (None, ""),
        ({"a": 1, 2: torch.eye(2), "2": "b"}, "<table"),
        ({}, ""),
        (Html("<b>bold</b>"), "<b>bold</b>"),
        (Html(None), "&lt;Html&gt;"),
        (Markup("<b>"), "&lt;b&gt;"),
        (ui.row(ui.text("node")), "node"),
        (ui.View(ui.text("view"), "view"), "view"),
    ],
)
def test_whatever_it_returns_is_shown(value, expected):
    page = shown(lambda n: value, n=(1, 9))
    page.choose("n", 2)
    until(lambda: page.status.startswith("n = 2"))
    assert expected in str(page.html)
    assert not page.has_error and page.shows_the_tree()
    assert "<script" not in page.panel.saved_html()


def test_a_figure_is_shown_and_not_kept():
    page = shown(lambda n: figure(), n=(1, 9))
    page.choose("n", 2)
    until(lambda: page.status == "n = 2.")
    assert page.html.find("img")["src"].startswith("data:image/png;base64,")
    assert plt.get_fignums() == []


def test_what_it_returns_may_have_the_names_of_controls_and_of_each_other():
    page = shown(lambda X, n: {"X": X, "Y": pool2d(X, n), "n": n}, X=torch.eye(4), n=(1, 2))
    assert page.texts("result Y") == page.texts("result X")
    two = shown(lambda K: {"a": lens(torch.eye(3), K), "b": lens(torch.eye(4), K)}, K=EDGE)
    two.type("K[0, 0]", "3")
    until(lambda: not two.panel.status.startswith("running"))
    assert not two.has_error and two.shows_the_tree()
    inside = shown(lambda n: sample.panel(), n=(1, 9))
    assert "cannot be shown" in inside.status


class Unshowable:
    def __str__(self):
        raise RuntimeError("<no text>")


def stop():
    raise SystemExit


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda n: 1 / (n - 1), "<lambda> raised ZeroDivisionError: division by zero"),
        (lambda n: stop(), "<lambda> raised SystemExit"),
        (lambda n: Unshowable(), "what <lambda> returned cannot be shown: RuntimeError: <no text>"),
        (lambda: 1, "takes 0 positional arguments but"),
        (lambda n: {Unshowable(): 1}, "cannot be shown"),
        (3, "3 is not a function; expected a function"),
    ],
)
def test_a_failure_is_shown_as_the_functions(function, message):
    page = shown(function, n=(1, 9))
    assert page.has_error and page.shows_the_tree()
    assert message in page.status or "unexpected keyword argument" in page.status
    assert "fault of the panel" not in page.status


def test_after_a_failure_the_last_result_stays_and_the_next_replaces_it():
    page = shown(lambda n: torch.full((1, 1), 10.0 / (n - 2)), n=(1, 9))
    page.choose("n", 2)
    until(lambda: page.has_error)
    page.choose("n", 7)
    until(lambda: page.texts("result result") == [["2"]])
    assert not page.has_error and page.status == "n = 7."


def test_what_it_prints_is_shown():
    """Finding 9."""
    page = shown(lambda n: print(f"<n> {n}"), n=(1, 9))
    assert "<n> 1" in text_of(page)
    page.choose("n", 2)
    until(lambda: "<n> 2" in text_of(page))
    assert "<n> 1" not in text_of(page)


def test_what_others_print_meanwhile_is_not(monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream := io.StringIO())
    begun, ends = threading.Event(), [threading.Event(), threading.Event()]

    def work(end):
        print("inside")
        begun.set()
        end.wait(10)

    threads = []
    for end in ends:
        threads.append(threading.Thread(target=user_function.call, args=(work, end)))
        begun.clear()
        threads[-1].start()
        assert begun.wait(10)
    print("outside")
    assert sys.stdout.getvalue() == "outside\n"  # an attribute of the stream behind
    for end, thread in zip(ends, threads, strict=True):  # the first to begin ends first
        end.set()
        thread.join(10)
    assert sys.stdout is stream and stream.getvalue() == "outside\n"


def test_a_slow_function_shows_what_runs_and_then_what_it_returned():
    go_on, runs = threading.Event(), []

    def slow(n):
        runs.append(n)
        if n > 1:
            go_on.wait(20)
        return f"result {n}"

    page = shown(slow, n=(1, 9))
    page.choose("n", 2)
    assert page.status == "running slow ..." and "result 1" in text_of(page)
    for n in (3, 4, 5):
        page.choose("n", n)
    go_on.set()
    until(lambda: "result 5" in text_of(page))
    assert page.status == "n = 5." and runs == [1, 2, 5]


def test_a_follower_takes_what_another_function_returned():
    one = explore(lambda n: torch.full((1, 2), float(n)), n=(1, 9))
    two = explore(lambda X: X.sum().item(), X=EDGE)
    two.follow(one, lambda result: {"X": result.value})
    Page(one).choose("n", 4)
    until(lambda: two.store.result.value == 8)


def test_text_and_saved_form():
    panel = explore(lambda X, n: {"Y": X * n}, X=EDGE, n=(1, 9, 2))
    assert repr(panel).splitlines()[:3] == [
        "Panel: X = 1 × 2, n = 2.",
        "X: 1 × 2, from -1 to 1, digest be6f09fb",
        "n: 2",
    ]
    assert "<input" not in panel.saved_html() and "n <b>2</b>" in panel.saved_html()
