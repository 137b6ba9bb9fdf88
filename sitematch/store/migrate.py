"""Creating and changing the schema, with Alembic and without an ini file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sitematch.errors import NotReady
from sitematch.store.engine import Store
from sitematch.store.faults import translated_errors
from sitematch.store.schema import SCHEMA_REVISION

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

_SCRIPTS = Path(__file__).with_name("migrations")
# Any number works, as long as nothing else in the same PostgreSQL database uses it.
_ADVISORY_LOCK = 7_319_204_001


def upgrade(store: Store, revision: str = SCHEMA_REVISION) -> None:
    """Upgrade the schema to a revision, in one transaction; do nothing if it already has it.

    Parameters
    ----------
    store
        Opened with ``require_ready=False``.
    revision
        Target, e.g. ``"0001"``.

    Raises
    ------
    NotReady
        If the database has a revision that this version of the program does not know.
    LedgerBusy, StorageFault
        See `Store.writing`; the schema is unchanged.
    """
    _run("upgrade", store, revision)


def downgrade(store: Store, revision: str) -> None:
    """Downgrade the schema to an earlier revision, in one transaction. Data in later tables is lost.

    Parameters
    ----------
    store
        Opened with ``require_ready=False``.
    revision
        Target, e.g. ``"0001"``; ``"base"`` removes every table.

    Raises
    ------
    NotReady
        If the database has a revision that this version of the program does not know.
    LedgerBusy, StorageFault
        See `Store.writing`; the schema is unchanged.
    """
    _run("downgrade", store, revision)


def revisions() -> tuple[str, ...]:
    """Return every revision that this version of the program knows, oldest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_SCRIPTS))
    return tuple(reversed([script.revision for script in scripts.walk_revisions()]))


def _run(direction: str, store: Store, revision: str) -> None:
    # Alembic takes a fifth of a second to import, and only these commands need it.
    from alembic import command
    from alembic.util.exc import CommandError

    with translated_errors(store.where), store.writing() as connection:
        _wait_for_turn(connection)
        try:
            getattr(command, direction)(_config(connection), revision)
        except CommandError as error:
            raise NotReady(f"The schema cannot be changed to {revision!r}: {error}") from error


def _wait_for_turn(connection: Connection) -> None:
    """Allow one process at a time to change the schema; on SQLite the write lock ensures this."""
    if connection.dialect.name == "postgresql":
        # A large table may take longer than any request.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
