"""A pytest plugin that makes nbval compare everything that a stored notebook shows.

nbval runs a notebook and compares text. It ignores pictures, metadata, the order of text and
pictures, cells without an execution count or with a marker, and whether a panel is live. Where
nbval would collect a notebook, this plugin collects a `StoredNotebook`: a check of the file
(`notebook_lint.py`), then each cell, compared with what `make notebooks` would store now.
"""

from base64 import b64decode
from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO
from itertools import groupby

import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg
from nbval.plugin import IPyNbCell, IPyNbFile
from PIL import Image

from tests.notebooks.notebook_lint import lint
from tools.notebooks import as_stored

OUTPUT_MESSAGES = {"stream", "display_data", "execute_result", "error"}
OTHER_MESSAGES = {"status", "execute_input", "comm_open", "comm_msg"}
"""Any further message of a kernel changes or removes what a cell has shown."""
PNG = "image/png"
PIXEL_TOLERANCE = 2
"""In levels of 255: how far the processor's instruction sets round differently."""


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    """Collect a `StoredNotebook` for each notebook that nbval would run."""
    collected = yield
    return [
        StoredNotebook.from_parent(parent, path=file_path)
        if isinstance(collector, IPyNbFile)
        else collector
        for collector in collected
    ]


class StoredNotebook(IPyNbFile):
    """A stored notebook: its lint and its cells."""

    def collect(self):
        cells = list(super().collect())
        yield LintItem.from_parent(self, name="lint")
        for cell in cells:
            arguments = {key: getattr(cell, key) for key in ("name", "cell_num", "cell", "options")}
            yield StoredCell.from_parent(self, **arguments)

    def setup(self):
        """Start no kernel yet: `StoredCell.setup` does, so that lint needs none."""

    def get_kernel_message(self, timeout=None, stream="iopub"):
        """Give nbval a message, and record it: nbval loses the order of the outputs."""
        message = super().get_kernel_message(timeout, stream)
        self.messages.append(message)
        return message


class LintItem(pytest.Item):
    """The check of a notebook's file, which needs no kernel."""

    def runtest(self):
        problems = lint(self.parent.nb, self.path)
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)

    def reportinfo(self):
        return self.path, 0, self.name


class StoredCell(IPyNbCell):
    """A cell whose stored outputs must be, in order, what a run gives."""

    def setup(self):
        if self.parent.kernel is None:
            IPyNbFile.setup(self.parent)
        super().setup()

    def runtest(self):
        if {name for name, chosen in self.options.items() if chosen} != {"check"}:
            self.raise_cell_error("a marker keeps nbval from comparing this cell")
        stored = deepcopy(self.cell.outputs)  # nbval joins streams in place
        self.parent.messages = []
        super().runtest()
        self._compare(stored, self._messages_of_this_cell())

    def _messages_of_this_cell(self):
        messages = self.parent.messages
        request = messages[-1]["parent_header"]["msg_id"]
        return [message for message in messages if message["parent_header"]["msg_id"] == request]

    def _compare(self, stored, messages):
        unexpected = {m["msg_type"] for m in messages} - OUTPUT_MESSAGES - OTHER_MESSAGES
        if unexpected:
            kinds = ", ".join(sorted(unexpected))
            self.raise_cell_error(f"the cell changes what it has shown: {kinds}")
        outputs = [output_from_msg(m) for m in messages if m["msg_type"] in OUTPUT_MESSAGES]
        problems = list(differences(stored, as_stored(outputs)))
        if problems:
            self.raise_cell_error("\n".join(problems))


def differences(stored: list[NotebookNode], fresh: list[NotebookNode]) -> Iterator[str]:
    """Describe where stored outputs are not those of a run, `fresh`."""
    stored_kinds, fresh_kinds = (", ".join(map(_kind, o)) or "none" for o in (stored, fresh))
    if stored_kinds != fresh_kinds:
        yield f"stored outputs: {stored_kinds}; a run gives: {fresh_kinds}"
        return
    for number, (old, new) in enumerate(zip(stored, fresh, strict=True), start=1):
        for problem in _output_differences(old, new):
            yield f"output {number}: {problem}"


def _output_differences(stored: NotebookNode, fresh: NotebookNode) -> Iterator[str]:
    expected = text_parts(fresh)
    for part, value in text_parts(stored).items():
        if value != expected[part]:
            yield f"{part} is {value}; a run gives: {expected[part]}"
    if PNG in stored.get("data", {}):
        told = stored.metadata.get(PNG, {})  # equal in both, as all metadata
        problem = picture_difference(
            stored.data[PNG], fresh.data[PNG], varies=bool(told.get("varies"))
        )
        if problem:
            yield problem


def _kind(output: NotebookNode) -> str:
    """Return an output's type, its stream or formats, and whether it is a live panel."""
    detail = output.get("name") or output.get("ename") or "+".join(sorted(output.get("data", ())))
    live = " (live)" if output.get("metadata", {}).get("live") else ""
    return f"{output.output_type} {detail}{live}"


def text_parts(output: NotebookNode) -> dict:
    """Return the parts of an output that must be equal, by name: all but the PNG."""
    parts = {k: v for k, v in output.items() if k not in ("data", "execution_count", "traceback")}
    return parts | {k: v for k, v in output.get("data", {}).items() if k != PNG}


def picture_difference(stored: str, fresh: str, varies: bool = False) -> str:
    """Describe how a stored PNG, in base 64, differs from that of a run; "" if it does not.

    Where a training decides what it shows, which each processor rounds to another end, its pixels
    vary: then only its size and its properties are compared, beside its alternative text.
    """
    if stored.strip() == fresh.strip():
        return ""
    try:
        old, old_info = _pixels(stored)
    except (OSError, ValueError) as error:
        return f"the stored picture is not a PNG: {error}"
    new, new_info = _pixels(fresh)
    if old_info != new_info:
        return f"the stored picture has the properties {old_info}, a run's {new_info}"
    if old.shape != new.shape:
        return f"the stored picture has {old.shape[:2]} pixels, a run's {new.shape[:2]}"
    largest = int(abs(old - new).max())
    if not varies and largest > PIXEL_TOLERANCE:
        return f"a pixel of the stored picture differs from a run's by {largest} of 255"
    return ""


def _pixels(picture: str) -> tuple[np.ndarray, dict]:
    """Return the (H, W, 4) levels of a PNG in base 64, and its properties: gamma, chunks, text."""
    data = b64decode(picture, validate=True)
    with Image.open(BytesIO(data), formats=["PNG"]) as image:
        levels = np.asarray(image.convert("RGBA"), dtype=int)
        return levels, image.info | {"chunks": _chunks(data)}


def _chunks(png: bytes) -> list[bytes]:
    """Return the kinds of a PNG's chunks in order, and of what follows its end; "IDAT" once.

    A browser draws some kinds that Pillow leaves out.
    """
    kinds, at = [], len(b"\x89PNG\r\n\x1a\n")
    while at < len(png):
        kinds.append(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4])
    return [kind for kind, _ in groupby(kinds)]
