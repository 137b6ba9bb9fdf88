"""Comparison of postcode, town, state and the record's own point, and which of them is used."""

from __future__ import annotations

import pytest

from sitematch.domain.place import Coordinates
from sitematch.gazetteer.extent import Extents
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.geodesic import distance_km
from sitematch.services.studies.placing import POINT_KM, Placed, place_site, tells_contradiction
from tests.builders import make_point


def place(
    gazetteer: Gazetteer,
    country: str,
    city: str = "",
    state: str = "",
    postcode: str = "",
    point: Coordinates | None = None,
) -> Placed:
    extents = Extents(gazetteer.reader)
    return place_site(
        gazetteer,
        city=city,
        state=state,
        postcode=postcode,
        country=country,
        point=point,
        in_country=extents.may_contain,
    )


def test_a_point_far_from_postcode_and_town_is_not_believed(gazetteer: Gazetteer) -> None:
    # A real record: the registry's point for "Chūōku" is on Kyushu, the postcode is the cancer centre's in Tokyo.
    placed = place(gazetteer, "JP", "Chūōku", "", "104-0045", make_point(33.63867, 130.67068))

    assert placed.place is not None
    assert distance_km(placed.place.coordinates, make_point(35.6655, 139.7675)) < 3
    (flag,) = [flag for flag in placed.flags if tells_contradiction(flag)]
    assert "33.6387, 130.6707" in flag
    assert "postcode 104-0045 was used, because registries find their points only by the name" in flag


def test_a_point_that_agrees_says_nothing(gazetteer: Gazetteer) -> None:
    placed = place(gazetteer, "DE", "Kiel", "", "24105", make_point(54.32133, 10.13489))

    assert placed.flags == ()


def test_a_point_breaks_the_tie_between_postcode_and_town(gazetteer: Gazetteer) -> None:
    placed = place(gazetteer, "US", "Marietta", "Georgia", "20060", make_point(33.9526, -84.54993))

    assert placed.place is not None
    assert distance_km(placed.place.coordinates, make_point(33.9526, -84.5499)) < 10
    assert "We used the town" in placed.flags[0]
    assert "it agrees" in placed.flags[-1]


def test_a_point_tells_towns_of_one_name_apart(gazetteer: Gazetteer) -> None:
    springfield = make_point(39.80, -89.64)

    alone = place(gazetteer, "US", "Springfield")
    placed = place(gazetteer, "US", "Springfield", point=springfield)

    assert alone.place is None
    assert placed.place is not None
    assert placed.place.name == "Springfield, Illinois"
    assert "nearest to the record's point" in placed.flags[0]


def test_a_point_is_used_if_nothing_else_is_known(gazetteer: Gazetteer) -> None:
    placed = place(gazetteer, "JP", "Xyzzymura", point=make_point(43.06, 141.35))

    assert placed.place is not None
    assert placed.place.coordinates == make_point(43.06, 141.35)
    assert (placed.place.uncertainty_km, placed.place.name) == (POINT_KM, "Xyzzymura")
    assert "the record's own point" in placed.flags[-1]


@pytest.mark.parametrize("point", [make_point(0.0, 0.0), make_point(-35.0, 139.0)])
def test_a_point_outside_its_country_is_not_used(gazetteer: Gazetteer, point: Coordinates) -> None:
    nowhere = place(gazetteer, "JP", "Xyzzymura", point=point)
    somewhere = place(gazetteer, "JP", "", "", "104-0045", point=point)

    assert nowhere.place is None
    assert somewhere.place is not None
    for placed in (nowhere, somewhere):
        assert "cannot be in JP" in placed.flags[0]
        assert tells_contradiction(placed.flags[0])


@pytest.mark.parametrize("text", ["x" * 300, "1" * 300, ",", "\u200b"])
def test_no_text_of_a_record_is_too_strange(gazetteer: Gazetteer, text: str) -> None:
    assert place(gazetteer, "DE", text, text, text).place is None
