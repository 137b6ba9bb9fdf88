"""The compiled gazetteer's tables: one SQLite file, opened read-only without parsing and shared by all workers.

Anyone can open and inspect it with ``sqlite3 gazetteer.sqlite``. Coordinates are stored as integers of 1e-4 degree
(about 11 m), uncertainties as whole metres, enums by their index in the tuples below, so that a row is small and is
read without conversion errors.
"""

from __future__ import annotations

from sitematch.domain.place import Precision

APPLICATION_ID = 0x53495445
"""``SITE``: marks the file as ours in SQLite's header."""

SCHEMA_VERSION = 3
"""Stored in ``PRAGMA user_version``; a reader refuses another version."""

DEGREE = 10_000
"""Stored units per degree: 11 m, as precise as GeoNames' own data."""

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

UNKNOWN = PRECISIONS.index(Precision.UNKNOWN)
LOCALITY = PRECISIONS.index(Precision.LOCALITY)
REGION = PRECISIONS.index(Precision.REGION)

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

-- What the tables below spend a byte on, they spend a million times: states are stored once, and three small
-- numbers in one. Read the views postcode, name and town instead.
CREATE TABLE state (id INTEGER PRIMARY KEY, text TEXT NOT NULL);      -- 0 is none
CREATE TABLE label (id INTEGER PRIMARY KEY, place TEXT NOT NULL, state_id INTEGER NOT NULL REFERENCES state);

-- Full codes and their coarser rungs alike: key is the code without spaces and dashes ("85065"), or a leading
-- part of it ("85"). kind is precision + 8 * source_id + 256 * children.
CREATE TABLE code (
    country TEXT NOT NULL,
    key TEXT NOT NULL,
    latitude INTEGER NOT NULL,
    longitude INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    uncertainty_m INTEGER NOT NULL,
    name_id INTEGER NOT NULL REFERENCES label,
    PRIMARY KEY (country, key)
) WITHOUT ROWID;

CREATE TABLE settlement (
    id INTEGER PRIMARY KEY,      -- GeoNames id
    country TEXT NOT NULL,
    name TEXT NOT NULL,
    state_id INTEGER NOT NULL REFERENCES state,
    latitude INTEGER NOT NULL,
    longitude INTEGER NOT NULL,
    uncertainty_m INTEGER NOT NULL,
    population INTEGER,          -- NULL is unknown
    source_id INTEGER NOT NULL REFERENCES source
);

-- key is a folded name (grammar.fold_name): "koln", "koeln", "sevilla", "臺北市".
CREATE TABLE town_name (
    key TEXT NOT NULL,
    town_id INTEGER NOT NULL REFERENCES settlement,
    PRIMARY KEY (key, town_id)
) WITHOUT ROWID;

-- The units of a sector that is in code, packed: see sitematch.gazetteer.units. uncertainty_m is one unit's.
CREATE TABLE unit (
    country TEXT NOT NULL,
    sector TEXT NOT NULL,
    uncertainty_m INTEGER NOT NULL,
    units BLOB NOT NULL,
    PRIMARY KEY (country, sector)
) WITHOUT ROWID;

-- Every point that was moved or dropped, with the reason, for the audit and for whoever asks why.
CREATE TABLE repair (
    country TEXT NOT NULL,
    key TEXT NOT NULL,
    was_latitude INTEGER NOT NULL,
    was_longitude INTEGER NOT NULL,
    moved_m INTEGER NOT NULL,
    why TEXT NOT NULL,
    rule TEXT NOT NULL,
    source_id INTEGER NOT NULL REFERENCES source,
    PRIMARY KEY (country, key)
) WITHOUT ROWID;

-- What independent sources say of the rules that moved points: how many came nearer to them by a kilometre or more,
-- how many went further away.
CREATE TABLE verdict (
    country TEXT NOT NULL,
    rule TEXT NOT NULL,
    moved INTEGER NOT NULL,
    better INTEGER NOT NULL,
    worse INTEGER NOT NULL,
    PRIMARY KEY (country, rule)
) WITHOUT ROWID;

-- How circles did on independent points that they were not fitted to, by country and rung (a precision's name).
CREATE TABLE calibration (
    country TEXT NOT NULL,
    rung TEXT NOT NULL,
    source_id INTEGER NOT NULL REFERENCES source,
    points INTEGER NOT NULL,
    inside INTEGER NOT NULL,
    factor_percent INTEGER NOT NULL,     -- what the circles were multiplied by, fitted on the other half
    median_error_m INTEGER NOT NULL,
    median_circle_m INTEGER NOT NULL,
    PRIMARY KEY (country, rung)
) WITHOUT ROWID;

-- children is 0 for a full code, else the number of full codes under the rung.
CREATE VIEW postcode AS
SELECT country, key, latitude, longitude, kind & 7 AS precision, uncertainty_m, name_id,
       (kind >> 3) & 31 AS source_id, kind >> 8 AS children
FROM code;

CREATE VIEW name AS      -- shared place names: "Miami, Florida"
SELECT label.id AS id, CASE state_id WHEN 0 THEN place ELSE place || ', ' || state.text END AS text
FROM label JOIN state ON state.id = label.state_id;

CREATE VIEW town AS      -- admin is the state or province, empty if unknown
SELECT settlement.id AS id, country, name, state.text AS admin, latitude, longitude, uncertainty_m, population,
       source_id
FROM settlement JOIN state ON state.id = settlement.state_id;
"""
