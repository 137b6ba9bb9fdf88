"""GeoNames' postal codes as columns: one row a place, many places to a code.

Accuracy, as GeoNames' readme for the dump gives it: 1 estimated, 4 a place of GeoNames (geonameid), 6 the centroid
of addresses or of a shape; 2, 3 and 5 lie between; 0 means that none was stated.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer import grammar

MOST_FAULTS = 100
"""Faulty lines listed; a file with more is another kind of file."""


_PLACE = 4
"""GeoNames' accuracy of a place with an id."""


class _Line(msgspec.Struct):
    country_code: str
    postal_code: str
    latitude: float
    longitude: float
    city: str | None = None
    state: str | None = None
    accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Places of one country's postcodes as parallel columns, sorted by code and then in the source's order.

    Parameters
    ----------
    codes
        (country, key) of each distinct code, sorted.
    starts
        First row of each code; one more entry at the end, so that code ``i`` has rows ``starts[i]:starts[i + 1]``.
    code
        Index into `codes`, a row.
    latitude, longitude
        Degrees, WGS84.
    accuracy
        GeoNames' accuracy, 0 to 6.
    name
        Index into `names`, a row.
    names
        (place, state) pairs; either may be empty.
    cedex
        Codes that the source knows only with the word CEDEX: French large receivers and post boxes.
    """

    codes: tuple[tuple[str, str], ...]
    starts: npt.NDArray[np.int64]
    code: npt.NDArray[np.int64]
    latitude: npt.NDArray[np.float64]
    longitude: npt.NDArray[np.float64]
    accuracy: npt.NDArray[np.int8]
    name: npt.NDArray[np.int64]
    names: tuple[tuple[str, str], ...]
    cedex: frozenset[tuple[str, str]]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Number of places of each code."""
        return np.diff(self.starts)


@dataclass(frozen=True, slots=True)
class Dump:
    """GeoNames' rows, parted by country and kept compressed: a tenth of their size in memory.

    Parameters
    ----------
    parts
        Country to its lines, each ended by a newline, compressed with zlib.
    decode
        Turns one of the lines into a row.
    """

    parts: Mapping[str, bytes]
    decode: Callable[[bytes], _Line]

    @property
    def countries(self) -> tuple[str, ...]:
        """Countries with rows, sorted."""
        return tuple(sorted(self.parts))

    def places(self, country: str) -> Places:
        """Decode one country's rows and group them by normal form; no rows where the dump has no such country."""
        return _places(zlib.decompress(self.parts[country]).splitlines() if country in self.parts else [], self.decode)


def read_places(content: bytes) -> Dump:
    """Read the pinned dump.

    Parameters
    ----------
    content
        Gzipped JSON lines with the fields country_code, postal_code, city, state, latitude, longitude and accuracy.

    Returns
    -------
    Every row of the dump; rows whose codes share a normal form ("AZ 0100", "AZ0100") belong to one code.

    Raises
    ------
    DataFault
        If the content is not gzip, a line is not such a row, or a coordinate is off the globe.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as lines:
            return _parted(lines, msgspec.json.Decoder(_Line).decode)
    except (OSError, EOFError, zlib.error) as error:
        fault = Fault(line=0, field="", value="", reason=f"is not gzip: {error}")
        raise DataFault("The postal codes cannot be unpacked.", faults=(fault,)) from error


def read_dump(content: bytes) -> Dump:
    """Read GeoNames' own ``allCountries.zip``.

    Parameters
    ----------
    content
        A ZIP archive with ``allCountries.txt``: country code, postal code, place name, three pairs of admin name and
        code, latitude, longitude, accuracy, between tabs.

    Raises
    ------
    DataFault
        If the content is not such an archive, or a row not of that form.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("allCountries.txt") as lines:
            return _parted(lines, _from_tabs)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        fault = Fault(line=0, field="", value="", reason=f"{type(error).__name__}: {error}")
        raise DataFault("The download is not GeoNames' allCountries.zip.", faults=(fault,)) from error


def _from_tabs(line: bytes) -> _Line:
    fields = line.decode("utf-8").split("\t")
    if len(fields) < 12:
        raise ValueError(f"has {len(fields)} fields instead of 12")
    return _Line(
        country_code=fields[0],
        postal_code=fields[1],
        city=fields[2],
        state=fields[3],
        latitude=float(fields[9]),
        longitude=float(fields[10]),
        accuracy=float(fields[11] or 0),
    )


def _parted(lines: Iterable[bytes], decode: Callable[[bytes], _Line]) -> Dump:
    """Check every line, and put it with its country."""
    packers: dict[str, Any] = {}
    packed: dict[str, list[bytes]] = defaultdict(list)
    faults: list[Fault] = []
    for at, line in enumerate(lines, start=1):
        stripped = line.rstrip(b"\r\n")
        if not stripped:
            continue
        try:
            row = decode(stripped)
            if not (abs(row.latitude) <= 90.0 and abs(row.longitude) <= 180.0):
                raise ValueError("lies off the globe")
        except (msgspec.MsgspecError, ValueError) as error:
            faults.append(Fault(at, "", stripped[:80].decode(errors="replace"), str(error)))
            continue
        country = row.country_code
        if country not in packers:
            packers[country] = zlib.compressobj(1)
        packed[country].append(packers[country].compress(stripped + b"\n"))
    if faults or not packed:
        faults = faults[:MOST_FAULTS] or [Fault(0, "", "", "holds no rows")]
        raise DataFault("The postal codes cannot be read.", faults=faults)
    parts = {country: b"".join([*chunks, packers[country].flush()]) for country, chunks in packed.items()}
    return Dump(parts, decode)


def _places(lines: Sequence[bytes], decode: Callable[[bytes], _Line]) -> Places:
    code_ids: dict[tuple[str, str], int] = {}
    name_ids: dict[tuple[str, str], int] = {}
    code_of_raw: dict[tuple[str, str], int] = {}
    boxes: set[tuple[str, str]] = set()
    plain: set[tuple[str, str]] = set()
    count = len(lines)
    code = np.empty(count, np.int64)
    name = np.empty(count, np.int64)
    latitude = np.empty(count, np.float64)
    longitude = np.empty(count, np.float64)
    accuracy = np.empty(count, np.int8)
    for at, line in enumerate(lines):
        row = decode(line)
        raw = (row.country_code, row.postal_code)
        index = code_of_raw.get(raw)
        if index is None:
            key = (row.country_code, grammar.key_of(row.country_code, row.postal_code))
            index = code_of_raw[raw] = code_ids.setdefault(key, len(code_ids))
            (boxes if "CEDEX" in row.postal_code.upper() else plain).add(key)
        code[at] = index
        name[at] = name_ids.setdefault(((row.city or "").strip(), (row.state or "").strip()), len(name_ids))
        latitude[at] = row.latitude
        longitude[at] = row.longitude
        accuracy[at] = int(row.accuracy or 0)
    return _grouped(
        tuple(code_ids), code, latitude, longitude, accuracy, name, tuple(name_ids), frozenset(boxes - plain)
    )


@dataclass(frozen=True, slots=True)
class ExtraCode:
    """A code that another source knows.

    Parameters
    ----------
    key
        As `grammar.key_of` gives it.
    place, state
        Its name.
    latitude, longitude
        Degrees, WGS84.
    """

    key: str
    place: str
    state: str
    latitude: float
    longitude: float


def with_codes(country: str, places: Places, extra: Sequence[ExtraCode]) -> Places:
    """Add codes that the dump lacks, as places of GeoNames' accuracy 4.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    places
        The country's places.
    extra
        Codes; those that the dump has are left out.
    """
    known = {key for _, key in places.codes}
    new = [one for one in extra if one.key not in known]
    if not new:
        return places
    count, names = len(places.codes), len(places.names)
    added = np.arange(len(new))
    return _grouped(
        (*places.codes, *((country, one.key) for one in new)),
        np.concatenate((places.code, count + added)),
        np.concatenate((places.latitude, [one.latitude for one in new])),
        np.concatenate((places.longitude, [one.longitude for one in new])),
        np.concatenate((places.accuracy, np.full(len(new), _PLACE))).astype(np.int8),
        np.concatenate((places.name, names + added)),
        (*places.names, *((one.place, one.state) for one in new)),
        places.cedex,
    )


def _grouped(
    codes: tuple[tuple[str, str], ...],
    code: npt.NDArray[np.int64],
    latitude: npt.NDArray[np.float64],
    longitude: npt.NDArray[np.float64],
    accuracy: npt.NDArray[np.int8],
    name: npt.NDArray[np.int64],
    names: tuple[tuple[str, str], ...],
    cedex: frozenset[tuple[str, str]],
) -> Places:
    """Sort the codes, and the rows by code; the sort is stable, so a code's rows keep the source's order."""
    order_of_codes = sorted(range(len(codes)), key=codes.__getitem__)
    rank = np.empty(len(codes), np.int64)
    rank[order_of_codes] = np.arange(len(codes))
    ranked = rank[code]
    order = np.argsort(ranked, kind="stable")
    ranked = ranked[order]
    return Places(
        codes=tuple(codes[index] for index in order_of_codes),
        starts=np.searchsorted(ranked, np.arange(len(codes) + 1)),
        code=ranked,
        latitude=latitude[order],
        longitude=longitude[order],
        accuracy=accuracy[order],
        name=name[order],
        names=names,
        cedex=cedex,
    )
