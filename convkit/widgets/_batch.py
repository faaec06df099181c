"""One message to the browser for what changes in many widgets at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from ipywidgets import Widget

from convkit.widgets._part import Part, module


class Batch(Part):
    """Sends the changes of many widgets in one message; it shows nothing itself.

    A page handles one message faster than ten, and shows all that is in it in one frame. Until the
    browser has told that it listens, and where there is none, each widget sends its own. Custom
    messages and echoes are not held.

    Parameters
    ----------
    on_reload : callable, optional
        Called when a page has been loaded again, before it gets the state of all widgets.

    Examples
    --------
    >>> import ipywidgets
    >>> texts = [ipywidgets.HTML(), ipywidgets.HTML()]
    >>> with Batch().hold(texts):
    ...     texts[0].value, texts[1].value = "one", "message"
    """

    _esm = module("batch")

    def __init__(self, on_reload: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._on_reload = on_reload
        self._is_heard = False
        self._is_holding = False
        self._parts: Sequence[Widget] = ()
        self._updates: list[dict[str, Any]] = []
        self._buffers: list[bytes] = []
        self.on_msg(self._on_message)

    @contextmanager
    def hold(self, parts: Sequence[Widget]) -> Iterator[None]:
        """Send what changes in `parts` inside the context at its end, in one message.

        Examples
        --------
        >>> import ipywidgets
        >>> text = ipywidgets.HTML()
        >>> with Batch().hold([text]):
        ...     text.value = "changed"
        """
        if self._is_holding or not self._is_heard:
            yield
            return
        self._is_holding, self._parts = True, parts
        try:
            with ExitStack() as stack:
                for part in _open(parts):
                    vars(part)["_send"] = partial(self._collect, part)
                    stack.callback(vars(part).pop, "_send")
                    stack.enter_context(part.hold_sync())
                yield
        finally:
            self._is_holding = False
            self._deliver()

    def _collect(
        self, part: Widget, message: dict[str, Any], buffers: list[bytes] | None = None
    ) -> None:
        """Keep the new state that a widget would send; anything else goes out at once."""
        if message["method"] != "update":
            type(part)._send(part, message, buffers)
            return
        self._updates.append({"model": part.model_id, "message": message})
        self._buffers += buffers or []

    def _deliver(self) -> None:
        updates, self._updates = self._updates, []
        buffers, self._buffers = self._buffers, []
        if updates:
            self.send({"updates": updates}, buffers)

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        if content != {"listening": True}:
            return
        if self._is_heard:  # by a page that was loaded again, and may have missed a message
            self._on_reload()
            for part in _open(self._parts):
                part.send_state()
        self._is_heard = True


def _open(parts: Sequence[Widget]) -> list[Widget]:
    """Return the widgets that are not closed."""
    return [part for part in parts if part.comm is not None]
