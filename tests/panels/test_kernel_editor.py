"""The KernelEditor: its state and view as values, and driven as a learner drives it."""

import io
import math
import random
import re
import time
from base64 import b64decode

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from convkit import ConvkitError, convolve2d, corr2d, kernel, photo, stripes
from convkit.formatting import minus, number
from convkit.images import PICTURES, colour_photo, picture
from convkit.kernels import KERNELS
from convkit.panels import KernelEditor
from convkit.ui import Scale
from tests.panels.driver import PanelDriver
from tests.ui.driver import until

OPTIONS = ("padding", "stride", "dilation")
PAIRS = st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3))
OPTION_VALUES = st.fixed_dictionaries(
    {
        "padding": st.integers(0, 3) | st.tuples(st.integers(0, 3), st.integers(0, 3)),
        "stride": PAIRS,
        "dilation": PAIRS,
        "flip": st.booleans(),
    }
)
EDGE = torch.tensor([[1.0, -1.0]])
LUMA = torch.tensor([0.299, 0.587, 0.114])


def editor(X=None, K=None, **options):
    X = stripes() if X is None else X
    return KernelEditor(X, kernel("Sobel x") if K is None else K, **options)


def driven(*arguments, **options):
    panel = editor(*arguments, **options)
    return panel, PanelDriver(panel)


def uniform(*shape):
    """Return numbers from 0 to 1, the same ones in every run."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def run(code):
    names = {}
    exec(code, names)
    return names


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def expect_consistent(panel, driver):
    """Every control, the code, the properties and the page tell of one state."""
    how = {name: getattr(panel, name) for name in OPTIONS}
    operation = convolve2d if panel.flip else corr2d
    assert torch.equal(panel.output, operation(panel.X, panel.kernel, **how))
    K, cells = panel.kernel, list(np.ndindex(*panel.kernel.shape))
    shown = [driver.value(f"K[{i}, {j}]") for i, j in cells]
    assert shown == pytest.approx(K.flatten().tolist(), rel=5e-3, abs=6e-4)
    assert len(driver.html.find_all(attrs={"aria-label": re.compile(r"^K\[")})) == len(cells)
    assert (driver.chosen("rows"), driver.chosen("columns")) == tuple(map(str, K.shape))
    assert driver.find("flip the kernel: convolution").value == panel.flip
    for name, value in how.items():
        assert driver.box(name).replace(" ", "") == str(value).strip("()").replace(" ", "")
    assert driver.can_press("undo") == panel.store.can_undo
    assert driver.can_press("redo") == panel.store.can_redo
    assert driver.shows_the_tree()


# What comes out


@settings(max_examples=40)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from([torch.float32, torch.float64]),
    OPTION_VALUES,
)
def test_output_and_code_are_torchs_own_convolution(shape, size, dtype, options):
    generator = torch.Generator().manual_seed(sum(shape))
    X, K = (torch.randn(s, generator=generator, dtype=dtype) / 3 for s in (shape, size))
    try:
        panel = KernelEditor(X, K, **options)
    except ConvkitError:
        assume(False)
    W = K.flip(0, 1) if options["flip"] else K
    how = {name: options[name] for name in OPTIONS}
    torch.testing.assert_close(panel.output, F.conv2d(X[None, None], W[None, None], **how)[0, 0])
    names = run(panel.code)
    assert torch.equal(names["Y"], panel.output) and names["Y"].dtype == dtype


@pytest.mark.parametrize("name", PICTURES)
def test_a_named_picture_is_recognised_and_its_code_names_it(name):
    panel, driver = driven(picture(name))
    assert driver.chosen("picture") == name and "X = convkit." in panel.code
    assert torch.equal(run(panel.code)["X"], picture(name))


def test_an_input_of_another_dtype_brings_it_to_the_kernel():
    panel, driver = driven()
    panel.X = uniform(4, 4).double()
    assert driver.chosen("picture") == "your own" and panel.kernel.dtype == torch.float64
    expect_consistent(panel, driver)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"padding": -1}, "padding is -1"),
        ({"stride": 0}, "stride is 0"),
        ({"dilation": (1, 2, 3)}, r"dilation is \(1, 2, 3\)"),
        ({"padding": 601}, "600"),
        ({"stride": (1, 10**20)}, "stride is"),
        ({"flip": 1}, "True or False"),
        ({"K": torch.ones(8, 1)}, "at most 7 rows and columns"),
        ({"K": torch.tensor([[math.nan]])}, r"kernel\[0, 0\] is nan"),
        ({"X": torch.full((3, 3), math.inf)}, r"X\[0, 0\] is inf"),
        ({"X": torch.ones(2, 2), "K": torch.ones(3, 3)}, "no larger than the padded input"),
        ({"X": torch.ones(9, 9), "K": torch.full((3, 3), 3e38)}, "overflows"),
        (
            {"X": torch.ones(9, 9), "K": torch.tensor([[1e39]], dtype=torch.float64)},
            r"kernel\[0, 0\] is inf",
        ),
        ({"operation": None}, "is not a function"),
    ],
)
def test_what_cannot_work_is_refused_in_words(options, words):
    with pytest.raises(ConvkitError, match=words):
        editor(**options)


@pytest.mark.parametrize(
    "options", [{}, {"padding": (1, 4)}, {"stride": 2, "flip": True}, {"dilation": (3, 1)}]
)
def test_of_a_large_output_a_picture_shows_every_third_row_and_column(options):
    panel, driver = driven(uniform(700, 600), uniform(3, 2) - 0.5, **options)
    panel.look, Y = "signed", panel.output
    step = -(-max(Y.shape) // 320)
    shown, limit = driver.find("output picture"), panel.store.result.colour_limit
    scale = Scale("signed", -limit, limit)
    torch.testing.assert_close(shown.values, Y[::step, ::step])
    assert shown.pixels == scale.indices(shown.values) and shown.full == tuple(Y.shape)
    assert driver.pixels["output picture"] == shown.pixels


# Each control


@pytest.mark.parametrize("name", ["dot 7 × 7", "photo 128 × 128"])
def test_choosing_a_picture(name):
    panel, driver = driven(uniform(9, 9))
    driver.choose("picture", name)
    assert torch.equal(panel.X, picture(name)) and driver.chosen("picture") == name
    expect_consistent(panel, driver)


@pytest.mark.parametrize("name", ["sharpen", "book's [1, -1]"])
def test_choosing_a_kernel(name):
    panel, driver = driven(K=torch.ones(2, 3))
    for chosen in (name, "custom"):
        driver.choose("named kernel", chosen)
        assert torch.equal(panel.kernel, kernel(name)) and driver.chosen("named kernel") == name
    expect_consistent(panel, driver)


def test_every_size_of_kernel():
    panel, driver = driven(uniform(9, 9), uniform(3, 3))
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
    assert getattr(panel, name) == value and not driver.has_error
    expect_consistent(panel, driver)


def test_typing_weights_and_undoing_them_box_by_box():
    panel, driver = driven()
    for text in ("5", "5.", "5.5"):
        driver.type("K[0, 1]", text)
    driver.leave()
    driver.type("K[2, 0]", "-1/4")
    assert panel.kernel[0, 1] == 5.5 and panel.kernel[2, 0] == -0.25
    driver.press("undo")
    driver.press("undo")
    assert torch.equal(panel.kernel, kernel("Sobel x")) and not panel.store.can_undo
    expect_consistent(panel, driver)


def test_dragging_the_chosen_weight():
    panel, driver = driven()
    driver.type("K[0, 1]", "0.5")
    assert driver.find("weight").value_text == "weight 0.5" or driver.focus("K[0, 1]")
    driver.focus("K[2, 0]")
    slider = driver.find("weight")
    assert slider.value == -10 and slider.value_text == "weight -1"
    expected = panel.kernel
    for position, weight in ((3, 0.3), (-4, -0.4), (10, 1.0)):
        driver.choose("weight", position, moving=True)
        expected[2, 0] = weight
        assert torch.equal(panel.kernel, expected) and "K[2, 0]" in driver.text
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


def test_a_weight_that_the_slider_shows_already_keeps_its_digits():
    panel, driver = driven(K=torch.tensor([[1.0, 0.123456]]))
    driver.focus("K[0, 1]")
    driver.choose("weight", driver.find("weight").value)
    assert panel.kernel[0, 1].item() == pytest.approx(0.123456, rel=1e-6)


def test_painting_sets_cells_in_one_step_of_undo():
    panel, driver = driven(torch.full((6, 8), 0.25), padding=1)
    driver.paint("input", (0, 0))
    assert torch.equal(panel.X, torch.full((6, 8), 0.25))  # the section is closed
    driver.open("edit pixels")
    driver.choose("brush", "white")
    driver.paint("input", (0, 0), (-1, 0), (99, 0))  # two in the padding or outside
    driver.paint("input", (0, 1))
    driver.leave()
    driver.choose("brush", "value")
    driver.type("brush value", "1/2")
    driver.paint("input", (5, 7))
    assert panel.X[0, :3].tolist() == [1, 1, 0.25] and panel.X[5, 7] == 0.5
    driver.press("undo")
    driver.press("undo")
    assert torch.equal(panel.X, torch.full((6, 8), 0.25)) and not panel.store.can_undo
    driver.type("brush value", "many")
    assert "brush value" in driver.status and not panel.store.can_undo
    driver.open("edit pixels", False)
    assert driver.find("input").edits is None
    expect_consistent(panel, driver)


# The window


def test_the_window_is_chosen_by_clicks_and_by_code():
    panel, driver = driven()
    driver.choose("window", (2, 3))
    assert "= Y[2, 3]" in driver.text and driver.box("Y row") == "2"
    panel.at = (3, 5)
    assert (driver.box("Y row"), driver.box("Y column")) == ("3", "5")
    driver.choose("picture", "photo 128 × 128")
    assert "X[61:68, 61:68]" in driver.text and "Y[60:67, 60:67]" in driver.text
    driver.choose("near", (100, 3))
    assert "= Y[100, 3]" in driver.text and "Y[97:104, 0:7]" in driver.text
    assert panel.at == (100, 3) and driver.shows_the_tree()


def test_a_new_picture_is_shown_in_the_middle_and_undo_moves_no_window():
    panel, driver = driven()
    driver.choose("window", (2, 3))
    driver.choose("picture", "photo 128 × 128")
    assert panel.at == (63, 63)
    panel.undo()
    assert panel.at == (2, 3)
    panel.redo()
    assert panel.at == (63, 63)
    driver.choose("picture", "stripes 6 × 8")
    driver.choose("window", (3, 5))
    driver.choose("rows", 6)  # now the output has one row
    assert panel.at == (0, 5)
    panel.undo()
    assert panel.at == (3, 5)


def test_pointing_shows_a_window_in_numbers_and_leaves_the_choice():
    panel, driver = driven(photo(128))
    driver.point("window", (20, 30))
    assert "= Y[20, 30]" in driver.text and "X[18:25, 28:35]" in driver.text
    assert driver.find("near cursor").cursor.at == (20, 30)
    driver.type("K[0, 0]", "4")
    assert "= Y[20, 30]" in driver.text and panel.at == (63, 63)
    driver.point("window", None)
    assert "= Y[63, 63]" in driver.text
    driver.point("window", (20, 30))
    driver.choose("window", (21, 30))  # as by an arrow key, while the pointer rests
    assert "= Y[21, 30]" in driver.text


def test_a_page_that_is_loaded_again_is_not_pointed_at():
    slow = Slow(0)
    panel, driver = driven(photo(128), operation=slow)
    slow.seconds = 30
    driver.type("K[0, 0]", "4")
    driver.point("window", (20, 30))
    assert "= Y[20, 30]" in driver.text
    driver.load()
    assert "= Y[63, 63]" in driver.text and "running your slow" in driver.status
    driver.press("stop")


def test_the_zoom_shows_only_what_a_wide_window_reads():
    panel, driver = driven(photo(128), torch.ones(3, 1), dilation=(6, 5), padding=(7, 0))
    panel.at = (0, 9)
    zoom = driver.find("input around the window")
    assert zoom.values.shape == (3, 7) and "X[-7:6:6, 6:13]" in driver.text
    rows = [0, 0] + [photo(128)[5, 6:13].tolist()]
    assert zoom.values[:2].abs().sum() == 0 and zoom.values[2].tolist() == rows[2]
    assert zoom.part.inside == ([5], list(range(6, 13))) and zoom.pick == "none"
    [frame] = zoom.frames
    assert (frame.size, frame.dilation, frame.start(9, 9)) == ((3, 1), (1, 5), (0, 3))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": 2, "stride": 2},
        {"flip": True},
        {"padding": 2, "padding_mode": "reflect", "stride": 2},
        {"padding": 1, "padding_mode": "circular"},
    ],
)
@pytest.mark.parametrize("X", [stripes(), uniform(40, 30)])
def test_frames_products_and_sums_are_those_of_the_window(X, options):
    generator = torch.Generator().manual_seed(1)
    K = torch.randn(2, 2, generator=generator)
    panel, driver = driven(X, K, **options)
    rows, columns = panel.output.shape
    weights = K.flip(0, 1) if panel.flip else K
    p, s = options.get("padding", 0), options.get("stride", 1)
    mode = options.get("padding_mode", "constant")
    padded = F.pad(X[None], (p, p, p, p), mode=mode)[0]
    for i, j in [(0, 0), (rows - 1, columns - 1), (rows // 2, 1)]:
        driver.choose("window", (i, j))
        patch = padded[s * i : s * i + 2, s * j : s * j + 2]
        expected = (patch * weights).flatten().tolist()
        shown = [float(t.split("\n")[1].replace("−", "-")) for t in driver.find("products").texts]
        assert shown == pytest.approx(expected, abs=6e-3, rel=6e-3)
        [said] = re.findall(rf"[=≈] ([^ ]+) = Y\[{i}, {j}\]", driver.text)[:1]
        assert float(said.replace("−", "-")) == pytest.approx(sum(expected), rel=1e-3, abs=1e-4)
        part = "input" if panel.store.state.fits_tables else "input picture"
        start = driver.find(part).frames[0].start(i, j)
        origin = (-p, -p) if part == "input" else (0, 0)
        assert (start[0] + origin[0], start[1] + origin[1]) == (s * i - p, s * j - p)


@pytest.mark.parametrize("X", [stripes(), uniform(40, 30)])
def test_cells_of_the_padding_say_where_their_values_come_from(X):
    panel, driver = driven(X, torch.ones(3, 3), padding=1)
    part = "input" if panel.store.state.fits_tables else "input around the window"
    driver.choose("window", (0, 0))
    assert not driver.find(part).tooltips
    driver.choose("padding_mode", "reflect")
    table = driver.find(part)
    assert table.tooltips[0][:2] == ["X[−1, −1] = X[1, 1]", "X[−1, 0] = X[1, 0]"]
    assert table.tooltips[1][1] == "" and table.values[0, 1] == X[1, 0]
    expected = F.conv2d(F.pad(X[None, None], (1, 1, 1, 1), mode="reflect"), torch.ones(1, 1, 3, 3))
    torch.testing.assert_close(panel.output, expected[0, 0])
    driver.type("padding", "6, 40")
    assert driver.has_error and "in mode 'reflect'. Pad less" in driver.status
    panel.undo()
    assert panel.padding_mode == "zeros"


def test_sums_read_the_padding_that_was_chosen():
    X = torch.arange(9.0).reshape(3, 3)
    _, driver = driven(X, torch.ones(3, 3), padding=1, padding_mode="reflect")
    assert "4 + 3 + 4 + 1 + 0 + 1 + 4 + 3 + 4 = 24 = Y[0, 0]" in driver.text


def test_a_function_that_takes_no_padding_mode_is_given_none():
    panel, driver = driven(operation=lambda X, K, padding=0: corr2d(X, K, padding=padding))
    assert (
        not driver.has("padding_mode")
        and "takes no stride or dilation or padding_mode" in driver.text
    )
    panel, driver = driven(operation=corr2d, padding=1)
    driver.choose("padding_mode", "replicate")
    assert "padding 1, stride 1, dilation 1, padding_mode replicate" in repr(panel)


def test_of_a_large_kernel_the_sum_names_the_products_alone():
    X = torch.arange(25.0).reshape(5, 5)
    _, driver = driven(X, kernel("Sobel x"))
    assert "0 + 2 − 10 + 14 − 10 + 12 = 8 = Y[0, 0]" in driver.text
    _, driver = driven(X, torch.ones(5, 5))
    assert "sum of 25 = 300 = Y[0, 0]" in driver.text
    _, driver = driven(X, torch.zeros(3, 3))
    assert "0 = 0 = Y[0, 0]" in driver.text


def test_a_total_is_that_of_the_output():
    large = 2.0**126  # four of it are more than a float32 holds
    panel, driver = driven(torch.tensor([[large, large, -large, -large]]), torch.ones(1, 4))
    assert "inf" not in driver.text and "= 0 = Y[0, 0]" in driver.text


# A picture file, and inputs as people have them


def test_a_file_that_was_changed_is_opened_again_under_its_name():
    panel, driver = driven()
    for shade in (0, 255):
        driver.upload("open a picture", "mine.png", png(np.full((8, 9), shade, np.uint8)))
        assert driver.chosen("picture") == "file mine.png"
        assert "open_image('mine.png'" in panel.code and "Input: file mine.png." in driver.status
    driver.press("undo")
    assert driver.chosen("picture") == "file mine.png" and panel.X.max() == 0


def test_a_file_is_scaled_down_named_and_quoted_in_the_code(tmp_path, monkeypatch):
    path = tmp_path / "it's.png"
    Image.new("L", (900, 30), 128).save(path)
    panel, driver = driven(K=torch.ones(2, 2))
    driver.upload("open a picture", path.name, path.read_bytes())
    assert panel.X.shape == (20, 600)
    assert driver.status.endswith("Input: file it's.png, shrunk from 30 × 900.")
    monkeypatch.chdir(tmp_path)
    assert torch.equal(run(panel.code)["Y"], panel.output)


def test_another_input_is_no_longer_the_file():
    panel, driver = driven()
    driver.upload("open a picture", "mine.png", png(np.eye(9, dtype=np.uint8)))
    panel.X = panel.X  # the same numbers still are
    assert driver.chosen("picture") == "file mine.png"
    panel.X = uniform(9, 9)
    assert driver.chosen("picture") == "your own" and "Input" not in driver.status
    panel.undo()
    assert driver.chosen("picture") == "file mine.png"


def coloured(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    image = Image.fromarray(rgb)
    image.save(tmp_path / "cat.png")
    return {"PIL": image, "numpy": rgb, "path": tmp_path / "cat.png"}


@pytest.mark.parametrize("kind", ["PIL", "numpy", "path"])
def test_the_numbers_of_a_colour_picture_are_of_its_grey_and_the_panel_says_so(tmp_path, kind):
    given = coloured(tmp_path)
    panel = KernelEditor(given[kind])
    expected = torch.tensor(np.asarray(given["PIL"].convert("L"))) / 255
    torch.testing.assert_close(panel.X, expected)
    assert panel.status.endswith(
        "grey where it is 0. Input: in colour; the numbers are of its grey."
    )
    panel.X = stripes()
    assert "grey" not in panel.status
    panel.X = given[kind]
    assert panel.status.endswith("Input: in colour; the numbers are of its grey.")
    driver = PanelDriver(panel)
    driver.upload("open a picture", "cat.png", (tmp_path / "cat.png").read_bytes())
    assert panel.status.endswith("Input: file cat.png, in colour; the numbers are of its grey.")


def test_the_kernel_is_laid_on_each_channel_of_a_colour_picture():
    P, K = colour_photo(40), kernel("Gaussian blur", 3)
    panel, driver = driven(P, K, padding=1, stride=(2, 1))
    groups = F.conv2d(P[None], K.expand(3, 1, 3, 3), padding=1, stride=(2, 1), groups=3)[0]
    torch.testing.assert_close(driver.find("input picture").values, P)
    torch.testing.assert_close(driver.find("output picture").values, groups)
    for channel, name in enumerate(("red", "green", "blue")):
        driver.choose("channel", name)
        assert torch.equal(panel.X, P[channel]) and f"Input: its {name} channel." in panel.status
        torch.testing.assert_close(driver.find("output picture").values, groups[channel])
    panel.undo()
    assert panel.channel == "green" and torch.equal(panel.X, P[1])
    panel.channel = "colour"
    torch.testing.assert_close(panel.X, torch.tensordot(LUMA, P, 1))
    panel.X = photo(40)
    assert panel.channel == "colour" and not driver.has("channel")
    with pytest.raises(ConvkitError, match=r"no channels; .*Set X to one"):
        panel.channel = "red"


def test_one_channel_of_a_file_is_in_the_code_too(tmp_path, monkeypatch):
    path = coloured(tmp_path)["path"]
    panel, driver = driven()
    driver.upload("open a picture", path.name, path.read_bytes())
    monkeypatch.chdir(tmp_path)
    for name in ("colour", "blue", "grey", "red"):
        driver.choose("channel", name)
        assert torch.equal(run(panel.code)["Y"], panel.output)


def test_numbers_and_own_functions_take_the_grey_of_a_colour_picture():
    small, _ = driven(colour_photo(8), EDGE)
    own, driver = driven(colour_photo(40), EDGE, operation=lambda X, K: corr2d(X, K))
    until(lambda: "agrees" in own.status)
    assert "Input: grey of a colour picture." in small.status
    assert driver.find("output picture").values.shape == own.output.shape == (40, 39)


# What is refused: words, the last good state, and the next good edit works


def refused(panel, driver, act, words):
    before, status = repr(panel), panel.store.can_undo
    act()
    assert words in driver.status and driver.has_error
    assert repr(panel) == before and panel.store.can_undo == status


@pytest.mark.parametrize("text", ["", "nan", "1e400", "three", "<b>"])
def test_a_weight_that_is_no_number(text):
    panel, driver = driven()
    refused(panel, driver, lambda: driver.type("K[1, 1]", text), "it keeps 0.")
    assert "K[1, 1] is" in driver.status
    driver.type("K[0, 0]", "7")
    assert panel.kernel[0, 0] == 7 and not driver.has_error
    expect_consistent(panel, driver)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("text", ["", "-1", "1.5", "1, 2, 3", "9" * 20, "100000"])
def test_an_option_that_is_no_size(name, text):
    panel, driver = driven()
    refused(panel, driver, lambda: driver.type(name, text), f"{name} is")
    driver.choose("flip the kernel: convolution", True)
    assert not driver.has_error
    expect_consistent(panel, driver)


@pytest.mark.parametrize("text", ["1e308", "-1.7e308", "5e-324", "1e-310"])
def test_the_ends_of_float64_are_shown(text):
    panel, driver = driven(torch.ones(2, 2).double(), torch.ones(1, 1))
    driver.type("K[0, 0]", text)
    assert panel.kernel[0, 0] == float(text) and not driver.has_error
    assert driver.shows_the_tree()


# A learner's function


def verdict(operation, **options):
    return editor(operation=operation, **options).status


def test_cells_that_differ_are_marked_with_both_sums():
    def differs(X, K):
        Y = corr2d(X, K)
        Y[1, 2] += 1
        Y[3, 3] -= 1
        return Y

    panel, driver = driven(operation=differs)
    assert "differs differs from convkit in 2 of 24 cells, marked ≠" in driver.status
    assert driver.has_error and panel.at == (1, 2)
    ours, theirs = (minus(number(panel.output[1, 2] + n)) for n in (0, 1))
    assert f"convkit: 2 = {ours} differs (yours): Y[1, 2] = {theirs}" in driver.text or (
        f"= {ours} differs (yours): Y[1, 2] = {theirs}" in driver.text
    )
    assert driver.find("output").marked == {(1, 2), (3, 3)}
    assert "differs (yours)" in panel._repr_mimebundle_()[0]["text/html"]
    for place in ((3, 3), (1, 2)):
        driver.press("next difference")
        assert panel.at == place
    driver.choose("picture", "photo 128 × 128")
    until(lambda: "differs differs" in driver.status)
    painted = driver.find("output picture").pixels
    assert [n for n, level in enumerate(painted) if level == 255] == [126 + 2, 3 * 126 + 3]


def test_both_sums_have_the_digits_that_tell_them_apart():
    def nearly(X, K):
        return corr2d(X, K) + 1e-5

    panel, driver = driven(uniform(5, 5), torch.ones(3, 3) / 9, operation=nearly)
    [ours] = re.findall(r"[=≈] ([\d.]+) nearly \(yours\)", driver.text)
    [theirs] = re.findall(r"Y\[0, 0\] = ([\d.]+)", driver.text)
    assert ours != theirs and ours in driver.status and theirs in driver.status
    assert float(theirs) - float(ours) == pytest.approx(1e-5, rel=0.5)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((slice(None), 0), "in 4 of 24 cells, marked ≠, all in column 0. The first"),
        ((-1, slice(None)), "in 6 of 24 cells, marked ≠, all in row 3, the last. The first"),
        ((slice(1, 3), slice(1, 3)), "in 4 of 24 cells, marked ≠. The first"),
    ],
)
def test_where_a_function_differs_is_said_and_its_own_output_is_shown(place, words):
    def differs(X, K):
        Y = corr2d(X, K)
        Y[place] += 1
        return Y

    panel, driver = driven(operation=differs)
    assert words in panel.status
    assert torch.equal(driver.find("output").values, differs(panel.X, panel.kernel))


def test_a_picture_that_differs_everywhere_is_not_covered_with_marks():
    panel, driver = driven(photo(128), operation=lambda X, K: corr2d(X, K) + 1)
    assert 255 not in driver.find("output picture").pixels
    assert "in 15876 of 15876 cells. The first, Y[0, 0]," in driver.status
    assert len(driver.find("output around the cell").marked) == 49


class Doubled(torch.nn.Module):
    def forward(self, X, K):
        return corr2d(X, K)


def in_place(X, K):
    X.mul_(2)
    return corr2d(X / 2, K)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (lambda X, K: 1 / 0, "ZeroDivisionError"),
        (lambda X, K: None, "Is there a return"),
        (lambda X, K: X, "returned 6 × 8"),
        (lambda X, K: X[0, 0], "a tensor of shape ()"),
        (lambda X, K: corr2d(X, K) * math.nan, "inf or nan"),
        (lambda X, K: corr2d(X, K).to(torch.complex64), "complex"),
        (in_place, "changed its input in place"),
        (lambda X, K: corr2d(X, K).to_sparse(), "layout torch.sparse_coo"),
        (lambda X, K: corr2d(X, K).to("meta"), "device meta"),
    ],
)
def test_a_function_that_fails_is_part_of_the_result(operation, words):
    panel, driver = driven(operation=operation)
    assert words in panel.status and driver.has_error and panel.status in repr(panel)
    assert torch.equal(driver.find("output").values, corr2d(stripes(), kernel("Sobel x")))
    assert panel.status.endswith("What you see is convkit's own output.")


def test_only_what_differs_from_the_defaults_is_passed():
    def padded(X, K, padding=0):
        return corr2d(X, K, padding=padding)

    assert "agrees" in verdict(Doubled())
    assert "TypeError" in verdict(Doubled(), padding=1)
    assert "agrees with convkit in all 48 cells" in verdict(padded, padding=1)


def loop(X, K):
    Y = torch.zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1, dtype=X.dtype)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + K.shape[0], j : j + K.shape[1]] * K).sum()
    return Y


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3])
def test_the_order_of_sums_is_no_mismatch_and_zeros_are(dtype, scale):
    generator = torch.Generator().manual_seed(0)
    X = torch.rand(9, 9, generator=generator).to(dtype)
    K = (scale * torch.randn(7, 7, generator=generator)).to(dtype)
    assert "agrees" in verdict(loop, X=X, K=K)
    if dtype == torch.float32:
        assert "in 9 of 9 cells" in verdict(lambda X, K: 0 * loop(X, K), X=X, K=K)


def test_options_that_a_function_does_not_take_are_disabled():
    def mine(X, K, padding=0):
        return corr2d(X, K, padding=padding)

    panel, driver = driven(operation=mine)
    assert [bool(driver.find(name).disabled) for name in OPTIONS] == [False, True, True]
    assert "your function takes no stride or dilation" in driver.text
    driver.type("padding", "1")
    until(lambda: "mine agrees with convkit in all 48 cells" in driver.status)


def test_a_function_that_fails_refuses_no_edit():
    def fussy(X, K):
        assert K.shape == (2, 2), "<i>2 x 2</i>"
        return corr2d(X, K)

    panel, driver = driven(operation=fussy)
    assert "<i>2 x 2" in driver.status and driver.has_error
    panel.kernel = torch.ones(2, 2)
    assert "fussy agrees" in driver.status
    driver.choose("rows", 3)
    until(lambda: "AssertionError" in driver.status)
    assert panel.kernel.shape == (3, 2)


def test_what_a_function_prints_is_shown_also_where_it_fails(capsys):
    def chatty(X, K):
        print("the kernel is", K.flatten().tolist())
        assert K[0, 0] != 7
        return corr2d(X, K)

    panel, driver = driven(K=EDGE, operation=chatty)
    assert "the kernel is [1.0, -1.0]" in driver.text
    for text in ("3", "7"):
        driver.type("K[0, 0]", text)
        until(lambda: f"the kernel is [{text}.0, -1.0]" in driver.text)  # noqa: B023
    assert capsys.readouterr().out == ""


class Slow:
    """A function that takes a while, and counts its runs."""

    __name__ = "slow"

    def __init__(self, seconds):
        self.seconds, self.runs = seconds, []

    def __call__(self, X, K):
        self.runs.append(K[0, 0].item())
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            time.sleep(0.005)  # what takes long
        return corr2d(X, K) + 1


def test_five_typed_characters_run_a_slow_function_once_or_twice():
    slow = Slow(0.5)
    panel, driver = driven(K=EDGE, operation=slow)
    slow.runs.clear()
    for n in range(1, 6):
        driver.type("K[0, 0]", "0.125"[:n])
        expected = corr2d(panel.X, panel.kernel)
        assert torch.equal(driver.find("output").values, expected)  # convkit's own, meanwhile
    assert "convkit's own output: running your slow on 6 × 8 ..." in driver.status
    assert not driver.has_error
    until(lambda: "slow differs" in driver.status)
    assert len(slow.runs) <= 2 and slow.runs[-1] == 0.125
    assert torch.equal(driver.find("output").values, corr2d(panel.X, panel.kernel) + 1)
    until(driver.shows_the_tree)


def test_a_slow_function_is_stopped_and_the_next_edit_runs_it_again():
    slow = Slow(0)
    panel, driver = driven(K=EDGE, operation=slow)
    slow.seconds, slow.runs = 30, []
    driver.type("K[0, 0]", "3")
    until(lambda: slow.runs)
    driver.press("stop")
    assert "stopped: what you see is convkit's own output" in driver.status
    assert torch.equal(driver.find("output").values, corr2d(panel.X, panel.kernel))
    slow.seconds = 0
    driver.type("K[0, 0]", "4")
    until(lambda: "slow differs" in driver.status)


def test_edits_while_a_function_runs_are_all_kept():
    slow = Slow(0)
    panel, driver = driven(K=EDGE, operation=slow)
    slow.seconds = 0.4
    driver.focus("K[0, 0]")
    for position in (20, 30, 40):
        driver.choose("weight", position, moving=True)
    driver.type("K[0, 1]", "3")
    assert panel.kernel.tolist() == [[2, 3]]
    driver.open("edit pixels")
    driver.paint("input", (0, 0))
    driver.type("X[5, 7]", "0.5")
    assert (panel.X[0, 0], panel.X[5, 7]) == (0, 0.5) and panel.kernel.tolist() == [[2, 3]]
    until(lambda: "slow differs" in driver.status)
    until(driver.shows_the_tree)


# In code


def test_properties_may_be_set_and_give_copies():
    panel, driver = driven()
    panel.padding, panel.stride, panel.dilation, panel.flip = 1, (2, 1), 2, True
    panel.kernel = K = torch.ones(2, 2).double()
    panel.X = X = photo(128).double()
    expect_consistent(panel, driver)
    before = repr(panel)
    for tensor in (K, X, panel.kernel, panel.X, panel.output):
        tensor.zero_()
    assert repr(panel) == before and panel.kernel.dtype == torch.float64
    with pytest.raises(AttributeError):
        panel.output = torch.ones(4, 6)


def test_what_changes_nothing_is_no_step_of_undo():
    panel, driver = driven(photo(128))
    panel.X, panel.kernel, panel.padding = panel.X, panel.kernel, (0, 0)
    driver.choose("picture", "photo 128 × 128")
    driver.choose("named kernel", "Sobel x")
    assert not panel.store.can_undo and not driver.can_press("undo")


def test_after_hundreds_of_random_edits_all_of_it_tells_of_one_state():
    panel, driver = driven()
    choose = random.Random(0)

    def size():
        return str(choose.randint(-1, 4))

    edits = {
        "weight": lambda: driver.type("K[0, 0]", choose.choice(["1", "x", "0.5", "1e400", "-2"])),
        "drag": lambda: driver.choose("weight", choose.randint(-40, 40)),
        "kernel": lambda: driver.choose("named kernel", choose.choice(KERNELS)),
        "rows": lambda: driver.choose("rows", choose.randint(1, 7)),
        "picture": lambda: driver.choose("picture", choose.choice(list(PICTURES)[:5])),
        "option": lambda: driver.type(choose.choice(OPTIONS), size()),
        "flip": lambda: driver.choose("flip the kernel: convolution", choose.random() < 0.5),
        "window": lambda: driver.choose("window", (0, choose.randint(0, 1))),
        "pointer": lambda: driver.point("window", choose.choice([None, (0, 0)])),
        "look": lambda: driver.choose("look of the output", choose.choice(["auto", "|Y|"])),
        "section": lambda: driver.open("edit pixels", choose.random() < 0.5),
        "undo": lambda: driver.press("undo"),
        "redo": lambda: driver.press("redo"),
        "reset": lambda: driver.press("reset"),
        "code": lambda: setattr(panel, "kernel", choose.choice([EDGE, 3 * EDGE.T])),
    }
    for _ in range(400):
        choose.choice(list(edits.values()))()
        assert driver.status and "fault" not in driver.status
    driver.choose("flip the kernel: convolution", False)
    panel.padding = 1
    expect_consistent(panel, driver)


# What is stored


def test_a_small_input_is_stored_as_html_and_a_photo_as_a_picture():
    small, large = editor(), editor(photo(128))
    data, _ = small._repr_mimebundle_()
    assert data["text/plain"] == repr(small) == "KernelEditor: " + small.store.result.summary
    assert "Run this cell to make the panel live." in data["text/html"]
    assert "rows: 6 − 3 + 1 = 4" in data["text/html"] and "<script" not in data["text/html"]
    data, metadata = large._repr_mimebundle_()
    assert "text/html" not in data
    with Image.open(io.BytesIO(b64decode(data["image/png"]))) as image:
        assert image.format == "PNG" and image.width > 400
    assert metadata["image/png"]["alt"].startswith("input: 128 × 128, from 0 to 1")


def test_the_text_names_all_and_is_the_same_twice():
    lines = repr(editor(padding=1)).splitlines()
    assert lines == repr(editor(padding=1)).splitlines()
    assert lines[0] == "KernelEditor: cross-correlation, padding 1, stride 1, dilation 1"
    assert lines[1].startswith("input (stripes 6 × 8): 6 × 8, from 0 to 1")
    assert lines[2].startswith("kernel (Sobel x): 3 × 3, from -2 to 2")
    assert lines[3].startswith("output: 6 × 8, from -4 to 4")


def test_a_page_gets_one_model_and_little_more_than_two_pictures():
    panel = KernelEditor()
    page = panel.get_state("page")["page"]
    pictures = sum(map(len, page["pixels"].values()))
    assert pictures == 128**2 + 126**2
    assert len(page["html"]) < 25_000 and not page["series"]
    assert set(page) == {"html", "pixels", "series", "palettes"}


# How the output looks


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
    scale = Scale(look, *((0, 1) if look == "grey" else (-5, 5)))
    assert words in driver.status
    assert driver.pixels["output picture"] == scale.indices(panel.output)
    outside = ((panel.output < 0) | (panel.output > 1)).double().mean()
    share = f"{100 * outside:.0f}% cut to 0 or 1"
    assert (share in driver.status) == (look == "grey" and outside >= 0.01)


@pytest.mark.parametrize(
    ("weights", "total", "words"),
    [
        ([[4e-4]], "0.0004", "it lowers brightness, shown in grey."),
        ([[-4e-4]], "−0.0004", "shown blue below 0 and red above."),
        ([[0.0]], "0", "shown blue below 0 and red above."),
        ([[1.0009]], "1.001", "it adds up brightness, shown in grey."),
        ([[1, -0.9995]], "0.0005", "shown blue below 0 and red above."),
        ([[1 / 3, 1 / 3, 1 / 3]], "1", "it keeps brightness, shown in grey."),
        ([[0.1, 0.2, -0.3]], "0", "it takes differences, blue below 0 and red above."),
    ],
)
def test_the_sum_of_weights_is_one_number_everywhere(weights, total, words):
    _, driver = driven(K=torch.tensor(weights))
    assert f"sum of weights {total}" in driver.text
    assert driver.status.endswith(
        (f"Weights sum to {total}: {words}", f"Weights sum to {total}; {words}")
    )


@pytest.mark.parametrize(
    ("look", "scale", "words"),
    [
        ("grey", Scale("grey", 0, 1), "in grey"),
        ("signed", Scale("signed", -7, 7), "blue below 0 and red above"),
        ("|Y|", Scale("magnitude", 0, 7), "as absolute values"),
    ],
)
def test_a_chosen_look_is_kept_and_is_no_step_of_undo(look, scale, words):
    panel, driver = driven(photo(128))
    driver.choose("look of the output", look)
    driver.type("K[0, 0]", "-1.5")
    assert driver.pixels["output picture"] == scale.indices(panel.output)
    assert f"shown {words}, as chosen." in driver.status
    driver.press("undo")
    assert panel.look == look and not panel.store.can_undo


def test_zero_has_one_colour_in_grey_and_in_absolute_values():
    panel, driver = driven(torch.eye(9), EDGE)
    shades = {}
    for look in ("grey", "|Y|"):
        driver.choose("look of the output", look)
        node = driver.find("output")
        zeros = [css for css, y in zip(node.classes, panel.output.flatten(), strict=True) if y == 0]
        shades[look] = set(zeros)
    assert shades["grey"] == shades["|Y|"] == {"g0"}
    panel.X = torch.eye(50)
    palettes = driver.panel.get_state("page")["page"]["palettes"]
    for look, name in (("grey", "grey"), ("|Y|", "magnitude")):
        driver.choose("look of the output", look)
        level = driver.pixels["output picture"][5]  # Y[0, 5]
        assert panel.output[0, 5] == 0
        assert bytes(palettes[name])[4 * level : 4 * level + 3] == bytes(3)


def test_the_colour_key_stays_until_it_no_longer_suits_and_can_be_refitted():
    panel, driver = driven(K=EDGE)
    limits = {"0.5": 2, "0.3": 2, "0.001": 2, "30": 50, "12": 50, "3": 5}
    for text, limit in limits.items():
        driver.type("K[0, 0]", text)
        assert panel.store.result.colour_limit == limit
    driver.type("K[0, 0]", "1")
    assert panel.store.result.colour_limit == 5
    past = len(panel.store.snapshot().past)
    driver.press("refit")
    assert panel.store.result.colour_limit == 2 and not driver.has("refit")
    assert len(panel.store.snapshot().past) == past
    driver.press("undo")
    expect_consistent(panel, driver)


# What is shown depends on the state alone


PATHS = [
    [{"X": picture("ramp 6 × 9")}, {"X": photo(128)}],
    [{"padding": 1}, {"X": photo(128)}, {"padding": 0}],
    [{"X": photo(128)}, {"padding": 2, "stride": 2}],
    [{"X": torch.eye(3), "kernel": torch.ones(2, 2)}],
    [{"kernel": torch.full((5, 5), 9.0)}, {"kernel": kernel("Sobel x")}, {"X": stripes()}],
]


@pytest.mark.parametrize("path", PATHS)
def test_the_layout_depends_on_the_state_and_not_on_the_way_there(path):
    panel = editor()
    for fields in path:
        panel.store.set(**fields)
    fresh = KernelEditor(
        panel.X, panel.kernel, padding=panel.padding, stride=panel.stride, dilation=panel.dilation
    )

    def layout(panel):
        return [(n.kind, n.name, n.props.get("css"), n.props.get("variables")) for n in panel.tree]

    assert layout(panel) == layout(fresh)


@pytest.mark.parametrize(
    ("X", "options", "extent"),
    [
        (photo(128), {}, 128),
        (photo(128), {"padding": 2}, 130),
        (photo(128), {"padding": 2, "stride": 2}, 128),
        (photo(), {}, 600),
    ],
)
def test_input_and_output_have_one_scale(X, options, extent):
    panel, driver = driven(X, **options)
    [stage] = [n for n in panel.tree if n.kind == "box" and "extent" in n.variables]
    assert stage.variables["extent"] == extent == max(*panel.X.shape, *panel.output.shape)
    assert driver.find("input picture").full == tuple(panel.X.shape)
    assert driver.find("output picture").full == tuple(panel.output.shape)
    for name in ("input picture", "output picture"):
        assert max(driver.find(name).shape) <= 320
