"""Sign-in under attack, handed-over passwords, and sessions that nobody uses."""

from __future__ import annotations

import threading

import pytest

from sitematch.domain.accounts.tokens import SESSION_LASTS
from sitematch.errors import InvalidInput, LedgerBusy, LoginDelayed, LoginFailed
from sitematch.store.accounts import accounts, attempts, hashing, sessions, tokens
from sitematch.store.engine import Store
from tests.api.console_user import PASSWORD, ConsoleUser, console_user, console_user_with_password, read_text
from tests.api.served_study import ServedStudy
from tests.store.builders import NOW
from tests.store.fixtures import database_url, store

__all__ = ["database_url", "store"]

EMAIL = "ann@example.org"
NEW = "four quiet lanterns"


def fail(store: Store, times: int, device: str | None = None) -> None:
    for _ in range(times):
        with pytest.raises(LoginFailed):
            accounts.log_in(store, email=EMAIL, password="wrong", now=NOW, device=device)


def test_failures_elsewhere_do_not_lock_out_a_known_browser(store: Store) -> None:
    account = accounts.create_account(store, email=EMAIL, now=NOW, password=PASSWORD)
    device = accounts.remember_device(store, account_id=account.account_id, now=NOW)
    fail(store, attempts.FREE_ATTEMPTS + 3)

    with pytest.raises(LoginDelayed):
        accounts.log_in(store, email=EMAIL, password=PASSWORD, now=NOW)
    assert accounts.log_in(store, email=EMAIL, password=PASSWORD, now=NOW, device=device) == account


def test_a_known_browser_has_no_more_attempts_than_others(store: Store) -> None:
    account = accounts.create_account(store, email=EMAIL, now=NOW, password=PASSWORD)
    device = accounts.remember_device(store, account_id=account.account_id, now=NOW)
    fail(store, attempts.FREE_ATTEMPTS + 3, device)

    with pytest.raises(LoginDelayed):
        accounts.log_in(store, email=EMAIL, password=PASSWORD, now=NOW, device=device)


def test_the_browser_of_another_account_is_not_known(store: Store) -> None:
    accounts.create_account(store, email=EMAIL, now=NOW, password=PASSWORD)
    eve = accounts.create_account(store, email="eve@example.org", now=NOW, password=PASSWORD)
    device = accounts.remember_device(store, account_id=eve.account_id, now=NOW)
    fail(store, attempts.FREE_ATTEMPTS + 3)

    with pytest.raises(LoginDelayed):
        accounts.log_in(store, email=EMAIL, password=PASSWORD, now=NOW, device=device)


def test_a_new_password_forgets_the_browsers(store: Store) -> None:
    account = accounts.create_account(store, email=EMAIL, now=NOW, password=PASSWORD)
    device = accounts.remember_device(store, account_id=account.account_id, now=NOW)

    accounts.set_password(store, account_id=account.account_id, password=NEW, now=NOW)

    assert not accounts.is_known_device(store, account_id=account.account_id, device=device)


def test_sign_in_beyond_the_places_is_told_to_come_back_and_counts_as_no_attempt(store: Store) -> None:
    accounts.create_account(store, email=EMAIL, now=NOW, password=PASSWORD)
    taken, done = threading.Barrier(hashing.MOST_WAITING + 1), threading.Event()

    def take() -> None:
        with hashing.place_to_hash():
            taken.wait(10)
            done.wait(10)

    threads = [threading.Thread(target=take) for _ in range(hashing.MOST_WAITING)]
    for thread in threads:
        thread.start()
    taken.wait(10)
    try:
        for _ in range(attempts.FREE_ATTEMPTS + 3):
            with pytest.raises(LedgerBusy) as refused:
                accounts.log_in(store, email=EMAIL, password=PASSWORD, now=NOW)
            assert refused.value.retry_after_s >= 1
    finally:
        done.set()
        for thread in threads:
            thread.join()

    assert accounts.log_in(store, email=EMAIL, password=PASSWORD, now=NOW)


def test_a_password_that_was_handed_over_must_be_replaced_by_another_one(store: Store) -> None:
    account = accounts.create_account(store, email=EMAIL, now=NOW, password=PASSWORD, must_change=True)
    assert account.must_change_password

    with pytest.raises(InvalidInput):
        accounts.set_password(store, account_id=account.account_id, password=PASSWORD, now=NOW)
    accounts.set_password(store, account_id=account.account_id, password=NEW, now=NOW)

    assert not accounts.read_account(store, account.account_id).must_change_password


def test_nothing_else_is_possible_before_the_handed_over_password_is_changed(service: ServedStudy) -> None:
    account_id = service.accounts["administrator"]
    accounts.set_password(service.store, account_id=account_id, password=PASSWORD, now=service.now, must_change=True)
    ann = ConsoleUser(service, "administrator")
    ann.sign_in()

    for path in ("/console", "/console/people", "/console/referrals"):
        assert ann.get(path).headers["Location"].startswith("/console/account"), path
    form = ann.form_in(ann.get("/console/account"), "/account/password")
    csrf = dict(form.fields)["csrf"]
    refused = ann.client.post(
        "/console/people",
        data={"csrf": csrf, "key": "k", "email": "z@example.org"},
        headers={"Origin": "http://localhost"},
    )
    assert refused.status_code == 403
    ann.send(form, password=PASSWORD, new_password=NEW)
    ann.sign_in(NEW)
    assert ann.get("/console").status_code == 200


def test_an_easily_guessed_password_is_refused_with_words(service: ServedStudy) -> None:
    ann = console_user_with_password(service, "viewer")

    refused = ann.fill("/console/account", "/account/password", password=PASSWORD, new_password="password1234")

    assert refused.status_code == 400
    assert "easily guessed" in read_text(refused.text)


def test_session_ends_when_it_is_idle_and_not_while_it_is_used(service: ServedStudy) -> None:
    ann = console_user(service, "viewer")
    for _ in range(4):
        service.later(minutes=14)
        assert ann.get("/console").status_code == 200

    service.later(minutes=16)

    assert "/console/sign-in" in ann.get("/console").headers["Location"]


def test_what_a_page_loads_by_itself_keeps_no_session_alive(service: ServedStudy) -> None:
    ann = console_user(service, "viewer")
    service.later(minutes=14)
    assert ann.get("/console", headers={"Sec-Fetch-Dest": "empty"}).status_code == 200

    service.later(minutes=2)

    assert "/console/sign-in" in ann.get("/console").headers["Location"]


def test_session_ends_after_twelve_hours_however_much_it_is_used(store: Store) -> None:
    account = accounts.create_account(store, email=EMAIL, now=NOW, password=PASSWORD)
    begun = tokens.start_session(store, account_id=account.account_id, now=NOW)
    now = NOW
    while now + SESSION_LASTS / 60 < NOW + SESSION_LASTS:
        now += SESSION_LASTS / 60
        sessions.read_session(store, secret=begun.secret, now=now, idle=SESSION_LASTS / 50)

    with pytest.raises(LoginFailed):
        sessions.read_session(store, secret=begun.secret, now=NOW + SESSION_LASTS, idle=SESSION_LASTS)


def test_own_sessions_are_listed_and_the_others_ended(service: ServedStudy) -> None:
    here, there, other = (console_user(service, who) for who in ("viewer", "viewer", "manager"))

    page = here.get("/console/account")
    assert read_text(page.text).count("last used") == 2
    here.send(here.form_in(page, "/sessions/end"))

    assert here.get("/console").status_code == 200
    assert other.get("/console").status_code == 200
    assert there.get("/console").status_code == 303
    assert "End the other sessions" not in here.get("/console/account").text


@pytest.mark.parametrize("form", ["/people", "/roles", "/tokens"])
def test_what_gives_access_needs_a_recent_sign_in(service: ServedStudy, form: str) -> None:
    ann = console_user_with_password(service, "administrator")
    path = "/console/people" if form == "/people" else f"/console/people/{service.accounts['viewer']}"
    data = {"email": "zoe@example.org", "role": "viewer", "label": "x", "scopes": ["capacity:read"]}
    for _ in range(4):
        service.later(minutes=10)
        assert ann.get(path).status_code == 200
    sent = ann.form_in(ann.get(path), form)
    kept = {name: value for name, value in data.items() if name in dict(sent.fields)}

    refused = ann.send(sent, **kept)

    assert refused.status_code == 401
    assert "nothing was changed" in read_text(refused.text)
    again = ann.form_in(refused, "/console/sign-in")
    response = ann.send(again, email=ann.email, password=PASSWORD)
    assert response.headers["Location"] == path
    assert len(accounts.list_accounts(service.store)) == len(service.accounts)
