"""The forecast as one value, for its report, the console and the reasons of a match."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

import numpy as np

from sitematch.domain.capacity.recruitment import Recruitment
from sitematch.errors import InvalidInput
from sitematch.reports.forecast import counts, rates, study
from sitematch.reports.forecast.counts import Pmf
from sitematch.reports.forecast.pace import clocks, fit_paced
from sitematch.reports.forecast.plan import DAY, Plan, SiteAhead, WhatIf, changed, plan
from sitematch.reports.forecast.rates import RateFit, RateModel
from sitematch.reports.forecast.sites import COURSES, SEED, simulate

HORIZON_MONTHS = 36
"""How far ahead to search for the month in which something is full, in months."""

MAX_YEARS = 10
"""How far ahead the requested date can be, in years."""

QUANTILES = (0.1, 0.5, 0.9)
"""Quantiles of the day on which something is full: an 80 % interval, and its middle."""

LEVELS = (0.5, 0.8, 0.95)
"""Levels of the intervals."""


_RUNS, _FEWEST = 2_000_000, 1_000
"""Runs of all sites together, and the fewest of each: a probability of one half is then accurate to 3 points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number of people on a date, with its uncertainty.

    Parameters
    ----------
    mean, median
        Mean and median of the distribution.
    intervals
        (low, high) for each of `LEVELS`; each contains the number with at least that probability.
    """

    mean: float
    median: int
    intervals: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtDate:
    """The study at the end of a day.

    Parameters
    ----------
    on
        The day.
    enrolled
        All enrolments, including those so far.
    spots_left
        Spots of the study's cap that no participant fills; None without a cap.
    full
        The probability that there are none; None without a cap.
    """

    on: date
    enrolled: Estimate
    spots_left: Estimate | None
    full: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOutlook:
    """One site.

    Parameters
    ----------
    site
        The site's data for the forecast.
    is_full_now
        Whether its own cap or a wider one is already full.
    month_rate
        Expected enrolments in a month of 30 days while it is open, and the 95 % interval of that rate.
    enrolled
        Its enrolments by the requested date, including those so far.
    spots_left
        Spots of its own cap that no participant fills then; None without one.
    full
        The probability that it is then full, under its own cap or a wider one; None if no cap applies, or if it is
        closed to new patients.
    full_on
        The last day of the month by which that probability is at least each of `QUANTILES`, today if it is full now;
        None if it is later than the horizon, or if `full` is None.
    """

    site: SiteAhead
    is_full_now: bool
    month_rate: tuple[float, float, float]
    enrolled: Estimate
    spots_left: Estimate | None
    full: float | None
    full_on: tuple[date | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A study's future, with the current or a changed plan.

    Parameters
    ----------
    plan
        The plan.
    dates
        The study at the end of each month up to the requested date, and on that date, which is last.
    full_on
        The day by which the study is full with a probability of each of `QUANTILES`; None if it is later than the
        horizon, or there is no cap.
    sites
        Each site, in the plan's order.
    """

    plan: Plan
    dates: tuple[AtDate, ...]
    full_on: tuple[date | None, ...]
    sites: tuple[SiteOutlook, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A forecast.

    Parameters
    ----------
    recruitment
        The recruitment so far.
    by
        The requested date.
    horizon
        The last day of the forecast.
    shortfall
        Why there is too little data; None if there is enough.
    fit
        The sites' rates; None if there is too little data.
    base
        With the current plan; None if there is too little data.
    what_if, changed
        The change, and the future with it; None without a change.
    seed, courses
        Seed and number of runs of the simulation.
    """

    recruitment: Recruitment
    by: date
    horizon: date
    shortfall: str | None
    fit: RateFit | None
    base: Scenario | None
    what_if: WhatIf | None
    changed: Scenario | None
    seed: int
    courses: int


def outlook(
    recruitment: Recruitment,
    by: date,
    zone: tzinfo,
    *,
    opened: Mapping[str, date] | None = None,
    what_if: WhatIf | None = None,
    seed: int = SEED,
    courses: int | None = None,
) -> Outlook:
    """Forecast a study's enrolment.

    Parameters
    ----------
    recruitment
        The recruitment so far.
    by
        The main day of the forecast: after `recruitment.as_of`, at most `MAX_YEARS` years ahead.
    zone
        The time zone of the days.
    opened
        Known past or future opening days of sites.
    what_if
        A changed plan, in addition to the current plan.
    seed, courses
        Seed and number of runs of the simulation: see `sitematch.reports.forecast.sites.simulate`. None runs `COURSES`,
        or fewer with over 500 sites.

    Raises
    ------
    InvalidInput
        If the day is too early or too late, or the change is invalid.
    SiteNotFound
        If a site in `opened` or `what_if` does not belong to the study.
    """
    if courses is None:
        courses = max(_FEWEST, min(COURSES, _RUNS // max(1, len(recruitment.sites))))
    today = recruitment.as_of.astimezone(zone).date()
    if not today < by <= date(today.year + MAX_YEARS, today.month, min(today.day, 28)):
        raise InvalidInput(f"Give a day after {today}, at most {MAX_YEARS} years ahead.", field="by")
    as_is = plan(recruitment, opened or {}, zone)
    supposed = None if what_if is None or what_if.is_nothing else changed(as_is, recruitment, what_if, zone)
    ends = month_ends(today, HORIZON_MONTHS)
    while ends[-1] < by:
        ends = month_ends(today, len(ends) + HORIZON_MONTHS)
    lacking, found = shortfall_of(recruitment, as_is), fit_of(recruitment, as_is)

    def scenario(future: Plan | None) -> Scenario | None:
        if found is None or future is None:
            return None
        return _scenario(future, found.plausible, recruitment, by, ends, zone, seed, courses)

    return Outlook(
        recruitment=recruitment,
        by=by,
        horizon=ends[-1],
        shortfall=lacking,
        fit=found,
        base=scenario(as_is),
        what_if=None if supposed is None else what_if,
        changed=scenario(supposed),
        seed=seed,
        courses=courses,
    )


def shortfall_of(recruitment: Recruitment, as_is: Plan) -> str | None:
    """Return why a study has too little data for a forecast; None if it has enough. See `rates.shortfall`."""
    since = recruitment.as_of if recruitment.since is None else recruitment.since
    enrolled = sum(site.enrolled for site in as_is.sites if site.open_days > 0)
    return rates.shortfall(enrolled, (recruitment.as_of - since) / DAY)


def fit_of(recruitment: Recruitment, as_is: Plan) -> RateFit | None:
    """Return the rates of a study's sites; None if there is too little data."""
    if shortfall_of(recruitment, as_is) is not None:
        return None
    return fit_paced(
        [site.enrolled for site in as_is.sites], [site.open_days for site in as_is.sites], clocks(recruitment)
    )


def month_ends(today: date, months: int) -> list[date]:
    """Return the last days of this month and the following months, as many as requested, none before `today`.

    Examples
    --------
    >>> [str(day) for day in month_ends(date(2027, 12, 31), 3)]
    ['2027-12-31', '2028-01-31', '2028-02-29']
    """
    first = today.year * 12 + today.month  # the month after this one, counted from year 0
    return [date((first + i) // 12, (first + i) % 12 + 1, 1) - timedelta(days=1) for i in range(months)]


def days_to_end_of(day: date, now: datetime, zone: tzinfo) -> float:
    """Return the days from a time to the end of a day; negative if that is past."""
    return (datetime.combine(day + timedelta(days=1), time(), zone) - now) / DAY


def _scenario(
    future: Plan,
    models: Sequence[RateModel],
    recruitment: Recruitment,
    by: date,
    ends: Sequence[date],
    zone: tzinfo,
    seed: int,
    courses: int,
) -> Scenario:
    now = recruitment.as_of
    today = now.astimezone(zone).date()
    shown = [day for day in ends if day < by] + [by]
    dates = tuple(
        _at_date(day, study.enrolments(future, models, days_to_end_of(day, now, zone)), recruitment, future.spots)
        for day in shown
    )
    day_ends = [days_to_end_of(today + timedelta(days=n), now, zone) for n in range((ends[-1] - today).days + 1)]
    full_in_days = study.first_days_full(future, models, QUANTILES, day_ends)
    return Scenario(
        plan=future,
        dates=dates,
        full_on=tuple(None if days is None else today + timedelta(days=days) for days in full_in_days),
        sites=_sites(future, models, recruitment, by, ends, zone, seed, courses),
    )


def _at_date(on: date, more: Pmf, recruitment: Recruitment, spots: int | None) -> AtDate:
    return AtDate(
        on=on,
        enrolled=_counted(more, recruitment.enrolled),
        spots_left=None if spots is None else _counted(counts.remaining(more, spots), 0),
        full=None if spots is None else counts.at_least(more, spots),
    )


def _counted(pmf: Pmf, already: int) -> Estimate:
    return Estimate(
        mean=counts.mean(pmf) + already,
        median=counts.quantile(pmf, 0.5) + already,
        intervals=tuple((low + already, high + already) for low, high in (counts.interval(pmf, at) for at in LEVELS)),
    )


def _sites(
    future: Plan,
    models: Sequence[RateModel],
    recruitment: Recruitment,
    by: date,
    ends: Sequence[date],
    zone: tzinfo,
    seed: int,
    courses: int,
) -> tuple[SiteOutlook, ...]:
    today = recruitment.as_of.astimezone(zone).date()
    has_caps = future.spots is not None or future.country_spots or any(site.spots is not None for site in future.sites)
    # If nothing can be full, only the requested date matters.
    days = sorted({*ends, by}) if has_caps else [by]
    until = [days_to_end_of(day, recruitment.as_of, zone) for day in days]
    found = simulate(future, models, until, days.index(by), courses=courses, seed=seed)
    already = {site.site_id: site.enrolled for site in recruitment.sites}
    rate_of = rates.month_rates(models, future.sites)
    sites = []
    for i, site in enumerate(future.sites):
        more = np.bincount(found.enrolled[i]) / courses
        bounds = [
            spots for spots in (site.spots, future.country_spots.get(site.country), future.spots) if spots is not None
        ]
        is_full, may_fill = 0 in bounds, bool(bounds) and site.starts_in_days is not None
        full_on: tuple[date | None, ...] = (None,) * len(QUANTILES)
        if may_fill:
            full_on = tuple(today if is_full else _first(days, found.full[i], at, ends) for at in QUANTILES)
        sites.append(
            SiteOutlook(
                site=site,
                is_full_now=is_full,
                month_rate=rate_of[i],
                enrolled=_counted(more, already.get(site.site_id, 0)),
                spots_left=None if site.spots is None else _counted(counts.remaining(more, site.spots), 0),
                full=float(found.full[i, days.index(by)]) if may_fill else None,
                full_on=full_on,
            )
        )
    return tuple(sites)


def _first(days: Sequence[date], full: Iterable[float], probability: float, ends: Collection[date]) -> date | None:
    return next(
        (day for day, share in zip(days, full, strict=True) if day in ends and share >= probability),
        None,
    )
