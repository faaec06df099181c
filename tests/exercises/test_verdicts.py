"""Every exercise accepts right answers, names known mistakes, and survives any answer."""

import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from convkit import Conv2D, ConvkitError, corr2d, photo
from convkit.exercises import EXERCISES, Case, CheckResult, Outcome, check, hint, solution
from convkit.panels import KernelEditor
from tests.exercises.answers import ACCEPTED, REJECTED, Normalised, diagonal
from tests.exercises.derived import EQUAL_ON_PAPER, derived_answers
from tests.test_user_function import lines_with_interrupt

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MISCONCEPTIONS = [(name, text) for name, e in EXERCISES.items() for text in e.misconceptions]


class Hostile:
    """Raises whatever one does with it."""

    def __repr__(self):
        raise RuntimeError("repr")

    __eq__ = __bool__ = __iter__ = __float__ = __array__ = __repr__
    __hash__ = None


def nested(depth):
    answer = []
    for _ in range(depth):
        answer = [answer]
    return answer


def self_holding():
    answer = []
    answer.append(answer)
    return answer


STRANGE = {
    "text": "2",
    "generator": (x for x in [1]),
    "huge": 10**400,
    "unprintably huge": 10**5000,
    "nan": float("nan"),
    "a list that holds itself": self_holding(),
    "a deep list": nested(10_000),
    "hostile": Hostile(),
    "a hostile dictionary": diagonal(K=Hostile()),
    "text array": np.array(["a"]),
    "integers too large": np.array([10**400], dtype=object),
    "meta tensor": torch.empty(5, 5, device="meta"),
    "a layer": nn.Linear(2, 2),
    "returns a tuple": lambda *args: (1, (2, 3)),
    "returns hostile": lambda *args: Hostile(),
    "returns nan": lambda *args: float("nan"),
    "recurses": lambda *args: nested(10_000),
}


def cells(notebook):
    """Return the sources of a notebook's imports, its own code, and its cells with checks."""
    code = [c for c in json.loads(notebook.read_text())["cells"] if c["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in code]
    tagged = ["from-scratch" in cell["metadata"].get("tags", []) for cell in code]
    own = [source for source, is_own in zip(sources, tagged, strict=True) if is_own]
    checks = [source.rsplit("\n", 1)[-1] for source in sources if "\ncheck(" in source]
    return sources[0], own, checks


PASTED = [(path, line) for path in sorted(NOTEBOOKS.glob("*.ipynb")) for line in cells(path)[2]]


def test_each_exercise_stands_in_a_notebook():
    assert [line.split('"')[1] for _, line in PASTED] == list(EXERCISES)


@pytest.mark.parametrize(("path", "line"), PASTED, ids=lambda value: str(value)[-40:])
def test_a_solution_pasted_into_its_notebook_is_accepted(capsys, path, line):
    imports, own, _ = cells(path)
    namespace = {}
    exec(imports, namespace)
    for source in own:
        if source.startswith(("def ", "class ")):  # a definition, not a training loop
            exec(source, namespace)
    name = line.split('"')[1]
    solution(name)
    exec(capsys.readouterr().out, namespace)
    result = eval(line, namespace)
    assert result == CheckResult(name, Outcome.CORRECT, "", EXERCISES[name].success)


@pytest.mark.parametrize(("name", "text"), MISCONCEPTIONS)
def test_a_known_mistake_is_named(name, text):
    result = check(name, EXERCISES[name].misconceptions[text])
    assert (result.outcome, result.misconception) == (Outcome.INCORRECT, text)
    assert text in result.message


@pytest.mark.parametrize("name", EXERCISES)
def test_a_wrong_answer_derived_from_a_right_one_is_refused(name):
    accepted = {how for how, answer in derived_answers(name) if check(name, answer)}
    equal, _ = EQUAL_ON_PAPER.get(name, (set(), ""))
    assert accepted == equal


@pytest.mark.parametrize(("name", "text"), MISCONCEPTIONS)
def test_a_verdict_says_what_was_tried_and_what_came_out(name, text):
    message = check(name, EXERCISES[name].misconceptions[text]).message
    assert " is " in message.split(text)[0]
    assert ("\nTried with" in message) is (EXERCISES[name].cases[0].args != ())
    assert ("It should be " in message) >= EXERCISES[name].reveals


@pytest.mark.parametrize(("name", "answer"), ACCEPTED)
def test_another_right_answer_is_accepted(name, answer):
    assert check(name, answer)


def test_an_accepted_blur_goes_into_the_panel():
    editor = KernelEditor(photo(32))
    for _, blur in [pair for pair in ACCEPTED if pair[0] == "3.4"]:
        editor.kernel = blur
        assert editor.output.shape == (28, 28)


@pytest.mark.parametrize(("name", "answer", "message"), REJECTED)
def test_a_wrong_answer_is_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert (result.outcome, result.misconception) == (Outcome.INCORRECT, "")
    assert message in result.message


def test_a_case_is_written_as_code_or_in_words():
    layer = Conv2D((1, 1))
    layer.load_state_dict({"weight": torch.tensor([[2.0]]), "bias": torch.tensor([1.0])})
    case = Case(layer, torch.ones(6, 8), 0.5)
    assert case.text(["layer", "X", "lr"]).splitlines() == [
        "layer = a layer with weight [[2.0]] and bias [1.0], and gradients of an earlier step",
        "X = an array of 6 × 8",
        "lr = 0.5",
    ]


def test_a_mistake_that_fails_in_one_case_is_named_by_the_others():
    swapped = check("1.3", lambda X, K: corr2d(X, K.T) if X.shape[0] > 1 else 0 * X)
    assert swapped.misconception == "The kernel's rows and columns are swapped."


@pytest.mark.parametrize("stub", [..., [[..., ...], [...]], {"output": ..., "K": (...,)}], ids=repr)
def test_a_stub_is_not_started(stub):
    results = [check(name, stub) for name in EXERCISES]
    assert all(result.outcome is Outcome.NOT_STARTED for result in results)
    assert str(results[0]) == (
        "0.1 not started. Replace the ... above. Stuck? Run\n"
        'from convkit.exercises import hint; hint("0.1")'
    )


def test_a_function_that_returns_the_blank_is_not_started():
    assert check("1.2", lambda *args: (..., ...)).outcome is Outcome.NOT_STARTED


@pytest.mark.parametrize("kind", STRANGE)
def test_no_answer_raises(kind):
    for name in EXERCISES:
        result = check(name, STRANGE[kind])
        assert result.outcome is Outcome.INCORRECT
        assert len(str(result)) < 500


def test_an_answer_that_cannot_be_read_is_told_so():
    assert check("3.1", diagonal(K=Hostile())).message == (
        "This answer cannot be checked: RuntimeError: repr"
    )


def right_answer(name):
    exercise = EXERCISES[name]
    return exercise.solution if exercise.asks_for_function else exercise.correct


def meddling(layer, X, Y):
    torch.manual_seed(random.randrange(99)), random.seed(1)
    torch.set_default_dtype(torch.float64)


def test_checking_changes_no_setting():
    torch.manual_seed(0), random.seed(0)
    before = torch.get_rng_state(), random.getstate()
    first = check("2.2", meddling)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert torch.get_default_dtype() == torch.float32
    assert check("2.2", meddling) == first


def test_an_interrupt_at_any_line_of_a_check_leaves_the_next_one_as_it_was():
    before = torch.get_rng_state(), random.getstate(), torch.get_default_dtype(), sys.stdout
    for line in itertools.count(1, step=23):
        begun = lines_with_interrupt(lambda: check("1.2", lambda big, small: (1, 2)), line)
        assert torch.equal(torch.get_rng_state(), before[0])
        assert (random.getstate(), torch.get_default_dtype(), sys.stdout) == before[1:]
        assert check("0.1", 2)
        if begun < line:
            break
    assert line > 1000


def test_the_first_check_does_not_load_the_compiler_of_torch():
    code = """
import sys, torch
before = set(sys.modules)
from convkit.exercises import check
check("1.1", [[1, 8], [1, 1]]), check("4.2", lambda *args: 0)
print(sum(name.startswith("torch") for name in set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20  # the compiler has 823 modules


def test_a_function_in_a_message_has_a_name_and_no_address():
    assert check("0.1", right_answer).message.startswith(
        "The sum is <function right_answer>; expected numbers."
    )


def test_a_lone_surrogate_in_a_name_can_be_shown():
    def answer(*args):
        raise ValueError("\udc80")

    answer.__name__ = "\udcff"
    message = check("1.2", answer).message
    assert message.encode().startswith(rb"\udcff raised ValueError: \udc80.")


def test_checking_changes_no_answer():
    layer, K = Normalised(), torch.full((5, 5), 1 / 25)
    assert check("2.3", layer) and check("3.4", K)
    assert layer.runs.item() == 0
    assert layer.weight.grad is None
    torch.testing.assert_close(K, torch.full((5, 5), 1 / 25))


@pytest.mark.parametrize("name", EXERCISES)
def test_settings_of_the_notebook_play_no_part(name):
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode(), torch.device("meta"):
            assert check(name, right_answer(name))
    finally:
        torch.set_default_dtype(torch.float32)


def test_an_answer_is_run_under_the_default_dtype_of_torch():
    torch.set_default_dtype(torch.float64)
    try:
        assert check("1.4", lambda X, K: corr2d(X, torch.zeros(K.shape) + K.flip(0, 1)))
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_step_that_clears_gradients_at_its_end_does_not_clear_older_ones():
    def step(layer, X, Y, lr):
        loss = ((layer(X) - Y) ** 2).sum()
        loss.backward()
        torch.optim.SGD(layer.parameters(), lr=lr).step()
        layer.zero_grad()
        return loss

    assert check("4.2", step).misconception.startswith("An older gradient is still in it")


def test_exercises_are_the_same_whatever_the_defaults_when_they_are_loaded():
    code = """
import torch
torch.set_default_dtype(torch.float64), torch.set_default_device("meta")
from convkit.exercises import EXERCISES, check
print([name for name in EXERCISES if not check(name, EXERCISES[name].correct)])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Five right answers are what their exercise forbids.
    assert done.stdout.strip() == "['4.3', '5.1', '7.3', '9.1', '9.3']"


def test_a_result_is_true_only_if_correct():
    results = [CheckResult("1.1", outcome, "", "Why.") for outcome in Outcome]
    assert [bool(result) for result in results] == [True, False, False]
    assert str(results) == "[1.1 correct. Why., 1.1 not started. Why., 1.1 not yet. Why.]"


def test_a_result_in_html_is_escaped_and_tells_outcomes_apart():
    results = [CheckResult("1.1", outcome, "", "<b> & \n...")._repr_html_() for outcome in Outcome]
    assert all("</b> &lt;b&gt; &amp; <br>...</div>" in html for html in results)
    assert len({html.split("border-left: ")[1].split(";")[0] for html in results}) == 3
    assert not any(word in html for html in results for word in ("<script", "<style", "class="))
    code = CheckResult("1.1", Outcome.CORRECT, "", "def f():\n    return 1")._repr_html_()
    assert code.endswith("</b> def f():<br>&nbsp; &nbsp; return 1</div>")


@pytest.mark.parametrize("function", [hint, solution, lambda name: check(name, 1)])
def test_an_unknown_exercise_is_named(function):
    with pytest.raises(ConvkitError, match="exercise is '9.9'; expected one of 0.1, 1.1"):
        function("9.9")
