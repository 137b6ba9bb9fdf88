"""Sessions of the console: look-up, listing and end.

A session is a special kind of token, which `store.accounts.tokens.start_session` creates. Here it is looked up together
with its account.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sitematch.domain.accounts.account import Account
from sitematch.domain.accounts.tokens import SESSION_LASTS, Session
from sitematch.errors import LedgerBusy, LoginFailed, StorageFault
from sitematch.store import schema
from sitematch.store.accounts.accounts import find_account
from sitematch.store.accounts.hashing import sha256
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us

_SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last use of a session is known: a page is not worth a write each time."""


def _alive(now: datetime, idle: timedelta = SESSION_LASTS) -> sa.ColumnElement[bool]:
    token = schema.token.c
    return sa.and_(
        token.kind == "session",
        token.revoked_at_us.is_(None),
        token.expires_at_us > to_us(now),
        sa.func.coalesce(token.seen_at_us, token.created_at_us) > to_us(now - idle),
    )


def read_session(
    store: Store, *, secret: str, now: datetime, idle: timedelta = SESSION_LASTS, is_use: bool = True
) -> Session:
    """Return the session of a secret.

    Parameters
    ----------
    store, secret, now
        The database, the session's secret and the instant (aware).
    idle
        How long a session lasts without use.
    is_use
        Whether a person asks: what a page loads by itself does not keep a session alive.

    Raises
    ------
    LoginFailed
        If there is none, or it expired, was idle for too long or was ended, or its account is disabled; the error is
        always the same. API tokens have no session.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    query = sa.select(schema.token).where(schema.token.c.secret_hash == sha256(secret), _alive(now, idle))
    with store.reading() as connection:
        row = connection.execute(query).one_or_none()
        account = None if row is None else find_account(connection, schema.account.c.account_id == row.account_id)
    if row is None or account is None or account.is_disabled:
        raise LoginFailed("The session has ended.")
    found = _session(row, account)
    if is_use and now - found.seen_at >= _SEEN_EVERY:
        with suppress(LedgerBusy, StorageFault), store.writing() as connection:
            connection.execute(
                sa.update(schema.token).where(schema.token.c.token_id == row.token_id).values(seen_at_us=to_us(now))
            )
    return found


def _session(row: sa.Row[Any], account: Account) -> Session:
    return Session(
        session_id=row.token_id,
        account=account,
        started_at=from_us(row.created_at_us),
        seen_at=from_us(row.created_at_us if row.seen_at_us is None else row.seen_at_us),
        expires_at=from_us(row.expires_at_us),
    )


def read_half_session(store: Store, *, secret: str, now: datetime) -> Session:
    """Return the sign-in whose password was right and whose code is still to come.

    Raises
    ------
    LoginFailed
        If there is none, or it is older than ten minutes.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    token = schema.token.c
    query = sa.select(schema.token).where(
        token.secret_hash == sha256(secret),
        token.kind == "half-session",
        token.revoked_at_us.is_(None),
        token.expires_at_us > to_us(now),
    )
    with store.reading() as connection:
        row = connection.execute(query).one_or_none()
        account = None if row is None else find_account(connection, schema.account.c.account_id == row.account_id)
    if row is None or account is None or account.is_disabled:
        raise LoginFailed("The sign-in has ended. Type the password again.")
    return _session(row, account)


def list_sessions(
    store: Store, account: Account, *, now: datetime, idle: timedelta = SESSION_LASTS
) -> tuple[Session, ...]:
    """Return the open sessions of an account, the last one used first. Errors: see `Store.reading`."""
    query = sa.select(schema.token).where(schema.token.c.account_id == account.account_id, _alive(now, idle))
    with store.reading() as connection:
        found = [_session(row, account) for row in connection.execute(query)]
    return tuple(sorted(found, key=lambda session: (session.seen_at, session.session_id), reverse=True))


def end_other_sessions(store: Store, *, account_id: str, kept_id: str, now: datetime) -> int:
    """End every session of an account but one, and return how many there were. Errors: see `Store.writing`."""
    with store.writing() as connection:
        ended = connection.execute(
            sa.update(schema.token)
            .where(schema.token.c.account_id == account_id, schema.token.c.token_id != kept_id, _alive(now))
            .values(revoked_at_us=to_us(now))
        )
        return ended.rowcount


def count_sessions(store: Store, *, account_id: str, now: datetime) -> int:
    """Return the number of open sessions of an account.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    query = sa.select(sa.func.count()).where(schema.token.c.account_id == account_id, _alive(now))
    with store.reading() as connection:
        return int(connection.execute(query).scalar_one())


def end_sessions(store: Store, *, account_id: str, now: datetime) -> int:
    """End every session of an account and return how many there were; its API tokens stay valid.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    with store.writing() as connection:
        ended = connection.execute(
            sa.update(schema.token)
            .where(schema.token.c.account_id == account_id, _alive(now))
            .values(revoked_at_us=to_us(now))
        )
        return ended.rowcount


def anybody_may_sign_in(store: Store) -> bool:
    """Return whether there is an active account with a password.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    usable = sa.select(schema.account.c.account_id).where(
        schema.account.c.password_hash.is_not(None), schema.account.c.disabled_at_us.is_(None)
    )
    with store.reading() as connection:
        return connection.execute(usable.limit(1)).first() is not None
