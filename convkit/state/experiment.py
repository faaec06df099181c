"""A kernel on trial: the settings tried so far, the output of the present one, and a verdict."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature

import torch
from torch import Tensor

from convkit import kernels, ops, formatting
from convkit.errors import ConvkitError
from convkit.state.setting import KEYWORDS, Setting

MOST_STATES = 100


def name_of(operation: Callable[..., Tensor]) -> str:
    """Return what a function is called, or else its type."""
    return getattr(operation, "__name__", type(operation).__name__)


def takes(operation: Callable[..., Tensor]) -> set[str]:
    """Return which of padding, stride and dilation `operation` accepts as keywords."""
    try:
        parameters = signature(operation).parameters
    except TypeError as error:
        given = f"operation is a {type(operation).__name__}"
        raise ConvkitError(given, "a function of (X, K)", "Give its name, uncalled.") from error
    except ValueError:  # one written in C, which does not say
        return set()
    if any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values()):
        return set(KEYWORDS)
    return {name for name in KEYWORDS if name in parameters}


def run(operation: Callable[..., Tensor], setting: Setting, wanted: Tensor) -> Tensor:
    """Return what a learner's `operation` makes of `setting`, where it is of `wanted`'s shape.

    Raises
    ------
    ConvkitError
        If it raises, or returns anything but a finite tensor of that shape.
    """
    name = name_of(operation)
    shape = formatting.size(wanted.shape)
    K = setting.K.flip(0, 1) if setting.flip else setting.K
    options = {key: setting.options[key] for key in takes(operation)}
    sizes = f"for X {formatting.size(setting.X.shape)} and K {formatting.size(K.shape)}, {name}"
    goal = f"a tensor of {shape}"
    try:
        yours = operation(setting.X.clone(), K.clone(), **options)
    except (Exception, SystemExit) as error:  # sys.exit() would end the kernel
        given = f"{sizes} raised {type(error).__name__}: {error}"
        raise ConvkitError(given, goal, f"Mend {name} and run this cell again.") from error
    if not isinstance(yours, Tensor):
        given = f"{sizes} returned a {type(yours).__name__}"
        raise ConvkitError(given, goal, "Return the output tensor; is there a return?")
    if yours.shape != wanted.shape:
        given = f"{sizes} returned {formatting.size(yours.shape) or 'a single number'}"
        raise ConvkitError(given, goal, "Rows: X rows - K rows + 1, and so for columns.")
    if not yours.isfinite().all():
        i, j = (~yours.isfinite()).nonzero()[0].tolist()
        given = f"{sizes} returned {yours[i, j].item()} at Y[{i}, {j}]"
        raise ConvkitError(given, "finite numbers", "Start each sum at zero, divide by no zero.")
    return yours.detach().to(wanted.dtype)


def differing(yours: Tensor, ours: Tensor) -> Tensor:
    """Return which cells of a learner's output are not the library's, beyond rounding."""
    return ~torch.isclose(yours, ours, rtol=1e-4, atol=1e-5)


class History:
    """The last 100 states, and where in them one is: undo, redo, and a start to go back to."""

    def __init__(self, start: Setting) -> None:
        self._start = start
        self._states, self._keys, self._at = [start], [None], 0

    @property
    def now(self) -> Setting:
        """The current state."""
        return self._states[self._at]

    @property
    def can_undo(self) -> bool:
        """Whether there is a state before this one."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a state after this one."""
        return self._at < len(self._states) - 1

    def push(self, state: Setting, key: object = None) -> None:
        """Go to a new state, forgetting those undone; edits of one `key` in a row are one state."""
        merge = key is not None and key == self._keys[self._at] and not self.can_redo
        self._at += not merge
        self._states[self._at :], self._keys[self._at :] = [state], [key]
        del self._states[:-MOST_STATES], self._keys[:-MOST_STATES]
        self._at = len(self._states) - 1

    def undo(self) -> Setting:
        """Go one state back, at the first stay, and return it."""
        self._at -= self.can_undo
        return self.now

    def redo(self) -> Setting:
        """Go one state forward, at the last stay, and return it."""
        self._at += self.can_redo
        return self.now

    def reset(self) -> Setting:
        """Go to the state of the beginning, which undo can leave again, and return it."""
        if self.now is not self._start:
            self.push(self._start)
        return self.now


class Experiment:
    """The settings of one panel and what comes out of them.

    Parameters
    ----------
    start : Setting
        Where to begin.
    operation : callable
        What computes the output: `corr2d`, or a learner's function to compare with it.

    Attributes
    ----------
    Y : Tensor
        The library's output of the present setting.
    yours : Tensor or None
        What a learner's operation made of it.
    failure : str
        Why the learner's operation could not run on the present setting; empty where it could.

    Raises
    ------
    ConvkitError
        If `start` cannot work.
    """

    def __init__(self, start: Setting, operation: Callable[..., Tensor] = ops.corr2d) -> None:
        self.operation, self.history = operation, History(start)
        self._settle()

    @property
    def now(self) -> Setting:
        """The present setting."""
        return self.history.now

    @property
    def name(self) -> str:
        """What the operation is called."""
        return name_of(self.operation)

    def adopt(self, setting: Setting, key: object = None) -> None:
        """Go on to another setting; edits of one `key` in a row are undone together.

        Raises
        ------
        ConvkitError
            If the setting cannot work, or the learner's operation fails on it; all stays as it was.
        """
        if setting.same_as(self.now):
            return
        Y = setting.output()
        self.yours, self.Y = self._run(setting, Y), Y
        self.failure = ""
        self.history.push(setting, key)

    def revisit(self, move: str) -> None:
        """Go to another setting tried before: `move` is "undo", "redo" or "reset"."""
        getattr(self.history, move)()
        self._settle()

    def _settle(self) -> None:
        """Work out the present setting, whatever the learner's operation makes of it."""
        self.Y, self.yours, self.failure = self.now.output(), None, ""
        try:
            self.yours = self._run(self.now, self.Y)
        except ConvkitError as error:
            self.failure = f"{error} What you see is convkit's own output."

    @property
    def agrees(self) -> bool:
        """Whether the operation ran, and gives what the library gives."""
        same = self.yours is None or not differing(self.yours, self.Y).any()
        return same and not self.failure

    def verdict(self) -> str:
        """Return in words what came out."""
        if self.failure:
            return self.failure
        if self.yours is None:
            low, high = formatting.number(self.Y.min()), formatting.number(self.Y.max())
            return f"Output {formatting.size(self.Y.shape)}, values from {low} to {high}."
        wrong = differing(self.yours, self.Y).nonzero().tolist()
        if not wrong:
            return f"{self.name} agrees with convkit in all {self.Y.numel()} cells."
        i, j = wrong[0]
        yours, ours = formatting.number(self.yours[i, j]), formatting.number(self.Y[i, j])
        return (
            f"{self.name} differs from convkit in {len(wrong)} of {self.Y.numel()} cells, marked; "
            f"the first is Y[{i}, {j}]: {self.name} gives {yours}, convkit {ours}."
        )

    def summary(self) -> str:
        """Return the state in words, the same on every run."""
        now = self.now
        kind = "convolution" if now.flip else "cross-correlation"
        options = ", ".join(f"{name} {value}" for name, value in now.options.items())
        lines = [
            f"{kind}, {options}",
            formatting.describe(f"input ({now.picture})", now.X),
            formatting.describe(f"kernel ({kernels.named_like(now.K) or 'custom'})", now.K),
            formatting.describe("output", self.Y),
        ]
        compared = self.operation is not ops.corr2d
        return "\n".join([*lines, self.verdict()] if compared else lines)

    def _run(self, setting: Setting, Y: Tensor) -> Tensor | None:
        return None if self.operation is ops.corr2d else run(self.operation, setting, Y)
