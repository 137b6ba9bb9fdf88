"""Reading files of unknown origin in a separate process."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO

import msgspec

import sitematch
from sitematch.domain.studies.record import StudyRecord
from sitematch.errors import DataFault, Fault, LedgerBusy
from sitematch.importers.limits import FileLimits, ProcessLimits, size_in_words
from sitematch.importers.sandbox.frames import (
    End,
    FileRejected,
    Frame,
    MemoryExceeded,
    ReaderFailed,
    Record,
    RecordLeftOut,
    RecordSource,
    Request,
    TableHead,
    TableRows,
    TableSource,
    read_frames,
)
from sitematch.importers.tables.foreign import ForeignTable

LOG = logging.getLogger("sitematch.uploads")

UPLOAD_LIMITS = FileLimits(
    expanded_bytes=512 << 20,
    members=10_000,
    records=100_000,
    rows=50_000,
    columns=500,
    cells=2_000_000,
    cell_characters=32_767,
    locations=100_000,
    location_characters=1_000,
)
"""Limits for reading an uploaded file. The largest study of ClinicalTrials.gov has about 2,000 locations; an Excel cell
can have at most 32,767 characters."""

AT_ONCE = 2
"""Number of files that one server process handles at the same time; a third one is refused for now."""

_RETRY_AFTER_S = 10.0
# In addition to what Python needs to start. The reader must not get passwords and addresses in other variables.
_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_turns = threading.BoundedSemaphore(AT_ONCE)


UPLOAD_PROCESS = ProcessLimits()
"""Limits of the process that reads an uploaded file."""


def read_records_apart(
    reader: Callable[..., Iterator[StudyRecord | Fault]],
    path: Path,
    read_on: date,
    *,
    limits: FileLimits = UPLOAD_LIMITS,
    process: ProcessLimits = UPLOAD_PROCESS,
) -> Iterator[StudyRecord | Fault]:
    """Read all studies of a file in a separate process, and then yield them.

    Parameters
    ----------
    reader
        A function at the top of a module, which takes a path, a day and ``limits``.
    path, read_on
        See `reader`.
    limits, process
        What is allowed.

    Raises
    ------
    DataFault
        If the file cannot be read, or exceeds a limit of its content or of the process.
    LedgerBusy
        If too many other files are being read.
    """
    source = RecordSource(reader.__module__, reader.__qualname__, read_on)
    with _answer(path, source, limits, process) as frames:
        for frame in frames:
            if isinstance(frame, Record):
                yield frame.record
            elif isinstance(frame, RecordLeftOut):
                yield frame.fault


def read_table_apart(
    path: Path,
    sheet: str = "",
    given: Mapping[str, str] | None = None,
    *,
    limits: FileLimits = UPLOAD_LIMITS,
    process: ProcessLimits = UPLOAD_PROCESS,
) -> ForeignTable:
    """Read a table in a separate process; see `read_table`.

    Raises
    ------
    DataFault, LedgerBusy
        See `read_records_apart`.
    """
    rows: list[tuple[int, tuple[str, ...]]] = []
    head = TableHead(path.name, (), ())
    source = TableSource(sheet, dict(given or {}))
    with _answer(path, source, limits, process) as frames:
        for frame in frames:
            if isinstance(frame, TableHead):
                head = frame
            elif isinstance(frame, TableRows):
                rows += frame.rows
    return ForeignTable(name=head.name, header=head.header, rows=tuple(rows), notices=head.notices)


@contextmanager
def _answer(
    path: Path, source: TableSource | RecordSource, limits: FileLimits, process: ProcessLimits
) -> Iterator[Iterator[Frame]]:
    """Run a process that reads a file; return its result if it ended successfully."""
    request = Request(
        path=str(path.absolute()),
        name=path.name,
        source=source,
        limits=limits,
        process=process,
    )
    # The system removes this file when it is closed, even if the process fails.
    with tempfile.TemporaryFile() as found:
        if not _turns.acquire(blocking=False):
            raise LedgerBusy(
                f"{AT_ONCE} other files are being read now. Try again in a moment.", retry_after_s=_RETRY_AFTER_S
            )
        try:
            ended = _run(request, found)
        finally:
            _turns.release()
        found.seek(0)
        last: Frame | None = None
        for last in read_frames(found):  # noqa: B007 - only how it ended is wanted
            pass
        if not isinstance(last, End):
            raise _fault(request, last, ended)
        found.seek(0)
        yield read_frames(found)


def _run(request: Request, found: IO[bytes]) -> int | None:
    """Run the process; return its exit code, or None if it took too long and was ended."""
    # -P: nothing is imported from the current folder, where the parent may have found the package.
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    folders = [str(Path(sitematch.__file__).parents[1]), *filter(None, paths)]
    environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    environment |= {"PYTHONPATH": os.pathsep.join(folders), "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"}
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "sitematch.importers.sandbox.child"],
        stdin=subprocess.PIPE,
        stdout=found,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    with child:
        try:
            child.communicate(msgspec.msgpack.encode(request), timeout=request.process.wall_s)
        except subprocess.TimeoutExpired:
            child.kill()
            return None
        except BaseException:
            child.kill()
            raise
    return child.returncode


def _fault(request: Request, last: Frame | None, ended: int | None) -> DataFault:
    """Return the error for a file that was not read, from the last message of its process and its exit code."""
    name = request.name
    if isinstance(last, FileRejected):
        return DataFault(last.message, faults=last.faults)
    if isinstance(last, MemoryExceeded):
        most, unit = size_in_words(request.process.memory_bytes)
        return _refused(name, f"needs more than {most:,} {unit} of memory to be read. Divide it into smaller files")
    if isinstance(last, ReaderFailed):
        LOG.error("Reading an uploaded file failed with %s.\n%s", last.kind, last.where.rstrip())
        return _refused(name, f"is damaged, or is not of the kind that was chosen ({last.kind})")
    if ended is None or (sys.platform != "win32" and ended in (-signal.SIGXCPU, -signal.SIGALRM)):
        return _refused(name, "takes too long to be read. Divide it into smaller files")
    LOG.error("The process that read an uploaded file ended with %s.", ended)
    return _refused(name, "cannot be read: the program that reads it broke off. The file is damaged or too large")


def _refused(name: str, reason: str) -> DataFault:
    return DataFault(f"{name} {reason}.", faults=[Fault(0, "", "", reason, place=name)])
