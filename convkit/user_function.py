"""Run a learner's function: whatever it does, it fails in words and changes nothing outside."""

from __future__ import annotations

import functools
import io
import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from convkit.errors import ConvkitError, brief_repr, readable

T = TypeVar("T")
MAX_MESSAGE = 300
"""The most characters of an exception's text that are repeated."""
MAX_PRINTED = 2000
"""The most characters that are kept of what a learner's function prints."""
FAILURES = (Exception, SystemExit, GeneratorExit)
"""What a learner's code may raise; KeyboardInterrupt and `Stopped` come from outside it."""


class Stopped(SystemExit):
    """Raised in the thread of a function that is stopped, and not taken for its failure."""


class UserFunctionError(ConvkitError):
    """A learner's function could not be run, or is no function.

    Attributes
    ----------
    printed : str
        What it printed before it failed.

    Examples
    --------
    >>> print(UserFunctionError("f raised KeyError: 3", "a result", "Fix f and run it again."))
    f raised KeyError: 3; expected a result. Fix f and run it again.
    """

    printed = ""


@dataclass(frozen=True)
class Call:
    """What a learner's function did.

    Attributes
    ----------
    value : object
        What it returned.
    changed : tuple of str
        The names of the tensors that it changed in place, such as ("X",).
    printed : str
        What it printed; of much, the start.
    """

    value: Any
    changed: tuple[str, ...]
    printed: str = ""


def name_of(function: object) -> str:
    """Return what a function is called, or else its type.

    Examples
    --------
    >>> name_of(sum), name_of(torch.nn.Identity())
    ('sum', 'Identity')
    """
    while isinstance(function, functools.partial):
        function = function.func
    try:
        name = function.__name__  # type: ignore[attr-defined]
    except FAILURES:
        name = None
    return readable(name if isinstance(name, str) else type(function).__name__)


def describe_error(error: BaseException) -> str:
    """Return "TypeError: what it says", or the type alone where the error's text cannot be had.

    Examples
    --------
    >>> describe_error(ValueError("no window")), describe_error(ValueError())
    ('ValueError: no window', 'ValueError')
    """
    name = type(error).__name__
    try:
        text = readable(str(error))
    except FAILURES:
        return name
    if len(text) > MAX_MESSAGE:
        text = f"{text[:MAX_MESSAGE]}..."
    return f"{name}: {text}" if text else name


def _parameters(function: object) -> list[Parameter]:
    """Return a function's parameters, or none where they cannot be known."""
    target = function.forward if isinstance(function, nn.Module) else function
    try:
        return list(signature(target).parameters.values())  # type: ignore[arg-type]
    except FAILURES:  # among them ValueError, for functions written in C
        return []


def _check_callable(function: object) -> None:
    if not callable(function):
        raise UserFunctionError(
            f"{brief_repr(function)} is not a function",
            "a function",
            "Give its name, without calling it.",
        )


def accepted_keywords(function: Callable[..., Any], names: Iterable[str]) -> set[str]:
    """Return which of `names` a function accepts as keywords.

    A module is asked about its `forward`, a decorated function about what it wraps; `**kwargs`
    accepts every name, and a function written in C, which does not tell, accepts none.

    Raises
    ------
    UserFunctionError
        If `function` is not callable.

    Examples
    --------
    >>> sorted(accepted_keywords(lambda X, K, stride=1: X, ["padding", "stride"]))
    ['stride']
    """
    _check_callable(function)
    parameters = _parameters(function)
    if any(p.kind is Parameter.VAR_KEYWORD for p in parameters):
        return set(names)
    by_keyword = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return {p.name for p in parameters if p.kind in by_keyword}.intersection(names)


def _deterministic() -> tuple[bool, bool]:
    mode = torch.are_deterministic_algorithms_enabled()
    return mode, torch.is_deterministic_algorithms_warn_only_enabled()


def _set_deterministic(modes: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(modes[0], warn_only=modes[1])


def _set_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)


def _set_filters(filters: list[Any]) -> None:
    warnings.resetwarnings()
    warnings.filters.extend(filters)  # type: ignore[attr-defined]


Setting = tuple[Callable[[], Any], Callable[[Any], Any]]
_SEEDS: tuple[Setting, ...] = (
    (torch.get_rng_state, torch.set_rng_state),
    (random.getstate, random.setstate),
    (np.random.get_state, np.random.set_state),
)
_MODES: tuple[Setting, ...] = (
    (torch.get_default_dtype, torch.set_default_dtype),
    (lambda: torch.empty(0).device, _set_device),  # get_default_device fails in torch 2.7
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (_deterministic, _set_deterministic),
    (np.geterr, lambda modes: np.seterr(**modes)),
    (lambda: list(warnings.filters), _set_filters),
)
"""What a learner's code may change: how it is read, and how it is set."""


def _restore(seeds: list[Any], modes: list[Any]) -> None:
    for (_, put), old in zip(_SEEDS, seeds, strict=True):
        put(old)
    for (get, put), old in zip(_MODES, modes, strict=True):
        if get() != old:  # to set the deterministic mode alone loads 800 modules of torch
            put(old)


def _undone(undo: Callable[[], None], run: Callable[[], T]) -> T:
    """Return what `run` returns, and call `undo` in any case.

    An interrupt may come while `undo` runs: then it runs again, from the start. In a context
    manager it would be the end of `__exit__`.
    """
    try:
        try:
            return run()
        finally:
            undo()
    except (KeyboardInterrupt, Stopped):
        undo()
        raise


def settings_restored(run: Callable[[], T]) -> T:
    """Return what `run` returns, called with gradients on; restore what it may have changed.

    These are the seeds of torch, numpy and `random`, torch's default dtype and device, its
    gradient, inference and deterministic modes, numpy's reaction to errors, and the warnings'
    filters. An interrupt at any moment leaves them as they were.

    Examples
    --------
    >>> with torch.no_grad():
    ...     settings_restored(torch.is_grad_enabled)
    True
    """
    seeds, modes = [get() for get, _ in _SEEDS], [get() for get, _ in _MODES]

    def with_gradients() -> T:
        torch.set_grad_enabled(True)
        if not torch.is_inference_mode_enabled():
            return run()
        with torch.inference_mode(False), torch.enable_grad():
            return run()

    return _undone(lambda: _restore(seeds, modes), with_gradients)


class _Printed(io.TextIOBase):
    """What one thread prints; what others do goes where it went before."""

    def __init__(self, stream: Any) -> None:
        self.stream, self._thread, self._text = stream, threading.get_ident(), io.StringIO()
        self._is_over = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)  # such as ipykernel's, which says whose cell it is

    def remove(self) -> None:
        """Print to the stream again, also where another thread has begun to print elsewhere."""
        self._is_over = True
        while isinstance(sys.stdout, _Printed) and sys.stdout._is_over:
            sys.stdout = sys.stdout.stream

    def write(self, text: str) -> int:
        if self._is_over or threading.get_ident() != self._thread:
            return self.stream.write(text)
        return self._text.write(text[: max(0, MAX_PRINTED - self._text.tell())])

    def flush(self) -> None:
        self.stream.flush()

    @property
    def text(self) -> str:
        """What was printed, with a word on what was cut."""
        text = self._text.getvalue()
        return f"{text} ..." if len(text) >= MAX_PRINTED else text


def _copy(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    return value


def _is_changed(before: Any, after: Any) -> bool:
    if not isinstance(before, Tensor):
        return False
    if before.shape != after.shape or before.dtype != after.dtype:
        return True
    return not torch.allclose(before, after, rtol=0, atol=0, equal_nan=True)


def _argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """Return the names of the first `count` positional arguments: "X", or "argument 1"."""
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    known = [p.name for p in _parameters(function) if p.kind in kinds]
    return [known[n] if n < len(known) else f"argument {n + 1}" for n in range(count)]


def call(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Call:
    """Run a learner's function on copies of the tensors, with gradients on.

    Inputs, seeds, default dtype and torch's modes are afterwards as they were.

    Parameters
    ----------
    function : callable
        The learner's function, or an nn.Module.
    *args, **kwargs
        What it is called with. Tensors are copied; all else is passed as it is.

    Raises
    ------
    UserFunctionError
        If `function` is not callable, or raises anything but KeyboardInterrupt.

    Examples
    --------
    >>> call(lambda X: X.add_(1).sum(), torch.zeros(2, 2))
    Call(value=tensor(4.), changed=('X',), printed='')
    """
    _check_callable(function)
    printed = _Printed(sys.stdout)

    def run() -> tuple[Any, list[Any]]:
        sys.stdout = printed
        copies = [_copy(value) for value in [*args, *kwargs.values()]]
        options = dict(zip(kwargs, copies[len(args) :], strict=True))
        return function(*copies[: len(args)], **options), copies

    try:
        value, after = _undone(printed.remove, lambda: settings_restored(run))
    except (KeyboardInterrupt, Stopped):
        raise
    except BaseException as error:
        name = name_of(function)
        failure = UserFunctionError(
            f"{name} raised {describe_error(error)}",
            "a result",
            f"Fix {name} and run this cell again.",
        )
        failure.printed = printed.text
        raise failure from error
    names = [*_argument_names(function, len(args)), *kwargs]
    arguments = zip(names, [*args, *kwargs.values()], after, strict=True)
    changed = tuple(name for name, old, new in arguments if _is_changed(old, new))
    return Call(value, changed, printed.text)
