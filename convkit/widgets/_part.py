"""What all parts share: their files in ``static/``, read once, and their base class."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.resources import files
from typing import Any

import anywidget

from convkit.state.store import LOCK
from convkit.views.html import THEME

_STATIC = files("convkit.widgets").joinpath("static")


def module(*names: str) -> str:
    """Return the ES module of a part: ``static/common.js`` and each ``static/<name>.js`` as one.

    They are joined as text because a module that anywidget loads cannot import by a relative path.
    """
    return "\n".join(
        _STATIC.joinpath(f"{part}.js").read_text("utf-8") for part in ("common", *names)
    )


def stylesheet(name: str) -> str:
    """Return the style of a part: theme, ``static/common.css`` and ``static/<name>.css``."""
    rules = [_STATIC.joinpath(f"{part}.css").read_text("utf-8") for part in ("common", name)]
    return "\n".join([THEME, *rules])


class Part(anywidget.AnyWidget):
    """Base class of the parts: a Python class of synced traits and one plain ES module."""

    together: Callable[[], AbstractContextManager[None]] = staticmethod(nullcontext)
    """What a panel sends all answers to one message in."""

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        with LOCK, self.together():  # a part changes in one thread at a time
            super()._handle_msg(msg)

    def summary(self) -> str:
        """Return what the part is, in words that are the same on every run."""
        return type(self).__name__

    def __repr__(self) -> str:
        return self.summary()
