"""Accounts and their roles: every read and write, allowed or denied before anything else happens.

Each function needs `Permission.ACCOUNTS_WRITE`, which administrators have, and raises `NotAllowed` without it; beyond
that it raises what the function of the same name in `sitematch.store.accounts.accounts` raises.
"""

from __future__ import annotations

from datetime import datetime

from sitematch.domain.accounts.access import Actor, Grant, Permission, require
from sitematch.domain.accounts.account import Account
from sitematch.errors import AccountNotFound
from sitematch.store.accounts import accounts, sessions
from sitematch.store.engine import Store


def create_account(
    store: Store,
    actor: Actor,
    *,
    email: str,
    now: datetime,
    password: str | None = None,
    grant: Grant | None = None,
) -> Account:
    """Make an account, with a role if one is given; without a role it may do nothing yet."""
    _require(actor)
    account = accounts.create_account(store, email=email, now=now, password=password)
    return account if grant is None else accounts.give(store, account_id=account.account_id, grant=grant)


def read_account(store: Store, actor: Actor, account_id: str) -> Account:
    """Return an account."""
    _require(actor)
    return accounts.read_account(store, account_id)


def find_account(store: Store, actor: Actor, email: str) -> Account:
    """Return the account of an e-mail address, in any case, or of an account's id.

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


def give(store: Store, actor: Actor, *, account_id: str, grant: Grant) -> Account:
    """Give an account a role; nothing happens if it has it."""
    _require(actor)
    return accounts.give(store, account_id=account_id, grant=grant)


def remove_grant(store: Store, actor: Actor, *, account_id: str, grant: Grant) -> Account:
    """Take a role back; nothing happens if the account does not have it."""
    _require(actor)
    return accounts.remove_grant(store, account_id=account_id, grant=grant)


def set_password(store: Store, actor: Actor, *, account_id: str, password: str, now: datetime) -> None:
    """Set somebody's password; every session and token of the account ends.

    For one's own see `sitematch.services.accounts.sign_in.change_password`.
    """
    _require(actor)
    accounts.set_password(store, account_id=account_id, password=password, now=now)


def disable_account(store: Store, actor: Actor, *, account_id: str, now: datetime) -> None:
    """End an account's use, its sessions and tokens included; the audit trail keeps its id."""
    _require(actor)
    accounts.disable_account(store, account_id=account_id, now=now)


def count_sessions(store: Store, actor: Actor, *, account_id: str, now: datetime) -> int:
    """Return how many sessions of an account are open."""
    _require(actor)
    return sessions.count_sessions(store, account_id=account_id, now=now)


def end_sessions(store: Store, actor: Actor, *, account_id: str, now: datetime) -> int:
    """End every session of an account, at once, and return how many there were; its API tokens stay."""
    _require(actor)
    return sessions.end_sessions(store, account_id=account_id, now=now)


def _require(actor: Actor) -> None:
    require(actor, Permission.ACCOUNTS_WRITE)
