"""From a code's places to its point and its circle."""

from __future__ import annotations

import gzip
import json

from sitematch.gazetteer.build.codes import draft_codes
from sitematch.gazetteer.build.evidence import Draft, TownIndex, ladders_of
from sitematch.gazetteer.build.postal import read_places
from sitematch.gazetteer.build.rows import Town
from tests.gazetteer_build.builders import make_town

Named = tuple[str, float, float]


def draft_of(places: list[Named], towns: list[Town]) -> Draft:
    rows = [
        {
            "country_code": "AU", "postal_code": "2880", "city": city, "state": "New South Wales",
            "latitude": latitude, "longitude": longitude, "accuracy": 4,
        }
        for city, latitude, longitude in places
    ]  # fmt: skip
    dump = read_places(gzip.compress("\n".join(map(json.dumps, rows)).encode())).places("AU")
    return draft_codes(dump, ladders_of(dump.codes), TownIndex(towns))


BROKEN_HILL = make_town(
    country="AU", name="Broken Hill", admin="New South Wales", latitude=-31.96, longitude=141.46, population=17_000
)
STATIONS: list[Named] = [(f"Station {n}", -30.0 + n / 5, 142.0 + n / 7) for n in range(5)]


def test_a_wide_code_stands_where_its_people_are() -> None:
    draft = draft_of([*STATIONS, ("Broken Hill", -31.95, 141.45)], [BROKEN_HILL])

    assert (draft.rows.latitude[0], draft.rows.longitude[0]) == (-31.95, 141.45)
    assert draft.rows.uncertainty_km[0] > 150  # the stations are still its


def test_a_narrow_code_stands_in_the_middle_of_its_places() -> None:
    near: list[Named] = [(f"Quarter {n}", -31.90 + n / 100, 141.40) for n in range(5)]

    draft = draft_of([*near, ("Broken Hill", -31.95, 141.45)], [BROKEN_HILL])

    assert abs(draft.rows.latitude[0] + 31.88) < 0.02


def test_a_place_that_took_a_namesakes_point_does_not_widen_the_circle() -> None:
    near: list[Named] = [(f"Quarter {n}", -34.42 + n / 200, 150.88) for n in range(8)]

    draft = draft_of([*near, ("Spring Hill", -33.40, 149.15)], [])

    assert draft.rows.uncertainty_km[0] < 10
