"""Reports for coordinators: combine the ledger and the catalogue, limited to what the reader may see."""

from __future__ import annotations

from datetime import datetime

from sitematch.domain.accounts.access import Actor, Permission, granted_sites
from sitematch.domain.studies.site import Site
from sitematch.domain.time_zones import zone_named
from sitematch.errors import InvalidInput, SiteNotFound
from sitematch.reports import capacity, funnel
from sitematch.reports.document import Report
from sitematch.reports.scope import Scope
from sitematch.store.capacity.history.referral_histories import iter_journeys, read_head
from sitematch.store.capacity.referral_counts import study_counts
from sitematch.store.engine import Store
from sitematch.store.studies.catalogue import read_sites, read_study


def capacity_report(
    store: Store,
    actor: Actor,
    study_id: str,
    now: datetime,
    *,
    as_of: datetime | None = None,
    time_zone: str = "UTC",
    country: str | None = None,
    site_id: str | None = None,
) -> Report:
    """Report the spots taken and left in a study.

    Parameters
    ----------
    store, actor, study_id, now
        As in `sitematch.services.capacity.coordinating`.
    as_of
        An earlier time; None is `now`.
    time_zone
        IANA name of the time zone for displayed times.
    country
        ISO 3166-1 alpha-2: only sites in this country.
    site_id
        Only this site.

    Raises
    ------
    NotAllowed
        If the actor may read reports of no site of the study.
    InvalidInput
        If `as_of` is in the future or not aware, or the time zone is unknown.
    SiteNotFound
        If there is no such site, or the actor may not see it.
    StudyNotFound
        If the study is not in the catalogue.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    scope, sites = report_scope(store, actor, study_id, time_zone=time_zone, country=country, site_id=site_id)
    found = study_counts(store, study_id, report_instant(as_of, now), is_past=as_of is not None)
    return capacity.capacity_report(found, sites, scope)


def funnel_report(
    store: Store,
    actor: Actor,
    study_id: str,
    now: datetime,
    *,
    as_of: datetime | None = None,
    time_zone: str = "UTC",
    country: str | None = None,
    site_id: str | None = None,
) -> Report:
    """Report how far referrals got, how long each step took, and why screening failed.

    Parameters and errors are those of `capacity_report`; months begin at midnight in `time_zone`.
    """
    scope, sites = report_scope(store, actor, study_id, time_zone=time_zone, country=country, site_id=site_id)
    instant = report_instant(as_of, now)
    head = read_head(store, study_id, instant)
    return funnel.funnel_report(iter_journeys(store, study_id, head[0]), sites, scope, instant, head)


def report_scope(
    store: Store, actor: Actor, study_id: str, *, time_zone: str, country: str | None, site_id: str | None
) -> tuple[Scope, tuple[Site, ...]]:
    """Return the subject of the report, and the catalogue's sites."""
    visible = granted_sites(actor, Permission.REPORTS_READ, study_id)
    zone_named(time_zone)
    study, sites = read_study(store, study_id), read_sites(store, study_id)
    seen = {site.site_id for site in sites if visible is None or site.site_id in visible}
    if site_id is not None and site_id not in seen:
        raise SiteNotFound(f"{study_id} has no site {site_id!r}.", field="site_id")
    scope = Scope(
        study_id=study_id,
        study_title=study.title,
        study_notice=study.notice,
        time_zone=time_zone,
        country=country,
        site_id=site_id,
        visible=visible,
    )
    return scope, sites


def report_instant(as_of: datetime | None, now: datetime) -> datetime:
    """Return the time that a report describes.

    Raises
    ------
    InvalidInput
        If it is in the future or not aware.
    """
    if as_of is None:
        return now
    if as_of.tzinfo is None:
        raise InvalidInput("A date and time needs a time zone.", field="as_of")
    if as_of > now:
        raise InvalidInput("as_of is in the future. Give a time in the past.", field="as_of")
    return as_of
