"""An experiment: a learner's operation on trial, and undo, redo and reset against a model."""

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import convkit
from convkit import ConvkitError, convolve2d, corr2d, stripes
from convkit.state.experiment import Experiment, History, differing, name_of, run, takes
from convkit.state.setting import Setting

K = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def setting(**options):
    return Setting.of(stripes(), K, **options)


def loop(X, K):
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


# A learner's operation


def raises(X, K):
    raise IndexError("index 9 is out of <bounds>")


def holed(X, K):
    Y = corr2d(X, K)
    Y[2, 3] = float("nan")
    return Y


BAD = {
    "raises": (raises, r"raised IndexError: index 9 is out of <bounds>; wanted a tensor of 5 × 7"),
    "nothing": (lambda X, K: None, "returned a NoneType; .*is there a return"),
    "list": (lambda X, K: corr2d(X, K).tolist(), "returned a list; "),
    "transposed": (lambda X, K: corr2d(X, K).T, "returned 7 × 5; wanted a tensor of 5 × 7"),
    "batch": (lambda X, K: corr2d(X, K)[None], "returned 1 × 5 × 7; "),
    "scalar": (lambda X, K: corr2d(X, K).sum(), "returned a single number; "),
    "nan": (holed, r"returned nan at Y\[2, 3\]; wanted finite"),
    "inf": (lambda X, K: corr2d(X, K) / 0, r"returned (inf|nan) at Y\[0, 0\]"),
    "arguments": (lambda X: X, "raised TypeError: .*takes 1 positional argument"),
}


@pytest.mark.parametrize(("operation", "message"), BAD.values(), ids=BAD)
def test_a_bad_operation_is_named_with_its_sizes(operation, message):
    with pytest.raises(ConvkitError, match=message) as caught:
        run(operation, setting(), setting().output())
    assert "for X 6 × 8 and K 2 × 2, " in str(caught.value)


@pytest.mark.parametrize(("operation", "message"), BAD.values(), ids=BAD)
def test_at_the_start_the_librarys_output_stands_in_for_it(operation, message):
    experiment = Experiment(setting(), operation)
    assert experiment.yours is None and torch.equal(experiment.Y, corr2d(stripes(), K))
    assert experiment.verdict() == experiment.failure
    assert "What you see is convkit's own output." in experiment.failure


def test_an_operation_cannot_change_what_the_panel_holds():
    def spoils(X, K):
        Y = corr2d(X, K)
        X.zero_(), K.zero_()
        return Y

    experiment = Experiment(setting(), spoils)
    assert torch.equal(experiment.now.X, stripes()) and torch.equal(experiment.now.K, K)
    experiment.adopt(Setting.of(stripes(), 2 * K))
    assert experiment.verdict() == "spoils agrees with convkit in all 35 cells."


def test_an_operation_gets_the_kernel_that_slides():
    flipped = setting(flip=True)
    assert not differing(run(loop, flipped, flipped.output()), convolve2d(stripes(), K)).any()


def test_integers_and_gradients_are_taken():
    X = torch.ones(3, 3)
    setting = Setting.of(X, torch.ones(2, 2))
    whole = run(lambda X, K: corr2d(X, K).int(), setting, setting.output())
    traced = run(lambda X, K: corr2d(X, K.requires_grad_()), setting, setting.output())
    assert whole.dtype == X.dtype and not traced.requires_grad
    assert torch.equal(whole, traced)


class Callable:
    def __call__(self, X, K, padding=0):
        return corr2d(X, K, padding=padding)


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        (corr2d, {"padding", "stride", "dilation"}),
        (loop, set()),
        (lambda X, K, stride=1: X, {"stride"}),
        (lambda X, K, **options: X, {"padding", "stride", "dilation"}),
        (Callable(), {"padding"}),
        (torch.convolve2d, set()),
    ],
)
def test_takes(operation, names):
    assert takes(operation) == names


@pytest.mark.parametrize("wrong", [None, 3, torch.ones(2, 2)])
def test_what_cannot_be_called_is_refused(wrong):
    with pytest.raises(ConvkitError, match=f"operation is a {type(wrong).__name__}"):
        takes(wrong)


def test_keywords_reach_the_operation():
    seen = {}

    def spy(X, K, *, stride=1, padding=0):
        seen.update(stride=stride, padding=padding)
        return corr2d(X, K, stride=stride, padding=padding)

    Experiment(setting(stride=2, padding=(1, 0)), spy)
    assert seen == {"stride": 2, "padding": (1, 0)}
    assert name_of(spy) == "spy" and name_of(Callable()) == "Callable"


def test_differing_forgives_rounding_only():
    ours = torch.tensor([[1.0, 1000.0, 0.0]])
    assert not differing(ours + torch.tensor([[1e-6, 1e-3, 1e-6]]), ours).any()
    assert differing(ours + torch.tensor([[1e-3, 1.0, 1e-4]]), ours).all()


def test_the_verdict_counts_and_names_the_first():
    def shifted(X, K):
        Y = corr2d(X, K)
        Y[1, 2], Y[4, 6] = 99, -99
        return Y

    assert Experiment(setting(), shifted).verdict() == (
        "shifted differs from convkit in 2 of 35 cells, marked; the first is Y[1, 2]: "
        f"shifted gives 99, convkit {corr2d(stripes(), K)[1, 2]:g}."
    )
    assert Experiment(setting(), loop).verdict() == "loop agrees with convkit in all 35 cells."
    assert Experiment(setting()).verdict() == "Output 5 × 7, values from 0 to 10."


# Going on and back


def only_two_by_two(X, K):
    assert K.shape == (2, 2), "only 2 x 2"
    return corr2d(X, K)


def test_a_refused_setting_leaves_all_as_it_was():
    experiment = Experiment(setting(), only_two_by_two)
    before = experiment.now, experiment.Y, experiment.yours, experiment.summary()
    for bad in (Setting.of(stripes(), torch.ones(3, 3)), setting(stride=0), setting(dilation=9)):
        with pytest.raises(ConvkitError):
            experiment.adopt(bad)
        assert before == (experiment.now, experiment.Y, experiment.yours, experiment.summary())
    assert not experiment.history.can_undo


def test_an_operation_may_fail_on_a_setting_one_returns_to():
    experiment = Experiment(Setting.of(stripes(), torch.ones(3, 3)), only_two_by_two)
    assert "only 2 x 2" in experiment.failure
    experiment.adopt(setting())
    assert experiment.failure == "" and "agrees" in experiment.verdict()
    for move in ("undo", "redo", "reset"):
        experiment.revisit(move)
        assert ("agrees" in experiment.verdict()) == (move == "redo")
        assert experiment.Y.shape == experiment.now.output().shape
        assert experiment.yours is None or experiment.yours.shape == experiment.Y.shape
        assert experiment.verdict() in experiment.summary()


def test_the_same_setting_again_is_no_step():
    experiment = Experiment(setting())
    experiment.adopt(setting())
    assert not experiment.history.can_undo


def test_the_summary_is_true_and_the_same_twice():
    made = [Experiment(setting(padding=1, flip=True)).summary() for _ in range(2)]
    assert made[0] == made[1]
    lines = made[0].splitlines()
    assert lines[0] == "convolution, padding 1, stride 1, dilation 1"
    assert lines[1].startswith("input (stripes 6 × 8): 6 × 8, from 0 to 1")
    assert lines[2].startswith("kernel (custom): 2 × 2, from 1 to 4")
    Y = convolve2d(stripes(), K, padding=1)
    assert lines[3] == convkit.formatting.describe("output", Y)


# History, against a list and a place in it


class Model(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.history, self.past, self.future = History(0), [(0, None)], []
        self.count = 0

    @rule(key=st.sampled_from([None, "a", "b", ("K", (0, 1))]))
    def push(self, key):
        self.count += 1
        merges = key is not None and not self.future and self.past[-1][1] == key
        if merges:
            self.past.pop()
        self.past.append((self.count, key))
        self.future = []
        self.history.push(self.count, key)

    @rule()
    def undo(self):
        if len(self.past) > 1:
            self.future.append(self.past.pop())
        assert self.history.undo() == self.past[-1][0]

    @rule()
    def redo(self):
        if self.future:
            self.past.append(self.future.pop())
        assert self.history.redo() == self.past[-1][0]

    @rule()
    def reset(self):
        if self.past[-1][0] != 0:
            self.past.append((0, None))
            self.future = []
        assert self.history.reset() == 0

    @precondition(lambda self: self.past[-1][0] != 0)
    @rule()
    def undo_leaves_a_reset_again(self):
        here = self.past[-1][0]
        self.reset()
        self.undo()
        assert self.history.now == here

    @invariant()
    def agrees(self):
        assert self.history.now == self.past[-1][0]
        assert self.history.can_undo == (len(self.past) > 1)
        assert self.history.can_redo == bool(self.future)


TestHistory = Model.TestCase
TestHistory.settings = settings(max_examples=60, stateful_step_count=30)


def test_the_last_hundred_states_are_kept_and_the_start():
    history = History("start")
    for n in range(250):
        history.push(n)
    for n in range(99, 0, -1):
        assert history.can_undo and history.undo() == 150 + n - 1
    assert not history.can_undo and history.undo() == 150
    assert history.redo() == 151 and history.reset() == "start" and history.undo() == 151


def test_another_dtype_of_the_same_numbers_is_another_setting():
    experiment = Experiment(setting())
    experiment.adopt(experiment.now.with_input(stripes().double()))
    assert experiment.Y.dtype == experiment.now.K.dtype == torch.float64
    assert experiment.history.can_undo
