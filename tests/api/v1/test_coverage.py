"""Coverage, catchments and allocation over HTTP."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import shape

from sitematch.domain.capacity.caps import CapKey, CapLevel
from tests.api.served_study import ServedStudy

LIST = {"postcodes": ["33180", "04102", "zzz"], "country": "US", "people": [10, 5, 5], "within_km": [50]}
BATCH = {
    "referrals": [
        {"referral_id": "r-1", "postcode": "33180", "country": "US"},
        {"referral_id": "r-2", "postcode": "10115", "country": "DE", "within_km": 100},
        {"referral_id": "r-3", "town": "Suva", "country": "FJ", "min_travel": "COVERED"},
    ]
}


def table(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    (found,) = (s["table"] for s in answer["sections"] if s["table"] and s["table"]["name"] == name)
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def dump(home: Path) -> str:
    with sqlite3.connect(home / "sitematch.db") as file:
        text = "\n".join(file.iterdump())
    file.close()
    return text


def test_coverage_is_reported_with_its_uncertainty(service: ServedStudy) -> None:
    answer = service.ask("POST", "/v1/reports/coverage", LIST, who="viewer").json

    (row,) = table(answer, "reach")
    assert (row["share"], row["share_low"], row["share_high"], row["not_located"]) == (1.0, 0.75, 1.0, 5)


def test_a_question_needs_no_idempotency_key(service: ServedStudy) -> None:
    header = {"Authorization": f"Bearer {service.secrets['viewer']}"}

    assert service.client.post("/v1/reports/coverage", json=LIST, headers=header).status_code == 200
    assert service.client.post("/v1/allocations", json=BATCH, headers=header).status_code == 200


def test_nothing_of_a_list_or_a_batch_is_stored_or_logged(
    service: ServedStudy, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    service.ask("POST", "/v1/reports/coverage", LIST, who="viewer")  # the first use of a token is noted
    caplog.set_level(logging.DEBUG)
    before = dump(tmp_path)

    coverage = service.ask("POST", "/v1/reports/coverage", LIST, who="viewer")
    allocation = service.ask("POST", "/v1/allocations", BATCH, who="viewer")

    assert dump(tmp_path) == before
    for said in (caplog.text, *capfd.readouterr(), coverage.text, allocation.text):
        assert not [code for code in ("33180", "04102", "10115", "zzz") if code in said]
    assert coverage.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"country": None}, "country"),
        ({"countries": ["US", "US", "US"]}, "country"),
        ({"country": None, "countries": ["US"]}, "postcodes"),
        ({"people": [1]}, "postcodes"),
        ({"people": [0, 0, 0]}, "postcodes"),
        ({"people": [-1, 0, 0]}, "people[0]"),
        ({"postcodes": []}, "postcodes"),
        ({"within_km": [0]}, "within_km[0]"),
        ({"time_zone": "Mars"}, "time_zone"),
    ],
)
def test_a_list_that_makes_no_sense_names_the_field(service: ServedStudy, change: dict[str, Any], field: str) -> None:
    response = service.ask("POST", "/v1/reports/coverage", {**LIST, **change})

    assert response.status_code == 400
    assert response.json["field"].startswith(field)


def test_a_list_of_a_megabyte_is_read_and_a_longer_one_is_refused(service: ServedStudy) -> None:
    long = {"postcodes": ["33180"] * 20_000, "country": "US"}

    assert service.ask("POST", "/v1/reports/coverage", long).status_code == 200
    too_long = {**long, "postcodes": ["3" * 60] * 20_000}
    assert service.ask("POST", "/v1/reports/coverage", too_long).status_code == 413


def test_sites_of_another_study_can_be_candidates(service: ServedStudy) -> None:
    answer = service.ask("POST", "/v1/reports/coverage", {**LIST, "candidate_study": "NCT00000009"})
    missing = service.ask("POST", "/v1/reports/coverage", {**LIST, "candidate_study": "NCT00000404"})

    assert answer.status_code == 200
    assert {row["site_id"] for row in table(answer.json, "one-more-site")} == {"miami-full", "berlin-paused"}
    assert missing.json["type"] == "/problems/study-not-found"


def test_coverage_comes_as_csv_and_html_too(service: ServedStudy) -> None:
    csv = service.ask("POST", "/v1/reports/coverage", {**LIST, "format": "csv", "table": "reach"})
    html = service.ask("POST", "/v1/reports/coverage", LIST, headers={"Accept": "text/html"})

    assert csv.mimetype == "text/csv"
    assert "share_low" in csv.text
    assert "Within reach" in html.text


def test_catchments_are_valid_geojson_that_parts_the_globe(service: ServedStudy) -> None:
    response = service.ask("GET", "/v1/reports/catchments?radius_km=500", who="coordinator")

    answer = response.json
    assert response.mimetype == "application/geo+json"
    areas = {feature["id"]: shape(feature["geometry"]) for feature in answer["features"]}
    assert all(area.is_valid for area in areas.values())
    catchments = {key: area for key, area in areas.items() if key.startswith("catchment-")}
    assert set(catchments) == {f"catchment-{site}" for site in ("miami", "portland", "berlin", "suva", "apia")}
    assert sum(area.area for area in catchments.values()) == pytest.approx(360 * 180, rel=1e-4)
    assert shapely.contains_xy(areas["catchment-suva"], 178.4, -18.1)
    assert len(areas["circle-suva"].geoms) == 2  # across the antimeridian
    assert answer["sites_without_location"] == 1
    assert "0.34%" in answer["error"]


def test_an_allocation_says_what_each_gave_up_and_what_keeps_the_others_out(service: ServedStudy) -> None:
    answer = service.ask("POST", "/v1/allocations", BATCH, who="manager").json

    assert [(row["referral_id"], row["site_id"]) for row in table(answer, "placements")] == [
        ("r-1", "miami-full"),
        ("r-2", "berlin"),
        ("r-3", "miami"),
    ]


def test_an_allocation_keeps_within_the_ledgers_caps_and_takes_no_spot(service: ServedStudy) -> None:
    service.cap(2)
    service.hold("taken")
    service.cap(0, CapKey(level=CapLevel.SITE, scope="miami-full"))

    answer = service.ask("POST", "/v1/allocations", BATCH).json

    (placed,) = table(answer, "placements")
    assert placed["given_up_km"] == 0
    left = table(answer, "unplaced")
    assert len(left) == 2
    assert all(row["why"].startswith("Full: the cap of the study") for row in left)
    assert service.site()["held"] == 1


def test_a_closed_country_takes_no_patients(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps/closure", {"level": "COUNTRY", "scope": "DE"})

    answer = service.ask("POST", "/v1/allocations", BATCH).json

    (row,) = table(answer, "unplaced")
    assert (row["referral_id"], row["why"]) == ("r-2", "Full: the cap of country DE.")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"referral_id": "Jane Doe"}, "referrals[0].referral_id"),
        ({"within_km": -1}, "referrals[0].within_km"),
        ({"only_country": "Atlantis"}, "country"),
        ({"min_travel": "MAYBE"}, "referrals[0].min_travel"),
    ],
)
def test_a_batch_at_fault_is_refused_with_the_field(service: ServedStudy, change: dict[str, Any], said: str) -> None:
    response = service.ask("POST", "/v1/allocations", {"referrals": [{**BATCH["referrals"][0], **change}]})

    assert response.status_code == 400
    assert response.json["field"] == said


def test_a_referral_that_is_there_twice_is_refused(service: ServedStudy) -> None:
    response = service.ask("POST", "/v1/allocations", {"referrals": [BATCH["referrals"][0]] * 2})

    assert response.status_code == 400
    assert "'r-1' appears twice" in response.json["detail"]
