"""ClinicalTrials.gov: the records of its API v2, from files or from the API itself.

A record's ``protocolSection`` gives the study and its locations. The study's central contacts are read
without names; persons, and the contacts of sites, are read only on request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from sitematch.domain.studies.contact import Contact
from sitematch.domain.studies.design import Arm, ArmKind, TrialDesign, has_placebo
from sitematch.domain.studies.record import RecordLocation, StudyRecord
from sitematch.domain.studies.status_words import read_status
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault
from sitematch.importers.facility import clean_facility
from sitematch.importers.json_stream import read_items
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.location_fields import nothing_known, point_field, status_field, study_status, text_field
from sitematch.importers.text import tidy

LISTS, HEADS = frozenset({"studies"}), frozenset({"nextPageToken", "totalCount"})
"""Members of a page of the API; see `read_items`."""

SOURCE = "ClinicalTrials.gov"
NCT_ID = re.compile(r"NCT\d{8}")
_AT = re.compile(r" - at `\$\.?(.*)`$")
_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_AGE = re.compile(r"(\d+) (Year|Month|Week|Day|Hour|Minute)s?", re.IGNORECASE)
_A_YEAR = {"year": 1, "month": 12, "week": 52, "day": 365, "hour": 8_766, "minute": 525_960}


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Other members are ignored, so that new ones cause no errors."""


class _Named(_Part, frozen=True):
    id: str = ""
    name: str = ""
    type: str = ""


class _Dated(_Part, frozen=True):
    date: str = ""


class _Identification(_Part, frozen=True):
    nct_id: str
    org_study_id_info: _Named = _Named()
    secondary_id_infos: list[_Named] = []
    nct_id_aliases: list[str] = []
    brief_title: str = ""
    official_title: str = ""
    acronym: str = ""


class _Status(_Part, frozen=True):
    overall_status: str = ""
    status_verified_date: str = ""
    last_update_submit_date: str = ""
    last_update_post_date_struct: _Dated = _Dated()


class _Sponsors(_Part, frozen=True):
    lead_sponsor: _Named = _Named()


class _Description(_Part, frozen=True):
    brief_summary: str = ""


class _Conditions(_Part, frozen=True):
    conditions: list[str] = []
    keywords: list[str] = []


class _Masking(_Part, frozen=True):
    masking: str = ""
    who_masked: list[str] = []


class _DesignInfo(_Part, frozen=True):
    allocation: str = ""
    intervention_model: str = ""
    masking_info: _Masking = _Masking()


class _Design(_Part, frozen=True):
    study_type: str = ""
    phases: list[str] = []
    design_info: _DesignInfo = _DesignInfo()


class _ArmGroup(_Part, frozen=True):
    label: str = ""
    type: str = ""
    intervention_names: list[str] = []


class _Arms(_Part, frozen=True):
    arm_groups: list[_ArmGroup] = []
    interventions: list[_Named] = []


class _Eligibility(_Part, frozen=True):
    sex: str = ""
    minimum_age: str = ""
    maximum_age: str = ""


class _Locations(_Part, frozen=True):
    locations: list[Any] = []
    """Each is read separately, so that an unreadable one does not affect the others."""
    central_contacts: Any = None


class _Protocol(_Part, frozen=True):
    identification_module: _Identification
    status_module: _Status = _Status()
    sponsor_collaborators_module: _Sponsors = _Sponsors()
    description_module: _Description = _Description()
    conditions_module: _Conditions = _Conditions()
    design_module: _Design = _Design()
    arms_interventions_module: _Arms = _Arms()
    eligibility_module: _Eligibility = _Eligibility()
    contacts_locations_module: _Locations = _Locations()


class _Record(_Part, frozen=True):
    protocol_section: _Protocol


class _Contact(_Part, frozen=True):
    name: str = ""
    role: str = ""
    phone: str = ""
    phone_ext: str = ""
    email: str = ""


def read_file(
    path: Path, read_on: date, *, contacts: bool = False, limits: FileLimits = NO_LIMITS
) -> Iterator[StudyRecord | Fault]:
    """Read a file of studies: one, a page, an array, NDJSON, or the registry's zip archive of all of them.

    Parameters
    ----------
    path
        See `read_items`.
    read_on
        Today: the date of the details of a record without a date.
    contacts
        Whether to read persons and the contacts of sites too. The study's central contacts are always read, but without
        names if this is false.
    limits
        See `read_items`.

    Yields
    ------
    StudyRecord or Fault
        In the file's order, with constant memory; a fault is a record that could not be used at all.

    Raises
    ------
    InvalidInput, DataFault
        See `read_items`.
    """
    for item in read_items(path, lists=LISTS, heads=HEADS, limits=limits):
        yield parse_study(item.value, read_on, where=f"{item.name}, study {item.number}", contacts=contacts)


def parse_study(value: Any, read_on: date, *, where: str, contacts: bool = False) -> StudyRecord | Fault:
    """Read one study's record.

    Parameters
    ----------
    value
        Decoded JSON.
    read_on
        See `read_file`.
    where
        The record's name in an error message, e.g. ``"studies-page.json, study 3"``.
    contacts
        See `read_file`.

    Returns
    -------
    StudyRecord or Fault
        The fault says why the whole record cannot be used.
    """
    try:
        protocol = msgspec.convert(value, _Record).protocol_section
    except msgspec.ValidationError as error:
        reason, field = _told(error)
        return Fault(0, field, "", reason, place=where)
    nct_id = protocol.identification_module.nct_id.strip().upper()
    if not NCT_ID.fullmatch(nct_id):
        return Fault(0, "nctId", nct_id[:80], "is not an NCT number, e.g. NCT06064929", place=where)
    study = _study(nct_id, protocol, read_on)
    module = protocol.contacts_locations_module
    given = module.locations
    locations: list[RecordLocation] = []
    faults: list[Fault] = []
    for number, raw in enumerate(given, start=1):
        read = _location(raw, f"{nct_id}, location {number}", contacts=contacts)
        if isinstance(read, Fault):
            faults.append(read)
        else:
            locations.append(read)
    states_status, notices = study_status(protocol.status_module.overall_status)
    return StudyRecord(
        study=study,
        locations=tuple(locations),
        faults=tuple(faults),
        given=len(given),
        contacts=_contacts(module.central_contacts, names=contacts),
        left_out=tuple(nothing_known(fault) for fault in faults),
        states_status=states_status,
        notices=notices,
    )


def without_contacts(value: Any) -> Any:
    """Return a record's decoded JSON without its persons, for temporary storage; central contacts lose their names.

    Notes
    -----
    A value without the form of a record is returned unchanged; it is refused later, when it is read.
    """
    try:
        section = value["protocolSection"]
        module = section["contactsLocationsModule"]
        locations = module.get("locations", [])
        bare = [{name: part for name, part in each.items() if name != "contacts"} for each in locations]
        central = [
            {name: part for name, part in each.items() if name != "name"}
            for each in _listed(module.get("centralContacts"))
            if isinstance(each, dict)
        ]
    except (AttributeError, KeyError, TypeError):
        return value
    kept = {"contactsLocationsModule": {"locations": bare, "centralContacts": central}}
    return {**value, "protocolSection": {**section, **kept}}


def _told(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split a validation error into its reason and its field."""
    text = str(error)
    at = _AT.search(text)
    return (text, "") if at is None else (text[: at.start()], at[1])


def _location(raw: Any, where: str, *, contacts: bool) -> RecordLocation | Fault:
    if not isinstance(raw, dict):
        return Fault(
            0, "locations", str(raw)[:80], "is not an object with a facility, a city and a country", place=where
        )
    flags: list[str] = []
    facility, city, state, postcode, country, status = (
        text_field(raw.get(name), name, flags) for name in ("facility", "city", "state", "zip", "country", "status")
    )
    point = raw.get("geoPoint")
    latitude, longitude = (point.get("lat"), point.get("lon")) if isinstance(point, dict) else (point, None)
    return RecordLocation(
        where=where,
        facility=clean_facility(facility),
        city=city,
        state=state,
        postcode=postcode,
        country=country,
        status=status_field(status, flags),
        point=point_field(latitude, longitude, flags),
        flags=tuple(flags),
        contacts=_contacts(raw.get("contacts")) if contacts else (),
    )


def _listed(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _contacts(raw: Any, *, names: bool = True) -> tuple[Contact, ...]:
    """Read contacts; unreadable ones are ignored, because they are not part of the study's details."""
    found: list[Contact] = []
    for each in _listed(raw):
        try:
            read = msgspec.convert(each, _Contact)
        except msgspec.ValidationError:
            continue
        phone = " ext. ".join(part for part in (tidy(read.phone), tidy(read.phone_ext)) if part)
        contact = Contact(
            name=tidy(read.name) if names else "",
            role=tidy(read.role).replace("_", " ").lower(),
            phone=phone,
            email=tidy(read.email),
        )
        if contact.name or contact.phone or contact.email:
            found.append(contact)
    return tuple(found)


def _study(nct_id: str, protocol: _Protocol, read_on: date) -> Study:
    names, design = protocol.identification_module, protocol.design_module
    arms, who = protocol.arms_interventions_module, protocol.eligibility_module
    as_of_on, is_dated = _as_of(protocol.status_module, read_on)
    other_ids = (
        names.acronym,
        names.org_study_id_info.id,
        *(info.id for info in names.secondary_id_infos),
        *names.nct_id_aliases,
    )
    return Study(
        study_id=nct_id,
        title=tidy(names.brief_title) or tidy(names.official_title) or nct_id,
        status=read_status(protocol.status_module.overall_status) or RecruitmentStatus.UNKNOWN,
        as_of_on=as_of_on,
        source=f"{SOURCE} {nct_id}" + ("" if is_dated else " (the record has no date)"),
        summary=tidy(protocol.description_module.brief_summary),
        sponsor=tidy(protocol.sponsor_collaborators_module.lead_sponsor.name),
        other_ids=_texts(other_ids, without=nct_id),
        conditions=_texts(protocol.conditions_module.conditions),
        keywords=_texts(protocol.conditions_module.keywords),
        interventions=_texts([intervention.name for intervention in arms.interventions]),
        phases=_texts(phase for phase in design.phases if phase != "NA"),
        age_min_years=_years(who.minimum_age),
        age_max_years=_years(who.maximum_age),
        sex=who.sex if who.sex in ("FEMALE", "MALE") else "ALL",
        has_placebo=has_placebo(_design(protocol)),
        design=_design(protocol),
    )


def _texts(values: Any, without: str = "") -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for value in values if (text := tidy(value)) and text != without))


def _as_of(status: _Status, read_on: date) -> tuple[date, bool]:
    """Return the date of the record's last update, if it has one."""
    for text in (
        status.last_update_post_date_struct.date,
        status.last_update_submit_date,
        status.status_verified_date,
    ):
        found = _DATE.fullmatch(text.strip())
        if found:
            try:
                return date(int(found[1]), int(found[2]), int(found[3] or 1)), True
            except ValueError:  # for example 31 February: the next date may be valid
                continue
    return read_on, False


def _years(text: str) -> int | None:
    """Read an age in whole years, rounded down: ``"18 Years"`` is 18, ``"8 Months"`` is 0."""
    found = _AGE.fullmatch(text.strip())
    return None if found is None else int(found[1][:6]) // _A_YEAR[found[2].lower()]


def _design(protocol: _Protocol) -> TrialDesign:
    design, arms, who = protocol.design_module, protocol.arms_interventions_module, protocol.eligibility_module
    info, masking = design.design_info, design.design_info.masking_info
    return TrialDesign(
        study_type=design.study_type,
        allocation=info.allocation if info.allocation in ("RANDOMIZED", "NON_RANDOMIZED") else "",
        model=info.intervention_model,
        masking=masking.masking,
        who_masked=tuple(masking.who_masked),
        arms=tuple(
            Arm(
                name=tidy(arm.label),
                kind=ArmKind(arm.type) if arm.type in ArmKind.__members__ else ArmKind.UNKNOWN,
                interventions=_texts(name.partition(": ")[2] or name for name in arm.intervention_names),
            )
            for arm in arms.arm_groups
        ),
        interventions=_texts(intervention.name for intervention in arms.interventions),
        age_min=tidy(who.minimum_age),
        age_max=tidy(who.maximum_age),
        states_who=bool(who.sex),
    )
