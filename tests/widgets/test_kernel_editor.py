"""KernelEditor, driven through its controls as a learner drives it."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from convkit import ConvkitError, convolve2d, corr2d, photo, stripes
from convkit.images import PICTURES, picture
from convkit.kernels import KERNELS, kernel
from convkit.widgets import KernelEditor
from convkit.widgets.controls import REACH
from convkit.widgets.stage import fits_lens
from tests.untrusted_images import upload


def editor(X=None, K=None, **options):
    X = stripes() if X is None else X
    return KernelEditor(X, kernel("Sobel x") if K is None else K, **options)


def box(panel, i, j):
    return panel._controls.grid._boxes[i, j]


def state(panel):
    now = panel._trial.now
    return panel.summary(), panel.code, now, panel.kernel, panel.output


def same(before, after):
    tensors = zip(before[3:], after[3:], strict=True)
    return before[:3] == after[:3] and all(torch.equal(*pair) for pair in tensors)


def consistent(panel):
    """Every control, the code and the traits tell of one state."""
    controls, now = panel._controls, panel._trial.now
    wanted = (convolve2d if panel.flip else corr2d)(
        panel.X, panel.kernel, padding=panel.padding, stride=panel.stride, dilation=panel.dilation
    )
    assert torch.equal(panel.output, wanted) and torch.equal(panel.kernel, now.K)
    assert controls.picture.value == now.picture
    assert (controls.rows.value, controls.columns.value) == tuple(now.K.shape)
    assert controls.flip.value == now.flip
    assert len(controls.grid._grid.children) == now.K.numel()
    texts = [float(b.value) for b in controls.grid._grid.children]
    assert texts == pytest.approx(now.K.flatten().tolist(), rel=1e-3)
    scale, weight = controls._scale, now.K[controls.chosen()].item()
    assert controls.drag.value / REACH * scale == pytest.approx(weight, abs=scale / REACH / 2)
    assert controls.moves["undo"].disabled != panel._trial.history.can_undo
    assert controls.moves["redo"].disabled != panel._trial.history.can_redo
    names = {name: getattr(now, name) for name in controls.numbers}
    for name, value in names.items():
        text = controls.numbers[name].value
        assert text.replace(" ", "") == str(value).strip("()").replace(" ", "")
    assert all(line in panel._sizes.value for line in now.size_sums())
    if now.source or now.X.numel() <= 256:
        world = {}
        exec(panel.code, world)
        assert torch.equal(world["Y"], panel.output)


# Each control


@pytest.mark.parametrize("name", list(PICTURES))
def test_choosing_a_picture(name):
    panel = editor(torch.rand(9, 9))
    panel._controls.picture.value = name
    assert torch.equal(panel.X, picture(name))
    consistent(panel)


@pytest.mark.parametrize("name", KERNELS)
def test_choosing_a_kernel(name):
    panel = editor(K=torch.ones(2, 3))
    panel._controls.preset.value = name
    assert torch.equal(panel.kernel, kernel(name)) and panel._controls.preset.value == name
    consistent(panel)
    panel._controls.preset.value = "custom"
    assert torch.equal(panel.kernel, kernel(name)) and panel._controls.preset.value == name


@pytest.mark.parametrize("rows", range(1, 8))
def test_every_size(rows):
    panel = editor(torch.rand(9, 9), torch.rand(3, 3))
    panel._controls.rows.value = rows
    for columns in range(7, 0, -1):
        panel._controls.columns.value = columns
        assert panel.kernel.shape == (rows, columns)
        box(panel, rows - 1, columns - 1).value = "0.25"
        assert panel.kernel[-1, -1] == 0.25
        consistent(panel)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("padding", "2", 2),
        ("padding", "1, 0", (1, 0)),
        ("stride", "2,1", (2, 1)),
        ("stride", "3", 3),
        ("dilation", "2", 2),
        ("dilation", "1, 3", (1, 3)),
    ],
)
def test_typing_padding_stride_and_dilation(name, text, value):
    panel = editor()
    panel._controls.numbers[name].value = text
    assert getattr(panel, name) == value and 'role="status"' in panel.status
    consistent(panel)


def test_flip():
    panel = editor()
    before = panel.output
    panel._controls.flip.value = True
    assert torch.equal(panel.output, -before)
    consistent(panel)


def test_editing_boxes():
    panel = editor()
    for i in range(3):
        for j in range(3):
            box(panel, i, j).value = f"{i}.{j}"
            assert panel._controls.cell.value == f"K[{i}, {j}]"
            consistent(panel)
    assert panel.kernel[2].tolist() == pytest.approx([2.0, 2.1, 2.2])


def test_dragging_a_weight_of_ones_choice():
    panel = editor()
    box(panel, 0, 1).value = "0.5"
    panel._controls.cell.value = "K[2, 0]"
    assert panel._controls.drag.value == -10 and panel._controls.chosen() == (2, 0)
    wanted = panel.kernel.clone()
    for weight in (0.3, -0.4, 1.0):
        panel._controls.drag.value = round(weight * REACH / 4)
        wanted[2, 0] = weight
        assert torch.equal(panel.kernel, wanted) and panel._controls.cell.value == "K[2, 0]"
        consistent(panel)
    panel._controls.cell.value = "K[1, 2]"
    assert torch.equal(panel.kernel, wanted) and panel._controls.drag.value == 20
    panel._controls.moves["undo"].click()  # the whole drag
    assert panel.kernel[2, 0] == -1 and panel.kernel[0, 1] == 0.5


def test_editing_pixels():
    panel = editor()
    panel._controls.pixels.selected_index = 0
    grid = panel._controls.pixel_grid
    grid._boxes[5, 7].value = "0.5"
    assert panel.X[5, 7] == 0.5 and panel.X.sum() == stripes().sum() - 0.5
    assert panel._controls.picture.value == "your own"
    consistent(panel)
    grid._boxes[0, 0].value = "one"
    assert "input row 1 column 1 is" in panel.status and 'role="alert"' in panel.status
    panel.undo()
    assert torch.equal(panel.X, stripes()) and panel._controls.picture.value == "stripes 6 × 8"
    assert grid._boxes[5, 7].value == "1"
    # A name that no picture has is not left as a dead choice.
    assert panel._controls.picture.options == tuple(PICTURES)


def test_the_drawer_of_pixels_stays_as_one_leaves_it():
    panel = editor()
    panel._controls.pixels.selected_index = 0
    panel._controls.picture.value = "diagonal 8 × 8"
    assert panel._controls.pixels.selected_index == 0
    panel._controls.pixel_grid._boxes[7, 0].value = "1"
    assert panel.X[7, 0] == 1
    panel._controls.pixels.selected_index = None
    panel._controls.picture.value = "ramp 6 × 9"
    assert panel._controls.pixels.selected_index is None
    panel._controls.pixels.selected_index = 0
    panel._controls.picture.value = "photo 128 × 128"
    assert panel._controls.pixels.selected_index == 0
    assert "128 × 128 are too many pixels" in panel._controls.pixels.children[0].value
    panel._controls.picture.value = "ramp 6 × 9"
    assert panel._controls.pixels.children == (panel._controls.pixel_grid,)
    panel._controls.pixel_grid._boxes[5, 8].value = "0"
    assert panel.X[5, 8] == 0


def test_the_walk_shows_its_cell():
    panel = editor()
    panel._walk._row.value, panel._walk._column.value = 2, 3
    shown = panel._stage._tables[1].value
    at = re.findall(r'class="[^"]* at [^"]*"[^>]*>[^<]*<span class="ck-sum">Y\[(\d), (\d)\]', shown)
    assert at == [("2", "3")]
    panel._controls.picture.value = "photo 128 × 128"
    assert panel._walk.at == (63, 63)  # the middle
    panel._walk._row.value, panel._walk._column.value = 100, 3
    assert "around Y[100, 3]" in panel._stage._patches[0].value
    ring = panel._stage._pictures[1].ring.value
    assert f"top:{100 * 100 / 126:.3f}%" in ring and f"left:{100 * 3 / 126:.3f}%" in ring


# A file of one's own


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_file_of_ones_own():
    panel = editor()
    array = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    for _ in range(2):  # the same file can be chosen again
        upload(panel, "mine.png", png(array))
        assert torch.equal(panel.X, torch.tensor(array) / 255)
        assert panel._controls.picture.value == "file mine.png"
        assert "convkit.open_image('mine.png'" in panel.code
        panel._controls.picture.value = "dot 7 × 7"
        assert "file mine.png" not in panel._controls.picture.options
    panel.undo()
    assert panel._controls.picture.value == "file mine.png"


def test_a_bad_file_is_refused_in_words():
    panel = editor()
    before = state(panel)
    upload(panel, "mine.png", b"<script>alert(1)</script>")
    assert "cannot be read as a picture" in panel.status
    assert 'role="alert"' in panel.status and same(before, state(panel))
    assert panel._controls.picture.value == "stripes 6 × 8"
    upload(panel, "mine.png", png(np.zeros((5, 5), np.uint8)))
    assert panel.X.shape == (5, 5) and 'role="status"' in panel.status


# Bad input: words, the last good state, and the next good edit works


BAD_TEXT = ["", "nan", "1e400", "inf", "three", "<b>"]


@pytest.mark.parametrize("text", BAD_TEXT)
def test_bad_text_in_a_weight(text):
    panel = editor()
    before = state(panel)
    box(panel, 1, 1).value = text
    assert "kernel row 2 column 2 is" in panel.status and "it keeps 0." in panel.status
    assert "<b>" not in panel.status and same(before, state(panel))
    box(panel, 0, 0).value = "7"
    assert panel.kernel[0, 0] == 7 and 'role="status"' in panel.status
    assert box(panel, 1, 1).value == "0"
    consistent(panel)


def test_a_text_taken_back_ends_the_complaint():
    panel = editor()
    said = panel.status
    box(panel, 1, 1).value = "x"
    box(panel, 1, 1).value = "0"
    assert panel.status == said


def test_a_blank_box_is_filled_by_the_next_edit_elsewhere():
    panel = editor()
    box(panel, 0, 0).value = ""
    panel._controls.numbers["padding"].value = "1"
    consistent(panel)


@pytest.mark.parametrize("name", ["padding", "stride", "dilation"])
@pytest.mark.parametrize("text", ["", "-1", "1.5", "nan", "1e400", "1, 2, 3", "9" * 20, "100000"])
def test_bad_text_in_a_number(name, text):
    panel = editor()
    before = state(panel)
    panel._controls.numbers[name].value = text
    assert f"{name} is" in panel.status and 'role="alert"' in panel.status
    assert same(before, state(panel))
    panel._controls.flip.value = True
    assert 'role="status"' in panel.status
    consistent(panel)


def test_a_stride_of_zero():
    panel = editor()
    panel._controls.numbers["stride"].value = "0"
    assert "stride is &#x27;0&#x27;; wanted a whole number of at least 1" in panel.status


def test_what_leaves_no_output():
    panel = editor(K=torch.ones(3, 3))
    before = state(panel)
    for act in (
        lambda: setattr(panel._controls.rows, "value", 7),
        lambda: setattr(panel._controls.numbers["dilation"], "value", "4"),
    ):
        act()
        assert "wanted a kernel no larger than the padded input" in panel.status
        assert same(before, state(panel))
        consistent(panel)
    panel._controls.numbers["padding"].value = "2"
    panel._controls.rows.value = 7
    assert panel.kernel.shape == (7, 3)
    consistent(panel)


def test_an_overflow_is_said():
    panel = editor(torch.ones(6, 6))
    before = state(panel)
    panel._controls.grid.value = torch.full((3, 3), 3e38)
    assert "overflows" in panel.status and same(before, state(panel))
    consistent(panel)


def test_a_drag_beyond_what_the_dtype_holds_is_an_overflow():
    panel = editor(torch.ones(3, 3) / 4, torch.full((1, 1), 3e38))
    before = state(panel)
    panel._controls.drag.value = REACH
    assert "overflows" in panel.status and same(before, state(panel))
    consistent(panel)


# An operation of the learner's own


def wrong(X, K):
    Y = corr2d(X, K)
    Y[1, 2] += 1
    return Y


def test_cells_that_differ_are_marked_with_both_sums():
    panel = editor(operation=wrong)
    right = corr2d(stripes(), kernel("Sobel x"))[1, 2]
    assert "wrong differs from convkit in 1 of 24 cells" in panel.status
    shown = panel._stage._tables[1].value
    marked = re.findall(
        r'class="[^"]*\bbad\b[^"]*"[^>]*>[^<]*<span class="ck-sum">(.*?)</span>', shown
    )
    assert len(marked) == 1 and marked[0].startswith("Y[1, 2] = ")
    assert marked[0].endswith(f"= {right:g}, but yours gives {right + 1:g}")
    assert " bad" in panel._repr_mimebundle_()[0]["text/html"]


def test_on_a_photo_they_are_marked_in_the_picture():
    panel = editor(photo(128), operation=wrong)
    with Image.open(io.BytesIO(panel._stage._pictures[1].image.value)) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert np.argwhere((pixels == [213, 0, 143]).all(-1)).tolist() == [[1, 2]]


@pytest.mark.parametrize("operation", [lambda X, K: 1 / 0, lambda X, K: None, lambda X, K: X,
                                       lambda X, K: corr2d(X, K) * float("nan")])  # fmt: skip
def test_an_operation_that_fails_is_said_and_the_panel_shows_its_own(operation):
    panel = editor(operation=operation)
    assert "&lt;lambda&gt;" in panel.status and "<lambda>" not in panel.status
    assert 'role="alert"' in panel.status
    assert torch.equal(panel.output, corr2d(stripes(), kernel("Sobel x")))
    panel._controls.flip.value = True
    assert 'role="alert"' in panel.status and panel.flip is False


def test_an_operation_that_fails_on_some_sizes():
    def fussy(X, K):
        assert K.shape == (2, 2), "<i>2 x 2</i>"
        return corr2d(X, K)

    panel = editor(operation=fussy)
    assert "&lt;i&gt;2 x 2" in panel.status
    panel.kernel = torch.ones(2, 2)
    assert "fussy agrees" in panel.status
    panel._controls.rows.value = 3
    assert "AssertionError" in panel.status and panel.kernel.shape == (2, 2)
    for move in ("undo", "redo", "undo"):
        panel._controls.moves[move].click()
        consistent(panel)
        assert ("fussy agrees" in panel.status) == (move == "redo")


def test_boxes_are_enabled_for_the_keywords_an_operation_takes():
    def mine(X, K, padding=0):
        return corr2d(X, K, padding=padding)

    panel = editor(operation=mine)
    assert [b.disabled for b in panel._controls.numbers.values()] == [False, True, True]
    panel._controls.numbers["padding"].value = "1"
    assert "mine agrees with convkit in all 48 cells" in panel.status
    assert not any(b.disabled for b in editor()._controls.numbers.values())


# Undo, redo, reset


def test_undo_redo_reset():
    panel = editor()
    start = state(panel)
    panel._controls.flip.value = True
    panel._controls.numbers["padding"].value = "1"
    box(panel, 0, 0).value = "5"
    box(panel, 0, 0).value = "55"  # one edit with the last
    last = panel.summary()
    summaries = [last]
    for _ in range(3):
        panel._controls.moves["undo"].click()
        summaries.append(panel.summary())
        consistent(panel)
    assert summaries[-1] == start[0] and len(set(summaries)) == 4
    for wanted in summaries[-2::-1]:
        panel._controls.moves["redo"].click()
        assert panel.summary() == wanted
    panel._controls.moves["reset"].click()
    assert panel.summary() == start[0]
    panel.undo()
    assert panel.summary() == last
    consistent(panel)


# In code


def test_attributes_may_be_set():
    panel = editor()
    panel.padding, panel.stride, panel.dilation = 1, (2, 1), 2
    panel.flip = True
    panel.kernel = torch.ones(2, 2).double()
    panel.X = photo(128).double()
    assert panel.kernel.dtype == torch.float64
    consistent(panel)


NAN = torch.full((2, 2), torch.nan)
WRONG = {
    "X": [None, torch.ones(3), torch.ones(3, 3).int(), torch.ones(1, 1), NAN],
    "kernel": [None, torch.ones(8, 1), torch.ones(7, 7), torch.ones(2), NAN],
    "padding": [-1, 1.5, "1", None, 10**6],
    "stride": [0, -1, (1, 2, 3), "a"],
    "dilation": [0, 9, "x"],
    "flip": [None, 2, "yes"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in WRONG.items() for v in vs])
def test_a_wrong_value_raises_and_leaves_all_as_it_was(name, value):
    panel = editor()
    before, said = state(panel), panel.status
    with pytest.raises(ConvkitError):
        setattr(panel, name, value)
    assert same(before, state(panel)) and panel.status == said
    consistent(panel)


def test_the_output_cannot_be_set():
    with pytest.raises(traitlets.TraitError):
        editor().output = torch.ones(4, 6)


@pytest.mark.parametrize(
    "arguments",
    [{"X": 3}, {"K": torch.ones(8, 8)}, {"stride": 0}, {"flip": "no"}, {"operation": None}],
)
def test_what_cannot_be_made_raises(arguments):
    with pytest.raises(ConvkitError):
        editor(**arguments)


def test_the_panel_keeps_copies():
    X, K = stripes(), kernel("Sobel x")
    panel = editor(X, K)
    before = panel.summary()
    X.zero_(), K.zero_()
    assert panel.summary() == before
    panel.kernel = K = torch.ones(2, 2)
    K.zero_()
    assert panel.kernel.sum() == 4


@pytest.mark.parametrize("name", ["X", "kernel", "output"])
def test_what_is_read_can_be_changed_in_place_and_the_panel_stays(name):
    panel, told = editor(), []
    panel.observe(lambda change: told.append(change["new"]), "kernel")
    box(panel, 0, 0).value = "5"
    before = state(panel)
    getattr(panel, name).zero_(), told[-1].zero_()
    assert same(before, state(panel)) and panel.output.abs().sum() > 0
    consistent(panel)
    panel.undo(), panel.redo()
    assert same(before, state(panel))


def test_a_layers_own_weight_can_be_edited():
    panel = editor(K=torch.nn.Parameter(torch.ones(2, 2)))
    box(panel, 0, 0).value = "3"
    assert not panel.kernel.requires_grad and panel.output.max() > 4


def watched(panel):
    seen = []
    panel.observe(lambda change: seen.append(change["name"]), ["kernel", "output"])
    return seen


def test_traits_notify_once_per_edit():
    panel = editor()
    seen = watched(panel)
    for act, wanted in (
        (lambda: setattr(box(panel, 0, 0), "value", "9"), ["kernel", "output"]),
        (lambda: setattr(panel, "kernel", torch.ones(2, 2)), ["kernel", "output"]),
        (lambda: setattr(panel._controls.rows, "value", 3), ["kernel", "output"]),
        (lambda: setattr(panel._controls.numbers["padding"], "value", "1"), ["output"]),
        (lambda: panel._controls.moves["undo"].click(), ["output"]),
        (lambda: panel.reset(), ["kernel", "output"]),
        (lambda: setattr(box(panel, 0, 0), "value", ""), []),
        (lambda: setattr(panel, "kernel", panel.kernel.clone()), []),
    ):
        seen.clear()
        act()
        assert [n for n in sorted(seen)] == wanted or (wanted == [] and seen in ([], ["kernel"]))


def test_linked_panels_follow():
    one, two = editor(), editor(photo(128))
    traitlets.dlink((one, "kernel"), (two, "kernel"))
    traitlets.dlink((two, "kernel"), (one, "kernel"))
    box(one, 0, 0).value = "4"
    assert torch.equal(two.kernel, one.kernel) and two.kernel[0, 0] == 4
    two._controls.preset.value = "box blur"
    assert torch.equal(one.kernel, kernel("box blur"))
    consistent(one), consistent(two)


def test_a_linked_panel_that_refuses_leaves_this_one_whole():
    one, two = editor(), editor(torch.ones(3, 3))
    traitlets.dlink((one, "kernel"), (two, "kernel"))
    one._controls.rows.value = 4
    assert one.kernel.shape == (4, 3) and one.output.shape == (3, 6)
    assert 'role="alert"' in one.status and "larger than the padded input" in one.status
    assert two.kernel.shape == (3, 3)
    consistent(one), consistent(two)


def test_two_panels_do_not_disturb_each_other():
    one, two = editor(), editor()
    before = state(two)
    box(one, 0, 0).value = "4"
    one._controls.picture.value = "photo 128 × 128"
    one._walk._row.value = 2
    assert same(before, state(two)) and two._walk.at == (0, 0)
    consistent(two)


# What is left of it where nothing runs


def test_the_summary_is_true_and_the_same_twice():
    panels = [editor(padding=1), editor(padding=1)]
    assert panels[0].summary() == panels[1].summary() == repr(panels[0])
    lines = panels[0].summary().splitlines()
    assert lines[0] == "KernelEditor: cross-correlation, padding 1, stride 1, dilation 1"
    assert lines[1].startswith("input (stripes 6 × 8): 6 × 8, from 0 to 1")
    assert lines[2].startswith("kernel (Sobel x): 3 × 3, from -2 to 2")
    assert lines[3].startswith("output: 6 × 8, from -4 to 4")
    box(panels[0], 0, 0).value = "9"
    assert panels[0].summary() != panels[1].summary()


def test_a_small_input_is_stored_as_the_lens():
    bundles = [editor()._repr_mimebundle_()[0] for _ in range(2)]
    assert bundles[0]["text/html"] == bundles[1]["text/html"]
    assert set(bundles[0]) == {
        "text/plain",
        "text/html",
        "application/vnd.jupyter.widget-view+json",
    }
    assert bundles[0]["text/plain"] == editor().summary()
    assert "Run this cell" in bundles[0]["text/html"] and "ck-sum" in bundles[0]["text/html"]


def test_a_photo_is_stored_as_a_picture():
    panel = editor(photo(128))
    data, metadata = panel._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    with Image.open(io.BytesIO(b64decode(data["image/png"]))) as image:
        assert image.format == "PNG" and image.width > 400
    assert metadata["image/png"]["alt"].startswith("input: 128 × 128, from 0 to 1")


@pytest.mark.parametrize(
    ("side", "padding", "small"), [(16, 0, True), (14, 1, True), (15, 1, False)]
)
def test_the_lens_is_for_small_inputs(side, padding, small):
    panel = editor(torch.rand(side, side), padding=padding)
    assert fits_lens(panel._trial.now) == small
    assert (panel._stage._loupe.layout.display == "none") == small
    assert ("image/png" in panel._repr_mimebundle_()[0]) != small


# Names and faults are shown as text


def test_a_fault_of_ours_is_said_in_words_and_logged(caplog, monkeypatch):
    panel = editor()
    before = state(panel)

    def broken(*_):
        raise RuntimeError("<b>broken</b>")

    with monkeypatch.context() as patch:
        patch.setattr(panel._trial, "adopt", broken)
        panel._controls.flip.value = True
    assert "RuntimeError: &lt;b&gt;broken" in panel.status and 'role="alert"' in panel.status
    assert same(before, state(panel)) and panel._controls.flip.value is False
    assert [r.levelname for r in caplog.records if r.name == "convkit"] == ["ERROR"]
    caplog.clear()
    panel._controls.flip.value = True
    assert panel.flip
    consistent(panel)


def test_what_an_observer_is_given_of_before_is_a_copy():
    panel = editor()
    was = panel.kernel
    panel.observe(lambda change: change["old"].zero_(), "kernel")
    panel.flip = True
    panel.kernel = torch.ones(2, 2)
    panel.undo()
    assert torch.equal(panel.kernel, was)
