"""What the process that reads a file is told, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import IO

import msgspec

from sitematch.domain.studies.record import StudyRecord
from sitematch.errors import Fault
from sitematch.importers.limits import FileLimits, ProcessLimits

Rows = tuple[tuple[int, tuple[str, ...]], ...]


class TableSource(msgspec.Struct, frozen=True, tag=True):
    """A table is to be read; see `read_table`."""

    sheet: str
    given: dict[str, str]


class RecordSource(msgspec.Struct, frozen=True, tag=True):
    """Studies are to be read.

    Parameters
    ----------
    module, function
        Where their reader is defined.
    read_on
        Today.
    """

    module: str
    function: str
    read_on: date


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be read, and how.

    Parameters
    ----------
    path, name
        The file, and what to call it.
    source
        What it holds.
    limits
        The most that is read.
    process
        What reading it may use.
    """

    path: str
    name: str
    source: TableSource | RecordSource
    limits: FileLimits
    process: ProcessLimits


class TableHead(msgspec.Struct, frozen=True, tag=True):
    """A table begins; see `ForeignTable`."""

    name: str
    header: tuple[str, ...]
    notices: tuple[str, ...]


class TableRows(msgspec.Struct, frozen=True, tag=True):
    """More rows of the table."""

    rows: Rows


class Record(msgspec.Struct, frozen=True, tag=True):
    """A study."""

    record: StudyRecord


class RecordLeftOut(msgspec.Struct, frozen=True, tag=True):
    """A record that cannot be used."""

    fault: Fault


class FileRejected(msgspec.Struct, frozen=True, tag=True):
    """The file cannot be used, and the reader says why."""

    message: str
    faults: tuple[Fault, ...]


class ReaderFailed(msgspec.Struct, frozen=True, tag=True):
    """The reader broke.

    Parameters
    ----------
    kind
        Kind of the error.
    where
        Where in the code it arose. The error's message is left out: it may hold what stands in the file.
    """

    kind: str
    where: str


class MemoryExceeded(msgspec.Struct, frozen=True, tag=True):
    """The memory that is allowed was not enough."""


class End(msgspec.Struct, frozen=True, tag=True):
    """All of the file was read."""


Frame = TableHead | TableRows | Record | RecordLeftOut | FileRejected | ReaderFailed | MemoryExceeded | End

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Frame)
_LENGTH_BYTES = 4


def pack_frame(frame: Frame) -> bytes:
    """Return a frame as it is written, its length first."""
    packed = _encoder.encode(frame)
    return len(packed).to_bytes(_LENGTH_BYTES, "big") + packed


def read_frames(file: IO[bytes]) -> Iterator[Frame]:
    """Yield the frames of a file; one that was cut off at its end is left out."""
    while len(head := file.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
        length = int.from_bytes(head, "big")
        packed = file.read(length)
        if len(packed) == length:
            yield _decoder.decode(packed)
