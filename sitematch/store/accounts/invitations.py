"""Invitations: a link with a random code, with which a person chooses a password once. Only a hash is stored."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa

from sitematch.domain.accounts.account import Account
from sitematch.domain.accounts.change import AccountChangeKind
from sitematch.errors import InvalidInput, LoginFailed
from sitematch.store import schema
from sitematch.store.accounts.accounts import find_account, hash_new
from sitematch.store.accounts.changes import ChangedBy, note_change
from sitematch.store.accounts.hashing import sha256
from sitematch.store.engine import Store
from sitematch.store.instants import to_us
from sitematch.store.schema import invitation

LASTS = timedelta(days=7)
"""How long an invitation can be used."""

_UNUSABLE = "This invitation was used, replaced or has expired. Ask an administrator for a new one."


def invite(store: Store, *, account_id: str, now: datetime, by: ChangedBy | None = None) -> str:
    """Make an invitation for an account without a password, instead of earlier ones, and return its code.

    Raises
    ------
    AccountNotFound
        If there is no such account.
    InvalidInput
        If it is disabled or has a password.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    code = secrets.token_urlsafe(32)
    with store.writing() as connection:
        account = find_account(connection, schema.account.c.account_id == account_id)
        if account.is_disabled or account.has_password:
            raise InvalidInput("Only an account without a password can be invited.", field="account_id")
        connection.execute(sa.delete(invitation).where(invitation.c.account_id == account_id))
        connection.execute(
            sa.insert(invitation).values(
                secret_hash=sha256(code), account_id=account_id, expires_at_us=to_us(now + LASTS)
            )
        )
        note_change(connection, account_id, AccountChangeKind.INVITED, by)
    return code


def read_invitation(store: Store, *, code: str, now: datetime) -> Account:
    """Return the account of an invitation that can be used; looking at it does not use it up.

    Raises
    ------
    LoginFailed
        If there is none, or it was used or has expired.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        return _invited(connection, code, now)


def accept_invitation(store: Store, *, code: str, password: str, now: datetime) -> Account:
    """Set the password of an invited account, and use the invitation up; of two attempts at once, one fails.

    Raises
    ------
    LoginFailed
        See `read_invitation`.
    InvalidInput
        If the password is not allowed; the invitation stays.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`, and `sitematch.store.accounts.hashing.place_to_hash`.
    """
    account = read_invitation(store, code=code, now=now)
    hashed = hash_new(password, account.email)
    with store.writing() as connection:
        used = connection.execute(sa.delete(invitation).where(invitation.c.secret_hash == sha256(code)))
        if not used.rowcount:
            raise LoginFailed(_UNUSABLE)
        still = (schema.account.c.password_hash.is_(None), schema.account.c.disabled_at_us.is_(None))
        changed = connection.execute(
            sa.update(schema.account)
            .where(schema.account.c.account_id == account.account_id, *still)
            .values(password_hash=hashed, must_change=False)
        )
        if not changed.rowcount:
            raise LoginFailed(_UNUSABLE)
        by = ChangedBy(actor_id=f"user:{account.account_id}", at=now)
        note_change(connection, account.account_id, AccountChangeKind.PASSWORD_SET, by)
        return find_account(connection, schema.account.c.account_id == account.account_id)


def _invited(connection: sa.Connection, code: str, now: datetime) -> Account:
    query = sa.select(invitation.c.account_id).where(
        invitation.c.secret_hash == sha256(code), invitation.c.expires_at_us > to_us(now)
    )
    account_id = connection.execute(query).scalar_one_or_none()
    if account_id is not None:
        account = find_account(connection, schema.account.c.account_id == account_id)
        if not account.is_disabled and not account.has_password:
            return account
    raise LoginFailed(_UNUSABLE)
