"""Reading what is typed."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convkit.widgets.typed import HalfTyped, read_number, read_pair, write_pair


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_back(number):
    assert read_number("x", repr(number), torch.float64, 0) == number


@given(st.text(max_size=60))
def test_any_text_is_a_finite_number_or_half_typed(text):
    try:
        assert torch.tensor(read_number("the box", text, torch.float32, 2.5)).isfinite()
    except HalfTyped as error:
        assert str(error).startswith("the box is ") and "it keeps 2.5" in str(error)


@given(st.text(max_size=60), st.sampled_from([0, 1]))
def test_any_text_is_a_pair_or_half_typed(text, least):
    try:
        value = read_pair("stride", text, least, (1, 2))
    except HalfTyped as error:
        assert str(error).startswith("stride is ") and "it keeps 1, 2." in str(error)
    else:
        assert min((value,) if isinstance(value, int) else value) >= least


@given(st.integers(0, 9) | st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_pairs_are_read_back(value):
    read = read_pair("padding", write_pair(value), 0, 0)
    assert read == value or value == (read, read)


@pytest.mark.parametrize("text", ["", "1,", ",1", "1.5", "-1", "1,2,3", "9" * 5000, "one"])
def test_what_is_no_pair(text):
    with pytest.raises(HalfTyped, match="a whole number of at least 0"):
        read_pair("padding", text, 0, 1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_number_must_fit_the_dtype(dtype):
    with pytest.raises(HalfTyped):
        read_number("x", "1e400", dtype, 0)
    with pytest.raises(HalfTyped):
        read_number("x", repr(2 * torch.finfo(dtype).max), dtype, 0)


def test_long_texts_are_cut():
    with pytest.raises(HalfTyped) as caught:
        read_number("x", "z" * 10_000, torch.float32, 0)
    assert len(str(caught.value)) < 200
