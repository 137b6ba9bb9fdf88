"""Counters of referrals by site, arm and latest event, so that no write has to count all referrals.

A counter is the number of rows of `latest_event` that are alike. It changes in the transaction of the event, under the
study's lock, and never with time: a hold that has lapsed is still counted under HELD. How many holds and offers have
not lapsed yet depends on `now`, so those few are read by an index of their expiry. `history.audit.verify` recounts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sitematch.domain.capacity.occupancy import Group
from sitematch.domain.capacity.states import LAPSING_KINDS, SPOT_KINDS, EventKind
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import latest_event, referral_count

LAPSED = from_us(0)
"""The expiry of a group of holds or offers that have lapsed: when each did no longer matters."""

_SETTLED_SPOTS = tuple(kind for kind in SPOT_KINDS if kind not in LAPSING_KINDS)
_ALIKE = ("study_id", "kind", "site_id", "country", "arm")
_counter = referral_count.c
_latest = latest_event.c

_ONE_LESS = (
    sa.update(referral_count)
    .where(
        sa.tuple_(*(_counter[name] for name in _ALIKE)).in_(
            sa.select(
                _latest.study_id, _latest.kind, _latest.site_id, _latest.country, sa.func.coalesce(_latest.arm, "")
            ).where(_latest.referral_id == sa.bindparam("id"))
        )
    )
    .values(referrals=_counter.referrals - 1)
)


def count_out(connection: sa.Connection, referral_id: str) -> None:
    """Take a referral out of its counter, before its latest event is replaced."""
    connection.execute(_ONE_LESS, {"id": referral_id})


def count_in(connection: sa.Connection, row: dict[str, Any]) -> None:
    """Put a referral into the counter of its new latest event, a row of `event`; without a site, there is none."""
    if row["site_id"] is None:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        insert(referral_count)
        .values(referrals=1)
        .on_conflict_do_update(index_elements=_ALIKE, set_={"referrals": _counter.referrals + 1}),
        counter_key(row),
    )


def counter_key(row: Any) -> dict[str, Any]:
    """Return the key of the counter for a mapping with the columns of `latest_event`."""
    return {name: row[name] for name in _ALIKE} | {"arm": row["arm"] or ""}


_running = sa.and_(_latest.study_id == sa.bindparam("study_id"), _latest.expires_at_us > sa.bindparam("now_us"))
_settled = (
    sa.select(_counter.kind, _counter.site_id, _counter.country, _counter.arm, _counter.referrals)
    .where(
        _counter.study_id == sa.bindparam("study_id"),
        _counter.kind.in_(_SETTLED_SPOTS),
        _counter.kind.in_(sa.bindparam("taking", expanding=True)),
    )
    .union_all(
        sa.select(
            _latest.kind,
            _latest.site_id,
            _latest.country,
            sa.func.coalesce(_latest.arm, ""),
            sa.literal_column("1"),
        ).where(_running, _latest.kind.in_(sa.bindparam("taking", expanding=True)))
    )
    .subquery()
)


def _sum(label: str, *conditions: sa.ColumnElement[bool]) -> sa.Label[Any]:
    total = sa.func.sum(_settled.c.referrals)
    return sa.func.coalesce(total.filter(*conditions) if conditions else total, 0).label(label)


IN_USE = sa.select(
    _sum("STUDY"),
    _sum("COUNTRY", _settled.c.country == sa.bindparam("country")),
    _sum("ARM", _settled.c.arm == sa.bindparam("arm")),
    _sum("SITE", _settled.c.site_id == sa.bindparam("site_id")),
)
"""The spots in use in the study, a country, an arm and a site. Parameters: ``study_id``, ``country``, ``arm``,
``site_id``, ``now_us``, and ``taking``, the kinds of events whose referrals use a spot."""

_COUNTERS = sa.select(referral_count).where(_counter.study_id == sa.bindparam("study_id"), _counter.referrals > 0)
_alike_running = (_latest.site_id, _latest.country, _latest.arm, _latest.kind, _latest.expires_at_us)
_RUNNING = (
    sa.select(*_alike_running, sa.func.count().label("referrals"))
    .where(_running, _latest.site_id.is_not(None))
    .group_by(*_alike_running)
)


def groups_now(
    connection: sa.Connection, study_id: str, now: datetime, *, site_id: str | None = None
) -> tuple[Group, ...]:
    """Return a study's referrals in groups, as they are now; the work does not grow with the number of referrals.

    Parameters
    ----------
    connection
        Inside a transaction whose statements see the same state.
    study_id
        The study.
    now
        The time (aware) that decides what has lapsed; lapsed holds and offers have the expiry `LAPSED`.
    site_id
        Only this site; None for all.
    """
    counters, running = _COUNTERS, _RUNNING
    if site_id is not None:
        counters = counters.where(_counter.site_id == site_id)
        running = running.where(_latest.site_id == site_id)
    return tuple(_groups(connection, counters, running, {"study_id": study_id, "now_us": to_us(now)}))


def _groups(
    connection: sa.Connection, counters: sa.Select[Any], running: sa.Select[Any], where: dict[str, Any]
) -> Iterator[Group]:
    not_lapsed: Counter[tuple[str, str, str | None, str]] = Counter()
    for row in connection.execute(running, where):
        not_lapsed[row.site_id, row.country, row.arm, row.kind] += row.referrals
        expires_at = from_us(row.expires_at_us)
        yield Group(row.site_id, row.country, row.arm, EventKind(row.kind), expires_at, row.referrals)
    for row in connection.execute(counters, {"study_id": where["study_id"]}):
        arm, kind = row.arm or None, EventKind(row.kind)
        if kind not in LAPSING_KINDS:
            yield Group(row.site_id, row.country, arm, kind, None, row.referrals)
        elif lapsed := row.referrals - not_lapsed[row.site_id, row.country, arm, row.kind]:
            yield Group(row.site_id, row.country, arm, kind, LAPSED, lapsed)
