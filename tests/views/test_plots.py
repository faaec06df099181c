"""Pictures: their pixels are right, their text follows the data, their bytes are the same twice."""

import io
import subprocess
import sys
from base64 import b64decode

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib import colormaps
from PIL import Image

from convkit import ConvkitError, stripes
from convkit.views import plots as draw
from convkit.views.html import tint

ARRAYS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.floats(-2, 2, width=32),
)


def pixels(data, mode):
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert(mode)).astype(int)


@settings(max_examples=40)
@given(ARRAYS)
def test_png_of_brightness(values):
    wanted = np.rint(values.clip(0, 1) * 255)
    shown = pixels(draw.png(torch.tensor(values)), "L")
    assert shown.shape == values.shape and np.abs(shown - wanted).max() <= 1
    assert pixels(draw.png(torch.tensor([[0.0, 1.0, 0.5]])), "L").tolist() == [[0, 255, 128]]


@settings(max_examples=40)
@given(ARRAYS, st.sampled_from([0.5, 1.0, 2.0]))
def test_png_of_signed_values(values, limit):
    shown = pixels(draw.png(torch.tensor(values), limit), "RGB")
    wanted = 255 * colormaps["RdBu_r"].resampled(2001)((values / limit).clip(-1, 1) / 2 + 0.5)
    assert shown.shape == (*values.shape, 3)
    assert np.abs(shown - wanted[..., :3]).max() <= 3


def test_png_ends_and_middle_are_the_colours_of_the_tables():
    shown = pixels(draw.png(torch.tensor([[-9.0, -2.0, 0.0, 2.0, 9.0]]), 2.0), "RGB")[0]
    wanted = [tint(level) for level in (-1, -1, 0, 1, 1)]
    for pixel, colour in zip(shown, wanted, strict=True):
        assert np.abs(pixel - list(bytes.fromhex(colour[1:]))).max() <= 1
    assert shown[0].tolist() == shown[1].tolist() and shown[3].tolist() == shown[4].tolist()


def test_png_marks_cells_and_only_them():
    values, mark = torch.zeros(3, 4), torch.zeros(3, 4).bool()
    mark[1, 2] = True
    shown = pixels(draw.png(values, 1.0, mark), "RGB")
    magenta = (shown == [213, 0, 143]).all(-1)
    assert magenta.tolist() == mark.tolist()


def test_png_takes_gradients_and_any_float():
    plain = draw.png(torch.full((2, 2), 0.5))
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        assert draw.png(torch.full((2, 2), 0.5, dtype=dtype, requires_grad=True)) == plain


def test_a_picture_is_png_and_words():
    picture = draw.show({"input": stripes(), "edges": torch.tensor([[1.0, -1.0]])}, note="so")
    data, metadata = picture._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain"}
    assert pixels(b64decode(data["image/png"]), "RGB").shape[0] > 100
    assert data["text/plain"] == repr(picture) == picture.text
    assert metadata["image/png"]["alt"] == picture.text
    lines = picture.text.splitlines()
    assert lines[0].startswith("input: 6 × 8, from 0 to 1, digest ")
    assert lines[1].startswith("edges: 1 × 2, from -1 to 1, digest ")


def test_the_same_data_give_the_same_bytes_and_others_do_not():
    first, again = draw.show({"a": stripes()}), draw.show({"a": stripes()})
    assert first == again
    other = stripes()
    other[3, 3] = 0.01
    changed = draw.show({"a": other})
    assert changed.text != first.text and changed.png != first.png


def test_negative_values_are_drawn_in_colour_unless_told():
    def colourful(picture):
        shown = pixels(picture.png, "RGB")
        return (shown.max(-1) - shown.min(-1)).max() > 60

    values = torch.tensor([[-1.0, 1.0], [0.0, 0.5]])
    assert colourful(draw.show({"a": values}))
    assert not colourful(draw.show({"a": values}, signed=()))
    assert not colourful(draw.show({"a": values.abs()}))
    assert colourful(draw.show({"a": values.abs()}, signed=["a"]))


def test_activations_with_a_gradient_can_be_shown():
    values = torch.ones(3, 3, requires_grad=True)
    assert draw.show({"a": values}).text == draw.show({"a": torch.ones(3, 3)}).text


@pytest.mark.parametrize(
    "module", ["convkit.views.plots", "convkit.views.chart", "convkit.widgets"]
)
def test_pyplot_is_never_loaded(module):
    loads = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print('matplotlib.pyplot' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loads.stdout == "False\n"


def test_the_look_for_pyplot_can_see_it():
    code = "import matplotlib.pyplot, sys; print('matplotlib.pyplot' in sys.modules)"
    loads = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loads.stdout == "True\n"


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ({}, "pictures is an empty dict; wanted a dict of titles and tensors"),
        (stripes(), "pictures is a Tensor; wanted a dict of titles and tensors"),
        ({"RGB": torch.ones(3, 4, 4)}, r"RGB has shape \(3, 4, 4\); wanted .* shape \(H, W\)"),
        ({"row": torch.ones(3)}, r"row has shape \(3,\); wanted .* shape \(H, W\)"),
        ({"none": torch.ones(0, 3)}, r"none has shape \(0, 3\)"),
        ({"list": [[1.0]]}, "list is a list"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(pictures, words):
    with pytest.raises(ConvkitError, match=words):
        draw.show(pictures)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.float64])
def test_numbers_of_any_kind_are_drawn(dtype):
    assert draw.show({"a": torch.eye(3).to(dtype)}).text.startswith("a: 3 × 3, from 0 to 1")


@pytest.mark.parametrize("title", ["from $5 to $9", r"$\frac$", "<b>&amp;</b>"])
def test_a_title_is_shown_as_it_is(title):
    assert draw.show({title: torch.eye(3)}, note=title).text.startswith(f"{title}: 3 × 3")
