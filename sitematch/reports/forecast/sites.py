"""Sites that compete for the same spots, by simulation.

The study's total can be calculated exactly (`sitematch.reports.forecast.study`). Its distribution over sites that share
a cap cannot, because faster sites take more of it. So many runs of the study are simulated, each with its own rates,
and the sites are counted in them. The random seed is fixed, so the same inputs give the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sitematch.reports.forecast.plan import Plan
from sitematch.reports.forecast.rates import RateModel

SEED = 20260101
"""The default random seed; a report names it."""

COURSES = 4_000
"""Number of simulated runs: a probability of one half is then accurate to 1.6 percentage points in 95 of 100 cases."""

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SitesAhead:
    """The results of the runs, for every site in the plan's order.

    Parameters
    ----------
    full
        Share of runs in which the site was full at each of the times: sites by times.
    enrolled
        Enrolments up to the requested time: sites by runs.
    """

    full: Floats
    enrolled: npt.NDArray[np.int32]


def simulate(
    plan: Plan,
    models: Sequence[RateModel],
    days: Sequence[float],
    count_at: int,
    *,
    courses: int = COURSES,
    seed: int = SEED,
) -> SitesAhead:
    """Simulate runs of the study and count the sites in them.

    Parameters
    ----------
    plan, models
        See `sitematch.reports.forecast.study.enrolments`.
    days
        Times from now, in days, ascending.
    count_at
        The index of the time of `SitesAhead.enrolled`.
    courses
        The number of runs.
    seed
        The random seed.

    Notes
    -----
    A site is full once its own cap, its country's or the study's is reached. Between two times, arrivals are Poisson,
    and the site's own cap limits them exactly. If a wider cap is reached in between, the arrivals that still get a spot
    are chosen at random among all in that step, because arrivals of a Poisson process are uniform in time.
    """
    rng = np.random.default_rng(seed)
    drawn = _drawn_models(models, courses)
    lasts = [_lasts(model, plan, days) for model in models]
    full = np.zeros((len(plan.sites), len(days)), dtype=np.int64)
    enrolled = np.empty((len(plan.sites), courses), dtype=np.int32)
    # In parts that fit into a processor's cache; a study of a hundred sites is one part.
    part = max(1, _AT_ONCE // max(1, len(plan.sites)))
    for start in range(0, courses, part):
        of = slice(start, min(start + part, courses))
        enrolled[:, of] = _run(plan, models, lasts, drawn[of], days, count_at, full, rng)
    return SitesAhead(full / courses, enrolled)


_AT_ONCE = 400_000


def _run(
    plan: Plan,
    models: Sequence[RateModel],
    lasts: Sequence[Floats],
    drawn: npt.NDArray[np.intp],
    days: Sequence[float],
    count_at: int,
    full: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> Counts:
    """Simulate one run for each drawn model, add full sites to `full`, and return the enrolments."""
    sites, courses = plan.sites, len(drawn)
    enrolled = np.array([site.enrolled for site in sites], dtype=np.float64)[:, None]
    shapes = np.array([model.shape for model in models])[drawn]
    known = np.array([model.days + model.past(sites) for model in models]).T[:, drawn]
    rates = rng.gamma(shapes + enrolled, 1 / known)
    room = _Room(plan, courses)
    counts = np.zeros((len(sites), courses), dtype=np.int64)
    counted = counts
    steps = np.array(lasts)
    is_full = room.is_full()
    for step in range(len(days)):
        arrivals = np.zeros_like(counts)
        lasting = steps[:, :, step]
        # Whoever comes to a site that is full in every run changes nothing.
        running = np.flatnonzero(lasting.any(axis=0) & ~is_full.all(axis=1))
        arrivals[running] = rng.poisson(rates[running] * lasting[:, running].T[:, drawn])
        if step == 0:
            arrivals += _finishing(plan, rng, courses)
        counts += room.let_in(arrivals, rng)
        is_full = room.is_full()
        full[:, step] += is_full.sum(axis=1)
        if step == count_at:
            counted = counts.copy()
        if step >= count_at and is_full.all():
            full[:, step + 1 :] += courses
            break
    return counted


def _drawn_models(models: Sequence[RateModel], courses: int) -> npt.NDArray[np.intp]:
    # By their weights but not at random, which removes one source of noise.
    ends = np.cumsum([model.weight for model in models])
    return np.searchsorted(ends, (np.arange(courses) + 0.5) / courses).clip(max=len(models) - 1)


def _lasts(model: RateModel, plan: Plan, days: Sequence[float]) -> Floats:
    """Return how long each step lasts on the model's clock: sites by steps."""
    return np.diff(model.ahead(plan.sites, days), axis=1, prepend=0.0)


def _finishing(plan: Plan, rng: np.random.Generator, courses: int) -> Counts:
    shares = rng.beta(*plan.completion, size=courses)
    under_way = np.array([site.finishing for site in plan.sites], dtype=np.int64)
    return rng.binomial(under_way[:, None], shares[None, :])


_PLENTY = np.iinfo(np.int64).max // 4


class _Room:
    """The spots left in each run, at every level."""

    def __init__(self, plan: Plan, courses: int) -> None:
        own = [_PLENTY if site.spots is None else site.spots for site in plan.sites]
        self._sites = np.repeat(np.array(own, dtype=np.int64)[:, None], courses, axis=1)
        groups = [
            (np.array([i for i, site in enumerate(plan.sites) if site.country == country], dtype=np.int64), spots)
            for country, spots in plan.country_spots.items()
        ]
        if plan.spots is not None:
            groups.append((np.arange(len(plan.sites)), plan.spots))
        # Narrow before wide.
        self._shared = [(members, np.full(courses, spots, dtype=np.int64)) for members, spots in groups if len(members)]

    def let_in(self, arrivals: Counts, rng: np.random.Generator) -> Counts:
        """Enrol as many of the arrivals as there are spots for, and return their number."""
        arrivals = np.minimum(arrivals, self._sites)
        for members, left in self._shared:
            asked = arrivals[members].sum(axis=0)
            for course in np.flatnonzero(asked > left):
                arrivals[members, course] = _some(arrivals[members, course], int(left[course]), rng)
        self._sites -= arrivals
        for members, left in self._shared:
            left -= arrivals[members].sum(axis=0)
        return arrivals

    def is_full(self) -> npt.NDArray[np.bool_]:
        """Return whether each site is full, in each run."""
        full = self._sites <= 0
        for members, left in self._shared:
            full[members] |= left <= 0
        return full


def _some(arrivals: Counts, room: int, rng: np.random.Generator) -> Counts:
    if room == 0:
        return np.zeros_like(arrivals)
    return rng.multivariate_hypergeometric(arrivals, room, method="marginals")
