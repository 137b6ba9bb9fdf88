"""Accounts, their roles, and authentication: passwords and OpenID Connect identities.

There is no default account and no default password: administrators are created on the command line. Passwords are
stored as argon2id hashes (RFC 9106).
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sitematch.domain.accounts.access import Grant, Role
from sitematch.domain.accounts.account import Account
from sitematch.domain.accounts.change import AccountChangeKind
from sitematch.domain.accounts.passwords import check_new_password
from sitematch.errors import AccountNotFound, InvalidInput, LoginFailed
from sitematch.store import schema
from sitematch.store.accounts.attempts import count_attempt, forget_attempts
from sitematch.store.accounts.changes import ChangedBy, note_change
from sitematch.store.accounts.hashing import hash_password, is_outdated, is_password, place_to_hash, sha256
from sitematch.store.engine import Store
from sitematch.store.instants import to_us


def create_account(
    store: Store,
    *,
    email: str,
    now: datetime,
    password: str | None = None,
    must_change: bool = False,
    by: ChangedBy | None = None,
) -> Account:
    """Create an account without permissions.

    Parameters
    ----------
    store
        The database.
    email
        Compared in lower case.
    now
        The instant (aware).
    password
        See `sitematch.domain.accounts.passwords.check_new_password`; None allows only OpenID Connect or tokens.
    must_change
        Whether the password must be changed at the first sign-in, because somebody else chose it.
    by
        Who does it, for the account's history; so too in the functions below.

    Raises
    ------
    InvalidInput
        If the e-mail is malformed or taken, or the password is not allowed.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    values = {
        "account_id": secrets.token_hex(8),
        "email": _normal_email(email),
        "password_hash": None if password is None else hash_new(password, _normal_email(email)),
        "must_change": must_change and password is not None,
        "created_at_us": to_us(now),
        "disabled_at_us": None,
    }
    try:
        with store.writing() as connection:
            connection.execute(sa.insert(schema.account).values(**values))
            note_change(connection, str(values["account_id"]), AccountChangeKind.CREATED, by)
    except sa.exc.IntegrityError as error:
        raise InvalidInput("An account with this e-mail address already exists.", field="email") from error
    return read_account(store, str(values["account_id"]))


def read_account(store: Store, account_id: str) -> Account:
    """Return an account.

    Raises
    ------
    AccountNotFound
        If there is none with that id.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        return find_account(connection, schema.account.c.account_id == account_id)


def list_accounts(store: Store) -> tuple[Account, ...]:
    """Return every account, by e-mail."""
    query = sa.select(schema.account).order_by(schema.account.c.email)
    with store.reading() as connection:
        return tuple(_from_row(connection, row) for row in connection.execute(query).all())


def set_password(
    store: Store,
    *,
    account_id: str,
    password: str,
    now: datetime,
    must_change: bool = False,
    by: ChangedBy | None = None,
) -> None:
    """Set a password, and end every session and token of the account; its devices are forgotten.

    Parameters
    ----------
    store, account_id, now
        The database, the account and the instant (aware).
    password
        The new password.
    must_change
        Whether it must be changed at the next sign-in, because somebody else chose it.
    by
        See `create_account`.

    Raises
    ------
    AccountNotFound, InvalidInput
        If there is no such account, or the password is not allowed or the same as before.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    account = read_account(store, account_id)
    with store.reading() as connection:
        before = connection.execute(
            sa.select(schema.account.c.password_hash).where(schema.account.c.account_id == account_id)
        ).scalar_one()
    if before is not None and account.must_change_password and is_password(password, before):
        raise InvalidInput("Choose another password than the one that you were given.", field="password")
    hashed = hash_new(password, account.email)
    _change(store, account_id, now, AccountChangeKind.PASSWORD_SET, by, password_hash=hashed, must_change=must_change)
    with store.writing() as connection:
        connection.execute(sa.delete(schema.known_device).where(schema.known_device.c.account_id == account_id))


def disable_account(store: Store, *, account_id: str, now: datetime, by: ChangedBy | None = None) -> None:
    """Disable an account and end its sessions and tokens; the audit trail keeps its id.

    Raises
    ------
    AccountNotFound
        If there is no such account.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    _change(store, account_id, now, AccountChangeKind.DISABLED, by, disabled_at_us=to_us(now))


def _change(
    store: Store, account_id: str, now: datetime, kind: AccountChangeKind, by: ChangedBy | None, **values: Any
) -> None:
    with store.writing() as connection:
        changed = connection.execute(
            sa.update(schema.account).where(schema.account.c.account_id == account_id).values(**values)
        )
        if not changed.rowcount:
            raise AccountNotFound("Account not found.", field="account_id")
        note_change(connection, account_id, kind, by)
        connection.execute(
            sa.update(schema.token)
            .where(schema.token.c.account_id == account_id, schema.token.c.revoked_at_us.is_(None))
            .values(revoked_at_us=to_us(now))
        )


def give(store: Store, *, account_id: str, grant: Grant, by: ChangedBy | None = None) -> Account:
    """Give an account a role; nothing happens if it already has it.

    Raises
    ------
    AccountNotFound
        If there is no such account.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    insert = postgresql.insert if store.dialect == "postgresql" else sqlite.insert
    with store.writing() as connection:
        find_account(connection, schema.account.c.account_id == account_id)
        table = schema.account_grant
        new = insert(table).values(**_grant_row(account_id, grant)).on_conflict_do_nothing().returning(table.c.role)
        if connection.execute(new).first() is not None:
            note_change(connection, account_id, AccountChangeKind.ROLE_GIVEN, by, grant)
        return find_account(connection, schema.account.c.account_id == account_id)


def remove_grant(store: Store, *, account_id: str, grant: Grant, by: ChangedBy | None = None) -> Account:
    """Remove a role from an account; nothing happens if it does not have it.

    Raises
    ------
    AccountNotFound
        If there is no such account.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    table = schema.account_grant
    with store.writing() as connection:
        row = _grant_row(account_id, grant)
        removed = connection.execute(sa.delete(table).where(*(table.c[name] == value for name, value in row.items())))
        if removed.rowcount:
            note_change(connection, account_id, AccountChangeKind.ROLE_REMOVED, by, grant)
        return find_account(connection, schema.account.c.account_id == account_id)


def link_identity(store: Store, *, account_id: str, issuer: str, subject: str) -> None:
    """Let an OpenID Connect identity sign in as an account.

    Raises
    ------
    AccountNotFound, InvalidInput
        If there is no such account, or the identity is already linked.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    read_account(store, account_id)
    try:
        with store.writing() as connection:
            connection.execute(sa.insert(schema.identity).values(issuer=issuer, subject=subject, account_id=account_id))
    except sa.exc.IntegrityError as error:
        raise InvalidInput("This identity is already linked to an account.", field="subject") from error


def account_of_identity(store: Store, *, issuer: str, subject: str) -> Account:
    """Return the account of a verified OpenID Connect identity.

    Raises
    ------
    LoginFailed
        If it is not linked to an account, or to a disabled one.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    linked = (
        sa.select(schema.identity.c.account_id)
        .where(schema.identity.c.issuer == issuer, schema.identity.c.subject == subject)
        .scalar_subquery()
    )
    with store.reading() as connection:
        try:
            found = find_account(connection, schema.account.c.account_id == linked)
        except AccountNotFound as error:
            raise LoginFailed("This identity is not allowed to sign in.") from error
    if found.is_disabled:
        raise LoginFailed("This identity is not allowed to sign in.")
    return found


def log_in(store: Store, *, email: str, password: str, now: datetime, device: str | None = None) -> Account:
    """Check an e-mail and password.

    The answer, the time it takes and the wait after failures do not reveal whether the e-mail is known. An attempt is
    counted before the password is checked, so many parallel attempts have no advantage.

    Parameters
    ----------
    store
        The database.
    email, password
        What was typed.
    now
        The instant (aware).
    device
        The secret of the browser, if somebody signed in with it before: see `remember_device`. Failures of the
        account's own devices are counted for each device, so failures elsewhere do not lock its owner out.

    Raises
    ------
    LoginDelayed
        If too many attempts failed; the error says how long to wait.
    LoginFailed
        If the e-mail or password is incorrect, or the account is disabled or has no password.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`, and `sitematch.store.accounts.hashing.place_to_hash`.
    """
    wanted = email.strip().lower()
    with place_to_hash():
        with store.reading() as connection:
            row = connection.execute(sa.select(schema.account).where(schema.account.c.email == wanted)).one_or_none()
            counted = wanted
            if row is not None and device is not None and _is_known_device(connection, row.account_id, device):
                counted = f"device {sha256(device)}"
        count_attempt(store, counted, now)
        is_usable = row is not None and row.password_hash is not None and row.disabled_at_us is None
        is_right = is_password(password, row.password_hash if row is not None and is_usable else None)
        if row is None or not is_right:
            raise LoginFailed("Incorrect e-mail or password.")
        new_hash = hash_password(password) if is_outdated(row.password_hash) else None
    with store.writing() as connection:
        forget_attempts(connection, counted)
        if new_hash is not None:
            connection.execute(
                sa.update(schema.account)
                .where(schema.account.c.account_id == row.account_id)
                .values(password_hash=new_hash)
            )
    return read_account(store, row.account_id)


def remember_device(store: Store, *, account_id: str, now: datetime) -> str:
    """Remember a browser in which an account has just been authenticated, and return its new secret.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    secret = secrets.token_urlsafe(32)
    with store.writing() as connection:
        connection.execute(
            sa.insert(schema.known_device).values(
                secret_hash=sha256(secret), account_id=account_id, created_at_us=to_us(now)
            )
        )
    return secret


def is_known_device(store: Store, *, account_id: str, device: str) -> bool:
    """Return whether somebody signed in to an account with a browser before. Errors: see `Store.reading`."""
    with store.reading() as connection:
        return _is_known_device(connection, account_id, device)


def _is_known_device(connection: sa.Connection, account_id: str, device: str) -> bool:
    table = schema.known_device.c
    query = sa.select(table.account_id).where(table.secret_hash == sha256(device), table.account_id == account_id)
    return connection.execute(query).first() is not None


def hash_new(password: str, email: str) -> str:
    """Return the hash of a new password, if it is allowed: see `check_new_password`."""
    check_new_password(password, email)
    return hash_password(password)


def find_account(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Account:
    """Return the matching account, as the connection's transaction sees it.

    Raises
    ------
    AccountNotFound
        If there is none.
    """
    row = connection.execute(sa.select(schema.account).where(condition)).one_or_none()
    if row is None:
        raise AccountNotFound("Account not found.", field="account_id")
    return _from_row(connection, row)


def _from_row(connection: sa.Connection, row: sa.Row[Any]) -> Account:
    return Account(
        account_id=row.account_id,
        email=row.email,
        has_password=row.password_hash is not None,
        must_change_password=row.must_change,
        has_totp=row.totp_secret is not None,
        is_disabled=row.disabled_at_us is not None,
        grants=grants_of(connection, row.account_id),
    )


def grants_of(connection: sa.Connection, account_id: str) -> tuple[Grant, ...]:
    """Return an account's roles, as the connection's transaction sees them."""
    table = schema.account_grant
    query = sa.select(table).where(table.c.account_id == account_id)
    rows = connection.execute(query.order_by(table.c.role, table.c.study_id, table.c.site_id))
    return tuple(Grant(role=Role(row.role), study_id=row.study_id or None, site_id=row.site_id or None) for row in rows)


def _grant_row(account_id: str, grant: Grant) -> dict[str, str]:
    return {
        "account_id": account_id,
        "role": grant.role.value,
        "study_id": grant.study_id or "",
        "site_id": grant.site_id or "",
    }


def _normal_email(email: str) -> str:
    wanted = email.strip().lower()
    local, at, host = wanted.rpartition("@")
    if not (local and at and "." in host and len(wanted) <= 254) or any(mark.isspace() for mark in wanted):
        raise InvalidInput("This is not a valid e-mail address.", field="email")
    return wanted
