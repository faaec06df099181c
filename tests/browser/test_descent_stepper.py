"""The DescentStepper in a real JupyterLab: it steps, plays, scrubs, diverges and follows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page_objects import (
    Notebook,
    box,
    button,
    number_box,
    opened,
    picture,
    slider,
    type_in,
)
from tools.lab import DARK, LIGHT, cell

STEPPER = """\
from convkit.panels import DescentStepper, KernelEditor
X, K = stripes(), torch.tensor([[1.0, -1.0]])
panel = DescentStepper(X, target=K, start=torch.tensor([[0.5, 0.5]]), lr=0.03, steps=25)
panel"""
RATE = "learning rate, share of the limit"
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


def status(panel: Locator, role: str = "status") -> Locator:
    """Return the panel's status line: role "status", or "alert" where something is wrong."""
    return panel.locator(".ck-status").get_by_role(role)


def expect_step(panel: Locator, n: int) -> None:
    """Wait until step `n` is on show, in text, number and path."""
    expect(table(panel, f"kernel, step {n}")).to_be_visible()
    expect(number_box(panel, "step")).to_have_value(str(n))
    points = re.compile(rf"^M[^L]*(L[^L]*){{{n}}}$")
    expect(panel.locator(".ck-plot .ck-walked").first).to_have_attribute("d", points)


def table(panel: Locator, title: str) -> Locator:
    """Return the table that stands under a title."""
    heading = panel.page.get_by_text(title, exact=True)
    return panel.locator(".ck-figure").filter(has=heading).locator("table")


def curve_text(panel: Locator) -> Locator:
    """Return what stands at the marker on the loss curve."""
    return picture(panel, "loss curve").locator(".ck-note")


def code(panel: Locator) -> Locator:
    """Open the section of the torch code; return the code."""
    panel.get_by_text("torch code", exact=True).click()
    return panel.locator("pre:visible")


def drawn(panel: Locator, run: str) -> list[int]:
    """Return how many points of a run are drawn, on the surface and on the curve."""
    paths = panel.locator(f".ck-plot {run} .ck-walked")
    return [
        d.count("L") + 1 for d in paths.evaluate_all("all => all.map(p => p.getAttribute('d'))")
    ]


def test_two_runs_are_scrubbed_together_without_the_kernel(panel, notebook):
    button(panel, "keep this run").click()
    panel.get_by_role("combobox", name="rate").select_option("a tenth of the limit")
    expect(panel.locator(".ck-key").first).to_have_text("kept, rate 0.03, loss 27")
    expect(box(panel, "learning rate")).to_have_value("0.003333")
    with busy_kernel(notebook):
        for n in (1, 2, 3):
            button(panel, "next step").click()
            expect(panel.locator(".ck-key").first).to_contain_text(f"loss {LOSSES[n]}")
            assert drawn(panel, "> svg") == drawn(panel, ".ck-kept") == [n + 1, n + 1]
    places = panel.locator(".ck-kept .ck-marker")
    expect(places).to_have_count(2)
    button(panel, "forget it").click()
    expect(places).to_have_count(0)
    button(panel, "undo").click()
    expect(places).to_have_count(2)


OWN_STEP = """\
from convkit.panels import DescentStepper
def my_step(kernel, X, Y, lr):
    print("K", kernel[0, 0].item())
    residual = corr2d(X, kernel) - Y
    return kernel - (lr if kernel[0, 0] > 0.4 else lr / 2) * corr2d(X, 2 * residual)
X, K = stripes(), torch.tensor([[1.0, -1.0]])
panel = DescentStepper(X, target=K, start=torch.tensor([[0.5, 0.5]]), lr=0.03, step=my_step)
panel"""


def test_the_first_difference_of_ones_own_step_is_found_by_keys(notebook):
    panel, keyboard = notebook.show(OWN_STEP), Keyboard(notebook)
    alert = status(panel, "alert")
    expect(alert).to_contain_text("my_step differs from convkit in ")
    first = int(notebook.ask("panel.first_difference").split()[-1])
    keyboard.press(button(panel, "next difference"), "Enter")
    expect_own_step(panel, first)
    yours = table(panel, f"update {first - 1} → {first}").locator("td").first
    ours = table(panel, "convkit's, from there").locator("td").first
    numbers = [float(each.inner_text().replace("−", "-")) for each in (yours, ours)]
    assert numbers[0] == pytest.approx(numbers[1] / 2, abs=1e-3)
    for plot in ("surface", "curve"):
        mark = picture(panel, f"loss {plot}").locator(".ck-mark").bounding_box()
        marker = picture(panel, f"loss {plot}").locator(".ck-own .ck-marker").bounding_box()
        assert abs(mark["x"] - marker["x"]) < 20 and abs(mark["y"] - marker["y"]) < 20
    expect(panel.locator(".ck-printed")).to_contain_text("K 0.5")
    keyboard.write(box(panel, "start[0, 0]"), "0.6")
    expect(panel.locator(".ck-printed")).to_contain_text("K 0.6")


def expect_own_step(panel: Locator, n: int) -> None:
    """Wait until step `n` is on show, also of one's own run."""
    expect(number_box(panel, "step")).to_have_value(str(n))
    expect(panel.get_by_text(f"my_step, step {n}", exact=True)).to_be_visible()


@contextmanager
def busy_kernel(notebook: Notebook) -> Iterator[None]:
    """Keep the kernel busy; at the end, wait until it is free and has answered."""
    go_on = Path(notebook.lab.root, "go_on")
    go_on.unlink(missing_ok=True)
    notebook.start(
        "from pathlib import Path\nwhile not Path('go_on').exists():\n    time.sleep(0.05)"
    )
    yield
    prompt = cell(notebook.page, 3).locator(".jp-InputPrompt")
    expect(prompt).to_have_text("[*]:")
    go_on.touch()
    expect(prompt).not_to_have_text("[*]:")


def test_it_steps_forward_and_back_and_jumps(panel):
    expect_step(panel, 0)
    for n in (1, 2, 3):
        button(panel, "next step").click()
        expect_step(panel, n)
        expect(curve_text(panel)).to_have_text(f"loss {LOSSES[n]}")
    button(panel, "previous step").click()
    expect_step(panel, 2)
    for title, text in (
        ("kernel, step 2", "0.9104−0.2704"),
        ("gradient", "14.2824.12"),
        ("kernel, step 3", "0.4819−0.9939"),
    ):
        expect(table(panel, title)).to_have_text(text)
    button(panel, "last step").click()
    expect_step(panel, 25)
    expect(panel.get_by_text("no further step")).to_be_visible()
    button(panel, "first step").click()
    expect_step(panel, 0)


NOTES = """plot => {
    const place = node => node.getBoundingClientRect();
    const meet = (a, b) => a.left < b.right && b.left < a.right
        && a.top < b.bottom && b.top < a.bottom;
    const shown = [...plot.querySelectorAll(".ck-note, .ck-ring-loss")].map(place);
    const area = place(plot);
    return shown.some((a, k) => shown.some((b, m) => m > k && meet(a, b)))
        || shown.some(a => a.left < area.left || a.right > area.right);
}"""


def test_notes_and_labels_of_rings_do_not_lie_on_each_other(panel):
    surface = picture(panel, "loss surface")
    for step in range(1, 10):
        button(panel, "next step").click()
        expect_step(panel, step)
        assert not surface.evaluate(NOTES)


def test_edits_that_cross_while_the_kernel_is_busy_are_all_kept(panel, notebook):
    with busy_kernel(notebook):
        picture(panel, "loss surface").scroll_into_view_if_needed()
        place = picture(panel, "loss surface").bounding_box()
        panel.page.mouse.move(place["x"] + 60, place["y"] + 60)
        panel.page.mouse.down()
        for k in range(10):
            panel.page.mouse.move(place["x"] + 60 + 4 * k, place["y"] + 60)
        panel.page.mouse.up()
        type_in(box(panel, "start[0, 1]"), "3")
        type_in(box(panel, "learning rate"), "0.01")
        slider(panel, "step").press("End")
    expect(box(panel, "start[0, 0]")).not_to_have_value("0.5")
    expect(box(panel, "start[0, 1]")).to_have_value("3")
    expect_step(panel, 25)
    shown = [float(box(panel, f"start[0, {j}]").input_value().replace("−", "-")) for j in (0, 1)]
    state = notebook.ask("[*panel.start[0].tolist(), panel.lr, panel.n]")
    first, second, lr, n = eval(state[state.rindex("[") :])
    assert shown == [pytest.approx(first, abs=1e-3), second] and (second, lr, n) == (3, 0.01, 25)


def test_divergence_is_named_with_a_rate_that_works(panel):
    type_in(box(panel, "learning rate"), "0.05")
    alert = status(panel, "alert")
    expect(alert).to_contain_text("Diverging: at 150% of the limit 0.03333, a step")
    button(panel, "last step").click()
    last = int(number_box(panel, "step").get_attribute("max"))
    assert 1 <= last < 25  # it stopped before the numbers overflowed
    expect(panel.get_by_text(f"residual² to step {last}")).to_be_visible()
    expect(panel.locator(".ck-outside-note").first).to_contain_text(f"step {last} lies outside")
    button(panel, "use 0.0278").click()
    expect(status(panel)).to_contain_text("Converging")
    expect(box(panel, "learning rate")).to_have_value("0.0278")
    expect(box(panel, "learning rate")).to_be_focused()
    button(panel, "undo").click()
    expect(alert).to_contain_text("Diverging")
    button(panel, "reset").click()
    expect(status(panel)).to_contain_text("Converging")
    expect(box(panel, "learning rate")).to_have_value("0.03")
    expect_step(panel, 0)
    button(panel, "undo").click()
    expect(box(panel, "learning rate")).to_have_value("0.05")


class Keyboard:
    """The keys of a notebook's page, and what Tab leads to."""

    def __init__(self, notebook: Notebook) -> None:
        self.keys = notebook.page.keyboard

    def press(self, control: Locator, key: str) -> None:
        """Go to a control, and press a key there."""
        for _ in range(40):
            if control.evaluate("node => node === document.activeElement"):
                self.keys.press(key)
                return
            self.keys.press("Tab")
        raise AssertionError(f"Tab does not lead to {control}")

    def write(self, control: Locator, text: str) -> None:
        """Go to a box, and put a text in place of what it says."""
        self.press(control, "ControlOrMeta+a")
        self.keys.type(text)


def test_all_tasks_by_keyboard_alone(panel, notebook):
    keyboard = Keyboard(notebook)
    step_and_set_the_rate(panel, keyboard)
    point_and_edit_kernels(panel, keyboard)
    look_ahead_and_copy_the_code(panel, keyboard)
    expect(notebook.page.locator(".jp-Notebook .jp-Cell")).to_have_count(4)


def step_and_set_the_rate(panel, keyboard):
    button(panel, "reset").focus()
    keyboard.press(button(panel, "next step"), "Enter")
    expect_step(panel, 1)
    keyboard.press(slider(panel, "step"), "ArrowRight")
    expect_step(panel, 2)
    keyboard.write(box(panel, "learning rate"), "0.04")
    expect(status(panel, "alert")).to_contain_text("Diverging")
    keyboard.press(slider(panel, RATE), "Home")
    expect(status(panel)).to_contain_text("Converging")


def point_and_edit_kernels(panel, keyboard):
    keyboard.press(picture(panel, "loss surface"), "ArrowRight")
    expect(box(panel, "start[0, 0]")).not_to_have_value("0.5")
    keyboard.press(picture(panel, "loss curve"), "End")
    expect_step(panel, 25)
    keyboard.write(box(panel, "start[0, 1]"), "0.25")
    keyboard.write(box(panel, "target[0, 0]"), "1.5")
    expect(table(panel, "target Y").locator("td").nth(1)).to_have_text("1.5")


def look_ahead_and_copy_the_code(panel, keyboard):
    ahead = panel.get_by_role("checkbox", name="show what lies ahead")
    keyboard.press(ahead, "Space")
    expect(ahead).to_be_checked()
    keyboard.press(panel.locator("summary"), "Enter")
    expect(panel.locator("pre:visible")).to_contain_text(", 0.25]])")
    keyboard.press(button(panel, "copy the torch code"), "Enter")
    expect(panel.get_by_text("copied").or_(panel.get_by_text("selected:"))).to_be_visible()


def test_a_step_is_said_once_and_an_edit_too(panel, notebook):
    panel.evaluate(
        """panel => {
            window.spoken = [];
            for (const node of panel.querySelectorAll("[role=status], [role=alert]"))
                new MutationObserver(() => spoken.push(node.textContent)).observe(node, {
                    childList: true, characterData: true, subtree: true });
        }"""
    )
    button(panel, "next step").click()
    expect(panel.get_by_text("step 1: loss 14.52", exact=True)).to_be_attached()
    type_in(box(panel, "start[0, 0]"), "2")  # the status stays as it was
    expect(panel.get_by_text("step 1: loss 60.31", exact=True)).to_be_attached()
    type_in(box(panel, "learning rate"), "0.02")
    expect(status(panel)).to_contain_text("60% of the limit")
    spoken = notebook.page.evaluate("spoken")
    assert spoken[0] == "step 1: loss 14.52"
    assert len(spoken) == len(set(spoken))


@pytest.mark.parametrize("width", [400, 560, 640, 850, 1100])
def test_nothing_is_cut_or_moves_from_400_to_1100_pixels(panel, width):
    root = panel.locator(".ck-view")
    root.evaluate("(root, width) => root.style.maxWidth = `${width}px`", min(width, 960))
    size = root.bounding_box()
    assert size["width"] == min(width, 960)
    if width == 850:
        assert size["height"] <= 620
    cut = root.evaluate(
        """root => {
            const right = root.getBoundingClientRect().right;
            return [...root.querySelectorAll("*")].filter(node => node.checkVisibility()
                && node.getBoundingClientRect().right > right + 0.5
                && !node.closest("svg, .ck-unseen")).map(node => node.className);
        }"""
    )
    assert cut == []
    curve, surface = (
        picture(panel, f"loss {name}").bounding_box() for name in ("curve", "surface")
    )
    assert curve["width"] > 0.6 * surface["width"] and surface["width"] > 200
    assert abs(surface["width"] / surface["height"] - 328 / 196) < 0.05  # of one scale
    places = "root => [...root.querySelectorAll('.ck-figure, .ck-plot, .ck-foot')]"
    measure = places + ".map(node => JSON.stringify(node.getBoundingClientRect()))"
    before = root.evaluate(measure)
    button(panel, "last step").click()
    expect_step(panel, 25)
    assert root.evaluate(measure) == before


COLOUR = """(plot, [part, property]) => {
    const style = getComputedStyle(plot.querySelector(part)), ink = getComputedStyle(plot).color;
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = ink.match(/\\d+/g)[0] > 127 ? "black" : "white";
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = style[property];
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""


@pytest.mark.parametrize("theme", [LIGHT, DARK, "JupyterLab Dark High Contrast"])
def test_the_grid_stays_behind_the_curve(chromium, lab, theme):
    with opened(chromium, lab, "stepper_grid", theme=theme) as notebook:
        panel = notebook.show(STEPPER)
        grid, path, ink = (
            picture(panel, "loss curve").evaluate(COLOUR, part)
            for part in ((".ck-grid", "stroke"), (".ck-walked", "stroke"), (".ck-note", "color"))
        )
        paper = 0 if sum(ink) > 3 * 127 else 255
        away = [sum(abs(channel - paper) for channel in colour) for colour in (grid, path)]
        assert away[0] < away[1] / 2
