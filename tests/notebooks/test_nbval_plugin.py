"""How stored pictures are compared: what may differ, and what may not."""

import io
from base64 import b64encode

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.notebooks.nbval_plugin import PIXEL_TOLERANCE, picture_difference

LEVELS = np.random.default_rng(0).integers(20, 200, (4, 6, 4), dtype=np.uint8)


def png(levels=LEVELS, **options) -> str:
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, **({"format": "PNG", "dpi": (150, 150)} | options))
    return b64encode(buffer.getvalue()).decode()


def test_the_same_pixels_may_be_compressed_differently():
    assert png(compress_level=0) != png()
    assert picture_difference(png(compress_level=0), png()) == ""


@pytest.mark.parametrize("channel", range(4))
def test_one_channel_of_one_pixel_may_differ_by_the_tolerance_and_no_more(channel):
    other = LEVELS.copy()
    other[1, 2, channel] += PIXEL_TOLERANCE
    assert picture_difference(png(other), png()) == ""
    other[1, 2, channel] += 1
    assert f"by {PIXEL_TOLERANCE + 1} of 255" in picture_difference(png(other), png())


def gamma() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", (10).to_bytes(4))
    return info


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 3
    return exif


RED = Image.new("RGBA", (6, 4), "red")
OTHER_PICTURES = {
    "another size": ({"levels": LEVELS[:3]}, "has (3, 6) pixels"),
    "another format": ({"format": "GIF", "levels": LEVELS[..., :3]}, "not a PNG"),
    "gamma": ({"pnginfo": gamma()}, "gamma"),
    "EXIF": ({"exif": turned()}, "exif"),
    "frames": ({"save_all": True, "append_images": [RED], "default_image": True}, "loop"),
    "another scale": ({"dpi": (75, 75)}, "dpi"),
}


@pytest.mark.parametrize("name", OTHER_PICTURES)
def test_a_picture_that_looks_different_is_found(name):
    options, words = OTHER_PICTURES[name]
    assert words in picture_difference(png(**options), png())


@pytest.mark.parametrize("stored", ["", "not base 64!", png()[:40]])
def test_a_file_that_is_no_picture_is_found(stored):
    assert "not a PNG" in picture_difference(stored, png())
