"""Backup and restore: one file format for both databases.

A backup is an SQLite file with the same tables. It is taken while the program runs, inside one read transaction, so it
is consistent; it needs no other tool, and it can be opened and verified like any database. A backup of SQLite can be
restored into PostgreSQL and vice versa, which is also the way to move from one to the other.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import sqlalchemy as sa

from sitematch.errors import DataFault, Fault, NotReady, StorageFault
from sitematch.store import schema
from sitematch.store.engine import Store, open_store
from sitematch.store.migrate import upgrade

_ROWS_A_BATCH = 1_000


def back_up(store: Store, target: Path) -> None:
    """Write the whole database to a file while it is in use.

    Parameters
    ----------
    store
        The database.
    target
        Must not exist yet. It appears complete or not at all, and only its owner can read it.

    Raises
    ------
    DataFault
        If the file exists.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    if target.exists():
        raise _fault(f"{target.name} already exists. A backup never overwrites a file.")
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        _create_private(partial)
        with open_store(f"sqlite:///{partial}", require_ready=False) as copy:
            upgrade(copy)
            with store.reading() as source, copy.writing() as sink:
                _copy(source, sink)
            with copy.engine.connect() as connection:
                # One file, without a separate journal.
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        _settle(partial)
        partial.rename(target)
    finally:
        for leftover in (partial, *(partial.with_name(partial.name + end) for end in ("-wal", "-shm"))):
            leftover.unlink(missing_ok=True)


def restore(store: Store, source: Path) -> None:
    """Fill an empty database from a backup, in one transaction.

    Parameters
    ----------
    store
        An upgraded, empty database.
    source
        A file from `back_up`, from either kind of database.

    Raises
    ------
    DataFault
        If the file is missing or is not a backup, or the database is not empty; nothing is written.
    NotReady
        If the backup is from another version of the program.
    LedgerBusy, StorageFault
        See `Store.writing`.
    """
    if not source.is_file():
        raise _fault(f"There is no file {source.name}.")
    try:
        copy = open_store(f"sqlite:///{source}")
    except NotReady as error:
        raise NotReady(f"The backup was made by another version of sitematch. {error.message}") from error
    except StorageFault as error:
        raise _fault(f"{source.name} is not a backup file ({error.kind}).") from error
    with copy, copy.reading() as origin, store.writing() as sink:
        for table in _tables():
            if table is not schema.catalogue and sink.execute(sa.select(table).limit(1)).first() is not None:
                raise _fault(f"The database is not empty: {table.name} has rows. Restore into a new database.")
        _copy(origin, sink)
        # The number stays but the content changes: a version that was seen before must not be used again.
        sink.execute(sa.update(schema.catalogue).values(epoch=secrets.token_hex(4)))


def _tables() -> list[sa.Table]:
    return schema.metadata.sorted_tables


def _copy(source: sa.Connection, sink: sa.Connection) -> None:
    sink.execute(sa.delete(schema.catalogue))
    for table in _tables():
        rows = source.execution_options(yield_per=_ROWS_A_BATCH).execute(sa.select(table)).mappings()
        for batch in rows.partitions():
            sink.execute(sa.insert(table), [dict(row) for row in batch])


def _create_private(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _settle(path: Path) -> None:
    """Write the file to the disk before it gets its name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fault(reason: str) -> DataFault:
    return DataFault(reason, faults=[Fault(line=0, field="", value="", reason=reason)])
