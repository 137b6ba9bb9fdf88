"""Road kilometres and minutes by car from a straight line and the people around it.

The logarithm of the minutes, and that of road over straight distance, are sums of terms in the logarithm of the
distance and in how densely people live at both ends and in between, times fitted coefficients. An offset for the region
is added where drive times were known nearby. `benchmarks.journey` fits all of it; docs/journey.md tells how good it is.
"""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files
from operator import mul

import msgspec

from sitematch.domain.journey.estimate import FLIGHT_FROM_KM, Interval, Journey, Method, Way, least_minutes
from sitematch.domain.place import Coordinates
from sitematch.roads.tiles import LandTiles

LEAST_KM = 0.5
"""Nearer than this, a site counts as this far: parking and the first corner take their time."""

REGION_DEG = 2
"""Offsets are for squares of so many degrees."""

RADIUS_SIGMAS = 2.45
"""Standard deviations along a line in the radius that holds 95 of 100 points of a two-dimensional bell."""


class Coefficients(msgspec.Struct, frozen=True):
    """What the fit wrote.

    Parameters
    ----------
    minutes, road
        Coefficients of `terms` for the logarithms of minutes and of road over straight distance.
    spread, road_spread
        Standard deviation of what is left, at each of `spread_km` on a logarithmic scale, straight in between.
    spread_km
        Distances, ascending.
    quantiles, road_quantiles
        How many standard deviations the bounds lie from the best guess: low 90, low 50, high 50, high 90.
    regions
        By ``"latitude,longitude"`` of a square's south-west corner: the offset of the logarithm of minutes, and the
        standard deviation of that offset.
    unknown_region
        The standard deviation where nothing is known.
    sources
        What it was fitted to.
    """

    minutes: tuple[float, ...]
    road: tuple[float, ...]
    spread: tuple[float, ...]
    road_spread: tuple[float, ...]
    spread_km: tuple[float, ...]
    quantiles: tuple[float, float, float, float]
    road_quantiles: tuple[float, float, float, float]
    regions: dict[str, tuple[float, float]]
    unknown_region: float
    sources: tuple[str, ...]


@cache
def packaged_coefficients() -> Coefficients:
    """Read the coefficients that are in the package."""
    text = files("sitematch.roads").joinpath("coefficients.json").read_bytes()
    return msgspec.json.decode(text, type=Coefficients)


def terms(km: float, start: tuple[float, ...], between: tuple[float, ...], end: tuple[float, ...]) -> list[float]:
    """List the terms of the model.

    Parameters
    ----------
    km
        Straight distance, at least `LEAST_KM`.
    start, between, end
        Logarithms of the people around the place, around the way (mean of three points), and around the site, at each
        scale.
    """
    k = math.log(km)
    near, far = min(k - _LN_10, 0.0), max(k - _LN_100, 0.0)
    listed = [1.0, k, k * k, near * near, far * far]
    for first, middle, last in zip(start, between, end, strict=True):
        mean, most = (first + last) / 2, max(first, last)
        listed += (mean, mean * k, mean * mean, middle, middle * k, middle * middle, most, most * k, most * most)
    return listed


_LN_10, _LN_100 = math.log(10), math.log(100)


class RoadModel:
    """Estimates the way by car without a map of roads.

    Parameters
    ----------
    tiles
        Where people live.
    coefficients
        What was fitted; those of the package if omitted.
    """

    def __init__(self, tiles: LandTiles, coefficients: Coefficients | None = None) -> None:
        self._tiles = tiles
        fitted = coefficients or packaged_coefficients()
        self._fitted = fitted
        self._log_km = [math.log(km) for km in fitted.spread_km]
        self._regions = {
            (int(south), int(west)): offset
            for key, offset in fitted.regions.items()
            for south, west in [key.split(",")]
        }
        self._nowhere = (0.0, fitted.unknown_region)

    def journey(
        self,
        start: Coordinates,
        end: Coordinates,
        km: float,
        uncertainty_km: float,
        *,
        factor: float = 1.0,
        goes_round: bool = False,
    ) -> Journey:
        """Estimate one way.

        Parameters
        ----------
        start, end
            The place and the site.
        km
            Straight distance between them in kilometres.
        uncertainty_km
            Radius in kilometres within which the true distance's ends lie in 95 of 100 cases, both together.
        factor
            How much longer than the straight line the shortest way over land is, at least 1.
        goes_round
            See `Journey`.
        """
        fitted = self._fitted
        sigma_km = uncertainty_km / RADIUS_SIGMAS
        # A point that is off to the side makes the way longer, never shorter.
        over_land = max(math.hypot(km, sigma_km) * factor, LEAST_KM)
        values = terms(over_land, *self._people(start, end))
        log_minutes = sum(map(mul, values, fitted.minutes))
        log_detour = sum(map(mul, values, fitted.road))
        offset, doubt = self._region((start.latitude + end.latitude) / 2, _middle(start.longitude, end.longitude))
        k = values[1]
        sigma_km *= factor
        spread = math.hypot(_at(k, self._log_km, fitted.spread), doubt)
        road_spread = _at(k, self._log_km, fitted.road_spread)
        road_km = over_land * math.exp(max(log_detour, 0.0))
        return Journey(
            way=Way.ROAD_OR_FLIGHT if km >= FLIGHT_FROM_KM else Way.ROAD,
            minutes=_interval(
                max(math.exp(log_minutes + offset), least_minutes(km)), spread, fitted.quantiles, over_land, sigma_km
            ),
            road_km=_interval(road_km, road_spread, fitted.road_quantiles, over_land, sigma_km),
            method=Method.MODEL,
            goes_round=goes_round,
        )

    def _people(self, start: Coordinates, end: Coordinates) -> tuple[tuple[float, ...], ...]:
        people = self._tiles.people
        north, east = end.latitude - start.latitude, _turn(end.longitude - start.longitude)
        at = [
            people(start.latitude + north * share, _turn(start.longitude + east * share)) for share in (0.25, 0.5, 0.75)
        ]
        between = tuple(sum(point) / 3 for point in zip(*at, strict=True))
        return people(start.latitude, start.longitude), between, people(end.latitude, end.longitude)

    def _region(self, latitude: float, longitude: float) -> tuple[float, float]:
        square = (math.floor(latitude / REGION_DEG) * REGION_DEG, math.floor(longitude / REGION_DEG) * REGION_DEG)
        return self._regions.get(square, self._nowhere)


def _turn(longitude: float) -> float:
    """Bring a longitude, or the difference of two, to -180 up to 180."""
    return (longitude + 180.0) % 360.0 - 180.0


def _middle(first: float, second: float) -> float:
    return _turn(first + _turn(second - first) / 2)


def _at(x: float, xs: list[float], ys: tuple[float, ...]) -> float:
    """Read a curve of straight pieces, level beyond its ends."""
    if x <= xs[0]:
        return ys[0]
    for i in range(1, len(xs)):
        if x <= xs[i]:
            share = (x - xs[i - 1]) / (xs[i] - xs[i - 1])
            return ys[i - 1] + share * (ys[i] - ys[i - 1])
    return ys[-1]


def _interval(
    best: float, spread: float, quantiles: tuple[float, float, float, float], km: float, sigma_km: float
) -> Interval:
    """Put bounds around a best guess: the model's own doubt, and that of how long the way over land is."""
    bounds = []
    for quantile, step in zip(quantiles, _STEPS, strict=True):
        other_km = max(km + step * sigma_km, LEAST_KM)
        away = math.hypot(spread * quantile, math.log(other_km / km))
        bounds.append(best * math.exp(math.copysign(away, step)))
    low_90, low_50, high_50, high_90 = bounds
    return Interval(best, low_50, high_50, low_90, high_90)


_STEPS = (-1.645, -0.674, 0.674, 1.645)
"""Standard deviations from the middle of a bell to the bounds of 90 and of 50 per cent."""
