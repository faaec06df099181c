"""The frames of a descent: every one says its step, and the slider's rules show just one."""

import re

import pytest
import torch
from convkit.state.training import MOST_STEPS
from convkit.views.chart import Chart

from convkit import KernelDescent, corr2d, photo, stripes
from convkit.views.frames import RULES, frames


def made(X, K, n=4):
    descent = KernelDescent(X, corr2d(X, K), torch.zeros_like(K), lr=1e-3)
    descent.jump(n)
    chart = Chart(descent)
    chart.scale(descent.trajectory)
    return descent, frames(chart, descent)


def test_there_is_a_rule_for_every_step():
    rules = re.findall(r"valuenow\^='(\d+)\.'\]\) ~ \* \.ck-step\.s(\d+)\{display:block\}", RULES)
    assert rules == [(str(n), str(n)) for n in range(MOST_STEPS + 1)]


def test_every_frame_tells_its_step_and_update():
    descent, text = made(stripes(), torch.tensor([[1.0, -1.0]]))
    parts = re.split(r'<div class="ck-step s(\d+)">', text)[1:]
    assert parts[::2] == [str(n) for n in range(5)]
    for step, part in zip(descent.trajectory, parts[1::2], strict=True):
        said = re.search(r"<b>step (\d+)</b> loss (\S+)</p>", part)
        assert int(said[1]) == step.n
        assert float(said[2]) == pytest.approx(step.loss, rel=6e-4)
        updates = re.findall(r"<span>(K\[.*?)</span>", part)
        assert len(updates) == (0 if step.n == 4 else 2)
        for update, new in zip(
            updates, descent.trajectory[min(4, step.n + 1)].kernel[0], strict=False
        ):
            left, right = update.split(": ")[1].replace("×", "*").split(" = ")
            assert eval(left) == pytest.approx(float(right), abs=2e-3)
            assert float(right) == pytest.approx(new.item(), rel=6e-4)
        path = re.findall(r'<polyline points="(.*?)"', part)
        assert [len(p.split()) for p in path] == [step.n + 1] * 2
    assert "the last step recorded" in parts[-1]


def test_large_arrays_are_pictures_and_many_weights_are_cut():
    _, text = made(photo(128), torch.full((4, 4), 1 / 16), n=1)
    assert text.count("data:image/png;base64,") == 6
    assert "and 7 more" in text


def test_frames_are_the_same_twice():
    assert made(stripes(), torch.ones(2, 2))[1] == made(stripes(), torch.ones(2, 2))[1]
