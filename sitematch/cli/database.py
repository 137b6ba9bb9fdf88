"""``db``: the database's schema, backup and restore."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from sitematch.cli.common import EXIT_DATA_FAULT, STORE, Commands, exit_codes, plain_errors, say, settings
from sitematch.cli.context import open_context

_CODES = exit_codes(EXIT_DATA_FAULT, *STORE)

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Commands)
def db() -> None:
    """Look after the database."""


@db.command("upgrade", epilog=_CODES)
@plain_errors
def upgrade() -> None:
    """Create the database or bring its schema up to date; load the default study into an empty one.

    \b
    Example:
      SITEMATCH_DATABASE_URL=postgresql://user:password@host/sitematch sitematch db upgrade
    """
    from sitematch.services.setup import prepare

    prepare(settings(), say, datetime.now(UTC))
    say("The database is ready.")


@db.command("backup", epilog=_CODES)
@click.argument("file", type=_FILE)
@plain_errors
def backup(file: Path) -> None:
    """Write the whole database to FILE while it is in use; the copy is of one instant.

    The file is an SQLite database whatever it was taken from; `db restore` reads it into either kind. It must not
    exist yet.

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
    """Fill a new, empty database from a backup; one that holds anything is not touched.

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
