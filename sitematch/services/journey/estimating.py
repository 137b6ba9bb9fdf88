"""The way from a place to sites: one interface, whatever answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from sitematch.domain.journey.estimate import Journey, Method, Way
from sitematch.domain.place import Coordinates, Place
from sitematch.roads.detours import Detours
from sitematch.roads.model import RoadModel
from sitematch.roads.tiles import LandTiles


class TravelEstimator(Protocol):
    """Estimates the way by car."""

    def journeys(self, place: Place, ends: Sequence[tuple[Place, float]], /) -> list[Journey]:
        """Estimate the way from a place to others.

        Parameters
        ----------
        place
            Where the person is.
        ends
            Where sites are, each with its straight distance in kilometres.

        Returns
        -------
        One for each end, in their order.
        """
        ...


KEPT = 20_000
"""Ways that a process remembers, by the points of their ends, in memory only: some 10 MB."""


class ModelEstimator:
    """Estimates from land and people alone: nothing leaves the machine, and there is no network to fail.

    Parameters
    ----------
    tiles
        The file of land and people.
    """

    def __init__(self, tiles: LandTiles) -> None:
        self._model = RoadModel(tiles)
        self._detours = Detours(tiles)
        self._remembered = lru_cache(maxsize=KEPT)(self._journey)

    def journeys(self, place: Place, ends: Sequence[tuple[Place, float]], /) -> list[Journey]:
        """Estimate the way from a place to others; see `TravelEstimator.journeys`."""
        here, unsure_km = place.coordinates, place.uncertainty_km
        return [
            self._remembered(
                here.latitude,
                here.longitude,
                end.coordinates.latitude,
                end.coordinates.longitude,
                km,
                math.hypot(unsure_km, end.uncertainty_km),
            )
            for end, km in ends
        ]

    def _journey(
        self, south: float, west: float, north: float, east: float, km: float, uncertainty_km: float
    ) -> Journey:
        start, end = Coordinates(latitude=south, longitude=west), Coordinates(latitude=north, longitude=east)
        detour = self._detours.between(start, end)
        if detour.factor == math.inf:
            return Journey(way=Way.SEA, minutes=None, road_km=None, method=Method.MODEL, goes_round=True)
        return self._model.journey(
            start,
            end,
            km,
            uncertainty_km,
            factor=detour.factor,
            goes_round=detour.goes_round,
        )
