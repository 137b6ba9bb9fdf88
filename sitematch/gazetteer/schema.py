"""The compiled gazetteer's tables: one SQLite file, opened read-only without parsing and shared by all workers.

Anyone can open and inspect it with ``sqlite3 gazetteer.sqlite``. Coordinates are stored as integers of 1e-5 degree
(about 1.1 m), uncertainties as whole metres, enums by their place in the tuples below, so that a row is small and
reads without conversion errors.
"""

from __future__ import annotations

from sitematch.domain.place import Precision

APPLICATION_ID = 0x53495445
"""``SITE``: marks the file as ours in SQLite's header."""

SCHEMA_VERSION = 1
"""Stored in ``PRAGMA user_version``; a reader refuses another version."""

DEGREE = 100_000
"""Stored units in a degree."""

PRECISIONS: tuple[Precision, ...] = (
    Precision.ADDRESS,
    Precision.UNIT,
    Precision.SECTOR,
    Precision.DISTRICT,
    Precision.LOCALITY,
    Precision.REGION,
    Precision.UNKNOWN,
)
"""A stored precision is an index into this tuple."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,          -- what Place.source shows, with release and licence
    licence TEXT NOT NULL,       -- SPDX identifier
    url TEXT NOT NULL,           -- the source's own home page, for attribution
    release TEXT NOT NULL,
    sha256 TEXT NOT NULL,        -- of the bytes read
    attribution TEXT NOT NULL
);

CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL);   -- shared place names: "Miami, Florida"

-- Full codes and their coarser rungs alike: key is the code without spaces and dashes ("85065"), or a leading
-- part of it ("85"). children is 0 for a full code, else the number of full codes under the rung.
CREATE TABLE postcode (
    country TEXT NOT NULL,
    key TEXT NOT NULL,
    latitude INTEGER NOT NULL,
    longitude INTEGER NOT NULL,
    precision INTEGER NOT NULL,
    uncertainty_m INTEGER NOT NULL,
    name_id INTEGER NOT NULL REFERENCES name,
    source_id INTEGER NOT NULL REFERENCES source,
    children INTEGER NOT NULL,
    PRIMARY KEY (country, key)
) WITHOUT ROWID;

CREATE TABLE town (
    id INTEGER PRIMARY KEY,
    country TEXT NOT NULL,
    name TEXT NOT NULL,
    admin TEXT NOT NULL,         -- state or province, empty if unknown
    latitude INTEGER NOT NULL,
    longitude INTEGER NOT NULL,
    uncertainty_m INTEGER NOT NULL,
    population INTEGER,          -- NULL is unknown
    source_id INTEGER NOT NULL REFERENCES source
);

-- key is a folded name (grammar.fold_name): "koln", "koeln", "sevilla", "臺北市".
CREATE TABLE town_name (
    key TEXT NOT NULL,
    town_id INTEGER NOT NULL REFERENCES town,
    PRIMARY KEY (key, town_id)
) WITHOUT ROWID;

-- Every point that was moved or dropped, with the reason, for the audit and for whoever asks why.
CREATE TABLE repair (
    country TEXT NOT NULL,
    key TEXT NOT NULL,
    was_latitude INTEGER NOT NULL,
    was_longitude INTEGER NOT NULL,
    moved_m INTEGER NOT NULL,
    why TEXT NOT NULL,
    source_id INTEGER NOT NULL REFERENCES source,
    PRIMARY KEY (country, key)
) WITHOUT ROWID;
"""
