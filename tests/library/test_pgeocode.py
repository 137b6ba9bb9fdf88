"""pgeocode's calls: the same names, shapes and NaNs, beside the real pgeocode's signatures."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pandas as pd
import pgeocode
import pytest

from sitematch.gazetteer.locate import Gazetteer
from sitematch.library import pgeocode as ours

CODES = ["75013", "69006", "99999", "", "nonsense"]


@pytest.fixture(scope="module")
def france(gazetteer: Gazetteer) -> ours.Nominatim:
    return ours.Nominatim("fr", gazetteer=gazetteer)


def test_one_postcode_is_a_series_and_several_are_a_frame(france: ours.Nominatim) -> None:
    one, several = france.query_postal_code("75013"), france.query_postal_code(CODES)

    assert isinstance(one, pd.Series)
    assert isinstance(several, pd.DataFrame)
    assert (one.place_name, one.country_code, one.postal_code) == ("Paris", "FR", "75013")
    assert (round(one.latitude), round(one.longitude)) == (49, 2)
    assert list(several.postal_code) == CODES
    assert list(several.latitude.isna()) == [False, False, True, True, True]


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_any_list_is_taken(france: ours.Nominatim, kind: type) -> None:
    assert len(france.query_postal_code(kind(["75013", "69006"]))) == 2


def test_numbers_and_missing_values_are_taken(gazetteer: Gazetteer) -> None:
    found = ours.Nominatim("US", gazetteer=gazetteer).query_postal_code(
        pd.Series([33180, None, math.nan], dtype=object)
    )

    assert list(found.country_code.isna()) == [False, True, True]


def test_towns_are_found_by_name(france: ours.Nominatim) -> None:
    found = france.query_location("Lyon", top_k=5)

    assert found.iloc[0].place_name == "Lyon"
    assert len(found) <= 5
    assert france.query_location("Xyzzyville").empty
    with pytest.raises(ValueError, match="place_name"):
        france.query_location("Lyon", col="county_name")


def test_columns_and_signatures_are_those_of_pgeocode() -> None:
    assert set(pgeocode.DATA_FIELDS) - {"country code"} <= {*ours.COLUMNS}
    for name, kind in (
        ("query_postal_code", "Nominatim"),
        ("query_location", "Nominatim"),
        ("query_postal_code", "GeoDistance"),
    ):
        theirs = inspect.signature(getattr(getattr(pgeocode, kind), name)).parameters
        assert list(theirs) == list(inspect.signature(getattr(getattr(ours, kind), name)).parameters)


def test_distances_of_one_pair_and_of_many(gazetteer: Gazetteer) -> None:
    distance = ours.GeoDistance("fr", gazetteer=gazetteer)

    assert distance.query_postal_code("75013", "69006") == pytest.approx(391, abs=5)
    assert distance.query_postal_code("75013", "75013") == 0.0
    assert math.isnan(distance.query_postal_code("75013", "nonsense"))
    many = distance.query_postal_code(["75013", "69006"], ["69006", "69006"])
    assert many[1] == 0.0
    assert list(distance.query_postal_code("75013", ["69006", "69006"])) == [many[0], many[0]]


def test_an_unknown_country_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="country"):
        ours.Nominatim("Atlantis")
