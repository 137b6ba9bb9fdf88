"""The console's first page: what needs the person, most urgent first, with its action in place."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.states import SpotState
from sitematch.store import schema
from sitematch.store.capacity import counting
from sitematch.store.studies.catalogue import read_sites, replace_study
from tests.api.builders import SITES, STUDY_ID, make_study
from tests.api.console_user import ConsoleUser, HtmlForm, console_user, forms_of, read_text
from tests.api.served_study import OTHER_SITE, SITE, ServedStudy

AT_SITE = CapKey(level=CapLevel.SITE, scope=SITE)


def headings(html: str) -> list[str]:
    return [read_text(each) for each in re.findall(r"<h2[^>]*>(.*?)</h2>", html)]


def title(html: str) -> str:
    found = re.search(r"<title>([^<]+)</title>", html)
    assert found
    return found[1].strip()


def form_for(person: ConsoleUser, referral_id: str, action: str) -> HtmlForm:
    page = person.get("/console")
    return next(
        form for form in forms_of(page) if ("action", action) in form.fields and f"/{referral_id}/moves" in form.action
    )


@pytest.fixture
def fresh(service: ServedStudy) -> ServedStudy:
    """A study whose record is of today."""
    replace_study(service.store, make_study(as_of_on=service.now.date()), SITES)
    return service


def test_nothing_to_do_is_said(fresh: ServedStudy) -> None:
    page = console_user(fresh, "manager").get("/console").text

    assert "Nothing needs you now" in page
    assert title(page).startswith("Today")


def test_what_needs_somebody_is_listed_most_urgent_first_and_counted_in_the_title(fresh: ServedStudy) -> None:
    fresh.hold("r-old")
    fresh.move("r-old", "screening")
    fresh.later(days=29)
    fresh.hold("r-soon")
    fresh.cap(1, AT_SITE)
    fresh.ask("POST", "/v1/waiting-list", {"site_ids": [SITE], "referral_id": "w-1"})
    fresh.later(hours=30)
    fresh.hold("r-later", OTHER_SITE)
    fresh.cap(3, AT_SITE)

    page = console_user(fresh, "manager").get("/console").text

    assert headings(page)[:3] == [
        "Offers to accept 1",
        "Holds that lapse within a day 1",
        "Screenings longer than the protocol's window 1",
    ]
    assert re.findall(r"data-row><code>([^<]+)</code>", page) == ["w-1", "r-soon", "r-old"]
    assert title(page).startswith("(")


def test_offer_is_accepted_and_hold_extended_in_place(fresh: ServedStudy) -> None:
    fresh.hold("r-1")
    fresh.later(hours=30)
    bob = console_user(fresh, "coordinator")

    extended = bob.follow(bob.send(form_for(bob, "r-1", "extend_hold")))

    assert "Extend the hold: done" in read_text(extended.text)
    assert "r-1" in extended.text
    found = counting.read_referral(fresh.store, "r-1", fresh.now)
    assert found.expires_at == fresh.now + timedelta(hours=18 + 48)
    assert "Holds that lapse" not in bob.get("/console").text


def test_study_without_a_window_has_no_overdue_screenings(fresh: ServedStudy) -> None:
    fresh.hold("r-1")
    fresh.move("r-1", "screening")
    fresh.later(days=20)
    rules = {"hold_hours": 48, "offer_hours": 48, "gives_back": [], "waiting_list": True}
    manager = console_user(fresh, "manager")

    fresh.ask("PUT", "/v1/policy", {**rules, "screening_days": 19})
    overdue = manager.get("/console").text
    fresh.ask("PUT", "/v1/policy", {**rules, "screening_days": None})
    none = manager.get("/console").text

    assert "Screenings longer" in overdue
    assert "Screenings longer" not in none


def test_sites_that_filled_or_have_spots_again_are_listed_for_a_day(fresh: ServedStudy) -> None:
    fresh.cap(1, AT_SITE)

    def shown() -> str:
        return read_text(console_user(fresh, "manager").get("/console").text)

    fresh.later(hours=25)
    fresh.hold("r-1")
    filled = shown()
    fresh.later(hours=25)
    fresh.move("r-1", "release")
    freed = shown()
    fresh.later(hours=25)
    later = shown()

    assert "Hospital miami full" in filled
    assert "Hospital miami has spots again 1 left" in freed
    assert "Sites that filled" not in later


def test_coordinator_sees_the_own_site_alone(fresh: ServedStudy) -> None:
    fresh.hold("r-1")
    fresh.hold("r-2", OTHER_SITE)
    fresh.later(hours=30)

    page = console_user(fresh, "coordinator").get("/console").text

    assert re.findall(r"data-row><code>([^<]+)</code>", page) == ["r-1"]
    assert "registry" not in read_text(page)


def test_viewer_sees_it_without_actions(fresh: ServedStudy) -> None:
    fresh.hold("r-1")
    fresh.later(hours=30)

    response = console_user(fresh, "viewer").get("/console")

    assert "r-1" in response.text
    assert [form for form in forms_of(response) if form.action.endswith("/moves")] == []


def test_old_record_and_contradictory_sites_are_shown_to_who_can_mend_them(service: ServedStudy) -> None:
    sites = [
        replace(
            SITES[0],
            flags=("The postcode 1 is in A, 868 km from B. The town was believed; check both.", "The point is coarse."),
        ),
        *SITES[1:],
    ]
    replace_study(service.store, make_study(as_of_on=service.now.date() - timedelta(days=31)), sites)
    assert any(site.flags for site in read_sites(service.store, STUDY_ID))

    manager, viewer = (read_text(console_user(service, who).get("/console").text) for who in ("manager", "viewer"))

    assert "The registry's record is old" in manager
    assert "868 km from B" in manager
    assert "coarse" not in manager
    assert "registry" not in viewer
    assert "868 km" not in viewer


def test_messages_that_were_given_up_are_sent_again(fresh: ServedStudy) -> None:
    made = fresh.ask("POST", "/v1/webhooks", {"url": "https://ctms.example.org/x", "kinds": ["site.filled"]}).json
    webhook_id = made["webhook_id"]
    fresh.ask("POST", f"/v1/webhooks/{webhook_id}/test")
    with fresh.store.writing() as connection:
        connection.execute(
            sa.update(schema.delivery).values(attempts=8, due_at_us=None, failed_at_us=1, last_error="timed out")
        )
    manager, viewer = console_user(fresh, "administrator"), console_user(fresh, "viewer")

    page = manager.get("/console")
    done = manager.follow(manager.send(manager.form_in(page, "/deliveries/again")))

    assert "timed out" in page.text
    assert "timed out" not in viewer.get("/console").text
    assert "sent again now" in done.text
    assert "could not be delivered" not in manager.get("/console").text


def test_state_of_what_is_listed_is_as_the_ledger_says(fresh: ServedStudy) -> None:
    fresh.hold("r-1")
    fresh.later(hours=48)

    assert "r-1" not in console_user(fresh, "manager").get("/console").text
    assert counting.read_referral(fresh.store, "r-1", fresh.now).state is SpotState.EXPIRED


def test_closing_without_a_reason_and_reopening_are_told_on_every_page(fresh: ServedStudy) -> None:
    part = {"level": "SITE", "scope": SITE}
    fresh.ask("POST", "/v1/caps/closure", part)
    fresh.ask("POST", "/v1/caps/reopening", part)
    fresh.ask("POST", "/v1/caps/closure", {**part, "reason": "OTHER", "closed_on": str(fresh.now.date())})
    fresh.ask("PUT", f"/v1/sites/{SITE}/opening", {"opened_on": None})

    for path in ("/console", f"/console/sites/{SITE}", "/console/caps"):
        page = console_user(fresh, "manager").get(path)
        assert page.status_code == 200, path
    assert f"Site {SITE}" in read_text(console_user(fresh, "manager").get("/console").text)
