"""`explore(function, **controls)`: a panel of any function, as ipywidgets' interact is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor

from convkit import formatting, user_function
from convkit.errors import ConvkitError
from convkit.ui import nodes
from convkit.ui.controls import Control, control_of
from convkit.ui.jobs import Report, Work
from convkit.ui.nodes import Node
from convkit.ui.panel import Panel
from convkit.ui.store import State
from convkit.ui.values import nodes_of
from convkit.user_function import Stopped, UserFunctionError

RESERVED = frozenset(dir(Panel)) | {"store", "tree"}
"""Names that a field of a state cannot be set by: a panel has them for itself."""


@dataclass(frozen=True)
class Explored:
    """What a function did with the values of its controls.

    Attributes
    ----------
    state : State
        The values.
    value : object
        What it returned; while it runs, or after a failure, what it returned before.
    shown : tuple of Node
        The same as nodes.
    failure : str
        Why it failed, if it did.
    printed : str
        What it printed.
    is_complete : bool
        Whether it has run for these values.
    """

    state: Any
    value: Any = None
    shown: tuple[Node, ...] = ()
    failure: str = ""
    printed: str = ""
    is_complete: bool = False


def explore(function: Callable[..., Any], /, **controls: Any) -> Panel:
    """Return a panel that shows ``function(**values)``, with a control for each argument.

    Parameters
    ----------
    function : callable
        Returns a tensor (H, W), a node, a lens, a matplotlib figure or a text, or a dict of these.
    **controls
        ``(low, high)`` and ``(low, high, start)`` make a slider, a list or a dict a list of values
        to choose from, a bool a box to tick, a number or a text a box to type in, a `Pair` a box
        for one whole number or two, a tensor (H, W) a grid of number boxes, and a `Painted` a
        picture to paint.

    Raises
    ------
    ConvkitError
        If a control is of another kind, or has the name of what every panel has, such as `page`.

    Examples
    --------
    >>> import torch
    >>> explore(lambda n: torch.eye(n), n=(2, 9, 3))
    Panel: n = 3.
    n: 3
    result: 3 × 3, from 0 to 1, digest ...
    """
    for name in controls:
        if name in RESERVED:
            given = f"an argument is called {name}, as a part of every panel is"
            hint = f"Rename it: explore(lambda {name}_: ..., {name}_=...)."
            raise ConvkitError(given, "another name", hint)
    made = {name: control_of(name, given) for name, given in controls.items()}

    def compute(state: State, previous: Explored | None) -> Explored:
        if previous is None:
            return Explored(state)
        return Explored(state, previous.value, previous.shown)

    def work(result: Explored) -> Work | None:
        if result.is_complete:
            return None
        kept = {name: getattr(result.state, name) for name in made}
        values = {name: control.argument(kept[name]) for name, control in made.items()}
        words = f"running {user_function.name_of(function)}"
        return Work(partial(_run, function, values), _finish, words, tuple(kept.values()))

    def view(result: Explored) -> Node:
        return _view(result, [c.node(getattr(result.state, n)) for n, c in made.items()])

    return Panel(_state_class(made)(), compute, view, work=work)


def _state_class(made: Mapping[str, Control]) -> type[State]:
    """Return a class of states with a field for each control."""
    kinds: dict[str, Any] = dict.fromkeys(made, Any)
    fields = {name: control.field for name, control in made.items()}
    return type("Values", (State,), {"__annotations__": kinds, **fields})


def _run(function: Callable[..., Any], values: Mapping[str, Any], report: Report) -> Explored:
    """Run the function, and make nodes of what it returns; either may fail."""
    try:
        made = user_function.call(function, **values)
        shown = _shown(function, made.value, values)
    except UserFunctionError as error:
        return Explored(None, failure=str(error))
    return Explored(None, made.value, shown, printed=made.printed)


def _shown(function: Callable[..., Any], value: Any, taken: Iterable[str]) -> tuple[Node, ...]:
    try:
        return nodes_of(value, taken)
    except Stopped:
        raise
    except user_function.FAILURES as error:
        name = user_function.name_of(function)
        raise UserFunctionError(
            f"what {name} returned cannot be shown: {user_function.describe_error(error)}",
            "a tensor (H, W), a figure, a node, a lens or a text",
            f"Change what {name} returns.",
        ) from error


def _finish(result: Explored, made: Explored) -> Explored:
    if made.failure:
        return replace(result, failure=made.failure, is_complete=True)
    return replace(made, state=result.state, is_complete=True)


def _view(result: Explored, controls: Sequence[Node]) -> Node:
    kept = [f"{name} = {_brief(value)}" for name, value in vars(result.state).items()]
    return nodes.column(
        nodes.header(result.failure or f"{', '.join(kept)}.", is_error=bool(result.failure)),
        nodes.row(*(nodes.labelled(node) for node in controls)),
        nodes.box(*result.shown, css="arrays"),
        nodes.text(result.printed, "mono") if result.printed else None,
    )


def _brief(value: Any) -> str:
    if isinstance(value, Tensor):
        return formatting.size(value.shape)
    return formatting.minus(str(value)) if isinstance(value, int | float) else str(value)
