"""``/console/capacity``: the spots of every site, filtered and sorted by the URL, and kept up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any

from flask import Response, g, request
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, page
from api.console.page.routes import Console
from api.http.answers import encode
from api.http.reading import read_filters
from api.v1.capacity import without_count_time
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.caps import CapacityState, CapKey, CapLevel, SiteCapacity
from sitematch.domain.studies.site import Site
from sitematch.exporters.wire.capacity import site_capacity_answer
from sitematch.exporters.wire.matches import Wire
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.services.capacity import coordinating, site_page
from sitematch.services.studies import catalogue


class DashboardQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The filters and the order."""

    study: str | None = None
    q: Annotated[str, Meta(max_length=100)] = ""
    country: Annotated[str, Meta(max_length=2)] = ""
    state: CapacityState | None = None
    sort: Annotated[str, Meta(max_length=20)] = "site"


@dataclass(frozen=True, slots=True)
class DashboardRow:
    """One site of the dashboard.

    Parameters
    ----------
    capacity
        Its spots.
    site
        Its details; None if it is no longer in the catalogue.
    oldest_hold_at
        Start of its oldest hold (aware, UTC); None without one.
    """

    capacity: SiteCapacity
    site: Site | None
    oldest_hold_at: datetime | None

    @property
    def name(self) -> str:
        """Return its name."""
        return self.site.facility if self.site else self.capacity.site_id

    @property
    def town(self) -> str:
        """Return its town and state, if known."""
        return ", ".join(part for part in (self.site.city, self.site.state) if part) if self.site else ""

    @property
    def country_name(self) -> str:
        """Return its country's name."""
        country = COUNTRIES.get(self.capacity.country)
        return country.name if country else self.capacity.country

    def fits(self, asked: DashboardQuery) -> bool:
        """Return whether it matches the filters."""
        text = " ".join((self.name, self.town, self.country_name, self.capacity.site_id)).casefold()
        return (
            all(word in text for word in asked.q.casefold().split())
            and asked.country in ("", self.capacity.country)
            and asked.state in (None, self.capacity.state)
        )


_STATE_ORDER = {state: position for position, state in enumerate(CapacityState)}

SORTS: dict[str, Callable[[DashboardRow], Any]] = {
    "site": lambda row: row.name.casefold(),
    "town": lambda row: row.town.casefold() or None,
    "country": lambda row: row.country_name.casefold(),
    "state": lambda row: _STATE_ORDER[row.capacity.state],
    "remaining": lambda row: row.capacity.remaining,
    "held": lambda row: row.capacity.held,
    "screening": lambda row: row.capacity.screening,
    "enrolled": lambda row: row.capacity.enrolled,
    "cap": lambda row: row.capacity.cap,
    "oldest": lambda row: row.oldest_hold_at,
}
"""Sort keys of the table, in the order of its columns; a leading ``-`` reverses the order. Unknown values always come
last, and equal ones are sorted by name and id."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the sites that the person may see."""

    sites: int
    open_sites: int
    offered: int
    held: int
    screening: int
    enrolled: int


def sort_rows(rows: list[DashboardRow], sort: str) -> list[DashboardRow]:
    """Sort rows; an unknown sort key sorts by name."""
    name, is_reversed = sort.removeprefix("-"), sort.startswith("-")
    value = SORTS.get(name, SORTS["site"])
    by_name = sorted(rows, key=lambda row: (row.name.casefold(), row.capacity.site_id))
    known = [row for row in by_name if value(row) is not None]
    known.sort(key=value, reverse=is_reversed)
    return known + [row for row in by_name if value(row) is None]


def register(console: Console, backend: Backend) -> None:
    """Create the route."""

    @console.page("GET", "/capacity", Permission.CAPACITY_READ)
    def dashboard() -> Response:
        asked = read_filters(DashboardQuery)
        context = ConsoleContext(backend)
        version = catalogue.catalogue_version(context.store)
        found = coordinating.capacity(context.store, context.actor, context.study_id, context.now)
        oldest = site_page.oldest_holds(context.store, context.actor, context.study_id, context.now)
        etag = _etag(version, found, oldest)
        if request.if_none_match.contains_weak(etag):
            # Nothing has changed: the browser's copy is current.
            response = Response(status=304)
        else:
            response = _show(context, asked, found, oldest)
        response.set_etag(etag, weak=True)
        response.headers["Sitematch-As-Of"] = context.now.isoformat()
        return response


def _show(
    context: ConsoleContext, asked: DashboardQuery, found: tuple[SiteCapacity, ...], oldest: dict[str, datetime]
) -> Response:
    study = catalogue.read_study(context.store, context.study_id)
    sites = {site.site_id: site for site in catalogue.read_sites(context.store, context.study_id)}
    rows = [DashboardRow(item, sites.get(item.site_id), oldest.get(item.site_id)) for item in found]
    caps = coordinating.caps(context.store, context.actor, context.study_id, context.now)
    return page(
        "dashboard.html",
        study=study,
        asked=asked,
        tiles_url=context.backend.settings.tiles_url,
        tiles_attribution=context.backend.settings.tiles_attribution,
        rows=sort_rows([row for row in rows if row.fits(asked)], asked.sort),
        caps=caps,
        shared=_shared(found),
        totals=Totals(
            sites=len(found),
            open_sites=sum(item.is_open and item.remaining != 0 for item in found),
            offered=sum(item.offered for item in found),
            held=sum(item.held for item in found),
            screening=sum(item.screening for item in found),
            enrolled=sum(item.enrolled for item in found),
        ),
        countries=sorted({(row.country_name, row.capacity.country) for row in rows}),
        states=list(CapacityState),
        sorts=SORTS,
    )


def _shared(found: tuple[SiteCapacity, ...]) -> tuple[tuple[CapKey, int], ...]:
    """Return the wider caps that sites without a tighter one of their own draw from, and what is left, widest first."""
    drawn = {
        item.binding: item.remaining
        for item in found
        if item.binding is not None and item.binding.level is not CapLevel.SITE and item.is_open and item.remaining
    }
    return tuple(sorted(drawn.items(), key=lambda pair: (list(CapLevel).index(pair[0].level), pair[0].scope)))


def _etag(version: str, found: tuple[SiteCapacity, ...], oldest: dict[str, datetime]) -> str:
    """Return a version of the content, without its time of counting."""
    numbers = without_count_time(tuple(map(site_capacity_answer, found)))
    shown = [
        version,
        numbers,
        sorted(oldest.items()),
        request.full_path,
        g.session.session_id,
        g.session.account.grants,
    ]
    return blake2b(encode(shown), digest_size=12).hexdigest()
