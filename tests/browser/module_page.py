"""panel.js in a real browser, and a real panel in this process: no Jupyter between them.

    shown = ModulePage(page, sample.panel())
    shown.box("K[0, 0]").fill("5")
    shown.settle()

Messages wait until a test lets them pass, so that it says in which order things happen.
"""

import json
from base64 import b64decode, b64encode
from typing import Any

from playwright.sync_api import Locator, Page

from convkit.ui import Panel
from convkit.ui.html import render

LOAD = """async ([module, state]) => {
    const decode = (text) => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
    const encode = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
    const revived = (value) => {
        if (Array.isArray(value)) return value.map(revived);
        if (value === null || typeof value !== "object") return value;
        if ("base64" in value) return decode(value.base64);
        return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revived(v)]));
    };
    const listeners = [];
    window.sent = [];
    window.isGone = false;
    const model = {
        get: (name) => ({ page: revived(state) })[name],
        on: (name, listener) => listeners.push(listener),
        send(content, callbacks, buffers = []) {
            if (isGone) throw new Error("Cannot send");
            sent.push([content, buffers.map(encode)]);
        },
    };
    window.receive = (messages) => messages.forEach(([content, buffers]) =>
        listeners.forEach((listener) => listener(content, buffers.map(decode))));
    const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
    const widget = (await import(url)).default();
    widget.initialize({ model });
    window.ends = [];
    window.addView = () => {
        const el = document.body.appendChild(document.createElement("div"));
        ends.push(widget.render({ model, el }));
    };
    addView();
}"""
FRAMES = (
    "() => new Promise(done => requestAnimationFrame(() => setTimeout(() => setTimeout(done))))"
)


class ModulePage:
    """A browser's page that shows a panel; several may show one."""

    def __init__(self, page: Page, panel: Panel) -> None:
        self.page, self.panel = page, panel
        self.waiting: list[tuple[dict, list[bytes]]] = []  # messages from Python
        others = vars(panel.comm).get("pages", [])
        panel.comm.pages = [*others, self]
        panel.comm.publish_msg = _publisher(panel.comm)
        self.load()

    def load(self) -> None:
        """Load the page, or load it again: it shows the state that a front end asks for."""
        self.waiting.clear()
        state = _jsonable(self.panel.get_state("page")["page"])
        traits = self.panel.trait_values()
        sheet = f"<style>{traits['_css']}</style>"
        self.page.goto("about:blank")
        self.page.set_content(f"<!doctype html><html lang='en'><title>t</title>{sheet}<body>")
        self.page.evaluate(LOAD, [traits["_esm"], state])

    # Messages.

    def take(self) -> list[tuple[dict, list[bytes]]]:
        """Return what the page has sent since it was asked last."""
        sent = self.page.evaluate("() => sent.splice(0)")
        return [(content, [b64decode(buffer) for buffer in buffers]) for content, buffers in sent]

    def to_python(self) -> int:
        """Let Python handle what the page has sent; its answers wait. Return how many it was."""
        sent = self.take()
        for content, buffers in sent:
            views = [memoryview(buffer) for buffer in buffers]
            data = {"method": "custom", "content": content}
            self.panel.comm.handle_msg({"content": {"data": data}, "buffers": views})
        return len(sent)

    def to_page(self) -> None:
        """Let the page have what Python has sent, and paint it."""
        messages, self.waiting = self.waiting, []
        self.page.evaluate("messages => receive(messages)", [_encoded(*m) for m in messages])
        self.paint()

    def paint(self) -> None:
        """Wait until the page has painted what it has."""
        self.page.evaluate(FRAMES)

    def settle(self) -> None:
        """Let all messages pass until there are none."""
        self.paint()
        while self.to_python() or self.waiting:
            self.to_page()

    # What is shown.

    @property
    def view(self) -> Locator:
        """The page's first view."""
        return self.page.locator(".ck-view").first

    def box(self, name: str) -> Locator:
        """Return the box to type in with an accessible name."""
        return self.view.get_by_role("textbox", name=name, exact=True)

    def part(self, key: str) -> Locator:
        """Return the element of a node."""
        return self.view.locator(f'[data-key="{key}"]')

    @property
    def status(self) -> str:
        """What the status line says."""
        return self.view.locator(".ck-words").inner_text()

    def shows_the_tree(self) -> bool:
        """Return whether the page has the elements and texts of the present tree."""
        for view in self.page.locator(".ck-view").all():
            shown = view.evaluate(SHOWN)
            if shown != self.page.evaluate(
                f"html => ({SHOWN})(html)", str(render(self.panel.tree))
            ):
                return False
        return True


# What is in a view or in HTML, without what the module itself sets: series, paths, places.
SHOWN = """from => {
    const root = typeof from === "string" ? document.createElement("div") : from.cloneNode(true);
    if (typeof from === "string") root.innerHTML = from;
    const own = ["data-lm-suppress-shortcuts", "aria-invalid", "aria-busy", "aria-pressed",
        "d", "style", "title", "data-side", "tabindex"];
    const tell = (node) => {
        if (node.nodeType === Node.TEXT_NODE) return node.data;
        const names = node.getAttributeNames().filter(name => !own.includes(name))
            .filter(name => node.nodeName !== "TD" || !name.startsWith("aria-")).sort();
        const attributes = names.map(name => [name, node.getAttribute(name)]);
        const inside = node.dataset.kind === "series" ? [] : [...node.childNodes].map(tell);
        return [node.nodeName, attributes, inside];
    };
    return JSON.stringify([...root.childNodes].map(tell));
}"""


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: _jsonable(inside) for key, inside in value.items()}
    return [_jsonable(inside) for inside in value] if isinstance(value, list) else value


def _encoded(content: dict, buffers: list[bytes]) -> list:
    return [content, [b64encode(buffer).decode() for buffer in buffers]]


def _publisher(comm: Any) -> Any:
    def publish(message_type: str, data: dict | None = None, *args: Any, **options: Any) -> None:
        if data and data.get("method") == "custom":
            content = json.loads(json.dumps(data["content"], ensure_ascii=False).encode())
            buffers = [bytes(buffer) for buffer in options.get("buffers") or []]
            for page in comm.pages:
                page.waiting.append((content, buffers))

    return publish
