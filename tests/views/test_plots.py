"""Figures and canvas pictures: pixels, texts, and where kernels and losses lie on plots."""

import io
import itertools
import subprocess
import sys
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image

from convkit import ConvkitError, QuadraticLoss, corr2d, stripes
from convkit.descent import record
from convkit.views import show
from convkit.views.html import COLOURS
from convkit.views.plots import (
    descent_text,
    static_figure,
)
from convkit.views.scales import Scale

EDGE = torch.tensor([[1.0, -1.0]])


def pixels(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGBA"))


def problem(K=EDGE, X=None):
    X = stripes() if X is None else X
    return QuadraticLoss(X, tuple(K.shape), corr2d(X, K))


def descent(steps=6):
    X, start = stripes(), torch.tensor([[0.5, 0.5]])
    Y = corr2d(X, EDGE)
    return record(X, Y, start, [0.03] * steps), problem(), X, Y


# show


def test_show_draws_each_picture_and_names_it():
    drawn = show({"X": stripes(), "Y": corr2d(stripes(), EDGE)}, note="a note")
    data, metadata = drawn._repr_mimebundle_()
    assert repr(drawn) == data["text/plain"] == metadata["image/png"]["alt"]
    assert data["text/plain"].splitlines()[1].startswith("Y: 6 × 7, from -1 to 1, digest ")
    image = pixels(b64decode(data["image/png"]))
    assert image.shape[1] > 600 and len(np.unique(image.reshape(-1, 4), axis=0)) > 20
    assert show({"X": stripes()}).png == show({"X": stripes()}).png


def test_other_numbers_give_another_picture_and_text():
    one, two = show({"X": stripes()}), show({"X": 1 - stripes()})
    assert one.png != two.png and one.text != two.text


@pytest.mark.parametrize(
    ("scale", "colours"),
    [
        (Scale("signed", -2, 2), [(5, 48, 97), (247, 247, 247), (103, 0, 31)]),
        (Scale("grey", -2, 2), [(0, 0, 0), (128, 128, 128), (255, 255, 255)]),
        (Scale("magnitude", 0, 2), [(0, 0, 0), (255, 255, 255), (0, 0, 0)]),
    ],
    ids=lambda value: getattr(value, "look", ""),
)
def test_a_scale_gives_the_colours(scale, colours):
    X = torch.tensor([[-2.0, 0.0, 2.0]]).repeat_interleave(4, 1).repeat(12, 1)
    image = pixels(show({"X": X}, scales={"X": scale}).png).astype(int)
    middle = image[200]  # 12 x 12 cells over 405 pixels, from the third on
    for share, colour in zip((1 / 6, 1 / 2, 5 / 6), colours, strict=True):
        assert abs(middle[3 + round(405 * share), :3] - colour).max() <= 2


@pytest.mark.parametrize("title", ["$x$", "a $5 kernel", r"\frac"])
def test_titles_are_words_and_not_mathematics(title):
    assert show({title: stripes()}).text.startswith(f"{title}: 6 × 8")


@pytest.mark.parametrize("signed", ["Y", ["Y"]])
def test_one_title_may_be_signed(signed):
    pictures = {"X": stripes(), "Y": stripes()}
    assert show(pictures, signed=signed).png == show(pictures, signed=("Y",)).png
    assert show(pictures, signed=signed).png != show(pictures, signed=()).png


@pytest.mark.parametrize(
    ("pictures", "options", "words"),
    [
        ({}, {}, "pictures is an empty dict; expected a dict of titles"),
        (stripes(), {}, "pictures is a Tensor; expected"),
        ({"RGB": torch.ones(3, 4, 4)}, {}, r"RGB has shape \(3, 4, 4\)"),
        ({"row": [1, 2]}, {}, "row is a list"),
        ({"X": stripes()}, {"signed": "output"}, "signed has 'output'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(pictures, options, words):
    with pytest.raises(ConvkitError, match=words):
        show(pictures, **options)


# The descent


def test_the_stored_figure_shows_the_step_and_says_it():
    trajectory, *rest = descent()
    first, later = (static_figure(trajectory, n, *rest, note="run it") for n in (0, 5))
    assert first.png != later.png and first.text != later.text
    assert later.text == descent_text(trajectory, 5, *rest)
    lines = later.text.splitlines()
    assert lines[0] == f"step 5 of 6 recorded: loss {trajectory[5].loss:.4g}"
    names = ["kernel", "best kernel", "prediction", "target", "residual"]
    assert [line.split(":")[0] for line in lines[1:]] == names
    assert pixels(first.png).shape[1] > 800


def test_the_stored_figure_shows_only_what_was_walked():
    trajectory, *rest = descent()
    path = bytes.fromhex(COLOURS["path"].lstrip("#"))
    drawn = [
        (pixels(static_figure(trajectory, n, *rest).png)[:, :, :3] == list(path)).all(2).sum()
        for n in range(4)
    ]
    assert all(more > less for less, more in itertools.pairwise(drawn))


def test_pyplot_is_never_loaded():
    code = "import convkit.widgets, sys; print('matplotlib.pyplot' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"
