"""What happens in windows, in numbers: pixel × weight in each cell, and their sums."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from convkit import formatting
from convkit.formatting import minus
from convkit.ops import FLOAT64
from convkit.ui import Node, Scale, cells

MAX_TILES = 16
"""The most products that are written with their factors; of more, only the products are."""
MAX_FACTORS = 4
"""The most terms of a sum that are written with their factors."""
TIED = "\N{NO-BREAK SPACE}"
"""Between a sign and its number, so that a line ends before both."""
MAX_TERMS = 12
"""The most products that a sum is written with."""


def tiles(patch: Tensor, K: Tensor, limit: float) -> Node:
    r"""Return a table of the products of a window and a kernel, under their factors.

    Parameters
    ----------
    patch, K : Tensor
        The window of the input and the weights that lie on it, both (kH, kW).
    limit : float
        The value of the darkest colour.

    Examples
    --------
    >>> tiles(torch.tensor([[0.5]]), torch.tensor([[2.0]]), 1).texts
    ('0.5 × 2\n1',)
    """
    products, are_many = patch * K, K.numel() > MAX_TILES
    texts = _flat(formatting.cell_texts(products) if are_many else short_texts(products))
    if not are_many:
        pixels, weights = (_flat(formatting.cell_texts(each, 4)) for each in (patch, K))
        factors = zip(pixels, weights, texts, strict=True)
        texts = [f"{pixel} × {weight}\n{product}" for pixel, weight, product in factors]
    classes = Scale.centred(limit).classes(products)
    return cells("products", texts, classes, K.shape[1])


def sums(patches: Tensor, K: Tensor, totals: Tensor) -> list[str]:
    r"""Return the arithmetic of output cells; "≈" where the rounded numbers do not add up.

    A sum of few terms is written with its factors, one of more with its products, where those with
    weight 0 are left out, and one of very many as their number.

    Parameters
    ----------
    patches, K : Tensor
        The windows, (n, kH, kW), and the weights that lie on them, (kH, kW).
    totals : Tensor
        The output cells, (n,).

    Examples
    --------
    >>> K = torch.tensor([[1.0, -1.0, 0.0, 0.5, 2.0]])
    >>> sums(torch.ones(1, 1, 5), K, torch.tensor([2.5]))
    ['1 −\xa01 +\xa00.5 +\xa02 = 2.5']
    """
    if K.numel() <= MAX_FACTORS:
        return formatting.window_sums(patches.flatten(1), K, totals)
    products = (patches * K)[:, K != 0] if K.any() else totals[:, None]
    if products.shape[1] > MAX_TERMS:
        return [f"sum of {K.numel()} = {minus(formatting.number(total))}" for total in totals]
    terms = torch.cat((products, totals[:, None]), 1)
    rows = formatting.series_texts(terms[:, None], _chars(terms))
    numbers = torch.tensor([[_read(text) for text in row] for [row] in rows], **FLOAT64)
    exact = formatting.add_up(numbers[:, :-1], numbers[:, -1])
    return [_product_sum(*row, is_exact=e) for [row], e in zip(rows, exact, strict=True)]


def _product_sum(*texts: str, is_exact: bool) -> str:
    """Return "1 − 0.5 = 0.5", given the products and the total."""
    *products, total = texts
    terms = f" +{TIED}".join(products).replace(f"+{TIED}−", f"−{TIED}")
    return f"{terms} {'=' if is_exact else '≈'} {total}"


def short_texts(values: Tensor) -> list[list[str]]:
    """Return each value of a (H, W) tensor in four characters, and where one is negative five.

    Examples
    --------
    >>> short_texts(torch.tensor([[2 / 3, 1.0]])), short_texts(torch.tensor([[2 / 3, -1.0]]))
    ([['0.67', '1']], [['0.67', '−1']])
    """
    return formatting.cell_texts(values, _chars(values))


def _chars(values: Tensor) -> int:
    return 5 if (values < 0).any() else 4


def _flat(rows: Sequence[Sequence[str]]) -> list[str]:
    return [text for row in rows for text in row]


def _read(text: str) -> float:
    return float(text.replace("−", "-"))
