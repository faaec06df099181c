"""Pictures to convolve, as float32 tensors of shape (H, W) with values in [0, 1].

A `size` is counted in cells: an int for a square, or a pair (rows, columns). Picture files are
untrusted input: `open_image` limits what they may cost before it decodes them.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image, ImageChops, ImageOps
from torch import Tensor

from convkit.errors import ConvkitError, brief_repr, check_choice
from convkit.ops import Pair, as_integer, to_pair

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MAX_BYTES = 10 * 2**20
MAX_PIXELS = 25_000_000
MAX_READS = 50_000
MAX_JPEG_PARTS = 100

Source = str | os.PathLike[str] | bytes | bytearray | memoryview
"""A picture file: its path, or its bytes."""

_EXPECTED = "a PNG, JPEG, WebP, BMP or GIF of at most 10 MiB and 25 million pixels"
_SCALE_DOWN = "Scale it down first."
_SAVE_AS_PNG = "Open it elsewhere and save it as PNG."
# A JPEG's scan is decoded over all pixels, and each EXIF part is appended to a copy of the others.
_JPEG_PART = re.compile(rb"\xff\xda\0[\x08\x0a\x0c\x0e][\1-\4]|Exif\0\0")
_JPEG_SEGMENT = re.compile(rb"\xff{1,8}([\xc0-\xfe])(..)", re.DOTALL)
_DETOURS = {"La": "LA", "RGBa": "RGBA", "LAB": "RGB"}  # Pillow turns these into few other modes
_JPEG_MARKER = re.compile(rb"\xff[^\0\xd0-\xd7\xff]")  # restart markers belong to the scan


def stripes() -> Tensor:
    """Return D2L 7.2's picture, (6, 8): white, with columns 2 to 5 black.

    Examples
    --------
    >>> stripes()[0]
    tensor([1., 1., 0., 0., 0., 0., 1., 1.])
    """
    X = torch.ones(6, 8)
    X[:, 2:6] = 0
    return X


def diagonal(size: Pair = 8) -> Tensor:
    """Return a white line from the top left along the diagonal of a black picture.

    Parameters
    ----------
    size : int or (rows, columns)
        Shape of the picture, in cells; an int is a square.

    Raises
    ------
    ConvkitError
        If `size` is no size, or has more than 25 million cells.

    Examples
    --------
    >>> diagonal((2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    return torch.eye(*_check_size(size))


def checkerboard(size: Pair = 8) -> Tensor:
    """Return alternating white and black cells, white at the top left.

    Parameters
    ----------
    size : int or (rows, columns)
        Shape of the picture, in cells; an int is a square.

    Raises
    ------
    ConvkitError
        If `size` is no size, or has more than 25 million cells.

    Examples
    --------
    >>> checkerboard((2, 3))
    tensor([[1., 0., 1.],
            [0., 1., 0.]])
    """
    rows, columns = _check_size(size)
    return ((torch.arange(rows)[:, None] + torch.arange(columns) + 1) % 2).float()


def dot(size: Pair = 7) -> Tensor:
    """Return one white cell in the middle of black: its output shows the kernel.

    Parameters
    ----------
    size : int or (rows, columns)
        Shape of the picture, in cells; an int is a square.

    Raises
    ------
    ConvkitError
        If `size` is no size, or has more than 25 million cells.

    Examples
    --------
    >>> dot(3)
    tensor([[0., 0., 0.],
            [0., 1., 0.],
            [0., 0., 0.]])
    """
    rows, columns = _check_size(size)
    X = torch.zeros(rows, columns)
    X[rows // 2, columns // 2] = 1
    return X


def ramp(size: Pair = (6, 9)) -> Tensor:
    """Return a picture that brightens evenly from black on the left to white on the right.

    Parameters
    ----------
    size : int or (rows, columns)
        Shape of the picture, in cells; an int is a square.

    Raises
    ------
    ConvkitError
        If `size` is no size, or has more than 25 million cells.

    Examples
    --------
    >>> ramp((2, 3))
    tensor([[0.0000, 0.5000, 1.0000],
            [0.0000, 0.5000, 1.0000]])
    """
    rows, columns = _check_size(size)
    return torch.linspace(0, 1, columns).repeat(rows, 1)


def photo(size: Pair | None = None) -> Tensor:
    """Return a real photo, Grace Hopper in 1984 (public domain), which ships with matplotlib.

    Parameters
    ----------
    size : int or (rows, columns), optional
        Shape, in pixels, to which the largest part around the face is scaled; an int is a
        square. By default the whole photo, (600, 512).

    Raises
    ------
    ConvkitError
        If `size` is no size, or has more than 25 million pixels.

    Examples
    --------
    >>> photo().shape, photo(128).shape, photo((64, 32)).shape
    (torch.Size([600, 512]), torch.Size([128, 128]), torch.Size([64, 32]))
    """
    image = _photo_image()
    if size is not None:
        rows, columns = _check_size(size)
        centre = (0.5, 0.1)  # of the face, as shares of the width and the height
        image = ImageOps.fit(image, (columns, rows), Image.Resampling.LANCZOS, centering=centre)
    return _grey(image)


def _check_size(size: Pair) -> tuple[int, int]:
    """Return `size` as (rows, columns)."""
    rows, columns = to_pair("size", size, 1)
    if rows * columns > MAX_PIXELS:
        raise ConvkitError(
            f"size is {size!r}", f"at most {MAX_PIXELS:,} pixels", "Choose a smaller size."
        )
    return rows, columns


def matplotlib_file(name: str) -> Path:
    """Return the path of a data file of matplotlib, without the import, which takes a while.

    Examples
    --------
    >>> matplotlib_file("sample_data/grace_hopper.jpg").exists()
    True
    """
    path = Path(str(distribution("matplotlib").locate_file("matplotlib"))) / "mpl-data" / name
    if not path.exists():  # as where a Linux distribution keeps data elsewhere
        import matplotlib

        path = Path(matplotlib.get_data_path(), name)
    return path


@cache
def _photo_image() -> Image.Image:
    """Return the decoded photo; callers must not change it."""
    with Image.open(matplotlib_file("sample_data/grace_hopper.jpg")) as image:
        return image.convert("RGB")


PICTURES: dict[str, tuple[Callable[..., Tensor], tuple[int, ...]]] = {
    "stripes 6 × 8": (stripes, ()),
    "diagonal 8 × 8": (diagonal, ()),
    "checkerboard 8 × 8": (checkerboard, ()),
    "dot 7 × 7": (dot, ()),
    "ramp 6 × 9": (ramp, ()),
    "photo 128 × 128": (photo, (128,)),
    "photo 600 × 512": (photo, ()),
}
"""The named pictures: the function that makes each, and its arguments. A name ends in the size."""


def picture(name: str) -> Tensor:
    """Return a new copy of the picture of that name in `PICTURES`, (H, W).

    Raises
    ------
    ConvkitError
        If no picture has that name.

    Examples
    --------
    >>> picture("ramp 6 × 9").shape
    torch.Size([6, 9])
    """
    check_choice("picture", name, PICTURES)
    return _cached_picture(name).clone()


@cache
def _cached_picture(name: str) -> Tensor:
    """Return a named picture; callers must not change it."""
    make, arguments = PICTURES[name]
    return make(*arguments)


def named_like(X: Tensor) -> str | None:
    """Return the name of the picture that `X`, (H, W), equals in `X`'s own dtype, or None.

    Examples
    --------
    >>> named_like(torch.eye(8))
    'diagonal 8 × 8'
    """
    size = f" {X.shape[0]} × {X.shape[1]}"
    for name in PICTURES:
        if name.endswith(size) and torch.equal(_cached_picture(name).to(X.dtype), X):
            return name
    return None


def sampling_step(size: Sequence[int], max_side: int) -> int:
    """Return k such that of every k-th row and column neither are more than `max_side`.

    Examples
    --------
    >>> sampling_step((128, 128), 256), sampling_step((600, 512), 256)
    (1, 3)
    """
    return -(-max(size) // max_side)


def sampled(X: Tensor, max_side: int) -> Tensor:
    """Return every k-th row and column of an array (H, W), k from `sampling_step`.

    Examples
    --------
    >>> sampled(torch.zeros(600, 512), 256).shape
    torch.Size([200, 171])
    """
    step = sampling_step(X.shape, max_side)
    return X[::step, ::step]


def open_image(source: Source, *, max_side: int | None = None) -> Tensor:
    """Read a picture file as a grey tensor of shape (H, W), values in [0, 1].

    Parameters
    ----------
    source : path or bytes
        A PNG, JPEG, WebP, BMP or GIF (first frame) of at most 10 MiB and 25 million pixels.
        It is rotated according to its EXIF orientation; transparent parts are laid on white.
    max_side : int, optional
        Longest side, in pixels, of the result; a larger picture is scaled down to it.

    Raises
    ------
    ConvkitError
        If the file is missing, too large, damaged, of another kind, made of very many small
        parts, or shorter than its header claims, or if `max_side` is below 1.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> Image.new("L", (3, 2), "white").save(file, "PNG")
    >>> open_image(file.getvalue())
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    return read_picture(source, max_side=max_side).values


class PictureFile(NamedTuple):
    """What a picture file holds."""

    values: Tensor
    """The picture in grey, (H, W), values in [0, 1]."""
    size: tuple[int, int]
    """Height and width, in pixels, of the picture in the file."""
    has_colour: bool
    """Whether the picture in the file has colours other than grey."""


def read_picture(source: Source, *, max_side: int | None = None) -> PictureFile:
    """Return what `open_image` does, and what the picture in the file was like.

    Raises
    ------
    ConvkitError
        As `open_image` does.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (30, 20), "red").save(file, "PNG")
    >>> picture = read_picture(file.getvalue(), max_side=3)
    >>> picture.values.shape, picture.size, picture.has_colour
    (torch.Size([2, 3]), (20, 30), True)
    """
    if max_side is not None:
        max_side = _check_max_side(max_side)
    data = _read(source)
    _check_bytes(data)
    try:
        return _decode(data, max_side)
    except ConvkitError:
        raise
    except Image.DecompressionBombError as error:
        raise ConvkitError(
            "the picture claims far too many pixels", _EXPECTED, _SCALE_DOWN
        ) from error
    except Exception as error:  # Pillow lets errors of many kinds escape from damaged files
        given = f"the file of {len(data)} bytes cannot be read as a picture"
        raise ConvkitError(given, _EXPECTED, _SAVE_AS_PNG) from error


def _check_max_side(max_side: int) -> int:
    side = as_integer(max_side)
    if side is None or side < 1:
        given = f"max_side is {brief_repr(max_side)}"
        hint = "It limits the longest side, whichever that is."
        raise ConvkitError(given, "one whole number from 1", hint)
    return side


def _read(source: Source) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if not isinstance(source, str | os.PathLike):
        given = f"source is {_kind(source)}"
        raise ConvkitError(given, "the path of a picture file, or its bytes", _source_hint(source))
    try:
        with Path(source).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError, TypeError) as error:  # the latter two: no path that a system has
        reason = getattr(error, "strerror", error)
        given = f"no picture could be read from {brief_repr(os.fspath(source), 200)} ({reason})"
        raise ConvkitError(given, "the path of a picture file", "Check the path.") from error


def _kind(source: object) -> str:
    """Return what `source` is, without the addresses and the many values that some reprs have."""
    if source is None or isinstance(source, int | float):
        return brief_repr(source)
    return f"of type {type(source).__name__}"


def _source_hint(source: object) -> str:
    if isinstance(source, Image.Image):
        return "It is open already: write convkit.images.grey(source)."
    if hasattr(source, "read"):
        return "Write convkit.open_image(source.read()), of a file opened to read bytes."
    return "Write the path as text, such as 'photo.png'."


def _check_bytes(data: bytes) -> None:
    """Refuse what the bytes alone show to be too costly."""
    if len(data) > MAX_BYTES:
        raise ConvkitError("the picture file has more than 10 MiB", _EXPECTED, _SCALE_DOWN)
    parts = sum(1 for _ in _JPEG_PART.finditer(data))
    if parts > MAX_JPEG_PARTS:
        given = f"the picture is made of {parts} scans or EXIF parts"
        raise ConvkitError(given, f"at most {MAX_JPEG_PARTS}", _SAVE_AS_PNG)


def _decode(data: bytes, max_side: int | None) -> PictureFile:
    """Decode a file's bytes; Pillow's errors escape."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about sizes; `_check_pixels` refuses smaller ones
        file = _LimitedFile(_without_end_marker(data))
        with Image.open(file, formats=FORMATS) as image:
            _check_pixels(image)
            _check_claim(image, len(data))
            image.load()
            upright = _rotated(image)
            size = upright.height, upright.width
            colour = has_colour(upright)
            return PictureFile(_grey(upright, max_side), size, colour)


class _LimitedFile(io.BytesIO):
    """A file in memory that raises ConvkitError after `MAX_READS` reads.

    Pillow reads some structures (fill bytes, small chunks, runs of a BMP) a few bytes at a time
    in Python: 10 MiB of them would take seconds. An honest file of 10 MiB needs some 1,000 reads.
    """

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            given = f"the picture file is made of more than {MAX_READS:,} small parts"
            raise ConvkitError(given, "fewer and larger parts", _SAVE_AS_PNG)
        return super().read(size)


def _without_end_marker(data: bytes) -> bytes:
    """Return a JPEG of one scan with a few zeros in place of its end marker, else `data`.

    Where a JPEG's data end before all pixels are decoded, libjpeg paints the rest grey and does
    not say so if an end marker follows. Without that marker Pillow reports a truncated file.
    The zeros are what libjpeg reads ahead.
    """
    if not data.startswith(b"\xff\xd8"):
        return data
    start = 2
    for _ in range(1000):
        segment = _JPEG_SEGMENT.match(data, start)
        if segment is None:
            return data
        start = segment.start(2) + int.from_bytes(segment[2], "big")
        if segment[1] == b"\xda":
            break
    end = _JPEG_MARKER.search(data, start)
    if end is None or end[0] != b"\xff\xd9":  # a JPEG of several scans needs its markers
        return data
    return data[: end.start()] + bytes(16)


def _check_pixels(image: Image.Image) -> None:
    """Refuse a picture of too many pixels, or of none; nothing need be decoded yet."""
    given = f"the picture has {image.width} × {image.height} pixels"
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise ConvkitError(given, f"at most {MAX_PIXELS:,} pixels", _SCALE_DOWN)
    if pixels == 0:
        raise ConvkitError(given, "at least one pixel", "Choose another part of the picture.")


def _check_claim(image: Image.Image, n_bytes: int) -> None:
    """Refuse a JPEG whose header claims more pixels than its bytes can fill."""
    # A JPEG needs at least one bit per block of 8 × 8 pixels.
    if image.format in ("JPEG", "MPO") and image.width * image.height > 8 * 8 * 8 * n_bytes:
        given = f"the picture has {image.width} × {image.height} pixels in {n_bytes} bytes"
        raise ConvkitError(given, "dimensions that the file's data can fill", _SAVE_AS_PNG)


def grey(image: Image.Image) -> Tensor:
    """Return a PIL picture of any mode as `open_image` would: float32, (H, W), values in [0, 1].

    Parameters
    ----------
    image : PIL.Image.Image
        At most 25 million pixels; it is not changed. Of a picture in colour the luma is taken
        (ITU-R 601), transparent parts are laid on white, and it is rotated as its EXIF says. In
        modes "I" and "I;16" white is 65535. Mode "F" has no white: its numbers stay as they are.

    Raises
    ------
    ConvkitError
        If it has too many pixels or none, or its file is closed or damaged.

    Examples
    --------
    >>> grey(Image.new("RGB", (3, 1), "red"))
    tensor([[0.2980, 0.2980, 0.2980]])
    """
    _check_pixels(image)
    try:
        return _grey(_rotated(image.copy()))
    except Exception as error:  # Pillow reads the file only now, and its errors are of many kinds
        given = f"the picture of mode {image.mode} cannot be read ({error})"
        raise ConvkitError(
            given, "a picture whose file is whole and open", "Open it anew."
        ) from error


def has_colour(image: Image.Image) -> bool:
    """Return whether a PIL picture has colours other than grey.

    Examples
    --------
    >>> has_colour(Image.new("RGB", (3, 2), "red")), has_colour(Image.new("RGB", (3, 2), "grey"))
    (True, False)
    """
    if image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I"):
        return False
    rgb = image if image.mode.startswith("RGB") else image.convert("RGB")
    red, green, blue = (rgb.getchannel(n) for n in range(3))
    return _differ(red, green) or _differ(red, blue)


def _differ(first: Image.Image, second: Image.Image) -> bool:
    return ImageChops.difference(first, second).getbbox() is not None


def _rotated(image: Image.Image) -> Image.Image:
    """Return the picture turned as its EXIF says; unchanged where the EXIF is damaged."""
    with suppress(Exception):  # damaged EXIF raises errors of many kinds
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _grey(image: Image.Image, max_side: int | None = None) -> Tensor:
    """Return the picture's luma (ITU-R 601) over white, scaled to [0, 1]; of mode "F" its numbers.

    It does not change `image`.
    """
    levels, white = _levels(image)
    if max_side is not None:
        levels.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    dtype = torch.uint8 if levels.mode == "L" else torch.float32
    values = torch.frombuffer(bytearray(levels.tobytes()), dtype=dtype).float()
    values = values.reshape(levels.height, levels.width)
    return values if white is None else values.div_(white).clamp_(0, 1)


def _levels(image: Image.Image) -> tuple[Image.Image, int | None]:
    """Return a new picture of mode "L" or "F", and its white."""
    if image.mode == "F":
        return image.copy(), None
    if image.mode.startswith("I"):
        return _grey_of_16_bits(image), 65535
    return _grey_of_8_bits(image), 255


def _grey_of_8_bits(image: Image.Image) -> Image.Image:
    """Return a new picture of mode "L"; its transparent parts are laid on white."""
    if image.mode in _DETOURS:
        image = image.convert(_DETOURS[image.mode])
    if not image.has_transparency_data:
        return image.convert("L")
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    alpha = rgba.getchannel("A")  # one channel at a time, so that large pictures fit in memory
    paper = Image.new("L", image.size, "white")
    paper.paste(image.convert("L"), mask=alpha)
    return paper


def _grey_of_16_bits(image: Image.Image) -> Image.Image:
    """Return a new picture of mode "F" (Pillow would clip "L"); its transparent grey is white."""
    levels = image.convert("F")
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        table = [0] * 65536
        table[transparent] = 255
        levels.paste(65535, mask=image.convert("I").point(table, "L"))
    return levels
