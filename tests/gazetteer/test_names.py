"""Countries and towns by the names that people use."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from sitematch.errors import UnknownCountry
from sitematch.gazetteer.grammar import COUNTRIES, _address_data, _country_names, fold_name, name_keys, parse_country
from tools import make_grammar_data


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("US", "US"), ("us", "US"), (" usa ", "US"), ("U.S.A.", "US"), ("United States", "US"),
        ("United States of America", "US"), ("Korea, Republic of", "KR"), ("South Korea", "KR"), ("KOR", "KR"),
        ("Korea, Democratic People's Republic of", "KP"), ("Turkey", "TR"), ("Turkey (Türkiye)", "TR"),
        ("Türkiye", "TR"), ("Côte d’Ivoire", "CI"), ("Cote D'Ivoire", "CI"), ("Ivory Coast", "CI"),
        ("Taiwan", "TW"), ("臺灣", "TW"), ("台灣", "TW"), ("Czechia", "CZ"), ("Czech Republic", "CZ"),
        ("UK", "GB"), ("England", "GB"), ("Deutschland", "DE"), ("España", "ES"), ("日本", "JP"), ("中国", "CN"),
        ("Россия", "RU"), ("Hong Kong", "HK"), ("Puerto Rico", "PR"), ("Réunion", "RE"), ("Guam", "GU"),
        ("Bosnia and Herzegovina", "BA"), ("Bosnia & Herzegovina", "BA"), ("Viet Nam", "VN"), ("Georgia", "GE"),
        ("Russian Federation", "RU"), ("Moldova, Republic of", "MD"), ("The Netherlands", "NL"), ("Kosovo", "XK"),
        ("Macedonia, The Former Yugoslav Republic of", "MK"), ("Iran, Islamic Republic of", "IR"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_codes_and_names(text: str, code: str) -> None:
    assert parse_country(text) == code


def test_every_countrys_own_codes_and_english_name_lead_to_it() -> None:
    for code, country in COUNTRIES.items():
        assert parse_country(country.alpha_2.lower()) == code
        assert parse_country(country.alpha_3) == code
        assert parse_country(country.name) == code


def test_all_249_countries_of_iso_3166_and_kosovo_are_known() -> None:
    assert len(COUNTRIES) == 250


@pytest.mark.parametrize(("text", "offered"), [("Germny", "Germany (DE)"), ("Untied States", "United States (US)")])
def test_a_misspelt_country_is_refused_with_the_nearest_names(text: str, offered: str) -> None:
    with pytest.raises(UnknownCountry) as caught:
        parse_country(text)

    assert offered in caught.value.message
    assert caught.value.field == "country"


@pytest.mark.parametrize("text", ["", "  ", "Atlantis", "XX", "9" * 10_000, "Korea"])
def test_no_country_is_guessed(text: str) -> None:
    with pytest.raises(UnknownCountry) as caught:
        parse_country(text)

    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Köln", {"koln", "koeln"}),
        ("St. Louis", {"st louis", "saint louis"}),
        ("臺北市", {"臺北市", "台北市"}),
        ("Århus", {"arhus", "aarhus"}),
        ("Łódź", {"lodz"}),
        ("Weißenfels", {"weissenfels"}),
        ("İstanbul", {"istanbul"}),
        ("Washington, D.C.", {"washington dc"}),
        ("서울", {"서울"}),
        ("Saint-Étienne", {"saint etienne"}),
        ("", set()),
        ("…", set()),
    ],
)
def test_a_name_is_found_under_its_usual_spellings(name: str, keys: set[str]) -> None:
    assert set(name_keys(name)) == keys


def test_vowel_signs_of_other_scripts_stay() -> None:
    assert fold_name("दिल्ली") == "दिल्ली"
    assert fold_name("กรุงเทพ") == "กรุงเทพ"


@pytest.mark.parametrize("name", sorted(make_grammar_data.FILES))
def test_generated_data_is_in_step_with_its_libraries(name: str) -> None:
    committed = resources.files("sitematch.gazetteer.grammar").joinpath(name).read_text(encoding="utf-8")

    assert committed == make_grammar_data.FILES[name](), "run python -m tools.make_grammar_data"


def test_generated_data_holds_only_what_is_needed() -> None:
    assert set(_country_names.NAMES) == set(_country_names.ALPHA_3) == set(COUNTRIES)
    assert json.dumps(_address_data.ADDRESS_DATA)
