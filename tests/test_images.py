"""The pictures, and how files are opened; what is in them is the matter of `test_strangers`."""

import io
import os
import random

import matplotlib.image
import numpy as np
import pytest
import torch
from matplotlib import cbook
from PIL import Image
from torch.testing import assert_close

import convkit
from convkit import ConvkitError, checkerboard, diagonal, dot, open_image, photo, ramp, stripes
from convkit.images import MAX_BYTES, PICTURES, named_like, picture, picture_code
from tests.untrusted_images import FILES, GREYS, ONE_STEP, PNG, encode, luma


def close(actual, expected, tolerance=1e-6):
    expected = torch.as_tensor(expected, dtype=torch.float32)
    assert actual.dtype == torch.float32
    assert actual.shape == expected.shape
    assert_close(actual, expected, rtol=0, atol=tolerance)


# The pictures that are made


def test_the_stripes_are_the_books():
    close(stripes(), [[1, 1, 0, 0, 0, 0, 1, 1]] * 6)


def test_the_diagonal():
    close(diagonal(3), [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert diagonal().shape == (8, 8)


def test_the_checkerboard():
    close(checkerboard(3), [[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    assert checkerboard().shape == (8, 8)


def test_the_output_of_the_dot_shows_the_kernel():
    close(dot(3), [[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    K = torch.arange(9.0).reshape(3, 3)
    assert torch.equal(convkit.convolve2d(dot(5), K), K)


def test_the_ramp():
    close(ramp(2, 5), [[0, 0.25, 0.5, 0.75, 1]] * 2)
    assert ramp().shape == (6, 9)


@pytest.mark.parametrize("name", PICTURES)
def test_the_named_pictures(name):
    X = picture(name)
    assert X.dtype == torch.float32
    assert X.min() >= 0
    assert X.max() <= 1
    assert name.endswith(f"{X.shape[0]} × {X.shape[1]}")
    assert torch.equal(eval(picture_code(name)), X)
    assert named_like(X) == name
    X[0, 0] = 0.123  # a fresh copy each time
    assert named_like(X) is None
    assert picture(name)[0, 0] != X[0, 0]


def test_a_picture_that_has_no_name():
    with pytest.raises(ConvkitError, match="picture 'cat'; wanted one of stripes 6 × 8,.*name"):
        picture("cat")


# The photo


def photo_file():
    return cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)


def test_the_photo_is_what_matplotlib_reads():
    X = photo()
    assert X.shape == (600, 512)
    close(X, luma(matplotlib.image.imread(photo_file())), tolerance=ONE_STEP)
    assert torch.equal(photo(), X)


@pytest.mark.parametrize("size", [128, 31])
def test_a_part_of_the_photo_is_a_square_around_the_face(size):
    with Image.open(photo_file()) as image:
        part = image.resize((size, size), Image.Resampling.LANCZOS, box=(0, 8.8, 512, 520.8))
    close(photo(size), luma(np.asarray(part)), tolerance=ONE_STEP)
    assert torch.equal(photo(size), photo(size))


def test_the_photo_opened_as_a_file_is_the_photo():
    assert torch.equal(open_image(photo_file()), photo())


# Files: where they are, how long, and to what size


def test_a_path_may_be_text_or_a_path(tmp_path):
    path = tmp_path / "grey.png"
    path.write_bytes(encode(GREYS, "PNG"))
    close(open_image(path), GREYS / 255)
    close(open_image(str(path)), GREYS / 255)


@pytest.mark.parametrize("name", ["missing.png", ".", "impossible\0.png"])
def test_a_path_that_cannot_be_read(tmp_path, name):
    with pytest.raises(ConvkitError) as error:
        open_image(tmp_path / name)
    assert "no picture could be read from" in str(error.value)
    assert repr(str(tmp_path / name)) in str(error.value)
    assert "Check the path" in str(error.value)


def test_a_file_of_too_many_bytes(tmp_path):
    path = tmp_path / "long.png"
    path.write_bytes(PNG + bytes(MAX_BYTES + 1 - len(PNG)))
    with pytest.raises(ConvkitError, match="more than 10 MiB; wanted .* 10 MiB .*Scale it"):
        open_image(path)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="this system has no such file")
def test_a_file_without_an_end_is_not_read_to_its_end():
    with pytest.raises(ConvkitError, match="more than 10 MiB"):
        open_image("/dev/zero")


def test_all_words_of_a_refusal():
    with pytest.raises(ConvkitError) as error:
        open_image(b"hello")
    assert str(error.value) == (
        "the file of 5 bytes cannot be read as a picture; wanted a PNG, JPEG, WebP, BMP "
        "or GIF of at most 10 MiB and 25 million pixels. Open it elsewhere and save it as PNG."
    )


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((40, 80), 20, (10, 20)),
        ((80, 40), 20, (20, 10)),
        ((40, 80), 80, (40, 80)),
        ((40, 80), 500, (40, 80)),
        ((1, 20000), 100, (1, 100)),
    ],
)
def test_size_is_the_longest_side_at_most(shape, size, expected):
    data = encode(np.full(shape, 51, np.uint8), "PNG")
    close(open_image(data, size), np.full(expected, 0.2))


def test_a_size_below_1():
    with pytest.raises(ConvkitError, match="size is 0; wanted a whole number of at least 1"):
        open_image(PNG, 0)


def test_scaling_down_averages_in_every_mode():
    """A fine checkerboard becomes an even grey, also from a palette and from 16 bits."""
    fine = (np.indices((64, 64)).sum(0) % 2).astype(np.uint8)
    paletted = Image.frombytes("P", fine.shape, fine.tobytes())
    paletted.putpalette([0, 0, 0, 255, 255, 255])
    for image in (fine * 255, fine.astype(np.uint16) * 65535, paletted):
        inner = open_image(encode(image, "PNG"), 8)[1:-1, 1:-1]
        close(inner, np.full((6, 6), 0.5), tolerance=0.02)


@pytest.mark.parametrize("kind", FILES)
def test_damage_anywhere_gives_a_picture_or_an_error_in_words(kind):
    rng = random.Random(0)
    refused = 0
    for _ in range(400):
        data = bytearray(FILES[kind])
        for _ in range(rng.choice([1, 2, 4])):
            i = rng.randrange(min(len(data), rng.choice([40, 10**6])))
            change = rng.choice(["set", "cut", "add"])
            if change == "set":
                data[i] = rng.choice([0, 1, 128, 255])
            elif change == "cut" and len(data) > 40:
                del data[i : i + rng.randrange(1, 20)]
            else:
                data[i:i] = rng.randbytes(3)
        try:
            X = open_image(bytes(data), 8)
        except ConvkitError:
            refused += 1
        else:
            assert X.ndim == 2
            assert 0 <= X.min() <= X.max() <= 1
    assert refused > 0


def test_what_the_upload_control_gives_may_be_opened():
    buffer = io.BytesIO()
    Image.new("L", (2, 1), 255).save(buffer, "PNG")
    assert torch.equal(open_image(memoryview(buffer.getvalue())), torch.ones(1, 2))


@pytest.mark.parametrize("source", [None, 3.5, io.BytesIO()])
def test_what_is_neither_a_path_nor_bytes_is_refused_in_words(source):
    with pytest.raises(ConvkitError, match="no picture could be read"):
        open_image(source)
