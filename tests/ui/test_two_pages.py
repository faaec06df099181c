"""One panel, two pages and code: whatever happens, each page shows what Python has."""

from contextlib import suppress
from dataclasses import replace
from functools import partial

import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from convkit import ConvkitError, ui
from convkit.ui import jobs
from tests.ui import sample
from tests.ui.driver import Page, until

PAGES = st.integers(0, 1)
PLACES = st.tuples(st.integers(0, 3), st.integers(0, 3))
CHANGES = [
    {"X": torch.eye(2)},
    {"X": torch.arange(48.0).reshape(6, 8)},
    {"K": torch.ones(1, 1)},
    {"K": torch.full((3, 2), 0.5)},
    {"n": 3},
]
STATE_FIELDS = ("X", "K", "size", "flip")
VIEW_FIELDS = ("at", "n")


def first(result):
    return [node for node in sample.view(result) if node.name in ("output", "size", "input")]


def values(state, names=STATE_FIELDS):
    """Return fields as values that compare with ==."""
    found = [getattr(state, name) for name in names]
    return [value.tolist() if isinstance(value, torch.Tensor) else value for value in found]


class TwoPages(RuleBasedStateMachine):
    """Events of two pages, edits by code, undo and work, beside a plain list of states."""

    def __init__(self):
        super().__init__()
        self.past, self.future, self.label = [], [], None
        self.panel = None
        self.pause, jobs.PAUSE = jobs.PAUSE, 0.01

    @initialize(rest_waits=st.booleans())
    def start(self, rest_waits):
        self.panel = ui.Panel(
            sample.SampleState(),
            sample.compute,
            sample.view,
            first=first,
            rest_waits=rest_waits,
            work=sample.slow(0),
        )
        self.pages = [Page(self.panel), Page(self.panel)]

    # What pages do. Each says what it should change, and under which label.

    @rule(page=PAGES, column=st.integers(0, 1), text=st.sampled_from(["0", "2.5"]))
    def type_number(self, page, column, text):
        K, name = self.panel.K, f"K[0, {column}]"
        if column < K.shape[1]:
            K[0, column] = float(text)
            self.by_page(page, {"K": K}, name, lambda p: p.type(name, text))

    @rule(page=PAGES, text=st.sampled_from(["", "-", "1e", "nan"]))
    def type_what_is_not_finished(self, page, text):
        self.by_page(page, {}, None, lambda p: p.type("K[0, 0]", text))
        assert self.pages[page].has_error

    @rule(page=PAGES, size=st.integers(1, 4), moving=st.booleans())
    def drag_the_slider(self, page, size, moving):
        act = partial(Page.choose, name="size", value=size, moving=moving)
        self.by_page(page, {"size": size}, "size", act)

    @rule(page=PAGES)
    def tick(self, page):
        flip = not self.panel.flip
        self.by_page(page, {"flip": flip}, "", lambda p: p.choose("flip", flip))

    @rule(page=PAGES, cells=st.lists(PLACES, min_size=1, max_size=3))
    def paint(self, page, cells):
        X = sample.painted(self.panel.X, cells)
        self.by_page(page, {"X": X}, "paint", lambda p: p.paint("input", *cells))

    @rule(page=PAGES, at=PLACES)
    def choose_window(self, page, at):
        sizes = self.panel.store.result.output.shape
        inside = all(n < size for n, size in zip(at, sizes, strict=True))
        self.by_page(page, {"at": at} if inside else {}, None, lambda p: p.choose("window", at))

    @rule(page=PAGES, n=st.integers(0, sample.STEPS - 1))
    def choose_step(self, page, n):
        self.by_page(page, {"n": n}, None, lambda p: p.choose("step", n))

    def by_page(self, page, changes, label, act):
        """Let a page act, and note what that should have made of the state."""
        label = f"{label} {page} {self.pages[page].stroke}" if label else label
        self.expect(changes, label, lambda: act(self.pages[page]))

    def expect(self, changes, label, act):
        before = self.panel.store.state
        try:
            new = before.replace(**changes)
            sample.compute(new)
        except ConvkitError:
            new = before
        with suppress(ConvkitError):
            act()
        after = self.panel.store.state
        assert values(after) == values(new) and values(after, VIEW_FIELDS) == values(
            new, VIEW_FIELDS
        )
        if values(after) != values(before):
            if not label or label != self.label:
                self.past.append(before)
            self.future, self.label = [], label

    @rule(page=PAGES)
    def leave(self, page):
        self.pages[page].leave()

    @rule(page=PAGES, how=st.sampled_from(["undo", "redo"]), by_code=st.booleans())
    def travel(self, page, how, by_code):
        source, target = self.past, self.future
        if how == "redo":
            source, target = target, source
        before = self.panel.store.state
        (getattr(self.panel, how) if by_code else lambda: self.pages[page].press(how))()
        if source:
            target.append(before)
            assert values(self.panel.store.state) == values(source.pop())
            self.label = None
        view = values(self.panel.store.state, VIEW_FIELDS)
        assert view == values(before, VIEW_FIELDS)

    @rule(page=PAGES)
    def escape(self, page):
        label = f"K[0, 0] {page} {self.pages[page].stroke}"
        before = self.panel.store.state
        self.pages[page].escape("K[0, 0]")
        if self.label == label:
            self.future.append(before)
            before, self.label = self.past.pop(), None
        assert values(self.panel.store.state) == values(before)

    # What code does, and what pages do beside.

    @rule(change=st.sampled_from(CHANGES))
    def set_by_code(self, change):
        ((name, value),) = change.items()
        self.expect(change, "", lambda: setattr(self.panel, name, value))

    @rule(page=PAGES)
    def late_event(self, page):
        before = vars(replace(self.panel.store.result, total=None))
        self.pages[page].send("window cursor", "choose", [9, 9])
        self.pages[page].send("no node", "set", 1)
        # As dictionaries: Python 3.13 compares dataclasses by `==` alone, also of one tensor.
        assert vars(replace(self.panel.store.result, total=None)) == before

    @rule(page=PAGES)
    def load_again(self, page):
        before = self.panel.store.state
        self.pages[page].close()
        self.pages[page] = Page(self.panel)
        assert self.panel.store.state == before

    @rule()
    def rest(self):
        """Wait until no hand moves and no work runs."""
        for page in self.pages:
            page.post({"rest": True})
        until(lambda: "summing" not in self.panel.status)
        total = self.panel.store.result.total
        assert total == self.panel.K.sum().item()
        for page in self.pages:
            assert page.shows_the_tree()

    @precondition(lambda self: self.panel is not None)
    @invariant()
    def undo_is_known(self):
        assert self.panel.store.can_undo == bool(self.past)
        assert self.panel.store.can_redo == bool(self.future)

    def teardown(self):
        if self.panel is not None:
            self.rest()
            self.panel.close()
        jobs.PAUSE = self.pause


TestTwoPages = TwoPages.TestCase
TestTwoPages.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
