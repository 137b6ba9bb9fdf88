"""Counts for each part of a study, and how many more patients each could take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.occupancy import CapRule, SiteInView, keys_for
from sitematch.domain.capacity.referral_counts import StudyCounts
from sitematch.domain.capacity.spot import state_at
from sitematch.domain.capacity.states import SpotState

STUDY = CapKey(level=CapLevel.STUDY)


@dataclass(slots=True)
class Part:
    """Counts for a part of the study: a country, an arm, a site, or the whole study.

    Parameters
    ----------
    states
        Referrals by state.
    waiting
        Referrals on the waiting list that wait for this part.
    oldest_hold
        When the oldest hold that has not lapsed was placed.
    """

    states: Counter[SpotState] = field(default_factory=Counter)
    waiting: int = 0
    oldest_hold: datetime | None = None

    @property
    def is_used(self) -> bool:
        """Return whether anything is counted here."""
        return bool(self.waiting or self.states.total())


class PartCounts:
    """A study's referrals, counted for each of its parts.

    Parameters
    ----------
    standing
        The states of all referrals.
    """

    def __init__(self, study_counts: StudyCounts) -> None:
        self.study_counts, self.view = study_counts, study_counts.view
        self.taken = self.view.taken(study_counts.as_of)
        self.by_key: dict[CapKey, Part] = {}
        self.no_site, self.no_arm = Part(), Part()
        self._count()

    def of(self, key: CapKey) -> Part:
        """Return the counts for one part."""
        return self.by_key.get(key, Part())

    def own_left(self, key: CapKey) -> int | None:
        """Return the spots left under a part's own cap: 0 if the part is closed, None without a limit."""
        rule = self.view.caps.get(key, CapRule(None))
        if rule.is_closed or (key == STUDY and not self.view.takes_patients):
            return 0
        return None if rule.spots is None else max(0, rule.spots - self.taken[key])

    def room(self, sites: Iterable[SiteInView]) -> int | None:
        """Return how many more some sites could take together under their own and their countries' caps.

        The study's cap and those of arms are left out. None means no limit.
        """
        by_country: dict[str, list[int | None]] = {}
        for site in sites:
            own = self.own_left(CapKey(level=CapLevel.SITE, scope=site.site_id)) if self.view.is_open(site) else 0
            by_country.setdefault(site.country, []).append(own)
        return _sum(
            least(_sum(rooms), self.own_left(CapKey(level=CapLevel.COUNTRY, scope=country)))
            for country, rooms in by_country.items()
        )

    def _count(self) -> None:
        as_of = self.study_counts.as_of
        for group in self.view.groups:
            state = state_at(group.kind, group.expires_at, as_of)
            for part in self._parts(keys_for(group.site_id, group.country, group.arm), group.arm):
                part.states[state] += group.count
        for unplaced in self.study_counts.unplaced:
            state = state_at(unplaced.kind, None, as_of)
            self.no_site.states[state] += unplaced.count
            for part in self._parts(_keys_without_site(unplaced.arm), unplaced.arm):
                part.states[state] += unplaced.count
        countries = {site.site_id: site.country for site in self.view.sites}
        for entry in self.study_counts.waiting:
            self.no_site.waiting += 1
            keys = {CapKey(level=CapLevel.SITE, scope=site_id) for site_id in entry.site_ids}
            keys |= {
                CapKey(level=CapLevel.COUNTRY, scope=countries[site_id])
                for site_id in entry.site_ids
                if site_id in countries
            }
            for part in self._parts((*_keys_without_site(entry.arm), *keys), entry.arm):
                part.waiting += 1
        for hold in self.study_counts.oldest_holds:
            for part in self._parts(keys_for(hold.site_id, hold.country, hold.arm), hold.arm):
                part.oldest_hold = min(hold.since, part.oldest_hold or hold.since)

    def _parts(self, keys: Iterable[CapKey], arm: str | None) -> list[Part]:
        found = [self.by_key.setdefault(key, Part()) for key in keys]
        return found if arm is not None else [*found, self.no_arm]


def _keys_without_site(arm: str | None) -> tuple[CapKey, ...]:
    return (STUDY,) if arm is None else (STUDY, CapKey(level=CapLevel.ARM, scope=arm))


def least(*counts: int | None) -> int | None:
    """Return the smallest number; None means no limit."""
    return min((count for count in counts if count is not None), default=None)


def _sum(counts: Iterable[int | None]) -> int | None:
    """Add up counts; if one has no limit, the sum has none."""
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total
