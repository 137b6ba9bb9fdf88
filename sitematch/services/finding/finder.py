"""A patient's look-up: text -> postcode -> place -> candidate sites -> ranked matches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime, time
from functools import partial
from typing import Protocol

from sitematch.domain.capacity.caps import LimitedBy, Remaining, Shortage
from sitematch.domain.finding.candidate import Candidate, CapacityView
from sitematch.domain.finding.match import MatchResult, Reason
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.finding.ranking import NOTHING_FORESEEN, rank
from sitematch.domain.journey.estimate import Journey
from sitematch.domain.place import Coordinates, Place
from sitematch.domain.studies.contact import NO_CONTACTS, StudyContacts
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES, Study
from sitematch.errors import NotReady, SiteNotFound
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.index import ChordIndex, NearestIndex
from sitematch.services.finding.together import RankedTogether
from sitematch.services.journey.estimating import TravelEstimator

_SPARE_CANDIDATES = 4
"""Sites that the first query requests beyond the limit: in most cases enough to reach the end of a band."""


class CapacitySource(Protocol):
    """The spots of every site, from memory."""

    def at(self, now: datetime, /) -> CapacityView:
        """Return the spots at a given time."""
        ...


class SiteForecast(Protocol):
    """Cached forecast by site."""

    def at(self, now: datetime, /) -> Mapping[str, Reason]:
        """Return the forecast at a given time, by site_id."""
        ...


class NoSiteForecast:
    """A forecast without any content."""

    def at(self, _now: datetime, /) -> Mapping[str, Reason]:
        """Return nothing."""
        return NOTHING_FORESEEN


class StatedCapacity:
    """Spots that the study and its sites state, before any referral: the site's own, otherwise the shared pool.

    Parameters
    ----------
    study
        The study with the pool and its date.
    """

    def __init__(self, study: Study) -> None:
        drawn_from = LimitedBy.UNKNOWN if study.pool_spots is None else LimitedBy.SHARED_POOL
        as_of = datetime.combine(study.as_of_on, time(), tzinfo=UTC)
        self._takes_patients = study.status in TAKING_STATUSES
        self._shared = Remaining(
            count=study.pool_spots,
            as_of=as_of,
            drawn_from=drawn_from,
            shortage=Shortage.STUDY_FULL if study.pool_spots == 0 else None,
        )
        self._nothing = Remaining(count=0, as_of=as_of, shortage=Shortage.STUDY_NOT_RECRUITING)
        self._own: dict[str, Remaining] = {}

    def at(self, _now: datetime, /) -> StatedCapacity:
        """Return itself, because the stated numbers have their own date."""
        return self

    def remaining(self, site: Site, /) -> Remaining:
        """Return the spots left at a site."""
        if not self._takes_patients:
            return self._nothing
        if site.spots is None:
            return self._shared
        own = self._own.get(site.site_id)
        if own is None:
            as_of = datetime.combine(site.as_of_on, time(), tzinfo=UTC)
            own = self._own[site.site_id] = Remaining(
                count=site.spots,
                as_of=as_of,
                drawn_from=LimitedBy.SITE_CAP,
                shortage=Shortage.SITE_FULL if site.spots == 0 else None,
            )
        return own


class Finder:
    """Answers look-ups for one study, from memory.

    Parameters
    ----------
    gazetteer
        Turns texts into places.
    study
        The study that is matched.
    sites
        All its sites, in any order.
    capacity
        Spots left by site; the stated ones by default.
    contacts
        Contacts; none by default.
    foresight
        What is probable of the sites; nothing if omitted.
    travel
        Estimates the way by car; answers have no minutes if omitted.
    """

    def __init__(
        self,
        gazetteer: Gazetteer,
        study: Study,
        sites: Sequence[Site],
        *,
        capacity: CapacitySource | None = None,
        contacts: StudyContacts = NO_CONTACTS,
        foresight: SiteForecast | None = None,
        travel: TravelEstimator | None = None,
    ) -> None:
        self.gazetteer = gazetteer
        self.study = study
        self.sites = tuple(sorted(sites, key=lambda site: site.site_id))
        self.attribution = tuple(source.attribution for source in gazetteer.sources())
        self.contacts = contacts
        self._capacity = capacity or StatedCapacity(study)
        self._foresight = foresight or NoSiteForecast()
        self._travel = travel
        self._by_id = {site.site_id: site for site in self.sites}
        self._placed = [site for site in self.sites if site.place is not None]
        self._unplaced = [site for site in self.sites if site.place is None]
        self._index: NearestIndex = ChordIndex([site.place.coordinates for site in self._placed if site.place])
        self.countries = tuple(sorted({site.country for site in self.sites}))

    def find(
        self,
        text: str,
        country: str | None,
        policy: MatchPolicy,
        now: datetime,
        *,
        town: str | None = None,
        languages: Sequence[str] = (),
    ) -> MatchResult:
        """Rank the study's sites from a postcode or a town.

        Parameters
        ----------
        text
            A postcode or a town's name, as a person types it.
        country
            Name or ISO 3166-1 code; None uses the country in which the text exists if there is only one.
        policy
            What is asked.
        now
            The moment of the answer (aware, UTC).
        town
            The town of the postcode; the two are checked against each other.
        languages
            The person's languages, best first; without a country, they decide before the study's countries.

        Returns
        -------
        MatchResult
            See `sitematch.domain.finding.ranking.rank`.

        Raises
        ------
        InvalidPostcode, UnknownCountry, PostcodeNotFound, TownNotFound, AmbiguousPlace
            See `Gazetteer.locate`.
        """
        return self.match_sites(self.locate(text, country, town=town, languages=languages), policy, now)

    @property
    def has_times(self) -> bool:
        """Whether times by car are known here."""
        return self._travel is not None

    def locate(
        self, text: str, country: str | None, *, town: str | None = None, languages: Sequence[str] = ()
    ) -> Place:
        """Return the place of a postcode or town, with the study's countries as a hint. See `find`."""
        return self.gazetteer.locate(text, country, town=town, hints=self.countries, languages=languages)

    def match_sites(self, place: Place, policy: MatchPolicy, now: datetime) -> MatchResult:
        """Rank the study's sites from a place; see `sitematch.domain.finding.ranking.rank`.

        Raises
        ------
        NotReady
            If minutes are asked for and nothing estimates them.
        """
        if self._travel is None and policy.asks_for_minutes:
            raise NotReady("Times by car are not available here. Build them with `sitematch gazetteer roads`.")
        return rank(
            place,
            policy,
            now,
            placed=self._outwards(place.coordinates, policy.limit + _SPARE_CANDIDATES),
            unplaced=self._unplaced,
            capacity=self._capacity.at(now),
            foreseen=self._foresight.at(now),
            estimates=None if self._travel is None else partial(_journeys, self._travel, place),
        )

    def without_times(self) -> Finder:
        """Return a finder of the same sites and spots that estimates no times by car."""
        other = copy(self)
        other._travel = None
        return other

    def together(self, policy: MatchPolicy, now: datetime) -> RankedTogether | None:
        """Return what ranks these sites from many places at once; None where each place has to be ranked by itself."""
        if not RankedTogether.suits(policy):
            return None
        capacity = self._capacity.at(now)
        found = RankedTogether(policy, self._placed, capacity, self._foresight.at(now))
        if not found.sites:
            return None
        if len(found.sites) < policy.limit and not policy.is_bounded and self._unplaced:
            return None  # sites without a location may be among the matches
        return found

    def site(self, site_id: str) -> Site:
        """Return one site.

        Raises
        ------
        SiteNotFound
            If the study has no site with that id.
        """
        site = self._by_id.get(site_id)
        if site is None:
            raise SiteNotFound(
                f"{self.study.study_id} has no site {site_id!r}. List its sites to find their ids.",
                field="site_id",
            )
        return site

    def remaining(self, site: Site, now: datetime) -> Remaining:
        """Return the spots left at a site at an instant (aware)."""
        return self._capacity.at(now).remaining(site)

    def within(self, place: Place, km: float) -> list[Site]:
        """Return the sites within a distance of a place, nearest first, equal distances by site_id."""
        return [candidate.site for candidate in itertools.takewhile(lambda found: found.km <= km, self.outwards(place))]

    def outwards(self, place: Place) -> Iterator[Candidate]:
        """Yield the sites that have a location from nearest to farthest, equal distances by site_id."""
        return self._outwards(place.coordinates, _SPARE_CANDIDATES)

    def _outwards(self, point: Coordinates, first: int) -> Iterator[Candidate]:
        """Yield the sites from nearest to farthest, equal distances by site_id, querying the index as needed."""
        total = len(self._placed)
        yielded, asked = 0, min(first, total)
        while yielded < total:
            near = self._index.nearest(point, asked)
            # Not all points at the same distance as the last one may have been returned: leave them for the next,
            # larger query.
            certain = len(near)
            if certain < total:
                last_km = near[-1].distance_km
                while certain > yielded and near[certain - 1].distance_km == last_km:
                    certain -= 1
            for neighbour in near[yielded:certain]:
                yield Candidate(self._placed[neighbour.position], neighbour.distance_km, neighbour.azimuth_deg)
            yielded, asked = certain, min(asked * 2, total)


def _journeys(travel: TravelEstimator, place: Place, candidates: Sequence[Candidate]) -> list[Journey]:
    return travel.journeys(place, [(one.site.place, one.km) for one in candidates if one.site.place is not None])
