"""The pages use the visitor's language, and save the choice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

from api.pages import wording
from api.pages.languages import ENGLISH, LANGUAGES, speak
from sitematch.domain.capacity.caps import CapLevel, LimitedBy, Remaining
from sitematch.domain.finding.match import Distance, Reason, ReasonCode
from sitematch.domain.place import Precision
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty, TravelKind, TravelSupport
from sitematch.domain.units import Unit
from tools import messages

MIAMI = {"place": "33180", "country": "US"}
OTHERS = [tag for tag in LANGUAGES if tag != ENGLISH.tag]
TONGUES = pytest.mark.parametrize("tag", OTHERS)


@pytest.fixture
def in_german(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        speak("de")
        yield


def every_reason() -> list[Reason]:
    facts = {"km": 12.3, "count": 3, "subject": "Clinic A", "on": date(2026, 3, 31), "probability": 0.84}
    subjects = {
        ReasonCode.NOT_RECRUITING: [status.value for status in RecruitmentStatus],
        ReasonCode.TRAVEL_TOO_UNSURE: [certainty.value for certainty in TravelCertainty],
        ReasonCode.FULL: ["", *CapLevel],
        ReasonCode.CLOSED: list(CapLevel),
        ReasonCode.NO_SPOTS: list(CapLevel),
        ReasonCode.OWN_COUNTRY: ["DE"],
        ReasonCode.OTHER_COUNTRY: ["DE"],
        ReasonCode.COUNTRY_NOT_ASKED: ["DE"],
    }
    return [
        Reason(code, **{**facts, "subject": subject})
        for code in ReasonCode
        for subject in subjects.get(code, ["Clinic A"])
    ]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_reason_and_state_is_put_into_words(app: Flask, tag: str) -> None:
    with app.test_request_context():
        speak(tag)
        said = [
            *(wording.reason(reason, unit) for reason in every_reason() for unit in Unit),
            *(wording.travel(certainty) for certainty in TravelCertainty),
            *(wording.travel_kind(kind) for kind in TravelKind),
            *(wording.status(status) for status in RecruitmentStatus),
            *(wording.precision(precision) for precision in Precision),
            *(
                wording.spots(Remaining(count=count, as_of=None, drawn_from=drawn))
                for count in (None, 0, 1, 8)
                for drawn in LimitedBy
            ),
        ]

    assert all(said)
    assert not [text for text in said if "%(" in text or "None" in text]


def test_distance_is_shown_with_its_uncertainty_and_never_too_precisely(app: Flask) -> None:
    far = Distance(km=610.4, uncertainty_km=8.3, direction="NW", azimuth_deg=318.0)
    near = Distance(km=2.0, uncertainty_km=3.0, direction="N", azimuth_deg=0.0)
    with app.test_request_context():
        unsure = Distance(km=20.0, uncertainty_km=8.3, direction="NW", azimuth_deg=318.0)
        said = [(wording.away(distance, Unit.KM), wording.bearing(distance)) for distance in (far, unsure, near, None)]

    assert said == [
        ("about 610 km away", "to the north-west"),
        ("20 km away (give or take 8.3 km)", "to the north-west"),
        ("closer than 5.0 km", ""),
        ("Distance not known", ""),
    ]


@pytest.mark.parametrize(
    ("km", "said"), [(0.0, "0.1 km"), (0.01, "0.1 km"), (0.1, "0.1 km"), (3.2, "3.2 km"), (3.21, "3.3 km"), (25.2, "25 km")]
)  # fmt: skip
def test_accuracy_is_rounded_up_and_never_nothing(app: Flask, km: float, said: str) -> None:
    with app.test_request_context():
        assert wording.accuracy(km, Unit.KM) == said


@pytest.mark.parametrize(
    ("azimuth_deg", "said"), [(0.0, "to the north"), (359.0, "to the north"), (180.0, "to the south"), (247.0, "to the south-west")]
)  # fmt: skip
def test_direction_is_the_nearest_of_eight(app: Flask, azimuth_deg: float, said: str) -> None:
    with app.test_request_context():
        distance = Distance(km=100.0, uncertainty_km=1.0, direction="", azimuth_deg=azimuth_deg)

        assert wording.bearing(distance) == said


def test_numbers_units_dates_and_countries_are_written_as_the_language_does(in_german: None) -> None:
    assert wording.length(1234.5, Unit.KM) == "1.234 km"
    assert wording.length(3.21, Unit.KM) == "3,2 km"
    assert wording.country("DE") == "Deutschland"
    assert wording.day(date(2025, 12, 30)) == "30. Dezember 2025"


def test_likely_full_site_is_shown_with_month_and_probability(in_german: None) -> None:
    reason = Reason(ReasonCode.LIKELY_FULL, on=date(2026, 3, 31), probability=0.84)

    said = wording.reason(reason, Unit.KM)

    assert (
        said == "Beim jetzigen Tempo ist sie bis Ende März 2026 wahrscheinlich voll (Wahrscheinlichkeit etwa 84\xa0%)."
    )


def test_untranslated_text_of_a_study_stays_english_and_is_marked(in_german: None) -> None:
    assert wording.translated("Only <here>.") == '<span lang="en" dir="ltr">Only &lt;here&gt;.</span>'


@TONGUES
def test_page_is_in_the_requested_language_and_says_that_it_is_not_reviewed(client: FlaskClient, tag: str) -> None:
    text = client.get("/", headers={"Accept-Language": f"tlh, {tag}-XX;q=0.9, en;q=0.1"}).text

    direction = "rtl" if tag == "he" else "ltr"
    assert f'<html lang="{tag}" dir="{direction}"' in text
    with client.application.test_request_context():
        speak(tag)
        assert wording.country("DE") in text


def test_english_page_needs_no_such_notice(client: FlaskClient) -> None:
    assert "checked by a native speaker" not in client.get("/").text
    assert "checked by a native speaker" not in client.get("/", headers={"Accept-Language": "tlh"}).text


def test_language_is_chosen_by_the_address_then_the_cookie_then_the_browser(client: FlaskClient) -> None:
    def language(address: str = "/") -> str:
        found = re.search(r'<html lang="([\w-]+)"', client.get(address, headers={"Accept-Language": "fr"}).text)
        assert found
        return found[1]

    by_browser = language()
    client.post("/preferences", data={"lang": "ja"})

    assert (by_browser, language(), language("/?lang=he")) == ("fr", "ja", "he")
    assert client.get("/").headers["Vary"] == "Accept-Language, Cookie, Accept-Encoding"


def test_answer_is_in_the_language_that_the_address_of_the_page_names(client: FlaskClient) -> None:
    found = re.search(r'<form id="search"[^>]* action="([^"#]+)', client.get("/?lang=he").text)
    assert found

    answer = client.post(found[1], data=MIAMI, headers={"Accept-Language": "en", "Sitematch-Part": "results"})

    assert "במרחק" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_name_of_another_script_is_held_in_its_place_only_where_the_page_runs_from_right_to_left(app: Flask) -> None:
    reason = Reason(ReasonCode.SAME_BAND, km=12.3, subject="Clinic A")
    said = {}
    for tag in ("en", "he"):
        with app.test_request_context():
            speak(tag)
            said[tag] = wording.reason(reason, Unit.KM)

    assert said["en"] == "About as far away as Clinic A: 12 km more."
    assert "\u2068Clinic A\u2069: 12" in said["he"]


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en", "Travel costs are covered (parking and meals)"),
        ("de", "Fahrtkosten werden bezahlt (Parken und Mahlzeiten)"),
        ("ja", "交通費は支給されます（駐車場、食事）"),
    ],
)
def test_what_is_paid_of_the_way_is_listed_as_the_language_does(app: Flask, tag: str, said: str) -> None:
    support = TravelSupport(certainty=TravelCertainty.COVERED, kinds=(TravelKind.PARKING, TravelKind.MEALS))
    with app.test_request_context():
        speak(tag)

        assert wording.travel_support(support) == said


def test_changing_the_language_keeps_the_answer_and_is_remembered(client: FlaskClient) -> None:
    changed = client.post("/", data={**MIAMI, "lang": "de"})
    later = client.get("/")

    assert '<html lang="de"' in changed.text
    assert 'data-rank="1"' in changed.text
    assert '<html lang="de"' in later.text
    assert "HttpOnly" in changed.headers["Set-Cookie"]
    assert "SameSite=Lax" in changed.headers["Set-Cookie"]


def test_changing_the_colours_before_a_look_up_is_not_an_error(client: FlaskClient) -> None:
    changed = client.post("/", data={"place": "", "country": "", "theme": "dark"})

    assert changed.status_code == 200
    assert 'data-theme="dark"' in changed.text
    assert 'role="alert"' not in re.sub(r"<template.*?</template>", "", changed.text, flags=re.DOTALL).replace(
        'class="error" role="alert" hidden', ""
    )
    assert 'data-theme="dark"' in client.get("/problems").text


@pytest.mark.parametrize(
    "back", ["//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere", "/a?b=c", "/a\r\nb"]
)
def test_preferences_lead_back_to_our_own_pages_only(client: FlaskClient, back: str) -> None:
    response = client.post("/preferences", data={"theme": "dark", "back": back})

    assert (response.status_code, response.headers["Location"]) == (303, "/")


def test_unsupported_preference_sets_no_cookie(client: FlaskClient) -> None:
    response = client.post("/preferences", data={"theme": "pink", "lang": "tlh", "back": "/docs"})

    assert response.headers["Location"] == "/docs"
    assert "Set-Cookie" not in response.headers


def test_template_of_the_translations_holds_every_text_of_the_pages() -> None:
    assert messages.render(messages.gather()) == messages.TEMPLATE.read_bytes(), "run: make messages"


@TONGUES
def test_translation_is_in_step_with_the_pages_and_keeps_every_placeholder(tag: str) -> None:
    path = messages.catalogue_path(tag)
    with path.open("rb") as text:
        catalogue = read_po(text)

    assert messages.render(messages.merged(messages.gather(), tag)) == path.read_bytes(), "run: make messages"
    assert list(faults_of(catalogue)) == []


def faults_of(catalogue: Catalog) -> Iterator[str]:
    """Find translations with a missing or additional placeholder."""
    for message in catalogue:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
        wanted = places(ids[-1])
        for string in strings:
            # A singular may say "one" without the number.
            if string and places(string) != wanted and not (len(ids) > 1 and places(string) | {"num"} == wanted):
                yield f"{ids[-1]!r}: {string!r}"


def places(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def test_lost_placeholder_is_found() -> None:
    catalogue = Catalog()
    catalogue.add("%(km)s away", "weg")
    catalogue.add(("%(num)s spot", "%(num)s spots"), ("ein Platz", "%(num)s Plätze"))

    assert list(faults_of(catalogue)) == ["'%(km)s away': 'weg'"]


@TONGUES
def test_translation_is_complete(tag: str) -> None:
    with messages.catalogue_path(tag).open("rb") as text:
        catalogue = read_po(text)

    assert [message.id for message in catalogue if message.id and not complete(message)] == []


def complete(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return all(strings)
