"""Frames of a descent: every text that a step shows is right, and the whole is small."""

import re

import pytest
import torch

from benchmarks.calls import count_calls
from convkit import QuadraticLoss, corr2d, photo, stripes
from convkit.descent import Step, record
from convkit.formatting import colour_limit
from convkit.views.frames import (
    LAST_STEP,
    fits_table,
    kernel_limits,
    output_frames,
    update_frames,
)
from convkit.views.html import signed_classes
from convkit.widgets import Frames

EDGE = torch.tensor([[1.0, -1.0]])


def descent(X=None, K=EDGE, steps=5, lr=0.03):
    X = stripes() if X is None else X
    Y = corr2d(X, K)
    trajectory = record(X, Y, 0.5 * torch.ones_like(K), [lr] * steps)
    return trajectory, QuadraticLoss(X, tuple(K.shape), Y).best_kernel.float(), X, Y


def filled(frames, n):
    """Return the template with the texts and classes of frame `n` in its slots."""

    def fill(match):
        slot = int(match[1])
        return f' class="{frames.classes[n][slot]}">{frames.texts[n][slot]}'

    return re.sub(r' data-slot="(\d+)">', fill, frames.html)


def tables(html):
    """Return the numbers of each figure's table, by title."""
    found = re.findall(
        r"<figcaption>(?:<span[^>]*>)+(.*?)</span>.*?</figcaption>(.*?)</figure>", html
    )
    return {
        title: [
            [float(x.replace("−", "-")) for x in re.findall(r"<td[^>]*>([^<]+)</td>", row)]
            for row in re.findall(r"<tr.*?>(.*?)</tr>", body)
        ]
        for title, body in found
    }


def classes(html, title):
    body = html.split(f">{title}</span>")[1].split("</figure>")[0]
    return re.findall(r'<td class="(t-?\d+)">', body)


def test_each_step_writes_its_update_out():
    steps, best, _, _ = descent()
    frames = update_frames(steps, best, "")
    assert len(frames.texts) == len(frames.classes) == len(steps) == 6
    for step, following in zip(steps, steps[1:], strict=False):
        html = filled(frames, step.n)
        shown = tables(html)
        for title, values in (
            (f"kernel, step {step.n}", step.kernel),
            ("gradient", step.grad),
            (f"kernel, step {step.n + 1}", following.kernel),
        ):
            torch.testing.assert_close(torch.tensor(shown[title]), values, rtol=1e-3, atol=1e-6)
        assert '<figcaption>rate</figcaption><b class="">0.03</b>' in html


def test_the_last_step_has_no_next_one():
    frames = update_frames(*descent()[:2], "")
    shown = tables(filled(frames, 5))
    assert shown[LAST_STEP] == [[]] and len(shown["kernel, step 5"][0]) == 2


@pytest.mark.parametrize("lr", [0.03, 0.04])
def test_prediction_minus_target_is_the_residual(lr):
    steps, _, X, Y = descent(lr=lr, steps=12)
    frames = output_frames(steps, X, Y)
    for step in steps:
        shown = {name: torch.tensor(rows) for name, rows in tables(filled(frames, step.n)).items()}
        prediction = corr2d(X, step.kernel)
        for name, values in (
            ("prediction", prediction),
            ("target Y", Y),
            ("residual R", prediction - Y),
        ):
            torch.testing.assert_close(shown[name], values, rtol=5e-2, atol=6e-3)


@pytest.mark.parametrize("lr", [0.03, 0.05])
def test_all_arrays_of_a_step_share_their_colours(lr):
    steps, best, X, Y = descent(lr=lr, steps=8)
    updates, outputs = update_frames(steps, best, ""), output_frames(steps, X, Y)
    limits = kernel_limits(steps, best[None])
    for step, following in zip(steps, steps[1:], strict=False):
        calm = [s.kernel for s in steps if s.loss <= steps[0].loss]
        shown = [best, step.kernel, following.kernel, *calm]
        assert limits[step.n] == colour_limit(torch.stack(shown))
        html = filled(updates, step.n)
        for k in (step, following):
            expected = signed_classes(k.kernel, limits[step.n])[0]
            assert classes(html, f"kernel, step {k.n}") == expected
        prediction = corr2d(X, step.kernel)
        html = filled(outputs, step.n)
        end = float(re.findall(r">([^<>]+)</span></span></span></figcaption>", html)[0])
        for title, values in (("target Y", Y), ("residual R", prediction - Y)):
            assert classes(html, title) == sum(signed_classes(values, end), [])
    if lr == 0.03:
        assert len(set(limits)) == 1  # colours change only where a descent diverges


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (7, 7)])
def test_numbers_fit_their_cells(size):
    steps, best, _, _ = descent(torch.eye(12), torch.ones(size), lr=0.9, steps=10)
    for texts in update_frames(steps, best, "").texts:
        longest = 7 if size[1] <= 2 else 5
        assert all(len(text) <= longest for text in texts if not re.search("[a-z]{2}|×", text))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_gradients_of_a_wide_kernel_share_a_power_of_ten(scale):
    steps, best, _, _ = descent(scale * photo(12), torch.ones(3, 3), lr=1e-3 / scale**2, steps=3)
    frames = update_frames(steps, best, "")
    for step in steps:
        html = filled(frames, step.n)
        power = re.search("×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", html)
        digits = power[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) if power else "0"
        shown = torch.tensor(tables(html)["gradient"]) * 10.0 ** int(digits)
        torch.testing.assert_close(shown, step.grad, rtol=6e-3, atol=step.grad.abs().max() * 1e-3)


def test_gradients_next_to_nothing_are_shown():
    K = torch.ones(1, 3, dtype=torch.float64)
    steps = [Step(n=0, kernel=K, grad=5e-324 * K, loss=1e-9, lr=None)]
    html = filled(update_frames(steps, K[None], ""), 0)
    assert tables(html)["gradient"] == [[0.0] * 3] and "×10⁻³⁰⁰" in html


def test_large_outputs_are_left_to_pictures():
    assert not fits_table((30, 30)) and fits_table((8, 8)) and not fits_table((1, 9))


def test_a_hundred_steps_take_few_calls_and_25_little_space():
    steps, best, X, Y = descent(steps=100)
    calls = count_calls(lambda: (update_frames(steps, best, ""), output_frames(steps, X, Y)))
    assert calls.total() < 4000, calls.most_common(5)
    size = 0
    for frames in (update_frames(steps[:26], best, ""), output_frames(steps[:26], X, Y)):
        part = Frames()
        part.show(frames.texts, frames.classes, html=frames.html)
        size += len(part.codes) + len(str(part.contents)) + len(part.html)
    assert size < 20 * 1024


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_short_descents_have_frames_too(steps):
    trajectory, best, X, Y = descent(steps=steps)
    assert len(update_frames(trajectory, best, "").texts) == steps + 1
    assert len(output_frames(trajectory, X, Y).texts) == steps + 1
