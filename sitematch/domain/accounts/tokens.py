"""API tokens, and sessions of the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sitematch.domain.accounts.access import Permission
from sitematch.domain.accounts.account import Account

SESSION_LASTS = timedelta(hours=12)
"""How long a session of the console lasts."""

TOKEN_LASTS_AT_MOST = timedelta(days=366)
"""The longest life of an API token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token; never its secret.

    Parameters
    ----------
    token_id, account_id, label
        Which, whose, and what for.
    scopes
        What it is cut down to; None is a session, which may do all that the account may.
    created_at, expires_at, revoked_at
        Its life (aware, UTC); None if it was not revoked.
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
    """A token that was just made.

    Parameters
    ----------
    token
        What is kept of it.
    secret
        What to send as ``Authorization: Bearer``; it cannot be shown again.
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
        Names the session; it is not its secret.
    account
        Who, with the roles held at this moment.
    started_at, expires_at
        Its life (aware, UTC).
    """

    session_id: str
    account: Account
    started_at: datetime
    expires_at: datetime
