"""Pages of a panel, simulated: they find nodes by accessible name, and patch HTML as the module.

page = Page(panel)
page.type("K[0, 0]", "5")
page.press("undo")
assert page.shows_the_tree()
"""

import json
import re
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from bs4 import BeautifulSoup

from convkit.ui import Panel
from convkit.ui.html import render
from convkit.ui.nodes import Node
from convkit.ui.store import LOCK

NUMBERS = count(1)
CELL = re.compile(r"(.+)\[(\d+), (\d+)\]")


class Page:
    """One page that shows a panel: it keeps the HTML that it was sent, and sends events."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.number = panel, next(NUMBERS)
        self.ref, self.stroke = 0, 1
        self.messages: list[dict] = []
        self.is_open = True
        others = [page for page in vars(panel.comm).get("pages", ()) if page.is_open]
        with LOCK:  # work in another thread may send something meanwhile
            panel.comm.pages = [*others, self]
            panel.comm.publish_msg = _publisher(panel.comm)
            self.load()

    def load(self) -> None:
        """Show the panel as a page that is loaded again does."""
        page = self.panel.get_state("page")["page"]
        assert type(page["html"]) is str  # marimo cannot send other types, such as Markup
        self.html = BeautifulSoup(as_json(page["html"]), "html.parser")
        self.pixels, self.series = dict(page["pixels"]), dict(page["series"])

    def close(self) -> None:
        """Close the page: it hears of nothing any more."""
        self.is_open = False

    # What Python sends.

    def receive(self, content: dict, buffers: list) -> None:
        """Apply a message, as the module does."""
        if not self.is_open:
            return
        self.messages.append(content)
        buffers = [bytes(buffer) for buffer in buffers]
        for key in content["pixels"]:
            self.pixels[key] = buffers.pop(0)
        for key, words in content["series"].items():
            self.series[key] = [words, buffers.pop(0), buffers.pop(0)]
        assert not buffers
        for key, fresh in content["patches"].items():
            old = self.html.find(attrs={"data-key": key})
            if old is not None:
                old.replace_with(BeautifulSoup(fresh, "html.parser"))

    def shows_the_tree(self) -> bool:
        """Return whether the page shows what a page that is loaded now would show."""
        fresh = Page.__new__(Page)
        fresh.panel = self.panel
        fresh.load()
        tree = BeautifulSoup(render(self.panel.tree), "html.parser")
        shown = [str(self.html), *self.data()]
        return shown == [str(fresh.html), *fresh.data()] and str(tree) == str(self.html)

    def data(self) -> list[Any]:
        kept = {"picture": self.pixels, "series": self.series}
        return [
            {node.key: kept[node.kind].get(node.key)}
            for node in self.panel.tree
            if node.kind in kept
        ]

    # What a learner does.

    def send(
        self, key: str, event: str, value: object = None, *, moving: bool = False, **rest: Any
    ) -> dict:
        """Send an event; return the answer to it."""
        self.ref += 1
        content = {"page": self.number, "ref": self.ref, "key": key, "event": event}
        content |= {"value": value, "stroke": self.stroke, "moving": moving}
        self.post(content, **rest)
        (answer,) = [
            m for m in self.messages if (m.get("page"), m.get("ref")) == (self.number, self.ref)
        ]
        return answer

    def post(self, content: object, buffers: tuple[bytes, ...] = ()) -> None:
        """Send any message."""
        data = {"method": "custom", "content": json.loads(json.dumps(content))}
        views = [memoryview(data) for data in buffers]
        self.panel.comm.handle_msg({"content": {"data": data}, "buffers": views})

    def find(self, name: str) -> Node:
        """Return the control, array or text that has an accessible name."""
        found = [node for node in self.panel.tree if node.name == name and node.kind != "series"]
        assert len(found) == 1, (name, [node.name for node in self.panel.tree if node.name])
        return found[0]

    def type(self, name: str, text: str, event: str = "edit") -> dict:
        """Type a text into a box, without leaving it; or paste it."""
        grid = self._grid(name)
        if grid is None:
            return self.send(self.find(name).key, "set", text)
        return self.send(grid.key, event, {"cell": _cell(name), "text": text})

    def step(self, name: str, by: int) -> dict:
        """Press the arrow key up (1) or down (-1) in a number box."""
        return self.send(self._grid(name).key, "step", {"cell": _cell(name), "by": by})

    def escape(self, name: str) -> dict:
        """Take back what was typed into a box."""
        grid = self._grid(name)
        if grid is None:
            return self.send(self.find(name).key, "restore")
        return self.send(grid.key, "restore", {"cell": _cell(name)})

    def leave(self) -> None:
        """Leave a control: what follows is another step of undo."""
        self.stroke += 1

    def choose(self, name: str, value: object, **options: Any) -> dict:
        """Choose an option, a slider's position, a tick, or the place of a cursor."""
        node = self.find(f"{name} cursor" if self._is_cursor(name) else name)
        if node.kind == "cursor":
            place = list(value) if isinstance(value, tuple) else [value]
            return self.send(node.key, "choose", place, **options)
        if node.kind == "select":
            value = list(map(str, node.options)).index(str(value))
        return self.send(node.key, "set", value, **options)

    def press(self, name: str) -> dict:
        """Press a button."""
        if name in ("undo", "redo", "reset"):
            return self.send(self.find("undo and redo").key, "press", name)
        if name == "stop":
            return self.send(self.find("status line").key, "press", name)
        return self.send(self.find(name).key, "press", "")

    def point(self, name: str, at: tuple[float, ...] | None) -> dict:
        """Move the pointer to a place of a cursor, or to a point of a plot."""
        key = self.find(f"{name} cursor" if self._is_cursor(name) else name).key
        return self.send(key, "point", None if at is None else list(at), moving=True)

    def paint(self, name: str, *cells: tuple[int, int]) -> dict:
        """Drag over cells of a table."""
        return self.send(self.find(name).key, "paint", [list(cell) for cell in cells])

    def upload(self, name: str, file_name: str, data: bytes) -> dict:
        """Choose a file."""
        return self.send(self.find(name).key, "file", file_name, buffers=(data,))

    # What a learner sees.

    @property
    def status(self) -> str:
        """What the status line says."""
        return self._status().get_text()

    @property
    def has_error(self) -> bool:
        """Whether the status line is an alert."""
        return self._status()["role"] == "alert"

    def texts(self, name: str) -> list[list[str]]:
        """Return what the cells of a table or grid of boxes say."""
        inside = self.html.find(attrs={"data-key": self.find(name).key})
        lines = [[cell.get_text() for cell in line.find_all("td")] for line in inside("tr")]
        return [line for line in lines if any(line)] or [[box["value"] for box in inside("input")]]

    def _status(self) -> Any:
        return self.html.find(class_="ck-words")

    def _is_cursor(self, name: str) -> bool:
        return any(
            node.kind == "cursor" and node.name == f"{name} cursor" for node in self.panel.tree
        )

    def _grid(self, name: str) -> Node | None:
        cell = CELL.fullmatch(name)
        grids = [n for n in self.panel.tree if n.kind == "numbers" and cell and n.symbol == cell[1]]
        return grids[0] if grids else None


def as_json(value: Any) -> Any:
    """Return a value as a page gets it; raise where JSON in UTF-8 cannot hold it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return json.loads(text.encode("utf-8"))


def _publisher(comm: Any) -> Any:
    def publish(message_type: str, data: dict | None = None, *args: Any, **options: Any) -> None:
        if data and data.get("method") == "custom":
            assert {str} >= {type(html) for html in data["content"]["patches"].values()}
            for page in comm.pages:
                page.receive(as_json(data["content"]), options.get("buffers") or [])

    return publish


def _cell(name: str) -> list[int]:
    return [int(n) for n in CELL.fullmatch(name).groups()[1:]]


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for work in another thread; raise if a condition does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.005)  # between two questions
