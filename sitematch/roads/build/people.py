"""How many people live around each tenth of a degree: towns spread out with a bell, by Fourier transforms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sitematch.roads.tiles import PEOPLE_BITS, PEOPLE_STEPS, SCALES_KM

Floats = npt.NDArray[np.float64]

DEGREE_KM = 111.2
UNKNOWN_PEOPLE = 500.0
"""What a town counts whose inhabitants are not known."""

_ROWS, _COLUMNS = 180 * PEOPLE_STEPS, 360 * PEOPLE_STEPS


def people_grids(latitude: Floats, longitude: Floats, people: Floats) -> npt.NDArray[np.uint8]:
    """Weigh the people around each cell.

    Parameters
    ----------
    latitude, longitude
        Of towns, in degrees.
    people
        Their inhabitants; NaN is unknown.

    Returns
    -------
    Scales x rows x columns, from the south and from 180° west, as the file stores them.

    Examples
    --------
    >>> grids = people_grids(np.array([50.05]), np.array([10.05]), np.array([1e6]))
    >>> grids.shape, bool(grids[0, 1400, 1900] == grids[0].max())
    ((3, 1800, 3600), True)
    """
    grid = _scattered(latitude, longitude, np.where(np.isnan(people), UNKNOWN_PEOPLE, people))
    cell_km = DEGREE_KM / PEOPLE_STEPS
    squeeze = np.maximum(np.cos(np.radians((np.arange(_ROWS) + 0.5) / PEOPLE_STEPS - 90)), 0.05)[:, None]
    along, across = np.fft.rfftfreq(_COLUMNS)[None, :], np.fft.fftfreq(2 * _ROWS)[:, None]
    stored = np.empty((len(SCALES_KM), _ROWS, _COLUMNS), dtype=np.uint8)
    for scale, km in enumerate(SCALES_KM):
        bell = np.exp(-2 * (np.pi * km / cell_km / squeeze * along) ** 2)
        spread = np.fft.irfft(np.fft.rfft(grid, axis=1) * bell, _COLUMNS, axis=1)
        padded = np.concatenate([spread, np.zeros_like(spread)])
        bell = np.exp(-2 * (np.pi * km / cell_km * across) ** 2)
        spread = np.fft.ifft(np.fft.fft(padded, axis=0) * bell, axis=0).real[:_ROWS]
        density = np.maximum(spread, 0.0) / (cell_km**2 * squeeze)
        stored[scale] = np.minimum(np.round(PEOPLE_BITS * np.log1p(density)), 255)
    return stored


def _scattered(latitude: Floats, longitude: Floats, people: Floats) -> Floats:
    """Share each town's people among the four cells around it."""
    grid = np.zeros((_ROWS, _COLUMNS))
    row, column = (latitude + 90) * PEOPLE_STEPS - 0.5, (longitude + 180) * PEOPLE_STEPS - 0.5
    south, west = np.floor(row).astype(int), np.floor(column).astype(int)
    for up in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - up - (row - south)) * np.abs(1 - right - (column - west))
            np.add.at(grid, (np.clip(south + up, 0, _ROWS - 1), (west + right) % _COLUMNS), people * share)
    return grid
