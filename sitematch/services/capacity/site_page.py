"""A site for coordinators: its details, its history and its actors, each with a permission check first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sitematch.domain.accounts.access import Actor, Caller, Permission, may, require
from sitematch.domain.capacity.opening import Opening
from sitematch.domain.capacity.spot import LedgerEvent
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.domain.studies.travel import TravelSupport
from sitematch.errors import SiteNotFound
from sitematch.store.capacity import openings, travel_support
from sitematch.store.capacity.history import audit_trail
from sitematch.store.capacity.openings import RecordedOpening
from sitematch.store.engine import Store
from sitematch.store.studies import catalogue

PAGE = 50
"""Number of events on one page of a history."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of a site's history.

    Parameters
    ----------
    events
        The events, latest first.
    next_seq
        Where the next page begins; None at the end.
    names
        The names of the actors, by `actor_id`; unknown ones are left out.
    """

    events: tuple[LedgerEvent, ...]
    next_seq: int | None
    names: dict[str, str]


def read_site(store: Store, actor: Actor, study_id: str, site_id: str) -> tuple[Study, Site]:
    """Return a study and one of its sites.

    Raises
    ------
    SiteNotFound
        If the study has no such site, or the actor may not see it.
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.studies.catalogue.read_study`.
    """
    if may(actor, Permission.CAPACITY_READ, study_id=study_id, site_id=site_id):
        study = catalogue.read_study(store, study_id)
        for site in catalogue.read_sites(store, study_id):
            if site.site_id == site_id:
                return study, site
    raise SiteNotFound(f"Study {study_id} has no site {site_id!r}.", field="site_id")


def site_trail(
    store: Store, actor: Actor, study_id: str, site: Site, *, before_seq: int | None = None, limit: int = PAGE
) -> HistoryPage:
    """Return the events at a site, latest first, and who caused them.

    Raises
    ------
    NotAllowed
        If the actor may not read the site's audit trail.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    require(actor, Permission.AUDIT_READ, study_id=study_id, site_id=site.site_id)
    found = audit_trail.site_trail(store, study_id, site.site_id, site.country, limit=limit + 1, before_seq=before_seq)
    shown = found[:limit]
    following = shown[-1].seq if len(found) > limit else None
    return HistoryPage(shown, following, name_actors(store, shown))


def name_actors(store: Store, events: Iterable[LedgerEvent]) -> dict[str, str]:
    """Return the actors of events that the caller was allowed to read.

    See `sitematch.store.capacity.history.audit_trail.actor_names`.

    The permission to read an audit trail includes the names of its actors, so no other permission is needed.
    """
    return audit_trail.actor_names(store, {event.actor_id for event in events})


def oldest_holds(store: Store, actor: Actor, study_id: str, now: datetime) -> dict[str, datetime]:
    """Return the start of the oldest hold at each site whose referrals the actor may see.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    return {
        site_id: since
        for site_id, since in audit_trail.oldest_holds(store, study_id, now).items()
        if may(actor, Permission.REFERRALS_READ, study_id=study_id, site_id=site_id)
    }


def set_travel(
    store: Store,
    caller: Caller,
    *,
    study_id: str,
    site_id: str,
    support: TravelSupport,
    time_reimbursement: str,
    now: datetime,
) -> TravelSupport:
    """Set a site's travel support.

    See `sitematch.store.capacity.travel_support.set_travel`. Errors: those, and `NotAllowed`.
    """
    require(caller.actor, Permission.CATALOGUE_WRITE, study_id=study_id)
    return travel_support.set_travel(
        store,
        caller,
        study_id=study_id,
        site_id=site_id,
        travel=support,
        time_reimbursement=time_reimbursement,
        now=now,
    )


def set_opening(
    store: Store, caller: Caller, *, study_id: str, site_id: str, opened_on: date | None, now: datetime
) -> RecordedOpening:
    """Record the day on which a site opened or will open; None removes it.

    See `sitematch.store.capacity.openings.set_opening`. Errors: those, and `NotAllowed`.
    """
    require(caller.actor, Permission.CAPS_WRITE, study_id=study_id)
    return openings.set_opening(store, caller, study_id=study_id, site_id=site_id, opened_on=opened_on, now=now)


def recorded_opening(store: Store, study_id: str, site_id: str, now: datetime) -> Opening | None:
    """Return what is known of a site's opening; None if nothing is. The caller was allowed to read the site.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    return openings.read_opening(store, study_id, site_id, now)
