"""Every referral's last attempt at each site, from the events: how long it took, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.capacity.recruitment import Attempt
from sitematch.domain.capacity.states import CORRECTIONS, EventKind
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import event

_ENDS = (EventKind.ENROLLED, EventKind.SCREEN_FAILED, EventKind.RELEASED)
_BEGINS = (EventKind.HELD, EventKind.TRANSFERRED)
_TAKEN_BACK_BY = {step: correction for correction, step in CORRECTIONS.items()}


def _last(*kinds: EventKind) -> tuple[sa.Function[int], sa.Function[int]]:
    """Return the position and the time of a referral's last event of these kinds at a site."""
    is_one = event.c.kind.in_([kind.value for kind in kinds])
    return sa.func.max(sa.case((is_one, event.c.seq))), sa.func.max(sa.case((is_one, event.c.at_us)))


def _columns() -> Iterator[sa.ColumnElement[int]]:
    for name, kinds in [("BEGUN", _BEGINS), *((kind.value, (kind,)) for kind in (*_ENDS, EventKind.SCREENING))]:
        seq, at_us = _last(*kinds)
        yield seq.label(f"{name}_seq")
        yield at_us.label(f"{name}_us")
    for step, correction in _TAKEN_BACK_BY.items():
        yield _last(correction)[0].label(f"{step.value}_undone")


_WHERE = sa.and_(event.c.study_id == sa.bindparam("study_id"), event.c.at_us <= sa.bindparam("until_us"))
_ATTEMPTS = (
    sa.select(
        event.c.referral_id,
        event.c.site_id,
        sa.func.min(sa.case((event.c.kind.in_([kind.value for kind in _BEGINS]), event.c.at_us))).label("first_us"),
        sa.func.max(event.c.expires_at_us).label("expires_us"),
        *_columns(),
    )
    .where(_WHERE, event.c.referral_id.is_not(None), event.c.site_id.is_not(None))
    .group_by(event.c.referral_id, event.c.site_id)
)
_AT = {column.key: position for position, column in enumerate(_ATTEMPTS.selected_columns)}
_TRANSFERS = sa.select(event.c.referral_id, event.c.seq, event.c.at_us, event.c.detail).where(
    _WHERE, event.c.kind == EventKind.TRANSFERRED.value
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
    where = {"study_id": study_id, "until_us": to_us(until)}
    left = {
        (row.referral_id, msgspec.json.decode(row.detail)["from"]): row for row in connection.execute(_TRANSFERS, where)
    }
    for row in connection.execute(_ATTEMPTS, where):
        site_id, begun_seq = row[_AT["site_id"]], row[_AT["BEGUN_seq"]]
        if begun_seq is None:
            continue
        found.holds[site_id] = found.holds.get(site_id, 0) + 1
        first_us[site_id] = min(row[_AT["first_us"]], first_us.get(site_id, row[_AT["first_us"]]))
        if _stands(row, EventKind.ENROLLED):
            found.enrolled_at.setdefault(site_id, []).append(from_us(row[_AT["ENROLLED_us"]]))
        outcome, ended_us = _ended(row, left.get((row[_AT["referral_id"]], site_id)), to_us(until))
        attempts.append(Attempt(timedelta(microseconds=ended_us - row[_AT["BEGUN_us"]]), outcome))
    for times in found.enrolled_at.values():
        times.sort()
    found.all = tuple(attempts)
    found.first_hold = {site_id: from_us(at_us) for site_id, at_us in first_us.items()}
    return found


def _stands(row: sa.Row[Any], kind: EventKind) -> bool:
    """Return whether a step was taken at the site and not taken back."""
    seq, undone = row[_AT[f"{kind.value}_seq"]], _AT.get(f"{kind.value}_undone")
    return seq is not None and (undone is None or (row[undone] or 0) < seq)


def _ended(row: sa.Row[Any], left: Any, until_us: int) -> tuple[EventKind, int]:
    """Return how a referral's last attempt stands, and since when; until now if it is in progress."""
    begun_seq, expires_us = row[_AT["BEGUN_seq"]], row[_AT["expires_us"]]
    for kind in _ENDS:
        if _stands(row, kind) and row[_AT[f"{kind.value}_seq"]] > begun_seq:
            return kind, row[_AT[f"{kind.value}_us"]]
    if left is not None and left.seq > begun_seq:  # it went on at another site
        return EventKind.RELEASED, left.at_us
    if _stands(row, EventKind.SCREENING) and row[_AT["SCREENING_seq"]] > begun_seq:
        return EventKind.SCREENING, until_us
    if expires_us is not None and expires_us <= until_us:
        return EventKind.RELEASED, expires_us
    return EventKind.HELD, until_us
