"""Water: where the straight line leaves the land, the way goes round, over a bridge, or nowhere."""

from __future__ import annotations

import math

import pytest

from sitematch.config import data_file
from sitematch.domain.place import Coordinates
from sitematch.roads.detours import DRY, SEA, Detour, Detours
from sitematch.roads.tiles import LandTiles

NORFOLK, CAPE_CHARLES = (36.85, -76.29), (37.27, -76.01)
NAPLES, CAGLIARI = (40.85, 14.27), (39.22, 9.12)
HELSINKI, TALLINN = (60.17, 24.94), (59.44, 24.75)
DETROIT, WINDSOR = (42.33, -83.05), (42.30, -83.02)
SAN_FRANCISCO, OAKLAND = (37.775, -122.42), (37.80, -122.27)
COPENHAGEN, MALMO = (55.68, 12.57), (55.605, 13.0)
STRANRAER, BELFAST = (54.90, -5.03), (54.60, -5.93)
HOBART, MELBOURNE = (-42.88, 147.33), (-37.81, 144.96)
SPLIT, ANCONA = (43.51, 16.44), (43.62, 13.51)
TOKYO, CHIBA = (35.68, 139.69), (35.61, 140.11)
YOKOHAMA, KISARAZU = (35.44, 139.64), (35.38, 139.92)
TAVEUNI_WEST, VANUA_LEVU_EAST = (-16.85, -179.97), (-16.65, 179.35)
MIAMI, KEY_WEST = (25.77, -80.19), (24.56, -81.78)
BERLIN, DRESDEN = (52.52, 13.40), (51.05, 13.74)
SEATTLE, BREMERTON = (47.61, -122.33), (47.57, -122.63)
VANCOUVER, VICTORIA = (49.28, -123.12), (48.43, -123.37)

Point = tuple[float, float]


@pytest.fixture(scope="module")
def detours() -> Detours:
    return Detours(LandTiles(data_file("roads.sqlite")))


def between(detours: Detours, first: Point, last: Point) -> Detour:
    start, end = (Coordinates(latitude=latitude, longitude=longitude) for latitude, longitude in (first, last))
    return detours.between(start, end)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (NAPLES, CAGLIARI),
        (HELSINKI, TALLINN),
        (STRANRAER, BELFAST),
        (HOBART, MELBOURNE),
        (SPLIT, ANCONA),
        (VANCOUVER, VICTORIA),
    ],
)
def test_where_no_road_leads_there_is_no_way(detours: Detours, first: Point, last: Point) -> None:
    assert between(detours, first, last) == SEA
    assert between(detours, last, first) == SEA


@pytest.mark.parametrize(
    ("first", "last", "least", "most"),
    [
        (NORFOLK, CAPE_CHARLES, 1.0, 1.3),
        (SAN_FRANCISCO, OAKLAND, 1.0, 1.3),
        (COPENHAGEN, MALMO, 1.0, 1.7),
        (TOKYO, CHIBA, 1.0, 1.3),
        (YOKOHAMA, KISARAZU, 1.2, 2.5),
        (MIAMI, KEY_WEST, 1.0, 1.3),
        (SEATTLE, BREMERTON, 2.0, 4.5),
    ],
)
def test_the_way_goes_over_bridges_and_round_bays(
    detours: Detours, first: Point, last: Point, least: float, most: float
) -> None:
    there, back = between(detours, first, last), between(detours, last, first)

    assert there.goes_round
    assert least <= there.factor <= most
    assert back.factor == pytest.approx(there.factor, rel=0.1)


@pytest.mark.parametrize(("first", "last"), [(DETROIT, WINDSOR), (BERLIN, DRESDEN), (BERLIN, BERLIN)])
def test_over_land_the_line_stays_as_it_is(detours: Detours, first: Point, last: Point) -> None:
    assert between(detours, first, last) == DRY


def test_the_antimeridian_is_no_shore(detours: Detours) -> None:
    across = between(detours, (67.5, 179.6), (67.5, -179.6))

    assert across == DRY


def test_poles_and_open_sea_are_no_land(detours: Detours) -> None:
    assert between(detours, (90.0, 180.0), (89.0, -180.0)).factor == math.inf
    assert between(detours, (0.0, -30.0), (0.5, -30.5)) == SEA
