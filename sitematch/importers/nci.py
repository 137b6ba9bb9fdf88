"""The JSON of the US National Cancer Institute's clinical trials search API: trials with their ``sites``.

The personal contacts in every site are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from sitematch.domain.studies.record import RecordLocation, StudyRecord
from sitematch.domain.studies.status_words import read_status
from sitematch.domain.studies.study import TAKING_STATUSES, RecruitmentStatus, Study
from sitematch.errors import Fault
from sitematch.importers.facility import clean_facility
from sitematch.importers.json_stream import read_items
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.location_fields import nothing_known, point_field, status_field, study_status, text_field
from sitematch.importers.text import tidy

LISTS, HEADS = frozenset({"data", "trials"}), frozenset({"total"})
"""Members of a page in versions 2 and 1 of the API."""


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


def read_file(path: Path, read_on: date, *, limits: FileLimits = NO_LIMITS) -> Iterator[StudyRecord | Fault]:
    """Read trials: one, a page, an array or NDJSON; see `sitematch.importers.ctgov.read_file`.

    Raises
    ------
    InvalidInput, DataFault
        See `read_items`.
    """
    for item in read_items(path, lists=LISTS, heads=HEADS, limits=limits):
        yield parse_trial(item.value, read_on, where=f"{item.name}, trial {item.number}")


def parse_trial(value: Any, read_on: date, *, where: str) -> StudyRecord | Fault:
    """Read one trial.

    Parameters
    ----------
    value
        Decoded JSON.
    read_on
        Today, the date of the details, because the API says when a record was verified, but not the date of its sites.
    where
        Its name in an error message.

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
        status=read_status(trial.current_trial_status or "") or RecruitmentStatus.UNKNOWN,
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
        if isinstance(raw, dict):
            locations.append(_location(raw, place))
        else:
            faults.append(Fault(0, "sites", str(raw)[:80], "is not an object", place=place))
    states_status, notices = study_status(trial.current_trial_status or "")
    return StudyRecord(
        study=study,
        locations=tuple(locations),
        faults=tuple(faults),
        given=len(given),
        left_out=tuple(nothing_known(fault) for fault in faults),
        states_status=states_status,
        notices=notices,
    )


def _location(raw: Mapping[str, Any], where: str) -> RecordLocation:
    flags: list[str] = []
    facility, line, line_2, city, state, postcode, country, status = (
        text_field(raw.get(name), name, flags)
        for name in (
            "org_name",
            "org_address_line_1",
            "org_address_line_2",
            "org_city",
            "org_state_or_province",
            "org_postal_code",
            "org_country",
            "recruitment_status",
        )
    )
    stated = status_field(status, flags)
    point = raw.get("org_coordinates")
    latitude, longitude = (point.get("lat"), point.get("lon")) if isinstance(point, dict) else (point, None)
    return RecordLocation(
        where=where,
        facility=clean_facility(facility),
        address=", ".join(filter(None, (line, line_2))),
        city=city,
        state=state,
        postcode=postcode,
        country=country,
        status=stated,
        point=point_field(latitude, longitude, flags),
        flags=tuple(flags),
        opened_on=_day(raw.get("recruitment_status_date")) if stated in TAKING_STATUSES else None,
    )


def _day(value: object) -> date | None:
    """Return the date of the status, which is the opening day of a site that recruits; None if it cannot be read."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
