"""A button that opens a file of the learner's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from convkit import images
from convkit.widgets._part import Part, module, stylesheet

FileHandler = Callable[[str, bytes], None]


class FileButton(Part):
    """A button that lets one choose a file, whose name and bytes go to a handler.

    Parameters
    ----------
    label : str
        What the button says.
    accept : str
        The file endings to offer, such as ".png,.jpg".
    max_bytes : int
        Of a larger file only one byte more than this is sent, so that a handler can tell.

    Examples
    --------
    >>> button = FileButton("open a picture", ".png")
    >>> button.on_file(lambda name, data: print(f"{name}: {len(data)} bytes"))
    >>> button
    FileButton: open a picture
    """

    _esm = module("file_button")
    _css = stylesheet("file_button")

    label = traitlets.Unicode("").tag(sync=True)
    accept = traitlets.Unicode("").tag(sync=True)

    max_bytes = traitlets.Int(0).tag(sync=True)

    def __init__(self, label: str, accept: str = "", *, max_bytes: int = images.MAX_BYTES) -> None:
        super().__init__(label=label, accept=accept, max_bytes=max_bytes)
        self._handlers: list[FileHandler] = []
        self.on_msg(self._on_message)

    def on_file(self, handler: FileHandler) -> None:
        """Call `handler` with the name and the bytes of each file that is chosen.

        Examples
        --------
        >>> FileButton("open").on_file(lambda name, data: None)
        """
        self._handlers.append(handler)

    def summary(self) -> str:
        """Return what the button says.

        Examples
        --------
        >>> FileButton("open a picture").summary()
        'FileButton: open a picture'
        """
        return f"FileButton: {self.label}"

    def _on_message(self, _: object, content: object, buffers: list[Any]) -> None:
        if not isinstance(content, dict) or not isinstance(content.get("name"), str):
            return
        if len(buffers) == 1:
            for handler in self._handlers:
                handler(content["name"], bytes(buffers[0]))
