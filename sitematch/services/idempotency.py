"""Writes outside the ledger, run once for each idempotency key; stored answers do not contain secrets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec

from sitematch.domain.accounts.access import Caller
from sitematch.store import request_claims
from sitematch.store.engine import Store
from sitematch.store.idempotency import KeyedRequest

T = TypeVar("T", bound=msgspec.Struct)


def once(
    store: Store,
    caller: Caller,
    name: str,
    body: object,
    kind: type[T],
    act: Callable[[], T],
    *,
    now: datetime,
    masked: str | None = None,
) -> T:
    """Run a write, or return the answer that the same request got before.

    Parameters
    ----------
    store
        The database.
    caller
        The caller with the key; without a key the write is always run.
    name, body
        The request; the body must be valid as JSON.
    kind
        Type of the answer.
    act
        Runs the write.
    now
        The instant (aware).
    masked
        The field of the answer that is not stored; null in a repeated answer.

    Raises
    ------
    SitematchError
        The errors of `act` and of `sitematch.store.request_claims.claim`.
    """
    encode = msgspec.json.encode
    before = request_claims.claim(store, caller, KeyedRequest(name, (encode(body).decode(),)), now)
    if before is not None:
        return msgspec.json.decode(before, type=kind)
    try:
        answer = act()
    except BaseException:
        request_claims.abandon(store, caller)
        raise
    kept = answer if masked is None else msgspec.structs.replace(answer, **{masked: None})
    request_claims.finish(store, caller, encode(kept).decode())
    return answer
