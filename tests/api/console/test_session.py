"""Signing in to the console, its cookie, and the protection against other sites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sitematch.services.finding.finder import Finder
from sitematch.store.accounts import accounts, tokens
from tests.api.console_user import ORIGIN, PASSWORD, ConsoleUser, console_user, console_user_with_password, read_text
from tests.api.served_study import SITE, ServedStudy


def cookies(response: Any) -> list[str]:
    return [value for name, value in response.headers if name == "Set-Cookie"]


def test_sign_in_leads_to_the_console_with_a_cookie_that_scripts_and_other_sites_cannot_use(
    service: ServedStudy,
) -> None:
    ann = console_user_with_password(service, "administrator")

    response = ann.sign_in()

    (cookie,) = cookies(response)
    name, *flags = cookie.split("; ")
    assert response.headers["Location"] == "/console"
    assert name.startswith("sitematch-console=sm_")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"} <= set(flags)
    assert "Secure" not in flags  # plain http, and this machine alone
    assert ann.get("/console").status_code == 200


@pytest.mark.parametrize("how", ["directly", "through a proxy"])
def test_cookie_over_https_is_secure_and_bound_to_the_host(service: ServedStudy, how: str) -> None:
    ann = console_user_with_password(service, "administrator")
    ann.client = service.app.test_client()
    base = "https://trials.example.org" if how == "directly" else "http://trials.example.org"
    data = {"email": ann.email, "password": PASSWORD}

    response = ann.client.post(
        "/console/sign-in", data=data, headers={"Origin": "https://trials.example.org"}, base_url=base
    )

    cookie, device = cookies(response)
    assert cookie.startswith("__Host-sitematch=sm_")
    assert device.startswith("__Host-sitematch-device=")
    for sent in (cookie, device):
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(sent.split("; "))
        assert "Domain" not in sent
    secret = cookie.partition("=")[2].partition(";")[0]
    asked = ann.client.get("/console", headers={"Cookie": f"__Host-sitematch={secret}"}, base_url=base)
    assert asked.status_code == 200


def test_password_is_not_taken_over_plain_http_from_another_machine(service: ServedStudy) -> None:
    ann = console_user_with_password(service, "administrator")
    data = {"email": ann.email, "password": PASSWORD}
    base = "http://trials.example.org"

    page = service.client.get("/console/sign-in", base_url=base)
    response = service.client.post("/console/sign-in", data=data, headers={"Origin": base}, base_url=base)

    assert "https://" in read_text(page.text)
    assert response.status_code == 403
    assert not cookies(response)


def test_cookie_without_the_prefix_counts_for_nothing_away_from_this_machine(service: ServedStudy) -> None:
    """Another server of the domain could set it, and so sign somebody in as itself."""
    session = tokens.start_session(service.store, account_id=service.accounts["administrator"], now=service.now)
    plain = {"Cookie": f"sitematch-console={session.secret}"}

    client = service.app.test_client(use_cookies=False)

    here = client.get("/console", headers=plain)
    there = client.get("/console", headers=plain, base_url="https://trials.example.org")

    assert (here.status_code, there.status_code) == (200, 303)


@pytest.mark.parametrize(("email", "password"), [("viewer@example.org", "wrong"), ("nobody@example.com", PASSWORD)])
def test_wrong_e_mail_and_wrong_password_get_the_same_words_and_no_cookie(
    service: ServedStudy, email: str, password: str
) -> None:
    console_user_with_password(service, "viewer")

    response = service.client.post("/console/sign-in", data={"email": email, "password": password}, headers=ORIGIN)

    assert response.status_code == 401
    assert "Incorrect e-mail or password" in response.text
    assert f'value="{email}"' in response.text
    assert password not in response.text
    assert not cookies(response)


def test_too_many_failures_are_told_with_the_wait_and_the_right_password_waits_too(service: ServedStudy) -> None:
    ann = console_user_with_password(service, "administrator")
    for _ in range(7):
        ann.sign_in("wrong")

    refused = ann.sign_in()
    service.later(minutes=16)

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert "Wait " in read_text(refused.text)
    assert ann.sign_in().status_code == 303


def test_server_that_nobody_can_sign_in_to_says_what_to_run(service: ServedStudy) -> None:
    before = service.client.get("/console/sign-in")
    console_user_with_password(service, "administrator")
    after = service.client.get("/console/sign-in")

    assert "sitematch user add" in before.text
    assert "sitematch user add" not in after.text


def test_page_leads_through_sign_in_back_to_itself(service: ServedStudy) -> None:
    accounts.set_password(service.store, account_id=service.accounts["viewer"], password=PASSWORD, now=service.now)
    vera = ConsoleUser(service, "viewer")

    asked = vera.get("/console/referrals?state=HELD")
    form = vera.form_in(vera.follow(asked), "/console/sign-in")
    response = vera.send(form, email=vera.email, password=PASSWORD)

    assert response.headers["Location"] == "/console/referrals?state=HELD"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/console", "/v1/sites", "/console\\@evil", "/consolexyz"]
)
def test_sign_in_leads_nowhere_else(service: ServedStudy, target: str) -> None:
    console_user_with_password(service, "viewer")

    response = ConsoleUser(service, "viewer").sign_in(next=target)

    assert response.headers["Location"] == "/console"


def test_session_ends_by_time_by_sign_out_by_revocation_and_by_disabling(service: ServedStudy) -> None:
    ann, bob, vera, max_ = (console_user(service, who) for who in ("administrator", "coordinator", "viewer", "manager"))

    bob.fill("/console", "/console/sign-out")
    accounts.disable_account(service.store, account_id=service.accounts["viewer"], now=service.now)
    ann.fill(f"/console/people/{service.accounts['manager']}", "/sessions/end")

    assert [each.get("/console").status_code for each in (ann, bob, vera, max_)] == [200, 303, 303, 303]
    service.later(hours=12)
    assert ann.get("/console").status_code == 303


def test_signing_in_again_ends_the_session_before(service: ServedStudy) -> None:
    ann = console_user_with_password(service, "administrator")
    before = ann.client.get_cookie("sitematch-console")
    assert before is not None

    ann.sign_in()

    other = service.app.test_client()
    other.set_cookie("sitematch-console", before.value)
    assert other.get("/console").status_code == 303
    assert ann.get("/console").status_code == 200


def test_form_of_a_session_that_has_ended_changes_nothing_and_says_so(service: ServedStudy) -> None:
    bob = console_user(service, "coordinator")
    form = bob.form_in(bob.get(f"/console/sites/{SITE}"), "/console/hold/spot")
    service.later(hours=12)

    response = bob.send(form, referral_id="r-1")

    assert response.status_code == 401
    assert "nothing was changed" in response.text
    assert service.ask("GET", "/v1/referrals/r-1").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "none"},
    ],
)
def test_form_from_elsewhere_is_refused_even_with_the_right_token(
    service: ServedStudy, headers: dict[str, str]
) -> None:
    bob = console_user(service, "coordinator")
    form = bob.form_in(bob.get(f"/console/sites/{SITE}"), "/console/hold/spot")

    response = bob.send(form, headers=headers, referral_id="r-1")

    assert response.status_code == 403
    assert service.ask("GET", "/v1/referrals/r-1").status_code == 404
    assert (
        ConsoleUser(service, "coordinator")
        .client.post("/console/sign-in", data={"email": bob.email, "password": PASSWORD}, headers=headers)
        .status_code
        == 403
    )  # nor can somebody be signed in by another site


@pytest.mark.parametrize("token", ["", "x" * 64, "of another session", "\u00e9"])
def test_form_without_its_sessions_token_is_refused(service: ServedStudy, token: str) -> None:
    bob = console_user(service, "coordinator")
    form = bob.form_in(bob.get(f"/console/sites/{SITE}"), "/console/hold/spot")
    if token == "of another session":
        vera = console_user(service, "viewer")
        token = dict(vera.form_in(vera.get("/console"), "/console/sign-out").fields)["csrf"]

    response = bob.send(form, csrf=token, referral_id="r-1")

    assert response.status_code == 403
    assert service.ask("GET", "/v1/referrals/r-1").status_code == 404


def test_form_from_our_page_is_known_by_the_browsers_word_whatever_the_proxy_does_to_the_host(
    service: ServedStudy,
) -> None:
    bob = console_user(service, "coordinator")
    form = bob.form_in(bob.get(f"/console/sites/{SITE}"), "/console/hold/spot")
    headers = {"Origin": "https://trials.example.org", "Sec-Fetch-Site": "same-origin"}

    assert bob.send(form, headers=headers, referral_id="r-1").status_code == 303


def test_cookie_opens_nothing_under_v1(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")

    read = ann.get("/v1/capacity")
    write = ann.client.post("/v1/referrals", json={"site_id": SITE}, headers={"Idempotency-Key": "k", **ORIGIN})

    assert (read.status_code, write.status_code) == (401, 401)


def test_api_token_opens_no_page_of_the_console(service: ServedStudy) -> None:
    client = service.app.test_client()
    client.set_cookie("sitematch-console", service.secrets["administrator"])

    by_cookie = client.get("/console")
    by_header = service.client.get("/console", headers={"Authorization": f"Bearer {service.secrets['administrator']}"})

    assert (by_cookie.status_code, by_header.status_code) == (303, 303)


def test_own_password_is_changed_only_with_the_present_one_and_ends_every_session(service: ServedStudy) -> None:
    vera = console_user_with_password(service, "viewer")
    elsewhere = ConsoleUser(service, "viewer")
    elsewhere.sign_in()

    wrong = vera.fill("/console/account", "/password", password="not it", new_password="another long password")
    short = vera.fill("/console/account", "/password", password=PASSWORD, new_password="short")
    done = vera.fill("/console/account", "/password", password=PASSWORD, new_password="another long password")

    assert (wrong.status_code, short.status_code, done.status_code) == (403, 400, 200)
    assert elsewhere.get("/console").status_code == 303
    assert vera.sign_in("another long password").status_code == 303


def test_pages_are_kept_by_nobody_and_name_themselves_to_our_own_site_alone(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")

    for path in ("/console", "/console/sign-in", "/console/people", "/console/referrals/none"):
        response = ann.get(path)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def test_console_of_a_server_without_its_database_says_that_it_is_not_ready(tmp_path: Path, finder: Finder) -> None:
    from tests.api.builders import make_app

    client = make_app(tmp_path, finder).test_client()

    response = client.get("/console/sign-in", headers={"Accept": "text/html"})

    assert response.status_code == 503
    assert "Retry-After" in response.headers
