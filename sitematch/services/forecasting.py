"""The enrolment forecast: joins the ledger, the catalogue and the forecast's report, for what the reader may see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sitematch.domain.access import Actor
from sitematch.domain.capacity import CapLevel
from sitematch.errors import SiteNotFound
from sitematch.reports.document import Report
from sitematch.reports.forecast.plan import WhatIf
from sitematch.services.reporting import asked_instant, asked_scope
from sitematch.store.engine import Store
from sitematch.store.journeys import read_head
from sitematch.store.recruiting import recruitment


def forecast_report(
    store: Store,
    actor: Actor,
    study_id: str,
    now: datetime,
    *,
    by: date,
    opened: Mapping[str, date] | None = None,
    what_if: WhatIf | None = None,
    as_of: datetime | None = None,
    time_zone: str = "UTC",
    country: str | None = None,
    site_id: str | None = None,
) -> Report:
    """Forecast a study's enrolment.

    Parameters
    ----------
    store, actor, study_id, now, as_of, time_zone, country, site_id
        As in `sitematch.services.reporting.capacity_report`. Country and site choose the sites that are listed; the
        study's own numbers are of all its sites.
    by
        A day to say most about: after that of `as_of`, at most ten years.
    opened
        Days from which sites took patients, or will, by site_id.
    what_if
        What to suppose changed, beside things as they are.

    Raises
    ------
    NotAllowed
        If the actor may read reports of no site of the study.
    InvalidInput
        If `by` or `as_of` is out of its range, the zone is not known, or the change makes no sense.
    SiteNotFound
        If there is no such site, or the actor may not see it.
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.recruiting.recruitment`.
    """
    # scipy is heavy: only who forecasts pays for it.
    from sitematch.reports.forecast.outlook import outlook
    from sitematch.reports.forecast.sheet import sheet

    scope, sites = asked_scope(store, actor, study_id, time_zone=time_zone, country=country, site_id=site_id)
    opened = opened or {}
    named = [*opened]
    if what_if is not None:
        named += [*what_if.close, *(key.scope for key in what_if.caps if key.level is CapLevel.SITE)]
    for name in named:
        if scope.visible is not None and name not in scope.visible:
            raise SiteNotFound(f"{study_id} has no site {name!r}.", field="site")
    instant = asked_instant(as_of, now)
    found = recruitment(store, study_id, now, as_of=as_of, opened=opened, zone=scope.zone)
    return sheet(
        outlook(found, by, scope.zone, opened=opened, what_if=what_if),
        scope,
        facilities={site.site_id: site.facility for site in sites},
        opened=opened,
        ledger=read_head(store, study_id, instant),
    )
