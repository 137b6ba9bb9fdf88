from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sitematch.services.finding.finder import Finder
from tests.api.builders import NOW, make_app

MIAMI = {"postcode": "33180", "country": "US"}


def site_ids(answer: dict) -> list[str]:
    return [match["site"]["site_id"] for match in answer["matches"]]


def test_postcode_gives_ranked_sites_and_the_nearer_ones_left_out(client: FlaskClient) -> None:
    answer = client.post("/v1/matches", json={**MIAMI, "limit": 2}).json

    assert site_ids(answer) == ["miami", "portland"]
    assert [match["rank"] for match in answer["matches"]] == [1, 2]
    assert answer["excluded"][0]["site"]["site_id"] == "miami-full"
    assert answer["excluded"][0]["reasons"][0]["code"] == "FULL"
    assert answer["study"]["notice"] == "The sites are stand-ins."
    assert answer["answered_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert answer["attribution"] == ["Codes: made for tests."]


def test_get_and_post_give_the_same_answer(client: FlaskClient) -> None:
    posted = client.post("/v1/matches", json={**MIAMI, "limit": 3, "status": ["RECRUITING", "SUSPENDED"]})
    got = client.get("/v1/matches?postcode=33180&country=US&limit=3&status=RECRUITING&status=SUSPENDED")

    assert got.json == posted.json


def test_town_is_found_by_name(client: FlaskClient) -> None:
    answer = client.post("/v1/matches", json={"town": "Koeln", "country": "Germany", "limit": 1}).json

    assert answer["query"]["place"]["name"].startswith("Köln")
    assert site_ids(answer) == ["berlin"]


def test_coordinates_are_taken_in_place_of_a_postcode(client: FlaskClient) -> None:
    asked = {"latitude": 25.8, "longitude": -80.2, "uncertainty_km": 0.5, "country": "US", "limit": 1}

    answer = client.post("/v1/matches", json=asked).json

    assert site_ids(answer) == ["miami"]
    assert answer["query"]["place"]["location"]["uncertainty_km"] == 0.5
    assert answer["query"]["unit"] == "miles"


def test_radius_in_miles_is_a_radius_in_kilometres(client: FlaskClient) -> None:
    answer = client.post("/v1/matches", json={**MIAMI, "within_miles": 100}).json

    assert answer["query"]["within_km"] == pytest.approx(160.9344)
    assert site_ids(answer) == ["miami"]


def test_nothing_within_the_radius_shows_the_nearest_and_says_so(client: FlaskClient) -> None:
    answer = client.post("/v1/matches", json={**MIAMI, "within_km": 1}).json

    assert answer["outside_radius"] is True
    assert site_ids(answer)[0] == "miami"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"only_country": "Germany"}, ["berlin"]),
        ({"prefer_country": "DE", "limit": 2}, ["berlin", "miami"]),
        ({"min_spots": 8, "limit": 1}, ["miami"]),
        ({"min_travel": "COVERED"}, ["miami"]),
        ({"status": ["SUSPENDED"]}, ["berlin-paused"]),
        ({"order": "distance", "limit": 1}, ["miami"]),
        ({"limit": None, "order": None}, None),
    ],
)
def test_each_filter_reaches_the_ranking(client: FlaskClient, asked: dict, expected: list[str] | None) -> None:
    response = client.post("/v1/matches", json={**MIAMI, **asked})

    if expected is None:
        assert response.status_code == 400
    else:
        assert site_ids(response.json) == expected


def test_null_counts_as_left_out_where_a_field_has_no_default(client: FlaskClient) -> None:
    plain = client.post("/v1/matches", json=MIAMI)
    nulls = dict.fromkeys(("town", "latitude", "within_km", "min_travel", "status", "unit"))

    assert client.post("/v1/matches", json={**MIAMI, **nulls}).json == plain.json


def test_postcode_is_normalised(client: FlaskClient) -> None:
    answer = client.post("/v1/matches", json={"postcode": " ３３１８０-1234 ", "country": "USA"}).json

    assert answer["query"]["place"]["postcode"] == "33180"


def test_get_can_be_switched_off_and_the_problem_names_the_other_way(tmp_path: Path, finder: Finder) -> None:
    client = make_app(tmp_path, finder, get_matches=False).test_client()

    response = client.get("/v1/matches?postcode=33180&country=US")

    assert response.status_code == 405
    assert response.json["type"] == "/problems/method-not-allowed"
    assert "POST" in response.json["detail"]
    assert "POST" in response.headers["Allow"]
    assert client.post("/v1/matches", json=MIAMI).status_code == 200


def test_answer_with_a_postcode_is_not_cached(client: FlaskClient) -> None:
    for response in (client.post("/v1/matches", json=MIAMI), client.get("/v1/matches?postcode=1&country=US")):
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
