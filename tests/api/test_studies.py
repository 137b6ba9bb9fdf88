"""Any study of the catalogue: matched by its id, found by its words."""

from __future__ import annotations

import pytest

from tests.api.builders import STUDY_ID
from tests.api.office import OTHER_STUDY, Office

MIAMI = {"postcode": "33180", "country": "US"}


def test_match_takes_any_study_by_its_id(office: Office) -> None:
    answer = office.ask("POST", "/v1/matches", {**MIAMI, "study_id": OTHER_STUDY.lower()}).json
    got = office.ask("GET", f"/v1/matches?postcode=33180&country=US&study_id={OTHER_STUDY}").json

    assert answer["study"]["study_id"] == OTHER_STUDY
    assert [match["site"]["site_id"] for match in answer["matches"]] == ["far"]
    assert got["matches"] == answer["matches"]


def test_sites_of_any_study_are_listed_and_shown(office: Office) -> None:
    listed = office.ask("GET", f"/v1/sites?study_id={OTHER_STUDY}").json
    shown = office.ask("GET", f"/v1/sites/far?study_id={OTHER_STUDY}").json

    assert [site["site_id"] for site in listed["sites"]] == ["far"]
    assert shown["study"]["study_id"] == OTHER_STUDY
    assert office.ask("GET", "/v1/sites/far").status_code == 404
    assert office.ask("GET", f"/v1/sites/miami?study_id={STUDY_ID}").status_code == 200


@pytest.mark.parametrize("study_id", ["NCT99999999", "x", "' OR 1=1"])
def test_unknown_study_is_a_problem_that_says_so(office: Office, study_id: str) -> None:
    for answer in (
        office.ask("POST", "/v1/matches", {**MIAMI, "study_id": study_id}),
        office.ask("GET", f"/v1/matches?postcode=33180&country=US&study_id={study_id}"),
        office.ask("GET", f"/v1/sites?study_id={study_id}"),
        office.ask("GET", f"/v1/sites/far?study_id={study_id}"),
    ):
        assert answer.status_code == 404
        assert (answer.json["type"], answer.json["field"]) == ("/problems/study-not-found", "study_id")
