"""Coordinators' tasks over HTTP; every answer is checked against the OpenAPI document (see `ServedStudy.check`)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.reasons import CorrectionReason, ScreenFailureReason, WithdrawalReason
from sitematch.services.finding.finder import Finder
from sitematch.store import schema
from sitematch.store.idempotency import KeyedRequest
from sitematch.store.request_claims import claim
from sitematch.store.studies.catalogue import replace_study
from tests.api.builders import SITES, STUDY_ID, make_study
from tests.api.served_study import OTHER_SITE, SITE, ServedStudy


def test_hold_answers_where_the_referral_is(service: ServedStudy) -> None:
    response = service.hold("r-1", headers={"X-Request-Id": "desk-7"})

    assert response.status_code == 201
    assert response.headers["Location"] == "/v1/referrals/r-1"
    assert response.headers["X-Request-Id"] == "desk-7"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json["state"] == "HELD"
    assert response.json["expires_at"] == "2026-01-04T12:30:00Z"
    assert service.ask("GET", response.headers["Location"]).json == response.json


def test_every_transition_of_a_spot_and_what_it_does_to_the_numbers(service: ServedStudy) -> None:
    steps: list[tuple[str, str, object]] = [
        ("r-1", "screening", None),
        ("r-1", "enrollment", {}),
        ("r-2", "screening", None),
        ("r-2", "screen-failure", {"reason": "LABORATORY"}),
        ("r-3", "release", None),
    ]
    for number in (1, 2, 3):
        service.hold(f"r-{number}")
    before = service.site()

    states = [service.move(referral_id, to, body).json["state"] for referral_id, to, body in steps]

    assert (before["held"], before["remaining"]) == (3, 5)
    assert states == ["SCREENING", "ENROLLED", "SCREENING", "SCREEN_FAILED", "RELEASED"]
    after = service.site()
    assert {name: after[name] for name in ("held", "screening", "enrolled", "remaining", "taken")} == {
        "held": 0,
        "screening": 0,
        "enrolled": 1,
        "remaining": 7,
        "taken": 1,
    }
    assert service.move("r-1", "withdrawal", {"reason": "ADVERSE_EVENT"}).json["reason"] == "ADVERSE_EVENT"


def test_hold_is_extended_moved_and_a_wrong_step_taken_back(service: ServedStudy) -> None:
    service.hold("r-1")

    extended = service.move("r-1", "extension", {"hours": 24}).json
    by_default = service.move("r-1", "extension").json
    too_long = service.move("r-1", "extension", {"hours": 1000})
    moved = service.move("r-1", "transfer", {"site_id": OTHER_SITE}).json
    service.move("r-1", "screening")
    corrected = service.move("r-1", "correction", {"reason": "WRONG_REFERRAL"}).json

    assert extended["expires_at"] == "2026-01-05T12:30:00Z"
    assert by_default["expires_at"] == "2026-01-07T12:30:00Z"
    assert (too_long.status_code, too_long.json["type"].rpartition("/")[2]) == (409, "extension-too-long")
    assert (moved["site_id"], moved["expires_at"]) == (OTHER_SITE, "2026-01-07T12:30:00Z")
    assert (corrected["state"], corrected["reason"]) == ("HELD", "WRONG_REFERRAL")
    kinds = [event["kind"] for event in service.ask("GET", "/v1/referrals/r-1/history").json["events"]]
    assert kinds == ["HELD", "HOLD_EXTENDED", "HOLD_EXTENDED", "TRANSFERRED", "SCREENING", "SCREENING_UNDONE"]


def test_referral_is_moved_only_to_a_site_that_the_person_manages(service: ServedStudy) -> None:
    service.hold("r-1")

    refused = service.move("r-1", "transfer", {"site_id": OTHER_SITE}, who="coordinator")

    assert refused.status_code == 403
    assert service.ask("GET", "/v1/referrals/r-1").json["site_id"] == SITE


@pytest.mark.parametrize(
    ("to", "reasons"),
    [("screen-failure", ScreenFailureReason), ("withdrawal", WithdrawalReason), ("correction", CorrectionReason)],
)
def test_reason_is_one_of_the_codes_and_never_free_text(service: ServedStudy, to: str, reasons: Any) -> None:
    refused = service.move("r-1", to, {"reason": "she moved to 12 High Street"})

    assert refused.status_code == 400
    assert refused.json["field"] == "reason"
    for code in reasons:
        assert service.move("r-1", to, {"reason": code.value}).status_code == 404  # understood, but there is no r-1


def test_history_names_who_did_what_by_which_request(service: ServedStudy) -> None:
    service.hold("r-1", headers={"X-Request-Id": "a"}, who="coordinator")
    service.move("r-1", "screening", headers={"X-Request-Id": "b"}, who="manager")

    events = service.ask("GET", "/v1/referrals/r-1/history").json["events"]

    assert [(event["kind"], event["request_id"]) for event in events] == [("HELD", "a"), ("SCREENING", "b")]
    assert len({event["actor_id"] for event in events}) == 2
    assert all(event["actor_id"].startswith("token:") for event in events)


def test_request_id_that_looks_like_none_is_replaced(service: ServedStudy) -> None:
    response = service.hold("r-1", headers={"X-Request-Id": "Ann Smith, 33180"})

    assert response.headers["X-Request-Id"].startswith("http-")


def test_refusal_of_a_spot_names_the_full_cap(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps", {"level": "COUNTRY", "scope": "US", "spots": 1})
    service.hold("r-1")

    response = service.hold("r-2", OTHER_SITE)

    assert response.status_code == 409
    assert response.json["type"] == "/problems/no-spots-left"
    assert response.json["full"] == {"level": "COUNTRY", "scope": "US", "spots": 1, "taken": 1}
    assert service.hold("r-2", "berlin").status_code == 201


def test_illegal_transition_names_what_is_allowed(service: ServedStudy) -> None:
    service.hold("r-1")

    response = service.move("r-1", "enrollment")

    assert response.status_code == 409
    assert response.json["type"] == "/problems/illegal-transition"
    assert (response.json["state"], response.json["allowed"]) == (
        "HELD",
        ["extend_hold", "release", "start_screening", "transfer"],
    )


def test_lapsed_hold_frees_the_spot_and_cannot_be_screened(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": 1})
    service.ask("POST", "/v1/referrals", {"site_id": SITE, "referral_id": "r-1", "hold_hours": 1})

    service.later(hours=1)

    assert service.hold("r-2").status_code == 201
    assert service.move("r-1", "screening").json["state"] == "EXPIRED"


@pytest.mark.parametrize(
    ("method", "url", "body", "status", "slug", "field"),
    [
        ("POST", "/v1/referrals", {"site_id": "atlantis"}, 404, "site-not-found", "site_id"),
        ("POST", "/v1/referrals", {"site_id": SITE, "study_id": "NCT1"}, 404, "study-not-found", "study_id"),
        ("POST", "/v1/referrals", {"site_id": SITE, "referral_id": "Ann Smith"}, 400, "invalid-input", "referral_id"),
        ("POST", "/v1/referrals", {"site_id": SITE, "postcode": "33180"}, 400, "invalid-input", "postcode"),
        ("POST", "/v1/referrals", {"site_id": SITE, "hold_hours": 0}, 400, "invalid-input", "hold_hours"),
        ("POST", "/v1/referrals", {}, 400, "invalid-input", None),
        ("POST", "/v1/referrals/r-9/release", None, 404, "referral-not-found", "referral_id"),
        ("POST", "/v1/referrals/r-9/release", {"x": 1}, 400, "invalid-input", "x"),
        ("GET", "/v1/referrals/r-9", None, 404, "referral-not-found", "referral_id"),
        ("GET", "/v1/referrals?state=LOST", None, 400, "invalid-input", "state[0]"),
        ("POST", "/v1/caps", {"level": "STUDY"}, 400, "invalid-input", None),
        ("POST", "/v1/caps", {"level": "STUDY", "spots": -1}, 400, "invalid-input", "spots"),
        ("POST", "/v1/caps", {"level": "SITE", "scope": "atlantis", "spots": 1}, 404, "site-not-found", "site_id"),
        ("POST", "/v1/caps", {"level": "COUNTRY", "scope": "Germany", "spots": 1}, 400, "invalid-input", "scope"),
        ("GET", "/v1/capacity?site_id=atlantis", None, 404, "site-not-found", "site_id"),
        ("GET", "/v1/capacity?study_id=NCT1", None, 404, "study-not-found", "study_id"),
        ("GET", "/v1/capacity?since=yesterday", None, 400, "invalid-input", "since"),
        ("GET", "/v1/capacity?since=2026-01-02T12:00:00", None, 400, "invalid-input", "since"),
        ("GET", "/v1/capacity?since=2999-01-01T00:00:00Z", None, 400, "invalid-input", "since"),
        ("POST", "/v1/waiting-list", {"site_ids": []}, 400, "invalid-input", "site_ids"),
        ("POST", "/v1/tokens", {"account_id": "x", "label": "x", "scopes": ["audit:read"], "days": 7}, 404,
         "account-not-found", "account_id"),
        ("GET", "/v1/tokens?account_id=x", None, 404, "account-not-found", "account_id"),
        ("POST", "/v1/webhooks", {"url": "ftp://x/", "kinds": ["site.filled"]}, 400, "invalid-input", "url"),
        ("DELETE", "/v1/webhooks/w-9", None, 404, "not-found", "webhook_id"),
    ],
)  # fmt: skip
def test_refusal_is_a_problem_that_names_the_field(
    service: ServedStudy, method: str, url: str, body: object, status: int, slug: str, field: str | None
) -> None:
    response = service.ask(method, url, body)

    assert (response.status_code, response.json["type"]) == (status, f"/problems/{slug}")
    assert response.json.get("field") == field


def test_closed_site_takes_no_patients_and_its_state_says_so(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps/closure", {"level": "SITE", "scope": SITE})

    refused = service.hold("r-1")

    assert (refused.status_code, refused.json["type"]) == (409, "/problems/site-closed")
    assert service.site()["state"] == "no-capacity"
    assert service.ask("POST", "/v1/caps/reopening", {"level": "SITE", "scope": SITE}).json["is_closed"] is False
    assert service.hold("r-1").status_code == 201


def test_states_of_a_site_follow_the_cap(service: ServedStudy) -> None:
    states = []
    for spots in (None, 5, 0):
        service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": spots})
        states.append((service.site()["state"], service.site()["remaining"]))

    assert states == [("unknown", None), ("capacity", 5), ("waitlist", 0)]


def test_rules_are_read_and_set(service: ServedStudy) -> None:
    rules = {"hold_hours": 1.0, "offer_hours": 2.0, "gives_back": ["WITHDRAWN"], "waiting_list": False}
    rules |= {"extension_hours": 24.0, "screening_days": 14.0, "open_holds_per_site": 5, "open_holds_per_account": None}

    service.ask("PUT", "/v1/policy", rules)

    assert service.ask("GET", "/v1/policy").json == rules
    assert service.hold("r-1").json["expires_at"] == "2026-01-02T13:30:00Z"
    wrong = service.ask("PUT", "/v1/policy", {**rules, "gives_back": ["HELD"]})
    assert (wrong.status_code, wrong.json["type"]) == (400, "/problems/invalid-policy")


def test_hold_beyond_the_limit_of_the_account_is_a_problem_of_its_own(service: ServedStudy) -> None:
    rules = {"hold_hours": 48, "offer_hours": 48, "gives_back": [], "waiting_list": True, "open_holds_per_account": 1}
    service.ask("PUT", "/v1/policy", rules)
    service.hold("r-1")

    refused = service.hold("r-2")

    assert (refused.status_code, refused.json["type"]) == (409, "/problems/too-many-holds")


def test_who_waits_is_offered_a_freed_spot_by_priority(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": 1})
    service.hold("r-1")
    for number, priority in ((2, 0), (3, 5)):
        entry = {"site_ids": [SITE], "referral_id": f"r-{number}", "priority": priority}
        assert service.ask("POST", "/v1/waiting-list", entry).json["state"] == "WAITING"
    listed = service.ask("GET", "/v1/waiting-list").json["entries"]

    service.move("r-1", "release")

    assert [(entry["place"], entry["referral_id"]) for entry in listed] == [(1, "r-3"), (2, "r-2")]
    assert service.ask("GET", "/v1/referrals/r-3").json["state"] == "OFFERED"
    assert service.hold("r-4").status_code == 409
    assert service.move("r-3", "acceptance").json["state"] == "HELD"


def test_list_of_referrals_is_complete_over_all_pages(service: ServedStudy) -> None:
    for number in range(7):
        service.hold(f"r-{number}")
    seen, before = [], ""

    while True:
        page = service.ask("GET", f"/v1/referrals?limit=3{before}").json
        seen += [item["referral_id"] for item in page["referrals"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"

    assert seen == [f"r-{number}" for number in reversed(range(7))]
    service.move("r-3", "screening")
    only = service.ask("GET", "/v1/referrals?state=SCREENING").json["referrals"]
    assert [item["referral_id"] for item in only] == ["r-3"]


QUESTIONS = {("/v1/reports/coverage", "post"), ("/v1/allocations", "post")}
"""Read-only routes with POST, because their data is long and personal."""


def test_every_write_needs_a_key(service: ServedStudy) -> None:
    headers = {"Authorization": f"Bearer {service.secrets['administrator']}"}
    for path, methods in service.document["paths"].items():
        for method, operation in methods.items():
            if operation["security"] and method != "get" and (path, method) not in QUESTIONS:
                response = service.client.open(path, method=method.upper(), headers=headers, json={})

                service.check(method, path, response)
                assert response.json["type"] == "/problems/idempotency-key-missing", (method, path)


def test_same_key_and_body_get_the_same_answer_and_do_nothing_twice(service: ServedStudy) -> None:
    body = {"site_id": SITE}

    answers = [service.ask("POST", "/v1/referrals", body, key="k") for _ in range(3)]

    assert len({answer.data for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {201}
    assert service.site()["held"] == 1


def test_same_key_with_another_body_is_a_conflict(service: ServedStudy) -> None:
    service.ask("POST", "/v1/referrals", {"site_id": SITE}, key="k")

    for response in (
        service.ask("POST", "/v1/referrals", {"site_id": OTHER_SITE}, key="k"),
        service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": 3}, key="k"),
        service.ask("POST", "/v1/webhooks", {"url": "https://example.org/", "kinds": ["site.filled"]}, key="k"),
    ):
        assert (response.status_code, response.json["type"]) == (409, "/problems/idempotency-conflict")


def test_two_callers_do_not_share_keys(service: ServedStudy) -> None:
    first = service.ask("POST", "/v1/referrals", {"site_id": SITE}, key="k", who="manager")
    second = service.ask("POST", "/v1/referrals", {"site_id": SITE}, key="k", who="coordinator")

    assert first.json["referral_id"] != second.json["referral_id"]


def test_key_is_forgotten_after_a_day(service: ServedStudy) -> None:
    body = {"level": "STUDY", "spots": 3}
    service.ask("POST", "/v1/caps", body, key="k")
    service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": 9})
    assert service.ask("POST", "/v1/caps", body, key="k").json["spots"] == 3
    assert service.site()["remaining"] == 9

    service.later(hours=24)
    service.ask("POST", "/v1/caps", body, key="k")

    assert service.site()["remaining"] == 3


def test_answer_that_failed_for_want_of_a_spot_is_not_kept(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": 1})
    service.hold("r-1")
    refused = service.hold("r-2", key="k")

    service.move("r-1", "release")

    assert refused.status_code == 409
    assert service.hold("r-2", key="k").status_code == 201


def test_busy_database_is_503_with_the_seconds_to_wait_and_the_key_stays_free(tmp_path: Path, finder: Finder) -> None:
    service = ServedStudy(tmp_path, finder, busy_timeout_s=0.05)
    other = sqlite3.connect(tmp_path / "sitematch.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    busy = service.hold("r-1", key="k")
    other.execute("ROLLBACK")
    other.close()

    assert (busy.status_code, busy.json["type"]) == (503, "/problems/busy")
    assert int(busy.headers["Retry-After"]) >= 1
    assert service.hold("r-1", key="k").status_code == 201
    service.close()


def test_unchanged_capacity_is_304_and_a_change_is_not(service: ServedStudy) -> None:
    first = service.ask("GET", "/v1/capacity")
    same = {"If-None-Match": first.headers["ETag"]}
    service.later(minutes=1)
    unchanged = service.ask("GET", "/v1/capacity", headers=same)

    service.ask("POST", "/v1/referrals", {"site_id": SITE, "hold_hours": 1})
    changed = service.ask("GET", "/v1/capacity", headers=same)

    assert first.headers["ETag"].startswith("W/")
    assert (unchanged.status_code, changed.status_code) == (304, 200)
    service.later(hours=1)  # the hold lapses: the numbers are the first ones again, or nearly
    assert service.ask("GET", "/v1/capacity", headers={"If-None-Match": changed.headers["ETag"]}).status_code == 200


def changed_since(service: ServedStudy, as_of: str) -> set[str]:
    return {site["site_id"] for site in service.ask("GET", f"/v1/capacity?since={as_of}").json["sites"]}


def test_since_leaves_out_what_has_certainly_not_changed(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": None})
    service.later(minutes=1)
    as_of = service.ask("GET", "/v1/capacity").json["as_of"]
    service.later(seconds=1)
    service.ask("POST", "/v1/referrals", {"site_id": SITE, "referral_id": "r-1", "hold_hours": 1})
    own = changed_since(service, as_of)

    service.later(minutes=1)
    as_of = service.ask("GET", "/v1/capacity").json["as_of"]
    nothing = changed_since(service, as_of)
    service.later(hours=1)
    lapsed = changed_since(service, as_of)

    assert (own, nothing, lapsed) == ({SITE}, set(), {SITE})


def test_since_tells_a_write_that_waited_its_turn_while_the_answer_was_given(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": None})
    service.later(minutes=1)
    as_of = service.ask("GET", "/v1/capacity").json["as_of"]

    service.later(seconds=-5)  # asked five seconds before that answer, committed after it
    service.hold("r-1")
    service.later(seconds=6)

    assert changed_since(service, as_of) == {SITE}


def test_since_tells_every_site_that_shares_a_cap(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": None})
    service.ask("POST", "/v1/caps", {"level": "COUNTRY", "scope": "DE", "spots": 4})
    service.later(minutes=1)
    as_of = service.ask("GET", "/v1/capacity").json["as_of"]
    service.later(seconds=1)

    service.hold("r-1", "berlin")
    in_germany = changed_since(service, as_of)
    service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": 9})

    assert in_germany == {"berlin", "berlin-paused"}
    assert changed_since(service, as_of) == {site.site_id for site in SITES}


def test_since_tells_the_site_that_a_rescreened_referral_left(service: ServedStudy) -> None:
    service.ask("POST", "/v1/caps", {"level": "STUDY", "spots": None})
    rules = {"hold_hours": 48, "offer_hours": 48, "gives_back": [], "waiting_list": True}
    service.ask("PUT", "/v1/policy", rules)
    service.hold("r-1", SITE)
    service.move("r-1", "screening")
    service.move("r-1", "screen-failure", {"reason": "LABORATORY"})
    service.later(minutes=1)
    before = service.ask("GET", "/v1/capacity").json
    service.later(seconds=1)

    service.hold("r-1", OTHER_SITE)

    now = {site["site_id"]: site["taken"] for site in service.ask("GET", "/v1/capacity").json["sites"]}
    differ = {site["site_id"] for site in before["sites"] if site["taken"] != now[site["site_id"]]}
    assert differ == {SITE, OTHER_SITE}
    assert differ <= changed_since(service, before["as_of"])


def test_loaded_catalogue_changes_the_mark_that_clients_compare(service: ServedStudy) -> None:
    before = service.ask("GET", "/v1/capacity").json["catalogue"]

    replace_study(service.store, make_study(), SITES)

    assert service.ask("GET", "/v1/capacity").json["catalogue"] != before


def test_past_can_be_looked_at(service: ServedStudy) -> None:
    earlier = service.now
    service.later(hours=1)
    service.hold("r-1")

    then = service.ask("GET", f"/v1/capacity?site_id={SITE}&as_of={earlier.isoformat().replace('+00:00', 'Z')}").json

    assert (then["sites"][0]["held"], service.site()["held"]) == (0, 1)
    assert then["as_of"] == "2026-01-02T12:30:00Z"


def make_token(service: ServedStudy, **how: Any) -> Any:
    body = {"account_id": service.accounts["coordinator"], "label": "booking", "scopes": ["referrals:write"], "days": 7}
    return service.ask("POST", "/v1/tokens", body, **how)


def test_token_is_made_used_listed_without_its_secret_and_revoked(service: ServedStudy) -> None:
    made = make_token(service)
    used = service.hold("r-1", secret=made.json["secret"])
    listed = service.ask("GET", f"/v1/tokens?account_id={service.accounts['coordinator']}").json["tokens"]

    gone = service.ask("DELETE", f"/v1/tokens/{made.json['token_id']}")

    assert (made.status_code, used.status_code, gone.status_code) == (201, 201, 204)
    assert made.json["expires_at"] == "2026-01-09T12:30:00Z"
    assert [token["secret"] for token in listed] == [None, None]
    assert service.hold("r-2", secret=made.json["secret"]).status_code == 401


def test_secret_is_in_no_table(service: ServedStudy) -> None:
    secret = make_token(service, key="k").json["secret"]

    with service.store.reading() as connection:
        for table in schema.metadata.sorted_tables:
            assert secret not in str(connection.execute(sa.select(table)).all()), table.name


def test_same_key_makes_one_token_and_shows_its_secret_once(service: ServedStudy) -> None:
    first, again = make_token(service, key="k"), make_token(service, key="k")

    assert first.json["secret"]
    assert again.json == {**first.json, "secret": None}
    tokens = service.ask("GET", f"/v1/tokens?account_id={service.accounts['coordinator']}").json["tokens"]
    assert len([token for token in tokens if token["label"] == "booking"]) == 1


def test_duplicate_of_a_running_request_is_a_conflict_until_the_claim_is_stale(service: ServedStudy) -> None:
    body = {"url": "https://example.org/", "kinds": ["site.filled"]}
    actor_id = f"token:{service.token('administrator').token.token_id}"
    first = service.ask("POST", "/v1/webhooks", body, key="k")
    with service.store.writing() as connection:  # as if the first had died before it finished
        connection.execute(sa.update(schema.idempotency).values(answer=""))

    twin = service.ask("POST", "/v1/webhooks", body, key="k")
    service.later(minutes=1)
    later = service.ask("POST", "/v1/webhooks", body, key="k")

    assert (first.status_code, twin.status_code, later.status_code) == (201, 409, 201)
    assert "still running" in twin.json["detail"]
    caller = Caller(actor=Actor(actor_id=actor_id), request_id="x", idempotency_key="k")
    assert (
        claim(service.store, caller, KeyedRequest("x", ()), service.now) is None
    )  # another caller's key is another key


def test_refused_token_leaves_its_key_free(service: ServedStudy) -> None:
    wrong = {"account_id": "nobody", "label": "x", "scopes": ["audit:read"], "days": 7}

    assert service.ask("POST", "/v1/tokens", wrong, key="k").status_code == 404
    assert make_token(service, key="k").status_code == 201


def test_webhook_is_added_listed_and_disabled(service: ServedStudy) -> None:
    asked = {"url": "https://example.org/x", "kinds": ["site.passed-percent"], "percent": 80, "study_id": STUDY_ID}
    made = service.ask("POST", "/v1/webhooks", asked, who="manager")
    elsewhere = service.ask("GET", "/v1/webhooks", who="manager elsewhere").json["webhooks"]
    (listed,) = service.ask("GET", "/v1/webhooks", who="manager").json["webhooks"]
    foreign = service.ask("DELETE", f"/v1/webhooks/{made.json['webhook_id']}", who="manager elsewhere")

    gone = service.ask("DELETE", f"/v1/webhooks/{made.json['webhook_id']}", who="manager")

    assert (made.status_code, foreign.status_code, gone.status_code) == (201, 404, 204)
    assert made.json["secret"]
    assert listed == {**made.json, "secret": None}
    assert elsewhere == []
    assert service.ask("GET", "/v1/webhooks").json["webhooks"][0]["is_disabled"] is True


def test_webhook_is_tested_sent_to_again_and_given_another_secret_once_a_key(service: ServedStudy) -> None:
    asked = {"url": "https://example.org/x", "kinds": ["site.filled"], "study_id": STUDY_ID}
    made = service.ask("POST", "/v1/webhooks", asked, who="manager").json
    address = f"/v1/webhooks/{made['webhook_id']}"

    test = service.ask("POST", f"{address}/test", who="manager", key="t")
    again = service.ask("POST", f"{address}/test", who="manager", key="t")
    sent = service.ask("POST", f"{address}/redelivery", who="manager")
    rotated = service.ask("POST", f"{address}/secret", who="manager", key="s")
    repeated = service.ask("POST", f"{address}/secret", who="manager", key="s")
    foreign = service.ask("POST", f"{address}/secret", who="manager elsewhere")

    assert test.json == again.json
    assert (sent.status_code, sent.json) == (200, {"messages": 0})
    assert rotated.json["secret"] not in (None, made["secret"])
    assert repeated.json["secret"] is None  # a secret is kept nowhere but where it signs
    assert foreign.status_code == 404


def test_accounts_are_listed_with_their_roles(service: ServedStudy) -> None:
    found = {item["email"]: item["grants"] for item in service.ask("GET", "/v1/accounts").json["accounts"]}

    assert found["coordinator@example.org"] == [{"role": "site-coordinator", "study_id": STUDY_ID, "site_id": SITE}]
    assert found["nobody@example.org"] == []


def test_no_address_for_coordinators_takes_or_gives_a_patients_name_place_or_birth_date(service: ServedStudy) -> None:
    forbidden = {"name", "postcode", "birth", "town", "latitude", "longitude", "address", "phone", "sex", "age"}
    shapes = service.document["components"]["schemas"]
    reached: set[str] = set()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            target = str(part.get("$ref", "")).rpartition("/")[2]
            if target and target not in reached and target != "Problem":
                reached.add(target)
                walk(shapes[target])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    fields: set[str] = set()
    for path, methods in service.document["paths"].items():
        for method, operation in methods.items():
            # Requests there contain lists of places, which are not stored; other tests check this.
            if operation["security"] and (path, method) not in QUESTIONS:
                fields |= {parameter["name"] for parameter in operation.get("parameters", ())}
                walk({key: operation.get(key) for key in ("requestBody", "responses")})
    # In a report, these are the names of its tables, columns and plots.
    for name in reached - {"ReportColumn", "ReportTable", "ReportPlot"}:
        fields |= set(shapes[name].get("properties", {}))

    assert "referral_id" in fields
    assert not {field for field in fields for word in forbidden if word in field.split("_")}


def test_opening_day_is_recorded_and_removed(service: ServedStudy) -> None:
    url = f"/v1/sites/{SITE}/opening"

    recorded = service.ask("PUT", url, {"opened_on": "2026-01-01"})

    assert (recorded.status_code, recorded.json) == (200, {"site_id": SITE, "opened_on": "2026-01-01"})
    assert service.ask("PUT", url, {"opened_on": None}).json["opened_on"] is None
    service.hold("r-1")
    late = service.ask("PUT", url, {"opened_on": "2027-01-01"})
    assert (late.status_code, late.json["field"]) == (400, "opened")
    assert service.ask("PUT", "/v1/sites/atlantis/opening", {"opened_on": None}).status_code == 404
