"""The whole study: enrolments in a period, and when it is full. Exact, without simulation.

Caps are nested: sites in countries in the study. Nobody can enrol once any of the three is full, and a full cap stays
full. So the study's cap does not affect a country until the study is full, and the number admitted by a given time is
the lower of the cap and the number of arrivals. Sums of negative binomials, cut off at each level, give the study's
distribution.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat

from sitematch.reports.forecast.counts import Pmf, at_least, capped_total, mixture, negative_binomial, some_of, total
from sitematch.reports.forecast.plan import Plan, SiteAhead
from sitematch.reports.forecast.rates import RateModel

_MANY = 24
"""From this many different capped sites on, they are added together."""


def enrolments(plan: Plan, models: Sequence[RateModel], days: float) -> Pmf:
    """Return the distribution of the study's enrolments in a period from now.

    Parameters
    ----------
    plan
        The plan.
    models
        The possible distributions of the rates, with weights that add up to 1.
    days
        How long, 0 or more.

    Notes
    -----
    Referrals in progress at sites that are closed to new patients count as decided at the start, because the ledger
    does not say when.
    """
    return mixture((model.weight, _under(plan, model, days)) for model in models)


def by_moments(plan: Plan, model: RateModel, days: float) -> tuple[float, float]:
    """Return the size and share of the negative binomial with the mean and variance of the uncapped total.

    Notes
    -----
    The usual approximation, for comparison with `enrolments`. With m = Σ t(α+k)/(β+τ) and v = Σ t²(α+k)/(β+τ)² the size
    is m²/v and the share v/(m+v).
    """
    mean = variance = 0.0
    past, ahead = model.past(plan.sites), model.ahead(plan.sites, [days])[:, 0]
    for site, before, open_for in zip(plan.sites, past.tolist(), ahead.tolist(), strict=True):
        known = model.days + before
        mean += open_for * (model.shape + site.enrolled) / known
        variance += open_for**2 * (model.shape + site.enrolled) / known**2
    return mean**2 / variance, variance / (mean + variance)


def first_days_full(
    plan: Plan, models: Sequence[RateModel], probabilities: Sequence[float], ends: Sequence[float]
) -> tuple[int | None, ...]:
    """Return the first day by whose end the study is full with at least these probabilities.

    Parameters
    ----------
    plan, models
        See `enrolments`.
    probabilities
        Each over 0 and under 1.
    ends
        The days from now to the end of today, of tomorrow, and so on: fractions, ascending, at least one.

    Returns
    -------
    tuple
        One for each probability: 0 is today; None where it is later than the last of `ends`, or there is no cap.
    """
    spots = plan.spots
    if spots is None:
        return tuple(None for _ in probabilities)

    seen: dict[int, float] = {}

    def chance(day: int) -> float:
        if day not in seen:
            seen[day] = at_least(enrolments(plan, models, ends[day]), spots)
        return seen[day]

    return tuple(_first_day(chance, seen, probability, len(ends) - 1) for probability in probabilities)


def _first_day(chance: Callable[[int], float], seen: Mapping[int, float], probability: float, last: int) -> int | None:
    if chance(last) < probability:
        return None
    # The days that were worked out for other probabilities bound this one.
    low = max((day for day, found in seen.items() if found < probability), default=-1)
    high = min(day for day, found in seen.items() if found >= probability)
    while high - low > 1:
        middle = (low + high) // 2
        if chance(middle) >= probability:
            high = middle
        else:
            low = middle
    return high


def _under(plan: Plan, model: RateModel, days: float) -> Pmf:
    by_country: dict[str, list[SiteAhead]] = {}
    for site in plan.sites:
        # Countries without a cap do not have to be distinguished.
        by_country.setdefault(site.country if site.country in plan.country_spots else "", []).append(site)
    countries = []
    for country, sites in by_country.items():
        cap = _least(plan.country_spots.get(country), plan.spots)
        countries.append(total(_parts(sites, model, days, cap, plan.completion), cap))
    return total(countries, plan.spots)


def _parts(
    sites: Sequence[SiteAhead], model: RateModel, days: float, cap: int | None, completion: tuple[float, float]
) -> Iterable[Pmf]:
    # Negative binomials with the same share add up to another one: sites with equal open time and no relevant cap of
    # their own need no convolution. Sites with such a cap are often identical too.
    alike: dict[float, float] = {}
    capped: Counter[tuple[float, float, int]] = Counter()
    finishing = 0
    past, ahead = model.past(sites), model.ahead(sites, [days])[:, 0]
    for site, before, open_for in zip(sites, past.tolist(), ahead.tolist(), strict=True):
        finishing += site.finishing if site.spots is None else min(site.finishing, site.spots)
        if open_for <= 0:
            continue
        share = open_for / (model.days + before + open_for)
        size = model.shape + site.enrolled
        if site.spots is None or (cap is not None and site.spots >= cap):
            alike[share] = alike.get(share, 0.0) + size
        else:
            capped[size, share, site.spots] += 1
    for share, size in alike.items():
        yield negative_binomial(size, share, cap)
    if len(capped) > _MANY:
        sizes, shares, caps = zip(*capped.elements(), strict=True)
        yield capped_total(sizes, shares, caps, cap)
        capped.clear()
    for (size, share, spots), times in capped.items():
        yield from repeat(negative_binomial(size, share, spots), times)
    if finishing:
        yield some_of(finishing, *completion)


def _least(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return a if b is None else b
    return min(a, b)
