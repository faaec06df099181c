"""Tables of numbers in colour, as HTML: what the lens and the panels are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from torch import Tensor

from convkit import formatting

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
"""What of `COLOURS` would be too dark to read on a dark page, and what stands for it there."""
SIZES = {
    "panel-width": "900px",
    "plot-width": "440px",
    "plot-height": "300px",
    "picture-side": "270px",
    "thumbnail-side": "128px",
    "text-size": "13px",
    "small-text-size": "12px",
    "tiny-text-size": "11px",
    "radius": "3px",
}
FACES = {
    "mono": "var(--jp-code-font-family, ui-monospace, monospace)",
    "sans": "var(--jp-content-font-family, system-ui, sans-serif)",
    "ink": "var(--jp-content-font-color1, currentColor)",
    "paper": "var(--jp-layout-color1, Canvas)",
    "shade": "var(--jp-layout-color2, rgba(128, 128, 128, .12))",
    "line": "rgba(128, 128, 128, .5)",
}


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
"""CSS custom properties, such as ``--ck-input``, for everything of class ck-lens, ck-panel, ck-part."""

# ColorBrewer's RdBu, blue for negative: the same stops as matplotlib's RdBu_r.
STOPS = [
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
]
TINTS = 20


def tint(level: float) -> str:
    """Return the colour of `level`, from -1 (blue) over 0 (white) to 1 (red), as "#rrggbb"."""
    place = (min(max(level, -1.0), 1.0) + 1) / 2 * (len(STOPS) - 1)
    k = min(int(place), len(STOPS) - 2)
    low, high = bytes.fromhex(STOPS[k]), bytes.fromhex(STOPS[k + 1])
    mixed = (round(a + (b - a) * (place - k)) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def colours(name: str) -> str:
    """Return the CSS of a cell class: "t-20" (blue) to "t20" (red), "g0" (black) to "g20"."""
    n = int(name[1:])
    if name[0] == "t":
        white = n < -0.7 * TINTS or n > 0.65 * TINTS
        return f"background:{tint(n / TINTS)};color:{'#fff' if white else '#000'}"
    grey = f"{round(255 * n / TINTS):02x}" * 3
    return f"background:#{grey};color:{'#fff' if n < TINTS / 2 else '#000'}"


def colour_rules() -> str:
    """Return the CSS of all classes that `tint_class` and `grey_class` name."""
    names = [f"t{n}" for n in range(-TINTS, TINTS + 1)] + [f"g{n}" for n in range(TINTS + 1)]
    return "".join(f".ck-lens td.{name}{{{colours(name)}}}" for name in names)


def grey_class(value: float, low: float, high: float) -> str:
    """Return the class of an input cell: black at `low`, white at `high`."""
    return f"g{round(TINTS * min(max((value - low) / (high - low), 0), 1))}"


def tint_class(value: float, limit: float) -> str:
    """Return the class of a signed cell: blue at -`limit`, white at 0, red at `limit`."""
    return f"t{round(TINTS * min(max(value / limit, -1), 1))}"


def table(
    values: Tensor,
    classes: Sequence[Sequence[str]],
    *,
    write: Callable[[float], str] = formatting.number,
    inside: Sequence[Sequence[str]] | None = None,
    attributes: str = "",
) -> str:
    """Return an HTML table of a (H, W) tensor, a class and optional extra HTML for each cell."""
    rows = []
    for i, row in enumerate(values.tolist()):
        cells = (
            f'<td class="{classes[i][j]} c{j}"{attributes}>{write(x)}'
            f"{inside[i][j] if inside else ''}</td>"
            for j, x in enumerate(row)
        )
        rows.append(f'<tr class="r{i}">{"".join(cells)}</tr>')
    return f'<table class="ck-t"><tbody>{"".join(rows)}</tbody></table>'


def signed_table(
    values: Tensor,
    limit: float | None = None,
    *,
    write: Callable[[float], str] = formatting.number,
    font: int = 13,
    chars: int = 0,
) -> str:
    """Return a table of signed values in the diverging colours.

    Cells are wide enough for the longest number, and for `chars` characters of `font` pixels.
    """
    limit = limit or formatting.colour_limit(values)
    classes = [[tint_class(x, limit) for x in row] for row in values.tolist()]
    longest = max(chars, *(len(write(x)) for x in values.flatten().tolist()))
    body = table(values, classes, write=write)
    return f'<div class="ck-frame" style="{cell_size(longest, font)}">{body}</div>'


def colour_key(limit: float) -> str:
    """Return the key of the diverging colours, from -`limit` over 0 to `limit`."""
    stops = ", ".join(f"#{stop}" for stop in STOPS)
    bar = f'<i style="background:linear-gradient(90deg, {stops})"></i>'
    low, high = formatting.number(-limit), formatting.number(limit)
    return f'<div class="ck-key"><span>{low}</span>{bar}<span>{high}</span></div>'


def figure(kind: str, title: str, body: str) -> str:
    """Return a captioned table of `kind` X, K, Y or T, which gives it its colour."""
    return f'<figure class="ck-{kind}"><figcaption>{escape(title)}</figcaption>{body}</figure>'


def cell_size(chars: int, font: int) -> str:
    """Return the CSS of cells that hold `chars` characters of `font` pixels."""
    width = max(2 * font + 4, round(chars * font * 0.61 + (8 if font > 10 else 7)))
    return f"--ck-f:{font}px;--ck-w:{width}px;--ck-h:{font * 2 + 4}px"


def fitting_font(chars: int, columns: int) -> int:
    """Return the font size, in pixels, at which `columns` of such cells share 840 pixels."""
    return next((f for f in (13, 12, 11, 10) if columns * (chars * f * 0.61 + 8) < 840), 9)
