"""A background task survives every error, and reports its state."""

from __future__ import annotations

import logging
import threading

import pytest

from sitematch.supervision import LONGEST_PAUSE_S, Supervisor, Task


class Clock:
    """A clock that the test controls, in seconds."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Work:
    """Raises the next of some errors, or nothing."""

    def __init__(self, *errors: BaseException | None) -> None:
        self.errors = list(errors)
        self.done = threading.Semaphore(0)

    def __call__(self) -> None:
        error = self.errors.pop(0) if self.errors else None
        self.done.release()
        if error is not None:
            raise error


@pytest.mark.parametrize("error", [ValueError("port"), UnicodeError("label"), OSError("disk"), RuntimeError("any")])
def test_no_error_ends_a_task(error: Exception) -> None:
    work = Work(error)
    task = Task("rounds", work, every_s=0.001, late_after_s=60.0).start()

    for _ in range(3):
        assert work.done.acquire(timeout=30)
    status = task.status()
    task.stop()

    assert status.is_alive
    assert status.failures == 1
    assert status.last_error == type(error).__name__
    assert not task.status().is_alive


def test_failures_in_a_row_are_counted_and_rested_from_longer_each_time() -> None:
    task = Task("rounds", Work(*(ValueError() for _ in range(30))), every_s=1.0, late_after_s=60.0)

    pauses = []
    for _ in range(30):
        task.run_once()
        pauses.append(task.pause_s())
    task.run_once()

    assert pauses[:5] == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S
    assert (task.pause_s(), task.status().failures_in_a_row, task.status().runs) == (1.0, 0, 31)


def test_task_without_a_success_for_too_long_is_late_until_it_succeeds() -> None:
    clock = Clock()
    task = Task("feed", Work(OSError(), OSError()), every_s=1.0, late_after_s=10.0, clock=clock)

    said = []
    for _ in range(3):
        clock.now_s += 6.0
        task.run_once()
        said.append((task.status().is_late, task.status().since_success_s))

    assert said == [(False, 6.0), (True, 12.0), (False, 0.0)]


def test_failure_is_logged_once_with_where_it_arose_and_without_its_message(caplog: pytest.LogCaptureFixture) -> None:
    task = Task("rounds", Work(*(ValueError("33180 Miami") for _ in range(5))), every_s=1.0, late_after_s=60.0)

    for _ in range(6):
        task.run_once()

    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "ValueError" in errors[0].getMessage()
    assert "test_supervision.py" in errors[0].getMessage()
    assert "33180" not in caplog.text
    assert "works again after 5 failures" in caplog.text


def test_task_is_done_at_once_when_woken() -> None:
    work = Work()
    task = Task("outlooks", work, every_s=3600.0, late_after_s=7200.0).start()

    task.wake()

    assert work.done.acquire(timeout=30)
    task.stop()


def test_rest_that_cannot_be_worked_out_is_a_failure_like_any_other() -> None:
    def rest() -> float:
        raise ZeroDivisionError

    work = Work()
    task = Task("outlooks", work, every_s=rest, late_after_s=60.0).start(at_once=True)

    assert work.done.acquire(timeout=30)
    task.stop()
    assert task.status().last_error == "ZeroDivisionError"


def test_supervisor_tells_how_every_task_is_doing_and_ends_them() -> None:
    supervisor = Supervisor()
    tasks = [Task(name, Work(), every_s=3600.0, late_after_s=7200.0).start() for name in ("one", "two")]
    supervisor.watch(*tasks)

    said = [status.name for status in supervisor.statuses()]
    supervisor.stop()

    assert said == ["one", "two"]
    assert supervisor.statuses() == ()
    assert not any(task.status().is_alive for task in tasks)
