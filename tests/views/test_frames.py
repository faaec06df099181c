"""Frames of a descent: every text that a step shows is right, and the whole is small."""

import re

import pytest
import torch

from benchmarks.calls import count_calls
from convkit import QuadraticLoss, corr2d, photo, stripes
from convkit.descent import record
from convkit.kernels import kernel
from convkit.views.frames import LAST_STEP, fits_table, step_frames
from convkit.views.html import signed_classes

EDGE = torch.tensor([[1.0, -1.0]])


def descent(X=None, K=EDGE, steps=5, lr=0.03):
    X = stripes() if X is None else X
    Y = corr2d(X, K)
    trajectory = record(X, Y, 0.5 * torch.ones_like(K), [lr] * steps)
    return QuadraticLoss(X, tuple(K.shape), Y), trajectory, X, Y


def filled(frames, n):
    """Return the template with the texts of frame `n` in its slots."""
    texts = iter(frames.texts[n])
    return re.sub(r'( data-slot="\d+")>', lambda match: f"{match[1]}>{next(texts)}", frames.html)


def tables(html):
    """Return the numbers of each figure's table, by caption."""
    found = re.findall(r"<figcaption>(.*?)</figcaption>(.*?)</figure>", html, re.DOTALL)
    rows = {name: re.findall(r"<tr.*?>(.*?)</tr>", body) for name, body in found}
    return {
        name: [[float(x) for x in re.findall(r"<td[^>]*>([^<]*)</td>", row)] for row in body]
        for name, body in rows.items()
    }


def test_each_frame_shows_kernel_target_prediction_and_residual():
    problem, steps, X, Y = descent()
    frames = step_frames(*descent())
    assert len(frames.texts) == len(frames.classes) == len(steps) == 6
    for step in steps:
        shown = tables(filled(frames, step.n))
        prediction = corr2d(X, step.kernel)
        for name, values, digits in (
            ("kernel", step.kernel, 1e-3),
            ("best kernel", problem.best_kernel.float(), 1e-6),
            ("target", Y, 1e-6),
            ("prediction", prediction, 5e-3),
            ("residual = prediction - target", prediction - Y, 5e-3),
        ):
            torch.testing.assert_close(torch.tensor(shown[name]), values, atol=digits, rtol=1e-2)


def test_loss_and_update_are_written_out():
    frames = step_frames(*descent())
    assert "step 1" in filled(frames, 1) and "14.52" in filled(frames, 1)
    assert "K[0, 0]: 0.5 - 0.03×18 = -0.04" in filled(frames, 0)
    assert "K[0, 1]: 0.5 - 0.03×42 = -0.76" in filled(frames, 0)
    assert LAST_STEP in filled(frames, 5) and "K[0, 0]:" not in filled(frames, 5)


def test_colours_are_those_of_the_values():
    _, steps, X, _ = descent()
    frames = step_frames(*descent())
    first = [name for name in frames.classes[0] if name.startswith("t")]
    limit = 2.0  # of the target and the first residual
    expected = signed_classes(corr2d(X, steps[0].kernel), limit)
    assert " ".join(sum(expected, [])) in " ".join(first)


def test_an_update_of_many_weights_is_cut():
    frames = step_frames(*descent(torch.eye(8), torch.ones(4, 3), lr=0.001))
    assert "and 3 more" in filled(frames, 0) and "and 3 more" not in filled(frames, 5)


def test_large_outputs_are_left_to_pictures():
    X = photo(32)
    assert not fits_table((30, 30)) and fits_table((8, 8)) and not fits_table((1, 9))
    shown = tables(filled(step_frames(*descent(X, kernel("Sobel x"), lr=1e-4)), 2))
    assert set(shown) == {"kernel", "best kernel"}


def test_a_hundred_steps_take_few_calls_and_little_space():
    arguments = descent(steps=100)
    made = []
    calls = count_calls(lambda: made.append(step_frames(*arguments)))
    assert calls.total() < 2000, calls.most_common(5)
    (frames,) = made
    strings = {text for row in frames.texts for text in row}
    codes = 2 * sum(map(len, frames.texts)) + 2 * sum(map(len, frames.classes))
    assert len(frames.html) + sum(map(len, strings)) + codes < 60 * 1024


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_short_descents_have_frames_too(steps):
    frames = step_frames(*descent(steps=steps))
    assert len(frames.texts) == steps + 1
