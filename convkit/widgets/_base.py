"""What all panels share: the frame with its status line, and handlers that answer in words."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files

import ipywidgets as widgets
import traitlets
from torch import Tensor

from convkit.views import lens
from convkit.errors import ConvkitError

STYLE = lens.STYLE + files("convkit.widgets").joinpath("panel.css").read_text()
RUN_ME = "Run this cell to make the panel live."
log = logging.getLogger("convkit")


class Checked(traitlets.Any):
    """A trait whose validator sees whatever it is set to, None too."""

    allow_none = False


class Handed(Checked):
    """A trait of tensors: each new one is told, equal or not, and whoever reads gets a copy."""

    def get(self, obj: traitlets.HasTraits, cls: type | None = None) -> Tensor | None:
        """Return a copy: what a reader does to it changes no panel."""
        value = super().get(obj, cls)
        return value if value is None else value.clone()

    def set(self, obj: traitlets.HasTraits, value: Tensor) -> None:
        """Take another tensor; traitlets itself would ask whether it ``==`` the old one."""
        old, new = obj._trait_values.get(self.name), self._validate(obj, value)
        obj._trait_values[self.name] = new
        if new is not old:
            old = old if old is None else old.clone()
            obj._notify_trait(self.name, old, self.get(obj))


def guarded(handler: Callable[..., None]) -> Callable[..., None]:
    """Make a panel's handler answer an exception in the panel, whose last good state stays.

    What is not a `ConvkitError` is a fault of ours, so it goes to the log as well. While the panel
    sets its own controls their handlers rest.
    """

    @functools.wraps(handler)
    def safe(panel: Panel, *arguments: object) -> None:
        if panel.showing:
            return
        try:
            handler(panel, *arguments)
        except ConvkitError as error:
            panel.refuse(str(error))
        except Exception as error:
            log.exception("%s failed", handler.__name__)
            panel.refuse(f"This should not have happened: {type(error).__name__}: {error}")

    return safe


def html(text: str = "", *classes: str) -> widgets.HTML:
    """Return an HTML widget with the given CSS classes."""
    part = widgets.HTML(text)
    for name in classes:
        part.add_class(name)
    return part


def row(*children: widgets.Widget) -> widgets.HBox:
    """Return a line of controls, which wraps where it is narrow."""
    line = widgets.HBox(children)
    line.add_class("ck-controls")
    return line


def text_box(description: str, value: str, width: str = "110px") -> widgets.Text:
    """Return a labelled box for a number or two, which speaks at each key."""
    style = {"description_width": "initial"}
    return widgets.Text(value, description=description, layout={"width": width}, style=style)


def button(icon: str, name: str, click: Callable[[], None]) -> widgets.Button:
    """Return a button that shows its icon and whose accessible name is `name`."""
    made = widgets.Button(icon=icon, description=name, tooltip=name, layout={"width": "38px"})
    made.add_class("ck-icon")
    made.on_click(lambda _: click())
    return made


def code_drawer(code: widgets.HTML) -> widgets.Accordion:
    """Return the drawer, closed, that holds a panel's torch code."""
    return widgets.Accordion([code], titles=["torch code for this"], selected_index=None)


def code_html(code: str) -> str:
    """Return code as a block that one click selects."""
    return f'<pre class="ck-code">{escape(code)}</pre>'


class Panel(widgets.VBox):
    """A framed column of controls and views, with a status line at its end.

    Subclasses say `summary()`, the true text of their state, and `fallback()`, what a saved
    notebook shows in place of the live panel.
    """

    def __init__(self, *children: widgets.Widget, drawers: Sequence[widgets.Widget] = ()) -> None:
        self._status, self.showing = html("", "ck-status"), False
        super().__init__([html(f"<style>{STYLE}</style>"), *children, self._status, *drawers])
        self.children[0].layout.display = "none"
        self.add_class("ck-panel")

    def say(self, text: str, kind: str = "note") -> None:
        """Show `text`, plain, in the status line; screen readers announce it."""
        role = "alert" if kind == "error" else "status"
        self._status.value = f'<div class="{kind}" role="{role}">{escape(text)}</div>'

    @property
    def status(self) -> str:
        """What the status line says, as HTML."""
        return self._status.value

    def refuse(self, text: str) -> None:
        """Say why something was refused, and set the controls back to the state that stays."""
        self.show_controls()
        self.say(text, "error")

    def show_controls(self) -> None:
        """Set every control to the panel's state, without their handlers."""
        self.showing = True
        try:
            self._show_state()
        finally:
            self.showing = False

    def _show_state(self) -> None:
        """Set every control to the panel's state."""

    def summary(self) -> str:
        """Return the panel's state in words, the same on every run."""
        return type(self).__name__

    def fallback(self) -> tuple[dict, dict]:
        """Return what a saved notebook shows of this panel: data and metadata by mime type."""
        return {}, {}

    def __repr__(self) -> str:
        return self.summary()

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        live, (still, metadata) = super()._repr_mimebundle_(**kwargs), self.fallback()
        return live | still | {"text/plain": self.summary()}, metadata
