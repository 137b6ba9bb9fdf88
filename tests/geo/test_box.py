"""Boxes around a point hold everything within the distance, over the antimeridian and the poles too."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sitematch.domain.place import Box
from sitematch.geo.box import FARTHEST_KM, boxes_around
from sitematch.geo.geodesic import WGS84, distance_km
from tests.builders import make_point

latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


def holds(box: Box, latitude: float, longitude: float) -> bool:
    return box.south <= latitude <= box.north and box.west <= longitude <= box.east


@given(latitudes, longitudes, st.floats(0, 20_010), st.floats(0, 1), st.floats(-180, 180))
@example(89.99, 0.0, 5.0, 1.0, 0.0)
@example(-90.0, 17.0, 1.0, 1.0, 90.0)
@example(0.0, 180.0, 100.0, 1.0, 90.0)
@example(60.0, -180.0, 3000.0, 1.0, -90.0)
@example(0.0, 0.0, 0.0, 1.0, 0.0)
def test_every_point_within_the_distance_is_in_a_box(
    latitude: float, longitude: float, km: float, share: float, azimuth_deg: float
) -> None:
    here = make_point(latitude, longitude)
    east, north, _ = WGS84.fwd(longitude, latitude, azimuth_deg, km * share * 1000.0)
    there = make_point(max(-90.0, min(90.0, north)), max(-180.0, min(180.0, east)))

    boxes = boxes_around(here, km)

    if distance_km(here, there) <= km:
        assert any(holds(box, there.latitude, there.longitude) for box in boxes)


@given(latitudes, longitudes, st.floats(0, 20_010))
def test_boxes_lie_on_the_globe(latitude: float, longitude: float, km: float) -> None:
    for box in boxes_around(make_point(latitude, longitude), km):
        assert -90 <= box.south <= box.north <= 90
        assert -180 <= box.west <= box.east <= 180


def test_nothing_is_farther_than_the_farthest() -> None:
    assert distance_km(make_point(90, 0), make_point(-90, 0)) < FARTHEST_KM
    assert distance_km(make_point(0, 0), make_point(0, 180)) < FARTHEST_KM


@pytest.mark.parametrize(("longitude", "count"), [(0.0, 1), (179.9, 2), (-179.9, 2)])
def test_a_box_is_not_much_larger_than_what_was_asked(longitude: float, count: int) -> None:
    boxes = boxes_around(make_point(50, longitude), 50)

    assert len(boxes) == count
    assert sum(box.east - box.west for box in boxes) == pytest.approx(1.4, abs=0.05)
    assert boxes[0].north - boxes[0].south == pytest.approx(0.9, abs=0.01)
