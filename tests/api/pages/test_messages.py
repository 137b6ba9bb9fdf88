"""What the library says about a place is in the page's language."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import Markup

from api.pages.languages import ENGLISH, LANGUAGES, speak
from api.pages.messages import in_language
from sitematch.domain.message import CountryName, Enumeration, Message, in_a_row
from sitematch.errors import SitematchError
from sitematch.gazetteer.locate import Gazetteer
from tools import messages

OTHERS = [tag for tag in LANGUAGES if tag != ENGLISH.tag]
AUSTRIA = CountryName("AT", "Austria", has_code=True)
KNOWN_ONLY = Message("No country was given. %(code)s is known only in %(country)s.", code="1010", country=AUSTRIA)


def said_in(app: Flask, tag: str, text: str) -> str:
    with app.test_request_context():
        speak(tag)
        return str(in_language(text))


def test_pattern_is_translated_and_countries_have_the_pages_names(app: Flask) -> None:
    assert said_in(app, "en", KNOWN_ONLY) == str(KNOWN_ONLY)
    assert said_in(app, "de", KNOWN_ONLY) == "Es wurde kein Land angegeben. Wir kennen 1010 nur hier: Österreich (AT)."


def test_numbers_lists_and_sentences_in_a_row_follow_the_language(app: Flask) -> None:
    people = Message("%(country)s, %(count)s inhabitants", country=CountryName("FR", "France"), count=1_234_567)
    where = Message("It is a postcode of %(countries)s.", countries=Enumeration((AUSTRIA, "Genf"), more=2))
    choice = Message("Did you mean %(choices)s?", choices=Enumeration(("1010", "1020"), is_choice=True))

    assert said_in(app, "de", people) == "Frankreich, 1.234.567 Einwohner"
    assert said_in(app, "de", where) == "Diese Postleitzahl gibt es hier: Österreich (AT), Genf und 2 weitere."
    assert said_in(app, "es", in_a_row(where, choice)).endswith("y 2 más. ¿Quiso decir 1010 o 1020?")


def test_names_are_isolated_where_the_page_runs_from_right_to_left(app: Flask) -> None:
    assert "\u2068Genf\u2069" in said_in(app, "he", Message("in %(region)s", region="Genf"))


def test_what_was_typed_is_never_markup(app: Flask) -> None:
    typed = Message("%(code)s is not a known postcode.", code="<b>1</b>")

    for tag in LANGUAGES:
        assert "<b>" not in said_in(app, tag, typed)


def test_text_without_a_pattern_stays_english_and_is_marked(app: Flask) -> None:
    assert said_in(app, "de", "Only text.") == Markup('<span lang="en" dir="ltr">Only text.</span>')


def test_copies_and_child_processes_keep_the_facts() -> None:
    for other in (copy.deepcopy(KNOWN_ONLY), pickle.loads(pickle.dumps(KNOWN_ONLY))):
        assert (other, other.pattern, other.facts) == (KNOWN_ONLY, KNOWN_ONLY.pattern, KNOWN_ONLY.facts)


@pytest.mark.parametrize("tag", OTHERS)
def test_every_translation_has_the_facts_of_its_pattern(tag: str) -> None:
    with messages.catalogue_path(tag).open("rb") as text:
        catalogue = read_po(text)
    facts = re.compile(r"%\((\w+)\)s")

    wrong = [
        message.id
        for message in catalogue
        if isinstance(message.id, str)
        and message.string
        and sorted(facts.findall(message.id)) != sorted(facts.findall(str(message.string)))
    ]

    assert wrong == []


TYPED = [
    *(
        ("20060", "DE", None),
        ("33180-1234", "US", None),
        ("SW1A", "GB", None),
        ("00000", "HK", None),
        ("M5V 3L9", "CA", None),
    ),
    *(("20060", "US", "Marietta, Georgia"), ("33180", "US", "Springfield, Missouri"), ("33180", "US", "Xyzzy")),
    *(("10115", None, None), ("75013", None, "Paris"), ("Cincinatti", "US", None), ("Springfield", "US", None)),
    *(
        ("London", "GB", None),
        ("Victoria", None, None),
        ("33l80", "US", None),
        ("4102", "US", None),
        ("x" * 300, "US", None),
    ),
    *(("", "US", None), ("Hyannis, FL", "US", None), ("221B Baker Street, London", None, None), ("99999", "US", None)),
]


@pytest.mark.parametrize("tag", OTHERS)
def test_no_english_is_left_on_a_page_about_what_was_typed(app: Flask, gazetteer_path: Path, tag: str) -> None:
    real = Gazetteer.open(gazetteer_path)
    said: list[str] = []
    for text, country, town in TYPED:
        try:
            said += real.locate(text, country, town=town, languages=[tag]).notes
        except SitematchError as error:
            offered = (*getattr(error, "candidates", ()), *getattr(error, "suggestions", ()))
            said += [suggestion.why for suggestion in offered]

    assert len(said) > 20
    assert [text for text in said if 'lang="en"' in said_in(app, tag, text)] == []


def test_page_shows_the_note_in_its_language(client: FlaskClient) -> None:
    answer = client.post("/?lang=de", data={"place": "33180-1234", "country": "US"})

    assert "33180-1234 ist ein ZIP+4-Code. Der Ort ist der seines ZIP-Codes 33180." in answer.text
    assert "is a ZIP+4 code" not in answer.text
