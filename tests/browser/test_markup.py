"""Markup in names and messages, in a real JupyterLab: read as text, and no script of it runs."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.page_objects import Notebook, open_drawer, opened, said
from tests.untrusted_images import MARKUP

# A browser gives a file's name without its folders: so no slash.
NAME = """<img src=x onerror='window.ran = 1'>"&amp;.png"""


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "markup") as notebook:
        yield notebook


def show_operation(notebook: Notebook, body: str) -> Locator:
    """Show a panel whose operation is named by markup and does what `body` says."""
    lines = [
        "def operation(X, K):",
        f"    {body}",
        f"operation.__name__ = {MARKUP!r}",
        "panel = KernelEditor(stripes(), operation=operation)",
        "panel",
    ]
    return notebook.show("\n".join(lines))


def expect_no_script_of_it(notebook: Notebook) -> None:
    assert notebook.page.locator("[onerror], img[src=x], .ck-panel script").count() == 0
    assert notebook.page.evaluate("window.ran") is None


def test_an_operations_name_is_text(notebook):
    panel = show_operation(notebook, "return corr2d(X, K) + 1")
    expect(said(panel, "alert")).to_contain_text(f"{MARKUP} differs from convkit in")
    expect_no_script_of_it(notebook)


def test_what_an_operation_raises_is_text(notebook):
    panel = show_operation(notebook, f"raise RuntimeError({MARKUP!r})")
    expect(said(panel, "alert")).to_contain_text(f"raised RuntimeError: {MARKUP}; wanted")
    expect_no_script_of_it(notebook)


def test_a_files_name_is_text(notebook):
    panel = notebook.show("panel = KernelEditor(stripes())\npanel")
    open_drawer(panel, "torch code")
    file = io.BytesIO()
    Image.fromarray(np.full((5, 5), 51, np.uint8)).save(file, "PNG")
    with panel.page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="your file").click()
    payload = {"name": NAME, "mimeType": "image/png", "buffer": file.getvalue()}
    chooser.value.set_files([payload])
    expect(panel.locator("pre.ck-code")).to_contain_text(f"convkit.open_image({NAME!r}, size=600)")
    expect(panel.get_by_label("picture").locator("option:checked")).to_have_text(f"file {NAME}")
    expect_no_script_of_it(notebook)


def test_a_text_in_a_box_is_text(notebook):
    panel = notebook.show("panel = KernelEditor(stripes())\npanel")
    panel.get_by_role("textbox", name="kernel row 1 column 1").fill(NAME)
    expect(said(panel, "alert")).to_contain_text(f"kernel row 1 column 1 is {NAME[:40]!r};")
    expect_no_script_of_it(notebook)


def test_markup_that_is_not_escaped_would_set_the_flag(notebook):
    panel = notebook.show("panel = KernelEditor(stripes())\npanel")
    expect(said(panel)).to_be_visible()
    markup = "<img src='data:,' onerror='window.ran = 1'>"  # no error on the console
    notebook.ask(f"panel._status.value = {markup!r}")
    notebook.page.wait_for_function("window.ran === 1")
    assert panel.locator("[onerror]").count() == 1
    notebook.page.evaluate("delete window.ran")
    notebook.ask("panel.close()")
