"""Circles held against independent points: fitted to one half of them, checked with the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitematch.gazetteer.build.evidence import Draft
from sitematch.gazetteer.build.judging import Held
from sitematch.gazetteer.build.medians import Floats, to_xyz
from sitematch.gazetteer.schema import PRECISIONS

SHARE = 0.95
"""The share of independent points that a circle shall hold."""

LEAST_FACTOR, MOST_FACTOR = 1.0, 3.0
"""A circle grows to hold its share, up to three times: an independent point may itself be wrong."""

FEW = 50
"""With fewer independent points in the fitted half nothing is fitted."""


@dataclass(frozen=True, slots=True)
class Check:
    """How circles did on independent points that they were not fitted to.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    rung
        What was checked: a precision's name.
    source
        `sources.Source.id` of the independent points.
    points
        Independent points in the half that checks.
    inside
        Those of them that lie inside the circle.
    factor
        What the circles were multiplied by, fitted on the other half.
    median_error_km, median_circle_km
        Medians over the half that checks.
    """

    country: str
    rung: str
    source: int
    points: int
    inside: int
    factor: float
    median_error_km: float
    median_circle_km: float


def checked(country: str, rung: str, source: int, apart_km: Floats, circle_km: Floats, factor: float = 1.0) -> Check:
    """Count the half that checks."""
    return Check(
        country,
        rung,
        source,
        points=len(apart_km),
        inside=int(np.count_nonzero(apart_km <= circle_km)),
        factor=factor,
        median_error_km=float(np.median(apart_km)) if len(apart_km) else 0.0,
        median_circle_km=float(np.median(circle_km)) if len(circle_km) else 0.0,
    )


def fitted_factor(apart_km: Floats, circle_km: Floats) -> float:
    """Say by how much circles have to grow to hold `SHARE` of their points, within limits.

    Examples
    --------
    >>> fitted_factor(np.array([1.0, 1.0, 3.0]), np.array([2.0, 2.0, 2.0]))
    1.5
    >>> fitted_factor(np.array([1.0]), np.array([2.0])), fitted_factor(np.array([99.0]), np.array([2.0]))
    (1.0, 3.0)
    """
    ratio = np.sort(apart_km / circle_km)
    wanted = float(ratio[int(np.ceil(SHARE * len(ratio))) - 1])
    return min(max(wanted, LEAST_FACTOR), MOST_FACTOR)


def calibrate(draft: Draft, held: Held) -> tuple[Check, ...]:
    """Widen a country's circles until they hold 95 of 100 of every other independent point, and check the others.

    Parameters
    ----------
    draft
        One country's codes; their uncertainties are changed in place, by one factor a precision.
    held
        Independent points that placed none of the codes.

    Returns
    -------
    A check a precision with `FEW` points and more.
    """
    rows = draft.rows
    known = np.array([at for at, (_, key) in enumerate(rows.codes) if key in held.points], np.int64)
    if not known.size:
        return ()
    points = np.array([held.points[rows.codes[at][1]] for at in known.tolist()])
    apart = np.linalg.norm(draft.xyz(known) - to_xyz(points[:, 0], points[:, 1]), axis=1)
    checks: list[Check] = []
    for precision in np.unique(rows.precision[known]).tolist():
        alike = np.flatnonzero(rows.precision[known] == precision)
        fit, check = alike[::2], alike[1::2]
        if fit.size < FEW:
            continue
        factor = fitted_factor(apart[fit], rows.uncertainty_km[known[fit]])
        rows.uncertainty_km[rows.precision == precision] *= factor
        circle = rows.uncertainty_km[known[check]]
        name = str(PRECISIONS[precision])
        checks.append(checked(draft.rows.codes[0][0], name, held.source, apart[check], circle, factor))
    return tuple(checks)
