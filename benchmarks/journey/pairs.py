"""Pairs of points with known drive times, and the model's terms for them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import Geod

from sitematch.domain.place import Coordinates
from sitematch.roads.detours import Detours
from sitematch.roads.model import LEAST_KM, terms
from sitematch.roads.tiles import LandTiles

US, WORLD = "us-zip-hospital.csv", "world-pairs.csv"
SOURCES = (
    (
        "9,019 US pairs with Google's minutes and Esri's kilometres: github.com/wybert/"
        "Comparative-Study-of-Methods-for-Drive-Time-Estimation (MIT)"
    ),
    (
        "55,982 pairs of 49 regions with TravelTime's minutes: github.com/traveltime-dev/"
        "traveltime-drive-time-comparisons (MIT)"
    ),
)
Floats = npt.NDArray[np.floating[Any]]


def read_pairs(folder: Path, tiles: LandTiles) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read both tables, with straight kilometres, middles and terms.

    Parameters
    ----------
    folder
        Where the tables are; they are others' and no part of the project.
    tiles
        Where people live.

    Returns
    -------
    The US and the world; minutes of the US are Google's.
    """
    us = pd.read_csv(folder / US).rename(columns={"google_minutes": "minutes"})
    world = pd.read_csv(folder / WORLD)
    us["region"] = "US"
    return (
        _prepared(us, ["zip_latitude", "zip_longitude", "hospital_latitude", "hospital_longitude"], tiles),
        _prepared(world, ["from_latitude", "from_longitude", "to_latitude", "to_longitude"], tiles),
    )


def _prepared(pairs: pd.DataFrame, columns: list[str], tiles: LandTiles) -> pd.DataFrame:
    start_lat, start_lon, end_lat, end_lon = (pairs[name].to_numpy() for name in columns)
    _, _, metres = Geod(ellps="WGS84").inv(start_lon, start_lat, end_lon, end_lat)
    out = pairs.assign(km=metres / 1000, lat=(start_lat + end_lat) / 2, lon=(start_lon + end_lon) / 2)
    rows = []
    detours = Detours(tiles)
    for a_lat, a_lon, b_lat, b_lon, km in zip(start_lat, start_lon, end_lat, end_lon, out.km, strict=True):
        start, end = Coordinates(latitude=a_lat, longitude=a_lon), Coordinates(latitude=b_lat, longitude=b_lon)
        factor = detours.between(start, end).factor
        over_land = max(km * (factor if math.isfinite(factor) else 1.0), LEAST_KM)
        at = [
            tiles.people(a_lat + share * (b_lat - a_lat), a_lon + share * (b_lon - a_lon))
            for share in (0, 0.25, 0.5, 0.75, 1)
        ]
        between = tuple(sum(point) / 3 for point in zip(*at[1:4], strict=True))
        rows.append(terms(over_land, at[0], between, at[4]))
    out["terms"] = rows
    return out


def matrix(pairs: pd.DataFrame) -> Floats:
    """Stack the terms: pairs x terms."""
    return np.array(pairs["terms"].tolist())


def error(guess: Floats, truth: Floats) -> tuple[float, float]:
    """Give the median and the 90th percentile of the relative error."""
    off = np.abs(guess / truth - 1)
    return float(np.median(off)), float(np.quantile(off, 0.9))


def log_km(pairs: pd.DataFrame) -> Floats:
    """Give the logarithm of the way over land."""
    return matrix(pairs)[:, 1]


__all__ = ["SOURCES", "Floats", "error", "log_km", "matrix", "read_pairs"]
