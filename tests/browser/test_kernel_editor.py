"""The KernelEditor in a real JupyterLab: every control, each kind of bad input."""

import re
from io import BytesIO

import pytest
import torch
from PIL import Image
from playwright.sync_api import Locator, expect

from convkit import convolve2d, corr2d, kernel, photo, stripes
from convkit.views.plots import png
from convkit.formatting import colour_limit
from tests.browser.page_objects import (
    Notebook,
    box,
    button,
    number_box,
    open_drawer,
    opened,
    pixels,
    run_code,
    said,
    type_in,
)

CORNER = "kernel row 1 column 1"


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "kernel_editor") as notebook:
        yield notebook


@pytest.fixture
def on_photo(notebook: Notebook) -> Locator:
    """Give a new editor of the small photo, with Sobel x."""
    return notebook.show("panel = KernelEditor()\npanel")


@pytest.fixture
def on_stripes(notebook: Notebook) -> Locator:
    """Give a new editor of the stripes, with the book's [1, -1]."""
    return notebook.show("panel = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))\npanel")


def numbers(table: Locator) -> list[list[float]]:
    """Return what a table of cells says, without the sums and weights that are hidden in it."""
    cells = "row => [...row.cells].map(c => parseFloat(c.firstChild.textContent))"
    return table.locator("tr").evaluate_all(f"rows => rows.map({cells})")


def output(panel: Locator) -> Locator:
    return panel.locator(".ck-Y table:visible")


def expect_size(panel: Locator, size: str) -> None:
    """Wait until the output's caption says its size, such as "6 × 7"."""
    expect(panel.locator(".ck-Y figcaption:visible").first).to_have_text(f"output {size}")


def output_picture(panel: Locator) -> Locator:
    return panel.locator(".ck-Y .ck-picture img")


def picture_of(Y: torch.Tensor) -> torch.Tensor:
    with Image.open(BytesIO(png(Y, colour_limit(Y)))) as opened_png:
        rgb = opened_png.convert("RGB")
    return torch.frombuffer(bytearray(rgb.tobytes()), dtype=torch.uint8).reshape(*Y.shape, 3)


def upload(panel: Locator, name: str, data: bytes) -> None:
    with panel.page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="your file").click()
    chooser.value.set_files([{"name": name, "mimeType": "image/png", "buffer": data}])


def png_file(values: torch.Tensor) -> bytes:
    file = BytesIO()
    Image.fromarray(values.mul(255).byte().numpy()).save(file, "PNG")
    return file.getvalue()


def test_an_edited_box_changes_the_output_picture_and_the_code(on_photo):
    open_drawer(on_photo, "torch code")
    before = output_picture(on_photo).get_attribute("src")
    type_in(box(on_photo, CORNER), "-5")
    expect(on_photo.locator("pre.ck-code")).to_contain_text("[[-5.0, 0.0, 1.0]")
    expect(output_picture(on_photo)).not_to_have_attribute("src", before)
    K = kernel("Sobel x").clone()
    K[0, 0] = -5
    Y = corr2d(photo(128), K)
    assert torch.equal(pixels(output_picture(on_photo)), picture_of(Y))
    torch.testing.assert_close(run_code(on_photo)["Y"], Y)
    expect(on_photo.get_by_label("kernel", exact=True)).to_have_value("custom")


def test_a_picture_and_a_kernel_are_chosen_by_name(on_stripes):
    on_stripes.get_by_label("picture").select_option("photo 128 × 128")
    on_stripes.get_by_label("kernel", exact=True).select_option("Laplacian")
    expect(box(on_stripes, "kernel row 2 column 2")).to_have_value("-4")
    expect(said(on_stripes)).to_contain_text("Output 126 × 126")
    Y = corr2d(photo(128), kernel("Laplacian"))
    assert torch.equal(pixels(output_picture(on_stripes)), picture_of(Y))
    expect(on_stripes.get_by_text("rows: 128 - 3 + 1 = 126")).to_be_visible()


def test_rows_and_columns_of_the_kernel(on_stripes):
    on_stripes.get_by_label("rows").select_option("2")
    expect(box(on_stripes, "kernel row 2 column 2")).to_be_visible()
    expect_size(on_stripes, "5 × 7")
    on_stripes.get_by_label("columns").select_option("7")
    expect_size(on_stripes, "5 × 2")
    expect(on_stripes.locator(".ck-K input[type=text]")).to_have_count(14)


@pytest.mark.parametrize(
    "name, text, options",
    [
        ("padding", "1, 2", {"padding": (1, 2)}),
        ("stride", "2", {"stride": 2}),
        ("dilation", "3", {"dilation": 3}),
    ],
)
def test_padding_stride_and_dilation_are_typed(on_stripes, name, text, options):
    type_in(box(on_stripes, name), text)
    Y = corr2d(stripes(), torch.tensor([[1.0, -1.0]]), **options)
    expect(said(on_stripes)).to_contain_text(f"Output {Y.shape[0]} × {Y.shape[1]}")
    expect_size(on_stripes, f"{Y.shape[0]} × {Y.shape[1]}")
    assert numbers(output(on_stripes)) == Y.tolist()


def test_flip_convolves(on_stripes):
    on_stripes.get_by_label("flip (convolution)").check()
    expect(output(on_stripes).locator("td").nth(1)).to_have_text(re.compile("^-1Y"))
    assert numbers(output(on_stripes)) == convolve2d(stripes(), torch.tensor([[1.0, -1.0]])).tolist()
    open_drawer(on_stripes, "torch code")
    expect(on_stripes.locator("pre.ck-code")).to_contain_text("flip")


def test_undo_redo_and_reset(on_stripes):
    undo, redo = button(on_stripes, "undo"), button(on_stripes, "redo")
    expect(undo).to_be_disabled()
    type_in(box(on_stripes, CORNER), "4")
    expect(undo).to_be_enabled()
    on_stripes.get_by_label("rows").select_option("2")
    expect(box(on_stripes, "kernel row 2 column 1")).to_be_visible()
    undo.click()
    expect(box(on_stripes, "kernel row 2 column 1")).to_have_count(0)
    undo.click()
    expect(box(on_stripes, CORNER)).to_have_value("1")
    expect(undo).to_be_disabled()
    redo.click()
    expect(box(on_stripes, CORNER)).to_have_value("4")
    button(on_stripes, "reset").click()
    expect(box(on_stripes, CORNER)).to_have_value("1")
    undo.click()
    expect(box(on_stripes, CORNER)).to_have_value("4")


def test_a_file_of_ones_own(on_stripes, notebook):
    X = torch.rand(20, 30, generator=torch.Generator().manual_seed(0))
    upload(on_stripes, "mine.png", png_file(X))
    expect(said(on_stripes)).to_contain_text("Output 20 × 29")
    expect(on_stripes.get_by_label("picture")).to_have_value("file mine.png")
    grey = pixels(on_stripes.locator(".ck-X .ck-picture img"))[:, :, 0]
    torch.testing.assert_close(grey, X.mul(255).byte(), atol=1, rtol=0)
    button(on_stripes, "undo").click()
    expect_size(on_stripes, "6 × 7")


@pytest.mark.parametrize(
    "data, words",
    [
        (b"\x89PNG and no more", "cannot be read as a picture"),
        (b"\x89PNG" + bytes(12 * 2**20), "at most 10 MiB"),
    ],
    ids=["corrupt", "huge"],
)
def test_a_file_that_is_no_picture_is_answered_in_words(on_stripes, data, words):
    upload(on_stripes, "bad.png", data)
    expect(said(on_stripes, "alert")).to_contain_text(words, timeout=20_000)
    expect(on_stripes.get_by_label("picture")).to_have_value("stripes 6 × 8")
    expect_size(on_stripes, "6 × 7")


@pytest.mark.parametrize(
    "name, text, words",
    [
        (CORNER, "", f"{CORNER} is blank"),
        (CORNER, "1e400", "'1e400'"),
        (CORNER, "nan", "'nan'"),
        ("padding", "-1", "at least 0"),
        ("stride", "0", "at least 1"),
        ("stride", "x", "'x'"),
        ("dilation", "9", "kernel"),
    ],
)
def test_bad_input_is_answered_in_words_and_the_output_stays(on_stripes, name, text, words):
    before = numbers(output(on_stripes))
    box(on_stripes, name).fill(text)  # at once: key by key, the "1e4" of "1e400" is a number
    expect(said(on_stripes, "alert")).to_contain_text(words)
    assert numbers(output(on_stripes)) == before
    type_in(box(on_stripes, name), "2")
    expect(said(on_stripes)).to_contain_text("Output")


def test_an_operation_that_raises_is_answered_in_words(notebook):
    panel = notebook.show(
        "def mine(X, K):\n"
        "    if K[0, 0] > 5:\n"
        "        raise IndexError('out of reach')\n"
        "    return corr2d(X, K)\n"
        "\n"
        "panel = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]), operation=mine)\npanel"
    )
    expect(said(panel)).to_contain_text("mine agrees with convkit in all 42 cells")
    before = numbers(output(panel))
    type_in(box(panel, CORNER), "6")
    expect(said(panel, "alert")).to_contain_text("mine raised IndexError: out of reach")
    expect(box(panel, CORNER)).to_have_value("1")
    assert numbers(output(panel)) == before
    expect(box(panel, "padding")).to_be_disabled()


def test_cells_that_differ_are_marked_and_both_sums_shown(notebook):
    panel = notebook.show(
        "def wrong(X, K):\n    Y = corr2d(X, K)\n    Y[2:, 1] += 1\n    return Y\n"
        "panel = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]), operation=wrong)\npanel"
    )
    expect(said(panel, "alert")).to_contain_text("wrong differs from convkit in 4 of 42 cells")
    marked = panel.locator(".ck-Y td.bad")
    expect(marked).to_have_count(4)
    marked.first.hover()
    expect(marked.first.locator(".ck-sum")).to_be_visible()
    expect(marked.first.locator(".ck-sum")).to_have_text(
        "Y[2, 1] = 1×1 + 0×(-1) = 1, but yours gives 2"
    )


def test_cells_that_differ_are_magenta_in_a_large_picture(notebook):
    panel = notebook.show(
        "def wrong(X, K):\n    Y = corr2d(X, K)\n    Y[:, :10] = 9\n    return Y\n"
        "panel = KernelEditor(operation=wrong)\npanel"
    )
    shown = pixels(output_picture(panel))
    magenta = (shown == torch.tensor([213, 0, 143], dtype=torch.uint8)).all(2)
    assert magenta[:, :10].all() and not magenta[:, 10:].any()


def test_pixels_are_edited(on_stripes):
    open_drawer(on_stripes, "edit the pixels")
    type_in(box(on_stripes, "input row 1 column 1"), "3")
    expect(output(on_stripes).locator("td").first).to_have_text("2Y[0, 0] = 3×1 + 1×(-1) = 2")
    expect(on_stripes.get_by_label("picture")).to_have_value("your own")
    open_drawer(on_stripes, "torch code")
    assert run_code(on_stripes)["X"][0, 0] == 3
    on_stripes.get_by_label("picture").select_option("photo 128 × 128")
    expect(on_stripes.get_by_text("128 × 128 are too many pixels for boxes")).to_be_visible()
    expect_size(on_stripes, "128 × 127")


def test_a_photo_has_too_many_pixels_to_edit(on_photo):
    open_drawer(on_photo, "edit the pixels")
    expect(on_photo.get_by_text("128 × 128 are too many pixels for boxes")).to_be_visible()


def test_the_weight_is_dragged(on_photo):
    on_photo.get_by_label("drag").select_option("K[1, 1]")
    handle = on_photo.get_by_role("slider")
    expect(handle).to_have_attribute("aria-valuenow", "0.0")
    place = handle.bounding_box()
    before = output_picture(on_photo).get_attribute("src")
    mouse = on_photo.page.mouse
    mouse.move(place["x"] + 8, place["y"] + 8)
    mouse.down()
    mouse.move(place["x"] + 48, place["y"] + 8, steps=4)
    mouse.up()
    middle = box(on_photo, "kernel row 2 column 2")
    expect(middle).not_to_have_value("0")
    expect(output_picture(on_photo)).not_to_have_attribute("src", before)
    assert float(middle.input_value()) > 0
    button(on_photo, "undo").click()
    expect(middle).to_have_value("0")  # one drag is one edit
    expect(button(on_photo, "undo")).to_be_disabled()


def test_the_window_walks(on_stripes):
    button(on_stripes, "next window").click()
    button(on_stripes, "next window").click()
    expect(on_stripes.get_by_text("Y[0, 2] = 0×1 + 0×(-1) = 0")).to_be_visible()
    button(on_stripes, "previous window").click()
    expect(on_stripes.get_by_text("Y[0, 1] = 1×1 + 0×(-1) = 1")).to_be_visible()
    button(on_stripes, "last window").click()
    expect(number_box(on_stripes, "Y row")).to_have_value("5")
    number_box(on_stripes, "Y row").fill("3")
    number_box(on_stripes, "Y row").press("Tab")
    expect(on_stripes.get_by_text("Y[3, 6] = 1×1 + 1×(-1) = 0")).to_be_visible()
    button(on_stripes, "first window").click()
    on_stripes.locator(".widget-play button").first.click()
    expect(number_box(on_stripes, "Y row")).not_to_have_value("0")  # it played past the first row


def test_the_loupe_follows_row_and_column(on_photo):
    ring = on_photo.locator(".ck-X .ck-ring")
    place = ring.bounding_box()
    number_box(on_photo, "column").fill("100")
    number_box(on_photo, "column").press("Tab")
    expect(on_photo.get_by_text("output around Y[63, 100]")).to_be_visible()
    assert ring.bounding_box()["x"] > place["x"] + 50
    X, K = photo(128), kernel("Sobel x")
    shown = numbers(on_photo.locator(".ck-X:has-text('around') table"))
    assert shown[3][3] == pytest.approx(X[63, 100].item(), rel=1e-2)
    assert numbers(output(on_photo))[3][3] == pytest.approx(corr2d(X, K)[63, 100].item(), rel=1e-2)


def test_one_panel_shown_twice_and_another_beside_it(notebook):
    notebook.show(
        "from IPython.display import display\n"
        "one, other = KernelEditor(stripes()), KernelEditor(stripes())\n"
        "display(one, one, other)"
    )
    panels = notebook.page.locator(".ck-panel")
    expect(panels).to_have_count(3)
    type_in(box(panels.nth(0), CORNER), "7")
    for n, value in enumerate(("7", "7", "-1")):
        expect(box(panels.nth(n), CORNER)).to_have_value(value)
    expect(output(panels.nth(1)).locator("td").first).to_contain_text("Y[0, 0] = 1×7")
    expect(output(panels.nth(2)).locator("td").first).to_contain_text("Y[0, 0] = 1×(-1)")
    output(panels.nth(0)).locator("td").nth(3).hover()
    seen = panels.locator(".ck-sum:visible")
    assert [text.split(" = ")[0] for text in seen.all_inner_texts()] == [
        "Y[0, 3]", "Y[0, 0]", "Y[0, 0]"
    ]  # fmt: skip
