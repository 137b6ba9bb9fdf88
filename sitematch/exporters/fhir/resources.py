"""Studies and sites as FHIR R4 resources.

A site is a Location (where it is), an Organization (the institution) and a HealthcareService (recruitment for its study
there, with the spots left), all with the same id. Details without an element in R4 are in extensions: docs/fhir.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from sitematch.domain import fhir as words
from sitematch.domain.capacity.caps import Availability, CapacityState
from sitematch.domain.fhir import resource_id
from sitematch.domain.place import Place
from sitematch.domain.studies.design import NO_DESIGN
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES, RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelSupport
from sitematch.exporters.fhir.types import (
    Absent,
    CodeableConcept,
    Coding,
    Entity,
    Extension,
    FhirAddress,
    FhirLocation,
    FhirOrganization,
    FhirService,
    FhirStudy,
    Identifier,
    Position,
    Quantity,
    Reference,
)

UCUM = "http://unitsofmeasure.org"
_PHASE_SYSTEM = "http://terminology.hl7.org/CodeSystem/research-study-phase"
_SPONSOR = "sponsor"
_SERVICE_TYPE = "Clinical trial recruitment"


def reference(kind: str, our_id: str, display: str = "") -> Reference:
    """Return a reference to a resource on this server."""
    return Reference(reference=f"{kind}/{resource_id(our_id)}", display=display or None)


def study_resource(study: Study, site_ids: Sequence[str]) -> FhirStudy:
    """Return the ResearchStudy of a study.

    Parameters
    ----------
    study
        The study.
    site_ids
        All its sites, in the record's order.
    """
    status = words.STUDY_STATUS.get(study.status)
    is_withheld = study.status is RecruitmentStatus.WITHHELD
    sponsor = FhirOrganization(id=_SPONSOR, name=study.sponsor)
    return FhirStudy(
        id=resource_id(study.study_id),
        contained=(sponsor,) if study.sponsor else (),
        extension=_study_extensions(study),
        identifier=(study_identifier(study.study_id), *(Identifier(value=other) for other in study.other_ids)),
        title=study.title,
        status=status,
        absent_status=None if status else absent("masked" if is_withheld else "unknown"),
        phase=_phase(study.phases),
        focus=tuple(CodeableConcept(text=text) for text in study.interventions),
        condition=tuple(CodeableConcept(text=text) for text in study.conditions),
        keyword=tuple(CodeableConcept(text=text) for text in study.keywords),
        description=study.summary or None,
        sponsor=Reference(reference=f"#{_SPONSOR}", display=study.sponsor) if study.sponsor else None,
        site=tuple(reference("Location", site_id) for site_id in site_ids),
    )


def location_resource(site: Site, study: Study) -> FhirLocation:
    """Return the Location of a site, with notes from its record."""
    return FhirLocation(
        id=resource_id(site.site_id),
        extension=_site_extensions(site, study),
        identifier=(_site_identifier(site),),
        status=words.LOCATION_STATUS.get(site.status),
        name=site.facility,
        description=_stand_in_text(site) if site.is_stand_in else None,
        mode="instance",
        address=_address(site),
        position=None if site.place is None else _position(site.place),
        managing_organization=reference("Organization", site.site_id, site.facility),
    )


def organization_resource(site: Site) -> FhirOrganization:
    """Return the Organization of a site."""
    return FhirOrganization(
        id=resource_id(site.site_id),
        identifier=(_site_identifier(site),),
        name=site.facility,
        address=(_address(site),),
    )


def service_resource(site: Site, study: Study, available: Availability) -> FhirService:
    """Return the HealthcareService of a site, with the spots left."""
    return FhirService(
        id=resource_id(site.site_id),
        extension=(
            Extension(url=words.STUDY, value_reference=reference("ResearchStudy", study.study_id, study.title)),
            *capacity_status(available.state),
            spots_left(available),
            travel_support(site.travel, site.time_reimbursement),
            *_stand_in(site, study),
        ),
        identifier=(_site_identifier(site),),
        active=site.status in TAKING_STATUSES and study.status in TAKING_STATUSES,
        provided_by=reference("Organization", site.site_id, site.facility),
        type=(service_type(),),
        location=(reference("Location", site.site_id),),
        name=f"Recruitment for {study.title}",
        comment=_stand_in_text(site) if site.is_stand_in else None,
    )


def service_type() -> CodeableConcept:
    """Return the kind of service; there is no published code for it."""
    return CodeableConcept(text=_SERVICE_TYPE)


def capacity_status(state: CapacityState) -> tuple[Extension, ...]:
    """Return HL7 SDOH Clinical Care's extension with the capacity status; none if it is unknown."""
    if state is CapacityState.UNKNOWN:
        return ()
    concept = CodeableConcept(coding=(Coding(system=words.CAPACITY_CODES, code=state.value),))
    inner = Extension(url="capacityStatus", value_codeable_concept=concept)
    return (Extension(url=words.CAPACITY_STATUS, extension=(inner,)),)


def spots_left(available: Availability) -> Extension:
    """Return the extension with the spots left, their cap and their time; an unknown number is left out."""
    remaining = available.remaining
    parts = [Extension(url="drawn-from", value_code=remaining.drawn_from.value)]
    if remaining.count is not None:
        parts.insert(0, Extension(url="count", value_integer=remaining.count))
    if remaining.as_of is not None:
        parts.append(Extension(url="as-of", value_date_time=remaining.as_of))
    return Extension(url=words.SPOTS_LEFT, extension=tuple(parts))


def without_count_time(resource: Entity) -> Entity:
    """Return a resource without the time of counting, so that two states with the same content are equal."""
    if not isinstance(resource, FhirService):
        return resource
    extensions = tuple(
        replace(one, extension=tuple(part for part in one.extension if part.url != "as-of"))
        if one.url == words.SPOTS_LEFT
        else one
        for one in resource.extension
    )
    return replace(resource, extension=extensions)


def travel_support(travel: TravelSupport, time_reimbursement: str) -> Extension:
    """Return the extension with the travel support and its certainty."""
    parts = [Extension(url="certainty", value_code=travel.certainty.value)]
    parts += [Extension(url="kind", value_code=kind.value) for kind in travel.kinds]
    if time_reimbursement:
        parts.append(Extension(url="time-reimbursement", value_string=time_reimbursement))
    return Extension(url=words.TRAVEL_SUPPORT, extension=tuple(parts))


def absent(reason: str) -> Absent:
    """Return the extension that explains a missing code that R4 requires."""
    return Absent(extension=(Extension(url=words.DATA_ABSENT_REASON, value_code=reason),))


def kilometres(value: float) -> Quantity:
    """Return a distance in kilometres, rounded to a metre."""
    return Quantity(value=round(value, 3), unit="km", system=UCUM, code="km")


def study_identifier(study_id: str) -> Identifier:
    """Return the identifier of a study in its registry's system, or in ours."""
    is_nct = study_id.startswith("NCT") and study_id[3:].isdecimal()
    return Identifier(system=words.NCT_SYSTEM if is_nct else words.STUDY_SYSTEM, value=study_id)


def _site_identifier(site: Site) -> Identifier:
    return Identifier(system=words.SITE_SYSTEM, value=site.site_id)


def _address(site: Site) -> FhirAddress:
    return FhirAddress(
        line=(site.address,) if site.address else (),
        city=site.city or None,
        state=site.state or None,
        postal_code=site.postcode or None,
        country=site.country,
    )


def _position(place: Place) -> Position:
    return Position(longitude=place.coordinates.longitude, latitude=place.coordinates.latitude)


def _phase(phases: Sequence[str]) -> CodeableConcept | None:
    if not phases:
        return None
    code = words.PHASES.get(frozenset(phases))
    coding = () if code is None else (Coding(system=_PHASE_SYSTEM, code=code),)
    return CodeableConcept(coding=coding, text=" / ".join(phases))


def _study_extensions(study: Study) -> tuple[Extension, ...]:
    found = [
        Extension(url=words.RECRUITMENT_STATUS, value_code=study.status.value),
        Extension(url=words.AS_OF, value_date=study.as_of_on),
        Extension(url=words.SOURCE, value_string=study.source),
        travel_support(study.travel, study.time_reimbursement),
        _eligibility(study),
    ]
    found += [Extension(url=words.PHASE, value_code=phase) for phase in study.phases]
    if study.design != NO_DESIGN:
        found.append(Extension(url=words.DESIGN, value_string=msgspec.json.encode(study.design).decode()))
    if study.has_placebo is not None:
        found.append(Extension(url=words.PLACEBO, value_boolean=study.has_placebo))
    for part in study.timeline:
        weeks = (Extension(url="weeks-min", value_integer=part.weeks_min),
                 Extension(url="weeks-max", value_integer=part.weeks_max))  # fmt: skip
        found.append(Extension(url=words.TIMELINE, extension=(Extension(url="name", value_string=part.name), *weeks)))
    if study.notice:
        found.append(Extension(url=words.NOTICE, value_string=study.notice))
    found += [Extension(url=words.HISTORY, value_string=text) for text in study.history]
    return tuple(found)


def _eligibility(study: Study) -> Extension:
    parts = [Extension(url="sex", value_code=study.sex)]
    if study.age_min_years is not None:
        parts.append(Extension(url="age-min-years", value_integer=study.age_min_years))
    if study.age_max_years is not None:
        parts.append(Extension(url="age-max-years", value_integer=study.age_max_years))
    parts += [Extension(url="who", value_string=text) for text in study.who]
    parts += [Extension(url="who-not", value_string=text) for text in study.who_not]
    return Extension(url=words.ELIGIBILITY, extension=tuple(parts))


def _site_extensions(site: Site, study: Study) -> tuple[Extension, ...]:
    return (
        Extension(url=words.RECRUITMENT_STATUS, value_code=site.status.value),
        Extension(url=words.STUDY, value_reference=reference("ResearchStudy", study.study_id, study.title)),
        Extension(url=words.AS_OF, value_date=site.as_of_on),
        *(() if site.place is None else (_accuracy(site.place),)),
        *_stand_in(site, study),
        *(Extension(url=words.RECORD_NOTE, value_string=flag) for flag in site.flags),
    )


def _accuracy(place: Place) -> Extension:
    parts = (
        Extension(url="precision", value_code=place.precision.value),
        Extension(url="uncertainty", value_distance=kilometres(place.uncertainty_km)),
        Extension(url="source", value_string=place.source),
    )
    return Extension(url=words.POSITION_ACCURACY, extension=parts)


def _stand_in(site: Site, study: Study) -> tuple[Extension, ...]:
    if not site.is_stand_in:
        return ()
    parts = [Extension(url="facts-of", value_identifier=study_identifier(site.source_study))]
    if study.notice:
        parts.append(Extension(url="notice", value_string=study.notice))
    return (Extension(url=words.STAND_IN, extension=tuple(parts)),)


def _stand_in_text(site: Site) -> str:
    return f"A stand-in: the facts are those of a site of another study, {site.source_study}. Do not travel there."
