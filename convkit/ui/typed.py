"""Reading what a learner types into a box, or pastes into a grid of boxes."""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor

from convkit import formatting
from convkit.errors import ConvkitError
from convkit.ops import Pair, to_pair

MAX_QUOTED = 40
"""The most characters of a text that a message repeats, and that a size can have."""


PRINTED_ARRAY = re.compile(
    r"[a-z_.:=(\s]*(\[.*\])(?:[),\s]*|,\s*\w+=[^\[\]]*)", re.DOTALL | re.IGNORECASE
)
"""A list and what stands around it: "tensor([[1.]], requires_grad=True)", "K = [[1, 0]]"."""


class InvalidInput(ConvkitError):
    """A text that is not a value, perhaps because it is not finished."""


def read_number(
    name: str, text: str, dtype: torch.dtype, kept: float, example: str = "-1, 0.5 or 1/9"
) -> float:
    """Return the number that a text means: "-1", "0.5", "1e-3" or "1/9".

    Parameters
    ----------
    name : str
        What the message calls the box.
    text : str
        What was typed; the minus sign may also be "−".
    dtype : torch.dtype
        The float dtype that has to hold the number.
    kept : float
        The value that the box keeps if the text is refused; the message says so.
    example : str
        Accepted texts, for the message.

    Raises
    ------
    InvalidInput
        If the text is blank, not a number, or not finite in `dtype`.

    Examples
    --------
    >>> read_number("K[0, 0]", "1/4", torch.float32, 0.0)
    0.25
    """
    value = _to_float(text)
    if torch.tensor(value, dtype=dtype).isfinite():
        return value
    too_large = "" if math.isnan(value) else f", too large for {dtype}"
    raise InvalidInput(
        f"{name} is {_quoted(text)}{too_large}",
        f"a finite number, such as {example}",
        f"Until then it keeps {formatting.number(kept)}.",
    )


def read_pair(name: str, text: str, minimum: int, kept: Pair) -> Pair:
    """Return the whole number, or the two of them, that a text means: "1" or "1, 2".

    Parameters
    ----------
    name : str
        What the message calls the box.
    text : str
        What was typed.
    minimum : int
        The least number accepted.
    kept : int or (int, int)
        The value that the box keeps if the text is refused; the message says so.

    Raises
    ------
    InvalidInput
        If the text means anything else, or a number is below `minimum`.

    Examples
    --------
    >>> read_pair("stride", "1, 2", 1, 1), read_pair("stride", "2, 2", 1, 1)
    ((1, 2), 2)
    """
    try:
        rows, columns = _to_pair(name, text, minimum)
    except ValueError as error:  # int() raises it, and ConvkitError is one
        raise InvalidInput(
            f"{name} is {_quoted(text)}",
            f"a whole number of at least {minimum}, or two of them as rows, columns",
            f"Until then it keeps {write_pair(kept)}.",
        ) from error
    return rows if rows == columns else (rows, columns)


def write_pair(value: Pair) -> str:
    """Return a number or a pair as `read_pair` reads it: "1" or "1, 2".

    Examples
    --------
    >>> write_pair((1, 2))
    '1, 2'
    """
    return str(value) if isinstance(value, int) else ", ".join(map(str, value))


def read_block(name: str, text: str, dtype: torch.dtype, max_cells: int) -> Tensor:
    """Return the block of numbers that a pasted text means: "1 0 -1" over "2 0 -2".

    Rows are lines, or separated by "]" or, in a single line, by ";". Numbers are separated by
    blanks, tabs, commas or semicolons.

    Parameters
    ----------
    name : str
        What the message calls the array.
    text : str
        What was pasted, with or without brackets; also a tensor as it is printed.
    dtype : torch.dtype
        The float dtype of the result.
    max_cells : int
        The most numbers accepted.

    Raises
    ------
    InvalidInput
        If there is no number, a number is refused, the rows differ in length, or there are more
        than `max_cells` numbers.

    Examples
    --------
    >>> read_block("kernel", "[[1, 0], [2, 0.5]]", torch.float32, 9).tolist()
    [[1.0, 0.0], [2.0, 0.5]]
    """
    expected, kept = "rows of numbers, all of one length", f"The {name} stays as it is."
    rows = [row.split() for row in _split_rows(text)]
    cells = [cell for row in rows for cell in row]
    if not cells:
        raise InvalidInput(f"the pasted text is {_quoted(text)}", expected, kept)
    if len(cells) > max_cells:
        given = f"the pasted text has {len(cells)} numbers"
        raise InvalidInput(given, f"at most {max_cells}", kept)
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        given = f"the pasted text has rows of {' and '.join(map(str, lengths))} numbers"
        raise InvalidInput(given, expected, kept)
    numbers = [_block_number(cell, dtype, kept) for cell in cells]
    return torch.tensor(numbers, dtype=dtype).reshape(len(rows), -1)


def _split_rows(text: str) -> list[str]:
    """Return the rows of a pasted text that hold something, with blanks between their numbers."""
    printed = PRINTED_ARRAY.fullmatch(text.strip())
    block = (printed[1] if printed else text).strip("[](), \t\r\n")
    inner = re.sub(r"[\])]", "\n", block)
    if "\n" not in inner:
        inner = inner.replace(";", "\n")
    rows = re.sub(r"[\[(,;\t]", " ", inner).splitlines()
    return [row for row in rows if row.strip()]


def _block_number(text: str, dtype: torch.dtype, kept: str) -> float:
    value = _to_float(text)
    if torch.tensor(value, dtype=dtype).isfinite():
        return value
    expected = f"only numbers that are finite in {dtype}"
    raise InvalidInput(f"the pasted text holds {_quoted(text)}", expected, kept)


def _to_float(text: str) -> float:
    """Return what a text means as a number or a fraction, or NaN if it means none."""
    numerator, slash, denominator = text.replace("−", "-").partition("/")
    try:
        return float(numerator) / float(denominator if slash else 1)
    except (ValueError, ZeroDivisionError):
        return math.nan


def _to_pair(name: str, text: str, minimum: int) -> tuple[int, int]:
    if len(text) > MAX_QUOTED:
        raise ValueError("no size has as many digits")
    numbers = tuple(int(part) for part in text.split(","))
    return to_pair(name, numbers if len(numbers) > 1 else numbers[0], minimum)


def _quoted(text: str) -> str:
    text = text.strip()
    return repr(text[:MAX_QUOTED]) if text else "blank"
