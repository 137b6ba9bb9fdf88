"""From the list to the clinic: contacts, and what to say."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from api.pages.contact_links import phone_address, record_address
from sitematch.domain.studies.contact import Contact, StudyContacts
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.finding.finder import Finder
from tests.api.builders import SITES, make_app, make_study

MIAMI = {"place": "33180", "country": "US"}
ANN = Contact(name="Ann Example", role="CONTACT", phone="+1 305-555-0134 ext. 12", email="ann@example.org")
DESK = Contact(name="Study desk", phone="0800 555 0199", email="desk@example.org")


def page(tmp_path: Path, gazetteer: Path, contacts: StudyContacts, study_id: str = "NCT00000001") -> str:
    finder = Finder(Gazetteer.open(gazetteer), make_study(study_id=study_id), SITES, contacts=contacts)
    return make_app(tmp_path, finder).test_client().post("/", data=MIAMI).text


def card(text: str, name: str) -> str:
    found = re.search(
        rf'<li class="card clinic"[^>]*data-name="{name}".*?</li>\s*(?=<li class="card|</ol>)', text, re.DOTALL
    )
    assert found, name
    return found[0]


def test_card_says_whom_to_call_and_write_to(tmp_path: Path, gazetteer: Path) -> None:
    text = page(tmp_path, gazetteer, StudyContacts(by_site={"miami": (ANN,)}))

    miami = card(text, "Hospital miami")
    assert 'href="tel:+13055550134;ext=12"' in miami
    assert "+1 305-555-0134 ext. 12</a>" in miami
    mail = html.unescape(re.search(r'href="(mailto:[^"]*)"', miami)[1])  # type: ignore[index]
    assert unquote(mail) == "mailto:ann@example.org?subject=Question about study NCT00000001 at Hospital miami"
    assert "ann@example.org" not in card(text, "Hospital portland")


def test_mail_tells_nothing_of_where_the_person_is(tmp_path: Path, gazetteer: Path) -> None:
    text = page(tmp_path, gazetteer, StudyContacts(central=(DESK,)))

    for address in re.findall(r'href="((?:mailto|tel):[^"]*)"', text):
        assert "33180" not in address


def test_clinic_without_a_contact_shows_the_studys_contact_as_such(tmp_path: Path, gazetteer: Path) -> None:
    text = page(tmp_path, gazetteer, StudyContacts(central=(DESK,), by_site={"miami": (ANN,)}))

    assert "For the whole study:" in card(text, "Hospital portland")
    assert "For the whole study:" not in card(text, "Hospital miami")
    assert "We have no phone number" not in text


def test_clinic_that_was_left_out_can_be_asked_too(tmp_path: Path, gazetteer: Path) -> None:
    text = page(tmp_path, gazetteer, StudyContacts(by_site={"miami-full": (DESK,)}))

    assert 'href="tel:08005550199"' in text[text.index("left-out") :]


def test_without_any_contact_the_page_says_so_and_leads_to_the_record(tmp_path: Path, gazetteer: Path) -> None:
    text = page(tmp_path, gazetteer, StudyContacts())

    assert "We have no phone number or e-mail address of these clinics." in text
    assert 'href="https://clinicaltrials.gov/study/NCT00000001"' in text
    assert "What to say when you call or write" in text


@pytest.mark.parametrize("email", ["javascript:alert(1)", 'a"b@example.org', "a@b\nBcc: c@d", "@example.org", "nobody"])
def test_invalid_address_is_shown_without_a_link(tmp_path: Path, gazetteer: Path, email: str) -> None:
    text = page(tmp_path, gazetteer, StudyContacts(by_site={"miami": (Contact(email=email),)}))

    assert "mailto:" not in text
    assert html.escape(email, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text


@pytest.mark.parametrize(
    ("phone", "address"),
    [
        ("+49 30 450 50", "tel:+493045050"),
        ("(305) 555-0134", "tel:3055550134"),
        ("305.555.0134x9", "tel:3055550134;ext=9"),
        ("+1 305 555 0134 Ext 44", "tel:+13055550134;ext=44"),
        ("110", "tel:110"),
        ("12", ""),
        ("ask", ""),
        ("", ""),
        ("1" * 40, ""),
    ],
)
def test_number_becomes_what_a_phone_can_dial(phone: str, address: str) -> None:
    assert phone_address(phone) == address


def test_only_a_registered_study_has_a_record() -> None:
    assert record_address("NCT06064929") == "https://clinicaltrials.gov/study/NCT06064929"
    assert record_address("OUR-STUDY") == ""
