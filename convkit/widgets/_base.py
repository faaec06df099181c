"""What all panels share: a store, handlers that answer in words, and a status line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from importlib.resources import files
from typing import Any

import ipywidgets as widgets
import torch
from ipywidgets import Widget

from convkit.errors import ConvkitError
from convkit.state.store import LOCK, Store
from convkit.views import html as tables
from convkit.widgets._batch import Batch
from convkit.widgets._part import Part
from convkit.widgets._typed import InvalidInput
from convkit.widgets.history import History
from convkit.widgets.links import Links
from convkit.widgets.status import Status

SHEETS = ("panel", "kernel_editor", "descent_stepper")
_STATIC = files("convkit.widgets").joinpath("static")
STYLE = tables.STYLE + "".join([_STATIC.joinpath(f"{n}.css").read_text("utf-8") for n in SHEETS])
STATIC_NOTE = "Run this cell to make the panel live."
PAINT_DELAY = 0.03
"""Seconds between the picture that answers an edit and the rest of the panel.

What arrives in the browser together is painted together, so the rest would hold the picture up.
"""
log = logging.getLogger("convkit")


class Panel(widgets.VBox):
    """A framed column of parts and controls on one `Store`, with a status line.

    A subclass passes its store and children here, connects its controls with `bind`, and defines
    `paint`, `summary` and `fallback`. CONTRIBUTING has a worked example.

    Parameters
    ----------
    store : Store
        Holds the state; every change of it is painted.
    children : sequence of Widget
        The parts and controls, from top to bottom; put `self.header()` first.

    Attributes
    ----------
    links : Links
        Makes parts follow each other in the browser, without the kernel.

    Raises
    ------
    TypeError
        If a subclass lacks `paint`, `summary` or `fallback`.

    Examples
    --------
    >>> from convkit.widgets import KernelEditor
    >>> panel = KernelEditor(padding=1)
    >>> panel.store.set(stride=2)
    >>> panel.status
    'Output 64 × 64, ...'
    """

    paint_delay = PAINT_DELAY
    _cleanups: tuple[Callable[[], None], ...] = ()  # none before a panel is made
    _hidden: tuple[Widget, ...] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in ("paint", "summary", "fallback"):
            if getattr(cls, name) is getattr(Panel, name):
                raise TypeError(f"{cls.__name__} must define {name}()")

    def __init__(self, store: Store, children: Sequence[Widget]) -> None:
        style = html(f"<style>{STYLE}</style>")
        style.layout.display = "none"
        super().__init__([style, *children])
        torch.set_num_threads(1)  # small arrays: threads only make many kernels wait for each other
        self.add_class("ck-panel")
        self.store = store
        self._is_painting = False
        self._in_browser_event = False
        self._timer: asyncio.TimerHandle | None = None
        self._refusal = ""  # why a text was not taken that came after the edit being painted
        self._leave: Callable[[], None] | None = None
        self._batch, self.links = Batch(self._on_reload), Links()
        self._hidden = self._batch, self.links
        self._cleanups = (self.unfollow, self._cancel_timer, store.unobserve_all)
        store.observe(self._on_result, "result")
        self._answer_together()
        self._paint_all()

    # What a subclass defines.

    def paint_first(self, result: Any) -> None:
        """Show what a learner waits for; `paint` follows at once, or shortly after an edit.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> panel.set_status("working", "busy")
        >>> panel.paint_first(panel.store.result)  # an editor's output picture, not its status
        >>> panel.status
        'working'
        """

    def paint(self, result: Any) -> None:
        """Show a result: set every part and control to it.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> panel.set_status("working", "busy")
        >>> panel.paint(panel.store.result)
        >>> panel.status
        'Output 126 × 126, ...'
        """

    def summary(self) -> str:
        """Return the panel's state in words, the same on every run; nbval compares it.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> print(panel.summary())
        KernelEditor: cross-correlation, padding 0, stride 1, dilation 1...
        """
        raise NotImplementedError

    def fallback(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a saved notebook shows of this panel: data and metadata by MIME type.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> data, metadata = panel.fallback()
        >>> sorted(data)
        ['image/png', 'text/plain']
        """
        raise NotImplementedError

    def busy_text(self) -> str:
        """Return what to say while an edit is worked out; nothing where that is quick.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> KernelEditor().busy_text()
        ''
        """
        return ""

    # Editing.

    def bind(
        self,
        control: Widget,
        label: str,
        fields: Callable[[Any], dict[str, Any]],
        trait: str = "value",
    ) -> None:
        """Make a control edit the state: its new value becomes ``store.set(**fields(value))``.

        `label` says which edits in a row are one step of undo; an empty one makes each its own. A
        box whose text cannot be read is marked until it can.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> slider = widgets.IntSlider(0, 0, 9)
        >>> panel.bind(slider, "padding", lambda value: {"padding": value})
        >>> slider.value = 2
        >>> panel.padding
        2
        """

        def read(value: Any) -> dict[str, Any]:
            try:
                return fields(value)
            except InvalidInput:
                control.add_class("ck-refused")
                raise

        def on_change(change: dict[str, Any]) -> None:
            with LOCK:
                control.remove_class("ck-refused")
                self.edit(label, read, change["new"])

        control.observe(on_change, trait)

    def edit(self, label: str, fields: Callable[..., dict[str, Any]], *values: Any) -> None:
        """Edit the state as a control does: an exception is shown, and the last state stays.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> panel.edit("stride", lambda: {"stride": 0})
        >>> panel.status, panel.stride
        ('stride is 0; ...', 1)
        """
        with LOCK, self.show_errors(), self._browser_event():
            if self._is_painting:
                return
            changes = fields(*values)
            if self.busy_text():
                self.set_status(self.busy_text(), "busy")
            self._set(label, changes)

    def _set(self, label: str, fields: dict[str, Any]) -> None:
        """Change the state; where it stays the same, an earlier error may still be on show."""
        before = self.store.result
        self.store.set(label, **fields)
        if self.store.result is before:
            self._paint_all()

    def repaint(self, _: object = None) -> None:
        """Paint the current result again, for a control that only changes what is shown.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> panel.set_status("working", "busy")
        >>> panel.repaint()
        >>> panel.status
        'Output 126 × 126, ...'
        """
        with LOCK, self.show_errors():
            if not self._is_painting:
                self._paint_all()

    def undo(self) -> None:
        """Return to the state before the last edit.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> panel.padding = 1
        >>> panel.undo()
        >>> panel.padding
        0
        """
        self.store.undo()

    def redo(self) -> None:
        """Make the edit that was undone last again.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> panel.padding = 1
        >>> panel.undo(), panel.redo()
        (None, None)
        >>> panel.padding
        1
        """
        self.store.redo()

    def reset(self) -> None:
        """Return to the first state; `undo` takes this back.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> panel.padding, panel.stride = 1, 2
        >>> panel.reset()
        >>> panel.padding, panel.stride
        (0, 1)
        """
        self.store.reset()

    @contextmanager
    def show_errors(self) -> Iterator[None]:
        """Show an exception in the status line instead of raising it; the last state stays.

        A text that is not finished stays in its box; all else is painted as the state is. An
        exception that is not a ConvkitError is a fault of convkit, so it is logged too.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> with panel.show_errors():
        ...     panel.stride = 0
        >>> panel.status
        'stride is 0; ...'
        """
        try:
            yield
        except InvalidInput as error:
            self._refuse(str(error))
        except ConvkitError as error:
            self._paint_all()
            self.set_status(str(error), "error")
        except KeyboardInterrupt:  # of a learner's slow function
            self._paint_all()
            self.set_status("Interrupted: the last state stays.", "error")
            raise
        except Exception as error:
            log.exception("%s failed", type(self).__name__)
            self._paint_all()
            self.set_status(f"This is a fault of convkit: {type(error).__name__}: {error}", "error")

    def _on_typing_error(self, change: dict[str, Any]) -> None:
        """Show the `error` of an `ArrayEditor`; the box keeps its text, to be finished."""
        if change["new"]:
            self._refuse(change["new"])
        else:
            self.repaint()

    def _refuse(self, text: str) -> None:
        """Say why a text was not taken, also after what is still to be painted."""
        self._refusal = text
        self.set_status(text, "error")

    def _on_reload(self) -> None:
        """Prepare for a page that has been loaded again."""

    # The status line.

    @property
    def status_line(self) -> Status:
        """The part that shows and announces messages."""
        if not hasattr(self, "_status_line"):
            self._status_line = Status()
        return self._status_line

    @property
    def _history(self) -> History:
        if not hasattr(self, "_history_part"):
            actions = {"undo": self.undo, "redo": self.redo, "reset": self.reset}
            self._history_part = History(
                {name: partial(self._press, action) for name, action in actions.items()}
            )
        return self._history_part

    @property
    def status(self) -> str:
        """What the status line says."""
        return self.status_line.text

    def set_status(self, text: str, kind: str = "note") -> None:
        """Show a message of kind "note", "error" or "busy"; screen readers announce it.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> panel.set_status("running your corr2d", "busy")
        >>> panel.status_line
        Status (busy): running your corr2d
        """
        with self.status_line.hold_sync():
            self.status_line.text, self.status_line.kind = text, kind

    def header(self, *extra: Widget) -> widgets.HBox:
        """Return the first line of a panel: the status line, more controls, undo, redo, reset.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> KernelEditor().header().children
        (Status (note): ..., History: reset)
        """
        line = row(self.status_line, *extra, self._history)
        line.add_class("ck-head")
        return line

    def _press(self, action: Callable[[], None]) -> None:
        with LOCK, self.show_errors():
            action()

    # Following another panel.

    def follow(self, other: Panel, select: Callable[[Any], dict[str, Any]]) -> None:
        """Take fields of the state from another panel's results, now and after each edit there.

        One panel is followed at a time. What is refused later shows in this panel's status line.

        Raises
        ------
        ConvkitError
            If `other` is no panel, or its present result is refused; then nothing is followed.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel, other = KernelEditor(), KernelEditor()
        >>> panel.follow(other, lambda result: {"padding": result.state.padding})
        >>> other.padding = 1
        >>> panel.padding
        1
        """
        if not isinstance(other, Panel):
            given = f"a {type(other).__name__} to follow"
            raise ConvkitError(given, "a panel, such as a KernelEditor", "Pass the panel itself.")
        self.unfollow()
        self.store.set("", **select(other.store.result))

        def on_result(change: dict[str, Any]) -> None:
            with self.show_errors():
                self._set("", select(change["new"]))

        other.store.observe(on_result, "result")
        self._leave = lambda: other.store.unobserve(on_result, "result")

    def unfollow(self) -> None:
        """Stop following; the state stays as it is.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel, other = KernelEditor(), KernelEditor(padding=1)
        >>> panel.follow(other, lambda result: {"padding": result.state.padding})
        >>> panel.unfollow()
        >>> other.padding = 2
        >>> panel.padding
        1
        """
        if self._leave is not None:
            self._leave()
            self._leave = None

    # Painting.

    def _on_result(self, change: dict[str, Any]) -> None:
        if not self._in_browser_event:
            self._paint_all()
            return
        with self._painting_together():
            self.paint_first(change["new"])
        self._paint_later()

    def _paint_all(self) -> None:
        self._cancel_timer()
        with self._painting():
            self.paint_first(self.store.result)
            self._paint_second()

    def _paint_second(self) -> None:
        self.paint(self.store.result)
        with self._history.hold_sync():
            self._history.can_undo, self._history.can_redo = (
                self.store.can_undo,
                self.store.can_redo,
            )

    def _paint_later(self) -> None:
        """Paint the rest once the picture is out; a newer edit takes an older one's place."""
        self._cancel_timer()
        self._refusal = ""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a script or a test, in which nothing waits to be painted
            self._paint_rest()
        else:
            self._timer = loop.call_later(self.paint_delay, self._paint_rest)

    def _paint_rest(self) -> None:
        self._timer = None
        with self.show_errors(), self._painting_together():
            self._paint_second()
            if self._refusal:
                self.set_status(self._refusal, "error")

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @cached_property
    def _shown_parts(self) -> list[Widget]:
        return [part for part in _parts_of(self) if isinstance(part, widgets.DOMWidget)]

    def _answer_together(self) -> None:
        """Let all that a message to a part changes go back in one, but "busy" at once."""
        held = [part for part in self._shown_parts if part is not self.status_line]
        for part in held:
            if isinstance(part, Part):
                part.together = partial(self._batch.hold, held)

    @contextmanager
    def _painting_together(self) -> Iterator[None]:
        """Send all that is painted inside the context to the browser in one message."""
        with self._painting(), self._batch.hold(self._shown_parts):
            yield

    @contextmanager
    def _painting(self) -> Iterator[None]:
        """Keep controls that are set from editing the state in turn."""
        with LOCK:
            before, self._is_painting = self._is_painting, True
            try:
                yield
            finally:
                self._is_painting = before

    @contextmanager
    def _browser_event(self) -> Iterator[None]:
        before, self._in_browser_event = self._in_browser_event, True
        try:
            yield
        finally:
            self._in_browser_event = before

    # Showing and closing.

    def __repr__(self) -> str:
        return self.summary()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live = super()._repr_mimebundle_(**options)
        stored, metadata = self.fallback()
        return live | stored | {"text/plain": self.summary()}, metadata

    def close(self) -> None:
        """Close the panel and everything in it, and free what it holds.

        Examples
        --------
        >>> from convkit.widgets import KernelEditor
        >>> panel = KernelEditor()
        >>> panel.close()
        >>> panel.comm is None
        True
        """
        for clean_up in self._cleanups:
            clean_up()
        for whole in (*self._hidden, self):
            for part in _parts_of(whole):
                part.close()
        for part in self._hidden:
            part.close()
        super().close()


def _parts_of(widget: Widget) -> list[Widget]:
    """Return all widgets inside a widget, its layouts and styles among them."""
    inside = [*getattr(widget, "children", ())]
    inside += [getattr(widget, name) for name in ("layout", "style") if hasattr(widget, name)]
    return [part for child in inside for part in (*_parts_of(child), child)]


def html(text: str = "", *classes: str) -> widgets.HTML:
    """Return an HTML widget with CSS classes."""
    part = widgets.HTML(text)
    for name in classes:
        part.add_class(name)
    return part


def row(*children: Widget) -> widgets.HBox:
    """Return a line of controls, which wraps where it is narrow."""
    line = widgets.HBox(children)
    line.add_class("ck-controls")
    return line


def dropdown(description: str, options: Sequence[Any], width: str) -> widgets.Dropdown:
    """Return a labelled list to choose from."""
    return widgets.Dropdown(
        options=options,
        description=description,
        layout={"width": width},
        style={"description_width": "initial"},
    )


def text_box(description: str, value: str, width: str = "110px") -> widgets.Text:
    """Return a labelled box for a number or two, which is read at each key."""
    style = {"description_width": "initial"}
    return widgets.Text(value, description=description, layout={"width": width}, style=style)


class Section:
    """A part of a panel that a button shows and hides, by pointer and by keys.

    The buttons of all sections stand in the foot of a panel, their contents below it: see `foot`.

    Attributes
    ----------
    toggle : ToggleButton
        Its value says whether the section is open.
    body : VBox
        What the section shows.
    """

    def __init__(self, title: str, *children: Widget) -> None:
        self.toggle = widgets.ToggleButton(
            description=title, icon="caret-right", tooltip=f"show or hide {title}"
        )
        self.toggle.add_class("ck-fold")
        self.body = widgets.VBox(children)
        self.body.add_class("ck-drawer")
        self.refresh()

    @property
    def is_open(self) -> bool:
        """Whether the section shows its content."""
        return self.toggle.value

    def refresh(self) -> None:
        """Show or hide the content, which a panel fills before it is seen."""
        self.toggle.icon = "caret-down" if self.is_open else "caret-right"
        self.body.layout.display = None if self.is_open else "none"


def foot(*controls: Widget, sections: Sequence[Section]) -> list[Widget]:
    """Return the last line of a panel, and below it the contents of its sections."""
    space = html("", "ck-push")
    line = row(*controls, space, *(section.toggle for section in sections))
    line.add_class("ck-foot")
    return [line, *(section.body for section in sections)]
