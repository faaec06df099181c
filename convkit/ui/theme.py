"""Colours: of things, of numbers, and the custom properties that style sheets use."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from markupsafe import Markup
from torch import Tensor

from convkit import formatting
from convkit.formatting import minus

COLOURS = {
    "input": "#3a9bd9",
    "kernel": "#e69f00",
    "output": "#009e73",
    "target": "#c0589c",
    "path": "#d98200",
    "gradient": "#7a5fb5",
    "residual": "#888888",
    "difference": "#d5008f",
    "refused": "#b3400a",
}
"""The colour of each thing, the same in tables, pictures, plots and controls."""
DARK_COLOURS = {"gradient": "#a893dc", "refused": "#ff8b55"}
"""Replacements for those of `COLOURS` that cannot be read on a dark page."""
PROPERTIES = {
    "brand": "var(--jp-brand-color1, #1976d2)",
    "ink": "var(--jp-content-font-color1, var(--vscode-editor-foreground, #222))",
    "soft": "var(--jp-content-font-color2, var(--vscode-descriptionForeground, #616161))",
    "paper": "var(--jp-layout-color0, var(--vscode-editor-background, #fff))",
    "well": "var(--jp-layout-color1, var(--vscode-editor-background, #fff))",
    "line": "var(--jp-border-color1, #bdbdbd)",
    "hair": "var(--jp-border-color2, #e0e0e0)",
    "wash": "rgba(128, 128, 128, .12)",
    "grid": "rgba(128, 128, 128, .5)",
    "mono": "var(--jp-code-font-family, ui-monospace, monospace)",
    "sans": "var(--jp-content-font-family, system-ui, sans-serif)",
}
"""The colours of the page, and the faces of its text: JupyterLab's theme, or else VS Code's."""
SIGNED_STOPS = (
    "053061",
    "2166ac",
    "4393c3",
    "92c5de",
    "d1e5f0",
    "f7f7f7",
    "fddbc7",
    "f4a582",
    "d6604d",
    "b2182b",
    "67001f",
)
"""ColorBrewer's RdBu from blue to red, the stops of matplotlib's RdBu_r."""
LEVELS = 20
"""Cells have this many colours from white to red, from white to blue, and from black to white."""
TOP = 254
"""The palette index of the last shade of a picture; the one after it marks a difference."""
MARKED = 255
LOOKS = ("grey", "signed", "magnitude")
"""How numbers become colours; see `Scale`."""


def _properties(values: Mapping[str, str]) -> str:
    return "".join([f"--ck-{name}:{value};" for name, value in values.items()])


def tint(level: float) -> str:
    """Return the colour of a signed level: from -1 (blue) over 0 (white) to 1 (red).

    Levels outside -1 to 1 have the colour of the nearer end.

    Examples
    --------
    >>> tint(-1), tint(0), tint(5)
    ('#053061', '#f7f7f7', '#67001f')
    """
    position = (min(max(level, -1.0), 1.0) + 1) / 2 * (len(SIGNED_STOPS) - 1)
    k = min(int(position), len(SIGNED_STOPS) - 2)
    low, high = bytes.fromhex(SIGNED_STOPS[k]), bytes.fromhex(SIGNED_STOPS[k + 1])
    share = position - k
    mixed = [round(a + (b - a) * share) for a, b in zip(low, high, strict=True)]
    return "#" + bytes(mixed).hex()


def grey(level: float) -> str:
    """Return the colour of a level from 0 (black) to 1 (white).

    Examples
    --------
    >>> grey(0), grey(1)
    ('#000000', '#ffffff')
    """
    return "#" + 3 * f"{round(255 * level):02x}"


def ink(background: str) -> str:
    """Return black or white, whichever contrasts more with a colour (WCAG 2.2).

    Examples
    --------
    >>> ink("#f7f7f7"), ink("#053061")
    ('#000000', '#ffffff')
    """
    channels = [channel / 255 for channel in bytes.fromhex(background[1:])]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#000000" if luminance > 0.1791 else "#ffffff"


@dataclass(frozen=True)
class Scale:
    """A colour for each number from `low` to `high`; what lies outside has the nearer end's.

    Attributes
    ----------
    look : {"grey", "signed", "magnitude"}
        From black to white; from blue over white to red; or the absolute value, as grey.
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

    @classmethod
    def fitted(cls, values: Tensor) -> Scale:
        """Return the scale that suits some values: signed where one is negative, else grey.

        Examples
        --------
        >>> Scale.fitted(torch.tensor([[-1.0, 0.1]]))
        Scale(look='signed', low=-2.0, high=2.0)
        """
        finite = _finite(values)
        low, high = (bound.item() for bound in finite.aminmax())
        if low < 0:
            return cls.signed(finite)
        return cls("grey", 0.0, max(1.0, high))

    @classmethod
    def signed(cls, values: Tensor) -> Scale:
        """Return the diverging scale, centred on 0, that holds some values.

        Examples
        --------
        >>> Scale.signed(torch.tensor([[0.0, 0.9]])).high
        2.0
        """
        return cls.centred(formatting.colour_limit(_finite(values)))

    @classmethod
    def centred(cls, limit: float) -> Scale:
        """Return the diverging scale from -limit to limit.

        Examples
        --------
        >>> Scale.centred(2)
        Scale(look='signed', low=-2, high=2)
        """
        return cls("signed", -limit, limit)

    def indices(self, values: Tensor, mark: Tensor | None = None) -> bytes:
        """Return one byte per value of a tensor, in reading order: an index into `palette`.

        Where the bool tensor `mark`, of its shape, is true the index is that of a difference, 255.

        Examples
        --------
        >>> list(Scale("grey", 0, 1).indices(torch.tensor([[0.0, 0.5, 1.0]])))
        [0, 127, 254]
        """
        indices = (self._shares(values) * TOP).round().to(torch.uint8)
        if mark is not None:
            indices.masked_fill_(mark, MARKED)
        return indices.numpy().tobytes()

    def channels(self, colours: Tensor) -> bytes:
        """Return three bytes for each pixel of a (3, H, W) tensor, in reading order.

        Examples
        --------
        >>> list(Scale("grey", 0, 1).channels(torch.tensor([1.0, 0.2, 0.0]).reshape(3, 1, 1)))
        [255, 51, 0]
        """
        levels = (self._shares(colours) * 255).round().to(torch.uint8)
        return levels.movedim(0, 2).contiguous().numpy().tobytes()

    def classes(self, values: Tensor) -> list[str]:
        """Return the CSS class of each value of a tensor of any shape, in reading order.

        Examples
        --------
        >>> Scale("magnitude", 0, 2).classes(torch.tensor([[-2.0, 0.0, 1.0]]))
        ['g20', 'g0', 'g10']
        """
        if self.look == "signed":
            return _classes("t", (values.detach().double() / self.high).clamp(-1, 1))
        return _classes("g", self._shares(values))

    def _shares(self, values: Tensor) -> Tensor:
        """Return where values lie, from 0 at the low end to 1 at the high one."""
        values = values.detach().double()  # half precision cannot tell 255 shades apart
        if self.look == "magnitude":
            values = values.abs()
        return ((values - self.low) / (self.high - self.low)).nan_to_num(0).clamp(0, 1)

    @property
    def palette(self) -> bytes:
        """256 colours of four bytes: red, green, blue, alpha."""
        return _palette(self.look)

    def colour_key(self) -> Markup:
        """Return the colour key, as HTML.

        Examples
        --------
        >>> Scale("grey", 0, 1).colour_key()
        Markup('<div class="ck-key"><span>0</span><i style=...> to </i><span>1</span></div>')
        """
        stops = SIGNED_STOPS if self.look == "signed" else ("000000", "ffffff")
        bar = f'<i style="--bar:linear-gradient(90deg,#{",#".join(stops)})"> to </i>'
        low, high = minus(formatting.number(self.low)), formatting.number(self.high)
        return Markup(f'<div class="ck-key"><span>{low}</span>{bar}<span>{high}</span></div>')


def _finite(values: Tensor) -> Tensor:
    """Return the finite ones of some values, or a 0."""
    finite = values.detach()[values.detach().isfinite()]
    return finite if finite.numel() else values.new_zeros(1)


def _classes(prefix: str, levels: Tensor) -> list[str]:
    steps = (levels * LEVELS).nan_to_num(0).round().int()
    return [f"{prefix}{n}" for n in steps.flatten().tolist()]


@cache
def _shades(look: str) -> Sequence[str]:
    """Return the colours of a look from its low to its high end."""
    if look == "signed":
        return [tint(2 * k / TOP - 1) for k in range(TOP + 1)]
    return [grey(k / TOP) for k in range(TOP + 1)]


@cache
def _palette(look: str) -> bytes:
    colours = [*_shades(look), COLOURS["difference"]]
    return b"".join([bytes.fromhex(f"{colour[1:]}ff") for colour in colours])


def level_rules(names: Collection[str] | None = None) -> str:
    """Return the CSS of classes that `Scale.classes` names, of all or of some, for cells and boxes.

    Examples
    --------
    >>> level_rules({"t-20"})
    '.ck-view .t-20{background:#053061;color:#fff}'
    """
    shades = {f"t{n}": tint(n / LEVELS) for n in range(-LEVELS, LEVELS + 1)}
    shades |= {f"g{n}": grey(n / LEVELS) for n in range(LEVELS + 1)}
    shown = {k: c for k, c in shades.items() if names is None or k in names}
    return "".join(
        [f".ck-view .{k}{{background:{c};color:{ink(c)[:4]}}}" for k, c in shown.items()]
    )


def theme_rules(rules: str | None = None) -> str:
    """Return the CSS of the custom properties, with a variant for JupyterLab's dark theme.

    Parameters
    ----------
    rules : str, optional
        CSS whose properties alone are wanted.

    Examples
    --------
    >>> theme_rules("color: var(--ck-refused)")
    '.ck-view{--ck-refused:#b3400a;}.ck-view:is([data-jp-theme-light="false"] *){--ck-ref...;}'
    """
    light, dark = (
        {k: v for k, v in values.items() if rules is None or f"var(--ck-{k})" in rules}
        for values in (COLOURS | PROPERTIES, DARK_COLOURS)
    )
    is_dark = '.ck-view:is([data-jp-theme-light="false"] *)'
    return f".ck-view{{{_properties(light)}}}{is_dark}{{{_properties(dark)}}}"
