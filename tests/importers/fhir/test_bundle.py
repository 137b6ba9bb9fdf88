"""FHIR R4 bundles: references followed however they are written, and what leads nowhere reported."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import DataFault, Fault
from sitematch.importers.fhir.bundle import read_file

TODAY = date(2026, 3, 1)
STUDY = {
    "resourceType": "ResearchStudy",
    "id": "s1",
    "meta": {"lastUpdated": "2026-02-05T10:00:00Z"},
    "identifier": [{"value": "X-1"}, {"value": "NCT00000001"}],
    "title": "A study",
    "status": "active",
    "condition": [{"coding": [{"display": "Lupus nephritis"}]}],
    "sponsor": {"reference": "Organization/o1"},
    "site": [{"reference": "Location/l1"}],
}
LOCATION = {
    "resourceType": "Location",
    "id": "l1",
    "name": "Harbour Clinic",
    "status": "active",
    "telecom": [{"system": "phone", "value": "0123"}],
    "address": {"city": "Hamburg", "postalCode": "20095", "country": "DE"},
    "position": {"latitude": 53.55, "longitude": 10.0},
}
ORGANIZATION = {
    "resourceType": "Organization",
    "id": "o1",
    "name": "Hansa Hospitals",
    "address": [{"city": "Kiel", "postalCode": "24105", "country": "DE"}],
}


def read(folder: Path, *resources: Any, urls: bool = False) -> list[StudyRecord | Fault]:
    entries = [
        {"resource": resource} | ({"fullUrl": f"urn:uuid:{resource['id']}"} if urls else {}) for resource in resources
    ]
    path = folder / "bundle.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return list(read_file(path, TODAY))


def one(folder: Path, *resources: Any, urls: bool = False) -> StudyRecord:
    (record,) = read(folder, *resources, urls=urls)
    assert isinstance(record, StudyRecord), record
    return record


def test_a_study_and_its_location_are_read_without_telecoms(tmp_path: Path) -> None:
    record = one(tmp_path, STUDY, LOCATION, ORGANIZATION)

    study, (location,) = record.study, record.locations
    assert (study.study_id, study.other_ids, study.status) == ("NCT00000001", ("X-1",), RecruitmentStatus.RECRUITING)
    assert (study.as_of_on, study.sponsor, study.conditions) == (
        date(2026, 2, 5),
        "Hansa Hospitals",
        ("Lupus nephritis",),
    )
    assert (location.facility, location.city, location.postcode, location.country) == (
        "Harbour Clinic",
        "Hamburg",
        "20095",
        "DE",
    )
    assert location.point == Coordinates(latitude=53.55, longitude=10.0)
    assert location.status is None
    assert "0123" not in repr(record)


@pytest.mark.parametrize(
    "reference",
    ["Location/l1", "https://example.org/fhir/Location/l1", "Location/l1/_history/3", "urn:uuid:l1"],
)
def test_references_are_followed_however_they_are_written(tmp_path: Path, reference: str) -> None:
    record = one(tmp_path, STUDY | {"site": [{"reference": reference}]}, LOCATION, urls=True)

    assert len(record.locations) == 1


def test_a_contained_location_is_found(tmp_path: Path) -> None:
    record = one(tmp_path, STUDY | {"site": [{"reference": "#l1"}], "contained": [LOCATION]})

    assert record.locations[0].city == "Hamburg"


@pytest.mark.parametrize(
    "site", [{"reference": "Location/l9"}, {"reference": "Organization/o1"}, {"display": "x"}, "x"]
)
def test_a_reference_that_leads_nowhere_is_reported(tmp_path: Path, site: Any) -> None:
    record = one(tmp_path, STUDY | {"site": [{"reference": "Location/l1"}, site]}, LOCATION, ORGANIZATION)

    assert (len(record.locations), record.given) == (1, 2)
    assert (record.faults[0].place, record.faults[0].field) == ("NCT00000001, site 2", "site")


def test_a_bare_location_has_the_name_and_address_of_its_organization(tmp_path: Path) -> None:
    bare = {"resourceType": "Location", "id": "l1", "managingOrganization": {"reference": "Organization/o1"}}

    (location,) = one(tmp_path, STUDY, bare, ORGANIZATION).locations

    assert (location.facility, location.city) == ("Hansa Hospitals", "Kiel")


def test_a_healthcare_service_gives_its_provider_and_says_when_it_is_closed(tmp_path: Path) -> None:
    service = {
        "resourceType": "HealthcareService",
        "id": "h1",
        "active": False,
        "providedBy": {"reference": "Organization/o1"},
        "location": [{"reference": "Location/l1"}],
    }

    (location,) = one(tmp_path, STUDY, {"resourceType": "Location", "id": "l1"}, ORGANIZATION, service).locations

    assert (location.facility, location.status) == ("Hansa Hospitals", RecruitmentStatus.SUSPENDED)


def test_a_position_off_the_globe_is_left_out_and_said(tmp_path: Path) -> None:
    (location,) = one(tmp_path, STUDY, LOCATION | {"position": {"latitude": 95, "longitude": 0}}).locations

    assert location.point is None
    assert "95, 0" in location.flags[0]


def test_lines_of_resources_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "resources.ndjson"
    path.write_text("\n".join(map(json.dumps, (LOCATION, STUDY))))

    (record,) = read_file(path, TODAY)

    assert isinstance(record, StudyRecord)
    assert len(record.locations) == 1


def test_a_study_without_an_id_is_a_fault_and_a_file_without_studies_is_one_too(tmp_path: Path) -> None:
    assert isinstance(read(tmp_path, {"resourceType": "ResearchStudy"})[0], Fault)
    with pytest.raises(DataFault, match="no ResearchStudy"):
        read(tmp_path, LOCATION)
