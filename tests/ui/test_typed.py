"""Reading what is typed or pasted."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convkit.ui.typed import InvalidInput, read_block, read_number, read_pair, write_pair


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_back(number):
    assert read_number("x", repr(number), torch.float64, 0) == number


@given(st.text(max_size=60))
def test_any_text_is_a_finite_number_or_refused_in_words(text):
    try:
        assert torch.tensor(read_number("the box", text, torch.float32, 2.5)).isfinite()
    except InvalidInput as error:
        assert str(error).startswith("the box is ") and "it keeps 2.5" in str(error)
        assert len(str(error)) < 250


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_number_has_to_fit_the_dtype(dtype):
    largest = torch.finfo(dtype).max
    assert read_number("x", repr(largest), dtype, 0) == largest
    with pytest.raises(InvalidInput, match=f"too large for {dtype}"):
        read_number("x", f"{int(largest)}0", dtype, 0)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0,5", 0.5),
        ("−1,5e−3", -1.5e-3),
        ("‑2", -2),
        (".5", 0.5),
        ("1,", 1),
        ("12\xa0345,5", 12345.5),
    ],
)
def test_ways_to_write_a_number(text, number):
    assert read_number("x", text, torch.float64, 0) == number


@pytest.mark.parametrize(
    "text", ["1_0", "1,000.5", "1.000,5", "1,2,3", "1e400/1e400", "0x1", "(1)"]
)
def test_what_is_no_number(text):
    with pytest.raises(InvalidInput, match="x is '"):
        read_number("x", text, torch.float64, 0)


def test_a_comma_between_thousands_is_told_apart_from_a_decimal_one():
    assert read_number("x", "0,125", torch.float64, 0) == 0.125
    with pytest.raises(InvalidInput, match="x is '1,125', whose comma may stand between thousands"):
        read_number("x", "1,125", torch.float64, 0)


def test_a_fraction_needs_both_parts():
    assert read_number("x", "-3/4", torch.float32, 0) == -0.75
    for text in ("3/", "/4", "1/0", "1/2/3"):
        with pytest.raises(InvalidInput):
            read_number("x", text, torch.float32, 0)


@given(st.text(max_size=60), st.sampled_from([0, 1]))
def test_any_text_is_a_pair_or_refused_in_words(text, minimum):
    try:
        value = read_pair("stride", text, minimum, (1, 2))
    except InvalidInput as error:
        assert str(error).startswith("stride is ") and "it keeps 1, 2." in str(error)
    else:
        assert min((value,) if isinstance(value, int) else value) >= minimum


@given(st.integers(0, 9) | st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_pairs_are_read_back(value):
    read = read_pair("padding", write_pair(value), 0, 0)
    assert value in (read, (read, read))


@pytest.mark.parametrize("text", ["", "1,", ",1", "1.5", "-1", "1,2,3", "1_0", "9" * 5000, "one"])
def test_what_is_no_pair(text):
    with pytest.raises(InvalidInput, match="a whole number of at least 0"):
        read_pair("padding", text, 0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "1 0 -1\n2 0 -2",
        "tensor([[ 1.,  0., -1.],\n        [ 2.,  0., -2.]])",
        "Parameter containing:\ntensor([[1., 0., -1.],\n [2., 0., -2.]], requires_grad=True)",
        "array([[ 1.,  0., -1.],\n       [ 2.,  0., -2.]], dtype=float32)",
        "K = [[1, 0, -1], [2, 0, -2]]",
        "1\t0\t−1\r\n2\t0\t-2\r\n",
        "1, 0, -1\n2, 0, -2",
        "1;0;-1\n2;0;-2",
        "1\t0\t-1\n2\t0\t-2\n",
        "\t1\t\t0\t-1\t\r\n\t\t\t\t\t\r\n\t2\t\t0\t-2\t\r\n",
        "\xa01\xa0\t0,0\t–1\n2,00\t0\t‑2",
        "1,0;0;-1;\r\n2;,0;-2e0;\r\n",
        "\t1 0 -1\n\t2 0 -2",
        "1,0,-1\n2,0,-2",
        "1 0 -1; 2 0 -2",
        "[[1, 0, -1], [2, 0, -2]]",
        "[[ 1.  0. -1.]\n [ 2.  0. -2.]]",
        "[1 0 -1; 2 0 -2]",
        "((1, 0, -1), (4/2, 0, -2e0))",
    ],
)
def test_ways_to_write_a_block(text):
    assert read_block("kernel", text, torch.float32, 9).tolist() == [[1, 0, -1], [2, 0, -2]]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("0,5\t1,5", [0.5, 1.5]),
        ("0,5;1,5", [0.5, 1.5]),
        ("1;0;-1", [1, 0, -1]),
        ("1\xa0000,5\t−12\u202f345\t1 / 4", [1000.5, -12345, 0.25]),
        ("1.5,2.5", [1.5, 2.5]),
        ("1, 0", [1, 0]),
        ("1,-1", [1, -1]),
        ("[1,0]", [1, 0]),
        ("(1,\t0)", None),
        ("(1)\t2", None),
        ("1,000\t2", None),
        ("1,000.5\t2", None),
        ("1.000,5\t2", None),
        ("1,000.5", None),
        ("1,000,000", None),
        ("0,5", None),
        ("0,5 1,5", None),
        ("1_0 2", None),
        ("1\t\t2\n1\t3\t2", None),
    ],
)
def test_a_comma_is_a_decimal_one_or_separates_or_is_refused(text, row):
    if row is None:
        with pytest.raises(InvalidInput, match="the pasted text holds .*expected .*numbers"):
            read_block("kernel", text, torch.float64, 9)
    else:
        assert read_block("kernel", text, torch.float64, 9).tolist() == [row]


@given(
    st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([".", ","]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_spreadsheet_is_read_back(rows, point, end):
    lines = ["\t".join(f"{cell:.17e}" for cell in row) + end for row in rows]
    text = "".join(lines).replace(".", point).replace("-", "−")
    assert read_block("kernel", text, torch.float64, 9).tolist() == rows


@given(st.text("0123456789,.;-− \t\n[]", max_size=12))
def test_any_pasted_text_is_a_block_or_refused_in_words(text):
    try:
        block = read_block("kernel", text, torch.float64, 99)
    except InvalidInput as error:
        assert str(error).startswith("the pasted text ")
    else:
        assert block.ndim == 2 and block.isfinite().all()


@given(
    st.integers(1, 4).flatmap(
        lambda columns: st.lists(
            st.lists(
                st.floats(width=32, allow_nan=False, allow_infinity=False),
                min_size=columns,
                max_size=columns,
            ),
            min_size=1,
            max_size=4,
        )
    )
)
def test_a_list_is_read_back(rows):
    assert read_block("kernel", str(rows), torch.float32, 16).tolist() == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the pasted text is blank"),
        ("[[]]", "the pasted text is '[[]]'; expected rows of numbers"),
        ("1 2\n3", "rows of 1 and 2 numbers"),
        ("1 two", "the pasted text holds 'two'"),
        ("1 nan", "the pasted text holds 'nan'"),
        ("-[1, 2]", "the pasted text holds '-'"),
        ("[1, 2]\n3", "rows of 1 and 2 numbers"),
        ("1 1e39", "finite in torch.float32"),
        ("1 2 3 4 5", "has 5 numbers; expected at most 4"),
    ],
)
def test_what_is_no_block(text, message):
    with pytest.raises(InvalidInput) as caught:
        read_block("kernel", text, torch.float32, 4)
    assert message in str(caught.value) and "The kernel stays as it is." in str(caught.value)
