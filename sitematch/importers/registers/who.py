"""The WHO's XML: exports of its trial search (ICTRP), and registers that publish the WHO's form. Countries only.

Fields: https://www.who.int/tools/clinical-trials-registry-platform/network/who-data-set (the WHO Trial Registration
Data Set) and, for the registers' form with ``main`` and ``countries``, the portal's XML format for data providers.
TCTR, REPEC, ReBec, IRCT, CTRI and others publish it, some in ISO-8859-1. Persons are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree.ElementTree import Element

from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.status_words import read_status
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.location_fields import study_status
from sitematch.importers.registers.parts import (
    listed,
    only_countries,
    read_day,
    read_phases,
    read_sex,
    read_years,
    register_id,
    unique,
)
from sitematch.importers.registers.xml_stream import read_elements, text_at, texts_at


def read_file(path: Path, read_on: date, *, limits: FileLimits = NO_LIMITS) -> Iterator[StudyRecord | Fault]:
    """Read trials of both forms; see `sitematch.importers.ctgov.read_file`.

    Raises
    ------
    InvalidInput, DataFault
        See `read_elements`.
    """
    for item in read_elements(path, frozenset({"Trial", "trial"}), limits=limits):
        yield parse_trial(item.value, read_on, where=f"{item.name}, trial {item.number}")


def parse_trial(trial: Element, read_on: date, *, where: str) -> StudyRecord | Fault:
    """Read one trial.

    Parameters
    ----------
    trial
        The element ``Trial`` of an export, or ``trial`` of a register.
    read_on
        Today: the date of the details of a trial without a date.
    where
        Its name in an error message.

    Returns
    -------
    StudyRecord or Fault
        The fault says why the whole trial cannot be used.
    """
    is_export = trial.find("main") is None and trial.find("TrialID") is not None
    number = text_at(trial, "TrialID") if is_export else text_at(trial, "main/trial_id")
    study_id = register_id(number)
    if not study_id:
        return Fault(0, "trial_id", number[:80], "is missing or cannot be used as a study's id", place=where)
    study, countries, status = (_of_export if is_export else _of_register)(trial, study_id, number, read_on)
    states_status, notices = study_status(status)
    return StudyRecord(
        study=study,
        locations=(),
        faults=(),
        given=0,
        states_status=states_status,
        notices=(*notices, only_countries(countries)),
        lists_sites=False,
        is_copy=is_export,
    )


def _of_export(trial: Element, study_id: str, number: str, read_on: date) -> tuple[Study, tuple[str, ...], str]:
    def at(name: str) -> str:
        return text_at(trial, name)

    refreshed = read_day(at("Last_Refreshed_on"))
    status = at("Recruitment_Status")
    study = Study(
        study_id=study_id,
        title=at("Public_title") or at("Scientific_title") or study_id,
        status=read_status(status) or RecruitmentStatus.UNKNOWN,
        as_of_on=refreshed or read_on,
        source=f"WHO ICTRP {study_id}" + ("" if refreshed else " (the record has no date)"),
        sponsor=at("Primary_sponsor"),
        other_ids=unique((at("Acronym"), number, *listed(at("Secondary_ID")), *listed(at("SecondaryIDs"))), study_id),
        conditions=listed(at("Condition")),
        interventions=listed(at("Intervention")),
        phases=read_phases(at("Phase")),
        age_min_years=read_years(at("Inclusion_agemin")),
        age_max_years=read_years(at("Inclusion_agemax")),
        sex=read_sex(at("Inclusion_gender")),
    )
    return study, listed(at("Countries")), status


def _of_register(trial: Element, study_id: str, number: str, read_on: date) -> tuple[Study, tuple[str, ...], str]:
    def at(name: str) -> str:
        return text_at(trial, f"main/{name}")

    register = at("reg_name") or "register"
    status = at("recruitment_status")
    dates = (at(name) for name in ("last_updated", "date_updated", "date_registration"))
    as_of_on = next((day for text in dates if (day := read_day(text))), None)
    study = Study(
        study_id=study_id,
        title=at("public_title") or at("scientific_title") or study_id,
        status=read_status(status) or RecruitmentStatus.UNKNOWN,
        as_of_on=as_of_on or read_on,
        source=f"{register} {study_id}" + ("" if as_of_on else " (the record has no date)"),
        sponsor=at("primary_sponsor"),
        other_ids=unique(
            (at("acronym"), number, at("utrn"), *texts_at(trial, "secondary_ids/secondary_id/sec_id")), study_id
        ),
        conditions=unique((*listed(at("hc_freetext")), *texts_at(trial, "health_condition_keyword/hc_keyword"))),
        interventions=unique((at("i_freetext"), *texts_at(trial, "intervention_keyword/i_keyword"))),
        phases=read_phases(at("phase")),
        age_min_years=read_years(text_at(trial, "criteria/agemin")),
        age_max_years=read_years(text_at(trial, "criteria/agemax")),
        sex=read_sex(text_at(trial, "criteria/gender")),
    )
    countries = (*texts_at(trial, "countries/country2"), *texts_at(trial, "countries/country"))
    return study, countries, status
