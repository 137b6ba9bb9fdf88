"""Choosing a site for a patient: ranked by distance from home, with the current spots; nothing is stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile

from sitematch.domain.accounts.access import Actor, Permission, may
from sitematch.domain.capacity.caps import SiteCapacity
from sitematch.domain.capacity.spot import MAX_WAITING_SITES
from sitematch.domain.finding.candidate import distance_to
from sitematch.domain.finding.match import Distance, Reason
from sitematch.domain.finding.policy import MAX_RADIUS_KM, MatchPolicy
from sitematch.domain.place import Place
from sitematch.domain.studies.site import Site
from sitematch.domain.units import Unit
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.capacity import coordinating
from sitematch.services.finding.opening import finder_at
from sitematch.store.engine import Store
from sitematch.store.studies import catalogue

RANKED = 10
"""Number of ranked sites."""

NEAR = 12
"""Number of sites to wait for that are listed if no maximum distance was given."""


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """One site that can be chosen.

    Parameters
    ----------
    site
        The site.
    distance
        Its distance; None if it has no location, or the patient's place is no longer known.
    capacity
        Its spots in the ledger; None if the actor may not see them.
    reasons
        The reasons for its rank, or for leaving it out.
    may_hold
        Whether the actor may hold a spot there.
    """

    site: Site
    distance: Distance | None
    capacity: SiteCapacity | None
    reasons: tuple[Reason, ...]
    may_hold: bool

    @property
    def has_free_spots(self) -> bool:
        """Return whether a spot could be held: the site is open, and spots are left or their number is unknown."""
        return self.capacity is not None and self.capacity.is_open and self.capacity.remaining != 0


@dataclass(frozen=True, slots=True)
class SiteChoices:
    """The sites ranked from a place.

    Parameters
    ----------
    place
        The place, as sitematch understood it.
    unit
        The unit of distances there.
    ranked
        The sites that can take the patient now, best first; at most `RANKED`.
    left_out
        Nearer sites that cannot, with the reasons; nearest first.
    outside_radius
        Whether no site within the maximum distance can take the patient, so that the nearest is ranked anyway.
    near
        Sites for whose waiting list the actor can add the patient, nearest first: all within the maximum distance or,
        if none was given, the nearest `NEAR`.
    """

    place: Place
    unit: Unit
    ranked: tuple[SiteChoice, ...]
    left_out: tuple[SiteChoice, ...]
    outside_radius: bool
    near: tuple[SiteChoice, ...]


def rank_choices(
    store: Store,
    gazetteer: Gazetteer,
    actor: Actor,
    study_id: str,
    text: str,
    country: str | None,
    now: datetime,
    *,
    within_km: float | None = None,
    languages: Sequence[str] = (),
) -> SiteChoices:
    """Rank a study's sites from a postcode or a town, for a coordinator who wants to hold a spot.

    Parameters
    ----------
    store, gazetteer, actor, study_id
        The data, the study and the actor.
    text, country, languages
        See `sitematch.services.finding.finder.Finder.find`.
    now
        The instant (aware) whose spots count.
    within_km
        The patient's maximum distance, over 0; None for any.

    Raises
    ------
    NotAllowed
        If the actor may see no site of the study.
    InvalidPolicy
        If the distance is invalid.
    InvalidPostcode, UnknownCountry, PostcodeNotFound, TownNotFound, AmbiguousPlace
        See `Gazetteer.locate`.
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.services.finding.opening.finder_at`.
    """
    policy = MatchPolicy(limit=RANKED, within_km=within_km)
    spots = {site.site_id: site for site in coordinating.capacity(store, actor, study_id, now)}
    finder = finder_at(store, gazetteer, study_id, now)
    place = finder.locate(text, country, languages=languages)
    result = finder.match_sites(place, policy, now)

    def choice(site: Site, distance: Distance | None, reasons: tuple[Reason, ...] = ()) -> SiteChoice:
        return _choice(actor, site, spots.get(site.site_id), distance, reasons)

    reach_km = MAX_RADIUS_KM if within_km is None else within_km
    around = takewhile(lambda found: found.km <= reach_km, finder.outwards(place))
    to_wait_for = (
        choice(candidate.site, distance_to(place, candidate))
        for candidate in around
        if may(actor, Permission.WAITING_LIST_WRITE, study_id=study_id, site_id=candidate.site.site_id)
        and candidate.site.site_id in spots
        and spots[candidate.site.site_id].is_open
    )
    return SiteChoices(
        place=place,
        unit=result.unit,
        ranked=tuple(choice(match.site, match.distance, match.reasons) for match in result.matches),
        left_out=tuple(choice(left.site, left.distance, left.reasons) for left in result.excluded),
        outside_radius=result.outside_radius,
        near=tuple(islice(to_wait_for, NEAR if within_km is None else MAX_WAITING_SITES)),
    )


def choices_among(
    store: Store, actor: Actor, study_id: str, site_ids: Sequence[str], now: datetime
) -> tuple[SiteChoice, ...]:
    """Return sites that were ranked before, in that order, with the current spots; unknown ids are left out.

    Raises
    ------
    NotAllowed
        If the actor may see no site of the study.
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.services.capacity.coordinating.capacity`.
    """
    spots = {site.site_id: site for site in coordinating.capacity(store, actor, study_id, now)}
    sites = _named(catalogue.read_sites(store, study_id), frozenset(site_ids))
    return tuple(
        _choice(actor, sites[site_id], spots.get(site_id), None, ())
        for site_id in dict.fromkeys(site_ids)
        if site_id in sites
    )


def _named(sites: Sequence[Site], site_ids: Collection[str]) -> dict[str, Site]:
    return {site.site_id: site for site in sites if site.site_id in site_ids}


def _choice(
    actor: Actor, site: Site, spots: SiteCapacity | None, distance: Distance | None, reasons: tuple[Reason, ...]
) -> SiteChoice:
    return SiteChoice(
        site=site,
        distance=distance,
        capacity=spots,
        reasons=reasons,
        may_hold=may(actor, Permission.REFERRALS_WRITE, study_id=site.study_id, site_id=site.site_id),
    )
