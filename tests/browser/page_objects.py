"""A notebook open in JupyterLab that runs what a test gives it, and panels found by their names."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import nbformat
import torch
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Locator, Page, expect

from tools.lab import LIGHT, Lab, cell, open_notebook, run_cell

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
IMPORTS = """\
import time
import torch
from convkit import *
from convkit import ui
from convkit.lenses import lens
from convkit.panels import *"""
# Errors of Notebook 7 itself as it opens and closes, by their exact text.
JUPYTERS_OWN = frozenset(
    {
        "Cannot read properties of undefined (reading 'schema')",
        "Command 'filebrowser:open-path' not registered.",
        "Failed to load resource: the server responded with a status of 403 (Forbidden)",
    }
)


@contextmanager
def watched(chromium: Browser, **options: object) -> Iterator[Page]:
    """Give a new page; raise at the end if its console showed an error, or a script raised."""
    context = chromium.new_context(**{"viewport": {"width": 1400, "height": 1000}} | options)
    page, messages = context.new_page(), []
    page.on("console", lambda m: messages.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: messages.append(str(error)))
    yield page
    context.close()
    unexpected = [text for text in messages if text not in JUPYTERS_OWN]
    assert not unexpected, unexpected


class Notebook:
    """A notebook whose first cell has run: imports, a cell for a panel, a cell for questions."""

    def __init__(self, page: Page, lab: Lab) -> None:
        self.page, self.lab = page, lab
        self.sent: list[str | bytes] = []  # to the server, over websockets

    def show(self, source: str) -> Locator:
        """Run `source` in place of what was shown before; return what it shows."""
        self._write(2, source)
        shown = ".jp-OutputArea-output:not([data-mime-type$=stderr])"
        output = run_cell(self.page, 2).locator(shown).last
        views = output.locator(".ck-view, .ck-saved")
        expect(views.first).to_be_visible()
        return output

    def ask(self, source: str) -> str:
        """Run `source` in the kernel; return what it shows, as text."""
        self._write(3, source)
        return run_cell(self.page, 3).locator(".jp-OutputArea").inner_text()

    def start(self, source: str) -> None:
        """Start to run `source`, and do not wait for its end."""
        self._write(3, source)
        self.page.keyboard.press("Shift+Enter")
        expect(cell(self.page, 3).locator(".jp-InputPrompt")).to_have_text("[*]:")

    def _write(self, n: int, source: str) -> None:
        cell(self.page, n).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)


@contextmanager
def opened(chromium: Browser, lab: Lab, name: str, theme: str = LIGHT) -> Iterator[Notebook]:
    """Give a notebook of its own name, open in a page that is watched, its imports run."""
    cells = [new_code_cell(IMPORTS), *(new_code_cell("") for _ in range(3))]
    path = f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), lab.root / path)
    with watched(chromium) as page:
        notebook = Notebook(page, lab)
        page.on("websocket", lambda ws: ws.on("framesent", lambda data: notebook.sent.append(data)))
        open_notebook(page, lab, path, theme=theme)
        run_cell(page, 1)
        yield notebook


def box(panel: Locator, name: str) -> Locator:
    """Return the box to type in that has this accessible name."""
    return panel.get_by_role("textbox", name=name, exact=True)


def number_box(panel: Locator, name: str) -> Locator:
    """Return the number box that has this accessible name."""
    return panel.get_by_role("spinbutton", name=name, exact=True)


def slider(panel: Locator, name: str) -> Locator:
    """Return the slider that has this accessible name."""
    return panel.get_by_role("slider", name=name, exact=True)


def button(panel: Locator, name: str) -> Locator:
    """Return the button that has this accessible name, perhaps after its icon's letter."""
    return panel.get_by_role("button", name=re.compile(rf"^(\S )?{re.escape(name)}$"))


def type_in(box: Locator, text: str) -> None:
    """Put `text` in place of what is in a box, key by key."""
    box.fill("")
    box.press_sequentially(text)


def said(panel: Locator) -> Locator:
    """Return the words of a panel's status line."""
    return panel.locator(".ck-words")


def picture(panel: Locator, name: str) -> Locator:
    """Return the canvas of the picture whose accessible name starts with `name`."""
    return panel.get_by_role("img", name=re.compile(rf"^{re.escape(name)}"))


def pixels(canvas: Locator) -> torch.Tensor:
    """Return what a canvas shows: (H, W, 3), in [0, 255]."""
    shape = canvas.evaluate("c => [c.height, c.width]")
    data = canvas.evaluate(
        "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    )
    return torch.tensor(data, dtype=torch.uint8).reshape(*shape, 4)[:, :, :3]


def table(panel: Locator, name: str) -> Locator:
    """Return the table or grid of numbers whose accessible name starts with `name`."""
    named = re.compile(rf"^{re.escape(name)}")
    return panel.get_by_role("grid", name=named).or_(panel.get_by_role("table", name=named))


def open_section(panel: Locator, title: str) -> None:
    """Open a panel's section by its title."""
    panel.locator("summary").filter(has_text=title).click()
