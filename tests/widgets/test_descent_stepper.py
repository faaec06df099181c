"""DescentStepper, driven through its controls as a learner drives it."""

import io
import random
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image

from convkit import ConvkitError, corr2d, diagonal, photo, stripes
from convkit.kernels import kernel
from convkit.state.descent_stepper import compute
from convkit.state.store import replay
from convkit.widgets import DescentStepper, Frames, KernelEditor, Plot
from tests.widgets.panel_driver import PanelDriver

EDGE = torch.tensor([[1.0, -1.0]])


def stepper(X=None, K=EDGE, start=None, **options):
    X = stripes() if X is None else X
    start = torch.zeros_like(K) if start is None else start
    return DescentStepper(X, corr2d(X, K), start, **options)


def driven(*arguments, **options):
    panel = stepper(*arguments, **options)
    return panel, PanelDriver(panel)


def expect_consistent(panel, driver):
    """Every control, the plots, the frames and the code tell of one step of one descent."""
    trajectory = panel.trajectory
    player = driver.find("step")
    assert (player.value, player.max) == (panel.n, len(trajectory) - 1)
    assert float(driver.text("learning rate")) == pytest.approx(panel.lr, rel=1e-3)
    for (i, j), weight in np.ndenumerate(panel.start.numpy()):
        assert driver.number(f"start[{i}, {j}]") == pytest.approx(weight, rel=1e-3)
    assert torch.equal(panel.kernel, trajectory[panel.n].kernel)
    for plot in driver.parts(Plot):
        assert len(plot.path) == 8 * len(trajectory)
    frames = next(driver.parts(Frames))
    assert frames.summary().startswith(f"Frames: {len(trajectory)} frames of")
    step = trajectory[panel.n]
    assert frames.announcements[panel.n] == f"step {panel.n}: loss {step.loss:.4g}"
    names = {"print": lambda *_: None}
    exec(panel.code, names)
    assert torch.equal(names["K"].detach(), panel.kernel)


# Each control


def test_scrubbing_to_and_fro_gives_the_same_bits():
    panel, driver = driven()
    seen = {}
    for n in (0, 7, 25, 7, 3, 25, 0):
        driver.choose("step", n)
        assert torch.equal(panel.kernel, seen.setdefault(n, panel.kernel))
        assert panel.kernel[0, 0].item() == pytest.approx(1 - 0.64**n, abs=1e-4)
        expect_consistent(panel, driver)
    assert not panel.store.can_undo  # looking is no edit


def test_the_number_of_steps():
    panel, driver = driven()
    panel.n = 20
    for count in (40, 10, 1, 100):
        driver.choose("of", count)
        assert driver.find("step").max == count and panel.n <= min(20, count)
    expect_consistent(panel, driver)


@pytest.mark.parametrize(("text", "value"), [("0.01", 0.01), ("1/36", 1 / 36), ("1e-45", 1e-45)])
def test_typing_a_learning_rate(text, value):
    panel, driver = driven(stripes() / 100, start=torch.tensor([[0.5, 0.2]]))
    driver.type("learning rate", text)
    assert panel.lr == value and driver.text("learning rate") == text
    first, second = panel.trajectory[:2]
    torch.testing.assert_close(second.kernel, first.kernel - panel.lr * first.grad)


def test_dragging_the_learning_rate():
    panel, driver = driven()
    slider = driver.find("learning rate, share of the limit")
    assert slider.valuetext == "learning rate 0.03" and (slider.value, slider.mark) == (90, 100)
    driver.choose("learning rate, share of the limit", 10)
    assert panel.lr == 0.003333 and driver.text("learning rate") == "0.003333"
    assert slider.valuetext == "learning rate 0.003333"
    assert "<b>10%</b> of limit 0.03333" in driver.html()
    expect_consistent(panel, driver)


def test_only_the_steps_ahead():
    panel, driver = driven()
    panel.n = 4
    before = panel.kernel
    driver.toggle("new rate for later steps only")
    driver.type("learning rate", "0.001")
    assert torch.equal(panel.kernel, before) and panel.n == 4
    assert [step.lr for step in panel.trajectory[1:]] == [0.03] * 4 + [0.001] * 21
    panel.n = 9
    expect_consistent(panel, driver)


def test_editing_the_start_and_undoing_it():
    panel, driver = driven()
    panel.n = 3
    for text in ("0", "0.", "0.75"):
        driver.type("start[0, 1]", text)
    assert panel.start.tolist() == [[0, 0.75]] and panel.n == 3
    expect_consistent(panel, driver)
    driver.press("undo")
    assert panel.start.tolist() == [[0, 0]] and panel.n == 3
    driver.press("redo")
    assert panel.start.tolist() == [[0, 0.75]]
    expect_consistent(panel, driver)


def test_reset_returns_to_the_first_state():
    panel, driver = driven(start=torch.tensor([[0.5, 0.2]]))
    first = panel.summary()
    panel.lr, panel.n, panel.start = 0.01, 9, torch.ones(1, 2)
    panel.Y = 2 * panel.Y
    driver.choose("of", 7)
    for name in ("show what lies ahead", "new rate for later steps only"):
        driver.toggle(name)
    driver.press("reset")
    assert panel.summary() == first
    for name in ("show what lies ahead", "new rate for later steps only"):
        assert driver.find(name).value is False
    expect_consistent(panel, driver)
    driver.press("undo")
    assert panel.Y.max() == 2 and panel.lr == 0.01


def test_reset_keeps_the_problem_that_is_followed():
    editor, (panel, driver) = KernelEditor(stripes(), 3 * EDGE), driven()
    panel.follow(editor)
    panel.lr, panel.n = 0.01, 5
    driver.press("reset")
    assert panel.Y.max() == 3 and (panel.lr, panel.n) == (0.03, 0)
    panel.unfollow()
    driver.press("reset")
    assert panel.Y.max() == 1


# The target


def test_a_target_is_edited_in_the_panel_and_undone():
    panel = DescentStepper(stripes(), target=EDGE, start=torch.tensor([[0.5, 0.5]]))
    driver = PanelDriver(panel)
    assert torch.equal(panel.Y, corr2d(stripes(), EDGE))
    driver.type("target[0, 1]", "3")
    assert panel.target.tolist() == [[1, 3]] and torch.equal(
        panel.Y, corr2d(stripes(), panel.target)
    )
    panel.n = 25
    torch.testing.assert_close(panel.kernel, panel.target, atol=0.05, rtol=0)
    expect_consistent(panel, driver)
    driver.press("undo")
    assert panel.target.tolist() == [[1, -1]] and driver.number("target[0, 1]") == -1
    driver.type("target[0, 0]", "x")
    assert driver.kind == "error" and panel.target.tolist() == [[1, -1]]


def test_boxes_of_one_kernel_have_one_colour():
    panel = DescentStepper(stripes(), target=EDGE, start=EDGE)
    driver = PanelDriver(panel)
    start, target = (driver.find(f"{name}[0, 0]") for name in ("start", "target"))
    seen = []
    for text in ("20", "0.5", "-300"):
        driver.type("start[0, 1]", text)
        assert start.colours[0] == target.colours[0] != start.colours[1]
        seen.append(target.colours[0])
    assert len({colour for colour, _ in seen}) == 3


def test_a_panel_without_a_known_kernel_has_no_boxes_for_it():
    panel, driver = driven()
    assert panel.target is None
    column = next(part for part in driver.parts() if driver.find("target[0, 0]") in children(part))
    assert column.layout.display == "none"
    panel.target = 2 * EDGE
    assert column.layout.display is None and panel.Y.max() == 2
    panel.Y = 3 * panel.Y
    assert column.layout.display == "none" and panel.target is None


def children(part):
    return getattr(part, "children", ())


def test_a_pasted_target_of_another_size_starts_from_zeros():
    panel = DescentStepper(diagonal(6), target=torch.ones(1, 2))
    driver = PanelDriver(panel)
    driver.paste("target[0, 0]", "1 0 -1\n2 0 -2")
    assert panel.start.tolist() == [[0, 0, 0], [0, 0, 0]] and panel.Y.shape == (5, 4)
    expect_consistent(panel, driver)


def test_another_problem_keeps_the_share_of_the_limit_and_says_so():
    panel = DescentStepper(stripes(), target=EDGE)
    panel.X = 10 * panel.X
    driver = PanelDriver(panel)
    assert panel.lr == 0.0003 and driver.find("learning rate, share of the limit").value == 90
    assert driver.status.startswith("The learning rate is now 0.0003, the same share of")
    assert torch.equal(panel.Y, 10 * corr2d(stripes(), EDGE))
    panel.n = 3
    assert driver.status.startswith("Converging")


@pytest.mark.parametrize("options", [{}, {"Y": torch.ones(6, 7), "target": EDGE}])
def test_a_panel_is_made_with_a_target_or_the_kernel_that_makes_it(options):
    with pytest.raises(ConvkitError, match="expected one of them"):
        DescentStepper(stripes(), **options)


# What is refused: words, the last good state, and the next good edit works


@pytest.mark.parametrize("text", ["", "0", "-0.1", "nan", "1e400", "1e39", "fast", "<b>"])
def test_an_impossible_learning_rate(text):
    panel, driver = driven()
    before = panel.summary()
    driver.type("learning rate", text)
    assert driver.kind == "error" and "expected a" in driver.status
    assert panel.summary() == before
    assert driver.text("learning rate") == text  # "0" may become "0.05"
    driver.type("learning rate", "0.02")
    assert panel.lr == 0.02 and driver.kind == "note"
    expect_consistent(panel, driver)


@pytest.mark.parametrize("text", ["0.05", "1e30"])
def test_divergence_is_named_with_the_rate_that_works(text):
    panel, driver = driven(start=torch.tensor([[0.5, 0.2]]), steps=100)
    driver.type("learning rate", text)
    assert driver.status.startswith("Diverging: at ") and driver.kind == "error"
    assert "limit 0.03333" in driver.status and driver.find("step").max < 100
    expect_consistent(panel, driver)
    driver.press("use 0.0278")
    assert panel.lr == 0.0278 and driver.status.startswith("Converging")
    driver.type("learning rate", "0.033")
    assert driver.kind == "note" and driver.find("step").max == 100
    expect_consistent(panel, driver)


@pytest.mark.parametrize(("text", "words"), [("nan", "it keeps 0."), ("1e30", "loss")])
def test_a_start_that_cannot_work(text, words):
    panel, driver = driven()
    before = panel.summary()
    driver.type("start[0, 1]", text)
    assert words in driver.status and driver.kind == "error" and panel.summary() == before


def test_a_pasted_start_of_another_size_is_refused_by_its_own_name():
    panel, driver = driven()
    driver.paste("start[0, 0]", "1 2 3")
    assert driver.status.startswith("the start is 1 × 3; expected 1 × 2")
    assert driver.text("start[0, 1]") != "2"
    expect_consistent(panel, driver)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 26),
        ("n", -1),
        ("n", 1.0),
        ("lr", 0),
        ("lr", float("nan")),
        ("lr", "fast"),
        ("start", torch.zeros(2, 2)),
        ("start", torch.full((1, 2), torch.inf)),
        ("start", None),
        ("Y", torch.zeros(7, 8)),
        ("Y", torch.full((6, 7), 1e38)),
        ("Y", 3),
        ("X", torch.ones(3)),
    ],
)
def test_a_wrong_value_in_code_raises_and_changes_nothing(name, value):
    panel, driver = driven()
    panel.n = 3
    before = panel.summary(), panel.status
    with pytest.raises(ConvkitError):
        setattr(panel, name, value)
    assert (panel.summary(), panel.status) == before
    expect_consistent(panel, driver)


@pytest.mark.parametrize(
    "options",
    [{"steps": 0}, {"steps": 2.5}, {"lr": 0}, {"reduction": "max"}, {"start": torch.zeros(9, 9)}],
)
def test_what_cannot_be_made_raises(options):
    with pytest.raises(ConvkitError):
        stepper(**options)


@pytest.mark.parametrize("lr", [torch.tensor(0.02), np.float32(0.02), 1])
def test_a_learning_rate_of_any_number_type(lr):
    panel = stepper(lr=lr)
    panel.lr = lr
    assert panel.lr == float(lr)


def test_it_works_inside_no_grad_and_inference_mode():
    with torch.no_grad():
        expected = stepper(steps=3).trajectory[3].kernel
    with torch.inference_mode():
        assert torch.equal(stepper(steps=3).trajectory[3].kernel, expected)


# Problems


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (3, 3), (7, 7)])
def test_kernels_of_any_size(size):
    panel, driver = driven(diagonal(9), torch.ones(size), lr=0.01, steps=4)
    panel.n = 2
    expect_consistent(panel, driver)


def test_inputs_that_teach_nothing():
    panel = DescentStepper(torch.zeros(6, 8), torch.ones(6, 7), torch.zeros(1, 2))
    assert "Nothing to learn" in panel.status
    assert "no limit" in PanelDriver(panel).html()
    assert "already" in stepper(start=EDGE).status


def test_a_large_problem_shows_pictures_at_the_step_on_show():
    panel, driver = driven(photo(64), kernel("Sobel x"), lr=1e-4, steps=3)
    shown = driver.find("prediction, 62 × 62")
    first = shown.pixels
    panel.n = 3
    assert shown.pixels != first and len(shown.pixels) == 62 * 62
    panel.set_problem(stripes(), corr2d(stripes(), EDGE))
    expect_consistent(panel, driver)


def test_following_an_editor():
    editor, (panel, driver) = KernelEditor(photo(32), kernel("Sobel x")), driven(steps=2)
    panel.follow(editor)
    assert panel.start.shape == (3, 3) and torch.equal(panel.X, editor.X)
    editor.kernel = EDGE
    editor.X = stripes()
    assert torch.equal(panel.Y, editor.output) and panel.start.shape == (1, 2)
    expect_consistent(panel, driver)
    editor.padding = 1
    assert "pads, strides or dilates" in driver.status and driver.kind == "error"
    assert PanelDriver(editor).kind == "note"
    editor.padding = 0
    assert driver.kind == "note"
    panel.unfollow()
    editor.kernel = 2 * EDGE
    assert panel.Y.max() == 1


def test_one_editor_is_followed_at_a_time_and_a_refusal_raises():
    one, two = KernelEditor(stripes(), EDGE), KernelEditor(stripes(), 3 * EDGE)
    panel = stepper(steps=2)
    panel.follow(one)
    panel.follow(two)
    one.kernel = 2 * EDGE
    assert panel.Y.max() == 3
    for other in (None, panel, KernelEditor(stripes(), EDGE, padding=1)):
        with pytest.raises(ConvkitError):
            panel.follow(other)


# What is shown, and stored


def test_records_handed_out_are_copies():
    panel = stepper()
    before = panel.summary()
    for tensor in (
        panel.X,
        panel.Y,
        panel.start,
        panel.kernel,
        *(s.kernel for s in panel.trajectory),
    ):
        tensor.zero_()
    panel.n = 1
    panel.n = 0
    assert panel.summary() == before


def test_random_edits_are_replayed_from_the_log():
    panel, driver = driven(steps=8)
    start, choose = panel.store.state, random.Random(3)
    rates = ["0.01", "0.03", "0.05", "x", "0", "1/36"]
    edits = [
        lambda: driver.choose("step", choose.randint(0, driver.find("step").max)),
        lambda: driver.choose("of", choose.randint(1, 12)),
        lambda: driver.type("learning rate", choose.choice(rates)),
        lambda: driver.type("start[0, 0]", choose.choice(["0.5", "1e30", "-1", "a", "2"])),
        lambda: driver.toggle("new rate for later steps only"),
        lambda: setattr(panel, "target", torch.randint(-2, 3, (1, 2)).float()),
        lambda: driver.press(choose.choice(["undo", "redo", "reset"])),
        lambda: setattr(panel, "Y", torch.randint(-2, 3, (6, 7)).float()),
    ]
    for _ in range(150):
        choose.choice(edits)()
    again = replay(panel.store.log, start, compute, view_fields=["n"])
    assert again.state == panel.store.state != start
    assert torch.equal(again.result.step.kernel, panel.kernel)
    driver.press("undo")


def test_a_step_after_a_divergence_is_refused_with_the_reason():
    panel = stepper(lr=0.5)
    last = len(panel.trajectory) - 1
    assert last < 25
    with pytest.raises(ConvkitError, match=f"a recorded step, 0 to {last}. It diverged there"):
        panel.n = last + 1
    with pytest.raises(ConvkitError, match="0 to 25. Record more steps"):
        stepper().n = 26


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_gradient_is_what_its_caption_says(reduction):
    panel, driver = driven(reduction=reduction)
    html = "".join(frames.html for frames in driver.parts(Frames))
    factor = re.search(r"gradient</span>.*?>([\d/]+) X <i[^>]*>⋆</i> R<", html)[1]
    step = panel.trajectory[0]
    residual = corr2d(panel.X, step.kernel) - panel.Y
    torch.testing.assert_close(step.grad, eval(factor) * corr2d(panel.X, residual))


def test_the_summary_is_true_and_the_same_twice():
    panels = [stepper(), stepper()]
    for panel in panels:
        panel.n = 5
    assert panels[0].summary() == panels[1].summary() == repr(panels[0])
    lines = panels[0].summary().splitlines()
    assert lines[0] == "DescentStepper: learning rate 0.03"
    assert lines[1] == f"step 5 of 25 recorded: loss {12 * 0.4096**5:.4g}"
    assert lines[-1].startswith("Converging: at 90% of the limit")


def test_it_is_stored_as_a_picture():
    panel = stepper()
    first, metadata = panel._repr_mimebundle_()
    assert first["text/plain"] == panel.summary() and "step 0 of 25" in metadata["image/png"]["alt"]
    with Image.open(io.BytesIO(b64decode(first["image/png"]))) as image:
        assert image.format == "PNG" and image.width > 800
    assert stepper()._repr_mimebundle_()[0]["image/png"] == first["image/png"]
    panel.n = 6
    assert panel._repr_mimebundle_()[0]["image/png"] != first["image/png"]
