"""A setting: its output, its code and its sums agree, and nothing impossible passes."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import convkit
from convkit import ConvkitError, convolve2d, corr2d, stripes
from convkit.images import PICTURES, picture
from convkit.kernels import KERNELS, kernel
from convkit.state.setting import LARGEST_SIDE, YOURS, Setting, code_of, own

NUMBERS = st.floats(-9, 9, width=32)
DTYPES = st.sampled_from([torch.float32, torch.float64])


def arrays(rows, columns):
    """Draw a (H, W) tensor with any bits that its dtype holds."""

    def array(shape, dtype):
        cells = st.lists(NUMBERS, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
        third = torch.tensor(1 / 3, dtype=dtype)
        return cells.map(lambda made: (torch.tensor(made, dtype=dtype) * third).reshape(shape))

    shapes = st.tuples(st.integers(1, rows), st.integers(1, columns))
    return st.tuples(shapes, DTYPES).flatmap(lambda drawn: array(*drawn))


OPTIONS = st.fixed_dictionaries(
    {
        "padding": st.integers(0, 3) | st.tuples(st.integers(0, 3), st.integers(0, 3)),
        "stride": st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "dilation": st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "flip": st.booleans(),
    }
)
SMALL = [name for name in PICTURES if not name.startswith("photo")]
PICTURED = st.sampled_from(SMALL).map(picture)


@settings(max_examples=100)
@given(arrays(9, 9) | st.tuples(PICTURED, DTYPES).map(lambda both: both[0].to(both[1])),
       arrays(4, 4) | st.sampled_from(KERNELS).map(kernel), OPTIONS)  # fmt: skip
def test_the_code_computes_the_output_bit_for_bit(X, K, options):
    setting = Setting.of(X, K, **options)
    try:
        Y = setting.output()
    except ConvkitError:
        assume(False)
    world = {}
    exec(setting.code(), world)
    assert world["Y"].dtype == Y.dtype == X.dtype
    assert torch.equal(world["Y"], Y)
    assert torch.equal(world["X"], X) and torch.equal(world["K"], K.to(X.dtype))


@pytest.mark.parametrize("name", list(PICTURES))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_code_names_a_picture_that_has_a_name(name, dtype):
    setting = Setting.of(picture(name).to(dtype), kernel("Sobel x"))
    assert setting.picture == name and "X = convkit." in setting.code()
    world = {}
    exec(setting.code(), world)
    assert torch.equal(world["Y"], setting.output())


@settings(max_examples=80)
@given(st.integers(1, 9), st.integers(1, 9), OPTIONS)
def test_the_size_sums_are_evaluated(rows, columns, options):
    setting = Setting.of(torch.ones(rows, columns), torch.ones(2, 3), **options)
    try:
        shape = setting.output().shape
    except ConvkitError:
        assume(False)
    for axis, line, n in zip(("rows", "columns"), setting.size_sums(), shape, strict=True):
        name, sums = line.split(": ")
        left, right = sums.replace("×", "*").split(" = ")
        assert name == axis and eval(left, {"floor": math.floor}) == int(right) == n


def test_output_is_corr2d_or_conv2d():
    X, K = torch.rand(6, 7), torch.rand(2, 3)
    options = {"padding": (1, 0), "stride": 2, "dilation": (1, 2)}
    assert torch.equal(Setting.of(X, K, **options).output(), corr2d(X, K, **options))
    assert torch.equal(Setting.of(X, K, flip=True, **options).output(), convolve2d(X, K, **options))


def test_an_overflow_is_refused():
    with pytest.raises(ConvkitError, match="overflows; wanted .*torch.float32"):
        Setting.of(torch.ones(3, 3), torch.full((2, 2), 3e38)).output()


@pytest.mark.parametrize("name", ["padding", "stride", "dilation"])
@pytest.mark.parametrize("value", [LARGEST_SIDE + 1, (1, 10**20), -1, 1.5, "1", None, (1, 2, 3)])
def test_impossible_numbers_are_refused(name, value):
    with pytest.raises(ConvkitError, match=f"^{name} is "):
        Setting.of(torch.ones(3, 3), torch.ones(1, 1), **{name: value}).output()


def test_a_pair_of_one_number_is_that_number_and_a_list_is_copied():
    two, pair = [2, 2], [1, 2]
    setting = Setting.of(torch.ones(3, 3), torch.ones(1, 1), padding=two, stride=pair)
    two[0] = pair[0] = 9
    assert setting.options == {"padding": 2, "stride": (1, 2), "dilation": 1}


def test_the_largest_numbers_work():
    options = dict.fromkeys(("padding", "stride", "dilation"), LARGEST_SIDE)
    assert Setting.of(torch.ones(3, 3), torch.ones(2, 2), **options).output().shape == (2, 2)


@pytest.mark.parametrize("flip", [None, 1, "yes"])
def test_flip_is_true_or_false(flip):
    with pytest.raises(ConvkitError, match="flip is .*True or False"):
        Setting.of(stripes(), torch.ones(1, 1), flip=flip).output()


def test_own_copies_and_refuses():
    mine = torch.nn.Parameter(torch.ones(2, 2))
    copy = own("K", mine)
    with torch.no_grad():
        mine[0, 0] = 7
    assert copy.tolist() == [[1, 1], [1, 1]] and not copy.requires_grad
    for bad in (math.nan, math.inf, -math.inf):
        with pytest.raises(ConvkitError, match=rf"^K\[0, 1\] is {bad}; wanted finite"):
            own("K", torch.tensor([[1.0, bad]]))
    with pytest.raises(ConvkitError, match="K has dtype"):
        own("K", torch.ones(2, 2).int())


def test_another_input_is_recognised_and_brings_its_dtype():
    setting = Setting.of(torch.rand(3, 3), torch.ones(2, 2))
    assert (setting.picture, setting.source) == (YOURS, None)
    other = setting.with_input(stripes().double())
    assert other.picture == "stripes 6 × 8" and other.K.dtype == torch.float64
    assert other.with_input(torch.rand(4, 4)).picture == YOURS


def test_a_file_is_scaled_and_named(tmp_path, monkeypatch):
    X = (torch.arange(900 * 30).reshape(900, 30) % 251 / 250).float()
    data = convkit_png(X)
    (tmp_path / "it's <b>.png").write_bytes(data)
    setting = Setting.of(stripes(), torch.ones(2, 2)).with_file("it's <b>.png", data)
    assert setting.X.shape == (600, 20) and setting.picture == "file it's <b>.png"
    monkeypatch.chdir(tmp_path)
    world = {}
    exec(setting.code(), world)
    assert torch.equal(world["Y"], setting.output())
    # Once its pixels are edited, or another input is chosen, the file is no more its source.
    assert setting.with_input(stripes()).source == "convkit.stripes()"


def convkit_png(X):
    from convkit.views.plots import png

    return png(X)


def test_a_setting_is_the_same_to_the_bit_only():
    setting = Setting.of(stripes(), torch.zeros(2, 2))
    assert setting.same_as(Setting.of(stripes(), torch.zeros(2, 2)))
    others = [
        Setting.of(stripes(), torch.zeros(2, 3)),
        Setting.of(stripes(), torch.full((2, 2), 1e-30)),
        Setting.of(stripes(), torch.zeros(2, 2), flip=True),
        Setting.of(stripes(), torch.zeros(2, 2), padding=1),
        Setting.of(1 - stripes(), torch.zeros(2, 2)),
    ]
    assert not any(setting.same_as(other) for other in others)


def test_code_of_a_large_input_is_what_it_is_told():
    assert code_of(torch.rand(16, 17), "panel.X") == "panel.X"
    assert torch.equal(eval(code_of(X := torch.rand(16, 16), "")), X)
    assert eval(code_of(stripes(), ""), {"convkit": convkit}).shape == (6, 8)
