"""The DescentStepper in a real JupyterLab: it walks, plays, scrubs, diverges and follows."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page_objects import (
    Notebook,
    box,
    button,
    number_box,
    open_drawer,
    opened,
    run_code,
    said,
    type_in,
)
from tools.lab import cell

STEPPER = """\
X = stripes()
Y = corr2d(X, torch.tensor([[1.0, -1.0]]))
panel = DescentStepper(X, Y, torch.tensor([[0.5, 0.5]]), lr=0.03, steps=25)
panel"""
# D2L's stripes from (0.5, 0.5) at 0.03: the loss after each step, by the closed form.
LOSSES = {0: "27", 1: "14.52", 2: "8.157", 3: "4.757"}


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "descent_stepper") as notebook:
        yield notebook


@pytest.fixture
def panel(notebook: Notebook) -> Locator:
    """Give a new stepper at step 0."""
    return notebook.show(STEPPER)


def scrub(panel: Locator) -> Locator:
    return panel.get_by_role("slider").first


def expect_step(panel: Locator, n: int) -> None:
    """Wait until frame `n`, and no other, is on show."""
    frames = panel.locator(".ck-chart .ck-step:visible")
    expect(frames).to_have_count(1)
    expect(frames.locator("p b")).to_have_text(f"step {n}")
    expect(number_box(panel, "step")).to_have_value(str(n))


def test_it_steps_on_and_back_and_jumps(panel):
    expect_step(panel, 0)
    for n in (1, 2, 3):
        button(panel, "one step on").click()
        expect_step(panel, n)
        expect(panel.get_by_text(f"step {n} loss {LOSSES[n]}", exact=True)).to_be_visible()
    button(panel, "one step back").click()
    expect_step(panel, 2)
    button(panel, "last step").click()
    expect_step(panel, 25)
    expect(panel.get_by_text("the last step recorded")).to_be_visible()
    button(panel, "start").click()
    expect_step(panel, 0)


def test_it_shows_path_kernel_residual_and_update(panel):
    button(panel, "one step on").click()
    frame = panel.locator(".ck-chart .ck-step:visible")
    expect(frame.get_by_text("K[0, 0]: -0.04 - 0.03×(-31.68) = 0.9104")).to_be_visible()
    path = frame.locator("svg polyline").first.get_attribute("points").split()
    assert len(path) == 2
    captions = frame.locator("figcaption").all_inner_texts()
    assert captions == [
        "kernel", "best kernel", "target", "prediction", "residual = prediction - target"
    ]  # fmt: skip
    for picture in panel.locator(".ck-chart img").all():
        assert picture.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 400


def test_the_code_is_that_of_the_step_on_show(panel, notebook):
    open_drawer(panel, "torch code")
    button(panel, "one step on").click()
    expect(panel.locator("pre.ck-code:visible")).to_contain_text("for lr in [0.03]")
    K = run_code(panel)["K"]
    assert K.tolist() == [[pytest.approx(-0.04), pytest.approx(-0.76)]]


def test_it_plays_and_pauses(panel):
    play = panel.locator(".widget-play button").first
    play.click()
    expect(panel.get_by_text("step 2 loss")).to_be_visible()
    play.click()
    here = int(number_box(panel, "step").input_value())
    expect_step(panel, here)
    button(panel, "one step on").click()
    expect_step(panel, here + 1)


def test_it_is_scrubbed_by_keys_by_mouse_and_by_number(panel, notebook):
    scrub(panel).press("ArrowRight")
    expect_step(panel, 1)
    scrub(panel).press("End")
    expect_step(panel, 25)
    handle, mouse = scrub(panel).bounding_box(), panel.page.mouse
    mouse.move(handle["x"] + 8, handle["y"] + 8)
    mouse.down()
    mouse.move(handle["x"] - 80, handle["y"] + 8, steps=5)
    mouse.up()
    expect(number_box(panel, "step")).not_to_have_value("25")
    expect_step(panel, int(number_box(panel, "step").input_value()))
    number_box(panel, "step").fill("12")
    number_box(panel, "step").press("Tab")
    expect_step(panel, 12)
    assert notebook.ask("panel.n").endswith("12")


def test_it_is_scrubbed_while_the_kernel_is_busy(panel, notebook):
    go_on = Path(notebook.lab.root, "go_on")
    notebook.start(
        "from pathlib import Path\nwhile not Path('go_on').exists():\n    time.sleep(0.05)"
    )
    for n in (1, 2, 3):
        scrub(panel).press("ArrowRight")
        expect_step(panel, n)
    number_box(panel, "step").fill("20")
    number_box(panel, "step").press("Tab")
    expect_step(panel, 20)
    prompt = cell(notebook.page, 3).locator(".jp-InputPrompt")
    expect(prompt).to_have_text("[*]:")
    go_on.touch()
    expect(prompt).not_to_have_text("[*]:")
    assert notebook.ask("panel.n").endswith("20")


def test_a_learning_rate_is_typed(panel):
    before = panel.locator(".ck-chart img").nth(1).get_attribute("src")
    type_in(box(panel, "learning rate"), "1/36")
    expect(said(panel)).to_contain_text("learning rate 0.02778 is 83.3% of the limit 0.03333")
    expect(panel.locator(".ck-chart img").nth(1)).not_to_have_attribute("src", before)
    expect(panel.get_by_text("83.3% of the limit 0.03333", exact=True)).to_be_visible()


def test_a_learning_rate_is_dragged(panel):
    slider = panel.get_by_role("slider").nth(1)
    slider.press("ArrowLeft")
    expect(box(panel, "learning rate")).not_to_have_value("0.03")
    assert float(box(panel, "learning rate").input_value()) < 0.03
    expect(said(panel)).to_contain_text("Converging")


def test_divergence_is_named_with_a_rate_that_works(panel):
    type_in(box(panel, "learning rate"), "0.05")
    alert = said(panel, "alert")
    expect(alert).to_contain_text("Diverging, since learning rate 0.05 is 150% of the limit")
    expect(alert).to_contain_text("Any learning rate below 0.03333 would have worked")
    button(panel, "last step").click()
    last = int(number_box(panel, "step").get_attribute("max"))
    assert 1 <= last < 25  # it stopped before the numbers overflowed
    expect_step(panel, last)
    button(panel, "reset").click()
    expect(said(panel)).to_contain_text("Converging")
    expect(box(panel, "learning rate")).to_have_value("0.03")
    expect_step(panel, 0)


@pytest.mark.parametrize("text", ["0", "-1", "", "nan", "1e400", "1e30", "fast"])
def test_a_bad_learning_rate_is_answered_in_words(panel, notebook, text):
    type_in(box(panel, "learning rate"), text)
    expect(said(panel, "alert")).to_contain_text(re.compile("learning rate|lr is"))
    expect(panel.locator(".ck-chart .ck-step:visible")).to_have_count(1)
    type_in(box(panel, "learning rate"), "0.02")
    expect(said(panel)).to_contain_text("Converging")
    assert notebook.ask("panel.lr").endswith("0.02")


def test_only_the_steps_ahead_change(panel, notebook):
    scrub(panel).press("ArrowRight")
    expect_step(panel, 1)
    panel.get_by_label("change only the steps ahead").check()
    type_in(box(panel, "learning rate"), "0.01")
    expect(said(panel)).to_contain_text("learning rate 0.01")
    assert notebook.ask("[s.lr for s in panel.descent.trajectory[1:4]]").endswith(
        "[0.03, 0.01, 0.01]"
    )


def test_the_start_is_edited_and_so_is_the_number_of_steps(panel):
    type_in(box(panel, "start row 1 column 1"), "2")
    expect(panel.locator(".ck-chart .ck-step:visible .ck-K td").first).to_have_text("2")
    type_in(box(panel, "start row 1 column 2"), "nan")
    expect(said(panel, "alert")).to_contain_text("start row 1 column 2 is 'nan'")
    number_box(panel, "of").fill("7")
    number_box(panel, "of").press("Tab")
    button(panel, "last step").click()
    expect_step(panel, 7)


def test_it_follows_an_editor(notebook):
    notebook.show(
        "from IPython.display import display\n"
        "editor = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))\n"
        "panel = DescentStepper(editor.X, editor.output, torch.zeros(1, 2), lr=1 / 36)\n"
        "panel.follow(editor)\n"
        "display(editor, panel)"
    )
    editor, panel = (notebook.page.locator(".ck-panel").nth(n) for n in (0, 1))
    best = panel.locator(".ck-chart .ck-step:visible figure", has_text="best kernel").locator("td")
    expect(best.first).to_have_text("1")
    type_in(box(editor, "kernel row 1 column 1"), "3")
    expect(best.first).to_have_text("3")
    editor.get_by_label("columns").select_option("3")
    expect(best).to_have_count(3)
    expect(box(panel, "start row 1 column 3")).to_be_visible()
    type_in(box(editor, "stride"), "2")
    expect(said(panel, "alert")).to_contain_text("the kernel editor pads, strides or dilates")
    expect(best).to_have_count(3)
    type_in(box(editor, "stride"), "1")
    expect(said(panel, "alert")).to_have_count(0)
    editor.get_by_label("picture").select_option("ramp 6 × 9")
    targets = panel.locator(".ck-step:visible .ck-T", has_text="target")
    expect(targets.locator("tr")).to_have_count(6)
    assert notebook.ask("panel.X.shape").endswith("torch.Size([6, 9])")


def test_one_stepper_shown_twice_and_another_beside_it(notebook):
    notebook.show(f"{STEPPER}\nother = DescentStepper(X, Y, torch.zeros(1, 2))\n"
                  "from IPython.display import display\ndisplay(panel, panel, other)")  # fmt: skip
    panels = notebook.page.locator(".ck-panel")
    expect(panels).to_have_count(3)
    button(panels.nth(0), "one step on").click()
    for n, step in enumerate((1, 1, 0)):
        expect_step(panels.nth(n), step)
