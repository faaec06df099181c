"""What people pass as an array: a tensor, a numpy array, nested lists, a PIL picture or a path.

A tensor of float16, bfloat16, float32 or float64 keeps its dtype; all else becomes float32, the
dtype of convkit's own pictures and kernels. Numbers keep their values, also those of a numpy array
of shape (H, W) and dtype uint8. Only what is a picture beyond doubt is scaled to [0, 1]: a PIL
picture, a file, and an array of three axes that holds colours.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from convkit import images, kernels, ops
from convkit.errors import ConvkitError, brief_repr

GREY_NOTE = "grey of a colour picture"
"""What `as_picture` says of a picture that had colours."""

_EXPECTED = "numbers of shape (H, W), a PIL picture, or the path of a picture file"
SOURCES = (str, os.PathLike, bytes, bytearray, memoryview, Image.Image)
_LUMA = (0.299, 0.587, 0.114)  # of red, green and blue, ITU-R 601: as Pillow has it


def as_array(name: str, value: Any) -> Tensor:
    """Return numbers of shape (H, W) as a float tensor on the CPU: a copy, without gradients.

    Parameters
    ----------
    name : str
        What error messages call it.
    value : object
        A tensor of any real dtype on any device, a numpy array, nested lists, or a picture: a PIL
        picture, the path or the bytes of a picture file, or an array of colours. Colours are
        (H, W, 3), (H, W, 4) or (3, H, W), of dtype uint8 or from 0 to 1; they become grey.

    Raises
    ------
    ConvkitError
        If it is anything else. Values need not be finite.

    Examples
    --------
    >>> as_array("X", np.eye(2, dtype=np.uint8))
    tensor([[1., 0.],
            [0., 1.]])
    >>> as_array("X", Image.new("RGB", (3, 1), "white"))
    tensor([[1., 1., 1.]])
    """
    return as_picture(name, value)[0]


@torch.inference_mode(False)  # a copy that autograd accepts, wherever it was made
def as_picture(name: str, value: Any) -> tuple[Tensor, str]:
    """Return what `as_array` does, and what the learner should be told of it: often nothing.

    Raises
    ------
    ConvkitError
        As `as_array` does.

    Examples
    --------
    >>> as_picture("X", [[1, 2]])
    (tensor([[1., 2.]]), '')
    >>> as_picture("X", Image.new("RGB", (3, 1), "red"))
    (tensor([[0.2980, 0.2980, 0.2980]]), 'grey of a colour picture')
    """
    if isinstance(value, SOURCES):
        return _read(name, value)
    numbers = _numbers(name, value)
    axis = ops.channel_axis(numbers.shape)
    if axis is None:
        return ops.check_array(name, numbers), ""
    return _grey_of_colours(name, numbers.movedim(axis, 2), axis, _white(value))


@torch.inference_mode(False)
def as_colours(name: str, value: Any) -> Tensor:
    """Return what `as_array` does, but of a picture in colour red, green and blue, (3, H, W).

    Raises
    ------
    ConvkitError
        As `as_array` does.

    Examples
    --------
    >>> as_colours("X", [[1, 2]]).shape, as_colours("X", Image.new("RGB", (3, 2), "red")).shape
    (torch.Size([1, 2]), torch.Size([3, 2, 3]))
    """
    grey, note = as_picture(name, value)
    if not note:
        return grey
    if isinstance(value, SOURCES):
        return images.open_colours(value)
    numbers = _numbers(name, value)
    axis = ops.channel_axis(numbers.shape)
    return _over_white(numbers.movedim(axis or 0, 2) / _white(value)).movedim(2, 0)


def _white(value: Any) -> int:
    """Return the number of white in an array of colours."""
    return 255 if str(getattr(value, "dtype", "")) in ("uint8", "torch.uint8") else 1


def _note(has_colour: bool) -> str:
    return GREY_NOTE if has_colour else ""


# Pictures


def _read(name: str, source: images.Source) -> tuple[Tensor, str]:
    if isinstance(source, str):
        _check_no_name(name, source)
    try:
        picture = images.read_picture(source)
    except ConvkitError as error:  # which speaks of "the picture"
        raise ConvkitError(f"{name}: {error.given}", error.expected, error.hint) from error
    return picture.values, _note(picture.has_colour)


def _check_no_name(name: str, source: str) -> None:
    """Refuse a kernel's or a picture's name where a path is expected."""
    if source in kernels.KERNELS:
        hint = f"That is a kernel's name: write convkit.kernel({source!r})."
        raise ConvkitError(f"{name} is {source!r}", _EXPECTED, hint)
    if source in images.PICTURES:
        hint = f"That is a picture's name: write convkit.images.picture({source!r})."
        raise ConvkitError(f"{name} is {source!r}", _EXPECTED, hint)


# Numbers


def _numbers(name: str, value: Any) -> Tensor:
    """Return a new float tensor on the CPU, of any shape (complex numbers stay, to be refused)."""
    if isinstance(value, Tensor):
        return _from_tensor(name, value)
    if isinstance(value, list | tuple):
        return _from_numpy(name, _from_rows(name, value))
    if isinstance(value, np.ma.MaskedArray):
        raise ConvkitError(f"{name} is a masked array", _EXPECTED, f"Write {name}.filled(0).")
    if hasattr(value, "__array__"):  # numpy's own, and those of other libraries, such as pandas
        return _from_numpy(name, np.asarray(value))
    given = f"{name} is {brief_repr(value)}"
    raise ConvkitError(given, _EXPECTED, "Write for example torch.zeros(6, 8).")


def _from_tensor(name: str, value: Tensor) -> Tensor:
    ops.check_dense(name, value)
    values = value.detach().cpu().as_subclass(Tensor)
    if values.dtype in ops.FLOAT_DTYPES or values.is_complex():
        return values.clone(memory_format=torch.contiguous_format)
    return values.to(torch.float32, memory_format=torch.contiguous_format)


def _from_numpy(name: str, values: np.ndarray[Any, Any]) -> Tensor:
    if values.dtype == object and values.ndim > 0:
        values = _from_rows(name, values.tolist())
    if values.dtype.kind not in "biuf":
        given = f"{name} is an array of dtype {values.dtype}"
        raise ConvkitError(given, _EXPECTED, _dtype_hint(name, values))
    try:
        with np.errstate(all="ignore", over="raise"):
            return torch.from_numpy(values.astype(np.float32, order="C"))
    except FloatingPointError as error:
        largest = np.abs(values[np.isfinite(values)]).max()
        given = f"{name} has numbers too large for float32, up to {largest:.3g}"
        hint = f'Write torch.tensor(np.array({name}, dtype="float64")).'
        raise ConvkitError(given, _EXPECTED, hint) from error


def _dtype_hint(name: str, values: np.ndarray[Any, Any]) -> str:
    if values.dtype.kind == "c":
        return f"Write {name}.real for the real part."
    return f'If these are numbers written as text, write {name}.astype("float32").'


def _from_rows(name: str, rows: Any) -> np.ndarray[Any, Any]:
    """Return the numbers of nested lists as an array (H, W), or refuse what is not a number."""
    for i, row in enumerate(rows):
        if not _is_row(row):
            given = f"{name}[{i}] is {brief_repr(row)}"
            raise ConvkitError(given, "a row of numbers", f"For a single row write [{name}].")
        if len(row) != len(rows[0]):
            given = f"{name}[{i}] has {len(row)} numbers and {name}[0] has {len(rows[0])}"
            raise ConvkitError(given, "rows of one length", f"Lengthen or shorten {name}[{i}].")
    cells = [
        [_number(name, i, j, cell) for j, cell in enumerate(row)] for i, row in enumerate(rows)
    ]
    return np.array(cells, dtype=np.float64, ndmin=2)


def _is_row(row: Any) -> bool:
    is_array = isinstance(row, np.ndarray | Tensor) and row.ndim > 0
    return is_array or isinstance(row, list | tuple | range)


def _number(name: str, i: int, j: int, value: Any) -> float:
    if isinstance(value, bool | np.bool_):
        return float(value)
    number = ops.as_real(value)
    if number is None:
        given = f"{name}[{i}][{j}] is {brief_repr(value)}"
        raise ConvkitError(given, "a number", _number_hint(name, value))
    return number


def _number_hint(name: str, value: Any) -> str:
    if _is_row(value):
        colours = f'np.array({name}, dtype="uint8")'
        return f"Of several pictures take one, such as {name}[0]; of one in colour write {colours}."
    return "Replace it by a number."


# Colours


def _grey_of_colours(name: str, colours: Tensor, axis: int, white: int) -> tuple[Tensor, str]:
    """Return the luma of colours (H, W, 3 or 4) over white, in their dtype, and the note of it."""
    ops.check_array(name, colours[:, :, 0])
    low, high = (extreme.item() for extreme in colours.aminmax())
    if not 0 <= low <= high <= white:
        given = f"{name} looks like a picture in colour, with values from {low:g} to {high:g}"
        channel = f"{name}[:, :, 0]" if axis == 2 else f"{name}[0]"
        expected = "colours from 0 to 1, or of dtype uint8"
        raise ConvkitError(given, expected, f"Take one channel, such as {channel}.")
    if white == 255:  # in whole steps, so that it equals what `open_image` makes of the file
        return _read(name, Image.fromarray(colours.to(torch.uint8).contiguous().numpy()))
    grey = _over_white(colours.double()) @ torch.tensor(_LUMA, **ops.FLOAT64)
    has_colour = bool((colours[..., 1:3] != colours[..., :1]).any())
    return grey.to(colours.dtype), _note(has_colour)


def _over_white(colours: Tensor) -> Tensor:
    """Return colours (H, W, 3 or 4) laid on white, (H, W, 3), unless all is transparent."""
    opaque, alpha = colours[..., :3], colours[..., 3:]
    return opaque * alpha + 1 - alpha if alpha.any() else opaque
