"""Colours: each number has the one of its place on a scale, and its ink is legible on it."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib import colormaps

from convkit.ui import theme
from convkit.ui.theme import MARKED, Scale

VALUES = arrays(np.float32, (3, 4), elements=st.floats(-3, 3, width=32))
SCALES = [
    Scale("grey", 0, 1),
    Scale("grey", -1, 3),
    Scale("signed", -2, 2),
    Scale("magnitude", 0, 2),
]
LEVELS = dict(
    re.findall(r"\.ck-view \.([tg]-?\d+)\{background:(#.{6});color:", theme.level_rules())
)
INKS = dict(re.findall(r"\.([tg]-?\d+)\{[^}]*;color:#(.)..\}", theme.level_rules()))
DARK_PAGE = "#111111"


def channels(colour):
    return np.array([*bytes.fromhex(colour[1:])], int)


def luminance(colour):
    """Return WCAG's relative luminance of a colour "#rrggbb"."""
    parts = channels(colour) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(colour, other):
    dark, light = sorted([luminance(colour), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def shades(scale):
    return np.frombuffer(scale.palette, np.uint8).reshape(256, 4)[:, :3].astype(int)


def expected_colours(scale, values):
    """Return what matplotlib would show, (..., 3)."""
    shown = np.abs(values) if scale.look == "magnitude" else values
    share = np.clip((shown - scale.low) / (scale.high - scale.low), 0, 1)
    if scale.look == "signed":  # matplotlib holds 256 colours, and 0 falls between two of them
        return 255 * np.array(colormaps["RdBu_r"].resampled(2001)(share))[..., :3]
    return np.repeat(255 * np.asarray(share)[..., None], 3, axis=-1)


# Pictures


@pytest.mark.parametrize("scale", SCALES, ids=str)
@given(values=VALUES)
def test_a_pixel_has_the_colour_of_its_share_of_the_key(scale, values):
    indices = np.frombuffer(scale.indices(torch.from_numpy(values)), np.uint8).reshape(3, 4)
    np.testing.assert_allclose(
        shades(scale)[indices], expected_colours(scale, values), rtol=0, atol=2.5
    )


def test_a_key_may_be_wider_than_the_dtype_of_the_values():
    values = torch.tensor([[-3e38, 0.0, 3e38]])
    assert list(Scale("signed", -3e38, 3e38).indices(values)) == [0, 127, 254]


def test_a_marked_value_has_the_last_colour():
    mark = torch.tensor([[False, True]])
    assert list(Scale("signed", -1, 1).indices(torch.zeros(1, 2), mark)) == [127, MARKED]
    assert shades(Scale("signed", -1, 1))[MARKED].tolist() == [
        *channels(theme.COLOURS["difference"])
    ]


# Cells


@given(st.floats(-1.2, 1.2))
def test_a_signed_cell_has_the_level_nearest_to_its_value(value):
    (name,) = Scale("signed", -3, 3).classes(torch.tensor([[3 * value]]))
    shown = int(name[1:]) / theme.LEVELS
    assert abs(shown - max(-1, min(1, value))) <= 0.5 / theme.LEVELS + 1e-6
    expected = 255 * np.array(colormaps["RdBu_r"].resampled(2001)((shown + 1) / 2)[:3])
    assert channels(LEVELS[name]) == pytest.approx(expected, abs=2)


@given(st.floats(-3, 4), st.sampled_from(["grey", "magnitude"]))
def test_a_grey_cell_has_the_level_nearest_to_its_value(value, look):
    low = -2.0 if look == "grey" else 0.0
    (name,) = Scale(look, low, 3).classes(torch.tensor([[value]]))
    red, green, blue = channels(LEVELS[name])
    share = (value + 2) / 5 if look == "grey" else abs(value) / 3
    assert red == green == blue
    assert red / 255 == pytest.approx(max(0, min(1, share)), abs=0.5 / theme.LEVELS + 0.01)


def test_what_is_not_finite_has_a_colour_too():
    values = torch.tensor([[torch.nan, torch.inf, -torch.inf]])
    for scale in SCALES:
        assert set(scale.classes(values)) <= set(LEVELS)


def test_the_number_on_every_colour_is_legible():
    assert len(LEVELS) == len(INKS) == 3 * theme.LEVELS + 2
    for name, colour in LEVELS.items():
        assert contrast(colour, "#" + 6 * INKS[name]) > 4.5, name


def test_rules_of_some_levels_are_those_of_all():
    some = theme.level_rules({"t-3", "g20"})
    assert some.count("{") == 2 and all(rule in theme.level_rules() for rule in some.split("}")[:2])


# Keys and the page


def test_the_key_names_its_ends():
    assert "<span>−0.5</span>" in Scale("signed", -0.5, 0.5).colour_key()
    assert "<span>3</span>" in Scale("grey", -1, 3).colour_key()


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_the_key_runs_through_the_colours(scale):
    stops = re.findall(r"#\w{6}", scale.colour_key())
    places = np.linspace(scale.low, scale.high, len(stops))
    for stop, value in zip(stops, places, strict=True):
        expected = expected_colours(scale, np.float64(value))
        assert channels(stop) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("name", theme.COLOURS)
def test_colours_are_told_from_the_page(name):
    dark = theme.DARK_COLOURS.get(name, theme.COLOURS[name])
    text = 4.5 if name in ("gradient", "refused") else 2
    assert contrast(theme.COLOURS[name], "#ffffff") > text
    assert contrast(dark, DARK_PAGE) > max(text, 3)


def test_rules_of_the_theme_may_be_those_that_are_used():
    used = theme.theme_rules("a { color: var(--ck-input) } b { color: var(--ck-gradient) }")
    assert re.findall(r"--ck-(\w+):(#\w+)", used) == [
        ("input", theme.COLOURS["input"]),
        ("gradient", theme.COLOURS["gradient"]),
        ("gradient", theme.DARK_COLOURS["gradient"]),
    ]
