"""Tasks that a server repeats in the background, each in its own thread, which no error can end."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

LOG = logging.getLogger("sitematch.background")

LONGEST_PAUSE_S = 60.0
"""The longest pause after failures that follow one another, in seconds, unless the task itself rests longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """The state of a background task.

    Parameters
    ----------
    name
        What it does.
    runs, failures
        How often it was done, and how often that failed, since the process started.
    failures_in_a_row
        How many of the latest runs failed; 0 after a success.
    since_success_s
        Seconds since the latest success, or since the start where there was none.
    last_error
        Kind of the latest failure; empty if there was none. It holds no message, which could name an address.
    is_late
        Whether `since_success_s` is longer than this task may go without a success.
    is_alive
        Whether its thread runs.
    """

    name: str
    runs: int
    failures: int
    failures_in_a_row: int
    since_success_s: float
    last_error: str
    is_late: bool
    is_alive: bool


class Task:
    """A task that is repeated until the process ends.

    Whatever it raises is caught, logged with its traceback when it is new, and counted; the next run follows after a
    pause that grows with each failure.

    Parameters
    ----------
    name
        What it does, in a few words.
    work
        Does it once.
    every_s
        Seconds to rest after a success, or a function that says how many.
    late_after_s
        Seconds without a success from which it counts as late.
    clock
        Seconds from a fixed instant that never go back.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        *,
        every_s: float | Callable[[], float],
        late_after_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._work = work
        self._every_s = every_s if callable(every_s) else lambda: every_s
        self._late_after_s = late_after_s
        self._clock = clock
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._runs = 0
        self._failures = 0
        self._in_a_row = 0
        self._last_error = ""
        self._succeeded_at_s = clock()
        self._thread = threading.Thread(target=self._run, name=f"sitematch-{name.replace(' ', '-')}", daemon=True)

    def start(self, *, at_once: bool = False) -> Task:
        """Start the thread, with a rest first unless `at_once`, and return the task."""
        if at_once:
            self._wake.set()
        self._thread.start()
        return self

    def wake(self) -> None:
        """Run the task now instead of at its next turn."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread, and wait until its current run is finished."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def run_once(self) -> None:
        """Run the task once in this thread, and count the result; no error is raised."""
        self._runs += 1
        try:
            self._work()
        except Exception as error:
            self._fail(error)
        else:
            if self._in_a_row:
                LOG.warning("%s: works again after %d failures.", self.name, self._in_a_row)
            self._in_a_row = 0
            self._succeeded_at_s = self._clock()

    def status(self) -> TaskStatus:
        """Return its state."""
        since_s = self._clock() - self._succeeded_at_s
        return TaskStatus(
            name=self.name,
            runs=self._runs,
            failures=self._failures,
            failures_in_a_row=self._in_a_row,
            since_success_s=since_s,
            last_error=self._last_error,
            is_late=since_s > self._late_after_s,
            is_alive=self._thread.is_alive(),
        )

    def pause_s(self) -> float:
        """Return how long to wait before the next run, in seconds: longer after each consecutive failure."""
        rest_s = self._every_s()
        if not self._in_a_row:
            return rest_s
        grown_s = max(rest_s, 0.1) * 2.0 ** min(self._in_a_row - 1, 20)
        return float(max(rest_s, min(grown_s, LONGEST_PAUSE_S)))

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._safe_pause_s())
            self._wake.clear()
            if not self._stop.is_set():
                self.run_once()

    def _safe_pause_s(self) -> float:
        try:
            return self.pause_s()
        except Exception as error:
            self._fail(error)
            return LONGEST_PAUSE_S

    def _fail(self, error: Exception) -> None:
        self._failures += 1
        self._in_a_row += 1
        kind = type(error).__name__
        if self._in_a_row == 1 or kind != self._last_error:
            # Where it was raised, and its kind, because the message may contain an address or data of a database.
            where = "".join(traceback.format_tb(error.__traceback__)).rstrip()
            LOG.error("%s: failed with %s; it is tried again.\n%s", self.name, kind, where)
        self._last_error = kind


class Supervisor:
    """The background tasks of one process."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._lock = threading.Lock()

    def watch(self, *tasks: Task) -> None:
        """Add tasks that were already started."""
        with self._lock:
            self._tasks += tasks

    def statuses(self) -> tuple[TaskStatus, ...]:
        """Return the state of every task, in the order in which they were added."""
        with self._lock:
            return tuple(task.status() for task in self._tasks)

    def stop(self) -> None:
        """End every task."""
        with self._lock:
            tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.stop()
