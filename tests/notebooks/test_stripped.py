"""A site that keeps elements and drops styles still shows readable outputs with one sum each."""

import re
from pathlib import Path

import nbformat
import pytest

from convkit import stripes
from convkit.kernels import kernel
from convkit.panels import KernelEditor
from tests.stripped import stripped_lines
from tools.notebooks import code_cells

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb"))
MAX_LINES = 30
SUM = re.compile(r"Y\[\d+, \d+\] = ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_html_without_styles_is_short(path):
    notebook = nbformat.read(path, as_version=4)
    outputs = [output.get("data", {}) for c in code_cells(notebook) for output in c.outputs]
    pages = [stripped_lines(data["text/html"]) for data in outputs if "text/html" in data]
    assert pages
    for lines in pages:
        assert len(lines) <= MAX_LINES, lines
        assert len(SUM.findall("\n".join(lines))) <= 1, lines


def test_a_stored_panel_without_styles_is_short():
    stored, _ = KernelEditor(stripes(), kernel("Sobel x"), padding=1).fallback()
    lines = stripped_lines(stored["text/html"])
    assert len(lines) <= MAX_LINES
    assert len([line for line in lines if SUM.search(line)]) == 1
