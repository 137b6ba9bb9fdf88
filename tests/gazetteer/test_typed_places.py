"""Typed texts and their results: `places.csv`, and rules for every town."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sitematch.config import data_file
from sitematch.domain.place import Place
from sitematch.errors import (
    AmbiguousPlace,
    InvalidPostcode,
    NotFound,
    SitematchError,
)
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.gazetteer.grammar.regions import find_regions
from sitematch.gazetteer.locate import Gazetteer
from tests.gazetteer.places import CASES, check


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row['text']} {row['country']} {row['language']}")
def test_every_typed_text_gives_what_it_must(real_gazetteer: Gazetteer, row: dict[str, str]) -> None:
    found: Place | SitematchError
    try:
        # With the study's countries, many of them would give a place elsewhere.
        found = real_gazetteer.locate(
            row["text"], row["country"] or None, languages=[row["language"]], hints=["RO", "BM", "PT", "PL"]
        )
    except SitematchError as error:
        found = error

    check(row, found)


@dataclass(frozen=True, slots=True)
class _Town:
    name: str
    country: str
    admin: str


COUNTRIES_TRIED = ("US", "CA", "GB", "DE", "FR", "IT", "ES", "AU", "IN", "MX", "BR", "JP", "CH", "AT", "PL", "NL", "SE",
                   "AR", "CO", "KE")  # fmt: skip


@pytest.fixture(scope="module")
def towns() -> dict[str, list[_Town]]:
    """Fifty towns of each country, drawn at random, large and small."""
    drawn = random.Random(20260101)
    with sqlite3.connect(f"{data_file('gazetteer.sqlite').as_uri()}?mode=ro&immutable=1", uri=True) as connection:
        return {
            country: [
                _Town(*row)
                for row in drawn.sample(
                    connection.execute(
                        "SELECT name, country, admin FROM town WHERE country = ? AND admin <> '' ORDER BY id",
                        (country,),
                    ).fetchall(),
                    50,
                )
            ]
            for country in COUNTRIES_TRIED
        }


def _ways(town: _Town, region: str) -> Iterator[tuple[str, str | None]]:
    yield f"{town.name}, {region}", town.country
    yield f"{town.name} {region}", town.country
    yield f"{town.name}, {region}, {COUNTRIES[town.country].name}", None


def _answer(gazetteer: Gazetteer, text: str, country: str | None) -> Place | None:
    try:
        return gazetteer.locate(text, country)
    except (AmbiguousPlace, NotFound, InvalidPostcode):
        return None


@pytest.mark.parametrize("country", COUNTRIES_TRIED)
def test_no_answer_lies_outside_a_stated_region(
    real_gazetteer: Gazetteer, towns: dict[str, list[_Town]], country: str
) -> None:
    """A thousand towns of twenty countries, each with its own region and with one drawn at random."""
    drawn = random.Random(7)
    admins = sorted({town.admin for town in towns[country]})
    found = 0
    for town in towns[country]:
        for region in (town.admin, drawn.choice(admins)):
            for text, stated in _ways(town, region):
                place = _answer(real_gazetteer, text, stated)
                if place is None:
                    continue
                assert place.country == country, text
                admin = place.name.rpartition(", ")[2]
                named = find_regions(region, country)
                # A town with the name of its region has the name once.
                assert place.name in (town.name, region) or any(r.holds(country, admin) for r in named), (text, place)
                found += 1
    assert found > 75, "most towns are found in their own region"


def test_no_american_town_with_a_wrong_state_is_answered_elsewhere(
    real_gazetteer: Gazetteer, towns: dict[str, list[_Town]]
) -> None:
    from sitematch.gazetteer.grammar._region_names import REGIONS

    codes = {row.split("\t")[2]: row.split("\t")[0] for row in REGIONS["US"] if row.split("\t")[0]}
    drawn = random.Random(11)
    wrong = []
    for _ in range(300):
        town = drawn.choice(towns["US"])
        listed, code = drawn.choice([item for item in codes.items() if item[0] and item[0] != town.admin.casefold()])
        for text in (f"{town.name}, {code}", f"{town.name} {code}", f"{town.name}, {code}, USA"):
            place = _answer(real_gazetteer, text, "US")
            if place is not None and place.name.rpartition(", ")[2].casefold() != listed:
                wrong.append((text, place.name))

    assert wrong == []


@pytest.mark.parametrize(("wrong", "right"), [("France", "Spain"), ("Germany", "Japan"), ("Brazil", "Kenya")])
def test_no_answer_lies_outside_a_stated_country(
    real_gazetteer: Gazetteer, towns: dict[str, list[_Town]], wrong: str, right: str
) -> None:
    for country in COUNTRIES_TRIED:
        for town in towns[country][:20]:
            for stated in (wrong, right):
                for text in (f"{town.name}, {stated}", f"{town.name} {stated}"):
                    place = _answer(real_gazetteer, text, None)
                    assert place is None or any(r.holds(place.country, "") for r in find_regions(stated)), (text, place)
