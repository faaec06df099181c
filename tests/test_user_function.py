"""A learner's function runs on copies, fails in words, and changes nothing outside."""

import functools
import itertools
import random
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from convkit.user_function import (
    UserFunctionError,
    accepted_keywords,
    call,
    describe_error,
    name_of,
    settings_restored,
)

ROOT = Path(__file__).parents[1]
OURS = (str(ROOT / "convkit"), str(ROOT / "tests"))


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Strange:
    """Callable, but any question about it raises."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __call__(self, X):
        return X.add_(1)


class Shifted(nn.Module):
    def forward(self, X, K, *, stride=1):
        return X + stride


def padded(X, K, padding=0, /, *, stride=1):
    return X


@functools.wraps(padded)
def wrapped(*args, **kwargs):
    return padded(*args, **kwargs)


def raising(error):
    def function(*args):
        raise error

    return function


def test_name_of():
    partial = functools.partial(functools.partial(padded, 1), 2)
    assert [name_of(f) for f in (partial, Shifted(), 3)] == ["padded", "Shifted", "int"]


@pytest.mark.parametrize(
    ("function", "keywords"),
    [
        (lambda X, K, padding, stride=1: X, {"padding", "stride"}),
        (lambda X, K, *padding, **options: X, {"padding", "stride", "dilation"}),
        (lambda X, K, *padding: X, set()),
        (padded, {"stride"}),
        (wrapped, {"stride"}),
        (Shifted(), {"stride"}),
        (max, set()),
    ],
)
def test_accepted_keywords(function, keywords):
    assert accepted_keywords(function, ("padding", "stride", "dilation")) == keywords


def test_an_object_that_cannot_be_asked_is_run_all_the_same():
    assert name_of(Strange()) == "Strange"
    assert accepted_keywords(Strange(), ("padding",)) == set()
    assert call(Strange(), torch.ones(2)).changed == ("argument 1",)


@pytest.mark.parametrize("function", [accepted_keywords, call])
def test_a_value_is_not_a_function(function):
    with pytest.raises(UserFunctionError, match=r"^3 is not a function; expected a function\."):
        function(3, ())


class Odd(BaseException):
    """An exception that is no Exception."""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError(), "ValueError"),
        (Unprintable(), "Unprintable"),
        (SystemExit(2), "SystemExit: 2"),
        (Odd("x"), "Odd: x"),
        (ValueError("m" * 10**6), f"ValueError: {'m' * 300}..."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_described(error, text):
    assert describe_error(error) == text
    with pytest.raises(UserFunctionError) as caught:
        call(raising(error))
    assert caught.value.__cause__ is error
    assert caught.value.given == f"function raised {text}"
    assert str(caught.value).endswith("; expected a result. Fix function and run this cell again.")


def test_an_interrupt_is_not_caught():
    with pytest.raises(KeyboardInterrupt):
        call(raising(KeyboardInterrupt()))


def test_arguments_arrive_as_they_are():
    X, layer = torch.ones(2, 2, requires_grad=True), nn.Identity()
    call_made = call(lambda *args, **kwargs: (args, kwargs), X, layer, (2, 3), K=X)
    (copied, same_layer, pair), kwargs = call_made.value
    assert same_layer is layer
    assert pair == (2, 3)
    for copy in (copied, kwargs["K"]):
        assert copy is not X
        assert copy.is_leaf and copy.requires_grad
        torch.testing.assert_close(copy, X)
    assert call_made.changed == ()


@pytest.mark.parametrize(
    ("function", "changed"),
    [
        (lambda X, K: X, ()),
        (lambda X, K: K.mul_(2), ("K",)),
        (lambda X, K: X.resize_(1, 1), ("X",)),
        (lambda X, K: setattr(X, "data", X.data.double()), ("X",)),
        (lambda *args: args[1].zero_(), ("argument 2",)),
        (lambda X, *others: (X.zero_(), others[0].zero_()), ("X", "argument 2")),
    ],
)
def test_changes_in_place_are_named_and_reach_nobody(function, changed):
    X, K = torch.tensor([[float("nan"), 1.0]]), torch.tensor([[3.0, 4.0]])
    assert call(function, X, K).changed == changed
    assert torch.equal(X.nan_to_num(0), torch.tensor([[0.0, 1.0]]))
    assert K.tolist() == [[3, 4]]


def test_changes_of_keywords_are_named():
    assert call(lambda X, K: K.zero_(), torch.ones(2), K=torch.ones(2)).changed == ("K",)


def settings():
    return (
        torch.get_default_dtype(),
        torch.empty(0).device,
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        warnings.filters[0],
        np.geterr(),
        torch.get_rng_state().tolist(),
        random.getstate(),
        np.random.get_state()[1].tolist(),
    )


def meddle(X):
    X.requires_grad_()
    (X**2).sum().backward()
    assert X.grad.tolist() == [2, 2]
    torch.rand(1), random.random(), np.random.rand()
    torch.set_default_dtype(torch.float64), torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    warnings.simplefilter("always"), np.seterr(all="ignore")
    torch.use_deterministic_algorithms(not settings()[4])
    sys.exit()


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_settings_and_seeds_are_restored_in_every_mode(mode, deterministic):
    def compare():
        with mode():
            torch.use_deterministic_algorithms(deterministic, warn_only=deterministic)
            before = settings()
            with pytest.raises(UserFunctionError, match="SystemExit"):
                call(meddle, torch.ones(2))
            assert settings() == before

    settings_restored(compare)


def lines_with_interrupt(run, line):
    """Run something, interrupt it where the n-th line begins, and return how many lines began.

    Lines of the project count. Python itself takes no interrupt where a ``with`` or ``except``
    ends; one raised there inside a library would keep its lock, for which later tests would wait.
    """
    begun = 0

    def trace(frame, event, argument):
        nonlocal begun
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if event == "line":
            begun += 1
            if begun == line:
                signal.raise_signal(signal.SIGINT)
        return trace

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    except KeyboardInterrupt:
        return begun
    finally:
        sys.settrace(outer)
    return begun


def meddle_briefly(X):
    torch.set_default_dtype(torch.float64), torch.set_grad_enabled(False)
    warnings.simplefilter("always"), np.seterr(all="ignore")
    torch.rand(1), random.random(), np.random.rand()


def test_an_interrupt_at_any_line_leaves_every_setting_and_what_is_printed():
    before, stdout = settings(), sys.stdout
    for line in itertools.count(1):
        begun = lines_with_interrupt(lambda: call(meddle_briefly, torch.ones(2)), line)
        assert settings() == before
        assert sys.stdout is stdout
        if begun < line:
            break
    assert line > 50


def test_a_call_loads_no_other_part_of_torch():
    code = """
import sys, torch
from convkit.user_function import call
before = set(sys.modules)
call(lambda X: X + 1, torch.ones(2))
print(len(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 5


def test_text_that_learners_read_has_no_address_and_no_lone_surrogate():
    def f():
        raise ValueError(f"{print_nothing} \ud800")

    f.__name__ = "f\ud800"
    with pytest.raises(UserFunctionError) as caught:
        call(f)
    assert caught.value.given == (r"f\ud800 raised ValueError: <function print_nothing> \ud800")


def print_nothing():
    pass
