"""Doing a write outside the ledger once for each idempotency key; what holds a secret is kept without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from api.access import caller
from api.backend import Backend
from sitematch.services import idempotency

T = TypeVar("T", bound=msgspec.Struct)


def once(
    backend: Backend, name: str, body: object, kind: type[T], act: Callable[[], T], *, masked: str | None = None
) -> T:
    """Do a write for the caller of this request, now; see `sitematch.services.idempotency.once`."""
    return idempotency.once(backend.store(), caller(), name, body, kind, act, now=backend.now(), masked=masked)
