"""The JSON of the US National Cancer Institute's clinical trials search API: trials with their ``sites``.

Persons' contacts, which it holds for every site, are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.record import RecordLocation, StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault, InvalidCoordinates
from sitematch.importers.facility import clean_facility
from sitematch.importers.json_stream import read_items
from sitematch.importers.text import tidy

LISTS, HEADS = frozenset({"data", "trials"}), frozenset({"total"})
"""How a page of answers shows itself, of version 2 and 1 of the API."""

_STATUSES = {
    "ACTIVE": RecruitmentStatus.RECRUITING,
    "APPROVED": RecruitmentStatus.NOT_YET_RECRUITING,
    "IN_REVIEW": RecruitmentStatus.NOT_YET_RECRUITING,
    "ENROLLING_BY_INVITATION": RecruitmentStatus.ENROLLING_BY_INVITATION,
    "CLOSED_TO_ACCRUAL": RecruitmentStatus.ACTIVE_NOT_RECRUITING,
    "CLOSED_TO_ACCRUAL_AND_INTERVENTION": RecruitmentStatus.ACTIVE_NOT_RECRUITING,
    "TEMPORARILY_CLOSED_TO_ACCRUAL": RecruitmentStatus.SUSPENDED,
    "TEMPORARILY_CLOSED_TO_ACCRUAL_AND_INTERVENTION": RecruitmentStatus.SUSPENDED,
    "COMPLETE": RecruitmentStatus.COMPLETED,
    "COMPLETED": RecruitmentStatus.COMPLETED,
    "ADMINISTRATIVELY_COMPLETE": RecruitmentStatus.TERMINATED,
    "WITHDRAWN": RecruitmentStatus.WITHDRAWN,
}
_WORDS = re.compile(r"[\s_-]+")


class _Point(msgspec.Struct, frozen=True):
    lat: float
    lon: float


class _Site(msgspec.Struct, frozen=True):
    org_name: str | None = None
    org_city: str | None = None
    org_state_or_province: str | None = None
    org_postal_code: str | int | None = None
    org_country: str | None = None
    org_coordinates: Any = None
    recruitment_status: str | None = None


class _Trial(msgspec.Struct, frozen=True):
    nct_id: str | None = None
    nci_id: str | None = None
    protocol_id: str | None = None
    brief_title: str | None = None
    official_title: str | None = None
    brief_summary: str | None = None
    current_trial_status: str | None = None
    lead_org: str | None = None
    record_verification_date: str | None = None
    phase: Any = None
    sites: list[Any] | None = None


def read_file(path: Path, read_on: date) -> Iterator[StudyRecord | Fault]:
    """Read trials: one, a page, an array or NDJSON; see `sitematch.importers.ctgov.read_file`.

    Raises
    ------
    NotReady, DataFault
        See `read_items`.
    """
    for item in read_items(path, lists=LISTS, heads=HEADS):
        yield parse_trial(item.value, read_on, where=f"{item.name}, trial {item.number}")


def parse_trial(value: Any, read_on: date, *, where: str) -> StudyRecord | Fault:
    """Read one trial.

    Parameters
    ----------
    value
        Decoded JSON.
    read_on
        Today: dates the facts, for the API tells when a record was verified, not what day its sites describe.
    where
        What to call it in a fault.

    Returns
    -------
    StudyRecord or Fault
        The fault says why the whole trial cannot be used.
    """
    try:
        trial = msgspec.convert(value, _Trial)
    except msgspec.ValidationError as error:
        return Fault(0, "", "", str(error), place=where)
    study_id = tidy(trial.nct_id or trial.nci_id or "").upper()
    if not re.fullmatch(r"NC[TI][\w-]{5,20}", study_id):
        return Fault(0, "nct_id", study_id[:80], "nct_id and nci_id are both missing", place=where)
    phase = trial.phase.get("phase") if isinstance(trial.phase, dict) else trial.phase
    study = Study(
        study_id=study_id,
        title=tidy(trial.brief_title or trial.official_title or study_id),
        status=_status(trial.current_trial_status) or RecruitmentStatus.UNKNOWN,
        as_of_on=read_on,
        source=f"NCI clinical trials search {study_id}",
        summary=tidy(trial.brief_summary or ""),
        sponsor=tidy(trial.lead_org or ""),
        other_ids=tuple(text for text in (trial.nci_id, trial.protocol_id) if text and text != study_id),
        phases=(tidy(phase),) if isinstance(phase, str) and phase and phase != "NA" else (),
    )
    locations: list[RecordLocation] = []
    faults: list[Fault] = []
    given = trial.sites or []
    for number, raw in enumerate(given, start=1):
        place = f"{study_id}, site {number}"
        try:
            locations.append(_location(msgspec.convert(raw, _Site), place))
        except msgspec.ValidationError as error:
            faults.append(Fault(0, "sites", "", str(error), place=place))
    return StudyRecord(study=study, locations=tuple(locations), faults=tuple(faults), given=len(given))


def _status(text: str | None) -> RecruitmentStatus | None:
    return _STATUSES.get(_WORDS.sub("_", (text or "").strip().upper()))


def _location(site: _Site, where: str) -> RecordLocation:
    flags: list[str] = []
    status = _status(site.recruitment_status)
    if status is None and site.recruitment_status:
        status = RecruitmentStatus.UNKNOWN
        flags.append(f"The record gives the status {tidy(site.recruitment_status)[:40]!r}, which is unknown.")
    point = None
    if site.org_coordinates:
        try:
            read = msgspec.convert(site.org_coordinates, _Point)
            point = Coordinates(latitude=read.lat, longitude=read.lon)
        except (msgspec.ValidationError, InvalidCoordinates) as error:
            flags.append(f"The record's point cannot be used: {error}")
    return RecordLocation(
        where=where,
        facility=clean_facility(tidy(site.org_name or "")),
        city=tidy(site.org_city or ""),
        state=tidy(site.org_state_or_province or ""),
        postcode=tidy("" if site.org_postal_code is None else str(site.org_postal_code)),
        country=tidy(site.org_country or ""),
        status=status,
        point=point,
        flags=tuple(flags),
    )
