"""A calendar of what lapses, at a secret address."""

from __future__ import annotations

import re

import pytest

from sitematch.domain.accounts.access import Grant, Role
from sitematch.store.accounts import accounts
from tests.api.builders import STUDY_ID
from tests.api.console_user import ConsoleUser, console_user
from tests.api.served_study import OTHER_SITE, SITE, ServedStudy


def address_of(person: ConsoleUser) -> str:
    page = person.fill("/console/calendar", "/console/calendar").text
    found = re.search(r'class="secret"[^>]*>http://localhost(/console/calendar/[^<]+[.]ics)<', page)
    assert found
    return found[1]


def events(body: bytes) -> list[dict[str, str]]:
    """Read a calendar as RFC 5545 says: unfold the lines, then part them at the colon."""
    text = body.decode().replace("\r\n ", "")
    found: list[dict[str, str]] = []
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            found[-1].setdefault(name, value)
    return found


def test_calendar_has_what_lapses_by_referral_id_and_nothing_else(service: ServedStudy) -> None:
    service.hold("r-1")
    service.hold("x" * 64)
    service.hold("r-3")
    service.move("r-3", "screening")
    path = address_of(console_user(service, "coordinator"))

    response = service.app.test_client().get(path)

    assert response.content_type == "text/calendar; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert [(event["SUMMARY"], event["DTSTART"]) for event in events(response.data)] == [
        ("Hold lapses: r-1", "20260104T123000Z"),
        (f"Hold lapses: {'x' * 64}", "20260104T123000Z"),
    ]
    assert {event["URL"].rpartition("/")[2] for event in events(response.data)} == {"r-1", "x" * 64}
    assert all(len(line) <= 75 for line in response.data.split(b"\r\n"))
    assert b"Hospital" not in response.data


def test_calendar_shows_what_its_owner_may_see_now(service: ServedStudy) -> None:
    service.hold("r-1")
    service.hold("r-2", OTHER_SITE)
    path = address_of(console_user(service, "coordinator"))

    own = service.app.test_client().get(path)
    grant = Grant(role=Role.SITE_COORDINATOR, study_id=STUDY_ID, site_id=SITE)
    accounts.remove_grant(service.store, account_id=service.accounts["coordinator"], grant=grant)
    none = service.app.test_client().get(path)

    assert [event["UID"] for event in events(own.data)] == [f"{STUDY_ID}-r-1@sitematch"]
    assert none.status_code == 403
    assert b"r-1" not in none.data


@pytest.mark.parametrize("how", ["replaced", "ended", "disabled"])
def test_address_that_was_replaced_or_ended_opens_nothing(service: ServedStudy, how: str) -> None:
    bob = console_user(service, "coordinator")
    path = address_of(bob)

    if how == "replaced":
        assert service.app.test_client().get(address_of(bob)).status_code == 200
    elif how == "ended":
        bob.fill("/console/calendar", "/console/calendar/end")
    else:
        accounts.disable_account(service.store, account_id=service.accounts["coordinator"], now=service.now)

    assert service.app.test_client().get(path).status_code == 404


def test_address_is_shown_once_and_opens_no_other_page(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    path = address_of(bob)

    assert path.rpartition("/")[2] not in bob.get("/console/calendar").text
    assert service.app.test_client().get("/console/calendar").status_code == 303
    assert service.app.test_client().get("/console/calendar/x.ics").status_code == 404
