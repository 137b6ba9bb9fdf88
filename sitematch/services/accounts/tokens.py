"""Reads and writes of API tokens, each with a permission check first.

Each function needs `Permission.ACCOUNTS_WRITE`, which administrators have, and raises `NotAllowed` without it. Its
other errors are those of the function of the same name in `sitematch.store.accounts.tokens`.
"""

from __future__ import annotations

from datetime import datetime

from sitematch.domain.accounts.access import Actor, Permission, require
from sitematch.domain.accounts.tokens import NewToken, Token
from sitematch.errors import InvalidInput, NotAllowed
from sitematch.store.accounts import accounts, tokens
from sitematch.store.engine import Store


def create_token(
    store: Store,
    actor: Actor,
    *,
    account_id: str,
    label: str,
    scopes: frozenset[Permission],
    expires_at: datetime,
    now: datetime,
) -> NewToken:
    """Create an API token with the account's permissions, limited to some scopes, until it expires.

    A token cannot create tokens with more permissions or a later expiry than its own.

    Raises
    ------
    NotAllowed
        If the actor is a token without one of the scopes.
    InvalidInput
        If the actor is a token that ends before `expires_at`.
    """
    require(actor, Permission.ACCOUNTS_WRITE)
    if actor.scopes is not None and not scopes <= actor.scopes:
        missing = min(scopes - actor.scopes)
        raise NotAllowed(
            f"A token cannot create a token with more permissions than its own: {missing.value}.",
            permission=missing.value,
        )
    if actor.expires_at is not None and expires_at > actor.expires_at:
        raise InvalidInput(
            f"Your token expires on {actor.expires_at:%Y-%m-%d}. A token that it creates cannot last longer.",
            field="days",
        )
    return tokens.create_token(store, account_id=account_id, label=label, scopes=scopes, expires_at=expires_at, now=now)


def list_tokens(store: Store, actor: Actor, account_id: str) -> tuple[Token, ...]:
    """Return an account's API tokens, newest first; sessions are not listed.

    Raises
    ------
    AccountNotFound
        If there is no such account.
    """
    require(actor, Permission.ACCOUNTS_WRITE)
    return tokens.list_tokens(store, accounts.read_account(store, account_id).account_id)


def revoke_token(store: Store, actor: Actor, *, token_id: str, now: datetime) -> None:
    """Revoke a token at once and permanently; nothing happens if it has ended or does not exist."""
    require(actor, Permission.ACCOUNTS_WRITE)
    tokens.revoke_token(store, token_id=token_id, now=now)
