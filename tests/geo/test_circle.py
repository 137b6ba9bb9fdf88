"""Geodesic circles, checked by measuring with pyproj and reading with shapely."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from sitematch.errors import InvalidInput
from sitematch.geo.circle import MAX_RADIUS_KM, TOLERANCE, geodesic_circle
from tests.builders import make_point
from tests.geo.areas import read_area

GEOD = Geod(ellps="WGS84")
ROUNDING_KM = 2e-5

_LATITUDES = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, -89.9999, 0.0, 89.999, 90.0]))
_LONGITUDES = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, -179.9999, 0.0, 180.0]))
_RADII_KM = st.floats(-2, math.log10(MAX_RADIUS_KM)).map(lambda power: min(10**power, MAX_RADIUS_KM))


def assert_bounded_by_circle(latitude: float, longitude: float, radius_km: float) -> None:
    area = read_area(geodesic_circle(make_point(latitude, longitude), radius_km))

    slack_km = TOLERANCE * radius_km + ROUNDING_KM
    azimuths = np.linspace(0.0, 360.0, 97)
    for km, is_inside in ((radius_km - slack_km, True), (min(radius_km + slack_km, 20_000.0), False)):
        x, y, _ = GEOD.fwd(np.full(97, longitude), np.full(97, latitude), azimuths, np.full(97, km * 1000.0))
        # A point on the map's own edge lies on both sides of it, and inside neither half.
        x, y = np.clip(x, -180 + 1e-9, 180 - 1e-9), np.clip(y, -90 + 1e-12, 90 - 1e-12)
        assert (shapely.intersects_xy(area, x, y) == is_inside).all()


@given(latitude=_LATITUDES, longitude=_LONGITUDES, radius_km=_RADII_KM)
def test_what_lies_just_inside_is_inside_and_what_lies_just_outside_is_not(
    latitude: float, longitude: float, radius_km: float
) -> None:
    assert_bounded_by_circle(latitude, longitude, radius_km)


@pytest.mark.parametrize("off_by", [0.0, 1e-9, -1e-9, 1e-6, -1e-6, 1e-3, -1e-3])
@pytest.mark.parametrize("latitude", [0.0, 60.0, 89.9, 89.9999, -45.0, -89.99])
def test_a_circle_through_a_pole_or_almost_is_right_on_both_sides_of_it(latitude: float, off_by: float) -> None:
    _, _, to_pole_m = GEOD.inv(0.0, latitude, 0.0, math.copysign(90.0, latitude))

    assert_bounded_by_circle(latitude, 180.0, to_pole_m / 1000.0 * (1.0 + off_by))


def test_a_circle_across_the_antimeridian_is_cut_there_in_two() -> None:
    area = geodesic_circle(make_point(-17.8, 179.9), 50)

    west, east = sorted(shapely.get_parts(read_area(area)), key=lambda part: part.bounds[0])
    assert west.bounds[0] == -180.0
    assert east.bounds[2] == 180.0
    assert east.bounds[0] > 179.0


def test_a_circle_around_a_pole_reaches_up_to_the_maps_edge_all_along() -> None:
    area = read_area(geodesic_circle(make_point(90, 0), 1000))

    (west, south, east, north) = area.bounds
    assert (west, east, north) == (-180.0, 180.0, 90.0)
    assert south == pytest.approx(81.0, abs=0.1)
    assert area.area == pytest.approx(360 * (90 - south), rel=1e-3)


def test_a_circle_over_both_poles_leaves_a_hole() -> None:
    area = read_area(geodesic_circle(make_point(0, 0), 15_000))

    for latitude, longitude in ((89.9, 100), (-89.9, 100), (0, 0), (0, 130)):
        assert shapely.intersects_xy(area, longitude, latitude)
    assert not shapely.intersects_xy(area, 179.9, 0)


@pytest.mark.parametrize("radius_km", [0.0, -1.0, math.nan, math.inf, 19_901.0])
def test_a_radius_that_makes_no_circle_is_refused(radius_km: float) -> None:
    with pytest.raises(InvalidInput, match="radius"):
        geodesic_circle(make_point(), radius_km)
