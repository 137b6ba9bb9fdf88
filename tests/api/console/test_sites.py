"""Sites, caps, rules and the list of capacity in the console."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.studies.site import Site
from sitematch.store.capacity import counting
from sitematch.store.studies import catalogue
from tests.api.builders import STUDY_ID
from tests.api.console_user import console_user, read_text
from tests.api.served_study import OTHER_SITE, SITE, ServedStudy


def rows(html: str) -> list[str]:
    return re.findall(r'<tr data-key="([^"]+)"', html)


def site_of(service: ServedStudy, site_id: str = SITE) -> Site:
    return next(site for site in catalogue.read_sites(service.store, STUDY_ID) if site.site_id == site_id)


def test_list_shows_every_site_with_its_numbers_and_totals(service: ServedStudy) -> None:
    service.hold("r-1")
    service.hold("r-2", OTHER_SITE)
    service.move("r-2", "screening")

    page = console_user(service, "viewer").get("/console/capacity").text

    assert len(rows(page)) == 8
    text = read_text(page[page.index('data-part="totals"') : page.index('role="search"')])
    assert "6 left of 8 in the study" in text
    assert "1 held" in text
    assert "1 in screening" in text
    assert "7 of 8 sites take patients" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=portland", {"portland"}),
        ("q=hospital+MIAMI", {"miami", "miami-full"}),
        ("country=DE", {"berlin", "berlin-paused"}),
        ("state=no-capacity", {"berlin-paused"}),
        ("country=DE&state=capacity", {"berlin"}),
        ("q=nothing+like+it", set()),
    ],
)
def test_list_is_narrowed_by_the_address(service: ServedStudy, query: str, expected: set[str]) -> None:
    page = console_user(service, "viewer").get(f"/console/capacity?{query}")

    assert set(rows(page.text)) == expected
    assert expected or "No sites found" in page.text


def test_list_is_sorted_by_any_column_either_way_and_the_unknown_comes_last(service: ServedStudy) -> None:
    service.hold("r-1", OTHER_SITE)
    service.later(hours=1)
    service.hold("r-2", SITE)
    service.cap(3, CapKey(level=CapLevel.SITE, scope=SITE))
    service.cap(2, CapKey(level=CapLevel.SITE, scope=OTHER_SITE))
    vera = console_user(service, "viewer")

    def first(sort: str) -> list[str]:
        return rows(vera.get(f"/console/capacity?sort={sort}").text)[:2]

    assert first("oldest") == [OTHER_SITE, SITE]
    assert first("-oldest") == [SITE, OTHER_SITE]
    assert first("cap")[0] in (OTHER_SITE, "miami-full")
    assert first("-cap") == [SITE, OTHER_SITE]
    assert first("-held") == [SITE, OTHER_SITE]
    assert first("country")[0] == "suva"
    assert rows(vera.get("/console/capacity?sort=nonsense").text) == rows(vera.get("/console/capacity").text)
    shown = vera.get("/console/capacity?sort=-held").text
    assert shown.count('aria-sort="descending"') == 1


def test_filters_form_is_sent_with_its_empty_fields(service: ServedStudy) -> None:
    vera = console_user(service, "viewer")

    narrowed = vera.send(vera.form_in(vera.get("/console/capacity?sort=-held"), "/console/capacity"), country="DE")

    assert set(rows(narrowed.text)) == {"berlin", "berlin-paused"}
    assert narrowed.text.count('aria-sort="descending"') == 1


def test_wrong_filter_is_explained(service: ServedStudy) -> None:
    response = console_user(service, "viewer").get("/console/capacity?state=full")

    assert response.status_code == 400
    assert "state" in response.text


def test_poll_gets_304_until_a_number_changes(service: ServedStudy) -> None:
    vera = console_user(service, "viewer")
    first = vera.get("/console/capacity")
    etag = {"If-None-Match": first.headers["ETag"]}

    service.later(minutes=5)
    same = vera.get("/console/capacity", headers=etag)
    other_query = vera.get("/console/capacity?country=DE", headers=etag)
    service.hold("r-1")
    changed = vera.get("/console/capacity", headers=etag)
    after = {"If-None-Match": changed.headers["ETag"]}
    service.later(hours=48)
    lapsed = console_user(service, "viewer").get("/console/capacity", headers=after)

    assert [each.status_code for each in (first, same, other_query, changed, lapsed)] == [200, 304, 200, 200, 200]
    assert same.data == b""
    assert same.headers["Sitematch-As-Of"] > first.headers["Sitematch-As-Of"]


def test_sites_page_shows_what_bounds_it_what_is_under_way_and_who_did_what(service: ServedStudy) -> None:
    max_ = console_user(service, "manager")
    max_.hold("r-1", SITE)
    service.hold("r-2", who="coordinator")
    max_.send(
        max_.form_in(max_.get(f"/console/caps/change?level=SITE&scope={SITE}&change=set&spots=3"), "/console/caps")
    )

    text = read_text(console_user(service, "viewer").get(f"/console/sites/{SITE}").text)

    assert "1 left, by the cap of this site" in text
    assert "this site limiting cap" in text
    assert "lapses in" in text
    assert f"Cap set · Site {SITE}: 3" in text
    assert "manager@example.org" in text
    assert "for a test (coordinator@example.org)" in text  # by its token


@pytest.mark.parametrize(
    ("change", "words", "after"),
    [
        ({"change": "set", "spots": "5"}, "to 5?", (5, False)),
        ({"change": "set", "spots": ""}, "Remove the cap", (None, False)),
        ({"change": "close"}, "nobody can take a spot there", (None, True)),
    ],
)
def test_cap_is_changed_after_the_change_was_shown(
    service: ServedStudy, change: dict[str, str], words: str, after: tuple[int | None, bool]
) -> None:
    max_ = console_user(service, "manager")
    query = "&".join(f"{name}={value}" for name, value in {"level": "SITE", "scope": SITE, **change}.items())

    asked = max_.get(f"/console/caps/change?{query}")
    before = next(
        (each for each in counting.caps(service.store, STUDY_ID, service.now) if each.key.scope == SITE), None
    )
    done = max_.send(max_.form_in(asked, "/console/caps"), reason="STAFF")

    assert words in read_text(asked.text)
    assert before is None  # looking changes nothing
    assert done.headers["Location"] == f"/console/sites/{SITE}?done={change['change']}"
    cap = next(each for each in counting.caps(service.store, STUDY_ID, service.now) if each.key.scope == SITE)
    assert (cap.spots, cap.is_closed) == after


def test_cap_below_what_is_taken_is_warned_of(service: ServedStudy) -> None:
    service.hold("r-1")
    service.hold("r-2")

    page = console_user(service, "manager").get(f"/console/caps/change?level=SITE&scope={SITE}&change=set&spots=1")

    assert "1 below the spots in use" in read_text(page.text)


def test_closed_site_is_reopened(service: ServedStudy) -> None:
    max_ = console_user(service, "manager")
    for change in ("close", "reopen"):
        page = max_.get(f"/console/caps/change?level=SITE&scope={SITE}&change={change}")
        max_.send(max_.form_in(page, "/console/caps"), reason="STAFF")

    assert service.site()["is_open"]


def test_closing_asks_why_and_since_when_and_says_what_happens_to_those_under_way(service: ServedStudy) -> None:
    service.hold("r-1")
    service.hold("r-2")
    service.move("r-2", "screening")
    max_ = console_user(service, "manager")

    asked = max_.get(f"/console/caps/change?level=SITE&scope={SITE}&change=close")
    form = max_.form_in(asked, "/console/caps")
    without = max_.send(form)
    later = max_.send(form, reason="SUPPLY", closed_on=str(service.now.date() + timedelta(days=1)))
    done = max_.follow(max_.send(max_.form_in(asked, "/console/caps"), reason="SUPPLY", closed_on="2026-01-01"))

    assert "1 hold stays" in read_text(asked.text)
    assert "1 screening continues" in read_text(asked.text)
    assert (without.status_code, later.status_code) == (400, 400)
    assert "Choose a reason" in without.text
    assert "in the future" in later.text
    assert "No study drug or material · from 2026-01-01" in read_text(done.text)


@pytest.mark.parametrize(
    ("part", "arm", "heading"),
    [
        ("STUDY:", "", "Set the cap of the whole study to 5?"),
        ("COUNTRY:DE", "", "Set the cap of Germany to 5?"),
        (f"SITE:{SITE}", "", "Set the cap of Hospital miami to 5?"),
        ("ARM:", "high", "Set the cap of arm high to 5?"),
    ],
)
def test_part_of_the_study_is_chosen_from_a_list(service: ServedStudy, part: str, arm: str, heading: str) -> None:
    max_ = console_user(service, "manager")
    page = max_.get("/console/caps")

    asked = max_.send(max_.form_in(page, "/caps/change"), part=part, arm=arm, spots="5", change="set")
    done = max_.send(max_.form_in(asked, "/console/caps"))

    assert f'<option value="{part}">' in page.text
    assert heading in read_text(asked.text)
    assert done.status_code == 303


def test_shared_spots_are_said_once_above_the_list(service: ServedStudy) -> None:
    page = console_user(service, "viewer").get("/console/capacity").text

    assert "8 spots of the whole study are shared" in read_text(page)
    assert "<strong>8</strong>" not in page


def test_offer_of_a_freed_spot_is_the_waiting_lists_own_act(service: ServedStudy) -> None:
    service.cap(0)
    service.ask("POST", "/v1/waiting-list", {"site_ids": [SITE], "referral_id": "w-1"})
    service.cap(1)

    event = counting.history(service.store, "w-1")[-1]
    page = console_user(service, "coordinator").get("/console/referrals/w-1").text

    assert (event.kind.value, event.actor_id) == ("OFFERED", "system:waiting-list")
    assert "the waiting list, automatically" in page
    assert 'data-copy="w-1"' in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("level=SITE&scope=atlantis&change=close", "no site"),
        ("level=COUNTRY&scope=Germany&change=close", "two capital letters"),
        ("level=STUDY&scope=x&change=close", "empty scope"),
        ("level=ARM&scope=a+b&change=set&spots=1", "letters, digits"),
    ],
)
def test_part_that_is_none_is_explained_and_nothing_changes(service: ServedStudy, query: str, words: str) -> None:
    max_ = console_user(service, "manager")

    response = max_.send(max_.form_in(max_.get(f"/console/caps/change?{query}"), "/console/caps"), reason="STAFF")

    assert response.status_code in (400, 404)
    assert words in read_text(response.text)


def test_cap_that_is_no_number_is_explained(service: ServedStudy) -> None:
    response = console_user(service, "manager").get("/console/caps/change?level=STUDY&change=set&spots=many")

    assert response.status_code == 400
    assert "whole number" in response.text


def test_rules_are_set(service: ServedStudy) -> None:
    max_ = console_user(service, "manager")

    done = max_.fill("/console/caps", "/console/rules", hold_hours="72", gives_back=["SCREEN_FAILED", "WITHDRAWN"])

    policy = counting.policy(service.store, STUDY_ID)
    assert done.status_code == 303
    assert policy.hold.total_seconds() == 72 * 3600
    assert {state.value for state in policy.gives_back} == {"SCREEN_FAILED", "WITHDRAWN"}
    assert policy.waiting_list


def test_travel_support_is_stated_kept_shown_to_patients_and_in_the_history(service: ServedStudy) -> None:
    max_ = console_user(service, "manager")

    done = max_.fill(
        f"/console/sites/{OTHER_SITE}", "/travel",
        certainty="COVERED", kinds=["LODGING", "MILEAGE"], time_reimbursement="  80 USD a  visit ",
    )  # fmt: skip

    site = site_of(service, OTHER_SITE)
    assert (site.travel.certainty.value, [kind.value for kind in site.travel.kinds]) == (
        "COVERED",
        ["MILEAGE", "LODGING"],
    )
    assert site.time_reimbursement == "80 USD a visit"
    text = read_text(max_.follow(done).text)
    assert "Travel support set · Covered, Mileage, Lodging" in text


def test_opening_day_is_recorded_and_shown_in_the_history(service: ServedStudy) -> None:
    max_ = console_user(service, "manager")

    done = max_.fill(f"/console/sites/{OTHER_SITE}", "/opening", opened_on="2025-11-03")

    page = max_.follow(done).text
    assert "Opening day set · 2025-11-03" in read_text(page)
    assert 'name="opened_on" type="date" value="2025-11-03"' in page
    wrong = max_.fill(f"/console/sites/{OTHER_SITE}", "/opening", opened_on="soon")
    assert (wrong.status_code, "Give the day as 2026-03-01." in wrong.text) == (400, True)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"certainty": "NOT_COVERED", "kinds": ["MEALS"]}, "Leave out the kinds"),
        ({"certainty": "COVERED", "time_reimbursement": "x" * 201}, "200 characters"),
    ],
)
def test_travel_support_that_makes_no_sense_is_explained_with_what_was_typed(
    service: ServedStudy, typed: dict[str, Any], words: str
) -> None:
    before = site_of(service)

    response = console_user(service, "manager").fill(f"/console/sites/{SITE}", "/travel", **typed)

    assert response.status_code == 400
    assert words in response.text
    assert f'value="{typed["certainty"]}" selected' in response.text
    assert site_of(service) == before


def test_waiting_list_shows_the_order_of_offers_and_the_offers_that_stand(service: ServedStudy) -> None:
    service.cap(0)
    for referral_id, priority in (("r-late", 0), ("r-first", 9)):
        body = {"site_ids": [SITE], "referral_id": referral_id, "priority": priority}
        service.ask("POST", "/v1/waiting-list", body)

    before = console_user(service, "coordinator").get("/console/waiting").text
    service.cap(1)
    after = console_user(service, "coordinator").get("/console/waiting").text

    assert before.index("r-first") < before.index("r-late")
    assert "Open offers" in after
    assert after.index("r-first") < after.index("Waiting referrals")


@pytest.mark.parametrize("kind", ["capacity", "funnel", "forecast"])
def test_reports_are_read_as_pages_and_taken_as_files(service: ServedStudy, kind: str) -> None:
    service.hold("r-1")
    bob = console_user(service, "coordinator")

    listed = bob.get("/console/reports").text
    shown = bob.get(f"/console/reports/{kind}")
    table = bob.get(f"/console/reports/{kind}?format=csv")

    assert f'action="/console/reports/{kind}"' in listed
    assert shown.mimetype == "text/html"
    assert STUDY_ID in shown.text
    assert table.mimetype == "text/csv"
    assert {shown.headers["Cache-Control"], table.headers["Cache-Control"]} == {"no-store"}


def test_capacity_report_looks_back(service: ServedStudy) -> None:
    before = service.now
    service.later(hours=1)
    service.hold("r-1")
    vera = console_user(service, "viewer")

    now = vera.get("/console/reports/capacity?format=json").json
    then = vera.get(f"/console/reports/capacity?format=json&as_of={before:%Y-%m-%dT%H:%M}").json

    assert now["as_of"] != then["as_of"]
    assert [study_of(report)["held"] for report in (now, then)] == [1, 0]
    assert vera.get("/console/reports/capacity?as_of=yesterday").status_code == 400


def study_of(report: dict[str, Any]) -> dict[str, Any]:
    (row,) = next(
        section["table"]["rows"]
        for section in report["sections"]
        if section["table"] and section["table"]["name"] == "study"
    )
    found: dict[str, Any] = row
    return found


def test_forecast_asks_what_if(service: ServedStudy) -> None:
    shown = (
        console_user(service, "manager")
        .get("/console/reports/forecast?by=2026-06-30&add_sites=2&opening=&study_cap=40")
        .text
    )

    assert "2026-06-30" in shown
    assert "2 more sites" in shown


def test_demand_is_for_whom_the_whole_study_is(service: ServedStudy) -> None:
    bob, vera = console_user(service, "coordinator"), console_user(service, "viewer")

    assert "/console/reports/demand" not in bob.get("/console/reports").text
    assert bob.get("/console/reports/demand").status_code == 403
    assert "/console/reports/demand" in vera.get("/console/reports").text
    assert vera.get("/console/reports/demand").status_code == 200


def test_report_that_is_none_is_told(service: ServedStudy) -> None:
    assert console_user(service, "viewer").get("/console/reports/nonsense").status_code == 404


def test_waiting_list_explains_its_order_and_moves_a_referral_which_keeps_its_place(service: ServedStudy) -> None:
    service.cap(0)
    for name in ("w-1", "w-2"):
        service.later(minutes=1)
        service.ask("POST", "/v1/waiting-list", {"site_ids": [SITE], "referral_id": name})
    max_ = console_user(service, "manager")

    page = max_.get("/console/waiting")
    question = max_.get("/console/referrals/w-1/transfer")
    max_.send(max_.form_in(question, "/moves"), site_id=OTHER_SITE)

    assert "How the order is made" in page.text
    assert 'href="/console/referrals/w-1/transfer"' in page.text
    found = counting.waiting_list(service.store, STUDY_ID)
    assert [(entry.referral_id, entry.site_ids) for entry in found] == [("w-1", (OTHER_SITE,)), ("w-2", (SITE,))]
