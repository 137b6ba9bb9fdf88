"""A tiny gazetteer with the real schema."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sitematch.domain.place import Precision
from sitematch.gazetteer.grammar import key_of, name_keys
from sitematch.gazetteer.schema import APPLICATION_ID, DEGREE, PRECISIONS, SCHEMA_VERSION, TABLES

# Tests write through the readers' views, so that they do not depend on how the build packs rows.
WRITABLE = """
INSERT INTO state VALUES (0, '');
CREATE TRIGGER write_name INSTEAD OF INSERT ON name BEGIN
    INSERT INTO label VALUES (new.id, new.text, 0);
END;
CREATE TRIGGER write_postcode INSTEAD OF INSERT ON postcode BEGIN
    INSERT INTO code VALUES (new.country, new.key, new.latitude, new.longitude,
        new.precision + 8 * new.source_id + 256 * new.children, new.uncertainty_m, new.name_id);
END;
CREATE TRIGGER write_town INSTEAD OF INSERT ON town BEGIN
    INSERT INTO state (text) SELECT new.admin WHERE NOT EXISTS (SELECT 1 FROM state WHERE text = new.admin);
    INSERT INTO settlement SELECT new.id, new.country, new.name, state.id, new.latitude, new.longitude,
        new.uncertainty_m, new.population, new.source_id FROM state WHERE text = new.admin;
END;
"""

# (country, code, latitude, longitude, precision, uncertainty_m, name, children)
POSTCODES = (
    ("US", "33180", 25.9597, -80.1403, Precision.DISTRICT, 4100, "Miami, Florida", 0),
    ("US", "04102", 43.6602, -70.2898, Precision.DISTRICT, 4000, "Portland, Maine", 0),
    ("US", "20060", 38.9180, -77.0200, Precision.DISTRICT, 1600, "Washington, District of Columbia", 0),
    ("US", "30060", 33.9380, -84.5400, Precision.DISTRICT, 3300, "Marietta, Georgia", 0),
    ("US", "300", 33.9000, -84.3000, Precision.REGION, 60000, "Georgia", 120),
    ("PR", "00917", 18.4240, -66.0480, Precision.DISTRICT, 3000, "San Juan", 0),
    ("GB", "SW1A", 51.5020, -0.1330, Precision.DISTRICT, 1200, "Westminster, England", 0),
    ("GB", "E1", 51.5130, -0.0620, Precision.DISTRICT, 1700, "Mile End, England", 0),
    ("GB", "E11", 51.5770, 0.0220, Precision.DISTRICT, 3100, "Wanstead, England", 0),
    ("CA", "M5V", 43.6400, -79.4000, Precision.DISTRICT, 1700, "Downtown Toronto, Ontario", 0),
    ("LV", "LV-1002", 56.9460, 24.1060, Precision.DISTRICT, 6200, "Riga", 0),
    ("FR", "75013", 48.8430, 2.3520, Precision.DISTRICT, 1200, "Paris 13, Île-de-France", 0),
    ("FR", "69037", 45.7500, 4.8500, Precision.DISTRICT, 4000, "Lyon", 0),
    ("IT", "20060", 45.5000, 9.4000, Precision.DISTRICT, 5000, "Cassina de' Pecchi, Lombardia", 0),
    ("MX", "75013", 18.9000, -97.6000, Precision.DISTRICT, 5000, "San Juan, Puebla", 0),
    ("DE", "10115", 52.5320, 13.3850, Precision.DISTRICT, 1000, "Berlin", 0),
    ("DE", "200", 53.5500, 10.0000, Precision.REGION, 12000, "Hamburg", 30),
    ("PT", "9800-001", 38.6800, -28.2000, Precision.UNIT, 300, "Velas", 0),
    ("PT", "9800", 38.6800, -28.2100, Precision.DISTRICT, 4000, "Velas, Azores", 60),
    ("JP", "104-0045", 35.6660, 139.7720, Precision.UNIT, 700, "Tsukiji, Tokyo To", 0),
    ("CN", "1000", 39.9070, 116.3970, Precision.LOCALITY, 79000, "Beijing", 1),
    ("TW", "10", 25.0400, 121.5200, Precision.LOCALITY, 9000, "Taipei", 0),
    ("MT", "VLT", 35.8980, 14.5120, Precision.LOCALITY, 1700, "Valletta", 0),
)

# (country, name, other names, admin, latitude, longitude, uncertainty_m, population)
TOWNS = (
    ("US", "Springfield", (), "Illinois", 39.8017, -89.6436, 6400, 114394),
    ("US", "Springfield", (), "Missouri", 37.2153, -93.2982, 9000, 170188),
    ("US", "Marietta", (), "Georgia", 33.9526, -84.5499, 5000, 60000),
    ("US", "Marietta", (), "Ohio", 39.4153, -81.4548, 4000, 14000),
    ("US", "Miami", (), "Florida", 25.7743, -80.1937, 14000, 442241),
    ("US", "St. Louis", (), "Missouri", 38.6273, -90.1979, 15000, 301578),
    ("US", "Portland", (), "Oregon", 45.5234, -122.6762, 15000, 650000),
    ("US", "Portland", (), "Maine", 43.6574, -70.2589, 6000, 68000),
    ("FR", "Paris", (), "Île-de-France", 48.8534, 2.3488, 12000, 2138551),
    ("FR", "Lille", (), "Hauts-de-France", 50.6330, 3.0586, 8000, 228328),
    ("US", "Paris", (), "Texas", 33.6609, -95.5555, 5000, 24782),
    ("ES", "Sevilla", ("Seville",), "Andalucia", 37.3828, -5.9732, 13600, 686741),
    ("DE", "Köln", ("Cologne",), "Nordrhein-Westfalen", 50.9333, 6.9500, 16000, 963395),
    ("DE", "Berlin", ("Tinyberlin",), "Berlin", 52.5244, 13.4105, 20000, 3426354),
    ("TW", "Taipei", ("臺北市", "Taipei City"), "", 25.0531, 121.5264, 15000, 7871900),
    ("US", "Tinyville", (), "Oregon", 44.0000, -121.0000, 2000, 500),
    ("DE", "Hamburg", (), "Hamburg", 53.5507, 9.9930, 18000, 1845229),
    ("GB", "London", (), "England", 51.5085, -0.1257, 25000, 8961989),
    ("CN", "Beijing", (), "Beijing", 39.9075, 116.3972, 30000, 18960744),
    ("CL", "Marietta Vieja", (), "", -33.0000, -70.0000, 3000, None),
)


def build_gazetteer(path: Path, *, application_id: int = APPLICATION_ID, version: int = SCHEMA_VERSION) -> Path:
    """Write a tiny gazetteer with the real schema."""
    connection = sqlite3.connect(path)
    connection.executescript(TABLES + WRITABLE)
    connection.execute(f"PRAGMA application_id = {application_id}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute(
        "INSERT INTO source VALUES (1, 'A test source', 'CC0-1.0', 'https://example.org/', '2026', '00', 'A test.')"
    )
    names = sorted({row[6] for row in POSTCODES})
    connection.executemany("INSERT INTO name VALUES (?, ?)", enumerate(names))
    connection.executemany(
        "INSERT INTO postcode VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)",
        [
            (
                country, key_of(country, code), round(latitude * DEGREE), round(longitude * DEGREE),
                PRECISIONS.index(precision), uncertainty_m, names.index(name), children,
            )
            for country, code, latitude, longitude, precision, uncertainty_m, name, children in POSTCODES
        ],
    )  # fmt: skip
    for number, (country, name, others, admin, latitude, longitude, uncertainty_m, population) in enumerate(TOWNS):
        connection.execute(
            "INSERT INTO town VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
            (number, country, name, admin, round(latitude * DEGREE), round(longitude * DEGREE), uncertainty_m,
             population),
        )  # fmt: skip
        keys = {key for text in (name, *others) for key in name_keys(text)}
        connection.executemany("INSERT INTO town_name VALUES (?, ?)", [(key, number) for key in sorted(keys)])
    connection.commit()
    connection.close()
    return path
