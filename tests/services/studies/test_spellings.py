"""A table of real spellings: countries, facilities' names, towns with their postcodes, and corrected names."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.identity import SiteIdentity, pair
from sitematch.errors import UnknownCountry
from sitematch.gazetteer.grammar import parse_country
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.geodesic import distance_km
from sitematch.importers.facility import clean_facility
from sitematch.importers.text import tidy
from sitematch.services.studies.placing import POINT_KM, place_site, tells_contradiction

TABLE = Path(__file__).parents[2] / "data" / "spellings.csv"


def rows(kind: str) -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == kind]


def named(kind: str) -> list[object]:
    return [pytest.param(row, id=f"{row['text']} {row['city']}".strip()) for row in rows(kind)]


def test_the_table_is_as_long_as_it_says() -> None:
    assert sum(len(rows(kind)) for kind in ("country", "facility", "place", "same")) >= 150


@pytest.mark.parametrize("row", named("country"))
def test_a_country_is_known_by_every_spelling_and_a_former_one_is_not_guessed(row: dict[str, str]) -> None:
    if row["expected"]:
        assert parse_country(row["text"]) == row["expected"]
    else:
        with pytest.raises(UnknownCountry):
            parse_country(row["text"])


@pytest.mark.parametrize("row", named("facility"))
def test_a_facilitys_name_loses_its_tag_and_nothing_else(row: dict[str, str]) -> None:
    assert clean_facility(tidy(row["text"])) == row["expected"]


@pytest.mark.parametrize("row", named("place"))
def test_a_site_is_placed_where_the_registry_has_its_town(row: dict[str, str], gazetteer: Gazetteer) -> None:
    latitude, longitude = map(float, row["expected"].split(","))
    point = Coordinates(latitude=latitude, longitude=longitude)
    words = {"city": row["city"], "state": row["state"], "postcode": row["postcode"]}

    placed = place_site(gazetteer, **words, country=parse_country(row["text"]))
    checked = place_site(gazetteer, **words, country=parse_country(row["text"]), point=point)

    assert placed.place is not None, placed.flags
    assert distance_km(placed.place.coordinates, point) < max(POINT_KM, placed.place.uncertainty_km)
    assert not any(map(tells_contradiction, checked.flags)), checked.flags


@pytest.mark.parametrize("row", named("same"))
def test_a_mended_name_is_the_same_site(row: dict[str, str]) -> None:
    old, new = (SiteIdentity(row[name], row["city"], row["postcode"], "") for name in ("text", "expected"))

    assert pair([old], [new]) == {0: 0}
