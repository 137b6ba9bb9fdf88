"""Properties of every postcode, name and rung, tested with Hypothesis."""

from __future__ import annotations

import math
import sqlite3
import struct
from string import ascii_uppercase

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from sitematch.config import data_file
from sitematch.domain.place import Coordinates, Postcode
from sitematch.errors import InvalidPostcode, SitematchError
from sitematch.gazetteer.grammar import (
    COUNTRIES,
    fits,
    fold_name,
    has_postcodes,
    key_of,
    name_keys,
    normal_form,
    parse_country,
    parse_postcode,
    rungs,
)
from sitematch.gazetteer.grammar.forms import form_of
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.nearness import rough_km
from sitematch.gazetteer.schema import DEGREE

WITH_POSTCODES = sorted(country for country in COUNTRIES if has_postcodes(country))
FULL_WIDTH = {ord("0") + i: chr(0xFF10 + i) for i in range(10)}

countries = st.sampled_from(WITH_POSTCODES)
words = st.text(max_size=60)


@st.composite
def well_formed(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a country and a key of the form of its full codes."""
    country = draw(countries)
    form = form_of(country)
    assert form is not None
    return country, draw(st.from_regex(form.match, fullmatch=True, alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


@given(st.from_regex(r"[A-Za-z]{0,3}[- ]?[0-9A-Z]{2,5}[- ]?[0-9A-Z]{0,4}", fullmatch=True), countries)
def test_parsing_is_idempotent(text: str, country: str) -> None:
    try:
        once = parse_postcode(text, country)
    except InvalidPostcode:
        return  # well_formed below draws texts that parse; this looks for texts that parse unexpectedly

    assert parse_postcode(once.code, once.country) == once


@given(well_formed())
def test_normal_forms_round_trip(drawn: tuple[str, str]) -> None:
    country, key = drawn

    postcode = parse_postcode(key, country)

    assert key_of(postcode.country, postcode.code) == key_of(country, key)
    assert parse_postcode(postcode.code, country) == postcode
    assert normal_form(postcode.country, key_of(postcode.country, postcode.code)) == postcode.code


@given(well_formed(), st.data())
def test_spaces_dashes_case_and_width_do_not_matter(drawn: tuple[str, str], data: st.DataObject) -> None:
    country, key = drawn
    code = parse_postcode(key, country).code
    # A space after a British outward code means a sector, so noise goes around the code and into its own gap only.
    noisy = code.lower().translate(FULL_WIDTH)
    for mark in (" ", "-"):
        noisy = noisy.replace(mark, data.draw(st.sampled_from([" ", "-", "  ", " - ", "–", "\u00a0", ""])))
    noisy = data.draw(st.sampled_from(["", " ", "\t"])) + noisy + data.draw(st.sampled_from(["", " ", "\n"]))

    assert parse_postcode(noisy, country) == parse_postcode(key, country)


@given(well_formed())
def test_a_ladder_starts_at_the_key_and_never_repeats(drawn: tuple[str, str]) -> None:
    country, key = drawn
    ladder = rungs(country, key_of(country, key))

    assert ladder[0].key == key_of(country, key)
    assert len({rung.key for rung in ladder}) == len(ladder)
    assert [len(rung.key.replace(" ", "")) for rung in ladder] == sorted(
        (len(rung.key.replace(" ", "")) for rung in ladder), reverse=True
    )


@given(words)
def test_folding_twice_changes_nothing(text: str) -> None:
    folded = fold_name(text)

    assert fold_name(folded) == folded
    assert name_keys(text)[:1] == ((folded,) if folded else ())


@given(st.sampled_from(sorted(COUNTRIES)), st.sampled_from(["{}", " {} ", "({})", "{}."]), st.booleans())
def test_a_countrys_name_is_known_in_any_dress(code: str, dress: str, upper: bool) -> None:
    name = COUNTRIES[code].name

    assert parse_country(dress.format(name.upper() if upper else name)) == code


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    text=words,
    country=st.one_of(st.none(), st.sampled_from(sorted(COUNTRIES)), st.text(max_size=12)),
    town=st.one_of(st.none(), st.text(max_size=30)),
    hints=st.lists(st.sampled_from(sorted(COUNTRIES)), max_size=3),
)
def test_whatever_is_typed_gives_a_place_or_an_error_of_ours(
    gazetteer: Gazetteer, text: str, country: str | None, town: str | None, hints: list[str]
) -> None:
    try:
        place = gazetteer.locate(text, country, town=town, hints=hints)
    except SitematchError as fault:
        assert fault.message
        return

    assert place.country in COUNTRIES
    assert place.uncertainty_km >= 0


# --- on the compiled file ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database() -> sqlite3.Connection:
    return sqlite3.connect(f"{data_file('gazetteer.sqlite').as_uri()}?mode=ro&immutable=1", uri=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(drawn=well_formed())
def test_every_code_of_the_file_is_found_by_its_normal_form(
    real_gazetteer: Gazetteer, database: sqlite3.Connection, drawn: tuple[str, str]
) -> None:
    """Draws a well-formed key, takes the next one that exists, and looks it up as a person would type it."""
    country, near = drawn
    rows = database.execute(
        "SELECT key, latitude FROM postcode WHERE country = ? AND key >= ? AND children = 0 ORDER BY key LIMIT 9",
        (country, near),
    ).fetchall()
    # Countries without listed codes have only regions, which nobody types.
    key, latitude = next((row for row in rows if fits(country, row[0])), (None, None))
    assume(key is not None)

    place = real_gazetteer.lookup(Postcode(country=country, code=normal_form(country, key)))

    assert place.coordinates.latitude == latitude / DEGREE
    assert key_of(country, place.postcode or "") == key
    parsed = parse_postcode(normal_form(country, key), country)
    assert key_of(parsed.country, parsed.code) == key


def units_in(database: sqlite3.Connection, country: str, stem: str) -> list[tuple[str, int, int]]:
    """The packed units of the sectors that begin so, with their points."""
    rows = database.execute(
        "SELECT u.sector, u.units, p.latitude, p.longitude FROM unit AS u "
        "JOIN postcode AS p ON p.country = u.country AND p.key = u.sector WHERE u.country = ?",
        (country,),
    )
    return [
        (
            sector.replace(" ", "") + ascii_uppercase[number // 26] + ascii_uppercase[number % 26],
            latitude + north,
            longitude + east,
        )
        for sector, packed, latitude, longitude in rows
        if sector.replace(" ", "").startswith(stem)
        for number, north, east in struct.iter_unpack(">Hhh", packed)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(drawn=well_formed())
@example(drawn=("GB", "GIR0AA"))
@example(drawn=("GB", "SW1A1AA"))
def test_coarser_rungs_contain_finer_ones_within_their_uncertainty(
    database: sqlite3.Connection, drawn: tuple[str, str]
) -> None:
    """The uncertainty is the radius of 95 of 100: of the codes below a rung, no more than that share may be outside."""
    country, near = drawn
    row = database.execute(
        "SELECT key, latitude, longitude, uncertainty_m, children FROM postcode "
        "WHERE country = ? AND key >= ? AND children > 1 ORDER BY key LIMIT 1",
        (country, near[: max(1, len(near) - 2)]),
    ).fetchone()
    assume(row is not None)
    rung, latitude, longitude, uncertainty_m, children = row
    centre = Coordinates(latitude=latitude / DEGREE, longitude=longitude / DEGREE)
    stem = rung.replace(" ", "")
    below = database.execute(
        "SELECT key, latitude, longitude FROM postcode WHERE country = ? AND children = 0 AND key >= ? AND key < ?",
        (country, stem if country != "AR" else "", stem + "\uffff" if country != "AR" else "\uffff"),
    ).fetchall()
    apart_km = sorted(
        rough_km(centre, Coordinates(latitude=child[1] / DEGREE, longitude=child[2] / DEGREE))
        for child in [*below, *units_in(database, country, stem)]
        if any(step.key == rung for step in rungs(country, child[0])[1:])
    )

    assert len(apart_km) == children
    outside = sum(km > uncertainty_m / 1000 * 1.006 + 0.01 for km in apart_km)  # rough_km is up to 0.6 % off
    assert outside <= math.floor(0.05 * children) + 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(text=words, country=st.one_of(st.none(), countries))
def test_whatever_is_typed_the_real_file_answers_or_errs(
    real_gazetteer: Gazetteer, text: str, country: str | None
) -> None:
    try:
        real_gazetteer.locate(text, country)
    except SitematchError as fault:
        assert len(fault.message) < 1000
