"""Counts calls, as a measure of work that is the same on every machine."""

import sys
from collections.abc import Callable
from pathlib import Path

import convkit

PACKAGE = str(Path(convkit.__file__).parent)


def convkit_calls(function: Callable, *args: object, **options: object) -> int:
    """Return how many Python calls into convkit one call of `function` makes."""
    count = 0

    def profile(frame, event, _):
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(PACKAGE)

    sys.setprofile(profile)
    try:
        function(*args, **options)
    finally:
        sys.setprofile(None)
    return count
