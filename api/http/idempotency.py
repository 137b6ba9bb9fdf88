"""Doing a write outside the ledger once for each idempotency key; what holds a secret is kept without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from api.access import caller
from api.backend import Backend
from api.http.answers import encode
from sitematch.store import request_claims
from sitematch.store.idempotency import Operation

T = TypeVar("T", bound=msgspec.Struct)


def once(
    backend: Backend, name: str, body: object, kind: type[T], act: Callable[[], T], *, masked: str | None = None
) -> T:
    """Do a write, or return the answer that the same request got before.

    Parameters
    ----------
    backend
        Gives the database and the clock.
    name, body
        What is asked; the body as it was read.
    kind
        Type of the answer.
    act
        Does it.
    masked
        The field of the answer that is not kept; null when the answer is given again.

    Raises
    ------
    SitematchError
        What `act` raises, and what `request_claims.claim` does.
    """
    store, who = backend.store(), caller()
    before = request_claims.claim(store, who, Operation(name, (encode(body).decode(),)), backend.now())
    if before is not None:
        return msgspec.json.decode(before, type=kind)
    try:
        answer = act()
    except BaseException:
        request_claims.abandon(store, who)
        raise
    kept = answer if masked is None else msgspec.structs.replace(answer, **{masked: None})
    request_claims.finish(store, who, encode(kept).decode())
    return answer
