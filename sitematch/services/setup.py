"""Making the database ready and opening what a look-up needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from sitematch.config import Settings, data_file
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.study_file import read_study as read_study_file
from sitematch.importers.tables.sites_csv import read_sites as read_sites_file
from sitematch.services.finding.finder import Finder, Foresight

if TYPE_CHECKING:
    from sitematch.services.finding.clinics import ClinicFinder
    from sitematch.store.engine import Store


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
    from sitematch.store.engine import open_store
    from sitematch.store.studies.seeding import take_stated_caps

    prepare_catalogue(settings, say)
    with open_store(settings.database_url) as store:
        count = take_stated_caps(store, now)
    if count:
        say(f"Database: stored {count} stated cap{'s' if count > 1 else ''}.")


def prepare_catalogue(settings: Settings, say: Callable[[str], None]) -> None:
    """Do as `prepare` does, but leave the ledger as it is: for whoever fills it next. Errors: see there."""
    from sitematch.store.engine import open_store
    from sitematch.store.studies import catalogue

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
    from sitematch.store import migrate
    from sitematch.store.engine import open_store
    from sitematch.store.schema import SCHEMA_REVISION

    if settings.database_url.startswith(f"sqlite:///{settings.home}"):
        settings.home.mkdir(parents=True, exist_ok=True)
    with open_store(settings.database_url, require_ready=False) as store:
        if store.schema_revision() != SCHEMA_REVISION:
            migrate.upgrade(store)
            say("Database: schema is up to date.")


def open_finder(settings: Settings, now: datetime) -> Finder:
    """Open the gazetteer, the catalogue and the ledger as they are now, and build the index: for one look-up or a few.

    A server, which has to follow changes, uses `sitematch.services.finding.live_finders.LiveFinders`.

    Parameters
    ----------
    settings
        Where things are, and which study.
    now
        The instant (aware) whose spots are read.

    Raises
    ------
    NotReady
        If the gazetteer or the database is missing; the message says how to build it.
    StudyNotFound
        If the catalogue does not hold the study.
    """
    from sitematch.services.finding.likely_full import read_outlook
    from sitematch.store.engine import open_store

    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with open_store(settings.database_url) as store:
        foresight = read_outlook(store, settings.study_id, now)
        return finder_at(store, gazetteer, settings.study_id, now, foresight=foresight)


def finder_at(
    store: Store, gazetteer: Gazetteer, study_id: str, now: datetime, *, foresight: Foresight | None = None
) -> Finder:
    """Read a study, its sites and its spots as they are now, and build the index.

    Parameters
    ----------
    store
        The open database.
    gazetteer
        Turns texts into places.
    study_id
        The study.
    now
        The instant (aware) whose spots are read.
    foresight
        Which sites will soon be full, for who asks a forecast; None tells nothing of it.

    Raises
    ------
    StudyNotFound
        If the catalogue does not hold the study.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    from sitematch.services.finding.live_finders import read_capacity
    from sitematch.store.studies import catalogue
    from sitematch.store.studies.contacts import read_contacts

    study = catalogue.read_study(store, study_id)
    sites = catalogue.read_sites(store, study_id)
    return Finder(
        gazetteer,
        study,
        sites,
        capacity=read_capacity(store, study, now),
        contacts=read_contacts(store, study_id),
        foresight=foresight,
    )


@contextmanager
def open_clinics(settings: Settings, now: datetime) -> Iterator[ClinicFinder]:
    """Open the gazetteer, the catalogue and the ledger as they are now, for one look-up over all studies or a few.

    Parameters
    ----------
    settings
        Where things are.
    now
        The instant (aware) whose spots are read.

    Yields
    ------
    ClinicFinder
        Good within the block.

    Raises
    ------
    NotReady
        If the gazetteer or the database is missing; the message says how to build it.
    """
    from sitematch.services.finding.clinics import ClinicFinder
    from sitematch.services.finding.live_finders import read_capacity
    from sitematch.store.engine import open_store

    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with open_store(settings.database_url) as store:
        yield ClinicFinder(gazetteer, store, lambda study: read_capacity(store, study, now))
