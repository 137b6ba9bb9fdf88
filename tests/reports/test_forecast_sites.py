"""Sites that compete for spots, simulated: against the exact total, closed forms and every arrival in order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sitematch.reports.forecast import counts, study
from sitematch.reports.forecast.rates import RateModel
from sitematch.reports.forecast.sites import simulate
from tests.reports.forecast_builders import MODEL, make_plan, make_site
from tests.reports.test_forecast_study import UNEQUAL, brute_force

DAYS = (30.0, 75.0, 150.0)


@pytest.mark.parametrize(("spots", "country_spots"), [(None, {}), (12, {"US": 5}), (6, {"DE": 4})])
def test_sites_agree_with_every_arrival_in_order(spots: int | None, country_spots: dict[str, int]) -> None:
    plan = make_plan(*UNEQUAL, spots=spots, country_spots=country_spots)

    found = simulate(plan, [MODEL], DAYS, 2, courses=20_000)

    by_hand = brute_force(plan, MODEL, 150.0, 20_000, seed=6)
    for site, mine, expected in zip(plan.sites, found.enrolled, by_hand, strict=True):
        error = 5 * np.hypot(mine.std(), expected.std()) / np.sqrt(20_000)
        # Where a shared cap is reached within a step, a site's own cap is applied first: that is not quite the order.
        assert mine.mean() == pytest.approx(expected.mean(), abs=error + 0.03), site.site_id


def test_sites_add_up_to_the_exact_total() -> None:
    plan = make_plan(*UNEQUAL, spots=12, country_spots={"US": 5})
    models = [RateModel(1.5, 100.0, 0.6), RateModel(3.0, 150.0, 0.4)]

    totals = simulate(plan, models, DAYS, 1, courses=20_000).enrolled.sum(axis=0)

    exact = study.enrolments(plan, models, DAYS[1])
    counted = np.bincount(totals, minlength=len(exact)) / 20_000
    assert np.abs(counted - exact).max() < 0.0142


def test_probability_that_a_site_is_full_is_the_tail_of_its_negative_binomial() -> None:
    site = make_site(spots=3)

    found = simulate(make_plan(site), [MODEL], DAYS, 0, courses=20_000)

    for share, days in zip(found.full[0], DAYS, strict=True):
        exact = stats.nbinom.sf(2, MODEL.shape + 2, (MODEL.days + 60) / (MODEL.days + 60 + days))
        assert share == pytest.approx(exact, abs=0.0142)


def test_site_without_a_cap_is_full_when_the_study_is() -> None:
    plan = make_plan(make_site("a"), make_site("b", spots=1), spots=4)

    found = simulate(plan, [MODEL], DAYS, 2, courses=20_000)

    for share, days in zip(found.full[0], DAYS, strict=True):
        assert share == pytest.approx(counts.at_least(study.enrolments(plan, [MODEL], days), 4), abs=0.0142)


def test_no_cap_is_ever_exceeded() -> None:
    plan = make_plan(*UNEQUAL, spots=9, country_spots={"US": 5, "DE": 6})

    enrolled = simulate(plan, [MODEL], (2_000.0,), 0, courses=500).enrolled

    of_us = enrolled[[i for i, site in enumerate(plan.sites) if site.country == "US"]]
    assert enrolled.sum(axis=0).max() == 9
    assert of_us.sum(axis=0).max() == 5
    assert enrolled[0].max() <= 4
    assert enrolled[2].max() <= 2


def test_same_seed_gives_the_same_and_another_does_not() -> None:
    plan = make_plan(*UNEQUAL, spots=9)

    first, again, other = (simulate(plan, [MODEL], DAYS, 2, courses=200, seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(first.enrolled, again.enrolled)
    assert np.array_equal(first.full, again.full)
    assert not np.array_equal(first.enrolled, other.enrolled)


def test_full_study_stays_full_to_the_last_time() -> None:
    found = simulate(make_plan(make_site(), spots=0), [MODEL], DAYS, 0, courses=50)

    assert found.full.tolist() == [[1.0, 1.0, 1.0]]
    assert found.enrolled.sum() == 0
