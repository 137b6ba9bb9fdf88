"""An estimate of the way from a place to a site."""

from __future__ import annotations

from enum import StrEnum

import msgspec

FLIGHT_FROM_KM = 600.0
"""From this straight distance on, a drive is named together with a flight."""

FASTEST_KMH = 130.0
"""No estimate is quicker than this along the straight line, so that a search by time knows when it is done."""


def least_minutes(km: float) -> float:
    """Give the fewest minutes that any estimate has for a straight distance in kilometres."""
    return km / FASTEST_KMH * 60.0


class Way(StrEnum):
    """How one gets there."""

    ROAD = "ROAD"
    """By car all the way."""
    ROAD_OR_FLIGHT = "ROAD_OR_FLIGHT"
    """By car all the way, but so far that many people fly."""
    SEA = "SEA"
    """Across the sea, or so far round it that people take a ferry or a flight: no minutes are given."""


class Method(StrEnum):
    """What the estimate comes from."""

    MODEL = "MODEL"
    """The model that is in the package: no traffic, no map of roads."""
    ROUTER = "ROUTER"
    """A router that the operator runs: a map of roads, no traffic."""
    MODEL_INSTEAD = "MODEL_INSTEAD"
    """The model, because the router did not answer, answered nonsense, or knows no way."""


class Interval(msgspec.Struct, frozen=True, gc=False):
    """A best guess with the bounds around it; the wide bounds hold the narrow ones.

    Parameters
    ----------
    best
        As often too low as too high.
    low_50, high_50
        The true value lies between them in half of all cases.
    low_90, high_90
        The true value lies between them in 90 of 100 cases.
    """

    best: float
    low_50: float
    high_50: float
    low_90: float
    high_90: float


class Journey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The way by car from a place to a site, one way.

    Parameters
    ----------
    way
        How one gets there.
    minutes
        Minutes by car; None across the sea.
    road_km
        Kilometres by road; None across the sea.
    method
        What the estimate comes from.
    goes_round
        True where the straight line crosses water and the way leads round it or over a bridge.
    """

    way: Way
    minutes: Interval | None
    road_km: Interval | None
    method: Method
    goes_round: bool = False
