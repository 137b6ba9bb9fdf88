"""Cells from near to far, with bounds that are never too large."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sitematch.domain.grid_cells import COLUMNS, NOWHERE, ROWS, cell_of
from sitematch.domain.place import Coordinates
from sitematch.geo.cells import REACH_KM, outward, outward_in_groups
from sitematch.geo.geodesic import (
    FARTHEST_KM,
    distance_km,
    earth_centred_point_km,
    least_geodesic_km,
    least_geodesics_km,
)

latitudes = st.floats(-90, 90) | st.sampled_from([-90.0, -89.999, 0.0, 89.999, 90.0]) | st.integers(-90, 90).map(float)
longitudes = (
    st.floats(-180, 180) | st.sampled_from([-180.0, -179.999, 179.999, 180.0]) | st.integers(-180, 180).map(float)
)
points = st.builds(Coordinates, latitude=latitudes, longitude=longitudes)


def middle_of(cell: int) -> Coordinates:
    return Coordinates(latitude=cell // COLUMNS - 89.5, longitude=cell % COLUMNS - 179.5)


@settings(max_examples=1000)
@given(point=points)
def test_every_point_lies_in_one_cell_and_within_reach_of_its_middle(point: Coordinates) -> None:
    cell = cell_of(point)

    middle = middle_of(cell)
    chord_km = math.dist(
        earth_centred_point_km(point.latitude, point.longitude),
        earth_centred_point_km(middle.latitude, middle.longitude),
    )
    assert 0 <= cell < ROWS * COLUMNS
    assert chord_km <= REACH_KM


def test_reach_is_that_of_the_largest_cell_and_hardly_more() -> None:
    corners = [Coordinates(latitude=0, longitude=0), Coordinates(latitude=1, longitude=1)]
    middle = earth_centred_point_km(0.5, 0.5)

    longest = max(math.dist(middle, earth_centred_point_km(c.latitude, c.longitude)) for c in corners)

    assert longest == pytest.approx(78.5, abs=0.1)
    assert longest < REACH_KM < longest + 1


def test_what_could_not_be_placed_is_in_no_cell_of_the_globe() -> None:
    cells, _ = outward(Coordinates(latitude=0, longitude=0))

    assert sorted(cells) == list(range(ROWS * COLUMNS))
    assert cell_of(None) == NOWHERE


@settings(max_examples=400, deadline=None)
@given(here=points, there=points)
@example(here=Coordinates(latitude=10, longitude=179.99), there=Coordinates(latitude=10, longitude=-179.99))
@example(here=Coordinates(latitude=89.9, longitude=0), there=Coordinates(latitude=89.9, longitude=180))
@example(here=Coordinates(latitude=0, longitude=0), there=Coordinates(latitude=0.1, longitude=179.9))
def test_nothing_in_a_cell_or_a_later_one_is_nearer_than_its_bound(here: Coordinates, there: Coordinates) -> None:
    cells, bounds_km = outward(here)

    position = cells.index(cell_of(there))

    assert distance_km(here, there) >= bounds_km[position]
    assert np.all(np.diff(bounds_km) >= 0)


@given(here=points)
@example(here=Coordinates(latitude=0.5, longitude=0.5))
@example(here=Coordinates(latitude=-90, longitude=0))
def test_groups_are_all_cells_in_their_order_each_with_the_bound_of_the_next(here: Coordinates) -> None:
    cells, bounds_km = outward(here)

    groups = list(outward_in_groups(here))

    given = list(accumulate(len(group) for group, _ in groups))
    assert [cell for group, _ in groups for cell in group] == cells
    assert [km for _, km in groups] == [*bounds_km[given[:-1]], math.inf]
    assert given[:3] == [9, 27, 63]


@given(here=points, farthest_km=st.floats(0, 20_010))
@example(here=Coordinates(latitude=0.5, longitude=0.5), farthest_km=0)
@example(here=Coordinates(latitude=0.5, longitude=0.5), farthest_km=15_000)
def test_groups_end_where_nothing_is_near_enough(here: Coordinates, farthest_km: float) -> None:
    cells, bounds_km = outward(here)

    groups = list(outward_in_groups(here, farthest_km))

    near_enough = [cell for cell, km in zip(cells, bounds_km, strict=True) if km <= farthest_km]
    assert [cell for group, _ in groups for cell in group] == near_enough
    assert groups[-1][1] == math.inf


def test_nothing_is_farther_than_the_farthest() -> None:
    poles = [Coordinates(latitude=latitude, longitude=0) for latitude in (90, -90)]
    antipodes = [Coordinates(latitude=0, longitude=longitude) for longitude in (0, 180)]

    assert FARTHEST_KM - 1 < distance_km(*poles) < FARTHEST_KM
    assert distance_km(*antipodes) < FARTHEST_KM


@given(chord_km=st.floats(0, 12_756))
def test_many_bounds_are_those_of_each(chord_km: float) -> None:
    assert least_geodesics_km(np.array([chord_km]))[0] == pytest.approx(least_geodesic_km(chord_km), rel=1e-12)
