"""HTML: everything is escaped, a saved view needs no script, and styles are confined."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convkit import ui
from convkit.ui import html, nodes, styles
from convkit.ui.html import tag
from convkit.ui.keys import keyed
from convkit.ui.saved import saved
from convkit.ui.theme import COLOURS, PROPERTIES
from tests.untrusted_images import MARKUP

TEXTS = st.text(max_size=8) | st.sampled_from([MARKUP, '"', "'", "<b>", "&lt;", "-->", "]]>"])
CELL = ui.Cursor("cell", (2, 2), (0, 1), "at")
STEP = ui.Cursor("step", 20, 3, "n")
GREY = ui.Scale("grey", 0, 1)
SAYS = [["a", "b"], ["c", "a longer one"]]


def soup(markup):
    return BeautifulSoup(markup, "html.parser")


def described(says=SAYS, **options):
    """Return a table whose cells can be chosen."""
    frames = [ui.Frame(CELL, hue="output")]
    return ui.table("output", torch.eye(2), GREY, frames=frames, descriptions=says, **options)


def everything(words="words"):
    """Return a view with a node of each kind, in which others wrote all words."""
    X = torch.tensor([[0.0, -1.0], [0.5, 1.0]])
    reads = ui.Frame(CELL, size=(1, 2), texts=(words, "2"))
    tables = [
        ui.table(f"{name} {words}", X, GREY, frames=[reads], texts=[[words, "1"], ["2", "3"]])
        for name in ("table", "term")
    ]
    shown = [ui.text(f"{words} {n}") for n in range(20)]
    path = [(float(n), 1.0) for n in range(20)]
    return ui.column(
        ui.header(words),
        ui.section(words, ui.text(words), ui.caption(words)),
        ui.titled(words, ui.code(f"code {words}", words), hue="input"),
        ui.labelled(ui.select(f"select {words}", ["a", words], words, "f")),
        ui.labelled(ui.numbers(f"numbers {words}", X, "f")),
        ui.choice(f"choice {words}", {words: words, "b": ""}, "b", "f"),
        ui.check(f"check {words}", True, "f"),
        ui.slider(f"slider {words}", 0, 9, 3, "f", words),
        ui.entry(f"entry {words}", words, "f", disabled=words),
        ui.button(f"button {words}", "f"),
        ui.file(f"file {words}", words, "f"),
        ui.cells(f"cells {words}", [words], ["t1"], 1),
        tables[0],
        described([[words, "b"], ["c", "d"]]),
        ui.picture(f"picture {words}", X, GREY, aria_label=words),
        ui.picture(f"colours {words}", torch.stack([X, X, X]), GREY, aria_label=words),
        ui.description(CELL, words),
        ui.series(f"series {words}", STEP, shown),
        ui.player("step", STEP),
        ui.plot(f"plot {words}", (10, 10), STEP, path, notes=[words] * 20, start=words),
        ui.equation(ui.term(words, tables[1], sign=words, note=words, hue="input", scale=GREY)),
    )


# Escaping


@given(TEXTS, TEXTS)
def test_a_tag_holds_its_text_and_attributes(text, attribute):
    element = soup(tag("p", text, title=attribute)).find_all()
    assert len(element) == 1
    normal = {"\r": "\n", "\x00": "\ufffd"}
    for written, read in ((text, element[0].text), (attribute, element[0]["title"])):
        assert read in (written, *[written.replace(*pair) for pair in normal.items()])


@given(words=TEXTS)
def test_what_others_write_is_text_wherever_it_stands(words):
    written, plain = (keyed(everything(f"x{text}")) for text in (words, "words"))
    for write in (html.render, saved):
        shown, expected = soup(write(written)), soup(write(plain))
        assert [e.name for e in shown.find_all()] == [e.name for e in expected.find_all()]
        for element, other in zip(shown.find_all(), expected.find_all(), strict=True):
            assert {*element.attrs} ^ {*other.attrs} <= {"title", "data-text", "data-sign"}


def test_markup_alone_is_not_escaped():
    assert tag("p", tag("b", "<")) == "<p><b>&lt;</b></p>"
    with pytest.raises(TypeError, match="content is a str"):
        nodes.markup("<b>")


# A saved view


def test_a_saved_view_needs_no_script_and_asks_for_nothing():
    page = soup(saved(keyed(everything()), "a note"))
    assert page.select("script, link, iframe, object, embed, canvas, button, select, [id]") == []
    assert [a for e in page.find_all() for a in e.attrs if a.startswith("on")] == []
    sources = [e["src"] for e in page.select("[src]")]
    assert sources and all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"url\(|@import|@font-face", page.style.text)
    assert {e["type"] for e in page("input")} == {"radio"}
    assert page.select_one("div > small:last-child").text == "a note"


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (ui.select("rows", (1, 2), 2, "f"), "rows 2"),
        (ui.choice("mode", ("max", "avg"), "avg", "f"), "mode avg"),
        (ui.check("flip", True, "f"), "flip"),
        (ui.check("flip", False, "f"), ""),
        (ui.slider("rate", 0, 9, 3, "f", "3% of the limit"), "rate 3% of the limit"),
        (ui.slider("size", 0, 9, 3, "f"), "size 3"),
        (ui.entry("step", "0.5", "f"), "step 0.5"),
        (ui.button("open", "f"), ""),
        (ui.file("open", ".png", "f"), ""),
        (ui.numbers("K", torch.tensor([[1.0, -0.5]]), "f"), "K 1 −0.5"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_control_becomes_words_once(control, words):
    page = soup(saved(keyed(ui.row(ui.labelled(control)))))
    page.style.decompose()
    assert " ".join(page.get_text(" ").split()) == words


def test_a_saved_header_has_the_status_and_nothing_to_press():
    page = soup(saved(keyed(ui.header("It works."))))
    page.style.decompose()
    assert page.text == "It works." and page("button") == []


def test_words_side_by_side_stay_apart_without_styles():
    tree = ui.row(ui.heading("input"), ui.select("picture", ("photo",), "photo", "f"), ui.text("a"))
    page = soup(saved(keyed(tree)))
    page.style.decompose()
    assert page.text == "input picture photo a"


def test_a_saved_section_is_there_if_something_is_in_it():
    press = ui.section("files", ui.row(ui.button("save", "f"), ui.file("open", ".png", "f")))
    read = ui.section("code", ui.row(ui.button("run", "f"), ui.code("code", "X = 1")))
    look = ui.section("look", ui.picture("photo", torch.eye(2), GREY))
    page = soup(saved(keyed(ui.column(press, read, look))))
    assert [summary.text for summary in page("summary")] == ["code", "look"]


def test_a_picture_in_colour_has_its_colours_live_and_saved():
    colours = torch.tensor([[1.0, 0.2, 0.0], [0.0, 0.4, 2.0]]).T.reshape(3, 1, 2)
    tree = keyed(ui.column(ui.picture("photo", colours, GREY, aria_label="a photo")))
    for page in (soup(html.render(tree)), soup(saved(tree))):
        assert page.img["alt"] == "a photo"
        data = b64decode(page.img["src"].removeprefix("data:image/png;base64,"))
        with Image.open(io.BytesIO(data)) as image:
            assert np.asarray(image).tolist() == [[[255, 51, 0], [0, 102, 255]]]


def test_a_saved_table_has_a_radio_button_for_each_cell_that_says_something():
    page = soup(saved(keyed(ui.column(described(), ui.description(CELL, "b")))))
    cells = {
        (tr["class"][0], td["class"][1]): td.input
        for tr in page("tr")
        for td in tr("td")
        if td.input
    }
    names = {place: button["aria-label"] for place, button in cells.items()}
    assert names == {
        ("r0", "c0"): "a",
        ("r0", "c1"): "b",
        ("r1", "c0"): "c",
        ("r1", "c1"): "a longer one",
    }
    assert [place for place, button in cells.items() if button.has_attr("checked")] == [
        ("r0", "c1")
    ]
    assert all(button["data-lm-suppress-shortcuts"] == "true" for button in cells.values())


def test_the_sentence_stands_at_the_end_with_room_for_the_longest():
    tree = ui.column(ui.description(CELL, "b"), described())
    *_, line = soup(saved(keyed(tree))).div.find_all(recursive=False)
    assert (line.name, line.text, line["data-longest"]) == ("output", "b", "a longer one")


@pytest.mark.parametrize("title", ["lens: input 3 × 3", MARKUP, "-->", "--", "a\nb"])
def test_the_first_line_is_what_a_hidden_output_says(title):
    page = saved(keyed(ui.text("a")), title=title)
    assert page.startswith("<!-- ") and page.count("-->") == 1
    assert soup(page).find_all()[0].name == "div" and len(soup(page).contents) == 3
    if title.startswith("lens"):
        assert page.splitlines()[0] == "<!-- lens: input 3 × 3 -->"


def test_two_cursors_have_a_line_each():
    other = ui.Cursor("other", (2, 2), (1, 1), "at")
    table = ui.table("other", torch.eye(2), GREY, frames=[ui.Frame(other)], descriptions=SAYS)
    tree = ui.column(described(), table, ui.description(CELL, "b"), ui.description(other, "d"))
    page = soup(saved(keyed(tree)))
    assert [line.text for line in page("output")] == ["b", "d"]
    for n, name in ((2, "cell"), (3, "other")):
        (rule,) = re.findall(
            rf"[^}}]*\[data-pick={name}\] input::after{{grid-area:(\d)/1/\d/2}}", page.style.text
        )
        assert int(rule) == n


PLACED = r":has\(\S+ \.([rc])(\d+)( ?:hover| :checked)\) \[data-cursor=cell\]{--cell-([ij]):(\d+)}"


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (16, 16)])
def test_each_row_and_column_has_its_rules(size):
    cursor = ui.Cursor("cell", size, (0, 0), "at")
    says = [["a"] * size[1]] * size[0]
    table = ui.table("Y", torch.ones(size), GREY, frames=[ui.Frame(cursor)], descriptions=says)
    style = soup(saved(keyed(ui.column(table)))).style.text
    rules = re.findall(PLACED, style)
    expected = {
        (kind, str(n), state, axis, str(n))
        for kind, axis, count in (("r", "i", size[0]), ("c", "j", size[1]))
        for n in range(count)
        for state in (":hover", " :checked")
    }
    assert len(rules) == len(expected) and set(rules) == expected


def test_a_picked_cell_has_a_rule_for_each_place():
    reads = ui.Frame(CELL, size=(1, 2), texts=("max", "max"), picks=(1, 0, 0, 1))
    tree = ui.column(ui.table("X", torch.eye(2), GREY, frames=[reads]), described())
    page = soup(saved(keyed(tree)))
    (frame,) = page.select("[data-picks]")
    assert "--first-pick:0;" in frame["style"]  # of cell (0, 1), which is chosen
    rules = re.findall(
        r":is\(([^)]*)\)( :checked|:hover)\) \[data-picks='1,0,0,1'\]{--pick:(\d)}", page.style.text
    )
    assert sorted(rules) == [
        (".r0 .c0,.r1 .c1", " :checked", "1"),
        (".r0 .c0,.r1 .c1", ":hover", "1"),
        (".r0 .c1,.r1 .c0", " :checked", "0"),
        (".r0 .c1,.r1 .c0", ":hover", "0"),
    ]


# Styles


def selectors(css):
    """Return all selectors of a style sheet, those of nested rules after their parents'."""
    css = re.sub(r'"[^"]*"', "", css)
    found, at = [], [""]
    for text, mark in re.findall(r"([^{}]*)([{}])", css):
        if mark == "}":
            at.pop()
            continue
        text = text.split(";")[-1].strip()
        whole = text.startswith("@")
        parent = at[-1]
        at.append(parent if whole else f"{parent} {text}".strip())
        if not whole:
            parts = re.split(r",(?![^(]*\))", text)
            found += [f"{parent} {part.strip()}".strip() for part in parts]
    return found


@pytest.mark.parametrize(
    "tree",
    [
        ui.text("a"),
        ui.array("X", torch.eye(2)),
        ui.row(ui.check("flip", True, "f"), ui.status("a"), ui.picture("X", torch.eye(2), GREY)),
        everything(),
    ],
    ids=["text", "array", "controls", "everything"],
)
def test_a_saved_style_applies_to_its_own_view_alone(tree):
    page = soup(saved(keyed(tree), style=".ck-mine .ck-row { gap: 0 }"))
    _, root = page.div["class"]
    assert root not in ("ck-view", "ck-saved")
    found = selectors(page.style.text)
    assert len(found) > 20
    for selector in found:
        assert re.match(rf"\.{root}\b(?!-)", selector), selector


def test_views_of_other_kinds_have_other_roots():
    """A sheet that comes again must not undo what one said that came between."""
    trees = [ui.text("a"), ui.array("X", torch.eye(2)), ui.status("a"), everything()]
    roots = [soup(saved(keyed(tree))).div["class"][1] for tree in trees]
    assert len(set(roots)) == len(trees)
    again = soup(saved(keyed(ui.caption("another text")))).div["class"][1]
    assert again == roots[0]


def test_live_styles_apply_to_live_views_alone():
    found = selectors(styles.stylesheet())
    assert len(found) > 150
    strange = [s for s in found if not s.startswith(".ck-view") and s not in ("to",)]
    assert strange == []


def test_rules_of_a_panel_weigh_more_than_those_of_all_views():
    whole = selectors(styles.own_rules(".ck-mine .ck-row, .ck-mine p { gap: 0 }"))
    assert whole == [
        ".ck-view.ck-view",
        ".ck-view.ck-view .ck-mine .ck-row",
        ".ck-view.ck-view .ck-mine p",
    ]
    assert styles.own_rules("") == ""


def test_a_saved_view_carries_what_it_needs_and_no_more():
    style = soup(saved(keyed(ui.array("X", torch.tensor([[0.0, 1.0]]))))).style.text
    assert ".ck-table" in style
    for absent in (".ck-plot svg", ".ck-boxes", ".ck-equation", ".ck-history", "--ck-gradient:"):
        assert absent not in style
    assert set(re.findall(r"\.([tg]-?\d+)\{", style)) == {"g0", "g20"}
    whole = soup(saved(keyed(everything()))).style.text
    for present in (".ck-plot svg", ".ck-table", ".ck-equation", ".ck-status", ".ck-picture"):
        assert present in whole


def test_colours_that_are_used_are_defined():
    page = saved(keyed(everything()))
    defined = set(re.findall(r"--ck-([\w-]+):", page))
    assert defined <= {*COLOURS, *PROPERTIES}
    assert set(re.findall(r"var\(--ck-([\w-]+)", page)) <= defined


def test_words_in_a_style_keep_their_spaces():
    assert 'content:"point at a cell; a click keeps it"' in styles.stylesheet()
    assert "/*" not in styles.stylesheet() and "\n" not in styles.stylesheet()
