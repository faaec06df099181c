"""What a learner types is read as a number or refused in words: it is never run."""

import re
from html import unescape
from time import monotonic

import pytest
import torch

from convkit import corr2d, stripes
from convkit.widgets import DescentStepper, KernelEditor

LONG = 2**20
SECONDS = 5
"""For a text of a million characters: many times what the slowest takes."""
# `touch {ran}` and the like leave a file behind if they are ever run.
NO_NUMBERS = {
    "a call": "__import__('os').system('touch {ran}')",
    "an open": "open('{ran}', 'w')",
    "a way around": "().__class__.__base__.__subclasses__()",
    "a template": "{0.__class__} %s ${{ran}}",
    "markup": "</style><script>window.ran = 1</script>",
    "a sum": "1+1",
    "a tower": "9**9**9",
    "not a number": "nan",
    "an infinity": "-Infinity",
    "too large a number": "1e400",
    "three parts": "1/2/3",
    "a NUL": "\u0000",
    "half a character": "\ud800",
    "a hidden sign": "\u202e1",
    "hexadecimal": "0x10",
    "a truth": "True",
    "many digits": "9" * 4000,
    "a million digits": "9" * LONG,
    "a million letters": "x" * LONG,
    "a million commas": "," * LONG,
    "a million numbers": "1," * (LONG // 2) + "1",
    "a million blanks": " " * LONG,
}


@pytest.fixture(scope="module")
def panels():
    """Give both panels with all their drawers open, and each box to type in."""
    K = torch.tensor([[1.0, -1.0]])
    editor = KernelEditor(stripes(), K)
    editor._controls.pixels.selected_index = 0
    stepper = DescentStepper(stripes(), corr2d(stripes(), K), torch.zeros(1, 2), steps=2)
    return editor, stepper


BOXES = {
    "padding": lambda editor, _: (editor, editor._controls.numbers["padding"]),
    "stride": lambda editor, _: (editor, editor._controls.numbers["stride"]),
    "dilation": lambda editor, _: (editor, editor._controls.numbers["dilation"]),
    "kernel": lambda editor, _: (editor, editor._controls.grid._boxes[0, 1]),
    "input": lambda editor, _: (editor, editor._controls.pixel_grid._boxes[5, 7]),
    "the learning rate": lambda _, stepper: (stepper, stepper._controls.rate),
    "start": lambda _, stepper: (stepper, stepper._controls.start._boxes[0, 1]),
}


def state(panel):
    return panel.summary(), panel.code, panel.kernel.tolist()


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("name", BOXES)
def test_what_is_no_number_is_refused_in_few_words(name, kind, panels, tmp_path):
    panel, box = BOXES[name](*panels)
    before, text = state(panel), box.value
    typed = NO_NUMBERS[kind].replace("{ran}", str(tmp_path / "ran"))
    start = monotonic()
    box.value = typed
    assert monotonic() - start < SECONDS
    said = unescape(re.sub("<.*?>", "", panel.status))
    told = repr(typed.strip()[:40]) if typed.strip() else "blank"
    assert re.match(rf"{name}( row \d column \d)? is {re.escape(told)}[;,] ", said)
    assert "Until then it keeps" in said and len(said) < 300 and 'role="alert"' in panel.status
    assert state(panel) == before
    assert list(tmp_path.iterdir()) == []
    box.value = text
    assert 'role="status"' in panel.status and state(panel) == before


NUMBERS = {"\uff11": 1, "1_0": 10, " 1 ": 1, "+1": 1, "0" * 30 + "2": 2, "\u0663": 3}


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("name", ["padding", "kernel", "input"])
def test_numbers_in_other_writings_are_read_as_numbers(name, text, panels):
    panel, box = BOXES[name](*panels)
    box.value = text
    read = {"padding": panel.padding, "kernel": panel.kernel[0, 1], "input": panel.X[5, 7]}
    assert read[name] == NUMBERS[text] and 'role="status"' in panel.status
    panel.undo()
