"""The guard's eye for pictures: what may differ, and what may not."""

import io
from base64 import b64encode

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.notebooks.nbval_plugin import ROUNDING, picture_fault

LEVELS = np.random.default_rng(0).integers(20, 200, (4, 6, 4), dtype=np.uint8)


def drawn(levels=LEVELS, **options) -> str:
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, **({"format": "PNG", "dpi": (150, 150)} | options))
    return b64encode(buffer.getvalue()).decode()


def test_the_same_picture_may_be_packed_otherwise():
    packed = drawn(compress_level=0)
    assert packed != drawn()
    assert picture_fault(packed, drawn()) == ""


@pytest.mark.parametrize("channel", range(4))
def test_one_channel_of_one_pixel_may_be_rounded_otherwise_and_no_more(channel):
    other = LEVELS.copy()
    other[1, 2, channel] += ROUNDING
    assert picture_fault(drawn(other), drawn()) == ""
    other[1, 2, channel] += 1
    assert f"up to {ROUNDING + 1} of 255" in picture_fault(drawn(other), drawn())


def gamma() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", (10).to_bytes(4))
    return info


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 3
    return exif


RED = Image.new("RGBA", (6, 4), "red")
OTHERS = {
    "another size": ({"levels": LEVELS[:3]}, "has (3, 6) pixels"),
    "another format": ({"format": "GIF", "levels": LEVELS[..., :3]}, "not a PNG"),
    "gamma": ({"pnginfo": gamma()}, "gamma"),
    "EXIF": ({"exif": turned()}, "exif"),
    "frames": ({"save_all": True, "append_images": [RED], "default_image": True}, "loop"),
    "another scale": ({"dpi": (75, 75)}, "dpi"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_would_be_seen_otherwise_is_found(name):
    options, words = OTHERS[name]
    assert words in picture_fault(drawn(**options), drawn())


@pytest.mark.parametrize("stored", ["", "no base 64!", drawn()[:40]])
def test_what_is_no_picture_is_found(stored):
    assert "not a PNG" in picture_fault(stored, drawn())
