"""``db``: the database's schema, backup and restore."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from sitematch.cli.common import (
    EXIT_DATA_FAULT,
    STORE,
    Commands,
    exit_codes,
    plain_errors,
    prepared_settings,
    say,
    settings,
)
from sitematch.cli.context import open_context

_CODES = exit_codes(EXIT_DATA_FAULT, *STORE)

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Commands)
def db() -> None:
    """Create, upgrade, back up and restore the database."""


@db.command("upgrade", epilog=_CODES)
@plain_errors
def upgrade() -> None:
    """Create the database or upgrade its schema. The default study is loaded into an empty database.

    \b
    Example:
      SITEMATCH_DATABASE_URL=postgresql://user:password@host/sitematch sitematch db upgrade
    """
    prepared_settings(datetime.now(UTC))
    say("The database is ready.")


@db.command("backup", epilog=_CODES)
@click.argument("file", type=_FILE)
@plain_errors
def backup(file: Path) -> None:
    """Back up the whole database to FILE, even while it is in use.

    The backup is an SQLite file, even from PostgreSQL; `db restore` can restore it to either. FILE must not exist yet.

    \b
    Example:
      sitematch db backup sitematch-2026-01-31.backup
    """
    from sitematch.services.setup import back_up

    with open_context() as context:
        back_up(context.store, file)
    say(f"{file}: {file.stat().st_size:,} bytes.")


@db.command("restore", epilog=_CODES)
@click.argument("file", type=_FILE)
@plain_errors
def restore(file: Path) -> None:
    """Restore a backup into a new, empty database. A database with data in it is not changed.

    \b
    Example:
      SITEMATCH_HOME=/srv/new sitematch db restore sitematch-2026-01-31.backup
    """
    from sitematch.services import setup

    chosen = settings()
    setup.prepare_schema(chosen, say)
    with setup.open_store(chosen.database_url) as store:
        setup.restore(store, file)
    say("Restored.")
