"""``POST /v1/matches:batch`` gives each patient what ``POST /v1/matches`` gives."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

MIAMI = {"postcode": "33180", "country": "US"}
PLACES = [MIAMI, {"town": "Koeln", "country": "Germany"}, {"latitude": 25.8, "longitude": -80.2}, {"postcode": "33180"}]
OPTIONS: list[dict[str, Any]] = [{}, {"limit": 1}, {"within_km": 1}, {"prefer_country": "DE", "limit": 50}]


@pytest.mark.parametrize("options", OPTIONS)
def test_each_patient_gets_the_matches_of_a_single_request(client: FlaskClient, options: dict[str, Any]) -> None:
    answer = client.post("/v1/matches:batch", json={"patients": PLACES, **options}).json

    for place, patient in zip(PLACES, answer["patients"], strict=True):
        single = client.post("/v1/matches", json={**place, **options}).json
        assert patient["reject"] is None
        assert [
            (found["rank"], found["band"], found["site_id"], found["distance_km"], found["remaining"], found["reasons"])
            for found in patient["matches"]
        ] == [
            (
                found["rank"],
                found["band"],
                found["site"]["site_id"],
                found["distance"] and found["distance"]["km"],
                found["remaining"]["count"],
                [reason["code"] for reason in found["reasons"]],
            )
            for found in single["matches"]
        ]
    named = {found["site_id"] for patient in answer["patients"] for found in patient["matches"]}
    assert [site["site_id"] for site in answer["sites"]] == sorted(named)


def test_who_cannot_be_located_has_the_reason_and_the_others_are_answered(client: FlaskClient) -> None:
    asked = [{"patient": "a", "postcode": "4102", "country": "US"}, {"patient": "b", **MIAMI}, {"country": "Atlantis"}]

    answer = client.post("/v1/matches:batch", json={"patients": asked, "limit": 1}).json

    assert [(each["patient"], len(each["matches"])) for each in answer["patients"]] == [("a", 0), ("b", 1), ("2", 0)]
    assert answer["patients"][0]["reject"]["code"] == "InvalidPostcode"
    assert "04102 (US)" in answer["patients"][0]["reject"]["suggestions"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"patients": []}, 400),
        ({"patients": [MIAMI] * 1001}, 400),
        ({"patients": [MIAMI] * 1000, "limit": 21}, 400),
        ({"patients": [{**MIAMI, "name": "Ann"}]}, 400),
        ({"patients": [MIAMI], "prefer_country": "Atlantis"}, 400),
        ({"patients": [MIAMI], "within_km": 1, "within_miles": 1}, 400),
        ({"patients": [MIAMI], "study_id": "NCT99999999"}, 404),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused(client: FlaskClient, body: dict[str, Any], status: int) -> None:
    response = client.post("/v1/matches:batch", json=body)

    assert response.status_code == status
    assert response.mimetype == "application/problem+json"


def test_a_thousand_patients_are_answered(client: FlaskClient) -> None:
    answer = client.post("/v1/matches:batch", json={"patients": [MIAMI] * 1000, "limit": 20}).json

    assert len(answer["patients"]) == 1000
    assert len({str(each["matches"]) for each in answer["patients"]}) == 1
