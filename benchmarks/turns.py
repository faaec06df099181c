"""Ways to do something, measured in turns, so that a busy moment of the machine hits all alike."""

from collections import defaultdict
from collections.abc import Callable, Mapping

Measured = dict[str, dict[str, list[float]]]
"""Of each way and each figure, what every turn gave."""


def taking_turns(
    ways: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int, warm_up: int = 1
) -> Measured:
    """Return the figures that each way gives in each round; those of the warm-up are left out."""
    taken: Measured = {name: defaultdict(list) for name in ways}
    for turn in range(warm_up + rounds):
        for name in [*ways][:: 1 if turn % 2 else -1]:
            measured = ways[name]()
            for figure, value in measured.items():
                if turn >= warm_up:
                    taken[name][figure].append(value)
    return taken
