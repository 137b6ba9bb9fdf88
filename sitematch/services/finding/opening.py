"""Opening the data for a look-up: the gazetteer, the catalogue and the ledger in their current state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from sitematch.config import Settings
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.finding.clinics import ClinicFinder
from sitematch.services.finding.finder import Finder, SiteForecast
from sitematch.services.finding.likely_full import read_outlook
from sitematch.services.finding.live_finders import read_capacity
from sitematch.services.journey.estimating import TravelEstimator
from sitematch.services.journey.opening import open_estimator
from sitematch.store.engine import Store, open_store
from sitematch.store.studies import catalogue
from sitematch.store.studies.contacts import read_contacts

AnyFinder = TypeVar("AnyFinder", bound=Finder)


def open_finder(settings: Settings, now: datetime) -> Finder:
    """Open the current gazetteer, catalogue and ledger, and build the index, for one look-up or a few.

    A server, which must follow changes, uses `sitematch.services.finding.live_finders.LiveFinders`.

    Parameters
    ----------
    settings
        The paths and the study.
    now
        The time (aware) of the spots.

    Raises
    ------
    NotReady
        If the gazetteer or the database is missing; the message says how to build it.
    StudyNotFound
        If the study is not in the catalogue.
    """
    return open_finder_as(Finder, settings, now=now, gazetteer=Gazetteer.open(settings.gazetteer_path))


def open_finder_as(
    kind: Callable[..., AnyFinder], settings: Settings, *, now: datetime, gazetteer: Gazetteer
) -> AnyFinder:
    """Open a finder of a class of its own, with a gazetteer that is already open; see `open_finder`."""
    with open_store(settings.database_url) as store:
        foresight = read_outlook(store, settings.study_id, now)
        travel = open_estimator(settings)
        return _finder_as(kind, store, gazetteer, settings.study_id, now, foresight, travel)


def finder_at(
    store: Store,
    gazetteer: Gazetteer,
    study_id: str,
    now: datetime,
    *,
    foresight: SiteForecast | None = None,
    travel: TravelEstimator | None = None,
) -> Finder:
    """Read the current state of a study, its sites and its spots, and build the index.

    Parameters
    ----------
    store
        The open database.
    gazetteer
        Turns texts into places.
    study_id
        The study.
    now
        The time (aware) of the spots.
    foresight
        Which sites will soon be full, for who asks a forecast; None tells nothing of it.
    travel
        Estimates the way by car; None gives no minutes.

    Raises
    ------
    StudyNotFound
        If the study is not in the catalogue.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    return _finder_as(Finder, store, gazetteer, study_id, now, foresight, travel)


def _finder_as(
    kind: Callable[..., AnyFinder],
    store: Store,
    gazetteer: Gazetteer,
    study_id: str,
    now: datetime,
    foresight: SiteForecast | None,
    travel: TravelEstimator | None,
) -> AnyFinder:
    study = catalogue.read_study(store, study_id)
    sites = catalogue.read_sites(store, study_id)
    return kind(
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
    """Open the current gazetteer, catalogue and ledger, for one look-up over all studies or a few look-ups.

    Parameters
    ----------
    settings
        The paths.
    now
        The time (aware) of the spots.

    Yields
    ------
    ClinicFinder
        Valid within the block.

    Raises
    ------
    NotReady
        If the gazetteer or the database is missing; the message says how to build it.
    """
    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with open_store(settings.database_url) as store:
        yield ClinicFinder(gazetteer, store, lambda study: read_capacity(store, study, now))
