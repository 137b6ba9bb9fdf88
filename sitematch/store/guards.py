"""Checks before a write begins and before it is confirmed: the file, the clock, and the length of the queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sitematch.errors import LedgerBusy, StorageFault

MAX_SKEW = timedelta(minutes=1)
"""Largest difference between two clocks, or jump of one, before writes are refused."""

RETRY_AFTER_S = 1.0
"""How long a caller should wait if the queue of writes is full, in seconds."""


class FileGuard:
    """Detects that a database file was removed or replaced while it is open.

    SQLite would continue to write to a file that no longer has a name, and every confirmed spot would be lost.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def check(self) -> None:
        """Check that the file is still the one that was opened; the first check records which file that is.

        Raises
        ------
        StorageFault
            If it is another file, or missing. Once the same file is back, the check passes again.
        """
        try:
            found = self._path.stat()
        except OSError:
            if self._known is None:
                return  # the first connection creates it
            raise StorageFault(
                f"The database file {self._path} is gone. Put it back; until then nothing is written.", kind="FILE_GONE"
            ) from None
        identity = (found.st_dev, found.st_ino)
        if self._known is None:
            self._known = identity
        elif identity != self._known:
            raise StorageFault(
                f"The file {self._path} was replaced after the database was opened. Put the old one back, or restart "
                "sitematch to use the new one; until then nothing is written.",
                kind="FILE_REPLACED",
            )


class ClockGuard:
    """Detects that the machine's clock was changed while the program is running.

    Parameters
    ----------
    wall
        The machine's clock (aware).
    steady_s
        Seconds since a fixed time, which nobody can change.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._steady_s = steady_s
        self._began_at = wall()
        self._began_s = steady_s()

    def compare(self, database_at: datetime) -> timedelta:
        """Return by how much the machine's clock is ahead of a database server's, which was just read (aware)."""
        return self._wall() - database_at

    def check(self) -> None:
        """Check that the clock agrees with the elapsed time.

        Raises
        ------
        StorageFault
            If it is off by more than `MAX_SKEW`: holds would lapse, or stay active, because of a wrong clock.
        """
        expected = self._began_at + timedelta(seconds=self._steady_s() - self._began_s)
        ahead = self._wall() - expected
        if abs(ahead) > MAX_SKEW:
            raise clock_fault(ahead)


def clock_fault(ahead: timedelta) -> StorageFault:
    """Return the error for a clock that is off."""
    direction = "ahead" if ahead > timedelta(0) else "behind"
    return StorageFault(
        f"This machine's clock was set {abs(ahead.total_seconds()):.0f} seconds {direction} while sitematch ran. "
        "Nothing is written until the clock is right again. Set the clock, or restart sitematch if it is right now.",
        kind="CLOCK",
    )


class WriteGuards:
    """The checks around each write to one open database.

    Parameters
    ----------
    file
        Checks the file; None for a database without one.
    clock
        Checks the machine's clock; None if times come from elsewhere, e.g. in tests.
    most_waiting
        How many writes may be under way or wait at once; None is no bound. A server needs threads left for look-ups.

    Attributes
    ----------
    under_way
        Writes that are under way or wait now.
    refused
        Writes that were refused because too many waited, since the database was opened.
    """

    def __init__(
        self, *, file: FileGuard | None = None, clock: ClockGuard | None = None, most_waiting: int | None = None
    ) -> None:
        self.file = file
        self.clock = clock
        self._most = most_waiting
        self._lock = threading.Lock()
        self._ahead_of_database = timedelta(0)
        self.under_way = 0
        self.refused = 0

    def check(self) -> None:
        """Check file and clock.

        Raises
        ------
        StorageFault
            See `FileGuard.check` and `ClockGuard.check`.
        """
        if self.file is not None:
            self.file.check()
        if self.clock is not None:
            self.clock.check()
            if abs(self._ahead_of_database) > MAX_SKEW:
                raise StorageFault(
                    f"This machine's clock and the database server's differ by "
                    f"{abs(self._ahead_of_database.total_seconds()):.0f} seconds. Nothing is written until they agree. "
                    "Set both by NTP.",
                    kind="CLOCK",
                )

    def note_database_clock(self, database_at: datetime) -> None:
        """Note what the database server's clock just showed (aware): several servers must agree on when holds lapse."""
        if self.clock is not None:
            self._ahead_of_database = self.clock.compare(database_at)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Occupy one of the slots for writes during the block.

        Raises
        ------
        LedgerBusy
            At once, if all are taken, because a waiting write would block a thread that could answer look-ups.
        """
        with self._lock:
            has_place = self._most is None or self.under_way < self._most
            self.under_way += has_place
            self.refused += not has_place
        if not has_place:
            raise LedgerBusy(
                "The database is busy: too many writes are waiting. Try again shortly.", retry_after_s=RETRY_AFTER_S
            )
        try:
            yield
        finally:
            with self._lock:
                self.under_way -= 1
