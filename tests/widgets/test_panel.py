"""Panel: the worked example of CONTRIBUTING, errors, deferred painting, links, closing."""

import asyncio
import gc
import re
import threading
from pathlib import Path

import ipywidgets
import pytest
import torch

from convkit import ConvkitError, corr2d, stripes
from convkit.widgets import DescentStepper, KernelEditor, Panel
from tests.widgets.panel_driver import PanelDriver

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
EDGE = torch.tensor([[1.0, -1.0]])


@pytest.fixture(scope="module")
def example():
    """Run the code of CONTRIBUTING's "Add a panel"."""
    (code,) = re.findall(r"```python\n(.*?)```", CONTRIBUTING.read_text("utf-8"), re.DOTALL)
    names = {"__name__": "example"}
    exec(compile(code, "CONTRIBUTING.md", "exec"), names)
    return names["ThresholdPanel"]


def test_the_worked_example_edits_paints_undoes_and_refuses(example):
    panel = example(torch.tensor([[0.2, 0.6], [0.7, 0.9]]))
    driver = PanelDriver(panel)
    assert driver.status == "75% of the pixels are brighter."
    driver.choose("level in percent", 65)
    assert driver.status == "50% of the pixels are brighter." and panel.store.state.level == 0.65
    assert list(driver.find("pixels brighter than 0.65").pixels) == [0, 0, 254, 254]
    with pytest.raises(ConvkitError, match="level is 2"):
        panel.store.set(level=2)
    panel.undo()
    assert driver.find("level in percent").value == 50
    data, _ = panel._repr_mimebundle_()
    assert data["text/plain"] == "ThresholdPanel: level 0.5" == repr(panel)
    assert "image/png" in data


def test_a_panel_must_say_what_is_stored_of_it():
    with pytest.raises(TypeError, match=r"Nameless must define summary\(\)"):

        class Nameless(Panel):
            def paint(self, result):
                """Show nothing."""


def test_an_unexpected_exception_is_shown_logged_and_leaves_the_state(example, caplog):
    panel = example(torch.ones(2, 2))
    driver = PanelDriver(panel)

    def fails():
        raise RuntimeError("<b>broken</b>")

    panel.edit("level", fails)
    assert driver.status == "This is a fault of convkit: RuntimeError: <b>broken</b>"
    assert driver.kind == "error" and panel.store.state.level == 0.5
    assert [r.levelname for r in caplog.records if r.name == "convkit"] == ["ERROR"]
    caplog.clear()
    driver.choose("level in percent", 10)
    assert driver.kind == "note"


def test_in_an_event_loop_the_picture_comes_first_and_the_newest_edit_wins():
    panel = KernelEditor()
    driver = PanelDriver(panel)
    picture = driver.find("output 126 × 126")

    async def edit():
        before, status = picture.pixels, driver.status
        for text in ("4", "5"):
            driver.type("K[0, 0]", text)
        assert picture.pixels != before and driver.status == status
        assert panel.kernel[0, 0] == 5
        await asyncio.sleep(0.1)

    asyncio.run(edit())
    assert driver.status == PanelDriver(KernelEditor(K=panel.kernel)).status


@pytest.mark.parametrize(
    ("panel_class", "box", "texts"),
    [
        (KernelEditor, "K[0, 0]", ("5", "5x")),
        (KernelEditor, "padding", ("1", "1,")),
        (DescentStepper, "learning rate", ("1", "1e")),
        (DescentStepper, "start[0, 0]", ("1", "1e")),
    ],
)
def test_a_text_refused_right_after_an_edit_keeps_its_message_and_its_box(panel_class, box, texts):
    panel = panel_class(stripes(), target=EDGE) if panel_class is DescentStepper else panel_class()
    driver = PanelDriver(panel)

    async def edit():
        for text in texts:
            driver.type(box, text)
        await asyncio.sleep(2 * panel.paint_delay)

    asyncio.run(edit())
    assert repr(texts[1]) in driver.status and driver.kind == "error"
    assert driver.text(box) == texts[1]
    driver.press("undo")
    assert driver.kind == "note" and driver.text(box) != texts[1]


def test_code_paints_everything_at_once_in_an_event_loop_too():
    panel = KernelEditor()

    async def edit():
        panel.kernel = torch.ones(2, 2)
        assert "Output 127 × 127" in panel.status

    asyncio.run(edit())


def test_a_ring_of_panels_that_follow_each_other_settles():
    panels = [KernelEditor(stripes(), EDGE) for _ in range(3)]
    counts = [0, 0, 0]

    def count(n):
        counts[n] += 1

    for n, panel in enumerate(panels):
        panel.follow(panels[n - 1], lambda result: {"K": result.state.K})
        panel.store.observe(lambda _, n=n: count(n), "result")
    panels[1].kernel = 3 * EDGE
    assert all(torch.equal(panel.kernel, 3 * EDGE) for panel in panels)
    assert counts == [1, 1, 1]


def test_a_refusal_of_a_follower_shows_in_its_own_status():
    leader, follower = KernelEditor(stripes(), EDGE), KernelEditor(torch.ones(2, 2), EDGE)
    follower.follow(leader, lambda result: {"K": result.state.K})
    leader.kernel = torch.ones(3, 3)
    assert "larger than" in follower.status or "no larger" in follower.status
    assert PanelDriver(leader).kind == "note" and torch.equal(follower.kernel, EDGE)
    follower.unfollow()
    leader.kernel = 2 * EDGE
    assert torch.equal(follower.kernel, EDGE)


def test_closed_panels_are_freed():
    def live():
        gc.collect()
        return sum(issubclass(type(thing), ipywidgets.Widget) for thing in gc.get_objects())

    def make_and_close():
        editor = KernelEditor(stripes(), EDGE)
        stepper = DescentStepper(stripes(), corr2d(stripes(), EDGE), 0 * EDGE, steps=2)
        stepper.follow(editor)
        editor.close()
        stepper.close()

    make_and_close()
    before = live()
    for _ in range(5):
        make_and_close()
    assert live() == before


def test_an_edit_waits_for_a_painting_of_another_thread():
    """JupyterLab runs handlers of messages beside the main thread, in a subshell."""
    begun, go_on = threading.Event(), threading.Event()

    class SlowPanel(DescentStepper):
        def paint(self, result):
            super().paint(result)
            begun.set()
            go_on.wait(10)

    go_on.set()
    panel = SlowPanel(torch.eye(4), target=torch.ones(1, 2))
    driver = PanelDriver(panel)
    begun.clear()
    go_on.clear()
    threads = [
        threading.Thread(target=panel.repaint),
        threading.Thread(target=driver.choose, args=("step", 3)),
    ]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    threads[1].join(0.2)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert panel.n == 3
    driver.type("learning rate", "0.02")
    assert panel.lr == 0.02
