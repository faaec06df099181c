"""The one way to edit a panel: a state goes in, a computed result comes out, and both are frozen.

Unidirectional data flow, as in Redux: ``state -> compute -> result -> paint``. A control, a line of
code, a linked panel, undo and a replay all go through `Store.set`, so each of them is refused,
undone and logged in the same way.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

import torch
import traitlets
from torch import Tensor

from convkit.errors import ConvkitError, check_choice

MAX_UNDO = 100
"""How many states `Store.undo` can go back to."""
LOCK = threading.RLock()
"""Held while a store changes or a panel paints.

A front end may deliver messages in a thread of their own, beside a running cell. It is one lock
for all, because a change of one store may change others that follow it.
"""
MAX_NESTED = 8
"""How often a change may lead back to the same store before it is refused."""

SomeState = TypeVar("SomeState", bound="State")


def equal(a: object, b: object) -> bool:
    """Return whether two values are the same; tensors compare by dtype, shape and bits.

    Examples
    --------
    >>> equal(torch.tensor([0.0]), torch.tensor([-0.0]))
    False
    >>> equal((1, 2), (1, 2))
    True
    """
    if not (isinstance(a, Tensor) and isinstance(b, Tensor)):
        return a is b or (type(a) is type(b) and a == b)
    if a is b:
        return True
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return torch.equal(a.contiguous().view(torch.uint8), b.contiguous().view(torch.uint8))


class State:
    """Base class of panel states, which are frozen dataclasses declared with ``eq=False``.

    Two states are equal where all fields are, in the sense of `equal`.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True, eq=False)
    ... class Brightness(State):
    ...     X: Tensor
    >>> Brightness(torch.ones(2)) == Brightness(torch.ones(2))
    True
    """

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        return all(equal(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]


class Result(Protocol):
    """What `compute` returns: the state it was computed from, and all that a panel paints."""

    @property
    def state(self) -> Any:
        """The state that this is the result of."""


Compute = Callable[[Any, Any], Any]
"""A function of a state and the previous result (or None), which it may reuse parts of."""


class Store(traitlets.HasTraits):
    """The state of one panel, what was computed from it, and the states before and after.

    Parameters
    ----------
    start : State
        The first state; `reset` returns to it.
    compute : callable
        ``compute(state, previous)`` returns the result of a state and has no side effects. The
        previous result, or None, is there only so that unchanged parts need no second
        computation. It raises ConvkitError where a state cannot work.
    view_fields : iterable of str
        Fields that only choose what is looked at, such as the step on show. Changing them is
        logged, but is no step of undo, and undo leaves them as they are.

    Attributes
    ----------
    result : Result
        The current result; a new object after each change, so it can be observed.
    log : list of dict
        All that was done, from which `replay` rebuilds this store.

    Raises
    ------
    ConvkitError
        If `compute` refuses the first state.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True, eq=False)
    ... class Number(State):
    ...     n: int
    >>> @dataclasses.dataclass(frozen=True, eq=False)
    ... class Squared:
    ...     state: Number
    ...     square: int
    >>> store = Store(Number(2), lambda state, previous: Squared(state, state.n**2))
    >>> store.set("n", n=5)
    >>> store.result.square
    25
    >>> store.undo()
    >>> store.result.square
    4
    """

    result = traitlets.Any()

    def __init__(self, start: State, compute: Compute, *, view_fields: Iterable[str] = ()) -> None:
        super().__init__()
        self._compute = compute
        self._view_fields = frozenset(view_fields)
        self._past: list[State] = []
        self._future: list[State] = []
        self._label = ""
        self._nested = 0
        self.log: list[dict[str, Any]] = []
        self.result = compute(start, None)
        self._start = self.state

    @property
    def state(self) -> Any:
        """The current state."""
        return self.result.state

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone edit to redo."""
        return bool(self._future)

    def set(self, label: str = "", **fields: Any) -> None:
        """Change fields of the state.

        Successive changes with the same label, such as the keys typed into one box, are one step
        of undo. Tensors are copied. Nothing happens if the new state equals the current one.

        Raises
        ------
        ConvkitError
            If the state has no such field, or the new state cannot work; the current one stays.
        """
        with LOCK:
            for name in fields:
                check_choice(
                    "field", name, [field.name for field in dataclasses.fields(self.state)]
                )
            fields = _copied(fields)
            state = dataclasses.replace(self.state, **fields)
            if state == self.state:
                return
            self._check_nesting()
            result = self._compute(state, self.result)
            if self._differ(state, self.state):
                self._remember(label)
            self._write_log(label, fields, result.state)
            self._publish(result)

    def _check_nesting(self) -> None:
        if self._nested >= MAX_NESTED:
            raise ConvkitError(
                "panels that follow each other change without end",
                "a ring of links that settles",
                "Call unfollow() on one of them.",
            )

    def _publish(self, result: Any) -> None:
        """Make a result the current one; observers of it may change this store in turn."""
        self._nested += 1
        try:
            self.result = result
        finally:
            self._nested -= 1

    def undo(self) -> None:
        """Return to the state before the last edit, if there is one."""
        self._travel("undo", self._past, self._future)

    def redo(self) -> None:
        """Make the edit that was undone last again, if there is one."""
        self._travel("redo", self._future, self._past)

    def reset(self) -> None:
        """Return to the first state; `undo` takes this back."""
        with LOCK:
            if self.state == self._start:
                return
            result = self._compute(self._start, self.result)
            if self._differ(self._start, self.state):
                self._remember("")
            self.log.append({"do": "reset"})
            self.result = result

    def _differ(self, a: State, b: State) -> bool:
        """Return whether two states differ in more than what is looked at."""
        names = {field.name for field in dataclasses.fields(a)} - self._view_fields  # type: ignore[arg-type]
        return any(not equal(getattr(a, name), getattr(b, name)) for name in names)

    def _remember(self, label: str) -> None:
        """Make the current state the newest one that undo returns to."""
        if not label or label != self._label:
            self._past.append(self.state)
            del self._past[:-MAX_UNDO]
        self._future.clear()
        self._label = label

    def _write_log(self, label: str, fields: dict[str, Any], state: State) -> None:
        """Log a change; one that continues the last change takes its place.

        A change back to where undo leads is logged by itself, because a replay of it alone would
        change nothing and so make no step of undo.
        """
        entry = {"do": "set", "label": label, "fields": fields}
        last = self.log[-1] if self.log else {}
        continues = label and last.get("label") == label and last["fields"].keys() == fields.keys()
        if continues and (not self._past or self._differ(state, self._past[-1])):
            self.log.pop()
        self.log.append(entry)

    def _travel(self, name: str, source: list[State], target: list[State]) -> None:
        with LOCK:
            if not source:
                return
            view = {field: getattr(self.state, field) for field in self._view_fields}
            state = dataclasses.replace(source[-1], **view)  # type: ignore[type-var]
            result = self._compute(state, self.result)
            source.pop()
            target.append(self.state)
            self._label = ""
            self.log.append({"do": name})
            self.result = result


def replay(
    log: Iterable[Mapping[str, Any]],
    start: State,
    compute: Compute,
    *,
    view_fields: Iterable[str] = (),
) -> Store:
    """Return a new store in which everything of a log was done again.

    Its state and its undo steps equal those of the store that wrote the log.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True, eq=False)
    ... class Number(State):
    ...     n: int
    >>> @dataclasses.dataclass(frozen=True, eq=False)
    ... class Shown:
    ...     state: Number
    >>> compute = lambda state, previous: Shown(state)
    >>> store = Store(Number(1), compute)
    >>> store.set("n", n=7)
    >>> replay(store.log, Number(1), compute).state == store.state
    True
    """
    store = Store(start, compute, view_fields=view_fields)
    for entry in log:
        if entry["do"] == "set":
            store.set(entry["label"], **entry["fields"])
        else:
            getattr(store, entry["do"])()
    return store


def _copied(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.detach().clone() if isinstance(value, Tensor) else value
        for name, value in fields.items()
    }
