"""A look-up over all studies: words -> studies -> cells from near to far -> clinics -> ranking.

Memory contains only the ids of the studies about the condition and the sites that the ranking has read so far, however
large the catalogue is.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sitematch.domain.capacity.caps import LimitedBy, Remaining
from sitematch.domain.finding.candidate import Candidate, CapacityView
from sitematch.domain.finding.clinic import Clinic, ClinicMatch, ClinicResult, StudyAtClinic, clinic_number, clinics_of
from sitematch.domain.finding.match import ReasonCode
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.finding.ranking import rank
from sitematch.domain.place import Coordinates, Place
from sitematch.domain.studies.search_terms import query_words
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES, Study
from sitematch.domain.studies.travel import TRAVEL_ORDER, TravelCertainty
from sitematch.errors import InvalidPolicy
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.cells import outward_in_groups
from sitematch.geo.geodesic import WGS84
from sitematch.services.finding.finder import CapacitySource
from sitematch.store.engine import Store
from sitematch.store.studies.contacts import contacts_of_studies
from sitematch.store.studies.nearby import ClinicsInCells, SiteConditions
from sitematch.store.studies.search import matching_studies

_OF_THE_STUDIES = frozenset(
    {
        ReasonCode.TRAVEL_COVERED, ReasonCode.TRAVEL_MAY_BE_COVERED, ReasonCode.TRAVEL_UNKNOWN,
        ReasonCode.TRAVEL_NOT_COVERED, ReasonCode.SPOTS_AT_SITE, ReasonCode.SPOTS_SHARED, ReasonCode.SPOTS_UNKNOWN
    }
)  # fmt: skip


class ClinicFinder:
    """Finds where studies about a condition recruit.

    Parameters
    ----------
    gazetteer
        Turns texts into places.
    store
        The open database; the caller closes it.
    capacity_of
        Returns the capacity of a study.
    """

    def __init__(self, gazetteer: Gazetteer, store: Store, capacity_of: Callable[[Study], CapacitySource]) -> None:
        self.gazetteer = gazetteer
        self.attribution = tuple(source.attribution for source in gazetteer.sources())
        self._store = store
        self._capacity_of = capacity_of

    def find(
        self,
        condition: str,
        text: str,
        country: str | None,
        policy: MatchPolicy,
        now: datetime,
        *,
        town: str | None = None,
        languages: Sequence[str] = (),
    ) -> ClinicResult:
        """Rank the clinics that recruit for a condition, from a postcode or a town.

        Parameters
        ----------
        condition
            Words that a study must have in its title, conditions, keywords, interventions or ids.
        text, country, town, languages
            See `sitematch.services.finding.finder.Finder.find`.
        policy
            What is asked; `min_spots`, `prefer_country` and times by car are for one study only.
        now
            The moment of the answer (aware, UTC).

        Raises
        ------
        InvalidPostcode, UnknownCountry, PostcodeNotFound, TownNotFound, AmbiguousPlace
            See `Gazetteer.locate`.
        InvalidInput, InvalidPolicy, LedgerBusy, StorageFault, NotReady
            See `match_clinics`.
        """
        place = self.gazetteer.locate(text, country, town=town, languages=languages)
        return self.match_clinics(condition, place, policy, now)

    def match_clinics(self, condition: str, place: Place, policy: MatchPolicy, now: datetime) -> ClinicResult:
        """Rank the clinics that recruit for a condition, from a place.

        Returns
        -------
        ClinicResult
            In the order of `domain.finding.ranking.rank`, with each clinic as one site: it has the most precise
            location of its sites, the most certain travel support of its studies, and the largest number of spots of
            its studies. Full studies are not shown.

        Raises
        ------
        InvalidInput
            If the condition contains no word.
        InvalidPolicy
            If the policy asks for `min_spots`, `prefer_country` or times by car.
        LedgerBusy, StorageFault, NotReady
            If the database cannot be read.
        """
        for name in ("min_spots", "prefer_country"):
            if getattr(policy, name) is not None:
                raise InvalidPolicy(f"{name} works only for a search in one study. Leave it out.", field=name)
        if policy.order is Order.TIME or policy.max_minutes is not None:
            field = "max_minutes" if policy.order is not Order.TIME else "order"
            raise InvalidPolicy("Times by car work only for a search in one study. Leave them out.", field=field)
        words = query_words(condition, field="condition")
        with self._store.reading() as connection:
            # A study that has ended takes no patients, even if a site's status is out of date.
            study_ids = matching_studies(connection, words, policy.statuses | TAKING_STATUSES)
            wanted = SiteConditions(
                study_ids=study_ids,
                statuses=policy.statuses,
                country=policy.country,
                travel=None if policy.min_travel is None else _at_least(policy.min_travel),
            )
            walk = _Walk(ClinicsInCells(connection, wanted), self._capacity_of, now)
            result = rank(
                place,
                policy,
                now,
                placed=walk.placed(place.coordinates) if study_ids else (),
                unplaced=walk.unplaced(policy.limit) if study_ids and policy.within_km is None else (),
                capacity=walk,
            )
            shown = [walk.met[match.site.site_id] for match in result.matches]
            asked = {at.study.study_id for met in shown for at in met.studies}
            contacts = contacts_of_studies(connection, asked)
        return ClinicResult(
            condition=condition,
            studies_found=len(study_ids),
            place=place,
            policy=policy,
            unit=result.unit,
            clinics=tuple(
                ClinicMatch(
                    rank=match.rank,
                    band=match.band,
                    site=met.site,
                    distance=match.distance,
                    studies=tuple(replace(at, contacts=contacts[at.study.study_id].of(at.site)) for at in met.studies),
                    reasons=tuple(reason for reason in match.reasons if reason.code not in _OF_THE_STUDIES),
                )
                for match, met in zip(result.matches, shown, strict=True)
            ),
            outside_radius=result.outside_radius,
            answered_at=now,
        )


class _Met:
    """A clinic that was read, with the studies that can take a patient there."""

    __slots__ = ("for_ranking", "remaining", "site", "studies")

    def __init__(self, clinic: Clinic, studies: tuple[StudyAtClinic, ...]) -> None:
        self.site = clinic.site
        self.studies = studies
        self.remaining = _most([at.remaining for at in studies])
        # The ranking works with sites: this one has the most certain travel support of the studies.
        surest = min((at.site.travel for at in studies), key=lambda t: TRAVEL_ORDER[t.certainty], default=None)
        self.for_ranking = self.site if surest is None else replace(self.site, travel=surest)


class _Walk:
    """Reads clinics from near to far, stores them, and gives the ranking their spots."""

    def __init__(self, nearby: ClinicsInCells, capacity_of: Callable[[Study], CapacitySource], now: datetime) -> None:
        self._nearby = nearby
        self._capacity_of = capacity_of
        self._now = now
        self._studies: dict[str, tuple[Study, CapacityView]] = {}
        self._open = 0
        self._by_number: dict[int, list[_Met]] = {}
        self.met: dict[str, _Met] = {}

    def placed(self, point: Coordinates) -> Iterator[Candidate]:
        """Yield the clinics with a location, nearest first, equal distances by site_id; reads only as far as needed."""
        waiting: list[tuple[float, str, float]] = []
        seen: set[int] = set()
        for cells, certain_km in outward_in_groups(point):
            new = self._nearby.clinics_in(cells) - seen
            seen |= new
            for met in self._meet(new):
                if met.site.place is not None:
                    there = met.site.place.coordinates
                    azimuth_deg, _, metres = WGS84.inv(point.longitude, point.latitude, there.longitude, there.latitude)
                    heapq.heappush(waiting, (metres / 1000.0, met.site.site_id, azimuth_deg))
            while waiting and waiting[0][0] < certain_km:
                km, site_id, azimuth_deg = heapq.heappop(waiting)
                self._open += self.met[site_id].remaining.is_open
                yield Candidate(self.met[site_id].for_ranking, km, azimuth_deg)

    def unplaced(self, limit: int) -> Iterator[Site]:
        """Yield clinics without a location, by site_id, if the others do not fill the list: at most `limit`."""
        if self._open >= limit:
            return
        found: list[Site] = []
        for number in self._nearby.unplaced():
            found += [met.for_ranking for met in self._meet({number}) if met.site.place is None]
            if len(found) >= limit:
                break
        yield from sorted(found, key=lambda site: site.site_id)

    def remaining(self, site: Site, /) -> Remaining:
        """Return the spots left at a clinic: those of its study with the most."""
        return self.met[site.site_id].remaining

    def _meet(self, numbers: set[int]) -> list[_Met]:
        """Return the clinics with these numbers, with all their sites."""
        new = numbers - self._by_number.keys()
        sites = self._nearby.sites_of(new)
        self._read_studies({site.study_id for site in sites})
        by_number: dict[int, list[Site]] = defaultdict(list)
        for site in sites:
            by_number[clinic_number(site.facility, site.city, site.country, site.site_id)].append(site)
        for number in new:
            clinics = [_Met(clinic, self._at(clinic)) for clinic in clinics_of(by_number[number])]
            self._by_number[number] = clinics
            self.met.update((met.site.site_id, met) for met in clinics)
        return [met for number in numbers for met in self._by_number[number]]

    def _read_studies(self, study_ids: set[str]) -> None:
        for study_id, study in self._nearby.studies(study_ids - self._studies.keys()).items():
            self._studies[study_id] = (study, self._capacity_of(study).at(self._now))

    def _at(self, clinic: Clinic) -> tuple[StudyAtClinic, ...]:
        found = []
        for site in clinic.sites:
            study, capacity = self._studies[site.study_id]
            remaining = capacity.remaining(site)
            if remaining.is_open:
                found.append(StudyAtClinic(study=study, site=site, remaining=remaining))
        return tuple(sorted(found, key=_order))


def _order(at: StudyAtClinic) -> tuple[int, float, str, str]:
    spots = math.inf if at.remaining.count is None else -at.remaining.count
    return TRAVEL_ORDER[at.site.travel.certainty], spots, at.study.study_id, at.site.site_id


def _most(found: list[Remaining]) -> Remaining:
    """Return the largest known number of spots; unknown if none is known; zero if no study can take anybody."""
    known = [remaining for remaining in found if remaining.count is not None]
    if known:
        return max(known, key=lambda remaining: remaining.count or 0)
    return found[0] if found else Remaining(count=0, as_of=None, drawn_from=LimitedBy.UNKNOWN)


def _at_least(certainty: TravelCertainty) -> frozenset[TravelCertainty]:
    return frozenset(each for each in TravelCertainty if TRAVEL_ORDER[each] <= TRAVEL_ORDER[certainty])
