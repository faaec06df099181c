"""How numbers become colours on a canvas or in a cell: grey, signed, or by magnitude."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from convkit import formatting
from convkit.formatting import minus
from convkit.views.html import COLOURS, grey_classes, ink, signed_classes, tint

TOP = 254
"""The palette index of the last shade; the one after it marks a difference."""
MARKED = 255


@dataclass(frozen=True)
class Scale:
    """A colour for each number from `low` to `high`; what lies outside has the nearer end's.

    Attributes
    ----------
    look : {"grey", "signed", "magnitude"}
        From black to white; from blue over white to red; or the absolute value from white to
        black.
    low, high : float
        The ends of the colour key; -high to high for "signed", 0 to high for "magnitude".

    Examples
    --------
    >>> scale = Scale("signed", -2, 2)
    >>> list(scale.indices(torch.tensor([[-2.0, 0.0, 9.0]])))
    [0, 127, 254]
    """

    look: str
    low: float
    high: float

    def indices(self, values: Tensor, mark: Tensor | None = None) -> bytes:
        """Return one byte per value of a (H, W) tensor, in reading order: an index into `palette`.

        Where the bool tensor `mark`, (H, W), is true the index is that of a difference, 255.

        Examples
        --------
        >>> list(Scale("grey", 0, 1).indices(torch.tensor([[0.0, 0.5, 1.0]])))
        [0, 127, 254]
        """
        values = values.detach().double()  # half precision cannot tell 255 shades apart
        if self.look == "magnitude":
            values = values.abs()
        shares = (values - self.low) / (self.high - self.low)
        indices = (shares * TOP).clamp(0, TOP).round().to(torch.uint8)
        if mark is not None:
            indices.masked_fill_(mark, MARKED)
        return indices.numpy().tobytes()

    def classes(self, values: Tensor) -> list[list[str]]:
        """Return the CSS class of each cell of a (H, W) tensor, for tables in HTML.

        Examples
        --------
        >>> Scale("magnitude", 0, 2).classes(torch.tensor([[-2.0, 0.0, 1.0]]))
        [['g0', 'g20', 'g10']]
        """
        if self.look == "signed":
            return signed_classes(values, self.high)
        if self.look == "magnitude":
            return grey_classes(values.abs(), self.high, self.low)
        return grey_classes(values, self.low, self.high)

    @property
    def palette(self) -> bytes:
        """256 colours of four bytes: red, green, blue, alpha."""
        return _palette(self.look)[0]

    @property
    def inks(self) -> bytes:
        """For each colour of `palette`, 1 if text on it is white, 0 if it is black."""
        return _palette(self.look)[1]

    def key(self) -> str:
        """Return the colour key, as HTML.

        Examples
        --------
        >>> Scale("grey", 0, 1).key()
        '<div class="ck-key"><span>0</span><i style=...> to </i><span>1</span></div>'
        """
        stops = ", ".join(_shades(self.look)[:: TOP // 10])
        bar = f'<i style="background:linear-gradient(90deg, {stops})"> to </i>'
        low, high = formatting.number(self.low), formatting.number(self.high)
        return f'<div class="ck-key"><span>{minus(low)}</span>{bar}<span>{high}</span></div>'


@cache
def _shades(look: str) -> list[str]:
    """Return the colours of a look from its low to its high end."""
    if look == "signed":
        return [tint(2 * k / TOP - 1) for k in range(TOP + 1)]
    levels = range(TOP + 1) if look == "grey" else range(TOP, -1, -1)
    return [f"#{round(255 * k / TOP):02x}" + 2 * f"{round(255 * k / TOP):02x}" for k in levels]


@cache
def _palette(look: str) -> tuple[bytes, bytes]:
    colours = [*_shades(look), COLOURS["difference"]]
    rgba = b"".join([bytes.fromhex(f"{colour[1:]}ff") for colour in colours])
    return rgba, bytes([ink(colour) == "#ffffff" for colour in colours])
