"""Catchments, compared with brute force (the nearest of all points by pyproj) and scipy's spherical Voronoi diagram."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from scipy.spatial import SphericalVoronoi

from sitematch.domain.place import Coordinates
from sitematch.geo.catchments import DRAWN_KM, WORST_SHARE, catchments, cell
from tests.builders import make_point
from tests.geo.areas import read_area

GEOD = Geod(ellps="WGS84")

_POINTS = st.builds(
    Coordinates,
    latitude=st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, -45.0, 0.0, 45.0, 90.0])),
    longitude=st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, -90.0, 0.0, 90.0, 180.0])),
)


def places_all_over(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes, equally dense everywhere, and some close to the poles and to the antimeridian."""
    rng = np.random.default_rng(seed)
    longitudes = rng.uniform(-180, 180, count)
    latitudes = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    latitudes[: count // 10] = np.sign(latitudes[: count // 10]) * (90 - 10 ** rng.uniform(-3, 0.5, count // 10))
    longitudes[-count // 10 :] = np.sign(longitudes[-count // 10 :]) * (180 - 10 ** rng.uniform(-5, 0, count // 10))
    return longitudes, latitudes


def assert_like_brute_force(points: list[Coordinates], *, seed: int = 1, count: int = 300) -> None:
    longitudes, latitudes = places_all_over(count, seed)
    km = np.array(
        [
            GEOD.inv(np.full(count, p.longitude), np.full(count, p.latitude), longitudes, latitudes)[2] / 1000.0
            for p in points
        ]
    )

    found = catchments(points)

    assert sorted(i for catchment in found for i in catchment.members) == list(range(len(points)))
    covered = np.zeros(count, dtype=int)
    for catchment in found:
        inside = shapely.intersects_xy(read_area(catchment.area), longitudes, latitudes)
        covered += inside
        own_km, nearest_km = km[catchment.members[0]][inside], km.min(axis=0)[inside]
        # Points are on the wrong side of a border only within its stated error.
        assert (own_km <= nearest_km * (1 + WORST_SHARE) + 2 * DRAWN_KM).all()
    assert (covered >= 1).mean() > 0.99  # neighbours' lines may part by DRAWN_KM
    assert (covered <= 1).mean() > 0.99


@given(points=st.lists(_POINTS, min_size=1, max_size=12), seed=st.integers(0, 1000))
def test_every_place_lies_in_the_catchment_of_its_nearest_point(points: list[Coordinates], seed: int) -> None:
    assert_like_brute_force(points, seed=seed)


@pytest.mark.parametrize(
    "points",
    [
        [(10, 20)],
        [(52, 13), (48, 2)],
        [(90, 0), (-90, 0)],
        [(0, 0), (0, 180)],
        [(30, 40), (-30, -140)],
        [(0, 0), (0, 120), (0, -120)],
        [(0, 10), (0, 20), (0, 30)],
        [(45, 10), (0, 10), (-45, 10)],
        [(90, 0), (0, 0), (0, 90), (0, 180), (0, -90), (-90, 0)],
        [(latitude, longitude) for latitude in (-60, -20, 20, 60) for longitude in range(-180, 180, 20)],
        [(-17.8, 179.9), (-18.1, -179.9), (-17.5, 178.0)],
        [(89.999, 0), (89.999, 120), (89.999, -120)],
    ],
    ids=["one", "two", "poles", "equator", "antipodes", "ring", "arc", "meridian", "axes", "grid", "seam", "pole"],
)
def test_points_in_special_positions_part_the_globe_as_well(points: list[tuple[float, float]]) -> None:
    assert_like_brute_force([make_point(*point) for point in points], count=2000)


def test_a_hundred_points_all_over_part_the_globe() -> None:
    longitudes, latitudes = places_all_over(100, seed=7)

    assert_like_brute_force([make_point(*pair) for pair in zip(latitudes, longitudes, strict=True)], count=2000)


def test_points_in_one_place_share_a_catchment_and_say_so() -> None:
    found = catchments([make_point(48, 11), make_point(52, 13), make_point(48, 11), make_point(48.0000001, 11)])

    assert [catchment.members for catchment in found] == [(0, 2, 3), (1,)]


def test_at_a_pole_all_longitudes_are_one_place() -> None:
    found = catchments([make_point(90, 0), make_point(90, 120), make_point(0, 0)])

    assert [catchment.members for catchment in found] == [(0, 1), (2,)]


def test_no_points_have_no_catchments() -> None:
    assert catchments([]) == ()


def test_hospitals_of_one_city_each_lie_in_their_own_narrow_catchment() -> None:
    points = [make_point(52.52, 13.40 + 0.0005 * i) for i in range(5)]

    found = catchments(points)

    for catchment, point in zip(found, points, strict=True):
        inside = [shapely.intersects_xy(read_area(other.area), point.longitude, point.latitude) for other in found]
        assert inside.count(True) == 1
        assert shapely.intersects_xy(read_area(catchment.area), point.longitude, point.latitude)


@given(seed=st.integers(0, 10_000), count=st.integers(5, 60))
def test_corners_are_those_of_scipys_spherical_voronoi_diagram(seed: int, count: int) -> None:
    points = np.random.default_rng(seed).normal(size=(count, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]

    theirs = SphericalVoronoi(points)

    for i, region in enumerate(theirs.regions):
        ours = cell(points, i)
        apart = np.linalg.norm(ours[:, None] - theirs.vertices[region][None], axis=2)
        assert apart.min(axis=0).max() < 1e-6  # each of theirs is one of ours; ours may add the middle of a long side
