"""What a browser sends to a widget, sent by a test over the widget's comm."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from ipywidgets import Widget


def send(widget: Widget, content: dict, *buffers: bytes) -> None:
    """Deliver a custom message, with buffers of bytes."""
    _deliver(widget, {"method": "custom", "content": content}, *buffers)


def receive_state(widget: Widget, **traits: object) -> None:
    """Deliver new values of synced traits."""
    _deliver(widget, {"method": "update", "state": traits, "buffer_paths": []})


@contextmanager
def sent_by(widget: Widget) -> Iterator[list[dict]]:
    """Give a list of the data of all messages that the widget sends to the browser."""
    messages: list[dict] = []

    def publish(message_type: str, data: dict | None = None, *args: object, **kw: object) -> None:
        messages.append(data or {})

    with patch.object(widget.comm, "publish_msg", publish):
        yield messages


def _deliver(widget: Widget, data: dict, *buffers: bytes) -> None:
    views = [memoryview(data) for data in buffers]
    widget.comm.handle_msg({"content": {"data": data}, "buffers": views})
