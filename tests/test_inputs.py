"""What people pass as an array: every kind against numpy, torch and Pillow, and the refusals."""

import math
from fractions import Fraction

import numpy as np
import pandas
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image
from torch.testing import assert_close

import convkit
from convkit import ConvkitError, open_image
from convkit.inputs import GREY_NOTE, as_array, as_colours, as_picture
from tests.untrusted_images import COLOURS, FILES, GREYS, INK, LEVELS, ONE_STEP, PNG, luma

KEPT = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
CONVERTED = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.uint16,
    torch.uint32,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
]


def assert_array(actual, expected, dtype=torch.float32):
    """An independent, contiguous float tensor on the CPU with these values."""
    assert type(actual) is torch.Tensor
    assert actual.device.type == "cpu"
    assert actual.is_contiguous()
    assert not actual.requires_grad
    assert not actual.is_inference()
    expected = torch.as_tensor(np.asarray(expected), dtype=dtype)
    assert_close(actual, expected, rtol=0, atol=0, equal_nan=True)


# Tensors


@pytest.mark.parametrize("dtype", KEPT + CONVERTED, ids=str)
def test_tensors_of_every_real_dtype(dtype):
    X = torch.tensor([[0, 1, 2], [3, 4, 0]]).to(dtype)
    expected = X.double()
    actual = as_array("X", X)
    assert_array(actual, expected, dtype if dtype in KEPT else torch.float32)
    actual[0, 0] = 5
    assert X.double()[0, 0] == 0


class Subclass(torch.Tensor):
    """As torchvision has for pictures."""


def test_tensors_of_every_make():
    X = torch.arange(6.0).reshape(2, 3)
    with torch.inference_mode():
        assert_array(as_array("X", X), X.numpy())
        made = X.clone()
    conjugate = torch.complex(X, X).conj().imag
    for value, expected in [
        (made, X),
        (X.T, X.T),
        (X.int().T, X.T),
        (X.as_subclass(Subclass), X),
        (X.expand(4, 2, 3)[2], X),
        (torch.nn.Parameter(X), X),
        (X.clone().requires_grad_() * 2, 2 * X),
        (conjugate, -X),
        (torch.tensor([[math.nan, math.inf]]), [[math.nan, math.inf]]),
    ]:
        assert_array(as_array("X", value), np.asarray(torch.as_tensor(expected)))


# Numpy and what is like it


REAL_DTYPES = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.unsigned_integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?", sizes=(16, 32)),
)


@st.composite
def numpy_arrays(draw):
    """Draw an array (H, W) of any real dtype, perhaps read-only, reversed, sparse in memory."""
    shape = draw(npst.array_shapes(min_dims=2, max_dims=2, max_side=5))
    X = draw(npst.arrays(draw(REAL_DTYPES), shape))
    rows, columns = (draw(st.sampled_from([1, 2, -1, -2])) for _ in range(2))
    X = X[::rows, ::columns]
    if draw(st.booleans()):
        X = X.T
    X.flags.writeable = draw(st.booleans())
    return X


@given(numpy_arrays())
def test_numpy_arrays_of_every_real_dtype(X):
    before = X.copy()
    actual, note = as_picture("X", X)
    assert note == ""
    expected = np.array([[np.float32(cell) for cell in row] for row in before.tolist()])
    assert_array(actual, expected)
    actual += 1
    assert np.array_equal(X, before, equal_nan=X.dtype.kind == "f")


def test_other_arrays():
    expected = [[1, 2], [3, 4.5]]
    frame = pandas.DataFrame({"a": [1, 3], "b": [2, 4.5]})
    objects = np.array([[1, Fraction(2)], [3, np.float32(4.5)]], dtype=object)
    for value in (np.longdouble(expected), frame, objects):
        assert_array(as_array("X", value), expected)


# Nested lists


NUMBERS = st.one_of(
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(width=32),
    st.fractions(-9, 9, max_denominator=9),
)


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_nested_lists_of_numbers(height, width, data):
    rows = data.draw(
        st.lists(
            st.lists(NUMBERS, min_size=width, max_size=width), min_size=height, max_size=height
        )
    )
    expected = np.array([[np.float32(float(cell)) for cell in row] for row in rows])
    for value in (rows, tuple(map(tuple, rows))):
        assert_array(as_array("X", value), expected)


def test_lists_of_arrays_and_ranges():
    X = torch.arange(6.0).reshape(2, 3)
    for value in (
        list(X),
        list(X.clone().requires_grad_()),
        list(X.numpy()),
        [list(row) for row in X],
        [range(3), [3, np.int8(4), torch.tensor(5)]],
    ):
        assert_array(as_array("X", value), X)


# Pictures


def pillow_pictures():
    """Return pictures of every mode that Pillow converts colours to."""
    modes = ["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV"]
    return [Image.fromarray(COLOURS).convert(mode) for mode in modes]


@pytest.mark.parametrize("image", pillow_pictures(), ids=lambda image: image.mode)
def test_pillow_pictures(image):
    actual, note = as_picture("X", image)
    assert torch.equal(actual, open_image(image))
    assert note == ("" if image.mode in ("1", "L", "LA") else GREY_NOTE)


@pytest.mark.parametrize("image", pillow_pictures(), ids=lambda image: image.mode)
def test_a_grey_picture_in_a_mode_with_colours_needs_no_word(image):
    mode = image.mode
    actual, note = as_picture("X", Image.fromarray(GREYS).convert("L").convert(mode))
    assert note == ""
    assert actual.shape == GREYS.shape


def test_whole_numbers_keep_their_values_and_pictures_do_not():
    assert_array(as_array("X", GREYS), GREYS)
    assert_array(as_array("X", torch.from_numpy(GREYS)), GREYS)
    assert_array(as_array("X", LEVELS), LEVELS)
    assert_close(as_array("X", Image.fromarray(GREYS)), torch.from_numpy(GREYS / 255).float())


@pytest.mark.parametrize("kind", FILES)
def test_files(kind, tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(FILES[kind])
    expected = GREY_NOTE if kind in ("PNG", "WEBP", "BMP") else ""
    for source in (path, str(path), FILES[kind], bytearray(FILES[kind])):
        actual, note = as_picture("X", source)
        assert torch.equal(actual, open_image(path))
        assert note == expected


def test_whole_colours_become_what_the_file_of_them_does():
    for colours in (COLOURS, np.dstack([COLOURS, GREYS])):
        expected = open_image(Image.fromarray(colours))
        for value in (colours, torch.from_numpy(colours), colours[::-1][::-1]):
            actual, note = as_picture("X", value)
            assert torch.equal(actual, expected)
            assert note == GREY_NOTE
    first = torch.from_numpy(COLOURS).permute(2, 0, 1)
    assert torch.equal(as_array("X", first), open_image(PNG))
    assert torch.equal(as_array("X", first.numpy()), open_image(PNG))


@pytest.mark.parametrize("dtype", [*KEPT, np.float32, np.float64], ids=str)
def test_colours_from_0_to_1_have_the_luma_of_files(dtype):
    if isinstance(dtype, torch.dtype):
        value, kept = (torch.from_numpy(COLOURS) / 255).to(dtype), dtype
    else:
        value, kept = (COLOURS / 255).astype(dtype), torch.float32
    tolerance = ONE_STEP if kept in (torch.float32, torch.float64) else 0.01
    for colours in (value, np.moveaxis(value, 2, 0) if kept is not dtype else value.movedim(2, 0)):
        actual, note = as_picture("X", colours)
        assert actual.dtype == kept
        expected = torch.from_numpy(luma(COLOURS)).to(kept)
        assert_close(actual, expected, rtol=0, atol=tolerance)
        assert note == GREY_NOTE


def test_colours_are_kept_where_they_are_asked_for():
    expected = torch.from_numpy(COLOURS).movedim(2, 0).float() / 255
    shares, half = COLOURS / 255, np.full((*COLOURS.shape[:2], 1), 0.5)
    for value in (
        Image.fromarray(COLOURS),
        COLOURS,
        shares,
        expected,
        np.dstack([COLOURS, 0 * GREYS]),
    ):
        assert_close(as_colours("X", value), expected, rtol=0, atol=1e-6)
    assert_close(as_colours("X", np.dstack([shares, half])), 0.5 + 0.5 * expected)
    halves = Image.fromarray(np.dstack([COLOURS, 0 * GREYS + 128]))
    assert_close(as_colours("X", halves), 1 - (1 - expected) * 128 / 255, rtol=0, atol=ONE_STEP)
    for grey in (Image.fromarray(GREYS), torch.eye(3), np.dstack([GREYS] * 3)):
        assert torch.equal(as_colours("X", grey), as_array("X", grey))


def test_transparent_colours_are_laid_on_white():
    expected = torch.tensor([[0, 127 / 255, 1]])
    opaque = np.concatenate([INK, INK])  # of one row the colours could be a row of numbers
    for value in (opaque, opaque / 255):
        actual, note = as_picture("X", value)
        assert_close(actual, expected.expand(2, 3), rtol=0, atol=1e-6)
        assert note == ""


@given(st.data())
def test_grey_of_any_colours_lies_between_them(data):
    shape = data.draw(st.sampled_from([(4, 5, 3), (3, 4, 5), (2, 6, 4)]))
    colours = data.draw(npst.arrays(np.float64, shape, elements=st.floats(0, 1, width=32)))
    if shape[2] == 4:
        colours[..., 3] = 1
    channels = np.moveaxis(colours, 0, 2) if shape[0] == 3 else colours[..., :3]
    actual, note = as_picture("X", colours)
    low, high = (torch.from_numpy(f(channels, axis=2)).float() for f in (np.min, np.max))
    assert ((actual >= low - 1e-6) & (actual <= high + 1e-6)).all()
    assert note == (GREY_NOTE if (np.ptp(channels, axis=2) > 0).any() else "")


# What is refused


COLOUR_VALUES = np.linspace(-2, 3, 6 * 8 * 3).reshape(6, 8, 3)
RAGGED = np.array([None, None], dtype=object)
RAGGED[:] = [[1, 2], [3]]


@pytest.mark.parametrize(
    ("X", "given", "code"),
    [
        (None, "X is None", "torch.zeros(6, 8)"),
        ({1, 2}, "X is {1, 2}", "torch.zeros(6, 8)"),
        (3.5, "X is 3.5", "torch.zeros(6, 8)"),
        ("Sobel x", "X is 'Sobel x'", "convkit.kernel('Sobel x')"),
        ("book's [1, -1]", 'X is "book', 'convkit.kernel("book\'s [1, -1]")'),
        ("ramp 6 × 9", "X is 'ramp 6 × 9'", "convkit.images.picture('ramp 6 × 9')"),
        ([1, 2], "X[0] is 1", "[X]"),
        (torch.tensor([1, 2]), "X has shape (2,)", "X.reshape(1, -1)"),
        (np.array([1, 2]), "X has shape (2,)", "X.reshape(1, -1)"),
        (np.float64(3), "X has shape ()", "X.reshape(1, -1)"),
        (torch.ones(2, 6, 8), "X has shape (2, 6, 8)", "X[0]"),
        (np.ones((2, 6, 8)), "X has shape (2, 6, 8)", "X[0]"),
        (np.ones((1, 1, 6, 8)), "X has shape (1, 1, 6, 8)", "X[0, 0]"),
        (np.ones((6, 8, 1)), "X has shape (6, 8, 1)", "X[:, :, 0]"),
        ([[[1, 2]], [[3, 4]]], "X[0][0] is [1, 2]", "X[0]"),
        (COLOURS.tolist(), "X[0][0] is [", 'np.array(X, dtype="uint8")'),
        (COLOUR_VALUES, "in colour, with values from -2 to 3", "X[:, :, 0]"),
        (COLOURS / -255, "in colour, with values from -0.976471 to -0", "X[:, :, 0]"),
        (COLOURS.astype(int), "in colour, with values from 0 to 249", "X[:, :, 0]"),
        (torch.tensor(COLOUR_VALUES).movedim(2, 0), "X looks like a picture in colour", "X[0]"),
        (COLOUR_VALUES * math.nan, "from nan to nan", "X[:, :, 0]"),
        (torch.ones(2, 3) * 1j, "X has dtype torch.complex64", "X.real.float()"),
        (torch.ones(2, 3, 3) * 1j, "X has shape (2, 3, 3)", "X[0]"),
        (np.ones((2, 3)) * 1j, "X is an array of dtype complex128", "X.real"),
        (np.array([["1", "2.5"]]), "X is an array of dtype <U3", 'X.astype("float32")'),
        (np.ma.array([[1, 2]], mask=[[0, 1]]), "X is a masked array", "X.filled(0)"),
        ([[1e300]], "too large for float32, up to 1e+300", "torch.tensor(np.array(X, dtype"),
        (np.array([[-1e300, math.inf]], ">f8"), "up to 1e+300", "torch.tensor(np.array(X, dtype"),
        (torch.eye(3).to_sparse(), "X is a sparse, nested or masked tensor", "X.to_dense()"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_refusal_names_the_argument_its_value_and_what_works(X, given, code):
    with pytest.raises(ConvkitError) as error:
        as_array("X", X)
    assert given in error.value.given
    assert code in error.value.hint
    assert len(str(error.value)) < 400
    if "np.array(X, dtype" in code:
        code = error.value.hint.rstrip(".").rsplit("rite ", 1)[1]
    names = {"torch": torch, "convkit": convkit, "np": np, "X": X}
    if code == "X[0]" and getattr(X, "dtype", None) == torch.complex64:
        code = "X[0].real"  # the next message says that
    assert as_array("X", eval(code, names)).ndim == 2


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.tuples(inner, inner)),
        max_leaves=12,
    )
)
def test_anything_else_gives_an_array_or_an_error_in_words(value):
    try:
        actual = as_array("X", value)
    except ConvkitError as error:
        assert error.given.startswith(("X is ", "X[", "X: ", "X has "))
        assert len(str(error)) < 500
    else:
        assert actual.ndim == 2
