from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from sitematch.gazetteer.build.medians import geometric_medians, group_quantiles, to_degrees, to_xyz

GEOD = Geod(ellps="WGS84")
NEAR_GREENWICH = st.tuples(st.floats(40, 42), st.floats(-1, 1))


def median_of(points: list[tuple[float, float]]) -> tuple[float, float]:
    xyz = to_xyz(np.array([p[0] for p in points]), np.array([p[1] for p in points]))
    latitude, longitude = to_degrees(geometric_medians(xyz, np.array([0, len(points)]), np.ones(len(points))))
    return float(latitude[0]), float(longitude[0])


def total_km(here: tuple[float, float], points: list[tuple[float, float]]) -> float:
    return sum(GEOD.inv(here[1], here[0], lon, lat)[2] for lat, lon in points) / 1000


@settings(max_examples=60, deadline=None)
@given(st.lists(NEAR_GREENWICH, min_size=1, max_size=12))
def test_no_step_away_from_the_median_shortens_the_way(points: list[tuple[float, float]]) -> None:
    here = median_of(points)

    best = total_km(here, points)

    for north, east in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert best <= total_km((here[0] + north, here[1] + east), points) + 0.01 * len(points)


def test_a_far_stray_does_not_pull_the_median_away_as_it_pulls_a_mean() -> None:
    town = [(48.0, 11.0), (48.01, 11.0), (48.0, 11.01), (48.01, 11.01)]

    latitude, longitude = median_of([*town, (10.0, 60.0)])

    assert GEOD.inv(longitude, latitude, 11.005, 48.005)[2] < 2_000


def test_points_on_both_sides_of_the_antimeridian_meet_there() -> None:
    latitude, longitude = median_of([(-17.0, 179.9), (-17.0, -179.9), (-17.0, 179.99)])

    assert abs(latitude + 17.0) < 0.01
    assert 179.8 < abs(longitude) <= 180.0


def test_the_conversion_to_space_and_back_keeps_the_point() -> None:
    latitude = np.array([-89.9, -45.0, 0.0, 51.5, 89.9])
    longitude = np.array([-179.9, 179.9, 0.0, -0.1, 90.0])

    back = to_degrees(to_xyz(latitude, longitude))

    np.testing.assert_allclose(back[0], latitude, atol=1e-9)
    np.testing.assert_allclose(back[1], longitude, atol=1e-9)


def test_the_quantile_of_each_group_is_one_of_its_own_values() -> None:
    value = np.array([5.0, 1.0, 3.0, 2.0, 4.0, 100.0])

    found = group_quantiles(value, np.array([0, 5, 6]), 0.6)

    assert found.tolist() == [3.0, 100.0]
