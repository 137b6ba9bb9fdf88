"""Preparing, opening and copying the database, for servers and commands, not for API callers."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sitematch.config import Settings, data_file
from sitematch.domain.plurals import counted
from sitematch.errors import NotReady, StorageFault
from sitematch.importers.study_file import read_study as read_study_file
from sitematch.importers.tables.sites_csv import read_sites as read_sites_file
from sitematch.store import migrate
from sitematch.store.backup import back_up, restore
from sitematch.store.capacity.stated_caps import take_stated_caps
from sitematch.store.engine import Store, open_store
from sitematch.store.guards import ClockGuard
from sitematch.store.retention import forget_old
from sitematch.store.schema import SCHEMA_REVISION
from sitematch.store.studies import catalogue

__all__ = [
    "ClockGuard",
    "Store",
    "back_up",
    "forget_old",
    "open_store",
    "prepare",
    "prepare_catalogue",
    "prepare_schema",
    "prepared_to_read",
    "require_database",
    "restore",
]


def prepare(settings: Settings, say: Callable[[str], None], now: datetime) -> None:
    """Upgrade the schema, add the default study to an empty catalogue, and set the stated caps in the ledger.

    Parameters
    ----------
    settings
        Where the database is.
    say
        Takes one line for each step; it is not called if nothing had to be done.
    now
        The instant (aware), for the audit trail.

    Raises
    ------
    NotReady, DataFault
        If the packaged study or sites cannot be read.
    StorageFault, LedgerBusy
        If the database cannot be written.
    """
    prepare_catalogue(settings, say)
    with open_store(settings.database_url) as store:
        count = take_stated_caps(store, now)
    if count:
        say(f"Database: stored {count} stated cap{'s' if count > 1 else ''}.")


@contextmanager
def prepared_to_read(settings: Settings, say: Callable[[str], None], now: datetime) -> Iterator[Settings]:
    """Prepare the database like `prepare`, or use a temporary one in a read-only folder; for read-only commands.

    Parameters
    ----------
    settings, say, now
        As for `prepare`.

    Yields
    ------
    Settings
        The given settings. If the folder is read-only, the same settings with a database in a temporary folder that is
        deleted after the block: a copy of the existing one, or a new one.

    Raises
    ------
    NotReady, DataFault, StorageFault, LedgerBusy
        See `prepare`. A database that cannot be written, read or copied causes a `StorageFault`.
    """
    try:
        prepare(settings, say, now)
    except StorageFault:
        if not settings.database_url.startswith(f"sqlite:///{settings.home}"):
            raise
    else:
        yield settings
        return
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    try:
        open_store(settings.database_url).close()
    except (NotReady, StorageFault):
        log = file.with_name(f"{file.name}-wal")
        if log.is_file() and log.stat().st_size:
            raise  # another process is writing, and the copy would contain half of its changes
    else:
        yield settings
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        if file.exists():
            shutil.copyfile(file, copy)
        else:
            say(f"{settings.home} cannot be written, so the answer uses the data of a new installation.")
        borrowed = replace(settings, home=Path(folder), database_url=f"sqlite:///{copy}")
        prepare(borrowed, lambda _: None, now)
        yield borrowed


def require_database(settings: Settings) -> None:
    """Check that there is a database with the schema that this program needs, and make none.

    Raises
    ------
    NotReady
        If it is missing, empty or of another version; the message says what to run.
    StorageFault, LedgerBusy
        If it cannot be read.
    """
    address = settings.database_url
    file = Path(address.removeprefix("sqlite:///"))
    if address.startswith("sqlite:///") and not file.exists():
        raise NotReady(
            f"There is no database: {file} is missing. If this is a new installation, run `sitematch db upgrade` "
            "first, or `sitematch serve --create`. If not, check SITEMATCH_HOME and SITEMATCH_DATABASE_URL."
        )
    open_store(address).close()


def prepare_catalogue(settings: Settings, say: Callable[[str], None]) -> None:
    """Prepare the database without changing the ledger, for a command that fills it next. Errors: see `prepare`."""
    prepare_schema(settings, say)
    with open_store(settings.database_url) as store:
        if not catalogue.list_studies(store):
            study = read_study_file(data_file("study.json"))
            sites = read_sites_file(data_file("sites.csv")).sites
            catalogue.replace_study(store, study, sites)
            say(f"Database: loaded {study.study_id} with {counted(len(sites), 'site')}.")


def prepare_schema(settings: Settings, say: Callable[[str], None]) -> None:
    """Upgrade only the database's schema.

    Raises
    ------
    StorageFault, LedgerBusy
        If the database cannot be written.
    """
    if settings.database_url.startswith(f"sqlite:///{settings.home}"):
        try:
            # Nobody else has to read what is in it: addresses of coordinators, the secrets that sign webhooks.
            settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFault(
                f"Cannot create the folder {settings.home} for the database: {error.strerror}. "
                "Name another with SITEMATCH_HOME.",
                kind=errno.errorcode.get(error.errno or 0, "OSError"),
            ) from error
    with open_store(settings.database_url, require_ready=False) as store:
        if store.schema_revision() != SCHEMA_REVISION:
            migrate.upgrade(store)
            say("Database: schema is up to date.")
