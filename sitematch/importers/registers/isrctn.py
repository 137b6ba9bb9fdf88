"""The ISRCTN registry: the XML of its interface (``/api/trial/…/format/default`` and queries), with trial centres.

Fields: https://www.isrctn.com/page/definitions. A record states a status only if recruitment or the trial was stopped
or suspended (``recruitmentStatusOverride``, ``overallStatusOverride``); otherwise the registry's pages derive one from
the planned dates. Here dates show that recruitment has not begun or has ended. In between, the record does not show
whether it recruits today, so the status is unknown. Persons are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree.ElementTree import Element

from sitematch.domain.studies.record import RecordLocation, StudyRecord
from sitematch.domain.studies.status_words import read_status
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault
from sitematch.importers.facility import clean_facility
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.registers.parts import only_countries, read_day, read_phases, read_sex, read_years, unique
from sitematch.importers.registers.xml_stream import read_elements, text_at, texts_at

_NUMBER = re.compile(r"ISRCTN\d{8}")
_NOT_STATED = (
    "The record gives no status for the study. Its planned dates of recruitment do not show whether it recruits today."
)


def read_file(path: Path, read_on: date, *, limits: FileLimits = NO_LIMITS) -> Iterator[StudyRecord | Fault]:
    """Read trials: one, or the answer to a query; see `sitematch.importers.ctgov.read_file`.

    Raises
    ------
    InvalidInput, DataFault
        See `read_elements`.
    """
    for item in read_elements(path, frozenset({"trial"}), limits=limits):
        yield parse_trial(item.value, read_on, where=f"{item.name}, trial {item.number}")


def parse_trial(trial: Element, read_on: date, *, where: str) -> StudyRecord | Fault:
    """Read one trial.

    Parameters
    ----------
    trial
        The element ``trial``, its tags without a namespace.
    read_on
        Today: it is compared with the dates of recruitment, and is the date of the details of a trial without one.
    where
        Its name in an error message.

    Returns
    -------
    StudyRecord or Fault
        The fault says why the whole trial cannot be used.
    """
    number = text_at(trial, "isrctn").upper()
    number = number if number.startswith("ISRCTN") else f"ISRCTN{number}"
    if not _NUMBER.fullmatch(number):
        return Fault(0, "isrctn", number[6:86], "is not an ISRCTN, e.g. ISRCTN61218504", place=where)
    people = trial.find("participants")
    centres = [] if people is None else people.findall("trialCentres/trialCentre")
    status, notices = _status(trial, read_on)
    countries = texts_at(people, "recruitmentCountries/country")
    return StudyRecord(
        study=_study(number, trial, status, read_on),
        locations=tuple(_centre(centre, f"{number}, centre {n}") for n, centre in enumerate(centres, start=1)),
        faults=(),
        given=len(centres),
        states_status=status is not RecruitmentStatus.UNKNOWN,
        notices=notices if centres else (*notices, only_countries(countries)),
        lists_sites=bool(centres),
    )


def _status(trial: Element, today: date) -> tuple[RecruitmentStatus, tuple[str, ...]]:
    for path in ("trialDesign/overallStatusOverride", "participants/recruitmentStatusOverride"):
        if text := text_at(trial, path):
            status = read_status(text)
            notice = () if status else (f"The record gives the study the status {text[:40]!r}, which is unknown.",)
            return status or RecruitmentStatus.UNKNOWN, notice
    ends = read_day(text_at(trial, "trialDesign/overallEndDate"))
    starts, closes = (read_day(text_at(trial, f"participants/recruitment{part}")) for part in ("Start", "End"))
    if ends is not None and ends < today:
        return RecruitmentStatus.COMPLETED, ()
    if closes is not None and closes < today:
        return RecruitmentStatus.ACTIVE_NOT_RECRUITING, ()
    if starts is not None and starts > today:
        return RecruitmentStatus.NOT_YET_RECRUITING, ()
    return RecruitmentStatus.UNKNOWN, (_NOT_STATED,)


def _study(number: str, trial: Element, status: RecruitmentStatus, read_on: date) -> Study:
    about, people = trial.find("trialDescription"), trial.find("participants")
    refs, design = trial.find("externalRefs"), trial.find("trialDesign")
    updated = read_day(trial.get("lastUpdated", ""))
    phases = texts_at(trial, "interventions/intervention/phase") or texts_at(design, "phase")
    return Study(
        study_id=number,
        title=text_at(about, "title") or text_at(about, "scientificTitle") or number,
        status=status,
        as_of_on=updated or read_on,
        source=f"ISRCTN registry {number}" + ("" if updated else " (the record has no date)"),
        summary=text_at(about, "plainEnglishSummary") or text_at(about, "studyHypothesis"),
        sponsor=text_at(trial, "sponsor/organisation"),
        other_ids=unique(
            (
                text_at(about, "acronym"),
                *(text_at(refs, name) for name in ("eudraCTNumber", "clinicalTrialsGovNumber", "irasNumber")),
                *texts_at(refs, "secondaryNumbers/secondaryNumber"),
            ),
            without=number,
        ),
        conditions=texts_at(trial, "conditions/condition/description"),
        keywords=unique(
            (
                *texts_at(trial, "conditions/condition/diseaseClass1"),
                *texts_at(trial, "conditions/condition/diseaseClass2"),
            )
        ),
        interventions=texts_at(trial, "interventions/intervention/drugNames"),
        phases=tuple(dict.fromkeys(code for text in phases for code in read_phases(text))),
        age_min_years=read_years(text_at(people, "lowerAgeLimit")),
        age_max_years=read_years(text_at(people, "upperAgeLimit")),
        sex=read_sex(text_at(people, "gender")),
    )


def _centre(centre: Element, where: str) -> RecordLocation:
    return RecordLocation(
        where=where,
        facility=clean_facility(text_at(centre, "name")),
        address=", ".join(texts_at(centre, "address")),
        city=text_at(centre, "city"),
        state=text_at(centre, "state"),
        postcode=text_at(centre, "zip") or text_at(centre, "postcode"),
        country=text_at(centre, "country"),
    )
