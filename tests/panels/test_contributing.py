"""The panel that CONTRIBUTING shows how to write: its code as it stands there."""

import re
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from convkit import ramp
from convkit.panels import Pooling, pooling
from convkit.ui.theme import COLOURS
from tests.panels.driver import PanelDriver

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def test_it_is_the_panel_of_the_library_and_short():
    part = CONTRIBUTING.read_text("utf-8").partition("## Add a panel")[2]
    (code,) = re.findall(r"```python\n(.*?)```", part.partition("\n## ")[0], re.DOTALL)
    assert code == Path(pooling.__file__).read_text("utf-8")
    assert len([line for line in code.splitlines() if line.strip()]) <= 68
    assert not re.search(r"<\w|\bstyle\b|\bcss\b|\._(?!_)", code)


def test_it_pools_as_torch_does_and_follows_its_controls():
    X = torch.randn(7, 9, generator=torch.Generator().manual_seed(0))
    driver = PanelDriver(Pooling(X))
    driver.choose("size", 3)
    driver.choose("stride", 1)
    driver.choose("mode", "avg")
    output = driver.panel.store.result.output
    torch.testing.assert_close(output, functional.avg_pool2d(X[None], 3, 1)[0])
    driver.choose("window", (2, 4))
    numbers = X[2:5, 4:7].flatten()
    sum_ = driver.panel.store.result.sums[2][4]
    terms, total = sum_.replace("−", "-").split(" ≈ ")
    values = [float(text.strip("()")) for text in terms.removesuffix(" / 9").split(" + ")]
    torch.testing.assert_close(torch.tensor(values), numbers, rtol=1e-3, atol=1e-4)
    assert float(total) == pytest.approx(numbers.mean().item(), rel=1e-3)
    assert sum_ in driver.text


def test_what_is_typed_is_pooled_and_the_winner_is_marked():
    driver = PanelDriver(Pooling(torch.arange(20.0).reshape(4, 5)))
    driver.open("edit the input")
    driver.type("X[0, 3]", "99")
    assert driver.panel.store.result.output.tolist() == [[6, 99], [16, 18]]
    (reads,) = driver.node("input").frames
    assert reads.picks == (3, 1, 3, 3)
    driver.choose("mode", "avg")
    assert driver.node("input").frames[0].picks == ()


def test_it_has_undo_traits_text_and_a_saved_form_without_script():
    panel = Pooling(ramp())
    panel.size = 3
    assert (panel.size, panel.mode) == (3, "max")
    panel.undo()
    assert panel.size == 2
    assert repr(panel).startswith("Pooling: max pooling keeps 12 of 54 numbers.")
    saved = panel.saved_html()
    assert saved.count('type="radio"') >= 12 and "<script" not in saved
    assert "max(0, 0.125, 0, 0.125) = 0.125" in saved


def test_the_hues_that_it_names_are_all():
    (named,) = re.findall(r"a `hue` is one of (.*?)\.", CONTRIBUTING.read_text("utf-8"))
    assert re.split(", | and ", named) == list(COLOURS)
