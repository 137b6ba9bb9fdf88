"""Conversion of closed lines to areas; the difficult cases are the antimeridian and the poles."""

from __future__ import annotations

import pytest

from sitematch.domain.area import Position
from sitematch.geo.rings import enclose
from tests.geo.areas import read_area


@pytest.mark.parametrize(
    ("ring", "square_deg"),
    [
        ([(0, 0), (10, 0), (10, 10), (0, 10)], 100),
        ([(175, 0), (-175, 0), (-175, 10), (175, 10)], 100),
        ([(-185, 0), (-175, 0), (-175, 10), (-185, 10)], 100),
        ([(0, 60), (90, 60), (180, 60), (-90, 60)], 360 * 30),  # around the north pole
        ([(-90, -60), (180, -60), (90, -60), (0, -60)], 360 * 30),  # around the south pole
        ([(0, 60), (60, 60), (60, 90)], 60 * 30),  # a corner at the north pole, whose longitude means nothing
        ([(0, 60), (60, 60), (-123, 90)], 60 * 30),
        ([(60, -60), (0, -60), (77, -90)], 60 * 30),
        ([(0, 60), (100, 60), (200, 60), (300, 60), (0, 90)], 300 * 30),  # all but a slice of the cap
        ([(300, -60), (200, -60), (100, -60), (0, -60), (0, -90)], 300 * 30),
        ([(150, 60), (-150, 60), (0, 90)], 60 * 30),
        ([(0, 0), (0, 80), (180, 80), (180, 0), (180, -80), (0, -80)], 180 * 180),  # half of the globe, pole to pole
    ],
)
def test_a_line_encloses_what_lies_on_its_left(ring: list[Position], square_deg: float) -> None:
    assert read_area(enclose(ring)).area == pytest.approx(square_deg, rel=1e-6)


def test_a_line_around_what_is_left_out_encloses_the_rest_of_the_globe() -> None:
    ring: list[Position] = [(0, 0), (0, 10), (10, 10), (10, 0)]

    area = read_area(enclose(ring, has_both_poles=True))

    assert area.area == pytest.approx(360 * 180 - 100)


def test_an_area_that_vanishes_is_empty() -> None:
    assert enclose([(0, 0), (1e-9, 0), (0, 1e-9)]) == ()
