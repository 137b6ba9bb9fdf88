"""Reads and writes of accounts and their roles, each with a permission check first.

Each function needs `Permission.ACCOUNTS_WRITE`, which administrators have, and raises `NotAllowed` without it. Its
other errors are those of the function of the same name in `sitematch.store.accounts.accounts`.
"""

from __future__ import annotations

from datetime import datetime

from sitematch.domain.accounts.access import Actor, Grant, Permission, require
from sitematch.domain.accounts.account import Account
from sitematch.domain.accounts.change import AccountChange
from sitematch.errors import AccountNotFound
from sitematch.store.accounts import accounts, changes, sessions
from sitematch.store.accounts.changes import ChangedBy
from sitematch.store.engine import Store


def create_account(
    store: Store,
    actor: Actor,
    *,
    email: str,
    now: datetime,
    password: str | None = None,
    must_change: bool = False,
    grant: Grant | None = None,
) -> Account:
    """Create an account, optionally with a role; without a role, nothing is allowed yet."""
    _require(actor)
    by = ChangedBy(actor_id=actor.actor_id, at=now)
    account = accounts.create_account(store, email=email, now=now, password=password, must_change=must_change, by=by)
    return account if grant is None else accounts.give(store, account_id=account.account_id, grant=grant, by=by)


def read_account(store: Store, actor: Actor, account_id: str) -> Account:
    """Return an account."""
    _require(actor)
    return accounts.read_account(store, account_id)


def find_account(store: Store, actor: Actor, email: str) -> Account:
    """Return an account by e-mail address, in upper or lower case, or by id.

    Raises
    ------
    AccountNotFound
        If there is none.
    """
    wanted = email.strip().lower()
    for account in list_accounts(store, actor):
        if wanted in (account.email, account.account_id):
            return account
    raise AccountNotFound(
        f"There is no account {email!r}. To list the accounts, run `sitematch user list`.", field="email"
    )


def list_accounts(store: Store, actor: Actor) -> tuple[Account, ...]:
    """Return every account, by e-mail."""
    _require(actor)
    return accounts.list_accounts(store)


def give(store: Store, actor: Actor, *, account_id: str, grant: Grant, now: datetime) -> Account:
    """Give an account a role; nothing happens if it already has it."""
    _require(actor)
    by = ChangedBy(actor_id=actor.actor_id, at=now)
    return accounts.give(store, account_id=account_id, grant=grant, by=by)


def remove_grant(store: Store, actor: Actor, *, account_id: str, grant: Grant, now: datetime) -> Account:
    """Remove a role from an account; nothing happens if it does not have it."""
    _require(actor)
    by = ChangedBy(actor_id=actor.actor_id, at=now)
    return accounts.remove_grant(store, account_id=account_id, grant=grant, by=by)


def set_password(
    store: Store, actor: Actor, *, account_id: str, password: str, now: datetime, must_change: bool = False
) -> None:
    """Set an account's password and end all its sessions and tokens.

    To change the own password, see `sitematch.services.accounts.sign_in.change_password`.
    """
    _require(actor)
    by = ChangedBy(actor_id=actor.actor_id, at=now)
    accounts.set_password(store, account_id=account_id, password=password, now=now, must_change=must_change, by=by)


def disable_account(store: Store, actor: Actor, *, account_id: str, now: datetime) -> None:
    """Disable an account and end its sessions and tokens; the audit trail keeps its id."""
    _require(actor)
    accounts.disable_account(store, account_id=account_id, now=now, by=ChangedBy(actor_id=actor.actor_id, at=now))


def list_changes(store: Store, actor: Actor, account_id: str) -> tuple[tuple[AccountChange, ...], dict[str, str]]:
    """Return the latest 50 changes of an account, latest first, and the names of people by actor id."""
    _require(actor)
    found = changes.list_changes(store, account_id, limit=50)
    return found, {f"user:{account.account_id}": account.email for account in accounts.list_accounts(store)}


def count_sessions(store: Store, actor: Actor, *, account_id: str, now: datetime) -> int:
    """Return the number of open sessions of an account."""
    _require(actor)
    return sessions.count_sessions(store, account_id=account_id, now=now)


def end_sessions(store: Store, actor: Actor, *, account_id: str, now: datetime) -> int:
    """End every session of an account and return how many there were; its API tokens stay valid."""
    _require(actor)
    return sessions.end_sessions(store, account_id=account_id, now=now)


def _require(actor: Actor) -> None:
    require(actor, Permission.ACCOUNTS_WRITE)
