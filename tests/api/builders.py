"""A small gazetteer, a study with sites on four continents, and an app over them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flask import Flask

from api.app import create_app
from sitematch.config import Settings, data_file
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelCertainty, TravelSupport
from sitematch.gazetteer.grammar import name_keys
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.schema import APPLICATION_ID, DEGREE, PRECISIONS, SCHEMA_VERSION, TABLES
from sitematch.roads.tiles import LandTiles
from sitematch.services.finding.finder import Finder
from sitematch.services.journey.estimating import ModelEstimator
from sitematch.store import migrate
from sitematch.store.engine import open_store
from sitematch.store.studies import catalogue
from tests.gazetteer.builders import WRITABLE

NOW = datetime(2026, 1, 2, 12, 30, tzinfo=UTC)
STUDY_ID = "NCT00000001"
SOURCE = "Codes made for tests"

POSTCODES = (
    # country, key, latitude, longitude, name
    ("US", "33180", 25.9597, -80.1403, "Miami, Florida"),
    ("US", "04102", 43.6603, -70.2898, "Portland, Maine"),
    ("FR", "33180", 45.2710, -0.78845, "Saint-Estèphe"),
    ("DE", "10115", 52.5323, 13.3846, "Berlin"),
    ("NZ", "1010", -36.8485, 174.7633, "Auckland"),
)
TOWNS = (
    # country, name, admin, latitude, longitude, population
    ("US", "Springfield", "Illinois", 39.80, -89.64, 114_394),
    ("US", "Springfield", "Missouri", 37.21, -93.30, 166_810),
    ("FJ", "Suva", "Central", -18.1416, 178.4415, 77_366),
    ("WS", "Apia", "Tuamasaga", -13.8333, -171.7667, 40_407),
    ("DE", "Köln", "North Rhine-Westphalia", 50.9333, 6.95, 963_395),
)


def make_gazetteer(path: Path) -> Path:
    """Write a gazetteer of a few codes and towns, as the build would."""
    with sqlite3.connect(path) as file:
        file.executescript(TABLES + WRITABLE)
        file.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        file.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        attribution = "Codes: made for tests."
        file.execute(
            "INSERT INTO source VALUES (1, ?, 'CC0-1.0', 'https://example.org/', '1', '0', ?)",
            (SOURCE, attribution),
        )
        district = PRECISIONS.index(Precision.DISTRICT)
        for i, (country, key, latitude, longitude, name) in enumerate(POSTCODES):
            point = (round(latitude * DEGREE), round(longitude * DEGREE))
            file.execute("INSERT INTO name VALUES (?, ?)", (i, name))
            file.execute(
                "INSERT INTO postcode VALUES (?, ?, ?, ?, ?, 2500, ?, 1, 0)", (country, key, *point, district, i)
            )
        for i, (country, name, admin, latitude, longitude, population) in enumerate(TOWNS):
            point = (round(latitude * DEGREE), round(longitude * DEGREE))
            file.execute(
                "INSERT INTO town VALUES (?, ?, ?, ?, ?, ?, 8000, ?, 1)", (i, country, name, admin, *point, population)
            )
            file.executemany("INSERT INTO town_name VALUES (?, ?)", [(key, i) for key in name_keys(name)])
    file.close()
    return path


def make_study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "study_id": STUDY_ID,
        "title": "A study of lupus nephritis",
        "status": RecruitmentStatus.RECRUITING,
        "as_of_on": date(2026, 1, 2),
        "source": "made for tests",
        "pool_spots": 8,
        "notice": "The sites are stand-ins.",
    }
    return Study(**{**values, **changes})


def make_site(site_id: str, at: tuple[float, float] | None, **changes: Any) -> Site:
    """Build a site; `at` is latitude and longitude, None for a site that could not be placed."""
    place = at and Place(
        coordinates=Coordinates(latitude=at[0], longitude=at[1]),
        precision=Precision.LOCALITY,
        uncertainty_km=4.0,
        source=SOURCE,
    )
    values: dict[str, Any] = {
        "site_id": site_id,
        "study_id": STUDY_ID,
        "source_study": "NCT00000002",
        "facility": f"Hospital {site_id}",
        "city": "Somewhere",
        "country": "US",
        "status": RecruitmentStatus.RECRUITING,
        "as_of_on": date(2026, 1, 2),
        "place": place,
    }
    return Site(**{**values, **changes})


SITES = (
    make_site("miami", (25.79, -80.21), city="Miami", travel=TravelSupport(certainty=TravelCertainty.COVERED)),
    make_site("miami-full", (25.90, -80.15), city="Miami", spots=0),
    make_site("portland", (43.66, -70.26), city="Portland", spots=2),
    make_site("berlin", (52.52, 13.38), city="Berlin", country="DE"),
    make_site("berlin-paused", (52.53, 13.38), city="Berlin", country="DE", status=RecruitmentStatus.SUSPENDED),
    make_site("suva", (-18.14, 178.44), city="Suva", country="FJ"),
    make_site("apia", (-13.83, -171.77), city="Apia", country="WS"),
    make_site("nowhere", None, city="Unknown", country="GR"),
)


def make_finder(gazetteer: Path, sites: Sequence[Site] = SITES, **study: Any) -> Finder:
    travel = ModelEstimator(LandTiles(data_file("roads.sqlite")))
    return Finder(Gazetteer.open(gazetteer), make_study(**study), sites, travel=travel)


def make_settings(home: Path, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "home": home,
        "database_url": f"sqlite:///{home / 'sitematch.db'}",
        "gazetteer_path": home / "gazetteer.sqlite",
        "study_id": STUDY_ID,
        "notices_every_s": 0.0,
    }
    return Settings(**{**values, **changes})


def make_app(home: Path, finder: Finder, **changes: Any) -> Flask:
    return create_app(make_settings(home, **changes), finder=finder, clock=lambda: NOW)


def fill_database(home: Path) -> None:
    with open_store(make_settings(home).database_url, require_ready=False) as store:
        migrate.upgrade(store)
        catalogue.replace_study(store, make_study(), SITES)
