"""One-degree cells of the globe, with which a database finds nearby sites without reading the others."""

from __future__ import annotations

import math

from sitematch.domain.place import Coordinates

ROWS, COLUMNS = 180, 360
"""Cells from the south pole to the north pole, and around the globe."""

NOWHERE = -1
"""The cell of sites without a location."""


def cell_of(point: Coordinates | None) -> int:
    """Return the number of the cell that contains a point.

    Parameters
    ----------
    point
        None for a site without a location.

    Returns
    -------
    int
        0 to 64,799, row by row from the south-west corner at 90° S, 180° W; a point on an edge belongs to the cell
        north-east of it, the north pole to the last row, and 180° E to the first column. `NOWHERE` for None.

    Examples
    --------
    >>> def at(latitude, longitude):
    ...     return Coordinates(latitude=latitude, longitude=longitude)
    >>> cell_of(at(-90, -180)), cell_of(at(-89.5, 179.5)), cell_of(at(0, 0)), cell_of(at(90, 180)), cell_of(None)
    (0, 359, 32580, 64440, -1)
    """
    if point is None:
        return NOWHERE
    row = min(math.floor(point.latitude) + 90, ROWS - 1)
    return row * COLUMNS + (math.floor(point.longitude) + 180) % COLUMNS
