"""Figures: pixels, texts, and what people pass as pictures."""

import io
import subprocess
import sys
from base64 import b64decode

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

from convkit import corr2d, stripes
from convkit.figures import StaticFigure, axes_at, draw_array, new_figure, show
from convkit.ui.theme import Scale

EDGE = torch.tensor([[1.0, -1.0]])


def pixels(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGBA"))


def test_show_draws_each_picture_and_names_it():
    drawn = show({"X": stripes(), "Y": corr2d(stripes(), EDGE)}, note="a note")
    data, metadata = drawn._repr_mimebundle_()
    assert repr(drawn) == data["text/plain"] == metadata["image/png"]["alt"]
    assert data["text/plain"].splitlines()[1].startswith("Y: 6 × 7, from -1 to 1, digest ")
    image = pixels(b64decode(data["image/png"]))
    assert image.shape[1] > 600 and len(np.unique(image.reshape(-1, 4), axis=0)) > 20
    assert image.shape[1] == pytest.approx(1.5 * metadata["image/png"]["width"], abs=2)
    assert show({"X": stripes()}).png == show({"X": stripes()}).png


def test_a_note_stands_below_the_pictures():
    bare, noted = (pixels(show({"X": stripes()}, note=note).png) for note in ("", "a note"))
    assert abs(noted.shape[0] - bare.shape[0] - 30) <= 1  # 20 pixels, by 1.5, and a rounding
    assert (noted[-30:, :, 3] > 0).any() and not (bare[-6:, :, 3] > 0).any()


@pytest.mark.parametrize(
    ("scale", "colours"),
    [
        (Scale("signed", -2, 2), [(5, 48, 97), (247, 247, 247), (103, 0, 31)]),
        (Scale("grey", -2, 2), [(0, 0, 0), (128, 128, 128), (255, 255, 255)]),
        (Scale("magnitude", 0, 2), [(255, 255, 255), (0, 0, 0), (255, 255, 255)]),
    ],
    ids=lambda value: getattr(value, "look", ""),
)
def test_a_scale_gives_the_colours(scale, colours):
    X = torch.tensor([[-2.0, 0.0, 2.0]]).repeat_interleave(4, 1).repeat(12, 1)
    image = pixels(show({"X": X}, scales={"X": scale}).png).astype(int)
    middle = image[200]  # 12 x 12 cells over 405 pixels, from the third on
    for share, colour in zip((1 / 6, 1 / 2, 5 / 6), colours, strict=True):
        assert abs(middle[3 + round(405 * share), :3] - colour).max() <= 2


def test_a_picture_in_colour_is_drawn_in_its_colours():
    colours = torch.tensor([[1.0, 0.0], [0.2, 0.4], [0.0, 0.6]])[:, None]
    drawn = show({"X": colours, "Y": torch.eye(2)})
    assert drawn.text.startswith("X: 3 × 1 × 2, from 0 to 1, digest ")
    line = pixels(drawn.png)[60].astype(int)
    for share, colour in ((1 / 4, (255, 51, 0)), (3 / 4, (0, 102, 153))):
        assert abs(line[3 + round(share * 1.5 * drawn.width * 2 / 3), :3] - colour).max() <= 2


@pytest.mark.parametrize("title", ["$x$", "a $5 kernel", r"\frac"])
def test_titles_are_words_and_not_mathematics(title):
    assert show({title: stripes()}).text.startswith(f"{title}: 6 × 8")


@pytest.mark.parametrize("signed", ["Y", ["Y"], {"Y"}])
def test_one_title_may_be_signed(signed):
    pictures = {"X": stripes(), "Y": stripes()}
    assert show(pictures, signed=signed).png == show(pictures, signed=("Y",)).png
    assert show(pictures, signed=signed).png != show(pictures, signed=()).png


def test_pictures_are_taken_as_people_have_them(tmp_path):
    whole = torch.tensor([[0, 255, 51], [102, 153, 204]], dtype=torch.uint8)
    picture = Image.fromarray(whole.numpy())
    picture.save(tmp_path / "picture.png")
    same = [picture, tmp_path / "picture.png", str(tmp_path / "picture.png"), whole.float() / 255]
    assert len({show({"X": value}).png for value in same}) == 1
    numbers = [whole, whole.numpy(), whole.tolist(), whole.double().requires_grad_()]
    assert len({show({"X": value}).png for value in numbers}) == 1
    assert show({"X": whole}).text.startswith("X: 2 × 3, from 0 to 255")


def test_what_diverged_is_drawn_too():
    X = torch.tensor([[1.0, torch.nan, torch.inf], [0.0, -1.0, -torch.inf]])
    assert "2 × 3" in show({"X": X}).text
    assert pixels(show({"X": X}, signed="X").png).shape[1] > 300


def test_matplotlibs_settings_stay_as_they_are():
    before = dict(mpl.rcParams)
    show({"X": stripes(), "Y": corr2d(stripes(), EDGE)})
    assert dict(mpl.rcParams) == before


def test_a_figure_of_parts_has_the_size_it_was_given():
    figure = new_figure(300, 100)
    draw_array(axes_at(figure, (10, 20, 60, 60)), "X", torch.eye(2), Scale("grey", 0, 1))
    drawn = StaticFigure.of(figure, "X")
    assert drawn.width == 300 and pixels(drawn.png).shape == (150, 450, 4)


def test_pyplot_is_never_loaded():
    code = "import convkit.figures, sys; print('matplotlib.pyplot' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"
