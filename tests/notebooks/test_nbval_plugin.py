"""How stored pictures are compared: what may differ, and what may not."""

import io
from base64 import b64decode, b64encode
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

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


def with_chunk(kind: bytes, content: bytes, before: bytes = b"IDAT") -> str:
    """Return the picture with another chunk in it."""
    data = b64decode(png())
    at = data.index(before) - 4
    chunk = len(content).to_bytes(4) + kind + content + crc32(kind + content).to_bytes(4)
    return b64encode(data[:at] + chunk + data[at:]).decode()


OTHER_PICTURES = {
    "has (3, 6) pixels": png(LEVELS[:3]),
    "not a PNG": png(LEVELS[..., :3], format="GIF"),
    "dpi": png(dpi=(75, 75)),
    "gAMA": with_chunk(b"gAMA", (10).to_bytes(4)),
    "eXIf": with_chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0"),
    "cICP": with_chunk(b"cICP", bytes([9, 16, 0, 1])),
    "ABCD": with_chunk(b"ABCD", b""),
    "fcTL": with_chunk(b"fcTL", bytes(4) + bytes([0, 0, 0, 6, 0, 0, 0, 4]) + bytes(14)),
    "tEXt": with_chunk(b"tEXt", b"Title\0other", before=b"IEND"),
    "b'more'": b64encode(b64decode(png()) + bytes(4) + b"more").decode(),
}
"""What a browser shows otherwise, or may come to show otherwise, and Pillow does not."""


@pytest.mark.parametrize("words", OTHER_PICTURES)
def test_a_picture_that_may_look_different_is_found(words):
    assert words in picture_difference(OTHER_PICTURES[words], png())


@pytest.mark.parametrize("stored", ["", "not base 64!", png()[:40]])
def test_a_file_that_is_no_picture_is_found(stored):
    assert "not a PNG" in picture_difference(stored, png())


def test_of_what_a_training_made_size_and_properties_are_compared():
    other = png(255 - LEVELS)
    assert picture_difference(png(), other, varies=True) == ""
    assert "pixels" in picture_difference(png(LEVELS[:3]), png(), varies=True)
    assert "not a PNG" in picture_difference("bm8=", png(), varies=True)
