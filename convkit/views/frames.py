"""What a panel shows of each step of a descent, as data that a browser fills into one template.

Elements of the template with an attribute ``data-slot`` get a text and a class from the frame of
the step on show, so that choosing a recorded step needs no kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from convkit import formatting, ops
from convkit.descent import Step
from convkit.least_squares import QuadraticLoss
from convkit.views.html import (
    Rows,
    cell_size,
    cells,
    colour_key,
    figure,
    frame,
    longest,
    signed_classes,
    table,
)

MAX_TABLE_SIDE = 8
"""The most rows and columns of an array that is shown as numbers."""
MAX_UPDATES = 9
"""The most weights whose updates are written out."""
UPDATES_TITLE = "next: weight - learning rate×gradient"
LAST_STEP = "the last step recorded"


@dataclass(frozen=True)
class StepFrames:
    """A template, and what its slots hold in each frame.

    Attributes
    ----------
    html : str
        The template: elements with ``data-slot="0"``, ``data-slot="1"`` and so on.
    texts, classes : list of tuples of str
        For each frame the text of every slot, which is text and not HTML, and its class attribute.
    """

    html: str
    texts: list[tuple[str, ...]]
    classes: list[tuple[str, ...]]


def fits_table(shape: Sequence[int]) -> bool:
    """Return whether an array of this shape is shown as numbers; a larger one is a picture.

    Examples
    --------
    >>> fits_table((6, 8)), fits_table((6, 9))
    (True, False)
    """
    return max(shape) <= MAX_TABLE_SIDE


def step_frames(
    quadratic: QuadraticLoss, steps: Sequence[Step], X: Tensor, Y: Tensor
) -> StepFrames:
    """Return a frame for each step: its loss, kernel, prediction and residual, and the next update.

    Target, prediction and residual are left out where they do not fit a table: see `fits_table`.

    Parameters
    ----------
    quadratic : QuadraticLoss
        The problem.
    steps : sequence of Step
        The whole descent.
    X, Y : Tensor
        Input (H, W) and target (H_out, W_out).
    """
    writer = _FrameWriter(len(steps))
    kernels = torch.stack([step.kernel for step in steps]).detach()
    html = [
        _heading(writer, steps),
        f'<div class="ck-lens"><div>{_kernel_tables(writer, kernels, quadratic.best_kernel)}</div>',
    ]
    key = ""
    if fits_table(Y.shape):
        predictions = _predictions(kernels, X, Y)
        limit = formatting.colour_limit(torch.stack((Y, predictions[0] - Y)))
        html.append(_output_tables(writer, predictions, Y, limit))
        key = colour_key(limit)
    html += ["</div>", _updates(writer, steps, kernels), key]
    return writer.frames(f'<div class="ck-steps">{"".join(html)}</div>')


class _FrameWriter:
    """Collects slots: for each a text and a class in every frame."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._texts: list[Sequence[str]] = []
        self._classes: list[Sequence[str]] = []

    def add(self, texts: Sequence[str], classes: Sequence[str] | None = None) -> str:
        """Add a slot, given its text and class in each frame; return its HTML attribute."""
        self._texts.append(texts)
        self._classes.append([""] * self.count if classes is None else classes)
        return f' data-slot="{len(self._texts) - 1}"'

    def frames(self, html: str) -> StepFrames:
        """Return what was added, frame by frame."""
        texts, classes = zip(*self._texts, strict=True), zip(*self._classes, strict=True)
        return StepFrames(html, list(texts), list(classes))


def _heading(writer: _FrameWriter, steps: Sequence[Step]) -> str:
    number = writer.add([f"step {step.n}" for step in steps])
    loss = writer.add([formatting.number(step.loss) for step in steps])
    return f"<p><b{number}></b> loss <span{loss}></span></p>"


def _kernel_tables(writer: _FrameWriter, kernels: Tensor, best: Tensor) -> str:
    """Return the tables of the kernel and of the best one, in colours that one can compare."""
    limit = formatting.colour_limit(torch.stack((best, kernels[0].double())))
    texts, best_texts = formatting.numbers(kernels.flatten(1)), formatting.numbers(best)
    size = cell_size(max(7, longest(texts, best_texts)), 11)
    changing = _slot_table(writer, kernels, texts, limit)
    fixed = table(cells(best_texts, signed_classes(best, limit)))
    return figure("K", "kernel", frame(changing, size)) + figure(
        "T", "best kernel", frame(fixed, size)
    )


def _predictions(kernels: Tensor, X: Tensor, Y: Tensor) -> Tensor:
    """Return the outputs of all kernels (n, kH, kW) at once: (n, H_out, W_out)."""
    windows = ops.patches(X, tuple(kernels.shape[1:]))
    return (kernels.flatten(1) @ windows.T).reshape(-1, *Y.shape)


def _output_tables(writer: _FrameWriter, predictions: Tensor, Y: Tensor, limit: float) -> str:
    """Return the tables of target, prediction and residual, with cells of one size."""
    residuals = predictions - Y
    target_texts = formatting.shorts(Y)
    prediction_texts, residual_texts = (
        formatting.shorts(values.flatten(1)) for values in (predictions, residuals)
    )
    size = cell_size(longest(target_texts, prediction_texts, residual_texts), 10)
    bodies = {
        ("T", "target"): table(cells(target_texts, signed_classes(Y, limit))),
        ("Y", "prediction"): _slot_table(writer, predictions, prediction_texts, limit),
        ("R", "residual = prediction - target"): _slot_table(
            writer, residuals, residual_texts, limit
        ),
    }
    return "".join([figure(*title, frame(body, size)) for title, body in bodies.items()])


def _slot_table(writer: _FrameWriter, values: Tensor, texts: Rows, limit: float) -> str:
    """Return an empty table whose cells are slots, given arrays (n, H, W) and texts (n, H * W)."""
    classes = signed_classes(values.flatten(1), limit)
    slots = iter(zip(zip(*texts, strict=True), zip(*classes, strict=True), strict=True))
    height, width = values.shape[1:]
    rows = [[f"<td{writer.add(*next(slots))}></td>" for _ in range(width)] for _ in range(height)]
    return table(rows)


def _updates(writer: _FrameWriter, steps: Sequence[Step], kernels: Tensor) -> str:
    """Return the arithmetic of the update after each step, a slot for each line of it."""
    ahead = len(steps) - 1
    title = writer.add([UPDATES_TITLE] * ahead + [""])
    lines = [[*texts, ""] for texts in _update_texts(steps, kernels)]
    lines[0][-1] = LAST_STEP
    rest = kernels[0].numel() - MAX_UPDATES
    if rest > 0:
        lines.append([f"and {rest} more"] * ahead + [""])
    spans = [f"<span{writer.add(texts)}></span>" for texts in lines]
    return f'<div class="ck-updates"><b{title}></b>{"".join(spans)}</div>'


def _update_texts(steps: Sequence[Step], kernels: Tensor) -> list[list[str]]:
    """Return for each of the first weights the arithmetic of all its updates."""
    weights = formatting.numbers(kernels.flatten(1)[:, :MAX_UPDATES])
    grads = formatting.numbers(torch.stack([step.grad for step in steps]).flatten(1))
    rates = [formatting.number(step.lr) for step in steps[1:] if step.lr is not None]
    columns = kernels.shape[2]
    return [
        formatting.update_sums(
            f"K[{k // columns}, {k % columns}]",
            [row[k] for row in weights],
            rates,
            [row[k] for row in grads[:-1]],
        )
        for k in range(len(weights[0]))
    ]
