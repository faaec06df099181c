"""The one way to edit: a frozen state goes in, a frozen result comes out.

Unidirectional data flow, as in Redux and Elm: ``state -> compute -> result -> view``. A control, a
line of code, a linked panel and undo all go through `Store.apply`, so each of them is refused and
undone in the same way.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, dataclass_transform

import numpy as np
import torch
import traitlets
from torch import Tensor

from convkit.errors import ConvkitError, check_choice

MAX_UNDO = 100
"""How many states `Store.undo` can go back to."""
MAX_UNDO_BYTES = 2**24
"""How many bytes the tensors of those states may have together."""
LOCK = threading.RLock()
"""Held while a store changes or a panel is made anew.

A front end may deliver messages in a thread of their own, beside a running cell. It is one lock
for all, because a change of one store may change others that follow it.
"""
MAX_NESTED = 8
"""How often a change may lead back to the same store before it is refused."""

Fields = Mapping[str, Any]
"""Names of a state's fields, and their new values."""


def equal(a: object, b: object) -> bool:
    """Return whether two values are the same; tensors compare by dtype, shape and bits.

    numpy arrays compare by dtype, shape and values.

    Examples
    --------
    >>> equal(torch.tensor([0.0]), torch.tensor([-0.0]))
    False
    >>> equal((1, torch.ones(2)), (1, torch.ones(2)))
    True
    """
    if a is b:
        return True
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(_bytes(a), _bytes(b))
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and bool(a == b)


def _bytes(values: Tensor) -> Tensor:
    return values.contiguous().view(torch.uint8)


@dataclass_transform(frozen_default=True, eq_default=False)
class State:
    """Base class of panel states: its subclasses are frozen dataclasses.

    Fields that are declared with `convkit.ui.fields` check, convert and copy what they are given.
    Two states are equal where all fields are, in the sense of `equal`.

    Raises
    ------
    ConvkitError
        If a field has the name of a method of states.

    Examples
    --------
    >>> class Window(State):
    ...     size: int = 3
    ...     stride: int = 1
    ...
    ...     def validate(self):
    ...         if self.stride > self.size:
    ...             raise ConvkitError("a stride above the size", "a smaller one", "Lower it.")
    ...
    ...     def converted(self):
    ...         return {"stride": max(1, self.stride)}
    >>> Window().replace(stride=2) == Window(3, 2), Window().checked({"size": 5})
    (True, {'size': 5})
    >>> Window(stride=-1).stride
    1
    >>> Window().replace(stride=4)
    Traceback (most recent call last):
    convkit.errors.ConvkitError: a stride above the size; expected a smaller one. Lower it.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in vars(cls).get("__annotations__", {}):
            if hasattr(State, name):
                given = f"a field is called {name}, as a method of states is"
                raise ConvkitError(given, "another name", "Rename it.")
        dataclass(frozen=True, eq=False)(cls)

    def __post_init__(self) -> None:
        for field in fields_of(self):
            vars(self)[field.name] = _kept(field, getattr(self, field.name))
        self._fit_together()

    def _fit_together(self) -> None:
        self.validate()
        vars(self).update(self.converted())

    def validate(self) -> None:
        """Raise ConvkitError if fields do not fit together; called after each one is checked."""

    def converted(self) -> Fields:
        """Return fields that take the form of others, such as their dtype; called after that."""
        return {}

    def replace(self, **changes: Any) -> Self:
        """Return a state with other values of some fields; only these are checked anew.

        Raises
        ------
        ConvkitError
            If there is no such field, or a value cannot work.
        """
        new = object.__new__(type(self))
        kept = {field.name: getattr(self, field.name) for field in fields_of(self)}
        vars(new).update(kept | self.checked(changes))
        new._fit_together()
        return new

    def checked(self, changes: Fields) -> dict[str, Any]:
        """Return other values of some fields as a state keeps them, each checked by itself.

        Raises
        ------
        ConvkitError
            As `replace` does.
        """
        known = {field.name: field for field in fields_of(self)}
        for name in changes:
            check_choice("field", name, known)
        return {name: _kept(known[name], value) for name, value in changes.items()}

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return not changed_fields(self, other)

    __hash__ = None  # type: ignore[assignment]


def _kept(field: dataclasses.Field[Any], value: Any) -> Any:
    """Return a value as a field keeps it: checked, and of a tensor a copy."""
    check = field.metadata.get("check")
    if check is not None:
        return check(field.name, value)
    return value.detach().clone() if isinstance(value, Tensor) else value


def fields_of(state: Any) -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of a state."""
    return dataclasses.fields(state)


def changed_fields(a: Any, b: Any) -> list[str]:
    """Return the names of the fields in which two states of one class differ.

    Examples
    --------
    >>> class Pair(State):
    ...     a: int
    ...     b: int
    >>> changed_fields(Pair(1, 2), Pair(1, 3))
    ['b']
    """
    names = [field.name for field in fields_of(a)]
    return [name for name in names if not equal(getattr(a, name), getattr(b, name))]


@dataclass(frozen=True)
class Edit:
    """What an event changes.

    Attributes
    ----------
    change : mapping or callable
        New values of fields, or a function that returns them, given the state at that time: an
        edit says what it changes and is applied to the state as it is when it arrives.
    group : str
        Successive edits of one group, such as the keys typed into one box, are one step of undo.
    takes_back : bool
        Whether it undoes the last edit instead, if that is of its group: what Esc means in a box.

    Examples
    --------
    >>> class Number(State):
    ...     n: int
    >>> Edit(lambda state: {"n": state.n + 1}).fields(Number(2))
    {'n': 3}
    """

    change: Fields | Callable[[Any], Fields]
    group: str = ""
    takes_back: bool = False

    def fields(self, state: Any) -> Fields:
        """Return the new values of fields."""
        return self.change(state) if callable(self.change) else self.change


Compute = Callable[[Any, Any], Any]
"""A function of a state and the previous result (or None), which it may reuse parts of."""
Adjust = Callable[[Any, Fields], Fields]
"""A function of a result and of edited fields, which returns them and what else has to change."""


@dataclass(frozen=True)
class Snapshot:
    """All that a store holds at one time; see `Store.snapshot`."""

    result: Any
    past: tuple[State, ...]
    future: tuple[State, ...]


class Store(traitlets.HasTraits):
    """The state of one panel, what was computed from it, and the states before and after.

    Fields that are declared with ``view=True`` only choose what is looked at, such as the step on
    show: changing them is no step of undo, and undo leaves them as they are.

    Parameters
    ----------
    start : State
        The first state; `reset` returns to it.
    compute : callable
        ``compute(state, previous)`` returns the result of a state, which has it as `state`, and
        has no side effects. The previous result, or None, is there so that unchanged parts need no
        second computation. It raises ConvkitError where a state cannot work.
    adjust : callable, optional
        ``adjust(result, fields)`` returns all that an edit of some fields changes: these, and
        others that have to fit them. It gets each value as the state keeps it.

    Attributes
    ----------
    result : object
        The current result; a new object after each change, so it can be observed.

    Raises
    ------
    ConvkitError
        If `compute` refuses the first state.

    Examples
    --------
    >>> class Number(State):
    ...     n: int
    >>> @dataclass(frozen=True)
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
    >>> store.redo(), store.reset(), store.state.n
    (None, None, 2)

    An edit that is taken back, as by Esc, and a return to an earlier time:

    >>> before = store.snapshot()
    >>> store.apply(Edit(lambda state: {"n": 10 * state.n}, "typing"))
    >>> store.apply(Edit({}, "typing", takes_back=True)), store.state.n
    (None, 2)
    >>> store.publish(Squared(store.state, -1)), store.result.square
    (None, -1)
    >>> store.restore(before), store.forget(), store.result.square, store.can_undo
    (None, None, 4, False)
    """

    result = traitlets.Any()

    def __init__(self, start: State, compute: Compute, adjust: Adjust | None = None) -> None:
        super().__init__()
        self._compute, self._adjust = compute, adjust
        self._view_fields = {f.name for f in fields_of(start) if f.metadata.get("view")}
        self._past: list[State] = []
        self._future: list[State] = []
        self._group = ""
        self._nested = 0
        self.result = self._first = compute(start, None)

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

    def set(self, group: str = "", /, **fields: Any) -> None:
        """Change fields of the state; a short form of `apply`.

        Raises
        ------
        ConvkitError
            If the state has no such field, or the new state cannot work; the current one stays.
        """
        self.apply(Edit(fields, group))

    def apply(self, edit: Edit) -> None:
        """Change the state as an edit says; nothing happens if the new state equals the current.

        Raises
        ------
        ConvkitError
            If the new state cannot work; the current one stays.
        """
        with LOCK:
            if edit.takes_back:
                if edit.group and edit.group == self._group:
                    self.undo()
                return
            fields = edit.fields(self.state)
            if self._adjust is not None:
                fields = self._adjust(self.result, self.state.checked(fields))
            self._go_to(self.state.replace(**fields), edit.group)

    def reset(self) -> None:
        """Return to the first result; `undo` takes this back."""
        with LOCK:
            self._go_to(self._first.state, "", self._first)

    def undo(self) -> None:
        """Return to the state before the last edit, if there is one."""
        self._travel(self._past, self._future)

    def redo(self) -> None:
        """Make the edit that was undone last again, if there is one."""
        self._travel(self._future, self._past)

    def publish(self, result: Any) -> None:
        """Make another result of the current state the current one, such as a finished one."""
        with LOCK:
            self._check_nesting()
            self._nested += 1
            try:
                self.result = result  # observers may change this store in turn
            finally:
                self._nested -= 1

    def snapshot(self) -> Snapshot:
        """Return all that the store holds, for `restore`."""
        return Snapshot(self.result, tuple(self._past), tuple(self._future))

    def restore(self, snapshot: Snapshot) -> None:
        """Return to a snapshot, as if what came after it had not happened."""
        with LOCK:
            self._past[:], self._future[:] = snapshot.past, snapshot.future
            self._group = ""
            self.result = snapshot.result

    def forget(self) -> None:
        """Free the states before and after the current one."""
        self._past.clear()
        self._future.clear()

    def _go_to(self, state: State, group: str, result: Any = None) -> None:
        changed = set(changed_fields(state, self.state))
        if not changed and (result is None or result is self.result):
            return
        self._check_nesting()
        if result is None:
            result = self._compute(state, self.result)
        if changed - self._view_fields:
            self._remember(group)
        self.publish(result)

    def _check_nesting(self) -> None:
        if self._nested >= MAX_NESTED:
            raise ConvkitError(
                "panels that follow each other change without end",
                "a ring of links that settles",
                "Call unfollow() on one of them.",
            )

    def _remember(self, group: str) -> None:
        """Make the current state the newest one that undo returns to."""
        if not group or group != self._group:
            self._past.append(self.state)
        self._future.clear()
        self._group = group
        del self._past[:-MAX_UNDO]
        while len(self._past) > 1 and _size(self._past) > MAX_UNDO_BYTES:
            del self._past[0]

    def _travel(self, source: list[State], target: list[State]) -> None:
        with LOCK:
            if not source:
                return
            view = {name: getattr(self.state, name) for name in self._view_fields}
            result = self._compute(source[-1].replace(**view), self.result)
            source.pop()
            target.append(self.state)
            self._group = ""
            self.publish(result)


def _size(states: Iterable[State]) -> int:
    """Return how many bytes the tensors of some states have; those that they share count once."""
    values = [getattr(state, field.name) for state in states for field in fields_of(state)]
    tensors = {id(tensor): tensor for tensor in _tensors(values)}
    return sum(tensor.nbytes for tensor in tensors.values())


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    """Yield the tensors among some values and in their tuples."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple):
            yield from _tensors(value)
