"""A pytest plugin that closes the holes of nbval, in nbval's own run.

nbval runs a stored notebook and compares words. It does not compare pictures, metadata, the order
of words and pictures, cells without an execution count or with a marker, and it does not ask
whether a panel is live. Wherever nbval would collect a notebook, this plugin collects a
`GuardedNotebook`: two checks of the file as a whole, then nbval's cells, each compared with what
`make notebooks` would store now.
"""

from base64 import b64decode
from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO

import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg
from nbval.plugin import IPyNbCell, IPyNbFile
from PIL import Image

from tests.notebooks.notebook_lint import faults, page_faults
from tools.notebooks import as_stored

OUTPUTS = {"stream", "display_data", "execute_result", "error"}
NO_OUTPUTS = {"status", "execute_input", "comm_open", "comm_msg"}
"""What else a kernel may say of a cell; anything more takes back what was shown."""
PNG = "image/png"
ROUNDING = 2
"""How far a channel of a pixel, of 255, may be from the run's: a processor's plainest instructions
round as far in the pictures of notebooks 00 to 04."""


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    """Guard each notebook that nbval would run."""
    collected = yield
    return [
        GuardedNotebook.from_parent(parent, path=file_path)
        if isinstance(found, IPyNbFile)
        else found
        for found in collected
    ]


class GuardedNotebook(IPyNbFile):
    """A stored notebook: its form, the page it makes, and its cells."""

    def collect(self):
        cells = list(super().collect())
        yield WholeFile.from_parent(self, name="form", faults=faults)
        yield WholeFile.from_parent(self, name="page", faults=page_faults)
        for cell in cells:
            arguments = {key: getattr(cell, key) for key in ("name", "cell_num", "cell", "options")}
            yield GuardedCell.from_parent(self, **arguments)

    def setup(self):
        """Start no kernel yet: a file with a fault in its form needs none."""

    def get_kernel_message(self, timeout=None, stream="iopub"):
        """Pass nbval a message, and keep it: nbval loses the order of the outputs."""
        message = super().get_kernel_message(timeout, stream)
        self.heard.append(message)
        return message


class WholeFile(pytest.Item):
    """One check of a notebook's file, which needs no kernel."""

    def __init__(self, *, faults, **options):
        super().__init__(**options)
        self.faults = faults

    def runtest(self):
        found = list(self.faults(self.parent.nb, self.path))
        if found:
            pytest.fail("\n".join(found), pytrace=False)

    def reportinfo(self):
        return self.path, 0, self.name


class GuardedCell(IPyNbCell):
    """A cell whose outputs must be, in order, what a run gives."""

    def setup(self):
        if self.parent.kernel is None:
            IPyNbFile.setup(self.parent)
        super().setup()

    def runtest(self):
        if {name for name, chosen in self.options.items() if chosen} != {"check"}:
            self.raise_cell_error("a marker keeps nbval from comparing this cell")
        stored = deepcopy(self.cell.outputs)  # nbval joins streams in place
        self.parent.heard = heard = []
        super().runtest()
        ours = heard[-1]["parent_header"]["msg_id"]
        said = [message for message in heard if message["parent_header"]["msg_id"] == ours]
        odd = {message["msg_type"] for message in said} - OUTPUTS - NO_OUTPUTS
        if odd:
            self.raise_cell_error(f"the cell takes back what was shown: {', '.join(sorted(odd))}")
        made = as_stored([output_from_msg(m) for m in said if m["msg_type"] in OUTPUTS])
        found = list(differences(stored, made))
        if found:
            self.raise_cell_error("\n".join(found))


def differences(stored: list[NotebookNode], made: list[NotebookNode]) -> Iterator[str]:
    """Say in words where stored outputs are not those that a run has just made."""
    kinds, wanted = (", ".join(map(kind, outputs)) or "none" for outputs in (stored, made))
    if kinds != wanted:
        yield f"stored outputs: {kinds}; a run gives: {wanted}"
        return
    for number, (old, new) in enumerate(zip(stored, made, strict=True), start=1):
        theirs = words(new)
        for part, mine in words(old).items():
            if mine != theirs[part]:
                yield f"output {number}: {part} is {mine}; a run gives: {theirs[part]}"
        if PNG in old.get("data", {}):
            fault = picture_fault(old.data[PNG], new.data[PNG])
            if fault:
                yield f"output {number}: {fault}"


def kind(output: NotebookNode) -> str:
    """Return an output's type, and its stream's name or the formats that it comes in."""
    detail = output.get("name") or output.get("ename") or "+".join(sorted(output.get("data", ())))
    live = " (live)" if output.get("metadata", {}).get("live") else ""
    return f"{output.output_type} {detail}{live}"


def words(output: NotebookNode) -> dict:
    """Return all of an output that must be the same to the letter."""
    parts = {k: v for k, v in output.items() if k not in ("data", "execution_count", "traceback")}
    return parts | {k: v for k, v in output.get("data", {}).items() if k != PNG}


def picture_fault(stored: str, made: str) -> str:
    """Say in words how a stored PNG, in base 64, is not the picture that a run has drawn."""
    if stored.strip() == made.strip():
        return ""
    try:
        old, said = pixels(stored)
    except (OSError, ValueError) as error:
        return f"the stored picture is not a PNG: {error}"
    new, wanted = pixels(made)
    if said != wanted:
        return f"beside its pixels the stored picture says {said}, a run's {wanted}"
    if old.shape != new.shape:
        return f"the stored picture has {old.shape[:2]} pixels, a run draws {new.shape[:2]}"
    most = int(abs(old - new).max())
    return f"the stored picture is up to {most} of 255 from what a run draws" * (most > ROUNDING)


def pixels(picture: str) -> tuple[np.ndarray, dict]:
    """Return the (H, W, 4) levels of a PNG in base 64, and what else it says: gamma, frames."""
    with Image.open(BytesIO(b64decode(picture, validate=True)), formats=["PNG"]) as image:
        levels = np.asarray(image.convert("RGBA"), dtype=int)
        return levels, image.info
