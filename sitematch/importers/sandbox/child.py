"""The process that reads one file: it limits itself, reads, writes the result to its output, and ends.

Run as ``python -m sitematch.importers.sandbox.child`` with a `Request` on its input.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec

from sitematch.domain.studies.record import RecordLocation, StudyRecord
from sitematch.errors import DataFault, InvalidInput, NotReady
from sitematch.importers.limits import FileLimits, ProcessLimits, over_limit, size_in_words
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
    pack_frame,
)

_ROWS_AT_ONCE = 100
_FAULTS_TOLD = 1_000
_LAST_FRAME_BYTES = 4 << 20
_LOCATION_TEXTS = ("facility", "address", "city", "state", "postcode", "country")


def main() -> None:
    """Read the request from the input and write the answer to the output."""
    request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request)
    limit_this_process(request.process)
    # Output of libraries must not get between the frames.
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with answer:
        write_answer(answer, request)


def limit_this_process(limits: ProcessLimits) -> None:
    """Set permanent limits for this process; beyond them the system ends it or refuses more.

    Windows has no such limits; there only the time limit applies, which the parent measures.
    """
    if sys.platform == "win32":
        return
    import resource

    # The parent ends the process at this time; the alarm ends it if the parent no longer exists.
    signal.setitimer(signal.ITIMER_REAL, limits.wall_s + 1.0)

    def lower(which: int, soft: int, hard: int) -> None:
        allowed = resource.getrlimit(which)[1]
        if allowed != resource.RLIM_INFINITY:
            soft, hard = min(soft, allowed), min(hard, allowed)
        resource.setrlimit(which, (soft, hard))

    lower(resource.RLIMIT_CORE, 0, 0)
    lower(resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1)
    most_bytes = limits.answer_bytes + _LAST_FRAME_BYTES
    lower(resource.RLIMIT_FSIZE, most_bytes, most_bytes)
    if sys.platform != "darwin":  # macOS has this limit but does not allow setting it
        lower(resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes)


def write_answer(answer: IO[bytes], request: Request) -> None:
    """Read the file, and write the result or the error."""
    try:
        source = request.source
        frames = _table(request, source) if isinstance(source, TableSource) else _records(request, source)
        written_bytes = 0
        for frame in frames:
            packed = pack_frame(frame)
            written_bytes += len(packed)
            if written_bytes > request.process.answer_bytes:
                most, unit = size_in_words(request.process.answer_bytes)
                raise over_limit(request.name, f"{unit} of studies and sites", most)
            answer.write(packed)
        last: Frame = End()
    except (DataFault, InvalidInput, NotReady) as refusal:
        last = FileRejected(refusal.message, tuple(getattr(refusal, "faults", ())[:_FAULTS_TOLD]))
    except MemoryError:
        last = MemoryExceeded()
    except Exception as error:
        # Any other error that a hostile file causes. The parent logs it and reports the file as faulty.
        last = ReaderFailed(type(error).__name__, "".join(traceback.format_tb(error.__traceback__)[-5:]))
    answer.write(pack_frame(last))


def _table(request: Request, source: TableSource) -> Iterator[Frame]:
    from sitematch.importers.tables.foreign import read_table

    table = read_table(Path(request.path), source.sheet, source.given, limits=request.limits)
    yield TableHead(table.name, table.header, table.notices)
    rows = iter(table.rows)
    while batch := tuple(islice(rows, _ROWS_AT_ONCE)):
        yield TableRows(batch)


def _records(request: Request, source: RecordSource) -> Iterator[Frame]:
    reader: Any = getattr(importlib.import_module(source.module), source.function)
    locations = 0
    for found in reader(Path(request.path), source.read_on, limits=request.limits):
        if not isinstance(found, StudyRecord):
            yield RecordLeftOut(found)
            continue
        locations += len(found.locations) + len(found.left_out)
        if locations > request.limits.locations:
            raise over_limit(request.name, "locations", request.limits.locations)
        for location in (*found.locations, *found.left_out):
            _check_location(location, request.limits, request.name)
        yield Record(found)


def _check_location(location: RecordLocation, limits: FileLimits, name: str) -> None:
    for field in _LOCATION_TEXTS:
        if len(getattr(location, field)) > limits.location_characters:
            raise over_limit(name, f"characters in the {field} of a location", limits.location_characters)


if __name__ == "__main__":
    main()
