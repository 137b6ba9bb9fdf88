"""The forecast as one value: all that its report, the console and a match's reasons say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

import numpy as np

from sitematch.domain.capacity.recruitment import Recruitment
from sitematch.errors import InvalidInput
from sitematch.reports.forecast import counts, rates, study
from sitematch.reports.forecast.counts import Pmf
from sitematch.reports.forecast.plan import DAY, Plan, SiteAhead, WhatIf, changed, plan
from sitematch.reports.forecast.rates import RateFit, RateModel
from sitematch.reports.forecast.sites import COURSES, SEED, simulate

HORIZON_MONTHS = 36
"""How far ahead to look for the month in which something is full, in months."""

MAX_YEARS = 10
"""How far ahead a date that is asked for may lie, in years."""

QUANTILES = (0.1, 0.5, 0.9)
"""Of the day on which something is full: an 80 % interval, and its middle."""

LEVELS = (0.5, 0.8, 0.95)
"""Of intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number of people at a date, with its uncertainty.

    Parameters
    ----------
    mean, median
        Of the distribution.
    intervals
        (low, high) for each of `LEVELS`: each holds the number with at least that probability.
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
        All enrolments, those so far counted in.
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
        What the forecast took of it.
    is_full_now
        Whether its own cap or a wider one lets nobody in already.
    month_rate
        Enrolments in a month of 30 days, expected while it is open; and the 95 % interval of that rate.
    enrolled
        Its enrolments by the date asked for, those so far counted in.
    spots_left
        Spots of its own cap that no participant fills then; None without one.
    full
        The probability that it can take nobody more then, for its own cap or a wider one; None without any cap that
        applies, or if it is closed to new patients.
    full_on
        The last day of the month by which that probability is at least each of `QUANTILES`, today if it is full now;
        None where it is later than the horizon, or where `full` is None.
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
    """A study's future, as things are or with something changed.

    Parameters
    ----------
    plan
        Who can enrol.
    dates
        The study at the end of each month up to the date asked for, and on that date, which is last.
    full_on
        The day by which the study is full with a probability of each of `QUANTILES`; None where it is later than the
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
        What it was made from.
    by
        The date asked for.
    horizon
        The last day of which anything is said.
    shortfall
        Why there are too few data; None if there are enough.
    fit
        The sites' rates; None if there are too few data.
    base
        As things are; None if there are too few data.
    what_if, changed
        What is supposed to be changed, and the future then; None if nothing is.
    seed, courses
        Of the simulation.
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
    courses: int = COURSES,
) -> Outlook:
    """Forecast a study's enrolment.

    Parameters
    ----------
    recruitment
        What was so far.
    by
        A day to say most about: after that of `recruitment.as_of`, at most `MAX_YEARS` years.
    zone
        Whose days they are.
    opened
        Days on which sites opened or will open, where somebody knows.
    what_if
        What to suppose changed, beside things as they are.
    seed, courses
        Of the simulation: see `sitematch.reports.forecast.sites.simulate`.

    Raises
    ------
    InvalidInput
        If the day is too early or too late, or the change makes no sense.
    SiteNotFound
        If `opened` or `what_if` names a site that the study does not have.
    """
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
    """Return why a study has too few data for a forecast; None if it has enough. See `rates.shortfall`."""
    since = recruitment.as_of if recruitment.since is None else recruitment.since
    enrolled = sum(site.enrolled for site in as_is.sites if site.open_days > 0)
    return rates.shortfall(enrolled, (recruitment.as_of - since) / DAY)


def fit_of(recruitment: Recruitment, as_is: Plan) -> RateFit | None:
    """Return the rates of a study's sites; None if there are too few data."""
    if shortfall_of(recruitment, as_is) is not None:
        return None
    return rates.fit([site.enrolled for site in as_is.sites], [site.open_days for site in as_is.sites])


def month_ends(today: date, months: int) -> list[date]:
    """Return the last days of this month and of those that follow, as many as asked; none is before `today`.

    Examples
    --------
    >>> [str(day) for day in month_ends(date(2027, 12, 31), 3)]
    ['2027-12-31', '2028-01-31', '2028-02-29']
    """
    first = today.year * 12 + today.month  # the month after this one, counted from year 0
    return [date((first + i) // 12, (first + i) % 12 + 1, 1) - timedelta(days=1) for i in range(months)]


def days_to_end_of(day: date, now: datetime, zone: tzinfo) -> float:
    """Return the days from an instant to the end of a day; negative if that is past."""
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
    # Where nothing can be full, only the date asked for matters.
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
