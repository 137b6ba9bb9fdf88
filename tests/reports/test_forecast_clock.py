"""Clocks: against integrals by hand, against plain days where nothing changes, and the lag against direct counting."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from sitematch.domain.capacity.recruitment import Attempt
from sitematch.domain.capacity.states import EventKind
from sitematch.reports.forecast import counts, study
from sitematch.reports.forecast.clock import Clock, Pace, passed_by
from sitematch.reports.forecast.full_soon import slowing
from sitematch.reports.forecast.pace import clocks, fit_paced, paces
from sitematch.reports.forecast.plan import plan
from sitematch.reports.forecast.rates import RateModel
from sitematch.reports.forecast.sites import simulate
from tests.reports.forecast_builders import NOW, make_plan, make_recruited, make_recruitment, make_site

DAY = timedelta(days=1)
STEADY = Clock(Pace(), (1.0,), {"a": 60.0, "b": 200.0})
SITES = (
    make_site("a", age_days=60.0, spots=4),
    make_site("b", enrolled=5, open_days=200, age_days=200.0),
    make_site("c", enrolled=0, open_days=0, starts_in_days=30.0),
    make_site("d", enrolled=1, open_days=0, starts_in_days=None, finishing=2),
)


def test_steady_clock_gives_the_forecast_of_plain_days() -> None:
    plain, clocked = RateModel(1.5, 100.0), RateModel(1.5, 100.0, clock=STEADY)
    future = make_plan(*SITES, spots=20)

    for days in (1.0, 29.5, 200.0):
        assert study.enrolments(future, [clocked], days) == pytest.approx(study.enrolments(future, [plain], days))
    found, expected = (simulate(future, [model], (40.0, 90.0), 1, courses=500) for model in (clocked, plain))
    assert (found.enrolled == expected.enrolled).all()
    assert (found.full == expected.full).all()


def test_drifting_pace_is_the_integral_of_its_speed() -> None:
    pace = Pace(a_year=0.5, lasts_days=1e9)
    slope = math.log(0.5) / 365

    # A drift that never fades is an exponential.
    for days in (1.0, 90.0, 365.0):
        assert pace.coming(np.array([days]))[0] == pytest.approx((math.exp(slope * days) - 1) / slope, rel=1e-4)
    assert pace.past(np.array([365.0]))[0] == pytest.approx(2)
    faded = Pace(a_year=0.5, lasts_days=365.0).coming(np.array([365.0, 730.0]))
    assert (faded[1] - faded[0]) / 365 == pytest.approx(math.exp(slope * 365 / 2), rel=1e-3)
    assert Pace(a_year=0.5).coming(np.array([100.0]))[0] == 100


def test_pace_that_changed_at_once_stays_or_returns() -> None:
    changed = Pace(changed_days_ago=60.0, before=2.0)

    assert changed.past(np.array([59.5, 60.5])).tolist() == [1.0, 2.0]
    assert changed.coming(np.array([10.0]))[0] == 10
    assert Pace(changed_days_ago=60.0, before=2.0, returns=True).coming(np.array([10.0]))[0] == 20


def test_unsteady_months_spread_around_their_mean_and_even_out() -> None:
    nodes = [(-math.sqrt(3), 1 / 6), (0.0, 2 / 3), (math.sqrt(3), 1 / 6)]

    def moments(days: float) -> tuple[float, float]:
        at = [Pace(unsteady=0.4, ahead_sigma=z).coming(np.array([days]))[0] / days for z, _ in nodes]
        mean = sum(w * x for x, (_, w) in zip(at, nodes, strict=True))
        return mean, math.sqrt(sum(w * (x - mean) ** 2 for x, (_, w) in zip(at, nodes, strict=True)))

    assert moments(30.0) == (pytest.approx(1, abs=0.01), pytest.approx(0.4, abs=0.03))
    assert moments(480.0) == (pytest.approx(1, abs=0.001), pytest.approx(0.1, abs=0.01))


def test_young_site_grows_to_its_pace_and_waits_for_its_first_screenings() -> None:
    clock = Clock(Pace(grows_days=100.0), (1.0,), {})
    old, new, later = clock.ahead(
        (
            make_site("a", age_days=100.0),
            make_site("b", age_days=0.0),
            make_site("c", open_days=0, starts_in_days=50.0, age_days=0.0),
        ),
        (50.0, 100.0, 150.0),
    )

    assert old.tolist() == [50, 100, 150]
    assert new == pytest.approx([12.5, 50, 100], rel=0.01)
    assert later == pytest.approx([0, 12.5, 50], abs=0.05)
    waits = Clock(Pace(), (0.0,) * 20 + (1.0,), {}).ahead((make_site("b", age_days=0.0),), (50.0,))
    assert waits[0, 0] == pytest.approx(30 + 20 * 0.02)


def test_lag_is_the_share_that_has_enrolled_by_each_day() -> None:
    done = [Attempt(days * DAY, EventKind.ENROLLED) for days in (2, 2, 5, 9)]
    failed = [Attempt(4 * DAY, EventKind.SCREEN_FAILED)] * 3

    assert passed_by(done).tolist() == pytest.approx([0, 0, 0.5, 0.5, 0.5, 0.75, 0.75, 0.75, 0.75, 1])
    assert passed_by([]).tolist() == [1]
    assert passed_by([Attempt(DAY / 2, EventKind.ENROLLED)]).tolist() == [1]
    # Failures that come while others still wait do not change whose turn it is.
    assert passed_by(done + failed)[[2, 9]] == pytest.approx([0.5, 1], abs=0.15)


def test_attempts_under_way_make_the_lag_longer_in_a_young_ledger() -> None:
    rng = np.random.default_rng(1)
    began, lasts = rng.uniform(0, 60, 4_000), rng.uniform(10, 50, 4_000)
    seen = [
        Attempt(float(min(last, 60 - at)) * DAY, EventKind.ENROLLED if at + last <= 60 else EventKind.SCREENING)
        for at, last in zip(began, lasts, strict=True)
    ]

    ended = np.array([each.lasts / DAY for each in seen if each.outcome is EventKind.ENROLLED])

    assert np.mean(ended <= 30) > 0.6  # those that have ended are the short ones
    assert passed_by(seen)[29] == pytest.approx(0.5, abs=0.05)


def test_priors_of_the_paces_add_up_to_one() -> None:
    for ledger_days in (30.0, 100.0, 1_000.0):
        assert sum(weight for _, weight in paces(ledger_days)) == pytest.approx(1)


def enrolling(share: float) -> list[float]:
    """Return the days ago of 60 enrolments in 300 days, of which a share fell into the first half."""
    early = round(60 * share)
    return [300 - 150 * (n + 0.5) / early for n in range(early)] + [
        150 - 150 * (n + 0.5) / (60 - early) for n in range(60 - early)
    ]


def recruited(share: float) -> tuple[float, float, float]:
    """Return the probability of a change, and mean and 80 % width of the next 90 days."""
    times = tuple(NOW - ago * DAY for ago in enrolling(share))
    sites = [make_recruited(name, enrolled=60, enrolled_at=times, open_for=300 * DAY) for name in ("a", "b", "c")]
    seen = make_recruitment(*sites, since=NOW - 300 * DAY)
    future = plan(seen, {}, NOW.tzinfo)  # type: ignore[arg-type]
    found = fit_paced([60] * 3, [300] * 3, clocks(seen))
    assert sum(model.weight for model in found.plausible) == pytest.approx(1)
    pmf = study.enrolments(future, found.plausible, 90.0)
    low, high = counts.interval(pmf, 0.8)
    return found.pace_changed, counts.mean(pmf), high - low


def test_pace_that_changed_is_seen_and_the_forecast_follows_it_with_a_wider_interval() -> None:
    steady, faster, slower = recruited(0.5), recruited(0.3), recruited(0.7)

    assert steady[0] < 0.35
    assert min(faster[0], slower[0]) > 0.95
    assert steady[1] == pytest.approx(54, rel=0.03)
    assert slower[1] < 40 and faster[1] > 68
    assert slower[2] / slower[1] > 1.3 * steady[2] / steady[1]


def test_only_paces_that_go_on_falling_are_held_against_likely_full() -> None:
    falls, stopped = Pace(a_year=0.5, lasts_days=365.0), Pace(a_year=0.5)
    models = [RateModel(1.0, 1.0, w, Clock(pace, (1.0,), {})) for w, pace in ((0.5, stopped), (0.5, falls))]

    assert [(model.weight, model.clock) for model in slowing(models)] == [(1.0, models[1].clock)]
    assert slowing(models[:1]) == ()
    assert slowing([RateModel(1.0, 1.0)]) == ()
