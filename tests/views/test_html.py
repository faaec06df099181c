"""The tables: colours are matplotlib's, cells hold their numbers, text is escaped."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps

from convkit.views import html as cells

LEVELS = st.floats(-1, 1)


def channels(colour):
    return list(bytes.fromhex(colour.removeprefix("#")))


def luminance(colour):
    """Return WCAG's relative luminance of "#rrggbb"."""
    parts = [c / 255 for c in channels(colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@given(LEVELS)
def test_tint_is_matplotlibs_diverging_map(level):
    # matplotlib holds 256 colours, and 0 falls between two of them.
    wanted = [255 * c for c in colormaps["RdBu_r"].resampled(2001)((level + 1) / 2)[:3]]
    assert channels(cells.tint(level)) == pytest.approx(wanted, abs=2)


@pytest.mark.parametrize(("level", "colour"), [(-7, "#053061"), (0, "#f7f7f7"), (7, "#67001f")])
def test_tint_at_and_beyond_its_ends(level, colour):
    assert cells.tint(level) == colour


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_a_signed_cell_has_the_class_of_its_tint(value, limit):
    n = int(cells.tint_class(value, limit)[1:])
    assert abs(n / cells.TINTS - max(-1, min(1, value / limit))) <= 0.5 / cells.TINTS + 1e-12
    assert cells.tint(n / cells.TINTS) in cells.colours(f"t{n}")


@given(st.floats(0, 1))
def test_a_grey_cell_has_the_class_of_its_grey(value):
    name = cells.grey_class(value, 0.0, 1.0)
    (grey,) = re.findall("background:#(..)..[0-9a-f]{2};", cells.colours(name))
    assert abs(int(grey, 16) / 255 - value) <= 0.5 / cells.TINTS + 1 / 255


@pytest.mark.parametrize(
    ("value", "name"), [(-3.0, "g0"), (-2.0, "g0"), (0.0, "g10"), (2.0, "g20")]
)
def test_grey_spans_the_range_given(value, name):
    assert cells.grey_class(value, -2.0, 2.0) == name


def test_every_class_has_a_rule_and_its_number_is_legible():
    rules = dict(re.findall(r"\.ck-lens td\.(\S+?)\{(.*?)\}", cells.colour_rules()))
    assert set(rules) == {f"t{n}" for n in range(-20, 21)} | {f"g{n}" for n in range(21)}
    for name, css in rules.items():
        paper, ink = re.fullmatch("background:(#.{6});color:(#.*)", css).groups()
        ink = "#" + "".join(2 * digit for digit in ink[1:])
        light, dark = sorted((luminance(paper), luminance(ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 4.5, name


def test_a_table_has_a_class_per_row_and_column():
    text = cells.table(torch.tensor([[1.0, 2.0], [3.0, 4.5]]), [["a", "b"], ["c", "d"]])
    rows = re.findall('<tr class="r(.)">(.*?)</tr>', text)
    assert [(n, re.findall('<td class="(.*?)">(.*?)</td>', row)) for n, row in rows] == [
        ("0", [("a c0", "1"), ("b c1", "2")]),
        ("1", [("c c0", "3"), ("d c1", "4.5")]),
    ]


def test_cells_are_wide_enough_for_the_longest_number():
    narrow, wide = (cells.signed_table(torch.tensor([[x]])) for x in (1.0, -0.012345))
    width = [int(re.search(r"--ck-w:(\d+)px", text)[1]) for text in (narrow, wide)]
    assert width[0] < width[1] >= 7 * 13 * 0.6
    chars = cells.signed_table(torch.tensor([[1.0]]), chars=8)
    assert int(re.search(r"--ck-w:(\d+)px", chars)[1]) == width[1]


@pytest.mark.parametrize(("chars", "columns", "font"), [(3, 8, 13), (6, 16, 12), (9, 30, 9)])
def test_the_font_shrinks_until_the_columns_fit(chars, columns, font):
    assert cells.fitting_font(chars, columns) == font


def test_the_key_says_both_ends():
    text = cells.colour_key(0.5)
    assert "<span>-0.5</span>" in text and "<span>0.5</span>" in text
    assert text.index("#053061") < text.index("#f7f7f7") < text.index("#67001f")


def test_titles_are_escaped():
    assert "&lt;b&gt; &amp; co" in cells.figure("X", "<b> & co", "")
