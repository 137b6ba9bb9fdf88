"""API tokens, and sessions of the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sitematch.domain.accounts.access import Permission
from sitematch.domain.accounts.account import Account

SESSION_LASTS = timedelta(hours=12)
"""How long a session of the console lasts, however much it is used."""

SESSION_IDLE = timedelta(minutes=15)
"""How long a session lasts without use, unless the settings say otherwise."""

CODE_WITHIN = timedelta(minutes=10)
"""How long after the password a code of the second factor is accepted."""

TOKEN_LASTS_AT_MOST = timedelta(days=366)
"""The longest life of an API token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A stored token, without its secret.

    Parameters
    ----------
    token_id, account_id, label
        Its id, its owner and its purpose.
    scopes
        The permissions it is limited to; None is a session, which has all permissions of the account.
    created_at, expires_at, revoked_at
        Its times (aware, UTC); `revoked_at` is None if it was not revoked.
    """

    token_id: str
    account_id: str
    label: str
    scopes: frozenset[Permission] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A new token.

    Parameters
    ----------
    token
        The stored part.
    secret
        The value for ``Authorization: Bearer``; it cannot be shown again.
    """

    token: Token
    secret: str

    def __repr__(self) -> str:
        return f"NewToken(token={self.token!r}, secret=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Someone who is signed in.

    Parameters
    ----------
    session_id
        The id of the session, which is not its secret.
    account
        The account, with its current roles.
    started_at, seen_at, expires_at
        Its start, its last use to the minute, and its end (aware, UTC).
    """

    session_id: str
    account: Account
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
