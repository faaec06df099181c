"""Each fault is seen by a number of its own, and its corrected step learns the right kernel."""

import itertools
import subprocess
import sys

import pytest
import torch
from torch.testing import assert_close

from convkit import ConvkitError, KernelDescent, corr2d, photo, stripes
from convkit.faults import FAULTS, ORDER, RATE, against, fault, run
from convkit.user_function import name_of

X = stripes()
EDGE = torch.tensor([[1.0, -1.0]])
Y = corr2d(X, EDGE)
HALF = torch.tensor([[0.5, 0.5]])


def kernels(step, count, start=HALF, X=X, Y=Y, lr=RATE):
    return list(itertools.islice(run(step, start, X, Y, lr), count))


def true_kernels(count, start=HALF, X=X, Y=Y, lr=RATE):
    descent = KernelDescent(X, Y, start, lr=lr)
    return [descent.step().kernel for _ in range(count)]


def corrected(name):
    """Return the function that a learner gets who corrects the source as it is shown."""
    each = FAULTS[name]
    assert each.source.count(each.wrong) == 1
    namespace = {"torch": torch, "corr2d": corr2d}
    exec(each.source.replace(each.wrong, each.right), namespace)
    return namespace["step"]


# What tells each fault apart: a number that the panel shows, at the lab's rate


def first_difference(name):
    pairs = zip(kernels(FAULTS[name].step, 5), true_kernels(5), strict=True)
    return next((n for n, pair in enumerate(pairs, 1) if not torch.allclose(*pair)), None)


def times_the_true_update(name, lr=RATE):
    """How many times the true first update that of a fault is, or None where it is no multiple."""
    made = kernels(FAULTS[name].step, 1, lr=lr)[0] - HALF
    ratios = (made / (true_kernels(1, lr=lr)[0] - HALF)).flatten().tolist()
    return ratios[0] if ratios[1] == pytest.approx(ratios[0], rel=1e-3) else None


def test_gradients_that_are_never_cleared_show_at_the_second_step():
    differences = {name: first_difference(name) for name in FAULTS}
    assert differences.pop("gradients never cleared") == 2
    assert set(differences.values()) == {1}
    path = torch.stack(kernels(FAULTS["gradients never cleared"].step, 400)) - EDGE
    assert 1 < path[-100:].norm(dim=(1, 2)).max() < 4  # it neither arrives nor runs away


@pytest.mark.parametrize(
    ("name", "times"),
    [("mean for sum", 1 / 42), ("sign reversed", -1), ("rate beyond the limit", 0.05 / RATE)],
)
def test_the_first_update_is_a_multiple_of_the_true_one(name, times):
    multiples = {each: times_the_true_update(each) for each in FAULTS}
    assert [
        each for each, found in multiples.items() if found == pytest.approx(times, rel=1e-3)
    ] == [name]


def test_the_rate_plays_no_part_in_one_that_is_beyond_the_limit():
    for name in ("sign reversed", "mean for sum"):
        assert times_the_true_update(name, lr=0.001) == pytest.approx(
            times_the_true_update(name), rel=1e-2
        )
    assert times_the_true_update("rate beyond the limit", lr=0.001) == pytest.approx(50, rel=1e-3)
    darker = KernelDescent(X / 2, Y / 2, HALF)
    learned = kernels(FAULTS["rate beyond the limit"].step, 100, X=X / 2, Y=Y / 2)[-1]
    assert darker.max_stable_lr > 0.05
    assert_close(learned, EDGE, atol=1e-3, rtol=0)


def test_a_flipped_kernel_is_learned_as_its_mirror_image():
    step = FAULTS["kernel flipped between data and model"].step
    assert_close(kernels(step, 1)[0], true_kernels(1)[0].flip(1))
    assert_close(kernels(step, 80)[-1], EDGE.flip(1), atol=1e-4, rtol=0)
    # Where that is the kernel itself, nothing tells them apart.
    even = corr2d(X, torch.tensor([[0.5, 2.0, 0.5]]))
    zeros = torch.zeros(1, 3)
    same = kernels(step, 5, zeros, Y=even, lr=0.01), true_kernels(5, zeros, Y=even, lr=0.01)
    assert_close(torch.stack(same[0]), torch.stack(same[1]))


def test_a_target_of_another_shape_teaches_its_mean_alone():
    """Broadcast in silence to 42 × 42 residuals: the true step on 42 times the target's mean."""
    step = FAULTS["target of another shape"].step
    target = corr2d(X, torch.tensor([[2.0, 1.0]]))
    mean = target.mean().expand(6, 7)
    for goal, constant in ((Y, 0 * Y), (target, mean)):
        made = kernels(step, 100, Y=goal, lr=RATE / 42)
        assert_close(torch.stack(made), torch.stack(true_kernels(100, Y=constant)))
    assert_close(kernels(step, 100, lr=RATE / 42)[-1], 0 * EDGE, atol=1e-4, rtol=0)
    assert kernels(step, 5)[-1].abs().max() > 1e6  # at the rate of the lab


@pytest.mark.parametrize("rate", [1e-4, RATE])
def test_no_two_faults_have_their_first_two_steps_in_common(rate):
    paths = [torch.stack(kernels(each.step, 2, lr=rate)) for each in FAULTS.values()]
    paths.append(torch.stack(true_kernels(2, lr=rate)))
    for first, second in itertools.combinations(paths, 2):
        assert not torch.allclose(first, second, rtol=1e-4)


# Corrected


@pytest.mark.parametrize("name", FAULTS)
def test_a_corrected_step_is_the_true_descent(name):
    picture = photo(16)
    target = corr2d(picture, torch.tensor([[0.0, 1], [-2, 0.5]]))
    start = torch.zeros(2, 2)
    for options in ({}, {"start": start, "X": picture, "Y": target, "lr": 1e-3}):
        made = torch.stack(kernels(corrected(name), 40, **options))
        assert_close(made, torch.stack(true_kernels(40, **options)), rtol=1e-4, atol=1e-5)
    assert_close(kernels(corrected(name), 60)[-1], EDGE, atol=1e-3, rtol=0)


# What a learner sees


def test_nothing_that_a_panel_shows_tells_the_name():
    for letter, name in ORDER.items():
        step = fault(letter)
        shown = f"{name_of(step)} {step!r} {step.__doc__} {step.__module__}"
        assert name_of(step) == f"fault {letter}"
        assert not any(word in shown for word in name.split())
        assert FAULTS[name].source.startswith("def step(kernel, X, Y, lr):\n")
        assert_close(kernels(step, 3), kernels(FAULTS[name].step, 3))


def test_faults_change_nothing_that_they_are_given():
    for letter in ORDER:
        arrays = HALF.clone(), X.clone(), Y.clone()
        kernels(fault(letter), 3, *arrays)
        assert all(map(torch.equal, arrays, (HALF, X, Y)))


def test_the_order_is_the_same_in_every_process():
    code = "from convkit.faults import ORDER; print(list(ORDER.values()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(list(ORDER.values()))
    assert sorted(ORDER.values()) == sorted(FAULTS)
    assert ORDER["A"] == "sign reversed"


def test_what_speaks_against_a_name_is_computed():
    assert against("C", "mean for sum") == (
        "With 'mean for sum' each update is a 42nd of the right one (42 outputs): 42 times the "
        "rate cures it. On the stripes, from (0.5, 0.5) at rate 0.02, step 1 would give (0.4914, "
        "0.48); fault C gives (-0.4, -1.6)."
    )
    for letter, name in itertools.product(ORDER, FAULTS):
        if ORDER[letter] != name:
            would_give, gives = against(letter, name).split("step ")[-1].split("; ")
            assert would_give.split("(")[1] not in gives


def test_another_letter_is_refused():
    with pytest.raises(ConvkitError, match="fault is 'G'; expected one of A, B, C, D, E, F"):
        fault("G")
