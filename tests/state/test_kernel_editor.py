"""KernelEditorState and its compute(): output, code, comparison with a learner's function."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convkit import ConvkitError, corr2d, photo, stripes
from convkit.images import PICTURES, picture, sampled
from convkit.kernels import kernel
from convkit.state.kernel_editor import (
    MAX_SHOWN_SIDE,
    MAX_SIDE,
    KernelEditorState,
    compute,
    file_fields,
    input_fields,
)

PAIRS = st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3))
OPTIONS = st.fixed_dictionaries(
    {
        "padding": st.integers(0, 3) | st.tuples(st.integers(0, 3), st.integers(0, 3)),
        "stride": PAIRS,
        "dilation": PAIRS,
        "flip": st.booleans(),
    }
)


def state(X=None, K=None, **fields):
    X = stripes() if X is None else X
    return KernelEditorState(X, kernel("Sobel x") if K is None else K, **fields)


def run(code):
    names = {}
    exec(code, names)
    return names


@settings(max_examples=60)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from([torch.float32, torch.float64]),
    OPTIONS,
)
def test_output_and_code_are_torchs_own_convolution(shape, size, dtype, options):
    generator = torch.Generator().manual_seed(sum(shape))
    X, K = (torch.randn(s, generator=generator, dtype=dtype) / 3 for s in (shape, size))
    try:
        result = compute(state(X, K, **options))
    except ConvkitError:
        assume(False)
    W = K.flip(0, 1) if options["flip"] else K
    how = {name: options[name] for name in ("padding", "stride", "dilation")}
    torch.testing.assert_close(result.output, F.conv2d(X[None, None], W[None, None], **how)[0, 0])
    names = run(result.state.code)
    assert torch.equal(names["Y"], result.output) and names["Y"].dtype == dtype


@pytest.mark.parametrize("name", PICTURES)
def test_a_named_picture_is_recognised_and_its_code_names_it(name):
    fields = input_fields(picture(name))
    assert fields["picture"] == name
    code = KernelEditorState(K=kernel("Sobel x"), **fields).code
    assert "X = convkit." in code
    assert torch.equal(run(code)["X"], picture(name))


def test_another_input_brings_its_dtype_and_loses_the_name():
    first = KernelEditorState(K=kernel("Sobel x"), **input_fields(stripes()))
    other = replace(first, **input_fields(torch.rand(4, 4).double()))
    assert (other.picture, other.source) == ("your own", None)
    assert other.K.dtype == torch.float64


def test_a_file_is_scaled_down_named_and_quoted_in_the_code(tmp_path, monkeypatch):
    from PIL import Image

    path = tmp_path / "it's.png"
    Image.new("L", (900, 30), 128).save(path)
    fields = file_fields(path.name, path.read_bytes())
    assert tuple(fields["X"].shape) == (20, MAX_SIDE)
    assert fields["picture"] == "file it's.png, shrunk from 30 × 900"
    monkeypatch.chdir(tmp_path)
    result = compute(state(**fields))
    assert torch.equal(run(result.state.code)["Y"], result.output)
    assert result.verdict.endswith("Input: file it's.png, shrunk from 30 × 900.")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"padding": -1}, "padding is -1"),
        ({"stride": 0}, "stride is 0"),
        ({"dilation": (1, 2, 3)}, r"dilation is \(1, 2, 3\)"),
        ({"padding": MAX_SIDE + 1}, "at most 600"),
        ({"stride": (1, 10**20)}, "stride is"),
        ({"flip": 1}, "True or False"),
        ({"K": torch.ones(8, 1)}, "at most 7 rows and columns"),
        ({"K": torch.tensor([[math.nan]])}, r"K\[0, 0\] is nan"),
        ({"X": torch.full((3, 3), math.inf)}, r"X\[0, 0\] is inf"),
        ({"X": torch.ones(2, 2), "K": torch.ones(3, 3)}, "no larger than the padded input"),
        ({"X": torch.ones(9, 9), "K": torch.full((3, 3), 3e38)}, "overflows"),
    ],
)
def test_what_cannot_work_is_refused_in_words(fields, words):
    with pytest.raises(ConvkitError, match=words):
        compute(state(**fields))


def test_an_input_that_is_set_without_a_name_loses_the_old_one():
    first = compute(KernelEditorState(K=kernel("Sobel x"), **input_fields(photo(128))))
    other = compute(replace(first.state, X=torch.rand(5, 5)), first)
    assert (other.state.picture, other.state.source) == ("your own", None)
    named = compute(replace(first.state, X=stripes()), first)
    assert named.state.picture == "stripes 6 × 8"


@pytest.mark.parametrize("at", [(-1, 0), 1.5, (1, 2, 3), "a"])
def test_a_cell_that_cannot_be_is_refused(at):
    with pytest.raises(ConvkitError, match="at is"):
        state(at=at)


@pytest.mark.parametrize("X", [5, None, [[1.0]]])
def test_an_input_that_is_no_tensor_is_refused(X):
    with pytest.raises(ConvkitError, match="X is a"):
        KernelEditorState(X, torch.ones(1, 1))


def test_equal_pairs_become_one_number():
    made = state(padding=[2, 2], stride=(1, 2))
    assert made.options == {"padding": 2, "stride": (1, 2), "dilation": 1}


def test_the_window_shown_is_inside_the_output_and_in_the_middle_of_a_new_photo():
    small = compute(state(at=(5, 7)))
    assert small.state.at == (3, 5)
    large = compute(replace(small.state, X=photo(128), at=None), small)
    assert large.state.at == (63, 63)
    moved = compute(replace(large.state, at=(1, 2)), large)
    assert moved.state.at == (1, 2) and moved.output is large.output
    assert compute(replace(moved.state, K=torch.ones(2, 2)), moved).state.at == (1, 2)
    assert compute(state(X=photo(128))).state.at == (63, 63)


@pytest.mark.parametrize(
    "options", [{}, {"padding": (1, 4)}, {"stride": 2, "flip": True}, {"dilation": (3, 1)}]
)
def test_of_a_large_output_the_pixels_shown_come_first(options):
    result = compute(state(X=photo(), K=torch.randn(3, 2), **options))
    torch.testing.assert_close(result.correlation.shown, sampled(result.output, MAX_SHOWN_SIDE))
    assert max(result.correlation.shown.shape) <= MAX_SHOWN_SIDE


# A learner's function


def verdict(operation, **fields):
    return compute(state(**fields), operation=operation)


def test_a_function_that_agrees_and_one_that_differs():
    def differs(X, K):
        Y = corr2d(X, K)
        Y[1, 2] += 1
        return Y

    assert verdict(lambda X, K: corr2d(X, K)).verdict.endswith("in all 24 cells.")
    result = verdict(differs)
    assert result.mismatch.nonzero().tolist() == [[1, 2]] and not result.agrees
    assert "differs differs from convkit in 1 of 24 cells" in result.verdict
    assert "The first, Y[1, 2], is 1, not 0." in result.verdict


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((slice(None), 0), "in 4 of 24 cells, marked ≠, all in column 0. The first"),
        ((-1, slice(None)), "in 6 of 24 cells, marked ≠, all in row 3, the last. The first"),
        ((slice(1, 3), slice(1, 3)), "in 4 of 24 cells, marked ≠. The first"),
    ],
)
def test_where_a_function_differs_is_said_and_its_own_output_is_shown(place, words):
    def differs(X, K):
        Y = corr2d(X, K)
        Y[place] += 1
        return Y

    result = verdict(differs)
    assert result.output.shape == (4, 6) and words in result.verdict
    assert torch.equal(result.shown, differs(result.state.X, result.state.K))


class Doubled(torch.nn.Module):
    def forward(self, X, K):
        return corr2d(X, K)


def in_place(X, K):
    X.mul_(2)
    return corr2d(X / 2, K)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (lambda X, K: 1 / 0, "ZeroDivisionError"),
        (lambda X, K: None, "is there a return"),
        (lambda X, K: X, "returned 6 × 8"),
        (lambda X, K: X[0, 0], "a single number"),
        (lambda X, K: corr2d(X, K) * math.nan, "inf or nan"),
        (lambda X, K: corr2d(X, K).to(torch.complex64), "complex"),
        (in_place, "changed its input in place"),
        (lambda X, K: corr2d(X, K).to_sparse(), "layout torch.sparse_coo"),
        (lambda X, K: corr2d(X, K).to("meta"), "device meta"),
    ],
)
def test_a_function_that_fails_is_part_of_the_result(operation, words):
    result = verdict(operation)
    assert words in result.verdict and result.candidate is None and not result.agrees
    assert torch.equal(result.output, corr2d(stripes(), kernel("Sobel x")))
    assert result.verdict.endswith("What you see is convkit's own output.")
    assert result.verdict in result.summary


def test_only_what_differs_from_the_defaults_is_passed():
    assert verdict(Doubled()).agrees
    assert "TypeError" in verdict(Doubled(), padding=1).verdict
    assert verdict(corr2d_with_padding, padding=1).agrees


def corr2d_with_padding(X, K, padding=0):
    return corr2d(X, K, padding=padding)


def loop(X, K):
    Y = torch.zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1, dtype=X.dtype)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + K.shape[0], j : j + K.shape[1]] * K).sum()
    return Y


def random_problem(dtype, scale):
    generator = torch.Generator().manual_seed(0)
    X = torch.rand(9, 9, generator=generator)
    K = scale * torch.randn(7, 7, generator=generator)
    return {"X": X.to(dtype), "K": K.to(dtype)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3])
def test_the_order_of_sums_is_no_mismatch(dtype, scale):
    assert verdict(loop, **random_problem(dtype, scale)).agrees


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3])
def test_zeros_are_a_mismatch_at_any_scale(scale):
    result = verdict(lambda X, K: 0 * loop(X, K), **random_problem(torch.float32, scale))
    assert result.mismatch.all()


def test_the_summary_names_all_and_is_the_same_twice():
    made = KernelEditorState(K=kernel("Sobel x"), **input_fields(stripes()), padding=1)
    lines = compute(made).summary.splitlines()
    assert lines == compute(made).summary.splitlines()
    assert lines[0] == "cross-correlation, padding 1, stride 1, dilation 1"
    assert lines[1].startswith("input (stripes 6 × 8): 6 × 8, from 0 to 1")
    assert lines[2].startswith("kernel (Sobel x): 3 × 3, from -2 to 2")
    assert lines[3].startswith("output: 6 × 8, from -4 to 4")
