from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from sitematch.gazetteer.build.medians import geometric_medians, group_quantiles, to_degrees, to_xyz

GEOD = Geod(ellps="WGS84")
NEAR_GREENWICH = st.tuples(st.floats(40, 42), st.floats(-1, 1))


def median_of(points: list[tuple[float, float]]) -> tuple[float, float]:
    xyz = to_xyz(np.array([p[0] for p in points]), np.array([p[1] for p in points]))
    latitude, longitude = to_degrees(geometric_medians(xyz, np.array([0, len(points)]), np.ones(len(points))))
    return float(latitude[0]), float(longitude[0])


def chords_km(here: np.ndarray, xyz: np.ndarray, weight: np.ndarray) -> float:
    return float((np.linalg.norm(xyz - here, axis=1) * weight).sum())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(NEAR_GREENWICH, st.integers(1, 5)), min_size=1, max_size=12))
@example([((40, 0.5), 3), ((41, 0), 1), ((41, 0.5), 1), ((40.75, 0), 1)])
def test_neither_one_of_the_points_nor_a_step_away_is_better_than_the_median(
    places: list[tuple[tuple[float, float], int]],
) -> None:
    xyz = to_xyz(np.array([p[0] for p, _ in places]), np.array([p[1] for p, _ in places]))
    weight = np.array([float(w) for _, w in places])

    here = geometric_medians(xyz, np.array([0, len(places)]), weight)[0]

    best = chords_km(here, xyz, weight)
    steps = np.concatenate([np.eye(3), -np.eye(3)])
    for other in (*xyz, *(here + steps), *(here + steps / 10)):
        assert best <= chords_km(other, xyz, weight) + 1e-3 * weight.sum()


def test_a_point_that_outweighs_the_pull_of_the_others_is_the_median_itself() -> None:
    latitude, longitude = median_of([(40, 0.5)] * 3 + [(41, 0), (41, 0.5), (40.75, 0)])

    assert (round(latitude, 7), round(longitude, 7)) == (40.0, 0.5)


def test_two_equal_points_meet_in_the_middle() -> None:
    latitude, longitude = median_of([(0.0, 10.0), (0.0, 11.0)])

    assert abs(latitude) < 1e-6
    assert abs(longitude - 10.5) < 1e-6


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(NEAR_GREENWICH, min_size=1, max_size=6), min_size=1, max_size=8))
def test_a_group_has_the_median_that_it_has_alone(groups: list[list[tuple[float, float]]]) -> None:
    points = [point for group in groups for point in group]
    xyz = to_xyz(np.array([p[0] for p in points]), np.array([p[1] for p in points]))
    starts = np.concatenate(([0], np.cumsum([len(group) for group in groups])))

    together = to_degrees(geometric_medians(xyz, starts, np.ones(len(points))))

    alone = np.array([median_of(group) for group in groups])
    np.testing.assert_allclose(np.column_stack(together), alone, atol=1e-6)


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
