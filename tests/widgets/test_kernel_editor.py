"""KernelEditor, driven through its controls as a learner drives it."""

import io
import random
import re
import sys
import threading
from base64 import b64decode

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from PIL import Image

from convkit import ConvkitError, convolve2d, corr2d, photo, stripes
from convkit.formatting import minus, number
from convkit.images import PICTURES, picture
from convkit.kernels import KERNELS, kernel
from convkit.state.kernel_editor import COLOURS_IN_WORDS, compute
from convkit.state.store import replay
from convkit.views.scales import Scale
from convkit.widgets import KernelEditor
from convkit.widgets._batch import Batch
from tests.widgets.driver import send
from tests.widgets.panel_driver import PanelDriver

OPTIONS = ("padding", "stride", "dilation")


def editor(X=None, K=None, **options):
    X = stripes() if X is None else X
    return KernelEditor(X, kernel("Sobel x") if K is None else K, **options)


def driven(*arguments, **options):
    panel = editor(*arguments, **options)
    return panel, PanelDriver(panel)


def expect_consistent(panel, driver):
    """Every control, the code and the properties tell of one state."""
    how = {name: getattr(panel, name) for name in OPTIONS}
    operation = convolve2d if panel.flip else corr2d
    assert torch.equal(panel.output, operation(panel.X, panel.kernel, **how))
    K, cells = panel.kernel, [(i, j) for i, j in np.ndindex(*panel.kernel.shape)]
    shown = [driver.number(f"K[{i}, {j}]") for i, j in cells]
    assert shown == pytest.approx(K.flatten().tolist(), rel=1e-3)
    assert sum(name.startswith("K[") for name in driver.names()) == len(cells)
    assert (driver.text("rows"), driver.text("columns")) == tuple(map(str, K.shape))
    assert driver.find("flip the kernel: convolution").value == panel.flip
    for name, value in how.items():
        text = str(value).strip("()").replace(" ", "")
        assert driver.text(name).replace(" ", "") == text
    assert driver.can_press("undo") == panel.store.can_undo
    assert driver.can_press("redo") == panel.store.can_redo


# Each control


@pytest.mark.parametrize("name", PICTURES)
def test_choosing_a_picture(name):
    panel, driver = driven(torch.rand(9, 9))
    driver.choose("picture", name)
    assert torch.equal(panel.X, picture(name)) and driver.text("picture") == name
    expect_consistent(panel, driver)


@pytest.mark.parametrize("name", KERNELS)
def test_choosing_a_kernel(name):
    panel, driver = driven(K=torch.ones(2, 3))
    driver.choose("named kernel", name)
    assert torch.equal(panel.kernel, kernel(name)) and driver.text("named kernel") == name
    driver.choose("named kernel", "custom")
    assert torch.equal(panel.kernel, kernel(name)) and driver.text("named kernel") == name
    expect_consistent(panel, driver)


def test_every_size_of_kernel():
    panel, driver = driven(torch.rand(9, 9), torch.rand(3, 3))
    for rows in (1, 7, 2):
        driver.choose("rows", rows)
        for columns in (7, 1, 3):
            driver.choose("columns", columns)
            driver.type(f"K[{rows - 1}, {columns - 1}]", "0.25")
            assert panel.kernel.shape == (rows, columns) and panel.kernel[-1, -1] == 0.25
            expect_consistent(panel, driver)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("padding", "2", 2),
        ("padding", "1, 0", (1, 0)),
        ("stride", "2,1", (2, 1)),
        ("dilation", "1, 3", (1, 3)),
    ],
)
def test_typing_padding_stride_and_dilation(name, text, value):
    panel, driver = driven()
    driver.type(name, text)
    assert getattr(panel, name) == value and driver.kind == "note"
    assert driver.text(name) == text  # as it was typed
    expect_consistent(panel, driver)


def test_a_box_is_marked_until_its_text_can_be_read():
    panel, driver = driven()
    marks = []
    for text in ("2", "2,", "2,1"):
        driver.type("stride", text)
        marks.append(driver.is_refused("stride"))
    driver.type("stride", "x")
    driver.press("undo")
    marks.append(driver.is_refused("stride"))
    assert marks == [False, True, False, False]


def test_flipping():
    panel, driver = driven()
    before = panel.output
    driver.toggle("flip the kernel: convolution")
    assert torch.equal(panel.output, -before)
    expect_consistent(panel, driver)


def test_typing_weights_and_undoing_them_box_by_box():
    panel, driver = driven()
    for text in ("5", "5.", "5.5"):
        driver.type("K[0, 1]", text)
    driver.type("K[2, 0]", "-1/4")
    assert panel.kernel[0, 1] == 5.5 and panel.kernel[2, 0] == -0.25
    driver.press("undo")
    driver.press("undo")
    assert torch.equal(panel.kernel, kernel("Sobel x")) and not panel.store.can_undo
    expect_consistent(panel, driver)


def test_pasting_a_kernel():
    panel, driver = driven()
    driver.paste("K[0, 0]", "[[1, 0, -1],\n [2, 0, -2]]")
    assert panel.kernel.tolist() == [[1, 0, -1], [2, 0, -2]]
    expect_consistent(panel, driver)


def test_dragging_the_chosen_weight():
    panel, driver = driven()
    driver.type("K[0, 1]", "0.5")
    assert driver.find("weight").valuetext == "weight 0.5"
    driver.focus("K[2, 0]")
    slider = driver.find("weight")
    assert slider.value == -10 and slider.valuetext == "weight -1"
    expected = panel.kernel
    for position, weight in ((3, 0.3), (-4, -0.4), (10, 1.0)):
        driver.choose("weight", position)
        expected[2, 0] = weight
        assert torch.equal(panel.kernel, expected) and "K[2, 0]" in driver.html()
    expect_consistent(panel, driver)
    driver.press("undo")  # the whole drag
    assert panel.kernel[2, 0] == -1 and panel.kernel[0, 1] == 0.5


def test_a_weight_is_dragged_through_zero_on_one_scale():
    panel, driver = driven(K=kernel("identity"))
    driver.focus("K[1, 1]")
    for position in range(20, -21, -1):
        driver.choose("weight", position)
        assert panel.kernel[1, 1] == pytest.approx(position / 20)
    driver.type("K[1, 1]", "0.01")
    driver.choose("weight", 40)
    assert panel.kernel[1, 1] == pytest.approx(0.02)


def test_editing_pixels_of_a_small_picture():
    panel, driver = driven()
    driver.toggle("edit pixels")
    driver.type("X[5, 7]", "0.5")
    assert panel.X.sum() == stripes().sum() - 0.5 and driver.text("picture") == "your own"
    driver.type("X[0, 0]", "one")
    assert "X[0, 0] is 'one'" in driver.status and driver.kind == "error"
    panel.undo()
    assert driver.text("X[5, 7]") == "1" and driver.text("picture") == "stripes 6 × 8"
    assert driver.find("picture").options == tuple(PICTURES)  # no name that no picture has
    driver.choose("picture", "photo 128 × 128")
    assert driver.find("edit pixels").layout.display == "none"
    driver.choose("picture", "ramp 6 × 9")
    driver.type("X[5, 8]", "0")
    assert panel.X[5, 8] == 0


def test_the_window_is_chosen_by_player_boxes_or_picture():
    panel, driver = driven()
    driver.choose("Y row", 2)
    driver.choose("Y column", 3)
    assert "= Y[2, 3]" in driver.html() and driver.find("window").value == 2 * 6 + 3
    driver.choose("window", 23)
    assert (driver.text("Y row"), driver.text("Y column")) == ("3", "5")
    driver.choose("picture", "photo 128 × 128")
    assert "X[61:68, 61:68]" in driver.html() and "Y[60:67, 60:67]" in driver.html()
    driver.choose("output 126 × 126", (100, 3))
    assert "= Y[100, 3]" in driver.html() and "Y[97:104, 0:7]" in driver.html()
    assert driver.find("input 128 × 128, photo 128 × 128").cell == [100, 3]
    assert not panel.store.can_redo and panel.store.state.at == (100, 3)


# A picture file


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_file_that_was_changed_is_opened_again_under_its_name():
    panel, driver = driven()
    for shade in (0, 255):
        driver.upload("open a picture", "mine.png", png(np.full((8, 9), shade, np.uint8)))
        assert driver.text("picture") == "file mine.png" and "open_image('mine.png'" in panel.code
    driver.press("undo")
    assert driver.text("picture") == "file mine.png" and panel.X.max() == 0


def test_opening_a_picture_file():
    panel, driver = driven()
    array = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    for _ in range(2):  # the same file can be chosen again
        driver.upload("open a picture", "mine.png", png(array))
        assert torch.equal(panel.X, torch.tensor(array) / 255)
        assert driver.text("picture") == "file mine.png"
        driver.choose("picture", "dot 7 × 7")
    driver.upload("open a picture", "bad.png", b"<script>alert(1)</script>")
    assert "cannot be read as a picture" in driver.status and driver.kind == "error"
    assert driver.text("picture") == "dot 7 × 7"
    expect_consistent(panel, driver)


# What is refused: words, the last good state, and the next good edit works


def refused(panel, driver, act, words):
    before, log = panel.summary(), len(panel.store.log)
    act()
    assert words in driver.status and driver.kind == "error"
    assert panel.summary() == before and len(panel.store.log) == log


@pytest.mark.parametrize("text", ["", "nan", "1e400", "three", "<b>"])
def test_a_weight_that_is_no_number(text):
    panel, driver = driven()
    refused(panel, driver, lambda: driver.type("K[1, 1]", text), "it keeps 0.")
    assert driver.text("K[1, 1]") == text and "K[1, 1] is" in driver.status
    driver.type("K[0, 0]", "7")
    assert panel.kernel[0, 0] == 7
    driver.type("K[1, 1]", "0")
    assert driver.kind == "note"
    expect_consistent(panel, driver)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("text", ["", "-1", "1.5", "1, 2, 3", "9" * 20, "100000"])
def test_an_option_that_is_no_size(name, text):
    panel, driver = driven()
    refused(panel, driver, lambda: driver.type(name, text), f"{name} is")
    driver.toggle("flip the kernel: convolution")
    assert driver.kind == "note"
    expect_consistent(panel, driver)


def test_what_leaves_no_output_is_set_back():
    panel, driver = driven(K=torch.ones(3, 3))
    for act in (lambda: driver.choose("rows", 7), lambda: driver.type("dilation", "4")):
        refused(panel, driver, act, "a kernel no larger than the padded input")
        expect_consistent(panel, driver)


@pytest.mark.parametrize("text", ["1e308", "-1.7e308", "5e-324", "1e-310"])
def test_the_ends_of_float64_are_shown(text):
    panel, driver = driven(torch.ones(2, 2).double(), torch.ones(1, 1))
    driver.type("K[0, 0]", text)
    assert panel.kernel[0, 0] == float(text) and driver.kind == "note"
    expect_consistent(panel, driver)


def test_an_overflow_by_typing_or_dragging():
    panel, driver = driven(torch.ones(3, 3), torch.full((1, 1), 3e38))
    refused(panel, driver, lambda: driver.choose("weight", 40), "K[0, 0] is inf")
    expect_consistent(panel, driver)


WRONG = {
    "X": [None, torch.ones(3), torch.ones(3, 3).int(), torch.ones(1, 1), torch.full((2, 2), 1e400)],
    "kernel": [None, torch.ones(8, 1), torch.ones(7, 7), torch.full((2, 2), torch.nan)],
    "padding": [-1, 1.5, "1", None, 10**6],
    "stride": [0, (1, 2, 3)],
    "dilation": [9, "x"],
    "flip": [None, "yes"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in WRONG.items() for v in vs])
def test_a_wrong_value_in_code_raises_and_changes_nothing(name, value):
    panel, driver = driven()
    before = panel.summary(), panel.status
    with pytest.raises(ConvkitError):
        setattr(panel, name, value)
    assert (panel.summary(), panel.status) == before
    expect_consistent(panel, driver)


@pytest.mark.parametrize(
    "arguments",
    [{"X": 3}, {"K": torch.ones(8, 8)}, {"stride": 0}, {"flip": "no"}, {"operation": None}],
)
def test_what_cannot_be_made_raises(arguments):
    with pytest.raises(ConvkitError):
        editor(**arguments)


# A learner's function


def test_cells_that_differ_are_marked_with_both_sums():
    def differs(X, K):
        Y = corr2d(X, K)
        Y[1, 2] += 1
        return Y

    panel, driver = driven(operation=differs)
    assert "differs from convkit in 1 of 24 cells" in driver.status and driver.kind == "error"
    assert panel.store.state.at == (1, 2) and "= Y[1, 2]" in driver.html()
    theirs = number(panel.output[1, 2] + 1)
    assert f'Y[1, 2] = <b class="ck-theirs">{minus(theirs)}</b>' in driver.html()
    assert "but yours gives" in panel._repr_mimebundle_()[0]["text/html"]
    panel.X = photo(128)
    painted = driver.find("output 126 × 126").pixels
    panel.store.set(at=(5, 5))
    driver.press("next difference")
    assert panel.store.state.at == (1, 2)
    assert [n for n, level in enumerate(painted) if level == 255] == [126 + 2]


def test_both_sums_have_the_digits_that_tell_them_apart():
    def nearly(X, K):
        return corr2d(X, K) + 1e-5

    panel, driver = driven(torch.rand(5, 5), torch.ones(3, 3) / 9, operation=nearly)
    sums = driver.html().split("pixel × weight")[1]
    ours, theirs = re.findall(r"<b[^>]*>([\d.]+)</b>", sums)[-2:]
    assert ours != theirs and ours in driver.status and theirs in driver.status
    assert float(theirs) - float(ours) == pytest.approx(1e-5, rel=0.5)


def test_a_total_is_that_of_the_output():
    panel, driver = driven(torch.tensor([[3e38, 3e38, -3e38, -3e38]]), torch.ones(1, 4))
    assert "inf" not in driver.html() and "<b>0</b>" in driver.html()


def test_a_picture_that_differs_everywhere_is_not_covered_with_marks():
    panel, driver = driven(photo(128), operation=lambda X, K: corr2d(X, K) + 1)
    assert 255 not in driver.find("output 126 × 126").pixels
    assert "in 15876 of 15876 cells. The first, Y[0, 0]," in driver.status


def test_a_page_that_is_loaded_again_is_not_pointed_at(monkeypatch):
    batches = []
    make = lambda *arguments: batches.append(Batch(*arguments)) or batches[0]  # noqa: E731
    monkeypatch.setattr("convkit.widgets._base.Batch", make)
    panel, driver = driven(photo(128))
    [batch] = batches
    for _ in range(2):
        send(batch, {"listening": True})
        driver.point("output 126 × 126", (20, 30))
    send(batch, {"listening": True})
    assert "= Y[63, 63]" in driver.html() and driver.find("output 126 × 126").pointed == []


def test_options_that_a_function_does_not_take_are_disabled():
    def mine(X, K, padding=0):
        return corr2d(X, K, padding=padding)

    panel, driver = driven(operation=mine)
    assert [driver.find(name).disabled for name in OPTIONS] == [False, True, True]
    assert "your function takes no stride or dilation" in driver.html()
    driver.type("padding", "1")
    assert "mine agrees with convkit in all 48 cells" in driver.status


def test_a_function_that_fails_refuses_no_edit():
    def fussy(X, K):
        assert K.shape == (2, 2), "<i>2 x 2</i>"
        return corr2d(X, K)

    panel, driver = driven(operation=fussy)
    assert "<i>2 x 2" in driver.status and driver.kind == "error"
    panel.kernel = torch.ones(2, 2)
    assert "fussy agrees" in driver.status
    driver.choose("rows", 3)
    assert "AssertionError" in driver.status and panel.kernel.shape == (3, 2)
    expect_consistent(panel, driver)


# In code


def test_properties_may_be_set_and_give_copies():
    panel, driver = driven()
    panel.padding, panel.stride, panel.dilation, panel.flip = 1, (2, 1), 2, True
    panel.kernel = K = torch.ones(2, 2).double()
    panel.X = X = photo(128).double()
    expect_consistent(panel, driver)
    before = panel.summary()
    for tensor in (K, X, panel.kernel, panel.X, panel.output):
        tensor.zero_()
    assert panel.summary() == before and panel.kernel.dtype == torch.float64
    with pytest.raises(AttributeError):
        panel.output = torch.ones(4, 6)


def test_a_parameter_can_be_edited():
    panel, driver = driven(K=torch.nn.Parameter(torch.ones(2, 2)))
    driver.type("K[0, 0]", "3")
    assert not panel.kernel.requires_grad and panel.output.max() > 4


def test_undo_redo_and_reset():
    panel, driver = driven()
    first = panel.summary()
    driver.toggle("flip the kernel: convolution")
    driver.type("padding", "1")
    driver.choose("Y row", 3)
    last = panel.summary()
    for name, expected in (("undo", None), ("undo", first), ("redo", None), ("redo", last)):
        driver.press(name)
        assert expected in (None, panel.summary())
        expect_consistent(panel, driver)
    driver.press("reset")
    assert panel.summary() == first
    panel.undo()
    assert panel.summary() == last


def test_a_thousand_random_edits_are_replayed_from_the_log():
    panel, driver = driven()
    start, choose = panel.store.state, random.Random(0)

    def size():
        return str(choose.randint(-1, 4))

    edits = {
        "weight": lambda: driver.type("K[0, 0]", choose.choice(["1", "x", "0.5", "1e400", "-2"])),
        "drag": lambda: driver.choose("weight", choose.randint(-40, 40)),
        "kernel": lambda: driver.choose("named kernel", choose.choice(KERNELS)),
        "rows": lambda: driver.choose("rows", choose.randint(1, 7)),
        "picture": lambda: driver.choose("picture", choose.choice(list(PICTURES)[:5])),
        "option": lambda: driver.type(choose.choice(OPTIONS), size()),
        "flip": lambda: driver.toggle("flip the kernel: convolution"),
        "window": lambda: driver.choose("window", choose.randint(0, 9)),
        "undo": lambda: driver.press("undo"),
        "redo": lambda: driver.press("redo"),
        "reset": lambda: driver.press("reset"),
        "code": lambda: setattr(panel, "kernel", torch.randint(-3, 4, (2, 2)).float()),
    }
    for _ in range(1000):
        choose.choice(list(edits.values()))()
    expect_consistent(panel, driver)
    assert panel.store.state != start
    again = replay(panel.store.log, start, compute, view_fields=["at"])
    assert again.state == panel.store.state
    assert torch.equal(again.result.output, panel.output)


def test_two_panels_do_not_disturb_each_other():
    (_, driver), two = driven(), editor()
    before = two.summary()
    driver.type("K[0, 0]", "4")
    driver.choose("picture", "photo 128 × 128")
    assert two.summary() == before


# What is stored


def test_a_small_input_is_stored_as_a_lens_and_a_photo_as_a_picture():
    small, large = editor(), editor(photo(128))
    data, _ = small._repr_mimebundle_()
    assert data["text/plain"] == small.summary() == repr(small)
    assert "Run this cell to make the panel live." in data["text/html"]
    assert "rows: 6 − 3 + 1 = 4" in data["text/html"]
    data, metadata = large._repr_mimebundle_()
    assert "text/html" not in data
    with Image.open(io.BytesIO(b64decode(data["image/png"]))) as image:
        assert image.format == "PNG" and image.width > 400
    assert metadata["image/png"]["alt"].startswith("input: 128 × 128, from 0 to 1")


LOOKS = {  # the least and the greatest output of the stripes, and a level near zero of the photo
    "grey": (["g0", "g20"], 0),
    "signed": (["t-16", "t16"], 247),
    "magnitude": (["g4"], 255),
}


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_stored_has_the_look_of_the_panel(look):
    classes, zero = LOOKS[look]
    small, large = editor(), editor(photo(128))
    for panel in (small, large):
        panel.store.set(look=look)
    page = BeautifulSoup(small._repr_mimebundle_()[0]["text/html"], "html.parser")
    extremes = page.select(".ck-Y td.c1, .ck-Y td.c5")
    assert {cell["class"][0] for cell in extremes} == set(classes)
    png = b64decode(large._repr_mimebundle_()[0]["image/png"])
    with Image.open(io.BytesIO(png)) as image:
        red, green, blue = np.asarray(image.convert("RGB"))[60:300, 860:1180].T.astype(int)
    assert abs(np.median(green) - zero) < 40
    is_grey = abs(red - blue) <= 2
    assert is_grey.all() == (look != "signed")


@pytest.mark.parametrize(
    ("side", "padding", "lens"), [(16, 0, True), (14, 1, True), (15, 1, False)]
)
def test_the_lens_is_for_small_inputs(side, padding, lens):
    panel = editor(torch.rand(side, side), padding=padding)
    assert ("text/html" in panel._repr_mimebundle_()[0]) == lens


def test_the_output_picture_has_the_outputs_colours():
    panel, driver = driven(photo(128))
    shown = driver.find("output 126 × 126")
    scale = Scale("signed", -5, 5)
    assert shown.pixels == scale.indices(panel.output) and shown.shape == [126, 126]
    assert shown.palette == scale.palette and shown.width == 252  # whole pixels for each


# How the output looks, and what the pointer does


@pytest.mark.parametrize(
    ("name", "look", "words"),
    [
        ("sharpen", "grey", "Weights sum to 1: it keeps brightness"),
        ("Gaussian blur", "grey", "Weights sum to 1: it keeps brightness"),
        ("Sobel x", "signed", "Weights sum to 0: it takes differences"),
        ("emboss", "grey", "Weights sum to 1: it keeps brightness"),
    ],
)
def test_the_kernel_chooses_the_look(name, look, words):
    panel, driver = driven(photo(128), kernel(name))
    ends = (0, 1) if look == "grey" else (-5, 5)
    scale = Scale(look, *ends)
    assert words in driver.status
    assert driver.find("output 126 × 126").pixels == scale.indices(panel.output)
    outside = ((panel.output < 0) | (panel.output > 1)).double().mean()
    share = f"{100 * outside:.0f}% cut to 0 or 1"
    assert (share in driver.status) == (look == "grey" and outside >= 0.01)


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (4e-4, "Weights sum to 0.0004: it adds up brightness, shown in grey."),
        (-4e-4, "Weights sum to −0.0004; shown blue below 0 and red above."),
        (0.0, "Weights sum to 0; shown blue below 0 and red above."),
        (0.9995, "Weights sum to 1: it keeps brightness, shown in grey."),
    ],
)
def test_the_sum_of_weights_is_rounded_to_their_own_size(weight, words):
    _, driver = driven(K=torch.tensor([[weight]]))
    assert driver.status.endswith(words)


@pytest.mark.parametrize(
    ("look", "ends"), [("grey", (0, 1)), ("signed", (-7, 7)), ("magnitude", (0, 7))]
)
def test_a_chosen_look_is_kept_and_is_no_step_of_undo(look, ends):
    panel, driver = driven(photo(128))
    driver.choose("look of the output", look)
    driver.type("K[0, 0]", "-1.5")
    shown = driver.find("output 126 × 126").pixels
    assert (
        shown == Scale(look, *ends).indices(panel.output)
        and f"shown {COLOURS_IN_WORDS[look]}, as chosen." in driver.status
    )
    driver.press("undo")
    assert driver.find("look of the output").value == look and not panel.store.can_undo


def test_the_colour_key_stays_until_it_no_longer_suits_and_can_be_refitted():
    panel, driver = driven(K=torch.tensor([[1.0, -1.0]]))
    limits = {"0.5": 2, "0.3": 2, "0.001": 2, "30": 50, "12": 50, "3": 5}
    for text, limit in limits.items():
        driver.type("K[0, 0]", text)
        assert panel.store.state.limit == limit
    driver.type("K[0, 0]", "1")
    assert panel.store.state.limit == 5
    driver.press("refit")
    assert panel.store.state.limit == 2


def test_pointing_shows_a_window_in_numbers_and_leaves_the_state():
    panel, driver = driven(photo(128))
    before = panel.store.state
    driver.point("output 126 × 126", (20, 30))
    assert "= Y[20, 30]" in driver.html() and "X[18:25, 28:35]" in driver.html()
    assert driver.find("output around the cell").cell == [20, 30]
    driver.type("K[0, 0]", "4")
    assert "= Y[20, 30]" in driver.html()
    driver.press("undo")
    driver.point("output 126 × 126", None)
    assert "= Y[63, 63]" in driver.html() and panel.store.state.at == before.at


def test_painting_sets_cells_in_one_step_of_undo():
    panel, driver = driven(torch.full((6, 8), 0.25), padding=1)
    table = "input 6 × 8, your own"
    assert driver.find(table).pick == "hover"
    driver.toggle("edit pixels")
    assert driver.find(table).pick == "paint"
    driver.choose("brush", "white")
    driver.paint(table, (0, 0), (0, 1), (-1, 0), (99, 0), stroke=1)  # two in the padding or outside
    driver.choose("brush", "value")
    driver.type("brush value", "1/2")
    driver.paint(table, (5, 7), stroke=2)
    assert panel.X[0, :3].tolist() == [1, 1, 0.25] and panel.X[5, 7] == 0.5
    driver.press("undo")
    driver.press("undo")
    assert torch.equal(panel.X, torch.full((6, 8), 0.25)) and not panel.store.can_undo
    driver.type("brush value", "many")
    driver.paint(table, (0, 0), stroke=3)
    assert "brush value" in driver.status and not panel.store.can_undo


def test_the_zoom_shows_only_what_a_wide_window_reads():
    panel, driver = driven(photo(128), torch.ones(3, 1), dilation=(6, 5), padding=(7, 0))
    driver.choose("Y row", 0)
    driver.choose("Y column", 9)
    zoom = driver.find("input around the window")
    assert zoom.shape[0] == 3 and zoom.first[0] == -7 and zoom.dilation == [1, 5]
    assert zoom.padded == [k for k in range(2 * zoom.shape[1])]
    assert "X[-7:6:6, 6:13]" in driver.html()


def test_a_slow_function_is_said_to_be_running_before_its_result_is():
    told = []

    def slow(X, K):
        told.append((driver.kind, driver.status) if driver else None)
        return corr2d(X, K)

    driver = None
    panel, driver = driven(operation=slow)
    driver.type("K[0, 0]", "2")
    assert told[-1] == ("busy", "running your slow on 6 × 8 ...")
    assert driver.status == "slow agrees with convkit in all 24 cells."


def test_a_function_that_is_interrupted_leaves_the_last_state():
    def slow(X, K):
        if K[0, 0] == 5:
            raise KeyboardInterrupt  # as when one presses the stop button
        return corr2d(X, K)

    panel, driver = driven(operation=slow)
    with pytest.raises(KeyboardInterrupt):
        driver.type("K[0, 0]", "5")
    assert driver.status == "Interrupted: the last state stays." and driver.kind == "error"
    assert panel.kernel[0, 0] != 5 and driver.text("K[0, 0]") != "5"
    driver.type("K[0, 0]", "4")
    assert "agrees" in driver.status


def test_no_edit_is_lost_while_another_thread_paints():
    panel, driver = driven(photo(128))
    is_done = threading.Event()

    def repaint():
        while not is_done.is_set():
            panel.repaint()

    painter, interval = threading.Thread(target=repaint), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    painter.start()
    try:
        for n in range(40):
            driver.type("K[0, 0]", f"{n}.5")
            assert panel.kernel[0, 0] == n + 0.5 and driver.text("K[0, 0]") == f"{n}.5"
            driver.choose("rows", 2 + n % 3)
            assert panel.kernel.shape[0] == 2 + n % 3
    finally:
        sys.setswitchinterval(interval)
        is_done.set()
        painter.join()
