"""Pictures to convolve, as float32 tensors of shape (H, W) with values in [0, 1]."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image, ImageOps
from torch import Tensor

from convkit.errors import ConvkitError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MAX_BYTES = 10 * 2**20
MAX_PIXELS = 25_000_000


def stripes() -> Tensor:
    """Return D2L 7.2's picture, (6, 8): white, with columns 2 to 5 black."""
    X = torch.ones(6, 8)
    X[:, 2:6] = 0
    return X


def diagonal(size: int = 8) -> Tensor:
    """Return a white line on the main diagonal of a black (size, size) picture."""
    return torch.eye(size)


def checkerboard(size: int = 8) -> Tensor:
    """Return single cells in alternation, (size, size), white at the top left."""
    rows, columns = torch.arange(size)[:, None], torch.arange(size)
    return ((rows + columns + 1) % 2).float()


def dot(size: int = 7) -> Tensor:
    """Return one white cell in the middle of black, (size, size): its output shows the kernel."""
    X = torch.zeros(size, size)
    X[size // 2, size // 2] = 1
    return X


def ramp(rows: int = 6, columns: int = 9) -> Tensor:
    """Return a picture of shape (rows, columns) that brightens evenly from left to right."""
    return torch.linspace(0, 1, columns).repeat(rows, 1)


def photo(size: int | None = None) -> Tensor:
    """Return a real photo, Grace Hopper in 1984 (public domain), which ships with matplotlib.

    Shape (600, 512), or, with `size` in pixels, the part around the face as (size, size).
    """
    from matplotlib import cbook

    with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as image:
        if size is not None:
            image = ImageOps.fit(
                image, (size, size), Image.Resampling.LANCZOS, centering=(0.5, 0.1)
            )
        return _grey(image)


PICTURES: dict[str, tuple[Callable[..., Tensor], tuple[int, ...]]] = {
    "stripes 6 × 8": (stripes, ()),
    "diagonal 8 × 8": (diagonal, ()),
    "checkerboard 8 × 8": (checkerboard, ()),
    "dot 7 × 7": (dot, ()),
    "ramp 6 × 9": (ramp, ()),
    "photo 128 × 128": (photo, (128,)),
    "photo 600 × 512": (photo, ()),
}
"""The pictures that have names: the function that makes each, and its arguments."""


def open_image(source: str | Path | bytes, size: int | None = None) -> Tensor:
    """Read a picture file as a grey tensor of shape (H, W), values in [0, 1].

    Parameters
    ----------
    source : path or bytes
        A PNG, JPEG, WebP, BMP or GIF (first frame) of at most 10 MiB and 25 million pixels.
        It is turned upright as its EXIF says; transparent parts are laid on white.
    size : int, optional
        Longest side wanted, in pixels; a larger picture is scaled down to it.

    Raises
    ------
    ConvkitError
        If the file is missing, too large, damaged, or of another kind.
    """
    data = source if isinstance(source, bytes) else _read(Path(source))
    wanted = "a PNG, JPEG, WebP, BMP or GIF of at most 10 MiB and 25 million pixels"
    if len(data) > MAX_BYTES:
        given = f"the picture file has {len(data) / 2**20:.1f} MiB"
        raise ConvkitError(given, wanted, "Scale it down first.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limits, below, are the tighter ones
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    given = f"the picture has {width} × {height} pixels"
                    raise ConvkitError(given, wanted, "Scale it down first.")
                upright = ImageOps.exif_transpose(image)
                if size is not None:
                    upright.thumbnail((size, size), Image.Resampling.LANCZOS)
                return _grey(upright)
    except (OSError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        given = f"the file of {len(data)} bytes cannot be read as a picture ({error})"
        raise ConvkitError(given, wanted, "Open it elsewhere and save it as PNG.") from error
    except Image.DecompressionBombError as error:
        raise ConvkitError(
            f"the picture is too large ({error})", wanted, "Scale it down."
        ) from error


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            return b"\0" * (MAX_BYTES + 1)
        return path.read_bytes()
    except OSError as error:
        given = f"no picture could be read from {str(path)!r} ({error.strerror})"
        raise ConvkitError(given, "the path of a picture file", "Check the path.") from error


def _grey(image: Image.Image) -> Tensor:
    """Return the picture's luma (ITU-R 601) over white, scaled to [0, 1]."""
    width, height = image.size
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip to 8
        values = torch.tensor(list(image.convert("I").getdata()), dtype=torch.float32) / 65535
        return values.reshape(height, width).clamp(0, 1)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    values = torch.frombuffer(bytearray(image.convert("L").tobytes()), dtype=torch.uint8)
    return values.reshape(height, width).float() / 255
