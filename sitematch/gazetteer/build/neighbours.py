"""Nearest neighbours among earth-centred points."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from sitematch.gazetteer.build.medians import Floats, Ints


def nearest(points: Floats, queries: Floats, count: int) -> tuple[Floats, Ints]:
    """Find the nearest points, nearest first.

    Parameters
    ----------
    points, queries
        Earth-centred kilometres, shape (n, 3) and (m, 3); there are at least ``count`` points.
    count
        Neighbours wanted, 1 or more.

    Returns
    -------
    Chords in kilometres and indices into ``points``, both of shape (m, count).
    """
    from scipy.spatial import KDTree

    tree: Any = KDTree(points)
    apart, index = tree.query(queries, k=count)
    shape = (len(queries), count)
    return cast("Floats", np.reshape(apart, shape)), np.reshape(index, shape).astype(np.int64)
