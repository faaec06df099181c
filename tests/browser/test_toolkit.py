"""A panel of convkit.ui in a real JupyterLab: what the front end and the kernel have to do with it.

What the page does by itself is tested in test_module.py.
"""

import inspect
import json
import re

import nbformat
import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.page_objects import box, opened, said, slider, type_in, watched
from tests.ui import sample
from tools.lab import cell, jupyterlab, open_notebook, run_cell

SAMPLE = f"{inspect.getsource(sample)}\nshown = panel(work=slow(0))\nshown"
NOTICE = "view => getComputedStyle(view, '::before').content"


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "toolkit") as notebook:
        yield notebook


@pytest.fixture
def panel(notebook):
    """Give a new panel."""
    return notebook.show(SAMPLE).locator(".ck-view")


def saved(notebook):
    """Return what is stored of the notebook's panel."""
    stored = nbformat.read(notebook.lab.root / "toolkit.ipynb", as_version=4)
    return str(stored.cells[1].outputs)


def test_what_is_typed_while_the_kernel_is_busy_arrives(notebook, panel):
    notebook.start("time.sleep(1.5)")
    type_in(box(panel, "K[0, 0]"), "0.25")
    slider(panel, "step").fill("4")
    expect(panel.locator("[data-key=loss]")).to_have_text("loss 8")  # without the kernel
    expect(panel.locator(".ck-status")).to_have_attribute("aria-busy", "true")
    expect(panel.locator("[data-key=loss]")).to_have_text("loss 5")
    expect(box(panel, "K[0, 0]")).to_have_value("0.25")
    expect(said(panel)).to_have_text("max pooling: 3 × 4. Total -0.75.")
    assert notebook.ask("print(shown.K.tolist(), shown.n)").strip() == "[[0.25, -1.0]] 4"


def test_the_notebook_is_saved_by_keys_and_a_page_that_comes_back_shows_the_state(notebook, panel):
    """Findings 2 and 3."""
    page = notebook.page
    slider(panel, "step").fill("4")
    type_in(box(panel, "K[0, 1]"), "-2")
    expect(said(panel)).to_contain_text("Total -1.")
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-DirtyIndicator, .jp-mod-dirty")).to_have_count(0)
    page.wait_for_function("() => !document.title.startsWith('*')")
    assert "Run this cell to make the panel live" in saved(notebook)
    assert not page.get_by_role("dialog").count()
    page.reload()
    panel = cell(page, 2).locator(".ck-view")
    expect(box(panel, "K[0, 1]")).to_have_value("−2", timeout=60_000)
    expect(slider(panel, "step")).to_have_value("4")
    expect(panel.locator("[data-key=loss]")).to_have_text("loss 12")
    expect(page.get_by_text(re.compile(r"\| Idle$"))).to_be_visible(timeout=60_000)
    assert notebook.ask("print(shown.K.tolist(), shown.n)").strip() == "[[1.0, -2.0]] 4"
    type_in(box(panel, "K[0, 0]"), "5")
    expect(said(panel)).to_contain_text("Total 3.")


def test_two_pages_on_one_kernel_show_the_same(chromium, lab, notebook, panel):
    page = notebook.page
    type_in(box(panel, "K[0, 0]"), "5")
    expect(said(panel)).to_contain_text("Total 4.")
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.title.startsWith('*')")
    with watched(chromium) as other:
        open_notebook(other, lab, "toolkit.ipynb")
        second = cell(other, 2).locator(".ck-view")
        expect(box(second, "K[0, 0]")).to_have_value("5", timeout=60_000)
        type_in(box(second, "K[0, 1]"), "3")
        expect(box(panel, "K[0, 1]")).to_have_value("3")
        slider(panel, "size").fill("3")
        expect(said(second)).to_have_text("max pooling: 2 × 2. Total 8.")
        assert notebook.ask("print(shown.K.tolist(), shown.size)").strip() == "[[5.0, 3.0]] 3"


def state_of(page: Page) -> list:
    """Return the active cell and the kinds of all cells, which keys could change."""
    return page.locator(".jp-Notebook:visible").evaluate(
        """notebook => [...notebook.querySelectorAll(".jp-Cell")].map(
            cell => [cell.className.includes("jp-mod-active"), cell.dataset.cellId,
                     cell.className.includes("jp-CodeCell")])"""
    )


def test_no_key_that_a_control_uses_reaches_the_notebook(notebook, panel):
    """Arrows would leave the cell; a, b, x, d d and m would add, cut, delete and change it."""
    page = notebook.page
    slider(panel, "size").focus()
    before, count = state_of(page), 0
    for control in panel.locator("button, input, select, canvas, summary, [tabindex='0']").all():
        if control.is_visible() and control.get_attribute("type") != "file":
            control.focus()
            for key in ("ArrowDown", "ArrowUp", "ArrowUp", "a", "b", "x", "d", "d", "m", "Escape"):
                page.keyboard.press(key)
            assert panel.evaluate("view => view.contains(document.activeElement)")
            assert state_of(page) == before, control
            count += 1
    assert count > 20
    expect(said(panel)).to_be_visible()


def test_a_panel_without_its_kernel_says_so_until_its_cell_runs_again(chromium, lab):
    with opened(chromium, lab, "restarted") as notebook:
        page, panel = notebook.page, notebook.show(SAMPLE).locator(".ck-view")
        page.get_by_role("menuitem", name="Kernel", exact=True).click()
        page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).click()
        page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
        expect(page.locator(".jp-Dialog")).to_have_count(0)
        expect(page.get_by_text(re.compile(r"\| Idle$"))).to_be_visible(timeout=60_000)
        assert panel.evaluate(NOTICE) == "none"
        type_in(box(panel, "K[0, 0]"), "3")
        assert "Run the cells from the top" in panel.evaluate(NOTICE)
        slider(panel, "step").fill("4")  # what needs no kernel still works
        expect(panel.locator("[data-key=loss]")).to_have_text("loss 8")
        run_cell(page, 1)
        panel = run_cell(page, 2).locator(".ck-view")
        assert panel.evaluate(NOTICE) == "none"
        type_in(box(panel, "K[0, 0]"), "x")
        expect(panel.get_by_role("alert")).to_contain_text("K[0, 0] is 'x'")


def own_address() -> str:
    """Return an address of this machine that browsers take for another's."""
    found = [a.address for all in psutil.net_if_addrs().values() for a in all if a.family == 2]
    others = [address for address in found if not address.startswith("127.")]
    if not others:
        pytest.skip("this machine has no address besides the loopback one")
    return others[0]


def test_a_panel_works_over_plain_http(chromium, tmp_path):
    """Finding 1: without a secure context a browser has no crypto.randomUUID and no clipboard."""
    with (
        jupyterlab(tmp_path, address=own_address()) as lab,
        opened(chromium, lab, "insecure") as notebook,
    ):
        assert notebook.page.evaluate("[isSecureContext, typeof crypto.randomUUID]") == [
            False,
            "undefined",
        ]
        panel = notebook.show(SAMPLE).locator(".ck-view")
        type_in(box(panel, "K[0, 0]"), "3")
        expect(said(panel)).to_contain_text("Total 2.")
        panel.get_by_text("torch code").first.click()
        panel.get_by_role("button", name="copy the torch code").click()
        expect(panel.locator(".ck-code").get_by_role("status")).to_have_text("copied")
        shown = notebook.show("KernelEditor(photo(32))").locator(".ck-view")
        type_in(box(shown, "K[0, 0]"), "2")
        expect(shown.get_by_role("button", name="undo")).to_have_attribute("aria-disabled", "false")


def test_a_panel_stands_among_ipywidgets_and_its_fields_are_linked(notebook):
    source = SAMPLE.rsplit("\n", 1)[0]
    shown = notebook.show(
        f"{source}\nimport ipywidgets, traitlets\nnumber = ipywidgets.IntSlider(2, 1, 4, "
        "description='linked')\ntraitlets.link((shown, 'size'), (number, 'value'))\n"
        "ipywidgets.Tab([ipywidgets.HBox([shown, number])], titles=['one'])"
    )
    panel = shown.locator(".ck-view")
    slider(panel, "size").fill("4")
    expect(shown.locator(".widget-readout")).to_have_text("4")
    notebook.ask("number.value = 1")
    expect(slider(panel, "size")).to_have_value("1")
    assert json.loads(notebook.ask("print(shown.size)")) == 1
