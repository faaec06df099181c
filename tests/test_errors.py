import copy
import pickle

import numpy as np
import pytest

from convkit import ConvkitError
from convkit.errors import brief_repr, check_choice

ERROR = ConvkitError("stride is 0", "a whole number from 1", "Use stride=1.")


def test_an_error_can_be_caught_copied_and_pickled():
    assert isinstance(ERROR, ValueError)
    for error in (copy.copy(ERROR), pickle.loads(pickle.dumps(ERROR))):
        assert (error.given, error.expected, error.hint) == ERROR.args
        assert str(error) == "stride is 0; expected a whole number from 1. Use stride=1."


@pytest.mark.parametrize("value", ["mean", np.array(["max", "avg"]), None, {}], ids=repr)
def test_a_choice_is_one_of_some_words(value):
    check_choice("mode", "avg", ("max", "avg"))
    with pytest.raises(ConvkitError) as error:
        check_choice("mode", value, ("max", "avg"))
    assert error.value.given == f"mode is {value!r}"
    assert error.value.expected == "one of max, avg"


class Unprintable:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("same", "'same'"),
        ("x" * 58, "'" + "x" * 58 + "'"),
        ("x" * 59, "'" + "x" * 56 + "..."),
        pytest.param(10**5000, "a int", id="5001 digits"),
        (Unprintable(), "a Unprintable"),
    ],
)
def test_brief_repr_is_short_and_never_raises(value, text):
    assert brief_repr(value) == text


def test_brief_repr_is_on_one_line():
    assert brief_repr(np.zeros((2, 1)), max_length=18) == "array([[0.], [0..."
