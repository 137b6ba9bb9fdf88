"""Reading the states of all referrals of a study, now or at an earlier time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sitematch.domain.capacity.referral_counts import OldestHold, ReferralsWithoutSite, StudyCounts, Waiting
from sitematch.domain.capacity.states import EventKind
from sitematch.domain.capacity.waiting_detail import WaitingDetail
from sitematch.store.capacity.counting import STANDING_EVENT, expiry_of, group_from, latest_at, view_of
from sitematch.store.capacity.history.referral_histories import ledger_head
from sitematch.store.engine import Store
from sitematch.store.instants import from_us
from sitematch.store.schema import event, latest_event


def study_counts(store: Store, study_id: str, as_of: datetime, *, is_past: bool) -> StudyCounts:
    """Return the states of all referrals of a study.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    as_of
        The instant (aware).
    is_past
        Whether to replay the events up to `as_of`; otherwise `as_of` is now, and the latest event of each referral is
        used.

    Raises
    ------
    StudyNotFound
        If neither the catalogue nor the ledger knows the study.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        rows = connection.execute(_tally(latest_at(study_id, as_of) if is_past else _latest(study_id), as_of)).all()
        groups = tuple(group_from(row) for row in rows if row.site_id is not None)
        events, head_hash = ledger_head(connection, study_id, as_of)
        return StudyCounts(
            as_of=as_of,
            view=view_of(connection, study_id, as_of, groups, is_past=is_past),
            unplaced=tuple(
                ReferralsWithoutSite(EventKind(row.kind), row.arm, row.n) for row in rows if row.site_id is None
            ),
            waiting=tuple(_waiting(row) for row in rows if row.waiting is not None for _ in range(row.n)),
            oldest_holds=tuple(
                OldestHold(row.site_id, row.country, row.arm, from_us(row.since_us))
                for row in rows
                if row.kind == EventKind.HELD and row.lapses
            ),
            events=events,
            head_hash=head_hash,
        )


def _latest(study_id: str) -> sa.Subquery:
    """Return the complete latest event of each referral, from the index of latest events."""
    joined = latest_event.join(
        event, sa.and_(event.c.study_id == latest_event.c.study_id, event.c.seq == latest_event.c.seq)
    )
    return sa.select(*STANDING_EVENT).select_from(joined).where(latest_event.c.study_id == study_id).subquery()


def _tally(latest: sa.Subquery, as_of: datetime) -> sa.Select[Any]:
    """Count referrals in the same situation, in one pass, because a replay is slow."""
    columns = latest.c
    alike = (
        columns.site_id,
        columns.country,
        columns.arm,
        columns.kind,
        expiry_of(columns, as_of),
        sa.case((columns.kind == EventKind.WAITING.value, columns.detail)).label("waiting"),
    )
    return sa.select(*alike, sa.func.count().label("n"), sa.func.min(columns.at_us).label("since_us")).group_by(*alike)


def _waiting(row: sa.Row[Any]) -> Waiting:
    return Waiting(row.arm, WaitingDetail.of(row.waiting).site_ids)
