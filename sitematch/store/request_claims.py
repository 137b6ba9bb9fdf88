"""Asking twice with one key, for writes outside the ledger whose answer holds a secret that must not be kept.

The ledger keeps its answers in the transaction that makes them (see `sitematch.store.idempotency`). Here a claim is
committed first: while it stands, the same request elsewhere is told so; once the work is done, what may be kept of the
answer takes its place.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from sitematch.domain.accounts.access import Caller
from sitematch.errors import IdempotencyConflict
from sitematch.store.engine import Store
from sitematch.store.idempotency import KEPT_FOR, KeyedRequest, key_hash
from sitematch.store.instants import to_us
from sitematch.store.schema import idempotency

STALE_AFTER = timedelta(minutes=1)
"""After how long a claim is believed to be of a process that died."""

_UNDER_WAY = ""


def claim(store: Store, caller: Caller, operation: KeyedRequest, now: datetime) -> str | None:
    """Claim a request, or return what was kept of the answer that it got before.

    Parameters
    ----------
    store
        The database.
    caller
        Who asks; without an idempotency key nothing is claimed.
    operation
        What is asked, to compare with an earlier request of the same key.
    now
        The instant (aware).

    Returns
    -------
    str or None
        None if the work is the caller's to do; it then calls `finish` or `abandon`.

    Raises
    ------
    IdempotencyConflict
        If the key was used with another request, or the same one is under way.
    InvalidInput
        If the key is malformed.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    key = key_hash(caller)
    if key is None:
        return None
    try:
        with store.writing() as connection:
            # Dropping what is old first also takes SQLite's and PostgreSQL's row lock, should there be a row.
            connection.execute(
                sa.delete(idempotency).where(
                    idempotency.c.key_hash == key,
                    sa.or_(
                        idempotency.c.at_us <= to_us(now - KEPT_FOR),
                        sa.and_(
                            idempotency.c.answer == _UNDER_WAY,
                            idempotency.c.body_hash == operation.body_hash,
                            idempotency.c.at_us <= to_us(now - STALE_AFTER),
                        ),
                    ),
                )
            )
            row = connection.execute(sa.select(idempotency).where(idempotency.c.key_hash == key)).one_or_none()
            if row is None:
                connection.execute(
                    sa.insert(idempotency).values(
                        key_hash=key, body_hash=operation.body_hash, at_us=to_us(now), answer=_UNDER_WAY
                    )
                )
                return None
    except sa.exc.IntegrityError as error:
        raise IdempotencyConflict("A request with this idempotency key is still running. Try again shortly.") from error
    if row.body_hash != operation.body_hash:
        raise IdempotencyConflict("This idempotency key was used with another request. Use a new one.")
    if row.answer == _UNDER_WAY:
        raise IdempotencyConflict("The same request is still running. Try again shortly.")
    return str(row.answer)


def finish(store: Store, caller: Caller, answer: str) -> None:
    """Keep what may be kept of the answer, as a text that is not empty.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    key = key_hash(caller)
    if key is not None:
        with store.writing() as connection:
            connection.execute(sa.update(idempotency).where(idempotency.c.key_hash == key).values(answer=answer))


def abandon(store: Store, caller: Caller) -> None:
    """Let go of a claim after a refusal or a failure: asking again does the work.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    key = key_hash(caller)
    if key is not None:
        with store.writing() as connection:
            connection.execute(
                sa.delete(idempotency).where(idempotency.c.key_hash == key, idempotency.c.answer == _UNDER_WAY)
            )
