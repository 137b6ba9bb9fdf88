"""The numbers of spots taken and left, calculated from the states of a study's referrals.

Nothing here is stored: each answer is counted from the caps and the referrals' latest events, for a given time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sitematch.domain.capacity.caps import CapacityState, CapKey, CapLevel, CapUsage, Shortage, SiteCapacity
from sitematch.domain.capacity.spot import SpotPolicy, state_at
from sitematch.domain.capacity.states import STATES, EventKind, Figure


@dataclass(frozen=True, slots=True)
class CapRule:
    """A cap: its limit (None is no limit) and whether its part of the study is closed."""

    spots: int | None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class SiteInView:
    """A site in the ledger, and whether its registry status allows it to take patients."""

    site_id: str
    country: str
    takes_patients: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Referrals in the same situation: same site, same latest event, same expiry."""

    site_id: str
    country: str
    arm: str | None
    kind: EventKind
    expires_at: datetime | None
    count: int


def keys_for(site_id: str, country: str, arm: str | None) -> tuple[CapKey, ...]:
    """Return the caps that apply to a spot, widest first."""
    keys = [CapKey(level=CapLevel.STUDY), CapKey(level=CapLevel.COUNTRY, scope=country)]
    if arm is not None:
        keys.append(CapKey(level=CapLevel.ARM, scope=arm))
    return (*keys, CapKey(level=CapLevel.SITE, scope=site_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyView:
    """A study's caps, sites and referrals, as read at one time; it can answer for that time or a later one.

    Parameters
    ----------
    study_id, takes_patients
        The study, and whether its registry status allows it to take patients.
    policy
        Its rules.
    caps
        Every cap that was ever set.
    sites
        Its sites, in the catalogue's order; then sites that are only in the ledger, by id.
    groups
        Every referral with a site, in groups; holds that had lapsed when this was read may be left out.
    """

    study_id: str
    takes_patients: bool
    policy: SpotPolicy
    caps: Mapping[CapKey, CapRule]
    sites: tuple[SiteInView, ...]
    groups: tuple[Group, ...]

    def taken(self, now: datetime) -> Counter[CapKey]:
        """Count the spots in use in every part of the study, with or without a cap."""
        taken: Counter[CapKey] = Counter()
        for group in self.groups:
            if self.policy.takes_spot(state_at(group.kind, group.expires_at, now)):
                for key in keys_for(group.site_id, group.country, group.arm):
                    taken[key] += group.count
        return taken

    def is_open(self, site: SiteInView, arm: str | None = None) -> bool:
        """Return whether a site can take a patient, regardless of spots."""
        keys = keys_for(site.site_id, site.country, arm)
        return (
            self.takes_patients
            and site.takes_patients
            and not any(key in self.caps and self.caps[key].is_closed for key in keys)
        )

    def left(
        self, taken: Counter[CapKey], site: SiteInView, arm: str | None = None
    ) -> tuple[int | None, CapKey | None]:
        """Return the spots left under the tightest cap, and that cap; None and None if no cap applies."""
        best: tuple[int | None, CapKey | None] = (None, None)
        for key in keys_for(site.site_id, site.country, arm):
            rule = self.caps.get(key)
            if rule is not None and rule.spots is not None:
                left = max(0, rule.spots - taken[key])
                if best[0] is None or left <= best[0]:
                    best = (left, key)
        return best

    def capacity(self, now: datetime, arm: str | None = None) -> tuple[SiteCapacity, ...]:
        """Return every site's spots, in the order of `sites`."""
        taken = self.taken(now)
        figures: dict[str, Counter[Figure | None]] = {}
        for group in self.groups:
            counter = figures.setdefault(group.site_id, Counter())
            counter[STATES[state_at(group.kind, group.expires_at, now)].figure] += group.count
        return tuple(
            self._site_capacity(site, figures.get(site.site_id, Counter()), taken, arm, now) for site in self.sites
        )

    def _site_capacity(
        self,
        site: SiteInView,
        figures: Counter[Figure | None],
        taken: Counter[CapKey],
        arm: str | None,
        now: datetime,
    ) -> SiteCapacity:
        own = CapKey(level=CapLevel.SITE, scope=site.site_id)
        cap = self.caps[own].spots if own in self.caps else None
        is_open = self.is_open(site, arm)
        remaining, binding = self.left(taken, site, arm)
        if not is_open:
            remaining = 0
        return SiteCapacity(
            study_id=self.study_id,
            site_id=site.site_id,
            country=site.country,
            cap=cap,
            offered=figures[Figure.OFFERED],
            held=figures[Figure.HELD],
            screening=figures[Figure.SCREENING],
            enrolled=figures[Figure.ENROLLED],
            withdrawn=figures[Figure.WITHDRAWN],
            screen_failed=figures[Figure.SCREEN_FAILED],
            taken=taken[own],
            remaining=remaining,
            binding=binding,
            over_enrolled=0 if cap is None else max(0, taken[own] - cap),
            state=self.state_of(is_open, remaining),
            is_open=is_open,
            as_of=now,
            shortage=self._shortage(site, taken, arm),
        )

    def _shortage(self, site: SiteInView, taken: Counter[CapKey], arm: str | None) -> Shortage | None:
        """Return the widest part that prevents a site from taking patients; None if there is none.

        Closures come before caps: while a part is closed, a free spot there cannot be used.
        """
        if not self.takes_patients:
            return Shortage.STUDY_NOT_RECRUITING
        rules = [(key, self.caps[key]) for key in keys_for(site.site_id, site.country, arm) if key in self.caps]
        for key, rule in rules:
            if rule.is_closed:
                return Shortage(f"{key.level.value}_CLOSED")
        for key, rule in rules:
            if rule.spots is not None and rule.spots <= taken[key]:
                return Shortage(f"{key.level.value}_{'FULL' if rule.spots else 'NO_SPOTS'}")
        return None

    def state_of(self, is_open: bool, remaining: int | None) -> CapacityState:
        """Return what the number of spots left means for a patient under the study's rules."""
        if not is_open:
            return CapacityState.NO_CAPACITY
        if remaining is None:
            return CapacityState.UNKNOWN
        if remaining > 0:
            return CapacityState.CAPACITY
        return CapacityState.WAITLIST if self.policy.waiting_list else CapacityState.NO_CAPACITY

    def usage(self, now: datetime) -> tuple[CapUsage, ...]:
        """Return the study's cap, then all others that were ever set or closed: country, arm, site, each by scope."""
        taken = self.taken(now)
        return tuple(
            CapUsage(
                study_id=self.study_id,
                key=key,
                spots=rule.spots,
                is_closed=rule.is_closed,
                taken=taken[key],
                remaining=None if rule.spots is None else max(0, rule.spots - taken[key]),
                over_enrolled=0 if rule.spots is None else max(0, taken[key] - rule.spots),
                as_of=now,
            )
            for key, rule in sorted(self.caps.items(), key=lambda item: item[0].order)
        )

    def next_expiry(self, now: datetime) -> datetime | None:
        """Return when the next hold or offer lapses; until then the numbers do not change. None if none will lapse."""
        return min(self._expiries_after(now), default=None)

    def _expiries_after(self, now: datetime) -> Iterator[datetime]:
        for group in self.groups:
            if group.expires_at is not None and group.expires_at > now:
                yield group.expires_at
