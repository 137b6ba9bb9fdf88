"""Coverage of the intervals: 500 studies are simulated and forecast; the control shows the error of the plug-in method.

Counts are whole numbers, so no interval contains exactly 80 %. The test uses the position of the true value in the
forecast's distribution, with a random position within its step (a randomised probability integral transform). If the
forecast is correct, that position is uniform, and in the middle 80 % with a probability of 80 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from sitematch.reports.forecast import counts, rates, study
from sitematch.reports.forecast.plan import Plan, SiteAhead
from sitematch.reports.forecast.rates import RateFit, RateModel

TRIALS = 500


class Trial:
    """A study with sites opened at different times, some closed since, some to open; every third has a cap."""

    def __init__(self, number: int) -> None:
        rng = np.random.default_rng((20260115, number))
        sites = int(rng.integers(12, 50))
        # Every fourth study has sites that are all alike, where the plug-in does worst.
        shape = 1e7 if number % 4 == 0 else float(rng.uniform(1.0, 4.0))
        mean = float(rng.uniform(0.01, 0.03))
        open_days = rng.integers(20, 300, sites)
        rate = rng.gamma(shape, mean / shape, sites)
        is_later = rng.random(sites) < 0.1
        open_days[is_later] = 0
        enrolled = rng.poisson(rate * open_days)
        self.days = float(rng.integers(60, 300))
        starts = np.where(is_later, rng.uniform(0, self.days, sites), 0.0)
        is_closed = (rng.random(sites) < 0.2) & ~is_later
        spots = int(1.1 * mean * self.days * sites) if number % 3 == 0 else None
        self.plan = Plan(
            sites=tuple(
                SiteAhead(
                    site_id=str(i),
                    country="",
                    enrolled=int(enrolled[i]),
                    open_days=int(open_days[i]),
                    starts_in_days=None if is_closed[i] else float(starts[i]),
                )
                for i in range(sites)
            ),
            spots=spots,
        )
        lasts = np.where(is_closed, 0.0, self.days - starts)
        came = int(rng.poisson(rate * lasts).sum())
        self.truth = came if spots is None else min(came, spots)
        self.jitter = float(rng.random())

    def fit(self) -> RateFit:
        return rates.fit([site.enrolled for site in self.plan.sites], [site.open_days for site in self.plan.sites])

    def place(self, models: Sequence[RateModel]) -> float:
        pmf = study.enrolments(self.plan, models, self.days)
        below = float(pmf[: self.truth].sum())
        at = float(pmf[self.truth]) if self.truth < len(pmf) else 0.0
        return below + self.jitter * at

    def is_within(self, models: Sequence[RateModel], level: float) -> bool:
        low, high = counts.interval(study.enrolments(self.plan, models, self.days), level)
        return low <= self.truth <= high


@cache
def trials() -> tuple[Trial, ...]:
    return tuple(Trial(number) for number in range(TRIALS))


@cache
def fits() -> tuple[RateFit, ...]:
    return tuple(trial.fit() for trial in trials())


@cache
def places(*, is_plug_in: bool) -> np.ndarray:
    return np.array(
        [trial.place([fit.best] if is_plug_in else fit.plausible) for trial, fit in zip(trials(), fits(), strict=True)]
    )


def coverage(place: np.ndarray, level: float) -> float:
    return float(np.mean(np.abs(place - 0.5) <= level / 2))


@pytest.mark.parametrize(("level", "margin"), [(0.5, 0.05), (0.8, 0.03), (0.95, 0.02)])
def test_interval_holds_the_truth_as_often_as_it_says(level: float, margin: float) -> None:
    assert coverage(places(is_plug_in=False), level) == pytest.approx(level, abs=margin)


def test_truth_lies_above_the_middle_as_often_as_below() -> None:
    assert float(np.mean(places(is_plug_in=False) < 0.5)) == pytest.approx(0.5, abs=0.05)


def test_control_plug_in_of_the_best_fit_covers_too_little() -> None:
    assert coverage(places(is_plug_in=True), 0.8) < 0.77


def test_interval_in_whole_people_holds_at_least_nearly_what_it_says() -> None:
    some = list(zip(trials(), fits(), strict=True))[::5]

    share = np.mean([trial.is_within(fit.plausible, 0.8) for trial, fit in some])

    # A hundred trials: two standard errors are 8 points.
    assert share > 0.72
