"""Making the database ready, opening it, and copying it as a whole: for who serves or commands, not for callers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sitematch.config import Settings, data_file
from sitematch.importers.study_file import read_study as read_study_file
from sitematch.importers.tables.sites_csv import read_sites as read_sites_file
from sitematch.store import migrate
from sitematch.store.backup import back_up, restore
from sitematch.store.capacity.stated_caps import take_stated_caps
from sitematch.store.engine import Store, open_store
from sitematch.store.schema import SCHEMA_REVISION
from sitematch.store.studies import catalogue

__all__ = ["Store", "back_up", "open_store", "prepare", "prepare_catalogue", "prepare_schema", "restore"]


def prepare(settings: Settings, say: Callable[[str], None], now: datetime) -> None:
    """Bring the database's schema up to date, give an empty catalogue the default study, and the ledger stated caps.

    Parameters
    ----------
    settings
        Where the database is.
    say
        Takes a line for each thing that was done; nothing is said when all was ready.
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


def prepare_catalogue(settings: Settings, say: Callable[[str], None]) -> None:
    """Do as `prepare` does, but leave the ledger as it is: for whoever fills it next. Errors: see there."""
    prepare_schema(settings, say)
    with open_store(settings.database_url) as store:
        if not catalogue.list_studies(store):
            study = read_study_file(data_file("study.json"))
            sites = read_sites_file(data_file("sites.csv")).sites
            catalogue.replace_study(store, study, sites)
            say(f"Database: loaded {study.study_id} with {len(sites)} sites.")


def prepare_schema(settings: Settings, say: Callable[[str], None]) -> None:
    """Bring the database's schema up to date, and nothing else.

    Raises
    ------
    StorageFault, LedgerBusy
        If the database cannot be written.
    """
    if settings.database_url.startswith(f"sqlite:///{settings.home}"):
        settings.home.mkdir(parents=True, exist_ok=True)
    with open_store(settings.database_url, require_ready=False) as store:
        if store.schema_revision() != SCHEMA_REVISION:
            migrate.upgrade(store)
            say("Database: schema is up to date.")
