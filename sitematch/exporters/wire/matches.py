"""The shapes of answers on the wire: one set of types for the command line's JSON, HTTP and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from sitematch.domain.capacity.caps import LimitedBy, Remaining, Shortage
from sitematch.domain.finding.match import Distance, Exclusion, MatchResult, Reason, ReasonCode, SiteMatch
from sitematch.domain.finding.wording import describe_place, explain
from sitematch.domain.journey.estimate import Interval, Journey, Method, Way
from sitematch.domain.journey.words import describe_journey
from sitematch.domain.place import Place, Precision
from sitematch.domain.studies.contact import NO_CONTACTS, Contact, StudyContacts
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelCertainty, TravelKind
from sitematch.domain.units import KM_PER_MILE, Unit, format_distance

Instant = Annotated[datetime, Meta(tz=True)]
"""An instant with its zone: only of such a one does the document say that it is a date-time."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of every wire type: frozen, built by name."""


class Location(Wire, frozen=True):
    """A point with how sure we are of it."""

    latitude: Annotated[float, Meta(ge=-90, le=90, description="Degrees north, WGS84.")]
    longitude: Annotated[float, Meta(ge=-180, le=180, description="Degrees east, WGS84.")]
    precision: Annotated[Precision, Meta(description="What the point represents, most precise first.")]
    uncertainty_km: Annotated[
        float, Meta(ge=0, description="The true position lies within this radius in about 95 of 100 cases.")
    ]


class PlaceAnswer(Wire, frozen=True):
    """A place as it was understood."""

    country: Annotated[str, Meta(description="ISO 3166-1 alpha-2.")]
    postcode: Annotated[
        str | None, Meta(description="The postcode that was found; may be only the first part of the one you sent.")
    ]
    name: str
    location: Location
    source: Annotated[str, Meta(description="Where the point comes from, with release and licence.")]
    notes: tuple[str, ...]
    text: Annotated[str, Meta(description="The place in one line of text.")]


class Travel(Wire, frozen=True):
    """What is paid of the way."""

    certainty: TravelCertainty
    kinds: tuple[TravelKind, ...]


class SiteAnswer(Wire, frozen=True):
    """A recruiting site."""

    site_id: str
    study_id: str
    source_study: str
    stand_in: Annotated[bool, Meta(description="True if the details are those of a site of another study.")]
    facility: str
    address: Annotated[str, Meta(description="Street and number; empty if not known.")]
    city: str
    state: str
    postcode: str
    country: Annotated[str, Meta(description="ISO 3166-1 alpha-2.")]
    location: Annotated[Location | None, Meta(description="Null if the location of the site is unknown.")]
    status: RecruitmentStatus
    travel: Travel
    time_reimbursement: str
    spots: Annotated[int | None, Meta(description="The site's own spots; null shares the study's pool.")]
    as_of: date
    flags: Annotated[tuple[str, ...], Meta(description="Notes about the record.")]


class ReasonText(Wire, frozen=True):
    """A reason: a stable code, and the same in plain English."""

    code: ReasonCode
    text: str


class DistanceAnswer(Wire, frozen=True):
    """How far, which way, how sure."""

    km: Annotated[float, Meta(ge=0, description="WGS84 geodesic, rounded to a metre.")]
    miles: Annotated[float, Meta(ge=0)]
    uncertainty_km: Annotated[float, Meta(ge=0)]
    direction: Annotated[str, Meta(description="Compass point from the place to the site, one of sixteen.")]
    azimuth_deg: Annotated[float, Meta(ge=0, lt=360, description="Clockwise from north.")]
    text: Annotated[str, Meta(description="In the answer's unit, with its uncertainty.")]


class IntervalAnswer(Wire, frozen=True):
    """A best guess with bounds."""

    best: Annotated[float, Meta(ge=0, description="As often too low as too high.")]
    low_50: Annotated[float, Meta(ge=0, description="With high_50: the bounds that hold in half of all cases.")]
    high_50: Annotated[float, Meta(ge=0)]
    low_90: Annotated[float, Meta(ge=0, description="With high_90: the bounds that hold in 90 of 100 cases.")]
    high_90: Annotated[float, Meta(ge=0)]


class JourneyAnswer(Wire, frozen=True):
    """The way by car, one way, without traffic of the hour."""

    way: Annotated[Way, Meta(description="SEA is across the sea, by ferry or flight: then there are no minutes.")]
    minutes: Annotated[IntervalAnswer | None, Meta(description="By car; null across the sea.")]
    road_km: Annotated[IntervalAnswer | None, Meta(description="By road; null across the sea.")]
    method: Annotated[Method, Meta(description="What the estimate comes from.")]
    goes_round: Annotated[
        bool, Meta(description="The straight line crosses water; the way goes round it or over a bridge.")
    ]
    text: Annotated[str, Meta(description="In words, with the bounds that hold in 90 of 100 cases.")]


class RemainingAnswer(Wire, frozen=True):
    """Spots left."""

    count: Annotated[int | None, Meta(description="0 is full; null is unknown.")]
    drawn_from: LimitedBy
    as_of: Instant | None
    shortage: Annotated[
        Shortage | None,
        Meta(description="Why no spots are left, and at which level; null if spots are left or the number is unknown."),
    ] = None
    has_waiting_list: Annotated[bool, Meta(description="Whether the site has a waiting list while it is full.")] = False


class ContactAnswer(Wire, frozen=True):
    """Whom to ask."""

    name: str
    role: str
    phone: str
    email: str


class MatchAnswer(Wire, frozen=True):
    """One ranked site."""

    rank: Annotated[int, Meta(ge=1)]
    band: Annotated[int, Meta(ge=1, description="Sites of one band are about equally far.")]
    site: SiteAnswer
    distance: DistanceAnswer | None
    remaining: RemainingAnswer
    reasons: tuple[ReasonText, ...]
    journey: Annotated[
        JourneyAnswer | None,
        Meta(description="The way by car; null if the site has no location or nothing estimates it."),
    ]
    contacts: Annotated[
        tuple[ContactAnswer, ...] | msgspec.UnsetType,
        Meta(description="Contacts; left out if none are known."),
    ] = msgspec.UNSET


class ExclusionAnswer(Wire, frozen=True):
    """A site that was left out, with why."""

    site: SiteAnswer
    distance: DistanceAnswer | None
    reasons: tuple[ReasonText, ...]


class StudyAnswer(Wire, frozen=True):
    """The study that was matched, with what must be said about it."""

    study_id: str
    title: str
    status: RecruitmentStatus
    as_of: date
    source: str
    notice: Annotated[str, Meta(description="Show this text with the answer; may be empty.")]


class Query(Wire, frozen=True):
    """What was asked, as it was understood."""

    place: PlaceAnswer
    order: str
    limit: int
    within_km: float | None
    max_minutes: float | None
    unit: Unit


class MatchesAnswer(Wire, frozen=True):
    """The answer to one look-up."""

    query: Query
    study: StudyAnswer
    matches: tuple[MatchAnswer, ...]
    excluded: tuple[ExclusionAnswer, ...]
    excluded_more: Annotated[
        int, Meta(ge=0, description="The number of further sites that were left out but are not listed.")
    ]
    outside_radius: Annotated[
        bool, Meta(description="No site within the radius or the minutes can take a patient, so the nearest is shown.")
    ]
    answered_at: Instant
    attribution: Annotated[tuple[str, ...], Meta(description="Sources to credit when you show the answer.")]


def place_answer(place: Place, unit: Unit) -> PlaceAnswer:
    """Shape a place; `unit` is for its line of text."""
    return PlaceAnswer(
        country=place.country,
        postcode=place.postcode,
        name=place.name,
        location=location_answer(place),
        source=place.source,
        notes=tuple(map(str, place.notes)),
        text=describe_place(place, unit),
    )


def site_answer(site: Site) -> SiteAnswer:
    """Shape a site."""
    return SiteAnswer(
        site_id=site.site_id,
        study_id=site.study_id,
        source_study=site.source_study,
        stand_in=site.is_stand_in,
        facility=site.facility,
        address=site.address,
        city=site.city,
        state=site.state,
        postcode=site.postcode,
        country=site.country,
        location=None if site.place is None else location_answer(site.place),
        status=site.status,
        travel=Travel(certainty=site.travel.certainty, kinds=site.travel.kinds),
        time_reimbursement=site.time_reimbursement,
        spots=site.spots,
        as_of=site.as_of_on,
        flags=site.flags,
    )


def study_answer(study: Study) -> StudyAnswer:
    """Shape a study's essentials."""
    return StudyAnswer(
        study_id=study.study_id,
        title=study.title,
        status=study.status,
        as_of=study.as_of_on,
        source=study.source,
        notice=study.notice,
    )


def remaining_answer(remaining: Remaining) -> RemainingAnswer:
    """Shape the spots left."""
    return RemainingAnswer(
        count=remaining.count,
        drawn_from=remaining.drawn_from,
        as_of=remaining.as_of,
        shortage=remaining.shortage,
        has_waiting_list=remaining.has_waiting_list,
    )


def contact_answers(contacts: Sequence[Contact]) -> tuple[ContactAnswer, ...]:
    """Shape contacts."""
    return tuple(ContactAnswer(name=c.name, role=c.role, phone=c.phone, email=c.email) for c in contacts)


def distance_answer(distance: Distance | None, unit: Unit) -> DistanceAnswer | None:
    """Shape a distance; None for a site without a location."""
    if distance is None:
        return None
    text = format_distance(distance.km, unit)
    if distance.km > distance.uncertainty_km:
        text += f" {distance.direction}"  # nearer than that, the direction is anybody's guess
    return DistanceAnswer(
        km=round(distance.km, 3),
        miles=round(distance.km / KM_PER_MILE, 3),
        uncertainty_km=round(distance.uncertainty_km, 3),
        direction=distance.direction,
        azimuth_deg=round(distance.azimuth_deg, 1) % 360.0,
        text=f"{text}, ± {format_distance(distance.uncertainty_km, unit)}",
    )


def journey_answer(journey: Journey | None, unit: Unit) -> JourneyAnswer | None:
    """Shape the way by car; None where nothing is known of it."""
    if journey is None:
        return None
    return JourneyAnswer(
        way=journey.way,
        minutes=_interval(journey.minutes),
        road_km=_interval(journey.road_km),
        method=journey.method,
        goes_round=journey.goes_round,
        text=describe_journey(journey, unit),
    )


def _interval(interval: Interval | None) -> IntervalAnswer | None:
    if interval is None:
        return None
    return IntervalAnswer(**{name: round(getattr(interval, name), 1) for name in Interval.__struct_fields__})


def matches_answer(
    result: MatchResult, study: Study, attribution: tuple[str, ...], contacts: StudyContacts = NO_CONTACTS
) -> MatchesAnswer:
    """Shape the answer to one look-up.

    Parameters
    ----------
    result
        What the ranking returned.
    study
        The study that was matched.
    attribution
        Sources that must be named.
    contacts
        The study's, as far as they are kept.
    """
    unit = result.unit
    return MatchesAnswer(
        query=Query(
            place=place_answer(result.place, unit),
            order=result.policy.order.value,
            limit=result.policy.limit,
            within_km=result.policy.within_km,
            max_minutes=result.policy.max_minutes,
            unit=unit,
        ),
        study=study_answer(study),
        matches=tuple(_match(match, unit, contacts.of(match.site)) for match in result.matches),
        excluded=tuple(_exclusion(exclusion, unit) for exclusion in result.excluded),
        excluded_more=result.excluded_more,
        outside_radius=result.outside_radius,
        answered_at=result.answered_at,
        attribution=attribution,
    )


def location_answer(place: Place) -> Location:
    """Shape a place's point."""
    return Location(
        latitude=place.coordinates.latitude,
        longitude=place.coordinates.longitude,
        precision=place.precision,
        uncertainty_km=place.uncertainty_km,
    )


def _match(match: SiteMatch, unit: Unit, contacts: Sequence[Contact]) -> MatchAnswer:
    return MatchAnswer(
        rank=match.rank,
        band=match.band,
        site=site_answer(match.site),
        distance=distance_answer(match.distance, unit),
        remaining=remaining_answer(match.remaining),
        reasons=reason_texts(match.reasons, unit),
        journey=journey_answer(match.journey, unit),
        contacts=contact_answers(contacts) or msgspec.UNSET,
    )


def _exclusion(exclusion: Exclusion, unit: Unit) -> ExclusionAnswer:
    return ExclusionAnswer(
        site=site_answer(exclusion.site),
        distance=distance_answer(exclusion.distance, unit),
        reasons=reason_texts(exclusion.reasons, unit),
    )


def reason_texts(reasons: tuple[Reason, ...], unit: Unit) -> tuple[ReasonText, ...]:
    """Put reasons into words, with distances in a unit."""
    return tuple(ReasonText(code=reason.code, text=explain(reason, unit)) for reason in reasons)
