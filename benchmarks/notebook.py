"""A notebook that is open in a page of its own, and is measured there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, ElementHandle, Locator, Page, WebSocket, expect

from tools.lab import Lab, cell, open_notebook, run_cell

CLOCKS = Path(__file__).with_name("clocks.js")
IDLE = "Python 3 (ipykernel) | Idle"


class Meter:
    """Counts the messages of a page's widgets, and the page's work on script, style and layout."""

    def __init__(self, page: Page) -> None:
        self._counts = dict.fromkeys(("messages", "KB", "models", "state"), 0.0)
        self._page = page.context.new_cdp_session(page)
        self._page.send("Performance.enable")
        page.on("websocket", self._listen)

    def read(self) -> dict[str, float]:
        """Return what was sent and received so far, and the milliseconds of the page's work."""
        told = {m["name"]: m["value"] for m in self._page.send("Performance.getMetrics")["metrics"]}
        kinds = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
        return self._counts | {"work": 1000 * sum(told[kind] for kind in kinds)}

    def slow_down(self, factor: int) -> None:
        """Throttle the page's processor."""
        self._page.send("Emulation.setCPUThrottlingRate", {"rate": factor})

    def _listen(self, socket: WebSocket) -> None:
        for event in ("framesent", "framereceived"):
            socket.on(event, self._count)

    def _count(self, frame: str | bytes) -> None:
        data = frame if isinstance(frame, bytes) else frame.encode()
        # No other message of a kernel has these words.
        for word, number, size in (
            (b'"method"', "messages", "KB"),
            (b'"comm_open"', "models", "state"),
        ):
            if word in data:
                self._counts[number] += 1
                self._counts[size] += len(data) / 1000


@dataclass(frozen=True)
class Notebook:
    """A notebook in a page: what its cells are called, in order."""

    page: Page
    meter: Meter
    names: tuple[str, ...]

    def cell(self, name: str) -> Locator:
        """Return a cell, by its name."""
        return cell(self.page, 1 + self.names.index(name))

    def output(self, name: str) -> ElementHandle:
        """Bring what a cell shows into view, and return it."""
        self.page.bring_to_front()
        shown = self.cell(name).locator(".jp-OutputArea").first
        shown.scroll_into_view_if_needed()
        return shown.element_handle()

    def clock(self, clock: str, name: str, told: object, *, rest: int = 0) -> tuple[Any, dict]:
        """Return what a clock measures in a cell's output, and what the meter counts meanwhile."""
        output = self.output(name)
        before = self.meter.read()
        call = f"([output, told]) => clocks.{clock}(output, told)"
        measured = self.page.evaluate(call, [output, told])
        self.page.wait_for_timeout(rest)
        return measured, self.since(before)

    def since(self, before: Mapping[str, float]) -> dict[str, float]:
        """Return what the meter has counted since it read `before`."""
        after = self.meter.read()
        return {figure: after[figure] - before[figure] for figure in after}

    def idle(self) -> None:
        """Wait until the kernel has done all that the last edit asked for."""
        expect(self.page.get_by_text(IDLE)).to_be_visible()
        self.page.wait_for_timeout(200)  # what an edit leaves for later is done by then


@contextmanager
def opened(lab: Lab, chromium: Browser, path: str, cells: Mapping[str, str]) -> Iterator[Notebook]:
    """Give a notebook whose cells have run, but for the busy one."""
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.add_init_script(path=CLOCKS)
    meter = Meter(page)
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    written = new_notebook(
        cells=[new_code_cell(source) for source in cells.values()], metadata=spec
    )
    nbformat.write(written, lab.root / path)
    open_notebook(page, lab, path)
    for n, name in enumerate(cells, start=1):
        if name != "busy":
            run_cell(page, n)
    yield Notebook(page, meter, tuple(cells))
    page.close()
