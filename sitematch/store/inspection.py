"""What an operator should know of a database: its pages, its versions, its clock, its ends of chains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sitematch.store.engine import Store
from sitematch.store.faults import translated_errors
from sitematch.store.instants import from_us
from sitematch.store.schema import cap


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    """How a database stands.

    Parameters
    ----------
    version
        Of SQLite or of the PostgreSQL server.
    damage
        What SQLite's ``quick_check`` found, at most ten lines; empty if nothing, and on PostgreSQL.
    clock
        The server's clock (aware, UTC); None on SQLite, which has the machine's.
    most_connections
        How many connections the server allows; None on SQLite.
    is_read_only
        Whether the server is a standby that cannot be written.
    latest_event_at
        When the newest event was recorded (aware, UTC); None if there is none.
    """

    version: str
    damage: tuple[str, ...]
    clock: datetime | None
    most_connections: int | None
    is_read_only: bool
    latest_event_at: datetime | None


def inspect(store: Store) -> DatabaseState:
    """Read how a database stands. SQLite's check reads the whole file: some seconds a gigabyte.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        latest_us = connection.execute(sa.select(sa.func.max(cap.c.head_at_us)).where(cap.c.head_seq > 0)).scalar()
        latest_at = None if latest_us is None else from_us(latest_us)
        if store.dialect == "sqlite":
            version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
            return DatabaseState(
                version=f"SQLite {version}",
                damage=_damage(connection, store.where),
                clock=None,
                most_connections=None,
                is_read_only=False,
                latest_event_at=latest_at,
            )
        row = connection.exec_driver_sql(
            "SELECT current_setting('server_version'), clock_timestamp(), current_setting('max_connections')::int, "
            "pg_is_in_recovery()"
        ).one()
        return DatabaseState(
            version=f"PostgreSQL {row[0]}",
            damage=(),
            clock=row[1],
            most_connections=row[2],
            is_read_only=row[3],
            latest_event_at=latest_at,
        )


def _damage(connection: sa.Connection, where: str) -> tuple[str, ...]:
    with translated_errors(where):
        found = tuple(str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(10)"))
    return () if found == ("ok",) else found
