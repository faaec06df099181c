"""A panel: one widget model on one `Store`, whose page is what a view makes of each result.

``state -> compute -> result -> view(result) -> tree of nodes``. An event names a node of the last
tree, which says what to edit; what the edit changes in the tree goes back in one message.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from typing import Any

import anywidget
import traitlets
from markupsafe import Markup
from torch import Tensor
from traitlets.utils.bunch import Bunch

from convkit.errors import ConvkitError
from convkit.ops import one_thread
from convkit.ui import html, jobs, lifetime
from convkit.ui.events import edit_of
from convkit.ui.jobs import Job, Work
from convkit.ui.keys import find, keyed, keyed_parts, with_parts
from convkit.ui.messages import Event, difference, pixels_of, series_of, whole
from convkit.ui.nodes import Node
from convkit.ui.saved import saved
from convkit.ui.store import (
    LOCK,
    Adjust,
    Compute,
    Edit,
    Fields,
    State,
    Store,
    equal,
    fields_of,
)
from convkit.ui.styles import own_rules, stylesheet
from convkit.ui.text import words
from convkit.ui.theme import LOOKS, Scale
from convkit.ui.typed import InvalidInput

STATIC_NOTE = "Run this cell to make the panel live."
log = logging.getLogger("convkit")

View = Callable[[Any], Node]
"""A function of a result that returns a tree of nodes, and has no side effects."""


def _module() -> str:
    """Return the module, without the comments and indentation that each panel would send anew."""
    text = files("convkit.ui").joinpath("static", "panel.js").read_text("utf-8")
    lines = map(str.strip, text.splitlines())
    return "\n".join([line for line in lines if not line.startswith(("//", "/**"))])


def _is_of_the_page(node: Node) -> bool:
    """Return whether a node is a cursor whose place the page alone knows, as that of a lens."""
    return node.kind == "cursor" and node.cursor.choose is None


class Panel(anywidget.AnyWidget):
    """Show what `view` makes of a store's result, and edit the store as its nodes say.

    It is an ipywidget: it stands in an ``HBox`` or ``Tab`` beside others. Each field of its state
    is a trait of it, which can be set, observed and linked; tensors are copies.

    Parameters
    ----------
    start : State
        The first state.
    compute : callable
        ``compute(state, previous)`` returns the result of a state; see `Store`.
    view : callable
        ``view(result)`` returns a tree of nodes; it has no side effects.
    first : callable, optional
        ``first(result)`` returns the named nodes of the view that a learner waits for: after an
        edit they are sent before the rest of the view is made.
    rest_waits : bool
        Whether only `first` is made while a hand moves, and the rest when it rests.
    work : callable, optional
        ``work(result)`` returns the `Work` that completes a result, or None where it is complete.
    adjust : callable, optional
        ``adjust(result, fields)`` returns all that an edit of some fields changes; see `Store`.

    Attributes
    ----------
    style : str
        Further rules of a style sheet, which a subclass may have; their selectors start with a
        class of its own.
    store : Store
        The state, and what was computed from it.
    tree : Node
        What is on show.

    Raises
    ------
    ConvkitError
        If the first state cannot work.

    Examples
    --------
    >>> from convkit import ui
    >>> class Level(ui.State):
    ...     level: int = ui.fields.whole(1, 0, 9)
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Shown:
    ...     state: Level
    >>> def view(result):
    ...     return ui.header(f"The level is {result.state.level}.")
    >>> panel = Panel(Level(), lambda state, previous: Shown(state), view)
    >>> panel.level = 5
    >>> panel
    Panel: The level is 5.
    >>> panel.undo()
    >>> panel.level
    1
    >>> panel.redo(), panel.reset(), panel.trait_of(panel.store.result, "level")
    (None, None, 1)
    >>> sorted(panel.fallback()[0]), "The level is 1." in panel.saved_html()
    (['text/html'], True)
    """

    _esm = _module()
    style = ""
    # Whenever a page asks for it, it is the page of the present tree; edits send what changes.
    page = traitlets.Any().tag(sync=True, to_json=lambda _, panel: panel._page())

    def __init__(
        self,
        start: State,
        compute: Compute,
        view: View,
        *,
        first: Callable[[Any], Sequence[Node]] = lambda result: (),
        rest_waits: bool = False,
        work: Callable[[Any], Work | None] = lambda result: None,
        adjust: Adjust | None = None,
    ) -> None:
        alone = one_thread()
        self._compute, self._view, self._first = alone(compute), alone(view), alone(first)
        self._work, self._rest_waits = work, rest_waits
        # What is under way: "" outside of events, "move" or "do" in one, "progress" or "restore".
        self._error, self._answering = "", ""
        self._is_partial = False  # whether only what comes first is as the result says
        self._job: Job | None = None
        self._last_job: Job | None = None  # that has ended or was stopped
        self._stopped: tuple[Any, ...] | None = None  # the inputs of work that was stopped
        self._leave: Callable[[], None] | None = None
        lifetime.made(self)
        self.store = Store(start, self._full_compute, adjust)
        self._bare = self._view(self.store.result)
        self.tree = keyed(self._bare, self._completed)
        self._last_good = self.store.snapshot()
        self._css = stylesheet() + own_rules(self.style)
        super().__init__()
        # A field never hides what every panel has, such as `layout`; the store has it still.
        names = [f.name for f in fields_of(start) if not hasattr(self, f.name)]
        self.add_traits(**{name: StateField() for name in names})
        self.store.observe(self._on_result, "result")
        self.on_msg(self._on_message)

    def _full_compute(self, state: State, previous: Any) -> Any:
        """Compute a result; outside of events also the work that completes it."""
        result = self._compute(state, previous)
        work = None if self._answering else self._work(result)
        return result if work is None else work.complete(result)

    # What code does with a panel.

    def trait_of(self, result: Any, name: str) -> Any:
        """Return what the trait of a field says of a result: the state's field.

        A subclass may show a part of the result instead, such as a cell that is kept inside.
        """
        return getattr(result.state, name)

    @property
    def status(self) -> str:
        """What the status line says."""
        return next((str(node.words) for node in self.tree if node.kind == "status"), "")

    def undo(self) -> None:
        """Return to the state before the last edit, if there is one."""
        self.store.undo()

    def redo(self) -> None:
        """Make the edit that was undone last again, if there is one."""
        self.store.redo()

    def reset(self) -> None:
        """Return to the first state; `undo` takes this back."""
        self.store.reset()

    def follow(self, other: Panel, select: Callable[[Any], Fields]) -> None:
        """Take fields of the state from another panel's results, now and after each edit there.

        One panel is followed at a time. What is refused later shows in this panel's status line.

        Parameters
        ----------
        other : Panel
            The panel to follow.
        select : callable
            Takes a result of `other` and returns fields of this panel's state.

        Raises
        ------
        ConvkitError
            If `other` is no panel, or its present result is refused; then nothing is followed.

        Examples
        --------
        >>> from convkit.ui import explore
        >>> one, two = (explore(lambda n: f"{n} cells", n=(1, 9)) for _ in range(2))
        >>> two.follow(one, lambda result: {"n": result.state.n})
        >>> one.n = 7
        >>> two.n
        7
        """
        if not isinstance(other, Panel):
            given = f"a {type(other).__name__} to follow"
            raise ConvkitError(given, "a panel, such as a KernelEditor", "Pass the panel itself.")
        self.unfollow()
        self.store.apply(Edit(_selected(select, other.store.result), "follow"))

        def on_result(change: dict[str, Any]) -> None:
            with self._errors_shown():
                self._follow_event(_selected(select, change["new"]), other)

        other.store.observe(on_result, "result")
        self._leave = lambda: other.store.unobserve(on_result, "result")

    @property
    def is_following(self) -> bool:
        """Whether it takes fields from another panel."""
        return self._leave is not None

    def unfollow(self) -> None:
        """Stop following; the state stays as it is.

        Examples
        --------
        >>> from convkit.ui import explore
        >>> one, two = (explore(lambda n: f"{n} cells", n=(1, 9)) for _ in range(2))
        >>> two.follow(one, lambda result: {"n": result.state.n})
        >>> two.unfollow()
        >>> one.n = 7
        >>> two.n
        1
        """
        if self._leave is not None:
            self._leave()
            self._leave = None

    def _follow_event(self, fields: Fields, other: Panel) -> None:
        """Edit as another panel's edit asks; what takes seconds waits where that was an event."""
        self._error = ""
        with self._during("do" if other._answering else ""):
            self.store.apply(Edit(fields, "follow"))
            if self._answering:
                self._start_work()
                self._show_all()
            else:
                self._show_marks()

    @contextmanager
    def _during(self, what: str) -> Iterator[None]:
        """Note what is under way."""
        before = self._answering
        self._answering = what
        try:
            yield
        finally:
            self._answering = before

    def close(self) -> None:
        """Close the panel, and free what it holds; its last state stays."""
        if hasattr(self, "tree"):  # else it was refused while it was made
            self.unfollow()
            self._stop_job()
            self.store.unobserve_all()
            self.store.forget()
            self._last_good = self.store.snapshot()
            self.layout.close()  # a widget too
        super().close()

    # From the store to the page.

    def _completed(self, node: Node) -> Mapping[str, Any]:
        """Return properties in which the status shows errors and work, the history what it can."""
        if node.kind == "history":
            return {"can_undo": self.store.can_undo, "can_redo": self.store.can_redo}
        if node.kind != "status":
            return node.props
        if self._error:
            return {**node.props, "words": self._error, "is_error": True}
        if self._job is not None:
            busy = {"words": self._job.words, "is_busy": True, "is_error": False}
            return {**node.props, **busy}
        return node.props

    def _page(self) -> dict[str, Any]:
        """Return all that a page needs to show the present tree."""
        self._end_pointing()
        if self._is_partial:
            with self._errors_shown():
                self._show_all()
        series = {key: list(each.data) for key, each in series_of(self.tree).items()}
        shown = {
            "html": str(html.render(self.tree)),
            "pixels": pixels_of(self.tree),
            "series": series,
        }
        return {**shown, "palettes": {look: Scale(look, 0, 1).palette for look in LOOKS}}

    def _end_pointing(self) -> None:
        """Leave what is pointed at: no pointer is on a page that comes."""
        if self._answering:
            return
        with LOCK:
            before = self.store.result
            with self._during("move"):
                for node in self.tree:
                    if node.kind == "cursor" and node.cursor.point is not None:
                        self.store.apply(edit_of(node, "point", None) or Edit({}))
            if self.store.result is not before:
                self._show_all()

    def _on_result(self, change: dict[str, Any]) -> None:
        with LOCK:
            try:
                self._notify(change["old"], change["new"])
            finally:  # also where an observer fails
                self._show_result()

    def _show_result(self) -> None:
        if not self._answering:
            self._error = ""
            self._stop_job()
            self._show_all()
        elif self._answering == "do":
            self._send_changes(self._with_first())

    def _notify(self, before: Any, after: Any) -> None:
        """Tell observers of the traits what has changed."""
        for name in self.traits(is_field=True):
            old, new = self.trait_of(before, name), self.trait_of(after, name)
            if not equal(old, new):
                change = Bunch(name=name, owner=self, type="change", old=old, new=new)
                self.notify_change(change)

    def _with_first(self) -> Node:
        """Return the tree on show, with what a learner waits for as the result says."""
        with self._or_back():
            parts = keyed_parts(self._first(self.store.result), self._completed)
        return with_parts(self.tree, parts)

    def _show_all(self, back: str = "", **answer: Any) -> None:
        """Make the view anew and send what changed; where it fails, return to the last good state.

        A fault in a panel's `view` or `first` would else leave a page that shows another state
        than there is.
        """
        with self._or_back():
            bare = self._view(self.store.result)
            tree = keyed(bare, self._completed)
        self._bare, self._last_good, self._is_partial = bare, self.store.snapshot(), False
        self._send_changes(tree, back, **answer)

    @contextmanager
    def _or_back(self) -> Iterator[None]:
        """Return to the last state that could be shown where the present one cannot."""
        try:
            yield
        except Exception:
            self._restore()
            raise

    def _restore(self) -> None:
        """Return to the last state that could be shown, and to its page."""
        self._stop_job()
        with self._during("restore"):
            self.store.restore(self._last_good)
        self._is_partial = False
        self._send_changes(keyed(self._bare, self._completed))

    def _show_marks(self, back: str = "", **answer: Any) -> None:
        """Send what changed of the status and the history alone."""
        marks = [node for node in self._bare if node.kind in ("status", "history")]
        parts = keyed_parts(marks, self._completed)
        self._send_changes(with_parts(self.tree, parts), back, **answer)

    def _send_changes(self, tree: Node, back: str = "", **answer: Any) -> None:
        """Send what is new in a tree, in one message, and the node that goes `back` in any case."""
        content, buffers = difference(self.tree, tree)
        self.tree = tree
        returned = find(tree, back) if back else None
        if returned is not None and not _is_of_the_page(returned):
            content["patches"][back] = str(html.render(returned))
        if any(content.values()) or answer:
            self.send({**content, **answer}, buffers)

    # From the page to the store.

    def _on_message(self, _: object, content: object, buffers: Sequence[Any]) -> None:
        event = Event.read(content, buffers)
        with LOCK, one_thread():
            if event is not None:
                self._answer(event)
            elif content == {"rest": True}:  # a hand rests
                with self._errors_shown():
                    self._show_all()
            elif content == {"refresh": True}:  # a page that has missed messages
                self.send(*whole(self.tree))

    def _answer(self, event: Event) -> None:
        """Edit as an event asks, and send what changed."""
        is_move = self._rest_waits and event.is_moving
        answer: dict[str, Any] = {"page": event.page, "ref": event.ref}
        with self._during("move" if is_move else "do"):
            try:
                back = self._perform(event, answer)
                self._is_partial = is_move and not self._error
                self._show_answer(back, **answer)
            except Exception as error:
                self._error = self._explained(error)
                self._show_marks(event.key, **answer)

    def _perform(self, event: Event, answer: dict[str, Any]) -> str:
        """Edit as an event asks; return the key of the control that goes back, if one does.

        What is refused leaves the state as it is, and the status line says why. A text that is
        not finished stays in its box. What was chosen shows what has become of it, which is
        nothing where the event came late.
        """
        self._error, back = "", event.key if event.name in ("set", "choose") else ""
        try:
            self._do(event)
            self._start_work()
        except InvalidInput as error:
            self._error = str(error)
        except Exception as error:
            self._error = self._explained(error)
            back = event.key
        if self._error:
            answer["refused"] = html.writable(self._error)
        return back

    def _show_answer(self, back: str, **answer: Any) -> None:
        if self._is_partial:
            self._send_changes(self._with_first(), partial=True, **answer)
        else:
            self._show_all(back, **answer)

    def _do(self, event: Event) -> None:
        node = find(self.tree, event.key)
        match node and node.kind, event.value:
            case None, _:
                return
            case "history", "undo" | "redo" | "reset":
                getattr(self, event.value)()
                return
            case "status", "stop" if self._job is not None:
                self._stopped = self._job.work.inputs
                self.store.publish(self._job.so_far(self.store.result))
                self._stop_job()
                return
        edit = edit_of(node, event.name, event.value, event.buffers)  # type: ignore[arg-type]
        if edit is not None:
            group = f"{edit.group} {event.page} {event.stroke}" if edit.group else ""
            self.store.apply(replace(edit, group=group))

    def _explained(self, error: Exception) -> str:
        """Return what the status line says of an error; one of ours is logged too."""
        if isinstance(error, ConvkitError):
            return str(error)
        log.error("%s failed", type(self).__name__, exc_info=error)
        return f"This is a fault of the panel: {type(error).__name__}: {error}"

    @contextmanager
    def _errors_shown(self) -> Iterator[None]:
        """Show an exception in the status line instead of raising it."""
        try:
            yield
        except Exception as error:
            self._error = self._explained(error)
            self._show_marks()

    # Work that takes seconds.

    def _start_work(self) -> None:
        """Start what completes the present result; give it a moment to end."""
        work = self._work(self.store.result)
        if work is None:
            self._stop_job()
            return
        if equal(work.inputs, self._stopped) or self._is_running(work):
            return
        self._stopped = None
        job = Job(work, self._on_done, self._on_progress, after=self._job or self._last_job)
        self._job = job
        if job.wait(jobs.PATIENCE):
            self._finish(job)

    def _is_running(self, work: Work) -> bool:
        return self._job is not None and equal(self._job.work.inputs, work.inputs)

    def _stop_job(self) -> None:
        if self._job is not None:
            self._job.stop()
            self._last_job, self._job = self._job, None  # newer work waits for its end

    def _finish(self, job: Job) -> None:
        self._last_job, self._job = job, None
        self.store.publish(job.completed(self.store.result))

    def _on_done(self, job: Job) -> None:
        with LOCK:
            if self._job is job:
                with self._errors_shown():
                    self._finish(job)

    def _on_progress(self, job: Job) -> None:
        if not LOCK.acquire(blocking=False):
            return  # an event waits for the job, and must not wait in vain
        try:
            if self._job is job:
                with self._errors_shown():
                    self._show_progress(job)
        finally:
            LOCK.release()

    def _show_progress(self, job: Job) -> None:
        """Show how much is done, and the result so far."""
        if job.value is None:
            self._show_marks()
            return
        with self._during("progress"):
            self.store.publish(job.so_far(self.store.result))
        self._show_all()

    # Where nothing runs.

    _ipython_display_ = None  # of ipywidgets 7: it would show the live view alone

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {words(self.tree)}"

    def saved_html(self) -> Markup:
        """Return the panel as a saved notebook shows it: HTML without script."""
        return saved(self.tree, STATIC_NOTE, self.style, type(self).__name__)

    def fallback(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what is stored beside the live view, by MIME type, and its metadata."""
        return {"text/html": self.saved_html()}, {}

    @one_thread()
    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        lifetime.shown(self)
        live = super()._repr_mimebundle_(**options)
        data = live[0] if isinstance(live, tuple) else live
        stored, metadata = self.fallback()
        return {**(data or {}), **stored, "text/plain": repr(self)}, metadata


class StateField(traitlets.TraitType[Any, Any]):
    """A trait that is a field of a panel's state: setting it is an edit, which may be refused."""

    metadata = {"is_field": True}

    def get(self, obj: Any, cls: Any = None) -> Any:
        """Return the field of the current state; a tensor is copied."""
        value = obj.trait_of(obj.store.result, self.name)
        return value.clone() if isinstance(value, Tensor) else value

    def set(self, obj: Any, value: Any) -> None:
        """Edit the state."""
        obj.store.apply(Edit({self.name: value}))


def _selected(select: Callable[[Any], Fields], result: Any) -> Fields:
    """Return the fields that a learner's `select` gives for a result."""
    try:
        return select(result)
    except ConvkitError:
        raise
    except Exception as error:
        given = f"the function given to follow() raised {type(error).__name__}: {error}"
        raise ConvkitError(given, "fields of the state", "Correct it, and follow again.") from error
