"""XML of unknown origin, read one record at a time: no entities, no external files, no network."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from sitematch.errors import DataFault, Fault
from sitematch.importers.json_stream import Item
from sitematch.importers.limits import NO_LIMITS, BoundedReader, FileLimits, at_most, check_archive
from sitematch.importers.opened import open_file
from sitematch.importers.text import tidy

MAX_DEPTH = 64
"""How deep elements may be nested; records of registers have about ten levels."""

_BUFFER_BYTES = 65_536


def read_elements(path: Path, wanted: frozenset[str], *, limits: FileLimits = NO_LIMITS) -> Iterator[Item]:
    """Read the records of an XML file.

    Parameters
    ----------
    path
        XML in any encoding that its first line names, e.g. UTF-8 or ISO-8859-1. It may be gzipped, or a zip archive of
        such files.
    wanted
        Names of the elements that hold one record each, without a namespace. If one is inside another, the outer one
        is the record.
    limits
        The most that is read of the file.

    Yields
    ------
    Item
        Its value is an element whose tags have no namespace. Memory contains one record.

    Raises
    ------
    InvalidInput
        If there is no such file.
    DataFault
        If it is empty, damaged, not XML (the error names the line), declares entities, has none of the wanted
        elements, or exceeds a limit.
    """
    with ExitStack() as stack:
        file = stack.enter_context(open_file(path, "an XML file"))
        magic = file.read(4)
        file.seek(0)
        if magic == b"PK\x03\x04":
            items = _archive(file, path.name, wanted, limits)
        else:
            raw: Any = stack.enter_context(gzip.open(file)) if magic[:2] == b"\x1f\x8b" else file
            bounded = io.BufferedReader(BoundedReader(raw, path.name, limits), _BUFFER_BYTES)
            items = _elements(bounded, path.name, wanted)
        found = 0
        for item in at_most(items, limits.records, path.name, "records"):
            found += 1
            yield item
    if not found:
        raise _fault(path.name, 0, f"contains no {' or '.join(sorted(wanted))}")


def _archive(file: IO[bytes], name: str, wanted: frozenset[str], limits: FileLimits) -> Iterator[Item]:
    try:
        with zipfile.ZipFile(file) as archive:
            check_archive((member.file_size for member in archive.infolist()), name, limits)
            for member in sorted(each for each in archive.namelist() if each.lower().endswith(".xml")):
                with archive.open(member) as opened:
                    yield from _elements(opened, f"{name}, {member}", wanted)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        # The last two: an unsupported compression, or encryption.
        raise _fault(name, 0, f"is a zip archive that is damaged or cannot be unpacked: {error}") from error


def _elements(file: Any, name: str, wanted: frozenset[str]) -> Iterator[Item]:
    parents: list[Element] = []
    within = count = 0
    try:
        for event, element in iterparse(file, events=("start", "end")):
            local = element.tag.rpartition("}")[2]
            if event == "start":
                parents.append(element)
                within += local in wanted
                if len(parents) > MAX_DEPTH:
                    raise _fault(name, 0, f"has more than {MAX_DEPTH} elements inside one another")
                continue
            element.tag = local
            parents.pop()
            if local in wanted:
                within -= 1
                if not within:
                    count += 1
                    yield Item(name, count, element)
            if not within:
                # What has been read is let go, also what lies between two records.
                element.clear()
                if parents:
                    parents[-1].clear()
    except DefusedXmlException as error:
        reason = "declares entities or external parts, which are not read, because they can harm this computer"
        raise _fault(name, 0, reason) from error
    except ParseError as error:
        raise _fault(name, error.position[0], f"is not the XML that was expected: {error.msg}") from error
    except (LookupError, ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _fault(name, 0, f"the file cannot be read as XML ({error}); is it complete?") from error


def _fault(name: str, line: int, reason: str) -> DataFault:
    fault = Fault(line, "", "", reason)
    return DataFault(f"{name}: {fault}", faults=[fault])


def text_at(element: Element | None, path: str) -> str:
    """Return the text of the first element at a path such as ``"facility/address/city"``; empty if there is none."""
    found = None if element is None else element.find(path)
    return "" if found is None else tidy("".join(found.itertext()))


def texts_at(element: Element | None, path: str) -> tuple[str, ...]:
    """Return the texts of all elements at a path that are not empty, each once."""
    found = () if element is None else element.findall(path)
    return tuple(dict.fromkeys(text for one in found if (text := tidy("".join(one.itertext())))))
