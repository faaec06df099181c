"""What a KernelEditor is set to: an input, a kernel, and how the one slides over the other."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from convkit import images, ops, formatting
from convkit.errors import ConvkitError
from convkit.ops import Pair, pair

YOURS = "your own"
LARGEST_SIDE = 600
KEYWORDS = ("padding", "stride", "dilation")


def own(name: str, values: Tensor) -> Tensor:
    """Return a copy of a finite (H, W) tensor, which nobody else can change.

    Raises
    ------
    ConvkitError
        If it is not one; the message calls it `name`.
    """
    if not ops.check_array(name, values).isfinite().all():
        i, j = (~values.isfinite()).nonzero()[0].tolist()
        given = f"{name}[{i}, {j}] is {values[i, j].item()}"
        raise ConvkitError(given, "finite numbers", "Replace it by a number.")
    return values.detach().clone()


def identical(a: Tensor, b: Tensor) -> bool:
    """Return whether two tensors are the same to the bit, and of one dtype."""
    return a.dtype == b.dtype and torch.equal(a, b)


def code_of(X: Tensor, large: str) -> str:
    """Return code that makes a (H, W) tensor: a picture's name, its numbers, or `large`."""
    name = images.named_like(X)
    if name:
        return _named_code(name, X.dtype)
    return formatting.literal(X) if X.numel() <= 256 else large


def _named_code(name: str, dtype: torch.dtype) -> str:
    return images.picture_code(name) + ("" if dtype == torch.float32 else f".to({dtype})")


@dataclass(frozen=True, eq=False)
class Setting:
    """An input, a kernel, and how the one slides over the other.

    Attributes
    ----------
    X, K : Tensor
        Input (H, W) and kernel (kH, kW) of one float dtype.
    padding, stride, dilation : int or (h, w)
        As in `corr2d`; a pair of one number twice is that number.
    flip : bool
        Whether the operation is convolution, not cross-correlation.
    picture : str
        What the input is called; `YOURS` where it has no name.
    source : str or None
        Code that makes the input, where something shorter than its numbers does.

    Raises
    ------
    ConvkitError
        If a number or `flip` is of another kind; whether all fits together, `output` says.
    """

    X: Tensor
    K: Tensor
    padding: Pair = 0
    stride: Pair = 1
    dilation: Pair = 1
    flip: bool = False
    picture: str = YOURS
    source: str | None = None

    def __post_init__(self) -> None:
        for name in KEYWORDS:
            h, w = pair(name, getattr(self, name))
            object.__setattr__(self, name, h if h == w else (h, w))
        if not isinstance(self.flip, bool):
            raise ConvkitError(f"flip is {self.flip!r}", "True or False", "Choose one.")

    @classmethod
    def of(cls, X: Tensor, K: Tensor, **options: Pair | bool) -> Setting:
        """Return the setting of `X`, which is recognised where it is a named picture."""
        return cls(X, K, **options).with_input(X)

    def with_input(self, X: Tensor) -> Setting:
        """Return this setting on another input, with the kernel in the input's dtype."""
        X = own("X", X)
        name = images.named_like(X)
        known = (name, _named_code(name, X.dtype)) if name else (YOURS, None)
        return replace(self, X=X, K=self.K.to(X.dtype), picture=known[0], source=known[1])

    def with_file(self, name: str, data: bytes) -> Setting:
        """Return this setting on a picture file, scaled down to stay quick; see `open_image`."""
        X = images.open_image(data, size=LARGEST_SIDE)
        source = f"convkit.open_image({name!r}, size={LARGEST_SIDE})"
        return replace(self.with_input(X), picture=f"file {name}", source=source)

    @property
    def options(self) -> dict[str, Pair]:
        """The keywords of `corr2d`."""
        return {name: getattr(self, name) for name in KEYWORDS}

    def output(self) -> Tensor:
        """Return the output, (H_out, W_out).

        Raises
        ------
        ConvkitError
            If the kernel does not fit, or a value is too large for the dtype or the panel.
        """
        for name, value in self.options.items():
            if max(pair(name, value)) > LARGEST_SIDE:
                given, wanted = f"{name} is {value}", f"at most {LARGEST_SIDE}"
                raise ConvkitError(given, wanted, "No picture here has more rows or columns.")
        Y = (ops.convolve2d if self.flip else ops.corr2d)(self.X, self.K, **self.options)
        if not Y.isfinite().all():
            raise ConvkitError(
                f"the output of this kernel, up to {formatting.number(self.K.abs().max())}, overflows",
                f"output cells that {self.X.dtype} can hold",
                "Use smaller weights.",
            )
        return Y

    def same_as(self, other: Setting) -> bool:
        """Return whether nothing differs, to the bit."""
        tensors = ("X", "K")
        return all(
            identical(mine, theirs) if name in tensors else mine == theirs
            for name, mine, theirs in (
                (field.name, getattr(self, field.name), getattr(other, field.name))
                for field in fields(self)
            )
        )

    def size_sums(self) -> tuple[str, str]:
        """Return how the output's rows and columns are counted, in numbers."""
        numbers = zip(
            ("rows", "columns"),
            self.X.shape,
            self.K.shape,
            *(pair(name, value) for name, value in self.options.items()),
            strict=True,
        )
        rows, columns = (formatting.size_sum(*line) for line in numbers)
        return rows, columns

    def code(self) -> str:
        """Return torch code that computes exactly this output."""
        source = self.source or code_of(self.X, "panel.X  # write your variable's name for `panel`")
        return formatting.correlation_code(source, self.K, flip=self.flip, **self.options)
