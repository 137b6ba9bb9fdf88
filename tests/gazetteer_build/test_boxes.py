"""Post boxes, large receivers and single buildings stand for their town."""

from __future__ import annotations

import gzip
import json

from sitematch.domain.place import Precision
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.boxes import fall_to_town, large_receivers
from sitematch.gazetteer.build.evidence import TownIndex
from sitematch.gazetteer.build.postal import read_places
from sitematch.gazetteer.schema import PRECISIONS
from tests.gazetteer_build.builders import make_draft, make_town

LOCALITY, DISTRICT, UNKNOWN = (PRECISIONS.index(p) for p in (Precision.LOCALITY, Precision.DISTRICT, Precision.UNKNOWN))
WASHINGTON = make_town(
    country="US", name="Washington", admin="District of Columbia", latitude=38.895, longitude=-77.036
)
TOULOUSE = make_town(id=2, country="FR", name="Toulouse", admin="Occitanie", latitude=43.6043, longitude=1.4437)


def test_a_zip_code_without_a_census_area_stands_for_its_town() -> None:
    draft = make_draft([
        ("US", "20500", 38.8971, -77.0366, "Washington", "District of Columbia"),
        ("US", "20001", 38.9121, -77.0177, "Washington", "District of Columbia"),
    ])  # fmt: skip

    fall_to_town(draft, TownIndex([WASHINGTON]), cedex=(), receivers=(), areas={"20001"})

    box, area = draft.rows.codes.index(("US", "20500")), draft.rows.codes.index(("US", "20001"))
    assert draft.rows.precision.tolist() == ([DISTRICT, LOCALITY] if area < box else [LOCALITY, DISTRICT])
    assert draft.rows.latitude[box] == WASHINGTON.latitude
    assert draft.rows.uncertainty_km[box] == WASHINGTON.uncertainty_km
    assert draft.rows.source[box] == sources.TOWNS.id
    assert draft.rows.latitude[area] == 38.9121


def test_a_cedex_stands_for_its_town_and_a_plain_french_code_does_not() -> None:
    draft = make_draft([
        ("FR", "31059", 43.6040, 1.4440, "Toulouse", "Occitanie"),
        ("FR", "31000", 43.6040, 1.4440, "Toulouse", "Occitanie"),
    ])  # fmt: skip

    fall_to_town(draft, TownIndex([TOULOUSE]), cedex={("FR", "31059")}, receivers=(), areas=())

    assert dict(zip(draft.rows.codes, draft.rows.precision.tolist(), strict=True)) == {
        ("FR", "31000"): DISTRICT,
        ("FR", "31059"): LOCALITY,
    }


def test_a_box_far_from_any_town_of_its_name_keeps_its_point() -> None:
    draft = make_draft([("US", "99999", 60.0, -150.0, "Washington", "Alaska")])

    fall_to_town(draft, TownIndex([WASHINGTON]), cedex=(), receivers=(), areas=())

    assert draft.rows.latitude.tolist() == [60.0]
    assert draft.rows.precision.tolist() == [LOCALITY]


def test_military_post_stays_unknown() -> None:
    draft = make_draft([("US", "09001", 38.895, -77.036, "Washington", "AE")])
    draft.rows.precision[0] = UNKNOWN

    fall_to_town(draft, TownIndex([WASHINGTON]), cedex=(), receivers=(), areas=())

    assert draft.rows.precision.tolist() == [UNKNOWN]


def test_a_code_that_is_also_written_without_cedex_is_no_box() -> None:
    rows = [
        {"country_code": "FR", "postal_code": code, "latitude": 43.6, "longitude": 1.4, "city": "Toulouse"}
        for code in ("31059 CEDEX 9", "31000", "31300 CEDEX", "31300")
    ]

    places = read_places(gzip.compress("\n".join(map(json.dumps, rows)).encode())).places("FR")

    assert places.cedex == {("FR", "31059")}


def test_a_large_receiver_is_told_from_an_area_and_falls_to_the_nearest_town() -> None:
    rows = [
        {"country_code": "DE", "postal_code": "80788", "latitude": 48.19, "longitude": 11.6, "city": "BMW AG"},
        {"country_code": "DE", "postal_code": "80331", "latitude": 48.13, "longitude": 11.57, "city": "München", "accuracy": 4},
        {"country_code": "AT", "postal_code": "1010", "latitude": 48.2, "longitude": 16.37, "city": "Wien"},
    ]  # fmt: skip
    munich = make_town(name="München", admin="Bavaria", latitude=48.1374, longitude=11.5755)
    hamlet = make_town(id=3, name="Weiler", admin="Bavaria", latitude=48.19, longitude=11.6, population=40)
    draft = make_draft([("DE", "80788", 48.19, 11.6, "BMW AG", "Bavaria")])

    places = read_places(gzip.compress("\n".join(map(json.dumps, rows)).encode())).places("DE")
    receivers = large_receivers(places)
    fall_to_town(draft, TownIndex([munich, hamlet]), cedex=(), receivers=receivers, areas=())

    assert receivers == {("DE", "80788")}
    assert draft.rows.latitude.tolist() == [munich.latitude]
    assert draft.rows.precision.tolist() == [LOCALITY]
