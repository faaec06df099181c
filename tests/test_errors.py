import copy
import pickle

import pytest

from convkit import ConvkitError
from convkit.errors import brief_repr

ERROR = ConvkitError("stride is 0", "a whole number from 1", "Use stride=1.")


def test_error_holds_what_was_given_what_was_expected_and_a_hint():
    assert (ERROR.given, ERROR.expected, ERROR.hint) == (
        "stride is 0",
        "a whole number from 1",
        "Use stride=1.",
    )


@pytest.mark.parametrize("error", [ERROR, copy.copy(ERROR), pickle.loads(pickle.dumps(ERROR))])
def test_error_message_joins_the_three_parts(error):
    assert str(error) == "stride is 0; expected a whole number from 1. Use stride=1."


def test_error_is_a_value_error():
    with pytest.raises(ValueError, match="stride is 0"):
        raise ERROR


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
    class Table:
        def __repr__(self):
            return "row 0\n    row 1"

    assert brief_repr(Table()) == "row 0 row 1"
    assert brief_repr(Table(), max_length=8) == "row 0..."
