"""Write the gazetteer as one SQLite file, the same bytes from the same sources."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sitematch.gazetteer.build.calibrating import Check
from sitematch.gazetteer.build.judging import Verdict
from sitematch.gazetteer.build.national.britain import Sector
from sitematch.gazetteer.build.rows import Repair, Rows, Town
from sitematch.gazetteer.build.sources import TOWNS, Source
from sitematch.gazetteer.checksum import UNSEALED, seal
from sitematch.gazetteer.schema import APPLICATION_ID, DEGREE, SCHEMA_VERSION, TABLES

PAGE_BYTES = 4096
CACHE_KIB = 65_536
"""Pages that the build keeps in memory: names of towns come in no order."""

_CHANGE_COUNTER_AT, _VALID_FOR_AT, _LIBRARY_VERSION_AT = 24, 92, 96
"""Offsets in SQLite's header, https://www.sqlite.org/fileformat2.html#the_database_header."""


@contextmanager
def writing(path: Path, sources: Sequence[Source], meta: Mapping[str, str]) -> Iterator[Filler]:
    """Write the file beside its final place and move it there once it is whole.

    Parameters
    ----------
    path
        The file; its directory is made if missing. What stood there before stays until the new file is whole.
    sources
        For attribution.
    meta
        Further key-value pairs. ``digest`` is added: the SHA-256 of every table's rows, the same on every machine
        and with every version of SQLite; and ``file``: that of the file itself, see `checksum.verify`.

    Yields
    ------
    What takes the content, country by country.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        connection = sqlite3.connect(part, isolation_level=None)
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "encoding = 'UTF-8'"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.executescript(TABLES)
            connection.execute("BEGIN")
            filler = Filler(connection, sources)
            yield filler
            connection.execute("COMMIT")
            for key, value in sorted({**meta, "digest": digest(connection)}.items()):
                connection.execute("INSERT INTO meta VALUES (?, ?)", (key, value))
            connection.execute("INSERT INTO meta VALUES ('file', ?)", (UNSEALED,))
            connection.execute("VACUUM")
        finally:
            connection.close()
        _settle_header(part)
        seal(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write(
    path: Path,
    rows: Rows,
    towns: Sequence[Town],
    repairs: Sequence[Repair],
    sources: Sequence[Source],
    meta: Mapping[str, str],
) -> None:
    """Write a whole file at once; see `writing` and `Filler.add`."""
    with writing(path, sources, meta) as filler:
        filler.add(rows, towns, repairs)


class Filler:
    """Takes the content of a gazetteer that is being written.

    Parameters
    ----------
    connection
        The new file, its tables empty, in a transaction.
    sources
        For attribution.
    """

    def __init__(self, connection: sqlite3.Connection, sources: Sequence[Source]) -> None:
        self._connection = connection
        self._states = {"": 0}
        self._labels = 0
        self.codes = 0
        self.towns = 0
        connection.execute("INSERT INTO state VALUES (0, '')")
        connection.executemany(
            "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(s.id, s.name, s.licence, s.url, s.release, s.sha256, s.attribution) for s in sources],
        )

    def calibrate(self, checks: Sequence[Check]) -> None:
        """Add how circles did on points that they were not fitted to."""
        self._connection.executemany(
            "INSERT INTO calibration VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    one.country,
                    one.rung,
                    one.source,
                    one.points,
                    one.inside,
                    round(one.factor * 100),
                    round(one.median_error_km * 1000),
                    round(one.median_circle_km * 1000),
                )
                for one in checks
            ],
        )

    def judge(self, verdicts: Sequence[Verdict]) -> None:
        """Add what independent sources say of the rules."""
        self._connection.executemany(
            "INSERT INTO verdict VALUES (?, ?, ?, ?, ?)",
            [(one.country, one.rule, one.moved, one.better, one.worse) for one in verdicts],
        )

    def add_units(self, country: str, sectors: Iterable[Sector]) -> None:
        """Add the units of sectors that are among the country's rows."""
        self._connection.executemany(
            "INSERT INTO unit VALUES (?, ?, ?, ?)",
            [(country, one.key, round(one.uncertainty_km * 1000), one.units) for one in sectors],
        )

    def add(self, rows: Rows, towns: Sequence[Town], repairs: Sequence[Repair]) -> None:
        """Add codes and rungs, towns and repairs: those of one country, say.

        Parameters
        ----------
        rows, towns, repairs
            The content. States are numbered as they come, those of one call in sorted order; so are names.
        """
        self.codes += len(rows)
        self.towns += len(towns)
        add = self._connection.executemany
        split = [_split(text) for text in rows.name]
        states = self._states
        for text in sorted(({state for _, state in split} | {town.admin for town in towns}) - states.keys()):
            states[text] = len(states)
            self._connection.execute("INSERT INTO state VALUES (?, ?)", (states[text], text))
        labels = {label: self._labels + at for at, label in enumerate(sorted(set(split)), start=1)}
        self._labels += len(labels)
        add(
            "INSERT INTO label VALUES (?, ?, ?)",
            ((at, place, states[state]) for (place, state), at in labels.items()),
        )
        add("INSERT INTO code VALUES (?, ?, ?, ?, ?, ?, ?)", _code_values(rows, [labels[label] for label in split]))
        add(
            "INSERT INTO settlement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    town.id,
                    town.country,
                    town.name,
                    states[town.admin],
                    round(town.latitude * DEGREE),
                    round(town.longitude * DEGREE),
                    round(town.uncertainty_km * 1000),
                    town.population,
                    TOWNS.id,
                )
                for town in sorted(towns, key=lambda town: town.id)
            ),
        )
        add(
            "INSERT INTO town_name VALUES (?, ?)",
            sorted((key, town.id) for town in towns for key in town.keys),
        )
        add(
            "INSERT INTO repair VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    one.country,
                    one.key,
                    round(one.was_latitude * DEGREE),
                    round(one.was_longitude * DEGREE),
                    round(one.moved_km * 1000),
                    one.why,
                    one.rule,
                    one.source,
                )
                for one in sorted(repairs, key=lambda one: (one.country, one.key))
            ],
        )


def digest(connection: sqlite3.Connection) -> str:
    """Hash every row of every table but ``meta``, in the order of the primary keys.

    Parameters
    ----------
    connection
        An open gazetteer.

    Returns
    -------
    SHA-256, lower-case hexadecimal. Two files with the same digest hold the same facts, whatever wrote them.
    """
    total = hashlib.sha256()
    for table, key in (
        ("source", "id"),
        ("state", "id"),
        ("label", "id"),
        ("code", "country, key"),
        ("settlement", "id"),
        ("town_name", "key, town_id"),
        ("unit", "country, sector"),
        ("repair", "country, key"),
        ("verdict", "country, rule"),
        ("calibration", "country, rung"),
    ):
        total.update(f"{table}\n".encode())
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {key}")  # noqa: S608 - names from above
        while batch := cursor.fetchmany(10_000):
            total.update(repr(batch).encode())
    return total.hexdigest()


def _split(name: str) -> tuple[str, str]:
    """Part a name into place and state, as the views join them again."""
    place, comma, state = name.rpartition(", ")
    return (place, state) if comma and place and state else (name, "")


def _code_values(rows: Rows, labels: Sequence[int]) -> Iterable[tuple[str | int, ...]]:
    kind = rows.precision.astype(np.int64) + 8 * rows.source.astype(np.int64) + 256 * rows.children
    columns = (
        [round(value * DEGREE) for value in rows.latitude.tolist()],
        [round(value * DEGREE) for value in rows.longitude.tolist()],
        kind.tolist(),
        [round(value * 1000) for value in rows.uncertainty_km.tolist()],
        labels,
    )
    return ((*code, *values) for code, *values in zip(rows.codes, *columns, strict=True))


def _settle_header(path: Path) -> None:
    """Overwrite the header's counters and library version, which depend on who wrote the file, with fixed values.

    SQLite trusts the file's size in the header only if the "version valid for" number equals the change counter,
    so both get the same value; the library's version is only informative.
    """
    with path.open("r+b") as file:
        for at, value in ((_CHANGE_COUNTER_AT, 1), (_VALID_FOR_AT, 1), (_LIBRARY_VERSION_AT, 3_040_000)):
            file.seek(at)
            file.write(struct.pack(">I", value))
        file.flush()
        os.fsync(file.fileno())
