"""What happens in one window, in numbers: pixel × weight in each cell, and their sum."""

from __future__ import annotations

from html import escape

import torch
from torch import Tensor

from convkit import formatting
from convkit.formatting import minus
from convkit.views.html import ink, tint

MAX_TILES = 16
"""The most products that are written with their factors; of more, only the products are."""
MAX_FACTORS = 4
"""The most terms of a sum that are written with their factors."""
MAX_TERMS = 12
"""The most products that a sum is written with."""
LONGEST_FACTORS = 12
"""The most characters of two factors in a tile."""
SMALL = 0.1
"""Products below it are written with two digits in place of two decimals."""


def product_tiles(patch: Tensor, K: Tensor, limit: float) -> str:
    """Return a table of the products of a window and a kernel, as HTML.

    Parameters
    ----------
    patch, K : Tensor
        The window of the input and the weights that lie on it, both (kH, kW).
    limit : float
        The value of the darkest colour.

    Examples
    --------
    >>> import torch
    >>> product_tiles(torch.tensor([[0.5]]), torch.tensor([[2.0]]), 1)
    '<table class="ck-tiles" ...><tr><td style=...>0.5 × 2<b>1</b></td></tr></table>'
    """
    products = patch * K
    pixels, rounded = formatting.numbers(patch, 3), formatting.shorts(patch)
    weights = formatting.numbers(K, 3)
    are_many = K.numel() > MAX_TILES
    results = formatting.narrow(products) if are_many else _product_texts(products)
    rows = []
    for i, row in enumerate((products.double() / limit).tolist()):
        cells = []
        for j, share in enumerate(row):
            given = "" if are_many else _factors(pixels[i][j], rounded[i][j], weights[i][j])
            colour = tint(share)
            style = f"background:{colour};color:{ink(colour)}"
            cells.append(f'<td style="{style}">{minus(given)}<b>{minus(results[i][j])}</b></td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    size = " ck-many" if are_many else ""
    body = "".join(rows)
    return f'<table class="ck-tiles{size}" role="table" aria-label="products">{body}</table>'


def _factors(pixel: str, rounded: str, weight: str) -> str:
    """Return "0.647 × -2", with the pixel rounded further where there is no space for it."""
    text = f"{pixel} × {weight}"
    return text if len(text) <= LONGEST_FACTORS else f"{rounded} × {weight}"


def sum_line(
    patch: Tensor, K: Tensor, total: Tensor, cell: tuple[int, int], total_text: str = ""
) -> str:
    """Return the sum of the products of a window, as HTML that ends in the output cell's name.

    A sum of few terms is written with its factors, one of more with its products, where those with
    weight 0 are left out, and one of very many as their number. `total_text` takes the place of the
    total where more digits are wanted.

    Examples
    --------
    >>> import torch
    >>> patch, K = torch.tensor([[2.0, 3.0]]), torch.tensor([[1.0, -1.0]])
    >>> sum_line(patch, K, torch.tensor(-1.0), (0, 4))
    '2×1 + 3×(−1) <span>= <b>−1</b> = Y[0, 4]</span>'
    """
    if K.numel() <= MAX_FACTORS:
        [line] = formatting.window_sums(patch.reshape(1, -1), K, total.reshape(1))
        terms, sign, text = line.rsplit(" ", 2)
    else:
        terms, sign, text = _product_sum(patch, K, total)
    if total_text and minus(total_text) != minus(text):  # it has more digits
        sign, text = "≈", total_text
    result = f"<span>{sign} <b>{text}</b> = Y[{cell[0]}, {cell[1]}]</span>"
    return minus(f"{escape(terms)} {result}")


def compared_sums(line: str, name: str, given: str, cell: tuple[int, int]) -> str:
    """Return convkit's `sum_line` and what a learner's function gives for the cell, as HTML.

    Examples
    --------
    >>> compared_sums("1 + 1 = 2", "mine", "3", (0, 4))
    '<i>convkit</i><span>1 + 1 = 2</span><i>mine (yours)</i><span>Y[0, 4] = <b ...>3</b></span>'
    """
    theirs = f'Y[{cell[0]}, {cell[1]}] = <b class="ck-theirs">{minus(given)}</b>'
    rows = ("convkit", line), (f"{escape(name)} (yours)", theirs)
    return "".join([f"<i>{who}</i><span>{said}</span>" for who, said in rows])


def _product_sum(patch: Tensor, K: Tensor, total: Tensor) -> tuple[str, str, str]:
    """Return "0.50 - 0.25", "=" and "0.25": the products of weights that are not 0, and `total`.

    The sign is "≈" where the rounded numbers do not add up.
    """
    products = (patch * K)[K != 0]
    if products.numel() > MAX_TERMS:
        return f"sum of {K.numel()}", "=", formatting.number(total)
    *texts, text = _product_texts(torch.cat((products, total.reshape(1))).reshape(1, -1))[0]
    texts = texts or ["0"]
    terms = torch.tensor([[float(term) for term in texts]], dtype=torch.float64)
    [is_exact] = formatting.add_up(terms, torch.tensor([float(text)], dtype=torch.float64))
    joined = " +\N{NO-BREAK SPACE}".join(texts).replace(
        "+\N{NO-BREAK SPACE}-", "-\N{NO-BREAK SPACE}"
    )
    return joined, "=" if is_exact else "≈", text


def _product_texts(products: Tensor) -> list[list[str]]:
    """Return the numbers of products (H, W): with two decimals, or where all are small, digits."""
    if products.abs().max() < SMALL:
        return formatting.numbers(products, 2)
    return formatting.shorts(products)
