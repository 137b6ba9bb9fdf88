"""Secret addresses of calendars: whoever knows one reads what lapses, as its owner could. Only a hash is stored."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from sitematch.domain.accounts.account import Account
from sitematch.errors import NotFound
from sitematch.store import schema
from sitematch.store.accounts.accounts import find_account
from sitematch.store.accounts.hashing import sha256
from sitematch.store.engine import Store
from sitematch.store.schema import calendar


def make_calendar(store: Store, *, account_id: str, study_id: str) -> str:
    """Return the code of a new secret address for a study, instead of an earlier one.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    code = secrets.token_urlsafe(32)
    with store.writing() as connection:
        _end(connection, account_id, study_id)
        connection.execute(
            sa.insert(calendar).values(secret_hash=sha256(code), account_id=account_id, study_id=study_id)
        )
    return code


def end_calendar(store: Store, *, account_id: str, study_id: str) -> None:
    """End the secret address of an account for a study; nothing happens if there is none. Errors: `Store.writing`."""
    with store.writing() as connection:
        _end(connection, account_id, study_id)


def has_calendar(store: Store, *, account_id: str, study_id: str) -> bool:
    """Return whether an account has a secret address for a study. Errors: see `Store.reading`."""
    query = sa.select(calendar.c.account_id).where(calendar.c.account_id == account_id, calendar.c.study_id == study_id)
    with store.reading() as connection:
        return connection.execute(query).first() is not None


def owner_of(store: Store, code: str) -> tuple[Account, str]:
    """Return the account and the study of a secret address.

    Raises
    ------
    NotFound
        If there is none, or the account is disabled.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        row = connection.execute(sa.select(calendar).where(calendar.c.secret_hash == sha256(code))).one_or_none()
        if row is not None:
            account = find_account(connection, schema.account.c.account_id == row.account_id)
            if not account.is_disabled:
                return account, row.study_id
    raise NotFound("There is no calendar at this address.")


def _end(connection: sa.Connection, account_id: str, study_id: str) -> None:
    connection.execute(sa.delete(calendar).where(calendar.c.account_id == account_id, calendar.c.study_id == study_id))
