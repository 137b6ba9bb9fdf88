"""The hash chain: each event of a study contains the hash of the previous one, so no change stays undetected.

Each study has one chain, which grows under the study's lock. So the order of the chain is the order in which spots were
taken and released, there is no second lock that could cause a deadlock, and studies do not wait for one another.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.capacity.spot import LedgerEvent
from sitematch.domain.capacity.states import EventKind
from sitematch.store.instants import from_us, to_us

GENESIS = "0" * 64
"""The previous hash of a study's first event."""

_FIELDS = (
    "study_id",
    "seq",
    "kind",
    "at_us",
    "referral_id",
    "site_id",
    "country",
    "arm",
    "expires_at_us",
    "reason",
    "detail",
    "actor_id",
    "request_id",
    "prev_hash",
)


def seal(row: dict[str, Any]) -> str:
    """Return the hash of an event's row: SHA-256 over its fields in one order, as a JSON array.

    Parameters
    ----------
    row
        The columns of `event`; ``hash`` itself is ignored.

    Notes
    -----
    The array is compact JSON in UTF-8 (RFC 8259), integers in decimal, absent values ``null``. Anyone can
    recompute it from the NDJSON export without this program.
    """
    return hashlib.sha256(msgspec.json.encode([row[name] for name in _FIELDS])).hexdigest()


def event_row(event: LedgerEvent) -> dict[str, Any]:
    """Return an event as a row of `event`."""
    return {
        "study_id": event.study_id,
        "seq": event.seq,
        "kind": event.kind.value,
        "at_us": to_us(event.at),
        "referral_id": event.referral_id,
        "site_id": event.site_id,
        "country": event.country,
        "arm": event.arm,
        "expires_at_us": None if event.expires_at is None else to_us(event.expires_at),
        "reason": event.reason,
        "detail": event.detail,
        "actor_id": event.actor_id,
        "request_id": event.request_id,
        "prev_hash": event.prev_hash,
        "hash": event.hash,
    }


def read_event(row: sa.Row[Any]) -> LedgerEvent:
    """Return a row of `event` as an event."""
    return LedgerEvent(
        study_id=row.study_id,
        seq=row.seq,
        kind=EventKind(row.kind),
        at=from_us(row.at_us),
        referral_id=row.referral_id,
        site_id=row.site_id,
        country=row.country,
        arm=row.arm,
        expires_at=None if row.expires_at_us is None else from_us(row.expires_at_us),
        reason=row.reason,
        detail=row.detail,
        actor_id=row.actor_id,
        request_id=row.request_id,
        prev_hash=row.prev_hash,
        hash=row.hash,
    )
