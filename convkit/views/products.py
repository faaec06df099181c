"""What happens in one window, in numbers: pixel × weight in each cell, and their sum."""

from __future__ import annotations

from html import escape

from torch import Tensor

from convkit import formatting
from convkit.views.html import ink, minus, tint

MAX_TILES = 16
"""The most products that are written with their factors; of more, only the products are."""
MAX_FACTORS = 4
"""The most terms of a sum that are written with their factors."""
MAX_TERMS = 12
"""The most products that a sum is written with."""
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
    '<table class="ck-tiles" ...><tr><td style=...>0.50 × 2<b>1</b></td></tr></table>'
    """
    products = patch * K
    factors = (formatting.shorts(patch), formatting.numbers(K, 3))
    results = _product_texts(products)
    rows = []
    for i, row in enumerate((products.double() / limit).tolist()):
        cells = []
        for j, share in enumerate(row):
            given = f"{factors[0][i][j]} × {factors[1][i][j]}" if K.numel() <= MAX_TILES else ""
            colour = tint(share)
            style = f"background:{colour};color:{ink(colour)}"
            cells.append(f'<td style="{style}">{minus(given)}<b>{minus(results[i][j])}</b></td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    size = "" if K.numel() <= MAX_TILES else " ck-many"
    body = "".join(rows)
    return f'<table class="ck-tiles{size}" role="table" aria-label="products">{body}</table>'


def sum_line(patch: Tensor, K: Tensor, total: Tensor, cell: tuple[int, int]) -> str:
    """Return the sum of the products of a window, as HTML that ends in the output cell's name.

    A sum of few terms is written with its factors, one of more with its products, where those with
    weight 0 are left out, and one of very many as their number.

    Examples
    --------
    >>> import torch
    >>> patch, K = torch.tensor([[2.0, 3.0]]), torch.tensor([[1.0, -1.0]])
    >>> sum_line(patch, K, torch.tensor(-1.0), (0, 4))
    '2×1 + 3×(−1) <span>= <b>−1</b> = Y[0, 4]</span>'
    """
    if K.numel() <= MAX_FACTORS:
        terms = formatting.window_sums(patch.reshape(1, -1), K)[0].rpartition(" = ")[0]
    else:
        terms = _product_terms(patch, K)
    result = f"<span>= <b>{formatting.number(total)}</b> = Y[{cell[0]}, {cell[1]}]</span>"
    return minus(f"{escape(terms)} {result}")


def _product_terms(patch: Tensor, K: Tensor) -> str:
    """Return "0.5 - 0.25 + 1": the products of all weights that are not 0."""
    products = (patch * K)[K != 0]
    if products.numel() > MAX_TERMS:
        return f"sum of {K.numel()} products"
    if not products.numel():
        return "0"
    texts = _product_texts(products.reshape(1, -1))[0]
    return " + ".join(texts).replace("+ -", "- ")


def _product_texts(products: Tensor) -> list[list[str]]:
    """Return the numbers of products (H, W): with two decimals, or where all are small, digits."""
    if products.abs().max() < SMALL:
        return formatting.numbers(products, 2)
    return formatting.shorts(products)
