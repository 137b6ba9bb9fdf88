"""Making the database ready and opening what a look-up needs."""

from __future__ import annotations

from collections.abc import Callable

from sitematch.config import Settings, data_file
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.sites_csv import read_sites as read_sites_file
from sitematch.importers.study_file import read_study as read_study_file
from sitematch.services.finder import Finder


def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Bring the database's schema up to date, and give an empty catalogue the default study.

    Parameters
    ----------
    settings
        Where the database is.
    say
        Takes a line for each thing that was done; nothing is said when all was ready.

    Raises
    ------
    NotReady, DataFault
        If the packaged study or sites cannot be read.
    StorageFault, LedgerBusy
        If the database cannot be written.
    """
    from sitematch.store import catalogue, migrate
    from sitematch.store.engine import open_store
    from sitematch.store.schema import SCHEMA_REVISION

    if settings.database_url.startswith(f"sqlite:///{settings.home}"):
        settings.home.mkdir(parents=True, exist_ok=True)
    with open_store(settings.database_url, require_ready=False) as store:
        if store.schema_revision() != SCHEMA_REVISION:
            migrate.upgrade(store)
            say("Database: schema is up to date.")
        if not catalogue.list_studies(store):
            study = read_study_file(data_file("study.json"))
            sites = read_sites_file(data_file("sites.csv")).sites
            catalogue.replace_study(store, study, sites)
            say(f"Database: loaded {study.study_id} with {len(sites)} sites.")


def open_finder(settings: Settings) -> Finder:
    """Open the gazetteer and the catalogue and build the index: all that a look-up needs.

    Parameters
    ----------
    settings
        Where things are, and which study.

    Raises
    ------
    NotReady
        If the gazetteer or the database is missing; the message says how to build it.
    StudyNotFound
        If the catalogue does not hold the study.
    """
    from sitematch.store import catalogue
    from sitematch.store.engine import open_store

    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with open_store(settings.database_url) as store:
        study = catalogue.read_study(store, settings.study_id)
        sites = catalogue.read_sites(store, settings.study_id)
    return Finder(gazetteer, study, sites)
