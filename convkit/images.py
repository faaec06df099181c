"""Pictures to convolve, as float32 tensors (H, W) on the CPU, with values in [0, 1].

A `size` is counted in cells: an int for a square, or (rows, columns). ConvkitError is raised for
anything else, and for more than 25 million cells. Picture files are untrusted input: what would
fill the memory is refused before it is decoded, which Pillow does.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from PIL import Image, ImageChops, ImageOps
from torch import Tensor

from convkit.errors import ConvkitError, brief_repr, check_choice
from convkit.ops import FLOAT32, Pair, check_array, to_pair, to_whole

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MAX_BYTES = 10 * 2**20
MAX_PIXELS = 25_000_000

T = TypeVar("T")
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image
"""A picture: the path of a file, its bytes, or a PIL picture."""

_EXPECTED = "a PNG, JPEG, WebP, BMP or GIF of at most 10 MiB and 25 million pixels"
_DETOURS = {"La": "LA", "RGBa": "RGBA", "LAB": "RGB"}  # Pillow turns these into few other modes


def stripes() -> Tensor:
    """Return D2L 7.2's picture, (6, 8): white, with columns 2 to 5 black.

    Examples
    --------
    >>> stripes()[0]
    tensor([1., 1., 0., 0., 0., 0., 1., 1.])
    """
    X = torch.ones(6, 8, **FLOAT32)
    X[:, 2:6] = 0
    return X


def diagonal(size: Pair = 8) -> Tensor:
    """Return a white line from the top left along the diagonal of a black picture of a `size`.

    Examples
    --------
    >>> diagonal((2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    return torch.eye(*_check_size(size), **FLOAT32)


def checkerboard(size: Pair = 8) -> Tensor:
    """Return alternating white and black cells of a `size`, white at the top left.

    Examples
    --------
    >>> checkerboard((2, 3))
    tensor([[1., 0., 1.],
            [0., 1., 0.]])
    """
    X = torch.zeros(_check_size(size), **FLOAT32)
    X[::2, ::2] = X[1::2, 1::2] = 1
    return X


def dot(size: Pair = 7) -> Tensor:
    """Return one white cell in the middle of black, of a `size`: its output shows the kernel.

    Examples
    --------
    >>> dot(3)
    tensor([[0., 0., 0.],
            [0., 1., 0.],
            [0., 0., 0.]])
    """
    rows, columns = _check_size(size)
    X = torch.zeros(rows, columns, **FLOAT32)
    X[rows // 2, columns // 2] = 1
    return X


def ramp(size: Pair = (6, 9)) -> Tensor:
    """Return a picture of a `size` that brightens evenly from black on the left to white.

    Examples
    --------
    >>> ramp((2, 3))
    tensor([[0.0000, 0.5000, 1.0000],
            [0.0000, 0.5000, 1.0000]])
    """
    rows, columns = _check_size(size)
    return torch.linspace(0, 1, columns, **FLOAT32).repeat(rows, 1)


def photo(size: Pair | None = None) -> Tensor:
    """Return a real photo, Grace Hopper in 1984 (public domain), which ships with matplotlib.

    Parameters
    ----------
    size : int or (rows, columns), optional
        Pixels to which the largest part around the face is scaled; by default the whole photo,
        (600, 512).

    Examples
    --------
    >>> photo().shape, photo(128).shape, photo((64, 32)).shape
    (torch.Size([600, 512]), torch.Size([128, 128]), torch.Size([64, 32]))
    """
    return _grey(_photo_image(size))


def colour_photo(size: Pair | None = None) -> Tensor:
    """Return `photo` in colour: red, green and blue, (3, H, W).

    Parameters
    ----------
    size : int or (rows, columns), optional
        As in `photo`.

    Examples
    --------
    >>> colour_photo(128).shape
    torch.Size([3, 128, 128])
    """
    return _channels(_photo_image(size))


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


def _photo_image(size: Pair | None) -> Image.Image:
    """Return the photo, or its part around the face in a size."""
    image = _whole_photo()
    if size is None:
        return image
    rows, columns = _check_size(size)
    centre = (0.5, 0.1)  # of the face, as shares of the width and the height
    return ImageOps.fit(image, (columns, rows), Image.Resampling.LANCZOS, centering=centre)


@cache
def _whole_photo() -> Image.Image:
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
    size = " {} × {}".format(*check_array("X", X).shape)
    for name in PICTURES:
        if name.endswith(size) and torch.equal(_cached_picture(name).to(X.dtype), X.cpu()):
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
    """Return every k-th row and column of an array (..., H, W), k from `sampling_step`.

    Examples
    --------
    >>> sampled(torch.zeros(600, 512), 256).shape
    torch.Size([200, 171])
    """
    step = sampling_step(X.shape[-2:], max_side)
    return X[..., ::step, ::step]


# Pictures of all kinds


def open_image(source: Source, *, max_side: int | None = None) -> Tensor:
    """Return a picture file, or a PIL picture, as grey: its luma (ITU-R 601), (H, W), in [0, 1].

    Parameters
    ----------
    source : path, bytes or PIL.Image.Image
        A PNG, JPEG, WebP, BMP or GIF (first frame) of at most 10 MiB and 25 million pixels, or a
        PIL picture of any mode, which is not changed. It is turned as its EXIF says; transparent
        parts are laid on white, unless all is transparent. A PIL picture of mode "F" has no white:
        its numbers stay as they are.
    max_side : int, optional
        Longest side, in pixels, of the result; a larger picture is scaled down to it.

    Raises
    ------
    ConvkitError
        If there is no picture, it is too large, damaged or of another kind, or if `max_side` is
        below 1.

    Examples
    --------
    >>> open_image(Image.new("L", (3, 2), "white"))
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    return read_picture(source, max_side=max_side).values


class Picture(NamedTuple):
    """What a picture holds."""

    values: Tensor
    """The picture in grey, (H, W), values in [0, 1]."""
    size: tuple[int, int]
    """Height and width, in pixels, of the whole picture."""
    has_colour: bool
    """Whether it has colours other than grey."""


def read_picture(source: Source, *, max_side: int | None = None) -> Picture:
    """Return what `open_image` does, and what the picture was like.

    Examples
    --------
    >>> picture = read_picture(Image.new("RGB", (30, 20), "red"), max_side=3)
    >>> picture.values.shape, picture.size, picture.has_colour
    (torch.Size([2, 3]), (20, 30), True)
    """
    side = _check_side(max_side)
    return _read(
        source, lambda image: Picture(_grey(image, side), image.size[::-1], _has_colour(image))
    )


def open_colours(source: Source, *, max_side: int | None = None) -> Tensor:
    """Return red, green and blue of what `open_image` returns in grey, (3, H, W), in [0, 1].

    Examples
    --------
    >>> open_colours(Image.new("RGB", (3, 2), "red")).mean((1, 2))
    tensor([1., 0., 0.])
    """
    side = _check_side(max_side)
    return _read(source, lambda image: _channels(image, side))


def _check_side(max_side: int | None) -> int | None:
    return None if max_side is None else to_whole("max_side", max_side, 1)


def _read(source: Source, convert: Callable[[Image.Image], T]) -> T:
    """Return what `convert` makes of a picture that is turned as its EXIF says."""
    if isinstance(source, Image.Image):
        return _decoded(source, f"the PIL picture of mode {source.mode}", convert)
    data = _bytes_of(source)
    what = f"the file of {len(data)} bytes"
    try:
        with warnings.catch_warnings(action="ignore"):  # about sizes above ours
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:
        raise _unreadable(what) from error
    return _decoded(image, what, convert)


def _bytes_of(source: Source) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    else:
        data = _file_bytes(source)
    if len(data) > MAX_BYTES:
        given = "the picture file has more than 10 MiB"
        raise ConvkitError(given, _EXPECTED, "Scale the picture down first.")
    return data


def _file_bytes(path: Any) -> bytes:
    """Return the bytes of a file, but no more than show that it has too many."""
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError, TypeError) as error:  # the latter two: no path that a system has
        reason = getattr(error, "strerror", None) or "no path"
        given = f"no picture could be read from {brief_repr(path, 200)} ({reason})"
        hint = "Check the path; of an open file give what its read() returns."
        raise ConvkitError(given, "the path of a picture file", hint) from error


def _unreadable(what: str) -> ConvkitError:
    hint = "Open it elsewhere and save it as PNG."
    return ConvkitError(f"{what} cannot be read as a picture", _EXPECTED, hint)


def _decoded(image: Image.Image, what: str, convert: Callable[[Image.Image], T]) -> T:
    """Convert a picture, after a look at its size, for which nothing is decoded."""
    given = f"the picture has {image.width} × {image.height} pixels"
    if not 0 < image.width * image.height <= MAX_PIXELS:
        expected = f"at least one pixel and at most {MAX_PIXELS:,} pixels"
        raise ConvkitError(given, expected, "Choose another part of it, or scale it down.")
    try:
        return convert(_upright(image))
    except Exception as error:  # Pillow lets errors of many kinds escape from damaged files
        raise _unreadable(what) from error


def _upright(image: Image.Image) -> Image.Image:
    """Return a copy, turned as its EXIF says; as it is where the EXIF is damaged."""
    image = image.convert(_DETOURS.get(image.mode))
    with suppress(Exception):  # damaged EXIF raises errors of many kinds
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _has_colour(image: Image.Image) -> bool:
    if image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I"):
        return False
    rgb = image if image.mode.startswith("RGB") else image.convert("RGB")
    red, green, blue = (rgb.getchannel(n) for n in range(3))
    return _differ(red, green) or _differ(red, blue)


def _differ(first: Image.Image, second: Image.Image) -> bool:
    return ImageChops.difference(first, second).getbbox() is not None


def _grey(image: Image.Image, max_side: int | None = None) -> Tensor:
    """Return the picture's luma over white, scaled to [0, 1]; of mode "F" its numbers."""
    levels, white = _levels(image)
    if max_side is not None:
        levels.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    values = torch.from_numpy(np.array(levels, dtype=np.float32))
    return values if white is None else values.div_(white).clamp_(0, 1)


def _channels(image: Image.Image, max_side: int | None = None) -> Tensor:
    """Return red, green and blue of a picture over white, (3, H, W), from 0 to 1."""
    if not _has_colour(image):
        return _grey(image, max_side).repeat(3, 1, 1)
    opaque = _over_white(image, "RGB")
    return torch.stack([_grey(opaque.getchannel(n), max_side) for n in "RGB"])


def _levels(image: Image.Image) -> tuple[Image.Image, int | None]:
    """Return a new picture of mode "L" or "F", and its white."""
    if image.mode == "F":
        return image.copy(), None
    if image.mode.startswith("I"):
        return image.convert("F"), 65535  # Pillow would clip "L"
    return _over_white(image, "L"), 255


def _over_white(image: Image.Image, mode: str) -> Image.Image:
    """Return a picture in a mode, its transparent parts laid on white unless all is transparent."""
    levels = image.convert(mode)
    if not image.has_transparency_data:
        return levels
    alpha = image.convert("RGBA").getchannel("A")
    if alpha.getbbox() is None:  # as in BMPs whose fourth bytes mean nothing
        return levels
    paper = Image.new(mode, image.size, "white")
    paper.paste(levels, mask=alpha)
    return paper
