"""Every referral's last attempt at each site, from the events: how long it took, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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
    for row in connection.execute(_ATTEMPTS, {"study_id": study_id, "until_us": to_us(until)}):
        if row.held_us is None:
            continue
        found.holds[row.site_id] = found.holds.get(row.site_id, 0) + 1
        first_us[row.site_id] = min(row.first_held_us, first_us.get(row.site_id, row.first_held_us))
        if row.ENROLLED is not None:
            found.enrolled_at.setdefault(row.site_id, []).append(from_us(row.ENROLLED))
        attempts.append(_attempt(row, to_us(until)))
    for times in found.enrolled_at.values():
        times.sort()
    found.all = tuple(attempts)
    found.first_hold = {site_id: from_us(at_us) for site_id, at_us in first_us.items()}
    return found


def _attempt(row: sa.Row[Any], until_us: int) -> Attempt:
    held_us: int = row.held_us
    for kind in _ENDS:
        at_us = row._mapping[kind.value]
        if at_us is not None and at_us >= held_us:
            return Attempt(from_us(at_us) - from_us(held_us), kind)
    if row.screening_us is not None and row.screening_us >= held_us:
        return Attempt(from_us(until_us) - from_us(held_us), EventKind.SCREENING)
    if row.expires_us is not None and row.expires_us <= until_us:
        return Attempt(from_us(row.expires_us) - from_us(held_us), EventKind.RELEASED)
    return Attempt(from_us(until_us) - from_us(held_us), EventKind.HELD)
