"""Reading the ledger referral by referral, each with all its events, with memory that does not grow with the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa

from sitematch.domain.capacity.attempt import AttemptStep
from sitematch.domain.capacity.states import EventKind
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import event

_ROWS_A_READ = 10_000


def ledger_head(connection: sa.Connection, study_id: str, as_of: datetime) -> tuple[int, str]:
    """Return the position and hash of a study's last event up to a given time; 0 and an empty text if there is none."""
    query = (
        sa.select(event.c.seq, event.c.hash)
        .where(event.c.study_id == study_id, event.c.at_us <= to_us(as_of))
        .order_by(event.c.seq.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return (0, "") if row is None else (row.seq, row.hash)


def read_head(store: Store, study_id: str, as_of: datetime) -> tuple[int, str]:
    """Return the result of `ledger_head`, for callers without a connection.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        return ledger_head(connection, study_id, as_of)


def iter_journeys(store: Store, study_id: str, up_to_seq: int) -> Iterator[tuple[AttemptStep, ...]]:
    """Yield the events of each referral of a study, oldest first; the order of referrals is undefined.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    up_to_seq
        The last event to include (see `read_head`).

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    columns = (
        event.c.referral_id,
        event.c.kind,
        event.c.at_us,
        event.c.site_id,
        event.c.country,
        event.c.expires_at_us,
        event.c.reason,
    )
    query = (
        sa.select(*columns)
        .where(event.c.study_id == study_id, event.c.seq <= up_to_seq, event.c.referral_id.is_not(None))
        .order_by(event.c.referral_id, event.c.seq)
    )
    kinds = {kind.value: kind for kind in EventKind}
    with store.reading() as connection:
        rows = connection.execution_options(yield_per=_ROWS_A_READ).execute(query)
        for _, steps in groupby(rows, key=itemgetter(0)):
            yield tuple(
                AttemptStep(
                    kinds[kind], from_us(at_us), site_id, country, None if lapses is None else from_us(lapses), reason
                )
                for _, kind, at_us, site_id, country, lapses, reason in steps
            )
