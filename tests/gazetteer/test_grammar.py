"""Postcodes as people type them, in every country's form."""

from __future__ import annotations

import re

import pytest

from sitematch.domain.place import Postcode, Precision
from sitematch.errors import InvalidPostcode
from sitematch.gazetteer.grammar import (
    COUNTRIES,
    countries_that_fit,
    has_postcodes,
    is_partial,
    key_of,
    normal_form,
    parse_postcode,
    rungs,
)
from sitematch.gazetteer.grammar.forms import FULL_CODES_UNKNOWN, form_of
from sitematch.gazetteer.locate import Gazetteer


@pytest.mark.parametrize(
    ("country", "typed", "normal"),
    [
        ("US", " 33180 ", "33180"),
        ("US", "331801234", "33180-1234"),
        ("US", "33180–1234", "33180-1234"),
        ("US", "３３１８０", "33180"),
        ("GB", "sw1a1aa", "SW1A 1AA"),
        ("GB", "SW1A  1AA", "SW1A 1AA"),
        ("GB", "e1 1", "E1 1"),
        ("GB", "GB-SW1A 1AA", "SW1A 1AA"),
        ("CA", "m5v-3l9", "M5V 3L9"),
        ("IE", "d02x285", "D02 X285"),
        ("NL", "1012ab", "1012 AB"),
        ("NL", "NL-1012 AB", "1012 AB"),
        ("BR", "01310100", "01310-100"),
        ("PT", "9808574", "9808-574"),
        ("PL", "85065", "85-065"),
        ("JP", "〒１０４－００４５", "104-0045"),
        ("LV", "LV- 1002", "LV-1002"),
        ("LV", "1002", "LV-1002"),
        ("LT", "LT-62001", "LT-62001"),
        ("LU", "L-4968", "L-4968"),
        ("SI", "SI-1000", "1000"),
        ("FR", "F-75013", "75013"),
        ("FR", "FR 75013", "75013"),
        ("FR", "75021 CEDEX 01", "75021"),
        ("FR", "75303 sp 07", "75303"),
        ("CH", "CH-3030", "3030"),
        ("DE", "D-10115", "10115"),
        ("AT", "A 1010", "1010"),
        ("SE", "SE-11455", "114 55"),
        ("CZ", "11000", "110 00"),
        ("AR", "c1426abc", "C1426ABC"),
        ("AR", "1426", "1426"),
        ("IN", "110 034", "110034"),
        ("AD", "AD100", "AD100"),
        ("AD", "100", "AD100"),
        ("AZ", "AZ1000", "AZ 1000"),
        ("MD", "2012", "MD-2012"),
        ("HT", "HT 6120", "HT6120"),
        ("KY", "ky11100", "KY1-1100"),
        ("MT", "vlt1117", "VLT 1117"),
        ("IR", "1193612345", "11936-12345"),
        ("BM", "hm 12", "HM 12"),
    ],
)
def test_what_people_type_is_written_as_the_country_writes_it(country: str, typed: str, normal: str) -> None:
    assert parse_postcode(typed, country) == Postcode(country=country, code=normal)


@pytest.mark.parametrize(
    ("host", "code", "territory"),
    [
        ("US", "00917", "PR"), ("US", "00802", "VI"), ("US", "96910", "GU"), ("US", "96799", "AS"),
        ("FR", "97400", "RE"), ("FR", "98000", "MC"), ("GB", "JE2 3AB", "JE"), ("GB", "IM1 1AA", "IM"),
        ("GB", "GY1 1AA", "GG"), ("CH", "9490", "LI"), ("FI", "22100", "AX"), ("NO", "9170", "SJ"),
    ],
)  # fmt: skip
def test_a_territory_keeps_its_own_country(host: str, code: str, territory: str) -> None:
    assert parse_postcode(code, host) == Postcode(country=territory, code=code)


@pytest.mark.parametrize("text", ["", "   ", "-", "３３", "abc", "SW1A 1AA", "3318", "331801", "9" * 41])
def test_a_text_of_another_form_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidPostcode) as caught:
        parse_postcode(text, "US")

    assert caught.value.field == "postcode"
    assert "33180" in caught.value.message or "41 characters" in caught.value.message


def test_ten_thousand_characters_are_not_repeated_in_the_message() -> None:
    with pytest.raises(InvalidPostcode) as caught:
        parse_postcode("9" * 10_000, "US")

    assert "10,000 characters" in caught.value.message
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("country", "typed", "offered"),
    [("US", "4102", "04102"), ("US", "917", "00917"), ("ES", "8025", "08025"), ("DE", "7548", "07548")],
)
def test_a_lost_leading_zero_is_offered_and_not_assumed(country: str, typed: str, offered: str) -> None:
    with pytest.raises(InvalidPostcode) as caught:
        parse_postcode(typed, country)

    assert [(s.text, s.country) for s in caught.value.suggestions] == [(offered, country)]
    assert offered in caught.value.message


def test_a_country_without_postcodes_asks_for_the_town() -> None:
    assert not has_postcodes("AO")
    with pytest.raises(InvalidPostcode, match=r"There are no postcodes in Angola\. Give the town"):
        parse_postcode("1234", "AO")


@pytest.mark.parametrize(
    ("country", "text", "said"),
    [
        ("KR", "110-744", "replaced by five in 2015"),
        ("HK", "00000", "no postcodes there"),
        ("SG", "0511", "by six in 1995"),
    ],
)
def test_a_code_that_was_replaced_is_named_as_such(country: str, text: str, said: str) -> None:
    with pytest.raises(InvalidPostcode, match=said):
        parse_postcode(text, country)


def test_an_unknown_country_code_is_named() -> None:
    with pytest.raises(InvalidPostcode, match="'XX' is no ISO 3166-1") as caught:
        parse_postcode("1234", "XX")

    assert caught.value.field == "country"


@pytest.mark.parametrize("country", [code for code in COUNTRIES if has_postcodes(code)])
def test_every_country_shows_an_example_of_its_own_form(country: str) -> None:
    form = form_of(country)
    assert form is not None

    assert parse_postcode(form.example, country) == Postcode(country=country, code=form.example)


def test_at_least_a_hundred_and_eighty_countries_have_a_form() -> None:
    assert sum(has_postcodes(country) for country in COUNTRIES) >= 180


@pytest.mark.parametrize(
    ("country", "code", "keys"),
    [
        ("US", "331801234", ["331801234", "33180", "3318", "331"]),
        ("GB", "SW1A1AA", ["SW1A1AA", "SW1A 1", "SW1A", "SW1", "SW"]),
        ("GB", "E111AA", ["E111AA", "E11 1", "E11", "E"]),
        ("GB", "E1 1", ["E1 1", "E1", "E"]),
        ("CA", "M5V3L9", ["M5V3L9", "M5V", "M5"]),
        ("IE", "D02X285", ["D02X285", "D02", "D0", "D"]),
        ("NL", "1012AB", ["1012AB", "1012", "101", "10"]),
        ("BR", "01310100", ["01310100", "01310", "0131", "013", "01", "0"]),
        ("AR", "C1426ABC", ["C1426ABC", "1426", "142", "14", "C", "1"]),
        ("AR", "1426", ["1426", "142", "14", "1"]),
        ("CN", "100096", ["100096", "10009", "1000", "100", "10"]),
        ("RU", "101000", ["101000", "10100", "1010", "101"]),
        ("IN", "110034", ["110034", "11003", "1100", "110", "11"]),
        ("PL", "85065", ["85065", "8506", "850", "85"]),
        ("PT", "9808574", ["9808574", "980857", "98085", "9808", "980", "98"]),
        ("JP", "1040045", ["1040045", "104004", "10400", "1040", "104", "10"]),
        ("KR", "03080", ["03080", "0308", "030", "03"]),
        ("TW", "106409", ["106409", "10640", "106", "10", "1"]),
        ("FR", "75013", ["75013", "7501", "750", "75"]),
        ("VA", "00120", ["00120"]),
    ],
)
def test_the_ladder_follows_the_countrys_structure(country: str, code: str, keys: list[str]) -> None:
    assert [rung.key for rung in rungs(country, code)] == keys


def test_a_ladder_never_gets_finer_on_the_way() -> None:
    order = list(Precision)

    for country, code in (("GB", "SW1A1AA"), ("BR", "01310100"), ("US", "331801234"), ("DE", "10115")):
        steps = [order.index(rung.precision) for rung in rungs(country, code)]
        assert steps == sorted(steps)


def test_sector_and_district_of_one_spelling_are_kept_apart() -> None:
    sector, district = parse_postcode("E1 1", "GB"), parse_postcode("E11", "GB")

    assert key_of("GB", sector.code) != key_of("GB", district.code)


def test_a_leading_part_is_known_as_one() -> None:
    assert is_partial("GB", "SW1A")
    assert is_partial("CA", "M5V")
    assert is_partial("NL", "1012")
    assert not is_partial("GB", "SW1A1AA")
    assert not is_partial("US", "33180")


def test_without_a_country_every_form_that_fits_is_found() -> None:
    def countries(text: str) -> set[str]:
        return {postcode.country for postcode in countries_that_fit(text)}

    assert countries("M5V 3L9") == {"CA"}
    assert countries("LV-1002") == {"LV"}
    assert {"US", "DE", "FR", "IT", "MX"} <= countries("20060")
    assert "PR" in countries("00917")
    assert "US" not in countries("00917"), "a territory's code comes up under the territory alone"
    assert countries("9" * 10_000) == set()


def test_the_countries_without_listed_codes_are_those_of_the_file(real_gazetteer: Gazetteer) -> None:
    """Decides between "the data has no finer part" and "this code is doubtful", so it must agree with the file."""
    without = set()
    for country in COUNTRIES:
        form = form_of(country)
        if form is not None:
            whole = len(key_of(country, form.example))
            keys = (key for key, _, _ in real_gazetteer.reader.full_codes(country))
            if not any(len(key) >= whole and form.match.fullmatch(key) for key in keys):
                without.add(country)

    few = {"BR", "CA", "CL", "CN", "GB", "VN"}
    assert without - few <= FULL_CODES_UNKNOWN
    assert without | few >= FULL_CODES_UNKNOWN


def test_the_normal_form_of_a_part_is_written_as_far_as_it_goes() -> None:
    assert normal_form("LT", "50") == "LT-50"
    assert key_of("LT", "LT-50") == "50"
    assert normal_form("PL", "85") == "85"
    assert normal_form("AO", "x") == "x"


def test_keys_hold_no_separator_but_the_sectors_space() -> None:
    for country, code in (("JP", "104-0045"), ("GB", "SW1A 1AA"), ("LB", "2038 3054"), ("AE", "28119 95762")):
        assert re.fullmatch("[0-9A-Z]+", key_of(country, code))
