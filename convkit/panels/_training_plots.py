"""What the training microscope draws: curves, bars, counts, and the picture that is stored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from markupsafe import Markup
from torch import Tensor

from convkit import formatting, ui
from convkit.networks import Snapshot
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
ROWS = "rows: what it is; columns: what it is taken for"
COLUMN, HEIGHT = 290, 316
"""CSS pixels of a snapshot on the stored picture, and of all."""


def told(snapshot: Snapshot) -> str:
    """Return how good the network is at a snapshot, and what it confuses most."""
    mistakes = snapshot.confusion.clone().fill_diagonal_(0)
    worst = mistakes.max().item()
    i, j = divmod(int(mistakes.argmax()), 10)
    said = f" It takes a {i} for a {j} most often, {worst} times." if worst else ""
    loss, count = formatting.number(snapshot.loss, 3), len(snapshot.predicted)
    right = f"{snapshot.accuracy:.1%} of {count} test digits right"
    return f"Step {snapshot.step}: loss {loss}, {right}.{said}"


def curve(name: str, runs: Sequence[Sequence[Snapshot]], step: Cursor, last: int) -> Node:
    """Return the loss or the accuracy at each snapshot of the first run, and of others in grey."""
    lines = [_points(name, run, last) for run in runs]
    paths = ["M" + "L".join([f"{x:.1f},{y:.1f}" for x, y in line]) for line in lines]
    drawn = [tag("path", class_="ck-grid ck-other", d=path) for path in paths]
    words = [
        tag("span", text, class_="ck-y", style=f"top:{100 - 100 * at / TOPS[name]:g}%")
        for at, text in TICKS[name].items()
    ]
    words += [
        tag("span", text, class_="ck-x", style=f"left:{at}%")
        for at, text in ((0, "step 0"), (100, str(last)))
    ]
    write = "{:.1%}".format if name == "accuracy" else partial(formatting.number, digits=3)
    shown = ui.plot(
        name,
        SIZE,
        step,
        lines[0],
        shapes=Markup().join(drawn),
        words=Markup().join(words),
        notes=[write(getattr(each, name)) for each in runs[0]],
    )
    return ui.titled(f"{name} on test digits", shown)


def _points(name: str, run: Sequence[Snapshot], last: int) -> list[tuple[float, float]]:
    (width, height), top = SIZE, TOPS[name]
    shares = [min(1.0, getattr(each, name) / top) for each in run]  # 1 also of what is no number
    return [
        (width * each.step / last, height * (1 - share))
        for each, share in zip(run, shares, strict=True)
    ]


def bars(probabilities: Tensor) -> Node:
    """Return a bar for each digit."""
    rows = [
        f'<div><b>{k}</b><i style="--share:{p:.3f}"></i><span>{p:.2f}</span></div>'
        for k, p in enumerate(probabilities.tolist())
    ]
    best = int(probabilities.argmax())
    words = f"most likely {best}, probability {probabilities[best].item():.2f}"
    inside = Markup("".join(rows))
    return ui.markup(tag("div", inside, class_="ck-bars", role="img", aria_label=words), words)


def confusion(counts: Tensor) -> Node:
    """Return how often each digit is taken for each."""
    texts = [str(n) if n else "" for n in counts.flatten().tolist()]
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    classes = Scale.centred(1).classes(shares * (1 - 1.5 * torch.eye(10)))
    return ui.cells("confusion matrix", texts, classes, columns=10)


def greys(maps: Tensor) -> Scale:
    """Return the scale of maps, none of which is negative."""
    finite = maps.nan_to_num(0, 0, 0)
    return Scale("grey", 0, max(finite.max().item(), 1e-6))


def training_sheet(result: Any) -> Sheet:
    """Draw the first, an early and the last snapshot, from left to right, in the same colours."""
    look, last = result.look, len(result.shown) - 1
    sheet = Sheet(3 * COLUMN, HEIGHT)
    for k, n in enumerate((0, last // 8, last)):
        _draw_snapshot(sheet, COLUMN * k + 2, result.shown[n], look, n)
    return sheet


def _draw_snapshot(sheet: Sheet, left: float, snapshot: Snapshot, look: Any, n: int) -> None:
    share = f"{snapshot.accuracy:.0%} of the test digits right"
    sheet.write(left, 16, f"step {snapshot.step}: {share}")
    kernels = look.weights["0.weight"][n, :, 0]
    first, second = [look.layers[k][n, 0] for k in (1, 4)]
    # Twice as many cells: the sheet writes numbers on fewer.
    fine = kernels.repeat_interleave(2, 1).repeat_interleave(2, 2)
    _draw_row(sheet, (left, 30), fine, look.scales["kernel"], 40)
    _draw_row(sheet, (left, 78), first, look.scales["conv1 map"], 40)
    _draw_row(sheet, (left, 126), second[:8], look.scales["conv2 map"], 29)
    _draw_row(sheet, (left, 160), second[8:], look.scales["conv2 map"], 29)
    for digit, p in enumerate(look.probabilities[n].tolist()):
        top = 198 + 11 * digit
        sheet.write(left, top + 9, str(digit), 10)
        sheet.draw((left + 12, top, 1 + 200 * p, 8), torch.ones(1, 9), Scale("grey", 0, 2))


def _draw_row(
    sheet: Sheet, corner: tuple[float, float], maps: Tensor, scale: Scale, side: float
) -> None:
    """Draw maps side by side."""
    for k, values in enumerate(maps):
        sheet.draw((corner[0] + k * (side + 5), corner[1], side, side), values, scale, 0)
