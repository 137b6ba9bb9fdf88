"""API tokens and sessions of the console: creating, checking and revoking them.

Only the SHA-256 of the secret, 256 random bits, is stored. Slow hashes are needed only for passwords, which people
choose.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.accounts.access import Actor, Permission
from sitematch.domain.accounts.token_secret import could_be_secret, new_secret
from sitematch.domain.accounts.tokens import CODE_WITHIN, SESSION_LASTS, TOKEN_LASTS_AT_MOST, NewToken, Token
from sitematch.errors import InvalidInput, LoginFailed
from sitematch.store import schema
from sitematch.store.accounts.accounts import find_account, grants_of
from sitematch.store.accounts.hashing import sha256
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us

_NO_TOKEN = "The token is not valid: it is unknown, expired or revoked."  # noqa: S105 - a message


def create_token(
    store: Store,
    *,
    account_id: str,
    label: str,
    scopes: frozenset[Permission],
    expires_at: datetime,
    now: datetime,
) -> NewToken:
    """Create an API token with the account's permissions, limited to some scopes, until it expires.

    Raises
    ------
    AccountNotFound
        If there is no such account.
    InvalidInput
        If no scope or no label is given, or the expiry is in the past or more than 366 days ahead.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    if not scopes:
        raise InvalidInput("A token needs at least one scope.", field="scopes")
    if not 0 < len(label) <= 100:
        raise InvalidInput("Describe what the token is for, in 1 to 100 characters.", field="label")
    if not now < expires_at <= now + TOKEN_LASTS_AT_MOST:
        raise InvalidInput("The expiry must be in the future and within 366 days.", field="expires_at")
    return _new_token(store, account_id, "api", label, scopes, expires_at, now)


def start_session(store: Store, *, account_id: str, now: datetime) -> NewToken:
    """Create a 12-hour session of the console for an account that has just been authenticated.

    Raises
    ------
    AccountNotFound
        If there is no such account.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    return _new_token(store, account_id, "session", "session", None, now + SESSION_LASTS, now)


def start_half_session(store: Store, *, account_id: str, now: datetime) -> NewToken:
    """Remember for ten minutes that an account's password was right, until the code comes. It opens no page.

    Raises
    ------
    AccountNotFound
        If there is no such account.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    return _new_token(store, account_id, "half-session", "sign-in", None, now + CODE_WITHIN, now)


def _new_token(
    store: Store,
    account_id: str,
    kind: str,
    label: str,
    scopes: frozenset[Permission] | None,
    expires_at: datetime,
    now: datetime,
) -> NewToken:
    secret = new_secret()
    values = {
        "token_id": secrets.token_hex(8),
        "account_id": account_id,
        "kind": kind,
        "label": label,
        "secret_hash": sha256(secret),
        "scopes": None if scopes is None else msgspec.json.encode(sorted(scopes)).decode(),
        "created_at_us": to_us(now),
        "expires_at_us": to_us(expires_at),
        "revoked_at_us": None,
    }
    with store.writing() as connection:
        find_account(connection, schema.account.c.account_id == account_id)
        connection.execute(sa.insert(schema.token).values(**values))
        row = connection.execute(sa.select(schema.token).where(schema.token.c.token_id == values["token_id"])).one()
    return NewToken(token=_token(row), secret=secret)


def authenticate(store: Store, *, secret: str, now: datetime) -> Actor:
    """Return the actor of an API token; the secret of a session is not accepted.

    Raises
    ------
    LoginFailed
        If there is no such token, or it expired, was revoked, or its account is disabled; the error is always the same.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    if not could_be_secret(secret):
        raise LoginFailed(_NO_TOKEN)
    query = (
        sa.select(schema.token)
        .join(schema.account, schema.account.c.account_id == schema.token.c.account_id)
        .where(
            schema.token.c.secret_hash == sha256(secret),
            schema.token.c.kind == "api",
            schema.token.c.revoked_at_us.is_(None),
            schema.token.c.expires_at_us > to_us(now),
            schema.account.c.disabled_at_us.is_(None),
        )
    )
    with store.reading() as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            raise LoginFailed(_NO_TOKEN)
        found = _token(row)
        grants = grants_of(connection, found.account_id)
    return Actor(
        actor_id=f"token:{found.token_id}",
        grants=grants,
        scopes=found.scopes or frozenset(),
        expires_at=found.expires_at,
    )


def revoke_token(store: Store, *, token_id: str, now: datetime) -> None:
    """Revoke a token or session; nothing happens if it has ended or does not exist.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    with store.writing() as connection:
        connection.execute(
            sa.update(schema.token)
            .where(schema.token.c.token_id == token_id, schema.token.c.revoked_at_us.is_(None))
            .values(revoked_at_us=to_us(now))
        )


def list_tokens(store: Store, account_id: str) -> tuple[Token, ...]:
    """Return an account's API tokens, newest first; sessions are not listed."""
    query = (
        sa.select(schema.token)
        .where(schema.token.c.account_id == account_id, schema.token.c.kind == "api")
        .order_by(schema.token.c.created_at_us.desc(), schema.token.c.token_id)
    )
    with store.reading() as connection:
        return tuple(_token(row) for row in connection.execute(query))


def _token(row: sa.Row[Any]) -> Token:
    scopes = None if row.scopes is None else frozenset(Permission(name) for name in msgspec.json.decode(row.scopes))
    return Token(
        token_id=row.token_id,
        account_id=row.account_id,
        label=row.label,
        scopes=scopes,
        created_at=from_us(row.created_at_us),
        expires_at=from_us(row.expires_at_us),
        revoked_at=None if row.revoked_at_us is None else from_us(row.revoked_at_us),
    )
