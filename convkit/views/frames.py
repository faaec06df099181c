"""What a panel shows of each step of a descent, as data that a browser fills into one template.

Elements of the template with an attribute ``data-slot`` get a text and a class from the frame of
the step on show, so that choosing a recorded step needs no kernel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from convkit import formatting, ops
from convkit.descent import Step
from convkit.views.html import SIGNED_STOPS, Rows, signed_classes, table

MAX_TABLE_SIDE = 8
"""The most rows and columns of an array that is shown as numbers."""
MAX_LONG_COLUMNS = 2
"""The most columns of a kernel whose weights are written with four digits."""
LONGEST_NUMBER = 7
"""The most characters of such a weight."""
LAST_STEP = "no further step"
LEAST_POWER = -300
"""The least power of ten that numbers share: a float64 can be divided by it."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
STAR = '<i class="ck-star">⋆</i>'
"""The sign of cross-correlation in small print."""


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


def kernel_limits(steps: Sequence[Step], goals: Tensor) -> list[float]:
    """Return for each step the end of the colour key of all kernels that are shown with it.

    It holds the `goals` (n, kH, kW), all of steps whose loss is not above the first, and the kernel
    of the step and the next: it changes only where a descent diverges.

    Examples
    --------
    >>> from convkit.descent import record
    >>> steps = record(torch.ones(1, 1), torch.ones(1, 1), torch.zeros(1, 1), [3.0] * 3)
    >>> kernel_limits(steps, torch.ones(1, 1, 1))
    [10.0, 30.0, 200.0, 200.0]
    """
    sizes = _sizes(torch.stack([step.kernel for step in steps]))
    shown = torch.maximum(sizes, torch.cat((sizes[1:], sizes[-1:])))
    return _limits(steps, sizes, shown, _size(goals))


def update_frames(steps: Sequence[Step], goals: Tensor, gradient_text: str) -> StepFrames:
    """Return the arithmetic of each step's update: kernel - learning rate × gradient = next kernel.

    Parameters
    ----------
    steps : sequence of Step
        The whole descent.
    goals : Tensor
        The kernels to learn, (n, kH, kW): they share their colours with the others.
    gradient_text : str
        What the gradient is, beside its name.
    """
    writer = _FrameWriter(len(steps))
    kernels = torch.stack([step.kernel for step in steps])
    limits = kernel_limits(steps, goals)
    titles = [f"kernel, step {step.n}" for step in steps]
    rates = [formatting.number(step.lr) for step in steps[1:] if step.lr is not None]
    rates += rates[-1:]  # the last step has the rate that led to it
    now = _table_of_weights(writer, kernels, limits)
    # The next kernel has the colours of the step that it is shown with.
    following = _table_of_weights(writer, kernels[1:], limits[:-1])
    parts = [
        _figure("K", _slot(writer, titles), now),
        _sign("−"),
        f'<figure class="ck-rate"><figcaption>rate</figcaption><b{writer.add(rates)}></b></figure>',
        _sign("×"),
        _gradient_figure(writer, steps, gradient_text),
        _sign("="),
        _figure("K", _slot(writer, [*titles[1:], LAST_STEP]), following),
    ]
    columns = min(kernels.shape[2], 5)
    return writer.frames(f'<div class="ck-lens ck-update ck-{columns}">{"".join(parts)}</div>')


def _gradient_figure(writer: _FrameWriter, steps: Sequence[Step], beside: str) -> str:
    """Return the gradients; those of a wide kernel that are large or small share a power of ten."""
    gradients = torch.stack([step.grad for step in steps])
    sizes = _sizes(gradients)
    powers = [0] * len(steps)
    if gradients.shape[2] > MAX_LONG_COLUMNS:
        powers = [_common_power(size) for size in sizes.tolist()]
    factors = 10.0 ** torch.tensor(powers, dtype=torch.float64)
    scaled = gradients.double() / factors[:, None, None]
    all_limits = _limits(steps, sizes, sizes)
    limits = [limit / 10.0**power for limit, power in zip(all_limits, powers, strict=True)]
    body = _table_of_weights(writer, scaled, limits)
    if any(powers):
        beside = f"<b>{_slot(writer, [_times_power(power) for power in powers])}</b>"
    return _figure("G", "gradient", body, beside)


def _common_power(size: float) -> int:
    """Return the power of ten to take out of numbers up to `size`: 0 if they are short."""
    if size == 0 or 0.1 <= size < 1000:
        return 0
    return max(LEAST_POWER, math.floor(math.log10(size)))


def _times_power(power: int) -> str:
    """Return "×10⁴", or nothing for a power of 0."""
    return f"×10{str(power).translate(SUPERSCRIPTS)}" if power else ""


def output_frames(steps: Sequence[Step], X: Tensor, Y: Tensor) -> StepFrames:
    """Return prediction - target = residual at each step, as tables with cells of one size.

    Parameters
    ----------
    steps : sequence of Step
        The whole descent.
    X, Y : Tensor
        Input and target, (H, W) and (H_out, W_out), of a size that `fits_table`.
    """
    writer = _FrameWriter(len(steps))
    predictions = _predictions(torch.stack([step.kernel for step in steps]), X, Y)
    residuals = predictions - Y
    sizes = torch.maximum(_sizes(predictions), _sizes(residuals))
    limits = _limits(steps, sizes, sizes, _size(Y))
    tables = []
    for values in (predictions, Y.expand_as(predictions), residuals):
        texts = formatting.with_minus(formatting.shorts(values.flatten(1)))
        tables.append(_slot_table(writer, Y.shape, texts, _level_classes(values, limits)))
    parts = [
        _figure("Y", "prediction", tables[0], f"X {STAR} K"),
        _sign("−"),
        _figure("T", "target Y", tables[1]),
        _sign("="),
        _figure("R", "residual R", tables[2], _key(writer, limits)),
    ]
    wide = " ck-wide" if Y.shape[1] > 7 else ""
    return writer.frames(f'<div class="ck-lens ck-outputs{wide}">{"".join(parts)}</div>')


class _FrameWriter:
    """Collects slots: for each a text and a class in every frame."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._texts: list[Sequence[str]] = []
        self._classes: list[Sequence[str]] = []

    def add(self, texts: Sequence[str], classes: Sequence[str] | None = None) -> str:
        """Add a slot, given its text and class in each frame; return its HTML attribute.

        Frames for which none is given, at the end, leave it empty.
        """
        empty = [""] * (self.count - len(texts))
        self._texts.append([*texts, *empty])
        self._classes.append([""] * self.count if classes is None else [*classes, *empty])
        return f' data-slot="{len(self._texts) - 1}"'

    def frames(self, html: str) -> StepFrames:
        """Return what was added, frame by frame."""
        texts, classes = zip(*self._texts, strict=True), zip(*self._classes, strict=True)
        return StepFrames(html, list(texts), list(classes))


# Colours


def _size(values: Tensor) -> Tensor:
    return values.detach().abs().max().double()


def _sizes(arrays: Tensor) -> Tensor:
    """Return the largest absolute value of each array of (n, H, W)."""
    return arrays.detach().abs().flatten(1).amax(1).double()


def _limits(steps: Sequence[Step], sizes: Tensor, shown: Tensor, *others: Tensor) -> list[float]:
    """Return the end of the colour key at each step, which holds what is `shown` there (n,).

    It also holds `others`, and the `sizes` (n,) of all steps whose loss is not above the first.
    """
    calm = torch.tensor([step.loss <= steps[0].loss for step in steps])
    least = torch.stack([sizes[calm].max(), *others]).max()
    held = torch.maximum(shown, least).tolist()
    limits = {size: formatting.colour_limit(torch.tensor(size)) for size in set(held)}
    return [limits[size] for size in held]


def _level_classes(arrays: Tensor, limits: Sequence[float]) -> list[list[str]]:
    """Return the class of each cell of arrays (n, H, W), given the limit of each array."""
    ends = torch.tensor(limits, dtype=torch.float64)[:, None]
    return signed_classes(arrays.double().flatten(1) / ends, 1.0)


# Texts


def _weight_texts(weights: Tensor, is_long: bool) -> list[list[str]]:
    """Return the texts of weights (n, k), of at most `LONGEST_NUMBER` characters or 5."""
    if not is_long:
        return formatting.with_minus(formatting.shorts(weights))
    rows = zip(formatting.numbers(weights), formatting.numbers(weights, 2), strict=True)
    fitted = [
        [
            text if len(text) <= LONGEST_NUMBER else formatting.short_power(less)
            for text, less in zip(*pair, strict=True)
        ]
        for pair in rows
    ]
    return formatting.with_minus(fitted)


# Elements


def _slot(writer: _FrameWriter, texts: Sequence[str]) -> str:
    return f"<span{writer.add(texts)}></span>"


def _figure(kind: str, title: str, body: str, beside: str = "") -> str:
    """Return a table under a title, both HTML, with more beside the title."""
    more = f'<span class="ck-beside">{beside}</span>' if beside else ""
    heading = f"<figcaption><span>{title}</span>{more}</figcaption>"
    return f'<figure class="ck-{kind}">{heading}<div class="ck-frame">{body}</div></figure>'


def _sign(text: str) -> str:
    return f'<span class="ck-sign">{text}</span>'


def _table_of_weights(writer: _FrameWriter, weights: Tensor, limits: Sequence[float]) -> str:
    """Return a table of weights (n, kH, kW), for the first n frames."""
    is_long = weights.shape[2] <= MAX_LONG_COLUMNS
    texts = _weight_texts(weights.flatten(1), is_long)
    return _slot_table(writer, weights.shape[1:], texts, _level_classes(weights, limits))


def _slot_table(writer: _FrameWriter, shape: Sequence[int], texts: Rows, classes: Rows) -> str:
    """Return an empty table (H, W) whose cells are slots, given n rows of H * W texts."""
    rows = []
    for i in range(shape[0]):
        places = range(i * shape[1], (i + 1) * shape[1])
        slots = [writer.add([r[k] for r in texts], [r[k] for r in classes]) for k in places]
        rows.append([f"<td{slot}></td>" for slot in slots])
    return table(rows)


def _key(writer: _FrameWriter, limits: Sequence[float]) -> str:
    """Return the key of the diverging colours, whose ends may differ from step to step."""
    stops = ", ".join([f"#{stop}" for stop in SIGNED_STOPS])
    ends = [formatting.number(limit) for limit in limits]
    low, high = writer.add([f"−{end}" for end in ends]), writer.add(ends)
    bar = f'<i style="background:linear-gradient(90deg, {stops})"> to </i>'
    return f'<span class="ck-key"><span{low}></span>{bar}<span{high}></span></span>'


def _predictions(kernels: Tensor, X: Tensor, Y: Tensor) -> Tensor:
    """Return the outputs of all kernels (n, kH, kW) at once: (n, H_out, W_out)."""
    windows = ops.patches(X, tuple(kernels.shape[1:]))
    return (kernels.flatten(1) @ windows.T).reshape(-1, *Y.shape)
