"""Reading where all referrals of a study stand, now or at an earlier instant."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from sitematch.domain.ledger import EventKind
from sitematch.domain.standing import OldestHold, Standing, Unplaced, Waiting
from sitematch.store.counting import latest_at, latest_now, read_view
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.journeys import ledger_head
from sitematch.store.schema import event


def standing(store: Store, study_id: str, as_of: datetime, *, is_past: bool) -> Standing:
    """Return where all referrals of a study stand.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    as_of
        The instant (aware).
    is_past
        Whether to replay the events up to `as_of`; otherwise it is now, and the latest of each referral is taken.

    Raises
    ------
    StudyNotFound
        If neither the catalogue nor the ledger knows the study.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        view = read_view(connection, study_id, as_of, is_past=is_past)
        latest = latest_at(study_id, as_of) if is_past else latest_now(study_id)
        events, head_hash = ledger_head(connection, study_id, as_of)
        return Standing(
            as_of=as_of,
            view=view,
            unplaced=_unplaced(connection, latest),
            waiting=_waiting(connection, latest),
            oldest_holds=_oldest_holds(connection, latest, as_of),
            events=events,
            head_hash=head_hash,
        )


def _unplaced(connection: sa.Connection, latest: sa.Subquery) -> tuple[Unplaced, ...]:
    columns = latest.c
    query = (
        sa.select(columns.kind, columns.arm, sa.func.count().label("n"))
        .where(columns.site_id.is_(None))
        .group_by(columns.kind, columns.arm)
    )
    return tuple(Unplaced(EventKind(row.kind), row.arm, row.n) for row in connection.execute(query))


def _waiting(connection: sa.Connection, latest: sa.Subquery) -> tuple[Waiting, ...]:
    query = sa.select(latest.c.arm, event.c.detail).where(
        latest.c.kind == EventKind.WAITING.value, event.c.study_id == latest.c.study_id, event.c.seq == latest.c.seq
    )
    return tuple(
        Waiting(row.arm, tuple(msgspec.json.decode(row.detail)["site_ids"])) for row in connection.execute(query)
    )


def _oldest_holds(connection: sa.Connection, latest: sa.Subquery, as_of: datetime) -> tuple[OldestHold, ...]:
    columns = latest.c
    query = (
        sa.select(columns.site_id, columns.country, columns.arm, sa.func.min(event.c.at_us).label("since_us"))
        .where(
            columns.kind == EventKind.HELD.value,
            columns.expires_at_us > to_us(as_of),
            event.c.study_id == columns.study_id,
            event.c.seq == columns.seq,
        )
        .group_by(columns.site_id, columns.country, columns.arm)
    )
    return tuple(
        OldestHold(row.site_id, row.country, row.arm, from_us(row.since_us)) for row in connection.execute(query)
    )
