"""A site that keeps elements and drops styles still shows readable outputs with one sum each."""

import re
from pathlib import Path

import nbformat
import pytest

from tests.stripped import stripped_lines
from tools.notebooks import code_cells

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb"))
MAX_LINES, MAX_PANEL_LINES = 30, 40
"""Of a lens, and of a panel, which has a status, controls and products too."""
SUM = re.compile(r"Y\[\d+, \d+\]")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_html_without_styles_is_short(path):
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    pages = [output for output in outputs if "text/html" in output.get("data", {})]
    assert pages
    for output in pages:
        lines = stripped_lines(output.data["text/html"])
        most = MAX_PANEL_LINES if output.metadata.get("live") else MAX_LINES
        assert len(lines) <= most, lines
        assert len(SUM.findall("\n".join(lines))) <= 1, lines
