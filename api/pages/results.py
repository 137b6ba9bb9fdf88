"""The results on the patient's page: cards with texts, and the numbers for the scale and the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

from api.pages import wording
from api.pages.contact_links import ContactLink, ContactLinks, record_address
from api.pages.languages import gettext as _
from api.pages.messages import in_language
from sitematch.domain.capacity.caps import CapLevel, LimitedBy, Remaining
from sitematch.domain.finding.match import Distance, Exclusion, MatchResult, Reason, ReasonCode
from sitematch.domain.journey.estimate import Journey, Method
from sitematch.domain.studies.contact import NO_CONTACTS, StudyContacts
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.domain.units import Unit

_SAID_ELSEWHERE = {
    ReasonCode.TRAVEL_COVERED,
    ReasonCode.TRAVEL_MAY_BE_COVERED,
    ReasonCode.TRAVEL_UNKNOWN,
    ReasonCode.TRAVEL_NOT_COVERED,
    ReasonCode.SPOTS_AT_SITE,
    ReasonCode.SPOTS_SHARED,
    ReasonCode.SPOTS_UNKNOWN,
}
"""Reasons that a card shows as badges."""

_FRAMED = 3
"""Number of left-out sites that the map shows at first if there are no others."""

_TRAVEL_TONE = {
    TravelCertainty.COVERED: "good",
    TravelCertainty.MAY_BE_COVERED: "caution",
    TravelCertainty.UNKNOWN: "",
    TravelCertainty.NOT_COVERED: "bad",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in words, with the tone for its colour: ``"good"``, ``"caution"``, ``"bad"`` or empty."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class DistanceScale:
    """A distance and its uncertainty on a line from the person to the farthest site shown, in per cent."""

    at: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MapLink:
    """A link to an external map; nothing is sent before the person follows it."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One site.

    Parameters
    ----------
    rank
        1 is first; 0 for a site that was left out.
    site_id, name, where
        The site.
    away, bearing
        How far and which way, in words.
    journey, by_road
        The way by car, in words; empty where nothing is known of it.
    is_routed
        Whether a router was asked for it.
    scale
        None if the distance is unknown.
    badges
        Spots and travel.
    why
        The reasons for its rank, or for leaving it out and what one can do then; one sentence each.
    latitude, longitude, uncertainty_km
        None if it has no location.
    links
        Links to other maps.
    reach
        Its contacts; empty if none is known.
    """

    rank: int
    site_id: str
    name: str
    where: str
    away: str
    bearing: str
    journey: str
    by_road: str
    is_routed: bool
    scale: DistanceScale | None
    badges: tuple[Badge, ...]
    why: tuple[str, ...]
    latitude: float | None
    longitude: float | None
    uncertainty_km: float | None
    links: tuple[MapLink, ...]
    reach: tuple[ContactLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """An answer in the form for the page.

    Parameters
    ----------
    place_name
        Where the person is, as it was understood.
    place_accuracy
        How sure that is, in words.
    country_guess
        The country that was found, as the form shows it if the person chose none.
    notes
        Notes about the place, in the library's English.
    latitude, longitude, uncertainty_km
        The same for the map.
    unit
        ``"km"`` or ``"miles"``.
    farthest_km
        Distance of the farthest site that the map shows at first: of the ranked ones, or of the nearest three left-out
        ones if there are no others; 0 if none is known.
    cards
        Best first.
    left_out
        Nearest first.
    left_out_count
        The number of left-out sites, including those that are not listed.
    outside_radius
        Whether no site is within the requested distance.
    nobody
        Why no clinic is shown; ignored if one is.
    has_waiting_list
        Whether a left-out clinic has a waiting list.
    central
        The study's own contacts.
    record_address
        The study's page at its registry, for people who find no contact here; empty if it has none.
    """

    place_name: str
    place_accuracy: str
    country_guess: str
    notes: tuple[str, ...]
    latitude: float
    longitude: float
    uncertainty_km: float
    unit: str
    farthest_km: float
    cards: tuple[Card, ...]
    left_out: tuple[Card, ...]
    left_out_count: int
    outside_radius: bool
    nobody: NoClinicReason
    has_waiting_list: bool
    central: tuple[ContactLink, ...]
    record_address: str

    @property
    def has_journeys(self) -> bool:
        """Whether a time by car is shown."""
        return any(card.journey for card in self.cards)

    @property
    def is_routed(self) -> bool:
        """Whether a router was asked, which is told where the person is."""
        return any(card.is_routed for card in self.cards)

    @property
    def has_contacts(self) -> bool:
        """Return whether any listed clinic, or the study, has a contact."""
        return bool(self.central) or any(card.reach for card in (*self.cards, *self.left_out))


class NoClinicReason(Enum):
    """Why no clinic is shown."""

    STUDY_FULL = "study full"
    STUDY_CLOSED = "study closed"
    NOT_RECRUITING = "not recruiting"
    FILTERED = "filtered"
    """Some clinics can take a patient, but none that matches the filters."""
    OTHER = "other"
    """Each clinic has its own reason."""


_BY_STUDY = {
    (ReasonCode.FULL, CapLevel.STUDY): NoClinicReason.STUDY_FULL,
    (ReasonCode.NO_SPOTS, CapLevel.STUDY): NoClinicReason.STUDY_FULL,
    (ReasonCode.CLOSED, CapLevel.STUDY): NoClinicReason.STUDY_CLOSED,
    (ReasonCode.STUDY_NOT_RECRUITING, ""): NoClinicReason.NOT_RECRUITING,
}
"""Reasons that apply to the whole study."""

_FILTERS = {
    ReasonCode.TOO_FAR,
    ReasonCode.TOO_LONG,
    ReasonCode.TOO_FEW_SPOTS,
    ReasonCode.TRAVEL_TOO_UNSURE,
    ReasonCode.COUNTRY_NOT_ASKED,
}
"""Reasons that disappear with fewer filters."""


def no_clinic_reason(excluded: Sequence[Exclusion]) -> NoClinicReason:
    """Return why no clinic is shown, for the first text of a page without clinics.

    Parameters
    ----------
    excluded
        The sites that were left out, in any order.
    """
    reasons = [item.reasons for item in excluded]
    if any(all(reason.code in _FILTERS for reason in each) for each in reasons):
        return NoClinicReason.FILTERED
    said = [[_BY_STUDY.get((reason.code, reason.subject)) for reason in each] for each in reasons]
    recruiting = [
        [kind for kind in kinds if kind is not None]
        for kinds, each in zip(said, reasons, strict=True)
        if all(reason.code is not ReasonCode.NOT_RECRUITING for reason in each)
    ]
    if recruiting and all(recruiting):
        common = set.intersection(*map(set, recruiting))
        if common:
            return min(common, key=list(NoClinicReason).index)
    if reasons and not recruiting:
        return NoClinicReason.NOT_RECRUITING
    return NoClinicReason.OTHER


def results(found: MatchResult, place_name: str, study: Study, contacts: StudyContacts = NO_CONTACTS) -> Results:
    """Return an answer in the form for the page.

    Parameters
    ----------
    found
        The result of the ranking.
    place_name
        The name of the place.
    study, contacts
        The study and its contacts.
    """
    reach = ContactLinks(study, contacts)
    place, unit = found.place, found.unit
    known = [match.distance for match in found.matches if match.distance]
    framed = known or [item.distance for item in found.excluded[:_FRAMED] if item.distance]
    reach_km = max((distance.km + distance.uncertainty_km for distance in known), default=0.0)
    return Results(
        place_name=place_name,
        place_accuracy=wording.place_accuracy(place, unit),
        country_guess=_("%(country)s (guessed)", country=wording.country(place.country)) if place.country else "",
        notes=tuple(map(in_language, place.notes)),
        latitude=place.coordinates.latitude,
        longitude=place.coordinates.longitude,
        uncertainty_km=place.uncertainty_km,
        unit=unit.value,
        farthest_km=max((distance.km for distance in framed), default=0.0),
        cards=tuple(
            _card(
                match.site,
                match.distance,
                match.reasons,
                unit,
                reach,
                rank=match.rank,
                badges=(_spots_badge(match.remaining), _travel_badge(match.site)),
                reach_km=reach_km,
                journey=match.journey,
            )
            for match in found.matches
        ),
        left_out=tuple(_card(item.site, item.distance, item.reasons, unit, reach) for item in found.excluded),
        left_out_count=len(found.excluded) + found.excluded_more,
        outside_radius=any(
            reason.code is ReasonCode.OUTSIDE_RADIUS for match in found.matches for reason in match.reasons
        ),
        nobody=no_clinic_reason(found.excluded),
        has_waiting_list=any(
            reason.code is ReasonCode.WAITING_LIST for item in found.excluded for reason in item.reasons
        ),
        central=reach.central(),
        record_address=record_address(study.study_id),
    )


def _card(
    site: Site,
    distance: Distance | None,
    reasons: Sequence[Reason],
    unit: Unit,
    reach: ContactLinks,
    *,
    rank: int = 0,
    badges: tuple[Badge, ...] = (),
    reach_km: float = 0.0,
    journey: Journey | None = None,
) -> Card:
    place = site.place
    return Card(
        rank=rank,
        site_id=site.site_id,
        name=site.facility,
        where=", ".join(filter(None, (site.address, site.city, site.state, wording.country(site.country)))),
        away=wording.away(distance, unit),
        bearing=wording.bearing(distance),
        journey=wording.journey(journey),
        by_road=wording.by_road(journey, unit),
        is_routed=journey is not None and journey.method is not Method.MODEL,
        scale=_scale(distance, reach_km),
        badges=badges,
        why=(
            *(wording.reason(reason, unit) for reason in reasons if rank == 0 or reason.code not in _SAID_ELSEWHERE),
            *filter(None, [wording.next_step(reasons) if rank == 0 else ""]),
        ),
        latitude=place.coordinates.latitude if place else None,
        longitude=place.coordinates.longitude if place else None,
        uncertainty_km=place.uncertainty_km if place else None,
        links=_links(site),
        reach=reach.of(site),
    )


def _scale(distance: Distance | None, reach_km: float) -> DistanceScale | None:
    if distance is None or reach_km == 0.0:
        return None

    def per_cent(km: float) -> float:
        return round(100.0 * km / reach_km, 2)

    low_km = max(0.0, distance.km - distance.uncertainty_km)
    return DistanceScale(per_cent(distance.km), per_cent(low_km), per_cent(distance.km + distance.uncertainty_km))


def _spots_badge(remaining: Remaining) -> Badge:
    if remaining.count is None:
        return Badge(wording.spots(remaining), "")
    if remaining.count == 0:
        return Badge(wording.spots(remaining), "bad")
    own = remaining.drawn_from is LimitedBy.SITE_CAP
    return Badge(wording.spots(remaining), "good" if own else "")


def _travel_badge(site: Site) -> Badge:
    return Badge(wording.travel_support(site.travel), _TRAVEL_TONE[site.travel.certainty])


def _links(site: Site) -> tuple[MapLink, ...]:
    """Return links to the facility by its name and town, because our own point may be kilometres away from it."""
    name = quote(", ".join(filter(None, (site.facility, site.city, site.state, site.country))), safe="")
    links = [
        MapLink("OpenStreetMap", f"https://www.openstreetmap.org/search?query={name}"),
        MapLink("Google Maps", f"https://www.google.com/maps/search/?api=1&query={name}"),
        MapLink("Apple Maps", f"https://maps.apple.com/?q={name}"),
    ]
    if site.place is not None:
        point = site.place.coordinates
        links.insert(0, MapLink("", f"geo:{point.latitude:.5f},{point.longitude:.5f}?q={name}"))
    return tuple(links)
