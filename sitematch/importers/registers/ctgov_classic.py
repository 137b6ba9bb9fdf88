"""ClinicalTrials.gov before 2024: the classic XML and the classic JSON, turned into the form of today's API.

Fields: https://clinicaltrials.gov/about-site/data-dictionary names what each is called now; the XML's own schema was
``public.xsd``. Phases, statuses and dates in words become the API's codes and dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from sitematch.domain.studies.record import StudyRecord
from sitematch.errors import Fault
from sitematch.importers.ctgov import parse_study
from sitematch.importers.json_stream import read_items
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.registers.parts import read_day, read_phases
from sitematch.importers.registers.xml_stream import read_elements, text_at, texts_at

_CODE = re.compile(r"[^A-Z0-9]+")
_LISTS = frozenset({"FullStudies"})
_HEADS = frozenset({"APIVrs", "DataVrs", "Expression"})


def read_xml(
    path: Path, read_on: date, *, contacts: bool = False, limits: FileLimits = NO_LIMITS
) -> Iterator[StudyRecord | Fault]:
    """Read studies of the classic XML: one file, or a zip archive; see `sitematch.importers.ctgov.read_file`.

    Raises
    ------
    InvalidInput, DataFault
        See `read_elements`.
    """
    for item in read_elements(path, frozenset({"clinical_study"}), limits=limits):
        where = f"{item.name}, study {item.number}"
        yield parse_study(_of_xml(item.value), read_on, where=where, contacts=contacts)


def read_json(
    path: Path, read_on: date, *, contacts: bool = False, limits: FileLimits = NO_LIMITS
) -> Iterator[StudyRecord | Fault]:
    """Read studies of the classic JSON: one, or a page; see `sitematch.importers.ctgov.read_file`.

    Raises
    ------
    InvalidInput, DataFault
        See `read_items`.
    """
    number = 0
    for item in read_items(path, lists=_LISTS, heads=_HEADS, limits=limits):
        for value in _studies(item.value):
            number += 1
            yield parse_study(_of_json(value), read_on, where=f"{item.name}, study {number}", contacts=contacts)


def _code(text: str) -> str:
    """Return a word of the classic forms as today's code: ``"Active, not recruiting"`` is ``ACTIVE_NOT_RECRUITING``."""
    return _CODE.sub("_", text.upper()).strip("_")


def _date(text: str) -> dict[str, str]:
    day = read_day(text)
    return {"date": day.isoformat()} if day else {}


def _of_xml(study: Element) -> dict[str, Any]:
    masking = text_at(study, "study_design_info/masking")
    ids = texts_at(study, "id_info/secondary_id")
    return {
        "protocolSection": {
            "identificationModule": {
                "nctId": text_at(study, "id_info/nct_id"),
                "orgStudyIdInfo": {"id": text_at(study, "id_info/org_study_id")},
                "secondaryIdInfos": [{"id": text} for text in ids],
                "nctIdAliases": list(texts_at(study, "id_info/nct_alias")),
                "briefTitle": text_at(study, "brief_title"),
                "officialTitle": text_at(study, "official_title"),
                "acronym": text_at(study, "acronym"),
            },
            "statusModule": {
                "overallStatus": text_at(study, "overall_status"),
                "statusVerifiedDate": _date(text_at(study, "verification_date")).get("date", ""),
                "lastUpdateSubmitDate": _date(text_at(study, "last_update_submitted")).get("date", ""),
                "lastUpdatePostDateStruct": _date(text_at(study, "last_update_posted")),
            },
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": text_at(study, "sponsors/lead_sponsor/agency")}},
            "descriptionModule": {"briefSummary": text_at(study, "brief_summary/textblock")},
            "conditionsModule": {
                "conditions": list(texts_at(study, "condition")),
                "keywords": list(texts_at(study, "keyword")),
            },
            "designModule": {
                "studyType": _code(text_at(study, "study_type")),
                "phases": list(read_phases(text_at(study, "phase"))),
                "designInfo": {
                    "allocation": _code(text_at(study, "study_design_info/allocation")),
                    "interventionModel": _model(text_at(study, "study_design_info/intervention_model")),
                    "maskingInfo": _masking(masking),
                },
            },
            "armsInterventionsModule": {
                "armGroups": [
                    {"label": text_at(arm, "arm_group_label"), "type": _code(text_at(arm, "arm_group_type"))}
                    for arm in study.findall("arm_group")
                ],
                "interventions": [{"name": text} for text in texts_at(study, "intervention/intervention_name")],
            },
            "eligibilityModule": {
                "sex": _code(text_at(study, "eligibility/gender")),
                "minimumAge": _age(text_at(study, "eligibility/minimum_age")),
                "maximumAge": _age(text_at(study, "eligibility/maximum_age")),
            },
            "contactsLocationsModule": {
                "centralContacts": [
                    _contact(study.find(name)) for name in ("overall_contact", "overall_contact_backup")
                ],
                "locations": [_location(location) for location in study.findall("location")],
            },
        }
    }


def _location(location: Element) -> dict[str, Any]:
    return {
        "facility": text_at(location, "facility/name"),
        "city": text_at(location, "facility/address/city"),
        "state": text_at(location, "facility/address/state"),
        "zip": text_at(location, "facility/address/zip"),
        "country": text_at(location, "facility/address/country"),
        "status": text_at(location, "status"),
        "contacts": [_contact(location.find(name)) for name in ("contact", "contact_backup")],
    }


def _contact(contact: Element | None) -> dict[str, str]:
    name = " ".join(filter(None, (text_at(contact, part) for part in ("first_name", "middle_name", "last_name"))))
    return {
        "name": name,
        "phone": text_at(contact, "phone"),
        "phoneExt": text_at(contact, "phone_ext"),
        "email": text_at(contact, "email"),
    }


def _age(text: str) -> str:
    return "" if text.upper() == "N/A" else text


def _model(text: str) -> str:
    return _code(text.replace("Assignment", ""))


def _masking(text: str) -> dict[str, Any]:
    """Read ``"Double (Participant, Investigator)"``; "None (Open Label)" names nobody."""
    kind, _, who = text.partition("(")
    code = _code(kind)
    return {
        "masking": code,
        "whoMasked": [] if code == "NONE" else [_code(each) for each in who.split(",") if _code(each)],
    }


def _studies(value: Any) -> Iterator[Any]:
    """Return the studies in a page, an entry of a page, or a study alone."""
    if isinstance(value, dict):
        for name in ("FullStudiesResponse", "FullStudy", "Study"):
            if isinstance(value.get(name), dict):
                yield from _studies(value[name])
                return
        if isinstance(value.get("FullStudies"), list):
            for each in value["FullStudies"]:
                yield from _studies(each)
            return
    yield value


def _of_json(value: Any) -> Any:
    section = _member(value, "ProtocolSection")
    names, status = _member(section, "IdentificationModule"), _member(section, "StatusModule")
    design, who = _member(section, "DesignModule"), _member(section, "EligibilityModule")
    info, arms = _member(design, "DesignInfo"), _member(section, "ArmsInterventionsModule")
    masking, module = _member(info, "DesignMaskingInfo"), _member(section, "ContactsLocationsModule")
    posted = _text(_member(status, "LastUpdatePostDateStruct"), "LastUpdatePostDate")
    return {
        "protocolSection": {
            "identificationModule": {
                "nctId": _text(names, "NCTId"),
                "orgStudyIdInfo": {"id": _text(_member(names, "OrgStudyIdInfo"), "OrgStudyId")},
                "secondaryIdInfos": [
                    {"id": _text(one, "SecondaryId")} for one in _list(names, "SecondaryIdInfoList", "SecondaryIdInfo")
                ],
                "nctIdAliases": _texts(names, "NCTIdAliasList", "NCTIdAlias"),
                "briefTitle": _text(names, "BriefTitle"),
                "officialTitle": _text(names, "OfficialTitle"),
                "acronym": _text(names, "Acronym"),
            },
            "statusModule": {
                "overallStatus": _text(status, "OverallStatus"),
                "statusVerifiedDate": _date(_text(status, "StatusVerifiedDate")).get("date", ""),
                "lastUpdateSubmitDate": _date(_text(status, "LastUpdateSubmitDate")).get("date", ""),
                "lastUpdatePostDateStruct": _date(posted),
            },
            "sponsorCollaboratorsModule": {
                "leadSponsor": {
                    "name": _text(
                        _member(_member(section, "SponsorCollaboratorsModule"), "LeadSponsor"), "LeadSponsorName"
                    )
                }
            },
            "descriptionModule": {"briefSummary": _text(_member(section, "DescriptionModule"), "BriefSummary")},
            "conditionsModule": {
                "conditions": _texts(_member(section, "ConditionsModule"), "ConditionList", "Condition"),
                "keywords": _texts(_member(section, "ConditionsModule"), "KeywordList", "Keyword"),
            },
            "designModule": {
                "studyType": _code(_text(design, "StudyType")),
                "phases": [code for text in _texts(design, "PhaseList", "Phase") for code in read_phases(text)],
                "designInfo": {
                    "allocation": _code(_text(info, "DesignAllocation")),
                    "interventionModel": _model(_text(info, "DesignInterventionModel")),
                    "maskingInfo": {
                        "masking": _code(_text(masking, "DesignMasking").partition("(")[0]),
                        "whoMasked": [
                            _code(text) for text in _texts(masking, "DesignWhoMaskedList", "DesignWhoMasked")
                        ],
                    },
                },
            },
            "armsInterventionsModule": {
                "armGroups": [
                    {
                        "label": _text(arm, "ArmGroupLabel"),
                        "type": _code(_text(arm, "ArmGroupType")),
                        "interventionNames": _texts(arm, "ArmGroupInterventionList", "ArmGroupInterventionName"),
                    }
                    for arm in _list(arms, "ArmGroupList", "ArmGroup")
                ],
                "interventions": [
                    {"name": _text(one, "InterventionName")} for one in _list(arms, "InterventionList", "Intervention")
                ],
            },
            "eligibilityModule": {
                "sex": _code(_text(who, "Gender")),
                "minimumAge": _text(who, "MinimumAge"),
                "maximumAge": _text(who, "MaximumAge"),
            },
            "contactsLocationsModule": {
                "centralContacts": [
                    _json_contact(one, "CentralContact")
                    for one in _list(module, "CentralContactList", "CentralContact")
                ],
                "locations": [
                    {
                        "facility": one.get("LocationFacility"),
                        "city": one.get("LocationCity"),
                        "state": one.get("LocationState"),
                        "zip": one.get("LocationZip"),
                        "country": one.get("LocationCountry"),
                        "status": one.get("LocationStatus"),
                        "contacts": [
                            _json_contact(each, "LocationContact")
                            for each in _list(one, "LocationContactList", "LocationContact")
                        ],
                    }
                    if isinstance(one, dict)
                    else one
                    for one in _raw_list(module, "LocationList", "Location")
                ],
            },
        }
    }


def _json_contact(contact: Mapping[str, Any], prefix: str) -> dict[str, str]:
    names = {"name": "Name", "role": "Role", "phone": "Phone", "phoneExt": "PhoneExt", "email": "EMail"}
    return {ours: _text(contact, prefix + theirs) for ours, theirs in names.items()}


def _member(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _raw_list(value: Mapping[str, Any], outer: str, inner: str) -> list[Any]:
    found = _member(value, outer).get(inner)
    return found if isinstance(found, list) else []


def _list(value: Mapping[str, Any], outer: str, inner: str) -> list[Mapping[str, Any]]:
    return [one for one in _raw_list(value, outer, inner) if isinstance(one, dict)]


def _texts(value: Mapping[str, Any], outer: str, inner: str) -> list[str]:
    return [one for one in _raw_list(value, outer, inner) if isinstance(one, str)]
