"""The enrolment forecast: combines the ledger and the catalogue, limited to what the reader may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sitematch.domain.accounts.access import Actor
from sitematch.domain.capacity.caps import CAP_LEVELS, CapKey, CapLevel
from sitematch.errors import InvalidInput, SiteNotFound
from sitematch.reports.document import Report
from sitematch.reports.forecast.plan import WhatIf
from sitematch.services.reports.reporting import report_instant, report_scope
from sitematch.store.capacity.history.recruiting import recruitment
from sitematch.store.capacity.history.referral_histories import read_head
from sitematch.store.engine import Store

_MONTHS_AHEAD = 6


def forecast_report(
    store: Store,
    actor: Actor,
    study_id: str,
    now: datetime,
    *,
    by: date | None = None,
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
        As in `services.reports.reporting.capacity_report`. Country and site filter the listed sites; the study's own
        numbers include all its sites.
    by
        The main day of the forecast: after `as_of`, at most ten years ahead. None is the end of the month in half a
        year.
    opened
        Past or future opening days of sites, by site_id.
    what_if
        A changed plan, in addition to the current plan.

    Raises
    ------
    NotAllowed
        If the actor may read reports of no site of the study.
    InvalidInput
        If `by` or `as_of` is out of its range, the time zone is unknown, or the change is invalid.
    SiteNotFound
        If there is no such site, or the actor may not see it.
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.history.recruiting.recruitment`.
    """
    # scipy is slow to import, so only forecasts import it.
    from sitematch.reports.forecast.outlook import month_ends, outlook
    from sitematch.reports.forecast.sheet import sheet

    scope, sites = report_scope(store, actor, study_id, time_zone=time_zone, country=country, site_id=site_id)
    opened = opened or {}
    named = [*opened]
    if what_if is not None:
        named += [*what_if.close, *(key.scope for key in what_if.caps if key.level is CapLevel.SITE)]
    for name in named:
        if scope.visible is not None and name not in scope.visible:
            raise SiteNotFound(f"{study_id} has no site {name!r}.", field="site")
    instant = report_instant(as_of, now)
    found = recruitment(store, study_id, now, as_of=as_of, opened=opened, zone=scope.zone)
    if by is None:
        by = month_ends(instant.astimezone(scope.zone).date(), _MONTHS_AHEAD + 1)[-1]
    return sheet(
        outlook(found, by, scope.zone, opened=opened, what_if=what_if),
        scope,
        facilities={site.site_id: site.facility for site in sites},
        opened=opened,
        ledger=read_head(store, study_id, instant),
    )


def read_openings(texts: Iterable[str]) -> dict[str, date]:
    """Parse opening days of the form SITE=DAY.

    Raises
    ------
    InvalidInput
        If one has another form, or a site occurs twice.

    Examples
    --------
    >>> read_openings(["NCT06064929-001=2026-03-01"])
    {'NCT06064929-001': datetime.date(2026, 3, 1)}
    """
    days: dict[str, date] = {}
    for text in texts:
        site_id, _, day = text.rpartition("=")
        try:
            opened = date.fromisoformat(day)
        except ValueError:
            raise InvalidInput(
                f"{text[:64]!r} is not SITE=DAY, e.g. NCT06064929-001=2026-03-01.", field="opened"
            ) from None
        if site_id in days:
            raise InvalidInput(f"{site_id!r} has two opening days. Give one.", field="opened")
        days[site_id] = opened
    return days


def read_caps(texts: Iterable[str]) -> dict[CapKey, int | None]:
    """Parse caps of the form STUDY=40, COUNTRY:US=10 or SITE:id=5; "none" instead of a number removes a cap.

    Raises
    ------
    InvalidInput
        If one has another form, or a part occurs twice.
    UnknownCountry
        If there is no such country.

    Examples
    --------
    >>> {str(key): spots for key, spots in read_caps(["STUDY=40", "COUNTRY:Germany=none"]).items()}
    {'STUDY': 40, 'COUNTRY DE': None}
    """
    from sitematch.gazetteer.grammar import parse_country

    caps: dict[CapKey, int | None] = {}
    for text in texts:
        part, _, spots = text.rpartition("=")
        level, _, scope = part.partition(":")
        if level not in _CHANGEABLE or CAP_LEVELS[CapLevel(level)].has_scope != bool(scope):
            raise InvalidInput(f"{text[:64]!r} is not a cap. Write STUDY=40, COUNTRY:US=10 or SITE:id=5.", field="cap")
        if spots != "none" and not (spots.isascii() and spots.isdecimal() and len(spots) <= _DIGITS):
            raise InvalidInput(f'{text[:64]!r}: give a whole number of spots, or "none".', field="cap")
        key = CapKey(level=CapLevel(level), scope=parse_country(scope) if level == CapLevel.COUNTRY else scope)
        if key in caps:
            raise InvalidInput(f"{part!r} has two caps. Give one.", field="cap")
        caps[key] = None if spots == "none" else int(spots)
    return caps


_CHANGEABLE = frozenset(level for level, facts in CAP_LEVELS.items() if facts.is_forecast)
_DIGITS = 7
