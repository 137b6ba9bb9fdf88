"""How a study has recruited so far: who enrolled where, in how much open time, and who is under way.

A site's open time is counted from the start of the study's ledger, or from the day that somebody says it opened. What
is taken off is all time in which nobody could be enrolled: the study, the country or the site was closed, or every
spot that applies was filled by participants. Spots that are held or in screening do not stop the clock: those are the
people who enrol next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.states import EventKind

_WHOLE = CapKey(level=CapLevel.STUDY)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRecruitment:
    """One site up to an instant.

    Parameters
    ----------
    site_id, country
        Which site.
    enrolled
        Everybody who ever enrolled, withdrawn since or not.
    participants
        Those of them who use a spot now, under the study's policy.
    held, screening
        Who is under way: offers and holds that have not lapsed, and screenings.
    open_for
        For how long it could have enrolled somebody.
    takes_patients
        Whether it takes new patients now, spots apart: neither closed nor of a status that takes nobody.
    was_used
        Whether the ledger has anything about it: a site that takes nobody and was never used may not have opened yet.
    """

    site_id: str
    country: str
    enrolled: int
    participants: int
    held: int
    screening: int
    open_for: timedelta
    takes_patients: bool
    was_used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recruitment:
    """A study up to an instant.

    Parameters
    ----------
    study_id, as_of
        Which study, and the instant (aware).
    since
        When its ledger starts; None if it has none.
    sites
        Every site, in the catalogue's order, then those that only the ledger knows.
    caps
        The limits that are set; parts without one are missing.
    participants
        Spots that participants use under every part of the study; parts with none may be missing.
    holds
        How many holds there ever were; a referral that comes back counts again.
    screened
        How many screenings ever began.
    screen_failed
        How many of them failed.
    keeps_failed
        Whether the study's policy lets a failed screening keep its spot.
    enrolled_on
        How many enrolled on each day on which somebody did, rising.
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

    @property
    def enrolled(self) -> int:
        """Everybody who ever enrolled."""
        return sum(site.enrolled for site in self.sites)

    @property
    def held(self) -> int:
        """Who has a spot held or offered now."""
        return sum(site.held for site in self.sites)

    @property
    def screening(self) -> int:
        """Who is in screening now."""
        return sum(site.screening for site in self.sites)

    @property
    def under_way(self) -> int:
        """Who is held, offered a spot or in screening now."""
        return self.held + self.screening

    def spots_left(self, key: CapKey) -> int | None:
        """Return the spots that no participant fills under one cap, never negative; None if it is not set."""
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
        ENROLLED, WITHDRAWN (only where that gives the spot back), CAP_SET, CLOSED or OPENED.
    keys
        The parts of the study that it touches.
    spots
        The limit that CAP_SET sets; None removes it.
    """

    at: datetime
    kind: EventKind
    keys: tuple[CapKey, ...]
    spots: int | None = None


Span = tuple[datetime, datetime]
"""From one instant to a later one."""


def blocked_spans(steps: Iterable[ClockStep], until: datetime) -> dict[CapKey, list[Span]]:
    """Return when each part of a study could enrol nobody: closed, or every spot filled by participants.

    Parameters
    ----------
    steps
        In the ledger's order.
    until
        Where to stop counting (aware).

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
            elif step.kind is EventKind.ENROLLED:
                filled[key] += 1
            elif step.kind is EventKind.CLOSED:
                closed.add(key)
            elif step.kind is EventKind.OPENED:
                closed.discard(key)
            else:  # a participant left and gave the spot back
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


def open_time(
    country: str, site_id: str, start: datetime, end: datetime, blocked: Mapping[CapKey, Iterable[Span]]
) -> timedelta:
    """Return for how long a site could have enrolled somebody between two instants.

    Parameters
    ----------
    country, site_id
        Which site.
    start, end
        When it opened, and when to stop counting; nothing if `end` is not after `start`.
    blocked
        What `blocked_spans` returns.
    """
    keys = (_WHOLE, CapKey(level=CapLevel.COUNTRY, scope=country), CapKey(level=CapLevel.SITE, scope=site_id))
    left = max(end - start, timedelta(0))
    counted_to = start
    for began, ended in sorted(span for key in keys for span in blocked.get(key, ())):
        began, ended = max(began, counted_to), min(ended, end)
        if ended > began:
            left -= ended - began
            counted_to = ended
    return left
