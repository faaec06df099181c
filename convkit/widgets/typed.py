"""Reading what a learner types into a box."""

from __future__ import annotations

import math

import torch

from convkit import formatting
from convkit.errors import ConvkitError
from convkit.ops import Pair, pair

SHOWN = 40
"""The most characters of a text that are told back, and of one that can be a size."""


class HalfTyped(ConvkitError):
    """A text that is not a value, perhaps because it is not finished."""


def read_number(
    name: str, text: str, dtype: torch.dtype, kept: float, example: str = "-1, 0.5 or 1/9"
) -> float:
    """Return the number that `text` writes: "-1", "0.5", "1e-3" or "1/9".

    Raises
    ------
    HalfTyped
        If it is blank, not a number, or not finite in `dtype`; the message names the box and says
        that it keeps `kept`.
    """
    top, _, bottom = text.replace("−", "-").partition("/")
    try:
        value = float(top) / float(bottom or 1)
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not torch.tensor(value, dtype=dtype).isfinite():
        size = f", too large for {dtype}" if not math.isnan(value) else ""
        raise HalfTyped(
            f"{name} is {_quoted(text)}{size}",
            f"a finite number, such as {example}",
            f"Until then it keeps {formatting.number(kept)}.",
        )
    return value


def read_pair(name: str, text: str, least: int, kept: Pair) -> Pair:
    """Return the whole number, or the two of them, that `text` writes: "1" or "1, 2".

    Raises
    ------
    HalfTyped
        If it is anything else, or a number is below `least`.
    """
    try:
        if len(text) > SHOWN:
            raise ValueError("no size here has as many digits")
        numbers = tuple(int(part) for part in text.split(","))
        both = pair(name, numbers if len(numbers) > 1 else numbers[0], least)
    except ValueError as error:  # what int() raises, and ConvkitError
        raise HalfTyped(
            f"{name} is {_quoted(text)}",
            f"a whole number of at least {least}, or two of them as rows, columns",
            f"Until then it keeps {write_pair(kept)}.",
        ) from error
    return both if both[0] != both[1] else both[0]


def write_pair(value: Pair) -> str:
    """Return a pair as `read_pair` reads it."""
    return str(value) if isinstance(value, int) else ", ".join(map(str, value))


def _quoted(text: str) -> str:
    return repr(text.strip()[:SHOWN]) if text.strip() else "blank"
