"""A lens spells what a cell is made of: live, stored, printed and, without script, exported.

It looks the same wherever it stands: alone, or beside live panels.
"""

import re

import nbconvert
import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import Locator, Page, expect

from convkit import stripes
from convkit.figures import show
from convkit.lenses import Operand, equation_lens, lens, pooling_lens
from convkit.ui import Cursor, Frame
from tests.browser.page_objects import METADATA, opened, watched
from tests.ui.test_theme import contrast
from tools.export import page as exported_page
from tools.lab import cell, open_notebook

IMPORTS = "from convkit.lenses import lens, pooling_lens; from convkit import ui\n"
X, K = torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)
X_K = "torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)"
# D2L 7.2, written out.
SUMS = [
    "Y[0, 0] = 0×0 + 1×1 + 3×2 + 4×3 = 19",
    "Y[0, 1] = 1×0 + 2×1 + 4×2 + 5×3 = 25",
    "Y[1, 0] = 3×0 + 4×1 + 6×2 + 7×3 = 37",
    "Y[1, 1] = 4×0 + 5×1 + 7×2 + 8×3 = 43",
]
PANEL = """\
ui.explore(lambda K, flip: {"X": torch.eye(6), "Y": lens(stripes(), K, flip=flip)},
           K=torch.tensor([[1.0, -1.0]]), flip=False)"""


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "lens") as notebook:
        yield notebook


@pytest.fixture(scope="module")
def without_script(chromium):
    """Give a page that runs no script, in which one cannot wait for what moves: nothing does."""
    with watched(chromium, java_script_enabled=False, reduced_motion="reduce") as page:
        yield page


def shown_in(notebook, *sources: str) -> list[Locator]:
    """Run sources that end in views, one above the other; return the saved views."""
    shown = ", ".join(sources)
    notebook.show(f"{IMPORTS}from IPython.display import display\ndisplay({shown})")
    views = cell(notebook.page, 2).locator(".ck-saved")
    expect(views).to_have_count(len(sources))
    return views.all()


SHOWN_SUMS = """view => {
    const text = [...view.querySelectorAll(".ck-description span")].filter(e => e.checkVisibility({
        visibilityProperty: true})).map(e => e.textContent);
    const names = [...view.querySelectorAll(".ck-choose input")].filter(e =>
        getComputedStyle(e, "::after").visibility === "visible").map(e => e.ariaLabel);
    return [...text, ...names];
}"""


def expect_sums(view: Locator, *sums: str) -> None:
    """Wait until exactly these sums are seen: as text, or as the shown name of a button."""
    view.page.wait_for_function(
        f"([view, sums]) => JSON.stringify(({SHOWN_SUMS})(view)) === JSON.stringify(sums)",
        arg=[view.element_handle(), list(sums)],
    )


def expect_frame(view: Locator, table: str, frame: str, cell: int) -> None:
    """Wait until a frame that slides has come to a cell of its table: their corners meet."""
    view.page.wait_for_function(
        """([view, table, frame, n]) => {
            const part = view.querySelector(`[aria-label^="${table}"]`).closest("form");
            const cell = part.querySelectorAll("td")[n].getBoundingClientRect();
            const lit = part.querySelector(frame).getBoundingClientRect();
            return Math.abs(cell.x - lit.x) < 1 && Math.abs(cell.y - lit.y) < 1;
        }""",
        arg=[view.element_handle(), table, frame, cell],
    )


def expect_only(view: Locator, n: int) -> None:
    """Wait until output cell `n` of 2 x 2 shows alone: its sum, its ring, its window."""
    expect_sums(view, SUMS[n])
    i, j = divmod(n, 2)
    expect_frame(view, "input", ".ck-weights b", 3 * i + j)
    expect_frame(view, "output", ".ck-ring", n)


def buttons(view: Locator) -> Locator:
    return view.get_by_role("radio")


def cells(view: Locator) -> Locator:
    return view.locator(".ck-choose td")


def point_and_choose(view: Locator) -> None:
    """Read each sum by pointing, then by the keyboard; a click chooses, and pointing previews."""
    mouse = view.page.mouse
    expect_only(view, 0)
    for n in (1, 2, 3):
        cells(view).nth(n).hover()
        expect_only(view, n)
    mouse.move(0, 0)
    expect_only(view, 0)
    choose_by_keys(view)
    cells(view).nth(1).hover()
    expect_only(view, 1)
    mouse.move(0, 0)
    expect_only(view, 3)  # the choice stays
    cells(view).nth(2).click()
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
    assert view.locator(".ck-choose input:focus").count() == 0  # one Tab stop for all cells


# Live


def test_it_spells_without_a_kernel_message(notebook):
    (view,) = shown_in(notebook, f"lens({X_K})")
    before = len(notebook.sent)
    point_and_choose(view)
    assert len(notebook.sent) == before


def test_two_lenses_do_not_disturb_each_other_and_keep_their_keys(notebook):
    first, second = shown_in(notebook, f"lens({X_K})", f"lens({X_K})")
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


def test_the_tables_are_tables_to_a_screen_reader(notebook):
    (view,) = shown_in(notebook, f"lens({X_K})")
    names = ["input X 3 × 3", "kernel K 2 × 2", "output Y 2 × 2"]
    assert [t.get_attribute("aria-label") for t in view.get_by_role("table").all()] == names
    assert view.get_by_role("cell").count() == 9 + 4 + 4


def test_jupyterlabs_stripes_for_tables_stay_away(notebook):
    (view,) = shown_in(notebook, "lens(stripes(), [[1, -1]], padding=1)")
    view.locator("td.ck-pad").first.hover()
    colours = "rows => rows.map(row => getComputedStyle(row).backgroundColor)"
    assert set(view.locator("tr").evaluate_all(colours)) == {"rgba(0, 0, 0, 0)"}


# How large each element is, and the styles of it, and of what stands before and after it.
LOOK = """view => {
    const names = ["color", "background-color", "background-image", "border", "outline",
        "outline-offset", "box-shadow", "font", "display", "position", "padding", "margin",
        "opacity", "visibility", "text-align", "vertical-align", "white-space", "cursor", "gap",
        "align-items", "align-self", "justify-content", "grid-area", "overflow", "list-style",
        "transition", "z-index", "text-decoration", "content", "print-color-adjust"];
    const look = (e, part) => {
        const style = getComputedStyle(e, part);
        const isThere = !part || !["none", "normal"].includes(style.content);
        const said = name => `${name}: ${style.getPropertyValue(name)}`;
        return isThere ? names.map(said).join("; ") : "";
    };
    return [view, ...view.querySelectorAll("*:not(style)")].map(e => {
        const area = e.getBoundingClientRect();
        const size = [area.width, area.height].map(n => n.toFixed(1)).join(" x ");
        const parts = [null, "::before", "::after"].map(part => look(e, part));
        return [`${e.tagName}.${e.className} ${size}`, ...parts];
    });
}"""


def looks(view: Locator) -> list[list[str]]:
    view.page.mouse.move(0, 0)
    return view.evaluate(LOOK)


def test_a_lens_and_panels_look_as_each_does_alone(notebook):
    """Whatever stands before it and after it on the page."""
    padded = "lens(stripes(), [[1, -1]], padding=1, candidate=torch.ones(8, 9))"
    pooled = "pooling_lens(stripes(), 2)"
    stored = f"HTML({PANEL}.saved_html())"
    code = f"{IMPORTS}from IPython.display import HTML, display\n"
    sources = {"padded": padded, "pooled": pooled, "stored": stored, "live": PANEL}
    alone = {}
    for name, source in sources.items():
        view = notebook.show(f"{code}display({source})").locator(".ck-saved, .ck-view").first
        expect(view.get_by_role("table").first).to_be_visible()
        alone[name] = looks(view)
        assert len(alone[name]) > 100
    order = ["padded", "live", "stored", "pooled", "live", "padded", "stored"]
    notebook.show(f"{code}display({', '.join([sources[name] for name in order])})")
    area = cell(notebook.page, 2)
    views = area.locator(".ck-saved, .ck-view")
    expect(views).to_have_count(len(order))
    expect(area.locator(".ck-view").last.get_by_role("table").first).to_be_visible()
    for view, name in zip(views.all(), order, strict=True):
        assert looks(view) == alone[name], name


def test_a_stored_lens_spells_when_the_notebook_is_opened_again(chromium, lab):
    with opened(chromium, lab, "stored_lens") as notebook:
        shown_in(notebook, f"lens({X_K})")
        notebook.page.keyboard.press("ControlOrMeta+s")
        expect(notebook.page.get_by_text("Saving completed")).to_be_visible()
    with watched(chromium) as page:
        stored = open_notebook(page, lab, "stored_lens.ipynb")
        point_and_choose(stored.locator(".ck-saved:visible").first)


# On a page of its own


def laid_out(page: Page, *views: object, width: int = 960) -> list[Locator]:
    """Show views on a page of a width; return them."""
    page.set_viewport_size({"width": width, "height": 900})
    page.mouse.move(0, 0)
    body = "".join(view._repr_html_() for view in views)
    page.set_content(f"<!doctype html><body style='margin: 0'>{body}</body>")
    return page.locator(".ck-saved").all()


RANDOM = torch.rand(6, 8, generator=torch.Generator().manual_seed(1)) - 0.4
SOBEL = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])
LENSES = {
    "small": lens(X, K),
    "stripes": lens(stripes(), [[1, -1]], bias=-0.5),
    "padded": lens(RANDOM, SOBEL / 7, padding=1, candidate=torch.ones(6, 8)),
    "large": lens(torch.rand(16, 16), [[1.0, 0.5]]),
    "pooled": pooling_lens(RANDOM, 3, padding=1),
}
GEOMETRY = """view => {
    const box = e => e.getBoundingClientRect();
    const middle = r => [(r.left + r.right) / 2, (r.top + r.bottom) / 2];
    const cells = [...view.querySelectorAll("td")];
    const range = document.createRange();
    const numberIn = cell => (range.selectNodeContents(cell), box(range));
    const weights = [...view.querySelectorAll(".ck-weights:not(.ck-picks) b")].map(b => {
        const at = box(b), chip = getComputedStyle(b, "::before");
        return at.top + parseFloat(getComputedStyle(b).borderTopWidth) + parseFloat(chip.height);
    });
    const first = view.querySelector(".ck-weighted td");
    const font = cell => parseFloat(getComputedStyle(cell).fontSize);
    return {
        sizes: cells.map(cell => [box(cell).width, box(cell).height]),
        away: cells.map(cell => middle(box(cell)).map((n, k) => n - middle(numberIn(cell))[k])),
        fits: cells.map(cell => box(cell).width - numberIn(cell).width),
        fonts: cells.map(font),
        gap: weights.length ? middle(box(first))[1] - 0.37 * font(first) - weights[0] : 0,
        terms: [...view.querySelectorAll(".ck-term")].map(term => box(term).top),
        middles: [...view.querySelectorAll("table")].map(table => middle(box(table))[1]),
        overflow: document.documentElement.scrollWidth - innerWidth,
    };
}"""


@pytest.mark.parametrize("width", [390, 640, 960, 1400])
@pytest.mark.parametrize("name", LENSES)
def test_cells_are_squares_whose_numbers_are_legible_below_the_weights(without_script, name, width):
    (view,) = laid_out(without_script, LENSES[name], width=width)
    shown = view.evaluate(GEOMETRY)
    widths, heights = zip(*shown["sizes"], strict=True)
    assert max(widths) == pytest.approx(min(widths), abs=0.1)
    assert max(heights) == pytest.approx(max(widths[0], 28), abs=0.1)
    assert min(widths) >= (30 if width >= 640 else 23)
    assert min(shown["fonts"]) >= (10 if width >= 640 else 7)
    assert min(shown["fits"]) >= 0
    for across, down in shown["away"]:
        assert abs(across) < 1.5 and abs(down) < 1.5
    assert shown["gap"] >= -0.5
    assert shown["overflow"] <= 0


@pytest.mark.parametrize(("name", "least"), [("small", 60), ("stripes", 40), ("padded", 36)])
def test_an_equation_that_fits_stands_in_one_line_as_large_as_it_can(without_script, name, least):
    (view,) = laid_out(without_script, LENSES[name], width=960)
    shown = view.evaluate(GEOMETRY)
    assert min(w for w, _ in shown["sizes"]) >= least
    assert len(set(shown["terms"])) == 1
    assert max(shown["middles"]) - min(shown["middles"]) < 1  # the signs are level with them


def test_cells_grow_with_the_page(without_script):
    sizes = []
    for width in (880, 920, 960):
        (view,) = laid_out(without_script, LENSES["stripes"], width=width)
        sizes.append(view.evaluate(GEOMETRY)["sizes"][0][0])
    assert sizes[0] < sizes[1] < sizes[2]


SENTENCES = """view => {
    const room = view.querySelector(".ck-description").getBoundingClientRect();
    return [...view.querySelectorAll(".ck-choose input")].map(input => {
        input.checked = true;
        const style = getComputedStyle(input, "::after");
        return [room.height, room.width, view.getBoundingClientRect().height,
            parseFloat(style.height), parseFloat(style.width)];
    });
}"""


@pytest.mark.parametrize("width", [390, 960])
@pytest.mark.parametrize("name", ["small", "stripes", "padded", "pooled"])
def test_a_sentence_has_the_whole_width_and_room_for_the_longest(page, name, width):
    (view,) = laid_out(page, LENSES[name], width=width)
    buttons(view).first.focus()
    found = view.evaluate(SENTENCES)
    assert len({(room, height) for room, _, height, _, _ in found}) == 1  # nothing moves
    for room, wide, _, height, width in found:
        assert height <= room + 0.5 and width == pytest.approx(wide, abs=1)


@pytest.mark.parametrize("options", [{}, {"candidate": torch.ones(2, 2)}], ids=["plain", "marked"])
def test_an_arrow_key_shows_a_sentence_where_the_first_one_stood(without_script, options):
    """Finding 31: it was set in a column as wide as a cell."""

    def sentence(view: Locator) -> bytes:
        return without_script.screenshot(clip=view.locator(".ck-description").bounding_box())

    (chosen,) = laid_out(without_script, lens(X, K, at=(0, 1), **options))
    expected = sentence(chosen)
    (view,) = laid_out(without_script, lens(X, K, **options))
    assert sentence(view) != expected
    before = view.bounding_box()
    without_script.keyboard.press("Tab")
    without_script.keyboard.press("ArrowRight")
    expect(buttons(view).nth(1)).to_be_focused()
    assert sentence(view) == expected
    assert view.bounding_box() == before


def test_the_focus_shows_beside_the_ring(without_script):
    (view,) = laid_out(without_script, LENSES["small"])
    buttons(view).first.focus()
    without_script.keyboard.press("ArrowRight")
    outline = (
        "e => [getComputedStyle(e).outlineStyle, parseFloat(getComputedStyle(e).outlineOffset)]"
    )
    style, offset = buttons(view).nth(1).evaluate(outline)
    assert style == "solid" and offset >= 3  # beyond the ring


def test_the_winner_of_a_maximum_is_marked(without_script):
    values = torch.tensor([[1.0, 2.0, 0.0], [4.0, 3.0, 9.0]])
    (view,) = laid_out(without_script, pooling_lens(values, 2))
    parts = view.locator(".ck-picks b")
    look = "e => [getComputedStyle(e).borderTopWidth, getComputedStyle(e, '::before').opacity]"

    def marked() -> list[int]:
        shown = [part.evaluate(look) for part in parts.all()]
        assert {tuple(each) for each in shown} == {("2px", "0"), ("4px", "1")}
        return [n for n, (width, _) in enumerate(shown) if width == "4px"]

    assert marked() == [2]
    cells(view).nth(1).hover()
    assert marked() == [3]
    without_script.mouse.move(0, 0)
    assert marked() == [2]
    cells(view).nth(1).click()
    without_script.mouse.move(0, 0)
    assert marked() == [3]


def test_the_winner_is_marked_in_a_live_panel_too(notebook):
    live = notebook.show(
        f"{IMPORTS}ui.explore(lambda n: pooling_lens([[1, 2, 0], [4, 3, 9]], 2), n=3)"
    ).locator(".ck-view")
    parts = live.locator(".ck-picks b")
    expect(parts.nth(2)).to_have_css("border-top-width", "4px")
    cells(live).nth(1).hover()
    expect(parts.nth(3)).to_have_css("border-top-width", "4px")
    expect(parts.nth(2)).to_have_css("border-top-width", "2px")
    expect(live.locator("output")).to_have_text("Y[0, 1] = max(2, 0, 3, 9) = 9")
    cells(live).nth(0).click()
    expect(live.get_by_role("status").first).not_to_contain_text("fault")


def test_a_frame_follows_through_rows_of_a_matrix(without_script):
    cell = Cursor("cell", (2, 3), (0, 0))
    rows = Frame(cell, (0, 3, 1), (0, 0, 0), (1, 2))
    sums = [[f"row {3 * i + j}" for j in range(3)] for i in range(2)]
    matrix = Operand("matrix", torch.zeros(6, 2), frame=rows)
    made = equation_lens(cell, [matrix], Operand("Y", torch.zeros(2, 3), "="), sums)
    (view,) = laid_out(without_script, made)
    for n in (0, 4, 5):
        cells(view).nth(n).hover()
        expect_sums(view, f"row {n}")
        expect_frame(view, "matrix", "[data-rule]", 2 * n)


def test_a_printed_lens_keeps_its_colours_and_says_nothing_of_pointing(without_script):
    (view,) = laid_out(without_script, LENSES["padded"])
    hint = "e => getComputedStyle(e, '::after').display"
    title = view.locator(".ck-title").last
    assert title.evaluate(hint) != "none"
    without_script.emulate_media(media="print")
    try:
        assert title.evaluate(hint) == "none"
        adjust = "all => all.map(e => getComputedStyle(e).printColorAdjust)"
        for part in ("td", ".ck-weights b", ".ck-ring", ".ck-key i", ".ck-heading"):
            assert set(view.locator(part).evaluate_all(adjust)) == {"exact"}
    finally:
        without_script.emulate_media(media="screen")


# Exported


def stored_page(*shown: object) -> nbformat.NotebookNode:
    """Build a notebook that has run, as it is stored."""
    cells = []
    for n, item in enumerate(shown, start=1):
        data, metadata = {"text/plain": repr(item)}, {}
        if hasattr(item, "_repr_html_"):
            data["text/html"] = item._repr_html_()
        else:
            data, metadata = item._repr_mimebundle_()
        result = new_output("execute_result", data, metadata=metadata, execution_count=n)
        cells.append(new_code_cell("view", execution_count=n, outputs=[result]))
    return new_notebook(cells=cells, metadata=METADATA)


def by_nbconvert(notebook: nbformat.NotebookNode) -> str:
    html, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    return html


@pytest.mark.parametrize("export", [by_nbconvert, exported_page])
def test_an_exported_page_spells_without_script(without_script, tmp_path, export):
    path = tmp_path / "lens.html"
    path.write_text(export(stored_page(LENSES["small"], LENSES["padded"])), encoding="utf-8")
    without_script.goto(path.as_uri())
    small, padded = without_script.locator(".ck-saved").all()
    point_and_choose(small)
    expect(padded.locator("td.ck-pad")).to_have_count(8 * 10 - 6 * 8)
    cells(padded).last.hover()
    expect_sums(padded, buttons(padded).last.get_attribute("aria-label"))
    expect(buttons(padded).last).to_have_accessible_name(
        re.compile(r"^Y\[5, 7\] = .*, but yours gives 1$")
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_are_legible_on_an_exported_page(chromium, tmp_path, scheme):
    path = tmp_path / "lens.html"
    path.write_text(exported_page(stored_page(LENSES["small"])), encoding="utf-8")
    with watched(chromium, color_scheme=scheme) as page:
        page.goto(path.as_uri())
        buttons(page).nth(1).check()
        page.mouse.move(0, 0)
        colour = "(e, part) => getComputedStyle(e, part).color"
        paper = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
        shown = [
            page.locator(f".ck-saved {p}").first.evaluate(colour)
            for p in (".ck-heading", ".ck-key")
        ]
        shown.append(buttons(page).nth(1).evaluate(colour, "::after"))
        for ink in shown:
            assert contrast(hexadecimal(ink), hexadecimal(paper)) > 4.5


def hexadecimal(colour: str) -> str:
    return "#" + "".join([f"{int(n):02x}" for n in re.findall(r"\d+", colour)[:3]])


def test_a_picture_stands_beside_a_lens_on_an_exported_page(without_script, tmp_path):
    path = tmp_path / "views.html"
    path.write_text(by_nbconvert(stored_page(LENSES["small"], show({"X": stripes()}))))
    without_script.goto(path.as_uri())
    drawn = without_script.get_by_role("img").last
    assert drawn.evaluate("async image => { await image.decode(); return image.naturalWidth }") > 99
