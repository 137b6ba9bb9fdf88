"""The model of the way by car: intervals that are in order, wider where less is known, and longer by water and by distance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitematch.config import data_file
from sitematch.domain.journey.estimate import Interval, Journey, Method, Way
from sitematch.domain.place import Coordinates, Place
from sitematch.geo.geodesic import distance_km
from sitematch.roads.model import RoadModel, packaged_coefficients, terms
from sitematch.roads.tiles import LandTiles
from sitematch.services.journey.estimating import ModelEstimator
from tests.builders import make_place

TILES = LandTiles(data_file("roads.sqlite"))
MODEL = RoadModel(TILES)
ESTIMATOR = ModelEstimator(TILES)
AURORA = Coordinates(latitude=39.74, longitude=-104.84)

points = st.builds(
    Coordinates,
    latitude=st.floats(-90, 90, allow_nan=False),
    longitude=st.floats(-180, 180, allow_nan=False),
)


def ordered(interval: Interval) -> bool:
    bounds = (interval.low_90, interval.low_50, interval.best, interval.high_50, interval.high_90)
    return bounds[0] > 0 and list(bounds) == sorted(bounds)


def between(start: Place, end: Place) -> Journey:
    km = distance_km(start.coordinates, end.coordinates)
    return ESTIMATOR.journeys(start, [(end, km)])[0]


def minutes(journey: Journey) -> Interval:
    assert journey.minutes is not None
    return journey.minutes


@given(start=points, end=points, km=st.floats(0, 20_000), uncertainty_km=st.floats(0, 3_000))
def test_bounds_are_in_order_anywhere_on_earth(
    start: Coordinates, end: Coordinates, km: float, uncertainty_km: float
) -> None:
    found = MODEL.journey(start, end, km, uncertainty_km)

    assert found.method is Method.MODEL
    assert found.minutes is not None
    assert found.road_km is not None
    assert ordered(found.minutes)
    assert ordered(found.road_km)
    assert found.road_km.best >= km


def test_the_origins_own_uncertainty_widens_the_interval() -> None:
    end = Coordinates(latitude=40.0, longitude=-104.9)
    exact, vague = (MODEL.journey(AURORA, end, 30.0, uncertainty_km) for uncertainty_km in (0.0, 40.0))

    assert minutes(vague).high_90 / minutes(vague).low_90 > 1.5 * minutes(exact).high_90 / minutes(exact).low_90


def test_an_unknown_region_is_less_sure_than_a_known_one() -> None:
    here, away = make_place(46.05, 14.5), make_place(46.35, 14.5)
    slovenia = minutes(between(here, away))
    chad = minutes(between(make_place(12.1, 19.0), make_place(12.4, 19.0)))

    assert chad.high_90 / chad.low_90 > slovenia.high_90 / slovenia.low_90


def test_a_way_round_takes_longer() -> None:
    end = Coordinates(latitude=40.0, longitude=-104.9)
    straight, round_water = (MODEL.journey(AURORA, end, 30.0, 0.0, factor=factor) for factor in (1.0, 2.0))

    assert minutes(round_water).best > 1.4 * minutes(straight).best


def test_a_long_way_is_a_drive_or_a_flight() -> None:
    denver, chicago = make_place(39.74, -104.99), make_place(41.88, -87.63)
    found = between(denver, chicago)

    assert found.way is Way.ROAD_OR_FLIGHT
    assert 12 * 60 < minutes(found).best < 17 * 60


def test_across_the_sea_there_are_no_minutes() -> None:
    found = between(make_place(40.85, 14.27), make_place(39.22, 9.12))

    assert (found.way, found.minutes, found.road_km) == (Way.SEA, None, None)


@pytest.mark.parametrize(
    ("start", "end", "least", "most"),
    [
        ((39.7392, -104.9903), (40.015, -105.2705), 30, 55),
        ((52.52, 13.405), (51.0504, 13.7373), 110, 180),
        ((45.764, 4.8357), (45.1885, 5.7245), 65, 120),
    ],
)
def test_well_known_drives_come_out_as_people_know_them(
    start: tuple[float, float], end: tuple[float, float], least: float, most: float
) -> None:
    assert least < minutes(between(make_place(*start), make_place(*end))).best < most


def test_the_coefficients_are_as_many_as_the_terms() -> None:
    fitted = packaged_coefficients()
    count = len(terms(10.0, (0.0,) * 3, (0.0,) * 3, (0.0,) * 3))

    assert len(fitted.minutes) == len(fitted.road) == count
    assert len(fitted.spread) == len(fitted.road_spread) == len(fitted.spread_km)
    assert all("(MIT)" in source for source in fitted.sources)
