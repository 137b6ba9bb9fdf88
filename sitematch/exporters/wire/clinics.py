"""The JSON type of a result over many studies, one row per clinic; `wire` has its parts."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from sitematch.domain.finding.clinic import ClinicMatch, ClinicResult, StudyAtClinic
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.units import Unit
from sitematch.exporters.wire.matches import (
    ContactAnswer,
    DistanceAnswer,
    Instant,
    Location,
    Query,
    ReasonText,
    RemainingAnswer,
    StudyAnswer,
    Travel,
    Wire,
    contact_answers,
    distance_answer,
    location_answer,
    place_answer,
    reason_texts,
    remaining_answer,
    study_answer,
)


class ConditionQuery(Query, frozen=True):
    """The query, as sitematch understood it."""

    condition: Annotated[str, Meta(description="The words of the search.")]


class StudyAtClinicAnswer(Wire, frozen=True):
    """A study that recruits at a clinic, with the details of its site there."""

    study: StudyAnswer
    site_id: str
    stand_in: Annotated[bool, Meta(description="True if the details are those of a site of another study.")]
    status: RecruitmentStatus
    travel: Travel
    time_reimbursement: str
    remaining: RemainingAnswer
    as_of: date
    flags: Annotated[tuple[str, ...], Meta(description="Notes about the record.")]
    contacts: Annotated[
        tuple[ContactAnswer, ...] | msgspec.UnsetType,
        Meta(description="Contacts; left out if none are known."),
    ] = msgspec.UNSET


class ClinicAnswer(Wire, frozen=True):
    """One ranked clinic: a single row, however many studies recruit there."""

    rank: Annotated[int, Meta(ge=1)]
    band: Annotated[int, Meta(ge=1, description="Clinics of one band are about equally far.")]
    facility: str
    city: str
    state: str
    postcode: str
    country: Annotated[str, Meta(description="ISO 3166-1 alpha-2.")]
    location: Annotated[Location | None, Meta(description="Null if the location is unknown in every record.")]
    distance: DistanceAnswer | None
    reasons: Annotated[tuple[ReasonText, ...], Meta(description="Why it is at this place in the list.")]
    studies: Annotated[
        tuple[StudyAtClinicAnswer, ...], Meta(description="Travel support first, then spots, then study_id.")
    ]


class ClinicsAnswer(Wire, frozen=True):
    """The result of a look-up over all studies."""

    query: ConditionQuery
    studies_found: Annotated[int, Meta(ge=0, description="Studies about the condition that take patients.")]
    clinics: tuple[ClinicAnswer, ...]
    outside_radius: Annotated[
        bool, Meta(description="No clinic within the radius can take a patient, so the nearest one is shown.")
    ]
    answered_at: Instant
    attribution: Annotated[tuple[str, ...], Meta(description="Sources to credit when you show the answer.")]


def clinics_answer(result: ClinicResult, attribution: tuple[str, ...]) -> ClinicsAnswer:
    """Return the JSON type of a result over all studies.

    Parameters
    ----------
    result
        The result of the look-up.
    attribution
        Sources that must be named.
    """
    unit = result.unit
    return ClinicsAnswer(
        query=ConditionQuery(
            place=place_answer(result.place, unit),
            order=result.policy.order.value,
            limit=result.policy.limit,
            within_km=result.policy.within_km,
            max_minutes=None,
            unit=unit,
            condition=result.condition,
        ),
        studies_found=result.studies_found,
        clinics=tuple(_clinic(match, unit) for match in result.clinics),
        outside_radius=result.outside_radius,
        answered_at=result.answered_at,
        attribution=attribution,
    )


def _clinic(match: ClinicMatch, unit: Unit) -> ClinicAnswer:
    site = match.site
    return ClinicAnswer(
        rank=match.rank,
        band=match.band,
        facility=site.facility,
        city=site.city,
        state=site.state,
        postcode=site.postcode,
        country=site.country,
        location=None if site.place is None else location_answer(site.place),
        distance=distance_answer(match.distance, unit),
        reasons=reason_texts(match.reasons, unit),
        studies=tuple(map(_study_at, match.studies)),
    )


def _study_at(at: StudyAtClinic) -> StudyAtClinicAnswer:
    site = at.site
    return StudyAtClinicAnswer(
        study=study_answer(at.study),
        site_id=site.site_id,
        stand_in=site.is_stand_in,
        status=site.status,
        travel=Travel(certainty=site.travel.certainty, kinds=site.travel.kinds),
        time_reimbursement=site.time_reimbursement,
        remaining=remaining_answer(at.remaining),
        as_of=site.as_of_on,
        flags=site.flags,
        contacts=contact_answers(at.contacts) or msgspec.UNSET,
    )
