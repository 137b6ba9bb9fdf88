"""The study's enrolments and the day it is full: closed forms where there are any, brute force where not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from sitematch.reports.forecast import counts, study
from sitematch.reports.forecast.plan import Plan
from sitematch.reports.forecast.rates import RateModel
from tests.reports.forecast_builders import MODEL, make_plan, make_site


def test_one_site_is_a_negative_binomial() -> None:
    site, days = make_site(enrolled=3, open_days=80), 45.0

    pmf = study.enrolments(make_plan(site), [MODEL], days)

    size, share = MODEL.shape + 3, days / (MODEL.days + 80 + days)
    assert counts.mean(pmf) == pytest.approx(size * days / (MODEL.days + 80))
    assert pmf[0] == pytest.approx((1 - share) ** size)
    assert pmf == pytest.approx(stats.nbinom.pmf(np.arange(len(pmf)), size, 1 - share), abs=1e-12)


EQUAL = tuple(make_site(f"s{i}", enrolled=i, open_days=120) for i in range(6))
SIZE = 6 * MODEL.shape + sum(range(6))
KNOWN = MODEL.days + 120


@pytest.mark.parametrize("more", [1, 10, 25])
@pytest.mark.parametrize("days", [10.0, 100.0, 500.0])
def test_time_to_some_more_at_sites_open_equally_long_is_an_incomplete_beta(more: int, days: float) -> None:
    plan = make_plan(*EQUAL, spots=more)

    found = counts.at_least(study.enrolments(plan, [MODEL], days), more)

    assert found == pytest.approx(special.betainc(more, SIZE, days / (days + KNOWN)), rel=1e-9)


def test_mean_time_to_some_more_is_the_closed_form() -> None:
    more = 10
    plan = make_plan(*EQUAL, spots=more)
    # E[T] is the area under P(T > t); in u = t/(t + KNOWN) the whole axis is 0 to 1.
    u = (np.arange(4_000) + 0.5) / 4_000
    days = KNOWN * u / (1 - u)
    later = [1 - counts.at_least(study.enrolments(plan, [MODEL], float(t)), more) for t in days]

    mean = float(np.sum(np.array(later) * KNOWN / (1 - u) ** 2) / 4_000)

    assert mean == pytest.approx(more * KNOWN / (SIZE - 1), rel=1e-3)


def test_full_day_is_the_first_by_whose_end_it_is_that_probable() -> None:
    plan = make_plan(*EQUAL, spots=10)

    for rest_of_today in (0.01, 0.4, 1.0):  # late in the evening, in the afternoon, and at the stroke of midnight
        ends = [rest_of_today + day for day in range(2_000)]

        found = study.first_days_full(plan, [MODEL], (0.1, 0.5, 0.9), ends)

        for day, probability in zip(found, (0.1, 0.5, 0.9), strict=True):
            assert day is not None and day > 0
            reached = [special.betainc(10, SIZE, t / (t + KNOWN)) for t in (ends[day - 1], ends[day])]
            assert reached[0] < probability <= reached[1]


def test_full_day_beyond_the_horizon_is_none() -> None:
    assert study.first_days_full(make_plan(*EQUAL, spots=10), [MODEL], (0.1, 0.99), range(40)) == (None, None)
    assert study.first_days_full(make_plan(*EQUAL), [MODEL], (0.5,), range(40)) == (None,)


def test_study_without_a_spot_left_is_full_today() -> None:
    assert study.first_days_full(make_plan(*EQUAL, spots=0), [MODEL], (0.5,), range(40)) == (0,)


UNEQUAL = (
    make_site("a", enrolled=5, open_days=200, spots=4),
    make_site("b", enrolled=0, open_days=30),
    make_site("c", enrolled=2, open_days=90, spots=2),
    make_site("d", enrolled=7, open_days=150, country="DE"),
    make_site("e", enrolled=0, open_days=0, country="DE", starts_in_days=40.0),
    make_site("f", enrolled=3, open_days=60, country="DE", starts_in_days=None),
)


def brute_force(plan: Plan, model: RateModel, days: float, courses: int, seed: int) -> np.ndarray:
    """Every arrival in order of time, each let in or turned away: the rules, and nothing clever."""
    rng = np.random.default_rng(seed)
    totals = []
    for _ in range(courses):
        arrivals = []
        for i, site in enumerate(plan.sites):
            if site.starts_in_days is not None and site.starts_in_days < days:
                rate = rng.gamma(model.shape + site.enrolled, 1 / (model.days + site.open_days))
                lasts = days - site.starts_in_days
                arrivals += [(site.starts_in_days + lasts * u, i) for u in rng.random(rng.poisson(rate * lasts))]
        of_site, of_country, total = [0] * len(plan.sites), {site.country: 0 for site in plan.sites}, 0
        for _, i in sorted(arrivals):
            site = plan.sites[i]
            limits = (
                (of_site[i], site.spots),
                (of_country[site.country], plan.country_spots.get(site.country)),
                (total, plan.spots),
            )
            if all(limit is None or taken < limit for taken, limit in limits):
                of_site[i] += 1
                of_country[site.country] += 1
                total += 1
        totals.append(of_site)
    return np.array(totals).T


@pytest.mark.parametrize(("spots", "country_spots"), [(None, {}), (None, {"US": 5}), (12, {"US": 5}), (6, {"DE": 4})])
def test_caps_on_every_level_agree_with_brute_force(spots: int | None, country_spots: dict[str, int]) -> None:
    plan = make_plan(*UNEQUAL, spots=spots, country_spots=country_spots)

    pmf = study.enrolments(plan, [MODEL], 150.0)

    totals = brute_force(plan, MODEL, 150.0, 20_000, seed=5).sum(axis=0)
    counted = np.bincount(totals, minlength=len(pmf))[: len(pmf)] / len(totals)
    # Four standard errors of a share of 20,000 courses are at most 1.4 percentage points.
    assert np.abs(counted - pmf).max() < 0.0142
    assert counts.mean(pmf) == pytest.approx(totals.mean(), abs=4 * totals.std() / np.sqrt(len(totals)))


def test_one_moment_matched_negative_binomial_comes_near_the_exact_total() -> None:
    plan = make_plan(*(site for site in UNEQUAL if site.spots is None))

    exact = study.enrolments(plan, [MODEL], 120.0)
    size, share = study.by_moments(plan, MODEL, 120.0)

    n = np.arange(len(exact))
    mean = counts.mean(exact)
    assert size * share / (1 - share) == pytest.approx(mean, rel=1e-9)
    assert size * share / (1 - share) ** 2 == pytest.approx(exact @ (n - mean) ** 2, rel=1e-6)
    distance = np.abs(exact - stats.nbinom.pmf(n, size, 1 - share)).sum() / 2
    assert 0 < distance < 0.02


def test_those_under_way_at_a_closed_site_may_still_enrol() -> None:
    plan = make_plan(make_site(starts_in_days=None, finishing=3), completion=(2.5, 1.5))

    assert study.enrolments(plan, [MODEL], 30.0) == pytest.approx(stats.betabinom.pmf(range(4), 3, 2.5, 1.5))


def test_closed_site_without_anybody_under_way_enrols_nobody() -> None:
    assert study.enrolments(make_plan(make_site(starts_in_days=None)), [MODEL], 30.0) == pytest.approx([1.0])


def test_site_counts_from_its_opening_only() -> None:
    later = make_plan(make_site(enrolled=0, open_days=0, starts_in_days=50.0))
    now = make_plan(make_site(enrolled=0, open_days=0))

    assert study.enrolments(later, [MODEL], 80.0) == pytest.approx(study.enrolments(now, [MODEL], 30.0))
    assert study.enrolments(later, [MODEL], 50.0) == pytest.approx([1.0])


def test_several_models_are_averaged_by_weight() -> None:
    slow, fast = RateModel(1.5, 300.0, 0.75), RateModel(1.5, 30.0, 0.25)

    mean = counts.mean(study.enrolments(make_plan(*EQUAL), [slow, fast], 60.0))

    each = [counts.mean(study.enrolments(make_plan(*EQUAL), [RateModel(m.shape, m.days)], 60.0)) for m in (slow, fast)]
    assert mean == pytest.approx(0.75 * each[0] + 0.25 * each[1])
