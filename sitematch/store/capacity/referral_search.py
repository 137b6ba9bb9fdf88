"""Finding referrals by several conditions, a page at a time, in the same time for any length of the ledger.

A page walks along one index in the order of the answer and takes what meets the other conditions. It ends when it is
full, at the end of the index, or after `SCANNED` referrals: then it says how far it got, and the next page goes on.
What can still lapse is few, and is read by the index of expiry instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sitematch.domain.capacity.referral_filter import ReferralFilter, ReferralPage, ReferralSort
from sitematch.domain.capacity.spot import VisibleReferrals
from sitematch.domain.capacity.states import LAPSING_KINDS, STATES
from sitematch.errors import InvalidInput
from sitematch.store.capacity.chain import read_event
from sitematch.store.capacity.counting import in_state, referral_from
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import cap, event, latest_event, referral_count

SCANNED = 20_000
"""The most referrals that one page reads."""

_FIRST_READ = 500
_MAX_SITES = 100
"""The most sites whose own indexes are walked along; with more, the study's is."""

_CAN_LAPSE = frozenset(
    state for state, facts in STATES.items() if facts.event in LAPSING_KINDS and not facts.has_lapsed
)
_ACTORS_READ = 2_000


def find_referrals(
    store: Store,
    study_id: str,
    now: datetime,
    wanted: ReferralFilter,
    *,
    limit: int,
    cursor: str | None = None,
    visible: VisibleReferrals | None = None,
) -> ReferralPage:
    """Return a page of a study's referrals.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    now
        The time (aware) that decides what has lapsed.
    wanted
        The conditions and the order.
    limit
        The number of referrals on a page, at least 1.
    cursor
        The `cursor` of the page before; None for the first page.
    visible
        Only referrals that may be seen; None for all.

    Raises
    ------
    InvalidInput
        If the cursor is malformed.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        walk = _Walk(connection, study_id, now, wanted, visible)
        after, scanned, length = walk.read_cursor(cursor), 0, _FIRST_READ
        found: list[sa.Row[Any]] = []
        while True:
            rows, last = walk.read(after, length, limit + 1 - len(found))
            found += rows
            if len(found) > limit:
                return _page(found[:limit], now, walk.place_of(found[limit - 1]))
            if last is None:
                return _page(found, now)
            after, scanned = walk.place_of(last), scanned + length
            if scanned >= SCANNED:
                return _page(found, now, after, searched_to=_time_of(connection, study_id, last.seq))
            length = min(length * 8, SCANNED - scanned)


def recent_actors(store: Store, study_id: str) -> tuple[str, ...]:
    """Return who made the latest 2,000 changes of a study: each once, by id.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    newest = sa.select(event.c.actor_id).where(event.c.study_id == study_id).order_by(event.c.seq.desc())
    latest = newest.limit(_ACTORS_READ).subquery()
    with store.reading() as connection:
        return tuple(connection.execute(sa.select(latest.c.actor_id).distinct().order_by(latest.c.actor_id)).scalars())


def known_arms(store: Store, study_id: str) -> tuple[str, ...]:
    """Return the arms of a study that have referrals with a site, or a cap, by name.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    counted = sa.select(referral_count.c.arm).where(referral_count.c.study_id == study_id, referral_count.c.arm != "")
    capped = sa.select(cap.c.scope).where(cap.c.study_id == study_id, cap.c.level == "ARM")
    with store.reading() as connection:
        return tuple(sorted(connection.execute(counted.union(capped)).scalars()))


class _Walk:
    """The way of one search along an index."""

    def __init__(
        self,
        connection: sa.Connection,
        study_id: str,
        now: datetime,
        wanted: ReferralFilter,
        visible: VisibleReferrals | None,
    ) -> None:
        self._connection, self._now, self._wanted, self._visible = connection, now, wanted, visible
        self._order = ("expires_at_us", "seq") if wanted.sort is ReferralSort.LAPSES else ("seq",)
        self._is_up = wanted.sort is not ReferralSort.LATEST
        self._period = _period(connection, study_id, wanted)
        self._ways = _ways(study_id, now, wanted, visible)

    def read(self, after: Sequence[int], length: int, limit: int) -> tuple[Sequence[sa.Row[Any]], sa.Row[Any] | None]:
        """Read a part of the way: what fits, at most `limit`; and the last referral of the part, None at its end."""
        part = self._part(after, length)
        joined = part.join(event, sa.and_(event.c.study_id == part.c.study_id, event.c.seq == part.c.seq))
        query = sa.select(event).select_from(joined).where(*self._conditions(part.c)).limit(limit)
        rows = self._connection.execute(query.order_by(*self._ordered(part.c))).all()
        if len(rows) == limit:
            return rows, rows[-1]
        if self._connection.execute(sa.select(sa.func.count()).select_from(part)).scalar_one() < length:
            return rows, None
        last = sa.select(part).order_by(*self._ordered(part.c, is_up=not self._is_up)).limit(1)
        return rows, self._connection.execute(last).one()

    def place_of(self, row: sa.Row[Any]) -> tuple[int, ...]:
        """Return the place of a referral on the way."""
        return tuple(getattr(row, name) for name in self._order)

    def read_cursor(self, cursor: str | None) -> tuple[int, ...]:
        """Return the place that a cursor names; empty for the beginning."""
        if cursor is None:
            return ()
        if not re.fullmatch("-".join(["[0-9]{1,18}"] * len(self._order)), cursor):
            raise InvalidInput("This page of the list does not exist. Begin at the first page.", field="before")
        return tuple(map(int, cursor.split("-")))

    def _ordered(self, columns: Any, *, is_up: bool | None = None) -> list[Any]:
        up = self._is_up if is_up is None else is_up
        return [columns[name] if up else columns[name].desc() for name in self._order]

    def _part(self, after: Sequence[int], length: int) -> sa.CTE:
        """Return the next referrals of the way; materialized, so that the database does not choose another one."""
        parts = []
        for columns, way in self._ways:
            bounds = [condition(columns.seq) for condition in self._period]
            if after:
                place = sa.tuple_(*(columns[name] for name in self._order))
                given = sa.tuple_(*map(sa.literal, after))
                bounds.append(place > given if self._is_up else place < given)
            parts.append(way.where(*bounds).order_by(*self._ordered(columns)).limit(length))
        if len(parts) == 1:
            return parts[0].cte("part").prefix_with("MATERIALIZED")
        every = sa.union_all(*(sa.select(each.subquery()) for each in parts)).subquery()
        query = sa.select(every).order_by(*self._ordered(every.c)).limit(length)
        return query.cte("part").prefix_with("MATERIALIZED")

    def _conditions(self, columns: Any) -> list[sa.ColumnElement[bool]]:
        wanted, found = self._wanted, []
        if wanted.text:
            found.append(sa.func.lower(columns.referral_id).contains(wanted.text.lower(), autoescape=True))
        if wanted.states is not None:
            fitting = (in_state(state, self._now, columns) for state in sorted(wanted.states))
            found.append(sa.or_(*fitting, sa.false()))
        if wanted.site_id is not None:
            found.append(columns.site_id == wanted.site_id)
        if wanted.arm is not None:
            found.append(columns.arm == wanted.arm)
        if wanted.actor_id is not None:
            found.append(event.c.actor_id == wanted.actor_id)
        if self._visible is not None:
            found.append(
                sa.or_(
                    columns.site_id.in_(sorted(self._visible.site_ids)),
                    columns.referral_id.in_(sorted(self._visible.waiting_ids)),
                )
            )
        return found


def _ways(
    study_id: str, now: datetime, wanted: ReferralFilter, visible: VisibleReferrals | None
) -> list[tuple[Any, sa.Select[Any]]]:
    """Return the columns and rows to walk along: by conditions that an index covers, and no others."""
    latest = latest_event.c
    of_study = sa.select(latest_event).where(latest.study_id == study_id)
    is_open = wanted.states is not None and wanted.states <= _CAN_LAPSE
    if is_open or wanted.lapses_before is not None or wanted.sort is ReferralSort.LAPSES:
        can_lapse = of_study.where(latest.expires_at_us > to_us(now))
        if wanted.lapses_before is not None:
            can_lapse = can_lapse.where(latest.expires_at_us < to_us(wanted.lapses_before))
        part = can_lapse.cte("can_lapse").prefix_with("MATERIALIZED")
        return [(part.c, sa.select(part))]
    if wanted.site_id is not None:
        return [(latest, of_study.where(latest.site_id == wanted.site_id))]
    if wanted.states is not None and len(kinds := {STATES[state].event for state in wanted.states}) == 1:
        return [(latest, of_study.where(latest.kind == kinds.pop()))]
    if visible is not None and len(visible.site_ids) <= _MAX_SITES:
        sites = [(latest, of_study.where(latest.site_id == site_id)) for site_id in sorted(visible.site_ids)]
        return [*sites, (latest, of_study.where(latest.referral_id.in_(sorted(visible.waiting_ids))))]
    return [(latest, of_study)]


def _period(connection: sa.Connection, study_id: str, wanted: ReferralFilter) -> list[Any]:
    """Return the conditions on `seq` for the wanted period: in a study's chain, later events have later times."""
    bounds: list[Any] = []
    if wanted.changed_from is not None:
        first = first_at(connection, study_id, to_us(wanted.changed_from))
        bounds.append(lambda seq: seq >= first)
    if wanted.changed_before is not None:
        end = first_at(connection, study_id, to_us(wanted.changed_before))
        bounds.append(lambda seq: seq < end)
    return bounds


def head_of(connection: sa.Connection, study_id: str) -> int:
    """Return the position of a study's last event; 0 if it has none."""
    head = sa.select(cap.c.head_seq).where(cap.c.study_id == study_id, cap.c.level == "STUDY", cap.c.scope == "")
    return connection.execute(head).scalar_one_or_none() or 0


def first_at(connection: sa.Connection, study_id: str, at_us: int) -> int:
    """Return the position of the study's first event at or after a time, by bisection; one beyond the last if none."""
    low, high = 1, head_of(connection, study_id) + 1
    query = sa.select(event.c.at_us).where(event.c.study_id == study_id, event.c.seq == sa.bindparam("seq"))
    while low < high:
        middle = (low + high) // 2
        if connection.execute(query, {"seq": middle}).scalar_one() < at_us:
            low = middle + 1
        else:
            high = middle
    return low


def _time_of(connection: sa.Connection, study_id: str, seq: int) -> datetime:
    query = sa.select(event.c.at_us).where(event.c.study_id == study_id, event.c.seq == seq)
    return from_us(connection.execute(query).scalar_one())


def _page(
    rows: Sequence[sa.Row[Any]],
    now: datetime,
    place: Sequence[int] = (),
    *,
    searched_to: datetime | None = None,
) -> ReferralPage:
    return ReferralPage(
        referrals=tuple(referral_from(read_event(row), now) for row in rows),
        cursor="-".join(map(str, place)) or None,
        searched_to=searched_to,
    )
