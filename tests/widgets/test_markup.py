"""Names and messages with markup reach the HTML as text, wherever a learner could put them."""

import ast
import io
import re

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from ipywidgets import HTML, Widget
from PIL import Image

from convkit import ConvkitError, corr2d, formatting, stripes
from convkit.views import html as cells
from convkit.views.lens import lens
from convkit.widgets import ArrayEditor, DescentStepper, KernelEditor, parts
from tests.untrusted_images import MARKUP, upload

FORBIDDEN = ("script", "img[onerror]", "img[src=x]", "iframe", "[onload]", "[onclick]")


def written(*pieces):
    """Return the text of pieces of HTML, if none of them has an element that a text brought."""
    for piece in pieces:
        page = BeautifulSoup(piece, "html.parser")
        assert [tag for rule in FORBIDDEN for tag in page.select(rule)] == []
        assert "</style" not in "".join(style.get_text() for style in page.find_all("style"))
    return "".join(BeautifulSoup(piece, "html.parser").get_text() for piece in pieces)


def pieces_of(panel):
    """Return all HTML of a panel: each part that is live, and what is stored of it."""
    found, todo = [], [panel]
    while todo:
        part = todo.pop()
        found += [part.value] if isinstance(part, HTML) else []
        todo += [child for child in getattr(part, "children", ()) if isinstance(child, Widget)]
    return [*found, panel._repr_mimebundle_()[0].get("text/html", "")]


def png():
    file = io.BytesIO()
    Image.fromarray(np.full((5, 5), 51, np.uint8)).save(file, "PNG")
    return file.getvalue()


def with_file():
    panel = KernelEditor(stripes())
    upload(panel, MARKUP, png())
    assert panel._controls.picture.value == f"file {MARKUP}"
    return panel


def operation(name=MARKUP, fault=None, result=None):
    def yours(X, K):
        if fault is not None:
            raise fault
        return corr2d(X, K) + 1 if result is None else result

    yours.__name__ = name
    return KernelEditor(stripes(), operation=yours)


def refused_text():
    panel = KernelEditor(stripes())
    panel._controls.grid._boxes[0, 0].value = MARKUP[:40]
    return panel


def refused_rate():
    panel = DescentStepper(stripes(), torch.ones(6, 7), torch.zeros(1, 2), steps=1)
    panel._controls.rate.value = MARKUP[:40]
    return panel


Named = type(MARKUP, (Exception,), {})
PANELS = {
    "a file's name": with_file,
    "an operation's name": operation,
    "an operation's exception": lambda: operation("f", Named(MARKUP)),
    "an operation's result": lambda: operation("f", result=type(MARKUP, (), {})()),
    "an operation without a name": lambda: KernelEditor(
        stripes(), operation=type(MARKUP, (), {"__call__": lambda self, X, K: X})()
    ),
    "a text in a box": refused_text,
    "a learning rate": refused_rate,
}


@pytest.mark.parametrize("place", PANELS)
def test_markup_in_a_panel_is_text(place):
    panel = PANELS[place]()
    text = written(*pieces_of(panel))
    shown = MARKUP[:40] if place in ("a text in a box", "a learning rate") else MARKUP
    # In code and where a text is quoted, its own quotes are written as Python does.
    assert shown in text or repr(shown)[1:-1] in text


def test_a_fault_of_ours_is_text(caplog):
    panel = KernelEditor(stripes())

    @parts.guarded
    def broken(panel):
        raise Named(MARKUP)

    broken(panel)
    assert written(panel.status).count(MARKUP) == 2
    caplog.clear()


@pytest.mark.parametrize("role", ["note", "error"])
def test_what_a_panel_says_is_text(role):
    panel = parts.Panel()
    panel.say(str(ConvkitError(MARKUP, MARKUP, MARKUP)), role)
    assert written(panel.status).count(MARKUP) == 3


def test_code_is_text():
    options = {"padding": 0, "stride": 1, "dilation": 1, "flip": False}
    for code in (
        formatting.correlation_code(repr(MARKUP), torch.ones(1, 1), **options),
        formatting.descent_code(repr(MARKUP), "Y", torch.ones(1, 1), [0.1], reduction="sum", momentum=0),
    ):
        assert written(parts.code_html(code)) == code


def test_titles_of_tables_are_text():
    assert written(cells.figure("X", MARKUP, "")) == MARKUP


def test_a_lens_takes_no_words():
    X, K = stripes(), torch.ones(1, 2)
    pictured = lens(X, K, yours=corr2d(X, K) + 1)
    tags = {tag.name for tag in BeautifulSoup(pictured._repr_html_(), "html.parser").find_all()}
    known = {"div", "style", "table", "tbody", "tr", "td", "figure", "figcaption", "span", "b"}
    assert tags <= known


def test_names_of_boxes_are_text():
    grid = ArrayEditor(torch.ones(1, 1), MARKUP)
    (box,) = grid._grid.children
    assert MARKUP in box.description and not box.description_allow_html
    box.value = MARKUP
    panel = parts.Panel()
    panel.say(grid.complaint)
    assert MARKUP in written(panel.status)


NAMES = {
    "quotes": """it's "mine".png""",
    "a new line": "two\nlines\r.png",
    "backslashes": r"C:\new\table\x41.png",
    "an end of quotes": "'); import os; os.system('touch ran')#.png",
    "three quotes": "'''\"\"\".png",
    "braces": "{0.__class__}%s{{}}.png",
    "other letters": "Ünïcödé 图 \u202egnp.exe \u2028.png",
    "markup": MARKUP.replace("/", "") + ".png",
    "a name of ours": "convkit.png",
}


@pytest.mark.parametrize("kind", NAMES)
def test_the_code_shown_for_a_file_opens_that_file(kind, tmp_path, monkeypatch):
    name, panel = NAMES[kind], KernelEditor(stripes())
    (tmp_path / name).write_bytes(png())
    upload(panel, name, png())
    code = written(panel._code.value)
    assert code == panel.code
    (opened,) = re.findall(r"^X = convkit\.open_image\((.*), size=600\)$", code, re.MULTILINE)
    assert ast.literal_eval(opened) == name
    monkeypatch.chdir(tmp_path)
    world = {}
    exec(code, world)
    assert torch.equal(world["Y"], panel.output)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "name", ["a\0b.png", "../../etc/passwd", "half \ud800.png", "x" * 10000, ""]
)
def test_the_code_shown_for_a_name_that_no_file_has_is_python(name):
    panel = KernelEditor(stripes())
    upload(panel, name, png())
    (call,) = (node for node in ast.walk(ast.parse(panel.code)) if isinstance(node, ast.Call)
               and ast.unparse(node.func) == "convkit.open_image")  # fmt: skip
    assert ast.literal_eval(call.args[0]) == name
