"""Pictures to convolve, as float32 tensors of shape (H, W) with values in [0, 1]."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch
from PIL import Image, ImageOps
from torch import Tensor

from convkit.errors import ConvkitError
from convkit.ops import pair

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MAX_BYTES = 10 * 2**20
MAX_PIXELS = 25_000_000
MAX_PARTS = 100
PART = re.compile(rb"\xff\xda\0[\x08\x0a\x0c\x0e][\1-\4]|Exif\0\0")
"""A JPEG's scan, each a walk over all pixels, or its EXIF, each a copy of those before it."""


def stripes() -> Tensor:
    """Return D2L 7.2's picture, (6, 8): white, with columns 2 to 5 black."""
    X = torch.ones(6, 8)
    X[:, 2:6] = 0
    return X


def diagonal(size: int = 8) -> Tensor:
    """Return a white line on the main diagonal of a black (size, size) picture."""
    return torch.eye(*pair("size", size, 1))


def checkerboard(size: int = 8) -> Tensor:
    """Return single cells in alternation, (size, size), white at the top left."""
    cells = torch.arange(pair("size", size, 1)[0])
    return ((cells[:, None] + cells + 1) % 2).float()


def dot(size: int = 7) -> Tensor:
    """Return one white cell in the middle of black, (size, size): its output shows the kernel."""
    X = torch.zeros(pair("size", size, 1))
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
                image, pair("size", size, 1), Image.Resampling.LANCZOS, centering=(0.5, 0.1)
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


def picture(name: str) -> Tensor:
    """Return the picture of that name in `PICTURES`."""
    if name not in PICTURES:
        raise ConvkitError(f"picture {name!r}", f"one of {', '.join(PICTURES)}", "Check the name.")
    make, arguments = PICTURES[name]
    return make(*arguments)


def picture_code(name: str) -> str:
    """Return the call that makes the picture of that name: "convkit.photo(128)"."""
    make, arguments = PICTURES[name]
    return f"convkit.{make.__name__}({', '.join(map(str, arguments))})"


def named_like(X: Tensor) -> str | None:
    """Return the name of the picture whose values are exactly `X`'s, or None."""
    size = f" {X.shape[0]} × {X.shape[1]}"
    return next(
        (name for name in PICTURES if name.endswith(size) and torch.equal(picture(name), X)), None
    )


def open_image(source: str | Path | bytes | memoryview, size: int | None = None) -> Tensor:
    """Read a picture file as a grey tensor of shape (H, W), values in [0, 1].

    Parameters
    ----------
    source : path, bytes or memoryview
        A PNG, JPEG, WebP, BMP or GIF (first frame) of at most 10 MiB and 25 million pixels.
        It is turned upright as its EXIF says; transparent parts are laid on white. A JPEG has at
        most 100 scans.
    size : int, optional
        Longest side wanted, in pixels; a larger picture is scaled down to it.

    Raises
    ------
    ConvkitError
        If the file is missing, too large, damaged, or of another kind, or `size` is below 1.
    """
    data = bytes(source) if isinstance(source, bytes | memoryview) else _read(source)
    wanted = "a PNG, JPEG, WebP, BMP or GIF of at most 10 MiB and 25 million pixels"
    if len(data) > MAX_BYTES:
        raise ConvkitError("the picture file has more than 10 MiB", wanted, "Scale it down first.")
    parts = sum(1 for _ in PART.finditer(data))
    if parts > MAX_PARTS:  # each of few bytes, and a walk over all pixels
        given = f"the picture is made of {parts} parts"
        raise ConvkitError(given, f"at most {MAX_PARTS}", "Open it elsewhere and save it as PNG.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limits, below, are the tighter ones
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    given = f"the picture has {width} × {height} pixels"
                    raise ConvkitError(given, wanted, "Scale it down first.")
                image.load()
                return _grey(_upright(image), size)
    except ConvkitError:
        raise
    except Image.DecompressionBombError as error:
        given = "the picture claims far too many pixels"
        raise ConvkitError(given, wanted, "Scale it down first.") from error
    except Exception as error:  # Pillow lets errors of many kinds escape from damaged files
        given = f"the file of {len(data)} bytes cannot be read as a picture"
        raise ConvkitError(given, wanted, "Open it elsewhere and save it as PNG.") from error


def _read(path: str | Path) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError, TypeError) as error:  # the latter two: what can be no path
        given = f"no picture could be read from {str(path)!r} ({getattr(error, 'strerror', error)})"
        raise ConvkitError(given, "the path of a picture file", "Check the path.") from error


def _upright(image: Image.Image) -> Image.Image:
    """Return the picture as its EXIF turns it; where that is damaged, as it is."""
    with suppress(Exception):  # of many kinds
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _grey(image: Image.Image, size: int | None = None) -> Tensor:
    """Return the picture's luma (ITU-R 601) over white, scaled to [0, 1].

    Large pictures are changed in place, or a channel at a time, to stay within memory.
    """
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip to 8
        image, white, dtype = image.convert("F"), 65535, torch.float32
    else:
        if image.has_transparency_data:
            alpha = (image if image.mode == "RGBA" else image.convert("RGBA")).getchannel("A")
            paper = Image.new("L", image.size, "white")
            paper.paste(image.convert("L"), mask=alpha)
            image = paper
        image, white, dtype = image.convert("L"), 255, torch.uint8
    if size is not None:
        image.thumbnail(pair("size", size, 1), Image.Resampling.LANCZOS)
    values = torch.frombuffer(bytearray(image.tobytes()), dtype=dtype).float()
    return values.reshape(image.height, image.width).div_(white).clamp_(0, 1)
