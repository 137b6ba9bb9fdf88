"""Opening a database: connections, transactions, and conversion of the driver's errors.

Write transactions take their lock at once. On SQLite that is ``BEGIN IMMEDIATE``: otherwise a transaction that starts
with a read and then writes fails at once if another one has written meanwhile. On PostgreSQL the first statement of a
write updates the row that protects the changed data (see `sitematch.store.capacity.ledger`), at READ COMMITTED.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event

from sitematch.errors import InvalidInput, LedgerBusy, NotReady
from sitematch.extras import needs_extra
from sitematch.store.faults import RETRY_AFTER_S, translated_errors
from sitematch.store.guards import ClockGuard, FileGuard, WriteGuards
from sitematch.store.postgres import connect_arguments, host_of, parse_address
from sitematch.store.schema import SCHEMA_REVISION

T = TypeVar("T")

BUSY_TIMEOUT_S = 10.0
"""How long a write waits, in seconds, before it fails because the database is busy."""

_POOL_SIZE, _POOL_OVERFLOW = 8, 24

CONNECTIONS_OF_A_PROCESS = _POOL_SIZE + _POOL_OVERFLOW
"""The most connections that one process opens."""
_WRITE = "sitematch_write"

_SQLITE_SETTINGS = (
    # Readers and the writer never wait for each other.
    "PRAGMA journal_mode = WAL",
    # A confirmed spot must survive a power cut, so each commit is flushed to the disk. NORMAL, which many programs use
    # with WAL, survives a killed process but may lose the last commits when the machine fails.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # Without this, INSERT OR REPLACE deletes a row without firing the trigger that forbids deleting events.
    "PRAGMA recursive_triggers = ON",
)


class Store:
    """An open database. Thread-safe; open one in each process, after the fork.

    Parameters
    ----------
    engine
        The SQLAlchemy engine, from `open_store`.
    busy_timeout_s
        How long a write waits, in seconds.
    guards
        The checks around each write; none by default.
    """

    def __init__(
        self, engine: sa.Engine, *, busy_timeout_s: float = BUSY_TIMEOUT_S, guards: WriteGuards | None = None
    ) -> None:
        self.engine = engine
        self.guards = guards or WriteGuards()
        self._busy_timeout_s = busy_timeout_s
        self._turn = threading.Lock()
        # A store that nobody closed closes its connections with itself, as files do.
        weakref.finalize(self, _dispose, engine, os.getpid()).atexit = False

    @property
    def dialect(self) -> str:
        """``"sqlite"`` or ``"postgresql"``."""
        return self.engine.dialect.name

    @property
    def where(self) -> str:
        """The file of an SQLite database, or name and host of a PostgreSQL one; never a password."""
        url = self.engine.url
        if self.dialect == "sqlite":
            return str(Path(url.database or "").absolute())
        return f"{url.database} on {host_of(url)}"

    def connections(self) -> tuple[int, int]:
        """Return how many connections are in use, and how many are open and idle."""
        pool = self.engine.pool
        return (pool.checkedout(), pool.checkedin()) if isinstance(pool, sa.QueuePool) else (0, 0)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a read-only connection whose statements all see the same state.

        Yields
        ------
        sqlalchemy.Connection
            Inside a transaction that ends with the block.

        Raises
        ------
        LedgerBusy
            If no connection became free in time.
        StorageFault
            If the database cannot be reached or read.
        """
        with translated_errors(self.where), self.engine.connect() as connection:
            if self.dialect == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a connection with a write transaction: committed after the block, rolled back after an error.

        Yields
        ------
        sqlalchemy.Connection
            On SQLite the transaction already has the write lock; on PostgreSQL the caller's first statement takes it.

        Raises
        ------
        LedgerBusy
            If another write did not finish in `BUSY_TIMEOUT_S`, or too many writes are waiting; nothing was written.
        StorageFault
            If the database cannot be reached, read or written (a full disk, a server that went away). If this happened
            during the commit, the write may have been stored: repeat it with the same idempotency key.
        """
        with (
            self.guards.place(),
            self._own_turn(),
            translated_errors(self.where),
            self.engine.connect() as connection,
        ):
            marked = connection.execution_options(**{_WRITE: True})
            self.guards.check()
            with marked.begin():
                yield marked
                # Confirmed data must be in the file that the next start will read.
                self.guards.check()

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        """Make the threads of this process write to SQLite one after another.

        SQLite itself waits by sleeping for longer and longer between attempts, so under load some threads wait for
        seconds while others overtake them. Threads that queue here wake up as soon as it is their turn. PostgreSQL has
        its own queue.
        """
        if self.dialect != "sqlite":
            yield
            return
        if not self._turn.acquire(timeout=self._busy_timeout_s):
            raise LedgerBusy(
                "The database is busy: the wait for another write took too long. Try again shortly.",
                retry_after_s=RETRY_AFTER_S,
            )
        try:
            yield
        finally:
            self._turn.release()

    def require_ready(self) -> None:
        """Check that the schema has this program's version.

        Raises
        ------
        NotReady
            If there is none or it has another version.
        StorageFault
            If the database cannot be reached.
        """
        found = self.schema_revision()
        if found != SCHEMA_REVISION:
            state = "has no tables yet" if found is None else f"is at schema {found}"
            what_to_do = "Run `sitematch db upgrade`."
            if found is not None and found > SCHEMA_REVISION:
                what_to_do = "It was written by a newer version of sitematch: use that version."
            raise NotReady(f"The database {state}; this version needs schema {SCHEMA_REVISION}. {what_to_do}")

    def schema_revision(self) -> str | None:
        """Return the schema's revision, e.g. ``"0001"``; None for an empty database."""
        with self.reading() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return None if found is None else str(found)

    def close(self) -> None:
        """Close every connection; the store cannot be used afterwards."""
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(
    url: str,
    *,
    require_ready: bool = True,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    clock: ClockGuard | None = None,
    most_waiting: int | None = None,
) -> Store:
    """Open a database.

    Parameters
    ----------
    url
        ``"sqlite:///relative/file.db"``, ``"sqlite:////absolute/file.db"`` or
        ``"postgresql://user:password@host/database"``, also with several hosts: see `postgres.parse_address`.
    require_ready
        Whether to check the schema first; False for the commands that create it.
    busy_timeout_s
        How long a write waits, in seconds.
    clock, most_waiting
        For servers: see `sitematch.store.guards.WriteGuards`.

    Returns
    -------
    Store
        Close it, or use it in a ``with`` block.

    Raises
    ------
    InvalidInput
        If the URL has an unknown scheme, or is an SQLite database in memory.
    NotReady
        If the schema is missing or has another version, or PostgreSQL's driver is not installed.
    StorageFault
        If the database cannot be reached.
    """
    parsed = parse_address(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        engine = _sqlite_engine(parsed, busy_timeout_s)
        guards = WriteGuards(file=FileGuard(Path(parsed.database or "")), clock=clock, most_waiting=most_waiting)
        store = Store(engine, busy_timeout_s=busy_timeout_s, guards=guards)
    elif backend in ("postgresql", "postgres"):
        engine = _postgres_engine(parsed, busy_timeout_s)
        guards = WriteGuards(clock=clock, most_waiting=most_waiting)
        store = Store(engine, busy_timeout_s=busy_timeout_s, guards=guards)
    else:
        raise InvalidInput(
            f"The database address starts with {backend!r}; only sqlite and postgresql are supported.",
            field="database_url",
        )
    if require_ready:
        try:
            store.require_ready()
        except BaseException:
            store.close()
            raise
    return store


def _sqlite_engine(url: sa.URL, busy_timeout_s: float) -> sa.Engine:
    if url.database in (None, "", ":memory:"):
        raise InvalidInput(
            "An in-memory SQLite database cannot be shared between connections. Name a file.", field="database_url"
        )
    engine = sa.create_engine(url, pool_size=_POOL_SIZE, max_overflow=_POOL_OVERFLOW, pool_timeout=BUSY_TIMEOUT_S)

    @event.listens_for(engine, "do_connect")
    def _create_private(_dialect: object, _record: object, _args: object, _params: object) -> None:
        # SQLite would create the file as the umask allows, and its -wal file with the same permissions.
        with suppress(OSError):
            os.close(os.open(str(url.database), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: object) -> None:
        # The driver must not begin transactions by itself; `_begin` below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        try:
            for setting in (*_SQLITE_SETTINGS, f"PRAGMA busy_timeout = {int(busy_timeout_s * 1000)}"):
                cursor.execute(setting)
        finally:
            cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        is_write = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine


def _postgres_engine(url: sa.URL, busy_timeout_s: float) -> sa.Engine:
    with needs_extra("postgres", "A PostgreSQL database"):
        import psycopg  # noqa: F401 - SQLAlchemy imports it by its name
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        isolation_level="READ COMMITTED",
        connect_args=connect_arguments(busy_timeout_s),
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=BUSY_TIMEOUT_S,
        # After a restart of the database server, the first caller must not get an error.
        pool_pre_ping=True,
    )


def _dispose(engine: sa.Engine, process_id: int) -> None:
    # In a forked child the connections are the parent's: they are dropped, not closed.
    engine.dispose(close=os.getpid() == process_id)


def in_batches(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Yield values in batches that are small enough for the parameters of one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
