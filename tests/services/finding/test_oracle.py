"""An independent oracle: the ranking equals brute force over all sites, from everywhere on earth."""

from __future__ import annotations

import math
import random
import sqlite3
from pathlib import Path

import pytest
from geopy.distance import geodesic
from pyproj import Geod

from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.place import Place, Precision
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.travel import TravelCertainty, TravelSupport
from sitematch.gazetteer.schema import DEGREE
from sitematch.services.finding.finder import Finder
from tests.builders import NOW, make_place

POSTCODES = 2_000
GEOD = Geod(ellps="WGS84")
TRAVEL = [
    TravelCertainty.COVERED,
    TravelCertainty.MAY_BE_COVERED,
    TravelCertainty.UNKNOWN,
    TravelCertainty.NOT_COVERED,
]


@pytest.fixture(scope="module")
def places(gazetteer_path: Path) -> list[Place]:
    """2,000 places: postcodes of every country in turn, then poles, antimeridian, equator and antipodes."""
    dice = random.Random(20260115)
    with sqlite3.connect(f"{gazetteer_path.as_uri()}?mode=ro&immutable=1", uri=True) as connection:
        by_country: dict[str, list[tuple[int, int, int]]] = {}
        for country, *row in connection.execute(
            "SELECT country, latitude, longitude, uncertainty_m FROM postcode WHERE children = 0"
        ):
            by_country.setdefault(country, []).append(tuple(row))
    connection.close()
    corners = [
        (latitude, longitude)
        for latitude in (-90.0, -89.99, -45.0, 0.0, 45.0, 89.99, 90.0)
        for longitude in (-180.0, -179.999, 0.0, 179.999, 180.0)
    ]
    places = [make_place(latitude, longitude, country="") for latitude, longitude in corners]
    countries = sorted(by_country)
    while len(places) < POSTCODES:
        country = countries[len(places) % len(countries)]
        latitude, longitude, uncertainty_m = dice.choice(by_country[country])
        places.append(
            make_place(latitude / DEGREE, longitude / DEGREE, country=country, uncertainty_km=uncertainty_m / 1000)
        )
    return places


def distances_km(place: Place, sites: list[Site]) -> dict[str, float]:
    points = [site.place.coordinates for site in sites if site.place]
    _, _, metres = GEOD.inv(
        [place.coordinates.longitude] * len(points),
        [place.coordinates.latitude] * len(points),
        [p.longitude for p in points],
        [p.latitude for p in points],
    )
    return {site.site_id: m / 1000 for site, m in zip(sites, metres, strict=True)}


def brute_force_best(place: Place, sites: list[Site]) -> list[str]:
    """Rank by the documented rule, over all distances, without the program's code."""
    km = distances_km(place, sites)
    left = sorted(sites, key=lambda site: (km[site.site_id], site.site_id))
    ranked: list[str] = []
    while left:
        start = left[0]
        assert start.place is not None
        start_km = km[start.site_id]
        uncertainty_km = math.sqrt(place.uncertainty_km**2 + start.place.uncertainty_km**2)
        reach_km = start_km + max(5.0, start_km / 10, uncertainty_km)
        band = [site for site in left if km[site.site_id] <= reach_km]
        left = left[len(band) :]
        band.sort(
            key=lambda s: (
                TRAVEL.index(s.travel.certainty),
                math.inf if s.spots is None else -s.spots,
                km[s.site_id],
                s.site_id,
            )
        )
        ranked += [site.site_id for site in band]
    return ranked


@pytest.fixture(scope="module")
def varied(finder: Finder) -> Finder:
    """The 46 stand-in sites with varied travel support and spots, so that every rule is used."""
    dice = random.Random(5)
    sites = []
    for site in finder.sites:
        values = {f: getattr(site, f) for f in site.__slots__}
        values["travel"] = TravelSupport(certainty=dice.choice(TRAVEL))
        values["spots"] = dice.choice([None, 1, 2, 5])
        sites.append(Site(**values))
    study_values = {f: getattr(finder.study, f) for f in finder.study.__slots__}
    return Finder(finder.gazetteer, type(finder.study)(**(study_values | {"pool_spots": None})), sites)


def test_the_sample_is_the_whole_world(places: list[Place]) -> None:
    assert len(places) == POSTCODES
    assert len({place.country for place in places}) > 115
    assert all(place.precision is Precision.DISTRICT for place in places)


def test_best_order_equals_brute_force_from_everywhere(places: list[Place], varied: Finder) -> None:
    sites = list(varied.sites)
    policy = MatchPolicy(limit=10)

    for place in places:
        found = [match.site.site_id for match in varied.match_sites(place, policy, NOW).matches]

        assert found == brute_force_best(place, sites)[:10], place


def test_plain_distance_order_equals_brute_force_and_geopy_agrees_to_a_millimetre(
    places: list[Place], varied: Finder
) -> None:
    sites = list(varied.sites)
    policy = MatchPolicy(limit=3, order=Order.DISTANCE)

    for place in places:
        matches = varied.match_sites(place, policy, NOW).matches

        km = distances_km(place, sites)
        assert [m.site.site_id for m in matches] == sorted(km, key=lambda site_id: (km[site_id], site_id))[:3]
        for match in matches[:1]:
            assert match.distance is not None
            assert match.site.place is not None
            here, there = place.coordinates, match.site.place.coordinates
            theirs_km = geodesic((here.latitude, here.longitude), (there.latitude, there.longitude)).km
            assert match.distance.km == pytest.approx(theirs_km, abs=1e-6)
