"""Counts calls, as a measure of work that is the same on every machine."""

import sys
from collections.abc import Callable
from pathlib import Path

import convkit

PACKAGE = str(Path(convkit.__file__).parent)


def convkit_calls(function: Callable, *args: object, **options: object) -> int:
    """Return how many Python calls into convkit one call of `function` makes.

    Comprehensions do not count: before Python 3.12 each is a call, from then on it is none.
    """
    count = 0

    def profile(frame, event, _):
        nonlocal count
        code = frame.f_code
        is_ours = code.co_filename.startswith(PACKAGE) and not code.co_name.startswith("<")
        count += event == "call" and is_ours

    sys.setprofile(profile)
    try:
        function(*args, **options)
    finally:
        sys.setprofile(None)
    return count
