"""From a typed text to a place, never with a silent guess."""

from __future__ import annotations

import pytest

from sitematch.domain.place import Postcode, Precision
from sitematch.errors import (
    AmbiguousPlace,
    InvalidInput,
    InvalidPostcode,
    PostcodeNotFound,
    TownNotFound,
    UnknownCountry,
)
from sitematch.gazetteer.locate import Gazetteer


def test_a_known_postcode_answers_without_notes(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("33180", "US")

    assert (place.coordinates.latitude, place.coordinates.longitude) == (25.9597, -80.1403)
    assert place.precision is Precision.DISTRICT
    assert place.uncertainty_km == 4.1
    assert (place.country, place.postcode, place.name) == ("US", "33180", "Miami, Florida")
    assert place.source == "A test source"
    assert place.notes == ()


@pytest.mark.parametrize("text", ["LV-1002", "LV- 1002", "1002", "ＬＶ－１００２", "lv1002"])
def test_every_way_of_typing_leads_to_the_same_place(gazetteer: Gazetteer, text: str) -> None:
    assert gazetteer.locate(text, "Latvia").postcode == "LV-1002"


def test_a_looked_up_postcode_is_the_located_one(gazetteer: Gazetteer) -> None:
    assert gazetteer.lookup(Postcode(country="JP", code="104-0045")) == gazetteer.locate("1040045", "Japan")


def test_zip_plus_four_is_answered_as_its_zip_with_a_note(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("33180-1234", "US")

    assert place.postcode == "33180"
    assert place.notes == ("33180-1234 is a ZIP+4 code. The place is that of its ZIP code 33180.",)


@pytest.mark.parametrize(
    ("country", "text", "rung", "precision"),
    [
        ("GB", "SW1A 1AA", "SW1A", Precision.DISTRICT),
        ("GB", "E1 1AA", "E1", Precision.DISTRICT),
        ("GB", "E11 1AA", "E11", Precision.DISTRICT),
        ("CA", "M5V 3L9", "M5V", Precision.DISTRICT),
        ("PT", "9800-999", "9800", Precision.DISTRICT),
        ("CN", "100096", "1000", Precision.LOCALITY),
    ],
)
def test_a_full_code_that_no_source_lists_falls_to_its_finest_known_part(
    gazetteer: Gazetteer, country: str, text: str, rung: str, precision: Precision
) -> None:
    place = gazetteer.locate(text, country)

    assert (place.postcode, place.precision) == (rung, precision)
    assert rung in place.notes[0]
    assert text in place.notes[0]


def test_a_code_of_many_countries_counts_them(real_gazetteer: Gazetteer) -> None:
    notes = real_gazetteer.locate("20060", "DE").notes

    assert notes[0].startswith("20060 is not a known postcode of Germany. The place is that of its part 20")
    assert notes[1].endswith("other countries. Check the country and the postcode.")


def test_a_region_gives_way_to_its_town(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("30099", "US", town="Marietta, Georgia")

    assert place.name == "Marietta, Georgia"
    assert "30099 is not a known postcode" in place.notes[0]
    assert gazetteer.locate("20060", "DE", town="Hamburg").precision is Precision.LOCALITY


def test_a_leading_part_is_found_with_a_note(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("sw1a", "GB")

    assert place.postcode == "SW1A"
    assert place.notes == (
        "SW1A is only a part of a postcode. The place is the middle of all postcodes that begin with it.",
    )


def test_unknown_code_is_located_by_its_region_with_a_note(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("30099", "US")

    assert (place.postcode, place.precision, place.uncertainty_km) == ("300", Precision.REGION, 60.0)
    assert place.notes == ("30099 is not a known postcode of the United States. The place is that of its part 300.",)


def test_the_region_that_answers_names_the_countries_that_have_the_code(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("20060", "DE")

    assert place.postcode == "200"
    assert place.notes[1] == "It is a postcode of Italy (IT) and the United States (US)."


def test_a_code_of_which_no_part_is_known_is_not_found(gazetteer: Gazetteer) -> None:
    with pytest.raises(PostcodeNotFound, match="no such postcode is known there") as caught:
        gazetteer.locate("99999", "US")

    assert caught.value.field == "postcode"
    assert isinstance(caught.value, LookupError)


def test_a_code_of_another_country_is_suggested_with_it(gazetteer: Gazetteer) -> None:
    with pytest.raises(PostcodeNotFound) as caught:
        gazetteer.locate("33180", "FR")
    with pytest.raises(InvalidPostcode) as refused:
        gazetteer.locate("SW1A 1AA", "US")

    assert [(s.text, s.country) for s in caught.value.suggestions] == [("33180", "US")]
    assert [(s.text, s.country) for s in refused.value.suggestions] == [("SW1A 1AA", "GB")]
    assert "United Kingdom (GB)" in refused.value.message


def test_a_lost_leading_zero_is_offered(gazetteer: Gazetteer) -> None:
    with pytest.raises(InvalidPostcode) as caught:
        gazetteer.locate("4102", "US")

    assert [s.text for s in caught.value.suggestions] == ["04102"]


def test_a_territory_is_found_through_its_larger_neighbour(gazetteer: Gazetteer) -> None:
    assert gazetteer.locate("00917", "US").country == "PR"


@pytest.mark.parametrize(
    ("text", "country", "error", "field"),
    [
        ("", "US", InvalidPostcode, "postcode"),
        ("  ", "US", InvalidPostcode, "postcode"),
        ("9" * 10_000, "US", InvalidPostcode, "postcode"),
        ("9" * 10_000, None, InvalidPostcode, "postcode"),
        ("x" * 10_000, None, InvalidInput, "postcode"),
        ("12345", "Atlantis", UnknownCountry, "country"),
        ("12345", "", UnknownCountry, "country"),
        ("", None, InvalidInput, "postcode"),
        ("abc", "US", TownNotFound, "postcode"),
        ("1", "US", InvalidPostcode, "postcode"),
        ("12345678901", None, PostcodeNotFound, "postcode"),
        ("\x00", None, InvalidInput, None),
        ("33180\x00", "DE", PostcodeNotFound, "postcode"),
    ],
)
def test_bad_input_is_a_typed_error_naming_its_field(
    gazetteer: Gazetteer, text: str, country: str | None, error: type[Exception], field: str | None
) -> None:
    with pytest.raises(error) as caught:
        gazetteer.locate(text, country)

    assert len(str(caught.value)) < 400
    if field is not None:
        assert getattr(caught.value, "field", None) == field


def test_without_a_country_the_only_one_that_has_the_code_is_taken_and_said(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("10115")

    assert place.country == "DE"
    assert place.notes == ("No country was given. 10115 is known only in Germany (DE).",)


def test_without_a_country_a_lettered_code_is_known_by_its_form(gazetteer: Gazetteer) -> None:
    assert gazetteer.locate("M5V 3L9").country == "CA"
    assert gazetteer.locate("SW1A 1AA").country == "GB"


def test_without_a_country_digits_count_only_as_a_whole_code(gazetteer: Gazetteer) -> None:
    with pytest.raises(PostcodeNotFound):
        gazetteer.locate("9800")  # a part of Portuguese codes, and of half the world's


def test_a_code_of_several_countries_needs_a_choice(gazetteer: Gazetteer) -> None:
    with pytest.raises(AmbiguousPlace) as caught:
        gazetteer.locate("20060")

    assert [c.country for c in caught.value.candidates] == ["IT", "US"]
    assert caught.value.field == "country"


def test_a_hint_decides_only_if_exactly_one_hinted_country_fits(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("20060", hints=["United States", "DE"])

    assert place.country == "US"
    assert "because the study has clinics there" in place.notes[0]
    with pytest.raises(AmbiguousPlace):
        gazetteer.locate("20060", hints=["US", "IT"])
    with pytest.raises(AmbiguousPlace):
        gazetteer.locate("20060", hints=["FR"])


def test_the_languages_decide_before_the_hints(gazetteer: Gazetteer) -> None:
    assert gazetteer.locate("20060", languages=["it"], hints=["US"]).country == "IT"
    assert "because of your language" in gazetteer.locate("20060", languages=["it"]).notes[0]


def test_a_stated_country_is_never_overruled_by_a_hint(gazetteer: Gazetteer) -> None:
    assert gazetteer.locate("20060", "IT", hints=["US"]).country == "IT"


def test_a_town_beside_the_code_decides_between_countries(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("75013", town="Paris")

    assert (place.country, place.postcode) == ("FR", "75013")
    assert place.notes == ("No country was given. 75013 and Paris are together only in France (FR).",)


@pytest.mark.parametrize(
    ("text", "country", "found"),
    [
        ("75013 Paris", None, ("FR", "75013")),
        ("Miami, FL 33180", "US", ("US", "33180")),
        ("33180, USA", None, ("US", "33180")),
        ("London SW1A 1AA", "GB", ("GB", "SW1A")),
        ("ON M5V 3L9", "CA", ("CA", "M5V")),
    ],
)
def test_code_and_town_in_one_text_are_separated(
    gazetteer: Gazetteer, text: str, country: str | None, found: tuple[str, str]
) -> None:
    place = gazetteer.locate(text, country)

    assert (place.country, place.postcode) == found
    assert not any("could not be checked" in note for note in place.notes), "a state's abbreviation is no town"


def test_a_town_that_agrees_changes_nothing(gazetteer: Gazetteer) -> None:
    assert gazetteer.locate("30060", "US", town="Marietta, GA") == gazetteer.locate("30060", "US")


def test_a_contradiction_believes_the_town_that_its_state_confirms(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("20060", "US", town="Marietta, Georgia")

    assert place.name == "Marietta, Georgia"
    assert place.precision is Precision.LOCALITY
    assert place.postcode is None
    assert "20060 is in Washington, District of Columbia, 8" in place.notes[0]
    assert "We used the town. Check both." in place.notes[0]


def test_a_contradiction_believes_a_large_town_by_its_name_alone(gazetteer: Gazetteer) -> None:
    assert gazetteer.locate("69037", "FR", town="Lille").name == "Lille, Hauts-de-France"


def test_a_contradiction_with_a_town_of_many_believes_the_postcode(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("33180", "US", town="Springfield")

    assert place.postcode == "33180"
    assert "We used the postcode. Check both." in place.notes[0]


@pytest.mark.parametrize("town", ["Tinyville", "Tinyville, Nowhere"])
def test_a_contradiction_with_a_small_town_that_nothing_confirms_believes_the_postcode(
    gazetteer: Gazetteer, town: str
) -> None:
    place = gazetteer.locate("33180", "US", town=town)

    assert place.postcode == "33180"
    assert "km from Tinyville, Oregon, the nearest known town of that name" in place.notes[0]
    assert gazetteer.locate("33180", "US", town="Tinyville, OR").name == "Tinyville, Oregon"


@pytest.mark.parametrize("town", ["Tinyville, Kansas", "Miami, Ohio", "Xyzzy, Oregon"])
def test_a_code_outside_the_stated_state_is_refused(gazetteer: Gazetteer, town: str) -> None:
    with pytest.raises(PostcodeNotFound, match="33180 is in Miami, Florida, not in"):
        gazetteer.locate("33180", "US", town=town)


def test_a_note_says_that_an_unknown_town_was_not_checked(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("33180", "US", town="Xyzzy")

    assert place.postcode == "33180"
    assert "could not check the postcode against Xyzzy" in place.notes[0]


def test_a_bad_code_falls_to_its_town_with_the_reason(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("4102", "US", town="Miami, Florida")

    assert place.name == "Miami, Florida"
    assert "'4102' is not a postcode of the United States" in place.notes[0]


def test_a_bad_code_with_an_unknown_town_fails_for_the_code(gazetteer: Gazetteer) -> None:
    with pytest.raises(InvalidPostcode):
        gazetteer.locate("4102", "US", town="Xyzzy")


def test_a_wide_part_gives_way_to_its_town(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("100096", "CN", town="Beijing, Beijing")

    assert place.name == "Beijing"
    assert place.uncertainty_km == 30.0


def test_a_town_alone_is_enough(gazetteer: Gazetteer) -> None:
    assert gazetteer.locate("", "TW", town="Taipei").name == "Taipei"
    assert gazetteer.locate("臺北市").country == "TW"
    assert gazetteer.locate("Koeln", "DE").name == "Köln, Nordrhein-Westfalen"


def test_an_ambiguous_town_is_an_error_with_candidates(gazetteer: Gazetteer) -> None:
    with pytest.raises(AmbiguousPlace) as caught:
        gazetteer.locate("Springfield", "US")

    assert [c.text for c in caught.value.candidates] == ["Springfield, Missouri", "Springfield, Illinois"]
    assert "170,188 inhabitants" in caught.value.candidates[0].why
    assert gazetteer.locate("Springfield, IL", "US").name == "Springfield, Illinois"


def test_a_hinted_country_decides_between_towns(gazetteer: Gazetteer) -> None:
    place = gazetteer.locate("Paris", hints=["FR", "DE"])

    assert place.country == "FR"
    assert place.notes
    with pytest.raises(AmbiguousPlace):
        gazetteer.locate("Paris", hints=["FR", "US"])


def test_an_unknown_hint_is_an_error(gazetteer: Gazetteer) -> None:
    with pytest.raises(UnknownCountry):
        gazetteer.locate("20060", hints=["Atlantis"])


@pytest.mark.parametrize("text", ["SW1A 1AA Leeds", "PE3 9GZ, Leeds", "Manchester SW1A 1AA", "EC1A 1BB Edinburgh"])
def test_a_british_town_that_is_also_a_council_contradicts_a_postcode_elsewhere(
    real_gazetteer: Gazetteer, text: str
) -> None:
    (note,) = real_gazetteer.locate(text, "GB").notes

    assert note.endswith("We used the town. Check both.")
