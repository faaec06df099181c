"""Work that takes seconds: the newest wins, it can be stopped, no lock is held meanwhile."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from convkit import ui
from convkit.ui.jobs import Job
from convkit.ui.store import LOCK
from tests.ui import sample
from tests.ui.driver import Page, until

EDGE = torch.tensor([[1.0, -1.0]])


class Gate:
    """Work that waits until it is let go on, and counts its runs."""

    def __init__(self):
        self.begun, self.go_on, self.runs = threading.Event(), threading.Event(), 0
        self.fails = self.so_far = None

    def __call__(self, result):
        if result.total is not None:
            return None
        return ui.Work(
            lambda report: self.run(result.state.K, report),
            lambda result, total: sample.replace(result, total=total),
            "summing",
            (result.state.K,),
        )

    def run(self, K, report):
        self.runs += 1
        self.begun.set()
        for done in range(2000):
            if self.go_on.is_set():
                break
            time.sleep(0.005)  # not wait(), whose lock an exception from outside would break
            report(done, 2000, self.so_far)
        if self.fails:
            raise self.fails
        return K.sum().item()


@pytest.fixture
def gate():
    made = Gate()
    made.go_on.set()
    yield made
    made.go_on.set()


@pytest.fixture
def page(gate):
    """Give a page of a panel whose work waits from now on."""
    page = Page(sample.panel(work=gate))
    gate.begun.clear()
    gate.go_on.clear()
    gate.runs = 0
    yield page
    page.panel.close()


def is_free(lock):
    """Return whether another thread can take a lock."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: lock.acquire(timeout=1) and (lock.release() or True)).result()


def test_a_value_so_far_is_shown_and_stays_where_the_work_is_stopped(page, gate):
    gate.so_far = 7.0
    page.type("K[0, 0]", "3")
    until(lambda: page.panel.store.result.total == 7.0)
    assert page.status.startswith("summing") and page.shows_the_tree()  # it still runs
    gate.so_far = 8.0
    until(lambda: page.panel.store.result.total == 8.0)
    page.press("stop")
    assert page.panel.store.result.total == 8.0
    assert not page.status.startswith("summing") and page.shows_the_tree()


def test_a_panel_shows_what_it_waits_for_and_then_the_result(page, gate):
    page.type("K[0, 0]", "3")
    assert page.status.startswith("summing") and page.texts("kernel") == [["3", "−1"]]
    assert is_free(LOCK)
    until(lambda: re.fullmatch(r"summing: \d+%, \d+ s left", page.status))
    page.choose("size", 3)  # alive
    assert page.texts("output") == [["20", "23"], ["44", "47"]]
    assert gate.runs == 1  # the size is not what it depends on
    gate.go_on.set()
    until(lambda: "Total 2." in page.status)
    assert page.shows_the_tree()


def test_the_newest_wins_and_what_is_typed_meanwhile_runs_once(page, gate):
    """Finding 8: five characters are one run more at most."""
    for text in ("1", "12", "12.", "12.5", "12.5e0"):
        page.type("K[0, 0]", text)
    gate.go_on.set()
    until(lambda: "Total 11.5." in page.status)
    assert gate.runs <= 2 and page.shows_the_tree()


def test_what_follows_a_long_run_closely_waits_for_a_pause(page, gate):
    page.type("K[0, 0]", "3")
    gate.go_on.set()
    until(lambda: "Total 2." in page.status)
    for text in ("12", "12.", "12.5"):
        page.type("K[0, 0]", text)
    until(lambda: "Total 11.5." in page.status)
    assert gate.runs == 2


def test_work_is_stopped_and_not_begun_again_until_an_edit(page, gate):
    page.type("K[0, 0]", "3")
    assert gate.begun.wait(10)
    page.press("stop")
    assert "summing" not in page.status and "Total" not in page.status
    page.choose("step", 2)
    assert gate.runs == 1 and "summing" not in page.status
    gate.go_on.set()
    page.type("K[0, 0]", "4")
    until(lambda: "Total 3." in page.status)


def test_work_that_catches_everything_is_stopped_again(page, gate):
    """As a learner's loop around a bare `except:` does."""
    tries = []

    def stubborn(K, report):
        while len(tries) < 2:
            try:
                while True:
                    gate.begun.set()
                    time.sleep(0.005)
            except BaseException:
                tries.append(1)
        return -1.0

    run, gate.run = gate.run, stubborn
    page.type("K[0, 0]", "3")
    assert gate.begun.wait(10)
    gate.run = run
    gate.go_on.set()
    page.type("K[0, 0]", "4")
    until(lambda: "Total 3." in page.status)
    assert len(tries) == 2


def test_a_fault_of_the_work_is_shown_and_the_state_stays(page, gate, caplog):
    gate.fails = RuntimeError("<b>no sum</b>")
    page.type("K[0, 0]", "3")
    gate.go_on.set()
    until(lambda: "RuntimeError: <b>no sum</b>" in page.status)
    assert page.has_error and page.panel.K.tolist() == [[3, -1]]
    gate.fails = None
    page.type("K[0, 0]", "4")
    until(lambda: "Total 3." in page.status)
    caplog.clear()


def test_undo_by_code_ends_the_work_of_the_page(page, gate):
    page.type("K[0, 0]", "3")
    assert gate.begun.wait(10)
    gate.go_on.set()
    page.panel.undo()
    assert "Total 0." in page.status and page.shows_the_tree()


def test_code_simply_runs_it(gate):
    panel = sample.panel(work=gate)
    panel.K = 3 * EDGE + 1
    assert "Total 2." in panel.status and gate.runs == 2


def test_a_job_stopped_before_it_begins_never_runs():
    runs, first_ends = [], threading.Event()
    first = Job(ui.Work(lambda report: first_ends.wait(10), None, "", ()))
    second = Job(ui.Work(lambda report: runs.append(2), None, "", ()), after=first)
    third = Job(ui.Work(lambda report: runs.append(3), None, "", ()), after=second)
    first_ends.set()
    assert third.wait(20) and runs == [3]
    assert first.is_stopped and second.is_stopped and not third.is_stopped


def test_work_that_catches_everything_is_stopped_all_the_same():
    tries, goes_on = [], threading.Event()

    def stubborn(report):
        while len(tries) < 3:
            try:
                time.sleep(0.01)
            except:  # noqa: E722
                tries.append("caught")
        goes_on.set()

    job = Job(ui.Work(stubborn, None, "", ()))
    until(lambda: job.seconds == 0 and job.is_stopped is False)
    job.stop()
    assert goes_on.wait(20) and len(tries) == 3


def test_newer_work_waits_for_the_end_of_work_that_was_stopped(page, gate):
    page.type("K[0, 0]", "3")
    assert gate.begun.wait(10)
    page.press("stop")
    page.type("K[0, 0]", "4")
    gate.go_on.set()
    until(lambda: "Total 3." in page.status)
