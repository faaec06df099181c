"""A lens spells the sum of a cell: live, stored and, without script, exported."""

import re

import nbconvert
import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import Locator, expect

from convkit import stripes
from convkit.views import lens, show
from tests.browser.page_objects import METADATA, opened, watched
from tools.lab import PROJECT, open_notebook

X_K = "torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)"
# D2L 7.2, written out.
SUMS = [
    "Y[0, 0] = 0×0 + 1×1 + 3×2 + 4×3 = 19",
    "Y[0, 1] = 1×0 + 2×1 + 4×2 + 5×3 = 25",
    "Y[1, 0] = 3×0 + 4×1 + 6×2 + 7×3 = 37",
    "Y[1, 1] = 4×0 + 5×1 + 7×2 + 8×3 = 43",
]


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "lens") as notebook:
        yield notebook


SHOWN_SUMS = """view => {
    const text = [...view.querySelectorAll(".ck-sum")].filter(e => e.checkVisibility({
        visibilityProperty: true})).map(e => e.textContent);
    const names = [...view.querySelectorAll(".ck-Y input")].filter(e =>
        getComputedStyle(e, "::after").content != "none").map(e => e.ariaLabel);
    return [...text, ...names];
}"""


def expect_sums(view: Locator, *sums: str) -> None:
    """Wait until exactly these sums are seen: as text, or as the shown name of a button."""
    view.page.wait_for_function(
        f"([view, sums]) => JSON.stringify(({SHOWN_SUMS})(view)) === JSON.stringify(sums)",
        arg=[view.element_handle(), list(sums)],
    )


def expect_only(view: Locator, n: int) -> None:
    """Wait until the sum of output cell `n` of 2 x 2 shows alone, its window lit in the input."""
    expect_sums(view, SUMS[n])
    # The window slides: wait until its first cell lies on the input's cell of the same corner.
    i, j = divmod(n, 2)
    view.page.wait_for_function(
        """([view, n]) => {
            const cell = view.querySelectorAll(".ck-X td")[n].getBoundingClientRect();
            const lit = view.querySelector(".ck-slide span").getBoundingClientRect();
            return Math.abs(cell.x - lit.x) < 1 && Math.abs(cell.y - lit.y) < 1;
        }""",
        arg=[view.element_handle(), 3 * i + j],
    )


def buttons(view: Locator) -> Locator:
    return view.get_by_role("radio")


def point_and_choose(view: Locator) -> None:
    """Read each sum by pointing, then by the keyboard; a click chooses, and pointing previews."""
    mouse, cells = view.page.mouse, view.locator(".ck-Y td")
    expect_only(view, 0)
    for n in (1, 2, 3):
        cells.nth(n).hover()
        expect_only(view, n)
    mouse.move(0, 0)
    expect_only(view, 0)
    choose_by_keys(view)
    cells.nth(1).hover()
    expect_only(view, 1)
    mouse.move(0, 0)
    expect_only(view, 3)  # the choice stays
    cells.nth(2).click()
    mouse.move(0, 0)
    expect_only(view, 2)


def choose_by_keys(view: Locator) -> None:
    """Go from the first cell to the last; Enter, which sends forms, does nothing."""
    assert [name.get_attribute("aria-label") for name in buttons(view).all()] == SUMS
    buttons(view).nth(0).focus()
    for n in (1, 2, 3):
        view.page.keyboard.press("ArrowRight")
        expect(buttons(view).nth(n)).to_be_focused()
        expect_only(view, n)
    view.page.keyboard.press("Enter")
    expect_only(view, 3)
    view.page.keyboard.press("Shift+Tab")
    assert view.locator(".ck-Y input:focus").count() == 0  # one Tab stop for all cells


def kernel_messages(notebook) -> int:
    return len(notebook.sent)


def test_it_spells_without_a_kernel_message(notebook):
    view = notebook.show(f"lens({X_K})").locator(".ck-lens")
    before = kernel_messages(notebook)
    point_and_choose(view)
    assert kernel_messages(notebook) == before


def test_two_lenses_do_not_disturb_each_other_and_keep_their_keys(notebook):
    html = f"HTML(lens({X_K})._repr_html_())"
    shown = notebook.show(f"from ipywidgets import HTML, VBox\nVBox([{html}, {html}])")
    first, second = shown.locator(".ck-lens").all()
    count = notebook.page.locator(".jp-Cell").count()
    buttons(first).nth(0).focus()
    notebook.page.keyboard.press("ArrowDown")
    for key in "ddab":  # JupyterLab's keys to delete and to add cells
        notebook.page.keyboard.press(key)
    expect_only(first, 1)
    expect_only(second, 0)
    notebook.page.keyboard.press("Tab")
    expect(buttons(second).nth(0)).to_be_focused()
    assert notebook.page.locator(".jp-Cell").count() == count


def test_numbers_stand_in_the_middle_and_below_the_weight(notebook):
    view = notebook.show("lens(stripes(), torch.tensor([[1.0, -1.0]]))").locator(".ck-lens")
    places = view.evaluate("""view => {
        const box = e => e.getBoundingClientRect();
        const cell = view.querySelector(".ck-X td"), range = document.createRange();
        range.selectNodeContents(cell);
        const chip = getComputedStyle(view.querySelector(".ck-slide span"), "::before");
        const border = parseFloat(getComputedStyle(view.querySelector(".ck-slide span")).borderTop);
        const ink = 0.75 * parseFloat(getComputedStyle(cell).fontSize);
        const middle = r => [(r.left + r.right) / 2, (r.top + r.bottom) / 2];
        return {number: middle(box(range)), cell: middle(box(cell)),
            top: middle(box(range))[1] - ink / 2,
            chip: box(cell).top + border + parseFloat(chip.height)};
    }""")
    assert places["number"] == pytest.approx(places["cell"], abs=1.5)
    assert places["top"] >= places["chip"] - 0.5


def test_the_tables_are_tables_to_a_screen_reader(notebook):
    view = notebook.show(f"lens({X_K})").locator(".ck-lens")
    assert view.get_by_role("table").count() == 3
    assert view.get_by_role("cell").count() == 9 + 4 + 4


def stored_page(name: str, *shown: object) -> nbformat.NotebookNode:
    """Build a notebook that has run, as it is stored."""
    cells = []
    for n, item in enumerate(shown, start=1):
        data, metadata = {"text/plain": repr(item)}, {}
        if hasattr(item, "_repr_html_"):
            data["text/html"] = item._repr_html_()
        else:
            data, metadata = item._repr_mimebundle_()
        result = new_output("execute_result", data, metadata=metadata, execution_count=n)
        cells.append(new_code_cell(name, execution_count=n, outputs=[result]))
    return new_notebook(cells=cells, metadata=METADATA)


def test_a_stored_lens_spells_before_it_is_run(chromium, lab):
    with watched(chromium) as page:
        stored = open_notebook(page, lab, "notebooks/01_cross_correlation.ipynb")
        point_and_choose(stored.locator(".ck-lens:visible").first)


@pytest.fixture(scope="module")
def without_script(chromium):
    """Give a page that runs no script."""
    with watched(chromium, java_script_enabled=False) as page:
        yield page


def exported(notebook: nbformat.NotebookNode, path) -> str:
    html, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    path.write_text(html)
    return path.as_uri()


def test_an_exported_page_spells_without_script(without_script, tmp_path):
    stored = nbformat.read(PROJECT / "notebooks" / "01_cross_correlation.ipynb", as_version=4)
    without_script.goto(exported(stored, tmp_path / "01.html"))
    views = without_script.locator(".ck-lens")
    assert views.count() >= 2  # the plain lens, and the panel's
    for view in views.all():
        names = [name.get_attribute("aria-label") for name in buttons(view).all()]
        view.locator(".ck-Y td").nth(3).hover()
        expect_sums(view, names[3])
        buttons(view).nth(1).check()
        without_script.mouse.move(0, 0)
        expect_sums(view, names[1])


def test_padding_and_pictures_on_an_exported_page(without_script, tmp_path):
    X = stripes()
    views = lens(X, torch.ones(3, 3), padding=1, stride=2), show({"X": X})
    without_script.goto(exported(stored_page("view", *views), tmp_path / "views.html"))
    padded = without_script.locator(".ck-lens")
    expect(padded.locator(".ck-X td.pad")).to_have_count(8 * 10 - 6 * 8)
    padded.locator(".ck-Y td").last.hover()
    expect_sums(padded, buttons(padded).last.get_attribute("aria-label"))
    expect(buttons(padded).last).to_have_accessible_name(re.compile(r"^Y\[2, 3\] = "))
    drawn = without_script.get_by_role("img").last
    assert drawn.evaluate("async image => { await image.decode(); return image.naturalWidth }") > 99
