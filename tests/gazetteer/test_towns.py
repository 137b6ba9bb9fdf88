"""Town search: ranked, folded, never guessed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitematch.domain.place import Coordinates
from sitematch.errors import InvalidInput, TownNotFound, UnknownCountry
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.nearest import NearestPlaces, _on_globe
from sitematch.gazetteer.nearness import rough_km
from sitematch.gazetteer.towns import MAX_NAME_LENGTH, nearest_town, town_of


def names(gazetteer: Gazetteer, text: str, country: str | None = None) -> list[str]:
    return [f"{town.label} {town.country}" for town in gazetteer.search_towns(text, country)]


@pytest.mark.parametrize("text", ["Köln", "koln", "KOELN", " köln ", "Cologne"])
def test_a_town_is_found_under_every_spelling(gazetteer: Gazetteer, text: str) -> None:
    assert names(gazetteer, text) == ["Köln, Nordrhein-Westfalen DE"]


@pytest.mark.parametrize("text", ["臺北市", "台北市", "Taipei", "taipei city"])
def test_taipei_is_found_in_both_scripts(gazetteer: Gazetteer, text: str) -> None:
    assert names(gazetteer, text) == ["Taipei TW"]


def test_the_largest_comes_first(gazetteer: Gazetteer) -> None:
    assert names(gazetteer, "Paris") == ["Paris, Île-de-France FR", "Paris, Texas US"]


@pytest.mark.parametrize("text", ["Springfield, IL", "Springfield, Illinois", "springfield,il", "Springfield, IL, USA"])
def test_a_state_narrows_the_search(gazetteer: Gazetteer, text: str) -> None:
    assert names(gazetteer, text) == ["Springfield, Illinois US"]


def test_a_state_may_lack_or_carry_a_word(gazetteer: Gazetteer) -> None:
    """Registries write "Nordrhein-Westfalen Land" or "Tokyo" where the gazetteer has "Tokyo To"."""
    assert names(gazetteer, "Paris, Île-de-France Region") == ["Paris, Île-de-France FR"]
    assert names(gazetteer, "Köln, Nordrhein") == ["Köln, Nordrhein-Westfalen DE"]


@pytest.mark.parametrize(
    "text", ["Springfield, Miss.", "Springfield MS", "Springfield, Oregon", "Springfield Texas USA"]
)
def test_a_state_that_is_stated_holds(gazetteer: Gazetteer, text: str) -> None:
    with pytest.raises(TownNotFound, match="No town called 'Springfield' is known in") as caught:
        gazetteer.locate(text, "US")

    assert [s.text for s in caught.value.suggestions] == ["Springfield, Missouri", "Springfield, Illinois"]


def test_a_region_of_the_towns_own_name_confirms_it(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("10115", "DE", town="Köln, Cologne")

    assert place.name == "Köln, Nordrhein-Westfalen"


def test_a_country_behind_the_name_narrows_the_search(gazetteer: Gazetteer) -> None:
    assert names(gazetteer, "Paris, France") == ["Paris, Île-de-France FR"]


def test_georgia_is_a_state_behind_a_town_of_the_united_states(gazetteer: Gazetteer) -> None:
    assert names(gazetteer, "Marietta, Georgia") == ["Marietta, Georgia US"]


def test_a_state_that_fits_none_hides_none(gazetteer: Gazetteer) -> None:
    assert len(names(gazetteer, "Springfield, Nowhere")) == 2


@pytest.mark.parametrize("text", ["Saint Louis", "St. Louis", "St Louis, MO", "st-louis"])
def test_saint_and_st_are_one(gazetteer: Gazetteer, text: str) -> None:
    assert names(gazetteer, text) == ["St. Louis, Missouri US"]


def test_whole_names_come_before_beginnings(gazetteer: Gazetteer) -> None:
    assert names(gazetteer, "Marietta") == ["Marietta, Georgia US", "Marietta, Ohio US"]
    assert names(gazetteer, "Mariet") == ["Marietta, Georgia US", "Marietta, Ohio US", "Marietta Vieja CL"]


def test_beginnings_of_a_towns_own_name_come_before_those_of_its_other_names(gazetteer: Gazetteer) -> None:
    # Berlin is larger, and also called Tinyberlin in this gazetteer.
    assert names(gazetteer, "Tiny") == ["Tinyville, Oregon US", "Berlin DE"]


def test_a_suffix_may_be_missing_or_too_much(gazetteer: Gazetteer) -> None:
    assert names(gazetteer, "Berlin City", "DE") == ["Berlin DE"]
    assert names(gazetteer, "City of London", "GB") == ["London, England GB"]


def test_cedex_after_a_town_is_not_part_of_its_name(gazetteer: Gazetteer) -> None:
    assert names(gazetteer, "PARIS Cedex 13", "FR") == ["Paris, Île-de-France FR"]


def test_an_unknown_population_goes_last_and_stays_unknown(gazetteer: Gazetteer) -> None:
    assert gazetteer.search_towns("Marietta Vieja")[0].population is None


def test_nothing_found_is_empty(gazetteer: Gazetteer) -> None:
    assert gazetteer.search_towns("Xyzzyville") == ()


def test_the_limit_cuts_after_the_best(gazetteer: Gazetteer) -> None:
    assert [t.admin for t in gazetteer.search_towns("Springfield", limit=1)] == ["Missouri"]


@pytest.mark.parametrize(
    ("text", "limit", "error"),
    [
        ("", 10, InvalidInput),
        (" , ", 10, InvalidInput),
        ("x" * (MAX_NAME_LENGTH + 1), 10, InvalidInput),
        ("Paris", 0, InvalidInput),
        ("Paris", -1, InvalidInput),
    ],
)
def test_bad_input_is_refused(gazetteer: Gazetteer, text: str, limit: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        gazetteer.search_towns(text, limit=limit)


def test_an_unknown_country_is_refused(gazetteer: Gazetteer) -> None:
    with pytest.raises(UnknownCountry):
        gazetteer.search_towns("Paris", "Atlantis")


def test_a_prefix_gives_a_suggestion_and_not_an_answer(gazetteer: Gazetteer) -> None:
    with pytest.raises(TownNotFound) as caught:
        gazetteer.locate("Mariet", "US")

    assert caught.value.suggestions[0].text == "Marietta, Georgia"


@pytest.mark.parametrize("text", ["Springfeild", "Sprigfield", "Springfieeld"])
def test_a_slip_of_the_pen_is_offered_and_not_assumed(gazetteer: Gazetteer, text: str) -> None:
    with pytest.raises(TownNotFound) as caught:
        gazetteer.locate(text, "US")

    assert [s.text for s in caught.value.suggestions] == ["Springfield, Missouri", "Springfield, Illinois"]
    assert "Did you mean Springfield, Missouri?" in caught.value.message


@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [
        (59.437, 24.7536, "Tallinn"),
        (-18.14, 178.44, "Suva"),
        (-16.78, -179.9, "Savusavu"),  # which lies across the antimeridian
        (71.29, -156.78, "Utqiagvik"),
    ],
)
def test_nearest_town_is_found_anywhere_on_the_globe(
    real_gazetteer: Gazetteer, latitude: float, longitude: float, name: str
) -> None:
    town = nearest_town(real_gazetteer.reader, Coordinates(latitude=latitude, longitude=longitude), 100.0)

    assert town is not None
    assert town.name == name


@pytest.mark.parametrize(("latitude", "longitude"), [(0.0, -30.0), (90.0, 0.0), (-90.0, 180.0)])
def test_no_town_is_near_uninhabited_places(real_gazetteer: Gazetteer, latitude: float, longitude: float) -> None:
    assert nearest_town(real_gazetteer.reader, Coordinates(latitude=latitude, longitude=longitude), 50.0) is None


@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))
@settings(max_examples=10, deadline=None)
def test_nearest_town_is_that_of_the_trees(trees: NearestPlaces, latitude: float, longitude: float) -> None:
    point = Coordinates(latitude=latitude, longitude=longitude)
    tree, towns = trees._town_tree()
    _, around = tree.query(_on_globe(np.array([latitude]), np.array([longitude]))[0], k=12)
    ids = [towns[i][0] for i in around]
    known = trees._reader

    found = nearest_town(known, point, 2_000.0)

    first = town_of(known, known.town(next(number for number in ids if number >= 0)))
    if found is not None:
        assert rough_km(point, found.coordinates) == pytest.approx(rough_km(point, first.coordinates), abs=0.01)
    else:
        assert rough_km(point, first.coordinates) > 2_000.0


@pytest.fixture(scope="module")
def trees(real_gazetteer: Gazetteer) -> NearestPlaces:
    return NearestPlaces(real_gazetteer.reader)
