"""Limits for reading files, which can be small on disk and very large when unpacked."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, TypeVar

from sitematch.errors import DataFault, Fault

_T = TypeVar("_T")
_NO_LIMIT = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """Limits for the content of one file; by default none.

    Parameters
    ----------
    expanded_bytes
        Bytes after unpacking; for an archive, all its members together.
    members
        Files in an archive.
    records
        JSON records: studies, or resources of FHIR.
    rows, columns, cells
        Limits of a table; empty rows count, empty cells at the end of a row do not.
    cell_characters
        Characters in one cell.
    locations
        Locations of all studies together.
    location_characters
        Characters in one field of a location, e.g. its town.
    """

    expanded_bytes: int = _NO_LIMIT
    members: int = _NO_LIMIT
    records: int = _NO_LIMIT
    rows: int = _NO_LIMIT
    columns: int = _NO_LIMIT
    cells: int = _NO_LIMIT
    cell_characters: int = _NO_LIMIT
    locations: int = _NO_LIMIT
    location_characters: int = _NO_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """Limits of the process that reads a file.

    Parameters
    ----------
    cpu_s
        Seconds of CPU time.
    wall_s
        Seconds from start to end.
    memory_bytes
        Address space, including about 300 MB for Python itself.
    answer_bytes
        Length of its result, and of any other file that it writes.
    """

    cpu_s: int = 30
    wall_s: float = 90.0
    memory_bytes: int = 1_536 << 20
    answer_bytes: int = 64 << 20


NO_LIMITS = FileLimits()
"""For files that the user of a command has chosen."""


def over_limit(name: str, what: str, most: int) -> DataFault:
    """Return the error for a file with too much content.

    Examples
    --------
    >>> over_limit("sites.xlsx", "rows", 50_000).message
    'sites.xlsx has more than 50,000 rows, the limit for uploaded files.'
    """
    reason = f"has more than {most:,} {what}, the limit for uploaded files"
    return DataFault(f"{name} {reason}.", faults=[Fault(0, "", "", reason, place=name)])


def size_in_words(size_bytes: int) -> tuple[int, str]:
    """Return a size in MB from 1 MB, otherwise in bytes, and the unit.

    Examples
    --------
    >>> size_in_words(512 << 20), size_in_words(1_000)
    ((512, 'MB'), (1000, 'bytes'))
    """
    return (size_bytes >> 20, "MB") if size_bytes >= 1 << 20 else (size_bytes, "bytes")


def too_large(name: str, limits: FileLimits) -> DataFault:
    """Return the error for a file that is too large when unpacked."""
    most, unit = size_in_words(limits.expanded_bytes)
    return over_limit(name, f"{unit} when it is unpacked", most)


def check_archive(sizes_bytes: Iterable[int], name: str, limits: FileLimits) -> None:
    """Check the stated sizes of an archive's members, before any of them is read.

    Parameters
    ----------
    sizes_bytes
        The unpacked size of each member. Python's `zipfile` does not read more of a member than stated.
    name
        What to call it.
    limits
        What is allowed.

    Raises
    ------
    DataFault
        If there are too many members, or they are too large together.
    """
    total = 0
    for number, size_bytes in enumerate(sizes_bytes, start=1):
        total += size_bytes
        if number > limits.members:
            raise over_limit(name, "files in it", limits.members)
        if total > limits.expanded_bytes:
            raise too_large(name, limits)


def at_most(items: Iterable[_T], most: int, name: str, what: str) -> Iterator[_T]:
    """Yield items, and raise an error if there are too many.

    Raises
    ------
    DataFault
        Instead of the first item that is too many.
    """
    for number, item in enumerate(items, start=1):
        if number > most:
            raise over_limit(name, what, most)
        yield item


def check_rows(
    rows: Iterable[tuple[int, tuple[str, ...]]], name: str, limits: FileLimits
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield a table's rows, and raise an error if there are too many, or one is too wide or too long.

    Parameters
    ----------
    rows
        Number in the file, and cells.
    name
        What to call the table.
    limits
        What is allowed.

    Raises
    ------
    DataFault
        If the table exceeds a limit.
    """
    cells_read = 0
    for number, cells in at_most(rows, limits.rows, name, "rows"):
        cells_read += len(cells)
        if len(cells) > limits.columns and any(cells[limits.columns :]):
            raise over_limit(name, f"columns in row {number}", limits.columns)
        if cells_read > limits.cells:
            raise over_limit(name, "cells", limits.cells)
        if any(len(cell) > limits.cell_characters for cell in cells):
            raise over_limit(name, f"characters in a cell of row {number}", limits.cell_characters)
        yield number, cells


class BoundedReader(io.RawIOBase):
    """Reads a stream, and raises an error if it is longer than allowed.

    Parameters
    ----------
    stream
        The stream, e.g. an opened gzip file.
    name
        What to call the file.
    limits
        What is allowed.
    """

    def __init__(self, stream: IO[bytes], name: str, limits: FileLimits) -> None:
        self._stream = stream
        self._name = name
        self._limits = limits
        self._read_bytes = 0

    def readable(self) -> bool:
        """Return True, because the stream can be read."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read the next bytes; raises `DataFault` if there are too many."""
        chunk = self._stream.read(len(buffer))
        self._read_bytes += len(chunk)
        if self._read_bytes > self._limits.expanded_bytes:
            raise too_large(self._name, self._limits)
        buffer[: len(chunk)] = chunk
        return len(chunk)
