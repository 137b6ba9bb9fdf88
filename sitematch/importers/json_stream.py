"""Records from JSON files of any size, one at a time, with constant memory."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from sitematch.errors import DataFault, Fault
from sitematch.importers.limits import NO_LIMITS, BoundedReader, FileLimits, at_most, check_archive
from sitematch.importers.opened import open_file

CHUNK_CHARACTERS = 1 << 18
"""Characters read at a time."""

MAX_RECORD_CHARACTERS = 64 << 20
"""Maximum length of a record; the largest one of ClinicalTrials.gov, with results, has about 10 million characters."""

_HEAD_CHARACTERS = 256
_BUFFER_BYTES = 1 << 18
_FIRST_MEMBER = re.compile(r'\{[ \t\r\n]*"(\w+)"')
_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Item:
    """One record.

    Parameters
    ----------
    name
        The file's name, and in an archive the member's.
    number
        1 for the file's first.
    value
        The decoded JSON.
    """

    name: str
    number: int
    value: Any


def read_items(
    path: Path, *, lists: Iterable[str], heads: Iterable[str] = (), limits: FileLimits = NO_LIMITS
) -> Iterator[Item]:
    """Read the records of a file.

    Parameters
    ----------
    path
        JSON in UTF-8: one record, an array of them, an object with the records in one of `lists` (a page of results),
        or several of these one after another (NDJSON). It may be gzipped, or a zip archive of such files.
    lists
        Names of members with the records, e.g. ``{"studies"}``; an object that begins with none of them, nor with one
        of `heads`, is itself a record.
    heads
        Names of members that may come before them, e.g. ``{"totalCount"}``.
    limits
        The most that is read of the file.

    Yields
    ------
    Item
        In the file's order. Memory contains one record and one chunk, however long the file is.

    Raises
    ------
    InvalidInput
        If there is no such file.
    DataFault
        If it is empty, damaged, not UTF-8 or not JSON (the error names the line), or exceeds a limit.
    """
    with ExitStack() as stack:
        file = stack.enter_context(open_file(path, "a JSON file"))
        marks = frozenset(lists), frozenset(heads)
        magic = file.read(4)
        file.seek(0)
        if magic == b"PK\x03\x04":
            yield from at_most(_archive(file, path.name, *marks, limits), limits.records, path.name, "records")
            return
        raw: Any = stack.enter_context(gzip.open(file)) if magic[:2] == b"\x1f\x8b" else file
        bounded = io.BufferedReader(BoundedReader(raw, path.name, limits), _BUFFER_BYTES)
        text = stack.enter_context(io.TextIOWrapper(bounded, encoding="utf-8-sig"))
        yield from at_most(read_stream(text, path.name, *marks), limits.records, path.name, "records")


def _archive(file: Any, name: str, lists: frozenset[str], heads: frozenset[str], limits: FileLimits) -> Iterator[Item]:
    try:
        with zipfile.ZipFile(file) as archive:
            check_archive((member.file_size for member in archive.infolist()), name, limits)
            members = sorted(member for member in archive.namelist() if member.endswith(".json"))
            if not members:
                raise _fault(name, 0, "the archive holds no .json file")
            for member in members:
                with archive.open(member) as opened:
                    text = io.TextIOWrapper(opened, encoding="utf-8-sig")
                    yield from read_stream(text, f"{name}, {member}", lists, heads)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        # The last two: an unsupported compression, or encryption.
        raise _fault(name, 0, f"is a zip archive that is damaged or cannot be unpacked: {error}") from error


def read_stream(text: TextIO, name: str, lists: frozenset[str], heads: frozenset[str] = frozenset()) -> Iterator[Item]:
    """Read the records of an open text; see `read_items`.

    Raises
    ------
    DataFault
        See `read_items`.
    """
    try:
        yield from _Scanner(text, name, lists, heads).items()
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _fault(name, 0, f"the file cannot be read as UTF-8 text ({error}); is it complete?") from error


def _fault(name: str, line: int, reason: str) -> DataFault:
    fault = Fault(line, "", "", reason)
    return DataFault(f"{name}: {fault}", faults=[fault])


class _Scanner:
    """A moving window over the text, large enough for the value that is being read."""

    def __init__(self, text: TextIO, name: str, lists: frozenset[str], heads: frozenset[str]) -> None:
        self.text = text
        self.name = name
        self.lists = lists
        self.heads = heads
        self.window = ""
        self.at = 0
        self.lines_before = 0
        self.ended = False
        self.count = 0

    def items(self) -> Iterator[Item]:
        if not self.peek():
            raise _fault(self.name, 0, "the file is empty")
        while mark := self.peek():
            if mark == "[":
                self.at += 1
                yield from self.elements()
            elif mark == "{":
                yield from self.thing()
            else:
                raise self.wrong("expected a record, an array or a page of records")

    def thing(self) -> Iterator[Item]:
        """Read an object: a page if its members show that it is one, otherwise a record."""
        if self.first_member() not in self.lists | self.heads:
            yield self.item(self.value())
            return
        self.at += 1
        key = self.value()
        while True:
            self.expect(":")
            if key in self.lists and self.peek() == "[":
                self.at += 1
                yield from self.elements()
            else:
                self.value()
            if self.peek() != ",":
                break
            self.at += 1
            key = self.value()
        self.expect("}")

    def first_member(self) -> str:
        """Return the name of an object's first member, without moving on; empty if it has none."""
        while len(self.window) - self.at < _HEAD_CHARACTERS and self.more():
            pass
        found = _FIRST_MEMBER.match(self.window, self.at)
        return "" if found is None else found[1]

    def elements(self) -> Iterator[Item]:
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            yield self.item(self.value())
            mark = self.peek()
            self.at += 1
            if mark == "]":
                return
            if mark != ",":
                self.at -= 1
                raise self.wrong("expected a comma or the end of the array")

    def item(self, value: Any) -> Item:
        self.count += 1
        return Item(self.name, self.count, value)

    def peek(self) -> str:
        """Return the next character that is not a space; empty at the end."""
        while True:
            found = _SPACE.match(self.window, self.at)
            self.at = self.at if found is None else found.end()
            if self.at < len(self.window) or not self.more():
                return self.window[self.at : self.at + 1]

    def expect(self, mark: str) -> None:
        if self.peek() != mark:
            raise self.wrong(f"expected {mark!r}")
        self.at += 1

    def value(self) -> Any:
        """Read one value; the window doubles until it contains the whole value."""
        self.peek()
        wanted = CHUNK_CHARACTERS
        while True:
            fault: ValueError | None = None
            try:
                value, end = _decode(self.window, self.at)
                # A number or a word at the end of the window may continue after it.
                if end < len(self.window) or self.ended:
                    self.at = end
                    return value
            except json.JSONDecodeError as error:
                fault = error
                if not self.ended and error.pos < len(self.window) - 64 and "Unterminated" not in error.msg:
                    raise self.wrong(error.msg, at=error.pos) from error
            except (RecursionError, ValueError) as error:
                raise self.wrong(f"a value is nested too deeply or has too many digits ({error})") from error
            if len(self.window) - self.at > MAX_RECORD_CHARACTERS:
                raise self.wrong(f"one record is longer than {MAX_RECORD_CHARACTERS:,} characters")
            if not self.more(wanted) and fault is not None:
                raise self.wrong(f"{getattr(fault, 'msg', fault)}; is the file complete?") from fault
            wanted *= 2

    def more(self, characters: int = CHUNK_CHARACTERS) -> bool:
        """Read more text, and discard the used part."""
        if self.ended:
            return False
        read = self.text.read(characters)
        self.ended = not read
        self.lines_before += self.window.count("\n", 0, self.at)
        self.window, self.at = self.window[self.at :] + read, 0
        return not self.ended

    def wrong(self, reason: str, *, at: int | None = None) -> DataFault:
        line = self.lines_before + self.window.count("\n", 0, self.at if at is None else at) + 1
        return _fault(self.name, line, f"is not the JSON that was expected: {reason}")
