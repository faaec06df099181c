"""Image files, good, odd and hostile, and what `open_image` must make of each."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

UNREADABLE = "cannot be read as a picture; expected a PNG, JPEG, WebP, BMP or GIF"
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


def bmp_with_alpha(rgb: np.ndarray, alpha: int) -> bytes:
    """Return a BMP of 32 bits a pixel, whose header says that the fourth byte is alpha."""
    height, width, _ = rgb.shape
    pixels = np.dstack([rgb[::-1, :, ::-1], np.full((height, width), alpha, np.uint8)]).tobytes()
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    start = 14 + 108
    file = struct.pack("<IHHI", start + len(pixels), 0, 0, start)
    return b"BM" + file + header + masks + bytes(108 - 40 - 16) + pixels


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
    "transparency by pixel": Case(lambda: encode(INK, "PNG"), np.array([[0, 127 / 255, 1]])),
    "transparency that is empty": Case(lambda: bmp_with_alpha(COLOURS, 0), luma(COLOURS), ONE_STEP),
    "transparency of a BMP": Case(
        lambda: bmp_with_alpha(0 * COLOURS, 128), np.full((6, 9), 127 / 255)
    ),
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
    "dimensions beyond Pillow's limit": Case(lambda: black_png(60_000, 60_000), UNREADABLE),
    "dimensions beyond ours": Case(
        lambda: black_png(5000, 5001), "has 5000 × 5001 pixels; expected"
    ),
    "dimensions just within ours": Case(
        lambda: black_png(5000, 5000), np.broadcast_to(0.0, (5000, 5000))
    ),
    "text of 16 MiB, compressed": Case(
        lambda: PNG[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**24))) + PNG[33:],
        UNREADABLE,
    ),
}
