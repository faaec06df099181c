"""One frame of HTML for each step of a descent; CSS shows the one that a slider points at.

The browser's slider carries its value in ``aria-valuenow``, so choosing the frame takes no script
and no message: a scrubbed step is on screen in the next frame, even while the kernel is busy.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import partial

import torch
from torch import Tensor

from convkit import formatting
from convkit.views.html import colour_key, figure, signed_table
from convkit.views.chart import BOXES, HEIGHT, WIDTH, Chart
from convkit.descent import KernelDescent, Step
from convkit.views.plots import png
from convkit.ops import corr2d
from convkit.state.training import MOST_STEPS

MOST_CELLS = 8
"""The most rows and columns that are shown as numbers."""
SPELLED = 9
"""The most weights whose updates are written out."""


RULES = ".ck-step{display:none}" + "".join(
    f".ck-scrub:has([aria-valuenow^='{n}.']) ~ * .ck-step.s{n}{{display:block}}"
    for n in range(MOST_STEPS + 1)
)
"""Show frame n where the line above, which holds the scrub slider, says n.

Asked of the line and not of the panel: a browser then searches few elements, at each step.
"""


def stepwise(parts: Iterable[str]) -> str:
    """Return HTML of which only the part of the step on show is visible."""
    return "".join(f'<div class="ck-step s{n}">{part}</div>' for n, part in enumerate(parts))


def frames(chart: Chart, descent: KernelDescent) -> str:
    """Return all frames of a recorded trajectory."""
    steps = descent.trajectory
    path, curve = chart.points(steps)
    predictions = [corr2d(descent.X, step.kernel) for step in steps]
    limit = formatting.colour_limit(torch.stack((descent.Y, predictions[0] - descent.Y)))
    cells = partial(_cells, limit=limit, chars=_longest(predictions, descent.Y))
    target = figure("T", "target", _cells(descent.Y, limit, 0))
    weights = partial(signed_table, limit=_kernel_limit(chart, steps[0]), font=11, chars=7)
    best = figure("T", "best kernel", weights(chart.best))
    made = []
    for step, ahead, prediction in zip(steps, (*steps[1:], None), predictions, strict=True):
        kernel = figure("K", "kernel", weights(step.kernel))
        tables = (
            f"<div>{kernel}{best}</div>{target}"
            + figure("Y", "prediction", cells(prediction))
            + figure("R", "residual = prediction - target", cells(prediction - descent.Y))
        )
        overlay = _overlay(BOXES[0], path[: step.n + 1]) + _overlay(BOXES[1], curve[: step.n + 1])
        made.append(
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}">{overlay}</svg>'
            f"<p><b>step {step.n}</b> loss {formatting.number(step.loss)}</p>"
            f'<div class="ck-lens">{tables}</div>{_updates(step, ahead)}'
        )
    whole = _overlay(BOXES[0], path)
    ahead = f'<svg class="ck-ahead" viewBox="0 0 {WIDTH} {HEIGHT}">{whole}</svg>'
    return f"<style>{RULES}</style>{ahead}{stepwise(made)}{colour_key(limit)}"


def _kernel_limit(chart: Chart, first: Step) -> float:
    """Return one colour limit for all kernels of a descent, so that equal weights look equal."""
    return formatting.colour_limit(torch.stack((chart.best, first.kernel.double())))


def _longest(predictions: Sequence[Tensor], Y: Tensor) -> int:
    """Return how many characters the numbers of any frame take, so that no frame moves."""
    if max(Y.shape) > MOST_CELLS:
        return 0
    values = torch.stack((*predictions, *(p - Y for p in predictions))).flatten().tolist()
    return max(len(formatting.short(x)) for x in values)


def _overlay(box: tuple[float, ...], points: Sequence[str]) -> str:
    """Return a path and its end, cut off at the box."""
    x, y, width, height = box
    px, py = points[-1].split(",")
    return (
        f'<svg x="{x}" y="{y}" width="{width}" height="{height}" '
        f'viewBox="{x} {y} {width} {height}">'
        f'<polyline points="{" ".join(points)}"/><circle cx="{px}" cy="{py}" r="6"/></svg>'
    )


def _cells(values: Tensor, limit: float, chars: int) -> str:
    """Return a small array as a table and a large one as a picture."""
    if max(values.shape) <= MOST_CELLS:
        return signed_table(values, limit, write=formatting.short, font=10, chars=chars)
    skip = -(-max(values.shape) // 128)
    data = b64encode(png(values[::skip, ::skip], limit)).decode()
    return f'<img alt="" src="data:image/png;base64,{data}">'


def _updates(step: Step, ahead: Step | None) -> str:
    """Return the arithmetic of the update that follows `step`."""
    if ahead is None:
        return '<div class="ck-updates">the last step recorded</div>'
    columns = step.kernel.shape[1]
    rows = zip(
        *(t.flatten().tolist() for t in (step.kernel, ahead.velocity, ahead.kernel)), strict=True
    )
    said = [
        formatting.update_sum(f"K[{k // columns}, {k % columns}]", old, ahead.lr, grad, new)
        for k, (old, grad, new) in enumerate(rows)
    ]
    more = [f"and {len(said) - SPELLED} more"] if len(said) > SPELLED else []
    lines = "".join(f"<span>{line}</span>" for line in said[:SPELLED] + more)
    return f'<div class="ck-updates"><b>next: weight - learning rate×gradient</b>{lines}</div>'
