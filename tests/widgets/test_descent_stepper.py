"""DescentStepper, driven through its controls as a learner drives it."""

import io
import re
from base64 import b64decode

import pytest
import torch
import traitlets
from PIL import Image

from convkit import ConvkitError, corr2d, diagonal, photo, stripes
from convkit.kernels import kernel
from convkit.widgets import DescentStepper, KernelEditor

EDGE = torch.tensor([[1.0, -1.0]])


def stepper(X=None, K=EDGE, start=None, **options):
    X = stripes() if X is None else X
    return DescentStepper(
        X, corr2d(X, K), torch.zeros_like(K) if start is None else start, **options
    )


def press(panel, name):
    buttons = (b for line in panel._controls.lines for b in line.children)
    next(b for b in buttons if getattr(b, "tooltip", "") == name).click()


def state(panel):
    return panel.summary(), panel.code, panel.descent, panel.Y, panel._frames.value


def same(before, after):
    return before[:2] == after[:2] and before[2] is after[2] and before[4] == after[4]


def consistent(panel):
    """Every control, the frames, the code and the traits tell of one state."""
    controls, descent = panel._controls, panel.descent
    last = len(descent.trajectory) - 1
    assert (controls.scrub.value, controls.scrub.max) == (descent.n, last)
    assert float(controls.rate.value) == pytest.approx(descent.lr, rel=1e-3)
    assert torch.equal(controls.start.value, panel.start)
    texts = [float(b.value) for b in controls.start._grid.children]
    assert texts == pytest.approx(panel.start.flatten().tolist(), rel=1e-3)
    assert torch.equal(panel.kernel, descent.kernel) and torch.equal(panel.Y, descent.Y)
    assert re.findall("<p><b>step (\\d+)</b>", panel._frames.value) == [
        str(n) for n in range(last + 1)
    ]
    for part in (panel._frames, panel._code):
        assert re.findall('class="ck-step s(\\d+)"', part.value) == [
            str(n) for n in range(last + 1)
        ]
    world = {"print": lambda *_: None}
    exec(panel.code, world)
    assert torch.equal(world["K"].detach(), panel.kernel)


# Each control


def test_buttons_walk_the_recorded_steps():
    panel = stepper(steps=5)
    for name, n in (
        ("one step back", 0),
        ("one step on", 1),
        ("one step on", 2),
        ("one step back", 1),
        ("last step", 5),
        ("one step on", 5),
        ("start", 0),
    ):
        press(panel, name)
        assert panel.n == n
        consistent(panel)


def test_scrubbing_to_and_fro_gives_the_same_bits():
    panel = stepper()
    seen = {}
    for n in (0, 7, 25, 7, 3, 25, 0):
        panel._controls.scrub.value = n
        kernel = seen.setdefault(n, panel.kernel)
        assert torch.equal(panel.kernel, kernel) and panel.n == n
        assert panel.kernel[0, 0].item() == pytest.approx(1 - 0.64**n, abs=1e-4)


def test_player_and_box_follow_the_slider_in_the_browser():
    controls = stepper()._controls
    sources = {link.source[0] for link in controls._links}
    targets = {link.target[0] for link in controls._links}
    assert sources == {controls.scrub} and targets == {controls._play, controls._step}


def test_the_number_of_steps():
    panel = stepper()
    panel.n = 20
    for count in (40, 10, 1, 100):
        panel._controls.count.value = count
        assert panel._controls.scrub.max == count and panel.n <= min(20, count)
        consistent(panel)


@pytest.mark.parametrize("text", ["0.01", "1e-3", "1/36", "0.2"])
def test_typing_a_learning_rate(text):
    panel = stepper(start=torch.tensor([[0.5, 0.2]]))
    panel._controls.rate.value = text
    assert panel.lr == pytest.approx(eval(text)) and panel._controls.rate.value == text
    share = f"{100 * panel.lr * 30:.3g}% of the limit 0.03333"
    assert share in panel._controls._share.value
    first, second = panel.descent.trajectory[:2]
    torch.testing.assert_close(second.kernel, first.kernel - panel.lr * first.grad)


def test_more_steps_keep_the_learning_rates_of_those_before():
    panel = stepper(steps=6)
    panel.n = 4
    panel._controls.only_ahead.value = True
    panel._controls.rate.value = "0.001"
    for count in (8, 5, 9):
        panel._controls.count.value = count
        assert [s.lr for s in panel.descent.trajectory[1:]] == [0.03] * 4 + [0.001] * (count - 4)
        assert panel.n == 4
        consistent(panel)


@pytest.mark.parametrize("text", ["1e-320", "1e-45"])
def test_the_least_of_learning_rates(text):
    panel = stepper(stripes() / 100)
    panel._controls.rate.value = text
    assert panel.lr == float(text) and panel._controls.rate_slider.value == 0


def test_the_slider_of_the_learning_rate():
    panel = stepper()
    panel._controls.rate_slider.value = 50  # a tenth of the limit
    assert panel.lr == 0.00333 and panel._controls.rate.value == "0.00333"
    assert panel._controls.rate_slider.value == 50
    consistent(panel)


def test_only_the_steps_ahead():
    panel = stepper()
    panel.n = 4
    before = panel.kernel
    panel._controls.only_ahead.value = True
    panel._controls.rate.value = "0.001"
    assert torch.equal(panel.kernel, before) and panel.n == 4
    assert [s.lr for s in panel.descent.trajectory[1:]] == [0.03] * 4 + [0.001] * 21
    panel.n = 9
    consistent(panel)


def test_editing_the_start():
    panel = stepper()
    panel.n = 3
    panel._controls.start._boxes[0, 1].value = "0.75"
    assert panel.start.tolist() == [[0, 0.75]] and panel.n == 3
    consistent(panel)


def test_reset():
    panel = stepper(start=torch.tensor([[0.5, 0.2]]))
    first = panel.summary()
    panel.lr, panel.n = 0.01, 9
    panel.start = torch.ones(1, 2)
    panel._controls.reset.click()
    assert panel.summary() == first
    consistent(panel)


# Bad input: words, the last good state, and the next good edit works


@pytest.mark.parametrize("text", ["", "0", "-0.1", "nan", "inf", "1e400", "1e39", "fast", "<b>"])
def test_an_impossible_learning_rate(text):
    panel = stepper()
    panel.n = 3
    before = state(panel)
    panel._controls.rate.value = text
    assert 'role="alert"' in panel.status and "wanted a" in panel.status
    assert "<b>" not in panel.status and same(before, state(panel))
    assert panel._controls.rate.value == text  # "0" may become "0.05"
    press(panel, "one step on")
    assert panel.n == 4
    panel._controls.start._boxes[0, 0].value = "1"
    consistent(panel)
    panel._controls.rate.value = "0.02"
    assert panel.lr == 0.02 and 'role="status"' in panel.status
    consistent(panel)


@pytest.mark.parametrize("text", ["0.05", "1", "1e6", "1e30"])
def test_a_divergence_is_named_with_the_rate_that_works(text):
    panel = stepper(start=torch.tensor([[0.5, 0.2]]), steps=100)
    panel._controls.rate.value = text
    assert "Diverging, since learning rate" in panel.status and 'role="alert"' in panel.status
    assert "a learning rate below 0.03333" in panel.status
    assert panel._controls.scrub.max < 100
    panel._controls.rate.value = "0.033"
    assert "Converging" in panel.status and panel._controls.scrub.max == 100
    consistent(panel)


@pytest.mark.parametrize("text", ["", "nan", "1e400", "one"])
def test_bad_text_in_a_weight_of_the_start(text):
    panel = stepper()
    before = state(panel)
    panel._controls.start._boxes[0, 1].value = text
    assert "start row 1 column 2 is" in panel.status and "it keeps 0." in panel.status
    assert same(before, state(panel))
    panel._controls.rate.value = "0.02"
    consistent(panel)


def test_a_start_of_infinite_loss():
    panel = stepper()
    before = state(panel)
    panel._controls.start._boxes[0, 1].value = "1e30"
    assert "the loss at the start is inf" in panel.status and same(before, state(panel))
    consistent(panel)


WRONG = [
    ("n", 26),
    ("n", -1),
    ("n", "a"),
    ("lr", 0),
    ("lr", float("nan")),
    ("lr", "fast"),
    ("lr", None),
    ("start", torch.zeros(2, 2)),
    ("start", torch.zeros(1, 2).int()),
    ("start", torch.full((1, 2), torch.inf)),
    ("start", None),
    ("Y", torch.zeros(7, 8)),
    ("Y", torch.full((6, 7), torch.nan)),
    ("Y", torch.full((6, 7), 1e38)),
    ("Y", None),
    ("Y", 3),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_raises_and_leaves_all_as_it_was(name, value):
    panel = stepper()
    panel.n = 3
    before, said = state(panel), panel.status
    with pytest.raises(ConvkitError):
        setattr(panel, name, value)
    assert same(before, state(panel)) and panel.status == said
    consistent(panel)


@pytest.mark.parametrize(
    "options",
    [{"steps": 0}, {"steps": 101}, {"steps": 2.5}, {"lr": 0}, {"reduction": "max"},
     {"X": torch.full((6, 8), torch.nan)}, {"start": torch.zeros(3, 3)}],
)  # fmt: skip
def test_what_cannot_be_made_raises(options):
    with pytest.raises(ConvkitError):
        stepper(**options)


# In code


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (2, 2), (3, 3), (1, 7), (7, 7)])
def test_kernels_of_any_size(size):
    panel = stepper(diagonal(9), torch.ones(size), lr=0.01, steps=4)
    panel.n = 2
    consistent(panel)


def test_inputs_that_teach_nothing():
    panel = DescentStepper(torch.zeros(6, 8), torch.ones(6, 7), torch.zeros(1, 2))
    assert "Nothing to learn" in panel.status and "no limit" in panel._controls._share.value
    assert "already" in stepper(start=EDGE).status


def test_a_target_with_a_gradient_is_taken():
    Y = corr2d(stripes(), EDGE.clone().requires_grad_())
    panel = DescentStepper(stripes(), Y, torch.zeros(1, 2))
    assert not panel.Y.requires_grad
    consistent(panel)


def test_another_target_size_begins_anew():
    panel = stepper()
    panel.n = 2
    panel.Y = corr2d(stripes(), torch.ones(2, 2))
    assert panel.start.tolist() == [[0, 0], [0, 0]]
    consistent(panel)
    panel._controls.start._boxes[1, 1].value = "0.5"
    consistent(panel)


def test_traits_notify_once():
    panel, seen = stepper(), []
    panel.observe(lambda change: seen.append(change["name"]), ["Y", "kernel"])
    for act, wanted in (
        (lambda: setattr(panel, "n", 3), ["kernel"]),
        (lambda: setattr(panel._controls.rate, "value", "0.01"), ["kernel"]),
        (lambda: setattr(panel, "Y", 2 * panel.Y), ["Y", "kernel"]),
    ):
        seen.clear()
        act()
        assert sorted(seen) == wanted


def test_a_linked_target():
    editor = KernelEditor(stripes(), EDGE)
    panel = stepper()
    traitlets.dlink((editor, "output"), (panel, "Y"))
    editor._controls.grid._boxes[0, 0].value = "3"
    assert torch.equal(panel.Y, corr2d(stripes(), torch.tensor([[3.0, -1.0]])))
    consistent(panel)


def test_following_an_editor():
    editor, panel = KernelEditor(photo(128), kernel("Sobel x")), stepper(steps=2)
    panel.follow(editor)
    assert panel.start.shape == (3, 3) and torch.equal(panel.X, editor.X)
    editor._controls.picture.value = "diagonal 8 × 8"
    editor.padding = (0, 0)
    editor._controls.preset.value = "book's [1, -1]"
    assert torch.equal(panel.Y, editor.output) and panel.start.shape == (1, 2)
    consistent(panel)
    before = state(panel)
    editor._controls.numbers["padding"].value = "1"
    assert "pads, strides or dilates" in panel.status and same(before, state(panel))
    assert editor.padding == 1 and 'role="status"' in editor.status
    editor._controls.numbers["padding"].value = "0"
    assert 'role="status"' in panel.status
    consistent(panel)


def test_following_twice_learns_once(monkeypatch):
    editor, panel, posed = KernelEditor(stripes(), EDGE), stepper(steps=2), []
    for _ in range(3):
        panel.follow(editor)
    pose = panel._training.pose
    monkeypatch.setattr(panel._training, "pose", lambda *a: (posed.append(a), pose(*a)))
    editor.kernel = 2 * EDGE
    assert len(posed) == 1 and torch.equal(panel.Y, editor.output)


def test_an_input_that_leaves_the_output_as_it_was_is_followed():
    editor, panel = KernelEditor(torch.ones(1, 2), torch.tensor([[0.0, 1.0]])), stepper(steps=2)
    panel.follow(editor)
    editor.X = torch.tensor([[7.0, 1.0]])
    assert torch.equal(editor.output, torch.ones(1, 1)) and torch.equal(panel.X, editor.X)


@pytest.mark.parametrize("name", ["X", "Y", "kernel", "start"])
def test_what_is_read_can_be_changed_in_place_and_the_panel_stays(name):
    panel = stepper(start=torch.tensor([[0.5, 0.2]]))
    before = state(panel)
    getattr(panel, name).zero_()
    panel.n = 1
    panel.n = 0
    assert same(before, state(panel))
    consistent(panel)


def test_following_into_another_dtype_can_be_reset():
    editor, panel = KernelEditor(stripes().double(), EDGE), stepper()
    panel.follow(editor)
    panel._controls.reset.click()
    assert panel.start.dtype == torch.float64 and 'role="status"' in panel.status
    consistent(panel)


def test_two_panels_do_not_disturb_each_other():
    one, two = stepper(), stepper()
    before = state(two)
    one.n, one.lr = 7, 0.001
    one.start = torch.ones(1, 2)
    assert same(before, state(two))
    consistent(two)


# What is left of it where nothing runs


def test_the_summary_is_true_and_the_same_twice():
    panels = [stepper(), stepper()]
    for panel in panels:
        panel.n = 5
    assert panels[0].summary() == panels[1].summary() == repr(panels[0])
    lines = panels[0].summary().splitlines()
    assert lines[0] == "DescentStepper: learning rate 0.03"
    assert lines[1] == f"step 5 of 25 recorded: loss {12 * 0.4096**5:.4g}"
    assert lines[-1].startswith("Converging, since learning rate 0.03 is 90% of the limit 0.03333")


def test_it_is_stored_as_a_picture():
    panel = stepper()
    first, metadata = panel._repr_mimebundle_()
    assert set(first) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert first["text/plain"] == panel.summary() and "step 0 of 25" in metadata["image/png"]["alt"]
    with Image.open(io.BytesIO(b64decode(first["image/png"]))) as image:
        assert image.format == "PNG" and image.width > 800
    assert stepper()._repr_mimebundle_()[0]["image/png"] == first["image/png"]
    panel.n = 6
    assert panel._repr_mimebundle_()[0]["image/png"] != first["image/png"]


def test_a_fault_of_ours_is_said_in_words_and_logged(caplog, monkeypatch):
    panel = stepper()
    before = state(panel)

    def broken(*_, **__):
        raise RuntimeError("<b>broken</b>")

    with monkeypatch.context() as patch:
        patch.setattr(panel._training, "change_lr", broken)
        panel._controls.rate.value = "0.01"
    assert "RuntimeError: &lt;b&gt;broken" in panel.status
    assert same(before, state(panel)) and panel._controls.rate.value == "0.03"
    assert [r.levelname for r in caplog.records if r.name == "convkit"] == ["ERROR"]
    caplog.clear()
    panel._controls.rate.value = "0.01"
    consistent(panel)
