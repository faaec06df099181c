"""The training microscope in a real JupyterLab: in time without the kernel, by pointer and keys."""

import re

import pytest
import torch
from playwright.sync_api import expect

from convkit.networks import begin, digits, enlarged, lenet, training
from tests.browser.page_objects import (
    Notebook,
    box,
    button,
    opened,
    picture,
    pixels,
    said,
    slider,
    table,
    type_in,
)
from tests.browser.test_accessibility import tab_to, violations
from tests.browser.test_look import CONTRASTS, OVERFLOWS, UPRIGHT
from tools.lab import DARK, LIGHT, cell

SOURCE = "shown = TrainingMicroscope(steps=44)\nshown"


@pytest.fixture(scope="module")
def run():
    """Give the snapshots that the panel has."""
    start = begin(lenet(modern=True))
    return [start, *training(start, 2e-3, 44, every=11)]


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with opened(chromium, lab, "training_microscope") as notebook:
        yield notebook


@pytest.fixture(scope="module")
def panel(notebook):
    return notebook.show(SOURCE).locator(".ck-view")


@torch.no_grad()
def first_maps(snapshot, X):
    return snapshot.net[:2](enlarged(X[None]))[0]


def test_it_goes_through_the_training_while_the_kernel_is_busy(panel, notebook, run):
    notebook.start("time.sleep(6)")
    slider(panel, "snapshot").fill("4")
    expect(panel.get_by_text("Step 44: loss")).to_be_visible()
    last = pixels(picture(panel, "conv1 map 0"))
    slider(panel, "snapshot").press("Home")
    expect(panel.get_by_text("Step 0: loss")).to_be_visible()
    first = pixels(picture(panel, "conv1 map 0"))
    expect(cell(notebook.page, 3).locator(".jp-InputPrompt")).to_have_text("[*]:")  # still
    X = digits().test_small[0]
    maps = [first_maps(run[n], X)[0] for n in (0, 4)]
    every = torch.stack([first_maps(snapshot, X) for snapshot in run])
    for shown, expected in zip((first, last), maps, strict=True):
        error = (shown[:, :, 0].float() - 255 * expected / every.max()).abs().max()
        assert error < 2


def test_a_cell_of_a_map_shows_what_it_sees_and_its_sum(panel, notebook):
    canvas = picture(panel, "conv2 map 5")
    canvas.scroll_into_view_if_needed()
    size = canvas.bounding_box()
    corner = {"x": size["width"] * 0.95, "y": size["height"] * 0.05}
    canvas.hover(position=corner)
    expect(panel.get_by_text("conv2, map 5, cell [0, 9]: 150 products")).to_be_visible()
    notebook.page.mouse.move(0, 0)
    expect(panel.get_by_text("conv2, map 0, cell [4, 4]: 150 products")).to_be_visible()
    canvas.click(position=corner)
    canvas.press("ArrowDown")
    expect(panel.get_by_text("conv2, map 5, cell [1, 9]: 150 products")).to_be_visible()
    expect(panel.get_by_role("combobox", name="sums of conv2 map")).to_have_value("5")
    field = panel.locator("[data-key='network input'] [data-cursor=conv-two]").bounding_box()
    whole = picture(panel, "network input").bounding_box()
    assert field["width"] / whole["width"] == pytest.approx(14 / 28, abs=0.06)
    # Row i reads from row i of 14 on, those from 2 i of 28, and these begin 2 pixels before.
    assert (field["y"] - whole["y"]) / whole["height"] == pytest.approx(0, abs=0.03)
    assert (field["x"] - whole["x"]) / whole["width"] == pytest.approx(16 / 28, abs=0.03)
    assert notebook.ask("print(shown.conv2_at, shown.conv2_map)").strip() == "(1, 9) 5"


def test_a_drawn_stroke_changes_maps_and_probabilities(panel, notebook, run):
    slider(panel, "snapshot").fill("4")
    before = panel.get_by_role("img", name="most likely").get_attribute("aria-label")
    cells = table(panel, "drawing").locator("td")
    cells.nth(8 * 7).scroll_into_view_if_needed()
    cells.nth(0).hover()
    notebook.page.mouse.down()
    cells.nth(7).hover()
    notebook.page.mouse.up()
    expect(panel.get_by_text("drawn by you")).to_be_visible()
    X = digits().test_small[0].clone()
    X[0] = 1
    with torch.no_grad():
        probability, best = run[4].net(enlarged(X[None])).softmax(1).max(1)
    words = f"most likely {best.item()}, probability {probability.item():.2f}"
    assert words != before
    expect(panel.get_by_role("img", name=words)).to_be_visible()


def test_a_weight_and_a_map_are_changed_by_keys_alone(panel, notebook):
    press = notebook.page.keyboard.press
    panel.get_by_role("combobox", name="sums of conv1 map").focus()
    press("ArrowDown")
    expect(panel.get_by_text("kernel 1: change it")).to_be_visible()
    tab_to(panel.get_by_role("checkbox", name="conv1 map 1 on"))
    press("Space")
    expect(said(panel)).to_contain_text("Changed by you")
    expect(panel.get_by_text("conv1, map 1 is switched off.")).to_be_visible()
    button(panel, "as trained").press("Enter")
    expect(said(panel)).not_to_contain_text("Changed by you")
    type_in(box(panel, "K[2, 2]"), "-3")
    expect(said(panel)).to_contain_text("Changed by you")
    assert notebook.ask("print(dict(shown.kernels)[1][2, 2])").strip() == "tensor(-3.)"
    button(panel, "as trained").press("Enter")


def test_a_fork_is_trained_and_both_curves_are_shown(panel):
    slider(panel, "snapshot").fill("2")
    type_in(box(panel, "rate"), "0.05")
    button(panel, "fork here").press("Enter")
    expect(said(panel)).to_contain_text("snapshots of the fork")
    expect(panel.locator("[data-key='loss axes'] .ck-other")).to_have_count(2)
    expect(panel.get_by_text("fork: rate 0.05")).to_be_visible()


SLOW = """\
from torch.optim.optimizer import register_optimizer_step_post_hook
slow = register_optimizer_step_post_hook(lambda *_: time.sleep(0.05))"""


def test_a_training_is_watched_and_stopped(notebook):
    panel = notebook.show("shown = TrainingMicroscope()\nshown").locator(".ck-view")
    notebook.ask(SLOW)  # so that there is time to stop it
    type_in(box(panel, "rate"), "0.004")
    button(panel, "train from the start").press("Enter")
    expect(said(panel)).to_contain_text(re.compile(r"training: \d+%, \d+ s left"))
    expect(panel.get_by_text(re.compile("^Step [1-9]"))).to_be_visible()  # it follows
    expect(said(panel)).to_contain_text("training")  # still
    button(panel, "stop").click()
    expect(said(panel)).to_contain_text(re.compile(r"stopped at \d+ of 440"))
    notebook.ask("slow.remove()")
    expect(button(panel, "train on")).to_be_visible()
    count = notebook.ask("print(len(shown.snapshots), shown.lr)").split()
    assert 1 < int(count[0]) < 41 and count[1] == "0.004"


@pytest.fixture(scope="module", params=[LIGHT, DARK])
def themed(request, chromium, lab):
    name = f"microscope_{request.param.split()[-1].lower()}"
    with opened(chromium, lab, name, theme=request.param) as notebook:
        yield notebook


def test_it_is_legible_and_named_in_both_themes(themed: Notebook):
    output = themed.show(SOURCE)
    panel = output.locator(".ck-view")
    output.locator("details").evaluate_all("all => all.forEach(e => e.open = true)")
    assert violations(output) == []
    assert panel.evaluate(OVERFLOWS) == [] and panel.evaluate(UPRIGHT) == []
    assert [text for ratio, text in panel.evaluate(CONTRASTS) if ratio < 4.5] == []
