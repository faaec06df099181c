"""Image files, good, odd and hostile, and what `open_image` must make of each."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from convkit.images import MAX_BYTES

UNREADABLE = "cannot be read as a picture; expected a PNG, JPEG, WebP, BMP or GIF"
SMALL_PARTS = "more than 50,000 small parts; expected fewer"
ONE_STEP, LOSSY = 1 / 255 + 1e-6, 6 / 255
MARKUP = "</style><script>window.ran = 1</script><img src=x onerror='window.ran = 1'>\"&amp;"


class Case(NamedTuple):
    """A file, and the picture that it holds, in [0, 1], or words of the refusal."""

    make: Callable[[], bytes]
    expected: np.ndarray | str
    tolerance: float = 1e-6


def encode(picture: np.ndarray | Image.Image, kind: str, **options: object) -> bytes:
    """Return an array or a Pillow picture as a file."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def luma(rgb: np.ndarray) -> np.ndarray:
    """Return grey as ITU-R 601 weighs it, in whole steps of 1/255."""
    return np.round(rgb.astype(np.float64) @ [0.299, 0.587, 0.114]) / 255


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def black_png(width: int, height: int) -> bytes:
    """Return a black PNG in few bytes; more than 10,000 rows are claimed, but missing."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * min(height, 10_000)))
    data = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def run_length_bmp(width: int, height: int, n_bytes: int) -> bytes:
    """Return a black BMP whose runs are of one pixel each."""
    body = b"\1\0" * (n_bytes // 2)
    sizes = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    start = 14 + 40 + 1024
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + sizes + bytes(1024) + body


def with_jpeg_size(data: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose header claims another size."""
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))  # sequential or progressive
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


def exif(turn: int) -> Image.Exif:
    """Return EXIF that says how to turn the picture upright."""
    made = Image.Exif()
    made[0x0112] = turn
    return made


COLOURS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREYS = COLOURS[..., 0].copy()
LEVELS = np.array([[0, 1, 256, 4660], [30000, 65279, 65534, 65535]], np.uint16)
SMOOTH = np.add.outer(10 * np.arange(16), 5 * np.arange(20)).astype(np.uint8)
INK = np.zeros((1, 3, 4), np.uint8)  # black: opaque, half transparent, transparent
INK[0, :, 3] = 255, 128, 0
PALETTE = Image.new("P", (3, 1))
PALETTE.putpalette([0, 0, 0, 90, 90, 90, 255, 255, 255])
PALETTE.putdata([0, 1, 2])
WHITE, BLACK = (Image.fromarray(np.full((16, 16), grey, np.uint8)) for grey in (255, 0))

PNG = encode(COLOURS, "PNG")
JPEG = encode(SMOOTH, "JPEG", quality=95)
PROGRESSIVE = encode(SMOOTH, "JPEG", quality=95, progressive=True)
SCAN = PROGRESSIVE[PROGRESSIVE.rfind(b"\xff\xda") : -2]
FILES = {
    "PNG": PNG,
    "JPEG": JPEG,
    "WEBP": encode(COLOURS, "WEBP", lossless=True),
    "BMP": encode(COLOURS, "BMP"),
    "GIF": encode(GREYS, "GIF"),
}

CASES = {
    # What a picture is: each kind of file, and each way of saying grey, white and upright.
    "colours": Case(lambda: FILES["WEBP"], luma(COLOURS), ONE_STEP),
    "bits of grey: 16": Case(lambda: encode(LEVELS, "PNG"), LEVELS / 65535, 1e-7),
    "bits of grey: 16, one level transparent": Case(
        lambda: encode(LEVELS, "PNG", transparency=256),
        np.where(LEVELS == 256, 65535, LEVELS) / 65535,
        1e-7,
    ),
    "transparency by pixel": Case(lambda: encode(INK, "PNG"), np.array([[0, 127 / 255, 1]])),
    "transparency of a palette's colour": Case(
        lambda: encode(PALETTE, "GIF", transparency=0), np.array([[1, 90 / 255, 1]])
    ),
    "frames: the first": Case(
        lambda: encode(WHITE, "GIF", save_all=True, append_images=[BLACK]), np.ones((16, 16))
    ),
    "photos of a phone: the first": Case(
        lambda: encode(WHITE, "MPO", save_all=True, append_images=[BLACK]), np.ones((16, 16)), LOSSY
    ),
    "scans: several": Case(lambda: PROGRESSIVE, SMOOTH / 255, LOSSY),
    "EXIF that turns": Case(
        lambda: encode(SMOOTH, "JPEG", exif=exif(6), quality=95), np.rot90(SMOOTH, -1) / 255, LOSSY
    ),
    "EXIF that is damaged": Case(
        lambda: encode(SMOOTH, "JPEG", exif=b"Exif\0\0neither II nor MM", quality=95),
        SMOOTH / 255,
        LOSSY,
    ),
    "markup after the end": Case(lambda: PNG + MARKUP.encode(), luma(COLOURS), ONE_STEP),
    # What is refused.
    "markup": Case(lambda: f"<!DOCTYPE html>{MARKUP}".encode(), UNREADABLE),
    "another kind": Case(lambda: encode(COLOURS, "TIFF"), UNREADABLE),
    "dimensions beyond Pillow's limit": Case(
        lambda: black_png(60_000, 60_000), "far too many pixels; expected"
    ),
    "dimensions beyond ours": Case(
        lambda: black_png(5000, 5001), "has 5000 × 5001 pixels; expected"
    ),
    "dimensions just within ours": Case(
        lambda: black_png(5000, 5000), np.broadcast_to(0.0, (5000, 5000))
    ),
    "dimensions that are false": Case(lambda: with_jpeg_size(JPEG, 40, 32), UNREADABLE),
    "dimensions that are false, several scans": Case(
        lambda: with_jpeg_size(PROGRESSIVE, 4000, 4000), "pixels in [0-9]+ bytes; expected"
    ),
    "parts: fill bytes": Case(lambda: b"\xff\xd8" + b"\xff" * (MAX_BYTES - 2), SMALL_PARTS),
    "parts: runs of a BMP": Case(lambda: run_length_bmp(5000, 5000, MAX_BYTES - 2000), SMALL_PARTS),
    "parts: scans": Case(
        lambda: PROGRESSIVE[:-2] + SCAN * 101 + b"\xff\xd9", "scans or EXIF parts; expected at most"
    ),
    "text of 16 MiB, compressed": Case(
        lambda: PNG[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**24))) + PNG[33:],
        UNREADABLE,
    ),
}
