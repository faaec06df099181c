"""Reading what a learner types into a box, or pastes into a grid of boxes."""

from __future__ import annotations

import re
from itertools import zip_longest

import torch
from torch import Tensor

from convkit import formatting
from convkit.errors import ConvkitError
from convkit.ops import Pair, to_pair

MAX_QUOTED = 40
"""The most characters of a text that a message repeats, and that a size can have."""
MINUS_SIGNS = str.maketrans(dict.fromkeys("−–‐‑－", "-"))
"""What tables, word processors and web pages have in place of a hyphen."""
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
GROUP_SPACE = re.compile(r"(?<=\d)[\xa0\u202f](?=\d{3})")
"""What spreadsheets write between thousands in many languages."""
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
"""A number whose commas may stand between thousands: "1,000" or "1,000.5"."""
ONE_OR_MORE = re.compile(r"[+-]?\d+,\d+|[+-]?\d{1,3}(,\d{3})+\.\d*|.*,0\d.*")
"""One number, or several between commas: "0,5", "1,000.5" or "1,000,000"."""
PRINTED_ARRAY = re.compile(
    r"[a-z_.:=(\s]*(\[.*\])(?:[),\s]*|,\s*\w+=[^\[\]]*)", re.DOTALL | re.IGNORECASE
)
"""A list and what stands around it: "tensor([[1.]], requires_grad=True)", "K = [[1, 0]]"."""


class InvalidInput(ConvkitError):
    """A text that is not a value, perhaps because it is not finished."""


def read_number(
    name: str, text: str, dtype: torch.dtype, kept: float, example: str = "-1, 0.5 or 1/9"
) -> float:
    """Return the number that a text means: "-1", "0.5", "0,5", "1e-3" or "1/9".

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
        If the text is blank, no number, one whose comma may stand between thousands, or not
        finite in `dtype`.

    Examples
    --------
    >>> read_number("K[0, 0]", "1/4", torch.float32, 0.0)
    0.25
    """
    try:
        return _number(text, dtype)
    except ValueError as error:
        raise InvalidInput(
            f"{name} is {_quoted(text)}{error}",
            f"a finite number, such as {example}",
            f"Until then it keeps {formatting.number(kept)}.",
        ) from error


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

    Cells of a spreadsheet, and other numbers between tabs or semicolons, may have decimal commas;
    blank rows and columns are left out. Otherwise blanks or commas separate numbers, and new
    lines, "]" or ";" separate rows.

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
        If there is no number, a cell is blank or refused, the rows differ in length, a comma may
        separate numbers or be part of one, or there are more than `max_cells` numbers.

    Examples
    --------
    >>> read_block("kernel", "[[1, 0], [2, 0.5]]", torch.float32, 9).tolist()
    [[1.0, 0.0], [2.0, 0.5]]
    >>> read_block("kernel", "1;0,5", torch.float32, 9).tolist()
    [[1.0, 0.5]]
    """
    expected, kept = "rows of numbers, all of one length", f"The {name} stays as it is."
    rows = _rows(text)
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
    return torch.tensor(numbers, dtype=dtype, device="cpu").reshape(len(rows), -1)


def _rows(text: str) -> list[list[str]]:
    """Return the cells of a pasted text, row by row; they are not read yet."""
    printed = PRINTED_ARRAY.fullmatch(text.strip())
    block = printed[1] if printed else text
    if re.search(r"\S *\t", block) and "[" not in block:
        return _sheet_rows(block, "\t")
    if re.search(r"[\[(]", block):  # code, in which commas separate
        return _word_rows(
            re.sub(r"[\])]", "\n", re.sub(r"[\[(,]", " ", block.strip("[](), \t\r\n")))
        )
    parts = re.split(r"[;\r\n]", block)
    if ";" in block and not any(len(part.split()) > 1 for part in parts):
        return _sheet_rows(block, ";")
    return _word_rows(re.sub(r"\S+", _without_commas, block))


def _sheet_rows(text: str, separator: str) -> list[list[str]]:
    """Return the cells of a spreadsheet, but not its blank rows and columns."""
    rows = [line.split(separator) for line in text.splitlines() if line.strip(f"{separator} ")]
    columns = zip_longest(*rows, fillvalue="")
    kept = [column for column in columns if "".join(column).strip()]
    return [list(row) for row in zip(*kept, strict=True)]


def _word_rows(text: str) -> list[list[str]]:
    """Return what stands between blanks; rows are lines, or separated by ";"."""
    rows = [line.split() for line in re.split(r"[;\r\n]", text)]
    return [row for row in rows if row]


def _without_commas(word: re.Match[str]) -> str:
    numbers = word[0].rstrip(",;")
    if ONE_OR_MORE.fullmatch(numbers):
        given = f"the pasted text holds {_quoted(numbers)}, which is one number or more"
        expected = "numbers with points, between blanks, tabs or semicolons"
        raise InvalidInput(given, expected, "Write for example 0.5 1.5.")
    return word[0].replace(",", " ")


def _block_number(text: str, dtype: torch.dtype, kept: str) -> float:
    try:
        return _number(text, dtype)
    except ValueError as error:
        cell = f"{_quoted(text)}{error}" if text.strip() else "a blank cell"
        expected = f"only numbers that are finite in {dtype}"
        raise InvalidInput(f"the pasted text holds {cell}", expected, kept) from error


def _number(text: str, dtype: torch.dtype) -> float:
    """Return the number or fraction that a text means; ValueError says what is wrong with it."""
    text = GROUP_SPACE.sub("", text.translate(MINUS_SIGNS).strip())
    if THOUSANDS.fullmatch(text):
        raise ValueError(", whose comma may stand between thousands")
    numerator, slash, denominator = text.replace(",", ".").partition("/")
    divisor = _decimal(denominator) if slash else 1
    if divisor == 0:
        raise ValueError
    value = _decimal(numerator) / divisor
    if not torch.tensor(value, dtype=dtype, device="cpu").isfinite():
        raise ValueError(f", too large for {dtype}")
    return value


def _decimal(text: str) -> float:
    if not DECIMAL.fullmatch(text.strip()):
        raise ValueError
    return float(text)


def _to_pair(name: str, text: str, minimum: int) -> tuple[int, int]:
    if len(text) > MAX_QUOTED or "_" in text:
        raise ValueError("int reads underscores, and no size has as many digits")
    numbers = tuple(int(part) for part in text.split(","))
    return to_pair(name, numbers if len(numbers) > 1 else numbers[0], minimum)


def _quoted(text: str) -> str:
    text = text.strip()
    return repr(text[:MAX_QUOTED]) if text else "blank"
