"""The recruitment of a study so far: enrolments by site, open time, and referrals in progress.

A site's open time is counted from its opening day (see `opening`), not before the study's ledger. It does not include
time in which nobody could be enrolled: the study, the country or the site was closed, or participants filled every spot
that applies. Spots that are held or in screening do not stop the clock, because those people enrol next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.opening import Opening
from sitematch.domain.capacity.states import EventKind

_WHOLE = CapKey(level=CapLevel.STUDY)

Span = tuple[datetime, datetime]
"""A period of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRecruitment:
    """One site up to a given time.

    Parameters
    ----------
    site_id, country
        The site.
    enrolled
        Everybody who ever enrolled, including people who withdrew later.
    participants
        Those of them who use a spot now, under the study's policy.
    held, screening
        Referrals in progress: offers and holds that have not lapsed, and screenings.
    open_spans
        When it could have enrolled somebody: in order, not overlapping.
    opening
        Since when it counts as open, and why; None if it was never open.
    enrolled_at
        When each of `enrolled` enrolled, in order.
    takes_patients
        Whether it takes new patients now, regardless of spots: it is not closed, and neither is its status.
    was_used
        Whether it has events in the ledger: a site that takes no patients and was never used may not have opened yet.
    """

    site_id: str
    country: str
    enrolled: int
    participants: int
    held: int
    screening: int
    open_spans: tuple[Span, ...]
    opening: Opening | None
    enrolled_at: tuple[datetime, ...]
    takes_patients: bool
    was_used: bool

    @property
    def open_for(self) -> timedelta:
        """Return how long it could have enrolled somebody."""
        return sum((end - start for start, end in self.open_spans), timedelta(0))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A referral's last attempt at a site.

    Parameters
    ----------
    lasts
        How long it took from its hold until it ended, or until now.
    outcome
        ENROLLED, or another event that ended it; HELD or SCREENING if it is in progress.
    """

    lasts: timedelta
    outcome: EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Recruitment:
    """A study up to a given time.

    Parameters
    ----------
    study_id, as_of
        Which study, and the instant (aware).
    since
        When its ledger starts; None if it has none.
    sites
        Every site, in the catalogue's order, then sites that are only in the ledger.
    caps
        The limits; parts without one are missing.
    participants
        Spots that participants use in every part of the study; parts with none may be missing.
    holds
        The number of holds so far; a referral that returns counts again.
    screened
        The number of screenings that began.
    screen_failed
        The number of them that failed.
    keeps_failed
        Whether a failed screening keeps its spot under the study's policy.
    enrolled_on
        The number of enrolments on each day with any, in ascending order of days.
    attempts
        The last attempt of each referral at each site.
    """

    study_id: str
    as_of: datetime
    since: datetime | None
    sites: tuple[SiteRecruitment, ...]
    caps: Mapping[CapKey, int]
    participants: Mapping[CapKey, int]
    holds: int
    screened: int
    screen_failed: int
    keeps_failed: bool = False
    enrolled_on: tuple[tuple[date, int], ...] = ()
    attempts: tuple[Attempt, ...] = ()

    @property
    def enrolled(self) -> int:
        """Everybody who ever enrolled."""
        return sum(site.enrolled for site in self.sites)

    @property
    def held(self) -> int:
        """The number of spots held or offered now."""
        return sum(site.held for site in self.sites)

    @property
    def screening(self) -> int:
        """The number of people in screening now."""
        return sum(site.screening for site in self.sites)

    @property
    def under_way(self) -> int:
        """The number of referrals that are held, offered a spot or in screening now."""
        return self.held + self.screening

    def spots_left(self, key: CapKey) -> int | None:
        """Return the spots under one cap that no participant fills, never negative; None if it is not set."""
        cap = self.caps.get(key)
        return None if cap is None else max(0, cap - self.participants.get(key, 0))


@dataclass(frozen=True, slots=True)
class ClockStep:
    """One event that starts or stops the clock of open time.

    Parameters
    ----------
    at
        When.
    kind
        ENROLLED, WITHDRAWN (only if that releases the spot), a correction of one of them, CAP_SET, CLOSED or OPENED.
    keys
        The parts of the study that it affects.
    spots
        The limit that CAP_SET sets; None removes it.
    """

    at: datetime
    kind: EventKind
    keys: tuple[CapKey, ...]
    spots: int | None = None


def blocked_spans(steps: Iterable[ClockStep], until: datetime) -> dict[CapKey, list[Span]]:
    """Return when each part of a study could not enrol anybody: it was closed, or participants filled every spot.

    Parameters
    ----------
    steps
        In the ledger's order.
    until
        When to stop counting (aware).

    Returns
    -------
    dict
        Spans in order of time, not overlapping; parts that never stopped are missing.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    >>> site = CapKey(level=CapLevel.SITE, scope="a")
    >>> closed = ClockStep(noon, EventKind.CLOSED, (site,))
    >>> opened = ClockStep(noon + timedelta(days=2), EventKind.OPENED, (site,))
    >>> steps = [closed, opened]
    >>> [(end - start).days for start, end in blocked_spans(steps, noon + timedelta(days=9))[site]]
    [2]
    """
    spots: dict[CapKey, int | None] = {}
    closed: set[CapKey] = set()
    filled: Counter[CapKey] = Counter()
    began: dict[CapKey, datetime] = {}
    spans: dict[CapKey, list[Span]] = {}
    for step in steps:
        for key in step.keys:
            if step.kind is EventKind.CAP_SET:
                spots[key] = step.spots
            elif step.kind in (EventKind.ENROLLED, EventKind.WITHDRAWAL_UNDONE):
                filled[key] += 1
            elif step.kind is EventKind.CLOSED:
                closed.add(key)
            elif step.kind is EventKind.OPENED:
                closed.discard(key)
            else:  # a participant left and released the spot, or was enrolled by mistake
                filled[key] -= 1
            limit = spots.get(key)
            is_blocked = key in closed or (limit is not None and filled[key] >= limit)
            if is_blocked:
                began.setdefault(key, step.at)
            elif key in began:
                spans.setdefault(key, []).append((began.pop(key), step.at))
    for key, at in began.items():
        spans.setdefault(key, []).append((at, until))
    return spans


def open_spans(
    country: str, site_id: str, start: datetime, end: datetime, blocked: Mapping[CapKey, Iterable[Span]]
) -> tuple[Span, ...]:
    """Return when a site could have enrolled somebody between two times, in order.

    Parameters
    ----------
    country, site_id
        Which site.
    start, end
        When it opened, and when to stop counting; nothing if `end` is not after `start`.
    blocked
        The result of `blocked_spans`.
    """
    keys = (_WHOLE, CapKey(level=CapLevel.COUNTRY, scope=country), CapKey(level=CapLevel.SITE, scope=site_id))
    spans = []
    counted_to = start
    for began, ended in sorted(span for key in keys for span in blocked.get(key, ())):
        began = min(began, end)
        if began > counted_to:
            spans.append((counted_to, began))
        counted_to = max(counted_to, ended)
    if end > counted_to:
        spans.append((counted_to, end))
    return tuple(spans)
