"""Cross-correlation, convolution and pooling of one picture, and all geometry of windows.

The operations are PyTorch's own (`torch.nn.functional`); this module adds names, shapes and checks.
Conventions are PyTorch's: `padding` counts cells per side, and `padding`, `stride` and `dilation`
take an int or an (h, w) pair. Every function keeps gradients and accepts any float dtype.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.masked import MaskedTensor

from convkit.errors import ConvkitError, brief_repr, check_choice

Pair = int | Sequence[int]
"""A number of cells: one for both axes, or (h, w)."""

FLOAT_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""The dtypes that torch can convolve."""

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")
"""The names that `torch.nn.Conv2d` has for what lies beyond the border."""

MAX_INTEGER = 2**31 - 1
"""The largest padding, stride, dilation or size that is accepted."""

MAX_CELLS = 2**28
"""The most cells, padding included, of an input: 1 GiB as float32."""

MAX_KERNEL_SIDE = 500
"""The most rows or columns of a kernel that convkit makes."""

FLOAT32: dict[str, Any] = {"dtype": torch.float32, "device": "cpu"}
"""Of what convkit makes, whatever torch's default dtype and device are."""

FLOAT64: dict[str, Any] = {"dtype": torch.float64, "device": "cpu"}
"""Of what convkit computes with its own precision."""

_EXPECTED = "a float tensor of shape (H, W)"


# Numbers of any kind


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread of torch: of small arrays, more only make many kernels wait for each other.

    Examples
    --------
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)


def as_integer(value: Any) -> int | None:
    """Return an integer of any kind (int, numpy, a tensor without axes), or None for other values.

    A bool is not taken for a number.

    Examples
    --------
    >>> as_integer(torch.tensor(3)), as_integer(3.0), as_integer(True)
    (3, None, None)
    """
    if isinstance(value, bool) or str(getattr(value, "dtype", "")) in ("bool", "torch.bool"):
        return None
    if getattr(value, "ndim", 0):
        return None
    try:
        return operator.index(value)
    except (TypeError, RuntimeError):  # the latter from a tensor on device meta
        return None


def as_real(value: Any) -> float | None:
    """Return a real number of any kind (numpy, a tensor without axes) as a float, or None.

    Examples
    --------
    >>> as_real(torch.tensor(0.5)), as_real("0.5")
    (0.5, None)
    """
    try:
        if getattr(value, "ndim", None) == 0:
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            return None
        return float(value)
    except RuntimeError:  # a tensor on device meta
        return None
    except OverflowError:  # a whole number beyond 1.8e308
        return math.inf if value > 0 else -math.inf


def to_whole(name: str, value: Any, minimum: int = 0, maximum: int = MAX_INTEGER) -> int:
    """Return an integer of any kind as an int.

    Raises
    ------
    ConvkitError
        If it is none, or not from `minimum` to `maximum`.

    Examples
    --------
    >>> to_whole("n", torch.tensor(3))
    3
    """
    number = as_integer(value)
    if number is None or not minimum <= number <= maximum:
        expected = f"a whole number from {minimum} to {maximum}"
        raise ConvkitError(f"{name} is {brief_repr(value)}", expected, "Choose one of them.")
    return number


def to_real(name: str, value: Any) -> float:
    """Return a finite real number of any kind as a float.

    Raises
    ------
    ConvkitError
        If it is none.

    Examples
    --------
    >>> to_real("bias", torch.tensor(0.5))
    0.5
    """
    number = as_real(value)
    if number is None or not math.isfinite(number):
        given = f"{name} is {brief_repr(value)}"
        raise ConvkitError(given, "a finite number", f"Write for example {name}=1.0.")
    return number


def to_list(name: str, values: Any) -> list[Any]:
    """Return what can be gone through, such as learning rates, as a list.

    Raises
    ------
    ConvkitError
        If `values` cannot be gone through.

    Examples
    --------
    >>> to_list("rates", (0.5, 0.25))
    [0.5, 0.25]
    """
    try:
        return list(values)
    except TypeError as error:
        given, hint = f"{name} is {brief_repr(values)}", f"Write for example {name}=[0.03, 0.01]."
        raise ConvkitError(given, "a sequence of numbers", hint) from error


def to_pair(
    name: str, value: Pair, minimum: int = 0, maximum: int = MAX_INTEGER
) -> tuple[int, int]:
    """Return an integer or an (h, w) pair as a pair of ints.

    Parameters
    ----------
    name : str
        The argument's name in the error message.
    value : int or (h, w)
        Integers of any kind, also numpy's and tensors without axes.
    minimum, maximum : int
        The least and the most that either number may be.

    Raises
    ------
    ConvkitError
        If `value` is anything else, or a number is out of range.

    Examples
    --------
    >>> to_pair("stride", 2), to_pair("stride", (1, 2))
    ((2, 2), (1, 2))
    """
    both = value if isinstance(value, Sequence) else (value, value)
    whole = [n if type(n) is int else as_integer(n) for n in both[:3]]
    in_range = [n for n in whole if n is not None and minimum <= n <= maximum]
    if len(whole) != 2 or len(in_range) != 2:
        raise ConvkitError(
            f"{name} is {brief_repr(value)}",
            f"a whole number from {minimum} to {maximum}, or a pair (h, w) of them",
            _pair_hint(name, value, min(max(minimum, 1), maximum)),
        )
    return in_range[0], in_range[1]


def _pair_hint(name: str, value: Any, example: int) -> str:
    if name == "padding" and isinstance(value, str) and value in _PADDING_WORDS:
        return _PADDING_WORDS[value]
    return f"Write for example {name}={example} or {name}=({example}, {example})."


_PADDING_WORDS = {
    "same": "Write half the kernel's size without its middle: padding=1 for a kernel of 3 × 3, "
    "padding=(0, 2) for one of 1 × 5.",
    "valid": "Write padding=0.",
    "full": "Write the kernel's size less 1: padding=2 for a kernel of 3 × 3, "
    "padding=(0, 4) for one of 1 × 5.",
}


# Tensors


def check_array(name: str, value: Tensor) -> Tensor:
    """Return `value` if it is a float tensor of shape (H, W) that torch can convolve.

    Raises
    ------
    ConvkitError
        If it is no tensor, has another number of axes, no values, another dtype (integers, complex,
        float8) or is sparse, nested or masked; the message calls it `name` and says how to convert
        it.

    Examples
    --------
    >>> check_array("X", torch.zeros(6, 8)).shape
    torch.Size([6, 8])
    """
    check_dense(name, value)
    given = f"{name} has shape {tuple(value.shape)}"
    if value.ndim != 2:
        raise ConvkitError(given, _EXPECTED, _axes_hint(name, tuple(value.shape)))
    if value.numel() == 0:
        raise ConvkitError(given, _EXPECTED, "It has no values: give it a row and a column.")
    if value.dtype not in FLOAT_DTYPES:
        part = f"{name}.real" if value.is_complex() else name
        given = f"{name} has dtype {value.dtype}"
        raise ConvkitError(given, _EXPECTED, f"Write {part}.float().")
    return value


def check_dense(name: str, value: Tensor) -> Tensor:
    """Return `value` if it is a tensor, of any shape and dtype, that holds all its values.

    Raises
    ------
    ConvkitError
        If it is no tensor, or a sparse, nested or masked one, or on device meta.

    Examples
    --------
    >>> check_dense("X", torch.eye(2).to_sparse())
    Traceback (most recent call last):
    convkit.errors.ConvkitError: X is a sparse, nested or masked tensor; expected a float tensor of
    shape (H, W). Write X.to_dense().
    """
    if not isinstance(value, Tensor):
        raise ConvkitError(_what(name, value), _EXPECTED, _conversion_hint(name, value))
    dense = _dense_code(name, value)
    if dense != name:
        given = f"{name} is a sparse, nested or masked tensor"
        raise ConvkitError(given, _EXPECTED, f"Write {dense}.")
    if value.device.type == "meta":
        given = f"{name} is on device meta, which holds no values"
        raise ConvkitError(given, _EXPECTED, 'Make it on the CPU, with device="cpu".')
    return value


def _dense_code(name: str, value: Tensor) -> str:
    """Return code that makes a plain tensor of a tensor: its name if it is one."""
    if isinstance(value, MaskedTensor):
        return f"{name}.to_tensor(0)"
    if value.is_nested:
        return f"{name}.to_padded_tensor(0)[0]"
    if value.layout != torch.strided:
        return f"{name}.to_dense()"
    return name


def _what(name: str, value: Any) -> str:
    """Return in words what `value` is, which is no tensor."""
    if isinstance(value, np.ndarray):
        return f"{name} is a numpy array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, Image.Image):
        return f"{name} is a PIL picture of mode {value.mode}"
    return f"{name} is a {type(value).__name__}: {brief_repr(value)}"


def _conversion_hint(name: str, value: Any) -> str:
    """Return how to make a tensor of what is none."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc":
            return f'If these are numbers as text, write torch.tensor({name}.astype("float32")).'
        part = f"{name}.real" if np.iscomplexobj(value) else name
        return f'Write torch.tensor({part}.astype("float32")).'
    if isinstance(value, Image.Image):
        return f"Write convkit.open_image({name})."
    if isinstance(value, Path) or (isinstance(value, str) and Path(value).suffix):
        return f"Write convkit.open_image({name})."
    if isinstance(value, str):
        return f"If it is a kernel's name, write convkit.kernel({name})."
    if _is_numbers(value):
        return f"Write torch.tensor({name}, dtype=torch.float32)."
    return "Write for example torch.zeros(6, 8)."


def _is_numbers(value: Any) -> bool:
    """Return whether `value` is a list, or lists, of which torch makes a tensor."""
    try:
        return isinstance(value, list | tuple) and torch.tensor(value).numel() > 0
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return False


def channel_axis(shape: Sequence[int]) -> int | None:
    """Return the axis of the colours of a picture of that shape: 2 or 0, or None for no colours.

    (H, W, 3 or 4) is what numpy and PIL make, (3, H, W) what PyTorch makes. Where both could be
    meant it is PyTorch's, and (N, 3, 3) is a stack of kernels.

    Examples
    --------
    >>> channel_axis((6, 8, 3)), channel_axis((3, 6, 8)), channel_axis((16, 3, 3))
    (2, 0, None)
    """
    if len(shape) != 3:
        return None
    first, width, last = shape
    if first == 3:
        return 0
    if first != 1 and last in (3, 4) and width != last:
        return 2
    return None


def _axes_hint(name: str, shape: tuple[int, ...]) -> str:
    if len(shape) < 2:
        return f"For one row write {name}.reshape(1, -1)."
    axis = channel_axis(shape)
    if axis == 2:
        grey = f"{name}[:, :, :3].float().mean(2)"
        return f"Of a picture in colour take one channel, {name}[:, :, 0], or their mean, {grey}."
    if axis == 0:
        grey = f"{name}.float().mean(0)"
        return f"Of a picture in colour take one channel, {name}[0], or their mean, {grey}."
    zeros = ["0"] * (len(shape) - 3)
    last_is_channels = channel_axis(shape[-3:]) == 2 or shape[-1] == 1 != shape[-3]
    picture = [":", ":", "0"] if last_is_channels else ["0"]
    return f"Take one picture, such as {name}[{', '.join(zeros + picture)}]."


def check_same_kind(**arrays: Tensor) -> None:
    """Raise ConvkitError unless all are (H, W) float tensors of the first one's dtype and device.

    Examples
    --------
    >>> check_same_kind(X=torch.zeros(6, 8), K=torch.zeros(1, 2))
    """
    for name, value in arrays.items():
        check_array(name, value)
    first, *others = arrays
    for name in others:
        for kind in ("dtype", "device"):
            wanted, given = getattr(arrays[first], kind), getattr(arrays[name], kind)
            if given != wanted:
                raise ConvkitError(
                    f"{first} has {kind} {wanted} and {name} has {given}",
                    f"one {kind} for both",
                    f"Write {name}.to({first}.{kind}).",
                )


def check_finite(name: str, value: Tensor) -> Tensor:
    """Return `value` if it is a finite float tensor of shape (H, W).

    Raises
    ------
    ConvkitError
        As `check_array` does, and if a value is infinite or NaN; the message says which.

    Examples
    --------
    >>> check_finite("X", torch.tensor([[0.0, torch.inf]]))
    Traceback (most recent call last):
    convkit.errors.ConvkitError: X[0, 1] is inf; expected finite numbers. Replace it by a number.
    """
    if not all_finite(check_array(name, value)):
        i, j = (~value.isfinite()).nonzero()[0].tolist()
        given = f"{name}[{i}, {j}] is {value[i, j].item()}"
        raise ConvkitError(given, "finite numbers", "Replace it by a number.")
    return value


def all_finite(values: Tensor) -> bool:
    """Return whether no value is infinite or NaN, from the extremes alone: the fastest way.

    Examples
    --------
    >>> all_finite(torch.tensor([0.0, torch.nan]))
    False
    """
    return all(extreme.isfinite() for extreme in values.detach().aminmax())


def validated_copy(name: str, value: Tensor) -> Tensor:
    """Return a detached, contiguous copy of a finite (H, W) float tensor.

    Raises
    ------
    ConvkitError
        As `check_array` does, and if a value is infinite or NaN.

    Examples
    --------
    >>> X = torch.zeros(2, 3)
    >>> copy = validated_copy("X", X)
    >>> copy[0, 0] = 1.0
    >>> X[0, 0].item()
    0.0
    """
    check_finite(name, value)
    with torch.inference_mode(False):  # a copy that autograd accepts, wherever it was made
        return value.detach().clone(memory_format=torch.contiguous_format)


# Geometry


class _WindowTooLarge(ConvkitError):
    """A window that does not fit: operations say it anew, in the names of their own arguments."""


@dataclass(frozen=True, init=False)
class WindowGeometry:
    """Where windows lie on an input, and how many there are.

    All fields are sizes of the last two axes, given as an int or an (h, w) pair and kept as pairs;
    a number of channels changes nothing. Rows and columns count from 0, in input cells: cells of
    the padding have negative numbers, or numbers from the input's size on.

    Parameters
    ----------
    input_size, kernel_size : int or (h, w)
        Cells of the input, without its padding, and of the kernel.
    padding, stride, dilation : int or (h, w)
        As in `torch.nn.functional.conv2d`.

    Raises
    ------
    ConvkitError
        If a number is impossible, or the kernel is larger than the padded input.

    Notes
    -----
    Along each axis, ``output_size = floor((n + 2 p - d (k - 1) - 1) / s) + 1`` (Dumoulin & Visin,
    "A guide to convolution arithmetic for deep learning", 2016).

    Examples
    --------
    >>> geometry = WindowGeometry((6, 8), (3, 3), padding=1, stride=2)
    >>> geometry.output_size
    (3, 4)
    >>> geometry.rows(0), geometry.columns(1)
    (range(-1, 2), range(1, 4))
    """

    input_size: tuple[int, int]
    kernel_size: tuple[int, int]
    padding: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]

    def __init__(
        self,
        input_size: Pair,
        kernel_size: Pair,
        padding: Pair = 0,
        stride: Pair = 1,
        dilation: Pair = 1,
    ) -> None:
        self._keep("input_size", input_size, 1)
        self._keep("kernel_size", kernel_size, 1)
        self._keep("padding", padding, 0)
        self._keep("stride", stride, 1)
        self._keep("dilation", dilation, 1)
        if min(self.output_size) < 1:
            given = f"kernel_size {kernel_size} with dilation {dilation} on input_size {input_size}"
            raise _WindowTooLarge(
                f"{given} with padding {padding}",
                "a kernel no larger than the padded input",
                "Use a smaller kernel, less dilation, more padding or a larger input.",
            )

    def _keep(self, name: str, value: Pair, minimum: int) -> None:
        object.__setattr__(self, name, to_pair(name, value, minimum))  # as frozen classes must

    @cached_property
    def padded_size(self) -> tuple[int, int]:
        """Cells of the input with its padding, (h, w)."""
        (h, w), (ph, pw) = self.input_size, self.padding
        return h + 2 * ph, w + 2 * pw

    @cached_property
    def window_size(self) -> tuple[int, int]:
        """Rows and columns from a window's first cell to its last, (h, w), dilation included."""
        (kh, kw), (dh, dw) = self.kernel_size, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    @cached_property
    def output_size(self) -> tuple[int, int]:
        """Cells of the output, (H_out, W_out): one for each window."""
        (h, w), (wh, ww) = self.padded_size, self.window_size
        sh, sw = self.stride
        return (h - wh) // sh + 1, (w - ww) // sw + 1

    def start(self, i: int, j: int) -> tuple[int, int]:
        """Return the row and column of the top-left cell of output (i, j)'s window."""
        (ph, pw), (sh, sw) = self.padding, self.stride
        return i * sh - ph, j * sw - pw

    def rows(self, i: int) -> range:
        """Return the input rows that row `i` of the output reads."""
        top = self.start(i, 0)[0]
        return range(top, top + self.window_size[0], self.dilation[0])

    def columns(self, j: int) -> range:
        """Return the input columns that column `j` of the output reads."""
        left = self.start(0, j)[1]
        return range(left, left + self.window_size[1], self.dilation[1])


def output_size(
    input_size: Pair,
    kernel_size: Pair,
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
) -> int | tuple[int, int]:
    """Return the size of the output in cells: an int if all arguments are, else (H_out, W_out).

    See `WindowGeometry` for the formula.

    Raises
    ------
    ConvkitError
        If a number is impossible, or the kernel is larger than the padded input.

    Examples
    --------
    >>> output_size((6, 8), (1, 2))
    (6, 7)
    >>> output_size(5, 3, padding=1, stride=2)
    3
    """
    given = input_size, kernel_size, padding, stride, dilation
    size = WindowGeometry(*given).output_size
    if any(isinstance(value, Sequence) for value in given):
        return size
    return size[0]


def _geometry(
    X: Tensor,
    kernel_size: Pair,
    window: str,
    *,
    padding: Pair,
    stride: Pair,
    dilation: Pair = 1,
) -> WindowGeometry:
    """Return the geometry of an operation on `X`, refusing one that would fill the memory.

    `window` says in the names of the operation's arguments how large the window is.
    """
    try:
        geometry = WindowGeometry(tuple(X.shape), kernel_size, padding, stride, dilation)
    except _WindowTooLarge as error:
        given = f"{window} on X of shape {tuple(X.shape)} with padding {padding}"
        raise ConvkitError(given, error.expected, error.hint) from error
    if math.prod(geometry.padded_size) > MAX_CELLS:
        height, width = geometry.padded_size
        raise ConvkitError(
            f"X of shape {tuple(X.shape)} with padding {padding} has {height} × {width} cells",
            f"at most {MAX_CELLS} cells, padding included",
            "Use less padding, or a smaller picture.",
        )
    return geometry


def _kernel_geometry(
    X: Tensor, K: Tensor, *, padding: Pair, stride: Pair, dilation: Pair
) -> WindowGeometry:
    size = tuple(K.shape)
    window = f"the kernel of shape {size} with dilation {brief_repr(dilation)}"
    return _geometry(X, size, window, padding=padding, stride=stride, dilation=dilation)


# Operations


def pad2d(X: Tensor, padding: Pair, mode: str = "zeros") -> Tensor:
    """Pad the last two axes of `X` on all four sides.

    Parameters
    ----------
    X : Tensor
        A float tensor of shape (..., H, W).
    padding : int or (h, w)
        Cells per side: at most H - 1 and W - 1 for "reflect", H and W for "circular".
    mode : str
        One of `PADDING_MODES`, the names of `torch.nn.Conv2d`.

    Returns
    -------
    Tensor
        Shape (..., H + 2 padding, W + 2 padding).

    Raises
    ------
    ConvkitError
        If the mode does not exist, or `padding` is too large for it.

    Examples
    --------
    >>> pad2d(torch.tensor([[1.0, 2.0, 3.0]]), (0, 1), mode="reflect")
    tensor([[2., 1., 2., 3., 2.]])
    """
    check_choice("padding_mode", mode, PADDING_MODES)
    check_array("X", X.flatten(0, -2) if check_dense("X", X).ndim > 2 else X)
    height, width = X.shape[-2:]
    ph, pw = to_pair("padding", padding)
    spare = {"reflect": 1, "circular": 0}
    if mode in spare and (ph > height - spare[mode] or pw > width - spare[mode]):
        raise ConvkitError(
            f"padding is {padding} for an input of shape {(height, width)}",
            f"at most {(height - spare[mode], width - spare[mode])} in mode {mode!r}",
            "Pad less, or use another mode.",
        )
    amounts = (pw, pw, ph, ph)
    if mode == "zeros":
        return F.pad(X, amounts)
    padded = F.pad(X.reshape(1, -1, height, width), amounts, mode=mode)
    return padded.reshape(*X.shape[:-2], height + 2 * ph, width + 2 * pw)


def corr2d(
    X: Tensor,
    K: Tensor,
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
    padding_mode: str = "zeros",
) -> Tensor:
    """Cross-correlate picture `X` with kernel `K`: what deep learning calls convolution (D2L 7.2).

    Parameters
    ----------
    X, K : Tensor
        Input (H, W) and kernel (kH, kW), of one float dtype.
    padding, stride, dilation : int or (h, w)
        As in `torch.nn.functional.conv2d`.
    padding_mode : str
        What the padding holds: one of `PADDING_MODES`.

    Returns
    -------
    Tensor
        Shape (H_out, W_out); see `output_size`.

    Raises
    ------
    ConvkitError
        If a shape, dtype or size cannot work.

    Examples
    --------
    >>> X = torch.arange(9.0).reshape(3, 3)
    >>> K = torch.arange(4.0).reshape(2, 2)
    >>> corr2d(X, K)
    tensor([[19., 25.],
            [37., 43.]])
    """
    check_same_kind(X=X, K=K)
    g = _kernel_geometry(X, K, padding=padding, stride=stride, dilation=dilation)
    check_choice("padding_mode", padding_mode, PADDING_MODES)
    margin = g.padding
    if padding_mode != "zeros":
        X = pad2d(X, margin, padding_mode)
        margin = (0, 0)
    # Autograd cannot use what was made in inference mode, but it can use a copy.
    X, K = (A.clone() if A.is_inference() else A for A in (X, K))
    dtype = X.dtype
    if dtype == torch.float16:  # torch's own kernel for it crashes on some shapes
        X, K = X.float(), K.float()
    Y = F.conv2d(X[None, None], K[None, None], None, g.stride, margin, g.dilation)
    return Y[0, 0].to(dtype)


def convolve2d(
    X: Tensor,
    K: Tensor,
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
    padding_mode: str = "zeros",
) -> Tensor:
    """Convolve `X` with `K` in the mathematical sense: `corr2d` with `K` flipped in both axes.

    Parameters, shapes and errors are those of `corr2d`. Mind the name: `torch.nn.functional.conv2d`
    does not flip.

    Examples
    --------
    >>> X = torch.arange(9.0).reshape(3, 3)
    >>> K = torch.arange(4.0).reshape(2, 2)
    >>> convolve2d(X, K)
    tensor([[ 5., 11.],
            [23., 29.]])
    """
    flipped = check_array("K", K).flip(0, 1)
    return corr2d(
        X,
        flipped,
        padding=padding,
        stride=stride,
        dilation=dilation,
        padding_mode=padding_mode,
    )


def window(
    X: Tensor,
    K: Tensor,
    i: int,
    j: int,
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
    padding_mode: str = "zeros",
) -> Tensor:
    """Return the patch of the padded `X` that output cell (i, j) sees, of `K`'s shape (kH, kW).

    ``(window(X, K, i, j) * K).sum() == corr2d(X, K)[i, j]``, with the same keywords in both.

    Raises
    ------
    ConvkitError
        As `corr2d` does, and if the output has no cell (i, j), counted from 0.

    Examples
    --------
    >>> X = torch.arange(9.0).reshape(3, 3)
    >>> window(X, torch.zeros(2, 2), 0, 1)
    tensor([[1., 2.],
            [4., 5.]])
    """
    check_same_kind(X=X, K=K)
    g = _kernel_geometry(X, K, padding=padding, stride=stride, dilation=dilation)
    row, column = _output_cell(i, j, g.output_size)
    padded = pad2d(X, g.padding, padding_mode)
    ph, pw = g.padding
    rows, columns = g.rows(row), g.columns(column)
    part = padded[ph + rows.start : ph + rows.stop, pw + columns.start : pw + columns.stop]
    return part[:: rows.step, :: columns.step].clone()


def _output_cell(i: Any, j: Any, size: tuple[int, int]) -> tuple[int, int]:
    row, column = as_integer(i), as_integer(j)
    height, width = size
    if row is None or column is None or not (0 <= row < height and 0 <= column < width):
        raise ConvkitError(
            f"output cell ({brief_repr(i)}, {brief_repr(j)})",
            f"whole numbers, i from 0 to {height - 1} and j from 0 to {width - 1}",
            "Rows and columns count from 0.",
        )
    return row, column


def pool2d(
    X: Tensor, pool_size: Pair, mode: str = "max", *, padding: Pair = 0, stride: Pair = 1
) -> Tensor:
    """Slide a window over `X` and keep its maximum or its average (D2L 7.5).

    Parameters
    ----------
    X : Tensor
        A picture (H, W).
    pool_size : int or (h, w)
        Cells of the window.
    mode : "max" or "avg"
        What is kept of each window.
    padding : int or (h, w)
        Cells per side, at most half of `pool_size`; they never win a maximum and count as zeros in
        an average, as in PyTorch.
    stride : int or (h, w)
        1 by default, as in D2L's function; `torch.nn.MaxPool2d` defaults to the window's size.

    Returns
    -------
    Tensor
        Shape (H_out, W_out); see `output_size`.

    Raises
    ------
    ConvkitError
        If `mode` is another one, a size cannot work, or `padding` is more than half the window.

    Examples
    --------
    >>> X = torch.arange(9.0).reshape(3, 3)
    >>> pool2d(X, 2)
    tensor([[4., 5.],
            [7., 8.]])
    """
    check_array("X", X)
    check_choice("mode", mode, ("max", "avg"))
    size = _checked_pool_size(X, pool_size, padding)
    g = _geometry(X, size, f"pool_size {pool_size}", padding=padding, stride=stride)
    pool = F.max_pool2d if mode == "max" else F.avg_pool2d
    return pool(X[None, None], size, g.stride, g.padding)[0, 0]


def _checked_pool_size(X: Tensor, pool_size: Pair, padding: Pair) -> tuple[int, int]:
    """Return `pool_size` as a pair, refusing one too large for `X` or too small for `padding`."""
    h, w = to_pair("pool_size", pool_size, 1)
    ph, pw = to_pair("padding", padding)
    if 2 * ph > h or 2 * pw > w:
        given = f"padding is {padding} for pool_size {pool_size}"
        most = (h // 2, w // 2)
        raise ConvkitError(given, f"at most {most}, half of it", f"Write padding={most}, or less.")
    height, width = X.shape[0] + 2 * ph, X.shape[1] + 2 * pw
    if h > height or w > width:
        given = f"pool_size is {pool_size} for X of shape {tuple(X.shape)} with padding {padding}"
        hint = f"Write pool_size={(min(h, height), min(w, width))}, or less."
        raise ConvkitError(given, f"at most {(height, width)}, the size of the padded X", hint)
    return h, w


def patches(
    X: Tensor,
    kernel_size: Pair,
    *,
    padding: Pair = 0,
    stride: Pair = 1,
    dilation: Pair = 1,
) -> Tensor:
    """Return all windows as the rows of a matrix, so that a correlation is a matrix product.

    ``patches(X, K.shape) @ K.flatten() == corr2d(X, K).flatten()``, up to rounding.

    Parameters
    ----------
    X : Tensor
        A picture (H, W), padded with zeros.
    kernel_size, padding, stride, dilation : int or (h, w)
        As in `corr2d`.

    Returns
    -------
    Tensor
        Shape (H_out * W_out, kH * kW): row r is the window of the r-th output cell, both in
        reading order.

    Raises
    ------
    ConvkitError
        If a shape, dtype or size cannot work.

    Examples
    --------
    >>> patches(torch.arange(6.0).reshape(2, 3), (1, 2))
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    check_array("X", X)
    size = f"kernel_size {brief_repr(kernel_size)} with dilation {brief_repr(dilation)}"
    g = _geometry(X, kernel_size, size, padding=padding, stride=stride, dilation=dilation)
    windows, weights = math.prod(g.output_size), math.prod(g.kernel_size)
    if max(windows, weights) * weights > MAX_CELLS:
        raise ConvkitError(
            f"kernel_size {kernel_size} has {weights} weights, and X {windows} windows",
            f"at most {MAX_CELLS} numbers in all windows, and weights squared",
            "Use a smaller kernel or picture.",
        )
    columns = F.unfold(X[None, None], g.kernel_size, g.dilation, g.padding, g.stride)
    return columns[0].T
