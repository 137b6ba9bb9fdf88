"""Every page and form of the console with every role: forbidden actions are neither shown nor carried out."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from api.console.page.labels import WORDS
from sitematch.store.capacity import counting
from sitematch.store.studies import catalogue
from tests.api.builders import STUDY_ID
from tests.api.console_user import ORIGIN, ConsoleUser, console_user, read_text
from tests.api.served_study import GRANTS, OTHER_SITE, OTHER_STUDY, SITE, ServedStudy

READERS = {"viewer", "coordinator", "manager", "administrator", "coordinator elsewhere"}
COORDINATORS = READERS - {"viewer"}
OF_THE_SITE = {"coordinator", "manager", "administrator"}
SEES_THE_SITE = OF_THE_SITE | {"viewer"}
MANAGERS = {"manager", "administrator"}
ADMINISTRATORS = {"administrator"}
EVERYBODY = set(GRANTS)

# Who has access, for the study and site of the served study, and the content of each form: written here, not read from
# the program.
ALLOWED: dict[tuple[str, str], tuple[set[str], dict[str, Any]]] = {
    ("GET", "/console"): (READERS, {}),
    ("GET", "/console/capacity"): (READERS, {}),
    ("GET", "/console/calendar"): (READERS, {}),
    ("POST", "/console/calendar"): (READERS, {}),
    ("POST", "/console/calendar/end"): (READERS, {}),
    ("POST", "/console/deliveries/again"): (MANAGERS, {"webhook_id": "w-1"}),
    ("GET", "/console/studies"): (EVERYBODY, {}),
    ("GET", "/console/account"): (EVERYBODY, {}),
    ("POST", "/console/account/password"): (EVERYBODY, {"password": "wrong", "new_password": "another long password"}),
    ("POST", "/console/account/sessions/end"): (EVERYBODY, {}),
    ("GET", "/console/account/second-factor"): (EVERYBODY, {}),
    ("POST", "/console/account/second-factor"): (EVERYBODY, {"password": "wrong"}),
    ("POST", "/console/account/second-factor/end"): (EVERYBODY, {"password": "wrong"}),
    ("GET", "/console/sites/<site_id>"): (SEES_THE_SITE, {}),
    ("POST", "/console/sites/<site_id>/travel"): (MANAGERS, {"certainty": "COVERED"}),
    ("POST", "/console/sites/<site_id>/opening"): (MANAGERS, {"opened_on": "2025-11-03"}),
    ("GET", "/console/caps"): (READERS, {}),
    ("GET", "/console/caps/change"): (MANAGERS, {"level": "SITE", "scope": SITE, "change": "close"}),
    ("POST", "/console/caps"): (MANAGERS, {"level": "SITE", "scope": SITE, "change": "set", "spots": "9"}),
    ("POST", "/console/rules"): (MANAGERS, {"hold_hours": "48", "offer_hours": "48", "waiting_list": "yes"}),
    ("GET", "/console/hold"): (COORDINATORS, {}),
    ("POST", "/console/hold"): (COORDINATORS, {"place": "33180", "country": "US"}),
    ("POST", "/console/hold/spot"): (OF_THE_SITE, {"site_id": SITE, "ranked": [SITE]}),
    ("POST", "/console/waiting"): (OF_THE_SITE, {"site_ids": [SITE]}),
    ("GET", "/console/waiting"): (READERS, {}),
    ("GET", "/console/referrals"): (READERS, {}),
    ("GET", "/console/bulk"): (COORDINATORS, {"action": "release", "ids": ["r-1"]}),
    ("POST", "/console/bulk"): (COORDINATORS, {"action": "release", "ids": ["r-1"]}),
    ("GET", "/console/referrals/<referral_id>"): (SEES_THE_SITE, {}),
    ("GET", "/console/referrals/<referral_id>/<action>"): (OF_THE_SITE, {}),
    ("POST", "/console/referrals/<referral_id>/moves"): (OF_THE_SITE, {"action": "start_screening"}),
    ("GET", "/console/reports"): (READERS, {}),
    ("GET", "/console/reports/<kind>"): (READERS, {}),
    ("GET", "/console/imports"): (MANAGERS, {}),
    ("POST", "/console/imports/uploads"): (MANAGERS, {}),
    ("POST", "/console/imports/uploads/<upload_id>"): (MANAGERS, {}),
    ("POST", "/console/imports/uploads/<upload_id>/discard"): (MANAGERS, {}),
    ("GET", "/console/imports/undo"): (ADMINISTRATORS, {}),
    ("POST", "/console/imports/undo"): (ADMINISTRATORS, {"import_id": "1"}),
    ("GET", "/console/people"): (ADMINISTRATORS, {}),
    ("POST", "/console/people"): (ADMINISTRATORS, {"email": "new@example.org"}),
    ("GET", "/console/people/<account_id>"): (ADMINISTRATORS, {}),
    ("POST", "/console/people/<account_id>/invitation"): (ADMINISTRATORS, {}),
    ("POST", "/console/people/<account_id>/roles"): (ADMINISTRATORS, {"role": "viewer"}),
    ("POST", "/console/people/<account_id>/roles/end"): (ADMINISTRATORS, {"role": "viewer"}),
    ("GET", "/console/people/<account_id>/end"): (ADMINISTRATORS, {"what": "account"}),
    ("POST", "/console/people/<account_id>/disable"): (ADMINISTRATORS, {}),
    ("POST", "/console/people/<account_id>/password"): (ADMINISTRATORS, {}),
    ("POST", "/console/people/<account_id>/sessions/end"): (ADMINISTRATORS, {}),
    ("POST", "/console/people/<account_id>/tokens"): (ADMINISTRATORS, {"label": "x", "scopes": ["capacity:read"]}),
    ("POST", "/console/people/<account_id>/tokens/end"): (ADMINISTRATORS, {"token_id": "t-1"}),
    ("POST", "/console/sign-out"): (EVERYBODY, {}),
}  # fmt: skip
OPEN_TO_ALL = {
    (method, f"/console/{rest}")
    for method in ("GET", "POST")
    for rest in ("sign-in", "sign-in/code", "invitation/<code>")
} | {("GET", "/console/calendar/<code>.ics")}
OWN = {
    *("/console/studies", "/console/account", "/console/account/password", "/console/sign-out"),
    *("/console/account/sessions/end", "/console/account/second-factor", "/console/account/second-factor/end"),
}
"""Pages of the person, without a study."""


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def address(service: ServedStudy, rule: str, referral_id: str = "r-1") -> str:
    parts = {
        "<site_id>": SITE,
        "<referral_id>": referral_id,
        "<action>": "release",
        "<upload_id>": "0" * 32,
        "<kind>": "capacity",
        "<account_id>": service.accounts["nobody"],
    }
    for name, value in parts.items():
        rule = rule.replace(name, value)
    return rule


def send(who: ConsoleUser, method: str, path: str, data: dict[str, Any]) -> Any:
    # In the served study, also for who has a role in another one only.
    study = {} if path in OWN else {"study": STUDY_ID}
    if method == "GET":
        return who.client.get(path, query_string={**data, **study})
    csrf = dict(who.form_in(who.get("/console/account"), "/console/sign-out").fields)["csrf"]
    data = {"csrf": csrf, "key": path, **data}
    return who.client.post(path, query_string=study, data=data, headers=ORIGIN)


def test_every_page_and_form_is_in_the_table_or_open_to_all_on_purpose(service: ServedStudy) -> None:
    assert routes(service.app) == OPEN_TO_ALL | set(ALLOWED)


def test_every_page_and_form_refuses_who_is_not_signed_in(service: ServedStudy) -> None:
    for method, rule in ALLOWED:
        response = service.client.open(address(service, rule), method=method, data={"csrf": "x"}, headers=ORIGIN)

        assert response.status_code == (303 if method == "GET" else 401), (method, rule)
        if method == "GET":
            assert response.headers["Location"].startswith("/console/sign-in")
        else:
            assert "Sign in to the console" in read_text(response.text)


@pytest.mark.parametrize("who", GRANTS)
def test_every_page_and_form_lets_in_who_is_allowed_and_nobody_else(service: ServedStudy, who: str) -> None:
    service.cap(10_000)
    person = console_user(service, who)
    for number, ((method, rule), (allowed, data)) in enumerate(ALLOWED.items()):
        service.hold(f"r-{number}")

        response = send(person, method, address(service, rule, f"r-{number}"), data)

        refused = {403, 404} if who.endswith("elsewhere") or "<site_id>" in rule else {403}
        is_let_in = response.status_code not in (401, *refused)
        if rule.endswith(("/account/password", "/account/second-factor", "/account/second-factor/end")):
            is_let_in = "current password" in read_text(response.text).lower()
        assert is_let_in == (who in allowed), (method, rule, response.status_code, read_text(response.text)[-400:])
        if who not in allowed and "<referral_id>" in rule:
            assert service.ask("GET", f"/v1/referrals/r-{number}").json["state"] == "HELD"


@pytest.mark.parametrize("who", GRANTS)
def test_every_link_and_form_that_a_page_offers_is_allowed(service: ServedStudy, who: str) -> None:
    """What a role may not do is not offered."""
    service.hold("r-1")
    service.ask("POST", "/v1/waiting-list", {"site_ids": [SITE], "referral_id": "r-2"})
    person = console_user(service, who)
    pages = [
        "/console",
        "/console/capacity",
        f"/console/sites/{SITE}",
        "/console/caps",
        "/console/hold",
        "/console/referrals",
    ]
    pages += ["/console/referrals/r-1", "/console/waiting", "/console/reports", "/console/studies", "/console/account"]
    rules = service.app.url_map.bind("localhost")
    offered = set()
    for page in pages:
        shown = person.get(page)
        if shown.status_code != 200:
            continue
        for form in person.forms(page):
            if form.method == "dialog":
                continue  # it closes a window and sends nothing
            endpoint, _ = rules.match(form.action.partition("?")[0].partition("#")[0], method=form.method.upper())
            offered.add((endpoint, form.method.upper()))

    by_endpoint = {rule.endpoint: rule.rule for rule in service.app.url_map.iter_rules()}
    for endpoint, method in offered:
        if endpoint.startswith("console."):
            allowed, _ = ALLOWED[method, by_endpoint[endpoint]]
            # The pages of their own study, which they manage.
            allowed = allowed | ({"manager elsewhere"} if "manager" in allowed else set())
            assert who in allowed, (endpoint, method)


def test_menu_offers_each_role_its_own(service: ServedStudy) -> None:
    shown = {
        who: [
            word
            for word in ("Take a spot", "Caps and rules", "People")
            if word in console_user(service, who).get("/console/studies").text
        ]
        for who in ("viewer", "coordinator", "manager", "administrator", "nobody")
    }

    assert shown == {
        "viewer": ["Caps and rules"],
        "coordinator": ["Take a spot", "Caps and rules"],
        "manager": ["Take a spot", "Caps and rules"],
        "administrator": ["Take a spot", "Caps and rules", "People"],
        "nobody": [],
    }


def test_route_that_nobody_thought_of_is_refused_even_to_administrators(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")
    service.app._got_first_request = False
    service.app.add_url_rule("/console/forgotten", endpoint="console.forgotten", view_func=lambda: "secret")

    response = ann.get("/console/forgotten")

    assert response.status_code == 403
    assert "secret" not in response.text


def test_coordinator_sees_the_own_site_alone(service: ServedStudy) -> None:
    service.hold("r-1", SITE)
    service.hold("r-2", OTHER_SITE)
    bob = console_user(service, "coordinator")

    dashboard, referrals = bob.get("/console/capacity").text, bob.get("/console/referrals").text

    assert "Hospital miami" in dashboard and "Hospital portland" not in dashboard
    assert "r-1" in referrals and "r-2" not in referrals
    assert bob.get(f"/console/sites/{OTHER_SITE}").status_code == 404
    assert bob.get("/console/referrals/r-2").status_code == 404


def test_study_without_a_role_is_as_if_it_were_not_there(service: ServedStudy) -> None:
    vera, max_ = console_user(service, "viewer"), console_user(service, "manager elsewhere")

    known, unknown = vera.get(f"/console/capacity?study={OTHER_STUDY}"), vera.get("/console?study=NCT99999999")

    assert (known.status_code, unknown.status_code) == (404, 404)
    assert known.text.replace(OTHER_STUDY, "NCT99999999").count("NCT99999999") == unknown.text.count("NCT99999999")
    assert OTHER_STUDY in read_text(max_.get("/console").text)
    assert STUDY_ID not in max_.get("/console/studies").text


def test_studies_can_be_switched_and_stay_in_view(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")

    page = ann.get(f"/console/capacity?study={OTHER_STUDY}")

    assert "Hospital far" in page.text
    for form in ann.forms(f"/console/capacity?study={OTHER_STUDY}"):
        if form.method == "get":
            assert ("study", OTHER_STUDY) in form.fields
    assert f'href="/console/caps?study={OTHER_STUDY}"' in page.text
    done = ann.fill(f"/console/sites/far?study={OTHER_STUDY}", "/travel", certainty="COVERED")
    assert done.headers["Location"] == f"/console/sites/far?done=travel&study={OTHER_STUDY}"


def test_what_a_role_may_not_do_stays_undone(service: ServedStudy) -> None:
    vera = console_user(service, "viewer")

    send(vera, "POST", "/console/hold/spot", {"site_id": SITE})
    send(vera, "POST", f"/console/sites/{SITE}/travel", {"certainty": "NOT_COVERED"})

    assert counting.list_referrals(service.store, STUDY_ID, service.now) == ()
    assert catalogue.read_sites(service.store, STUDY_ID)[0].travel.certainty.value == "COVERED"


def test_console_has_words_for_every_code() -> None:
    for words in WORDS.values():
        kind = type(next(iter(words)))
        if kind.__name__ not in ("ScreenFailureReason", "WithdrawalReason"):
            assert set(words) == set(kind)
    from sitematch.domain.capacity.reasons import ScreenFailureReason, WithdrawalReason

    assert {*ScreenFailureReason, *WithdrawalReason} <= set(WORDS["reason"])
