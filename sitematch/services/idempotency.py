"""Doing a write outside the ledger once for each idempotency key; what holds a secret is kept without it."""

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
    """Do a write, or return the answer that the same request got before.

    Parameters
    ----------
    store
        The database.
    caller
        Who asks, and with which key; without one the write is simply done.
    name, body
        What is asked; the body as JSON can hold it.
    kind
        Type of the answer.
    act
        Does it.
    now
        The instant (aware).
    masked
        The field of the answer that is not kept; null when the answer is given again.

    Raises
    ------
    SitematchError
        What `act` raises, and what `sitematch.store.request_claims.claim` does.
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
