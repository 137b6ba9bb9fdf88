"""Messages to and from the process that reads a file."""

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
    """Read a table; see `read_table`."""

    sheet: str
    given: dict[str, str]


class RecordSource(msgspec.Struct, frozen=True, tag=True):
    """Read studies.

    Parameters
    ----------
    module, function
        Where the reader is defined.
    read_on
        Today.
    """

    module: str
    function: str
    read_on: date


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to read a file.

    Parameters
    ----------
    path, name
        The file, and its name for messages.
    source
        The kind of its content.
    limits
        The limits of reading.
    process
        The limits of the process.
    """

    path: str
    name: str
    source: TableSource | RecordSource
    limits: FileLimits
    process: ProcessLimits


class TableHead(msgspec.Struct, frozen=True, tag=True):
    """The beginning of a table; see `ForeignTable`."""

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
    """The reader's error for a file that cannot be used."""

    message: str
    faults: tuple[Fault, ...]


class ReaderFailed(msgspec.Struct, frozen=True, tag=True):
    """An unexpected error in the reader.

    Parameters
    ----------
    kind
        The class of the error.
    where
        Where it was raised. The error's message is left out, because it may contain data from the file.
    """

    kind: str
    where: str


class MemoryExceeded(msgspec.Struct, frozen=True, tag=True):
    """The allowed memory was not enough."""


class End(msgspec.Struct, frozen=True, tag=True):
    """The whole file was read."""


Frame = TableHead | TableRows | Record | RecordLeftOut | FileRejected | ReaderFailed | MemoryExceeded | End

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Frame)
_LENGTH_BYTES = 4


def pack_frame(frame: Frame) -> bytes:
    """Return the bytes of a frame, with its length first."""
    packed = _encoder.encode(frame)
    return len(packed).to_bytes(_LENGTH_BYTES, "big") + packed


def read_frames(file: IO[bytes]) -> Iterator[Frame]:
    """Yield the frames of a file; an incomplete last frame is left out."""
    while len(head := file.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
        length = int.from_bytes(head, "big")
        packed = file.read(length)
        if len(packed) == length:
            yield _decoder.decode(packed)
