"""The KernelEditor in a real JupyterLab: each control by pointer or keys, each bad input."""

import pytest
import torch
from playwright.sync_api import Locator, expect

from convkit import corr2d, kernel, photo
from convkit.formatting import colour_limit
from convkit.ui import Scale
from tests.browser.page_objects import (
    Notebook,
    box,
    button,
    number_box,
    opened,
    picture,
    slider,
    table,
    type_in,
)

CELLS = "td:not(.ck-corner)"
EDGE = torch.tensor([[1.0, -1.0]])


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "kernel_editor") as notebook:
        notebook.ask("from convkit.panels import KernelEditor")
        yield notebook


@pytest.fixture
def on_photo(notebook: Notebook) -> Locator:
    """Give a new editor of the small photo, with Sobel x."""
    return notebook.show("panel = KernelEditor()\npanel")


@pytest.fixture
def on_stripes(notebook: Notebook) -> Locator:
    """Give a new editor of the stripes, with D2L's [1, -1]."""
    return notebook.show("panel = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))\npanel")


def output(panel: Locator) -> Locator:
    return table(panel, "output").first


def said(panel: Locator) -> Locator:
    """Return the words of the status line."""
    return panel.locator(".ck-words")


def alert(panel: Locator) -> Locator:
    return panel.get_by_role("alert")


def sums(panel: Locator) -> Locator:
    """Return the sum of the window that is shown."""
    return panel.locator(".ck-sum")


def numbers(table: Locator) -> list[list[float]]:
    """Return what the cells of a table say, without its headings."""
    cells = f"row => [...row.querySelectorAll('{CELLS}')].map(c => c.textContent)"
    rows = table.locator("tr").evaluate_all(f"rows => rows.map({cells})")
    return [[float(text.replace("−", "-")) for text in row] for row in rows if row]


def open_section(panel: Locator, title: str) -> None:
    panel.locator("summary").filter(has_text=title).click()


def start_painting(panel: Locator) -> None:
    """Open the section in which dragging paints the input, and wait until it does."""
    open_section(panel, "edit pixels")
    expect(panel.locator("form[data-paint]")).to_be_visible()


def run_code(panel: Locator) -> dict:
    """Run the torch code that a panel shows, here; return the names that it sets."""
    names: dict = {}
    exec(panel.get_by_role("region", name="torch code").inner_text(), names)
    return names


def chosen(panel: Locator, name: str) -> Locator:
    """Return the option of a list that is chosen."""
    return panel.get_by_label(name, exact=True).locator("option:checked")


def expect_framed(part: Locator, *cells: tuple[int, int]) -> None:
    """Wait until the frame on a table or picture spans from the first of some cells to the last.

    Cells are counted in the part, a table's without its headings.
    """
    told = [part.element_handle(), list(cells[0]), list(cells[-1])]
    part.page.wait_for_function(IS_FRAMED, arg=told)


# Whether the frame lies on the cells of a table, or the pixels of a picture.
IS_FRAMED = """([part, [top, left], [bottom, right]]) => {
    const whole = part.closest("[data-pick]");
    const box = () => {
        const canvas = whole.querySelector("canvas, img");
        if (!canvas) {
            const rows = [...whole.querySelectorAll("tr:not(:has(.ck-corner))")];
            const at = (i, j) => rows[i].querySelectorAll("td")[j].getBoundingClientRect();
            const [from, to] = [at(top, left), at(bottom, right)];
            return [from.left, from.top, to.right, to.bottom];
        }
        const [rows, columns] = whole.dataset.full.split(",").map(Number);
        const area = canvas.getBoundingClientRect();
        const [down, across] = [area.height / rows, area.width / columns];
        return [area.left + left * across, area.top + top * down,
            area.left + (right + 1) * across, area.top + (bottom + 1) * down];
    };
    const frame = () => {
        const parts = [...whole.querySelectorAll("[data-rule] b")];
        const all = (parts.length ? parts : [whole.querySelector("[data-rule]")])
            .map(part => part.getBoundingClientRect());
        return [Math.min(...all.map(a => a.left)), Math.min(...all.map(a => a.top)),
            Math.max(...all.map(a => a.right)), Math.max(...all.map(a => a.bottom))];
    };
    const shown = frame();
    return box().every((n, k) => Math.abs(n - shown[k]) < 1.5);
}"""


def expect_painted(panel: Locator, Y: torch.Tensor) -> None:
    """Wait until the output picture shows `Y` in signed colours, to its limit."""
    scale = Scale("signed", -colour_limit(Y), colour_limit(Y))
    palette = torch.tensor(list(scale.palette), dtype=torch.uint8).reshape(256, 4)
    levels = torch.tensor(list(scale.indices(Y)))
    expected = palette[levels, :3].reshape(*Y.shape, 3)
    canvas = picture(panel, f"output {Y.shape[0]} × {Y.shape[1]}")
    expect(canvas).to_be_visible()
    told = [canvas.element_handle(), expected.flatten().tolist()]
    panel.page.wait_for_function(IS_PAINTED, arg=told)


# Whether a canvas shows these red, green and blue levels.
IS_PAINTED = """([canvas, expected]) => {
    const shown = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return expected.length * 4 === shown.length * 3 && expected.every(
        (level, k) => level === shown[4 * Math.floor(k / 3) + k % 3]);
}"""


def test_a_typed_weight_changes_the_picture_and_the_code(on_photo):
    open_section(on_photo, "torch code")
    type_in(box(on_photo, "K[0, 0]"), "-5")
    K = kernel("Sobel x")
    K[0, 0] = -5
    expect_painted(on_photo, corr2d(photo(128), K))
    expect(on_photo.get_by_role("region", name="torch code")).to_contain_text("[[-5.0, 0.0, 1.0]")
    torch.testing.assert_close(run_code(on_photo)["Y"], corr2d(photo(128), K))
    expect(chosen(on_photo, "named kernel")).to_have_text("custom")


def test_a_refusal_moves_nothing(on_stripes):
    parts = box(on_stripes, "K[0, 0]"), output(on_stripes), table(on_stripes, "products")
    before = [part.bounding_box() for part in parts]
    type_in(parts[0], "abc")
    expect(alert(on_stripes)).to_contain_text("K[0, 0] is 'abc'")
    expect(parts[0]).to_have_attribute("aria-invalid", "true")
    assert [part.bounding_box() for part in parts] == before


def test_keys_undo_what_a_slider_did_and_leave_typing_to_its_box(on_photo):
    weight, handle = box(on_photo, "K[1, 1]"), slider(on_photo, "weight")
    keys = on_photo.page.keyboard
    weight.focus()
    expect(handle).to_have_attribute("aria-valuetext", "weight 0")
    handle.press("ArrowRight")
    expect(weight).to_have_value("0.1")
    keys.press("ControlOrMeta+z")
    expect(weight).to_have_value("0")
    keys.press("ControlOrMeta+Shift+z")
    expect(weight).to_have_value("0.1")
    keys.press("ControlOrMeta+z")
    keys.press("ControlOrMeta+y")
    expect(weight).to_have_value("0.1")
    type_in(weight, "5")
    expect(said(on_photo)).to_contain_text("Weights sum to 5")
    keys.press("ControlOrMeta+z")  # the browser's own: it undoes the typing
    expect(weight).not_to_have_value("5")
    assert on_photo.locator(":focus").get_attribute("aria-label") == "K[1, 1]"


def test_keys_undo_what_was_painted(on_stripes):
    start_painting(on_stripes)
    on_stripes.get_by_role("radio", name="white").check(force=True)
    on_stripes.page.locator(".jp-CodeCell .cm-content").last.focus()  # whose text stays
    pixel = table(on_stripes, "input").locator(CELLS).nth(3)
    pixel.click()
    expect(pixel).to_have_text("1")
    on_stripes.page.keyboard.press("ControlOrMeta+z")
    expect(pixel).to_have_text("0")


def test_a_large_window_has_one_frame(on_photo):
    on_photo.get_by_label("rows", exact=True).select_option(label="5")
    on_photo.get_by_label("columns", exact=True).select_option(label="5")
    expect(on_photo.get_by_text("rows: 128 − 5 + 1 = 124")).to_be_visible()
    zoom = table(on_photo, "input around the window").locator("xpath=ancestor::form")
    expect(zoom.locator("[data-rule]")).to_have_count(1)
    expect(zoom.locator("[data-rule] b")).to_have_count(0)
    expect_framed(table(on_photo, "input around the window"), (1, 1), (5, 5))


def test_the_window_walks_by_player_and_boxes(on_stripes):
    button(on_stripes, "next window").click()
    button(on_stripes, "next window").click()
    expect(sums(on_stripes)).to_contain_text("0×1 + 0×(−1) = 0 = Y[0, 2]")
    button(on_stripes, "last window").click()
    expect(number_box(on_stripes, "Y row")).to_have_value("5")
    number_box(on_stripes, "Y row").fill("3")
    number_box(on_stripes, "Y row").press("Tab")
    expect(sums(on_stripes)).to_contain_text("1×1 + 1×(−1) = 0 = Y[3, 6]")
    button(on_stripes, "first window").click()
    button(on_stripes, "play window").click()
    expect(number_box(on_stripes, "Y row")).not_to_have_value("0")  # it played past the first row
    button(on_stripes, "play window").click()
    expect(button(on_stripes, "play window")).to_have_attribute("aria-pressed", "false")


def pixel_of(canvas: Locator, i: int, j: int, size: int = 128) -> dict[str, float]:
    """Return where a pixel lies in a picture."""
    side = canvas.bounding_box()["width"] / size
    return {"x": (j + 0.5) * side, "y": (i + 0.5) * side}


def test_pointing_at_a_picture_moves_both_frames_and_a_click_keeps_the_window(on_photo):
    source, target = (picture(on_photo, f"{name} 1") for name in ("input", "output"))
    window = (19, 39), (21, 41)
    source.hover(position=pixel_of(source, 20, 40))
    expect_framed(source, *window)
    expect_framed(target, (19, 39))
    expect(sums(on_photo)).to_contain_text("= Y[19, 39]")  # while it is pointed at
    on_photo.page.mouse.move(0, 0)
    expect(sums(on_photo)).to_contain_text("= Y[63, 63]")
    source.click(position=pixel_of(source, 20, 40))
    on_photo.page.mouse.move(0, 0)
    expect(sums(on_photo)).to_contain_text("= Y[19, 39]")
    expect_framed(source, *window)  # both stay there now, without the pointer
    expect_framed(target, (19, 39))
    expect(number_box(on_photo, "Y row")).to_have_value("19")
    target.focus()
    on_photo.page.keyboard.press("ArrowDown")
    expect(sums(on_photo)).to_contain_text("= Y[20, 39]")
    expect(number_box(on_photo, "Y row")).to_have_value("20")


def test_a_picture_in_colour_is_pointed_at_walked_over_and_split_into_channels(notebook):
    notebook.ask("from convkit.images import colour_photo")
    panel = notebook.show("panel = KernelEditor(colour_photo(128))\npanel")
    source, target = (picture(panel, f"{name} 1") for name in ("input", "output"))
    source.click(position=pixel_of(source, 20, 40))
    expect_framed(source, (19, 39), (21, 41))
    expect_framed(target, (19, 39))
    expect(sums(panel)).to_contain_text("= Y[19, 39]")
    target.focus()
    expect(target).to_be_focused()
    panel.page.keyboard.press("ArrowDown")
    expect(sums(panel)).to_contain_text("= Y[20, 39]")
    shown = target.get_attribute("src")
    type_in(box(panel, "K[1, 1]"), "1")
    expect(target).not_to_have_attribute("src", shown)
    panel.get_by_label("channel", exact=True).select_option("red")
    expect(said(panel)).to_contain_text("Input: its red channel.")
    expect(panel.locator("canvas[aria-label^=output]")).to_be_visible()


def test_a_click_into_the_zoom_chooses_and_pointing_at_it_moves_nothing(on_photo):
    zoom = table(on_photo, "output around the cell").locator(CELLS)
    zoom.nth(7 * 3 + 5).hover()
    expect(sums(on_photo)).to_contain_text("= Y[63, 63]")
    zoom.nth(7 * 3 + 5).click()
    expect(sums(on_photo)).to_contain_text("= Y[63, 65]")
    expect_framed(table(on_photo, "output around the cell"), (3, 3))
    expect_framed(table(on_photo, "input around the window"), (2, 2), (4, 4))


def test_pointing_at_a_small_output_moves_the_window_without_the_kernel(notebook, on_stripes):
    notebook.start("time.sleep(3)")
    output(on_stripes).locator(".r2 td").nth(1).hover()
    expect_framed(table(on_stripes, "input 6"), (2, 1), (2, 2))
    weights = table(on_stripes, "input 6").locator("xpath=..").locator("[data-text]")
    assert weights.evaluate_all("parts => parts.map(b => b.dataset.text)") == ["1", "−1"]
    expect(sums(on_stripes)).to_contain_text("= Y[2, 1]")
    box(on_stripes, "K[0, 0]").fill("3")
    expect(sums(on_stripes)).to_contain_text("1×3 + 0×(−1) = 3 = Y[2, 1]")


def test_pictures_have_one_scale_and_dashed_lines_to_the_zoom(on_photo):
    open_section(on_photo, "padding, stride, flip")
    source = picture(on_photo, "input 128")
    side = source.bounding_box()["width"]
    assert side >= 300  # of the 936 that a panel has
    for name, text, columns in (("padding", "2", 130), ("stride", "2", 65)):
        type_in(box(on_photo, name), text)
        target = picture(on_photo, f"output {columns} × {columns}")
        expect(target).to_be_visible()
        scales = [p.bounding_box()["width"] / n for p, n in ((source, 128), (target, columns))]
        assert scales[0] == pytest.approx(scales[1], rel=0.01)
    line = source.locator("xpath=..").locator(".ck-ring")
    turned = line.evaluate("r => ['::before', '::after'].map(p => getComputedStyle(r, p).width)")
    assert all(float(width.removesuffix("px")) > 50 for width in turned)
    on_photo.get_by_label("picture", exact=True).select_option("photo 600 × 512")
    whole = picture(on_photo, "input 600 × 512")
    expect(whole).to_be_visible()
    assert whole.bounding_box()["height"] >= side - 1


def test_typing_padding_and_stride_moves_nothing_below_a_photo(on_photo):
    open_section(on_photo, "padding, stride, flip")
    typed = box(on_photo, "padding")
    place = typed.bounding_box()
    type_in(typed, "1")
    expect_size_of_picture(on_photo, "128 × 128")
    assert typed.bounding_box() == place
    type_in(box(on_photo, "stride"), "2")
    expect_size_of_picture(on_photo, "64 × 64")
    assert typed.bounding_box() == place


def expect_size_of_picture(panel: Locator, size: str) -> None:
    expect(picture(panel, f"output {size}")).to_be_visible()


def test_strokes_in_two_views_are_two_steps_and_a_cancelled_one_is_over(notebook):
    notebook.show("panel = KernelEditor(stripes())\ndisplay(panel, panel)")
    panels = notebook.page.locator(".ck-view")
    start_painting(panels.nth(0))
    views = [table(panels.nth(k), "input").locator(CELLS) for k in (0, 1)]
    mouse = notebook.page.mouse
    for k, cells in enumerate(views):
        cells.nth(k).click()
        expect(cells.nth(k)).to_have_text("0")
    button(panels.nth(1), "undo").click()
    expect(views[1].nth(1)).to_have_text("1")
    expect(views[1].nth(0)).to_have_text("0")

    cells = views[0]
    cells.nth(9).hover()
    mouse.down()
    cells.nth(9).dispatch_event("pointercancel")  # as where the browser takes the touch to scroll
    cells.nth(14).hover()
    mouse.up()
    expect(cells.nth(9)).to_have_text("0")
    assert notebook.ask("print(panel.X[1, 6].item())").strip() == "1.0"
