"""Work that takes seconds, such as a learner's slow function or a training, in a thread.

No lock is held while it runs, so the page stays alive; it can be stopped, and newer work takes the
place of older. What is done in a cell, without a browser's event, simply runs to its end.
"""

from __future__ import annotations

import ctypes
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from convkit.ui.store import LOCK
from convkit.user_function import Stopped

PATIENCE = 0.1
"""Seconds in which work is expected to end, before a panel shows that it waits for it."""
PAUSE = 0.3
"""Seconds without newer work before work starts that follows another closely."""
REPORT_INTERVAL = 0.2
"""Seconds between two reports of progress."""

Report = Callable[..., None]
"""Called by work with how much is done, of how much, and maybe with the value so far."""


@dataclass(frozen=True)
class Work:
    """Work that completes a result.

    Attributes
    ----------
    run : callable
        ``run(report)`` does it and returns a value. It may call ``report(done, total)``, or
        ``report(done, total, value)`` with the value so far, which is shown, and stays where it is
        stopped.
    finish : callable
        ``finish(result, value)`` returns the completed result.
    words : str
        What the panel says meanwhile, such as "running your corr2d on 128 × 128".
    inputs : tuple
        All that the work depends on: where they stay equal, it is not started again.

    Examples
    --------
    >>> from dataclasses import dataclass, replace
    >>> @dataclass(frozen=True)
    ... class Trained:
    ...     rate: float
    ...     loss: float | None = None
    >>> def finish(result, loss):
    ...     return replace(result, loss=loss)
    >>> Work(lambda report: 0.25, finish, "training", (0.1,)).complete(Trained(0.1))
    Trained(rate=0.1, loss=0.25)
    """

    run: Callable[[Report], Any]
    finish: Callable[[Any, Any], Any]
    words: str
    inputs: tuple[Any, ...]

    def complete(self, result: Any) -> Any:
        """Do the work here and now, and return the completed result.

        Examples
        --------
        >>> def add(result, value):
        ...     return result + value
        >>> Work(lambda report: 2, add, "adding", inputs=(2,)).complete(1)
        3
        """
        return self.finish(result, self.run(lambda *told: None))


class Job:
    """Work in a thread of its own.

    Parameters
    ----------
    work : Work
        What to do.
    done : callable
        ``done(job)`` is called in the thread when the work has ended, unless it was stopped.
    report : callable
        ``report(job)`` is called in the thread now and then.
    after : Job, optional
        An older job, which is stopped. If it runs still, or took long and has just ended, this one
        waits for its end, and for a pause in which no newer one takes its place.

    Attributes
    ----------
    work : Work
        What it does.
    value : object
        What the work returned; while it runs, what it reported last, or None.
    error : BaseException or None
        What it raised.
    seconds : float
        How long it took.

    Examples
    --------
    >>> def add(result, value):
    ...     return result + value
    >>> job = Job(Work(lambda report: 2, add, "adding", inputs=(2,)))
    >>> job.wait(10), job.completed(1)
    (True, 3)
    """

    def __init__(
        self,
        work: Work,
        done: Callable[[Job], None] = lambda job: None,
        report: Callable[[Job], None] = lambda job: None,
        after: Job | None = None,
    ) -> None:
        self.work = work
        self.value: Any = None
        self.error: BaseException | None = None
        self.seconds = 0.0
        self._done, self._report = done, report
        self._after = after if after is not None and after._is_close() else None
        self._share = 0.0
        self._started = self._reported = self._ended = 0.0
        self._is_stopped, self._has_ended = threading.Event(), threading.Event()
        self._thread: threading.Thread = threading.Thread(target=self._work, daemon=True)
        if after is not None:
            after.stop()
        self._thread.start()

    @property
    def is_stopped(self) -> bool:
        """Whether it was asked to stop; its value counts no more."""
        return self._is_stopped.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the work; return whether it has come."""
        return self._has_ended.wait(seconds)

    def stop(self) -> None:
        """Stop the work: its Python code raises `Stopped` at its next line."""
        if not self.is_stopped:
            self._is_stopped.set()
            threading.Thread(target=self._insist, daemon=True).start()

    def _is_close(self) -> bool:
        """Return whether it runs, or took long and has just ended: as while somebody types."""
        has_just_ended = time.monotonic() - self._ended < PAUSE
        return self._thread.is_alive() or (self.seconds > PATIENCE and has_just_ended)

    def _insist(self) -> None:
        """Raise `Stopped` in the work until it has ended: ``except:`` may catch it."""
        while self._thread.is_alive():
            with LOCK:  # which the work's thread then does not hold, and would not release
                if self._started and not self._has_ended.is_set():
                    thread = ctypes.c_ulong(self._thread.ident or 0)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(Stopped))
            self._thread.join(PAUSE)

    @property
    def words(self) -> str:
        """What it does, and where that is known, how much is done and how long the rest takes."""
        if not self._share:
            return f"{self.work.words} ..."
        spent = time.monotonic() - self._started
        left = math.ceil(spent / self._share - spent)
        return f"{self.work.words}: {100 * self._share:.0f}%, {left} s left"

    def _work(self) -> None:
        if self._after is not None:
            self._after._thread.join()
            self._after = None  # else each job would keep all before it
            self._is_stopped.wait(PAUSE)
        if not self.is_stopped:
            self._run()
        if not self.is_stopped:
            self._done(self)

    def _run(self) -> None:
        self._started = time.monotonic()
        try:
            if self.is_stopped:
                raise Stopped
            self.value = self.work.run(self._on_progress)
        except BaseException as error:  # whoever waits for the value raises it
            self.error = error
        finally:
            self._ended = time.monotonic()
            self.seconds = self._ended - self._started
            self._has_ended.set()

    def _on_progress(self, done: float, total: float, value: Any = None) -> None:
        if self.is_stopped:
            raise Stopped
        self._share, self.value = done / total, value
        now = time.monotonic()
        if now - self._reported >= REPORT_INTERVAL:
            self._reported = now
            self._report(self)

    def so_far(self, result: Any) -> Any:
        """Return a result with what the work has reported last.

        Examples
        --------
        >>> def count(report):
        ...     report(1, 2, "half")
        ...     time.sleep(10)
        >>> job = Job(Work(count, lambda result, value: [*result, value], "counting", inputs=()))
        >>> while job.value is None:
        ...     time.sleep(0.01)
        >>> job.so_far([1]), job.stop()
        ([1, 'half'], None)
        """
        return result if self.value is None else self.work.finish(result, self.value)

    def completed(self, result: Any) -> Any:
        """Return the completed result, once the work has ended.

        Raises
        ------
        BaseException
            What the work raised.
        """
        if self.error is not None:
            raise self.error
        return self.work.finish(result, self.value)
