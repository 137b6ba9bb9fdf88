"""Records of ClinicalTrials.gov: everything is either read or reported."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import Fault
from sitematch.importers.ctgov import parse_study, read_file
from tests.importers.records import make_location, make_record
from tests.shared_data import ctgov_folder

TODAY = date(2026, 3, 1)


def parse(value: Any) -> StudyRecord:
    read = parse_study(value, TODAY, where="here")
    assert isinstance(read, StudyRecord), read
    return read


def test_a_location_is_read_without_the_sponsors_tag_and_contacts() -> None:
    (location,) = parse(make_record(make_location(contacts=[{"name": "A. Person", "phone": "1"}]))).locations

    assert location.facility == "University Hospital"
    assert (location.city, location.postcode, location.country) == ("Kiel", "24105", "Germany")
    assert location.status is RecruitmentStatus.RECRUITING
    assert location.point == Coordinates(latitude=54.32133, longitude=10.13489)
    assert "Person" not in repr(location)


def test_the_study_carries_the_registrys_facts_and_claims_no_spots() -> None:
    study = parse(make_record(designModule={"phases": ["PHASE3"], "enrollmentInfo": {"count": 1000}})).study

    assert (study.study_id, study.sponsor, study.other_ids) == ("NCT00000001", "A sponsor", ("SOME", "X-1"))
    assert (study.as_of_on, study.phases, study.age_min_years) == (date(2026, 2, 5), ("PHASE3",), 18)
    assert study.pool_spots is None
    assert study.has_placebo is None


def test_a_missing_status_stays_missing_and_an_unknown_one_is_said() -> None:
    record = parse(make_record(make_location(status=None), make_location(status="PERHAPS")))

    assert [location.status for location in record.locations] == [None, RecruitmentStatus.UNKNOWN]
    assert "'PERHAPS'" in record.locations[1].flags[0]


@pytest.mark.parametrize("point", [{"lat": 95, "lon": 1}, {"lat": "x"}, [1, 2], {"lat": float("nan"), "lon": 0.0}])
def test_a_point_off_the_globe_is_left_out_and_said(point: Any) -> None:
    (location,) = parse(make_record(make_location(geoPoint=point))).locations

    assert location.point is None
    assert "point" in location.flags[0]


@pytest.mark.parametrize("bad", ["a text", [], None])
def test_a_location_that_cannot_be_read_is_reported_and_costs_no_other(bad: Any) -> None:
    record = parse(make_record(make_location(), bad, make_location()))

    assert (len(record.locations), record.given) == (2, 3)
    (fault,) = record.faults
    assert (fault.place, fault.field) == ("NCT00000001, location 2", "locations")
    assert [(row.where, row.facility) for row in record.left_out] == [("NCT00000001, location 2", "")]


@pytest.mark.parametrize("name", ["facility", "city", "state", "zip", "country", "status"])
def test_a_field_that_cannot_be_read_costs_only_itself_and_is_told(name: str) -> None:
    whole, damaged = parse(make_record(make_location(), make_location(**{name: ["?"]}))).locations

    empty = None if name == "status" else ""
    field = {"zip": "postcode"}.get(name, name)
    assert damaged == replace(whole, where=damaged.where, flags=damaged.flags, **{field: empty})
    assert name in damaged.flags[0]


@pytest.mark.parametrize(
    ("status", "stated"), [("RECRUITING", True), ("UNKNOWN", True), ("", False), ("WOBBLY", False)]
)
def test_a_study_without_a_status_that_is_known_says_so(status: str, stated: bool) -> None:
    record = parse(make_record(statusModule={"overallStatus": status}))

    assert (record.states_status, bool(record.notices)) == (stated, not stated)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        3,
        {"protocolSection": {}},
        make_record(nct_id="X"),
        make_record(statusModule=7),
        {"protocolSection": None},
    ],
)
def test_a_record_that_cannot_be_used_is_a_fault_that_says_where(value: Any) -> None:
    read = parse_study(value, TODAY, where="page.json, study 3")

    assert isinstance(read, Fault)
    assert str(read).startswith("page.json, study 3")


@pytest.mark.parametrize(
    ("status", "as_of"),
    [
        ({"lastUpdatePostDateStruct": {"date": "2026-02"}}, date(2026, 2, 1)),
        ({"statusVerifiedDate": "2025-11"}, date(2025, 11, 1)),
        ({"lastUpdatePostDateStruct": {"date": "2026-02-31"}, "lastUpdateSubmitDate": "2026-02-27"}, date(2026, 2, 27)),
        ({}, TODAY),
    ],
)
def test_facts_are_dated_by_the_records_last_update(status: Any, as_of: date) -> None:
    assert parse(make_record(statusModule=status)).study.as_of_on == as_of


@pytest.mark.parametrize(
    ("text", "years"), [("18 Years", 18), ("8 Months", 0), ("30 months", 2), ("0 Years", 0), ("N/A", None), ("", None)]
)
def test_ages_are_whole_years(text: str, years: int | None) -> None:
    assert parse(make_record(eligibilityModule={"minimumAge": text})).study.age_min_years == years


@pytest.mark.parametrize(
    "status", ["UNKNOWN", "WITHHELD", "NO_LONGER_AVAILABLE", "TEMPORARILY_NOT_AVAILABLE", "APPROVED_FOR_MARKETING"]
)
def test_every_status_of_a_study_in_the_registry_is_known(status: str) -> None:
    assert parse(make_record(statusModule={"overallStatus": status})).study.status == status


def test_text_that_no_database_takes_is_tidied() -> None:
    (location,) = parse(make_record(make_location(facility="Klinik\x00 \ud800 Nord\n"))).locations

    assert location.facility == "Klinik Nord"


def records_in(path: Path) -> list[StudyRecord | Fault]:
    return list(read_file(path, TODAY))


def test_one_file_may_hold_a_study_a_page_an_array_or_lines(tmp_path: Path) -> None:
    records = [make_record(make_location(), nct_id=f"NCT0000000{n}") for n in (1, 2)]
    texts = {
        "page": json.dumps({"totalCount": 2, "studies": records, "nextPageToken": "abc"}),
        "array": json.dumps(records),
        "lines": "\n".join(map(json.dumps, records)),
        "pretty": "\ufeff" + "\r\n".join(json.dumps(record, indent=2) for record in records),
    }

    for name, text in texts.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        read = records_in(path)
        assert [r.study.study_id for r in read if isinstance(r, StudyRecord)] == ["NCT00000001", "NCT00000002"], name


@pytest.mark.parametrize(
    ("name", "locations"),
    [
        ("NCT05843643.json", 258),
        ("NCT02513394.json", 437),
        ("NCT06892548.2026-02-05.json", 38),
        ("NCT06892548.2026-02-12.json", 45),
        ("NCT06203210.2026-02-05.json", 230),
        ("NCT06203210.2026-02-10.json", 230),
        ("NCT06203210.2026-03-10.json", 230),
        ("studies-page.json", 2083),
    ],
)
def test_real_records_are_read_whole(name: str, locations: int) -> None:
    read = records_in(ctgov_folder() / name)

    records = [record for record in read if isinstance(record, StudyRecord)]
    assert len(records) == len(read)
    assert sum(record.given for record in records) == locations
    assert all(len(record.locations) + len(record.faults) == record.given for record in records)
    assert not any("ID#" in location.facility.upper() for record in records for location in record.locations)
