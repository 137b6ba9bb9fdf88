from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from sitematch.domain.accounts.access import Permission
from sitematch.domain.accounts.tokens import SESSION_LASTS
from sitematch.errors import LoginFailed
from sitematch.store import schema
from sitematch.store.accounts import accounts, hashing, sessions, tokens
from sitematch.store.engine import Store
from tests.store.builders import NOW


def make_account(store: Store, email: str = "ann@example.org", password: str | None = None) -> str:
    return accounts.create_account(store, email=email, now=NOW, password=password).account_id


def test_session_is_read_by_its_secret_with_the_person_and_its_life(store: Store) -> None:
    account_id = make_account(store)
    begun = tokens.start_session(store, account_id=account_id, now=NOW)

    found = sessions.read_session(store, secret=begun.secret, now=NOW)

    assert (found.session_id, found.account.account_id) == (begun.token.token_id, account_id)
    assert found.account.actor.scopes is None
    assert found.expires_at - found.started_at == SESSION_LASTS


@pytest.mark.parametrize("how", ["unknown", "expired", "revoked", "disabled", "an API token"])
def test_session_that_does_not_hold_is_refused(store: Store, how: str) -> None:
    account_id, now = make_account(store), NOW
    begun = tokens.start_session(store, account_id=account_id, now=NOW)
    secret = begun.secret
    if how == "unknown":
        secret += "x"
    elif how == "expired":
        now += SESSION_LASTS
    elif how == "revoked":
        tokens.revoke_token(store, token_id=begun.token.token_id, now=NOW)
    elif how == "disabled":
        accounts.disable_account(store, account_id=account_id, now=NOW)
    else:
        made = tokens.create_token(
            store, account_id=account_id, label="x", scopes=frozenset(Permission),
            expires_at=NOW + timedelta(days=1), now=NOW,
        )  # fmt: skip
        secret = made.secret

    with pytest.raises(LoginFailed):
        sessions.read_session(store, secret=secret, now=now)


def test_ending_sessions_leaves_tokens_and_other_peoples_sessions(store: Store) -> None:
    ann, bob = make_account(store), make_account(store, "bob@example.org")
    for account_id in (ann, ann, bob):
        tokens.start_session(store, account_id=account_id, now=NOW)
    token = tokens.create_token(
        store, account_id=ann, label="x", scopes=frozenset(Permission), expires_at=NOW + timedelta(days=1), now=NOW
    )
    before = sessions.count_sessions(store, account_id=ann, now=NOW)

    ended = sessions.end_sessions(store, account_id=ann, now=NOW)

    assert (before, ended) == (2, 2)
    assert sessions.count_sessions(store, account_id=ann, now=NOW) == 0
    assert sessions.count_sessions(store, account_id=bob, now=NOW) == 1
    assert tokens.authenticate(store, secret=token.secret, now=NOW).actor_id


def test_somebody_may_sign_in_once_an_account_has_a_password_and_is_not_disabled(store: Store) -> None:
    nobody = sessions.anybody_may_sign_in(store)
    make_account(store)
    without = sessions.anybody_may_sign_in(store)
    account_id = make_account(store, "bob@example.org", "correct horse battery")
    with_password = sessions.anybody_may_sign_in(store)
    accounts.disable_account(store, account_id=account_id, now=NOW)

    assert (nobody, without, with_password) == (False, False, True)
    assert not sessions.anybody_may_sign_in(store)


def test_token_of_before_the_checksum_stays_valid(store: Store) -> None:
    account = accounts.create_account(store, email="old@example.org", now=NOW)
    made = tokens.create_token(
        store,
        account_id=account.account_id,
        label="old",
        scopes=frozenset({Permission.CAPACITY_READ}),
        expires_at=NOW + timedelta(days=1),
        now=NOW,
    )
    old = "sm_" + "A" * 43
    with store.writing() as connection:
        connection.execute(
            sa.update(schema.token)
            .where(schema.token.c.token_id == made.token.token_id)
            .values(secret_hash=hashing.sha256(old))
        )

    assert tokens.authenticate(store, secret=old, now=NOW).actor_id == f"token:{made.token.token_id}"
