"""The products of a window: each number, colour and sum against plain arithmetic."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convkit.views.html import tint
from convkit.views.products import product_tiles, sum_line

TILE = r'<td style="background:(#\w+);color:(#\w+)">(.*?)<b>(.*?)</b></td>'


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 99), st.sampled_from([1.0, 0.001]))
def test_each_tile_holds_pixel_weight_and_product(rows, columns, seed, scale):
    generator = torch.Generator().manual_seed(seed)
    patch, K = torch.randn(2, rows, columns, generator=generator)
    K = K * scale
    tiles = re.findall(TILE, product_tiles(patch, K, 2.0).replace("−", "-"))
    assert len(tiles) == rows * columns
    for (_, _, factors, text), x, k in zip(
        tiles, patch.flatten().tolist(), K.flatten().tolist(), strict=True
    ):
        assert float(text) == pytest.approx(x * k, abs=0.051 * max(0.1, abs(x * k)))
        assert bool(factors) == (rows * columns <= 16)
        if factors:
            pixel, weight = factors.split(" × ")
            assert float(pixel) == pytest.approx(x, abs=0.051)
            assert float(weight) == pytest.approx(k, rel=0.01)


def test_tiles_have_the_colours_of_the_key():
    html = product_tiles(torch.tensor([[2.0, -1.0, 9.0]]), torch.ones(1, 3), 2.0)
    assert [tile[0] for tile in re.findall(TILE, html)] == [tint(1), tint(-0.5), tint(1)]


@pytest.mark.parametrize(
    ("patch", "K", "text"),
    [
        ([[2.0, 3.0]], [[1.0, -1.0]], "2×1 + 3×(−1) = −1 = Y[0, 4]"),
        ([[1.0, 2, 3, 4, 0.5]], [[1.0, -1, 0, 0, -1]], "1 − 2 − 0.50 = −1.50 = Y[0, 4]"),
        ([[1.0] * 5], [[0.0] * 5], "0 = 0 = Y[0, 4]"),
        ([[1 / 3] * 5], [[1.0] * 5], "0.33 + 0.33 + 0.33 + 0.33 + 0.33 ≈ 1.67 = Y[0, 4]"),
        ([[1.0] * 14], [[0.5] * 14], "sum of 14 = 7 = Y[0, 4]"),
    ],
)
def test_a_sum_is_written_with_factors_products_or_their_number(patch, K, text):
    patch, K = torch.tensor(patch), torch.tensor(K)
    html = sum_line(patch, K, (patch * K).sum(), (0, 4))
    assert re.sub("<[^>]*>", "", html).replace("\N{NO-BREAK SPACE}", " ") == text
