"""The one error class of convkit, and how its messages show a value."""

from __future__ import annotations

import re
from collections.abc import Iterable


class ConvkitError(ValueError):
    """An input that cannot work, described in three parts.

    The message reads ``f"{given}; expected {expected}. {hint}"``.

    Parameters
    ----------
    given : str
        What was given, with the argument's name and value.
    expected : str
        What would have been accepted.
    hint : str
        What to do about it, as a sentence.

    Examples
    --------
    >>> raise ConvkitError("stride is 0", "a whole number from 1", "Use stride=1.")
    Traceback (most recent call last):
    convkit.errors.ConvkitError: stride is 0; expected a whole number from 1. Use stride=1.
    """

    def __init__(self, given: str, expected: str, hint: str) -> None:
        super().__init__(given, expected, hint)  # all three, so that the error can be pickled
        self.given = given
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.given}; expected {self.expected}. {self.hint}"


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise ConvkitError unless `value`, called `name`, is one of the words `choices`.

    Examples
    --------
    >>> check_choice("mode", "mean", ["max", "avg"])
    Traceback (most recent call last):
    convkit.errors.ConvkitError: mode is 'mean'; expected one of max, avg. Check the name.
    """
    if not isinstance(value, str) or value not in choices:
        given = f"{name} is {brief_repr(value)}"
        raise ConvkitError(given, f"one of {', '.join(choices)}", "Check the name.")


def check_type(name: str, value: object, kind: type, hint: str) -> None:
    """Raise ConvkitError unless `value`, called `name`, is of a type.

    Examples
    --------
    >>> check_type("bias", "no", bool, "Write bias=False.")
    Traceback (most recent call last):
    convkit.errors.ConvkitError: bias is 'no'; expected a bool. Write bias=False.
    """
    if not isinstance(value, kind):
        raise ConvkitError(f"{name} is {brief_repr(value)}", f"a {kind.__name__}", hint)


def readable(text: str) -> str:
    r"""Return `text` without addresses in memory, and with lone surrogates written out.

    An address says nothing to a learner and differs from run to run; text with a lone surrogate,
    which a file's name may hold, cannot be sent to a page.

    Examples
    --------
    >>> readable("<function f at 0x7f3a5c>, \ud800")
    '<function f>, \\ud800'
    """
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return text.encode("utf-8", "backslashreplace").decode()


def brief_repr(value: object, max_length: int = 60) -> str:
    """Return ``repr(value)`` on one line of at most `max_length` characters, whatever it is.

    Examples
    --------
    >>> brief_repr("same")
    "'same'"
    >>> brief_repr(list(range(100)), max_length=20)
    '[0, 1, 2, 3, 4, 5...'
    """
    try:
        text = readable(" ".join(repr(value).split()))
    except Exception:  # an int of more than 4,300 digits, or a class with a faulty __repr__
        return f"a {type(value).__name__}"
    if len(text) <= max_length:
        return text
    return text[: max_length - 3] + "..."
