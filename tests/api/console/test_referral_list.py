"""The list of referrals in the console: filters, order, files, and actions on many referrals at once."""

from __future__ import annotations

import csv
import re
from datetime import timedelta

import pytest

from sitematch.domain.capacity.states import SpotState
from sitematch.services.capacity import bulk
from sitematch.store.capacity import counting
from tests.api.builders import STUDY_ID
from tests.api.console_user import ConsoleUser, console_user, read_text
from tests.api.served_study import OTHER_SITE, SITE, ServedStudy


@pytest.fixture
def manager(service: ServedStudy) -> ConsoleUser:
    """The study's manager, and referrals over three days at two sites."""
    service.hold("A-1")
    service.hold("A-2", OTHER_SITE)
    service.move("A-2", "screening")
    service.later(days=1)
    service.hold("b-3", who="coordinator")
    service.ask("POST", "/v1/referrals", {"site_id": SITE, "referral_id": "b-4", "arm": "high"})
    service.later(hours=12)
    return console_user(service, "manager")


def ids(html: str) -> list[str]:
    return re.findall(r"data-row><code>([^<]+)</code>", html)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["b-4", "b-3", "A-2", "A-1"]),
        ("sort=oldest", ["A-1", "A-2", "b-3", "b-4"]),
        ("sort=lapses", ["A-1", "b-3", "b-4"]),
        ("id=a-", ["A-2", "A-1"]),
        ("state=SCREENING", ["A-2"]),
        (f"site={OTHER_SITE}", ["A-2"]),
        ("arm=high", ["b-4"]),
        ("lapses=24", ["A-1"]),
        ("since=2026-01-03", ["b-4", "b-3"]),
        ("until=2026-01-02", ["A-2", "A-1"]),
        ("since=2026-01-03&until=2026-01-03&state=&id=&site=", ["b-4", "b-3"]),
        ("state=HELD&sort=oldest&lapses=168", ["A-1", "b-3", "b-4"]),
    ],
)
def test_list_is_narrowed_and_sorted_by_the_address(manager: ConsoleUser, query: str, expected: list[str]) -> None:
    assert ids(manager.get(f"/console/referrals?{query}").text) == expected


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-30", "9999-12-31"])
def test_days_at_the_ends_of_the_calendar_are_days(manager: ConsoleUser, day: str) -> None:
    assert manager.get(f"/console/referrals?since={day}").status_code == 200
    assert manager.get(f"/console/referrals?until={day}").status_code == 200


def test_list_is_narrowed_by_who_acted(service: ServedStudy, manager: ConsoleUser) -> None:
    page = manager.get("/console/referrals")
    actors = dict(re.findall(r'<option value="(token:[^"]+)"[^>]*>([^<]+)</option>', page.text))
    coordinator = next(actor for actor, name in actors.items() if "coordinator@" in name)

    assert ids(manager.get(f"/console/referrals?actor={coordinator}").text) == ["b-3"]


def test_wrong_filter_is_explained(manager: ConsoleUser) -> None:
    assert manager.get("/console/referrals?state=NOWHERE").status_code == 400
    assert manager.get("/console/referrals?before=x").status_code == 400


def test_what_is_shown_is_taken_as_a_file(manager: ConsoleUser) -> None:
    page = manager.get("/console/referrals?state=HELD&sort=lapses")
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*format=[^"]*)"', page.text)]

    files = {link.rpartition("format=")[2]: manager.get(link) for link in links}

    assert {name: file.content_type.partition(";")[0] for name, file in files.items()} == {
        "csv": "text/csv",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
    rows = list(csv.DictReader(files["csv"].text.splitlines()))
    assert [row["referral_id"] for row in rows] == ["A-1", "b-3", "b-4"]
    assert {row["state"] for row in rows} == {"HELD"}


def test_file_has_every_page(service: ServedStudy) -> None:
    service.cap(1000)
    manager = console_user(service, "manager")
    for number in range(60):
        service.hold(f"r-{number:02}")

    rows = list(csv.DictReader(manager.get("/console/referrals?format=csv").text.splitlines()))

    assert len({row["referral_id"] for row in rows}) == 60


def test_coordinator_of_another_site_finds_nothing_of_this_one(service: ServedStudy, manager: ConsoleUser) -> None:
    other = console_user(service, "coordinator elsewhere")

    assert ids(other.get("/console/referrals").text) == ["A-2"]
    assert ids(other.get(f"/console/referrals?site={SITE}").text) == []
    assert "A-1" not in other.get("/console/referrals?format=csv").text


def test_several_referrals_are_released_after_one_question(service: ServedStudy, manager: ConsoleUser) -> None:
    question = manager.get("/console/bulk?action=release&ids=A-1&ids=b-3&ids=A-1&ids=nobody")
    before = {name: service.ask("GET", f"/v1/referrals/{name}").json["state"] for name in ("A-1", "b-3")}

    done = manager.send(manager.form_in(question, "/console/bulk"))

    words = read_text(question.text)
    assert "Give the spot back: 2 referrals?" in words
    assert "There is no referral" in words
    assert set(before.values()) == {"HELD"}
    assert "Done for 2 referrals" in read_text(done.text)
    for name in ("A-1", "b-3"):
        event = counting.history(service.store, name)[-1]
        assert (event.kind.value, event.actor_id) == ("RELEASED", f"user:{service.accounts['manager']}")


def test_bulk_form_sent_twice_acts_once(service: ServedStudy, manager: ConsoleUser) -> None:
    question = manager.get("/console/bulk?action=extend_hold&ids=A-1&ids=b-3")
    form = manager.form_in(question, "/console/bulk")

    first, second = manager.send(form, hours="24"), manager.send(form, hours="24")

    assert read_text(first.text) == read_text(second.text)
    assert len(counting.history(service.store, "A-1")) == 2
    expires_at = counting.read_referral(service.store, "A-1", service.now).expires_at
    assert expires_at == service.now + timedelta(hours=48 + 24 - 36)


def test_what_cannot_be_done_for_one_is_done_for_the_others(service: ServedStudy, manager: ConsoleUser) -> None:
    question = manager.get("/console/bulk?action=extend_hold&ids=A-1&ids=A-2&ids=b-3")
    service.move("b-3", "screening")  # after the preview

    done = manager.send(manager.form_in(question, "/console/bulk"), hours="24")

    words = read_text(done.text)
    assert "Done for 1 referral" in words
    assert "1 was refused and did not change." in words
    assert counting.read_referral(service.store, "A-2", service.now).state is SpotState.SCREENING


def test_several_referrals_move_to_a_site_that_is_chosen(service: ServedStudy, manager: ConsoleUser) -> None:
    question = manager.get("/console/bulk?action=transfer&ids=A-1&ids=b-3")

    without = manager.send(manager.form_in(question, "/console/bulk"))
    done = manager.send(manager.form_in(question, "/console/bulk"), site_id=OTHER_SITE)

    assert without.status_code == 400
    assert "Choose another site" in without.text
    assert "Done for 2 referrals" in read_text(done.text)
    listed = counting.list_referrals(service.store, STUDY_ID, service.now, site_id=OTHER_SITE)
    assert {item.referral_id for item in listed} == {"A-1", "A-2", "b-3"}


@pytest.mark.parametrize("query", ["action=release", "action=enroll&ids=A-1", "ids=A-1", "action=nothing&ids=A-1"])
def test_bulk_question_that_makes_no_sense_is_explained(manager: ConsoleUser, query: str) -> None:
    response = manager.get(f"/console/bulk?{query}")

    assert response.status_code == 400
    assert 'role="alert"' in response.text


def test_too_many_referrals_at_once_are_refused(manager: ConsoleUser) -> None:
    query = "&".join(f"ids=r-{number}" for number in range(bulk.MAX_REFERRALS + 1))

    assert manager.get(f"/console/bulk?action=release&{query}").status_code == 400


def test_bulk_of_a_viewer_and_of_another_sites_coordinator_changes_nothing(
    service: ServedStudy, manager: ConsoleUser
) -> None:
    form = manager.form_in(manager.get("/console/bulk?action=release&ids=A-1"), "/console/bulk")
    other = console_user(service, "coordinator elsewhere")
    own = other.get("/console/bulk?action=release&ids=A-1")

    assert "possible for none" in read_text(own.text)
    assert manager.client.post(form.action, data={**form.data({}), "csrf": "x"}).status_code == 403
    assert console_user(service, "viewer").get("/console/bulk?action=release&ids=A-1").status_code == 403
    assert service.ask("GET", "/v1/referrals/A-1").json["state"] == "HELD"
