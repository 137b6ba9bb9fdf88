"""Which sites have filled, or have spots again, since a recent time: without a replay of the whole ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, SiteCapacity
from sitematch.domain.capacity.occupancy import Group, StudyView, keys_for
from sitematch.domain.capacity.spot import LedgerEvent
from sitematch.domain.capacity.states import LAPSING_KINDS, SETTING_KINDS, EventKind
from sitematch.store.capacity.chain import read_event
from sitematch.store.capacity.counters import LAPSED, groups_now
from sitematch.store.capacity.counting import STANDING_EVENT, read_view
from sitematch.store.capacity.referral_search import first_at, head_of
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import event, latest_event

MOST_EVENTS = 5_000
"""The most events to look back over; with more, the period is shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentChanges:
    """What changed at a study's sites in a period.

    Parameters
    ----------
    since
        The beginning of the period (aware, UTC): the one that was asked for, or later if there were too many events.
    filled, freed
        Open sites that had spots then and have none now, and the other way round, as they are now, in the order of the
        catalogue. The present caps are used for both times.
    rules
        Changes of caps, closures and rules, latest first.
    """

    since: datetime
    filled: tuple[SiteCapacity, ...]
    freed: tuple[SiteCapacity, ...]
    rules: tuple[LedgerEvent, ...]


def recent_changes(store: Store, study_id: str, since: datetime, now: datetime) -> RecentChanges:
    """Return what changed at a study's sites since a time.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    since, now
        The period (aware).

    Raises
    ------
    StudyNotFound
        If neither the catalogue nor the ledger knows the study.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        view = read_view(connection, study_id, now)
        first = first_at(connection, study_id, to_us(since))
        earliest = head_of(connection, study_id) - MOST_EVENTS + 1
        if first < earliest:
            at = sa.select(event.c.at_us).where(event.c.study_id == study_id, event.c.seq == earliest)
            first, since = earliest, from_us(connection.execute(at).scalar_one())
        groups = _groups_before(connection, study_id, first, since)
        later = sa.and_(event.c.study_id == study_id, event.c.seq >= first)
        changed = sa.select(event).where(later, event.c.kind.in_(SETTING_KINDS)).order_by(event.c.seq.desc())
        rules = tuple(read_event(row) for row in connection.execute(changed))
    full, was_full = _full(view, now), _full(replace(view, groups=groups), since)
    # A site has no spots if any cap that applies is full: only where one of them changed is it worth a look.
    present = [item for item in view.capacity(now) if item.is_open] if full != was_full else []
    keys = {item.site_id: frozenset(keys_for(item.site_id, item.country, None)) for item in present}
    return RecentChanges(
        since=since,
        filled=tuple(item for item in present if keys[item.site_id] & full and not keys[item.site_id] & was_full),
        freed=tuple(item for item in present if keys[item.site_id] & was_full and not keys[item.site_id] & full),
        rules=rules,
    )


def _full(view: StudyView, now: datetime) -> frozenset[CapKey]:
    """Return the caps without a spot left."""
    taken = view.taken(now)
    return frozenset(key for key, rule in view.caps.items() if rule.spots is not None and taken[key] >= rule.spots)


def _groups_before(connection: sa.Connection, study_id: str, first: int, at: datetime) -> tuple[Group, ...]:
    """Return a study's referrals as they were before an event: the present ones, with those that changed put back."""
    groups: Counter[tuple[Any, ...]] = Counter()
    for group in groups_now(connection, study_id, at):
        groups[group.site_id, group.country, group.arm, group.kind, group.expires_at] += group.count
    changed = (
        sa.select(event.c.referral_id)
        .where(event.c.study_id == study_id, event.c.seq >= first, event.c.referral_id.is_not(None))
        .distinct()
        .cte("changed")
        .prefix_with("MATERIALIZED")
    )
    present = sa.select(latest_event).join(changed, changed.c.referral_id == latest_event.c.referral_id)
    for row in connection.execute(present.where(latest_event.c.site_id.is_not(None))):
        groups[_key(row, at)] -= 1
    last = (
        sa.select(event.c.referral_id, sa.func.max(event.c.seq).label("seq"))
        .join(changed, changed.c.referral_id == event.c.referral_id)
        .where(event.c.study_id == study_id, event.c.seq < first)
        .group_by(event.c.referral_id)
        .subquery()
    )
    earlier = sa.select(*STANDING_EVENT).join(last, sa.and_(event.c.study_id == study_id, event.c.seq == last.c.seq))
    for row in connection.execute(earlier.where(event.c.site_id.is_not(None))):
        groups[_key(row, at)] += 1
    return tuple(
        Group(site_id, country, arm, kind, expires_at, count)
        for (site_id, country, arm, kind, expires_at), count in groups.items()
        if count
    )


def _key(row: sa.Row[Any], at: datetime) -> tuple[Any, ...]:
    kind = EventKind(row.kind)
    expires_at = None
    if kind in LAPSING_KINDS:
        expires_at = from_us(row.expires_at_us) if row.expires_at_us > to_us(at) else LAPSED
    return (row.site_id, row.country, row.arm, kind, expires_at)
