"""Every referral's last attempt at each site, from the events: how long it took, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from sitematch.domain.capacity.recruitment import Attempt
from sitematch.domain.capacity.states import EventKind
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import event

_ENDS = (EventKind.ENROLLED, EventKind.SCREEN_FAILED, EventKind.RELEASED)


def _of(kind: EventKind) -> sa.Case[int]:
    return sa.case((event.c.kind == kind.value, event.c.at_us))


_ATTEMPTS = (
    sa.select(
        event.c.site_id,
        sa.func.min(_of(EventKind.HELD)).label("first_held_us"),
        sa.func.max(_of(EventKind.HELD)).label("held_us"),
        sa.func.max(_of(EventKind.SCREENING)).label("screening_us"),
        *(sa.func.max(_of(kind)).label(kind.value) for kind in _ENDS),
        sa.func.max(event.c.expires_at_us).label("expires_us"),
    )
    .where(
        event.c.study_id == sa.bindparam("study_id"),
        event.c.at_us <= sa.bindparam("until_us"),
        event.c.referral_id.is_not(None),
        event.c.site_id.is_not(None),
    )
    .group_by(event.c.referral_id, event.c.site_id)
)


@dataclass(slots=True)
class Attempts:
    """The attempts of a study.

    Parameters
    ----------
    all
        The last attempt of each referral at each site.
    first_hold, holds
        By site_id: the time of its first hold, and the number of referrals that it held a spot for.
    enrolled_at
        By site_id: the times of the enrolments, in order.
    """

    all: tuple[Attempt, ...] = ()
    first_hold: dict[str, datetime] = field(default_factory=dict)
    holds: dict[str, int] = field(default_factory=dict)
    enrolled_at: dict[str, list[datetime]] = field(default_factory=dict)


def read_attempts(connection: sa.Connection, study_id: str, until: datetime) -> Attempts:
    """Return the attempts up to a time (aware)."""
    found, attempts = Attempts(), []
    first_us: dict[str, int] = {}
    until_us = to_us(until)
    for row in connection.execute(_ATTEMPTS, {"study_id": study_id, "until_us": until_us}):
        site_id, first_held_us, held_us, screening_us, *ends_us, expires_us = row
        if held_us is None:
            continue
        found.holds[site_id] = found.holds.get(site_id, 0) + 1
        first_us[site_id] = min(first_held_us, first_us.get(site_id, first_held_us))
        if ends_us[0] is not None:
            found.enrolled_at.setdefault(site_id, []).append(from_us(ends_us[0]))
        outcome, ended_us = _ended(held_us, screening_us, ends_us, expires_us, until_us)
        attempts.append(Attempt(timedelta(microseconds=ended_us - held_us), outcome))
    for times in found.enrolled_at.values():
        times.sort()
    found.all = tuple(attempts)
    found.first_hold = {site_id: from_us(at_us) for site_id, at_us in first_us.items()}
    return found


def _ended(
    held_us: int, screening_us: int | None, ends_us: Sequence[int | None], expires_us: int | None, until_us: int
) -> tuple[EventKind, int]:
    """Return how a referral's last attempt stands, and since when; until now if it is in progress."""
    for kind, at_us in zip(_ENDS, ends_us, strict=True):
        if at_us is not None and at_us >= held_us:
            return kind, at_us
    if screening_us is not None and screening_us >= held_us:
        return EventKind.SCREENING, until_us
    if expires_us is not None and expires_us <= until_us:
        return EventKind.RELEASED, expires_us
    return EventKind.HELD, until_us
