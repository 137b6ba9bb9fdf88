"""FHIR R4: studies and sites out of a bundle of ResearchStudy, Location, Organization and HealthcareService.

``ResearchStudy.site`` names the locations. A location without a name or an address gets those of its managing
organization, or of a healthcare service there. Telecoms and persons are not read. sitematch's own extensions are also
read; stand-ins are left out, because they are not real sites of the study.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sitematch.domain import fhir as words
from sitematch.domain.studies.record import RecordLocation, StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import DataFault, Fault
from sitematch.importers.facility import clean_facility
from sitematch.importers.fhir.extensions import is_stand_in, recruitment_status, study_facts
from sitematch.importers.json_stream import read_items
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.location_fields import point_field, study_status
from sitematch.importers.text import tidy

_STUDY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NCT = re.compile(r"NCT\d{8}")
_Resource = Mapping[str, Any]


def read_file(path: Path, read_on: date, *, limits: FileLimits = NO_LIMITS) -> Iterator[StudyRecord | Fault]:
    """Read the studies of a bundle, or of NDJSON of resources.

    Parameters
    ----------
    path
        JSON; see `read_items`. It is read completely into memory, because references may point anywhere in it.
    read_on
        Today: the date of the details of a study without ``meta.lastUpdated``.
    limits
        See `read_items`.

    Yields
    ------
    StudyRecord or Fault
        In the file's order.

    Raises
    ------
    InvalidInput, DataFault
        See `read_items`; also if the file contains no ResearchStudy.
    """
    resources = Resources()
    for item in read_items(path, lists=(), limits=limits):
        resources.add(item.value)
    studies = resources.of_type("ResearchStudy")
    if not studies:
        reason = "contains no ResearchStudy; if it has places of one study, use `import file` with --study"
        raise DataFault(f"{path.name} {reason}.", faults=[Fault(0, "resourceType", "", reason, place=path.name)])
    for study in studies:
        yield _record(study, resources, read_on, path.name)


class Resources:
    """All resources, by every possible reference."""

    def __init__(self) -> None:
        self._by_name: dict[str, _Resource] = {}
        self._by_type: dict[str, list[_Resource]] = defaultdict(list)
        self._service_at: dict[int, _Resource] = {}

    def add(self, value: Any, full_url: Any = None) -> None:
        """Add a resource, or the resources of a bundle; anything else is ignored."""
        if not isinstance(value, dict):
            return
        kind = value.get("resourceType")
        if kind == "Bundle":
            for entry in things(value.get("entry")):
                self.add(entry.get("resource"), entry.get("fullUrl"))
            return
        if not isinstance(kind, str):
            return
        self._by_type[kind].append(value)
        for name in (full_url, f"{kind}/{value.get('id')}" if value.get("id") else None):
            if isinstance(name, str):
                self._by_name.setdefault(name, value)

    def of_type(self, kind: str) -> list[_Resource]:
        """Return the resources of a type, in the file's order."""
        return self._by_type[kind]

    def find(self, reference: Any, within: _Resource | None = None) -> _Resource | None:
        """Follow a reference: relative, absolute, a URN, or to a contained resource."""
        text = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(text, str):
            return None
        if text.startswith("#") and within is not None:
            return next((part for part in things(within.get("contained")) if part.get("id") == text[1:]), None)
        text = text.partition("/_history/")[0]
        return self._by_name.get(text) or self._by_name.get("/".join(text.split("/")[-2:]))

    def service_at(self, location: _Resource) -> _Resource | None:
        """Find a healthcare service at a location."""
        if not self._service_at:
            for service in self.of_type("HealthcareService"):
                for reference in things(service.get("location")):
                    found = self.find(reference, service)
                    if found is not None:
                        self._service_at.setdefault(id(found), service)
        return self._service_at.get(id(location))


def things(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; empty if it is no list."""
    return [thing for thing in value if isinstance(thing, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Return a text, tidied; empty if it is no text."""
    return tidy(value) if isinstance(value, str) else ""


def _record(resource: _Resource, resources: Resources, read_on: date, name: str) -> StudyRecord | Fault:
    identifiers = things(resource.get("identifier"))
    ids = [text_of(identifier.get("value")) for identifier in identifiers]
    ours = [text_of(one.get("value")) for one in identifiers if one.get("system") == words.STUDY_SYSTEM]
    named = [
        text for text in (*ours, *(i for i in ids if _NCT.fullmatch(i)), *ids, text_of(resource.get("id"))) if text
    ]
    study_id = next((text for text in named if _STUDY_ID.fullmatch(text)), "")
    if not study_id:
        return Fault(0, "identifier", "", "the ResearchStudy has no identifier or id that can be used", place=name)
    meta = resource.get("meta")
    study = Study(
        study_id=study_id,
        title=text_of(resource.get("title")) or study_id,
        status=words.STATUS_OF_STUDY.get(text_of(resource.get("status")), RecruitmentStatus.UNKNOWN),
        as_of_on=_day(meta.get("lastUpdated") if isinstance(meta, dict) else None, read_on),
        source=f"FHIR ResearchStudy {study_id}",
        summary=text_of(resource.get("description")),
        sponsor=text_of((resources.find(resource.get("sponsor"), resource) or {}).get("name")),
        other_ids=tuple(dict.fromkeys(text for text in ids if text and text != study_id)),
        conditions=_concepts(resource.get("condition")),
        keywords=_concepts(resource.get("keyword")),
        interventions=_concepts(resource.get("focus")),
    )
    study = replace(study, **study_facts(resource))
    references = resource.get("site")
    given = references if isinstance(references, list) else []
    locations: list[RecordLocation] = []
    faults: list[Fault] = []
    left_out: list[RecordLocation] = []
    for number, reference in enumerate(given, start=1):
        where = f"{study_id}, site {number}"
        found = resources.find(reference, resource)
        if found is None or found.get("resourceType") != "Location":
            target = text_of(reference.get("reference")) if isinstance(reference, dict) else ""
            faults.append(Fault(0, "site", target[:80], "refers to no Location in the file", place=where))
            name = text_of(reference.get("display")) if isinstance(reference, dict) else ""
            left_out.append(RecordLocation(where=where, facility=clean_facility(name), city="", country=""))
            continue
        if is_stand_in(found):
            name = text_of(found.get("name"))[:80]
            faults.append(
                Fault(0, "site", name, "is a stand-in: its details are those of a site of another study", place=where)
            )
            continue
        locations.append(location_of(found, resources, where))
    states_status, notices = _study_status(resource)
    return StudyRecord(
        study=study,
        locations=tuple(locations),
        faults=tuple(faults),
        given=len(given),
        left_out=tuple(left_out),
        states_status=states_status,
        notices=notices,
    )


def _study_status(resource: _Resource) -> tuple[bool, tuple[str, ...]]:
    code = text_of(resource.get("status"))
    if recruitment_status(resource) is not None or code in words.STATUS_OF_STUDY:
        return True, ()
    return study_status(code) if not code else (False, (f"The record's status {code[:40]!r} is not a FHIR status.",))


def _day(text: Any, otherwise: date) -> date:
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else otherwise
    except ValueError:
        return otherwise


def _concepts(value: Any) -> tuple[str, ...]:
    return tuple(text for concept in things(value) if (text := _concept(concept)))


def _concept(concept: Mapping[str, Any]) -> str:
    return text_of(concept.get("text")) or next(
        (t for c in things(concept.get("coding")) if (t := text_of(c.get("display")))), ""
    )


def location_of(location: _Resource, resources: Resources, where: str) -> RecordLocation:
    """Read a Location, with the name and address of its organization or service if it has none."""
    service = resources.service_at(location) or {}
    organization = (
        resources.find(location.get("managingOrganization"), location)
        or resources.find(service.get("providedBy"), service)
        or {}
    )
    address = location.get("address")
    if not isinstance(address, dict) or not (address.get("country") or address.get("city")):
        address = next(iter(things(organization.get("address"))), {})
    flags: list[str] = []
    status = recruitment_status(location) or words.STATUS_OF_LOCATION.get(text_of(location.get("status")))
    if status is None and service.get("active") is False:
        status = RecruitmentStatus.SUSPENDED
    position = location.get("position")
    latitude, longitude = (
        (position.get("latitude"), position.get("longitude")) if isinstance(position, dict) else (position, None)
    )
    lines = address.get("line")
    name = text_of(location.get("name")) or text_of(organization.get("name")) or text_of(service.get("name"))
    return RecordLocation(
        where=where,
        facility=clean_facility(name),
        address=", ".join(filter(None, map(text_of, lines))) if isinstance(lines, list) else "",
        city=text_of(address.get("city")),
        state=text_of(address.get("state")),
        postcode=text_of(address.get("postalCode")),
        country=text_of(address.get("country")),
        status=status,
        point=point_field(latitude, longitude, flags),
        flags=tuple(flags),
    )
