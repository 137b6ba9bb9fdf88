"""Spots in the console: holds, actions and the waiting list, confirmed where final and never done twice."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.spot import SpotPolicy
from sitematch.domain.capacity.states import SpotState
from sitematch.store import schema
from sitematch.store.capacity import counting, rules
from tests.api.builders import STUDY_ID
from tests.api.console_user import ConsoleUser, HtmlForm, console_user, forms_of, read_text, stay_signed_in
from tests.api.served_study import OTHER_SITE, SITE, ServedStudy

MIAMI = {"place": "33180", "country": "US"}


def rank(person: ConsoleUser, **changes: object) -> TestResponse:
    return person.fill("/console/hold", "/console/hold", **{**MIAMI, **changes})


def hold_form_of(response: TestResponse, site_id: str) -> HtmlForm:
    return next(form for form in forms_of(response) if ("site_id", site_id) in form.fields)


def test_a_spot_is_taken_in_three_clicks_and_the_answer_says_what_comes_next(service: ServedStudy) -> None:
    bob = console_user(service, "administrator")

    ranked = rank(bob)
    done = bob.send(hold_form_of(ranked, SITE))
    confirmed = bob.follow(done)

    assert ranked.text.index("Hospital miami<") < ranked.text.index("Hospital portland<")
    referral_id = re.fullmatch(r"/console/referrals/(r-\w+)\?done=held", done.headers["Location"])[1]
    text = read_text(confirmed.text)
    assert referral_id in text
    assert "The spot is held" in text
    assert "The hold lapses in 2 days" in text
    assert "start screening" in text
    assert service.ask("GET", f"/v1/referrals/{referral_id}").json["site_id"] == SITE


def test_postcode_goes_into_no_address_no_form_and_no_row(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")

    ranked = rank(ann, place="10115", country="DE")
    done = ann.send(hold_form_of(ranked, "berlin"), referral_id="r-1")
    page = ann.follow(done)

    answer = ranked.text[ranked.text.index('id="answer"') :]
    assert not re.findall(r'(?:value|href|action)="[^"]*10115', answer)
    assert "10115" not in done.headers["Location"]
    assert "10115" not in page.text
    with service.store.reading() as connection:
        for table in schema.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                assert "10115" not in repr(tuple(row)), table.name


def test_wrong_postcode_is_explained_and_nothing_typed_is_lost(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")

    response = rank(bob, place="4102", referral_id="r-7", within="150")

    assert response.status_code == 400
    for kept in ('value="4102"', 'value="r-7"', 'value="150"', "04102"):
        assert kept in response.text


@pytest.mark.parametrize("within", ["far", "-1", "0", "nan", "99999"])
def test_distance_that_makes_no_sense_is_refused_at_its_field(service: ServedStudy, within: str) -> None:
    response = rank(console_user(service, "coordinator"), within=within)

    assert response.status_code == 400
    assert re.search(r'id="within"[^>]*aria-invalid="true"', response.text)


def test_farthest_way_bounds_what_can_be_waited_for_in_kilometres_or_miles(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")

    near = ann.form_in(rank(ann, within="50"), "/console/waiting")
    far = ann.form_in(rank(ann, within="1500", unit="miles"), "/console/waiting")

    assert [value for name, value in near.fields if name == "site_ids"] == ["miami-full", "miami"]
    assert [value for name, value in far.fields if name == "site_ids"] == ["miami-full", "miami", "portland"]


def test_coordinator_can_hold_at_the_own_site_alone_and_the_page_says_so(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")

    ranked = rank(bob)

    assert re.findall(r'name="site_id" value="([^"]+)"', ranked.text) == [SITE]
    assert "only at your own sites" in ranked.text


def test_double_click_takes_one_spot(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    form = bob.form_in(bob.get(f"/console/sites/{SITE}"), "/console/hold/spot")

    first, second = bob.send(form), bob.send(form)

    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert service.site()["held"] == 1


def test_who_comes_second_to_the_last_spot_is_told_and_offered_other_sites_and_the_waiting_list(
    service: ServedStudy,
) -> None:
    service.cap(1, CapKey(level=CapLevel.SITE, scope=SITE))
    ann, max_ = console_user(service, "administrator"), console_user(service, "manager")
    forms = [hold_form_of(rank(each, referral_id=f"r-{each.who}", within="3000"), SITE) for each in (ann, max_)]

    first, second = ann.send(forms[0]), max_.send(forms[1])

    assert first.status_code == 303
    assert second.status_code == 409
    text = read_text(second.text)
    assert "Somebody else took the last spot" in text
    assert "Nothing was changed" in text
    assert 'value="r-manager"' in second.text
    others = max_.form_in(second, "/console/hold/spot")
    assert ("site_id", OTHER_SITE) in others.buttons and ("site_id", SITE) not in others.buttons
    elsewhere = max_.send(others, site_id=OTHER_SITE)
    assert elsewhere.headers["Location"] == "/console/referrals/r-manager?done=held"


def test_who_finds_no_spot_waits_and_is_offered_the_next_one(service: ServedStudy) -> None:
    service.cap(1, CapKey(level=CapLevel.SITE, scope=SITE))
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)

    refused = bob.send(_hold_by_hand(bob), referral_id="r-2")
    waits = bob.follow(bob.send(bob.form_in(refused, "/console/waiting"), priority="3"))
    listed = bob.get("/console/waiting")
    bob.fill("/console/referrals/r-1/release", "/moves")
    offered = bob.get("/console/referrals/r-2")
    bob.send(bob.form_in(offered, "/moves"))

    assert refused.status_code == 409
    assert "The referral is on the waiting list" in waits.text
    assert "r-2" in listed.text and ">3<" in listed.text
    assert "Offered a spot" in offered.text
    assert service.ask("GET", "/v1/referrals/r-2").json["state"] == "HELD"


def _hold_by_hand(bob: ConsoleUser) -> HtmlForm:
    """The form of a page that was loaded before the spot was taken."""
    service = bob.service
    caller = Caller(actor=Actor(actor_id="user:setup"), request_id="setup")
    key = CapKey(level=CapLevel.SITE, scope=SITE)
    rules.set_cap(service.store, caller, study_id=STUDY_ID, key=key, spots=2, now=service.now)
    form = bob.form_in(bob.get(f"/console/sites/{SITE}"), "/console/hold/spot")
    rules.set_cap(service.store, caller, study_id=STUDY_ID, key=key, spots=1, now=service.now)
    return form


def test_study_without_a_waiting_list_says_so_and_nothing_typed_is_lost(service: ServedStudy) -> None:
    service.cap(1, CapKey(level=CapLevel.SITE, scope=SITE))
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)
    refused = bob.send(_hold_by_hand(bob), referral_id="r-2")
    form = bob.form_in(refused, "/console/waiting")
    caller = Caller(actor=Actor(actor_id="user:setup"), request_id="setup")
    rules.set_policy(service.store, caller, study_id=STUDY_ID, policy=SpotPolicy(waiting_list=False), now=service.now)

    response = bob.send(form)

    assert response.status_code == 409
    assert "no waiting list" in response.text
    assert 'value="r-2"' in response.text


def test_referral_is_moved_through_its_whole_life(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)

    bob.fill("/console/referrals/r-1", "/moves")
    bob.fill("/console/referrals/r-1/enroll", "/moves")
    left = bob.fill("/console/referrals/r-1/withdraw", "/moves", reason="ADVERSE_EVENT")

    page = read_text(bob.follow(left).text)
    assert "Left the study" in page
    assert "Adverse event" in page
    history = [event.kind.value for event in counting.history(service.store, "r-1")]
    assert history == ["HELD", "SCREENING", "ENROLLED", "WITHDRAWN"]
    assert page.count(" you ") >= 4  # who did each of them


@pytest.mark.parametrize(
    ("to", "action"),
    [("SCREENING", "enroll"), ("SCREENING", "screen_failure"), ("HELD", "release"), ("ENROLLED", "withdraw")],
)
def test_what_cannot_be_undone_is_asked_about_on_a_page_that_changes_nothing(
    service: ServedStudy, to: str, action: str
) -> None:
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)
    for step in ("screening", "enrollment")[: {"HELD": 0, "SCREENING": 1, "ENROLLED": 2}[to]]:
        service.move("r-1", step)

    page = bob.get("/console/referrals/r-1")
    asked = bob.get(f"/console/referrals/r-1/{action}")

    assert f'href="/console/referrals/r-1/{action}"' in page.text
    assert f'name="action" value="{action}"' not in page.text
    assert "?</h1>" in asked.text
    assert "Cancel" in asked.text
    assert service.ask("GET", "/v1/referrals/r-1").json["state"] == to


def test_reason_is_asked_for_and_the_form_comes_back_without_it(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)
    service.move("r-1", "screening")

    response = bob.fill("/console/referrals/r-1/screen_failure", "/moves", reason="")

    assert response.status_code == 400
    assert "Choose a reason" in response.text
    assert service.ask("GET", "/v1/referrals/r-1").json["state"] == "SCREENING"


def test_hold_that_lapsed_while_the_page_was_open_is_told_with_what_may_be_done_now(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    service.ask("POST", "/v1/referrals", {"site_id": SITE, "referral_id": "r-1", "hold_hours": 1})
    form = bob.form_in(bob.get("/console/referrals/r-1"), "/moves")
    stay_signed_in(bob, service, minutes=60)

    response = bob.send(form)

    assert response.status_code == 409
    text = read_text(response.text)
    assert "Hold lapsed" in text
    assert "Take a spot" in text


@pytest.mark.parametrize("action", ["nonsense", "place_hold", "start_screening"])
def test_question_about_what_cannot_be_done_shows_how_the_referral_stands(service: ServedStudy, action: str) -> None:
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)

    response = bob.get(f"/console/referrals/r-1/{action}")

    assert response.status_code == 409
    assert "Spot held" in response.text


def test_referral_is_found_by_its_id(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)

    found = bob.fill("/console/referrals", "/console/referrals", id=" r-1 ")
    missed = bob.fill("/console/referrals", "/console/referrals", id="r-9")

    assert found.headers["Location"] == "/console/referrals/r-1"
    assert "No referrals match the search" in missed.text
    assert "r-9" in missed.text


def test_list_of_referrals_is_narrowed_and_comes_in_pages(service: ServedStudy) -> None:
    service.cap(1000)
    for number in range(55):
        service.hold(f"r-{number:03d}")
    service.move("r-007", "screening")
    bob = console_user(service, "coordinator")

    held, first = bob.get("/console/referrals?state=SCREENING"), bob.get("/console/referrals")
    older = bob.get(re.search(r'href="([^"]*before=[^"]*)"', first.text)[1].replace("&amp;", "&"))

    ids = [re.findall(r"<code>(r-\d+)</code>", page.text) for page in (held, first, older)]
    assert ids[0] == ["r-007"]
    assert (len(ids[1]), len(ids[2])) == (50, 5)
    assert len({*ids[1], *ids[2]}) == 55


def test_id_that_is_under_way_already_is_told_in_words_with_the_way_to_it(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)

    response = bob.hold("r-1", SITE)

    assert response.status_code == 409
    assert "r-1 already exists: Spot held" in read_text(response.text)
    assert 'href="/console/referrals/r-1"' in response.text


def test_hold_is_extended_on_its_page_within_the_rules(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)

    done = bob.follow(bob.send(_form_of(bob.get("/console/referrals/r-1"), "extend_hold"), hours="24"))
    refused = bob.send(_form_of(done, "extend_hold"), hours="500")

    assert counting.read_referral(service.store, "r-1", service.now).expires_at == service.now + timedelta(hours=72)
    assert refused.status_code == 409
    assert "at the latest" in read_text(refused.text)


def test_referral_is_moved_to_another_site_that_is_chosen_from_a_list(service: ServedStudy) -> None:
    max_ = console_user(service, "manager")
    max_.hold("r-1", SITE)

    question = max_.get("/console/referrals/r-1/transfer")
    without = max_.send(max_.form_in(question, "/moves"))
    done = max_.follow(max_.send(max_.form_in(question, "/moves"), site_id=OTHER_SITE))

    assert without.status_code == 400
    assert "Choose another site" in read_text(without.text)
    assert counting.read_referral(service.store, "r-1", service.now).site_id == OTHER_SITE
    assert "Moved to another site" in read_text(done.text)


def test_step_recorded_by_mistake_is_taken_back_with_a_reason(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    bob.hold("r-1", SITE)
    bob.send(_form_of(bob.get("/console/referrals/r-1"), "start_screening"))

    shown = bob.get("/console/referrals/r-1")
    question = bob.get("/console/referrals/r-1/correct")
    done = bob.follow(bob.send(bob.form_in(question, "/moves"), reason="WRONG_REFERRAL"))

    assert "Screening started by mistake" in read_text(shown.text)
    assert "Nothing is deleted" in read_text(question.text)
    words = read_text(done.text)
    assert "Start of screening taken back" in words
    assert "It was meant for another referral" in words
    assert counting.read_referral(service.store, "r-1", service.now).state is SpotState.HELD


def test_actions_of_a_waiting_referral_say_what_they_do(service: ServedStudy) -> None:
    service.cap(0)
    bob = console_user(service, "coordinator")
    service.ask("POST", "/v1/waiting-list", {"site_ids": [SITE], "referral_id": "w-1"})

    words = read_text(bob.get("/console/referrals/w-1").text)

    assert "Leave the waiting list" in words
    assert "Give the spot back" not in words


def _form_of(response: TestResponse, action: str) -> HtmlForm:
    return next(form for form in forms_of(response) if ("action", action) in form.fields)
