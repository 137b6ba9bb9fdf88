"""The day since which a site counts as open: who said so, or what its holds show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class OpeningSource(StrEnum):
    """Why a site counts as open since a day, from the strongest reason to the weakest."""

    ASKED = "asked"
    """The request names the day."""
    COORDINATOR = "coordinator"
    """A coordinator recorded it."""
    REGISTRY = "registry"
    """The registry's record states it."""
    CATALOGUE = "catalogue"
    """The day of the first record that called the site recruiting."""
    FIRST_HOLD = "first hold"
    """The day of its first hold, which was before the day that somebody stated."""
    HOLDS = "holds"
    """Estimated: it had no hold at first, and then too many for that to be chance."""
    LEDGER = "ledger"
    """The start of the study's ledger: it is not known to have opened later."""


TOLD = (OpeningSource.ASKED, OpeningSource.COORDINATOR, OpeningSource.REGISTRY)
"""Reasons that somebody stated: the holds do not change them, and a day ahead is when the site will open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Since when a site counts as open.

    Parameters
    ----------
    on
        The day; it may be before the ledger's start, or ahead.
    source
        Why.
    """

    on: date
    source: OpeningSource


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """The holds of a site, in days since the site could first have been open.

    Parameters
    ----------
    days
        The days until now, over 0.
    holds
        The number of first holds of a referral.
    first
        The days until the first of them; None without holds.
    is_certain
        Whether it is known to have been open from the start of these days.
    """

    days: float
    holds: int
    first: float | None
    is_certain: bool = False


MIN_HOLDS = 5
"""Fewer holds in all say nothing about opening days."""

_SHAPE = 1.3
"""The shape of the distribution of hold rates over sites; sites of trials usually differ by an α of 1 to 4."""

_ROUNDS = 40
_PRIOR_LATE, _PRIOR_SITES = 0.25, 2.0
"""Before any data, one site in eight opened late, with the weight of two sites."""


def opened_after(sites: Mapping[str, HoldRecord]) -> dict[str, float]:
    """Return how many days after the first possible day each site opened, as its holds show.

    Parameters
    ----------
    sites
        By site_id: at least the sites that may have opened late.

    Returns
    -------
    dict
        The expected days; 0 for sites that are certain, and for those that rather opened at the start than late.

    Notes
    -----
    A site either opened at the start or at a day that is uniform up to its first hold. Its holds are Poisson with a
    rate from a gamma distribution over all sites. The share of late sites and the mean rate are estimated from all
    sites together, in turns with the probability of each site (expectation and maximisation). With n holds, the first
    after f of T days, and a gamma with shape a and rate b, the densities are (b + T)^-(a + n) if it opened at the
    start, and the integral of (b + T - s)^-(a + n) / T over s from 0 to f if late.

    Examples
    --------
    >>> always = HoldRecord(100.0, 10, 9.0)
    >>> found = opened_after({"a": always, "b": always, "c": HoldRecord(100.0, 10, 81.0)})
    >>> {name: round(days) for name, days in found.items()}
    {'a': 0, 'b': 0, 'c': 78}
    """
    if sum(site.holds for site in sites.values()) < MIN_HOLDS:
        return dict.fromkeys(sites, 0.0)
    unsure = {name: site for name, site in sites.items() if not site.is_certain}
    late = dict.fromkeys(unsure, 0.5)
    after = dict.fromkeys(unsure, 0.0)
    for _ in range(_ROUNDS):
        share = (sum(late.values()) + _PRIOR_LATE) / (len(unsure) + _PRIOR_SITES)
        open_days = sum(site.days - late.get(name, 0.0) * after.get(name, 0.0) for name, site in sites.items())
        mean = (sum(site.holds for site in sites.values()) + 0.1) / max(open_days, 1.0)
        rate = _SHAPE / mean
        for name, site in unsure.items():
            odds = share / (1 - share) * _odds(site, rate)
            late[name] = odds / (1 + odds)
            after[name] = _mean_opening(site, rate, site.days if site.first is None else site.first)
    return {name: after[name] if late.get(name, 0.0) > 0.5 else 0.0 for name in sites}


def _odds(site: HoldRecord, rate: float) -> float:
    """Return how much more likely the holds are if the site opened late than if it opened at the start."""
    until = site.days if site.first is None else site.first
    if until <= 0:
        return 0.0
    top, power = rate + site.days, _SHAPE + site.holds - 1
    # The exponent is limited so that many holds do not overflow: the odds are then beyond doubt.
    return top / (power * site.days) * math.expm1(min(500.0, power * math.log(top / (top - until))))


def _mean_opening(site: HoldRecord, rate: float, until: float) -> float:
    """Return the mean of the opening if it was late: its density is (b + T - s)^-(a + n), s from 0 to `until`."""
    if until <= 0:
        return 0.0
    top, power = rate + site.days, _SHAPE + site.holds
    shrunk = math.log((top - until) / top)
    mass, moment = (-math.expm1(each * shrunk) / each for each in (power - 1, power - 2))
    return max(0.0, top - (top - until) * moment / mass)
