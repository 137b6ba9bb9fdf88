"""The NCI's trials: sites read, statuses translated, persons left out."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import Fault
from sitematch.importers.nci import parse_trial, read_file

TODAY = date(2026, 3, 1)
SITE = {
    "org_name": "Mayo Clinic in Rochester",
    "org_city": "Rochester",
    "org_state_or_province": "MN",
    "org_postal_code": "55905",
    "org_country": "United States",
    "org_coordinates": {"lat": 44.02, "lon": -92.46},
    "recruitment_status": "ACTIVE",
    "contact_name": "A. Person",
    "contact_phone": "1",
}


def make_trial(*sites: Any, **changes: Any) -> dict[str, Any]:
    trial = {
        "nct_id": "NCT02194738",
        "nci_id": "NCI-2014-01509",
        "brief_title": "A trial",
        "current_trial_status": "Active",
        "phase": "III",
        "sites": list(sites),
    }
    return trial | changes


def parse(value: Any) -> StudyRecord:
    read = parse_trial(value, TODAY, where="here")
    assert isinstance(read, StudyRecord), read
    return read


def test_a_site_is_read_and_its_person_is_not() -> None:
    record = parse(make_trial(SITE))

    (location,) = record.locations
    assert (location.facility, location.city, location.state) == ("Mayo Clinic in Rochester", "Rochester", "MN")
    assert (location.postcode, location.country, location.status) == (
        "55905",
        "United States",
        RecruitmentStatus.RECRUITING,
    )
    assert location.point == Coordinates(latitude=44.02, longitude=-92.46)
    assert "Person" not in repr(record)
    assert (record.study.study_id, record.study.other_ids) == ("NCT02194738", ("NCI-2014-01509",))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("CLOSED_TO_ACCRUAL", RecruitmentStatus.ACTIVE_NOT_RECRUITING),
        ("Temporarily Closed to Accrual", RecruitmentStatus.SUSPENDED),
        ("approved", RecruitmentStatus.NOT_YET_RECRUITING),
        ("ADMINISTRATIVELY_COMPLETE", RecruitmentStatus.TERMINATED),
        ("WHO_KNOWS", RecruitmentStatus.UNKNOWN),
        (None, None),
    ],
)
def test_statuses_are_translated_and_an_unknown_one_is_not_recruiting(
    text: str | None, status: RecruitmentStatus | None
) -> None:
    (location,) = parse(make_trial(SITE | {"recruitment_status": text})).locations

    assert location.status is status
    assert bool(location.flags) is (text == "WHO_KNOWS")


def test_a_site_that_cannot_be_read_is_reported_and_costs_no_other() -> None:
    record = parse(make_trial(SITE, "no site", SITE))

    assert (len(record.locations), record.given) == (2, 3)
    assert record.faults[0].place == "NCT02194738, site 2"


@pytest.mark.parametrize("value", [[], {}, {"nct_id": "x"}, {"nct_id": 5}])
def test_a_trial_without_an_id_is_a_fault(value: Any) -> None:
    assert isinstance(parse_trial(value, TODAY, where="here"), Fault)


@pytest.mark.parametrize("name", ["data", "trials"])
def test_a_page_of_answers_gives_its_trials(tmp_path: Path, name: str) -> None:
    path = tmp_path / "trials.json"
    path.write_text(json.dumps({"total": 2, name: [make_trial(SITE), make_trial(nct_id="NCT00000002")]}))

    assert len(list(read_file(path, TODAY))) == 2


@pytest.mark.parametrize(
    ("status", "day", "opened_on"),
    [
        ("ACTIVE", "2024-03-05", date(2024, 3, 5)),
        ("ACTIVE", "2024-03-05T00:00:00", date(2024, 3, 5)),
        ("ACTIVE", "spring", None),
        ("ACTIVE", None, None),
        ("CLOSED_TO_ACCRUAL", "2024-03-05", None),
    ],
)
def test_day_of_the_status_is_the_opening_day_of_a_site_that_recruits(
    status: str, day: str | None, opened_on: date | None
) -> None:
    changes = {"recruitment_status": status, "recruitment_status_date": day}

    (location,) = parse(make_trial(SITE | changes)).locations

    assert location.opened_on == opened_on
