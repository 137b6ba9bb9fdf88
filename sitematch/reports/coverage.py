"""The coverage report: how many of a list of people a study's open sites reach. Numbers of people only."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sitematch.domain.reports.coverage import Coverage, NearestPeople, NotOpen
from sitematch.domain.studies.site import Site
from sitematch.reports.document import Cell, CellKind, Column, Report, Section, Table
from sitematch.reports.plot import BarPlot, Series
from sitematch.reports.scope import VERSION

MAX_CANDIDATES = 20
"""Number of candidates in the table; the others are only counted."""

MIN_PEOPLE = 11
"""Sites that are nearest to fewer people than this are not listed separately."""

_WHY = {
    NotOpen.NOT_RECRUITING: "not recruiting",
    NotOpen.FULL: "no spots left, or closed",
    NotOpen.CANDIDATE: "candidate",
}
_STATUS = {
    "FOUND": "The full postcode is known.",
    "PART": "Only the first part of the postcode is known, so the place is less precise.",
    "NOT_FOUND": "The format is right, but no part of the postcode is known.",
    "INVALID": "Not a valid postcode for the country, or empty.",
    "UNKNOWN_COUNTRY": "The country is unknown or empty.",
}


def coverage_report(found: Coverage, time_zone: str) -> Report:
    """Return the coverage report.

    Parameters
    ----------
    found
        The results.
    time_zone
        IANA name.
    """
    sections = (_reach(found), _sites(found), _candidates(found), _list(found))
    notes = [
        "Distances are straight lines (WGS84 geodesics) from a postcode's point to a site's point, not routes by road.",
        "The postcodes in the list are not shown, stored or logged.",
    ]
    if found.unplaced_sites:
        notes.append(f"{len(found.unplaced_sites)} sites have no location and are not counted.")
    if found.study.notice:
        notes.append(found.study.notice)
    return Report(
        kind="coverage",
        title="Coverage",
        study_id=found.study.study_id,
        study_title=found.study.title,
        as_of=found.as_of,
        time_zone=time_zone,
        version=VERSION,
        filters=(("within", ", ".join(f"{reach.limit_km:g} km" for reach in found.reached)),),
        sources=(("Sources", " ".join(found.sources)),),
        sections=sections,
        notes=tuple(notes),
    )


def _reach(found: Coverage) -> Section:
    located = found.people - found.unlocated
    text = [
        f"Located: {_number(located)} of {_number(found.people)} people.",
        f"Sites that can take a patient now: {len(found.open_sites)}.",
    ]
    median = found.medians
    if math.isfinite(median.km):
        text.append(
            f"Half of those located live at most {median.km:,.0f} km from such a site "
            f"({median.low_km:,.0f} to {median.high_km:,.0f} km, because the exact positions are not known)."
        )
    elif not found.open_sites:
        text.append("No site can take a patient now, so nobody is within reach.")
    rows = tuple(
        (one.limit_km, one.share, one.share_low, one.share_high, one.surely, one.unsure, one.beyond, found.unlocated)
        for one in found.reached
    )
    table = Table(
        name="reach",
        columns=(
            Column(name="within_km", label="Within", kind=CellKind.KM, digits=0),
            Column(
                name="share",
                label="Share",
                kind=CellKind.SHARE,
                description="Share of the located people whose best point is within the distance.",
            ),
            Column(
                name="share_low",
                label="At least",
                kind=CellKind.SHARE,
                description="Share of all people who are within it wherever they live in their postcode area.",
            ),
            Column(
                name="share_high",
                label="At most",
                kind=CellKind.SHARE,
                description="Share of all people who may be within it, including all who could not be located.",
            ),
            _people("surely", "Certainly within"),
            _people("cannot_be_told", "Uncertain", "They may be on either side of the limit."),
            _people("beyond", "Beyond"),
            _people("not_located", "Not located"),
        ),
        rows=rows,
    )
    plot = BarPlot(
        name="reach-plot",
        title="People by whether a site that can take a patient is within reach",
        category_label="Distance",
        value_label="People",
        categories=tuple(f"{one.limit_km:g} km" for one in found.reached),
        series=(
            Series(label="certainly within", values=tuple(_whole(one.surely) for one in found.reached)),
            Series(label="uncertain", values=tuple(_whole(one.unsure) for one in found.reached)),
            Series(label="beyond", values=tuple(_whole(one.beyond) for one in found.reached)),
            Series(label="not located", values=(_whole(found.unlocated),) * len(found.reached)),
        ),
        is_stacked=True,
    )
    return Section(title="Within reach", text=tuple(text), plot=plot, table=table)


def _sites(found: Coverage) -> Section:
    shown = list(found.nearest)
    folded: list[NearestPeople] = []
    # Hidden numbers must not follow from the total, so the group must also contain several people.
    while shown and (shown[-1].people < MIN_PEOPLE or 0 < sum(one.people for one in folded) < MIN_PEOPLE):
        folded.append(shown.pop())
    rows: list[tuple[Cell, ...]] = [(*_site_cells(one.site), one.people, _finite(one.median_km)) for one in shown]
    if folded:
        rows.append((None, f"{len(folded)} other sites", None, None, sum(one.people for one in folded), None))
    table = Table(
        name="nearest-sites",
        columns=(
            *_site_columns(),
            _people("people", "People", "Located people for whom this is the nearest site that can take a patient."),
            Column(name="median_km", label="Median distance", kind=CellKind.KM, digits=0, missing=""),
        ),
        rows=tuple(rows),
        notes=(f"Sites that are nearest to fewer than {MIN_PEOPLE} people are shown together to protect privacy.",),
    )
    return Section(title="By nearest open site", table=table)


def _candidates(found: Coverage) -> Section:
    shown = found.ranked[:MAX_CANDIDATES]
    before = found.medians.km
    limits = [one.limit_km for one in found.reached]
    notes = [
        "Each row shows the effect of opening only that site, best first; equal medians are ordered by mean distance."
    ]
    if len(found.ranked) > len(shown):
        notes.append(f"{len(found.ranked) - len(shown)} more candidates would change less.")
    table = Table(
        name="one-more-site",
        columns=(
            Column(name="rank", label="Rank", kind=CellKind.INTEGER),
            *_site_columns(),
            Column(name="why", label="Now", kind=CellKind.TEXT, description="Why it is closed to new patients now."),
            Column(name="median_before_km", label="Median now", kind=CellKind.KM, digits=0, missing="no open site"),
            Column(name="median_after_km", label="Median then", kind=CellKind.KM, digits=0),
            Column(name="mean_after_km", label="Mean then", kind=CellKind.KM, digits=0),
            *(
                Column(name=f"share_within_{_name(km)}_km", label=f"Within {km:g} km then", kind=CellKind.SHARE)
                for km in limits
            ),
            _people("nearer", "Would have a nearer site"),
        ),
        rows=tuple(
            (
                rank,
                *_site_cells(found.candidates[one.candidate].site),
                _WHY[found.candidates[one.candidate].why],
                _finite(before),
                one.median_km,
                one.mean_km,
                *one.shares,
                one.nearer,
            )
            for rank, one in enumerate(shown, start=1)
        ),
        notes=tuple(notes),
    )
    return Section(title="Effect of one more site", text=_best(found), table=table)


def _best(found: Coverage) -> tuple[str, ...]:
    if not found.candidates:
        return ("Every site with a location is taking patients, and no other candidate was given.",)
    if not found.ranked:
        return ("Nobody on the list could be located.",)
    best = found.ranked[0]
    site = found.candidates[best.candidate].site
    before = found.medians.km
    if math.isfinite(before) and best.median_km >= before:
        return (f"No single site would reduce the median distance of {before:,.0f} km.",)
    was = f"from {before:,.0f} km" if math.isfinite(before) else "from nothing within reach"
    return (f"{site.facility} ({site.city}) would reduce the median distance most: {was} to {best.median_km:,.0f} km.",)


def _list(found: Coverage) -> Section:
    table = Table(
        name="list",
        columns=(
            Column(name="outcome", label="Outcome", kind=CellKind.TEXT),
            Column(name="rows", label="Rows", kind=CellKind.INTEGER),
            Column(name="meaning", label="Meaning", kind=CellKind.TEXT),
        ),
        rows=tuple((status.lower().replace("_", " "), rows, _STATUS[status]) for status, rows in found.statuses),
        totals=(None, found.rows, None),
    )
    return Section(title="The list", table=table)


def _site_columns() -> Sequence[Column]:
    return (
        Column(name="site_id", label="Site", kind=CellKind.TEXT, missing="", is_detail=True),
        Column(name="facility", label="Facility", kind=CellKind.TEXT, missing=""),
        Column(name="city", label="City", kind=CellKind.TEXT, missing=""),
        Column(name="country", label="Country", kind=CellKind.TEXT, missing=""),
    )


def _site_cells(site: Site) -> tuple[str, str, str, str]:
    return site.site_id, site.facility, site.city, site.country


def _people(name: str, label: str, description: str = "") -> Column:
    return Column(name=name, label=label, kind=CellKind.NUMBER, digits=0, description=description)


def _finite(km: float) -> float | None:
    return km if math.isfinite(km) else None


def _whole(people: float) -> int | float:
    """Return a number of people as a whole number if it is one; the weights of a list may not be."""
    return int(people) if people.is_integer() else people


def _number(people: float) -> str:
    return f"{people:,.0f}"


def _name(km: float) -> str:
    return f"{km:g}".replace(".", "_").replace("+", "")
