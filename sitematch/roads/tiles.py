"""Where land and people are: the file that the build writes, read a square degree at a time.

A tile is a square degree. It holds how many people live around each of its 100 cells of a tenth of a degree, at three
scales, and to which land mass each of its 400 cells of a twentieth of a degree belongs.
"""

from __future__ import annotations

import math
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from sitematch.domain.place import Coordinates
from sitematch.errors import NotReady
from sitematch.roads.links import Link

APPLICATION_ID = 0x53495452
"""``SITR``: marks the file as ours in SQLite's header."""

SCHEMA_VERSION = 1

TABLES = """
-- people is three times 100 bytes: scale by scale, row by row from the south-west. land is empty where the whole tile
-- is one land mass, else 400 bytes: 0 is water, n is the n-th of masses, which are two bytes each, little-endian.
CREATE TABLE tile (id INTEGER PRIMARY KEY, people BLOB NOT NULL, land BLOB NOT NULL, masses BLOB NOT NULL);
-- Land masses that fixed links join have the same network.
CREATE TABLE mass (id INTEGER PRIMARY KEY, network INTEGER NOT NULL);
CREATE TABLE link (
    name TEXT NOT NULL,
    from_latitude REAL NOT NULL, from_longitude REAL NOT NULL, to_latitude REAL NOT NULL, to_longitude REAL NOT NULL
);
"""

PEOPLE_STEPS = 10
"""Cells of people along a degree."""

LAND_STEPS = 20
"""Cells of land along a degree: 5.6 km from south to north."""

SCALES_KM = (5.0, 12.0, 35.0)
"""How far around a cell people are counted: the standard deviations of the bell that weighs them."""

PEOPLE_BITS = 24.0
"""A stored number is this times log(1 + people per square kilometre)."""

_BUILD = "Build it with `sitematch gazetteer roads`."


class Tile(msgspec.Struct, frozen=True, gc=False):
    """One square degree.

    Parameters
    ----------
    people
        300 numbers, see `TABLES`.
    land
        400 numbers; empty where all of it is one land mass.
    masses
        The land masses that `land` counts; the only one where `land` is empty.
    """

    people: bytes
    land: bytes
    masses: tuple[int, ...]


OPEN_SEA = Tile(people=bytes(3 * PEOPLE_STEPS**2), land=bytes(LAND_STEPS**2), masses=())
"""What a tile without a row is."""


class LandTiles:
    """The file of land and people; safe to share between threads and across a fork.

    Parameters
    ----------
    path
        The file that `sitematch gazetteer roads` wrote.

    Raises
    ------
    NotReady
        If the file is missing, is no such file, or has another schema version.

    Notes
    -----
    A tile that was read is kept: 0.7 kB each, 20 MB for all the land of the earth.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        self._tiles: dict[int, Tile] = {}
        if not self.path.is_file():
            raise NotReady(f"The file of land and people is missing: there is no {self.path}. {_BUILD}")
        try:
            with closing(self._open()) as connection:
                kind = connection.execute("PRAGMA application_id").fetchone()[0]
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                is_ours = kind == APPLICATION_ID and version == SCHEMA_VERSION
                rows = connection.execute("SELECT id, network FROM mass").fetchall() if is_ours else []
                links = connection.execute("SELECT * FROM link").fetchall() if is_ours else []
        except sqlite3.DatabaseError as fault:
            raise NotReady(f"{self.path} cannot be read as a file of land and people ({fault}). {_BUILD}") from fault
        if not is_ours:
            raise NotReady(f"{self.path} is no file of land and people of version {SCHEMA_VERSION}. {_BUILD}")
        self._networks: dict[int, int] = dict(rows)
        self.links = tuple(
            Link(name=name, start=Coordinates(latitude=a, longitude=b), end=Coordinates(latitude=c, longitude=d))
            for name, a, b, c, d in links
        )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self.path.as_uri()}?mode=ro&immutable=1", uri=True)

    def tile(self, number: int) -> Tile:
        """Give a tile by its number: ``(floor(latitude) + 90) * 360 + floor(longitude) + 180``."""
        found = self._tiles.get(number)
        if found is None:
            found = self._tiles[number] = self._read(number)
        return found

    def _read(self, number: int) -> Tile:
        # A tile is read once in a process, so that a connection of its own costs nothing and is never shared.
        with closing(self._open()) as connection:
            row = connection.execute("SELECT people, land, masses FROM tile WHERE id = ?", (number,)).fetchone()
        if row is None:
            return OPEN_SEA
        masses = tuple(int.from_bytes(row[2][at : at + 2], "little") for at in range(0, len(row[2]), 2))
        return Tile(people=row[0], land=row[1], masses=masses)

    def people(self, latitude: float, longitude: float) -> tuple[float, float, float]:
        """Give log(1 + people per square kilometre) around a point, at each of `SCALES_KM`."""
        row, column = math.floor(latitude), math.floor(longitude)
        stored = self.tile(tile_number(row, column)).people
        # A hair south of a whole degree, the difference rounds up to a whole degree.
        up = min(int((latitude - row) * PEOPLE_STEPS), PEOPLE_STEPS - 1)
        cell = up * PEOPLE_STEPS + min(int((longitude - column) * PEOPLE_STEPS), PEOPLE_STEPS - 1)
        return stored[cell] / PEOPLE_BITS, stored[cell + 100] / PEOPLE_BITS, stored[cell + 200] / PEOPLE_BITS

    def mass(self, row: int, column: int) -> int:
        """Give the land mass of a cell of a twentieth of a degree; 0 is water.

        Parameters
        ----------
        row
            0 to 3599, from the south pole.
        column
            From 180° west; any number, for it goes round the earth.
        """
        column %= 360 * LAND_STEPS
        tile = self.tile(row // LAND_STEPS * 360 + column // LAND_STEPS)
        if not tile.land:
            return tile.masses[0]
        at = tile.land[row % LAND_STEPS * LAND_STEPS + column % LAND_STEPS]
        return tile.masses[at - 1] if at else 0

    def network(self, mass: int) -> int:
        """Give the network of roads that a land mass belongs to: those that fixed links join have one in common."""
        return self._networks[mass]


def tile_number(row: int, column: int) -> int:
    """Give the number of the tile whose south-west corner is at whole degrees; the poles and 180° are taken in."""
    return min(max(row + 90, 0), 179) * 360 + (column + 180) % 360
