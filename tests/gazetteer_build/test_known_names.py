"""What a postcode's place is called: a town that people know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sitematch.gazetteer.build.known_names import name_by_towns
from sitematch.gazetteer.build.rows import Rows, Town, no_rows
from sitematch.gazetteer.grammar import fold_name
from sitematch.gazetteer.locate import Gazetteer


def make_town(name: str, admin: str, latitude: float, longitude: float, population: int, reach_km: float) -> Town:
    key = fold_name(name)
    return Town(
        len(name) * 1000 + population, "GB", name, admin, latitude, longitude, reach_km, population, (key,), (key,)
    )


OXFORD = make_town("Oxford", "England", 51.75222, -1.25596, 150_000, 7.5)
LONDON = make_town("London", "England", 51.50853, -0.12574, 8_900_000, 45.0)
WATFORD = make_town("Watford", "England", 51.65531, -0.39602, 130_000, 7.0)
ABERGAVENNY = make_town("Abergavenny", "Wales", 51.82400, -3.01667, 12_500, 2.5)
TOWNS = (OXFORD, LONDON, WATFORD, ABERGAVENNY)


def rename(name: str, latitude: float, longitude: float, uncertainty_km: float = 0.5, country: str = "GB") -> str:
    one = np.zeros(1)
    row = replace(
        no_rows(),
        codes=((country, "X"),),
        latitude=np.array([latitude]),
        longitude=np.array([longitude]),
        uncertainty_km=np.array([uncertainty_km]),
        name=(name,),
        precision=one.astype(np.int8),
        source=one.astype(np.int8),
        children=one.astype(np.int64),
    )
    found: Rows = name_by_towns(row, TOWNS)
    return found.name[0]


def test_hamlet_and_office_in_a_city_are_called_by_the_city() -> None:
    assert rename("Woodeaton, England", 51.7640, -1.2190) == "Oxford, England"
    assert rename("Westminster Abbey, England", 51.5034, -0.1276) == "London, England"


def test_town_that_is_known_keeps_its_name_beside_a_larger_one() -> None:
    assert rename("Watford, England", 51.6600, -0.4000) == "Watford, England"
    assert rename("Bushey Heath, England", 51.6450, -0.3700) == "Watford, England"


def test_place_far_from_every_town_keeps_its_name() -> None:
    assert rename("Tongue, Scotland", 58.4770, -4.4170) == "Tongue, Scotland"


def test_code_on_a_border_is_in_the_nation_of_the_towns_around_it() -> None:
    assert rename("Hoaldalbert, England", 51.8700, -2.9300) == "Hoaldalbert, Wales"
    assert rename("Hoaldalbert, England", 51.8700, -2.9600, uncertainty_km=13.0) == "Abergavenny, Wales"


@pytest.mark.parametrize(
    ("text", "country", "name"),
    [
        ("OX3 9DU", "GB", "Oxford"),
        ("SW1A 2AA", "GB", "London"),
        ("EH1 1AA", "GB", "Edinburgh"),
        ("NP7", "GB", "Abergavenny, Wales"),
        ("110001", "IN", "New Delhi"),
        ("400001", "IN", "Mumbai"),
        ("411030", "IN", "Pune"),
        ("2000", "AU", "Sydney"),
        ("5000", "AU", "Adelaide"),
        ("00100", "KE", "Nairobi"),
        ("10117", "DE", "Berlin"),
        ("33180", "US", "Miami"),
    ],
)
def test_real_codes_are_shown_by_a_name_that_their_people_know(
    gazetteer: Gazetteer, text: str, country: str, name: str
) -> None:
    assert (gazetteer.locate(text, country).name or "").startswith(name)
