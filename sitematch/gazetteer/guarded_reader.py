"""Read the compiled gazetteer in a program that runs for long, whatever happens to the file meanwhile."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from sitematch.errors import NotReady
from sitematch.gazetteer.reader import POSTCODE, Handle, PostcodeRow, Reader
from sitematch.gazetteer.units import UNIT_COUNTRIES

LOG = logging.getLogger("sitematch.gazetteer")

_Identity = tuple[int, int, int, int]


class GuardedReader(Reader):
    """The compiled gazetteer's file, watched: it answers from the file that was opened, or not at all.

    Parameters
    ----------
    path
        The file that `sitematch gazetteer build` wrote.
    handles
        How many connections to open at once: one for each thread that reads at the same time. They stay open, so a
        file that is replaced by renaming goes on being read as it was.

    Raises
    ------
    NotReady
        As for `Reader`; and, at a look-up, if the file was written into or cut.

    Notes
    -----
    Nothing is mapped into memory, since a mapped file that is cut ends the process (SIGBUS). After each query the
    file's size and time of change are compared with those at the start: a write changes the time before the bytes, so
    no row of a changed file gets out. That, and reading without a map, costs about 25 microseconds a query.
    """

    def __init__(self, path: str | os.PathLike[str], *, handles: int = 8) -> None:
        self._wanted = handles
        self._free: deque[Handle] = deque()
        self._file = -1
        self._has_told = False
        super().__init__(path)

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            os.close(self._file)

    def check(self) -> None:
        """Check that the file is as it was when it was opened.

        Raises
        ------
        NotReady
            If it was written into or cut. Once it is as before, the check passes again.
        """
        if _identity(os.fstat(self._file)) != self._known:
            raise self._changed()

    def postcode(self, country: str, key: str) -> PostcodeRow | None:
        """Find one key; None if it is not there."""
        rows = self._rows(POSTCODE, (country, key))
        if not rows and country in UNIT_COUNTRIES:
            return self._unit(country, key)
        return rows[0] if rows else None

    def forget_connections(self) -> None:
        """Drop every connection of this process; the next look-up opens a new one."""
        self._free.clear()

    def _prepare(self) -> None:
        self._file = os.open(self.path, os.O_RDONLY)
        self._known = _identity(os.fstat(self._file))
        self._free.extend(self._open() for _ in range(self._wanted))

    def _open(self) -> Handle:
        handle = Handle(self.path, is_mapped=False)
        handle.connection.execute("PRAGMA schema_version").fetchone()  # the file is opened only now
        if _identity(self.path.stat()) != self._known:
            raise self._changed()
        return handle

    def _rows(self, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        try:
            handle = self._free.pop()
        except IndexError:
            try:
                handle = self._open()
            except OSError as fault:
                raise self._changed() from fault
        try:
            rows = handle.cursor.execute(query, values).fetchall()
        except sqlite3.DatabaseError as fault:
            self.check()
            raise self._unreadable(fault) from fault
        finally:
            self._free.append(handle)
        self.check()
        return rows

    def _changed(self) -> NotReady:
        said = (
            f"The gazetteer {self.path} was changed while it was open. Put the old file back, or restart sitematch to "
            "use the new one. Replace it by renaming another over it, never by writing into it."
        )
        if not self._has_told:
            self._has_told = True
            LOG.error("%s", said)
        return NotReady(said)


def _identity(found: os.stat_result) -> _Identity:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
