"""The training microscope in a real JupyterLab: in time without the kernel, by pointer and keys."""

import pytest
import torch
from playwright.sync_api import expect

from convkit.networks import begin, digits, enlarged, lenet, training
from tests.browser.page_objects import (
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
from tools.lab import cell

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
    canvas.hover(position={"x": size["width"] * 0.95, "y": size["height"] * 0.05})
    expect(panel.get_by_text("conv2, map 0, cell [0, 9]: 150 products")).to_be_visible()
    canvas.focus()
    canvas.press("ArrowDown")
    expect(panel.get_by_text("conv2, map 0, cell [1, 9]: 150 products")).to_be_visible()
    field = panel.locator("[data-key='network input'] [data-cursor=conv-two]").bounding_box()
    whole = picture(panel, "network input").bounding_box()
    assert field["width"] / whole["width"] == pytest.approx(14 / 28, abs=0.06)
    # Row i reads from row i of 14 on, those from 2 i of 28, and these begin 2 pixels before.
    assert (field["y"] - whole["y"]) / whole["height"] == pytest.approx(0, abs=0.03)
    assert (field["x"] - whole["x"]) / whole["width"] == pytest.approx(16 / 28, abs=0.03)
    assert notebook.ask("print(shown.conv2_at)").strip() == "(1, 9)"


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


def test_a_fork_is_trained_and_both_curves_are_shown(panel):
    slider(panel, "snapshot").fill("2")
    type_in(box(panel, "rate"), "0.05")
    button(panel, "fork here").press("Enter")
    expect(said(panel)).to_contain_text("snapshots of the fork")
    expect(panel.locator("[data-key='loss axes'] .ck-other")).to_have_count(2)
    expect(panel.get_by_text("fork: rate 0.05")).to_be_visible()
