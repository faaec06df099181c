"""The DescentStepper in a real JupyterLab: it steps, plays, scrubs, diverges and follows."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page_objects import (
    Notebook,
    box,
    button,
    number_box,
    open_section,
    opened,
    picture,
    run_code,
    said,
    slider,
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


def expect_step(panel: Locator, n: int) -> None:
    """Wait until step `n` is on show, in text, number and path."""
    expect(panel.locator(".ck-frames").get_by_text(f"step {n}", exact=True)).to_be_visible()
    expect(number_box(panel, "step")).to_have_value(str(n))
    points = re.compile(rf"^M[^L]*(L[^L]*){{{n}}}$")
    expect(panel.locator(".ck-plot .ck-walked").first).to_have_attribute("d", points)


def test_it_steps_forward_and_back_and_jumps(panel):
    expect_step(panel, 0)
    for n in (1, 2, 3):
        button(panel, "next step").click()
        expect_step(panel, n)
        expect(panel.locator(".ck-frames p")).to_have_text(f"step {n} loss {LOSSES[n]}")
    button(panel, "previous step").click()
    expect_step(panel, 2)
    expect(panel.get_by_text("K[0, 0]: 0.9104 - 0.03×14.28 = 0.4819")).to_be_visible()
    button(panel, "last step").click()
    expect_step(panel, 25)
    expect(panel.get_by_text("the last step recorded")).to_be_visible()
    button(panel, "first step").click()
    expect_step(panel, 0)


def test_it_shows_both_plots_and_all_tables(panel):
    captions = panel.locator(".ck-frames figcaption").all_inner_texts()
    names = ["kernel", "best kernel", "target", "prediction", "residual = prediction - target"]
    assert captions == names
    for image in panel.locator(".ck-plot img").all():
        assert image.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 400
    for name in ("loss surface", "loss curve"):
        expect(picture(panel, name)).to_be_visible()


def test_the_code_is_that_of_the_step_on_show(panel):
    open_section(panel, "torch code")
    button(panel, "next step").click()
    expect(panel.locator("pre.ck-code:visible")).to_contain_text("for lr in [0.03]")
    K = run_code(panel)["K"]
    assert K.tolist() == [[pytest.approx(-0.04), pytest.approx(-0.76)]]


def test_it_plays_and_pauses(panel):
    button(panel, "play step").click()
    expect(panel.locator(".ck-frames p")).to_contain_text("step 2")
    button(panel, "pause step").click()
    here = int(number_box(panel, "step").input_value())
    expect_step(panel, here)
    button(panel, "next step").click()
    expect_step(panel, here + 1)


def test_it_is_scrubbed_by_keys_by_pointer_and_by_number(panel, notebook):
    scrub = slider(panel, "step")
    scrub.press("ArrowRight")
    expect_step(panel, 1)
    scrub.press("End")
    expect_step(panel, 25)
    place = scrub.bounding_box()
    panel.page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(number_box(panel, "step")).not_to_have_value("25")
    expect_step(panel, int(number_box(panel, "step").input_value()))
    number_box(panel, "step").fill("12")
    expect_step(panel, 12)
    assert notebook.ask("panel.n").endswith("12")


def test_it_is_scrubbed_while_the_kernel_is_busy(panel, notebook):
    go_on = Path(notebook.lab.root, "go_on")
    go_on.unlink(missing_ok=True)
    notebook.start(
        "from pathlib import Path\nwhile not Path('go_on').exists():\n    time.sleep(0.05)"
    )
    for n in (1, 2, 3):
        slider(panel, "step").press("ArrowRight")
        expect_step(panel, n)
    prompt = cell(notebook.page, 3).locator(".jp-InputPrompt")
    expect(prompt).to_have_text("[*]:")
    go_on.touch()
    expect(prompt).not_to_have_text("[*]:")
    # What was scrubbed meanwhile reaches Python one message after the other.
    open_section(panel, "torch code")
    expect(panel.locator("pre.ck-code:visible")).to_contain_text("for lr in [0.03] * 3")
    assert notebook.ask("panel.n").endswith("3")


def test_a_learning_rate_is_typed_and_dragged(panel):
    type_in(box(panel, "learning rate"), "1/36")
    expect(said(panel)).to_contain_text("learning rate 0.02778 is 83.3% of the limit 0.03333")
    slider(panel, "share of the limit").press("ArrowLeft")
    expect(box(panel, "learning rate")).not_to_have_value("1/36")
    assert float(box(panel, "learning rate").input_value()) < 1 / 36


def test_divergence_is_named_with_a_rate_that_works(panel):
    type_in(box(panel, "learning rate"), "0.05")
    alert = said(panel, "alert")
    expect(alert).to_contain_text("Diverging, because learning rate 0.05 is 150% of the limit")
    expect(alert).to_contain_text("below 0.03333")
    button(panel, "last step").click()
    last = int(number_box(panel, "step").get_attribute("max"))
    assert 1 <= last < 25  # it stopped before the numbers overflowed
    button(panel, "reset").click()
    expect(said(panel)).to_contain_text("Converging")
    expect(box(panel, "learning rate")).to_have_value("0.03")
    expect_step(panel, 0)
    button(panel, "undo").click()
    expect(box(panel, "learning rate")).to_have_value("0.05")


@pytest.mark.parametrize("text", ["0", "", "1e400", "fast"])
def test_a_bad_learning_rate_is_answered_in_words(panel, notebook, text):
    type_in(box(panel, "learning rate"), text)
    expect(said(panel, "alert")).to_contain_text("learning rate")
    type_in(box(panel, "learning rate"), "0.02")
    expect(said(panel)).to_contain_text("Converging")
    assert notebook.ask("panel.lr").endswith("0.02")


def test_the_start_and_the_number_of_steps_are_edited(panel):
    type_in(box(panel, "start[0, 0]"), "2")
    expect(panel.locator(".ck-frames .ck-K td").first).to_have_text("2")
    type_in(box(panel, "start[0, 1]"), "nan")
    expect(said(panel, "alert")).to_contain_text("start[0, 1] is 'nan'")
    number_box(panel, "of").fill("7")
    number_box(panel, "of").press("Tab")
    button(panel, "last step").click()
    expect_step(panel, 7)


def test_a_click_on_the_surface_starts_there_and_one_on_the_curve_goes_to_that_step(panel):
    surface, curve = (picture(panel, f"loss {name}") for name in ("surface", "curve"))
    place = surface.bounding_box()
    panel.page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(box(panel, "start[0, 0]")).not_to_have_value("0.5")
    button(panel, "undo").click()
    expect(box(panel, "start[0, 0]")).to_have_value("0.5")
    place = curve.bounding_box()
    panel.page.mouse.click(place["x"] + 0.55 * place["width"], place["y"] + place["height"] / 2)
    expect(number_box(panel, "step")).not_to_have_value("0")
    expect_step(panel, int(number_box(panel, "step").input_value()))


def test_it_follows_an_editor(notebook):
    notebook.show(
        "from IPython.display import display\n"
        "editor = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))\n"
        "panel = DescentStepper(editor.X, editor.output, torch.zeros(1, 2), lr=1 / 36)\n"
        "panel.follow(editor)\n"
        "display(editor, panel)"
    )
    editor, panel = (notebook.page.locator(".ck-panel").nth(n) for n in (0, 1))
    best = panel.locator(".ck-frames figure", has_text="best kernel").locator("td")
    expect(best.first).to_have_text("1")
    type_in(box(editor, "K[0, 0]"), "3")
    expect(best.first).to_have_text("3")
    editor.get_by_label("columns").select_option("3")
    expect(box(panel, "start[0, 2]")).to_be_visible()
    type_in(box(editor, "stride"), "2")
    expect(said(panel, "alert")).to_contain_text("the kernel editor pads, strides or dilates")
    type_in(box(editor, "stride"), "1")
    expect(said(panel, "alert")).to_have_count(0)


def test_a_large_problem_shows_pictures(notebook):
    panel = notebook.show(
        "X = photo(64)\n"
        "panel = DescentStepper(X, corr2d(X, kernel('Sobel x')), torch.zeros(3, 3), lr=1e-4)\npanel"
    )
    for name in ("target", "prediction", "residual"):
        expect(picture(panel, f"{name}, 62 × 62")).to_be_visible()


def test_one_stepper_shown_twice_and_another_beside_it(notebook):
    notebook.show(
        f"{STEPPER}\nother = DescentStepper(X, Y, torch.zeros(1, 2))\n"
        "from IPython.display import display\ndisplay(panel, panel, other)"
    )
    panels = notebook.page.locator(".ck-panel")
    expect(panels).to_have_count(3)
    button(panels.nth(0), "next step").click()
    for n, step in enumerate((1, 1, 0)):
        expect_step(panels.nth(n), step)
