"""From the gazetteer, the countries and the links to the file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sitematch.roads.build.land import land_tiles, networks, read_masses
from sitematch.roads.build.people import people_grids
from sitematch.roads.links import Link, read_links
from sitematch.roads.tiles import APPLICATION_ID, PEOPLE_STEPS, SCHEMA_VERSION, TABLES

_TOWNS = "SELECT latitude, longitude, population FROM settlement ORDER BY id"
_GAZETTEER_DEGREE = 10_000.0


def build(out: Path, *, gazetteer: Path, land: bytes, links: bytes) -> None:
    """Build the file of land and people; it is replaced only once the new one is whole.

    Parameters
    ----------
    out
        The file to write.
    gazetteer
        The compiled gazetteer, for its towns.
    land
        Natural Earth's land at 1:10 million, as GeoJSON.
    links
        The table of fixed links, as CSV.

    Raises
    ------
    DataFault
        If the land or the links are not in their form.
    """
    connection = sqlite3.connect(f"{gazetteer.resolve().as_uri()}?mode=ro", uri=True)
    try:
        towns = np.array(connection.execute(_TOWNS).fetchall(), dtype=np.float64)
    finally:
        connection.close()
    people = people_grids(towns[:, 0] / _GAZETTEER_DEGREE, towns[:, 1] / _GAZETTEER_DEGREE, towns[:, 2])
    masses, bridges = read_masses(land), read_links(links)
    cells = land_tiles(masses)
    joined = networks(masses, {number for _, there in cells.values() for number in there}, bridges)
    _write(out, people, cells, joined, bridges)


def _write(
    out: Path,
    people: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    land: dict[int, tuple[bytes, tuple[int, ...]]],
    joined: list[int],
    bridges: Sequence[Link],
) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        connection = sqlite3.connect(part, isolation_level=None)
        try:
            for pragma in (
                "journal_mode = OFF",
                "synchronous = OFF",
                f"application_id = {APPLICATION_ID}",
                f"user_version = {SCHEMA_VERSION}",
            ):
                connection.execute(f"PRAGMA {pragma}")
            connection.executescript(TABLES)
            connection.execute("BEGIN")
            for tile in range(180 * 360):
                cells, there = land.get(tile, (bytes(400), ()))
                south, west = tile // 360 * PEOPLE_STEPS, tile % 360 * PEOPLE_STEPS
                around = people[:, south : south + PEOPLE_STEPS, west : west + PEOPLE_STEPS]
                if there or around.any():
                    numbers = b"".join(number.to_bytes(2, "little") for number in there)
                    connection.execute("INSERT INTO tile VALUES (?, ?, ?, ?)", (tile, around.tobytes(), cells, numbers))
            connection.executemany("INSERT INTO mass VALUES (?, ?)", enumerate(joined, start=1))
            connection.executemany(
                "INSERT INTO link VALUES (?, ?, ?, ?, ?)",
                [
                    (link.name, link.start.latitude, link.start.longitude, link.end.latitude, link.end.longitude)
                    for link in bridges
                ],
            )
            connection.execute("COMMIT")
            connection.execute("VACUUM")
        finally:
            connection.close()
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
