"""Everything is denied unless allowed: every route, every role, every state of a token."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from api.http.openapi import address
from sitematch.domain.accounts.access import Permission
from sitematch.store.accounts import accounts, tokens
from tests.api.served_study import GRANTS, OTHER_SITE, SITE, ServedStudy

READERS = {"viewer", "coordinator", "manager", "administrator", "coordinator elsewhere"}
OF_THE_SITE = {"coordinator", "manager", "administrator"}
MANAGERS = {"manager", "administrator"}
ADMINISTRATORS = {"administrator"}

# The access to each URL, for the study and site of the served study: written here, not read from the program.
ALLOWED: dict[tuple[str, str], tuple[set[str], dict[str, Any] | None]] = {
    ("GET", "/v1/capacity"): (READERS, None),
    ("GET", "/v1/caps"): (READERS, None),
    ("POST", "/v1/caps"): (MANAGERS, {"level": "STUDY", "spots": 5}),
    ("POST", "/v1/caps/closure"): (MANAGERS, {"level": "SITE", "scope": OTHER_SITE}),
    ("POST", "/v1/caps/reopening"): (MANAGERS, {"level": "SITE", "scope": OTHER_SITE}),
    ("GET", "/v1/policy"): (READERS, None),
    ("PUT", "/v1/policy"): (
        MANAGERS,
        {"hold_hours": 48, "offer_hours": 48, "gives_back": ["SCREEN_FAILED"], "waiting_list": True},
    ),
    ("GET", "/v1/referrals"): (READERS, None),
    ("POST", "/v1/referrals"): (OF_THE_SITE, {"site_id": SITE}),
    ("GET", "/v1/referrals/{referral_id}"): (OF_THE_SITE | {"viewer"}, None),
    ("GET", "/v1/referrals/{referral_id}/history"): (OF_THE_SITE | {"viewer"}, None),
    ("POST", "/v1/referrals/{referral_id}/acceptance"): (OF_THE_SITE, None),
    ("POST", "/v1/referrals/{referral_id}/screening"): (OF_THE_SITE, None),
    ("POST", "/v1/referrals/{referral_id}/enrollment"): (OF_THE_SITE, None),
    ("POST", "/v1/referrals/{referral_id}/release"): (OF_THE_SITE, None),
    ("POST", "/v1/referrals/{referral_id}/screen-failure"): (OF_THE_SITE, {"reason": "TRAVEL"}),
    ("POST", "/v1/referrals/{referral_id}/withdrawal"): (OF_THE_SITE, {"reason": "TRAVEL"}),
    ("POST", "/v1/referrals/{referral_id}/extension"): (OF_THE_SITE, {"hours": 1}),
    ("POST", "/v1/referrals/{referral_id}/transfer"): (OF_THE_SITE, {"site_id": SITE}),
    ("POST", "/v1/referrals/{referral_id}/correction"): (OF_THE_SITE, {"reason": "WRONG_REFERRAL"}),
    ("PUT", "/v1/sites/{site_id}/opening"): (MANAGERS, {"opened_on": "2026-01-01"}),
    ("GET", "/v1/waiting-list"): (READERS, None),
    ("POST", "/v1/waiting-list"): (OF_THE_SITE, {"site_ids": [SITE]}),
    ("POST", "/v1/reports/coverage"): (READERS, {"postcodes": ["33180"], "country": "US"}),
    ("GET", "/v1/reports/catchments"): (READERS, None),
    ("GET", "/v1/reports/demand"): (MANAGERS | {"viewer"}, None),
    ("POST", "/v1/allocations"): (
        MANAGERS | {"viewer"},
        {"referrals": [{"referral_id": "r-1", "postcode": "33180", "country": "US"}]},
    ),
    ("GET", "/v1/reports/capacity"): (READERS, None),
    ("GET", "/v1/reports/funnel"): (READERS, None),
    ("GET", "/v1/reports/forecast"): (READERS, None),
    ("GET", "/v1/accounts"): (ADMINISTRATORS, None),
    ("GET", "/v1/tokens"): (ADMINISTRATORS, None),
    ("POST", "/v1/tokens"): (ADMINISTRATORS, {"label": "x", "scopes": ["accounts:write"]}),
    ("DELETE", "/v1/tokens/{token_id}"): (ADMINISTRATORS, None),
    ("GET", "/v1/webhooks"): (MANAGERS | {"manager elsewhere"}, None),
    ("POST", "/v1/webhooks"): (ADMINISTRATORS, {"url": "https://example.org/", "kinds": ["site.filled"]}),
    ("DELETE", "/v1/webhooks/{webhook_id}"): (MANAGERS | {"manager elsewhere"}, None),
    ("POST", "/v1/webhooks/{webhook_id}/test"): (MANAGERS | {"manager elsewhere"}, None),
    ("POST", "/v1/webhooks/{webhook_id}/redelivery"): (MANAGERS | {"manager elsewhere"}, None),
    ("POST", "/v1/webhooks/{webhook_id}/secret"): (MANAGERS | {"manager elsewhere"}, None),
    ("GET", "/v1/webhooks/failures"): (MANAGERS | {"manager elsewhere"}, None),
}
FHIR_TYPES = ("HealthcareService", "Location", "Organization", "ResearchStudy")
OPEN_TO_ALL = {
    ("GET", "/fhir/metadata"),
    ("GET", "/fhir/$bulk-publish"),
    ("GET", "/fhir/bulk/{kind}.ndjson"),
    *(("GET", f"/fhir/{kind}") for kind in FHIR_TYPES),
    *(("GET", f"/fhir/{kind}/{{id}}") for kind in FHIR_TYPES),
    *(("POST", f"/fhir/{kind}/_search") for kind in FHIR_TYPES),
    ("GET", "/"),
    ("POST", "/"),
    ("GET", "/docs"),
    ("GET", "/embed"),
    ("POST", "/embed"),
    ("GET", "/embed.js"),
    ("GET", "/healthz"),
    ("GET", "/openapi.json"),
    ("GET", "/map/towns"),
    ("POST", "/map/circles"),
    ("POST", "/preferences"),
    ("GET", "/problems"),
    ("GET", "/problems/{slug}"),
    ("GET", "/readyz"),
    ("GET", "/static/{filename}"),
    ("GET", "/v1/matches"),
    ("POST", "/v1/matches"),
    ("POST", "/v1/matches:batch"),
    ("GET", "/v1/postcodes/{country}/{code}"),
    ("POST", "/v1/clinics"),
    ("GET", "/v1/studies"),
    ("GET", "/v1/studies/{study_id}"),
    ("GET", "/v1/sites"),
    ("GET", "/v1/sites/{site_id}"),
}


def routes(app: Flask) -> set[tuple[str, str]]:
    """Every route except the console's pages, which test_console_access.py covers."""

    def methods(rule: Rule) -> set[str]:
        return set(rule.methods or ()) - {"HEAD", "OPTIONS"}

    return {
        (method, address(rule))
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith("console.")
        for method in methods(rule)
    }


def send(service: ServedStudy, method: str, path: str, referral_id: str = "r-1", **how: Any) -> TestResponse:
    """Send a route's request from the table."""
    target = path.replace("{referral_id}", referral_id).replace("{token_id}", "t-1").replace("{webhook_id}", "w-1")
    given = ALLOWED[method, path][1]
    if path == "/v1/tokens":
        account_id = service.accounts["viewer"]
        given = {**given, "account_id": account_id} if given else None
        target += "" if given else f"?account_id={account_id}"
    return service.ask(method, target, given, **how)


def test_every_route_is_either_open_to_all_on_purpose_or_in_the_table(service: ServedStudy) -> None:
    assert routes(service.app) == OPEN_TO_ALL | set(ALLOWED)


@pytest.mark.parametrize("who", GRANTS)
def test_every_route_allows_only_permitted_roles(service: ServedStudy, who: str) -> None:
    service.cap(10_000)
    for number, ((method, path), (allowed, _)) in enumerate(ALLOWED.items()):
        service.hold(f"r-{number}")

        response = send(service, method, path, f"r-{number}", who=who)

        if who in allowed:
            assert response.status_code not in (401, 403), (method, path, response.text)
        elif "{referral_id}" in path and who in ("coordinator elsewhere", "manager elsewhere"):
            # Objects without permission are reported as not found; the manager's role would allow the rest.
            assert response.status_code in (403, 404), (method, path, response.text)
            assert f"r-{number}" not in response.json.get("detail", "") or response.status_code == 404
        else:
            assert response.status_code == 403, (method, path, response.text)
            assert response.json["type"] == "/problems/not-allowed"
            assert response.json["permission"]
        if who not in allowed and method != "GET" and "{referral_id}" in path:
            assert service.ask("GET", f"/v1/referrals/r-{number}").json["state"] == "HELD"


@pytest.mark.parametrize("state", ["none", "empty", "basic", "unknown", "expired", "revoked", "disabled"])
def test_without_a_good_token_every_such_route_is_401(service: ServedStudy, state: str) -> None:
    made = service.token("administrator", days=1)
    header: dict[str, str] = {"Authorization": f"Bearer {made.secret}"}
    if state == "none":
        header = {}
    elif state == "empty":
        header = {"Authorization": "Bearer "}
    elif state == "basic":
        header = {"Authorization": f"Basic {made.secret}"}
    elif state == "unknown":
        header = {"Authorization": f"Bearer {made.secret[:-1]}{'A' if made.secret[-1] != 'A' else 'B'}"}
    elif state == "expired":
        service.later(days=1)
    elif state == "revoked":
        tokens.revoke_token(service.store, token_id=made.token.token_id, now=service.now)
    else:
        accounts.disable_account(service.store, account_id=service.accounts["administrator"], now=service.now)
    for method, path in ALLOWED:
        response = service.client.open(path, method=method, headers={**header, "Idempotency-Key": "k"})

        service.check(method, path, response)
        assert response.status_code == 401, (method, path)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert response.json["type"] == "/problems/not-signed-in"


def test_token_does_nothing_outside_its_scopes(service: ServedStudy) -> None:
    for scope in Permission:
        secret = service.token("administrator", scopes=frozenset({scope})).secret
        for method, path in ALLOWED:
            operation = service.document["paths"][path][method.lower()]
            is_in_scope = f"`{scope.value}`" in operation["description"]

            response = send(service, method, path, secret=secret)

            assert (response.status_code != 403) == is_in_scope, (scope, method, path, response.text)


def test_public_routes_need_no_token_and_ignore_a_bad_one(service: ServedStudy) -> None:
    bad = {"Authorization": "Bearer nonsense"}

    for method, path in OPEN_TO_ALL - {("GET", "/static/{filename}")}:
        target = path.replace("{slug}", "not-found").replace("{site_id}", SITE).replace("{id}", SITE)
        target = target.replace("{country}/{code}", "US/33180")
        assert service.client.open(target, method=method, headers=bad).status_code not in (401, 403)


def test_route_without_a_rule_is_denied_even_to_administrators(service: ServedStudy) -> None:
    service.app._got_first_request = False  # a forgotten route would have existed from the start
    service.app.add_url_rule("/v1/forgotten", endpoint="forgotten", view_func=lambda: "secret")
    headers = {"Authorization": f"Bearer {service.secrets['administrator']}"}

    assert service.client.get("/v1/forgotten").status_code == 401
    assert service.client.get("/v1/forgotten", headers=headers).status_code == 403


def test_coordinator_sees_the_own_site_alone(service: ServedStudy) -> None:
    service.hold("r-1", SITE)
    service.hold("r-2", OTHER_SITE)
    service.ask("POST", "/v1/caps", {"level": "SITE", "scope": OTHER_SITE, "spots": 1})
    service.ask("POST", "/v1/waiting-list", {"site_ids": [OTHER_SITE], "referral_id": "r-3"})

    def ask(path: str) -> Any:
        return service.ask("GET", path, who="coordinator").json

    assert [site["site_id"] for site in ask("/v1/capacity")["sites"]] == [SITE]
    assert [item["referral_id"] for item in ask("/v1/referrals")["referrals"]] == ["r-1"]
    assert [cap["level"] for cap in ask("/v1/caps")["caps"]] == ["STUDY"]
    assert ask("/v1/waiting-list")["entries"] == []
    assert service.hold("r-4", OTHER_SITE, who="coordinator").status_code == 403
    both = {"site_ids": [SITE, OTHER_SITE]}
    assert service.ask("POST", "/v1/waiting-list", both, who="coordinator").status_code == 403


def test_manager_of_another_study_learns_nothing_of_this_one(service: ServedStudy) -> None:
    service.hold("r-1")

    known = service.ask("GET", "/v1/referrals/r-1", who="manager elsewhere")
    unknown = service.ask("GET", "/v1/referrals/r-9", who="manager elsewhere")

    assert known.status_code == unknown.status_code == 404
    assert known.json["detail"].replace("r-1", "r-9") == unknown.json["detail"]


def test_site_taken_from_an_account_is_out_of_reach_at_once(service: ServedStudy) -> None:
    grant = GRANTS["coordinator"]
    assert grant is not None

    accounts.remove_grant(service.store, account_id=service.accounts["coordinator"], grant=grant)

    assert service.hold("r-1", who="coordinator").status_code == 403
