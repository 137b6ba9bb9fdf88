"""Counting the regions of look-ups without storing any look-up, and comparing them with the open sites."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sitematch.domain.accounts.access import Actor, Permission, require
from sitematch.domain.place import Place
from sitematch.domain.reports.demand import BATCH, SMALL, DemandCell, month_of, months_before, publishable, region_of
from sitematch.domain.time_zones import zone_named
from sitematch.errors import InvalidInput
from sitematch.gazetteer.lookup import place_of
from sitematch.reports.demand import DemandFacts, RegionReach, demand_report
from sitematch.reports.document import Report
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.open_sites import sites_now
from sitematch.store.engine import Store
from sitematch.store.reports.demand import add_batches, read_demand

FLUSH_EVERY_S = 3600
"""How often full batches are written, by the clock and never because of a look-up; and when the process ends."""

MAX_MONTHS = 60


class DemandCounter:
    """Counts look-ups by region in memory; thread-safe.

    Notes
    -----
    It contains only numbers by study and region: no place, time or order. Look-ups that do not fill a batch stay here
    and are lost when the process ends. Each process of a server has its own counter.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._writing = threading.Lock()
        self._unsure: _Write | None = None

    def count(self, study_id: str, place: Place) -> None:
        """Count a look-up; coordinates without a country are not counted."""
        region = region_of(place.country, place.postcode)
        if region:
            with self._lock:
                self._counts[study_id, region] += 1

    def flush(self, store: Store, now: datetime) -> None:
        """Store the full batches in the month of a time (aware), and keep the rest; after an error, keep everything.

        Raises
        ------
        LedgerBusy, StorageFault, NotReady
            See `add_batches`. The write is repeated at the next call, under the same name: if it was kept although the
            connection broke, it is not added a second time.
        """
        with self._writing:
            if self._unsure is None:
                with self._lock:
                    full = {key: count - count % BATCH for key, count in self._counts.items() if count >= BATCH}
                    self._counts.subtract(full)
                self._unsure = _Write(f"demand:{secrets.token_hex(16)}", month_of(now), full)
            write = self._unsure
            add_batches(store, write.month, write.batches, write_id=write.write_id, now=now)
            self._unsure = None


@dataclass(frozen=True, slots=True)
class _Write:
    write_id: str
    month: str
    batches: dict[tuple[str, str], int]


def report_demand(
    finder: Finder,
    store: Store,
    actor: Actor,
    now: datetime,
    *,
    threshold: int,
    months: int = 12,
    within_km: float = 100.0,
    time_zone: str = "UTC",
) -> Report:
    """Report the regions of look-ups, and which regions have no open site within reach.

    Parameters
    ----------
    finder
        The study, its sites and their spots now.
    store, actor
        The database and the actor.
    now
        The time (aware). Its month is not complete, and not shown.
    threshold
        See `publishable`.
    months
        The number of months before this one, 1 to `MAX_MONTHS`.
    within_km
        The distance that counts as within reach, in kilometres, over 0.
    time_zone
        IANA name of the time zone for displayed times; months are in UTC.

    Raises
    ------
    NotAllowed
        If the actor may not read reports of the whole study.
    InvalidInput
        If a number or the time zone is invalid.
    LedgerBusy, StorageFault, NotReady
        If the database cannot be read.
    """
    require(actor, Permission.REPORTS_READ, study_id=finder.study.study_id)
    zone_named(time_zone)
    if not 1 <= months <= MAX_MONTHS:
        raise InvalidInput(f"months is {months}. Give a number from 1 to {MAX_MONTHS}.", field="months")
    if not 0 < within_km < 20_038:
        raise InvalidInput(f"within_km is {within_km}. Give a number of kilometres greater than 0.", field="within_km")
    asked = months_before(month_of(now), months)
    cells = publishable(read_demand(store, finder.study.study_id, asked), threshold)
    facts = DemandFacts(
        study=finder.study,
        as_of=now,
        sources=finder.attribution,
        months=asked,
        threshold=threshold,
        within_km=within_km,
        cells=cells,
        reach=_reach(finder, cells, now),
    )
    return demand_report(facts, time_zone)


def _reach(finder: Finder, cells: tuple[DemandCell, ...], now: datetime) -> dict[str, RegionReach]:
    """Return the distance to the nearest open site for each region that the gazetteer can locate."""
    from sitematch.geo.reach import reach
    from sitematch.services.reports.coverage import points_of, site_points

    open_sites = sites_now(finder, now).open
    placed = {region: place for region in sorted({c.region for c in cells}) if (place := _place(finder, region))}
    found = reach(points_of(list(placed.values())), site_points(open_sites))
    return {
        region: RegionReach(
            name=place.name,
            site=open_sites[found.nearest[i]] if open_sites else None,
            km=float(found.km[i]),
            least_km=float(found.least_km[i]),
            most_km=float(found.most_km[i]),
        )
        for i, (region, place) in enumerate(placed.items())
    }


def _place(finder: Finder, region: str) -> Place | None:
    """Return the place of a region; None for whole countries, areas counted together and unknown ones."""
    country, _, area = region.partition("-")
    reader = finder.gazetteer.reader
    row = reader.postcode(country, area) if area and area != SMALL else None
    return None if row is None else place_of(reader, country, area, row)
