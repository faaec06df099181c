"""What a KernelEditor is set to, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import product
from typing import Any

import torch
from torch import Tensor

from convkit import codegen, formatting, images, kernels, ops
from convkit.errors import ConvkitError
from convkit.formatting import minus
from convkit.inputs import GREY_NOTE, as_colours, as_picture
from convkit.ops import Pair, WindowGeometry
from convkit.panels._own_function import Comparison, compare
from convkit.panels._products import TIED, sums
from convkit.ui import Cell, Scale, State, Work, fields
from convkit.ui.jobs import Report
from convkit.ui.store import Fields, equal
from convkit.user_function import accepted_keywords, name_of

OWN_PICTURE = "your own"
MAX_KERNEL_SIDE = 7
MAX_SIDE = 600
"""The longest side of an opened picture file, and the largest padding, stride or dilation."""
MAX_SHOWN_SIDE = 320
"""The most rows or columns of a picture that are shown; of a larger one every k-th of them."""
MAX_TABLE_SIDE = 16
"""The most rows or columns, padding included, that are shown as numbers."""
MAX_TABLE_COLUMNS = 20
"""The most columns that the tables of input and output have together."""
LOOKS = {
    "auto": "grey where the kernel keeps brightness, signed where it takes differences",
    "grey": "black to white",
    "signed": "blue below 0, red above",
    "|Y|": "the absolute value, black to white: edges of either sign alike",
}
"""How the output can be shown, and what is said of it."""
COLOURS_IN_WORDS = {
    "grey": "in grey",
    "signed": "blue below 0 and red above",
    "|Y|": "as absolute values",
}
SHOWN_IN_COLOUR = COLOURS_IN_WORDS | {"grey": "in colour", "signed": "grey where it is 0"}
BRUSHES = {"black": "0", "white": "1", "value": "the number beside it"}
"""What a small input can be painted with, and what is said of it."""
MAX_MARKED_SHARE = 0.1
"""The largest share of a picture's cells that is marked as different."""
FITTED_SHARE = 0.2
"""A colour key is fitted anew where the output needs less than this share of it."""
OPTIONS = {"padding": 0, "stride": 1, "dilation": 1}
"""The keywords of `corr2d`: the default of each, which is also the least it may be."""
CHANNELS = {
    "colour": "in colour; the numbers are of its grey",
    "grey": GREY_NOTE,
    "red": "its red channel",
    "green": "its green channel",
    "blue": "its blue channel",
}
"""What of a picture in colour is the input, and what is said of it."""
OPERANDS = ("X", "kernel", *OPTIONS, "padding_mode", "flip")
"""The fields that the output follows from."""


@dataclass(frozen=True)
class Origin:
    """What is known of an input beside its numbers.

    Attributes
    ----------
    name : str
        What the list of pictures calls it, if it is a file.
    note : str
        What the status line says of it.
    source : str
        Code that makes it.
    channels : mapping
        Of a picture in colour, the input (H, W) for each of `CHANNELS`.
    """

    name: str = ""
    note: str = ""
    source: str = ""
    channels: Mapping[str, Tensor] = field(default_factory=dict, compare=False)

    def with_colours(self, grey: Tensor, colours: Tensor) -> Origin:
        """Return the origin of a picture in colour, whose channels are (3, H, W)."""
        inputs = [grey, grey, *colours.to(grey.dtype)]
        return replace(self, channels=dict(zip(CHANNELS, inputs, strict=True)))


def read(value: Any) -> tuple[Tensor, Origin | None]:
    """Return an input that someone gives, in grey, and its origin where it has colours.

    Examples
    --------
    >>> X, origin = read(torch.eye(3).repeat(3, 1, 1) * torch.tensor([1, 0.5, 0])[:, None, None])
    >>> X.shape, origin.channels["green"].max()
    (torch.Size([3, 3]), tensor(0.5000))
    """
    X, note = as_picture("X", value)
    return X, Origin().with_colours(X, as_colours("X", value)) if note else None


class KernelEditorState(State):
    """An input, a kernel, and how the one slides over the other.

    Attributes
    ----------
    X, kernel : Tensor
        Input (H, W) and kernel (kH, kW), up to 7 x 7; the kernel takes the input's dtype.
    padding, stride, dilation : int or (h, w)
        As in `corr2d`.
    flip : bool
        Whether the operation is convolution rather than cross-correlation.
    padding_mode : str
        As in `corr2d`.
    origin : Origin or None
        What is known of the input; another input has another one.
    at, at_shape : (int, int) or None
        The chosen output cell, and the shape of the input that it was chosen on: on one of another
        shape it counts no more.
    pointed : (i, j) or None
        The output cell under the pointer.
    weight : (i, j)
        The cell of the kernel whose weight the slider drags.
    dragged : Tensor or None
        The kernel that the slider has made.
    look : {"auto", "grey", "signed", "|Y|"}
        How the output is shown.
    refits : int
        How often the colour key was to be fitted anew.
    edits_pixels : bool
        Whether the section in which the input is painted is open.
    brush, brush_value : str, float
        What is painted with.
    channel : {"colour", "grey", "red", "green", "blue"}
        What of a picture in colour is the input; "colour" shows the kernel on each channel.

    Examples
    --------
    >>> KernelEditorState(torch.ones(4, 4), torch.ones(2, 2), padding=(1, 1)).padding
    1
    """

    X: Tensor = fields.array()
    kernel: Tensor = fields.array(max_side=MAX_KERNEL_SIDE)
    padding: Pair = fields.pair(0, 0, MAX_SIDE)
    stride: Pair = fields.pair(1, 1, MAX_SIDE)
    dilation: Pair = fields.pair(1, 1, MAX_SIDE)
    flip: bool = fields.flag()
    padding_mode: str = fields.choice(*ops.PADDING_MODES)
    origin: Origin | None = None
    at: Cell | None = fields.cell(None, optional=True, view=True)
    at_shape: Cell | None = fields.cell(None, optional=True, view=True)
    pointed: Cell | None = fields.cell(None, optional=True, view=True)
    weight: Cell = fields.cell(view=True)
    dragged: Tensor | None = fields.array(None, optional=True, view=True)
    look: str = fields.choice(*LOOKS, view=True)
    refits: int = fields.whole(0, view=True)
    edits_pixels: bool = fields.flag(view=True)
    brush: str = fields.choice(*BRUSHES, view=True)
    brush_value: float = fields.real(0.5, view=True)
    channel: str = fields.choice(*CHANNELS)

    def converted(self) -> Fields:
        """Return the kernel in the input's dtype."""
        return {"kernel": ops.check_finite("kernel", self.kernel.to(self.X.dtype))}

    def checked(self, changes: Fields) -> dict[str, Any]:
        """As `State.checked`; an input brings its origin, and a cell the shape it is chosen on."""
        changes = dict(changes)
        if "X" in changes and "origin" not in changes:
            changes["X"], origin = read(changes["X"])
            if origin or not equal(changes["X"], self.X):
                changes |= {"origin": origin, "channel": "colour"}
        elif "channel" in changes and "X" not in changes:
            changes |= self._channel(changes["channel"])
        if "at" in changes:
            changes.setdefault("at_shape", tuple(changes.get("X", self.X).shape))
        return super().checked(changes)

    def _channel(self, name: Any) -> Fields:
        """Return the fields that make one channel of the picture the input."""
        channels = self.origin.channels if self.origin else {}
        if not channels and name != self.channel:
            hint = "Set X to one, such as convkit.images.colour_photo(128)."
            raise ConvkitError("the input has no channels", "a picture in colour", hint)
        return {"X": channels[name], "origin": self.origin} if name in channels else {}

    @property
    def options(self) -> dict[str, Any]:
        """The keywords of `corr2d`; the padding mode where it matters."""
        mode = {} if self.padding_mode == "zeros" else {"padding_mode": self.padding_mode}
        return {name: getattr(self, name) for name in OPTIONS} | mode

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the output follows from."""
        return tuple(getattr(self, name) for name in OPERANDS)

    @property
    def painted(self) -> float:
        """What the brush paints."""
        return self.brush_value if self.brush == "value" else float(BRUSHES[self.brush])

    @property
    def weights(self) -> Tensor:
        """The weights as they lie on a window, (kH, kW)."""
        return self.kernel.flip(0, 1) if self.flip else self.kernel

    @cached_property
    def geometry(self) -> WindowGeometry:
        """Where the windows lie."""
        sizes = tuple(self.X.shape), tuple(self.kernel.shape)
        return WindowGeometry(*sizes, self.padding, self.stride, self.dilation)

    @property
    def fits_tables(self) -> bool:
        """Whether input and output are small enough to show as numbers side by side."""
        columns = self.geometry.padded_size[1] + self.geometry.output_size[1]
        return max(self.geometry.padded_size) <= MAX_TABLE_SIDE and columns <= MAX_TABLE_COLUMNS


class Correlation:
    """What follows from the operands, each part of it computed when it is first asked for.

    Of a large picture the pixels that are shown come first, long before all of the others.
    """

    def __init__(self, state: KernelEditorState) -> None:
        self._state = state
        self.padded = ops.pad2d(state.X, state.geometry.padding, state.padding_mode)

    @cached_property
    def output(self) -> Tensor:
        """The whole output, (H_out, W_out)."""
        return self._every(1)

    @cached_property
    def sample(self) -> Tensor:
        """Every k-th row and column of the output: what a picture shows."""
        return self.output if self._step == 1 else self._every(self._step)

    def on_each(self, channels: Iterable[Tensor]) -> Tensor:
        """Return such a sample for each of some inputs, (C, H, W)."""
        return torch.stack([self._every(self._step, X) for X in channels])

    @property
    def _step(self) -> int:
        return images.sampling_step(self._state.geometry.output_size, MAX_SHOWN_SIDE)

    def _every(self, step: int, X: Tensor | None = None) -> Tensor:
        s = self._state
        operation = ops.convolve2d if s.flip else ops.corr2d
        stride = tuple(step * n for n in s.geometry.stride)
        X = s.X if X is None else X
        return operation(X, s.kernel, **s.options | {"stride": stride})

    @cached_property
    def picture(self) -> str | None:
        """The name of the picture that the input is, if it has one."""
        return images.named_like(self._state.X)

    @cached_property
    def input_range(self) -> tuple[float, float]:
        """The ends of the input's colour key: 0 and 1, or further where its values are."""
        low, high = (bound.item() for bound in self._state.X.aminmax())
        return min(0.0, low), max(1.0, high)

    @cached_property
    def sum_of_weights(self) -> str:
        """The sum of the weights as it is shown; "0" or "1" where rounding alone hides that."""
        K = self._state.kernel.double()
        total, size = K.sum().item(), K.abs().sum().item()
        rounding = K.numel() * torch.finfo(self._state.X.dtype).eps * size
        near = [n for n in (0, 1) if abs(total - n) <= rounding]
        return formatting.number(near[0] if near else total)

    @property
    def keeps_brightness(self) -> bool:
        """Whether the weights keep or add up brightness, rather than take differences."""
        total = float(self.sum_of_weights)
        return total == 1 or (total > 0 and self._state.kernel.min().item() >= 0)

    def check_overflow(self) -> None:
        """Raise ConvkitError if an output value is too large for the dtype."""
        K, dtype = self._state.kernel, self._state.X.dtype
        bound = K.double().abs().sum().item() * max(map(abs, self.input_range))
        if 2 * bound > torch.finfo(dtype).max and not ops.all_finite(self.output):
            given = f"the output of weights up to {formatting.number(K.abs().max())} overflows"
            raise ConvkitError(given, f"values that {dtype} can hold", "Use smaller weights.")


@dataclass(frozen=True, eq=False)
class KernelEditorResult:
    """What comes out of a state.

    Attributes
    ----------
    state : KernelEditorState
        The state.
    correlation : Correlation
        The library's output.
    operation : callable
        What was asked for: `corr2d`, or a learner's function.
    comparison : Comparison or None
        What the learner's function gave, once it has run.
    colour_limit : float
        The end of the output's colour key, unless that is grey.
    reach : float
        How far the weight's slider reaches on either side of zero.
    """

    state: KernelEditorState
    correlation: Correlation
    operation: Callable[..., Tensor] = ops.corr2d
    comparison: Comparison | None = None
    colour_limit: float = 1.0
    reach: float = 1.0

    @property
    def output(self) -> Tensor:
        """The library's output, (H_out, W_out)."""
        return self.correlation.output

    @property
    def _own(self) -> Tensor | None:
        return None if self.comparison is None else self.comparison.output

    @property
    def shown(self) -> Tensor:
        """What is shown as the output: the learner's own, where there is one."""
        return self.output if self._own is None else self._own

    @property
    def sample(self) -> Tensor:
        """What a picture shows of that."""
        if self._own is None:
            return self.correlation.sample
        return images.sampled(self._own, MAX_SHOWN_SIDE)

    @property
    def colours(self) -> Tensor | None:
        """Red, green and blue of the input, (3, H, W), where they are shown together."""
        state, origin = self.state, self.state.origin
        is_shown = state.channel == "colour" and self.operation is ops.corr2d
        if not (origin and origin.channels and is_shown) or state.fits_tables:
            return None
        return torch.stack([origin.channels[name] for name in ("red", "green", "blue")])

    @property
    def at(self) -> Cell:
        """The chosen output cell, or else the first that differs, or the middle of a picture."""
        state, shape = self.state, self.state.geometry.output_size
        if state.at is not None and state.at_shape in (None, tuple(state.X.shape)):
            return inside(state.at, shape)
        if self.comparison is not None and self.comparison.count:
            return self.comparison.difference_after()
        return (0, 0) if state.fits_tables else (shape[0] // 2, shape[1] // 2)

    @property
    def cell(self) -> Cell:
        """The output cell whose window is shown in numbers: the one pointed at, or the chosen."""
        pointed = self.state.pointed
        is_there = pointed == inside(pointed or (0, 0), self.state.geometry.output_size)
        return pointed if is_there and pointed is not None else self.at

    @property
    def weight(self) -> Cell:
        """The cell of the kernel whose weight the slider drags."""
        return inside(self.state.weight, self.state.kernel.shape)

    @property
    def missing(self) -> list[str]:
        """The options that a learner's function does not take."""
        names = (*OPTIONS, "padding_mode")
        accepted = accepted_keywords(self.operation, names)
        return [name for name in names if name not in accepted]

    @property
    def agrees(self) -> bool:
        """Whether the operation gives what the library gives, as far as it has run."""
        made = self.comparison
        return made is None or not (made.failure or made.count)

    @property
    def marked(self) -> Tensor | None:
        """Which cells to mark as different, unless a picture would be full of marks."""
        mismatch = None if self.comparison is None else self.comparison.mismatch
        if mismatch is None or self.state.fits_tables:
            return mismatch
        return mismatch if mismatch.double().mean().item() <= MAX_MARKED_SHARE else None

    @property
    def picture(self) -> str:
        """What the input is called."""
        origin = self.state.origin
        return (origin and origin.name) or self.correlation.picture or OWN_PICTURE

    @property
    def look(self) -> str:
        """How the output is shown: unless chosen, grey where the weights keep brightness."""
        if self.state.look != "auto":
            return self.state.look
        return "grey" if self.correlation.keeps_brightness else "signed"

    @property
    def input_scale(self) -> Scale:
        """The input's colours."""
        return Scale("grey", *self.correlation.input_range)

    @property
    def scale(self) -> Scale:
        """The output's colours; grey has the input's, times the sum of weights."""
        if self.look == "grey":
            gain = max(1.0, float(self.correlation.sum_of_weights))
            low, high = self.correlation.input_range
            return Scale("grey", low * gain, high * gain)
        if self.look == "signed":
            return Scale.centred(self.colour_limit)
        return Scale("magnitude", 0.0, self.colour_limit)

    @property
    def product_limit(self) -> float:
        """The end of a colour key that holds the products of all windows."""
        largest = max(map(abs, self.correlation.input_range))
        return formatting.colour_limit(self.state.kernel.double() * largest)

    @cached_property
    def fitted_limit(self) -> float:
        """The end of a colour key that suits the output, of a large one the pixels shown."""
        return formatting.colour_limit(self.sample)

    @property
    def code(self) -> str:
        """Torch code that computes exactly the library's output."""
        state, origin = self.state, self.state.origin
        unnamed = "panel.X  # write your variable's name for `panel`"
        source = (origin and origin.source) or codegen.array_code(state.X, unnamed)
        if origin and origin.source and state.channel in ("red", "green", "blue"):
            index = ("red", "green", "blue").index(state.channel)
            source = f"{source.replace('open_image', 'images.open_colours')}[{index}]"
        return codegen.correlation_code(source, state.kernel, flip=state.flip, **state.options)

    @property
    def verdict(self) -> str:
        """What came out, in words."""
        if self.comparison is not None:
            return self.comparison.words(self.output, self.marked is not None)
        if self.operation is not ops.corr2d:
            return f"{name_of(self.operation)} was stopped: what you see is convkit's own output."
        low, high = _text(self.output.min(), 3), _text(self.output.max(), 3)
        size = formatting.size(self.output.shape)
        return f"Output {size}, {low} to {high}{self._cut()}. {self._reason()}{self._note()}"

    def _note(self) -> str:
        """Return what is known of the input, and which of its channels it is."""
        origin, channel = self.state.origin, self.state.channel
        if origin is None:
            return ""
        if channel == "colour" and self.colours is None:
            channel = "grey"
        said = [origin.note, CHANNELS[channel] if origin.channels else ""]
        return f" Input: {', '.join(filter(None, said))}."

    def _cut(self) -> str:
        """Return how much of the output lies outside the colour key of grey."""
        low, high = self.scale.low, self.scale.high
        cut = ((self.output < low) | (self.output > high)).double().mean().item()
        if self.look != "grey" or not cut:
            return ""
        percent = f"{100 * cut:.0f}%" if cut >= 0.01 else "under 1%"
        return f", {percent} cut to {_text(low)} or {_text(high)}"

    def _reason(self) -> str:
        """Return why the output looks as it does."""
        words = (COLOURS_IN_WORDS if self.colours is None else SHOWN_IN_COLOUR)[self.look]
        total, shown = self.correlation.sum_of_weights, f"shown {words}"
        sums = f"Weights sum to {minus(total)}"
        if self.state.look != "auto":
            return f"{sums}; {shown}, as chosen."
        if total == "0" and self.state.kernel.any():
            return f"{sums}: it takes differences, {words}."
        if self.look == "grey":
            return f"{sums}: it {_effect(float(total))} brightness, {shown}."
        return f"{sums}; {shown}."

    def sentences(self, patches: Tensor, cells: Sequence[Cell]) -> list[str]:
        """Return the arithmetic of some output cells, given their windows, (n, kH, kW)."""
        totals = torch.stack([self.output[cell] for cell in cells])
        lines = sums(patches, self.state.weights, totals)
        return [self._sentence(*pair) for pair in zip(lines, cells, strict=True)]

    def _sentence(self, line: str, cell: Cell) -> str:
        """Return a cell's sum; where a learner's function differs, also what that gives."""
        name, made = f"Y[{cell[0]},{TIED}{cell[1]}]", self.comparison
        if made is None or made.output is None or made.mismatch is None or not made.mismatch[cell]:
            return f"{line} ={TIED}{name}"
        ours, theirs = map(minus, formatting.distinct_numbers(self.output[cell], made.output[cell]))
        terms, sign, total = line.rsplit(" ", 2)
        sign = sign if total == ours else "≈"
        return f"convkit: {terms} {sign} {ours}\n{made.name} (yours): {name} = {theirs}"

    @cached_property
    def all_sentences(self) -> list[list[str]]:
        """The arithmetic of all output cells, row by row."""
        state, (rows, columns) = self.state, self.state.geometry.output_size
        size = tuple(state.kernel.shape)
        steps = {"stride": state.stride, "dilation": state.dilation}
        patches = ops.patches(self.correlation.padded, size, **steps).reshape(-1, *size)
        lines = iter(self.sentences(patches, list(product(range(rows), range(columns)))))
        return [[next(lines) for _ in range(columns)] for _ in range(rows)]

    @property
    def summary(self) -> str:
        """The state and its output in words, the same on every run."""
        state = self.state
        kind = "convolution" if state.flip else "cross-correlation"
        options = ", ".join(f"{name} {value}" for name, value in state.options.items())
        kernel_name = kernels.named_like(state.kernel) or "custom"
        lines = [
            f"{kind}, {options}",
            formatting.describe(f"input ({self.picture})", state.X),
            formatting.describe(f"kernel ({kernel_name})", state.kernel),
            formatting.describe("output", self.output),
        ]
        if self.operation is not ops.corr2d:
            lines.append(self.verdict)
        return "\n".join(lines)


def _effect(sum_of_weights: float) -> str:
    if sum_of_weights == 1:
        return "keeps"
    return "adds up" if sum_of_weights > 1 else "lowers"


def _text(value: float | Tensor, digits: int = 4) -> str:
    return minus(formatting.number(value, digits))


def inside(cell: Cell, shape: Sequence[int]) -> Cell:
    """Return the cell of an array of a shape that is nearest to a cell.

    Examples
    --------
    >>> inside((2, 9), (4, 5))
    (2, 4)
    """
    return min(cell[0], shape[0] - 1), min(cell[1], shape[1] - 1)


def compute(
    state: KernelEditorState,
    previous: KernelEditorResult | None = None,
    *,
    operation: Callable[..., Tensor] = ops.corr2d,
) -> KernelEditorResult:
    """Return what comes out of a state, before a learner's `operation` has run.

    Raises
    ------
    ConvkitError
        If the kernel does not fit, or an output value is too large for the dtype.

    Examples
    --------
    >>> compute(KernelEditorState(torch.ones(3, 3), torch.ones(2, 2))).output
    tensor([[4., 4.],
            [4., 4.]])
    """
    if previous is not None and equal(state.operands, previous.state.operands):
        result = replace(previous, state=state)
    else:
        correlation = Correlation(state)
        correlation.check_overflow()
        result = KernelEditorResult(state, correlation, operation)
    result = replace(result, reach=_reach(result, previous))
    return _with_limit(result, previous)


def work(result: KernelEditorResult) -> Work | None:
    """Return the run of a learner's function, unless it has run.

    Examples
    --------
    >>> state = KernelEditorState(torch.eye(3), torch.ones(2, 2))
    >>> def mine(X, K):
    ...     return ops.corr2d(X, K)
    >>> run = work(compute(state, operation=mine))
    >>> run.complete(compute(state, operation=mine)).verdict
    'mine agrees with convkit in all 4 cells.'
    """
    if result.operation is ops.corr2d or result.comparison is not None:
        return None
    state = result.state
    run = f"running your {name_of(result.operation)} on {formatting.size(state.X.shape)}"
    words = f"What you see is convkit's own output: {run}"
    return Work(partial(_compare, result), _with_comparison, words, state.operands)


def _compare(result: KernelEditorResult, report: Report) -> Comparison:
    state = result.state
    changed = [name for name, value in state.options.items() if value != OPTIONS.get(name)]
    options = {name: state.options[name] for name in changed}
    return compare(result.operation, state.X, state.weights, result.output, options)


def _with_comparison(result: KernelEditorResult, made: Comparison) -> KernelEditorResult:
    return _with_limit(replace(result, comparison=made), result)


def opened(name: str, data: bytes) -> Fields:
    """Return the fields that make a picture file the input, scaled down to stay quick.

    Raises
    ------
    ConvkitError
        If the file is not a picture that `open_image` takes.

    Examples
    --------
    >>> opened("notes.txt", b"no picture")
    Traceback (most recent call last):
    convkit.errors.ConvkitError: the file of 10 bytes cannot be read as a picture; expected a PNG...
    """
    X, size, has_colour = images.read_picture(data, max_side=MAX_SIDE)
    title = f"file {name}"
    if tuple(X.shape) != size:
        title += f", shrunk from {formatting.size(size)}"
    source = f"convkit.open_image({name!r}, max_side={MAX_SIDE})"
    origin = Origin(title, title, source)
    if has_colour:
        origin = origin.with_colours(X, images.open_colours(data, max_side=MAX_SIDE))
    return {"X": X, "origin": origin, "channel": "colour"}


def _with_limit(
    result: KernelEditorResult, previous: KernelEditorResult | None
) -> KernelEditorResult:
    """Keep the end of the colour key where it suits the output, else fit it anew."""
    fitted = result.fitted_limit
    if previous is None or _is_fitted_anew(result.state, previous.state):
        return replace(result, colour_limit=fitted)
    limit = previous.colour_limit
    suits = limit * FITTED_SHARE <= fitted <= limit
    return replace(result, colour_limit=limit if suits else fitted)


def _is_fitted_anew(state: KernelEditorState, before: KernelEditorState) -> bool:
    return state.refits != before.refits or state.X.shape != before.X.shape


def _reach(result: KernelEditorResult, previous: KernelEditorResult | None) -> float:
    """Return how far the slider reaches: as far as before where that suits the kernel.

    It stays while one drags, so that a weight that becomes small does not move under the hand.
    """
    K = result.state.kernel
    limit = 2 * formatting.round_limit(K.abs().max().item())
    if previous is None or abs(K[result.weight].item()) > previous.reach:
        return limit
    is_dragged = equal(K, result.state.dragged)
    suits = is_dragged or 0.3 * limit <= previous.reach <= 3 * limit
    return previous.reach if suits else limit
