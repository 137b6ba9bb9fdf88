"""The second factor: setting it up for oneself, using it to sign in, and resetting that of others."""

from __future__ import annotations

from datetime import datetime

from sitematch.domain.accounts.access import Actor, Permission, require
from sitematch.domain.accounts.tokens import Session
from sitematch.services.accounts.sign_in import SignedIn
from sitematch.store.accounts import accounts, second_factor, sessions, tokens
from sitematch.store.engine import Store

new_secret = second_factor.new_secret
app_address = second_factor.app_address


def set_up(store: Store, session: Session, *, password: str, secret: str, code: str, now: datetime) -> tuple[str, ...]:
    """Require codes for the own account, after the password, and return the recovery codes.

    Raises
    ------
    LoginDelayed, LoginFailed
        If the password is incorrect; see `sitematch.store.accounts.accounts.log_in`.
    InvalidInput
        See `sitematch.store.accounts.second_factor.enable`.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    account = session.account
    accounts.log_in(store, email=account.email, password=password, now=now)
    codes = second_factor.enable(store, account_id=account.account_id, secret=secret, code=code, now=now)
    # Whoever signed in with the password alone must not stay.
    sessions.end_other_sessions(store, account_id=account.account_id, kept_id=session.session_id, now=now)
    return codes


def remove_own(store: Store, session: Session, *, password: str, code: str, now: datetime) -> None:
    """Remove the own second factor, after the password and a code. Errors: see `set_up` and `confirm`."""
    account = session.account
    accounts.log_in(store, email=account.email, password=password, now=now)
    second_factor.check(store, account_id=account.account_id, code=code, now=now)
    second_factor.disable(store, account_id=account.account_id)


def count_own_recovery_codes(store: Store, session: Session) -> int:
    """Return how many recovery codes the person has left. Errors: see `Store.reading`."""
    return second_factor.count_recovery_codes(store, session.account.account_id)


def confirm(store: Store, *, half_secret: str, code: str, now: datetime) -> SignedIn:
    """Finish a sign-in whose password was right.

    Parameters
    ----------
    store, now
        The database and the instant (aware).
    half_secret
        What `sitematch.services.accounts.sign_in.sign_in` returned.
    code
        A code of the app, or a recovery code.

    Raises
    ------
    LoginDelayed, LoginFailed
        If the code is incorrect or was used, or the password was typed more than ten minutes ago.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    half = sessions.read_half_session(store, secret=half_secret, now=now)
    account = second_factor.check(store, account_id=half.account.account_id, code=code, now=now)
    tokens.revoke_token(store, token_id=half.session_id, now=now)
    session = tokens.start_session(store, account_id=account.account_id, now=now)
    device = accounts.remember_device(store, account_id=account.account_id, now=now)
    return SignedIn(session=session, new_device=device, needs_code=False)


def reset(store: Store, actor: Actor, *, account_id: str, now: datetime) -> None:
    """Remove the second factor of an account whose owner lost it, and end its sessions.

    Raises
    ------
    NotAllowed
        If the actor may not manage accounts.
    AccountNotFound
        If there is no such account.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    require(actor, Permission.ACCOUNTS_WRITE)
    second_factor.disable(store, account_id=account_id)
    sessions.end_sessions(store, account_id=account_id, now=now)
