"""How many calls into convkit an edit makes: a count that no other load on the machine changes."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import convkit

PACKAGE = str(Path(convkit.__file__).parent)


def count_calls(action: Callable[[], object]) -> Counter[str]:
    """Return how often each function of convkit is called while `action` runs."""
    calls: Counter[str] = Counter()

    def profile(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            calls[frame.f_code.co_qualname] += 1

    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(None)
    return calls
