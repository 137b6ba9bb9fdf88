"""The way round water: the shortest way over land and fixed links, where the straight line leaves the land.

Land is a grid of cells of a twentieth of a degree, 5.6 km from south to north, so that rivers, narrow straits and bays
are not seen. Which land mass a cell belongs to comes from the coastline itself, so that even a narrow strait parts what
no link joins.
"""

from __future__ import annotations

import heapq
import math
from functools import lru_cache

import msgspec

from sitematch.domain.journey.estimate import FLIGHT_FROM_KM
from sitematch.domain.place import Coordinates
from sitematch.roads.tiles import LAND_STEPS, LandTiles

MOST_FACTOR = 2.5
MOST_EXTRA_KM = 80.0
"""A way over land longer than this many times the straight line and these kilometres is no way: people take a ferry."""

STRAIT_KM = 4.0
"""Less water than this along the line is a river or a harbour, with a bridge near."""

KEPT = 20_000
"""Ways that are remembered, by the cells of their ends."""

_STEP_KM = 3.0
_MOST_STEPS = 150
_SNAP_CELLS = 4
_COARSE_FROM_KM = 150.0
_ROWS, _COLUMNS = 180 * LAND_STEPS, 360 * LAND_STEPS
_CELL_KM = 111.2 / LAND_STEPS
_EARTH_KM = 6371.0


class Detour(msgspec.Struct, frozen=True, gc=False):
    """How the way over land compares with the straight line.

    Parameters
    ----------
    factor
        How much longer it is, at least 1; infinite if there is none, or none that people would drive.
    goes_round
        Whether the straight line crosses water.
    """

    factor: float
    goes_round: bool


DRY = Detour(1.0, False)
SEA = Detour(math.inf, True)


class Detours:
    """Finds the way round water; safe to share between threads.

    Parameters
    ----------
    tiles
        Where land is.

    Notes
    -----
    A straight line over land costs some microseconds. A way round costs milliseconds once, and is then remembered by
    the cells of its ends, in memory only.
    """

    def __init__(self, tiles: LandTiles) -> None:
        self._tiles = tiles
        self._links: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for link in tiles.links:
            ends = self._land_near(_cell(link.start)), self._land_near(_cell(link.end))
            for here, there in (ends, ends[::-1]):
                if here is not None and there is not None and here != there:
                    self._links.setdefault(here, []).append(there)
        self._remembered = lru_cache(maxsize=KEPT)(self._between)

    def between(self, start: Coordinates, end: Coordinates) -> Detour:
        """Compare the way over land with the straight line.

        Parameters
        ----------
        start, end
            Any points; one in the water counts as on the land within about 20 km.
        """
        return self._remembered(_cell(start), _cell(end))

    def _between(self, start: tuple[int, int], end: tuple[int, int]) -> Detour:
        """Compare the way between the middles of two cells."""
        km = _between_km(start, end)
        if self._water_km(*_centre(start), *_centre(end), km) < STRAIT_KM:
            return DRY
        first, last = self._land_near(start), self._land_near(end)
        if first is None or last is None:
            return SEA
        network = self._tiles.network
        if network(self._tiles.mass(*first)) != network(self._tiles.mass(*last)):
            return SEA
        straight_km = _between_km(first, last)
        if straight_km >= FLIGHT_FROM_KM or first == last:
            return Detour(1.0, True)
        over_land_km = self._search(first, last)
        return SEA if over_land_km == math.inf else Detour(max(1.0, over_land_km / straight_km), True)

    def _water_km(self, south: float, west: float, north: float, east: float, km: float) -> float:
        """Measure how much of the straight line is over water, or over land of another network."""
        mass = self._tiles.mass
        steps = min(max(1, math.ceil(km / _STEP_KM)), _MOST_STEPS)
        up, right = (north - south) / steps, ((east - west + 180) % 360 - 180) / steps
        row, column = (south + 90) * LAND_STEPS, (west + 180) * LAND_STEPS
        up, right = up * LAND_STEPS, right * LAND_STEPS
        wet = 0
        last = mass(min(int(row), _ROWS - 1), math.floor(column))
        for step in range(steps + 1):
            here = mass(min(int(row + step * up), _ROWS - 1), math.floor(column + step * right))
            if here == 0:
                wet += 1
            elif last and here != last and self._tiles.network(here) != self._tiles.network(last):
                return math.inf
            last = here or last
        return wet * km / steps

    def _land_near(self, cell: tuple[int, int]) -> tuple[int, int] | None:
        """Find the cell of land nearest to a cell, within `_SNAP_CELLS`; None if there is none."""
        row, column = cell
        if self._tiles.mass(row, column):
            return row, column
        squeeze = math.cos(math.radians(_centre(cell)[0]))
        reach = range(-_SNAP_CELLS, _SNAP_CELLS + 1)
        around = sorted((up * up + (right * squeeze) ** 2, up, right) for up in reach for right in reach)
        for _, up, right in around:
            if 0 <= row + up < _ROWS and self._tiles.mass(row + up, column + right):
                return row + up, (column + right) % _COLUMNS
        return None

    def _search(self, first: tuple[int, int], last: tuple[int, int]) -> float:
        """Find the shortest way over land in kilometres, by A*; infinite if none is short enough."""
        straight = _between_km(first, last)
        bound = MOST_FACTOR * straight + MOST_EXTRA_KM
        stride = 1 if straight < _COARSE_FROM_KM else 3
        best: dict[tuple[int, int], float] = {first: 0.0}
        came: dict[tuple[int, int], tuple[int, int]] = {}
        queue = [(straight, first)]
        done: set[tuple[int, int]] = set()
        while queue:
            _, here = heapq.heappop(queue)
            if here == last:
                return self._pulled(came, first, last)
            if here in done:
                continue
            done.add(here)
            so_far = best[here]
            for there, step_km in self._next(here, last, stride):
                length = so_far + step_km
                if length < best.get(there, math.inf):
                    ahead = length + _between_km(there, last)
                    if ahead <= bound:
                        best[there] = length
                        came[there] = here
                        heapq.heappush(queue, (ahead, there))
        return math.inf

    def _next(self, here: tuple[int, int], last: tuple[int, int], stride: int) -> list[tuple[tuple[int, int], float]]:
        """List the cells that one reaches from a cell, with the kilometres to each."""
        row, column = here
        mass = self._tiles.mass
        own = mass(row, column)
        east_km = _CELL_KM * stride * math.cos(math.radians((row + 0.5) / LAND_STEPS - 90))
        north_km = _CELL_KM * stride
        found = []
        for up, right in _AROUND:
            there = row + up * stride, (column + right * stride) % _COLUMNS
            if 0 <= there[0] < _ROWS and mass(*there) == own:
                found.append((there, math.hypot(up * north_km, right * east_km)))
        if stride > 1:
            # From a coarse grid, the last cell and the ends of links are reached from near by.
            found.extend(
                (target, _between_km(here, target))
                for target in (last, *self._links)
                if target != here
                and abs(target[0] - row) <= stride
                and abs(target[1] - column) <= stride
                and mass(*target) == own
            )
        found.extend((there, _between_km(here, there)) for there in self._links.get(here, ()))
        return found

    def _pulled(
        self, came: dict[tuple[int, int], tuple[int, int]], first: tuple[int, int], last: tuple[int, int]
    ) -> float:
        """Measure the way found, pulled straight wherever the land allows it."""
        way = [last]
        while way[-1] != first:
            way.append(came[way[-1]])
        total, at = 0.0, 0
        while at < len(way) - 1:
            reach = len(way) - 1
            while reach > at + 1 and not self._is_open(way[at], way[reach]):
                reach = at + max(1, (reach - at) // 2)
            total += _between_km(way[at], way[reach])
            at = reach
        return total

    def _is_open(self, first: tuple[int, int], last: tuple[int, int]) -> bool:
        (south, west), (north, east) = _centre(first), _centre(last)
        return self._water_km(south, west, north, east, _between_km(first, last)) == 0.0


_AROUND = [(up, right) for up in (-1, 0, 1) for right in (-1, 0, 1) if up or right]


def _cell(point: Coordinates) -> tuple[int, int]:
    row = min(int((point.latitude + 90) * LAND_STEPS), _ROWS - 1)
    return row, math.floor((point.longitude + 180) * LAND_STEPS) % _COLUMNS


def _centre(cell: tuple[int, int]) -> tuple[float, float]:
    return (cell[0] + 0.5) / LAND_STEPS - 90, (cell[1] + 0.5) / LAND_STEPS - 180


def _between_km(first: tuple[int, int], last: tuple[int, int]) -> float:
    """Measure from cell to cell on a sphere; to half a per cent, which is finer than the cells."""
    (a_lat, a_lon), (b_lat, b_lon) = _centre(first), _centre(last)
    a, b, turn = math.radians(a_lat), math.radians(b_lat), math.radians(b_lon - a_lon)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(turn / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))
