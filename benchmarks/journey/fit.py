"""The fit: one ridge regression for all pairs, and a Gaussian process for what regions differ by.

Region and terms are fitted in turn. The world's pairs were sampled by time, so that a slope fitted to them alone would
be too flat: every region counts as much as a 55th of the US, whose pairs were sampled by place, and the regions' own
levels are taken out before the slopes are fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.journey.pairs import Floats, log_km, matrix
from sitematch.roads.model import REGION_DEG

RIDGE = 30.0
REACH_KM = 400.0
"""How far regions resemble one another."""
REGION_SIGMA, CELL_SIGMA, PAIR_SIGMA = 0.22, 0.08, 0.2
WORLD_WEIGHT = 1.0
TURNS = 5
ENOUGH = 40
"""More pairs in a square than this make its level no surer."""

SPREAD_KM = (1.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
BOUNDS = (0.05, 0.25, 0.75, 0.95)


class Group:
    """Pairs of one region, with what the fit needs of them summed up by squares.

    Parameters
    ----------
    pairs
        At least one.
    """

    def __init__(self, pairs: pd.DataFrame) -> None:
        self.pairs = pairs
        self.terms = matrix(pairs)
        self.log_minutes = np.log(pairs.minutes.to_numpy())
        squares = np.floor(pairs[["lat", "lon"]].to_numpy() / REGION_DEG).astype(int)
        _, self.square = np.unique(squares, axis=0, return_inverse=True)
        self.square = self.square.ravel()
        self.count = np.bincount(self.square)
        self.lat, self.lon = self._means(pairs.lat.to_numpy()), self._means(pairs.lon.to_numpy())
        self.mean_terms = np.column_stack([self._means(column) for column in self.terms.T])
        self.mean_log = self._means(self.log_minutes)
        self.inner = self.terms.T @ self.terms
        self.target = self.terms.T @ self.log_minutes

    def _means(self, values: Floats) -> Floats:
        return np.bincount(self.square, values) / self.count


@dataclass(frozen=True)
class Fit:
    """What was fitted to some groups."""

    coefficients: Floats
    points: Floats
    weights: Floats
    inverse: Floats

    def region(self, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
        """Give the offset of the logarithm at points, and its variance."""
        alike = REGION_SIGMA**2 * _alike(_xyz(lat, lon), self.points)
        return alike @ self.weights, REGION_SIGMA**2 - np.einsum("ij,jk,ik->i", alike, self.inverse, alike)

    def predict(self, group: Group) -> tuple[Floats, Floats]:
        """Give the logarithm of the minutes of each pair, and the variance that its region adds."""
        offset, variance = self.region(group.lat, group.lon)
        return group.terms @ self.coefficients + offset[group.square], np.maximum(variance, 0)[group.square]


def fit(us: Group, world: list[Group]) -> Fit:
    """Fit both parts in turn."""
    groups = [us, *world]
    share = WORLD_WEIGHT * len(us.pairs) / 55
    weights = [1.0, *(share / len(group.pairs) for group in world)]
    count = np.concatenate([group.count for group in groups])
    heavy = np.concatenate([weight * group.count for weight, group in zip(weights, groups, strict=True)])
    means = np.vstack([group.mean_terms for group in groups])
    logs = np.concatenate([group.mean_log for group in groups])
    points = np.vstack([_xyz(group.lat, group.lon) for group in groups])
    alike = REGION_SIGMA**2 * _alike(points, points)
    inverse = np.linalg.inv(alike + np.diag(PAIR_SIGMA**2 / np.minimum(count, ENOUGH) + CELL_SIGMA**2))
    smooth = alike @ inverse
    # Each term is shrunk by its own spread, and the constant not at all.
    ridge = RIDGE * np.diag(np.var(us.terms, axis=0))
    inner = sum(weight * group.inner for weight, group in zip(weights, groups, strict=True)) + ridge
    target = sum(weight * group.target for weight, group in zip(weights, groups, strict=True))
    offset = np.zeros(len(logs))
    for _turn in range(TURNS):
        coefficients = np.linalg.solve(inner, target - means.T @ (heavy * offset))
        rest = logs - means @ coefficients
        offset = smooth @ rest
    return Fit(coefficients, points, inverse @ rest, inverse)


def fit_road(us: Group) -> Floats:
    """Fit the logarithm of road over straight distance to the US pairs, without the blunders of the table.

    A road shorter than the straight line, or four times as long where the line is over 20 km, is taken for one.
    """
    detour = us.pairs.esri_road_km.to_numpy() / us.pairs.km.to_numpy()
    good = (detour >= 1) & (detour < np.where(us.pairs.km > 20, 4, 10))
    terms, logs = us.terms[good], np.log(detour[good])
    return np.linalg.solve(terms.T @ terms + RIDGE * np.diag(np.var(terms, axis=0)), terms.T @ logs)


def spread_of(k: Floats, rest: Floats, known: Floats) -> Floats:
    """Give the standard deviation of what is left at each of `SPREAD_KM`, beside a variance that is known.

    Half of the rest is within 0.6745 standard deviations, which a few blunders do not move.
    """
    at = np.log(SPREAD_KM)
    found = []
    for one in at:
        weight = np.exp(-0.5 * ((k - one) / 0.4) ** 2)
        order = np.argsort(np.abs(rest))
        total = np.cumsum(weight[order])
        half = np.abs(rest)[order][np.searchsorted(total, total[-1] / 2)]
        extra = float(np.sum(weight * known) / np.sum(weight))
        found.append(np.sqrt(max((half / 0.6745) ** 2 - extra, 0.03**2)))
    return np.array(found)


def standardised(group: Group, rest: Floats, known: Floats, spread: Floats) -> Floats:
    """Give how many standard deviations each pair is off."""
    return rest / np.sqrt(np.interp(log_km(group.pairs), np.log(SPREAD_KM), spread) ** 2 + known)


def quantiles(values: list[Floats]) -> tuple[float, ...]:
    """Give the bounds in standard deviations; each array counts the same."""
    everything = np.concatenate(values)
    weight = np.concatenate([np.full(len(one), 1 / len(one)) for one in values])
    order = np.argsort(everything)
    total = np.cumsum(weight[order]) / weight.sum()
    return tuple(float(everything[order][np.searchsorted(total, bound)]) for bound in BOUNDS)


def _xyz(lat: Floats, lon: Floats) -> Floats:
    phi, theta = np.radians(lat), np.radians(lon)
    return 6371.0 * np.column_stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])


def _alike(first: Floats, second: Floats) -> Floats:
    apart = np.sqrt(np.maximum(((first[:, None] - second[None]) ** 2).sum(-1), 0))
    return np.asarray(0.6 * np.exp(-apart / REACH_KM) + 0.4 * np.exp(-apart / (4 * REACH_KM)))
