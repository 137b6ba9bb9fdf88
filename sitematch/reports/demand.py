"""The demand report: where look-ups came from, and which regions have no open site within reach."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sitematch.domain.reports.demand import BATCH, SMALL, DemandCell
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.reports.document import Cell, CellKind, CellMark, CellTone, Column, Report, Section, Table
from sitematch.reports.plot import BarPlot, Series
from sitematch.reports.scope import VERSION

MOST_BARS = 20
"""Number of regions in the plot; the table has all of them."""


class ReachOfSite(StrEnum):
    """Whether an open site is within reach of a region."""

    YES = "within reach"
    NO = "out of reach"
    UNSURE = "uncertain"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionReach:
    """How far a region is from the nearest open site.

    Parameters
    ----------
    name
        Its name; may be empty.
    site
        The nearest open site; None if there is none.
    km, least_km, most_km
        The distance from the region's point, and its limits within the area, in kilometres; infinite without a site.
    """

    name: str
    site: Site | None
    km: float
    least_km: float
    most_km: float

    def within(self, limit_km: float) -> ReachOfSite:
        """Return whether a site is within a distance for the whole region, for none of it, or for a part."""
        if self.most_km <= limit_km:
            return ReachOfSite.YES
        return ReachOfSite.NO if self.least_km > limit_km else ReachOfSite.UNSURE


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandFacts:
    """The content of the report.

    Parameters
    ----------
    study, as_of, sources
        The study, the time at which sites are open, and the sources of the locations.
    months
        The requested months, all of them complete.
    threshold
        The smallest number of look-ups of a region in a month that is in `cells`.
    within_km
        The distance that counts as within reach.
    cells
        The cells that may be shown; every number in the report comes only from these.
    reach
        By region, for regions that can be located.
    """

    study: Study
    as_of: datetime
    sources: tuple[str, ...]
    months: tuple[str, ...]
    threshold: int
    within_km: float
    cells: tuple[DemandCell, ...]
    reach: Mapping[str, RegionReach]


def demand_report(facts: DemandFacts, time_zone: str) -> Report:
    """Return the demand report.

    Parameters
    ----------
    facts
        The content.
    time_zone
        IANA name.
    """
    notes = [
        f"A region and month is shown if it has at least {facts.threshold} searches.",
        "Numbers that are not shown are also left out of the totals, so that they cannot be calculated.",
        f"Searches are counted only by region, in batches of {BATCH}, for the month in which a batch is stored.",
        "Searches that do not fill a batch are not stored, so the numbers can be too low but never too high.",
        "One person can search several times: these are searches, not people.",
    ]
    if facts.study.notice:
        notes.append(facts.study.notice)
    return Report(
        kind="demand",
        title="Demand",
        study_id=facts.study.study_id,
        study_title=facts.study.title,
        as_of=facts.as_of,
        time_zone=time_zone,
        version=VERSION,
        filters=(
            ("months", f"{facts.months[0]} to {facts.months[-1]}"),
            ("within", f"{facts.within_km:g} km"),
            ("at least", f"{facts.threshold} searches"),
        ),
        sources=(("Sources", " ".join(facts.sources)),),
        sections=(_without_supply(facts), _regions(facts), _months(facts)),
        notes=tuple(notes),
    )


def _totals(facts: DemandFacts) -> list[tuple[str, int]]:
    """Add up each region's shown months; most first, then by name."""
    found: Counter[str] = Counter()
    for cell in facts.cells:
        found[cell.region] += cell.lookups
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def _without_supply(facts: DemandFacts) -> Section:
    totals = _totals(facts)
    far = [(region, lookups) for region, lookups in totals if _within(facts, region) is ReachOfSite.NO]
    everything = sum(lookups for _, lookups in totals)
    missed = sum(lookups for _, lookups in far)
    if totals:
        share = f"{missed / everything:.0%}"
        said = f"{missed:,} of {everything:,} searches shown ({share}) came from regions without an open site within "
        text: tuple[str, ...] = (f"{said}{facts.within_km:g} km.",)
    else:
        text = (
            "There is nothing to show: no region has enough searches in a completed month.",
            "Searches are counted only if SITEMATCH_COUNT_DEMAND=1 is set.",
        )
    table = Table(name="without-supply", columns=_COLUMNS, rows=tuple(_row(facts, *one) for one in far))
    return Section(title="Demand without supply", text=text, table=table)


def _regions(facts: DemandFacts) -> Section:
    totals = _totals(facts)
    table = Table(
        name="regions",
        columns=_COLUMNS,
        rows=tuple(_row(facts, *one) for one in totals),
        totals=(None, None, None, sum(lookups for _, lookups in totals), None, None, None),
    )
    if not totals:
        return Section(title="By region", table=table)
    shown = totals[:MOST_BARS]
    plot = BarPlot(
        name="regions-plot",
        title="Searches by region, highest numbers",
        category_label="Region",
        value_label="Searches",
        categories=tuple(region for region, _ in shown),
        series=tuple(
            Series(
                label=within.value,
                values=tuple(lookups if _within(facts, region) is within else 0 for region, lookups in shown),
            )
            for within in ReachOfSite
        ),
        is_stacked=True,
    )
    return Section(title="By region", plot=plot, table=table)


def _months(facts: DemandFacts) -> Section:
    lookups: Counter[str] = Counter()
    regions: Counter[str] = Counter()
    for cell in facts.cells:
        lookups[cell.month] += cell.lookups
        regions[cell.month] += 1
    table = Table(
        name="months",
        columns=(
            Column(name="month", label="Month", kind=CellKind.TEXT, description="UTC."),
            Column(name="lookups", label="Searches", kind=CellKind.INTEGER, description="Of the regions shown."),
            Column(name="regions", label="Regions shown", kind=CellKind.INTEGER),
        ),
        rows=tuple((month, lookups[month], regions[month]) for month in facts.months),
        totals=(None, sum(lookups.values()), None),
    )
    return Section(title="By month", table=table)


_COLUMNS = (
    Column(
        name="region",
        label="Region",
        kind=CellKind.TEXT,
        description="A country, or a part of it by the first characters of postcodes; 000 is all small parts together.",
    ),
    Column(name="country", label="Country", kind=CellKind.TEXT, missing="several", description="ISO 3166-1 alpha-2."),
    Column(name="name", label="Around", kind=CellKind.TEXT, missing=""),
    Column(name="lookups", label="Searches", kind=CellKind.INTEGER),
    Column(name="nearest_site_id", label="Nearest open site", kind=CellKind.TEXT, missing="unknown"),
    Column(
        name="nearest_km",
        label="Distance",
        kind=CellKind.KM,
        digits=0,
        missing="unknown",
        description="From the centre of the region; unknown for whole countries.",
    ),
    Column(
        name="reach",
        label="Reach",
        kind=CellKind.TEXT,
        description="Whether that site is within reach of the whole region; uncertain if only of a part.",
        marks=(CellMark(tone=CellTone.ALERT, equals=ReachOfSite.NO.value),),
    ),
)


def _row(facts: DemandFacts, region: str, lookups: int) -> tuple[Cell, ...]:
    found = facts.reach.get(region)
    country, _, area = region.partition("-")
    name = "areas of few people" if SMALL in (country, area) else found.name if found else None
    site = found.site if found else None
    return (
        region,
        None if country == SMALL else country,
        name or None,
        lookups,
        site.site_id if site else None,
        found.km if found and math.isfinite(found.km) else None,
        _within(facts, region).value,
    )


def _within(facts: DemandFacts, region: str) -> ReachOfSite:
    found = facts.reach.get(region)
    return ReachOfSite.UNSURE if found is None else found.within(facts.within_km)
