"""Codes of an authenticator app (RFC 6238) as a second factor, and recovery codes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pyotp
import pytest
from click.testing import CliRunner

from sitematch.cli import main
from sitematch.errors import InvalidInput, LoginDelayed, LoginFailed
from sitematch.store.accounts import accounts, attempts, second_factor
from sitematch.store.engine import Store
from tests.api.console_user import ORIGIN, PASSWORD, ConsoleUser, console_user_with_password, read_text
from tests.api.served_study import ServedStudy
from tests.store.builders import NOW
from tests.store.fixtures import database_url, store

__all__ = ["database_url", "store"]


def code_at(secret: str, now: datetime) -> str:
    return pyotp.TOTP(secret).at(now)


def enabled(store: Store) -> tuple[str, str, tuple[str, ...]]:
    account = accounts.create_account(store, email="ann@example.org", now=NOW, password=PASSWORD)
    secret = second_factor.new_secret()
    codes = second_factor.enable(
        store, account_id=account.account_id, secret=secret, code=code_at(secret, NOW), now=NOW
    )
    return account.account_id, secret, codes


def test_code_is_accepted_once_and_half_a_minute_early_or_late(store: Store) -> None:
    account_id, secret, _ = enabled(store)
    later = NOW + timedelta(minutes=5)

    for offset in (-30, 0, 30):
        code = code_at(secret, later + timedelta(seconds=offset))
        assert second_factor.check(store, account_id=account_id, code=code, now=later).has_totp
        with pytest.raises(LoginFailed):
            second_factor.check(store, account_id=account_id, code=code, now=later)


@pytest.mark.parametrize("offset", [-90, 90])
def test_code_of_another_time_is_refused(store: Store, offset: int) -> None:
    account_id, secret, _ = enabled(store)
    later = NOW + timedelta(minutes=5)

    with pytest.raises(LoginFailed):
        second_factor.check(
            store, account_id=account_id, code=code_at(secret, later + timedelta(seconds=offset)), now=later
        )


def test_code_that_set_up_the_app_does_not_sign_in_as_well(store: Store) -> None:
    account_id, secret, _ = enabled(store)

    with pytest.raises(LoginFailed):
        second_factor.check(store, account_id=account_id, code=code_at(secret, NOW), now=NOW)


def test_recovery_code_works_once_however_it_is_typed(store: Store) -> None:
    account_id, _, codes = enabled(store)

    second_factor.check(store, account_id=account_id, code=f" {codes[0][:10].upper()}-{codes[0][10:]} ", now=NOW)

    assert second_factor.count_recovery_codes(store, account_id) == second_factor.RECOVERY_CODES - 1
    with pytest.raises(LoginFailed):
        second_factor.check(store, account_id=account_id, code=codes[0], now=NOW)


def test_guessing_codes_is_slowed_down(store: Store) -> None:
    account_id, secret, _ = enabled(store)
    with pytest.raises(LoginDelayed):
        for _ in range(attempts.FREE_ATTEMPTS + 3):
            with pytest.raises(LoginFailed) as failed:
                second_factor.check(store, account_id=account_id, code="000000", now=NOW)
            if isinstance(failed.value, LoginDelayed):
                raise failed.value

    with pytest.raises(LoginDelayed):
        second_factor.check(store, account_id=account_id, code=code_at(secret, NOW + timedelta(seconds=30)), now=NOW)


def test_app_that_shows_another_code_is_not_set_up(store: Store) -> None:
    account = accounts.create_account(store, email="ann@example.org", now=NOW, password=PASSWORD)

    with pytest.raises(InvalidInput):
        second_factor.enable(
            store, account_id=account.account_id, secret=second_factor.new_secret(), code="000000", now=NOW
        )

    assert not accounts.read_account(store, account.account_id).has_totp


def set_up(user: ConsoleUser) -> tuple[str, list[str]]:
    page = user.get("/console/account/second-factor")
    found = re.search(r'class="secret"[^>]*>([A-Z2-7]{32})<', page.text)
    assert found is not None
    assert "<svg" in page.text
    code = code_at(found[1], user.service.now)
    done = user.send(user.form_in(page, "/second-factor"), password=PASSWORD, code=code)
    codes = re.findall(r"<code class=\"code\">([0-9a-f]{20})</code>", done.text)
    assert len(codes) == second_factor.RECOVERY_CODES, read_text(done.text)
    return found[1], codes


def test_password_alone_opens_nothing_and_the_code_does(service: ServedStudy) -> None:
    ann = console_user_with_password(service, "administrator")
    secret, _ = set_up(ann)
    service.later(minutes=2)
    visitor = ConsoleUser(service, "administrator")

    asked = visitor.sign_in(next="/console/people")
    assert asked.headers["Location"].startswith("/console/sign-in/code")
    assert "/console/sign-in" in visitor.get("/console").headers["Location"]
    form = visitor.form_in(visitor.follow(asked), "/sign-in/code")
    wrong = visitor.client.post(form.action, data=form.data({"code": "000000"}), headers=ORIGIN)
    right = visitor.client.post(form.action, data=form.data({"code": code_at(secret, service.now)}), headers=ORIGIN)

    assert wrong.status_code == 401
    assert (right.status_code, right.headers["Location"]) == (303, "/console/people")
    assert visitor.get("/console/people").status_code == 200


def test_code_without_the_password_before_is_refused(service: ServedStudy) -> None:
    ann = console_user_with_password(service, "administrator")
    secret, _ = set_up(ann)
    service.later(minutes=2)
    visitor = ConsoleUser(service, "administrator")

    code = code_at(secret, service.now)
    refused = visitor.client.post("/console/sign-in/code", data={"code": code}, headers=ORIGIN)

    assert refused.status_code == 401


def test_code_ten_minutes_after_the_password_is_refused(service: ServedStudy) -> None:
    secret, _ = set_up(console_user_with_password(service, "administrator"))
    visitor = ConsoleUser(service, "administrator")
    visitor.sign_in()
    service.later(minutes=11)

    code = code_at(secret, service.now)
    refused = visitor.client.post("/console/sign-in/code", data={"code": code}, headers=ORIGIN)

    assert refused.status_code == 401


def test_second_factor_is_removed_only_with_password_and_code(service: ServedStudy) -> None:
    ann = console_user_with_password(service, "viewer")
    _, codes = set_up(ann)
    path = "/console/account/second-factor"

    refused = ann.fill(path, f"{path}/end", password=PASSWORD, code="000000")
    done = ann.fill(path, f"{path}/end", password=PASSWORD, code=codes[0])

    assert (refused.status_code, done.status_code) == (403, 303)
    assert not accounts.read_account(service.store, service.accounts["viewer"]).has_totp


def test_setting_it_up_ends_the_sessions_that_the_password_opened(service: ServedStudy) -> None:
    here = console_user_with_password(service, "viewer")
    there = ConsoleUser(service, "viewer")
    there.sign_in()

    set_up(here)

    assert here.get("/console").status_code == 200
    assert there.get("/console").status_code == 303


def test_administrator_without_it_can_do_nothing_else_where_it_is_required(service: ServedStudy) -> None:
    object.__setattr__(service.app.extensions["sitematch"].settings, "require_second_factor", True)
    ann, vera = (console_user_with_password(service, who) for who in ("administrator", "viewer"))

    assert ann.get("/console/people").headers["Location"].startswith("/console/account/second-factor")
    assert vera.get("/console").status_code == 200
    set_up(ann)
    assert ann.get("/console/people").status_code == 200


def test_operator_resets_it_for_somebody_who_lost_the_app(
    service: ServedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = console_user_with_password(service, "viewer")
    set_up(ann)
    settings = service.app.extensions["sitematch"].settings
    monkeypatch.setenv("SITEMATCH_HOME", str(settings.home))
    monkeypatch.setenv("SITEMATCH_DATABASE_URL", settings.database_url)

    done = CliRunner().invoke(main, ["user", "reset-second-factor", "viewer@example.org"], catch_exceptions=False)

    assert done.exit_code == 0, done.output
    assert not accounts.read_account(service.store, service.accounts["viewer"]).has_totp
    assert second_factor.count_recovery_codes(service.store, service.accounts["viewer"]) == 0
