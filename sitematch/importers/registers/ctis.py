"""The EU's Clinical Trials Information System: the JSON of its public interface, with trial sites.

One file is the answer of ``/ctis-public-api/retrieve/{number}``; arrays, NDJSON and the form before June 2024 are read
too. Fields: https://euclinicaltrials.eu (the structured data form of Regulation (EU) No 536/2014, Annex I). Persons of
sites are not read.

A member state's status is not that of each of its sites: a state that recruits leaves its sites without a status, and
one that takes nobody (ended, halted, not started) applies to its sites.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sitematch.domain.studies.record import RecordLocation, StudyRecord
from sitematch.domain.studies.status_origin import TAKES_NOBODY
from sitematch.domain.studies.status_words import read_status
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault
from sitematch.importers.facility import clean_facility
from sitematch.importers.json_stream import read_items
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.location_fields import nothing_known, study_status, text_field
from sitematch.importers.registers.parts import read_day, read_phases, unique
from sitematch.importers.text import tidy

_NUMBER = re.compile(r"\d{4}-5\d{5}-\d{2}-\d{2}")
_Part = Mapping[str, Any]


def read_file(path: Path, read_on: date, *, limits: FileLimits = NO_LIMITS) -> Iterator[StudyRecord | Fault]:
    """Read trials: one, an array or NDJSON; see `sitematch.importers.ctgov.read_file`.

    Raises
    ------
    InvalidInput, DataFault
        See `read_items`.
    """
    for item in read_items(path, lists=(), limits=limits):
        yield parse_trial(item.value, read_on, where=f"{item.name}, trial {item.number}")


def parse_trial(value: Any, read_on: date, *, where: str) -> StudyRecord | Fault:
    """Read one trial.

    Parameters
    ----------
    value
        Decoded JSON.
    read_on
        Today: the date of the details of a trial without a date.
    where
        Its name in an error message.

    Returns
    -------
    StudyRecord or Fault
        The fault says why the whole trial cannot be used.
    """
    trial = value if isinstance(value, dict) else {}
    number = _text(trial, "ctNumber")
    if not _NUMBER.fullmatch(number):
        return Fault(0, "ctNumber", number[:80], "is not an EU CT number, e.g. 2022-501234-11-00", place=where)
    application = _at(trial, "authorizedApplication") or trial
    parts = _list(application, "authorizedPartsII")
    locations: list[RecordLocation] = []
    faults: list[Fault] = []
    given = 0
    for part in parts:
        state = _at(part, "mscInfo")
        raw = part.get("trialSites")
        for site in raw if isinstance(raw, list) else []:
            given += 1
            place = f"{number}, site {given}"
            if isinstance(site, dict):
                locations.append(_location(site, state, place))
            else:
                faults.append(Fault(0, "trialSites", str(site)[:80], "is not an object", place=place))
    status = _text(trial, "ctStatus") or _text(_at(trial, "ctStatus"), "name")
    states_status, notices = study_status(_recruiting(status))
    return StudyRecord(
        study=_study(number, trial, application, _recruiting(status), read_on),
        locations=tuple(locations),
        faults=tuple(faults),
        given=given,
        left_out=tuple(nothing_known(fault) for fault in faults),
        states_status=states_status,
        notices=notices,
    )


def _study(number: str, trial: _Part, application: _Part, status: str, read_on: date) -> Study:
    part = _at(application, "authorizedPartI")
    details = _at(part, "trialDetails")
    names, info = _at(details, "clinicalTrialIdentifiers"), _at(details, "trialInformation")
    others = _at(names, "secondaryIdentifyingNumbers")
    conditions = _at(info, "medicalCondition")
    population = _at(info, "populationOfTrialSubjects")
    sponsors = _list(part, "sponsors")
    first = next((one for one in sponsors if one.get("primary") is True), next(iter(sponsors), {}))
    products = _list(part, "products")
    female, male = population.get("isFemaleSubjects"), population.get("isMaleSubjects")
    dates = (_text(trial, name) for name in ("publishDate", "lastPublicationUpdate", "lastUpdated", "decisionDate"))
    as_of_on = next((day for text in dates if (day := read_day(text))), None)
    return Study(
        study_id=number,
        title=tidy(_text(names, "publicTitle") or _text(names, "fullTitle") or _text(trial, "ctTitle")) or number,
        status=read_status(status) or RecruitmentStatus.UNKNOWN,
        as_of_on=as_of_on or read_on,
        source=f"EU CTIS {number}" + ("" if as_of_on else " (the record has no date)"),
        summary=tidy(_text(_at(info, "trialObjective"), "mainObjective")),
        sponsor=tidy(_text(_at(first, "organisation"), "name")),
        other_ids=unique(
            (
                _text(names, "shortTitle"),
                *(
                    _text(_at(others, name), "number")
                    for name in ("nctNumber", "isrctnNumber", "whoUniversalTrialNumber")
                ),
                *(_text(one, "number") for one in _list(others, "additionalRegistries")),
                _text(_at(application, "eudraCt"), "eudraCtCode"),
            ),
            without=number,
        ),
        conditions=unique(_text(one, "medicalCondition") for one in _list(conditions, "partIMedicalConditions")),
        keywords=unique(_text(one, "termName") for one in _list(conditions, "meddraConditionTerms")),
        interventions=unique(
            _text(one, "productName") or _text(_at(one, "productDictionaryInfo"), "activeSubstanceName")
            for one in products
        ),
        phases=read_phases(_text(trial, "trialPhase")),
        sex="FEMALE" if female and male is False else "MALE" if male and female is False else "ALL",
    )


def _recruiting(status: str) -> str:
    """Return a status without the part that says nothing about recruitment."""
    return re.sub(r"^(?:authorised|ongoing)\s*,\s*", "", status.strip(), flags=re.IGNORECASE)


def _location(site: _Part, state: _Part, where: str) -> RecordLocation:
    flags: list[str] = []
    about = _at(site, "organisationAddressInfo")
    address = _at(about, "address")
    lines = [text_field(address.get(f"addressLine{n}"), "street", flags) for n in (1, 2, 3, 4)]
    read = read_status(_recruiting(_text(state, "trialStatus")))
    return RecordLocation(
        where=where,
        facility=clean_facility(text_field(_at(about, "organisation").get("name"), "name", flags)),
        address=", ".join(unique(lines)) or text_field(address.get("oneLine"), "street", flags),
        city=text_field(address.get("city"), "city", flags),
        postcode=text_field(address.get("postcode"), "postcode", flags),
        country=text_field(address.get("countryName"), "country", flags) or _text(state, "mscName", "countryName"),
        status=read if read in TAKES_NOBODY else None,
        flags=tuple(flags),
    )


def _at(value: Any, name: str) -> _Part:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def _list(value: _Part, name: str) -> list[_Part]:
    found = value.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(value: _Part, *names: str) -> str:
    return next((tidy(found) for name in names if isinstance(found := value.get(name), str) and found.strip()), "")
