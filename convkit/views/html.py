"""Tables of numbers in colour, as HTML, and the theme of everything that convkit shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from torch import Tensor

COLOURS = {
    "input": "#3a9bd9",
    "kernel": "#e69f00",
    "output": "#009e73",
    "target": "#c0589c",
    "path": "#d98200",
    "gradient": "#7a5fb5",
    "difference": "#d5008f",
    "refused": "#b3400a",
}
"""The colour of each thing, the same in tables, pictures, plots and controls."""
DARK_COLOURS = {"gradient": "#a893dc", "refused": "#ff8b55"}
"""Replacements for those of `COLOURS` that cannot be read on a dark page."""
SIZES = {
    "panel-width": "900px",
    "text-size": "13px",
    "tiny-text-size": "11px",
}
FACES = {
    "mono": "var(--jp-code-font-family, ui-monospace, monospace)",
    "sans": "var(--jp-content-font-family, system-ui, sans-serif)",
    "ink": "var(--jp-content-font-color1, currentColor)",
    "line": "rgba(128, 128, 128, .5)",
    "focus": "var(--jp-brand-color1, #1976d2)",
}
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
LENS_LIMIT = 16
"""The most rows or columns, padding included, that a lens shows."""
CSS_COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)

Rows = Sequence[Sequence[str]]


def _properties(values: Mapping[str, str]) -> str:
    """Return CSS custom properties: "--ck-input:#3a9bd9;" and so on."""
    return "".join([f"--ck-{name}:{value};" for name, value in values.items()])


def _theme() -> str:
    """Return the rules that set the custom properties, with a variant for JupyterLab's dark theme.

    Each selector starts with a class of convkit's, so that a stored output cannot restyle a page.
    """
    roots = (".ck-lens", ".ck-panel", ".ck-part")
    dark = [f'{root}:is([data-jp-theme-light="false"] *)' for root in roots]
    light_rule = f"{','.join(roots)}{{{_properties(COLOURS | SIZES | FACES)}}}"
    return f"{light_rule}{','.join(dark)}{{{_properties(DARK_COLOURS)}}}"


THEME = _theme()
"""CSS custom properties such as ``--ck-input``, set on classes ck-lens, ck-panel and ck-part."""


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


def _signed_rule(n: int) -> str:
    """Return the CSS of a signed cell of level n, from -LEVELS to LEVELS."""
    dark = n < -0.7 * LEVELS or n > 0.65 * LEVELS
    ink = "#fff" if dark else "#000"
    return f".ck-lens td.t{n}{{background:{tint(n / LEVELS)};color:{ink}}}"


def _grey_rule(n: int) -> str:
    """Return the CSS of an input cell of level n, from 0 (black) to LEVELS (white)."""
    grey = f"{round(255 * n / LEVELS):02x}" * 3
    ink = "#fff" if n < LEVELS / 2 else "#000"
    return f".ck-lens td.g{n}{{background:#{grey};color:{ink}}}"


def _colour_rules() -> str:
    """Return the CSS of all classes that `signed_classes` and `grey_classes` name."""
    signed = [_signed_rule(n) for n in range(-LEVELS, LEVELS + 1)]
    grey = [_grey_rule(n) for n in range(LEVELS + 1)]
    return "".join(signed + grey)


def _window_rules() -> str:
    """Return the rules that set ``--i`` and ``--j`` to the output cell chosen or pointed at.

    Those of the pointer come last, so that of two rules that match they win.
    """
    return "".join(
        f".ck-lens:has(.ck-Y .{axis}{n}{state}){{--{name}:{n}}}"
        for state in (" :checked", ":hover")
        for axis, name in (("r", "i"), ("c", "j"))
        for n in range(LENS_LIMIT)
    )


def _style() -> str:
    sheet = files("convkit.views").joinpath("lens.css").read_text("utf-8")
    return THEME + CSS_COMMENT.sub("", sheet) + _window_rules() + _colour_rules()


STYLE = _style()
"""All that tables, frames and a lens need; a page may hold it more than once."""


def _classes(prefix: str, levels: Tensor) -> list[list[str]]:
    return [[f"{prefix}{n}" for n in row] for row in levels.mul(LEVELS).round().int().tolist()]


def grey_classes(values: Tensor, low: float, high: float) -> list[list[str]]:
    """Return the CSS class of each cell of a (H, W) tensor: black at `low`, white at `high`.

    Examples
    --------
    >>> import torch
    >>> grey_classes(torch.tensor([[-2.0, 0.0, 2.0, 9.0]]), -2, 2)
    [['g0', 'g10', 'g20', 'g20']]
    """
    return _classes("g", ((values.detach().double() - low) / (high - low)).clamp(0, 1))


def signed_classes(values: Tensor, limit: float) -> list[list[str]]:
    """Return the CSS class of each cell of a (H, W) tensor: blue at -`limit`, red at `limit`.

    Examples
    --------
    >>> import torch
    >>> signed_classes(torch.tensor([[-2.0, 0.0, 1.0]]), 2)
    [['t-20', 't0', 't10']]
    """
    return _classes("t", (values.detach().double() / limit).clamp(-1, 1))


def cells(texts: Rows, classes: Rows) -> list[list[str]]:
    """Return the ``<td>`` of each cell, given its HTML and its class, with a class per column.

    Examples
    --------
    >>> cells([["1", "2"]], [["g20", "t0"]])
    [['<td class="g20 c0">1</td>', '<td class="t0 c1">2</td>']]
    """
    rows = []
    for row_texts, row_classes in zip(texts, classes, strict=True):
        pairs = enumerate(zip(row_texts, row_classes, strict=True))
        rows.append([f'<td class="{name} c{j}">{text}</td>' for j, (text, name) in pairs])
    return rows


def table(rows: Rows) -> str:
    """Return an HTML table of cells as `cells` returns them, with a class per row."""
    lines = [f'<tr class="r{i}">{"".join(row)}</tr>' for i, row in enumerate(rows)]
    return f'<table class="ck-t" role="table"><tbody>{"".join(lines)}</tbody></table>'


def longest(*grids: Rows) -> int:
    """Return the length of the longest text of some grids of texts.

    Examples
    --------
    >>> longest([["1", "-0.25"]], [["10"]])
    5
    """
    return max([len(text) for grid in grids for row in grid for text in row])


def frame(body: str, size: str) -> str:
    """Return a table, and what lies on it, in a box whose cells have a `size` from `cell_size`."""
    return f'<div class="ck-frame" style="{size}">{body}</div>'


def figure(kind: str, name: str, size: str, body: str) -> str:
    """Return a captioned part of `kind` X, K, Y, T or R, which gives it its colour.

    Examples
    --------
    >>> figure("X", "input", "6 × 8", "")
    '<figure class="ck-X"><figcaption><b>input X</b> 6 × 8</figcaption></figure>'
    """
    caption = f"<b>{name} {kind}</b> {escape(size)}"
    return f'<figure class="ck-{kind}"><figcaption>{caption}</figcaption>{body}</figure>'


def cell_size(chars: int, font: int = 13, height: int | None = None) -> str:
    """Return the CSS of cells that hold `chars` characters of `font` pixels, on one line."""
    margin = 8 if font > 10 else 7
    width = max(2 * font + 4, round(chars * font * 0.61 + margin))
    return f"--ck-f:{font}px;--ck-w:{width}px;--ck-h:{height or font * 2 + 4}px"


def fitting_font(chars: int, columns: int) -> int:
    """Return the font size, in pixels, at which `columns` of such cells share 840 pixels.

    Examples
    --------
    >>> fitting_font(3, 8), fitting_font(9, 30)
    (13, 9)
    """
    for font in (13, 12, 11, 10):
        if columns * (chars * font * 0.61 + 8) < 840:
            return font
    return 9
