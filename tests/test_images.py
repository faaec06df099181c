"""Named pictures, sizes, and where picture files come from; test_untrusted_images has the files."""

import io
import os
import random
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch
from matplotlib import cbook
from PIL import Image, ImageCms
from torch.testing import assert_close

from convkit import (
    ConvkitError,
    checkerboard,
    diagonal,
    dot,
    open_image,
    photo,
    ramp,
    stripes,
)
from convkit.images import (
    MAX_BYTES,
    PICTURES,
    colour_photo,
    named_like,
    open_colours,
    picture,
    read_picture,
    sampled,
    sampling_step,
)
from tests.untrusted_images import (
    COLOURS,
    FILES,
    GREYS,
    INK,
    LEVELS,
    LOSSY,
    ONE_STEP,
    PNG,
    SMOOTH,
    encode,
    exif,
    luma,
)


def assert_picture(actual, expected, tolerance=1e-6):
    expected = torch.as_tensor(expected, dtype=torch.float32)
    assert_close(actual, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (stripes(), [[1, 1, 0, 0, 0, 0, 1, 1]] * 6),
        (diagonal((3, 2)), [[1, 0], [0, 1], [0, 0]]),
        (checkerboard((2, 4)), [[1, 0, 1, 0], [0, 1, 0, 1]]),
        (dot((1, 5)), [[0, 0, 1, 0, 0]]),
        (ramp((2, 5)), [[0, 0.25, 0.5, 0.75, 1]] * 2),
    ],
)
def test_the_pictures_that_are_computed(made, expected):
    assert_picture(made, expected)


@pytest.mark.parametrize("make", [diagonal, checkerboard, dot, ramp, photo])
def test_a_size_means_the_same_everywhere(make):
    assert make(4).shape == (4, 4)
    assert make((4, 6)).shape == (4, 6)
    for size, words in [(0, "from 1"), ((4, 0), "from 1"), (5001, "at most 25,000,000")]:
        with pytest.raises(ConvkitError, match=f"size is .*; expected .*{words}"):
            make(size)


@pytest.mark.parametrize("name", PICTURES)
def test_the_named_pictures(name):
    X = picture(name)
    assert X.dtype == torch.float32
    assert X.min() >= 0
    assert X.max() <= 1
    assert name.endswith(f"{X.shape[0]} × {X.shape[1]}")
    assert named_like(X) == named_like(X.double()) == named_like(X.bfloat16()) == name
    X[0, 0] = 0.123  # a new copy each time
    assert named_like(X) is None
    assert named_like(picture(name)) == name


def photo_file():
    return cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)


def test_the_photo_is_what_matplotlib_reads():
    assert photo().shape == (600, 512)
    assert_picture(photo(), luma(matplotlib.image.imread(photo_file())), ONE_STEP)
    assert torch.equal(open_image(photo_file()), photo())


def test_the_photo_in_colour_is_what_matplotlib_reads():
    read = torch.from_numpy(matplotlib.image.imread(photo_file()) / 255).movedim(2, 0).float()
    assert_close(colour_photo(), read, rtol=0, atol=1e-6)
    assert torch.equal(open_colours(photo_file()), colour_photo())
    luma_of_part = luma(255 * colour_photo(64).movedim(0, 2).numpy())
    assert_picture(photo(64), luma_of_part, ONE_STEP)


@pytest.mark.parametrize(
    ("size", "box"), [(128, (0, 8.8, 512, 520.8)), ((64, 32), (106, 0, 406, 600))]
)
def test_a_part_of_the_photo_is_around_the_face(size, box):
    rows, columns = np.broadcast_to(size, 2).tolist()
    with Image.open(photo_file()) as image:
        part = image.resize((columns, rows), Image.Resampling.LANCZOS, box=box)
    assert_picture(photo(size), luma(np.asarray(part)), ONE_STEP)


def test_the_photo_is_decoded_once(monkeypatch):
    photo(), picture("photo 128 × 128")
    monkeypatch.setattr(Image, "open", None)
    photo()[:] = 0
    assert photo().max() > 0
    assert named_like(torch.rand(128, 128)) is named_like(torch.rand(600, 512)) is None


def test_a_file_may_be_a_path_or_bytes_of_any_kind(tmp_path):
    path = tmp_path / "grey.png"
    data = encode(GREYS, "PNG")
    path.write_bytes(data)
    for source in (path, str(path), data, bytearray(data), memoryview(data)):
        assert_picture(open_image(source), GREYS / 255)


@pytest.mark.parametrize(
    "source",
    ["missing.png", Path("."), "impossible\0.png", "a" * 10**6, None, 3.5, [PNG]],
)
def test_a_path_that_cannot_be_read(source):
    with pytest.raises(
        ConvkitError, match="no picture could be read from .*Check the path.*read()"
    ) as error:
        open_image(source)
    assert repr(source)[:190] in error.value.given
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("shape", "colour"), [((6, 9, 3), False), ((6, 9, 3), True), ((6, 9), False)]
)
def test_a_picture_that_is_read_says_what_the_file_holds(shape, colour):
    pixels = np.zeros(shape, np.uint8)
    if colour:
        pixels[5, 8, 1] = 1
    read = read_picture(encode(pixels, "PNG"), max_side=3)
    assert read.values.shape == (2, 3)
    assert read.size == (6, 9)
    assert read.has_colour is colour


# Pillow's pictures


@pytest.mark.parametrize("mode", ["RGB", "RGBX", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB"])
def test_grey_of_each_mode_with_colour(mode):
    base = Image.fromarray(COLOURS)
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(base, *profiles, outputMode="LAB")
    elif mode == "RGBa":
        image = base.convert("RGBA").convert("RGBa")
    else:
        image = base.convert(mode)
    before = image.tobytes()
    tolerance = {"HSV": LOSSY, "LAB": LOSSY}.get(mode, ONE_STEP)
    assert_picture(open_image(image), luma(COLOURS), tolerance)
    assert image.tobytes() == before


@pytest.mark.parametrize("mode", ["L", "LA", "La", "P", "PA", "1"])
def test_grey_of_each_mode_of_8_bits(mode):
    base = Image.fromarray(GREYS)
    levels = GREYS
    if mode == "La":
        image = base.convert("LA").convert("La")
    elif mode == "PA":
        image = base.convert("P").convert("PA")
    elif mode == "1":
        levels = np.where(GREYS > 127, 255, 0)
        image = Image.fromarray(GREYS > 127)
    else:
        image = base.convert(mode)
    assert image.mode == mode
    assert_picture(open_image(image), levels / 255)


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L", "I"])
def test_grey_of_16_bits(mode):
    order = ">u2" if mode == "I;16B" else "<u2"
    data = LEVELS.astype("<i4" if mode == "I" else order).tobytes()
    image = Image.frombytes(mode, LEVELS.shape[::-1], data)
    assert_picture(open_image(image), LEVELS / 65535)


def test_grey_of_mode_f_keeps_its_numbers():
    values = np.array([[-1.5, 0, 300], [0.25, np.nan, np.inf]], np.float32)
    assert_close(open_image(Image.fromarray(values)), torch.tensor(values), equal_nan=True)


def test_grey_lays_transparent_parts_on_white_and_turns_upright():
    assert_picture(open_image(Image.fromarray(INK)), [[0, 127 / 255, 1]])
    with Image.open(io.BytesIO(encode(SMOOTH, "PNG", exif=exif(6)))) as image:
        assert_picture(open_image(image), np.rot90(SMOOTH, -1) / 255)
        assert image.size == SMOOTH.shape[::-1]


def closed():
    image = Image.new("L", (3, 2))
    image.close()
    return image


def cut_off():
    return Image.open(io.BytesIO(PNG[:100]))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (closed, "the PIL picture of mode L cannot be read"),
        (cut_off, "the PIL picture of mode RGB cannot be read"),
        (lambda: Image.new("L", (0, 2)), "0 × 2 pixels; expected at least one"),
        (
            lambda: Image.new("1", (5001, 5000)),
            "5001 × 5000 pixels.* at most 25,000,000",
        ),
    ],
)
def test_pictures_without_pixels_are_refused(make, text):
    with pytest.raises(ConvkitError, match=text):
        open_image(make())


def test_a_file_of_too_many_bytes(tmp_path):
    path = tmp_path / "long.png"
    path.write_bytes(PNG + bytes(MAX_BYTES + 1 - len(PNG)))
    with pytest.raises(ConvkitError, match=r"more than 10 MiB; expected .* 10 MiB .*Scale the"):
        open_image(path)
    path.write_bytes(PNG + bytes(MAX_BYTES - len(PNG)))
    assert open_image(path).shape == (6, 9)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="this system has no such file")
def test_a_file_without_an_end_is_not_read_to_its_end():
    with pytest.raises(ConvkitError, match="more than 10 MiB"):
        open_image("/dev/zero")


@pytest.mark.parametrize(
    ("shape", "max_side", "expected"),
    [
        ((40, 80), 20, (10, 20)),
        ((80, 40), 20, (20, 10)),
        ((40, 80), 80, (40, 80)),
        ((1, 20000), 100, (1, 100)),
    ],
)
def test_max_side_limits_the_longest_side(shape, max_side, expected):
    data = encode(np.full(shape, 51, np.uint8), "PNG")
    assert_picture(open_image(data, max_side=max_side), np.full(expected, 0.2))


def test_scaling_down_averages_in_every_mode():
    fine = (np.indices((64, 64)).sum(0) % 2).astype(np.uint8)  # a checkerboard becomes even grey
    paletted = Image.frombytes("P", fine.shape, fine.tobytes())
    paletted.putpalette([0, 0, 0, 255, 255, 255])
    for image in (fine * 255, fine.astype(np.uint16) * 65535, paletted):
        inner = open_image(encode(image, "PNG"), max_side=8)[1:-1, 1:-1]
        assert_picture(inner, np.full((6, 6), 0.5), tolerance=0.02)


@pytest.mark.parametrize("kind", FILES)
def test_damage_anywhere_gives_a_picture_or_an_error_in_words(kind):
    rng = random.Random(0)
    refused = 0
    for _ in range(100):
        data = bytearray(FILES[kind])
        for _ in range(rng.choice([1, 2, 4])):
            i = rng.randrange(min(len(data), rng.choice([40, 10**6])))
            data[i : i + rng.randrange(3)] = rng.choice([b"", b"\0", b"\xff", rng.randbytes(3)])
        try:
            X = open_image(bytes(data), max_side=8)
        except ConvkitError:
            refused += 1
        else:
            assert X.ndim == 2
            assert 0 <= X.min() <= X.max() <= 1
    assert 0 < refused < 100


@pytest.mark.parametrize(("side", "step"), [(300, 1), (301, 2), (600, 2), (601, 3)])
def test_a_large_picture_is_sampled_for_the_screen(side, step):
    X = torch.arange(side * 2.0).reshape(side, 2)
    assert sampling_step(X.shape, 300) == sampling_step(X.T.shape, 300) == step
    assert torch.equal(sampled(X, 300), X[::step, ::step])
