"""The way from a place to sites: one interface, whatever answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from sitematch.domain.journey.estimate import Journey, Method, Way
from sitematch.domain.place import Place
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

    def journeys(self, place: Place, ends: Sequence[tuple[Place, float]], /) -> list[Journey]:
        """Estimate the way from a place to others; see `TravelEstimator.journeys`."""
        return [self._journey(place, end, km) for end, km in ends]

    def _journey(self, place: Place, end: Place, km: float) -> Journey:
        detour = self._detours.between(place.coordinates, end.coordinates)
        if detour.factor == math.inf:
            return Journey(way=Way.SEA, minutes=None, road_km=None, method=Method.MODEL, goes_round=True)
        return self._model.journey(
            place.coordinates,
            end.coordinates,
            km,
            math.hypot(place.uncertainty_km, end.uncertainty_km),
            factor=detour.factor,
            goes_round=detour.goes_round,
        )
