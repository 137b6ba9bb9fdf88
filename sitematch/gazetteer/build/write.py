"""Write the gazetteer as one SQLite file, the same bytes from the same sources."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from sitematch.gazetteer.build.rows import Repair, Rows, Town
from sitematch.gazetteer.build.sources import TOWNS, Source
from sitematch.gazetteer.schema import APPLICATION_ID, DEGREE, SCHEMA_VERSION, TABLES

PAGE_BYTES = 4096

_CHANGE_COUNTER_AT, _VALID_FOR_AT, _LIBRARY_VERSION_AT = 24, 92, 96
"""Offsets in SQLite's header, https://www.sqlite.org/fileformat2.html#the_database_header."""


def write(
    path: Path,
    rows: Rows,
    towns: Sequence[Town],
    repairs: Sequence[Repair],
    sources: Sequence[Source],
    meta: dict[str, str],
) -> None:
    """Write the file beside its final place and move it there once it is whole.

    Parameters
    ----------
    path
        The file; its directory is made if missing. What stood there before stays until the new file is whole.
    rows, towns, repairs
        The content; written in sorted order.
    sources
        For attribution.
    meta
        Further key-value pairs; ``digest`` is added: the SHA-256 of every table's rows, the same on every machine
        and with every version of SQLite.
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
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.executescript(TABLES)
            _fill(connection, rows, towns, repairs, sources)
            for key, value in sorted({**meta, "digest": digest(connection)}.items()):
                connection.execute("INSERT INTO meta VALUES (?, ?)", (key, value))
            connection.execute("VACUUM")
        finally:
            connection.close()
        _settle_header(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


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
        ("repair", "country, key"),
    ):
        total.update(f"{table}\n".encode())
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {key}")  # noqa: S608 - names from above
        while batch := cursor.fetchmany(10_000):
            total.update(repr(batch).encode())
    return total.hexdigest()


def _fill(
    connection: sqlite3.Connection,
    rows: Rows,
    towns: Sequence[Town],
    repairs: Sequence[Repair],
    sources: Sequence[Source],
) -> None:
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(s.id, s.name, s.licence, s.url, s.release, s.sha256, s.attribution) for s in sources],
    )
    split = [_split(text) for text in rows.name]
    states = {text: at for at, text in enumerate(["", *sorted(_states(split, towns))])}
    connection.executemany("INSERT INTO state VALUES (?, ?)", ((at, text) for text, at in states.items()))
    labels = {label: at + 1 for at, label in enumerate(sorted(set(split)))}
    connection.executemany(
        "INSERT INTO label VALUES (?, ?, ?)",
        ((at, place, states[state]) for (place, state), at in labels.items()),
    )
    connection.executemany(
        "INSERT INTO code VALUES (?, ?, ?, ?, ?, ?, ?)", _code_values(rows, [labels[label] for label in split])
    )
    connection.executemany(
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
    connection.executemany(
        "INSERT INTO town_name VALUES (?, ?)",
        sorted((key, town.id) for town in towns for key in town.keys),
    )
    connection.executemany(
        "INSERT INTO repair VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.country,
                one.key,
                round(one.was_latitude * DEGREE),
                round(one.was_longitude * DEGREE),
                round(one.moved_km * 1000),
                one.why,
                one.source,
            )
            for one in sorted(repairs, key=lambda one: (one.country, one.key))
        ],
    )
    connection.execute("COMMIT")


def _split(name: str) -> tuple[str, str]:
    """Part a name into place and state, as the views join them again."""
    place, comma, state = name.rpartition(", ")
    return (place, state) if comma and place and state else (name, "")


def _states(labels: Iterable[tuple[str, str]], towns: Iterable[Town]) -> set[str]:
    return ({state for _, state in labels} | {town.admin for town in towns}) - {""}


def _code_values(rows: Rows, labels: Sequence[int]) -> Iterable[tuple[str | int, ...]]:
    kind = rows.precision.astype(np.int64) + 8 * rows.source.astype(np.int64) + 64 * rows.children
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
