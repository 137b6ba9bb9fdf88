"""The sites' rates, fitted: against known truth, the formula, and its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sitematch.reports.forecast import rates
from sitematch.reports.forecast.rates import RateModel, fit, log_likelihood, month_rates, shortfall
from tests.reports.forecast_builders import MODEL, make_site


def drawn(seed: int, sites: int, shape: float, mean: float) -> tuple[list[int], list[float]]:
    rng = np.random.default_rng(seed)
    days = rng.integers(20, 300, sites).astype(float)
    own = rng.gamma(shape, mean / shape, sites)
    return rng.poisson(own * days).tolist(), days.tolist()


@pytest.mark.parametrize(("shape", "mean"), [(0.8, 0.05), (1.5, 0.02), (4.0, 0.1)])
def test_fit_recovers_the_rates_that_the_data_were_drawn_from(shape: float, mean: float) -> None:
    enrolled, days = drawn(1, 3_000, shape, mean)

    found = fit(enrolled, days)

    assert found.best.shape == pytest.approx(shape, rel=0.12)
    assert found.best.mean == pytest.approx(mean, rel=0.05)
    assert found.sites == 3_000


def test_likelihood_is_that_of_the_negative_binomial() -> None:
    enrolled, days = [0, 3, 7], [10.0, 40.0, 90.0]

    found = log_likelihood(MODEL, enrolled, days)

    expected = [
        stats.nbinom.logpmf(k, MODEL.shape, MODEL.days / (MODEL.days + t)) for k, t in zip(enrolled, days, strict=True)
    ]
    assert found == pytest.approx(sum(expected), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_best_is_a_maximum_in_every_direction(seed: int) -> None:
    enrolled, days = drawn(seed, 40, 1.5, 0.03)
    best = fit(enrolled, days).best
    top = log_likelihood(best, enrolled, days)

    for step_shape in (0.97, 1.0, 1.03):
        for step_mean in (0.97, 1.0, 1.03):
            near = RateModel(best.shape * step_shape, best.days * step_shape / step_mean)
            assert log_likelihood(near, enrolled, days) <= top + 1e-7


def test_sites_that_differ_by_chance_alone_are_the_poisson_limit() -> None:
    found = fit([3, 4, 3, 4, 3], [100.0] * 5)

    assert found.is_even
    assert found.best.mean == pytest.approx(17 / 500)
    assert log_likelihood(found.best, [3, 4, 3, 4, 3], [100.0] * 5) == pytest.approx(
        sum(stats.poisson.logpmf([3, 4, 3, 4, 3], 3.4)), abs=1e-4
    )


def test_sites_that_differ_are_not_the_poisson_limit() -> None:
    assert not fit([0, 0, 12, 1, 20], [100.0] * 5).is_even


def test_site_without_open_time_changes_nothing() -> None:
    assert fit([3, 9, 0], [100.0, 80.0, 0.0]) == fit([3, 9], [100.0, 80.0])


def test_fit_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="Nobody enrolled"):
        fit([0, 0], [100.0, 80.0])


@pytest.mark.parametrize("sites", [1, 2, 30])
def test_what_is_plausible_adds_up_to_one_and_surrounds_the_best(sites: int) -> None:
    found = fit([4] * sites, [100.0 + i for i in range(sites)])

    means = [model.mean for model in found.plausible]
    assert math.fsum(model.weight for model in found.plausible) == pytest.approx(1)
    assert min(means) < found.best.mean < max(means)
    assert all(math.isfinite(model.shape) and model.shape > 0 and model.days > 0 for model in found.plausible)


def test_average_over_what_is_plausible_is_the_posterior_by_brute_force() -> None:
    enrolled, days = drawn(3, 12, 1.5, 0.03)

    found = fit(enrolled, days)

    # The posterior on a fine grid: flat in ln mean, half-normal in the coefficient of variation.
    spreads = np.exp(np.linspace(math.log(0.02), math.log(4), 160))
    means = np.exp(np.linspace(math.log(0.004), math.log(0.2), 160))
    logs = np.array(
        [
            [log_likelihood(RateModel(s**-2, s**-2 / m), enrolled, days) - s**2 / 2 + math.log(s) for m in means]
            for s in spreads
        ]
    )
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    exact_mean = float((weights * means[None, :]).sum())
    exact_spread = float((weights * spreads[:, None]).sum())
    assert sum(m.weight * m.mean for m in found.plausible) == pytest.approx(exact_mean, rel=0.02)
    assert sum(m.weight * m.spread for m in found.plausible) == pytest.approx(exact_spread, rel=0.05)


def test_too_few_enrolments_are_said() -> None:
    assert shortfall(0, 400) == "Nobody has enrolled; a forecast needs 5."
    assert shortfall(1, 400) == "Only 1 person has enrolled; a forecast needs 5."
    assert shortfall(rates.MIN_ENROLLED, 400) is None


def test_too_young_a_ledger_is_said() -> None:
    assert shortfall(50, 27.9) == "The ledger is 27 days old; a forecast needs 28."
    assert shortfall(50, rates.MIN_DAYS) is None


def test_rate_of_a_site_lies_between_its_own_and_that_of_all() -> None:
    fast = make_site(enrolled=30, open_days=100)

    ((mean, low, high),) = month_rates([MODEL], [fast])

    own, of_all = 30 * 0.30, 30 * MODEL.mean
    assert of_all < mean < own
    assert (low, high) == pytest.approx(
        tuple(30 * stats.gamma.ppf([0.025, 0.975], MODEL.shape + 30, scale=1 / (MODEL.days + 100))), rel=1e-9
    )
