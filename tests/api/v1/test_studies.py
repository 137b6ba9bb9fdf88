"""Any study of the catalogue: matching by its id, full-text search."""

from __future__ import annotations

import pytest

from sitematch.domain.studies.contact import Contact, StudyContacts
from sitematch.store.studies.contacts import store_contacts
from tests.api.builders import STUDY_ID
from tests.api.served_study import OTHER_STUDY, ServedStudy

MIAMI = {"postcode": "33180", "country": "US"}


def test_match_takes_any_study_by_its_id(service: ServedStudy) -> None:
    answer = service.ask("POST", "/v1/matches", {**MIAMI, "study_id": OTHER_STUDY.lower()}).json
    got = service.ask("GET", f"/v1/matches?postcode=33180&country=US&study_id={OTHER_STUDY}").json

    assert answer["study"]["study_id"] == OTHER_STUDY
    assert [match["site"]["site_id"] for match in answer["matches"]] == ["far"]
    assert got["matches"] == answer["matches"]


def test_sites_of_any_study_are_listed_and_shown(service: ServedStudy) -> None:
    listed = service.ask("GET", f"/v1/sites?study_id={OTHER_STUDY}").json
    shown = service.ask("GET", f"/v1/sites/far?study_id={OTHER_STUDY}").json

    assert [site["site_id"] for site in listed["sites"]] == ["far"]
    assert shown["study"]["study_id"] == OTHER_STUDY
    assert service.ask("GET", "/v1/sites/far").status_code == 404
    assert service.ask("GET", f"/v1/sites/miami?study_id={STUDY_ID}").status_code == 200


@pytest.mark.parametrize("study_id", ["NCT99999999", "x", "' OR 1=1"])
def test_unknown_study_is_a_problem_that_says_so(service: ServedStudy, study_id: str) -> None:
    for answer in (
        service.ask("POST", "/v1/matches", {**MIAMI, "study_id": study_id}),
        service.ask("GET", f"/v1/matches?postcode=33180&country=US&study_id={study_id}"),
        service.ask("GET", f"/v1/sites?study_id={study_id}"),
        service.ask("GET", f"/v1/sites/far?study_id={study_id}"),
    ):
        assert answer.status_code == 404
        assert (answer.json["type"], answer.json["field"]) == ("/problems/study-not-found", "study_id")


def test_studies_are_listed_found_and_shown(service: ServedStudy) -> None:
    listed = service.ask("GET", "/v1/studies").json
    first = service.ask("GET", "/v1/studies?q=Lupus%20nephritis&status=RECRUITING&limit=1").json
    second = service.ask("GET", f"/v1/studies?q=Lupus%20nephritis&limit=1&after={first['next']}").json
    shown = service.ask("GET", f"/v1/studies/{STUDY_ID.lower()}").json

    assert [study["study_id"] for study in listed["studies"]] == [STUDY_ID, OTHER_STUDY]
    assert [study["study_id"] for study in first["studies"] + second["studies"]] == [STUDY_ID, OTHER_STUDY]
    assert (listed["next"], second["next"]) == (None, None)
    assert (shown["title"], shown["pool_spots"]) == ("A study of lupus nephritis", 8)
    assert service.ask("GET", "/v1/studies?q=asthma").json["studies"] == []


@pytest.mark.parametrize("query", ["q=%22", "q=", "q=" + "x" * 201, "after=x", "limit=0", "status=OPEN", "word=x"])
def test_query_that_makes_no_sense_is_refused(service: ServedStudy, query: str) -> None:
    answer = service.ask("GET", f"/v1/studies?{query}")

    assert (answer.status_code, answer.json["field"].partition("[")[0]) == (400, query.partition("=")[0])


def test_clinics_are_ranked_for_a_condition_with_each_study_there(service: ServedStudy) -> None:
    service.hold("r-1", "miami")

    answer = service.ask("POST", "/v1/clinics", {**MIAMI, "condition": "lupus nephritis", "limit": 2}).json

    first = answer["clinics"][0]
    assert [clinic["facility"] for clinic in answer["clinics"]] == ["Hospital miami-full", "Hospital miami"]
    assert answer["studies_found"] == 2
    assert [at["study"]["study_id"] for at in first["studies"]] == [STUDY_ID]
    assert first["studies"][0]["study"]["notice"] == "The sites are stand-ins."
    assert first["studies"][0]["remaining"]["count"] == 7
    assert first["distance"]["uncertainty_km"] > 0
    assert [reason["code"] for reason in first["reasons"]] == ["NEAREST"]
    assert answer["query"]["place"]["postcode"] == "33180"


def test_clinics_are_ranked_from_coordinates_too(service: ServedStudy) -> None:
    asked = {"latitude": 25.96, "longitude": -80.14, "condition": "lupus", "limit": 1, "unit": "km"}

    assert service.ask("POST", "/v1/clinics", asked).json["clinics"][0]["facility"] == "Hospital miami-full"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"condition": "?"}, "condition"),
        ({"condition": "x" * 201}, "condition"),
        ({"min_spots": 2}, "min_spots"),
        ({"study_id": STUDY_ID}, "study_id"),
        ({"within_km": 0}, "within_km"),
    ],
)
def test_look_up_over_all_studies_that_makes_no_sense_is_refused(service: ServedStudy, wrong: dict, field: str) -> None:
    answer = service.ask("POST", "/v1/clinics", {**MIAMI, "condition": "lupus", **wrong})

    assert (answer.status_code, answer.json["field"]) == (400, field)


def test_contacts_are_shown_where_they_are_kept(service: ServedStudy) -> None:
    contacts = StudyContacts(by_site={"far": (Contact(name="Ann Example", email="ann@example.org"),)})
    with service.store.writing() as connection:
        store_contacts(connection, OTHER_STUDY, contacts)

    match = service.ask("POST", "/v1/matches", {**MIAMI, "study_id": OTHER_STUDY}).json["matches"][0]
    without = service.ask("POST", "/v1/matches", MIAMI).json["matches"][0]
    clinics = service.ask("POST", "/v1/clinics", {**MIAMI, "condition": "lupus", "limit": 50}).json["clinics"]

    ann = {"name": "Ann Example", "role": "", "phone": "", "email": "ann@example.org"}
    assert match["contacts"] == [ann]
    assert "contacts" not in without
    assert service.ask("GET", f"/v1/sites/far?study_id={OTHER_STUDY}").json["contacts"] == [ann]
    assert service.ask("GET", "/v1/sites/miami").json["contacts"] == []
    assert [at["contacts"] for clinic in clinics for at in clinic["studies"] if "contacts" in at] == [[ann]]
