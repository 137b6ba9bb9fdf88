"""The point that minimises the distance to many points, for a million groups at once.

Points are earth-centred (WGS84, kilometres), so neither the poles nor the antimeridian need a special case. Chords
stand in for geodesics: over 100 km they differ by a metre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

EQUATOR_KM = 6378.137
"""WGS84 semi-major axis."""

_FLATTENING = 1 / 298.257223563
ECCENTRICITY_SQUARED = _FLATTENING * (2 - _FLATTENING)
"""Of WGS84."""

_SAME_KM = 1e-6
_RESTING_KM = 1e-5
_TIE = 1e-9
_TINY = 1e-300
_TEST_EVERY = 5
_ROUNDS = 1000
_BATCH_POINTS = 500_000

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def to_xyz(latitude: Floats, longitude: Floats) -> Floats:
    """Turn degrees into earth-centred kilometres, shape (n, 3), on the WGS84 ellipsoid.

    Examples
    --------
    >>> to_xyz(np.array([0.0]), np.array([180.0])).round(3).tolist()
    [[-6378.137, 0.0, 0.0]]
    """
    sin, cos = np.sin(np.radians(latitude)), np.cos(np.radians(latitude))
    normal = EQUATOR_KM / np.sqrt(1 - ECCENTRICITY_SQUARED * sin**2)
    return np.column_stack(
        (
            normal * cos * np.cos(np.radians(longitude)),
            normal * cos * np.sin(np.radians(longitude)),
            normal * (1 - ECCENTRICITY_SQUARED) * sin,
        )
    )


def to_degrees(xyz: Floats) -> tuple[Floats, Floats]:
    """Turn earth-centred points, on or below the surface, into latitude and longitude of the surface above them.

    Notes
    -----
    The geocentric direction is converted with the ellipsoid's flattening; for the chord middle of points 1,000 km
    apart the result is within 40 m of the geodesic middle.
    """
    longitude = np.degrees(np.arctan2(xyz[:, 1], xyz[:, 0]))
    across = np.hypot(xyz[:, 0], xyz[:, 1])
    latitude = np.degrees(np.arctan2(xyz[:, 2], across * (1 - ECCENTRICITY_SQUARED)))
    return latitude, longitude


def geometric_medians(xyz: Floats, starts: Ints, weight: Floats) -> Floats:
    """Minimise, for each group, the weighted sum of distances to its points.

    Parameters
    ----------
    xyz
        Points, shape (n, 3), kilometres; a group's points follow one another.
    starts
        First point of each group, and ``n`` at the end; no group is empty.
    weight
        Above 0, a point.

    Returns
    -------
    One point a group, shape (groups, 3). A group of one point returns it. Where a segment of minima exists (two
    equal weights) the point nearest the weighted mean is returned.

    Notes
    -----
    Weiszfeld's iteration as Y. Vardi and C.-H. Zhang correct it where it lands on one of the points,
    doi:10.1073/pnas.97.4.1423. It creeps where the median is one of the points, so that the nearest point is also
    tested for being the median, exactly. A group rests when a round moves it by less than a centimetre.
    """
    counts = np.diff(starts)
    medians = _weighted_means(xyz, starts[:-1], weight)
    many = np.flatnonzero(counts > 1)
    if not many.size:
        return medians
    # In batches, or the copies of five million points would take half a gigabyte.
    batch = np.cumsum(counts[many]) // _BATCH_POINTS
    for number in range(int(batch[-1]) + 1):
        groups = many[batch == number]
        if groups.size:
            medians[groups] = _iterate(_Groups.among(xyz, starts, weight, groups), medians[groups])
    return medians


@dataclass(frozen=True, slots=True)
class _Groups:
    """The points of some groups, one group after the other."""

    points: Floats
    weight: Floats
    owner: Ints
    first: Ints

    @classmethod
    def among(cls, xyz: Floats, starts: Ints, weight: Floats, groups: Ints) -> _Groups:
        counts = starts[groups + 1] - starts[groups]
        first = np.cumsum(counts) - counts
        owner = np.repeat(np.arange(groups.size), counts)
        rows = np.arange(owner.size) - first[owner] + starts[groups][owner]
        return cls(xyz[rows], weight[rows], owner, first)

    def only(self, groups: Ints) -> _Groups:
        """Keep these groups, in their order."""
        return _Groups.among(self.points, np.append(self.first, self.owner.size), self.weight, groups)

    def total(self, value: Floats) -> Floats:
        """Sum a group's rows."""
        return np.add.reduceat(value, self.first, axis=0)

    def pull(self, here: Floats) -> tuple[Floats, Floats, Floats]:
        """Say how a group's points pull at a place.

        Returns
        -------
        The sum of weighted unit vectors to the points that are elsewhere, shape (groups, 3); the sum of their weights
        over their distances; the weight of the points that are here.
        """
        away = self.points - here[self.owner]
        apart = np.linalg.norm(away, axis=1)
        elsewhere = apart > _SAME_KM
        force = np.where(elsewhere, self.weight / np.where(elsewhere, apart, 1.0), 0.0)
        return self.total(away * force[:, None]), self.total(force), self.total(np.where(elsewhere, 0.0, self.weight))

    def nearest(self, here: Floats) -> Floats:
        """Give the point of each group that is nearest to a place; of equally near ones the first."""
        apart = np.linalg.norm(self.points - here[self.owner], axis=1)
        rows = np.flatnonzero(apart == np.minimum.reduceat(apart, self.first)[self.owner])
        return self.points[rows[np.unique(self.owner[rows], return_index=True)[1]]]


def _iterate(groups: _Groups, current: Floats) -> Floats:
    found = current.copy()
    moving = np.arange(len(current))
    for number in range(1, _ROUNDS + 1):
        pull, force, here = groups.pull(current)
        strength = np.linalg.norm(pull, axis=1)
        # At one of the points its own weight holds the place back, and keeps it if the others pull less.
        free = np.where(here > 0, np.maximum(0.0, 1 - here / np.maximum(strength, _TINY)), 1.0)
        step = pull * (free / np.maximum(force, _TINY))[:, None]
        current = current + step
        resting = np.linalg.norm(step, axis=1) < _RESTING_KM
        if number % _TEST_EVERY == 0:
            point = groups.nearest(current)
            pull, _, here = groups.pull(point)
            # A tie leaves a segment of minima, or is settled after the last round.
            slack = _TIE if number == _ROUNDS else -_TIE
            held = np.linalg.norm(pull, axis=1) < here * (1 + slack)
            current[held] = point[held]
            resting |= held
        found[moving] = current
        if resting.all():
            break
        if resting.any():
            stay = np.flatnonzero(~resting)
            groups, current, moving = groups.only(stay), current[stay], moving[stay]
    return found


def _weighted_means(xyz: Floats, first: Ints, weight: Floats) -> Floats:
    total = np.add.reduceat(weight, first)
    return np.add.reduceat(xyz * weight[:, None], first, axis=0) / total[:, None]


def group_quantiles(value: Floats, starts: Ints, share: float) -> Floats:
    """Give each group's quantile: the smallest of its values that at least ``share`` of them do not exceed.

    Parameters
    ----------
    value
        One a row, a group's rows following one another.
    starts
        First row of each group, and the number of rows at the end; no group is empty.
    share
        Above 0, up to 1.

    Examples
    --------
    >>> group_quantiles(np.array([3.0, 1.0, 2.0, 9.0]), np.array([0, 3, 4]), 0.5).tolist()
    [2.0, 9.0]
    """
    counts = np.diff(starts)
    owner = np.repeat(np.arange(counts.size), counts)
    ordered = value[np.lexsort((value, owner))]
    rank = np.ceil(share * counts).astype(np.int64) - 1
    return ordered[starts[:-1] + np.clip(rank, 0, counts - 1)]
