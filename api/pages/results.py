"""What the patient's page shows of an answer: cards, in words, with the numbers that its scale and map draw."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

from api.pages import wording
from api.pages.languages import gettext as _
from sitematch.domain.capacity.caps import CapLevel, DrawnFrom, Remaining
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

_EXTENSION = re.compile(r"(?:ext(?:ension)?\.?|x|#)\s*(?=\d)", re.IGNORECASE)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{3,255}")
_NCT = re.compile(r"NCT\d{8}", re.ASCII)

_FRAMED = 3
"""Left-out sites that the map shows at first where no other is there."""

_TRAVEL_TONE = {
    TravelCertainty.COVERED: "good",
    TravelCertainty.MAY_BE_COVERED: "caution",
    TravelCertainty.UNKNOWN: "",
    TravelCertainty.NOT_COVERED: "bad",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in words, with the tone that colours it: ``"good"``, ``"caution"``, ``"bad"`` or empty."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A distance and its uncertainty on a line from the person to the farthest site shown, in per cent."""

    at: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MapLink:
    """A link into somebody else's map; nothing is sent before it is pressed."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One way to reach a clinic.

    Parameters
    ----------
    name, role
        A person or an office, as the record gives them; may be empty.
    phone, phone_address
        To be read, and to be pressed (``tel:``); empty if not known.
    email, email_address
        The same (``mailto:``, with a subject that names study and clinic and nothing of the patient).
    is_central
        Whether it is the study's contact rather than the clinic's own.
    """

    name: str
    role: str
    phone: str
    phone_address: str
    email: str
    email_address: str
    is_central: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One site.

    Parameters
    ----------
    rank
        1 is first; 0 for a site that was left out.
    site_id, name, where
        Which site.
    away, bearing
        How far and which way, in words.
    journey, by_road
        The way by car, in words; empty where nothing is known of it.
    is_routed
        Whether a router was asked for it.
    scale
        None if the distance is not known.
    badges
        Spots and travel.
    why
        Why it stands where it stands, or was left out; one sentence each.
    latitude, longitude, uncertainty_km
        None if it could not be placed.
    links
        Into other maps.
    reach
        Ways to reach it; empty if none is known.
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
    scale: Scale | None
    badges: tuple[Badge, ...]
    why: tuple[str, ...]
    latitude: float | None
    longitude: float | None
    uncertainty_km: float | None
    links: tuple[MapLink, ...]
    reach: tuple[Reach, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """An answer as the page shows it.

    Parameters
    ----------
    place_name
        Where the person is, as it was understood.
    place_known
        How sure that is, in words.
    notes
        What should be known of the place, in the library's English.
    latitude, longitude, uncertainty_km
        The same for the map.
    unit
        ``"km"`` or ``"miles"``.
    farthest_km
        Distance of the farthest site that the map shows at first: of the ranked ones, or of the nearest three that were
        left out where there are no others; 0 if none is known.
    cards
        Best first.
    left_out
        Nearest first.
    left_out_count
        How many were left out, with those that are not listed.
    outside_radius
        Whether nothing lies within the distance asked for.
    nobody
        Why no clinic is shown; of no meaning where one is.
    has_waiting_list
        Whether one can wait at a clinic that was left out.
    record_address
        The study's page at its registry, for who finds no contact here; empty if it has none.
    """

    place_name: str
    place_known: str
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
    nobody: Nobody
    has_waiting_list: bool
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
        """Whether a way to reach some clinic that is named is known."""
        return any(card.reach for card in (*self.cards, *self.left_out))


class Nobody(Enum):
    """Why no clinic is shown."""

    STUDY_FULL = "study full"
    STUDY_CLOSED = "study closed"
    NOT_RECRUITING = "not recruiting"
    FILTERED = "filtered"
    """Some clinic can take a patient, but not one that was asked for."""
    OTHER = "other"
    """Each clinic has a reason of its own."""


_BY_STUDY = {
    (ReasonCode.FULL, CapLevel.STUDY): Nobody.STUDY_FULL,
    (ReasonCode.NO_SPOTS, CapLevel.STUDY): Nobody.STUDY_FULL,
    (ReasonCode.CLOSED, CapLevel.STUDY): Nobody.STUDY_CLOSED,
    (ReasonCode.STUDY_NOT_RECRUITING, ""): Nobody.NOT_RECRUITING,
}
"""Reasons that hold for the whole study."""

_FILTERS = {
    ReasonCode.TOO_FAR,
    ReasonCode.TOO_LONG,
    ReasonCode.TOO_FEW_SPOTS,
    ReasonCode.TRAVEL_TOO_UNSURE,
    ReasonCode.COUNTRY_NOT_ASKED,
}
"""Reasons that go away when fewer filters are set."""


def why_nobody(excluded: Sequence[Exclusion]) -> Nobody:
    """Return why no clinic is shown: what the page says first when it has no clinic to show.

    Parameters
    ----------
    excluded
        The sites that were left out, in any order.
    """
    reasons = [item.reasons for item in excluded]
    if any(all(reason.code in _FILTERS for reason in each) for each in reasons):
        return Nobody.FILTERED
    said = [[_BY_STUDY.get((reason.code, reason.subject)) for reason in each] for each in reasons]
    recruiting = [
        [kind for kind in kinds if kind is not None]
        for kinds, each in zip(said, reasons, strict=True)
        if all(reason.code is not ReasonCode.NOT_RECRUITING for reason in each)
    ]
    if recruiting and all(recruiting):
        common = set.intersection(*map(set, recruiting))
        if common:
            return min(common, key=list(Nobody).index)
    if reasons and not recruiting:
        return Nobody.NOT_RECRUITING
    return Nobody.OTHER


def results(found: MatchResult, place_name: str, study: Study, contacts: StudyContacts = NO_CONTACTS) -> Results:
    """Put an answer into words.

    Parameters
    ----------
    found
        What the ranking returned.
    place_name
        What to call the place.
    study, contacts
        The study, and whom to ask about it.
    """
    reach = _Reach(study, contacts)
    place, unit = found.place, found.unit
    known = [match.distance for match in found.matches if match.distance]
    framed = known or [item.distance for item in found.excluded[:_FRAMED] if item.distance]
    reach_km = max((distance.km + distance.uncertainty_km for distance in known), default=0.0)
    return Results(
        place_name=place_name,
        place_known=wording.place_known(place, unit),
        notes=place.notes,
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
        nobody=why_nobody(found.excluded),
        has_waiting_list=any(
            reason.code is ReasonCode.WAITING_LIST for item in found.excluded for reason in item.reasons
        ),
        record_address=record_address(study.study_id),
    )


def _card(
    site: Site,
    distance: Distance | None,
    reasons: Sequence[Reason],
    unit: Unit,
    reach: _Reach,
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
        why=tuple(
            wording.reason(reason, unit) for reason in reasons if rank == 0 or reason.code not in _SAID_ELSEWHERE
        ),
        latitude=place.coordinates.latitude if place else None,
        longitude=place.coordinates.longitude if place else None,
        uncertainty_km=place.uncertainty_km if place else None,
        links=_links(site),
        reach=reach.of(site),
    )


@dataclass(frozen=True, slots=True)
class _Reach:
    """Puts contacts into what can be read and pressed."""

    study: Study
    contacts: StudyContacts

    def of(self, site: Site) -> tuple[Reach, ...]:
        own = self.contacts.by_site.get(site.site_id, ())
        return tuple(
            Reach(
                name=contact.name,
                role=contact.role,
                phone=contact.phone,
                phone_address=phone_address(contact.phone),
                email=contact.email,
                email_address=self._email_address(contact.email, site),
                is_central=not own,
            )
            for contact in self.contacts.of(site)
            if contact.phone or contact.email
        )

    def _email_address(self, email: str, site: Site) -> str:
        if _EMAIL.fullmatch(email) is None:
            return ""
        subject = _("Question about study %(study)s at %(clinic)s", study=self.study.study_id, clinic=site.facility)
        return f"mailto:{quote(email, safe='@')}?subject={quote(subject, safe='')}"


def phone_address(phone: str) -> str:
    """Return the ``tel:`` address of a number as people write it (RFC 3966); empty if it is none.

    Examples
    --------
    >>> phone_address("+1 (305) 555-0134 ext. 12"), phone_address("0800 123 456"), phone_address("ask the desk")
    ('tel:+13055550134;ext=12', 'tel:0800123456', '')
    """
    number, _separator, extension = (part.strip() for part in _EXTENSION.sub("|", phone, count=1).partition("|"))
    digits = "".join(character for character in number if character in "0123456789")
    if not 3 <= len(digits) <= 15:
        return ""
    plus = "+" if number.startswith("+") else ""
    more = "".join(character for character in extension if character in "0123456789")
    return f"tel:{plus}{digits}" + (f";ext={more}" if more else "")


def record_address(study_id: str) -> str:
    """Return a study's page at ClinicalTrials.gov; empty if its id is not of that registry."""
    return f"https://clinicaltrials.gov/study/{study_id}" if _NCT.fullmatch(study_id) else ""


def _scale(distance: Distance | None, reach_km: float) -> Scale | None:
    if distance is None or reach_km == 0.0:
        return None

    def per_cent(km: float) -> float:
        return round(100.0 * km / reach_km, 2)

    low_km = max(0.0, distance.km - distance.uncertainty_km)
    return Scale(per_cent(distance.km), per_cent(low_km), per_cent(distance.km + distance.uncertainty_km))


def _spots_badge(remaining: Remaining) -> Badge:
    if remaining.count is None:
        return Badge(wording.spots(remaining), "")
    if remaining.count == 0:
        return Badge(wording.spots(remaining), "bad")
    own = remaining.drawn_from is DrawnFrom.SITE_CAP
    return Badge(wording.spots(remaining), "good" if own else "")


def _travel_badge(site: Site) -> Badge:
    return Badge(wording.travel_support(site.travel), _TRAVEL_TONE[site.travel.certainty])


def _links(site: Site) -> tuple[MapLink, ...]:
    """Lead to the facility by its name and town: our own point may be kilometres off the door."""
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
