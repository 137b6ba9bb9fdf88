"""Counts of look-ups by region and month: in batches, never a single one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sitematch.domain.reports.demand import BATCH, DemandCell
from sitematch.store import idempotency
from sitematch.store.engine import Store
from sitematch.store.schema import demand


def add_batches(
    store: Store, month: str, batches: Mapping[tuple[str, str], int], *, write_id: str, now: datetime
) -> None:
    """Add look-ups to a month's counts, in one transaction.

    Parameters
    ----------
    store
        The database.
    month
        ``"2026-01"``.
    batches
        By study and region: positive multiples of `BATCH`.
    write_id
        A random name of this write. Within 24 hours the same name is written once: a caller that does not know whether
        a write was kept can repeat it.
    now
        The instant (aware), kept with the name.

    Raises
    ------
    ValueError
        If a number is invalid; nothing is written then.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    if any(lookups <= 0 or lookups % BATCH for lookups in batches.values()):
        raise ValueError(f"Look-ups are written in multiples of {BATCH} only.")
    if not batches:
        return
    # Always in the same order, so that two servers that write at once cannot block each other.
    rows = [
        {"study_id": study_id, "month": month, "region": region, "lookups": lookups}
        for (study_id, region), lookups in sorted(batches.items())
    ]
    insert = (postgresql.insert if store.dialect == "postgresql" else sqlite.insert)(demand)
    statement = insert.on_conflict_do_update(
        index_elements=[demand.c.study_id, demand.c.month, demand.c.region],
        set_={"lookups": demand.c.lookups + insert.excluded.lookups},
    )
    with store.writing() as connection:
        if idempotency.is_first(connection, write_id, now):
            connection.execute(statement, rows)


def read_demand(store: Store, study_id: str, months: Sequence[str]) -> tuple[DemandCell, ...]:
    """Return a study's counts in some months, by month and region.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    query = (
        sa.select(demand)
        .where(demand.c.study_id == study_id, demand.c.month.in_(months))
        .order_by(demand.c.month, demand.c.region)
    )
    with store.reading() as connection:
        return tuple(
            DemandCell(month=row.month, region=row.region, lookups=row.lookups) for row in connection.execute(query)
        )
