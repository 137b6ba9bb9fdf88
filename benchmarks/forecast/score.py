"""How well a forecast does in a world: coverage, interval score, bias, and the truth of "likely full"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

import numpy as np

from benchmarks.forecast.worlds import NOW, World, simulate
from sitematch.reports.forecast import counts, rates, study
from sitematch.reports.forecast.full_soon import full_soon
from sitematch.reports.forecast.outlook import days_to_end_of, fit_of
from sitematch.reports.forecast.plan import plan
from sitematch.services.finding.likely_full import PROBABLE

LEVEL = 0.8
COURSES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A world's score over some studies.

    Parameters
    ----------
    studies
        How many had enough data for a forecast.
    covered
        The share whose outcome lay in the 80 % interval.
    interval_score
        The mean interval score, as a share of the outcome: the width, and ten times what the outcome lies outside it
        (Gneiting and Raftery 2007). Lower is better.
    bias
        The mean of median and outcome's difference, as a share of the outcome.
    claims, true
        How many sites were called likely full by a day, and the share that were.
    said
        The mean probability of those claims.
    warned
        The share of forecasts that gave a changed pace more than even odds.
    """

    studies: int
    covered: float
    interval_score: float
    bias: float
    claims: int
    true: float
    said: float
    warned: float


def score(
    world: World,
    studies: int,
    *,
    first: int = 0,
    knows_openings: bool = False,
    is_constant: bool = False,
    claims: bool = True,
) -> Score:
    """Forecast studies of a world and compare with what then happened.

    Parameters
    ----------
    world
        The world.
    studies, first
        How many studies, from which number.
    knows_openings
        Whether coordinators recorded the opening days.
    is_constant
        Whether to forecast with rates that never change instead: the control.
    claims
        Whether to judge "likely full" too, of the same studies with caps.
    """
    covered: list[bool] = []
    scores: list[float] = []
    biases: list[float] = []
    kept: list[bool] = []
    said: list[float] = []
    warned: list[bool] = []
    for number in range(first, first + studies):
        seen = simulate(world, number, knows_openings=knows_openings)
        future = plan(seen.recruitment, {}, UTC)
        found = fit_of(seen.recruitment, future)
        if found is None:
            continue
        if is_constant:
            found = rates.fit([site.enrolled for site in future.sites], [site.open_days for site in future.sites])
        pmf = study.enrolments(future, found.plausible, seen.days)
        low, high = counts.interval(pmf, LEVEL)
        outside = max(low - seen.outcome, seen.outcome - high, 0)
        covered.append(outside == 0)
        outcome = max(1, seen.outcome)
        scores.append((high - low + 2 / (1 - LEVEL) * outside) / outcome)
        biases.append((counts.quantile(pmf, 0.5) - seen.outcome) / outcome)
        warned.append(bool(found.pace_changed > 0.5))
        if claims:
            capped = seen.capped(np.random.default_rng(number))
            left = {site.site_id: site.spots for site in plan(capped, {}, UTC).sites}
            soon = full_soon(capped, UTC, probable=PROBABLE, months=12, courses=COURSES)
            for site, times in zip(capped.sites, seen.came, strict=True):
                claim, spots = soon.get(site.site_id), left[site.site_id]
                if claim is not None and spots is not None:
                    kept.append(sum(at <= days_to_end_of(claim.on, NOW, UTC) for at in times) >= spots)
                    said.append(claim.probability)
    return Score(
        studies=len(covered),
        covered=float(np.mean(covered)),
        interval_score=float(np.mean(scores)),
        bias=float(np.mean(biases)),
        claims=len(kept),
        true=float(np.mean(kept)) if kept else 1.0,
        said=float(np.mean(said)) if said else 1.0,
        warned=float(np.mean(warned)),
    )
