"""How many people on a list live within reach of a site, and the effect of one more site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinReach:
    """The people within one distance of a site.

    Parameters
    ----------
    limit_km
        The distance, in kilometres.
    surely
        People who are certainly within it, wherever they and the site are within their uncertainty.
    unsure
        People who may be on either side, because their uncertainty includes the limit.
    beyond
        People who are certainly beyond it.
    share
        The share of the located people whose best point is within, 0 to 1.
    share_low, share_high
        Of all people, the share who certainly are within, and the share who may be; people who could not be located may
        be anywhere.
    """

    limit_km: float
    surely: float
    unsure: float
    beyond: float
    share: float
    share_low: float
    share_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Medians:
    """The median distance: half of the located people are at most this far from a site.

    Parameters
    ----------
    km
        By the best points, in kilometres; infinite if there is no site.
    low_km, high_km
        The median if every distance is as short, or as long, as its uncertainty allows.
    """

    km: float
    low_km: float
    high_km: float


def within_reach(
    limit_km: float, people: FloatArray, unlocated: float, km: FloatArray, least_km: FloatArray, most_km: FloatArray
) -> WithinReach:
    """Count the people within a distance.

    Parameters
    ----------
    limit_km
        The distance.
    people
        The number of people at each located place, at least 0; together with `unlocated` they are more than 0.
    unlocated
        The number of people who could not be located.
    km, least_km, most_km
        The distance from each place to the nearest site, and its bounds.

    Examples
    --------
    >>> two = within_reach(100, np.ones(2), 0, np.array([50, 98]), np.array([45, 90]), np.array([55, 106]))
    >>> two.surely, two.unsure, two.share, two.share_low
    (1.0, 1.0, 1.0, 0.5)
    """
    located = float(people.sum())
    everybody = located + unlocated
    surely = float(people[most_km <= limit_km].sum())
    possibly = float(people[least_km <= limit_km].sum())
    return WithinReach(
        limit_km=limit_km,
        surely=surely,
        unsure=possibly - surely,
        beyond=located - possibly,
        share=float(people[km <= limit_km].sum()) / located if located else 0.0,
        share_low=surely / everybody,
        share_high=(possibly + unlocated) / everybody,
    )


def median(values: FloatArray, weights: FloatArray) -> float:
    """Return the smallest value that half of the weight does not exceed; infinite without any weight.

    Examples
    --------
    >>> median(np.array([30.0, 10.0, 20.0]), np.array([1.0, 1.0, 1.0]))
    20.0
    """
    total = float(weights.sum())
    if not total:
        return float("inf")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) >= total / 2.0
    return float(values[order][int(np.argmax(reached))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """The effect of one more open site.

    Parameters
    ----------
    candidate
        The position of the site in the candidates.
    median_km
        The median distance with it, in kilometres.
    mean_km
        The mean distance with it.
    shares
        For each limit, the share of the located people whose best point is within, 0 to 1.
    nearer
        The number of people for whom it would be nearer than any open site.
    """

    candidate: int
    median_km: float
    mean_km: float
    shares: tuple[float, ...]
    nearer: float


def counterfactuals(
    people: FloatArray, km: FloatArray, candidates_km: Sequence[FloatArray], limits_km: Sequence[float]
) -> tuple[Counterfactual, ...]:
    """Rank candidates by the effect of each one alone.

    Parameters
    ----------
    people
        The number of people at each located place; more than 0 in total.
    km
        The distance from each place to the nearest open site, infinite if there is none.
    candidates_km
        For each candidate, the distance from each place to it.
    limits_km
        Distances for which to report the share within.

    Returns
    -------
    tuple of Counterfactual
        The smallest median first; equal medians by mean distance, then by position.
    """
    total = float(people.sum())
    found = []
    for i, to_candidate in enumerate(candidates_km):
        then = np.minimum(km, to_candidate)
        found.append(
            Counterfactual(
                candidate=i,
                median_km=median(then, people),
                mean_km=float((then * people).sum()) / total,
                shares=tuple(float(people[then <= limit].sum()) / total for limit in limits_km),
                nearer=float(people[to_candidate < km].sum()),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.median_km, one.mean_km, one.candidate)))


class NotOpen(StrEnum):
    """Reasons why a site takes no patients now."""

    NOT_RECRUITING = "NOT_RECRUITING"
    """Its status is closed to new patients."""
    FULL = "FULL"
    """It recruits, but its spots, or those that it shares, are taken, or it is closed."""
    CANDIDATE = "CANDIDATE"
    """It does not belong to the study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleSite:
    """A site that could be opened.

    Parameters
    ----------
    site
        The site; it has a location.
    why
        Why it takes no patients now.
    """

    site: Site
    why: NotOpen


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestPeople:
    """The people for whom one open site is the nearest.

    Parameters
    ----------
    site
        The site.
    people
        How many.
    median_km
        Their median distance to it, in kilometres.
    """

    site: Site
    people: float
    median_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The result: only numbers of people, never a postcode.

    Parameters
    ----------
    study, as_of
        The study and the time (aware).
    sources
        The data sources that located the list and the sites.
    rows
        The number of rows in the list.
    people, unlocated
        All people, and those of them who could not be located.
    statuses
        Rows by their gazetteer status (see `sitematch.gazetteer.batch.BatchStatus`), without statuses that do not
        occur.
    open_sites, unplaced_sites
        Sites that can take a patient now and have a location; sites without a location.
    reached
        For each requested distance, ascending.
    medians
        The median distance.
    nearest
        Open sites by the number of people they are nearest to, most first, then by site_id; including sites that are
        nearest to nobody.
    candidates
        Sites that could be opened.
    ranked
        The effect of each, best first; empty without candidates or located people.
    """

    study: Study
    as_of: datetime
    sources: tuple[str, ...]
    rows: int
    people: float
    unlocated: float
    statuses: tuple[tuple[str, int], ...]
    open_sites: tuple[Site, ...]
    unplaced_sites: tuple[Site, ...]
    reached: tuple[WithinReach, ...]
    medians: Medians
    nearest: tuple[NearestPeople, ...]
    candidates: tuple[PossibleSite, ...]
    ranked: tuple[Counterfactual, ...]
