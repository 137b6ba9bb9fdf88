"""Opening what a look-up needs: the gazetteer, the catalogue and the ledger as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sitematch.config import Settings
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.finding.clinics import ClinicFinder
from sitematch.services.finding.finder import Finder, Foresight
from sitematch.services.finding.likely_full import read_outlook
from sitematch.services.finding.live_finders import read_capacity
from sitematch.services.journey.estimating import TravelEstimator
from sitematch.services.journey.opening import open_estimator
from sitematch.store.engine import Store, open_store
from sitematch.store.studies import catalogue
from sitematch.store.studies.contacts import read_contacts


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
    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with open_store(settings.database_url) as store:
        foresight = read_outlook(store, settings.study_id, now)
        travel = open_estimator(settings)
        return finder_at(store, gazetteer, settings.study_id, now, foresight=foresight, travel=travel)


def finder_at(
    store: Store,
    gazetteer: Gazetteer,
    study_id: str,
    now: datetime,
    *,
    foresight: Foresight | None = None,
    travel: TravelEstimator | None = None,
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
    travel
        Estimates the way by car; None gives no minutes.

    Raises
    ------
    StudyNotFound
        If the catalogue does not hold the study.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    study = catalogue.read_study(store, study_id)
    sites = catalogue.read_sites(store, study_id)
    return Finder(
        gazetteer,
        study,
        sites,
        capacity=read_capacity(store, study, now),
        contacts=read_contacts(store, study_id),
        foresight=foresight,
        travel=travel,
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
    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with open_store(settings.database_url) as store:
        yield ClinicFinder(gazetteer, store, lambda study: read_capacity(store, study, now))
