from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sitematch.domain.accounts.access import Grant, Permission, Role, may
from sitematch.domain.accounts.account import Account
from sitematch.errors import AccountNotFound, InvalidInput, LoginDelayed, LoginFailed
from sitematch.store import schema
from sitematch.store.accounts import accounts, attempts, sessions, tokens
from sitematch.store.engine import Store
from tests.store.builders import NOW

PASSWORD = "correct horse battery"
SCOPES = frozenset({Permission.CAPACITY_READ})


def make_account(store: Store, email: str = "Ann@Example.org", password: str | None = PASSWORD) -> Account:
    return accounts.create_account(store, email=email, password=password, now=NOW)


def test_fresh_database_lets_nobody_in(store: Store) -> None:
    assert accounts.list_accounts(store) == ()


def test_new_account_signs_in_but_may_do_nothing(store: Store) -> None:
    made = make_account(store)

    found = accounts.log_in(store, email=" ann@example.ORG ", password=PASSWORD, now=NOW)

    assert found == made
    assert not any(may(found.actor, permission) for permission in Permission)


def test_password_is_kept_as_argon2id_only(store: Store) -> None:
    make_account(store)

    with store.reading() as connection:
        kept = connection.execute(sa.select(schema.account.c.password_hash)).scalar_one()

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in kept


@pytest.mark.parametrize(
    ("email", "password"),
    [("ann@example.org", "wrong password!"), ("nobody@example.org", PASSWORD), ("bob@example.org", "")],
)
def test_wrong_pair_gets_one_and_the_same_answer(store: Store, email: str, password: str) -> None:
    make_account(store)
    make_account(store, "bob@example.org", password=None)

    with pytest.raises(LoginFailed, match="Incorrect e-mail or password") as caught:
        accounts.log_in(store, email=email, password=password, now=NOW)

    assert type(caught.value) is LoginFailed


@pytest.mark.parametrize("email", ["ann@example.org", "nobody@example.org"])
def test_attempts_slow_down_for_known_and_unknown_alike(store: Store, email: str) -> None:
    make_account(store)
    now = NOW
    for _ in range(attempts.FREE_ATTEMPTS):
        with pytest.raises(LoginFailed):
            accounts.log_in(store, email=email, password="x", now=now)

    waits = []
    for _ in range(3):
        with pytest.raises(LoginDelayed) as caught:
            accounts.log_in(store, email=email, password=PASSWORD, now=now)
        waits.append(caught.value.retry_after_s)
        now += timedelta(seconds=caught.value.retry_after_s)
        with pytest.raises(LoginFailed) as failed:
            accounts.log_in(store, email=email, password="x", now=now)
        assert not isinstance(failed.value, LoginDelayed)

    assert waits == [1, 2, 4]


def test_success_forgets_the_failures(store: Store) -> None:
    make_account(store)
    for _ in range(3):
        for _ in range(attempts.FREE_ATTEMPTS - 1):
            with pytest.raises(LoginFailed):
                accounts.log_in(store, email="ann@example.org", password="x", now=NOW)

        assert accounts.log_in(store, email="ann@example.org", password=PASSWORD, now=NOW)


def test_wait_has_an_end() -> None:
    assert attempts._wait_after(10_000) == attempts.LONGEST_WAIT


@pytest.mark.parametrize("email", ["", "ann", "ann@host", "a b@example.org", "@example.org", "x" * 250 + "@a.org"])
def test_malformed_email_is_refused(store: Store, email: str) -> None:
    with pytest.raises(InvalidInput, match="e-mail"):
        make_account(store, email)


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_password_out_of_bounds_is_refused(store: Store, password: str) -> None:
    with pytest.raises(InvalidInput, match="12 to 256"):
        make_account(store, password=password)


def test_email_is_taken_once(store: Store) -> None:
    make_account(store)

    with pytest.raises(InvalidInput, match="already"):
        make_account(store, "ANN@example.org")


def test_roles_come_and_go(store: Store) -> None:
    made = make_account(store)
    site = Grant(role=Role.SITE_COORDINATOR, study_id="NCT1", site_id="s-1")
    study = Grant(role=Role.VIEWER, study_id="NCT2")

    for grant in (site, study, study):
        accounts.give(store, account_id=made.account_id, grant=grant)
    both = accounts.read_account(store, made.account_id).grants
    left = accounts.remove_grant(store, account_id=made.account_id, grant=site).grants

    assert (set(both), left) == ({site, study}, (study,))
    with pytest.raises(AccountNotFound):
        accounts.give(store, account_id="none", grant=study)


def test_identity_of_openid_connect_signs_in_as_its_account(store: Store) -> None:
    made = make_account(store, password=None)
    accounts.link_identity(store, account_id=made.account_id, issuer="https://id.example", subject="42")

    found = accounts.account_of_identity(store, issuer="https://id.example", subject="42")

    assert found == made
    with pytest.raises(LoginFailed):
        accounts.account_of_identity(store, issuer="https://other.example", subject="42")
    with pytest.raises(InvalidInput, match="linked"):
        accounts.link_identity(store, account_id=made.account_id, issuer="https://id.example", subject="42")


def test_token_acts_for_its_account_within_its_scopes(store: Store) -> None:
    made = make_account(store)
    accounts.give(store, account_id=made.account_id, grant=Grant(role=Role.ADMINISTRATOR))
    new = tokens.create_token(
        store, account_id=made.account_id, label="ci", scopes=SCOPES, expires_at=NOW + timedelta(days=1), now=NOW
    )

    actor = tokens.authenticate(store, secret=new.secret, now=NOW)

    assert actor.actor_id == f"token:{new.token.token_id}"
    assert may(actor, Permission.CAPACITY_READ)
    assert not may(actor, Permission.CAPS_WRITE)
    assert [item.label for item in tokens.list_tokens(store, made.account_id)] == ["ci"]


def test_secret_has_256_random_bits_and_is_neither_kept_nor_shown(store: Store) -> None:
    made = make_account(store)
    news = [tokens.start_session(store, account_id=made.account_id, now=NOW) for _ in range(3)]

    with store.reading() as connection:
        rows = connection.execute(sa.select(schema.token)).all()

    assert len({new.secret for new in news}) == 3
    # 43 characters of base64 hold them; a checksum follows.
    assert all(new.secret.startswith("sm_") and len(new.secret) > len("sm_") + 43 for new in news)
    assert all(new.secret not in str(rows) and new.secret not in repr(new) for new in news)
    assert {row.secret_hash for row in rows} == {hashlib.sha256(new.secret.encode()).hexdigest() for new in news}


def test_session_may_do_all_that_its_account_may(store: Store) -> None:
    made = make_account(store)
    accounts.give(store, account_id=made.account_id, grant=Grant(role=Role.ADMINISTRATOR))

    new = tokens.start_session(store, account_id=made.account_id, now=NOW)

    actor = sessions.read_session(store, secret=new.secret, now=NOW).account.actor
    assert actor.actor_id == f"user:{made.account_id}"
    assert all(may(actor, permission) for permission in Permission)


@pytest.mark.parametrize("end", ["expiry", "revocation", "new password", "disabled", "other secret"])
def test_token_that_has_ended_opens_nothing(store: Store, end: str) -> None:
    made = make_account(store)
    lasts = timedelta(days=1)
    new = tokens.create_token(
        store, account_id=made.account_id, label="x", scopes=frozenset(Permission), expires_at=NOW + lasts, now=NOW
    )
    now, secret = NOW, new.secret
    if end == "expiry":
        now += lasts
    elif end == "revocation":
        tokens.revoke_token(store, token_id=new.token.token_id, now=NOW)
    elif end == "new password":
        accounts.set_password(store, account_id=made.account_id, password="another password", now=NOW)
    elif end == "disabled":
        accounts.disable_account(store, account_id=made.account_id, now=NOW)
    else:
        secret = "sm_" + "A" * 43

    with pytest.raises(LoginFailed, match="unknown, expired or revoked"):
        tokens.authenticate(store, secret=secret, now=now)


def test_disabled_account_cannot_sign_in(store: Store) -> None:
    made = make_account(store)
    accounts.disable_account(store, account_id=made.account_id, now=NOW)

    with pytest.raises(LoginFailed):
        accounts.log_in(store, email="ann@example.org", password=PASSWORD, now=NOW)


def test_token_without_scope_label_or_sensible_expiry_is_refused(store: Store) -> None:
    made = make_account(store)
    sound = {"label": "ci", "scopes": SCOPES, "expires_at": NOW + timedelta(days=1)}

    for change in (
        {"scopes": frozenset()},
        {"label": ""},
        {"expires_at": NOW},
        {"expires_at": NOW + timedelta(days=367)},
    ):
        with pytest.raises(InvalidInput):
            tokens.create_token(store, account_id=made.account_id, now=NOW, **{**sound, **change})  # type: ignore[arg-type]
    with pytest.raises(AccountNotFound):
        tokens.create_token(store, account_id="none", now=NOW, **sound)  # type: ignore[arg-type]
