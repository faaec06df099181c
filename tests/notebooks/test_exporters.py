"""With the project's settings, nbconvert picks of each output what its format can show."""

import json

import pytest
from nbconvert import HTMLExporter, LatexExporter, SlidesExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from traitlets.config import Config

from convkit import stripes
from convkit.panels import KernelEditor
from tools.install_settings import SETTINGS
from tools.notebooks import WIDGET_VIEW

SETTING = Config(json.loads((SETTINGS / "jupyter" / "jupyter_config.json").read_text()))


@pytest.mark.parametrize(
    ("exporter", "has_lens"), [(HTMLExporter, True), (SlidesExporter, True), (LatexExporter, False)]
)
def test_a_saved_panel_is_a_lens_in_a_page_and_text_in_latex(exporter, has_lens):
    data, metadata = KernelEditor(stripes())._repr_mimebundle_()
    data = {WIDGET_VIEW: {"model_id": "gone"}} | data
    output = new_output("display_data", data, metadata=metadata)
    notebook = new_notebook(cells=[new_code_cell("panel", execution_count=1, outputs=[output])])
    exported, _ = exporter(config=SETTING).from_notebook_node(notebook)
    assert ("ck-saved" in exported) == has_lens
    assert ("KernelEditor: cross-correlation, padding 0" in exported) != has_lens
