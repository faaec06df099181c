"""What the training microscope draws: curves, bars, counts, and the picture that is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from markupsafe import Markup
from torch import Tensor

from convkit import formatting, ui
from convkit.panels._sheet import Sheet
from convkit.ui import Cursor, Node, Scale, tag

SIZE = (260, 130)
"""Units (width, height) of a curve."""
TOPS = {"loss": 3.0, "accuracy": 1.0}
"""The end of each curve's axis; larger losses are drawn there."""
TICKS: dict[str, dict[float, str]] = {
    "loss": {0: "0", 1: "1", 2: "2", 3: "3"},
    "accuracy": {0: "0", 0.5: "50%", 1: "100%"},
}
COLUMN, HEIGHT = 290, 316
"""CSS pixels of a snapshot on the stored picture, and of all."""


def curve(
    name: str, values: Sequence[float], step: Cursor, others: Sequence[Any], last: int
) -> Node:
    """Return the values at each snapshot, and grey lines for those of other runs."""
    lines = [_points(name, values)] + [_points(name, other) for other in others]
    drawn = [
        tag(
            "path", class_="ck-grid ck-other", d="M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in line)
        )
        for line in lines
    ]
    words = [
        tag("span", text, class_="ck-y", style=f"top:{100 - 100 * at / TOPS[name]:g}%")
        for at, text in TICKS[name].items()
    ]
    words += [
        tag("span", text, class_="ck-x", style=f"left:{at}%")
        for at, text in ((0, "step 0"), (100, str(last)))
    ]
    said = [formatting.number(value, 3) for value in values]
    if name == "accuracy":
        said = [f"{100 * value:.1f}%" for value in values]
    shown = ui.plot(
        name,
        SIZE,
        step,
        lines[0],
        shapes=Markup().join(drawn),
        words=Markup().join(words),
        notes=said,
    )
    return ui.titled(f"{name} on test digits", shown)


def _points(name: str, values: Sequence[float]) -> list[tuple[float, float]]:
    (width, height), last = SIZE, max(1, len(values) - 1)
    return [
        (width * n / last, height * (1 - min(value / TOPS[name], 1.0)))
        for n, value in enumerate(values)
    ]


def bars(probabilities: Tensor) -> Node:
    """Return a bar for each digit."""
    rows = [
        tag(
            "div",
            tag("b", str(k)),
            tag("i", style=f"--share:{p:.3f}"),
            tag("span", f"{p:.2f}"),
        )
        for k, p in enumerate(probabilities.tolist())
    ]
    best = int(probabilities.argmax())
    words = f"most likely {best}, probability {probabilities[best].item():.2f}"
    return ui.markup(tag("div", *rows, class_="ck-bars", role="img", aria_label=words), words)


def confusion(counts: Tensor) -> Node:
    """Return how often each digit is taken for each."""
    texts = [str(n) if n else "" for n in counts.flatten().tolist()]
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    classes = Scale.centred(1).classes(shares * (1 - 1.5 * torch.eye(10)))
    return ui.cells("confusion matrix", texts, classes, columns=10)


def training_sheet(result: Any) -> Sheet:
    """Draw the first, an early and the last snapshot, from left to right, in the same colours."""
    last = len(result.shown) - 1
    sheet = Sheet(3 * COLUMN, HEIGHT)
    weights = torch.cat([next(each.net.parameters()).detach() for each in result.shown])
    scales = [Scale.centred(formatting.colour_limit(weights))]
    scales += [greys(torch.stack([layers[k] for layers in result.seen])) for k in (1, 4)]
    for k, n in enumerate((0, last // 8, last)):
        _draw_snapshot(sheet, COLUMN * k + 2, result.shown[n], result.seen[n], scales)
    return sheet


def greys(maps: Tensor) -> Scale:
    """Return the scale of maps, none of which is negative."""
    return Scale("grey", 0, max(maps.max().item(), 1e-6))


def _draw_snapshot(
    sheet: Sheet, left: float, snapshot: Any, layers: list[Tensor], scales: Sequence[Scale]
) -> None:
    share = f"{100 * snapshot.accuracy:.0f}% of the test digits right"
    sheet.write(left, 16, f"step {snapshot.step}: {share}")
    kernels, first, second = snapshot.net[0].weight.detach()[:, 0], layers[1][0], layers[4][0]
    # Twice as many cells: the sheet writes numbers on fewer.
    fine = kernels.repeat_interleave(2, 1).repeat_interleave(2, 2)
    _draw_row(sheet, (left, 30), fine, scales[0], 40)
    _draw_row(sheet, (left, 78), first, scales[1], 40)
    _draw_row(sheet, (left, 126), second[:8], scales[2], 29)
    _draw_row(sheet, (left, 160), second[8:], scales[2], 29)
    for digit, p in enumerate(layers[-1][0].softmax(0).tolist()):
        top = 198 + 11 * digit
        sheet.write(left, top + 9, str(digit), 10)
        sheet.draw((left + 12, top, 1 + 200 * p, 8), torch.ones(1, 9), Scale("grey", 0, 2))


def _draw_row(
    sheet: Sheet, corner: tuple[float, float], maps: Tensor, scale: Scale, side: float
) -> None:
    """Draw maps side by side."""
    for k, values in enumerate(maps):
        sheet.draw((corner[0] + k * (side + 5), corner[1], side, side), values, scale, 0)
