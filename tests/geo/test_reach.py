"""The distance to the nearest site and its bounds, against measuring every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from sitematch.geo.reach import Points, pairwise_km, reach

GEOD = Geod(ellps="WGS84")

_POINT = st.tuples(
    st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 0.0, 90.0])),
    st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0])),
    st.one_of(st.floats(0, 500), st.just(0.0)),
)


def make_points(rows: list[tuple[float, float, float]]) -> Points:
    latitudes, longitudes, uncertainties = np.array(rows, dtype=float).reshape(-1, 3).T
    return Points(latitude_deg=latitudes, longitude_deg=longitudes, uncertainty_km=uncertainties)


@given(places=st.lists(_POINT, max_size=20), sites=st.lists(_POINT, min_size=1, max_size=12))
def test_the_nearest_and_the_bounds_are_those_of_every_pair(
    places: list[tuple[float, float, float]], sites: list[tuple[float, float, float]]
) -> None:
    found = reach(make_points(places), make_points(sites))

    for i, (latitude, longitude, off) in enumerate(places):
        km = np.array([GEOD.inv(longitude, latitude, lon, lat)[2] / 1000 for lat, lon, _ in sites])
        offs = np.array([np.hypot(off, site_off) for _, _, site_off in sites])
        assert found.km[i] == pytest.approx(km.min(), abs=1e-6)
        assert km[found.nearest[i]] == pytest.approx(km.min(), abs=1e-6)
        assert found.least_km[i] == pytest.approx(max((km - offs).min(), 0), abs=1e-6)
        assert found.most_km[i] == pytest.approx((km + offs).min(), abs=1e-6)


def test_without_a_site_everything_is_endlessly_far() -> None:
    found = reach(make_points([(0, 0, 1)]), make_points([]))

    assert (found.nearest[0], found.km[0], found.least_km[0], found.most_km[0]) == (-1, np.inf, np.inf, np.inf)


def test_more_places_than_are_measured_at_once_keep_their_order() -> None:
    rng = np.random.default_rng(4)
    places = make_points([(float(a), float(b), 0.0) for a, b in rng.uniform(-80, 80, (9000, 2))])
    sites = make_points([(float(a), float(b), 0.0) for a, b in rng.uniform(-80, 80, (5, 2))])

    found = reach(places, sites)

    every = pairwise_km(places, sites)
    assert (found.nearest == every.argmin(axis=1)).all()
    assert np.allclose(found.km, every.min(axis=1), atol=1e-6, rtol=0)
