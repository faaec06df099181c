"""What a KernelEditor is set to, and what comes out of it: frozen, without widgets or HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from convkit import codegen, formatting, images, kernels, ops, user_function
from convkit.comparison import mismatch_mask, rounding_bound
from convkit.errors import ConvkitError
from convkit.formatting import minus
from convkit.ops import Pair, WindowGeometry, to_pair
from convkit.state.store import State, equal

OWN_PICTURE = "your own"
MAX_KERNEL_SIDE = 7
MAX_SIDE = 600
"""The longest side of an opened picture file, and the largest padding, stride or dilation."""
MAX_SHOWN_SIDE = 256
"""The most rows or columns of a picture that are shown; of a larger one every k-th of them."""
MAX_LENS_SIDE = 16
"""The most rows or columns, padding included, that are shown as numbers."""
MAX_TABLE_COLUMNS = 20
"""The most columns that the tables of input and output have together."""
LOOKS = ("auto", "grey", "signed", "magnitude")
"""How the output can be shown; "auto" leaves the choice to the kernel."""
COLOURS_IN_WORDS = {
    "grey": "in grey",
    "signed": "blue below 0 and red above",
    "magnitude": "as absolute values",
}
MAX_MARKED_SHARE = 0.1
"""The largest share of a picture's cells that is marked as different."""
FITTED_SHARE = 0.2
"""A colour key is fitted anew where the output needs less than this share of it."""
OPTIONS = {"padding": 0, "stride": 1, "dilation": 1}
"""The keywords of `corr2d`: the default of each, which is also the least it may be."""


@dataclass(frozen=True, eq=False)
class KernelEditorState(State):
    """An input, a kernel, and how the one slides over the other.

    Attributes
    ----------
    X, K : Tensor
        Input (H, W) and kernel (kH, kW), up to 7 x 7; the kernel takes the input's dtype.
    padding, stride, dilation : int or (h, w)
        As in `corr2d`; a pair of equal numbers becomes one number.
    flip : bool
        Whether the operation is convolution rather than cross-correlation.
    picture : str
        What the input is called.
    source : str or None
        Code that makes the input, where that is shorter than its numbers.
    at : (i, j) or None
        The output cell whose window is shown; None leaves the choice to `compute`.
    look : {"auto", "grey", "signed", "magnitude"}
        How the output is shown.
    limit : float or None
        The end of the output's colour key, which `compute` keeps as long as it suits the output;
        None fits it anew.

    Raises
    ------
    ConvkitError
        If a field is of the wrong kind, or not finite. `compute` finds out whether all fit
        together.

    Examples
    --------
    >>> import torch
    >>> state = KernelEditorState(torch.ones(4, 4), torch.ones(2, 2), padding=(1, 1))
    >>> state.padding
    1
    """

    X: Tensor
    K: Tensor
    padding: Pair = 0
    stride: Pair = 1
    dilation: Pair = 1
    flip: bool = False
    picture: str = OWN_PICTURE
    source: str | None = None
    at: tuple[int, int] | None = None
    look: str = "auto"
    limit: float | None = None

    def __post_init__(self) -> None:
        ops.check_finite("X", self.X)
        _check_kernel_size(self.K)
        object.__setattr__(self, "K", self.K.to(self.X.dtype))
        ops.check_finite("K", self.K)
        if self.at is not None:
            object.__setattr__(self, "at", to_pair("at", self.at))
        for name in OPTIONS:
            object.__setattr__(self, name, _option(name, getattr(self, name)))
        if not isinstance(self.flip, bool):
            raise ConvkitError(f"flip is {self.flip!r}", "True or False", "Choose one.")
        if self.look not in LOOKS:
            raise ConvkitError(f"look is {self.look!r}", f"one of {LOOKS}", "Choose one.")

    @property
    def options(self) -> dict[str, Any]:
        """The keywords of `corr2d`."""
        return {name: getattr(self, name) for name in OPTIONS}

    @cached_property
    def geometry(self) -> WindowGeometry:
        """Where the windows lie."""
        return WindowGeometry(tuple(self.X.shape), tuple(self.K.shape), **self.options)

    @property
    def fits_lens(self) -> bool:
        """Whether the padded input is small enough to show as numbers."""
        return max(self.geometry.padded_size) <= MAX_LENS_SIDE

    @property
    def fits_tables(self) -> bool:
        """Whether input and output are small enough to show as numbers side by side."""
        columns = self.geometry.padded_size[1] + self.geometry.output_size[1]
        return self.fits_lens and columns <= MAX_TABLE_COLUMNS

    @cached_property
    def input_range(self) -> tuple[float, float]:
        """The ends of the input's colour key: 0 and 1, or further where its values are."""
        low, high = (bound.item() for bound in self.X.aminmax())
        return min(0.0, low), max(1.0, high)

    @property
    def code(self) -> str:
        """Torch code that computes exactly this output."""
        unnamed = "panel.X  # write your variable's name for `panel`"
        source = self.source or codegen.array_code(self.X, unnamed)
        return codegen.correlation_code(source, self.K, flip=self.flip, **self.options)


@dataclass(frozen=True, eq=False)
class Correlation:
    """The library's output for a state, each part of it computed when it is first asked for.

    Of a large picture the pixels that are shown come first, long before all of the others.
    """

    state: KernelEditorState

    @cached_property
    def output(self) -> Tensor:
        """The whole output, (H_out, W_out)."""
        return self._every(1)

    @cached_property
    def shown(self) -> Tensor:
        """Every k-th row and column of the output: what a picture shows."""
        step = images.sampling_step(self.state.geometry.output_size, MAX_SHOWN_SIDE)
        return self.output if step == 1 else self._every(step)

    def _every(self, step: int) -> Tensor:
        state = self.state
        operation = ops.convolve2d if state.flip else ops.corr2d
        stride = tuple(step * n for n in state.geometry.stride)
        return operation(
            state.X, state.K, padding=state.padding, stride=stride, dilation=state.dilation
        )


@dataclass(frozen=True, eq=False)
class KernelEditorResult:
    """What comes out of a state.

    Attributes
    ----------
    state : KernelEditorState
        The state, with `at` inside the output.
    correlation : Correlation
        The library's output.
    operation : callable
        What was asked for: `corr2d`, or a learner's function.
    candidate : Tensor or None
        The output of the learner's function, where there is one and it ran.
    failure : str
        Why the learner's function could not be compared; empty where it could.
    mismatch : Tensor or None
        Where the candidate differs from the output beyond rounding, (H_out, W_out) of bool.
    """

    state: KernelEditorState
    correlation: Correlation
    operation: Callable[..., Tensor] = ops.corr2d
    candidate: Tensor | None = None
    failure: str = ""
    mismatch: Tensor | None = None

    @property
    def output(self) -> Tensor:
        """The library's output, (H_out, W_out)."""
        return self.correlation.output

    @property
    def shown(self) -> Tensor:
        """What is shown as the output: the learner's own, where there is one."""
        return self.output if self.candidate is None else self.candidate

    @property
    def at(self) -> tuple[int, int]:
        """The output cell whose window is shown."""
        return self.state.at or (0, 0)

    @property
    def agrees(self) -> bool:
        """Whether the operation ran and gives what the library gives."""
        return not self.failure and (self.mismatch is None or not self.mismatch.any())

    @property
    def marked(self) -> Tensor | None:
        """Which cells to mark as different, unless a picture would be full of marks."""
        if self.mismatch is None or self.state.fits_tables:
            return self.mismatch
        share = self.mismatch.double().mean().item()
        return self.mismatch if share <= MAX_MARKED_SHARE else None

    @property
    def look(self) -> str:
        """How the output is shown: "grey", "signed" or "magnitude".

        Unless chosen, grey where the weights keep or add up brightness: where they sum to 1, or
        none is negative; signed where they take differences.
        """
        if self.state.look != "auto":
            return self.state.look
        keeps = self._sum_of_weights == 1 or (self._sum_of_weights > 0 and self.state.K.min() >= 0)
        return "grey" if keeps else "signed"

    @property
    def colour_range(self) -> tuple[float, float]:
        """The ends of the output's colour key; grey has the input's, times the sum of weights."""
        if self.look == "signed":
            return -self.limit, self.limit
        if self.look == "magnitude":
            return 0.0, self.limit
        low, high = self.state.input_range
        gain = max(1.0, self._sum_of_weights)
        return low * gain, high * gain

    @property
    def limit(self) -> float:
        """The end of the output's colour key, unless that is grey."""
        return self.state.limit or self.fitted_limit

    @cached_property
    def product_limit(self) -> float:
        """The end of a colour key that holds the products of all windows."""
        return formatting.colour_limit(
            self.state.K.double() * max(map(abs, self.state.input_range))
        )

    @cached_property
    def fitted_limit(self) -> float:
        """The end of a colour key that suits the output, of a large one the pixels shown."""
        if self.candidate is None:
            return formatting.colour_limit(self.correlation.shown)
        return formatting.colour_limit(images.sampled(self.candidate, MAX_SHOWN_SIDE))

    @cached_property
    def _sum_of_weights(self) -> float:
        """The sum of the weights; 0 or 1 where it differs from that by rounding alone."""
        K = self.state.K.double()
        total, rounding = K.sum().item(), 1e-3 * K.abs().sum().item()
        return next((float(n) for n in (0, 1) if abs(total - n) < rounding), total)

    @property
    def verdict(self) -> str:
        """What came out, in words."""
        if self.failure:
            return f"{self.failure} What you see is convkit's own output."
        if self.mismatch is not None:
            return self._comparison()
        low, high = _text(self.output.min(), 3), _text(self.output.max(), 3)
        size = formatting.size(self.output.shape)
        told = f"Output {size}, {low} to {high}{self._cut()}. {self._reason()}"
        if not self.state.picture.startswith("file "):
            return told
        return f"{told} Input: {self.state.picture}."

    def _cut(self) -> str:
        """Return how much of the output lies outside the colour key of grey."""
        low, high = self.colour_range
        cut = ((self.output < low) | (self.output > high)).double().mean().item()
        if self.look != "grey" or not cut:
            return ""
        percent = f"{100 * cut:.0f}%" if cut >= 0.01 else "under 1%"
        return f", {percent} cut to {_text(low)} or {_text(high)}"

    def _reason(self) -> str:
        """Return why the output looks as it does."""
        total = self._sum_of_weights
        sums = f"Weights sum to {_text(total)}"
        if self.state.look != "auto":
            return f"{sums}; shown {COLOURS_IN_WORDS[self.look]}, as chosen."
        if total == 0 and self.state.K.any():
            return f"{sums}: it takes differences, {COLOURS_IN_WORDS[self.look]}."
        if self.look == "grey":
            effect = "keeps" if total == 1 else "adds up"
            return f"{sums}: it {effect} brightness, shown {COLOURS_IN_WORDS[self.look]}."
        return f"{sums}; shown {COLOURS_IN_WORDS[self.look]}."

    def _comparison(self) -> str:
        assert self.mismatch is not None and self.candidate is not None
        name, cells = user_function.name_of(self.operation), self.output.numel()
        wrong = self.mismatch.nonzero().tolist()
        if not wrong:
            return f"{name} agrees with convkit in all {cells} cells."
        i, j = wrong[0]
        ours, theirs = formatting.distinct_numbers(self.output[i, j], self.candidate[i, j])
        marked = "" if self.marked is None else ", marked ≠"
        pattern = _pattern(self.mismatch)
        return (
            f"{name} differs from convkit in {len(wrong)} of {cells} cells{marked}{pattern}. "
            f"The first, Y[{i}, {j}], is {minus(theirs)}, not {minus(ours)}."
        )

    @property
    def summary(self) -> str:
        """The state and its output in words, the same on every run."""
        state = self.state
        kind = "convolution" if state.flip else "cross-correlation"
        options = ", ".join(f"{name} {value}" for name, value in state.options.items())
        kernel_name = kernels.named_like(state.K) or "custom"
        lines = [
            f"{kind}, {options}",
            formatting.describe(f"input ({state.picture})", state.X),
            formatting.describe(f"kernel ({kernel_name})", state.K),
            formatting.describe("output", self.output),
        ]
        if self.operation is not ops.corr2d:
            lines.append(self.verdict)
        return "\n".join(lines)


def _text(value: float | Tensor, digits: int = 4) -> str:
    return minus(formatting.number(value, digits))


def _pattern(mismatch: Tensor) -> str:
    """Return ", all in row 5, the last" where all marked cells are in one of several rows."""
    for axis, name in enumerate(("row", "column")):
        lines = mismatch.any(1 - axis).nonzero().flatten().tolist()
        size = mismatch.shape[axis]
        if len(lines) == 1 < size and mismatch.sum() > 1:
            last = ", the last" if lines[0] == size - 1 else ""
            return f", all in {name} {lines[0]}{last}"
    return ""


def compute(
    state: KernelEditorState,
    previous: KernelEditorResult | None = None,
    *,
    operation: Callable[..., Tensor] = ops.corr2d,
) -> KernelEditorResult:
    """Return what comes out of a state.

    Raises
    ------
    ConvkitError
        If the kernel does not fit, or an output value is too large for the dtype. A learner's
        `operation` that fails raises nothing: its failure is part of the result.

    Examples
    --------
    >>> import torch
    >>> compute(KernelEditorState(torch.ones(3, 3), torch.ones(2, 2))).output
    tensor([[4., 4.],
            [4., 4.]])
    """
    if previous is not None and _is_unnamed_input(state, previous.state):
        state = replace(state, **input_fields(state.X))
    state = replace(state, at=_cell_shown(state))
    if previous is not None and _same_operands(state, previous.state):
        return _with_limit(replace(previous, state=state))
    correlation = Correlation(state)
    _check_overflow(correlation)
    result = KernelEditorResult(state, correlation, operation)
    if operation is not ops.corr2d:
        result = _with_candidate(result)
        if previous is None:
            result = _at_first_difference(result)
    return _with_limit(result)


def input_fields(X: Tensor) -> dict[str, Any]:
    """Return the fields that make `X` the input, which is recognised where it is a named picture.

    Examples
    --------
    >>> input_fields(images.stripes())["picture"]
    'stripes 6 × 8'
    """
    X = ops.validated_copy("X", X)
    name = images.named_like(X)
    if name is None:
        return {"X": X, "picture": OWN_PICTURE, "source": None}
    return {"X": X, "picture": name, "source": codegen.picture_code(name, X.dtype)}


def file_fields(name: str, data: bytes) -> dict[str, Any]:
    """Return the fields that make a picture file the input, scaled down to stay quick.

    Raises
    ------
    ConvkitError
        If the file is not a picture that `open_image` takes.

    Examples
    --------
    >>> file_fields("notes.txt", b"no picture")
    Traceback (most recent call last):
    convkit.errors.ConvkitError: the file of 10 bytes cannot be read as a picture; expected a PNG...
    """
    X, original = images.open_with_size(data, max_side=MAX_SIDE)
    source = f"convkit.open_image({name!r}, max_side={MAX_SIDE})"
    is_shrunk = tuple(X.shape) != original
    shrunk = f", shrunk from {formatting.size(original)}" if is_shrunk else ""
    return {"X": X, "picture": f"file {name}{shrunk}", "source": source}


def _check_kernel_size(K: Tensor) -> None:
    if max(ops.check_array("kernel", K).shape) > MAX_KERNEL_SIDE:
        raise ConvkitError(
            f"the kernel has shape {tuple(K.shape)}",
            f"at most {MAX_KERNEL_SIDE} rows and columns",
            "Use corr2d for larger kernels.",
        )


def _option(name: str, value: Pair) -> Pair:
    h, w = to_pair(name, value, OPTIONS[name])
    if max(h, w) > MAX_SIDE:
        hint = "No picture here has more rows or columns."
        raise ConvkitError(f"{name} is {value}", f"at most {MAX_SIDE}", hint)
    return h if h == w else (h, w)


def _is_unnamed_input(state: KernelEditorState, before: KernelEditorState) -> bool:
    """Return whether the input was replaced without saying what it is.

    Another file may have the same name; that it was said again shows in another object.
    """
    same_name = state.picture is before.picture and state.source is before.source
    return same_name and not equal(state.X, before.X)


def _cell_shown(state: KernelEditorState) -> tuple[int, int]:
    """Return the output cell to show: the chosen one, or else the middle of a large picture."""
    rows, columns = state.geometry.output_size
    if state.at is None and not state.fits_lens:
        return rows // 2, columns // 2
    i, j = state.at or (0, 0)
    return min(i, rows - 1), min(j, columns - 1)


def _with_limit(result: KernelEditorResult) -> KernelEditorResult:
    """Keep the end of the colour key where it suits the output, else fit it anew."""
    limit, fitted = result.state.limit, result.fitted_limit
    if limit is not None and limit * FITTED_SHARE <= fitted <= limit:
        return result
    return replace(result, state=replace(result.state, limit=fitted))


def _same_operands(a: KernelEditorState, b: KernelEditorState) -> bool:
    names = ("X", "K", *OPTIONS, "flip")
    return all(equal(getattr(a, name), getattr(b, name)) for name in names)


def _check_overflow(correlation: Correlation) -> None:
    """Raise ConvkitError if an output value is too large for the dtype."""
    X, K = correlation.state.X, correlation.state.K
    bound = K.double().abs().sum().item() * max(map(abs, correlation.state.input_range))
    if 2 * bound < torch.finfo(X.dtype).max or ops.all_finite(correlation.output):
        return
    largest = formatting.number(K.abs().max())
    raise ConvkitError(
        f"the output of this kernel, with weights up to {largest}, overflows",
        f"output values that {X.dtype} can hold",
        "Use smaller weights.",
    )


def _with_candidate(result: KernelEditorResult) -> KernelEditorResult:
    """Run the learner's function on the state, and compare."""
    state = result.state
    K = state.K.flip(0, 1) if state.flip else state.K
    options = {key: value for key, value in state.options.items() if value != OPTIONS[key]}
    try:
        call = user_function.call(result.operation, state.X, K, **options)
        candidate = _checked_candidate(call, result)
    except ConvkitError as error:
        return replace(result, failure=str(error))
    bound = rounding_bound(state.X, K, **state.options)
    mismatch = mismatch_mask(candidate, result.output, bound)
    return replace(result, candidate=candidate, mismatch=mismatch)


def _at_first_difference(result: KernelEditorResult) -> KernelEditorResult:
    """Show the first cell in which a learner's function differs, where there is one."""
    if result.mismatch is None or not result.mismatch.any():
        return result
    i, j = result.mismatch.nonzero()[0].tolist()
    return replace(result, state=replace(result.state, at=(i, j)))


def _checked_candidate(call: user_function.Call, result: KernelEditorResult) -> Tensor:
    """Return what the learner's function returned, if it can be compared with the output."""
    name = user_function.name_of(result.operation)
    if call.changed:
        given = f"{name} changed its input in place"
        raise ConvkitError(given, "X and K unchanged", "Work on a copy, such as X.clone().")
    expected = f"a float tensor of {formatting.size(result.output.shape)}"
    _check_ordinary(name, call.value, expected)
    if call.value.shape != result.output.shape:
        given = f"{name} returned {formatting.size(call.value.shape) or 'a single number'}"
        raise ConvkitError(given, expected, "Along each axis there are n - k + 1 windows.")
    value = call.value.detach().to(result.output.dtype)
    if not ops.all_finite(value):
        raise ConvkitError(f"{name} returned inf or nan", expected, "Look for a division by 0.")
    return value


def _check_ordinary(name: str, value: object, expected: str) -> None:
    """Raise ConvkitError unless a learner's function returned a plain, dense, real tensor."""
    if not isinstance(value, Tensor):
        given = f"{name} returned a {type(value).__name__}"
        raise ConvkitError(given, expected, "Return the output tensor; is there a return?")
    kinds = Tensor, nn.Parameter
    if type(value) not in kinds or value.is_nested or value.is_quantized:
        given = f"{name} returned an unusual kind of tensor, {type(value).__name__}"
        raise ConvkitError(given, expected, "Return an ordinary tensor.")
    if value.layout != torch.strided or value.device.type != "cpu":
        given = f"{name} returned a tensor of layout {value.layout} on device {value.device}"
        raise ConvkitError(given, expected, "Return a dense tensor on the CPU.")
    if value.is_complex():
        raise ConvkitError(f"{name} returned complex numbers", expected, "Return real numbers.")
