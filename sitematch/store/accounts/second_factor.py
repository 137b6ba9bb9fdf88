"""The second factor of password accounts: codes of an authenticator app (TOTP, RFC 6238) and recovery codes.

A code works once: the 30 seconds of the last one are kept. A recovery code, of 80 random bits, replaces the app once;
only its hash is stored.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime

import sqlalchemy as sa

from sitematch.domain.accounts.account import Account
from sitematch.errors import InvalidInput, LoginFailed
from sitematch.store import schema
from sitematch.store.accounts.accounts import read_account
from sitematch.store.accounts.attempts import count_attempt, forget_attempts
from sitematch.store.accounts.hashing import sha256
from sitematch.store.engine import Store

RECOVERY_CODES = 10
"""Recovery codes of an account."""

SECRET_LENGTH = 32
"""Characters of base 32: 160 bits, as RFC 4226 recommends."""

STEP_S = 30
"""Seconds that a code is shown for; the code before and the one after are accepted too."""

_ISSUER = "sitematch"
_WRONG = "Incorrect code."


def new_secret() -> str:
    """Return a random secret for an authenticator app, in base 32."""
    import pyotp

    return pyotp.random_base32(SECRET_LENGTH)


def app_address(secret: str, email: str) -> str:
    """Return the ``otpauth:`` address of a secret, which apps read from a QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER)


def enable(store: Store, *, account_id: str, secret: str, code: str, now: datetime) -> tuple[str, ...]:
    """Require codes for an account from now on, and return its recovery codes, which are not shown again.

    Raises
    ------
    InvalidInput
        If the account has a second factor already, the secret is malformed, or the code is not one of the secret: the
        app was not set up.
    AccountNotFound, LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    if len(secret) != SECRET_LENGTH or set(secret) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        raise InvalidInput("The secret is not valid. Load the page again.", field="secret")
    step = _step_of(secret, code, now, after=0)
    if step is None:
        message = "The code is incorrect. Scan the picture again, check the clock of your phone, and type the new code."
        raise InvalidInput(message, field="code")
    codes = tuple(secrets.token_hex(10) for _ in range(RECOVERY_CODES))
    with store.writing() as connection:
        changed = connection.execute(
            sa.update(schema.account)
            .where(schema.account.c.account_id == account_id, schema.account.c.totp_secret.is_(None))
            .values(totp_secret=secret, totp_step=step)
        )
        if not changed.rowcount:
            raise InvalidInput("This account has a second factor already.", field="code")
        connection.execute(
            sa.insert(schema.recovery_code), [{"account_id": account_id, "code_hash": sha256(each)} for each in codes]
        )
    return codes


def check(store: Store, *, account_id: str, code: str, now: datetime) -> Account:
    """Check a code of the app or a recovery code, and use it up.

    Raises
    ------
    LoginDelayed
        If too many codes were incorrect.
    LoginFailed
        If the code is incorrect or was used, or the account has no second factor.
    AccountNotFound, LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    counted = f"code {account_id}"
    count_attempt(store, counted, now)
    typed = "".join(code.lower().split()).replace("-", "")
    account, codes = schema.account, schema.recovery_code
    with store.writing() as connection:
        row = connection.execute(sa.select(account).where(account.c.account_id == account_id)).one_or_none()
        if row is None or row.totp_secret is None or row.disabled_at_us is not None:
            raise LoginFailed(_WRONG)
        step = _step_of(row.totp_secret, typed, now, after=row.totp_step)
        if step is not None:
            # Of two requests with the same code, one finds the step used.
            used = connection.execute(
                sa.update(account)
                .where(account.c.account_id == account_id, account.c.totp_step < step)
                .values(totp_step=step)
            )
        else:
            used = connection.execute(
                sa.delete(codes).where(codes.c.account_id == account_id, codes.c.code_hash == sha256(typed))
            )
        if not used.rowcount:
            raise LoginFailed(_WRONG)
        forget_attempts(connection, counted)
    return read_account(store, account_id)


def count_recovery_codes(store: Store, account_id: str) -> int:
    """Return how many recovery codes are left. Errors: see `Store.reading`."""
    codes = schema.recovery_code
    with store.reading() as connection:
        query = sa.select(sa.func.count()).select_from(codes).where(codes.c.account_id == account_id)
        return int(connection.execute(query).scalar_one())


def disable(store: Store, *, account_id: str) -> None:
    """Remove the second factor and its recovery codes; nothing happens if there is none.

    Raises
    ------
    AccountNotFound
        If there is no such account.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    read_account(store, account_id)
    with store.writing() as connection:
        connection.execute(sa.delete(schema.recovery_code).where(schema.recovery_code.c.account_id == account_id))
        connection.execute(
            sa.update(schema.account).where(schema.account.c.account_id == account_id).values(totp_secret=None)
        )


def _step_of(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """Return the step that a code is of, if it is one of the three around now and later than `after`."""
    import pyotp

    current = int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()) and step > after:
            return step
    return None
