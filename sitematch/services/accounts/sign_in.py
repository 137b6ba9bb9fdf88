"""Authentication: signing in and out, sessions, and the token of a request.

These functions need no permission: each one checks a proof of identity, or works only on the person's own session and
account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sitematch.domain.accounts.access import Actor
from sitematch.domain.accounts.tokens import SESSION_LASTS, NewToken, Session
from sitematch.errors import LoginFailed
from sitematch.store.accounts import accounts, sessions, tokens
from sitematch.store.accounts.changes import ChangedBy
from sitematch.store.engine import Store


def authenticate(store: Store, *, secret: str, now: datetime) -> Actor:
    """Return the owner of a token; see `sitematch.store.accounts.tokens.authenticate`."""
    return tokens.authenticate(store, secret=secret, now=now)


def can_anybody_sign_in(store: Store) -> bool:
    """Return whether there is an active account with a password. Errors: see `Store.reading`."""
    return sessions.anybody_may_sign_in(store)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session.

    Parameters
    ----------
    session
        The session with its secret.
    new_device
        The secret of a browser that was not known before; None if it was.
    needs_code
        Whether a code of the second factor must follow: `session` then opens no page yet. See
        `sitematch.services.accounts.second_factor.confirm`.
    """

    session: NewToken
    new_device: str | None
    needs_code: bool = False


def sign_in(
    store: Store,
    *,
    email: str,
    password: str,
    now: datetime,
    replaced_secret: str | None = None,
    device: str | None = None,
) -> SignedIn:
    """Check an e-mail and password, and start a session of 12 hours.

    Parameters
    ----------
    store
        The database.
    email, password
        See `sitematch.store.accounts.accounts.log_in`.
    now
        The instant (aware).
    replaced_secret
        The secret of an earlier session of the browser; that session ends, so that nothing of it is kept in the new
        one.
    device
        The secret of the browser if it is known; see `sitematch.store.accounts.accounts.log_in`.

    Raises
    ------
    LoginDelayed, LoginFailed
        See `sitematch.store.accounts.accounts.log_in`; the browser's earlier session stays valid.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    account = accounts.log_in(store, email=email, password=password, now=now, device=device)
    if replaced_secret is not None:
        _end(store, replaced_secret, now)
    if account.has_totp:
        half = tokens.start_half_session(store, account_id=account.account_id, now=now)
        return SignedIn(session=half, new_device=None, needs_code=True)
    session = tokens.start_session(store, account_id=account.account_id, now=now)
    if device is not None and accounts.is_known_device(store, account_id=account.account_id, device=device):
        return SignedIn(session=session, new_device=None)
    return SignedIn(session=session, new_device=accounts.remember_device(store, account_id=account.account_id, now=now))


def read_session(
    store: Store, *, secret: str, now: datetime, idle: timedelta = SESSION_LASTS, is_use: bool = True
) -> Session:
    """Return the session of a secret; see `sitematch.store.accounts.sessions.read_session`."""
    return sessions.read_session(store, secret=secret, now=now, idle=idle, is_use=is_use)


def list_own_sessions(store: Store, session: Session, now: datetime, idle: timedelta) -> tuple[Session, ...]:
    """Return the person's open sessions, including this one, the last one used first. Errors: see `Store.reading`."""
    return sessions.list_sessions(store, session.account, now=now, idle=idle)


def end_other_sessions(store: Store, session: Session, now: datetime) -> int:
    """End the person's sessions but this one, and return how many there were. Errors: see `Store.writing`."""
    account_id = session.account.account_id
    return sessions.end_other_sessions(store, account_id=account_id, kept_id=session.session_id, now=now)


def sign_out(store: Store, session: Session, now: datetime) -> None:
    """End a session. Errors: see `Store.writing`."""
    tokens.revoke_token(store, token_id=session.session_id, now=now)


def change_password(
    store: Store, session: Session, *, password: str, new_password: str, now: datetime, device: str | None = None
) -> None:
    """Change the own password and end all sessions and tokens of the account, including this session.

    Raises
    ------
    LoginDelayed, LoginFailed
        If the current password is incorrect; see `sitematch.store.accounts.accounts.log_in`.
    InvalidInput
        If the new password is not allowed; see `sitematch.domain.accounts.passwords.check_new_password`.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    account = session.account
    accounts.log_in(store, email=account.email, password=password, now=now, device=device)
    by = ChangedBy(actor_id=account.actor.actor_id, at=now)
    accounts.set_password(store, account_id=account.account_id, password=new_password, now=now, by=by)


def _end(store: Store, secret: str, now: datetime) -> None:
    try:
        before = sessions.read_session(store, secret=secret, now=now)
    except LoginFailed:
        return  # it has ended already
    sign_out(store, before, now)
