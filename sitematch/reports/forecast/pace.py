"""Paces that the data allow, each with its weight: steady, drifting, changed at a time, growing sites, unsteady months.

A forecast averages over them by what the data say (Hoeting and others 1999, doi:10.1214/ss/1009212519).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from sitematch.domain.capacity.recruitment import Recruitment, SiteRecruitment
from sitematch.reports.forecast.clock import Clock, Floats, Pace, passed_by, speed
from sitematch.reports.forecast.plan import DAY, age_days
from sitematch.reports.forecast.rates import (
    FEW_NODES,
    PRIOR_SPREAD,
    Point,
    RateFit,
    axes_of,
    best_fit,
    log_posterior,
    maximum,
    model_at,
)

_DRIFTS = (0.25, 0.5, 0.75, 1.0, 1.4, 1.8)
"""Changes of the logarithm of the pace in a year; each also falling."""
_DRIFT_SCALE = 0.7
_STEPS_DAYS = (30.0, 60.0, 90.0, 135.0, 180.0)
_RATIOS = (1 / 4, 1 / 2.5, 1 / 1.6, 1.6, 2.5, 4.0)
_GROWTHS_DAYS = (60.0, 120.0, 180.0, 270.0)
_UNSTEADY = (0.2, 0.4)
_SIGMAS = ((-math.sqrt(3), 1 / 6), (0.0, 2 / 3), (math.sqrt(3), 1 / 6))
"""Nodes and weights of Gauss and Hermite, for the months ahead."""

_MOST_MODELS, _FEW_MODELS, _MANY_SITES = 60, 15, 200

P_DRIFT, P_STEP, P_GROWTH, P_UNSTEADY = 0.4, 0.03, 0.2, 0.03
LASTS = ((0.0, 0.2), (365.0, 0.8))
RETURNS = 0.3
"""Prior probabilities, chosen by coverage and interval score over all worlds: see docs/forecast.md."""


@dataclass(frozen=True, slots=True, eq=False)
class PacedClock:
    """A clock with the evidence for it.

    Parameters
    ----------
    clock
        The clock.
    log_prior, log_pace
        Logarithms of its prior probability, and of the product of its speeds at each enrolment.
    exposures
        The time on the clock that each site was open, in the recruitment's order.
    """

    clock: Clock
    log_prior: float
    log_pace: float
    exposures: Floats


def paces(ledger_days: float) -> Iterator[tuple[Pace, float]]:
    """Yield the paces to consider, with their prior probabilities, which add up to 1."""
    drifts = [(sign * size, math.exp(-((size / _DRIFT_SCALE) ** 2) / 2)) for size in _DRIFTS for sign in (-1, 1)]
    total = sum(weight for _, weight in drifts)
    steps = [days for days in _STEPS_DAYS if days < ledger_days - 28]
    growths = [(0.0, 1 - P_GROWTH), *((days, P_GROWTH / len(_GROWTHS_DAYS)) for days in _GROWTHS_DAYS)]
    p_step = P_STEP if steps else 0.0
    p_steady = 1 - P_DRIFT - p_step
    for grows, weight in growths:
        yield Pace(grows_days=grows), weight * p_steady * (1 - P_UNSTEADY)
        for cv in _UNSTEADY:
            for sigma, share in _SIGMAS:
                pace = Pace(grows_days=grows, unsteady=cv, ahead_sigma=sigma)
                yield pace, weight * p_steady * P_UNSTEADY / len(_UNSTEADY) * share
        for slope, each in drifts:
            for lasts, share in LASTS:
                yield (
                    Pace(a_year=math.exp(slope), lasts_days=lasts, grows_days=grows),
                    (weight * P_DRIFT * each / total * share),
                )
    for days in steps:
        for before in _RATIOS:
            weight = p_step / len(steps) / len(_RATIOS)
            yield Pace(changed_days_ago=days, before=before), weight * (1 - RETURNS)
            yield Pace(changed_days_ago=days, before=before, returns=True), weight * RETURNS


def clocks(recruitment: Recruitment) -> tuple[PacedClock, ...]:
    """Return every clock that is considered, with what the data say of it."""
    sites = recruitment.sites
    now = recruitment.as_of
    since = now if recruitment.since is None else recruitment.since
    length = max(1, math.ceil((now - since) / DAY))
    ago: Floats = np.arange(length, dtype=np.float64) + 0.5
    open_on: Floats = np.array([open_between(site, now, np.arange(length + 1.0)) for site in sites])
    ages = np.array([age_days(site, now) for site in sites])[:, None] - ago[None, :]
    passed = passed_by(recruitment.attempts)
    enrolled_ago = np.array([(now - at) / DAY for site in sites for at in site.enrolled_at])
    enrolled_age = np.array([age_days(site, now) - (now - at) / DAY for site in sites for at in site.enrolled_at])
    has_enrolled = np.array([1.0 if site.enrolled else 0.0 for site in sites])
    by_growth: dict[float, tuple[Floats, float]] = {}
    found = []
    made: dict[Pace, tuple[Floats, float, dict[str, float]]] = {}
    for pace, prior in paces(length):
        if pace.grows_days not in by_growth:
            by_growth[pace.grows_days] = (
                open_on * speed(pace.grows_days, passed, ages),
                float(np.log(speed(pace.grows_days, passed, enrolled_age)).sum()),
            )
        counted, log_speed = by_growth[pace.grows_days]
        seen = replace(pace, lasts_days=0.0, returns=False, ahead_sigma=0.0)
        if seen not in made:
            # Somebody who enrolled took at least a part of a day.
            exposures = np.maximum(counted @ pace.past(ago), has_enrolled)
            log_pace = log_speed + float(np.log(pace.past(enrolled_ago)).sum())
            if pace.unsteady:
                log_pace += _unsteadiness(pace.unsteady, enrolled_ago, counted.sum(axis=0))
            made[seen] = exposures, log_pace, dict(zip((s.site_id for s in sites), exposures.tolist(), strict=True))
        exposures, log_pace, past = made[seen]
        found.append(PacedClock(Clock(pace, tuple(passed.tolist()), past), math.log(prior), log_pace, exposures))
    return tuple(found)


def fit_paced(enrolled: Sequence[int], open_days: Sequence[float], found: Sequence[PacedClock]) -> RateFit:
    """Fit the rates on every clock, and average over the clocks by what the data say.

    Parameters
    ----------
    enrolled, open_days
        As in `rates.best_fit`, which gives `RateFit.best`.
    found
        The clocks, with the open time of the same sites.

    Notes
    -----
    The nodes of each clock are those of the likeliest clock, moved by the ratio of the mean rates, and weighted by the
    actual posterior. At most `_MOST_MODELS` models are kept, drawn at even steps of the summed weights.
    """
    k = np.array(enrolled, dtype=np.float64)
    is_open = found[0].exposures > 0
    k, people = k[is_open], float(k[is_open].sum())

    def mean_of(each: PacedClock) -> float:
        return math.log(people / float(each.exposures.sum()))

    def height_of(each: PacedClock) -> Callable[[Point], float]:
        seen = each.exposures[is_open]
        # The likelihood of the counts has k ln t; on another clock the times themselves have their speeds instead.
        own = each.log_prior + each.log_pace - float(np.sum(k * np.log(seen)))
        return lambda at: log_posterior(at, k, seen) + own

    first = max(found, key=lambda each: each.log_prior + each.log_pace + people * mean_of(each))
    mode = maximum(height_of(first), (math.log(PRIOR_SPREAD / 2), mean_of(first)))
    axes = axes_of(height_of(first), mode)
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(FEW_NODES)
    points: list[tuple[float, Point, Clock]] = []
    for each in found:
        height, moved = height_of(each), mean_of(each) - mean_of(first)
        for z0, w0 in zip(nodes, node_weights, strict=True):
            for z1, w1 in zip(nodes, node_weights, strict=True):
                step = axes @ np.array([z0, z1])
                at = (mode[0] + float(step[0]), mode[1] + moved + float(step[1]))
                points.append((math.log(w0 * w1) + (z0 * z0 + z1 * z1) / 2 + height(at), at, each.clock))
    highest = max(log_weight for log_weight, _, _ in points)
    weights = np.exp([log_weight - highest for log_weight, _, _ in points])
    weights /= weights.sum()
    most = _MOST_MODELS if len(k) <= _MANY_SITES else _FEW_MODELS
    chosen = Counter(np.searchsorted(np.cumsum(weights), (np.arange(most) + 0.5) / most).tolist())
    changed = sum(w for w, (_, _, clock) in zip(weights, points, strict=True) if not clock.pace.is_steady)
    return replace(
        best_fit(enrolled, open_days),
        plausible=tuple(
            replace(model_at(points[i][1], count / most), clock=points[i][2]) for i, count in chosen.most_common()
        ),
        pace_changed=float(changed),
    )


def open_between(site: SiteRecruitment, now: datetime, edges: Floats) -> Floats:
    """Return how many days a site was open between each two of some ascending numbers of days ago."""
    # The open time since each edge; its differences are those between them.
    total = np.zeros(len(edges))
    for start, end in site.open_spans:
        total += np.clip(edges, (now - end) / DAY, (now - start) / DAY) - (now - end) / DAY
    return np.diff(total)


def _unsteadiness(cv: float, enrolled_ago: Floats, counted: Floats) -> float:
    """Return how much likelier the months' totals are if the pace varies by a coefficient of variation."""
    from scipy.special import gammaln

    months = len(counted) // 30
    if months < 3:
        return 0.0
    seen = np.bincount((enrolled_ago // 30).astype(np.int64), minlength=months)[:months].astype(np.float64)
    exposed = counted[: months * 30].reshape(months, 30).sum(axis=1)
    if not exposed.all() or not seen.sum():
        return 0.0
    expected = seen.sum() * exposed / exposed.sum()
    size = 1 / cv**2
    varied = gammaln(size + seen) - gammaln(size) + size * np.log(size / (size + expected))
    varied += seen * np.log(expected / (size + expected))
    return float(np.sum(varied - (seen * np.log(expected) - expected)))
