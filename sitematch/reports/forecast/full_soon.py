"""Sites that will probably be full soon, for the reasons of a match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo

import numpy as np

from sitematch.domain.capacity.recruitment import Recruitment
from sitematch.reports.forecast.outlook import days_to_end_of, fit_of, month_ends
from sitematch.reports.forecast.plan import plan
from sitematch.reports.forecast.rates import RateModel
from sitematch.reports.forecast.sites import simulate


@dataclass(frozen=True, slots=True)
class FullBy:
    """A day by whose end a site is probably full, and the probability (0 to 1)."""

    on: date
    probability: float


def full_soon(
    recruitment: Recruitment, zone: tzinfo, *, probable: float, months: int, courses: int
) -> Mapping[str, FullBy]:
    """Return the sites that will probably be full, each with the first such end of a month.

    Parameters
    ----------
    recruitment
        The recruitment so far.
    zone
        The time zone of the months.
    probable
        The minimum probability, 0 to 1.
    months
        How far ahead to search.
    courses
        The number of simulated runs.

    Returns
    -------
    mapping
        By site_id. Sites that are already full, or closed to new patients, are missing. It is empty if there is too
        little data.
    """
    future = plan(recruitment, {}, zone)
    found = fit_of(recruitment, future)
    if found is None:
        return {}
    ends = month_ends(recruitment.as_of.astimezone(zone).date(), months)
    until = [days_to_end_of(day, recruitment.as_of, zone) for day in ends]
    full = simulate(future, found.plausible, until, 0, courses=courses).full
    slower = slowing(found.plausible)
    if slower:
        # A patient reads it as a fact, so it must hold if the pace goes on falling, too.
        full = np.minimum(full, simulate(future, slower, until, 0, courses=courses).full)
    soon = {}
    for site, shares in zip(future.sites, full, strict=True):
        if site.starts_in_days is None or 0 in (site.spots, future.spots, future.country_spots.get(site.country)):
            continue
        for day, share in zip(ends, shares, strict=True):
            if share >= probable:
                soon[site.site_id] = FullBy(day, float(share))
                break
    return soon


MIN_SLOWING = 0.03
"""The probability from which a falling pace has to be reckoned with."""


def slowing(models: Sequence[RateModel]) -> tuple[RateModel, ...]:
    """Return the models whose pace goes on falling, with weights that add up to 1; none if they are improbable."""
    falling = [model for model in models if model.clock is not None and model.clock.pace.is_falling]
    total = sum(model.weight for model in falling)
    if total < MIN_SLOWING:
        return ()
    return tuple(replace(model, weight=model.weight / total) for model in falling)
