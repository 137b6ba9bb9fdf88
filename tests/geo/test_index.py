"""The nearest-site index, compared with brute force with pyproj."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from sitematch.domain.place import Coordinates
from sitematch.geo.geodesic import distance_km, earth_centred_km, earth_centred_point_km, least_geodesic_km
from sitematch.geo.index import TREE_FROM, ChordIndex
from tests.builders import make_point

GEOD = Geod(ellps="WGS84")

_POINTS = st.builds(
    Coordinates,
    latitude=st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 0.0, 90.0])),
    longitude=st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 0.0, 180.0])),
)


def brute_force(point: Coordinates, others: list[Coordinates]) -> list[tuple[float, int]]:
    _, _, metres = GEOD.inv(
        [point.longitude] * len(others),
        [point.latitude] * len(others),
        [c.longitude for c in others],
        [c.latitude for c in others],
    )
    return sorted((m / 1000.0, i) for i, m in enumerate(metres))


@given(point=_POINTS, others=st.lists(_POINTS, min_size=1, max_size=40), k=st.integers(1, 45))
def test_the_k_nearest_are_exactly_those_of_brute_force(point: Coordinates, others: list[Coordinates], k: int) -> None:
    found = ChordIndex(others).nearest(point, k)

    assert len(found) >= min(k, len(others))
    in_order = brute_force(point, others)
    expected = in_order[: len(found)]
    assert [n.distance_km for n in found] == pytest.approx([km for km, _ in expected], abs=1e-6)
    gaps_km = np.diff([km for km, _ in in_order[: len(found) + 1]])
    if (gaps_km > 1e-6).all():  # the order of two equally distant points is defined only within an answer
        assert [n.position for n in found] == [i for _, i in expected]


@pytest.mark.parametrize("latitude", [0.0, 0.3, 30.0, 60.0, 89.9])
def test_the_farthest_corner_of_the_earth_is_ranked_right(latitude: float) -> None:
    rng = np.random.default_rng(3)
    point = make_point(latitude, 10.0)
    near_antipode = [
        make_point(float(-latitude + dy), float(-170.0 + dx)) for dy, dx in rng.uniform(-0.8, 0.8, size=(200, 2))
        if abs(-latitude + dy) <= 90
    ]  # fmt: skip

    found = ChordIndex(near_antipode).nearest(point, 5)

    assert [n.position for n in found] == [i for _, i in brute_force(point, near_antipode)[:5]]


def test_sites_that_share_a_point_all_come_back_in_their_order() -> None:
    index = ChordIndex([make_point(1, 1), make_point(5, 5), make_point(1, 1), make_point(1, 1)])

    found = index.nearest(make_point(0, 0), 1)

    assert [n.position for n in found] == [0, 2, 3]


def test_the_antimeridian_is_no_border() -> None:
    index = ChordIndex([make_point(0, 170), make_point(0, -179.9)])

    (first, *_) = index.nearest(make_point(0, 179.9), 1)

    assert first.position == 1
    assert first.distance_km == pytest.approx(22.264, abs=0.001)


def test_an_empty_index_has_no_neighbours() -> None:
    assert ChordIndex([]).nearest(make_point(), 3) == []
    assert len(ChordIndex([])) == 0


def test_a_k_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ChordIndex([make_point()]).nearest(make_point(), 0)


@given(a=_POINTS, b=_POINTS)
def test_distances_agree_with_geopy_to_a_millimetre(a: Coordinates, b: Coordinates) -> None:
    theirs = geodesic((a.latitude, a.longitude), (b.latitude, b.longitude)).km

    assert distance_km(a, b) == pytest.approx(theirs, abs=1e-6)


@given(a=_POINTS, b=_POINTS)
def test_no_geodesic_is_shorter_than_the_bound_from_its_chord(a: Coordinates, b: Coordinates) -> None:
    ends = earth_centred_km(np.array([a.latitude, b.latitude]), np.array([a.longitude, b.longitude]))
    chord_km = float(np.linalg.norm(ends[0] - ends[1]))

    assert least_geodesic_km(chord_km) <= distance_km(a, b) + 1e-6


@given(point=_POINTS)
def test_one_point_and_many_are_turned_earth_centred_alike(point: Coordinates) -> None:
    many = earth_centred_km(np.array([point.latitude]), np.array([point.longitude]))[0]

    assert earth_centred_point_km(point.latitude, point.longitude) == pytest.approx(tuple(many), abs=1e-9)


def test_a_quarter_of_the_meridian_and_of_the_equator_have_their_known_lengths() -> None:
    assert distance_km(make_point(0, 0), make_point(90, 0)) == pytest.approx(10_001.965729, abs=1e-6)
    assert distance_km(make_point(0, 0), make_point(0, 90)) == pytest.approx(10_018.754171, abs=1e-6)


class TestTree:
    """From `TREE_FROM` distinct points on, a k-d tree gives the candidates."""

    @staticmethod
    @functools.cache
    def points() -> list[Coordinates]:
        rng = np.random.default_rng(11)
        spread = [
            make_point(float(np.degrees(np.arcsin(z))), float(longitude))
            for z, longitude in zip(rng.uniform(-1, 1, TREE_FROM), rng.uniform(-180, 180, TREE_FROM), strict=True)
        ]
        crowded = [make_point(float(y), float(x)) for y, x in rng.normal((25.9, -80.2), 0.05, size=(600, 2))]
        edges = [make_point(90.0, 0.0), make_point(-90.0, 0.0), make_point(10.0, 180.0), make_point(10.0, -180.0)]
        return [*spread, *crowded, *edges, *crowded[:50]]

    @classmethod
    @functools.cache
    def index(cls) -> ChordIndex:
        return ChordIndex(cls.points())

    @pytest.mark.parametrize("k", [1, 5, 40])
    def test_the_nearest_are_those_of_brute_force(self, k: int) -> None:
        rng = np.random.default_rng(k)
        asked = [
            make_point(float(y), float(x))
            for y, x in zip(rng.uniform(-90, 90, 40), rng.uniform(-180, 180, 40), strict=True)
        ]
        asked += [make_point(25.9, -80.2), make_point(90.0, 10.0), make_point(-90.0, 0.0), make_point(10.0, 179.999)]
        for point in asked:
            found, expected = self.index().nearest(point, k), brute_force(point, self.points())

            assert len(found) >= k
            assert [n.distance_km for n in found] == pytest.approx([km for km, _ in expected[: len(found)]], abs=1e-6)
            within = {position for km, position in expected if km <= found[-1].distance_km + 1e-6}
            assert {n.position for n in found} <= within

    def test_more_than_there_are_gives_all(self) -> None:
        found = self.index().nearest(make_point(0.0, 0.0), len(self.points()) + 100)

        assert sorted(n.position for n in found) == list(range(len(self.points())))

    def test_near_the_antipode_the_candidates_grow_until_the_order_is_certain(self) -> None:
        rng = np.random.default_rng(5)
        here = make_point(0.3, 10.0)
        far = [make_point(float(-0.3 + y), float(-170.0 + x)) for y, x in rng.uniform(-0.8, 0.8, size=(TREE_FROM, 2))]

        found = ChordIndex(far).nearest(here, 5)

        assert [n.position for n in found[:5]] == [i for _, i in brute_force(here, far)[:5]]
