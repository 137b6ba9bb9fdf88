"""Reading the compiled gazetteer: one SQLite file, opened read-only, mapped into memory, shared by all workers."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitematch.domain.place import Precision
from sitematch.errors import NotReady
from sitematch.gazetteer.schema import APPLICATION_ID, DEGREE, PRECISIONS, SCHEMA_VERSION
from sitematch.gazetteer.units import UNIT_COUNTRIES, find_unit, sector_of

_BUILD = "Build it with `sitematch gazetteer build`."

POSTCODE = """
SELECT p.latitude, p.longitude, p.precision, p.uncertainty_m, n.text, p.source_id, p.children
FROM postcode AS p JOIN name AS n ON n.id = p.name_id
WHERE p.country = ? AND p.key = ?
"""
_UNIT = """
SELECT u.units, u.uncertainty_m, p.latitude, p.longitude, n.text, p.source_id
FROM unit AS u JOIN postcode AS p ON p.country = u.country AND p.key = u.sector JOIN name AS n ON n.id = p.name_id
WHERE u.country = ? AND u.sector = ?
"""
_UNIT_PRECISION = PRECISIONS.index(Precision.UNIT)
_TOWN = "t.id, t.country, t.name, t.admin, t.latitude, t.longitude, t.uncertainty_m, t.population, t.source_id"
_TOWNS = f"""
SELECT {_TOWN} FROM town_name AS k JOIN town AS t ON t.id = k.town_id
WHERE k.key = ?
ORDER BY t.population DESC NULLS LAST, t.id LIMIT ?
"""  # noqa: S608 - the column list is a constant
_TOWNS_OF_COUNTRY = f"""
SELECT {_TOWN} FROM town_name AS k JOIN town AS t ON t.id = k.town_id
WHERE k.key = ? AND t.country = ?
ORDER BY t.population DESC NULLS LAST, t.id LIMIT ?
"""  # noqa: S608
# The inner limit bounds the time, because a short prefix would match tens of thousands of names.
_TOWNS_BY_BEGINNING = f"""
SELECT DISTINCT {_TOWN}
FROM (SELECT town_id FROM town_name WHERE key >= ? AND key < ? LIMIT 400) AS k JOIN town AS t ON t.id = k.town_id
WHERE ? IN ('', t.country)
ORDER BY t.population DESC NULLS LAST, t.id LIMIT ?
"""  # noqa: S608

_EVERYWHERE = """
SELECT id, country, latitude, longitude FROM town
UNION ALL SELECT -1, country, latitude, longitude FROM postcode
WHERE children = 0 AND country NOT IN (SELECT DISTINCT country FROM town)
"""
_TOWN_BY_ID = f"SELECT {_TOWN} FROM town AS t WHERE t.id = ?"  # noqa: S608
_LARGEST = """
SELECT name, latitude, longitude, population FROM settlement WHERE population >= ? ORDER BY population DESC, id
"""
# Longitudes are compared around the globe, so that a box can cross the antimeridian.
_AROUND = f"""
SELECT {_TOWN} FROM town AS t
WHERE latitude BETWEEN :latitude - :high AND :latitude + :high
  AND abs((longitude - :longitude + 5400000) % 3600000 - 1800000) <= :wide
"""  # noqa: S608
_LARGEST_IN = f"""
SELECT {_TOWN} FROM town AS t WHERE t.country = ? AND t.population > 0 ORDER BY t.population DESC, t.id LIMIT ?
"""  # noqa: S608
_EXTENT = """
SELECT min(latitude), max(latitude), min(longitude), max(longitude) FROM (
    SELECT latitude, longitude FROM postcode WHERE country = :country
    UNION ALL SELECT latitude, longitude FROM town WHERE country = :country
)
"""

PostcodeRow = tuple[int, int, int, int, str, int, int]
"""latitude, longitude, precision, uncertainty_m, name, source id, children; see `schema.TABLES`."""

TownRow = tuple[int, str, str, str, int, int, int, int | None, int]
"""id, country, name, admin, latitude, longitude, uncertainty_m, population, source id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source of data, with its licence and attribution.

    Parameters
    ----------
    name
        The name in `Place.source`.
    licence
        SPDX identifier.
    url
        The source's home page.
    release
        Release or date of the data.
    sha256
        The hash of the bytes read.
    attribution
        The sentence to display.
    """

    name: str
    licence: str
    url: str
    release: str
    sha256: str
    attribution: str


class Handle:
    """A connection and its cursor, owned by one thread and closed with it."""

    __slots__ = ("__weakref__", "connection", "cursor", "find")

    def __init__(self, path: Path, *, is_mapped: bool = True) -> None:
        # immutable: no locks, no journal, no change counter to check. check_same_thread is off only so that the
        # garbage collector may close the handle of a thread that ended; no two threads ever share one.
        self.connection = sqlite3.connect(
            f"{path.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False, cached_statements=16
        )
        # It outlives the handle by this; a __del__ could come after the connection's own, which would complain.
        weakref.finalize(self, self.connection.close).atexit = False
        self.connection.execute(f"PRAGMA mmap_size = {path.stat().st_size if is_mapped else 0}")
        self.cursor = self.connection.cursor()
        # Bound once, because the attribute look-up takes a measurable part of a look-up.
        self.find = self.connection.cursor().execute


class Reader:
    """The compiled gazetteer's file; can be shared between threads and across a fork.

    Parameters
    ----------
    path
        The file that `sitematch gazetteer build` wrote.

    Raises
    ------
    NotReady
        If the file is missing, is no gazetteer, or has another schema version.

    Notes
    -----
    Each thread gets a connection of its own at its first look-up; a forked child starts with none. The pages are
    mapped from the operating system's cache, so workers share them. A file may be replaced by renaming another over
    it, never written into; a thread that starts later opens the new file. A program that runs for long uses
    `sitematch.gazetteer.guarded_reader.GuardedReader`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        self._local = threading.local()
        self._cities: dict[tuple[int, int], int]
        if not self.path.is_file():
            raise NotReady(f"The gazetteer is missing: there is no file {self.path}. {_BUILD}")
        try:
            self._prepare()
        except sqlite3.DatabaseError as fault:
            raise self._unreadable(fault) from fault
        application_id = self._rows("PRAGMA application_id")[0][0]
        version = self._rows("PRAGMA user_version")[0][0]
        if application_id == APPLICATION_ID and version == SCHEMA_VERSION:
            self.sources: dict[int, Source] = self._read_sources()
        if application_id != APPLICATION_ID:
            raise NotReady(f"{self.path} is a SQLite file, but no gazetteer. {_BUILD}")
        if version != SCHEMA_VERSION:
            raise NotReady(
                f"The gazetteer {self.path} has schema version {version}; this program reads {SCHEMA_VERSION}. {_BUILD}"
            )
        _READERS.add(self)

    def _cursor(self) -> sqlite3.Cursor:
        try:
            handle: Handle = self._local.handle
        except AttributeError:
            handle = self._local.handle = Handle(self.path)
            self._local.find = handle.find
        return handle.cursor

    def _prepare(self) -> None:
        """Open what every look-up needs."""
        self._cursor()

    def _rows(self, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """Read all rows of a query.

        Raises
        ------
        NotReady
            If the file can no longer be read.
        """
        try:
            return self._cursor().execute(query, values).fetchall()
        except sqlite3.DatabaseError as fault:
            raise self._unreadable(fault) from fault

    def _unreadable(self, fault: sqlite3.DatabaseError) -> NotReady:
        return NotReady(f"{self.path} cannot be read as a gazetteer ({fault}). {_BUILD}")

    def _read_sources(self) -> dict[int, Source]:
        rows = self._rows("SELECT id, name, licence, url, release, sha256, attribution FROM source ORDER BY id")
        return {
            row[0]: Source(name=row[1], licence=row[2], url=row[3], release=row[4], sha256=row[5], attribution=row[6])
            for row in rows
        }

    @property
    def digest(self) -> str:
        """The hash of all rows, as the build wrote it; empty for a file without one."""
        rows = self._rows("SELECT value FROM meta WHERE key = 'digest'")
        return str(rows[0][0]) if rows else ""

    def check(self) -> None:
        """Check that the file is as it was; without a guard there is nothing to compare."""

    def damage(self) -> str:
        """Read the whole file and return what is wrong with its pages, in SQLite's words; empty if nothing is."""
        try:
            found = [str(row[0]) for row in self._rows("PRAGMA quick_check(5)")]
        except NotReady as fault:
            return fault.message
        return "" if found == ["ok"] else "; ".join(found)

    def forget_connections(self) -> None:
        """Close every connection of this process; the next look-up opens a new one."""
        self._local = threading.local()

    def postcode(self, country: str, key: str) -> PostcodeRow | None:
        """Find one key; None if it does not exist."""
        try:
            find = self._local.find
        except AttributeError:
            self._cursor()
            find = self._local.find
        try:
            row: PostcodeRow | None = find(POSTCODE, (country, key)).fetchone()
        except sqlite3.DatabaseError as fault:
            raise self._unreadable(fault) from fault
        if row is None and country in UNIT_COUNTRIES:
            return self._unit(country, key)
        return row

    def _unit(self, country: str, key: str) -> PostcodeRow | None:
        """Find a unit that is packed into its sector."""
        sector = sector_of(key)
        if sector is None:
            return None
        rows = self._rows(_UNIT, (country, sector))
        place = find_unit(rows[0][0], key[-2:]) if rows else None
        if place is None:
            return None
        row = rows[0]
        return (row[2] + place[0], row[3] + place[1], _UNIT_PRECISION, row[1], row[4], row[5], 0)

    def has_any(self, country: str) -> bool:
        """Tell whether anything is known of the country's codes, if only their regions."""
        return bool(self._rows("SELECT 1 FROM postcode WHERE country = ? LIMIT 1", (country,)))

    def has_postcode(self, country: str, key: str) -> bool:
        """Tell whether the key is a full code of the country, not only a leading part of some."""
        rows = self._rows("SELECT children FROM postcode WHERE country = ? AND key = ?", (country, key))
        if not rows and country in UNIT_COUNTRIES:
            return self._unit(country, key) is not None
        return bool(rows) and rows[0][0] == 0

    def extent(self, country: str) -> tuple[int, int, int, int] | None:
        """Find the box around a country's codes and towns: south, north, west, east; None if it has none.

        Reads every row of the country, so it is for imports, not for look-ups.
        """
        row = self._rows(_EXTENT, {"country": country})[0]
        return None if row[0] is None else row

    def towns(self, key: str, country: str = "", limit: int = 1000) -> list[TownRow]:
        """Find the towns with that folded name, largest population first, unknown populations last."""
        if country:
            return self._rows(_TOWNS_OF_COUNTRY, (key, country, limit))
        return self._rows(_TOWNS, (key, limit))

    def towns_beginning(self, beginning: str, country: str = "", limit: int = 100) -> list[TownRow]:
        """Find towns whose folded name has that prefix, largest first, among the first 400 names in order."""
        end = beginning[:-1] + chr(ord(beginning[-1]) + 1)
        return self._rows(_TOWNS_BY_BEGINNING, (beginning, end, country, limit))

    def town(self, number: int) -> TownRow:
        """Return one town by its id.

        Raises
        ------
        KeyError
            If there is none.
        """
        rows: list[TownRow] = self._rows(_TOWN_BY_ID, (number,))
        if not rows:
            raise KeyError(number)
        return rows[0]

    def largest_in(self, country: str, limit: int = 2000) -> list[TownRow]:
        """List a country's towns, the largest first. Reads every town: some 20 ms."""
        return self._rows(_LARGEST_IN, (country, limit))

    def largest_towns(self, inhabitants: int) -> list[tuple[str, int, int, int]]:
        """List name, latitude, longitude and population of every town of at least so many people, largest first."""
        return self._rows(_LARGEST, (inhabitants,))

    def towns_around(self, latitude: int, longitude: int, *, high: int, wide: int) -> list[TownRow]:
        """List the towns within a number of units north or south, and east or west, of a point, in no order.

        Reads every town: about 20 ms.
        """
        box = {"latitude": latitude, "longitude": longitude, "high": high, "wide": wide}
        return self._rows(_AROUND, box)

    def people_around(self, latitude: float, longitude: float) -> int:
        """Return the population of the largest city from 50,000 people in the one-degree squares around a point."""
        try:
            cities = self._cities
        except AttributeError:
            cities = {}
            for _, south, east, people in self.largest_towns(50_000):
                square = (south // DEGREE, east // DEGREE)
                cities[square] = max(people, cities.get(square, 0))
            self._cities = cities
        row, column = math.floor(latitude + 0.5), math.floor(longitude + 0.5)
        return max(cities.get((row - high, column - wide), 0) for high in (0, 1) for wide in (0, 1))

    def everywhere(self) -> list[tuple[int, str, int, int]]:
        """List every town's id, country, latitude and longitude; codes of countries without towns have the id -1."""
        return self._rows(_EVERYWHERE)

    def full_codes(self, country: str) -> list[tuple[str, int, int]]:
        """List the key, latitude and longitude of every full code of a country."""
        codes = "SELECT key, latitude, longitude FROM postcode WHERE country = ? AND children = 0 ORDER BY key"
        return self._rows(codes, (country,))


_READERS: weakref.WeakSet[Reader] = weakref.WeakSet()


def _after_fork() -> None:
    # SQLite does not allow using a connection across a fork.
    for reader in _READERS:
        reader.forget_connections()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
