"""Scales: the colour of each number, and the ink that can be read on it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib import colormaps

from convkit.views.scales import MARKED, Scale

VALUES = arrays(np.float32, (3, 4), elements=st.floats(-3, 3, width=32))
SCALES = [
    Scale("grey", 0, 1),
    Scale("grey", -1, 3),
    Scale("signed", -2, 2),
    Scale("magnitude", 0, 2),
]


def shades(scale):
    return np.frombuffer(scale.palette, np.uint8).reshape(256, 4)[:, :3].astype(int)


def test_a_key_may_be_wider_than_the_dtype_of_the_values():
    values = torch.tensor([[-3e38, 0.0, 3e38]])
    assert list(Scale("signed", -3e38, 3e38).indices(values)) == [0, 127, 254]


@pytest.mark.parametrize("scale", SCALES, ids=str)
@given(values=VALUES)
def test_a_colour_is_the_one_of_its_share_of_the_key(scale, values):
    indices = np.frombuffer(scale.indices(torch.from_numpy(values)), np.uint8).reshape(3, 4)
    shown = np.abs(values) if scale.look == "magnitude" else values
    share = np.clip((shown - scale.low) / (scale.high - scale.low), 0, 1)
    if scale.look == "signed":
        expected = 255 * colormaps["RdBu_r"].resampled(2001)(share)[..., :3]
    else:
        grey = share if scale.look == "grey" else 1 - share
        expected = np.repeat(255 * grey[..., None], 3, axis=2)
    np.testing.assert_allclose(shades(scale)[indices], expected, atol=2.5)


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_ink_has_a_contrast_of_at_least_4_5(scale):
    for colour, is_white in zip(shades(scale), scale.inks, strict=True):
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour / 255]
        luminance = np.dot(linear, [0.2126, 0.7152, 0.0722])
        contrast = 1.05 / (luminance + 0.05) if is_white else (luminance + 0.05) / 0.05
        assert contrast >= 4.5


def test_a_marked_value_has_the_last_colour():
    mark = torch.tensor([[False, True]])
    assert list(Scale("signed", -1, 1).indices(torch.zeros(1, 2), mark)) == [127, MARKED]


def test_the_key_names_its_ends():
    assert "<span>−0.5</span>" in Scale("signed", -0.5, 0.5).key()
    assert "<span>3</span>" in Scale("grey", -1, 3).key()
