"""What the machines share that drive panels with random actions."""

import html
import logging
import random
import re
from collections import Counter

import torch
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

SEEDS = st.integers(0, 99)
HALF_TYPED = st.sampled_from(
    ["", " ", "-", "1e", "1/0", "nan", "inf", "-inf", "1e400", "two", "<b>"]
)


def tensor(seed, *shape, dtype=torch.float32):
    """Return (H, W) quarters from -2 to 2, always the same for a seed."""
    made = torch.randint(-8, 9, shape, generator=torch.Generator().manual_seed(seed))
    return made.to(dtype) / 4


def number(text):
    """Return the number that a box says."""
    top, _, bottom = text.replace("−", "-").partition("/")
    return float(top) / float(bottom or 1)


def close(text, value):
    """Return whether a box says `value`, to the 4 digits that it has."""
    return abs(number(text) - value) <= 6e-4 * abs(value)


def said(panel):
    """Return what a panel's status line says: its role and its words."""
    role, words = re.fullmatch(r'<div class="\w+" role="(\w+)">(.*)</div>', panel.status).groups()
    return role, html.unescape(words)


class Errors(logging.Handler):
    """What was logged as an error."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.seen = []
        logging.getLogger("convkit").addHandler(self)

    def emit(self, record):
        self.seen.append(record.getMessage())

    def close(self):
        logging.getLogger("convkit").removeHandler(self)
        super().close()


def action(when=lambda machine: True, **arguments):
    """Make a method an action of a machine, with strategies for its arguments."""

    def mark(method):
        method.when, method.arguments = when, arguments
        return method

    return mark


class Machine(RuleBasedStateMachine):
    """Takes one action after another, all equally often, and counts them; none may log an error.

    Were each action a rule, hypothesis would repeat some hundreds of times and others hardly ever.
    """

    done: Counter

    def __init__(self):
        super().__init__()
        self.errors, self.acts = Errors(), 0
        members = (getattr(self, name) for name in dir(type(self)))
        self.actions = [member for member in members if hasattr(member, "arguments")]

    @rule(data=st.data(), n=st.integers(0, 2**20))
    def act(self, data, n):
        self.acts += 1
        able = [action for action in self.actions if action.when(self)]
        chosen = random.Random(f"{n} {self.acts}").choice(able)
        drawn = {name: data.draw(s, name) for name, s in chosen.arguments.items()}
        note(f"{chosen.__name__}({drawn})")
        chosen(**drawn)
        self.check()
        assert self.errors.seen == []

    def check(self):
        """Compare the panels with their models."""

    def count(self, kind, outcome):
        self.done[kind, outcome] += 1

    def teardown(self):
        self.errors.close()


def drive(machine, examples, steps):
    """Run `machine` for `examples` times `steps` actions; return the number by kind, outcome.

    What fails is told as it was found: to look for fewer actions that fail too takes minutes.
    """
    machine.done = Counter()
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=[Phase.generate],
            suppress_health_check=checks,
        ),
    )
    return machine.done


def tell(done, panel, record_property):
    """Let pytest print how many actions of each kind came to which end."""
    kinds = sorted({kind for kind, _ in done})
    outcomes = sorted({outcome for _, outcome in done})
    for kind in kinds:
        row = {"action": kind} | {outcome: done[kind, outcome] for outcome in outcomes}
        record_property(f"table {panel} under fire", row)
    total = {outcome: sum(done[kind, outcome] for kind in kinds) for outcome in outcomes}
    record_property(f"table {panel} under fire", {"action": f"all {done.total()}"} | total)
