"""The pictures, and picture files of every kind: each gives the right picture or says why not."""

import io
import os
import random
import struct
import zlib

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

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREYS = COLOURS[..., 0].copy()
SMOOTH = np.add.outer(10 * np.arange(16), 5 * np.arange(20)).astype(np.uint8)
ORIENTATION = 0x0112
ONE_STEP = 1 / 255 + 1e-6


def luma(rgb):
    """Grey as ITU-R 601 weighs it, in whole steps of 1/255."""
    weighed = rgb.astype(np.float64) @ [0.299, 0.587, 0.114]
    return torch.tensor(np.round(weighed) / 255, dtype=torch.float32)


def encode(array, kind, mode=None, **options):
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


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
    assert torch.equal(convkit.conv2d(dot(5), K), K)


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


# Files that are pictures


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_colours_become_grey(kind):
    close(open_image(encode(COLOURS, kind)), luma(COLOURS), tolerance=ONE_STEP)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_greys_stay(kind):
    close(open_image(encode(GREYS, kind)), GREYS / 255)


def test_webp_without_loss():
    colours = np.stack([GREYS] * 3, axis=-1)
    close(open_image(encode(colours, "WEBP", lossless=True)), GREYS / 255)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 95}), ("JPEG", {"progressive": True, "quality": 95}), ("WEBP", {})],
    ids=["JPEG", "progressive JPEG", "WebP"],
)
def test_formats_that_lose_a_little(kind, options):
    close(open_image(encode(SMOOTH, kind, **options)), SMOOTH / 255, tolerance=6 / 255)


def test_a_path_may_be_text_or_a_path(tmp_path):
    path = tmp_path / "grey.png"
    path.write_bytes(encode(GREYS, "PNG"))
    close(open_image(path), GREYS / 255)
    close(open_image(str(path)), GREYS / 255)


def test_the_kind_is_what_the_file_holds_not_its_ending(tmp_path):
    path = tmp_path / "really_a.bmp"
    path.write_bytes(encode(GREYS, "PNG"))
    close(open_image(path), GREYS / 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_moving_pictures_the_first_frame(kind):
    first = Image.fromarray(np.full((4, 5), 255, np.uint8))
    later = Image.fromarray(np.zeros((4, 5), np.uint8))
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(first, kind, save_all=True, append_images=[later, first], **options)
    close(open_image(data), np.ones((4, 5)))


def test_of_a_phones_many_pictures_in_one_jpeg_the_first():
    first, second = (Image.fromarray(np.full((16, 16), grey, np.uint8)) for grey in (200, 10))
    data = encode(first, "MPO", save_all=True, append_images=[second])
    close(open_image(data), np.full((16, 16), 200 / 255), tolerance=2 / 255)


def test_black_and_white():
    marks = GREYS > 127
    close(open_image(encode(marks, "PNG")), marks)
    close(open_image(encode(marks, "BMP")), marks)


def palette_picture():
    image = Image.new("P", (3, 1))
    image.putpalette([0, 0, 0, 90, 90, 90, 255, 0, 0])
    image.putdata([0, 1, 2])
    return image


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP"])
def test_a_palette(kind):
    close(open_image(encode(palette_picture(), kind)), [[0, 90 / 255, 76 / 255]])


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palette_with_a_transparent_colour_lies_on_white(kind):
    data = encode(palette_picture(), kind, transparency=0)
    close(open_image(data), [[1, 90 / 255, 76 / 255]])


def test_a_palette_with_degrees_of_transparency():
    data = encode(palette_picture(), "PNG", transparency=bytes([255, 0, 255]))
    close(open_image(data), [[0, 1, 76 / 255]])


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_parts_lie_on_white(kind):
    rgba = np.zeros((1, 3, 4), np.uint8)  # black: opaque, half, not there at all
    rgba[0, :, 3] = 255, 128, 0
    options = {"lossless": True} if kind == "WEBP" else {}
    close(open_image(encode(rgba, kind, **options)), [[0, 127 / 255, 1]])


def test_grey_with_transparency_lies_on_white():
    image = Image.merge("LA", [Image.fromarray(np.array([[100, 100]], np.uint8))] * 2)
    image.putalpha(Image.fromarray(np.array([[255, 0]], np.uint8)))
    close(open_image(encode(image, "PNG")), [[100 / 255, 1]])


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_one_colour_may_stand_for_transparent(mode):
    image = Image.fromarray(np.array([[7, 100]], np.uint8)).convert(mode)
    clear = 7 if mode == "L" else (7, 7, 7)
    close(open_image(encode(image, "PNG", transparency=clear)), [[1, 100 / 255]])


def test_16_bits_of_grey_keep_them_all():
    deep = np.array([[0, 1, 256, 4660], [30000, 65279, 65534, 65535]], np.uint16)
    close(open_image(encode(deep, "PNG")), deep / 65535, tolerance=1e-7)


def test_a_cmyk_jpeg_is_what_pillow_shows():
    data = encode(np.stack([SMOOTH] * 3, axis=-1), "JPEG", "CMYK", quality=95)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "CMYK"
        rgb = np.asarray(image.convert("RGB"))
    close(open_image(data), luma(rgb), tolerance=ONE_STEP)
    close(open_image(data), SMOOTH / 255, tolerance=6 / 255)


UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).T,
    8: np.rot90,
}


@pytest.mark.parametrize("turn", UPRIGHT)
@pytest.mark.parametrize(("array", "white"), [(GREYS, 255), (GREYS.astype(np.uint16) * 257, 65535)])
def test_exif_says_which_side_is_up(turn, array, white):
    exif = Image.Exif()
    exif[ORIENTATION] = turn
    data = encode(array, "PNG", exif=exif)
    close(open_image(data), (UPRIGHT[turn](array) / white).copy())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_exif_turns_the_other_formats_too(kind):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encode(SMOOTH, kind, exif=exif, quality=95)
    close(open_image(data), np.rot90(SMOOTH, -1).copy() / 255, tolerance=6 / 255)


def test_exif_without_sense_is_passed_over():
    exif = Image.Exif()
    exif[ORIENTATION] = 99
    close(open_image(encode(GREYS, "PNG", exif=exif)), GREYS / 255)


@pytest.mark.parametrize("shape", [(1, 1), (1, 20000), (20000, 1)])
@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_the_smallest_and_the_longest(shape, kind):
    close(open_image(encode(np.full(shape, 51, np.uint8), kind)), np.full(shape, 0.2))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_the_smallest_of_the_formats_that_lose_a_little(kind):
    data = encode(np.full((1, 1), 51, np.uint8), kind)
    close(open_image(data), [[0.2]], tolerance=3 / 255)


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


def test_scaling_down_averages_in_every_mode():
    """A fine checkerboard becomes an even grey, also from a palette and from 16 bits."""
    fine = (np.indices((64, 64)).sum(0) % 2).astype(np.uint8)
    paletted = Image.frombytes("P", fine.shape, fine.tobytes())
    paletted.putpalette([0, 0, 0, 255, 255, 255])
    for image in (fine * 255, fine.astype(np.uint16) * 65535, paletted):
        inner = open_image(encode(image, "PNG"), 8)[1:-1, 1:-1]
        close(inner, np.full((6, 6), 0.5), tolerance=0.02)


# Files that are not


PNG = encode(COLOURS, "PNG")
FILES = {
    "PNG": PNG,
    "JPEG": encode(COLOURS, "JPEG"),
    "WEBP": encode(COLOURS, "WEBP"),
    "BMP": encode(COLOURS, "BMP"),
    "GIF": encode(COLOURS, "GIF"),
}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5"/></svg>'


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def claims(width, height):
    """A PNG of black and white, in few bytes, whose header says it is that large."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * min(height, 6000)), 9)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, I am no picture",
        SVG,
        encode(COLOURS, "TIFF"),
        encode(COLOURS, "ICO"),
        encode(COLOURS, "PPM"),
        PNG[:8],
        PNG[:20],
        PNG.replace(b"IDAT", b"IDOT"),
        *(data[: len(data) // 2] for data in FILES.values()),
    ],
)
def test_what_is_no_picture_is_refused_in_words(data):
    with pytest.raises(ConvkitError) as error:
        open_image(data)
    assert str(error.value) == (
        f"the file of {len(data)} bytes cannot be read as a picture; wanted a PNG, JPEG, WebP, BMP "
        "or GIF of at most 10 MiB and 25 million pixels. Open it elsewhere and save it as PNG."
    )


def test_text_that_calls_itself_png_is_refused(tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("hello")
    with pytest.raises(ConvkitError, match="the file of 5 bytes cannot be read as a picture"):
        open_image(path)


@pytest.mark.parametrize("name", ["missing.png", ".", "impossible\0.png"])
def test_a_path_that_cannot_be_read(tmp_path, name):
    with pytest.raises(ConvkitError) as error:
        open_image(tmp_path / name)
    assert "no picture could be read from" in str(error.value)
    assert repr(str(tmp_path / name)) in str(error.value)
    assert "Check the path" in str(error.value)


def test_too_many_bytes(tmp_path):
    most = PNG + bytes(MAX_BYTES - len(PNG))
    assert open_image(most).shape == (6, 9)
    path = tmp_path / "long.png"
    path.write_bytes(most + b"\0")
    for source in (most + b"\0", path):
        with pytest.raises(ConvkitError, match="more than 10 MiB; wanted .* 10 MiB .*Scale it"):
            open_image(source)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="this system has no such file")
def test_a_file_without_an_end_is_not_read_to_its_end():
    with pytest.raises(ConvkitError, match="more than 10 MiB"):
        open_image("/dev/zero")


@pytest.mark.parametrize(
    ("width", "height", "said"),
    [
        (50000, 50000, "far too many pixels"),
        (12000, 12000, "12000 × 12000 pixels"),
        (5001, 5000, "5001 × 5000 pixels"),
    ],
)
def test_too_many_pixels(width, height, said):
    data = claims(width, height)
    assert len(data) < 50_000
    with pytest.raises(ConvkitError) as error:
        open_image(data)
    assert said in str(error.value)
    assert "at most 10 MiB and 25 million pixels. Scale it down first." in str(error.value)


def test_just_few_enough_pixels():
    assert open_image(claims(5000, 5000), 10).shape == (10, 10)


def test_a_size_below_1():
    with pytest.raises(ConvkitError, match="size is 0; wanted a whole number of at least 1"):
        open_image(PNG, 0)


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
