"""The forecast's tables, with an interval for every number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from sitematch.domain.capacity.opening import Opening, OpeningSource
from sitematch.domain.capacity.recruitment import Recruitment, SiteRecruitment
from sitematch.reports.document import Cell, CellKind, CellMark, CellTone, Column, Table
from sitematch.reports.forecast.counts import Pmf, interval, mean
from sitematch.reports.forecast.outlook import LEVELS, AtDate, Estimate, Scenario, SiteOutlook
from sitematch.reports.forecast.plan import DAY
from sitematch.reports.forecast.rates import DAYS_A_MONTH, RateFit
from sitematch.reports.forecast.underway import Share

MAIN_LEVEL = 0.8
"""The level of the interval that is shown if there is no room for all."""

_OPEN_DAYS = (
    "Days in which it could have enrolled somebody, since it opened and since the start of the ledger: without those "
    "in which it, its country or the study was closed or every spot was filled."
)
_WHY_OPEN: Mapping[OpeningSource, str] = {
    OpeningSource.ASKED: "day given for this report",
    OpeningSource.COORDINATOR: "recorded by a coordinator",
    OpeningSource.REGISTRY: "stated by the registry",
    OpeningSource.CATALOGUE: "first record that calls it recruiting",
    OpeningSource.FIRST_HOLD: "its first hold",
    OpeningSource.HOLDS: "estimated from its holds",
    OpeningSource.LEDGER: "start of the ledger",
}
_OPENING = (
    Column(
        name="open_since",
        label="Open since",
        kind=CellKind.DATE,
        description="The day from which the forecast counts it as open.",
    ),
    Column(
        name="open_since_by",
        label="Because of",
        kind=CellKind.TEXT,
        description="Where that day comes from. A coordinator can record another one.",
    ),
)
_SITE = (
    Column(name="site_id", label="Site", kind=CellKind.TEXT),
    Column(name="facility", label="Facility", kind=CellKind.TEXT),
)


def by_date(dates: Sequence[AtDate]) -> Table:
    """Return the table of the study at each date."""
    return Table(
        name="by-date",
        columns=(
            Column(name="on", label="End of", kind=CellKind.DATE),
            *_counted_columns(
                "enrolled", "Enrolled", "All people enrolled by then, including those enrolled so far.", LEVELS
            ),
            *_left_columns("Spots of the study's cap that are not filled by participants.", "no cap"),
            _full_column("The probability that no spot of the study is left at the end of that day.", "no cap"),
        ),
        rows=tuple(
            (at.on, *_counted_cells(at.enrolled, LEVELS), *_counted_cells(at.spots_left), at.full) for at in dates
        ),
    )


def scenarios(named: Iterable[tuple[str, Scenario]], horizon: date) -> Table:
    """Return the table that compares plans on the requested date."""
    return Table(
        name="what-if",
        columns=(
            Column(name="scenario", label="Scenario", kind=CellKind.TEXT),
            Column(name="enrolled_mean", label="Enrolled, mean", kind=CellKind.NUMBER),
            *_counted_columns(
                "enrolled", "Enrolled", "All people enrolled by the date, including those enrolled so far."
            ),
            *_left_columns("Spots of the study's cap that are not filled by participants.", "no cap"),
            _full_column("The probability that no spot of the study is left then.", "no cap"),
            *_full_on_columns(f"not by {horizon:%Y-%m}"),
        ),
        rows=tuple(
            (
                name,
                scenario.dates[-1].enrolled.mean,
                *_counted_cells(scenario.dates[-1].enrolled),
                *_counted_cells(scenario.dates[-1].spots_left),
                scenario.dates[-1].full,
                *scenario.full_on,
            )
            for name, scenario in named
        ),
    )


def sites_ahead(
    sites: Iterable[SiteOutlook],
    facilities: Mapping[str, str],
    used: Collection[str],
    by: date,
    notes: tuple[str, ...],
) -> Table:
    """Return the table of forecasts by site; `used` has the sites with events in the ledger."""
    return Table(
        name="sites",
        columns=(
            *_SITE,
            Column(name="country", label="Country", kind=CellKind.TEXT),
            Column(
                name="state", label="State", kind=CellKind.TEXT, description="Whether it is taking new patients now."
            ),
            Column(
                name="enrolled", label="Enrolled", kind=CellKind.INTEGER, description="All people who have enrolled."
            ),
            *_counted_columns("by", f"By {by}", "All people enrolled by then, including those enrolled so far."),
            *_left_columns("Spots of the site's own cap left then; wider caps may leave less.", "no own cap"),
            _full_column("The probability that its own cap or a wider cap is full then.", "-"),
            *_full_on_columns("-"),
        ),
        rows=tuple(
            (
                item.site.site_id,
                facilities.get(item.site.site_id, ""),
                item.site.country,
                _state(item, used),
                item.site.enrolled,
                *_counted_cells(item.enrolled),
                *_counted_cells(item.spots_left),
                item.full,
                *item.full_on,
            )
            for item in sites
        ),
        notes=notes,
    )


def site_rates(sites: Iterable[SiteOutlook], facilities: Mapping[str, str]) -> Table:
    """Return the table of rates by site."""
    return Table(
        name="site-rates",
        columns=(
            *_SITE,
            *_OPENING,
            Column(name="open_days", label="Open days", kind=CellKind.INTEGER, description=_OPEN_DAYS),
            Column(
                name="enrolled", label="Enrolled", kind=CellKind.INTEGER, description="All people who have enrolled."
            ),
            Column(
                name="rate_per_month",
                label="Per month",
                kind=CellKind.NUMBER,
                digits=2,
                description=f"Enrolments expected in {DAYS_A_MONTH} open days, between its own rate and that of all.",
            ),
            Column(name="rate_low_95", label="95 % low", kind=CellKind.NUMBER, digits=2),
            Column(name="rate_high_95", label="95 % high", kind=CellKind.NUMBER, digits=2),
        ),
        rows=tuple(
            (
                item.site.site_id,
                facilities.get(item.site.site_id, ""),
                *_opening_cells(item.site.opening),
                item.site.open_days,
                item.site.enrolled,
                *item.month_rate,
            )
            for item in sites
        ),
    )


def sites_so_far(sites: Iterable[SiteRecruitment], facilities: Mapping[str, str]) -> Table:
    """Return the table of recruitment by site, if there is no forecast."""
    return Table(
        name="sites",
        columns=(
            *_SITE,
            Column(name="country", label="Country", kind=CellKind.TEXT),
            *_OPENING,
            Column(name="open_days", label="Open days", kind=CellKind.INTEGER, description=_OPEN_DAYS),
            Column(
                name="enrolled", label="Enrolled", kind=CellKind.INTEGER, description="All people who have enrolled."
            ),
        ),
        rows=tuple(
            (
                site.site_id,
                facilities.get(site.site_id, ""),
                site.country,
                *_opening_cells(site.opening),
                round(site.open_for / DAY),
                site.enrolled,
            )
            for site in sites
        ),
    )


def _opening_cells(opening: Opening | None) -> tuple[Cell, Cell]:
    return (None, None) if opening is None else (opening.on, _WHY_OPEN[opening.source])


def screening(recruitment: Recruitment, coming: Pmf, failures: Share) -> Table:
    """Return the table of referrals in progress: how many will enrol, and how often screening fails."""
    known = failures.of > 0
    return Table(
        name="screening",
        columns=(
            Column(
                name="held", label="Held", kind=CellKind.INTEGER, description="Offers and holds that have not lapsed."
            ),
            Column(name="screening", label="In screening", kind=CellKind.INTEGER),
            Column(name="expected_mean", label="Will enrol, mean", kind=CellKind.NUMBER),
            Column(name="expected_low_80", label="Will enrol, 80 % low", kind=CellKind.INTEGER),
            Column(name="expected_high_80", label="Will enrol, 80 % high", kind=CellKind.INTEGER),
            Column(name="failed", label="Failed", kind=CellKind.INTEGER),
            Column(
                name="decided",
                label="Decided",
                kind=CellKind.INTEGER,
                description="Screenings that ended in failure or enrolment.",
            ),
            Column(name="failure_rate", label="Failure rate", kind=CellKind.SHARE, missing="none completed"),
            Column(name="failure_low_95", label="95 % low", kind=CellKind.SHARE),
            Column(name="failure_high_95", label="95 % high", kind=CellKind.SHARE),
        ),
        rows=(
            (
                recruitment.held,
                recruitment.screening,
                mean(coming),
                *interval(coming, MAIN_LEVEL),
                failures.count,
                failures.of,
                failures.count / failures.of if known else None,
                failures.low if known else None,
                failures.high if known else None,
            ),
        ),
    )


def rates(fit: RateFit) -> Table:
    """Return the table of the fit."""
    return Table(
        name="rates",
        columns=(
            Column(name="sites", label="Sites", kind=CellKind.INTEGER, description="Sites with open time."),
            Column(name="enrolled", label="Enrolled", kind=CellKind.INTEGER),
            Column(name="open_days", label="Open days", kind=CellKind.INTEGER, description="Total of all sites."),
            Column(name="rate_per_month", label="Per site and month", kind=CellKind.NUMBER, digits=3),
            Column(
                name="spread",
                label="Sites differ by",
                kind=CellKind.NUMBER,
                digits=2,
                missing="chance only",
                description="The coefficient of variation of the sites' rates; 0 means all are equal.",
            ),
            Column(name="gamma_shape", label="α", kind=CellKind.NUMBER, digits=3, missing="infinite"),
            Column(name="gamma_rate_days", label="β in days", kind=CellKind.NUMBER, digits=1, missing="infinite"),
        ),
        rows=(
            (
                fit.sites,
                fit.enrolled,
                round(fit.open_days),
                DAYS_A_MONTH * fit.best.mean,
                None if fit.is_even else fit.best.spread,
                None if fit.is_even else fit.best.shape,
                None if fit.is_even else fit.best.days,
            ),
        ),
        notes=("The maximum likelihood values. The forecast averages over all plausible values.",),
    )


def _counted_columns(
    name: str, label: str, what: str, levels: Sequence[float] = (MAIN_LEVEL,), missing: str = "-"
) -> Iterable[Column]:
    yield Column(
        name=f"{name}_median", label=f"{label}, median", kind=CellKind.INTEGER, description=what, missing=missing
    )
    for level in levels:
        for end in ("low", "high"):
            yield Column(
                name=f"{name}_{end}_{100 * level:.0f}",
                label=f"{100 * level:.0f} % {end}",
                kind=CellKind.INTEGER,
                description=f"End of the interval that contains it with a probability of at least {100 * level:.0f} %.",
                missing=missing,
            )


def _counted_cells(counted: Estimate | None, levels: Sequence[float] = (MAIN_LEVEL,)) -> tuple[Cell, ...]:
    if counted is None:
        return (None,) * (1 + 2 * len(levels))
    return (counted.median, *(end for level in levels for end in counted.intervals[LEVELS.index(level)]))


def _left_columns(what: str, missing: str) -> Iterable[Column]:
    return _counted_columns("left", "Spots left", what, missing=missing)


def _full_column(what: str, missing: str) -> Column:
    return Column(
        name="full_probability",
        label="Full",
        kind=CellKind.SHARE,
        digits=0,
        description=what,
        missing=missing,
        marks=(CellMark(tone=CellTone.ALERT, at_least=0.8), CellMark(tone=CellTone.WARN, at_least=0.5)),
    )


def _full_on_columns(missing: str) -> Iterable[Column]:
    for name, share in (("early", "10 %"), ("middle", "50 %"), ("late", "90 %")):
        yield Column(
            name=f"full_{name}_on",
            label=f"Full by ({share})",
            kind=CellKind.DATE,
            description=f"The first day by the end of which it is full with a probability of at least {share}.",
            missing=missing,
        )


def _state(item: SiteOutlook, used: Collection[str]) -> str:
    starts = item.site.starts_in_days
    if starts is None:
        return "closed to new patients" if item.site.site_id in used else "not open yet"
    if starts > 0:
        return f"opens in {starts:.0f} days"
    return "full" if item.is_full_now else "open"
