"""Idempotency keys for writes outside the ledger whose answer contains a secret that must not be stored.

The ledger stores its answers in the transaction that produces them (see `sitematch.store.idempotency`). Here a claim is
committed first: while it exists, the same request elsewhere gets a conflict. Once the work is done, the answer without
its secret replaces the claim.
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
"""Age after which a claim counts as left over from a process that died."""

_UNDER_WAY = ""


def claim(store: Store, caller: Caller, operation: KeyedRequest, now: datetime) -> str | None:
    """Claim a request, or return the stored part of its earlier answer.

    Parameters
    ----------
    store
        The database.
    caller
        The caller; without an idempotency key nothing is claimed.
    operation
        The request, for comparison with an earlier request with the same key.
    now
        The instant (aware).

    Returns
    -------
    str or None
        None if the caller has to do the work; it then calls `finish` or `abandon`.

    Raises
    ------
    IdempotencyConflict
        If the key was used with another request, or the same request is in progress.
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
            # Deleting old claims first also takes SQLite's lock, and PostgreSQL's row lock if there is a row.
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
    """Store the part of the answer without secrets, as a text that is not empty.

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
    """Release a claim after a refusal or a failure, so that the request can be repeated.

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
