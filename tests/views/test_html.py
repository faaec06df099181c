"""Tables: colours are matplotlib's and legible, cells hold their texts, titles are escaped."""

import re
from importlib.resources import files

import pytest
import torch
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps

from convkit.views import html
from tests.untrusted_images import MARKUP

RULES = dict(re.findall(r"\.ck-lens td\.([tg]-?\d+)\{(.*?)\}", html.STYLE))
DARK_PAGE = "#111111"


def channels(colour: str) -> list[int]:
    return list(bytes.fromhex(colour[1:]))


def contrast(colour: str, other: str) -> float:
    """Return WCAG's contrast ratio of two colours "#rrggbb"."""
    luminances = []
    for one in (colour, other):
        parts = [c / 255 for c in channels(one)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        luminances.append(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))
    dark, light = sorted(luminances)
    return (light + 0.05) / (dark + 0.05)


def background(name: str) -> str:
    return re.search("background:(#.{6})", RULES[name])[1]


@given(st.floats(-1.2, 1.2))
def test_signed_cells_have_matplotlibs_colours(value):
    ((name,),) = html.signed_classes(torch.tensor([[3 * value]]), 3.0)
    shown = int(name[1:]) / html.LEVELS
    assert abs(shown - max(-1, min(1, value))) <= 0.5 / html.LEVELS + 1e-6
    # matplotlib holds 256 colours, and 0 falls between two of them.
    expected = [255 * c for c in colormaps["RdBu_r"].resampled(2001)((shown + 1) / 2)[:3]]
    assert channels(background(name)) == pytest.approx(expected, abs=2)


@given(st.floats(-3, 4))
def test_input_cells_have_the_grey_of_their_value(value):
    ((name,),) = html.grey_classes(torch.tensor([[value]]), -2.0, 3.0)
    red, green, blue = channels(background(name))
    assert red == green == blue
    assert red / 255 == pytest.approx(max(0, min(1, (value + 2) / 5)), abs=0.5 / html.LEVELS + 0.01)


def test_the_number_on_every_colour_is_legible():
    assert len(RULES) == 3 * html.LEVELS + 2
    for name, rule in RULES.items():
        ink = re.search("color:#(.)..$", rule)[1]
        assert contrast(background(name), "#" + 6 * ink) > 4.5, name


@pytest.mark.parametrize("name", html.COLOURS)
def test_colours_are_told_from_the_page(name):
    dark = html.DARK_COLOURS.get(name, html.COLOURS[name])
    text = 4.5 if name in ("gradient", "refused") else 2
    assert contrast(html.COLOURS[name], "#ffffff") > text
    assert contrast(dark, DARK_PAGE) > max(text, 3)


def test_selectors_begin_with_a_class_of_ours():
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", re.sub(r"@media.*?\{", "", html.STYLE))
    selectors = [part for rule in rules for part in re.split(r",(?![^(]*\))", rule)]
    assert len(selectors) > 100
    assert [text for text in selectors if not text.strip().startswith(".ck-")] == []


def test_colours_of_the_sheet_are_the_themes():
    sheet = files("convkit.views").joinpath("lens.css").read_text()
    assert re.findall(r"#[0-9a-fA-F]{3}|rgba?\(", sheet) == []
    of_elements = {"--ck-w", "--ck-h"}  # set where they are used
    defined = set(re.findall(r"(--ck-[\w-]+):", html.THEME)) | of_elements
    assert set(re.findall(r"var\((--ck-[\w-]+)\)", sheet)) <= defined


def test_a_table_has_a_class_per_row_and_column():
    cells = html.cells([["1", "2"], ["3", "4"]], [["a", "b"], ["c", "d"]])
    page = BeautifulSoup(html.table(cells), "html.parser")
    rows = [(row["class"], [(td["class"], td.text) for td in row("td")]) for row in page("tr")]
    assert rows == [
        (["r0"], [(["a", "c0"], "1"), (["b", "c1"], "2")]),
        (["r1"], [(["c", "c0"], "3"), (["d", "c1"], "4")]),
    ]


def test_cells_are_wide_enough_for_the_longest_number():
    sizes = [html.cell_size(html.longest([["1", text]])) for text in ("1", "-0.01235")]
    narrow, wide = (int(re.search(r"--ck-w:(\d+)px", size)[1]) for size in sizes)
    assert narrow < wide >= len("-0.01235") * 13 * 0.6


def test_markup_in_a_title_is_text():
    page = BeautifulSoup(html.figure("X", "input", MARKUP, ""), "html.parser")
    assert page.text == f"input X {MARKUP}"
    assert [tag.name for tag in page.find_all()] == ["figure", "figcaption", "b"]
