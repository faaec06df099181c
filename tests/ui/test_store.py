"""Store: one generic stateful test against a list of states, and what it cannot see."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import psutil
import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from torch import Tensor

from convkit import ConvkitError
from convkit.ui import Edit, State, Store, fields
from convkit.ui.store import MAX_UNDO, MAX_UNDO_BYTES, equal


class Drawing(State):
    X: Tensor
    size: int = 1
    look: int = fields.checked(lambda name, value: value, 0, view=True)


@dataclass(frozen=True)
class Drawn:
    state: Drawing
    total: float


def compute(state, previous):
    if state.size < 0:
        raise ConvkitError(f"size is {state.size}", "0 or more", "Use a positive size.")
    return Drawn(state, (state.X * state.size).sum().item())


def store():
    return Store(Drawing(torch.ones(2)), compute)


def key(state):
    return (state.X.dtype, str(state.X.tolist()), state.size)


class StoreMachine(RuleBasedStateMachine):
    """Edits, refusals, undo, redo, reset, snapshots, beside a plain list of states."""

    def __init__(self):
        super().__init__()
        self.store = store()
        self.past, self.future, self.group = [], [], ""
        self.painted = [self.store.result]
        self.store.observe(lambda change: self.painted.append(change["new"]), "result")
        self.kept = None

    @rule(group=st.sampled_from(["", "size", "other"]), size=st.integers(-1, 3))
    def set_size(self, group, size):
        self.edit(group, size=size)

    @rule(group=st.sampled_from(["", "X"]), value=st.sampled_from([0.0, -0.0, 1.0]))
    def set_tensor(self, group, value):
        self.edit(group, X=torch.full((2,), value))

    @rule(look=st.integers(0, 4))
    def set_view(self, look):
        past, group = list(self.past), self.group
        self.store.set("look", look=look)
        assert self.store.state.look == look
        assert (self.past, self.group) == (past, group)

    @rule(group=st.sampled_from(["", "both"]), size=st.integers(0, 2), look=st.integers(0, 2))
    def set_both(self, group, size, look):
        self.edit(group, size=size, look=look)

    def edit(self, group, **changes):
        before = self.store.result
        try:
            self.store.set(group, **changes)
        except ConvkitError:
            assert changes["size"] < 0 and self.store.result is before
            return
        if key(self.store.state) == key(before.state):
            return
        if not group or group != self.group:
            self.past.append(before.state)
        self.future, self.group = [], group

    @rule()
    def undo(self):
        self.travel(self.store.undo, self.past, self.future)

    @rule()
    def redo(self):
        self.travel(self.store.redo, self.future, self.past)

    @rule(group=st.sampled_from(["", "size", "X"]))
    def take_back(self, group):
        edit = Edit({}, group, takes_back=True)
        if group and group == self.group:
            self.travel(lambda: self.store.apply(edit), self.past, self.future)
        else:
            before = self.store.result
            self.store.apply(edit)
            assert self.store.result is before

    def travel(self, move, source, target):
        here, look = self.store.state, self.store.state.look
        move()
        assert self.store.state.look == look
        if not source:
            assert self.store.state is here
            return
        assert key(self.store.state) == key(source.pop())
        target.append(here)
        self.group = ""

    @rule()
    def reset(self):
        before = self.store.state
        self.store.reset()
        assert self.store.state == Drawing(torch.ones(2))
        if key(before) != key(self.store.state):
            self.past.append(before)
            self.future, self.group = [], ""

    @rule()
    def keep(self):
        self.kept = self.store.snapshot(), list(self.past), list(self.future)

    @rule()
    def restore(self):
        if self.kept is not None:
            snapshot, past, future = self.kept
            self.store.restore(snapshot)
            assert self.store.result is snapshot.result
            self.past, self.future, self.group = list(past), list(future), ""

    @invariant()
    def undo_and_redo_are_known(self):
        assert self.store.can_undo == bool(self.past)
        assert self.store.can_redo == bool(self.future)

    @invariant()
    def what_is_painted_is_computed_from_the_state(self):
        painted = self.painted[-1]
        assert painted.state == self.store.state
        assert painted.total == self.store.result.total == compute(painted.state, None).total


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (torch.tensor([0.0]), torch.tensor([-0.0]), False),
        (torch.tensor([1.0]), torch.tensor([1.0]).double(), False),
        (torch.ones(1, 2), torch.ones(2, 1), False),
        (torch.arange(4.0).reshape(2, 2).T, torch.tensor([[0.0, 2.0], [1.0, 3.0]]), True),
        ((1, torch.ones(1)), (1, torch.ones(1)), True),
        ((1, torch.ones(1)), (1, torch.zeros(1)), False),
        ((1, 2), (1, 2, 3), False),
        (np.ones(2), np.ones(2), True),
        (np.ones(2), np.ones(3), False),
        (torch.ones(1), 1.0, False),
        (True, 1, False),
        ("a", "a", True),
    ],
)
def test_equality_is_by_type_dtype_shape_and_bits(a, b, same):
    assert equal(a, b) is same


def test_states_of_two_classes_are_not_equal():
    assert Drawn(Drawing(torch.ones(2)), 0.0) != Drawing(torch.ones(2))
    assert Drawing(torch.ones(2)) != type("Other", (Drawing,), {})(torch.ones(2))


def test_a_state_says_what_cannot_be_a_field():
    with pytest.raises(ConvkitError, match="a field is called replace"):
        type("Bad", (State,), {"__annotations__": {"replace": int}, "replace": 1})
    with pytest.raises(ConvkitError, match="field is 'bogus'; expected one of X, size, look"):
        store().set(bogus=1)


def test_tensors_are_copied_on_the_way_in():
    one, X = store(), torch.ones(2)
    one.set(X=X)
    X.zero_()
    assert one.state.X.tolist() == [1, 1] and not one.can_undo
    one.set(X=2 * torch.ones(2, requires_grad=True))
    assert not one.state.X.requires_grad


def test_an_edit_is_applied_to_the_state_as_it_is_when_it_arrives():
    one = store()
    longer = Edit(lambda state: {"size": state.size + 1})
    for _ in range(3):
        one.apply(longer)
    assert one.state.size == 4


def test_the_oldest_states_are_forgotten_but_the_first_can_be_reset_to():
    one = store()
    for size in range(2, MAX_UNDO + 20):
        one.set(size=size)
    for _ in range(MAX_UNDO):
        one.undo()
    assert not one.can_undo and one.state.size > 1
    one.reset()
    assert one.state.size == 1


class Layers(State):
    layers: tuple


@pytest.mark.parametrize("start", [Drawing(torch.ones(2)), Layers((torch.ones(2),))])
def test_undo_holds_a_bounded_number_of_bytes(start):
    """Of the process, because tracemalloc does not see tensors."""
    one = Store(start, lambda state, previous: Drawn(state, 0.0))
    side, process, sizes = 512, psutil.Process(), []
    for n in range(150):  # 1 MiB each
        X = torch.full((side, side), float(n))
        one.set(**({"X": X} if isinstance(start, Drawing) else {"layers": (X,)}))
        sizes.append(process.memory_info().rss)
    assert sizes[-1] - sizes[50] < 2 * MAX_UNDO_BYTES
    steps = 0
    while one.can_undo:
        one.undo()
        steps += 1
    assert steps == MAX_UNDO_BYTES // (4 * side**2)


def test_tensors_that_states_share_count_once():
    one = Store(Drawing(torch.zeros(1024, 512)), lambda state, previous: Drawn(state, 0.0))
    for size in range(2, 52):
        one.set(size=size)
    for _ in range(50):
        one.undo()
    assert one.state.size == 1


def test_a_result_can_reuse_the_previous_one():
    seen = []

    def reusing(state, previous):
        seen.append(previous)
        return Drawn(state, 0.0)

    one = Store(Drawing(torch.ones(2)), reusing)
    first = one.result
    one.set(size=5)
    assert seen == [None, first]


def run_in_threads(work, *arguments):
    """Call `work` with each argument, in threads of their own; raise what one of them raises."""
    with ThreadPoolExecutor(len(arguments)) as pool:
        list(pool.map(work, arguments, timeout=20))


def test_threads_edit_one_after_the_other():
    one = store()

    def work(group):
        for _ in range(100):
            one.apply(Edit(lambda state: {"size": state.size + 1}, group))

    run_in_threads(work, *"abc")
    assert one.state.size == 301


def follow(source, target, factor=1):
    def on_result(change):
        target.set(X=factor * change["new"].state.X)

    source.observe(on_result, "result")


def test_a_ring_of_links_that_never_settles_is_refused():
    one, two = store(), store()
    follow(one, two, factor=2)
    follow(two, one)
    with pytest.raises(ConvkitError, match="without end"):
        one.set(X=torch.full((2,), 3.0))
    one.unobserve_all()
    one.set(size=3)
    assert one.state.size == 3


def test_two_threads_on_two_linked_stores_do_not_wait_for_each_other():
    one, two = store(), store()
    follow(one, two)
    follow(two, one)

    def work(target):
        for n in range(50):
            target.set(X=torch.full((2,), float(n + 100 * (target is two))))

    run_in_threads(work, one, two)
    assert equal(one.state.X, two.state.X)
